package etcd

// DefaultQuota is how large etcd lets its file become: 2 GiB.
const DefaultQuota = 2 << 30

const (
	pageBytes  = 4096
	emptyPages = 5 // of a file with etcd's buckets and nothing in them
	// recordBytes is what a version takes beside its key and value: its revision as a key, the numbers of its
	// KeyValue, and the header that bbolt gives each.
	recordBytes = 60
)

// size is what a version takes in the file.
func (v *version) size() int64 { return int64(len(v.Key) + v.length() + recordBytes) }

// inUse is the part of the file that holds something, in bytes: whole pages, which bbolt fills to nine tenths as keys
// only ever grow.
func (s *Store) inUse() int64 {
	return (emptyPages + (s.used*10/9+pageBytes-1)/pageBytes) * pageBytes
}

// weigh has the files of those members grow that have applied all there is. A file never shrinks by itself.
func (s *Store) weigh() {
	r := s.raft
	in := s.inUse()
	if in == r.inUse && r.level {
		return
	}
	r.inUse = in
	for _, m := range r.members {
		if r.level || m.applied == r.head {
			m.inUse, m.file = in, max(m.file, in)
		}
	}
}

// Used is how many bytes all versions take that are kept: those of before a change, too, until they are compacted.
func (s *Store) Used() int64 { return s.used }

// SetQuota bounds the file; 0: DefaultQuota.
func (s *Store) SetQuota(bytes int64) { s.quota = bytes }

// Quota is the bound of the file in bytes.
func (s *Store) Quota() int64 {
	if s.quota == 0 {
		return DefaultQuota
	}
	return s.quota
}

// Size is how large the largest of the members' files is, in bytes.
func (s *Store) Size() int64 {
	size := s.inUse()
	if s.raft != nil {
		for _, m := range s.raft.members {
			size = max(size, m.file)
		}
	}
	return size
}

// room refuses what the file has no room for, and raises the alarm: from then on nothing is put until it is disarmed,
// whatever room there is (server/etcdserver/apply, applierV3Capped; api/v3rpc/quota.go).
func (s *Store) room(bytes int) error {
	if s.full {
		return ErrNoSpace
	}
	if s.raft == nil || s.Size()+int64(bytes)+recordBytes < s.Quota() {
		return nil
	}
	id := uint64(0)
	if m := s.raft.gateway(); m != nil {
		id = m.id
	}
	if err := s.propose(op{Kind: opAlarm, Rev: 1, Alarm: id}).err; err != nil {
		return err
	}
	return ErrNoSpace
}

func (s *Store) setAlarm(on bool, id uint64) {
	if s.full == on {
		return
	}
	s.full, s.alarmBy = on, id
	c := Change{Kind: Disarmed, Rev: s.rev}
	if on {
		c.Kind = NoSpace
	}
	s.raft.tell(c)
}

// Alarm says whether the alarm NOSPACE is on, and the ID of the member that raised it.
func (s *Store) Alarm() (id uint64, on bool) { return s.alarmBy, s.full }

// Disarm takes the alarm back. It comes again with the next write that finds no room.
func (s *Store) Disarm() error {
	if !s.full {
		return nil
	}
	return s.propose(op{Kind: opAlarm}).err
}

// Defragment gives a member's file back what it does not use; false: no such member runs.
func (s *Store) Defragment(name string) bool {
	m := s.raft.named(name)
	if m == nil || m.stopped {
		return false
	}
	m.file = m.inUse
	return true
}
