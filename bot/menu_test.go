package bot

import (
	"context"
	"testing"
)

// A menu's choices may be typed as people write letters.
func TestMenuTyped(t *testing.T) {
	letters := Menu{Line: "/quiz réponse 7-3", Choices: []MenuChoice{{"A", "un"}, {"B", "deux"}, {"C", "trois"}}}
	words := Menu{Line: "/x", Choices: []MenuChoice{{"node-1", "un"}, {"É", "deux"}}}
	for _, test := range []struct {
		menu       Menu
		text, want string
	}{
		{letters, "A C", "/quiz réponse 7-3 A C"}, {letters, " a,c ", "/quiz réponse 7-3 A C"}, {letters, "CA", "/quiz réponse 7-3 C A"},
		{letters, "B", "/quiz réponse 7-3 B"}, {letters, "b;b", "/quiz réponse 7-3 B"}, {letters, "A; B", "/quiz réponse 7-3 A B"},
		{letters, "A D", ""}, {letters, "bac", "/quiz réponse 7-3 B A C"}, {letters, "bad", ""}, {letters, "", ""}, {letters, "un", ""},
		{words, "NODE-1 é", "/x node-1 É"}, {words, "éé", ""}, {Menu{}, "A", ""},
	} {
		if got, ok := test.menu.Typed(test.text); got != test.want || ok != (test.want != "") {
			if ok || test.want != "" {
				t.Errorf("%q: %q, %v, want %q", test.text, got, ok, test.want)
			}
		}
	}
	for _, values := range [][]string{nil, {""}, {"A", "B C"}, {"A\n/remise"}, {"\xff"}} {
		if line, ok := Picked("/x", values); ok {
			t.Errorf("%q became %q", values, line)
		}
	}
	for _, test := range []struct{ min, max, least, most int }{{0, 0, 1, 3}, {2, 2, 2, 2}, {5, 9, 3, 3}, {-1, 1, 1, 1}} {
		m := letters
		m.Min, m.Max = test.min, test.max
		if least, most := m.Bounds(); least != test.least || most != test.most {
			t.Errorf("%+v: %d to %d", test, least, most)
		}
	}
}

// offer has the person be shown something, in a turn of the channel's.
func (s *stage) offer(r Reply) {
	s.t.Helper()
	j := job{ctx: context.Background(), done: make(chan error, 1), run: func(_ context.Context, ln *lane) { ln.offer(s.person, r) }}
	if ok, err := s.tutor.enqueue(s.request("").Place(), j); !ok || err != nil {
		s.t.Fatal(ok, err)
	}
	if err := <-j.done; err != nil {
		s.t.Fatal(err)
	}
}

// Where a reply has a menu, its letters alone are an answer, as labels of buttons are.
func TestMenuLettersAlone(t *testing.T) {
	s := newStage(t, "fr")
	s.ask("/aide")
	s.offer(Reply{Menu: &Menu{Line: "/aide", Choices: []MenuChoice{{"temps", "le temps"}, {"quiz", "les questions"}}}})
	if got, want := plainText(s.ask("Temps")), plainText(s.ask("/aide temps")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What is typed where one line is asked for is that line, unless it is a command.
func TestLineOnOffer(t *testing.T) {
	s := newStage(t, "fr")
	s.ask("/aide")
	short := &Prompt{Line: "/kubectl apply", Short: true}
	for typed, want := range map[string]string{"nonsense": "/kubectl apply\nnonsense", "1": "/aide", "/lentille": "/lentille", "kubectl get nodes": ""} {
		s.offer(Reply{Prompt: short, Buttons: []Button{{Label: "x", Line: "/aide"}}})
		got := plainText(s.ask(typed))
		if want == "" {
			want = typed
			s.offer(Reply{})
		}
		if want := plainText(s.ask(want)); got != want {
			t.Errorf("%q:\n%s\nwant\n%s", typed, got, want)
		}
	}
	s.offer(Reply{Prompt: &Prompt{Line: "/kubectl apply", Button: "Écrire"}, Buttons: []Button{{Label: "x", Line: "/aide"}}})
	if got := s.ask("2"); got.Prompt == nil {
		t.Errorf("the prompt's button: %s", plainText(got))
	}
}
