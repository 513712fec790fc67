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
	w.say("course")
	for l := range course.Lessons() {
		if l.Written() {
			w.lesson(course, l)
		}
	}
	for _, st := range course.Stories {
		w.story(st)
	}
	for _, a := range course.Analogies {
		w.say("analogy", strconv.Itoa(a.Number))
	}
	for _, t := range course.Terms {
		w.say("glossary", t.Name.In(lang))
	}
	for _, d := range course.Diagrams {
		w.say("diagram", d.Name)
	}
	w.say("progress")
	w.say("course")
	return w.stops
}

// walk is one that is being laid out.
type walk struct {
	words    words
	lang     content.Lang
	commands []*command
	stops    []Stop
}

// say adds a line of the tutor's own, by the command's English name.
func (w *walk) say(command string, args ...string) {
	for _, cmd := range w.commands {
		if cmd.name.en == command {
			w.stops = append(w.stops, Stop{Line: strings.Join(append([]string{"/" + cmd.name.in(w.words)}, args...), " ")})
		}
	}
}

func (w *walk) lesson(course *content.Course, l *content.Lesson) {
	w.say("reset", confirmed.in(w.words))
	w.say("course", l.ID)
	for i, m := range l.Messages(w.lang) {
		if i > 0 {
			w.say("course", next.in(w.words))
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
	w.say("exercise", e.ID)
	for _, s := range e.Steps {
		w.say("exercise", exerciseCheck.in(w.words))
		w.stops[len(w.stops)-1].Fails = true
		for range s.Hints {
			w.say("exercise", exerciseHint.in(w.words))
		}
		for _, line := range s.Solution {
			w.stops = append(w.stops, Stop{Line: line.In(w.lang), Fails: true})
		}
	}
	w.say("exercise", exerciseEnd.in(w.words))
}

func (w *walk) story(st *content.Story) {
	w.say("story", strconv.Itoa(st.Number))
	beats := len(st.Beats)
	if st.Counter != nil {
		beats++
	}
	for i := range beats {
		if i > 0 {
			w.say("story", next.in(w.words))
		}
		w.say("story", storyPredict.in(w.words), "A")
		for _, word := range []name{storyTechnic, storyShow} {
			w.say("story", word.in(w.words))
		}
	}
	w.say("story", next.in(w.words))
	w.stops[len(w.stops)-1].Fails = true // there is no more
	w.say("story", storyLeave.in(w.words))
	w.stops[len(w.stops)-1].Fails = true
}
