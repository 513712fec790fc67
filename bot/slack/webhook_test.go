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
	// At the edge of what is allowed it is taken; a second time nothing comes of it.
	for range 2 {
		if got := b.request(http.MethodPost, body, kind, b.slack.Sign(body, now.Add(-5*time.Minute))); got != 200 {
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
