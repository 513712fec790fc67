package slack

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"timonier/bot"
)

// FuzzEvent: whatever Slack, or somebody who has its secret, tells of, is taken without a failure of ours, and what is
// logged of it holds no response URL.
func FuzzEvent(f *testing.F) {
	for kind, payloads := range map[string][]string{
		"slash_commands": {`{"command":"/kubectl","text":"get pods","user_id":"U1","channel_id":"C1","team_id":"T1","response_url":"https://hooks.slack.com/canary"}`, `{"command":7}`, `[]`},
		"interactive": {
			`{"type":"block_actions","user":{"id":"U1"},"team":{"id":"T1"},"channel":{"id":"C1"},"container":{"type":"message","message_ts":"1.2","channel_id":"C1"},"actions":[{"type":"button","action_id":"b0","block_id":"x","value":"/cours suite","action_ts":"1.3"}],"response_url":"https://hooks.slack.com/canary"}`,
			`{"type":"view_submission","user":{"id":"U1"},"view":{"id":"V1","private_metadata":"{}","state":{"values":{"a":{"text":{"type":"plain_text_input","value":"x"}}}}}}`,
			`{"type":"message_action","callback_id":"apply","user":{"id":"U1"},"channel":{"id":"C1"},"message":{"ts":"1.2","text":"` + "```a```" + `","files":[{"id":"F1","name":"a.yaml"}]}}`,
			`{"type":"view_closed","user":{"id":null}}`, `{"user":{"id":"U1"},"actions":[null]}`, `null`,
		},
		"events_api": {`{"type":"event_callback","event_id":"E1","team_id":"T1","event":{"type":"app_mention","user":"U1","channel":"C1","ts":"1.2","text":"<@U0> /aide"}}`,
			`{"type":"event_callback","event":{"type":"app_home_opened","user":"U1","tab":"home"}}`, `{"type":"event_callback","event":{"type":"message","channel_type":"im","files":7}}`, `{"event":[]}`},
	} {
		for _, p := range payloads {
			f.Add(kind, []byte(p))
		}
	}
	log := &locked{}
	tutor := bot.New(bot.Config{Store: nil})
	a, err := New(Config{Tutor: tutor, BotToken: "xoxb-1", AppToken: "xapp-1", Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind string, payload []byte) {
		a.take(incoming{kind: kind, payload: json.RawMessage(payload), at: time.Now()})
		if said := log.String(); strings.Contains(said, "event failed") || strings.Contains(said, "hooks.slack.com") {
			t.Error(said)
		}
	})
}
