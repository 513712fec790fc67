package bot

import (
	"cmp"
	"fmt"
	"strings"

	"timonier/bot/quiz"
	"timonier/content"
)

// posed is a question as somebody sees it, whatever the quiz.
type posed struct {
	id    string // by which it is answered: /quiz réponse ID B
	q     quiz.Question
	given quiz.Answer // the places that have been given, of an order or a match
	hint  bool        // it is shown
	hints bool        // it may be asked for
}

// pose adds a question to a reply: what is asked, what there is to choose from, and how to answer.
func (c *call) pose(r Reply, p posed) Reply {
	item := p.q.Item
	r.Blocks = append(r.Blocks, Text{bold(c.any(item.Ask))})
	switch item.Kind {
	case content.Match:
		r = c.poseMatch(r, p)
	case content.Order:
		r = c.poseOrder(r, p)
	case content.Number, content.Fill:
		r = c.poseTyped(r, p)
	case content.Several:
		r = c.poseSeveral(r, p)
	default:
		r = c.poseOne(r, p)
	}
	if p.hint {
		r.Blocks = append(r.Blocks, Quote{c.say("quiz.hint", with{"Hint": c.any(item.Hint)})})
	} else if p.hints && c.any(item.Hint) != "" {
		r = r.with(Button{Label: c.say("quiz.hintbutton"), Line: c.typed("quiz", quizHint.in(c.words), p.id)})
	}
	return r
}

// bold is what is asked. A text of several paragraphs, or with code in it, is left as it is written.
func bold(text string) string {
	text = strings.TrimSpace(text)
	if strings.ContainsAny(text, "\n*`") {
		return text
	}
	return "**" + text + "**"
}

// any is a text of an item, which may be in one language only.
func (c *call) any(t content.Text) string { return t.Any(c.course()) }

// answering is the line that answers a question.
func (c *call) answering(id, answer string) string {
	return strings.TrimSpace(c.typed("quiz", quizAnswer.in(c.words), id, answer))
}

// choices are what there is to choose from, a line each.
func (c *call) choices(q quiz.Question) string {
	var b strings.Builder
	for i, text := range q.Choices(c.course()) {
		fmt.Fprintf(&b, "- **%s** · %s\n", letter(i), text)
	}
	return b.String()
}

// letter is how an option is called: A, B, C, D.
func letter(i int) string { return string(rune('A' + i)) }

func (c *call) poseOne(r Reply, p posed) Reply {
	choices := p.q.Choices(c.course())
	if p.q.Item.Kind == content.TrueFalse {
		for i, text := range choices {
			r = r.with(Button{Label: text, Line: c.answering(p.id, letter(i))})
		}
		return r
	}
	r.Blocks = append(r.Blocks, Text{c.choices(p.q)})
	for i := range choices {
		r = r.with(Button{Label: letter(i), Line: c.answering(p.id, letter(i))})
	}
	return r
}

func (c *call) poseSeveral(r Reply, p posed) Reply {
	r.Blocks = append(r.Blocks, Text{c.choices(p.q)}, Text{"*" + c.say("quiz.several") + "*"})
	choices := p.q.Choices(c.course())
	r.Menu = &Menu{Label: c.say("quiz.choose"), Line: c.answering(p.id, ""), Min: 1, Max: len(choices)}
	for i, text := range choices {
		r.Menu.Choices = append(r.Menu.Choices, MenuChoice{Value: letter(i), Label: unmarked(text)})
	}
	return r
}

func (c *call) poseTyped(r Reply, p posed) Reply {
	how := c.say("quiz.word")
	if p.q.Item.Kind == content.Number {
		how = c.say("quiz.number")
		if unit := c.any(p.q.Item.Unit); unit != "" {
			how = c.say("quiz.numberof", with{"Unit": unit})
		}
	}
	r.Blocks = append(r.Blocks, Text{"*" + how + "*"})
	r.Prompt = c.words.askAnswer(how, c.answering(p.id, ""))
	return r
}

// askAnswer is the form for an answer that is typed, by a line that lacks it; how says what is wanted.
func (w words) askAnswer(how, line string) *Prompt {
	title := w.say("quiz.formtitle")
	return &Prompt{Title: title, Label: cmp.Or(how, title), Line: line, Button: w.say("quiz.formbutton"), Short: true}
}

func (c *call) poseOrder(r Reply, p posed) Reply {
	r.Blocks = append(r.Blocks, Text{c.choices(p.q)})
	if len(p.given.Picks) == 0 {
		r.Blocks = append(r.Blocks, Text{"*" + c.say("quiz.order") + "*"})
	} else {
		r.Blocks = append(r.Blocks, Text{c.say("quiz.sofar", with{"Order": c.ordered(p.q, p.given), "Next": len(p.given.Picks) + 1})})
	}
	return c.restButtons(r, p)
}

// ordered is an order as it is read: A → C → B.
func (c *call) ordered(q quiz.Question, a quiz.Answer) string {
	var letters []string
	for _, own := range a.Picks {
		letters = append(letters, "**"+q.Letter(own)+"**")
	}
	return strings.Join(letters, " → ")
}

func (c *call) poseMatch(r Reply, p posed) Reply {
	var b strings.Builder
	lefts := p.q.Lefts(c.course())
	for i, left := range lefts {
		given := "…"
		if i < len(p.given.Picks) {
			given = "**" + p.q.Letter(p.given.Picks[i]) + "**"
		}
		fmt.Fprintf(&b, "%d. %s → %s\n", i+1, left, given)
	}
	r.Blocks = append(r.Blocks, Text{b.String()}, Text{c.choices(p.q)})
	if next := len(p.given.Picks); next < len(lefts) {
		r.Blocks = append(r.Blocks, Text{"*" + c.say("quiz.match", with{"Left": lefts[next]}) + "*"})
	}
	return c.restButtons(r, p)
}

// restButtons carry the answer so far, and one place more.
func (c *call) restButtons(r Reply, p posed) Reply {
	far := p.q.Spell(p.given, c.course())
	for _, l := range p.q.Rest(p.given) {
		r = r.with(Button{Label: string(l), Line: c.answering(p.id, far+string(l))})
	}
	if far != "" {
		r = r.with(Button{Label: c.say("quiz.anew"), Line: c.answering(p.id, anew)})
	}
	return r
}

// anew is the answer that takes back the places given so far.
const anew = "-"

// unmarked is a choice's text without the marks of code, for where nothing is rendered.
func unmarked(s string) string { return strings.NewReplacer("`", "", "**", "", "*", "").Replace(s) }

// unread says what is wrong with an answer that cannot be read.
func (c *call) unread(u *quiz.Unread, item *content.Item) Reply {
	last := ""
	if u.Letters != "" {
		last = u.Letters[len(u.Letters)-1:]
	}
	switch {
	case u.Code == quiz.NotNumber:
		return c.mistake("quiz.notnumber", with{"Word": shorten(u.Word)})
	case u.Code == quiz.OtherUnit:
		return c.mistake("quiz.otherunit", with{"Word": shorten(u.Word), "Unit": c.any(item.Unit)})
	case u.Code == quiz.Twice:
		return c.mistake("quiz.twice", with{"Letter": u.Word})
	case u.Code == quiz.TooLong:
		return c.mistake("quiz.toolong", with{"Most": u.Most})
	case u.Code == quiz.TooMany && u.Most == 1:
		return c.mistake("quiz.onlyone", with{"Last": last})
	case u.Code == quiz.TooMany:
		return c.mistake("quiz.toomany", with{"Most": u.Most})
	case u.Code == quiz.Empty && last == "":
		return c.mistake("quiz.nothingtyped")
	case u.Code == quiz.Empty:
		return c.mistake("quiz.noletter", with{"Last": last})
	}
	return c.mistake("quiz.nochoice", with{"Word": shorten(u.Word), "Last": last})
}
