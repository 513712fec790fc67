package scheduler

import (
	"math"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// PodTopologySpread, the score (Kubernetes 1.37
// pkg/scheduler/framework/plugins/podtopologyspread/scoring.go): constraints that
// say ScheduleAnyway, or, for a pod without any constraint, the built-in ones.

// defaultConstraints spread the pods of a Service, ReplicaSet, StatefulSet or
// ReplicationController over nodes and zones; nil for others.
func (c *cycle) defaultConstraints(to []spreadConstraint) []spreadConstraint {
	selector, ok := c.s.defaultSelector(c.pod.pod)
	if !ok {
		return to
	}
	return append(to,
		spreadConstraint{key: v1.LabelHostname, maxSkew: 3, selector: selector, affinity: true},
		spreadConstraint{key: v1.LabelTopologyZone, maxSkew: 5, selector: selector, affinity: true})
}

// defaultSelector is what the Services that select the pod and its controller
// select together (Kubernetes 1.37
// pkg/scheduler/framework/plugins/helper/spread.go); false: nothing selects it.
func (s *Snapshot) defaultSelector(pod *v1.Pod) (labels.Selector, bool) {
	var set labels.Set
	for _, service := range s.services[pod.Namespace] { // in any order: they agree, as all match the pod
		if service.Spec.Selector == nil || !subset(service.Spec.Selector, pod.Labels) {
			continue
		}
		if set == nil {
			set = labels.Set{}
		}
		for key, value := range service.Spec.Selector {
			set[key] = value
		}
	}
	controller, ok := s.controllerOf(pod)
	if !ok {
		if len(set) == 0 {
			return nil, false
		}
		return set.AsSelector(), true
	}
	requirements, _ := controller.Requirements()
	if len(set) == 0 {
		return controller, len(requirements) > 0
	}
	return set.AsSelector().Add(requirements...), true
}

func subset(of, m map[string]string) bool {
	for key, want := range of {
		if has, ok := m[key]; !ok || has != want {
			return false
		}
	}
	return true
}

// preScoreSpread counts pods by domain over the whole cluster, and domains over the feasible nodes.
func preScoreSpread(c *cycle) bool {
	own := len(c.pod.pod.Spec.TopologySpreadConstraints) > 0
	if own {
		c.soft = c.constraintsOf(c.soft[:0], v1.ScheduleAnyway)
	} else {
		c.soft = c.defaultConstraints(c.soft[:0])
	}
	if len(c.soft) == 0 {
		return false
	}
	for i := range c.soft {
		c.soft[i].domains = c.s.topology(c.soft[i].key)
	}
	// A node that lacks a key of the pod's own constraints is not scored; built-in ones are less strict.
	ignored := 0
	c.ignored = c.ignored[:0]
	for _, n := range c.feasible {
		lacks := own && !hasKeys(c.soft, n.pos)
		c.ignored = append(c.ignored, lacks)
		if lacks {
			ignored++
		}
	}
	c.ownSoft = own
	for i := range c.soft {
		c.countSoft(&c.soft[i], own, int64(len(c.feasible)-ignored))
	}
	return true
}

func (c *cycle) countSoft(k *spreadConstraint, own bool, scored int64) {
	pods := c.s.count(c.pod.pod.Namespace, k.selector)
	if k.key == v1.LabelHostname { // counted by node
		k.perPod, k.number = pods, scored
		k.factor = math.Log(float64(k.number + 2))
		return
	}
	k.counts, k.eligible = make([]int64, len(k.domains.values)), make([]bool, len(k.domains.values))
	for i, n := range c.feasible {
		if domain := k.domains.domain[n.pos]; !c.ignored[i] && !k.eligible[domain] {
			k.eligible[domain] = true
			k.number++
		}
	}
	k.factor = math.Log(float64(k.number + 2))
	everywhere := c.demand.none() && !k.taints
	for pos, n := range c.s.nodes {
		if pods[pos] == 0 || own && !hasKeys(c.soft, pos) {
			continue
		}
		if domain := k.domains.domain[pos]; k.eligible[domain] && (everywhere || k.includes(c, n)) {
			k.counts[domain] += int64(pods[pos])
		}
	}
}

// scoreSpread is the rounded sum over the constraints of matching·ln(domains + 2) + (maxSkew − 1);
// the fewer the better. A domain with maxSkew 5 may have more pods before it shows.
func scoreSpread(c *cycle, n *nodeInfo) int64 {
	if c.ownSoft && !hasKeys(c.soft, n.pos) {
		return 0
	}
	var sum float64
	for i := range c.soft {
		k := &c.soft[i]
		if k.domains.has[n.pos] {
			sum += k.result(n)
		}
	}
	return int64(math.Round(sum))
}

func (k *spreadConstraint) matching(n *nodeInfo) int64 {
	if k.key == v1.LabelHostname {
		return int64(k.perPod[n.pos])
	}
	return k.counts[k.domains.domain[n.pos]]
}

func (k *spreadConstraint) result(n *nodeInfo) float64 {
	weighted := float64(k.matching(n)) * k.factor // a step of its own, so that no machine fuses it with the sum
	return float64(weighted) + float64(k.maxSkew-1)
}

// normalizeSpread is ⌊100·(max + min − sum)/max⌋, 100 where max is 0, and 0 for nodes that lack a key.
func normalizeSpread(c *cycle, raw, to []int64) {
	least, most := c.spreadBounds(raw)
	for i, sum := range raw {
		switch {
		case c.ignored[i]:
			to[i] = 0
		case most == 0:
			to[i] = maxScore
		default:
			to[i] = maxScore * (most + least - sum) / most
		}
	}
}

func (c *cycle) spreadBounds(raw []int64) (least, most int64) {
	least = math.MaxInt64
	for i, sum := range raw {
		if !c.ignored[i] {
			least, most = min(least, sum), max(most, sum)
		}
	}
	return least, most
}

func figuresSpread(c *cycle, i int, raw []int64, f []Figure) []Figure {
	if c.ignored[i] {
		return append(f, Figure{Name: "ignored", Value: 1})
	}
	n := c.feasible[i]
	for j := range c.soft {
		k := &c.soft[j]
		if !k.domains.has[n.pos] {
			continue
		}
		f = append(f, Figure{Name: "domains", Of: k.key, Value: k.number}, Figure{Name: "factor", Of: k.key, Ratio: k.factor},
			Figure{Name: "matching", Of: k.key, Value: k.matching(n)}, Figure{Name: "max-skew", Of: k.key, Value: k.maxSkew},
			Figure{Name: "result", Of: k.key, Ratio: k.result(n)})
	}
	least, most := c.spreadBounds(raw)
	return append(f, Figure{Name: "sum", Value: raw[i]}, Figure{Name: "min", Value: least}, Figure{Name: "max", Value: most})
}
