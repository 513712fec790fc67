package sim

// What a cluster takes in memory, in bytes, as measured of clusters of 0 to 100 pods, of large objects
// and of small ones, with and without a history: see TestFootprint.
const (
	footprintOfNothing = 60_000
	footprintOfObject  = 600 // decoded, beside its bytes
	footprintOfStep    = 80  // packed
)

// Footprint is about how many bytes of memory the cluster takes: its history, its objects once more
// as they are decoded, as far as these do not share the bytes, and its trace.
func (c *Cluster) Footprint() int64 {
	all, latest, objects := c.store.Held()
	steps := c.trace.Last() + 1 - c.trace.First()
	return footprintOfNothing + all + latest/4 + int64(objects)*footprintOfObject + int64(steps)*footprintOfStep
}
