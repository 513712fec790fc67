package exchange

import (
	"encoding/json"
	"strconv"
	"strings"

	"timonier/content"
)

var (
	giftReserved = strings.NewReplacer(`\`, `\\`, "#", `\#`, "=", `\=`, "~", `\~`, "{", `\{`, "}", `\}`, ":", `\:`, "\n", `\n`, "\r", "")
	inComment    = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`)
)

func (ex *exporter) escaped(t content.Text) string { return giftReserved.Replace(ex.in(t)) }

// gift writes GIFT, as Moodle lays it out. All texts are Markdown.
func (ex *exporter) gift() {
	last := "\x00"
	for _, i := range ex.items {
		if !ex.giftFits(i) {
			continue
		}
		if i.Lesson != last {
			last = i.Lesson
			ex.f("$CATEGORY: %s\n", category(last))
		}
		ex.giftItem(i)
	}
}

// giftFits says whether GIFT can hold the question: the arrow that makes a matching cannot be
// escaped, so a left must not have it, nor anything in the answers of a Fill.
func (ex *exporter) giftFits(i *content.Item) bool {
	var texts []string
	for _, p := range i.Pairs {
		texts = append(texts, ex.in(p.Left))
	}
	if i.Kind == content.Fill {
		texts = append(texts, i.Accept.In(ex.lang)...)
		for _, t := range i.Traps {
			texts = append(append(texts, t.Answers.In(ex.lang)...), ex.in(t.Why))
		}
	}
	for _, t := range texts {
		if strings.Contains(t, "->") {
			ex.problem(i, Arrow, t)
			return false
		}
	}
	return true
}

func (ex *exporter) giftItem(i *content.Item) {
	switch i.Kind {
	case content.Predict:
		ex.problem(i, PredictionIsOne, "")
	case content.Order:
		ex.problem(i, OrderIsMatching, "")
	}
	ex.out.WriteString("// [id:" + inComment.Replace(i.ID) + "]")
	for _, t := range tags(i, i.Kind == content.Predict || i.Kind == content.Order) {
		ex.out.WriteString(" [tag:" + inComment.Replace(t) + "]")
	}
	ex.out.WriteByte('\n')
	extra := giftExtra{Hint: ex.in(i.Hint), Unit: ex.in(i.Unit)}
	if i.Kind == content.Order || i.Kind == content.Match {
		for _, t := range i.Traps {
			extra.Traps = append(extra.Traps, ex.in(t.Why))
		}
	}
	if extra.Hint != "" || extra.Unit != "" || len(extra.Traps) > 0 {
		ex.out.WriteString("// " + giftComment)
		e := json.NewEncoder(&ex.out)
		e.SetEscapeHTML(false)
		_ = e.Encode(extra) // of strings, into memory
	}
	ex.out.WriteString("::" + giftReserved.Replace(i.ID) + "::[markdown]" + ex.escaped(i.Ask))
	why := ex.escaped(i.Why)
	if i.Kind == content.TrueFalse {
		ex.giftTrueFalse(i, why)
		return
	}
	ex.f(map[bool]string{true: "{#", false: "{"}[i.Kind == content.Number])
	for _, line := range ex.giftAnswers(i) {
		ex.f("\t%s", line)
	}
	if why != "" {
		ex.f("\t####%s", why)
	}
	ex.f("}\n")
}

func (ex *exporter) giftTrueFalse(i *content.Item, why string) {
	answer, feedback := "FALSE", map[bool]string{}
	for n, o := range i.Options {
		if n == 0 && o.Right {
			answer = "TRUE"
		}
		feedback[o.Right] = ex.escaped(o.Why)
	}
	if feedback[false] != "" || feedback[true] != "" {
		answer += "#" + feedback[false]
	}
	if feedback[true] != "" {
		answer += "#" + feedback[true]
	}
	if why != "" {
		answer += "####" + why
	}
	ex.f("{%s}\n", answer)
}

// giftAnswers are the answers, one a line.
func (ex *exporter) giftAnswers(i *content.Item) []string {
	var out []string
	add := func(mark, text string, why content.Text) {
		if w := ex.escaped(why); w != "" {
			text += "#" + w
		}
		out = append(out, mark+text)
	}
	for _, o := range i.Options {
		text := ex.escaped(o.Text)
		switch {
		case i.Kind == content.Several:
			add("~%"+fraction(i, o)+"%", text, o.Why)
		case o.Right:
			add("=", text, o.Why)
		default:
			if strings.HasPrefix(text, "%") { // it would be taken for a weight
				text = "%0%" + text
			}
			add("~", text, o.Why)
		}
	}
	if i.Kind == content.Number {
		add("=", decimal(i.Number)+":"+decimal(i.Tolerance), content.Text{})
	}
	for _, w := range i.Accept.In(ex.lang) {
		add("=%100%", giftReserved.Replace(w), content.Text{})
	}
	for n, s := range i.Steps {
		add("=", strconv.Itoa(n+1)+" -> "+ex.escaped(s), content.Text{})
	}
	for _, p := range i.Pairs {
		add("=", ex.escaped(p.Left)+" -> "+ex.escaped(p.Right), content.Text{})
	}
	for _, e := range i.Extra {
		add("=", " -> "+ex.escaped(e), content.Text{})
	}
	for _, t := range i.Traps {
		switch i.Kind {
		case content.Number:
			add("=%0%", decimal(*t.Number)+":0", t.Why)
		case content.Fill:
			for _, w := range t.Answers.In(ex.lang) {
				add("=%0%", giftReserved.Replace(w), t.Why)
			}
		}
	}
	return out
}
