package quiz

import (
	"cmp"
	"slices"
	"strings"

	"timonier/content"
)

// Question is an item as it is put to somebody: what there is to choose from stands in an
// order, with a letter on each. Nothing of it needs keeping: the same item and seed give the
// same question.
type Question struct {
	Item   *content.Item
	places []int // places[i] is what stands at letter i, in the item's numbering from 0
}

// Put makes a question of an item, in an order that the seed decides. Vrai and faux keep
// theirs; an item that is typed has no letters. An item to be put in order is never put in its
// right order.
func Put(item *content.Item, seed uint64) Question {
	q := Question{Item: item}
	n := len(item.Options)
	switch item.Kind {
	case content.Order:
		n = len(item.Steps)
	case content.Match:
		n = len(item.Pairs) + len(item.Extra)
	case content.Number, content.Fill:
		n = 0
	}
	q.places = make([]int, n)
	for i := range q.places {
		q.places[i] = i
	}
	if item.Kind == content.TrueFalse {
		return q
	}
	shuffle(q.places, mix(seed, hash(item.ID)))
	if item.Kind == content.Order && n > 1 && slices.IsSorted(q.places) {
		q.places[0], q.places[n-1] = q.places[n-1], q.places[0]
	}
	return q
}

// Letters are those that can be typed, in order: "ABCD". Empty for what is typed.
func (q Question) Letters() string {
	b := make([]byte, len(q.places))
	for i := range b {
		b[i] = letter(i)
	}
	return string(b)
}

// Choices are the texts that stand at the letters, in their order: the options; the steps; of
// a match the rights.
func (q Question) Choices(l content.Lang) []string {
	out := make([]string, len(q.places))
	for i, own := range q.places {
		out[i] = choice(q.Item, own).Any(l)
	}
	return out
}

// Lefts are the lefts of a match, in their order: the answer gives a letter to each.
func (q Question) Lefts(l content.Lang) []string {
	var out []string
	for _, p := range q.Item.Pairs {
		out = append(out, p.Left.Any(l))
	}
	return out
}

// Own is the number that the choice at a place (0 is the letter A) has in the item, from 0.
func (q Question) Own(place int) int { return q.places[place] }

// Letter is the letter at which a choice of the item (from 0) stands; "" if there is none.
func (q Question) Letter(own int) string {
	if i := slices.Index(q.places, own); i >= 0 {
		return string(rune(letter(i)))
	}
	return ""
}

// Right is the right answer.
func (q Question) Right() Answer { return rightOf(q.Item) }

// Spell is an answer as it is typed: "AC", "CABD", "3,5", "planificateur". It is read back by
// Read, also where it is not complete yet: what a button adds a letter to.
func (q Question) Spell(a Answer, l content.Lang) string {
	switch q.Item.Kind {
	case content.Number:
		if a.Number == nil {
			return ""
		}
		return FormatNumber(*a.Number, l)
	case content.Fill:
		return a.Text
	}
	letters := make([]string, 0, len(a.Picks))
	for _, p := range a.Picks {
		letters = append(letters, q.Letter(p))
	}
	if q.Item.Kind == content.Several {
		slices.Sort(letters)
	}
	return strings.Join(letters, "")
}

// Rest are the letters that can still follow an answer that is not complete.
func (q Question) Rest(a Answer) string {
	var rest []byte
	for i, own := range q.places {
		if !slices.Contains(a.Picks, own) {
			rest = append(rest, letter(i))
		}
	}
	return string(rest)
}

// Missing is how many places of an answer to an order or a match are still to be given: 0 once
// it can be graded, for the other kinds always.
func (q Question) Missing(a Answer) int {
	return max(0, cmp.Or(len(q.Item.Steps), len(q.Item.Pairs))-len(a.Picks))
}

// letter is how a place is called: A, B, C …
func letter(i int) byte { return byte('A' + i) }

// choice is a text of an item that an answer can pick, by its number from 0.
func choice(item *content.Item, own int) content.Text {
	switch item.Kind {
	case content.Order:
		return item.Steps[own]
	case content.Match:
		if own < len(item.Pairs) {
			return item.Pairs[own].Right
		}
		return item.Extra[own-len(item.Pairs)]
	}
	return item.Options[own].Text
}

// rightOf is the right answer to an item.
func rightOf(item *content.Item) Answer {
	var a Answer
	switch item.Kind {
	case content.Number:
		n := item.Number
		a.Number = &n
	case content.Fill:
		if words := item.Accept.In(content.FR); len(words) > 0 {
			a.Text = words[0]
		}
	case content.Order:
		for i := range item.Steps {
			a.Picks = append(a.Picks, i)
		}
	case content.Match:
		for i := range item.Pairs {
			a.Picks = append(a.Picks, i)
		}
	default:
		for i, o := range item.Options {
			if o.Right {
				a.Picks = append(a.Picks, i)
			}
		}
	}
	return a
}
