package bot

import (
	"context"
	"encoding/json"
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
