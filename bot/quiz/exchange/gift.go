package exchange

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"

	"timonier/content"
)

// giftEscapes are the characters that GIFT escapes, each with what stands for it while a
// question is taken apart, so that what is left of them are marks.
var giftEscapes = [][2]rune{{':', '\ue010'}, {'#', '\ue011'}, {'=', '\ue012'}, {'{', '\ue013'}, {'}', '\ue014'}, {'~', '\ue015'}, {'n', '\ue016'}}

// hideEscapes puts what stands for them in the place of escaped characters.
func hideEscapes(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	runes := []rune(s)
scan:
	for n := 0; n < len(runes); n++ {
		if runes[n] == '\\' && n+1 < len(runes) {
			if runes[n+1] == '\\' {
				n++
				b.WriteRune('\\')
				continue
			}
			for _, e := range giftEscapes {
				if runes[n+1] == e[0] {
					n++
					b.WriteRune(e[1])
					continue scan
				}
			}
		}
		b.WriteRune(runes[n])
	}
	return b.String()
}

// showEscapes gives the characters back.
func showEscapes(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '\ue010' || r > '\ue016' {
			return r
		}
		if c := giftEscapes[r-'\ue010'][0]; c != 'n' {
			return c
		}
		return '\n'
	}, s)
}

// giftBlock is what stands between two blank lines: a question, with the comments in it.
type giftBlock struct {
	line     int // of the question's first
	lines    []string
	comments []string
}

// gift reads GIFT, as Moodle does: a blank line ends a question.
func (im *importer) gift(text string) {
	category := ""
	var block giftBlock
	end := func(line int) bool {
		b := block
		block = giftBlock{}
		if len(b.lines) == 0 {
			return true
		}
		if im.full(b.line) {
			return false
		}
		im.giftQuestion(b, category)
		return true
	}
	number := 0
	for raw := range strings.SplitSeq(text, "\n") {
		number++
		line := strings.TrimSpace(raw)
		switch {
		case line == "":
			if !end(number) {
				return
			}
		case strings.HasPrefix(line, "//"):
			block.comments = append(block.comments, strings.TrimSpace(line[2:]))
		case strings.HasPrefix(line, "$CATEGORY:") && len(block.lines) == 0:
			category = strings.TrimSpace(line[len("$CATEGORY:"):])
			block = giftBlock{}
		default:
			if len(block.lines) == 0 {
				block.line = number
			}
			block.lines = append(block.lines, line)
		}
	}
	end(number)
}

// giftExtra is what stands in a comment of ours.
type giftExtra struct {
	Hint  string   `json:"hint,omitempty"`
	Unit  string   `json:"unit,omitempty"`
	Traps []string `json:"traps,omitempty"` // explanations of an Order's and a Match's traps
}

const giftComment = "timonier: "

// inBrackets is [id:…] or [tag:…] in a comment.
var inBrackets = regexp.MustCompile(`\[(id|tag):((?:\\.|[^\\\]\[])+)\]`)

var unescape = strings.NewReplacer(`\\`, `\`, `\]`, `]`, `\[`, `[`)

// comment reads what Moodle and we put into comments.
func (d *draft) comment(comments []string) (tags []string, extra giftExtra) {
	for _, c := range comments {
		if data, ok := strings.CutPrefix(c, giftComment); ok {
			if json.Unmarshal([]byte(data), &extra) != nil {
				d.note(FeedbackLost, data)
			}
			continue
		}
		for _, m := range inBrackets.FindAllStringSubmatch(c, -1) {
			if value := unescape.Replace(m[2]); m[1] == "id" {
				d.ID = value
			} else {
				tags = append(tags, value)
			}
		}
	}
	return tags, extra
}

// giftQuestion reads one question.
func (im *importer) giftQuestion(b giftBlock, category string) {
	d := im.draft(b.line, "")
	d.Lesson = im.lessonOf(category)
	tags, extra := d.comment(b.comments)
	text := strings.TrimSpace(hideEscapes(strings.Join(b.lines, "\n")))
	if rest, ok := strings.CutPrefix(text, "::"); ok {
		if name, after, ok := strings.Cut(rest, "::"); ok {
			d.name, text = strings.TrimSpace(showEscapes(name)), strings.TrimSpace(after)
		}
	}
	start, finish := strings.Index(text, "{"), strings.Index(text, "}")
	name := first(d.ID, d.name, showEscapes(text))
	switch {
	case start < 0 && finish < 0:
		im.refuse(b.line, name, UnknownKind, "description")
		return
	case start < 0 || finish < start:
		im.refuse(b.line, name, Malformed, "{ }")
		return
	}
	answer, ask := strings.TrimSpace(text[start+1:finish]), text[:start]
	if after := text[finish+1:]; strings.TrimSpace(after) != "" {
		ask += content.Blank + after
		if strings.ContainsAny(after, "{}") {
			im.refuse(b.line, name, Malformed, "{ }")
			return
		}
	}
	why := ""
	if at := strings.LastIndex(answer, "####"); at >= 0 {
		answer, why = strings.TrimSpace(answer[:at]), answer[at+4:]
	}
	c := d.untag(tags)
	g := giftReader{draft: d, format: inMoodle}
	g.format, ask = g.marked(ask)
	d.Ask, d.Why = d.long(ask, g.format), g.long(why)
	d.Hint, d.Unit = d.long(extra.Hint, inMarkdown), d.short(extra.Unit, inPlain)
	if !g.answer(answer, c.kind) {
		im.refuse(b.line, name, UnknownKind, "essay")
		return
	}
	d.finish(c)
	if d.Kind == content.Order || d.Kind == content.Match {
		var whys []content.Text
		for _, w := range extra.Traps {
			whys = append(whys, d.long(w, inMarkdown))
		}
		d.trap(c, whys)
	}
	im.take(d)
}

// giftReader reads the answers of one question.
type giftReader struct {
	*draft
	format textFormat // of the question, and of its answers that name none
}

// giftFormats are the formats that a text may name: [html]….
var giftFormats = map[string]textFormat{"html": inHTML, "markdown": inMarkdown, "plain": inPlain, "moodle": inMoodle}

// hasTag is the beginning of an element of HTML.
var hasTag = regexp.MustCompile(`</?[A-Za-z]|&[a-z#0-9]+;`)

// marked is a text and the format that it is in. One that names none is HTML where it has
// elements; else it is what people write by hand, which Markdown is nearest to.
func (g giftReader) marked(s string) (textFormat, string) {
	s = strings.TrimSpace(s)
	f := g.format
	if rest, ok := strings.CutPrefix(s, "["); ok {
		if name, after, ok := strings.Cut(rest, "]"); ok {
			if named, ok := giftFormats[name]; ok {
				f, s = named, after
			}
		}
	}
	s = strings.TrimSpace(showEscapes(s))
	if f == inMoodle && !hasTag.MatchString(s) {
		f = inMarkdown
	}
	return f, s
}

func (g giftReader) long(s string) content.Text {
	f, s := g.marked(s)
	return g.draft.long(s, f)
}

func (g giftReader) short(s string) content.Text {
	f, s := g.marked(s)
	return g.draft.short(s, f)
}

// answer finds out what kind the answers make of the question, as Moodle does, and reads
// them; false for a free text.
func (g giftReader) answer(s string, kind content.ItemKind) bool {
	head, _, _ := strings.Cut(s, "#")
	switch head = strings.TrimSpace(head); {
	case s == "":
		return false
	case s[0] == '#':
		g.number(s[1:])
	case strings.Contains(s, "~"):
		g.choice(s)
	case strings.Contains(s, "=") && strings.Contains(s, "->"):
		g.match(s, kind)
	case head == "T" || head == "TRUE" || head == "F" || head == "FALSE":
		g.trueFalse(s, head[0] == 'T')
	default:
		g.fill(s)
	}
	return true
}

// weight is what stands between % before an answer: what it is worth.
var weight = regexp.MustCompile(`^%(-?[0-9]{1,3}(?:\.[0-9]*)?)%`)

// weighed takes the weight off an answer; whole where there is none.
func (g giftReader) weighed(s string, whole string) (answer moodleAnswer) {
	s = strings.TrimSpace(s)
	answer.Fraction = whole
	if m := weight.FindStringSubmatch(s); m != nil {
		answer.Fraction, s = m[1], s[len(m[0]):]
	}
	text, why, _ := strings.Cut(s, "#")
	answer.Text, answer.Feedback.Bare = strings.TrimSpace(text), why
	return answer
}

func (g giftReader) choice(s string) {
	g.Kind = content.Several
	if strings.Contains(s, "=") {
		g.Kind = content.One
	}
	for n, part := range strings.Split(strings.ReplaceAll(s, "=", "~="), "~") {
		part = strings.TrimSpace(part)
		if part == "" && n == 0 {
			continue
		}
		rest, right := strings.CutPrefix(part, "=")
		a := g.weighed(rest, "0")
		if right { // no weight stands after =
			text, why, _ := strings.Cut(rest, "#")
			a = moodleAnswer{Fraction: "100", Text: text, Feedback: moodleText{Bare: why}}
		}
		o := content.Choice{Text: g.short(a.Text), Why: g.long(a.Feedback.Bare)}
		if g.Kind == content.Several {
			o.Right = g.fraction(a.Fraction) > 0
		} else {
			o.Right = g.right(a)
		}
		g.Options = append(g.Options, o)
	}
}

func (g giftReader) trueFalse(s string, answer bool) {
	g.Kind, g.Options = content.TrueFalse, trueFalse(g.lang)
	parts := append(strings.SplitN(s, "#", 3), "", "")
	for n := range g.Options {
		o := &g.Options[n]
		o.Right = answer == (n == 0)
		o.Why = g.long(parts[map[bool]int{true: 2, false: 1}[o.Right]])
	}
}

// answers are those that = separates.
func (g giftReader) answers(s string) []moodleAnswer {
	var out []moodleAnswer
	for n, part := range strings.Split(s, "=") {
		if strings.TrimSpace(part) == "" && n == 0 {
			continue
		}
		out = append(out, g.weighed(part, "100"))
	}
	return out
}

func (g giftReader) fill(s string) {
	g.Kind = content.Fill
	for _, a := range g.answers(s) {
		a.Text = showEscapes(a.Text)
		if strings.TrimSpace(a.Text) == "*" {
			if a.Feedback.Bare != "" {
				g.note(CatchAll, showEscapes(a.Feedback.Bare))
			}
			continue
		}
		g.word(strings.Join(fieldsOf(a.Text), " "), g.right(a), g.long(a.Feedback.Bare))
	}
	g.drawBlank()
}

func (g giftReader) match(s string, kind content.ItemKind) {
	g.Kind = content.Match
	for n, part := range strings.Split(s, "=") {
		if strings.TrimSpace(part) == "" && n == 0 {
			continue
		}
		left, right, ok := strings.Cut(part, "->")
		if !ok {
			g.refuse(Malformed, showEscapes(part), 0)
			return
		}
		pair := content.Pair{Left: g.short(left), Right: g.draft.short(strings.TrimSpace(showEscapes(right)), inPlain)}
		if pair.Left.Any(g.lang) == "" {
			g.Extra = append(g.Extra, pair.Right)
			continue
		}
		g.Pairs = append(g.Pairs, pair)
	}
	if kind != content.Order {
		return
	}
	for _, p := range g.Pairs {
		g.Steps = append(g.Steps, p.Right)
	}
	g.Kind, g.Pairs, g.Extra = content.Order, nil, nil
}

func (g giftReader) number(s string) {
	g.Kind = content.Number
	s, other, _ := strings.Cut(s, "~")
	if _, why, _ := strings.Cut(other, "#"); strings.TrimSpace(why) != "" {
		g.note(CatchAll, showEscapes(why))
	}
	rights := 0
	for _, a := range g.answers(s) {
		if a.Text == "*" {
			if strings.TrimSpace(a.Feedback.Bare) != "" {
				g.note(CatchAll, showEscapes(a.Feedback.Bare))
			}
			continue
		}
		value, tolerance, ok := g.span(showEscapes(a.Text))
		if !ok {
			g.refuse(BadNumber, showEscapes(a.Text), 0)
			continue
		}
		why := g.long(a.Feedback.Bare)
		if !g.right(a) {
			g.Traps = append(g.Traps, content.Trap{Number: &value, Why: why})
			continue
		}
		if rights++; rights > 1 {
			g.refuse(SeveralRight, showEscapes(a.Text), 0)
		}
		g.Number, g.Tolerance = value, tolerance
		if why.Any(g.lang) != "" {
			g.note(FeedbackLost, why.Any(g.lang))
		}
	}
	if rights == 0 {
		g.refuse(NoRight, "", 0)
	}
}

// span is a number with its tolerance: 50, 50:2, 48..52.
func (g giftReader) span(s string) (value, tolerance float64, ok bool) {
	if low, high, found := strings.Cut(s, ".."); found {
		a, ok1 := number(low)
		b, ok2 := number(high)
		return (a + b) / 2, math.Abs(b-a) / 2, ok1 && ok2
	}
	v, t, found := strings.Cut(s, ":")
	value, ok = number(v)
	if found && ok {
		tolerance, ok = number(t)
	}
	return value, math.Abs(tolerance), ok
}
