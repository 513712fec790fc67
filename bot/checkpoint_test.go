package bot

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
)

// largest is a store that remembers the largest commit: how many writes it asks for, and how many bytes.
type largest struct {
	*memory
	writes, bytes int
}

func (l *largest) Commit(ctx context.Context, c Commit) error {
	writes, size := 0, 0
	for _, w := range c.Writes {
		writes += 1 + len(w.Drop) + len(w.Changes) // the version is a write too
		for _, r := range w.Changes {
			size += len(r.Key) + len(r.Value)
		}
	}
	for _, a := range c.Answers {
		writes, size = writes+1, size+len(a.Reply)
	}
	l.writes, l.bytes = max(l.writes, writes), max(l.bytes, size)
	return l.memory.Commit(ctx, c)
}

func (s *stage) packed(place int) []byte {
	return s.store.scopes[Scope{Platform: "test", Channel: "general"}].records[keyCheckpoint(place)]
}

// must types lines that do what they are asked.
func (s *stage) must(lines ...string) {
	s.t.Helper()
	for _, line := range lines {
		if r := s.ask(line); r.Failed {
			s.t.Fatalf("%s:\n%s", line, plainText(r))
		}
	}
}

func TestCheckpointComesBackAsItWas(t *testing.T) {
	s := newStage(t, "fr")
	s.must("/kubectl create deployment web --image=nginx --replicas=5", "/panne noeud node-2", "/temps avance 7m", "/temps pause", "/temps pas",
		"/grappe sauve avant")
	kept := bytes.Clone(s.packed(0))
	s.must("/temps reprend", "/kubectl delete deployment web", "/répare", "/kubectl create deployment api --image=redis --replicas=3", "/temps avance 20m",
		"/grappe charge avant confirme", "/grappe sauve aussitôt")
	if !bytes.Equal(s.packed(1), kept) {
		t.Error("the cluster loaded is another than the one kept")
	}
	if !s.channel().clock.Paused {
		t.Error("the clock goes on, though it had been stopped")
	}
	// What is changed on top of it comes back too, by another process, and is the same as without the way there.
	s.must("/temps avance 3m", "/kubectl scale deployment web --replicas=2", "/temps avance 3m")
	s.tutor.Close()
	s.tutor = s.newTutor()
	s.must("/grappe sauve plus-tard")
	later := bytes.Clone(s.packed(2))
	s.must("/grappe charge avant confirme", "/temps avance 3m", "/kubectl scale deployment web --replicas=2", "/temps avance 3m", "/grappe sauve encore")
	if !bytes.Equal(s.packed(3), later) {
		t.Error("the same commands on the same checkpoint led elsewhere")
	}
	s.tutor.Close()
}

// channel is the stage's channel, as it is in memory.
func (s *stage) channel() *channel {
	return s.tutor.lanes[Place{Platform: "test", Channel: "general"}].loaded
}

// TestCheckpointFitsTheStore: keeping a cluster and going back to it ask no more of a store
// than one request may carry, though the cluster has far more records than that.
func TestCheckpointFitsTheStore(t *testing.T) {
	const mostWrites, mostBytes = 128, 3 << 19
	s := newStage(t, "fr")
	s.must("/kubectl create deployment web --image=nginx --replicas=300", "/temps avance 5m", "/grappe sauve avant")
	records := len(s.store.scopes[Scope{Platform: "test", Channel: "general"}].records)
	if records < 2*mostWrites {
		t.Fatalf("only %d records: the cluster is too small for this test", records)
	}
	s.must("/temps pause", "/kubectl get pods")
	s.tutor.Close()
	store := &largest{memory: s.store.memory}
	s.tutor = New(Config{Store: store, Now: s.tutor.cfg.Now})
	s.must("/grappe sauve encore", "/grappe charge avant confirme", "/grappe charge encore confirme", "/grappe oublie avant")
	s.tutor.Close()
	if store.writes > mostWrites || store.bytes > mostBytes {
		t.Errorf("a commit of %d writes and %d bytes", store.writes, store.bytes)
	}
	t.Logf("%d records; at most %d writes and %d bytes", records, store.writes, store.bytes)
}

// TestCheckpointIsKeptThoughOthersWrite: two processes on one store, of which each keeps and
// brings back what the other does not know yet.
func TestCheckpointIsKeptThoughOthersWrite(t *testing.T) {
	s := newStage(t, "fr")
	one, two := s.tutor, s.newTutor()
	on := func(tutor *Tutor, lines ...string) {
		s.tutor = tutor
		s.must(lines...)
	}
	on(one, "/kubectl create deployment web --image=nginx", "/grappe sauve un")
	on(two, "/kubectl create deployment api --image=nginx", "/grappe sauve deux")
	on(one, "/kubectl get deployment web", "/grappe charge deux confirme", "/kubectl get deployment api")
	on(two, "/grappe charge un confirme", "/kubectl get deployment web")
	if r := s.ask("/kubectl get deployment api"); !strings.Contains(plainText(r), "NotFound") {
		t.Errorf("api is there:\n%s", plainText(r))
	}
	on(one, "/kubectl scale deployment web --replicas=2", "/grappe liste")
	if r := s.ask("/kubectl get deployment api"); !strings.Contains(plainText(r), "NotFound") {
		t.Errorf("the first process does not know that the second went back:\n%s", plainText(r))
	}
	one.Close()
	two.Close()
}

func TestPackedRecordsAreThoseGiven(t *testing.T) {
	records := map[string][]byte{"": {}, "a": {0, 1, 255}}
	for i := range 60 {
		records[fmt.Sprint("trace/", i)] = bytes.Repeat([]byte{byte(i)}, i)
	}
	packed, err := pack(records)
	if err != nil {
		t.Fatal(err)
	}
	again, err := unpack(packed)
	if err != nil || len(again) != len(records) {
		t.Fatalf("%d records, %v", len(again), err)
	}
	for key, value := range records {
		if !bytes.Equal(again[key], value) {
			t.Errorf("%s is another", key)
		}
	}
	for n := range len(packed) {
		if _, err := unpack(packed[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for the whole", n, len(packed))
		}
	}
}

func TestStepsAreBounded(t *testing.T) {
	s := newStage(t, "fr")
	s.must("/kubectl create deployment web --image=nginx --replicas=3", "/temps avance 1m")
	s.tutor.cfg.Limits.Command = 20e6
	if r := s.ask("/temps pas"); !strings.Contains(plainText(r), "Rien d'autre n'est prévu") {
		t.Errorf("a calm cluster:\n%s", plainText(r))
	}
	s.tutor.Close()
}
