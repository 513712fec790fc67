package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"timonier/bot/discord/discordtest"
	"timonier/bot/slack/slacktest"
)

// How often TestCrash kills the program. The README's figures come from
//
//	go test ./cmd/timonier -run TestCrash -v -crash.kills 200 -timeout 30m
//
// The seed decides what is asked and when the program is killed; what it is doing at that moment is the
// machine's business, so that a failure comes again with its seed often, not always.
var (
	crashKills = flag.Int("crash.kills", 10, "how often TestCrash kills the program")
	crashSeed  = flag.Uint64("crash.seed", 0, "what TestCrash's choices come from; 0: from the time")
)

// TestCrash kills the built program with SIGKILL at random moments while it answers on both platforms, and
// starts it again on the same file. Whatever a person was told is done is there once; what nobody was
// told is there once or not at all; delivered again, everything has the answer that it had, or one, and is
// there once. After each kill the file is whole.
func TestCrash(t *testing.T) {
	kills := *crashKills
	c := newCrash(t, kills)
	began := time.Now()
	p := c.serve()
	c.connected()
	for c.kills < kills {
		c.round++
		c.prepare()
		c.load(p)
		p = c.again(kills)
		c.look(false)
		c.redeliver()
		c.look(true)
		if c.round%20 == 0 {
			c.tell(began)
		}
	}
	c.lookBack()
	c.tell(began)
	if code := p.end(syscall.SIGTERM); code != 0 {
		t.Errorf("code %d", code)
	}
	if c.told == 0 || c.unheard+c.resumed == 0 {
		t.Error("no kill came while something was under way: nothing is proved")
	}
}

// tell says what has come of it so far.
func (c *crash) tell(began time.Time) {
	c.t.Logf("seed %d: %d kills in %.0f s, %d of them while it started; %d commands: answered before a kill %d, after the start without being delivered again %d, delivered again %d; delivered again with an answer %d",
		c.seed, c.kills, time.Since(began).Seconds(), c.early, c.told+c.resumed+c.unheard, c.told, c.resumed, c.unheard, c.sampled)
}

// crash is a rehearsal of crashes.
type crash struct {
	*stage
	seed  uint64
	round int
	asked int
	quiz  *rehearsal
	works []*work

	mu  sync.Mutex
	rng *rand.Rand

	kills, early, told, resumed, unheard, sampled int // what came of it all
}

// work is what is done in one place, by several people at once where they do not depend on each other.
type work struct {
	effect
	place  string
	slack  bool
	hands  int
	orders []*order // of this round
}

// effect is something of which one can see whether it was done, and how often.
type effect interface {
	// begin prepares a round; line is the n-th thing to do in it.
	begin(*crash, *work)
	order(*crash, *work, int) *order
	// check holds what there is against what was asked. all: all of it has been answered.
	check(c *crash, w *work, all bool)
}

// order is one command, and what its person sees.
type order struct {
	id        string
	command   string // typed, without the slash
	want      *regexp.Regexp
	by        int // a number of a person
	click     *discordtest.Interaction
	inDiscord *discordtest.Exchange
	inSlack   *slacktest.Exchange
	answer    string // what was told that says that it is done; empty: nothing
}

func newCrash(t *testing.T, kills int) *crash {
	var channels []slacktest.Channel
	for i := range 6 {
		channels = append(channels, slacktest.Channel{ID: fmt.Sprintf("C%03d", i), Name: fmt.Sprint("classe-", i), Member: true})
	}
	var users []slacktest.User
	for i := range crashPeople {
		users = append(users, slacktest.User{ID: fmt.Sprintf("U%03d", i), Name: fmt.Sprint("ana-", i), Locale: "fr-FR", TZ: "America/Montreal"})
	}
	c := &crash{seed: cmp.Or(*crashSeed, uint64(time.Now().UnixNano())), stage: newStageOf(t, buildProgram(t),
		// A busy machine takes its time to start the program again: Discord waits for it here.
		discordtest.Config{Unlimited: true, Acknowledge: time.Hour},
		slacktest.Config{Channels: channels, Users: users}, patient+time.Duration(kills)*10*time.Second)}
	t.Logf("seed %d", c.seed)
	c.rng = rand.New(rand.NewPCG(c.seed, 0))
	c.quiz = &rehearsal{t: t, discord: c.discord}
	for i := range 4 {
		c.works = append(c.works,
			&work{effect: &roll{}, place: strconv.Itoa(700000 + i), hands: 2},
			&work{effect: &roll{}, place: fmt.Sprintf("C%03d", i), slack: true, hands: 2})
	}
	c.works = append(c.works,
		&work{effect: &hours{}, place: "700010", hands: 1}, &work{effect: &hours{}, place: "C004", slack: true, hands: 1},
		&work{effect: &tongue{}, place: "700011", hands: 1}, &work{effect: &tongue{}, place: "C005", slack: true, hands: 1},
		&work{effect: &votes{}, place: classroom, hands: 3})
	return c
}

const crashPeople = 40

// chance is a number below n.
func (c *crash) chance(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.IntN(n)
}

func (c *crash) prepare() {
	for _, w := range c.works {
		w.orders = nil
		w.begin(c, w)
	}
}

// load has everybody work, and kills the program in the middle of it.
func (c *crash) load(p *served) {
	ctx, stop := context.WithCancel(c.ctx)
	var working sync.WaitGroup
	for _, w := range c.works {
		var serial sync.Mutex
		n := 0
		for range w.hands {
			working.Go(func() {
				for ctx.Err() == nil {
					serial.Lock()
					o := w.order(c, w, n)
					n++
					w.orders = append(w.orders, o)
					serial.Unlock()
					c.send(ctx, w, o)
					c.answerOf(ctx, o)
				}
			})
		}
	}
	c.wait(time.Duration(c.chance(600)) * time.Millisecond)
	c.kill(p)
	stop()
	working.Wait()
	for _, w := range c.works {
		for _, o := range w.orders {
			if c.answerOf(ctx, o); o.answer != "" { // it came just before the end
				c.told++
			}
		}
	}
}

// wait lets time pass for what goes on meanwhile.
func (c *crash) wait(d time.Duration) {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-late.C:
	case <-c.ctx.Done():
	}
}

func (c *crash) kill(p *served) {
	c.t.Helper()
	if code := p.end(syscall.SIGKILL); code != -1 {
		c.t.Fatalf("killed: code %d\n%s", code, c.written.String())
	}
	c.kills++
	out, code := script(c.t, c.program, c.data, "", "verify", "--lang", "fr")
	if code != 0 || strings.Contains(out, string(ill)) {
		c.t.Fatalf("after kill %d: the file is not whole: code %d\n%s", c.kills, code, out)
	}
}

// again starts the program; now and then it is killed once more while it starts.
func (c *crash) again(kills int) *served {
	for c.kills < kills && c.chance(3) == 0 {
		p := c.launch()
		c.wait(time.Duration(c.chance(300)) * time.Millisecond)
		c.kill(p)
		c.early++
	}
	p := c.serve()
	c.connected()
	return p
}

// look checks what there is. all: everything has been answered.
func (c *crash) look(all bool) {
	for _, w := range c.works {
		w.check(c, w, all)
	}
}

// redeliver has the platforms deliver again whatever had no answer, and some of what had one.
func (c *crash) redeliver() {
	done, cancel := context.WithCancel(c.ctx)
	cancel()
	for _, w := range c.works {
		var late, sample []*order
		for _, o := range w.orders {
			had := o.answer != ""
			c.answerOf(done, o)
			switch {
			case o.answer == "":
				late = append(late, o)
			case !had:
				c.resumed++
			}
			if had && c.chance(4) == 0 && len(sample) < 3 {
				sample = append(sample, o)
			}
		}
		c.unheard += len(late)
		c.sampled += len(sample)
		for _, o := range slices.Concat(late, sample) {
			before := o.answer
			c.deliver(o)
			o.answer = ""
			c.await(w, o)
			if before != "" && before != o.answer {
				c.t.Errorf("%s: /%s was answered %q, and then %q", w.place, o.command, before, o.answer)
			}
		}
	}
}

// lookBack checks all that there was in every round, and lets go of it.
func (c *crash) lookBack() {
	for _, w := range c.works {
		if j, ok := w.effect.(*roll); ok {
			j.lookBack(c, w)
		}
	}
}

// send has the person do it. An error is that the program is gone: it is delivered later.
func (c *crash) send(ctx context.Context, w *work, o *order) {
	c.t.Helper()
	if w.slack {
		x, err := c.slack.Send(ctx, slacktest.Command{Name: "/timonier", Text: o.command, User: fmt.Sprintf("U%03d", o.by), Channel: w.place})
		if x == nil && err != nil && ctx.Err() == nil {
			c.t.Error(err)
		}
		o.inSlack = x
		return
	}
	i := o.click
	if i == nil {
		slash := slashOf(o.command).In(discordtest.Place{Channel: w.place}).By(discordtest.Person{ID: strconv.Itoa(900000 + o.by)})
		i = &slash
	}
	o.inDiscord = c.discord.Interact(c.ctx, *i)
}

// slashOf is a typed line as a slash command with its options.
func slashOf(line string) discordtest.Interaction {
	name, rest, _ := strings.Cut(line, " ")
	var options []discordtest.Option
	names := map[string][]string{"kubectl": {"commande"}, "temps": {"action", "valeur"}, "langue": {"langue"}}[name]
	for i, word := range strings.SplitN(rest, " ", len(names)) {
		if word != "" {
			options = append(options, discordtest.String(names[i], word))
		}
	}
	return discordtest.Slash(name, options...)
}

// deliver delivers once more.
func (c *crash) deliver(o *order) {
	c.t.Helper()
	var err error
	switch {
	case o.inDiscord != nil:
		err = o.inDiscord.Redeliver(c.ctx)
	case o.inSlack != nil:
		err = c.slack.Redeliver(c.ctx, o.inSlack, "")
	default:
		err = errors.New("it was never sent")
	}
	if err != nil {
		c.t.Fatalf("deliver /%s again: %v", o.command, err)
	}
}

// answerOf waits for the answer of an order that has none; where the context has ended it takes what is there.
func (c *crash) answerOf(ctx context.Context, o *order) {
	for o.answer == "" {
		text := ""
		var err error
		switch {
		case o.inDiscord != nil:
			var u discordtest.Update
			u, err = o.inDiscord.Next(ctx)
			text = u.Message.Text()
		case o.inSlack != nil:
			var change slacktest.Change
			change, err = o.inSlack.Next(ctx)
			text = change.Message.Words()
		default:
			return
		}
		if err != nil {
			return
		}
		o.answer = o.want.FindString(text)
	}
}

// await waits for an answer that must come.
func (c *crash) await(w *work, o *order) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, patient/4)
	defer cancel()
	if c.answerOf(ctx, o); o.answer == "" {
		c.t.Fatalf("round %d, %s: /%s has no answer, but %q", c.round, w.place, o.command, o.shown())
	}
}

// ask sends a command, and returns what it is answered.
func (c *crash) ask(w *work, command, want string) string {
	c.t.Helper()
	c.asked++ // by one person after the other: nobody asks too often
	o := &order{command: command, want: regexp.MustCompile(want), by: c.asked % tonguePerson}
	c.send(c.ctx, w, o)
	c.await(w, o)
	o.forget()
	return o.answer
}

// shown is all that the person has seen.
func (o *order) shown() (all []string) {
	if o.inDiscord != nil {
		for _, u := range o.inDiscord.History() {
			all = append(all, u.Message.Text())
		}
	}
	if o.inSlack != nil {
		for _, change := range o.inSlack.Changes() {
			all = append(all, change.Message.Words())
		}
	}
	return all
}

func (o *order) forget() {
	if o.inDiscord != nil {
		o.inDiscord.Forget()
	}
	if o.inSlack != nil {
		o.inSlack.End()
	}
}
