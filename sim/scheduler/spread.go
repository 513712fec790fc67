package scheduler

import (
	"maps"
	"math"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// PodTopologySpread, the filter (Kubernetes 1.37
// pkg/scheduler/framework/plugins/podtopologyspread/filtering.go): constraints that say DoNotSchedule.

// spreadConstraint is a constraint with its selector read and its pods counted.
type spreadConstraint struct {
	key        string
	maxSkew    int64
	minDomains int64
	selector   labels.Selector
	self       int64 // 1 if the pod itself counts
	affinity   bool  // only nodes that meet the pod's node affinity count
	taints     bool  // only nodes whose taints the pod tolerates count

	domains  *topology
	counts   []int64 // by domain
	eligible []bool  // by domain: some node counts
	number   int64   // of eligible domains
	least    int64   // in the emptiest eligible domain

	factor float64 // of scores: ln(domains + 2)
	perPod []int32 // of scores by hostname: pods by node position
}

// constraintsOf are the pod's own constraints of one kind.
func (c *cycle) constraintsOf(to []spreadConstraint, action v1.UnsatisfiableConstraintAction) []spreadConstraint {
	pod := c.pod.pod
	for i := range pod.Spec.TopologySpreadConstraints {
		t := &pod.Spec.TopologySpreadConstraints[i]
		if t.WhenUnsatisfiable != action {
			continue
		}
		k := spreadConstraint{key: t.TopologyKey, maxSkew: int64(t.MaxSkew), minDomains: 1, affinity: true,
			selector: withLabelKeys(selectorOf(t.LabelSelector), t.MatchLabelKeys, pod.Labels)}
		if t.MinDomains != nil {
			k.minDomains = int64(*t.MinDomains)
		}
		if t.NodeAffinityPolicy != nil {
			k.affinity = *t.NodeAffinityPolicy == v1.NodeInclusionPolicyHonor
		}
		if t.NodeTaintsPolicy != nil {
			k.taints = *t.NodeTaintsPolicy == v1.NodeInclusionPolicyHonor
		}
		if k.selector.Matches(labels.Set(pod.Labels)) {
			k.self = 1
		}
		to = append(to, k)
	}
	return to
}

// withLabelKeys narrows a selector to pods with the same values of these labels.
func withLabelKeys(s labels.Selector, keys []string, of map[string]string) labels.Selector {
	same := labels.Set{}
	for _, key := range keys {
		if value, ok := of[key]; ok {
			same[key] = value
		}
	}
	requirements, selectable := s.Requirements()
	if len(same) == 0 || !selectable {
		return s
	}
	return labels.SelectorFromSet(same).Add(requirements...)
}

// includes says that the node counts for the constraint.
func (k *spreadConstraint) includes(c *cycle, n *nodeInfo) bool {
	return (!k.affinity || c.demand.matches(n.node)) &&
		(!k.taints || n.untainted || untolerated(n.node, c.pod.pod) == nil)
}

func preFilterSpread(c *cycle) (bool, refusal) {
	c.hard = c.constraintsOf(c.hard[:0], v1.DoNotSchedule)
	if len(c.hard) == 0 {
		return false, refusal{}
	}
	for i := range c.hard {
		k := &c.hard[i]
		k.domains = c.s.topology(k.key)
		k.counts, k.eligible = make([]int64, len(k.domains.values)), make([]bool, len(k.domains.values))
	}
	for i := range c.hard {
		k := &c.hard[i]
		pods := c.s.count(c.pod.pod.Namespace, k.selector)
		for pos, n := range c.s.nodes {
			if !hasKeys(c.hard, pos) || !k.includes(c, n) {
				continue
			}
			domain := k.domains.domain[pos]
			if !k.eligible[domain] {
				k.eligible[domain] = true
				k.number++
			}
			k.counts[domain] += int64(pods[pos])
		}
		k.refresh()
	}
	return true, refusal{}
}

// hasKeys says that a node has the topology keys of all constraints; others do not count.
func hasKeys(list []spreadConstraint, pos int) bool {
	for i := range list {
		if !list[i].domains.has[pos] {
			return false
		}
	}
	return true
}

// refresh finds the emptiest domain again. With fewer domains than wanted it counts as empty.
func (k *spreadConstraint) refresh() {
	if k.number < k.minDomains {
		k.least = 0
		return
	}
	k.least = math.MaxInt32
	for domain, eligible := range k.eligible {
		if eligible {
			k.least = min(k.least, k.counts[domain])
		}
	}
}

// filterSpread refuses a node where matching + self − least > maxSkew.
func filterSpread(c *cycle, n *nodeInfo) refusal {
	for i := range c.hard {
		k := &c.hard[i]
		if !k.domains.has[n.pos] {
			return refusal{code: Unresolvable, reason: "node(s) didn't match pod topology spread constraints (missing required label)"}
		}
		if k.counts[k.domains.domain[n.pos]]+k.self-k.least > k.maxSkew {
			return refusal{code: Resolvable, reason: "node(s) didn't match pod topology spread constraints"}
		}
	}
	return refusal{}
}

// updateSpread counts a pod that comes or goes while things are tried out. Unlike
// the first count it counts pods on their way out too, as the real one (updateWithPod).
func updateSpread(c *cycle, p *podInfo, n *nodeInfo, sign int64) {
	if p.pod.Namespace != c.pod.pod.Namespace || !hasKeys(c.hard, n.pos) {
		return
	}
	for i := range c.hard {
		k := &c.hard[i]
		if k.selector.Matches(labels.Set(p.pod.Labels)) && k.includes(c, n) {
			k.counts[k.domains.domain[n.pos]] += sign
			k.refresh()
		}
	}
}

func spreadInTheWay(c *cycle, n *nodeInfo, v *NodeVerdict) {
	for i := range c.hard {
		k := &c.hard[i]
		domain := k.domains.domain[n.pos]
		s := Spread{TopologyKey: k.key, MaxSkew: k.maxSkew, Self: k.self, Domains: k.number, MinDomains: k.minDomains}
		if !k.domains.has[n.pos] {
			s.Absent = true
		} else if k.counts[domain]+k.self-k.least > k.maxSkew {
			s.Domain, s.Matching, s.Min = k.domains.values[domain], k.counts[domain], k.least
		} else {
			continue
		}
		v.Spread = append(v.Spread, s)
	}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
