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
}

// Errors of Break and Mend.
var (
	ErrNoFault  = errors.New("no such fault")
	ErrNoTarget = errors.New("nothing of that name can be broken this way")
	ErrBroken   = errors.New("broken already")
	ErrWhole    = errors.New("not broken")
)

// NodeSilent is the fault of a node that no longer answers: power, network or kubelet, no one can tell from outside.
const NodeSilent = "node-silent"

// faultKind is a row of the table of faults.
type faultKind struct {
	name    string
	targets func(*Cluster) []string
	set     func(c *Cluster, target string, broken bool) error
}

func faultKinds() []faultKind {
	return []faultKind{
		{NodeSilent, (*Cluster).nodeNames, func(c *Cluster, node string, broken bool) error {
			return c.kubelets[node].SetSilent(broken)
		}},
	}
}

func (c *Cluster) nodeNames() []string {
	var names []string
	for n := range apiserver.List[*corev1.Node](c.Client(), "") {
		names = append(names, n.Name)
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

// Break breaks a target. What follows is what would follow in a real cluster: for a silent node, at first nothing.
func (c *Cluster) Break(fault, target string) error { return c.fault(fault, target, true) }

// Mend undoes a Break.
func (c *Cluster) Mend(fault, target string) error { return c.fault(fault, target, false) }

func (c *Cluster) fault(fault, target string, broken bool) error {
	i := slices.IndexFunc(faultKinds(), func(k faultKind) bool { return k.name == fault })
	if i < 0 {
		return fmt.Errorf("%s: %w", fault, ErrNoFault)
	}
	kind := faultKinds()[i]
	at := slices.IndexFunc(c.faults, func(f Fault) bool { return f.Name == fault && f.Target == target })
	switch {
	case broken && at >= 0:
		return fmt.Errorf("%s: %w", target, ErrBroken)
	case !broken && at < 0:
		return fmt.Errorf("%s: %w", target, ErrWhole)
	case !slices.Contains(kind.targets(c), target):
		return fmt.Errorf("%s: %w", target, ErrNoTarget)
	}
	step := trace.Step{At: c.Now(), Actor: "fault", Kind: trace.Fault, Object: trace.Ref{Kind: "Node", Name: target},
		Detail: trace.FaultChange{Fault: fault, Target: target}}
	if broken {
		c.faults = append(c.faults, Fault{fault, target, c.Now()})
	} else {
		step.Kind = trace.Healed
		c.faults = slices.Delete(c.faults, at, at+1)
	}
	before := c.trace.Because(c.trace.Add(step))
	defer c.trace.Because(before)
	if err := kind.set(c, target, broken); err != nil {
		return fmt.Errorf("%s %s: %w", fault, target, err)
	}
	return nil
}

// forgetFaults drops the faults of a target that is gone.
func (c *Cluster) forgetFaults(fault, target string) {
	c.faults = slices.DeleteFunc(c.faults, func(f Fault) bool { return f.Name == fault && f.Target == target })
}

// live shows what is true without being written: a healthy node's heartbeats. Its kubelet renews its Lease every
// 10 s, and reports its status every 5 min where nothing changes.
func (c *Cluster) live(o apiserver.Object) apiserver.Object {
	switch o := o.(type) {
	case *coordinationv1.Lease:
		if k := c.kubelets[o.Name]; k != nil && o.Namespace == corev1.NamespaceNodeLease && !k.Silent() {
			renewed := o.DeepCopy()
			at := metav1.NewMicroTime(k.Heartbeat(c.Now()))
			renewed.Spec.RenewTime = &at
			return renewed
		}
	case *corev1.Node:
		if k := c.kubelets[o.Name]; k != nil && !k.Silent() {
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
