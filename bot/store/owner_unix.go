//go:build unix

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// likeThat gives a new file the owner, group and mode of the one whose place it is to take; the owner and group of the directory where
// there is none: whoever replaces a file as root leaves one that the service can open.
func likeThat(made, path string) error {
	model, err := os.Stat(path)
	replaces := err == nil
	if errors.Is(err, fs.ErrNotExist) {
		model, err = os.Stat(filepath.Dir(path))
	}
	if err != nil {
		return err
	}
	now, err := os.Stat(made)
	if err != nil {
		return err
	}
	to, known := model.Sys().(*syscall.Stat_t)
	of, both := now.Sys().(*syscall.Stat_t)
	if !known || !both {
		return nil
	}
	if to.Uid != of.Uid || to.Gid != of.Gid {
		err := os.Chown(made, int(to.Uid), int(to.Gid))
		// Who is not root makes files of their own; where they own the one that is replaced, the group alone is another.
		mine := to.Uid == of.Uid || !replaces && os.Geteuid() != 0
		if err != nil && !(mine && errors.Is(err, fs.ErrPermission)) {
			return err
		}
	}
	if !replaces {
		return nil
	}
	return os.Chmod(made, model.Mode().Perm())
}
