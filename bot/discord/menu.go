package discord

import (
	"cmp"
	"strings"

	"timonier/bot"
)

// menuOf is a menu as a select of Discord's; false where it takes no such thing. What is
// chosen comes back as values, beside the menu's line.
func menuOf(m bot.Menu) (component, bool) {
	token, ok := bot.Token(m.Line)
	if !ok || m.Line != clean(m.Line) || strings.TrimSpace(m.Line) == "" || len(m.Choices) > mostInMenu {
		return component{}, false
	}
	least, most := m.Bounds()
	c := component{Type: typeMenu, CustomID: token, MinValues: &least, MaxValues: &most, Placeholder: shortened(strings.TrimSpace(m.Label), mostMenuPrompt)}
	seen := map[string]bool{}
	for _, choice := range m.Choices {
		if _, ok := bot.Picked(m.Line, []string{choice.Value}); !ok || length(choice.Value) > mostMenuText || seen[choice.Value] {
			return component{}, false
		}
		seen[choice.Value] = true
		c.Options = append(c.Options, selectedOf(choice))
	}
	return c, true
}

// selectedOf is a choice: its letter and its text where they fit in a label, else the text
// below the letter.
func selectedOf(c bot.MenuChoice) selected {
	s := selected{Label: shortened(nameOf(c), mostMenuText), Value: c.Value}
	if length(nameOf(c)) > mostMenuText {
		s.Label, s.Description = c.Value, shortened(strings.TrimSpace(c.Label), mostMenuText)
	}
	return s
}

// nameOf is a choice in one line.
func nameOf(c bot.MenuChoice) string {
	label := strings.TrimSpace(c.Label)
	if label == "" || label == c.Value {
		return c.Value
	}
	return c.Value + " · " + label
}

// linesOfMenu are the choices that cannot be read in a menu; all of them, and how they are
// typed, where the message has none.
func linesOfMenu(m bot.Menu, all bool) (lines []passage) {
	if all {
		label := cmp.Or(strings.TrimSpace(m.Label), m.Line)
		lines = append(lines, prose(bot.Prose, bot.Span{Text: label, Bold: true}, bot.Span{Text: "\n"}, bot.Span{Text: m.Line + " …", Code: true}).passages...)
	}
	for _, c := range m.Choices {
		if all || length(strings.TrimSpace(c.Label)) > mostMenuText {
			lines = append(lines, passage{Passage: bot.Passage{Depth: 1, Mark: "•", Spans: []bot.Span{{Text: nameOf(c)}}}})
		}
	}
	return lines
}
