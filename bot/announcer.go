package bot

import (
	"container/heap"
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"
)

// announcer is whoever speaks on a platform, and what it has to do. What it knows of the time
// and of what waits is the scopes' own; it is told of their commits.
type announcer struct {
	tutor    *Tutor
	platform string
	speaker  Speaker

	fresh   chan struct{} // there is something to look at
	working sync.WaitGroup
	ending  atomic.Bool

	mu     sync.Mutex
	ready  bool // the agenda has been read
	scopes map[Scope]*speaking
	wakes  errands
	says   errands
	now    [2]int // errands being run: wakes, sayings
}

// speaking is a scope that has an alarm, or something to say.
type speaking struct {
	scope   Scope
	alarm   time.Time // zero: none
	errands [3]*errand
}

// errand is one of what there is to do for a scope: wake it, say what is for all, say what is for
// single people. Each is done by one goroutine at a time.
type errand struct {
	of      *speaking
	kind    errandKind
	wanted  bool // say: there may be something
	counted bool // among those that wait
	busy    bool
	fails   int
	retry   time.Time // not before
	at      time.Time // when it is due
	index   int       // in its heap; -1: it is not

	ways map[uint64]json.RawMessage // of what was said, and could not be noted
}

type errandKind int

const (
	sayAll errandKind = iota
	sayEach
	wakes
)

// announcer is the platform's, made with what the agenda says where there is none.
func (t *Tutor) announcer(ctx context.Context, platform string, s Speaker) (*announcer, error) {
	t.mu.Lock()
	a := t.speaking[platform]
	if a == nil {
		a = &announcer{tutor: t, platform: platform, speaker: s, fresh: make(chan struct{}, 1), scopes: map[Scope]*speaking{}}
		t.speaking[platform] = a // from here on it is told of commits
		t.mu.Unlock()
	} else {
		t.mu.Unlock()
		return a, nil
	}
	all, err := t.readAgenda(ctx, platform)
	if err != nil {
		t.mu.Lock()
		delete(t.speaking, platform)
		t.mu.Unlock()
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ready = true
	for _, e := range all {
		a.found(e)
	}
	return a, nil
}

// found takes up what the agenda says of a scope. It has the turn of a.mu, as have all that follow
// up to told. Where a commit has told the alarm already, that one is newer.
func (a *announcer) found(e *entry) {
	s := a.scopes[e.Scope]
	now := a.tutor.cfg.Now()
	if s == nil {
		s = a.scope(e.Scope)
		if s.alarm = e.At; s.alarm.Before(now) {
			s.alarm = now // if there is one: the turn finds out
		}
		a.place(s.errands[wakes])
	}
	if !e.At.After(now) {
		a.want(s, sayAll)
		a.want(s, sayEach)
	}
}

func (a *announcer) scope(of Scope) *speaking {
	s := a.scopes[of]
	if s == nil {
		s = &speaking{scope: of}
		for k := range s.errands {
			s.errands[k] = &errand{of: s, kind: errandKind(k), index: -1}
		}
		a.scopes[of] = s
	}
	return s
}

func (a *announcer) want(s *speaking, k errandKind) {
	if e := s.errands[k]; !e.wanted {
		e.wanted = true
		a.count(e)
		a.place(e)
	}
}

// count keeps the figure of the errands that have something to say.
func (a *announcer) count(e *errand) {
	if counts := e.wanted; counts != e.counted {
		e.counted = counts
		a.tutor.cfg.Metrics.toSay(a.platform, map[bool]float64{true: 1, false: -1}[counts])
	}
}

// place puts an errand in its heap where it belongs, or takes it out.
func (a *announcer) place(e *errand) {
	h := &a.says
	at, due := e.retry, e.wanted
	if e.kind == wakes {
		h = &a.wakes
		at, due = e.of.alarm, !e.of.alarm.IsZero()
		if at.Before(e.retry) {
			at = e.retry
		}
	}
	due = due && !e.busy
	e.at = at
	switch {
	case due && e.index < 0:
		heap.Push(h, e)
	case due:
		heap.Fix(h, e.index)
	case e.index >= 0:
		heap.Remove(h, e.index)
	}
}

// told takes note of what a commit has left.
func (a *announcer) told(of Scope, alarm time.Time, says [2]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.scopes[of] == nil && alarm.IsZero() && says == [2]bool{} {
		return
	}
	s := a.scope(of)
	s.alarm = alarm
	for k, say := range says {
		if say {
			a.want(s, errandKind(k))
		}
	}
	a.place(s.errands[wakes])
	a.rest(s)
	a.ring()
}

func (a *announcer) ring() {
	select {
	case a.fresh <- struct{}{}:
	default:
	}
}

// rest lets a scope go that there is nothing to do for, and has the agenda say when there is.
func (a *announcer) rest(s *speaking) {
	if !a.ready || a.ending.Load() { // it may not know all
		return
	}
	for _, e := range s.errands {
		if e.busy || e.wanted {
			return
		}
	}
	a.tutor.lower(s.scope, s.alarm)
	if s.alarm.IsZero() {
		delete(a.scopes, s.scope)
	}
}

// close forgets what waits: the next who speaks reads it.
func (a *announcer) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.scopes {
		for _, e := range s.errands {
			e.wanted = false
			a.count(e)
		}
	}
}

// step has run begin all that is due, and says when to be called next, at the latest; zero: when
// there is something fresh.
func (a *announcer) step(ctx context.Context, run func(func())) time.Time {
	for {
		e, next := a.due()
		if e == nil {
			return next
		}
		run(func() { a.do(ctx, e) })
	}
}

// due is an errand whose time has come, from then on busy; or when the next one's comes.
func (a *announcer) due() (e *errand, next time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.tutor.cfg.Now()
	for i, h := range []*errands{&a.wakes, &a.says} {
		if len(*h) == 0 || a.now[i] >= []int{mostWakes, mostSayings}[i] {
			continue // one that ends is something fresh
		}
		first := (*h)[0]
		if early := first.at.Sub(now); early <= 0 || first.retry.Equal(first.at) && early > mostPause { // the clock was put back
			first.busy = true
			heap.Remove(h, first.index)
			a.now[i]++
			return first, time.Time{}
		}
		if next.IsZero() || first.at.Before(next) {
			next = first.at
		}
	}
	return nil, next
}

// do runs an errand.
func (a *announcer) do(ctx context.Context, e *errand) {
	a.mu.Lock()
	wanted := e.wanted
	e.wanted = false // what is wanted from here on is wanted again
	a.mu.Unlock()
	var err error
	if e.kind == wakes {
		err = a.tutor.wake(ctx, e.of.scope)
	} else {
		err = a.say(ctx, e)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	defer a.ring()
	e.wanted = e.wanted || wanted && (err != nil || a.ending.Load())
	a.count(e)
	e.busy = false
	a.now[e.slot()]--
	e.retry = time.Time{}
	if err == nil {
		e.fails, e.ways = 0, nil
	} else {
		e.retry = a.tutor.cfg.Now().Add(min(firstPause<<min(e.fails, 20), mostPause))
		e.fails++
	}
	a.place(e)
	a.rest(e.of)
}

func (e *errand) slot() int {
	if e.kind == wakes {
		return 0
	}
	return 1
}

// errands is a heap: the one due first is first.
type errands []*errand

func (h errands) Len() int           { return len(h) }
func (h errands) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h errands) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *errands) Push(x any) {
	e := x.(*errand)
	e.index = len(*h)
	*h = append(*h, e)
}
func (h *errands) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.index = -1
	return e
}
