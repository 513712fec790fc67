//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package store

import (
	"errors"
	"os"
	"syscall"
)

// hold opens a file and keeps every other process from opening it, whether it is damaged or not, until
// it is closed: by the lock that bbolt itself takes.
func hold(path string) (*os.File, error) {
	for range leastTries {
		f, err := os.Open(path)
		if err != nil {
			return nil, refusal(path, err)
		}
		opened, err := f.Stat()
		if err == nil {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		}
		if err == nil && hasName(opened, path) {
			return f, nil
		}
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = &Error{Path: path, Kind: ErrLocked, Cause: err}
		}
		if err != nil {
			return nil, refusal(path, err)
		}
	}
	return nil, errSwapped(path)
}
