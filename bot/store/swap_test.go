package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"timonier/bot"
)

// Whoever waits for a file that is replaced meanwhile gets the new one, not the one set aside.
func TestOpenAfterSwap(t *testing.T) {
	s, path := temp(t)
	put(t, s, place, 0, "k", "old")
	made := filepath.Join(t.TempDir(), "new.db")
	if _, err := s.Backup(ctx, made); err != nil {
		t.Fatal(err)
	}
	copied := open(t, made)
	put(t, copied, place, 1, "k", "new")
	copied.Close()

	waits := make(chan struct{}, 10)
	done := make(chan error, 1)
	var late *Store
	go func() {
		var err error
		late, err = Open(ctx, path, Options{Wait: time.Minute, OpenFile: func(name string, flag int, perm fs.FileMode) (*os.File, error) {
			defer func() { waits <- struct{}{} }()
			return os.OpenFile(name, flag, perm)
		}})
		done <- err
	}()
	<-waits // the old one is open, its lock is ours
	aside, err := swap(made, path, start)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if got := show(t, late, place, ""); got != "2: k=new" || len(waits) != 1 {
		t.Errorf("%s, after %d more", got, len(waits))
	}
	put(t, late, place, 2, "k", "newer")
	if _, _, err := Restore(ctx, aside, path, start); !errors.Is(err, ErrLocked) {
		t.Errorf("the new one is not held: %v", err)
	}
}

// A file that is replaced each time that its lock has been waited for is given up.
func TestOpenSwappedForEver(t *testing.T) {
	s, path := temp(t)
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	_, err = Open(ctx, path, Options{Wait: time.Nanosecond, OpenFile: func(name string, flag int, perm fs.FileMode) (*os.File, error) {
		opened++
		f, err := os.OpenFile(name, flag, perm)
		return f, errors.Join(err, os.WriteFile(path+".made", whole, 0o600), os.Rename(path+".made", path))
	}})
	if !errors.Is(err, ErrLocked) || opened != leastTries {
		t.Errorf("opened %d times: %v", opened, err)
	}
}

// Some write while others compact and restore: what was committed is there, in the file that has the name.
func TestSwapsAndWriters(t *testing.T) {
	s, path := temp(t)
	s.Close()
	var committed atomic.Int64
	var all sync.WaitGroup
	var compacted atomic.Int64
	allowed := func(err error) bool { return err == nil || errors.Is(err, ErrLocked) }
	for range 3 {
		all.Go(func() {
			for range 30 {
				s, err := Open(ctx, path, Options{Wait: time.Minute})
				if err != nil {
					t.Error(err)
					return
				}
				_, version, err := s.Read(ctx, place, "")
				if err == nil {
					err = s.Commit(ctx, bot.Commit{Writes: []bot.Write{{Scope: place, Base: version, Changes: records("k", "1")}}})
				}
				if err = errors.Join(err, s.Close()); err != nil {
					t.Error(err)
					return
				}
				committed.Add(1)
			}
		})
	}
	for range 2 {
		all.Go(func() {
			for range 30 {
				if _, _, _, err := Compact(ctx, path, Options{}, start); !allowed(err) {
					t.Error(err)
				} else if err == nil {
					compacted.Add(1)
				}
			}
		})
	}
	all.Wait()
	s = open(t, path)
	defer s.Close()
	if _, version, err := s.Read(ctx, place, ""); err != nil || version != uint64(committed.Load()) || version != 90 {
		t.Errorf("version %d after %d commits, %v", version, committed.Load(), err)
	}
	t.Logf("%d compactions went through", compacted.Load())
}
