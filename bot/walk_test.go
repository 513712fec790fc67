package bot

import (
	"strings"
	"testing"

	"timonier/content"
)

// TestTheWholeCourse plays the course from start to end as one learner in one conversation,
// in each language: what is opened in order is open, what is promised is answered, every
// exercise is solved, and at the end everything is mastered.
func TestTheWholeCourse(t *testing.T) {
	for n, lang := range content.Langs() {
		if !tried(n) {
			continue
		}
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, string(lang))
			s.leads = false
			var last Reply
			for _, stop := range Walk(content.Default(), lang) {
				s.now = s.now.Add(thinking)
				last = s.ask(stop.Line)
				text := textOf(last)
				if last.Reference != "" || last.Failed && !stop.Fails {
					t.Errorf("%s:\n%s", stop.Line, text)
				}
				for _, want := range stop.Expect {
					if !strings.Contains(text, want) {
						t.Errorf("%s does not answer %q but:\n%s", stop.Line, want, text)
					}
				}
			}
			for _, b := range last.Blocks {
				if m, ok := b.(Meter); ok && m.Done != m.Total {
					t.Errorf("not all of the course is mastered: %s", m.Label)
				}
			}
			if err := s.tutor.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
