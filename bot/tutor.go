package bot

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"timonier/content"
	"timonier/sim/apiserver"
)

// Config is what a Tutor is made of. Store is required.
type Config struct {
	Store   Store
	Content *content.Course  // nil: the built-in course
	Now     func() time.Time // the wall clock; nil: time.Now
	Logger  *slog.Logger     // nil: silent
	Metrics *Metrics         // nil: nothing is counted
	Limits  Limits
	Cluster apiserver.Limits // of each channel's cluster
	Outside *Outside         // nil: the channels' clusters are not reached from outside
}

// Limits bound what one channel may cost. Zero values mean the default in the comment.
type Limits struct {
	Line     int           // bytes of a request's Line: 1 MiB
	Queue    int           // requests waiting in a channel before new ones are told that it is busy: 64
	Answers  int           // the same of those that are answered together, which do not count there: 2000
	Channels int           // channels kept in memory: 4096; the least recently used leave
	Memory   int64         // bytes that the channels in memory may take, about: 128 MiB; the least recently used leave
	Command  time.Duration // wall time of one command: 20 s
	Look     time.Duration // how long a command that only looks waits for the disk before it is answered all the same: 2 s; see unkept.go
	Output   int           // characters of a page of a code block, where there is more: 3500
	Follow   time.Duration // how long a live answer is kept up to date: 3 min
	Bank     int           // bytes that a tenant's own questions may take: 32 MiB

	Rates      Rates // how often anything may be asked: see there
	Processors int   // as many turns as these can work on at once: Go's; see gate
}

func (l Limits) orDefault() Limits {
	return Limits{
		Line:     cmp.Or(l.Line, 1<<20),
		Queue:    cmp.Or(l.Queue, 64),
		Answers:  cmp.Or(l.Answers, 2000),
		Channels: cmp.Or(l.Channels, 4096),
		Memory:   cmp.Or(l.Memory, 128<<20),
		Command:  cmp.Or(l.Command, 20*time.Second),
		Look:     cmp.Or(l.Look, 2*time.Second),
		Output:   cmp.Or(l.Output, 3500),
		Follow:   cmp.Or(l.Follow, 3*time.Minute),
		Bank:     cmp.Or(l.Bank, 32<<20),

		Rates:      l.Rates.orDefault(),
		Processors: cmp.Or(l.Processors, runtime.GOMAXPROCS(0)),
	}
}

// ErrClosed is what a closed Tutor answers.
var ErrClosed = errors.New("the tutor is closed")

// Tutor answers requests. It is safe for concurrent use: requests of one channel
// are answered one after the other, in the order in which they came; channels do
// not wait for each other.
type Tutor struct {
	cfg      Config
	commands []*command
	words    map[string]words

	mu       sync.Mutex
	lanes    map[Place]*lane
	idle     *list.List // of lanes without a worker, the longest idle first
	weight   int64      // bytes that the lanes take
	closed   bool
	follows  map[*following]struct{}
	followed uint64                // how many there have been
	speaking map[string]*announcer // by platform
	working  sync.WaitGroup

	taught  atomic.Pointer[content.Course]
	refused atomic.Pointer[Refusal]
	pending pending
	spoken  spoken
	gallery gallery
	company company
	banks   banks
	wakers  []waker
	agenda  agenda
	limits  *limiter
	outside outside
	gate    *gate
}

// New makes a tutor. It reads nothing yet.
func New(cfg Config) *Tutor {
	if cfg.Content == nil {
		cfg.Content = content.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Limits = cfg.Limits.orDefault()
	all, err := newWords()
	if err != nil {
		panic(err) // a build whose tests did not pass
	}
	t := &Tutor{cfg: cfg, commands: commands(), words: all, lanes: map[Place]*lane{}, idle: list.New(),
		follows: map[*following]struct{}{}, pending: pending{keys: map[string]string{}, changes: map[string][]byte{}}}
	t.pending.idle.L = &t.pending.mu
	t.limits, t.gate = newLimiter(cfg.Limits.Rates), newGate(cfg.Limits.Processors)
	t.wakers, t.speaking, t.agenda.kept, t.agenda.idle.L = wakers(), map[string]*announcer{}, map[Scope]*entry{}, &t.agenda.mu
	t.Teach(cfg.Content)
	t.cfg.Content = nil // only the first: what is taught is a call's content
	return t
}

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
	if over := t.Admit(&r); over != nil {
		emit(over.Reply)
		refused := make(chan error, 1)
		refused <- nil
		return refused, nil
	}
	j := job{ctx: ctx, done: make(chan error, 1)}
	j.served = &served{request: r, emit: emit, done: j.done}
	j.gathers = len(r.Line) <= longestGathered && t.Manner(r).Gathers
	t.begin(r)
	ok, err := t.enqueue(r.Place(), j)
	if err != nil {
		return nil, err // what was begun is kept for the process that comes next
	}
	if !ok {
		t.cfg.Metrics.Failed(r.Platform, "busy")
		w := t.wordsOf(t.spoken.of(r), r.Locale)
		emit(Reply{Blocks: []Block{Text{w.say("failure.busy")}}, Private: t.Manner(r).Private, Final: true, Failed: true})
		full := make(chan error, 1)
		full <- nil
		return full, nil
	}
	return j.done, nil
}

// Close refuses new requests and waits for those accepted. Answers that were being kept
// up to date stay as they are.
func (t *Tutor) Close() error {
	t.mu.Lock()
	t.closed = true
	follows := slices.Collect(maps.Keys(t.follows))
	t.mu.Unlock()
	for _, f := range follows {
		f.stop()
	}
	t.outside.close()
	t.working.Wait()
	t.writeNotes()
	t.pending.settled()
	t.agenda.settled()
	return nil
}
