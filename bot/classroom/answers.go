package classroom

import (
	"context"
	"fmt"
	"strings"

	"timonier/bot"
	"timonier/bot/quiz"
	"timonier/content"
)

// answerAll has a learner for each answer that there is to a question.
func (c *Class) answerAll(ctx context.Context, item *content.Item, asked bot.Reply) error {
	for i, answer := range c.answersTo(item, asked) {
		r, err := c.answer(ctx, fmt.Sprint("learner ", i), item, asked, answer)
		if err != nil {
			return err
		}
		c.See(Shown{Noted, item, c.Lang, r})
	}
	return nil
}

// answer gives an answer as a person does: letters by the buttons, one by one where there are several places.
func (c *Class) answer(ctx context.Context, who string, item *content.Item, asked bot.Reply, answer string) (bot.Reply, error) {
	switch item.Kind {
	case content.Several:
		return c.ask(ctx, who, asked.Menu.Line+" "+answer)
	case content.Number, content.Fill:
		return c.ask(ctx, who, asked.Prompt.Line+"\n"+answer)
	}
	r := asked
	for i := range answer {
		line, ok := pressed(r, answer[i:i+1])
		if !ok && i > 0 && i == len(answer)-1 {
			break // the last one left goes without saying
		}
		if !ok {
			return r, fmt.Errorf("%s has no button %s: %+v", item.ID, answer[i:i+1], r)
		}
		if i > 0 {
			c.See(Shown{Partly, item, c.Lang, r})
		}
		var err error
		if r, err = c.ask(ctx, who, line); err != nil {
			return r, err
		}
	}
	return r, nil
}

// pressed is the line of the button that answers with a letter, or with its place where it says true or false.
func pressed(r bot.Reply, letter string) (string, bool) {
	for _, b := range r.Buttons {
		if strings.HasPrefix(b.Line, "/quiz ") && strings.HasSuffix(b.Line, letter) && (b.Label == letter || len(b.Label) > 1) {
			return b.Line, true
		}
	}
	return "", false
}

// answersTo are answers to a question: each choice, each known mistake, what is right. The wrong one that
// has the longest explanation comes first.
func (c *Class) answersTo(item *content.Item, asked bot.Reply) (all []string) {
	letters := lettersOf(asked)
	switch item.Kind {
	case content.Order, content.Match:
		places := max(len(item.Steps), len(item.Pairs))
		for i := range letters {
			all = append(all, (letters[i:] + letters[:i])[:places])
		}
		return all
	case content.Number:
		for _, t := range item.Traps {
			all = append(all, quiz.FormatNumber(*t.Number, c.Lang))
		}
		return append(all, quiz.FormatNumber(item.Number, c.Lang))
	case content.Fill:
		for _, t := range item.Traps {
			all = append(all, t.Answers.In(c.Lang)[0])
		}
		return append(all, item.Accept.In(c.Lang)[0])
	}
	worst, longest := 0, -1
	for i, text := range choicesOf(asked) {
		for _, o := range item.Options {
			if n := len(o.Why.Any(c.Lang)); o.Text.Any(c.Lang) == text && !o.Right && n > longest {
				worst, longest = i, n
			}
		}
	}
	for i := range letters {
		at := (worst + i) % len(letters)
		all = append(all, letters[at:at+1])
	}
	return all
}

// lettersOf are those that a question is answered by.
func lettersOf(asked bot.Reply) (letters string) {
	if asked.Menu != nil {
		for _, choice := range asked.Menu.Choices {
			letters += choice.Value
		}
		return letters
	}
	for i := range len(asked.Buttons) {
		letter := string(rune('A' + i))
		if _, ok := pressed(asked, letter); !ok {
			break
		}
		letters += letter
	}
	return letters
}

// choicesOf are the texts that stand at the letters.
func choicesOf(asked bot.Reply) (texts []string) {
	for _, b := range asked.Blocks {
		text, _ := b.(bot.Text)
		for line := range strings.Lines(text.Markdown) {
			if _, choice, ok := strings.Cut(line, "** · "); ok && strings.HasPrefix(line, "- **") {
				texts = append(texts, strings.TrimSpace(choice))
			}
		}
	}
	return texts
}
