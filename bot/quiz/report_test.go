package quiz

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"timonier/content"
)

// class is a simulated class on the built-in bank: learners of known skill answer as a
// two-parameter logistic model has it, and some hold a misconception.
type class struct {
	course     *content.Course
	skill      []float64 // of each learner
	difficulty map[string]float64
	sharpness  map[string]float64
	holders    map[string]bool // persons who hold the planted misconception
	planted    string
}

const classSize, classAnswers = 30, 2000

func newClass(course *content.Course, planted string, seed uint64) *class {
	c := &class{course: course, difficulty: map[string]float64{}, sharpness: map[string]float64{}, holders: map[string]bool{}, planted: planted}
	d := dice(seed)
	for i := range classSize {
		c.skill = append(c.skill, -2+4*float64(i)/(classSize-1))
		if i%2 == 0 || i%5 == 0 { // half of them, of all skills
			c.holders[learnerName(i)] = true
		}
	}
	for _, i := range course.Bank().Items {
		c.difficulty[i.ID], c.sharpness[i.ID] = d.NormFloat64()-1, 0.8+1.2*d.Float64()
	}
	return c
}

func learnerName(i int) string { return fmt.Sprintf("u%02d", i) }

// exam are the items that the class is asked: those that can show what was planted among them.
func (c *class) exam(seed uint64) []*content.Item {
	const asked = (classAnswers + classSize - 1) / classSize
	var about, other []*content.Item
	for _, i := range c.course.Bank().Items {
		if slices.Contains(Misconceptions(i), c.planted) {
			about = append(about, i)
		} else {
			other = append(other, i)
		}
	}
	return append(about, Choose(other, Wish{Count: asked - len(about)}, seed)...)
}

// answers are what the class answers in an exam, each in an order of their own: 2,000 in all.
func (c *class) answers(t *testing.T, seed uint64) []Record {
	t.Helper()
	d := dice(seed)
	items := c.exam(seed)
	s := Begin("e1", Usual(Exam), seed, ids(items), start)
	s.Advance(start)
	var records []Record
	for n := range classAnswers {
		who, turn := n%classSize, n/classSize
		person := learnerName(who)
		question := s.Sequence(person)[turn]
		item := items[question]
		a := rightOf(item)
		holds := c.holders[person] && slices.Contains(Misconceptions(item), c.planted) && d.Float64() < 0.9
		knows := 1 / (1 + math.Exp(-c.sharpness[item.ID]*(c.skill[who]-c.difficulty[item.ID])))
		switch {
		case holds:
			a = wrong(item, d, c.planted)
		case d.Float64() > knows:
			a = wrong(item, d, "")
		}
		r, refusal := s.Take(question, item, a, Record{Person: person}, after(time.Duration(n)*time.Second/2))
		if refusal != "" {
			t.Fatalf("an answer is refused: %s", refusal)
		}
		records = append(records, r)
	}
	d.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	return records
}

func ids(items []*content.Item) (out []string) {
	for _, i := range items {
		out = append(out, i.ID)
	}
	return out
}

// wrong is a wrong answer: that of a misconception, or any that the item knows.
func wrong(item *content.Item, d *rand.Rand, is string) Answer {
	var notes []Note
	for _, n := range Explain(item) {
		if !n.Right && (is == "" || n.Is == is) {
			notes = append(notes, n)
		}
	}
	n := notes[d.IntN(len(notes))]
	if item.Kind.Chosen() {
		return Answer{Picks: []int{n.Own}}
	}
	if is == "" && d.Float64() < 0.7 { // most of what is typed wrong is nothing that was foreseen
		return Answer{}
	}
	a, trap := rightOf(item), item.Traps[n.Own]
	switch item.Kind {
	case content.Number:
		a.Number = trap.Number
	case content.Fill:
		a.Text = trap.Answers.In(content.FR)[0]
	case content.Order:
		first, second := trap.Before[0]-1, trap.Before[1]-1
		a.Picks[first], a.Picks[second] = a.Picks[second], a.Picks[first]
	case content.Match:
		left, right := trap.Pair[0]-1, trap.Pair[1]-1
		if right < len(a.Picks) {
			a.Picks[right] = a.Picks[left]
		}
		a.Picks[left] = right
	}
	return a
}

// widespread are the misconceptions that so many items at least can show.
func widespread(course *content.Course, items int) (out []string) {
	for _, m := range course.Bank().Misconceptions {
		n := 0
		for _, i := range course.Bank().Items {
			if slices.Contains(Misconceptions(i), m.ID) {
				n++
			}
		}
		if n >= items {
			out = append(out, m.ID)
		}
	}
	return out
}

// place is where the report has what was planted, 0 for the first; far behind where nobody showed it.
func (c *class) place(r Report) int {
	if i := slices.IndexFunc(r.Misconceptions, func(s Spread) bool { return s.Misconception == c.planted }); i >= 0 {
		return i
	}
	return math.MaxInt
}

// TestTheReportFindsWhatAClassBelieves plants each of the misconceptions that three items or
// more can show, in a class of its own.
func TestTheReportFindsWhatAClassBelieves(t *testing.T) {
	course, err := content.Load(content.Files())
	if err != nil {
		t.Fatal(err)
	}
	planted := widespread(course, 3)
	first, byChance, ease := 0, 0, 0.0
	for i, id := range planted {
		c := newClass(course, id, uint64(i))
		r := ReportOn(c.answers(t, uint64(i)), course.Item)
		place := c.place(r)
		if place == 0 {
			first++
		}
		if r.Answers != classAnswers || place > 2 {
			t.Errorf("%s, held by 18 of 30, is in place %d of %d; before it %+v", id, place+1, len(r.Misconceptions), r.Misconceptions[0])
		}
		var observed, difficulty, grades []float64
		for _, it := range r.Items {
			if slices.Contains(Misconceptions(it.Item), id) {
				continue // harder than it is by itself: that is what was planted
			}
			observed, difficulty = append(observed, it.Ease), append(difficulty, c.difficulty[it.Item.ID])
		}
		for _, l := range r.Learners {
			grades = append(grades, l.Grade)
		}
		if e, g := correlation(observed, difficulty), correlation(grades, c.skill); e > -0.65 || g < 0.9 {
			t.Errorf("%s: ease with difficulty %.2f, grade with skill %.2f", id, e, g)
		} else {
			ease += e / float64(len(planted))
		}
		clear(c.holders)
		if c.place(ReportOn(c.answers(t, uint64(i)), course.Item)) == 0 {
			byChance++
		}
	}
	t.Logf("of %d planted, %d are found first; without planting %d are; ease correlates with difficulty %.2f", len(planted), first, byChance, ease)
	if 10*first < 9*len(planted) || 10*byChance > 2*len(planted) || ease > -0.75 || len(planted) < 10 {
		t.Errorf("of %d planted, %d are found first; %d of those that were not; ease correlates with difficulty %.2f", len(planted), first, byChance, ease)
	}
}

// TestDiscriminationIsThePointBiserial compares with Pearson's correlation, which it is.
func TestDiscriminationIsThePointBiserial(t *testing.T) {
	items := map[string]*content.Item{"x": choiceItem("x"), "y": choiceItem("y"), "z": choiceItem("z")}
	d := dice(4)
	var records []Record
	var right, rest []float64
	for i := range 40 {
		skill, sum := d.Float64(), 0.0
		for n, id := range []string{"x", "y", "z"} {
			r := Record{Person: fmt.Sprint(i), Question: n, Item: id, At: 1, Right: d.Float64() < skill}
			if r.Right {
				r.Credit = 1
			}
			records = append(records, r)
			if id != "x" {
				sum += r.Credit
			} else {
				right = append(right, r.Credit)
			}
		}
		rest = append(rest, sum/2)
	}
	r := ReportOn(records, func(id string) (*content.Item, bool) { i, ok := items[id]; return i, ok })
	if x := r.Items[0]; !x.Known || math.Abs(x.Discrimination-correlation(right, rest)) > 1e-9 || x.Discrimination < 0.1 {
		t.Errorf("discrimination %v, want %v", x.Discrimination, correlation(right, rest))
	}
	if r := ReportOn(records[:9], func(id string) (*content.Item, bool) { i, ok := items[id]; return i, ok }); r.Items[0].Known {
		t.Error("three answers say how an item discriminates")
	}
}

func TestAReportOfFewAnswers(t *testing.T) {
	x, y := choiceItem("2.1-x"), choiceItem("2.1-y")
	x.Objective, y.Objective = "architecture", "architecture"
	find := func(id string) (*content.Item, bool) {
		switch id {
		case x.ID:
			return x, true
		case y.ID:
			return y, true
		}
		return nil, false
	}
	wrong := Record{Item: x.ID, At: 1, Answer: Answer{Picks: []int{1}}, Is: []string{"etcd-decides"}}
	right := Record{Item: x.ID, At: 1, Answer: Answer{Picks: []int{0}}, Right: true, Credit: 1}
	by := func(r Record, person, item string) Record { r.Person, r.Item = person, item; return r }
	r := ReportOn([]Record{
		by(wrong, "b", y.ID), by(wrong, "a", x.ID), by(right, "a", y.ID), by(wrong, "b", x.ID), by(right, "c", x.ID),
		{Person: "d", Item: x.ID, Hint: true}, by(right, "c", "gone"),
	}, find)
	if r.Answers != 5 || math.Abs(r.Credit-0.4) > 1e-9 || len(r.Learners) != 3 || r.Learners[0] != (LearnerResult{Person: "a", Answered: 2, Right: 1, Credit: 1, Grade: 0.5}) {
		t.Errorf("report %+v", r)
	}
	if i := r.Items[0]; i.Item != x || i.Answered != 3 || i.Top != "etcd-decides" || i.TopLearners != 2 || math.Abs(i.Ease-1.0/3) > 1e-9 || i.Chosen[0] != (Tally{Own: 1, Count: 2}) || i.Flaw() != NoFlaw {
		t.Errorf("item %+v", i)
	}
	if o := r.Objectives; len(o) != 1 || o[0].Items != 2 || o[0].Answered != 5 || math.Abs(o[0].Ease-0.4) > 1e-9 {
		t.Errorf("objectives %+v", o)
	}
	if m := r.Misconceptions; len(m) != 1 || m[0] != (Spread{Misconception: "etcd-decides", Learners: 2, Firm: 1, Ever: 2, Answers: 3, Share: 0.6}) {
		t.Errorf("misconceptions %+v", m)
	}
	if r := ReportOn(nil, find); r.Answers != 0 || r.Credit != 0 || len(r.Items)+len(r.Learners)+len(r.Misconceptions) != 0 {
		t.Errorf("report on nothing: %+v", r)
	}
}

func TestFlaws(t *testing.T) {
	item, good := choiceItem("x"), []Tally{{Own: 0, Right: true, Count: 9}}
	for _, tt := range []struct {
		r    ItemResult
		want Flaw
	}{
		{ItemResult{Answered: 9, Ease: 0, Chosen: good}, NoFlaw},
		{ItemResult{Answered: 30, Ease: 0.6, Chosen: good, Discrimination: 0.4, Known: true}, NoFlaw},
		{ItemResult{Answered: 30, Ease: 0.6, Chosen: good, Discrimination: -0.1, Known: true}, Misleads},
		{ItemResult{Answered: 30, Ease: 0.4, Chosen: []Tally{{Own: 1, Count: 18}, {Right: true, Count: 12}}}, Tempting},
		{ItemResult{Answered: 30, Ease: 0.2, Chosen: good}, TooHard},
		{ItemResult{Answered: 30, Ease: 0.97, Chosen: good}, TooEasy},
		{ItemResult{Answered: 30, Ease: 0.6, Chosen: good, Discrimination: 0.05, Known: true}, SaysLittle},
	} {
		tt.r.Item = item
		if got := tt.r.Flaw(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.r, got, tt.want)
		}
	}
}

func TestDistributions(t *testing.T) {
	given := func(a Answer) Record { return Record{At: 1, Answer: a} }
	number := itemOf(t, "number")
	got := Distribution(number, []Record{given(Answer{Number: ptr(40)}), given(Answer{Number: ptr(50)}), given(Answer{Number: ptr(40)}), {}})
	if want := []Tally{{Own: -1, Text: "40", Count: 2}, {Own: -1, Text: "50", Right: true, Count: 1}}; !slices.Equal(got, want) {
		t.Errorf("numbers %+v", got)
	}
	got = Distribution(itemOf(t, "blank"), []Record{given(Answer{Text: "Le planificateur"}), given(Answer{Text: "planificateur"}), given(Answer{Text: "etcd"})})
	if want := []Tally{{Own: -1, Text: "Le planificateur", Right: true, Count: 2}, {Own: -1, Text: "etcd", Count: 1}}; !slices.Equal(got, want) {
		t.Errorf("words %+v", got)
	}
	got = Distribution(itemOf(t, "order"), []Record{given(Answer{Picks: []int{0, 2, 1, 3}}), given(Answer{Picks: []int{0}})})
	if want := []Tally{{Own: 0, Right: true, Count: 2}, {Own: 1, Right: true}, {Own: 2, Right: true}, {Own: 3, Right: true, Count: 1}}; !slices.Equal(got, want) {
		t.Errorf("places %+v", got)
	}
	got = Distribution(itemOf(t, "several"), []Record{given(Answer{Picks: []int{0, 3}}), given(Answer{Picks: []int{3, 77}})})
	if want := []Tally{{Own: 3, Count: 2}, {Own: 0, Right: true, Count: 1}, {Own: 1}, {Own: 2, Right: true}}; !slices.Equal(got, want) {
		t.Errorf("options %+v", got)
	}
}

func correlation(a, b []float64) float64 {
	var ma, mb, ab, aa, bb float64
	for i := range a {
		ma += a[i] / float64(len(a))
		mb += b[i] / float64(len(b))
	}
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}
