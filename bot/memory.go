package bot

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// memory is a Store that forgets everything when the process ends: a stage's.
type memory struct {
	mu      sync.Mutex
	scopes  map[Scope]*kept
	answers map[[3]string][]byte
}

type kept struct {
	version uint64
	records map[string][]byte
}

func newMemory() *memory { return &memory{scopes: map[Scope]*kept{}, answers: map[[3]string][]byte{}} }

func (m *memory) scope(s Scope) *kept {
	if m.scopes[s] == nil {
		m.scopes[s] = &kept{records: map[string][]byte{}}
	}
	return m.scopes[s]
}

func (m *memory) Read(_ context.Context, s Scope, prefix string) ([]Record, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.scope(s)
	var out []Record
	for key, value := range k.records {
		if strings.HasPrefix(key, prefix) {
			out = append(out, Record{key, slices.Clone(value)})
		}
	}
	slices.SortFunc(out, func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
	return out, k.version, nil
}

func (m *memory) Commit(_ context.Context, c Commit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range c.Answers {
		if _, found := m.answers[answerKey(a.Scope, a.Request)]; found {
			return ErrAnswered
		}
	}
	for _, w := range c.Writes {
		if m.scope(w.Scope).version != w.Base {
			return ErrConflict
		}
	}
	for _, w := range c.Writes {
		k := m.scope(w.Scope)
		k.version++
		for key := range k.records {
			if slices.ContainsFunc(w.Drop, func(p string) bool { return strings.HasPrefix(key, p) }) {
				delete(k.records, key)
			}
		}
		for _, r := range w.Changes {
			if r.Value == nil {
				delete(k.records, r.Key)
			} else {
				k.records[r.Key] = slices.Clone(r.Value)
			}
		}
		if w.Scope.Person != "" && len(k.records) == 0 {
			delete(m.scopes, w.Scope)
		}
	}
	for _, a := range c.Answers {
		m.answers[answerKey(a.Scope, a.Request)] = slices.Clone(a.Reply)
	}
	return nil
}

func (m *memory) Answered(_ context.Context, s Scope, request string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, found := m.answers[answerKey(s, request)]
	return data, found, nil
}

func answerKey(s Scope, request string) [3]string { return [3]string{s.Platform, s.Tenant, request} }

// NewMemory is a Store without a file, for whoever measures what answers cost without a disk.
func NewMemory() Store { return newMemory() }
