package picture

import "time"

// Canvas is the timeline drawn.
func (t Timeline) Canvas(theme Theme) *Canvas {
	const bar = 22
	s := begin(theme, t.Title, "")
	line := Rect{X: margin, W: inner}
	x := func(d time.Duration) float64 {
		if t.Length <= 0 {
			return line.X
		}
		return line.X + line.W*min(1, max(0, float64(d)/float64(t.Length)))
	}
	if len(t.Marks) > 0 {
		t.discs(s, x)
	}
	for _, l := range t.Lanes {
		value := 0.0
		if l.Value != "" {
			value = Measure(l.Value, 13, true) + 2
			s.Text(Rect{line.Right() - value, s.y, value, 17}, l.Value, Words{Bold: true, Align: Right, Single: true})
		}
		h := max(16, height(l.Label, 12, false, line.W-value-8))
		s.Text(Rect{line.X, s.y, line.W - value - 8, h}, l.Label, Words{Size: 12, Align: Left})
		s.y += h + 5
		for _, m := range t.Marks {
			s.Line(Stroke{Tone: Quiet, Width: 1.5}, Point{x(m.At), s.y - 5}, Point{x(m.At), s.y})
		}
		s.Box(Rect{line.X, s.y, line.W, bar}, Shape{Tone: Plain, Radius: 2, Width: 1})
		for _, span := range l.longestFirst() {
			r := Rect{x(span.From), s.y, max(1.5, x(span.To)-x(span.From)), bar}
			r.X = min(r.X, line.Right()-r.W)
			s.area(r, span.Tone)
			if span.Label != "" && Measure(span.Label, small, true)+8 <= r.W {
				if span.Tone == Bad { // its stripes would run through the words
					w := Measure(span.Label, small, true) + 8
					s.Box(Rect{r.Center().X - w/2, r.Y + 3, w, bar - 7}, Shape{Tone: Bad, Radius: 4, Width: 1, Loose: true})
				}
				s.Text(r, span.Label, Words{Size: small, Bold: true, Tone: span.Tone, Single: true})
			}
		}
		s.y += bar + 8
	}
	s.timeAxis(line, t.Length, t.Say)
	s.y += 26
	s.keys(t.Keys)
	for i, m := range t.Marks {
		s.number(i+1, Point{margin + 8, s.y + 8}, Accent)
		s.say(t.Say(m.At)+" – "+m.Label, Words{Size: 12}, margin+24, inner-24)
		s.y += 4
	}
	return s.end(t.Note)
}

// discs draws the marks' numbers above the lanes, each as near to its moment as there is room.
func (t Timeline) discs(s *sheet, x func(time.Duration) float64) {
	const each, low, high = 19.0, margin + 8.0, PhoneWidth - margin - 8.0
	at := make([]float64, len(t.Marks))
	for i, m := range t.Marks {
		at[i] = max(x(m.At), low)
		if i > 0 {
			at[i] = max(at[i], at[i-1]+each)
		}
	}
	for i, end := len(at)-1, high; i >= 0; i-- {
		at[i] = min(at[i], end)
		end = at[i] - each
	}
	for i, m := range t.Marks {
		s.Line(Stroke{Tone: Quiet, Width: 1}, Point{at[i], s.y + 16}, Point{x(m.At), s.y + 24})
		s.number(i+1, Point{at[i], s.y + 8}, Accent)
	}
	s.y += 26
}

// keys says what the tones mean, as many on a line as fit.
func (s *sheet) keys(keys []Key) {
	if len(keys) == 0 {
		return
	}
	x := float64(margin)
	for _, k := range keys {
		w := Measure(k.Label, small, false) + 2
		if x > margin && x+16+w > margin+inner {
			x, s.y = margin, s.y+17
		}
		r := Rect{x, s.y + 2, 12, 11}
		s.Box(r, Shape{Tone: k.Tone, Radius: 1, Width: 1})
		s.area(r, k.Tone)
		s.Text(Rect{x + 17, s.y, w, 15}, k.Label, Words{Size: small, Align: Left, Single: true})
		x += 17 + w + 12
	}
	s.y += 22
}
