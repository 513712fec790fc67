package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// site is one address that the program serves.
type site struct {
	http     *http.Server
	listener net.Listener
}

// listenError is an address that cannot be served.
type listenError struct {
	address string
	err     error
}

func (e *listenError) Error() string { return "listen on " + e.address + ": " + e.err.Error() }
func (e *listenError) Unwrap() error { return e.err }

// listen opens the addresses: the platforms' paths on the public one; health on the other, or
// with them where there is no other.
func (s *service) listen(public, admin string) (err error) {
	outside := http.NewServeMux()
	used := false
	for _, f := range s.fronts {
		for _, path := range f.paths {
			outside.Handle(path, s.gate.guard(f.Handler()))
			used = true
		}
	}
	if admin == "" {
		s.health(outside)
	} else {
		inside := http.NewServeMux()
		s.health(inside)
		if s.admin, err = newSite(admin, inside, s.logger, usualLimits()); err != nil {
			return err
		}
	}
	if used || admin == "" {
		if s.public, err = newSite(public, outside, s.logger, usualLimits()); err != nil {
			return errors.Join(err, s.admin.close(context.Background()))
		}
	}
	return nil
}

// siteLimits bound what anybody may ask of a site, whoever they are.
type siteLimits struct {
	header, whole, answer, idle time.Duration // to send a header, a request; to take an answer; between two requests
	headerBytes, connections    int
}

// usualLimits are for what platforms send: one short request, answered at once. A request's body, which its handler
// bounds at 1 MiB, is in memory before its signature can be looked at: so many at once are 256 MiB.
func usualLimits() siteLimits {
	return siteLimits{header: 5 * time.Second, whole: 10 * time.Second, answer: 15 * time.Second, idle: 60 * time.Second,
		headerBytes: 16 << 10, connections: 256}
}

// listenOn opens an address. The error is a *listenError.
func listenOn(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		var short *net.OpError // without the address, which the sentence has
		if errors.As(err, &short) {
			err = short.Err
		}
		return nil, &listenError{address, err}
	}
	return listener, nil
}

// newSite opens an address.
func newSite(address string, handler http.Handler, logger *slog.Logger, limits siteLimits) (*site, error) {
	listener, err := listenOn(address)
	if err != nil {
		return nil, err
	}
	// HTTP/1 alone: there is no TLS here for another one to be agreed on, and none is taken unasked.
	server := &http.Server{
		Handler:           guarded(handler),
		ReadHeaderTimeout: limits.header,
		ReadTimeout:       limits.whole,
		WriteTimeout:      limits.answer,
		IdleTimeout:       limits.idle,
		MaxHeaderBytes:    limits.headerBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),

		DisableGeneralOptionsHandler: true,
	}
	return &site{listener: newCrowd(listener, limits.connections, server), http: server}, nil
}

// guarded says of every answer that it is what it says it is, and for nobody to keep. A page that a browser is lured
// to can do nothing here: what changes something is signed.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

func (s *site) address() string {
	if s == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// serve answers until close.
func (s *site) serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.address(), err)
	}
	return nil
}

// close takes no more requests and lets those being answered end, within a time.
func (s *site) close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	polite, cancel := context.WithTimeout(ctx, graceHTTP)
	defer cancel()
	defer s.listener.Close() // Shutdown knows it only once it is served
	if s.http.Shutdown(polite) != nil {
		return s.http.Close() // whoever sends so slowly is cut off
	}
	return nil
}

// gate lets requests in until it is closed, and knows when those within have been answered. The
// zero value is open.
type gate struct {
	mu     sync.Mutex
	closed bool
	within sync.WaitGroup
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.within.Add(1)
	}
	return !g.closed
}

// guard answers 503 once the gate is closed: a platform that asks again finds the next process.
func (g *gate) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.enter() {
			w.Header().Set("Connection", "close")
			w.Header().Set("Retry-After", "5")
			http.Error(w, "stopping", http.StatusServiceUnavailable)
			return
		}
		defer g.within.Done()
		next.ServeHTTP(w, r)
	})
}

// close lets nobody in any more, and waits a moment for those within: whoever still sends by then is
// too slow for any platform.
func (g *gate) close(ctx context.Context) {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	polite, cancel := context.WithTimeout(ctx, graceHTTP)
	defer cancel()
	_ = within(polite, func() error { g.within.Wait(); return nil })
}

// health adds the paths for those who watch over the program.
func (s *service) health(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		s.readiness(r.Context()).write(w)
	})
	mux.Handle("GET /metrics", s.metrics.Handler())
}

// readiness is what /readyz says, as JSON.
type readiness struct {
	Ready bool     `json:"ready"`
	Down  []string `json:"down,omitempty"` // store, a front end, or stopping
}

// readiness asks everything that must work for a learner to be answered.
func (s *service) readiness(ctx context.Context) readiness {
	var r readiness
	if s.stopping.Load() {
		r.Down = append(r.Down, "stopping")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if s.check(ctx) != nil {
		r.Down = append(r.Down, "store")
	}
	for _, f := range s.fronts {
		if f.ended.Load() || !f.Ready() {
			r.Down = append(r.Down, f.name)
		}
	}
	r.Ready = len(r.Down) == 0
	return r
}

func (r readiness) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(r) // whoever asked has gone
}
