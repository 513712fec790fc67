package bot

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"timonier/bot/picture"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/scheduler"
	"timonier/sim/trace"
)

// drawFunnel is /schéma entonnoir: the scheduler's last decision; with a pod, the one about it.
func drawFunnel(c *call, cl *sim.Cluster, word string) (Reply, error) {
	if word == "" {
		v, step := verdictOn(cl, func(trace.Ref) bool { return true })
		if v == nil {
			return c.mistake("draw.nodecision").with(createButton()), nil
		}
		return c.funnel(cl, step.Object.Name, c.fresh(cl, v)), nil
	}
	pods := c.findPods(cl, word)
	switch len(pods) {
	case 0:
		if v, _ := verdictOn(cl, named(word)); v != nil { // it is gone; the decision is remembered
			return c.funnel(cl, word, v), nil
		}
		return c.redrawn(c.noPod(cl, word), "funnel"), nil
	case 1:
		v, _ := verdictOn(cl, func(r trace.Ref) bool { return r.UID == pods[0].UID })
		if pods[0].Spec.NodeName == "" {
			v = cl.Explain(pods[0])
		}
		if v == nil || v.Outcome == scheduler.Bound {
			r := c.mistake("why.old", with{"Pod": podName(pods[0]), "Node": pods[0].Spec.NodeName})
			return r.with(c.drawButton(c.say("draw.cluster"), findName("cluster").in(c.words))), nil
		}
		return c.funnel(cl, podName(pods[0]), v), nil
	}
	r := Reply{Blocks: []Block{Text{c.say("why.which", with{"Word": shorten(word)})}}}
	for _, p := range pods[:min(5, len(pods))] {
		r = r.with(c.drawButton(podName(p), findName("funnel").in(c.words), podName(p)))
	}
	return r, nil
}

// findName is a picture's name.
func findName(word string) name {
	d, _ := findDrawing(word)
	return d.name
}

// redrawn turns buttons that explain pods into buttons that draw.
func (c *call) redrawn(r Reply, picture string) Reply {
	for i, b := range r.Buttons {
		if pod, ok := strings.CutPrefix(b.Line, c.typed("why")+" "); ok {
			r.Buttons[i].Line = c.typed("diagram", findName(picture).in(c.words), pod)
		}
	}
	return r
}

// fresh is the verdict as things stand, of a pod that still waits.
func (c *call) fresh(cl *sim.Cluster, v *scheduler.Verdict) *scheduler.Verdict {
	if p, ok := apiserver.Get[*corev1.Pod](cl.Client(), v.Pod.Namespace, v.Pod.Name); ok && p.UID == v.Pod.UID && p.Spec.NodeName == "" {
		return cl.Explain(p)
	}
	return v
}

func (c *call) funnel(cl *sim.Cluster, pod string, v *scheduler.Verdict) Reply {
	if v.Outcome == scheduler.Gated {
		return c.mistake("why.gated", with{"Pod": pod}).with(Button{Label: c.say("button.why"), Line: c.typed("why", pod)})
	}
	d := c.funnelDrawing(pod, v)
	r := Reply{Blocks: []Block{c.drawn("funnel", d, c.funnelAlt(d))}}
	return r.with(Button{Label: c.say("button.why"), Line: c.typed("why", pod), Style: Primary}).
		with(c.drawButton(c.say("draw.cluster"), findName("cluster").in(c.words)))
}

// mostScored is how many nodes' points are drawn.
const mostScored = 6

func (c *call) funnelDrawing(pod string, v *scheduler.Verdict) picture.Funnel {
	d := picture.Funnel{Title: c.say("draw.funneltitle", with{"Pod": c.podWord(pod)}), In: v.Evaluated, Score: c.say("draw.score"), Tone: picture.Good}
	if v.PreFilter != nil {
		d.In = v.Total
	}
	d.InText = c.say("draw.nodes", with{"Count": d.In})
	d.Sieves = c.sieves(v)
	for _, n := range ranking(v) {
		if len(d.Scored) < mostScored {
			d.Scored = append(d.Scored, picture.Scored{Name: c.nodeWord(n.Name), Total: n.Total, Chosen: n.Name == v.Node})
		}
	}
	if len(d.Scored) == 1 { // a single node is not scored
		d.Scored = nil
	}
	node := c.nodeWord(v.Node)
	switch {
	case v.Node != "" && c.madeRoom(v):
		d.Result = c.say("draw.reserved", with{"Node": node})
	case v.Node != "" && v.Feasible == 1:
		d.Result = c.say("draw.only", with{"Node": node})
	case v.Node != "" && len(v.Best) > 1:
		d.Result = c.say("draw.tie", with{"Node": node, "Count": len(v.Best)})
	case v.Node != "":
		d.Result = c.say("draw.chosen", with{"Node": node})
	case v.Preemption != nil:
		d.Result, d.Tone = c.say("draw.makesroom", with{"Node": c.nodeWord(v.Preemption.Node), "Count": len(v.Preemption.Victims)}), picture.Waiting
	default:
		d.Result, d.Tone = c.say("draw.nowhere"), picture.Bad
	}
	if left := v.Total - d.In; left > 0 && !c.madeRoom(v) {
		d.Note = c.say("draw.notlooked", with{"Count": left})
	}
	return d
}

// madeRoom says that the node that was chosen is the one on which room was made for the pod before: no other is looked
// at then.
func (c *call) madeRoom(v *scheduler.Verdict) bool {
	cl := c.channel.cluster
	if cl == nil || v.Evaluated != 1 || v.Feasible != 1 || v.Total == 1 {
		return false
	}
	return slices.ContainsFunc(cl.Trace().Steps(), func(s trace.Step) bool {
		before, ok := s.Detail.(*scheduler.Verdict)
		return ok && before.Pod.UID == v.Pod.UID && before.Preemption != nil && before.Preemption.Node == v.Node
	})
}

// sieves are the filters that took nodes out, one by one; those between them that let all pass are one.
func (c *call) sieves(v *scheduler.Verdict) (out []picture.Sieve) {
	left, passed := v.Evaluated, 0
	if v.PreFilter != nil {
		who := c.say("draw.everynode")
		return []picture.Sieve{{Label: v.PreFilter.Plugin, OutText: c.say("draw.nodes", with{"Count": 0}), Removed: []picture.Removed{{Who: who, Why: strings.Join(v.PreFilter.Reasons, "; ")}}}}
	}
	pass := func() {
		if passed > 0 {
			out = append(out, picture.Sieve{Label: c.say("draw.pass", with{"Count": passed}), Out: left})
		}
		passed = 0
	}
	for _, filter := range scheduler.Filters() {
		var removed []scheduler.NodeVerdict
		for _, n := range v.Nodes {
			if n.Plugin == filter {
				removed = append(removed, n)
			}
		}
		if len(removed) == 0 {
			passed++
			continue
		}
		pass()
		left -= len(removed)
		out = append(out, picture.Sieve{Label: filter, Out: left, Removed: c.removed(removed)})
		if left == 0 { // the filters that follow were not asked
			break
		}
	}
	pass()
	for i := range out {
		out[i].OutText = c.say("draw.nodes", with{"Count": out[i].Out})
	}
	return out
}

// removed groups refused nodes by the reason.
func (c *call) removed(nodes []scheduler.NodeVerdict) (out []picture.Removed) {
	const most = 4 // reasons of one filter
	who := map[string][]string{}
	var reasons []string
	for _, n := range nodes {
		said := c.obstaclesOf(n)
		if who[said] == nil {
			reasons = append(reasons, said)
		}
		who[said] = append(who[said], c.nodeWord(n.Name))
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return len(who[b]) - len(who[a]) })
	for i, said := range reasons {
		if i == most {
			rest := 0
			for _, other := range reasons[i:] {
				rest += len(who[other])
			}
			return append(out, picture.Removed{Who: c.say("draw.nodes", with{"Count": rest}), Why: c.say("draw.otherwise")})
		}
		names := who[said]
		if len(names) > 3 {
			names = append(slices.Clone(names[:2]), c.say("draw.others", with{"Count": len(who[said]) - 2}))
		}
		out = append(out, picture.Removed{Who: c.list(names), Why: said})
	}
	return out
}

// obstaclesOf is what the filter that refused a node had against it, without what later ones would have had.
func (c *call) obstaclesOf(n scheduler.NodeVerdict) string {
	own := scheduler.NodeVerdict{Name: n.Name, Plugin: n.Plugin}
	switch n.Plugin {
	case "NodeResourcesFit":
		own.Shortages = n.Shortages
	case "NodeUnschedulable":
		own.Taints = slices.DeleteFunc(slices.Clone(n.Taints), func(t scheduler.Taint) bool { return t.Key != taintCordoned })
	case "TaintToleration":
		own.Taints = n.Taints
	case "NodeAffinity", "NodeName":
		own.Terms = n.Terms
	case "NodePorts":
		own.Ports = n.Ports
	case "PodTopologySpread":
		own.Spread = n.Spread
	case "InterPodAffinity":
		own.Affinity = n.Affinity
	}
	if said := c.obstacles(own); len(said) > 0 {
		return bare(strings.Join(said, "; "))
	}
	return strings.Join(n.Reasons, "; ")
}

// funnelAlt says what the drawing shows.
func (c *call) funnelAlt(d picture.Funnel) string {
	text := []string{d.Title + ".", c.say("draw.funnelalt", with{"Nodes": d.InText})}
	for _, s := range d.Sieves {
		for _, r := range s.Removed {
			text = append(text, c.say("draw.removedalt", with{"Plugin": s.Label, "Nodes": r.Who, "Why": r.Why}))
		}
	}
	var points []string
	for _, s := range d.Scored {
		points = append(points, c.say("draw.points", with{"Node": s.Name, "Points": s.Total}))
	}
	if len(points) > 0 {
		text = append(text, c.say("draw.scorealt", with{"Points": c.list(points)}))
	}
	text = append(text, d.Result)
	if d.Note != "" {
		text = append(text, d.Note)
	}
	return strings.Join(text, " ")
}

func podNames(_ *call, cl *sim.Cluster) (out []string) {
	for p := range apiserver.List[*corev1.Pod](cl.Client(), "") {
		out = append(out, podName(p))
	}
	return out
}

func nodeNames(_ *call, cl *sim.Cluster) (out []string) {
	for n := range apiserver.List[*corev1.Node](cl.Client(), "") {
		out = append(out, n.Name)
	}
	return out
}
