package bot

import (
	"strconv"
	"strings"

	"timonier/content"
)

// Stop is one line of a walk through the course.
type Stop struct {
	Line   string
	Expect []string // texts that the answer holds
	Fails  bool     // the answer may be a refusal: what is taught is the refusal
}

// Walk is what a learner types who goes through a whole course from its first page to its
// last, in a language: every page with every command that it offers, every exercise with
// its hints and its solution, every story with a prediction at each beat, every analogy,
// word and drawing; each lesson on a new cluster. It is what a test, or a rehearsal on a platform, plays.
func Walk(course *content.Course, lang content.Lang) []Stop {
	all, err := newWords()
	if err != nil {
		panic(err) // a build whose tests did not pass
	}
	w := &walk{words: all[string(lang)], lang: lang, commands: commands()}
	w.types("course")
	for l := range course.Lessons() {
		if l.Written() {
			w.lesson(course, l)
		}
	}
	for _, st := range course.Stories {
		w.story(st)
	}
	for _, a := range course.Analogies {
		w.types("analogy", strconv.Itoa(a.Number))
	}
	for _, t := range course.Terms {
		w.types("glossary", t.Name.In(lang))
	}
	for _, d := range course.Diagrams {
		w.types("diagram", d.Name)
	}
	w.types("progress")
	w.types("course")
	return w.stops
}

// walk is one that is being laid out.
type walk struct {
	words    words
	lang     content.Lang
	commands []*command
	stops    []Stop
}

// types adds a line of the tutor's own, by the command's English name. One that there is not stays as it is: the
// tutor refuses it, so that nothing is passed over in silence.
func (w *walk) types(command string, args ...string) {
	for _, cmd := range w.commands {
		if cmd.name.en == command {
			command = cmd.name.in(w.words)
			break
		}
	}
	w.stops = append(w.stops, Stop{Line: strings.Join(append([]string{"/" + command}, args...), " ")})
}

func (w *walk) lesson(course *content.Course, l *content.Lesson) {
	w.types("reset", confirmed.in(w.words))
	w.types("course", l.ID)
	for i, m := range l.Messages(w.lang) {
		if i > 0 {
			w.types("course", next.in(w.words))
		}
		for _, t := range m.Tries {
			w.stops = append(w.stops, Stop{t.Line, t.Expect, len(t.Expect) > 0})
		}
	}
	for _, e := range course.ExercisesOf(l.ID) {
		w.exercise(e)
	}
}

func (w *walk) exercise(e *content.Exercise) {
	w.types("exercise", e.ID)
	for _, s := range e.Steps {
		w.types("exercise", exerciseCheck.in(w.words))
		w.stops[len(w.stops)-1].Fails = true
		for range s.Hints {
			w.types("exercise", exerciseHint.in(w.words))
		}
		for _, line := range s.Solution {
			w.stops = append(w.stops, Stop{Line: line.In(w.lang), Fails: true})
		}
	}
	w.types("exercise", exerciseEnd.in(w.words))
}

func (w *walk) story(st *content.Story) {
	w.types("story", strconv.Itoa(st.Number))
	beats := len(st.Beats)
	if st.Counter != nil {
		beats++
	}
	for i := range beats {
		if i > 0 {
			w.types("story", next.in(w.words))
		}
		w.types("story", storyPredict.in(w.words), "A")
		for _, word := range []name{storyTechnic, storyShow} {
			w.types("story", word.in(w.words))
		}
	}
	w.types("story", next.in(w.words))
	w.stops[len(w.stops)-1].Fails = true // there is no more
	w.types("story", storyLeave.in(w.words))
	w.stops[len(w.stops)-1].Fails = true
}
