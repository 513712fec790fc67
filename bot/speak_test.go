package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// audience is a Speaker that remembers: what stands in each place now, and all that was said.
type audience struct {
	mu    sync.Mutex
	said  []heardReply
	count int // of messages
	fail  func(to To) error
	hold  func(to To) // what a saying waits for
}

type heardReply struct {
	To     To
	Reply  Reply
	Way    string
	Edited bool // in another's stead
}

func (a *audience) Speak(_ context.Context, to To, shown json.RawMessage, r Reply) (json.RawMessage, error) {
	if a.hold != nil {
		a.hold(to)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		if err := a.fail(to); err != nil {
			return nil, err
		}
	}
	h := heardReply{To: to, Reply: r, Way: string(shown), Edited: shown != nil}
	if shown == nil {
		a.count++
		h.Way = fmt.Sprintf(`"m%d"`, a.count)
	}
	a.said = append(a.said, h)
	return json.RawMessage(h.Way), nil
}

// take is what was said since it was called last, as a transcript shows it.
func (a *audience) take() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var parts []string
	for _, h := range a.said {
		head := "(said"
		if h.To.Person != "" {
			head += " to " + h.To.Person
		}
		if h.Edited {
			head += " in the stead of " + strings.Trim(h.Way, `"`)
		} else {
			head += " as " + strings.Trim(h.Way, `"`)
		}
		parts = append(parts, head+")\n"+plainText(h.Reply))
	}
	a.said = nil
	return strings.Join(parts, "\n\n")
}

// listen has the stage's tutor say what is due by the stage's clock, and gives it as text.
func (s *stage) listen() (text string, next time.Time) {
	s.t.Helper()
	if s.audience == nil {
		s.audience = &audience{}
	}
	next, err := s.tutor.SpeakNow(context.Background(), "test", s.audience)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.audience.take(), next
}

// speakingStage has commands that speak: /dis KEY TEXT announces, /dis-à PERSON KEY TEXT to one person,
// /réveil 20s sets the session's alarm, and each time it rings it says so and how often it has.
func speakingStage(t *testing.T) *stage {
	s := newStage(t, "fr")
	s.audience = &audience{}
	s.speaks(s.tutor)
	return s
}

func (s *stage) speaks(t *Tutor) {
	say := func(text string) Reply { return Reply{Blocks: []Block{Text{text}}} }
	add := func(fr string, run func(*call) (Reply, error)) {
		t.commands = append(t.commands, &command{name: name{fr, fr}, help: "help.help", usage: "help.usage", run: run})
	}
	add("dis", func(c *call) (Reply, error) {
		key, text, _ := strings.Cut(c.args, " ")
		c.announce(key, say(text))
		return say("ok"), nil
	})
	add("confie", func(c *call) (Reply, error) {
		words := strings.SplitN(c.args, " ", 3)
		c.announceTo(words[0], words[1], say(words[2]))
		return say("ok"), nil
	})
	add("réveil", func(c *call) (Reply, error) {
		d, err := time.ParseDuration(c.args)
		if err != nil {
			return Reply{}, err
		}
		c.wakeAt(c.now.Add(d))
		return say("ok"), nil
	})
	t.wakers = []waker{{
		alarm: func(v *voice) *time.Time { return &v.Session },
		wake: func(c *call) error {
			c.channel.last.From++
			c.announce("alarm", say(fmt.Sprintf("alarm %d at %s", c.channel.last.From, c.now.Format(time.TimeOnly))))
			return nil
		},
	}}
}

func TestAnnouncementIsSaidAndThenChanged(t *testing.T) {
	s := speakingStage(t)
	got := s.heard(plainText(s.ask("/dis q1 première")))
	if want := "ok\n\n(said as m1)\npremière"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.ask("/dis q1 deuxième")
	s.ask("/dis q2 autre")
	s.ask("/dis q1 troisième")
	got, _ = s.listen()
	if want := "(said in the stead of m1)\ntroisième\n\n(said as m2)\nautre"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if again, next := s.listen(); again != "" || !next.IsZero() {
		t.Errorf("said again: %q, next at %v", again, next)
	}
}

func TestAlarmRings(t *testing.T) {
	s := speakingStage(t)
	s.ask("/réveil 20s")
	if got := s.wait(19 * time.Second); got != "" {
		t.Errorf("too early: %q", got)
	}
	if got := s.wait(time.Second); got != "(said as m1)\nalarm 1 at 13:00:21" {
		t.Errorf("%q", got)
	}
	if got := s.wait(time.Hour); got != "" {
		t.Errorf("it rings again: %q", got)
	}
}

// restart ends the stage's tutor, and begins another on the same store.
func (s *stage) restart() {
	s.t.Helper()
	if err := s.tutor.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.tutor = s.newTutor()
	s.speaks(s.tutor)
}

// index is how many entries the agenda has in the store.
func (s *stage) index() int {
	s.tutor.agenda.settled()
	records, _, err := s.store.Read(context.Background(), agendaScope(), keyAgenda("test"))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(records)
}

// left are the keys of a scope's outbox and of what it can still change.
func (s *stage) left(scope Scope) (keys []string) {
	for _, prefix := range []string{keyOutbox, keyShown} {
		records, _, err := s.store.Read(context.Background(), scope, prefix)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range records {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

var here = Scope{Platform: "test", Channel: "general"}

// The state is committed, and the process is gone before it has said what it announced.
func TestSaidAfterARestart(t *testing.T) {
	s := speakingStage(t)
	s.ask("/dis q1 première")
	s.heard("")
	s.ask("/dis q1 deuxième")
	s.ask("/dis q2 autre")
	s.ask("/confie bob r1 toi seul")
	s.restart()
	got, _ := s.listen()
	if want := "(said in the stead of m1)\ndeuxième\n\n(said as m2)\nautre\n\n(said to bob as m3)\ntoi seul"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.restart()
	if got, next := s.listen(); got != "" || !next.IsZero() {
		t.Errorf("said again: %q, next at %v", got, next)
	}
	if n := s.index(); n != 0 {
		t.Errorf("%d entries are left in the agenda", n)
	}
}

// An alarm that came due while the program was down rings once at its start, late.
// What an alarm had to say is said by the next process, though the clock was put back in between
// and shows a time before the alarm's.
func TestSaidAfterARestartWithTheClockPutBack(t *testing.T) {
	s := speakingStage(t)
	s.listen()
	s.ask("/réveil 20s")
	s.now = s.now.Add(20 * time.Second)
	s.audience.fail = func(To) error { return errors.New("the platform is away") }
	s.listen() // it rings, and what it says cannot be said
	if err := s.tutor.Close(); err != nil {
		t.Fatal(err)
	}
	s.audience.fail = nil
	s.now = s.now.Add(-10 * time.Second)
	s.tutor = s.newTutor()
	s.speaks(s.tutor)
	if got, _ := s.listen(); !strings.Contains(got, "alarm 1") {
		t.Errorf("said %q", got)
	}
}

func TestAlarmRingsLateAfterARestart(t *testing.T) {
	s := speakingStage(t)
	s.ask("/réveil 20s")
	s.restart()
	s.now = s.now.Add(3 * time.Hour)
	if got, _ := s.listen(); got != "(said as m1)\nalarm 1 at 16:00:01" {
		t.Errorf("%q", got)
	}
	if got := s.wait(time.Hour); got != "" {
		t.Errorf("it rings again: %q", got)
	}
	s.restart()
	if got := s.wait(time.Hour); got != "" {
		t.Errorf("it rings again after a restart: %q", got)
	}
}

// The alarm is woken, and the process is gone before its commit: it rings after the restart.
func TestAlarmWhoseCommitFailsRingsAgain(t *testing.T) {
	s := speakingStage(t)
	s.ask("/réveil 20s")
	s.listen()
	s.store.fail = fmt.Errorf("disk full")
	if got := s.wait(30 * time.Second); got != "" {
		t.Errorf("said, though it could not be kept: %q", got)
	}
	s.store.fail = nil
	if got := s.wait(5 * time.Minute); !strings.HasPrefix(got, "(said as m1)\nalarm 1 at 13:00:") {
		t.Errorf("%q", got)
	}
}

// A panic in a waker is tried again, ever more rarely, and harms nobody else.
func TestWakerThatPanics(t *testing.T) {
	s := speakingStage(t)
	rings := 0
	wake := s.tutor.wakers[0].wake
	s.tutor.wakers[0].wake = func(c *call) error {
		if c.request.Channel == "broken" {
			rings++
			panic("a bug")
		}
		return wake(c)
	}
	r := s.request("/réveil 10s")
	r.Channel = "broken"
	s.send(r)
	s.ask("/réveil 10s")
	if got := s.wait(time.Hour); got != "(said as m1)\nalarm 1 at 13:00:11" {
		t.Errorf("%q", got)
	}
	if rings < 10 || rings > 30 {
		t.Errorf("it was tried %d times in an hour", rings)
	}
}

func TestFailuresAreTriedAgainInOrder(t *testing.T) {
	s := speakingStage(t)
	down := true
	s.audience.fail = func(To) error {
		if down {
			return fmt.Errorf("the platform is down")
		}
		return nil
	}
	s.ask("/dis q1 première")
	s.ask("/dis q2 deuxième")
	s.ask("/confie bob r1 toi seul")
	if got := s.wait(10 * time.Minute); got != "" {
		t.Errorf("%q", got)
	}
	s.ask("/dis q1 corrigée")
	down = false
	if got := s.wait(5 * time.Minute); got != "(said as m1)\ncorrigée\n\n(said as m2)\ndeuxième\n\n(said to bob as m3)\ntoi seul" {
		t.Errorf("%q", got)
	}
	// What could not be said for a day is said no more.
	down = true
	s.ask("/dis q3 hier")
	s.wait(25 * time.Hour)
	down = false
	if got := s.wait(time.Hour); got != "" {
		t.Errorf("%q", got)
	}
	if keys := s.left(here); len(keys) != 3 {
		t.Errorf("left: %q", keys)
	}
}

func TestUnreachableIsDroppedAndTold(t *testing.T) {
	s := speakingStage(t)
	var lost []string
	s.tutor.wakers[0].lost = func(c *call, person string) error {
		lost = append(lost, c.request.Channel+" "+person)
		c.wakeAt(time.Time{})
		c.announceTo("prof", "lost", Reply{Blocks: []Block{Text{"je ne peux plus y écrire"}}})
		return nil
	}
	s.audience.fail = func(to To) error {
		if to.Person != "prof" {
			return fmt.Errorf("no: %w", ErrUnreachable)
		}
		return nil
	}
	s.ask("/réveil 1h")
	s.ask("/dis q1 première")
	s.ask("/dis q2 deuxième")
	if got, _ := s.listen(); got != "(said to prof as m1)\nje ne peux plus y écrire" {
		t.Errorf("%q", got)
	}
	s.ask("/confie bob r1 toi seul")
	s.listen()
	if want := []string{"general ", "general bob"}; fmt.Sprint(lost) != fmt.Sprint(want) {
		t.Errorf("lost: %q, want %q", lost, want)
	}
	if got := s.wait(2 * time.Hour); got != "" {
		t.Errorf("the alarm rings all the same: %q", got)
	}
	if keys := s.left(here); fmt.Sprint(keys) != "[shown/to/prof/lost]" {
		t.Errorf("left: %q", keys)
	}
}

func TestRefusedIsDroppedAlone(t *testing.T) {
	s := speakingStage(t)
	refuse := true
	s.audience.fail = func(To) error {
		if was := refuse; was {
			refuse = false
			return fmt.Errorf("no: %w", ErrRefused)
		}
		return nil
	}
	s.ask("/dis q1 première")
	s.ask("/dis q2 deuxième")
	if got, _ := s.listen(); got != "(said as m1)\ndeuxième" {
		t.Errorf("%q", got)
	}
}

// A person's own alarm rings in no channel: it speaks to the person, in their language.
func TestReminder(t *testing.T) {
	s := speakingStage(t)
	s.tutor.commands = append(s.tutor.commands, &command{name: name{"rappelle", "remind"}, help: "help.help", usage: "help.usage", run: func(c *call) (Reply, error) {
		c.remindAt(c.now.Add(time.Hour))
		return Reply{Blocks: []Block{Text{"ok"}}}, nil
	}})
	ring := func(c *call) error {
		if c.request.Who.ID != "ana" || c.request.Channel != "@ana" {
			t.Errorf("woken as %+v", c.request)
		}
		c.announce("reminder", Reply{Blocks: []Block{Text{c.say("language.name")}}})
		c.remindAt(c.now.Add(24 * time.Hour))
		return nil
	}
	reminder := waker{alarm: func(v *voice) *time.Time { return &v.Reminder }, wake: ring}
	s.tutor.wakers = append(s.tutor.wakers, reminder)
	s.ask("/langue en")
	s.ask("/rappelle")
	s.restart()
	s.tutor.wakers = append(s.tutor.wakers, reminder)
	if got := s.wait(2 * time.Hour); got != "(said to ana as m1)\nEnglish" {
		t.Errorf("%q", got)
	}
	if got := s.wait(24 * time.Hour); got != "(said to ana in the stead of m1)\nEnglish" {
		t.Errorf("%q", got)
	}
	if s.index() != 1 {
		t.Errorf("%d entries in the agenda", s.index())
	}
}

func TestSettled(t *testing.T) {
	s := speakingStage(t)
	s.tutor.commands = append(s.tutor.commands, &command{name: name{"finis", "finish"}, help: "help.help", usage: "help.usage", run: func(c *call) (Reply, error) {
		c.settle("q")
		return Reply{Blocks: []Block{Text{"ok"}}}, nil
	}})
	s.ask("/dis q1 première")
	s.listen()
	s.ask("/dis q1 corrigée") // still to be said
	s.ask("/dis q2 deuxième")
	s.ask("/finis")
	if got, _ := s.listen(); got != "(said in the stead of m1)\ncorrigée\n\n(said as m2)\ndeuxième" {
		t.Errorf("%q", got)
	}
	if keys := s.left(here); len(keys) != 0 {
		t.Errorf("left: %q", keys)
	}
	s.ask("/dis q1 nouvelle")
	if got, _ := s.listen(); got != "(said as m3)\nnouvelle" {
		t.Errorf("%q", got)
	}
}

// Who says ever more under ever new keys keeps no more than the bounds.
func TestOutboxIsBounded(t *testing.T) {
	s := speakingStage(t)
	s.audience.fail = func(To) error { return fmt.Errorf("down") }
	for i := range mostUnsaid + 20 {
		s.ask(fmt.Sprint("/dis k", i, " texte ", i))
	}
	if n := len(s.left(here)); n != mostUnsaid {
		t.Errorf("%d wait, want %d", n, mostUnsaid)
	}
	s.audience.fail = nil
	if got, _ := s.listen(); strings.Count(got, "(said as") != mostUnsaid || !strings.Contains(got, "texte 20\n") || strings.Contains(got, "texte 19\n") {
		t.Errorf("%d said", strings.Count(got, "(said as"))
	}
	for i := range 30 {
		s.ask(fmt.Sprint("/dis m", i, " texte"))
	}
	s.listen()
	if n := len(s.left(here)); n != mostShown {
		t.Errorf("%d messages can be changed, want %d", n, mostShown)
	}
}

// The wall clock is put back by a day, and forward by one: what is due is said, once.
func TestClockJumps(t *testing.T) {
	s := speakingStage(t)
	down := true
	s.audience.fail = func(To) error {
		if down {
			return fmt.Errorf("down")
		}
		return nil
	}
	s.ask("/dis q1 première")
	s.listen()
	s.now = s.now.Add(-12 * time.Hour)
	down = false
	if got, _ := s.listen(); got != "(said as m1)\npremière" {
		t.Errorf("after the clock was put back: %q", got)
	}
	s.ask("/réveil 1h")
	s.now = s.now.Add(48 * time.Hour)
	if got, _ := s.listen(); !strings.Contains(got, "alarm 1 at") {
		t.Errorf("after it was put forward: %q", got)
	}
	if got := s.wait(24 * time.Hour); got != "" {
		t.Errorf("again: %q", got)
	}
}

// Ten thousand channels have an alarm a day: a start reads their agenda and none of them.
func TestThousandsOfPlaces(t *testing.T) {
	const places = 10_000
	store := newMemory()
	now := time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC)
	s := &stage{t: t, store: &failing{memory: store}, now: now, locale: "fr", audience: &audience{}}
	tutor := s.newTutor()
	s.tutor = tutor
	ctx := context.Background()
	for i := range places {
		scope := Scope{Platform: "test", Channel: fmt.Sprint("c", i)}
		at := now.Add(time.Duration(i) * time.Second)
		data, _ := json.Marshal(voice{Session: at})
		err := store.Commit(ctx, Commit{Writes: []Write{{Scope: scope, Changes: []Record{{channelVoice, data}}}}})
		if err != nil {
			t.Fatal(err)
		}
		entry, _ := json.Marshal(entry{Scope: scope, At: at})
		k := store.scope(agendaScope())
		k.records[agendaKey(scope)] = entry
	}
	s.speaks(tutor)
	got, next := s.listen()
	if strings.Count(got, "(said as") != 1 || !next.Equal(now.Add(time.Second)) {
		t.Errorf("%q, next at %v", got, next)
	}
	if n := inMemory(tutor); n != 1 {
		t.Errorf("%d channels in memory", n)
	}
	if n := strings.Count(s.wait(999*time.Second), "(said as"); n != 999 {
		t.Errorf("%d said, want 999", n)
	}
	if n := inMemory(tutor); n > tutor.cfg.Limits.Channels {
		t.Errorf("%d channels in memory", n)
	}
	if n := s.index(); n != places-1000 {
		t.Errorf("%d entries in the agenda, want %d", n, places-1000)
	}
}

// inMemory is how many channels a tutor has in memory once nobody works any more.
func inMemory(t *Tutor) int {
	t.working.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.lanes)
}
