package bot

import (
	"strings"

	"timonier/bot/picture"
	"timonier/bot/quiz"
)

// reviewed adds to how far a person has come what their reviews say: how much is due, and how
// well they know what the items of each objective ask.
func (c *call) reviewed(r Reply) (Reply, error) {
	if err := c.readBank(); err != nil {
		return r, err
	}
	deck, err := c.deck()
	if err != nil || deck.Len() == 0 {
		return r, err
	}
	r = c.dueText(r, deck)
	bars := picture.Bars{Title: c.say("learning.mastery")}
	var words []string
	for _, m := range deck.Mastery(c.items(), c.now) {
		o, ok := c.content.Objective(m.Objective)
		if !ok || m.Seen == 0 {
			continue
		}
		degree, tone := c.degree(m)
		words = append(words, c.percent(m.Value)+" · "+c.in(o.Name)+" *("+degree+")*")
		bars.Rows = append(bars.Rows, picture.BarRow{Label: c.in(o.Name), Value: c.percent(m.Value), Part: m.Value, Tone: tone})
	}
	if len(words) == 0 {
		return r, nil
	}
	r.Blocks = append(r.Blocks, Text{c.say("learning.masteryis") + "\n\n- " + strings.Join(words, "\n- ")})
	if drawn := c.canvas(bars.Canvas); drawn != nil { // elsewhere the words are enough
		r.Blocks = append(r.Blocks, Picture{Name: "objectifs.png", Alt: strings.ReplaceAll(strings.Join(words, "; "), "*", ""), Text: bars.Text(), Drawn: drawn})
	}
	return r, nil
}

// degree is a mastery in a word.
func (c *call) degree(m quiz.Mastery) (string, picture.Tone) {
	switch {
	case m.Value >= 0.75:
		return c.say("learning.solid"), picture.Good
	case m.Value >= 0.4:
		return c.say("learning.halfway"), picture.Quiet
	}
	return c.say("learning.begun"), picture.Quiet
}
