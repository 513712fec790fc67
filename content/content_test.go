package content

import (
	"testing"
)

func TestTheCourseLoads(t *testing.T) {
	c, err := Load(Files())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.Sections); n != 10 {
		t.Errorf("%d sections, want 10", n)
	}
	n := 0
	for range c.Lessons() {
		n++
	}
	if n != 28 {
		t.Errorf("%d lessons, want 28", n)
	}
}

// TestTheCourseIsWhole: the built-in course leaves nothing to be written, and every section has
// something to do with the commands given, with half of them, and alone.
func TestTheCourseIsWhole(t *testing.T) {
	for _, s := range Default().Sections {
		forms := map[Form]bool{}
		for _, l := range s.Lessons {
			if !l.Written() {
				t.Errorf("lesson %s is not written", l.ID)
			}
			for _, e := range Default().ExercisesOf(l.ID) {
				forms[e.Form] = true
			}
		}
		for _, f := range []Form{Worked, Faded, Alone} {
			if !forms[f] {
				t.Errorf("section %d has no exercise of the form %s", s.Number, f)
			}
		}
	}
}

func TestTheCourseHolds(t *testing.T) {
	for _, p := range Check(Files()) {
		t.Error(p)
	}
}
