package content

import (
	"strings"
)

// frontMatter reads the YAML between the first two lines of three dashes into
// head, and returns what follows with the number of lines before it.
func (l *loader) frontMatter(file, text string, head any) (body string, after int, ok bool) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	rest, opened := strings.CutPrefix(text, "---\n")
	front, body, closed := strings.Cut(rest, "\n---\n")
	if !opened || !closed {
		l.broken[file] = true
		l.fault(file, 1, "begins without front matter between two lines of three dashes, ---, and nothing after the dashes")
		return "", 0, false
	}
	return body, strings.Count(front, "\n") + 3, l.decode(file, 1, []byte(front), head)
}

// lessonText reads one language of a lesson: front matter, then messages between lines of three dashes.
func (l *loader) lessonText(lesson *Lesson, lang Lang, file, text string) {
	var head struct {
		Point string   `yaml:"point"`
		Terms []string `yaml:"terms"`
	}
	body, after, ok := l.frontMatter(file, text, &head)
	if !ok {
		return
	}
	lesson.Point.set(lang, head.Point)
	if lang == FR {
		lesson.Terms = head.Terms
	} else {
		lesson.termsEN = head.Terms
	}
	l.french(file, 2, lang, head.Point)
	s := &scanner{loader: l, file: file, line: after}
	var words strings.Builder // what is French in it: all but the commands
	for line := range strings.Lines(body) {
		s.line++
		before := s.fence
		s.take(strings.TrimRight(line, "\n"))
		if strings.HasPrefix(line, fenceMark) && (before.says() || s.fence.says()) {
			line = "\n" // what stands between is to be read, not code
		}
		words.WriteString(wordsOf(line))
	}
	l.french(file, after+1, lang, words.String())
	s.endMessage()
	lesson.messages[lang] = s.messages
	if len(s.messages) == 0 {
		l.fault(file, after, "has no message")
	}
}

// wordsOf is a line without its command and without what a command answers.
func wordsOf(line string) string {
	switch {
	case strings.HasPrefix(line, "expect:"), strings.HasPrefix(line, "try: /"):
		return "\n"
	case strings.HasPrefix(line, "try:"):
		label, _, _ := strings.Cut(line[len("try:"):], "|")
		return strings.TrimSpace(label) + "\n"
	}
	return line
}

// scanner makes messages of a lesson's lines.
type scanner struct {
	*loader
	file string
	line int

	messages []Message
	message  Message
	prose    []string // lines of the paragraph or list being read
	quote    []string // of the quote being read
	fence    *fence   // nil: not in a fenced block
}

type fence struct {
	info string
	line int
	text []string
}

// says says whether words stand in the block: a picture's, for whoever does not see it.
func (f *fence) says() bool {
	return f != nil && (f.info == "picture" || strings.HasPrefix(f.info, "picture "))
}

const fenceMark = "```"

func (s *scanner) take(line string) {
	if s.message.Line == 0 {
		s.message.Line = s.line
	}
	switch {
	case s.fence != nil && line == fenceMark:
		s.endFence()
	case s.fence != nil:
		s.fence.text = append(s.fence.text, line)
	case strings.HasPrefix(line, fenceMark):
		s.endBlock()
		s.fence = &fence{info: strings.TrimSpace(line[len(fenceMark):]), line: s.line}
	case strings.TrimRight(line, " \t") == "---":
		s.endMessage()
	case len(line) > len("---") && strings.Trim(line, "-") == "":
		s.fault(s.file, s.line, "messages are separated by three dashes, not %d", len(line))
	case strings.HasPrefix(line, "## ") && s.message.Title == "" && len(s.message.Parts)+len(s.prose) == 0:
		s.message.Title = strings.TrimSpace(line[3:])
	case strings.HasPrefix(line, "#"):
		s.fault(s.file, s.line, "a title is one line beginning with ##, and comes first in its message")
	case strings.HasPrefix(line, "try:"):
		s.endBlock()
		s.try(strings.TrimSpace(line[len("try:"):]))
	case strings.HasPrefix(line, "expect:"):
		s.expect(strings.TrimSpace(line[len("expect:"):]))
	case strings.HasPrefix(line, ">"):
		s.endProse()
		s.quote = append(s.quote, strings.TrimPrefix(strings.TrimPrefix(line, ">"), " "))
	default:
		s.endQuote()
		s.prose = append(s.prose, line)
	}
}

// try reads `Label | /command` or `/command`.
func (s *scanner) try(text string) {
	var t Try
	if label, line, ok := strings.Cut(text, "|"); ok && !strings.HasPrefix(text, "/") {
		t.Label, text = strings.TrimSpace(label), strings.TrimSpace(line)
	}
	if !strings.HasPrefix(text, "/") {
		s.fault(s.file, s.line, "try: is followed by a command that begins with /, after a label and | if it has one")
		return
	}
	t.Line, t.line = text, s.line
	s.message.Tries = append(s.message.Tries, t)
}

func (s *scanner) expect(text string) {
	s.endBlock()
	if len(s.message.Tries) == 0 {
		s.fault(s.file, s.line, "expect: follows a try: of the same message")
		return
	}
	last := &s.message.Tries[len(s.message.Tries)-1]
	last.Expect = append(last.Expect, text)
}

func (s *scanner) endFence() {
	f := s.fence
	s.fence = nil
	kind, rest, _ := strings.Cut(f.info, " ")
	rest = strings.TrimSpace(rest)
	switch kind {
	case "diagram":
		name, lens, _ := strings.Cut(rest, " ")
		if lens == "" {
			lens = Technique
		}
		s.message.Parts = append(s.message.Parts, Figure{Diagram: name, Lens: lens})
	case "picture":
		s.message.Parts = append(s.message.Parts, Image{Picture: rest, Alt: strings.Join(strings.Fields(strings.Join(f.text, " ")), " "), line: f.line})
	case "try":
		text := strings.Join(f.text, "\n")
		if !strings.HasPrefix(text, "/") {
			s.fault(s.file, f.line, "a fenced try begins with a command on its first line")
			return
		}
		s.message.Tries = append(s.message.Tries, Try{Label: rest, Line: text, line: f.line})
		if _, manifest, ok := strings.Cut(text, "\n"); ok {
			s.message.Parts = append(s.message.Parts, Code{Language: "yaml", Text: manifest})
		}
	default:
		if strings.Contains(f.info, " ") {
			s.fault(s.file, f.line, "a block is a diagram, a try or a listing in a language: %q is none", f.info)
		}
		s.message.Parts = append(s.message.Parts, Code{Language: f.info, Text: strings.Join(f.text, "\n")})
	}
}

func (s *scanner) endProse() {
	if text := strings.TrimSpace(strings.Join(s.prose, "\n")); text != "" {
		s.message.Parts = append(s.message.Parts, Prose{Markdown: text})
	}
	s.prose = nil
}

func (s *scanner) endQuote() {
	if text := strings.TrimSpace(strings.Join(s.quote, "\n")); text != "" {
		s.message.Parts = append(s.message.Parts, Quote{Markdown: text})
	}
	s.quote = nil
}

func (s *scanner) endBlock() {
	s.endProse()
	s.endQuote()
}

func (s *scanner) endMessage() {
	if s.fence != nil {
		s.fault(s.file, s.fence.line, "a fenced block is not closed")
		s.fence = nil
	}
	s.endBlock()
	if m := s.message; m.Title != "" || len(m.Parts) > 0 || len(m.Tries) > 0 {
		s.messages = append(s.messages, m)
	}
	s.message = Message{}
}
