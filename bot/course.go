package bot

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"timonier/bot/picture"
	"timonier/content"
)

// The words that turn pages.
var (
	next    = name{"suite", "next"}
	back    = name{"retour", "back"}
	resumes = name{"reprendre", "resume"}
)

// courseCommand is /cours: the contents, a section, a lesson, a page's turn, or what is unlocked.
func courseCommand(c *call) (Reply, error) {
	c.ran = "" // reading is no part of an exercise
	word := strings.TrimSuffix(c.args, ".")
	switch {
	case word == "":
		return c.refusal(c.contents()), nil
	case next.is(word):
		return c.turn(+1), nil
	case back.is(word):
		return c.turn(-1), nil
	case resumes.is(word):
		return c.turn(0), nil
	}
	if l, ok := c.content.Lesson(word); ok {
		return c.open(l, 0), nil
	}
	if n, err := strconv.Atoi(word); err == nil {
		if s, ok := c.content.Section(n); ok && len(s.Lessons) > 0 {
			return c.section(s), nil
		}
	}
	verb, what, _ := strings.Cut(word, " ")
	if opens, ok := unlockWord(verb); ok {
		return c.unlockCommand(opens, strings.TrimSpace(what)), nil
	}
	r := c.mistake("course.unknown", with{"Word": shorten(word)})
	r.Buttons = []Button{{Label: c.say("button.contents"), Line: c.typed("course"), Style: Primary}}
	return r, nil
}

// typed is a command's line in the learner's language.
func (c *call) typed(command string, args ...string) string {
	cmd, _ := c.tutor.command(command)
	return strings.Join(append([]string{c.slash(cmd)}, args...), " ")
}

func (c *call) resume(l *content.Lesson) Button {
	return Button{Label: c.say("button.resume", with{"Lesson": l.ID}), Line: c.typed("course", resumes.in(c.words)), Style: Primary}
}

// turn goes a page on or back from where the learner is.
func (c *call) turn(by int) Reply {
	l, ok := c.content.Lesson(c.learner.bookmark.Lesson)
	if !ok && c.learner.bookmark.Lesson != "" {
		return c.gone(by)
	}
	if !ok {
		if l = c.written(nil, +1); l == nil || by < 0 {
			return c.contents()
		}
		return c.open(l, 0)
	}
	page := c.learner.bookmark.Message + by
	switch {
	case page >= 0 && by < 0:
		return c.show(l, page)
	case page < 0:
		before := c.written(l, -1)
		if before == nil {
			c.learner.bookmark.Message = -1 // Suite opens the first page, not the second
			return c.contents()
		}
		return c.show(before, len(before.Messages(c.course()))-1) // whoever comes from behind has not read it
	case page >= len(l.Messages(c.course())) && by > 0:
		after := c.written(l, +1)
		if after == nil {
			return c.end()
		}
		return c.open(after, 0)
	}
	return c.open(l, page)
}

// written is the nearest lesson that has its text, before or after l; of nil, the first.
func (c *call) written(l *content.Lesson, by int) *content.Lesson {
	var before *content.Lesson
	passed := l == nil
	for x := range c.content.Lessons() {
		switch {
		case x == l:
			if by < 0 {
				return before
			}
			passed = true
		case x.Written() && passed:
			return x
		case x.Written():
			before = x
		}
	}
	return nil
}

// end says that there is no more to read.
func (c *call) end() Reply {
	return Reply{
		Blocks: []Block{Text{c.say("course.end")}},
		Buttons: []Button{
			{Label: c.say("button.back"), Line: c.typed("course", back.in(c.words))},
			{Label: c.say("button.contents"), Line: c.typed("course")},
			{Label: "kubectl get nodes", Line: "/kubectl get nodes"},
		},
	}
}

// open shows a page of a lesson if the person may see it yet. Its last page is the end of reading it.
func (c *call) open(l *content.Lesson, page int) Reply {
	if l.Written() && !c.isOpen(l) {
		return c.lockedLesson(l)
	}
	if l.Written() && page >= len(l.Messages(c.course()))-1 {
		c.learner.progress.hasRead(l.ID)
	}
	return c.show(l, page)
}

// show shows a page of a lesson, and puts the bookmark there.
func (c *call) show(l *content.Lesson, page int) Reply {
	pages := l.Messages(c.course())
	if len(pages) == 0 {
		return c.unwritten(l)
	}
	page = min(max(page, 0), len(pages)-1)
	c.learner.bookmark = bookmark{l.ID, page}
	m := pages[page]
	r := Reply{Blocks: []Block{Title{c.headline(l)}}}
	if m.Title != "" {
		r.Blocks = append(r.Blocks, Text{"**" + m.Title + "**"})
	}
	for _, p := range m.Parts {
		r.Blocks = append(r.Blocks, c.part(p))
	}
	r.Blocks = append(r.Blocks, Text{"*" + c.say("course.page", with{"Page": page + 1, "Pages": len(pages)}) + "*"})
	for _, t := range m.Tries {
		r = r.with(tryButton(t))
	}
	e, left := c.unsolved(l)
	if left = left && page == len(pages)-1; left {
		r = r.with(c.button(todo{l, e}))
	}
	if page == len(pages)-1 {
		r = c.offerStory(r, l.ID)
	}
	if page > 0 || c.written(l, -1) != nil {
		r.Buttons = append(r.Buttons, Button{Label: c.say("button.back"), Line: c.typed("course", back.in(c.words))})
	}
	on := Button{Label: c.say("button.next"), Line: c.typed("course", next.in(c.words)), Style: Primary}
	if left {
		on.Style = Plain // the exercise comes first
	}
	return r.with(on)
}

// headline is a lesson's title under its section's.
func (c *call) headline(l *content.Lesson) string {
	return fmt.Sprintf("%s · %s %s", c.in(l.Section.Title), l.ID, c.in(l.Title))
}

// with adds a button.
func (r Reply) with(b Button) Reply {
	r.Buttons = append(r.Buttons, b)
	return r
}

func (c *call) unwritten(l *content.Lesson) Reply {
	r := Reply{Blocks: []Block{Title{c.headline(l)}, Text{c.say("course.unwritten")}}}
	after := c.written(l, +1)
	if after == nil {
		after = c.written(l, -1)
	}
	if after != nil {
		r = r.with(Button{Label: after.ID + " " + c.in(after.Title), Line: c.typed("course", after.ID), Style: Primary})
	}
	return r.with(Button{Label: c.say("button.contents"), Line: c.typed("course")})
}

// part is a piece of a lesson as a block.
func (c *call) part(p content.Part) Block {
	switch p := p.(type) {
	case content.Code:
		return Code{p.Language, p.Text}
	case content.Quote:
		return Quote{c.links(p.Markdown)}
	case content.Figure:
		return c.figure(p.Diagram, p.Lens)
	case content.Image:
		return Picture{Name: p.Picture + ".png", Alt: p.Alt, Course: p.Picture}
	case content.Prose:
		return Text{c.links(p.Markdown)}
	}
	return Divider{}
}

// figure is a diagram in a lens's words.
func (c *call) figure(diagram, lens string) Block {
	d, ok := c.content.Diagram(diagram)
	if !ok {
		return Divider{}
	}
	v := d.In(lens)
	drawn := c.canvas(func(t picture.Theme) *picture.Canvas {
		canvas, ok := picture.Diagram(d, lens, c.course(), t)
		if !ok {
			return nil // made of characters only
		}
		return canvas
	})
	return Picture{Name: diagram + ".png", Alt: c.in(v.Alt), Text: c.in(v.Text), Drawn: drawn}
}

// inside is a link to another place of the course, which no platform can follow.
var inside = regexp.MustCompile(`\[([^\]]*)\]\((lesson|term):([^)\s]*)\)`)

// links turns links within the course into what can be typed.
func (c *call) links(markdown string) string {
	return inside.ReplaceAllStringFunc(markdown, func(link string) string {
		m := inside.FindStringSubmatch(link)
		if m[2] == "term" {
			return m[1]
		}
		return m[1] + " (`" + c.typed("course", m[3]) + "`)"
	})
}

func completeCourse(c *call, words []string) []string {
	_, unlocks := unlockWord(words[0])
	if len(words) > 2 || len(words) == 2 && !unlocks {
		return nil
	}
	out := []string{next.in(c.words), back.in(c.words), resumes.in(c.words)}
	for _, s := range c.content.Sections {
		out = append(out, strconv.Itoa(s.Number))
	}
	for l := range c.content.Lessons() {
		out = append(out, l.ID)
	}
	switch {
	case len(words) == 2:
		return append([]string{courseAll.in(c.words)}, out[3:]...)
	case c.may(leads):
		out = append(out, courseUnlock.in(c.words), courseLock.in(c.words))
	}
	return out
}

// analogyCommand is /analogie 1: the mapping, its diagram, and where it breaks; /analogie 1 suite: the rest of the mapping.
func analogyCommand(c *call) (Reply, error) {
	all := c.content.Analogies
	which, more := c.args, false
	if i := strings.LastIndexByte(which, ' '); i > 0 && next.is(which[i+1:]) {
		which, more = which[:i], true
	}
	for _, a := range all {
		if which == strconv.Itoa(a.Number) || which != "" && (fold(which) == fold(a.ID) || fold(which) == fold(c.in(a.Title))) {
			if more && len(a.Rows) > rowsAtOnce {
				return c.analogyRest(a), nil
			}
			return c.analogy(a), nil
		}
	}
	var b strings.Builder
	r := Reply{Failed: c.args != ""}
	for _, a := range all {
		fmt.Fprintf(&b, "- **%d** · %s\n", a.Number, c.in(a.Title))
		r.Buttons = append(r.Buttons, Button{Label: c.say("analogy.button", with{"Number": a.Number}), Line: c.typed("analogy", strconv.Itoa(a.Number))})
	}
	id := "analogy.list"
	if c.args != "" {
		id = "analogy.unknown"
	}
	r.Blocks = []Block{Text{c.say(id) + "\n\n" + b.String()}}
	return r, nil
}

// rowsAtOnce is how many rows of an analogy one message shows: its main ones.
const rowsAtOnce = 10

func (c *call) analogy(a *content.Analogy) Reply {
	r := Reply{Blocks: []Block{Title{c.in(a.Title)}, Text{c.links(c.in(a.Intro))}}}
	table, breaks := c.rows(a.Rows[:min(rowsAtOnce, len(a.Rows))])
	r.Blocks = append(r.Blocks, table)
	if a.Diagram != "" {
		r.Blocks = append(r.Blocks, c.figure(a.Diagram, a.ID))
	}
	for i, s := range a.Steps {
		r.Blocks = append(r.Blocks, Text{fmt.Sprintf("%d. **%s** %s *%s*", i+1, c.in(s.Title), c.links(c.in(s.What)), c.in(s.Action))})
	}
	r.Blocks = append(r.Blocks, breaks...)
	if len(a.Rows) > rowsAtOnce {
		r = r.with(Button{Label: c.say("analogy.more"), Line: c.typed("analogy", strconv.Itoa(a.Number), next.in(c.words))})
	}
	return c.afterAnalogy(r, a)
}

// analogyRest is the mapping's lesser concepts.
func (c *call) analogyRest(a *content.Analogy) Reply {
	table, breaks := c.rows(a.Rows[rowsAtOnce:])
	r := Reply{Blocks: append([]Block{Title{c.in(a.Title)}, table}, breaks...)}
	return c.afterAnalogy(r.with(Button{Label: c.say("button.back"), Line: c.typed("analogy", strconv.Itoa(a.Number))}), a)
}

// rows are concepts with their images, and where those break.
func (c *call) rows(rows []content.Row) (Table, []Block) {
	table := Table{Columns: []string{c.say("analogy.concept"), c.say("analogy.image")}}
	var breaks strings.Builder
	for _, row := range rows {
		term := row.Concept
		if t, ok := c.content.Term(row.Concept); ok {
			term = c.in(t.Name)
		}
		table.Rows = append(table.Rows, []string{term, c.in(row.Image)})
		if text := c.in(row.Breaks); text != "" {
			fmt.Fprintf(&breaks, "- **%s**%s%s\n", term, c.say("help.sep"), c.links(text))
		}
	}
	if breaks.Len() == 0 {
		return table, nil
	}
	return table, []Block{Quote{"⚠️ *" + c.say("analogy.breaks") + "*\n\n" + breaks.String()}}
}

func (c *call) afterAnalogy(r Reply, a *content.Analogy) Reply {
	if _, ok := c.content.Lens(a.ID); ok {
		r = r.with(Button{Label: c.say("analogy.speak"), Line: c.typed("lens", a.ID), Style: Primary})
	}
	return r.with(Button{Label: c.say("button.course"), Line: c.typed("course")})
}

func completeAnalogy(c *call, words []string) []string {
	if len(words) > 1 {
		return nil
	}
	var out []string
	for _, a := range c.content.Analogies {
		out = append(out, strconv.Itoa(a.Number))
	}
	return out
}

// courseManner: everyone reads at their own pace; a page takes the place of the one whose button was pressed.
func courseManner(_ words, args, _ string, m *Manner) {
	m.Private, m.Replace = true, next.is(args) || back.is(args)
}
