package scheduler

import (
	"math"

	v1 "k8s.io/api/core/v1"
)

// NodeResourcesFit (Kubernetes 1.37 pkg/scheduler/framework/plugins/noderesources/fit.go).

// filterFit refuses a node on which some resource does not suffice. Where the pod
// asks for more than the node has at all, evicting others cannot help.
func filterFit(c *cycle, n *nodeInfo) refusal {
	var r refusal
	want := &c.pod.demand.fit
	if int64(len(n.pods))+1 > n.allocatable.pods {
		r.insufficient("Too many pods", false)
	}
	if want.milliCPU > n.allocatable.milliCPU-n.requested.milliCPU && want.milliCPU > 0 {
		r.insufficient("Insufficient cpu", want.milliCPU > n.allocatable.milliCPU)
	}
	if want.memory > n.allocatable.memory-n.requested.memory && want.memory > 0 {
		r.insufficient("Insufficient memory", want.memory > n.allocatable.memory)
	}
	if want.storage > n.allocatable.storage-n.requested.storage && want.storage > 0 {
		r.insufficient("Insufficient ephemeral-storage", want.storage > n.allocatable.storage)
	}
	for _, name := range want.scalarNames() {
		if q, has := want.scalars[name], n.allocatable.scalars[name]; q > 0 && q > has-n.requested.scalars[name] {
			r.insufficient("Insufficient "+string(name), q > has)
		}
	}
	return r
}

// insufficient adds a reason.
func (r *refusal) insufficient(reason string, never bool) {
	switch {
	case r.code == "":
		r.code, r.reason = Resolvable, reason
	default:
		r.more = append(r.more, reason)
	}
	if never {
		r.code = Unresolvable
	}
}

func shortages(c *cycle, n *nodeInfo, v *NodeVerdict) {
	short := func(name v1.ResourceName, want, requested, allocatable int64) {
		if want > 0 && want > allocatable-requested {
			v.Shortages = append(v.Shortages, Shortage{string(name), want, allocatable - requested, allocatable})
		}
	}
	want, got, all := &c.pod.demand.fit, &n.requested, &n.allocatable
	short(v1.ResourcePods, 1, int64(len(n.pods)), all.pods)
	short(v1.ResourceCPU, want.milliCPU, got.milliCPU, all.milliCPU)
	short(v1.ResourceMemory, want.memory, got.memory, all.memory)
	short(v1.ResourceEphemeralStorage, want.storage, got.storage, all.storage)
	for _, name := range want.scalarNames() {
		short(name, want.scalars[name], got.scalars[name], all.scalars[name])
	}
}

// scoreFit is LeastAllocated: the mean over cpu and memory, weight 1 each, of
// ⌊(capacity − requested)·100 / capacity⌋, the pod included (least_allocated.go).
func scoreFit(c *cycle, n *nodeInfo) int64 {
	want := c.pod.demand.score
	sum, weights := int64(0), int64(0)
	if has := n.allocatable.milliCPU; has != 0 {
		sum, weights = sum+leastAllocated(n.nonzero.milliCPU+want.milliCPU, has), weights+1
	}
	if has := n.allocatable.memory; has != 0 {
		sum, weights = sum+leastAllocated(n.nonzero.memory+want.memory, has), weights+1
	}
	if weights == 0 {
		return 0
	}
	return sum / weights
}

func leastAllocated(requested, capacity int64) int64 {
	if requested > capacity {
		return 0
	}
	return (capacity - requested) * maxScore / capacity
}

func figuresFit(c *cycle, i int, _ []int64, f []Figure) []Figure {
	n, want := c.feasible[i], c.pod.demand.score
	of := func(name v1.ResourceName, capacity, pod, requested int64) {
		if capacity == 0 {
			return
		}
		f = append(f, Figure{Name: "capacity", Of: string(name), Value: capacity},
			Figure{Name: "pod", Of: string(name), Value: pod},
			Figure{Name: "requested", Of: string(name), Value: requested},
			Figure{Name: "result", Of: string(name), Value: leastAllocated(requested, capacity)})
	}
	of(v1.ResourceCPU, n.allocatable.milliCPU, want.milliCPU, n.nonzero.milliCPU+want.milliCPU)
	of(v1.ResourceMemory, n.allocatable.memory, want.memory, n.nonzero.memory+want.memory)
	return f
}

// NodeResourcesBalancedAllocation (Kubernetes 1.37
// pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go): does the pod bring the
// shares of cpu and memory that are requested closer together? What the pods ask
// for counts, without defaults.

func preScoreBalanced(c *cycle) bool {
	want := &c.pod.demand.taken
	return want.milliCPU != 0 || want.memory != 0
}

// scoreBalanced is 50 + (50 + balance with the pod − balance without it)/2.
func scoreBalanced(c *cycle, n *nodeInfo) int64 {
	before, after := balances(c, n)
	return maxScore/2 + (maxScore/2+after.score()-before.score())/2
}

// balance is the share of a node's cpu and memory that is requested; one that the node lacks does not count.
type balance struct {
	cpu, memory       float64
	hasCPU, hasMemory bool
}

func balances(c *cycle, n *nodeInfo) (before, after balance) {
	want, got, has := &c.pod.demand.taken, &n.requested, &n.allocatable
	if has.milliCPU != 0 {
		before.cpu, before.hasCPU = share(got.milliCPU, has.milliCPU), true
		after.cpu, after.hasCPU = share(got.milliCPU+want.milliCPU, has.milliCPU), true
	}
	if has.memory != 0 {
		before.memory, before.hasMemory = share(got.memory, has.memory), true
		after.memory, after.hasMemory = share(got.memory+want.memory, has.memory), true
	}
	return before, after
}

func share(requested, capacity int64) float64 {
	return min(1, float64(requested)/float64(capacity))
}

// score is ⌊100·(1 − σ)⌋; of two shares the deviation σ is half their difference.
func (b balance) score() int64 {
	deviation := 0.0
	if b.hasCPU && b.hasMemory {
		deviation = math.Abs((b.cpu - b.memory) / 2)
	}
	return int64((1 - deviation) * maxScore)
}

func figuresBalanced(c *cycle, i int, _ []int64, f []Figure) []Figure {
	n := c.feasible[i]
	before, after := balances(c, n)
	of := func(name v1.ResourceName, has bool, capacity, requested, pod int64, before, after float64) {
		if has {
			f = append(f, Figure{Name: "capacity", Of: string(name), Value: capacity},
				Figure{Name: "before", Of: string(name), Value: requested},
				Figure{Name: "requested", Of: string(name), Value: requested + pod},
				Figure{Name: "fraction-before", Of: string(name), Ratio: before},
				Figure{Name: "fraction", Of: string(name), Ratio: after})
		}
	}
	want, got, has := &c.pod.demand.taken, &n.requested, &n.allocatable
	of(v1.ResourceCPU, after.hasCPU, has.milliCPU, got.milliCPU, want.milliCPU, before.cpu, after.cpu)
	of(v1.ResourceMemory, after.hasMemory, has.memory, got.memory, want.memory, before.memory, after.memory)
	return append(f, Figure{Name: "score-before", Value: before.score()}, Figure{Name: "score-after", Value: after.score()})
}
