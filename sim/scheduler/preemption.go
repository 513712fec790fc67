package scheduler

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
)

// DefaultPreemption (Kubernetes 1.37
// pkg/scheduler/framework/plugins/defaultpreemption and framework/preemption): which less important pods
// would have to go, and from which node, for the pod to fit.

// victims is a node that fits once some of its pods are gone.
type victims struct {
	node       *nodeInfo
	pods       []*podInfo // the most important first
	violations int        // how many of them a budget protects
}

// The 10 % of the nodes, 100 at least, that are tried where there are many
// (DefaultPreemptionArgs: minCandidateNodesPercentage, minCandidateNodesAbsolute).
const (
	candidatePercentage = 10
	candidatesAtLeast   = 100
)

// preempt looks for a node to make room on. It gives the candidates, the best
// first in its own field, and what the event says about it.
func (c *cycle) preempt() (best *victims, all []victims, message string) {
	c.ineligible = true
	if p := c.pod.pod.Spec.PreemptionPolicy; p != nil && *p == v1.PreemptNever {
		return nil, nil, "not eligible due to preemptionPolicy=Never."
	}
	if c.waitsForVictims() {
		return nil, nil, "not eligible due to a terminating pod on the nominated node."
	}
	c.ineligible = false
	all, statuses, err := c.candidates()
	if len(all) == 0 {
		if err != nil {
			return nil, nil, err.Error()
		}
		return nil, nil, fitMessage(len(c.s.nodes), statuses)
	}
	chosen := pickCandidate(c, all)
	return &all[chosen], all, fmt.Sprintf("found a potential placement for pod on node %v, preempting %d victims",
		all[chosen].node.name, len(all[chosen].pods))
}

// waitsForVictims says that pods are on their way out already to make room for this
// one, on a node that would still do once they are gone.
func (c *cycle) waitsForVictims() bool {
	name := c.pod.pod.Status.NominatedNodeName
	if name == "" {
		return false
	}
	i := slices.IndexFunc(c.refusals, func(r nodeRefusal) bool { return r.node.name == name })
	if i < 0 || c.refusals[i].code == Unresolvable {
		return false
	}
	return slices.ContainsFunc(c.refusals[i].node.pods, func(p *podInfo) bool {
		return p.priority < c.pod.priority && preempted(p.pod)
	})
}

// preempted says that a pod is on its way out because the scheduler wanted its place.
func preempted(pod *v1.Pod) bool {
	if pod.DeletionTimestamp == nil {
		return false
	}
	for i := range pod.Status.Conditions {
		if k := &pod.Status.Conditions[i]; k.Type == v1.DisruptionTarget {
			return k.Status == v1.ConditionTrue && k.Reason == v1.PodReasonPreemptionByScheduler
		}
	}
	return false
}

// candidates tries the nodes where evicting pods may help, and says of the others why not.
func (c *cycle) candidates() (found []victims, statuses map[string]int, err error) {
	statuses = map[string]int{}
	var nodes []*nodeInfo
	for i := range c.refusals {
		if r := &c.refusals[i]; r.code == Resolvable {
			nodes = append(nodes, r.node)
		}
	}
	if helpless := len(c.s.nodes) - len(nodes); helpless > 0 {
		statuses["Preemption is not helpful for scheduling"] = helpless
	}
	enough := min(len(nodes), max(candidatesAtLeast, len(nodes)*candidatePercentage/100))
	offset := 0
	if len(nodes) > enough && c.rand != nil {
		offset = c.rand.IntN(len(nodes))
	}
	budgets := c.s.budgetList()
	unprotected := false
	var errs []error
	for i := range nodes {
		n := nodes[(offset+i)%len(nodes)]
		v, r, err := c.victimsOn(n, budgets)
		if err != nil {
			errs = append(errs, err)
			statuses[err.Error()]++
			continue
		}
		if r.refused() {
			for _, reason := range r.reasons() {
				statuses[reason]++
			}
			continue
		}
		found = append(found, v)
		unprotected = unprotected || v.violations == 0
		if unprotected && len(found) >= enough {
			break
		}
	}
	if len(errs) > 0 {
		err = utilerrors.NewAggregate(errs)
	}
	return found, statuses, err
}

func (s *Snapshot) budgetList() []*policyv1.PodDisruptionBudget {
	list := make([]*policyv1.PodDisruptionBudget, 0, len(s.budgets))
	for _, b := range s.budgets {
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b *policyv1.PodDisruptionBudget) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// victimsOn finds the pods that have to go from one node: first all less important
// ones go, then as many as possible come back, the most important first, those that
// a budget protects before all others.
func (c *cycle) victimsOn(n *nodeInfo, budgets []*policyv1.PodDisruptionBudget) (victims, refusal, error) {
	trial := n.clone()
	var lesser []*podInfo
	for _, p := range n.pods {
		if p.priority < c.pod.priority {
			lesser = append(lesser, p)
		}
	}
	if len(lesser) == 0 {
		return victims{}, refusal{code: Unresolvable, reason: "No preemption victims found for incoming pod"}, nil
	}
	slices.SortFunc(lesser, c.moreImportant)
	for _, p := range lesser {
		c.take(p, trial)
	}
	gone := slices.Clone(lesser)
	defer func() {
		for _, p := range gone { // the plugins' counts are shared: put everything back
			c.update(p, n, 1)
		}
	}()
	if _, r := c.refuse(trial); r.refused() {
		return victims{}, r, nil
	}
	found := victims{node: n}
	protected, others := violating(lesser, budgets)
	for i, list := range [][]*podInfo{protected, others} {
		for _, p := range list {
			c.give(p, trial)
			if _, r := c.refuse(trial); !r.refused() {
				gone = without(gone, p)
				continue
			}
			c.take(p, trial)
			found.pods = append(found.pods, p)
			if i == 0 {
				found.violations++
			}
		}
	}
	if len(found.pods) == 0 {
		return victims{}, refusal{}, fmt.Errorf("expected at least one victim pod on node %q", n.name)
	}
	slices.SortFunc(found.pods, c.moreImportant)
	return found, refusal{}, nil
}

// take takes a pod off the node that things are tried out on, give puts it there.
func (c *cycle) take(p *podInfo, trial *nodeInfo) {
	trial.remove(p)
	c.update(p, trial, -1)
}

func (c *cycle) give(p *podInfo, trial *nodeInfo) {
	trial.add(p)
	c.update(p, trial, 1)
}

// moreImportant orders pods: higher priority, then longer running, then by name.
func (c *cycle) moreImportant(a, b *podInfo) int {
	return cmp.Or(cmp.Compare(b.priority, a.priority), a.started(c.now).Compare(b.started(c.now)), byName(a, b))
}

func byName(a, b *podInfo) int {
	return cmp.Or(cmp.Compare(a.pod.Namespace, b.pod.Namespace), cmp.Compare(a.pod.Name, b.pod.Name))
}

// violating splits pods into those whose eviction a budget does not allow any more, and the others.
func violating(pods []*podInfo, budgets []*policyv1.PodDisruptionBudget) (protected, others []*podInfo) {
	allowed := make([]int32, len(budgets))
	selectors := make([]labels.Selector, len(budgets))
	for i, b := range budgets {
		allowed[i], selectors[i] = b.Status.DisruptionsAllowed, selectorOf(b.Spec.Selector)
	}
	violates := func(pod *v1.Pod) bool {
		if len(pod.Labels) == 0 {
			return false
		}
		for i, b := range budgets {
			if b.Namespace != pod.Namespace || selectors[i].Empty() || !selectors[i].Matches(labels.Set(pod.Labels)) {
				continue
			}
			if _, done := b.Status.DisruptedPods[pod.Name]; done {
				continue
			}
			if allowed[i]--; allowed[i] < 0 {
				return true
			}
		}
		return false
	}
	for _, p := range pods {
		if violates(p.pod) {
			protected = append(protected, p)
		} else {
			others = append(others, p)
		}
	}
	return protected, others
}

// pickCandidate is the candidate that hurts least: fewest budgets violated, then the lowest
// highest priority, the lowest sum of priorities, the fewest pods, the latest start
// of the most important; then the first by name (the real one: any).
func pickCandidate(c *cycle, all []victims) int {
	slices.SortFunc(all, func(a, b victims) int { return cmp.Compare(a.node.name, b.node.name) })
	cost := func(v *victims) (violations int, highest int32, sum int64, number int, started int64) {
		first := c.now
		for i, p := range v.pods {
			sum += int64(p.priority) + math.MaxInt32 + 1
			if t := p.started(c.now); p.priority == v.pods[0].priority && (i == 0 || t.Before(first)) {
				first = t
			}
		}
		return v.violations, v.pods[0].priority, sum, len(v.pods), first.UnixNano()
	}
	best := 0
	for i := 1; i < len(all); i++ {
		v1, h1, s1, n1, t1 := cost(&all[i])
		v0, h0, s0, n0, t0 := cost(&all[best])
		if cmp.Or(cmp.Compare(v1, v0), cmp.Compare(h1, h0), cmp.Compare(s1, s0), cmp.Compare(n1, n0), cmp.Compare(t0, t1)) < 0 {
			best = i
		}
	}
	return best
}

// ErrNoNodes is why a pod cannot be placed in a cluster without nodes.
var ErrNoNodes = errors.New("no nodes available to schedule pods")
