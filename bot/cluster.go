package bot

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"timonier/sim"
)

// simulated is a channel's cluster while it is in memory; nil until a command uses it.
type simulated struct{ cluster *sim.Cluster }

// idleAfter is how long a cluster's time goes on without a command.
const idleAfter = 15 * time.Minute

// cluster is the channel's cluster, brought to the present: its time has followed
// the wall's, at its speed, since it was last used, for idleAfter at most.
func (c *call) cluster() (*sim.Cluster, error) {
	ch := c.channel
	if ch.cluster == nil {
		cl, _, err := c.tutor.loadCluster(c.ctx, ch, c.now)
		if err != nil {
			return nil, err
		}
		ch.cluster = cl
	}
	if c.used {
		return ch.cluster, nil
	}
	c.used = true
	gone := c.now.Sub(ch.clock.Used)
	if ch.clock.Used.IsZero() || ch.clock.Paused {
		gone = 0
	}
	ch.clock.Used = c.now
	gone = min(max(gone, 0), idleAfter)
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

// loadCluster reads a channel's cluster, or makes its first; kept says which.
func (t *Tutor) loadCluster(ctx context.Context, ch *channel, now time.Time) (cl *sim.Cluster, kept bool, err error) {
	records, version, err := t.cfg.Store.Read(ctx, ch.scope, keyCluster)
	if err != nil {
		return nil, false, fmt.Errorf("read cluster: %w", err)
	}
	if version != ch.version {
		return nil, false, ErrConflict
	}
	if len(records) == 0 {
		cl, err := t.newCluster(ch.scope, now)
		return cl, false, err
	}
	cl, err = sim.Load(func(yield func(string, []byte) bool) {
		for _, r := range records {
			if !yield(r.Key[len(keyCluster):], r.Value) {
				return
			}
		}
	}, sim.Config{Images: t.cfg.Content.Images, Limits: t.cfg.Cluster})
	if err != nil {
		return nil, false, fmt.Errorf("load cluster: %w", err)
	}
	return cl, true, nil
}

// newCluster makes a cluster for a channel. Its seed is drawn from where and when,
// so that no two channels see the same names.
func (t *Tutor) newCluster(s Scope, now time.Time) (*sim.Cluster, error) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %q %d", s.Platform, s.Tenant, s.Channel, now.UnixNano())
	cl, err := sim.New(sim.Config{Seed: h.Sum64(), Start: now, Images: t.cfg.Content.Images, Limits: t.cfg.Cluster})
	if err != nil {
		return nil, fmt.Errorf("make cluster: %w", err)
	}
	return cl, nil
}

// advance lets the cluster's time go on, a minute at a time so that a deadline is seen. It
// stops with ErrTooMuch while there is time left to answer and to keep what was done: a
// command that ran into its deadline would lose it all, and so would the next one.
func (c *call) advance(cl *sim.Cluster, by time.Duration) error {
	const stride = time.Minute
	began, told := cl.Now(), c.tutor.cfg.Now()
	for end := cl.Now().Add(by); cl.Now().Before(end); {
		if now := c.tutor.cfg.Now(); c.request.Live && c.emit != nil && now.Sub(told) >= often {
			told = now
			c.emit(c.passing(cl, began, end))
		}
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if deadline, ok := c.ctx.Deadline(); ok && time.Until(deadline) < c.tutor.cfg.Limits.Command/4 {
			return sim.ErrTooMuch
		}
		to := cl.Now().Add(stride)
		if to.After(end) {
			to = end
		}
		if err := cl.AdvanceTo(to); err != nil {
			return err
		}
	}
	return nil
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
	}
	return records, nil
}

func (c *call) clusterSaved() {
	if c.used {
		c.channel.cluster.Saved()
	}
}

// resetCommand is /remise: a new cluster in place of the channel's.
func resetCommand(c *call) (Reply, error) {
	sure := name{"confirme", "confirm"}
	if !sure.is(c.args) {
		r := Reply{Blocks: []Block{Text{c.say("reset.sure")}}, Failed: c.args != ""}
		r.Buttons = []Button{
			{Label: c.say("reset.button"), Line: c.typed("reset", sure.in(c.words)), Style: Danger},
			{Label: c.say("button.cluster"), Line: c.typed("cluster")},
		}
		return r, nil
	}
	cl, err := c.tutor.newCluster(c.channel.scope, c.now)
	if err != nil {
		return Reply{}, err
	}
	c.channel.cluster, c.used = cl, true
	c.channel.drop = []string{keyCluster}
	c.channel.clock, c.channel.last = clock{Used: c.now}, last{}
	return Reply{
		Blocks:  []Block{Text{c.say("reset.done")}},
		Buttons: []Button{{Label: "kubectl get nodes", Line: "/kubectl get nodes", Style: Primary}},
	}, nil
}

// peek is the cluster as it was left, for completions: no time passes in it. Nil
// where there is none, or it cannot be read.
func (c *call) peek() *sim.Cluster {
	if c.channel.cluster == nil {
		cl, kept, err := c.tutor.loadCluster(c.ctx, c.channel, c.now)
		if err != nil || !kept {
			return cl // nil, or made for this completion and gone with it
		}
		c.channel.cluster = cl
	}
	return c.channel.cluster
}
