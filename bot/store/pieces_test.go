package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
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
