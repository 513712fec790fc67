package picture

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// look is a directory to which the tests write every picture: go test ./bot/picture -look DIR
var look = flag.String("look", "", "write the pictures to this directory")

// written is everything that our texts may be made of.
const written = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,;:!?'\"()[]{}/\\|-_+*=<>@#$%^&~`" +
	"ÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸàâäçéèêëîïôöùûüÿœŒæÆñÑáíóúÁÍÓÚãõ«»“”‘’…–—·•°×≥≤≠≈±½→←↔↑↓●○■□▲\u00a0\u202f\u2011"

func TestFontsHaveEveryCharacter(t *testing.T) {
	if m := Missing(written); len(m) > 0 {
		t.Errorf("missing: %q", m)
	}
	for f := range faces {
		for _, r := range written {
			if fonts()[f].stand(r) == missing && r != missing {
				t.Errorf("font %d lacks %q", f, r)
			}
		}
	}
	if m := Missing("✓ 日"); len(m) != 2 {
		t.Errorf("Missing finds %q", m)
	}
}

func TestContrast(t *testing.T) {
	for _, theme := range []Theme{Light, Dark} {
		if c := contrast(theme.muted(), theme.panel()); c < 4.5 {
			t.Errorf("%v: muted words on a panel: %.2f", theme, c)
		}
		for n := range tones {
			look := theme.of(n)
			for where, c := range map[string]float64{
				"words on their area": contrast(look.ink, look.fill),
				"words on the ground": contrast(look.ink, theme.ground()),
				"words on a panel":    contrast(look.ink, theme.panel()),
				"lesser words":        contrast(theme.muted(), look.fill),
			} {
				if c < 4.5 {
					t.Errorf("%v %v: %s: %.2f, wanted 4.5", theme, n, where, c)
				}
			}
			for where, c := range map[string]float64{
				"edge on the ground": contrast(look.edge, theme.ground()),
				"edge on a panel":    contrast(look.edge, theme.panel()),
				"edge of its area":   contrast(look.edge, look.fill),
			} {
				if c < 3 {
					t.Errorf("%v %v: %s: %.2f, wanted 3", theme, n, where, c)
				}
			}
		}
	}
}

// sampler shows every primitive.
func sampler(theme Theme) *Canvas {
	c := New(PhoneWidth, 470, theme)
	c.Frame(Rect{10, 20, 340, 150}, "Plan de contrôle", Shape{Tone: Accent})
	c.Box(Rect{24, 44, 130, 50}, Shape{Tone: Accent})
	c.Text(Rect{28, 46, 122, 46}, "Serveur API\nla seule porte", Words{Bold: true})
	c.Box(Rect{240, 44, 96, 50}, Shape{})
	c.Text(Rect{244, 46, 88, 46}, "etcd, où tout est inscrit", Words{})
	c.Line(Stroke{Start: true, End: true}, Point{154, 69}, Point{240, 69})
	c.Box(Rect{24, 120, 130, 36}, Shape{Tone: Second, Dashed: true})
	c.Text(Rect{28, 120, 122, 36}, "Planificateur", Words{Tone: Second})
	c.Arrow(Stroke{Dashed: true, Tone: Second}, Point{154, 138}, Point{200, 138}, Point{200, 90}, Point{154, 90})
	for n := range tones {
		c.Badge(Point{16 + float64(n%3)*114, 184 + float64(n/3)*24}, n.String(), Sign(int(n)+1), n)
	}
	for s := range signs {
		c.Sign(s, Point{20 + float64(s)*24, 272}, 14, Plain)
	}
	c.Bar(Rect{16, 290, 328, 20}, Slice{0.4, Good, "disponible"}, Slice{0.35, Bad, "en panne"}, Slice{0.1, Waiting, ""})
	c.Axis(Rect{16, 320, 328, 20}, 0, 300, []Tick{{0, "0 s"}, {50, "50 s"}, {60, "60 s"}, {300, "300 s"}})
	c.Text(Rect{16, 350, 150, 60}, "Un texte assez long, replié à la largeur de sa boîte, où œuvre l'« aîné ».", Words{Align: Left, Valign: Top})
	c.Text(Rect{190, 350, 150, 20}, "web-7c5d9f8b-k2x9p", Words{Mono: true, Align: Right})
	c.Text(Rect{190, 376, 150, 20}, "en petit, et moins fort", Words{Size: 11, Muted: true})
	c.Line(Stroke{Width: 3, Tone: Good}, Point{20, 430}, Point{340, 445})
	return c
}

func TestPrimitives(t *testing.T) {
	for _, theme := range []Theme{Light, Dark} {
		c := sampler(theme)
		for _, f := range c.Faults() {
			t.Error(f)
		}
		shows(t, "sampler-"+theme.String(), c)
	}
}

// shows encodes a picture, checks what a platform asks of it, and writes it where one wants to look.
func shows(t *testing.T, name string, c *Canvas) {
	t.Helper()
	data, err := c.PNG()
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.PNG()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("%s: other bytes the second time (%v)", name, err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if b := img.Bounds(); b.Dx() != int(2*c.W) || b.Dy() != int(2*c.H) {
		t.Errorf("%s: %v pixels", name, b)
	}
	if len(data) > 200<<10 {
		t.Errorf("%s: %d bytes", name, len(data))
	}
	if *look == "" {
		return
	}
	if err := os.MkdirAll(*look, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*look, name+".png"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFaults(t *testing.T) {
	cases := []struct {
		name string
		draw func(c *Canvas)
		want string
	}{
		{"words too long", func(c *Canvas) { c.Text(Rect{0, 0, 40, 15}, "beaucoup trop long", Words{}) }, "do not fit"},
		{"words over words", func(c *Canvas) {
			c.Text(Rect{0, 0, 99, 20}, "un", Words{})
			c.Text(Rect{0, 4, 99, 20}, "deux", Words{})
		}, "overlap"},
		{"boxes overlap", func(c *Canvas) { c.Box(Rect{0, 0, 50, 50}, Shape{}); c.Box(Rect{40, 40, 50, 50}, Shape{}) }, "overlap"},
		{"a line through a box", func(c *Canvas) {
			c.Box(Rect{20, 20, 50, 50}, Shape{})
			c.Line(Stroke{}, Point{0, 40}, Point{90, 40})
		}, "runs through"},
		{"a line through words", func(c *Canvas) {
			c.Line(Stroke{}, Point{0, 10}, Point{90, 10})
			c.Text(Rect{0, 0, 90, 20}, "des mots", Words{})
		}, "runs through"},
		{"outside", func(c *Canvas) { c.Box(Rect{80, 80, 50, 50}, Shape{}) }, "outside"},
		{"a character that no font has", func(c *Canvas) { c.Text(Rect{0, 0, 99, 20}, "oui ✓", Words{}) }, "no font has"},
		{"words out of their box", func(c *Canvas) {
			c.Box(Rect{0, 0, 40, 20}, Shape{})
			c.Text(Rect{0, 0, 90, 20}, "plus larges", Words{})
		}, "sticks out"},
	}
	for _, c := range cases {
		canvas := New(100, 100, Light)
		c.draw(canvas)
		if f := strings.Join(canvas.Faults(), "; "); !strings.Contains(f, c.want) {
			t.Errorf("%s: found %q, wanted %q", c.name, f, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	cases := []struct {
		words string
		width float64
		want  string
	}{
		{"un deux trois", 50, "un deux|trois"},
		{"vers 50\u00a0%", Measure("vers 50", 13, false) + 2, "vers|50\u00a0%"},
		{"web-7c5d9f8b-k2x9p", 100, "web-7c5d9f8b-|k2x9p"},
		{"un\ndeux", 500, "un|deux"},
	}
	for _, c := range cases {
		if got := strings.Join(Wrap(c.words, 13, false, c.width), "|"); got != c.want {
			t.Errorf("Wrap(%q, %v): %q, wanted %q", c.words, c.width, got, c.want)
		}
	}
	for width := 14.0; width < 130; width += 7 {
		short := Shorten("web-7c5d9f8b-k2x9p", 13, false, width)
		if Measure(short, 13, false) > width {
			t.Errorf("Shorten to %v: %q is wider", width, short)
		}
	}
}

// BenchmarkClass is as much as ten nodes and a hundred pods.
func BenchmarkClass(b *testing.B) {
	for b.Loop() {
		c := New(PhoneWidth, 560, Dark)
		for n := range 10 {
			node := Rect{8 + float64(n%2)*174, 20 + float64(n/2)*106, 168, 98}
			c.Frame(node, fmt.Sprintf("node-%d", n+1), Shape{})
			for p := range 10 {
				at := Rect{node.X + 6 + float64(p%2)*79, node.Y + 12 + float64(p/2)*17, 77, 16}
				c.Box(at, Shape{Tone: Tone(p % int(tones)), Radius: 3})
				c.Text(at.Inset(3, 0), fmt.Sprintf("web-7c5d-k2x%d", p), Words{Size: 11, Single: true, Cut: true})
			}
		}
		if _, err := c.PNG(); err != nil {
			b.Fatal(err)
		}
	}
}

// TestKept: a drawing that was kept looks as it did, and takes little room.
func TestKept(t *testing.T) {
	c := sampler(Dark)
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 6<<10 {
		t.Errorf("%d bytes", len(data))
	}
	var again Canvas
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	was, err := c.PNG()
	is, err2 := again.PNG()
	if err != nil || err2 != nil || !bytes.Equal(was, is) {
		t.Errorf("looks otherwise: %v, %v", err, err2)
	}
	key, err := c.Key()
	key2, err2 := again.Key()
	if err != nil || err2 != nil || key != key2 {
		t.Errorf("other keys: %v, %v", err, err2)
	}
	if other, err := sampler(Light).Key(); err != nil || other == key {
		t.Errorf("the light one has the same key: %v", err)
	}
	for _, bad := range []string{`"!"`, `"AAAA"`, `{}`, `""`} {
		if err := json.Unmarshal([]byte(bad), &again); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}
