package scheduler

import (
	"math/rand/v2"
	"slices"
	"time"
)

// cycle is one decision under way: the pod, what the plugins have worked out about
// it, and what has been found so far. One is used again for pod after pod, so that a
// decision allocates little; nothing in it outlives the decision.
type cycle struct {
	profile [rowCount]plugin
	s       *Snapshot
	rand    *rand.Rand // draws among equals; nil: the first by name
	now     time.Time
	start   int  // position of the node to look at first
	all     bool // look at all nodes, however many fit

	pod      *podInfo
	filters  pluginSet // that have something to say
	asked    []int     // the same, in their order
	scorers  pluginSet
	pinned   []string // the only nodes that come into question; nil: all
	feasible []*nodeInfo
	refusals []nodeRefusal
	outright *nodeRefusal // before any node was looked at
	scores   [rowCount][]int64
	raws     [rowCount][]int64
	totals   []int64
	// ineligible says that the pod may not have room made for it, or waits for room already.
	ineligible bool
	best       []int // positions in feasible

	// What the plugins know.
	demand      nodeDemand // NodeAffinity
	preferences []nodeTerm // NodeAffinity
	hard, soft  []spreadConstraint
	ignored     []bool      // PodTopologySpread: by position in feasible, lacks a key
	ownSoft     bool        // PodTopologySpread: soft are the pod's own, not the built-in ones
	others      podAffinity // InterPodAffinity
	points      []points    // InterPodAffinity
	images      []string    // ImageLocality: the pod's, as far as they are on some node
	imageCount  int64

	figures []Figure // of the score being written
	packed  []byte   // those of the verdict being written
	cuts    []int    // where each score's end in packed
}

// nodeRefusal is a node and the plugin that refused it.
type nodeRefusal struct {
	node *nodeInfo
	row  int
	refusal
}

func newCycle(s *Snapshot) *cycle { return &cycle{profile: profile(), s: s} }

// begin forgets the decision before.
func (c *cycle) begin(p *podInfo, now time.Time) {
	c.s.arrange()
	c.pod, c.now = p, now
	c.pinned, c.outright, c.ineligible = nil, nil, false
	c.feasible, c.refusals, c.best = c.feasible[:0], c.refusals[:0], c.best[:0]
}

// find looks for nodes that fit, and scores them where there is a choice. After it,
// feasible, refusals, outright and best hold what was found.
func (c *cycle) find() {
	if !c.prepare() {
		return
	}
	if !c.tryNominated() {
		c.look()
	}
	switch len(c.feasible) {
	case 0:
	case 1:
		c.best = append(c.best, 0) // no choice: nothing is scored
	default:
		c.score()
	}
}

// prepare lets the plugins look at the whole cluster; false: one of them refuses the pod outright.
func (c *cycle) prepare() bool {
	c.filters, c.asked = 0, c.asked[:0]
	for row := range c.profile {
		p := &c.profile[row]
		if p.filter == nil {
			continue
		}
		if p.preFilter != nil {
			has, r := p.preFilter(c)
			if r.refused() {
				c.outright = &nodeRefusal{row: row, refusal: r}
				return false
			}
			if !has {
				continue
			}
		}
		c.filters.add(row)
		c.asked = append(c.asked, row)
	}
	return true
}

// tryNominated tries the node first on which room was made for the pod. If it fits, no other is looked at.
func (c *cycle) tryNominated() bool {
	n := c.s.node(c.pod.pod.Status.NominatedNodeName)
	if n == nil {
		return false
	}
	if _, r := c.refuse(n); r.refused() {
		return false
	}
	c.feasible = append(c.feasible, n)
	return true
}

// look goes through the nodes, from where the last decision stopped, until enough fit.
func (c *cycle) look() {
	all := len(c.s.nodes)
	if all == 0 {
		return
	}
	nodes := c.s.nodes
	if c.pinned != nil {
		nodes = make([]*nodeInfo, 0, len(c.pinned))
		for _, name := range c.pinned {
			if n := c.s.node(name); n != nil {
				nodes = append(nodes, n)
			}
		}
	}
	enough := nodesToFind(len(nodes))
	if c.all {
		enough = len(nodes)
	}
	for i := range nodes {
		n := nodes[(c.start+i)%len(nodes)]
		if row, r := c.refuse(n); r.refused() {
			c.refusals = append(c.refusals, nodeRefusal{n, row, r})
			continue
		}
		if c.feasible = append(c.feasible, n); len(c.feasible) == enough {
			break
		}
	}
	c.start = (c.start + len(c.feasible) + len(c.refusals)) % all
}

// nodesToFind is how many feasible nodes are enough: all of up to 100; else 50 % less one for
// each 125 nodes, 5 % at least, and 100 nodes at least (Kubernetes 1.37
// pkg/scheduler/schedule_one.go, numFeasibleNodesToFind).
func nodesToFind(nodes int) int {
	const least, leastPercentage = 100, 5
	if nodes < least {
		return nodes
	}
	return max(least, nodes*max(leastPercentage, 50-nodes/125)/100)
}

// refuse asks the filters about a node. Pods for which room was made there count as
// if they were there, unless this one is more important; and the node must also do without them.
func (c *cycle) refuse(n *nodeInfo) (row int, r refusal) {
	if waiting := c.s.nominated[n.name]; len(waiting) > 0 {
		if row, r, added := c.refuseWith(waiting, n); added && r.refused() {
			return row, r
		}
	}
	return c.ask(n)
}

func (c *cycle) refuseWith(waiting []*podInfo, n *nodeInfo) (row int, r refusal, added bool) {
	trial := n.clone()
	var guests []*podInfo
	for _, p := range waiting {
		if p.priority >= c.pod.priority && p.pod.UID != c.pod.pod.UID {
			guests = append(guests, p)
			c.give(p, trial)
		}
	}
	if len(guests) == 0 {
		return 0, refusal{}, false
	}
	row, r = c.ask(trial)
	for _, p := range guests {
		c.update(p, n, -1)
	}
	return row, r, true
}

func (c *cycle) ask(n *nodeInfo) (row int, r refusal) {
	for _, row := range c.asked {
		if r := c.profile[row].filter(c, n); r.refused() {
			return row, r
		}
	}
	return 0, refusal{}
}

// update tells the filters of a pod that comes or goes while things are tried out.
func (c *cycle) update(p *podInfo, n *nodeInfo, sign int64) {
	for row := range c.profile {
		if update := c.profile[row].update; update != nil && c.filters.has(row) {
			update(c, p, n, sign)
		}
	}
}

// score gives every feasible node its points, and notes those with the most.
func (c *cycle) score() {
	c.scorers = 0
	c.totals = resized(c.totals, len(c.feasible))
	clear(c.totals)
	for row := range c.profile {
		p := &c.profile[row]
		if p.score == nil || p.preScore != nil && !p.preScore(c) {
			continue
		}
		c.scorers.add(row)
		raw := resized(c.raws[row], len(c.feasible))
		for i, n := range c.feasible {
			raw[i] = p.score(c, n)
		}
		normal := raw
		if p.normalize != nil {
			normal = resized(c.scores[row], len(c.feasible))
			p.normalize(c, raw, normal)
			c.scores[row] = normal
		}
		c.raws[row] = raw
		for i := range normal {
			c.totals[i] += normal[i] * p.weight
		}
	}
	most := slices.Max(c.totals)
	for i, total := range c.totals {
		if total == most {
			c.best = append(c.best, i)
		}
	}
}

// normal are the normalised scores of a plugin that has scored.
func (c *cycle) normal(row int) []int64 {
	if c.profile[row].normalize == nil {
		return c.raws[row]
	}
	return c.scores[row]
}

func resized(list []int64, n int) []int64 {
	if cap(list) < n {
		return make([]int64, n)
	}
	return list[:n]
}

// choose draws one of the best; nil: no node fits.
func (c *cycle) choose() *nodeInfo {
	switch {
	case len(c.best) == 0:
		return nil
	case len(c.best) == 1:
		return c.feasible[c.best[0]]
	case c.rand != nil:
		return c.feasible[c.best[c.rand.IntN(len(c.best))]]
	}
	first := c.feasible[c.best[0]]
	for _, i := range c.best {
		if c.feasible[i].name < first.name {
			first = c.feasible[i]
		}
	}
	return first
}

// message is why no node fits.
func (c *cycle) message(preemption string) string {
	if len(c.s.nodes) == 0 {
		return ErrNoNodes.Error()
	}
	if c.outright != nil {
		// The tail is the real scheduler's: PostFilter of DynamicResources finds no state, and its error ends the message.
		return fitPrefix(len(c.s.nodes)) + " " + c.outright.reason + ". not found"
	}
	reasons := map[string]int{}
	for i := range c.refusals {
		reasons[c.refusals[i].reason]++
		for _, more := range c.refusals[i].more {
			reasons[more]++
		}
	}
	if absent := len(c.s.nodes) - len(c.refusals); absent > 0 && c.pinned != nil {
		reasons[pinnedReason] += absent
	}
	return fitMessage(len(c.s.nodes), reasons) + " preemption: " + preemption
}

// pinnedReason is why nodes that the pod does not name are not even looked at.
const pinnedReason = "node(s) didn't satisfy plugin(s) [NodeAffinity]"

// rejectors are the plugins that have refused: only what changes their mind makes a new try worthwhile.
func (c *cycle) rejectors() pluginSet {
	var set pluginSet
	if c.outright != nil {
		set.add(c.outright.row)
		return set
	}
	if c.pinned != nil {
		set.add(rowNodeAffinity)
	}
	for i := range c.refusals {
		set.add(c.refusals[i].row)
	}
	return set
}
