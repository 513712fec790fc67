package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/slack/slacktest"
)

func nodes(channel string) slacktest.Command {
	return slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: channel}
}

// Slack's rate is obeyed, and what may pass is tried again.
func TestTroubles(t *testing.T) {
	for name, trouble := range map[string]slacktest.Trouble{
		"rate":   {RetryAfter: 7 * time.Second},
		"broken": {Status: 503},
		"cut":    {Cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			b.slack.Spoil("chat.postMessage", 2, trouble)
			b.says(b.send(nodes("C1")), "node-1")
			b.idle()
			waits := b.clock.waits()
			if trouble.RetryAfter > 0 && !slices.ContainsFunc(waits, func(d time.Duration) bool { return d >= 7*time.Second && d < 8*time.Second }) {
				t.Errorf("waited %v", waits)
			}
			if n := len(b.slack.Calls("chat.postMessage")); n != 3 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// A final answer that Slack cannot take for long is tried for long, and then given up: the request
// is not resumed.
func TestGivenUp(t *testing.T) {
	b := open(t)
	b.slack.Spoil("", 1<<30, slacktest.Trouble{Status: 500})
	b.send(nodes("C1"))
	if err := b.slack.Called(b.ctx, "chat.postMessage", 1); err != nil {
		t.Fatal(err)
	}
	b.idle()
	b.slack.Spoil("", 0, slacktest.Trouble{})
	if !strings.Contains(b.log.String(), "answer not delivered") {
		t.Errorf("not said:\n%s", b.log)
	}
	cfg := b.app.cfg
	b.end()
	b.start(cfg)
	b.idle()
	if m := b.slack.Messages(""); len(m) > 0 {
		t.Errorf("answered after all: %+v", m)
	}
}

// Where the bot is not in the channel it answers by the response URL, and where that is
// over, in private messages.
func TestNotInChannel(t *testing.T) {
	b := open(t)
	c := b.says(b.send(nodes("C3")), "node-1")
	if c.Via != "response_url" || c.Message.Channel != "C3" || c.Message.For != "" {
		t.Errorf("answered %+v", c)
	}
	b.idle()
	release := b.slack.Hold("chat.postMessage")
	x := b.send(nodes("C3"))
	if err := b.slack.Called(b.ctx, "chat.postMessage", 2); err != nil {
		t.Fatal(err)
	}
	b.slack.Advance(31 * time.Minute)
	release()
	b.idle()
	in := b.slack.Messages("D1")
	if len(in) != 1 || !strings.Contains(in[0].Words(), "node-1") {
		t.Errorf("private messages: %+v; %+v", in, x.Changes())
	}
}

// A private answer whose response URL has expired or is used up is whispered.
func TestResponseURLOver(t *testing.T) {
	t.Run("expired", func(t *testing.T) {
		b := open(t)
		k := &ask{way: way{User: "U1", Channel: "C1", Response: b.slack.URL() + "../respond/none", At: monday.Add(-time.Hour)}}
		b.app.answer(b.ctx, k, "failure.busy", nil)
		if m := b.slack.Messages("C1"); len(m) != 1 || m[0].For != "U1" {
			t.Errorf("said %+v", m)
		}
	})
	t.Run("expired behind our back", func(t *testing.T) {
		b := open(t)
		release := b.slack.Hold("response_url")
		x := b.send(slacktest.Command{Name: "/timonier", User: "U1", Channel: "C1"})
		if err := b.slack.Called(b.ctx, "response_url", 1); err != nil {
			t.Fatal(err)
		}
		b.slack.Advance(31 * time.Minute)
		release()
		if c := b.says(x, "/kubectl"); c.Via != "chat.postEphemeral" || c.Message.For != "U1" {
			t.Errorf("answered %+v", c)
		}
	})
	t.Run("not in the channel", func(t *testing.T) {
		b := open(t)
		k := &ask{way: way{User: "U1", Channel: "C3"}}
		b.app.answer(b.ctx, k, "failure.busy", nil)
		if m := b.slack.Messages("D1"); len(m) != 1 {
			t.Errorf("said %+v", m)
		}
	})
}

// Five uses are all that a response URL has, and the last are kept for the final answer.
func TestUsesOfResponseURL(t *testing.T) {
	b := open(t)
	c := b.says(b.send(slacktest.Command{Name: "/timonier", Text: "langue", User: "U1", Channel: "C1"}), "français")
	x := b.send(slacktest.Action{User: "U1", Channel: "C1", Message: c.Message.TS, ActionID: b.button(c.Message, "Français").ActionID})
	b.says(x, "C'est noté")
	k := &ask{way: way{User: "U1", Channel: "C1", Response: x.ResponseURL, At: b.slack.Now(), Source: c.Message.TS, Hidden: true, Click: true},
		manner: bot.Manner{Replace: true, Private: true}}
	p := b.app.parcelOf(k)
	used := len(b.slack.Calls("response_url"))
	for n := range 8 {
		if err := p.send(b.ctx, text(fmt.Sprintf("un %d", n), false)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.send(b.ctx, text("fin", true)); err != nil {
		t.Fatal(err)
	}
	if n := len(b.slack.Calls("response_url")) - used; n != 4 {
		t.Errorf("used %d times", n)
	}
	if m := b.slack.Messages("C1")[0]; m.Words() != "fin" {
		t.Errorf("says %q", m.Words())
	}
}

func text(s string, final bool) bot.Reply {
	return bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: s}}, Final: final}
}

// Whoever would see nothing for long is told that work goes on, and the answer takes that word's
// place where it can.
func TestWorkGoesOn(t *testing.T) {
	b := open(t)
	b.clock.mu.Lock()
	b.clock.slow = true
	b.clock.mu.Unlock()
	release := b.slack.Hold("users.info") // before anything is read
	x := b.send(nodes("C1"))
	c := b.next(x)
	if got := c.Message.Words(); got != b.sentence("slack.working", nil) {
		t.Errorf("said %q", got)
	}
	release()
	d := b.says(x, "node-1")
	if d.Kind != slacktest.Updated || d.Message.TS != c.Message.TS {
		t.Errorf("answered %+v", d)
	}
}

// A placeholder that somebody has deleted is no reason not to answer.
func TestDeletedMeanwhile(t *testing.T) {
	b := open(t)
	b.clock.mu.Lock()
	b.clock.slow = true
	b.clock.mu.Unlock()
	release := b.slack.Hold("users.info")
	x := b.send(nodes("C1"))
	c := b.next(x)
	b.slack.DeleteMessage("C1", c.Message.TS)
	release()
	if d := b.says(x, "node-1"); d.Kind != slacktest.Posted {
		t.Errorf("answered %+v", d)
	}
}

// Too many at once are told so, and no one else is held up.
func TestTooMany(t *testing.T) {
	b := open(t, func(c *Config, _ *slacktest.Config) { c.Most = 1 })
	release := b.slack.Hold("chat.postMessage")
	x := b.send(nodes("C1"))
	if err := b.slack.Called(b.ctx, "chat.postMessage", 1); err != nil {
		t.Fatal(err)
	}
	y := b.send(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U1", Channel: "C2"})
	if c := b.says(y, b.sentence("failure.busy", nil)); c.Message.For != "U1" {
		t.Errorf("answered %+v", c)
	}
	release()
	b.says(x, "node-1")
}

// A panic while an answer is made is told with a reference.
func TestPanic(t *testing.T) {
	b := open(t)
	k := &ask{request: bot.Request{ID: "x", Who: bot.Person{ID: "U1"}}, way: way{User: "U1", Channel: "C1"}}
	func() {
		defer b.app.recovered(k)
		panic("oops")
	}()
	b.idle()
	ref := reference("x", b.slack.Now())
	if m := b.slack.Messages("C1"); len(m) != 1 || m[0].For != "U1" || !strings.Contains(m[0].Words(), ref) {
		t.Errorf("said %+v", m)
	}
	if !strings.Contains(b.log.String(), ref) {
		t.Error("not logged")
	}
}

// Work that a process could not finish is answered by the next one.
func TestInterrupted(t *testing.T) {
	b := open(t)
	cfg := b.app.cfg
	for _, method := range []string{"chat.postMessage", "response_url"} {
		b.slack.Spoil(method, 1<<30, slacktest.Trouble{Status: 503})
	}
	x := b.send(slacktest.Command{Name: "/kubectl", Text: "create namespace web", User: "U1", Channel: "C1"})
	if err := b.slack.Called(b.ctx, "chat.postMessage", 1); err != nil {
		t.Fatal(err)
	}
	b.end() // cuts the answer short
	if len(x.Changes()) > 0 {
		t.Fatalf("answered: %+v", x.Changes())
	}
	for _, method := range []string{"chat.postMessage", "response_url"} {
		b.slack.Spoil(method, 0, slacktest.Trouble{})
	}
	b.start(cfg)
	b.says(x, "namespace/web created")
	b.idle()
	if n := len(b.slack.Messages("C1")); n != 1 {
		t.Errorf("%d answers", n)
	}
	// Slack, which has not heard of the new process, delivers the old envelope once more.
	if err := b.slack.Redeliver(b.ctx, x, ""); err != nil {
		t.Fatal(err)
	}
	b.says(b.send(nodes("C1")), "node-1")
	b.end() // what is left is written by then
	b.start(cfg)
	b.idle()
	if n := len(b.slack.Messages("C1")); n != 2 {
		t.Errorf("%d answers", n)
	}
}

// Pictures are shown once Slack has processed them, and given as files where it never does.
func TestPictures(t *testing.T) {
	picture := bot.Picture{Name: "grappe.png", PNG: pixel, Alt: "la grappe", Text: "[grappe]"}
	reply := bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: "Voici."}, picture}, Final: true}
	for name, c := range map[string]struct {
		asks   int
		shared bool
	}{"at once": {0, false}, "later": {3, false}, "never": {-1, true}} {
		for _, private := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s private %t", name, private), func(t *testing.T) {
				b := open(t, func(_ *Config, s *slacktest.Config) { s.Asks = c.asks })
				r := reply
				r.Private = private
				k := &ask{way: way{User: "U1", Channel: "C1"}, manner: bot.Manner{Private: private}}
				if err := b.app.parcelOf(k).send(b.ctx, r); err != nil {
					t.Fatal(err)
				}
				m := b.slack.Messages("C1")
				if len(m) == 0 || strings.Contains(string(m[0].Blocks), "slack_file") == c.shared {
					t.Errorf("shown %+v", m)
				}
				where := "C1"
				if private {
					where = "D1"
				}
				files := 0
				for _, m := range b.slack.Messages(where) {
					files += len(m.Files)
				}
				if files != map[bool]int{true: 1}[c.shared] {
					t.Errorf("%d files", files)
				}
			})
		}
	}
}

// A file goes where its answer went: to all, or to one.
func TestFiles(t *testing.T) {
	b := open(t)
	for channel, private := range map[string]bool{"C1": false, "D1": true, "C2": true} {
		r := text("tout est dans le fichier", true)
		r.Private, r.Files = private, []bot.File{{Name: "pods.txt", Type: "text/plain", Data: []byte("web")}, {Name: "vide.txt"}}
		k := &ask{way: way{User: "U1", Channel: channel, Own: channel == "D1"}, manner: bot.Manner{Private: private}}
		before := len(b.slack.Messages("D1"))
		if err := b.app.parcelOf(k).send(b.ctx, r); err != nil {
			t.Fatal(err)
		}
		where := b.slack.Messages(channel)
		if channel == "C2" {
			where = b.slack.Messages("D1")[before:]
		}
		if n := len(where); n == 0 || len(where[n-1].Files) != 1 || string(where[n-1].Files[0].Data) != "web" {
			t.Errorf("%s: %+v", channel, where)
		}
	}
}

// pixel is a PNG.
var pixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa7\x9a\xa0\xa0\x00\x00\x00\x00IEND\xaeB`\x82")

// What is kept to find the way back survives being written down.
func TestWay(t *testing.T) {
	w := way{User: "U1", Channel: "C1", Thread: "1.2", Own: true, Response: "https://hooks.slack.com/x", At: monday, Source: "3.4", Hidden: true, Click: true,
		Where: "D1", Shown: "5.6"}
	data, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	var back way
	if err := json.Unmarshal(data, &back); err != nil || back != w {
		t.Errorf("%+v, %v", back, err)
	}
}

// A channel takes a few messages at once, then one a second.
func TestPace(t *testing.T) {
	b := open(t)
	before := len(b.clock.waits())
	for range burst + 3 {
		if err := b.app.pace(context.Background(), "C1"); err != nil {
			t.Fatal(err)
		}
	}
	waits := b.clock.waits()[before:]
	if want := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}; !slices.Equal(waits, want) {
		t.Errorf("waited %v, want %v", waits, want)
	}
}

// What goes on is told in one message, changed until all is done.
func TestProgress(t *testing.T) {
	b := open(t)
	x := b.send(slacktest.Command{Name: "/kubectl", Text: "create deployment web --image=nginx --replicas=2", User: "U1", Channel: "C1"})
	first := b.says(x, "deployment.apps/web created")
	b.slack.Advance(20 * time.Second)
	later := b.next(x)
	if later.Kind != slacktest.Updated || later.Message.TS != first.Message.TS {
		t.Errorf("went on with %+v", later)
	}
	b.idle()
	if m := b.slack.Messages("C1"); len(m) != 1 || m[0].Words() == first.Message.Words() {
		t.Errorf("ended with %+v", m)
	}
}

// In private messages answers stay, also those that are for one person elsewhere.
func TestPrivateAnswerInPrivateMessages(t *testing.T) {
	b := open(t)
	c := b.says(b.send(slacktest.DirectMessage{User: "U1", Text: "/aide"}), "/kubectl")
	if c.Message.For != "" || c.Via != "chat.postMessage" {
		t.Errorf("answered %+v", c)
	}
}

// A file that Slack does not take is not lost without a word.
func TestFileNotShared(t *testing.T) {
	b := open(t)
	b.slack.Spoil("files.getUploadURLExternal", 10, slacktest.Trouble{Error: "missing_scope"})
	r := text("tout est dans le fichier", true)
	r.Files = []bot.File{{Name: "pods.txt", Type: "text/plain", Data: []byte("web")}}
	if err := b.app.parcelOf(&ask{way: way{User: "U1", Channel: "C1"}}).send(b.ctx, r); err != nil {
		t.Fatal(err)
	}
	m := b.slack.Messages("C1")
	if len(m) != 2 || m[1].For != "U1" || m[1].Words() != b.sentence("slack.filelost", nil) {
		t.Errorf("said %+v", m)
	}
}

// A message that Slack finds fault with is sent as plain text.
func TestRefusedMessage(t *testing.T) {
	b := open(t)
	b.slack.Spoil("chat.postMessage", 1, slacktest.Trouble{Error: "msg_blocks_too_long"})
	c := b.says(b.send(nodes("C1")), "node-1")
	if c.Via != "chat.postMessage" || len(c.Message.Blocks) > 0 {
		t.Errorf("answered %+v", c)
	}
}

// With a file in private messages comes whether it is the answer, or what the message had no room for.
func TestFileInPrivateMessages(t *testing.T) {
	for name, want := range map[string]string{"kubeconfig.yaml": "Voici votre fichier", "reponse.md": "Voici ce qui ne tenait pas"} {
		b := open(t)
		p := b.app.parcelOf(&ask{request: bot.Request{Locale: "fr"}, way: way{User: "U1", Channel: "C1"}})
		r := bot.Reply{Private: true, Files: []bot.File{{Name: "kubeconfig.yaml", Data: []byte("kind: Config")}}}
		if err := p.share(b.ctx, []upload{{Name: name, Data: []byte("text")}}, r); err != nil {
			t.Fatal(err)
		}
		if m := b.slack.Messages("D1"); len(m) != 2 || !strings.Contains(m[0].Words(), want) || len(m[1].Files) != 1 {
			t.Errorf("%s: %+v", name, m)
		}
	}
}
