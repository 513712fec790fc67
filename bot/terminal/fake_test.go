package terminal

import (
	"context"
	"strings"
	"sync"

	"timonier/bot"
)

// fakeTutor answers from a table by the first line of a request; what is not in it is said back.
type fakeTutor struct {
	answers map[string][]bot.Reply
	found   map[string][]string // completions by line
	fails   error

	mu    sync.Mutex
	lines []string
	ids   map[string]bool
}

func (f *fakeTutor) Handle(_ context.Context, r bot.Request, emit func(bot.Reply)) error {
	f.mu.Lock()
	f.lines = append(f.lines, r.Line)
	if f.ids == nil {
		f.ids = map[string]bool{}
	}
	f.ids[r.ID] = true
	f.mu.Unlock()
	if f.fails != nil {
		return f.fails
	}
	first, text, _ := strings.Cut(r.Line, "\n")
	if first == "/ask" && text == "" {
		emit(bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: "Paste it."}}, Prompt: &bot.Prompt{Line: "/ask"}, Final: true})
		return nil
	}
	for _, reply := range f.answers[first] {
		emit(reply)
	}
	if len(f.answers[first]) == 0 {
		emit(bot.Reply{Blocks: []bot.Block{bot.Code{Text: "said " + r.Line}}, Final: true, Failed: first == "/fail"})
	}
	return nil
}

func (f *fakeTutor) Complete(_ context.Context, _ bot.Request, line string, _ int) []string {
	return append([]string(nil), f.found[line]...)
}

func (f *fakeTutor) Welcome(context.Context, bot.Request) bot.Reply {
	return bot.Reply{
		Blocks:  []bot.Block{bot.Text{Markdown: "Hello."}},
		Buttons: []bot.Button{{Label: "The course", Line: "/course"}, {Label: "Help", Line: "/help"}},
		Final:   true,
	}
}

func newSession(f *fakeTutor) *Session {
	return &Session{Tutor: f, Who: bot.Person{ID: "me"}, Run: "run", Words: func(id string) string {
		if id == "terminal.quit" {
			return "/quit"
		}
		return "<" + id + ">"
	}}
}
