package slack

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"timonier/bot/slack/slacktest"
	"timonier/content"
)

// said is what is said unasked by now: the last message of the channel that says a text.
func (b *bench) said(text string) slacktest.Message {
	b.t.Helper()
	if _, err := b.tutor.SpeakNow(b.ctx, platform, b.app); err != nil {
		b.t.Fatal(err)
	}
	for _, m := range slices.Backward(b.slack.Messages("C1")) {
		if !m.Deleted && m.For == "" && strings.Contains(m.Words(), text) {
			return m
		}
	}
	b.t.Fatalf("nothing says %q", text)
	return slacktest.Message{}
}

// TestAClassRaces: ten play a race to its end: each answers privately, once and for all, the answers are
// shown in the question's stead, and the scoreboard names nobody.
func TestAClassRaces(t *testing.T) {
	b := open(t, withTeacher, func(_ *Config, s *slacktest.Config) {
		for n := range 10 {
			s.Users = append(s.Users, slacktest.User{ID: fmt.Sprint("UCLASS", n), Name: fmt.Sprint("zoe", n), Locale: "fr-FR"})
		}
	})
	b.tutor.Teach(content.Default().Asking(func(i *content.Item) bool { return i.Kind == content.One }))
	if _, err := b.tutor.SpeakNow(b.ctx, platform, b.app); err != nil {
		t.Fatal(err)
	}
	lobby := b.says(b.send(inClass("UPROF", "/quiz course nombre=2 temps=10m changement=non")), "Pour jouer").Message
	b.says(b.press("U1", lobby, "Commencer maintenant"), b.sentence("quiz.notyours", nil))
	panel := b.says(b.press("UPROF", lobby, "Commencer maintenant"), "ouverte").Message
	for number := 1; number <= 2; number++ {
		question := b.said(fmt.Sprintf("question %d sur 2", number))
		for n := range 10 {
			receipt := b.says(b.press(fmt.Sprint("UCLASS", n), question, "ABC"[n%3:][:1]), "Noté").Message
			if receipt.For != fmt.Sprint("UCLASS", n) || strings.ContainsAny(receipt.Words(), "✓✗") {
				t.Errorf("a receipt tells more, or others: %q for %q", receipt.Words(), receipt.For)
			}
		}
		b.says(b.press("UCLASS0", question, "B"), "déjà répondu")
		panel = b.says(b.press("UPROF", panel, "Révéler"), "les réponses sont affichées").Message
		revealed := b.said(fmt.Sprintf("question %d sur 2", number))
		if revealed.TS != question.TS || !tellsRight(revealed.Words()) {
			t.Errorf("the answers are not shown in the question's stead: %q", revealed.Words())
		}
		label, then := "Question suivante", "ouverte"
		if number == 2 {
			label, then = "Montrer le classement", "C'est terminé"
		}
		panel = b.says(b.press("UPROF", panel, label), then).Message
	}
	board := b.said("Classement")
	if words := board.Words(); !strings.Contains(words, "Élève 1") || !strings.Contains(words, "10 personnes ont répondu") || strings.Contains(words, "UCLASS") || strings.Contains(words, "zoe") {
		t.Errorf("the scoreboard: %q", words)
	}
	if mine := b.says(b.press("UCLASS3", board, "Mes résultats"), "Place ").Message; mine.For != "UCLASS3" {
		t.Errorf("for %q", mine.For)
	}
	b.files()
}

// tellsRight says that a message tells the right answer, or the right ones.
func tellsRight(text string) bool {
	return strings.Contains(text, "La bonne réponse") || strings.Contains(text, "Les bonnes réponses") || strings.Contains(text, "réponse acceptée")
}
