package terminal

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"timonier/bot"
)

func TestScript(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	tests := []struct {
		name, in string
		lines    []string // that the tutor gets
		failed   bool
	}{
		{"a line, an answer", "/one\n/two\n", []string{"/one", "/two"}, false},
		{"no end of line at the end", "/one", []string{"/one"}, false},
		{"comments and blanks", "# a\n\n  \n  # b\n/one # not here\n", []string{"/one # not here"}, false},
		{"CRLF", "/one\r\n/two\r\n", []string{"/one", "/two"}, false},
		{"a text up to the dot", "/ask\na: 1\n\n# kept\n b: 2\n.\n/one\n", []string{"/ask", "/ask\na: 1\n\n# kept\n b: 2\n", "/one"}, false},
		{"a text up to the end", "/ask\na: 1", []string{"/ask", "/ask\na: 1\n"}, false},
		{"a text up to the next command", "/ask\na: 1\n\n/one\n", []string{"/ask", "/ask\na: 1\n\n", "/one"}, false},
		{"a text that is missing", "/ask\n/one\n", []string{"/ask", "/ask\n", "/one"}, true},
		{"a text of Windows", "/ask\r\na: 1\r\n.\r\n/one\r\n", []string{"/ask", "/ask\na: 1\n", "/one"}, false},
		{"quitting in a text", "/ask\nexit\n.\n", []string{"/ask", "/ask\nexit\n"}, false},
		{"1 MB", "/" + big + "\n/one\n", []string{"/" + big, "/one"}, false},
		{"binary", "\x00\xff\x01\n/one\n", []string{"\x00\xff\x01", "/one"}, false},
		{"a command that fails", "/fail\n/one\n", []string{"/fail", "/one"}, true},
		{"quits", "/one\n/QUITTER \n/two\n", []string{"/one"}, false},
		{"nothing", "", nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tutor := &fakeTutor{}
			var out bytes.Buffer
			failed, err := newSession(tutor).Script(t.Context(), strings.NewReader(test.in), &out)
			if err != nil || failed != test.failed {
				t.Errorf("failed %v, error %v", failed, err)
			}
			if !slices.Equal(tutor.lines, test.lines) {
				t.Errorf("the tutor got %.200q, not %.200q", tutor.lines, test.lines)
			}
			if len(tutor.ids) != len(tutor.lines) {
				t.Errorf("%d request IDs for %d lines", len(tutor.ids), len(tutor.lines))
			}
			if strings.ContainsAny(out.String(), "\x00\x1b") {
				t.Error("the output commands the terminal")
			}
		})
	}
}

func TestScriptWritesAnswers(t *testing.T) {
	var out bytes.Buffer
	tutor := &fakeTutor{answers: map[string][]bot.Reply{
		"/slow": {{Blocks: []bot.Block{bot.Meter{Label: "half"}}}, {Blocks: []bot.Block{bot.Code{Text: "done"}}, Final: true}},
	}}
	if _, err := newSession(tutor).Script(t.Context(), strings.NewReader("/ask\na\n.\n/slow\n"), &out); err != nil {
		t.Fatal(err)
	}
	if want := "said /ask\na\n\ndone\n\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// TestScriptAnswersAtOnce: whoever writes the next line when it has read an answer is not kept waiting.
func TestScriptAnswersAtOnce(t *testing.T) {
	in, lines := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := newSession(&fakeTutor{}).Script(t.Context(), in, out)
		out.Close()
		done <- err
	}()
	for _, line := range []string{"/one", "/two"} {
		if _, err := io.WriteString(lines, line+"\n"); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len("said "+line+"\n\n"))
		if _, err := io.ReadFull(answers, got); err != nil || string(got) != "said "+line+"\n\n" {
			t.Fatalf("%q %v", got, err)
		}
	}
	lines.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

var errBroken = errors.New("broken")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }
func (brokenPipe) Read([]byte) (int, error)  { return 0, errBroken }

func TestScriptEndsWithItsPipes(t *testing.T) {
	if _, err := newSession(&fakeTutor{}).Script(t.Context(), strings.NewReader("/one\n/two\n"), brokenPipe{}); !errors.Is(err, errBroken) {
		t.Errorf("output broken: %v", err)
	}
	if _, err := newSession(&fakeTutor{}).Script(t.Context(), brokenPipe{}, io.Discard); !errors.Is(err, errBroken) {
		t.Errorf("input broken: %v", err)
	}
	if _, err := newSession(&fakeTutor{fails: bot.ErrClosed}).Script(t.Context(), strings.NewReader("/one\n"), io.Discard); !errors.Is(err, bot.ErrClosed) {
		t.Errorf("tutor closed: %v", err)
	}
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	tutor := &fakeTutor{}
	if err := newSession(tutor).Lines(t.Context(), strings.NewReader("2\n/ask\na\n.\nexit\n/one\n"), &out); err != nil {
		t.Fatal(err)
	}
	const want = `Hello.

[1 The course] [2 Help]

› said /help

› Paste it.

<terminal.text>

said /ask
a

› <terminal.bye>
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}
