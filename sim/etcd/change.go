package etcd

// Change is something that happened among the members of a store, or to its file, which no request asked for by name.
type Change struct {
	Kind     ChangeKind
	Member   string // whom it is about
	Term     uint64 // of an election, or of a leader's end
	Count    int64  // revisions that a member had missed; of NoQuorum, how many hear each other
	Snapshot bool   // it caught up by a snapshot, as the leader's log did not reach back so far
	Rev      int64  // the store's; of a compaction, the one that it reached
}

// ChangeKind is what happened.
type ChangeKind string

// The kinds of changes.
const (
	LeaderElected ChangeKind = "leader-elected"
	LeaderLost    ChangeKind = "leader-lost" // it no longer leads: it has no quorum, or a later term has begun
	NoQuorum      ChangeKind = "quorum-lost"
	QuorumBack    ChangeKind = "quorum-back"
	CaughtUp      ChangeKind = "caught-up" // a member has what it had missed
	Compacted     ChangeKind = "compacted"
	NoSpace       ChangeKind = "no-space" // the database is at its quota: an alarm, and nothing more is written
	Disarmed      ChangeKind = "disarmed"
)

// Happened hands out what happened since it was last asked, in order.
func (s *Store) Happened() []Change {
	if s.raft == nil {
		return nil
	}
	changes := s.raft.changes
	s.raft.changes = nil
	return changes
}

func (r *raft) tell(c Change) { r.changes = append(r.changes, c) }
