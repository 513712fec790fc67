package discord

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"timonier/bot/discord/discordtest"
)

// clientOf is a client of a server that a test writes itself.
func clientOf(t *testing.T, h http.HandlerFunc) *client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	a, err := newAddress(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(Config{AppID: "1", Token: "jeton-du-robot", Logger: slog.New(slog.DiscardHandler)}, a)
	c.backoff = time.Millisecond
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

func TestErrorsHideTokens(t *testing.T) {
	gone := clientOf(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	refused := clientOf(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"code":1,"message":"non"}`, 400) })
	for _, c := range []*client{gone, refused} {
		err := c.respond(t.Context(), "5", "jeton-secret", callback{Type: 5}, nil)
		_, err2 := c.editResponse(t.Context(), "jeton-secret", "@original", message{}, nil)
		_, err3 := c.gateway(t.Context())
		for _, err := range []error{err, err2, err3} {
			if err == nil || strings.Contains(err.Error(), "jeton") || strings.Contains(err.Error(), "127.0.0.1") && strings.Contains(err.Error(), "/api") {
				t.Errorf("%v", err)
			}
		}
	}
}

func TestRedirectionsAreNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	if _, err := c.gateway(t.Context()); err == nil || elsewhere.Load() > 0 {
		t.Errorf("%v, %d requests elsewhere", err, elsewhere.Load())
	}
	if _, err := c.fetch(t.Context(), []given{{URL: "https://cdn.discordapp.com/a.yaml"}}); !errors.Is(err, errFileMissing) || elsewhere.Load() > 0 {
		t.Errorf("%v, %d requests elsewhere", err, elsewhere.Load())
	}
}

func TestRefusalsAreNotRetried(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404} {
		var times atomic.Int32
		c := clientOf(t, func(w http.ResponseWriter, _ *http.Request) { times.Add(1); w.WriteHeader(status) })
		if _, err := c.post(t.Context(), "5", "1", message{}, nil); !isStatus(err, status) || times.Load() != 1 {
			t.Errorf("%d: %v after %d tries", status, err, times.Load())
		}
	}
}

// A proxy that knows only GET /gateway.
func TestGatewayWithoutBot(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v10/gateway" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"url":"ws://127.0.0.1:1"}`))
	})
	info, err := c.gateway(t.Context())
	if err != nil || info.URL != "ws://127.0.0.1:1" || info.Shards != 1 || info.Limit.Remaining < 1 || info.Limit.Concurrency != 1 {
		t.Errorf("%+v %v", info, err)
	}
}

// A 429 keeps the bucket's other requests back too, and the wait ends with the context.
func TestPatience(t *testing.T) {
	var times atomic.Int32
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		times.Add(1)
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for range 3 {
		if _, err := c.post(ctx, "5", "1", message{}, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	}
	if times.Load() != 1 {
		t.Errorf("%d requests, though the first was told to wait an hour", times.Load())
	}
	if err := c.respond(ctx, "5", "x", callback{Type: 5}, nil); err == nil {
		t.Error("no error")
	}
}

// While the channel's turn is taken by something long, suggestions do not wait for it,
// and neither does the first response by HTTP.
func TestNothingWaitsForTheTutor(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{before: busy})
	url := serveHTTP(t, c)
	e := c.Interact(c.ctx, kubectl("create namespace long"))
	c.first(e)
	c.waitUntil(c.store.held)
	behind := kubectl("get nodes")
	behind.Endpoint = url
	second := c.Interact(c.ctx, behind)
	if r := c.first(second); r.Latency > time.Second {
		t.Errorf("the first response took %v", r.Latency)
	}
	typing := c.Interact(c.ctx, discordtest.Complete("kubectl", discordtest.Focused("commande", "get po")))
	if r := c.first(typing); r.Latency > 2*time.Second || len(typing.Choices()) > 0 {
		t.Errorf("suggestions took %v: %v", r.Latency, typing.Choices())
	}
	close(c.store.hold)
	c.answer(e, "namespace/long created")
	c.answer(second, "node-1")
	c.calm()
}
