package bot

import (
	"slices"
	"strconv"
	"strings"

	"timonier/bot/picture"
	"timonier/bot/quiz"
	"timonier/content"
)

// judge adds to a reply what an answer is worth: the verdict, what was answered, the explanation
// of just that, and why the right answer is right.
func (c *call) judge(r Reply, q quiz.Question, a quiz.Answer, v quiz.Verdict) Reply {
	r.Blocks = append(r.Blocks, Text{c.worth(v) + " " + c.say("quiz.yours", with{"Answer": c.spelled(q, a)})})
	for _, n := range v.Notes {
		if text := c.note(q, n); text != "" && !v.Right {
			r.Blocks = append(r.Blocks, Text{text})
		}
	}
	why := c.any(q.Item.Why)
	if !v.Right {
		why = c.right(q) + " " + why
	}
	r.Blocks = append(r.Blocks, Text{why})
	r = c.withLesson(r, q.Item)
	if _, kept := c.item(q.Item.ID); c.house.shelf == nil || !kept { // one made of the cluster is nobody's to withdraw
		return r
	}
	return r.with(Button{Label: c.say("quiz.flag"), Line: c.typed("quiz", quizFlag.in(c.words), q.Item.ID)})
}

// worth is the verdict in a word or two.
func (c *call) worth(v quiz.Verdict) string {
	said := c.say("quiz.no")
	switch {
	case v.Right:
		said = c.say("quiz.yes")
	case v.Credit > 0:
		said = c.say("quiz.almost")
	}
	return mark(v) + " **" + said + "**"
}

// spelled is an answer in words: with the letter, where there are letters.
func (c *call) spelled(q quiz.Question, a quiz.Answer) string {
	choices := q.Choices(c.course())
	named := func(own int) string {
		l := q.Letter(own)
		if l == "" {
			return "?"
		}
		if q.Item.Kind == content.TrueFalse {
			return "**" + choices[l[0]-'A'] + "**"
		}
		return "**" + l + "** " + strings.TrimSuffix(choices[l[0]-'A'], ".")
	}
	var parts []string
	switch q.Item.Kind {
	case content.Number:
		return "**" + strings.TrimSpace(q.Spell(a, c.course())+"\u00a0"+c.any(q.Item.Unit)) + "**"
	case content.Fill:
		return "**" + literal(q.Spell(a, c.course())) + "**"
	case content.Match:
		lefts := q.Lefts(c.course())
		for i, own := range a.Picks[:min(len(a.Picks), len(lefts))] { // it may have had more when it was answered
			parts = append(parts, lefts[i]+" → "+named(own))
		}
		return strings.Join(parts, "; ")
	case content.Order:
		for _, own := range a.Picks {
			parts = append(parts, named(own))
		}
		return strings.Join(parts, " → ")
	}
	picks := slices.Clone(a.Picks)
	slices.SortFunc(picks, func(a, b int) int { return strings.Compare(q.Letter(a), q.Letter(b)) })
	for _, own := range picks {
		parts = append(parts, named(own))
	}
	return strings.Join(parts, ", ")
}

// right says what the right answer is, in a sentence.
func (c *call) right(q quiz.Question) string {
	if len(q.Right().Picks) > 1 && q.Item.Kind == content.Several {
		return c.say("quiz.rightare", with{"Answer": c.rightWords(q)})
	}
	return c.say("quiz.rightis", with{"Answer": c.rightWords(q)})
}

// rightWords is the right answer in words; of a word to fill in, the one of the person's language.
func (c *call) rightWords(q quiz.Question) string {
	a := q.Right()
	if words := q.Item.Accept.In(c.course()); q.Item.Kind == content.Fill && len(words) > 0 {
		a.Text = words[0]
	}
	return c.spelled(q, a)
}

// note is an explanation, with the misconception's name where there is one.
func (c *call) note(q quiz.Question, n quiz.Note) string {
	why := c.any(n.Why)
	m, ok := c.content.Misconception(n.Is)
	if !ok || n.Right {
		return why
	}
	return c.say("quiz.belief", with{"Belief": c.in(m.Name)}) + " " + why
}

// withLesson adds the button that leads to the lesson of an item, where the course has it.
func (c *call) withLesson(r Reply, item *content.Item) Reply {
	l, ok := c.content.Lesson(item.Lesson)
	if !ok || !l.Written() {
		return r
	}
	return r.with(Button{Label: c.say("quiz.lesson", with{"Lesson": l.ID}), Line: c.typed("course", l.ID)})
}

// reveal adds to a reply what the class answered to a question: how many chose what, with the
// right answer marked, why it is right, and the explanation of each wrong one that was chosen.
func (c *call) reveal(r Reply, q quiz.Question, answers []quiz.Answer) Reply {
	if len(answers) == 0 {
		r.Blocks = append(r.Blocks, Text{c.right(q) + " " + c.any(q.Item.Why)})
		return c.withLesson(r, q.Item)
	}
	r = c.distribution(r, q, answers)
	r.Blocks = append(r.Blocks, Text{c.right(q) + " " + c.any(q.Item.Why)})
	for _, n := range c.chosenWrong(q, answers) {
		head := ""
		if q.Item.Kind.Chosen() {
			head = "✗ " + c.spelled(q, quiz.Answer{Picks: []int{n.Own}}) + ". "
		}
		r.Blocks = append(r.Blocks, Text{head + c.note(q, n)})
	}
	return c.withLesson(r, q.Item)
}

// distribution is a bar for each choice, or for right and wrong where all could be typed.
func (c *call) distribution(r Reply, q quiz.Question, answers []quiz.Answer) Reply {
	total := len(answers)
	if !q.Item.Kind.Chosen() {
		right := 0
		for _, a := range answers {
			if quiz.Grade(q.Item, a).Right {
				right++
			}
		}
		r.Blocks = append(r.Blocks, Meter{Label: c.say("quiz.wereright", with{"Count": right, "Total": total}), Done: right, Total: total})
		return r
	}
	bars := picture.Bars{Title: c.say("quiz.bars.title"), Note: c.say("quiz.bars.note", with{"Count": total})}
	var alt []string
	for i, text := range q.Choices(c.course()) {
		own, n := q.Own(i), 0
		for _, a := range answers {
			if slices.Contains(a.Picks, own) {
				n++
			}
		}
		row := picture.BarRow{Label: letter(i) + " · " + unmarked(text), Value: strconv.Itoa(n), Part: float64(n) / float64(total), Tone: picture.Quiet}
		if q.Item.Options[own].Right {
			row.Label, row.Tone = letter(i)+" ✓ · "+unmarked(text), picture.Good
		}
		bars.Rows = append(bars.Rows, row)
		alt = append(alt, letter(i)+"\u00a0: "+row.Value)
	}
	text := bars.Text()
	for i, row := range bars.Rows { // the picture draws the sign, and what is quiet is too quiet on a dark ground
		bars.Rows[i].Label = strings.Replace(row.Label, " ✓", "", 1)
		if row.Tone == picture.Quiet {
			bars.Rows[i].Tone = picture.Accent
		}
	}
	r.Blocks = append(r.Blocks, Picture{Name: "distribution.png", Alt: c.say("quiz.bars.alt", with{"Counts": strings.Join(alt, ", ")}),
		Text: text, Drawn: c.canvas(bars.Canvas)})
	return r
}

// chosenWrong are the explanations of what was answered wrong, the most frequent first, three at
// the most: a class reads no more.
func (c *call) chosenWrong(q quiz.Question, answers []quiz.Answer) []quiz.Note {
	const most = 3
	times := map[int]int{}
	var notes []quiz.Note
	for _, a := range answers {
		for _, n := range quiz.Grade(q.Item, a).Notes {
			if n.Right || n.Own < 0 {
				continue
			}
			if times[n.Own]++; times[n.Own] == 1 {
				notes = append(notes, n)
			}
		}
	}
	slices.SortStableFunc(notes, func(a, b quiz.Note) int {
		if times[a.Own] != times[b.Own] {
			return times[b.Own] - times[a.Own]
		}
		return a.Own - b.Own
	})
	return notes[:min(most, len(notes))]
}
