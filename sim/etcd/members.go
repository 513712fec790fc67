package etcd

import (
	"cmp"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Member is what one of a store's members says of itself, or what is known of it where it is stopped.
type Member struct {
	Name        string
	ID          uint64
	PeerURL     string
	ClientURL   string
	Role        Role   // Stopped goes before what it was
	Leader      uint64 // ID of whom it follows, itself if it leads; 0: it knows of none
	Partitioned bool   // it runs, and does not hear all others that run
	Term        uint64
	Index       uint64 // of the last entry of its log
	Applied     uint64 // … and of the last that it has applied
	Rev         int64  // the store's revision as it has it
	Hash        uint64 // of all that it has applied: members with one Applied have one Hash
	Size, InUse int64  // bytes of its file
}

// Form gives a store members: n of them, named etcd-1 and so on, all running, the first leading. The seed decides
// their election timeouts.
func (s *Store) Form(n int, seed uint64) {
	r := &raft{store: s, seed: seed, level: true, quorate: true, unsaved: newUnsavedLog()}
	for i := range n {
		name := fmt.Sprintf("etcd-%d", i+1)
		r.members = append(r.members, &member{id: memberID(name), name: name, role: Follower, term: firstTerm})
	}
	first := r.members[0]
	first.role, first.vote = Leader, first.id
	for _, m := range r.members {
		m.lead, m.vote = first.id, first.id
	}
	// What a cluster's log holds before anything is put: each member's joining and its address, the leader's first
	// entry, the cluster's version.
	index := uint64(2*n + 2)
	r.head = mark{Index: index, Term: firstTerm, Hash: chain(seed, index, firstTerm, 0), Rev: s.rev}
	s.raft = r
	s.weigh()
}

const (
	firstTerm  = 2
	peerPort   = 2380
	clientPort = 2379
	token      = "etcd-cluster" // --initial-cluster-token
)

// memberID is made as etcd makes it (server/etcdserver/api/membership/member.go, computeMemberID).
func memberID(name string) uint64 {
	sum := sha1.Sum([]byte(peerURL(name) + token))
	return binary.BigEndian.Uint64(sum[:8])
}

func peerURL(name string) string   { return fmt.Sprintf("https://%s:%d", name, peerPort) }
func clientURL(name string) string { return fmt.Sprintf("https://%s:%d", name, clientPort) }

// ClusterID is made of the members' (membership/cluster.go, genID); 0: there are none.
func (s *Store) ClusterID() uint64 {
	if s.raft == nil {
		return 0
	}
	var ids []uint64
	for _, m := range s.raft.members {
		ids = append(ids, m.id)
	}
	slices.Sort(ids)
	var b []byte
	for _, id := range ids {
		b = binary.BigEndian.AppendUint64(b, id)
	}
	sum := sha1.Sum(b)
	return binary.BigEndian.Uint64(sum[:8])
}

// Members are the store's, in the order of their names; nil: it has none.
func (s *Store) Members() []Member {
	if s.raft == nil {
		return nil
	}
	r := s.raft
	var all []Member
	for _, m := range r.members {
		one := Member{Name: m.name, ID: m.id, PeerURL: peerURL(m.name), ClientURL: clientURL(m.name), Role: m.role, Leader: m.lead,
			Term: m.term, Index: m.last(), Applied: m.applied.Index, Rev: m.applied.Rev, Hash: m.applied.Hash, Size: m.file, InUse: m.inUse}
		if r.level {
			one.Index, one.Applied, one.Rev, one.Hash = r.head.Index, r.head.Index, s.rev, r.head.Hash
		}
		if m.stopped {
			one.Role = Stopped
		}
		for _, p := range r.members {
			one.Partitioned = one.Partitioned || !m.stopped && !p.stopped && !r.hears(m, p)
		}
		all = append(all, one)
	}
	return all
}

// Quorate says whether some members that hear each other are a majority. It takes up to two election timeouts more
// until they have a leader.
func (s *Store) Quorate() bool { return s.raft == nil || s.raft.quorate }

// Leader is the name of the leader that a majority follows; "": there is none, or there are no members.
func (s *Store) Leader() string {
	if s.raft == nil {
		return ""
	}
	for _, m := range s.raft.members {
		if m.role == Leader && !m.stopped && s.raft.hasQuorum(m) {
			return m.name
		}
	}
	return ""
}

// Gateway is the member that the API server's client talks with; "": none runs, or there are no members.
func (s *Store) Gateway() string {
	if s.raft == nil {
		return ""
	}
	if m := s.raft.gateway(); m != nil {
		return m.name
	}
	return ""
}

// Connect has the client talk with one member, and returns whom it had been talking with. It leaves a member that
// does not run, or knows of no leader, by itself.
func (s *Store) Connect(name string) (before string) {
	r := s.raft
	before = r.members[r.door].name
	for i, m := range r.members {
		if m.name == name {
			r.door = i
		}
	}
	return before
}

func (r *raft) named(name string) *member {
	for _, m := range r.members {
		if m.name == name {
			return m
		}
	}
	return nil
}

// Stop stops a member, or starts it again: its disk keeps its log. False: there is no such member.
func (s *Store) Stop(name string, stopped bool, now time.Time) bool {
	r := s.raft
	m := r.named(name)
	if m == nil {
		return false
	}
	r.part()
	m.stopped = stopped
	m.role, m.lead, m.match, m.timer = Follower, 0, nil, idle
	r.settle(now)
	return true
}

// Cut parts the members named from all others: neither side hears the other, and clients reach both. Join undoes it.
func (s *Store) Cut(names []string, now time.Time) {
	s.raft.part()
	s.raft.cuts = append(s.raft.cuts, slices.Clone(names))
	s.raft.settle(now)
}

// Join undoes a Cut of just these members.
func (s *Store) Join(names []string, now time.Time) {
	r := s.raft
	r.part()
	if i := slices.IndexFunc(r.cuts, func(c []string) bool { return slices.Equal(c, names) }); i >= 0 {
		r.cuts = slices.Delete(r.cuts, i, i+1)
	}
	r.settle(now)
}

// NextTick is when the members have something to do by themselves (the zero time: at once); false: nothing, as things
// stand.
func (s *Store) NextTick() (time.Time, bool) {
	if s.raft == nil || s.raft.level {
		return time.Time{}, false
	}
	if s.raft.stirred {
		return time.Time{}, true
	}
	m := s.raft.first()
	if m == nil {
		return time.Time{}, false
	}
	return m.due, true
}

// first is the member whose timer ends first.
func (r *raft) first() *member {
	var found *member
	for _, m := range r.members {
		if m.timer != idle && (found == nil || m.due.Before(found.due)) {
			found = m
		}
	}
	return found
}

// Tick lets the members do what is due.
func (s *Store) Tick(now time.Time) {
	r := s.raft
	if r != nil && r.stirred {
		r.settle(now)
	}
	for r != nil && !r.level {
		m := r.first()
		if m == nil || m.due.After(now) {
			return
		}
		r.fire(m, now)
		r.settle(now)
	}
}

// part ends the time in which the members were one: each has its own log from here on.
func (r *raft) part() {
	if !r.level {
		return
	}
	r.level = false
	r.head.Rev = r.store.rev
	for _, m := range r.members {
		m.base, m.applied, m.commit, m.log = r.head, r.head, r.head.Index, nil
	}
	for _, m := range r.members {
		if m.role != Leader {
			continue
		}
		m.match = map[uint64]uint64{}
		for _, p := range r.members {
			m.match[p.id] = r.head.Index
		}
	}
}

// settle winds the timers up after a change, and sees whether all is well again.
func (r *raft) settle(now time.Time) {
	r.stirred = false
	quorate := slices.ContainsFunc(r.members, r.hasQuorum)
	if quorate != r.quorate {
		r.quorate = quorate
		c := Change{Kind: NoQuorum, Rev: r.head.Rev}
		if quorate {
			c.Kind = QuorumBack
		}
		for _, m := range r.members {
			c.Count = max(c.Count, int64(len(r.peers(m))))
		}
		r.tell(c)
	}
	r.plan(now)
	r.trim()
	r.store.weigh()
	if !r.inOneStep() {
		return
	}
	r.level = true
	for _, m := range r.members {
		m.base, m.applied, m.commit, m.log, m.match = mark{}, mark{}, 0, nil, nil
		m.timer, m.due, m.lost = idle, time.Time{}, time.Time{}
	}
	clear(r.unsaved.fresh)
	r.store.weigh()
}

// inOneStep says whether all members run, hear each other, follow one leader, and have applied one log.
func (r *raft) inOneStep() bool {
	l := r.leaderOf(r.members[0])
	if l == nil {
		return false
	}
	for _, m := range r.members {
		if !r.hears(m, l) || m.lead != l.id || m.term != l.term || m.last() != l.last() || m.applied != l.applied || m.last() != m.applied.Index {
			return false
		}
	}
	return l.applied == r.head && len(r.cuts) == 0
}

// trim drops the entries that every member has applied: nobody will ask for them.
func (r *raft) trim() {
	lowest := slices.MinFunc(r.members, func(a, b *member) int { return cmp.Compare(a.applied.Index, b.applied.Index) }).applied.Index
	for _, m := range r.members {
		if to := min(lowest, m.applied.Index); to > m.base.Index {
			r.cut(m, to)
		}
	}
	if len(r.unsaved.fresh) > 2*snapshotEvery {
		kept := r.entries()
		maps.DeleteFunc(r.unsaved.fresh, func(id entryID, _ *entry) bool { return kept[id] == nil })
	}
}

// cut takes the entries up to one that it has applied out of a member's log.
func (r *raft) cut(m *member, to uint64) {
	for m.base.Index < to {
		e := m.log[0]
		m.base = mark{e.index, e.term, chain(m.base.Hash, e.index, e.term, e.digest), e.rev}
		m.log = m.log[1:]
	}
}
