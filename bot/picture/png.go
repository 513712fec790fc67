package picture

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
)

// largest is how wide and how high a drawing may be, in points.
const largest = 4000

// PNG is the drawing as a file, of 256 colours at most.
func (c *Canvas) PNG() ([]byte, error) {
	if !(c.W >= 1 && c.W <= largest && c.H >= 1 && c.H <= largest && c.Scale <= 4) {
		return nil, fmt.Errorf("encode picture: %g by %g points at %g", c.W, c.H, c.Scale)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, paletted(c.Image())); err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	return b.Bytes(), nil
}

// paletted reduces a picture to its 256 most frequent colours.
func paletted(img *image.RGBA) *image.Paletted {
	counts := map[color.RGBA]int{}
	run(img, func(c color.RGBA, n int, _ int) { counts[c] += n })
	all := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(number(a), number(b)))
	})
	var palette color.Palette
	index := make(map[color.RGBA]uint8, len(all))
	for i, c := range all {
		if i < 256 {
			palette = append(palette, c)
			index[c] = uint8(i)
		} else {
			index[c] = uint8(palette.Index(c))
		}
	}
	out := image.NewPaletted(img.Rect, palette)
	run(img, func(c color.RGBA, n int, at int) {
		i := index[c]
		for p := range n {
			out.Pix[at+p] = i
		}
	})
	return out
}

func number(c color.RGBA) int { return int(c.R)<<16 | int(c.G)<<8 | int(c.B) }

// run goes through a picture's pixels, those of one colour in a row at a time.
func run(img *image.RGBA, each func(c color.RGBA, n, at int)) {
	pix, start := img.Pix, 0
	for i := 0; i < len(pix); i += 4 {
		if i+4 < len(pix) && pix[i] == pix[i+4] && pix[i+1] == pix[i+5] && pix[i+2] == pix[i+6] {
			continue
		}
		each(color.RGBA{pix[i], pix[i+1], pix[i+2], 255}, i/4+1-start, start)
		start = i/4 + 1
	}
}
