package quiz

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/open-spaced-repetition/go-fsrs/v3"
)

// Card is what is kept of one item that a learner reviews.
type Card struct {
	Item   string
	Memory fsrs.Card // what the algorithm knows
	First  time.Time // seen, to the second
	Wrong  time.Time // last answered wrong, to the second; zero: never
}

// Shards is into how many records a learner's cards are packed: with 10,000 cards each is of
// about 5 KB, which is what one review writes.
const Shards = 128

// ShardOf is the shard that an item's card is in, from 0.
func ShardOf(item string) int { return int(mix(hash(item)) % Shards) }

// packing is the version of the format, its first byte.
const packing = 1

var errPacked = errors.New("cards are not packed as they should be")

// kept is a card as the deck holds it: small, of numbers, so that ten thousand are read in a
// few milliseconds. Times are in nanoseconds, or seconds where they say so, since 1970.
type kept struct {
	item                  string
	last, minutes         int64 // minutes after the last review in which it is due
	stability, difficulty float64
	elapsed, reps, lapses uint64
	first, wrong          int64 // seconds; wrong 0: never
	state                 fsrs.State
}

// The algorithm's intervals are whole minutes or whole days, at most 36,501 of them.
const (
	dayOfMinutes = 24 * 60
	mostMinutes  = 40_000 * dayOfMinutes
)

// keep is a card as it is held.
func keep(c Card) kept {
	m := c.Memory
	return kept{item: c.Item, last: m.LastReview.UnixNano(), minutes: int64(m.Due.Sub(m.LastReview) / time.Minute), stability: m.Stability, difficulty: m.Difficulty,
		elapsed: m.ElapsedDays, reps: m.Reps, lapses: m.Lapses, first: seconds(c.First), wrong: seconds(c.Wrong), state: m.State}
}

// card is the card that is held.
func (k *kept) card() Card {
	return Card{Item: k.item, First: time.Unix(k.first, 0).UTC(), Wrong: fromSeconds(k.wrong), Memory: fsrs.Card{
		Due: k.due(), Stability: k.stability, Difficulty: k.difficulty, ElapsedDays: k.elapsed, ScheduledDays: uint64(k.minutes / dayOfMinutes),
		Reps: k.reps, Lapses: k.lapses, State: k.state, LastReview: time.Unix(0, k.last).UTC()}}
}

// due is when the card is due.
func (k *kept) due() time.Time {
	return time.Unix(0, k.last).UTC().Add(time.Duration(k.minutes) * time.Minute)
}

// isDue says whether it is, at a time in nanoseconds.
func (k *kept) isDue(at int64) bool { return at-k.last >= k.minutes*int64(time.Minute) }

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func fromSeconds(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// pack packs cards, in the order of their items. Of each: the item's ID with its length, its
// state, the last review, in how many minutes after it it is due, stability and difficulty as
// they are, counts, first seen and last wrong.
func pack(cards []kept) []byte {
	b := []byte{packing}
	for i := range cards {
		k := &cards[i]
		b = binary.AppendUvarint(b, uint64(len(k.item)))
		b = append(b, k.item...)
		b = append(b, byte(k.state))
		b = binary.LittleEndian.AppendUint64(b, uint64(k.last))
		b = binary.AppendUvarint(b, uint64(k.minutes))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(k.stability))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(k.difficulty))
		b = binary.AppendUvarint(b, k.elapsed)
		b = binary.AppendUvarint(b, k.reps)
		b = binary.AppendUvarint(b, k.lapses)
		b = binary.AppendVarint(b, k.first)
		b = binary.AppendVarint(b, k.wrong)
	}
	return b
}

// unpack reads what pack wrote.
func unpack(b []byte) ([]kept, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if b[0] != packing {
		return nil, fmt.Errorf("%w: version %d", errPacked, b[0])
	}
	r := reader{b: b[1:], text: string(b[1:])}
	cards := make([]kept, 0, len(b)/60)
	for len(r.b) > r.at {
		k := kept{item: r.string(), state: fsrs.State(r.byte()), last: int64(r.fixed())}
		k.minutes = int64(min(r.uvarint(), mostMinutes))
		k.stability, k.difficulty = math.Float64frombits(r.fixed()), math.Float64frombits(r.fixed())
		k.elapsed, k.reps, k.lapses = r.uvarint(), r.uvarint(), r.uvarint()
		k.first, k.wrong = r.varint(), r.varint()
		switch {
		case r.bad || k.state < fsrs.Learning || k.state > fsrs.Relearning || !(k.stability > 0):
			return nil, fmt.Errorf("%w: at byte %d", errPacked, r.at)
		case len(cards) > 0 && cards[len(cards)-1].item >= k.item:
			return nil, fmt.Errorf("%w: out of order", errPacked)
		}
		cards = append(cards, k)
	}
	return cards, nil
}

// reader takes packed cards apart; text is the same bytes, of which the items' IDs are parts.
type reader struct {
	b    []byte
	text string
	at   int
	bad  bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)-r.at) {
		r.bad = true
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at]
}

func (r *reader) string() string {
	n := r.uvarint()
	if r.take(n) == nil {
		return ""
	}
	return r.text[r.at-int(n) : r.at]
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) fixed() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b[r.at:])
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.at += size
	return n
}

func (r *reader) varint() int64 {
	n, size := binary.Varint(r.b[r.at:])
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.at += size
	return n
}
