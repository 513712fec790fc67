package bot

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Config is what a Tutor is made of. Store is required.
type Config struct {
	Store  Store
	Now    func() time.Time // the wall clock; nil: time.Now
	Logger *slog.Logger     // nil: silent
	Limits Limits
}

// Limits bound what one channel may cost. Zero values mean the default in the comment.
type Limits struct {
	Line     int           // bytes of a request's Line: 1 MiB
	Queue    int           // requests waiting in a channel before new ones are told that it is busy: 64
	Channels int           // channels kept in memory: 256; the least recently used leave
	Command  time.Duration // wall time of one command: 20 s
	Output   int           // characters of a code block before the rest goes to a file: 3500
}

// ErrClosed is what a closed Tutor answers.
var ErrClosed = errors.New("the tutor is closed")

// Tutor answers requests. It is safe for concurrent use: requests of one channel
// are answered one after the other, in the order in which they came; channels do
// not wait for each other.
type Tutor struct {
	cfg Config
}

// New makes a tutor. It reads nothing yet.
func New(cfg Config) *Tutor { return &Tutor{cfg: cfg} }

// Handle answers one request and returns when the answer is complete. emit is
// called at least once, one call at a time, and the last Reply is Final; what it
// says is durable by then. What a learner does wrong is a Reply. So is what we do
// wrong: an apology with the reference under which the cause was logged. The error
// says only that there is no answer to give: ErrClosed, or the context's own where
// it ended before the request's turn came.
func (t *Tutor) Handle(ctx context.Context, r Request, emit func(Reply)) error {
	done, err := t.Accept(ctx, r, emit)
	if err != nil {
		return err
	}
	return <-done
}

// Accept puts a request in its channel's queue and returns at once; done gives
// Handle's result. A front end that reads events one by one calls it from the
// loop that reads, so that order is kept, and waits for done elsewhere.
func (t *Tutor) Accept(ctx context.Context, r Request, emit func(Reply)) (done <-chan error, err error) {
	return nil, ErrClosed
}

// Welcome is the first message of a conversation. The Line of the request does not count.
func (t *Tutor) Welcome(ctx context.Context, r Request) Reply { return Reply{Final: true} }

// Complete returns whole lines that line could become by completing the word
// under the cursor (a count of bytes from the start), best first, 25 at most. The
// request says who and where; its Line does not count. Nothing is changed.
func (t *Tutor) Complete(ctx context.Context, r Request, line string, cursor int) []string {
	return nil
}

// Close refuses new requests and waits for those accepted.
func (t *Tutor) Close() error { return nil }
