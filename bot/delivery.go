package bot

import (
	"context"
	"sync"
	"time"
)

// Delivery takes the replies to one request to the person: at most one sending at a
// time, at most one in Every, the newest in place of all that wait, the final one
// always. Emit never blocks, so that a slow platform holds up no channel.
type Delivery struct {
	// Every is the shortest time between two sendings; 0: one second. The first goes
	// at once.
	Every time.Duration
	// Send shows a reply to the person, in place of the one it showed before. It tries
	// again by itself; what it returns for a reply that is not final is logged by
	// whoever wrote it, and the next reply is sent all the same.
	Send func(context.Context, Reply) error

	mu     sync.Mutex
	latest *Reply
	fresh  chan struct{}
}

// NewDelivery makes a delivery. Run sends; Emit gives it replies.
func NewDelivery(every time.Duration, send func(context.Context, Reply) error) *Delivery {
	if every <= 0 {
		every = time.Second
	}
	return &Delivery{Every: every, Send: send, fresh: make(chan struct{}, 1)}
}

// Emit gives a reply to be sent. After a final one nothing more counts.
func (d *Delivery) Emit(r Reply) {
	d.mu.Lock()
	if d.latest == nil || !d.latest.Final {
		d.latest = &r
	}
	d.mu.Unlock()
	select {
	case d.fresh <- struct{}{}:
	default:
	}
}

// Run sends until the final reply is sent, and returns what Send said of that one; or
// the context's error where it ends first.
func (d *Delivery) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.fresh:
		}
		d.mu.Lock()
		r := *d.latest
		d.mu.Unlock()
		if err := d.Send(ctx, r); r.Final {
			return err
		}
		pause := time.NewTimer(d.Every)
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
		}
	}
}
