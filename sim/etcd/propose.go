package etcd

import (
	"errors"
	"time"
)

// What members refuse, in etcd's words. After ErrTimeout and ErrLost nobody knows whether the request will be carried
// out: it may lie in a log that becomes everybody's, or that is overwritten.
var (
	ErrTimeout     = errors.New("etcdserver: request timed out")
	ErrLost        = errors.New("etcdserver: request timed out, possibly due to connection lost")
	ErrUnavailable = errors.New("etcdserver: no member answers") // the client's dial is refused, by all of them
	ErrNoSpace     = errors.New("etcdserver: mvcc: database space exceeded")
)

// RequestTimeout is how long a member waits for a request of its own to be committed: 5 s and two election timeouts
// (server/config/config.go, ReqTimeout).
const RequestTimeout = 5*time.Second + 2*ElectionTimeout

// opKind is what an op does.
type opKind int

const (
	opPut opKind = iota + 1
	opDelete
	opTxn
	opGrant
	opKeepAlive
	opRevoke
	opCompact
	opAlarm // NOSPACE on, or with Rev 0 off
)

// op is a request as it stands in a log: what every member carries out in the same way.
type op struct {
	Kind  opKind        `json:"kind"`
	Key   string        `json:"key,omitempty"`
	End   string        `json:"end,omitempty"`
	Value []byte        `json:"value,omitempty"`
	Lease int64         `json:"lease,omitempty"`
	TTL   time.Duration `json:"ttl,omitempty"`
	Now   time.Time     `json:"now,omitzero"`
	Rev   int64         `json:"rev,omitempty"`
	Txn   Txn           `json:"txn,omitzero"`
	Alarm uint64        `json:"alarm,omitempty"` // ID of the member that raises it
}

// result is what carrying out an op gave.
type result struct {
	rev     int64
	lease   int64
	deleted []KV
	txn     TxnResponse
	err     error
}

// digest is a number of what an op says (FNV-1a), so that equal histories can be told from others.
func (o *op) digest() uint64 {
	h := uint64(14695981039346656037)
	if o == nil {
		return h
	}
	add := func(s string) {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h = (h ^ uint64(len(s))) * 1099511628211
	}
	h = (h ^ uint64(o.Kind) ^ uint64(o.Lease)<<8 ^ uint64(o.Rev)<<16) * 1099511628211
	add(o.Key)
	add(o.End)
	h = (h ^ uint64(len(o.Value))) * 1099511628211
	for _, ops := range [2][]Op{o.Txn.Then, o.Txn.Else} {
		for i := range ops {
			add(ops[i].Key)
			h = (h ^ uint64(len(ops[i].Value)) ^ uint64(ops[i].Type)<<32) * 1099511628211
		}
	}
	return h
}

// propose has the members agree on an op, and carries it out. A store without members is one that always agrees.
func (s *Store) propose(o op) result {
	r := s.raft
	if r == nil {
		return s.carryOut(&o)
	}
	if r.level {
		res := s.carryOut(&o)
		h := &r.head
		h.Index++
		h.Hash, h.Rev = chain(h.Hash, h.Index, h.Term, o.digest()), s.rev
		s.weigh()
		return res
	}
	m := r.gateway()
	if m == nil {
		return result{rev: s.rev, err: ErrUnavailable}
	}
	l := r.leaderOf(m)
	switch {
	case l == nil && m.lead == 0:
		return result{rev: s.rev, err: ErrTimeout}
	case l == nil:
		return result{rev: s.rev, err: ErrLost}
	}
	r.stirred = true
	logged := o // a copy that outlives the call; o itself need not
	e := r.append(l, &logged)
	r.broadcast(l)
	if !e.done {
		if !r.hasQuorum(l) {
			return result{rev: s.rev, err: ErrLost}
		}
		return result{rev: s.rev, err: ErrTimeout}
	}
	res := r.outcome
	r.outcome = result{}
	return res
}

// carryOut is the one place where an op changes the store.
func (s *Store) carryOut(o *op) result {
	switch o.Kind {
	case opPut:
		if err := s.putable(o.Key, o.Lease); err != nil {
			return result{rev: s.rev, err: err}
		}
		w := s.begin()
		w.put(o.Key, o.Value, o.Lease)
		return result{rev: w.end()}
	case opDelete:
		w := s.begin()
		deleted := w.delete(o.Key, o.End)
		return result{rev: w.end(), deleted: deleted}
	case opTxn:
		txn, err := s.txn(o.Txn)
		return result{rev: txn.Rev, txn: txn, err: err}
	case opGrant:
		id, err := s.grant(o.Lease, o.TTL, o.Now)
		return result{rev: s.rev, lease: id, err: err}
	case opKeepAlive:
		return result{rev: s.rev, err: s.keepAlive(o.Lease, o.Now)}
	case opRevoke:
		rev, deleted := s.revoke(o.Lease)
		return result{rev: rev, deleted: deleted}
	case opCompact:
		return result{rev: s.rev, err: s.compact(o.Rev)}
	case opAlarm:
		s.setAlarm(o.Rev != 0, o.Alarm)
	}
	return result{rev: s.rev}
}

// commitTo has a member apply its log up to an entry, which is committed. The first to apply an entry carries it out.
func (r *raft) commitTo(m *member, i uint64) {
	m.commit = max(m.commit, i)
	for m.applied.Index < m.commit {
		e := m.at(m.applied.Index + 1)
		if !e.done {
			if e.op != nil {
				r.outcome = r.store.carryOut(e.op)
			}
			e.done, e.op, e.rev = true, nil, r.store.rev
			r.unsaved.added(e)
			r.head = mark{e.index, e.term, chain(r.head.Hash, e.index, e.term, e.digest), e.rev}
		}
		m.applied = mark{e.index, e.term, chain(m.applied.Hash, e.index, e.term, e.digest), e.rev}
	}
	r.store.weigh()
	if m.applied.Index-m.base.Index > snapshotEvery+catchUpEntries {
		r.cut(m, m.applied.Index-catchUpEntries)
	}
}

// gateway is the member that the client talks with: the one that it is connected to, as long as that knows of a
// leader; else one that has a leader with a quorum; else any that runs. Nil: none does.
//
// The real client spreads its requests over all members, so that one that is cut off fails a part of them.
func (r *raft) gateway() *member {
	if m := r.members[r.door]; !m.stopped && m.lead != 0 {
		return m
	}
	running := -1
	for n := range r.members {
		i := (r.door + n) % len(r.members)
		m := r.members[i]
		if l := r.leaderOf(m); l != nil && r.hasQuorum(l) && !m.stopped {
			r.door = i
			return m
		}
		if !m.stopped && running < 0 {
			running = i
		}
	}
	if running < 0 {
		return nil
	}
	r.door = running
	return r.members[running]
}

// Reachable is nil if a request would be answered now, or else what etcd says once it has waited in vain.
func (s *Store) Reachable() error {
	r := s.raft
	if r == nil || r.level {
		return nil
	}
	m := r.gateway()
	if m == nil {
		return ErrUnavailable
	}
	return r.answers(m)
}

// Answers is nil if a member would answer a request now, or else what it says once it has waited in vain.
func (s *Store) Answers(name string) error {
	m := s.raft.named(name)
	switch {
	case m == nil || m.stopped:
		return ErrUnavailable
	case s.raft.level:
		return nil
	}
	return s.raft.answers(m)
}

func (r *raft) answers(m *member) error {
	switch l := r.leaderOf(m); {
	case l == nil && m.lead == 0:
		return ErrTimeout
	case l == nil || !r.hasQuorum(l):
		return ErrLost
	case l.termAt(l.commit) != l.term: // it does not yet know what is committed
		return ErrTimeout
	}
	return nil
}
