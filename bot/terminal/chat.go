package terminal

import (
	"context"
	"fmt"
	"io"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"timonier/bot"
)

// Chat talks with a person at a terminal until they leave or ctx ends.
func (s *Session) Chat(ctx context.Context, in io.Reader, out io.Writer, env []string) error {
	input := textinput.New()
	input.Prompt = "› "
	input.CharLimit = 0
	input.Focus()
	m := &chat{session: s, ctx: ctx, input: input, width: 80}
	program := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithEnvironment(env))
	m.send = program.Send
	_, err := program.Run()
	if ctx.Err() != nil {
		return nil // told to stop: everything that was answered is kept
	}
	if err != nil {
		return fmt.Errorf("run terminal: %w", err)
	}
	return nil
}

// chat is the screen: what was said is in the terminal's own scrollback; below it the answer that is coming, and
// the line being typed.
type chat struct {
	session *Session
	ctx     context.Context
	send    func(tea.Msg)

	input   textinput.Model
	width   int
	history []string
	back    int    // how far up in the history; 0: the line being typed
	draft   string // that line, while an older one is shown

	busy    bool
	waiting []string // typed while an answer was coming
	coming  string   // the answer so far
	hint    string   // what Tab found

	prompt *bot.Prompt // a longer text is being asked for
	text   []string    // its lines so far
}

type (
	partMsg struct{ bot.Reply } // one state of an answer
	doneMsg struct{ err error } // the answer is complete
	tabMsg  struct {
		line  string
		found []string
	}
	startsMsg struct{ bot.Reply }
)

func (m *chat) Init() tea.Cmd {
	return tea.Batch(textinput.Blink, func() tea.Msg {
		return startsMsg{m.session.Tutor.Welcome(m.ctx, m.session.request(""))}
	})
}

func (m *chat) printer() printer { return printer{width: min(m.width, 100), styles: colourStyles()} }

func (m *chat) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width = max(20, msg.Width)
		m.input.SetWidth(m.width - 4)
		return m, nil
	case startsMsg:
		return m, m.say(m.printer().reply(msg.Reply))
	case partMsg:
		return m.part(msg.Reply)
	case doneMsg:
		return m.done(msg.err)
	case tabMsg:
		m.completed(msg)
		return m, nil
	case tea.PasteMsg:
		return m.pasted(msg.Content)
	case tea.KeyPressMsg:
		m.hint = ""
		if next, cmd, taken := m.key(msg); taken {
			return next, cmd
		}
	}
	var cmd tea.Cmd
	m.input, cmd = m.input.Update(msg)
	return m, cmd
}

// key does what the keys do that are not the line editor's.
func (m *chat) key(msg tea.KeyPressMsg) (tea.Model, tea.Cmd, bool) {
	switch msg.String() {
	case "enter":
		next, cmd := m.enter()
		return next, cmd, true
	case "ctrl+c":
		if m.prompt != nil {
			m.prompt, m.text = nil, nil
			m.input.Reset()
			return m, nil, true
		}
		if m.input.Value() == "" {
			return m, tea.Quit, true
		}
		m.input.Reset()
		return m, nil, true
	case "ctrl+d":
		if m.prompt != nil {
			next, cmd := m.endText()
			return next, cmd, true
		}
		if m.input.Value() == "" {
			return m, tea.Quit, true
		}
	case "up":
		m.recall(+1)
		return m, nil, true
	case "down":
		m.recall(-1)
		return m, nil, true
	case "tab":
		return m, m.complete(), true
	}
	return m, nil, false
}

func (m *chat) enter() (tea.Model, tea.Cmd) {
	line := m.input.Value()
	m.input.Reset()
	m.back, m.draft = 0, ""
	if m.prompt != nil {
		if line == endOfText {
			return m.endText()
		}
		m.text = append(m.text, line)
		return m, m.say("  " + printable(line))
	}
	if strings.TrimSpace(line) == "" {
		return m, nil
	}
	return m.ask(line)
}

// ask has a line answered, now or when the answers before it are complete.
func (m *chat) ask(line string) (tea.Model, tea.Cmd) {
	if quits(line) {
		return m, tea.Quit
	}
	if first, _, _ := strings.Cut(line, "\n"); len(m.history) == 0 || m.history[len(m.history)-1] != first {
		m.history = append(m.history, first)
	}
	if m.busy {
		m.waiting = append(m.waiting, line)
		return m, nil
	}
	m.busy = true
	request := m.session.request(line)
	answer := func() tea.Msg {
		err := m.session.Tutor.Handle(m.ctx, request, func(r bot.Reply) { m.send(partMsg{r}) })
		return doneMsg{err}
	}
	echo := colourStyles().bold.Render("› " + printable(line))
	return m, tea.Sequence(m.say(ansi.Hardwrap(echo, m.width, true)), answer)
}

func (m *chat) part(r bot.Reply) (tea.Model, tea.Cmd) {
	text := m.printer().reply(r)
	if !r.Final {
		m.coming = text
		return m, nil
	}
	m.coming = ""
	if r.Prompt != nil {
		m.prompt, m.text = r.Prompt, nil
	}
	return m, m.say(text)
}

func (m *chat) done(err error) (tea.Model, tea.Cmd) {
	m.busy, m.coming = false, ""
	if err != nil {
		return m, tea.Quit
	}
	if len(m.waiting) == 0 {
		return m, nil
	}
	line := m.waiting[0]
	m.waiting = m.waiting[1:]
	return m.ask(line)
}

// pasted puts what was pasted where typing would: several lines are a text, or a command with its text.
func (m *chat) pasted(content string) (tea.Model, tea.Cmd) {
	content = strings.ReplaceAll(strings.ReplaceAll(content, "\r\n", "\n"), "\r", "\n")
	if m.prompt != nil {
		lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
		lines[0] = m.input.Value() + lines[0]
		m.input.Reset()
		m.text = append(m.text, lines...)
		return m, m.say("  " + printable(strings.Join(lines, "\n  ")))
	}
	if !strings.Contains(strings.TrimSpace(content), "\n") {
		var cmd tea.Cmd
		m.input, cmd = m.input.Update(tea.PasteMsg{Content: strings.TrimRight(content, "\n")})
		return m, cmd
	}
	before := m.input.Value()
	m.input.Reset()
	if strings.Contains(before, " -f -") {
		return m.ask(before + "\n" + content)
	}
	return m.ask(before + content)
}

func (m *chat) endText() (tea.Model, tea.Cmd) {
	line := m.prompt.Line + "\n" + strings.Join(m.text, "\n") + "\n"
	m.prompt, m.text = nil, nil
	return m.ask(line)
}

// say puts text above the line being typed, for good.
func (m *chat) say(text string) tea.Cmd { return tea.Println(text + "\n") }

// recall goes up or down in the history.
func (m *chat) recall(by int) {
	if m.back == 0 {
		m.draft = m.input.Value()
	}
	m.back = min(len(m.history), max(0, m.back+by))
	if m.back == 0 {
		m.input.SetValue(m.draft)
	} else {
		m.input.SetValue(m.history[len(m.history)-m.back])
	}
	m.input.CursorEnd()
}

func (m *chat) complete() tea.Cmd {
	line, at := m.input.Value(), m.input.Position()
	if m.busy || m.prompt != nil || line == "" {
		return nil
	}
	cursor := len(string([]rune(line)[:at]))
	return func() tea.Msg {
		return tabMsg{line, m.session.Tutor.Complete(m.ctx, m.session.request(line), line, cursor)}
	}
}

// completed takes what Tab found: as much of it as is certain goes into the line, the choices are shown.
func (m *chat) completed(t tabMsg) {
	if m.input.Value() != t.line || len(t.found) == 0 {
		return
	}
	common := t.found[0]
	var words []string
	for _, line := range t.found {
		for !strings.HasPrefix(line, common) {
			common = string([]rune(common)[:len([]rune(common))-1])
		}
		words = append(words, line[strings.LastIndexByte(strings.TrimRight(line, " "), ' ')+1:])
	}
	if len(t.found) == 1 {
		common = strings.TrimRight(common, " ") + " "
	} else {
		m.hint = strings.Join(words, "  ")
	}
	if len(common) > len(t.line) || len(t.found) == 1 {
		m.input.SetValue(common)
		m.input.CursorEnd()
	}
}

func (m *chat) View() tea.View {
	var b strings.Builder
	if m.coming != "" {
		b.WriteString(m.coming + "\n\n")
	} else if m.busy {
		b.WriteString(colourStyles().faint.Render("…") + "\n")
	}
	if m.prompt != nil {
		fmt.Fprintf(&b, "%s\n", colourStyles().faint.Render(m.session.Words("terminal.text")))
	}
	b.WriteString(m.input.View())
	if m.hint != "" {
		b.WriteString("\n" + colourStyles().faint.Render(ansi.Wrap(m.hint, m.width, "")))
	}
	return tea.NewView(b.String())
}
