package scheduler

import v1 "k8s.io/api/core/v1"

// NodeName (Kubernetes 1.37 pkg/scheduler/framework/plugins/nodename).

func preFilterNodeName(c *cycle) (bool, refusal) { return c.pod.pod.Spec.NodeName != "", refusal{} }

func filterNodeName(c *cycle, n *nodeInfo) refusal {
	if want := c.pod.pod.Spec.NodeName; want != "" && want != n.name {
		return refusal{code: Unresolvable, reason: "node(s) didn't match the requested node name"}
	}
	return refusal{}
}

// NodeUnschedulable (Kubernetes 1.37 pkg/scheduler/framework/plugins/nodeunschedulable):
// a cordoned node, unless the pod tolerates the taint that goes with it.

func filterUnschedulable(c *cycle, n *nodeInfo) refusal {
	if n.cordoned {
		cordon := cordonTaint()
		if !tolerated(c.pod.pod.Spec.Tolerations, &cordon) {
			return refusal{code: Unresolvable, reason: "node(s) were unschedulable"}
		}
	}
	return refusal{}
}

func cordonTaint() v1.Taint {
	return v1.Taint{Key: v1.TaintNodeUnschedulable, Effect: v1.TaintEffectNoSchedule}
}

// TaintToleration (Kubernetes 1.37 pkg/scheduler/framework/plugins/tainttoleration).

func filterTaints(c *cycle, n *nodeInfo) refusal {
	if !n.untainted && untolerated(n.node, c.pod.pod) != nil {
		return refusal{code: Unresolvable, reason: "node(s) had untolerated taint(s)"}
	}
	return refusal{}
}

// untolerated is the first taint that keeps the pod away from the node; nil: none.
func untolerated(node *v1.Node, pod *v1.Pod) *v1.Taint {
	for i := range node.Spec.Taints {
		taint := &node.Spec.Taints[i]
		if (taint.Effect == v1.TaintEffectNoSchedule || taint.Effect == v1.TaintEffectNoExecute) &&
			!tolerated(pod.Spec.Tolerations, taint) {
			return taint
		}
	}
	return nil
}

func tolerated(tolerations []v1.Toleration, taint *v1.Taint) bool {
	for i := range tolerations {
		if tolerates(&tolerations[i], taint) {
			return true
		}
	}
	return false
}

// tolerates is k8s.io/api/core/v1's ToleratesTaint without the operators Lt and Gt, which
// are behind a feature gate that is off in 1.37.
func tolerates(t *v1.Toleration, taint *v1.Taint) bool {
	if t.Effect != "" && t.Effect != taint.Effect || t.Key != "" && t.Key != taint.Key {
		return false
	}
	switch t.Operator {
	case "", v1.TolerationOpEqual:
		return t.Value == taint.Value
	case v1.TolerationOpExists:
		return true
	}
	return false
}

// taintsInTheWay lists all taints that keep the pod away; the real scheduler stops at the first.
func taintsInTheWay(c *cycle, n *nodeInfo, v *NodeVerdict) {
	if len(v.Taints) > 0 {
		return // NodeUnschedulable and TaintToleration refuse for the same
	}
	pod, cordon := c.pod.pod, cordonTaint()
	if n.node.Spec.Unschedulable && !tolerated(pod.Spec.Tolerations, &cordon) {
		v.Taints = append(v.Taints, Taint{cordon.Key, cordon.Value, string(cordon.Effect)})
	}
	for i := range n.node.Spec.Taints {
		t := &n.node.Spec.Taints[i]
		if t.Effect == v1.TaintEffectPreferNoSchedule || tolerated(pod.Spec.Tolerations, t) {
			continue
		}
		if t.Key == cordon.Key && len(v.Taints) > 0 && v.Taints[0].Key == cordon.Key {
			continue // the taint that the cordon brings with it
		}
		v.Taints = append(v.Taints, Taint{t.Key, t.Value, string(t.Effect)})
	}
}

// scoreTaints counts the PreferNoSchedule taints that the pod does not tolerate.
func scoreTaints(c *cycle, n *nodeInfo) int64 {
	if n.untainted {
		return 0
	}
	var count int64
	for i := range n.node.Spec.Taints {
		if disliked(c.pod.pod, &n.node.Spec.Taints[i]) {
			count++
		}
	}
	return count
}

// disliked says that the pod would rather not be where the taint is.
func disliked(pod *v1.Pod, taint *v1.Taint) bool {
	return taint.Effect == v1.TaintEffectPreferNoSchedule && !tolerated(pod.Spec.Tolerations, taint)
}

// normalizeTaints is 100 − ⌊100·count/max⌋, and 100 where max is 0
// (Kubernetes 1.37 pkg/scheduler/framework/plugins/helper/normalize_score.go, reversed).
func normalizeTaints(_ *cycle, raw, to []int64) {
	most := largest(raw)
	for i, n := range raw {
		to[i] = maxScore
		if most > 0 {
			to[i] -= maxScore * n / most
		}
	}
}

func figuresTaints(c *cycle, i int, raw []int64, f []Figure) []Figure {
	taints := c.feasible[i].node.Spec.Taints
	for j := range taints {
		if disliked(c.pod.pod, &taints[j]) {
			f = append(f, Figure{Name: "taint", Of: taints[j].ToString(), Value: 1})
		}
	}
	return append(f, Figure{Name: "count", Value: raw[i]}, Figure{Name: "max", Value: largest(raw)})
}

// largest is the largest of the numbers, 0 at least.
func largest(list []int64) int64 {
	var most int64
	for _, n := range list {
		most = max(most, n)
	}
	return most
}
