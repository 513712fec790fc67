package etcd

// EventType is what happened to a key.
type EventType int

// The types of events.
const (
	Put EventType = iota
	Delete
)

// String is the type in etcd's words.
func (t EventType) String() string {
	if t == Delete {
		return "DELETE"
	}
	return "PUT"
}

// Event is one change of one key. KV of a deletion has a Key and a ModRev alone.
// Prev is what the key was before: nil where it was not there, or where what it
// was is forgotten.
type Event struct {
	Type EventType
	KV   KV
	Prev *KV
}

// Watch gives out the changes of a range of keys, when asked. It holds nothing
// of the store: to stop watching is to drop it.
type Watch struct {
	s        *Store
	key, end string
	next     int64 // first revision not yet looked at
}

// Watch begins a watch of the keys from key on and before end (end "": the
// single key), from a revision on, which may be yet to come; 0: from now on. It
// fails with ErrCompacted where that revision is forgotten.
func (s *Store) Watch(key, end string, fromRev int64) (*Watch, error) {
	if fromRev <= 0 {
		fromRev = s.rev + 1
	}
	if fromRev < s.compacted {
		return nil, ErrCompacted
	}
	return &Watch{s: s, key: key, end: end, next: fromRev}, nil
}

// Next returns what happened since, in the order of revisions: each exactly once
// and whole, so there may be more than max events where a revision has many (max
// 0: all there are). Nil: nothing yet. It fails with ErrCompacted where the watch
// fell behind a compaction.
func (w *Watch) Next(max int) ([]Event, error) {
	if w.next < w.s.compacted {
		return nil, ErrCompacted
	}
	var events []Event
	for _, v := range w.s.log[w.s.logFrom(w.next):] {
		if max > 0 && len(events) >= max && v.ModRev > events[len(events)-1].KV.ModRev {
			w.next = v.ModRev
			return events, nil
		}
		if covers(w.key, w.end, v.Key) {
			events = append(events, v.event())
		}
	}
	if w.next <= w.s.rev {
		w.next = w.s.rev + 1
	}
	return events, nil
}

// Rev is the revision up to which everything has been given out.
func (w *Watch) Rev() int64 { return w.next - 1 }

func (v *version) event() Event {
	e := Event{Type: Put, KV: v.kv()}
	if v.deleted {
		e.Type = Delete
	}
	if v.prev != nil && !v.prev.deleted {
		prev := v.prev.kv()
		e.Prev = &prev
	}
	return e
}
