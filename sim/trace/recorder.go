package trace

import (
	"slices"
)

// Keep is how many steps a recorder holds unless told otherwise.
const Keep = 500

// Recorder keeps the latest steps, and knows the one that is being acted upon.
// The zero value keeps Keep steps.
type Recorder struct {
	Limit int   // steps kept; 0: Keep
	Codec Codec // where it is set, steps that are saved are kept packed: a fifteenth of what they take, details and all

	packed []pack // of steps before those below, oldest first
	steps  []Step // the latest, oldest first; at the end of an array, which they are moved to the front of when it is full
	next   uint64 // ID of the last step; 0: none yet
	cause  uint64
	saved  uint64 // the last step that Saved was told of
}

// Add records a step caused by the current cause, unless s names another, and returns its ID.
func (r *Recorder) Add(s Step) uint64 {
	r.next++
	s.ID = r.next
	if s.Cause == 0 {
		s.Cause = r.cause
	}
	limit := r.limit()
	if len(r.steps) == cap(r.steps) && len(r.steps) >= limit { // slide: copied once every limit/2 steps
		to := r.steps
		if cap(to) < limit+limit/2 {
			to = make([]Step, limit-1, limit+limit/2)
		}
		n := copy(to, r.steps[len(r.steps)-limit+1:])
		clear(to[n:])
		r.steps = to[:n]
	}
	r.steps = append(r.steps, s)
	return s.ID
}

func (r *Recorder) limit() int {
	if r.Limit > 0 {
		return r.Limit
	}
	return Keep
}

// Because sets the step that everything added from now on is due to, and returns the one before.
func (r *Recorder) Because(cause uint64) (before uint64) {
	before, r.cause = r.cause, cause
	return before
}

// Cause is the step that what happens now is due to; 0: none.
func (r *Recorder) Cause() uint64 { return r.cause }

// Last is the ID of the latest step; 0: none.
func (r *Recorder) Last() uint64 { return r.next }

// First is the ID of the oldest step kept; that of the next one where none is.
func (r *Recorder) First() uint64 {
	first := r.next + 1
	if len(r.steps) > 0 {
		first = r.steps[0].ID
	}
	if len(r.packed) > 0 {
		first = r.packed[0].first
	}
	if oldest := r.next + 1 - min(uint64(r.limit()), r.next); first < oldest {
		first = oldest
	}
	return first
}

// Steps are the steps kept, oldest first, until the next Add. They must not be changed.
func (r *Recorder) Steps() []Step { return r.From(r.First()) }

// From is Steps from an ID on; those before it need not be unpacked for it.
func (r *Recorder) From(id uint64) []Step {
	id = max(id, r.First())
	var all []Step
	for i := range r.packed {
		if p := &r.packed[i]; p.last >= id {
			all = append(all, r.unpacked(p)...)
		}
	}
	if all == nil {
		all = r.steps
	} else {
		all = append(all, r.steps...)
	}
	i, _ := slices.BinarySearchFunc(all, id, compareID)
	return all[i:]
}

func compareID(s Step, id uint64) int { return int(int64(s.ID) - int64(id)) }

// Step finds a step that is still kept.
func (r *Recorder) Step(id uint64) (Step, bool) {
	var open unpackedPack
	return r.step(id, &open)
}

// unpackedPack are the steps of the pack that was looked into last.
type unpackedPack struct {
	of    *pack
	steps []Step
}

func (r *Recorder) step(id uint64, open *unpackedPack) (Step, bool) {
	if id < r.First() || id > r.next {
		return Step{}, false
	}
	steps := r.steps
	for i := range r.packed {
		if p := &r.packed[i]; p.first <= id && id <= p.last {
			if open.of != p {
				open.of, open.steps = p, r.unpacked(p)
			}
			steps = open.steps
		}
	}
	i, ok := slices.BinarySearchFunc(steps, id, compareID)
	if !ok {
		return Step{}, false
	}
	return steps[i], true
}

// Chain is a step with its causes, the first cause first, as far as they are kept.
func (r *Recorder) Chain(id uint64) []Step {
	var chain []Step
	var open unpackedPack
	for id != 0 {
		s, ok := r.step(id, &open)
		if !ok {
			break
		}
		chain = append(chain, s)
		id = s.Cause
	}
	slices.Reverse(chain)
	return chain
}

// Unsaved are the steps added since Saved, as far as they are kept.
func (r *Recorder) Unsaved() []Step { return r.From(r.saved + 1) }

// Saved says that all steps so far are safe.
func (r *Recorder) Saved() {
	r.saved = r.next
	r.packAll()
}

// Load puts back steps that were kept, oldest first, and the ID of the last one ever given.
func (r *Recorder) Load(steps []Step, last uint64) {
	r.packed, r.steps, r.next, r.saved, r.cause = nil, slices.Clone(steps), last, last, 0
}

// LoadEncoded is Load of steps as Codec has them.
func (r *Recorder) LoadEncoded(steps []Encoded, last uint64) {
	r.Load(nil, last)
	steps = steps[max(0, len(steps)-r.limit()):]
	for len(steps) >= packSize {
		if !r.add(steps[:packSize]) {
			break
		}
		steps = steps[packSize:]
	}
	for _, e := range steps {
		r.steps = append(r.steps, r.Codec.Decode(e.ID, e.Data))
	}
}
