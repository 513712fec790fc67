package bot

import (
	"strings"
	"testing"
	"time"

	"timonier/content"
)

// TestLessonsKeepTheirPromises types every line that a lesson offers, the tutor's own
// included, in order and in both languages, into a new conversation a lesson, as a
// learner does who reads ten seconds between two; and compares what is answered
// with what the lesson expects.
func TestLessonsKeepTheirPromises(t *testing.T) {
	for l := range content.Default().Lessons() {
		if !l.Written() {
			continue
		}
		for _, lang := range content.Langs() {
			t.Run(l.ID+"."+string(lang), func(t *testing.T) {
				t.Parallel()
				s := newStage(t, string(lang))
				for _, m := range l.Messages(lang) {
					for _, try := range m.Tries {
						s.now = s.now.Add(10 * time.Second)
						answer := plainText(s.ask(try.Line))
						for _, want := range try.Expect {
							if !strings.Contains(answer, want) {
								t.Errorf("message %q: %s does not answer %q but:\n%s", m.Title, try.Line, want, answer)
							}
						}
					}
				}
				if err := s.tutor.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
