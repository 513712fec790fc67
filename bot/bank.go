package bot

import (
	"encoding/json"

	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"timonier/content"
)

// A tenant's own questions are in its scope:
//
//	tenant/bank                bankHead: read with each request, it says whether what is in memory still holds
//	bank/items/NNNNNNNN        a bundle: some questions, as a JSON list. A bundle is never rewritten: a question that
//	                           is changed is in a later one
//	bank/withdrawn             the IDs of questions that are not put, the course's and their own
//	bank/flag/ITEM/WHO         a flag of one learner's on a question
//
// A tenant that has none of its own costs nothing: its bank is the course's.
const (
	houseBank     = keyHouse + "bank"
	keyBank       = "bank/"
	keyBundle     = keyBank + "items/"
	bankWithdrawn = keyBank + "withdrawn"
	keyFlag       = keyBank + "flag/"
)

// bankHead is what each request knows of its tenant's own bank.
type bankHead struct {
	Revision int `json:"revision,omitempty"` // how often the bank was changed
	Next     int `json:"next,omitempty"`     // the number of the next bundle
}

// bank are the questions that may be put in a place: the course's, and the tenant's own, which
// stand in for the course's of the same ID. It is not changed once it is made, and read by many.
type bank struct {
	items     []*content.Item          // that may be put, by ID
	known     map[string]*content.Item // all there are, withdrawn ones too
	withdrawn map[string]bool
	sections  map[string]int // of the course's lessons
	bundles   map[string][]*content.Item
	own       map[string]string // the bundle of each that is the tenant's, by its ID
	bytes     int               // that the bundles take
}

// bank is the questions that may be put here. It is read when it is first asked for, and again
// when it has changed.
func (c *call) bank() (*bank, error) {
	var head bankHead
	if c.house.shelf != nil {
		if err := c.house.get(houseBank, &head); err != nil {
			return nil, err
		}
	}
	if head == (bankHead{}) {
		return c.tutor.banks.ofCourse(c.content), nil
	}
	return c.tutor.banks.ofHouse(c, head)
}

// item finds a question that may be put.
func (b *bank) item(id string) (*content.Item, bool) {
	i, ok := b.known[id]
	return i, ok && !b.withdrawn[id]
}

// ever finds a question by its ID, even one that was withdrawn since it was put.
func (b *bank) ever(id string) (*content.Item, bool) {
	i, ok := b.known[id]
	return i, ok
}

// all are the questions that may be put, by ID. The list is shared: it is not to be changed.
func (b *bank) all() []*content.Item { return b.items }

// of are those of some modules: sections of the course, by their numbers; 0 are those of no
// lesson. Without a module, all. The list is not to be changed.
func (b *bank) of(modules ...int) []*content.Item {
	if len(modules) == 0 {
		return b.items
	}
	var out []*content.Item
	for _, i := range b.items {
		if slices.Contains(modules, b.module(i)) {
			out = append(out, i)
		}
	}
	return out
}

// module is the section that a question belongs to; 0 where it belongs to no lesson.
func (b *bank) module(i *content.Item) int { return b.sections[i.Lesson] }

// mostBanks is how many tenants' own banks are kept in memory.
const mostBanks = 32

// banks are those in memory.
type banks struct {
	mu     sync.Mutex
	course *content.Course // that plain is made of
	plain  *bank
	houses map[Scope]*keptBank
	turn   int
}

// keptBank is a tenant's bank as it was at a revision, of a course.
type keptBank struct {
	used int // by banks.turn

	mu sync.Mutex // who has it reads the bank for all who wait: other tenants do not
	*bank
	head   bankHead
	course *content.Course
}

// ofCourse is the bank of a tenant that has none of its own.
func (b *banks) ofCourse(course *content.Course) *bank {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.course != course {
		b.course, b.plain = course, newBank(course, nil, nil)
	}
	return b.plain
}

// ofHouse is a tenant's. What is in memory of it serves while the bank is at the same revision;
// where it is not, only the bundles that are new are taken apart.
func (b *banks) ofHouse(c *call, head bankHead) (*bank, error) {
	scope := c.house.scope
	kept := b.kept(scope)
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.bank != nil && kept.head == head && kept.course == c.content {
		return kept.bank, nil
	}
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, scope, keyBank)
	if err != nil {
		return nil, fmt.Errorf("read bank: %w", err)
	}
	bundles, withdrawn, err := decodeBank(records, kept.bank)
	if err != nil {
		return nil, err
	}
	made := newBank(c.content, bundles, withdrawn)
	for _, r := range records {
		if strings.HasPrefix(r.Key, keyBundle) {
			made.bytes += len(r.Value)
		}
	}
	if !c.house.changesBank() { // else it is not committed yet, and perhaps never
		kept.bank, kept.head, kept.course = made, head, c.content
	}
	return made, nil
}

// kept is what is kept of a tenant's bank: nothing yet, where it is asked for first.
func (b *banks) kept(s Scope) *keptBank {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.houses == nil {
		b.houses = map[Scope]*keptBank{}
	}
	kept := b.houses[s]
	if kept == nil {
		kept = &keptBank{}
		b.houses[s] = kept
	}
	b.turn++
	kept.used = b.turn
	b.forgetOldest()
	return kept
}

// changesBank says that the command has changed the bank, which is committed with it.
func (h house) changesBank() bool {
	_, changed := h.changed[houseBank]
	return changed
}

func (b *banks) forgetOldest() {
	for len(b.houses) > mostBanks {
		var oldest Scope
		least := b.turn + 1
		for s, k := range b.houses {
			if k.used < least {
				oldest, least = s, k.used
			}
		}
		delete(b.houses, oldest)
	}
}

func decodeBank(records []Record, kept *bank) (bundles map[string][]*content.Item, withdrawn []string, err error) {
	bundles = map[string][]*content.Item{}
	for _, r := range records {
		switch {
		case r.Key == bankWithdrawn:
			err = json.Unmarshal(r.Value, &withdrawn)
		case !strings.HasPrefix(r.Key, keyBundle):
		case kept != nil && kept.bundles[r.Key] != nil:
			bundles[r.Key] = kept.bundles[r.Key]
		default:
			var items []*content.Item
			err = json.Unmarshal(r.Value, &items)
			bundles[r.Key] = items
		}
		if err != nil {
			return nil, nil, fmt.Errorf("decode record %s: %w", r.Key, err)
		}
	}
	return bundles, withdrawn, nil
}

// newBank puts the course's questions and a tenant's own together.
func newBank(course *content.Course, bundles map[string][]*content.Item, withdrawn []string) *bank {
	b := &bank{known: map[string]*content.Item{}, withdrawn: map[string]bool{}, sections: map[string]int{}, bundles: bundles, own: map[string]string{}}
	for l := range course.Lessons() {
		b.sections[l.ID] = l.Section.Number
	}
	for _, i := range course.Bank().Items {
		b.known[i.ID] = i
	}
	for _, key := range slices.Sorted(maps.Keys(bundles)) {
		for _, i := range bundles[key] {
			b.known[i.ID], b.own[i.ID] = i, key
		}
	}
	for _, id := range withdrawn {
		b.withdrawn[id] = true
	}
	b.items = make([]*content.Item, 0, len(b.known))
	for id, i := range b.known {
		if !b.withdrawn[id] {
			b.items = append(b.items, i)
		}
	}
	slices.SortFunc(b.items, func(x, y *content.Item) int { return strings.Compare(x.ID, y.ID) })
	return b
}
