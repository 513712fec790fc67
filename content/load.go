package content

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"timonier/sim/kubelet"
)

// Problem is a fault in the course's files.
type Problem struct {
	File string
	Line int // 0: the file as a whole
	Text string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

func (p Problem) Error() string { return p.String() }

// Load reads a course. Its error joins a Problem for everything that cannot be
// read; Check finds what can be read but should not be taught.
func Load(files fs.FS) (*Course, error) {
	return load(files).loaded()
}

// loaded is the course, unless something could not be read.
func (l *loader) loaded() (*Course, error) {
	var errs []error
	for _, p := range l.problems {
		errs = append(errs, p)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("load the course: %w", errors.Join(errs...))
	}
	return l.course, nil
}

// loader reads a course and goes on after a fault, so that all are told at once.
type loader struct {
	files    fs.FS
	course   *Course
	bank     Bank
	problems []Problem
	lessons  map[string]bool // the lessons' files that the table of contents names
	origins  map[string]int  // analogy:1, term:etcd …: the line where it is
	broken   map[string]bool // the files that cannot be read, or not wholly: it has been told why
	texts    []said
}

// said is a text and where it stands, for the prover.
type said struct {
	file string
	line int
	Text
	optional bool
	alone    bool // in its language: the other is in another file
	keywords bool // what a person may look for, in any language's words: no text to read
}

// must keeps texts that have to be there in both languages.
func (l *loader) must(file string, line int, texts ...Text) {
	for _, t := range texts {
		l.texts = append(l.texts, said{file: file, line: line, Text: t})
	}
}

// may keeps texts that are there in both languages or in none.
func (l *loader) may(file string, line int, texts ...Text) {
	for _, t := range texts {
		l.texts = append(l.texts, said{file: file, line: line, Text: t, optional: true})
	}
}

// french keeps a text whose other language is in another file.
func (l *loader) french(file string, line int, lang Lang, text string) {
	if lang == FR {
		l.texts = append(l.texts, said{file: file, line: line, Text: Text{FR: text}, alone: true})
	}
}

// load reads everything.
func load(files fs.FS) *loader {
	l := loadApart(files)
	l.readBank()
	l.course.bank = func() *Bank { return &l.bank }
	return l
}

// loadApart reads everything but the bank.
func loadApart(files fs.FS) *loader {
	l := &loader{files: files, course: &Course{}, lessons: map[string]bool{}, origins: map[string]int{}, broken: map[string]bool{}}
	l.contents()
	l.glossary()
	l.diagrams()
	l.drawings()
	l.pictures()
	l.analogies()
	l.lenses()
	l.exercises()
	l.images()
	l.stories()
	return l
}

// images reads the list of images, whose format the kubelet owns.
func (l *loader) images() {
	const file = "images.yaml"
	data, err := l.read(file)
	if err == nil {
		l.course.Images, err = kubelet.ParseImages(data)
	}
	if err != nil {
		l.fault(file, 0, "%v", err)
	}
}

func (l *loader) fault(file string, line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// yaml reads a file into v, strictly: a misspelt key is a fault.
func (l *loader) yaml(file string, v any) bool {
	data, err := l.read(file)
	if err != nil {
		l.broken[file] = true
		l.fault(file, 0, "cannot be read: %v", err)
		return false
	}
	return l.decode(file, 0, data, v)
}

// decode reads YAML that begins after a number of lines of its file.
func (l *loader) decode(file string, after int, data []byte, v any) bool {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	err := d.Decode(v)
	if err == nil {
		return true
	}
	var list *yaml.TypeError
	if !errors.As(err, &list) {
		l.broken[file] = true
		line, text := syntaxFault(data, err)
		l.fault(file, line+after, "%s", text)
		return false
	}
	l.broken[file] = true
	for _, e := range list.Errors {
		line, text := lineOf(e)
		l.fault(file, line+after, "%s", plainly(text))
	}
	return false
}

// lineOf takes "line 3: " off the front of yaml's errors.
func lineOf(text string) (line int, rest string) {
	if n, _ := fmt.Sscanf(text, "line %d:", &line); n == 1 {
		_, rest, _ = strings.Cut(text, ": ")
		return line, rest
	}
	return 0, text
}

// at is a value and the line of the file where it begins.
type at[T any] struct {
	v    T
	line int
}

// UnmarshalYAML decodes as strictly as the file around it, which Node.Decode would not.
func (a *at[T]) UnmarshalYAML(n *yaml.Node) error {
	a.line = n.Line
	if text, ok := any(&a.v).(*Text); ok {
		return text.UnmarshalYAML(n)
	}
	data, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&a.v); err != nil {
		_, text := lineOf(strings.TrimPrefix(err.Error(), "yaml: "))
		var list *yaml.TypeError
		if errors.As(err, &list) {
			var all []string
			for _, e := range list.Errors {
				_, one := lineOf(e)
				all = append(all, plainly(one))
			}
			text = strings.Join(all, "; ")
		}
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s", n.Line, text)}}
	}
	return nil
}

type contentsFile struct {
	Title    Text `yaml:"title"`
	Sections []struct {
		Number  int    `yaml:"number"`
		Dir     string `yaml:"dir"`
		Title   Text   `yaml:"title"`
		Lessons []at[struct {
			ID       string   `yaml:"id"`
			Slug     string   `yaml:"slug"`
			Title    Text     `yaml:"title"`
			Requires []string `yaml:"requires"`
		}] `yaml:"lessons"`
	} `yaml:"sections"`
}

const contentsName = "course.yaml"

func (l *loader) contents() {
	var f contentsFile
	if !l.yaml(contentsName, &f) {
		return
	}
	l.course.Title = f.Title
	l.must(contentsName, 1, f.Title)
	at := l.outline(contentsName)
	for i, fs := range f.Sections {
		s := &Section{Number: fs.Number, Title: fs.Title, line: at.line("sections", i)}
		l.must(contentsName, s.line, fs.Title)
		for _, fl := range fs.Lessons {
			lesson := &Lesson{ID: fl.v.ID, Section: s, Title: fl.v.Title, Requires: fl.v.Requires, messages: map[Lang][]Message{}, file: map[Lang]string{}}
			l.origins["lesson:"+lesson.ID] = fl.line
			l.must(contentsName, fl.line, lesson.Title)
			l.lesson(lesson, path.Join("lessons", fs.Dir, fl.v.ID+"-"+fl.v.Slug))
			s.Lessons = append(s.Lessons, lesson)
		}
		l.course.Sections = append(l.course.Sections, s)
	}
}

// lesson reads a lesson's files, if it is written.
func (l *loader) lesson(lesson *Lesson, stem string) {
	var missing []Lang
	for _, lang := range Langs() {
		file := stem + "." + string(lang) + ".md"
		l.lessons[file] = true
		lesson.file[lang] = file
		data, err := l.read(file)
		if errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, lang)
			continue
		}
		if err != nil {
			l.broken[file] = true
			l.fault(file, 0, "cannot be read: %v", err)
			continue
		}
		l.lessonText(lesson, lang, file, string(data))
	}
	if len(missing) < len(Langs()) {
		for _, lang := range missing {
			l.fault(stem+"."+string(lang)+".md", 0, "lesson %s is missing in this language", lesson.ID)
		}
	}
}

const glossaryName = "glossary.yaml"

func (l *loader) glossary() {
	var f struct {
		Terms []at[*Term] `yaml:"terms"`
	}
	if !l.yaml(glossaryName, &f) {
		return
	}
	for _, t := range f.Terms {
		if t.v == nil {
			l.fault(glossaryName, t.line, "an entry is empty")
			continue
		}
		t.v.line = t.line
		l.origins["term:"+t.v.ID] = t.line
		l.must(glossaryName, t.line, t.v.Name, t.v.Definition)
		l.texts = append(l.texts, said{file: glossaryName, line: t.line, Text: t.v.Also, alone: true, keywords: true})
		l.course.Terms = append(l.course.Terms, t.v)
	}
	slices.SortStableFunc(l.course.Terms, func(a, b *Term) int { return cmp.Compare(a.ID, b.ID) })
}

type analogyFile struct {
	Number  int         `yaml:"number"`
	ID      string      `yaml:"id"`
	Title   Text        `yaml:"title"`
	Intro   Text        `yaml:"intro"`
	Diagram string      `yaml:"diagram"`
	Rows    []at[Row]   `yaml:"rows"`
	Steps   []at[Phase] `yaml:"steps"`
}

func (l *loader) analogies() {
	for _, file := range l.glob("analogies/*.yaml") {
		var f analogyFile
		if !l.yaml(file, &f) {
			continue
		}
		a := &Analogy{Number: f.Number, ID: f.ID, Title: f.Title, Intro: f.Intro, Diagram: f.Diagram, file: file}
		l.must(file, 1, f.Title, f.Intro)
		for _, r := range f.Rows {
			a.Rows = append(a.Rows, r.v)
			l.origins[analogyRow(a, r.v)] = r.line
			l.must(file, r.line, r.v.Image, r.v.Like)
			l.may(file, r.line, r.v.Breaks)
		}
		for _, s := range f.Steps {
			a.Steps = append(a.Steps, s.v)
			l.must(file, s.line, s.v.Title, s.v.What, s.v.Action)
		}
		l.course.Analogies = append(l.course.Analogies, a)
	}
	slices.SortStableFunc(l.course.Analogies, func(a, b *Analogy) int { return cmp.Compare(a.Number, b.Number) })
}

func analogyRow(a *Analogy, r Row) string { return fmt.Sprintf("analogy:%d:%s", a.Number, r.Concept) }

// diagrams reads diagrams/NAME.LENS.LANG.txt: front matter (title, alt), then the drawing.
func (l *loader) diagrams() {
	byName := map[string]*Diagram{}
	for _, file := range l.glob("diagrams/*.txt") {
		parts := strings.Split(strings.TrimSuffix(path.Base(file), ".txt"), ".")
		if len(parts) != 3 || !slices.Contains(Langs(), Lang(parts[2])) {
			l.fault(file, 0, "a diagram's file is named NAME.LENS.fr.txt or NAME.LENS.en.txt")
			continue
		}
		name, lens, lang := parts[0], parts[1], Lang(parts[2])
		data, err := l.read(file)
		if err != nil {
			l.fault(file, 0, "cannot be read: %v", err)
			continue
		}
		var head struct {
			Title string `yaml:"title"`
			Alt   string `yaml:"alt"`
		}
		body, after, ok := l.frontMatter(file, string(data), &head)
		if !ok {
			continue
		}
		l.french(file, 1, lang, head.Title+"\n"+head.Alt)
		l.french(file, after+1, lang, body)
		d := byName[name]
		if d == nil {
			d = &Diagram{Name: name, Views: map[string]View{}}
			byName[name] = d
			l.course.Diagrams = append(l.course.Diagrams, d)
		}
		v := d.Views[lens]
		v.Title.set(lang, head.Title)
		v.Alt.set(lang, strings.Join(strings.Fields(head.Alt), " "))
		v.Text.set(lang, strings.Trim(body, "\n"))
		d.Views[lens] = v
	}
}

func (t *Text) set(lang Lang, s string) {
	if lang == EN {
		t.EN = s
	} else {
		t.FR = s
	}
}

// glob lists files in the order of their names.
func (l *loader) glob(pattern string) []string {
	files, err := fs.Glob(l.files, pattern)
	if err != nil {
		l.fault(pattern, 0, "%v", err)
	}
	// What systems and editors leave behind is nobody's: .DS_Store, .lesson.md.swp, lesson.md~, ~$lesson.
	return slices.DeleteFunc(files, func(file string) bool {
		name := path.Base(file)
		return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") || strings.HasSuffix(name, "~")
	})
}
