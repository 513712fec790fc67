package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"timonier/sim"
	"timonier/sim/apiserver"
)

// live is a cluster whose clock follows the wall's, for many at once: whoever uses it takes turns.
type live struct {
	speed float64
	began time.Time // by the wall
	from  time.Time // the same moment by the cluster
	wake  chan struct{}

	mu       sync.Mutex
	cluster  *sim.Cluster
	revision int64
	changed  chan struct{} // closed when the store's revision is another one
	failed   error         // the cluster is halfway through something, and may not be used any more
}

func newLive(c *sim.Cluster, speed float64) *live {
	return &live{speed: speed, began: time.Now(), from: c.Now(), wake: make(chan struct{}, 1),
		cluster: c, revision: c.Server().Revision(), changed: make(chan struct{})}
}

// now is what the cluster's clock should show.
func (l *live) now() time.Time {
	return l.from.Add(time.Duration(float64(time.Since(l.began)) * l.speed))
}

const (
	// momentsAtOnce bounds how many moments of the cluster's go by while others wait for their turn.
	momentsAtOnce = 200
	// lookAgain is how often a watch that nothing happens to looks whether its time is up.
	lookAgain = time.Second
	// longestSleep is how long a cluster in which nothing is due is left alone.
	longestSleep = time.Hour
)

// advance lets the cluster go on to the present. False: it has more to do than one turn is for.
func (l *live) advance() bool {
	now := l.now()
	for range momentsAtOnce {
		at, more := l.cluster.Next()
		if !more || at.After(now) {
			return l.cluster.AdvanceTo(now) == nil
		}
		if l.cluster.AdvanceTo(at) != nil {
			return false
		}
	}
	return false
}

// turn is f's, on a cluster that has come to the present. It returns what is closed at the next change.
func (l *live) turn(f func()) (changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() {
		if p := recover(); p != nil {
			l.failed = fmt.Errorf("%v", p)
			l.announce()
			l.ring()
			panic(http.ErrAbortHandler)
		}
	}()
	l.advance()
	f()
	if now := l.cluster.Server().Revision(); now != l.revision {
		l.revision = now
		l.announce()
	}
	l.ring()
	return l.changed
}

// announce tells all that wait for a change.
func (l *live) announce() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// ring has run look when it is due next.
func (l *live) ring() {
	select {
	case l.wake <- struct{}{}:
	default: // it is going to
	}
}

// run lets the cluster work until the context ends. An error: it has failed.
func (l *live) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		case <-timer.C:
		}
		wait, err := l.tick()
		if err != nil {
			return err
		}
		timer.Reset(wait)
	}
}

// tick goes on to the present, and says when to look again.
func (l *live) tick() (wait time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return 0, l.failed
	}
	defer func() {
		if p := recover(); p != nil {
			l.failed = fmt.Errorf("%v", p)
			l.announce()
			err = l.failed
		}
	}()
	upToDate := l.advance()
	if now := l.cluster.Server().Revision(); now != l.revision {
		l.revision = now
		l.announce()
	}
	if !upToDate {
		return time.Millisecond, nil // others have their turn between
	}
	next, more := l.cluster.Next()
	if !more {
		return longestSleep, nil
	}
	// In a very slow cluster, what comes next may be further away than a Duration reaches.
	return time.Duration(min(float64(next.Sub(l.now()))/l.speed, float64(longestSleep))), nil
}

// handler is the cluster's API for its administrator, under the name of whatever program asks.
func (l *live) handler() http.Handler {
	who := sim.Admin()
	who.Agent = ""
	server := l.cluster.Server()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server.Serve(who, &turns{live: l}).ServeHTTP(w, r)
	})
}

// turns are those of one request.
type turns struct {
	live    *live
	changed <-chan struct{} // since its last one
}

var _ apiserver.Turns = (*turns)(nil)

func (t *turns) Do(f func()) { t.changed = t.live.turn(f) }

func (t *turns) Now() time.Time { return time.Now() }

func (t *turns) Wait(ctx context.Context) error {
	late := time.NewTimer(lookAgain)
	defer late.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.changed:
	case <-late.C:
	}
	return nil
}
