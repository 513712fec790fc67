// Package store keeps what must survive in one bbolt file: the records of
// channels, people and tenants, and the replies to requests. It is the only
// package that knows bbolt, and it does not know what the records mean.
//
// The file has a bucket for each tenant, in it one for each scope, and in that the
// scope's records and its version; another for the replies. A Commit is one
// transaction and on the disk when it returns; those that come while one is being
// written share the next. A file that another process holds, that a newer program
// wrote, that is damaged or that may not be written is refused by Open with an
// error of its own, and left as it is.
package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"timonier/bot"
)

// KeepReplies is how long the reply to a request is kept, at least.
const KeepReplies = 24 * time.Hour

// Store is a bot.Store in a file. Use Open. It is safe for concurrent use.
type Store struct {
	path   string
	db     *bbolt.DB
	turn   chan struct{} // held by the one that writes
	layout *layout

	mu      sync.Mutex
	waiting []*job
	broken  error     // what bbolt cannot go on after: from then on nothing is read
	refused error     // why the last write that the system refused was
	at      time.Time // when that was
}

var _ bot.Store = (*Store)(nil)

// job is a Commit that waits for its turn, or for another's to take it along.
type job struct {
	commit bot.Commit
	done   chan struct{}
	err    error
	at     bot.Scope // that is being read or written
}

// MostTogether bounds the commits of one transaction.
const MostTogether = 256

// Read returns a scope's records whose keys begin with prefix, and its version.
func (s *Store) Read(ctx context.Context, scope bot.Scope, prefix string) (records []bot.Record, version uint64, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		b := scopeBucket(tx, scope)
		if b == nil {
			return nil
		}
		version = versionOf(b)
		from := append([]byte{recordTag}, prefix...)
		c := b.Cursor()
		for k, v := c.Seek(from); k != nil && bytes.HasPrefix(k, from); {
			r := bot.Record{Key: string(k[1:])}
			r.Value, k, v = wholeValue(c, k, v)
			records = append(records, r)
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read records: %w", s.damage(scope, err))
	}
	return records, version, nil
}

// Answered returns the reply kept for a request of a tenant.
func (s *Store) Answered(ctx context.Context, scope bot.Scope, request string) (reply []byte, found bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		if t := tenantBucket(tx, scope); t != nil {
			if b := t.Bucket(repliesBucket); b != nil {
				c := b.Cursor()
				if k, v := c.Seek(name(request)); bytes.Equal(k, name(request)) && len(v) >= 8 {
					v, _, _ = wholeValue(c, k, v)
					reply, found = v[8:], true
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("read reply: %w", s.damage(tenantOf(scope), err))
	}
	return reply, found, nil
}

// Commit writes everything, durably, or nothing. Whoever gets the turn writes for
// all that wait. A context that ends takes back a commit that nobody has begun; one
// that is being written is waited for.
func (s *Store) Commit(ctx context.Context, c bot.Commit) error {
	j := &job{commit: c, done: make(chan struct{})}
	s.mu.Lock()
	s.waiting = append(s.waiting, j)
	s.mu.Unlock()
	select {
	case <-j.done:
	case <-ctx.Done():
		if s.takeBack(j) {
			return ctx.Err()
		}
		<-j.done
	case s.turn <- struct{}{}:
		s.writeUntil(j)
		<-s.turn // those that still wait have one among them that takes it
	}
	if j.err != nil {
		return fmt.Errorf("commit: %w", s.damage(j.at, j.err))
	}
	return nil
}

func (s *Store) takeBack(j *job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.waiting, j)
	if i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
	return i >= 0
}

// writeUntil writes what waits, as much in a transaction as the bound allows, until j is written.
func (s *Store) writeUntil(j *job) {
	for {
		select {
		case <-j.done:
			return
		default:
		}
		s.mu.Lock()
		jobs := slices.Clone(s.waiting[:min(len(s.waiting), MostTogether)])
		s.waiting = slices.Delete(s.waiting, 0, len(jobs))
		s.mu.Unlock()
		s.write(jobs)
	}
}

// write writes jobs in one transaction. If that fails as a whole, each is tried by
// itself, so that one that is too large, or meets a damaged page, spoils no other.
func (s *Store) write(jobs []*job) {
	err := s.update(func(tx *bbolt.Tx) error {
		for _, j := range jobs {
			if j.err = j.check(tx); j.err != nil {
				continue // refused: nothing of it has been written
			}
			if err := j.apply(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && len(jobs) > 1 && !errors.Is(err, bot.ErrUnsure) {
		for _, j := range jobs {
			s.write([]*job{j})
		}
		return
	}
	for _, j := range jobs {
		if err != nil {
			j.err = err
		}
		close(j.done)
	}
}

// check says why a commit may not be written.
func (j *job) check(tx *bbolt.Tx) error {
	for i := range j.commit.Answers {
		a := &j.commit.Answers[i]
		j.at = tenantOf(a.Scope)
		if t := tenantBucket(tx, a.Scope); t != nil {
			if b := t.Bucket(repliesBucket); b != nil && b.Get(name(a.Request)) != nil {
				return bot.ErrAnswered
			}
		}
	}
	for _, w := range j.commit.Writes {
		j.at = w.Scope
		if slices.ContainsFunc(w.Changes, func(r bot.Record) bool { return strings.IndexByte(r.Key, 0) >= 0 }) {
			return errors.New("a key has a NUL")
		}
		version := uint64(0)
		if b := scopeBucket(tx, w.Scope); b != nil {
			version = versionOf(b)
		}
		if version != w.Base {
			return fmt.Errorf("version %d, not %d: %w", version, w.Base, bot.ErrConflict)
		}
	}
	return nil
}

// apply writes a commit that has been checked.
func (j *job) apply(tx *bbolt.Tx) error {
	for i := range j.commit.Writes {
		j.at = j.commit.Writes[i].Scope
		if err := applyWrite(tx, &j.commit.Writes[i]); err != nil {
			return err
		}
	}
	for i := range j.commit.Answers {
		j.at = tenantOf(j.commit.Answers[i].Scope)
		if err := keepReply(tx, &j.commit.Answers[i]); err != nil {
			return err
		}
	}
	return nil
}

func tenantOf(s bot.Scope) bot.Scope { return bot.Scope{Platform: s.Platform, Tenant: s.Tenant} }

func applyWrite(tx *bbolt.Tx, w *bot.Write) error {
	b, err := makeScope(tx, w.Scope)
	if err != nil {
		return err
	}
	b.FillPercent = fill(w.Changes)
	for _, prefix := range w.Drop {
		from := append([]byte{recordTag}, prefix...)
		var keys [][]byte
		c := b.Cursor()
		for k, _ := c.Seek(from); k != nil && bytes.HasPrefix(k, from); k, _ = c.Next() {
			keys = append(keys, bytes.Clone(k))
		}
		for _, k := range keys {
			if err := b.Delete(k); err != nil {
				return err
			}
		}
	}
	// bbolt is at its best with keys in their order.
	changes := slices.SortedFunc(slices.Values(w.Changes), func(x, y bot.Record) int { return cmp.Compare(x.Key, y.Key) })
	for _, r := range changes {
		key := append([]byte{recordTag}, r.Key...)
		if r.Value == nil {
			err = deleteValue(b, key)
		} else {
			err = putValue(b, key, r.Value)
		}
		if err != nil {
			return fmt.Errorf("write record %s: %w", strings.ToValidUTF8(r.Key, "?"), err)
		}
	}
	if w.Scope.Person != "" && empty(b) { // nothing is left of them, nor their name
		return tenantBucket(tx, w.Scope).Bucket(scopesBucket).DeleteBucket(scopeName(w.Scope))
	}
	return b.Put(versionKey, binary.BigEndian.AppendUint64(nil, w.Base+1))
}

// empty says that a scope has no record.
func empty(b *bbolt.Bucket) bool {
	k, _ := b.Cursor().Seek([]byte{recordTag})
	return len(k) == 0 || k[0] != recordTag
}

// keepReply keeps a reply, and forgets a few that are past their time.
func keepReply(tx *bbolt.Tx, a *bot.Answer) error {
	t, err := makeTenant(tx, a.Scope)
	if err != nil {
		return err
	}
	replies, err := t.CreateBucketIfNotExists(repliesBucket)
	if err != nil {
		return err
	}
	replies.FillPercent = fullPages
	at := moment(a.At)
	key := name(a.Request)
	if err := putValue(replies, key, append(at, a.Reply...)); err != nil {
		return fmt.Errorf("write reply: %w", err)
	}
	ages := tx.Bucket(agesBucket)
	ages.FillPercent = fullPages
	if err := ages.Put(ageKey(at, tenantName(a.Scope), key), nil); err != nil {
		return fmt.Errorf("write age of reply: %w", err)
	}
	return forgetReplies(tx, ages, moment(a.At.Add(-KeepReplies)))
}

// mostForgotten bounds what one commit has to do for those before it: more than the one that it adds.
const mostForgotten = 8

func forgetReplies(tx *bbolt.Tx, ages *bbolt.Bucket, before []byte) error {
	var old [][]byte
	c := ages.Cursor()
	for k, _ := c.First(); k != nil && len(old) < mostForgotten && bytes.Compare(k[:min(8, len(k))], before) < 0; k, _ = c.Next() {
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		if tenant, request, ok := cutAgeKey(k); ok {
			if t := tx.Bucket(tenantsBucket).Bucket(tenant); t != nil {
				if b := t.Bucket(repliesBucket); b != nil {
					if err := deleteValue(b, request); err != nil {
						return fmt.Errorf("forget reply: %w", err)
					}
				}
			}
		}
		if err := ages.Delete(k); err != nil {
			return fmt.Errorf("forget age of reply: %w", err)
		}
	}
	return nil
}

// Transactions is how many have been written since the file was made: it goes up by one with each. 0 where it cannot be told.
func (s *Store) Transactions() (n uint64) {
	_ = s.view(func(tx *bbolt.Tx) error { n = uint64(tx.ID()); return nil })
	return n
}

// Close waits for what is being written, and lets go of the file.
func (s *Store) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.mu.Lock()
	broken := s.broken
	s.mu.Unlock()
	if broken != nil {
		return nil // bbolt may hold its own locks for ever after a panic; the process's end frees the file
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.path, err)
	}
	return nil
}

// view and update are bbolt's, of a file that may be damaged, on a disk that may fail. What bbolt, or the memory that the file
// is mapped to, makes of a damaged page is a panic or a fault: it becomes ErrDamaged. Where bbolt has
// ended the transaction on its way out, its locks are free and its list of free pages is the disk's
// again: the others go on. Else nothing does any more, for its locks are in no known state. (A page
// that leads back to itself would end the program: only verify finds it without harm.)
func (s *Store) view(f func(*bbolt.Tx) error) error   { return s.guard(s.db.View, f) }
func (s *Store) update(f func(*bbolt.Tx) error) error { return s.guard(s.db.Update, f) }

func (s *Store) guard(run func(func(*bbolt.Tx) error) error, f func(*bbolt.Tx) error) (err error) {
	s.mu.Lock()
	err = s.broken
	s.mu.Unlock()
	if err != nil {
		return err
	}
	var begun *bbolt.Tx
	err = guarded(s.path, func() error { return run(func(tx *bbolt.Tx) error { begun = tx; return f(tx) }) })
	halfway := begun == nil || begun.DB() != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
	case notSynced(err):
		s.broken = &Error{Path: s.path, Kind: bot.ErrStopped, Cause: err}
		return &Error{Path: s.path, Kind: bot.ErrUnsure, Cause: err}
	case errors.Is(err, ErrDamaged) && halfway:
		s.broken = err
	case full(err):
		err = &Error{Path: s.path, Kind: ErrFull, Cause: err}
		s.refused, s.at = err, time.Now()
	case readOnly(err):
		err = &Error{Path: s.path, Kind: ErrReadOnly, Cause: err}
		s.refused, s.at = err, time.Now()
	}
	return err
}

// damage says whose damage it is, unless it is everyone's.
func (s *Store) damage(whose bot.Scope, err error) error {
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return err
	}
	return &bot.Damage{Scope: whose, Err: err}
}

// notSynced says that the disk may not have what the system was given to write. The system forgets
// it after saying so once: what is in memory is no longer what is on the disk, whatever is asked of it
// later. Of a write that fails bbolt says so with the file's name, of this without; of the file's new
// length, with a text alone.
func notSynced(err error) bool {
	var file *fs.PathError
	var system syscall.Errno
	return !errors.As(err, &file) && errors.As(err, &system) || err != nil && strings.HasPrefix(err.Error(), "file sync error: ")
}

// readOnly says that the file may not be written any more, as where the system has found its disk failing.
func readOnly(err error) bool {
	for _, no := range []syscall.Errno{syscall.EROFS, syscall.EPERM, syscall.EACCES, syscall.EBADF} {
		if errors.Is(err, no) || err != nil && strings.HasSuffix(err.Error(), ": "+no.Error()) {
			return true
		}
	}
	return false
}

// refusedFor is how long a write that the system refused counts against the store: those that come
// after it may need less room, and succeed.
const refusedFor = time.Minute

// Check says why the store cannot be relied on, where it cannot: it can no longer be read, or a write was
// refused a moment ago, for want of room or because the file may not be written.
func (s *Store) Check(ctx context.Context) error {
	if _, _, err := s.Read(ctx, bot.Scope{}, ""); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused != nil && time.Since(s.at) < refusedFor {
		return s.refused
	}
	return nil
}

func guarded(path string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = &Error{Path: path, Kind: ErrDamaged, Detail: fmt.Sprint(r)}
		}
	}()
	return f()
}
