package etcd

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	etcdraft "go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// peers are the same members with etcd's own Raft in them. It is told when to campaign, to beat and to look whether it
// has a quorum, as its timers hang on a generator that cannot be seeded; all else it decides by itself.
type peers struct {
	t       *testing.T
	s       *Store
	nodes   map[uint64]*etcdraft.RawNode
	storage map[uint64]*etcdraft.MemoryStorage
	stopped map[uint64]bool
	queue   []*pb.Message
	offset  uint64 // of its indexes to ours
}

// patience is so many ticks that no follower of etcd's Raft ever loses it by itself.
const patience = 1000

func newPeers(t *testing.T, s *Store) *peers {
	x := &peers{t: t, s: s, nodes: map[uint64]*etcdraft.RawNode{}, storage: map[uint64]*etcdraft.MemoryStorage{}, stopped: map[uint64]bool{}}
	var ids []uint64
	for _, m := range s.raft.members {
		ids = append(ids, m.id)
	}
	for _, id := range ids {
		x.storage[id] = etcdraft.NewMemoryStorage()
		snap := &pb.Snapshot{Metadata: &pb.SnapshotMetadata{ConfState: &pb.ConfState{Voters: ids}, Index: proto.Uint64(1), Term: proto.Uint64(1)}}
		if err := x.storage[id].ApplySnapshot(snap); err != nil {
			t.Fatal(err)
		}
		if err := x.storage[id].SetHardState(&pb.HardState{Term: proto.Uint64(1), Commit: proto.Uint64(1)}); err != nil {
			t.Fatal(err)
		}
		x.start(id)
	}
	if err := x.nodes[ids[0]].Campaign(); err != nil {
		t.Fatal(err)
	}
	x.deliver()
	x.offset = s.raft.head.Index - 2 // its snapshot, and the leader's first entry
	return x
}

func (x *peers) start(id uint64) {
	applied, err := x.storage[id].FirstIndex()
	if err != nil {
		x.t.Fatal(err)
	}
	node, err := etcdraft.NewRawNode(&etcdraft.Config{ID: id, ElectionTick: patience, HeartbeatTick: 1, Storage: x.storage[id], Applied: applied - 1,
		MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256, PreVote: true, CheckQuorum: true,
		Logger: &etcdraft.DefaultLogger{Logger: log.New(io.Discard, "", 0)}})
	if err != nil {
		x.t.Fatal(err)
	}
	x.nodes[id] = node
}

// deliver lets all messages arrive, and those that follow, at whom the network reaches.
func (x *peers) deliver() {
	for busy := true; busy; {
		busy = false
		for _, m := range x.s.raft.members {
			n := x.nodes[m.id]
			for !x.stopped[m.id] && n.HasReady() {
				busy = true
				x.ready(m.id, n)
			}
		}
		queue := x.queue
		x.queue = nil
		for _, msg := range queue {
			from, to := x.s.raft.byID(msg.GetFrom()), x.s.raft.byID(msg.GetTo())
			if x.s.raft.hears(from, to) {
				busy = true
				_ = x.nodes[to.id].Step(msg) // what it does not take it drops, as from a network
			}
		}
	}
}

func (x *peers) ready(id uint64, n *etcdraft.RawNode) {
	rd := n.Ready()
	if !etcdraft.IsEmptyHardState(rd.HardState) {
		if err := x.storage[id].SetHardState(rd.HardState); err != nil {
			x.t.Fatal(err)
		}
	}
	if err := x.storage[id].Append(rd.Entries); err != nil {
		x.t.Fatal(err)
	}
	x.queue = append(x.queue, rd.Messages...)
	n.Advance(rd)
}

// follows is whom a member follows and hears: one that it has lost it goes on to name, here until its own timeout, and
// there until another has campaigned.
func (x *peers) follows(id uint64) uint64 {
	st := x.nodes[id].BasicStatus()
	l := x.s.raft.byID(st.Lead)
	if l == nil || !x.s.raft.hears(x.s.raft.byID(id), l) {
		return 0
	}
	if of := x.nodes[l.id].BasicStatus(); of.RaftState != etcdraft.StateLeader || of.GetTerm() != st.GetTerm() {
		return 0
	}
	return st.Lead
}

// same is that both agree on everybody's term, leader, log and what is committed of it.
func (x *peers) same(what string) {
	x.t.Helper()
	for _, m := range x.s.Members() {
		if m.Role == Stopped {
			continue
		}
		st := x.nodes[m.ID].BasicStatus()
		theirs := fmt.Sprintf("term %d, leader %x, leads %v, committed %d", st.GetTerm(), x.follows(m.ID), st.RaftState == etcdraft.StateLeader, st.GetCommit()+x.offset)
		leader := x.follows(m.ID)
		if l := x.s.raft.leaderOf(x.s.raft.byID(m.ID)); l != nil && leader != 0 { // else it has been told to forget it, and it comes back
			leader = l.id
		}
		ours := fmt.Sprintf("term %d, leader %x, leads %v, committed %d", m.Term, leader, m.Role == Leader, m.Applied)
		if last, err := x.storage[m.ID].LastIndex(); err != nil || last+x.offset != m.Index {
			ours, theirs = fmt.Sprintf("%s, last %d", ours, m.Index), fmt.Sprintf("%s, last %d", theirs, last+x.offset)
		}
		if ours != theirs {
			x.t.Fatalf("after %s: %s has %s, and in etcd's Raft %s\n%+v", what, m.Name, ours, theirs, x.s.Members())
		}
	}
}

// fire does in both what a member does whose time has come.
func (x *peers) fire(m *member, now time.Time) {
	r, n := x.s.raft, x.nodes[m.id]
	switch m.timer {
	case election:
		for _, p := range r.peers(m) { // a follower whose leader has been silent for a timeout would no longer be bound to it
			if p == m || p.lead != 0 && p.role != Leader && !p.leased(r, now) {
				_ = x.nodes[p.id].ForgetLeader()
			}
		}
		if err := n.Campaign(); err != nil {
			x.t.Fatal(err)
		}
	case beat:
		n.Tick()
	case stepDown:
		n.Tick()
		x.deliver()
		for range 2 * patience {
			n.Tick()
		}
	}
	x.deliver()
	r.fire(m, now)
	r.settle(now)
}

func (x *peers) pass(now time.Time, d time.Duration) time.Time {
	if x.s.raft.stirred {
		x.s.raft.settle(now)
	}
	for end := now.Add(d); ; {
		m := x.s.raft.first()
		if x.s.raft.level || m == nil || m.due.After(end) {
			return end
		}
		if m.due.After(now) {
			now = m.due
		}
		what := fmt.Sprintf("timer %d of %s", m.timer, m.name)
		x.fire(m, now)
		x.same(what)
	}
}

func (x *peers) stop(name string, stopped bool, now time.Time) {
	m := x.s.raft.named(name)
	x.stopped[m.id] = stopped
	if !stopped {
		x.start(m.id)
	}
	x.s.Stop(name, stopped, now)
	x.deliver()
}

// propose has both take a request, at the member that the client talks with.
func (x *peers) propose(key string) {
	m := x.s.raft.gateway()
	if x.s.raft.level {
		m = x.s.raft.members[0]
	}
	if m != nil && m.lead != 0 {
		l := x.s.raft.leaderOf(m)
		_ = x.nodes[m.id].Propose([]byte(key)) // a follower passes it on to its leader
		if l != nil && l != m {
			x.deliver()
		}
		if l != nil {
			x.nodes[l.id].Tick() // our appends go to all, as heartbeats do; etcd's wait for one at whom they have missed before
		}
		x.deliver()
	}
	_, _ = x.s.Put(key, []byte("v"), 0)
}

// TestMembersDecideAsEtcdsRaftDoes compares with etcd's own Raft, in random histories of faults and writes: who leads
// in which term, and what is in everybody's log and committed.
func TestMembersDecideAsEtcdsRaftDoes(t *testing.T) {
	histories := 200
	if testing.Short() {
		histories = 10
	}
	elections := 0
	for seed := range uint64(histories) {
		n := []int{3, 5}[seed%2]
		s := formed(n, seed)
		x, r, now := newPeers(t, s), rand.New(rand.NewPCG(seed, 2)), start
		x.same("nothing")
		var names []string
		for _, m := range s.raft.members {
			names = append(names, m.name)
		}
		stopped, cuts := map[string]bool{}, [][]string{}
		for i := range 60 {
			what := ""
			switch k := r.IntN(10); {
			case k < 4:
				what = fmt.Sprint("write ", i)
				x.propose(what)
			case k < 6:
				name := names[r.IntN(n)]
				stopped[name] = !stopped[name]
				what = fmt.Sprint("stopped ", name, stopped[name])
				x.stop(name, stopped[name], now)
			case k < 7 && len(cuts) == 0:
				cut := names[:1+r.IntN(n-1)]
				cuts = append(cuts, cut)
				what = fmt.Sprint("cut ", cut)
				s.Cut(cut, now)
			case k < 8 && len(cuts) > 0:
				what = fmt.Sprint("join ", cuts[0])
				s.Join(cuts[0], now)
				cuts = slices.Delete(cuts, 0, 1)
			default:
				d := time.Duration(r.IntN(4000)) * time.Millisecond
				what = fmt.Sprint("passed ", d)
				now = x.pass(now, d)
			}
			x.same(fmt.Sprintf("seed %d, step %d, %s", seed, i, what))
		}
		for _, h := range s.Happened() {
			if h.Kind == LeaderElected {
				elections++
			}
		}
	}
	t.Logf("%d elections", elections)
	if elections < histories {
		t.Errorf("only %d elections", elections)
	}
}
