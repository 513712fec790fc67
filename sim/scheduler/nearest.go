package scheduler

import "cmp"

// Nearest is the refused node on which the least would have to change for the pod
// to fit: the fewest things in the way, then the smallest share of the node's
// resources missing, then the first by name. Nil: the verdict has no refused node.
func (v *Verdict) Nearest() *NodeVerdict {
	var best *NodeVerdict
	for i := range v.Nodes {
		n := &v.Nodes[i]
		if n.Feasible() {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(n.Changes(), best.Changes()), cmp.Compare(n.missingShare(), best.missingShare()),
			cmp.Compare(n.Name, best.Name)) < 0 {
			best = n
		}
	}
	return best
}

// Changes is how many things stand in the way on a node. Of the terms of a node
// affinity, one met in full is enough: the one that lacks least counts.
func (n *NodeVerdict) Changes() int {
	count := len(n.Shortages) + len(n.Taints) + len(n.Ports) + len(n.Spread) + len(n.Affinity)
	ofTerm := map[int]int{}
	for _, t := range n.Terms {
		if t.From == "nodeAffinity" {
			ofTerm[t.Index]++
		} else {
			count++
		}
	}
	least := 0
	for _, lacks := range ofTerm {
		if least == 0 || lacks < least {
			least = lacks
		}
	}
	return count + least
}

// missingShare is what is missing of the resources, as a share of what the node has; the sum over those that are short.
func (n *NodeVerdict) missingShare() float64 {
	sum := 0.0
	for _, s := range n.Shortages {
		sum += float64(s.Missing()) / float64(max(1, s.Allocatable))
	}
	return sum
}
