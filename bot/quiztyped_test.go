package bot

import (
	"strings"
	"testing"
	"time"
)

// reviewStage is one person alone, who reviews the few questions of testdata/quiz.
func reviewStage(t *testing.T) *stage {
	s := newStage(t, "fr")
	s.course = smallCourse(t)
	s.tutor = s.newTutor()
	return s
}

// A line that is no answer to the question that waits says why, and keeps the question.
func TestLineThatIsNoAnswer(t *testing.T) {
	s := reviewStage(t)
	s.ask("/quiz révision nouvelles") // true or false
	for _, line := range []string{"banane", "", "🍌", "/quiz réponse r1 Z", strings.Repeat("vrai, je crois ", 40)} {
		text := plainText(s.ask(line))
		if line != "" && (!strings.Contains(text, "Sans plan de contrôle") || !strings.Contains(text, "[Vrai → /quiz réponse r1 A]")) {
			t.Errorf("%q loses the question:\n%s", line, text)
		}
	}
	s.now = s.now.Add(20 * time.Minute)
	if text := plainText(s.ask("bonjour")); !strings.Contains(text, "Je réponds aux commandes") {
		t.Errorf("later, a greeting is none:\n%s", text)
	}
	if text := plainText(s.ask("/quiz révision")); !strings.Contains(text, "Sans plan de contrôle") {
		t.Errorf("it waits no more:\n%s", text)
	}
	s.ask("Faux")
	for _, line := range []string{"suite", "/quiz suivante", "/quiz question r2"} {
		if text := plainText(s.ask(line)); !strings.Contains(text, "/quiz réponse r2") {
			t.Errorf("%q does not lead to the next question:\n%s", line, text)
		}
	}
}

// Whoever does not know says so: it counts as forgotten, and nothing wrong is held against them.
func TestReviewNotKnown(t *testing.T) {
	s := reviewStage(t)
	if text := plainText(s.ask("/quiz révision nouvelles")); !strings.Contains(text, "[Je ne sais pas → /quiz réponse r1 ?]") {
		t.Fatalf("not offered:\n%s", text)
	}
	text := plainText(s.ask("Je ne sais pas"))
	for _, want := range []string{"La bonne réponse", "dans 1~min", "[Question suivante → "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q:\n%s", want, text)
		}
	}
	for _, not := range []string{"Votre réponse", "L'idée fausse", "Pas tout à fait"} {
		if strings.Contains(text, not) {
			t.Errorf("%q:\n%s", not, text)
		}
	}
}

// A review keeps to the lesson or the section that is named, and says what it does not know.
func TestReviewOfModule(t *testing.T) {
	s := reviewStage(t)
	if r := s.ask("/quiz révision nouvelles 5"); !strings.Contains(plainText(r), "leçon 5.2") {
		t.Fatalf("not of section 5:\n%s", plainText(r))
	}
	text := plainText(s.ask("/quiz révision modules=3.2 nouvelles"))
	if !strings.Contains(text, "leçon 3.2") {
		t.Errorf("not of lesson 3.2:\n%s", text)
	}
	s.ask("/quiz réponse r2 ?")
	s.now = s.now.Add(time.Hour)
	if text := plainText(s.ask("/quiz révision 5.2")); !strings.Contains(text, "rien à revoir") || !strings.Contains(text, "/quiz révision nouvelles 5.2]") {
		t.Errorf("what is due is of another lesson:\n%s", text)
	}
	for _, word := range []string{"banane", "99", "modules=", "4 5"} {
		if r := s.ask("/quiz révision " + word); !r.Failed || !strings.Contains(plainText(r), "Je ne comprends pas") {
			t.Errorf("%q is passed over:\n%s", word, plainText(r))
		}
	}
}

// A question of an exam may be left for later; what is typed answers the question that is shown.
func TestExamQuestionLeftForLater(t *testing.T) {
	s := quizStage(t)
	s.ask("/quiz examen nombre=3 temps=10m modules=2,5")
	s.person = "ana"
	first := plainText(s.ask("/quiz suivante"))
	line := answeringIn(t, first)
	second := plainText(s.ask("Laisser pour plus tard"))
	if answeringIn(t, second) == line || !strings.Contains(second, "question 2 sur 3") {
		t.Fatalf("not left:\n%s", second)
	}
	third := plainText(s.ask("A"))
	if !strings.Contains(third, "Noté") || !strings.Contains(third, "question 3 sur 3") {
		t.Fatalf("after the second comes the third:\n%s", third)
	}
	answer := "A"
	if !strings.Contains(third, "[A → ") { // a number
		answer = "2"
	}
	again := plainText(s.ask(answeringIn(t, third) + answer))
	if answeringIn(t, again) != line || strings.Contains(again, "Laisser pour plus tard") {
		t.Errorf("what was left does not come back:\n%s", again)
	}
}
