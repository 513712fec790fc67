package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"timonier/bot"
)

// prompt stands before the line being typed, and before what was.
const prompt = "› "

// Chat talks with a person at a terminal until they leave or ctx ends. The environment is the
// terminal's: NO_COLOR, TERM.
func (s *Session) Chat(ctx context.Context, in io.Reader, out io.Writer, env []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // whoever leaves does not wait for the answer that was coming
	m := newChat(ctx, s, env)
	program := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithEnvironment(env))
	m.send = program.Send
	ended, spoken := make(chan struct{}), make(chan error, 1)
	speaking, quiet := context.WithCancel(ctx)
	defer quiet()
	if s.Voice == nil {
		spoken <- nil
	} else {
		go func() { spoken <- m.speak(speaking, ended) }()
	}
	_, err := program.Run()
	close(ended)
	quiet()
	err = errors.Join(err, <-spoken)
	if ctx.Err() != nil || errors.Is(err, tea.ErrInterrupted) {
		return nil // told to stop: everything that was answered is kept
	}
	if err = errors.Join(err, m.failure); err != nil {
		return fmt.Errorf("run terminal: %w", err)
	}
	return nil
}

// chat is the screen: what was said is in the terminal's own scrollback; below it the answer
// that is coming, and the line being typed.
type chat struct {
	session *Session
	ctx     context.Context
	send    func(tea.Msg)
	styles  styles

	input   textinput.Model
	width   int // 0: not known yet, and nothing is said before
	height  int
	history history
	hint    string // what Tab found

	busy    bool
	waiting []typed   // while an answer was coming
	coming  string    // the answer so far
	offered bot.Reply // what can be named is its buttons, its menu, its prompt

	prompt *bot.Prompt // a longer text is being asked for
	text   []string    // its lines so far

	unprinted []string // lines that are to go above, for good
	printing  bool
	leaving   bool
	failure   error // why there are no more answers

	greeted chan struct{} // closed when the greeting is shown: what nobody asked for may follow
}

type (
	startsMsg  struct{ bot.Reply } // the greeting
	partMsg    struct{ bot.Reply } // one state of an answer
	doneMsg    struct{ err error } // the answer is complete
	printedMsg struct{}            // what was to go above has gone
	foundMsg   struct {            // what Tab found for a line
		before, after string
		found         []string
	}
)

func newChat(ctx context.Context, s *Session, env []string) *chat {
	m := &chat{session: s, ctx: ctx, styles: colourStyles(), input: textinput.New(), greeted: make(chan struct{})}
	if slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, "NO_COLOR=") && e != "NO_COLOR=" }) {
		m.styles = monochromeStyles()
	}
	m.input.SetStyles(textinput.Styles{})
	m.input.SetVirtualCursor(false)
	m.input.Prompt = prompt
	m.input.CharLimit = 0
	m.input.Focus()
	return m
}

func (m *chat) Init() tea.Cmd { return nil }

func (m *chat) printer() printer {
	return printer{width: m.width, styles: m.styles, words: m.session.Words}
}

func (m *chat) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		return m, m.resized(msg)
	case startsMsg:
		m.offered = msg.Reply
		close(m.greeted)
		return m, m.show(m.printer().reply(msg.Reply) + "\n\n" + wrap(m.styles.faint.Render(m.session.Words("terminal.keys")), m.printer().prose()) + "\n")
	case saidMsg:
		return m, m.said(msg)
	case partMsg:
		return m, m.part(msg.Reply)
	case doneMsg:
		return m, m.done(msg.err)
	case printedMsg:
		m.printing = false
		return m, m.print()
	case foundMsg:
		m.completed(msg)
		return m, nil
	case tea.PasteMsg:
		return m, m.pasted(msg.Content)
	case tea.KeyPressMsg:
		m.hint = ""
		if cmd, taken := m.key(msg.String()); taken {
			return m, cmd
		}
	}
	var cmd tea.Cmd
	m.input, cmd = m.input.Update(msg)
	return m, cmd
}

// resized takes the window's size; with the first one the conversation begins.
func (m *chat) resized(size tea.WindowSizeMsg) tea.Cmd {
	first := m.width == 0
	m.width, m.height = max(1, size.Width), max(1, size.Height)
	m.input.SetWidth(max(1, m.width-4))
	if !first {
		return nil
	}
	return func() tea.Msg { return startsMsg{m.session.Tutor.Welcome(m.ctx, m.session.request(""))} }
}

// key does what the keys do that are not the line editor's.
func (m *chat) key(key string) (cmd tea.Cmd, taken bool) {
	switch key {
	case "enter":
		line := m.input.Value()
		m.input.Reset()
		m.history.leave()
		if strings.TrimSpace(line) == "" && m.prompt == nil && !m.busy {
			return nil, true
		}
		return m.take(typed{line: line}), true
	case "ctrl+d":
		if m.input.Value() != "" {
			return nil, false // the line editor's: it deletes
		}
		return m.take(typed{end: true}), true
	case "ctrl+c":
		return m.giveUp(), true
	case "up":
		m.recall(m.history.up(m.input.Value()))
		return nil, true
	case "down":
		m.recall(m.history.down(m.input.Value()))
		return nil, true
	case "tab":
		return m.complete(), true
	}
	return nil, false
}

func (m *chat) recall(line string) {
	m.input.SetValue(line)
	m.input.CursorEnd()
}

// giveUp takes back what was begun, the nearest first; where there is nothing, it leaves.
func (m *chat) giveUp() tea.Cmd {
	switch {
	case m.input.Value() != "":
		m.input.Reset()
		m.history.leave()
	case m.prompt != nil:
		m.prompt, m.text = nil, nil
		return m.show("^C\n")
	case len(m.waiting) > 0:
		m.waiting = nil
	default:
		return m.leave()
	}
	return nil
}

// leave says good-bye; the program ends when all is on the screen.
func (m *chat) leave() tea.Cmd {
	m.leaving = true
	return m.show(wrap(m.session.Words("terminal.bye"), m.printer().prose()))
}

// show puts text above the line being typed, for good. Text goes there in the order in which it
// is said, a part that fits on the screen at a time: the terminal would leave gaps otherwise.
func (m *chat) show(text string) tea.Cmd {
	m.unprinted = append(m.unprinted, strings.Split(fit(text, m.width), "\n")...)
	return m.print()
}

func (m *chat) print() tea.Cmd {
	switch {
	case m.printing:
		return nil
	case len(m.unprinted) == 0 && m.leaving:
		return tea.Quit
	case len(m.unprinted) == 0:
		return nil
	}
	const below = 4 // lines that the rest may need
	n := min(len(m.unprinted), max(1, m.height-below))
	part := strings.Join(m.unprinted[:n], "\n")
	m.unprinted, m.printing = m.unprinted[n:], true
	if part == "" {
		part = "\x1b[m" // bubbletea prints nothing for an empty text
	}
	return tea.Sequence(tea.Println(part), func() tea.Msg { return printedMsg{} })
}

func (m *chat) View() tea.View {
	if m.leaving || m.width == 0 {
		return tea.NewView("")
	}
	faint := func(text string) string {
		return fit(m.styles.faint.Render(wrap(text, m.printer().prose())), m.width) + "\n"
	}
	var above string
	switch {
	case m.coming != "":
		above = m.coming + "\n\n"
	case m.busy:
		above = faint("…")
	case m.prompt != nil:
		above = faint(m.session.Words("terminal.text"))
	}
	m.input.Prompt = prompt
	if m.prompt != nil {
		m.input.Prompt = strings.Repeat(" ", lipgloss.Width(prompt))
	}
	text := above + m.input.View()
	if m.hint != "" {
		text += "\n" + strings.TrimSuffix(faint(m.hint), "\n")
	}
	view := tea.NewView(text)
	if view.Cursor = m.input.Cursor(); view.Cursor != nil {
		view.Cursor.Y += strings.Count(above, "\n")
	}
	return view
}
