package picture

import (
	"slices"

	"timonier/content"
)

// Diagram draws one of the course's diagrams in a lens's words, or in technical words where that lens
// has none. False: it is made of characters only.
func Diagram(d *content.Diagram, lens string, lang content.Lang, t Theme) (*Canvas, bool) {
	if d.Drawing == nil {
		return nil, false
	}
	if _, ok := d.Views[lens]; !ok {
		lens = content.Technique
	}
	c := New(content.DrawingWidth, d.Drawing.Height, t)
	for _, p := range d.Drawing.Parts {
		c.part(p, d.Drawing.Word(lens, p.Words).In(lang), d.Drawing.Word(lens, p.Note).In(lang))
	}
	return c, true
}

// part draws a part of a diagram with its words.
func (c *Canvas) part(p content.Drawn, words, note string) {
	n := p.Numbers
	tone := toneNamed(p.Tone)
	look := Words{Size: p.Size, Bold: p.Bold, Muted: p.Muted, Tone: tone, Align: alignNamed(p.Align)}
	switch p.Kind {
	case content.DrawnFrame:
		c.Frame(Rect{n[0], n[1], n[2], n[3]}, "", Shape{Tone: tone, Dashed: p.Dashed})
		c.frameTitle(Rect{n[0], n[1], n[2], n[3]}, words, look)
	case content.DrawnBox:
		area := Rect{n[0], n[1], n[2], n[3]}
		c.Box(area, Shape{Tone: tone, Dashed: p.Dashed})
		c.boxWords(area, words, note, p, look)
	case content.DrawnText:
		look.Valign = Middle
		c.Text(Rect{n[0], n[1], n[2], n[3]}, words, look)
	case content.DrawnArrow, content.DrawnLine:
		arrow := p.Kind == content.DrawnArrow
		c.Line(Stroke{Tone: tone, Dashed: p.Dashed, Start: arrow && p.Both, End: arrow}, path(n)...)
	case content.DrawnSign:
		size := p.Size
		if size == 0 {
			size = 14
		}
		c.Sign(signNamed(p.Sign), Point{n[0], n[1]}, size, tone)
	}
}

func path(numbers []float64) (out []Point) {
	for pair := range slices.Chunk(numbers, 2) {
		out = append(out, Point{pair[0], pair[1]})
	}
	return out
}

// frameTitle sets a title into the upper edge of a frame.
func (c *Canvas) frameTitle(r Rect, title string, w Words) {
	if title == "" {
		return
	}
	w = w.sized()
	if w.Align == Middle {
		w.Align = Left
	}
	w.Bold, w.Over, w.Single = true, true, true
	c.Text(Rect{r.X + 12, r.Y - w.Size*lineHeight/2, r.W - 24, w.Size * lineHeight}, title, w)
}

// boxWords writes a box's words, strong, with the lesser ones below or beside, and its sign before.
func (c *Canvas) boxWords(r Rect, words, note string, p content.Drawn, w Words) {
	inner := r.Inset(min(8, r.W/14), 2)
	if p.Sign != "" {
		const size = 14
		c.Sign(signNamed(p.Sign), Point{inner.X + size/2, r.Center().Y}, size, w.Tone)
		inner.X, inner.W = inner.X+size+5, inner.W-size-5
	}
	w.Bold = w.Bold || w.Size == 0 || w.Size > SmallestText
	lesser := w
	lesser.Bold, lesser.Muted, lesser.Size = false, true, SmallestText
	switch {
	case note == "":
		c.Text(inner, words, w)
	case p.Beside:
		width := Measure(words, max(w.Size, 13), true) + 8
		w.Align, lesser.Align = Left, Right
		c.Text(Rect{inner.X, inner.Y, width, inner.H}, words, w)
		c.Text(Rect{inner.X + width, inner.Y, inner.W - width, inner.H}, note, lesser)
	default:
		below := float64(len(Wrap(note, SmallestText, false, inner.W))) * SmallestText * lineHeight
		_, size, _ := fit(words, Rect{W: inner.W, H: inner.H - below}, w.sized())
		above := float64(len(Wrap(words, size, w.Bold, inner.W))) * size * lineHeight
		top := inner.Y + max(0, (inner.H-above-below)/2)
		above = min(above, max(0, inner.H-below))
		c.Text(Rect{inner.X, top, inner.W, above}, words, w)
		c.Text(Rect{inner.X, top + above, inner.W, min(below, inner.Bottom()-top-above)}, note, lesser)
	}
}

func toneNamed(name string) Tone {
	for t := range tones {
		if t.String() == name {
			return t
		}
	}
	return Plain
}

func signNamed(name string) Sign {
	for s := range signs {
		if s.String() == name {
			return s
		}
	}
	return NoSign
}

func alignNamed(name string) Align {
	switch name {
	case "left":
		return Left
	case "right":
		return Right
	}
	return Middle
}
