package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ownPlace is the channel in whose turns a person's own alarms and what they say are: no platform
// has one of the name.
func (s Scope) ownPlace() Place {
	if s.Person == "" {
		return Place{s.Platform, s.Tenant, s.Channel}
	}
	return Place{s.Platform, s.Tenant, "@" + s.Person}
}

// asNobody runs f in a turn of the scope's place, as nobody's command, and commits what it
// changes.
func (t *Tutor) asNobody(ctx context.Context, s Scope, first bool, f func(*call) error) error {
	p := s.ownPlace()
	r := Request{Platform: p.Platform, Tenant: p.Tenant, Channel: p.Channel}
	if s.Person != "" {
		r.Who = Person{ID: s.Person, Everywhere: s.Tenant == ""}
		r.Direct, r.Alone = true, true
	}
	var failed error
	j := job{ctx: ctx, done: make(chan error, 1), ours: true, first: first}
	j.run = func(ctx context.Context, ln *lane) {
		for range tries {
			if failed = t.attemptAs(ctx, ln, r, f); !errors.Is(failed, ErrConflict) {
				break
			}
			ln.loaded = nil
		}
		if failed != nil {
			ln.loaded = nil
		}
	}
	if _, err := t.enqueue(p, j); err != nil {
		return err
	}
	return errors.Join(<-j.done, failed)
}

func (t *Tutor) attemptAs(ctx context.Context, ln *lane, r Request, f func(*call) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p)
		}
	}()
	c, err := t.newCall(ctx, ln, r, func(Reply) {})
	if err != nil {
		return err
	}
	if err := c.inVoice(); err != nil {
		return err
	}
	if err := f(c); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.commit(Reply{}); err != nil {
		return err
	}
	_, sh := c.own()
	t.told(sh.scope, c.voice().next(t.wakers), [2]bool{}) // also where there was nothing to do
	return nil
}

// inVoice makes a call nobody's: it takes what the scope knows of its place for what a request
// would say.
func (c *call) inVoice() error {
	v, r := c.voice(), &c.request
	c.woken, r.Locale, r.Pictures = true, v.Locale, v.Pictures
	if r.Who.ID == "" {
		r.Parent, r.Direct, r.Alone = v.Parent, v.Direct, v.Alone
	}
	if err := c.readHouse(); err != nil {
		return err
	}
	c.tongue()
	return nil
}

// voice is that of the scope whose own turn it is.
func (c *call) voice() *voice {
	if c.request.Who.ID != "" {
		return &c.learner.voice
	}
	return &c.channel.voice
}

// own is the outbox and the shelf of the scope whose own turn it is.
func (c *call) own() (*outbox, *shelf) {
	if c.request.Who.ID != "" {
		return &c.learner.outbox, c.learner.shelf
	}
	return &c.channel.outbox, c.channel.shelf
}

// wake does what a scope's due alarms are for, in one turn and one commit.
func (t *Tutor) wake(ctx context.Context, s Scope) error {
	err := t.asNobody(ctx, s, false, func(c *call) error {
		for _, w := range t.wakers {
			if alarm := w.alarm(c.voice()); !alarm.IsZero() && !alarm.After(c.now) {
				*alarm = time.Time{}
				if err := w.wake(c); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.cfg.Logger.ErrorContext(ctx, "wake", "platform", s.Platform, "tenant", s.Tenant, "channel", s.Channel, "error", err)
		t.cfg.Metrics.Failed(s.Platform, "alarm")
	}
	return err
}

// note keeps that something is said.
func (t *Tutor) note(ctx context.Context, s Scope, u *utterance, way json.RawMessage) error {
	return t.asNobody(ctx, s, true, func(c *call) error {
		o, sh := c.own()
		var r Reply
		if json.Unmarshal(u.Reply, &r) == nil && u.Person == "" && way != nil && (len(r.Buttons) > 0 || r.Menu != nil || r.Prompt != nil) {
			clear(c.lane.offered)
			c.lane.offer("", r)
		}
		return o.said(c.ctx, t.cfg.Store, sh, u, way)
	})
}

// unsay keeps that something will not be said.
func (t *Tutor) unsay(ctx context.Context, s Scope, u *utterance) error {
	return t.asNobody(ctx, s, true, func(c *call) error {
		o, sh := c.own()
		return o.unsay(c.ctx, t.cfg.Store, sh, u)
	})
}

// lose has a scope do without those that cannot be reached.
func (t *Tutor) lose(ctx context.Context, s Scope, person string) error {
	return t.asNobody(ctx, s, true, func(c *call) error {
		o, sh := c.own()
		if err := o.drop(c.ctx, t.cfg.Store, sh, person); err != nil {
			return err
		}
		for _, w := range t.wakers {
			if w.lost != nil {
				if err := w.lost(c, cmp.Or(person, s.Person)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// told tells whoever speaks on the scope's platform what a commit has left.
func (t *Tutor) told(s Scope, alarm time.Time, says [2]bool) {
	t.mu.Lock()
	a := t.speaking[s.Platform]
	t.mu.Unlock()
	if a != nil {
		a.told(s, alarm, says)
	}
}

// heard is what a commit changes of when and what a scope speaks unasked.
type heard struct {
	tutor    *Tutor
	changed  []heardOf
	releases []func()
}

type heardOf struct {
	scope Scope
	alarm time.Time
	says  [2]bool
}

// putVoice puts what a scope has been given to announce, and the alarms it has been set, with its
// records, and has the agenda know of them before they are.
func (c *call) putVoice(sh *shelf, v *voice, o *outbox, record string) (*heard, error) {
	h := &heard{tutor: c.tutor}
	err := o.put(c.ctx, c.tutor, sh, v)
	if err == nil {
		err = put(sh, record, *v)
	}
	if _, changed := sh.changed[record]; err == nil && changed {
		err = h.keep(c.ctx, heardOf{sh.scope, v.next(c.tutor.wakers), o.fresh})
	}
	if err != nil {
		h.release()
		return nil, err
	}
	return h, nil
}

func (h *heard) keep(ctx context.Context, of heardOf) error {
	h.changed = append(h.changed, of)
	says := of.says != [2]bool{}
	if !says && of.alarm.IsZero() {
		return nil
	}
	release, err := h.tutor.hold(ctx, of.scope, of.alarm, says)
	if err != nil {
		return err
	}
	h.releases = append(h.releases, release)
	return nil
}

// tell says that the commit has been made.
func (h *heard) tell() {
	for _, of := range h.changed {
		h.tutor.told(of.scope, of.alarm, of.says)
	}
}

func (h *heard) release() {
	for _, release := range h.releases {
		release()
	}
}
