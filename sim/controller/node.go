package controller

import (
	"cmp"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	nodeLifecycleController = "node-controller"

	heartbeat    = 10 * time.Second // between two of a kubelet that is well
	startupGrace = 60 * time.Second // for a node that never had one
)

// NodeMonitor is how nodes are watched over. A zero is kube-controller-manager's default.
type NodeMonitor struct {
	Period time.Duration // --node-monitor-period, between two looks at all nodes; 5 s
	Grace  time.Duration // --node-monitor-grace-period, without a heartbeat until a node is lost; 50 s
}

func (m NodeMonitor) period() time.Duration { return cmp.Or(m.Period, 5*time.Second) }
func (m NodeMonitor) grace() time.Duration  { return cmp.Or(m.Grace, 50*time.Second) }

// nodeLifecycle turns the silence of a kubelet into conditions and taints (pkg/controller/nodelifecycle).
// It sleeps while all is well: a Lease is written when a kubelet falls silent or comes back, and that sets
// the timer of the grace period.
//
// Its keys: node/NAME (taints that follow from conditions), lease/NAME (the grace period is over), monitor
// (a look at all nodes), zone/ZONE (one more node of the zone may be tainted NoExecute), pod/NAMESPACE/NAME
// (placed on a node that is not ready), registered/NAME and removed/NAME/UID (a node came, went).
type nodeLifecycle struct{ Env }

func newNodeLifecycle(env Env) Component { return &nodeLifecycle{env} }

func (c *nodeLifecycle) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *coordinationv1.Lease:
		if o.Namespace == corev1.NamespaceNodeLease && e.Type != watch.Deleted && o.Spec.RenewTime != nil {
			c.setGraceTimer(o.Name, o.Spec.RenewTime.Add(c.Nodes.grace()))
		}
	case *corev1.Node:
		c.observeNode(e, o)
	case *corev1.Pod:
		if e.Type == watch.Deleted || o.Spec.NodeName == "" || e.Old != nil && e.Old.(*corev1.Pod).Spec.NodeName != "" {
			return
		}
		if node, ok := apiserver.Get[*corev1.Node](c.Client, "", o.Spec.NodeName); ok && nodeReady(node) != corev1.ConditionTrue {
			c.soon("pod/" + keyOf(o))
		}
	}
}

func (c *nodeLifecycle) observeNode(e apiserver.Event, node *corev1.Node) {
	switch e.Type {
	case watch.Added:
		c.Queue.Add("registered/"+node.Name, c.untilTick())
		c.setGraceTimer(node.Name, c.deadline(node))
	case watch.Deleted:
		c.Queue.Cancel("lease/" + node.Name)
		c.Queue.Add("removed/"+node.Name+"/"+string(node.UID), c.untilTick())
		return
	default:
		old := e.Old.(*corev1.Node)
		if equality.Semantic.DeepEqual(old.Spec, node.Spec) && equality.Semantic.DeepEqual(old.Labels, node.Labels) && sameConditions(old, node) {
			return
		}
	}
	c.soon("node/" + node.Name)
	c.Queue.Add("monitor", c.untilTick())
}

// sameConditions compares the conditions of two states of a node, but for their moments.
func sameConditions(a, b *corev1.Node) bool {
	return slices.EqualFunc(a.Status.Conditions, b.Status.Conditions, func(x, y corev1.NodeCondition) bool {
		return x.Type == y.Type && x.Status == y.Status
	})
}

// untilTick is how long until the next of the looks at all nodes, which are a period apart.
func (c *nodeLifecycle) untilTick() time.Duration {
	now := c.Queue.Now()
	return now.Truncate(c.Nodes.period()).Add(c.Nodes.period()).Sub(now)
}

// setGraceTimer looks at a node when its grace period ends. The latest Lease counts: should the kubelet be
// well, that look will find later heartbeats, and be the last.
func (c *nodeLifecycle) setGraceTimer(node string, at time.Time) {
	key := "lease/" + node
	c.Queue.Cancel(key)
	c.Queue.Add(key, max(apiserver.WatchLatency, at.Sub(c.Queue.Now())))
}

// graceOver is called when the grace period of a node's latest Lease has ended. If the node has been heard of
// since, but is silent now, it has a later deadline; if it is well, there is nothing to do until its next Lease.
func (c *nodeLifecycle) graceOver(name string) error {
	node, ok := apiserver.Get[*corev1.Node](c.Client, "", name)
	if !ok {
		return nil
	}
	seen, grace := c.lastSeen(node)
	now := c.Queue.Now()
	switch {
	case !now.Before(seen.Add(grace)):
		return c.monitor()
	case now.Sub(seen) > heartbeat:
		c.setGraceTimer(name, seen.Add(grace))
	}
	return nil
}

func (c *nodeLifecycle) deadline(node *corev1.Node) time.Time {
	seen, grace := c.lastSeen(node)
	return seen.Add(grace)
}

func (c *nodeLifecycle) Resync() {
	for node := range apiserver.List[*corev1.Node](c.Client, "") {
		c.soon("node/" + node.Name)
		if live, ok := apiserver.Get[*corev1.Node](c.Client, "", node.Name); ok {
			c.setGraceTimer(node.Name, c.deadline(live))
		}
	}
	c.Queue.Add("monitor", c.untilTick())
}

func (c *nodeLifecycle) Sync(key string) error {
	what, name, _ := strings.Cut(key, "/")
	switch what {
	case "node":
		return c.followConditions(name)
	case "lease":
		return c.graceOver(name)
	case "monitor":
		return c.monitor()
	case "zone":
		return c.taintOne(name)
	case "pod":
		if pod, ok := apiserver.Get[*corev1.Pod](c.Client, first(splitKey(name)), second(splitKey(name))); ok {
			if node, ok := apiserver.Get[*corev1.Node](c.Client, "", pod.Spec.NodeName); ok && nodeReady(node) != corev1.ConditionTrue {
				return c.markPodNotReady(pod)
			}
		}
	case "registered":
		if node, ok := apiserver.Get[*corev1.Node](c.Client, "", name); ok {
			c.Client.Emit(node, corev1.EventTypeNormal, "RegisteredNode", "Node "+name+" event: Registered Node "+name+" in Controller")
		}
	case "removed":
		name, uid := splitKey(name)
		node := &corev1.Node{}
		node.Name, node.UID = name, types.UID(uid)
		c.Client.Emit(node, corev1.EventTypeNormal, "RemovingNode", "Node "+name+" event: Removing Node "+name+" from Controller")
	}
	return nil
}

// nodeCondition is a node's condition of a type, or nil.
func nodeCondition(node *corev1.Node, t corev1.NodeConditionType) *corev1.NodeCondition {
	for i := range node.Status.Conditions {
		if node.Status.Conditions[i].Type == t {
			return &node.Status.Conditions[i]
		}
	}
	return nil
}

// nodeReady is the status of a node's Ready condition; "" where it has none.
func nodeReady(node *corev1.Node) corev1.ConditionStatus {
	if c := nodeCondition(node, corev1.NodeReady); c != nil {
		return c.Status
	}
	return ""
}

// lastSeen is when a node's kubelet last gave a sign, by its Lease or its status, and how long it may be silent. The
// real controller goes by its own clock, and by what it has seen itself: one that has just begun has seen all nodes now.
func (c *nodeLifecycle) lastSeen(node *corev1.Node) (time.Time, time.Duration) {
	seen, grace := node.CreationTimestamp.Time, startupGrace
	if ready := nodeCondition(node, corev1.NodeReady); ready != nil {
		grace = c.Nodes.grace()
		if ready.LastHeartbeatTime.After(seen) {
			seen = ready.LastHeartbeatTime.Time
		}
	}
	lease, ok := apiserver.Live[*coordinationv1.Lease](c.Client, corev1.NamespaceNodeLease, node.Name)
	if ok && lease.Spec.RenewTime != nil && lease.Spec.RenewTime.After(seen) {
		seen = lease.Spec.RenewTime.Time
	}
	if began := c.began(); began.After(seen) {
		seen = began
	}
	return seen, grace
}

// began is when this controller manager took its Lease, and began to work.
func (c *nodeLifecycle) began() time.Time {
	l, ok := apiserver.Get[*coordinationv1.Lease](c.Client, metav1.NamespaceSystem, "kube-controller-manager")
	if !ok || l.Spec.AcquireTime == nil {
		return time.Time{}
	}
	return l.Spec.AcquireTime.Time
}

// monitor looks at all nodes: those silent for too long become Unknown, taints are asked for or removed
// (monitorNodeHealth).
func (c *nodeLifecycle) monitor() error {
	lost := map[string]uint64{} // node → the step that said so
	for node := range apiserver.List[*corev1.Node](c.Client, "") {
		step, err := c.checkHealth(node.Name)
		if err != nil {
			return err
		}
		lost[node.Name] = step
	}
	zones := c.zones()
	for node := range apiserver.List[*corev1.Node](c.Client, "") {
		before := c.Trace.Cause()
		if step := lost[node.Name]; step != 0 {
			c.Trace.Because(step)
		}
		err := c.act(node, zones)
		c.Trace.Because(before)
		if err != nil {
			return err
		}
	}
	return nil
}

// act does what a node's health asks for: taints, and pods that count as not ready.
func (c *nodeLifecycle) act(node *corev1.Node, zones zoneHealths) error {
	ready := nodeReady(node)
	if zones.allLost() || ready == corev1.ConditionTrue {
		if err := c.changeTaints(node, nil, noExecute(corev1.TaintNodeUnreachable, corev1.TaintNodeNotReady)); err != nil {
			return err
		}
	} else if err := c.askForTaint(node, zones); err != nil {
		return err
	}
	if ready == corev1.ConditionUnknown {
		return c.markPodsNotReady(node)
	}
	return nil
}

// checkHealth makes a node Unknown whose grace period is over (tryUpdateNodeHealth). It returns the step that
// tells so, or 0.
func (c *nodeLifecycle) checkHealth(name string) (step uint64, _ error) {
	node, ok := apiserver.Get[*corev1.Node](c.Client, "", name)
	if !ok {
		return 0, nil
	}
	seen, grace := c.lastSeen(node)
	if c.Queue.Now().Before(seen.Add(grace)) || nodeReady(node) == corev1.ConditionUnknown {
		return 0, nil
	}
	lost := node.DeepCopy()
	for _, t := range []corev1.NodeConditionType{corev1.NodeReady, corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure} {
		loseCondition(lost, t, c.now())
	}
	was := nodeReady(node)
	err := c.step(trace.Step{
		Actor: nodeLifecycleController, Kind: trace.NodeLost, Object: refTo("Node", node),
		Detail: trace.NodeHealth{LastHeartbeat: seen, Grace: grace, Taints: []string{corev1.TaintNodeUnreachable + ":NoSchedule"}},
	}, func() error {
		step = c.Trace.Cause()
		if _, err := c.Client.UpdateStatus(lost); err != nil {
			return err
		}
		if was == corev1.ConditionTrue {
			c.Client.Emit(node, corev1.EventTypeNormal, "NodeNotReady", "Node "+name+" status is now: NodeNotReady")
		}
		return nil
	})
	return step, err
}

// loseCondition makes one condition Unknown.
func loseCondition(node *corev1.Node, t corev1.NodeConditionType, now metav1.Time) {
	c := nodeCondition(node, t)
	switch {
	case c == nil:
		node.Status.Conditions = append(node.Status.Conditions, corev1.NodeCondition{
			Type: t, Status: corev1.ConditionUnknown, Reason: "NodeStatusNeverUpdated", Message: "Kubelet never posted node status.",
			LastHeartbeatTime: node.CreationTimestamp, LastTransitionTime: now,
		})
	case c.Status != corev1.ConditionUnknown:
		c.Status, c.Reason, c.Message, c.LastTransitionTime =
			corev1.ConditionUnknown, "NodeStatusUnknown", "Kubelet stopped posting node status.", now
	}
}

// markPodsNotReady takes a lost node's pods out of the endpoints. They may well still run.
func (c *nodeLifecycle) markPodsNotReady(node *corev1.Node) error {
	var failed error
	for pod := range apiserver.PodsOn(c.Client, node.Name) {
		if err := c.markPodNotReady(pod); err != nil {
			failed = err
		}
	}
	return failed
}

func (c *nodeLifecycle) markPodNotReady(pod *corev1.Pod) error {
	if !podReady(pod) {
		return nil
	}
	marked := pod.DeepCopy()
	ready := *podCondition(&marked.Status, corev1.PodReady)
	ready.Status = corev1.ConditionFalse
	setPodCondition(&marked.Status, ready, c.now())
	_, err := c.Client.UpdateStatus(marked)
	if err == nil {
		c.Client.Emit(pod, corev1.EventTypeWarning, "NodeNotReady", "Node is not ready")
	}
	return gone(err)
}
