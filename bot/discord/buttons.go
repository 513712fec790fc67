package discord

import (
	"cmp"
	"strings"

	"timonier/bot"
)

// styleOf is Discord's style of a button: primary, danger, secondary.
func styleOf(s bot.Style) int {
	switch s {
	case bot.Primary:
		return 1
	case bot.Danger:
		return 4
	}
	return 2
}

// controlsOf are a reply's menu and its buttons in rows, and what stands for what a message
// cannot carry: its lines, to be typed. A prompt that is still to be answered has a
// button that opens its form.
func controlsOf(r bot.Reply, say sayer) (rows []component, typed []passage) {
	buttons := r.Buttons
	if r.Prompt != nil {
		buttons = append(buttons[:len(buttons):len(buttons)],
			bot.Button{Label: cmp.Or(r.Prompt.Button, say("discord.open", nil)), Line: r.Prompt.Line, Style: bot.Primary})
	}
	seen := map[string]bool{}
	if r.Menu != nil && len(r.Menu.Choices) > 0 {
		menu, ok := menuOf(*r.Menu)
		if seen[r.Menu.Line] = ok; ok {
			rows = append(rows, component{Type: typeRow, Components: []component{menu}})
		}
		typed = append(typed, linesOfMenu(*r.Menu, !ok)...)
	}
	for _, b := range buttons {
		if strings.TrimSpace(b.Line) == "" || seen[b.Line] {
			continue
		}
		seen[b.Line] = true
		token, ok := bot.Token(b.Line)
		n := len(rows)
		switch full := n > 0 && (len(rows[n-1].Components) == mostInRow || rows[n-1].Components[0].Type == typeMenu); {
		case !ok || b.Line != clean(b.Line) || n == mostRows && full:
			typed = append(typed, lineOfButton(b)...)
			continue
		case n == 0 || full:
			rows = append(rows, component{Type: typeRow})
		}
		row := &rows[len(rows)-1]
		row.Components = append(row.Components, component{
			Type: typeButton, Style: styleOf(b.Style), CustomID: token,
			Label: cmp.Or(shortened(strings.TrimSpace(b.Label), mostLabel), shortened(b.Line, mostLabel)),
		})
	}
	return rows, typed
}

// lineOfButton says what a button does, to be typed.
func lineOfButton(b bot.Button) []passage {
	label := bot.Span{Text: strings.TrimSpace(b.Label), Bold: true}
	if !strings.Contains(b.Line, "\n") {
		return prose(bot.Prose, label, bot.Span{Text: "\n"}, bot.Span{Text: b.Line, Code: true}).passages
	}
	return append(prose(bot.Prose, label).passages, code("", b.Line).passages...)
}
