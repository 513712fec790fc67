package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"timonier/bot"
)

func verify(t testing.TB, path string) ([]Finding, Summary) {
	t.Helper()
	var all []Finding
	sum, err := Verify(ctx, path, Options{Wait: time.Millisecond}, func(f Finding) { all = append(all, f) })
	if err != nil {
		t.Fatal(err)
	}
	return all, sum
}

// school is a file with channels, people, replies and long names, that has been written to again and again.
func school(t testing.TB) string {
	path := filled(t, 60)
	s := open(t, path)
	var jobs []*job
	for i := range 200 {
		scope := bot.Scope{Platform: "slack", Tenant: fmt.Sprint("school-", i%10), Person: fmt.Sprint("U", i)}
		if i%20 == 0 {
			scope.Person = strings.Repeat("long", 100) + scope.Person
		}
		jobs = append(jobs, &job{done: make(chan struct{}), commit: bot.Commit{
			Writes:  []bot.Write{{Scope: scope, Changes: records("person/settings", "{}", "big", strings.Repeat("x", i*100))}},
			Answers: []bot.Answer{{Scope: scope, Request: fmt.Sprint("r", i), At: start.Add(time.Duration(i) * time.Hour / 4), Reply: []byte("ok")}},
		}})
	}
	for some := range slices.Chunk(jobs, 20) {
		s.write(some)
		for _, j := range some {
			if j.err != nil {
				t.Fatal(j.err)
			}
		}
	}
	put(t, s, bot.Scope{Platform: "slack", Tenant: "school-1"}, 0, "bank/1", "q")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVerifyWhole(t *testing.T) {
	path := school(t)
	before, _ := os.ReadFile(path)
	all, sum := verify(t, path)
	if len(all) > 0 || sum.Tenants != 10 || sum.Channels != 60+10 || sum.People != 190 || sum.Schema != Schema {
		t.Errorf("%v, %+v", all, sum)
	}
	if sum.Records != 60*20+200*2+1 || sum.Replies < 96 || sum.Replies > 200 || sum.Damaged != 0 {
		t.Errorf("%+v", sum)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err == nil {
		err = errors.Join(db.View(func(tx *bbolt.Tx) (err error) {
			for e := range tx.Check() { // bbolt finds it whole as well
				err = errors.Join(err, e)
			}
			return err
		}), db.Close())
	}
	if err != nil {
		t.Error(err)
	}
	held := open(t, path)
	defer held.Close()
	if _, err := Verify(ctx, path, Options{Wait: time.Millisecond}, func(Finding) {}); !errors.Is(err, ErrLocked) {
		t.Errorf("of a file in use: %v", err)
	}
}

func patch(t testing.TB, path string, page uint64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(with, int64(page)*4096)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Every torn page that is in use is found, none crashes, and what is said to be whole can be read.
func TestVerifyFindsTornPages(t *testing.T) {
	path := school(t)
	whole, _ := os.ReadFile(path)
	f, _ := os.Open(path)
	m, _, _ := newest(f)
	v := newVerifier(ctx, f, m, func(Finding) {})
	if err := v.run(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	r := rand.New(rand.NewPCG(3, 3))
	named := 0
	for page := uint64(0); page < m.pages; page += 1 + page/15 {
		for _, how := range []string{"random", "zero", "of another page"} {
			at := bytes.Clone(whole[page*4096 : page*4096+4096])
			switch how {
			case "random":
				for i := range 512 {
					at[i] = byte(r.Uint32())
				}
			case "zero":
				clear(at)
			default:
				copy(at, whole[(page+1)%m.pages*4096:])
			}
			patch(t, path, page, at)
			found, sum := verify(t, path)
			patch(t, path, page, whole[page*4096:page*4096+4096])
			inUse := page < 2 || v.used.has(page) && binary.NativeEndian.Uint64(whole[page*4096:]) == page
			if inUse && len(found) == 0 && !bytes.Equal(whole[page*4096:page*4096+4096], at) {
				t.Errorf("page %d torn (%s): nothing found", page, how)
			}
			if page >= 2 && !v.used.has(page) && sum.Damages > 0 {
				t.Errorf("page %d is free, and yet %v", page, found)
			}
			if slices.ContainsFunc(found, func(f Finding) bool { return f.Where.Person+f.Where.Channel != "" && f.Where.Tenant != "" }) {
				named++
			}
		}
	}
	if named < 20 {
		t.Errorf("whose a page is has been told of %d only", named)
	}
}

// A file that is cut short tells what is left.
func TestVerifyCut(t *testing.T) {
	path := school(t)
	whole, _ := os.ReadFile(path)
	for n := 4096; n < len(whole); n += len(whole) / 30 {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if all, sum := verify(t, path); n < len(whole)/2 && sum.Damages == 0 {
			t.Errorf("cut to %d: %v", n, all)
		}
	}
}

// A way that leads back is not followed for ever.
func TestVerifyCircle(t *testing.T) {
	path := school(t)
	whole, _ := os.ReadFile(path)
	n := binary.NativeEndian
	circles := 0
	for at := 2 * 4096; at < len(whole); at += 4096 {
		if page := whole[at:]; n.Uint16(page[8:]) == branchPage && n.Uint64(page) == uint64(at/4096) {
			n.PutUint64(page[headerSize+8:], uint64(at/4096))
			circles++
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if all, sum := verify(t, path); circles == 0 || sum.Damages == 0 {
		t.Errorf("%d circles: %v", circles, all)
	}
}

// What bbolt finds right and this program would never write.
func TestVerifyShapes(t *testing.T) {
	tenant := func(tx *bbolt.Tx) *bbolt.Bucket {
		return tenantBucket(tx, bot.Scope{Platform: "slack", Tenant: "school-1"})
	}
	channel := func(tx *bbolt.Tx) *bbolt.Bucket {
		return scopeBucket(tx, bot.Scope{Platform: "slack", Tenant: "school-1", Channel: "11"})
	}
	for name, tt := range map[string]struct {
		spoil func(tx *bbolt.Tx) error
		kind  Kind
		where Part
	}{
		"no version":      {func(tx *bbolt.Tx) error { return channel(tx).Delete(versionKey) }, BadValue, ScopeRecord},
		"a short version": {func(tx *bbolt.Tx) error { return channel(tx).Put(versionKey, []byte{1}) }, BadValue, ScopeRecord},
		"a strange key":   {func(tx *bbolt.Tx) error { return channel(tx).Put([]byte("x"), nil) }, BadValue, ScopeRecord},
		"a NUL in a key":  {func(tx *bbolt.Tx) error { return channel(tx).Put([]byte("ra\x00b"), nil) }, BadValue, ScopeRecord},
		"a piece missing": {func(tx *bbolt.Tx) error { return channel(tx).Put(pieceKey([]byte("rbig"), 2), []byte("x")) }, BadValue, ScopeRecord},
		"a reply's piece missing": {func(tx *bbolt.Tx) error {
			return tenant(tx).Bucket(repliesBucket).Put(pieceKey(name("r191"), 1), []byte("x"))
		}, BadPiece, Replies},
		"no schema":        {func(tx *bbolt.Tx) error { return tx.Bucket(ownBucket).Delete(schemaKey) }, BadSchema, Whole},
		"no ages":          {func(tx *bbolt.Tx) error { return tx.DeleteBucket(agesBucket) }, NoBucket, Whole},
		"another's bucket": {func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("photos")); return err }, Stranger, Whole},
		"a tenant's name":  {func(tx *bbolt.Tx) error { _, err := tx.Bucket(tenantsBucket).CreateBucket([]byte("x")); return err }, BadName, TenantList},
		"a channel's name": {func(tx *bbolt.Tx) error {
			_, err := tenant(tx).Bucket(scopesBucket).CreateBucket(name("class", "x"))
			return err
		}, BadName, ScopeList},
		"a short reply":     {func(tx *bbolt.Tx) error { return tenant(tx).Bucket(repliesBucket).Put(name("r1"), []byte("x")) }, BadValue, Replies},
		"an age alone":      {func(tx *bbolt.Tx) error { return tenant(tx).Bucket(repliesBucket).Delete(name("r191")) }, NoReply, Ages},
		"a reply alone":     {func(tx *bbolt.Tx) error { return tenant(tx).Bucket(repliesBucket).Put(name("new"), moment(start)) }, NoAge, Replies},
		"an age of no kind": {func(tx *bbolt.Tx) error { return tx.Bucket(agesBucket).Put([]byte("x"), nil) }, BadValue, Ages},
	} {
		t.Run(name, func(t *testing.T) {
			path := school(t)
			db, err := bbolt.Open(path, 0o600, nil)
			if err == nil {
				err = errors.Join(db.Update(tt.spoil), db.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
			all, _ := verify(t, path)
			if !slices.ContainsFunc(all, func(f Finding) bool { return f.Kind == tt.kind && f.Where.Part == tt.where }) {
				t.Errorf("%+v", all)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("not a database\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, dir} {
		if _, err := Verify(ctx, path, Options{}, nil); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Verify(ctx, filepath.Join(dir, "none"), Options{}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Verify(over, school(t), Options{}, func(Finding) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
}

func BenchmarkVerifyThousandChannels(b *testing.B) {
	path := filled(b, 1000)
	for b.Loop() {
		if _, sum := verify(b, path); sum.Channels != 1000 || sum.Damages > 0 {
			b.Fatalf("%+v", sum)
		}
	}
}

// A file that is cut short says how much of it is missing, before it says which pages.
func TestVerifyShort(t *testing.T) {
	path := school(t)
	_, was := verify(t, path)
	if err := os.Truncate(path, int64(was.Pages/2)*int64(os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	all, sum := verify(t, path)
	if len(all) < 2 || all[0].Kind != Short || all[0].Page != was.Pages/2 || all[0].Number != was.Pages || !all[0].Damage() || sum.Damages != len(all) {
		t.Errorf("%+v of %+v, %+v", sum, was, all)
	}
}
