package quiz

import (
	"cmp"
	"slices"
	"strings"

	"timonier/content"
)

// Wish is what items are wanted.
type Wish struct {
	Modules []string             // "3": all of that section; "3.1": of that lesson; none: of all, also those of no lesson
	Count   int                  // at most
	Lang    content.Lang         // what there is in this language comes first; empty: whichever
	Avoid   []string             // IDs of what was asked lately, the latest last: taken only where there is nothing else, the longest ago first
	Skip    func(id string) bool // withdrawn; may be nil
}

// InModules says that an item is of one of the modules; of none asked for, every item is.
func InModules(item *content.Item, modules []string) bool {
	return len(modules) == 0 || slices.ContainsFunc(modules, func(m string) bool {
		return item.Lesson == m || strings.HasPrefix(item.Lesson, m+".")
	})
}

// candidate is an item that may be chosen, and what it is chosen by.
type candidate struct {
	item  *content.Item
	lang  int    // 1: not in the language
	ago   int    // 0: not lately; else the later, the higher
	turn  int    // how many of its lesson come before it
	order uint64 // that the seed decides
}

// Choose draws items: as many as wanted, or all that there are. The same items (in any order),
// wish and seed give the same ones, in the same order. All lessons have their share, and two of
// one lesson do not follow each other where that can be.
func Choose(items []*content.Item, w Wish, seed uint64) []*content.Item {
	all := candidates(items, w, seed)
	var chosen []*content.Item
	for _, c := range all[:min(w.Count, len(all))] {
		chosen = append(chosen, c.item)
	}
	shuffle(chosen, mix(seed, uint64(len(chosen))))
	return spread(chosen, func(i *content.Item) string { return i.Lesson }, "")
}

// candidates are the items that fit, the best first.
func candidates(items []*content.Item, w Wish, seed uint64) []candidate {
	ago := make(map[string]int, len(w.Avoid))
	for i, id := range w.Avoid {
		ago[id] = i + 1
	}
	var all []candidate
	for _, i := range items {
		if !InModules(i, w.Modules) || w.Skip != nil && w.Skip(i.ID) {
			continue
		}
		c := candidate{item: i, ago: ago[i.ID], order: mix(seed, hash(i.ID))}
		if w.Lang != "" && !i.HasIn(w.Lang) {
			c.lang = 1
		}
		all = append(all, c)
	}
	best := func(a, b candidate) int {
		if n := cmp.Or(a.lang-b.lang, a.ago-b.ago, a.turn-b.turn, cmp.Compare(a.order, b.order)); n != 0 {
			return n
		}
		return strings.Compare(a.item.ID, b.item.ID)
	}
	slices.SortFunc(all, best)
	turns := map[string]int{}
	for i := range all {
		all[i].turn = turns[all[i].item.Lesson]
		turns[all[i].item.Lesson]++
	}
	slices.SortFunc(all, best)
	return all
}

// spread orders things so that no two of one group follow each other, nor the first one on the
// group before, where that can be; else it keeps their order. Those of the group "" are of none.
func spread[T any](things []T, group func(T) string, before string) []T {
	left := map[string]int{}
	for _, t := range things {
		left[group(t)]++
	}
	out := make([]T, 0, len(things))
	things = slices.Clone(things)
	for len(things) > 0 {
		at := slices.IndexFunc(things, func(t T) bool { // more than half of what is left: it cannot wait
			g := group(t)
			return g != "" && g != before && 2*left[g] > len(things)
		})
		if at < 0 {
			at = slices.IndexFunc(things, func(t T) bool { return group(t) == "" || group(t) != before })
		}
		at = max(at, 0)
		before = group(things[at])
		left[before]--
		out = append(out, things[at])
		things = slices.Delete(things, at, at+1)
	}
	return out
}
