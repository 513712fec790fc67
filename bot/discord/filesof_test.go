package discord

import (
	"bytes"
	"encoding/json"

	"timonier/bot/discord/discordtest"
)

// files are given once a class has raced: those of a report, of the bank and of one's own data come whole to whoever asked for
// them, alone; who does not teach gets none of a report.
func (c *class) files() {
	c.t.Helper()
	mark := []byte("\uFEFF")
	for _, f := range []struct {
		who  discordtest.Person
		asks discordtest.Interaction
		says string

		whole func(data []byte) bool
	}{
		{teacher(), discordtest.Slash("rapport", discordtest.String("quoi", "réponses")), "20 réponses", func(data []byte) bool {
			return bytes.HasPrefix(data, mark) && bytes.Count(data, []byte("\r\n")) == 21 && bytes.Count(data, []byte(";"+learner(3).ID+";")) == 2
		}},
		{teacher(), discordtest.Slash("rapport", discordtest.String("quoi", "notes")), "10 personnes", func(data []byte) bool {
			return bytes.HasPrefix(data, mark) && bytes.Count(data, []byte("\r\n")) == 11
		}},
		{teacher(), discordtest.Slash("banque", discordtest.String("action", "exporte"), discordtest.String("précision", "gift")), "Voici la banque", func(data []byte) bool {
			return bytes.Count(data, []byte("::[markdown]")) > 40
		}},
		{learner(3), discordtest.Slash("réglages", discordtest.String("portée", "mes-données")), "tout ce que je garde", func(data []byte) bool {
			return json.Valid(data) && bytes.Contains(data, []byte(learner(3).ID)) && !bytes.Contains(data, []byte(learner(4).ID))
		}},
	} {
		m := c.private(c.answer(c.Interact(c.ctx, f.asks.By(f.who)), f.says))
		if len(m.Attachments) != 1 || !f.whole(m.Attachments[0].Data) {
			c.t.Errorf("%q: %+v", m.Text(), m.Attachments)
		}
	}
	m := c.private(c.answer(c.Interact(c.ctx, discordtest.Slash("rapport", discordtest.String("quoi", "notes")).By(learner(3))), "réservé"))
	if len(m.Attachments) > 0 {
		c.t.Errorf("who does not teach is given %s", m.Attachments[0].Filename)
	}
}
