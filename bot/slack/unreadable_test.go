package slack

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"timonier/bot/slack/slacktest"
)

// fields are an object of JSON.
type fields = map[string]any

// An event with a field of another type than Slack's is answered, privately and once, wherever it
// says how its person is reached; what is in it is not in the log.
func TestUnreadable(t *testing.T) {
	user, channel, team := fields{"id": "U1"}, fields{"id": "C1"}, fields{"id": "T0TEST"}
	for name, c := range map[string]struct {
		kind    string
		payload fields
		respond bool   // there is a response URL
		to      string // the channel that is answered in
	}{
		"no user":    {"interactive", fields{"type": "block_actions", "user": 7}, true, "C1"},
		"bad files":  {"interactive", fields{"type": "block_actions", "user": user, "channel": channel, "team": team, "message": fields{"files": "hush-hush"}}, true, "C1"},
		"used up":    {"interactive", fields{"type": "message_action", "user": user, "channel": channel, "actions": "hush-hush"}, false, "C1"},
		"no actions": {"interactive", fields{"type": "block_actions", "user": user, "channel": channel}, true, "C1"},
		"command":    {"slash_commands", fields{"command": "/kubectl", "text": fields{"hush": "hush-hush"}, "user_id": "U1", "channel_id": "C1"}, true, "C1"},
		"no command": {"slash_commands", fields{"user_id": "U1", "channel_id": "C1"}, true, "C1"},
		"mention":    {"events_api", fields{"type": "event_callback", "event_id": "Ev1", "event": fields{"type": "app_mention", "user": "U1", "channel": "C1", "files": "hush-hush"}}, false, "C1"},
		"a message":  {"events_api", fields{"type": "event_callback", "event_id": 7, "event": fields{"type": "message", "channel_type": "im", "user": "U1", "channel": "D1", "text": "hush-hush"}}, false, "D1"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			if c.respond {
				x := b.send(slacktest.Command{Name: "/timonier", Text: "aide", User: "U1", Channel: "C1"})
				b.says(x, "/kubectl")
				b.idle()
				c.payload["response_url"] = x.ResponseURL
			}
			for range 2 {
				b.send(slacktest.Raw{Type: c.kind, User: "U1", Channel: "C1", Payload: c.payload})
				b.settle()
			}
			if words := b.sentence("slack.unreadable", nil); !strings.Contains(words, "rien n'a été changé") {
				t.Errorf("it would say %q", words)
			}
			said := 0
			for _, m := range b.slack.Messages("") {
				if strings.Contains(m.Words(), b.sentence("slack.unreadable", nil)) {
					if said++; m.Channel != c.to || c.to == "C1" && m.For != "U1" {
						t.Errorf("answered %+v", m)
					}
				}
			}
			if said != 1 {
				t.Errorf("answered %d times\n%s", said, b.log)
			}
			for _, no := range []string{"hush-hush", "struct", "Go value"} {
				if strings.Contains(b.log.String(), no) {
					t.Errorf("the log holds %q:\n%s", no, b.log)
				}
			}
		})
	}
}

// What is not for the bot is not answered, however it looks.
func TestUnreadableForOthers(t *testing.T) {
	b := open(t)
	for name, event := range map[string]fields{
		"in a channel": {"type": "message", "channel_type": "channel", "user": "U1", "channel": "C1", "files": "x"},
		"a bot's":      {"type": "message", "channel_type": "im", "user": "U1", "channel": "D1", "bot_id": 7},
		"its own":      {"type": "message", "channel_type": "im", "user": "U0BOT", "channel": "D1", "files": "x"},
		"edited":       {"type": "message", "channel_type": "im", "user": "U1", "channel": "D1", "subtype": "message_changed", "files": "x"},
		"a channel":    {"type": "channel_created", "user": "U1", "channel": fields{"id": "C1"}},
		"no user":      {"type": "app_mention", "user": 7, "channel": "C1"},
	} {
		t.Run(name, func(t *testing.T) {
			x := b.send(slacktest.Raw{Type: "events_api", User: "U1", Channel: "C1", Payload: fields{"type": "event_callback", "event_id": name, "event": event}})
			b.settle()
			if c := x.Changes(); len(c) > 0 {
				t.Errorf("answered %+v", c)
			}
			x.End()
		})
	}
}

// The log says where an event is not as it should be.
func TestShapeOf(t *testing.T) {
	for payload, want := range map[string]string{
		`{"user":7}`:                  "user is of type number",
		`{"message":{"files":"x"}}`:   "message.files is of type string",
		`{"actions":[{"value":[1]}]}`: "actions.value is of type array",
		`[]`:                          "payload is of type array",
		`{`:                           "no JSON",
	} {
		var i interaction
		if got := shapeOf(json.Unmarshal([]byte(payload), &i)); got != want {
			t.Errorf("%s: %q, want %q", payload, got, want)
		}
	}
	if got := shapeOf(errors.New("of a secret")); strings.Contains(got, "secret") {
		t.Error(got)
	}
}
