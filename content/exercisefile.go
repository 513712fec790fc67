package content

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// exerciseFile is exercises/DIR/ID.yaml.
type exerciseFile struct {
	ID      string     `yaml:"id"`
	Lesson  string     `yaml:"lesson"`
	Form    Form       `yaml:"form"`
	Title   Text       `yaml:"title"`
	Scene   Text       `yaml:"scene"`
	Members int        `yaml:"members"`
	Start   []Line     `yaml:"start"`
	Steps   []stepFile `yaml:"steps"`
	Done    Text       `yaml:"done"`
}

type stepFile struct {
	Task     Text        `yaml:"task"`
	Show     *Line       `yaml:"show"`
	Hints    []Text      `yaml:"hints"`
	Checks   []Condition `yaml:"checks"`
	Solution []Line      `yaml:"solution"`
	Why      Text        `yaml:"why"`
}

// usualMembers is how many etcds an exercise's cluster has unless it says otherwise.
const usualMembers = 3

func (l *loader) exercises() {
	for _, file := range l.glob("exercises/*/*.yaml") {
		var f exerciseFile
		if !l.yaml(file, &f) {
			continue
		}
		e := &Exercise{ID: f.ID, Lesson: f.Lesson, Form: f.Form, Title: f.Title, Scene: f.Scene, Members: cmp.Or(f.Members, usualMembers),
			Start: f.Start, Done: f.Done, file: file}
		at := l.outline(file)
		l.must(file, at.line("title"), f.Title)
		l.must(file, at.line("scene"), f.Scene)
		l.must(file, at.line("done"), f.Done)
		for i := range f.Start {
			e.starts = append(e.starts, at.line("start", i))
		}
		for i, s := range f.Steps {
			e.Steps = append(e.Steps, l.step(file, at.in("steps", i), s))
		}
		l.course.Exercises = append(l.course.Exercises, e)
	}
	slices.SortStableFunc(l.course.Exercises, func(a, b *Exercise) int { return cmp.Compare(a.ID, b.ID) })
}

func (l *loader) step(file string, at outline, f stepFile) *Step {
	s := &Step{Task: f.Task, Show: f.Show, Checks: f.Checks, Solution: f.Solution, Why: f.Why, line: at.line()}
	l.must(file, at.line("task"), f.Task)
	l.must(file, at.line("why"), f.Why)
	if len(f.Hints) != len(s.Hints) {
		l.fault(file, at.line("hints"), "a step has three hints, not %d: where to look; what to use; nearly the answer", len(f.Hints))
	}
	for i, hint := range f.Hints {
		l.must(file, at.line("hints", i), hint)
	}
	copy(s.Hints[:], f.Hints)
	for i := range f.Solution {
		s.solutions = append(s.solutions, at.line("solution", i))
	}
	for i := range s.Checks {
		s.Checks[i].line = at.line("checks", i)
		l.must(file, at.line("checks", i, "missing"), s.Checks[i].Missing)
	}
	return s
}

// outline is a place in a YAML file, to find the lines of what is below it.
type outline struct{ *yaml.Node }

// outline reads a file once more, for its lines alone.
func (l *loader) outline(file string) outline {
	var n yaml.Node
	data, err := l.read(file)
	if err != nil || yaml.Unmarshal(data, &n) != nil || len(n.Content) == 0 {
		return outline{&yaml.Node{}} // it has been told what is wrong with the file
	}
	return outline{n.Content[0]}
}

// in goes down a path of keys and positions, as far as there is something.
func (o outline) in(path ...any) outline {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			for i := 0; i+1 < len(o.Content); i += 2 {
				if o.Content[i].Value == step {
					o = outline{o.Content[i+1]}
					break
				}
			}
		case int:
			if step < len(o.Content) {
				o = outline{o.Content[step]}
			}
		}
	}
	return o
}

func (o outline) line(path ...any) int { return o.in(path...).Line }

// exerciseDir is the directory that a lesson's exercises belong in.
func exerciseDir(lesson *Lesson) string {
	return path.Join("exercises", path.Base(path.Dir(lesson.file[FR])))
}

// isTutors says that a line is a command of the tutor's own, which has a name in each language.
func isTutors(line string) bool {
	return !strings.HasPrefix(line, "/kubectl ") && !strings.HasPrefix(line, "/etcdctl ")
}
