package picture

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// raster turns a drawing into pixels.
type raster struct {
	scale  float64
	theme  Theme
	img    *image.RGBA
	filler *vector.Rasterizer
	mask   *image.Alpha
	buffer sfnt.Buffer
	glyphs map[glyph]stamp
}

// glyph is a character as it is stamped: at a quarter of a pixel.
type glyph struct {
	r    rune
	f    face
	size float64
	part int
}

// stamp is a character's pixels, from where they begin.
type stamp struct {
	mask *image.Alpha
	at   image.Point
}

// Image is the drawing in pixels.
func (c *Canvas) Image() *image.RGBA {
	scale := c.Scale
	if scale <= 0 {
		scale = 2
	}
	r := &raster{scale: scale, theme: c.Theme, filler: vector.NewRasterizer(0, 0), mask: image.NewAlpha(image.Rectangle{}), glyphs: map[glyph]stamp{}}
	r.img = image.NewRGBA(image.Rect(0, 0, int(math.Ceil(c.W*scale)), int(math.Ceil(c.H*scale))))
	r.flood(c.Theme.ground())
	for _, m := range c.drawn {
		r.draw(m)
	}
	return r.img
}

func (r *raster) flood(c color.RGBA) {
	pix := r.img.Pix
	pix[0], pix[1], pix[2], pix[3] = c.R, c.G, c.B, c.A
	for n := 4; n < len(pix); n *= 2 {
		copy(pix[n:], pix[:n])
	}
}

func (r *raster) draw(m mark) {
	switch m.Kind {
	case markBox:
		look := r.theme.of(m.Shape.Tone)
		r.box(m, look.fill, look.edge)
	case markFrame:
		r.box(m, r.theme.panel(), r.theme.of(m.Shape.Tone).edge)
	case markFill:
		r.slice(m)
	case markLine:
		r.line(m.Points, m.Stroke, r.theme.of(m.Stroke.Tone).edge)
	case markText:
		r.text(m)
	case markSign:
		r.drawSign(m)
	}
}

func (r *raster) box(m mark, fill, edge color.RGBA) {
	radius, width := m.Shape.Radius, m.Shape.Width
	if radius == 0 {
		radius = 6
	}
	if width == 0 {
		width = 1.25
	}
	radius = min(radius, m.Area.W/2, m.Area.H/2)
	outline := rounded(m.Area, radius)
	r.fill(fill, outline)
	if m.Shape.Dashed {
		r.fill(edge, dashes(append(outline, outline[0]), width, 4, 3)...)
		return
	}
	inner := m.Area.Inset(width, width)
	if inner.W <= 0 || inner.H <= 0 {
		r.fill(edge, outline)
		return
	}
	r.fill(edge, outline, backwards(rounded(inner, max(0, radius-width))))
}

// slice fills a part of a bar; what is bad is striped, so that it shows without colour.
func (r *raster) slice(m mark) {
	look := r.theme.of(m.Shape.Tone)
	r.fill(look.fill, corners(m.Area))
	edge := m.Area
	r.fill(look.edge, corners(Rect{edge.X, edge.Bottom() - 2, edge.W, 2}))
	if !m.Shape.Open {
		r.fill(look.edge, corners(Rect{edge.X, edge.Y, 1, edge.H}))
	}
	if m.Shape.Tone != Bad {
		return
	}
	const step, wide = 7, 1.2
	for x := edge.X - edge.H; x < edge.Right(); x += step {
		if p, q, ok := clipped(Point{x, edge.Bottom()}, Point{x + edge.H, edge.Y}, edge); ok {
			r.fill(look.edge, segment(p, q, wide))
		}
	}
}

// line draws a polyline, and its heads.
func (r *raster) line(points []Point, s Stroke, c color.RGBA) {
	width := s.Width
	if width == 0 {
		width = 1.5
	}
	path := bent(points, 6)
	var heads [][]Point
	if s.End {
		heads, path = headed(heads, path, width)
	}
	if s.Start {
		heads, path = headed(heads, backwards(path), width)
		path = backwards(path)
	}
	if s.Dashed {
		r.fill(c, dashes(path, width, 5, 3.5)...)
	} else {
		r.fill(c, stroked(path, width)...)
	}
	for _, h := range heads {
		r.fill(c, h)
	}
}

func (r *raster) drawSign(m mark) {
	unit := m.Area.W / 10
	place := func(points []Point) []Point {
		out := make([]Point, len(points))
		for i, p := range points {
			out[i] = Point{m.Area.X + p.X*unit, m.Area.Y + p.Y*unit}
		}
		return out
	}
	width := max(1.2, 1.6*unit)
	s, ink := m.Sign.strokes(), r.theme.of(m.Tone).ink
	for _, l := range s.lines {
		r.fill(ink, stroked(place(l), width)...)
	}
	for _, f := range s.filled {
		r.fill(ink, clockwise(place(f)))
	}
	for _, d := range s.discs {
		r.fill(ink, circle(m.Area.Center(), d*unit))
	}
	for _, d := range s.rings {
		r.fill(ink, circle(m.Area.Center(), d*unit), backwards(circle(m.Area.Center(), d*unit-width*0.8)))
	}
}

// fill fills closed paths, each clockwise; those that run backwards are holes.
func (r *raster) fill(c color.RGBA, paths ...[]Point) {
	low, high := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, path := range paths {
		for _, p := range path {
			low, high = Point{min(low.X, p.X), min(low.Y, p.Y)}, Point{max(high.X, p.X), max(high.Y, p.Y)}
		}
	}
	if low.X > high.X {
		return
	}
	x, y := math.Floor(low.X*r.scale), math.Floor(low.Y*r.scale)
	w, h := int(math.Ceil(high.X*r.scale)-x)+1, int(math.Ceil(high.Y*r.scale)-y)+1
	r.filler.Reset(w, h)
	for _, path := range paths {
		for i, p := range path {
			px, py := float32(p.X*r.scale-x), float32(p.Y*r.scale-y)
			if i == 0 {
				r.filler.MoveTo(px, py)
			} else {
				r.filler.LineTo(px, py)
			}
		}
		r.filler.ClosePath()
	}
	if need := w * h; cap(r.mask.Pix) < need {
		r.mask.Pix = make([]uint8, need)
	}
	r.mask.Pix, r.mask.Stride, r.mask.Rect = r.mask.Pix[:w*h], w, image.Rect(0, 0, w, h)
	clear(r.mask.Pix)
	r.filler.Draw(r.mask, r.mask.Rect, image.Opaque, image.Point{})
	r.blend(r.mask, image.Pt(int(x), int(y)), c)
}

// blend lays a colour over the picture through a mask. Sixteen degrees are enough for the eye, and
// keep the picture's colours few.
func (r *raster) blend(mask *image.Alpha, at image.Point, c color.RGBA) {
	area := mask.Rect.Add(at).Intersect(r.img.Rect)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		from := mask.Pix[(y-at.Y)*mask.Stride+area.Min.X-at.X:]
		to := r.img.Pix[r.img.PixOffset(area.Min.X, y):]
		for x := range area.Dx() {
			switch a := (uint32(from[x])*15 + 127) / 255; a {
			case 0:
			case 15:
				to[4*x], to[4*x+1], to[4*x+2] = c.R, c.G, c.B
			default:
				to[4*x] = uint8((uint32(c.R)*a + uint32(to[4*x])*(15-a) + 7) / 15)
				to[4*x+1] = uint8((uint32(c.G)*a + uint32(to[4*x+1])*(15-a) + 7) / 15)
				to[4*x+2] = uint8((uint32(c.B)*a + uint32(to[4*x+2])*(15-a) + 7) / 15)
			}
		}
	}
}

func (r *raster) text(m mark) {
	f := m.Style.face()
	t := fonts()[f]
	if m.Style.Over {
		r.cover(m.Area)
	}
	ink := r.theme.of(m.Style.Tone).ink
	if m.Style.Muted {
		ink = r.theme.muted()
	}
	spare := m.Area.H - (t.ascent+t.descent)*m.Style.Size
	base := math.Round((m.Area.Y + spare/2 + t.ascent*m.Style.Size) * r.scale)
	x := m.Area.X * r.scale
	for _, c := range m.Words {
		c = t.stand(c)
		const parts = 4
		whole := math.Floor(x*parts) / parts
		left := math.Floor(whole)
		s := r.glyph(glyph{c, f, m.Style.Size, int((whole - left) * parts)})
		if s.mask != nil {
			r.blend(s.mask, s.at.Add(image.Pt(int(left), int(base))), ink)
		}
		x += t.advances[c] * m.Style.Size * r.scale
	}
}

// cover hides what lies under words, by what is beside them: above as above, below as below.
func (r *raster) cover(words Rect) {
	area := words.Inset(-4, 1)
	half := Rect{area.X, area.Y, area.W, area.H / 2}
	beside := func(y float64) color.RGBA {
		return r.img.RGBAAt(int((area.X-1)*r.scale), int(y*r.scale))
	}
	above, below := beside(area.Y), beside(area.Bottom())
	r.fill(above, corners(half))
	half.Y += half.H
	r.fill(below, corners(half))
}

// glyph is a character's stamp, made once.
func (r *raster) glyph(g glyph) stamp {
	if s, ok := r.glyphs[g]; ok {
		return s
	}
	s := r.stamp(g)
	r.glyphs[g] = s
	return s
}

func (r *raster) stamp(g glyph) stamp {
	t := fonts()[g.f]
	index, err := t.font.GlyphIndex(&r.buffer, g.r)
	if err != nil {
		return stamp{}
	}
	segments, err := t.font.LoadGlyph(&r.buffer, index, fixed.Int26_6(math.Round(g.size*r.scale*64)), nil)
	if err != nil || len(segments) == 0 {
		return stamp{}
	}
	bounds := segments.Bounds()
	x, y := bounds.Min.X.Floor(), bounds.Min.Y.Floor()
	w, h := bounds.Max.X.Ceil()-x+2, bounds.Max.Y.Ceil()-y+1
	shift := float32(g.part) / 4
	at := func(p fixed.Point26_6) (float32, float32) {
		return float32(p.X)/64 - float32(x) + shift, float32(p.Y)/64 - float32(y)
	}
	r.filler.Reset(w, h)
	for _, s := range segments {
		ax, ay := at(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			r.filler.ClosePath()
			r.filler.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			r.filler.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			bx, by := at(s.Args[1])
			r.filler.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			bx, by := at(s.Args[1])
			cx, cy := at(s.Args[2])
			r.filler.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	r.filler.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, w, h))
	r.filler.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	return stamp{mask, image.Pt(x, y)}
}
