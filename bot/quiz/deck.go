package quiz

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/open-spaced-repetition/go-fsrs/v3"

	"timonier/content"
)

// Deck is one learner's cards. Its zero value has none.
//
// It is kept as Shards records: Load each that there is, and after a Review keep what Pack
// gives for that card's shard.
type Deck struct {
	shards [Shards][]kept // each in the order of the items
}

// Load takes in a shard's record. The error is ours: the record is damaged.
func (d *Deck) Load(shard int, packed []byte) error {
	if shard < 0 || shard >= Shards {
		return fmt.Errorf("load cards: no shard %d", shard)
	}
	cards, err := unpack(packed)
	if err != nil {
		return fmt.Errorf("load cards of shard %d: %w", shard, err)
	}
	d.shards[shard] = cards
	return nil
}

// Pack is a shard's record; nil where it has no card.
func (d *Deck) Pack(shard int) []byte {
	if len(d.shards[shard]) == 0 {
		return nil
	}
	return pack(d.shards[shard])
}

// Card finds an item's card; false if the learner has not seen it yet.
func (d *Deck) Card(item string) (Card, bool) {
	cards := d.shards[ShardOf(item)]
	if i, ok := find(cards, item); ok {
		return cards[i].card(), true
	}
	return Card{}, false
}

// Cards are all cards, shard by shard.
func (d *Deck) Cards() iter.Seq[Card] {
	return func(yield func(Card) bool) {
		for _, cards := range d.shards {
			for i := range cards {
				if !yield(cards[i].card()) {
					return
				}
			}
		}
	}
}

// Len is how many cards there are.
func (d *Deck) Len() (n int) {
	for _, cards := range d.shards {
		n += len(cards)
	}
	return n
}

// Drop forgets an item's card.
func (d *Deck) Drop(item string) {
	shard := ShardOf(item)
	if i, ok := find(d.shards[shard], item); ok {
		d.shards[shard] = slices.Delete(d.shards[shard], i, i+1)
	}
}

func find(cards []kept, item string) (int, bool) {
	return slices.BinarySearchFunc(cards, item, func(k kept, item string) int { return strings.Compare(k.item, item) })
}

// Outcome is how a review went.
type Outcome struct {
	Right  bool
	Credit float64
	Hint   bool // the hint was shown before
	Slow   bool // see Slow
}

// Rating is what the algorithm is told: again for what is wrong, or partly right with less than
// half of the credit; hard for what is partly right, right with a hint or slow; good for what is
// right. Easy is never said: it would have to be the learner's own judgement.
func (o Outcome) Rating() fsrs.Rating {
	switch {
	case o.Right && !o.Hint && !o.Slow:
		return fsrs.Good
	case o.Right, o.Credit >= 0.5:
		return fsrs.Hard
	}
	return fsrs.Again
}

// Slow says that an answer took so long that it was worked out rather than recalled: more than
// 60 s for a choice, a number or a word, 120 s for several steps or pairs.
func Slow(kind content.ItemKind, took time.Duration) bool {
	if kind == content.Order || kind == content.Match || kind == content.Predict {
		return took > 2*time.Minute
	}
	return took > time.Minute
}

// Reviewed is what a review changed.
type Reviewed struct {
	Before, After Card
	New           bool // it was the first
	Shard         int  // to be kept anew
	Due           time.Time
}

// Review notes how an item was answered at a time, and when it is due next, by FSRS with the
// library's default parameters.
func (d *Deck) Review(item string, o Outcome, now time.Time) Reviewed {
	shard := ShardOf(item)
	i, old := find(d.shards[shard], item)
	now = now.Round(0).UTC()
	c := Card{Item: item, Memory: fsrs.NewCard(), First: now.Truncate(time.Second)}
	if old {
		c = d.shards[shard][i].card()
	} else {
		d.shards[shard] = slices.Insert(d.shards[shard], i, kept{})
	}
	r := Reviewed{Before: c, New: !old, Shard: shard}
	if now.Before(c.Memory.LastReview) {
		now = c.Memory.LastReview // a clock that was set back: the algorithm counts days from the last review
	}
	c.Memory = scheduler().Next(c.Memory, now, o.Rating()).Card
	if !o.Right {
		c.Wrong = now.Truncate(time.Second)
	}
	d.shards[shard][i] = keep(c)
	r.After, r.Due = c, c.Memory.Due
	return r
}

func scheduler() *fsrs.FSRS { return fsrs.NewFSRS(fsrs.DefaultParam()) }

// Need is what is asked of a deck.
type Need struct {
	Now   time.Time
	Today time.Time // the beginning of the learner's day: what was new since counts as the day's
	Count int       // at most
	After string    // the lesson of the item answered just before, if any
	// Lesson is the lesson of an item that may be asked now; false: it may not (withdrawn, gone,
	// of another module).
	Lesson func(item string) (string, bool)
	// Fresh are the items that may be introduced, with their lessons, in the order in which they
	// should be: of the lessons that were read. Those that have a card are passed over. May be nil.
	Fresh  iter.Seq2[string, string]
	PerDay int // new ones a day; 0: NewPerDay
}

// NewPerDay is how many new cards a day brings where nothing else is said.
const NewPerDay = 10

// Due is a card that is to be reviewed now, and why this one now.
type Due struct {
	Item, Lesson string
	New          bool      // never seen: it is introduced; all that follows is zero
	Since        time.Time // when it became due
	Seen         int       // reviews so far
	Lapses       int       // how often it was forgotten
	Last         time.Time // last review
	Wrong        time.Time // last answered wrong; zero: never
	Recall       float64   // estimated probability to recall it now
}

// pool is among how many of the most urgent Next looks for one of another lesson.
const pool = 24

// Next is what to review now: what is due, the least likely to be recalled first, then new
// ones. Two of one lesson do not follow each other where that can be: one a little less urgent
// then comes first.
func (d *Deck) Next(n Need) []Due {
	lesson := func(due Due) string { return due.Lesson }
	out := spread(d.due(n, max(n.Count, pool)), lesson, n.After)
	if len(out) < n.Count {
		after := n.After
		if len(out) > 0 {
			after = out[len(out)-1].Lesson
		}
		out = append(out, spread(d.fresh(n), lesson, after)...)
	}
	return out[:max(0, min(len(out), n.Count))]
}

// due are the most urgent that may be asked, so many at most.
func (d *Deck) due(n Need, most int) []Due {
	at := n.Now.UnixNano()
	var all []urgent
	for s := range d.shards {
		for i := range d.shards[s] {
			if k := &d.shards[s][i]; k.isDue(at) {
				all = append(all, urgent{float64(at-k.last) / k.stability, k})
			}
		}
	}
	heapify(all)
	f := scheduler()
	var out []Due
	for len(all) > 0 && len(out) < most {
		k := all[0].card
		if lesson, ok := n.Lesson(k.item); ok {
			c := k.card()
			out = append(out, Due{Item: c.Item, Lesson: lesson, Since: c.Memory.Due, Seen: int(c.Memory.Reps), Lapses: int(c.Memory.Lapses),
				Last: c.Memory.LastReview, Wrong: c.Wrong, Recall: recall(f, &c, n.Now)})
		}
		all[0] = all[len(all)-1]
		all = all[:len(all)-1]
		sink(all, 0)
	}
	return out
}

// urgent is a card that is due. The longer ago it was reviewed in measures of its stability, the
// less likely it is recalled: the algorithm's curve falls with that quotient alone.
type urgent struct {
	overdue float64
	card    *kept
}

func (u urgent) before(v urgent) bool {
	if u.overdue != v.overdue {
		return u.overdue > v.overdue
	}
	return u.card.item < v.card.item
}

// heapify puts the most urgent first, and what is less urgent below it: of thousands that are
// due only a few are taken, so that sorting all would be a waste.
func heapify(all []urgent) {
	for i := len(all)/2 - 1; i >= 0; i-- {
		sink(all, i)
	}
}

// sink puts one in its place among those below it.
func sink(all []urgent, i int) {
	for {
		next := 2*i + 1
		if next >= len(all) {
			return
		}
		if next+1 < len(all) && all[next+1].before(all[next]) {
			next++
		}
		if !all[next].before(all[i]) {
			return
		}
		all[i], all[next] = all[next], all[i]
		i = next
	}
}

// recall is how likely a card is recalled at a time.
func recall(f *fsrs.FSRS, c *Card, now time.Time) float64 {
	if now.Before(c.Memory.LastReview) {
		return 1
	}
	return f.GetRetrievability(c.Memory, now)
}

// fresh are new ones, as many as the day may still bring.
func (d *Deck) fresh(n Need) []Due {
	most := cmp.Or(n.PerDay, NewPerDay) - d.NewSince(n.Today)
	if n.Fresh == nil || most <= 0 {
		return nil
	}
	var out []Due
	for item, lesson := range n.Fresh {
		if _, seen := d.Card(item); seen {
			continue
		}
		if out = append(out, Due{Item: item, Lesson: lesson, New: true}); len(out) >= most {
			break
		}
	}
	return out
}

// NewSince counts the cards that were first seen at or after a time.
func (d *Deck) NewSince(t time.Time) (n int) {
	from := t.Unix()
	for _, cards := range d.shards {
		for i := range cards {
			if cards[i].first >= from {
				n++
			}
		}
	}
	return n
}

// Outlook is how much there is to review.
type Outlook struct {
	Cards int
	Due   int       // now
	Next  time.Time // when the next becomes due, where none is; zero: there is none
}

// Outlook counts what is due at a time, of the items that may be asked.
func (d *Deck) Outlook(now time.Time, may func(item string) bool) Outlook {
	var o Outlook
	for s := range d.shards {
		for i := range d.shards[s] {
			k := &d.shards[s][i]
			if !may(k.item) {
				continue
			}
			o.Cards++
			if due := k.due(); !due.After(now) {
				o.Due++
			} else if o.Next.IsZero() || due.Before(o.Next) {
				o.Next = due
			}
		}
	}
	return o
}
