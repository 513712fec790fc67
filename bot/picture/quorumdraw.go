package picture

import "math"

// Canvas is the quorum drawn: the members in a ring, and who hears the leader.
func (q Quorum) Canvas(t Theme) *Canvas {
	s := begin(t, q.Title, "")
	boxes, tall := q.ring(s.y)
	lead := -1
	for i, m := range q.Members {
		if m.Leads {
			lead = i
		}
	}
	for i, a := range q.Members {
		for j := i + 1; j < len(q.Members); j++ {
			switch {
			case a.Side < 0 || q.Members[j].Side < 0:
			case !q.hear(i, j) && (lead < 0 || i == lead || j == lead):
				q.line(s, boxes[i], boxes[j], Stroke{Tone: Bad, Dashed: true}, Cross)
			case q.hear(i, j) && (i == lead || j == lead):
				q.line(s, boxes[i], boxes[j], Stroke{Tone: Good, Start: true, End: true}, NoSign)
			case q.hear(i, j) && lead < 0:
				q.line(s, boxes[i], boxes[j], Stroke{Tone: Quiet, Dashed: true}, NoSign)
			}
		}
	}
	for i, m := range q.Members {
		q.member(s, boxes[i], m)
	}
	s.y += tall + 14
	const side, gap = 18, 5
	for i := range q.Members {
		tone, sign := Good, Check
		if i >= q.Alive {
			tone, sign = Bad, Cross
		}
		r := Rect{margin + float64(i)*(side+gap), s.y, side, side}
		s.Box(r, Shape{Tone: tone, Radius: 3, Width: 1})
		s.Sign(sign, r.Center(), 10, tone)
	}
	x := margin + float64(len(q.Members))*(side+gap) + 6
	s.Text(Rect{x, s.y, PhoneWidth - margin - x, side}, q.Count, Words{Bold: true, Align: Left})
	s.y += side + 10
	if q.Holds {
		s.notice(Check, Good, q.Verdict)
	} else {
		s.notice(Cross, Bad, q.Verdict)
	}
	s.y += 8
	for _, w := range q.Works {
		s.point(signOf(w.Tone), w.Tone, w.Text, Words{}, margin, inner)
	}
	return s.end(q.Note)
}

// ring lays the members' boxes around a circle, the first at the top.
func (q Quorum) ring(top float64) (boxes []Rect, tall float64) {
	n := len(q.Members)
	wide, high, down := 112.0, 58.0, 82.0
	if n > 3 {
		wide, down = 110, 118
	}
	across := (inner - wide) / 2
	if n == 1 {
		across, down = 0, 0
	}
	low := math.Inf(1)
	for i := range n {
		angle := 2*math.Pi*float64(i)/float64(n) - math.Pi/2
		boxes = append(boxes, Rect{PhoneWidth/2 + across*math.Cos(angle) - wide/2, down * math.Sin(angle), wide, high})
		low = min(low, boxes[i].Y)
	}
	for i := range boxes {
		boxes[i].Y += top - low
		tall = max(tall, boxes[i].Bottom()-top)
	}
	return boxes, tall
}

// line joins two boxes, from edge to edge; a sign is in its middle.
func (q Quorum) line(s *sheet, a, b Rect, stroke Stroke, sign Sign) {
	p, to := leaves(a, b.Center()), leaves(b, a.Center())
	s.Line(stroke, p, to)
	if sign != NoSign {
		middle := Point{(p.X + to.X) / 2, (p.Y + to.Y) / 2}
		s.Box(Rect{middle.X - 8, middle.Y - 8, 16, 16}, Shape{Tone: stroke.Tone, Radius: 8, Width: 1, Loose: true})
		s.Sign(sign, middle, 8, stroke.Tone)
	}
}

// leaves is where a stretch from the middle of a box to a point leaves it.
func leaves(r Rect, to Point) Point {
	if _, edge, ok := clipped(r.Center(), to, r); ok {
		return edge
	}
	return r.Center()
}

func (q Quorum) member(s *sheet, r Rect, m Member) {
	s.Box(r, Shape{Tone: m.Tone, Dashed: m.Side < 0})
	sign := signOf(m.Tone)
	if m.Leads {
		sign = Star
	}
	name := Measure(m.Name, 13, true)
	left := r.Center().X - (name+16)/2
	s.Sign(sign, Point{left + 6, r.Y + 13}, 11, m.Tone)
	s.Text(Rect{left + 16, r.Y + 4, name + 2, 18}, m.Name, Words{Bold: true, Tone: m.Tone, Align: Left, Single: true})
	s.Text(Rect{r.X + 6, r.Y + 21, r.W - 12, 17}, m.Role, Words{Size: 12, Tone: m.Tone})
	s.Text(Rect{r.X + 4, r.Y + 38, r.W - 8, 16}, m.Detail, Words{Size: small, Tone: m.Tone})
}
