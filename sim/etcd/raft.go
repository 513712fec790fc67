package etcd

import (
	"slices"
	"time"
)

// etcd's own figures (server/embed/config.go; server/etcdserver/server.go).
const (
	HeartbeatEvery  = 100 * time.Millisecond
	ElectionTimeout = time.Second
	snapshotEvery   = 10_000 // entries after which a leader's log is cut …
	catchUpEntries  = 5_000  // … so many before its end, for members that are a little behind
)

// raft is the consensus of a store's members: Raft with PreVote and CheckQuorum, as etcd runs it, every message
// delivered at once to whom the network reaches, and none to others. That is what it may be in a simulation without
// latency, and what keeps it plain data: between two calls nothing is under way. A member's log is its own; what is
// committed is carried out once, in the store, by the first member that applies it, and counted by all others.
//
// While all is well (level) the members are one and the same, so that a write costs a few additions. Timers run only
// while something may come of it: PreVote changes nothing where there is no quorum to answer, so nothing is due there.
type raft struct {
	store   *Store
	members []*member
	cuts    [][]string // partitions: each parts the members named in it from the others
	level   bool       // all run, hear each other, follow one leader and hold one log, all of it applied
	head    mark       // of every member while level; of the store always: what it has carried out
	seed    uint64     // of the election timeouts
	draws   uint64     // … that were drawn so far
	stirred bool       // a request has changed something since the timers were last wound up
	door    int        // the member that the API server's client is connected to
	quorate bool       // some members that hear each other are a majority
	inUse   int64      // bytes of the file that the store's data takes
	outcome result     // of the op carried out last
	unsaved unsavedLog
	changes []Change
}

// mark is a place in a log, and what has been applied up to it.
type mark struct {
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	Hash  uint64 `json:"hash"` // of all entries applied, in order: equal histories, equal hashes
	Rev   int64  `json:"rev"`  // of the store then
}

// entry is one of a log. Index and Term name it: no two entries of one cluster have both in common.
type entry struct {
	index, term uint64
	digest      uint64 // of what it says
	rev         int64  // of the store, once applied
	op          *op    // nil once applied: the store has it
	done        bool
}

// Role is what a member is in the eyes of the others.
type Role string

// The roles. Without a leader, and with a quorum to ask, a follower becomes a candidate.
const (
	Follower  Role = "follower"
	Candidate Role = "candidate"
	Leader    Role = "leader"
	Stopped   Role = "stopped"
)

// timer is what a member waits for.
type timer int

const (
	idle timer = iota
	election
	stepDown // a leader that has lost its quorum looks once a timeout
	beat     // a leader's next heartbeat, where somebody has something to learn from it
)

// member is one etcd.
type member struct {
	id      uint64
	name    string
	stopped bool
	role    Role
	term    uint64
	vote    uint64
	lead    uint64   // whom it follows; 0: nobody that it knows of
	base    mark     // what comes before its log
	log     []*entry // from base on, without a gap
	commit  uint64
	applied mark
	match   map[uint64]uint64 // of a leader: up to where each member holds its log
	timer   timer
	due     time.Time
	lost    time.Time // since when it has not heard its leader
	file    int64     // bytes of its database file
	inUse   int64     // … of which it uses
}

func (m *member) last() uint64 { return m.base.Index + uint64(len(m.log)) }

// termAt is the term of an entry that is there, or of what precedes the log.
func (m *member) termAt(i uint64) uint64 {
	if i == m.base.Index {
		return m.base.Term
	}
	return m.log[i-m.base.Index-1].term
}

func (m *member) at(i uint64) *entry { return m.log[i-m.base.Index-1] }

// becomeFollower of a leader, 0: of nobody yet.
func (m *member) becomeFollower(term, lead uint64) {
	if term > m.term {
		m.term, m.vote = term, 0
	}
	m.role, m.lead, m.match, m.timer = Follower, lead, nil, idle
}

func (r *raft) quorum() int { return len(r.members)/2 + 1 }

func (r *raft) byID(id uint64) *member {
	for _, m := range r.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// hears says whether two members run and no partition is between them.
func (r *raft) hears(a, b *member) bool {
	if a.stopped || b.stopped {
		return false
	}
	if a == b {
		return true
	}
	for _, cut := range r.cuts {
		if slices.Contains(cut, a.name) != slices.Contains(cut, b.name) {
			return false
		}
	}
	return true
}

// peers are all whom a member hears, itself included, in the order of members.
func (r *raft) peers(m *member) []*member {
	var heard []*member
	for _, p := range r.members {
		if r.hears(m, p) {
			heard = append(heard, p)
		}
	}
	return heard
}

// hasQuorum says whether a member hears a majority.
func (r *raft) hasQuorum(m *member) bool { return !m.stopped && len(r.peers(m)) >= r.quorum() }

// leaderOf is the leader that a member follows and hears, or is; nil: none.
func (r *raft) leaderOf(m *member) *member {
	l := r.byID(m.lead)
	if l == nil || l.role != Leader || l.term != m.term || !r.hears(m, l) {
		return nil
	}
	return l
}

// draw is a number below n, the next of the cluster's own (SplitMix64).
func (r *raft) draw(n uint64) uint64 {
	r.draws++
	return mix(r.seed+r.draws*0x9e3779b97f4a7c15) % n
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// chain adds an entry to the hash of a history.
func chain(hash, index, term, digest uint64) uint64 {
	return mix(hash*0x9e3779b97f4a7c15 ^ mix(digest+index) ^ term<<48)
}

// timeout is a member's for its next election: 1 to 2 s, in ticks, as raft draws it.
func (r *raft) timeout() time.Duration {
	return ElectionTimeout + time.Duration(r.draw(uint64(ElectionTimeout/HeartbeatEvery)))*HeartbeatEvery
}

// wants is what a member has to wait for as things stand.
func (r *raft) wants(m *member) timer {
	switch {
	case m.stopped:
		return idle
	case m.role == Leader && !r.hasQuorum(m):
		return stepDown
	case m.role == Leader:
		for _, p := range r.peers(m) {
			if p != m && !r.inStep(m, p) {
				return beat
			}
		}
		return idle
	case r.leaderOf(m) != nil:
		return idle
	case m.lead == 0 && !r.hasQuorum(m):
		return idle
	}
	return election
}

// inStep says whether a leader's next heartbeat tells a member anything.
func (r *raft) inStep(l, p *member) bool {
	return p.term == l.term && p.lead == l.id && p.last() == l.last() && p.commit == l.commit && l.match[p.id] == l.last()
}

// plan winds everybody's timers up, or lets them go, after anything has changed.
func (r *raft) plan(now time.Time) {
	for _, m := range r.members {
		if m.role == Follower && m.lead == 0 && !m.stopped && !r.hasQuorum(m) {
			m.role = Candidate // it asks, once a timeout, and too few answer
		}
		want := r.wants(m)
		if want == m.timer {
			continue
		}
		m.timer = want
		switch want {
		case idle:
			m.due, m.lost = time.Time{}, time.Time{}
		case beat:
			m.due = now.Add(HeartbeatEvery)
		case stepDown:
			// Who was active is looked at once a timeout, and forgotten then: the quorum is missed by the second look.
			m.due = now.Add(r.timeout())
		case election:
			m.lost = now
			m.due = now.Add(r.timeout())
			switch {
			case len(r.members) == 1: // it has nobody to wait for (server/etcdserver/server.go, adjustTicks)
				m.due = now.Add(HeartbeatEvery)
			case m.role == Candidate: // what is left of its present try
				m.due = now.Add(HeartbeatEvery * time.Duration(1+r.draw(19)))
			}
		}
	}
}

// fire is what a member does when its time has come.
func (r *raft) fire(m *member, now time.Time) {
	t := m.timer
	m.timer = idle
	switch t {
	case stepDown:
		if r.broadcast(m); m.role == Leader { // it has gone on beating until now
			m.becomeFollower(m.term, 0)
			r.tell(Change{Kind: LeaderLost, Member: m.name, Term: m.term})
		}
	case beat:
		r.broadcast(m)
	case election:
		m.lead, m.role = 0, Candidate
		if !r.campaign(m, now) && r.wants(m) == election {
			m.timer, m.due = election, now.Add(r.timeout())
		}
	}
}

// campaign asks, first whether there is any use, then for votes. True: it leads.
func (r *raft) campaign(m *member, now time.Time) bool {
	if !r.poll(m, now, true) {
		return false
	}
	m.term++
	m.vote = m.id
	if !r.poll(m, now, false) {
		return false
	}
	m.role, m.lead, m.match = Leader, m.id, map[uint64]uint64{m.id: m.last()}
	r.tell(Change{Kind: LeaderElected, Member: m.name, Term: m.term, Rev: r.head.Rev})
	r.store.refresh(now)
	r.append(m, nil)
	r.broadcast(m)
	return true
}

// poll is a round of (pre-)votes for a candidate, and whether a majority is for it.
func (r *raft) poll(m *member, now time.Time, pre bool) bool {
	term := m.term
	if pre {
		term++
	}
	granted, refused := 1, 0
	for _, p := range r.peers(m) {
		if p == m || term > p.term && p.leased(r, now) || !pre && term < p.term { // it does not answer
			continue
		}
		if p.grants(m, term, pre) {
			granted++
			continue
		}
		refused++
		known := m.term
		if granted >= r.quorum() {
			known = term // it has begun the election by the time that this answer comes
		}
		if p.term > known { // the refusal says in which term the others are
			m.becomeFollower(p.term, 0)
			return false
		}
	}
	if granted >= r.quorum() {
		return true
	}
	if refused >= r.quorum() {
		m.becomeFollower(m.term, 0)
	}
	return false
}

// leased says whether a member does not listen to candidates, as it has heard its leader within a timeout.
func (p *member) leased(r *raft, now time.Time) bool {
	if p.lead == 0 {
		return false
	}
	return p.role == Leader || p.timer != election || now.Before(p.lost.Add(ElectionTimeout))
}

// grants is a member's answer to a candidate (raft.go, Step).
func (p *member) grants(m *member, term uint64, pre bool) bool {
	if term < p.term {
		return false
	}
	if !pre && term > p.term {
		p.becomeFollower(term, 0)
	}
	free := p.vote == m.id || p.vote == 0 && p.lead == 0 || pre && term > p.term
	newer := m.lastTerm() > p.lastTerm() || m.lastTerm() == p.lastTerm() && m.last() >= p.last()
	if !free || !newer {
		return false
	}
	if !pre {
		p.vote = m.id
	}
	return true
}

func (m *member) lastTerm() uint64 { return m.termAt(m.last()) }

// append adds an entry to a leader's log; nil is the one with which its term begins.
func (r *raft) append(l *member, o *op) *entry {
	e := &entry{index: l.last() + 1, term: l.term, op: o, digest: o.digest()}
	l.log = append(l.log, e)
	l.match[l.id] = e.index
	r.unsaved.added(e)
	return e
}

// broadcast is a leader's heartbeat: everybody who hears it gets what it lacks, and what a majority holds is
// committed, which they then hear as well. One that has gone on to a later term ends the leader's.
func (r *raft) broadcast(l *member) {
	term, later := l.term, uint64(0)
	for _, p := range r.peers(l) {
		if p == l {
			continue
		}
		if p.term > l.term {
			later = max(later, p.term)
			continue
		}
		if p.role != Follower || p.lead != l.id || p.term < l.term {
			if p.role == Leader {
				r.tell(Change{Kind: LeaderLost, Member: p.name, Term: l.term})
			}
			p.becomeFollower(l.term, l.id)
		}
		r.replicate(l, p)
	}
	r.advance(l)
	for _, p := range r.peers(l) {
		if p != l && p.term == l.term && l.commit > p.commit {
			r.commitTo(p, min(l.commit, p.last()))
		}
	}
	if later > term {
		l.becomeFollower(later, 0)
		r.tell(Change{Kind: LeaderLost, Member: l.name, Term: later})
	}
}

// replicate makes a follower's log the leader's: by entries, or by a snapshot where the leader's log no longer
// reaches back so far. It tells of a member that had missed something that was committed.
func (r *raft) replicate(l, p *member) {
	i := p.applied.Index
	missed := Change{Kind: CaughtUp, Member: p.name, Count: l.applied.Rev - p.applied.Rev, Rev: l.applied.Rev}
	if i < l.base.Index {
		if p.last() < l.base.Index || p.termAt(l.base.Index) != l.base.Term {
			missed.Snapshot = true
			p.base, p.applied, p.commit, p.log = l.applied, l.applied, l.applied.Index, nil
		}
		i = max(l.base.Index, p.applied.Index)
	}
	for i < p.last() && i < l.last() && p.termAt(i+1) == l.termAt(i+1) {
		i++
	}
	if missed.Count > 0 {
		r.tell(missed)
	}
	p.log = p.log[:i-p.base.Index]
	if i < l.last() {
		p.log = append(p.log[:len(p.log):len(p.log)], l.log[i-l.base.Index:]...)
	}
	l.match[p.id] = l.last()
}

// advance commits what a majority holds, if it is of the leader's own term (raft, 5.4.2).
func (r *raft) advance(l *member) {
	held := make([]uint64, 0, len(r.members))
	for _, m := range r.members {
		held = append(held, l.match[m.id])
	}
	slices.Sort(held)
	if i := held[len(held)-r.quorum()]; i > l.commit && l.termAt(i) == l.term {
		r.commitTo(l, i)
	}
}
