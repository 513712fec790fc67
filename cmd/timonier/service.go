package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"timonier/bot"
)

// grace is how long what was begun may take to end once the program is told to stop.
const grace = 10 * time.Second

// graceHTTP is the part of it that requests being read may take, before their connections are cut.
const graceHTTP = time.Second

// frontEnd is one platform's connection to the tutor.
type frontEnd interface {
	// Run connects, and returns when the context has ended and what was taken is answered,
	// or sooner with the reason why it cannot work at all.
	Run(ctx context.Context) error
	Handler() http.Handler // of what the platform sends by HTTP
	Ready() bool           // every connection is up
}

// speaker is a front end through which the tutor can say what nobody asked for at the moment.
type speaker interface {
	bot.Speaker
	// Mute says why nothing can be said; empty: it can.
	Mute() string
}

// front is a front end at work.
type front struct {
	frontEnd
	name  string
	ways  []string // how it connects: gateway, socket, http
	paths []string // of its Handler; none where the platform sends nothing by HTTP
	ended atomic.Bool
}

// frontError is a front end that cannot work.
type frontError struct {
	name string
	err  error
}

func (e *frontError) Error() string { return e.name + ": " + e.err.Error() }
func (e *frontError) Unwrap() error { return e.err }

// errLate is what was begun and did not end in time.
var errLate = errors.New("work did not end in time")

// errEnded is a front end that ended though nobody told it to.
var errEnded = errors.New("it ended by itself")

// service is the front ends and the HTTP servers, from their start to their end.
type service struct {
	logger  *slog.Logger
	metrics *bot.Metrics
	grace   time.Duration
	check   func(context.Context) error // whether the store answers
	speak   func(ctx context.Context, platform string, s bot.Speaker) error
	last    []io.Closer // closed in this order when no front end runs any more
	fronts  []*front

	public, admin *site // nil where there is nothing to serve
	gate          gate  // of the platforms' requests by HTTP
	door          *kubectlDoor
	outside       http.Handler // what the door answers with
	stopping      atomic.Bool
}

// connect makes the front ends that the settings ask for. It reaches nobody yet.
func (s *service) connect(table []platform, got values, with shared) error {
	for _, p := range table {
		f := &front{name: p.name, ways: p.ways(got)}
		if len(f.ways) == 0 {
			continue
		}
		if f.ways[len(f.ways)-1] == wayHTTP {
			f.paths = p.paths
		}
		var err error
		if f.frontEnd, err = p.make(got, with); err != nil {
			return &frontError{p.name, err}
		}
		s.fronts = append(s.fronts, f)
		with.metrics.Platform(p.name)
	}
	return nil
}

// names are the front ends for the log: "discord (gateway, http), slack (socket)".
func (s *service) names() string {
	var all []string
	for _, f := range s.fronts {
		all = append(all, fmt.Sprintf("%s (%s)", f.name, strings.Join(f.ways, ", ")))
	}
	return strings.Join(all, ", ")
}

// run serves until the context ends, or nothing is left that works. Then it ends everything, in this
// order: requests by HTTP, front ends with what they have begun, the tutor, the store, health, which
// says to the end that the program is stopping.
func (s *service) run(ctx context.Context) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	broken := make(chan error, len(s.fronts)+3) // each tells once
	var working sync.WaitGroup
	for _, one := range []*site{s.public, s.admin} {
		if one != nil {
			working.Go(func() {
				if err := one.serve(); err != nil {
					broken <- err
				}
			})
		}
	}
	if s.door != nil {
		working.Go(func() {
			if err := s.door.serve(s.outside); err != nil {
				broken <- err
			}
		})
	}
	var atWork sync.WaitGroup
	for _, f := range s.fronts {
		atWork.Go(func() {
			quiet := s.voice(running, f)
			err := f.Run(running)
			quiet()
			f.ended.Store(true)
			if running.Err() == nil {
				if err == nil {
					err = errEnded
				}
				broken <- &frontError{f.name, err}
			} else if err != nil && !errors.Is(err, context.Canceled) {
				s.logger.Error("front end ended badly", "frontend", f.name, "error", err)
			}
		})
	}
	err := s.watch(ctx, broken)
	s.stopping.Store(true)
	s.logger.Info("stopping: what was begun is finished first", "at most", s.grace.String())
	err = errors.Join(err, s.end(ctx, stop, &atWork))
	if !errors.Is(err, errLate) {
		working.Wait()
	}
	return err
}

// voice has a front end say what is to be said unasked, until the context ends or quiet is called,
// which waits for what is being said.
func (s *service) voice(ctx context.Context, f *front) (quiet func()) {
	speaks, ok := f.frontEnd.(speaker)
	if !ok || s.speak == nil {
		return func() {}
	}
	if why := speaks.Mute(); why != "" {
		s.logger.Warn("nothing can be said that nobody asked for: no timed quiz, no question of the day, no reminder", "frontend", f.name, "because", why)
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.speak(ctx, f.name, speaks); err != nil {
			s.logger.Error("nothing is said that nobody asked for", "frontend", f.name, "error", err)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// watch returns when the program is to stop: nil where it was told to.
func (s *service) watch(ctx context.Context, broken <-chan error) error {
	left := len(s.fronts)
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-broken:
			var failed *frontError
			if !errors.As(err, &failed) {
				return err
			}
			if left--; left == 0 {
				return err
			}
			s.logger.Error("front end failed; the others go on", "frontend", failed.name, "error", failed.err)
		}
	}
}

// end stops everything within the grace.
func (s *service) end(ctx context.Context, stop func(), atWork *sync.WaitGroup) error {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	s.gate.close(late)
	err := s.door.close(late)
	stop()
	err = errors.Join(err, within(late, func() error { atWork.Wait(); return nil }))
	for _, c := range s.last {
		if errors.Is(err, errLate) {
			break // what still works may need it; the store is whole without being closed
		}
		err = errors.Join(err, within(late, c.Close))
	}
	return errors.Join(err, s.public.close(late), s.admin.close(late))
}

// within waits for work until the context ends. Work that is late goes on until the program ends.
func within(ctx context.Context, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errLate
	}
}
