package slacktest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// encoded is an interaction that is not delivered.
func encoded(t *testing.T, s *Server, i Interaction) (*Exchange, fields) {
	t.Helper()
	x, _, _, err := s.Encode(i)
	if err != nil {
		t.Fatal(err)
	}
	var p fields
	if err := json.Unmarshal(encode(x.envelope.payload), &p); err != nil {
		t.Fatal(err)
	}
	return x, p
}

// impossible wants an interaction to be refused.
func impossible(t *testing.T, s *Server, i Interaction, words string) {
	t.Helper()
	if _, _, _, err := s.Encode(i); err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("%+v: got %v, want %q", i, err, words)
	}
}

// ack plays an acknowledgement.
func ack(s *Server, x *Exchange, payload any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.sent = s.now()
	s.acknowledge(x, Ack{Status: 200, Payload: encode(payload)}, false)
}

func TestResponseURL(t *testing.T) {
	s := open(t, Config{})
	x, _ := encoded(t, s, Command{Name: "/quiz", User: "U1", Channel: "C1"})
	send := func(url string, body any, status int, words string) {
		t.Helper()
		if got, _, text := post(t, s, url, body); got != status || !strings.Contains(text, words) {
			t.Fatalf("%v: got %d %s, want %d %s", body, got, text, status, words)
		}
	}
	send(x.ResponseURL, fields{"text": "1"}, 200, "ok")
	send(x.ResponseURL, fields{"text": "2", "response_type": "in_channel", "replace_original": false}, 200, "ok")
	all := x.Messages()
	if len(all) != 2 || all[0].For != "U1" || all[1].For != "" {
		t.Fatalf("%+v", all)
	}
	sound(t, s)
	send(x.ResponseURL, fields{"text": "3", "replace_original": true}, 200, "ok")
	if n := len(x.Messages()); n != 3 {
		t.Errorf("a command's response URL replaced something: %d messages", n)
	}
	faulty(t, s, "no original to replace")
	send(x.ResponseURL, fields{"text": "x", "blocks": []any{section(é(3001))}}, 400, "invalid_blocks")
	send(x.ResponseURL, fields{"text": "4"}, 200, "ok")
	send(x.ResponseURL, fields{"text": "5"}, 200, "ok")
	send(x.ResponseURL, fields{"text": "6"}, 404, "used_url")
	send(x.ResponseURL+"0", fields{"text": "6"}, 404, "no_service")
	y, _ := encoded(t, s, Command{Name: "/quiz", User: "U1", Channel: "C1"})
	s.Advance(30*time.Minute + time.Second)
	send(y.ResponseURL, fields{"text": "1"}, 404, "expired_url")

	says(t, s, "chat.postEphemeral", fields{"channel": "C1", "user": "U1", "text": "q", "blocks": []any{actions(add(button("b"), "value", "v1"))}}, "")
	m := s.Messages("C1")[len(s.Messages("C1"))-1]
	impossible(t, s, Action{User: "U2", Channel: "C1", Message: m.TS, ActionID: "b"}, "sees no message")
	impossible(t, s, Action{User: "U1", Channel: "C1", Message: m.TS, ActionID: "c"}, "no element")
	z, p := encoded(t, s, Action{User: "U1", Channel: "C1", Message: m.TS, ActionID: "b"})
	if a := dict(array(p["actions"])[0]); a["value"] != "v1" || a["block_id"] != m.Buttons()[0].BlockID || dict(p["container"])["is_ephemeral"] != true {
		t.Fatal(p)
	}
	send(z.ResponseURL, fields{"text": "r", "replace_original": true}, 200, "ok")
	send(z.ResponseURL, fields{"delete_original": true}, 200, "ok")
	send(z.ResponseURL, fields{"text": "r", "replace_original": true}, 404-4, "message_not_found")
	got := z.Messages()
	if len(got) != 1 || !got[0].Deleted || len(got[0].History) != 2 || got[0].History[0].Text != "q" || got[0].History[1].Text != "r" {
		t.Fatalf("%+v", got)
	}
	says(t, s, "chat.update", fields{"channel": "C1", "ts": m.TS, "text": "x"}, "message_not_found")
	says(t, s, "chat.postEphemeral", fields{"channel": "C1", "user": "U1", "text": "q"}, "")
	m = s.Messages("C1")[len(s.Messages("C1"))-1]
	says(t, s, "chat.update", fields{"channel": "C1", "ts": m.TS, "text": "x"}, "cant_update_message")
	says(t, s, "chat.delete", fields{"channel": "C1", "ts": m.TS}, "cant_delete_message")
	says(t, s, "chat.postEphemeral", fields{"channel": "C1", "user": "U9", "text": "q"}, "user_not_in_channel")
}

func TestMessagesChange(t *testing.T) {
	s := open(t, Config{})
	x, _ := encoded(t, s, Command{Name: "/quiz", User: "U1", Channel: "C1"})
	elsewhere, _ := encoded(t, s, Command{Name: "/quiz", User: "U1", Channel: "C2"})
	ts := str(says(t, s, "chat.postMessage", fields{"channel": "C1", "text": "a", "blocks": []any{section("A")}}, "")["ts"])
	says(t, s, "chat.update", fields{"channel": "C1", "ts": ts, "text": "b"}, "")
	if m := x.Messages()[0]; m.Text != "b" || m.Blocks != nil || m.History[0].Text != "a" {
		t.Errorf("a text takes the place of blocks: %+v", m)
	}
	says(t, s, "chat.postMessage", fields{"channel": "C1", "text": "réponse", "thread_ts": ts}, "")
	says(t, s, "chat.delete", fields{"channel": "C1", "ts": ts}, "")
	says(t, s, "chat.postMessage", fields{"channel": "U1", "text": "en privé"}, "")
	var kinds []string
	for _, c := range x.Changes() {
		kinds = append(kinds, string(c.Kind)+" "+c.Message.Channel)
	}
	if got := strings.Join(kinds, ", "); got != "posted C1, updated C1, posted C1, deleted C1, posted D1" {
		t.Error(got)
	}
	if got := elsewhere.Changes(); len(got) != 1 || got[0].Message.Channel != "D1" {
		t.Errorf("%+v", got)
	}
	s.RemoveChannel("C2")
	says(t, s, "chat.postMessage", fields{"channel": "C2", "text": "x"}, "channel_not_found")
	theirs, _ := encoded(t, s, DirectMessage{User: "U1", Text: "aide"})
	m := s.Messages(theirs.Channel)[1]
	says(t, s, "chat.update", fields{"channel": m.Channel, "ts": m.TS, "text": "x"}, "cant_update_message")
}

func TestViews(t *testing.T) {
	s := open(t, Config{})
	modal := fields{"type": "modal", "title": plainly("YAML"), "submit": plainly("OK"), "callback_id": "apply", "private_metadata": "m", "notify_on_close": true, "blocks": []any{
		add(input(fields{"type": "plain_text_input", "action_id": "yaml", "max_length": 5}), "block_id", "b1"),
		add(add(input(fields{"type": "file_input", "action_id": "files", "max_files": 1}), "block_id", "b2"), "optional", true),
	}}
	x, _ := encoded(t, s, Command{Name: "/kubectl", User: "U1", Channel: "C1"})
	says(t, s, "views.push", fields{"trigger_id": x.TriggerID, "view": modal}, "not_found")
	id := str(dict(says(t, s, "views.open", fields{"trigger_id": x.TriggerID, "view": modal}, "")["view"])["id"])
	sound(t, s)
	says(t, s, "views.open", fields{"trigger_id": x.TriggerID, "view": modal}, "exchanged_trigger_id")
	says(t, s, "views.open", fields{"trigger_id": "1.2.3", "view": modal}, "invalid_trigger_id")
	late, _ := encoded(t, s, Shortcut{User: "U2"})
	s.Advance(triggerLasts + time.Millisecond)
	says(t, s, "views.open", fields{"trigger_id": late.TriggerID, "view": modal}, "expired_trigger_id")

	impossible(t, s, Submit{User: "U2"}, "sees no modal")
	impossible(t, s, Submit{User: "U1"}, "is required")
	impossible(t, s, Submit{User: "U1", Values: fields{"yaml": é(6)}}, "takes 5")
	impossible(t, s, Submit{User: "U1", Values: fields{"yaml": "a", "nope": "b"}}, "no input")
	f := s.AddFile("U1", "a.yaml", "text/yaml", []byte("a: 1"))
	impossible(t, s, Submit{User: "U1", Values: fields{"yaml": "a", "files": []string{f, f}}}, "takes 1 files")
	sub, p := encoded(t, s, Submit{User: "U1", Values: fields{"yaml": "a: 1", "files": []string{f}}})
	v := dict(p["view"])
	state := dict(dict(v["state"])["values"])
	if v["id"] != id || v["private_metadata"] != "m" || v["hash"] == "" || dict(dict(state["b1"])["yaml"])["value"] != "a: 1" {
		t.Fatal(v)
	}
	if files := array(dict(dict(state["b2"])["files"])["files"]); str(dict(files[0])["url_private"]) == "" {
		t.Fatal(files)
	}
	ack(s, sub, fields{"response_action": "errors", "errors": fields{"b1": "non"}})
	if v := s.Views("U1")[0]; v.Errors["b1"] != "non" {
		t.Fatalf("%+v", v)
	}
	faults := len(s.Faults())
	sub, _ = encoded(t, s, Submit{User: "U1", Values: fields{"yaml": "a"}})
	ack(s, sub, fields{"response_action": "errors", "errors": fields{"b9": "non"}})
	faulty(t, s, `"b9", which is no input block`)
	sub, _ = encoded(t, s, Submit{User: "U1", Values: fields{"yaml": "a"}})
	ack(s, sub, fields{"response_action": "push", "view": modal})
	if n := len(s.Views("U1")); n != 2 {
		t.Fatal(n)
	}
	sub, _ = encoded(t, s, Submit{User: "U1", Values: fields{"yaml": "a"}})
	ack(s, sub, fields{"response_action": "vanish"})
	faulty(t, s, "unknown response_action")
	if len(s.Faults()) != faults+2 {
		t.Error(s.Faults())
	}
	sub, _ = encoded(t, s, Submit{User: "U1", Values: fields{"yaml": "a"}})
	ack(s, sub, fields{})
	if n := len(s.Views("U1")); n != 1 || sub.Changes()[0].Kind != Closed {
		t.Fatal(n)
	}
	says(t, s, "views.update", fields{"view_id": id, "hash": "old", "view": modal}, "hash_conflict")
	says(t, s, "views.update", fields{"view_id": id, "hash": s.Views("U1")[0].Hash, "view": add(modal, "title", plainly("2"))}, "")
	_, p = encoded(t, s, CloseView{User: "U1"})
	if dict(p["view"])["id"] != id || p["is_cleared"] != false || len(s.Views("U1")) != 0 {
		t.Fatal(p)
	}
	says(t, s, "views.update", fields{"view_id": id, "view": modal}, "not_found")

	home := fields{"type": "home", "blocks": []any{section("*Progrès*"), actions(button("go"))}}
	says(t, s, "views.publish", fields{"user_id": "U1", "view": home}, "")
	if v, ok := s.Home("U1"); !ok || v.Words() != "*Progrès*\nSuite" {
		t.Fatalf("%q", v.Words())
	}
	y, p := encoded(t, s, Action{User: "U1", ActionID: "go"})
	if dict(p["view"])["type"] != "home" || y.ResponseURL != "" || p["channel"] != nil {
		t.Fatal(p)
	}
	_, p = encoded(t, s, HomeOpened{User: "U1"})
	if e := dict(p["event"]); e["tab"] != "home" || dict(e["view"])["type"] != "home" {
		t.Fatal(p)
	}
}

func TestSuggest(t *testing.T) {
	s := open(t, Config{})
	pick := fields{"type": "external_select", "action_id": "pod", "placeholder": plainly("…"), "min_query_length": 1}
	ts := str(says(t, s, "chat.postMessage", fields{"channel": "C1", "text": "x", "blocks": []any{actions(pick)}}, "")["ts"])
	impossible(t, s, Suggest{User: "U1", Channel: "C1", Message: ts, ActionID: "pod"}, "before 1 characters")
	x, p := encoded(t, s, Suggest{User: "U1", Channel: "C1", Message: ts, ActionID: "pod", Value: "we"})
	if p["type"] != "block_suggestion" || p["value"] != "we" {
		t.Fatal(p)
	}
	ack(s, x, fields{"options": []any{opt(1)}})
	sound(t, s)
	x, _ = encoded(t, s, Suggest{User: "U1", Channel: "C1", Message: ts, ActionID: "pod", Value: "we"})
	ack(s, x, fields{"options": times(101, opt)})
	faulty(t, s, "no more than 100")
	y, p := encoded(t, s, Action{User: "U1", Channel: "C1", Message: ts, ActionID: "pod", Value: "web-1"})
	if o := dict(dict(array(p["actions"])[0])["selected_option"]); o["value"] != "web-1" {
		t.Fatal(p)
	}
	ack(s, y, fields{"text": "x"})
	faulty(t, s, "ack of block_actions: it takes no payload")
	_, p = encoded(t, s, Action{User: "U1", Channel: "C1", Message: "0.1", ActionID: "v0", Value: "old", Forged: true})
	if a := dict(array(p["actions"])[0]); a["value"] != "old" {
		t.Fatal(p)
	}
}

func TestShortcutOnMessage(t *testing.T) {
	s := open(t, Config{})
	f := s.AddFile("U2", "pod.yaml", "text/yaml", []byte("kind: Pod"))
	x, p := encoded(t, s, MessageShortcut{CallbackID: "apply", User: "U1", Channel: "C3", Author: "U2", Text: "```kind: Pod```", Files: []string{f}})
	m := dict(p["message"])
	if p["type"] != "message_action" || m["user"] != "U2" || m["text"] != "```kind: Pod```" || len(array(m["files"])) != 1 || x.ResponseURL == "" || x.TriggerID == "" {
		t.Fatal(p)
	}
	impossible(t, s, Mention{User: "U1", Channel: "C3", Text: "x"}, "only where it is a member")
	impossible(t, s, Command{Name: "quiz", User: "U1", Channel: "C1"}, "a name like")
	impossible(t, s, Command{Name: "/quiz", User: "U9", Channel: "C1"}, "no user")
	impossible(t, s, Raw{Type: "letters"}, "no envelope")
	if x, _ := encoded(t, s, Raw{Type: "interactive", Payload: fields{"type": "block_actions", "actions": "none"}}); x.kind != "block_actions" {
		t.Fatal(x.kind)
	}
}
