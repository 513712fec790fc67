package discord

import (
	"strings"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/discord/discordtest"
)

// endless is answered at once, and the answer is kept up to date for minutes.
func endless() discordtest.Interaction {
	return kubectl("create deployment attente --image=nowhere.example/missing")
}

// until waits until something is so.
func (c *class) until(what string, so func() bool) {
	c.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-c.ctx.Done():
			c.t.Fatalf("never %s", what)
		}
	}
}

// interrupted is how many answers were left to the next process.
func (c *class) interrupted() int {
	c.t.Helper()
	left, err := bot.New(bot.Config{Store: c.store}).Interrupted(c.ctx, platform)
	c.must(err)
	return len(left)
}

// leftQuickly ends the bot, which would wait for long if it had anything to wait for.
func (c *class) leftQuickly() {
	c.t.Helper()
	began := time.Now()
	c.must(c.stop())
	if took := time.Since(began); took > 30*time.Second {
		c.t.Errorf("left after %v", took)
	}
}

// patient would drain for longer than any of these tests may take.
func patient(c *class) { c.hurry = func(p *pace) { p.drain = time.Minute } }

// An answer that is only kept up to date takes nobody's place.
func TestLiveAnswersAreNotInHand(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{bot: func(cfg *Config) { cfg.Most = 1 }})
	nobody := func() bool { return c.bot.hand.Load() == 0 }
	live := c.Interact(c.ctx, endless())
	c.answer(live, "deployment.apps/attente created")
	c.until("free of the live answer", nobody)
	c.answer(c.Interact(c.ctx, kubectl("get nodes")), "node-1")
	c.until("free of the other", nobody)
	c.must(c.tutor.Close()) // which ends the live answer: its place is not given back again
	c.until("delivered", func() bool { return c.interrupted() == 0 })
	c.must(c.stop())
	if n := c.bot.hand.Load(); n != 0 {
		t.Errorf("%d in hand at the end", n)
	}
	c.calm()
}

// Nobody waits for pods when we leave: the next process goes on with the answer, in its
// place.
func TestLiveAnswersAreLeftAtOnce(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{before: patient})
	live := c.Interact(c.ctx, endless())
	c.answer(live, "deployment.apps/attente created")
	for range 2 { // the second time it is one taken up
		c.until("shown", func() bool { return c.bot.hand.Load() == 0 })
		c.leftQuickly()
		if n := c.interrupted(); n != 1 {
			t.Fatalf("%d answers left to the next process", n)
		}
		edits := c.Calls(edit)
		c.start()
		c.until("gone on with", func() bool { return c.Calls(edit) > edits })
	}
	if m := live.Message(); !strings.Contains(m.Text(), "deployment.apps/attente created") || len(live.FollowUps()) > 0 {
		t.Errorf("%q, and %d more messages", m.Text(), len(live.FollowUps()))
	}
	c.calm()
}

// The next process may come when the interaction's token serves no more: it goes on in the
// same message all the same.
func TestLiveAnswersAreFoundAgain(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{before: patient})
	live := c.Interact(c.ctx, endless())
	shown := c.answer(live, "deployment.apps/attente created")
	c.until("shown", func() bool { return c.bot.hand.Load() == 0 })
	c.leftQuickly()
	c.Advance(20 * time.Minute)
	const byBot = "PATCH /channels/{channel}/messages/{message}"
	c.start()
	c.until("gone on with", func() bool { return c.Calls(byBot) > 0 })
	if all := c.Sent(shown.ChannelID); len(all) > 1 || len(live.FollowUps()) > 0 {
		t.Errorf("%d messages in the channel, %d more by the token", len(all), len(live.FollowUps()))
	}
	c.calm()
}

// What is not answered yet when we leave is answered first.
func TestLiveAnswersAreShownBeforeTheyAreLeft(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{before: func(c *class) { busy(c); patient(c) }})
	live := c.Interact(c.ctx, endless())
	c.first(live)
	c.waitUntil(c.store.held)
	c.end()
	c.waitUntil(c.bot.staying.Done())
	close(c.store.hold)
	c.leftQuickly()
	if m := live.Message(); !strings.Contains(m.Text(), "deployment.apps/attente created") {
		t.Errorf("left with %q", m.Text())
	}
	if n := c.interrupted(); n != 1 {
		t.Errorf("%d answers left to the next process", n)
	}
	c.calm()
}
