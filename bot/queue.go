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
	gathers int  // how many of the jobs are
	busy    bool // a worker runs
	loaded  *channel
	taught  *content.Course  // while it was loaded
	offered map[string]offer // what was offered last, by person
	idle    *list.Element    // in Tutor.idle while no worker runs
	weight  int64            // bytes that it takes, as counted in Tutor.weight
	long    bool             // the last turn was: see gate
	warned  map[string]bool  // people who have been told that nothing is kept
}

// job is one turn in a lane: a request's, or what run does.
type job struct {
	ctx    context.Context
	served *served
	run    func(context.Context, *lane)
	done   chan error

	ours    bool // nobody asked for it: it waits however many do
	first   bool // it is short, and goes before those that wait
	gathers bool // it may share its turn with its neighbours, where they do too
}

// longestGathered is the longest line, in bytes, of a request that shares its turn.
const longestGathered = 2 << 10

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
	if ln.full(t.cfg.Limits, j) {
		return false, nil
	}
	t.cfg.Metrics.queued(1)
	if j.gathers {
		ln.gathers++
	}
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

// full says that too many wait already for a job to wait too.
func (ln *lane) full(l Limits, j job) bool {
	switch {
	case j.ours:
		return false
	case j.gathers:
		return ln.gathers >= l.Answers
	}
	return len(ln.jobs)-ln.gathers >= l.Queue
}

// next takes what has the next turn: the first job, and those after it that share its turn, of a
// different person each. It has the turn of Tutor.mu.
func (ln *lane) next() []job {
	n := 1
	if ln.jobs[0].gathers {
		people := map[string]bool{}
		n = 0
		for n < min(len(ln.jobs), mostTogether) && ln.jobs[n].gathers && !people[ln.jobs[n].served.request.Who.ID] {
			people[ln.jobs[n].served.request.Who.ID] = true
			n++
		}
		ln.gathers -= n
	}
	jobs := ln.jobs[:n:n]
	ln.jobs = ln.jobs[n:]
	return jobs
}

// work takes a lane's jobs turn by turn until there is none.
func (t *Tutor) work(ln *lane) {
	defer t.working.Done()
	for {
		weight := ln.weigh()
		t.mu.Lock()
		t.weighed(ln, weight)
		if len(ln.jobs) == 0 {
			ln.busy, ln.jobs = false, nil
			ln.idle = t.idle.PushBack(ln)
			t.forget()
			t.mu.Unlock()
			return
		}
		jobs := ln.next()
		t.mu.Unlock()

		t.turn(ln, jobs)
		t.cfg.Metrics.queued(-float64(len(jobs)))
	}
}

// turn does one job, or answers requests that share a turn.
func (t *Tutor) turn(ln *lane, jobs []job) {
	var all []*served
	for _, j := range jobs {
		if err := j.ctx.Err(); err != nil {
			j.done <- err
			continue
		}
		ctx, cancel := context.WithTimeout(j.ctx, t.cfg.Limits.Command)
		defer cancel()
		if j.served != nil {
			j.served.ctx = ctx
			all = append(all, j.served)
			continue
		}
		j.done <- t.let(ctx, ln, func(ctx context.Context) { j.run(ctx, ln) })
	}
	t.serve(ln, all)
}

// let has a lane's worker do something once it may: see gate. The error is that ctx ended before.
func (t *Tutor) let(ctx context.Context, ln *lane, work func(context.Context)) error {
	pass, err := t.gate.enter(ctx, ln.place, ln.long)
	if err != nil {
		return err
	}
	defer func() {
		pass.leave()
		ln.long = pass.hard
	}()
	work(pass.with(ctx))
	return nil
}
