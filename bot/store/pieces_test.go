package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"timonier/bot"
)

// inPieces checks that no record has a page, or most of one, for itself.
func inPieces(t *testing.T, s *Store) {
	t.Helper()
	if err := s.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(tenantsBucket).ForEachBucket(func(tenant []byte) error {
			scopes := tx.Bucket(tenantsBucket).Bucket(tenant).Bucket(scopesBucket)
			if scopes == nil {
				return nil
			}
			return scopes.ForEachBucket(func(scope []byte) error {
				return scopes.Bucket(scope).ForEach(func(k, v []byte) error {
					if size := elementSize + len(k) + len(v); size > pieceElement && len(v) > leastPiece {
						t.Errorf("%.40q has %d bytes", k, size)
					}
					return nil
				})
			})
		})
	}); err != nil {
		t.Fatal(err)
	}
}

// Values of any length come and go, longer and shorter than before; there is what was written last, and nothing of what was before.
func TestPieces(t *testing.T) {
	s, path := temp(t)
	s.db.NoSync = true // nothing is to survive this
	r := rand.New(rand.NewPCG(5, 5))
	now := map[string]string{}
	long := strings.Repeat("k", 1500) // with a key so long, pieces are as short as any
	keys := []string{"a", "a/b", "a0", "a\x01", "b", long}
	edge := pieceOf([]byte("ra"))
	lengths := []int{0, 1, edge - 1, edge, edge + 1, 2*edge - 1, 2 * edge, 2*edge + 1, 5000, 40_000}
	for version := range uint64(400) {
		w := bot.Write{Scope: place, Base: version}
		if r.IntN(20) == 0 {
			drop := []string{"a", "a/", "b", ""}[r.IntN(4)]
			w.Drop = []string{drop}
			for k := range now {
				if strings.HasPrefix(k, drop) {
					delete(now, k)
				}
			}
		}
		for _, k := range keys {
			switch r.IntN(4) {
			case 0:
				v := bytes.Repeat([]byte{byte(r.IntN(3))}, lengths[r.IntN(len(lengths))])
				w.Changes = append(w.Changes, bot.Record{Key: k, Value: v})
				now[k] = string(v)
			case 1:
				w.Changes = append(w.Changes, bot.Record{Key: k})
				delete(now, k)
			}
		}
		request := fmt.Sprint("r", version)
		reply := bytes.Repeat([]byte("x"), lengths[r.IntN(len(lengths))])
		at := start.Add(KeepReplies / 100 * time.Duration(version))
		if err := s.Commit(ctx, bot.Commit{Writes: []bot.Write{w}, Answers: []bot.Answer{{Scope: place, Request: request, At: at, Reply: reply}}}); err != nil {
			t.Fatal(err)
		}
		if got, found, err := s.Answered(ctx, place, request); err != nil || !found || !bytes.Equal(got, reply) {
			t.Fatalf("reply of %d bytes: %d bytes, %t, %v", len(reply), len(got), found, err)
		}
		for _, prefix := range []string{"", "a", "a/", keys[version%uint64(len(keys))]} {
			got, _, err := s.Read(ctx, place, prefix)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{}
			for k := range now {
				if strings.HasPrefix(k, prefix) {
					want = append(want, k)
				}
			}
			if slices.Sort(want); len(want) != len(got) {
				t.Fatalf("at %d, of %q: %d records, not %d", version, prefix, len(got), len(want))
			}
			for i, rec := range got {
				if rec.Key != want[i] || string(rec.Value) != now[rec.Key] || rec.Value == nil {
					t.Fatalf("at %d: %.10q has %d bytes, not %d", version, rec.Key, len(rec.Value), len(now[want[i]]))
				}
			}
		}
	}
	inPieces(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if all, sum := verify(t, path); len(all) > 0 || sum.Records != len(now) || sum.Replies < 100 || sum.Replies > 130 {
		t.Errorf("%d records of %d, %d replies: %+v", sum.Records, len(now), sum.Replies, all)
	}
}

// A key that could be a piece's is refused, and nothing of its commit is written.
func TestKeyWithNUL(t *testing.T) {
	s, _ := temp(t)
	if err := s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: place, Changes: records("a", "1", "a\x00b", "2")}}}); err == nil {
		t.Error("written")
	}
	if got := show(t, s, place, ""); got != "0:" {
		t.Error(got)
	}
}

// Long records of an earlier file are cut over several transactions, between any of which the program may end.
func TestCutRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	s, err := Open(ctx, path, Options{layout: &layout{schema: 1}})
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Repeat([]byte("as it was. "), 90_000)
	want := map[bot.Scope]string{}
	for n := range 10 {
		scope := bot.Scope{Platform: "slack", Tenant: fmt.Sprint("school-", n%3), Channel: fmt.Sprint(n)}
		want[scope] = string(long[n:])
		put(t, s, scope, 0, "short", "s")
		if err := s.db.Update(func(tx *bbolt.Tx) error { // as an earlier program did
			return scopeBucket(tx, scope).Put([]byte("rlong"), long[n:])
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cut, steps := errors.New("the power is cut"), 0
	stopped := current()
	whole := stopped.migrations[0].some
	stopped.migrations[0].some = func(tx *bbolt.Tx, after []byte) ([]byte, error) {
		if steps++; steps == 2 {
			return nil, cut
		}
		return whole(tx, after)
	}
	if _, err := Open(ctx, path, Options{layout: stopped}); !errors.Is(err, cut) {
		t.Fatalf("interrupted: %v", err)
	}
	resumed := false
	if s, err = Open(ctx, path, Options{Migrating: func(m Migration) error { resumed = m.Resumed; return nil }}); err != nil || !resumed {
		t.Fatalf("resumed %t: %v", resumed, err)
	}
	inPieces(t, s)
	for scope, value := range want {
		if got, _, err := s.Read(ctx, scope, ""); err != nil || len(got) != 2 || string(got[0].Value) != value || string(got[1].Value) != "s" {
			t.Errorf("%v: %d records, %v", scope, len(got), err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if all, sum := verify(t, path); len(all) > 0 || sum.Schema != Schema || sum.Records != 20 {
		t.Errorf("%+v: %v", sum, all)
	}
}
