package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// waker is a row of what can be woken: an alarm of a channel's or a person's, and what is done
// when it is due.
type waker struct {
	alarm func(*voice) *time.Time
	// wake is called in a turn of the place's own, with the alarm unset; what it does is committed
	// as a command's is. There is nobody who asked, and no reply: what it has to say, it announces.
	// In a channel the call's Who is empty; a person's alarm has the person.
	wake func(*call) error
	// lost is called where what was to be said could not be: to all in the channel (person empty), or
	// to this person. Nobody can be reached there any more. Nil: nothing is done.
	lost func(c *call, person string) error
}

// wakers is the table. A channel's alarms are Session and Daily, a person's is Reminder.
func wakers() []waker {
	return []waker{
		{alarm: func(v *voice) *time.Time { return &v.Session }, wake: (*call).wakeSession, lost: (*call).lostSession},
		{alarm: func(v *voice) *time.Time { return &v.Daily }, wake: (*call).wakeDaily, lost: (*call).lostDaily},
		{alarm: func(v *voice) *time.Time { return &v.Reminder }, wake: (*call).wakeReminder, lost: (*call).lostReminder},
	}
}

// wakeAt sets the alarm of the channel's session; zero: never.
func (c *call) wakeAt(t time.Time) { c.setAlarm(&c.channel.voice, &c.channel.voice.Session, t) }

// wakeDailyAt sets the alarm of the channel's question of the day; zero: never.
func (c *call) wakeDailyAt(t time.Time) { c.setAlarm(&c.channel.voice, &c.channel.voice.Daily, t) }

// remindAt sets the person's alarm; zero: never.
func (c *call) remindAt(t time.Time) { c.setAlarm(&c.learner.voice, &c.learner.voice.Reminder, t) }

func (c *call) setAlarm(v *voice, alarm *time.Time, t time.Time) {
	if t.IsZero() {
		*alarm = time.Time{}
		return
	}
	c.placed(v)
	*alarm = t.Round(0).UTC()
}

// next is the earliest alarm; zero: none.
func (v *voice) next(all []waker) (next time.Time) {
	for _, w := range all {
		if at := *w.alarm(v); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// agenda is the index of the scopes that have an alarm or something to say, in records of one scope
// of its own: a start reads it, and no channel. An entry is never later than what it stands for,
// since it is written before that is; it may be earlier, or for nothing, which costs a look.
type agenda struct {
	mu      sync.Mutex
	kept    map[Scope]*entry
	batch   *agendaBatch // that gathers changes; nil: none
	writing bool
	idle    sync.Cond
	version uint64
	known   bool // version is the store's
}

// entry is what the index says of a scope, as far as this process knows.
type entry struct {
	Scope Scope     `json:"scope"`
	At    time.Time `json:"at,omitzero"` // the earliest alarm; zero: there may be something to say

	commits int          // that count on it, and have not ended
	batch   *agendaBatch // that it is written with; nil: it was read
}

type agendaBatch struct {
	changes map[string][]byte
	done    chan struct{}
	err     error
}

func agendaScope() Scope { return Scope{Platform: "timonier", Channel: "agenda"} }

func keyAgenda(platform string) string { return "agenda/" + platform + "/" }

func agendaKey(s Scope) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", s.Platform, s.Tenant, s.Channel, s.Person))
	return keyAgenda(s.Platform) + hex.EncodeToString(h[:16])
}

// hold makes sure that the index has a scope, at the time of its alarm or before; at once, where it
// has something to say. The scope stays in it until release is called, after the commit that
// needs it.
func (t *Tutor) hold(ctx context.Context, s Scope, at time.Time, says bool) (release func(), err error) {
	a := &t.agenda
	a.mu.Lock()
	e := a.kept[s]
	if says {
		at = time.Time{}
	}
	if e == nil || says && !e.At.IsZero() || !says && at.Before(e.At) {
		commits := 0
		if e != nil {
			commits = e.commits
		}
		e = &entry{Scope: s, At: at, commits: commits}
		if err := t.changeAgenda(e); err != nil {
			a.mu.Unlock()
			return nil, err
		}
	}
	e.commits++
	b := e.batch
	a.mu.Unlock()
	release = func() {
		a.mu.Lock()
		if e := a.kept[s]; e != nil {
			e.commits--
		}
		a.mu.Unlock()
	}
	if b == nil {
		return release, nil
	}
	select {
	case <-b.done:
		err = b.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		release()
		return nil, fmt.Errorf("keep in agenda: %w", err)
	}
	return release, nil
}

// farAhead is how far a scope's next alarm must be for its entry to be written anew.
const farAhead = 10 * time.Minute

// lower has a scope leave the index that has nothing to say, and no alarm (zero) or only one later on. Nobody waits
// for that.
func (t *Tutor) lower(s Scope, alarm time.Time) {
	a := &t.agenda
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.kept[s]
	if e == nil || e.commits > 0 || !alarm.IsZero() && (alarm.Sub(t.cfg.Now()) < farAhead || !alarm.After(e.At)) {
		return
	}
	if alarm.IsZero() {
		delete(a.kept, s)
		t.gather(agendaKey(s), nil)
		return
	}
	if err := t.changeAgenda(&entry{Scope: s, At: alarm}); err != nil {
		t.cfg.Logger.Error("keep agenda", "error", err)
	}
}

// changeAgenda has the turn of agenda.mu.
func (t *Tutor) changeAgenda(e *entry) error {
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode entry: %w", err)
	}
	e.batch = t.gather(agendaKey(e.Scope), data)
	t.agenda.kept[e.Scope] = e
	return nil
}

// gather has the turn of agenda.mu. One goroutine writes for all.
func (t *Tutor) gather(key string, value []byte) *agendaBatch {
	a := &t.agenda
	if a.batch == nil {
		a.batch = &agendaBatch{changes: map[string][]byte{}, done: make(chan struct{})}
	}
	a.batch.changes[key] = value
	if !a.writing {
		a.writing = true
		go t.writeAgenda()
	}
	return a.batch
}

// settled waits until nothing is being written.
func (a *agenda) settled() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.writing {
		a.idle.Wait()
	}
}

func (t *Tutor) writeAgenda() {
	a := &t.agenda
	for {
		a.mu.Lock()
		b := a.batch
		if b == nil {
			a.writing = false
			a.idle.Broadcast()
			a.mu.Unlock()
			return
		}
		a.batch = nil
		a.mu.Unlock()
		if b.err = t.commitAgenda(b.changes); b.err != nil {
			t.cfg.Metrics.Failed("timonier", "agenda")
			t.cfg.Logger.Error("keep agenda", "error", b.err)
			t.unkeep(b.changes)
		}
		close(b.done)
	}
}

// unkeep forgets that the index has entries that could not be written.
func (t *Tutor) unkeep(changes map[string][]byte) {
	a := &t.agenda
	a.mu.Lock()
	defer a.mu.Unlock()
	for s := range a.kept {
		if _, ok := changes[agendaKey(s)]; ok {
			delete(a.kept, s)
		}
	}
}

// commitAgenda writes changes, again where another process has written in between.
func (t *Tutor) commitAgenda(changes map[string][]byte) error {
	a := &t.agenda
	ctx, cancel := context.WithTimeout(context.Background(), t.cfg.Limits.Command)
	defer cancel()
	w := Write{Scope: agendaScope()}
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		w.Changes = append(w.Changes, Record{key, changes[key]})
	}
	for range tries {
		if !a.known {
			_, version, err := t.cfg.Store.Read(ctx, w.Scope, "nothing has this prefix")
			if err != nil {
				return fmt.Errorf("read version: %w", err)
			}
			a.version, a.known = version, true
		}
		w.Base = a.version
		err := t.cfg.Store.Commit(ctx, Commit{Writes: []Write{w}})
		if err == nil {
			a.version++
			return nil
		}
		a.known = false
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return ErrConflict
}

// readAgenda are the entries of a platform.
func (t *Tutor) readAgenda(ctx context.Context, platform string) ([]*entry, error) {
	t.agenda.settled()
	records, _, err := t.cfg.Store.Read(ctx, agendaScope(), keyAgenda(platform))
	if err != nil {
		return nil, fmt.Errorf("read agenda: %w", err)
	}
	a := &t.agenda
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*entry
	for _, rec := range records {
		e := &entry{}
		if err := json.Unmarshal(rec.Value, e); err != nil || agendaKey(e.Scope) != rec.Key {
			t.cfg.Logger.Error("read agenda", "key", rec.Key, "error", err)
			t.gather(rec.Key, nil)
			continue
		}
		if a.kept[e.Scope] == nil { // else what this process knows is newer
			a.kept[e.Scope] = e
		}
		all = append(all, e)
	}
	return all, nil
}
