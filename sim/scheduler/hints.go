package scheduler

import (
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	resourcehelper "k8s.io/component-helpers/resource"
)

// event is a change in the cluster that may make a waiting pod fit; as bits, so that
// a plugin can name several (Kubernetes 1.37 pkg/scheduler/framework/events.go).
type event uint16

const (
	nodeAdded event = 1 << iota
	nodeDeleted
	nodeLabels
	nodeTaints // and uncordoned
	nodeAllocatable
	podPlaced // a pod came to a node
	podGone   // and left it, or finished
	podLabels
	podScaledDown
	ownLabels // of the waiting pod itself
	ownTolerations
	ownGates // all gone
	ownScaledDown
	storageChanged // a claim, a volume or a class
)

// change is an event with its objects: of a node or of a pod, nil where there is none.
type change struct {
	event
	oldNode, node *v1.Node
	oldPod, pod   *v1.Pod
}

// interest is a plugin's interest in events. Worth says whether one may make fit a pod
// that the plugin has refused (a queueing hint); nil: it always may.
type interest struct {
	events event
	worth  func(*Snapshot, *podInfo, *change) bool
}

// worthTrying says whether a change may make the pod fit, going by the plugins that refused it.
func (c *cycle) worthTrying(e *entry, ch *change) bool {
	if e.rejectors == 0 {
		return !e.gated
	}
	for row := range c.profile {
		if !e.rejectors.has(row) || e.gated && row != rowGates {
			continue
		}
		for _, i := range c.profile[row].events {
			if i.events&ch.event != 0 && (i.worth == nil || i.worth(c.s, e.info, ch)) {
				return true
			}
		}
	}
	return false
}

func gateEvents() []interest { return []interest{{events: ownGates}} }

func nodeNameEvents() []interest { return []interest{{events: nodeAdded}} }

func unschedulableEvents() []interest {
	return []interest{
		{nodeAdded | nodeTaints, func(_ *Snapshot, _ *podInfo, ch *change) bool {
			return !ch.node.Spec.Unschedulable && (ch.oldNode == nil || ch.oldNode.Spec.Unschedulable)
		}},
		{ownTolerations, func(_ *Snapshot, p *podInfo, _ *change) bool {
			cordon := cordonTaint()
			return tolerated(p.pod.Spec.Tolerations, &cordon)
		}},
	}
}

func taintEvents() []interest {
	return []interest{
		{nodeAdded | nodeTaints, func(_ *Snapshot, p *podInfo, ch *change) bool {
			return untolerated(ch.node, p.pod) == nil && (ch.oldNode == nil || untolerated(ch.oldNode, p.pod) != nil)
		}},
		{events: ownTolerations},
	}
}

func nodeAffinityEvents() []interest {
	return []interest{{nodeAdded | nodeLabels, func(_ *Snapshot, p *podInfo, ch *change) bool {
		d := nodeDemandOf(p.pod)
		return d.matches(ch.node) && (ch.oldNode == nil || !d.matches(ch.oldNode))
	}}}
}

func portEvents() []interest {
	return []interest{
		{podGone, func(_ *Snapshot, p *podInfo, ch *change) bool { return portsClash(p.ports, hostPorts(ch.oldPod)) }},
		{events: nodeAdded},
	}
}

func fitEvents() []interest {
	return []interest{
		{events: podGone},
		{nodeAdded | nodeAllocatable, func(_ *Snapshot, p *podInfo, ch *change) bool {
			now := emptyNode(ch.node)
			if filterFit(&cycle{pod: p}, now).refused() {
				return false
			}
			return ch.oldNode == nil || grown(p, emptyNode(ch.oldNode), now)
		}},
		{podScaledDown, func(_ *Snapshot, p *podInfo, ch *change) bool { return shrunk(p, ch.oldPod, ch.pod) }},
		{events: ownScaledDown},
	}
}

func emptyNode(node *v1.Node) *nodeInfo {
	n := &nodeInfo{name: node.Name}
	n.set(node)
	return n
}

// grown says that a node has got more of something the pod asks for, or room for more pods.
func grown(p *podInfo, was, is *nodeInfo) bool {
	want, a, b := &p.demand.fit, &was.allocatable, &is.allocatable
	if b.pods > a.pods || want.milliCPU > 0 && b.milliCPU > a.milliCPU || want.memory > 0 && b.memory > a.memory ||
		want.storage > 0 && b.storage > a.storage {
		return true
	}
	return slices.ContainsFunc(want.scalarNames(), func(name v1.ResourceName) bool {
		return want.scalars[name] > 0 && b.scalars[name] > a.scalars[name]
	})
}

// shrunk says that a placed pod asks for less of something that this one asks for.
func shrunk(p *podInfo, was, is *v1.Pod) bool {
	before, after := demandOf(was).taken, demandOf(is).taken
	want := &p.demand.taken
	if want.milliCPU > 0 && before.milliCPU > after.milliCPU || want.memory > 0 && before.memory > after.memory ||
		want.storage > 0 && before.storage > after.storage {
		return true
	}
	return slices.ContainsFunc(want.scalarNames(), func(name v1.ResourceName) bool {
		return want.scalars[name] > 0 && before.scalars[name] > after.scalars[name]
	})
}

func spreadEvents() []interest {
	return []interest{
		{podPlaced | podLabels | podGone, func(s *Snapshot, p *podInfo, ch *change) bool {
			if other := ch.anyPod(); other.Namespace != p.pod.Namespace {
				return false
			}
			return slices.ContainsFunc(hardConstraints(s, p), func(k spreadConstraint) bool { return ch.concerns(k.selector) })
		}},
		{ownTolerations | ownLabels, func(s *Snapshot, p *podInfo, ch *change) bool {
			return slices.ContainsFunc(hardConstraints(s, p), func(k spreadConstraint) bool {
				return ch.event == ownTolerations && k.taints || ch.concerns(k.selector)
			})
		}},
		{nodeAdded | nodeDeleted | nodeLabels | nodeTaints, func(s *Snapshot, p *podInfo, ch *change) bool {
			list := hardConstraints(s, p)
			was, is := nodeHasKeys(ch.oldNode, list), nodeHasKeys(ch.node, list)
			if ch.oldNode == nil || ch.node == nil || was != is {
				return was || is
			}
			return is && (!equality.Semantic.DeepEqual(ch.oldNode.Spec.Taints, ch.node.Spec.Taints) ||
				slices.ContainsFunc(list, func(k spreadConstraint) bool { return ch.oldNode.Labels[k.key] != ch.node.Labels[k.key] }))
		}},
	}
}

func hardConstraints(s *Snapshot, p *podInfo) []spreadConstraint {
	c := &cycle{s: s, pod: p}
	return c.constraintsOf(nil, v1.DoNotSchedule)
}

func nodeHasKeys(node *v1.Node, list []spreadConstraint) bool {
	return node != nil && !slices.ContainsFunc(list, func(k spreadConstraint) bool {
		_, ok := node.Labels[k.key]
		return !ok
	})
}

// anyPod is the changed pod, as it is or was.
func (ch *change) anyPod() *v1.Pod {
	if ch.pod != nil {
		return ch.pod
	}
	return ch.oldPod
}

// concerns says that the pod that came, went or changed has come into the selector or out of it.
func (ch *change) concerns(s labels.Selector) bool {
	was := ch.oldPod != nil && s.Matches(labels.Set(ch.oldPod.Labels))
	is := ch.pod != nil && s.Matches(labels.Set(ch.pod.Labels))
	return was != is
}

func podAffinityEvents() []interest {
	return []interest{
		{podPlaced | podLabels | podGone, affinityOfPodMayFit},
		{events: ownLabels},
		{nodeAdded | nodeLabels, affinityOfNodeMayFit},
	}
}

func affinityOfPodMayFit(s *Snapshot, p *podInfo, ch *change) bool {
	c := &cycle{s: s, pod: p}
	wanted := func(pod *v1.Pod) bool { return pod != nil && c.matchesAll(&podInfo{pod: pod}) }
	shunned := func(pod *v1.Pod) bool {
		return pod != nil && slices.ContainsFunc(p.antiAffinity, func(t podTerm) bool { return c.matches(&t, &podInfo{pod: pod}) })
	}
	switch ch.event {
	case podGone:
		if shunned(ch.oldPod) {
			return true
		}
		_, anti := podTermsOf(ch.oldPod)
		return slices.ContainsFunc(anti, func(t podTerm) bool { return t.matches(p.pod, s.namespaces[p.pod.Namespace]) })
	case podPlaced:
		return wanted(ch.pod)
	}
	return !wanted(ch.oldPod) && wanted(ch.pod) || shunned(ch.oldPod) && !shunned(ch.pod)
}

func affinityOfNodeMayFit(_ *Snapshot, p *podInfo, ch *change) bool {
	for i := range p.affinity {
		is, has := ch.node.Labels[p.affinity[i].key]
		if ch.oldNode == nil && has {
			return true
		}
		if ch.oldNode != nil && has {
			if was, had := ch.oldNode.Labels[p.affinity[i].key]; !had || was != is {
				return true
			}
		}
	}
	for i := range p.antiAffinity {
		if ch.oldNode == nil {
			return true
		}
		is, has := ch.node.Labels[p.antiAffinity[i].key]
		if was, had := ch.oldNode.Labels[p.antiAffinity[i].key]; had && (!has || was != is) {
			return true
		}
	}
	return false
}

// nodeEvents are what a change of a node means to waiting pods.
func nodeEvents(old, node *v1.Node) []event {
	var list []event
	if old.Spec.Unschedulable && !node.Spec.Unschedulable {
		list = append(list, nodeTaints)
	}
	if !equality.Semantic.DeepEqual(old.Status.Allocatable, node.Status.Allocatable) {
		list = append(list, nodeAllocatable)
	}
	if !equality.Semantic.DeepEqual(old.Labels, node.Labels) {
		list = append(list, nodeLabels)
	}
	if !equality.Semantic.DeepEqual(old.Spec.Taints, node.Spec.Taints) {
		list = append(list, nodeTaints)
	}
	return list
}

// podEvents are what a change of a placed pod means to waiting ones.
func podEvents(old, pod *v1.Pod) []event {
	var list []event
	if !equality.Semantic.DeepEqual(old.Labels, pod.Labels) {
		list = append(list, podLabels)
	}
	if scaledDown(old, pod) {
		list = append(list, podScaledDown)
	}
	return list
}

// ownEvents are what a change of a waiting pod means to itself.
func ownEvents(old, pod *v1.Pod) []event {
	var list []event
	if !equality.Semantic.DeepEqual(old.Labels, pod.Labels) {
		list = append(list, ownLabels)
	}
	if scaledDown(old, pod) {
		list = append(list, ownScaledDown)
	}
	if len(old.Spec.SchedulingGates) > 0 && len(pod.Spec.SchedulingGates) == 0 {
		list = append(list, ownGates)
	}
	if len(old.Spec.Tolerations) != len(pod.Spec.Tolerations) {
		list = append(list, ownTolerations)
	}
	return list
}

// scaledDown says that a pod asks for less of something than before.
func scaledDown(old, pod *v1.Pod) bool {
	if old.Generation == pod.Generation && plainStatus(old) && plainStatus(pod) {
		return false // neither what it asks for nor what it was given has changed
	}
	status := resourcehelper.PodResourcesOptions{UseStatusResources: true, InPlacePodLevelResourcesVerticalScalingEnabled: true}
	after := resourcehelper.PodRequests(pod, status)
	for name, was := range resourcehelper.PodRequests(old, status) {
		if is, ok := after[name]; !ok || was.MilliValue() > is.MilliValue() {
			return true
		}
	}
	return false
}

// plainStatus says that the pod's status says nothing about resources but what the spec says: the pod takes up
// what it asks for, and no resize is on its way.
func plainStatus(pod *v1.Pod) bool {
	if pod.Status.Resources != nil || pod.Status.AllocatedResources != nil {
		return false
	}
	return plainStatuses(pod.Status.ContainerStatuses, pod.Spec.Containers) &&
		plainStatuses(pod.Status.InitContainerStatuses, pod.Spec.InitContainers)
}

func plainStatuses(statuses []v1.ContainerStatus, containers []v1.Container) bool {
	for i := range statuses {
		st := &statuses[i]
		if st.Resources == nil && st.AllocatedResources == nil {
			continue
		}
		at := 0
		for at < len(containers) && containers[at].Name != st.Name {
			at++
		}
		if at == len(containers) {
			return false
		}
		asked := containers[at].Resources.Requests
		if st.AllocatedResources != nil && !sameAmounts(st.AllocatedResources, asked) ||
			st.Resources != nil && st.Resources.Requests != nil && !sameAmounts(st.Resources.Requests, asked) {
			return false
		}
	}
	return true
}

func sameAmounts(a, b v1.ResourceList) bool {
	return maps.EqualFunc(a, b, func(x, y resource.Quantity) bool { return x.Cmp(y) == 0 })
}
