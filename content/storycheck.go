package content

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"timonier/sim"
	"timonier/sim/trace"
)

// What a story may hold.
const (
	mostOptions  = 4   // of a question
	optionLength = 80  // characters of an option
	whyLength    = 350 // of what there is to say to whoever chose it
	mostAdvance  = 24 * time.Hour
)

// storiesHold proves what can be proved of stories without living them; see proveStory.
func (p *prover) storiesHold() {
	seen := map[int]string{}
	for _, s := range p.course.Stories {
		if other, ok := seen[s.Number]; ok {
			p.fault(s.file, 1, "there is another story %d: %s", s.Number, other)
		}
		seen[s.Number] = s.file
		p.storyHolds(s)
	}
	for _, file := range p.glob("stories/*") {
		if path.Ext(file) != ".yaml" {
			p.fault(file, 0, "a story is a file named N-ID.yaml")
		}
	}
}

func (p *prover) storyHolds(s *Story) {
	bad := func(text string, args ...any) { p.fault(s.file, 1, text, args...) }
	if want := strconv.Itoa(s.Number) + "-" + s.ID + ".yaml"; path.Base(s.file) != want {
		bad("the story %d, %s, belongs in a file %s", s.Number, s.ID, want)
	}
	if _, ok := p.course.Lesson(s.Lesson); !ok {
		bad("there is no lesson %q", s.Lesson)
	}
	if s.Service == "" {
		bad("a story measures a Service: service")
	}
	if len(s.Runs) == 0 || len(s.Beats) == 0 {
		bad("a story has at least one run and one beat")
		return
	}
	p.short(s.file, 1, MessageLength, s.Title, s.Intro, s.Done)
	p.textLinks(s.file, 1, s.Intro)
	ids := map[string]bool{}
	for _, r := range s.Runs {
		if r.ID == "" || ids[r.ID] {
			bad("each run has an id of its own: %q", r.ID)
		}
		ids[r.ID] = true
		if r.Nodes < 1 || r.Nodes > 20 || !slices.Contains([]int{0, 1, 3, 5}, r.Members) {
			bad("the run %s has %d nodes and %d members: 1 to 20 nodes, and 1, 3 or 5 members", r.ID, r.Nodes, r.Members)
		}
		p.actsHold(s.file, 1, r.Start)
	}
	for _, b := range s.Pages() {
		p.beatHolds(s, b, ids)
	}
	switch c := s.Counter; {
	case c == nil:
	case !ids[c.Run] || c.Run == s.Runs[0].ID:
		p.fault(s.file, c.line, "counter: run is one of the runs, and not the first: %q", c.Run)
	case len(c.acts)+len(c.actsOf)+len(c.then)+len(c.thenOf) > 0:
		p.fault(s.file, c.line, "counter: what happens is what happens in the beats: it has no acts of its own")
	}
	if !p.broken[s.file] {
		p.wordsHold(s)
	}
}

func (p *prover) beatHolds(s *Story, b *Beat, runs map[string]bool) {
	p.short(s.file, b.line, MessageLength, b.Title, b.Told, b.Question, b.After)
	p.textLinks(s.file, b.line, b.Told)
	for _, byRun := range []map[string][]Act{b.actsOf, b.thenOf} {
		for run, acts := range byRun {
			if !runs[run] {
				p.fault(s.file, b.line, "there is no run %s", run)
			}
			p.actsHold(s.file, b.line, acts)
		}
	}
	p.actsHold(s.file, b.line, b.acts)
	p.actsHold(s.file, b.line, b.then)
	if n := len(b.Options); n < 2 || n > mostOptions {
		p.fault(s.file, b.line, "%d options: a question has 2 to %d", n, mostOptions)
	}
	for _, o := range b.Options {
		p.short(s.file, o.line, optionLength, o.Text)
		p.short(s.file, o.line, whyLength, o.Why)
		p.patternHolds(s.file, o.line, o.closed)
		p.patternHolds(s.file, o.line, o.outages)
		if len(o.checks) == 0 && o.closed == "" && o.outages == "" {
			p.fault(s.file, o.line, "an option says by what it is known to hold: checks, closed or outages")
		}
		for _, c := range o.checks {
			p.conditionHolds(s.file, c)
			if c.Ran != nil {
				p.fault(s.file, o.line, "nobody types anything in a story: ran says nothing")
			}
		}
	}
}

func (p *prover) actsHold(file string, line int, acts []Act) {
	for _, a := range acts {
		set := 0
		for _, is := range []bool{a.Kubectl != "", a.Break != "", a.Mend != "", a.Join != "", a.Advance > 0} {
			if is {
				set++
			}
		}
		switch fault, _, ok := strings.Cut(a.Break+a.Mend, " "); {
		case set != 1:
			p.fault(file, line, "an act is one of kubectl, break, mend, join and advance")
		case a.Advance > mostAdvance:
			p.fault(file, line, "advance: a day at most")
		case a.Input != "" && a.Kubectl == "":
			p.fault(file, line, "input is what kubectl reads")
		case a.Break+a.Mend != "" && (!ok || !slices.Contains(sim.FaultNames(), fault)):
			p.fault(file, line, "there is no fault %q: %s, and a target", a.Break+a.Mend, strings.Join(sim.FaultNames(), ", "))
		}
	}
}

// wordsHold proves that what a story tells can be told, whatever the step holds.
func (p *prover) wordsHold(s *Story) {
	for _, lang := range Langs() {
		t := s.words.told[lang]
		for kind, variants := range t.sentences {
			if !slices.Contains(trace.Kinds(), kind) {
				p.fault(s.file, 0, "%s is not a kind of step", kind)
			}
			for _, v := range variants {
				for name := range v.when {
					if _, ok := (Facts{}).field(name); !ok {
						p.fault(s.file, v.line, "when: %s is not a fact one can ask for", name)
					}
				}
				for _, f := range []Facts{{Step: kind}, fullFacts(kind)} {
					if _, err := t.execute(v.name, f); err != nil {
						p.fault(s.file, v.line, "%s: %v", lang, err)
					}
				}
			}
		}
	}
}

// proveStory lives a story in all its runs: each act does what it should, after each blow exactly one option holds,
// whatever the run, and of each beat of the run that is told the story's words tell something, in both languages.
func proveStory(s *Story) (problems []Problem) {
	bad := func(line int, text string, args ...any) {
		problems = append(problems, Problem{File: s.file, Line: line, Text: fmt.Sprintf(text, args...)})
	}
	o, err := s.Compare()
	if err != nil {
		var at beatError
		errors.As(err, &at)
		bad(at.line, "%s", some(err.Error()))
		return problems
	}
	for i, p := range o.Runs {
		for n, e := range p.Episodes {
			if len(e.Holds) != 1 {
				bad(e.Beat.line, "beat %d, run %s: %s; exactly one is to hold", n+1, p.Run.ID, heldOptions(e.Holds))
			}
			if i == 0 {
				p.tellsBeat(n, bad)
			}
		}
	}
	names := []string{AfterAll}
	if s.Counter != nil {
		names = append(names, AfterCounter)
		if len(o.Holds) != 1 {
			bad(s.Counter.line, "counter-run: %s; exactly one is to hold", heldOptions(o.Holds))
		}
	}
	for _, lang := range Langs() {
		for _, name := range names {
			if _, err := o.Last(lang, name); err != nil {
				bad(0, "%s: %v", lang, err)
			}
		}
	}
	return problems
}

func heldOptions(holds []int) string {
	if len(holds) == 0 {
		return "no option holds"
	}
	var letters []string
	for _, i := range holds {
		letters = append(letters, string(rune('A'+i)))
	}
	return "the options that hold are " + strings.Join(letters, ", ")
}

// tellsBeat proves that there is something to say of a beat that was played.
func (p *Performance) tellsBeat(n int, bad func(line int, text string, args ...any)) {
	e := p.Episodes[n]
	words := p.Words()
	for _, lang := range Langs() {
		if _, err := p.After(lang, n); err != nil {
			bad(e.Beat.line, "beat %d, %s: %v", n+1, lang, err)
		}
		if !slices.ContainsFunc(e.Steps, func(s trace.Step) bool { _, ok := words.Tell(lang, s); return ok }) {
			bad(e.Beat.line, "beat %d: the story's words tell nothing of what happened", n+1)
		}
	}
}
