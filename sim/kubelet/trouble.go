package kubelet

import (
	"fmt"
	"time"
)

// Trouble is something that is wrong with a node. Several may be at once, and end in any order.
type Trouble string

const (
	Cut      Trouble = "cut"       // no one can reach the node, and it can reach no one
	Off      Trouble = "off"       // the machine has no power: its containers are gone
	Down     Trouble = "down"      // the kubelet does not run; containers do
	Slow     Trouble = "slow"      // everything takes longer: see slowness
	DiskFull Trouble = "disk-full" // something that is not a pod fills the disk
)

// Trouble begins or ends a trouble of the node.
func (k *Kubelet) Trouble(t Trouble, on bool) error {
	var has *bool
	switch t {
	case Cut:
		has = &k.state.Silent
	case Off:
		has = &k.state.Off
	case Down:
		has = &k.state.Down
	case Slow:
		has = &k.state.Slow
	case DiskFull:
		has = &k.state.DiskFull
	default:
		return fmt.Errorf("no trouble %q", t)
	}
	if *has == on {
		return nil
	}
	wasSilent, wasSlow := k.Silent(), k.state.Slow
	if on && !wasSilent && (t == Cut || t == Off || t == Down) && !k.env.Client.Down() {
		k.state.Beat = k.Heartbeat(k.env.Queue.Now())
		if err := k.KeepHeartbeat(); err != nil {
			return err
		}
	}
	*has = on
	switch {
	case wasSilent && !k.Silent():
		k.Reconnect()
	case wasSlow != k.state.Slow, t == DiskFull:
		k.Resync()
	}
	return nil
}

// Silent says whether the kubelet is: nothing is heard of it.
func (k *Kubelet) Silent() bool { return k.state.Silent || k.state.Off || k.state.Down }

// KeepHeartbeat writes the last heartbeat to the node's lease: from now on it is no longer implied.
func (k *Kubelet) KeepHeartbeat() error {
	if err := k.renew(k.Heartbeat(k.env.Queue.Now())); err != nil {
		return fmt.Errorf("write last heartbeat of %s: %w", k.env.Node, err)
	}
	return nil
}

// Reconnect is the end of a time in which nothing of the kubelet's could arrive: it renews its lease, posts its status
// and looks at all its pods.
func (k *Kubelet) Reconnect() {
	k.state.Since, k.state.Beat = k.env.Queue.Now(), time.Time{}
	k.Resync()
}
