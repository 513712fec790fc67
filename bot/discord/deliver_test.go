package discord

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/discord/discordtest"
)

const edit = "PATCH /webhooks/{app}/{token}/messages/@original"

// busy holds what is to be written back until the test lets go: an answer in the making.
func busy(c *class) { c.store.hold, c.store.held = make(chan struct{}), make(chan struct{}, 1) }

func (c *class) waitUntil(told <-chan struct{}) {
	c.t.Helper()
	select {
	case <-told:
	case <-c.ctx.Done():
		c.t.Fatal("it never came to it")
	}
}

// sentTo waits until a message with a text is in a channel.
func (c *class) sentTo(channel, text string) discordtest.Message {
	c.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, m := range c.Sent(channel) {
			if strings.Contains(m.Text(), text) {
				return m
			}
		}
		select {
		case <-tick.C:
		case <-c.ctx.Done():
			c.t.Fatalf("nothing with %q in channel %s", text, channel)
		}
	}
}

func TestTokenPastItsLife(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{before: busy})
	public := c.Interact(c.ctx, kubectl("create namespace tard"))
	c.first(public)
	c.waitUntil(c.store.held)
	c.Advance(20 * time.Minute)
	close(c.store.hold)
	// The message was never changed: its ID is not known, and the answer is a new one.
	c.sentTo(public.Message().ChannelID, "namespace/tard created")
	if c.Calls(edit) > 0 {
		t.Error("a token past its life was used")
	}
	c.calm()
}

// A token that Discord no longer knows, though by our clock it should.
func TestTokenRefused(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.Inject(discordtest.Trouble{Match: edit, Status: 401, Code: invalidWebhookToken})
	e := c.Interact(c.ctx, kubectl("get nodes"))
	c.sentTo(c.first(e).Message.ChannelID, "node-1")

	c.Inject(discordtest.Trouble{Match: edit, Status: 404, Code: unknownWebhook})
	alone := c.Interact(c.ctx, discordtest.Slash("aide"))
	c.first(alone)
	c.sentTo(c.directWith(alone), "kubectl")
	c.calm()
}

// directWith is the channel of the private messages with whoever acted.
func (c *class) directWith(e *discordtest.Exchange) string {
	c.t.Helper()
	ev, _, err := readEvent(e.Payload())
	c.must(err)
	channel, err := c.bot.client.direct(c.ctx, ev.person().ID)
	c.must(err)
	return channel
}

func TestMessageDeleted(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{before: busy})
	e := c.Interact(c.ctx, kubectl("create namespace efface"))
	c.first(e)
	c.waitUntil(c.store.held)
	c.DeleteMessage(e.Message().ID)
	close(c.store.hold)
	for {
		u, err := e.Next(c.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if u.Change == discordtest.FollowedUp && strings.Contains(u.Message.Text(), "namespace/efface created") {
			break
		}
	}
	c.calm()
}

func TestChannelDeleted(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{before: busy})
	e := c.Interact(c.ctx, kubectl("create namespace parti"))
	c.first(e)
	c.waitUntil(c.store.held)
	c.DeleteChannel(e.Message().ChannelID)
	close(c.store.hold)
	c.sentTo(c.directWith(e), "namespace/parti created")
	c.calm()
}

// The first response comes too late, or another process has answered: what was asked for
// is done, and said in the channel.
func TestUnknownInteraction(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.Inject(discordtest.Trouble{Match: "callback", Status: 404, Code: unknownInteraction})
	e := c.Interact(c.ctx, kubectl("create namespace seul"))
	ev, _, _ := readEvent(e.Payload())
	c.sentTo(ev.ChannelID, "namespace/seul created")
	if n := c.Calls("POST /interactions/{id}/{token}/callback"); n != 1 {
		t.Errorf("%d first responses", n)
	}
	c.Inject(discordtest.Trouble{Match: "callback", Status: 404, Code: unknownInteraction})
	alone := c.Interact(c.ctx, discordtest.Slash("aide"))
	c.sentTo(c.directWith(alone), "kubectl")
	c.calm()
}

func TestRateLimitsAndFailures(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{limited: true})
	for name, trouble := range map[string]discordtest.Trouble{
		"429":        {Status: 429, RetryAfter: 20 * time.Millisecond},
		"global 429": {Status: 429, RetryAfter: 20 * time.Millisecond, Global: true},
		"500":        {Status: 500},
		"503":        {Status: 503},
		"lost":       {Lose: true},
		"cut":        {Cut: true},
	} {
		trouble.Times = 2
		for _, match := range []string{"callback", edit} {
			trouble.Match = match
			c.Inject(trouble)
			e := c.Interact(c.ctx, kubectl("get nodes"))
			if m := c.answer(e, "node-1"); m.Text() == "" || len(e.FollowUps()) > 0 {
				t.Errorf("%s of %s: %+v", name, match, m)
			}
		}
	}
	c.calm()
}

// Discord is away for longer than a request is tried.
func TestFinalAnswerIsSentStubbornly(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.Inject(discordtest.Trouble{Match: edit, Status: 502, Times: 11})
	e := c.Interact(c.ctx, kubectl("get nodes"))
	c.answer(e, "node-1")
	if n := c.Calls(edit); n != 12 {
		t.Errorf("%d tries", n)
	}
	c.calm()
}

// What Discord finds fault with is said plainly, in a file.
func TestRefusedAnswer(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.Inject(discordtest.Trouble{Match: edit, Status: 400, Code: 50035})
	e := c.Interact(c.ctx, kubectl("get nodes"))
	m := c.answer(e, "mettre ma réponse en forme")
	if len(m.Attachments) != 1 || !strings.Contains(string(m.Attachments[0].Data), "node-1") {
		t.Errorf("%+v", m.Attachments)
	}
	c.calm()
}

// Nobody can be reached: that is logged, and not tried at each start again.
func TestNobodyToReach(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{bot: func(cfg *Config) { cfg.Token = "" }})
	server := serveHTTP(t, c)
	c.Inject(discordtest.Trouble{Match: edit, Status: 403, Code: missingAccess})
	i := kubectl("create namespace loin")
	i.Endpoint = server
	c.first(c.Interact(c.ctx, i))
	c.logged("answer not delivered")
	c.stop()
	if left, err := bot.New(bot.Config{Store: c.store}).Interrupted(c.ctx, platform); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// logged waits until something is in the log.
func (c *class) logged(text string) {
	c.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(c.log.String(), text) {
		select {
		case <-tick.C:
		case <-c.ctx.Done():
			c.t.Fatalf("%q was never logged", text)
		}
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	e := c.Interact(c.ctx, kubectl("create namespace double"))
	for range 3 {
		c.must(e.Redeliver(c.ctx))
	}
	c.answer(e, "namespace/double created")
	c.must(e.Redeliver(c.ctx))
	next := c.Interact(c.ctx, kubectl("get namespaces")) // in the same channel, after all the others
	c.answer(next, "double")
	if n := c.Calls("POST /interactions/{id}/{token}/callback"); n != 2 {
		t.Errorf("%d first responses to 2 interactions", n)
	}
	if m := e.Message(); !strings.Contains(m.Text(), "namespace/double created") || strings.Contains(m.Text(), "AlreadyExists") {
		t.Errorf("answered twice: %q", m.Text())
	}
	c.calm()
}

// The process ends in the middle of an answer: the next one gives it.
func TestRestartInTheMiddle(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{before: busy})
	e := c.Interact(c.ctx, kubectl("create namespace reprise"))
	c.first(e)
	c.waitUntil(c.store.held)
	c.bot.pace.drain = time.Millisecond // read when Run's context ends
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	if !e.Message().Loading() {
		t.Fatal("answered already")
	}
	close(c.store.hold)
	c.start()
	c.answer(e, "namespace/reprise created")
	c.must(e.Redeliver(c.ctx)) // as a resumed session would
	later := c.Interact(c.ctx, kubectl("get namespaces"))
	c.answer(later, "reprise")
	c.calm()
}

// What is in hand when Run is to end is answered before it ends.
func TestDrain(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{before: busy})
	e := c.Interact(c.ctx, kubectl("create namespace fin"))
	c.first(e)
	c.waitUntil(c.store.held)
	c.end()
	close(c.store.hold)
	c.must(<-c.ended)
	c.ended <- nil
	if !strings.Contains(e.Message().Text(), "namespace/fin created") {
		t.Errorf("left with %q", e.Message().Text())
	}
	if c.bot.Ready() || len(c.Sessions()) != 1 || c.Sessions()[0].Connected {
		t.Errorf("the session is not left resumable: %+v", c.Sessions())
	}
	c.calm()
}

func TestTooMuchAtOnce(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{before: busy, bot: func(cfg *Config) { cfg.Most = 1 }})
	e := c.Interact(c.ctx, kubectl("create namespace premier"))
	c.first(e)
	c.waitUntil(c.store.held)
	over := c.Interact(c.ctx, kubectl("get nodes"))
	if r := c.first(over); r.Type != discordtest.RespondMessage || r.Flags&discordtest.FlagEphemeral == 0 || !strings.Contains(r.Message.Text(), "Réessayez") {
		t.Errorf("%+v", r)
	}
	close(c.store.hold)
	c.answer(e, "namespace/premier created")
	c.calm()
}

// 200 interactions in 20 channels, all at once: each is answered once, and in each
// channel in the order in which they came.
func TestManyAtOnceInOrder(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	channels, each := 20, 10
	if testing.Short() { // the race detector makes each many times as slow
		channels, each = 5, 4
	}
	all := make([][]*discordtest.Exchange, channels)
	for n := range each {
		for ch := range channels {
			place := discordtest.Place{Channel: fmt.Sprint(600000000000000000 + ch)}
			all[ch] = append(all[ch], c.Interact(c.ctx, kubectl(fmt.Sprintf("create namespace n%d", n)).In(place)))
		}
	}
	var waiting sync.WaitGroup
	for ch := range channels {
		waiting.Go(func() {
			for n, e := range all[ch] {
				if m, err := e.Until(c.ctx, func(m discordtest.Message) bool { return !m.Loading() }); err != nil || !strings.Contains(m.Text(), fmt.Sprintf("namespace/n%d created", n)) {
					t.Errorf("channel %d, %d: %v %q", ch, n, err, m.Text())
				}
				if len(e.FollowUps()) > 0 {
					t.Errorf("channel %d, %d: answered twice", ch, n)
				}
			}
		})
	}
	waiting.Wait()
	// The order in which they were done is that of their creation in the cluster.
	place := discordtest.Place{Channel: fmt.Sprint(600000000000000000 + channels - 1)}
	m := c.answer(c.Interact(c.ctx, kubectl("get namespaces --sort-by=.metadata.resourceVersion").In(place)), fmt.Sprintf("n%d", each-1))
	last := -1
	for n := range each {
		at := strings.Index(m.Text(), fmt.Sprintf("\nn%d ", n))
		if at < last {
			t.Errorf("n%d was not done in its turn:\n%s", n, m.Text())
		}
		last = at
	}
	c.calm()
}

// The roads of an answer, each with what may be said there.
func TestRoads(t *testing.T) {
	say := func(status, code int) error { return &apiError{status: status, code: code} }
	withToken, without := &Bot{cfg: Config{Token: "t"}}, &Bot{}
	for _, c := range []struct {
		bot    *Bot
		way    way
		from   road
		posted string
		err    error
		want   road
	}{
		{withToken, way{}, byToken, "", say(500, 0), byToken},
		{withToken, way{}, byToken, "1", errSpent, byBot},
		{withToken, way{}, byToken, "", errSpent, inChannel},
		{withToken, way{Private: true}, byToken, "1", errSpent, inDirect},
		{withToken, way{Private: true, Alone: true}, byToken, "1", errSpent, inChannel},
		{withToken, way{}, byToken, "1", say(404, unknownMessage), again},
		{withToken, way{}, byToken, "1", say(404, unknownChannel), inDirect},
		{withToken, way{}, again, "1", errSpent, inChannel},
		{withToken, way{}, byBot, "1", say(404, unknownMessage), inChannel},
		{withToken, way{}, byBot, "1", say(403, missingAccess), inDirect},
		{withToken, way{}, inChannel, "", say(403, missingPermissions), inDirect},
		{withToken, way{}, inDirect, "", say(403, noMessagesToPerson), nowhere},
		{withToken, way{}, inDirect, "", say(502, 0), inDirect},
		{without, way{}, byToken, "1", errSpent, nowhere},
		{without, way{Private: true}, byToken, "", say(401, invalidWebhookToken), nowhere},
	} {
		x := &exchange{bot: c.bot, plan: plan{way: c.way}, trail: trail{road: c.from, posted: c.posted}}
		if got := x.after(c.err); got != c.want {
			t.Errorf("from %v, %v, %+v: %v, want %v", c.from, c.err, c.way, got, c.want)
		}
	}
}

// An answer that is past its token's life is changed where it is, by the bot.
func TestChangedByTheBot(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	e := c.Interact(c.ctx, kubectl("get nodes"))
	m := c.answer(e, "node-1")
	ev, _, _ := readEvent(e.Payload())
	x := &exchange{bot: c.bot, id: ev.ID, token: ev.Token, locale: "fr", acked: make(chan struct{}),
		plan: plan{way: way{Token: ev.Token, Channel: ev.ChannelID}, request: &bot.Request{ID: ev.ID, Asked: c.Now()}}}
	close(x.acked)
	x.trail = newTrail(x.way)
	say := func(text string, final bool) error {
		return x.send(c.ctx, bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: text}}, Final: final})
	}
	c.must(say("en cours", false))
	c.Advance(16 * time.Minute)
	c.must(say("à la fin", true))
	after, ok := c.Find(m.ID)
	if !ok || !strings.Contains(after.Text(), "à la fin") || len(c.Sent(ev.ChannelID)) > 0 {
		t.Errorf("%+v", after)
	}
	c.DeleteMessage(m.ID)
	c.must(say("encore", true))
	c.sentTo(ev.ChannelID, "encore")
	c.calm()
}

func TestInvalidAnswersStopBeforeTheBan(t *testing.T) {
	c := &client{token: "t"}
	i := &c.invalid
	for range mostInvalid - 1 {
		i.count()
	}
	if i.near() {
		t.Error("stopped too early")
	}
	i.count()
	if !i.near() {
		t.Error("not stopped")
	}
	if err := c.do(context.Background(), call{method: http.MethodGet, bot: true, route: "GET /x"}); err == nil || !strings.Contains(err.Error(), errNearBan.Error()) {
		t.Errorf("sent all the same: %v", err)
	}
}

func TestCodeBlocks(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		"rien":                                "",
		"```yaml\nkind: Pod\n```":             "kind: Pod",
		"```\nkind: Pod\n``` et ```\nb: 1```": "kind: Pod" + betweenManifests + "b: 1",
		"```kind: Pod```":                     "kind: Pod",
		"```kind: Pod\na: 1```":               "kind: Pod\na: 1",
		"```yaml\nouvert":                     "",
		"apiVersion: v1\nkind: Pod":           "apiVersion: v1\nkind: Pod",
		"```yaml\n\n```":                      "",
	} {
		if got := codeBlocks(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	names := manifests([]given{{Filename: "a.YAML"}, {Filename: "b.png"}, {Filename: "c.json"}})
	if len(names) != 2 || !slices.ContainsFunc(names, func(g given) bool { return g.Filename == "c.json" }) {
		t.Errorf("%v", names)
	}
}
