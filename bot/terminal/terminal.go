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

// chosen is the line of the button that a line names by its number or its label; the line
// itself where it names none. The tutor would find those of its own answers; its greeting is
// none, and the line is what the person learns to type.
func chosen(line string, offered []bot.Button) string {
	typed := strings.TrimSpace(line)
	if n, err := strconv.Atoi(typed); err == nil && n >= 1 && n <= len(offered) {
		return offered[n-1].Line
	}
	for _, b := range offered {
		if label(typed) != "" && label(typed) == label(b.Label) {
			return b.Line
		}
	}
	return line
}

// label is a button's label as it is compared: its letters and digits.
func label(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}
