package slack

import (
	"fmt"
	"strings"
	"sync/atomic"
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
	b := school(t, oneOfEach(), slowly)
	b.says(b.send(inClass("U1", "/quiz examen")), "réservé")
	hall := b.says(b.send(inClass("UPROF", "/quiz examen nombre=8 temps=30m")), "Examen").Message
	if hall.For != "" {
		t.Errorf("the exam is announced to %q", hall.For)
	}
	for user, questions := range map[string]int{"U1": 8, "U2": 3} {
		page := b.says(b.press(user, hall, "Passer l'examen"), "question 1 sur 8").Message
		for range questions {
			b.slack.Advance(10 * time.Second) // a channel takes one message a second
			page = b.gives(user, page)
			if strings.ContainsAny(page.Words(), "✓✗◐") || tellsRight(page.Words()) {
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
		if m.TS == first.TS && (!tellsRight(m.Words()) || !strings.Contains(string(m.Blocks), "slack_file")) {
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

// TestAHostedQuiz: who teaches paces a question of each kind; two learners answer each by its own means and are
// told no more than that it is noted; nobody else moves it; the end has a scoreboard, and no button of a question.
func TestAHostedQuiz(t *testing.T) {
	b := school(t, oneOfEach(), slowly)
	panel := b.says(b.send(inClass("UPROF", "/quiz animée nombre=8")), b.sentence("quiz.panel.lobby", nil)).Message
	if panel.For != "UPROF" {
		t.Errorf("the teacher's panel is for %q", panel.For)
	}
	b.said(b.sentence("quiz.hosted.title", nil))
	for _, line := range []string{"suivante", "révèle", "fin"} {
		if m := b.says(b.send(inClass("U1", "/quiz "+line)), b.sentence("quiz.notyours", nil)).Message; m.For != "U1" {
			t.Errorf("all see %q", m.Words())
		}
	}
	first := b.button(panel, "Première question") // as one who has another's button would press it
	b.says(b.send(slacktest.Action{User: "U2", Channel: "C1", Message: panel.TS, ActionID: first.ActionID, BlockID: first.BlockID, Value: first.Value, Forged: true}),
		b.sentence("quiz.notyours", nil))
	panel = b.says(b.press("UPROF", panel, "Première question"), "1 sur 8").Message
	var stale slacktest.Button
	for number := 1; number <= 8; number++ {
		asked := b.said(fmt.Sprintf("question %d sur 8", number))
		if all := answering(asked); len(all) > 0 && all[0].Label == "A" { // neither a menu nor a form
			stale = all[0]
		}
		for _, user := range []string{"U1", "U2"} {
			b.slack.Advance(15 * time.Second) // a channel takes one message a second
			if receipt := b.gives(user, asked); !strings.Contains(receipt.Words(), "Noté") || strings.ContainsAny(receipt.Words(), "✓✗◐") {
				t.Errorf("a receipt: %q", receipt.Words())
			}
		}
		panel = b.says(b.press("UPROF", panel, "Révéler"), "les réponses sont affichées").Message
		revealed := b.said(fmt.Sprintf("question %d sur 8", number))
		if revealed.TS != asked.TS || !tellsRight(revealed.Words()) || len(answering(revealed)) > 0 {
			t.Errorf("the answers: %q, %+v", revealed.Words(), answering(revealed))
		}
		label, then := "Question suivante", "ouverte"
		if number == 8 {
			label, then = "Montrer le classement", "C'est terminé"
		}
		panel = b.says(b.press("UPROF", panel, label), then).Message
	}
	b.slack.Advance(15 * time.Second)
	board := b.said("Classement")
	if words := board.Words(); !strings.Contains(words, "2 personnes ont répondu") || strings.Contains(words, "ana") {
		t.Errorf("the scoreboard: %q", words)
	}
	b.says(b.press("U1", board, "Mes résultats"), "Place ")
	b.says(b.press("U3", board, "Mes résultats"), b.sentence("quiz.board.notthere", nil))
	if stale.Value == "" {
		t.Fatal("no button answered")
	}
	b.says(b.send(slacktest.Action{User: "U2", Channel: "C1", Message: board.TS, ActionID: stale.ActionID, BlockID: stale.BlockID, Value: stale.Value, Forged: true}),
		b.sentence("quiz.over", nil))
	b.idle()
}

// slowly is a clock that goes on less than withTeacher's: what a test does takes less than a second.
func slowly(_ *Config, s *slacktest.Config) {
	var looks atomic.Int64
	s.Now = func() time.Time { return monday.Add(time.Duration(looks.Add(1)) * 5 * time.Millisecond) }
}

// TestAnswersOutOfTime: an answer a little late, one too late, one to a question that is past, one to a message that
// is gone, one after the end.
func TestAnswersOutOfTime(t *testing.T) {
	b := school(t, onlyOne(), slowly)
	b.says(b.send(inClass("UPROF", "/quiz course nombre=3 temps=30s retard=10s accueil=5s")), "Course")
	b.slack.Advance(6 * time.Second)
	first := b.said("question 1 sur 3")
	stale := answering(first)[0]
	click := func(user string, m slacktest.Message) *slacktest.Exchange { // a button that the message may have lost
		return b.send(slacktest.Action{User: user, Channel: "C1", Message: m.TS, ActionID: stale.ActionID, BlockID: stale.BlockID, Value: stale.Value, Forged: true})
	}
	b.says(b.press("U1", first, "A"), "Noté")
	b.slack.Advance(31 * time.Second)
	b.says(b.press("U2", first, "B"), "Un peu tard")
	b.slack.Advance(10 * time.Second)
	if revealed := b.said("La bonne réponse"); revealed.TS != first.TS || len(answering(revealed)) > 0 {
		t.Errorf("revealed: %q", revealed.Words())
	}
	if m := b.says(click("U3", first), b.sentence("quiz.closed", nil)).Message; m.For != "U3" {
		t.Errorf("all see %q", m.Words())
	}
	b.slack.Advance(time.Minute)
	second := b.said("question 2 sur 3")
	b.says(click("U3", first), "Cette question est passée")
	b.says(b.press("U1", second, "A"), "Noté")
	b.slack.DeleteMessage("C1", second.TS)
	b.slack.Advance(40 * time.Second)
	if again := b.said("La bonne réponse"); again.TS == second.TS {
		t.Error("it is shown in a message that is gone")
	}
	b.says(b.send(inClass("UPROF", "/quiz fin")), b.sentence("quiz.panel.over", nil))
	b.said("Classement")
	b.says(click("U1", first), b.sentence("quiz.over", nil))
	b.idle()
}
