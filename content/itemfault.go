package content

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How much an item may say, in characters: of the bank's own, and of a teacher's, whose texts
// may come from elsewhere. All platforms show the longer ones too.
type itemLimits struct {
	id, ask, hint, why, option, optionWhy, step, side, options int
}

var (
	bankLimits = itemLimits{id: 40, ask: 400, hint: 200, why: 400, option: 100, optionWhy: 300, step: 100, side: 80, options: 5}
	ownLimits  = itemLimits{id: 40, ask: 1000, hint: 500, why: 1000, option: 200, optionWhy: 500, step: 150, side: 120, options: 10}
)

// ItemFaultCode is what can be wrong with an item.
type ItemFaultCode string

// What can be wrong.
const (
	ItemBadID        ItemFaultCode = "id"          // it is not of a-z 0-9 . -, or too long
	ItemBadKind      ItemFaultCode = "kind"        // there is no such kind
	ItemNoText       ItemFaultCode = "empty"       // a text is missing in a language that the question is in
	ItemLong         ItemFaultCode = "long"        // N characters, Most at most
	ItemMarkup       ItemFaultCode = "markup"      // HTML, or a character that cannot be shown
	ItemCount        ItemFaultCode = "count"       // N options, steps or pairs; there are Least to Most
	ItemNoRight      ItemFaultCode = "noright"     // no answer is right
	ItemManyRight    ItemFaultCode = "manyright"   // N are right; one may be
	ItemAllRight     ItemFaultCode = "allright"    // no answer is wrong
	ItemTwice        ItemFaultCode = "twice"       // two options are the same
	ItemNoBlank      ItemFaultCode = "noblank"     // the question does not have exactly one ____
	ItemNumber       ItemFaultCode = "number"      // no finite number, or a tolerance below zero
	ItemTrap         ItemFaultCode = "trap"        // a trap that is right, or that names nothing
	ItemNoTrap       ItemFaultCode = "notrap"      // the bank's own: no wrong answer is known
	ItemUnexplained  ItemFaultCode = "unexplained" // the bank's own: a wrong answer without its explanation
	ItemUnnamed      ItemFaultCode = "unnamed"     // the bank's own: a wrong answer without its misconception, or one there is not
	ItemNoLesson     ItemFaultCode = "lesson"      // there is no such lesson
	ItemNoObjective  ItemFaultCode = "objective"   // there is no such objective
	ItemNoDifficulty ItemFaultCode = "difficulty"  // it is not 1 to 3
	ItemForeign      ItemFaultCode = "foreign"     // it says something that its kind has no use for
)

// ItemFault is what is wrong with an item, for a person to be told in their language.
type ItemFault struct {
	Code           ItemFaultCode
	At             string // what of the item: ask, option 2, trap 1 …
	Text           string // that is wrong, where it is short; else empty
	N, Least, Most int
}

// itemFaults are the faults in English, for whoever edits the course's files.
var itemFaults = map[ItemFaultCode]string{
	ItemBadID:        "an ID is of a-z, 0-9, . and -, of {most} characters at most: {text}",
	ItemBadKind:      "there is no kind {text}",
	ItemNoText:       "{at}: a text is missing",
	ItemLong:         "{at} has {n} characters; {most} at most",
	ItemMarkup:       "{at}: HTML and characters that cannot be shown are not allowed: {text}",
	ItemCount:        "{n} {at}; there are {least} to {most}",
	ItemNoRight:      "no answer is right",
	ItemManyRight:    "{n} answers are right; one may be",
	ItemAllRight:     "no answer is wrong",
	ItemTwice:        "{at}: there is another that says the same: {text}",
	ItemNoBlank:      "the question has {n} blanks ____, not one",
	ItemNumber:       "the {at} is not a number that can be",
	ItemTrap:         "{at} is right, or names what is not there",
	ItemNoTrap:       "no wrong answer is known: it takes a trap at least",
	ItemUnexplained:  "{at} is missing: the explanation",
	ItemUnnamed:      "{at} names no misconception that there is: {text}",
	ItemNoLesson:     "there is no lesson {text}",
	ItemNoObjective:  "there is no objective {text}",
	ItemNoDifficulty: "the difficulty is 1, 2 or 3, not {n}",
	ItemForeign:      "{at}: a question of this kind has none",
}

func (f ItemFault) Error() string {
	return strings.NewReplacer("{at}", f.At, "{text}", strconv.Quote(f.Text), "{n}", strconv.Itoa(f.N), "{least}", strconv.Itoa(f.Least),
		"{most}", strconv.Itoa(f.Most)).Replace(itemFaults[f.Code])
}

// ItemFaults are all that is wrong with an item. One that is a teacher's Own may be in one
// language, name no lesson, objective, difficulty or misconception, and explain nothing.
func (c *Course) ItemFaults(i *Item) []ItemFault {
	v := &itemVerdict{course: c, item: i, limits: bankLimits}
	if i.Own {
		v.limits = ownLimits
	}
	v.head()
	switch {
	case !slices.Contains(ItemKinds(), i.Kind):
		v.fault(ItemFault{Code: ItemBadKind, Text: some(string(i.Kind))})
		return v.faults
	case i.Kind.Chosen():
		v.options()
	}
	v.foreign()
	switch i.Kind {
	case Number:
		v.number()
	case Order:
		v.texts("step", i.Steps, 3, 6, v.limits.step)
	case Match:
		v.match()
	case Fill:
		v.fill()
	}
	v.traps()
	return v.faults
}

// itemVerdict is one that is being reached.
type itemVerdict struct {
	course *Course
	item   *Item
	limits itemLimits
	faults []ItemFault
}

func (v *itemVerdict) fault(f ItemFault) { v.faults = append(v.faults, f) }

var itemID = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

func (v *itemVerdict) head() {
	i := v.item
	if !itemID.MatchString(i.ID) || len(i.ID) > v.limits.id {
		v.fault(ItemFault{Code: ItemBadID, Text: some(i.ID), Most: v.limits.id})
	}
	if _, ok := v.course.Lesson(i.Lesson); !ok && (i.Lesson != "" || !i.Own) {
		v.fault(ItemFault{Code: ItemNoLesson, Text: some(i.Lesson)})
	}
	if _, ok := v.course.Objective(i.Objective); !ok && (i.Objective != "" || !i.Own) {
		v.fault(ItemFault{Code: ItemNoObjective, Text: some(i.Objective)})
	}
	if i.Difficulty < 1 && !(i.Own && i.Difficulty == 0) || i.Difficulty > 3 {
		v.fault(ItemFault{Code: ItemNoDifficulty, N: i.Difficulty})
	}
	v.must("ask", i.Ask, v.limits.ask)
	v.may("hint", i.Hint, v.limits.hint)
	v.explains("why", i.Why, v.limits.why)
}

// must proves a text that has to be there: in each language that the question is in.
func (v *itemVerdict) must(at string, t Text, most int) {
	for _, lang := range Langs() {
		if (v.item.HasIn(lang) || !v.item.Own) && strings.TrimSpace(t.In(lang)) == "" {
			v.fault(ItemFault{Code: ItemNoText, At: at})
			break
		}
	}
	if v.item.Own && v.item.Ask == (Text{}) && at == "ask" {
		v.fault(ItemFault{Code: ItemNoText, At: at})
	}
	v.fits(at, t, most)
}

// may proves a text that is there in all the question's languages, or in none.
func (v *itemVerdict) may(at string, t Text, most int) {
	if t != (Text{}) {
		v.must(at, t, most)
	}
}

// explains proves an explanation: the bank's own questions have all of them.
func (v *itemVerdict) explains(at string, t Text, most int) {
	if t == (Text{}) && !v.item.Own {
		v.fault(ItemFault{Code: ItemUnexplained, At: at})
		return
	}
	v.may(at, t, most)
}

// tag is what looks like HTML: a platform would show it, or worse.
var tag = regexp.MustCompile(`(?i)<\s*/?\s*[a-z][a-z0-9-]*(\s+[a-z-]+\s*=|\s*/?>)|<!--|javascript:`)

func (v *itemVerdict) fits(at string, t Text, most int) {
	for _, lang := range Langs() {
		text := t.In(lang)
		if n := utf8.RuneCountInString(text); n > most {
			v.fault(ItemFault{Code: ItemLong, At: at, N: n, Most: most})
		}
		bad := tag.FindString(outsideCode(text))
		if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' || r == utf8.RuneError }); bad == "" && i >= 0 {
			bad = text[i : i+1]
		}
		if bad != "" {
			v.fault(ItemFault{Code: ItemMarkup, At: at, Text: some(bad)})
		}
	}
}

// outsideCode is a text without its code, where <pod> is what it says.
func outsideCode(text string) string {
	parts := strings.Split(text, "`")
	var b strings.Builder
	for i := 0; i < len(parts); i += 2 {
		b.WriteString(parts[i])
		b.WriteByte(' ')
	}
	return b.String()
}

// texts proves a list of texts that all differ.
func (v *itemVerdict) texts(at string, texts []Text, least, most, length int) {
	if len(texts) < least || len(texts) > most {
		v.fault(ItemFault{Code: ItemCount, At: at + "s", N: len(texts), Least: least, Most: most})
	}
	for n, t := range texts {
		v.must(fmt.Sprintf("%s %d", at, n+1), t, length)
		if slices.ContainsFunc(texts[:n], t.sameAs) {
			v.fault(ItemFault{Code: ItemTwice, At: fmt.Sprintf("%s %d", at, n+1), Text: some(t.Any(FR))})
		}
	}
}

// sameAs says that two texts cannot be told apart in one of the languages.
func (t Text) sameAs(other Text) bool {
	same := func(a, b string) bool {
		return a != "" && strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
	}
	return same(t.FR, other.FR) || same(t.EN, other.EN)
}

func (v *itemVerdict) options() {
	i, least, most := v.item, 3, v.limits.options
	switch {
	case i.Kind == TrueFalse:
		least, most = 2, 2
	case i.Own:
		least = 2
	}
	right := 0
	var texts []Text
	for n, o := range i.Options {
		texts = append(texts, o.Text)
		at := fmt.Sprintf("option %d", n+1)
		if o.Right {
			right++
			v.may(at+" why", o.Why, v.limits.optionWhy)
			continue
		}
		v.explains(at+" why", o.Why, v.limits.optionWhy)
		v.named(at, o.Is)
	}
	v.texts("option", texts, least, most, v.limits.option)
	switch {
	case right == 0:
		v.fault(ItemFault{Code: ItemNoRight})
	case right > 1 && i.Kind != Several:
		v.fault(ItemFault{Code: ItemManyRight, N: right})
	case right == len(i.Options) && len(i.Options) > 0 && !i.Own:
		v.fault(ItemFault{Code: ItemAllRight})
	}
}

// named proves that a wrong answer names a misconception that there is.
func (v *itemVerdict) named(at, id string) {
	if _, ok := v.course.Misconception(id); !ok && !(v.item.Own && id == "") {
		v.fault(ItemFault{Code: ItemUnnamed, At: at, Text: some(id)})
	}
}

// foreign finds what an item says that its kind has no use for.
func (v *itemVerdict) foreign() {
	i := v.item
	for _, f := range []struct {
		at        string
		set, here bool
	}{
		{"options", len(i.Options) > 0, i.Kind.Chosen()}, {"steps", len(i.Steps) > 0, i.Kind == Order}, {"pairs", len(i.Pairs) > 0, i.Kind == Match},
		{"extra", len(i.Extra) > 0, i.Kind == Match}, {"tolerance", i.Tolerance != 0, i.Kind == Number}, {"unit", i.Unit != Text{}, i.Kind == Number},
		{"accept", len(i.Accept.FR)+len(i.Accept.EN) > 0, i.Kind == Fill}, {"traps", len(i.Traps) > 0, !i.Kind.Chosen()},
		{"start", len(i.Start)+len(i.Run) > 0, i.Kind == Predict},
	} {
		if f.set && !f.here {
			v.fault(ItemFault{Code: ItemForeign, At: f.at})
		}
	}
}

func (v *itemVerdict) number() {
	i := v.item
	if math.IsNaN(i.Number) || math.IsInf(i.Number, 0) {
		v.fault(ItemFault{Code: ItemNumber, At: "number"})
	}
	if !(i.Tolerance >= 0) || math.IsInf(i.Tolerance, 0) {
		v.fault(ItemFault{Code: ItemNumber, At: "tolerance"})
	}
	v.may("unit", i.Unit, v.limits.side)
}

func (v *itemVerdict) match() {
	i := v.item
	var lefts, rights []Text
	for _, p := range i.Pairs {
		lefts, rights = append(lefts, p.Left), append(rights, p.Right)
	}
	least, extras := 3, 2
	if i.Own {
		least, extras = 2, v.limits.options
	}
	v.texts("left", lefts, least, v.limits.options, v.limits.side)
	v.texts("right", append(rights, i.Extra...), least, v.limits.options+extras, v.limits.side)
}

func (v *itemVerdict) fill() {
	i := v.item
	for _, lang := range Langs() {
		if !i.HasIn(lang) && i.Own {
			continue
		}
		if n := strings.Count(i.Ask.In(lang), Blank); n != 1 && !(i.Own && n == 0) {
			v.fault(ItemFault{Code: ItemNoBlank, N: n})
		}
		if words := i.Accept.In(lang); len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.TrimSpace(w) == "" }) {
			v.fault(ItemFault{Code: ItemNoRight})
		}
	}
	v.spellings("accept", i.Accept)
}

func (v *itemVerdict) spellings(at string, s Spellings) {
	for _, w := range slices.Concat(s.FR, s.EN) {
		v.fits(at, Text{FR: w}, v.limits.option)
	}
}

// traps proves the known wrong answers: that they are wrong, and that they are answers.
func (v *itemVerdict) traps() {
	i := v.item
	if len(i.Traps) == 0 && !i.Kind.Chosen() && !i.Own {
		v.fault(ItemFault{Code: ItemNoTrap})
	}
	for n, t := range i.Traps {
		at := fmt.Sprintf("trap %d", n+1)
		v.explains(at+" why", t.Why, v.limits.optionWhy)
		v.named(at, t.Is)
		v.spellings(at, t.Answers)
		if !i.Kind.Chosen() && !v.trapHolds(t) {
			v.fault(ItemFault{Code: ItemTrap, At: at})
		}
	}
}

func (v *itemVerdict) trapHolds(t Trap) bool {
	i := v.item
	within := func(n, most int) bool { return n >= 1 && n <= most }
	switch i.Kind {
	case Number:
		return t.Number != nil && !math.IsNaN(*t.Number) && math.Abs(*t.Number-i.Number) > i.Tolerance
	case Order:
		return within(t.Before[0], len(i.Steps)) && within(t.Before[1], len(i.Steps)) && t.Before[0] > t.Before[1]
	case Match:
		return within(t.Pair[0], len(i.Pairs)) && within(t.Pair[1], len(i.Pairs)+len(i.Extra)) && t.Pair[0] != t.Pair[1]
	}
	for _, lang := range Langs() {
		if !i.HasIn(lang) {
			continue
		}
		words := t.Answers.In(lang)
		right := func(w string) bool {
			return slices.ContainsFunc(i.Accept.In(lang), func(a string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(w)) })
		}
		if len(words) == 0 || slices.ContainsFunc(words, right) {
			return false
		}
	}
	return true
}
