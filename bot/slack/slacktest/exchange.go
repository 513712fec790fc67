package slacktest

import (
	"context"
	"encoding/json"
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

	exchange
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

// Acked waits for the acknowledgement: the first if there are several. It returns the context's error, or
// that of a connection that failed over HTTP.
func (x *Exchange) Acked(ctx context.Context) (Ack, error) { return x.acked(ctx) }

// Next waits for the next change that was not returned yet.
func (x *Exchange) Next(ctx context.Context) (Change, error) { return x.next(ctx) }

// Until returns the first of the changes to come that want holds for.
func (x *Exchange) Until(ctx context.Context, want func(Change) bool) (Change, error) {
	for {
		c, err := x.Next(ctx)
		if err != nil || want(c) {
			return c, err
		}
	}
}

// Messages are those that the exchange has seen, each once and in its present state, in order of
// appearance.
func (x *Exchange) Messages() []Message { return x.messages() }

// Views are those that the exchange has seen, each in its present state.
func (x *Exchange) Views() []View { return x.views() }

// End forgets the exchange: it sees no further change, and waiting ends with ErrEnded. Its response URL and
// trigger ID keep working as long as Slack's do.
func (x *Exchange) End() { x.end() }
