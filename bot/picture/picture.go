// Package picture draws: the course's diagrams, clusters, timelines and scoreboards, as PNG,
// with no program and no font but those built in. The same drawing gives the same bytes on one
// type of machine.
//
// A drawing is laid out by hand in points, [PhoneWidth] of them across, and drawn at twice as many
// pixels. It knows no language: words come in from whoever calls. What is drawn is kept as a list,
// which tests compare and in which [Canvas.Faults] finds words that do not fit and boxes that overlap.
package picture

import (
	"fmt"
	"math"
	"strings"
)

// PhoneWidth is how wide a drawing is, in points: a phone shows it as large as it was laid out.
const PhoneWidth = 360

// SmallestText is what can be read on a phone, in points. Words are never drawn smaller.
const SmallestText = 11

// Point is a place, in points from the upper left corner.
type Point struct{ X, Y float64 }

// Rect is an area: its upper left corner, and its size, in points.
type Rect struct{ X, Y, W, H float64 }

// Right and Bottom are the far edges, Center the middle.
func (r Rect) Right() float64  { return r.X + r.W }
func (r Rect) Bottom() float64 { return r.Y + r.H }
func (r Rect) Center() Point   { return Point{r.X + r.W/2, r.Y + r.H/2} }

// Inset is the area without a margin on each side.
func (r Rect) Inset(x, y float64) Rect { return Rect{r.X + x, r.Y + y, r.W - 2*x, r.H - 2*y} }

func (r Rect) overlaps(o Rect) bool {
	return r.X < o.Right() && o.X < r.Right() && r.Y < o.Bottom() && o.Y < r.Bottom()
}

func (r Rect) contains(o Rect) bool {
	return o.X >= r.X && o.Y >= r.Y && o.Right() <= r.Right() && o.Bottom() <= r.Bottom()
}

func (r Rect) String() string {
	return fmt.Sprintf("%.0f,%.0f %.0f×%.0f", r.X, r.Y, r.W, r.H)
}

// Canvas is a drawing. What is drawn later lies over what was drawn before.
type Canvas struct {
	W, H  float64 // in points
	Theme Theme
	Scale float64 // pixels per point; 0: 2

	drawn  []mark
	faults []string
}

// New is an empty drawing, of a size in points.
func New(w, h float64, t Theme) *Canvas { return &Canvas{W: w, H: h, Theme: t} }

// mark is one thing drawn, and how it is kept.
type mark struct {
	Kind   markKind `json:"k"`
	Area   Rect     `json:"a"`
	Points []Point  `json:"p,omitempty"`
	Shape  Shape    `json:"f,omitzero"`
	Stroke Stroke   `json:"l,omitzero"`
	Words  string   `json:"w,omitempty"`
	Style  Words    `json:"s,omitzero"`
	Sign   Sign     `json:"g,omitempty"`
	Tone   Tone     `json:"t,omitempty"`
}

type markKind string

const (
	markBox   markKind = "box"
	markFrame markKind = "frame"
	markLine  markKind = "line"
	markText  markKind = "text"
	markSign  markKind = "sign"
	markFill  markKind = "fill" // a part of something larger: a bar's
)

// Shape is how a box looks. The zero value is a plain one.
type Shape struct {
	Tone   Tone
	Radius float64 // of its corners; 0: 6
	Width  float64 // of its edge; 0: 1.25
	Dashed bool
	Loose  bool // it may lie over others
	Open   bool // a part without an edge on its left: it goes on from the one before
}

// Box draws a rounded box, filled.
func (c *Canvas) Box(r Rect, s Shape) {
	c.drawn = append(c.drawn, mark{Kind: markBox, Area: r, Shape: s})
}

// Frame draws a box that holds others, its title set into the upper edge.
func (c *Canvas) Frame(r Rect, title string, s Shape) {
	c.drawn = append(c.drawn, mark{Kind: markFrame, Area: r, Shape: s})
	c.frameTitle(r, title, Words{Tone: s.Tone})
}

// Stroke is how a line looks.
type Stroke struct {
	Tone       Tone
	Width      float64 // 0: 1.5
	Dashed     bool
	Start, End bool // a head there
}

// Line draws a line through points; bends are rounded.
func (c *Canvas) Line(s Stroke, points ...Point) {
	if len(points) < 2 {
		return
	}
	c.drawn = append(c.drawn, mark{Kind: markLine, Area: around(points), Points: points, Stroke: s})
}

// Arrow is a line with a head at its end.
func (c *Canvas) Arrow(s Stroke, points ...Point) {
	s.End = true
	c.Line(s, points...)
}

func around(points []Point) Rect {
	low, high := points[0], points[0]
	for _, p := range points {
		low = Point{min(low.X, p.X), min(low.Y, p.Y)}
		high = Point{max(high.X, p.X), max(high.Y, p.Y)}
	}
	return Rect{low.X, low.Y, high.X - low.X, high.Y - low.Y}
}

// Sign draws a sign, centred on a point.
func (c *Canvas) Sign(s Sign, at Point, size float64, t Tone) {
	if s == NoSign {
		return
	}
	c.drawn = append(c.drawn, mark{Kind: markSign, Area: Rect{at.X - size/2, at.Y - size/2, size, size}, Sign: s, Tone: t})
}

// Badge draws a small label, its sign before its words, from its upper left corner, and
// returns the area that it takes.
func (c *Canvas) Badge(at Point, words string, s Sign, t Tone) Rect {
	const height, pad, sign = 18, 6, 10
	left := at.X + pad
	width := Measure(words, SmallestText, true) + 2*pad + 1
	if s != NoSign {
		width += sign + 4
	}
	r := Rect{at.X, at.Y, math.Ceil(width), height}
	c.Box(r, Shape{Tone: t, Radius: height / 2, Width: 1})
	if s != NoSign {
		c.Sign(s, Point{left + sign/2, at.Y + height/2}, sign, t)
		left += sign + 4
	}
	c.Text(Rect{left, at.Y, r.Right() - pad - left + 1, height}, words, Words{Size: SmallestText, Bold: true, Tone: t, Align: Left, Single: true})
	return r
}

// BadgeWidth is how wide Badge is going to be.
func BadgeWidth(words string, s Sign) float64 {
	var c Canvas
	return c.Badge(Point{}, words, s, Plain).W
}

// Slice is a part of a bar.
type Slice struct {
	Share float64 // of the whole, 0 to 1
	Tone  Tone    // Bad is striped besides
	Words string  // written in it where there is room; may be empty
}

// Bar draws slices one after the other. What is left of the whole stays empty.
func (c *Canvas) Bar(r Rect, slices ...Slice) {
	c.Box(r, Shape{Tone: Plain, Radius: 3, Width: 1})
	x := r.X
	for _, s := range slices {
		part := Rect{x, r.Y, r.W * min(1, max(0, s.Share)), r.H}
		part.W = min(part.W, r.Right()-x)
		x = part.Right()
		if part.W <= 0 {
			continue
		}
		c.drawn = append(c.drawn, mark{Kind: markFill, Area: part, Shape: Shape{Tone: s.Tone}})
		if s.Words != "" && Measure(s.Words, SmallestText, true)+6 <= part.W && r.H >= SmallestText*lineHeight {
			if s.Tone == Bad { // words are not to be read through stripes
				width := Measure(s.Words, SmallestText, true) + 6
				c.Box(Rect{part.Center().X - width/2, part.Y, width, part.H}, Shape{Tone: Bad, Radius: 3, Width: 1, Loose: true})
			}
			c.Text(part, s.Words, Words{Size: SmallestText, Bold: true, Tone: s.Tone, Single: true})
		}
	}
}

// Tick is a place on an axis, and the words under it.
type Tick struct {
	At    float64
	Words string
}

// Axis draws a horizontal axis along the upper edge of an area, ticks with their words below,
// and returns where a value lies. Words that would touch those before are left out.
func (c *Canvas) Axis(r Rect, from, to float64, ticks []Tick) (at func(float64) float64) {
	at = func(v float64) float64 {
		if to <= from {
			return r.X
		}
		return r.X + r.W*min(1, max(0, (v-from)/(to-from)))
	}
	c.Line(Stroke{Tone: Quiet, Width: 1}, Point{r.X, r.Y}, Point{r.Right(), r.Y})
	end := math.Inf(-1)
	for _, t := range ticks {
		x := at(t.At)
		c.Line(Stroke{Tone: Quiet, Width: 1}, Point{x, r.Y}, Point{x, r.Y + 4})
		w := Measure(t.Words, SmallestText, false) + 2
		left := min(max(x-w/2, r.X-w/4), max(r.Right(), x)+3-w)
		if t.Words == "" || left < end {
			continue
		}
		c.Text(Rect{left, r.Y + 5, w, SmallestText * lineHeight}, t.Words, Words{Size: SmallestText, Muted: true, Single: true})
		end = left + w + 4
	}
	return at
}

// List says what was drawn where, a line each: what a test compares.
func (c *Canvas) List() []string {
	out := []string{fmt.Sprintf("canvas %.0f×%.0f", c.W, c.H)}
	for _, m := range c.drawn {
		line := fmt.Sprintf("%s %v", m.Kind, m.Area)
		switch m.Kind {
		case markBox, markFrame, markFill:
			line += " " + m.Shape.Tone.String()
			if m.Shape.Dashed {
				line += " dashed"
			}
		case markLine:
			line = "line"
			for _, p := range m.Points {
				line += fmt.Sprintf(" %.0f,%.0f", p.X, p.Y)
			}
			line += " " + m.Stroke.describe()
		case markText:
			line += fmt.Sprintf(" %gpt %q", m.Style.Size, m.Words)
		case markSign:
			line += " " + m.Sign.String() + " " + m.Tone.String()
		}
		out = append(out, line)
	}
	return out
}

func (s Stroke) describe() string {
	words := []string{s.Tone.String()}
	if s.Dashed {
		words = append(words, "dashed")
	}
	if s.Start {
		words = append(words, "◄")
	}
	if s.End {
		words = append(words, "►")
	}
	return strings.Join(words, " ")
}
