package content

import (
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"

	"timonier/sim/trace"
)

// storyWords are a story's own way of telling steps: a lens with gaps, whose pods are named in the order in which they
// appear. A step without a sentence is not told.
type storyWords struct {
	appear []Text // the first pod of the story, the second …
	later  Text   // the others; {} is the number
	told   map[Lang]*telling
}

// Words are the story's words for the pods that have appeared so far.
type Words struct{ told map[Lang]*telling }

// Words are the story's, as things stand.
func (p *Performance) Words() Words {
	w := Words{told: map[Lang]*telling{}}
	for lang, t := range p.Story.words.told {
		own := *t
		own.cast.named = map[string]string{}
		for i, pod := range p.pods {
			own.cast.named[pod] = p.Story.words.name(lang, i)
		}
		own.templates = template.Must(t.templates.Clone()).Funcs(own.functions()) // what was parsed can be cloned
		w.told[lang] = &own
	}
	return w
}

// name is what the n-th pod of the story is called, from 0.
func (w *storyWords) name(lang Lang, n int) string {
	if n < len(w.appear) {
		return w.appear[n].In(lang)
	}
	return strings.ReplaceAll(w.later.In(lang), "{}", fmt.Sprint(n+1))
}

// Tell puts a step into a sentence of the story's; false: the story passes over it.
func (w Words) Tell(lang Lang, s trace.Step) (string, bool) {
	t := w.told[lang]
	f := factsOf(s)
	for _, v := range t.sentences[f.Step] {
		if v.holds(f) {
			text, err := t.execute(v.name, f)
			return text, err == nil && text != ""
		}
	}
	return "", false
}

// Pod is what the story calls a pod; false: it does not know it.
func (w Words) Pod(lang Lang, name string) (string, bool) {
	who, ok := w.told[lang].cast.named[name]
	return who, ok
}

// Figures are what was measured, for what is said after a beat.
type Figures struct {
	Closed      time.Duration // without a ready endpoint during the beat; of the last words, during the whole
	ClosedSoFar time.Duration
	Longest     time.Duration // the longest interruption so far
	Outages     int           // interruptions so far
	Share       float64       // of the time since the first opening, with a ready endpoint; 0 to 1
	Opening     time.Duration // from the first blow to the first opening
	First       *Figures      // of the counter-run: what was measured in the story that was told
	steps       []trace.Step
}

// FiguresAt are the figures once an episode was over.
func (p *Performance) FiguresAt(n int) Figures {
	e := p.Episodes[n]
	began := p.Episodes[0].Began
	f := Figures{Closed: p.Uptime.Closed(e.Began, e.Ended), ClosedSoFar: p.Uptime.Closed(began, e.Ended), Longest: p.Uptime.Longest(began, e.Ended),
		Outages: p.Uptime.Outages(began, e.Ended), Share: p.Uptime.Share(began, e.Ended), steps: e.Steps}
	if opened, ok := p.Uptime.Opened(); ok {
		f.Opening = opened.Sub(began)
	}
	return f
}

// Figures are those of the whole story.
func (p *Performance) Figures() Figures {
	f := p.FiguresAt(len(p.Episodes) - 1)
	f.Closed, f.steps = f.ClosedSoFar, nil
	return f
}

// functions are what the texts after a beat may call besides a lens's.
func (f *Figures) functions(t *telling) template.FuncMap {
	all := t.functions()
	all["percent"] = t.percent
	all["since"] = f.since
	all["times"] = f.times
	return all
}

func (t *telling) percent(share float64) string { return Percent(t.lang, share) }

// Percent writes a share, 0 to 1: 41.2 %, and all or nothing only where it is that.
func Percent(lang Lang, share float64) string {
	p := min(max(share*100, 0), 100)
	text := fmt.Sprintf("%.1f", p)
	switch {
	case p > 99 && p < 100:
		text = fmt.Sprintf("%.2f", min(p, 99.99))
	case p == 100 || p == 0:
		text = fmt.Sprintf("%.0f", p)
	}
	if lang == FR {
		return strings.ReplaceAll(text, ".", ",") + "\u00a0%"
	}
	return text + "%"
}

// since is how long it took from the first step of a kind to the first of another after it; a colon may be
// followed by what a controller decided, or by a container's exit code: decided:evict, exited:1.
func (f *Figures) since(from, to string) (time.Duration, error) {
	for i, s := range f.steps {
		if !isStep(s, from) {
			continue
		}
		for _, later := range f.steps[i:] {
			if isStep(later, to) {
				return later.At.Sub(s.At), nil
			}
		}
	}
	return 0, fmt.Errorf("no step %s with a step %s after it", from, to)
}

// times is how many steps of a kind there were.
func (f *Figures) times(kind string) int {
	n := 0
	for _, s := range f.steps {
		if isStep(s, kind) {
			n++
		}
	}
	return n
}

func isStep(s trace.Step, kind string) bool {
	kind, what, narrow := strings.Cut(kind, ":")
	f := factsOf(s)
	return string(s.Kind) == kind && (!narrow || f.What == what || s.Kind == trace.Exited && strconv.FormatInt(f.Exit, 10) == what)
}

// After is what is said once an episode is over, with its figures.
func (p *Performance) After(lang Lang, n int) (string, error) {
	f := p.FiguresAt(n)
	return p.Story.words.told[lang].say(fmt.Sprint("after ", n+1), &f)
}

// Last are the last words of a story that has been lived; first is what the told run measured, where this is another.
func (o Outcome) Last(lang Lang, name string) (string, error) {
	told := o.Runs[0]
	f := told.Figures()
	if s := told.Story; s.Counter != nil {
		for _, p := range o.Runs {
			if p.Run.ID == s.Counter.Run {
				first := f
				f = p.Figures()
				f.First = &first
			}
		}
	}
	return told.Story.words.told[lang].say(name, &f)
}

// The names of an Outcome's last words.
const (
	AfterCounter = "after counter"
	AfterAll     = "done"
)

func (t *telling) say(name string, f *Figures) (string, error) {
	all, err := t.templates.Clone()
	if err != nil {
		return "", fmt.Errorf("say %s: %w", name, err)
	}
	var b strings.Builder
	if err := all.Funcs(f.functions(t)).ExecuteTemplate(&b, name, f); err != nil {
		return "", fmt.Errorf("say %s: %w", name, err)
	}
	return strings.TrimSpace(b.String()), nil
}
