package bot

// What a channel in memory takes beside its cluster and its records, in bytes, about: the lane with
// what has been decoded, and what a person was offered last.
const (
	weightOfLane  = 8 << 10
	weightOfOffer = 1 << 10
)

// weigh is about how many bytes of memory a lane takes. Only its worker asks.
func (ln *lane) weigh() int64 {
	sum := int64(weightOfLane + len(ln.offered)*weightOfOffer)
	ch := ln.loaded
	if ch == nil {
		return sum
	}
	for key, value := range ch.records {
		sum += 2 * int64(len(key)+len(value)) // as it is stored, and decoded
	}
	sum += 8 * int64(len(ch.base))
	if ch.cluster != nil {
		sum += ch.cluster.Footprint()
	}
	return sum
}

// weighed notes what a lane takes now. It has the turn of Tutor.mu.
func (t *Tutor) weighed(ln *lane, now int64) {
	t.weight += now - ln.weight
	ln.weight = now
	t.cfg.Metrics.inMemory(len(t.lanes), t.weight)
}

// forget lets the channels leave memory that have been idle longest, where there are too many of
// them, or they take too much. All they are is in the store. It has the turn of Tutor.mu.
func (t *Tutor) forget() {
	for t.idle.Len() > 0 && (t.idle.Len() > t.cfg.Limits.Channels || t.weight > t.cfg.Limits.Memory) {
		ln := t.idle.Remove(t.idle.Front()).(*lane)
		delete(t.lanes, ln.place)
		t.weighed(ln, 0)
	}
}
