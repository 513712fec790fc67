package bot

import (
	"context"
	"reflect"
	"time"
)

// following is an answer that goes on: every second it takes a turn in its channel, looks
// how far things have come, and emits what has changed, until there is nothing more to
// tell, or its time is over.
type following struct {
	tutor   *Tutor
	request Request
	shown   Reply // what was emitted last
	emit    func(Reply)
	done    chan error
	until   time.Time
	begun   uint64 // before all with a greater number
	timer   *time.Timer
}

// often is how long a live answer waits before it looks again.
const often = time.Second

// follow emits a reply as one that is not final yet, and goes on with it. It is false
// where the tutor is about to close; then nothing was emitted.
func (t *Tutor) follow(ctx context.Context, r Request, reply Reply, emit func(Reply), done chan error) bool {
	f := &following{tutor: t, request: r, shown: reply, emit: emit, done: done, until: t.cfg.Now().Add(t.cfg.Limits.Follow)}
	f.shown.Final = false
	if old := t.oldestOf(r.Place()); old != nil {
		old.stop()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || ctx.Err() != nil {
		return false
	}
	t.followed++
	f.begun = t.followed
	t.follows[f] = struct{}{}
	t.working.Add(1)
	emit(f.shown)
	f.timer = time.AfterFunc(often, f.look)
	return true
}

// mostFollows is how many answers of a channel go on at once: the oldest ends before
// another begins.
const mostFollows = 4

// oldestOf is the answer of a channel that has to end; nil where there is room for one more.
func (t *Tutor) oldestOf(p Place) *following {
	t.mu.Lock()
	defer t.mu.Unlock()
	var oldest *following
	count := 0
	for f := range t.follows {
		if f.request.Place() != p {
			continue
		}
		count++
		if oldest == nil || f.begun < oldest.begun {
			oldest = f
		}
	}
	if count < mostFollows {
		return nil
	}
	return oldest
}

// look asks for a turn.
func (f *following) look() {
	j := job{ctx: context.Background(), done: make(chan error, 1), run: func(ctx context.Context, ln *lane) {
		f.turn(ctx, ln)
	}}
	ok, err := f.tutor.enqueue(f.request.Place(), j)
	switch {
	case err != nil:
		f.end()
	case !ok: // many wait: later
		f.again()
	}
}

// again sets the timer; false where the tutor is closing.
func (f *following) again() {
	t := f.tutor
	t.mu.Lock()
	if !t.closed {
		f.timer.Reset(often)
		t.mu.Unlock()
		return
	}
	t.mu.Unlock()
	f.end()
}

// turn looks, and emits what has changed.
func (f *following) turn(ctx context.Context, ln *lane) {
	reply, more, err := f.now(ctx, ln)
	if err != nil {
		ln.loaded = nil
		f.tutor.cfg.Logger.ErrorContext(ctx, "follow answer", "platform", f.request.Platform, "error", err)
		f.end()
		return
	}
	changed := !reflect.DeepEqual(reply.Blocks, f.shown.Blocks)
	f.shown = reply
	if !more {
		f.end()
		return
	}
	if changed {
		f.emit(reply)
	}
	f.again()
}

// now is the answer as it would be given at this moment.
func (f *following) now(ctx context.Context, ln *lane) (reply Reply, more bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p)
		}
	}()
	c, err := f.tutor.newCall(ctx, ln, f.request, f.emit)
	if err != nil {
		return Reply{}, false, err
	}
	reply, more, err = c.goOn(f.shown)
	more = more && c.now.Before(f.until)
	if err != nil || more {
		return reply, more, err
	}
	return reply, false, c.keepFollowed()
}

// end emits what was shown last, as final.
func (f *following) end() {
	t := f.tutor
	t.mu.Lock()
	_, live := t.follows[f]
	delete(t.follows, f)
	t.mu.Unlock()
	if !live {
		return
	}
	f.shown.Final, f.shown.Follow = true, nil
	f.emit(f.shown)
	f.done <- nil
	t.working.Done()
}

// stop ends it, unless it is about to take its turn, and ends by itself.
func (f *following) stop() {
	if f.timer.Stop() {
		f.end()
	}
}

// goOn is a live answer as it is now; more says whether there will be more to tell.
func (c *call) goOn(shown Reply) (r Reply, more bool, err error) {
	cl, err := c.cluster()
	if err != nil {
		return shown, false, err
	}
	r = shown
	r.Blocks, r.Buttons = shown.Blocks[:shown.Follow.Blocks:shown.Follow.Blocks], nil
	r = c.progress(r, cl, shown.Follow.Objects)
	if _, _, ok := c.underway(); ok {
		reached := false
		if r, reached, err = c.look(r); err == nil && !reached {
			r = r.with(c.checkButton())
		}
	}
	return r, r.Follow != nil, err
}

// keepFollowed keeps where a live answer has come to: no more than that it looked has
// changed, so that it is neither a reply to keep nor a conflict to try again.
func (c *call) keepFollowed() error {
	c.request.ID = ""
	return c.commit(Reply{})
}
