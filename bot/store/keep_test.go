package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"timonier/bot"
)

// files are the names in a file's directory.
func files(t testing.TB, path string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// A copy that is made while others write holds one moment: of two records that are always written
// together, it never has but one.
func TestBackupWhileWriting(t *testing.T) {
	path := school(t)
	s := open(t, path)
	defer s.Close()
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := uint64(0); ; i++ {
			select {
			case <-stop:
				return
			default:
				put(t, s, place, i, "a", fmt.Sprint(i+1), "b", fmt.Sprint(i+1))
			}
		}
	})
	for i := range 5 {
		to := filepath.Join(filepath.Dir(path), fmt.Sprint("copy-", i, ".db"))
		if sum, err := s.Backup(ctx, to); err != nil || sum.Damages > 0 || sum.Channels < 70 {
			t.Fatalf("%+v, %v", sum, err)
		}
		copied := open(t, to)
		all, version, err := copied.Read(ctx, place, "")
		if err != nil || len(all) == 2 && !(bytes.Equal(all[0].Value, all[1].Value) && string(all[0].Value) == fmt.Sprint(version)) || len(all) == 1 {
			t.Errorf("copy %d: %v at %d, %v", i, all, version, err)
		}
		copied.Close()
		if _, err := s.Backup(ctx, to); !errors.Is(err, ErrExists) {
			t.Errorf("over another: %v", err)
		}
		if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
	close(stop)
	writing.Wait()
	if got := files(t, path); len(got) != 6 {
		t.Errorf("left %v", got)
	}
}

func TestBackupRefuses(t *testing.T) {
	path := school(t)
	s := open(t, path)
	to := filepath.Join(filepath.Dir(path), "copy.db")
	if _, err := Backup(ctx, path, to); !errors.Is(err, ErrLocked) {
		t.Errorf("in use: %v", err)
	}
	if _, err := s.Backup(ctx, filepath.Join(filepath.Dir(path), "none", "copy.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	s.Close()
	if sum, err := Backup(ctx, path, to); err != nil || sum.Channels != 70 {
		t.Errorf("%+v, %v", sum, err)
	}
	os.Remove(to)
	tear(t, path, bot.Scope{Platform: "slack", Tenant: "school-1", Channel: "11"})
	var e *Error
	if _, err := Backup(ctx, path, to); !errors.Is(err, ErrDamaged) || !errors.As(err, &e) || e.Path != path {
		t.Errorf("damaged: %v", err)
	}
	s = open(t, path)
	defer s.Close()
	if _, err := s.Backup(ctx, to); !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged, at work: %v", err)
	}
	if got := files(t, path); len(got) != 1 {
		t.Errorf("left %v", got)
	}
}

// tear spoils the page of a channel that has one of its own.
func tear(t testing.TB, path string, scope bot.Scope) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	page := uint64(0)
	_ = db.View(func(tx *bbolt.Tx) error { page = uint64(scopeBucket(tx, scope).Root()); return nil })
	if db.Close(); page == 0 {
		t.Fatal("it has no page of its own")
	}
	patch(t, path, page, bytes.Repeat([]byte("torn"), 1024))
}

func TestRestore(t *testing.T) {
	path := school(t)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := Backup(ctx, path, backup); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	put(t, s, place, 0, "k", "later")
	if _, _, err := Restore(ctx, backup, path, start); !errors.Is(err, ErrLocked) {
		t.Errorf("in use: %v", err)
	}
	s.Close()
	later, _ := os.ReadFile(path)
	aside, sum, err := Restore(ctx, backup, path, start)
	if err != nil || aside != path+".20260302T090000Z" || sum.Channels != 70 {
		t.Fatalf("%s, %+v, %v", aside, sum, err)
	}
	if kept, _ := os.ReadFile(aside); !bytes.Equal(kept, later) {
		t.Error("the present file was not kept")
	}
	if again, _, err := Restore(ctx, backup, path, start); err != nil || again != aside+"-2" {
		t.Errorf("a second time in the same second: %s, %v", again, err)
	}
	s = open(t, path)
	if got := show(t, s, place, ""); got != "0:" {
		t.Errorf("restored: %s", got)
	}
	s.Close()
	// A damaged file is replaced; by a damaged one it is not.
	tear(t, path, bot.Scope{Platform: "slack", Tenant: "school-1", Channel: "11"})
	if _, _, err := Restore(ctx, path, backup, start); !errors.Is(err, ErrDamaged) {
		t.Errorf("from a damaged one: %v", err)
	}
	if err := os.Truncate(path, 5000); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Restore(ctx, backup, path, start.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if _, sum := verify(t, path); sum.Damages > 0 || sum.Channels != 70 {
		t.Errorf("%+v", sum)
	}
	elsewhere := filepath.Join(t.TempDir(), "new", "timonier.db")
	if aside, _, err := Restore(ctx, backup, elsewhere, start); err != nil || aside != "" {
		t.Errorf("%s, %v", aside, err)
	}
	if got := files(t, path); len(got) != 4 {
		t.Errorf("left %v", got)
	}
	if aside, _, err := Restore(ctx, backup, filepath.Dir(path), start); !errors.Is(err, ErrForeign) || aside != "" { // nor is all that is beside it set aside
		t.Errorf("in a directory's place: %s, %v", aside, err)
	}
}

func TestCompact(t *testing.T) {
	path := school(t)
	s := open(t, path)
	if _, _, _, err := Compact(ctx, path, Options{}, start); !errors.Is(err, ErrLocked) {
		t.Errorf("in use: %v", err)
	}
	for c := range 50 { // much of it goes
		err := s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: bot.Scope{Platform: "slack", Tenant: fmt.Sprint("school-", c%10), Channel: fmt.Sprint(c)}, Base: 1, Drop: []string{""}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := show(t, s, bot.Scope{Platform: "slack", Tenant: "school-9", Channel: "59"}, "")
	s.Close()
	aside, before, after, err := Compact(ctx, path, Options{}, start)
	if err != nil || after > before*4/5 {
		t.Fatalf("%s: from %d to %d, %v", aside, before, after, err)
	}
	if all, sum := verify(t, path); len(all) > 0 || sum.Channels != 70 || sum.People != 190 {
		t.Errorf("%v, %+v", all, sum)
	}
	s = open(t, path)
	defer s.Close()
	if got := show(t, s, bot.Scope{Platform: "slack", Tenant: "school-9", Channel: "59"}, ""); got != want {
		t.Errorf("%s, not %s", got, want)
	}
	if _, sum := verify(t, aside); sum.Damages > 0 || len(files(t, path)) != 2 {
		t.Errorf("%+v, %v", sum, files(t, path))
	}
}

func BenchmarkBackupThousandChannels(b *testing.B) {
	path := filled(b, 1000)
	s := open(b, path)
	defer s.Close()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Backup(ctx, filepath.Join(b.TempDir(), fmt.Sprint(i))); err != nil {
			b.Fatal(err)
		}
	}
}
