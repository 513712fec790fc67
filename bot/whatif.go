package bot

import (
	"errors"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"timonier/content"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/scheduler"
	"timonier/sim/trace"
)

// whether is the word before what might be otherwise: /pourquoi POD si node=node-2.
var whether = name{"si", "if"}

// cutQuestion takes from the words that follow a pod those of a question: what stands after
// si or --si, or, without it, all where one says what something might be.
func cutQuestion(words []string) (question []string, ok bool) {
	for i, w := range words {
		if whether.is(strings.TrimLeft(w, "-")) {
			return words[i+1:], true
		}
		for _, n := range []string{"--" + whether.fr + "=", "--" + whether.en + "="} { // --si=node=node-2
			if rest, found := strings.CutPrefix(w, n); found {
				return append([]string{rest}, words[i+1:]...), true
			}
		}
	}
	if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "=") }) {
		return words, true
	}
	return nil, false
}

// questionWords are those of scheduler.ParseQuestion, for what is typed in French; a word
// alone is a node.
func questionWords(words []string) []string {
	known := map[string]string{
		"noeud": "node", "memoire": "memory", "priorite": "priority", "tolerance": "toleration", "etiquette": "label",
		"selecteur": "selector", "sans": "without", "ferme": "cordon", "rouvre": "uncordon", "sans-marquage": "untaint",
	}
	out := make([]string, 0, len(words))
	for _, w := range words {
		key, value, ok := strings.Cut(strings.TrimLeft(w, "-"), "=")
		switch {
		case !ok:
			w = "node=" + w
		case known[fold(key)] != "":
			w = known[fold(key)] + "=" + value
		default:
			w = key + "=" + value
		}
		out = append(out, w)
	}
	return out
}

// whatIf answers what would have to change for a pod to go to a node, or what would become
// of it if something were otherwise.
func (c *call) whatIf(cl *sim.Cluster, pod *corev1.Pod, words []string, lens *content.Lens) (Reply, error) {
	q, err := scheduler.ParseQuestion(pod, questionWords(words))
	var answer *scheduler.WhatIf
	if err == nil {
		answer, err = cl.WhatIf(pod, q)
	}
	name := podName(pod)
	var bad *scheduler.AssumptionError
	switch {
	case errors.As(err, &bad):
		r := c.mistake("whatif.bad", with{"Word": shorten(bad.Word)})
		if key, value, _ := strings.Cut(bad.Word, "="); key == "cpu" || key == "memory" {
			r = c.mistake("whatif.badamount", with{"Key": key, "Value": shorten(value)})
		}
		return c.otherNodes(r, cl, pod), nil
	case errors.Is(err, scheduler.ErrNoNode):
		return c.realNodes(c.mistake("whatif.nonode"), cl, name, words), nil
	case errors.Is(err, scheduler.ErrNoPod):
		return c.mistake("whatif.nopod"), nil
	case errors.Is(err, scheduler.ErrNoQuestion):
		return c.otherNodes(c.mistake("whatif.usage"), cl, pod), nil
	case err != nil:
		return Reply{}, err
	}
	line := c.typed("why", name, whether.in(c.words), strings.Join(words, " "))
	r := Reply{Blocks: []Block{Title{c.say("whatif.title", with{"Pod": name, "What": strings.Join(words, " ")})}}}
	if answer.On != "" && answer.On != answer.Node {
		r.Blocks = append(r.Blocks, Text{c.say("whatif.on", with{"Pod": name, "Node": answer.On})})
	}
	if len(answer.Assume) > 0 {
		r.Blocks = append(r.Blocks, Text{c.say("whatif.assume") + "\n\n" + c.changeList(answer.Assume, false)})
	}
	switch {
	case answer.Node == "":
		r = c.whatThen(r, name, answer.Verdict)
	case len(answer.Ways) == 0:
		r = c.noWay(r, name, answer)
	case len(answer.Ways[0].Changes) == 0:
		r = c.noChange(r, name, answer)
	default:
		r = c.ways(r, name, answer)
	}
	if answer.Looks > 0 {
		r.Blocks = append(r.Blocks, Text{c.say("whatif.looks", with{"Looks": answer.Looks, "Total": answer.Verdict.Total})})
	}
	if s, ok := supposed(pod, answer); ok && lens.ID != content.Technique {
		r.Blocks = append(r.Blocks, Quote{c.say("whatif.told") + "\n\n" + lens.Tell(c.course(), s)})
	}
	r = r.with(Button{Label: c.say("whatif.now"), Line: c.typed("why", name)})
	if answer.Node != "" && len(answer.Ways) > 0 {
		r = c.otherLens(r, lens, line)
	}
	return r, nil
}

// supposed is the step that the decision after the smallest changes would be.
func supposed(pod *corev1.Pod, answer *scheduler.WhatIf) (trace.Step, bool) {
	if len(answer.Ways) == 0 || answer.Ways[0].MakesRoom() {
		return trace.Step{}, false
	}
	v := *answer.Ways[0].Verdict
	v.Node = answer.Node
	return trace.Step{Actor: "kube-scheduler", Kind: trace.Scheduled, Object: trace.Ref{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name}, Detail: &v}, true
}

// whatThen is what becomes of the pod under assumptions alone.
func (c *call) whatThen(r Reply, name string, v *scheduler.Verdict) Reply {
	switch {
	case v.Outcome == scheduler.Scheduled && len(v.Best) > 1:
		r.Blocks = append(r.Blocks, Text{c.say("whatif.thentie", with{"Pod": name, "Nodes": c.list(codes(v.Best))})})
	case v.Outcome == scheduler.Scheduled:
		r.Blocks = append(r.Blocks, Text{c.say("whatif.then", with{"Pod": name, "Node": bestOf(v)})})
	case v.Preemption != nil:
		r.Blocks = append(r.Blocks, Text{c.say("whatif.thenroom", with{"Pod": name, "Node": v.Preemption.Node, "Names": c.victims(v.Preemption)})})
	default:
		r.Blocks = append(r.Blocks, Text{c.say("whatif.thennowhere", with{"Pod": name})}, Code{Text: v.Message})
	}
	if ranked := ranking(v); len(ranked) > 1 && len(ranked[0].Scores) > 0 {
		r.Blocks = append(r.Blocks, c.scoreTable(ranked))
	}
	return r
}

// bestOf is the node that a decision is for.
func bestOf(v *scheduler.Verdict) string {
	if v.Node == "" && len(v.Best) > 0 {
		return v.Best[0]
	}
	return v.Node
}

// noChange says that the pod would go to the node as things are.
func (c *call) noChange(r Reply, name string, answer *scheduler.WhatIf) Reply {
	way := &answer.Ways[0]
	id := "whatif.already"
	switch {
	case way.MakesRoom():
		r.Blocks = append(r.Blocks, Text{c.say("whatif.thenroom", with{"Pod": name, "Node": answer.Node, "Names": c.victims(way.Verdict.Preemption)})})
		return r
	case answer.On == answer.Node:
		id = "whatif.there"
	}
	r.Blocks = append(r.Blocks, Text{c.say(id, with{"Pod": name, "Node": answer.Node}) + " " + c.verified(way, answer.Node)})
	return r
}

// ways are the smallest changes, and what they were verified with.
func (c *call) ways(r Reply, name string, answer *scheduler.WhatIf) Reply {
	first := &answer.Ways[0]
	id := "whatif.smallest"
	if first.Verdict != nil && len(first.Verdict.Best) > 1 {
		id = "whatif.smallesttie"
	}
	r.Blocks = append(r.Blocks, Text{c.say(id, with{"Pod": name, "Node": answer.Node}) + "\n\n" + c.changeList(first.Changes, true)})
	if first.MakesRoom() {
		r.Blocks = append(r.Blocks, Text{c.say("whatif.room", with{"Pod": name, "Node": answer.Node, "Names": c.victims(first.Verdict.Preemption)})})
	} else {
		r.Blocks = append(r.Blocks, Text{c.say("whatif.verified") + " " + c.verified(first, answer.Node)})
	}
	for _, way := range answer.Ways[1:] {
		r.Blocks = append(r.Blocks, Text{c.say("whatif.or") + "\n\n" + c.changeList(way.Changes, true)})
	}
	for _, change := range first.Changes {
		if line := commandOf(change); line != "" && len(line) < buttonLine {
			r = r.with(Button{Label: line, Line: "/" + line})
		}
	}
	return r
}

// verified says how the node fares in the decision of a way, against the next best.
func (c *call) verified(way *scheduler.Way, node string) string {
	ranked := ranking(way.Verdict)
	var own, next *scheduler.NodeVerdict
	for i := range ranked {
		switch {
		case ranked[i].Name == node:
			own = &ranked[i]
		case next == nil || ranked[i].Total > next.Total:
			next = &ranked[i]
		}
	}
	switch {
	case own == nil || next == nil || len(own.Scores) == 0:
		return c.say("whatif.only", with{"Node": node})
	case own.Total == next.Total:
		return c.say("whatif.tie", with{"Node": node, "Other": next.Name, "Points": own.Total})
	}
	return c.say("whatif.points", with{"Node": node, "Points": own.Total, "Other": next.Name, "Less": next.Total})
}

// noWay says that nothing helps, and what stands in the way to the last.
func (c *call) noWay(r Reply, name string, answer *scheduler.WhatIf) Reply {
	if answer.GaveUp {
		r.Blocks = append(r.Blocks, Text{c.say("whatif.gaveup", with{"Pod": name, "Node": answer.Node})})
		return r
	}
	text := c.say("whatif.impossible", with{"Pod": name, "Node": answer.Node})
	if s := answer.Stuck; s != nil {
		left := c.obstacles(*s)
		if len(left) == 0 {
			left = s.Reasons
		}
		for _, o := range left {
			text += "\n- " + o
		}
	}
	r.Blocks = append(r.Blocks, Text{text})
	return r
}

// changeList is changes in words, each with the command that makes it if that is wanted.
func (c *call) changeList(changes []scheduler.Change, commands bool) string {
	var b strings.Builder
	for _, change := range changes {
		b.WriteString("- " + c.change(change))
		if line := commandOf(change); line != "" && commands {
			b.WriteString(c.say("help.sep") + "`" + line + "`")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// commandOf is the kubectl line that makes a change, as short as it may be.
func commandOf(change scheduler.Change) string {
	return strings.TrimSuffix(change.Command(), " -n "+corev1.NamespaceDefault)
}

// change is one change in words.
func (c *call) change(x scheduler.Change) string {
	id := map[scheduler.ChangeKind]string{
		scheduler.Ungate: "change.ungate", scheduler.Uncordon: "change.uncordon", scheduler.Recover: "change.recover", scheduler.Tolerate: "change.tolerate",
		scheduler.Untaint: "change.untaint", scheduler.Label: "change.label", scheduler.Unlabel: "change.unlabel", scheduler.Request: "change.request",
		scheduler.Free: "change.free", scheduler.Image: "change.image", scheduler.Skew: "change.skew", scheduler.DropSelector: "change.dropselector",
		scheduler.DropTerms: "change.dropterms", scheduler.DropNear: "change.dropnear", scheduler.DropAway: "change.dropaway",
		scheduler.DropSpread: "change.dropspread", scheduler.DropPort: "change.dropport", scheduler.Select: "change.select",
		scheduler.Cordon: "change.cordon", scheduler.Priority: "change.priority",
	}[x.Kind]
	if id == "" {
		return "`" + x.String() + "`"
	}
	data := with{"Node": x.Node, "Key": x.Key, "Value": x.Value, "Taint": taintText(scheduler.Taint{Key: x.Key, Value: x.Value, Effect: x.Effect}),
		"From": amount(x.Key, x.From), "To": amount(x.Key, x.To), "Pod": ""}
	if x.Pod != nil {
		data["Pod"] = x.Pod.Name
	}
	return c.say(id, data)
}

// otherNodes offers the same question of the nodes where the pod is not.
func (c *call) otherNodes(r Reply, cl *sim.Cluster, pod *corev1.Pod) Reply {
	const most = 2
	offered := 0
	for n := range apiserver.List[*corev1.Node](cl.Client(), "") {
		if n.Name == pod.Spec.NodeName || offered == most {
			continue
		}
		offered++
		r = r.with(Button{Label: c.say("whatif.button", with{"Node": n.Name}), Line: c.typed("why", podName(pod), whether.in(c.words), "node="+n.Name)})
	}
	return r
}

// realNodes offers the same question again, with a node that exists for the one that does not.
func (c *call) realNodes(r Reply, cl *sim.Cluster, pod string, words []string) Reply {
	const most = 5
	nodes := map[string]bool{}
	for n := range apiserver.List[*corev1.Node](cl.Client(), "") {
		nodes[n.Name] = true
	}
	at, key := -1, ""
	for i, w := range questionWords(words) {
		k, value, _ := strings.Cut(w, "=")
		if slices.Contains([]string{"node", "cordon", "uncordon"}, k) && !nodes[value] {
			at, key = i, k
			break
		}
	}
	if at < 0 {
		return r
	}
	for n := range apiserver.List[*corev1.Node](cl.Client(), "") {
		if len(r.Buttons) < most {
			asked := slices.Clone(words)
			asked[at] = key + "=" + n.Name
			r = r.with(Button{Label: n.Name, Line: c.typed("why", pod, whether.in(c.words), strings.Join(asked, " "))})
		}
	}
	return r
}

// completeWhatIf completes what follows a pod.
func completeWhatIf(c *call, cl *sim.Cluster, words []string) []string {
	if len(words) == 2 {
		out := []string{whether.in(c.words)}
		if words[1] == "" {
			return append(out, details.in(c.words))
		}
		return append(out, questionStarts(cl)...)
	}
	return questionStarts(cl)
}

func questionStarts(cl *sim.Cluster) []string {
	var out []string
	for n := range apiserver.List[*corev1.Node](cl.Client(), "") {
		out = append(out, "node="+n.Name)
	}
	return append(out, "cpu=", "memory=", "toleration=", "label=", "selector=", "priority=", "cordon=", "uncordon=", "without=")
}
