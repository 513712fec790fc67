package content

import (
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/labels"

	"timonier/sim/trace"
)

// How much an exercise may say and ask.
const (
	stepLength = 500 // characters of a task, of a hint and of why it holds
	mostSteps  = 5
)

// exercisesHold proves what can be proved of exercises without playing them.
func (p *prover) exercisesHold() {
	seen := map[string]string{}
	for _, e := range p.course.Exercises {
		if other, ok := seen[e.ID]; ok {
			p.fault(e.file, 1, "there is another exercise %s: %s", e.ID, other)
		}
		seen[e.ID] = e.file
		p.exerciseHolds(e)
	}
	for _, file := range p.glob("exercises/*") {
		if path.Ext(file) != "" {
			p.fault(file, 0, "an exercise is a file of a section's directory: exercises/DIR/ID.yaml")
		}
	}
	for _, file := range p.glob("exercises/*/*") {
		if path.Ext(file) != ".yaml" {
			p.fault(file, 0, "an exercise is a file named ID.yaml")
		}
	}
}

func (p *prover) exerciseHolds(e *Exercise) {
	bad := func(text string, args ...any) { p.fault(e.file, 1, text, args...) }
	switch lesson, ok := p.course.Lesson(e.Lesson); {
	case !ok:
		bad("there is no lesson %q", e.Lesson)
	case !strings.HasPrefix(e.ID, e.Lesson+"-"):
		bad("the exercise %q of lesson %s is named %s-…", e.ID, e.Lesson, e.Lesson)
	case e.file != path.Join(exerciseDir(lesson), e.ID+".yaml"):
		bad("the exercise %s belongs in %s/%s.yaml", e.ID, exerciseDir(lesson), e.ID)
	}
	if !slices.Contains(Forms(), e.Form) {
		bad("form: %q is none of worked, faded and alone", e.Form)
	}
	if !slices.Contains([]int{1, 3, 5}, e.Members) {
		bad("etcd has 1, 3 or 5 members, not %d", e.Members)
	}
	if n := len(e.Steps); n < 1 || n > mostSteps {
		bad("%d steps: an exercise has 1 to %d", n, mostSteps)
	}
	p.short(e.file, 1, MessageLength, e.Title, e.Scene, e.Done)
	p.textLinks(e.file, 1, e.Scene, e.Done)
	for i, line := range e.Start {
		p.lineHolds(e.file, e.starts[i], line)
	}
	for _, s := range e.Steps {
		p.stepHolds(e, s)
	}
}

func (p *prover) stepHolds(e *Exercise, s *Step) {
	p.short(e.file, s.line, stepLength, s.Task, s.Why, s.Hints[0], s.Hints[1], s.Hints[2])
	p.textLinks(e.file, s.line, s.Task, s.Why, s.Hints[0], s.Hints[1], s.Hints[2])
	switch {
	case e.Form == Alone && s.Show != nil:
		p.fault(e.file, s.line, "where only the aim is given (alone), a step has no show")
	case e.Form != Alone && s.Show == nil:
		p.fault(e.file, s.line, "a step that is worked or faded has a show: the command that is given")
	case e.Form == Worked && (strings.Contains(s.Show.FR, Blank) || strings.Contains(s.Show.EN, Blank)):
		p.fault(e.file, s.line, "a worked step gives its command in full, without %s", Blank)
	case e.Form == Faded && (!strings.Contains(s.Show.FR, Blank) || !strings.Contains(s.Show.EN, Blank)):
		p.fault(e.file, s.line, "a faded step leaves something to complete: %s", Blank)
	}
	if s.Show != nil {
		p.lineHolds(e.file, s.line, *s.Show)
	}
	if len(s.Checks) == 0 {
		p.fault(e.file, s.line, "a step has at least one check")
	}
	if len(s.Solution) == 0 {
		p.fault(e.file, s.line, "a step has a solution")
	}
	for i, line := range s.Solution {
		p.lineHolds(e.file, s.solutions[i], line)
	}
	for _, c := range s.Checks {
		p.conditionHolds(e.file, c)
	}
}

// lineHolds proves that a line is there in both languages, and can be typed in both.
func (p *prover) lineHolds(file string, line int, l Line) {
	for _, lang := range Langs() {
		if !strings.HasPrefix(l.In(lang), "/") {
			p.fault(file, line, "a command begins with / in both languages: %q", l.In(lang))
			return
		}
	}
	if !isTutors(l.FR) && l.FR == l.EN {
		return
	}
	if l.FR != l.EN && !sameCommand(l.FR, l.EN) {
		p.fault(file, line, "a line is another command in French than in English: %s, %s", l.FR, l.EN)
	}
}

func (p *prover) conditionHolds(file string, c Condition) {
	bad := func(text string, args ...any) { p.fault(file, c.line, text, args...) }
	asked := 0
	for _, set := range []bool{c.Object != "", c.Absent != "", c.Objects != "", c.Happened != "", c.Ran != nil, c.Quorum != nil, c.Faults != nil} {
		if set {
			asked++
		}
	}
	if asked != 1 {
		bad("a check asks for one thing: object, absent, objects, happened, ran, quorum or faults")
		return
	}
	p.short(file, c.line, stepLength, c.Missing)
	p.textLinks(file, c.line, c.Missing)
	for _, named := range []string{c.Object, c.Absent} {
		if kind, name, _ := strings.Cut(named, "/"); named != "" {
			if name == "" {
				bad("an object is named KIND/NAME: %s", named)
			}
			p.kindHolds(file, c.line, kind)
		}
	}
	if c.Objects != "" {
		p.kindHolds(file, c.line, c.Objects)
	}
	for _, misplaced := range []struct {
		name      string
		set, here bool
	}{
		{"namespace", c.Namespace != "", c.Object+c.Absent+c.Objects != ""}, {"fields", len(c.Fields) > 0, c.Object+c.Objects != ""},
		{"selector", c.Selector != "", c.Objects != ""}, {"distinct", c.Distinct != "", c.Objects != ""},
		{"where", len(c.Where) > 0, c.Happened != ""}, {"count", c.Count != "", c.Objects+string(c.Happened) != ""},
	} {
		if misplaced.set && !misplaced.here {
			bad("%s says nothing about %s", misplaced.name, c.subject())
		}
	}
	if _, err := labels.Parse(c.Selector); err != nil {
		bad("selector: %v", err)
	}
	for _, path := range sortedKeys(c.Fields) {
		if _, err := parsePath(path); err != nil {
			bad("the path %s: %v", path, err)
		}
		p.patternHolds(file, c.line, c.Fields[path])
	}
	if c.Distinct != "" {
		if _, err := parsePath(c.Distinct); err != nil {
			bad("the path %s: %v", c.Distinct, err)
		}
	}
	if c.Happened != "" && !slices.Contains(trace.Kinds(), c.Happened) {
		bad("%s is not a kind of step", c.Happened)
	}
	for _, name := range sortedKeys(c.Where) {
		if _, ok := (Facts{}).field(name); !ok {
			bad("where: %s is not a fact one can ask for", name)
		}
	}
	p.patternHolds(file, c.line, c.Count)
	if c.Faults != nil {
		p.patternHolds(file, c.line, *c.Faults)
	}
	if c.Ran != nil {
		p.ranHolds(file, c)
	}
}

// ranHolds: whoever types the other language's name of a command has typed it too.
func (p *prover) ranHolds(file string, c Condition) {
	for _, lang := range Langs() {
		if !strings.HasPrefix(strings.TrimPrefix(c.Ran.In(lang), "*"), "/") && !strings.HasPrefix(c.Ran.In(lang), "*") {
			p.fault(file, c.line, "ran: a line begins with /, or with * for whatever comes before: %q", c.Ran.In(lang))
			return
		}
	}
	if strings.HasPrefix(c.Ran.FR, "/") && isTutors(c.Ran.FR) && c.Ran.FR == c.Ran.EN && !sameEverywhere[firstWord(c.Ran.FR)] {
		p.fault(file, c.line, "ran: a command of the tutor's has a name in each language: {fr: …, en: …}")
	}
}

// sameEverywhere are commands whose name is the same in both languages.
var sameEverywhere = map[string]bool{"/quiz": true, "/kubectl": true, "/etcdctl": true}

func firstWord(line string) string {
	word, _, _ := strings.Cut(line, " ")
	return strings.TrimRight(word, "*")
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func (p *prover) kindHolds(file string, line int, kind string) {
	all, err := served()
	if err != nil {
		p.fault(file, line, "the simulator does not start: %v", err)
		return
	}
	if _, ok := kindOf(all, kind); !ok {
		p.fault(file, line, "kubectl knows no kind %q", kind)
	}
}

// patternHolds finds comparisons with what is not a number.
func (p *prover) patternHolds(file string, line int, pattern string) {
	for one := range strings.SplitSeq(pattern, "|") {
		if strings.HasPrefix(one, "<") || strings.HasPrefix(one, ">") {
			if _, ok := comparison(one); !ok {
				p.fault(file, line, "%s does not compare with a number or a quantity", one)
			}
		}
	}
}

// short proves that texts fit a screen in each language.
func (p *prover) short(file string, line, most int, texts ...Text) {
	for _, t := range texts {
		for _, lang := range Langs() {
			if n := utf8.RuneCountInString(t.In(lang)); n > most {
				p.fault(file, line, "a text has %d characters; %d at most", n, most)
			}
		}
	}
}

func (p *prover) textLinks(file string, line int, texts ...Text) {
	for _, t := range texts {
		for _, lang := range Langs() {
			p.linksHold(file, line, t.In(lang))
		}
	}
}
