package discordtest

import (
	"net/http"
	"strings"
	"time"
)

// Trouble is what goes wrong with the next requests. Give it to Server.Inject.
type Trouble struct {
	Match  string // in the route as Calls writes it, or in the path; empty: every REST request
	Times  int    // how many requests: 1
	Status int    // answered instead of doing the work: 500, 502, 503, 429 …
	Code   int    // Discord's own code in the body

	RetryAfter time.Duration // of a 429: 1 s
	Global     bool          // of a 429: the whole bot, not one bucket

	Cut  bool // do the work, then cut the connection in the middle of the answer
	Lose bool // cut the connection before doing anything

	Hold    <-chan struct{} // first wait until it is closed
	Arrived chan<- struct{} // told, if there is room, when a request meets this trouble
}

// Inject makes the next requests that match go wrong; troubles are met in the order
// in which they were injected, one a request.
func (s *Server) Inject(t Trouble) {
	t.Times = max(t.Times, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.troubles = append(s.troubles, &t)
}

// LimitNext answers the next n REST requests, whichever they are, with 429 and a
// wait of 50 ms.
func (s *Server) LimitNext(n int) {
	s.Inject(Trouble{Times: n, Status: http.StatusTooManyRequests, RetryAfter: 50 * time.Millisecond})
}

// meet finds the trouble in store for a request. Called with mu held.
func (s *Server) meet(route, path string) *Trouble {
	for i, t := range s.troubles {
		if strings.Contains(route, t.Match) || strings.Contains(path, t.Match) {
			if t.Times--; t.Times == 0 {
				s.troubles = append(s.troubles[:i:i], s.troubles[i+1:]...)
			}
			return t
		}
	}
	return nil
}
