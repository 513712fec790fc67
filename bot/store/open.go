package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"timonier/bot"
)

// The reasons why a file is refused. Each says all that a person needs to be told,
// with the path; the wording for people is the caller's.
var (
	ErrLocked   = errors.New("another process holds the file")
	ErrNewer    = errors.New("a newer program wrote the file")
	ErrDamaged  = bot.ErrDamaged
	ErrReadOnly = bot.ErrReadOnly
	ErrForeign  = errors.New("the file is not one of this program")
	ErrFull     = bot.ErrFull
)

// Error is a file that was refused: errors.Is finds its Kind and its Cause.
type Error struct {
	Path   string
	Kind   error  // one of the errors above
	Detail string // for a log; may be empty
	Cause  error  // may be nil
}

func (e *Error) Error() string {
	text := e.Path + ": " + e.Kind.Error()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// Options are how to open a file.
type Options struct {
	// Wait is how long to wait for another process to let go of the file; 0: one second.
	Wait time.Duration

	// OpenFile opens the file to be read and written; nil: os.OpenFile. It is a seam for what disks
	// do: a file that is full, that may not be written, that says it is synced and is not.
	OpenFile func(name string, flag int, perm fs.FileMode) (*os.File, error)

	// Migrating is told of a file of an earlier layout before anything is done to it; an error
	// leaves it as it is. nil: it is brought to this program's layout without a word.
	Migrating func(Migration) error

	layout *layout // nil: current
}

func (o Options) orDefault() Options {
	o.Wait = cmp.Or(max(o.Wait, 0), time.Second)
	if o.layout == nil {
		o.layout = current()
	}
	return o
}

// Open opens a file, or makes a new one with the directories it needs. Refusals are
// of type *Error; a refused file is not changed. A file of an earlier layout is copied, and brought to
// this one's. Opening reads a few pages, however
// much the file holds.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o = o.orDefault()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, refusal(path, fmt.Errorf("make directory: %w", err))
	}
	s, err := openNamed(path, o)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// growBy is by how many bytes a file grows at a time, each time with one more wait for the disk. bbolt's own 16 MiB double the file of
// a few channels again and again; nor does it take the first free pages that suffice, but any, unless it keeps them in their order: in
// thirty days of a busy channel that made a file of 8.4 MB where one of 5 MB does.
const growBy = 256 << 10

// openNamed opens the file that has the name once it is ours: one that was waited for may have
// been set aside meanwhile, by a restoration or a compaction.
func openNamed(path string, o Options) (*Store, error) {
	until := time.Now().Add(o.Wait)
	for tries := 0; tries < leastTries || time.Now().Before(until); tries++ {
		if err := inspect(path); err != nil {
			return nil, err
		}
		s := &Store{path: path, turn: make(chan struct{}, 1), layout: o.layout}
		var opened os.FileInfo
		err := guarded(path, func() (err error) {
			s.db, err = bbolt.Open(path, 0o600, &bbolt.Options{
				Timeout: o.Wait, FreelistType: bbolt.FreelistArrayType, NoStatistics: true, OpenFile: noting(&opened, o.OpenFile),
			})
			if err == nil {
				s.db.AllocSize = growBy
			}
			return err
		})
		switch named := hasName(opened, path); {
		case err == nil && named:
			return s, nil
		case err == nil:
			if err := s.Close(); err != nil {
				return nil, err
			}
		case named || opened == nil:
			return nil, refusal(path, err)
		}
	}
	return nil, errSwapped(path)
}

func errSwapped(path string) error {
	return &Error{Path: path, Kind: ErrLocked, Detail: "it is replaced again and again"}
}

// leastTries is how often a file may at least be replaced while it is waited for.
const leastTries = 3

type openFile = func(name string, flag int, perm fs.FileMode) (*os.File, error)

// noting opens files, and notes which.
func noting(opened *os.FileInfo, open openFile) openFile {
	if open == nil {
		open = os.OpenFile
	}
	return func(name string, flag int, perm fs.FileMode) (*os.File, error) {
		f, err := open(name, flag, perm)
		if err != nil {
			return nil, err
		}
		if *opened, err = f.Stat(); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return f, nil
	}
}

// hasName says whether a file that was opened is still the one that its path names.
func hasName(opened os.FileInfo, path string) bool {
	now, err := os.Stat(path)
	return err == nil && opened != nil && os.SameFile(opened, now)
}

// prepare lays out a new file, checks the schema of an old one, and brings it to this program's.
func (s *Store) prepare(ctx context.Context, o Options) error {
	empty, schema, after := false, 0, []byte(nil)
	err := s.view(func(tx *bbolt.Tx) (err error) {
		own := tx.Bucket(ownBucket)
		if own == nil {
			first, _ := tx.Cursor().First()
			if empty = first == nil; !empty {
				return &Error{Path: s.path, Kind: ErrForeign, Detail: "it has other buckets"}
			}
			return nil
		}
		after = unfinished(own.Get(unfinishedKey))
		switch schema, err = strconv.Atoi(string(own.Get(schemaKey))); {
		case err != nil || schema < 1 || after != nil && schema < 2:
			return &Error{Path: s.path, Kind: ErrDamaged, Detail: "no schema", Cause: err}
		case schema > o.layout.schema:
			return &Error{Path: s.path, Kind: ErrNewer, Detail: fmt.Sprintf("schema %d; this program knows %d", schema, o.layout.schema)}
		case schema == Schema && after == nil && (tx.Bucket(tenantsBucket) == nil || tx.Bucket(agesBucket) == nil):
			return &Error{Path: s.path, Kind: ErrDamaged, Detail: "a bucket is missing"}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case empty:
		return s.layOut(o.layout.schema)
	case schema < o.layout.schema || after != nil:
		return s.migrate(ctx, o, schema, after)
	}
	return nil
}

// layOut makes what a new file has.
func (s *Store) layOut(schema int) error {
	err := s.update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{agesBucket, tenantsBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		own, err := tx.CreateBucketIfNotExists(ownBucket)
		if err != nil {
			return err
		}
		return own.Put(schemaKey, []byte(strconv.Itoa(schema)))
	})
	if err != nil {
		return refusal(s.path, err)
	}
	return nil
}

// refusal gives an error of opening its kind.
func refusal(path string, err error) error {
	var known *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case full(err):
		return &Error{Path: path, Kind: ErrFull, Cause: err}
	case errors.Is(err, bolterrors.ErrTimeout):
		return &Error{Path: path, Kind: ErrLocked, Cause: err}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &Error{Path: path, Kind: ErrReadOnly, Cause: err}
	case errors.Is(err, bolterrors.ErrVersionMismatch):
		return &Error{Path: path, Kind: ErrNewer, Cause: err}
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrInvalidMapping):
		return &Error{Path: path, Kind: ErrDamaged, Cause: err}
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// full says that there is no room: on the disk, in the quota of who writes, or in the largest file that
// is allowed. Of growing the file, bbolt keeps only the system's text.
func full(err error) bool {
	for _, no := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, no) || err != nil && strings.HasSuffix(err.Error(), ": "+no.Error()) {
			return true
		}
	}
	return false
}

// What bbolt's pages look like (internal/common, page.go and meta.go): a header of
// 16 bytes, and in a meta page what follows it, in the machine's own byte order.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	mostVersion = 100 // beyond it the number is damaged, rather than a newer format's whose checksum is made in another way
	headerSize  = 16
	metaSize    = 64

	branchPage   = 0x01
	leafPage     = 0x02
	metaPage     = 0x04
	freelistPage = 0x10
	noFreelist   = ^uint64(0)
)

type meta struct {
	magic, version, pageSize  uint32
	root, freelist, pages, tx uint64
	whole                     bool      // its checksum is right
	header                    [2]uint64 // its page's number and kind, which the checksum is not of: bbolt goes by the page all the same
}

// inspect looks at a file before bbolt maps it: a page that the file is too short
// for would be a fault, and not an error. It needs no lock: whoever writes makes the
// file longer before the meta page that counts on it, and keeps one meta page whole.
func inspect(path string) error {
	if err := regular(path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return refusal(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return refusal(path, err)
	}
	if info.Size() == 0 {
		return nil // new, as bbolt sees it
	}
	damaged := func(format string, args ...any) error {
		return &Error{Path: path, Kind: ErrDamaged, Detail: fmt.Sprintf(format, args...)}
	}
	best, ours, newer := newest(f)
	switch {
	case newer:
		return &Error{Path: path, Kind: ErrNewer, Detail: "bbolt's own format"}
	case !ours:
		return &Error{Path: path, Kind: ErrForeign, Detail: "no bbolt file"}
	case best == nil:
		return damaged("no meta page is whole")
	}
	if first := readMeta(f, 0); first != nil && first.whole && first.magic == boltMagic && first.pageSize != best.pageSize {
		return damaged("pages of %d bytes, and of %d", first.pageSize, best.pageSize) // bbolt goes by the first
	}
	size := int64(best.pageSize)
	if best.pages > uint64(info.Size()/size) {
		return damaged("%d bytes, where %d pages of %d are counted on", info.Size(), best.pages, size)
	}
	for _, p := range []struct {
		id    uint64
		flags uint16
	}{{best.root, branchPage | leafPage}, {best.freelist, freelistPage}} {
		if p.id == noFreelist && p.flags == freelistPage {
			continue
		}
		h := make([]byte, headerSize)
		if p.id >= best.pages {
			return damaged("page %d of %d", p.id, best.pages)
		}
		if _, err := f.ReadAt(h, int64(p.id)*size); err != nil {
			return damaged("page %d: %v", p.id, err)
		}
		flags, over := binary.NativeEndian.Uint16(h[8:]), uint64(binary.NativeEndian.Uint32(h[12:]))
		if binary.NativeEndian.Uint64(h) != p.id || flags&p.flags == 0 || p.id+over >= best.pages {
			return damaged("page %d has a wrong header", p.id)
		}
	}
	return nil
}

// newest is the meta page that bbolt goes by: the latest of those that are whole. ours
// says that there is a bbolt file at all, newer that its format is not known.
func newest(f *os.File) (best *meta, ours, newer bool) {
	offsets := []int64{0}
	if m := readMeta(f, 0); m != nil && m.whole && m.magic == boltMagic && m.pageSize >= 512 && m.pageSize <= 1<<20 {
		offsets = append(offsets, int64(m.pageSize))
	} else {
		for size := int64(1024); size <= 1<<16; size *= 2 { // where bbolt looks for the second
			offsets = append(offsets, size)
		}
	}
	for _, at := range offsets {
		m := readMeta(f, at)
		if m == nil || m.magic != boltMagic {
			continue
		}
		ours = true
		newer = newer || m.version > boltVersion && (m.whole || m.version <= mostVersion)
		if m.whole && m.version == boltVersion && m.pageSize >= 512 && m.pageSize <= 1<<20 && (best == nil || m.tx > best.tx) {
			best = m
		}
	}
	return best, ours, newer && best == nil
}

func readMeta(f *os.File, at int64) *meta {
	page := make([]byte, headerSize+metaSize)
	if _, err := io.ReadFull(io.NewSectionReader(f, at, headerSize+metaSize), page); err != nil {
		return nil
	}
	b := page[headerSize:]
	sum := fnv.New64a()
	sum.Write(b[:metaSize-8])
	n := binary.NativeEndian
	return &meta{
		magic: n.Uint32(b), version: n.Uint32(b[4:]), pageSize: n.Uint32(b[8:]),
		root: n.Uint64(b[16:]), freelist: n.Uint64(b[32:]), pages: n.Uint64(b[40:]), tx: n.Uint64(b[48:]),
		whole: n.Uint64(b[56:]) == sum.Sum64(), header: [2]uint64{n.Uint64(page), uint64(n.Uint16(page[8:]))},
	}
}
