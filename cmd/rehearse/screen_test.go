package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timonier/bot/discord/discordtest"
)

// TestFill: which option gets which words.
func TestFill(t *testing.T) {
	pick := func(values ...string) (all []discordtest.Choice) {
		for _, v := range values {
			all = append(all, discordtest.Choice{Name: "le " + v, Value: v, NameLocalizations: map[string]string{"en-US": "the " + v}})
		}
		return all
	}
	fault := options{{Name: "quoi", NameLocalizations: map[string]string{"en-US": "what"}, Type: typeString, Choices: pick("noeud", "liste")}, {Name: "cible", Type: typeString}}
	kubectl := options{{Name: "commande", Type: typeString, Required: true}, {Name: "fichier", Type: typeAttachment}}
	setting := options{{Name: "portée", Type: typeString, Choices: pick("salon")}, {Name: "réglage", Type: typeString}, {Name: "valeur", Type: typeString}}
	teachers := options{{Name: "action", Type: typeString, Choices: pick("ajoute")}, {Name: "qui", Type: typeMentionable}}
	for _, c := range []struct {
		options options
		text    string
		want    string // values, with | between; or what the error says
	}{
		{fault, "noeud node-2", "noeud|node-2"},
		{fault, "NOEUD", "noeud|"},
		{fault, "le noeud node-2", "noeud|node-2"},
		{fault, "the liste", "liste|"},
		{fault, "node-2 et node-3", "|node-2 et node-3"},
		{fault, "cible:node-2 quoi:noeud", "noeud|node-2"},
		{fault, "what:noeud node-2", "noeud|node-2"},
		{fault, "noeuds", "|noeuds"},
		{fault, "quoi:grappe", `nothing takes "grappe"; the options are quoi (noeud, liste), cible`},
		{fault, "noeud qui:node-2", `no option "qui"; the options are quoi (noeud, liste), cible`},
		{kubectl, `  set image deploy/web  web=nginx:1.27 -l "a b"`, `set image deploy/web  web=nginx:1.27 -l "a b"|`},
		{kubectl, "commande:get pods", "get pods|"},
		{kubectl, "fichier:x.yaml", `no option "fichier"; the options are commande`},
		{setting, "pannes pour tous", "|pannes|pour tous"},
		{setting, "salon pannes enseignants", "salon|pannes|enseignants"},
		{setting, "valeur:a b réglage:pannes", "|pannes|a b"},
		{teachers, "ajoute bob", "ajoute|bob"},
		{teachers, "ajoute bob ben", `nothing takes "ben"`},
		{options{}, "x", "the command has no options"},
		{options{}, "", ""},
	} {
		got, err := c.options.fill(c.text)
		text := strings.Join(got, "|")
		if err != nil {
			if text = err.Error(); strings.Contains(text, c.want) && c.want != "" {
				continue
			}
		}
		if text != c.want {
			t.Errorf("fill(%q) = %q, want %q", c.text, text, c.want)
		}
	}
}

func TestValueOf(t *testing.T) {
	s := newScene()
	if _, err := s.change("as", "bob"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind int
		text string
		want any
	}{{typeInteger, "3", int64(3)}, {typeString, "3", "3"}, {typeMentionable, "@prof", "3000000000000000009"}, {typeUser, "Bob", s.who.discord}, {typeUser, "42", "42"}} {
		if got := valueOf(s, c.kind, c.text); got != c.want {
			t.Errorf("valueOf(%d, %q) = %v, want %v", c.kind, c.text, got, c.want)
		}
	}
}

// TestScreen: each state of a message is shown once, later ones by what is new in them; only a
// new message, or a state of the message pressed, answers; buttons are pressed on the last that has any.
func TestScreen(t *testing.T) {
	var out strings.Builder
	s := newScreen(&out)
	ana, bob := newScene(), newScene()
	bob.who.name = "bob"
	quiz := message{platform: "discord", id: "1", spot: ana.spot(false), kind: "for everyone", words: "Quiz\nA or B?\n0 answers", buttons: []string{"A", "B"}}
	later := quiz
	later.words = "Quiz\nA or B?\n1 answer"
	turned := quiz
	turned.words, turned.buttons = "Answers", nil
	for _, step := range []struct {
		what   string
		do     func()
		want   string
		answer bool
	}{
		{"nothing", func() { s.show(message{}) }, "", false},
		{"first", func() { s.show(quiz) }, "--- discord (for everyone)\nQuiz\nA or B?\n0 answers\n[1 A] [2 B] \n", true},
		{"again", func() { s.show(quiz) }, "", false},
		{"private answer", func() {
			s.show(message{platform: "discord", id: "2", spot: ana.spot(true), kind: "for you alone", words: "Right."})
		}, "--- discord (for you alone)\nRight.\n", true},
		{"live", func() { s.show(later) }, "--- discord (updated)\nQuiz\n1 answer\n", false},
		{"pressed", func() { s.press("discord", ana); s.show(turned) }, "--- discord (updated)\nAnswers\n", true},
		{"told twice", func() { s.show(turned) }, "", false},
		{"buttons for ana", func() {
			s.show(message{platform: "discord", id: "3", spot: ana.spot(true), kind: "for you alone", words: "Yours.", buttons: []string{"C"}})
		}, "--- discord (for you alone)\nYours.\n[1 C] \n", true},
		{"same page", func() { s.press("discord", ana); s.show(s.buttons[0]) }, "--- discord (updated)\nYours.\n[1 C] \n", true},
	} {
		out.Reset()
		step.do()
		answered := len(s.answered) == 1
		s.forget()
		if out.String() != step.want || answered != step.answer {
			t.Errorf("%s: answered %t, shown:\n%s", step.what, answered, out.String())
		}
	}
	if got := s.press("discord", bob).id; got != "" {
		t.Errorf("bob presses %q", got)
	}
	alone := ana
	alone.alone = true
	if got := []string{s.press("discord", ana).id, s.press("discord", alone).id, s.press("slack", ana).id}; !slices.Equal(got, []string{"3", "", ""}) {
		t.Errorf("ana presses %q", got)
	}
}

// TestSettle: the end waits until all is quiet.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, began := newScreen(io.Discard), time.Now()
		time.AfterFunc(time.Second, func() { s.show(message{id: "1", words: "still going on"}) })
		s.settle(t.Context(), 1500*time.Millisecond)
		if took := time.Since(began); took != 2500*time.Millisecond {
			t.Errorf("settled after %s", took)
		}
	})
}
