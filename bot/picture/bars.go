package picture

import "strings"

// Bars compares figures side by side: the answers to a question, how far one has come with each objective, a score.
type Bars struct {
	Title string
	Note  string
	Rows  []BarRow
}

// BarRow is one of them.
type BarRow struct {
	Label string
	Value string  // as it is said
	Part  float64 // of the longest, from 0 to 1
	Tone  Tone    // Good: the right one
}

// Text is the comparison made of characters.
func (b Bars) Text() string {
	var p page
	p.text("", b.Title)
	p.gap()
	for _, r := range b.Rows {
		label := folded(r.Label, columns-2-width(r.Value)-1)
		p.line(ends(r.Tone.letter()+" "+strings.Join(label[:min(1, len(label))], ""), r.Value, columns))
		for _, more := range label[min(1, len(label)):] {
			p.line("  " + more)
		}
		p.line("  " + gauge(r.Part, columns-2))
	}
	if b.Note != "" {
		p.gap()
		p.text("", b.Note)
	}
	return p.String()
}

// Canvas is the comparison drawn.
func (b Bars) Canvas(t Theme) *Canvas {
	s := begin(t, b.Title, "")
	for _, r := range b.Rows {
		value := Measure(r.Value, 13, true) + 2
		room := inner - value - 26
		h := max(17, height(r.Label, 12, false, room))
		s.Sign(signOf(r.Tone), Point{margin + 6, s.y + 8}, 10, r.Tone)
		s.Text(Rect{margin + 18, s.y, room, h}, r.Label, Words{Size: 12, Align: Left})
		s.Text(Rect{PhoneWidth - margin - value, s.y, value, 17}, r.Value, Words{Bold: true, Align: Right, Single: true})
		s.y += h + 3
		s.Bar(Rect{margin, s.y, inner, 14}, Slice{Share: r.Part, Tone: r.Tone})
		s.y += 24
	}
	return s.end(b.Note)
}
