package terminal

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// history is what was typed in this run, and where in it a person looks.
type history struct {
	lines []string
	back  int    // how far up; 0: the line being typed
	draft string // that line, while an older one is shown
}

// add keeps a line; the same one twice in a row only once.
func (h *history) add(line string) {
	if len(h.lines) == 0 || h.lines[len(h.lines)-1] != line {
		h.lines = append(h.lines, line)
	}
	h.leave()
}

// leave goes back to the line being typed.
func (h *history) leave() { h.back, h.draft = 0, "" }

func (h *history) up(current string) string   { return h.move(+1, current) }
func (h *history) down(current string) string { return h.move(-1, current) }

// move is the line to be shown, further up or down; current is the one that is.
func (h *history) move(by int, current string) string {
	if h.back == 0 {
		h.draft = current
	}
	h.back = min(len(h.lines), max(0, h.back+by))
	if h.back == 0 {
		return h.draft
	}
	return h.lines[len(h.lines)-h.back]
}

// complete asks what the word before the cursor could become.
func (m *chat) complete() tea.Cmd {
	line := []rune(m.input.Value())
	at := min(m.input.Position(), len(line))
	before, after := string(line[:at]), string(line[at:])
	if m.busy || m.prompt != nil || before == "" {
		return nil
	}
	return func() tea.Msg {
		found := m.session.Tutor.Complete(m.ctx, m.session.request(before), before, len(before))
		if quit := m.session.Words("terminal.quit"); strings.HasPrefix(quit, before) {
			found = append(found, quit)
		}
		return foundMsg{before, after, found}
	}
}

// completed takes what Tab found: as much of it as is certain goes into the line, and where
// there is a choice it is shown.
func (m *chat) completed(t foundMsg) {
	if m.input.Value() != t.before+t.after || len(t.found) == 0 {
		return
	}
	common := t.found[0]
	var words []string
	for _, line := range t.found {
		for !strings.HasPrefix(line, common) {
			runes := []rune(common)
			common = string(runes[:len(runes)-1])
		}
		line = strings.TrimRight(line, " ")
		words = append(words, line[strings.LastIndexByte(line, ' ')+1:])
	}
	if len(t.found) == 1 {
		common = strings.TrimRight(common, " ") + " "
	} else {
		m.hint = strings.Join(words, "  ")
	}
	if len(t.found) > 1 && len(common) <= len(t.before) {
		return // no more is certain
	}
	m.input.SetValue(common + strings.TrimLeft(t.after, " "))
	m.input.SetCursor(len([]rune(common)))
}
