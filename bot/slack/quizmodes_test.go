package slack

import (
	"encoding/json"
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

// school is a class that is taught a course, and in which the app can speak.
func school(t *testing.T, course *content.Course, settings ...setting) *bench {
	t.Helper()
	third := func(_ *Config, s *slacktest.Config) {
		s.Users = append(s.Users, slacktest.User{ID: "U3", Name: "cai", Locale: "fr-FR"})
	}
	b := open(t, append([]setting{withTeacher, third}, settings...)...)
	b.tutor.Teach(course)
	b.listen()
	return b
}

// oneOfEach is the built-in course with one question of each kind.
func oneOfEach() *content.Course {
	seen := map[content.ItemKind]bool{}
	return content.Default().Asking(func(i *content.Item) bool {
		first := !seen[i.Kind]
		seen[i.Kind] = true
		return first
	})
}

// several is the menu in which several are chosen: the block it is in, and its values.
func several(t *testing.T, m slacktest.Message) (block string, values []string) {
	t.Helper()
	var blocks []struct {
		ID        string `json:"block_id"`
		Accessory struct {
			Type    string
			Options []struct{ Value string }
		}
	}
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if b.Accessory.Type != "multi_static_select" {
			continue
		}
		for _, o := range b.Accessory.Options {
			values = append(values, o.Value)
		}
		return b.ID, values
	}
	return "", nil
}

// click presses the first button of a message.
func (b *bench) click(user string, m slacktest.Message) *slacktest.Exchange {
	b.t.Helper()
	all := m.Buttons()
	if len(all) == 0 {
		b.t.Fatalf("no button under %q", m.Words())
	}
	return b.send(slacktest.Action{User: user, Channel: m.Channel, Message: m.TS, ActionID: all[0].ActionID, BlockID: all[0].BlockID})
}

// alone is the answer, which one person sees and which differs from what was asked; the word that work goes on is none.
func (b *bench) alone(x *slacktest.Exchange, user string, asked slacktest.Message) slacktest.Message {
	b.t.Helper()
	c, err := x.Until(b.ctx, func(c slacktest.Change) bool {
		return c.Kind != slacktest.Deleted && c.Message.TS != "" && c.Message.Words() != asked.Words() &&
			c.Message.Words() != b.sentence("slack.working", nil)
	})
	if err != nil {
		b.t.Fatalf("no answer to %q: %v", asked.Words(), err)
	}
	if c.Message.For != user {
		b.t.Errorf("for %q, not %q alone: %q", c.Message.For, user, c.Message.Words())
	}
	x.End()
	return c.Message
}

// has tells whether a message has a button.
func has(m slacktest.Message, label string) bool {
	for _, each := range m.Buttons() {
		if strings.Contains(each.Label, label) {
			return true
		}
	}
	return false
}

// gives answers what a message asks, as a person does: some of a menu and its button, a form, a button, or one
// letter after the other. It gives the last message.
func (b *bench) gives(user string, asked slacktest.Message) slacktest.Message {
	b.t.Helper()
	if block, values := several(b.t, asked); block != "" {
		b.send(slacktest.Action{User: user, Channel: asked.Channel, Message: asked.TS, ActionID: menuChoose, BlockID: block, Values: values[:2]}).End()
		return b.alone(b.press(user, asked, "Envoyer"), user, asked)
	}
	if has(asked, "Répondre") {
		x := b.press(user, asked, "Répondre")
		if c := b.next(x); c.Kind != slacktest.Opened {
			b.t.Fatalf("no form is opened: %+v", c)
		}
		b.send(slacktest.Submit{User: user, Values: map[string]any{formText: "3"}}).End()
		return b.alone(x, user, asked)
	}
	m := b.alone(b.click(user, asked), user, asked)
	for has(m, "Recommencer") {
		m = b.alone(b.click(user, m), user, m)
	}
	return m
}

// TestAReview: a question of each kind, answered by its own means, hinted at and judged, for one person alone.
func TestAReview(t *testing.T) {
	b := school(t, oneOfEach())
	page := b.says(b.send(inClass("U1", "/quiz révision nouvelles")), "Nouvelle").Message
	menus := 0
	for number := 1; number <= 8; number++ {
		if page.For != "U1" {
			t.Errorf("question %d is for %q", number, page.For)
		}
		if has(page, "Indice") {
			page = b.says(b.press("U1", page, "Indice"), "Indice.").Message
		}
		if block, _ := several(t, page); block != "" {
			b.says(b.press("U1", page, "Envoyer"), b.sentence("slack.menu.none", nil))
			menus++
		}
		judged := b.gives("U1", page)
		if !strings.ContainsAny(judged.Words(), "✓✗◐") || !strings.Contains(judged.Words(), "Je vous la redemande") {
			t.Fatalf("question %d is judged: %q", number, judged.Words())
		}
		if number < 8 {
			page = b.says(b.press("U1", judged, "Question suivante"), "Nouvelle").Message
		}
	}
	if menus != 1 {
		t.Errorf("%d menus", menus)
	}
	b.idle()
	for _, m := range b.slack.Messages("C1") {
		if m.For == "" {
			t.Errorf("all see %q", m.Words())
		}
	}
}
