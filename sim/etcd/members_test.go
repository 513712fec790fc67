package etcd

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var operations = flag.Int("operations", 100_000, "how many operations the histories of members' faults have in all")

// disk is what Changes have left so far.
type recordsOnDisk map[string][]byte

func (d recordsOnDisk) save(s *Store) {
	for _, r := range s.Changes() {
		if r.Value == nil {
			delete(d, string(r.Key))
		} else {
			d[string(r.Key)] = r.Value
		}
	}
	s.Saved()
}

func (d recordsOnDisk) records() iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for k, v := range d {
			if !yield([]byte(k), v) {
				return
			}
		}
	}
}

func (d recordsOnDisk) load(t testing.TB) *Store {
	t.Helper()
	s, err := Load(d.records())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func formed(n int, seed uint64) *Store {
	s := New()
	s.Form(n, seed)
	return s
}

// pass lets time go by, tick by tick, and returns the time after.
func pass(s *Store, now time.Time, d time.Duration) time.Time {
	for end := now.Add(d); ; {
		at, ok := s.NextTick()
		if !ok || at.After(end) {
			return end
		}
		if at.After(now) {
			now = at
		}
		s.Tick(now)
	}
}

func TestMembersAgreeWhileAllIsWell(t *testing.T) {
	for _, n := range []int{1, 3, 5} {
		s := formed(n, 1)
		for i := range 10 {
			if _, err := s.Put(fmt.Sprint("k", i), []byte("v"), 0); err != nil {
				t.Fatal(err)
			}
		}
		if at, ok := s.NextTick(); ok {
			t.Errorf("%d members have something to do at %v", n, at)
		}
		for _, m := range s.Members() {
			if m.Rev != s.Rev() || m.Index != m.Applied || m.Term != firstTerm {
				t.Errorf("%+v, of revision %d", m, s.Rev())
			}
		}
	}
}

// What a write, a read and time make of members in each state: row by row.
func TestWhatMembersStillDo(t *testing.T) {
	cases := []struct {
		name    string
		members int
		stop    []string
		cut     []string
		after   time.Duration
		write   error
		quorate bool
		leader  string // "": none; "?": any but the first
	}{
		{name: "a follower stopped", members: 3, stop: []string{"etcd-2"}, quorate: true, leader: "etcd-1"},
		{name: "the leader stopped, at once", members: 3, stop: []string{"etcd-1"}, quorate: true, write: ErrLost},
		{name: "the leader stopped, two timeouts later", members: 3, stop: []string{"etcd-1"}, after: 2 * time.Second, quorate: true, leader: "?"},
		{name: "two of three stopped", members: 3, stop: []string{"etcd-2", "etcd-3"}, after: 5 * time.Second, write: ErrTimeout},
		{name: "two of five stopped", members: 5, stop: []string{"etcd-2", "etcd-3"}, after: 5 * time.Second, quorate: true, leader: "etcd-1"},
		{name: "three of five stopped", members: 5, stop: []string{"etcd-2", "etcd-3", "etcd-4"}, after: 5 * time.Second, write: ErrTimeout},
		{name: "all stopped", members: 3, stop: []string{"etcd-1", "etcd-2", "etcd-3"}, after: time.Second, write: ErrUnavailable},
		{name: "the only one stopped", members: 1, stop: []string{"etcd-1"}, write: ErrUnavailable},
		{name: "a follower cut off", members: 3, cut: []string{"etcd-3"}, after: 5 * time.Second, quorate: true, leader: "etcd-1"},
		{name: "the leader cut off, at once", members: 3, cut: []string{"etcd-1"}, quorate: true, write: ErrLost},
		{name: "the leader cut off, later", members: 3, cut: []string{"etcd-1"}, after: 3 * time.Second, quorate: true, leader: "?"},
		{name: "the leader and another of five cut off", members: 5, cut: []string{"etcd-1", "etcd-2"}, after: 4 * time.Second, quorate: true, leader: "?"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(20) {
				s := formed(c.members, seed)
				s.Put("before", []byte("1"), 0)
				for _, name := range c.stop {
					s.Stop(name, true, start)
				}
				if c.cut != nil {
					s.Cut(c.cut, start)
				}
				now := pass(s, start, c.after)
				rev := s.Rev()
				if _, err := s.Put("after", []byte("2"), 0); err != c.write {
					t.Fatalf("seed %d: write: %v, not %v", seed, err, c.write)
				}
				if c.write != nil && s.Rev() != rev {
					t.Errorf("seed %d: it was refused, and written", seed)
				}
				if s.Quorate() != c.quorate {
					t.Errorf("seed %d: quorum: %v", seed, s.Quorate())
				}
				if l := s.Leader(); l != c.leader && (c.leader != "?" || l == "" || l == "etcd-1") {
					t.Errorf("seed %d: %q leads, not %q", seed, l, c.leader)
				}
				// Back: whatever it was, all members are one again, and everything goes on.
				for _, name := range c.stop {
					s.Stop(name, false, now)
				}
				if c.cut != nil {
					s.Join(c.cut, now)
				}
				now = pass(s, now, 10*time.Second)
				if _, err := s.Put("again", []byte("3"), 0); err != nil {
					t.Errorf("seed %d: afterwards: %v", seed, err)
				}
				if !s.raft.level {
					t.Errorf("seed %d: the members are not one after %v: %+v", seed, now.Sub(start), s.Members())
				}
				if _, ok := s.NextTick(); ok {
					t.Errorf("seed %d: something is still to do", seed)
				}
			}
		})
	}
}

// A leader that is cut off takes what it is given and never says that it is done; the others go on without it, and what
// it took is overwritten.
func TestWhatACutOffLeaderTakesIsLost(t *testing.T) {
	s := formed(3, 1)
	s.Cut([]string{"etcd-1"}, start)
	if _, err := s.Put("lost", []byte("x"), 0); err != ErrLost {
		t.Fatalf("put: %v", err)
	}
	if m := s.Members()[0]; m.Index != m.Applied+1 {
		t.Fatalf("the leader has nothing waiting: %+v", m)
	}
	now := pass(s, start, 5*time.Second)
	if _, err := s.Put("kept", []byte("y"), 0); err != nil {
		t.Fatal(err)
	}
	s.Join([]string{"etcd-1"}, now)
	pass(s, now, 5*time.Second)
	if _, ok := s.Get("lost"); ok {
		t.Error("it is there")
	}
	if _, ok := s.Get("kept"); !ok {
		t.Error("what a majority had is not")
	}
}

// Where nobody went on meanwhile, what was given up comes true.
func TestWhatWasGivenUpMayComeTrue(t *testing.T) {
	s := formed(3, 1)
	s.Stop("etcd-2", true, start)
	s.Stop("etcd-3", true, start)
	if _, err := s.Put("late", []byte("x"), 0); err != ErrLost {
		t.Fatalf("put: %v", err)
	}
	now := pass(s, start, time.Minute)
	if _, ok := s.Get("late"); ok {
		t.Fatal("it is there though nobody else has it")
	}
	s.Stop("etcd-2", false, now)
	pass(s, now, 5*time.Second)
	if _, ok := s.Get("late"); !ok {
		t.Error("the member that had it leads, and it is not there")
	}
}

func TestAMemberCatchesUp(t *testing.T) {
	for _, c := range []struct {
		name     string
		writes   int
		snapshot bool
	}{{"by the log", 100, false}, {"by a snapshot", snapshotEvery + 2*catchUpEntries, true}} {
		t.Run(c.name, func(t *testing.T) {
			s := formed(3, 1)
			s.Stop("etcd-3", true, start)
			for i := range c.writes {
				if _, err := s.Put(fmt.Sprint(i%10), nil, 0); err != nil {
					t.Fatal(err)
				}
			}
			s.Happened()
			if behind := s.Rev() - s.Members()[2].Rev; behind != int64(c.writes) {
				t.Errorf("it is %d behind", behind)
			}
			s.Stop("etcd-3", false, start)
			pass(s, start, time.Second)
			var got []Change
			for _, h := range s.Happened() {
				if h.Kind == CaughtUp {
					got = append(got, h)
				}
			}
			want := []Change{{Kind: CaughtUp, Member: "etcd-3", Count: int64(c.writes), Snapshot: c.snapshot, Rev: s.Rev()}}
			if !slices.Equal(got, want) {
				t.Errorf("%+v, not %+v", got, want)
			}
			if m := s.Members(); m[2].Hash != m[0].Hash || m[2].Rev != s.Rev() {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestTheQuotaIsABound(t *testing.T) {
	s := formed(3, 1)
	s.SetQuota(s.Size() + 10*pageBytes)
	var err error
	writes := 0
	for ; err == nil && writes < 1000; writes++ {
		_, err = s.Put("k", make([]byte, 1000), 0)
	}
	if err != ErrNoSpace || !s.full || writes > 100 {
		t.Fatalf("after %d writes: %v", writes, err)
	}
	if _, _, err := s.Delete("k", ""); err != nil {
		t.Errorf("deletion: %v", err)
	}
	if err := s.Disarm(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put("k", make([]byte, 1000), 0); err != ErrNoSpace {
		t.Errorf("disarmed without any room: %v", err)
	}
	if err := s.Compact(s.Rev()); err != nil {
		t.Fatal(err)
	}
	size := s.Size()
	for _, m := range s.Members() {
		if !s.Defragment(m.Name) {
			t.Errorf("%s does not defragment", m.Name)
		}
	}
	if s.Size() >= size {
		t.Errorf("the file is as large as before: %d", s.Size())
	}
	if err := s.Disarm(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put("k", make([]byte, 1000), 0); err != nil {
		t.Errorf("after compaction, defragmentation and disarming: %v", err)
	}
	var kinds []ChangeKind
	for _, h := range s.Happened() {
		kinds = append(kinds, h.Kind)
	}
	if want := []ChangeKind{NoSpace, Disarmed, NoSpace, Compacted, Disarmed}; !slices.Equal(kinds, want) {
		t.Errorf("it told %v", kinds)
	}
}

// history is a random one of faults and writes, with what was promised.
type history struct {
	t       *testing.T
	s       *Store
	twin    *Store // is saved and loaded at random; the same otherwise
	onDisk  recordsOnDisk
	r       *rand.Rand
	now     time.Time
	names   []string
	stopped map[string]bool
	cuts    [][]string
	acked   map[string]string // what each key was last acknowledged to be
	unsure  map[string][]string
	hashes  map[uint64]uint64 // by applied index
	writes  int
	refused int
}

func (h *history) both(f func(*Store) error) error {
	a := f(h.s)
	if b := f(h.twin); !errors.Is(a, b) && !errors.Is(b, a) {
		h.t.Fatalf("loaded from what was saved it answers %v, not %v", b, a)
	}
	return a
}

func (h *history) step() {
	switch n := h.r.IntN(100); {
	case n < 70:
		h.write()
	case n < 80:
		name := h.names[h.r.IntN(len(h.names))]
		h.stopped[name] = !h.stopped[name]
		h.both(func(s *Store) error { s.Stop(name, h.stopped[name], h.now); return nil })
	case n < 84 && len(h.cuts) < 2 && len(h.names) > 1:
		var cut []string
		for _, name := range h.names {
			if h.r.IntN(2) == 0 {
				cut = append(cut, name)
			}
		}
		h.cuts = append(h.cuts, cut)
		h.both(func(s *Store) error { s.Cut(cut, h.now); return nil })
	case n < 88 && len(h.cuts) > 0:
		i := h.r.IntN(len(h.cuts))
		cut := h.cuts[i]
		h.cuts = slices.Delete(h.cuts, i, i+1)
		h.both(func(s *Store) error { s.Join(cut, h.now); return nil })
	case n < 96:
		d := time.Duration(h.r.IntN(3000)) * time.Millisecond
		h.both(func(s *Store) error { pass(s, h.now, d); return nil })
		h.now = h.now.Add(d)
	case n < 98:
		name := h.names[h.r.IntN(len(h.names))]
		h.both(func(s *Store) error { s.Connect(name); return nil })
	default:
		h.onDisk.save(h.twin)
		h.twin = h.onDisk.load(h.t)
		if a, b := stateOf(h.t, h.twin), stateOf(h.t, h.s); a != b {
			h.t.Fatalf("loaded %s\nnot    %s", a, b)
		}
	}
	h.check()
}

func stateOf(t *testing.T, s *Store) string {
	state, err := json.Marshal(s.raft.state())
	if err != nil {
		t.Fatal(err)
	}
	return string(state)
}

func (h *history) write() {
	h.writes++
	key, value := fmt.Sprint("k", h.r.IntN(5)), fmt.Sprint(h.writes)
	err := h.both(func(s *Store) error {
		_, err := s.Put(key, []byte(value), 0)
		return err
	})
	switch {
	case err == nil:
		h.acked[key], h.unsure[key] = value, nil
	case errors.Is(err, ErrLost), errors.Is(err, ErrTimeout):
		h.unsure[key] = append(h.unsure[key], value)
		h.refused++
	case !errors.Is(err, ErrUnavailable):
		h.t.Fatal(err)
	default:
		h.refused++
	}
}

// check is that what was acknowledged is there, unless something that nobody was sure of has come after it; and that
// members that have applied as much have applied the same.
func (h *history) check() {
	for key, want := range h.acked {
		kv, ok := h.s.Get(key)
		if got := string(kv.Value); !ok || got != want && !slices.Contains(h.unsure[key], got) {
			h.t.Fatalf("%s was acknowledged to be %s, and is %q", key, want, got)
		}
	}
	led := map[uint64]string{}
	for _, m := range h.s.Members() {
		if was, ok := h.hashes[m.Applied]; ok && was != m.Hash {
			h.t.Fatalf("%s has applied %d entries with another result", m.Name, m.Applied)
		}
		h.hashes[m.Applied] = m.Hash
		if m.Applied > m.Index {
			h.t.Fatalf("%s has applied what it does not have: %+v", m.Name, m)
		}
		if m.Role == Leader {
			if other, ok := led[m.Term]; ok {
				h.t.Fatalf("%s and %s lead in term %d", other, m.Name, m.Term)
			}
			led[m.Term] = m.Name
		}
	}
}

// Random histories of faults with writes between them: nothing acknowledged is lost, no two members differ, a store
// that was saved and loaded at any point is the same, and in the end all is well again.
func TestHistoriesOfFaults(t *testing.T) {
	total := *operations
	if testing.Short() {
		total = 5_000
	}
	const each = 1_000
	writes, refused := 0, 0
	for seed := range uint64(total / each) {
		n := []int{1, 3, 5}[seed%3]
		h := &history{t: t, s: formed(n, seed), twin: formed(n, seed), onDisk: recordsOnDisk{}, r: rand.New(rand.NewPCG(seed, 1)), now: start,
			stopped: map[string]bool{}, acked: map[string]string{}, unsure: map[string][]string{}, hashes: map[uint64]uint64{}}
		for _, m := range h.s.Members() {
			h.names = append(h.names, m.Name)
		}
		for range each {
			h.step()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		for _, name := range h.names {
			h.both(func(s *Store) error { s.Stop(name, false, h.now); return nil })
		}
		for _, cut := range h.cuts {
			h.both(func(s *Store) error { s.Join(cut, h.now); return nil })
		}
		h.both(func(s *Store) error { pass(s, h.now, 20*time.Second); return nil })
		h.write()
		h.check()
		if !h.s.raft.level {
			t.Fatalf("seed %d: not all is well in the end: %+v", seed, h.s.Members())
		}
		h.onDisk.save(h.twin)
		if extra := len(h.onDisk) - len(h.s.Changes()); extra != 0 {
			t.Fatalf("seed %d: %d records are left of logs that nobody keeps", seed, extra)
		}
		writes, refused = writes+h.writes, refused+h.refused
	}
	t.Logf("%d operations, %d writes, of which %d were refused", total, writes, refused)
	if refused == 0 || refused == writes {
		t.Error("the faults make no difference")
	}
}
