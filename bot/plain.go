package bot

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// plain answers a line without a slash: the label or the number of a button on
// offer, the letters of a menu's choices, a kubectl command, a manifest, or something else altogether.
func (c *call) plain(first, rest string) (Reply, error) {
	if line, ok := c.chosen(first); ok && rest == "" {
		return c.again(line)
	}
	if line, ok := c.goingOn(first); ok && rest == "" {
		return c.again(line)
	}
	if line, ok := c.turning(first); ok && rest == "" {
		return c.again(line)
	}
	if line, ok := c.inStory(first); ok && rest == "" {
		return c.again(line)
	}
	if line, ok := c.inQuiz(first); ok && rest == "" {
		return c.again(line)
	}
	word, _, more := strings.Cut(first, " ")
	kubectl := "/kubectl " + strings.TrimPrefix(strings.TrimPrefix(first, "kubectl "), "k ")
	switch {
	case looksLikeManifest(first, rest):
		return c.mistake("line.manifest"), nil
	case fold(word) == "kubectl" || more && (word == "k" || slices.Contains(kubectlVerbs(), word)):
		return c.propose("line.kubectl", kubectl, rest), nil
	}
	if cmd, ok := c.tutor.command(word); ok {
		return c.propose("line.slash", strings.Replace(first, word, c.slash(cmd), 1), rest), nil
	}
	if line, ok := c.noAnswer(first); ok && rest == "" {
		return c.again(line)
	}
	return c.guide(), nil
}

// propose offers to do what was probably meant.
func (c *call) propose(id, line, rest string) Reply {
	r := c.mistake(id, with{"Line": shorten(line)})
	if rest == "" && len(line) <= buttonLine {
		r.Buttons = []Button{{Label: c.say("button.yes"), Line: line, Style: Primary}}
	}
	return r
}

// guide says in a few lines what can be done here.
func (c *call) guide() Reply {
	course, _ := c.tutor.command("course")
	return Reply{
		Blocks: []Block{Text{c.say("line.guide", with{"Help": c.slash(c.help())})}},
		Buttons: []Button{
			{Label: c.say("button.course"), Line: c.slash(course), Style: Primary},
			{Label: "kubectl get nodes", Line: "/kubectl get nodes"},
			{Label: c.say("button.help"), Line: c.slash(c.help())},
		},
		Failed: true,
	}
}

// chosen finds the button that a person names by its number or its label, or the choices of a
// menu by their letters, or takes what is typed for the one line that was asked for.
func (c *call) chosen(text string) (string, bool) {
	offer, ok := c.lane.offered[c.request.Who.ID]
	if !ok {
		offer = c.lane.offered[""] // to all, by what was said unasked
	}
	buttons, p := offer.buttons, offer.prompt
	if p != nil && p.Button != "" && !p.Short {
		buttons = append(buttons[:len(buttons):len(buttons)], Button{Label: p.Button, Line: p.Line})
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(buttons) {
		return buttons[n-1].Line, true
	}
	wanted := label(text)
	for _, b := range buttons {
		if wanted != "" && wanted == label(b.Label) {
			return b.Line, true
		}
	}
	if offer.menu != nil {
		if line, ok := offer.menu.Typed(text); ok {
			return line, true
		}
	}
	word, _, more := strings.Cut(text, " ")
	if p != nil && p.Short && text != "" && !(more && fold(word) == "kubectl") {
		return p.Line + "\n" + text, true
	}
	return "", false
}

// turning is what suite and retour mean where no button says so.
func (c *call) turning(text string) (string, bool) {
	if c.learner.bookmark.Lesson == "" || !next.is(text) && !back.is(text) {
		return "", false
	}
	return "/course " + text, true
}

// label is a button's label as it is compared: letters and digits only.
func label(s string) string {
	return strings.Join(strings.FieldsFunc(fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}

func looksLikeManifest(first, rest string) bool {
	text := first + "\n" + rest
	return strings.Contains(text, "apiVersion:") && strings.Contains(text, "kind:") ||
		strings.Contains(text, `"apiVersion"`) && strings.Contains(text, `"kind"`)
}
