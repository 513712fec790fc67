package slack

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/slack/slacktest"
)

// deployment is a command whose answer goes on until its pods are ready.
func deployment(name, channel string) slacktest.Command {
	return slacktest.Command{Name: "/kubectl", Text: "create deployment " + name + " --image=nginx --replicas=2", User: "U1", Channel: channel}
}

// What the next process takes up is shown in the message that the one before it wrote: a live
// answer, or the word that work goes on; in a new one where that is gone.
func TestTakenUp(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		t.Run(fmt.Sprintf("live, deleted %t", deleted), func(t *testing.T) {
			b := open(t)
			cfg := b.app.cfg
			x := b.send(deployment("web", "C1"))
			first := b.says(x, "deployment.apps/web created")
			b.end()
			if deleted {
				b.slack.DeleteMessage("C1", first.Message.TS)
			}
			b.clock.mu.Lock()
			b.clock.slow = true // and yet no word that work goes on takes the answer's place
			b.clock.mu.Unlock()
			asked := len(b.slack.Calls("users.info"))
			release := b.slack.Hold("users.info")
			b.start(cfg)
			if err := b.slack.Called(b.ctx, "users.info", asked+1); err != nil {
				t.Fatal(err)
			}
			release()
			again := b.next(x)
			if !strings.Contains(again.Message.Words(), "deployment.apps/web created") {
				t.Errorf("says %q", again.Message.Words())
			}
			if updated := again.Kind == slacktest.Updated && again.Message.TS == first.Message.TS; updated == deleted {
				t.Errorf("taken up with %+v", again)
			}
			b.slack.Advance(20 * time.Second)
			b.idle()
			if n := len(b.slack.Messages("C1")); n != map[bool]int{false: 1, true: 2}[deleted] { // the deleted one is listed, too
				t.Errorf("%d messages", n)
			}
		})
	}
	t.Run("at work", func(t *testing.T) {
		b := open(t)
		cfg := b.app.cfg
		b.clock.mu.Lock()
		b.clock.slow = true
		b.clock.mu.Unlock()
		release := b.slack.Hold("users.info")
		x := b.send(nodes("C1"))
		word := b.next(x)
		b.slack.Spoil("chat.update", 1<<30, slacktest.Trouble{Status: 503})
		release()
		if err := b.slack.Called(b.ctx, "chat.update", 1); err != nil {
			t.Fatal(err)
		}
		b.end()
		b.slack.Spoil("chat.update", 0, slacktest.Trouble{})
		b.start(cfg)
		if c := b.says(x, "node-1"); c.Kind != slacktest.Updated || c.Message.TS != word.Message.TS {
			t.Errorf("taken up with %+v", c)
		}
		b.idle()
		if n := len(b.slack.Messages("C1")); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}

// An answer that is shown and goes on takes no place from those who wait for theirs, and
// gives its own back once.
func TestLiveAnswerTakesNoPlace(t *testing.T) {
	b := open(t, func(c *Config, _ *slacktest.Config) { c.Most = 1 })
	inFlight := func() int {
		b.app.mu.Lock()
		defer b.app.mu.Unlock()
		return b.app.inFlight
	}
	release := b.slack.Hold("chat.postMessage")
	x := b.send(deployment("web", "C1"))
	if err := b.slack.Called(b.ctx, "chat.postMessage", 1); err != nil {
		t.Fatal(err)
	}
	y := b.send(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C2"})
	b.says(y, b.sentence("failure.busy", nil)) // nothing is shown yet
	y.End()
	release()
	b.says(x, "deployment.apps/web created")
	for inFlight() > 0 { // Slack's answer is on its way
		if b.ctx.Err() != nil {
			t.Fatal("it keeps its place")
		}
		runtime.Gosched()
	}
	b.says(b.send(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C2"}), "node-1")
	b.slack.Advance(20 * time.Second)
	b.idle()
	if n := inFlight(); n != 0 {
		t.Errorf("%d in flight", n)
	}
}

// A process that ends does not wait for answers that are shown and only go on, and leaves them
// to the next one.
func TestEndWhileFollowing(t *testing.T) {
	b := open(t, func(c *Config, _ *slacktest.Config) { c.Drain = 300 * time.Second }) // of the clock's: 3 s
	cfg := b.app.cfg
	x := b.send(deployment("web", "C1"))
	first := b.says(x, "deployment.apps/web created").Message
	b.end()
	if m := b.slack.Messages("C1"); len(m) != 1 || m[0].Words() != first.Words() {
		t.Errorf("ended with %+v", m)
	}
	if strings.Contains(b.log.String(), "answers cut short") {
		t.Error("the end waited for it")
	}
	b.start(cfg)
	b.says(x, "deployment.apps/web created")
	b.slack.Advance(20 * time.Second)
	b.idle()
	if m := b.slack.Messages("C1"); len(m) != 1 || m[0].Words() == first.Words() {
		t.Errorf("went on with %+v", m)
	}
	b.end() // it was told to be delivered
	b.start(cfg)
	b.idle()
	before := len(b.slack.Calls("chat.update"))
	b.says(b.send(nodes("C2")), "node-1")
	if n := len(b.slack.Calls("chat.update")); n != before {
		t.Error("taken up once more")
	}
}

// What a route leaves out is not an answer shown.
func TestLeftOutIsNotShown(t *testing.T) {
	b := open(t)
	r := text("créé", false)
	r.Private, r.Follow = true, &bot.Follow{}
	p := b.app.parcelOf(&ask{way: way{User: "U1", Channel: "C1"}, manner: bot.Manner{Private: true}})
	p.k.vacated.Do(func() {}) // it was never counted
	if err := p.send(b.ctx, r); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.follows:
		t.Error("what was not whispered is said to be shown")
	default:
	}
}
