package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/discord/discordtest"
)

const (
	general = "2000000000000000001"
	ana     = "3000000000000000001"

	posts = "POST /channels/{channel}/messages"
	edits = "PATCH /channels/{channel}/messages/{message}"
)

func spokenText(text string) bot.Reply {
	return bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: text}}, Final: true}
}

func toGeneral(once string) bot.To {
	return bot.To{Place: bot.Place{Platform: platform, Channel: general}, Locale: "fr", Once: once}
}

// say speaks, and fails the test where that fails.
func (c *class) speak(to bot.To, shown json.RawMessage, r bot.Reply) json.RawMessage {
	c.t.Helper()
	way, err := c.bot.Speak(c.ctx, to, shown, r)
	c.must(err)
	if len(way) == 0 || len(way) > 1<<10 {
		c.t.Errorf("a way back of %d bytes", len(way))
	}
	return way
}

func TestSpeaks(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	question := spokenText("Qui décide du nœud? @everyone")
	question.Buttons = []bot.Button{{Label: "A", Line: "/quiz réponse 7f-1 A"}, {Label: "B", Line: "/quiz réponse 7f-1 B"}}
	way := c.speak(toGeneral("q-1"), nil, question)
	c.speak(toGeneral("q-2"), way, spokenText("C'est le planificateur."))
	all := c.Sent(general)
	if len(all) != 1 || all[0].Text() != "C'est le planificateur." {
		t.Fatalf("%d messages: %+v", len(all), all)
	}
	c.DeleteMessage(all[0].ID)
	again := c.speak(toGeneral("q-3"), way, spokenText("Score final"))
	if all = c.Sent(general); len(all) != 2 || all[1].Text() != "Score final" {
		t.Errorf("after it was deleted: %+v", all)
	}
	c.speak(toGeneral("q-4"), again, spokenText("Fin"))
	if all = c.Sent(general); len(all) != 2 || all[1].Text() != "Fin" {
		t.Errorf("what was said anew is not found: %+v", all)
	}
	c.speak(toGeneral("q-5"), json.RawMessage(`{"channel":"../x","message":"y"}`), spokenText("Une voie perdue"))
	if n := len(c.Sent(general)); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
	c.calm()
}

func TestSpeaksPrivately(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	to := toGeneral("r-1")
	to.Person = ana
	way := c.speak(to, nil, spokenText("À réviser: 4 cartes"))
	channel, err := c.bot.client.direct(c.ctx, ana)
	c.must(err)
	c.speak(to, way, spokenText("À réviser: 3 cartes"))
	if all := c.Sent(channel); len(all) != 1 || all[0].Text() != "À réviser: 3 cartes" || len(c.Sent(general)) > 0 {
		t.Errorf("%+v, in the channel %+v", all, c.Sent(general))
	}
	c.CloseDirect(ana)
	if _, err := c.bot.Speak(c.ctx, to, nil, spokenText("x")); !errors.Is(err, bot.ErrUnreachable) {
		t.Errorf("a person who takes no messages: %v", err)
	}
	for _, to := range []bot.To{{Person: "no-one"}, {}, {Place: bot.Place{Channel: "@1"}}} {
		if _, err := c.bot.Speak(c.ctx, to, nil, spokenText("x")); !errors.Is(err, bot.ErrUnreachable) {
			t.Errorf("%+v: %v", to, err)
		}
	}
	c.calm()
}

func TestSpeaksWithPicture(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	bar := bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: "Les réponses"}, bot.Picture{Name: "réponses.png", Alt: "A: 12, B: 3", PNG: []byte("\x89PNG\r\n\x1a\n and more")}}}
	way := c.speak(toGeneral("p-1"), nil, spokenText("La question"))
	c.speak(toGeneral("p-2"), way, bar)
	all := c.Sent(general)
	if len(all) != 1 || len(all[0].Attachments) != 1 || !strings.HasSuffix(all[0].Attachments[0].Filename, ".png") {
		t.Errorf("%+v", all)
	}
	c.calm()
}

// A lost answer, failures of Discord, a wait that it asks for: it is said once.
func TestSaysOnce(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.Inject(discordtest.Trouble{Match: posts, Cut: true})
	c.Inject(discordtest.Trouble{Match: posts, Status: 502})
	c.Inject(discordtest.Trouble{Match: posts, Status: 429, RetryAfter: 20 * time.Millisecond})
	c.speak(toGeneral("once"), nil, spokenText("une fois"))
	// The process ended before it noted that it was said.
	c.speak(toGeneral("once"), nil, spokenText("une fois"))
	if all := c.Sent(general); len(all) != 1 || c.Calls(posts) < 4 {
		t.Errorf("said %d times in %d calls", len(all), c.Calls(posts))
	}
	c.calm()
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status, code int
		want         error // nil: another that may pass
	}{
		{403, missingAccess, bot.ErrUnreachable},
		{403, missingPermissions, bot.ErrUnreachable},
		{403, noMessagesToPerson, bot.ErrUnreachable},
		{404, unknownChannel, bot.ErrUnreachable},
		{403, 0, nil}, // a proxy's
		{401, 0, nil}, // the token may be put right
		{503, 0, nil},
		{400, 200000, bot.ErrRefused}, // by AutoMod
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status, " ", test.code), func(t *testing.T) {
			t.Parallel()
			c := newClass(t, setting{})
			c.Inject(discordtest.Trouble{Match: posts, Times: 8, Status: test.status, Code: test.code})
			_, err := c.bot.Speak(c.ctx, toGeneral("x"), nil, spokenText("x"))
			if err == nil || test.want != nil && !errors.Is(err, test.want) || test.want == nil && (errors.Is(err, bot.ErrUnreachable) || errors.Is(err, bot.ErrRefused)) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	c := newClass(t, setting{})
	way := c.speak(toGeneral("1"), nil, spokenText("avant"))
	c.Forbid(general)
	for _, shown := range []json.RawMessage{nil, way} {
		if _, err := c.bot.Speak(c.ctx, toGeneral("2"), shown, spokenText("après")); !errors.Is(err, bot.ErrUnreachable) {
			t.Errorf("in a channel that is forbidden: %v", err)
		}
	}
	c.calm()
}

// Discord limits the rate: all is said, in order, and one channel does not wait for another.
func TestSpeaksWithinTheRate(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{limited: true})
	const many = 8
	var wait sync.WaitGroup
	for ch := range 3 {
		wait.Go(func() {
			to := toGeneral("")
			to.Channel = fmt.Sprint("200000000000000010", ch)
			for i := range many {
				to.Once = fmt.Sprint("n-", ch, "-", i)
				if _, err := c.bot.Speak(c.ctx, to, nil, spokenText(fmt.Sprint("numéro ", i))); err != nil {
					t.Error(err)
				}
			}
			for i, m := range c.Sent(to.Channel) {
				if m.Text() != fmt.Sprint("numéro ", i) {
					t.Errorf("message %d: %s", i, m.Text())
				}
			}
		})
	}
	wait.Wait()
	if c.Limited() > 3*2 {
		t.Errorf("%d refusals: it does not wait when it is told to", c.Limited())
	}
	c.calm()
}

func TestMuteWithoutToken(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{bot: func(cfg *Config) { cfg.Token = "" }})
	if c.bot.Mute() == "" {
		t.Error("it says that it can speak")
	}
	if _, err := c.bot.Speak(c.ctx, toGeneral("x"), nil, spokenText("x")); !errors.Is(err, bot.ErrUnreachable) {
		t.Errorf("%v", err)
	}
	if n := c.Calls(posts); n > 0 {
		t.Errorf("%d calls", n)
	}
}

// Discord says with each interaction what the bot may do in the channel: the request has it.
func TestMutePlaces(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{asleep: true})
	c.cfg.Tutor = bot.New(bot.Config{Store: c.store})
	b, err := New(c.cfg)
	c.must(err)
	defer c.must(c.cfg.Tutor.Close())
	c.Forbid("2000000000000000009")
	tests := []struct {
		where discordtest.Place
		mute  bool
	}{
		{discordtest.Place{}, false},
		{discordtest.Place{Channel: "2000000000000000009"}, true},
		{discordtest.Place{Foreign: true}, true},
		{discordtest.Place{Channel: "2000000000000000003", Type: 11, Parent: general, Owner: ana}, false},
		{discordtest.Place{Direct: true}, false},
	}
	for _, test := range tests {
		i := kubectl("get nodes")
		i.Where = test.where
		e, _, err := readEvent(c.Interact(c.ctx, i).Payload())
		c.must(err)
		p := b.planFor(e, nil)
		if p.request == nil || p.request.Mute != test.mute {
			t.Errorf("%+v: %+v", test.where, p.request)
		}
	}
}

// listen has the tutor say what is due by the server's clock.
func (c *class) listen() {
	c.t.Helper()
	_, err := c.tutor.SpeakNow(c.ctx, platform, c.bot)
	c.must(err)
}

// newest is the last message that the bot has posted into a channel by itself.
func (c *class) newest(channel string) discordtest.Message {
	c.t.Helper()
	all := c.Sent(channel)
	if len(all) == 0 {
		c.t.Fatal("nothing is said")
	}
	return all[len(all)-1]
}

// TestARaceIsRun: the questions come by themselves when their time is up, each in a message that
// then shows its answer; a restart in the middle of a question loses nothing and repeats nothing.
func TestARaceIsRun(t *testing.T) {
	t.Parallel()
	course := onlyOne() // a question that is put together, or matched, has more time
	c := newSchool(t, course)
	race := discordtest.Slash("quiz", discordtest.String("action", "course"), discordtest.String("précisions", "nombre=2 temps=20s pause=10s"))
	started := c.answer(c.Interact(c.ctx, race.By(teacher())), "2 questions")
	channel := started.ChannelID
	c.listen()
	if n := len(c.Sent(channel)); n != 0 {
		t.Errorf("%d messages before the start", n)
	}
	c.Advance(16 * time.Second)
	c.listen()
	first := c.newest(channel)
	if !strings.Contains(first.Text(), "question 1 sur 2") || len(first.Buttons()) == 0 {
		t.Fatalf("first question: %q", first.Text())
	}
	c.restarts(course) // in the middle of the question
	answer := c.Interact(c.ctx, discordtest.Click(first, first.Buttons()[0].CustomID).By(student("ana")))
	if m := c.answer(answer, ""); !m.Ephemeral() {
		t.Errorf("all see the answer: %q", m.Text())
	}
	c.Advance(30 * time.Second) // the question's time, and the late answers'
	c.listen()
	if m, _ := c.Find(first.ID); !tellsRight(m.Text()) {
		t.Errorf("no answer is shown in the question's message: %q", m.Text())
	}
	for range 6 {
		c.Advance(10 * time.Second)
		c.listen()
	}
	all := c.Sent(channel)
	if len(all) != 3 || !strings.Contains(all[1].Text(), "question 2 sur 2") || !tellsRight(all[1].Text()) {
		for _, m := range all {
			t.Errorf("said: %q", m.Text())
		}
	}
	c.calm()
}

// The bot is thrown out of the channel in the middle of a race: that ends, and whoever begins another
// is told why there is none.
func TestARaceWhoseChannelIsLost(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.listen()
	race := discordtest.Slash("quiz", discordtest.String("action", "course"), discordtest.String("précisions", "nombre=2 temps=20s"))
	started := c.answer(c.Interact(c.ctx, race.By(teacher())), "2 questions")
	c.Forbid(started.ChannelID)
	c.Advance(16 * time.Second)
	c.listen()
	again := c.Interact(c.ctx, race.By(teacher()))
	c.sentTo(c.directWith(again), c.tutor.Say("fr", "quiz.uninvited", nil)) // not "one runs already"
	for range 20 {
		c.Advance(10 * time.Second)
		c.listen()
	}
	if n := len(c.Sent(started.ChannelID)); n != 0 {
		t.Errorf("%d messages in the channel", n)
	}
	if n := strings.Count(c.log.String(), `msg="nobody can be reached"`); n != 1 {
		t.Errorf("tried %d times", n)
	}
}
