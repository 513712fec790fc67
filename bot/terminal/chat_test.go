package terminal

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"timonier/bot"
)

// desk is a chat without a terminal: keys go in, what would be printed comes out. Commands are
// run one after the other as soon as the model gives them, but answers only when let.
type desk struct {
	t       *testing.T
	chat    *chat
	tutor   *fakeTutor
	held    bool // answers wait
	answers []tea.Cmd
	printed []string
	quit    bool
}

func newDesk(t *testing.T, tutor *fakeTutor) *desk {
	d := &desk{t: t, tutor: tutor, chat: newChat(t.Context(), newSession(tutor), []string{"NO_COLOR=1"})}
	d.chat.send = func(msg tea.Msg) { d.update(msg) }
	d.run(d.chat.Init())
	d.update(tea.WindowSizeMsg{Width: 80, Height: 24})
	return d
}

func (d *desk) update(msg tea.Msg) {
	_, cmd := d.chat.Update(msg)
	d.run(cmd)
}

// run does what bubbletea would with a command: those of a batch, or of a sequence, in order.
func (d *desk) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	if d.chat.busy && d.held && !d.chat.printing {
		d.answers = append(d.answers, cmd)
		return
	}
	msg := cmd()
	switch v := reflect.ValueOf(msg); {
	case msg == nil:
	case v.Kind() == reflect.Slice && v.Type().Elem() == reflect.TypeFor[tea.Cmd]():
		for i := range v.Len() {
			d.run(v.Index(i).Interface().(tea.Cmd))
		}
	case fmt.Sprintf("%T", msg) == "tea.printLineMessage":
		d.printed = append(d.printed, v.Field(0).String())
	case fmt.Sprintf("%T", msg) == "tea.QuitMsg":
		d.quit = true
	case fmt.Sprintf("%T", msg) == "tea.readClipboardMsg":
	default:
		d.update(msg)
	}
}

// let runs the answers that were held.
func (d *desk) let() {
	d.held = false
	for len(d.answers) > 0 {
		next := d.answers[0]
		d.answers = d.answers[1:]
		d.run(next)
	}
}

func (d *desk) typed(text string) {
	for _, r := range text {
		d.update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

func (d *desk) enter(lines ...string) {
	for _, line := range lines {
		d.typed(line)
		d.press(tea.KeyEnter, 0)
	}
}

func (d *desk) press(code rune, mod tea.KeyMod) { d.update(tea.KeyPressMsg{Code: code, Mod: mod}) }
func (d *desk) ctrl(r rune)                     { d.press(r, tea.ModCtrl) }

func (d *desk) wantLines(lines ...string) {
	d.t.Helper()
	if !slices.Equal(d.tutor.lines, lines) {
		d.t.Errorf("the tutor got %.300q, not %.300q", d.tutor.lines, lines)
	}
}

func (d *desk) wantInput(line string) {
	d.t.Helper()
	if got := d.chat.input.Value(); got != line {
		d.t.Errorf("the line is %q, not %q", got, line)
	}
}

// screen is all that was printed, without styles.
func (d *desk) screen() string { return ansi.Strip(strings.Join(d.printed, "\n")) }

func TestChatGreetsAndAnswers(t *testing.T) {
	d := newDesk(t, &fakeTutor{})
	d.enter("/one", "   ", "2", "the COURSE", "3")
	d.wantLines("/one", "2", "the COURSE", "3") // the last answer offered no buttons
	const want = "Hello.\n\n[1 The course] [2 Help]\n\n<terminal.keys>\n\n› /one\nsaid /one\n"
	if got := d.screen(); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s", got)
	}
}

func TestChatButtonsByNumberAndLabel(t *testing.T) {
	d := newDesk(t, &fakeTutor{answers: map[string][]bot.Reply{
		"/course": {{Buttons: []bot.Button{{Label: "Suite →", Line: "/course next"}}, Final: true}},
	}})
	d.enter("1", "suite")
	d.wantLines("/course", "/course next")
	if !strings.Contains(d.screen(), "› /course next") {
		t.Error("the line is not shown as one may type it")
	}
	d.press(tea.KeyUp, 0)
	d.wantInput("/course next")
}

func TestChatHistory(t *testing.T) {
	d := newDesk(t, &fakeTutor{})
	d.enter("/one", "/two", "/two")
	d.typed("dra")
	for _, want := range []string{"/two", "/one", "/one"} {
		d.press(tea.KeyUp, 0)
		d.wantInput(want)
	}
	for _, want := range []string{"/two", "dra", "dra"} {
		d.press(tea.KeyDown, 0)
		d.wantInput(want)
	}
	d.typed("ft")
	d.wantInput("draft")
}

func TestChatTab(t *testing.T) {
	d := newDesk(t, &fakeTutor{found: map[string][]string{
		"/k":             {"/kubectl"},
		"/kubectl get p": {"/kubectl get pods", "/kubectl get priorityclasses"},
		"/kubectl get s": {"/kubectl get services", "/kubectl get serviceaccounts"},
		"/rep":           {"/répare"},
	}})
	tab := func(line string, left int, want, hint string) {
		t.Helper()
		d.chat.input.SetValue(line)
		d.chat.input.SetCursor(len([]rune(line)) - left)
		d.press(tea.KeyTab, 0)
		d.wantInput(want)
		if d.chat.hint != hint {
			t.Errorf("hint %q, not %q", d.chat.hint, hint)
		}
	}
	tab("/k", 0, "/kubectl ", "")
	tab("/kubectl get p", 0, "/kubectl get p", "pods  priorityclasses")
	tab("/kubectl get s", 0, "/kubectl get service", "services  serviceaccounts")
	tab("/rep", 0, "/répare ", "")
	tab("/k get pods", len(" get pods"), "/kubectl get pods", "")
	if at := d.chat.input.Position(); at != len("/kubectl ") {
		t.Errorf("the cursor is at %d", at)
	}
	tab("/qu", 0, "/quit ", "")
	tab("/nothing", 0, "/nothing", "")
	d.press(tea.KeyLeft, 0)
	if d.chat.hint != "" {
		t.Error("the hint outlives the next key")
	}
}

func TestChatPaste(t *testing.T) {
	const manifest = "kind: Pod\r\nmetadata: {name: x}\r\n"
	tests := []struct {
		name   string
		before string
		paste  string
		lines  []string
		input  string
	}{
		{"one line is typed", "/kubectl ", "get pods\n", nil, "/kubectl get pods"},
		{"a command and its text", "", "/kubectl apply -f -\n" + manifest, []string{"/kubectl apply -f -\nkind: Pod\nmetadata: {name: x}"}, ""},
		{"a text behind its command", "/kubectl apply -f -", manifest, []string{"/kubectl apply -f -\nkind: Pod\nmetadata: {name: x}"}, ""},
		{"several commands", "", "/one\n/two\n\n/three", []string{"/one", "/two", "/three"}, ""},
		{"a text alone", "", manifest, []string{"kind: Pod\nmetadata: {name: x}"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, &fakeTutor{})
			d.typed(test.before)
			d.update(tea.PasteMsg{Content: test.paste})
			d.wantLines(test.lines...)
			d.wantInput(test.input)
		})
	}
}

func TestChatText(t *testing.T) {
	for name, enter := range map[string]func(*desk){
		"typed":           func(d *desk) { d.enter("a: 1", "", "  b: 2", ".") },
		"typed, Ctrl-D":   func(d *desk) { d.enter("a: 1", "", "  b: 2"); d.ctrl('d') },
		"pasted":          func(d *desk) { d.update(tea.PasteMsg{Content: "a: 1\n\n  b: 2\n"}); d.ctrl('d') },
		"pasted with dot": func(d *desk) { d.update(tea.PasteMsg{Content: "a: 1\n\n  b: 2\n.\n/one\n"}) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, &fakeTutor{})
			d.enter("/ask")
			if view := ansi.Strip(d.chat.View().Content); !strings.Contains(view, "<terminal.text>") {
				t.Errorf("the view does not say what is asked for: %q", view)
			}
			enter(d)
			want := []string{"/ask", "/ask\na: 1\n\n  b: 2\n"}
			if strings.HasSuffix(name, "dot") {
				want = append(want, "/one")
			}
			d.wantLines(want...)
			if n := strings.Count(d.screen(), "    b: 2"); n != 1 {
				t.Errorf("the text is shown %d times:\n%s", n, d.screen())
			}
			if d.chat.prompt != nil {
				t.Error("the text is still asked for")
			}
		})
	}
	d := newDesk(t, &fakeTutor{})
	d.enter("/ask", "a: 1")
	d.ctrl('c')
	d.enter("/one")
	d.wantLines("/ask", "/one")
}

// TestChatBusy: what is typed while an answer is coming waits for it, also the text that the
// answer turns out to ask for.
func TestChatBusy(t *testing.T) {
	d := newDesk(t, &fakeTutor{})
	d.held = true
	d.enter("/ask", "a: 1", ".", "/one", "/two")
	d.ctrl('d')
	if d.wantLines(); d.quit {
		t.Fatal("it left before its answers")
	}
	d.let()
	d.wantLines("/ask", "/ask\na: 1\n", "/one", "/two")
	if !d.quit {
		t.Error("Ctrl-D was forgotten")
	}
	if got := d.screen(); strings.Index(got, "said /one") > strings.Index(got, "› /two") || !strings.HasSuffix(got, "<terminal.bye>") {
		t.Errorf("answers are not in order:\n%s", got)
	}
}

func TestChatQuits(t *testing.T) {
	for name, leave := range map[string]func(*desk){
		"/quitter": func(d *desk) { d.enter("/quitter") },
		"exit":     func(d *desk) { d.enter("exit") },
		"Ctrl-D":   func(d *desk) { d.ctrl('d') },
		"Ctrl-C":   func(d *desk) { d.typed("begun"); d.ctrl('c'); d.wantInput(""); d.ctrl('c') },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, &fakeTutor{})
			if leave(d); !d.quit || !strings.HasSuffix(d.screen(), "<terminal.bye>") {
				t.Errorf("quit %v:\n%s", d.quit, d.screen())
			}
			if view := d.chat.View(); view.Content != "" {
				t.Errorf("it leaves %q behind", view.Content)
			}
		})
	}
	d := newDesk(t, &fakeTutor{fails: bot.ErrClosed})
	if d.enter("/one"); !d.quit || d.chat.failure == nil {
		t.Error("it goes on without a tutor")
	}
}

// TestChatLongAnswers: every line of an answer is printed once, in order, whatever the window.
func TestChatLongAnswers(t *testing.T) {
	var text strings.Builder
	for i := range 500 {
		fmt.Fprintf(&text, "line-%03d %s\n", i, strings.Repeat("word ", i%30))
	}
	d := newDesk(t, &fakeTutor{answers: map[string][]bot.Reply{"/long": {{Blocks: []bot.Block{bot.Code{Text: text.String()}}, Final: true}}}})
	for _, size := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 23, Height: 5}, {Width: 12, Height: 1}} {
		d.update(size)
		d.printed = nil
		d.enter("/long")
		for _, part := range d.printed {
			if n := strings.Count(part, "\n") + 1; n > max(1, size.Height-4) {
				t.Fatalf("%v: %d lines at once", size, n)
			}
			for line := range strings.SplitSeq(part, "\n") {
				if ansi.StringWidth(line) > size.Width {
					t.Fatalf("%v: %q", size, line)
				}
			}
		}
		got := d.screen()
		at := 0
		for i := range 500 {
			next := strings.Index(got[at:], fmt.Sprintf("line-%03d", i))
			if next < 0 {
				t.Fatalf("%v: line %d is lost", size, i)
			}
			at += next
		}
		if words := strings.Count(got, "word"); words != strings.Count(text.String(), "word") {
			t.Fatalf("%v: %d words", size, words)
		}
	}
}

func TestChatProgress(t *testing.T) {
	d := newDesk(t, &fakeTutor{})
	d.held = true
	d.enter("/one")
	if view := d.chat.View(); !strings.Contains(view.Content, "…") {
		t.Errorf("nothing says that an answer is coming: %q", view.Content)
	}
	d.update(partMsg{bot.Reply{Blocks: []bot.Block{bot.Meter{Label: "1 of 2", Done: 1, Total: 2}}}})
	view := d.chat.View()
	if !strings.HasPrefix(ansi.Strip(view.Content), "▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░ 1 of 2\n\n› ") || view.Cursor.Y != 2 {
		t.Errorf("%q, cursor %+v", view.Content, view.Cursor)
	}
	d.let()
	if got := d.screen(); strings.Contains(got, "1 of 2") || !strings.Contains(got, "said /one") {
		t.Errorf("got\n%s", got)
	}
}
