package picture

import (
	"math"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// Words is how a text looks. The zero value is centred, of 13 points.
type Words struct {
	Size   float64 // in points; 0: 13. It shrinks, down to SmallestText, until the text fits
	Bold   bool
	Mono   bool
	Muted  bool // of less weight than what is beside it
	Tone   Tone
	Align  Align // across
	Valign Align // from the top
	Single bool  // never folded
	Over   bool  // what lies below is covered first: a word on a line
	Cut    bool  // it may be cut, with …: no fault
}

// sized is with the size that no size means.
func (w Words) sized() Words {
	if w.Size == 0 {
		w.Size = 13
	}
	return w
}

// Align is where a text stands in its area.
type Align int

// The places.
const (
	Middle Align = iota
	Left
	Right
	Top    = Left
	Bottom = Right
)

const lineHeight = 1.25

// Text writes words in an area: folded and shrunk until they fit. It returns the area that they
// take. What does not fit even so is cut, and is one of the Faults.
func (c *Canvas) Text(r Rect, words string, w Words) Rect {
	if words = norm.NFC.String(strings.TrimSpace(words)); words == "" {
		return Rect{X: r.X, Y: r.Y}
	}
	w = w.sized()
	w.Size = max(w.Size, SmallestText)
	lines, size, fits := fit(words, r, w)
	if !fits && !w.Cut {
		c.fault("the words %q do not fit into %.0f×%.0f points", words, r.W, r.H)
	}
	w.Size = size
	height := float64(len(lines)) * size * lineHeight
	y := r.Y + (r.H-height)/2
	switch w.Valign {
	case Top:
		y = r.Y
	case Bottom:
		y = r.Bottom() - height
	}
	used := Rect{math.Inf(1), y, 0, height}
	right := math.Inf(-1)
	for _, line := range lines {
		width := Measure(line, size, w.Bold)
		if w.Mono {
			width = measure(line, size, mono)
		}
		x := r.X + (r.W-width)/2
		switch w.Align {
		case Left:
			x = r.X
		case Right:
			x = r.Right() - width
		}
		c.drawn = append(c.drawn, mark{Kind: markText, Area: Rect{x, y, width, size * lineHeight}, Words: line, Style: w})
		used.X, right = min(used.X, x), max(right, x+width)
		y += size * lineHeight
	}
	used.W = right - used.X
	return used
}

// fit finds the largest size, not above the wanted, at which words fit into an area.
func fit(words string, r Rect, w Words) (lines []string, size float64, fits bool) {
	face := w.face()
	for size = w.Size; ; size = max(SmallestText, size-0.5) {
		if w.Single {
			lines = []string{words}
		} else {
			lines = balanced(words, size, face, r.W)
		}
		fits = float64(len(lines))*size*lineHeight <= r.H+1
		for _, l := range lines {
			fits = fits && measure(l, size, face) <= r.W+0.5
		}
		if fits || size <= SmallestText {
			break
		}
	}
	if fits {
		return lines, size, true
	}
	if most := max(1, int((r.H+1)/(size*lineHeight))); len(lines) > most {
		lines = append(lines[:most-1:most-1], lines[most-1]+"…")
	}
	for i, l := range lines {
		lines[i] = shorten(l, size, face, r.W)
	}
	return lines, size, false
}

// Wrap folds words at a width, in points.
func Wrap(words string, size float64, bold bool, width float64) []string {
	return wrap(words, size, Words{Bold: bold}.face(), width)
}

// wrap folds at blanks, and where even a word is too long after a hyphen or slash in it, or before a capital. A no-break space
// holds what it stands between together. A new line in the words is kept.
func wrap(words string, size float64, f face, width float64) (lines []string) {
	for paragraph := range strings.SplitSeq(words, "\n") {
		line := ""
		for word := range strings.SplitSeq(paragraph, " ") {
			if joined := strings.TrimSpace(line + " " + word); measure(joined, size, f) <= width {
				line = joined
				continue
			}
			if line != "" {
				lines = append(lines, line)
			}
			line = word
			for measure(line, size, f) > width {
				head := breaking(line, size, f, width)
				if head == 0 {
					break
				}
				lines = append(lines, line[:head])
				line = line[head:]
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// balanced folds at a width, and then as evenly as so many lines can be: no word stays alone.
func balanced(words string, size float64, f face, width float64) []string {
	lines := wrap(words, size, f, width)
	for low, high := width/2, width; len(lines) > 1 && high-low > 1; {
		middle := (low + high) / 2
		narrower := wrap(words, size, f, middle)
		fits := len(narrower) == len(lines)
		for _, l := range narrower {
			fits = fits && measure(l, size, f) <= middle
		}
		if fits {
			lines, high = narrower, middle
		} else {
			low = middle
		}
	}
	return lines
}

// breaking is how much of a long word fits, up to a hyphen or a slash, or to a capital within it as ContainerCreating has
// one; 0: nothing.
func breaking(word string, size float64, f face, width float64) int {
	between := func(a, b byte) bool { return a == '-' || a == '/' || 'a' <= a && a <= 'z' && 'A' <= b && b <= 'Z' }
	for i := len(word) - 1; i > 0; i-- {
		if between(word[i-1], word[i]) && measure(word[:i], size, f) <= width {
			return i
		}
	}
	return 0
}

// Shorten cuts the middle out of a name until it is no wider than a number of points.
func Shorten(name string, size float64, bold bool, width float64) string {
	return shorten(name, size, Words{Bold: bold}.face(), width)
}

func shorten(name string, size float64, f face, width float64) string {
	if measure(name, size, f) <= width {
		return name
	}
	runes := []rune(name)
	for keep := len(runes) - 1; keep > 0; keep-- {
		tail := keep / 2
		if strings.HasSuffix(name, "…") {
			tail = 0
		}
		short := strings.TrimRight(string(runes[:keep-tail]), "… -") + "…" + string(runes[len(runes)-tail:])
		if measure(short, size, f) <= width {
			return short
		}
	}
	return "…"
}

// Measure is how wide words are on one line, in points.
func Measure(words string, size float64, bold bool) float64 {
	return measure(words, size, Words{Bold: bold}.face())
}

type face int

const (
	regular face = iota
	bold
	mono
	faces
)

func (w Words) face() face {
	switch {
	case w.Mono:
		return mono
	case w.Bold:
		return bold
	}
	return regular
}

// unitsPerEm is the size at which the fonts are measured: large, so that nothing is rounded.
const unitsPerEm = 2048

// typeface is a font, and what each of its characters measures.
type typeface struct {
	font     *sfnt.Font
	advances map[rune]float64 // in ems
	ascent   float64          // in ems, as descent
	descent  float64
}

// fonts are Go's own, parsed when first needed, and never changed.
var fonts = sync.OnceValue(func() (out [faces]*typeface) {
	for f, data := range [faces][]byte{regular: goregular.TTF, bold: gobold.TTF, mono: gomono.TTF} {
		parsed, err := sfnt.Parse(data)
		if err != nil {
			panic(err) // a build whose tests did not pass
		}
		out[f] = newTypeface(parsed)
	}
	return out
})

func newTypeface(f *sfnt.Font) *typeface {
	const last = 0x2600 // the fonts have nothing beyond but ligatures
	t := &typeface{font: f, advances: map[rune]float64{}}
	var b sfnt.Buffer
	for r := rune(' '); r < last; r++ {
		g, err := f.GlyphIndex(&b, r)
		if err != nil || g == 0 {
			continue
		}
		if a, err := f.GlyphAdvance(&b, g, fixed.I(unitsPerEm), font.HintingNone); err == nil {
			t.advances[r] = float64(a) / 64 / unitsPerEm
		}
	}
	if m, err := f.Metrics(&b, fixed.I(unitsPerEm), font.HintingNone); err == nil {
		t.ascent, t.descent = float64(m.Ascent)/64/unitsPerEm, float64(m.Descent)/64/unitsPerEm
	}
	return t
}

// stand is a character that the font has in place of one that it has not.
func (t *typeface) stand(r rune) rune {
	if _, ok := t.advances[r]; ok {
		return r
	}
	switch r {
	case '\u202f', '\u2009', '\t':
		return '\u00a0'
	case '\u2011':
		return '-'
	}
	base, _ := utf8.DecodeRuneInString(norm.NFKD.String(string(r)))
	if _, ok := t.advances[base]; ok {
		return base
	}
	return missing
}

// missing is drawn for a character that no font has.
const missing = '□'

func measure(words string, size float64, f face) (width float64) {
	t := fonts()[f]
	for _, r := range words {
		a, ok := t.advances[r]
		if !ok {
			a = t.advances[t.stand(r)]
		}
		width += a
	}
	return width * size
}

// Missing are the characters of a text that the fonts do not have.
func Missing(words string) (out []rune) {
	for _, r := range norm.NFC.String(words) {
		if r != '\n' && fonts()[regular].stand(r) == missing && r != missing {
			out = append(out, r)
		}
	}
	return out
}
