package slack

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"timonier/bot/slack/slacktest"
	"timonier/content"
)

// inClass is what somebody types in the class's channel.
func inClass(user, line string) slacktest.Command {
	name, text, _ := strings.Cut(line, " ")
	return slacktest.Command{Name: name, Text: text, User: user, Channel: "C1"}
}

// withTeacher has a teacher among the people of the class, whose clock goes on a little whenever it is
// looked at: a channel takes one message a second.
func withTeacher(_ *Config, s *slacktest.Config) {
	var looks atomic.Int64
	s.Now = func() time.Time { return monday.Add(time.Duration(looks.Add(1)) * 100 * time.Millisecond) }
	s.Users = append(s.Users, slacktest.User{ID: "U1", Name: "ana", Locale: "fr-FR"}, slacktest.User{ID: "U2", Name: "bob", Locale: "fr-FR"},
		slacktest.User{ID: "UPROF", Name: "prof", Locale: "fr-FR", Admin: true})
}

// press presses a button of a message.
func (b *bench) press(user string, m slacktest.Message, label string) *slacktest.Exchange {
	b.t.Helper()
	button := b.button(m, label)
	return b.send(slacktest.Action{User: user, Channel: m.Channel, Message: m.TS, ActionID: button.ActionID, BlockID: button.BlockID})
}

// pictured waits until a picture is shown in the channel, with words that say the same.
func (b *bench) pictured(x *slacktest.Exchange) {
	b.t.Helper()
	_, err := x.Until(b.ctx, func(c slacktest.Change) bool { return strings.Contains(string(c.Message.Blocks), "slack_file") })
	if err != nil {
		b.t.Fatalf("no picture: %v", err)
	}
}

// TestAClassLivesAStory: predictions are private and counted, who leads goes on, an old button moves
// nothing, and the end has its timeline.
func TestAClassLivesAStory(t *testing.T) {
	b := open(t, withTeacher)
	s, ok := content.Default().Story(1)
	if !ok {
		t.Fatal("there is no story 1")
	}
	right, err := s.Right()
	if err != nil {
		t.Fatal(err)
	}
	wrong := "ABCD"[(right[0]+1)%len(s.Pages()[0].Options):][:1]
	b.says(b.send(inClass("UPROF", "/timonier réglages salon quiz enseignants")), b.sentence("settings.title", nil))
	asked := b.says(b.send(inClass("UPROF", "/timonier histoire 1")), s.Pages()[0].Question.FR).Message
	for user, letter := range map[string]string{"U1": wrong, "U2": "ABCD"[right[0]:][:1]} {
		if m := b.says(b.press(user, asked, letter), "C'est noté").Message; m.For != user || !strings.Contains(m.Words(), letter) {
			t.Errorf("for %q: %q", m.For, m.Words())
		}
	}
	b.says(b.send(inClass("U1", "/timonier histoire suite")), "/timonier histoire suite est réservé")
	x := b.press("UPROF", asked, "Suite")
	m := b.says(x, wrong+"\u00a0: 1").Message
	if !strings.Contains(m.Words(), "✓\u00a0: 1") || m.For != "" {
		t.Errorf("the answers are not shown to all: %q", m.Words())
	}
	b.says(b.press("UPROF", asked, "Suite"), b.sentence("story.moved", nil))
	b.says(b.press("U1", asked, "A"), b.sentence("story.over", nil))
	for turns := 2*len(s.Pages()) - 1; turns > 0; turns-- {
		if turns == 1 {
			b.pictured(x)
			break
		}
		x = b.send(inClass("UPROF", "/timonier histoire suite"))
		m = b.says(x, s.Title.FR).Message
	}
	if !strings.Contains(m.Words(), "%") {
		t.Errorf("nothing is measured at the end: %q", m.Words())
	}
}

// TestAClassSolvesAnExercise: who teaches begins it, all work on it, who was there has the credit, its
// end gives the cluster back; and its lines are shown as they are typed here.
func TestAClassSolvesAnExercise(t *testing.T) {
	b := open(t, withTeacher)
	e, ok := content.Default().Exercise("2.1-ecart")
	if !ok {
		t.Fatal("there is no exercise 2.1-ecart")
	}
	b.says(b.send(inClass("UPROF", "/kubectl create configmap avant")), "configmap/avant created")
	b.says(b.send(inClass("U1", "/timonier exercice "+e.ID)), b.sentence("exercise.forbidden", nil))
	begun := b.says(b.send(inClass("UPROF", "/timonier exercice "+e.ID)), e.Title.FR).Message
	if !strings.Contains(begun.Words(), "/timonier exercice fin") {
		t.Errorf("how to leave it is not as it is typed here: %q", begun.Words())
	}
	for range 2 { // one presses what another has pressed: it is the same hint
		b.says(b.press("U2", begun, "Indice 1"), "Indice 1 sur 3.")
	}
	for i, s := range e.Steps {
		b.says(b.send(inClass("U1", s.Solution[0].In(content.FR))), "boutique")
		m := b.says(b.send(inClass("U1", "/timonier temps avance 1m")), b.sentence("exercise.reached", map[string]any{"Step": i + 1, "Steps": len(e.Steps)})).Message
		if i == len(e.Steps)-1 {
			b.says(b.press("U2", m, "J'y étais"), e.Title.FR)
		}
	}
	x := b.send(inClass("U2", "/timonier schema grappe"))
	b.says(x, "/timonier schema grappe") // as it was typed
	b.pictured(x)
	for _, user := range []string{"U1", "U2"} {
		b.says(b.send(inClass(user, "/timonier progression")), "1 exercice réussi")
	}
	b.says(b.send(inClass("U1", "/timonier exercice fin")), "/timonier exercice fin est réservé")
	b.says(b.send(inClass("UPROF", "/timonier exercice fin")), b.sentence("exercise.back", nil))
	b.says(b.send(inClass("U1", "/kubectl get configmaps")), "avant")
	b.says(b.press("U2", begun, "Indice 1"), b.sentence("exercise.none", nil))

	b.says(b.send(inClass("UPROF", "/timonier exercice 5.3-majorite")), "/timonier panne etcd ____")
	b.idle()
	for _, m := range b.slack.Messages("C1") {
		for _, f := range m.Files {
			if !bytes.HasPrefix(f.Data, []byte("\x89PNG")) || f.Alt == "" {
				t.Errorf("%s is no picture with words", f.Name)
			}
		}
	}
}
