package quiz

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"timonier/content"
)

// Report is what the answers of a class say.
type Report struct {
	Answers        int
	Credit         float64           // mean; 0 of none
	Learners       []LearnerResult   // by person
	Items          []ItemResult      // by ID
	Objectives     []ObjectiveResult // by ID; the items without one apart
	Misconceptions []Spread          // the most spread first, see Spread
}

// LearnerResult is one person's grade.
type LearnerResult struct {
	Person   string
	Answered int
	Right    int
	Credit   float64 // sum
	Grade    float64 // Credit / Answered, 0..1: of what was answered
}

// ItemResult is how one item did.
type ItemResult struct {
	Item     *content.Item
	Answered int
	Right    int
	Ease     float64 // p, the difficulty observed: the mean credit, 0 (nobody) to 1 (everybody)
	// Discrimination says whether those who know the rest know this one, −1..1; see discriminate.
	// It is Known only with LeastAnswers of people with other answers, and where some were right
	// and some were not.
	Discrimination float64
	Known          bool
	Chosen         []Tally // see Distribution
	Top            string  // the misconception that most learners showed here; "" where none did
	TopLearners    int
}

// ObjectiveResult is how an objective's items did together.
type ObjectiveResult struct {
	Objective string
	Items     int
	Answered  int
	Ease      float64 // mean credit
}

// Spread is how far a misconception is spread.
type Spread struct {
	Misconception string
	// Learners are those who showed it in at least half of their answers to items in which it
	// could be shown. Who stumbled into it once among many occasions is not one of them: else
	// what many items offer would always come first.
	Learners int
	Firm     int     // those of them who showed it more than once
	Ever     int     // who showed it at least once
	Answers  int     // that showed it
	Share    float64 // of the answers to items in which it could be shown
}

// weight is what the misconceptions are ranked by: a learner who showed it once only counts half
// of one who showed it again, for it may have been a guess.
func (s Spread) weight() int { return s.Learners + s.Firm }

// LeastAnswers is how many answers it takes to judge an item by them.
const LeastAnswers = 10

// Flaw is why an item needs a look.
type Flaw string

// The flaws, the gravest first.
const (
	NoFlaw     Flaw = ""
	Misleads   Flaw = "misleads" // those who know the rest get it wrong: a fault in it, or a wrong key (discrimination < 0)
	Tempting   Flaw = "tempting" // a wrong option is chosen more often than the right one
	TooHard    Flaw = "hard"     // ease < 0.25
	TooEasy    Flaw = "easy"     // ease > 0.95
	SaysLittle Flaw = "flat"     // discrimination < 0.1: it does not tell who knows
)

// Flaw is the gravest that an item's answers show; none with fewer than LeastAnswers.
func (r ItemResult) Flaw() Flaw {
	switch {
	case r.Answered < LeastAnswers:
		return NoFlaw
	case r.Known && r.Discrimination < 0:
		return Misleads
	case r.Item.Kind.Chosen() && len(r.Chosen) > 0 && !r.Chosen[0].Right:
		return Tempting
	case r.Ease < 0.25:
		return TooHard
	case r.Ease > 0.95:
		return TooEasy
	case r.Known && r.Discrimination < 0.1:
		return SaysLittle
	}
	return NoFlaw
}

// ReportOn reports on answers, of any sessions together. Records without an answer do not
// count, nor those of an item that is not known any more. Each record's Person is set; records
// may come in any order.
func ReportOn(records []Record, item func(id string) (*content.Item, bool)) Report {
	known := map[string]*content.Item{}
	var all []Record
	for _, rec := range records {
		if _, asked := known[rec.Item]; !asked {
			known[rec.Item], _ = item(rec.Item)
		}
		if known[rec.Item] != nil && rec.Given() {
			all = append(all, rec)
		}
	}
	slices.SortStableFunc(all, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Person, b.Person), cmp.Compare(a.At, b.At))
	})
	r := Report{Answers: len(all), Learners: learners(all)}
	for _, l := range r.Learners {
		r.Credit += l.Credit
	}
	r.Credit /= max(1, float64(len(all)))
	for records := range runs(all, func(r Record) string { return r.Item }) {
		r.Items = append(r.Items, r.item(known[records[0].Item], records))
	}
	r.Objectives = objectives(r.Items)
	r.Misconceptions = spreads(all, known)
	return r
}

// runs are the stretches of a sorted slice that have the same key.
func runs[T any](s []T, key func(T) string) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(s) > 0 {
			n := 1
			for n < len(s) && key(s[n]) == key(s[0]) {
				n++
			}
			if !yield(s[:n]) {
				return
			}
			s = s[n:]
		}
	}
}

func learners(records []Record) []LearnerResult {
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b Record) int { return cmp.Compare(a.Person, b.Person) })
	var out []LearnerResult
	for own := range runs(records, func(r Record) string { return r.Person }) {
		l := LearnerResult{Person: own[0].Person, Answered: len(own)}
		for _, r := range own {
			l.Credit += r.Credit
			if r.Right {
				l.Right++
			}
		}
		l.Grade = l.Credit / float64(l.Answered)
		out = append(out, l)
	}
	return out
}

// item reports on one item's answers, which are in the order of the people.
func (r *Report) item(item *content.Item, records []Record) ItemResult {
	out := ItemResult{Item: item, Answered: len(records), Chosen: Distribution(item, records)}
	for _, rec := range records {
		out.Ease += rec.Credit / float64(len(records))
		if rec.Right {
			out.Right++
		}
	}
	out.Discrimination, out.Known = r.discriminate(records)
	if shown := spreads(records, map[string]*content.Item{item.ID: item}); len(shown) > 0 {
		out.Top, out.TopLearners = shown[0].Misconception, shown[0].Learners
	}
	return out
}

// discriminate is the point-biserial correlation of right or not with the rest score, which is
// the same person's mean credit over all answers to other items:
//
//	r = (M₁ − M₀)/s × √(pq)
//
// where M₁ and M₀ are the mean rest scores of those who were right and those who were not, s
// the standard deviation of all of them, p the share of the right ones and q = 1 − p. Lord and
// Novick, Statistical Theories of Mental Test Scores (1968), ch. 15.5; that the item itself is
// left out of the score is Henrysson's correction (Psychometrika 28, 1963): else an item would
// correlate with itself.
func (r *Report) discriminate(records []Record) (float64, bool) {
	var rest []float64
	var right []bool
	for own := range runs(records, func(r Record) string { return r.Person }) {
		at, _ := slices.BinarySearchFunc(r.Learners, own[0].Person, func(l LearnerResult, p string) int { return cmp.Compare(l.Person, p) })
		l := r.Learners[at]
		credit := 0.0
		for _, rec := range own {
			credit += rec.Credit
		}
		if others := l.Answered - len(own); others > 0 {
			for _, rec := range own {
				rest, right = append(rest, (l.Credit-credit)/float64(others)), append(right, rec.Right)
			}
		}
	}
	n := float64(len(rest))
	var mean, square, ones, m1, m0 float64
	for i, score := range rest {
		mean += score / n
		if right[i] {
			ones++
			m1 += score
		} else {
			m0 += score
		}
	}
	for _, score := range rest {
		square += (score - mean) * (score - mean) / n
	}
	if len(rest) < LeastAnswers || ones == 0 || ones == n || square < 1e-12 {
		return 0, false
	}
	p := ones / n
	return (m1/ones - m0/(n-ones)) / math.Sqrt(square) * math.Sqrt(p*(1-p)), true
}

func objectives(items []ItemResult) []ObjectiveResult {
	var out []ObjectiveResult
	for _, i := range items {
		id := i.Item.Objective
		if id == "" {
			continue
		}
		at, ok := slices.BinarySearchFunc(out, id, func(o ObjectiveResult, id string) int { return cmp.Compare(o.Objective, id) })
		if !ok {
			out = slices.Insert(out, at, ObjectiveResult{Objective: id})
		}
		o := &out[at]
		o.Items++
		o.Ease += i.Ease * float64(i.Answered) // a sum, until below
		o.Answered += i.Answered
	}
	for i := range out {
		out[i].Ease /= float64(out[i].Answered)
	}
	return out
}

// spreads ranks the misconceptions that answers show: by how many learners, those who showed it
// once counting half, then by the share of the answers in which they could be shown.
func spreads(records []Record, items map[string]*content.Item) []Spread {
	type occasion struct {
		id, person string
		shown      bool
	}
	var all []occasion
	for _, r := range records {
		could := Misconceptions(items[r.Item])
		for _, id := range r.Is {
			if !slices.Contains(could, id) { // the item has been changed since
				could = append(could, id)
			}
		}
		for _, id := range could {
			all = append(all, occasion{id, r.Person, slices.Contains(r.Is, id)})
		}
	}
	slices.SortFunc(all, func(a, b occasion) int {
		return cmp.Or(strings.Compare(a.id, b.id), strings.Compare(a.person, b.person))
	})
	var out []Spread
	for could := range runs(all, func(o occasion) string { return o.id }) {
		s := Spread{Misconception: could[0].id}
		for own := range runs(could, func(o occasion) string { return o.person }) {
			shown := 0
			for _, o := range own {
				if o.shown {
					shown++
				}
			}
			s.Answers += shown
			if shown > 0 {
				s.Ever++
			}
			if shown > 0 && 2*shown >= len(own) {
				s.Learners++
				if shown > 1 {
					s.Firm++
				}
			}
		}
		if s.Share = float64(s.Answers) / float64(len(could)); s.Answers > 0 {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Spread) int {
		return cmp.Or(cmp.Compare(b.weight(), a.weight()), cmp.Compare(b.Share, a.Share), cmp.Compare(b.Answers, a.Answers))
	})
	return out
}

// Misconceptions are those that answers to an item can show, each once.
func Misconceptions(item *content.Item) []string {
	var out []string
	for _, n := range Explain(item) {
		if n.Is != "" && !slices.Contains(out, n.Is) {
			out = append(out, n.Is)
		}
	}
	return out
}
