// Package content is the course: what Timonier teaches, in French and in English,
// as files that a teacher edits without knowing Go, and the Go that loads and
// proves them. The files' formats are told in README.md.
//
// It knows the simulator's steps, since a lens puts them into words. It does not
// know the tutor: it never sees a chat, a button or a learner.
package content

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"timonier/sim/kubelet"
)

//go:embed course.yaml glossary.yaml images.yaml lessons diagrams analogies lenses exercises stories bank
//go:embed all:pictures
var files embed.FS

// Files are the course's own files, as built into the program.
func Files() fs.FS { return files }

// Default is the built-in course. A test proves that it loads, so it never fails.
var Default = sync.OnceValue(func() *Course {
	l := loadApart(files)
	c, err := l.loaded()
	if err != nil {
		panic(err) // a build whose tests did not pass
	}
	// The bank is as large as all the rest: it is read by whoever first asks for a question, so
	// that nobody waits for it at the start.
	c.bank = sync.OnceValue(func() *Bank {
		l.readBank()
		if _, err := l.loaded(); err != nil {
			panic(err)
		}
		return &l.bank
	})
	return c
})

// Images are what the simulated registries of the built-in course hold.
func Images() kubelet.Images { return Default().Images }

// Lang is a language of the course.
type Lang string

// The languages of the course, the first one first.
const (
	FR Lang = "fr"
	EN Lang = "en"
)

// Langs are the languages that every text must exist in.
func Langs() []Lang { return []Lang{FR, EN} }

// Text is the same in both languages.
type Text struct {
	FR string `yaml:"fr" json:"fr,omitempty"`
	EN string `yaml:"en" json:"en,omitempty"`
}

// UnmarshalYAML reads it as strictly as the file around it, at whatever depth it stands.
func (t *Text) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		type plain Text
		err := n.Decode((*plain)(t)) // it says what is wrong
		var wrong *yaml.TypeError
		if errors.As(err, &wrong) {
			for i, e := range wrong.Errors {
				wrong.Errors[i] = strings.Replace(e, "content.plain", "content.Text", 1)
			}
		}
		return err
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var to *string
		switch key := n.Content[i]; key.Value {
		case string(FR):
			to = &t.FR
		case string(EN):
			to = &t.EN
		default:
			return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: field %s not found in type content.Text", key.Line, key.Value)}}
		}
		if err := n.Content[i+1].Decode(to); err != nil {
			return err
		}
	}
	return nil
}

// In is the text in a language; French if the course does not know the language.
func (t Text) In(l Lang) string {
	if l == EN {
		return t.EN
	}
	return t.FR
}

// Any is the text in a language, or in the other where it is in that one only, as a teacher's
// own question may be.
func (t Text) Any(l Lang) string {
	if l == EN && t.EN != "" || t.FR == "" {
		return t.EN
	}
	return t.FR
}

// Course is everything there is to teach.
type Course struct {
	Title     Text
	Sections  []*Section  // in the order of the table of contents
	Terms     []*Term     // the glossary, by ID
	Diagrams  []*Diagram  // by name
	Pictures  []*Picture  // by name
	Analogies []*Analogy  // by number
	Lenses    []*Lens     // the first is the plain, technical one; then by ID
	Exercises []*Exercise // by ID
	Images    kubelet.Images
	Stories   []*Story // by number

	bank func() *Bank
}

// Section is a chapter: 3, API server.
type Section struct {
	Number  int
	Title   Text
	Lessons []*Lesson
	line    int
}

// Lesson is a subsection: 3.1, Roles and responsibilities.
type Lesson struct {
	ID       string // 3.1
	Section  *Section
	Title    Text
	Requires []string // IDs of the lessons to master before

	Point    Text     // the one thing to keep, in a sentence; empty if not written yet
	Terms    []string // IDs of the glossary's terms that it explains
	termsEN  []string // the same, as its English file has them
	messages map[Lang][]Message
	file     map[Lang]string
}

// Written says whether there is a lesson to tell: not every entry of the table of
// contents has its text yet.
func (l *Lesson) Written() bool { return len(l.messages[FR]) > 0 }

// Messages are the lesson in a language, in the order of telling. As many in each language.
func (l *Lesson) Messages(lang Lang) []Message {
	if lang == EN {
		return l.messages[EN]
	}
	return l.messages[FR]
}

// Message is one short message of a lesson: what fits a phone's screen.
type Message struct {
	Title string // may be empty; plain text
	Parts []Part
	Tries []Try
	Line  int // of the file, where it begins
}

// Part is a piece of a message: Prose, Code, Figure, Image or Quote, and nothing else.
type Part interface{ part() }

// Prose is Markdown: paragraphs, lists, bold, italic, code, links; no headings, no tables.
// A link goes to https://…, or to lesson:3.1, or to term:etcd.
type Prose struct{ Markdown string }

// Code is text whose columns and blanks count.
type Code struct {
	Language string // yaml, text …; may be empty
	Text     string
}

// Figure stands where a diagram is to be drawn.
type Figure struct {
	Diagram string // a Diagram's name
	Lens    string // in whose words; a Lens's ID, technique if the lesson names none
}

// Image stands where a picture is to be shown.
type Image struct {
	Picture string // a Picture's name
	Alt     string // the same said in words
	line    int    // of the file
}

// Quote sets words apart: an analogy, and where it breaks. Markdown.
type Quote struct{ Markdown string }

func (Prose) part()  {}
func (Code) part()   {}
func (Figure) part() {}
func (Image) part()  {}
func (Quote) part()  {}

// Try is a command that the learner is offered.
type Try struct {
	Label  string   // what the button says; empty: the command itself
	Line   string   // as one would type it: /kubectl get pods; further lines are its standard input
	Expect []string // texts that the answer contains, on a fresh cluster on which the lesson's earlier commands ran
	line   int      // of the file
}

// Term is an entry of the glossary: a concept of Kubernetes.
type Term struct {
	ID         string `yaml:"id"`
	Name       Text   `yaml:"name"`
	Also       Text   `yaml:"also"` // other names, separated by commas: what a learner may look for
	Definition Text   `yaml:"definition"`
	Lesson     string `yaml:"lesson"`
	Try        Line   `yaml:"try"`    // a command that shows it, where a Deployment web runs; may be empty
	Expect     Line   `yaml:"expect"` // a text that its answer holds; may be empty
	line       int
}

// Diagram is a drawing made of characters, in the words of one lens or more.
type Diagram struct {
	Name    string
	Views   map[string]View // by the lens's ID
	Drawing *Drawing        // the same as boxes and arrows; nil: not drawn so
}

// In is the drawing in a lens's words, or in technical words where that lens has none.
func (d *Diagram) In(lens string) View {
	if v, ok := d.Views[lens]; ok {
		return v
	}
	return d.Views[Technique]
}

// View is a diagram in the words of one lens.
type View struct {
	Title Text
	Text  Text // drawn; at most DiagramWidth columns
	Alt   Text // the same said in words
}

// DiagramWidth is how many columns a diagram may have, so that a phone does not fold it.
const DiagramWidth = 44

// Analogy maps concepts to images, and says where each image breaks.
type Analogy struct {
	Number  int
	ID      string // formation, the same as its lens's
	Title   Text
	Intro   Text // Markdown
	Rows    []Row
	Steps   []Phase // how work flows through it; may be empty
	Diagram string  // a Diagram's name
	file    string
}

// Row is a concept, its image, and where the image breaks.
type Row struct {
	Concept string `yaml:"concept"` // a Term's ID
	Image   Text   `yaml:"image"`
	Like    Text   `yaml:"like"`   // what they have in common
	Breaks  Text   `yaml:"breaks"` // empty where the image holds
}

// Phase is a step of an analogy's workflow.
type Phase struct {
	Title  Text `yaml:"title"`
	What   Text `yaml:"what"`
	Action Text `yaml:"action"`
}

// Row finds what the analogy says of a concept.
func (a *Analogy) Row(concept string) (Row, bool) {
	i := slices.IndexFunc(a.Rows, func(r Row) bool { return r.Concept == concept })
	if i < 0 {
		return Row{}, false
	}
	return a.Rows[i], true
}

// Lessons are all lessons, in the order of the table of contents.
func (c *Course) Lessons() iter.Seq[*Lesson] {
	return func(yield func(*Lesson) bool) {
		for _, s := range c.Sections {
			for _, l := range s.Lessons {
				if !yield(l) {
					return
				}
			}
		}
	}
}

// Lesson finds a lesson by its ID, as 3.1.
func (c *Course) Lesson(id string) (*Lesson, bool) {
	for l := range c.Lessons() {
		if l.ID == id {
			return l, true
		}
	}
	return nil, false
}

// Section finds a section by its number.
func (c *Course) Section(number int) (*Section, bool) {
	return find(c.Sections, func(s *Section) bool { return s.Number == number })
}

// Diagram finds a diagram by its name.
func (c *Course) Diagram(name string) (*Diagram, bool) {
	return find(c.Diagrams, func(d *Diagram) bool { return d.Name == name })
}

// Picture finds a picture by its name.
func (c *Course) Picture(name string) (*Picture, bool) {
	return find(c.Pictures, func(p *Picture) bool { return p.Name == name })
}

// Analogy finds an analogy by its number.
func (c *Course) Analogy(number int) (*Analogy, bool) {
	return find(c.Analogies, func(a *Analogy) bool { return a.Number == number })
}

// Term finds an entry of the glossary by its ID.
func (c *Course) Term(id string) (*Term, bool) {
	return find(c.Terms, func(t *Term) bool { return t.ID == id })
}

// Lens finds a lens by its ID.
func (c *Course) Lens(id string) (*Lens, bool) {
	return find(c.Lenses, func(l *Lens) bool { return l.ID == id })
}

func find[T any](all []*T, is func(*T) bool) (*T, bool) {
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return nil, false
	}
	return all[i], true
}
