package quiz

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/open-spaced-repetition/go-fsrs/v3"

	"timonier/content"
)

// TestIntervalsAreTheLibrarys replays random reviews on the library itself, over years, with
// the deck packed and unpacked between any two.
func TestIntervalsAreTheLibrarys(t *testing.T) {
	outcomes := map[fsrs.Rating]Outcome{fsrs.Again: {}, fsrs.Hard: {Right: true, Credit: 1, Hint: true}, fsrs.Good: {Right: true, Credit: 1}}
	ratings := []fsrs.Rating{fsrs.Again, fsrs.Hard, fsrs.Good, fsrs.Good, fsrs.Good}
	longest := 0.0
	for seed := range uint64(300) {
		dice := rand.New(rand.NewPCG(seed, 1))
		library, mine, now := fsrs.NewCard(), &Deck{}, start
		for n := range 40 {
			rating := ratings[dice.IntN(len(ratings))]
			library = fsrs.NewFSRS(fsrs.DefaultParam()).Next(library, now, rating).Card
			r := mine.Review("2.1-x", outcomes[rating], now)
			packed := mine.Pack(r.Shard)
			mine = &Deck{}
			if err := mine.Load(r.Shard, packed); err != nil {
				t.Fatal(err)
			}
			got, _ := mine.Card("2.1-x")
			if got.Memory != library {
				t.Fatalf("seed %d, review %d:\n%+v\nwant the library's\n%+v", seed, n, got.Memory, library)
			}
			if !got.First.Equal(start) || !r.Due.Equal(library.Due) || r.New != (n == 0) {
				t.Fatalf("seed %d, review %d: %+v", seed, n, r)
			}
			if library.Due.Year() > 2200 { // nanoseconds since 1970 end in 2262
				break
			}
			longest = max(longest, library.Due.Sub(now).Hours()/24)
			// early, on time, late; to the nanosecond
			now = now.Add(time.Duration(float64(library.Due.Sub(now)) * (0.2 + 1.5*dice.Float64())))
		}
	}
	if longest < 365 {
		t.Errorf("the longest interval was %.0f days: too few were tried", longest)
	}
}

func TestRatings(t *testing.T) {
	for _, tt := range []struct {
		o    Outcome
		want fsrs.Rating
	}{
		{Outcome{}, fsrs.Again},
		{Outcome{Credit: 0.4}, fsrs.Again},
		{Outcome{Credit: 0.5}, fsrs.Hard},
		{Outcome{Credit: 0.5, Hint: true}, fsrs.Hard},
		{Outcome{Right: true, Credit: 1, Hint: true}, fsrs.Hard},
		{Outcome{Right: true, Credit: 1, Slow: true}, fsrs.Hard},
		{Outcome{Right: true, Credit: 1}, fsrs.Good},
	} {
		if got := tt.o.Rating(); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.o, got, tt.want)
		}
	}
	if Slow(content.One, time.Minute) || !Slow(content.One, 61*time.Second) || Slow(content.Order, 2*time.Minute) {
		t.Error("what is slow depends on the kind")
	}
}

// lessonOf is the lesson of an item "2.1-x".
func lessonOf(item string) (string, bool) { return item[:3], true }

func TestWhatIsLeastLikelyRecalledComesFirst(t *testing.T) {
	var d Deck
	good := Outcome{Right: true, Credit: 1}
	d.Review("2.1-a", good, start)
	d.Review("2.1-a", good, after(10*time.Minute)) // due in days
	d.Review("3.1-b", Outcome{}, start)            // due in a minute
	d.Review("5.1-c", good, after(20*time.Minute)) // due in ten
	now := after(40 * 24 * time.Hour)
	due := d.Next(Need{Now: now, Count: 9, Lesson: lessonOf})
	if len(due) != 3 || due[0].Item != "3.1-b" || !slices.IsSortedFunc(due, func(a, b Due) int { return int(math.Copysign(1, a.Recall-b.Recall)) }) {
		t.Fatalf("due %+v", due)
	}
	if first := due[0]; !first.Since.Equal(after(time.Minute)) || first.Seen != 1 || !first.Wrong.Equal(start) || first.Recall <= 0 || first.Recall > 0.5 {
		t.Errorf("why this one: %+v", first)
	}
	if o := d.Outlook(start, func(string) bool { return true }); o.Due != 0 || o.Cards != 3 || !o.Next.Equal(after(time.Minute)) {
		t.Errorf("outlook %+v", o)
	}
	if due := d.Next(Need{Now: now, Count: 9, Lesson: func(i string) (string, bool) { return "", i != "3.1-b" }}); len(due) != 2 {
		t.Errorf("a withdrawn item is asked: %+v", due)
	}
	if due := d.Next(Need{Now: now, Count: 1, After: "3.1", Lesson: lessonOf}); due[0].Lesson == "3.1" {
		t.Errorf("after one of lesson 3.1: %+v", due)
	}
}

func TestNewCardsComeAFewADay(t *testing.T) {
	var d Deck
	fresh := func(yield func(string, string) bool) {
		for i := range 20 {
			if !yield(fmt.Sprintf("2.%d-%d", 1+i/10, i), fmt.Sprintf("2.%d", 1+i/10)) {
				return
			}
		}
	}
	need := Need{Now: start, Today: start.Truncate(24 * time.Hour), Count: 30, Lesson: lessonOf, Fresh: fresh}
	if due := d.Next(need); len(due) != NewPerDay || !due[0].New || due[0].Lesson != "2.1" {
		t.Fatalf("new ones: %+v", due)
	}
	for i := range 4 {
		d.Review(fmt.Sprintf("2.1-%d", i), Outcome{Right: true, Credit: 1}, start)
	}
	if due := d.Next(need); len(due) != NewPerDay-4 || due[0].Item != "2.1-4" {
		t.Errorf("later the same day: %+v", due)
	}
	need.Now, need.Today = after(24*time.Hour), need.Today.Add(24*time.Hour)
	if due := d.Next(need); len(due) != 4+NewPerDay || due[0].New || !due[4].New {
		t.Errorf("the next day: %+v", due)
	}
}

func TestAClockSetBackLosesNothing(t *testing.T) {
	var d Deck
	d.Review("2.1-a", Outcome{Right: true, Credit: 1}, start)
	r := d.Review("2.1-a", Outcome{Right: true, Credit: 1}, start.Add(-48*time.Hour))
	if r.After.Memory.ElapsedDays != 0 || r.Due.Before(start) {
		t.Errorf("reviewed %+v", r.After.Memory)
	}
	if due := d.Next(Need{Now: start.Add(-time.Hour), Count: 3, Lesson: lessonOf}); len(due) != 0 {
		t.Errorf("due %+v", due)
	}
}

func TestMasteryGrowsWithRecallAndTime(t *testing.T) {
	items := []*content.Item{{ID: "2.1-a", Objective: "architecture"}, {ID: "2.1-b", Objective: "architecture"}, {ID: "2.1-c"}}
	var d Deck
	if m := d.Mastery(items, start); len(m) != 1 || m[0] != (Mastery{Objective: "architecture", Items: 2}) {
		t.Fatalf("of nothing seen: %+v", m)
	}
	before, now := 0.0, start
	for range 8 {
		r := d.Review("2.1-a", Outcome{Right: true, Credit: 1}, now)
		m := d.Mastery(items, now)[0]
		if m.Value < before || m.Seen != 1 {
			t.Fatalf("mastery %v after %v", m, before)
		}
		before, now = m.Value, r.Due
	}
	if math.Abs(before-0.5) > 0.001 {
		t.Errorf("one of two items known for good: %v", before)
	}
	if later := d.Mastery(items, now.Add(5000*24*time.Hour))[0].Value; later >= before {
		t.Errorf("years later: %v, before %v", later, before)
	}
}

func TestDamagedCardsAreAnError(t *testing.T) {
	var d Deck
	r := d.Review("2.1-a", Outcome{}, start)
	packed := d.Pack(r.Shard)
	for n := 1; n < len(packed); n++ {
		if err := new(Deck).Load(r.Shard, packed[:n]); err == nil && n > 1 {
			t.Errorf("the first %d bytes of %d load", n, len(packed))
		}
	}
	if err := new(Deck).Load(r.Shard, append([]byte{9}, packed[1:]...)); err == nil {
		t.Error("a version to come loads")
	}
	if err := new(Deck).Load(Shards, packed); err == nil {
		t.Error("a shard that is none loads")
	}
}

func FuzzUnpack(f *testing.F) {
	var d Deck
	f.Add(d.Pack(d.Review("2.1-a", Outcome{}, start).Shard))
	f.Fuzz(func(t *testing.T, b []byte) {
		cards, err := unpack(b)
		if err != nil || len(b) == 0 {
			return
		}
		if again, err := unpack(pack(cards)); err != nil || len(again) != len(cards) {
			t.Errorf("%d cards, again %d: %v", len(cards), len(again), err)
		}
	})
}

// packedDeck are the shards of a learner of so many cards, reviewed over two years.
func packedDeck(n int) [][]byte {
	var d Deck
	dice := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		id := fmt.Sprintf("imported-%d.%d-question-%05d", 1+i%10, 1+i%3, i)
		now := start.Add(-time.Duration(dice.Int64N(int64(700 * 24 * time.Hour))))
		for range 1 + dice.IntN(8) {
			r := d.Review(id, Outcome{Right: dice.IntN(4) > 0, Credit: 1}, now)
			if now = r.Due.Add(time.Hour); now.After(start) {
				break
			}
		}
	}
	var shards [][]byte
	for s := range Shards {
		shards = append(shards, d.Pack(s))
	}
	return shards
}

// TestTenThousandCardsAreWrittenTenKilobytesAtATime: a review writes one shard.
func TestTenThousandCardsAreWrittenTenKilobytesAtATime(t *testing.T) {
	total := 0
	for s, packed := range packedDeck(10_000) {
		total += len(packed)
		if len(packed) > 12_000 {
			t.Errorf("shard %d has %d bytes", s, len(packed))
		}
	}
	t.Logf("%d bytes in all, %d a shard", total, total/Shards)
	if total/Shards > 10_000 {
		t.Errorf("%d bytes a shard", total/Shards)
	}
}

// BenchmarkNextOfTenThousand chooses from packed cards: what a learner waits for.
func BenchmarkNextOfTenThousand(b *testing.B) {
	shards := packedDeck(10_000)
	b.ReportAllocs()
	for b.Loop() {
		var d Deck
		for s, packed := range shards {
			if err := d.Load(s, packed); err != nil {
				b.Fatal(err)
			}
		}
		if due := d.Next(Need{Now: start, Today: start, Count: 1, Lesson: func(item string) (string, bool) { return item[9:12], true }}); len(due) != 1 {
			b.Fatalf("due %d", len(due))
		}
	}
}

func BenchmarkReviewOfTenThousand(b *testing.B) {
	var d Deck
	for s, packed := range packedDeck(10_000) {
		if err := d.Load(s, packed); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		r := d.Review("imported-1.1-question-00000", Outcome{Right: true, Credit: 1}, start)
		if len(d.Pack(r.Shard)) == 0 {
			b.Fatal("nothing is packed")
		}
	}
}
