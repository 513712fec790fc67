package quiz

import (
	"slices"
	"time"

	"timonier/content"
)

// Phase is how far a session, and the question that it is at, have come.
type Phase string

// The phases, in their order. Revealed is followed by Open of the next question, or by Over.
const (
	Lobby    Phase = "lobby"    // announced; no question yet
	Open     Phase = "open"     // the question (of an exam: all of them) takes answers
	Late     Phase = "late"     // its time is up; an answer still counts, for the least points
	Revealed Phase = "revealed" // answers are shown, none is taken
	Over     Phase = "over"
)

// Session is a quiz in a place: its rules, what it asks, and where it is. It is plain data and
// encodes to compact JSON; the answers are no part of it, but Records apart, one a person and
// question.
//
// It changes only in Advance (time passes) and Do (somebody who may says so). Its clock is its
// caller's: a deadline that passed while nobody called ends the question at the next Advance,
// and the next question then has its whole time.
type Session struct {
	ID    string `json:"id"` // short, of a-z and 0-9
	Rules Rules  `json:"rules"`
	Seed  uint64 `json:"seed"`
	// Items are the IDs of what is asked, in order. A question's number is the index in it, for
	// an exam too, where each person meets them in an order of their own.
	Items []string `json:"items"`
	// Long are the numbers of the questions that have half as much time again: see Longer.
	Long []int `json:"long,omitempty"`

	Phase    Phase  `json:"phase"`
	Question int    `json:"question"`         // the number of the one it is at; of an exam always 0
	Began    Moment `json:"began"`            // when it was made
	Opened   Moment `json:"opened,omitempty"` // when the question (the exam) was opened
	Closes   Moment `json:"closes,omitempty"` // when its time is up; 0: when the teacher says so
	Turns    Moment `json:"turns,omitempty"`  // in the lobby and when revealed: when it goes on by itself; 0: when the teacher says so
	Ended    Moment `json:"ended,omitempty"`
}

// Begin makes a session in its lobby; where the rules give no time to one and the mode does not
// wait for the teacher, the first Advance opens it. There is at least one item.
func Begin(id string, r Rules, seed uint64, items []string, now time.Time) *Session {
	s := &Session{ID: id, Rules: r, Seed: seed, Items: slices.Clone(items), Phase: Lobby, Began: MomentOf(now)}
	if r.Mode != Hosted {
		s.Turns = s.Began.plus(r.Lobby)
	}
	return s
}

// Next is the next time at which something happens by itself: when Advance is to be called. The
// zero time: nothing does.
func (s *Session) Next() time.Time {
	switch s.Phase {
	case Lobby, Revealed:
		return s.Turns.Time()
	case Open:
		return s.Closes.Time()
	case Late:
		return s.Closes.plus(s.Rules.Late).Time()
	}
	return time.Time{}
}

// Advance does what is due, and says whether anything was. It opens at most one question: after
// a long absence nothing is missed. Where an exam's time is up it is over at once.
func (s *Session) Advance(now time.Time) bool {
	at, moved := MomentOf(now), false
	if s.Phase == Open && s.Closes != 0 && at >= s.Closes {
		s.Phase, moved = Late, true
	}
	if s.Phase == Late && at >= s.Closes.plus(s.Rules.Late) {
		s.reveal(at)
		return true
	}
	if (s.Phase == Lobby || s.Phase == Revealed) && s.Turns != 0 && at >= s.Turns {
		s.turn(at)
		return true
	}
	return moved
}

// Move is what somebody who leads the session does.
type Move string

// The moves.
const (
	GoOn   Move = "next"   // open the first or the next question; after the last: end
	Reveal Move = "reveal" // close the question now and show the answers
	Stop   Move = "end"    // end the session now
)

// Do makes a move, and says whether it was possible: GoOn while a question is open reveals it
// first, and opens the next at the next GoOn; nothing is possible once it is over.
func (s *Session) Do(m Move, now time.Time) bool {
	at := MomentOf(now)
	switch {
	case s.Phase == Over:
		return false
	case m == Stop:
		s.end(at)
	case m == GoOn && (s.Phase == Lobby || s.Phase == Revealed):
		s.turn(at)
	case (m == Reveal || m == GoOn) && (s.Phase == Open || s.Phase == Late):
		s.reveal(at)
	default:
		return false
	}
	return true
}

// Disclosed says that it is out what the answers to a question were worth: to whoever gave one, or to all.
func (s *Session) Disclosed(question int) bool {
	switch s.Rules.Mode.Feedback() {
	case AtOnce:
		return true
	case AtEnd:
		return s.Phase == Over
	}
	return s.Phase == Over || s.Question > question || s.Question == question && s.Phase == Revealed
}

// Last says that the question it is at is the last one.
func (s *Session) Last() bool { return s.Question >= len(s.Items)-1 }

// turn opens the first question or the next one, or ends.
func (s *Session) turn(at Moment) {
	if s.Phase == Revealed {
		if s.Last() {
			s.end(at)
			return
		}
		s.Question++
	}
	s.Phase, s.Opened, s.Closes, s.Turns = Open, at, 0, 0
	if t := s.timeOf(s.Question); t > 0 {
		s.Closes = at.plus(t)
	}
}

// timeOf is how many seconds a question has; of an exam, the whole. 0: no limit.
func (s *Session) timeOf(question int) int {
	if s.Rules.Mode != Exam && slices.Contains(s.Long, question) {
		return s.Rules.Time + s.Rules.Time/2
	}
	return s.Rules.Time
}

// Longer says that an item of a kind takes half as much time again: it is answered in several places.
func Longer(kind content.ItemKind) bool { return kind == content.Order || kind == content.Match }

func (s *Session) reveal(at Moment) {
	s.Phase, s.Turns = Revealed, 0
	switch s.Rules.Mode {
	case Exam, Daily: // there is nothing after it
		s.end(at)
	case Race:
		s.Turns = at.plus(s.Rules.Pause)
	}
}

func (s *Session) end(at Moment) { s.Phase, s.Turns, s.Ended = Over, 0, at }

// Sequence is the order in which a person meets the questions, by number: in an exam their
// own, else everybody's.
func (s *Session) Sequence(person string) []int {
	order := make([]int, len(s.Items))
	for i := range order {
		order[i] = i
	}
	if s.Rules.Mode == Exam {
		shuffle(order, mix(s.Seed, hash(person), 1))
	}
	return order
}

// SeedOf is what a question is Put with: in an exam a person's own, else everybody's.
func (s *Session) SeedOf(question int, person string) uint64 {
	if s.Rules.Mode != Exam {
		return mix(s.Seed, uint64(question))
	}
	return mix(s.Seed, uint64(question), hash(person))
}

// Record is what a person answered to a question of a session, one a (session, person,
// question); Person and Session are in its key, and the reader fills them in.
type Record struct {
	Session  string   `json:"-"`
	Person   string   `json:"-"`
	Question int      `json:"q"` // its number in the session
	Item     string   `json:"i"` // the item's ID
	Answer   Answer   `json:"a"`
	At       Moment   `json:"at,omitempty"` // when it was given; 0: a hint was asked for, nothing answered yet
	Took     int      `json:"ms,omitempty"` // milliseconds from the opening of the question, of the exam
	Right    bool     `json:"r,omitempty"`
	Credit   float64  `json:"c,omitempty"`
	Is       []string `json:"is,omitempty"`   // misconceptions that it shows
	Hint     bool     `json:"h,omitempty"`    // the hint was shown before
	Late     bool     `json:"late,omitempty"` // given when the time was up
	Changes  int      `json:"ch,omitempty"`   // how often it was changed
}

// Given says that there is an answer, not a hint only.
func (r Record) Given() bool { return r.At != 0 }

// Refusal is why an answer or a hint is not taken; empty: it is.
type Refusal string

// The refusals.
const (
	NotYet    Refusal = "notyet"   // the session has not begun, or that question not been put
	Closed    Refusal = "closed"   // the time is up
	Gone      Refusal = "gone"     // another question is being asked by now
	EndedAll  Refusal = "over"     // the session is over
	Already   Refusal = "already"  // answered, and the rules allow no change
	OneChange Refusal = "changed"  // the one change has been made
	Same      Refusal = "same"     // it is the answer that was given: nothing changes
	NoHints   Refusal = "nohints"  // the rules give no hints
	NoHint    Refusal = "nohint"   // this item has none
	TooLate   Refusal = "hintlate" // a hint once one has answered
)

// Take is a person's answer to a question at a time: the record to keep, or why it is not taken
// (the record is then the one before). before is what is kept of them for that question, the
// zero Record if nothing is. Person and Session of the record are before's. Advance comes first.
func (s *Session) Take(question int, item *content.Item, a Answer, before Record, now time.Time) (Record, Refusal) {
	if why := s.takes(question, now); why != "" {
		return before, why
	}
	switch {
	case !before.Given():
	case equal(before.Answer, a):
		return before, Same
	case !s.Rules.Change || s.Rules.Mode.Feedback() == AtOnce: // whoever has been told is not asked again
		return before, Already
	case before.Changes > 0:
		return before, OneChange
	}
	at := MomentOf(now)
	v := Grade(item, a)
	r := before
	if before.Given() {
		r.Changes++
	}
	r.Question, r.Item, r.Answer, r.At = question, item.ID, a, at
	r.Took = int(max(0, at-s.Opened))
	r.Right, r.Credit, r.Is = v.Right, v.Credit, v.Is
	r.Late = s.Closes != 0 && at > s.Closes
	return r, ""
}

// Hint is a person's asking for the hint of a question: the record to keep, which notes it, or
// why there is none. Asking again gives the same record.
func (s *Session) Hint(question int, item *content.Item, before Record, now time.Time) (Record, Refusal) {
	if why := s.takes(question, now); why != "" {
		return before, why
	}
	switch {
	case !s.Rules.Hints:
		return before, NoHints
	case item.Hint == (content.Text{}):
		return before, NoHint
	case before.Given() && !before.Hint:
		return before, TooLate
	}
	r := before
	r.Question, r.Item, r.Hint = question, item.ID, true
	return r, ""
}

// takes says why a question takes nothing at a time.
func (s *Session) takes(question int, now time.Time) Refusal {
	switch {
	case s.Phase == Over:
		return EndedAll
	case question < 0 || question >= len(s.Items) || s.Phase == Lobby:
		return NotYet
	case s.Rules.Mode == Exam:
	case question > s.Question:
		return NotYet
	case question < s.Question:
		return Gone
	}
	if s.Phase == Revealed || s.Closes != 0 && MomentOf(now) > s.Closes.plus(s.Rules.Late) {
		return Closed
	}
	return ""
}

func equal(a, b Answer) bool {
	if (a.Number == nil) != (b.Number == nil) || a.Number != nil && *a.Number != *b.Number {
		return false
	}
	return slices.Equal(a.Picks, b.Picks) && fold(a.Text) == fold(b.Text)
}
