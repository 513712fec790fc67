package slack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
)

// Slack's own wire, of which every connection is noted and none is made.
func ownWire(t *testing.T) (w *wire, dialled func() []string) {
	t.Helper()
	base, err := url.Parse(slackgo.APIURL)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []string
	w = newWire(Config{BotToken: "xoxb-1", AppToken: "xapp-1", After: time.After, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, address)
		return nil, errors.New("nobody is there")
	}}, base)
	t.Cleanup(w.close)
	return w, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// TestOnlySlack: whatever address comes with an event, a file or an answer, Slack's alone is asked.
func TestOnlySlack(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "")
	w, dialled := ownWire(t)
	elsewhere := []string{
		"http://169.254.169.254/latest/meta-data/", "https://169.254.169.254/", "http://localhost/", "https://slack.com.example.org/", "https://example.org/slack.com",
		"https://slack.com@example.org/", "https://notslack.com/", "http://hooks.slack.com/commands/T/1", "https://hooks.slack.com:8443/", "ftp://slack.com/", "//slack.com", "file:///etc/passwd", "\x00",
	}
	for _, address := range elsewhere {
		if err := w.respond(t.Context(), address, map[string]any{}); err == nil || strings.Contains(err.Error(), address) {
			t.Errorf("%s: %v", address, err)
		}
		api, at := w.filing(address)
		if err := api.GetFileContext(t.Context(), at, io.Discard); err == nil {
			t.Errorf("a file is read of %s", address)
		}
		if err := api.UploadToURL(t.Context(), slackgo.UploadToURLParameters{UploadURL: at, Filename: "f", Reader: strings.NewReader("x")}); err == nil {
			t.Errorf("a file goes to %s", address)
		}
	}
	if got := dialled(); len(got) > 0 {
		t.Fatalf("connections to %v", got)
	}
	for _, address := range []string{"https://hooks.slack.com/commands/T/1", "https://slack.com/api/x", "https://FILES.slack.com/x", "https://wss-primary.slack.com:443/"} {
		ctx, cancel := context.WithCancel(t.Context())
		w.cfg.After = func(time.Duration) <-chan time.Time { cancel(); return nil } // tried once
		_ = w.respond(ctx, address, map[string]any{})                               // nobody is there
		cancel()
	}
	if got := dialled(); len(got) != 4 {
		t.Errorf("connections to %v", got)
	}
}

// redirecting answers every request with a redirection, as somebody may who is Slack's host but for a moment.
type redirecting struct{ to string }

func (r redirecting) RoundTrip(q *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {r.to}}, Body: io.NopCloser(&bytes.Reader{}), Request: q}, nil
}

// TestRedirects: a redirection leads no further than any other address.
func TestRedirects(t *testing.T) {
	asked := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer s.Close()
	w, _ := ownWire(t)
	w.client.Transport.(*homebound).next = redirecting{s.URL}
	if err := w.respond(t.Context(), "https://hooks.slack.com/commands/T/1", map[string]any{}); !errors.Is(err, errElsewhere) || asked {
		t.Errorf("%v, asked: %v", err, asked)
	}
}

// TestSocketElsewhere: a socket that is not Slack's is not opened.
func TestSocketElsewhere(t *testing.T) {
	w, _ := ownWire(t)
	for address, ok := range map[string]bool{"wss://wss-primary.slack.com/link/?ticket=1": true, "wss://example.org/link/?ticket=1": false, "ws://wss-primary.slack.com/": false, "": false} {
		w.client.Transport.(*homebound).next = saying(`{"ok":true,"url":"` + address + `"}`)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, slackgo.APIURL+"apps.connections.open", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&opener{wire: w}).Do(r)
		if (err == nil) != ok || err == nil && resp == nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// saying answers every request with a body.
type saying string

func (a saying) RoundTrip(q *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(a))), Request: q}, nil
}
