package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// someone is a made-up person, known to both platforms.
type someone struct {
	name, discord, slack string // the IDs there
	teacher              bool
}

// scene is who acts, in which language, and where: in the class's channel, or alone with the bot.
type scene struct {
	who    someone
	locale string
	alone  bool
	known  []someone
}

func newScene() scene {
	known := []someone{{"ana", "3000000000000000001", "U1", false}, {"prof", "3000000000000000009", "UADMIN", true}}
	return scene{who: known[0], locale: "fr", known: known}
}

// locales are Discord's, with what Slack calls them.
var locales = map[string]string{"fr": "fr-FR", "en-US": "en-US", "en-GB": "en-GB", "de": "de-DE"}

// change does a line about the scene, and tells what it is now; of another line it tells nothing.
func (s *scene) change(word, rest string) (string, error) {
	hint := ""
	switch word {
	case "as":
		if n := utf8.RuneCountInString(rest); n == 0 || n > 32 {
			return "", errors.New("as teacher, or as NAME")
		}
		if rest == "teacher" {
			rest = "prof"
		}
		var known bool
		if s.who, known = s.person(rest); !known {
			n := 100 + len(s.known)
			s.who = someone{rest, fmt.Sprintf("3000000000000000%03d", n), fmt.Sprintf("U%d", n), false}
			s.known = append(s.known, s.who)
		}
	case "locale":
		if locales[rest] == "" {
			return "", errors.New("locale fr, en-US, en-GB or de")
		}
		s.locale, hint = rest, " (in Slack, a bot asks for a person's language once an hour)"
	case "dm", "channel":
		s.alone = word == "dm"
	default:
		return "", nil
	}
	return s.String() + hint, nil
}

// person finds one by name, whatever the case.
func (s *scene) person(name string) (someone, bool) {
	for _, p := range s.known {
		if strings.EqualFold(p.name, name) {
			return p, true
		}
	}
	return s.who, false
}

func (s *scene) String() string {
	role, place := "a student", "in the class's channel"
	if s.who.teacher {
		role = "the teacher"
	}
	if s.alone {
		place = "alone with the bot"
	}
	return fmt.Sprintf("%s, %s, %s, in %s", s.who.name, role, place, s.locale)
}

// spot is where a message of this scene is seen: by one person alone, or by the class.
func (s *scene) spot(private bool) string {
	switch {
	case s.alone:
		return "alone " + s.who.name
	case private:
		return "channel " + s.who.name
	}
	return "channel"
}

// message is what the bot shows, or a form that it opens.
type message struct {
	platform, channel, id string
	spot                  string
	kind, words           string
	buttons, files        []string
}

// screen shows messages, each state once: several answers may tell of one change.
type screen struct {
	mu       sync.Mutex
	out      io.Writer
	shown    map[string]string // by platform, channel and ID: the text
	pressed  string            // the same of the message pressed last: its next state may be the answer, even if it is the same again
	buttons  []message         // those that came with buttons, the last that came last
	answered chan struct{}     // something has come that is no later change of an earlier answer
	printed  chan struct{}     // something has come
	dir      string            // where the files that are sent are put, each in a directory by its ID; "": they are only named
}

// file saves one that is sent, for the person to use, and is how it is shown: kubeconfig.yaml → /tmp/rehearse-1/F1/kubeconfig.yaml.
func (s *screen) file(id, name, alt string, data []byte) string {
	shown := strings.TrimSpace(name + " " + alt)
	if s.dir == "" || len(data) == 0 {
		return shown
	}
	path := filepath.Join(s.dir, filepath.Base(id), filepath.Base(name))
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		return shown + " (not saved: " + err.Error() + ")"
	}
	return shown + " → " + path
}

func newScreen(out io.Writer) *screen {
	return &screen{out: out, shown: map[string]string{}, answered: make(chan struct{}, 1), printed: make(chan struct{}, 1)}
}

func (s *screen) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.out, line)
}

func (m message) key() string { return m.platform + " " + m.channel + " " + m.id }

func (m message) text() string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(m.words))
	for i, label := range m.buttons {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "[%d %s] ", i+1, label)
	}
	for _, name := range m.files {
		fmt.Fprintf(&b, "\n+ %s", strings.TrimSpace(name))
	}
	return b.String()
}

// show prints a message, or what has become of it.
func (s *screen) show(m message) {
	if m.id == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, text := m.key(), m.text()
	old, known := s.shown[key]
	pressed := s.pressed == key
	if known && old == text && !pressed {
		return
	}
	s.shown[key] = text
	if known && !pressed {
		fmt.Fprintf(s.out, "--- %s (updated)\n%s\n", m.platform, news(old, text))
		ring(s.printed)
		return
	}
	if known {
		m.kind = "updated"
	}
	s.buttons = slices.DeleteFunc(s.buttons, func(b message) bool { return b.key() == key })
	if len(m.buttons) > 0 {
		s.buttons = append(s.buttons, m)
	}
	fmt.Fprintf(s.out, "--- %s (%s)\n%s\n", m.platform, m.kind, text)
	s.pressed = ""
	ring(s.printed)
	ring(s.answered)
}

// unasked prints a message that nobody asked for, if it is not shown as it is already.
func (s *screen) unasked(m message) {
	s.mu.Lock()
	old, known := s.shown[m.key()]
	s.mu.Unlock()
	if !known || old != m.text() {
		s.show(m)
	}
}

// news is what a later state has that the earlier one had not, after its first line, which says
// what it is about; all of it where nothing was added.
func news(old, text string) string {
	had := strings.Split(old, "\n")
	lines := strings.Split(text, "\n")
	added := slices.DeleteFunc(slices.Clone(lines[1:]), func(line string) bool { return slices.Contains(had, line) })
	if len(added) == 0 {
		return text
	}
	return strings.Join(append(lines[:1], added...), "\n")
}

// press is the last message with buttons that the person sees on the platform.
func (s *screen) press(platform string, sc scene) message {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range slices.Backward(s.buttons) {
		if m.platform == platform && (m.spot == sc.spot(true) || m.spot == sc.spot(false)) {
			s.pressed = m.key()
			return m
		}
	}
	return message{}
}

// forget is before a new line: what has come until now does not answer it.
func (s *screen) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pressed = ""
	select {
	case <-s.answered:
	default:
	}
}

// settle waits until nothing has come for as long as quiet.
func (s *screen) settle(ctx context.Context, quiet time.Duration) {
	for {
		select {
		case <-s.printed:
		case <-time.After(quiet):
			return
		case <-ctx.Done():
			return
		}
	}
}

func ring(bell chan<- struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
