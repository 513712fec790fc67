package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// served is a request from when it is accepted to the end of its turn.
type served struct {
	request Request
	emit    func(Reply)
	done    chan error

	ctx    context.Context // of its turn
	manner Manner
	words  words // in which to speak to the person: the platform's language, until more is known
	after  words // and once what the command changed is kept: it may have been to speak another
	reply  Reply
	err    error // ours
}

// tries is how often a command is run when another process changed what it read.
const tries = 3

// overtaken says that an attempt failed by what was done elsewhere meanwhile.
func overtaken(err error) bool {
	return errors.Is(err, ErrConflict) || errors.Is(err, ErrAnswered) || errors.Is(err, errTaughtAnew)
}

// serve is the one door: every request of a channel passes here, in the order in which they came.
// Neighbours that can be answered together are, and share a commit: see Manner.Gathers. Each is
// given a final reply, once: at once, or, where the answer goes on, when that ends.
func (t *Tutor) serve(ln *lane, all []*served) {
	t.fill(all)
	for len(all) > 0 {
		n := 1
		if len(all) == 1 || !t.together(ln, all, &n) {
			for _, a := range all[:n] {
				t.alone(ln, a)
			}
		}
		all = all[n:]
	}
}

// fill adds to requests what only their platform knows, and what follows from it: of several, at
// once, since that may take a call each.
func (t *Tutor) fill(all []*served) {
	var filling sync.WaitGroup
	for _, a := range all {
		a.emit = t.pictured(a.request, a.emit)
		fill := func() {
			defer func() {
				if p := recover(); p != nil {
					t.cfg.Logger.ErrorContext(a.ctx, "request not filled in", "platform", a.request.Platform, "error", recovered(p))
				}
			}()
			a.request.Fill(a.ctx, &a.request)
		}
		switch {
		case a.request.Fill == nil:
		case len(all) == 1:
			fill()
		default:
			filling.Go(fill)
		}
	}
	filling.Wait()
	for _, a := range all {
		a.manner, a.words = t.Manner(a.request), t.wordsOf(a.request.Locale)
	}
}

// together answers the first n of several requests in one commit: as many as one holds. It is
// false where that fails; then nothing is done of the n, and each is to be answered by itself, so
// that one spoils no other's.
func (t *Tutor) together(ln *lane, all []*served, n *int) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(all[0].ctx), t.cfg.Limits.Command) // no single person's
	defer cancel()
	var err error
	for range tries {
		if *n, err = t.attempt(ctx, ln, all); err == nil {
			for _, a := range all[:*n] {
				t.answers(a)
			}
			return true
		}
		ln.loaded = nil // what was changed in memory never was: read the channel again
		if !overtaken(err) {
			break
		}
	}
	*n = len(all)
	return false
}

// alone answers one request.
func (t *Tutor) alone(ln *lane, a *served) {
	for range tries {
		if _, a.err = t.attempt(a.ctx, ln, []*served{a}); a.err == nil {
			break
		}
		ln.loaded = nil
		if !overtaken(a.err) {
			break
		}
	}
	t.answers(a)
}

// answers gives the reply that a request has come to: an apology where that is an error.
func (t *Tutor) answers(a *served) {
	reply := a.reply
	if a.err != nil {
		reply = t.apology(a.ctx, a.request, a.words, a.err)
	} else if a.after != (words{}) {
		a.words = a.after
	}
	t.spoken.remember(a.request, a.words.lang)
	a.manner.Private = a.manner.Private || reply.Private && !a.request.Alone
	reply = echo(a.request, a.manner, reply)
	reply.Private, reply.Final = a.manner.Private, true
	if a.request.Live && reply.Follow != nil && t.follow(a.ctx, a.request, reply, a.emit, a.done) {
		return
	}
	a.emit(reply)
	a.done <- nil
}

// attempt answers the first n requests, as many as one commit holds, and commits what they
// changed. After an error nothing is changed but what is in memory.
func (t *Tutor) attempt(ctx context.Context, ln *lane, all []*served) (n int, err error) {
	var g batch
	defer g.release()
	defer func() {
		if p := recover(); p != nil {
			n, err = 0, recovered(p)
		}
	}()
	if e := t.let(ctx, ln, func(ctx context.Context) {
		for n < len(all) && err == nil && !(n > 0 && g.full()) {
			if err = t.answer(passOf(ctx).with(all[n].ctx), ln, all[n], &g); err == nil {
				t.sketch(all[n].request, all[n].reply)
				n++
			}
		}
		if err == nil {
			err = g.commit(ctx)
		}
	}); e != nil || err != nil && (n > 1 || !g.goesUnkept(err)) {
		return 0, cmp.Or(err, e)
	}
	if err != nil {
		t.unkept(ln, all[0], &g, err)
	} else if len(g.out.Writes) > 0 {
		ln.warned = nil
	}
	for i, c := range g.calls {
		ln.offer(c.request.Who.ID, g.replies[i])
	}
	return n, nil
}

// answer finds the reply to a request, and gathers what its command changes.
func (t *Tutor) answer(ctx context.Context, ln *lane, a *served, g *batch) error {
	old, found, err := t.answered(ctx, a.request)
	if found || err != nil {
		a.reply = old
		return err
	}
	c, err := t.newCall(ctx, ln, a.request, a.emit)
	if err != nil {
		return err
	}
	a.words = c.words
	if t.late(a.request) {
		a.reply = c.tooLate()
		return nil
	}
	reply, err := c.answer()
	if c.onstage != nil {
		t.company.give(c.onstage)
	}
	a.after = c.words
	if err != nil {
		return err
	}
	if reply, err = c.afterCommand(reply); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // late: the learner has no use for half of it
	}
	reply.Final = true
	a.reply = reply
	return g.add(c, reply)
}

// recovered is a panic as an error.
func recovered(p any) error { return fmt.Errorf("panic: %v\n%s", p, debug.Stack()) }
