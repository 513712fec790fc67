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
// As many turns work as there are processors, each tenant's in turn; where more than one tenant has come of late, each
// has half of the places at most. A turn begins as a quick one. One that works for longer goes on as a long one: of
// those half of the places are had at most, in slices, and only while no quick one waits, or when they have waited
// for long enough themselves. So whoever asks for something short
// never waits for more than a few others that are short too, however much is asked for elsewhere. A place is held
// while a turn computes, and not while it waits for the disk or for a platform. One that does not look up for long is
// stuck: it goes on, and its place is given to another, of another tenant at first.
type gate struct {
	now   func() time.Time
	slots int // places in all

	mu         sync.Mutex
	busy, long int // places taken, and those of them by long turns; the stuck have none
	crews      map[Scope]*crew
	order      []*crew // that have someone waiting, the one whose turn it is first

	came    Scope     // the tenant that came last
	mixed   time.Time // when last another came than the one before
	looking bool      // relieve will be called
	aside   time.Time // when last a long one went before the quick, or its slice ended
}

const (
	quickFor = 50 * time.Millisecond  // a turn that works for longer is a long one
	sliceFor = 100 * time.Millisecond // after so long a long one lets another work, if one waits
	asideFor = 200 * time.Millisecond // a long one that has waited for so long goes before the quick, for a slice; so long after another did
	stuckFor = 200 * time.Millisecond // one that has not looked up for so long is stuck
	stayFor  = time.Second            // after so long its tenant has another in its place, too
	mixedFor = 5 * time.Second        // for so long after another tenant came, each has its share alone
	// quickSteps is how many pieces of work a quick turn has at most, however long they take: on a machine
	// that is busy with other things a short turn takes long, too.
	quickSteps = 8
)

// crew is what a tenant has at work and waiting.
type crew struct {
	of      Scope
	inside  []*pass
	waiting [2][]*pass // the quick, the long
}

// pass is a turn's, from when it may work until it need not. A nil one is of a turn that needs none.
type pass struct {
	gate  *gate
	of    Scope
	kind  kind
	ready chan struct{} // closed when it may work
	since time.Time     // it has worked, or waited
	steps int           // since then
	spent time.Duration // of work before that
	works bool
	stuck bool // its place is another's
	whole bool // it has waited for long enough: the slice is its own
	hard  bool // it is a long turn
}

// kind is of a place.
type kind int

const (
	quickTurn kind = iota
	longTurn
)

func newGate(processors int) *gate {
	return &gate{now: time.Now, slots: max(1, processors), crews: map[Scope]*crew{}}
}

// half of the places, and one at the least.
func (g *gate) half() int { return max(1, g.slots/2) }

// house is whose share a channel's work counts to: its tenant's, or where there is none its own.
func (p Place) house() Scope {
	if p.Tenant == "" {
		return p.Scope()
	}
	return Scope{Platform: p.Platform, Tenant: p.Tenant}
}

// enter waits for a place, as a long turn where the channel's last was one. The error is ctx's.
func (g *gate) enter(ctx context.Context, p Place, long bool) (*pass, error) {
	s := &pass{gate: g, of: p.house()}
	if long {
		s.kind = longTurn
	}
	g.mu.Lock()
	ready := g.queue(s)
	g.mu.Unlock()
	return s, s.await(ctx, ready)
}

// queue has a turn wait; what it returns is closed when it may work. It and those that follow up to take have the turn of g.mu.
func (g *gate) queue(s *pass) (ready <-chan struct{}) {
	if s.of != g.came {
		if g.came != (Scope{}) {
			g.mixed = g.now()
		}
		g.came = s.of
	}
	c := g.crews[s.of]
	if c == nil {
		c = &crew{of: s.of}
		g.crews[s.of] = c
	}
	if !c.waits() {
		g.order = append(g.order, c)
	}
	c.waiting[s.kind] = append(c.waiting[s.kind], s)
	s.ready, s.since = make(chan struct{}), g.now()
	ready = s.ready
	g.fill()
	return ready
}

func (c *crew) waits() bool { return len(c.waiting[quickTurn])+len(c.waiting[longTurn]) > 0 }

// fill gives what places are free: to one of each tenant in turn.
func (g *gate) fill() {
	g.unstick()
	for g.busy < g.slots {
		c, k, ok := g.next()
		if !ok {
			break
		}
		s := c.waiting[k][0]
		c.waiting[k] = c.waiting[k][1:]
		g.order = slices.DeleteFunc(g.order, func(o *crew) bool { return o == c })
		if c.waits() {
			g.order = append(g.order, c)
		}
		c.inside = append(c.inside, s)
		s.works, s.stuck = true, false
		if s.whole = s.kind == longTurn && g.overdue(s); s.whole {
			g.aside = g.now()
		}
		s.since, s.steps = g.now(), 0
		g.hold(s, 1)
		close(s.ready)
	}
	if !g.looking && len(g.order) > 0 {
		g.looking = true
		time.AfterFunc(stuckFor, g.relieve)
	}
}

// next is whose turn it is: the first tenant's that has a quick one or one that has waited for long enough, else the
// first's that has a long one.
func (g *gate) next() (who *crew, as kind, ok bool) {
	share := g.slots
	if g.now().Sub(g.mixed) < mixedFor {
		share = g.half()
	}
	room := g.long < g.half()
	for _, c := range g.order {
		working := 0
		for _, s := range c.inside {
			if !s.stuck || g.now().Sub(s.since) < stayFor {
				working++
			}
		}
		if working >= share || len(c.inside) >= g.slots {
			continue
		}
		long := room && len(c.waiting[longTurn]) > 0
		switch {
		case long && g.overdue(c.waiting[longTurn][0]):
			return c, longTurn, true
		case len(c.waiting[quickTurn]) > 0:
			return c, quickTurn, true
		case long && !ok:
			who, as, ok = c, longTurn, true
		}
	}
	return who, as, ok
}

// overdue says that a long turn that waits goes before the quick: there may be many that have waited for long enough, and where there
// is one place no quick one would ever have it.
func (g *gate) overdue(s *pass) bool {
	now := g.now()
	return now.Sub(s.since) >= asideFor && now.Sub(g.aside) >= asideFor/time.Duration(g.half())
}

// shares is of a turn whose slice is its own no more.
func (g *gate) shares(s *pass) {
	if s.whole {
		s.whole, g.aside = false, g.now()
	}
}

// hold takes n of a turn's places, or gives them back.
func (g *gate) hold(s *pass, n int) {
	g.busy += n
	if s.kind == longTurn {
		g.long += n
	}
}

// relieve gives the places of those that are stuck to others, and has those work that have waited for long.
func (g *gate) relieve() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.looking = false
	g.fill()
}

// unstick takes the places that are held by who is stuck.
func (g *gate) unstick() {
	for _, c := range g.crews {
		for _, s := range c.inside {
			if !s.stuck && g.now().Sub(s.since) >= stuckFor {
				s.stuck = true
				g.hold(s, -1)
				g.shares(s)
			}
		}
	}
}

// take takes the place back.
func (g *gate) take(s *pass) {
	c := g.crews[s.of]
	c.inside = slices.DeleteFunc(c.inside, func(o *pass) bool { return o == s })
	if !s.stuck {
		g.hold(s, -1)
	}
	g.shares(s)
	s.works = false
	s.count()
	g.tidy(c)
	g.fill()
}

// count adds what has been worked.
func (s *pass) count() {
	now := s.gate.now()
	s.spent, s.since, s.steps = s.spent+now.Sub(s.since), now, 0
}

func (g *gate) tidy(c *crew) {
	if len(c.inside) == 0 && !c.waits() {
		delete(g.crews, c.of)
	}
}

// await waits until the pass has its place.
func (s *pass) await(ctx context.Context, ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	g := s.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.works { // at the last moment
		g.take(s)
		return ctx.Err()
	}
	c := g.crews[s.of]
	if c == nil { // another goroutine of the same turn has left the line
		return ctx.Err()
	}
	c.waiting[s.kind] = slices.DeleteFunc(c.waiting[s.kind], func(o *pass) bool { return o == s })
	if !c.waits() {
		g.order = slices.DeleteFunc(g.order, func(o *crew) bool { return o == c })
	}
	g.tidy(c)
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
	if !s.works || !g.over(s) {
		g.mu.Unlock()
		return
	}
	if s.kind == quickTurn {
		s.hard = true
	}
	g.take(s)
	s.kind = longTurn
	ready := g.queue(s)
	g.mu.Unlock()
	_ = s.await(ctx, ready) // what ends the wait ends the work, too
}

// over is whether a turn has to give up its place now.
func (g *gate) over(s *pass) bool {
	worked := g.now().Sub(s.since)
	s.steps++
	switch {
	case s.kind == quickTurn:
		return worked >= quickFor && s.steps >= quickSteps
	case s.stuck:
		return true
	case worked >= sliceFor:
		if len(g.order) > 0 {
			return true
		}
		g.shares(s)
		s.count()
		return false
	}
	return !s.whole && slices.ContainsFunc(g.order, func(c *crew) bool { return len(c.waiting[quickTurn]) > 0 })
}

// leave gives the place back, if there is one.
func (s *pass) leave() {
	if s == nil {
		return
	}
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	if !s.works {
		return
	}
	s.gate.take(s)
	s.hard = s.hard || s.spent > sliceFor
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
