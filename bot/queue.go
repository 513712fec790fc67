package bot

import (
	"container/list"
	"context"
	"slices"

	"timonier/content"
)

// lane is one channel's queue, and the channel while it is in memory. Its worker
// is the only one who touches what is loaded.
type lane struct {
	place   Place
	jobs    []job
	busy    bool // a worker runs
	loaded  *channel
	taught  *content.Course  // while it was loaded
	offered map[string]offer // what was offered last, by person
	idle    *list.Element    // in Tutor.idle while no worker runs
}

// job is one turn in a lane.
type job struct {
	ctx  context.Context
	run  func(context.Context, *lane) (goesOn bool) // goesOn: done is told later, by another
	done chan error

	ours  bool // nobody asked for it: it waits however many do
	first bool // it is short, and goes before those that wait
}

// enqueue gives the job its turn after those already waiting in its channel. It
// is false where too many wait.
func (t *Tutor) enqueue(p Place, j job) (ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false, ErrClosed
	}
	ln := t.lanes[p]
	if ln == nil {
		ln = &lane{place: p, offered: map[string]offer{}}
		t.lanes[p] = ln
	}
	if len(ln.jobs) >= t.cfg.Limits.Queue && !j.ours {
		return false, nil
	}
	t.cfg.Metrics.queued(1)
	ln.jobs = append(ln.jobs, j)
	if j.first {
		ln.jobs = slices.Insert(ln.jobs[:len(ln.jobs)-1:len(ln.jobs)-1], 0, j)
	}
	if !ln.busy {
		ln.busy = true
		if ln.idle != nil {
			t.idle.Remove(ln.idle)
			ln.idle = nil
		}
		t.working.Add(1)
		go t.work(ln)
	}
	return true, nil
}

// work takes a lane's jobs one by one until there is none.
func (t *Tutor) work(ln *lane) {
	defer t.working.Done()
	for {
		t.mu.Lock()
		if len(ln.jobs) == 0 {
			ln.busy, ln.jobs = false, nil
			ln.idle = t.idle.PushBack(ln)
			t.forget()
			t.mu.Unlock()
			return
		}
		j := ln.jobs[0]
		ln.jobs = ln.jobs[1:]
		t.mu.Unlock()

		t.turn(ln, j)
		t.cfg.Metrics.queued(-1)
	}
}

// turn does one job.
func (t *Tutor) turn(ln *lane, j job) {
	if err := j.ctx.Err(); err != nil {
		j.done <- err
		return
	}
	ctx, cancel := context.WithTimeout(j.ctx, t.cfg.Limits.Command)
	defer cancel()
	if !j.run(ctx, ln) {
		j.done <- nil
	}
}

// forget lets the channels leave memory that have been idle longest, where there
// are too many. All they are is in the store.
func (t *Tutor) forget() {
	for t.idle.Len() > t.cfg.Limits.Channels {
		ln := t.idle.Remove(t.idle.Front()).(*lane)
		delete(t.lanes, ln.place)
	}
}
