package quiz

import (
	"cmp"
	"slices"

	"timonier/content"
)

// Report is what the answers of a class say.
type Report struct {
	Learners       []LearnerResult // by person
	Items          []ItemResult    // by ID
	Objectives     []ObjectiveResult
	Misconceptions []Spread // the most spread first
	Answers        int
	Credit         float64 // mean; 0 of none
}

// LearnerResult is one person's grade.
type LearnerResult struct {
	Person   string
	Answered int
	Right    int
	Credit   float64 // sum
	Grade    float64 // Credit / Answered
}

// ItemResult is how one item did.
type ItemResult struct {
	Item     *content.Item
	Answered int
	Right    int
	Ease     float64 // p: the mean credit; low is hard
	// Discrimination is the point-biserial correlation of right or not with the rest score,
	// −1..1; Known false where it is not defined: everybody or nobody right, or fewer than
	// LeastForDiscrimination answers.
	Discrimination float64
	Known          bool
	Chosen         []Tally // what was answered, most first
	Top            string  // the misconception most shown; "" where none was
	TopCount       int     // learners who showed it here
}

// Tally is how often something was answered.
type Tally struct {
	Own   int    // the option's number from 0; -1 for an answer that is no option
	Text  string // the answer where it is no option: "40", "kubelet", "3 1 2"
	Right bool
	Count int
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
	Learners      int
	Answers       int
}

// LeastForDiscrimination is how many answers an item's discrimination needs.
const LeastForDiscrimination = 5

// ReportOn reports on answers, of any sessions. Records without an answer do not count, nor
// those of items that item does not know; each record's Person is set.
func ReportOn(records []Record, item func(id string) (*content.Item, bool)) Report {
	var r Report
	for _, rec := range records {
		if _, ok := item(rec.Item); !ok || !rec.Given() {
			continue
		}
		r.Answers++
		r.Credit += rec.Credit
		i, ok := slices.BinarySearchFunc(r.Learners, rec.Person, func(l LearnerResult, p string) int { return cmp.Compare(l.Person, p) })
		if !ok {
			r.Learners = slices.Insert(r.Learners, i, LearnerResult{Person: rec.Person})
		}
		l := &r.Learners[i]
		l.Answered++
		l.Credit += rec.Credit
		if rec.Right {
			l.Right++
		}
		l.Grade = l.Credit / float64(l.Answered)
	}
	if r.Answers > 0 {
		r.Credit /= float64(r.Answers)
	}
	return r
}
