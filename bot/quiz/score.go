package quiz

import (
	"cmp"
	"slices"
)

// What answers are worth.
const (
	FullPoints  = 1000
	LeastPoints = FullPoints / 2
	fullShare   = 4   // points are full during this fraction (a quarter) of the time
	streakBonus = 50  // for each right answer in a row after the first
	streakMost  = 250 // a question, at most
	hintCost    = 4   // a hint costs this fraction (a quarter) of a question's points
)

// Points is what an answer is worth under the rules, the bonus for a streak apart.
//
// In a race: full points within the first quarter of the time, then falling linearly to half of
// them at its end; late answers count half. Of this the share that the answer's credit is; a
// hint costs a quarter of it. In the other modes time does not count: credit × full points, less
// the hint, and half of it where late.
func (r Rules) Points(rec Record) int {
	if !rec.Given() || rec.Credit <= 0 {
		return 0
	}
	points := float64(FullPoints)
	total := float64(r.Time) * 1000
	full := total / fullShare
	switch took := float64(rec.Took); {
	case rec.Late:
		points = LeastPoints
	case r.Mode == Race && total > 0 && took > full:
		points -= (FullPoints - LeastPoints) * min(1, (took-full)/(total-full))
	}
	points *= rec.Credit
	if rec.Hint {
		points -= points / hintCost
	}
	return int(points + 0.5)
}

// Bonus is what a right answer is worth in a race besides, as the streak-th in a row (1: the first).
func (r Rules) Bonus(streak int) int {
	if r.Mode != Race {
		return 0
	}
	return min(streakMost, max(0, streak-1)*streakBonus)
}

// Standing is one person's place on the scoreboard.
type Standing struct {
	Rank     int // those with the same points share one; the next is as many further on
	Person   string
	Name     string // empty: did not agree to be named
	Points   int
	Answered int
	Right    int
	Credit   float64 // sum
	Streak   int     // right ones in a row, up to the last question asked
	Longest  int
	Median   int // milliseconds that an answer took; in an exam from the one before
}

// Board is the scoreboard: everybody who answered, best first; of those with the same points
// whoever had more right, then who was quicker, then by ID, without another rank. name gives
// the name of those who agreed to be named, "" for the others; it may be nil.
func (s *Session) Board(records []Record, name func(person string) string) []Standing {
	records = slices.Clone(records)
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Question, b.Question))
	})
	var board []Standing
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].Person == records[0].Person {
			n++
		}
		if st := s.standing(records[:n]); st.Answered > 0 {
			if name != nil {
				st.Name = name(st.Person)
			}
			board = append(board, st)
		}
		records = records[n:]
	}
	slices.SortFunc(board, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(b.Points, a.Points), cmp.Compare(b.Right, a.Right), cmp.Compare(a.Median, b.Median), cmp.Compare(a.Person, b.Person))
	})
	for i := range board {
		board[i].Rank = i + 1
		if i > 0 && board[i].Points == board[i-1].Points {
			board[i].Rank = board[i-1].Rank
		}
	}
	return board
}

// standing sums up a person's records, which are in the order of the questions.
func (s *Session) standing(records []Record) Standing {
	st := Standing{Person: records[0].Person}
	var took []int
	var given []Moment
	next := 0
	for _, r := range records {
		if r.Question != next { // one was missed
			st.Streak = 0
		}
		next = r.Question + 1
		if r.Given() {
			st.Answered++
			st.Credit += r.Credit
			took, given = append(took, r.Took), append(given, r.At)
		}
		if !r.Right {
			st.Streak = 0
		} else {
			st.Right++
			st.Streak++
			st.Longest = max(st.Longest, st.Streak)
			st.Points += s.Rules.Bonus(st.Streak)
		}
		rules := s.Rules
		rules.Time = s.timeOf(r.Question)
		st.Points += rules.Points(r)
	}
	if waits := s.Phase == Open || s.Phase == Late; next < s.Question || next == s.Question && !waits {
		st.Streak = 0 // the last one was missed
	}
	if s.Rules.Mode == Exam { // everybody at their own pace, in their own order: a streak means nothing
		st.Streak, st.Longest, took = 0, 0, gaps(s.Opened, given)
	}
	st.Median = median(took)
	return st
}

// gaps are the times from each moment to the next, in their order.
func gaps(from Moment, moments []Moment) []int {
	slices.Sort(moments)
	var out []int
	for _, m := range moments {
		out = append(out, int(max(0, m-from)))
		from = m
	}
	return out
}

// median is the middle of some numbers, of two middles their mean; 0 of none.
func median(n []int) int {
	if len(n) == 0 {
		return 0
	}
	n = slices.Sorted(slices.Values(n))
	return (n[(len(n)-1)/2] + n[len(n)/2]) / 2
}
