package bot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"timonier/content"
)

// contents is the table of contents: how far the person has come in each section, and what is next.
func (c *call) contents() Reply {
	course := c.content
	var b strings.Builder
	done, total := 0, 0
	for _, s := range course.Sections {
		n, of := c.steps(s)
		done, total = done+n, total+of
		fmt.Fprintf(&b, "- %s **%d. %s**%s\n", c.sectionMark(s), s.Number, c.in(s.Title), c.sectionNote(s, n, of))
	}
	r := Reply{Blocks: []Block{
		Title{c.in(course.Title)},
		Meter{Label: c.say("course.steps", with{"Done": done, "Total": total}), Done: done, Total: max(1, total)},
		Text{b.String() + "\n*" + c.say("course.legend") + "*\n\n" + c.say("course.open", with{"Course": c.typed("course")})},
	}}
	return c.offerNext(c.offerExercise(r)).with(Button{Label: c.say("button.progress"), Line: c.typed("progress")})
}

// offerExercise says that an exercise is under way, and leads back to it.
func (c *call) offerExercise(r Reply) Reply {
	e, _, ok := c.underway()
	if !ok {
		return r
	}
	r.Blocks = append(r.Blocks, Text{c.say("exercise.underway", with{"Title": c.in(e.Title), "Step": c.channel.exercise.Step + 1, "Steps": len(e.Steps)})})
	return r.with(Button{Label: c.say("exercise.resume"), Line: c.typed("exercise"), Style: Primary})
}

// offerNext adds the button of the next thing to do, if there is one.
func (c *call) offerNext(r Reply) Reply {
	if t, ok := c.nextTodo(); ok {
		return r.with(c.button(t))
	}
	return r
}

// sectionMark is the mark of the lesson that tells most about the section.
func (c *call) sectionMark(s *content.Section) string {
	all := mastered
	best := coming
	for _, l := range s.Lessons {
		if st := c.masteryOf(l); st != coming {
			all, best = min(all, st), max(best, st)
		}
	}
	switch {
	case best == coming || best == locked || all == mastered:
		return best.mark()
	case c.here(s) || best >= practised:
		return practised.mark()
	}
	return ready.mark()
}

// here says that the person's bookmark is in the section.
func (c *call) here(s *content.Section) bool {
	return slices.ContainsFunc(s.Lessons, func(l *content.Lesson) bool { return l.ID == c.learner.bookmark.Lesson })
}

// sectionNote is what follows a section's title.
func (c *call) sectionNote(s *content.Section, done, total int) string {
	first := slices.IndexFunc(s.Lessons, (*content.Lesson).Written)
	if first < 0 {
		return " *(" + c.say("course.coming") + ")*"
	}
	note := " · " + c.say("course.of", with{"Done": done, "Total": total})
	switch {
	case c.here(s):
		note += " ◀ *" + c.say("course.here") + "*"
	case done == 0:
		note += c.waits(s.Lessons[first])
	}
	return note
}

// waits says what a lesson that is locked waits for.
func (c *call) waits(l *content.Lesson) string {
	if c.masteryOf(l) != locked {
		return ""
	}
	var ids []string
	for _, r := range c.missing(l) {
		ids = append(ids, r.ID)
	}
	return " *(" + c.say("course.after", with{"Lessons": strings.Join(ids, ", ")}) + ")*"
}

// section is a section's lessons and exercises, and where the person is with each.
func (c *call) section(s *content.Section) Reply {
	var b strings.Builder
	for _, l := range s.Lessons {
		st := c.masteryOf(l)
		fmt.Fprintf(&b, "- %s **%s** %s", st.mark(), l.ID, c.in(l.Title))
		switch {
		case l.ID == c.learner.bookmark.Lesson:
			b.WriteString(" ◀ *" + c.say("course.here") + "*")
		case st == coming:
			b.WriteString(" *(" + c.say("course.coming") + ")*")
		default:
			b.WriteString(c.waits(l))
		}
		b.WriteString("\n")
		for _, e := range c.content.ExercisesOf(l.ID) {
			fmt.Fprintf(&b, "- %s %s *(%s)*\n", c.exerciseMark(e), c.say("exercise.button", with{"Title": c.in(e.Title)}), c.formName(e.Form))
		}
	}
	done, total := c.steps(s)
	r := Reply{Blocks: []Block{Title{fmt.Sprintf("%d. %s", s.Number, c.in(s.Title))}}}
	if total > 0 {
		r.Blocks = append(r.Blocks, Meter{Label: c.say("course.steps", with{"Done": done, "Total": total}), Done: done, Total: total})
	}
	r.Blocks = append(r.Blocks, Text{b.String()})
	if t, ok := c.firstTodo(s.Lessons); ok {
		r = r.with(c.button(t))
	} else {
		r = c.offerNext(r)
	}
	for _, l := range s.Lessons {
		if st := c.masteryOf(l); st >= ready && l.ID != c.learner.bookmark.Lesson && !slices.ContainsFunc(r.Buttons, func(b Button) bool { return b.Line == c.typed("course", l.ID) }) {
			r = r.with(Button{Label: l.ID, Line: c.typed("course", l.ID)})
		}
	}
	if c.may(leads) && slices.ContainsFunc(s.Lessons, func(l *content.Lesson) bool { return c.masteryOf(l) == locked }) {
		r = r.with(c.unlockButton(strconv.Itoa(s.Number)))
	}
	return r.with(Button{Label: c.say("button.contents"), Line: c.typed("course")})
}

func (c *call) unlockButton(what string) Button {
	label := c.say("course.unlock", with{"What": what})
	if _, err := strconv.Atoi(what); err == nil {
		label = c.say("course.unlocksection", with{"What": what})
	}
	return Button{Label: label, Line: c.typed("course", courseUnlock.in(c.words), what)}
}

// lockedLesson says what to do before a lesson can be opened.
func (c *call) lockedLesson(l *content.Lesson) Reply {
	var names []string
	for _, r := range c.missing(l) {
		names = append(names, "**"+r.ID+"** "+c.in(r.Title))
	}
	text := c.say("course.locked", with{"Lesson": l.ID, "Title": c.in(l.Title), "Before": strings.Join(names, ", ")})
	r := Reply{Failed: true}
	if t, ok := c.beforeTodo(l); ok {
		text += "\n\n" + c.ahead(t)
		r = r.with(c.button(t))
	}
	r.Blocks = []Block{Title{c.headline(l)}, Text{text}}
	if c.may(leads) {
		r = r.with(c.unlockButton(l.ID))
	}
	return r.with(Button{Label: c.say("button.contents"), Line: c.typed("course")})
}

// The words that open what is not mastered yet, and close it again.
var (
	courseUnlock = name{"déverrouille", "unlock"}
	courseLock   = name{"verrouille", "lock"}
	courseAll    = name{"tout", "all"}
)

// unlockWord says whether a word opens lessons or closes them; ok is false where it does neither.
func unlockWord(word string) (opens, ok bool) {
	switch fold(word) {
	case fold(courseUnlock.fr), courseUnlock.en, "deverrouiller":
		return true, true
	case fold(courseLock.fr), courseLock.en, "verrouiller":
		return false, true
	}
	return false, false
}

// unlockCommand is /cours déverrouille 4.1, 4 or tout, and verrouille: for the whole channel.
func (c *call) unlockCommand(opens bool, what string) Reply {
	word := courseLock
	if opens {
		word = courseUnlock
	}
	if !c.may(leads) {
		return c.forbidden(c.typed("course", word.in(c.words)))
	}
	lessons := c.lessonsOf(what)
	if len(lessons) == 0 {
		return c.mistake("course.unlockwhich", with{"Command": c.typed("course", word.in(c.words))}).with(c.unlockButton(courseAll.in(c.words)))
	}
	settings := &c.channel.settings
	for _, l := range lessons {
		if opens {
			settings.Open = added(settings.Open, l.ID)
		} else {
			settings.Open = removed(settings.Open, l.ID)
		}
	}
	said := what
	if courseAll.is(what) {
		said = c.say("course.whole")
	} else if len(lessons) > 1 {
		said = lessons[0].ID + "–" + lessons[len(lessons)-1].ID
	}
	if !opens {
		return Reply{Blocks: []Block{Text{c.say("course.nowlocked", with{"What": said})}}}.with(Button{Label: c.say("button.contents"), Line: c.typed("course")})
	}
	r := Reply{Blocks: []Block{Text{c.say("course.nowopen", with{"What": said})}}}
	if !courseAll.is(what) && lessons[0].Written() {
		r = r.with(Button{Label: lessons[0].ID + " " + c.in(lessons[0].Title), Line: c.typed("course", lessons[0].ID), Style: Primary})
	}
	return r.with(Button{Label: c.say("button.contents"), Line: c.typed("course")})
}

// lessonsOf are the lessons that a word names: 4.1, those of section 4, or all.
func (c *call) lessonsOf(word string) []*content.Lesson {
	course := c.content
	if courseAll.is(word) {
		return slices.Collect(course.Lessons())
	}
	if l, ok := course.Lesson(word); ok {
		return []*content.Lesson{l}
	}
	if n, err := strconv.Atoi(word); err == nil {
		if s, ok := course.Section(n); ok {
			return s.Lessons
		}
	}
	return nil
}
