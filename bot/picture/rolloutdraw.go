package picture

import (
	"math"
	"strconv"
	"time"
)

// Canvas is the update drawn: ready pods over time, the old ones below the new ones.
func (r Rollout) Canvas(t Theme) *Canvas {
	const tall, left = 150.0, 20.0
	s := begin(t, r.Title, "")
	s.legend(Second, r.Old)
	s.legend(Accent, r.New)
	s.y += 6
	top := r.top()
	plot := Rect{margin + left, s.y + 6, inner - left - 4, tall}
	x := func(d time.Duration) float64 {
		if r.Length <= 0 {
			return plot.X
		}
		return math.Round(2*(plot.X+plot.W*min(1, max(0, float64(d)/float64(r.Length))))) / 2 // a pixel's edge: no seam between areas
	}
	y := func(n int) float64 { return plot.Bottom() - plot.H*float64(n)/float64(top) }
	for step, n := (top+4)/5, 0; n <= top; n += step {
		s.Text(Rect{margin, y(n) - 8, left - 4, 16}, strconv.Itoa(n), Words{Size: small, Muted: true, Align: Right, Single: true})
		s.Line(Stroke{Tone: Quiet, Width: 0.5}, Point{plot.X, y(n)}, Point{plot.Right(), y(n)})
	}
	var outline []Point
	samples := steady(r.Samples, r.Length/100)
	for i, p := range samples {
		from, to := x(p.At), plot.Right()
		if i+1 < len(samples) {
			to = x(samples[i+1].At)
		} else if len(samples) == 1 { // a moment is drawn as wide as a bar
			from, to = plot.X, plot.X+plot.W/3
		}
		s.part(Rect{from, y(p.Old), to - from, plot.Bottom() - y(p.Old)}, Second)
		s.part(Rect{from, y(p.Old + p.New), to - from, y(p.Old) - y(p.Old+p.New)}, Accent)
		outline = append(outline, Point{from, y(p.Pods)}, Point{to, y(p.Pods)})
	}
	s.Line(Stroke{Tone: Plain, Width: 2}, outline...)
	s.Line(Stroke{Tone: Good, Width: 2, Dashed: true}, Point{plot.X, y(r.Least)}, Point{plot.Right(), y(r.Least)})
	s.Line(Stroke{Tone: Waiting, Width: 2, Dashed: true}, Point{plot.X, y(r.Most)}, Point{plot.Right(), y(r.Most)})
	s.y = plot.Bottom()
	if len(samples) > 1 {
		s.timeAxis(plot, r.Length, r.Say)
	}
	s.y += 28
	s.rule(Stroke{Tone: Plain, Width: 2}, r.Pods)
	s.rule(Stroke{Tone: Waiting, Width: 2, Dashed: true}, r.MostIs)
	s.rule(Stroke{Tone: Good, Width: 2, Dashed: true}, r.LeastIs)
	return s.end(r.Note)
}

// steady are the samples without those that are over before a line could be drawn of them: what follows stands for them.
func steady(samples []Sample, least time.Duration) (out []Sample) {
	for _, s := range samples {
		if n := len(out); n > 1 && s.At-out[n-1].At < least {
			s.At = out[n-1].At
			out[n-1] = s
			continue
		}
		out = append(out, s)
	}
	return out
}

// part is an area that goes on from the one on its left.
func (s *sheet) part(r Rect, tone Tone) {
	if r.W > 0 && r.H > 0 {
		s.drawn = append(s.drawn, mark{Kind: markFill, Area: r, Shape: Shape{Tone: tone, Open: true}})
	}
}

// legend says what an area is, rule what a line is.
func (s *sheet) legend(tone Tone, words string) {
	r := Rect{margin, s.y + 2, 14, 11}
	s.Box(r, Shape{Tone: tone, Radius: 1, Width: 1})
	s.area(r, tone)
	s.say(words, Words{Size: 12}, margin+22, inner-22)
	s.y += 3
}

func (s *sheet) rule(stroke Stroke, words string) {
	s.Line(stroke, Point{margin, s.y + 8}, Point{margin + 16, s.y + 8})
	s.say(words, Words{Size: 12}, margin+22, inner-22)
	s.y += 3
}
