package exchange

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"sort"
	"strings"

	"timonier/content"
)

// What is read of Moodle's XML. Elements that are not here are passed over.
type (
	moodleText struct {
		Format textFormat `xml:"format,attr"`
		Text   *string    `xml:"text"`
		Bare   string     `xml:",chardata"` // where there is no <text>
	}
	moodleAnswer struct {
		Fraction  string     `xml:"fraction,attr"`
		Format    textFormat `xml:"format,attr"`
		Text      string     `xml:"text"`
		Feedback  moodleText `xml:"feedback"`
		Tolerance string     `xml:"tolerance"`
	}
	moodleQuestion struct {
		Type      string         `xml:"type,attr"`
		Category  moodleText     `xml:"category"`
		Name      moodleText     `xml:"name"`
		Ask       moodleText     `xml:"questiontext"`
		Why       moodleText     `xml:"generalfeedback"`
		IDNumber  string         `xml:"idnumber"`
		Single    string         `xml:"single"`
		Incorrect moodleText     `xml:"incorrectfeedback"`
		Answers   []moodleAnswer `xml:"answer"`
		Subs      []moodleSub    `xml:"subquestion"`
		Hints     []moodleText   `xml:"hint"`
		Units     []string       `xml:"units>unit>unit_name"`
		Tags      []moodleText   `xml:"tags>tag"`
	}
	moodleSub struct {
		Format textFormat `xml:"format,attr"`
		Text   string     `xml:"text"`
		Answer moodleText `xml:"answer"`
	}
)

func (t moodleText) text() string {
	if t.Text != nil {
		return *t.Text
	}
	return strings.TrimSpace(t.Bare)
}

// errDocumentType is what a document type makes of a file: it could declare entities.
var errDocumentType = errors.New("a document type is declared")

// moodle reads Moodle's XML. Where a question cannot be parsed, the next one is sought.
func (im *importer) moodle(text string) {
	from, seen := 0, false
	category := ""
	lines := newLines(text)
	for {
		d := xml.NewDecoder(strings.NewReader(text[from:]))
		d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // source has decoded it
		d.Entity = xml.HTMLEntity
		lines.begin(from)
		err := im.moodleQuestions(d, lines, &category, &seen)
		switch {
		case err == nil || im.report.Fault != nil || from > 0 && endsQuiz(err):
			if !seen && im.report.Fault == nil {
				im.report.Fault = &Problem{Code: NotFormat}
			}
			return
		case errors.Is(err, errDocumentType):
			im.report.Fault = &Problem{Code: Entities, Line: lines.at(d.InputOffset())}
			return
		}
		at := from + int(d.InputOffset())
		im.refuse(lines.at(d.InputOffset()), "", Malformed, near(text, at))
		next := strings.Index(text[at:], "<question ")
		if next < 0 {
			if !seen {
				im.report.Refused, im.report.Fault = nil, &Problem{Code: NotFormat, Line: lines.at(d.InputOffset())}
			}
			return
		}
		if from = at + next; im.full(lines.at(int64(from))) {
			return
		}
	}
}

// endsQuiz says that an error is only that of </quiz> whose beginning was not read again.
func endsQuiz(err error) bool {
	var wrong *xml.SyntaxError
	return errors.As(err, &wrong) && wrong.Msg == "unexpected end element </quiz>"
}

// near is what stands before the place where a file breaks.
func near(text string, at int) string {
	const width = 30
	from := max(0, at-width)
	return shorten(strings.ToValidUTF8(text[from:min(len(text), at)], ""))
}

func (im *importer) moodleQuestions(d *xml.Decoder, lines *lines, category *string, seen *bool) error {
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.Directive:
			return errDocumentType
		case xml.EndElement:
			if t.Name.Local == "quiz" {
				return nil
			}
		case xml.StartElement:
			switch t.Name.Local {
			case "quiz":
				*seen = true
				continue
			case "question":
			default:
				if err := d.Skip(); err != nil {
					return err
				}
				continue
			}
			*seen = true
			line := lines.at(d.InputOffset())
			if im.full(line) {
				return nil
			}
			var q moodleQuestion
			if err := d.DecodeElement(&q, &t); err != nil {
				return err
			}
			if q.Type == "category" {
				*category = q.Category.text()
				continue
			}
			im.moodleQuestion(q, line, *category)
		}
	}
}

// moodleKinds are Moodle's types that there is a kind for, and how each is read.
var moodleKinds = map[string]func(*draft, moodleQuestion){
	"multichoice": (*draft).moodleChoice,
	"truefalse":   (*draft).moodleTrueFalse,
	"numerical":   (*draft).moodleNumber,
	"shortanswer": (*draft).moodleFill,
	"ordering":    (*draft).moodleOrder,
	"matching":    (*draft).moodleMatch,
}

func (im *importer) moodleQuestion(q moodleQuestion, line int, category string) {
	d := im.draft(line, q.Name.text())
	d.ID = strings.TrimSpace(q.IDNumber)
	read, ok := moodleKinds[q.Type]
	if !ok {
		im.refuse(line, first(d.ID, d.name), UnknownKind, q.Type)
		return
	}
	d.Lesson = im.lessonOf(category)
	d.Ask, d.Why = d.long(q.Ask.text(), q.Ask.Format), d.long(q.Why.text(), q.Why.Format)
	if len(q.Hints) > 0 {
		d.Hint = d.long(q.Hints[0].text(), q.Hints[0].Format)
	}
	for _, h := range q.Hints[min(1, len(q.Hints)):] {
		d.note(FeedbackLost, h.text())
	}
	var tags []string
	for _, t := range q.Tags {
		tags = append(tags, t.text())
	}
	read(d, q)
	c := d.untag(tags)
	d.finish(c)
	if d.Kind == content.Order || d.Kind == content.Match {
		d.trap(c, d.listed(q.Incorrect))
	}
	im.take(d)
}

// finish is what tags say of a question whatever its kind.
func (d *draft) finish(c carried) {
	switch {
	case c.kind == content.Predict && d.Kind == content.One:
		d.note(PredictionIsOne, "")
	case d.Kind == content.Number, d.Kind == content.Fill:
		for n := range d.Traps {
			d.Traps[n].Is = c.traps[n+1].Is
		}
	}
}

// lessonOf is the lesson that a category is named after: its last part, if that is one.
func (im *importer) lessonOf(category string) string {
	name := strings.TrimSpace(category[strings.LastIndex(category, "/")+1:])
	if _, ok := im.o.Course.Lesson(name); ok {
		return name
	}
	return ""
}

// listed are the items of the list that explains an Order's or a Match's traps; nil where the
// feedback is anything else, as Moodle's own words for any wrong answer.
func (d *draft) listed(t moodleText) []content.Text {
	if t.Format == inMarkdown {
		return d.items(t.text())
	}
	if !strings.Contains(t.text(), "<li") {
		return nil
	}
	md, notes := fromHTML(t.text())
	d.found(notes)
	return d.items(md)
}

// items are the items of a list in Markdown.
func (d *draft) items(list string) []content.Text {
	var out []content.Text
	for n, item := range strings.Split("\n"+list, "\n- ") {
		if n > 0 {
			out = append(out, one(d.lang, strings.TrimSpace(strings.ReplaceAll(item, "\n  ", "\n"))))
		}
	}
	return out
}

// fraction is what an answer is worth, in percent.
func (d *draft) fraction(s string) float64 {
	f, ok := number(s)
	if !ok {
		d.refuse(BadNumber, s, 0)
	}
	return f
}

// right says whether an answer is right that is the only one given. What is worth a part is wrong here.
func (d *draft) right(a moodleAnswer) bool {
	f := d.fraction(a.Fraction)
	if f > 0 && f < 99.9 {
		text, _ := shortFromHTML(a.Text)
		d.note(PartialCredit, text)
	}
	return f >= 99.9
}

func (d *draft) moodleChoice(q moodleQuestion) {
	d.Kind = content.One
	if s := strings.TrimSpace(q.Single); s == "false" || s == "0" {
		d.Kind = content.Several
	}
	for _, a := range q.Answers {
		o := content.Choice{Text: d.short(a.Text, a.Format), Why: d.long(a.Feedback.text(), a.Feedback.Format)}
		if d.Kind == content.Several {
			o.Right = d.fraction(a.Fraction) > 0
		} else {
			o.Right = d.right(a)
		}
		d.Options = append(d.Options, o)
	}
}

// trueFalse are the options of a TrueFalse.
func trueFalse(l content.Lang) []content.Choice {
	words := [2]content.Text{{FR: "Vrai", EN: "True"}, {FR: "Faux", EN: "False"}}
	var out []content.Choice
	for _, w := range words {
		out = append(out, content.Choice{Text: one(l, w.In(l))})
	}
	return out
}

func (d *draft) moodleTrueFalse(q moodleQuestion) {
	d.Kind = content.TrueFalse
	d.Options = trueFalse(d.lang)
	for n, a := range q.Answers {
		at := -1
		switch strings.ToLower(strings.TrimSpace(a.Text)) {
		case "true", "vrai":
			at = 0
		case "false", "faux":
			at = 1
		default:
			d.refuse(Malformed, a.Text, 0)
			return
		}
		if n > 1 {
			d.refuse(Many, "", 2)
			return
		}
		d.Options[at].Right, d.Options[at].Why = d.right(a), d.long(a.Feedback.text(), a.Feedback.Format)
	}
}

// catchAll is the answer that stands for any other.
func (d *draft) catchAll(a moodleAnswer) bool {
	if strings.TrimSpace(a.Text) != "*" {
		return false
	}
	if f := strings.TrimSpace(a.Feedback.text()); f != "" {
		d.note(CatchAll, f)
	}
	return true
}

func (d *draft) moodleNumber(q moodleQuestion) {
	d.Kind = content.Number
	rights := 0
	for _, a := range q.Answers {
		if d.catchAll(a) {
			continue
		}
		value, ok := number(a.Text)
		if !ok {
			d.refuse(BadNumber, a.Text, 0)
			continue
		}
		why := d.long(a.Feedback.text(), a.Feedback.Format)
		if !d.right(a) {
			d.Traps = append(d.Traps, content.Trap{Number: &value, Why: why})
			continue
		}
		if rights++; rights > 1 {
			d.refuse(SeveralRight, a.Text, 0)
		}
		tolerance, ok := number(first(a.Tolerance, "0"))
		if !ok {
			d.refuse(BadNumber, a.Tolerance, 0)
		}
		d.Number, d.Tolerance = value, math.Abs(tolerance)
		if why.Any(d.lang) != "" {
			d.note(FeedbackLost, why.Any(d.lang))
		}
	}
	if rights == 0 {
		d.refuse(NoRight, "", 0)
	}
	if len(q.Units) > 0 {
		d.Unit = d.short(q.Units[0], inPlain)
	}
}

func (d *draft) moodleFill(q moodleQuestion) {
	d.Kind = content.Fill
	for _, a := range q.Answers {
		if d.catchAll(a) {
			continue
		}
		d.word(strings.Join(fieldsOf(a.Text), " "), d.right(a), d.long(a.Feedback.text(), a.Feedback.Format))
	}
	d.drawBlank()
}

// word adds a word to those that will do, or to the traps: to the last one where it has the
// same explanation.
func (d *draft) word(word string, right bool, why content.Text) {
	if strings.Contains(word, "*") {
		d.note(Wildcard, word)
		return
	}
	if right {
		if why.Any(d.lang) != "" {
			d.note(FeedbackLost, why.Any(d.lang))
		}
		d.Accept = d.spell(append(d.Accept.In(d.lang), word))
		return
	}
	if n := len(d.Traps); n > 0 && d.Traps[n-1].Why == why && why.Any(d.lang) != "" {
		d.Traps[n-1].Answers = d.spell(append(d.Traps[n-1].Answers.In(d.lang), word))
		return
	}
	d.Traps = append(d.Traps, content.Trap{Answers: d.spell([]string{word}), Why: why})
}

func (d *draft) spell(words []string) content.Spellings {
	if d.lang == content.EN {
		return content.Spellings{EN: words}
	}
	return content.Spellings{FR: words}
}

// drawBlank makes the one blank of a Fill as long as the course has it.
func (d *draft) drawBlank() {
	ask := strings.ReplaceAll(d.Ask.Any(d.lang), `\_`, "_")
	if len(blank.FindAllString(ask, -1)) == 1 {
		ask = blank.ReplaceAllString(ask, content.Blank)
	}
	d.Ask = one(d.lang, ask)
}

func (d *draft) moodleOrder(q moodleQuestion) {
	d.Kind = content.Order
	answers := slices.Clone(q.Answers)
	sort.SliceStable(answers, func(a, b int) bool { return d.fraction(answers[a].Fraction) < d.fraction(answers[b].Fraction) })
	for _, a := range answers {
		d.Steps = append(d.Steps, d.short(a.Text, a.Format))
		if f := strings.TrimSpace(a.Feedback.text()); f != "" {
			d.note(FeedbackLost, f)
		}
	}
}

func (d *draft) moodleMatch(q moodleQuestion) {
	d.Kind = content.Match
	for _, s := range q.Subs {
		left, right := d.short(s.Text, s.Format), d.short(s.Answer.text(), inPlain)
		if left.Any(d.lang) == "" {
			d.Extra = append(d.Extra, right)
			continue
		}
		d.Pairs = append(d.Pairs, content.Pair{Left: left, Right: right})
	}
}
