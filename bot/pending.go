package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"
)

// pending are the requests whose answers have not reached their person yet, kept so
// that a process that ends in the middle can be made up for by the next. They are
// records of one scope of their own. Nobody waits for them to be written: whoever is
// answered within a few milliseconds costs one write with many others', and what is
// written when the process ends is what the person was promised.
type pending struct {
	mu      sync.Mutex
	keys    map[string]string // by tenant and request: the record's key
	changes map[string][]byte // by key; nil: to be deleted
	notes   map[string][]byte // the same of notes, which wait for a change to go along with
	writing bool
	idle    sync.Cond // told when nothing is written any more
	version uint64
	known   bool // version is the store's
}

// mostLate is how long after it was asked a request that was never answered is still
// done; later, the person is told that it was not.
const mostLate = 2 * time.Minute

// keptPending is the prefix of a platform's records.
func keptPending(platform string) string { return "pending/" + platform + "/" }

func pendingScope() Scope { return Scope{Platform: "timonier", Channel: "pending"} }

func pendingID(r Request) string { return r.Platform + "\x00" + r.Tenant + "\x00" + r.ID }

// begin keeps a request that has a Return, unless it is kept already.
func (t *Tutor) begin(r Request) {
	if r.Return == nil || r.ID == "" {
		return
	}
	p := &t.pending
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.keys[pendingID(r)]; ok {
		return
	}
	if r.Asked.IsZero() {
		r.Asked = t.cfg.Now()
	}
	r.Fill = nil
	data, err := json.Marshal(r)
	if err != nil {
		t.cfg.Logger.Error("keep request", "error", err)
		return
	}
	h := fnv.New64a()
	h.Write([]byte(pendingID(r)))
	key := fmt.Sprintf("%s%016x-%016x", keptPending(r.Platform), uint64(max(0, r.Asked.UnixNano())), h.Sum64())
	p.keys[pendingID(r)] = key
	t.changePending(key, data)
}

// Returns changes a kept request's way back, once there is a better one: the message that
// now shows the answer, say. Nothing is done where the request is not kept.
func (t *Tutor) Returns(r Request, way json.RawMessage) {
	p := &t.pending
	p.mu.Lock()
	defer p.mu.Unlock()
	key, ok := p.keys[pendingID(r)]
	if !ok {
		return
	}
	r.Return, r.Fill = way, nil
	if r.Asked.IsZero() {
		r.Asked = t.cfg.Now()
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.cfg.Logger.Error("keep request", "error", err)
		return
	}
	t.changePending(key, data)
}

// Delivered says that the final answer to a request that had a Return has reached the
// person, or that nobody can be reached any more: it is not resumed.
func (t *Tutor) Delivered(r Request) {
	p := &t.pending
	p.mu.Lock()
	defer p.mu.Unlock()
	id := pendingID(r)
	key, ok := p.keys[id]
	if !ok {
		return
	}
	delete(p.keys, id)
	t.changePending(key, nil)
}

// changePending has the turn of p.mu. One goroutine writes for all.
func (t *Tutor) changePending(key string, value []byte) {
	p := &t.pending
	p.changes[key] = value
	if !p.writing {
		p.writing = true
		go t.writePending()
	}
}

// settled waits until nothing is being written.
func (p *pending) settled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.writing {
		p.idle.Wait()
	}
}

// writePending writes what has changed until nothing has, or until that fails.
func (t *Tutor) writePending() {
	p := &t.pending
	for {
		p.mu.Lock()
		if len(p.changes) == 0 {
			p.writing = false
			p.idle.Broadcast()
			p.mu.Unlock()
			return
		}
		p.takeNotes()
		changes := p.changes
		p.changes = map[string][]byte{}
		p.mu.Unlock()
		if err := t.commitPending(changes); err != nil {
			t.cfg.Metrics.Failed("timonier", "pending")
			t.cfg.Logger.Error("keep requests", "error", err)
			p.putBack(changes)
			return
		}
	}
}

// mostUnwritten bounds what is put back, where nothing can be written for long.
const mostUnwritten = 10_000

// putBack has changes that could not be written go along with the next, or with Close: a request whose
// answer has arrived must not be found again by the next process.
func (p *pending) putBack(changes map[string][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, value := range changes {
		if _, newer := p.changes[key]; !newer && len(p.changes) < mostUnwritten {
			p.changes[key] = value
		}
	}
	p.writing = false
	p.idle.Broadcast()
}

// commitPending writes changes, again where another process has written in between.
func (t *Tutor) commitPending(changes map[string][]byte) error {
	p := &t.pending
	ctx, cancel := context.WithTimeout(context.Background(), t.cfg.Limits.Command)
	defer cancel()
	w := Write{Scope: pendingScope()}
	for key, value := range changes {
		w.Changes = append(w.Changes, Record{key, value})
	}
	slices.SortFunc(w.Changes, func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
	for range tries {
		if !p.known {
			_, version, err := t.cfg.Store.Read(ctx, w.Scope, "nothing has this prefix")
			if err != nil {
				return fmt.Errorf("read version: %w", err)
			}
			p.version, p.known = version, true
		}
		w.Base = p.version
		err := t.cfg.Store.Commit(ctx, Commit{Writes: []Write{w}})
		if err == nil {
			p.version++
			return nil
		}
		p.known = false
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return ErrConflict
}

// Interrupted are a platform's requests that were accepted with a Return, by this
// process or one before, and whose answers were never said to be Delivered, the oldest
// first. A front end calls it once, before it accepts anything, and gives each, with
// Resumed set, to Accept: those that were answered get the same answer again; those that
// were not are answered now, or told that they were not, if that was long ago.
func (t *Tutor) Interrupted(ctx context.Context, platform string) ([]Request, error) {
	records, _, err := t.cfg.Store.Read(ctx, pendingScope(), keptPending(platform))
	if err != nil {
		return nil, fmt.Errorf("read interrupted requests: %w", err)
	}
	p := &t.pending
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Request
	for _, rec := range records {
		var r Request
		if err := json.Unmarshal(rec.Value, &r); err != nil {
			t.cfg.Logger.Error("read interrupted request", "error", err)
			t.changePending(rec.Key, nil)
			continue
		}
		p.keys[pendingID(r)] = rec.Key
		r.Resumed = true
		out = append(out, r)
	}
	return out, nil
}

// late says that a request was left by a process that ended, too long ago to be done
// now without being asked for again.
func (t *Tutor) late(r Request) bool {
	return r.Resumed && !r.Asked.IsZero() && t.cfg.Now().Sub(r.Asked) > mostLate
}
