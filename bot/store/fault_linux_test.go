package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"timonier/bot"
)

// faulty is a store whose file can be changed for another under it.
type faulty struct {
	*Store
	t    *testing.T
	path string
	fd   int
	file int // the true one, held
}

func openFaulty(t *testing.T, path string) *faulty {
	t.Helper()
	f := &faulty{t: t, path: path}
	o := Options{OpenFile: func(name string, flag int, perm fs.FileMode) (*os.File, error) {
		file, err := os.OpenFile(name, flag, perm)
		if err == nil {
			f.fd = int(file.Fd())
			f.file, err = syscall.Dup(f.fd)
		}
		return file, err
	}}
	var err error
	if f.Store, err = Open(ctx, path, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(f.file) })
	return f
}

// becomes has what is written go elsewhere from now on.
func (f *faulty) becomes(path string, flag int) {
	f.t.Helper()
	other, err := os.OpenFile(path, flag, 0)
	if err == nil {
		err = syscall.Dup3(int(other.Fd()), f.fd, 0)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	other.Close()
}

// mends has it go to the file again.
func (f *faulty) mends() {
	f.t.Helper()
	if err := syscall.Dup3(f.file, f.fd, 0); err != nil {
		f.t.Fatal(err)
	}
}

func asked(base uint64, value string) bot.Commit {
	return bot.Commit{Writes: []bot.Write{{Scope: place, Base: base, Changes: records("k", value)}},
		Answers: []bot.Answer{{Scope: place, Request: value, At: start, Reply: []byte("ok")}}}
}

// is says whether there is what was committed last, and whether the file is whole.
func is(t *testing.T, path, want string) {
	t.Helper()
	if all, sum := verify(t, path); sum.Damages > 0 {
		t.Errorf("%+v, %v", sum, all)
	}
	s := open(t, path)
	defer s.Close()
	if got := show(t, s, place, ""); got != want {
		t.Errorf("there is %s, not %s", got, want)
	}
}

// A file that may not be written any more is read on, and says so; once it may be, all goes on.
func TestReadOnlyWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	f := openFaulty(t, path)
	if err := f.Commit(ctx, asked(0, "one")); err != nil {
		t.Fatal(err)
	}
	f.becomes(path, os.O_RDONLY)
	if err := f.Commit(ctx, asked(1, "two")); !errors.Is(err, ErrReadOnly) {
		t.Errorf("written: %v", err)
	}
	if got := show(t, f.Store, place, ""); got != "1: k=one" {
		t.Errorf("read: %s", got)
	}
	if err := f.Check(ctx); !errors.Is(err, ErrReadOnly) {
		t.Errorf("check: %v", err)
	}
	f.mends()
	if err := f.Commit(ctx, asked(1, "three")); err != nil {
		t.Errorf("mended: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	is(t, path, "2: k=three")
}

// What a disk takes and does not say that it keeps is not told as refused, for all that were in the
// transaction; after it nothing is done until the file is opened anew.
func TestNotKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	f := openFaulty(t, path)
	for base, value := range []string{string(make([]byte, 60<<10)), "a", "one"} { // so that there are free pages: the file need not grow
		if err := f.Commit(ctx, asked(uint64(base), value)); err != nil {
			t.Fatal(err)
		}
	}
	f.becomes("/dev/null", os.O_RDWR) // it takes everything, and cannot sync
	f.turn <- struct{}{}
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			c := asked(0, fmt.Sprint("two-", i))
			c.Writes[0].Scope.Channel += fmt.Sprint(i)
			if err := f.Commit(ctx, c); !errors.Is(err, bot.ErrUnsure) {
				t.Errorf("commit %d: %v", i, err)
			}
		})
	}
	for n := 0; n < 3; {
		f.mu.Lock()
		n = len(f.waiting)
		f.mu.Unlock()
	}
	<-f.turn
	all.Wait()
	f.mends()
	if err := f.Commit(ctx, asked(3, "three")); !errors.Is(err, bot.ErrStopped) || errors.Is(err, bot.ErrUnsure) {
		t.Errorf("after it: %v", err)
	}
	if _, _, err := f.Read(ctx, place, ""); !errors.Is(err, bot.ErrStopped) {
		t.Errorf("read after it: %v", err)
	}
	if err := f.Check(ctx); !errors.Is(err, bot.ErrStopped) {
		t.Errorf("check: %v", err)
	}
	_ = f.db.Close() // the process ends
	is(t, path, "3: k=one")
}

// The disk is told to keep the pages of a commit before the first page that names them is written, and that
// one before the commit is acknowledged: where it does not, the first page is not written, or nothing is acknowledged.
func TestSynced(t *testing.T) {
	for _, c := range []struct {
		first bool // it is the sync after the first page that fails
		want  string
	}{{false, "1: k=one"}, {true, "2: k=two"}} {
		path := filepath.Join(t.TempDir(), "t.db")
		f := openFaulty(t, path)
		if err := f.Commit(ctx, asked(0, "one")); err != nil {
			t.Fatal(err)
		}
		pages, firsts, gone := 0, 0, false
		recorded(t, f.db, func(w written) {
			first := w.at < 2*int64(f.db.Info().PageSize)
			if first {
				firsts++
			} else {
				pages++
			}
			if first == c.first && !gone {
				gone = true
				f.becomes("/dev/null", os.O_RDWR) // it takes everything, and cannot sync
			}
		})
		if err := f.Commit(ctx, asked(1, "two")); !errors.Is(err, bot.ErrUnsure) {
			t.Errorf("first %t: %v", c.first, err)
		}
		if pages == 0 || (firsts > 0) != c.first {
			t.Errorf("first %t: %d pages and %d first ones were written", c.first, pages, firsts)
		}
		f.mends()
		_ = f.db.Close() // the process ends
		is(t, path, c.want)
	}
}

// A disk without room refuses, and is read on; with room it is written again. What was refused is not there.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("no disk of one's own without the right to mount one: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	path, ballast := filepath.Join(dir, "t.db"), filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	kept, n := 0, uint64(0)
	commit := func(i int) error {
		return s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: place, Base: n, Changes: []bot.Record{
			{Key: fmt.Sprintf("k/%03d", i), Value: bytes.Repeat([]byte{byte(i)}, 20<<10)}}}}})
	}
	for {
		err := commit(kept)
		if err == nil {
			kept, n = kept+1, n+1
			continue
		}
		if !errors.Is(err, ErrFull) || kept < 3 {
			t.Fatalf("after %d: %v", kept, err)
		}
		break
	}
	if err := s.Check(ctx); !errors.Is(err, ErrFull) {
		t.Errorf("check: %v", err)
	}
	if all, _, err := s.Read(ctx, place, ""); err != nil || len(all) != kept {
		t.Errorf("%d records of %d, %v", len(all), kept, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := commit(900); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if all, sum := verify(t, path); sum.Damages > 0 || sum.Records != kept+1 {
		t.Errorf("%d records of %d: %+v", sum.Records, kept+1, all)
	}
}
