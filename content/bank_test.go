package content

import (
	"slices"
	"testing"
)

// TestBankIsComplete holds the built-in bank to what it promises: at least six questions for each
// lesson, of at least four kinds and two difficulties; every kind, objective and misconception in use;
// and right answers that neither their length nor their place gives away.
func TestBankIsComplete(t *testing.T) {
	c := Default()
	kinds, objectives, shown := map[ItemKind]int{}, map[string]int{}, map[string]int{}
	longest, chosen := 0, 0
	for lesson := range c.Lessons() {
		items := c.ItemsOf(lesson.ID)
		if len(items) < 6 {
			t.Errorf("lesson %s has %d questions, wanted 6", lesson.ID, len(items))
		}
		here, difficulties := map[ItemKind]bool{}, map[int]bool{}
		for _, i := range items {
			kinds[i.Kind]++
			objectives[i.Objective]++
			here[i.Kind], difficulties[i.Difficulty] = true, true
			for _, o := range i.Options {
				shown[o.Is]++
			}
			for _, trap := range i.Traps {
				shown[trap.Is]++
			}
			if i.Kind == One || i.Kind == Predict {
				chosen++
				if rightIsLongest(i) {
					longest++
				}
			}
		}
		if len(here) < 4 {
			t.Errorf("lesson %s has questions of %d kinds, wanted 4", lesson.ID, len(here))
		}
		if len(difficulties) < 2 {
			t.Errorf("lesson %s has questions of one difficulty", lesson.ID)
		}
	}
	if len(c.Bank().Items) < 170 {
		t.Errorf("%d questions, wanted 170", len(c.Bank().Items))
	}
	for _, kind := range ItemKinds() {
		if kinds[kind] < 10 {
			t.Errorf("%d questions of kind %s, wanted 10", kinds[kind], kind)
		}
	}
	for _, o := range c.Bank().Objectives {
		if objectives[o.ID] < 2 {
			t.Errorf("%d questions on the objective %s, wanted 2", objectives[o.ID], o.ID)
		}
	}
	for _, m := range c.Bank().Misconceptions {
		if shown[m.ID] == 0 {
			t.Errorf("no answer shows the misconception %s", m.ID)
		}
	}
	// Of options of which one in three or four is right, about as many are the longest by chance.
	if longest*5 > chosen*2 {
		t.Errorf("the right answer is the longest in %d of %d questions", longest, chosen)
	}
	t.Logf("%d questions: %v; objectives %v; %d misconceptions; the right answer is the longest in %d of %d", len(c.Bank().Items), kinds, objectives, len(c.Bank().Misconceptions), longest, chosen)
}

// rightIsLongest says that the right option stands out by its length, in French.
func rightIsLongest(i *Item) bool {
	right := slices.IndexFunc(i.Options, func(o Choice) bool { return o.Right })
	for n, o := range i.Options {
		if n != right && len([]rune(o.Text.FR)) >= len([]rune(i.Options[right].Text.FR)) {
			return false
		}
	}
	return true
}
