package bot

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timonier/content"
)

var update = flag.Bool("update", false, "rewrite the transcripts")

// A transcript is a conversation as text: what is typed, ----, what is answered,
// an empty line that two newlines follow. Lines that begin with @ are directions:
//
//	@wait 20m        the wall clock goes on; what is due meanwhile is said
//	@listen          from now on what is said unasked is shown, after what it followed
//	@restart         the tutor ends, and another begins on the same store
//	@person NAME     who types from now on
//	@teacher NAME    the same, a person of whom the platform says that they lead
//	@shared          from now on the channel is a class's
//	@complete LINE   the completions of the line
//	@lose LESSON     the course that is taught is a new one, without the lesson
//	@small           the course that is taught has the few questions of testdata/quiz
//	@door            from now on the clusters are reached from outside
//	@outside METHOD PATH  a request from outside, with the newest kubeconfig's token; the body on the next lines
//	@full            from now on the disk is full
//	@room            there is room again
//	@refuse FAULT    a newer course is not taught, for its fault
//
// The language of its name, as course.fr.txt, is the platform's.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(data), strings.Split(filepath.Base(file), ".")[1])
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(data) {
				t.Errorf("%s differs:\n%s", file, firstDifference(got, string(data)))
			}
		})
	}
}

// stage is what a transcript plays on.
type stage struct {
	t      *testing.T
	store  *failing
	tutor  *Tutor
	now    time.Time
	locale string
	person string
	leads  bool
	shared bool
	tenant string
	asked  int

	outside  *Outside
	token    string // of the kubeconfig that was given last
	course   *content.Course
	audience *audience // of what is said unasked; nil: nobody speaks
}

func newStage(t *testing.T, locale string) *stage {
	s := &stage{t: t, store: &failing{memory: newMemory()}, now: time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC), locale: locale, person: "ana"}
	s.tutor = s.newTutor()
	return s
}

func (s *stage) newTutor() *Tutor {
	return New(Config{Outside: s.outside, Content: s.course, Store: s.store, Now: func() time.Time { return s.now }, Limits: Limits{Rates: Unlimited()}, Logger: slog.New(slog.NewTextHandler(s.t.Output(), nil))})
}

func (s *stage) request(line string) Request {
	s.asked++
	return Request{ID: fmt.Sprint("r", s.asked), Platform: "test", Tenant: s.tenant, Channel: "general", Who: Person{ID: s.person}, Locale: s.locale, Line: line, Direct: !s.shared, Alone: !s.shared, Teacher: s.leads}
}

// ask types a line and returns the final reply.
func (s *stage) ask(line string) Reply {
	s.now = s.now.Add(time.Second)
	return s.send(s.request(line))
}

func (s *stage) send(r Request) Reply {
	var last Reply
	if err := s.tutor.Handle(context.Background(), r, func(r Reply) { last = r }); err != nil {
		s.t.Fatalf("%s: %v", r.Line, err)
	}
	if !last.Final {
		s.t.Errorf("%s: the last reply is not final", r.Line)
	}
	if token := tokenIn(last); token != "" {
		s.token = token
	}
	return last
}

func play(t *testing.T, script, locale string) string {
	s := newStage(t, locale)
	var out strings.Builder
	for _, line := range commandsOf(script) {
		out.WriteString(line + "\n----\n")
		out.WriteString(strings.TrimRight(s.perform(line), "\n") + "\n\n\n")
	}
	if err := s.tutor.Close(); err != nil {
		t.Error(err)
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// commandsOf are the typed parts of a transcript.
func commandsOf(script string) []string {
	var all []string
	for part := range strings.SplitSeq(script, "\n\n\n") {
		typed, _, _ := strings.Cut(strings.TrimLeft(part, "\n")+"\n", "\n----\n")
		if typed = strings.TrimRight(typed, "\n"); typed != "" {
			all = append(all, typed)
		}
	}
	return all
}

func (s *stage) perform(line string) string {
	word, arg, _ := strings.Cut(line, " ")
	switch word {
	case "@wait":
		d, err := time.ParseDuration(arg)
		if err != nil {
			s.t.Fatal(err)
		}
		return s.wait(d)
	case "@listen":
		text, _ := s.listen()
		return text
	case "@restart":
		s.tutor.Close()
		s.tutor = s.newTutor()
		return s.heard(plainText(s.tutor.Welcome(context.Background(), s.request(""))))
	case "@person", "@teacher":
		s.person, s.leads = arg, word == "@teacher"
		return ""
	case "@shared":
		s.shared, s.tenant = true, "collège"
		return ""
	case "@small":
		s.course = smallCourse(s.t)
		s.tutor.Teach(s.course)
		return ""
	case "@door":
		s.tutor.Close()
		s.outside = &Outside{Server: "https://timonier.example:6443", Authority: []byte("certificate\n")}
		s.tutor = s.newTutor()
		return ""
	case "@outside":
		arg, body, _ := strings.Cut(arg, "\n")
		method, path, _ := strings.Cut(arg, " ")
		s.now = s.now.Add(time.Second)
		return s.visit(method, path, body)
	case "@full":
		s.store.fail = ErrFull
		return ""
	case "@room":
		s.store.fail = nil
		return ""
	case "@lose":
		s.tutor.Teach(without(s.t, arg))
		return ""
	case "@refuse":
		s.tutor.Refuse([]content.Problem{{File: "lessons/03-api-server/3.1-roles.fr.md", Line: 7, Text: arg}})
		return ""
	case "@complete":
		return strings.Join(s.tutor.Complete(context.Background(), s.request(""), arg, len(arg)), "\n")
	}
	return s.heard(plainText(s.ask(line)))
}

// wait lets the clock go on, with what is said on the way.
func (s *stage) wait(d time.Duration) string {
	until := s.now.Add(d)
	if s.audience == nil {
		s.now = until
		return ""
	}
	var parts []string
	for {
		text, next := s.listen()
		if text != "" {
			parts = append(parts, text)
		}
		if next.IsZero() || next.After(until) {
			s.now = until
			return strings.Join(parts, "\n\n")
		}
		s.now = next
	}
}

// heard is an answer, and after it what is said unasked by now.
func (s *stage) heard(answer string) string {
	if s.audience == nil {
		return answer
	}
	text, _ := s.listen()
	return strings.TrimSpace(answer + "\n\n" + text)
}

// plainText is a reply as a transcript shows it. No-break spaces show as ~ where a
// reader could not see them.
func plainText(r Reply) string {
	var parts []string
	for _, b := range r.Blocks {
		parts = append(parts, blockText(b))
	}
	if len(r.Buttons) > 0 {
		var labels []string
		for _, b := range r.Buttons {
			labels = append(labels, fmt.Sprintf("[%s → %s]", b.Label, strings.ReplaceAll(b.Line, "\n", "⏎")))
		}
		parts = append(parts, strings.Join(labels, " "))
	}
	if m := r.Menu; m != nil {
		choices := []string{fmt.Sprintf("(menu %s, %d to %d → %s …)", m.Label, m.Min, m.Max, m.Line)}
		for _, choice := range m.Choices {
			choices = append(choices, "["+choice.Value+" "+choice.Label+"]")
		}
		parts = append(parts, strings.Join(choices, " "))
	}
	for _, f := range r.Files {
		parts = append(parts, fmt.Sprintf("(file %s, %s, %d bytes)", f.Name, f.Type, len(f.Data)))
	}
	if p := r.Prompt; p != nil {
		more := ""
		if p.Short {
			more = ", one line"
		}
		if p.Button != "" {
			more += ", button " + p.Button
		}
		if p.Text != "" {
			more += ", with " + p.Text
		}
		parts = append(parts, fmt.Sprintf("(prompt %s: %s → %s%s)", p.Title, p.Label, p.Line, more))
	}
	if r.Failed {
		parts = append(parts, "(failed)")
	}
	text := strings.Join(parts, "\n\n")
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimRight(line, " "); line != "" || len(lines) > 0 && lines[len(lines)-1] != "" {
			lines = append(lines, line)
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), "\u00a0", "~")
}

func blockText(b Block) string {
	switch b := b.(type) {
	case Title:
		return "# " + b.Text
	case Text:
		return b.Markdown
	case Code:
		return "    " + strings.ReplaceAll(strings.TrimRight(b.Text, "\n"), "\n", "\n    ")
	case Quote:
		return "> " + strings.ReplaceAll(strings.TrimSpace(b.Markdown), "\n", "\n> ")
	case Table:
		rows := []string{strings.Join(b.Columns, " | ")}
		for _, r := range b.Rows {
			rows = append(rows, strings.Join(r, " | "))
		}
		return strings.Join(rows, "\n")
	case Meter:
		return fmt.Sprintf("{%d/%d %s}", b.Done, b.Total, b.Label)
	case Picture:
		return fmt.Sprintf("(picture %s: %s)\n    %s", b.Name, b.Alt, strings.ReplaceAll(strings.TrimRight(b.Text, "\n"), "\n", "\n    "))
	case Until:
		return fmt.Sprintf("(until %s %s: %s)", b.Label, b.When(), b.In)
	}
	return "***"
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		x, y := "(end)", "(end)"
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, x, y)
		}
	}
	return ""
}
