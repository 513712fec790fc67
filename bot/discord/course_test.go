package discord

import (
	"bytes"
	"strings"
	"testing"

	"timonier/bot/discord/discordtest"
	"timonier/content"
)

// people of a class.
func teacher() discordtest.Person {
	return discordtest.Person{ID: "900000000000000001", Name: "prof", Permissions: discordtest.ManageGuild}
}

func student(name string) discordtest.Person {
	return discordtest.Person{ID: map[string]string{"ana": "900000000000000002", "bob": "900000000000000003"}[name], Name: name}
}

// words is a command with its words, each the value of the option that comes next.
func words(command string, words ...string) discordtest.Interaction {
	options := map[string][]string{"kubectl": {"commande"}, "exercice": {"quoi"}, "histoire": {"action", "précision"},
		"temps": {"action", "valeur"}, "réglages": {"portée", "réglage", "valeur"}, "schéma": {"quoi", "nom"}}
	var given []discordtest.Option
	for i, w := range words {
		given = append(given, discordtest.String(options[command][i], w))
	}
	return discordtest.Slash(command, given...)
}

// press presses a button of a message.
func (c *class) press(who discordtest.Person, m discordtest.Message, label string) *discordtest.Exchange {
	c.t.Helper()
	b, ok := m.Button(label)
	if !ok {
		c.t.Fatalf("no button %q under %q", label, m.Text())
	}
	return c.Interact(c.ctx, discordtest.Click(m, b.CustomID).By(who))
}

// says waits for a sentence of the tutor's.
func (c *class) says(e *discordtest.Exchange, id string, data map[string]any) discordtest.Message {
	c.t.Helper()
	return c.answer(e, c.tutor.Say("fr", id, data))
}

func (c *class) hasPicture(m discordtest.Message) {
	c.t.Helper()
	if len(m.Attachments) != 1 || m.Attachments[0].Description == "" || !bytes.HasPrefix(m.Attachments[0].Data, []byte("\x89PNG")) {
		c.t.Errorf("no picture under %q: %d attachments", m.Text(), len(m.Attachments))
	}
}

// TestAClassLivesAStory: predictions are private and counted, who leads goes on, an old button moves
// nothing, a restart loses nothing, and the end has its timeline.
func TestAClassLivesAStory(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	s, ok := content.Default().Story(1)
	if !ok {
		t.Fatal("there is no story 1")
	}
	right, err := s.Right()
	c.must(err)
	wrong := "ABCD"[(right[0]+1)%len(s.Pages()[0].Options):][:1]

	c.says(c.Interact(c.ctx, words("réglages", "salon", "quiz", "enseignants").By(teacher())), "settings.title", nil)
	asked := c.answer(c.Interact(c.ctx, words("histoire", "1").By(teacher())), s.Pages()[0].Question.FR)
	for name, letter := range map[string]string{"ana": wrong, "bob": "ABCD"[right[0]:][:1]} {
		m := c.says(c.press(student(name), asked, letter), "story.noted", map[string]any{"Letter": letter})
		if !m.Ephemeral() {
			t.Errorf("all see what %s predicts", name)
		}
	}
	c.refused(c.press(student("ana"), asked, "Suite"), "réservé")
	struck := c.answer(c.press(teacher(), asked, "Suite"), wrong+"\u00a0: 1")
	if !strings.Contains(struck.Text(), "✓\u00a0: 1") || struck.Ephemeral() {
		t.Errorf("the answers are not shown to all: %q", struck.Text())
	}
	c.says(c.press(teacher(), asked, "Suite"), "story.moved", nil)
	c.says(c.press(student("ana"), asked, "A"), "story.over", nil)

	c.must(c.stop())
	c.start()
	m := c.answer(c.Interact(c.ctx, words("histoire", "1").By(teacher())), wrong+"\u00a0: 1")
	for {
		b, more := m.Button("Suite")
		if !more {
			break
		}
		m = c.answer(c.Interact(c.ctx, discordtest.Click(m, b.CustomID).By(teacher())), s.Title.FR)
	}
	c.hasPicture(m)
	if !strings.Contains(m.Text(), "%") {
		t.Errorf("nothing is measured at the end: %q", m.Text())
	}
	c.calm()
}

// TestAClassSolvesAnExercise: who teaches begins it, all work on it, who was there has the credit, and
// its end gives the cluster back.
func TestAClassSolvesAnExercise(t *testing.T) {
	t.Parallel()
	c := newClass(t, setting{})
	e, ok := content.Default().Exercise("2.1-ecart")
	if !ok {
		t.Fatal("there is no exercise 2.1-ecart")
	}
	c.answer(c.Interact(c.ctx, kubectl("create configmap avant").By(teacher())), "configmap/avant created")
	c.refused(c.Interact(c.ctx, words("exercice", e.ID).By(student("ana"))), c.tutor.Say("fr", "exercise.forbidden", nil))
	begun := c.answer(c.Interact(c.ctx, words("exercice", e.ID).By(teacher())), e.Title.FR)
	for range 2 { // one presses what another has pressed: it is the same hint
		c.says(c.press(student("bob"), begun, "Indice 1"), "exercise.hint", map[string]any{"Number": 1, "Numbers": 3})
	}
	for i, s := range e.Steps {
		line := strings.TrimPrefix(s.Solution[0].In(content.FR), "/kubectl ")
		c.answer(c.Interact(c.ctx, kubectl(line).By(student("ana"))), "boutique")
		m := c.says(c.Interact(c.ctx, words("temps", "avance", "1m").By(student("ana"))), "exercise.reached", map[string]any{"Step": i + 1, "Steps": len(e.Steps)})
		if i == len(e.Steps)-1 {
			c.says(c.press(student("bob"), m, "J'y étais"), "exercise.noted", map[string]any{"Title": e.Title.FR})
		}
	}
	c.hasPicture(c.answer(c.Interact(c.ctx, words("schéma", "grappe").By(student("bob"))), ""))
	for _, name := range []string{"ana", "bob"} {
		c.answer(c.Interact(c.ctx, words("progrès").By(student(name))), "1 exercice réussi")
	}
	c.refused(c.Interact(c.ctx, words("exercice", "fin").By(student("ana"))), "réservé")
	c.says(c.Interact(c.ctx, words("exercice", "fin").By(teacher())), "exercise.back", nil)
	c.answer(c.Interact(c.ctx, kubectl("get configmaps").By(student("ana"))), "avant")
	c.says(c.press(student("bob"), begun, "Indice 1"), "exercise.none", nil)
	c.calm()
}
