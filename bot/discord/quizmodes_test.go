package discord

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"timonier/bot/discord/discordtest"
	"timonier/content"
)

// oneOfEach is the built-in course with one question of each kind.
func oneOfEach() *content.Course {
	seen := map[content.ItemKind]bool{}
	return content.Default().Asking(func(i *content.Item) bool {
		first := !seen[i.Kind]
		seen[i.Kind] = true
		return first
	})
}

// newSchool is a class that is taught a course, and in which the bot can speak.
func newSchool(t *testing.T, course *content.Course) *class {
	t.Helper()
	c := newClass(t, setting{})
	c.teach(course)
	return c
}

func (c *class) teach(course *content.Course) {
	c.t.Helper()
	c.tutor.Teach(course)
	c.listen()
}

// restarts ends the bot and starts another on the same store.
func (c *class) restarts(course *content.Course) {
	c.t.Helper()
	c.must(c.stop())
	c.start()
	c.teach(course)
}

// quiz is /quiz with what follows it.
func (c *class) quiz(who discordtest.Person, action, options string) *discordtest.Exchange {
	given := []discordtest.Option{discordtest.String("action", action)}
	if options != "" {
		given = append(given, discordtest.String("précisions", options))
	}
	return c.Interact(c.ctx, discordtest.Slash("quiz", given...).By(who))
}

// learners of a class: their numbers are their IDs.
func learner(n int) discordtest.Person {
	return discordtest.Person{ID: fmt.Sprint(4000000000000000000 + n), Name: fmt.Sprint("élève", n)}
}

// gives answers what a message asks, as a person does: some of a menu, a form, a button, or one letter after
// the other. It gives the last message.
func (c *class) gives(who discordtest.Person, asked discordtest.Message) discordtest.Message {
	c.t.Helper()
	var menu *discordtest.Component
	asked.Walk(func(e discordtest.Component) {
		if e.Type == discordtest.TypeSelect {
			menu = &e
		}
	})
	if menu != nil {
		return c.after(c.Interact(c.ctx, discordtest.Choose(asked, menu.CustomID, menu.Options[0].Value, menu.Options[1].Value).By(who)), asked)
	}
	if _, typed := asked.Button("Répondre"); typed {
		opens := c.press(who, asked, "Répondre")
		c.first(opens)
		form, ok := opens.Modal()
		if !ok {
			c.t.Fatal("no form is opened")
		}
		return c.after(c.Interact(c.ctx, discordtest.Submit(form, map[string]string{fieldText: "3"}).By(who)), asked)
	}
	m := c.after(c.Interact(c.ctx, discordtest.Click(asked, asked.Buttons()[0].CustomID).By(who)), asked)
	for {
		if _, partly := m.Button("Recommencer"); !partly {
			return m
		}
		if !m.Ephemeral() {
			c.t.Errorf("all see how far one is: %q", m.Text())
		}
		m = c.after(c.Interact(c.ctx, discordtest.Click(m, m.Buttons()[0].CustomID).By(who)), m)
	}
}

// after is the answer, which may stand in the stead of what was asked.
func (c *class) after(e *discordtest.Exchange, asked discordtest.Message) discordtest.Message {
	c.t.Helper()
	m, err := e.Until(c.ctx, func(m discordtest.Message) bool { return !m.Loading() && m.Text() != asked.Text() })
	if err != nil {
		c.t.Fatalf("no answer to %q: %v", asked.Text(), err)
	}
	return m
}

// private checks that only one person sees a message.
func (c *class) private(m discordtest.Message) discordtest.Message {
	c.t.Helper()
	if !m.Ephemeral() {
		c.t.Errorf("all see %q", m.Text())
	}
	return m
}

// TestAHostedQuiz: who teaches paces a question of each kind; three learners answer each by its own means and are
// told no more than that it is noted; nobody else moves it; the end has a scoreboard, and no button of a question.
func TestAHostedQuiz(t *testing.T) {
	t.Parallel()
	c := newSchool(t, oneOfEach())
	panel := c.private(c.answer(c.quiz(teacher(), "animée", "nombre=8"), c.tutor.Say("fr", "quiz.panel.lobby", nil)))
	c.said(c.tutor.Say("fr", "quiz.hosted.title", nil))
	for _, line := range []string{"suivante", "révèle", "fin"} {
		c.private(c.says(c.quiz(learner(1), line, ""), "quiz.notyours", nil))
	}
	panel = c.answer(c.press(teacher(), panel, "Première question"), "1 sur 8")
	var stale discordtest.Component
	for number := 1; number <= 8; number++ {
		last := c.said(fmt.Sprintf("question %d sur 8", number))
		for _, b := range last.Buttons() {
			if strings.Contains(b.CustomID, "/quiz réponse") && b.Label != "Répondre" { // that one only opens a form
				stale = b
			}
		}
		for n := range 3 {
			if receipt := c.private(c.gives(learner(n), last)); !strings.Contains(receipt.Text(), "Noté") || strings.ContainsAny(receipt.Text(), "✓✗◐") {
				t.Errorf("a receipt: %q", receipt.Text())
			}
		}
		panel = c.after(c.press(teacher(), panel, "Révéler"), panel)
		revealed := c.said(fmt.Sprintf("question %d sur 8", number))
		if revealed.ID != last.ID || !tellsRight(revealed.Text()) {
			t.Errorf("the answers: %q", revealed.Text())
		}
		for _, b := range revealed.Buttons() {
			if strings.Contains(b.CustomID, "réponse") {
				t.Errorf("it can still be answered: %+v", b)
			}
		}
		label := "Question suivante"
		if number == 8 {
			label = "Montrer le classement"
		}
		panel = c.private(c.after(c.press(teacher(), panel, label), panel))
	}
	board := c.said("Classement")
	if !strings.Contains(board.Text(), "3 personnes ont répondu") || strings.Contains(board.Text(), "élève1") {
		t.Errorf("the scoreboard: %q", board.Text())
	}
	c.private(c.answer(c.press(learner(1), board, "Mes résultats"), "Place "))
	c.private(c.answer(c.press(learner(7), board, "Mes résultats"), c.tutor.Say("fr", "quiz.board.notthere", nil)))
	c.private(c.says(c.pressCopy(learner(2), stale, general), "quiz.over", nil))
	c.calm()
}

// pressCopy presses a button as it once stood in a channel: what is pressed while the message is being changed.
func (c *class) pressCopy(who discordtest.Person, button discordtest.Component, channel string) *discordtest.Exchange {
	c.t.Helper()
	m := c.Plant(discordtest.Message{ChannelID: channel, Components: []discordtest.Component{{Type: discordtest.TypeRow, Components: []discordtest.Component{button}}}})
	return c.Interact(c.ctx, discordtest.Click(m, button.CustomID).By(who).In(discordtest.Place{Channel: channel}))
}

// TestAnExam: three pass it, each in an order of their own; one leaves, and goes on after a restart where they were;
// nobody is told anything before its time is up.
func TestAnExam(t *testing.T) {
	t.Parallel()
	course := oneOfEach()
	c := newSchool(t, course)
	c.refused(c.quiz(learner(1), "examen", ""), "réservé")
	hall := c.answer(c.quiz(teacher(), "examen", "nombre=8 temps=30m"), "Examen")
	orders := map[string]bool{}
	pass := func(n int, page discordtest.Message, questions int) discordtest.Message {
		for range questions {
			page = c.private(c.gives(learner(n), page))
			if strings.ContainsAny(page.Text(), "✓✗◐") || tellsRight(page.Text()) {
				t.Errorf("it tells more, before the end: %q", page.Text())
			}
		}
		return page
	}
	for n := 1; n <= 2; n++ {
		page := c.private(c.answer(c.press(learner(n), hall, "Passer l'examen"), "question 1 sur 8"))
		orders[page.Text()] = true
		done := pass(n, page, 8)
		if !strings.Contains(done.Text(), "8 réponses") {
			t.Errorf("all is done: %q", done.Text())
		}
	}
	page := c.private(c.answer(c.press(learner(3), hall, "Passer l'examen"), "question 1 sur 8"))
	orders[page.Text()] = true
	if len(orders) < 2 {
		t.Error("everybody has the same order")
	}
	pass(3, page, 3)
	c.restarts(course)
	page = c.private(c.answer(c.press(learner(3), hall, "Passer l'examen"), "question 4 sur 8"))
	pass(3, page, 2)
	c.private(c.says(c.quiz(learner(1), "fin", ""), "quiz.notyours", nil))
	c.Advance(31 * time.Minute)
	end := c.said(c.tutor.Say("fr", "quiz.board.exam", nil))
	if !strings.Contains(end.Text(), "3 personnes ont répondu") {
		t.Errorf("the end: %q", end.Text())
	}
	c.private(c.answer(c.press(learner(3), hall, "Passer l'examen"), c.tutor.Say("fr", "quiz.over", nil)))
	c.private(c.answer(c.press(learner(3), end, "Mes résultats"), c.tutor.Say("fr", "quiz.board.minetitle", nil)))
	c.calm()
}

// TestADailyQuestion: it comes at its hour, two days in a row; who answers is told privately at once; the answers are shown in the
// first one's message, and summed up with the next.
func TestADailyQuestion(t *testing.T) {
	t.Parallel()
	c := newSchool(t, onlyOne())
	c.refused(c.quiz(learner(1), "jour", "09:00"), "réservé")
	c.answer(c.quiz(teacher(), "jour", "09:00"), "Une question par jour")
	title := c.tutor.Say("fr", "quiz.daily.title", nil)
	c.Advance(24 * time.Hour)
	first := c.said(title)
	for n := range 3 {
		m := c.private(c.answer(c.Interact(c.ctx, discordtest.Click(first, first.Buttons()[n].CustomID).By(learner(n))), "Votre réponse"))
		if !strings.ContainsAny(m.Text(), "✓✗") {
			t.Errorf("no verdict: %q", m.Text())
		}
	}
	c.private(c.answer(c.Interact(c.ctx, discordtest.Click(first, first.Buttons()[1].CustomID).By(learner(0))), ""))
	c.Advance(24 * time.Hour)
	next := c.said(title)
	if next.ID == first.ID || !strings.Contains(next.Text(), "Hier") || !strings.Contains(next.Text(), "sur 3") {
		t.Errorf("the second day: %q", next.Text())
	}
	shown, _ := c.Find(first.ID)
	if !tellsRight(shown.Text()) {
		t.Errorf("the first day's answers: %q", shown.Text())
	}
	c.hasPicture(shown)
	c.private(c.says(c.Interact(c.ctx, discordtest.Click(first, first.Buttons()[0].CustomID).By(learner(5))), "quiz.over", nil))
	c.answer(c.quiz(teacher(), "jour", "fin"), c.tutor.Say("fr", "quiz.daily.ended", nil))
	c.Advance(24 * time.Hour)
	c.listen()
	if last := c.Sent(general); last[len(last)-1].ID != next.ID {
		t.Errorf("there is a question still: %q", last[len(last)-1].Text())
	}
	c.calm()
}

// TestAReview: a question of each kind, answered by its own means, hinted at and judged, for one person alone.
func TestAReview(t *testing.T) {
	t.Parallel()
	c := newSchool(t, oneOfEach())
	page := c.private(c.answer(c.quiz(learner(1), "révision", "nouvelles"), "Nouvelle"))
	for number := 1; number <= 8; number++ {
		if _, hinted := page.Button("Indice"); hinted {
			page = c.private(c.answer(c.press(learner(1), page, "Indice"), "Indice."))
		}
		judged := c.private(c.gives(learner(1), page))
		if !strings.ContainsAny(judged.Text(), "✓✗◐") || !strings.Contains(judged.Text(), "Je vous la redemande") {
			t.Fatalf("question %d is judged: %q", number, judged.Text())
		}
		if number < 8 {
			page = c.private(c.answer(c.press(learner(1), judged, "Question suivante"), "Nouvelle"))
		}
	}
	if public := c.Sent(general); len(public) > 0 {
		t.Errorf("all see %q", public[0].Text())
	}
	c.calm()
}

// TestAnswersOutOfTime: one change, an answer a little late, one too late, one from another channel, one to a message
// that is gone, a question of which a learner wants a hint.
func TestAnswersOutOfTime(t *testing.T) {
	t.Parallel()
	c := newSchool(t, onlyOne())
	c.answer(c.quiz(teacher(), "course", "nombre=3 temps=30s retard=5s indices=oui accueil=5s"), "Course")
	c.Advance(6 * time.Second)
	first := c.said("question 1 sur 3")
	press := func(n int, m discordtest.Message, letter string) *discordtest.Exchange {
		return c.press(learner(n), m, letter)
	}
	c.private(c.answer(press(1, first, "Indice"), "un quart de moins"))
	c.private(c.answer(press(1, first, "A"), "Vous pouvez changer une fois"))
	c.private(c.answer(press(1, first, "A"), "C'est déjà votre réponse"))
	c.private(c.answer(press(1, first, "B"), "réponse définitive"))
	c.private(c.answer(press(1, first, "C"), "Votre réponse reste"))
	b, _ := first.Button("A")
	c.private(c.says(c.pressCopy(learner(2), b, "2000000000000000099"), "quiz.elsewhere", nil))
	c.Advance(32 * time.Second)
	c.private(c.answer(press(2, first, "A"), "Un peu tard"))
	c.private(c.answer(press(2, first, "Indice"), ""))
	c.Advance(4 * time.Second)
	revealed := c.said("La bonne réponse")
	if revealed.ID != first.ID || !strings.Contains(revealed.Text(), "2 réponses") && len(revealed.Attachments) != 1 {
		t.Errorf("revealed: %q", revealed.Text())
	}
	c.private(c.says(press(3, first, "A"), "quiz.closed", nil))
	c.Advance(time.Minute)
	second := c.said("question 2 sur 3")
	c.private(c.answer(press(3, first, "A"), "Cette question est passée"))
	c.private(c.answer(press(3, second, "A"), "Noté"))
	c.DeleteMessage(second.ID)
	c.Advance(40 * time.Second)
	if again := c.said("La bonne réponse"); again.ID == second.ID {
		t.Error("it is shown in a message that is gone")
	}
	c.says(c.quiz(teacher(), "fin", ""), "quiz.panel.over", nil)
	c.said("Classement")
	c.calm()
}
