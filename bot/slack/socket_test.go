package slack

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"timonier/bot/slack/slacktest"
)

// An envelope that is delivered again, and another of the same event, are answered once.
func TestEnvelopeAgain(t *testing.T) {
	b := open(t)
	x := b.send(slacktest.Command{Name: "/kubectl", Text: "create namespace web", User: "U1", Channel: "C1"})
	b.says(x, "created")
	if err := b.slack.Redeliver(b.ctx, x, "timeout"); err != nil {
		t.Fatal(err)
	}
	y := b.send(slacktest.Command{Name: "/kubectl", Text: "get namespaces", User: "U1", Channel: "C1"})
	b.says(y, "web")
	b.idle()
	if n := len(b.slack.Messages("C1")); n != 2 {
		t.Errorf("%d answers", n)
	}
	if n := len(x.Acks()); n != 2 {
		t.Errorf("%d acknowledgements", n)
	}
}

// A socket that is cut, told to go or half-dead is followed by another, on which what was missed
// is delivered again.
func TestSocketLost(t *testing.T) {
	for name, lose := range map[string]func(*slacktest.Server){
		"cut":     func(s *slacktest.Server) { s.Drop() },
		"refresh": func(s *slacktest.Server) { s.Disconnect("refresh_requested") },
		"warning": func(s *slacktest.Server) { s.Disconnect("warning") },
		"frozen":  func(s *slacktest.Server) { s.Freeze() },
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, func(c *Config, s *slacktest.Config) { c.Ping, s.Ping = 250*time.Millisecond, 25*time.Millisecond })
			lose(b.slack)
			var x *slacktest.Exchange
			if name == "frozen" { // the half-dead socket swallows it
				var err error
				if x, err = b.slack.Send(b.ctx, slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C1"}); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.slack.Attempted(b.ctx, 2); err != nil {
				t.Fatal(err)
			}
			if x == nil {
				x = b.send(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C1"})
			} else {
				b.slack.Advance(4 * time.Second) // Slack delivers it again
			}
			b.says(x, "node-1")
			b.idle()
			if n := posts(b.slack.Messages("C1")); n != 1 {
				t.Errorf("%d answers", n)
			}
		})
	}
}

// Where Slack has too many sockets, the pauses between ours grow.
func TestTooManySockets(t *testing.T) {
	b := open(t)
	b.slack.Refuse(8)
	b.slack.Drop()
	if err := b.slack.Attempted(b.ctx, 10); err != nil {
		t.Fatal(err)
	}
	if err := b.slack.Connected(b.ctx, 1); err != nil {
		t.Fatal(err)
	}
	waits := b.clock.waits()
	if len(waits) != 9 || len(b.slack.Attempts()) != 10 {
		t.Fatalf("%d sockets after pauses of %v", len(b.slack.Attempts()), waits)
	}
	for i, w := range waits {
		if least := min(250*time.Millisecond<<i, mostBackoff/2); w < least || w > 2*least {
			t.Errorf("pause %d is %v", i, w)
		}
	}
	b.says(b.send(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C1"}), "node-1")
	if !b.app.Ready() {
		t.Error("not ready")
	}
}

func TestOtherSockets(t *testing.T) {
	b := open(t)
	b.slack.Pretend(3)
	b.slack.Drop()
	if err := b.slack.Attempted(b.ctx, 2); err != nil {
		t.Fatal(err)
	}
	b.says(b.send(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C1"}), "node-1")
	if !strings.Contains(b.log.String(), "connections=3") {
		t.Errorf("not said:\n%s", b.log)
	}
}

// Commands of many at once are answered once each, in each channel in their order.
func TestManyAtOnce(t *testing.T) {
	const channels, each = 20, 10
	b := open(t, func(c *Config, s *slacktest.Config) {
		s.Channels = []slacktest.Channel{}
		for i := range channels {
			s.Channels = append(s.Channels, slacktest.Channel{ID: fmt.Sprintf("C%d", i), Name: fmt.Sprint(i), Member: true})
		}
	})
	var all sync.WaitGroup
	for i := range channels {
		all.Go(func() {
			for n := range each {
				x, err := b.slack.Send(b.ctx, slacktest.Command{Name: "/kubectl", User: "U1", Channel: fmt.Sprintf("C%d", i),
					Text: fmt.Sprintf("create namespace n%d", n)})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := x.Acked(b.ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.idle()
	for i := range channels {
		var got, want []string
		for _, m := range b.slack.Messages(fmt.Sprintf("C%d", i)) {
			got = append(got, strings.TrimSpace(m.Words()))
		}
		for n := range each {
			want = append(want, fmt.Sprintf("namespace/n%d created", n))
		}
		if !slices.EqualFunc(got, want, strings.Contains) {
			t.Errorf("channel %d: %q", i, got)
		}
	}
}

// A token that Slack refuses ends the run with what it said.
func TestRefusedToken(t *testing.T) {
	s, err := slacktest.Start(slacktest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, method := range []string{"auth.test", "apps.connections.open"} {
		s.Spoil(method, 1, slacktest.Trouble{Error: "invalid_auth"})
		b := &bench{t: t, ctx: t.Context(), slack: s, clock: &clock{}, log: &locked{}, file: t.TempDir() + "/timonier.db"}
		app := b.build(Config{BotToken: s.Config().BotToken, AppToken: s.Config().AppToken})
		err := app.Run(t.Context())
		if code(err) != "invalid_auth" {
			t.Errorf("%s: %v", method, err)
		}
		setting := map[string]string{"auth.test": "TIMONIER_SLACK_BOT_TOKEN", "apps.connections.open": "TIMONIER_SLACK_APP_TOKEN"}[method]
		if err != nil && !strings.Contains(err.Error(), setting) {
			t.Errorf("no word of the setting: %v", err)
		}
	}
}

// The same event over both ways is answered once.
func TestBothWays(t *testing.T) {
	b := open(t)
	raw := slacktest.Raw{Type: "events_api", User: "U1", Channel: "D1", Payload: map[string]any{
		"type": "event_callback", "team_id": "T0TEST", "event_id": "Ev1", "event": map[string]any{
			"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "text": "/kubectl get nodes", "ts": "1.000001"}}}
	x := b.send(raw)
	b.says(x, "node-1")
	b.post(raw)
	y := b.post(slacktest.DirectMessage{User: "U1", Text: "/kubectl get namespaces"})
	b.says(y, "default")
	b.idle()
	if n := posts(b.slack.Messages("D1")); n != 2 {
		t.Errorf("%d answers", n)
	}
}
