package slack

import (
	"strings"
	"testing"

	"timonier/bot"
	"timonier/bot/slack/slacktest"
)

// A flood is no amplifier: all is acknowledged, one message says when to come again, and nothing is
// said of the rest. Somebody else notices nothing.
func TestFlood(t *testing.T) {
	b := open(t)
	cfg := b.app.cfg
	b.end()
	b.rates = bot.Rates{Person: bot.Rate{Burst: 3, Second: 1e-6}}
	b.start(cfg)
	for range 3 {
		b.says(b.send(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C1"}), "node-1")
	}
	b.idle()
	before := len(b.slack.Calls(""))
	x := b.send(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C1"})
	c := b.says(x, "Réessayez dans")
	if c.Message.For != "U1" || c.Via != "response_url" {
		t.Errorf("told %+v", c)
	}
	for range 200 {
		b.send(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C1"}).End()
	}
	b.send(slacktest.HomeOpened{User: "U1"}).End()
	b.idle()
	if calls := b.slack.Calls("")[before:]; len(calls) != 1 {
		t.Errorf("%d calls: %+v", len(calls), calls)
	}
	b.settle()
	if !strings.Contains(c.Message.Words(), "Un instant") {
		t.Error(c.Message.Words())
	}
}
