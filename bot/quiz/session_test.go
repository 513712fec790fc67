package quiz

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"timonier/content"
)

var start = time.Date(2026, 11, 3, 14, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return start.Add(d) }

// choiceItem is an item whose option 0 is right.
func choiceItem(id string) *content.Item {
	return &content.Item{ID: id, Lesson: "2.1", Kind: content.One, Difficulty: 1, Hint: content.Text{FR: "Un indice.", EN: "A hint."}, Options: []content.Choice{
		{Text: content.Text{FR: "Le planificateur", EN: "The scheduler"}, Right: true},
		{Text: content.Text{FR: "etcd", EN: "etcd"}, Is: "etcd-decides", Why: content.Text{FR: "etcd garde.", EN: "etcd keeps."}},
		{Text: content.Text{FR: "Le kubelet", EN: "The kubelet"}, Is: "kubelet-places"},
	}}
}

func TestARaceGoesOnByItself(t *testing.T) {
	r := Usual(Race)
	r.Count = 2
	s := Begin("a1", r, 7, []string{"x", "y"}, start)
	var phases []Phase
	for now := start; s.Phase != Over; now = s.Next() {
		if now.IsZero() {
			t.Fatalf("nothing follows %s", s.Phase)
		}
		s.Advance(now)
		phases = append(phases, s.Phase)
	}
	want := []Phase{Lobby, Open, Late, Revealed, Open, Late, Revealed, Over}
	if len(phases) != len(want) {
		t.Fatalf("phases %v, want %v", phases, want)
	}
	for i := range want {
		if phases[i] != want[i] {
			t.Fatalf("phases %v, want %v", phases, want)
		}
	}
	if took := s.Ended.Time().Sub(start); took != (15+2*(30+2+15))*time.Second {
		t.Errorf("it took %s", took)
	}
}

// race is a race of two questions, open at start.
func race(change bool) *Session {
	r := Usual(Race)
	r.Count, r.Time, r.Lobby, r.Change = 2, 20, 0, change
	s := Begin("a1", r, 7, []string{"x", "y"}, start)
	s.Advance(start)
	return s
}

func TestAnswersAreTakenByTheRules(t *testing.T) {
	x := choiceItem("x")
	right, wrong, other := Answer{Picks: []int{0}}, Answer{Picks: []int{1}}, Answer{Picks: []int{2}}
	s := race(true)
	me := Record{Person: "me"}
	r, why := s.Take(0, x, wrong, me, after(3*time.Second))
	if why != "" || r.Person != "me" || r.Took != 3000 || r.Right || !slices.Equal(r.Is, []string{"etcd-decides"}) || r.Changes != 0 {
		t.Fatalf("the first answer: %+v %s", r, why)
	}
	if again, why := s.Take(0, x, wrong, r, after(4*time.Second)); why != Same || !equalRecords(again, r) {
		t.Errorf("the same again: %+v %s", again, why)
	}
	changed, why := s.Take(0, x, right, r, after(6*time.Second))
	if why != "" || !changed.Right || changed.Took != 6000 || changed.Changes != 1 || changed.Is != nil {
		t.Errorf("the change: %+v %s", changed, why)
	}
	if kept, why := s.Take(0, x, other, changed, after(7*time.Second)); why != OneChange || !equalRecords(kept, changed) {
		t.Errorf("a second change: %+v %s", kept, why)
	}
	if _, why := race(false).Take(0, x, right, r, after(6*time.Second)); why != Already {
		t.Errorf("a change that the rules do not allow: %s", why)
	}
	if late, why := s.Take(0, x, right, me, after(21*time.Second)); why != "" || !late.Late || s.Rules.Points(late) != LeastPoints {
		t.Errorf("in the late window: %+v %s, %d points", late, why, s.Rules.Points(late))
	}
	for _, tt := range []struct {
		question int
		at       time.Duration
		want     Refusal
	}{{0, 22*time.Second + time.Millisecond, Closed}, {1, time.Second, NotYet}, {-1, time.Second, NotYet}, {2, time.Second, NotYet}} {
		if _, why := s.Take(tt.question, x, right, me, after(tt.at)); why != tt.want {
			t.Errorf("question %d after %s: %q, want %q", tt.question, tt.at, why, tt.want)
		}
	}
	s.Do(Reveal, after(10*time.Second))
	if _, why := s.Take(0, x, right, me, after(10*time.Second)); why != Closed {
		t.Errorf("once revealed: %s", why)
	}
	s.Do(GoOn, after(11*time.Second))
	if _, why := s.Take(0, x, right, me, after(12*time.Second)); why != Gone {
		t.Errorf("the question before: %s", why)
	}
	s.Do(Stop, after(12*time.Second))
	if _, why := s.Take(1, x, right, me, after(12*time.Second)); why != EndedAll {
		t.Errorf("once over: %s", why)
	}
	daily := Begin("d", Rules{Mode: Daily, Count: 1, Time: 600, Change: true}, 1, []string{"x"}, start)
	daily.Advance(start)
	if _, why := daily.Take(0, x, right, r, after(time.Second)); why != Already {
		t.Errorf("a change after having been told: %s", why)
	}
}

func equalRecords(a, b Record) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func TestHints(t *testing.T) {
	x := choiceItem("x")
	s := race(true)
	r, why := s.Hint(0, x, Record{Person: "me"}, after(time.Second))
	if why != "" || !r.Hint || r.Given() {
		t.Fatalf("a hint: %+v %s", r, why)
	}
	if again, why := s.Hint(0, x, r, after(2*time.Second)); why != "" || !equalRecords(again, r) {
		t.Errorf("the hint again: %+v %s", again, why)
	}
	r, _ = s.Take(0, x, Answer{Picks: []int{0}}, r, after(2*time.Second))
	if got := s.Rules.Points(r); got != FullPoints*3/4 {
		t.Errorf("with a hint: %d points", got)
	}
	given, _ := s.Take(0, x, Answer{Picks: []int{0}}, Record{}, after(time.Second))
	if _, why := s.Hint(0, x, given, after(2*time.Second)); why != TooLate {
		t.Errorf("a hint after the answer: %s", why)
	}
	x.Hint = content.Text{}
	if _, why := s.Hint(0, x, Record{}, after(time.Second)); why != NoHint {
		t.Errorf("an item without a hint: %s", why)
	}
	s.Rules.Hints = false
	if _, why := s.Hint(0, x, Record{}, after(time.Second)); why != NoHints {
		t.Errorf("rules without hints: %s", why)
	}
}

func TestPointsFade(t *testing.T) {
	r := Rules{Mode: Race, Time: 20}
	for took, want := range map[int]int{0: 1000, 5000: 1000, 12500: 750, 20000: 500, 30000: 500} {
		if got := r.Points(Record{At: 1, Credit: 1, Took: took}); got != want {
			t.Errorf("after %d ms: %d points, want %d", took, got, want)
		}
	}
	if got := r.Points(Record{At: 1, Credit: 0.5, Took: 12500}); got != 375 {
		t.Errorf("half of the credit: %d points", got)
	}
	if got := (Rules{Mode: Hosted, Time: 20}).Points(Record{At: 1, Credit: 1, Took: 19000}); got != 1000 {
		t.Errorf("time counts where the teacher paces: %d points", got)
	}
	if got := r.Points(Record{Credit: 1}); got != 0 {
		t.Errorf("nothing answered: %d points", got)
	}
	for streak, want := range map[int]int{0: 0, 1: 0, 2: 50, 6: 250, 9: 250} {
		if got := r.Bonus(streak); got != want {
			t.Errorf("streak %d: %d", streak, got)
		}
	}
}

func TestTheScoreboard(t *testing.T) {
	s := &Session{Rules: Rules{Mode: Race, Time: 20}, Items: []string{"x", "y", "z"}, Question: 2, Phase: Revealed}
	good := func(person string, q, took int) Record {
		return Record{Person: person, Question: q, At: 1, Took: took, Right: true, Credit: 1}
	}
	bad := func(person string, q int) Record { return Record{Person: person, Question: q, At: 1, Took: 9000} }
	records := []Record{
		good("zoe", 0, 1000), good("zoe", 1, 3000), good("zoe", 2, 2000), // 3000 + 50 + 100
		good("abe", 2, 1000), good("abe", 0, 1000), bad("abe", 1), // 2000
		good("bea", 0, 1000), good("bea", 1, 1000), // 2000 + 50; then missed
		good("cid", 0, 1000), good("cid", 2, 500), // 2000: missed one between
		{Person: "dan", Hint: true},
	}
	board := s.Board(records, func(p string) string {
		if p == "zoe" {
			return "Zoé"
		}
		return ""
	})
	want := []Standing{
		{Rank: 1, Person: "zoe", Name: "Zoé", Points: 3150, Answered: 3, Right: 3, Credit: 3, Streak: 3, Longest: 3, Median: 2000},
		{Rank: 2, Person: "bea", Points: 2050, Answered: 2, Right: 2, Credit: 2, Streak: 0, Longest: 2, Median: 1000},
		{Rank: 3, Person: "cid", Points: 2000, Answered: 2, Right: 2, Credit: 2, Streak: 1, Longest: 1, Median: 750},
		{Rank: 3, Person: "abe", Points: 2000, Answered: 3, Right: 2, Credit: 2, Streak: 1, Longest: 1, Median: 1000},
	}
	if !slices.Equal(board, want) {
		t.Errorf("board\n%+v\nwant\n%+v", board, want)
	}
	if s.Board(nil, nil) != nil {
		t.Error("nobody has a place")
	}
	s.Phase, s.Question = Open, 2
	if b := s.Board(records[6:8], nil); b[0].Streak != 2 {
		t.Errorf("the streak of somebody who may still answer: %+v", b[0])
	}
}

func TestATeacherPaces(t *testing.T) {
	r := Usual(Hosted)
	s := Begin("h", r, 1, []string{"x", "y"}, start)
	if s.Advance(after(time.Hour)) || !s.Next().IsZero() || s.Phase != Lobby {
		t.Fatalf("the lobby does not wait: %+v", s)
	}
	for _, tt := range []struct {
		move Move
		can  bool
		want Phase
	}{{Reveal, false, Lobby}, {GoOn, true, Open}, {GoOn, true, Revealed}, {Reveal, false, Revealed}, {GoOn, true, Open}, {Reveal, true, Revealed}, {GoOn, true, Over}, {GoOn, false, Over}, {Stop, false, Over}} {
		if can := s.Do(tt.move, after(time.Minute)); can != tt.can || s.Phase != tt.want {
			t.Fatalf("%s: %v %s, want %v %s", tt.move, can, s.Phase, tt.can, tt.want)
		}
	}
	if s.Question != 1 || !s.Next().IsZero() {
		t.Errorf("at the end: %+v", s)
	}
}

// TestNothingIsMissedWhileNobodyLooks: after an hour without a call the open question is
// closed, and the next one has its whole time.
func TestNothingIsMissedWhileNobodyLooks(t *testing.T) {
	s := race(true)
	late := after(time.Hour)
	if !s.Advance(late) || s.Phase != Revealed || s.Question != 0 {
		t.Fatalf("after an hour: %+v", s)
	}
	if s.Advance(late) || !s.Next().Equal(late.Add(15*time.Second)) {
		t.Fatalf("the reveal is seen: %+v", s)
	}
	later := late.Add(2 * time.Hour)
	if !s.Advance(later) || s.Phase != Open || s.Question != 1 || !s.Next().Equal(later.Add(20*time.Second)) {
		t.Errorf("the next question: %+v", s)
	}
}

func TestAnExamIsEachPersonsOwn(t *testing.T) {
	var items []string
	for i := range 12 {
		items = append(items, fmt.Sprint("q", i))
	}
	s := Begin("e", Usual(Exam), 5, items, start)
	s.Advance(start)
	if slices.Equal(s.Sequence("a"), s.Sequence("b")) || !slices.Equal(s.Sequence("a"), s.Sequence("a")) || s.SeedOf(3, "a") == s.SeedOf(3, "b") {
		t.Error("two people meet the same exam")
	}
	sorted := slices.Sorted(slices.Values(s.Sequence("a")))
	for i, n := range sorted {
		if i != n {
			t.Fatalf("a question is missing: %v", sorted)
		}
	}
	if _, why := s.Take(11, choiceItem("q11"), Answer{Picks: []int{0}}, Record{}, after(time.Minute)); why != "" {
		t.Errorf("any question, at any time: %s", why)
	}
	s.Advance(after(30*time.Minute + 5*time.Second))
	if s.Phase != Over || s.Rules.Mode.Feedback() != AtEnd {
		t.Errorf("after the deadline: %+v", s)
	}
	race := Begin("r", Usual(Race), 5, items, start)
	if !slices.Equal(race.Sequence("a"), race.Sequence("b")) || race.SeedOf(3, "a") != race.SeedOf(3, "b") {
		t.Error("two people meet different races")
	}
}

func TestRulesHaveBounds(t *testing.T) {
	for _, m := range Modes() {
		r := Usual(m)
		for _, b := range Bounds(m) {
			if err := r.Set(b.Option, b.Usual); err != nil {
				t.Errorf("%s: the usual %s: %v", m, b.Option, err)
			}
			for _, v := range []int{b.Least, b.Most} {
				if err := r.Set(b.Option, v); err != nil {
					t.Errorf("%s: %s %d: %v", m, b.Option, v, err)
				}
			}
			for _, v := range []int{b.Least - 1, b.Most + 1} {
				if err := r.Set(b.Option, v); err == nil && !(v == 0 && b.Endless) {
					t.Errorf("%s: %s may be %d", m, b.Option, v)
				}
			}
		}
		if err := r.Set("nothing", 1); err == nil {
			t.Errorf("%s has an option that nobody knows", m)
		}
	}
	r := Usual(Hosted)
	if err := r.Set(OptTime, 0); err != nil || r.Time != 0 {
		t.Errorf("no limit where the teacher paces: %v", err)
	}
}

func TestASessionIsPlainData(t *testing.T) {
	s := race(true)
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again Session
	if err := json.Unmarshal(b, &again); err != nil || fmt.Sprint(again) != fmt.Sprint(*s) {
		t.Errorf("%s is read as %+v (%v)", b, again, err)
	}
	r, _ := s.Take(0, choiceItem("x"), Answer{Picks: []int{0}}, Record{Person: "somebody"}, after(time.Second))
	if b, _ := json.Marshal(r); len(b) > 100 {
		t.Errorf("a record of %d bytes: %s", len(b), b)
	}
}

// An order or pairs have half as much time again, and their points fade that much slower; not in an
// exam, whose time is one.
func TestLongQuestionsHaveMoreTime(t *testing.T) {
	r := Usual(Race)
	r.Time, r.Lobby = 30, 0
	s := Begin("s", r, 1, []string{"a", "b"}, start)
	s.Long = []int{1}
	s.Advance(start)
	if got := s.Closes.Time().Sub(s.Opened.Time()); got != 30*time.Second {
		t.Errorf("the first has %s", got)
	}
	s.Do(Reveal, start)
	s.Do(GoOn, start)
	if got := s.Closes.Time().Sub(s.Opened.Time()); got != 45*time.Second {
		t.Errorf("the second has %s", got)
	}
	given := func(n, ms int) Record {
		return Record{Person: "p", Question: n, At: MomentOf(start), Took: ms, Right: true, Credit: 1}
	}
	for _, c := range []struct{ question, ms, points int }{{0, 30000, 500}, {1, 45000, 500}, {1, 11250, 1000}} {
		if got := s.Board([]Record{given(c.question, c.ms)}, nil)[0].Points; got != c.points {
			t.Errorf("question %d after %d ms: %d points, want %d", c.question, c.ms, got, c.points)
		}
	}
	e := Begin("e", Usual(Exam), 1, []string{"a"}, start)
	e.Long = []int{0}
	e.Advance(start)
	if got := e.Closes.Time().Sub(e.Opened.Time()); got != 30*time.Minute {
		t.Errorf("the exam has %s", got)
	}
}
