package bot

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"timonier/content"
	"timonier/sim"
)

// Stage is where the lines of a course are tried: a tutor of its own for one person
// alone, who thinks for a moment before each line. Its clock and its cluster are the
// same each time. It is content.Stage.
type Stage struct {
	tutor *Tutor
	asked int
	mu    sync.Mutex
	now   time.Time
}

// thinking is how long the person of a stage takes before a line.
const thinking = 10 * time.Second

// NewStage makes a stage for a course, whose cluster is new and whose etcd has so many members.
func NewStage(course *content.Course, members int) (content.Stage, error) {
	s := &Stage{now: time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC)}
	s.tutor = New(Config{Store: newMemory(), Content: course, Now: s.clock, Limits: Limits{Output: 1 << 30, Command: time.Minute, Memory: 1 << 62, Rates: Unlimited()}})
	cmd, _ := s.tutor.command("reset")
	line := fmt.Sprintf("/%s %s %s", cmd.name.fr, confirmed.fr, strconv.Itoa(members))
	answer, failed, err := s.Run(content.FR, line)
	if err != nil {
		return nil, fmt.Errorf("make stage of %d members: %w", members, err)
	}
	if failed {
		return nil, fmt.Errorf("make stage of %d members: %s", members, answer)
	}
	return s, nil
}

func (s *Stage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Run types a line, and gives what is answered as text. An error is ours.
func (s *Stage) Run(lang content.Lang, line string) (answer string, failed bool, err error) {
	s.mu.Lock()
	s.now = s.now.Add(thinking)
	s.mu.Unlock()
	s.asked++
	var last Reply
	err = s.tutor.Handle(context.Background(), s.request(lang, line), func(r Reply) { last = r })
	if err == nil && last.Reference != "" {
		err = fmt.Errorf("answer %q: failed under the reference %s", line, last.Reference)
	}
	return textOf(last), last.Failed, err
}

func (s *Stage) request(lang content.Lang, line string) Request {
	return Request{ID: strconv.Itoa(s.asked), Platform: "stage", Channel: "stage", Who: Person{ID: "stage"}, Locale: string(lang),
		Line: line, Teacher: true, Direct: true, Alone: true}
}

// Cluster is the stage's, as the last line left it.
func (s *Stage) Cluster() *sim.Cluster {
	s.tutor.mu.Lock()
	defer s.tutor.mu.Unlock()
	return s.tutor.lanes[s.request(content.FR, "").Place()].loaded.cluster
}

// textOf is a reply as text, without its buttons; what a menu offers is a part of it.
func textOf(r Reply) string {
	var parts []string
	for _, b := range r.Blocks {
		switch b := b.(type) {
		case Title:
			parts = append(parts, b.Text)
		case Text:
			parts = append(parts, b.Markdown)
		case Code:
			parts = append(parts, b.Text)
		case Quote:
			parts = append(parts, b.Markdown)
		case Table:
			parts = append(parts, strings.Join(b.Columns, " | "))
			for _, row := range b.Rows {
				parts = append(parts, strings.Join(row, " | "))
			}
		case Meter:
			parts = append(parts, b.Label)
		case Picture:
			parts = append(parts, b.Alt, b.Text)
		case Until:
			parts = append(parts, strings.TrimSpace(b.Label+" "+b.When()))
		}
	}
	if r.Menu != nil {
		for _, choice := range r.Menu.Choices {
			parts = append(parts, choice.Value+" "+choice.Label)
		}
	}
	return strings.Join(parts, "\n")
}
