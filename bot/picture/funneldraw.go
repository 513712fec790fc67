package picture

import "strconv"

// Canvas is the funnel drawn.
func (f Funnel) Canvas(t Theme) *Canvas {
	const tall, arrow = 28, 26.0
	s := begin(t, f.Title, "")
	level := func(n int, words string, tone Tone) {
		least := max(76, Measure(words, 13, true)+20)
		wide := least + (inner-least)*part(int64(n), int64(max(1, f.In)))
		s.Box(Rect{margin, s.y, wide, tall}, Shape{Tone: tone})
		s.Text(Rect{margin + 8, s.y, wide - 16, tall}, words, Words{Bold: true, Tone: tone, Single: true})
		s.y += tall
	}
	level(f.In, f.InText, Accent)
	left := f.In
	for i, v := range f.Sieves {
		from := s.y
		s.y += 6
		s.say(v.Label, Words{Size: 12, Bold: len(v.Removed) > 0, Muted: len(v.Removed) == 0}, margin+46, inner-46)
		for _, r := range v.Removed {
			s.point(Cross, Bad, r.Who+" – "+r.Why, Words{Size: 12, Tone: Bad}, margin+46, inner-46)
		}
		s.y += 6
		s.y = max(s.y, from+arrow)
		s.Arrow(Stroke{Tone: Quiet}, Point{margin + 26, from}, Point{margin + 26, s.y})
		if v.Out != left || i == len(f.Sieves)-1 {
			tone := Accent
			if v.Out == 0 {
				tone = Bad
			}
			level(v.Out, v.OutText, tone)
		} else {
			s.Line(Stroke{Tone: Quiet}, Point{margin + 26, s.y}, Point{margin + 26, s.y + 1})
		}
		left = v.Out
	}
	s.y += 12
	f.scores(s)
	sign := signOf(f.Tone)
	if f.Tone == Good {
		sign = Star
	}
	s.notice(sign, f.Tone, f.Result)
	return s.end(f.Note)
}

// scores are the nodes' points, side by side as bars.
func (f Funnel) scores(s *sheet) {
	if len(f.Scored) == 0 {
		return
	}
	s.say(f.Score, Words{Size: 12, Bold: true}, margin, inner)
	s.y += 5
	names, points := 0.0, 0.0
	for _, n := range f.Scored {
		names = max(names, Measure(n.Name, 12, n.Chosen))
		points = max(points, Measure(strconv.FormatInt(n.Total, 10), 12, true))
	}
	names = min(names, 130)
	for _, n := range f.Scored {
		const row = 20
		tone := Quiet
		if n.Chosen {
			tone = Good
			s.Sign(Star, Point{margin + 6, s.y + row/2 - 1}, 11, Good)
		}
		s.Text(Rect{margin + 18, s.y, names + 1, row - 2}, Shorten(n.Name, 12, n.Chosen, names), Words{Size: 12, Bold: n.Chosen, Align: Left, Single: true})
		bar := Rect{margin + 18 + names + 10, s.y + 3, inner - 18 - names - 10 - points - 10, 11}
		s.Bar(bar, Slice{Share: part(n.Total, f.best()), Tone: tone})
		s.Text(Rect{bar.Right() + 8, s.y, points + 2, row - 2}, strconv.FormatInt(n.Total, 10), Words{Size: 12, Bold: true, Align: Right, Single: true})
		s.y += row
	}
	s.y += 8
}
