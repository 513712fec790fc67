//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package store

import (
	"errors"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

// hold opens a file that no other process has open. Here it cannot be kept from being opened
// meanwhile.
func hold(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, refusal(path, err)
	}
	db, err := bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err == nil {
		err = db.Close()
	}
	if err = refusal(path, err); err != nil && errors.Is(err, ErrLocked) {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
