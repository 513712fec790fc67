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

func TestTheCourseHolds(t *testing.T) {
	for _, p := range Check(Files()) {
		t.Error(p)
	}
}
