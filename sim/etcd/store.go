// Package etcd is the memory of a simulated cluster: a multi-version key-value
// store with etcd's semantics. One revision counter for the whole store; keys in
// order; transactions that compare, then write, under one revision; watches that
// replay history from a revision; leases that take their keys with them; and
// compaction, which forgets.
//
// It is plain data: it reads no clock, starts nothing, and writes no file. It
// hands out what changed as records, in the shape in which etcd keeps them in
// its own file, and takes them back (Changes, Load). A store may have members
// (Form): 1, 3 or 5 that agree by Raft on what is written, and can be stopped and
// parted; without them it answers as a healthy etcd would. A Store is not safe
// for concurrent use.
package etcd

import (
	"errors"
	"slices"
	"sort"

	"github.com/tidwall/btree"
)

// What a store refuses, in etcd's words.
var (
	ErrCompacted     = errors.New("etcdserver: mvcc: required revision has been compacted")
	ErrFutureRev     = errors.New("etcdserver: mvcc: required revision is a future revision")
	ErrEmptyKey      = errors.New("etcdserver: key is not provided")
	ErrTooLarge      = errors.New("etcdserver: request is too large")
	ErrTooManyOps    = errors.New("etcdserver: too many operations in txn request")
	ErrDuplicateKey  = errors.New("etcdserver: duplicate key given in txn request")
	ErrLeaseNotFound = errors.New("etcdserver: requested lease not found")
	ErrLeaseExists   = errors.New("etcdserver: lease already exists")
	ErrLeaseTTL      = errors.New("etcdserver: too large or too small lease TTL")
)

// The limits of an etcd with its default flags.
const (
	MaxRequestBytes = 3 << 19 // 1.5 MiB: keys and values of one request
	MaxTxnOps       = 128     // comparisons, or operations of a branch, in one transaction
)

// KV is a key with its value at one revision. Values are not copied on the way
// in or out: nobody changes one.
type KV struct {
	Key       string
	Value     []byte
	CreateRev int64 // revision at which the key came to be
	ModRev    int64 // revision of this value
	Version   int64 // 1 for the first value since the key came to be
	Lease     int64 // 0: none
}

// version is one state of one key, in a chain that goes back in time.
type version struct {
	KV               // its Value: see value and kv
	sub     int32    // place among the writes of its revision, from 0
	deleted bool     // a tombstone: of its KV, Key and ModRev alone mean something
	gone    bool     // forgotten by compaction before it was ever saved
	prev    *version // the one that it superseded
	base    *version // the later one from which Value is only the difference; nil: Value is whole
}

// Store is a multi-version key-value store.
type Store struct {
	rev       int64
	compacted int64
	heads     *btree.Map[string, *version] // latest version of each key, tombstones included until compaction
	log       []*version                   // all versions from revision compacted on, in order

	leases    map[int64]*lease
	expiries  *btree.BTreeG[*lease] // by expiry, then ID
	lastLease int64                 // last ID given by the store itself

	used    int64  // bytes of its file in use
	quota   int64  // bytes that the file may have; 0: DefaultQuota
	full    bool   // the alarm NOSPACE is on …
	alarmBy uint64 // … raised by that member
	raft    *raft  // nil: no members
	unsaved unsaved
}

// New is an empty store at revision 1, as a fresh etcd.
func New() *Store {
	return &Store{
		rev:      1,
		heads:    btree.NewMap[string, *version](0),
		leases:   map[int64]*lease{},
		expiries: btree.NewBTreeGOptions(earlier, btree.Options{NoLocks: true}),
		unsaved:  newUnsaved(),
	}
}

// Rev is the current revision of the whole store.
func (s *Store) Rev() int64 { return s.rev }

// CompactRev is the revision before which history is forgotten; 0: none was.
func (s *Store) CompactRev() int64 { return s.compacted }

// Get returns the current value of a key.
func (s *Store) Get(key string) (KV, bool) {
	v, ok := s.heads.Get(key)
	if !ok || v.deleted {
		return KV{}, false
	}
	return v.kv(), true
}

// RangeOptions narrow what Range returns.
type RangeOptions struct {
	Rev       int64 // as of this revision; 0: now
	Limit     int   // at most so many; 0: all
	KeysOnly  bool  // without values
	CountOnly bool  // only Count
}

// RangeResponse is what Range found.
type RangeResponse struct {
	KVs   []KV // in key order
	Count int  // keys in the range, those beyond the limit included
	More  bool // there are keys beyond the limit
	Rev   int64
}

// toEnd as the end of a range means: every key from its start on.
const toEnd = "\x00"

// PrefixEnd is the end of the range of all keys that begin with a prefix.
func PrefixEnd(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return toEnd
}

// inRange tells whether a key, not before the start, lies before the end of a range.
func inRange(key, end string) bool { return end == toEnd || key < end }

// Range returns the keys from key on and before end; end "" is the single key.
// It fails with ErrCompacted or ErrFutureRev where o.Rev cannot be answered.
func (s *Store) Range(key, end string, o RangeOptions) (RangeResponse, error) {
	if err := s.readable(o.Rev); err != nil {
		return RangeResponse{}, err
	}
	r := RangeResponse{Rev: s.rev}
	s.scan(key, end, func(v *version) {
		if v = v.at(o.Rev); v == nil {
			return
		}
		r.Count++
		switch {
		case o.CountOnly:
		case o.Limit > 0 && len(r.KVs) == o.Limit:
			r.More = true
		case o.KeysOnly:
			kv := v.KV
			kv.Value = nil
			r.KVs = append(r.KVs, kv)
		default:
			r.KVs = append(r.KVs, v.kv())
		}
	})
	return r, nil
}

func (s *Store) readable(rev int64) error {
	switch {
	case rev > s.rev:
		return ErrFutureRev
	case rev > 0 && rev < s.compacted:
		return ErrCompacted
	}
	return nil
}

// scan visits the latest version of each key of a range, tombstones included, in key order.
func (s *Store) scan(key, end string, visit func(*version)) {
	if end == "" {
		if v, ok := s.heads.Get(key); ok {
			visit(v)
		}
		return
	}
	s.heads.Ascend(key, func(k string, v *version) bool {
		if !inRange(k, end) {
			return false
		}
		visit(v)
		return true
	})
}

// at is the version as of a revision (0: the latest), or nil where the key was not there.
func (v *version) at(rev int64) *version {
	for rev > 0 && v != nil && v.ModRev > rev {
		v = v.prev
	}
	if v == nil || v.deleted {
		return nil
	}
	return v
}

// Put sets a key's value, under a new revision, and attaches it to a lease (0:
// to none). It fails with ErrEmptyKey, ErrTooLarge or ErrLeaseNotFound, and as
// every write with what members refuse.
func (s *Store) Put(key string, value []byte, lease int64) (rev int64, err error) {
	if len(key)+len(value) > MaxRequestBytes {
		return s.rev, ErrTooLarge
	}
	if key == "" {
		return s.rev, ErrEmptyKey
	}
	if err := s.room(len(key) + len(value)); err != nil {
		return s.rev, err
	}
	res := s.propose(op{Kind: opPut, Key: key, Value: value, Lease: lease})
	return res.rev, res.err
}

func (s *Store) putable(key string, lease int64) error {
	if key == "" {
		return ErrEmptyKey
	}
	if _, ok := s.leases[lease]; lease != 0 && !ok {
		return ErrLeaseNotFound
	}
	return nil
}

// Delete removes the keys from key on and before end (end "": the single key)
// under one new revision, and returns what they were. Where there is nothing to
// remove the revision stays.
func (s *Store) Delete(key, end string) (rev int64, deleted []KV, err error) {
	res := s.propose(op{Kind: opDelete, Key: key, End: end})
	return res.rev, res.deleted, res.err
}

// write is a group of writes under one revision.
type write struct {
	s   *Store
	rev int64
	sub int32 // of the next one
}

func (s *Store) begin() write { return write{s: s, rev: s.rev + 1} }

// end makes the revision the store's, if anything was written, and returns the store's.
func (w *write) end() int64 {
	if w.sub > 0 {
		w.s.rev = w.rev
	}
	return w.s.rev
}

func (w *write) put(key string, value []byte, lease int64) {
	v := &version{KV: KV{Key: key, Value: value, CreateRev: w.rev, ModRev: w.rev, Version: 1, Lease: lease}}
	old, _ := w.s.heads.Set(key, v)
	if old != nil {
		v.prev, v.Key = old, old.Key // one copy of the key for all its versions
		if !old.deleted {
			v.CreateRev, v.Version = old.CreateRev, old.Version+1
			w.s.detach(old)
		}
	}
	w.s.attach(v)
	w.record(v)
}

func (w *write) delete(key, end string) []KV {
	var found []*version
	w.s.scan(key, end, func(v *version) {
		if !v.deleted {
			found = append(found, v)
		}
	})
	if len(found) == 0 {
		return nil
	}
	deleted := make([]KV, len(found))
	for i, old := range found {
		deleted[i] = old.kv()
		v := &version{KV: KV{Key: old.Key, ModRev: w.rev}, deleted: true, prev: old}
		w.s.heads.Set(old.Key, v)
		w.s.detach(old)
		w.record(v)
	}
	return deleted
}

func (w *write) record(v *version) {
	v.sub = w.sub
	w.sub++
	w.s.used += v.size()
	w.s.log = append(w.s.log, v)
	w.s.unsaved.added = append(w.s.unsaved.added, v)
}

// Compact forgets what was superseded before a revision: reads and watches from
// before it fail with ErrCompacted from now on. It fails with ErrCompacted where
// that is done already and with ErrFutureRev where the revision is yet to come.
func (s *Store) Compact(rev int64) error {
	if err := s.compactable(rev); err != nil {
		return err
	}
	return s.propose(op{Kind: opCompact, Rev: rev}).err
}

func (s *Store) compactable(rev int64) error {
	switch {
	case rev <= s.compacted:
		return ErrCompacted
	case rev > s.rev:
		return ErrFutureRev
	}
	return nil
}

func (s *Store) compact(rev int64) error {
	if err := s.compactable(rev); err != nil {
		return err
	}
	upTo := s.logFrom(rev + 1)
	for _, v := range s.log[:upTo] {
		if v.prev != nil {
			s.forget(v.prev)
			v.prev = nil
		}
		// The deletions of the revision itself stay: a watch may begin there.
		if v.deleted && v.ModRev < rev {
			s.forget(v)
			if head, ok := s.heads.Get(v.Key); ok && head == v {
				s.heads.Delete(v.Key)
			}
		}
	}
	n := s.logFrom(rev)
	kept := make([]*version, len(s.log)-n)
	copy(kept, s.log[n:])
	s.log, s.compacted = kept, rev
	s.unsaved.added = slices.DeleteFunc(s.unsaved.added, func(v *version) bool { return v.gone })
	s.unsaved.meta = true
	if s.raft != nil {
		s.raft.tell(Change{Kind: Compacted, Rev: rev})
	}
	return nil
}

// logFrom is the place in the log of the first version of a revision or a later one.
func (s *Store) logFrom(rev int64) int {
	return sort.Search(len(s.log), func(i int) bool { return s.log[i].ModRev >= rev })
}

// Len is the number of keys there are.
func (s *Store) Len() (n int) {
	s.heads.Scan(func(_ string, v *version) bool {
		if !v.deleted {
			n++
		}
		return true
	})
	return n
}
