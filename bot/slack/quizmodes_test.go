package slack

import (
	"strings"
	"testing"

	"timonier/bot/slack/slacktest"
	"timonier/content"
)

// A number and a word are typed into a form, which the button of the question opens; what became of them is for
// that person alone.
func TestAnAnswerIsTyped(t *testing.T) {
	for _, kind := range []content.ItemKind{content.Number, content.Fill} {
		t.Run(string(kind), func(t *testing.T) {
			b := open(t, withTeacher)
			b.tutor.Teach(content.Default().Asking(func(i *content.Item) bool { return i.Kind == kind }))
			asked := b.says(b.send(inClass("U1", "/quiz révision nouvelles")), "Nouvelle").Message
			x := b.press("U1", asked, "Répondre")
			if c := b.next(x); c.Kind != slacktest.Opened {
				t.Fatalf("no form is opened: %+v", c)
			}
			b.send(slacktest.Submit{User: "U1", Values: map[string]any{formText: "3"}})
			judged := b.says(x, "Je vous la redemande").Message
			if asked.For != "U1" || judged.For != "U1" || !strings.ContainsAny(judged.Words(), "✓✗") {
				t.Errorf("for %q and %q: %q", asked.For, judged.For, judged.Words())
			}
			b.idle()
		})
	}
}
