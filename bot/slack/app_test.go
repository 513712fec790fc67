package slack

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"timonier/bot"
	"timonier/bot/slack/slacktest"
	"timonier/bot/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock gives timers that tests decide upon: those of the patience end when they are told to,
// all others after a hundredth of their time. Its now follows the stand-in's.
type clock struct {
	mu     sync.Mutex
	waited []time.Duration // other than patience and those that guard a wait
	slow   bool            // patience is over at once
}

func (c *clock) after(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	over := make(chan time.Time, 1)
	switch {
	case d == patience: // the stand-in's clock stands still
		if c.slow {
			over <- time.Time{}
		}
		return over
	case d == mostHeldUp:
		return over
	}
	c.waited = append(c.waited, d)
	return time.After(d / 100)
}

func (c *clock) waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.waited...)
}

// bench is an app that runs on a stand-in for Slack and a tutor with a store of its own.
type bench struct {
	t       *testing.T
	ctx     context.Context
	slack   *slacktest.Server
	tutor   *bot.Tutor
	app     *App
	clock   *clock
	log     *locked
	url     string    // of the handler
	end     func()    // of Run
	release func()    // of what it runs on
	file    string    // of the store
	rates   bot.Rates // of the tutor; none: unlimited, as a test has few people, in a hurry
}

// locked is a log that can be read while it is written.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// setting changes what a bench is made of.
type setting func(*Config, *slacktest.Config)

func overHTTP(c *Config, _ *slacktest.Config) { c.AppToken = "" }

// The moment at which the stand-in's clock stands.
var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func open(t *testing.T, settings ...setting) *bench {
	t.Helper()
	b := &bench{t: t, clock: &clock{}, log: &locked{}, file: filepath.Join(t.TempDir(), "timonier.db")}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	b.ctx = ctx
	stand := slacktest.Config{Now: func() time.Time { return monday }}
	cfg := Config{AppToken: "xapp-1-A0TEST-0-slacktest", SigningSecret: "8f742231b10e8888abcd99yyyzzz85a5", BotToken: "xoxb-0-0-slacktest"}
	for _, set := range settings {
		set(&cfg, &stand)
	}
	var err error
	if b.slack, err = slacktest.Start(stand); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, f := range b.slack.Faults() {
			t.Error("fault:", f)
		}
		for _, p := range b.slack.Pings() {
			t.Errorf("it pings: %q", p)
		}
		if err := b.slack.Close(); err != nil {
			t.Error(err)
		}
		for _, secret := range []string{cfg.BotToken, cfg.AppToken, "/respond/", "ticket="} {
			if secret != "" && strings.Contains(b.log.String(), secret) {
				t.Errorf("the log holds %q:\n%s", secret, b.log)
			}
		}
	})
	b.start(cfg)
	return b
}

// build makes an app on the store.
func (b *bench) build(cfg Config) *App {
	b.t.Helper()
	data, err := store.Open(b.ctx, b.file, store.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(b.log, nil))
	b.tutor = bot.New(bot.Config{Store: data, Now: b.slack.Now, Logger: log, Limits: bot.Limits{Rates: cmp.Or(b.rates, bot.Unlimited())}})
	cfg.Tutor, cfg.API, cfg.Now, cfg.After, cfg.Logger = b.tutor, b.slack.URL(), b.slack.Now, b.clock.after, log
	app, err := New(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.app = app
	b.release = sync.OnceFunc(func() {
		app.wire.close()
		if err := b.tutor.Close(); err != nil {
			b.t.Error(err)
		}
		if err := data.Close(); err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(b.release)
	return b.app
}

// start runs an app on the store, until b.end or the end of the test.
func (b *bench) start(cfg Config) {
	b.t.Helper()
	b.build(cfg)
	app, release := b.app, b.release
	ctx, stop := context.WithCancel(b.ctx)
	ran := make(chan error, 1)
	go func() { ran <- app.Run(ctx) }()
	server := httptest.NewServer(app.Handler())
	b.url = server.URL
	b.end = sync.OnceFunc(func() {
		stop()
		if err := <-ran; err != nil {
			b.t.Error("run:", err)
		}
		server.Close()
		release()
	})
	b.t.Cleanup(b.end)
	if cfg.AppToken != "" {
		if err := b.slack.Connected(b.ctx, 1); err != nil {
			b.t.Fatal(err)
		}
		return
	}
	if err := b.slack.Called(b.ctx, "auth.test", 1); err != nil {
		b.t.Fatal(err)
	}
	for !b.app.Ready() { // the answer to auth.test is on its way
		runtime.Gosched()
	}
}

// send delivers over Socket Mode and wants an acknowledgement at once.
func (b *bench) send(i slacktest.Interaction) *slacktest.Exchange {
	b.t.Helper()
	x, err := b.slack.Send(b.ctx, i)
	if err != nil {
		b.t.Fatal(err)
	}
	b.acked(x)
	return x
}

// post delivers over HTTP.
func (b *bench) post(i slacktest.Interaction) *slacktest.Exchange {
	b.t.Helper()
	x, err := b.slack.Post(b.ctx, b.url+"/slack/anything", i)
	if err != nil {
		b.t.Fatal(err)
	}
	if a := b.acked(x); a.Status != http.StatusOK || len(a.Payload) > 0 {
		b.t.Errorf("answered %d %s", a.Status, a.Payload)
	}
	return x
}

func (b *bench) acked(x *slacktest.Exchange) slacktest.Ack {
	b.t.Helper()
	a, err := x.Acked(b.ctx)
	if err != nil {
		b.t.Fatal("no acknowledgement:", err)
	}
	if a.Late {
		b.t.Error("acknowledged late")
	}
	return a
}

// next is the next change.
func (b *bench) next(x *slacktest.Exchange) slacktest.Change {
	b.t.Helper()
	c, err := x.Next(b.ctx)
	if err != nil {
		b.t.Fatalf("no change: %v\n%s", err, b.log)
	}
	return c
}

// says waits for a change whose message holds the words.
func (b *bench) says(x *slacktest.Exchange, words string) slacktest.Change {
	b.t.Helper()
	c, err := x.Until(b.ctx, func(c slacktest.Change) bool { return strings.Contains(c.Message.Words(), words) })
	if err != nil {
		var all []string
		for _, c := range x.Changes() {
			all = append(all, string(c.Kind)+": "+c.Message.Words())
		}
		b.t.Fatalf("nothing says %q: %v\n%s\n%s", words, err, strings.Join(all, "\n"), b.log)
	}
	return c
}

// button is that with a label in a message.
func (b *bench) button(m slacktest.Message, label string) slacktest.Button {
	b.t.Helper()
	for _, each := range m.Buttons() {
		if strings.Contains(each.Label, label) {
			return each
		}
	}
	b.t.Fatalf("no button %q in %s", label, m.Blocks)
	return slacktest.Button{}
}

// idle waits until nothing is under way.
func (b *bench) idle() {
	b.t.Helper()
	b.app.jobs.Wait()
}

// settle waits until what was sent over the socket has been dealt with: events are taken one by one.
func (b *bench) settle() {
	b.t.Helper()
	x := b.send(slacktest.Command{Name: "/kubectl", Text: "get nodes", User: "U2", Channel: "C2"})
	b.says(x, "node-1")
	x.End()
	b.idle()
}

// sentence is one of the tutor's, as it reads.
func (b *bench) sentence(id string, data map[string]any) string {
	return strings.ReplaceAll(b.tutor.Say("fr", id, data), "`", "")
}
