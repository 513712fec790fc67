package bot

import "sync"

// Recent remembers the IDs of events that came lately, so that one delivered again
// while the first is being answered is not answered twice. The zero value remembers
// the last 10,000 or so. It is safe for concurrent use.
type Recent struct {
	mu       sync.Mutex
	now, old map[string]struct{}
}

// rememberAtOnce is after how many IDs the older half is forgotten.
const rememberAtOnce = 10_000

// First says that an ID comes for the first time, and remembers it.
func (r *Recent) First(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.now[id]; ok {
		return false
	}
	if _, ok := r.old[id]; ok {
		return false
	}
	if r.now == nil || len(r.now) >= rememberAtOnce {
		r.now, r.old = map[string]struct{}{}, r.now
	}
	r.now[id] = struct{}{}
	return true
}

// Forget lets an ID come again: its event was not taken after all.
func (r *Recent) Forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.now, id)
	delete(r.old, id)
}
