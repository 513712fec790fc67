package quiz

import (
	"cmp"
	"math"
	"slices"
	"time"

	"timonier/content"
)

// Mastery is how well a learner knows what an objective's items ask.
type Mastery struct {
	Objective string
	Value     float64 // 0..1
	Seen      int     // items that have a card
	Items     int
}

// monthly is the stability, in days, from which on an item that is recalled counts in full.
const monthly = 30

// solid is what a card counts for: how likely it is recalled now, times how lasting that is.
func solid(recalled, stability float64) float64 {
	return recalled * min(1, math.Log1p(stability)/math.Log1p(monthly))
}

// Mastery is a learner's mastery of each objective that items have, in the order of the IDs.
//
// It is the mean, over the objective's items, of R × min(1, ln(1+S)/ln(1+30)): R is how likely
// the item is recalled now and S its stability in days (both FSRS's); an item never seen counts
// 0. So knowing something once is a beginning, knowing it for a month is all.
func (d *Deck) Mastery(items []*content.Item, now time.Time) []Mastery {
	var out []Mastery
	f := scheduler()
	for _, i := range items {
		if i.Objective == "" {
			continue
		}
		at, ok := slices.BinarySearchFunc(out, i.Objective, func(m Mastery, id string) int { return cmp.Compare(m.Objective, id) })
		if !ok {
			out = slices.Insert(out, at, Mastery{Objective: i.Objective})
		}
		m := &out[at]
		m.Items++
		if c, ok := d.Card(i.ID); ok {
			m.Seen++
			m.Value += solid(recall(f, &c, now), c.Memory.Stability)
		}
	}
	for i := range out {
		out[i].Value /= float64(out[i].Items)
	}
	return out
}
