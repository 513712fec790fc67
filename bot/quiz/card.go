package quiz

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
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

// Shards is into how many records a learner's cards are packed: with 10,000 cards each is
// below 10 KB, which is what one review writes.
const Shards = 64

// ShardOf is the shard that an item's card is in, from 0.
func ShardOf(item string) int { return int(mix(hash(item)) % Shards) }

// packing is the version of the format, its first byte.
const packing = 1

var errPacked = errors.New("cards are not packed as they should be")

// pack packs cards, in the order of their items. Per card: the item's ID with its length; the
// last review in nanoseconds; what is due in minutes after it (the algorithm's intervals are
// whole minutes or days); stability and difficulty as they are; counts; first seen and last
// wrong in seconds.
func pack(cards []Card) []byte {
	b := []byte{packing}
	for _, c := range cards {
		m := c.Memory
		b = binary.AppendUvarint(b, uint64(len(c.Item)))
		b = append(b, c.Item...)
		b = append(b, byte(m.State))
		b = binary.LittleEndian.AppendUint64(b, uint64(m.LastReview.UnixNano()))
		b = binary.AppendUvarint(b, uint64(m.Due.Sub(m.LastReview)/time.Minute))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.Stability))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.Difficulty))
		b = binary.AppendUvarint(b, m.ElapsedDays)
		b = binary.AppendUvarint(b, m.ScheduledDays)
		b = binary.AppendUvarint(b, m.Reps)
		b = binary.AppendUvarint(b, m.Lapses)
		b = binary.AppendUvarint(b, seconds(c.First))
		b = binary.AppendUvarint(b, seconds(c.Wrong))
	}
	return b
}

func seconds(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(max(0, t.Unix()))
}

func fromSeconds(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}

// unpack reads what pack wrote.
func unpack(b []byte) ([]Card, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if b[0] != packing {
		return nil, fmt.Errorf("%w: version %d", errPacked, b[0])
	}
	r := reader{b: b[1:], text: string(b[1:])}
	cards := make([]Card, 0, len(b)/48)
	for len(r.b) > r.at {
		var c Card
		m := &c.Memory
		c.Item = r.string()
		m.State = fsrs.State(r.byte())
		m.LastReview = time.Unix(0, int64(r.fixed())).UTC()
		m.Due = m.LastReview.Add(time.Duration(min(r.uvarint(), maxMinutes)) * time.Minute)
		m.Stability, m.Difficulty = math.Float64frombits(r.fixed()), math.Float64frombits(r.fixed())
		m.ElapsedDays, m.ScheduledDays, m.Reps, m.Lapses = r.uvarint(), r.uvarint(), r.uvarint(), r.uvarint()
		c.First, c.Wrong = fromSeconds(r.uvarint()), fromSeconds(r.uvarint())
		if r.bad {
			return nil, fmt.Errorf("%w: at byte %d", errPacked, r.at)
		}
		cards = append(cards, c)
	}
	if !slices.IsSortedFunc(cards, byItem) {
		return nil, fmt.Errorf("%w: out of order", errPacked)
	}
	return cards, nil
}

const maxMinutes = 36500 * 24 * 60 // the algorithm's longest interval

func byItem(a, b Card) int { return strings.Compare(a.Item, b.Item) }

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
