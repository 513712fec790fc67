package bot

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"timonier/content"
)

// An exercise is the channel's: it is played on a new cluster, by all who are there, while
// the channel's own is put aside. After every command its step is looked at; whoever
// typed the one by which the last step is reached has solved it.

// exercise is the one that is open in a channel.
type exercise struct {
	ID     string `json:"id,omitempty"`    // none: there is none
	Step   int    `json:"step,omitempty"`  // from 0; as many as there are: it is solved
	Hints  int    `json:"hints,omitempty"` // that were given for the step
	Given  int    `json:"given,omitempty"` // hints, for all steps
	Helped bool   `json:"helped,omitempty"`
	Since  uint64 `json:"since,omitempty"` // the trace's last step before it began
	Ran    string `json:"ran,omitempty"`   // lines that were run while the step is open, where it asks for them; a newline between

	// Aside is the channel's own cluster. It stays there if the exercise's is replaced by
	// another, until it is brought back or another exercise puts a cluster aside.
	Aside checkpoint `json:"aside,omitzero"`
}

// keyAside is the record of the cluster that is put aside.
const keyAside = keyKept + "aside"

// The bounds of what is kept of the lines that were run.
const (
	mostRan     = 4 << 10 // bytes
	mostRanLine = 200     // of one
)

// The words of /exercice.
var (
	exerciseList    = name{"liste", "list"}
	exerciseHint    = name{"indice", "hint"}
	exerciseCheck   = name{"vérifie", "check"}
	exerciseShow    = name{"solution", "solution"}
	exerciseRestart = name{"recommence", "restart"}
	exerciseEnd     = name{"fin", "end"}
	exercisePresent = name{"présent", "present"}
)

// exerciseVerb is one of the words, and what it does.
type exerciseVerb struct {
	name    name
	aliases []string
	run     func(*call) (Reply, error)
}

func exerciseVerbs() []exerciseVerb {
	return []exerciseVerb{
		{exerciseHint, []string{"indices", "hints"}, func(c *call) (Reply, error) { return c.hint("") }},
		{exerciseCheck, []string{"verifier", "verification"}, (*call).checkStep},
		{exerciseShow, nil, (*call).solution},
		{exerciseRestart, []string{"recommencer"}, (*call).restartExercise},
		{exerciseEnd, []string{"quitte", "quitter", "leave", "quit"}, (*call).leaveExercise},
		{exerciseList, nil, func(c *call) (Reply, error) { return c.exercises(), nil }},
		{exercisePresent, nil, (*call).presentAtExercise},
	}
}

// exerciseCommand is /exercice: where the open one stands, or those there are; /exercice
// 4.3 begins one; the other words act on the one that is open.
func exerciseCommand(c *call) (Reply, error) {
	c.ran = "" // it is looked at here
	if c.sets {
		return Reply{Failed: true}, nil // an exercise begins no other
	}
	if c.args == "" {
		if e, ok := c.opened(); ok {
			return c.whereExercise(e), nil
		}
		return c.exercises(), nil
	}
	for _, v := range exerciseVerbs() {
		if v.name.is(c.args) || slices.Contains(v.aliases, fold(c.args)) {
			return v.run(c)
		}
	}
	if word, degree, ok := strings.Cut(c.args, " "); ok && exerciseHint.is(word) {
		return c.hint(strings.TrimSpace(degree))
	}
	e, ok := c.findExercise(c.args)
	if !ok {
		return c.noExercise(c.args), nil
	}
	if now, ok := c.opened(); ok && now == e && c.channel.exercise.Step < len(e.Steps) {
		return c.whereExercise(e), nil
	}
	return c.begin(e)
}

// exerciseManner: what one could do is one's own affair; what is done is the channel's.
func exerciseManner(_ words, args, _ string, m *Manner) {
	m.Private = args == "" || exerciseList.is(args) || exercisePresent.is(args)
}

// opened is the exercise that is open in the channel, its last step reached or not.
func (c *call) opened() (*content.Exercise, bool) {
	return c.content.Exercise(c.channel.exercise.ID)
}

// findExercise finds an exercise by its ID, what follows the lesson in it, its title, or
// its lesson: of that, the first that is still to be solved.
func (c *call) findExercise(word string) (*content.Exercise, bool) {
	course := c.content
	for _, e := range course.Exercises {
		_, slug, _ := strings.Cut(e.ID, "-")
		if slices.ContainsFunc([]string{e.ID, slug, e.Title.FR, e.Title.EN}, func(s string) bool { return fold(s) == fold(word) }) {
			return e, true
		}
	}
	l, ok := course.Lesson(word)
	if !ok {
		return nil, false
	}
	if e, ok := c.unsolved(l); ok {
		return e, true
	}
	if all := course.ExercisesOf(l.ID); len(all) > 0 {
		return all[0], true
	}
	return nil, false
}

// noExercise says that there is none of the name, and offers the nearest.
func (c *call) noExercise(word string) Reply {
	r := c.mistake("exercise.unknown", with{"Word": shorten(word)})
	if l, ok := c.content.Lesson(word); ok {
		r = c.mistake("exercise.lessonhasnone", with{"Lesson": l.ID})
	}
	names := map[string]Button{}
	for _, v := range exerciseVerbs() {
		n := v.name.in(c.words)
		names[n] = Button{Label: c.typed("exercise", n), Line: c.typed("exercise", n)}
	}
	for _, e := range c.content.Exercises {
		_, slug, _ := strings.Cut(e.ID, "-")
		b := Button{Label: e.ID, Line: c.typed("exercise", e.ID)}
		names[e.ID], names[slug] = b, b
	}
	for _, near := range nearestOf(word, names) {
		r = r.with(near)
	}
	return r.with(Button{Label: c.say("exercise.all"), Line: c.typed("exercise", exerciseList.in(c.words))})
}

// exercises are those that a person may begin, by lesson, and where they are with each.
func (c *call) exercises() Reply {
	var b strings.Builder
	shut := 0
	for l := range c.content.Lessons() {
		all := c.content.ExercisesOf(l.ID)
		if !c.mayBegin(l) {
			shut += len(all)
			continue
		}
		for _, e := range all {
			fmt.Fprintf(&b, "- %s **%s** %s *(%s)*\n", c.exerciseMark(e), l.ID, c.in(e.Title), c.formName(e.Form))
		}
	}
	r := Reply{Blocks: []Block{Title{c.say("exercise.title")}}}
	if b.Len() == 0 {
		r.Blocks = append(r.Blocks, Text{c.say("exercise.nothing")})
		r = c.offerNext(r)
	} else {
		r.Blocks = append(r.Blocks, Text{b.String()})
		if e, ok := c.nextExercise(); ok {
			l, _ := c.content.Lesson(e.Lesson)
			r = r.with(c.button(todo{l, e}))
		}
	}
	if shut > 0 {
		r.Blocks = append(r.Blocks, Text{c.say("exercise.shut", with{"Count": shut})})
	}
	if c.channel.exercise.Aside.Name != "" {
		r = r.with(c.asideButton())
	}
	return r.with(Button{Label: c.say("button.contents"), Line: c.typed("course")})
}

// nextExercise is the first to solve, from the lesson where the person is on.
func (c *call) nextExercise() (*content.Exercise, bool) {
	lessons := slices.Collect(c.content.Lessons())
	here := max(0, slices.IndexFunc(lessons, func(l *content.Lesson) bool { return l.ID == c.learner.bookmark.Lesson }))
	for _, l := range slices.Concat(lessons[here:], lessons[:here]) {
		if e, ok := c.unsolved(l); ok && c.mayBegin(l) {
			return e, true
		}
	}
	return nil, false
}

// mayBegin says whether the exercises of a lesson are open to the person. Who leads a
// class gives it whichever they like.
func (c *call) mayBegin(l *content.Lesson) bool {
	return c.isOpen(l) || c.teaches() && !c.request.Direct
}

func (c *call) exerciseMark(e *content.Exercise) string {
	switch l, _ := c.content.Lesson(e.Lesson); {
	case among(c.learner.progress.Solved, e.ID):
		return mastered.mark()
	case among(c.learner.progress.Helped, e.ID):
		return practised.mark()
	case !c.mayBegin(l):
		return locked.mark()
	}
	return ready.mark()
}

func (c *call) formName(f content.Form) string {
	switch f {
	case content.Worked:
		return c.say("exercise.worked")
	case content.Faded:
		return c.say("exercise.faded")
	}
	return c.say("exercise.alone")
}

// begin puts the channel's cluster aside, makes the exercise's, and shows its first step.
func (c *call) begin(e *content.Exercise) (Reply, error) {
	l, ok := c.content.Lesson(e.Lesson)
	switch {
	case !ok:
		return c.noExercise(e.ID), nil
	case !c.mayBegin(l):
		return c.lockedLesson(l), nil
	case !c.may(resets):
		return c.denied("exercise.forbidden"), nil
	}
	ch := c.channel
	next := exercise{ID: e.ID, Aside: ch.exercise.Aside}
	first := ch.exercise.ID == ""
	if first { // the cluster that is there is the channel's own
		cl, err := c.cluster()
		if err != nil {
			return Reply{}, err
		}
		kept, packed, err := c.packCluster(cl, "-")
		if errors.Is(err, errLarge) {
			return c.mistake("exercise.large"), nil
		}
		if err != nil {
			return Reply{}, err
		}
		next.Aside = kept
		ch.set(keyAside, packed)
	}
	if err := c.setUp(e); err != nil {
		return Reply{}, err
	}
	next.Since = ch.cluster.Trace().Last()
	ch.exercise = next
	r := Reply{Blocks: []Block{Title{c.exerciseTitle(e)}, Text{c.links(c.in(e.Scene))}}}
	if first {
		r.Blocks = append(r.Blocks, Text{"*" + c.say("exercise.aside", with{"End": c.typed("exercise", exerciseEnd.in(c.words))}) + "*"})
	}
	return c.task(r, e), nil
}

// setUp makes the exercise's cluster: a new one, on which its start is typed. Nobody sees
// it. As where the course is proved, someone thinks for a moment before each line.
func (c *call) setUp(e *content.Exercise) error {
	ch := c.channel
	members := e.Members
	if members == 0 {
		members = usualMembers
	}
	cl, err := c.newCluster(ch.scope, members)
	if err != nil {
		return err
	}
	ch.simulated, c.used = simulated{cluster: cl, fresh: true}, true
	ch.drop = []string{keyCluster}
	ch.clock = clock{Used: c.now}
	hand := *c
	hand.sets, hand.emit, hand.request.Direct, hand.request.Live = true, nil, true, false
	for _, line := range e.Start {
		if err := c.advance(cl, thinking); err != nil {
			return err
		}
		hand.request.Line = c.in(line.Text)
		if r, err := hand.answer(); err != nil || r.Failed {
			return errors.Join(fmt.Errorf("start exercise %s: %s did not succeed", e.ID, firstLine(hand.request.Line)), err)
		}
	}
	ch.last = last{}
	ch.fresh = false
	return c.packStart()
}

// packStart keeps the cluster as one record, as if it had been loaded from a checkpoint:
// it costs one write however large it is. One too large for that is kept as any other.
func (c *call) packStart() error {
	ch := c.channel
	changes, err := ch.cluster.Changes()
	if err != nil {
		return fmt.Errorf("save cluster: %w", err)
	}
	records := map[string][]byte{}
	for _, r := range changes {
		if r.Value != nil {
			records[r.Key] = r.Value
		}
	}
	packed, err := pack(records)
	if errors.Is(err, errLarge) {
		return nil
	}
	if err != nil {
		return err
	}
	ch.set(keyBase, packed)
	ch.base = keysOf(records)
	ch.cluster.Saved()
	return nil
}

func (c *call) exerciseTitle(e *content.Exercise) string {
	return c.say("exercise.heading", with{"Lesson": e.Lesson, "Title": c.in(e.Title)})
}

// whereExercise is the open exercise again: its scene, and the step or the end that it has come to.
func (c *call) whereExercise(e *content.Exercise) Reply {
	r := Reply{Blocks: []Block{Title{c.exerciseTitle(e)}, Text{c.links(c.in(e.Scene))}}}
	if c.channel.exercise.Step >= len(e.Steps) {
		return c.solvedButtons(Reply{Blocks: append(r.Blocks, Text{c.verdict(e)})})
	}
	r = c.task(r, e)
	if c.may(resets) {
		r = r.with(Button{Label: c.say("exercise.restart"), Line: c.typed("exercise", exerciseRestart.in(c.words))})
	}
	return r
}

// restartExercise begins the open exercise anew.
func (c *call) restartExercise() (Reply, error) {
	e, ok := c.opened()
	if !ok {
		return c.noneOpen(), nil
	}
	return c.begin(e)
}

// leaveExercise brings back the cluster that was put aside.
func (c *call) leaveExercise() (Reply, error) {
	ch := c.channel
	if ch.exercise.Aside.Name == "" {
		return c.noneOpen(), nil
	}
	if !c.may(resets) {
		return c.forbidden(c.typed("exercise", exerciseEnd.in(c.words))), nil
	}
	e, was := c.opened()
	solved := was && ch.exercise.Step >= len(e.Steps)
	cl, err := c.loadKept(keyAside, ch.exercise.Aside)
	if err != nil {
		return Reply{}, err
	}
	ch.set(keyAside, nil)
	ch.exercise = exercise{}
	r := Reply{Blocks: []Block{Text{c.say("exercise.back")}, Text{c.clockText(cl)}}}
	r = c.offerNext(r)
	if was && !solved && !slices.ContainsFunc(r.Buttons, func(b Button) bool { return b.Line == c.typed("exercise", e.ID) }) {
		r = r.with(Button{Label: c.say("exercise.anew"), Line: c.typed("exercise", e.ID)})
	}
	return r.with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster")}), nil
}

func (c *call) asideButton() Button {
	return Button{Label: c.say("exercise.mine"), Line: c.typed("exercise", exerciseEnd.in(c.words))}
}

// dropExercise ends the exercise whose cluster another replaces. What was put aside stays.
func (c *call) dropExercise(r Reply) Reply {
	if c.channel.exercise.ID == "" {
		return r
	}
	c.channel.exercise = exercise{Aside: c.channel.exercise.Aside}
	r.Blocks = append(r.Blocks, Text{c.say("exercise.dropped", with{"End": c.typed("exercise", exerciseEnd.in(c.words))})})
	return r.with(c.asideButton())
}

// noneOpen says that no exercise is open, and offers the next one.
func (c *call) noneOpen() Reply {
	r := c.mistake("exercise.none")
	if e, ok := c.nextExercise(); ok {
		l, _ := c.content.Lesson(e.Lesson)
		r = r.with(c.button(todo{l, e}))
	}
	return r.with(Button{Label: c.say("exercise.all"), Line: c.typed("exercise", exerciseList.in(c.words))})
}

func completeExercise(c *call, words []string) []string {
	if len(words) > 1 {
		return nil
	}
	var out, rest []string
	if _, ok := c.opened(); ok {
		for _, n := range []name{exerciseHint, exerciseCheck, exerciseShow, exerciseRestart, exerciseEnd} {
			out = append(out, n.in(c.words))
		}
	}
	for l := range c.content.Lessons() {
		for _, e := range c.content.ExercisesOf(l.ID) {
			switch {
			case !c.mayBegin(l):
			case c.learner.progress.solved(e.ID):
				rest = append(rest, e.ID)
			default:
				out = append(out, e.ID)
			}
		}
	}
	return append(out, rest...)
}
