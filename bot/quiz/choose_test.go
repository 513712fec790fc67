package quiz

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"timonier/content"
)

// someItems are n items over ten lessons.
func someItems(n int) (items []*content.Item) {
	for i := range n {
		lesson := fmt.Sprintf("%d.%d", 1+i%5, 1+i%2)
		items = append(items, &content.Item{ID: fmt.Sprintf("%s-%d", lesson, i), Lesson: lesson, Ask: content.Text{FR: "?"}})
	}
	return items
}

func TestItemsAreDrawnAsWished(t *testing.T) {
	items := someItems(60)
	w := Wish{Count: 12}
	got := Choose(items, w, 1)
	reversed := slices.Clone(items)
	slices.Reverse(reversed)
	if !slices.Equal(got, Choose(reversed, w, 1)) {
		t.Error("the order of the bank shows")
	}
	if slices.Equal(got, Choose(items, w, 2)) {
		t.Error("two seeds draw the same")
	}
	lessons := map[string]bool{}
	for i, it := range got {
		lessons[it.Lesson] = true
		if i > 0 && got[i-1].Lesson == it.Lesson {
			t.Errorf("two of lesson %s follow each other", it.Lesson)
		}
	}
	if len(lessons) != 10 {
		t.Errorf("%d lessons have a share, of ten", len(lessons))
	}
	for _, it := range Choose(items, Wish{Count: 99, Modules: []string{"3", "4.2"}}, 1) {
		if it.Lesson[:1] != "3" && it.Lesson != "4.2" {
			t.Errorf("lesson %s was not asked for", it.Lesson)
		}
	}
	if n := len(Choose(items, Wish{Count: 99}, 1)); n != 60 {
		t.Errorf("all: %d", n)
	}
	if Choose(items, Wish{Count: 5, Modules: []string{"9"}}, 1) != nil && len(Choose(items, Wish{Count: 5, Modules: []string{"9"}}, 1)) > 0 {
		t.Error("there is no module 9")
	}
}

func TestWhatWasAskedLatelyComesLast(t *testing.T) {
	items := someItems(20)
	w := Wish{Count: 8, Skip: func(id string) bool { return id == items[0].ID }}
	first := Choose(items, w, 1)
	w.Avoid = ids(first)
	second := Choose(items, w, 1)
	for _, i := range second {
		if slices.Contains(first, i) || i == items[0] {
			t.Errorf("%s again, or withdrawn", i.ID)
		}
	}
	w.Avoid = append(w.Avoid, ids(second)...)
	third := Choose(items, w, 1) // 19 in all: 3 are left, 5 of those asked longest ago
	old := 0
	for _, i := range third {
		if slices.Contains(first[:5], i) {
			old++
		}
		if slices.Contains(second, i) {
			t.Errorf("%s was asked just before", i.ID)
		}
	}
	if old != 5 {
		t.Errorf("%d of the five asked longest ago", old)
	}
}

func TestTheLanguageComesFirst(t *testing.T) {
	items := someItems(10)
	items[3].Ask = content.Text{EN: "?"}
	if got := Choose(items, Wish{Count: 1, Lang: content.EN}, 1); got[0] != items[3] {
		t.Errorf("drawn %+v", got[0])
	}
	if got := Choose(items, Wish{Count: 10, Lang: content.EN}, 1); len(got) != 10 {
		t.Errorf("%d of ten", len(got))
	}
}

func TestTwoOfAGroupAreKeptApartWhereThatCanBe(t *testing.T) {
	for in, want := range map[string]string{"AAB": "ABA", "BAA": "ABA", "AAABB": "ABABA", "ABAB": "ABAB", "AAA": "AAA", "AABC": "ABAC", "": ""} {
		got := spread([]byte(in), func(b byte) string { return string(b) }, "")
		if string(got) != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if got := spread([]byte("AB"), func(b byte) string { return string(b) }, "A"); string(got) != "BA" {
		t.Errorf("after A: %s", got)
	}
}

// TestTheBankIsAskedOnceBeforeAnyTwice, also while items come and go.
func TestTheBankIsAskedOnceBeforeAnyTwice(t *testing.T) {
	bank := ids(someItems(30))
	r := Rota{Seed: 9}
	last := ""
	for round := range 5 {
		seen := map[string]bool{}
		for range bank {
			var id string
			if id, r = r.Next(bank); seen[id] || id == last || id == "" {
				t.Fatalf("round %d: %q again", round, id)
			}
			seen[id], last = true, id
		}
	}
	before := r
	a, _ := before.Next(bank)
	slices.Reverse(bank)
	if b, _ := before.Next(bank); a != b {
		t.Error("the order of the bank shows")
	}
	for range 10 {
		_, r = r.Next(bank)
	}
	gone := slices.DeleteFunc(slices.Clone(bank), func(id string) bool { return id == bank[0] })
	seen := map[string]int{}
	for range 60 {
		var id string
		id, r = r.Next(gone)
		seen[id]++
	}
	if seen[bank[0]] > 0 || len(seen) != 29 {
		t.Errorf("after one went: %v", seen)
	}
	if id, _ := r.Next(nil); id != "" {
		t.Errorf("of nothing: %q", id)
	}
	one := Rota{Seed: 1}
	for range 3 {
		var id string
		if id, one = one.Next([]string{"x"}); id != "x" {
			t.Errorf("of one: %q", id)
		}
	}
}

func TestTheHourIsThatOfTheZone(t *testing.T) {
	zone := time.FixedZone("UTC-5", -5*3600)
	for _, tt := range []struct{ now, want string }{
		{"2026-11-03T13:59:59Z", "2026-11-03T14:00:00Z"},
		{"2026-11-03T14:00:00Z", "2026-11-04T14:00:00Z"},
		{"2026-12-31T23:00:00Z", "2027-01-01T14:00:00Z"},
	} {
		now, _ := time.Parse(time.RFC3339, tt.now)
		if got := NextDaily(now, 9, 0, zone).UTC().Format(time.RFC3339); got != tt.want {
			t.Errorf("after %s: %s, want %s", tt.now, got, tt.want)
		}
	}
}

func BenchmarkChooseOfTenThousand(b *testing.B) {
	items := someItems(10_000)
	for b.Loop() {
		if len(Choose(items, Wish{Count: 10, Avoid: ids(items[:200])}, 1)) != 10 {
			b.Fatal("too few")
		}
	}
}
