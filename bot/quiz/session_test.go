package quiz

import (
	"testing"
	"time"

	"timonier/content"
)

var start = time.Date(2026, 11, 3, 14, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return start.Add(d) }

// choiceItem is an item whose option 0 is right.
func choiceItem(id string) *content.Item {
	return &content.Item{ID: id, Lesson: "2.1", Kind: content.One, Difficulty: 1, Hint: content.Text{FR: "Un indice.", EN: "A hint."}, Options: []content.Choice{
		{Text: content.Text{FR: "Le planificateur", EN: "The scheduler"}, Right: true},
		{Text: content.Text{FR: "etcd", EN: "etcd"}, Is: "etcd-decides", Why: content.Text{FR: "etcd garde.", EN: "etcd keeps."}},
		{Text: content.Text{FR: "Le kubelet", EN: "The kubelet"}, Is: "kubelet-places"},
	}}
}

func TestARaceGoesOnByItself(t *testing.T) {
	r := Usual(Race)
	r.Count = 2
	s := Begin("a1", r, 7, []string{"x", "y"}, start)
	var phases []Phase
	for now := start; s.Phase != Over; now = s.Next() {
		if now.IsZero() {
			t.Fatalf("nothing follows %s", s.Phase)
		}
		s.Advance(now)
		phases = append(phases, s.Phase)
	}
	want := []Phase{Lobby, Open, Late, Revealed, Open, Late, Revealed, Over}
	if len(phases) != len(want) {
		t.Fatalf("phases %v, want %v", phases, want)
	}
	for i := range want {
		if phases[i] != want[i] {
			t.Fatalf("phases %v, want %v", phases, want)
		}
	}
	if took := s.Ended.Time().Sub(start); took != (15+2*(20+2+15))*time.Second {
		t.Errorf("it took %s", took)
	}
}
