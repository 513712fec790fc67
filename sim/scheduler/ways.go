package scheduler

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What can be done about what is in the way: for each plugin the sets of changes of which any takes away the first of its
// obstacles. What is left shows in the next try.

// waysOutright are for a pod that is refused before any node is looked at.
func (c *cycle) waysOutright() [][]Change {
	if c.outright.row == rowNodeAffinity && !steadfast(c.pod.pod) {
		return [][]Change{{{Kind: DropTerms}}}
	}
	return nil
}

// waysToFit are for a node that is refused.
func (c *cycle) waysToFit(n *nodeInfo, v *NodeVerdict) [][]Change {
	for _, row := range []struct {
		row  int
		ways func(*cycle, *nodeInfo, *NodeVerdict) [][]Change
	}{
		{rowUnschedulable, waysPastTaints},
		{rowTaints, waysPastTaints},
		{rowNodeAffinity, waysPastTerms},
		{rowPorts, waysPastPorts},
		{rowFit, waysPastShortage},
		{rowSpread, waysPastSpread},
		{rowPodAffinity, waysPastPods},
	} {
		if c.profile[row.row].name == v.Plugin {
			return row.ways(c, n, v)
		}
	}
	return nil
}

// ofCondition says that a taint is the node controller's own, and goes with the condition that it is for.
func ofCondition(key string) bool {
	switch key {
	case v1.TaintNodeNotReady, v1.TaintNodeUnreachable, v1.TaintNodeMemoryPressure, v1.TaintNodeDiskPressure,
		v1.TaintNodePIDPressure, v1.TaintNodeNetworkUnavailable:
		return true
	}
	return false
}

func waysPastTaints(_ *cycle, n *nodeInfo, v *NodeVerdict) [][]Change {
	if len(v.Taints) == 0 {
		return nil
	}
	t := v.Taints[0]
	tolerate := Change{Kind: Tolerate, Key: t.Key, Value: t.Value, Effect: t.Effect}
	away := Change{Kind: Untaint, Node: n.name, Key: t.Key, Value: t.Value, Effect: t.Effect}
	switch {
	case t.Key == v1.TaintNodeUnschedulable:
		away = Change{Kind: Uncordon, Node: n.name}
	case ofCondition(t.Key):
		away = Change{Kind: Recover, Node: n.name, Key: t.Key}
	}
	return [][]Change{{away}, {tolerate}}
}

// given says that a label is what it is: nobody gives a node another name or another processor.
func given(key string) bool {
	return key == v1.LabelHostname || key == v1.LabelOSStable || key == v1.LabelArchStable
}

func waysPastTerms(c *cycle, n *nodeInfo, v *NodeVerdict) [][]Change {
	var ways [][]Change
	byTerm := map[int][]Term{}
	for _, t := range v.Terms {
		if t.From != "nodeSelector" {
			byTerm[t.Index] = append(byTerm[t.Index], t)
			continue
		}
		if label, ok := relabel(n, t); ok {
			ways = append(ways, []Change{label})
		}
		return append(ways, []Change{{Kind: DropSelector, Key: t.Key}})
	}
	for _, index := range slices.Sorted(maps.Keys(byTerm)) {
		var set []Change
		for _, t := range byTerm[index] {
			label, ok := relabel(n, t)
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
	if !steadfast(c.pod.pod) {
		ways = append(ways, []Change{{Kind: DropTerms}})
	}
	return ways
}

// relabel is the change of a node's label that makes it meet a requirement.
func relabel(n *nodeInfo, t Term) (Change, bool) {
	if t.Key == metav1.ObjectNameField || given(t.Key) {
		return Change{}, false
	}
	label := Change{Kind: Label, Node: n.name, Key: t.Key}
	switch v1.NodeSelectorOperator(t.Operator) {
	case v1.NodeSelectorOpIn:
		if len(t.Values) == 0 {
			return Change{}, false
		}
		label.Value = t.Values[0]
	case v1.NodeSelectorOpExists:
		label.Value = "true"
	case v1.NodeSelectorOpNotIn, v1.NodeSelectorOpDoesNotExist:
		label.Kind = Unlabel
	case v1.NodeSelectorOpGt, v1.NodeSelectorOpLt:
		if len(t.Values) != 1 {
			return Change{}, false
		}
		bound, err := strconv.ParseInt(t.Values[0], 10, 64)
		if err != nil {
			return Change{}, false
		}
		if t.Operator == string(v1.NodeSelectorOpGt) {
			bound += 2
		}
		label.Value = strconv.FormatInt(bound-1, 10)
	default:
		return Change{}, false
	}
	return label, true
}

func waysPastPorts(c *cycle, n *nodeInfo, v *NodeVerdict) [][]Change {
	var holders, drop []Change
	seen := map[string]bool{}
	removable := true
	for _, p := range v.Ports {
		if !seen[p.Holder.String()] {
			seen[p.Holder.String()] = true
			at := c.s.placed[p.Holder.UID]
			removable = removable && at.info != nil && !steadfast(at.info.pod)
			holders = append(holders, Change{Kind: Free, Node: n.name, Pod: &p.Holder})
		}
		port := Change{Kind: DropPort, To: int64(p.HostPort)}
		if !slices.Contains(drop, port) {
			drop = append(drop, port)
		}
	}
	if !removable {
		return [][]Change{drop}
	}
	return [][]Change{holders, drop}
}

// waysPastShortage: less of one resource that is short, or the fewest pods gone that leave enough of all; where the pod
// asks for more than the node has and nothing is free, both.
func waysPastShortage(c *cycle, n *nodeInfo, v *NodeVerdict) [][]Change {
	var ways [][]Change
	if s := hardest(v.Shortages); s != nil {
		// Without some CPU and memory a pod is another kind of pod; it may well do without a device.
		least := amountIn(v1.ResourceName(s.Resource), c.pod.pod.Spec.Overhead[v1.ResourceName(s.Resource)]) + 1
		if isScalar(v1.ResourceName(s.Resource)) {
			least--
		}
		switch to := roundDown(s.Resource, s.Free); {
		case to >= least:
			ways = append(ways, []Change{lessOf(s, to)})
		case least == 0:
			ways = append(ways, []Change{lessOf(s, 0)})
		case s.Requested > s.Allocatable:
			ways = append(ways, lessWithRoom(n, s, least)...)
		}
	}
	return append(ways, roomOn(n, v.Shortages)...)
}

// hardest is the first shortage that no pod's going ends, or else the first. Room for one more pod is not asked for less of.
func hardest(shortages []Shortage) *Shortage {
	var first *Shortage
	for i := range shortages {
		s := &shortages[i]
		if s.Resource == string(v1.ResourcePods) {
			continue
		}
		if s.Requested > s.Allocatable {
			return s
		}
		if first == nil {
			first = s
		}
	}
	return first
}

func lessOf(s *Shortage, to int64) Change {
	return Change{Kind: Request, Key: s.Resource, From: s.Requested, To: to}
}

// lessWithRoom has the pod ask for less, and so much go from the node that this is free: those go that take most.
func lessWithRoom(n *nodeInfo, s *Shortage, least int64) [][]Change {
	pods := removable(n)
	slices.SortFunc(pods, func(a, b *podInfo) int {
		return cmp.Or(cmp.Compare(b.takes(s.Resource), a.takes(s.Resource)), byName(a, b))
	})
	free := s.Free
	for i, p := range pods {
		free += p.takes(s.Resource)
		if to := roundDown(s.Resource, free); to >= least {
			return [][]Change{append([]Change{lessOf(s, to)}, freed(n, pods[:i+1]...)...)}
		}
	}
	return nil
}

// removable are the pods of a node that stay away once they are gone.
func removable(n *nodeInfo) []*podInfo {
	var pods []*podInfo
	for _, p := range n.pods {
		if !steadfast(p.pod) {
			pods = append(pods, p)
		}
	}
	return pods
}

// roundDown cuts bytes to whole mebibytes, where there are any: people write no other amounts.
func roundDown(name string, n int64) int64 {
	const mebibyte = 1 << 20
	if bytes := name == string(v1.ResourceMemory) || name == string(v1.ResourceEphemeralStorage); bytes && n >= mebibyte {
		return n - n%mebibyte
	}
	return n
}

// roomOn is the fewest pods of a node that would have to go for all shortages to end: one, or two, or, where that does
// not do, those that bring most. Of several that would do, those count that are on their way out, then the less important, then the
// smaller, then the first by name.
func roomOn(n *nodeInfo, shortages []Shortage) [][]Change {
	pods := removable(n)
	slices.SortFunc(pods, func(a, b *podInfo) int {
		return cmp.Or(cmp.Compare(leaving(b), leaving(a)), cmp.Compare(a.priority, b.priority),
			cmp.Compare(size(a, shortages), size(b, shortages)), byName(a, b))
	})
	for i := range pods {
		if ends(shortages, pods[i]) {
			return [][]Change{freed(n, pods[i])}
		}
	}
	for i := range pods {
		for j := range i {
			if ends(shortages, pods[j], pods[i]) {
				return [][]Change{freed(n, pods[j], pods[i])}
			}
		}
	}
	slices.SortStableFunc(pods, func(a, b *podInfo) int { return cmp.Compare(relief(b, shortages), relief(a, shortages)) })
	for i := range pods {
		if !ends(shortages, pods[:i+1]...) {
			continue
		}
		set := slices.Clone(pods[:i+1])
		for j := len(set) - 1; j >= 0; j-- {
			if fewer := slices.Delete(slices.Clone(set), j, j+1); ends(shortages, fewer...) {
				set = fewer
			}
		}
		return [][]Change{freed(n, set...)}
	}
	return nil
}

func leaving(p *podInfo) int {
	if p.pod.DeletionTimestamp != nil {
		return 1
	}
	return 0
}

// takes is what a pod takes of a resource.
func (p *podInfo) takes(name string) int64 {
	switch v1.ResourceName(name) {
	case v1.ResourcePods:
		return 1
	case v1.ResourceCPU:
		return p.demand.taken.milliCPU
	case v1.ResourceMemory:
		return p.demand.taken.memory
	case v1.ResourceEphemeralStorage:
		return p.demand.taken.storage
	}
	return p.demand.taken.scalars[v1.ResourceName(name)]
}

// ends says that the shortages end if the pods go.
func ends(shortages []Shortage, pods ...*podInfo) bool {
	for _, s := range shortages {
		missing := s.Missing()
		for _, p := range pods {
			missing -= p.takes(s.Resource)
		}
		if missing > 0 {
			return false
		}
	}
	return true
}

// size is how much a pod takes of what is missing, in thousandths of that, summed over the resources.
func size(p *podInfo, shortages []Shortage) int64 {
	var sum int64
	for _, s := range shortages {
		sum += p.takes(s.Resource) * 1000 / max(1, s.Missing())
	}
	return sum
}

// relief is size where more than what is missing of a resource counts for no more.
func relief(p *podInfo, shortages []Shortage) int64 {
	var sum int64
	for _, s := range shortages {
		sum += min(1000, p.takes(s.Resource)*1000/max(1, s.Missing()))
	}
	return sum
}

func freed(n *nodeInfo, pods ...*podInfo) []Change {
	var set []Change
	for _, p := range pods {
		ref := p.ref()
		set = append(set, Change{Kind: Free, Node: n.name, Pod: &ref})
	}
	return set
}

func waysPastSpread(c *cycle, n *nodeInfo, _ *NodeVerdict) [][]Change {
	for i := range c.hard {
		k := &c.hard[i]
		drop := []Change{{Kind: DropSpread, Key: k.key}}
		if !k.domains.has[n.pos] {
			if value, ok := k.emptiest(); ok && !given(k.key) {
				return [][]Change{{{Kind: Label, Node: n.name, Key: k.key, Value: value}}, drop}
			}
			return [][]Change{drop}
		}
		number := k.domains.domain[n.pos]
		skew := k.counts[number] + k.self - k.least
		if skew <= k.maxSkew {
			continue
		}
		ways := [][]Change{{{Kind: Skew, Key: k.key, From: k.maxSkew, To: skew}}, drop}
		counted := func(p *podInfo) bool {
			return p.pod.DeletionTimestamp == nil && p.pod.Namespace == c.pod.pod.Namespace && c.counts(k, p)
		}
		return append(ways, c.gone(domain{k.key, k.domains.values[number]}, n, int(skew-k.maxSkew), counted)...)
	}
	return nil
}

func (c *cycle) counts(k *spreadConstraint, p *podInfo) bool {
	one := counter{namespace: c.pod.pod.Namespace, selector: k.selector}
	return one.matches(p)
}

// emptiest is the domain with the fewest pods; of equals the first by name.
func (k *spreadConstraint) emptiest() (value string, ok bool) {
	var fewest int64
	for number, eligible := range k.eligible {
		name, count := k.domains.values[number], k.counts[number]
		if eligible && (!ok || count < fewest || count == fewest && name < value) {
			value, fewest, ok = name, count, true
		}
	}
	return value, ok
}

// mostGone is how many pods may be told to go at once.
const mostGone = 5

// gone are so many pods of a domain that would have to go, first those of the node itself; number 0: all of them.
func (c *cycle) gone(d domain, n *nodeInfo, number int, is func(*podInfo) bool) [][]Change {
	type one struct {
		p  *podInfo
		on *nodeInfo
	}
	var all []one
	for _, m := range c.s.nodes {
		if value, ok := m.label(d.key); !ok || value != d.value {
			continue
		}
		for _, p := range m.pods {
			if is(p) {
				all = append(all, one{p, m})
			}
		}
	}
	if number == 0 {
		number = len(all)
	} else {
		all = slices.DeleteFunc(all, func(a one) bool { return steadfast(a.p.pod) })
	}
	if number > mostGone || number > len(all) {
		return nil
	}
	slices.SortFunc(all, func(a, b one) int {
		return cmp.Or(compareBool(a.on == n, b.on == n), byName(a.p, b.p))
	})
	var set []Change
	for _, a := range all[:number] {
		if steadfast(a.p.pod) {
			return nil
		}
		set = append(set, freed(a.on, a.p)...)
	}
	return [][]Change{set}
}

// compareBool puts what is true first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func waysPastPods(c *cycle, n *nodeInfo, _ *NodeVerdict) [][]Change {
	if !c.nearEnough(n) {
		return c.waysNear(n)
	}
	if t := c.tooNear(n); t != nil {
		value, _ := n.label(t.key)
		drop := []Change{{Kind: DropAway, Key: t.key, Value: t.selector.String()}}
		return append(c.gone(domain{t.key, value}, n, 0, func(p *podInfo) bool { return c.matches(t, p) }), drop)
	}
	if d := c.notWanted(n); d.key != "" {
		return c.gone(d, n, 0, func(p *podInfo) bool {
			return slices.ContainsFunc(p.antiAffinity, func(t podTerm) bool {
				return t.key == d.key && t.matches(c.pod.pod, c.others.nsLabels)
			})
		})
	}
	return nil
}

// waysNear: into a domain where the pods are that the pod wants to be with, or without that wish.
func (c *cycle) waysNear(n *nodeInfo) [][]Change {
	for i := range c.pod.affinity {
		t := &c.pod.affinity[i]
		has, ok := n.label(t.key)
		if ok && c.others.near[domain{t.key, has}] > 0 {
			continue
		}
		drop := []Change{{Kind: DropNear, Key: t.key, Value: t.selector.String()}}
		first := ""
		for d, count := range c.others.near { // in any order: the first by name is taken
			if d.key == t.key && count > 0 && (first == "" || d.value < first) {
				first = d.value
			}
		}
		if first == "" || given(t.key) {
			return [][]Change{drop}
		}
		return [][]Change{{{Kind: Label, Node: n.name, Key: t.key, Value: first}}, drop}
	}
	return nil
}
