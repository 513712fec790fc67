package slack

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"strings"

	"timonier/bot"
)

// unreadable answers privately, and once, an event that is not as Slack's are or lacks what it
// takes, as far as the event itself says where to. The log has its shape and nothing of
// what is in it.
func (a *App) unreadable(in incoming, why error) {
	a.log.Warn("event cannot be read", "kind", in.kind, "why", shapeOf(why))
	a.cfg.Metrics.Failed(platform, "event")
	if in.kind == "events_api" && !a.addressed(in.payload) {
		return
	}
	k := &ask{
		request: bot.Request{ID: digest("unreadable", in.kind, string(in.payload)), Tenant: textAt(in.payload, "team.id", "team_id")},
		way: way{
			User:     textAt(in.payload, "user.id", "user_id", "event.user"),
			Channel:  textAt(in.payload, "container.channel_id", "channel.id", "channel_id", "event.channel"),
			Thread:   textAt(in.payload, "container.thread_ts", "message.thread_ts", "event.thread_ts"),
			Response: textAt(in.payload, "response_url"), At: in.at,
		},
		at: in.at,
	}
	k.request.Who.ID = k.way.User
	k.way.Own = private(k.way.Channel)
	k.manner.Private = true
	if k.way.Response == "" && (k.way.User == "" || k.way.Channel == "") || !a.first(k) {
		return
	}
	a.tell(k, "slack.unreadable", nil)
}

// addressed says of an event that cannot be read that it is a message of a person's to the bot.
func (a *App) addressed(payload json.RawMessage) bool {
	kind, subtype := textAt(payload, "event.type"), at(payload, "event.subtype")
	return (kind == "app_mention" || kind == "message" && textAt(payload, "event.channel_type") == "im") &&
		at(payload, "event.bot_id") == nil && (subtype == nil || string(subtype) == `"file_share"`) &&
		textAt(payload, "event.user") != a.self
}

// errLacks is an event without what it takes to be answered.
var errLacks = errors.New("it lacks who, where or what")

// shapeOf says why an event cannot be read: where in it, and which type of JSON stands there.
func shapeOf(err error) string {
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped):
		kind, _, _ := strings.Cut(mistyped.Value, " ") // of a number the value follows
		return cmp.Or(mistyped.Field, "payload") + " is of type " + kind
	case errors.Is(err, errLacks):
		return err.Error()
	}
	return "no JSON"
}

// textAt is the first text that stands at one of the paths; fields next to them may be anything.
func textAt(payload json.RawMessage, paths ...string) string {
	for _, path := range paths {
		var text string
		if json.Unmarshal(at(payload, path), &text) == nil && text != "" {
			return text
		}
	}
	return ""
}

// at is what stands at a path of names with points between them; nil where nothing or null does.
func at(payload json.RawMessage, path string) json.RawMessage {
	for name := range strings.SplitSeq(path, ".") {
		var fields map[string]json.RawMessage
		if json.Unmarshal(payload, &fields) != nil {
			return nil
		}
		payload = fields[name]
	}
	if bytes.Equal(payload, []byte("null")) {
		return nil
	}
	return payload
}
