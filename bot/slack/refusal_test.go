package slack

import (
	"testing"

	"timonier/bot/slack/slacktest"
)

// TestARefusalIsPrivate: whoever lacks the right is told alone, and the class sees nothing of it, neither of a command nor of a
// button under a message of everybody's.
func TestARefusalIsPrivate(t *testing.T) {
	b := open(t, withTeacher)
	if m := b.says(b.send(inClass("U1", "/remise")), "réservé").Message; m.For != "U1" {
		t.Errorf("for %q: %q", m.For, m.Words())
	}
	asks := b.says(b.send(inClass("UPROF", "/remise")), "Vraiment").Message
	if asks.For != "" {
		t.Errorf("only %q is asked", asks.For)
	}
	if m := b.says(b.press("U1", asks, "Oui"), "réservé").Message; m.For != "U1" || m.TS == asks.TS {
		t.Errorf("for %q: %q", m.For, m.Words())
	}
	b.idle()
	for _, m := range b.slack.Messages("C1") {
		if m.For == "" && m.TS != asks.TS {
			t.Errorf("all see %q", m.Words())
		}
	}
}

// TestALateRefusalIsPrivate: where all were told that work goes on, that is taken back.
func TestALateRefusalIsPrivate(t *testing.T) {
	b := open(t, withTeacher)
	b.clock.mu.Lock()
	b.clock.slow = true
	b.clock.mu.Unlock()
	release := b.slack.Hold("users.info")
	x := b.send(inClass("U1", "/remise"))
	works := b.says(x, b.sentence("slack.working", nil)).Message
	release()
	if m := b.says(x, "réservé").Message; m.For != "U1" {
		t.Errorf("for %q: %q", m.For, m.Words())
	}
	b.idle()
	gone := false
	for _, c := range x.Changes() {
		gone = gone || c.Kind == slacktest.Deleted && c.Message.TS == works.TS
	}
	if !gone || works.For != "" {
		t.Errorf("it still says %q to %q", works.Words(), works.For)
	}
}
