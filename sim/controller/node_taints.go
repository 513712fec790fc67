package controller

import (
	"cmp"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/node/topology"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	evictionRate          = 0.1  // nodes tainted a second, in a zone that is well, or wholly lost
	secondaryEvictionRate = 0.01 // in a large zone that is partly lost; in a small one: none
	largeZone             = 50   // nodes; a zone with more is large
	unhealthyZone         = 0.55 // part of the nodes not ready that makes a zone partly lost, with more than 2 of them
	taintingPeriod        = 100 * time.Millisecond

	excludeFromDisruption = "node.kubernetes.io/exclude-disruption"
)

// conditionTaint is the taint that a condition's status stands for.
type conditionTaint struct {
	condition corev1.NodeConditionType
	status    corev1.ConditionStatus
	taint     string
}

func conditionTaints() []conditionTaint {
	return []conditionTaint{
		{corev1.NodeReady, corev1.ConditionFalse, corev1.TaintNodeNotReady},
		{corev1.NodeReady, corev1.ConditionUnknown, corev1.TaintNodeUnreachable},
		{corev1.NodeMemoryPressure, corev1.ConditionTrue, corev1.TaintNodeMemoryPressure},
		{corev1.NodeDiskPressure, corev1.ConditionTrue, corev1.TaintNodeDiskPressure},
		{corev1.NodeNetworkUnavailable, corev1.ConditionTrue, corev1.TaintNodeNetworkUnavailable},
		{corev1.NodePIDPressure, corev1.ConditionTrue, corev1.TaintNodePIDPressure},
	}
}

// followConditions brings a node's NoSchedule taints in line with its conditions and with cordon, and its old
// labels with the new ones (doNoScheduleTaintingPass, reconcileNodeLabels).
func (c *nodeLifecycle) followConditions(name string) error {
	node, ok := apiserver.Get[*corev1.Node](c.Client, "", name)
	if !ok {
		return nil
	}
	var add, remove []corev1.Taint
	sort := func(key string, wanted bool) {
		taint := corev1.Taint{Key: key, Effect: corev1.TaintEffectNoSchedule}
		switch has := hasTaint(node, taint); {
		case wanted && !has:
			add = append(add, taint)
		case !wanted && has:
			remove = append(remove, taint)
		}
	}
	for _, t := range conditionTaints() {
		condition := nodeCondition(node, t.condition)
		sort(t.taint, condition != nil && condition.Status == t.status)
	}
	sort(corev1.TaintNodeUnschedulable, node.Spec.Unschedulable)
	back := slices.ContainsFunc(remove, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeUnreachable })
	if back && nodeReady(node) == corev1.ConditionTrue {
		seen, grace := c.lastSeen(node)
		return c.step(trace.Step{
			Actor: nodeLifecycleController, Kind: trace.NodeBack, Object: refTo("Node", node),
			Detail: trace.NodeHealth{LastHeartbeat: seen, Grace: grace, Taints: taintNames(remove)},
		}, func() error { return c.changeTaints(node, add, remove) })
	}
	if err := c.changeTaints(node, add, remove); err != nil {
		return err
	}
	return c.followLabels(name)
}

// followLabels keeps the labels of before 1.14 for the operating system and the architecture.
func (c *nodeLifecycle) followLabels(name string) error {
	node, ok := apiserver.Get[*corev1.Node](c.Client, "", name)
	if !ok {
		return nil
	}
	labels := maps.Clone(node.Labels)
	for old, stable := range map[string]string{"beta.kubernetes.io/os": corev1.LabelOSStable, "beta.kubernetes.io/arch": corev1.LabelArchStable} {
		if v, ok := node.Labels[stable]; ok {
			labels[old] = v
		}
	}
	if maps.Equal(labels, node.Labels) {
		return nil
	}
	fresh := node.DeepCopy()
	fresh.Labels = labels
	_, err := c.Client.Update(fresh)
	return err
}

func noExecute(keys ...string) (taints []corev1.Taint) {
	for _, key := range keys {
		taints = append(taints, corev1.Taint{Key: key, Effect: corev1.TaintEffectNoExecute})
	}
	return taints
}

func hasTaint(node *corev1.Node, t corev1.Taint) bool {
	return slices.ContainsFunc(node.Spec.Taints, func(has corev1.Taint) bool { return has.MatchTaint(&t) })
}

func taintNames(taints []corev1.Taint) (names []string) {
	for _, t := range taints {
		names = append(names, t.Key+":"+string(t.Effect))
	}
	return names
}

// changeTaints writes a node's taints, if that changes them.
func (c *nodeLifecycle) changeTaints(node *corev1.Node, add, remove []corev1.Taint) error {
	taints := slices.DeleteFunc(slices.Clone(node.Spec.Taints), func(has corev1.Taint) bool {
		return slices.ContainsFunc(remove, func(t corev1.Taint) bool { return has.MatchTaint(&t) })
	})
	changed := len(taints) != len(node.Spec.Taints)
	now := c.now()
	for _, t := range add {
		if !hasTaint(node, t) {
			t.TimeAdded = &now
			taints, changed = append(taints, t), true
		}
	}
	if !changed {
		return nil
	}
	fresh := node.DeepCopy()
	fresh.Spec.Taints = taints
	_, err := c.Client.Update(fresh)
	return err
}

// zoneHealth counts a zone's nodes.
type zoneHealth struct{ ready, lost int }

type zoneHealths map[string]zoneHealth

// zones counts the nodes of each zone that count for disruption.
func (c *nodeLifecycle) zones() zoneHealths {
	zones := zoneHealths{}
	for node := range apiserver.List[*corev1.Node](c.Client, "") {
		if _, ok := node.Labels[excludeFromDisruption]; ok {
			continue
		}
		key := topology.GetZoneKey(node)
		z := zones[key]
		if nodeReady(node) == corev1.ConditionTrue {
			z.ready++
		} else {
			z.lost++
		}
		zones[key] = z
	}
	return zones
}

// allLost says whether no node of any zone is ready. Then it is rather the control plane that is cut off, and
// nothing is evicted.
func (zones zoneHealths) allLost() bool {
	for _, z := range zones {
		if z.ready > 0 {
			return false
		}
	}
	return len(zones) > 0
}

// rate is how many nodes of a zone may be tainted NoExecute in a second (ComputeZoneState, setLimiterInZone).
func (z zoneHealth) rate() float64 {
	partly := z.ready > 0 && z.lost > 2 && float64(z.lost)/float64(z.lost+z.ready) >= unhealthyZone
	switch {
	case !partly:
		return evictionRate
	case z.lost+z.ready > largeZone:
		return secondaryEvictionRate
	}
	return 0
}

// wantedTaint is the NoExecute taint that a node which is not ready is to have, and the one it is not to.
func wantedTaint(node *corev1.Node) (wanted, opposite []corev1.Taint) {
	switch nodeReady(node) {
	case corev1.ConditionFalse:
		return noExecute(corev1.TaintNodeNotReady), noExecute(corev1.TaintNodeUnreachable)
	case corev1.ConditionUnknown:
		return noExecute(corev1.TaintNodeUnreachable), noExecute(corev1.TaintNodeNotReady)
	}
	return nil, nil
}

// askForTaint puts a node in line for its NoExecute taint; one that has the opposite one gets it at once
// (processTaintBaseEviction).
func (c *nodeLifecycle) askForTaint(node *corev1.Node, zones zoneHealths) error {
	wanted, opposite := wantedTaint(node)
	if wanted == nil || hasTaint(node, wanted[0]) {
		return nil
	}
	if hasTaint(node, opposite[0]) {
		return c.changeTaints(node, wanted, opposite)
	}
	zone := topology.GetZoneKey(node)
	if key := "zone/" + zone; zones[zone].rate() > 0 && !c.Queue.Has(key) {
		c.Queue.Add(key, taintingPeriod)
	}
	return nil
}

// taintOne taints the node of a zone that has waited longest, and lets the next wait as the rate demands. The
// key stays in the queue for that time even if nobody waits: it is the limiter's empty bucket.
func (c *nodeLifecycle) taintOne(zone string) error {
	zones := c.zones()
	rate := zones[zone].rate()
	if zones.allLost() || rate == 0 {
		return nil
	}
	var waiting []*corev1.Node
	for node := range apiserver.List[*corev1.Node](c.Client, "") {
		if wanted, _ := wantedTaint(node); wanted != nil && topology.GetZoneKey(node) == zone && !hasTaint(node, wanted[0]) {
			waiting = append(waiting, node)
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	node := slices.MinFunc(waiting, func(a, b *corev1.Node) int {
		x, y := nodeCondition(a, corev1.NodeReady).LastTransitionTime, nodeCondition(b, corev1.NodeReady).LastTransitionTime
		return cmp.Or(x.Compare(y.Time), cmp.Compare(a.Name, b.Name))
	})
	wanted, opposite := wantedTaint(node)
	err := c.decided(nodeLifecycleController, refTo("Node", node), trace.Decision{
		What: Taint, Count: 1, Actual: int64(len(waiting)), Target: refTo("Node", node), Note: taintNames(wanted)[0],
	}, func() error { return c.changeTaints(node, wanted, opposite) })
	if err == nil {
		c.Queue.Add("zone/"+zone, time.Duration(float64(time.Second)/rate))
	}
	return err
}
