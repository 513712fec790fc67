package bot

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	mostWakes   = 16               // at once
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
	t.mu.Lock()
	delete(t.speaking, platform)
	t.mu.Unlock()
	a.ending.Store(true)
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

// unheard is what to answer to a command whose work could not be seen: nothing can be said here
// unasked. False where something can, as far as can be known. It may take a call to the platform:
// it is for commands that begin something.
func (c *call) unheard() (Reply, bool) {
	err := c.reach()
	switch {
	case err == nil:
		return Reply{}, false
	case errors.Is(err, errMute):
		return c.mistake("voice.mute"), true
	}
	c.tutor.cfg.Logger.InfoContext(c.ctx, "nobody can be reached", "platform", c.request.Platform, "channel", c.request.Channel, "error", err)
	return c.mistake("voice.uninvited"), true
}

// announcer is whoever speaks on a platform, and what it has to do. What it knows of the time
// and of what waits is the scopes' own; it is told of their commits.
type announcer struct {
	tutor    *Tutor
	platform string
	speaker  Speaker

	fresh   chan struct{} // there is something to look at
	working sync.WaitGroup
	ending  atomic.Bool

	mu     sync.Mutex
	ready  bool // the agenda has been read
	scopes map[Scope]*speaking
	wakes  errands
	says   errands
	now    [2]int // errands being run: wakes, sayings
}

// speaking is a scope that has an alarm, or something to say.
type speaking struct {
	scope   Scope
	alarm   time.Time // zero: none
	errands [3]*errand
}

// errand is one of what there is to do for a scope: wake it, say what is for all, say what is for
// single people. Each is done by one goroutine at a time.
type errand struct {
	of     *speaking
	kind   errandKind
	wanted bool // say: there may be something
	busy   bool
	fails  int
	retry  time.Time // not before
	at     time.Time // when it is due
	index  int       // in its heap; -1: it is not

	ways map[uint64]json.RawMessage // of what was said, and could not be noted
}

type errandKind int

const (
	sayAll errandKind = iota
	sayEach
	wakes
)

// announcer is the platform's, made with what the agenda says where there is none.
func (t *Tutor) announcer(ctx context.Context, platform string, s Speaker) (*announcer, error) {
	t.mu.Lock()
	a := t.speaking[platform]
	if a == nil {
		a = &announcer{tutor: t, platform: platform, speaker: s, fresh: make(chan struct{}, 1), scopes: map[Scope]*speaking{}}
		t.speaking[platform] = a // from here on it is told of commits
		t.mu.Unlock()
	} else {
		t.mu.Unlock()
		return a, nil
	}
	all, err := t.readAgenda(ctx, platform)
	if err != nil {
		t.mu.Lock()
		delete(t.speaking, platform)
		t.mu.Unlock()
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ready = true
	for _, e := range all {
		a.found(e)
	}
	return a, nil
}

// found takes up what the agenda says of a scope. It has the turn of a.mu, as have all that follow
// up to told. Where a commit has told the alarm already, that one is newer.
func (a *announcer) found(e *entry) {
	s := a.scopes[e.Scope]
	now := a.tutor.cfg.Now()
	if s == nil {
		s = a.scope(e.Scope)
		if s.alarm = e.At; s.alarm.Before(now) {
			s.alarm = now // if there is one: the turn finds out
		}
		a.place(s.errands[wakes])
	}
	if !e.At.After(now) {
		a.want(s, sayAll)
		a.want(s, sayEach)
	}
}

func (a *announcer) scope(of Scope) *speaking {
	s := a.scopes[of]
	if s == nil {
		s = &speaking{scope: of}
		for k := range s.errands {
			s.errands[k] = &errand{of: s, kind: errandKind(k), index: -1}
		}
		a.scopes[of] = s
	}
	return s
}

func (a *announcer) want(s *speaking, k errandKind) {
	if e := s.errands[k]; !e.wanted {
		e.wanted = true
		a.tutor.cfg.Metrics.toSay(a.platform, 1)
		a.place(e)
	}
}

// place puts an errand in its heap where it belongs, or takes it out.
func (a *announcer) place(e *errand) {
	h := &a.says
	at, due := e.retry, e.wanted
	if e.kind == wakes {
		h = &a.wakes
		at, due = e.of.alarm, !e.of.alarm.IsZero()
		if at.Before(e.retry) {
			at = e.retry
		}
	}
	due = due && !e.busy
	e.at = at
	switch {
	case due && e.index < 0:
		heap.Push(h, e)
	case due:
		heap.Fix(h, e.index)
	case e.index >= 0:
		heap.Remove(h, e.index)
	}
}

// told takes note of what a commit has left.
func (a *announcer) told(of Scope, alarm time.Time, says [2]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.scopes[of] == nil && alarm.IsZero() && says == [2]bool{} {
		return
	}
	s := a.scope(of)
	s.alarm = alarm
	for k, say := range says {
		if say {
			a.want(s, errandKind(k))
		}
	}
	a.place(s.errands[wakes])
	a.rest(s)
	a.ring()
}

func (a *announcer) ring() {
	select {
	case a.fresh <- struct{}{}:
	default:
	}
}

// rest lets a scope go that there is nothing to do for, and has the agenda say when there is.
func (a *announcer) rest(s *speaking) {
	if !a.ready {
		return
	}
	for _, e := range s.errands {
		if e.busy || e.wanted {
			return
		}
	}
	a.tutor.lower(s.scope, s.alarm)
	if s.alarm.IsZero() {
		delete(a.scopes, s.scope)
	}
}

// close forgets what waits: the next who speaks reads it.
func (a *announcer) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.scopes {
		for _, e := range s.errands {
			if e.wanted {
				a.tutor.cfg.Metrics.toSay(a.platform, -1)
			}
		}
	}
}

// step has run begin all that is due, and says when to be called next, at the latest; zero: when
// there is something fresh.
func (a *announcer) step(ctx context.Context, run func(func())) time.Time {
	for {
		e, next := a.due()
		if e == nil {
			return next
		}
		run(func() { a.do(ctx, e) })
	}
}

// due is an errand whose time has come, from then on busy; or when the next one's comes.
func (a *announcer) due() (e *errand, next time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.tutor.cfg.Now()
	for i, h := range []*errands{&a.wakes, &a.says} {
		if len(*h) == 0 || a.now[i] >= []int{mostWakes, mostSayings}[i] {
			continue // one that ends is something fresh
		}
		first := (*h)[0]
		if early := first.at.Sub(now); early <= 0 || first.retry.Equal(first.at) && early > mostPause { // the clock was put back
			first.busy = true
			heap.Remove(h, first.index)
			a.now[i]++
			return first, time.Time{}
		}
		if next.IsZero() || first.at.Before(next) {
			next = first.at
		}
	}
	return nil, next
}

// do runs an errand.
func (a *announcer) do(ctx context.Context, e *errand) {
	a.mu.Lock()
	wanted := e.wanted
	e.wanted = false // what is wanted from here on is wanted again
	a.mu.Unlock()
	var err error
	if e.kind == wakes {
		err = a.tutor.wake(ctx, e.of.scope)
	} else {
		err = a.say(ctx, e)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	defer a.ring()
	if wanted && !e.wanted && (err != nil || a.ending.Load()) {
		e.wanted = true
	} else if wanted {
		a.tutor.cfg.Metrics.toSay(a.platform, -1)
	}
	e.busy = false
	a.now[e.slot()]--
	e.retry = time.Time{}
	if err == nil {
		e.fails, e.ways = 0, nil
	} else {
		e.retry = a.tutor.cfg.Now().Add(min(firstPause<<min(e.fails, 20), mostPause))
		e.fails++
	}
	a.place(e)
	a.rest(e.of)
}

func (e *errand) slot() int {
	if e.kind == wakes {
		return 0
	}
	return 1
}

// errands is a heap: the one due first is first.
type errands []*errand

func (h errands) Len() int           { return len(h) }
func (h errands) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h errands) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *errands) Push(x any) {
	e := x.(*errand)
	e.index = len(*h)
	*h = append(*h, e)
}
func (h *errands) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.index = -1
	return e
}

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
			err = recovered(p)
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
	if of.says != [2]bool{} {
		of.alarm = time.Time{} // there is something to say
	} else if of.alarm.IsZero() {
		return nil
	}
	release, err := h.tutor.hold(ctx, of.scope, of.alarm)
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
