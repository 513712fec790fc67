package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Speaker is a front end's: it says on its platform what no request is the answer to, such as a
// quiz's next question, the question of the day, a reminder. It is called from several
// goroutines at once, for one place and one person's private messages one call at a time.
type Speaker interface {
	// Speak shows r in a place as a new message, or, where shown is what it returned before, in
	// that message's stead; where that message is gone, as a new one. It returns its way back to
	// the message: JSON, 1 KB at most; nil: it cannot be found again. An error that wraps
	// ErrUnreachable says that nobody can be reached there any more, ErrRefused that this can never
	// be said; any other may pass, and the same is said again later. It gives up when ctx ends.
	Speak(ctx context.Context, to To, shown json.RawMessage, r Reply) (json.RawMessage, error)
}

// Prober is a Speaker that can find out, without saying anything, whether it would be heard.
type Prober interface {
	// Probe returns an error that wraps ErrUnreachable where nothing can be said. Where it cannot
	// find out, it returns nil.
	Probe(ctx context.Context, to To) error
}

// To is whom something is said to.
type To struct {
	Place         // where; in a person's own alarm, without a Channel
	Person string // to this person alone, by private message; empty: to all in the channel
	Locale string // the language of what is said: fr, en

	// Once is the same whenever the same is said again, after a failure, or a process that ended
	// before it knew that it was said: 25 characters at most.
	Once string
}

// Errors of a Speaker, and of a place to speak in.
var (
	// ErrUnreachable says that nobody can be reached in a place any more: the channel is gone, the
	// bot may not write there, or the person takes no message of it.
	ErrUnreachable = errors.New("nobody can be reached there")
	// ErrRefused says that the platform takes no such message, now or later: what follows is said.
	ErrRefused = errors.New("the platform refuses what is to be said")
	// errMute says that nothing can be said on the platform but in answer.
	errMute = errors.New("nothing can be said there unasked")
)

// Bounds of an announcer.
const (
	mostWakes   = 256              // at once: each waits for its channel's turn, which may be long in coming
	mostSayings = 64               // at once: one that hangs holds up no other
	sayIn       = 30 * time.Second // one thing
	sayDrain    = 8 * time.Second  // for what is being said when Speak's context ends
	firstPause  = time.Second      // after a failure; it doubles
	mostPause   = 5 * time.Minute
	lookAround  = 30 * time.Second // the longest wait: the clock may jump
)

// Speak wakes what is due on a platform and says through s what is to be said there, until ctx
// ends; it returns when what was being said is said, within some seconds. What is not said by
// then is said by the next process. The error says why the agenda cannot be read.
func (t *Tutor) Speak(ctx context.Context, platform string, s Speaker) error {
	a, err := t.announcer(ctx, platform, s)
	if err != nil {
		return err
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		next := a.step(work, a.working.Go)
		wait := lookAround
		if !next.IsZero() {
			wait = min(max(0, next.Sub(t.cfg.Now())), lookAround)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-a.fresh:
		case <-timer.C:
		}
	}
	a.ending.Store(true) // first: what commits tell nobody of from here on stays in the agenda
	t.mu.Lock()
	delete(t.speaking, platform)
	t.mu.Unlock()
	late := time.AfterFunc(sayDrain, cancel)
	defer late.Stop()
	a.working.Wait()
	a.close()
	return nil
}

// SpeakNow wakes what is due on a platform by now, says all there is to say, and returns when
// the next is due; zero: nothing is known to be. It is Speak for whoever keeps time by themselves.
// Nobody else may speak on the platform.
func (t *Tutor) SpeakNow(ctx context.Context, platform string, s Speaker) (next time.Time, err error) {
	a, err := t.announcer(ctx, platform, s)
	if err != nil {
		return time.Time{}, err
	}
	return a.step(ctx, func(work func()) { work() }), ctx.Err()
}

// Speaks says whether anything can be said on a platform unasked: somebody Speaks there.
func (t *Tutor) Speaks(platform string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.speaking[platform] != nil
}

// reach says why what is announced in this channel would not arrive: errMute, or an error that
// wraps ErrUnreachable. Nil: it will, as far as can be known.
func (c *call) reach() error {
	c.tutor.mu.Lock()
	a := c.tutor.speaking[c.request.Platform]
	c.tutor.mu.Unlock()
	switch {
	case a == nil:
		return errMute
	case c.request.Mute:
		return fmt.Errorf("the platform says so: %w", ErrUnreachable)
	}
	p, ok := a.speaker.(Prober)
	if !ok {
		return nil
	}
	const patience = 2 * time.Second // somebody waits
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	if err := p.Probe(ctx, To{Place: c.request.Place(), Locale: c.lang}); errors.Is(err, ErrUnreachable) {
		return err
	}
	return nil
}
