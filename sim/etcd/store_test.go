package etcd

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// show writes a range's answer on one line: key=value@modified(created,version)…
func show(r RangeResponse, err error) string {
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, kv := range r.KVs {
		fmt.Fprintf(&b, "%s=%s@%d(%d,%d) ", kv.Key, kv.Value, kv.ModRev, kv.CreateRev, kv.Version)
	}
	fmt.Fprintf(&b, "count %d rev %d", r.Count, r.Rev)
	if r.More {
		b.WriteString(" more")
	}
	return b.String()
}

// filled is a store whose history is: 2 a=1, 3 b=1, 4 a=2, 5 b gone, 6 c=1, 7 b=2.
func filled(t testing.TB) *Store {
	s := New()
	for _, w := range []string{"a=1", "b=1", "a=2", "b", "c=1", "b=2"} {
		key, value, put := strings.Cut(w, "=")
		if !put {
			s.Delete(key, "")
		} else if _, err := s.Put(key, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestRange(t *testing.T) {
	for _, c := range []struct {
		name, key, end string
		compact        int64
		o              RangeOptions
		want           string
	}{
		{"all", "", toEnd, 0, RangeOptions{}, "a=2@4(2,2) b=2@7(7,1) c=1@6(6,1) count 3 rev 7"},
		{"one", "a", "", 0, RangeOptions{}, "a=2@4(2,2) count 1 rev 7"},
		{"none", "aa", "", 0, RangeOptions{}, "count 0 rev 7"},
		{"half open", "a", "c", 0, RangeOptions{}, "a=2@4(2,2) b=2@7(7,1) count 2 rev 7"},
		{"prefix", "b", PrefixEnd("b"), 0, RangeOptions{}, "b=2@7(7,1) count 1 rev 7"},
		{"limit", "a", toEnd, 0, RangeOptions{Limit: 2}, "a=2@4(2,2) b=2@7(7,1) count 3 rev 7 more"},
		{"limit just enough", "a", toEnd, 0, RangeOptions{Limit: 3}, "a=2@4(2,2) b=2@7(7,1) c=1@6(6,1) count 3 rev 7"},
		{"count", "a", toEnd, 0, RangeOptions{CountOnly: true}, "count 3 rev 7"},
		{"keys", "a", "b", 0, RangeOptions{KeysOnly: true}, "a=@4(2,2) count 1 rev 7"},
		{"past", "a", toEnd, 0, RangeOptions{Rev: 3}, "a=1@2(2,1) b=1@3(3,1) count 2 rev 7"},
		{"past deletion", "a", toEnd, 0, RangeOptions{Rev: 5}, "a=2@4(2,2) count 1 rev 7"},
		{"before all", "a", toEnd, 0, RangeOptions{Rev: 1}, "count 0 rev 7"},
		{"future", "a", toEnd, 0, RangeOptions{Rev: 8}, ErrFutureRev.Error()},
		{"compacted", "a", toEnd, 4, RangeOptions{Rev: 3}, ErrCompacted.Error()},
		{"at the compaction", "a", toEnd, 4, RangeOptions{Rev: 4}, "a=2@4(2,2) b=1@3(3,1) count 2 rev 7"},
		{"at a compacted deletion", "a", toEnd, 5, RangeOptions{Rev: 5}, "a=2@4(2,2) count 1 rev 7"},
		{"now, all compacted", "a", toEnd, 7, RangeOptions{}, "a=2@4(2,2) b=2@7(7,1) c=1@6(6,1) count 3 rev 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := filled(t)
			if c.compact > 0 {
				if err := s.Compact(c.compact); err != nil {
					t.Fatal(err)
				}
			}
			if got := show(s.Range(c.key, c.end, c.o)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPrefixEnd(t *testing.T) {
	for prefix, want := range map[string]string{"a": "b", "a\xff": "b", "\xff": toEnd, "": toEnd, "/registry/pods/": "/registry/pods0"} {
		if got := PrefixEnd(prefix); got != want {
			t.Errorf("PrefixEnd(%q) = %q, want %q", prefix, got, want)
		}
	}
}

func TestCompact(t *testing.T) {
	s := filled(t)
	for _, c := range []struct {
		rev  int64
		want error
	}{{0, ErrCompacted}, {8, ErrFutureRev}, {5, nil}, {5, ErrCompacted}, {4, ErrCompacted}, {7, nil}} {
		if err := s.Compact(c.rev); err != c.want {
			t.Errorf("Compact(%d): %v, want %v", c.rev, err, c.want)
		}
	}
	if len(s.log) != 1 {
		t.Errorf("%d versions in the log, want that of revision 7 alone", len(s.log))
	}
	if v, _ := s.heads.Get("a"); v.prev != nil {
		t.Error("the first value of a is still there")
	}
}

func TestRefusals(t *testing.T) {
	s := New()
	big := make([]byte, MaxRequestBytes)
	many := make([]Op, MaxTxnOps+1)
	for i := range many {
		many[i] = OpPut(fmt.Sprint(i), nil, 0)
	}
	put := func(key string, value []byte, lease int64) error { _, err := s.Put(key, value, lease); return err }
	txn := func(t Txn) error { _, err := s.Txn(t); return err }
	for _, c := range []struct {
		name      string
		got, want error
	}{
		{"no key", put("", nil, 0), ErrEmptyKey},
		{"too large", put("k", big, 0), ErrTooLarge},
		{"just fits", put("k", big[1:], 0), nil},
		{"no such lease", put("k", nil, 7), ErrLeaseNotFound},
		{"many ops", txn(Txn{Then: many}), ErrTooManyOps},
		{"as many as may be", txn(Txn{Then: many[1:]}), nil},
		{"large together", txn(Txn{Then: []Op{OpPut("a", big[:1<<20], 0)}, Else: []Op{OpPut("b", big[:1<<20], 0)}}), ErrTooLarge},
		{"one key twice", txn(Txn{Then: []Op{OpPut("a", nil, 0), OpPut("a", nil, 0)}}), ErrDuplicateKey},
		{"put and deleted", txn(Txn{Then: []Op{OpPut("b", nil, 0), OpDelete("a", "c")}}), ErrDuplicateKey},
		{"lease in a txn", txn(Txn{Then: []Op{OpPut("x", nil, 0), OpPut("y", nil, 9)}}), ErrLeaseNotFound},
		{"future in a txn", txn(Txn{Then: []Op{OpPut("x", nil, 0), OpRange("y", "", RangeOptions{Rev: 99})}}), ErrFutureRev},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	if _, ok := s.Get("x"); ok {
		t.Error("a refused transaction wrote")
	}
	if s.Rev() != 3 {
		t.Errorf("revision %d, want 3", s.Rev())
	}
}

func TestTxn(t *testing.T) {
	then, other := []Op{OpPut("then", nil, 0)}, []Op{OpPut("else", nil, 0)}
	for _, c := range []struct {
		name string
		cmp  Cmp
		want bool
	}{
		{"version", Cmp{"a", Version, Equal, 2, nil}, true},
		{"created", Cmp{"a", CreateRev, Equal, 2, nil}, true},
		{"modified", Cmp{"a", ModRev, Equal, 4, nil}, true},
		{"modified since", Cmp{"a", ModRev, Equal, 2, nil}, false},
		{"greater", Cmp{"a", ModRev, Greater, 3, nil}, true},
		{"less", Cmp{"a", ModRev, Less, 4, nil}, false},
		{"not equal", Cmp{"a", Lease, NotEqual, 0, nil}, false},
		{"value", Cmp{"a", Value, Equal, 0, []byte("2")}, true},
		{"value less", Cmp{"a", Value, Less, 0, []byte("3")}, true},
		{"value of none", Cmp{"zz", Value, NotEqual, 0, []byte("3")}, false},
		{"absent", Cmp{"zz", ModRev, Equal, 0, nil}, true},
		{"deleted", Cmp{"b", CreateRev, Equal, 7, nil}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := filled(t)
			r, err := s.Txn(Txn{If: []Cmp{c.cmp}, Then: then, Else: other})
			if err != nil || r.Succeeded != c.want || r.Rev != 8 {
				t.Fatalf("got %+v, %v, want %v", r, err, c.want)
			}
			if _, ok := s.Get("then"); ok != c.want {
				t.Errorf("then: %v, want %v", ok, c.want)
			}
			if _, ok := s.Get("else"); ok == c.want {
				t.Errorf("else: %v, want %v", ok, !c.want)
			}
		})
	}
}

func TestTxnIsOneRevision(t *testing.T) {
	s := filled(t)
	w, _ := s.Watch("", toEnd, 8)
	r, err := s.Txn(Txn{Then: []Op{
		OpPut("d", []byte("1"), 0), OpDelete("a", "c"), OpRange("a", toEnd, RangeOptions{}), OpPut("e", []byte("1"), 0)}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(r.Responses[2].Range, nil), "c=1@6(6,1) d=1@8(8,1) count 2 rev 7"; got != want {
		t.Errorf("range within: %s, want %s", got, want)
	}
	if len(r.Responses[1].Deleted) != 2 || r.Rev != 8 || s.Rev() != 8 {
		t.Errorf("got %+v at %d", r, s.Rev())
	}
	events, _ := w.Next(1)
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %s@%d", e.Type, e.KV.Key, e.KV.ModRev))
	}
	if want := "PUT d@8,DELETE a@8,DELETE b@8,PUT e@8"; strings.Join(got, ",") != want {
		t.Errorf("watched %v, want %s, whole though one was asked for", got, want)
	}
	if r, _ := s.Txn(Txn{Then: []Op{OpDelete("zzz", ""), OpRange("d", "", RangeOptions{})}}); r.Rev != 8 || s.Rev() != 8 {
		t.Errorf("a transaction that writes nothing made revision %d", s.Rev())
	}
}

func TestWatch(t *testing.T) {
	s := filled(t)
	next := func(w *Watch, max int) string {
		events, err := w.Next(max)
		if err != nil {
			return err.Error()
		}
		var b strings.Builder
		for _, e := range events {
			fmt.Fprintf(&b, "%s %s=%s@%d", e.Type, e.KV.Key, e.KV.Value, e.KV.ModRev)
			if e.Prev != nil {
				fmt.Fprintf(&b, " was %s", e.Prev.Value)
			}
			b.WriteString("; ")
		}
		return b.String()
	}
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	w, _ := s.Watch("b", PrefixEnd("b"), 2)
	check(next(w, 2), "PUT b=1@3; DELETE b=@5 was 1; ")
	check(next(w, 2), "PUT b=2@7; ")
	check(next(w, 2), "")
	s.Put("other", nil, 0)
	check(next(w, 2), "")
	s.Put("b", []byte("3"), 0)
	check(next(w, 0), "PUT b=3@9 was 2; ")

	idle, _ := s.Watch("b", "", 0)
	future, _ := s.Watch("b", "", 12)
	s.Put("b", []byte("4"), 0)
	check(next(idle, 0), "PUT b=4@10 was 3; ")
	check(next(future, 0), "")
	s.Put("b", []byte("5"), 0)
	s.Put("b", []byte("6"), 0)
	check(next(future, 0), "PUT b=6@12 was 5; ")

	behind, _ := s.Watch("b", "", 11)
	s.Compact(12)
	check(next(behind, 0), ErrCompacted.Error())
	if _, err := s.Watch("b", "", 11); err != ErrCompacted {
		t.Errorf("watch from a compacted revision: %v", err)
	}
	edge, err := s.Watch("b", "", 12)
	if err != nil {
		t.Fatal(err)
	}
	check(next(edge, 0), "PUT b=6@12; ")
}

func TestLeases(t *testing.T) {
	s, now := New(), time.Unix(1000, 0)
	id, err := s.Grant(0, 10*time.Second, now)
	if err != nil || id == 0 {
		t.Fatal(id, err)
	}
	if _, err := s.Grant(id, time.Second, now); err != ErrLeaseExists {
		t.Errorf("granted twice: %v", err)
	}
	if _, err := s.Grant(0, 0, now); err != ErrLeaseTTL {
		t.Errorf("no time to live: %v", err)
	}
	s.Grant(77, 20*time.Second, now)
	for _, key := range []string{"c", "b", "a"} {
		s.Put(key, []byte(key), id)
	}
	s.Put("b", nil, 77) // moves
	s.Put("c", nil, 0)  // leaves
	if at, ok := s.NextExpiry(); !ok || !at.Equal(now.Add(10*time.Second)) {
		t.Errorf("next expiry %v", at)
	}
	if err := s.KeepAlive(id, now.Add(5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if revoked, _ := s.Expire(now.Add(14 * time.Second)); revoked != nil {
		t.Errorf("revoked %v though kept alive", revoked)
	}
	rev := s.Rev()
	revoked, deleted := s.Expire(now.Add(20 * time.Second))
	if fmt.Sprint(revoked) != fmt.Sprint([]int64{id, 77}) || len(deleted) != 2 || deleted[0].Key != "a" || deleted[1].Key != "b" {
		t.Errorf("revoked %v, deleted %v", revoked, deleted)
	}
	if s.Rev() != rev+2 {
		t.Errorf("two leases with keys make two revisions, not %d", s.Rev()-rev)
	}
	if _, ok := s.Get("c"); !ok {
		t.Error("a key that left its lease went with it")
	}
	if err := s.KeepAlive(id, now); err != ErrLeaseNotFound {
		t.Errorf("kept alive after its end: %v", err)
	}
	if _, ok := s.NextExpiry(); ok {
		t.Error("a lease is left")
	}
}
