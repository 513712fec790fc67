package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
)

// keptNote is the prefix of a platform's notes among the records of the pending scope.
func keptNote(platform string) string { return "note/" + platform + "/" }

// Note keeps what a front end wants to find again when the program is started the next time: where
// it has come to with its platform, say. The newest under a key counts, and nil forgets it. A note
// is never written for itself: it goes along with the next request that is kept, so that it is
// never ahead of those that came before it, and with Close. A process that is killed may leave one
// that is a request old.
func (t *Tutor) Note(platform, key string, note json.RawMessage) {
	p := &t.pending
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.notes == nil {
		p.notes = map[string][]byte{}
	}
	p.notes[keptNote(platform)+url.PathEscape(key)] = note
}

// Noted are a platform's notes by their keys, as a process before this one left them.
func (t *Tutor) Noted(ctx context.Context, platform string) (map[string]json.RawMessage, error) {
	prefix := keptNote(platform)
	records, _, err := t.cfg.Store.Read(ctx, pendingScope(), prefix)
	if err != nil {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	notes := map[string]json.RawMessage{}
	for _, rec := range records {
		if key, err := url.PathUnescape(strings.TrimPrefix(rec.Key, prefix)); err == nil {
			notes[key] = rec.Value
		}
	}
	return notes, nil
}

// takeNotes has what is written next take the notes along. It has the turn of p.mu.
func (p *pending) takeNotes() {
	maps.Copy(p.changes, p.notes)
	p.notes = nil
}

// writeNotes has the notes written that nothing has taken along.
func (t *Tutor) writeNotes() {
	p := &t.pending
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeNotes()
	if len(p.changes) > 0 && !p.writing {
		p.writing = true
		go t.writePending()
	}
}
