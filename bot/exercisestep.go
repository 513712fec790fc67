package bot

import (
	"slices"
	"strconv"
	"strings"

	"timonier/content"
)

// hintsOf is how many degrees of hints there are.
const hintsOf = 3

// task adds what is to be reached now, and what of it is given.
func (c *call) task(r Reply, e *content.Exercise) Reply {
	x := &c.channel.exercise
	s := e.Steps[x.Step]
	r.Blocks = append(r.Blocks, Text{"**" + c.say("exercise.step", with{"Step": x.Step + 1, "Steps": len(e.Steps)}) + "** " + c.links(c.in(s.Task))})
	if s.Show != nil {
		line := c.in(s.Show.Text)
		given := e.Form == content.Worked && !strings.Contains(line, content.Blank)
		if !given || !handy(line) {
			r.Blocks = append(r.Blocks, Code{Text: line})
		}
		if given {
			r = r.with(Button{Label: strings.TrimPrefix(firstLine(line), "/"), Line: line, Style: Primary})
		}
	}
	return c.taskButtons(r)
}

// mostOthers is how many of a command's own buttons stay beside those of the next task.
const mostOthers = 2

// handy says that a button shows the whole of its line.
func handy(line string) bool {
	const readable = 75 // characters of a label, on every platform
	return !strings.Contains(line, "\n") && len([]rune(line)) <= readable
}

func (c *call) taskButtons(r Reply) Reply {
	r = r.with(c.hintButton()).with(c.checkButton())
	if c.may(resets) {
		r = r.with(Button{Label: c.say("exercise.leave"), Line: c.typed("exercise", exerciseEnd.in(c.words))})
	}
	return r
}

func (c *call) checkButton() Button {
	return Button{Label: c.say("exercise.check"), Line: c.typed("exercise", exerciseCheck.in(c.words))}
}

// hintButton offers the next hint; after the last, the solution.
func (c *call) hintButton() Button {
	n := c.channel.exercise.Hints
	if n >= hintsOf {
		return Button{Label: c.say("exercise.showsolution"), Line: c.typed("exercise", exerciseShow.in(c.words))}
	}
	return Button{Label: c.say("exercise.hintbutton", with{"Number": n + 1}), Line: c.typed("exercise", exerciseHint.in(c.words), strconv.Itoa(n+1))}
}

// underway is the open exercise and its step; ok is false where there is none, or it is solved.
func (c *call) underway() (e *content.Exercise, s *content.Step, ok bool) {
	if e, ok = c.opened(); !ok || c.channel.exercise.Step >= len(e.Steps) {
		return nil, nil, false
	}
	return e, e.Steps[c.channel.exercise.Step], true
}

// hint is /exercice indice: the next degree; the last again where all were given. A button names the
// degree: who presses one that somebody has pressed before reads that hint again.
func (c *call) hint(degree string) (Reply, error) {
	_, s, ok := c.underway()
	if !ok {
		return c.noneOpen(), nil
	}
	x := &c.channel.exercise
	n, _ := strconv.Atoi(degree)
	if n < 1 || n > x.Hints {
		if n = min(x.Hints+1, hintsOf); n > x.Hints {
			x.Hints++
			x.Given++
		}
	}
	text := "**" + c.say("exercise.hint", with{"Number": n, "Numbers": hintsOf}) + "** " + c.links(c.in(s.Hints[n-1]))
	return Reply{Blocks: []Block{Text{text}}}.with(c.hintButton()).with(c.checkButton()), nil
}

// checkStep is /exercice vérifie: on to the next step, or what is missing.
func (c *call) checkStep() (Reply, error) {
	_, s, ok := c.underway()
	if !ok {
		if _, solved := c.opened(); solved {
			return c.presentAtExercise()
		}
		return c.noneOpen(), nil
	}
	if _, err := c.cluster(); err != nil {
		return Reply{}, err
	}
	unmet, err := s.Unmet(c.world())
	if err != nil {
		return Reply{}, err
	}
	if len(unmet) == 0 {
		r, _, err := c.look(Reply{})
		return r, err
	}
	var b strings.Builder
	for _, condition := range unmet {
		if text := c.in(condition.Missing); text != "" && !strings.Contains(b.String(), text) {
			b.WriteString("- " + c.links(text) + "\n")
		}
	}
	r := Reply{Blocks: []Block{Text{c.say("exercise.notyet") + "\n\n" + b.String()}}}
	return r.with(c.hintButton()).with(c.checkButton()), nil
}

// solution is /exercice solution: the lines that reach the step, as buttons.
func (c *call) solution() (Reply, error) {
	_, s, ok := c.underway()
	if !ok {
		return c.noneOpen(), nil
	}
	if !c.may(changes) {
		return c.forbidden(c.typed("exercise", exerciseShow.in(c.words))), nil
	}
	c.channel.exercise.Helped = true
	r := Reply{Blocks: []Block{Text{c.say("exercise.solution")}}}
	var lines []string
	for i, line := range s.Solution {
		text := c.in(line.Text)
		lines = append(lines, text)
		b := Button{Label: strings.TrimPrefix(firstLine(text), "/"), Line: text}
		if i == 0 {
			b.Style = Primary
		}
		r = r.with(b)
	}
	r.Blocks = append(r.Blocks, Code{Text: strings.Join(lines, "\n")})
	return r.with(c.checkButton()), nil
}

// world is what the step's conditions look at.
func (c *call) world() content.World {
	x := c.channel.exercise
	w := content.World{Cluster: c.channel.cluster, Since: x.Since}
	if x.Ran != "" {
		w.Ran = strings.Split(x.Ran, "\n")
	}
	return w
}

// afterCommand looks, after a command, whether the step of the open exercise is reached,
// and says so under the answer; without one it offers the way on in the lesson.
func (c *call) afterCommand(r Reply) (Reply, error) {
	_, s, ok := c.underway()
	if !ok {
		return c.afterTry(r), nil
	}
	if c.ran == "" {
		return r, nil
	}
	asks := slices.ContainsFunc(s.Checks, func(d content.Condition) bool { return d.Ran != nil })
	if asks {
		c.channel.exercise.hasRun(c.ran)
	}
	used := c.used
	if !used && !asks {
		return r, nil
	}
	if _, err := c.cluster(); err != nil {
		return r, err
	}
	r, reached, err := c.look(r)
	if err == nil && !reached && used {
		r = r.with(c.checkButton())
	}
	return r, err
}

// hasRun remembers a line, and forgets the oldest where there are too many.
func (x *exercise) hasRun(line string) {
	if len(line) > mostRanLine {
		line = strings.ToValidUTF8(line[:mostRanLine], "")
	}
	lines := append(strings.FieldsFunc(x.Ran, func(r rune) bool { return r == '\n' }), line)
	for size := len(strings.Join(lines, "\n")); size > mostRan; lines = lines[1:] {
		size -= len(lines[0]) + 1
	}
	x.Ran = strings.Join(lines, "\n")
}

// look goes on to the first step that is not reached, and says of each that is. After the
// last the exercise is solved.
func (c *call) look(r Reply) (_ Reply, reached bool, err error) {
	x := &c.channel.exercise
	e, s, ok := c.underway()
	for ; ok; e, s, ok = c.underway() {
		unmet, err := s.Unmet(c.world())
		if err != nil { // content's check finds it; the channel's commands go on
			c.tutor.cfg.Logger.ErrorContext(c.ctx, "look at exercise", "exercise", e.ID, "step", x.Step+1, "error", err)
			return r, reached, nil
		}
		if len(unmet) > 0 {
			break
		}
		said := c.say("exercise.reached", with{"Step": x.Step + 1, "Steps": len(e.Steps)})
		r.Blocks = append(r.Blocks, Text{"✓ **" + said + "** " + c.links(c.in(s.Why))})
		reached = true
		x.Step, x.Hints, x.Ran = x.Step+1, 0, ""
	}
	if !reached {
		return r, false, nil
	}
	r.Follow = nil // the next task is under it: nothing below may change
	others := r.Buttons
	r.Buttons = nil
	if ok {
		r = c.task(r, e)
	} else if e, ok = c.opened(); ok {
		r = c.solved(r, e)
	}
	r.Buttons = append(r.Buttons, others[:min(mostOthers, len(others))]...)
	return r, true, nil
}

// solved gives the credit for the open exercise to the person, and says what is next.
func (c *call) solved(r Reply, e *content.Exercise) Reply {
	c.learner.progress.hasSolved(e.ID, c.channel.exercise.Helped)
	r.Blocks = append(r.Blocks, Text{c.verdict(e)})
	return c.solvedButtons(c.masteredNow(r, e))
}

// verdict is how the exercise was solved, and its last words.
func (c *call) verdict(e *content.Exercise) string {
	x := c.channel.exercise
	text := c.say("exercise.solved")
	if x.Helped {
		text = c.say("exercise.helped")
	}
	if x.Given > 0 {
		text += " " + c.say("exercise.hints", with{"Count": x.Given})
	}
	return "**" + text + "** " + c.links(c.in(e.Done))
}

// masteredNow says so where the exercise was the last thing to do of its lesson.
func (c *call) masteredNow(r Reply, e *content.Exercise) Reply {
	l, ok := c.content.Lesson(e.Lesson)
	if ok && c.masteryOf(l) == mastered {
		r.Blocks = append(r.Blocks, Text{c.say("course.mastered", with{"Lesson": l.ID, "Title": c.in(l.Title)})})
	}
	return r
}

// solvedButtons lead on from a solved exercise.
func (c *call) solvedButtons(r Reply) Reply {
	if c.request.Direct {
		r = c.offerNext(r)
	} else {
		r.Blocks = append(r.Blocks, Text{c.say("exercise.forall")})
		r = r.with(Button{Label: c.say("exercise.present"), Line: c.typed("exercise", exercisePresent.in(c.words)), Style: Primary})
	}
	if c.may(resets) && c.channel.exercise.Aside.Name != "" {
		r = r.with(c.asideButton())
	}
	return r
}

// presentAtExercise gives the credit to whoever was there when the class solved the exercise.
func (c *call) presentAtExercise() (Reply, error) {
	e, ok := c.opened()
	if !ok || c.channel.exercise.Step < len(e.Steps) {
		return c.noneOpen(), nil
	}
	c.learner.progress.hasSolved(e.ID, c.channel.exercise.Helped)
	r := Reply{Blocks: []Block{Text{c.say("exercise.noted", with{"Title": c.in(e.Title)})}}}
	return c.offerNext(c.masteredNow(r, e)), nil
}
