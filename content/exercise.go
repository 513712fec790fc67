package content

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"timonier/sim/trace"
)

// Line is what a person types, in each language: /kubectl get pods; further lines
// are its standard input. In a file it is a text, the same in both languages, or
// {fr: …, en: …}.
type Line struct{ Text }

// UnmarshalYAML reads a text or one for each language.
func (l *Line) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		l.FR, l.EN = strings.TrimRight(n.Value, "\n"), strings.TrimRight(n.Value, "\n")
		return nil
	}
	if err := l.Text.UnmarshalYAML(n); err != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: a line is a text, or a text for each language: {fr: …, en: …}", n.Line)}}
	}
	l.FR, l.EN = strings.TrimRight(l.FR, "\n"), strings.TrimRight(l.EN, "\n")
	return nil
}

// Form is how much of an exercise is given.
type Form string

// The forms, in the order in which a lesson offers them.
const (
	Worked Form = "worked" // the commands are given
	Faded  Form = "faded"  // given with blanks to fill
	Alone  Form = "alone"  // only the aim is given
)

// Forms are all, the easiest first.
func Forms() []Form { return []Form{Worked, Faded, Alone} }

// Blank stands in a line where the learner is to complete it.
const Blank = "____"

// Exercise is something to reach on a live cluster of its own.
type Exercise struct {
	ID      string // 4.3-taint
	Lesson  string // that it belongs to
	Form    Form
	Title   Text
	Scene   Text // Markdown
	Members int  // of etcd
	Start   []Line
	Steps   []*Step
	Done    Text // Markdown: the one thing to keep
	file    string
	starts  []int // the line of the file of each of Start
}

// Step is one aim of an exercise. The texts are Markdown.
type Step struct {
	Task     Text
	Show     *Line // what of the command is given; nil where the form is Alone
	Hints    [3]Text
	Checks   []Condition
	Solution []Line
	Why      Text

	line      int
	solutions []int // the line of the file of each of Solution
}

// Condition is what must hold for a step to be reached: of the cluster, of what has
// happened in it, or of what was typed. One of the first seven is set.
type Condition struct {
	Object   string     `yaml:"object"`   // KIND/NAME exists, and its Fields match
	Absent   string     `yaml:"absent"`   // KIND/NAME does not exist
	Objects  string     `yaml:"objects"`  // KIND: so many match as Count says
	Happened trace.Kind `yaml:"happened"` // so many steps of the trace match Where as Count says
	Ran      *Line      `yaml:"ran"`      // a line like this was typed; * stands for anything
	Quorum   *bool      `yaml:"quorum"`   // whether etcd has one
	Faults   *string    `yaml:"faults"`   // how many faults there are

	Namespace string            `yaml:"namespace"` // default where none is given; "*": all
	Selector  string            `yaml:"selector"`  // of labels, as kubectl's -l
	Fields    map[string]string `yaml:"fields"`    // path → pattern
	Distinct  string            `yaml:"distinct"`  // a path: its different values are counted in place of the objects
	Where     map[string]string `yaml:"where"`     // fact → pattern, as a lens's when
	Count     string            `yaml:"count"`     // a pattern of how many; >=1 where none is given

	Missing Text `yaml:"missing"` // what is still to be done, without the answer

	line int
}

// Exercise finds an exercise by its ID.
func (c *Course) Exercise(id string) (*Exercise, bool) {
	return find(c.Exercises, func(e *Exercise) bool { return e.ID == id })
}

// ExercisesOf are a lesson's, the easiest first.
func (c *Course) ExercisesOf(lesson string) []*Exercise {
	var all []*Exercise
	for _, form := range Forms() {
		for _, e := range c.Exercises {
			if e.Lesson == lesson && e.Form == form {
				all = append(all, e)
			}
		}
	}
	return all
}
