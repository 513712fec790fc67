package picture

import (
	"fmt"
	"strings"
	"time"
)

// Rollout is a rolling update over time: ready pods of the old ReplicaSets and of the new one.
type Rollout struct {
	Title   string
	Note    string
	Length  time.Duration
	Samples []Sample // in order; each holds until the next
	Wanted  int
	Least   int // ready pods that must stay: wanted less maxUnavailable
	Most    int // pods that there may be: wanted and maxSurge
	Old     string
	New     string
	LeastIs string // what the lower line is, with its figure
	MostIs  string // what the upper line is, with its figure
	Pods    string // what the third line is: pods in all
	Figures string // what the three figures of a line are: old + new / pods in all

	// Say is a span of time in words: 4 s.
	Say func(time.Duration) string
}

// Sample is how many pods there are from a moment on.
type Sample struct {
	At       time.Duration
	Old, New int // ready
	Pods     int // all that are not leaving
}

// top is the highest figure of the drawing.
func (r Rollout) top() int {
	top := max(1, r.Most)
	for _, s := range r.Samples {
		top = max(top, s.Pods, s.Old+s.New)
	}
	return top
}

// Text is the update made of characters, a moment a line.
func (r Rollout) Text() string {
	var p page
	p.text("", r.Title)
	p.gap()
	p.line(string(Second.cell()) + " " + r.Old)
	p.line(string(Accent.cell()) + " " + r.New)
	p.gap()
	const most = 14
	when := 0
	shown := thin(r.Samples, most)
	for _, s := range shown {
		when = max(when, width(r.Say(s.At)))
	}
	top := r.top()
	each := max(1, min(4, 24/top)) // columns of a pod
	scale := 1.0
	if top > 24 {
		each, scale = 1, 24/float64(top)
	}
	cells := func(n int) int { return int(float64(n*each)*scale + 0.5) }
	for _, s := range shown {
		bar := strings.Repeat(string(Second.cell()), cells(s.Old)) + strings.Repeat(string(Accent.cell()), cells(s.Old+s.New)-cells(s.Old))
		least := cells(r.Least)
		if width(bar) < least {
			bar = pad(bar, least-1) + "│"
		}
		p.line(pad(r.Say(s.At), when) + " " + pad(bar, cells(top)) + fmt.Sprintf(" %d + %d / %d", s.Old, s.New, s.Pods))
	}
	p.gap()
	p.text("", r.Figures)
	p.text("", r.LeastIs)
	p.text("", r.MostIs)
	if r.Note != "" {
		p.gap()
		p.text("", r.Note)
	}
	return p.String()
}

// thin are as many samples as there is room for: the first and the last, and some between.
func thin(samples []Sample, most int) []Sample {
	if len(samples) <= most {
		return samples
	}
	out := make([]Sample, most)
	for i := range out {
		out[i] = samples[i*(len(samples)-1)/(most-1)]
	}
	return out
}
