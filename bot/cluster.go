package bot

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"timonier/sim"
)

// simulated is a channel's cluster while it is in memory; nil until a command uses it.
type simulated struct {
	cluster *sim.Cluster
	base    keySet // of the checkpoint that it was loaded from; nil: from none
	fresh   bool   // it was made by this very command: what the store has is another's
	ahead   bool   // it has gone on, by itself, since it was last kept: what has it again is the time alone
	window  window // what those outside have seen of it
}

// idleAfter is how long a cluster's time goes on without a command.
const idleAfter = 15 * time.Minute

// cluster is the channel's cluster, brought to the present: its time has followed
// the wall's, at its speed, since it was last used, for idleAfter at most.
func (c *call) cluster() (*sim.Cluster, error) {
	ch := c.channel
	if ch.cluster == nil {
		cl, _, err := c.loadCluster(ch)
		if err != nil {
			return nil, err
		}
		ch.cluster = cl
	}
	if c.used {
		return ch.cluster, nil
	}
	c.used = true
	if c.request.Line != "" {
		ch.window.hand = c.now
	}
	gone := c.now.Sub(ch.clock.Used)
	if ch.clock.Used.IsZero() || ch.clock.Paused {
		gone = 0
	}
	ch.clock.Used = c.now
	gone = min(max(gone, 0), idleAfter)
	c.before.at, c.before.step = ch.cluster.Now(), ch.cluster.Trace().Last()
	err := c.advance(ch.cluster, time.Duration(float64(gone)*ch.clock.rate()))
	if errors.Is(err, sim.ErrTooMuch) {
		err = nil // it is late, and will catch up while no one looks
	}
	return ch.cluster, err
}

// rate is how fast the cluster's time goes; 1 unless chosen.
func (k clock) rate() float64 {
	if k.Speed > 0 {
		return k.Speed
	}
	return 1
}

// keyBase is the record of the checkpoint that the cluster was loaded from, packed. The
// cluster's other records stand over it; an empty one says that there is none of its key.
const keyBase = keyCluster + "base"

// clusterRecords are those of a channel's cluster as they were saved, by sim's keys, and
// the keys of those that are below them.
func (t *Tutor) clusterRecords(ctx context.Context, ch *channel) (all map[string][]byte, base keySet, err error) {
	records, version, err := t.cfg.Store.Read(ctx, ch.scope, keyCluster)
	if err != nil {
		return nil, nil, fmt.Errorf("read cluster: %w", err)
	}
	if version != ch.version {
		return nil, nil, ErrConflict
	}
	all = map[string][]byte{}
	for _, r := range records {
		if r.Key == keyBase {
			if all, err = unpack(r.Value); err != nil {
				return nil, nil, fmt.Errorf("read cluster: %w", err)
			}
			base = keysOf(all)
		}
	}
	for _, r := range records {
		switch key := r.Key[len(keyCluster):]; {
		case r.Key == keyBase:
		case len(r.Value) == 0:
			delete(all, key)
		default:
			all[key] = r.Value
		}
	}
	return all, base, nil
}

// keySet are the hashes of keys, in their order: of a checkpoint there are hundreds, and they stay in memory with its cluster. A key that
// it takes for one of them costs an empty record that says there is none.
type keySet []uint64

func keysOf(records map[string][]byte) keySet {
	set := make(keySet, 0, len(records))
	for key := range records {
		set = append(set, hashOfKey(key))
	}
	slices.Sort(set)
	return set
}

func (s keySet) has(key string) bool {
	_, found := slices.BinarySearch(s, hashOfKey(key))
	return found
}

func hashOfKey(key string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, key) // a hash takes everything
	return h.Sum64()
}

// loadCluster reads a channel's cluster, or makes its first; kept says which.
func (c *call) loadCluster(ch *channel) (cl *sim.Cluster, kept bool, err error) {
	records, base, err := c.tutor.clusterRecords(c.ctx, ch)
	if err != nil {
		return nil, false, err
	}
	if len(records) == 0 {
		cl, err := c.newCluster(ch.scope, usualMembers)
		return cl, false, err
	}
	if cl, err = c.openCluster(records); err != nil {
		return nil, false, err
	}
	ch.base = base
	return cl, true, nil
}

// wholeCluster are all records of the channel's cluster as it is now.
func (c *call) wholeCluster(cl *sim.Cluster) (map[string][]byte, error) {
	records := map[string][]byte{}
	if !c.channel.fresh {
		var err error
		if records, _, err = c.tutor.clusterRecords(c.ctx, c.channel); err != nil {
			return nil, err
		}
	}
	changes, err := cl.Changes()
	if err != nil {
		return nil, fmt.Errorf("save cluster: %w", err)
	}
	for _, r := range changes {
		if r.Value == nil {
			delete(records, r.Key)
		} else {
			records[r.Key] = r.Value
		}
	}
	return records, nil
}

// openCluster makes the cluster that the records are of.
func (c *call) openCluster(records map[string][]byte) (*sim.Cluster, error) {
	cl, err := sim.Load(func(yield func(string, []byte) bool) {
		for _, key := range slices.Sorted(maps.Keys(records)) {
			if !yield(key, records[key]) {
				return
			}
		}
	}, sim.Config{Images: c.content.Images, Limits: c.tutor.cfg.Cluster})
	if err != nil {
		return nil, fmt.Errorf("load cluster: %w", err)
	}
	return cl, nil
}

// usualMembers is how many etcds a cluster has unless more or fewer are asked for.
const usualMembers = 3

// newCluster makes a cluster for a channel. Its seed is drawn from where and when,
// so that no two channels see the same names.
func (c *call) newCluster(s Scope, members int) (*sim.Cluster, error) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %q %d", s.Platform, s.Tenant, s.Channel, c.now.UnixNano())
	cl, err := sim.New(sim.Config{Seed: h.Sum64(), Start: c.now, Members: members, Images: c.content.Images, Limits: c.tutor.cfg.Cluster})
	if err != nil {
		return nil, fmt.Errorf("make cluster: %w", err)
	}
	return cl, nil
}

// The bounds of a stride of advance: between two, a deadline is seen.
const (
	firstStride = time.Second
	mostStride  = time.Minute
	quick       = 10 * time.Millisecond // of the wall's time; after a quick stride comes one of twice its length
)

// advance lets the cluster's time go on, a little at a time so that a deadline is seen. It
// stops with ErrTooMuch while there is time left to answer and to keep what was done: a
// command that ran into its deadline would lose it all, and so would the next one.
func (c *call) advance(cl *sim.Cluster, by time.Duration) error {
	stride := firstStride
	began, told := cl.Now(), c.tutor.cfg.Now()
	for end := cl.Now().Add(by); cl.Now().Before(end); {
		if now := c.tutor.cfg.Now(); c.request.Live && c.emit != nil && now.Sub(told) >= often {
			told = now
			c.emit(c.passing(cl, began, end))
		}
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if c.late() {
			return sim.ErrTooMuch
		}
		to := cl.Now().Add(stride)
		if to.After(end) {
			to = end
		}
		strode := time.Now()
		if err := cl.AdvanceTo(to); err != nil {
			return err
		}
		if time.Since(strode) < quick {
			stride = min(2*stride, mostStride)
		} else {
			stride = max(stride/2, firstStride)
		}
	}
	return nil
}

// late says that it is time to answer with what has been done so far.
func (c *call) late() bool {
	c.pass.pace(c.ctx)
	deadline, ok := c.ctx.Deadline()
	return c.ctx.Err() != nil || ok && time.Until(deadline) < c.tutor.cfg.Limits.Command/4
}

// passing is what is shown while the time goes on.
func (c *call) passing(cl *sim.Cluster, began, end time.Time) Reply {
	m := Meter{Done: int(cl.Now().Sub(began).Seconds()), Total: int(end.Sub(began).Seconds()), Label: c.span(cl.Now().Sub(began)) + " / " + c.span(end.Sub(began))}
	return Reply{Blocks: []Block{Text{c.say("time.passing", with{"Clock": c.hour(cl.Now())})}, m}, Private: c.tutor.Manner(c.request).Private}
}

// clusterChanges are the cluster's records that this command changed.
func (c *call) clusterChanges() ([]Record, error) {
	if !c.used {
		return nil, nil
	}
	changes, err := c.channel.cluster.Changes()
	if err != nil {
		return nil, fmt.Errorf("save cluster: %w", err)
	}
	records := make([]Record, len(changes))
	for i, r := range changes {
		records[i] = Record{keyCluster + r.Key, r.Value}
		if r.Value == nil && c.channel.base.has(r.Key) {
			records[i].Value = []byte{}
		}
	}
	return records, nil
}

func (c *call) clusterSaved() {
	if c.used {
		c.channel.cluster.Saved()
		c.channel.ahead = false
	}
}

// resetCommand is /remise: a new cluster in place of the channel's.
func resetCommand(c *call) (Reply, error) {
	words := strings.Fields(c.args)
	all := len(words)
	words = slices.DeleteFunc(words, confirmed.is) // before the number or after it
	sure := len(words) < all
	members := usualMembers
	if len(words) > 0 {
		n, err := strconv.Atoi(words[0])
		if err != nil || !slices.Contains([]int{1, 3, 5}, n) {
			return c.mistake("reset.badmembers"), nil
		}
		members = n
	}
	said := c.say("reset.members", with{"Count": members})
	if !sure {
		line := c.typed("reset", confirmed.in(c.words))
		if members != usualMembers {
			line = c.typed("reset", confirmed.in(c.words), strconv.Itoa(members))
		}
		r := Reply{Blocks: []Block{Text{c.say("reset.sure", with{"Members": said})}}}
		r.Buttons = []Button{
			{Label: c.say("reset.button"), Line: line, Style: Danger},
			{Label: c.say("button.cluster"), Line: c.typed("cluster")},
		}
		return r, nil
	}
	cl, err := c.newCluster(c.channel.scope, members)
	if err != nil {
		return Reply{}, err
	}
	c.channel.simulated, c.used = simulated{cluster: cl}, true
	c.channel.drop = []string{keyCluster}
	c.channel.clock, c.channel.last = clock{Used: c.now}, last{}
	return c.dropExercise(Reply{
		Blocks:  []Block{Text{c.say("reset.done", with{"Members": said})}},
		Buttons: []Button{{Label: "kubectl get nodes", Line: "/kubectl get nodes", Style: Primary}},
	}), nil
}

// peek is the cluster as it was left, for completions: no time passes in it. Nil
// where there is none, or it cannot be read.
func (c *call) peek() *sim.Cluster {
	if c.channel.cluster == nil {
		cl, kept, err := c.loadCluster(c.channel)
		if err != nil || !kept {
			return cl // nil, or made for this completion and gone with it
		}
		c.channel.cluster = cl
	}
	return c.channel.cluster
}
