package scheduler

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
)

// gatedMessage is written by the API server, not by the scheduler (Kubernetes 1.37
// pkg/registry/core/pod/strategy.go, applySchedulingGatedCondition).
const gatedMessage = "Scheduling is blocked due to non-empty scheduling gates"

// Decide decides about a pod, with all details, and changes nothing. Of equally good
// nodes the first by name is chosen. Pods without a start time count as started now. All nodes are looked at: in a cluster of more
// than 100, where the scheduler itself stops once it has found enough, where it happens to begin says nothing about the pod.
func (s *Snapshot) Decide(pod *v1.Pod, now time.Time) *Verdict {
	c := newCycle(s)
	c.all = true
	return c.decide(newPodInfo(pod), now)
}

func (c *cycle) decide(p *podInfo, now time.Time) *Verdict {
	c.s.arrange()
	pod := p.pod
	if pod.Spec.NodeName != "" {
		return &Verdict{Pod: refOf(pod), Outcome: Bound, Node: pod.Spec.NodeName, Total: len(c.s.nodes)}
	}
	if len(pod.Spec.SchedulingGates) > 0 {
		return &Verdict{Pod: refOf(pod), Outcome: Gated, PreFilter: gates(pod), Message: gatedMessage, Total: len(c.s.nodes)}
	}
	c.begin(p, now)
	c.find()
	v := c.verdict(true)
	if chosen := c.choose(); chosen != nil {
		v.Outcome, v.Node = Scheduled, chosen.name
		return v
	}
	c.unplaced(v)
	return v
}

// unplaced says why no node fits, and where room could be made.
func (c *cycle) unplaced(v *Verdict) (room *victims) {
	v.Outcome = Unschedulable
	text := ""
	if c.outright == nil && len(c.s.nodes) > 0 {
		var all []victims
		if room, all, text = c.preempt(); room != nil {
			v.Preemption = &Preemption{Candidate: room.candidate()}
			for i := range all {
				v.Preemption.Candidates = append(v.Preemption.Candidates, all[i].candidate())
			}
		}
	}
	v.Message = c.message(text)
	return room
}

func (v *victims) candidate() Candidate {
	k := Candidate{Node: v.node.name, PDBViolations: v.violations}
	for _, p := range v.pods {
		k.Victims = append(k.Victims, p.ref())
	}
	return k
}

// gates is the refusal of a pod with scheduling gates (Kubernetes 1.37
// pkg/scheduler/framework/plugins/schedulinggates).
func gates(pod *v1.Pod) *Rejection {
	names := make([]string, len(pod.Spec.SchedulingGates))
	for i := range pod.Spec.SchedulingGates {
		names[i] = pod.Spec.SchedulingGates[i].Name
	}
	return &Rejection{"SchedulingGates", Unresolvable, []string{fmt.Sprintf("waiting for scheduling gates: %v", names)}}
}

// figuresFor is how many nodes get the figures behind their scores: those with the most points.
const figuresFor = 12

// verdict writes down what find has found; with details also node by node.
func (c *cycle) verdict(details bool) *Verdict {
	v := &Verdict{Pod: c.pod.ref(), Total: len(c.s.nodes), Feasible: len(c.feasible), Evaluated: len(c.feasible) + len(c.refusals)}
	if c.outright != nil {
		v.PreFilter = &Rejection{c.profile[c.outright.row].name, c.outright.code, c.outright.reasons()}
	}
	if !details {
		return v
	}
	for _, i := range c.best {
		v.Best = append(v.Best, c.feasible[i].name)
	}
	slices.Sort(v.Best)
	if c.outright == nil {
		c.describe(v)
	}
	return v
}

// found is a node of the verdict: by position in feasible or in refusals, -1: not there.
type found struct {
	node              *nodeInfo
	feasible, refusal int
}

// describe writes down node by node, in the order of names.
func (c *cycle) describe(v *Verdict) {
	order := make([]found, 0, len(c.s.nodes))
	for i, n := range c.feasible {
		order = append(order, found{n, i, -1})
	}
	for i := range c.refusals {
		order = append(order, found{c.refusals[i].node, -1, i})
	}
	for _, n := range c.s.nodes {
		if c.pinned != nil && !slices.Contains(c.pinned, n.name) {
			order = append(order, found{n, -1, -1}) // not looked at: the pod names others
		}
	}
	slices.SortFunc(order, func(a, b found) int { return strings.Compare(a.node.name, b.node.name) })

	v.Nodes = make([]NodeVerdict, len(order))
	scores := c.pointsTable()
	for i, f := range order {
		n := &v.Nodes[i]
		n.Name = f.node.name
		switch {
		case f.feasible >= 0:
			scores(f.feasible, n)
		case f.refusal >= 0:
			c.describeRefused(&c.refusals[f.refusal], n)
		default:
			n.Plugin, n.Code, n.Reasons = c.profile[rowNodeAffinity].name, Unresolvable, []string{pinnedReason}
			termsInTheWay(c, f.node, n)
		}
	}
	c.cutFigures(v)
}

// cutFigures gives each score its piece of the packed figures: one string for the whole verdict.
func (c *cycle) cutFigures(v *Verdict) {
	packed, from, k := Figures(c.packed), 0, 0
	for i := range v.Nodes {
		for j := range v.Nodes[i].Scores {
			v.Nodes[i].Scores[j].Figures = packed[from:c.cuts[k]]
			from, k = c.cuts[k], k+1
		}
	}
	c.packed, c.cuts = c.packed[:0], c.cuts[:0]
}

// pointsTable gives what fills in the scores of feasible nodes.
func (c *cycle) pointsTable() func(i int, n *NodeVerdict) {
	if len(c.feasible) < 2 {
		return func(int, *NodeVerdict) {} // no choice: nothing was scored
	}
	detailed := c.mostPoints(figuresFor)
	all := make([]Score, 0, bits.OnesCount32(uint32(c.scorers))*len(c.feasible)) // of all nodes, cut into pieces
	return func(i int, n *NodeVerdict) {
		from := len(all)
		for row := range c.profile {
			if !c.scorers.has(row) {
				continue
			}
			p, normal := &c.profile[row], c.normal(row)
			s := Score{Plugin: p.name, Raw: c.raws[row][i], Score: normal[i], Weight: p.weight, Weighted: normal[i] * p.weight}
			if detailed[i] {
				c.figures = p.figures(c, i, c.raws[row], c.figures[:0])
				c.packed = packFigures(c.packed, c.figures)
			}
			c.cuts = append(c.cuts, len(c.packed))
			all = append(all, s)
		}
		n.Total, n.Scores = c.totals[i], all[from:len(all):len(all)]
	}
}

// mostPoints marks so many of the feasible nodes, those with the highest totals; of equals the first by name.
func (c *cycle) mostPoints(number int) []bool {
	order := make([]int, len(c.feasible))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(c.totals[j], c.totals[i]), strings.Compare(c.feasible[i].name, c.feasible[j].name))
	})
	marked := make([]bool, len(order))
	for _, i := range order[:min(number, len(order))] {
		marked[i] = true
	}
	return marked
}

// describeRefused adds what stands in the way, also for the filters after the one that refused first.
func (c *cycle) describeRefused(r *nodeRefusal, v *NodeVerdict) {
	v.Plugin, v.Code, v.Reasons = c.profile[r.row].name, r.code, r.reasons()
	for row := r.row; row < rowCount; row++ {
		p := &c.profile[row]
		if !c.filters.has(row) {
			continue
		}
		if row > r.row {
			also := p.filter(c, r.node)
			if !also.refused() {
				continue
			}
			v.Also = append(v.Also, Rejection{p.name, also.code, also.reasons()})
		}
		if p.obstacles != nil {
			p.obstacles(c, r.node, v)
		}
	}
}
