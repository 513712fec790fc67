package exchange

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"timonier/content"
)

// exporter writes questions in one language.
type exporter struct {
	lang      content.Lang
	separator rune
	items     []*content.Item
	out       bytes.Buffer
	problems  []Problem
}

func (ex *exporter) problem(i *content.Item, c Code, word string) {
	ex.problems = append(ex.problems, Problem{Name: i.ID, Code: c, Word: shorten(word)})
}

func (ex *exporter) in(t content.Text) string { return t.In(ex.lang) }

// f writes a line.
func (ex *exporter) f(format string, args ...any) {
	fmt.Fprintf(&ex.out, format+"\n", args...)
}

// category is where a lesson's questions are kept in Moodle.
func category(lesson string) string {
	if lesson == "" {
		return "$course$/top/Timonier"
	}
	return "$course$/top/Timonier/" + lesson
}

// moodle writes Moodle's XML, as Moodle itself lays it out.
func (ex *exporter) moodle() {
	ex.f(`<?xml version="1.0" encoding="UTF-8"?>`)
	ex.f(`<quiz>`)
	last := "\x00"
	for _, i := range ex.items {
		if i.Lesson != last {
			last = i.Lesson
			ex.f("  <question type=\"category\">\n    <category>\n      <text>%s</text>\n    </category>\n  </question>", escapeXML(category(last)))
		}
		ex.moodleItem(i)
	}
	ex.f(`</quiz>`)
}

// moodleTypes are Moodle's types for the kinds.
var moodleTypes = map[content.ItemKind]string{content.One: "multichoice", content.Several: "multichoice", content.Predict: "multichoice",
	content.TrueFalse: "truefalse", content.Number: "numerical", content.Order: "ordering", content.Match: "matching", content.Fill: "shortanswer"}

func (ex *exporter) moodleItem(i *content.Item) {
	if i.Kind == content.Predict {
		ex.problem(i, PredictionIsOne, "")
	}
	ex.f(`  <question type="%s">`, moodleTypes[i.Kind])
	ex.f("    <name>\n      <text>%s</text>\n    </name>", escapeXML(i.ID))
	ex.long("    ", "questiontext", ex.in(i.Ask))
	ex.long("    ", "generalfeedback", ex.in(i.Why))
	ex.f("    <defaultgrade>1.0000000</defaultgrade>\n    <penalty>%s</penalty>\n    <hidden>0</hidden>\n    <idnumber>%s</idnumber>",
		map[bool]string{true: "1.0000000", false: "0.3333333"}[i.Kind == content.TrueFalse], escapeXML(i.ID))
	switch i.Kind {
	case content.One, content.Several, content.Predict:
		ex.moodleOptions(i)
	case content.TrueFalse:
		for n, o := range i.Options {
			ex.answer(fraction(i, o), string(inMoodle), strconv.FormatBool(n == 0), ex.in(o.Why), "")
		}
	case content.Number:
		ex.answer("100", string(inMoodle), decimal(i.Number), "", decimal(i.Tolerance))
		for _, t := range i.Traps {
			ex.answer("0", string(inMoodle), decimal(*t.Number), ex.in(t.Why), "0")
		}
		ex.moodleUnit(ex.in(i.Unit))
	case content.Fill:
		ex.f("    <usecase>0</usecase>")
		for _, w := range i.Accept.In(ex.lang) {
			ex.answer("100", string(inMoodle), w, "", "")
		}
		for _, t := range i.Traps {
			for _, w := range t.Answers.In(ex.lang) {
				ex.answer("0", string(inMoodle), w, ex.in(t.Why), "")
			}
		}
	case content.Order:
		ex.moodleOrder(i)
	case content.Match:
		ex.moodleMatch(i)
	}
	if h := ex.in(i.Hint); h != "" {
		ex.long("    ", "hint", h)
	}
	ex.moodleTags(tags(i, i.Kind == content.Predict))
	ex.f(`  </question>`)
}

// fraction is what an option is worth: the right ones together everything, each wrong one as
// much less as a right one more.
func fraction(i *content.Item, o content.Choice) string {
	if i.Kind != content.Several {
		return map[bool]string{true: "100", false: "0"}[o.Right]
	}
	right := 0
	for _, o := range i.Options {
		if o.Right {
			right++
		}
	}
	share := strconv.FormatFloat(100/float64(max(1, right)), 'f', 5, 64) // Moodle knows 33.33333
	share = strings.TrimSuffix(strings.TrimRight(share, "0"), ".")
	if !o.Right {
		share = "-" + share
	}
	return share
}

func (ex *exporter) moodleOptions(i *content.Item) {
	ex.f("    <single>%t</single>\n    <shuffleanswers>true</shuffleanswers>\n    <answernumbering>ABCD</answernumbering>\n    <showstandardinstruction>0</showstandardinstruction>", i.Kind != content.Several)
	ex.combined("")
	for _, o := range i.Options {
		text, format := shortHTMLOf(ex.in(o.Text))
		ex.answer(fraction(i, o), string(format), text, ex.in(o.Why), "")
	}
}

// combined is the feedback for an answer as a whole.
func (ex *exporter) combined(incorrect string) {
	for _, name := range []string{"correctfeedback", "partiallycorrectfeedback"} {
		ex.f("    <%s format=\"html\">\n      <text></text>\n    </%s>", name, name)
	}
	ex.long("    ", "incorrectfeedback", incorrect)
}

func (ex *exporter) moodleUnit(unit string) {
	if unit == "" {
		ex.f("    <unitgradingtype>0</unitgradingtype>\n    <unitpenalty>0.1000000</unitpenalty>\n    <showunits>3</showunits>\n    <unitsleft>0</unitsleft>")
		return
	}
	ex.f("    <units>\n      <unit>\n        <multiplier>1</multiplier>\n        <unit_name>%s</unit_name>\n      </unit>\n    </units>", escapeXML(unit))
	ex.f("    <unitgradingtype>0</unitgradingtype>\n    <unitpenalty>0.1000000</unitpenalty>\n    <showunits>0</showunits>\n    <unitsleft>0</unitsleft>")
}

func (ex *exporter) moodleOrder(i *content.Item) {
	ex.f("    <layouttype>VERTICAL</layouttype>\n    <selecttype>ALL</selecttype>\n    <selectcount>0</selectcount>\n    <gradingtype>ABSOLUTE_POSITION</gradingtype>\n    <showgrading>SHOW</showgrading>\n    <numberingstyle>none</numberingstyle>")
	ex.combined(ex.whys(i))
	for n, s := range i.Steps {
		text, format := shortHTMLOf(ex.in(s))
		ex.answer(strconv.Itoa(n+1)+".0000000", string(format), text, "", "")
	}
}

func (ex *exporter) moodleMatch(i *content.Item) {
	ex.f("    <shuffleanswers>true</shuffleanswers>")
	ex.combined(ex.whys(i))
	sub := func(left, right string) {
		text, format := "", inHTML
		if left != "" {
			text, format = shortHTMLOf(left)
		}
		ex.f("    <subquestion format=\"%s\">\n      <text>%s</text>\n      <answer>\n        <text>%s</text>\n      </answer>\n    </subquestion>", format, cdata(text), cdata(right))
	}
	for _, p := range i.Pairs {
		sub(ex.in(p.Left), ex.in(p.Right))
	}
	for _, e := range i.Extra {
		sub("", ex.in(e))
	}
}

// whys are the explanations of an Order's or a Match's traps, as a list.
func (ex *exporter) whys(i *content.Item) string {
	var b strings.Builder
	for _, t := range i.Traps {
		b.WriteString("- " + strings.ReplaceAll(ex.in(t.Why), "\n", "\n  ") + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// long writes an element that holds a text.
func (ex *exporter) long(indent, name, markdown string) {
	text, format := htmlOf(markdown)
	ex.f("%s<%s format=\"%s\">\n%s  <text>%s</text>\n%s</%s>", indent, name, format, indent, cdata(text), indent, name)
}

func (ex *exporter) answer(fraction, format, text, why, tolerance string) {
	ex.f("    <answer fraction=\"%s\" format=\"%s\">\n      <text>%s</text>", fraction, format, cdata(text))
	ex.long("      ", "feedback", why)
	if tolerance != "" {
		ex.f("      <tolerance>%s</tolerance>", tolerance)
	}
	ex.f("    </answer>")
}

func (ex *exporter) moodleTags(tags []string) {
	if len(tags) == 0 {
		return
	}
	ex.f("    <tags>")
	for _, t := range tags {
		ex.f("      <tag><text>%s</text></tag>", escapeXML(t))
	}
	ex.f("    </tags>")
}

func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}

// cdata is a text as Moodle writes it: as it is between <![CDATA[ and ]]> where it has marks.
func cdata(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == '\ufffe' || r == '\uffff' {
			return -1 // XML has no way to write them
		}
		return r
	}, s)
	if !strings.ContainsAny(s, "<>&\"'") {
		return s
	}
	return "<![CDATA[" + strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>") + "]]>"
}
