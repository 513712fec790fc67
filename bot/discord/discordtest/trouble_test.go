package discordtest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRateLimits(t *testing.T) {
	r := start(t, Config{})
	e, other := r.pressed(Slash("x")), r.pressed(Slash("x"))
	r.answer(e, say("x"), 204)
	r.answer(other, say("x"), 204)
	edit := func(e *Exchange) reply {
		return r.call("PATCH", r.hook(e, "/messages/@original"), `{"content":"y",`+quiet+`}`)
	}
	for n := range 5 {
		if a := edit(e); a.status != 200 || a.header.Get("X-RateLimit-Remaining") != itoa(4-n) || a.header.Get("X-RateLimit-Bucket") == "" {
			t.Fatal(a.raw, a.header)
		}
	}
	a := r.call("POST", r.hook(e, ""), `{"content":"y",`+quiet+`}`)
	if a.status != 429 || a.body["retry_after"] != 2.0 || a.body["global"] != false || a.header.Get("Retry-After") != "2" || a.header.Get("X-RateLimit-Scope") != "user" {
		t.Error("all that a token does shares a bucket", a.raw, a.header)
	}
	if a := edit(other); a.status != 200 {
		t.Error("another token has its own", a.raw)
	}
	r.Advance(2 * time.Second)
	if a := edit(e); a.status != 200 || r.Limited() != 1 {
		t.Error(a.raw)
	}
	for n := range 60 {
		if a := r.call("GET", "/users/@me", ""); (a.status == 429) != (n >= 50) {
			t.Fatal(n, a.raw)
		} else if a.status == 429 && (a.body["global"] != true || a.header.Get("X-RateLimit-Global") != "true") {
			t.Error(a.raw)
		}
	}
	r.answer(r.pressed(Slash("x")), say("callbacks are exempt"), 204)
	r.calm()
}

func TestLimitNext(t *testing.T) {
	r := start(t, Config{})
	r.LimitNext(2)
	for _, want := range []int{429, 429, 200} {
		if a := r.call("GET", "/users/@me", ""); a.status != want {
			t.Error(a.raw)
		} else if want == 429 && a.body["retry_after"] != 0.05 {
			t.Error(a.raw)
		}
	}
}

func TestInjectedTroubles(t *testing.T) {
	r := start(t, Config{})
	e := r.pressed(Slash("x"))
	r.Inject(Trouble{Match: "/callback", Status: 503, Times: 2})
	for _, want := range []int{503, 503, 204} {
		r.answer(e, say("x"), want)
	}
	path := r.hook(e, "/messages/@original")
	r.Inject(Trouble{Match: "@original", Cut: true})
	r.Inject(Trouble{Match: "@original", Lose: true})
	for _, text := range []string{"cut", "lost"} {
		if a, err := r.try("PATCH", path, "application/json", strings.NewReader(`{"content":"`+text+`",`+quiet+`}`), ""); err == nil {
			t.Error(text, a)
		}
		if got := e.Message().Content; got != "cut" {
			t.Errorf("after %s: %q", text, got)
		}
	}
	hold, arrived, done := make(chan struct{}), make(chan struct{}, 1), make(chan reply)
	r.Inject(Trouble{Match: "PATCH", Hold: hold, Arrived: arrived})
	go func() { done <- r.call("PATCH", path, `{"content":"held",`+quiet+`}`) }()
	<-arrived
	if e.Message().Content != "cut" {
		t.Error(e.Message())
	}
	close(hold)
	if a := <-done; a.status != 200 || e.Message().Content != "held" {
		t.Error(a.raw)
	}
	r.calm()
}

func TestCloseCutsEverything(t *testing.T) {
	s, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{s, t, t.Context(), &http.Client{Transport: &http.Transport{}}}
	w := r.dial()
	w.identify(0, "[0,1]")
	w.read()
	e := r.Interact(r.ctx, Slash("x"))
	failed := make(chan error)
	go func() { _, err := e.First(r.ctx); failed <- err }()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err != ErrClosed {
		t.Error(err)
	}
	w.closed()
	if _, err := r.Interact(r.ctx, Slash("x")).First(r.ctx); err != ErrClosed {
		t.Error(err)
	}
}
