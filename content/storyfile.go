package content

import (
	"cmp"
	"fmt"
	"slices"
	"text/template"

	"go.yaml.in/yaml/v3"

	"timonier/sim/trace"
)

// storyFile is stories/N-ID.yaml.
type storyFile struct {
	Number  int    `yaml:"number"`
	ID      string `yaml:"id"`
	Lesson  string `yaml:"lesson"`
	Title   Text   `yaml:"title"`
	Intro   Text   `yaml:"intro"`
	Service string `yaml:"service"`
	Runs    []struct {
		ID      string `yaml:"id"`
		Title   Text   `yaml:"title"`
		Nodes   int    `yaml:"nodes"`
		Members int    `yaml:"members"`
		Start   []Act  `yaml:"start"`
	} `yaml:"runs"`
	Beats   []at[beatFile] `yaml:"beats"`
	Counter at[struct {
		Run      string `yaml:"run"`
		beatFile `yaml:",inline"`
	}] `yaml:"counter"`
	Done  Text      `yaml:"done"`
	Words wordsFile `yaml:"words"`
}

type beatFile struct {
	Title    Text             `yaml:"title"`
	Told     Text             `yaml:"told"`
	Acts     actsFile         `yaml:"acts"`
	Question Text             `yaml:"question"`
	Options  []at[optionFile] `yaml:"options"`
	Then     actsFile         `yaml:"then"`
	After    Text             `yaml:"after"`
}

// actsFile are acts for all runs, or for each by its ID.
type actsFile struct {
	all []Act
	of  map[string][]Act
}

func (a *actsFile) UnmarshalYAML(n *yaml.Node) error {
	var v any = &a.of
	if n.Kind == yaml.SequenceNode {
		v = &a.all
	}
	return n.Decode(v)
}

type optionFile struct {
	Text    Text        `yaml:"text"`
	Why     Text        `yaml:"why"`
	Checks  []Condition `yaml:"checks"`
	Closed  string      `yaml:"closed"`
	Outages string      `yaml:"outages"`
}

type wordsFile struct {
	Cast struct {
		Appear  []Text              `yaml:"appear"`
		Later   Text                `yaml:"later"`
		Node    Text                `yaml:"node"`
		Objects map[string]at[Text] `yaml:"objects"`
		Actors  map[string]at[Text] `yaml:"actors"`
	} `yaml:"cast"`
	Sentences map[trace.Kind][]at[sentence] `yaml:"sentences"`
}

func (l *loader) stories() {
	for _, file := range l.glob("stories/*.yaml") {
		var f storyFile
		if !l.yaml(file, &f) {
			continue
		}
		s := &Story{Number: f.Number, ID: f.ID, Lesson: f.Lesson, Title: f.Title, Intro: f.Intro, Service: f.Service, Done: f.Done,
			images: l.course.Images, file: file}
		l.must(file, 1, f.Title, f.Intro, f.Done)
		for _, r := range f.Runs {
			s.Runs = append(s.Runs, &Run{r.ID, r.Title, r.Nodes, r.Members, r.Start})
			l.must(file, 0, r.Title)
		}
		for _, b := range f.Beats {
			s.Beats = append(s.Beats, l.beat(file, b.line, b.v))
		}
		if c := f.Counter; c.line > 0 {
			s.Counter = &Counter{Run: c.v.Run, Beat: l.beat(file, c.line, c.v.beatFile)}
		}
		s.words = l.words(file, &f, s)
		s.remember()
		l.course.Stories = append(l.course.Stories, s)
	}
	slices.SortStableFunc(l.course.Stories, func(a, b *Story) int { return cmp.Compare(a.Number, b.Number) })
}

func (l *loader) beat(file string, line int, f beatFile) *Beat {
	b := &Beat{Title: f.Title, Told: f.Told, Question: f.Question, After: f.After, line: line,
		acts: f.Acts.all, actsOf: f.Acts.of, then: f.Then.all, thenOf: f.Then.of}
	l.must(file, line, f.Title, f.Told, f.Question, f.After)
	for _, o := range f.Options {
		for i := range o.v.Checks {
			o.v.Checks[i].line = o.line
		}
		b.Options = append(b.Options, Option{o.v.Text, o.v.Why, o.v.Checks, o.v.Closed, o.v.Outages, o.line})
		l.must(file, o.line, o.v.Text, o.v.Why)
	}
	return b
}

// words compiles a story's partial lens, and what is said after its beats.
func (l *loader) words(file string, f *storyFile, s *Story) *storyWords {
	c := f.Words.Cast
	w := &storyWords{appear: c.Appear, later: c.Later, told: map[Lang]*telling{}}
	l.must(file, 0, c.Appear...)
	l.must(file, 0, c.Later)
	lens := lensFile{ID: s.ID, Title: s.Title, About: s.Intro, Sentences: f.Words.Sentences}
	lens.Cast.Node, lens.Cast.Objects, lens.Cast.Actors = c.Node, c.Objects, c.Actors
	l.lensTexts(file, &lens)
	for _, lang := range Langs() {
		t := l.telling(file, &lens, lang)
		none := &Figures{}
		t.templates.Funcs(template.FuncMap{"percent": t.percent, "since": none.since, "times": none.times})
		for i, b := range s.Beats {
			l.compile(t.templates, file, b.line, fmt.Sprint("after ", i+1), b.After.In(lang))
		}
		if s.Counter != nil {
			l.compile(t.templates, file, s.Counter.line, AfterCounter, s.Counter.After.In(lang))
		}
		l.compile(t.templates, file, 0, AfterAll, s.Done.In(lang))
		w.told[lang] = t
	}
	return w
}
