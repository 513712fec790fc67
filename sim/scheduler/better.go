package scheduler

import (
	"cmp"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// How many pods and images are tried one by one to raise a node's score, and how many better nodes may be cordoned.
const (
	freedForScore  = 4
	cordonedAtMost = 3
)

// waysToScore are for a node that fits while others score higher: what may raise its score, what takes the others out of
// the choice, and what leaves the pod no choice.
func (c *cycle) waysToScore(i int) [][]Change {
	n := c.feasible[i]
	ways := c.waysPastDislikes(n)
	ways = append(ways, c.waysToPreferences(n)...)
	ways = append(ways, c.waysToImages(n)...)
	ways = append(ways, c.waysToEmptier(n)...)
	if name, ok := n.label(v1.LabelHostname); ok {
		ways = append(ways, []Change{{Kind: Select, Key: v1.LabelHostname, Value: name}})
	}
	if len(c.best) <= cordonedAtMost {
		var others []Change
		for _, j := range c.best {
			others = append(others, Change{Kind: Cordon, Node: c.feasible[j].name})
		}
		slices.SortFunc(others, func(a, b Change) int { return cmp.Compare(a.Node, b.Node) })
		ways = append(ways, others)
	}
	return ways
}

func (c *cycle) waysPastDislikes(n *nodeInfo) [][]Change {
	for i := range n.node.Spec.Taints {
		if t := &n.node.Spec.Taints[i]; disliked(c.pod.pod, t) {
			return [][]Change{
				{{Kind: Untaint, Node: n.name, Key: t.Key, Value: t.Value, Effect: string(t.Effect)}},
				{{Kind: Tolerate, Key: t.Key, Value: t.Value, Effect: string(t.Effect)}},
			}
		}
	}
	return nil
}

// waysToPreferences has the node meet a preference that it does not, for each.
func (c *cycle) waysToPreferences(n *nodeInfo) [][]Change {
	if !c.scorers.has(rowNodeAffinity) {
		return nil
	}
	var ways [][]Change
	list := c.pod.pod.Spec.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	for i := range c.preferences {
		t := &c.preferences[i]
		if t.broken || len(t.fields) > 0 || t.matches(n.node) {
			continue
		}
		var set []Change
		for j, e := range list[t.index].Preference.MatchExpressions {
			if t.labels[j].Matches(labels.Set(n.node.Labels)) {
				continue
			}
			label, ok := relabel(n, Term{Key: e.Key, Operator: string(e.Operator), Values: e.Values})
			if !ok {
				set = nil
				break
			}
			set = append(set, label)
		}
		if len(set) > 0 {
			ways = append(ways, set)
		}
	}
	return ways
}

// waysToImages has the node know an image of the pod's that others know, with the size it has there.
func (c *cycle) waysToImages(n *nodeInfo) [][]Change {
	if !c.scorers.has(rowImages) {
		return nil
	}
	var ways [][]Change
	for _, name := range c.images {
		if _, ok := n.images[name]; ok {
			continue
		}
		for _, other := range c.s.nodes {
			if size := other.images[name]; size > 0 {
				ways = append(ways, []Change{{Kind: Image, Node: n.name, Key: name, To: size}})
				break
			}
		}
	}
	return ways
}

// waysToEmptier has one of the node's pods go: of those that take most, and of those that the pod would be spread over.
func (c *cycle) waysToEmptier(n *nodeInfo) [][]Change {
	pods := removable(n)
	counted := func(p *podInfo) bool {
		return c.scorers.has(rowSpread) && slices.ContainsFunc(c.soft, func(k spreadConstraint) bool { return c.counts(&k, p) })
	}
	share := func(p *podInfo) int64 {
		return p.demand.nonzero.milliCPU*1000/max(1, n.allocatable.milliCPU) + p.demand.nonzero.memory*1000/max(1, n.allocatable.memory)
	}
	slices.SortFunc(pods, func(a, b *podInfo) int {
		return cmp.Or(cmp.Compare(leaving(b), leaving(a)), cmp.Compare(share(b), share(a)), byName(a, b))
	})
	var ways [][]Change
	for _, p := range pods[:min(freedForScore, len(pods))] {
		ways = append(ways, freed(n, p))
	}
	for _, p := range pods[min(freedForScore, len(pods)):] {
		if counted(p) && len(ways) < 2*freedForScore {
			ways = append(ways, freed(n, p))
		}
	}
	return ways
}
