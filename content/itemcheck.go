package content

import (
	"path"
	"strings"
)

// bankHolds proves what can be proved of the bank without running it.
func (p *prover) bankHolds() {
	if len(p.glob("bank/*")) == 0 {
		return
	}
	for _, file := range p.glob("bank/*") {
		if path.Ext(file) != "" && file != objectivesName && file != misconceptionsName {
			p.fault(file, 0, "questions are a file of a section's directory: bank/DIR/LESSON.yaml")
		}
	}
	for _, file := range p.glob("bank/*/*") {
		if path.Ext(file) != ".yaml" {
			p.fault(file, 0, "nobody reads this file: its name does not end in .yaml")
		}
	}
	p.objectivesHold()
	p.misconceptionsHold()
	files := map[string]map[string]outline{}
	for n, i := range p.bank.Items {
		if files[i.file] == nil {
			files[i.file] = p.itemLines(i.file)
		}
		at := files[i.file][i.ID]
		if at.Node == nil {
			at = p.outline(i.file)
		}
		if n > 0 && p.bank.Items[n-1].ID == i.ID {
			p.fault(i.file, at.line(), "there is another question %s: %s", i.ID, p.bank.Items[n-1].file)
		}
		p.itemHolds(i, at)
	}
}

func (p *prover) objectivesHold() {
	at := p.outline(objectivesName)
	seen := map[string]bool{}
	for n, o := range p.bank.Objectives {
		if o.ID == "" || seen[o.ID] {
			p.fault(objectivesName, at.line(n), "an objective has an id of its own: %q", o.ID)
		}
		seen[o.ID] = true
		p.must(objectivesName, at.line(n), o.Name)
	}
}

// misconceptionLength is how many characters the name of a misconception may have.
const misconceptionLength = 80

func (p *prover) misconceptionsHold() {
	for n, m := range p.bank.Misconceptions {
		at := p.outline(m.file)
		line := at.line(m.ID)
		if m.file != misconceptionsName {
			line = at.line("misconceptions", m.ID)
		}
		if n > 0 && p.bank.Misconceptions[n-1].ID == m.ID {
			p.fault(m.file, line, "there is another misconception %s: %s", m.ID, p.bank.Misconceptions[n-1].file)
		}
		if _, ok := p.course.Lesson(m.Lesson); !ok {
			p.fault(m.file, line, "misconception %s: there is no lesson %q", m.ID, m.Lesson)
		}
		p.must(m.file, line, m.Name)
		p.short(m.file, line, misconceptionLength, m.Name)
	}
}

func (p *prover) itemHolds(i *Item, at outline) {
	bad := func(text string, args ...any) { p.fault(i.file, at.line(), text, args...) }
	if lesson, ok := p.course.Lesson(i.Lesson); ok {
		if want := path.Join(bankDir(lesson), i.Lesson+".yaml"); i.file != want {
			bad("the questions of lesson %s belong in %s", i.Lesson, want)
		}
		if !strings.HasPrefix(i.ID, i.Lesson+"-") {
			bad("the question %q of lesson %s is named %s-…", i.ID, i.Lesson, i.Lesson)
		}
	}
	for _, f := range p.course.ItemFaults(i) {
		bad("%s: %s", i.ID, f.Error())
	}
	p.textLinks(i.file, at.line(), i.Ask, i.Hint, i.Why)
	p.must(i.file, at.line("ask"), i.Ask)
	p.must(i.file, at.line("why"), i.Why)
	p.may(i.file, at.line("hint"), i.Hint)
	for n, o := range i.Options {
		p.must(i.file, at.line("options", n), o.Text)
		p.may(i.file, at.line("options", n), o.Why)
		p.textLinks(i.file, at.line("options", n), o.Why)
	}
	for n, t := range i.Traps {
		p.may(i.file, at.line("traps", n), t.Why)
	}
	for n, t := range i.Steps {
		p.must(i.file, at.line("steps", n), t)
	}
	for n, t := range i.Pairs {
		p.must(i.file, at.line("pairs", n), t.Left, t.Right)
	}
	p.may(i.file, at.line("unit"), i.Unit)
	for _, t := range i.Extra {
		p.must(i.file, at.line("extra"), t)
	}
	if i.Kind == Predict {
		p.predictHolds(i, at)
	}
}

// predictHolds proves that the question can be put to the simulator.
func (p *prover) predictHolds(i *Item, at outline) {
	if len(i.Run) == 0 {
		p.fault(i.file, at.line(), "%s: run: what happens is to be run", i.ID)
	}
	for _, line := range append(i.Start[:len(i.Start):len(i.Start)], i.Run...) {
		p.lineHolds(i.file, at.line(), line)
	}
	for n, o := range i.Options {
		if len(o.Checks) == 0 {
			p.fault(i.file, at.line("options", n), "%s: an option says by its checks what holds where it comes true", i.ID)
		}
		for _, c := range o.Checks {
			c.line = at.line("options", n)
			p.conditionHolds(i.file, c)
		}
	}
}

// provePredict runs what an item asks about: of the options, only the right one comes true.
func (c *Course) provePredict(i *Item, lang Lang, stage NewStage) []Problem {
	p := c.proof(i.file, lang, i.Members, stage)
	if p.Stage == nil {
		return p.problems
	}
	for _, line := range i.Start {
		if answer, failed, ok := p.run(0, line.In(lang)); ok && failed {
			p.fault(0, "%s: the start: %s does not succeed: %s", i.ID, first(line.In(lang)), some(answer))
		}
	}
	w := World{Since: p.Cluster().Trace().Last()}
	for _, line := range i.Run {
		p.run(0, line.In(lang)) // a refusal may be what is asked about
		w.Ran = append(w.Ran, line.In(lang))
	}
	w.Cluster = p.Cluster()
	for n, o := range i.Options {
		s := &Step{Checks: o.Checks}
		unmet, err := s.Unmet(w)
		switch {
		case err != nil:
			p.fault(0, "%s: option %d: %v", i.ID, n+1, err)
		case o.Right && len(unmet) > 0:
			p.fault(0, "%s: option %d is said to be right, and does not come true: %s", i.ID, n+1, unmet[0].told(w))
		case !o.Right && len(unmet) == 0:
			p.fault(0, "%s: option %d is said to be wrong, and comes true", i.ID, n+1)
		}
	}
	return p.problems
}
