package discordtest

import (
	"context"
	"slices"
	"time"
)

// Exchange is one interaction and all that the bot answered. It is safe for
// concurrent use, but one caller at a time should call Next.
type Exchange struct {
	ID    string // of the interaction
	Token string // of the interaction

	server  *Server
	kind    Kind
	payload map[string]any // as delivered
	sentTo  string         // endpoint; empty: the gateway
	place   Place
	created time.Time

	on        *message  // what holds the component, or led to the form
	sent      time.Time // in real time
	signed    time.Time // for when, lately, where it goes to an endpoint
	first     *Response
	err       error // why there will be no first response
	updates   []Update
	read      int           // of updates, by Next
	changed   chan struct{} // closed at each change, and replaced
	original  *message
	followUps []*message
	modal     *Modal
	choices   []Choice
}

// Types of responses (interactions/receiving-and-responding#interaction-response-object).
const (
	RespondPong        = 1
	RespondMessage     = 4
	RespondDefer       = 5
	RespondDeferUpdate = 6
	RespondUpdate      = 7
	RespondChoices     = 8
	RespondModal       = 9
)

// Response is the bot's first.
type Response struct {
	Type    int
	Flags   int
	Data    map[string]any // as sent; nil where there is none
	At      time.Time      // by the server's clock
	Latency time.Duration  // since the interaction was sent, in real time
	Message Message        // the message it made or changed, as it then stood
}

// Change is what an Update did.
type Change int

// The changes.
const (
	Edited Change = iota
	FollowedUp
	Deleted
	Elsewhere // sent by the bot's own token, with the interaction's ID as its nonce
)

// Update is one later change of a message of the exchange.
type Update struct {
	Change  Change
	Route   string // "PATCH /webhooks/{app}/{token}/messages/@original"
	At      time.Time
	Message Message // as it then stood
}

// First waits for the first response. It fails when ctx or the server ends, and at
// once where nobody can answer: ErrNobody; an endpoint that answered anything but
// 200 or 202; a command, option, button or form that Discord would not let be used.
func (e *Exchange) First(ctx context.Context) (Response, error) {
	var r Response
	err := e.wait(ctx, func() (bool, error) {
		if e.first == nil {
			return false, e.err
		}
		r = *e.first
		return true, nil
	})
	return r, err
}

// Next waits for the next change after the first response: an edit, a follow-up, a deletion.
func (e *Exchange) Next(ctx context.Context) (Update, error) {
	var u Update
	err := e.wait(ctx, func() (bool, error) {
		if e.read >= len(e.updates) {
			return false, e.err
		}
		u = e.updates[e.read]
		e.read++
		return true, nil
	})
	return u, err
}

// Until waits until the original message is as wanted and gives it. It sees every
// state from now on, and the present one first.
func (e *Exchange) Until(ctx context.Context, wanted func(Message) bool) (Message, error) {
	var m Message
	seen := -1
	err := e.wait(ctx, func() (bool, error) {
		if e.original == nil {
			return false, e.err
		}
		if seen < 0 {
			seen = len(e.updates)
			if m = e.original.Message; wanted(m) {
				return true, nil
			}
		}
		for ; seen < len(e.updates); seen++ {
			if u := e.updates[seen]; u.Message.ID == e.original.ID {
				if m = u.Message; wanted(m) {
					return true, nil
				}
			}
		}
		return false, e.err
	})
	return m, err
}

// Message is the original message as it stands; zero where there is none (yet).
func (e *Exchange) Message() Message {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	if e.original == nil {
		return Message{}
	}
	return e.original.Message
}

// FollowUps are the messages sent after the original, as they stand.
func (e *Exchange) FollowUps() []Message {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	var all []Message
	for _, m := range e.followUps {
		all = append(all, m.Message)
	}
	return all
}

// History is every change so far, Next's too.
func (e *Exchange) History() []Update {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	return slices.Clone(e.updates)
}

// Modal is the form that the bot opened in answer.
func (e *Exchange) Modal() (Modal, bool) {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	if e.modal == nil {
		return Modal{}, false
	}
	return *e.modal, true
}

// Choices are the suggestions that the bot gave.
func (e *Exchange) Choices() []Choice {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	return slices.Clone(e.choices)
}

// Payload is the interaction as JSON, as it was delivered.
func (e *Exchange) Payload() []byte { return mustJSON(e.payload) }

// Forget lets go of the exchange and its messages; what it has in hand stays
// readable, but the bot finds its token unknown. For long runs.
func (e *Exchange) Forget() {
	s := e.server
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.exchanges, e.Token)
	delete(s.buckets, "webhook "+e.Token)
	for _, m := range append(slices.Clone(e.followUps), e.original) {
		if m == nil {
			continue
		}
		for _, a := range m.Attachments {
			delete(s.files, pathOf(a.URL))
		}
		delete(s.messages, m.ID)
	}
}

// wait calls ready with the server locked, now and after each change, until it is
// true or fails.
func (e *Exchange) wait(ctx context.Context, ready func() (bool, error)) error {
	for {
		e.server.mu.Lock()
		done, err := ready()
		changed := e.changed
		e.server.mu.Unlock()
		if done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-e.server.ctx.Done():
			return ErrClosed
		}
	}
}

// tell wakes who waits. Called with the server locked.
func (e *Exchange) tell() {
	close(e.changed)
	e.changed = make(chan struct{})
}
