package exchange

import (
	"regexp"
	"slices"
	"strings"

	"timonier/content"
)

// What a question of each kind has at least and at most: answers, steps, pairs. The course's own
// rules are stricter where a question is the course's.
var sizes = map[content.ItemKind][2]int{
	content.One: {2, 8}, content.Several: {2, 8}, content.TrueFalse: {2, 2}, content.Order: {2, 8}, content.Match: {2, 8}, content.Fill: {1, 20},
}

// limits are how many characters its texts may have.
var limits = map[string]int{"ask": 400, "hint": 200, "why": 400, "option": 100, "feedback": 300, "step": 100, "left": 80, "right": 80, "word": 80, "unit": 30}

// check finds why a question cannot be put and graded.
func (d *draft) check() {
	if strings.TrimSpace(d.Ask.Any(d.lang)) == "" {
		d.refuse(NoAsk, "", 0)
	}
	d.lengths()
	switch d.Kind {
	case content.One, content.Several, content.TrueFalse, content.Predict:
		d.checkOptions()
	case content.Number:
	case content.Order:
		d.checkSize(len(d.Steps))
		d.differ(textsOf(d.Steps, d.lang))
		d.checkTraps(len(d.Steps), len(d.Steps), func(t content.Trap) [2]int { return t.Before })
	case content.Match:
		d.checkSize(len(d.Pairs))
		var lefts, rights []string
		for _, p := range d.Pairs {
			lefts, rights = append(lefts, p.Left.Any(d.lang)), append(rights, p.Right.Any(d.lang))
		}
		d.differ(lefts)
		d.differ(append(rights, textsOf(d.Extra, d.lang)...))
		d.checkTraps(len(d.Pairs), len(d.Pairs)+len(d.Extra), func(t content.Trap) [2]int { return t.Pair })
	case content.Fill:
		d.checkFill()
	default:
		d.refuse(UnknownKind, string(d.Kind), 0)
	}
}

func textsOf(texts []content.Text, l content.Lang) []string {
	var out []string
	for _, t := range texts {
		out = append(out, t.Any(l))
	}
	return out
}

func (d *draft) checkSize(n int) {
	size := sizes[d.Kind]
	if n < size[0] {
		d.refuse(Few, "", size[0])
	}
	if n > size[1] {
		d.refuse(Many, "", size[1])
	}
}

// differ refuses texts of which two are the same, or one is empty.
func (d *draft) differ(texts []string) {
	seen := map[string]bool{}
	for _, t := range texts {
		key := strings.ToLower(strings.Join(strings.Fields(t), " "))
		if key == "" {
			d.refuse(NoText, "", 0)
		} else if seen[key] {
			d.refuse(Equal, t, 0)
		}
		seen[key] = true
	}
}

func (d *draft) checkOptions() {
	d.checkSize(len(d.Options))
	var texts []string
	right := 0
	for _, o := range d.Options {
		texts = append(texts, o.Text.Any(d.lang))
		if o.Right {
			right++
		}
	}
	d.differ(texts)
	switch {
	case right == 0:
		d.refuse(NoRight, "", 0)
	case right == len(d.Options):
		d.refuse(NoWrong, "", 0)
	case right > 1 && d.Kind != content.Several:
		d.refuse(SeveralRight, "", 0)
	}
}

// checkTraps drops no trap in silence: one that names what is not there refuses the question.
func (d *draft) checkTraps(first, second int, places func(content.Trap) [2]int) {
	for _, t := range d.Traps {
		if p := places(t); p[0] < 1 || p[0] > first || p[1] < 1 || p[1] > second || p[0] == p[1] {
			d.refuse(BadTrap, trapPlaces(d.Kind, t), 0)
		}
	}
}

// blank is where a word is to be typed: people draw it as long as they like.
var blank = regexp.MustCompile(`_{3,}`)

func (d *draft) checkFill() {
	if n := len(blank.FindAllString(d.Ask.Any(d.lang), -1)); n != 1 {
		d.refuse(NoBlank, "", n)
	}
	accept := d.Accept.In(d.lang)
	if len(accept) == 0 {
		d.refuse(NoRight, "", 0)
	}
	if len(accept) > sizes[content.Fill][1] {
		d.refuse(Many, "", sizes[content.Fill][1])
	}
	words := slices.Clone(accept)
	for _, t := range d.Traps {
		words = append(words, t.Answers.In(d.lang)...)
	}
	d.differ(words)
}

// lengths refuses texts that no platform shows whole.
func (d *draft) lengths() {
	long := func(field, s string) {
		if n := len([]rune(s)); n > limits[field] {
			d.refusals = append(d.refusals, Problem{Code: TooLong, Field: field, Word: shorten(s), Number: limits[field]})
		}
	}
	long("ask", d.Ask.Any(d.lang))
	long("hint", d.Hint.Any(d.lang))
	long("why", d.Why.Any(d.lang))
	long("unit", d.Unit.Any(d.lang))
	for _, o := range d.Options {
		long("option", o.Text.Any(d.lang))
		long("feedback", o.Why.Any(d.lang))
	}
	for _, s := range d.Steps {
		long("step", s.Any(d.lang))
	}
	for _, p := range d.Pairs {
		long("left", p.Left.Any(d.lang))
		long("right", p.Right.Any(d.lang))
	}
	for _, e := range d.Extra {
		long("right", e.Any(d.lang))
	}
	for _, w := range d.Accept.In(d.lang) {
		long("word", w)
	}
	for _, t := range d.Traps {
		long("feedback", t.Why.Any(d.lang))
		for _, w := range t.Answers.In(d.lang) {
			long("word", w)
		}
	}
}

// courseRules are the course's own, for a question that is somebody else's.
func (im *importer) courseRules(*draft) {}
