package bot

import (
	"context"
	"slices"
	"sync"
	"time"
)

// gate has turns work a few at a time, so that nobody's work keeps the others from theirs. A channel has one turn
// at a time already; the gate is for a hundred channels of one tenant, each of which has the longest thing
// done that there is.
//
// A turn begins among the quick. One that works for longer goes on among the long, of which as many work as there
// are processors to spare, in slices, each tenant's in turn. So whoever asks for something short
// never waits for more than a few others that are short too, however much is asked for elsewhere. A place is held
// while a turn computes, and not while it waits for the disk or for a platform. One that does not look up for long is
// stuck: it goes on, and its place is given to another, but its tenant has one less.
type gate struct {
	now func() time.Time

	mu          sync.Mutex
	quick, long pool
	looking     bool // relieve will be called
}

const (
	quickFor = 50 * time.Millisecond  // a turn that works for longer is a long one
	sliceFor = 100 * time.Millisecond // after so long a long one lets another work, if one waits
	stuckFor = 4 * quickFor           // one that has not looked up for so long is stuck
	// quickSteps is how many pieces of work a quick turn has at most, however long they take: on a machine
	// that is busy with other things a short turn takes long, too.
	quickSteps = 8
)

// pool are the places of one kind, and who waits for one.
type pool struct {
	slots, each int // places in all, and of one tenant
	busy        int
	houses      map[Scope]*crew
	order       []*crew // that have someone waiting, the one whose turn it is first
}

// crew is what a tenant has in a pool.
type crew struct {
	of      Scope
	inside  []*pass
	waiting []waiting
}

type waiting struct {
	pass  *pass
	ready chan struct{} // closed when it may work
}

// pass is a turn's, from when it may work until it need not. A nil one is of a turn that needs none.
type pass struct {
	gate  *gate
	of    Scope
	place *pool // where it works; nil: it does not
	since time.Time
	steps int  // since then
	stuck bool // its place is another's
	hard  bool // it is a long turn
}

func newGate(processors int) *gate {
	processors = max(1, processors)
	g := &gate{now: time.Now}
	g.quick = pool{slots: 2 * processors, each: processors, houses: map[Scope]*crew{}}
	g.long = pool{slots: max(1, processors/2), each: processors, houses: map[Scope]*crew{}}
	return g
}

// house is whose share a channel's work counts to: its tenant's, or where there is none its own.
func (p Place) house() Scope {
	if p.Tenant == "" {
		return p.Scope()
	}
	return Scope{Platform: p.Platform, Tenant: p.Tenant}
}

// enter waits for a place, among the long where the channel's last turn was one. The error is ctx's.
func (g *gate) enter(ctx context.Context, p Place, long bool) (*pass, error) {
	s := &pass{gate: g, of: p.house()}
	to := &g.quick
	if long {
		to = &g.long
	}
	g.mu.Lock()
	ready := g.queue(s, to)
	g.mu.Unlock()
	return s, s.await(ctx, to, ready)
}

// queue and those that follow up to take have the turn of g.mu.
func (g *gate) queue(s *pass, to *pool) (ready chan struct{}) {
	c := to.houses[s.of]
	if c == nil {
		c = &crew{of: s.of}
		to.houses[s.of] = c
	}
	ready = make(chan struct{})
	if c.waiting = append(c.waiting, waiting{s, ready}); len(c.waiting) == 1 {
		to.order = append(to.order, c)
	}
	g.fill(to)
	return ready
}

// fill gives what places are free: to one of each tenant in turn.
func (g *gate) fill(to *pool) {
	g.unstick(to)
	for to.busy < to.slots {
		i := slices.IndexFunc(to.order, func(c *crew) bool { return len(c.inside) < to.each })
		if i < 0 {
			break
		}
		c := to.order[i]
		w := c.waiting[0]
		c.waiting = c.waiting[1:]
		to.order = slices.Delete(to.order, i, i+1)
		if len(c.waiting) > 0 {
			to.order = append(to.order, c)
		}
		c.inside = append(c.inside, w.pass)
		to.busy++
		w.pass.place, w.pass.since, w.pass.steps, w.pass.stuck = to, g.now(), 0, false
		close(w.ready)
	}
	g.look()
}

// look has the stuck looked for while someone waits.
func (g *gate) look() {
	if !g.looking && len(g.quick.order)+len(g.long.order) > 0 {
		g.looking = true
		time.AfterFunc(stuckFor, g.relieve)
	}
}

// relieve gives the places of those that are stuck to others.
func (g *gate) relieve() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.looking = false
	g.fill(&g.quick)
	g.fill(&g.long)
}

// unstick takes the places of a full pool that are held by who is stuck.
func (g *gate) unstick(p *pool) {
	if p.busy < p.slots {
		return
	}
	for _, c := range p.houses {
		for _, s := range c.inside {
			if !s.stuck && g.now().Sub(s.since) >= stuckFor {
				s.stuck = true
				p.busy--
			}
		}
	}
}

// take takes the place back.
func (g *gate) take(s *pass) {
	from := s.place
	c := from.houses[s.of]
	c.inside = slices.DeleteFunc(c.inside, func(o *pass) bool { return o == s })
	if !s.stuck {
		from.busy--
	}
	s.place = nil
	g.tidy(from, c)
	g.fill(from)
}

func (g *gate) tidy(p *pool, c *crew) {
	if len(c.inside)+len(c.waiting) == 0 {
		delete(p.houses, c.of)
	}
}

// await waits until the pass has its place.
func (s *pass) await(ctx context.Context, to *pool, ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	g := s.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.place != nil { // at the last moment
		g.take(s)
		return ctx.Err()
	}
	c := to.houses[s.of]
	c.waiting = slices.DeleteFunc(c.waiting, func(w waiting) bool { return w.pass == s })
	if len(c.waiting) == 0 {
		to.order = slices.DeleteFunc(to.order, func(o *crew) bool { return o == c })
	}
	g.tidy(to, c)
	return ctx.Err()
}

// pace is called between two pieces of work, by whoever does them, with nothing held that another turn may wait
// for: after a while it is someone else's turn.
func (s *pass) pace(ctx context.Context) {
	if s == nil {
		return
	}
	g := s.gate
	g.mu.Lock()
	if s.place == nil {
		g.mu.Unlock()
		return
	}
	s.steps++
	worked := g.now().Sub(s.since)
	if worked < quickFor || s.steps < quickSteps || s.place == &g.long && worked < sliceFor {
		g.mu.Unlock()
		return
	}
	if s.place == &g.long && len(g.long.order) == 0 && !s.stuck {
		s.since, s.hard = g.now(), true
		g.mu.Unlock()
		return
	}
	s.hard = true
	g.take(s)
	ready := g.queue(s, &g.long)
	g.mu.Unlock()
	_ = s.await(ctx, &g.long, ready) // what ends the wait ends the work, too
}

// leave gives the place back, if there is one.
func (s *pass) leave() {
	if s == nil {
		return
	}
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	if s.place == nil {
		return
	}
	s.hard = s.hard || s.gate.now().Sub(s.since) > stuckFor
	s.gate.take(s)
}

type passKey struct{}

// with is a context that carries the pass.
func (s *pass) with(ctx context.Context) context.Context { return context.WithValue(ctx, passKey{}, s) }

func passOf(ctx context.Context) *pass {
	s, _ := ctx.Value(passKey{}).(*pass)
	return s
}

// pacing is a context whose Err lets others work, for what looks at it between two steps.
type pacing struct {
	context.Context
	pass *pass
}

func (p pacing) Err() error {
	if err := p.Context.Err(); err != nil {
		return err
	}
	p.pass.pace(p.Context)
	return p.Context.Err()
}
