package slack

import (
	"strings"
	"testing"
	"time"

	"timonier/bot/slack/slacktest"
	"timonier/content"
)

func onlyOne() *content.Course {
	return content.Default().Asking(func(i *content.Item) bool { return i.Kind == content.One })
}

// answering are the buttons of a message that answer a question: none is left of one that is over.
func answering(m slacktest.Message) (all []slacktest.Button) {
	for _, each := range m.Buttons() {
		if strings.Contains(each.Value, "/quiz réponse") {
			all = append(all, each)
		}
	}
	return all
}

// TestAnExam: two pass it, alone; nobody is told anything before its time is up, and then all at once.
func TestAnExam(t *testing.T) {
	b := school(t, oneOfEach())
	b.says(b.send(inClass("U1", "/quiz examen")), "réservé")
	hall := b.says(b.send(inClass("UPROF", "/quiz examen nombre=8 temps=30m")), "Examen").Message
	if hall.For != "" {
		t.Errorf("the exam is announced to %q", hall.For)
	}
	for user, questions := range map[string]int{"U1": 8, "U2": 3} {
		page := b.says(b.press(user, hall, "Passer l'examen"), "question 1 sur 8").Message
		for range questions {
			page = b.gives(user, page)
			if strings.ContainsAny(page.Words(), "✓✗◐") || strings.Contains(page.Words(), "La bonne réponse") {
				t.Errorf("it tells more, before the end: %q", page.Words())
			}
		}
		if questions == 8 && !strings.Contains(page.Words(), "8 réponses") {
			t.Errorf("all is done: %q", page.Words())
		}
	}
	b.says(b.press("U2", hall, "Passer l'examen"), "question 4 sur 8") // where they were
	b.says(b.send(inClass("U1", "/quiz fin")), b.sentence("quiz.notyours", nil))
	b.slack.Advance(31 * time.Minute)
	end := b.said(b.sentence("quiz.board.exam", nil))
	if !strings.Contains(end.Words(), "2 personnes ont répondu") {
		t.Errorf("the end: %q", end.Words())
	}
	b.says(b.press("U2", hall, "Passer l'examen"), b.sentence("quiz.over", nil))
	if mine := b.says(b.press("U2", end, "Mes résultats"), b.sentence("quiz.board.minetitle", nil)).Message; mine.For != "U2" {
		t.Errorf("all see %q", mine.Words())
	}
	b.idle()
}

// TestADailyQuestion: it comes at its hour, two days in a row; who answers is told alone and at once; the answers are
// shown in the first one's message, and summed up with the next; then it ends.
func TestADailyQuestion(t *testing.T) {
	b := school(t, onlyOne())
	b.says(b.send(inClass("U1", "/quiz jour 09:00")), "réservé")
	b.says(b.send(inClass("UPROF", "/quiz jour 09:00")), "Une question par jour")
	title := b.sentence("quiz.daily.title", nil)
	b.slack.Advance(24 * time.Hour)
	first := b.said(title)
	for user, letter := range map[string]string{"U1": "A", "U2": "B"} {
		if m := b.says(b.press(user, first, letter), "Votre réponse").Message; m.For != user || !strings.ContainsAny(m.Words(), "✓✗") {
			t.Errorf("for %q: %q", m.For, m.Words())
		}
	}
	late := answering(first)[0]
	b.slack.Advance(24 * time.Hour)
	next := b.said(title)
	if next.TS == first.TS || !strings.Contains(next.Words(), "Hier") || !strings.Contains(next.Words(), "sur 2") {
		t.Errorf("the second day: %q", next.Words())
	}
	for _, m := range b.slack.Messages("C1") {
		if m.TS == first.TS && (!strings.Contains(m.Words(), "La bonne réponse") || !strings.Contains(string(m.Blocks), "slack_file")) {
			t.Errorf("the first day's answers: %q", m.Words())
		}
	}
	b.says(b.send(slacktest.Action{User: "U2", Channel: "C1", Message: first.TS, ActionID: late.ActionID, BlockID: late.BlockID, Value: late.Value, Forged: true}),
		b.sentence("quiz.over", nil))
	b.says(b.send(inClass("UPROF", "/quiz jour fin")), b.sentence("quiz.daily.ended", nil))
	b.slack.Advance(24 * time.Hour)
	if last := b.said(title); last.TS != next.TS {
		t.Errorf("there is a question still: %q", last.Words())
	}
	b.idle()
}
