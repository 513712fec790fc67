package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
)

// ErrExists is a copy that would stand where there is a file already.
var ErrExists = errors.New("there is a file of that name already")

// Backup copies a file that is in use, as it is at one moment, to a path where there is none yet:
// written under another name, synced, verified, and only then named. Those that read and write
// meanwhile are not held up, unless the file has to outgrow its map in memory (32 KiB doubled up to
// 1 GiB): they then wait for the copy to be written.
func (s *Store) Backup(ctx context.Context, path string) (Summary, error) {
	return publish(ctx, s.path, path, Options{layout: s.layout}, func(w io.Writer) error {
		var failed error // of the copy's disk, not of the file's
		err := s.view(func(tx *bbolt.Tx) error {
			_, failed = tx.WriteTo(w)
			return nil
		})
		return errors.Join(err, failed)
	}, nil)
}

// Backup copies a file that nothing has open, as the method does.
func Backup(ctx context.Context, from, to string) (Summary, error) {
	if err := regular(from); err != nil {
		return Summary{}, err
	}
	held, err := hold(from)
	if err != nil {
		return Summary{}, err
	}
	defer held.Close()
	return publish(ctx, from, to, Options{}, copyOf(held), nil)
}

// regular refuses what has the name and is no file: a directory would be set aside with all that is in it, and a pipe keeps whoever
// opens it until somebody else does. Where there is nothing of the name it has no objection.
func regular(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &Error{Path: path, Kind: ErrForeign, Detail: "not a regular file"}
	}
	return nil
}

// linked is the file that a path leads to by links: it is replaced where it is, on its own disk, and the links stay.
func linked(path string) string {
	if file, err := filepath.EvalSymlinks(path); err == nil {
		return file
	}
	return path
}

func copyOf(f *os.File) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(f, 0, 1<<62))
		return err
	}
}

// publish writes a copy of a file beside path, verifies it, has it made ready where there is a function for that, and gives it the
// name where no file has it.
func publish(ctx context.Context, of, path string, o Options, write func(io.Writer) error, ready func(made, path string) error) (Summary, error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return Summary{}, &Error{Path: path, Kind: ErrExists, Cause: err}
	}
	made, sum, err := prepareCopy(ctx, of, path, o, write)
	if err != nil {
		return sum, err
	}
	defer os.Remove(made) // its other name, or all of it
	if ready != nil {
		if err := ready(made, path); err != nil {
			return sum, refusal(path, err)
		}
	}
	if err := os.Link(made, path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return sum, &Error{Path: path, Kind: ErrExists}
		}
		if err := os.Rename(made, path); err != nil { // a file system without second names
			return sum, refusal(path, err)
		}
	}
	return sum, syncDir(path)
}

// prepareCopy writes a copy of a file beside path, syncs and verifies it. Whatever fails leaves nothing; what is wrong with the
// copy is told of the file.
func prepareCopy(ctx context.Context, of, path string, o Options, write func(io.Writer) error) (made string, sum Summary, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // nobody else may read it
	if err != nil {
		return "", sum, refusal(path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(refusal(path, err), os.Remove(f.Name()))
		}
	}()
	if err = errors.Join(write(until{ctx, f}), f.Sync(), f.Close()); err != nil {
		return "", sum, err
	}
	sum, err = whole(ctx, f.Name(), of, o)
	return f.Name(), sum, err
}

// whole verifies a file, under the name that it is to have; one that is damaged is an error.
func whole(ctx context.Context, path, as string, o Options) (Summary, error) {
	first := ""
	sum, err := Verify(ctx, path, Options{layout: o.layout}, func(f Finding) {
		if f.Damage() && first == "" {
			first = fmt.Sprintf("page %d: %s %s", f.Page, f.Fault, f.Detail)
		}
	})
	if err == nil && sum.Damages > 0 {
		err = &Error{Path: as, Kind: ErrDamaged, Detail: first}
	}
	var e *Error
	if errors.As(err, &e) {
		e.Path = as
	}
	return sum, err
}

// until writes until the context ends.
type until struct {
	ctx context.Context
	w   io.Writer
}

func (u until) Write(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(b)
}

// Restore puts a copy of a file at path, where nothing has the present one open: the copy is verified
// first, the present one stays beside it under the name that is returned, empty where there was none.
func Restore(ctx context.Context, from, path string, now time.Time) (aside string, sum Summary, err error) {
	if err := regular(from); err != nil {
		return "", sum, err
	}
	path = linked(path)
	f, err := os.Open(from)
	if err != nil {
		return "", sum, refusal(from, err)
	}
	defer f.Close()
	if _, err := whole(ctx, from, from, Options{}); err != nil {
		return "", sum, err
	}
	if err := regular(path); err != nil {
		return "", sum, err
	}
	held, err := hold(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return "", sum, refusal(path, err)
		}
		sum, err = publish(ctx, from, path, Options{}, copyOf(f), likeThat)
		return "", sum, err
	case err != nil:
		return "", sum, err
	}
	defer held.Close()
	made, sum, err := prepareCopy(ctx, from, path, Options{}, copyOf(f))
	if err != nil {
		return "", sum, err
	}
	aside, err = swap(made, path, now)
	return aside, sum, err
}

// Compact writes a file that nothing has open anew, without the room that it does not use. The present
// one stays beside it, as Restore leaves it.
func Compact(ctx context.Context, path string, o Options, now time.Time) (aside string, before, after int64, err error) {
	path = linked(path)
	switch info, err := os.Stat(path); {
	case err != nil:
		return "", 0, 0, refusal(path, err)
	case info.Mode().IsRegular() && info.Size() == 0: // opened, it would be a new one
		return "", 0, 0, &Error{Path: path, Kind: ErrForeign, Detail: "empty"}
	}
	first, err := Open(ctx, path, o) // one of an earlier layout is brought to this one's
	if err == nil {
		err = first.Close()
	}
	if err != nil {
		return "", 0, 0, err
	}
	was, err := whole(ctx, path, path, o)
	if err != nil {
		return "", 0, 0, err
	}
	s, err := Open(ctx, path, o) // holds it
	if err != nil {
		return "", 0, 0, err
	}
	defer s.Close()
	if err := s.view(func(tx *bbolt.Tx) error {
		if uint64(tx.ID()) != was.tx { // another had it open in between
			return &Error{Path: path, Kind: ErrLocked}
		}
		return nil
	}); err != nil {
		return "", 0, 0, err
	}
	made, sum, err := prepareCopy(ctx, path, path, o, func(w io.Writer) error { return s.compactTo(w.(until).w.(*os.File).Name()) })
	if err != nil {
		return "", 0, 0, err
	}
	if sum.Records != was.Records || sum.Replies != was.Replies || sum.Channels != was.Channels || sum.People != was.People || sum.Tenants != was.Tenants {
		return "", 0, 0, errors.Join(&Error{Path: path, Kind: ErrDamaged, Detail: "the copy holds something else"}, os.Remove(made))
	}
	aside, err = swap(made, path, now)
	return aside, was.Bytes, sum.Bytes, err
}

// compactBytes bounds a transaction of a compaction.
const compactBytes = 1 << 20

func (s *Store) compactTo(path string) error {
	return guarded(s.path, func() error {
		to, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, FreelistType: bbolt.FreelistMapType, NoStatistics: true})
		if err != nil {
			return err
		}
		size := int64(0) // bbolt doubles a file's size before it needs it
		err = bbolt.Compact(to, s.db, compactBytes)
		if err == nil {
			err = to.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
		}
		if err = errors.Join(err, to.Sync(), to.Close()); err != nil {
			return err
		}
		return os.Truncate(path, size)
	})
}

// swap gives a new file the name, the owner and the mode of the present one, which is kept under a name with the moment. There
// is no moment at which no file has the name.
func swap(made, path string, now time.Time) (aside string, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(refusal(path, err), os.Remove(made))
		}
	}()
	if err = likeThat(made, path); err != nil {
		return "", err
	}
	if aside, err = setAside(path, now); err != nil {
		return "", err
	}
	if err := os.Rename(made, path); err != nil {
		if _, gone := os.Lstat(path); errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, os.Rename(aside, path))
		}
		return "", err
	}
	return aside, syncDir(path)
}

// mostAside bounds the files that are set aside in one second.
const mostAside = 100

// setAside gives a file a second name, with the moment, that no file has. Where the file system has no
// second names, it loses its own.
func setAside(path string, now time.Time) (aside string, err error) {
	for n := 1; ; n++ {
		aside = Numbered(path+"."+Stamp(now), n)
		if err = os.Link(path, aside); err == nil || n > mostAside {
			return aside, err
		}
		if _, taken := os.Lstat(aside); errors.Is(taken, fs.ErrNotExist) {
			return aside, os.Rename(path, aside)
		}
	}
}

// Stamp is a moment as it stands in the names of files: they sort as the moments do.
func Stamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// Numbered is the nth name, from 1, of files that would have the same: the name, name-2, name-3 …
func Numbered(name string, n int) string {
	if n > 1 {
		name += "-" + strconv.Itoa(n)
	}
	return name
}

// syncDir makes the names in a file's directory last.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}
