package kubelet

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// Trouble is something that is wrong with a node. Several may be at once, and end in any order.
type Trouble string

const (
	Cut      Trouble = "cut"       // no one can reach the node, and it can reach no one; the kubelet looks after what it knows of
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
	wasSilent, now := k.Silent(), k.env.Queue.Now()
	if on && !wasSilent && (t == Cut || t == Off || t == Down) && !k.env.Client.Down() {
		k.state.Beat = k.Heartbeat(k.env.Queue.Now())
		if err := k.KeepHeartbeat(); err != nil { // no etcd: the node controller has to hear of it all the same, later
			k.state.Owed = true
			k.env.Queue.Retry(nodeKey)
		}
	}
	if t == Slow && !wasSilent {
		k.state.Beat = k.Heartbeat(now)
		k.state.Slowed = k.state.Beat
	}
	if t == Off && on && k.state.Died.IsZero() {
		k.state.Died = now
		k.state.Boots++
	}
	*has = on
	switch {
	case t == Cut && on && !wasSilent && !k.env.Hollow:
		k.state.Seen = map[string]*v1.Pod{}
		for pod := range apiserver.PodsOn(k.env.Client, k.env.Node) {
			k.state.Seen[keyOf(pod)] = pod
		}
	case t == Cut, k.state.Off, k.state.Down: // connected again, or a process that has forgotten
		k.state.Seen = nil
	}
	if t == DiskFull {
		k.diskChanged()
	}
	if wasSilent && !k.Silent() {
		k.Reconnect()
	}
	return nil
}

// Silent says whether the kubelet is: nothing is heard of it.
func (k *Kubelet) Silent() bool { return k.state.Silent || k.state.Off || k.state.Down }

// idle says that the kubelet does nothing: it does not run, or it has never heard of its pods.
func (k *Kubelet) idle() bool {
	return k.state.Off || k.state.Down || k.state.Silent && k.state.Seen == nil
}

// KeepHeartbeat writes the last heartbeat to the node's lease: from now on it is no longer implied.
func (k *Kubelet) KeepHeartbeat() error {
	if err := k.renew(k.Heartbeat(k.env.Queue.Now())); err != nil {
		return fmt.Errorf("write last heartbeat of %s: %w", k.env.Node, err)
	}
	return nil
}

// Pay writes the last heartbeat of a kubelet that is silent, which could not be written when it fell silent.
func (k *Kubelet) Pay() error {
	if !k.state.Owed {
		return nil
	}
	if err := k.renew(k.state.Beat); err != nil {
		return fmt.Errorf("write last heartbeat of %s: %w", k.env.Node, err)
	}
	k.state.Owed = false
	return nil
}

// PaySoon has what is owed written, where it can be written again.
func (k *Kubelet) PaySoon() {
	if k.state.Owed {
		k.env.Queue.Add(nodeKey, 0)
	}
}

// Reconnect is the end of a time in which nothing of the kubelet's could arrive: it renews its lease, posts its status
// and looks at all its pods.
func (k *Kubelet) Reconnect() {
	if k.env.Client.Down() {
		return // not yet
	}
	now := k.env.Queue.Now()
	k.state.Owed = false
	k.state.Since, k.state.Beat, k.state.Slowed = now, time.Time{}, now
	k.reboot()
	k.Resync()
}

const (
	// slowness is how many times as long everything takes on a node that is slow.
	slowness = 10
	// slowHeartbeat is how often the lease of such a node is renewed: well within the node controller's 50 s.
	slowHeartbeat = 40 * time.Second
)

// takes is how long a thing takes on this node that takes d on another.
func (k *Kubelet) takes(d time.Duration) time.Duration {
	if k.state.Slow {
		return slowness * d
	}
	return d
}

// reboot is what the kubelet of a machine that had no power finds: no containers. Those of its pods ended with it.
func (k *Kubelet) reboot() {
	if k.state.Died.IsZero() {
		return
	}
	before := k.env.Trace.Cause()
	defer k.env.Trace.Because(before)
	k.step(trace.Rebooted, trace.Ref{Kind: "Node", Name: k.env.Node}, nil)
	for pod := range apiserver.PodsOn(k.env.Client, k.env.Node) {
		if pod.Status.StartTime == nil || terminal(pod.Status.Phase) {
			continue
		}
		life := k.state.Pods[keyOf(pod)]
		if life == nil || life.UID != pod.UID {
			life = adopt(pod, &pod.Status)
			k.state.Pods[keyOf(pod)] = life
		}
		life.Lost = k.state.Died
	}
	k.state.Died, k.state.Line = time.Time{}, time.Time{}
}

// lost ends the containers of a pod that went with the machine: 255, as containerd says of those of which it knows no
// more. The pod gets another sandbox, in which init containers run again (pkg/kubelet/kuberuntime, podSandboxChanged).
func (s *sync) lost() {
	at := s.life.Lost
	if at.IsZero() {
		return
	}
	s.life.Lost, s.dirty = time.Time{}, true
	for _, u := range s.units {
		switch u.Stage {
		case running, stopping:
			if s.due(u, at) {
				break
			}
			s.ended(u, at, 255, "Unknown")
		case fresh, exited, crashed, waiting, done:
		default: // on its way to a first start, or to the next
			u.Stage, u.Until, u.Lacks = fresh, time.Time{}, retry{}
		}
	}
	if s.pod.DeletionTimestamp != nil || s.life.Ends != nil || s.pod.Spec.RestartPolicy == v1.RestartPolicyNever {
		return
	}
	for _, u := range s.units {
		switch {
		case u.init && !u.sidecar:
			u.Stage, u.Until, u.status.Ready = fresh, time.Time{}, false
		case u.Stage == exited && s.restarts(u, u.status.State.Terminated.ExitCode): // each in its turn again
			u.Starts.next(at, s.now)
			u.Stage, u.Until = fresh, time.Time{}
		}
	}
	s.emit(v1.EventTypeNormal, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
	s.life.IP, s.life.Sandbox = "", time.Time{}
	s.status.PodIP, s.status.PodIPs = "", nil
}

// due ends a container that had come to its own end by then.
func (s *sync) due(u *unit, by time.Time) bool {
	if u.Until.IsZero() || u.Until.After(by) {
		return false
	}
	code, reason := u.Code, u.Reason
	if u.Stage == running {
		code, reason = s.plan(u).code, s.plan(u).reason
	}
	s.ended(u, u.Until, code, reason)
	return true
}
