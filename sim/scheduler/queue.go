package scheduler

import (
	"cmp"
	"container/heap"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The queue's times (Kubernetes 1.37 pkg/scheduler/backend/queue).
const (
	firstBackoff    = time.Second
	longestBackoff  = 10 * time.Second
	backoffWindow   = time.Second     // backoff ends at whole seconds
	longestUnplaced = 5 * time.Minute // then a pod is tried again, whatever has happened; the real one looks every 30 s
)

// place is where a pod waits.
type place uint8

const (
	nowhere  place = iota
	active         // to be tried next: by priority, then by time
	backoff        // to be tried when nothing is active, or once its backoff is over
	errored        // to be tried once its backoff is over: the last try failed for an error
	unplaced       // to be tried when something changes that may help; gated pods too
)

func (p place) String() string {
	return [...]string{"", "active", "backoff", "errored", "unplaced"}[p]
}

// entry is a pod that waits to be placed.
type entry struct {
	info  *podInfo
	in    place
	at    int // in the heap of that place
	seq   uint64
	since time.Time // of its coming, then of its last failure
	cause uint64    // the trace's step because of which it is tried next

	attempts   int
	rejections int       // tries in which no node fitted
	errors     int       // tries in a row that failed for an error
	rejectors  pluginSet // whose refusal keeps it waiting
	gated      bool
	flushed    time.Time // when it was last moved because it had waited for too long
}

func (e *entry) pod() *v1.Pod { return e.info.pod }

// waiting is the scheduling queue: all pods that are to be placed.
type waiting struct {
	entries map[types.UID]*entry
	queues  [errored + 1]entryHeap // active, backoff, errored
	idle    int                    // entries in unplaced
	seq     uint64
}

func newWaiting() *waiting {
	w := &waiting{entries: map[types.UID]*entry{}}
	w.queues[active].less = soonerTried
	w.queues[backoff].less = func(a, b *entry) bool {
		if x, y := a.backoffEnds(), b.backoffEnds(); !x.Equal(y) {
			return x.Before(y)
		}
		return soonerTried(a, b)
	}
	w.queues[errored].less = w.queues[backoff].less
	return w
}

// soonerTried is PrioritySort: the higher priority, then the longer wait.
func soonerTried(a, b *entry) bool {
	return cmp.Or(cmp.Compare(b.info.priority, a.info.priority), a.since.Compare(b.since), cmp.Compare(a.seq, b.seq)) < 0
}

// backoffEnds is the window in which the backoff is over: 1 s after the first
// failure, doubling up to 10 s, cut to whole seconds (backoff_queue.go, getBackoffTime).
func (e *entry) backoffEnds() time.Time {
	count := e.rejections
	if e.errors > 0 {
		count = e.errors
	}
	if count == 0 {
		return time.Time{}
	}
	wait := longestBackoff
	if count <= 4 { // 1 s << 4 is past the bound
		wait = min(firstBackoff<<(count-1), longestBackoff)
	}
	return e.since.Add(wait).Truncate(backoffWindow)
}

// backingOff says that it is too soon to try again; within the window it still is.
func (e *entry) backingOff(now time.Time) bool {
	return !e.backoffEnds().Before(now.Truncate(backoffWindow))
}

// add takes in a pod that has not been seen before.
func (w *waiting) add(info *podInfo, now time.Time, cause uint64) *entry {
	w.seq++
	e := &entry{info: info, seq: w.seq, since: now, cause: cause}
	w.entries[info.pod.UID] = e
	w.activate(e)
	return e
}

// activate has the pod tried, unless scheduling gates hold it back.
func (w *waiting) activate(e *entry) {
	if !w.held(e) {
		w.move(e, active)
	}
}

// held puts a gated pod aside (PreEnqueue), and says whether it is one.
func (w *waiting) held(e *entry) bool {
	if e.gated = len(e.pod().Spec.SchedulingGates) > 0; e.gated {
		e.rejectors.add(rowGates)
		w.move(e, unplaced)
	}
	return e.gated
}

// again has a pod tried after its backoff.
func (w *waiting) again(e *entry, now time.Time) {
	if w.held(e) {
		return
	}
	switch {
	case !e.backingOff(now):
		w.move(e, active)
	case e.rejectors == 0:
		w.move(e, errored)
	default:
		w.move(e, backoff)
	}
}

func (w *waiting) move(e *entry, to place) {
	w.take(e)
	e.in = to
	switch to {
	case unplaced:
		w.idle++
	case active, backoff, errored:
		heap.Push(&w.queues[to], e)
	}
}

// take takes the entry out of where it waits; it remains known.
func (w *waiting) take(e *entry) {
	switch e.in {
	case unplaced:
		w.idle--
	case active, backoff, errored:
		heap.Remove(&w.queues[e.in], e.at)
	}
	e.in = nowhere
}

// drop forgets a pod.
func (w *waiting) drop(uid types.UID) {
	if e := w.entries[uid]; e != nil {
		w.take(e)
		delete(w.entries, uid)
	}
}

// ready says that pop has something to give.
func (w *waiting) ready() bool { return len(w.queues[active].list)+len(w.queues[backoff].list) > 0 }

// pop takes out the pod to try next: of the active ones, else of those in backoff, as the real one does
// so as not to stand idle (feature SchedulerPopFromBackoffQ, on since 1.33). Nil: there is none.
func (w *waiting) pop(now time.Time) *entry {
	w.release(now)
	for _, from := range []place{active, backoff} {
		if len(w.queues[from].list) > 0 {
			e := heap.Pop(&w.queues[from]).(*entry)
			e.in = nowhere
			return e
		}
	}
	return nil
}

// release makes those active whose backoff is over.
func (w *waiting) release(now time.Time) {
	for _, from := range []place{backoff, errored} {
		for q := &w.queues[from]; len(q.list) > 0 && !q.list[0].backingOff(now); {
			w.move(q.list[0], active)
		}
	}
}

// nextRelease is when the first of those that failed for an error may be tried again.
func (w *waiting) nextRelease() (time.Time, bool) {
	if q := &w.queues[errored]; len(q.list) > 0 {
		return q.list[0].backoffEnds().Add(backoffWindow), true
	}
	return time.Time{}, false
}

// failed puts back a pod that could not be placed; rejectors are the plugins that refused it, 0 after an error.
func (w *waiting) failed(e *entry, rejectors pluginSet, now time.Time) {
	e.since, e.rejectors = now, rejectors
	if rejectors == 0 {
		e.errors++
		w.again(e, now)
		return
	}
	e.rejections++
	e.errors = 0
	w.move(e, unplaced)
}

// flush has those tried again that have waited for five minutes, and says when to look next.
func (w *waiting) flush(now time.Time) (next time.Time, more bool) {
	for _, e := range w.entries { // in any order: where they end up depends on each alone
		if e.in != unplaced || e.gated {
			continue
		}
		due := e.lastSeen().Add(longestUnplaced)
		if !due.After(now) {
			e.flushed = now
			w.again(e, now)
		} else if !more || due.Before(next) {
			next, more = due, true
		}
	}
	return next, more
}

func (e *entry) lastSeen() time.Time {
	if e.flushed.After(e.since) {
		return e.flushed
	}
	return e.since
}

// entryHeap is a heap of entries that know where they are.
type entryHeap struct {
	list []*entry
	less func(a, b *entry) bool
}

func (h entryHeap) Len() int           { return len(h.list) }
func (h entryHeap) Less(i, j int) bool { return h.less(h.list[i], h.list[j]) }
func (h entryHeap) Swap(i, j int) {
	h.list[i], h.list[j] = h.list[j], h.list[i]
	h.list[i].at, h.list[j].at = i, j
}
func (h *entryHeap) Push(x any) {
	e := x.(*entry)
	e.at = len(h.list)
	h.list = append(h.list, e)
}
func (h *entryHeap) Pop() any {
	last := len(h.list) - 1
	e := h.list[last]
	h.list[last], h.list = nil, h.list[:last]
	return e
}
