// Package agenda is a cluster's time: what is due, when, for whom, and because
// of which step. It is at once the clock, every component's work queue and every
// timer, and it is plain data: saved and loaded, it goes on as if nothing had
// been. It reads no clock and starts nothing: the cluster takes tasks out.
package agenda

import (
	"cmp"
	"container/heap"
	"maps"
	"slices"
	"time"
)

// Task is one thing due.
type Task struct {
	At        time.Time `json:"at"`
	Seq       uint64    `json:"seq"` // order among tasks of the same moment
	Component string    `json:"component"`
	Key       string    `json:"key"`             // the component's own; mostly namespace/name
	Cause     uint64    `json:"cause,omitempty"` // the trace's step that asked for it
}

// Agenda holds what is due, at most one task for each component and key: adding
// one that is there already keeps the earlier of both times, as a work queue does.
type Agenda struct {
	// Cause, where set, is asked for the step a new task is due to.
	Cause func() uint64

	now      time.Time
	seq      uint64
	heap     taskHeap
	index    map[id]*entry
	failures map[id]int
	paces    map[string]pace // by component; what has none retries as client-go does by default
}

// pace is how soon a key that failed is tried again: base, doubled with each failure in a row, most at most.
type pace struct{ base, most time.Duration }

// defaultPace is client-go's (util/workqueue: DefaultTypedControllerRateLimiter).
var defaultPace = pace{5 * time.Millisecond, 1000 * time.Second}

type id struct{ component, key string }

type entry struct {
	Task
	pos int // in the heap
}

// New is an empty agenda at a moment.
func New(now time.Time) *Agenda {
	return &Agenda{now: now, index: map[id]*entry{}, failures: map[id]int{}, paces: map[string]pace{}}
}

// Now is the cluster's time.
func (a *Agenda) Now() time.Time { return a.now }

// Len is the number of tasks due.
func (a *Agenda) Len() int { return len(a.heap) }

// Next is when the next task is due.
func (a *Agenda) Next() (time.Time, bool) {
	if len(a.heap) == 0 {
		return time.Time{}, false
	}
	return a.heap[0].At, true
}

// NextBut is when the next task of any other component is due.
func (a *Agenda) NextBut(component string) (at time.Time, ok bool) {
	for _, e := range a.heap {
		if e.Component != component && (!ok || e.At.Before(at)) {
			at, ok = e.At, true
		}
	}
	return at, ok
}

// Pop takes out the next task due by the moment given, and moves the clock to it.
// Where there is none it moves the clock to that moment and returns false.
// The clock never goes back.
func (a *Agenda) Pop(until time.Time) (Task, bool) {
	if len(a.heap) == 0 || a.heap[0].At.After(until) {
		a.advance(until)
		return Task{}, false
	}
	e := heap.Pop(&a.heap).(*entry)
	delete(a.index, id{e.Component, e.Key})
	a.advance(e.At)
	return e.Task, true
}

func (a *Agenda) advance(t time.Time) {
	if t.After(a.now) {
		a.now = t
	}
}

// Drop forgets all tasks of a component, and its failures, as when it stops.
func (a *Agenda) Drop(component string) {
	for _, t := range a.Tasks() {
		if t.Component == component {
			a.remove(id{t.Component, t.Key})
		}
	}
	maps.DeleteFunc(a.failures, func(i id, _ int) bool { return i.component == component })
}

func (a *Agenda) remove(i id) {
	if e, ok := a.index[i]; ok {
		heap.Remove(&a.heap, e.pos)
		delete(a.index, i)
	}
}

// Tasks are all tasks, in the order in which they are due.
func (a *Agenda) Tasks() []Task {
	tasks := make([]Task, 0, len(a.heap))
	for _, e := range a.heap {
		tasks = append(tasks, e.Task)
	}
	slices.SortFunc(tasks, func(x, y Task) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Seq, y.Seq)) })
	return tasks
}

// State is everything an agenda is, as data.
type State struct {
	Now      time.Time `json:"now"`
	Seq      uint64    `json:"seq"`
	Tasks    []Task    `json:"tasks,omitempty"`
	Failures []Failure `json:"failures,omitempty"`
}

// Failure counts the failed tries of a key.
type Failure struct {
	Component string `json:"component"`
	Key       string `json:"key"`
	Count     int    `json:"count"`
}

// Save returns the agenda as data; equal agendas give equal data.
func (a *Agenda) Save() State {
	s := State{Now: a.now, Seq: a.seq, Tasks: a.Tasks()}
	for i, n := range a.failures {
		s.Failures = append(s.Failures, Failure{i.component, i.key, n})
	}
	slices.SortFunc(s.Failures, func(x, y Failure) int {
		return cmp.Or(cmp.Compare(x.Component, y.Component), cmp.Compare(x.Key, y.Key))
	})
	return s
}

// Load puts saved data back, in place of all there is.
func (a *Agenda) Load(s State) {
	a.now, a.seq = s.Now, s.Seq
	a.heap, a.index, a.failures = nil, map[id]*entry{}, map[id]int{}
	for _, t := range s.Tasks {
		e := &entry{Task: t}
		heap.Push(&a.heap, e)
		a.index[id{t.Component, t.Key}] = e
	}
	for _, f := range s.Failures {
		a.failures[id{f.Component, f.Key}] = f.Count
	}
}

// Queue is one component's part of an agenda: its work queue and its timers.
type Queue struct {
	agenda    *Agenda
	component string
}

// Queue is the part of the component named.
func (a *Agenda) Queue(component string) *Queue { return &Queue{a, component} }

// Now is the cluster's time.
func (q *Queue) Now() time.Time { return q.agenda.now }

// Add makes the key due after a delay, or leaves it as it is where it is due earlier.
func (q *Queue) Add(key string, after time.Duration) {
	a, i, at := q.agenda, id{q.component, key}, q.agenda.now.Add(max(0, after))
	if e, ok := a.index[i]; ok {
		if at.Before(e.At) {
			e.At = at
			if a.Cause != nil {
				e.Cause = a.Cause()
			}
			heap.Fix(&a.heap, e.pos)
		}
		return
	}
	a.seq++
	e := &entry{Task: Task{At: at, Seq: a.seq, Component: q.component, Key: key}}
	if a.Cause != nil {
		e.Cause = a.Cause()
	}
	heap.Push(&a.heap, e)
	a.index[i] = e
}

// Has says whether the key is due at some time.
func (q *Queue) Has(key string) bool {
	_, ok := q.agenda.index[id{q.component, key}]
	return ok
}

// Cancel takes the key out.
func (q *Queue) Cancel(key string) { q.agenda.remove(id{q.component, key}) }

// Pace has failures of the component's keys retried after base, doubled with each failure in a row, and after most at
// most. It is the component's, which says so whenever it is made: it is not saved.
func (q *Queue) Pace(base, most time.Duration) { q.agenda.paces[q.component] = pace{base, most} }

// Retry makes the key due again after a failure, later with each failure in a row: see Pace.
func (q *Queue) Retry(key string) {
	i := id{q.component, key}
	n := q.agenda.failures[i]
	q.agenda.failures[i] = n + 1
	p, own := q.agenda.paces[q.component]
	if !own {
		p = defaultPace
	}
	delay := p.base
	for ; n > 0 && delay < p.most; n-- {
		delay *= 2
	}
	q.Add(key, min(delay, p.most))
}

// Forget resets the count of failures of a key.
func (q *Queue) Forget(key string) { delete(q.agenda.failures, id{q.component, key}) }

type taskHeap []*entry

func (h taskHeap) Len() int { return len(h) }
func (h taskHeap) Less(i, j int) bool {
	if !h[i].At.Equal(h[j].At) {
		return h[i].At.Before(h[j].At)
	}
	return h[i].Seq < h[j].Seq
}
func (h taskHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}
func (h *taskHeap) Push(x any) {
	e := x.(*entry)
	e.pos = len(*h)
	*h = append(*h, e)
}
func (h *taskHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
