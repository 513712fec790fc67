package sim

import (
	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// Store is the cluster's etcd, for those who go past the API server: etcdctl. Whatever writes to it there is told to
// the API server by AtEtcd.
func (c *Cluster) Store() *etcd.Store { return c.store }

// AtEtcd lets f work on etcd past the API server, which then sees by its watch what f has written.
func (c *Cluster) AtEtcd(f func(*etcd.Store)) {
	f(c.store)
	c.server.Follow()
	c.tend()
	c.tellMembers()
}

// EtcdMember is one member of the cluster's etcd.
type EtcdMember struct {
	Name        string
	ID          uint64
	Role        string // leader, follower, candidate (it knows of no leader), stopped
	Partitioned bool   // it runs, and does not hear all others that run
	Term        uint64 // of raft: so many elections have begun since the cluster was made, as far as it knows
	Revision    int64  // the store's, as the member has it
	Behind      int64  // revisions that it lacks
	Size        int64  // bytes of its database file
}

// Etcd is the state of the cluster's etcd.
type Etcd struct {
	Members  []EtcdMember // in the order of their names
	Leader   string       // the leader that a majority follows; "": nobody writes now
	Quorum   bool         // some members that hear each other are a majority
	Needed   int          // how many a majority is
	Revision int64
	Quota    int64 // bytes that a member's file may have
	Full     bool  // the alarm NOSPACE is on: nothing is written but deletions
}

// Etcd says how the cluster's etcd is doing.
func (c *Cluster) Etcd() Etcd {
	members := c.store.Members()
	e := Etcd{Quorum: c.store.Quorate(), Needed: len(members)/2 + 1, Revision: c.store.Rev(), Quota: c.store.Quota()}
	_, e.Full = c.store.Alarm()
	for _, m := range members {
		e.Members = append(e.Members, EtcdMember{Name: m.Name, ID: m.ID, Role: string(m.Role), Partitioned: m.Partitioned,
			Term: m.Term, Revision: m.Rev, Behind: c.store.Rev() - m.Rev, Size: m.Size})
	}
	e.Leader = c.store.Leader()
	return e
}

// The members' part of the agenda: their own timers, and the leases that nobody can renew any more.
const (
	membersComponent = "etcd-members"
	choreTick        = "tick"
	choreLeases      = "leases"
)

// tend puts what the members have to do by themselves on the agenda. While all is well there is nothing.
func (c *Cluster) tend() {
	if at, ok := c.store.NextTick(); ok {
		q := c.agenda.Queue(membersComponent)
		q.Add(choreTick, at.Sub(q.Now()))
	}
}

func (c *Cluster) membersChore(key string) {
	switch key {
	case choreTick:
		c.store.Tick(c.Now())
		c.server.Follow()
	case choreLeases:
		if !c.store.Quorate() && !c.server.Down() {
			c.leaseless = true
			c.dropLeases()
		}
	}
}

// tellMembers leaves a step of each thing that happened among the members.
func (c *Cluster) tellMembers() {
	for _, h := range c.store.Happened() {
		row := memberSteps()[h.Kind]
		step := trace.Step{At: c.Now(), Actor: "etcd", Kind: row, Object: trace.Ref{Kind: "Component", Name: h.Member}, Revision: h.Rev,
			Detail: trace.Members{Member: h.Member, Term: h.Term, Count: h.Count, Snapshot: h.Snapshot, Revision: h.Rev,
				Needed: len(c.store.Members())/2 + 1}}
		if h.Member == "" {
			step.Object.Name = "etcd"
		}
		before := c.trace.Because(c.trace.Add(step))
		c.follows(h.Kind)
		c.trace.Because(before)
	}
}

// memberSteps are the kinds of steps of what happens among members.
func memberSteps() map[etcd.ChangeKind]trace.Kind {
	return map[etcd.ChangeKind]trace.Kind{
		etcd.LeaderElected: trace.LeaderElected, etcd.LeaderLost: trace.LeaderLost, etcd.NoQuorum: trace.QuorumLost,
		etcd.QuorumBack: trace.QuorumBack, etcd.CaughtUp: trace.CaughtUp, etcd.Compacted: trace.Compacted,
		etcd.NoSpace: trace.NoSpace, etcd.Disarmed: trace.Disarmed,
	}
}

// follows is what comes of a change among the members for the programs that hold a lease: without a quorum they
// cannot renew it, end, and are started again and again, until one can.
func (c *Cluster) follows(change etcd.ChangeKind) {
	switch change {
	case etcd.NoQuorum:
		c.agenda.Queue(membersComponent).Add(choreLeases, renewDeadline)
	case etcd.QuorumBack:
		c.agenda.Queue(membersComponent).Cancel(choreLeases)
	case etcd.LeaderElected:
		if c.leaseless {
			c.leaseless = false
			if !c.server.Down() {
				c.lookAgain()
			}
		}
	}
}
