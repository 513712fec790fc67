package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
	"timonier/sim/kubelet"
	"timonier/sim/trace"
)

// Fault is something that was broken on purpose and is not mended yet.
type Fault struct {
	Name   string    `json:"name"`   // one of Faults
	Target string    `json:"target"` // the node …
	Since  time.Time `json:"since"`
	// Annotated says that an annotation asked for it: see FaultAnnotation.
	Annotated bool `json:"annotated,omitempty"`
}

// Errors of Break and Mend.
var (
	ErrNoFault  = errors.New("no such fault")
	ErrNoTarget = errors.New("nothing of that name can be broken this way")
	ErrBroken   = errors.New("broken already")
	ErrWhole    = errors.New("not broken")
)

// Words for targets that Break and Mend take besides those of Targets.
const (
	// Active is the replica of a program that holds its lease. Mended, it is the one that was broken last.
	Active = "active"
	// All is everything that can be broken this way, or all that is.
	All = "all"
)

// faultKind is a row of the table of faults.
type faultKind struct {
	name    string
	targets func(*Cluster) []string
	set     func(c *Cluster, target string, broken bool) error
}

func faultKinds() []faultKind {
	return slices.Concat(nodeFaults(), programFaults(), imageFaults(), etcdFaults())
}

// FaultNames are the ways in which a cluster can be broken.
func FaultNames() []string {
	var names []string
	for _, k := range faultKinds() {
		names = append(names, k.name)
	}
	return names
}

// Faults are what is broken now, the oldest first.
func (c *Cluster) Faults() []Fault { return slices.Clone(c.faults) }

// Targets are what can be broken in a way; nil for an unknown one.
func (c *Cluster) Targets(fault string) []string {
	for _, k := range faultKinds() {
		if k.name == fault {
			return k.targets(c)
		}
	}
	return nil
}

// Break breaks a target, or several: see Active and All. What follows is what would follow in a real cluster: for a
// silent node, at first nothing.
func (c *Cluster) Break(fault, target string) error { return c.fault(fault, target, true) }

// Mend undoes a Break. A target may be gone by then.
func (c *Cluster) Mend(fault, target string) error { return c.fault(fault, target, false) }

func (c *Cluster) fault(fault, target string, broken bool) error {
	i := slices.IndexFunc(faultKinds(), func(k faultKind) bool { return k.name == fault })
	if i < 0 {
		return fmt.Errorf("%s: %w", fault, ErrNoFault)
	}
	kind := faultKinds()[i]
	for _, t := range c.meant(kind, target, broken) {
		if err := c.change(kind, t, broken); err != nil {
			return err
		}
	}
	return nil
}

// meant are the targets that a word stands for: itself, mostly. Where there are none it stands for itself too, and is
// refused as such.
func (c *Cluster) meant(kind faultKind, word string, broken bool) []string {
	var all []string
	switch {
	case word == Active && broken:
		if holder := c.holder(kind.name); holder != "" {
			return []string{holder}
		}
		all = c.nextActive(kind)
	case word == Active, word == All && !broken:
		for _, f := range c.faults {
			if f.Name == kind.name {
				all = append(all, f.Target)
			}
		}
		if word == Active {
			all = all[max(0, len(all)-1):]
		}
	case word == All:
		for _, t := range kind.targets(c) {
			if t != Active && t != All && !c.broken(kind.name, t) {
				all = append(all, t)
			}
		}
	}
	if len(all) == 0 {
		return []string{word}
	}
	return all
}

// nextActive is the replica that counts as active while none is: that which held the lease last if it runs, else the
// first that does.
func (c *Cluster) nextActive(kind faultKind) []string {
	var up []string
	targets := kind.targets(c)
	for _, t := range targets {
		if t != Active && t != All && slices.Contains(targets, Active) && !c.broken(kind.name, t) {
			up = append(up, t)
		}
	}
	for _, p := range programs() {
		if host := c.holderHost(p); programFault(p) == kind.name && slices.Contains(up, host) {
			return []string{host}
		}
	}
	return up[:min(1, len(up))]
}

// broken says whether a target is, that way.
func (c *Cluster) broken(fault, target string) bool {
	return slices.ContainsFunc(c.faults, func(f Fault) bool { return f.Name == fault && f.Target == target })
}

func (c *Cluster) change(kind faultKind, target string, broken bool) error {
	at := slices.IndexFunc(c.faults, func(f Fault) bool { return f.Name == kind.name && f.Target == target })
	switch {
	case broken && at >= 0, broken && target == All, broken && target == Active && slices.Contains(kind.targets(c), Active):
		return fmt.Errorf("%s: %w", target, ErrBroken)
	case broken && !slices.Contains(kind.targets(c), target):
		return fmt.Errorf("%s: %w", target, ErrNoTarget)
	case !broken && at < 0:
		return fmt.Errorf("%s: %w", target, ErrWhole)
	}
	step := trace.Step{At: c.Now(), Actor: faultActor, Kind: trace.Fault, Object: faultObject(kind.name, target),
		Detail: trace.FaultChange{Fault: kind.name, Target: target}}
	if broken {
		c.faults = append(c.faults, Fault{Name: kind.name, Target: target, Since: c.Now()})
	} else {
		step.Kind = trace.Healed
		c.faults = slices.Delete(c.faults, at, at+1)
	}
	before := c.trace.Because(c.trace.Add(step))
	defer c.trace.Because(before)
	if err := kind.set(c, target, broken); err != nil {
		return fmt.Errorf("%s %s: %w", kind.name, target, err)
	}
	return nil
}

// faultActor is how the trace calls whoever breaks and mends: nobody of the cluster's.
const faultActor = "fault"

// faultObject is what a fault is about, for the trace: a node, an image, a registry, or else a component.
func faultObject(fault, target string) trace.Ref {
	for _, group := range []struct {
		kind string
		rows []faultKind
	}{{"Node", nodeFaults()}, {"Image", imageFaults()}} {
		if slices.ContainsFunc(group.rows, func(k faultKind) bool { return k.name == fault }) {
			if fault == RegistryDown {
				return trace.Ref{Kind: "Registry", Name: target}
			}
			return trace.Ref{Kind: group.kind, Name: target}
		}
	}
	return trace.Ref{Kind: "Component", Name: target}
}

// live shows what is true without being written: the renewals of an active replica, and a healthy node's heartbeats. Its kubelet renews its Lease every
// 10 s, and reports its status every 5 min where nothing changes.
func (c *Cluster) live(o apiserver.Object) apiserver.Object {
	switch o := o.(type) {
	case *coordinationv1.Lease:
		if o.Namespace == metav1.NamespaceSystem && slices.Contains(programs(), o.Name) && c.running(o.Name) {
			renewed := o.DeepCopy()
			at := metav1.NewMicroTime(c.renewed(o))
			renewed.Spec.RenewTime = &at
			return renewed
		}
		if k := c.kubelets[o.Name]; k != nil && o.Namespace == corev1.NamespaceNodeLease && c.beats(k) {
			renewed := o.DeepCopy()
			at := metav1.NewMicroTime(k.Heartbeat(c.Now()))
			renewed.Spec.RenewTime = &at
			return renewed
		}
	case *corev1.Node:
		if k := c.kubelets[o.Name]; k != nil && c.beats(k) {
			return withHeartbeat(o, k, c.Now())
		}
	}
	return o
}

// reportEvery is the kubelet's nodeStatusReportFrequency.
const reportEvery = 5 * time.Minute

func withHeartbeat(n *corev1.Node, k *kubelet.Kubelet, now time.Time) *corev1.Node {
	shown := n.DeepCopy()
	for i := range shown.Status.Conditions {
		last := shown.Status.Conditions[i].LastHeartbeatTime.Time
		if beat := k.Heartbeat(now); beat.Sub(last) >= reportEvery {
			last = last.Add(beat.Sub(last).Truncate(reportEvery))
			shown.Status.Conditions[i].LastHeartbeatTime = metav1.NewTime(last)
		}
	}
	return shown
}

// logs asks the kubelet of a pod's node for a container's output.
func (c *Cluster) logs(namespace, name string, o apiserver.LogOptions) (string, error) {
	pod, ok := apiserver.Get[*corev1.Pod](c.Client(), namespace, name)
	if !ok {
		return "", fmt.Errorf("pod %s/%s not found", namespace, name)
	}
	k := c.kubelets[pod.Spec.NodeName]
	if k == nil {
		return "", fmt.Errorf("node %q not found", pod.Spec.NodeName)
	}
	return k.Logs(pod, o)
}
