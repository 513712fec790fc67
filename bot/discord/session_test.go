package discord

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/discord/discordtest"
)

// Where the tutor keeps notes.
var notesIn, notesFrom = bot.Scope{Platform: "timonier", Channel: "pending"}, "note/discord/"

func noteOf(version uint64, key, value string) bot.Commit {
	return bot.Commit{Writes: []bot.Write{{Scope: notesIn, Base: version, Changes: []bot.Record{{Key: key, Value: []byte(value)}}}}}
}

// stopped waits until Discord has seen the bot leave, too.
func (c *class) stopped() {
	c.t.Helper()
	c.must(c.stop())
	c.must(c.Connected(c.ctx, 0))
}

// What is asked between two processes is answered by the second, in order and once: it goes on
// with the session of the first.
func TestSessionTakenUpByTheNextProcess(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.alive("avant")
	c.stopped()
	var asked []*discordtest.Exchange
	for n := range 3 {
		asked = append(asked, c.Interact(c.ctx, kubectl(fmt.Sprintf("create namespace entre-%d", n))))
	}
	suggestions := c.Interact(c.ctx, discordtest.Complete("kubectl", discordtest.Focused("commande", "get ")))
	c.start()
	for n, e := range asked {
		c.answer(e, fmt.Sprintf("namespace/entre-%d created", n))
	}
	c.alive("ensuite")
	if suggestions.Choices() != nil {
		t.Error("suggestions nobody waits for")
	}
	c.stopped()
	c.start() // nothing is missed: nothing comes again
	m := c.answer(c.Interact(c.ctx, kubectl("get namespaces -o name")), "namespace/avant")
	for _, name := range []string{"entre-0", "entre-1", "entre-2"} {
		if strings.Count(m.Text(), "namespace/"+name) != 1 {
			t.Errorf("no %s in %q", name, m.Text())
		}
	}
	if i, r := c.Identifies(), c.Resumes(); i != 1 || r != 2 {
		t.Errorf("%d IDENTIFYs, %d RESUMEs", i, r)
	}
	c.calm()
}

// An event that a killed process had answered, but not noted, comes again and has no second effect.
func TestSessionOfAKilledProcess(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	before := c.Interact(c.ctx, kubectl("create namespace deux"))
	c.answer(before, "namespace/deux created")
	c.stopped()
	// As if the process had been killed right after the answer: the note is an event old.
	records, version, err := c.store.Read(c.ctx, notesIn, notesFrom)
	c.must(err)
	if len(records) != 1 || !strings.Contains(string(records[0].Value), `"sequence":2`) || strings.Contains(string(records[0].Value), c.Token()) {
		t.Fatalf("noted: %q", records)
	}
	older := strings.Replace(string(records[0].Value), `"sequence":2`, `"sequence":1`, 1)
	c.must(c.store.Commit(c.ctx, noteOf(version, records[0].Key, older)))
	c.start()
	c.must(c.Resumed(c.ctx, 1))
	c.alive("trois")
	if m := before.Message(); !strings.Contains(m.Text(), "namespace/deux created") {
		t.Errorf("it now says %q", m.Text())
	}
	c.calm()
}

// A session that Discord has forgotten, or that cannot be this process's, is not gone on with.
func TestSessionNotTakenUp(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]struct {
		between func(*class)
		asked   bool // Discord is asked for the session all the same
	}{
		"forgotten by Discord": {func(c *class) { c.Expire() }, true},
		"too old":              {func(c *class) { c.Advance(sessionLife + time.Minute) }, false},
		"other shards":         {func(c *class) { c.cfg.Shards = 2 }, false},
		"another token's": {func(c *class) {
			records, version, err := c.store.Read(c.ctx, notesIn, notesFrom)
			c.must(err)
			other := strings.Replace(string(records[0].Value), tokenMark(c.Token()), tokenMark("another"), 1)
			c.must(c.store.Commit(c.ctx, noteOf(version, records[0].Key, other)))
		}, false},
		"unreadable": {func(c *class) {
			records, version, err := c.store.Read(c.ctx, notesIn, notesFrom)
			c.must(err)
			c.must(c.store.Commit(c.ctx, noteOf(version, records[0].Key, "{")))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClass(t, setting{})
			c.alive("avant")
			c.stopped()
			old := c.Sessions()
			k.between(c)
			c.start()
			c.alive("apres")
			if c.Resumes() != 0 || c.Identifies() < 2 {
				t.Errorf("%d RESUMEs, %d IDENTIFYs", c.Resumes(), c.Identifies())
			}
			if taken := strings.Contains(c.log.String(), "process before is asked for"); taken != k.asked {
				t.Errorf("asked for: %v", taken)
			}
			if k.asked == slices.ContainsFunc(c.Sessions(), func(s discordtest.Session) bool { return s.ID == old[0].ID }) {
				t.Errorf("sessions: %+v, there was %+v", c.Sessions(), old)
			}
			c.calm()
		})
	}
}

// What was asked long before the next process came is not done without being asked for again.
func TestMissedForLong(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.alive("avant")
	c.stopped()
	e := c.Interact(c.ctx, kubectl("create namespace oublie"))
	c.Advance(3 * time.Minute)
	c.start()
	ev, _, err := readEvent(e.Payload())
	c.must(err)
	m := c.sentTo(ev.ChannelID, "rien n'a été changé")
	if !strings.Contains(m.Text(), "create namespace oublie") {
		t.Errorf("it says %q", m.Text())
	}
	if m := c.answer(c.Interact(c.ctx, kubectl("get namespaces")), "avant"); strings.Contains(m.Text(), "oublie") {
		t.Errorf("it was done: %q", m.Text())
	}
}

func TestMadeAt(t *testing.T) {
	now := time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC)
	for id, want := range map[string]time.Time{
		"175928847299117063":  time.Date(2016, 4, 30, 11, 18, 25, 796_000_000, time.UTC), // Discord's own example
		"9975928847299117063": now,                                                       // in the future
		"abc":                 now,
	} {
		if got := madeAt(id, now); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
}
