package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// shelf is a scope's small records in memory, and what a command has changed in them.
type shelf struct {
	scope   Scope
	version uint64
	records map[string][]byte
	changed map[string][]byte
	drop    []string
}

// The prefixes under which a scope's records are, in a channel's and in a person's.
const (
	keyChannel = "channel/"   // small records, read with the channel
	keyCluster = "cluster/0/" // the records of the channel's own cluster, read when it is used
	keyKept    = "kept/"      // a channel's checkpoints, each read when it is used
	keyPerson  = "person/"    // small records, read with each request
	keyHouse   = "tenant/"    // the tenant's small records, read with each request
)

// Small records.
const (
	channelSettings = keyChannel + "settings" // Settings
	channelClock    = keyChannel + "clock"    // clock
	channelLast     = keyChannel + "last"     // last
	channelLong     = keyChannel + "long"     // long
	channelKept     = keyChannel + "kept"     // checkpoints
	channelExercise = keyChannel + "exercise" // exercise
	channelStory    = keyChannel + "story"    // openStory; and below it, by number, a storyPlace
	channelVoice    = keyChannel + "voice"    // voice
	personSettings  = keyPerson + "settings"  // Settings
	personBookmark  = keyPerson + "bookmark"  // bookmark
	personProgress  = keyPerson + "progress"  // progress
	personVoice     = keyPerson + "voice"     // voice
	houseSettings   = keyHouse + "settings"   // Settings
	houseTeachers   = keyHouse + "teachers"   // teachers
)

func readShelf(ctx context.Context, store Store, s Scope, prefix string) (*shelf, error) {
	records, version, err := store.Read(ctx, s, prefix)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	sh := &shelf{scope: s, version: version, records: map[string][]byte{}, changed: map[string][]byte{}}
	for _, r := range records {
		sh.records[r.Key] = r.Value
	}
	return sh, nil
}

// get reads a small record into v, and leaves v as it is where there is none.
func (s *shelf) get(key string, v any) error {
	data, ok := s.records[key]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("decode record %s: %w", key, err)
	}
	return nil
}

// put changes a small record of a shelf, if it is another than before. What is
// not there and would be empty stays away.
func put[T comparable](s *shelf, key string, v T) error {
	var zero T
	if _, ok := s.records[key]; !ok && v == zero {
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode record %s: %w", key, err)
	}
	if string(s.records[key]) != string(data) {
		s.records[key], s.changed[key] = data, data
	}
	return nil
}

// write is what has changed, with other records of the scope; false where nothing has.
func (s *shelf) write(others ...Record) (Write, bool) {
	w := Write{Scope: s.scope, Base: s.version, Drop: s.drop, Changes: others}
	for key, value := range s.changed {
		w.Changes = append(w.Changes, Record{key, value})
	}
	slices.SortFunc(w.Changes, func(a, b Record) int { return cmp.Compare(a.Key, b.Key) })
	return w, len(w.Changes)+len(w.Drop) > 0
}

// set changes a record that is not among those read with the scope; nil deletes it.
func (s *shelf) set(key string, value []byte) { s.changed[key] = value }

// setJSON is set for a value.
func (s *shelf) setJSON(key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode record %s: %w", key, err)
	}
	s.set(key, data)
	return nil
}

// written says that a Write of this scope has been committed.
func (s *shelf) written() {
	s.version++
	s.drop = nil
	clear(s.changed)
}

// Settings are what a person, or a channel, has chosen. Empty: not chosen.
type Settings struct {
	Language string `json:"language,omitempty"` // fr, en
	Lens     string `json:"lens,omitempty"`     // ID of a lens of the course
	Open     string `json:"open,omitempty"`     // of a channel: IDs of the lessons that need not wait for what they require; blanks between
	Theme    string `json:"theme,omitempty"`    // of pictures: light, dark

	// Who may do what, of a channel and a tenant: everyone, teachers.
	Change string `json:"change,omitempty"` // change the cluster
	Break  string `json:"break,omitempty"`  // break it
	Quiz   string `json:"quiz,omitempty"`   // start and end quizzes
	Reset  string `json:"reset,omitempty"`  // replace it by a new one

	Zone     string `json:"zone,omitempty"`     // of a channel and a tenant: its time zone, as the IANA names it
	ShowName bool   `json:"showName,omitempty"` // of a person: their name may stand on scoreboards

	Retention int `json:"retention,omitempty"` // of a tenant: days that answers are kept after a quiz
}

// clock is how the cluster's time follows the wall's.
type clock struct {
	Used   time.Time `json:"used"` // wall time at which the cluster was at its own present
	Speed  float64   `json:"speed,omitempty"`
	Paused bool      `json:"paused,omitempty"`
}

// last is what /pourquoi explains: the last command that did something.
type last struct {
	Line string `json:"line"` // its first line
	From uint64 `json:"from"` // the trace's last step before it
	To   uint64 `json:"to"`   // and after

	Outside int    `json:"outside,omitempty"` // the number of the kubeconfig with which it was asked for; 0: it was typed here
	Asked   uint64 `json:"asked,omitempty"`   // the trace's step of what was asked with it, of which further requests may be
}

// bookmark is where a person is in the course.
type bookmark struct {
	Lesson  string `json:"lesson,omitempty"`  // 3.1
	Message int    `json:"message,omitempty"` // from 0
}
