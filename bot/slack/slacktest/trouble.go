package slacktest

import (
	"context"
	"time"
)

// Call is one request to the server.
type Call struct {
	At     time.Time // server's clock
	Method string    // chat.postMessage …; response_url, upload, download
	Error  string    // what it was answered: empty for ok
}

// Calls are the requests so far, oldest first; of one method unless it is empty.
func (s *Server) Calls(method string) []Call { return s.callsOf(method) }

// Called waits until a method has been called n times in all, counted since Start.
func (s *Server) Called(ctx context.Context, method string, n int) error {
	return s.called(ctx, method, n)
}

// Trouble is how a call goes wrong. The zero value changes nothing.
type Trouble struct {
	RetryAfter time.Duration // 429 ratelimited with this Retry-After, in whole seconds
	Status     int           // an HTTP status with no JSON in it: 500, 503
	Error      string        // ok false with this error: internal_error, account_inactive
	Cut        bool          // the request takes effect, and the connection breaks amid the answer
}

// Spoil makes the next n calls of a method go wrong; of every method that has no trouble of its own
// where it is empty. n of 0 ends it.
func (s *Server) Spoil(method string, n int, t Trouble) { s.spoil(method, n, t) }

// Hold keeps the calls of a method waiting, before they take effect, until release is called. They
// are counted by Called when they arrive.
func (s *Server) Hold(method string) (release func()) { return s.hold(method) }

// Connected waits until n sockets are open.
func (s *Server) Connected(ctx context.Context, n int) error { return s.connected(ctx, n) }

// Attempts are the times, by the real clock, at which sockets were asked for: those refused too.
func (s *Server) Attempts() []time.Time { return s.attemptTimes() }

// Attempted waits until n sockets have been asked for.
func (s *Server) Attempted(ctx context.Context, n int) error { return s.attempted(ctx, n) }

// Refuse answers the next n sockets with a disconnect message of reason too_many_websockets; all of them
// if n is negative.
func (s *Server) Refuse(n int) { s.refuse(n) }

// Disconnect tells every open socket to go: reasons are warning (the socket stays until the client closes it),
// refresh_requested, link_disabled and too_many_websockets (the server closes it).
func (s *Server) Disconnect(reason string) { s.disconnect(reason) }

// Drop cuts the open sockets without a word.
func (s *Server) Drop() { s.drop() }

// Freeze makes the open sockets half-dead: they stay open, and count in num_connections, but send no pings,
// answer none, and lose what is sent in either direction. Sockets opened later are sound.
func (s *Server) Freeze() { s.freeze() }

// Pretend makes hello say this num_connections; 0: the truth.
func (s *Server) Pretend(n int) { s.pretend(n) }
