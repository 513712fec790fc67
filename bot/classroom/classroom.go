// Package classroom plays all questions of a course with a class that gives every answer, and hands
// over each reply: for the tests of the front ends, which render them.
package classroom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"timonier/bot"
	"timonier/content"
)

// Moment is what is shown.
type Moment string

// The moments of a question.
const (
	Asked    Moment = "asked"    // of all, in a race
	Partly   Moment = "partly"   // some places are given: privately
	Noted    Moment = "noted"    // an answer to the class's question: privately
	Revealed Moment = "revealed" // with what the class answered
	Reviewed Moment = "reviewed" // of one, in a review
	Judged   Moment = "judged"   // the answer in a review
)

// Shown is a reply that people see.
type Shown struct {
	Moment Moment
	Item   *content.Item
	Lang   content.Lang
	Reply  bot.Reply
}

// Texts are those of the question that have to be read at the moment.
func (s Shown) Texts() []string {
	var all []content.Text
	if s.Moment != Noted && s.Moment != Partly {
		all = append(all, s.Item.Ask)
	}
	switch s.Moment {
	case Asked, Reviewed, Partly:
		for _, o := range s.Item.Options {
			all = append(all, o.Text)
		}
		all = append(append(all, s.Item.Steps...), s.Item.Extra...)
		for _, p := range s.Item.Pairs {
			all = append(all, p.Left, p.Right)
		}
	case Revealed, Judged:
		all = append(all, s.Item.Why)
	}
	var said []string
	for _, t := range all {
		said = append(said, t.Any(s.Lang))
	}
	return said
}

// Class is a class that plays.
type Class struct {
	Course *content.Course
	Store  bot.Store
	Lang   content.Lang
	Theme  string      // of the pictures: bot.ThemeLight, bot.ThemeDark
	See    func(Shown) // is handed each reply

	tutor *bot.Tutor
	now   time.Time
	asked int
	said  bot.Reply // what was said last
	items map[string]*content.Item
}

// platform is a name that no front end has.
const platform = "classroom"

// Speak keeps what is said. It is bot.Speaker.
func (c *Class) Speak(_ context.Context, _ bot.To, _ json.RawMessage, r bot.Reply) (json.RawMessage, error) {
	c.said = r
	return json.RawMessage(`{}`), nil
}

// Play plays a race on each lesson, then a review of everything.
func (c *Class) Play(ctx context.Context) error {
	c.now = time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC)
	// A class is played faster than any class plays.
	c.tutor = bot.New(bot.Config{Store: c.Store, Content: c.Course, Now: func() time.Time { return c.now }, Limits: bot.Limits{Rates: bot.Unlimited()}})
	c.items = map[string]*content.Item{}
	for _, i := range c.Course.Bank().Items {
		c.items[plain(i.Ask.Any(c.Lang))] = i
	}
	if len(c.items) != len(c.Course.Bank().Items) {
		return errors.New("two questions ask the same")
	}
	err := c.play(ctx)
	return errors.Join(err, c.tutor.Close())
}

func (c *Class) play(ctx context.Context) error {
	if _, err := c.tutor.SpeakNow(ctx, platform, c); err != nil {
		return err
	}
	for l := range c.Course.Lessons() {
		if n := len(c.Course.ItemsOf(l.ID)); n > 0 {
			if err := c.race(ctx, l.ID, n); err != nil {
				return fmt.Errorf("lesson %s: %w", l.ID, err)
			}
		}
	}
	return c.review(ctx)
}

// race plays the questions of a lesson, each to its answers.
func (c *Class) race(ctx context.Context, lesson string, questions int) error {
	if _, err := c.ask(ctx, "prof", fmt.Sprintf("/quiz race modules=%s number=%d time=10m change=no", lesson, questions)); err != nil {
		return err
	}
	for range questions {
		asked, item, err := c.hear(ctx, "prof", "/quiz next")
		if err != nil {
			return err
		}
		c.See(Shown{Asked, item, c.Lang, asked})
		if err := c.answerAll(ctx, item, asked); err != nil {
			return err
		}
		revealed, same, err := c.hear(ctx, "prof", "/quiz reveal")
		if err != nil || same != item {
			return fmt.Errorf("%s is not revealed: %w", item.ID, err)
		}
		c.See(Shown{Revealed, item, c.Lang, revealed})
	}
	_, err := c.ask(ctx, "prof", "/quiz end")
	return err
}

// review goes through all questions, each answered wrong where that can be.
func (c *Class) review(ctx context.Context) error {
	for range c.Course.Bank().Items {
		c.now = c.now.Add(time.Second)
		asked, err := c.ask(ctx, "learner", "/quiz review new")
		if err != nil {
			return err
		}
		item, ok := c.itemOf(asked)
		if !ok {
			return fmt.Errorf("no question is reviewed: %v", asked.Blocks)
		}
		c.See(Shown{Reviewed, item, c.Lang, asked})
		judged, err := c.answer(ctx, "learner", item, asked, c.answersTo(item, asked)[0])
		if err != nil {
			return err
		}
		c.See(Shown{Judged, item, c.Lang, judged})
	}
	return nil
}

// hear types a line, and gives what is said of it to all.
func (c *Class) hear(ctx context.Context, who, line string) (bot.Reply, *content.Item, error) {
	c.said = bot.Reply{}
	r, err := c.ask(ctx, who, line)
	if err != nil {
		return r, nil, err
	}
	if _, err := c.tutor.SpeakNow(ctx, platform, c); err != nil {
		return r, nil, err
	}
	item, ok := c.itemOf(c.said)
	if !ok {
		return r, nil, fmt.Errorf("%s says of no question: %v", line, c.said.Blocks)
	}
	return c.said, item, nil
}

// ask types a line.
func (c *Class) ask(ctx context.Context, who, line string) (bot.Reply, error) {
	c.asked++
	r := bot.Request{ID: fmt.Sprint(c.asked), Platform: platform, Channel: "general", Who: bot.Person{ID: who}, Locale: string(c.Lang), Line: line,
		Teacher: who == "prof", Pictures: c.Theme}
	var last bot.Reply
	if err := c.tutor.Handle(ctx, r, func(r bot.Reply) { last = r }); err != nil {
		return last, err
	}
	if last.Failed {
		return last, fmt.Errorf("%s: %v", line, last.Blocks)
	}
	return last, nil
}

// itemOf is the question that a reply asks, or tells the answers of.
func (c *Class) itemOf(r bot.Reply) (*content.Item, bool) {
	for _, b := range r.Blocks {
		if text, ok := b.(bot.Text); ok {
			if i, ok := c.items[plain(text.Markdown)]; ok {
				return i, true
			}
		}
	}
	return nil, false
}

// plain is a text without the marks of Markdown.
func plain(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "**", "")) }
