package content

import (
	"slices"
	"strings"
)

// ItemKind is how a question of the bank is asked and answered.
type ItemKind string

// The kinds.
const (
	One       ItemKind = "one"       // one of the options is right
	Several   ItemKind = "several"   // exactly the right options are to be chosen
	TrueFalse ItemKind = "truefalse" // the options are true and false, in this order
	Number    ItemKind = "number"    // a number, with a tolerance
	Order     ItemKind = "order"     // the steps are to be put in their order
	Match     ItemKind = "match"     // each left is to be given its right
	Fill      ItemKind = "blank"     // a word is to be typed
	Predict   ItemKind = "predict"   // what will the simulator do: one of the options
)

// ItemKinds are all kinds.
func ItemKinds() []ItemKind {
	return []ItemKind{One, Several, TrueFalse, Number, Order, Match, Fill, Predict}
}

// Chosen says that an item of the kind is answered by choosing among its options.
func (k ItemKind) Chosen() bool {
	return k == One || k == Several || k == TrueFalse || k == Predict
}

// Item is a question of the bank. Texts are Markdown; those of options, steps and pairs are
// short, of plain words and code. A teacher's own may be in one language only: the other is
// empty, and Any gives the one there is.
type Item struct {
	ID         string   `json:"id"`               // 2.1-reconciliation
	Lesson     string   `json:"lesson,omitempty"` // that teaches it; empty: none of the course
	Kind       ItemKind `json:"kind"`
	Difficulty int      `json:"difficulty,omitempty"` // 1 recall, 2 apply, 3 analyse
	Objective  string   `json:"objective,omitempty"`  // ID of an Objective
	Ask        Text     `json:"ask"`
	Hint       Text     `json:"hint"` // may be empty
	Why        Text     `json:"why"`  // why the right answer is right
	Own        bool     `json:"own,omitempty"`

	Options   []Choice  `json:"options,omitempty"` // of a kind that is Chosen
	Steps     []Text    `json:"steps,omitempty"`   // Order: in the right order
	Pairs     []Pair    `json:"pairs,omitempty"`   // Match
	Extra     []Text    `json:"extra,omitempty"`   // Match: rights that belong to no left
	Number    float64   `json:"number,omitempty"`
	Tolerance float64   `json:"tolerance,omitempty"` // Number: this much more or less is right too
	Unit      Text      `json:"unit"`                // Number; may be empty
	Accept    Spellings `json:"accept"`              // Fill: what is right
	Traps     []Trap    `json:"traps,omitempty"`     // the wrong answers that are known, where there are no options

	Members int    `json:"-"` // Predict: of etcd
	Start   []Line `json:"-"` // Predict: what makes the situation, on a new cluster
	Run     []Line `json:"-"` // Predict: what happens then

	file string
}

// Choice is one of those to choose from: an option of an item.
type Choice struct {
	Text   Text        `json:"text"`
	Right  bool        `json:"right,omitempty"`
	Is     string      `json:"is,omitempty"` // of a wrong one: the ID of its Misconception
	Why    Text        `json:"why"`          // of a wrong one: what is wrong with it; of a right one it may be empty
	Checks []Condition `json:"-"`            // Predict: what holds of the cluster where it comes true
}

// Pair is a left and the right that belongs to it.
type Pair struct {
	Left  Text `json:"left"`
	Right Text `json:"right"`
}

// Trap is a wrong answer that a misconception leads to. One of the first four is set, as the
// item's kind has it.
type Trap struct {
	Number  *float64  `json:"number,omitempty"`
	Before  [2]int    `json:"before"`  // Order: the first of these steps, counted from 1, stands before the second
	Pair    [2]int    `json:"pair"`    // Match: this left has been given this right; extras count on after the pairs
	Answers Spellings `json:"answers"` // Fill
	Is      string    `json:"is,omitempty"`
	Why     Text      `json:"why"`
}

// Spellings are words in each language, any of which will do.
type Spellings struct {
	FR []string `yaml:"fr" json:"fr,omitempty"`
	EN []string `yaml:"en" json:"en,omitempty"`
}

// In are the words in a language; those of the other where there are none.
func (s Spellings) In(l Lang) []string {
	if l == EN && len(s.EN) > 0 || len(s.FR) == 0 {
		return s.EN
	}
	return s.FR
}

// Misconception is a wrong belief that wrong answers show.
type Misconception struct {
	ID     string // etcd-decides
	Lesson string // that puts it right
	Name   Text   // the belief, in a few words
	file   string
}

// Objective is a competency that items are about: of the exams KCNA and CKA, in their words.
type Objective struct {
	ID   string
	Exam string // KCNA, CKA
	Name Text
}

// Bank are the questions of a course, and what they are about.
type Bank struct {
	Items          []*Item          // by ID
	Misconceptions []*Misconception // by ID
	Objectives     []*Objective
}

// Bank is the course's. The first call for the built-in course reads it: some 0.1 s.
func (c *Course) Bank() *Bank { return c.bank() }

// Asking is the course with those of its questions alone that are wanted.
func (c *Course) Asking(wanted func(*Item) bool) *Course {
	some, bank := *c, *c.Bank()
	bank.Items = slices.DeleteFunc(slices.Clone(bank.Items), func(i *Item) bool { return !wanted(i) })
	some.bank = func() *Bank { return &bank }
	return &some
}

// Item finds an item of the bank by its ID.
func (c *Course) Item(id string) (*Item, bool) {
	items := c.Bank().Items
	i, ok := slices.BinarySearchFunc(items, id, func(i *Item, id string) int { return strings.Compare(i.ID, id) })
	if !ok {
		return nil, false
	}
	return items[i], true
}

// ItemsOf are a lesson's, by ID.
func (c *Course) ItemsOf(lesson string) []*Item {
	var out []*Item
	for _, i := range c.Bank().Items {
		if i.Lesson == lesson {
			out = append(out, i)
		}
	}
	return out
}

// Misconception finds a misconception by its ID.
func (c *Course) Misconception(id string) (*Misconception, bool) {
	return find(c.Bank().Misconceptions, func(m *Misconception) bool { return m.ID == id })
}

// Objective finds an objective by its ID.
func (c *Course) Objective(id string) (*Objective, bool) {
	return find(c.Bank().Objectives, func(o *Objective) bool { return o.ID == id })
}

// HasIn says that an item has its texts in a language.
func (i *Item) HasIn(l Lang) bool {
	if l == EN {
		return i.Ask.EN != ""
	}
	return i.Ask.FR != ""
}
