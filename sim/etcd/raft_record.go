package etcd

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The records of a store's members, beside those of its data:
//
//	raft                               → raftState as JSON, checksum
//	log/ + 8 bytes index, 8 bytes term → 8 bytes digest, 8 bytes revision, 1 byte whether applied, the op as JSON, checksum
//
// While all is well no log is kept: what is in it is in the store.
const (
	raftKey   = "raft"
	logBucket = "log/"
)

// entryID names an entry.
type entryID struct{ index, term uint64 }

// unsavedLog is what changed of the logs since the last Saved.
type unsavedLog struct {
	fresh map[entryID]*entry // appended, or applied, since
	kept  map[entryID]bool   // in the file
}

func newUnsavedLog() unsavedLog {
	return unsavedLog{fresh: map[entryID]*entry{}, kept: map[entryID]bool{}}
}

func (u *unsavedLog) added(e *entry) { u.fresh[entryID{e.index, e.term}] = e }

// raftState is all of raft but the entries.
type raftState struct {
	Members []memberState `json:"members"`
	Cuts    [][]string    `json:"cuts,omitempty"`
	Level   bool          `json:"level,omitempty"`
	Head    mark          `json:"head"`
	Seed    uint64        `json:"seed"`
	Draws   uint64        `json:"draws,omitempty"`
	Door    int           `json:"door,omitempty"`
	Stirred bool          `json:"stirred,omitempty"`
	Quorate bool          `json:"quorate,omitempty"`
	Quota   int64         `json:"quota,omitempty"`
	Full    bool          `json:"full,omitempty"`
	AlarmBy uint64        `json:"alarmBy,omitempty"`
	Changes []Change      `json:"changes,omitempty"`
}

type memberState struct {
	Name    string            `json:"name"`
	Stopped bool              `json:"stopped,omitempty"`
	Role    Role              `json:"role"`
	Term    uint64            `json:"term"`
	Vote    uint64            `json:"vote,omitempty"`
	Lead    uint64            `json:"lead,omitempty"`
	Base    mark              `json:"base,omitzero"`
	Terms   []run             `json:"terms,omitempty"` // of the entries of its log
	Commit  uint64            `json:"commit,omitempty"`
	Applied mark              `json:"applied,omitzero"`
	Match   map[uint64]uint64 `json:"match,omitempty"`
	Timer   timer             `json:"timer,omitempty"`
	Due     time.Time         `json:"due,omitzero"`
	Lost    time.Time         `json:"lost,omitzero"`
	File    int64             `json:"file"`
	InUse   int64             `json:"inUse"`
}

// run is so many entries of one term, one after the other.
type run struct {
	Term  uint64 `json:"term"`
	Count int    `json:"count"`
}

// records are what changed of the members and their logs.
func (r *raft) records() []Record {
	kept := r.entries()
	var records []Record
	for _, id := range slices.SortedFunc(maps.Keys(r.unsaved.kept), compareEntries) {
		if kept[id] == nil {
			records = append(records, Record{Key: id.key()})
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(r.unsaved.fresh), compareEntries) {
		if e := kept[id]; e != nil {
			records = append(records, Record{id.key(), seal(e.marshal())})
		}
	}
	state, err := json.Marshal(r.state())
	if err != nil { // never: it is numbers, names and times
		panic(fmt.Sprintf("encode the members' state: %v", err))
	}
	return append(records, Record{[]byte(raftKey), seal(state)})
}

// entries are those of all logs.
func (r *raft) entries() map[entryID]*entry {
	all := map[entryID]*entry{}
	for _, m := range r.members {
		for _, e := range m.log {
			all[entryID{e.index, e.term}] = e
		}
	}
	return all
}

func (r *raft) saved() {
	r.unsaved = newUnsavedLog()
	for id := range r.entries() {
		r.unsaved.kept[id] = true
	}
}

func compareEntries(a, b entryID) int {
	return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.term, b.term))
}

func (id entryID) key() []byte {
	b := binary.BigEndian.AppendUint64([]byte(logBucket), id.index)
	return binary.BigEndian.AppendUint64(b, id.term)
}

func (e *entry) marshal() []byte {
	b := binary.BigEndian.AppendUint64(nil, e.digest)
	b = binary.BigEndian.AppendUint64(b, uint64(e.rev))
	if e.done {
		return append(b, 1)
	}
	b = append(b, 0)
	if e.op == nil {
		return b
	}
	what, err := json.Marshal(e.op)
	if err != nil { // never: it is numbers, texts and times
		panic(fmt.Sprintf("encode entry %d: %v", e.index, err))
	}
	return append(b, what...)
}

func (r *raft) state() raftState {
	s := raftState{Cuts: r.cuts, Level: r.level, Head: r.head, Seed: r.seed, Draws: r.draws, Door: r.door, Stirred: r.stirred, Quorate: r.quorate,
		Quota: r.store.quota, Full: r.store.full, AlarmBy: r.store.alarmBy, Changes: r.changes}
	for _, m := range r.members {
		one := memberState{Name: m.name, Stopped: m.stopped, Role: m.role, Term: m.term, Vote: m.vote, Lead: m.lead, Base: m.base,
			Commit: m.commit, Applied: m.applied, Match: m.match, Timer: m.timer, Due: m.due, Lost: m.lost, File: m.file, InUse: m.inUse}
		for _, e := range m.log {
			if n := len(one.Terms); n == 0 || one.Terms[n-1].Term != e.term {
				one.Terms = append(one.Terms, run{Term: e.term})
			}
			one.Terms[len(one.Terms)-1].Count++
		}
		s.Members = append(s.Members, one)
	}
	return s
}

// loadEntry reads one record of a log.
func loadEntry(key, body []byte) (*entry, error) {
	id := key[len(logBucket):]
	if len(id) != 16 || len(body) < 17 {
		return nil, errDamaged
	}
	e := &entry{index: binary.BigEndian.Uint64(id), term: binary.BigEndian.Uint64(id[8:]),
		digest: binary.BigEndian.Uint64(body), rev: int64(binary.BigEndian.Uint64(body[8:])), done: body[16] == 1}
	if what := body[17:]; len(what) > 0 {
		e.op = &op{}
		if err := json.Unmarshal(what, e.op); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// loadRaft puts the members together again.
func (s *Store) loadRaft(body []byte, entries []*entry) error {
	var state raftState
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&state); err != nil {
		return err
	}
	byID := map[entryID]*entry{}
	for _, e := range entries {
		byID[entryID{e.index, e.term}] = e
	}
	r := &raft{store: s, cuts: state.Cuts, level: state.Level, head: state.Head, seed: state.Seed, draws: state.Draws, door: state.Door, stirred: state.Stirred,
		quorate: state.Quorate, changes: state.Changes, unsaved: newUnsavedLog(), inUse: s.inUse()}
	s.quota, s.full, s.alarmBy = state.Quota, state.Full, state.AlarmBy
	for _, one := range state.Members {
		m := &member{id: memberID(one.Name), name: one.Name, stopped: one.Stopped, role: one.Role, term: one.Term, vote: one.Vote,
			lead: one.Lead, base: one.Base, commit: one.Commit, applied: one.Applied, match: one.Match, timer: one.Timer,
			due: one.Due, lost: one.Lost, file: one.File, inUse: one.InUse}
		for _, terms := range one.Terms {
			for range terms.Count {
				e := byID[entryID{m.last() + 1, terms.Term}]
				if e == nil {
					return fmt.Errorf("entry %d of term %d is missing", m.last()+1, terms.Term)
				}
				m.log = append(m.log, e)
			}
		}
		if m.applied.Index < m.base.Index || m.applied.Index > m.last() {
			return errors.New("a member has applied what its log does not hold")
		}
		r.members = append(r.members, m)
	}
	if len(r.members) == 0 || r.door < 0 || r.door >= len(r.members) {
		return errDamaged
	}
	s.raft = r
	return nil
}
