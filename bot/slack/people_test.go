package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"timonier/bot"
	"timonier/bot/slack/slacktest"
)

func fill(b *bench, id string) bot.Request {
	r := bot.Request{Who: bot.Person{ID: id}}
	b.app.people.fill(b.ctx, &r)
	return r
}

// A person is asked about once an hour, however many requests they make at once.
func TestPeople(t *testing.T) {
	b := open(t, func(c *Config, _ *slacktest.Config) { c.Teachers = []string{"U2"} })
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if r := fill(b, "U1"); r.Locale != "fr-FR" || r.Teacher {
				t.Errorf("U1 is %+v", r)
			}
		})
	}
	all.Wait()
	if r := fill(b, "UADMIN"); !r.Teacher {
		t.Errorf("the admin is %+v", r)
	}
	if r := fill(b, "U2"); !r.Teacher || r.Locale != "en-US" {
		t.Errorf("the teacher is %+v", r)
	}
	asked := func(want int) {
		t.Helper()
		if n := len(b.slack.Calls("users.info")); n != want {
			t.Errorf("asked %d times, want %d", n, want)
		}
	}
	asked(3)
	b.slack.Advance(59 * time.Minute)
	fill(b, "U1")
	asked(3)
	b.slack.Advance(2 * time.Minute)
	b.slack.SetUser(slacktest.User{ID: "U1", Name: "ana", Locale: "en-GB", Owner: true})
	if r := fill(b, "U1"); r.Locale != "en-GB" || !r.Teacher {
		t.Errorf("U1 is now %+v", r)
	}
	asked(4)
}

// Whoever leads another workspace is a guest in ours, whatever workspace a request says it is of:
// unless an organisation installed the app, whose workspaces are all its own.
func TestGuest(t *testing.T) {
	b := open(t, func(c *Config, s *slacktest.Config) {
		c.Teachers = []string{"ULISTED"}
		s.Users = []slacktest.User{
			{ID: "U1", Name: "ana"},
			{ID: "UADMIN", Name: "prof", Admin: true},
			{ID: "UOTHER", Name: "else", Team: "T0OTHER", Locale: "en-GB", Owner: true},
			{ID: "ULISTED", Name: "colleague", Team: "T0OTHER"},
		}
	})
	teacher := func(tenant, id string) bool {
		r := bot.Request{Tenant: tenant, Who: bot.Person{ID: id}}
		b.app.people.fill(b.ctx, &r)
		return r.Teacher
	}
	check := func(tenant, id string, want bool) {
		t.Helper()
		if got := teacher(tenant, id); got != want {
			t.Errorf("%s leads in %q: %t, want %t", id, tenant, got, want)
		}
	}
	for _, tenant := range []string{"", "T0TEST", "T0OTHER"} {
		check(tenant, "UADMIN", true)
		check(tenant, "UOTHER", false)
		check(tenant, "ULISTED", true)
		check(tenant, "U1", false)
	}
	if n := len(b.slack.Calls("users.info")); n != 4 {
		t.Errorf("asked %d times", n)
	}
	if r := fill(b, "UOTHER"); r.Locale != "en-GB" {
		t.Errorf("the guest is %+v", r)
	}
	b.app.people.signedIn("E0TEST")
	check("T0OTHER", "UOTHER", true)
	check("T0TEST", "UOTHER", false)
	check("T0TEST", "UADMIN", true)
	check("T0OTHER", "UADMIN", false)
	b.app.people.signedIn("T0TEST")
	x := b.send(slacktest.Command{Name: "/timonier", Text: "remise confirme", User: "UOTHER", Channel: "C1"})
	if c := b.says(x, ""); !strings.Contains(c.Message.Words(), "those who teach") {
		t.Errorf("the guest is not refused: %s", c.Message.Words())
	}
}

// Of a user without a workspace's ID Slack says what they are here.
func TestNoTeam(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"ok":true,"user":{"id":"U1","is_admin":true}}`))
	}))
	defer s.Close()
	p := &people{api: slackgo.New("xoxb-1", slackgo.OptionAPIURL(s.URL+"/")), now: time.Now}
	p.signedIn("T0TEST")
	r := bot.Request{Who: bot.Person{ID: "U1"}}
	if p.fill(t.Context(), &r); !r.Teacher {
		t.Errorf("is %+v", r)
	}
	http.DefaultClient.CloseIdleConnections()
}

// What was known of a person holds on while Slack does not say, and until it does.
func TestStillKnown(t *testing.T) {
	for name, trouble := range map[string]slacktest.Trouble{"error": {Error: "internal_error"}, "rate": {RetryAfter: time.Minute}} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			known := fill(b, "UADMIN")
			if !known.Teacher || known.Locale == "" || known.Who.Name == "" {
				t.Fatalf("is %+v", known)
			}
			same := func(r bot.Request) bool {
				return r.Teacher == known.Teacher && r.Locale == known.Locale && r.Who.Name == known.Who.Name
			}
			b.slack.SetUser(slacktest.User{ID: "UADMIN", Name: "prof", Locale: "en-GB"})
			b.slack.Spoil("users.info", 1<<30, trouble)
			for range 3 { // once an hour, and a minute after each failure
				b.slack.Advance(61 * time.Minute)
				asked := len(b.slack.Calls("users.info"))
				if r := fill(b, "UADMIN"); !same(r) {
					t.Errorf("is %+v", r)
				}
				if len(b.slack.Calls("users.info")) == asked {
					t.Error("not asked again")
				}
				r := bot.Request{Who: bot.Person{ID: "UADMIN"}}
				if b.app.people.known(&r); !same(r) {
					t.Errorf("is known as %+v", r)
				}
			}
			b.slack.Spoil("users.info", 0, slacktest.Trouble{})
			b.slack.Advance(time.Minute)
			if r := fill(b, "UADMIN"); r.Teacher || r.Locale != "en-GB" {
				t.Errorf("is now %+v", r)
			}
		})
	}
}

// While Slack takes its time, whoever does not wait for it knows what was known.
func TestKnownMeanwhile(t *testing.T) {
	b := open(t)
	fill(b, "UADMIN")
	b.slack.Advance(61 * time.Minute)
	asked := len(b.slack.Calls("users.info"))
	release := b.slack.Hold("users.info")
	var waiting sync.WaitGroup
	waiting.Go(func() { fill(b, "UADMIN") })
	if err := b.slack.Called(b.ctx, "users.info", asked+1); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(b.ctx)
	cancel()
	r := bot.Request{Who: bot.Person{ID: "UADMIN"}}
	if b.app.people.fill(over, &r); !r.Teacher || r.Locale == "" {
		t.Errorf("is %+v", r)
	}
	release()
	waiting.Wait()
}

// Where Slack does not say, nothing is known, and it is asked again a minute later.
func TestUnknownPerson(t *testing.T) {
	b := open(t)
	b.slack.Spoil("users.info", 1, slacktest.Trouble{Error: "internal_error"})
	if r := fill(b, "UADMIN"); r.Teacher || r.Locale != "" {
		t.Errorf("is %+v", r)
	}
	if r := fill(b, "UADMIN"); r.Teacher {
		t.Errorf("is %+v", r)
	}
	b.slack.Advance(time.Minute)
	if r := fill(b, "UADMIN"); !r.Teacher || r.Locale != "fr-FR" {
		t.Errorf("is %+v", r)
	}
}

// No more people are remembered than there is room for.
func TestManyPeople(t *testing.T) {
	p := &people{now: time.Now}
	for i := range 3 * mostPeople {
		p.enter(member{"T1", fmt.Sprint(i)})
	}
	if n := len(p.new) + len(p.old); n > mostPeople {
		t.Errorf("%d people", n)
	}
}

// No request leaves the host that it is told to keep to: neither by its own URL nor by one that
// an answer names, nor by a redirect.
func TestHomebound(t *testing.T) {
	var mu sync.Mutex
	var hosts []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		hosts = append(hosts, r.Host+r.URL.RequestURI())
		if r.URL.Path == "/api/x" {
			http.Redirect(w, r, "https://files.slack.com/there?a=b", http.StatusTemporaryRedirect)
			return
		}
		_, _ = w.Write([]byte(`{"ok":true}`))
	}))
	defer s.Close()
	base, err := url.Parse(s.URL + "/api/")
	if err != nil {
		t.Fatal(err)
	}
	w := newWire(Config{API: base.String(), After: time.After}, base)
	defer w.close()
	if err := w.call(t.Context(), "x", map[string]any{}, nil); err != nil {
		t.Error(err)
	}
	if err := w.respond(t.Context(), "https://hooks.slack.com/commands/T/1/y?z=1", map[string]any{}); err != nil {
		t.Error(err)
	}
	for _, h := range hosts {
		if h[:len(base.Host)] != base.Host {
			t.Errorf("asked %s", h)
		}
	}
	if len(hosts) != 3 {
		t.Errorf("asked %v", hosts)
	}
}

// Under another API, an address on its host keeps its port, and every other moves to the base.
func TestHere(t *testing.T) {
	for _, c := range []struct{ base, address, want string }{
		{"http://127.0.0.1:1/api/", "wss://wss-primary.slack.com/link/?ticket=1", "ws://127.0.0.1:1/link/?ticket=1"},
		{"http://127.0.0.1:1/api/", "ws://127.0.0.1:2/link/?ticket=1", "ws://127.0.0.1:2/link/?ticket=1"},
		{"http://127.0.0.1:1/api/", "https://hooks.slack.com/commands/T/1?a=b", "http://127.0.0.1:1/commands/T/1?a=b"},
		{"http://127.0.0.1:1/api/", "http://127.0.0.1:2/commands/T/1", "http://127.0.0.1:2/commands/T/1"},
		{"http://127.0.0.1:1/api/", "http://127.0.0.1.example.org:2/x", "http://127.0.0.1:1/x"},
		{"http://127.0.0.1:1/api/", "https://me:word@files.slack.com/x", "http://127.0.0.1:1/x"},
		{"http://127.0.0.1:1/api/", "ftp://127.0.0.1:2/x", "http://127.0.0.1:1/x"},
		{"http://[::1]:1/api/", "ws://[::1]:2/x", "ws://[::1]:2/x"},
		{"https://proxy.example/slack/api/", "wss://wss-primary.slack.com/link/", "wss://proxy.example/link/"},
		{"https://proxy.example/slack/api/", "wss://PROXY.example:8443/link/", "wss://PROXY.example:8443/link/"},
		{slackgo.APIURL, "wss://wss-primary.slack.com/link/", "wss://wss-primary.slack.com/link/"},
		{slackgo.APIURL, "https://files.slack.com/x", "https://files.slack.com/x"},
	} {
		base, err := url.Parse(c.base)
		if err != nil {
			t.Fatal(err)
		}
		w := newWire(Config{API: c.base}, base)
		if got := w.here(c.address); got != c.want {
			t.Errorf("under %s, %s is at %s, want %s", c.base, c.address, got, c.want)
		}
		w.close()
	}
}

// A server may have its responses and files on another port than its API; the token goes there.
func TestOtherPort(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Authorization"))
		_, _ = w.Write([]byte("ok"))
	}))
	defer s.Close()
	base := &url.URL{Scheme: "http", Host: "127.0.0.1:1", Path: "/api/"} // where nobody is
	w := newWire(Config{API: base.String(), BotToken: "xoxb-1", After: time.After}, base)
	defer w.close()
	if err := w.respond(t.Context(), s.URL+"/respond", map[string]any{}); err != nil {
		t.Error(err)
	}
	api, at := w.filing(s.URL + "/file")
	var content limited
	if err := api.GetFileContext(t.Context(), at, &content); err != nil || content.String() != "ok" {
		t.Errorf("read %q: %v", content.String(), err)
	}
	api, at = w.filing(s.URL + "/upload")
	if err := api.UploadToURL(t.Context(), slackgo.UploadToURLParameters{UploadURL: at, Filename: "f", Reader: strings.NewReader("x")}); err != nil {
		t.Error(err)
	}
	if want := []string{"/respond ", "/file Bearer xoxb-1", "/upload Bearer xoxb-1"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	// Slack's own token goes to no host that is not Slack's: a remote file has whatever address its maker chose.
	real, err := url.Parse(slackgo.APIURL)
	if err != nil {
		t.Fatal(err)
	}
	w = newWire(Config{BotToken: "xoxb-1", After: time.After}, real)
	defer w.close()
	api, at = w.filing(s.URL + "/file")
	if err := api.GetFileContext(t.Context(), at, &content); err == nil || len(asked) != 3 {
		t.Errorf("read another host's file with Slack's token: %v", err)
	}
}

func TestNew(t *testing.T) {
	tutor := bot.New(bot.Config{})
	for name, c := range map[string]Config{
		"no tutor":  {BotToken: "b", AppToken: "a"},
		"no token":  {Tutor: tutor, AppToken: "a"},
		"no way in": {Tutor: tutor, BotToken: "b"},
		"bad API":   {Tutor: tutor, BotToken: "b", AppToken: "a", API: "ftp://example.org/"},
		"no host":   {Tutor: tutor, BotToken: "b", AppToken: "a", API: "/api/"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	a, err := New(Config{Tutor: tutor, BotToken: "b", AppToken: "a", API: "http://127.0.0.1:1/x/api"})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.wire.base.String(); got != "http://127.0.0.1:1/x/api/" {
		t.Errorf("base is %s", got)
	}
}

// What is logged of an error holds no address: those of responses, files and sockets are secrets.
func TestHarmless(t *testing.T) {
	secret := "https://hooks.slack.com/commands/T1/2/secret"
	for _, c := range []struct {
		err  error
		want string
	}{
		{&url.Error{Op: "Post", URL: secret, Err: errors.New("broken pipe")}, "no connection"},
		{fmt.Errorf("refusing to send the token to %q", secret), "an address that cannot be used"},
		{fmt.Errorf("call chat.update: %w", slackgo.SlackErrorResponse{Err: "message_not_found"}), "message_not_found"},
		{slackgo.StatusCodeError{Code: 503, Status: "503"}, "HTTP 503"},
		{&slackgo.RateLimitedError{RetryAfter: time.Second}, "rate limited"},
		{fmt.Errorf("call: %w", context.DeadlineExceeded), "out of time"},
	} {
		if got := harmless(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
