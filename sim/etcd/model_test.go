package etcd

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
)

// model is the store as one would write it without a care for speed: a whole
// copy of all keys for each revision.
type model struct {
	states []map[string]KV // by revision
	events [][]string      // by revision
	leases map[int64]time.Time
}

func newModel() *model {
	return &model{states: []map[string]KV{{}, {}}, events: [][]string{nil, nil}, leases: map[int64]time.Time{}}
}

func (m *model) rev() int64 { return int64(len(m.states) - 1) }

// step applies writes under one revision: a nil value deletes.
func (m *model) step(writes []Op) {
	state, events := maps.Clone(m.states[m.rev()]), []string(nil)
	rev := m.rev() + 1
	for _, w := range writes {
		if w.Type == PutOp {
			old, ok := state[w.Key]
			kv := KV{Key: w.Key, Value: w.Value, CreateRev: rev, ModRev: rev, Version: 1, Lease: w.Lease}
			if ok {
				kv.CreateRev, kv.Version = old.CreateRev, old.Version+1
			}
			state[w.Key] = kv
			events = append(events, fmt.Sprintf("PUT %s=%s@%d", w.Key, w.Value, rev))
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(state)) {
			if covers(w.Key, w.End, key) {
				delete(state, key)
				events = append(events, fmt.Sprintf("DELETE %s@%d", key, rev))
			}
		}
	}
	if len(events) > 0 {
		m.states, m.events = append(m.states, state), append(m.events, events)
	}
}

func (m *model) list(rev int64, start, end string) []KV {
	var kvs []KV
	for _, key := range slices.Sorted(maps.Keys(m.states[rev])) {
		if covers(start, end, key) {
			kvs = append(kvs, m.states[rev][key])
		}
	}
	return kvs
}

// watcher is one watch with all that it gave out.
type watcher struct {
	*Watch
	from int64
	got  []string
}

func (w *watcher) pull(t *testing.T, max int) (alive bool) {
	events, err := w.Next(max)
	if err == ErrCompacted {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Type == Put {
			w.got = append(w.got, fmt.Sprintf("PUT %s=%s@%d", e.KV.Key, e.KV.Value, e.KV.ModRev))
		} else {
			w.got = append(w.got, fmt.Sprintf("DELETE %s@%d", e.KV.Key, e.KV.ModRev))
		}
	}
	return true
}

func TestAgainstModel(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runModel(t, rand.New(rand.NewPCG(seed, 1)), 300) })
	}
}

func runModel(t *testing.T, r *rand.Rand, steps int) {
	s, m := New(), newModel()
	now := time.Unix(0, 0).UTC()
	file := map[string][]byte{}
	var watchers []*watcher
	for i := range steps {
		now = now.Add(time.Second)
		randomWrite(t, r, s, m, now, i)
		switch r.IntN(12) {
		case 0:
			if rev := 1 + r.Int64N(m.rev()); rev > s.CompactRev() {
				if err := s.Compact(rev); err != nil {
					t.Fatal(err)
				}
			}
		case 1:
			from := 1 + r.Int64N(m.rev()+1)
			if w, err := s.Watch("", toEnd, from); err == nil {
				watchers = append(watchers, &watcher{Watch: w, from: from})
			} else if from >= s.CompactRev() {
				t.Fatalf("watch from %d: %v", from, err)
			}
		case 2, 3:
			watchers = slices.DeleteFunc(watchers, func(w *watcher) bool { return !w.pull(t, r.IntN(4)) })
		case 4:
			save(s, file)
		case 5:
			save(s, file)
			loaded := load(t, file)
			compareStores(t, s, loaded)
			for _, w := range watchers { // a restart cuts watches; clients go on from where they were
				w.s = loaded
			}
			s = loaded
		}
		compareWithModel(t, r, s, m)
	}
	for _, w := range watchers {
		if !w.pull(t, 0) {
			continue
		}
		var want []string
		for rev := w.from; rev <= m.rev(); rev++ {
			want = append(want, m.events[rev]...)
		}
		if !reflect.DeepEqual(w.got, want) {
			t.Fatalf("watch from %d gave\n%s\nwant\n%s", w.from, strings.Join(w.got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// randomValue is now short, now one that has much in common with those of before.
func randomValue(r *rand.Rand, i int) []byte {
	v := []byte(fmt.Sprint(i))
	if r.IntN(3) == 0 {
		return v
	}
	const spec = "replicas 3, image nginx, port 80, image nginx, "
	v = append(v, spec...)
	for range r.IntN(3) {
		v = append(fmt.Appendf(v, "condition %d, ", r.IntN(3)), spec...)
	}
	return v
}

// randomWrite does the same random thing to both.
func randomWrite(t *testing.T, r *rand.Rand, s *Store, m *model, now time.Time, i int) {
	key := func() string { return string(rune('a' + r.IntN(8))) }
	var lease int64
	if ids := slices.Sorted(maps.Keys(m.leases)); len(ids) > 0 && r.IntN(3) == 0 {
		lease = ids[r.IntN(len(ids))]
	}
	switch r.IntN(10) {
	case 0, 1, 2, 3:
		op := OpPut(key(), randomValue(r, i), lease)
		if _, err := s.Put(op.Key, op.Value, op.Lease); err != nil {
			t.Fatal(err)
		}
		m.step([]Op{op})
	case 4, 5:
		op := OpDelete(key(), "")
		if r.IntN(3) == 0 {
			op.End = key()
			if op.End <= op.Key {
				op.End = toEnd
			}
		}
		s.Delete(op.Key, op.End)
		m.step([]Op{op})
	case 6, 7:
		ops := []Op{OpPut("a"+key(), []byte(fmt.Sprint(i)), lease), OpDelete("b", "d"), OpPut("d", nil, 0), OpDelete("e", "")}
		if _, err := s.Txn(Txn{Then: ops}); err != nil {
			t.Fatal(err)
		}
		m.step(ops)
	case 8:
		id, err := s.Grant(0, time.Duration(1+r.IntN(40))*time.Second, now)
		if err != nil {
			t.Fatal(err)
		}
		m.leases[id] = s.leases[id].expiry
	case 9:
		s.Expire(now)
		ids := slices.Collect(maps.Keys(m.leases))
		sort.Slice(ids, func(i, j int) bool {
			a, b := m.leases[ids[i]], m.leases[ids[j]]
			return a.Before(b) || a.Equal(b) && ids[i] < ids[j]
		})
		for _, id := range ids {
			if m.leases[id].After(now) {
				continue
			}
			var ops []Op
			for _, kv := range m.list(m.rev(), "", toEnd) {
				if kv.Lease == id {
					ops = append(ops, OpDelete(kv.Key, ""))
				}
			}
			m.step(ops)
			delete(m.leases, id)
		}
	}
}

func compareWithModel(t *testing.T, r *rand.Rand, s *Store, m *model) {
	t.Helper()
	if s.Rev() != m.rev() {
		t.Fatalf("revision %d, want %d", s.Rev(), m.rev())
	}
	revs := []int64{0}
	if low := max(1, s.CompactRev()); low < m.rev() {
		revs = append(revs, low, low+r.Int64N(m.rev()-low))
	}
	for _, rev := range revs {
		got, err := s.Range("a", "e", RangeOptions{Rev: rev})
		if err != nil {
			t.Fatal(err)
		}
		at := rev
		if rev == 0 {
			at = m.rev()
		}
		want := m.list(at, "a", "e")
		if fmt.Sprint(got.KVs) != fmt.Sprint(want) {
			t.Fatalf("range at %d (compacted %d):\ngot  %v\nwant %v", rev, s.CompactRev(), got.KVs, want)
		}
	}
}

func save(s *Store, file map[string][]byte) {
	for _, c := range s.Changes() {
		if c.Value == nil {
			delete(file, string(c.Key))
		} else {
			file[string(c.Key)] = c.Value
		}
	}
	s.Saved()
}

func load(t testing.TB, file map[string][]byte) *Store {
	t.Helper()
	s, err := Load(func(yield func(k, v []byte) bool) {
		for k, v := range file { // Load takes them in any order
			if !yield([]byte(k), v) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// compareStores compares all that two stores hold: every version, lease and counter.
func compareStores(t *testing.T, a, b *Store) {
	t.Helper()
	if x, y := dump(a), dump(b); x != y {
		t.Fatalf("stores differ:\n%s\n---\n%s", x, y)
	}
}

func dump(s *Store) string {
	var b strings.Builder
	fmt.Fprintf(&b, "rev %d compacted %d last lease %d\n", s.rev, s.compacted, s.lastLease)
	s.heads.Scan(func(key string, v *version) bool {
		for ; v != nil && !v.gone; v = v.prev { // a compacted deletion may still hang on a chain
			fmt.Fprintf(&b, "%s %d.%d %v %s %d %d %d\n", key, v.ModRev, v.sub, v.deleted, v.value(), v.CreateRev, v.Version, v.Lease)
		}
		return true
	})
	for _, v := range s.log {
		fmt.Fprintf(&b, "log %x\n", v.recordKey())
	}
	s.expiries.Scan(func(l *lease) bool {
		fmt.Fprintf(&b, "\nlease %d %v %v %v", l.id, l.ttl, l.expiry, slices.Sorted(maps.Keys(l.keys)))
		return true
	})
	return b.String()
}

func TestDamagedRecords(t *testing.T) {
	s := filled(t)
	id, _ := s.Grant(0, time.Second, time.Unix(0, 0))
	s.Put("leased", []byte("x"), id)
	s.Compact(4)
	whole := map[string][]byte{}
	save(s, whole)
	for key, value := range whole {
		for _, damage := range []struct {
			name  string
			value []byte
		}{
			{"a bit flipped", append(bytes.Clone(value[:len(value)/2]), append([]byte{value[len(value)/2] ^ 4}, value[len(value)/2+1:]...)...)},
			{"cut short", value[:len(value)-1]},
			{"empty", []byte{}},
			{"another's value", seal([]byte("nothing"))},
		} {
			_, err := Load(func(yield func(k, v []byte) bool) { yield([]byte(key), damage.value) })
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", key)) {
				t.Errorf("%q, %s: %v", key, damage.name, err)
			}
		}
	}
	lost := maps.Clone(whole)
	for key := range lost {
		if strings.HasPrefix(key, leaseBucket) {
			delete(lost, key)
		}
	}
	if _, err := Load(all(lost)); err == nil || !strings.Contains(err.Error(), "lease") {
		t.Errorf("a lost lease: %v", err)
	}
	if _, err := Load(all(map[string][]byte{"strange": seal(nil)})); err == nil {
		t.Error("a strange record passes")
	}
}

func all(file map[string][]byte) func(func(k, v []byte) bool) {
	return func(yield func(k, v []byte) bool) {
		for k, v := range file {
			if !yield([]byte(k), v) {
				return
			}
		}
	}
}

func TestChangesAreStable(t *testing.T) {
	s := filled(t)
	first, second := s.Changes(), s.Changes()
	if !reflect.DeepEqual(first, second) {
		t.Error("asked twice, changes differ")
	}
	if !slices.IsSortedFunc(first, func(a, b Record) int { return bytes.Compare(a.Key, b.Key) }) {
		t.Error("records are not in key order")
	}
	s.Saved()
	if len(s.Changes()) != 0 {
		t.Error("changes after Saved")
	}
}

func FuzzLoad(f *testing.F) {
	s := filled(f)
	for _, r := range s.Changes() {
		f.Add(r.Key, r.Value)
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		Load(func(yield func(k, v []byte) bool) { yield(key, seal(value)) })
	})
}
