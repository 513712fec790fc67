package quiz

import (
	"math"
	"slices"

	"timonier/content"
)

// Verdict is what an answer is worth, and why.
type Verdict struct {
	Right  bool
	Credit float64  // 0..1; 1 where Right
	Is     []string // the misconceptions that it shows, each once, in the order of the notes
	Notes  []Note   // on what was answered, in the item's order; not on the right answer as a whole, which is Item.Why
}

// Note is the explanation of one thing that was, or could be, answered.
type Note struct {
	Own   int  // of an option: its number from 0; of the other kinds the trap's; -1: of none
	Right bool // what it is about is right
	Is    string
	Why   content.Text // may be empty
}

// Grade says what an answer to an item is worth.
//
// Of several, the credit is (right ones chosen − wrong ones chosen) / right ones, at least 0;
// of an order and a match the share of places that are right; of the other kinds all or
// nothing. Right is only what is so altogether.
func Grade(item *content.Item, a Answer) Verdict {
	var v Verdict
	switch item.Kind {
	case content.Number:
		v.Right = a.Number != nil && math.Abs(*a.Number-item.Number) <= item.Tolerance+1e-9
	case content.Fill:
		v.Right = spelled(a.Text, item.Accept)
	case content.Order:
		v.places(a, len(item.Steps))
	case content.Match:
		v.places(a, len(item.Pairs))
	default:
		v.options(item, a)
	}
	if v.Right {
		v.Credit = 1
		return v
	}
	for i, t := range item.Traps {
		if caught(item.Kind, t, a) {
			v.note(Note{Own: i, Is: t.Is, Why: t.Why})
		}
	}
	return v
}

func (v *Verdict) note(n Note) {
	v.Notes = append(v.Notes, n)
	if n.Is != "" && !slices.Contains(v.Is, n.Is) {
		v.Is = append(v.Is, n.Is)
	}
}

// places grades an order or a match: the right pick at place i is i.
func (v *Verdict) places(a Answer, n int) {
	good := 0
	for i, p := range a.Picks {
		if i < n && p == i {
			good++
		}
	}
	if n > 0 {
		v.Credit = float64(good) / float64(n)
	}
	v.Right = n > 0 && good == n
}

func (v *Verdict) options(item *content.Item, a Answer) {
	all, good, bad := 0, 0, 0
	for i, o := range item.Options {
		if o.Right {
			all++
		}
		if !slices.Contains(a.Picks, i) {
			continue
		}
		if o.Right {
			good++
		} else {
			bad++
		}
		if !o.Right || o.Why != (content.Text{}) {
			is := o.Is
			if o.Right {
				is = ""
			}
			v.note(Note{Own: i, Right: o.Right, Is: is, Why: o.Why})
		}
	}
	if all > 0 {
		v.Credit = max(0, float64(good-bad)/float64(all))
	}
	v.Right = all > 0 && good == all && bad == 0
}

// caught says that an answer is the one that a trap waits for.
func caught(kind content.ItemKind, t content.Trap, a Answer) bool {
	switch kind {
	case content.Number:
		return a.Number != nil && t.Number != nil && math.Abs(*a.Number-*t.Number) <= 1e-9
	case content.Order:
		first, second := slices.Index(a.Picks, t.Before[0]-1), slices.Index(a.Picks, t.Before[1]-1)
		return first >= 0 && (second < 0 || first < second) // one that is not placed yet stands after
	case content.Match:
		left := t.Pair[0] - 1
		return left >= 0 && left < len(a.Picks) && a.Picks[left] == t.Pair[1]-1
	case content.Fill:
		return spelled(a.Text, t.Answers)
	}
	return false
}

// Explain are the explanations of all that an item has: of each option, or of each trap, in the
// item's order. It is what is shown once the answer is revealed.
func Explain(item *content.Item) []Note {
	var notes []Note
	for i, o := range item.Options {
		notes = append(notes, Note{Own: i, Right: o.Right, Is: o.Is, Why: o.Why})
	}
	for i, t := range item.Traps {
		notes = append(notes, Note{Own: i, Is: t.Is, Why: t.Why})
	}
	return notes
}
