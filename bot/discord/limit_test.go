package discord

import (
	"strings"
	"testing"

	"timonier/bot"
	"timonier/bot/discord/discordtest"
)

// A flood is no amplifier: what is taken is answered, one message says when to come again, a press is
// acknowledged without a word, and of the rest nothing goes out at all. Somebody else notices nothing.
func TestFlood(t *testing.T) {
	t.Parallel()
	const taken, flood = 4, 200
	c := newClass(t, setting{before: func(c *class) { c.rates = bot.Rates{Person: bot.Rate{Burst: taken, Second: 1e-6}} }})
	ana := discordtest.Person{ID: "5001"}
	var page discordtest.Message
	for range taken {
		page = c.answer(c.Interact(c.ctx, discordtest.Slash("cours", discordtest.String("page", "1.1")).By(ana)), "")
	}
	next, ok := page.Button("Suite")
	if !ok {
		t.Fatalf("no button in %+v", page)
	}
	const callback, edit = "POST /interactions/{id}/{token}/callback", "PATCH /webhooks/{app}/{token}/messages/{message}"
	callbacks, edits := c.Calls(callback), c.Calls(edit)

	told := c.Interact(c.ctx, kubectl("get pods").By(ana))
	r := c.first(told)
	if r.Type != discordtest.RespondMessage || r.Flags&discordtest.FlagEphemeral == 0 || !strings.Contains(r.Message.Text(), "Réessayez dans") {
		t.Errorf("%+v", r)
	}
	for range flood {
		c.Interact(c.ctx, kubectl("get pods").By(ana))
	}
	press := c.Interact(c.ctx, discordtest.Click(page, next.CustomID).By(ana))
	if r := c.first(press); r.Type != discordtest.RespondDeferUpdate {
		t.Errorf("%+v", r)
	}
	if after, _ := c.Find(page.ID); after.Text() != page.Text() {
		t.Error("the page was turned")
	}
	if n := c.Calls(callback) - callbacks; n != 2 { // to be told, and to the press
		t.Errorf("%d first responses", n)
	}
	if n := c.Calls(edit) - edits; n != 0 {
		t.Errorf("%d edits", n)
	}
	c.answer(c.Interact(c.ctx, kubectl("get nodes").By(discordtest.Person{ID: "5002"})), "node-1")
	c.calm()
}

// Over HTTP an answer to Discord's own request costs no other: each is told.
func TestFloodOverHTTP(t *testing.T) {
	t.Parallel()
	b, err := New(Config{Tutor: bot.New(bot.Config{Store: newMemory(), Limits: bot.Limits{Rates: bot.Rates{Person: bot.Rate{Burst: 1, Second: 1e-6}}}}),
		AppID: "1", PublicKey: strings.Repeat("0", 64)})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		e := event{ID: "1", Type: eventCommand, Locale: "fr", ChannelID: "2", User: &user{ID: "3"}, data: eventData{Name: "aide"}}
		p := b.planFor(e, nil)
		if n == 0 {
			if p.request == nil {
				t.Error("the first is not taken")
			}
			continue
		}
		if p.request != nil || p.first.Type != callbackMessage || p.unsaid != (n == 2) {
			t.Errorf("%d: %+v", n, p)
		}
	}
}
