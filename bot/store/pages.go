package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
)

// book reads bbolt's pages from the file itself, and believes nothing that they say: neither a
// fault nor a panic nor an endless way comes of a damaged one, as it would of bbolt's own map. It
// holds one way down the tree in memory, and two bits a page.
type book struct {
	f        io.ReaderAt
	pageSize int64
	pages    uint64
	used     bits
	free     bits
	at       uint64 // the page of the element that is visited
	damaged  func(page uint64, fault Fault, detail ...any)
}

// bits is one bit a page.
type bits []uint64

func (b bits) has(i uint64) bool { return b[i/64]&(1<<(i%64)) != 0 }
func (b bits) set(i uint64)      { b[i/64] |= 1 << (i % 64) }

const (
	elementSize = 16
	inBucket    = 16 // a bucket's value: root page, sequence; a page follows where there is no root
	bucketFlag  = 0x01

	// Far above what this program writes: a record has a few hundred kilobytes at most, and a
	// tree of 2^64 pages no more levels.
	largestPage = 256 << 20
	deepest     = 40
)

func newBook(f io.ReaderAt, m *meta) *book {
	n := m.pages/64 + 1
	return &book{f: f, pageSize: int64(m.pageSize), pages: m.pages, used: make(bits, n), free: make(bits, n)}
}

// read is a page with what overflows it; nil where it cannot be right.
func (b *book) read(id uint64, kinds uint16) []byte {
	if id < 2 || id >= b.pages {
		b.damaged(id, PageBeyond, b.pages)
		return nil
	}
	h := make([]byte, b.pageSize)
	if n, err := b.f.ReadAt(h, int64(id)*b.pageSize); n < len(h) {
		b.damaged(id, PageUnread, err)
		return nil
	}
	self, flags, over := binary.NativeEndian.Uint64(h), binary.NativeEndian.Uint16(h[8:]), uint64(binary.NativeEndian.Uint32(h[12:]))
	switch {
	case self != id:
		b.damaged(id, PageMisplaced, self)
	case flags&^kinds != 0 || flags&(flags-1) != 0 || flags == 0:
		b.damaged(id, PageKind, fmt.Sprintf("%#x", flags))
	case over >= b.pages-id || int64(over+1)*b.pageSize > largestPage:
		b.damaged(id, PageLong, over+1)
	default:
		if over == 0 {
			return h
		}
		long := make([]byte, int64(over+1)*b.pageSize)
		if n, err := b.f.ReadAt(long, int64(id)*b.pageSize); n < len(long) {
			b.damaged(id, PageUnread, err)
			return nil
		}
		return long
	}
	return nil
}

// claim says that a page belongs to where it was found, and to nothing else.
func (b *book) claim(id uint64, page []byte) bool {
	for i := range uint64(int64(len(page)) / b.pageSize) {
		switch {
		case b.used.has(id + i):
			b.damaged(id+i, PageTwice)
			return false
		case b.free.has(id + i):
			b.damaged(id+i, PageFree)
		}
		b.used.set(id + i)
	}
	return true
}

// element is one of a leaf: a key with its value, or with a bucket; or one of a branch.
type element struct {
	key, value []byte
	bucket     bool
	page       uint64 // of a branch
}

// elements are those of a page; the second value says what is wrong with one that cannot be, and is the last.
func elements(page []byte) iter.Seq2[element, Fault] {
	n := binary.NativeEndian
	return func(yield func(element, Fault) bool) {
		branch, count := n.Uint16(page[8:])&branchPage != 0, int(n.Uint16(page[10:]))
		if headerSize+count*elementSize > len(page) {
			yield(element{}, PageContents)
			return
		}
		for i := range count {
			at := headerSize + i*elementSize
			h := page[at:]
			var e element
			var pos, key, value uint64
			if branch {
				pos, key, e.page = uint64(n.Uint32(h)), uint64(n.Uint32(h[4:])), n.Uint64(h[8:])
			} else {
				e.bucket = n.Uint32(h)&bucketFlag != 0
				pos, key, value = uint64(n.Uint32(h[4:])), uint64(n.Uint32(h[8:])), uint64(n.Uint32(h[12:]))
			}
			from := uint64(at) + pos
			if from+key+value > uint64(len(page)) || pos < uint64(count-i)*elementSize && key+value > 0 {
				yield(element{}, PageContents)
				return
			}
			e.key, e.value = page[from:from+key], page[from+key:from+key+value]
			if !yield(e, "") {
				return
			}
		}
	}
}

// walk visits the leaves' elements under a page whose keys are from low on and below high (nil: any).
func (b *book) walk(id uint64, low, high []byte, depth int, visit func(element)) {
	page := b.read(id, branchPage|leafPage)
	if page == nil || !b.claim(id, page) {
		return
	}
	if depth > deepest {
		b.damaged(id, PageDeep, deepest)
		return
	}
	b.tree(id, page, low, high, depth, visit)
}

// tree visits what is under a page that has been read.
func (b *book) tree(id uint64, page, low, high []byte, depth int, visit func(element)) {
	branch := binary.NativeEndian.Uint16(page[8:])&branchPage != 0
	if branch && binary.NativeEndian.Uint16(page[10:]) == 0 {
		b.damaged(id, PageEmpty)
		return
	}
	var last *element // of a branch: its child's keys end where the next one's begin
	first := true
	for e, wrong := range elements(page) {
		if wrong != "" {
			b.damaged(id, wrong)
			break
		}
		if c := bytes.Compare(e.key, low); !first && c <= 0 || first && low != nil && c < 0 || high != nil && bytes.Compare(e.key, high) >= 0 {
			b.damaged(id, PageOrder)
			break
		}
		first, low = false, e.key
		if !branch {
			b.at = id
			visit(e)
			continue
		}
		if last != nil {
			b.walk(last.page, last.key, e.key, depth+1, visit)
		}
		last = &e
	}
	if last != nil {
		b.walk(last.page, last.key, high, depth+1, visit)
	}
}

// bucket visits the elements of a bucket, given its value in its parent.
func (b *book) bucket(value []byte, visit func(element)) {
	parent := b.at
	if len(value) < inBucket {
		b.damaged(parent, PageBucket)
		return
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		b.walk(root, nil, nil, 0, visit)
		return
	}
	inline := value[inBucket:]
	if len(inline) < headerSize || binary.NativeEndian.Uint16(inline[8:]) != leafPage {
		b.damaged(parent, PageBucket)
		return
	}
	b.tree(parent, inline, nil, nil, 0, visit)
}

// readFree reads the list of free pages.
func (b *book) readFree(id uint64) bool {
	if id == noFreelist {
		return false
	}
	page := b.read(id, freelistPage)
	if page == nil || !b.claim(id, page) {
		return false
	}
	n, at := uint64(binary.NativeEndian.Uint16(page[10:])), uint64(headerSize)
	if n == 0xFFFF {
		n, at = binary.NativeEndian.Uint64(page[at:]), at+8
	}
	if n > (uint64(len(page))-at)/8 {
		b.damaged(id, PageFreeList, n)
		return false
	}
	for i := range n {
		free := binary.NativeEndian.Uint64(page[at+8*i:])
		if free < 2 || free >= b.pages || b.free.has(free) || b.used.has(free) {
			b.damaged(id, PageFreeList, free)
			return false
		}
		b.free.set(free)
	}
	return true
}

// lost counts the pages that are neither used nor free: room that nothing will ever take.
func (b *book) lost() (n uint64) {
	for id := uint64(2); id < b.pages; id++ {
		if !b.used.has(id) && !b.free.has(id) {
			n++
		}
	}
	return n
}

// get is the value of a key in a bucket, given the bucket's own value; nil where there is none, and
// where the way to it is damaged.
func (b *book) get(bucket, key []byte) (found element, ok bool) {
	if len(bucket) < inBucket {
		return element{}, false
	}
	page := bucket[inBucket:]
	if root := binary.NativeEndian.Uint64(bucket); root != 0 {
		page = b.read(root, branchPage|leafPage)
	}
	for range deepest {
		if len(page) < headerSize {
			return element{}, false
		}
		branch := binary.NativeEndian.Uint16(page[8:])&branchPage != 0
		next := uint64(0)
		for e, wrong := range elements(page) {
			c := bytes.Compare(e.key, key)
			if wrong != "" || c > 0 {
				break
			}
			next = e.page
			if c == 0 && !branch {
				return e, true
			}
		}
		if !branch || next == 0 {
			return element{}, false
		}
		page = b.read(next, branchPage|leafPage)
	}
	return element{}, false
}
