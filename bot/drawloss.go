package bot

import (
	"cmp"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"

	"timonier/bot/picture"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// What Kubernetes waits for by default: until a silent node is given up, and until its pods are.
const (
	usualGrace      = 50 * time.Second
	usualToleration = 300 * time.Second
)

// drawLoss is /schéma perte NŒUD: how a node was lost, measured; without a loss, how one is lost.
func drawLoss(c *call, cl *sim.Cluster, word string) (Reply, error) {
	node := nearestTarget(cl.Targets(sim.NodeSilent), targetOf(word))
	if node != "" && !slices.Contains(cl.Targets(sim.NodeSilent), node) {
		r := c.mistake("draw.nonode", with{"Word": shorten(node)})
		for _, n := range cl.Targets(sim.NodeSilent)[:min(5, len(cl.Targets(sim.NodeSilent)))] {
			r = r.with(c.drawButton(n, findName("loss").in(c.words), n))
		}
		return r, nil
	}
	l := lossOf(cl, node)
	if l == nil {
		return c.lossInPrinciple(cl, node), nil
	}
	d := c.lossDrawing(cl, l)
	r := Reply{Blocks: []Block{c.drawn("loss", d, c.timelineAlt(d))}}
	if next := l.next(); next > 0 {
		r = r.with(Button{Label: c.say("time.on", with{"Span": c.span(next)}), Line: c.forward(next), Style: Primary}).
			with(c.drawButton(c.say("draw.again"), findName("loss").in(c.words), l.node))
	}
	for _, kind := range []string{sim.NodeSilent, sim.NodeOff, sim.KubeletDown} {
		if isBroken(cl, kind, l.node) {
			r = r.with(c.mendButton(sim.Fault{Name: kind, Target: l.node}))
		}
	}
	return r.with(c.drawButton(c.say("draw.cluster"), findName("cluster").in(c.words))), nil
}

// loss is the loss of a node, as the trace tells of it. A moment that has not come is zero.
type loss struct {
	node                                string
	heartbeat, broken, lost             time.Time
	evicted, created, replaced, healthy time.Time
	pods                                int // that were on the node when it was evicted, or are
	now                                 time.Time
	grace                               time.Duration
	toleration                          time.Duration
	blind                               bool // nobody is there who would notice, or write it down
	still                               bool // no node is well: nobody is evicted
}

// breaksNode says that a fault silences a node.
func breaksNode(fault string) bool {
	return slices.Contains([]string{sim.NodeSilent, sim.NodeOff, sim.KubeletDown}, fault)
}

// lossOf is the last loss of a node that the trace remembers, of any node where none is named; one that has begun
// counts. Nil: none.
func lossOf(cl *sim.Cluster, node string) *loss {
	steps := cl.Trace().Steps()
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		change, broke := s.Detail.(trace.FaultChange)
		_, lost := s.Detail.(trace.NodeHealth)
		broke = broke && s.Kind == trace.Fault && breaksNode(change.Fault)
		lost = lost && s.Kind == trace.NodeLost
		name := s.Object.Name
		if broke {
			name = change.Target
		}
		if node != "" && name != node || !broke && !lost {
			continue
		}
		if lost { // the fault before it, where it is kept
			for j := i - 1; j >= 0; j-- {
				if change, ok := steps[j].Detail.(trace.FaultChange); ok && steps[j].Kind == trace.Fault && breaksNode(change.Fault) && change.Target == name {
					i = j
					break
				}
			}
		}
		l := &loss{node: name, now: cl.Now(), grace: usualGrace, toleration: usualToleration}
		l.follow(cl, steps[i:])
		return l
	}
	return nil
}

// follow reads the moments of a loss out of the steps from its beginning on.
func (l *loss) follow(cl *sim.Cluster, steps []trace.Step) {
	l.blind = cl.Server().Down() || !cl.Etcd().Quorum || !anotherRuns(cl, fault{sim: sim.ControllerManagerDown}, "")
	leaving, made := map[string]bool{}, map[string]bool{}
	causes := map[uint64]bool{} // the evictions, and what comes of them
	for _, s := range steps {
		if causes[s.Cause] && s.Cause != 0 {
			causes[s.ID] = true
		}
		switch d := s.Detail.(type) {
		case trace.FaultChange:
			switch {
			case d.Target != l.node || !breaksNode(d.Fault):
			case s.Kind == trace.Fault:
				l.broken = s.At
			}
		case trace.NodeHealth:
			switch {
			case s.Object.Name != l.node:
			case s.Kind == trace.NodeLost:
				l.heartbeat, l.lost, l.grace = d.LastHeartbeat, s.At, cmp.Or(d.Grace, l.grace)
			case s.Kind == trace.NodeBack && !l.lost.IsZero():
				l.healthy = s.At
			}
		case trace.Decision:
			if d.What == "evict" && d.Target.Name == l.node {
				if l.evicted.IsZero() {
					l.evicted = s.At
				}
				leaving[s.Object.Name] = true
				causes[s.ID] = true
			}
		case trace.Commit:
			if d.Verb == "create" && s.Object.Kind == "Pod" && causes[s.ID] {
				if l.created.IsZero() {
					l.created = s.At
				}
				made[s.Object.Name] = true
			}
		}
		if s.Kind == trace.Ready && made[s.Object.Name] {
			if delete(made, s.Object.Name); len(made) == 0 {
				l.replaced = s.At
			}
		}
	}
	if len(made) > 0 {
		l.replaced = time.Time{}
	}
	l.pods = len(leaving)
	for p := range apiserver.PodsOn(cl.Client(), l.node) {
		if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed || leaving[p.Name] {
			continue
		}
		stays, waits := bears(p)
		if stays { // a DaemonSet's
			continue
		}
		l.pods++
		l.toleration = waits
	}
	l.still = l.evicted.IsZero() && noneReady(cl)
	if l.heartbeat.IsZero() { // it is not lost yet: its lease says when it was last heard
		l.heartbeat = l.broken
		if lease, ok := leaseOf(cl, l.node); ok && !lease.After(l.broken) && l.broken.Sub(lease) < l.grace { // else it could not be written
			l.heartbeat = lease
		}
	}
	if l.broken.IsZero() || l.broken.Before(l.heartbeat) {
		l.broken = l.heartbeat
	}
}

// bears is how long a pod stays on a node that is lost; or for ever.
func bears(p *corev1.Pod) (forEver bool, wait time.Duration) {
	for _, t := range p.Spec.Tolerations {
		if t.Effect != "" && t.Effect != corev1.TaintEffectNoExecute || t.Key != "" && t.Key != taintUnreachable {
			continue
		}
		if t.TolerationSeconds == nil {
			return true, 0
		}
		wait = time.Duration(*t.TolerationSeconds) * time.Second
	}
	return false, wait
}

// noneReady says that no node is: the control plane then thinks that it is itself that is cut off, and evicts nobody.
func noneReady(cl *sim.Cluster) bool {
	for n := range apiserver.List[*corev1.Node](cl.Client(), "") {
		for _, is := range n.Status.Conditions {
			if is.Type == corev1.NodeReady && is.Status == corev1.ConditionTrue {
				return false
			}
		}
	}
	return true
}

// next is how long it is until the next thing happens; 0: nothing more.
func (l *loss) next() time.Duration {
	const grain = 5 * time.Second // so that it has happened then
	switch {
	case l.blind || l.still:
		return 0
	case !l.healthy.IsZero() || !l.replaced.IsZero():
		return 0
	case l.lost.IsZero():
		return roundUp(l.heartbeat.Add(l.grace).Sub(l.now)) + grain
	case l.evicted.IsZero() && l.pods > 0:
		return roundUp(l.lost.Add(l.toleration).Sub(l.now)) + grain
	case !l.created.IsZero():
		return healing
	}
	return 0
}

func roundUp(d time.Duration) time.Duration {
	return max(0, (d + 4*time.Second).Truncate(5*time.Second))
}

// lossDrawing is the loss on a timeline, from the last heartbeat on; what has not happened yet is foretold.
func (c *call) lossDrawing(cl *sim.Cluster, l *loss) picture.Timeline {
	at := func(t time.Time) time.Duration { return t.Sub(l.heartbeat) }
	now := at(l.now)
	lost, evicted := at(l.lost), at(l.evicted)
	d := picture.Timeline{Title: c.say("draw.losstitle", with{"Node": c.nodeWord(l.node)}), Say: c.span, Keys: c.lossKeys()}
	mark := func(t time.Duration, id string) {
		d.Marks = append(d.Marks, picture.Mark{At: t, Label: c.say(id, with{"Count": l.pods, "Grace": c.span(l.grace)})})
	}
	if l.broken.After(l.heartbeat) || !l.lost.IsZero() {
		mark(0, "draw.heartbeat")
	}
	if l.broken.After(l.heartbeat) || l.lost.IsZero() {
		mark(at(l.broken), "draw.broken")
	}
	end := now
	switch {
	case l.lost.IsZero() && l.blind:
		lost = end
	case l.lost.IsZero():
		lost = l.grace
		mark(lost, "draw.willlose")
		end = max(end, lost)
	default:
		mark(lost, "draw.lost")
	}
	back := end
	if !l.healthy.IsZero() {
		back = at(l.healthy)
	}
	switch {
	case !l.evicted.IsZero():
		mark(evicted, "draw.evicted")
	case l.healthy.IsZero() && l.pods > 0 && !l.blind && !l.still:
		evicted = lost + l.toleration
		mark(evicted, "draw.willevict")
		end = max(end, evicted)
	default:
		evicted = end
	}
	if !l.replaced.IsZero() {
		mark(at(l.replaced), "draw.replaced")
	}
	if !l.healthy.IsZero() {
		mark(back, "draw.back")
	}
	last := d.Marks[len(d.Marks)-1].At
	slices.SortStableFunc(d.Marks, func(a, b picture.Mark) int { return cmp.Compare(a.At, b.At) })
	d.Length = max(end, last) + last/20
	if now > d.Length || l.next() == 0 && now > last+last/10 { // what came after is of no interest
		d.Length = last + max(last/10, 5*time.Second)
	}
	if l.still && l.healthy.IsZero() { // that nothing comes is to be seen
		d.Length = max(last+5*time.Second, min(now, lost+2*l.toleration))
	}
	d.Lanes = c.lossLanes(l, min(now, d.Length), lost, evicted, back)
	if now < d.Length && l.next() > 0 {
		d.Lanes = append(d.Lanes, picture.Lane{Label: c.say("draw.untilnow"), Value: c.span(now), Spans: []picture.Span{{To: now, Tone: picture.Accent}}})
	}
	d.Note = c.say("draw.measured")
	switch {
	case l.blind:
		d.Note = c.say("draw.blind")
	case l.still && l.healthy.IsZero():
		d.Note = c.say("draw.still")
	}
	return d
}

// lossLanes are the rows: what is, what the API server believes, and what becomes of the pods.
func (c *call) lossLanes(l *loss, now, lost, evicted, back time.Duration) []picture.Lane {
	at := func(t time.Time) time.Duration { return t.Sub(l.heartbeat) }
	until := func(spans ...picture.Span) (out []picture.Span) {
		for _, s := range spans {
			if s.To = min(s.To, now); s.To > s.From {
				out = append(out, s)
			}
		}
		return out
	}
	mended := now
	if !l.healthy.IsZero() {
		mended = back
	}
	lanes := []picture.Lane{
		{Label: c.say("draw.reallane", with{"Node": c.nodeWord(l.node)}), Spans: until(
			picture.Span{To: at(l.broken), Tone: picture.Good}, picture.Span{From: at(l.broken), To: mended, Tone: picture.Bad}, picture.Span{From: mended, To: now, Tone: picture.Good})},
		{Label: c.say("draw.believedlane"), Spans: until(
			picture.Span{To: lost, Tone: picture.Good, Label: "Ready"}, picture.Span{From: lost, To: max(lost, mended), Tone: picture.Bad, Label: "NotReady"}, picture.Span{From: max(lost, mended), To: now, Tone: picture.Good, Label: "Ready"})},
	}
	if l.pods == 0 {
		return lanes
	}
	kept := evicted
	if l.evicted.IsZero() && !l.healthy.IsZero() {
		kept = back
	}
	pods := until(picture.Span{To: lost, Tone: picture.Good, Label: "Ready"}, picture.Span{From: lost, To: kept, Tone: picture.Waiting, Label: c.say("draw.podsunready", with{"Count": l.pods})},
		picture.Span{From: kept, To: now, Tone: picture.Bad, Label: "Terminating"})
	if l.evicted.IsZero() && !l.healthy.IsZero() {
		pods[len(pods)-1].Tone, pods[len(pods)-1].Label = picture.Good, "Ready"
	}
	lanes = append(lanes, picture.Lane{Label: c.say("draw.podslane", with{"Count": l.pods}), Spans: pods})
	if l.created.IsZero() {
		return lanes
	}
	ready := now
	if !l.replaced.IsZero() {
		ready = at(l.replaced)
	}
	return append(lanes, picture.Lane{Label: c.say("draw.newlane", with{"Count": l.pods}), Spans: until(
		picture.Span{From: at(l.created), To: ready, Tone: picture.Waiting}, picture.Span{From: ready, To: now, Tone: picture.Good, Label: "Ready"})})
}

func (c *call) lossKeys() []picture.Key {
	return []picture.Key{{Tone: picture.Good, Label: c.say("draw.keygood")}, {Tone: picture.Waiting, Label: c.say("draw.keydoubt")}, {Tone: picture.Bad, Label: c.say("draw.keybad")}}
}

// lossInPrinciple is how a node is lost with the times that Kubernetes has by default: nothing of it was measured.
func (c *call) lossInPrinciple(cl *sim.Cluster, node string) Reply {
	start := cl.Now()
	gone := start.Add(usualGrace + usualToleration)
	if node == "" {
		node = "node-2"
		if names := cl.Targets(sim.NodeSilent); !slices.Contains(names, node) && len(names) > 0 {
			node = names[0]
		}
	}
	const pull = 5 * time.Second // about what an image takes
	l := &loss{node: node, heartbeat: start, broken: start, lost: start.Add(usualGrace), evicted: gone, created: gone, replaced: gone.Add(pull),
		pods: 1, now: gone.Add(30 * time.Second), grace: usualGrace, toleration: usualToleration}
	d := c.lossDrawing(cl, l)
	d.Title, d.Note = c.say("draw.principletitle"), c.say("draw.principle")
	r := Reply{Blocks: []Block{c.drawn("loss", d, c.timelineAlt(d))}}
	silent := faultNamed(sim.NodeSilent)
	if slices.Contains(cl.Targets(sim.NodeSilent), node) {
		r = r.with(Button{Label: c.say(silent.breaks, with{"Target": node}), Line: c.typed("fault", silent.name.in(c.words), node), Style: Danger})
	}
	return r.with(c.drawButton(c.say("draw.all")))
}

// timelineAlt tells the marks of a timeline in order.
func (c *call) timelineAlt(d picture.Timeline) string {
	text := []string{d.Title + "."}
	for _, m := range d.Marks {
		text = append(text, c.say("draw.markalt", with{"Span": c.span(m.At), "What": m.Label}))
	}
	if d.Note != "" {
		text = append(text, d.Note)
	}
	return strings.Join(text, " ")
}

// leaseOf is when a node's lease was last renewed, as it was written.
func leaseOf(cl *sim.Cluster, node string) (time.Time, bool) {
	l, ok := apiserver.Get[*coordinationv1.Lease](cl.Client(), corev1.NamespaceNodeLease, node)
	if !ok || l.Spec.RenewTime == nil {
		return time.Time{}, false
	}
	return l.Spec.RenewTime.Time, true
}
