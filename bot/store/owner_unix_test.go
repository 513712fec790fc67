//go:build unix

package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// What takes a file's place has its mode and, where root puts it there, its owner and group; where there was none, the directory's.
func TestNewFilesKeepTheOwner(t *testing.T) {
	dir := t.TempDir()
	data, copied, none := filepath.Join(dir, "t.db"), filepath.Join(dir, "copy.db"), filepath.Join(dir, "none.db")
	s, err := Open(t.Context(), data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Backup(t.Context(), data, copied); err != nil {
		t.Fatal(err)
	}
	uid, gid := os.Getuid(), os.Getgid()
	if os.Geteuid() == 0 {
		uid, gid = 65532, 65533
		for _, path := range []string{data, dir} {
			if err := os.Chown(path, uid, gid); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chmod(data, 0o640); err != nil {
		t.Fatal(err)
	}
	check := func(step, path string, mode os.FileMode) {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if of := info.Sys().(*syscall.Stat_t); int(of.Uid) != uid || int(of.Gid) != gid || info.Mode().Perm() != mode {
			t.Errorf("%s: %s is of %d:%d, %v; want %d:%d, %v", step, path, of.Uid, of.Gid, info.Mode().Perm(), uid, gid, mode)
		}
	}
	now := time.Now()
	aside, _, err := Restore(t.Context(), copied, data, now)
	if err != nil {
		t.Fatal(err)
	}
	check("restored", data, 0o640)
	check("set aside", aside, 0o640)
	if _, _, _, err := Compact(t.Context(), data, Options{}, now); err != nil {
		t.Fatal(err)
	}
	check("compacted", data, 0o640)
	if _, _, err := Restore(t.Context(), copied, none, now); err != nil {
		t.Fatal(err)
	}
	check("restored where there was none", none, 0o600)
}

// A pipe is refused, and nobody waits for who would write to it.
func TestPipesAreRefused(t *testing.T) {
	dir := t.TempDir()
	pipe, data, none := filepath.Join(dir, "pipe.db"), filepath.Join(dir, "t.db"), filepath.Join(dir, "none.db")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	s, err := Open(t.Context(), data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, do := range map[string]func() error{
		"open":         func() error { _, err := Open(ctx, pipe, Options{}); return err },
		"verify":       func() error { _, err := Verify(ctx, pipe, Options{}, func(Finding) {}); return err },
		"backup":       func() error { _, err := Backup(ctx, pipe, none); return err },
		"restore from": func() error { _, _, err := Restore(ctx, pipe, none, time.Now()); return err },
		"restore to":   func() error { _, _, err := Restore(ctx, data, pipe, time.Now()); return err },
		"compact":      func() error { _, _, _, err := Compact(ctx, pipe, Options{}, time.Now()); return err },
	} {
		done := make(chan error, 1)
		go func() { done <- do() }()
		select {
		case err := <-done:
			if !errors.Is(err, ErrForeign) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s waits", name)
		}
	}
	if got := files(t, data); len(got) != 2 {
		t.Errorf("there are %v", got)
	}
}

// Where a path is a link, the file is replaced where it is, and the link stays.
func TestLinksStay(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	file, link, copied := filepath.Join(other, "t.db"), filepath.Join(dir, "link.db"), filepath.Join(dir, "copy.db")
	s, err := Open(t.Context(), file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Backup(t.Context(), link, copied); err != nil {
		t.Fatal(err)
	}
	for name, replace := range map[string]func() (string, error){
		"restore": func() (string, error) {
			aside, _, err := Restore(t.Context(), copied, link, time.Now())
			return aside, err
		},
		"compact": func() (string, error) {
			aside, _, _, err := Compact(t.Context(), link, Options{}, time.Now())
			return aside, err
		},
	} {
		before, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		aside, err := replace()
		if err != nil {
			t.Fatal(name, err)
		}
		if to, err := os.Readlink(link); to != file {
			t.Errorf("%s: the link leads to %q, %v", name, to, err)
		}
		if kept, err := os.Lstat(aside); err != nil || !os.SameFile(kept, before) || filepath.Dir(aside) != other {
			t.Errorf("%s: %s is not the former file: %v", name, aside, err)
		}
		if now, err := os.Stat(file); err != nil || os.SameFile(now, before) {
			t.Errorf("%s: the file is the former one: %v", name, err)
		}
	}
}
