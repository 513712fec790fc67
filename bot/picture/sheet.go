package picture

import (
	"time"

	"math"
	"strconv"
)

// sheet is a drawing that is laid out from top to bottom, and as high as it turns out.
type sheet struct {
	*Canvas
	y float64
}

const (
	margin = 12
	inner  = PhoneWidth - 2*margin // what is left between the margins
	small  = SmallestText
)

// begin is a sheet with its title, and what is said below it.
func begin(t Theme, title, note string) *sheet {
	s := &sheet{New(PhoneWidth, 1e6, t), margin}
	s.say(title, Words{Size: 16, Bold: true}, margin, inner)
	if note != "" {
		s.say(note, Words{Size: small, Muted: true}, margin, inner)
	}
	s.y += 8
	return s
}

// end cuts the sheet to what was drawn.
func (s *sheet) end(note string) *Canvas {
	if note != "" {
		s.y += 6
		s.say(note, Words{Size: small, Muted: true}, margin, inner)
	}
	s.H = math.Ceil(s.y + margin)
	return s.Canvas
}

// say writes a paragraph from the left, and goes on below it.
func (s *sheet) say(words string, w Words, x, width float64) {
	if words == "" {
		return
	}
	w.Align, w.Valign = Left, Top
	s.y += s.Text(Rect{x, s.y, width, 1e5}, words, w).H
}

// height is how high a paragraph is going to be.
func height(words string, size float64, bold bool, width float64) float64 {
	if words == "" {
		return 0
	}
	return float64(len(Wrap(words, size, bold, width))) * size * lineHeight
}

// point is a line that a sign begins.
func (s *sheet) point(sign Sign, tone Tone, words string, w Words, x, width float64) {
	const hang = 18
	if w.Size == 0 {
		w.Size = 12
	}
	s.Sign(sign, Point{x + 6, s.y + w.Size*lineHeight/2}, 10, tone)
	s.say(words, w, x+hang, width-hang)
	s.y += 2
}

// number is a number in a small disc, centred on a point.
func (s *sheet) number(n int, at Point, tone Tone) {
	const radius = 8
	r := Rect{at.X - radius, at.Y - radius, 2 * radius, 2 * radius}
	s.Box(r, Shape{Tone: tone, Radius: radius, Width: 1, Loose: true})
	s.Text(r, strconv.Itoa(n), Words{Size: small, Bold: true, Tone: tone, Single: true})
}

// area fills a part of something larger.
func (c *Canvas) area(r Rect, tone Tone) {
	if r.W > 0 && r.H > 0 {
		c.drawn = append(c.drawn, mark{Kind: markFill, Area: r, Shape: Shape{Tone: tone}})
	}
}

// notice is a box across the sheet that says how it ends.
func (s *sheet) notice(sign Sign, tone Tone, words string) {
	const pad, hang = 9, 20
	h := height(words, 13, true, inner-2*pad-hang)
	s.Box(Rect{margin, s.y, inner, h + 2*pad - 4}, Shape{Tone: tone})
	s.y += pad - 2
	y := s.y
	s.Sign(sign, Point{margin + pad + 6, y + 13*lineHeight/2}, 12, tone)
	s.say(words, Words{Bold: true, Tone: tone}, margin+pad+hang, inner-2*pad-hang)
	s.y = y + h + pad - 2
}

// signOf is the sign that says what a tone's colour says.
func signOf(t Tone) Sign {
	return [tones]Sign{Plain: NoSign, Accent: Disc, Second: Ring, Good: Check, Waiting: Clock, Bad: Cross, Quiet: Dash}[t]
}

// timeAxis is an axis of so long a time below what is drawn over the plot's width, its moments in say's words.
func (s *sheet) timeAxis(plot Rect, length time.Duration, say func(time.Duration) string) {
	var at []Tick
	for _, d := range ticks(length, 4) {
		words := "0"
		if d > 0 {
			words = say(d)
		}
		at = append(at, Tick{float64(d), words})
	}
	s.Axis(Rect{plot.X, s.y, plot.W, 20}, 0, max(1, float64(length)), at)
}
