package scheduler

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Question is what may be asked about a pod: what would have to change for it to go to a node, what would become of it if
// something were otherwise, or both.
type Question struct {
	Node   string   `json:"node,omitempty"` // where it is to go; "": only the assumptions count
	Assume []Change `json:"assume,omitempty"`
}

// WhatIf is the answer: the decision under the assumptions, and the smallest changes beyond them after which the scheduler
// chooses the node. It is plain data: equal clusters give equal JSON.
type WhatIf struct {
	Pod    PodRef   `json:"pod"`
	On     string   `json:"on,omitempty"` // the node where the pod is. The scheduler never moves it: the answer is what would be, were it to be placed now
	Node   string   `json:"node,omitempty"`
	Assume []Change `json:"assume,omitempty"`

	// Verdict is the decision under the assumptions alone.
	Verdict *Verdict `json:"verdict"`

	// Ways are sets of changes that put the pod on the node, the smallest first; three at most, and none with a change
	// that it could do without. The first without any change: nothing has to. None: nothing helps.
	Ways []Way `json:"ways,omitempty"`
	// Stuck is, where nothing helps, what is left in the way once all that can change has.
	Stuck *NodeVerdict `json:"stuck,omitempty"`
	// GaveUp says that the search ended for its length, not because nothing is left to try.
	GaveUp bool `json:"gaveUp,omitempty"`
	// Looks is how many nodes the scheduler looks for before it chooses, where that is not all: with more than 100 nodes that
	// fit, a real decision may not get to the node at all. The answer is that of a decision that looks at every node.
	Looks int `json:"looks,omitempty"`
}

// Way is one set of changes, and the decision that comes after it.
type Way struct {
	Changes []Change `json:"changes,omitempty"`
	// Verdict is the decision of a second run, on the cluster as it is with the changes. Either the node is among its
	// Best, or its Preemption makes room on the node: the pod goes there once the victims are gone.
	Verdict *Verdict `json:"verdict"`
}

// MakesRoom says that other pods have to go first, by preemption.
func (w *Way) MakesRoom() bool { return w.Verdict.Outcome == Unschedulable }

// WhatIf answers a question about a pod, that waits or runs, as things are now. It runs the scheduler on a copy of what it
// knows: nothing in the cluster changes, nothing is drawn, no time passes. Errors: ErrNoQuestion, ErrNoNode, ErrNoPod, ErrBadChange.
func (s *Scheduler) WhatIf(pod *v1.Pod, q Question) (*WhatIf, error) {
	return s.snapshot.WhatIf(pod, q, s.queue.Now())
}

// WhatIf is Scheduler.WhatIf on a cluster by itself.
func (s *Snapshot) WhatIf(pod *v1.Pod, q Question, now time.Time) (*WhatIf, error) {
	if q.Node == "" && len(q.Assume) == 0 {
		return nil, ErrNoQuestion
	}
	if q.Node != "" && s.node(q.Node) == nil {
		return nil, fmt.Errorf("node %q: %w", q.Node, ErrNoNode)
	}
	answer := &WhatIf{Pod: refOf(pod), On: pod.Spec.NodeName, Node: q.Node, Assume: q.Assume}
	x := newExplorer(s, pod, q, now)
	verdict, err := x.verdict(nil)
	if err != nil {
		return nil, err
	}
	answer.Verdict = verdict
	if enough := nodesToFind(verdict.Total); enough < verdict.Total {
		answer.Looks = enough
	}
	if q.Node != "" {
		x.search(answer)
	}
	return answer, nil
}

// explorer looks for changes.
type explorer struct {
	live   *Snapshot // the cluster's own, which is only read
	s      *Snapshot // a copy of it without the pod; changed and changed back at each try
	c      *cycle
	pod    *v1.Pod // as if it waited
	node   string
	assume []Change
	now    time.Time

	tries int // that are left
	queue trialHeap
	seen  map[string]bool
	stuck *trial
}

// The bounds of a search.
const (
	mostWays  = 3
	mostTries = 400
	// mostLooks bounds the nodes looked at in all tries together: of a very large cluster less is tried.
	mostLooks  = 200_000
	leastTries = 30
	// costOfChange is what each change costs, beside the place of its kind in changeKinds.
	costOfChange = 1000
)

func newExplorer(s *Snapshot, pod *v1.Pod, q Question, now time.Time) *explorer {
	open := pod.DeepCopy()
	if pod.Spec.NodeName != "" {
		open.Spec.NodeName, open.Status.NominatedNodeName = "", ""
	}
	x := &explorer{live: s, pod: open, node: q.Node, assume: q.Assume, now: now, seen: map[string]bool{}}
	x.s = x.copied()
	x.c = newCycle(x.s)
	x.c.all = true
	x.tries = min(mostTries, max(leastTries, mostLooks/max(1, len(x.s.byName))))
	return x
}

// copied is a copy of the cluster without the pod.
func (x *explorer) copied() *Snapshot {
	s := x.live.clone()
	s.unplace(x.pod.UID)
	return s
}

// verdict is the whole decision on a fresh copy of the cluster with the assumptions and the changes.
func (x *explorer) verdict(changes []Change) (*Verdict, error) {
	s := x.copied()
	pod, _, err := alter(s, x.pod, x.assume, changes)
	if err != nil {
		return nil, err
	}
	c := newCycle(s)
	c.all = true
	return c.decide(newPodInfo(pod), x.now), nil
}

// alter makes changes to a copy of a cluster and to a copy of the pod; undo takes them back from the cluster.
func alter(s *Snapshot, pod *v1.Pod, lists ...[]Change) (changed *v1.Pod, undo func(), err error) {
	e := newEdit(s, pod)
	for _, list := range lists {
		for _, c := range list {
			if err := e.apply(c); err != nil {
				return nil, nil, err
			}
		}
	}
	before := make([]*v1.Node, 0, len(e.nodes))
	for _, name := range sortedNodes(e.nodes) {
		before = append(before, s.byName[name].node)
		s.putNode(e.nodes[name])
	}
	for _, at := range e.freed {
		s.unplace(at.info.pod.UID)
	}
	return e.pod, func() {
		for _, at := range e.freed {
			s.place(at.info, at.node.name)
		}
		for _, n := range before {
			s.putNode(n)
		}
	}, nil
}

// trial is a set of changes to try.
type trial struct {
	changes []Change
	cost    int
	seq     int          // of equal costs, that which was thought of first
	left    *NodeVerdict // what is still in the way, once tried
}

// search tries sets of changes, the smallest first, until enough are found that put the pod on the node. What a
// try shows to be in the way says which changes to try next, so each set tried is one that takes away something.
func (x *explorer) search(answer *WhatIf) {
	x.push(nil, nil)
	for len(x.queue.list) > 0 && len(answer.Ways) < mostWays {
		t := heap.Pop(&x.queue).(*trial)
		if len(answer.Ways) > 0 && len(t.changes) > len(answer.Ways[0].Changes)+1 {
			break // far from the smallest
		}
		if slices.ContainsFunc(answer.Ways, func(w Way) bool { return containsAll(t.changes, w.Changes) }) {
			continue
		}
		if x.tries--; x.tries < 0 {
			answer.GaveUp = len(answer.Ways) == 0
			break
		}
		there, next := x.try(t)
		if there {
			x.found(answer, t.changes)
			continue
		}
		for _, more := range next {
			x.push(t.changes, more)
		}
		if x.stuck == nil || len(t.changes) >= len(x.stuck.changes) {
			x.stuck = t
		}
	}
	if len(answer.Ways) == 0 && x.stuck != nil {
		answer.Stuck = x.stuck.left
	}
}

// found notes a set that helps, less what it can do without, once a second run has confirmed it.
func (x *explorer) found(answer *WhatIf, changes []Change) {
	changes = x.without(changes)
	v, err := x.verdict(changes)
	if err != nil || !v.leadsTo(x.node) {
		return // cannot be, as it has just been tried; but what is not confirmed is not told
	}
	if slices.ContainsFunc(answer.Ways, func(w Way) bool { return containsAll(changes, w.Changes) }) {
		return
	}
	answer.Ways = slices.DeleteFunc(answer.Ways, func(w Way) bool { return containsAll(w.Changes, changes) })
	answer.Ways = append(answer.Ways, Way{changes, v})
	slices.SortStableFunc(answer.Ways, func(a, b Way) int { return cmp.Compare(costOf(a.Changes), costOf(b.Changes)) })
}

// without takes out of a set that helps the changes that it can do without, the last first.
func (x *explorer) without(changes []Change) []Change {
	for i := len(changes) - 1; i >= 0; i-- {
		fewer := slices.Delete(slices.Clone(changes), i, i+1)
		if there, _ := x.try(&trial{changes: fewer}); there {
			return x.without(fewer)
		}
	}
	return changes
}

// leadsTo says that the decision puts the pod on the node, at once or by making room there. Equally good nodes count.
func (v *Verdict) leadsTo(node string) bool {
	return slices.Contains(v.Best, node) || v.Preemption != nil && v.Preemption.Node == node
}

// costOf makes sets comparable: fewer changes first, then lesser kinds.
func costOf(changes []Change) int {
	cost := 0
	for _, c := range changes {
		cost += costOfChange + slices.Index(changeKinds(), c.Kind)
	}
	return cost
}

// push plans a try of some more changes.
func (x *explorer) push(changes, more []Change) {
	t := &trial{changes: append(slices.Clone(changes), more...), seq: len(x.seen)}
	keys := make([]string, len(t.changes))
	for i, c := range t.changes {
		keys[i] = c.String()
	}
	t.cost = costOf(t.changes)
	slices.Sort(keys)
	if len(slices.Compact(slices.Clone(keys))) < len(keys) {
		return // the same again does not help more
	}
	if key := strings.Join(keys, "\n"); !x.seen[key] {
		x.seen[key] = true
		heap.Push(&x.queue, t)
	}
}

// try runs the scheduler with a set of changes. There: the pod goes to the node. Otherwise next are the sets of
// further changes of which each takes away something that is in the way, and t.left is what that is.
func (x *explorer) try(t *trial) (there bool, next [][]Change) {
	pod, undo, err := alter(x.s, x.pod, x.assume, t.changes)
	if err != nil {
		return false, nil
	}
	defer undo()
	t.left = &NodeVerdict{Name: x.node}
	if len(pod.Spec.SchedulingGates) > 0 {
		r := gates(pod)
		t.left.Plugin, t.left.Code, t.left.Reasons = r.Plugin, r.Code, r.Reasons
		return false, [][]Change{{{Kind: Ungate}}}
	}
	c := x.c
	c.begin(newPodInfo(pod), x.now)
	c.find()
	n := x.s.node(x.node)
	if c.outright != nil {
		t.left.Plugin, t.left.Code, t.left.Reasons = c.profile[c.outright.row].name, c.outright.code, c.outright.reasons()
		return false, c.waysOutright()
	}
	if i := slices.Index(c.feasible, n); i >= 0 {
		if slices.Contains(c.best, i) {
			return true, nil
		}
		return false, c.waysToScore(i)
	}
	c.describeOne(n, t.left)
	ways := c.waysToFit(n, t.left)
	if len(c.feasible) == 0 && t.left.Code == Resolvable {
		if room, _, _ := c.preempt(); room != nil && room.node == n {
			return true, nil
		}
	}
	return false, ways
}

// describeOne says why a node is refused.
func (c *cycle) describeOne(n *nodeInfo, v *NodeVerdict) {
	if i := slices.IndexFunc(c.refusals, func(r nodeRefusal) bool { return r.node == n }); i >= 0 {
		c.describeRefused(&c.refusals[i], v)
		return
	}
	v.Plugin, v.Code, v.Reasons = c.profile[rowNodeAffinity].name, Unresolvable, []string{pinnedReason}
	termsInTheWay(c, n, v)
}

// containsAll says that all of some changes are in a list.
func containsAll(list, some []Change) bool {
	for _, c := range some {
		if !slices.ContainsFunc(list, func(d Change) bool { return d.String() == c.String() }) {
			return false
		}
	}
	return true
}

func sortedNodes(m map[string]*v1.Node) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// steadfast says that a pod comes back where it was if it goes: a DaemonSet's, or one that its node's kubelet has from a file.
func steadfast(pod *v1.Pod) bool {
	if _, mirror := pod.Annotations[v1.MirrorPodAnnotationKey]; mirror {
		return true
	}
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == "DaemonSet"
}

// trialHeap orders trials by what they cost.
type trialHeap struct{ list []*trial }

func (h trialHeap) Len() int { return len(h.list) }
func (h trialHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h.list[i].cost, h.list[j].cost), cmp.Compare(h.list[i].seq, h.list[j].seq)) < 0
}
func (h trialHeap) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *trialHeap) Push(x any)   { h.list = append(h.list, x.(*trial)) }
func (h *trialHeap) Pop() any {
	last := len(h.list) - 1
	t := h.list[last]
	h.list[last], h.list = nil, h.list[:last]
	return t
}
