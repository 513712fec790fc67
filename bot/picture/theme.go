package picture

import (
	"image/color"
	"math"
)

// Theme is the light or the dark one.
type Theme int

// The themes.
const (
	Light Theme = iota
	Dark
)

func (t Theme) String() string {
	if t == Dark {
		return "dark"
	}
	return "light"
}

// Tone is what a colour means. Meaning is never in the colour alone: a sign or a word goes with it.
type Tone int

// The tones. Their colours are told apart by people who see red and green alike (after Okabe and Ito).
const (
	Plain   Tone = iota
	Accent       // what a picture is about
	Second       // what it is about, too
	Good         // ready, reached
	Waiting      // on its way
	Bad          // failed, lost
	Quiet        // there, but of no matter now
	tones
)

func (t Tone) String() string {
	return [...]string{"plain", "accent", "second", "good", "waiting", "bad", "quiet"}[t]
}

// colours are those of a tone: of its area, its edge and lines, and the words and signs on the
// area, the ground or a panel.
type colours struct{ fill, edge, ink color.RGBA }

func rgb(hex uint32) color.RGBA {
	return color.RGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255}
}

func tone(fill, edge, ink uint32) colours { return colours{rgb(fill), rgb(edge), rgb(ink)} }

// ground is what everything is drawn on, panel the inside of a frame, muted the lesser words.
func (t Theme) ground() color.RGBA {
	if t == Dark {
		return rgb(0x1e1f24)
	}
	return rgb(0xffffff)
}

func (t Theme) panel() color.RGBA {
	if t == Dark {
		return rgb(0x26282f)
	}
	return rgb(0xf5f7fa)
}

func (t Theme) muted() color.RGBA {
	if t == Dark {
		return rgb(0xb4bac6)
	}
	return rgb(0x4d5766)
}

// of is a tone's colours.
func (t Theme) of(n Tone) colours {
	if t == Dark {
		return [tones]colours{
			Plain:   tone(0x33363f, 0x8f97a6, 0xf1f3f7),
			Accent:  tone(0x173f66, 0x56a8e8, 0xcfe7fb),
			Second:  tone(0x4a2f52, 0xcc8fd6, 0xf3d9f7),
			Good:    tone(0x10453a, 0x2fb893, 0xbff3e2),
			Waiting: tone(0x4f3d0c, 0xe0a82a, 0xfae3ab),
			Bad:     tone(0x5e2413, 0xf0814f, 0xffd9c9),
			Quiet:   tone(0x2b2d34, 0x7d8594, 0xc3c8d2),
		}[n]
	}
	return [tones]colours{
		Plain:   tone(0xffffff, 0x5f6b7a, 0x1b222c),
		Accent:  tone(0xdcecfb, 0x0068ad, 0x003d69),
		Second:  tone(0xf5e3f4, 0x9c4f91, 0x5c2355),
		Good:    tone(0xd8f3ea, 0x00805f, 0x00493a),
		Waiting: tone(0xfdf0cc, 0xa06a00, 0x5b3c00),
		Bad:     tone(0xfde3d8, 0xc24a00, 0x7a2a00),
		Quiet:   tone(0xeceff3, 0x74808f, 0x465060),
	}[n]
}

// contrast is the ratio between two colours, 1 to 21, as WCAG 2 has it.
func contrast(a, b color.RGBA) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}
