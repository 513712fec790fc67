package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

// What the system says of a disk without room is one kind, also where bbolt hands on its text alone.
func TestFull(t *testing.T) {
	for _, err := range []error{
		&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC},
		fmt.Errorf("commit: %w", syscall.EDQUOT),
		fmt.Errorf("file resize error: %s", &os.PathError{Op: "truncate", Path: "x", Err: syscall.EFBIG}),
		fmt.Errorf("file sync error: %s", &os.PathError{Op: "sync", Path: "x", Err: syscall.ENOSPC}),
	} {
		if got := refusal("x", err); !errors.Is(got, ErrFull) {
			t.Errorf("%v: %v", err, got)
		}
	}
	for _, err := range []error{syscall.EIO, errors.New("no space"), fs.ErrPermission} {
		if got := refusal("x", err); errors.Is(got, ErrFull) {
			t.Errorf("%v: %v", err, got)
		}
	}
	if full(nil) {
		t.Error("nothing is full")
	}
}
