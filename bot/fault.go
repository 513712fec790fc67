package bot

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"timonier/sim"
	"timonier/sim/apiserver"
)

// The words of /panne and /répare.
var (
	faultList   = name{"liste", "list"}
	faultActive = name{"actif", "active"} // sim.Active
	faultAll    = name{"tous", "all"}     // sim.All
	repairAll   = name{"tout", "all"}
)

// faultCommand is /panne noeud node-2, or /panne liste.
func faultCommand(c *call) (Reply, error) {
	cl, err := c.cluster()
	if err != nil {
		return Reply{}, err
	}
	word, target, _ := strings.Cut(c.args, " ")
	if listsFaults(word) {
		return c.faultList(cl), nil
	}
	f, ok := findFault(word)
	target = targetOf(target)
	if !ok { // /panne node-2
		silent := faults()[0]
		node := nearestTarget(cl.Targets(silent.sim), targetOf(c.args))
		if !slices.Contains(cl.Targets(silent.sim), node) {
			return c.unknownFault(word, target), nil
		}
		f, target = silent, node
	}
	if target == "" {
		target = f.target(cl)
	}
	target = nearestTarget(cl.Targets(f.sim), target)
	from, known := cl.Trace().Last(), len(cl.Faults())
	switch err := cl.Break(f.sim, target); {
	case errors.Is(err, sim.ErrNoTarget):
		return c.offerTargets(cl, f, target), nil
	case errors.Is(err, sim.ErrBroken):
		r := c.mistake("fault.already", with{"Target": shorten(target)})
		if target == sim.All || target == sim.Active {
			r = c.mistake("fault.allbroken")
		}
		return c.withMends(r, cl, f), nil
	case err != nil:
		return Reply{}, err
	}
	c.remember(cl, from)
	r := Reply{Blocks: append(c.inLens(after(cl, from)), Text{c.toldOf(cl, f, cl.Faults()[known:])})}
	if f.look.fr != "" {
		r = r.with(Button{Label: strings.TrimPrefix(f.look.in(c.words), "/"), Line: f.look.in(c.words), Style: Primary})
	}
	for i, d := range f.later {
		b := Button{Label: c.say("time.on", with{"Span": c.span(d)}), Line: c.forward(d)}
		if i == 0 && f.look.fr == "" {
			b.Style = Primary
		}
		r = r.with(b)
	}
	if slices.Contains([]string{sim.EtcdStopped, sim.EtcdPartitioned, sim.EtcdFull}, f.sim) {
		return c.withMends(c.withDrawing(r, c.say("draw.quorumbutton"), "quorum"), cl, f), nil
	}
	r = c.withMends(r.with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster")}), cl, f)
	if breaksNode(f.sim) {
		r = c.withDrawing(r, c.say("draw.lossbutton"), "loss", cl.Faults()[known].Target)
	}
	return r, nil
}

// targetOf is a target as it was typed: node/node-2, actif, node-2.
func targetOf(text string) string {
	text = strings.TrimSpace(text)
	switch {
	case faultActive.is(text):
		return sim.Active
	case faultAll.is(text), repairAll.is(text):
		return sim.All
	}
	return strings.TrimPrefix(strings.TrimPrefix(text, "node/"), "nodes/")
}

// nearestTarget is the target that a person means: the case does not count, as telephones write
// capitals of their own, and of a numbered name its number is enough, etcd 2 for etcd-2.
func nearestTarget(targets []string, typed string) string {
	if typed == "" || slices.Contains(targets, typed) {
		return typed
	}
	for _, t := range targets {
		if strings.EqualFold(t, typed) {
			return t
		}
	}
	numbered := ""
	for _, t := range targets {
		if !strings.HasSuffix(t, "-"+typed) {
			continue
		}
		if numbered != "" {
			return typed
		}
		numbered = t
	}
	return cmp.Or(numbered, typed)
}

// target is what is meant where none is named; "" where one has to be.
func (f fault) target(cl *sim.Cluster) string {
	if targets := cl.Targets(f.sim); f.usual == "" && len(targets) == 1 {
		return targets[0]
	}
	return f.usual
}

// toldOf says what will come of what has just been broken.
func (c *call) toldOf(cl *sim.Cluster, f fault, broken []sim.Fault) string {
	if len(broken) > 1 && f.usual != sim.Active {
		text := c.say("fault.several", with{"List": c.states(broken)})
		if !cl.Etcd().Quorum && slices.Contains([]string{sim.EtcdStopped, sim.EtcdPartitioned}, f.sim) {
			text += "\n" + c.say("kubectl.noquorum")
		}
		return text
	}
	target := broken[len(broken)-1].Target
	id := f.told
	if f.isMild != nil && f.isMild(cl, f, target) {
		id = f.mild
	}
	placed := podsPlaced(cl, target)
	said := c.say("fault.placed", with{"Count": placed})
	if placed == 0 {
		said = c.say("fault.noneplaced")
	}
	text := c.say(id, with{"Target": target, "Count": placed, "Placed": said})
	if f.sim == sim.EtcdFull && !cl.Etcd().Quorum {
		text += "\n" + c.say("kubectl.noquorum")
	}
	return text
}

// runsNothing says that a node has no pods.
func runsNothing(cl *sim.Cluster, _ fault, node string) bool { return podsPlaced(cl, node) == 0 }

// anotherRuns says that a replica is left of a program of the control plane.
func anotherRuns(cl *sim.Cluster, f fault, _ string) bool {
	return slices.ContainsFunc(cl.Targets(f.sim), func(t string) bool {
		return t != sim.Active && t != sim.All && !isBroken(cl, f.sim, t)
	})
}

// hasQuorum says that etcd still writes.
func hasQuorum(cl *sim.Cluster, _ fault, _ string) bool { return cl.Etcd().Quorum }

// podsPlaced is how many pods a node has that are not over.
func podsPlaced(cl *sim.Cluster, node string) int {
	n := 0
	for p := range apiserver.PodsOn(cl.Client(), node) {
		if p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			n++
		}
	}
	return n
}

// faultList says what is broken, and what may be.
func (c *call) faultList(cl *sim.Cluster) Reply {
	broken := cl.Faults()
	r := Reply{Blocks: []Block{Text{c.say("fault.none")}}}
	if len(broken) > 0 {
		r = c.withBroken(Reply{}, cl, broken)
	}
	var b strings.Builder
	for _, f := range faults() {
		b.WriteString("- `" + f.name.in(c.words) + "`" + c.say("help.sep") + c.say(f.about) + "\n")
	}
	r.Blocks = append(r.Blocks, Text{c.say("fault.kinds") + "\n\n" + b.String() + "\n" + c.say("fault.usage")})
	if len(broken) > 0 {
		return r
	}
	return c.withTargets(r, cl, faults()[0])
}

// withBroken says what is broken, and offers to mend it.
func (c *call) withBroken(r Reply, cl *sim.Cluster, broken []sim.Fault) Reply {
	const most = 4
	r.Blocks = append(r.Blocks, Text{c.since(cl, broken)})
	for _, f := range broken[:min(most, len(broken))] {
		r = r.with(c.mendButton(f))
	}
	if len(broken) > 1 {
		r = r.with(Button{Label: c.say("fault.mendall"), Line: c.typed("repair", repairAll.in(c.words))})
	}
	return r
}

// stateOf says what is wrong while a fault lasts.
func (c *call) stateOf(f sim.Fault) string {
	if known, ok := findFault(f.Name); ok {
		return c.say(known.state, with{"Target": f.Target})
	}
	return "`" + f.Name + "` " + f.Target
}

func (c *call) states(broken []sim.Fault) string {
	var b strings.Builder
	for _, f := range broken {
		b.WriteString("- " + c.stateOf(f) + "\n")
	}
	return b.String()
}

// since says what is broken, and for how long.
func (c *call) since(cl *sim.Cluster, broken []sim.Fault) string {
	dash := ""
	if len(broken) > 1 {
		dash = "- "
	}
	var b strings.Builder
	for _, f := range broken {
		id, lasted := "cluster.fault", cl.Now().Sub(f.Since)
		if lasted < time.Second {
			id = "cluster.faultnow"
		}
		b.WriteString(dash + "⚠️ " + c.say(id, with{"State": c.stateOf(f), "Since": c.span(lasted)}) + "\n")
	}
	return b.String()
}

// withTargets offers to break what is whole.
func (c *call) withTargets(r Reply, cl *sim.Cluster, f fault) Reply {
	const most = 5
	for _, target := range cl.Targets(f.sim) {
		if len(r.Buttons) < most && !isBroken(cl, f.sim, target) {
			said := c.targetWord(target)
			r = r.with(Button{Label: c.say(f.breaks, with{"Target": said}), Line: c.typed("fault", f.name.in(c.words), said), Style: Danger})
		}
	}
	return r
}

// targetWord is a target as it is typed in the learner's language.
func (c *call) targetWord(target string) string {
	switch target {
	case sim.Active:
		return faultActive.in(c.words)
	case sim.All:
		return faultAll.in(c.words)
	}
	return target
}

func isBroken(cl *sim.Cluster, fault, target string) bool {
	return slices.ContainsFunc(cl.Faults(), func(f sim.Fault) bool { return f.Name == fault && f.Target == target })
}

func (c *call) offerTargets(cl *sim.Cluster, f fault, target string) Reply {
	id := "fault.notarget"
	onNode := slices.Equal(cl.Targets(f.sim), cl.Targets(sim.NodeSilent))
	switch {
	case onNode && target == "":
		id = "fault.whichnode"
	case onNode:
		id = "fault.nonode"
	case len(cl.Targets(f.sim)) == 0:
		id = "fault.notargets"
	case target == "" && slices.Equal(cl.Targets(f.sim), cl.Targets(sim.EtcdStopped)):
		id = "fault.whichmember"
	case target == "":
		id = "fault.which"
	}
	return c.withTargets(c.mistake(id, with{"Target": shorten(c.targetWord(target))}), cl, f)
}

// unknownFault suggests what begins as the word does, or the nearest there is.
func (c *call) unknownFault(word, target string) Reply {
	r := c.mistake("fault.unknown", with{"Word": shorten(word), "List": c.typed("fault", faultList.in(c.words))})
	for _, f := range faults() {
		if n := f.name.in(c.words); len(r.Buttons) < 5 && len(word) > 1 && strings.HasPrefix(fold(n), fold(word)) {
			line := strings.TrimSpace(c.typed("fault", n, target))
			r = r.with(Button{Label: line, Line: line})
		}
	}
	best, least := "", max(1, min(3, (len([]rune(word))+1)/3))+1
	for _, f := range faults() {
		for _, n := range []string{f.name.in(c.words), f.name.fr, f.name.en} {
			if d := distance(fold(word), fold(n)); d < least {
				best, least = n, d
			}
		}
	}
	if best != "" && len(r.Buttons) == 0 {
		r = r.with(Button{Label: c.typed("fault", best), Line: c.typed("fault", best)})
	}
	return r.with(Button{Label: c.typed("fault", faultList.in(c.words)), Line: c.typed("fault", faultList.in(c.words))})
}

// withMends offers to mend what is broken in a way.
func (c *call) withMends(r Reply, cl *sim.Cluster, f fault) Reply {
	for _, b := range cl.Faults() {
		if b.Name == f.sim && len(r.Buttons) < 6 {
			r = r.with(c.mendButton(b))
		}
	}
	return r
}

func (c *call) mendButton(f sim.Fault) Button {
	label := c.typed("repair", f.Name, f.Target)
	if known, ok := findFault(f.Name); ok {
		label = c.say(known.mends, with{"Target": f.Target})
	}
	return Button{Label: label, Line: c.mendLine(f)}
}

func (c *call) mendLine(f sim.Fault) string {
	word := f.Name
	if known, ok := findFault(f.Name); ok {
		word = known.name.in(c.words)
	}
	return c.typed("repair", word, f.Target)
}

// repairCommand is /répare noeud node-2; alone, it mends the one thing broken; /répare
// tout mends everything.
func repairCommand(c *call) (Reply, error) {
	cl, err := c.cluster()
	if err != nil {
		return Reply{}, err
	}
	broken := cl.Faults()
	meant := c.toMend(broken)
	switch {
	case len(broken) == 0:
		return c.mistake("fault.nothing"), nil
	case c.args == "" && len(broken) > 1:
		r := Reply{Blocks: []Block{Text{c.say("fault.whichmend", with{"All": c.typed("repair", repairAll.in(c.words))})}}}
		return c.withBroken(r, cl, broken), nil
	case len(meant) == 0:
		r := c.mistake("fault.whole", with{"Target": shorten(c.args)})
		for _, b := range broken[:min(5, len(broken))] {
			r = r.with(c.mendButton(b))
		}
		return r, nil
	}
	from := cl.Trace().Last()
	for _, f := range meant {
		if err := cl.Mend(f.Name, f.Target); err != nil {
			return Reply{}, err
		}
	}
	text := c.mendedOf(meant[0])
	if len(meant) > 1 {
		text = c.say("fault.mended", with{"List": c.byKind(meant)})
	}
	c.remember(cl, from)
	r := Reply{Blocks: append(c.inLens(after(cl, from)), Text{text})}
	if left := cl.Faults(); len(left) > 0 {
		r.Blocks = append(r.Blocks, Text{c.since(cl, left)})
	}
	return r.with(Button{Label: c.say("time.on", with{"Span": c.span(healing)}), Line: c.forward(healing), Style: Primary}).
		with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster")}), nil
}

// byKind lists faults, those of a kind in a line.
func (c *call) byKind(list []sim.Fault) string {
	var b strings.Builder
	for _, f := range faults() {
		var targets []string
		for _, broken := range list {
			if broken.Name == f.sim {
				targets = append(targets, broken.Target)
			}
		}
		if len(targets) > 0 {
			b.WriteString("- `" + f.name.in(c.words) + "`" + c.say("help.sep") + c.list(codes(targets)) + "\n")
		}
	}
	return b.String()
}

// healing is how long it takes to see that something was mended.
const healing = 30 * time.Second

// toMend are the faults that a person means to mend.
func (c *call) toMend(broken []sim.Fault) []sim.Fault {
	word, target, _ := strings.Cut(c.args, " ")
	f, ok := findFault(word)
	target = targetOf(target)
	var targets []string
	for _, b := range broken {
		if !ok || b.Name == f.sim {
			targets = append(targets, b.Target)
		}
	}
	slices.Sort(targets)
	targets = slices.Compact(targets)
	var meant []sim.Fault
	for _, b := range broken {
		known := ok && b.Name == f.sim && (target == "" || target == sim.All || target == sim.Active || b.Target == nearestTarget(targets, target))
		all := c.args == "" || repairAll.is(word) || faultAll.is(word)
		if all || known || !ok && b.Target == nearestTarget(targets, targetOf(c.args)) { // /répare node-2
			meant = append(meant, b)
		}
	}
	return meant
}

func (c *call) mendedOf(f sim.Fault) string {
	if known, ok := findFault(f.Name); ok {
		return c.say(known.mended, with{"Target": f.Target})
	}
	return c.stateOf(f)
}

func completeFault(c *call, words []string) []string {
	if len(words) == 1 {
		out := []string{faultList.in(c.words)}
		for _, f := range faults() {
			out = append(out, f.name.in(c.words))
		}
		return out
	}
	f, ok := findFault(words[0])
	cl := c.peek()
	if !ok || cl == nil || len(words) != 2 {
		return nil
	}
	var out []string
	for _, target := range cl.Targets(f.sim) {
		out = append(out, c.targetWord(target))
	}
	return out
}

func completeRepair(c *call, words []string) []string {
	cl := c.peek()
	if cl == nil || len(words) > 2 {
		return nil
	}
	var out []string
	for _, f := range cl.Faults() {
		known, ok := findFault(f.Name)
		switch {
		case !ok:
		case len(words) == 1:
			out = append(out, known.name.in(c.words))
		case known.name.is(words[0]):
			out = append(out, f.Target)
		}
	}
	if len(words) == 1 && len(out) > 1 {
		out = append(out, repairAll.in(c.words))
	}
	return slices.Compact(out)
}

// listsFaults says that /panne only tells what is broken.
func listsFaults(args string) bool { return args == "" || faultList.is(args) }

// picks are the kinds of faults as choices of a menu.
func picks(more ...pick) []pick {
	var out []pick
	for _, f := range faults() {
		out = append(out, pick{f.name, f.about})
	}
	return append(out, more...)
}
