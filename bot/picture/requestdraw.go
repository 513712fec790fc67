package picture

// Canvas is the path drawn: a frame for each who had a part in it, the stages inside.
func (r Path) Canvas(t Theme) *Canvas {
	s := begin(t, r.Title, "")
	const pad = 10
	command := Words{Size: 12, Mono: true, Align: Left, Valign: Top}
	h := float64(len(wrap(r.Line, 12, mono, inner-2*pad))) * 12 * lineHeight
	s.Box(Rect{margin, s.y, inner, h + 12}, Shape{Tone: Quiet})
	s.Text(Rect{margin + pad, s.y + 6, inner - 2*pad, h + 1}, r.Line, command)
	s.y += h + 12
	for i := 0; i < len(r.Hops); {
		j := i
		for j < len(r.Hops) && r.Hops[j].Who == r.Hops[i].Who {
			j++
		}
		s.Arrow(Stroke{Tone: Quiet}, Point{PhoneWidth / 2, s.y}, Point{PhoneWidth / 2, s.y + 24})
		s.y += 24
		r.group(s, i, j)
		i = j
	}
	return s.end(r.Note)
}

// group is what one of them did.
func (r Path) group(s *sheet, from, to int) {
	const pad, left = 10, 52.0
	wide := inner - pad - left
	tall := 30.0
	for _, h := range r.Hops[from:to] {
		tall += 19 + height(h.Detail, small, false, wide) + 5
	}
	tone := r.Hops[from].Tone
	if tone == Good {
		tone = Plain
	}
	s.Box(Rect{margin, s.y, inner, tall + 4}, Shape{Tone: Plain})
	s.Text(Rect{margin + pad, s.y + 5, inner - 2*pad, 18}, r.Hops[from].Who, Words{Bold: true, Align: Left})
	bottom := s.y + tall + 4
	s.y += 28
	for i, h := range r.Hops[from:to] {
		s.number(from+i+1, Point{margin + pad + 8, s.y + 9}, tone)
		s.Sign(signOf(h.Tone), Point{margin + pad + 30, s.y + 9}, 10, h.Tone)
		mark := 0.0
		if h.Mark != "" {
			mark = Measure(h.Mark, small, true) + 2
			s.Text(Rect{PhoneWidth - margin - pad - mark, s.y, mark, 18}, h.Mark, Words{Size: small, Bold: true, Tone: h.Tone, Align: Right, Single: true})
		}
		s.Text(Rect{margin + left - 4, s.y, wide - mark, 18}, h.What, Words{Bold: true, Align: Left, Single: true})
		s.y += 19
		s.say(h.Detail, Words{Size: small, Muted: true}, margin+left-4, wide)
		s.y += 5
	}
	s.y = bottom
}
