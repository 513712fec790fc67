package quiz

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"timonier/content"
)

// Tally is how often something was answered.
type Tally struct {
	// Own is the number of an option, from 0; of an order or a match the place, from 0, whose
	// right ones are counted; -1 of what was typed.
	Own   int
	Text  string // what was typed: "40", "kubelet"; the spelling that came first of those that are alike
	Right bool
	Count int
}

// Distribution counts what was answered to an item: each option, also one that nobody chose; of
// an order and a match how many had each place right, in the item's order; of what is typed the
// different answers. Options and words come with the most frequent first, then in the item's
// order. Records without an answer do not count.
func Distribution(item *content.Item, records []Record) []Tally {
	switch item.Kind {
	case content.Number, content.Fill:
		return typedTally(item, records)
	case content.Order, content.Match:
		return placesTally(item, records)
	}
	out := make([]Tally, len(item.Options))
	for i, o := range item.Options {
		out[i] = Tally{Own: i, Right: o.Right}
	}
	for _, r := range records {
		for _, p := range r.Answer.Picks {
			if r.Given() && p >= 0 && p < len(out) {
				out[p].Count++
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Tally) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

func placesTally(item *content.Item, records []Record) []Tally {
	out := make([]Tally, cmp.Or(len(item.Steps), len(item.Pairs)))
	for i := range out {
		out[i] = Tally{Own: i, Right: true}
	}
	for _, r := range records {
		for i, p := range r.Answer.Picks {
			if r.Given() && i < len(out) && p == i {
				out[i].Count++
			}
		}
	}
	return out
}

func typedTally(item *content.Item, records []Record) []Tally {
	var out []Tally
	at := map[string]int{}
	for _, r := range records {
		if !r.Given() {
			continue
		}
		text, key := r.Answer.Text, fold(r.Answer.Text)
		if r.Answer.Number != nil {
			text = strconv.FormatFloat(*r.Answer.Number, 'f', -1, 64)
			key = text
		}
		i, ok := at[key]
		if !ok {
			i, at[key] = len(out), len(out)
			out = append(out, Tally{Own: -1, Text: text, Right: Grade(item, r.Answer).Right})
		}
		out[i].Count++
	}
	slices.SortStableFunc(out, func(a, b Tally) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Text, b.Text))
	})
	return out
}
