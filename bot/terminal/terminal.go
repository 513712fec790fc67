// Package terminal is the tutor in a terminal: a chat with line editing, history
// and completion where there is a person (Chat), and a plain runner where there
// is a script (Script): one line in, an answer out. It renders the tutor's neutral
// replies; what they say, and everything that is done, is the tutor's.
package terminal

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

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

	count atomic.Int64
}

// endOfText is the line that ends a longer text.
const endOfText = "."

// request is what the person typed, as the tutor takes it.
func (s *Session) request(line string) bot.Request {
	return bot.Request{
		ID:       fmt.Sprintf("%s-%d", s.Run, s.count.Add(1)),
		Platform: "terminal", Tenant: "local", Channel: "terminal",
		Who: s.Who, Locale: s.Locale, Line: line, Teacher: true, Direct: true,
	}
}

// quits says whether a line leaves the conversation.
func quits(line string) bool {
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "/quitter", "/quit", "/exit", "/sortir":
		return true
	}
	return false
}
