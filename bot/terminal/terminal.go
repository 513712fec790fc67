// Package terminal is the tutor in a terminal: a chat with line editing, history
// and completion where there is a person (Chat), the same without any command to
// the terminal where it takes none (Lines), and a plain runner where there is a
// script (Script): one line in, an answer out. It renders the tutor's neutral
// replies; what they say, and everything that is done, is the tutor's.
package terminal

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode"

	"timonier/bot"
)

// Tutor is what answers: bot.Tutor.
type Tutor interface {
	Handle(ctx context.Context, r bot.Request, emit func(bot.Reply)) error
	Complete(ctx context.Context, r bot.Request, line string, cursor int) []string
	Welcome(ctx context.Context, r bot.Request) bot.Reply
}

// Session is one person's conversation with the tutor on this machine. Words says
// a sentence of the tutor's locales by its ID.
type Session struct {
	Tutor  Tutor
	Who    bot.Person
	Locale string // fr, en, or empty where the tutor's own default holds
	Run    string // tells this run of the program from others: a part of the requests' IDs
	Words  func(id string) string
	Voice  Voice // nil: nothing is said that nobody asked for

	count atomic.Int64
}

// endOfText is the line that ends a longer text.
const endOfText = "."

// request is what the person typed, as the tutor takes it.
func (s *Session) request(line string) bot.Request {
	return bot.Request{
		ID:       fmt.Sprintf("%s-%d", s.Run, s.count.Add(1)),
		Platform: platform, Tenant: "local", Channel: "terminal",
		Who: s.Who, Locale: s.Locale, Line: line, Teacher: true, Direct: true, Alone: true,
	}
}

// leaving are the lines that end a conversation, in any language and as other programs have
// them; only the terminal has an end.
var leaving = []string{"/quitter", "/quit", "/exit", "/sortir", "/q", "quitter", "quit", "exit"}

// quits says whether a line leaves the conversation.
func quits(line string) bool {
	line = strings.ToLower(strings.TrimSpace(line))
	for _, l := range leaving {
		if line == l {
			return true
		}
	}
	return false
}

// chosen is the line that a line names by the number or the label of a button, by the letters of
// a menu's choices, or as the answer to a prompt for one line; the line itself where it names none.
// Where it names the button of a longer prompt, that opens. The tutor would find those of its own answers; its greeting is
// none, nor is what it says unasked, and the line is what the person learns to type.
func chosen(line string, offered bot.Reply) (does string, opens *bot.Prompt) {
	typed := strings.TrimSpace(line)
	buttons, p := offered.Buttons, offered.Prompt
	longer := p != nil && !p.Short && p.Button != ""
	if longer {
		buttons = append(buttons[:len(buttons):len(buttons)], bot.Button{Label: p.Button, Line: p.Line})
	}
	for i, b := range buttons {
		if n, err := strconv.Atoi(typed); err == nil && n == i+1 || label(typed) != "" && label(typed) == label(b.Label) {
			if longer && i == len(buttons)-1 {
				return "", p
			}
			return b.Line, nil
		}
	}
	if offered.Menu != nil {
		if does, ok := offered.Menu.Typed(typed); ok {
			return does, nil
		}
	}
	if p != nil && p.Short && typed != "" && !strings.HasPrefix(typed, "/") && !strings.Contains(typed, "\n") {
		return p.Line + "\n" + typed, nil
	}
	return line, nil
}

// asks says that a reply waits for a longer text, which is typed next.
func asks(r bot.Reply) bool { return r.Prompt != nil && !r.Prompt.Short && r.Prompt.Button == "" }

// offers says that a reply has something that can be named.
func offers(r bot.Reply) bool { return len(r.Buttons) > 0 || r.Menu != nil || r.Prompt != nil }

// label is a button's label as it is compared: its letters and digits.
func label(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}
