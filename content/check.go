package content

import (
	"cmp"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"timonier/locales"
	"timonier/sim/trace"
)

// MessageLength is how many characters a message may have: what a phone's screen shows.
const MessageLength = 900

// Read reads a course once and proves what can be proved without running it: see Check.
// The course is nil where there is a fault.
func Read(files fs.FS) (*Course, []Problem) {
	p := &prover{loader: load(files)}
	if problems := p.prove(); len(problems) > 0 {
		return nil, problems
	}
	return p.course, nil
}

// Check proves a course: that it loads, that both languages have the same
// structure, that what it names exists, that no lens has a gap, that diagrams and
// messages fit a phone, and that its French follows Québec's typography. It
// returns every fault, by file and line; none: the course may be taught.
func Check(files fs.FS) []Problem {
	_, problems := Read(files)
	return problems
}

// prove finds every fault of what the loader has read.
func (p *prover) prove() []Problem {
	l := p.loader
	if l.broken[contentsName] || l.broken[glossaryName] {
		return p.found() // all the rest names lessons and terms that are not known
	}
	p.contentsHold()
	p.strayFiles()
	for lesson := range l.course.Lessons() {
		p.lessonHolds(lesson)
	}
	for _, d := range l.course.Diagrams {
		p.diagramHolds(d)
	}
	p.picturesHold()
	p.glossaryHolds()
	for i, a := range l.course.Analogies {
		if i > 0 && l.course.Analogies[i-1].Number == a.Number {
			p.fault(a.file, 1, "there is another analogy %d: %s", a.Number, l.course.Analogies[i-1].file)
		}
		p.analogyHolds(a)
	}
	for _, lens := range l.course.Lenses {
		p.lensHolds(lens)
	}
	if _, ok := l.course.Lens(Technique); !ok && !l.broken["lenses/"+Technique+".yaml"] {
		p.fault("lenses/"+Technique+".yaml", 0, "a course has a lens %s: Kubernetes in its own words", Technique)
	}
	p.exercisesHold()
	p.storiesHold()
	p.bankHolds()
	p.textsHold()
	return p.found()
}

// found are the faults so far, by file and line, each once.
func (p *prover) found() []Problem {
	l := p.loader
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(l.problems)
}

// prover looks at what a loader has read.
type prover struct{ *loader }

// contentsHold proves the table of contents: IDs in order, prerequisites that exist and come before.
func (p *prover) contentsHold() {
	seen := map[string]bool{}
	if len(p.course.Sections) == 0 {
		p.fault(contentsName, 0, "the table of contents has no section")
	}
	for i, s := range p.course.Sections {
		if slices.ContainsFunc(p.course.Sections[:i], func(other *Section) bool { return other.Number == s.Number }) {
			p.fault(contentsName, s.line, "there is another section %d", s.Number)
		}
	}
	for lesson := range p.course.Lessons() {
		line := p.origins["lesson:"+lesson.ID]
		section, _, _ := strings.Cut(lesson.ID, ".")
		if section != strconv.Itoa(lesson.Section.Number) {
			p.fault(contentsName, line, "lesson %s is in section %d: its id begins with %[2]d.", lesson.ID, lesson.Section.Number)
		}
		if seen[lesson.ID] {
			p.fault(contentsName, line, "there is another lesson %s", lesson.ID)
		}
		for _, before := range lesson.Requires {
			if !seen[before] { // so there can be no cycle
				p.fault(contentsName, line, "lesson %s requires %s, which is not a lesson before it: requires names lessons that stand higher in this file", lesson.ID, before)
			}
		}
		seen[lesson.ID] = true
	}
}

// strayFiles finds lessons that the table of contents does not name: nobody would ever see them.
func (p *prover) strayFiles() {
	for _, file := range p.glob("lessons/*/*") {
		if !p.lessons[file] {
			p.fault(file, 0, "the table of contents (%s) does not name this file: its dir, a lesson's id and its slug make dir/id-slug.fr.md and dir/id-slug.en.md", contentsName)
		}
	}
	for _, file := range slices.Concat(p.glob("lessons/*/*"), p.glob("exercises/*/*")) {
		if strings.ContainsFunc(file, func(r rune) bool { return unicode.Is(unicode.Mn, r) }) {
			p.fault(file, 0, "the name spells a letter and its accent apart, as a Mac does: name directories and files without accents")
		}
	}
	for _, file := range slices.Concat(p.glob("lenses/*"), p.glob("analogies/*")) {
		if path.Ext(file) != ".yaml" {
			p.fault(file, 0, "nobody reads this file: its name does not end in .yaml")
		}
	}
	for _, file := range p.glob("diagrams/*") {
		if ext := path.Ext(file); ext != ".yaml" && ext != ".txt" {
			p.fault(file, 0, "nobody reads this file: its name ends neither in .txt nor in .yaml")
		}
	}
}

func (p *prover) lessonHolds(l *Lesson) {
	if len(l.messages[FR]) == 0 || len(l.messages[EN]) == 0 {
		return // it is not written, or it has been told what is wrong with it
	}
	for _, lang := range Langs() {
		file := l.file[lang]
		if l.Point.In(lang) == "" {
			p.fault(file, 2, "the front matter has no point: the one thing to keep")
		}
		for _, m := range l.Messages(lang) {
			p.messageHolds(file, lang, m)
		}
	}
	for _, id := range l.Terms {
		if _, ok := p.course.Term(id); !ok {
			p.fault(l.file[FR], 3, "the glossary has no term %s", id)
		}
	}
	if !slices.Equal(l.Terms, l.termsEN) {
		p.fault(l.file[EN], 3, "terms: [%s], but [%s] in French", strings.Join(l.termsEN, ", "), strings.Join(l.Terms, ", "))
	}
	p.sameStructure(l)
}

// sameStructure proves that both languages of a lesson teach the same things in the same order.
func (p *prover) sameStructure(l *Lesson) {
	fr, en := l.Messages(FR), l.Messages(EN)
	if len(fr) != len(en) {
		p.fault(l.file[EN], 0, "%d messages, %d in French", len(en), len(fr))
		return
	}
	for i := range fr {
		switch a, b := fr[i], en[i]; {
		case (a.Title == "") != (b.Title == ""):
			p.fault(l.file[EN], b.Line, "message %d has a title in one language only", i+1)
		case !slices.Equal(shape(a), shape(b)):
			p.fault(l.file[EN], b.Line, "message %d is made of other parts than in French: %s instead of %s",
				i+1, strings.Join(shape(b), ", "), strings.Join(shape(a), ", "))
		case !slices.EqualFunc(a.Tries, b.Tries, func(x, y Try) bool {
			return sameCommand(x.Line, y.Line) && (x.Label == "") == (y.Label == "") && sameAnswer(x, y)
		}):
			p.fault(l.file[EN], b.Line, "message %d offers other commands than in French, or expects other answers", i+1)
		}
	}
}

// sameCommand compares a command in both languages. kubectl's are the same; the
// tutor's own have a name in each, /pourquoi and /why, but as many words.
func sameCommand(fr, en string) bool {
	if strings.HasPrefix(fr, "/kubectl") || strings.HasPrefix(en, "/kubectl") {
		return fr == en
	}
	return len(strings.Fields(fr)) == len(strings.Fields(en))
}

// sameAnswer compares what is expected. The tutor answers in the learner's language, the others in English.
func sameAnswer(fr, en Try) bool {
	if isTutors(fr.Line) {
		return len(fr.Expect) == len(en.Expect)
	}
	return slices.Equal(fr.Expect, en.Expect)
}

// shape is what a message is made of, apart from its words.
func shape(m Message) []string {
	var s []string
	for _, part := range m.Parts {
		switch part := part.(type) {
		case Prose:
			s = append(s, "text")
		case Quote:
			s = append(s, "quote")
		case Code:
			s = append(s, strings.TrimSpace("code "+part.Language))
		case Figure:
			s = append(s, "diagram "+part.Diagram+" "+part.Lens)
		case Image: // one with words in it is another in each language
			s = append(s, "picture")
		}
	}
	return s
}

func (p *prover) messageHolds(file string, lang Lang, m Message) {
	length := utf8.RuneCountInString(m.Title)
	for _, part := range m.Parts {
		switch part := part.(type) {
		case Prose:
			length += utf8.RuneCountInString(part.Markdown)
			p.linksHold(file, m.Line, part.Markdown)
		case Quote:
			length += utf8.RuneCountInString(part.Markdown)
			p.linksHold(file, m.Line, part.Markdown)
		case Code:
			length += utf8.RuneCountInString(part.Text)
			p.narrow(file, m.Line, part.Text)
		case Image:
			length += utf8.RuneCountInString(part.Alt)
			p.imageHolds(file, part)
		case Figure:
			d, ok := p.course.Diagram(part.Diagram)
			if !ok {
				p.fault(file, m.Line, "there is no diagram %s", part.Diagram)
			} else if _, ok := d.Views[part.Lens]; !ok {
				p.fault(file, m.Line, "the diagram %s is not drawn in the words of %s", part.Diagram, part.Lens)
			}
		}
	}
	if len(m.Parts) == 0 {
		p.fault(file, m.Line, "a message says nothing")
	}
	if length > MessageLength {
		p.fault(file, m.Line, "a message has %d characters; a phone shows %d: divide it", length, MessageLength)
	}
}

var links = regexp.MustCompile(`\]\(([^)\s]*)`)

func (p *prover) linksHold(file string, line int, markdown string) {
	for _, link := range links.FindAllStringSubmatch(markdown, -1) {
		kind, name, _ := strings.Cut(link[1], ":")
		ok := false
		switch kind {
		case "https":
			ok = strings.HasPrefix(name, "//")
		case "lesson":
			_, ok = p.course.Lesson(name)
		case "term":
			_, ok = p.course.Term(name)
		}
		if !ok {
			p.fault(file, line, "a link leads nowhere: %s (it leads to a lesson:2.1, a term:pod or an https:// address)", link[1])
		}
	}
}

// narrow proves that a phone need not fold a drawing or a listing.
func (p *prover) narrow(file string, line int, text string) {
	for i, row := range strings.Split(text, "\n") {
		if n := utf8.RuneCountInString(row); n > DiagramWidth {
			p.fault(file, line, "row %d of a drawing or listing has %d columns; a phone shows %d", i+1, n, DiagramWidth)
		}
		if strings.Contains(row, "\t") {
			p.fault(file, line, "row %d of a drawing or listing has a tab: use blanks", i+1)
		}
	}
}

func (p *prover) diagramHolds(d *Diagram) {
	if d.Drawing != nil {
		p.drawingHolds(d)
	}
	if _, ok := d.Views[Technique]; !ok {
		p.fault(path.Join("diagrams", d.Name+"."+Technique+".fr.txt"), 0, "a diagram is drawn in technical words at least")
	}
	for _, lens := range slices.Sorted(maps.Keys(d.Views)) {
		v := d.Views[lens]
		for _, lang := range Langs() {
			file := diagramFile(d.Name, lens, lang)
			if v.Text.In(lang) == "" {
				p.fault(file, 0, "the drawing is missing in this language")
				continue
			}
			if v.Title.In(lang) == "" || v.Alt.In(lang) == "" {
				p.fault(file, 1, "a diagram has a title and an alt, which says the same in words")
			}
			p.narrow(file, 0, v.Text.In(lang))
		}
		if _, ok := p.course.Lens(lens); !ok {
			p.fault(diagramFile(d.Name, lens, FR), 0, "there is no lens %s", lens)
		}
	}
}

func diagramFile(name, lens string, lang Lang) string {
	return path.Join("diagrams", name+"."+lens+"."+string(lang)+".txt")
}

func (p *prover) glossaryHolds() {
	for i, t := range p.course.Terms {
		line := p.origins["term:"+t.ID]
		if i > 0 && p.course.Terms[i-1].ID == t.ID {
			p.fault(glossaryName, line, "there is another term %s", t.ID)
		}
		if _, ok := p.course.Lesson(t.Lesson); !ok {
			p.fault(glossaryName, line, "the term %s leads to lesson %q, which does not exist", t.ID, t.Lesson)
		}
		if fr, en := t.Try.FR, t.Try.EN; fr+en != "" && (!strings.HasPrefix(fr, "/") || !strings.HasPrefix(en, "/")) {
			p.fault(glossaryName, line, "try: is a command that begins with /")
		}
	}
}

func (p *prover) analogyHolds(a *Analogy) {
	if len(a.Rows) == 0 {
		p.fault(a.file, 0, "has no rows: a concept, its image, where it breaks")
	}
	if _, ok := p.course.Diagram(a.Diagram); a.Diagram != "" && !ok {
		p.fault(a.file, 0, "there is no diagram %s", a.Diagram)
	}
	seen := map[string]bool{}
	for _, r := range a.Rows {
		line := p.origins[analogyRow(a, r)]
		if _, ok := p.course.Term(r.Concept); !ok {
			p.fault(a.file, line, "the glossary has no term %s", r.Concept)
		}
		if seen[r.Concept] {
			p.fault(a.file, line, "there is another row for %s", r.Concept)
		}
		seen[r.Concept] = true
	}
}

// lensHolds proves that a lens has a sentence for every kind of step, whatever the
// step holds, and that each can be told.
func (p *prover) lensHolds(l *Lens) {
	if p.broken[l.file] {
		return
	}
	if path.Base(l.file) != l.ID+".yaml" {
		p.fault(l.file, 0, "the lens %s belongs in a file %s.yaml", l.ID, l.ID)
	}
	if _, ok := p.course.Analogy(l.Analogy); l.Analogy != 0 && !ok {
		p.fault(l.file, 0, "there is no analogy %d", l.Analogy)
	}
	t := l.in(FR)
	for _, kind := range trace.Kinds() {
		variants := t.sentences[kind]
		switch n := len(variants); {
		case n == 0:
			p.fault(l.file, p.keyLine(l.file, "sentences:"), "no sentence for %s", kind)
		case len(variants[n-1].when) > 0:
			p.fault(l.file, variants[n-1].line, "no sentence for %s that holds in every case: the last has no when", kind)
		}
		for _, v := range variants {
			for name := range v.when {
				if _, ok := (Facts{}).field(name); !ok {
					p.fault(l.file, v.line, "when: %s is not a fact one can ask for", name)
				}
			}
		}
	}
	for kind := range t.sentences {
		if !slices.Contains(trace.Kinds(), kind) {
			p.fault(l.file, p.keyLine(l.file, "  "+string(kind)+":"), "%s is not a kind of step", kind)
		}
	}
	p.newsHold(l)
	for _, lang := range Langs() {
		p.tellsAll(l, lang)
	}
}

// keyLine is the line of a file that begins with a key; 0: none does.
func (p *prover) keyLine(file, key string) int {
	data, err := fs.ReadFile(p.files, file)
	if err != nil {
		return 0 // the loader has said so
	}
	return 1 + slices.IndexFunc(strings.Split(string(data), "\n"), func(row string) bool { return strings.HasPrefix(row, key) })
}

// tellsAll runs every sentence on facts without anything, and on facts with everything.
func (p *prover) tellsAll(l *Lens, lang Lang) {
	t := l.in(lang)
	for kind, variants := range t.sentences {
		for _, v := range variants {
			for _, f := range []Facts{{Step: kind}, fullFacts(kind)} {
				if _, err := t.execute(v.name, f); err != nil {
					p.fault(l.file, v.line, "%s: %v", lang, err)
				}
			}
		}
	}
}

// lacking names the languages that a text is not there in.
func lacking(t Text) string {
	switch {
	case t.FR == "" && t.EN == "":
		return "French and in English (fr, en)"
	case t.FR == "":
		return "French (fr)"
	}
	return "English (en)"
}

// textsHold proves that every text exists in both languages, and that the French is well set.
func (p *prover) textsHold() {
	for _, t := range p.texts {
		if !t.alone && ((t.FR == "") != (t.EN == "") || t.FR == "" && !t.optional) {
			p.fault(t.file, t.line, "a text is missing in %s", lacking(t.Text))
		}
		problems := locales.CheckFrench(t.FR)
		if !t.keywords {
			problems = append(problems, locales.CheckFrenchWords(t.FR)...)
		}
		for _, bad := range problems {
			p.fault(t.file, t.line+bad.Line-1, "%s (…%s…)", bad.Rule, bad.Near)
		}
	}
}
