package content

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Drawing is a diagram as boxes and arrows, each at its place, with words for each lens. Places are
// in points from the upper left corner.
type Drawing struct {
	Height float64
	Parts  []Drawn

	words map[string]map[string]Text // by lens (everyLens: of all), then by the words' name
	file  string
	lines map[string]int // of what may be at fault: part:3, words:technique:api …
}

// DrawingWidth is how wide every drawing is, in points: as a phone.
const DrawingWidth = 360

// everyLens is under what the words stand that are the same in every lens.
const everyLens = "*"

// Drawn is one part of a drawing.
type Drawn struct {
	Kind    DrawnKind
	Numbers []float64 // an area: x, y, width, height; a path: x, y, x, y …; a place: x, y
	Words   string    // their name; Word finds them
	Note    string    // that of the lesser words
	Tone    string    // one of Tones; empty: plain
	Sign    string    // one of Signs; empty: none
	Size    float64   // of the words, in points; 0: as usual
	Align   string    // left, right; empty: in the middle
	Dashed  bool
	Both    bool // an arrow's head at each end
	Beside  bool // the lesser words stand beside the others, not below
	Muted   bool
	Bold    bool
}

// DrawnKind is what a part of a drawing is.
type DrawnKind string

// The kinds.
const (
	DrawnFrame DrawnKind = "frame" // holds others; its title is set into its edge
	DrawnBox   DrawnKind = "box"
	DrawnText  DrawnKind = "text"
	DrawnArrow DrawnKind = "arrow"
	DrawnLine  DrawnKind = "line"
	DrawnSign  DrawnKind = "sign"
)

// Tones and Signs are what a drawing may name: bot/picture draws them.
func Tones() []string {
	return []string{"plain", "accent", "second", "good", "waiting", "bad", "quiet"}
}

// Signs are the small signs that a drawing may name.
func Signs() []string {
	return []string{"check", "cross", "bang", "clock", "dash", "ring", "disc", "play", "pause", "lock", "star"}
}

// Word finds words by their name, as a lens says them.
func (d *Drawing) Word(lens, name string) Text {
	for _, l := range []string{lens, everyLens, Technique} {
		if t, ok := d.words[l][name]; ok {
			return t
		}
	}
	return Text{}
}

// label is a text that is written once where both languages say the same.
type label Text

func (l *label) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = label{n.Value, n.Value}
		return nil
	}
	var t at[Text]
	err := t.UnmarshalYAML(n)
	*l = label(t.v)
	return err
}

type drawingFile struct {
	Height float64                         `yaml:"height"`
	Words  map[string]map[string]at[label] `yaml:"words"`
	Parts  []at[drawnPart]                 `yaml:"parts"`
}

// drawnPart has one of the first keys.
type drawnPart struct {
	Frame []float64 `yaml:"frame"`
	Box   []float64 `yaml:"box"`
	Text  []float64 `yaml:"text"`
	Arrow []float64 `yaml:"arrow"`
	Line  []float64 `yaml:"line"`
	Mark  []float64 `yaml:"mark"`

	Words  string  `yaml:"words"`
	Note   string  `yaml:"note"`
	Tone   string  `yaml:"tone"`
	Sign   string  `yaml:"sign"`
	Size   float64 `yaml:"size"`
	Align  string  `yaml:"align"`
	Dashed bool    `yaml:"dashed"`
	Both   bool    `yaml:"both"`
	Beside bool    `yaml:"beside"`
	Muted  bool    `yaml:"muted"`
	Bold   bool    `yaml:"bold"`
}

// drawings reads diagrams/NAME.yaml, for the diagrams that are made of characters already.
func (l *loader) drawings() {
	for _, file := range l.glob("diagrams/*.yaml") {
		d, ok := l.course.Diagram(strings.TrimSuffix(path.Base(file), ".yaml"))
		if !ok {
			l.fault(file, 0, "there is no such diagram made of characters: %s", diagramFile(strings.TrimSuffix(path.Base(file), ".yaml"), Technique, FR))
			continue
		}
		var f drawingFile
		if !l.yaml(file, &f) {
			continue
		}
		d.Drawing = l.drawing(file, f)
	}
}

func (l *loader) drawing(file string, f drawingFile) *Drawing {
	d := &Drawing{Height: f.Height, words: map[string]map[string]Text{}, file: file, lines: map[string]int{}}
	for _, lens := range slices.Sorted(maps.Keys(f.Words)) {
		d.words[lens] = map[string]Text{}
		for _, name := range slices.Sorted(maps.Keys(f.Words[lens])) {
			w := f.Words[lens][name]
			d.words[lens][name] = Text(w.v)
			d.lines["words:"+lens+":"+name] = w.line
			l.must(file, w.line, Text(w.v))
		}
	}
	for i, p := range f.Parts {
		d.lines[fmt.Sprintf("part:%d", i)] = p.line
		part, err := p.v.part()
		if err != nil {
			l.fault(file, p.line, "%v", err)
		}
		d.Parts = append(d.Parts, part)
	}
	return d
}

// part is the one part that an entry gives.
func (p drawnPart) part() (Drawn, error) {
	out := Drawn{
		Words: p.Words, Note: p.Note, Tone: p.Tone, Sign: p.Sign, Size: p.Size, Align: p.Align,
		Dashed: p.Dashed, Both: p.Both, Beside: p.Beside, Muted: p.Muted, Bold: p.Bold,
	}
	for _, k := range []struct {
		kind    DrawnKind
		numbers []float64
	}{{DrawnFrame, p.Frame}, {DrawnBox, p.Box}, {DrawnText, p.Text}, {DrawnArrow, p.Arrow}, {DrawnLine, p.Line}, {DrawnSign, p.Mark}} {
		if k.numbers == nil {
			continue
		}
		if out.Kind != "" {
			return out, fmt.Errorf("a part is one thing: %s or %s", out.Kind, k.kind)
		}
		out.Kind, out.Numbers = k.kind, k.numbers
	}
	switch n := len(out.Numbers); out.Kind {
	case "":
		return out, errors.New("a part is a frame, a box, a text, an arrow, a line or a mark")
	case DrawnArrow, DrawnLine:
		if n < 4 || n%2 != 0 {
			return out, errors.New("an arrow or a line goes through two points or more: [x, y, x, y]")
		}
	case DrawnSign:
		if n != 2 || p.Sign == "" {
			return out, errors.New("a mark has a place, [x, y], and a sign")
		}
	default:
		if n != 4 {
			return out, fmt.Errorf("a %s has an area: [x, y, width, height]", out.Kind)
		}
	}
	return out, nil
}

// drawingHolds proves that a drawing says the same as its diagram made of characters, in the words
// of the same lenses, and that all of it is within its edges.
func (p *prover) drawingHolds(d *Diagram) {
	g := d.Drawing
	if g.Height < 40 || g.Height > 900 {
		p.fault(g.file, 0, "height: a drawing is 40 to 900 points high")
	}
	used := map[string]bool{}
	for i, part := range g.Parts {
		line := g.lines[fmt.Sprintf("part:%d", i)]
		used[part.Words], used[part.Note] = true, true
		p.drawnHolds(g, line, part)
	}
	for _, lens := range slices.Sorted(maps.Keys(g.words)) {
		if _, ok := d.Views[lens]; !ok && lens != everyLens {
			p.fault(g.file, 0, "words: %s: the diagram made of characters has no words of that lens", lens)
		}
		for _, name := range slices.Sorted(maps.Keys(g.words[lens])) {
			if !used[name] {
				p.fault(g.file, g.lines["words:"+lens+":"+name], "words: nothing drawn says %s", name)
			}
		}
	}
	for _, lens := range slices.Sorted(maps.Keys(d.Views)) {
		for _, name := range slices.Sorted(maps.Keys(used)) {
			_, own := g.words[lens][name]
			_, every := g.words[everyLens][name]
			if name != "" && !own && !every {
				p.fault(g.file, 0, "words: %s has none for %s", lens, name)
			}
		}
	}
}

func (p *prover) drawnHolds(g *Drawing, line int, part Drawn) {
	if part.Tone != "" && !slices.Contains(Tones(), part.Tone) {
		p.fault(g.file, line, "there is no tone %s: %s", part.Tone, strings.Join(Tones(), ", "))
	}
	if part.Sign != "" && !slices.Contains(Signs(), part.Sign) {
		p.fault(g.file, line, "there is no sign %s: %s", part.Sign, strings.Join(Signs(), ", "))
	}
	if part.Align != "" && part.Align != "left" && part.Align != "right" {
		p.fault(g.file, line, "align: left or right, or nothing for the middle")
	}
	if part.Kind == DrawnText && part.Words == "" {
		p.fault(g.file, line, "a text has words")
	}
	for i := 0; i+1 < len(part.Numbers); i += 2 {
		x, y := part.Numbers[i], part.Numbers[i+1]
		if i == 2 && part.Kind != DrawnArrow && part.Kind != DrawnLine {
			x, y = x+part.Numbers[0], y+part.Numbers[1]
		}
		if x < 0 || y < 0 || x > DrawingWidth || y > g.Height {
			p.fault(g.file, line, "%g, %g is outside the drawing of %d by %g points", x, y, DrawingWidth, g.Height)
		}
	}
}
