//go:build unix

package store

import (
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
