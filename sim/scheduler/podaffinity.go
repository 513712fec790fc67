package scheduler

import (
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// InterPodAffinity, the filter (Kubernetes 1.37
// pkg/scheduler/framework/plugins/interpodaffinity/filtering.go): required affinity
// and anti-affinity of the pod, and required anti-affinity of pods already there.

// domain is one value of a topology key.
type domain struct{ key, value string }

// tally counts pods by domain; domains without any are absent.
type tally map[domain]int64

func (t tally) add(n *nodeInfo, key string, count int64) {
	value, ok := n.label(key)
	if !ok {
		return
	}
	d := domain{key, value}
	if t[d] += count; t[d] == 0 {
		delete(t, d)
	}
}

// podAffinity is what the filter knows.
type podAffinity struct {
	nsLabels labels.Set // of the pod's namespace
	near     tally      // pods that match all terms of the pod's affinity
	away     tally      // pods that match a term of its anti-affinity
	unwanted tally      // pods with a term of anti-affinity that matches the pod
}

func preFilterPodAffinity(c *cycle) (bool, refusal) {
	pod := c.pod
	c.others = podAffinity{nsLabels: c.s.namespaces[pod.pod.Namespace]}
	has := len(pod.affinity) > 0 || len(pod.antiAffinity) > 0
	if c.s.antiPods == 0 && !has {
		return false, refusal{}
	}
	c.others.near, c.others.away, c.others.unwanted = tally{}, tally{}, tally{}
	for _, n := range c.s.nodes {
		for _, p := range n.withAnti {
			c.tallyUnwanted(p, n, 1)
		}
		if has {
			for _, p := range n.pods {
				c.tallyWanted(p, n, 1)
			}
		}
	}
	return has || len(c.others.unwanted) > 0, refusal{}
}

func (c *cycle) tallyUnwanted(p *podInfo, n *nodeInfo, sign int64) {
	for i := range p.antiAffinity {
		if t := &p.antiAffinity[i]; t.matches(c.pod.pod, c.others.nsLabels) {
			c.others.unwanted.add(n, t.key, sign)
		}
	}
}

func (c *cycle) tallyWanted(p *podInfo, n *nodeInfo, sign int64) {
	if c.matchesAll(p) {
		for i := range c.pod.affinity {
			c.others.near.add(n, c.pod.affinity[i].key, sign)
		}
	}
	for i := range c.pod.antiAffinity {
		if t := &c.pod.antiAffinity[i]; c.matches(t, p) {
			c.others.away.add(n, t.key, sign)
		}
	}
}

// matches says that a term of the pod is about p.
func (c *cycle) matches(t *podTerm, p *podInfo) bool {
	return t.matches(p.pod, c.s.namespaces[p.pod.Namespace])
}

// matchesAll says that p meets all terms of the pod's affinity at once, and that it has any.
func (c *cycle) matchesAll(p *podInfo) bool {
	for i := range c.pod.affinity {
		if !c.matches(&c.pod.affinity[i], p) {
			return false
		}
	}
	return len(c.pod.affinity) > 0
}

func updatePodAffinity(c *cycle, p *podInfo, n *nodeInfo, sign int64) {
	c.tallyUnwanted(p, n, sign)
	c.tallyWanted(p, n, sign)
}

func filterPodAffinity(c *cycle, n *nodeInfo) refusal {
	switch {
	case !c.nearEnough(n):
		return refusal{code: Unresolvable, reason: "node(s) didn't match pod affinity rules"}
	case c.tooNear(n) != nil:
		return refusal{code: Resolvable, reason: "node(s) didn't match pod anti-affinity rules"}
	case c.notWanted(n) != domain{}:
		return refusal{code: Resolvable, reason: "node(s) didn't satisfy existing pods anti-affinity rules"}
	}
	return refusal{}
}

// nearEnough says that the pod's affinity is met. The first pod of a group that
// wants to be with itself may go anywhere the topology keys exist.
func (c *cycle) nearEnough(n *nodeInfo) bool {
	exist := true
	for i := range c.pod.affinity {
		key := c.pod.affinity[i].key
		value, ok := n.label(key)
		if !ok {
			return false
		}
		if c.others.near[domain{key, value}] <= 0 {
			exist = false
		}
	}
	return exist || len(c.others.near) == 0 && c.matchesAll(c.pod)
}

// tooNear is the first term of the pod's anti-affinity that the node breaks.
func (c *cycle) tooNear(n *nodeInfo) *podTerm {
	if len(c.others.away) == 0 {
		return nil
	}
	for i := range c.pod.antiAffinity {
		t := &c.pod.antiAffinity[i]
		if value, ok := n.label(t.key); ok && c.others.away[domain{t.key, value}] > 0 {
			return t
		}
	}
	return nil
}

// notWanted is a domain of the node where a pod does not want this one; of several the first by key.
func (c *cycle) notWanted(n *nodeInfo) domain {
	var found domain
	for d, count := range c.others.unwanted {
		if count <= 0 || found.key != "" && found.key < d.key {
			continue
		}
		if value, ok := n.label(d.key); ok && value == d.value {
			found = d
		}
	}
	return found
}

// podsInTheWay names the terms, and for each a pod that is in the way.
func podsInTheWay(c *cycle, n *nodeInfo, v *NodeVerdict) {
	if !c.nearEnough(n) {
		for i := range c.pod.affinity {
			t := &c.pod.affinity[i]
			value, ok := n.label(t.key)
			if !ok || c.others.near[domain{t.key, value}] <= 0 {
				v.Affinity = append(v.Affinity, Affinity{Kind: "affinity", TopologyKey: t.key, Domain: value, Absent: !ok, Selector: t.selector.String()})
			}
		}
	}
	if len(c.others.away) > 0 {
		for i := range c.pod.antiAffinity {
			t := &c.pod.antiAffinity[i]
			value, ok := n.label(t.key)
			if !ok || c.others.away[domain{t.key, value}] <= 0 {
				continue
			}
			who := c.firstIn(domain{t.key, value}, func(p *podInfo) bool { return c.matches(t, p) })
			v.Affinity = append(v.Affinity, Affinity{Kind: "anti-affinity", TopologyKey: t.key, Domain: value, Selector: t.selector.String(), Pod: who})
		}
	}
	if d := c.notWanted(n); d.key != "" {
		text := ""
		who := c.firstIn(d, func(p *podInfo) bool {
			for i := range p.antiAffinity {
				if t := &p.antiAffinity[i]; t.key == d.key && t.matches(c.pod.pod, c.others.nsLabels) {
					text = t.selector.String()
					return true
				}
			}
			return false
		})
		v.Affinity = append(v.Affinity, Affinity{Kind: "existing-anti-affinity", TopologyKey: d.key, Domain: d.value, Selector: text, Pod: who})
	}
}

// firstIn is the first pod by name in a domain that is as asked.
func (c *cycle) firstIn(d domain, is func(*podInfo) bool) *PodRef {
	var first *PodRef
	for _, n := range c.s.nodes {
		if value, ok := n.label(d.key); !ok || value != d.value {
			continue
		}
		pods := slices.Clone(n.pods)
		slices.SortFunc(pods, byName)
		for _, p := range pods {
			if first != nil && first.String() <= p.ref().String() {
				break
			}
			if is(p) {
				ref := p.ref()
				first = &ref
				break
			}
		}
	}
	return first
}

// InterPodAffinity, the score (Kubernetes 1.37
// pkg/scheduler/framework/plugins/interpodaffinity/scoring.go): preferences of the pod, of
// pods already there about it, and their required affinity, which counts as a preference of weight 1.

const hardAffinityWeight = 1

// points are what the domains of one topology key have gathered.
type points struct {
	key     string
	domains *topology
	sums    []int64
}

func preScorePodAffinity(c *cycle) bool {
	c.points = c.points[:0]
	own := len(c.pod.prefers) > 0
	if !own && c.s.affinityPods == 0 {
		return false
	}
	for _, n := range c.s.nodes {
		pods := n.withAffinity
		if own {
			pods = n.pods
		}
		for _, p := range pods {
			c.gather(p, n)
		}
	}
	return len(c.points) > 0
}

// gather adds what a pod that is there means for its domains.
func (c *cycle) gather(p *podInfo, n *nodeInfo) {
	for i := range c.pod.prefers {
		if t := &c.pod.prefers[i]; c.matches(t, p) {
			c.award(n, t.key, t.weight)
		}
	}
	for i := range p.affinity {
		if t := &p.affinity[i]; t.matches(c.pod.pod, c.others.nsLabels) {
			c.award(n, t.key, hardAffinityWeight)
		}
	}
	for i := range p.prefers {
		if t := &p.prefers[i]; t.matches(c.pod.pod, c.others.nsLabels) {
			c.award(n, t.key, t.weight)
		}
	}
}

func (c *cycle) award(n *nodeInfo, key string, weight int64) {
	i := slices.IndexFunc(c.points, func(p points) bool { return p.key == key })
	if i < 0 {
		t := c.s.topology(key)
		if !t.has[n.pos] {
			return
		}
		i = len(c.points)
		c.points = append(c.points, points{key, t, make([]int64, len(t.values))})
	}
	if p := &c.points[i]; p.domains.has[n.pos] {
		p.sums[p.domains.domain[n.pos]] += weight
	}
}

// scorePodAffinity is the sum of the points of the node's domains; it may be negative.
func scorePodAffinity(c *cycle, n *nodeInfo) int64 {
	var sum int64
	for i := range c.points {
		if p := &c.points[i]; p.domains.has[n.pos] {
			sum += p.sums[p.domains.domain[n.pos]]
		}
	}
	return sum
}

// normalizePodAffinity is ⌊100·(sum − min)/(max − min)⌋, 0 where all are equal.
func normalizePodAffinity(_ *cycle, raw, to []int64) {
	least, most := slices.Min(raw), slices.Max(raw)
	for i, sum := range raw {
		to[i] = 0
		if most > least {
			to[i] = int64(maxScore * (float64(sum-least) / float64(most-least)))
		}
	}
}

func figuresPodAffinity(c *cycle, i int, raw []int64, f []Figure) []Figure {
	n, from := c.feasible[i], len(f)
	for j := range c.points {
		p := &c.points[j]
		if !p.domains.has[n.pos] {
			continue
		}
		number := p.domains.domain[n.pos]
		f = append(f, Figure{Name: "points", Of: p.key + "=" + p.domains.values[number], Value: p.sums[number]})
	}
	slices.SortFunc(f[from:], func(a, b Figure) int { return compareText(a.Of, b.Of) })
	return append(f, Figure{Name: "sum", Value: raw[i]}, Figure{Name: "min", Value: slices.Min(raw)}, Figure{Name: "max", Value: slices.Max(raw)})
}

// podTermsOf reads the required terms of a pod; for the queueing hints.
func podTermsOf(pod *v1.Pod) (affinity, anti []podTerm) {
	p := newPodInfo(pod)
	return p.affinity, p.antiAffinity
}
