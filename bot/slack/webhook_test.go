package slack

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/slack/slacktest"
)

// request gives a body with its headers to the handler, which has done with it on return, and
// returns the status.
func (b *bench) request(method string, body []byte, contentType string, header http.Header) int {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.ctx, method, "/slack", bytes.NewReader(body))
	if header != nil {
		r.Header = header.Clone()
	}
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	b.app.Handler().ServeHTTP(w, r)
	if w.Code == http.StatusOK && w.Body.Len() > 0 {
		b.t.Errorf("answered with %q", w.Body)
	}
	return w.Code
}

func TestSignatures(t *testing.T) {
	b := open(t, overHTTP)
	_, body, kind, err := b.slack.Encode(slacktest.Command{Name: "/kubectl", Text: "create namespace web", User: "U1", Channel: "C1"})
	if err != nil {
		t.Fatal(err)
	}
	now := b.slack.Now()
	with := func(change func(http.Header)) http.Header {
		h := b.slack.Sign(body, now)
		change(h)
		return h
	}
	other := []byte(strings.Replace(string(body), "web", "wob", 1))
	for name, c := range map[string]struct {
		body   []byte
		header http.Header
		want   int
	}{
		"none":         {body, nil, 401},
		"no signature": {body, with(func(h http.Header) { h.Del("X-Slack-Signature") }), 401},
		"no time":      {body, with(func(h http.Header) { h.Del("X-Slack-Request-Timestamp") }), 401},
		"no number":    {body, with(func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "now") }), 401},
		"another time": {body, with(func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "1772442001") }), 401},
		"another body": {other, b.slack.Sign(body, now), 401},
		"short":        {body, with(func(h http.Header) { h.Set("X-Slack-Signature", h.Get("X-Slack-Signature")[:40]) }), 401},
		"no version":   {body, with(func(h http.Header) { h.Set("X-Slack-Signature", h.Get("X-Slack-Signature")[3:]) }), 401},
		"stale":        {body, b.slack.Sign(body, now.Add(-5*time.Minute-time.Second)), 401},
		"early":        {body, b.slack.Sign(body, now.Add(5*time.Minute+time.Second)), 401},
		"garbage":      {[]byte("%zz"), b.slack.Sign([]byte("%zz"), now), 400},
		"nothing":      {nil, b.slack.Sign(nil, now), 400},
	} {
		if got := b.request(http.MethodPost, c.body, kind, c.header); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	b.idle()
	if n := len(b.slack.Messages("")); n > 0 {
		t.Errorf("%d messages", n)
	}
	// At the edges of what is allowed it is taken; a second time nothing comes of it.
	for _, age := range []time.Duration{-5 * time.Minute, 5 * time.Minute} {
		if got := b.request(http.MethodPost, body, kind, b.slack.Sign(body, now.Add(age))); got != 200 {
			t.Errorf("%d, want 200", got)
		}
		b.idle()
		if n := len(b.slack.Messages("")); n != 1 {
			t.Errorf("%d messages", n)
		}
	}
	if got := b.request(http.MethodGet, nil, kind, nil); got != 405 {
		t.Errorf("GET: %d", got)
	}
}

// What comes with the same signature once more is refused for as long as its time is good, in
// whatever letters the signature is written; Slack signs anew what it delivers again, unless that
// is within the same second.
func TestReplay(t *testing.T) {
	b := open(t, overHTTP)
	_, body, kind, err := b.slack.Encode(slacktest.Mention{User: "U1", Channel: "C1", Text: "/kubectl create namespace web"})
	if err != nil {
		t.Fatal(err)
	}
	send := func(name string, h http.Header, want int) {
		t.Helper()
		if got := b.request(http.MethodPost, body, kind, h); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
		b.idle()
	}
	first := b.slack.Sign(body, b.slack.Now().Add(5*time.Minute)) // good for ten minutes
	send("first", first, 200)
	send("at once", first, 401)
	capitals := first.Clone()
	capitals.Set("X-Slack-Signature", "v0="+strings.ToUpper(first.Get("X-Slack-Signature")[3:]))
	send("in capitals", capitals, 401)
	again := first.Clone()
	again.Set("X-Slack-Retry-Num", "1")
	send("as delivered again", again, 200) // and nothing is done
	b.slack.Advance(10 * time.Minute)
	send("after ten minutes", first, 401)
	anew := b.slack.Sign(body, b.slack.Now())
	anew.Set("X-Slack-Retry-Num", "2")
	anew.Set("X-Slack-Retry-Reason", "http_error")
	send("signed anew", anew, 200)
	send("signed anew, twice", anew, 200)
	anew.Del("X-Slack-Retry-Num")
	send("signed anew, by nobody", anew, 401)
	if n := posts(b.slack.Messages("C1")); n != 1 {
		t.Errorf("%d answers", n)
	}
}

// What was not taken, and Slack's own tests, may come again with the same signature.
func TestReplayOfNothing(t *testing.T) {
	b := open(t, overHTTP)
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		kind, body string
		want       int
	}{{form, "%zz", 400}, {form, "ssl_check=1", 200}, {"application/json", `{"type":"url_verification","challenge":"x"}`, 200}} {
		h := b.slack.Sign([]byte(c.body), b.slack.Now())
		h.Set("Content-Type", c.kind)
		for range 2 {
			r := httptest.NewRequestWithContext(b.ctx, http.MethodPost, "/slack", strings.NewReader(c.body))
			r.Header = h.Clone()
			w := httptest.NewRecorder()
			b.app.Handler().ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%s: %d, want %d", c.body, w.Code, c.want)
			}
		}
	}
}

// A command delivered again with the same signature is done once: nothing in it but the
// signature need tell that it is the same.
func TestDeliveredAgainWithinASecond(t *testing.T) {
	b := open(t, overHTTP)
	body := []byte(`{"type":"app_rate_limited","team_id":"T0TEST","minute_rate_limited":1772442000,"api_app_id":"A0"}`)
	h := b.slack.Sign(body, b.slack.Now())
	for range 2 {
		if got := b.request(http.MethodPost, body, "application/json", h); got != 200 {
			t.Errorf("%d, want 200", got)
		}
		h.Set("X-Slack-Retry-Num", "1")
	}
	if n := strings.Count(b.log.String(), "Slack holds events back"); n != 1 {
		t.Errorf("done %d times", n)
	}
}

// What Slack tells that is not for anybody is taken, so that it does not count as a failure.
func TestTold(t *testing.T) {
	metrics := bot.NewMetrics()
	b := open(t, overHTTP, func(c *Config, _ *slacktest.Config) { c.Metrics = metrics })
	for body, want := range map[string]int{
		`{"type":"app_rate_limited","team_id":"T0TEST","minute_rate_limited":1772442000}`: 200,
		`{"type":"never_heard_of","event":7}`:                                             200,
		`{"type":7}`:                                                                      400,
		`{"event":{"type":"message"}}`:                                                    400,
		`[]`:                                                                              400,
	} {
		if got := b.request(http.MethodPost, []byte(body), "application/json", b.slack.Sign([]byte(body), b.slack.Now())); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
		if got := b.request(http.MethodPost, []byte(body), "application/json", http.Header{}); got != 401 {
			t.Errorf("unsigned %s: %d", body, got)
		}
	}
	w := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(w, httptest.NewRequestWithContext(b.ctx, http.MethodGet, "/metrics", nil))
	if !strings.Contains(w.Body.String(), `timonier_rate_limited_total{platform="slack"} 1`) {
		t.Error("not counted")
	}
	if !strings.Contains(b.log.String(), `level=WARN msg="Slack holds events back`) {
		t.Errorf("not said:\n%s", b.log)
	}
}

// Signatures are remembered for their time, and no more of them than there is room for.
func TestUsed(t *testing.T) {
	var u used
	for i := range 3 * mostReplay {
		s := signature{byte(i), byte(i >> 8), byte(i >> 16)}
		if !u.first(s, monday) || u.first(s, monday) {
			t.Fatalf("the %dth is not remembered", i)
		}
	}
	if n := len(u.now) + len(u.old); n > 2*mostReplay {
		t.Errorf("%d signatures", n)
	}
	u = used{}
	for i := range 10 {
		at := monday.Add(time.Duration(i) * replayTime * 2 / 3)
		s, before := signature{byte(i)}, signature{byte(i - 1)}
		if !u.first(s, at) || i > 0 && u.first(before, at) {
			t.Errorf("the %dth is not remembered", i)
		}
	}
	if n := len(u.now) + len(u.old); n > 5 {
		t.Errorf("%d signatures are remembered too long", n)
	}
}

func TestLargeBody(t *testing.T) {
	b := open(t, overHTTP)
	body := bytes.Repeat([]byte("a"), 2<<20)
	if got := b.request(http.MethodPost, body, "application/json", b.slack.Sign(body, b.slack.Now())); got != 413 {
		t.Errorf("%d, want 413", got)
	}
}

func TestChallenge(t *testing.T) {
	b := open(t, overHTTP)
	if err := b.slack.VerifyURL(b.ctx, b.url+"/slack/events"); err != nil {
		t.Error(err)
	}
	body := []byte(`{"type":"url_verification","challenge":"x"}`)
	if got := b.request(http.MethodPost, body, "application/json", http.Header{}); got != 401 {
		t.Errorf("unsigned: %d", got)
	}
	ssl := []byte("ssl_check=1")
	if got := b.request(http.MethodPost, ssl, "application/x-www-form-urlencoded", b.slack.Sign(ssl, b.slack.Now())); got != 200 {
		t.Errorf("certificate check: %d", got)
	}
}

// An event that Slack delivers again is answered once.
func TestEventAgain(t *testing.T) {
	b := open(t, overHTTP)
	_, body, kind, err := b.slack.Encode(slacktest.DirectMessage{User: "U1", Text: "/kubectl create namespace web"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		b.slack.Advance(time.Minute)
		h := b.slack.Sign(body, b.slack.Now())
		if n > 0 {
			h.Set("X-Slack-Retry-Num", strconv.Itoa(n))
			h.Set("X-Slack-Retry-Reason", "http_timeout")
		}
		if got := b.request(http.MethodPost, body, kind, h); got != 200 {
			t.Errorf("%d, want 200", got)
		}
		b.idle()
	}
	if n := posts(b.slack.Messages("D1")); n != 1 {
		t.Errorf("%d answers", n)
	}
}

// posts counts the bot's messages.
func posts(all []slacktest.Message) (n int) {
	for _, m := range all {
		if m.User == "U0BOT" {
			n++
		}
	}
	return n
}

func TestNotRunning(t *testing.T) {
	b := open(t, overHTTP)
	_, body, kind, err := b.slack.Encode(slacktest.Command{Name: "/timonier", User: "U1", Channel: "C1"})
	if err != nil {
		t.Fatal(err)
	}
	b.end()
	if b.app.Ready() {
		t.Error("ready after the end")
	}
	if got := b.request(http.MethodPost, body, kind, b.slack.Sign(body, b.slack.Now())); got != http.StatusServiceUnavailable {
		t.Errorf("%d, want 503", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("application/json", []byte(`{"type":"event_callback","event":{"type":"message"}}`))
	f.Add("application/x-www-form-urlencoded", []byte("payload=%7B%22type%22%3A%22block_actions%22%7D"))
	f.Add("application/x-www-form-urlencoded", []byte("command=/kubectl&text=x"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		in, challenge, ok := read(kind, body)
		if ok && challenge == "" && in.kind != "nothing" && !json.Valid(in.payload) {
			t.Errorf("%s is taken with %q, which is no JSON", in.kind, in.payload)
		}
	})
}
