package quiz

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"timonier/content"
)

// Wish is what items are wanted.
type Wish struct {
	Modules []string // "3": all of that section; "3.1": of that lesson; none: of all, also those of no lesson
	Count   int
	Mix     [3]int               // shares of difficulty 1, 2, 3; zero: as the bank has them
	Avoid   []string             // IDs of what was asked lately: taken only where there is nothing else, the longest ago first (the slice's last is the latest)
	Lang    content.Lang         // what is in this language comes first; empty: whichever
	Skip    func(id string) bool // withdrawn; may be nil
}

// InModules says that an item is of one of the modules.
func InModules(item *content.Item, modules []string) bool {
	for _, m := range modules {
		if item.Lesson == m || strings.HasPrefix(item.Lesson, m+".") {
			return true
		}
	}
	return len(modules) == 0
}

// Choose draws items: as many as wanted, or all there are. The same items (in any order), wish
// and seed give the same ones, in the same order. Two of one lesson do not follow each other
// where that can be.
func Choose(items []*content.Item, w Wish, seed uint64) []*content.Item {
	var fit []*content.Item
	for _, i := range items {
		if InModules(i, w.Modules) && (w.Skip == nil || !w.Skip(i.ID)) {
			fit = append(fit, i)
		}
	}
	slices.SortFunc(fit, func(a, b *content.Item) int {
		return cmp.Or(cmp.Compare(slices.Index(w.Avoid, a.ID), slices.Index(w.Avoid, b.ID)), cmp.Compare(mix(seed, hash(a.ID)), mix(seed, hash(b.ID))))
	})
	return fit[:min(len(fit), w.Count)]
}

// Rota is where a place is in the bank with its question of the day: every item is asked once
// before any is asked again, in an order that the seed decides. Items may come and go meanwhile.
type Rota struct {
	Seed  uint64 `json:"seed"`
	Round int    `json:"round,omitempty"`
	At    uint64 `json:"at,omitempty"`   // how far in this round's order
	Last  string `json:"last,omitempty"` // the item asked last
}

// Next is the next day's item among IDs, and the rota to keep; "" of none.
func (r Rota) Next(ids []string) (string, Rota) {
	for range 2 {
		best, at := "", uint64(0)
		for _, id := range ids {
			h := mix(r.Seed, uint64(r.Round), hash(id))
			if h > r.At && (best == "" || h < at) && (id != r.Last || len(ids) == 1) {
				best, at = id, h
			}
		}
		if best != "" {
			r.At, r.Last = at, best
			return best, r
		}
		r.Round, r.At = r.Round+1, 0
	}
	return "", r
}

// NextDaily is the first time after now at which a clock in a zone shows an hour and minute.
func NextDaily(now time.Time, hour, minute int, zone *time.Location) time.Time {
	now = now.In(zone)
	for day := 0; ; day++ {
		t := time.Date(now.Year(), now.Month(), now.Day()+day, hour, minute, 0, 0, zone)
		if t.After(now) {
			return t
		}
	}
}
