package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// say says what a scope has to say, to all or to single people, one thing after the other. The
// first failure ends it for all; where it is one person's, the others have their turn first.
func (a *announcer) say(ctx context.Context, e *errand) error {
	s, prefix, private := e.of.scope, keyOutbox+"all/", e.kind == sayEach
	if private {
		prefix = keyOutbox + "to/"
	}
	var failed error
	skip := map[string]bool{}
	for {
		all, err := readUnsaid(ctx, a.tutor.cfg.Store, s, prefix)
		if err != nil {
			a.tutor.cfg.Logger.ErrorContext(ctx, "nothing is said", "platform", a.platform, "error", err)
			return err
		}
		all = slices.DeleteFunc(all, func(u *utterance) bool { return skip[u.Person] })
		if len(all) == 0 {
			return failed
		}
		if !private {
			all = all[:1] // what follows may be another by then
		}
		for _, u := range all {
			if a.ending.Load() || ctx.Err() != nil {
				return failed
			}
			if skip[u.Person] {
				continue
			}
			if err := a.utter(ctx, e, u); err != nil {
				failed, skip[u.Person] = err, true
			}
		}
	}
}

// utter says one thing, and notes that it is said.
func (a *announcer) utter(ctx context.Context, e *errand, u *utterance) error {
	t, s := a.tutor, e.of.scope
	log := t.cfg.Logger.With("platform", a.platform, "tenant", s.Tenant, "channel", s.Channel, "key", u.Key)
	if t.cfg.Now().Sub(u.At) > mostStale {
		log.WarnContext(ctx, "too old to be said")
		t.cfg.Metrics.announced(a.platform, "dropped")
		return t.unsay(ctx, s, u)
	}
	var err error
	way, said := e.ways[u.Once]
	if !said {
		way, err = a.show(ctx, s, u)
	}
	switch {
	case err == nil:
		if err = t.note(ctx, s, u, way); err != nil {
			e.keep(u, way)
		} else {
			t.cfg.Metrics.announced(a.platform, "said")
		}
	case errors.Is(err, ErrUnreachable):
		log.WarnContext(ctx, "nobody can be reached", "error", err)
		t.cfg.Metrics.announced(a.platform, "unreachable")
		err = t.lose(ctx, s, u.Person)
	case errors.Is(err, ErrRefused):
		log.ErrorContext(ctx, "cannot be said", "error", err)
		t.cfg.Metrics.announced(a.platform, "dropped")
		err = t.unsay(ctx, s, u)
	case a.ending.Load() && ctx.Err() != nil:
		return err // cut short
	default:
		log.WarnContext(ctx, "not said; it is tried again", "error", err)
		t.cfg.Metrics.announced(a.platform, "failed")
		return err
	}
	if err != nil {
		log.ErrorContext(ctx, "what was said is not noted", "error", err)
		t.cfg.Metrics.Failed(a.platform, "announcement")
	}
	return err
}

// keep has the errand know that something is said, until that can be noted.
func (e *errand) keep(u *utterance, way json.RawMessage) {
	if e.ways == nil {
		e.ways = map[uint64]json.RawMessage{}
	}
	e.ways[u.Once] = way
}

// show has the speaker say it.
func (a *announcer) show(ctx context.Context, s Scope, u *utterance) (way json.RawMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %w", ErrRefused, recovered(p))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, sayIn)
	defer cancel()
	records, _, err := a.tutor.cfg.Store.Read(ctx, s, u.shownRecord())
	if err != nil {
		return nil, fmt.Errorf("read what is shown: %w", err)
	}
	var at shownAt
	if i := slices.IndexFunc(records, func(r Record) bool { return r.Key == u.shownRecord() }); i >= 0 {
		if err := json.Unmarshal(records[i].Value, &at); err != nil {
			return nil, fmt.Errorf("decode record %s: %w", u.shownRecord(), err)
		}
	}
	var r Reply
	if err := json.Unmarshal(u.Reply, &r); err != nil {
		return nil, fmt.Errorf("decode announcement: %w", err)
	}
	a.tutor.pictured(Request{Pictures: u.Pictures}, func(made Reply) { r = made })(r)
	once := agendaKey(s)
	once = once[strings.LastIndexByte(once, '/')+1:][:14] + "-" + strconv.FormatUint(u.Once, 36)
	to := To{Place: Place{s.Platform, s.Tenant, s.Channel}, Person: cmp.Or(u.Person, s.Person), Locale: u.Locale, Once: once}
	return a.speaker.Speak(ctx, to, at.Way, r)
}
