package discord

import (
	"strings"
	"testing"

	"timonier/bot/discord/discordtest"
)

// refused waits for the refusal of what everybody would have seen: the first response is taken back, and the person alone is told.
func (c *class) refused(e *discordtest.Exchange, text string) discordtest.Message {
	c.t.Helper()
	for {
		u, err := e.Next(c.ctx)
		if err != nil {
			c.t.Fatalf("nothing says %q to one person: %v", text, err)
		}
		if u.Change == discordtest.FollowedUp && strings.Contains(u.Message.Text(), text) {
			return c.private(u.Message)
		}
		if u.Change != discordtest.Deleted && strings.Contains(u.Message.Text(), text) {
			c.t.Fatalf("all see %q", u.Message.Text())
		}
	}
}

// TestARefusalIsPrivate: whoever lacks the right is told alone, and the class sees nothing of it, neither of a command nor of a button
// under a message of everybody's.
func TestARefusalIsPrivate(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"gateway", "http"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := setting{}
			if way == "http" {
				s.bot = func(cfg *Config) { cfg.Token = "" }
			}
			c := newClass(t, s)
			if way == "http" {
				c.DeliverTo(serveHTTP(t, c))
			}
			e := c.Interact(c.ctx, discordtest.Slash("remise").By(learner(1)))
			said := c.refused(e, "réservé")
			if strings.Contains(said.Text(), "élève") {
				t.Errorf("it is headed as for all: %q", said.Text())
			}
			if !e.Message().Deleted {
				t.Errorf("all still see %q", e.Message().Text())
			}
			asks := c.answer(c.Interact(c.ctx, discordtest.Slash("remise").By(teacher())), "Vraiment")
			pressed := c.Interact(c.ctx, discordtest.Click(asks, asks.Buttons()[0].CustomID).By(learner(1)))
			c.refused(pressed, "réservé")
			if len(pressed.FollowUps()) != 1 {
				t.Errorf("%d messages", len(pressed.FollowUps()))
			}
			c.answer(c.Interact(c.ctx, discordtest.Click(asks, asks.Buttons()[0].CustomID).By(teacher())), "neuve")
			c.calm()
		})
	}
}

// TestARefusalThatCannotBePrivate: where the first response cannot be taken back, the person is told all the same, by a private message.
func TestARefusalThatCannotBePrivate(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	c.Inject(discordtest.Trouble{Match: "DELETE /webhooks/{app}/{token}/messages/@original", Status: 404, Code: unknownWebhook})
	e := c.Interact(c.ctx, discordtest.Slash("remise").By(learner(1)))
	c.first(e)
	c.sentTo(c.directWith(e), "réservé")
	c.calm()
}
