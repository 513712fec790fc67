package terminal

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"timonier/bot"
)

// typed is a line that was entered, several where they were pasted, or the end of a text
// (Ctrl-D). Each waits for the answers to those before it: what is pasted into a terminal
// that does not say so comes faster than answers.
type typed struct {
	line string
	end  bool
}

// take does what was typed, now or when its turn comes.
func (m *chat) take(t typed) tea.Cmd {
	switch {
	case m.leaving:
		return nil
	case m.busy:
		m.waiting = append(m.waiting, t)
		return nil
	case m.prompt != nil:
		return m.takeText(t)
	case t.end:
		return m.leave()
	case strings.TrimSpace(t.line) == "":
		return nil
	}
	return m.ask(t.line)
}

// takeText adds lines to the text that was asked for, up to its end.
func (m *chat) takeText(t typed) tea.Cmd {
	if t.end {
		return m.endText("")
	}
	lines := strings.Split(t.line, "\n")
	for i, line := range lines {
		if line != endOfText {
			continue
		}
		m.text = append(m.text, lines[:i]...)
		if rest := strings.Join(lines[i+1:], "\n"); strings.TrimSpace(rest) != "" {
			m.waiting = append([]typed{{line: rest}}, m.waiting...)
		}
		return m.endText(m.echoText(lines[:i]))
	}
	m.text = append(m.text, lines...)
	return m.show(m.echoText(lines))
}

// endText answers the command whose text is complete.
func (m *chat) endText(echo string) tea.Cmd {
	line := m.prompt.Line + "\n" + strings.Join(m.text, "\n") + "\n"
	m.prompt, m.text = nil, nil
	said := echo
	return tea.Batch(m.show(said), m.answer(line))
}

// ask has a line answered.
func (m *chat) ask(line string) tea.Cmd {
	if quits(line) {
		return m.leave()
	}
	line, opens := chosen(line, m.offered)
	if opens != nil {
		m.prompt, m.text = opens, nil
		return m.show(fit(m.styles.bold.Render(wrap(prompt+oneLine(opens.Button), m.width)), m.width))
	}
	first, text, more := strings.Cut(strings.TrimRight(line, "\n"), "\n")
	m.history.add(first)
	echo := fit(m.styles.bold.Render(wrap(prompt+oneLine(first), m.width)), m.width)
	if more {
		echo += "\n" + m.echoText(strings.Split(text, "\n"))
	}
	return tea.Batch(m.show(echo), m.answer(line))
}

// answer asks the tutor.
func (m *chat) answer(line string) tea.Cmd {
	m.busy = true
	request := m.session.request(line)
	return func() tea.Msg {
		return doneMsg{m.session.Tutor.Handle(m.ctx, request, func(r bot.Reply) { m.send(partMsg{r}) })}
	}
}

// mostEchoed is how many lines of a pasted text are shown: enough to see that it is the one meant.
const mostEchoed = 60

// echoText is a text as it was typed or pasted, under the command that reads it.
func (m *chat) echoText(lines []string) string {
	shown := make([]string, 0, min(len(lines), mostEchoed)+1)
	for i, line := range lines {
		if i == mostEchoed {
			shown = append(shown, "  ⋮")
			break
		}
		if runes := []rune(line); len(runes) > 4*m.width {
			line = string(runes[:4*m.width]) + "…"
		}
		shown = append(shown, "  "+untabbed(printable(line)))
	}
	return m.styles.faint.Render(fit(strings.Join(shown, "\n"), m.width))
}

// part shows one state of an answer; the last stays.
func (m *chat) part(r bot.Reply) tea.Cmd {
	text := m.printer().reply(r)
	if !r.Final {
		m.coming = text
		return nil
	}
	m.coming, m.offered = "", r
	switch {
	case asks(r):
		m.prompt, m.text = r.Prompt, nil
	case r.Prompt != nil && r.Prompt.Short && m.input.Value() == "":
		m.recall(oneLine(r.Prompt.Text))
	}
	return m.show(text + "\n")
}

// done takes up what was typed meanwhile.
func (m *chat) done(err error) tea.Cmd {
	m.busy, m.coming = false, ""
	if err != nil {
		m.failure, m.leaving = err, true
		return m.print()
	}
	var cmds []tea.Cmd
	for len(m.waiting) > 0 && !m.busy && !m.leaving {
		next := m.waiting[0]
		m.waiting = m.waiting[1:]
		cmds = append(cmds, m.take(next))
	}
	return tea.Batch(cmds...)
}

// pasted puts what was pasted where typing would. Several lines are a text, a command with its
// text, or several commands.
func (m *chat) pasted(content string) tea.Cmd {
	content = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(content)
	content = strings.TrimSuffix(content, "\n")
	if !strings.Contains(content, "\n") && m.prompt == nil {
		var cmd tea.Cmd
		m.input, cmd = m.input.Update(tea.PasteMsg{Content: content})
		return cmd
	}
	before := m.input.Value()
	m.input.Reset()
	m.history.leave()
	if strings.HasSuffix(strings.TrimRight(before, " "), "-") { // /kubectl apply -f -
		before += "\n"
	}
	content = before + content
	if m.prompt == nil && allCommands(content) {
		var cmds []tea.Cmd
		for line := range strings.SplitSeq(content, "\n") {
			cmds = append(cmds, m.take(typed{line: line}))
		}
		return tea.Batch(cmds...)
	}
	return m.take(typed{line: content})
}

// allCommands says that each line is a command of its own.
func allCommands(content string) bool {
	for line := range strings.SplitSeq(content, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "/") {
			return false
		}
	}
	return true
}
