package slacktest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Call is one request to the server.
type Call struct {
	At     time.Time // the server's clock
	Method string    // chat.postMessage …; response_url, upload, download
	Error  string    // what it was answered; empty for ok
}

// Calls are the requests so far, oldest first; of one method unless it is empty.
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var calls []Call
	for _, c := range s.calls {
		if method == "" || c.Method == method {
			calls = append(calls, c)
		}
	}
	return calls
}

// Called waits until a method has been called n times in all, counted when a call arrives.
func (s *Server) Called(ctx context.Context, method string, n int) error {
	return s.wait(ctx, func() bool { return s.counts[method] >= n })
}

// Trouble is how a call goes wrong. The zero value changes nothing.
type Trouble struct {
	RetryAfter time.Duration // 429 ratelimited with this Retry-After, in whole seconds
	Status     int           // an HTTP status with no JSON in it: 500, 503
	Error      string        // ok false with this error: internal_error, account_inactive
	Cut        bool          // the request takes effect, and the connection breaks amid the answer
}

// trouble is one to come.
type trouble struct {
	Trouble
	left int
}

// Spoil makes the next n calls of a method go wrong; of every method that has no trouble of
// its own where it is empty. n of 0 ends it.
func (s *Server) Spoil(method string, n int, t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.troubles[method] = &trouble{t, n}
}

// Hold keeps the calls of a method waiting, before they take effect, until release is
// called. They are counted by Called when they arrive.
func (s *Server) Hold(method string) (release func()) {
	gate := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds[method] = append(s.holds[method], gate)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if i := slices.Index(s.holds[method], gate); i >= 0 {
			s.holds[method] = slices.Delete(s.holds[method], i, i+1)
			close(gate)
		}
	}
}

// arrive counts a request, waits while it is held, and says what goes wrong with it. It cuts the
// connection, as net/http would have it, if the server closes meanwhile.
func (s *Server) arrive(r *http.Request, method string) Trouble {
	s.mu.Lock()
	s.counts[method]++
	s.ring()
	gates := slices.Clone(s.holds[method])
	s.mu.Unlock()
	for _, gate := range gates {
		select {
		case <-gate:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-s.ctx.Done():
			panic(http.ErrAbortHandler)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range []string{method, ""} {
		if t := s.troubles[name]; t != nil && t.left > 0 {
			t.left--
			return t.Trouble
		}
	}
	return Trouble{}
}

// called records a call that came to nothing.
func (s *Server) called(method, err string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(method, fails(err))
}

// name is the error of a request that comes to nothing.
func (t Trouble) name() string {
	switch {
	case t.RetryAfter > 0:
		return "ratelimited"
	case t.Status > 0:
		return "HTTP " + strconv.Itoa(t.Status)
	}
	return t.Error
}

// before answers a request that comes to nothing, and says whether it did.
func (t Trouble) before(w http.ResponseWriter) bool {
	switch {
	case t.RetryAfter > 0:
		w.Header().Set("Retry-After", retryAfter(t.RetryAfter))
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"ok":false,"error":"ratelimited"}`))
	case t.Status > 0:
		http.Error(w, http.StatusText(t.Status), t.Status)
	case t.Error != "":
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = fmt.Fprintf(w, `{"ok":false,"error":%q}`, t.Error)
	default:
		return false
	}
	return true
}

// write sends an answer, or breaks off amid it.
func (t Trouble) write(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	if t.Cut {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+100))
		w.WriteHeader(status)
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // net/http's way to cut a connection
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
