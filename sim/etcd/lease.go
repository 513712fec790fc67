package etcd

import (
	"maps"
	"slices"
	"time"
)

// lease is a promise to keep keys for a time.
type lease struct {
	id     int64
	ttl    time.Duration
	expiry time.Time
	keys   map[string]struct{}
}

// maxTTL is etcd's bound of a lease's life.
const maxTTL = 9_000_000_000 * time.Second

// earlier orders leases by expiry, then ID.
func earlier(a, b *lease) bool {
	if !a.expiry.Equal(b.expiry) {
		return a.expiry.Before(b.expiry)
	}
	return a.id < b.id
}

// Grant makes a lease that expires after ttl unless it is kept alive, under the
// ID given (0: the store gives one), and returns its ID. It fails with
// ErrLeaseExists, or ErrLeaseTTL where ttl is not positive.
func (s *Store) Grant(id int64, ttl time.Duration, now time.Time) (int64, error) {
	if ttl <= 0 || ttl > maxTTL {
		return 0, ErrLeaseTTL
	}
	if id != 0 && s.leases[id] != nil {
		return 0, ErrLeaseExists // as all writes ask first, this one is common
	}
	res := s.propose(op{Kind: opGrant, Lease: id, TTL: ttl, Now: now})
	return res.lease, res.err
}

func (s *Store) grant(id int64, ttl time.Duration, now time.Time) (int64, error) {
	if id == 0 {
		id = s.lastLease + 1
		for s.leases[id] != nil {
			id++
		}
		s.lastLease = id
		s.unsaved.meta = true
	}
	if s.leases[id] != nil {
		return 0, ErrLeaseExists
	}
	s.addLease(&lease{id: id, ttl: ttl, expiry: now.Add(ttl)})
	return id, nil
}

func (s *Store) addLease(l *lease) {
	s.leases[l.id] = l
	s.expiries.Set(l)
	s.unsaved.leases[l.id] = struct{}{}
}

// KeepAlive starts a lease's time anew. It fails with ErrLeaseNotFound.
func (s *Store) KeepAlive(id int64, now time.Time) error {
	if s.leases[id] == nil {
		return ErrLeaseNotFound
	}
	return s.propose(op{Kind: opKeepAlive, Lease: id, Now: now}).err
}

func (s *Store) keepAlive(id int64, now time.Time) error {
	l := s.leases[id]
	if l == nil {
		return ErrLeaseNotFound
	}
	s.expiries.Delete(l)
	l.expiry = now.Add(l.ttl)
	s.addLease(l)
	return nil
}

// Revoke ends a lease and deletes its keys, under one new revision, and returns
// what they were. A lease that is not there has no keys.
func (s *Store) Revoke(id int64) (rev int64, deleted []KV, err error) {
	if s.leases[id] == nil {
		return s.rev, nil, nil
	}
	res := s.propose(op{Kind: opRevoke, Lease: id})
	return res.rev, res.deleted, res.err
}

func (s *Store) revoke(id int64) (rev int64, deleted []KV) {
	l := s.leases[id]
	if l == nil {
		return s.rev, nil
	}
	w := s.begin()
	for _, key := range slices.Sorted(maps.Keys(l.keys)) {
		deleted = append(deleted, w.delete(key, "")...)
	}
	s.expiries.Delete(l)
	delete(s.leases, id)
	s.unsaved.leases[id] = struct{}{}
	return w.end(), deleted
}

// Expire revokes the leases whose time is over, the earliest first, each under
// its own revision, and returns their IDs and what their keys were. It ends early
// where the members do not agree: without a leader no lease ends.
func (s *Store) Expire(now time.Time) (revoked []int64, deleted []KV) {
	for {
		l, ok := s.expiries.Min()
		if !ok || l.expiry.After(now) {
			return revoked, deleted
		}
		_, kvs, err := s.Revoke(l.id)
		if err != nil {
			return revoked, deleted
		}
		revoked, deleted = append(revoked, l.id), append(deleted, kvs...)
	}
}

// NextExpiry is when the next lease expires; false: there is none.
func (s *Store) NextExpiry() (time.Time, bool) {
	l, ok := s.expiries.Min()
	if !ok {
		return time.Time{}, false
	}
	return l.expiry, true
}

func (s *Store) attach(v *version) {
	if v.Lease == 0 {
		return
	}
	l := s.leases[v.Lease]
	if l.keys == nil {
		l.keys = map[string]struct{}{}
	}
	l.keys[v.Key] = struct{}{}
}

func (s *Store) detach(v *version) {
	if l := s.leases[v.Lease]; l != nil {
		delete(l.keys, v.Key)
	}
}

// refresh gives every lease its whole time again, as a new leader does, which does not know when each was last kept
// alive (server/lease/lessor.go, Promote).
func (s *Store) refresh(now time.Time) {
	for _, id := range slices.Sorted(maps.Keys(s.leases)) {
		l := s.leases[id]
		s.expiries.Delete(l)
		l.expiry = now.Add(l.ttl + ElectionTimeout)
		s.addLease(l)
	}
}

// LeaseInfo is one lease.
type LeaseInfo struct {
	ID     int64
	TTL    time.Duration
	Expiry time.Time
	Keys   []string // in order
}

// Leases are all there are, by expiry.
func (s *Store) Leases() []LeaseInfo {
	var all []LeaseInfo
	s.expiries.Scan(func(l *lease) bool {
		all = append(all, LeaseInfo{l.id, l.ttl, l.expiry, slices.Sorted(maps.Keys(l.keys))})
		return true
	})
	return all
}
