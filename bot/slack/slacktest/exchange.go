package slacktest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Exchange is one interaction, and what the bot did upon it. A change belongs to it if it came
// by its response URL or its trigger ID; or else if it is a change in its channel, or in
// a view or a private conversation of its user, made through the Web API while it is
// open. So two exchanges open in one channel both see a chat.postMessage there.
type Exchange struct {
	EnvelopeID  string // of Socket Mode; over HTTP, the event's ID or empty
	TriggerID   string // good for 3 s, once; may be empty
	ResponseURL string // good for 30 min, five times; may be empty
	User        string
	Channel     string

	server   *Server
	kind     string // command, block_actions … as the payload's type
	view     *view  // of a submission or closing
	envelope envelope
	endpoint string // over HTTP
	attempt  int
	first    time.Time // real, of the first delivery
	sent     time.Time // server's clock, of the last one
	acks     []Ack
	failed   error
	ended    bool
	changes  []Change
	returned int
	seen     []*message
	seenView []*view
	bell     chan struct{} // closed and replaced when something has come
}

// Ack is a bot's acknowledgement.
type Ack struct {
	At      time.Time     // the server's clock
	Latency time.Duration // real time since the (first) delivery
	Late    bool          // after 3 s of the server's clock: Slack has told the person that it failed
	Attempt int           // retry_attempt of the delivery that was answered, over HTTP
	Status  int           // over HTTP; 200 over Socket Mode
	Payload json.RawMessage
}

// Change is one thing the bot did to what people see.
type Change struct {
	At      time.Time
	Via     string // the method, response_url or ack
	Kind    Kind
	Message Message // as it was then; zero for a view
	View    View    // as it was then; zero for a message
}

// Kind says what became of a message or a view.
type Kind string

// The kinds of changes.
const (
	Posted    Kind = "posted"    // a message, for all or for one; an upload to a channel, too
	Updated   Kind = "updated"   // a message
	Deleted   Kind = "deleted"   // a message
	Opened    Kind = "opened"    // a modal; also pushed onto another
	Refreshed Kind = "refreshed" // a modal, updated
	Published Kind = "published" // a home tab
	Closed    Kind = "closed"    // a modal, by the bot's response_action
	Errors    Kind = "errors"    // a modal shows errors, by the bot's response_action; View.Errors
)

// ErrEnded is what waiting on an exchange that has ended, or on a closed server, returns.
var ErrEnded = errors.New("the exchange has ended")

// Acked waits for the acknowledgement: the first if there are several. It returns the
// context's error, or that of a connection that failed over HTTP.
func (x *Exchange) Acked(ctx context.Context) (Ack, error) {
	var ack Ack
	err := x.wait(ctx, func() (bool, error) {
		if len(x.acks) > 0 {
			ack = x.acks[0]
			return true, nil
		}
		return false, x.failed
	})
	return ack, err
}

// Acks are the acknowledgements so far, in order.
func (x *Exchange) Acks() []Ack {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	return slices.Clone(x.acks)
}

// Next waits for the next change that was not returned yet.
func (x *Exchange) Next(ctx context.Context) (Change, error) {
	var c Change
	err := x.wait(ctx, func() (bool, error) {
		if x.returned < len(x.changes) {
			c = x.changes[x.returned]
			x.returned++
			return true, nil
		}
		return false, nil
	})
	return c, err
}

// Until returns the first of the changes to come that want holds for.
func (x *Exchange) Until(ctx context.Context, want func(Change) bool) (Change, error) {
	for {
		c, err := x.Next(ctx)
		if err != nil || want(c) {
			return c, err
		}
	}
}

// Changes are all so far, returned by Next or not.
func (x *Exchange) Changes() []Change {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	return slices.Clone(x.changes)
}

// Messages are those that the exchange has seen, each once and in its present state, in
// order of appearance.
func (x *Exchange) Messages() []Message {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	var all []Message
	for _, m := range x.seen {
		all = append(all, m.snapshot())
	}
	return all
}

// Views are those that the exchange has seen, each in its present state.
func (x *Exchange) Views() []View {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	var all []View
	for _, v := range x.seenView {
		all = append(all, v.View)
	}
	return all
}

// mostGone is how many ended exchanges may still be acknowledged without a fault.
const mostGone = 10000

// End forgets the exchange and what it has seen: it sees no further change, and waiting ends
// with ErrEnded. Its response URL and trigger ID keep working as long as Slack's do.
func (x *Exchange) End() {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	x.server.forget(x)
}

// wait returns when got says so, or fails. got is called with the server's lock held.
func (x *Exchange) wait(ctx context.Context, got func() (bool, error)) error {
	for {
		x.server.mu.Lock()
		ok, err := got()
		bell, over := x.bell, x.ended || x.server.closed
		x.server.mu.Unlock()
		switch {
		case ok || err != nil:
			return err
		case over:
			return ErrEnded
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ring wakes those who wait. The lock is held.
func (x *Exchange) ring() {
	close(x.bell)
	x.bell = make(chan struct{})
}

// newExchange makes one that sees the changes in a channel and those for a user. The lock
// is held.
func (s *Server) newExchange(user, channel string) *Exchange {
	x := &Exchange{User: user, Channel: channel, server: s, bell: make(chan struct{})}
	for _, key := range x.keys() {
		if s.watching[key] == nil {
			s.watching[key] = map[*Exchange]bool{}
		}
		s.watching[key][x] = true
	}
	return x
}

// keys are those of Server.watching.
func (x *Exchange) keys() []string {
	var keys []string
	if x.Channel != "" {
		keys = append(keys, "channel "+x.Channel)
	}
	if x.User != "" {
		keys = append(keys, "user "+x.User)
	}
	return keys
}

// forget ends an exchange. The lock is held.
func (s *Server) forget(x *Exchange) {
	if x.ended {
		return
	}
	x.ended = true
	for _, key := range x.keys() {
		if delete(s.watching[key], x); len(s.watching[key]) == 0 {
			delete(s.watching, key)
		}
	}
	delete(s.pending, x.EnvelopeID)
	if _, sent := s.known[x.EnvelopeID]; sent {
		s.known[x.EnvelopeID] = nil // an acknowledgement may yet come
		if s.gone = append(s.gone, x.EnvelopeID); len(s.gone) > mostGone {
			delete(s.known, s.gone[0])
			s.gone = s.gone[1:]
		}
	}
	x.envelope.payload, x.changes, x.seen, x.seenView = nil, nil, nil, nil
	x.ring()
}

// tell gives a change to the exchange it came by or, where that is nil, to all that watch the
// place. The lock is held.
func (s *Server) tell(by *Exchange, via string, kind Kind, m *message, v *view) {
	c := Change{At: s.now(), Via: via, Kind: kind}
	var keys []string
	if m != nil {
		c.Message = m.snapshot()
		keys = append(keys, "channel "+m.Channel)
		if ch := s.channels[m.Channel]; ch != nil && ch.IM {
			keys = append(keys, "user "+ch.User)
		}
	} else {
		c.View = v.View
		keys = append(keys, "user "+v.User)
	}
	told := map[*Exchange]bool{}
	for _, key := range keys {
		for x := range s.watching[key] {
			told[x] = true
		}
	}
	if by != nil {
		told = map[*Exchange]bool{by: !by.ended}
	}
	for x, open := range told {
		if !open {
			continue
		}
		x.changes = append(x.changes, c)
		if m != nil && !slices.Contains(x.seen, m) {
			x.seen = append(x.seen, m)
		}
		if v != nil && !slices.Contains(x.seenView, v) {
			x.seenView = append(x.seenView, v)
		}
		x.ring()
	}
}
