package scheduler

import (
	"slices"

	v1 "k8s.io/api/core/v1"
)

// nodeInfo is a node with the pods on it, assumed ones included, and the sums over
// them. It is kept as pods come and go, never added up anew.
type nodeInfo struct {
	node *v1.Node // nil: pods are there, but the node is not (or not yet)
	name string
	pos  int // in Snapshot.nodes

	pods         []*podInfo
	withAffinity []*podInfo // those with terms about other pods
	withAnti     []*podInfo // those with required anti-affinity

	allocatable resources
	requested   resources
	nonzero     amounts // requested, with the default for containers without requests
	ports       int     // host ports taken
	images      map[string]int64
	untainted   bool
	cordoned    bool
}

// set takes over the node object.
func (n *nodeInfo) set(node *v1.Node) {
	n.node = node
	n.allocatable = newResources(node.Status.Allocatable)
	n.untainted, n.cordoned = len(node.Spec.Taints) == 0, node.Spec.Unschedulable
	n.images = nil
	for i := range node.Status.Images {
		image := &node.Status.Images[i]
		if n.images == nil {
			n.images = make(map[string]int64, len(node.Status.Images))
		}
		for _, name := range image.Names {
			n.images[name] = image.SizeBytes
		}
	}
}

func (n *nodeInfo) add(p *podInfo) {
	n.pods = append(n.pods, p)
	if p.hasAffinity {
		n.withAffinity = append(n.withAffinity, p)
	}
	if len(p.antiAffinity) > 0 {
		n.withAnti = append(n.withAnti, p)
	}
	n.count(p, 1)
}

// remove takes out the pod, which must be there.
func (n *nodeInfo) remove(p *podInfo) {
	n.pods = without(n.pods, p)
	if p.hasAffinity {
		n.withAffinity = without(n.withAffinity, p)
	}
	if len(p.antiAffinity) > 0 {
		n.withAnti = without(n.withAnti, p)
	}
	n.count(p, -1)
}

func (n *nodeInfo) count(p *podInfo, sign int64) {
	n.requested.add(&p.demand.taken, sign)
	n.nonzero.milliCPU += sign * p.demand.nonzero.milliCPU
	n.nonzero.memory += sign * p.demand.nonzero.memory
	n.ports += int(sign) * len(p.ports)
}

// without is the list without p; the order of the others may change.
func without(list []*podInfo, p *podInfo) []*podInfo {
	i := slices.Index(list, p)
	if i < 0 {
		return list
	}
	last := len(list) - 1
	list[i], list[last] = list[last], nil
	return list[:last]
}

// clone is a copy to try things out on: pods may be added and removed, the node not changed.
func (n *nodeInfo) clone() *nodeInfo {
	c := *n
	c.pods, c.withAffinity, c.withAnti = slices.Clone(n.pods), slices.Clone(n.withAffinity), slices.Clone(n.withAnti)
	c.requested = n.requested.clone()
	return &c
}

// label is the node's value of a label.
func (n *nodeInfo) label(key string) (string, bool) {
	value, ok := n.node.Labels[key]
	return value, ok
}
