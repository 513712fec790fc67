package picture

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Timeline is what was up and what was down, row by row, over one span of time.
type Timeline struct {
	Title  string
	Note   string // said below, in small; may be empty
	Length time.Duration
	Lanes  []Lane
	Marks  []Mark // what happened, in order; drawn as numbers, and told below
	Keys   []Key  // what the tones mean

	// Say is a span of time in words: 50 s.
	Say func(time.Duration) string
}

// Lane is a row of a timeline.
type Lane struct {
	Label string // one replica
	Value string // at the end: 41.2 %; may be empty
	Spans []Span // in order; where there is none the row is empty
}

// Span is a part of a lane.
type Span struct {
	From, To time.Duration
	Tone     Tone
	Label    string // drawn inside where there is room; may be empty
}

// Mark is a moment at which something happened.
type Mark struct {
	At    time.Duration
	Label string
}

// Key says what a tone means.
type Key struct {
	Tone  Tone
	Label string
}

// Share is which part of a time the lane has a tone, from 0 to 1: its availability, of Good.
func (l Lane) Share(of time.Duration, tone Tone) float64 {
	var sum time.Duration
	for _, s := range l.Spans {
		if s.Tone == tone {
			sum += min(s.To, of) - min(s.From, of)
		}
	}
	if of <= 0 {
		return 0
	}
	return float64(sum) / float64(of)
}

// longestFirst are the spans in the order of drawing: a short one is not hidden by its neighbours.
func (l Lane) longestFirst() []Span {
	return slices.SortedStableFunc(slices.Values(l.Spans), func(a, b Span) int { return cmp.Compare(b.To-b.From, a.To-a.From) })
}

// at is where a moment is on a line of n places.
func (t Timeline) at(d time.Duration, n int) int {
	if t.Length <= 0 {
		return 0
	}
	return min(n-1, max(0, int(int64(d)*int64(n)/int64(t.Length))))
}

// ticks are the moments that the axis names: round ones, most at most besides the beginning.
func ticks(length time.Duration, most int) (at []time.Duration) {
	steps := []time.Duration{1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 6 * 3600, 12 * 3600, 24 * 3600}
	step := steps[len(steps)-1] * time.Second
	for _, s := range steps {
		if length/(s*time.Second) <= time.Duration(most) {
			step = s * time.Second
			break
		}
	}
	for length/step > time.Duration(most) {
		step *= 2
	}
	for d := time.Duration(0); d <= length; d += step {
		at = append(at, d)
	}
	return at
}

// Text is the timeline made of characters.
func (t Timeline) Text() string {
	var p page
	p.text("", t.Title)
	p.gap()
	if len(t.Marks) > 0 {
		p.line(t.numbers(columns))
	}
	for _, l := range t.Lanes {
		p.line(ends(l.Label, l.Value, columns))
		p.line(t.bar(l, columns))
	}
	p.line(t.axis(columns))
	p.gap()
	if keys := keyLine(t.Keys); keys != "" {
		p.text("", keys)
	}
	for i, m := range t.Marks {
		p.text(pad(strconv.Itoa(i+1), 3), t.Say(m.At)+" · "+m.Label)
	}
	if t.Note != "" {
		p.gap()
		p.text("", t.Note)
	}
	return p.String()
}

// bar is a lane of n columns. A span that is shorter than a column still has one.
func (t Timeline) bar(l Lane, n int) string {
	cells := slices.Repeat([]rune{' '}, n)
	for _, s := range l.longestFirst() {
		for i := t.at(s.From, n); i < max(t.at(s.To, n), t.at(s.From, n)+1) || s.To >= t.Length && i < n; i++ {
			cells[i] = s.Tone.cell()
		}
	}
	return string(cells)
}

// numbers are the marks' above the lanes; one that has no place left is beside the one before.
func (t Timeline) numbers(n int) string {
	line := ""
	for i, m := range t.Marks {
		said := strconv.Itoa(i + 1)
		at := min(t.at(m.At, n), n-len(said))
		if at < width(line)+min(1, width(line)) {
			at = width(line)
			if at > 0 && len(t.Marks) <= 9 {
				at++
			}
		}
		line = pad(line, at) + said
	}
	return line
}

func (t Timeline) axis(n int) string {
	line := ""
	for _, d := range ticks(t.Length, 4) {
		said := t.Say(d)
		if d == 0 {
			said = "0"
		}
		at := min(t.at(d, n), n-width(said))
		if line == "" || at > width(line) {
			line = pad(line, at) + said
		}
	}
	return line
}

func keyLine(keys []Key) string {
	var all []string
	for _, k := range keys {
		all = append(all, string(k.Tone.cell())+"\u00a0"+strings.ReplaceAll(k.Label, " ", "\u00a0"))
	}
	return strings.Join(all, "  ")
}
