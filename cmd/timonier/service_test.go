package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"timonier/bot"
)

// fakeFront is a front end whose connection is played by the test.
type fakeFront struct {
	run   func(context.Context) error // nil: until the context ends
	serve http.HandlerFunc
	up    atomic.Bool
}

func (f *fakeFront) Run(ctx context.Context) error {
	if f.run != nil {
		return f.run(ctx)
	}
	<-ctx.Done()
	return nil
}

func (f *fakeFront) Ready() bool { return f.up.Load() }

func (f *fakeFront) Handler() http.Handler {
	if f.serve != nil {
		return f.serve
	}
	return http.NotFoundHandler()
}

// closer tells when it is closed.
type closer func() error

func (c closer) Close() error { return c() }

// diary keeps what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

func newService(t *testing.T, fronts ...*front) *service {
	t.Helper()
	t.Cleanup(func() { http.DefaultClient.CloseIdleConnections() })
	return &service{
		logger: slog.New(slog.DiscardHandler), metrics: bot.NewMetrics(), grace: time.Minute,
		check: func(context.Context) error { return nil }, fronts: fronts,
	}
}

func open(t *testing.T, s *service, admin string) {
	t.Helper()
	if err := s.listen("127.0.0.1:0", admin); err != nil {
		t.Fatal(err)
	}
}

// started runs a service; stop tells it to end and returns what it ended with.
func started(t *testing.T, s *service) (stop func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

func fetch(t *testing.T, address, path string) (status int, body string) {
	t.Helper()
	response, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func TestHealth(t *testing.T) {
	discord, slack := &fakeFront{}, &fakeFront{}
	broken := errors.New("the page of the secret xoxb-made-up")
	store := atomic.Pointer[error]{}
	s := newService(t, &front{frontEnd: discord, name: "discord"}, &front{frontEnd: slack, name: "slack"})
	s.check = func(context.Context) error {
		if err := store.Load(); err != nil {
			return *err
		}
		return nil
	}
	open(t, s, "")
	stop := started(t, s)
	if status, body := fetch(t, s.public.address(), "/healthz"); status != 200 || strings.TrimSpace(body) != "ok" {
		t.Errorf("/healthz: %d %s", status, body)
	}
	s.metrics.Connection("discord", "gateway-0", true)
	if status, body := fetch(t, s.public.address(), "/metrics"); status != 200 || !strings.Contains(body, `timonier_connection_up{connection="gateway-0",platform="discord"} 1`) {
		t.Errorf("/metrics: %d %s", status, body)
	}
	for _, test := range []struct {
		discord, slack bool
		store          *error
		down           []string
	}{
		{false, false, nil, []string{"discord", "slack"}},
		{true, false, nil, []string{"slack"}},
		{true, true, &broken, []string{"store"}},
		{true, true, nil, nil},
	} {
		discord.up.Store(test.discord)
		slack.up.Store(test.slack)
		store.Store(test.store)
		status, body := fetch(t, s.public.address(), "/readyz")
		var got readiness
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if want := test.down == nil; got.Ready != want || (status == 200) != want || !want && status != 503 || !slices.Equal(got.Down, test.down) {
			t.Errorf("%+v: %d %s", test, status, body)
		}
		hush(t, body)
	}
	s.stopping.Store(true)
	if got := s.readiness(t.Context()); got.Ready || !slices.Equal(got.Down, []string{"stopping"}) {
		t.Errorf("while stopping: %+v", got)
	}
	if status, _ := fetch(t, s.public.address(), "/nothing"); status != 404 {
		t.Errorf("an unknown path: %d", status)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestAdmin: health is at its own address and only there, and nothing else is; an address that
// nobody needs is not opened.
func TestAdmin(t *testing.T) {
	here := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "at "+r.URL.Path) }
	s := newService(t, &front{frontEnd: &fakeFront{serve: here}, name: "slack", paths: []string{"/slack", "/slack/events"}})
	open(t, s, "127.0.0.1:0")
	stop := started(t, s)
	for path, where := range map[string]string{"/healthz": "admin", "/readyz": "admin", "/metrics": "admin", "/slack": "public", "/slack/events": "public", "/slack/other": ""} {
		for name, one := range map[string]*site{"public": s.public, "admin": s.admin} {
			status, body := fetch(t, one.address(), path)
			if (status != 404) != (name == where) {
				t.Errorf("%s at %s: %d %s", path, name, status, body)
			}
		}
	}
	if _, body := fetch(t, s.public.address(), "/slack/events"); body != "at /slack/events" {
		t.Errorf("got %q", body)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	s = newService(t, &front{frontEnd: &fakeFront{}, name: "discord"})
	open(t, s, "127.0.0.1:0")
	stop = started(t, s)
	if s.public != nil {
		t.Error("an address that nobody needs is open")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := newService(t)
	err = s.listen(taken.Addr().String(), "127.0.0.1:0")
	if err != nil {
		t.Fatalf("nothing to serve there: %v", err)
	}
	_ = s.admin.close(t.Context())
	err = newService(t).listen(taken.Addr().String(), "")
	if text := tell(newVoice("en"), err); !strings.Contains(text, taken.Addr().String()) || !strings.Contains(text, "in use") || !strings.Contains(text, "--listen") {
		t.Errorf("got %q", text)
	}
}

// TestOrderOfTheEnd: requests first, then front ends with what they have begun, the tutor, the store; and
// health answers until then.
func TestOrderOfTheEnd(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var d diary
	arrived, release := make(chan struct{}), make(chan struct{})
	slow := &fakeFront{serve: func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		d.add("request answered")
	}}
	slow.run = func(ctx context.Context) error {
		<-ctx.Done()
		d.add("front end told to stop")
		d.add("front end ended")
		return ctx.Err()
	}
	s := newService(t, &front{frontEnd: slow, name: "slack", paths: []string{"/slack"}})
	open(t, s, "127.0.0.1:0")
	s.last = []io.Closer{
		closer(func() error { d.add("tutor closed"); return nil }),
		closer(func() error {
			status, body := fetch(t, s.admin.address(), "/readyz")
			if status != 503 || !strings.Contains(body, "stopping") {
				t.Errorf("%d %s", status, body)
			}
			d.add("store closed")
			return nil
		}),
	}
	stop := started(t, s)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		fetch(t, s.public.address(), "/slack")
	}()
	<-arrived
	go close(release)
	if err := stop(); err != nil {
		t.Error(err)
	}
	<-answered
	want := []string{"request answered", "front end told to stop", "front end ended", "tutor closed", "store closed"}
	if got := d.all(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestHealthWhileStopping: where health is at the platforms' own address, it says to the end that the
// program is stopping, and platforms are told to come again.
func TestHealthWhileStopping(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	told, release := make(chan struct{}), make(chan struct{})
	front1 := &fakeFront{serve: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "taken") }}
	front1.run = func(ctx context.Context) error {
		<-ctx.Done()
		close(told)
		<-release
		return nil
	}
	front1.up.Store(true)
	s := newService(t, &front{frontEnd: front1, name: "slack", paths: []string{"/slack"}})
	open(t, s, "")
	stop := started(t, s)
	if status, body := fetch(t, s.public.address(), "/slack"); status != 200 || body != "taken" {
		t.Errorf("before: %d %s", status, body)
	}
	done := make(chan error, 1)
	go func() { done <- stop() }()
	<-told
	if status, body := fetch(t, s.public.address(), "/readyz"); status != 503 || !strings.Contains(body, "stopping") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if status, body := fetch(t, s.public.address(), "/slack"); status != 503 || body == "taken" {
		t.Errorf("a request that comes late: %d %s", status, body)
	}
	http.DefaultClient.CloseIdleConnections()
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestWorkThatDoesNotEnd: the program ends without it, and says so; the store is left alone.
func TestWorkThatDoesNotEnd(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var d diary
	s := newService(t, &front{frontEnd: &fakeFront{run: func(context.Context) error { <-release; return nil }}, name: "slack"})
	s.grace = time.Millisecond
	s.last = []io.Closer{closer(func() error { d.add("closed"); return nil })}
	open(t, s, "")
	err := started(t, s)()
	if !errors.Is(err, errLate) || len(d.all()) > 0 {
		t.Errorf("%v, %q", err, d.all())
	}
	if text := tell(newVoice("en"), err); !strings.Contains(text, "10 s were not enough") {
		t.Errorf("got %q", text)
	}
}

// TestFrontEndsThatFail: while another works, the program goes on and says which is down; with the
// last one it ends.
func TestFrontEndsThatFail(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var log syncBuffer
	end, failed := make(chan error), make(chan struct{})
	discord := &fakeFront{run: func(context.Context) error { return <-end }}
	slack := &fakeFront{run: func(context.Context) error { <-failed; return errors.New("bad\ntoken") }}
	discord.up.Store(true)
	slack.up.Store(true)
	s := newService(t, &front{frontEnd: discord, name: "discord"}, &front{frontEnd: slack, name: "slack"})
	said := make(chan struct{}, 9)
	s.logger = slog.New(newRedactor(nil).handler(slog.NewTextHandler(io.MultiWriter(&log, signalWriter(said)), nil)))
	open(t, s, "")
	done := make(chan error, 1)
	go func() { done <- s.run(t.Context()) }()
	close(failed)
	<-said
	if got := log.String(); !strings.Contains(got, "frontend=slack") || !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "others go on") {
		t.Errorf("log: %s", got)
	}
	if status, body := fetch(t, s.public.address(), "/readyz"); status != 503 || !strings.Contains(body, `["slack"]`) {
		t.Errorf("%d %s", status, body)
	}
	http.DefaultClient.CloseIdleConnections()
	end <- nil
	err := <-done
	var last *frontError
	if !errors.As(err, &last) || last.name != "discord" || !errors.Is(err, errEnded) {
		t.Errorf("ended with %v", err)
	}
	text := tell(newVoice("fr"), &frontError{"slack", errors.New("bad\ntoken")})
	if !strings.HasSuffix(text, "slack\u00a0: bad token") {
		t.Errorf("got %q", text)
	}
}

// syncBuffer is a buffer that several write to.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// signalWriter tells of each write.
type signalWriter chan struct{}

func (w signalWriter) Write(p []byte) (int, error) {
	w <- struct{}{}
	return len(p), nil
}

// TestServe: the subcommand from its settings to its end, with front ends of the test's own.
func TestServe(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	tests := []struct {
		name  string
		run   func(ctx context.Context, with shared) error
		args  []string
		code  int
		lines []string // in what is written
	}{
		{"told to stop", func(ctx context.Context, with shared) error {
			with.logger.Info("hello", "token", someBot, "error", errors.New("with "+someApp))
			<-ctx.Done()
			return nil
		}, nil, exitOK, []string{"msg=serving", `frontends="slack (socket, http)"`, "version=", "address=127.0.0.1:", "data=", "msg=stopped", "everyone on this machine can read", "token=[redacted]", `error="with [redacted]"`}},
		{"JSON", func(ctx context.Context, _ shared) error { <-ctx.Done(); return nil }, []string{"--log", "json", "--log-level", "WARN"}, exitOK, []string{`"level":"WARN"`}},
		{"a bad token", func(context.Context, shared) error { return errors.New("Slack refuses " + someBot) }, []string{"--lang", "en"}, exitFailed, []string{"No platform works any more. The last one, slack: Slack refuses [redacted]"}},
		{"most", func(ctx context.Context, with shared) error {
			if with.most != 7 {
				t.Errorf("most: %d", with.most)
			}
			<-ctx.Done()
			return nil
		}, []string{"--most", "7"}, exitOK, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			table := []platform{{name: "slack", paths: []string{"/slack"},
				ways: func(got values) []string { return waysOf(got, slackApp, waySocket, slackSigning) },
				make: func(got values, with shared) (frontEnd, error) {
					if with.tutor == nil || with.metrics == nil || got[slackTeachers] != "U1" {
						t.Errorf("got %v", got)
					}
					return &fakeFront{run: func(ctx context.Context) error { cancel(); return test.run(ctx, with) }}, nil
				}}}
			config := filepath.Join(t.TempDir(), "timonier.env")
			write(t, config, slackBot+"="+someBot+"\n"+slackApp+"="+someApp+"\n"+slackSigning+"="+someSigning+"\n")
			if err := os.Chmod(config, 0o644); err != nil {
				t.Fatal(err)
			}
			var out, log syncBuffer
			if test.code == exitFailed {
				ctx = t.Context() // it ends by itself
			}
			code := serveOn(ctx, invocation{
				append([]string{"--listen", "127.0.0.1:0", "--config", config, "--data", filepath.Join(t.TempDir(), "t.db")}, test.args...),
				[]string{slackTeachers + "=U1"}, nil, &out, &log}, table)
			if code != test.code || out.String() != "" {
				t.Errorf("code %d, %q\n%s", code, out.String(), log.String())
			}
			for _, line := range test.lines {
				if !strings.Contains(log.String(), line) {
					t.Errorf("no %q in\n%s", line, log.String())
				}
			}
			hush(t, log.String())
		})
	}
}

// TestFrontEndThatCannotBeMade: what the table of settings let through and a front end does not take is a
// setting's mistake all the same: one line, exit code 2, no data file.
func TestFrontEndThatCannotBeMade(t *testing.T) {
	table := platforms()
	for i := range table {
		if table[i].name == "slack" {
			table[i].make = func(got values, _ shared) (frontEnd, error) {
				return nil, errors.New("slack: the token\n" + got[slackBot] + " will not do")
			}
		}
	}
	data := filepath.Join(t.TempDir(), "t.db")
	var out, log bytes.Buffer
	code := serveOn(t.Context(), invocation{[]string{"--lang", "fr", "--listen", "127.0.0.1:0", "--data", data},
		[]string{slackBot + "=" + someBot, slackApp + "=" + someApp}, nil, &out, &log}, table)
	refusedInOneLine(t, outcome{code, out.String(), log.String()}, "réglage", "slack", ": the token [redacted] will not do")
	if _, err := os.Stat(data); err == nil {
		t.Error("the data file is there")
	}
}
