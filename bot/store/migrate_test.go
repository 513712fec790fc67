package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strconv"
	"testing"

	"go.etcd.io/bbolt"
)

// later is a layout that no program has: the next schema has a bucket more, the one after has the records' sizes in
// it, a few tenants in each transaction. fail, where set, may stop it.
func later(fail func(step int) error) *layout {
	sizes, step := []byte("sizes"), 0
	stops := func() error {
		step++
		if fail != nil {
			return fail(step)
		}
		return nil
	}
	return &layout{Schema + 2, append(current().migrations, []migration{
		{"a bucket for sizes", func(tx *bbolt.Tx, _ []byte) ([]byte, error) {
			_, err := tx.CreateBucket(sizes)
			return nil, errors.Join(err, stops())
		}},
		{"the size of each tenant", func(tx *bbolt.Tx, after []byte) ([]byte, error) {
			c := tx.Bucket(tenantsBucket).Cursor()
			key, _ := c.Seek(after)
			for range 3 {
				if key == nil {
					return nil, stops()
				}
				n := uint64(tx.Bucket(tenantsBucket).Bucket(key).Inspect().KeyN)
				if err := tx.Bucket(sizes).Put(key, binary.BigEndian.AppendUint64(nil, n)); err != nil {
					return nil, err
				}
				key, _ = c.Next()
			}
			return bytes.Clone(key), stops()
		}},
	}...)}
}

// A file of an earlier schema is copied and brought to the present one, by steps that may be interrupted
// anywhere: the next time goes on. What it holds is the same.
func TestMigrate(t *testing.T) {
	broken := errors.New("the power is cut")
	for stop := range 7 { // 0: never
		path := school(t)
		before, _ := os.ReadFile(path)
		var told []Migration
		o := Options{Migrating: func(m Migration) error { told = append(told, m); return nil }}
		o.layout = later(func(step int) error {
			if step == stop {
				return broken
			}
			return nil
		})
		s, err := Open(ctx, path, o)
		if stop == 0 && err != nil || stop > 0 && stop <= 5 && !errors.Is(err, broken) {
			t.Fatalf("stopped at %d: %v", stop, err)
		}
		if err != nil {
			if stop > 2 { // one that knows the schema before leaves it alone
				if _, err := Open(ctx, path, Options{}); !errors.Is(err, ErrNewer) {
					t.Errorf("stopped at %d: the program before: %v", stop, err)
				}
			}
			var odd []Finding
			sum, err := Verify(ctx, path, Options{layout: later(nil)}, func(f Finding) { odd = append(odd, f) })
			if err != nil || sum.Damages > 0 || !slices.ContainsFunc(odd, func(f Finding) bool { return f.Kind == OldSchema || f.Kind == Unfinished }) {
				t.Errorf("stopped at %d: %v, %+v", stop, err, odd)
			}
			o.layout = later(nil)
			if s, err = Open(ctx, path, o); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.view(func(tx *bbolt.Tx) error {
			own, n := tx.Bucket(ownBucket), tx.Bucket([]byte("sizes")).Inspect().KeyN
			if string(own.Get(schemaKey)) != strconv.Itoa(Schema+2) || own.Get(unfinishedKey) != nil || n != 10 {
				t.Errorf("stopped at %d: schema %s, %q, %d sizes", stop, own.Get(schemaKey), own.Get(unfinishedKey), n)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got := show(t, s, place, ""); got != "0:" {
			t.Error(got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if told[0].From != Schema || told[0].To != Schema+2 || told[0].Resumed || len(told[0].About) != 2 {
			t.Errorf("told %+v", told)
		}
		copied, sum := verify(t, told[0].Aside)
		if len(copied) > 0 || sum.Schema != Schema || sum.Channels != 70 || len(before) == 0 {
			t.Errorf("the copy: %+v, %v", sum, copied)
		}
		if s, err = Open(ctx, path, o); err != nil { // nothing is left to do
			t.Fatal(err)
		}
		s.Close()
	}
}

// Who does not want it leaves the file as it is.
func TestMigrationRefused(t *testing.T) {
	path := school(t)
	before, _ := os.ReadFile(path)
	_, err := Open(ctx, path, Options{layout: later(nil), Migrating: func(Migration) error { return ErrOlder }})
	if after, _ := os.ReadFile(path); !errors.Is(err, ErrOlder) || !bytes.Equal(before, after) || len(files(t, path)) != 1 {
		t.Errorf("%v, %v", err, files(t, path))
	}
}

// The table leads from the first schema to the present one.
func TestLayoutIsComplete(t *testing.T) {
	if l := current(); l.schema != Schema || len(l.migrations) != Schema-1 {
		t.Errorf("schema %d, %d migrations", l.schema, len(l.migrations))
	}
}
