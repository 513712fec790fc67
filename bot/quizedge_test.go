package bot

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"timonier/bot/quiz"
)

// quizStage is a class that is taught the few questions of testdata/quiz; prof types.
func quizStage(t *testing.T) *stage {
	s := newStage(t, "fr")
	s.course = smallCourse(t)
	s.tutor = s.newTutor()
	s.shared, s.leads, s.person = true, true, "prof"
	s.listen()
	return s
}

// later is what is said unasked in the meantime.
func (s *stage) later(d time.Duration) string {
	s.t.Helper()
	var all []string
	for end := s.now.Add(d); s.now.Before(end); {
		s.now = s.now.Add(time.Second)
		if text, _ := s.listen(); text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, "\n\n")
}

// answering is the line, without an answer, that answers what was asked in a text.
func answeringIn(t *testing.T, text string) string {
	t.Helper()
	_, line, ok := strings.Cut(text, "→ /quiz réponse ")
	if !ok {
		t.Fatalf("nothing is asked:\n%s", text)
	}
	id, _, _ := strings.Cut(line, " ")
	return "/quiz réponse " + strings.TrimSuffix(id, "]") + " "
}

// A course that is taught in the middle of a quiz and has its questions no more does not hold it up.
func TestQuizWhoseQuestionsAreGone(t *testing.T) {
	s := quizStage(t)
	s.ask("/quiz course nombre=2 modules=2.1 temps=20s")
	line := answeringIn(t, s.later(20*time.Second))
	s.ask(line + "A")
	none, err := courseAsking("testdata/quiz/none")
	if err != nil {
		t.Fatal(err)
	}
	s.tutor.Teach(none)
	text := s.later(2 * time.Minute)
	if !strings.Contains(text, "n'est plus dans le cours") || !strings.Contains(text, "# Classement") {
		t.Errorf("the quiz goes on:\n%s", text)
	}
	if text := plainText(s.ask("/quiz")); strings.Contains(text, "En ce moment ici") {
		t.Errorf("it runs still:\n%s", text)
	}
}

// Whoever goes on by hand at the moment when a quiz ends by itself has it end for good.
func TestQuizThatEndsWhileItIsLed(t *testing.T) {
	s := quizStage(t)
	s.ask("/quiz course nombre=1 modules=2.1 temps=20s pause=10s")
	if text := s.later(45 * time.Second); !strings.Contains(text, "Personne") {
		t.Fatalf("not revealed:\n%s", text)
	}
	s.now = s.now.Add(time.Minute) // the alarm is due, and has not rung
	s.ask("/quiz suivante")
	s.listen()
	if err := s.tutor.Close(); err != nil {
		t.Fatal(err)
	}
	s.tutor = s.newTutor()
	if text, _ := s.listen(); text != "" {
		t.Errorf("said once more:\n%s", text)
	}
	if text := plainText(s.ask("/quiz")); strings.Contains(text, "En ce moment ici") {
		t.Errorf("it runs still:\n%s", text)
	}
}

// An answer stays readable where the question has fewer pairs by now, and so does a page that is none.
func TestResultsOfAnotherCourse(t *testing.T) {
	s := quizStage(t)
	var id string
	for id == "" {
		s.ask("/quiz animée nombre=2 modules=4.1")
		s.listen()
		s.ask("/quiz suivante")
		text, _ := s.listen()
		if id = answeringIn(t, text); !strings.Contains(text, "le département") {
			s.ask("/quiz fin")
			id = ""
		}
	}
	s.ask(id + "ABC")
	s.ask("/quiz fin")
	changed, err := courseAsking("testdata/quiz/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	item, ok := changed.Item("4.1-analogy")
	if !ok {
		t.Fatal("no question")
	}
	item.Pairs, item.Traps = item.Pairs[:2], nil
	s.tutor.Teach(changed)
	if r := s.ask("/quiz résultats"); r.Failed || !strings.Contains(plainText(r), "Vos résultats") {
		t.Errorf("results:\n%s", plainText(r))
	}
	session, _, _ := strings.Cut(strings.Fields(id)[2], ".")
	for _, page := range []int{-1, 0, 2, 1 << 62, 1<<63 - 1} {
		if r := s.ask("/quiz résultats " + session + " " + strconv.Itoa(page)); r.Failed {
			t.Errorf("page %d:\n%s", page, plainText(r))
		}
	}
}

// How long an exam had been open, or since when the question of the day had been there, says
// nothing of how well an answer was known.
func TestOnlyTimedQuestionsAreSlow(t *testing.T) {
	s := quizStage(t)
	s.ask("/quiz examen nombre=1 modules=2.1 temps=1h")
	s.later(2 * time.Minute)
	var text string
	for _, answer := range []string{"Un contrôleur", "faux"} {
		if text = plainText(s.ask("/quiz suivante")); strings.Contains(text, "réponse") {
			s.ask(answeringIn(t, text) + answer)
		}
	}
	s.ask("/quiz fin")
	s.ask("/quiz résultats")
	records, _, err := s.store.Read(context.Background(), Scope{Platform: "test", Person: "prof"}, keyCards)
	if err != nil {
		t.Fatal(err)
	}
	deck := &quiz.Deck{}
	for _, rec := range records {
		if n, err := strconv.Atoi(rec.Key[len(keyCards):]); err == nil {
			if err := deck.Load(n, rec.Value); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := (&quiz.Deck{}).Review("x", quiz.Outcome{Right: true, Credit: 1}, s.now)
	seen := 0
	for card := range deck.Cards() {
		if seen++; card.Memory.Stability != want.After.Memory.Stability {
			t.Errorf("%s is held to last %v days, want %v:\n%s", card.Item, card.Memory.Stability, want.After.Memory.Stability, text)
		}
	}
	if seen != 1 {
		t.Errorf("%d cards:\n%s", seen, text)
	}
}
