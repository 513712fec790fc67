package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"timonier/bot"
)

func TestLocked(t *testing.T) {
	_, path := temp(t)
	_, err := Open(ctx, path, Options{Wait: 20 * time.Millisecond})
	var refused *Error
	if !errors.Is(err, ErrLocked) || !errors.As(err, &refused) || refused.Path != path {
		t.Errorf("error %v", err)
	}
}

func TestNewer(t *testing.T) {
	s, path := temp(t)
	put(t, s, place, 0, "k", "1")
	err := s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(ownBucket).Put(schemaKey, []byte(strconv.Itoa(Schema+1))) })
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	before, _ := os.ReadFile(path)
	if _, err := Open(ctx, path, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("error %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

// A first page of which something else has been written over the version is damaged: no newer program would help.
func TestDamagedVersion(t *testing.T) {
	for version, want := range map[uint32]error{3: ErrNewer, 0xCAFEF00D: ErrDamaged} {
		path := filled(t, 1)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range []int{0, os.Getpagesize()} {
			binary.NativeEndian.PutUint32(data[page+headerSize+4:], version)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, want) {
			t.Errorf("version %d: %v", version, err)
		}
		if sum, err := Verify(t.Context(), path, Options{}, func(Finding) {}); want == ErrNewer && !errors.Is(err, want) || want == ErrDamaged && (err != nil || sum.Damages == 0) {
			t.Errorf("version %d: verify says %v", version, err)
		}
	}
}

func TestForeign(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("not a database\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.db")
	db, err := bbolt.Open(other, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("photos")); return err }); err != nil {
		t.Fatal(err)
	}
	db.Close()
	for _, path := range []string{text, other, dir} {
		if _, err := Open(ctx, path, Options{}); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestReadOnly(t *testing.T) {
	for _, err := range []error{fs.ErrPermission, &fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}, &fs.PathError{Op: "mkdir", Path: "x", Err: syscall.EACCES}} {
		if got := refusal("x", fmt.Errorf("open: %w", err)); !errors.Is(got, ErrReadOnly) {
			t.Errorf("%v: %v", err, got)
		}
	}
	if os.Geteuid() == 0 {
		return // root may write everything
	}
	s, path := temp(t)
	s.Close()
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, path, Options{}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("error %v", err)
	}
}

// filled is a file with enough in it to have branches, and its content.
func filled(t testing.TB, channels int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "timonier.db")
	s := open(t, path)
	var commits []*job
	for c := range channels {
		w := bot.Write{Scope: bot.Scope{Platform: "slack", Tenant: fmt.Sprint("school-", c%10), Channel: fmt.Sprint(c)}}
		for i := range 20 {
			w.Changes = append(w.Changes, bot.Record{Key: fmt.Sprintf("cluster/0/%03d", i), Value: bytes.Repeat([]byte{byte(i)}, 300)})
		}
		commits = append(commits, &job{commit: bot.Commit{Writes: []bot.Write{w}}, done: make(chan struct{})})
	}
	s.write(commits)
	for _, j := range commits {
		if j.err != nil {
			t.Fatal(j.err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file cut short anywhere is refused, and left alone.
func TestTruncated(t *testing.T) {
	path := filled(t, 60)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := os.Open(path)
	m, _, _ := newest(f)
	f.Close()
	used := int(m.pages) * int(m.pageSize)
	cuts := []int{1, 10, 79, 80, 100, 4095, 4096, 4097, 8192, used / 2, used - 4096, used - 1}
	r := rand.New(rand.NewPCG(1, 1))
	for range 40 {
		cuts = append(cuts, 1+r.IntN(used-1))
	}
	for _, n := range cuts {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(ctx, path, Options{}); !errors.Is(err, ErrDamaged) && !(n < headerSize+metaSize && errors.Is(err, ErrForeign)) {
			t.Errorf("cut to %d of %d: %v", n, used, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(after, whole[:n]) {
			t.Fatalf("cut to %d: the file was changed", n)
		}
	}
}

// A torn page anywhere gives an error or the right data, never a crash, and never a file that hangs.
func TestTornPages(t *testing.T) {
	path := filled(t, 60)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(2, 2))
	damaged := 0
	for page := 0; page < len(whole)/4096; page += 1 + page/20 {
		torn := bytes.Clone(whole)
		for i := range 512 {
			torn[page*4096+i] = byte(r.Uint32())
		}
		path := fmt.Sprint(path, ".", page) // a damaged file is held until the process ends
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(ctx, path, Options{Wait: time.Millisecond})
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
				t.Errorf("page %d: %v", page, err)
			}
			damaged++
			continue
		}
		for c := range 60 {
			scope := bot.Scope{Platform: "slack", Tenant: fmt.Sprint("school-", c%10), Channel: fmt.Sprint(c)}
			if _, _, err := s.Read(ctx, scope, ""); err != nil {
				if !errors.Is(err, ErrDamaged) {
					t.Errorf("page %d: %v", page, err)
				}
				damaged++
			}
		}
		s.Close()
	}
	if damaged < 10 {
		t.Errorf("only %d pages mattered", damaged)
	}
}
