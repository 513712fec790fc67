package content

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"timonier/sim/trace"
)

// lensFile is lenses/ID.yaml.
type lensFile struct {
	ID      string `yaml:"id"`
	Title   Text   `yaml:"title"`
	About   Text   `yaml:"about"`
	Analogy int    `yaml:"analogy"`
	Cast    struct {
		First   []string            `yaml:"first"` // names of pods: each with each of Last
		Last    []string            `yaml:"last"`
		Node    Text                `yaml:"node"` // {} is the number in the node's name
		Objects map[string]at[Text] `yaml:"objects"`
		Actors  map[string]at[Text] `yaml:"actors"`
	} `yaml:"cast"`
	News      map[News]at[Text]             `yaml:"news"`
	Sentences map[trace.Kind][]at[sentence] `yaml:"sentences"`
}

type sentence struct {
	When map[string]string `yaml:"when"`
	FR   string            `yaml:"fr"`
	EN   string            `yaml:"en"`
}

func (l *loader) lenses() {
	for _, file := range l.glob("lenses/*.yaml") {
		var f lensFile
		if !l.yaml(file, &f) {
			continue
		}
		lens := &Lens{ID: f.ID, Title: f.Title, About: f.About, Analogy: f.Analogy, told: map[Lang]*telling{}, file: file}
		l.lensTexts(file, &f)
		for _, lang := range Langs() {
			lens.told[lang] = l.telling(file, &f, lang)
		}
		l.course.Lenses = append(l.course.Lenses, lens)
	}
	plain := func(x *Lens) int {
		if x.ID == Technique {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(l.course.Lenses, func(a, b *Lens) int {
		return cmp.Or(cmp.Compare(plain(a), plain(b)), cmp.Compare(a.ID, b.ID))
	})
}

// lensTexts hands the prover what the lens says.
func (l *loader) lensTexts(file string, f *lensFile) {
	l.must(file, 0, f.Title, f.About)
	l.may(file, 0, f.Cast.Node)
	for _, said := range f.Cast.Objects {
		l.must(file, said.line, said.v)
	}
	for _, said := range f.Cast.Actors {
		l.must(file, said.line, said.v)
	}
	for _, said := range f.News {
		l.must(file, said.line, said.v)
	}
	for _, list := range f.Sentences {
		for _, s := range list {
			l.must(file, s.line, Text{FR: s.v.FR, EN: s.v.EN})
		}
	}
}

// telling compiles one language of a lens.
func (l *loader) telling(file string, f *lensFile, lang Lang) *telling {
	t := &telling{lang: lang, sentences: map[trace.Kind][]variant{}}
	t.cast = cast{first: f.Cast.First, last: f.Cast.Last, node: f.Cast.Node.In(lang), objects: map[string]string{}, actors: map[string]string{}}
	t.templates = template.New(f.ID).Funcs(t.functions()).Option("missingkey=error")
	for kind, text := range f.Cast.Objects {
		t.cast.objects[kind] = "object " + kind
		l.compile(t.templates, file, text.line, "object "+kind, text.v.In(lang))
	}
	if _, ok := f.Cast.Objects["*"]; !ok {
		l.broken[file] = true
		l.fault(file, 0, "cast.objects has no entry for all other kinds, \"*\"")
	}
	if _, ok := f.Cast.Actors["*"]; !ok {
		l.broken[file] = true
		l.fault(file, 0, "cast.actors has no entry for all other actors, \"*\"")
	}
	for actor, text := range f.Cast.Actors {
		t.cast.actors[actor] = text.v.In(lang)
	}
	l.news(file, f, t)
	for kind, list := range f.Sentences {
		for i, s := range list {
			v := variant{when: s.v.When, name: fmt.Sprint(kind, " ", i+1), line: s.line}
			l.compile(t.templates, file, s.line, v.name, Text{FR: s.v.FR, EN: s.v.EN}.In(lang))
			t.sentences[kind] = append(t.sentences[kind], v)
		}
	}
	return t
}

func (l *loader) compile(all *template.Template, file string, line int, name, text string) {
	t, err := all.New(name).Parse(strings.TrimSpace(text))
	if err != nil {
		l.broken[file] = true
		l.fault(file, line, "a sentence cannot be read: %v (what is computed stands between {{ and }})", strings.TrimPrefix(err.Error(), "template: "))
		return
	}
	if t.Tree == nil { // a text without anything
		return
	}
	if word := loops(t.Root); word != "" {
		l.fault(file, line, "a sentence has no {{%s}}: it is told in one go", word)
		t.Root.Nodes = nil // it is not to be tried either
	}
}

// loops finds what in a template may go on for ever, or for very long; empty: nothing does.
func loops(n parse.Node) string {
	var branch *parse.BranchNode
	switch n := n.(type) {
	case *parse.RangeNode:
		return "range"
	case *parse.TemplateNode:
		return "template"
	case *parse.ListNode:
		if n == nil {
			return ""
		}
		for _, one := range n.Nodes {
			if word := loops(one); word != "" {
				return word
			}
		}
	case *parse.IfNode:
		branch = &n.BranchNode
	case *parse.WithNode:
		branch = &n.BranchNode
	}
	if branch == nil {
		return ""
	}
	return cmp.Or(loops(branch.List), loops(branch.ElseList))
}
