package bot

import (
	"slices"
	"strings"

	"timonier/content"
)

// afterTry offers, under the answer to what the learner's page has them try, the page's next
// command and the way on: where answers follow one another, the page has scrolled away.
func (c *call) afterTry(r Reply) Reply {
	l, ok := c.content.Lesson(c.learner.bookmark.Lesson)
	if !ok || c.ran == "" || r.Prompt != nil || c.leadsElsewhere() {
		return r
	}
	pages, at := l.Messages(c.course()), c.learner.bookmark.Message
	if at < 0 || at >= len(pages) {
		return r
	}
	tries, line := pages[at].Tries, strings.TrimSpace(c.request.Line)
	i := slices.IndexFunc(tries, func(t content.Try) bool { return strings.TrimSpace(t.Line) == line })
	if i < 0 {
		return r
	}
	offered := func(line string) bool {
		return slices.ContainsFunc(r.Buttons, func(b Button) bool { return b.Line == line })
	}
	if i+1 < len(tries) && !offered(tries[i+1].Line) {
		r = r.with(tryButton(tries[i+1]))
	}
	if e, left := c.unsolved(l); left && i+1 == len(tries) && at+1 == len(pages) {
		r = r.with(c.button(todo{l, e}))
	}
	return r.with(Button{Label: c.say("button.next"), Line: c.typed("course", next.in(c.words))})
}

// leadsElsewhere is whether the command has a way on of its own.
func (c *call) leadsElsewhere() bool {
	word, _, _ := strings.Cut(strings.TrimPrefix(c.ran, "/"), " ")
	cmd, ok := c.tutor.command(word)
	return !ok || cmd.name.is("story") || cmd.name.is("quiz") || cmd.name.is("progress")
}

// tryButton is a command that a page has one try.
func tryButton(t content.Try) Button {
	if t.Label == "" {
		return Button{Label: strings.TrimPrefix(firstLine(t.Line), "/"), Line: t.Line}
	}
	return Button{Label: t.Label, Line: t.Line}
}
