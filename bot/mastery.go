package bot

import (
	"slices"
	"strings"

	"timonier/content"
)

// progress is how far a person has come.
type progress struct {
	Read   string `json:"read,omitempty"`   // IDs of the lessons read to their last page; blanks between
	Solved string `json:"solved,omitempty"` // of the exercises solved alone
	Helped string `json:"helped,omitempty"` // of those solved with their solution, and not alone since
	Asked  int    `json:"asked,omitempty"`  // questions answered
	Right  int    `json:"right,omitempty"`  // of them, answered right

	Foretold int `json:"foretold,omitempty"` // predictions made in stories
	Foreseen int `json:"foreseen,omitempty"` // of them, those that came true
}

// among says whether an ID is in a list of IDs with blanks between.
func among(list, id string) bool { return slices.Contains(strings.Fields(list), id) }

// added is the list with the ID, which stands in it once.
func added(list, id string) string {
	if among(list, id) {
		return list
	}
	return strings.TrimSpace(list + " " + id)
}

// removed is the list without the ID.
func removed(list, id string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(list), func(s string) bool { return s == id }), " ")
}

// hasRead marks a lesson as read.
func (p *progress) hasRead(lesson string) { p.Read = added(p.Read, lesson) }

// hasSolved marks an exercise as solved. What was once solved alone stays so.
func (p *progress) hasSolved(exercise string, helped bool) {
	switch {
	case !helped:
		p.Solved, p.Helped = added(p.Solved, exercise), removed(p.Helped, exercise)
	case !among(p.Solved, exercise):
		p.Helped = added(p.Helped, exercise)
	}
}

// solved says that an exercise has been solved, alone or with help: either counts for its lesson.
func (p *progress) solved(exercise string) bool {
	return among(p.Solved, exercise) || among(p.Helped, exercise)
}

// mastery is where a person is with a lesson.
type mastery int

// The degrees, in their order.
const (
	coming    mastery = iota // it is not written yet
	locked                   // what it requires is not mastered yet
	ready                    // it can be read
	practised                // it has been read; exercises are left
	mastered
)

// mark is how a list shows a mastery.
func (m mastery) mark() string { return [...]string{"·", "🔒", "○", "◐", "✓"}[m] }

func (c *call) masteryOf(l *content.Lesson) mastery {
	_, left := c.unsolved(l)
	switch read := among(c.learner.progress.Read, l.ID); {
	case !l.Written():
		return coming
	case read && !left:
		return mastered
	case read:
		return practised
	case c.isOpen(l):
		return ready
	}
	return locked
}

// isOpen says whether a person may read a lesson: they have begun it, or it has been
// unlocked, or all that it requires is mastered. What is not written yet keeps nobody waiting.
func (c *call) isOpen(l *content.Lesson) bool {
	return among(c.learner.progress.Read, l.ID) || c.learner.bookmark.Lesson == l.ID ||
		among(c.channel.settings.Open, l.ID) || among(c.parent.Open, l.ID) || len(c.missing(l)) == 0
}

// missing are the lessons that a lesson requires and that are not mastered yet.
func (c *call) missing(l *content.Lesson) []*content.Lesson {
	var out []*content.Lesson
	for _, id := range l.Requires {
		if r, ok := c.content.Lesson(id); ok && r.Written() && c.masteryOf(r) != mastered {
			out = append(out, r)
		}
	}
	return out
}

// unsolved is a lesson's first exercise that is still to be solved.
func (c *call) unsolved(l *content.Lesson) (*content.Exercise, bool) {
	for _, e := range c.content.ExercisesOf(l.ID) {
		if !c.learner.progress.solved(e.ID) {
			return e, true
		}
	}
	return nil, false
}

// steps are how many there are in a section, and how many of them a person has done: a
// lesson to read is one, an exercise to solve another.
func (c *call) steps(s *content.Section) (done, total int) {
	for _, l := range s.Lessons {
		if !l.Written() {
			continue
		}
		total++
		if among(c.learner.progress.Read, l.ID) {
			done++
		}
		for _, e := range c.content.ExercisesOf(l.ID) {
			total++
			if c.learner.progress.solved(e.ID) {
				done++
			}
		}
	}
	return done, total
}

// todo is a thing to do: a lesson to read, or one of its exercises.
type todo struct {
	lesson   *content.Lesson
	exercise *content.Exercise // nil: the lesson is to be read
}

// todoOf is what is left to do of a lesson that is open; false where it is mastered.
func (c *call) todoOf(l *content.Lesson) (todo, bool) {
	if !among(c.learner.progress.Read, l.ID) {
		return todo{lesson: l}, true
	}
	e, left := c.unsolved(l)
	return todo{l, e}, left
}

// nextTodo is the next thing to do: from where the person is on, and what was left out before.
func (c *call) nextTodo() (todo, bool) {
	lessons := slices.Collect(c.content.Lessons())
	here := max(0, slices.IndexFunc(lessons, func(l *content.Lesson) bool { return l.ID == c.learner.bookmark.Lesson }))
	return c.firstTodo(slices.Concat(lessons[here:], lessons[:here]))
}

// firstTodo is the first thing to do in lessons; false where all that is open is mastered.
func (c *call) firstTodo(lessons []*content.Lesson) (todo, bool) {
	for _, l := range lessons {
		if s := c.masteryOf(l); s == ready || s == practised {
			return c.todoOf(l)
		}
	}
	return todo{}, false
}

// beforeTodo is the first thing to do so that a lesson opens.
func (c *call) beforeTodo(l *content.Lesson) (todo, bool) {
	missing := c.missing(l)
	switch {
	case len(missing) == 0:
		return todo{}, false
	case c.isOpen(missing[0]):
		return c.todoOf(missing[0])
	}
	return c.beforeTodo(missing[0])
}

// button leads to a thing to do.
func (c *call) button(t todo) Button {
	b := Button{Style: Primary}
	switch {
	case t.exercise != nil:
		b.Label, b.Line = c.say("exercise.button", with{"Title": c.in(t.exercise.Title)}), c.typed("exercise", t.exercise.ID)
	case t.lesson.ID == c.learner.bookmark.Lesson:
		b = c.resume(t.lesson)
	case c.learner.bookmark.Lesson == "" && c.learner.progress.Read == "":
		b.Label, b.Line = c.say("button.start"), c.typed("course", t.lesson.ID)
	default:
		b.Label, b.Line = t.lesson.ID+" "+c.in(t.lesson.Title), c.typed("course", t.lesson.ID)
	}
	return b
}

// ahead says what a thing to do is, in a sentence.
func (c *call) ahead(t todo) string {
	if t.exercise != nil {
		return c.say("course.nextexercise", with{"Title": c.in(t.exercise.Title), "Lesson": t.lesson.ID})
	}
	return c.say("course.nextlesson", with{"Title": c.in(t.lesson.Title), "Lesson": t.lesson.ID})
}
