package discord

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"timonier/bot/discord/discordtest"
	"timonier/content"
)

// onlyOne is the built-in course with those of its questions that have one right answer.
func onlyOne() *content.Course {
	return content.Default().Asking(func(i *content.Item) bool { return i.Kind == content.One })
}

// said is what is said unasked by now: the last message of the channel that was.
func (c *class) said(text string) discordtest.Message {
	c.t.Helper()
	_, err := c.tutor.SpeakNow(c.ctx, platform, c.bot)
	c.must(err)
	all := c.Sent(general)
	for _, m := range slices.Backward(all) {
		if strings.Contains(m.Text(), text) {
			return m
		}
	}
	c.t.Fatalf("nothing says %q", text)
	return discordtest.Message{}
}

// TestAClassRaces: ten play a race to its end: each answers privately, once and for all, a restart in the
// middle loses nothing, and the scoreboard names nobody.
func TestAClassRaces(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	course := onlyOne()
	c.tutor.Teach(course)
	if _, err := c.tutor.SpeakNow(c.ctx, platform, c.bot); err != nil {
		t.Fatal(err)
	}
	options := discordtest.String("précisions", "nombre=2 temps=10m changement=non")
	lobby := c.says(c.Interact(c.ctx, discordtest.Slash("quiz", discordtest.String("action", "course"), options).By(teacher())), "quiz.race.how", nil)
	c.says(c.press(student("ana"), lobby, "Commencer maintenant"), "quiz.notyours", nil)
	panel := c.answer(c.press(teacher(), lobby, "Commencer maintenant"), "Question 1 sur 2")
	for number := 1; number <= 2; number++ {
		question := c.said("question " + strconv.Itoa(number) + " sur 2")
		if question.Ephemeral() || len(question.Buttons()) < 3 {
			t.Fatalf("question %d: %q", number, question.Text())
		}
		for n := range 10 {
			who := discordtest.Person{ID: strconv.Itoa(4000000000000000000 + n)}
			receipt := c.answer(c.press(who, question, "ABC"[n%3:][:1]), "Noté")
			if !receipt.Ephemeral() || strings.Contains(receipt.Text(), "✓") || strings.Contains(receipt.Text(), "✗") {
				t.Errorf("a receipt tells more, or all: %q", receipt.Text())
			}
		}
		again := c.answer(c.press(discordtest.Person{ID: "4000000000000000000"}, question, "B"), "déjà répondu")
		if !again.Ephemeral() {
			t.Error("all see that one presses twice")
		}
		if number == 1 {
			c.must(c.stop())
			c.start()
			c.tutor.Teach(course)
		}
		panel = c.answer(c.press(teacher(), panel, "Révéler"), "les réponses sont affichées")
		revealed := c.said("question " + strconv.Itoa(number) + " sur 2")
		if revealed.ID != question.ID || !tellsRight(revealed.Text()) {
			t.Errorf("the answers are not shown in the question's stead: %q", revealed.Text())
		}
		if b, ok := revealed.Button("A"); ok {
			t.Errorf("it can still be answered: %+v", b)
		}
		label, then := "Question suivante", "ouverte"
		if number == 2 {
			label, then = "Montrer le classement", "C'est terminé"
		}
		panel = c.answer(c.press(teacher(), panel, label), then)
	}
	board := c.said("Classement")
	if !strings.Contains(board.Text(), "Élève 1") || !strings.Contains(board.Text(), "10 personnes ont répondu") || strings.Contains(board.Text(), "4000000000000000001") {
		t.Errorf("the scoreboard: %q", board.Text())
	}
	mine := c.answer(c.press(discordtest.Person{ID: "4000000000000000003"}, board, "Mes résultats"), "Place ")
	if !mine.Ephemeral() {
		t.Error("all see one's own results")
	}
	c.files()
	c.calm()
}

// tellsRight says that a message tells the right answer, or the right ones.
func tellsRight(text string) bool {
	return strings.Contains(text, "La bonne réponse") || strings.Contains(text, "Les bonnes réponses") || strings.Contains(text, "réponse acceptée")
}
