package bot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"timonier/content"
	"timonier/sim"
	"timonier/sim/scheduler"
	"timonier/sim/trace"
)

// verdictOn is the last decision that the trace remembers about the pods that match, and its step.
func verdictOn(cl *sim.Cluster, match func(trace.Ref) bool) (*scheduler.Verdict, trace.Step) {
	for _, s := range slices.Backward(cl.Trace().Steps()) {
		if v, ok := s.Detail.(*scheduler.Verdict); ok && match(s.Object) {
			return v, s
		}
	}
	return nil, trace.Step{}
}

// named matches pods by what a person calls them: a name, or a namespace and a name.
func named(word string) func(trace.Ref) bool {
	namespace, name, found := strings.Cut(word, "/")
	if !found {
		name = word
	}
	return func(r trace.Ref) bool { return r.Name == name && (!found || r.Namespace == namespace) }
}

// whyPod explains one decision of the scheduler. The pod is nil where it is gone;
// the verdict is nil where none is remembered.
func (c *call) whyPod(cl *sim.Cluster, name string, pod *corev1.Pod, v *scheduler.Verdict, step trace.Step, lens *content.Lens, all bool) Reply {
	if pod != nil && pod.Spec.NodeName == "" {
		v = cl.Explain(pod) // as things stand, not as they stood at the last try
	}
	title := c.say("why.podtitle", with{"Pod": name})
	if pod != nil && pod.Spec.NodeName == "" {
		title = c.say("why.waittitle", with{"Pod": name})
	}
	r := Reply{Blocks: []Block{Title{title}}}
	if pod != nil && pod.Spec.NodeName == "" {
		if unseen, ok := c.unseen(r, cl, name); ok {
			return unseen
		}
	}
	if v == nil || v.Outcome == scheduler.Bound {
		r.Blocks = append(r.Blocks, Text{c.say("why.old", with{"Pod": name, "Node": pod.Spec.NodeName})})
		return r.with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster")})
	}
	if lens.ID != content.Technique && step.ID != 0 {
		r.Blocks = append(r.Blocks, Quote{lens.Tell(c.course(), step)})
	}
	switch v.Outcome {
	case scheduler.Scheduled:
		r = c.whyThere(r, cl, name, pod, v, all)
	case scheduler.Gated:
		r.Blocks = append(r.Blocks, Text{c.say("why.gated", with{"Pod": name})}, Code{Text: v.Message})
	default:
		r = c.whyNowhere(r, name, v)
	}
	if v.Outcome != scheduler.Gated {
		r = c.withDrawing(r, c.say("draw.funnelbutton"), "funnel", name)
	}
	if pod != nil {
		r = c.otherNodes(r, cl, pod)
	}
	return c.otherLens(r.with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster")}), lens, c.typed("why", name))
}

// unseen says that a pod waits since nobody looks at it: what the scheduler would say does not matter then.
func (c *call) unseen(r Reply, cl *sim.Cluster, name string) (Reply, bool) {
	id, kind := "", ""
	switch {
	case cl.Server().Down():
		id, kind = "why.noserver", sim.APIServerDown
	case !cl.Etcd().Quorum:
		id, kind = "why.noquorum", sim.EtcdStopped
	case !anotherRuns(cl, fault{sim: sim.SchedulerDown}, ""):
		id, kind = "why.noscheduler", sim.SchedulerDown
	default:
		return r, false
	}
	r.Blocks = append(r.Blocks, Text{c.say(id, with{"Pod": name})})
	return c.withMends(r, cl, fault{sim: kind}), true
}

// whyThere explains a choice: who was refused, how the others scored, with which figures.
func (c *call) whyThere(r Reply, cl *sim.Cluster, name string, pod *corev1.Pod, v *scheduler.Verdict, all bool) Reply {
	id := "why.there"
	if pod != nil && pod.Spec.NodeName == "" {
		id = "why.soon"
	}
	if made := roomMade(cl, v); made != nil {
		return c.whyMadeRoom(r, name, v.Node, made)
	}
	text := c.say(id, with{"Pod": name, "Node": v.Node, "Total": v.Total, "Count": v.Feasible})
	if v.Feasible > 1 && len(v.Best) < 2 && id == "why.there" {
		text += " " + c.say("why.most", with{"Node": v.Node})
	}
	if refused := c.refusals(v); refused != "" {
		text += "\n\n" + c.say("why.refused") + "\n" + refused
	}
	r.Blocks = append(r.Blocks, Text{text})
	ranked := ranking(v)
	if len(ranked) < 2 || len(ranked[0].Scores) == 0 {
		r.Blocks = append(r.Blocks, Text{c.say("why.single", with{"Node": v.Node})})
		return r
	}
	r.Blocks = append(r.Blocks, c.scoreTable(ranked))
	if len(v.Best) > 1 {
		r.Blocks = append(r.Blocks, Text{c.say("why.tie", with{"Nodes": c.list(codes(v.Best)), "Node": v.Node})})
	}
	r.Blocks = append(r.Blocks, Text{c.say("why.formula")}, Code{Text: c.formulas(ranked, all)})
	if !all {
		r = r.with(Button{Label: c.say("why.details"), Line: c.typed("why", name, details.in(c.words))})
	}
	return r
}

// roomMade is the decision to make room for a pod that it then took; nil if there was room.
func roomMade(cl *sim.Cluster, v *scheduler.Verdict) *scheduler.Verdict {
	for _, s := range slices.Backward(cl.Trace().Steps()) {
		if made, ok := s.Detail.(*scheduler.Verdict); ok && made.Pod == v.Pod && made.Preemption != nil {
			if made.Preemption.Node == v.Node {
				return made
			}
			return nil
		}
	}
	return nil
}

// whyMadeRoom explains a pod that is where it is since others had to go.
func (c *call) whyMadeRoom(r Reply, name, node string, made *scheduler.Verdict) Reply {
	r.Blocks = append(r.Blocks, Text{c.say("why.roommade", with{"Pod": name, "Node": node, "Names": c.victims(made.Preemption)})})
	if refused := c.refusals(made); refused != "" {
		r.Blocks = append(r.Blocks, Text{c.say("why.refusedthen") + "\n" + refused})
	}
	return r
}

// victims are the pods that must go, by name.
func (c *call) victims(p *scheduler.Preemption) string {
	var names []string
	for _, victim := range p.Victims {
		names = append(names, "`"+victim.Name+"`")
	}
	return c.list(names)
}

// ranking is the nodes that could take the pod, the chosen one first, then by points.
func ranking(v *scheduler.Verdict) []scheduler.NodeVerdict {
	var out []scheduler.NodeVerdict
	for _, n := range v.Nodes {
		if n.Feasible() {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b scheduler.NodeVerdict) int {
		chosen := func(n scheduler.NodeVerdict) int {
			if n.Name == v.Node {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(chosen(a), chosen(b)), -cmp.Compare(a.Total, b.Total), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// shown is how many nodes' scores fit side by side.
const shown = 4

func (c *call) scoreTable(ranked []scheduler.NodeVerdict) Table {
	ranked = ranked[:min(shown, len(ranked))]
	t := Table{Columns: []string{c.say("why.rule")}}
	total := []string{"**" + c.say("why.total") + "**"}
	for _, n := range ranked {
		t.Columns = append(t.Columns, n.Name)
		total = append(total, fmt.Sprintf("**%d**", n.Total))
	}
	for i, s := range ranked[0].Scores {
		row := []string{s.Plugin}
		for _, n := range ranked {
			cell := ""
			if i < len(n.Scores) {
				cell = fmt.Sprintf("%d × %d", n.Scores[i].Score, n.Scores[i].Weight)
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	t.Rows = append(t.Rows, total)
	return t
}

// formulas are the figures put into the formulas: all of them for the chosen node;
// for the others where they differ from its own, unless all are asked for.
func (c *call) formulas(ranked []scheduler.NodeVerdict, all bool) string {
	var b strings.Builder
	for i, n := range ranked[:min(shown, len(ranked))] {
		var part strings.Builder
		for j, s := range n.Scores {
			if i > 0 && !all && j < len(ranked[0].Scores) && ranked[0].Scores[j].Score == s.Score {
				continue
			}
			fmt.Fprintf(&part, "  %s  %d × %d = %d\n", s.Plugin, s.Score, s.Weight, s.Weighted)
			for _, line := range c.formula(s) {
				fmt.Fprintf(&part, "    %s\n", line)
			}
		}
		if part.Len() > 0 {
			fmt.Fprintf(&b, "%s\n%s", n.Name, part.String())
		}
	}
	return b.String()
}

// whyNowhere explains why no node fits, and what would make one fit.
func (c *call) whyNowhere(r Reply, name string, v *scheduler.Verdict) Reply {
	r.Blocks = append(r.Blocks, Text{c.say("why.nowhere", with{"Pod": name, "Count": v.Total})}, Code{Text: v.Message})
	if v.PreFilter != nil {
		r.Blocks = append(r.Blocks, Text{c.say("why.outright", with{"Plugin": v.PreFilter.Plugin, "Reasons": strings.Join(v.PreFilter.Reasons, "; ")})})
	}
	if refused := c.refusals(v); refused != "" {
		r.Blocks = append(r.Blocks, Text{c.say("why.refused") + "\n" + refused})
	}
	if p := v.Preemption; p != nil {
		r.Blocks = append(r.Blocks, Text{c.say("why.preempts", with{"Node": p.Node, "Names": c.victims(p)})})
	}
	if help := c.remedies(v); help != "" {
		r.Blocks = append(r.Blocks, Text{c.say("remedy.title") + "\n" + help})
	}
	return r
}

// refusals says, node by node, which filter refused and over what. Nodes refused
// for the same are told together.
func (c *call) refusals(v *scheduler.Verdict) string {
	return c.byNode(v, func(n scheduler.NodeVerdict) string {
		said := c.obstacles(n)
		if len(said) == 0 {
			for _, r := range n.Reasons {
				said = append(said, "`"+r+"`")
			}
		}
		return strings.Join(said, "; ") + " *(" + n.Plugin + ")*"
	})
}

// byNode is a list of what is said about the refused nodes, equal texts once.
func (c *call) byNode(v *scheduler.Verdict, say func(scheduler.NodeVerdict) string) string {
	names := map[string][]string{}
	var texts []string
	for _, n := range v.Nodes {
		if n.Feasible() {
			continue
		}
		text := say(n)
		if text == "" {
			continue
		}
		if names[text] == nil {
			texts = append(texts, text)
		}
		names[text] = append(names[text], n.Name)
	}
	var b strings.Builder
	for _, text := range texts {
		fmt.Fprintf(&b, "- %s%s%s\n", c.nodeNames(names[text]), c.say("help.sep"), text)
	}
	return b.String()
}

// nodeNames lists nodes, some of them where there are many.
func (c *call) nodeNames(names []string) string {
	const most = 4
	if len(names) <= most {
		return c.list(codes(names))
	}
	return c.say("why.nodes", with{"Names": strings.Join(codes(names[:most]), ", "), "Count": len(names) - most})
}

func codes(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = "`" + n + "`"
	}
	return out
}
