package etcdctl

import (
	"errors"
	"strings"
	"testing"

	"timonier/sim"
)

// shelf keeps snapshots for a test: only their names.
type shelf struct {
	names []string
	err   error
}

func (s *shelf) Save(name string) error {
	s.names = append(s.names, name)
	return s.err
}
func (s *shelf) Restore(name string) error {
	for _, n := range s.names {
		if n == name {
			return s.err
		}
	}
	return ErrNoSnapshot
}
func (s *shelf) Open(string) (*sim.Cluster, error) { return nil, ErrNoSnapshot }
func (s *shelf) List() []string                    { return s.names }

func TestASnapshotTakesTheClustersPlace(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	kept := &shelf{}
	if r, err := Run(c, []string{"snapshot", "save", "before"}, "", kept); err != nil || r.Code != 0 || !strings.Contains(r.Stdout, "Snapshot saved at before") {
		t.Fatalf("save: %+v, %v", r, err)
	}
	if r, err := Run(c, []string{"snapshot", "restore", "after"}, "", kept); err != nil || r.Code != exitInterrupted || r.Restored != "" {
		t.Fatalf("restore of none: %+v, %v", r, err)
	}
	if r, err := Run(c, []string{"snapshot", "restore", "before"}, "", kept); err != nil || r.Code != 0 || r.Restored != "before" {
		t.Fatalf("restore: %+v, %v", r, err)
	}
	kept.err = errors.New("disk full")
	if _, err := Run(c, []string{"snapshot", "save", "x"}, "", kept); err == nil {
		t.Error("an error that is ours was shown as the learner's")
	}
}
