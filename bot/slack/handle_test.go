package slack

import (
	"strings"
	"testing"

	"timonier/bot"
	"timonier/bot/slack/slacktest"
)

const manifestOfWeb = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  a: b < c & d"

func TestCommandLine(t *testing.T) {
	for _, c := range []struct{ command, text, want string }{
		{"/timonier", "", "/aide"},
		{"/timonier", "  grappe ", "/grappe"},
		{"/timonier", "/grappe", "/grappe"},
		{"/timonier", "cours 3.2", "/cours 3.2"},
		{"/kubectl", "", "/kubectl"},
		{"/kubectl", "get pods", "/kubectl get pods"},
		{"/kubectl", "get pods -l a&gt;b", "/kubectl get pods -l a>b"},
		{"/kubectl", "apply -f -\nkind: Pod", "/kubectl apply -f -\nkind: Pod"},
		{"/kubectl", "apply ```\nkind: Pod\n```", "/kubectl apply\nkind: Pod"},
		{"/kubectl", "apply -f - ```yaml\nkind: Pod```\nmerci", "/kubectl apply -f -\nkind: Pod"},
		{"/kubectl", "```a: 1``` ```b: 2```", "/kubectl apply -f -\na: 1\n---\nb: 2"},
		{"/timonier", "```kind: Pod", "/kubectl apply -f -\nkind: Pod"},
		{"/quiz", "3", "/quiz 3"},
		{"/quiz", "", "/quiz"},
	} {
		if got := commandLine(c.command, c.text); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.command, c.text, got, c.want)
		}
	}
}

// A command is answered over a socket and over HTTP alike.
func TestCommand(t *testing.T) {
	b := open(t)
	for name, deliver := range map[string]func(slacktest.Interaction) *slacktest.Exchange{"socket": b.send, "http": b.post} {
		t.Run(name, func(t *testing.T) {
			x := deliver(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C1"})
			c := b.says(x, "node-1")
			if c.Kind != slacktest.Posted || c.Message.For != "" || c.Message.Channel != "C1" || c.Via != "chat.postMessage" {
				t.Errorf("answered %+v", c)
			}
			x = deliver(slacktest.Command{Name: "/timonier", User: "U2", Channel: "C1"})
			c = b.says(x, "/kubectl")
			if c.Message.For != "U2" || c.Via != "response_url" {
				t.Errorf("answered %+v", c)
			}
			if !strings.Contains(c.Message.Words(), "commands") { // U2's language
				t.Errorf("not in English: %s", c.Message.Words())
			}
		})
	}
}

func TestUnknownCommand(t *testing.T) {
	b := open(t)
	x := b.send(slacktest.Command{Name: "/timonier", Text: "kubctl get pods <!channel> <@U2>", User: "U1", Channel: "C1"})
	c := b.says(x, "/kubctl")
	yes := b.button(c.Message, "Oui")
	if line, ok := bot.Pressed(yes.Value); !ok || !strings.HasPrefix(line, "/kubectl get pods") {
		t.Errorf("the button carries %q", yes.Value)
	}
}

// A click is a typed line; one whose message has been deleted meanwhile is answered anew.
func TestClick(t *testing.T) {
	b := open(t)
	x := b.send(slacktest.Command{Name: "/timonier", Text: "grappe", User: "U1", Channel: "C1"})
	shown := b.says(x, "node-1").Message
	on := b.button(shown, "min")
	x.End()
	y := b.send(slacktest.Action{User: "U2", Channel: "C1", Message: shown.TS, ActionID: on.ActionID})
	if c := b.next(y); c.Kind != slacktest.Posted || c.Message.TS == shown.TS {
		t.Errorf("answered %+v", c)
	}
	b.slack.DeleteMessage("C1", shown.TS)
	z := b.send(slacktest.Action{User: "U2", Channel: "C1", Message: shown.TS, ActionID: "gone", Value: on.Value, Forged: true})
	if c := b.says(z, ""); c.Kind != slacktest.Posted {
		t.Errorf("answered %+v", c)
	}
}

// What is chosen in a menu is a line once its button is pressed, or, where one is chosen, at once.
func TestMenu(t *testing.T) {
	b := open(t)
	show := func(most int) slacktest.Message {
		m, _ := render(bot.Reply{Menu: &bot.Menu{Label: "Quoi?", Line: "/aide", Max: most, Choices: []bot.MenuChoice{{Value: "kubectl", Label: "les objets"}, {Value: "temps", Label: "le temps"}}}}, french(t))
		var posted struct {
			TS string `json:"ts"`
		}
		if err := b.app.wire.call(b.ctx, "chat.postMessage", outgoing{Channel: "C1", message: m}, &posted); err != nil {
			t.Fatal(err)
		}
		return slacktest.Message{Channel: "C1", TS: posted.TS}
	}
	several := show(0)
	press := func() *slacktest.Exchange {
		return b.send(slacktest.Action{User: "U1", Channel: "C1", Message: several.TS, ActionID: menuSend})
	}
	x := press()
	if c := b.says(x, b.sentence("slack.menu.none", nil)); c.Message.For != "U1" {
		t.Errorf("answered %+v", c)
	}
	b.send(slacktest.Action{User: "U2", Channel: "C1", Message: several.TS, ActionID: menuChoose, Values: []string{"kubectl"}})
	changed := b.send(slacktest.Action{User: "U1", Channel: "C1", Message: several.TS, ActionID: menuChoose, Values: []string{"kubectl", "temps"}})
	again := b.send(slacktest.Action{User: "U1", Channel: "C1", Message: several.TS, ActionID: menuChoose, Values: []string{"temps"}})
	b.says(press(), "temps avance")
	for _, each := range []*slacktest.Exchange{changed, again} {
		for _, c := range each.Changes() {
			if c.Kind == slacktest.Opened || strings.Contains(c.Message.Words(), "/kubectl apply") {
				t.Errorf("a change of the choice was answered: %+v", c)
			}
		}
	}
	one := show(1)
	token, _ := bot.Token("/aide temps")
	b.says(b.send(slacktest.Action{User: "U1", Channel: "C1", Message: one.TS, ActionID: menuChoose, Value: token}), "temps avance")
	b.idle()
}

func TestStaleButton(t *testing.T) {
	b := open(t)
	x := b.send(slacktest.Command{Name: "/timonier", Text: "grappe", User: "U1", Channel: "C1"})
	shown := b.says(x, "node-1").Message
	x.End()
	x = b.send(slacktest.Action{User: "U1", Channel: "C1", Message: shown.TS, ActionID: "old", Value: "0:/remise confirme", Forged: true})
	c := b.says(x, b.sentence("button.stale", nil))
	if c.Message.For != "U1" || c.Via != "response_url" {
		t.Errorf("answered %+v", c)
	}
}

// A command that lacks its text opens a form; what is typed or attached there is applied.
func TestFormAndFile(t *testing.T) {
	b := open(t)
	for name, values := range map[string]map[string]any{
		"text": {formText: manifestOfWeb},
		"file": {formFile: []string{b.slack.AddFile("U1", "web.yaml", "text/yaml", []byte(manifestOfWeb))}},
	} {
		t.Run(name, func(t *testing.T) {
			x := b.send(slacktest.Command{Name: "/kubectl", Text: "apply", User: "U1", Channel: "C1"})
			if c := b.next(x); c.Kind != slacktest.Opened {
				t.Fatalf("not opened: %+v", c)
			}
			seen := len(b.slack.Messages("C1"))
			b.send(slacktest.Submit{User: "U1", Values: values})
			if err := b.slack.Called(b.ctx, "chat.postMessage", seen+1); err != nil {
				t.Fatal(err)
			}
			b.says(x, "configmap/web")
			if open := b.slack.Views("U1"); len(open) > 0 {
				t.Error("the form stays open")
			}
			x.End()
		})
	}
}

func TestFormOfAnotherVersion(t *testing.T) {
	b := open(t)
	x := b.send(slacktest.Command{Name: "/kubectl", Text: "apply", User: "U1", Channel: "C1"})
	if c := b.next(x); c.Kind != slacktest.Opened {
		t.Fatalf("not opened: %+v", c)
	}
	y := b.send(slacktest.Submit{User: "U1", Values: map[string]any{formText: "a: b"}, Metadata: "{\"line\":7}", Forged: true})
	c := b.says(y, b.sentence("button.stale", nil))
	if c.Message.Channel != "D1" {
		t.Errorf("answered %+v", c)
	}
}

// Where the form cannot be opened, the command is answered in words.
func TestFormNotOpened(t *testing.T) {
	b := open(t)
	b.slack.Spoil("views.open", 1, slacktest.Trouble{Error: "expired_trigger_id"})
	x := b.send(slacktest.Command{Name: "/kubectl", Text: "apply", User: "U1", Channel: "C1"})
	if c := b.says(x, ""); c.Kind != slacktest.Posted {
		t.Errorf("answered %+v", c)
	}
}

func TestShortcut(t *testing.T) {
	b := open(t)
	for name, i := range map[string]slacktest.MessageShortcut{
		"code": {Text: "Voici :\n```\n" + escape(manifestOfWeb) + "\n```\nmerci"},
		"file": {Files: []string{b.slack.AddFile("U2", "web.yml", "text/yaml", []byte(manifestOfWeb))}},
		"bare": {Text: escape(manifestOfWeb)},
	} {
		t.Run(name, func(t *testing.T) {
			i.CallbackID, i.User, i.Channel, i.Author = shortcutManifest, "U1", "C1", "U2"
			x := b.send(i)
			b.says(x, "configmap/web")
			x.End()
		})
	}
	x := b.send(slacktest.MessageShortcut{CallbackID: shortcutManifest, User: "U1", Channel: "C1", Text: "bonjour"})
	if c := b.says(x, b.sentence("slack.nomanifest", nil)); c.Message.For != "U1" {
		t.Errorf("answered %+v", c)
	}
}

func TestFileThatIsNoManifest(t *testing.T) {
	b := open(t)
	for name, c := range map[string]struct {
		data []byte
		id   string
	}{
		"large":  {[]byte(strings.Repeat("a", mostFile+1)), "slack.filelarge"},
		"binary": {[]byte("kind\x00"), "slack.filebinary"},
		"latin":  {[]byte("\xe9t\xe9"), "slack.filebinary"},
	} {
		t.Run(name, func(t *testing.T) {
			id := b.slack.AddFile("U1", "web.yaml", "text/yaml", c.data)
			x := b.send(slacktest.MessageShortcut{CallbackID: shortcutManifest, User: "U1", Channel: "C1", Files: []string{id}})
			b.says(x, b.sentence(c.id, map[string]any{"Name": "web.yaml"}))
			x.End()
		})
	}
	b.slack.Spoil("files.info", 1, slacktest.Trouble{Error: "file_not_found"})
	id := b.slack.AddFile("U1", "web.yaml", "text/yaml", []byte("a: b"))
	x := b.send(slacktest.MessageShortcut{CallbackID: shortcutManifest, User: "U1", Channel: "C1", Files: []string{id}})
	b.says(x, b.sentence("slack.fileunread", nil))
}

// The home tab shows how far a person has come; its buttons are answered in private messages.
func TestHomeTab(t *testing.T) {
	b := open(t)
	x := b.send(slacktest.HomeOpened{User: "U1"})
	c := b.next(x)
	if c.Kind != slacktest.Published || len(c.View.Buttons()) == 0 {
		t.Fatalf("published %+v", c)
	}
	x.End()
	help := c.View.Buttons()[len(c.View.Buttons())-1]
	y := b.send(slacktest.Action{User: "U1", ActionID: help.ActionID, BlockID: help.BlockID})
	if c := b.says(y, ""); c.Message.Channel != "D1" {
		t.Errorf("answered %+v", c)
	}
	b.send(slacktest.HomeOpened{User: "U1", Tab: "messages"})
	b.settle()
	if n := len(b.slack.Calls("views.publish")); n != 1 {
		t.Errorf("published %d times", n)
	}
}

func TestPrivateMessage(t *testing.T) {
	b := open(t)
	x := b.send(slacktest.DirectMessage{User: "U1", Text: "/kubectl create namespace web"})
	c := b.says(x, "namespace/web created")
	if c.Message.Channel != "D1" {
		t.Errorf("answered %+v", c)
	}
	x.End()
	id := b.slack.AddFile("U1", "web.yaml", "text/yaml", []byte(manifestOfWeb))
	x = b.send(slacktest.DirectMessage{User: "U1", Files: []string{id}})
	b.says(x, "configmap/web")
	x.End()
	x = b.send(slacktest.DirectMessage{User: "U1", Text: "/remise confirme"}) // one's own cluster
	if c := b.says(x, ""); strings.Contains(c.Message.Words(), "enseignant") {
		t.Errorf("refused: %s", c.Message.Words())
	}
}

// In private messages nobody else reads; in a thread that one has opened others do.
func TestAlone(t *testing.T) {
	b := open(t)
	for name, c := range map[string]struct {
		k             *ask
		direct, alone bool
	}{
		"private message":     {&ask{way: way{User: "U1", Channel: "D1", Own: true}}, true, true},
		"thread in it":        {&ask{way: way{User: "U1", Channel: "D1", Thread: "1.2", Own: true}}, true, true},
		"channel":             {&ask{way: way{User: "U1", Channel: "C1"}}, false, false},
		"thread one opened":   {&ask{way: way{User: "U1", Channel: "C1", Thread: "1.2", Own: true}}, true, false},
		"another's thread":    {&ask{way: way{User: "U1", Channel: "C1", Thread: "1.2"}}, false, false},
		"private group":       {&ask{way: way{User: "U1", Channel: "G1"}}, false, false},
		"home, place unknown": {&ask{way: way{User: "U1", Own: true}}, true, false},
	} {
		if r := c.k.full(b.app); r.Direct != c.direct || r.Alone != c.alone {
			t.Errorf("%s: direct %t, alone %t", name, r.Direct, r.Alone)
		}
	}
}

// A thread is a place of its own, and its answers stay there.
func TestThread(t *testing.T) {
	b := open(t)
	root := b.send(slacktest.Mention{User: "U1", Channel: "C1", Text: "/kubectl create namespace web"})
	said := b.says(root, "namespace/web created").Message
	root.End()
	x := b.send(slacktest.Mention{User: "U1", Channel: "C1", Text: "/kubectl get namespaces", Thread: said.TS})
	c := b.says(x, "default")
	if c.Message.Thread != said.TS {
		t.Errorf("answered outside of the thread: %+v", c.Message)
	}
	x.End()
	x = b.send(slacktest.Mention{User: "U1", Channel: "C1", Text: "/timonier grappe", Thread: said.TS})
	_ = b.says(x, "")
	x.End()
	x = b.send(slacktest.Mention{User: "U1", Channel: "C1", Text: "/grappe", Thread: said.TS})
	shown := b.says(x, "node-1").Message
	x.End()
	x = b.send(slacktest.Action{User: "U1", Channel: "C1", Message: shown.TS, ActionID: b.button(shown, "min").ActionID})
	if c := b.next(x); c.Message.Thread != said.TS {
		t.Errorf("the click was answered outside of the thread: %+v", c.Message)
	}
}

// A mention's text is a line; a block of code after an apply is its manifest.
func TestMention(t *testing.T) {
	b := open(t)
	for _, text := range []string{
		"/kubectl apply ```" + escape(manifestOfWeb) + "```",
		"```" + escape(manifestOfWeb) + "```",
		"/kubectl apply -f -\n```\n" + escape(manifestOfWeb) + "\n```",
	} {
		x := b.send(slacktest.Mention{User: "U1", Channel: "C1", Text: text})
		b.says(x, "configmap/web")
		x.End()
	}
	x := b.send(slacktest.Mention{User: "U1", Channel: "C1"})
	if c := b.says(x, "/kubectl"); c.Message.For != "U1" { // help
		t.Errorf("answered %+v", c)
	}
}

// What does not concern the bot, and what has no sense, is acknowledged and nothing else.
func TestNothingToAnswer(t *testing.T) {
	b := open(t)
	event := func(e map[string]any) slacktest.Raw {
		return slacktest.Raw{Type: "events_api", User: "U1", Channel: "C1", Payload: map[string]any{
			"type": "event_callback", "team_id": "T0TEST", "event_id": "Ev1", "event": e}}
	}
	for name, i := range map[string]slacktest.Raw{
		"bot's":          event(map[string]any{"type": "message", "channel_type": "im", "channel": "D1", "user": "U9", "bot_id": "B1", "text": "/aide", "ts": "1.1"}),
		"its own":        event(map[string]any{"type": "message", "channel_type": "im", "channel": "D1", "user": "U0BOT", "text": "/aide", "ts": "1.2"}),
		"edited":         event(map[string]any{"type": "message", "subtype": "message_changed", "channel_type": "im", "channel": "D1", "user": "U1", "text": "/aide", "ts": "1.3"}),
		"in a channel":   event(map[string]any{"type": "message", "channel_type": "channel", "channel": "C1", "user": "U1", "text": "/aide", "ts": "1.4"}),
		"reaction":       event(map[string]any{"type": "reaction_added", "user": "U1"}),
		"unknown":        event(map[string]any{"type": "never_heard_of", "user": "U1"}),
		"wrong type":     {Type: "interactive", User: "U1", Payload: map[string]any{"type": "block_actions", "user": 7, "actions": "no"}},
		"no actions":     {Type: "interactive", User: "U1", Payload: map[string]any{"type": "block_actions", "user": map[string]any{"id": "U1"}}},
		"no command":     {Type: "slash_commands", User: "U1", Payload: map[string]any{"user_id": "U1"}},
		"unknown action": {Type: "interactive", User: "U1", Payload: map[string]any{"type": "view_closed", "user": map[string]any{"id": "U1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			x := b.send(i)
			b.settle()
			if c := x.Changes(); len(c) > 0 {
				t.Errorf("answered %+v", c)
			}
		})
	}
}
