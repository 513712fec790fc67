package quiz

import "time"

// Mode is how a session is led.
type Mode string

// The modes. A review alone has no session: see Deck.
const (
	Race   Mode = "race"   // timed: each question closes by itself, points fade
	Hosted Mode = "hosted" // the teacher paces: next, reveal, stop
	Daily  Mode = "daily"  // a question a day: a session of one question, see Rota
	Exam   Mode = "exam"   // everybody at their own pace until a deadline; no feedback until the end
)

// Modes are all modes.
func Modes() []Mode { return []Mode{Race, Hosted, Daily, Exam} }

// Feedback is when whoever answers learns whether they were right.
type Feedback int

// The moments.
const (
	AtReveal Feedback = iota // with everybody: race and hosted
	AtOnce                   // privately, with the receipt: daily
	AtEnd                    // when the session is over: exam
)

// Feedback is when the mode gives it.
func (m Mode) Feedback() Feedback {
	switch m {
	case Daily:
		return AtOnce
	case Exam:
		return AtEnd
	}
	return AtReveal
}

// Rules are what a session goes by. They are set when it begins and do not change.
type Rules struct {
	Mode    Mode     `json:"mode"`
	Modules []string `json:"modules,omitempty"` // "3", or lessons: "3.1"; none: all
	Count   int      `json:"count"`             // questions
	Time    int      `json:"time,omitempty"`    // seconds a question; of an exam: seconds in all. 0, hosted: until the teacher reveals
	Late    int      `json:"late,omitempty"`    // seconds after the end of the time in which an answer still counts, for the least points
	Pause   int      `json:"pause,omitempty"`   // seconds between a reveal and the next question
	Lobby   int      `json:"lobby,omitempty"`   // seconds before the first question
	Change  bool     `json:"change,omitempty"`  // an answer may be changed once
	Hints   bool     `json:"hints,omitempty"`   // hints are given, at a cost
	Live    bool     `json:"live,omitempty"`    // questions from the channel's own cluster are mixed in
}

// Option is one of the Rules that can be set when a session begins.
type Option string

// The options.
const (
	OptModules Option = "modules"
	OptCount   Option = "count"
	OptTime    Option = "time"
	OptLate    Option = "late"
	OptPause   Option = "pause"
	OptLobby   Option = "lobby"
	OptChange  Option = "change"
	OptHints   Option = "hints"
	OptLive    Option = "live"
)

// Bound is what a numeric option may be in a mode. Times are in seconds.
type Bound struct {
	Option      Option
	Least, Most int
	Usual       int
	Endless     bool // 0 may be set too: no limit
}

// bounds is the table of the numeric options that a mode has.
var bounds = map[Mode][]Bound{
	Race: {
		{OptCount, 1, 50, 10, false}, {OptTime, 5, 600, 30, false}, {OptLate, 0, 10, 2, false},
		{OptPause, 3, 300, 15, false}, {OptLobby, 0, 600, 15, false},
	},
	Hosted: {{OptCount, 1, 50, 10, false}, {OptTime, 5, 3600, 0, true}, {OptLate, 0, 30, 2, false}},
	Daily:  {{OptTime, 600, 86340, 43200, false}},
	Exam:   {{OptCount, 1, 100, 20, false}, {OptTime, 60, 7 * 86400, 1800, false}, {OptLate, 0, 60, 5, false}, {OptLobby, 0, 3600, 0, false}},
}

// Bounds are the numeric options that a mode has, with their bounds.
func Bounds(m Mode) []Bound { return bounds[m] }

// Bound finds the bounds of a mode's option; false if the mode has no such option.
func (m Mode) Bound(o Option) (Bound, bool) {
	for _, b := range bounds[m] {
		if b.Option == o {
			return b, true
		}
	}
	return Bound{}, false
}

// Usual are a mode's rules where nothing is said.
func Usual(m Mode) Rules {
	r := Rules{Mode: m, Count: 1, Change: m != Daily, Hints: m == Race || m == Hosted}
	for _, b := range bounds[m] {
		r.set(b.Option, b.Usual)
	}
	return r
}

// OutOfBounds is the error of a value that a mode does not allow.
type OutOfBounds struct {
	Mode  Mode
	Bound Bound
	Value int
	None  bool // the mode has no such option
}

// Error says what happened, for a log.
func (o *OutOfBounds) Error() string { return "rule out of bounds: " + string(o.Bound.Option) }

// Set sets a numeric option; the error is an *OutOfBounds.
func (r *Rules) Set(o Option, value int) error {
	b, ok := r.Mode.Bound(o)
	if !ok {
		return &OutOfBounds{Mode: r.Mode, Bound: Bound{Option: o}, Value: value, None: true}
	}
	if (value < b.Least || value > b.Most) && (value != 0 || !b.Endless) {
		return &OutOfBounds{Mode: r.Mode, Bound: b, Value: value}
	}
	r.set(o, value)
	return nil
}

func (r *Rules) set(o Option, value int) {
	switch o {
	case OptCount:
		r.Count = value
	case OptTime:
		r.Time = value
	case OptLate:
		r.Late = value
	case OptPause:
		r.Pause = value
	case OptLobby:
		r.Lobby = value
	}
}

// Moment is a point of time in milliseconds since 1970: compact in a record. 0: never.
type Moment int64

// MomentOf is a time as a Moment; the zero time is 0.
func MomentOf(t time.Time) Moment {
	if t.IsZero() {
		return 0
	}
	return Moment(t.UnixMilli())
}

// Time is the moment as a time in UTC; 0 is the zero time.
func (m Moment) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// plus is so many seconds later.
func (m Moment) plus(seconds int) Moment { return m + Moment(seconds)*1000 }
