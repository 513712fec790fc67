package bot

import (
	"slices"
	"sync"

	"timonier/content"
)

// company keeps the performances of stories that were looked at last, for whichever channel comes to them
// next: lived so far, a story is the same in all. Its zero value is empty.
type company struct {
	mu   sync.Mutex
	idle []*content.Performance // the one looked at last is the last
}

// mostIdle is how many are kept; each is some 0.3 to 0.8 MB, and a tenth of a second to live again.
const mostIdle = 8

// take is the performance of a story that has come nearest to so many beats, and no further; nil: there is
// none. Whoever takes it has it alone.
func (k *company) take(s *content.Story, beats int) *content.Performance {
	k.mu.Lock()
	defer k.mu.Unlock()
	best := -1
	for i, p := range k.idle {
		if p.Story == s && p.Played() <= beats && (best < 0 || p.Played() > k.idle[best].Played()) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	p := k.idle[best]
	k.idle = slices.Delete(k.idle, best, best+1)
	return p
}

// give back what nobody looks at any more.
func (k *company) give(p *content.Performance) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.idle = append(k.idle, p); len(k.idle) > mostIdle {
		k.idle = slices.Delete(k.idle, 0, 1)
	}
}

// dismiss lets all go: their course is no longer taught.
func (k *company) dismiss() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.idle = nil
}
