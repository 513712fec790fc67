package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"go.etcd.io/bbolt"
)

// layout is how a file is laid out, and how one that is laid out as before comes to it.
type layout struct {
	schema     int
	migrations []migration // the i-th takes a file from schema i+1 to schema i+2
}

// migration takes a file to the next schema. It does all in one transaction, or, of what may be large,
// some in each of several: after is where the one before has stopped, nil at first; next is where this one
// does, nil where all is done.
type migration struct {
	about string // for the log
	some  func(tx *bbolt.Tx, after []byte) (next []byte, err error)
}

// current is the layout of this program. What each one has changed stands here, a row each, and Schema counts them.
func current() *layout {
	return &layout{schema: Schema, migrations: []migration{
		{"long records are kept in pieces of less than a page; replies that are there stay as they are until they are forgotten", cutRecords},
	}}
}

// Migration is a file of an earlier layout that is about to be brought to this program's.
type Migration struct {
	Path     string
	From, To int      // schemas
	Aside    string   // the file that its copy will be, as it is before; empty where Resumed
	Resumed  bool     // it was begun before, and did not come to its end
	About    []string // what each step does, for a log
}

// ErrOlder is what a caller may answer to a Migration that it does not want.
var ErrOlder = errors.New("an earlier program wrote the file")

// unfinishedKey is there while a migration has begun and is not done: where it has stopped. The schema is then
// already the one that it leads to, so that a program that only knows the one before leaves the file alone.
var unfinishedKey = []byte("unfinished")

// migrate brings the file to this program's layout, step by step. Whatever interrupts it, the file has been left
// between two transactions, and the next Open goes on from there.
func (s *Store) migrate(ctx context.Context, o Options, schema int, after []byte) error {
	m := Migration{Path: s.path, From: schema, To: o.layout.schema, Resumed: after != nil}
	if m.Resumed {
		m.From--
	} else {
		m.Aside = freeName(s.path + ".schema" + strconv.Itoa(schema))
	}
	rows := o.layout.migrations[m.From-1 : m.To-1]
	for _, row := range rows {
		m.About = append(m.About, row.about)
	}
	if o.Migrating != nil {
		if err := o.Migrating(m); err != nil {
			return &Error{Path: s.path, Kind: ErrOlder, Detail: fmt.Sprintf("schema %d, not %d", m.From, m.To), Cause: err}
		}
	}
	if !m.Resumed {
		if _, err := s.Backup(ctx, m.Aside); err != nil {
			return fmt.Errorf("copy the file before it is migrated: %w", err)
		}
	}
	for i, row := range rows {
		for done := false; !done; done = after == nil {
			if err := ctx.Err(); err != nil {
				return err
			}
			var next []byte
			if err := s.update(func(tx *bbolt.Tx) (err error) {
				if next, err = row.some(tx, after); err != nil {
					return err
				}
				return mark(tx.Bucket(ownBucket), m.From+i+1, next)
			}); err != nil {
				return refusal(s.path, fmt.Errorf("migrate to schema %d: %w", m.From+i+1, err))
			}
			after = next
		}
	}
	return nil
}

// mark says which schema a file has, and where the migration to it has stopped.
func mark(own *bbolt.Bucket, schema int, after []byte) error {
	err := own.Put(schemaKey, []byte(strconv.Itoa(schema)))
	if after == nil {
		return errors.Join(err, own.Delete(unfinishedKey))
	}
	return errors.Join(err, own.Put(unfinishedKey, append([]byte{'>'}, after...)))
}

// unfinished is where a migration has stopped; nil: none has.
func unfinished(value []byte) []byte {
	if len(value) == 0 {
		return nil
	}
	return append([]byte{}, value[1:]...)
}

// freeName is a name that no file has, like the one given.
func freeName(name string) string {
	for n := 1; ; n++ {
		free := Numbered(name, n)
		if _, err := os.Lstat(free); errors.Is(err, fs.ErrNotExist) || n > mostAside {
			return free
		}
	}
}
