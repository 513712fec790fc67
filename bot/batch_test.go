package bot

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// gatherer is a stage whose channel is held up, so that what is asked meanwhile waits in it together.
// /note counts in the channel and with the person, and says both counts; what follows it may be a trouble.
type gatherer struct {
	*stage
	hold    chan struct{}
	mu      sync.Mutex
	replies map[string][]string // by request
	waits   []<-chan error
	taught  int // how often /note cours was run: the first teaches another course
}

func newGatherer(t *testing.T) *gatherer {
	g := &gatherer{stage: newStage(t, "fr"), replies: map[string][]string{}}
	g.notes(g.tutor)
	return g
}

func (g *gatherer) notes(t *Tutor) {
	t.commands = append(t.commands, &command{name: name{"note", "note"}, help: "help.help", usage: "help.usage",
		manner: func(_ words, _, _ string, m *Manner) { m.Gathers = true },
		run: func(c *call) (Reply, error) {
			c.channel.last.From++
			c.learner.progress.Asked++
			c.channel.set("notes/"+c.request.Who.ID, []byte(c.args))
			switch c.args {
			case "panique":
				panic("a bug")
			case "erreur":
				return Reply{}, errors.New("a failure")
			case "cours":
				if g.taught++; g.taught == 1 {
					t.Teach(titled(g.t, "Un autre cours"))
				}
			case "gros":
				return Reply{Blocks: []Block{Text{strings.Repeat("x", 200<<10)}}}, nil
			}
			return Reply{Blocks: []Block{Text{fmt.Sprintf("%d %d", c.channel.last.From, c.learner.progress.Asked)}}}, nil
		}})
}

// holdUp has the channel busy until release.
func (g *gatherer) holdUp() {
	hold, held := make(chan struct{}), make(chan struct{})
	g.hold = hold
	j := job{ctx: context.Background(), done: make(chan error, 1), ours: true, run: func(context.Context, *lane) {
		close(held)
		<-hold
	}}
	if _, err := g.tutor.enqueue(g.request("").Place(), j); err != nil {
		g.t.Fatal(err)
	}
	<-held
}

// accept asks without waiting for the answer.
func (g *gatherer) accept(ctx context.Context, person, line string) Request {
	g.person = person
	r := g.request(line)
	g.deliver(ctx, r)
	return r
}

func (g *gatherer) deliver(ctx context.Context, r Request) {
	done, err := g.tutor.Accept(ctx, r, func(reply Reply) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.replies[r.ID] = append(g.replies[r.ID], plainText(reply))
	})
	if err != nil {
		g.t.Fatal(err)
	}
	g.waits = append(g.waits, done)
}

// release lets the channel go on, and waits for all answers.
func (g *gatherer) release() {
	close(g.hold)
	for _, done := range g.waits {
		if err := <-done; err != nil {
			g.t.Error(err)
		}
	}
	g.waits = nil
}

func (g *gatherer) counts() uint64 {
	reply := plainText(g.ask("/note"))
	var here, mine uint64
	fmt.Sscan(reply, &here, &mine)
	return here - 1
}

// 300 people at once: each is answered once, in their order, in few commits, and all is durable.
func TestAnswersShareACommit(t *testing.T) {
	g := newGatherer(t)
	g.holdUp()
	var ids []string
	for i := range 300 {
		ids = append(ids, g.accept(t.Context(), fmt.Sprint("p", i), "/note").ID)
	}
	g.release()
	for i, id := range ids {
		if got, want := fmt.Sprint(g.replies[id]), fmt.Sprintf("[%d 1]", i+1); got != want {
			t.Fatalf("answer %d: %s, want %s", i, got, want)
		}
	}
	if g.store.commits > 2*(300/mostTogether+1) { // of four operations each, two commits hold as many as share a turn
		t.Errorf("%d commits", g.store.commits)
	}
	g.tutor = g.newTutor()
	g.notes(g.tutor)
	for i, id := range ids { // delivered again, to another process
		r := g.request("/note")
		r.ID, r.Who.ID = id, fmt.Sprint("p", i)
		if got, want := plainText(g.send(r)), fmt.Sprintf("%d 1", i+1); got != want {
			t.Fatalf("answer %d again: %s, want %s", i, got, want)
		}
	}
	if n := g.counts(); n != 300 {
		t.Errorf("%d counted", n)
	}
	g.person = "p7"
	if got := plainText(g.ask("/note")); got != "302 2" {
		t.Errorf("the seventh's own: %s", got)
	}
}

// The second of the same person waits for the next turn; the same request is done once.
func TestSamePersonTwiceInTheQueue(t *testing.T) {
	g := newGatherer(t)
	g.holdUp()
	a := g.accept(t.Context(), "ana", "/note")
	b := g.accept(t.Context(), "bob", "/note")
	again := g.accept(t.Context(), "ana", "/note")
	g.deliver(t.Context(), a)
	g.release()
	want := map[string][]string{a.ID: {"1 1", "1 1"}, b.ID: {"2 1"}, again.ID: {"3 2"}}
	if !reflect.DeepEqual(g.replies, want) {
		t.Errorf("%v, want %v", g.replies, want)
	}
	if n := g.counts(); n != 3 {
		t.Errorf("%d counted", n)
	}
}

// One that fails spoils nobody else's, and leaves no trace.
func TestOneOfManyFails(t *testing.T) {
	for _, line := range []string{"/note panique", "/note erreur"} {
		g := newGatherer(t)
		g.holdUp()
		var bad string
		var good []string
		for i := range 20 {
			if i == 11 {
				bad = g.accept(t.Context(), fmt.Sprint("p", i), line).ID
				continue
			}
			good = append(good, g.accept(t.Context(), fmt.Sprint("p", i), "/note").ID)
		}
		g.release()
		if got := g.replies[bad]; len(got) != 1 || !strings.Contains(got[0], "rien n'a été changé") {
			t.Errorf("%s: %q", line, got)
		}
		for i, id := range good {
			if got, want := fmt.Sprint(g.replies[id]), fmt.Sprintf("[%d 1]", i+1); got != want {
				t.Errorf("%s: answer %d: %s, want %s", line, i, got, want)
			}
		}
		if n := g.counts(); n != 19 {
			t.Errorf("%s: %d counted", line, n)
		}
	}
}

// Another course that is taught while several are being answered costs none of them what they did.
func TestAnotherCourseIsTaughtMeanwhile(t *testing.T) {
	g := newGatherer(t)
	g.holdUp()
	for i := range 6 {
		line := "/note"
		if i == 2 {
			line = "/note cours"
		}
		g.accept(t.Context(), fmt.Sprint("p", i), line)
	}
	g.release()
	if n := g.counts(); n != 6 {
		t.Errorf("%d counted", n)
	}
	if records, _, err := g.store.Read(t.Context(), Scope{Platform: "test", Channel: "general"}, "notes/p"); err != nil || len(records) != 6 {
		t.Errorf("%d kept, %v", len(records), err)
	}
}

// Whoever has given up before their turn is left out; whoever is in it is answered.
func TestOneOfManyGaveUp(t *testing.T) {
	g := newGatherer(t)
	g.holdUp()
	a := g.accept(t.Context(), "ana", "/note")
	over, cancel := context.WithCancel(t.Context())
	gone := g.accept(over, "bob", "/note")
	left := g.waits[1]
	g.waits = append(g.waits[:1:1], g.waits[2:]...)
	b := g.accept(t.Context(), "cam", "/note")
	cancel()
	g.release()
	if err := <-left; !errors.Is(err, context.Canceled) || g.replies[gone.ID] != nil {
		t.Errorf("who left: %v %v", err, g.replies[gone.ID])
	}
	if got := fmt.Sprint(g.replies[a.ID], g.replies[b.ID]); got != "[1 1] [2 1]" {
		t.Error(got)
	}
}

// meddler has another process write between what is read and what is written, once.
type meddler struct {
	Store
	meddle func()
}

func (m *meddler) Commit(ctx context.Context, c Commit) error {
	if f := m.meddle; f != nil && len(c.Answers) > 1 {
		m.meddle = nil
		f()
	}
	return m.Store.Commit(ctx, c)
}

func TestAnotherProcessWritesMeanwhile(t *testing.T) {
	g := newGatherer(t)
	other := newGatherer(t)
	other.store = g.store
	other.tutor.cfg.Store = g.store
	m := &meddler{Store: g.store}
	g.tutor.cfg.Store = m
	g.ask("/note")
	g.holdUp()
	a := g.accept(t.Context(), "ana", "/note") // her request reaches both processes
	b := g.accept(t.Context(), "bob", "/note")
	c := g.accept(t.Context(), "cam", "/note")
	m.meddle = func() {
		if got := plainText(other.send(a)); got != "2 2" {
			t.Errorf("the other process: %s", got)
		}
	}
	g.release()
	if got := fmt.Sprint(g.replies[a.ID], g.replies[b.ID], g.replies[c.ID]); got != "[2 2] [3 1] [4 1]" {
		t.Error(got)
	}
	if n := g.counts(); n != 4 {
		t.Errorf("%d counted", n)
	}
}

// A commit keeps to what etcd takes in a transaction, however large the replies are.
func TestSharedCommitIsBounded(t *testing.T) {
	g := newGatherer(t)
	sizes := &largest{memory: newMemory()}
	g.tutor.cfg.Store = sizes
	g.holdUp()
	for i := range 60 {
		line := "/note"
		if i%3 == 0 {
			line = "/note gros"
		}
		g.accept(t.Context(), fmt.Sprint("p", i), line)
	}
	g.release()
	if sizes.writes > 128 || sizes.bytes > 3<<19 || sizes.writes < 60 {
		t.Errorf("%d operations, %d bytes", sizes.writes, sizes.bytes)
	}
	if len(g.replies) != 60 {
		t.Errorf("%d answered", len(g.replies))
	}
}

// Answers have a bound of their own, and take no place from other requests.
func TestAnswersInTheQueueAreBounded(t *testing.T) {
	g := newGatherer(t)
	g.tutor.cfg.Limits.Queue, g.tutor.cfg.Limits.Answers = 2, 5
	g.holdUp()
	for i := range 9 {
		g.accept(t.Context(), fmt.Sprint("p", i), "/note")
	}
	for range 4 {
		g.accept(t.Context(), "ana", "/aide")
	}
	g.release()
	busy, answered := 0, 0
	for _, texts := range g.replies {
		if strings.Contains(texts[0], "attendent") {
			busy++
		} else if answered++; len(texts) != 1 {
			t.Errorf("%q", texts)
		}
	}
	if busy != 6 || answered != 7 {
		t.Errorf("%d busy, %d answered", busy, answered)
	}
	if n := g.counts(); n != 5 {
		t.Errorf("%d counted", n)
	}
}

// What a platform knows of each is asked for at once, not one after the other.
func TestFilledInAtOnce(t *testing.T) {
	g := newGatherer(t)
	g.holdUp()
	var waiting sync.WaitGroup
	waiting.Add(10)
	for i := range 10 {
		r := g.request("/note")
		r.Who.ID = fmt.Sprint("p", i)
		r.Fill = func(ctx context.Context, r *Request) {
			waiting.Done()
			waiting.Wait() // each for all
			if r.Locale = "en"; r.Who.ID == "p3" {
				panic("a bug")
			}
		}
		g.deliver(t.Context(), r)
	}
	began := time.Now()
	g.release()
	if len(g.replies) != 10 || time.Since(began) > 10*time.Second {
		t.Errorf("%d answered after %v", len(g.replies), time.Since(began))
	}
}
