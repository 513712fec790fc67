package content

import (
	"fmt"
	"slices"
	"strings"

	"timonier/sim"
)

// Stage is somewhere to type lines: a tutor of the course with a new cluster, for one
// person alone.
type Stage interface {
	// Run types a line as someone does who speaks lang, and gives what is answered.
	// failed: the line did not do what it was asked. An error is nobody's mistake but the program's.
	Run(lang Lang, line string) (answer string, failed bool, err error)
	// Cluster is the one that the lines act on.
	Cluster() *sim.Cluster
}

// NewStage makes a stage whose etcd has so many members.
type NewStage func(members int) (Stage, error)

// Proof is one piece of what the course promises, to be run.
type Proof struct {
	Name string // lesson 2.1 (fr), exercise 2.1-ecart (en) …
	Run  func() []Problem
}

// Proofs are what there is to run of a course, in each language, each on stages of its
// own, so that they may run at the same time: every lesson, whose commands answer what it
// expects; every exercise, whose start reaches none of its steps and whose solution
// reaches them in order; what the bank asks to be foretold; what the glossary has to try; and every story, lived in all its runs.
func Proofs(c *Course, stage NewStage) []Proof {
	var all []Proof
	for _, lang := range Langs() {
		for l := range c.Lessons() {
			if l.Written() {
				all = append(all, Proof{fmt.Sprintf("lesson %s (%s)", l.ID, lang), func() []Problem { return c.proveLesson(l, lang, stage) }})
			}
		}
		for _, e := range c.Exercises {
			all = append(all, Proof{fmt.Sprintf("exercise %s (%s)", e.ID, lang), func() []Problem { return c.proveExercise(e, lang, stage) }})
		}
		for _, i := range c.Bank().Items {
			if i.Kind == Predict {
				all = append(all, Proof{fmt.Sprintf("question %s (%s)", i.ID, lang), func() []Problem { return c.provePredict(i, lang, stage) }})
			}
		}
		all = append(all, Proof{fmt.Sprintf("glossary (%s)", lang), func() []Problem { return c.proveGlossary(lang, stage) }})
	}
	for _, s := range c.Stories {
		all = append(all, Proof{fmt.Sprintf("story %d", s.Number), func() []Problem { return proveStory(s) }})
	}
	return all
}

// proof is one that runs: on which stage, and what it found.
type proof struct {
	Stage
	lang     Lang
	file     string
	problems []Problem
}

func (c *Course) proof(file string, lang Lang, members int, stage NewStage) *proof {
	p := &proof{lang: lang, file: file}
	var err error
	if p.Stage, err = stage(members); err != nil {
		p.fault(1, "%v", err)
	}
	return p
}

func (p *proof) fault(line int, format string, args ...any) {
	p.problems = append(p.problems, Problem{File: p.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// run types a line; ok is false where the program failed.
func (p *proof) run(at int, line string) (answer string, failed, ok bool) {
	answer, failed, err := p.Run(p.lang, line)
	if err != nil {
		p.fault(at, "%s: %v", first(line), err)
		return "", true, false
	}
	return answer, failed, true
}

// proveLesson runs the commands of a lesson in order on one stage.
func (c *Course) proveLesson(l *Lesson, lang Lang, stage NewStage) []Problem {
	p := c.proof(l.file[lang], lang, usualMembers, stage)
	if p.Stage == nil {
		return p.problems
	}
	for _, m := range l.Messages(lang) {
		for _, try := range m.Tries {
			answer, failed, ok := p.run(try.line, try.Line)
			switch {
			case !ok:
			case failed && len(try.Expect) == 0:
				p.fault(try.line, "%s does not succeed, and the lesson does not expect it: %s", first(try.Line), some(answer))
			}
			for _, want := range try.Expect {
				if ok && !strings.Contains(answer, want) {
					p.fault(try.line, "%s does not answer %q, but: %s", first(try.Line), want, some(answer))
				}
			}
		}
	}
	c.tellAll(p)
	return p.problems
}

// tellAll has every lens tell what really happened.
func (c *Course) tellAll(p *proof) {
	for _, s := range p.Cluster().Trace().Steps() {
		for _, lens := range c.Lenses {
			if _, err := lens.tell(p.lang, factsOf(s)); err != nil {
				p.problems = append(p.problems, Problem{File: lens.file, Text: err.Error()})
			}
		}
	}
}

// before is what the glossary's commands find in the cluster: what lesson 2.1 begins with.
const before = "/kubectl create deployment web --image=nginx --replicas=2"

// proveGlossary runs what each term has to try, each on a stage of its own.
func (c *Course) proveGlossary(lang Lang, stage NewStage) []Problem {
	var problems []Problem
	for _, t := range c.Terms {
		try := t.Try.In(lang)
		if try == "" {
			continue
		}
		p := c.proof(glossaryName, lang, usualMembers, stage)
		if p.Stage == nil {
			return p.problems
		}
		p.run(t.line, before)
		want := t.Expect.In(lang)
		switch answer, failed, ok := p.run(t.line, try); {
		case !ok:
		case failed && want == "":
			p.fault(t.line, "%s does not succeed: %s", first(try), some(answer))
		case !strings.Contains(answer, want):
			p.fault(t.line, "%s does not answer %q, but: %s", first(try), want, some(answer))
		}
		problems = append(problems, p.problems...)
	}
	return problems
}

// proveExercise shows that the start reaches no step, and that the solutions reach each in its turn.
func (c *Course) proveExercise(e *Exercise, lang Lang, stage NewStage) []Problem {
	p := c.proof(e.file, lang, e.Members, stage)
	if p.Stage == nil {
		return p.problems
	}
	for i, line := range e.Start {
		if answer, failed, ok := p.run(e.starts[i], line.In(lang)); ok && failed {
			p.fault(e.starts[i], "the start: %s does not succeed: %s", first(line.In(lang)), some(answer))
		}
	}
	w := World{Since: p.Cluster().Trace().Last()}
	for i, s := range e.Steps {
		if p.reached(s, w) {
			p.fault(s.line, "step %d is reached from the start: there is nothing to do", i+1)
		}
	}
	for i, s := range e.Steps {
		if len(p.problems) > 0 {
			break // what follows hangs on what came before
		}
		p.solve(i, s, w)
	}
	c.tellAll(p)
	return p.problems
}

// solve runs the solution of a step.
func (p *proof) solve(i int, s *Step, w World) {
	if i > 0 && p.reached(s, w) {
		p.fault(s.line, "step %d is reached by the solution of the one before: there is nothing left to do", i+1)
		return
	}
	var last string
	for i, line := range s.Solution {
		answer, failed, ok := p.run(s.solutions[i], line.In(p.lang))
		if !ok {
			return
		}
		w.Ran = append(w.Ran, line.In(p.lang))
		if failed {
			last = fmt.Sprintf("; %s does not succeed: %s", first(line.In(p.lang)), some(answer))
		}
	}
	w.Cluster = p.Cluster()
	unmet, err := s.Unmet(w)
	if err != nil {
		p.fault(s.line, "%v", err)
	}
	for _, c := range unmet {
		p.fault(c.line, "step %d: its solution does not reach it: %s%s", i+1, c.told(w), last)
	}
}

// reached says whether a step's conditions hold as things stand.
func (p *proof) reached(s *Step, w World) bool {
	w.Cluster = p.Cluster()
	unmet, err := s.Unmet(w)
	if err != nil {
		p.fault(s.line, "%v", err)
		return false
	}
	return len(unmet) == 0
}

// first is a line without its standard input.
func first(line string) string {
	line, _, _ = strings.Cut(line, "\n")
	return line
}

// some is the beginning of an answer, in one line.
func some(answer string) string {
	const most = 200
	words := []rune(strings.Join(strings.Fields(answer), " "))
	if len(words) > most {
		words = append(slices.Clone(words[:most]), '…')
	}
	return string(words)
}
