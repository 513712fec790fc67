package bot

import (
	"errors"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"timonier/sim"
	"timonier/sim/apiserver"
)

// fault is one way to break the cluster. To add one is to add a row, with its
// sentences, to a fault that sim knows.
type fault struct {
	name   name
	sim    string // sim's name for it
	told   string // ID: what will happen, and when
	idle   string // ID: the same, where nothing ran on it
	mended string // ID: what happens once it is mended
}

func faults() []fault {
	return []fault{
		{name{"noeud", "node"}, sim.NodeSilent, "fault.nodesilent", "fault.idle", "fault.nodeback"},
	}
}

// faultCommand is /panne noeud node-2, or /panne liste.
func faultCommand(c *call) (Reply, error) {
	cl, err := c.cluster()
	if err != nil {
		return Reply{}, err
	}
	word, target, _ := strings.Cut(c.args, " ")
	if list := (name{"liste", "list"}); word == "" || list.is(word) {
		return c.faultList(cl), nil
	}
	f, ok := findFault(word)
	target = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(target), "node/"), "nodes/")
	if !ok { // /panne node-2
		f, target = faults()[0], c.args
	}
	from := cl.Trace().Last()
	placed := podsPlaced(cl, target)
	switch err := cl.Break(f.sim, target); {
	case errors.Is(err, sim.ErrNoTarget):
		return c.offerTargets(cl, f, target), nil
	case errors.Is(err, sim.ErrBroken):
		return c.mistake("fault.already", with{"Target": shorten(target)}).with(c.mendButton(sim.Fault{Name: f.sim, Target: target})), nil
	case err != nil:
		return Reply{}, err
	}
	c.remember(cl, from)
	told := f.told
	if placed == 0 {
		told = f.idle
	}
	return Reply{
		Blocks: []Block{Text{c.say(told, with{"Target": target, "Count": placed})}},
		Buttons: []Button{
			{Label: c.say("time.on", with{"Span": c.span(time.Minute)}), Line: c.forward(time.Minute), Style: Primary},
			{Label: c.say("time.on", with{"Span": c.span(6 * time.Minute)}), Line: c.forward(6 * time.Minute)},
			{Label: c.say("button.cluster"), Line: c.typed("cluster")},
			c.mendButton(sim.Fault{Name: f.sim, Target: target}),
		},
	}, nil
}

// nœud folds to noeud, as node does not.
func findFault(word string) (fault, bool) {
	for _, f := range faults() {
		if f.name.is(word) || word == f.sim {
			return f, true
		}
	}
	return fault{}, false
}

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
		var b strings.Builder
		for _, f := range broken {
			b.WriteString("- " + c.say("cluster.fault", with{"Target": f.Target, "Since": c.span(cl.Now().Sub(f.Since))}) + "\n")
			r = r.with(c.mendButton(f))
		}
		r.Blocks = []Block{Text{b.String()}}
	}
	r.Blocks = append(r.Blocks, Text{c.say("fault.usage")})
	return c.withTargets(r, cl, faults()[0])
}

// withTargets offers to break what is whole.
func (c *call) withTargets(r Reply, cl *sim.Cluster, f fault) Reply {
	for i, target := range cl.Targets(f.sim) {
		if i == 5 {
			break
		}
		if !isBroken(cl, f.sim, target) {
			r = r.with(Button{Label: c.say("fault.break", with{"Target": target}), Line: c.typed("fault", f.name.in(c.words), target), Style: Danger})
		}
	}
	return r
}

func isBroken(cl *sim.Cluster, fault, target string) bool {
	for _, f := range cl.Faults() {
		if f.Name == fault && f.Target == target {
			return true
		}
	}
	return false
}

func (c *call) offerTargets(cl *sim.Cluster, f fault, target string) Reply {
	id := "fault.notarget"
	if target == "" {
		id = "fault.which"
	}
	return c.withTargets(c.mistake(id, with{"Target": shorten(target)}), cl, f)
}

func (c *call) mendButton(f sim.Fault) Button {
	return Button{Label: c.say("fault.mend", with{"Target": f.Target}), Line: c.mendLine(f)}
}

func (c *call) mendLine(f sim.Fault) string {
	word := f.Name
	if known, ok := findFault(f.Name); ok {
		word = known.name.in(c.words)
	}
	return c.typed("repair", word, f.Target)
}

// repairCommand is /répare noeud node-2; alone, it mends the one thing broken.
func repairCommand(c *call) (Reply, error) {
	cl, err := c.cluster()
	if err != nil {
		return Reply{}, err
	}
	word, target, _ := strings.Cut(c.args, " ")
	f, ok := findFault(word)
	target = strings.TrimSpace(target)
	broken := cl.Faults()
	switch {
	case len(broken) == 0:
		return c.mistake("fault.nothing"), nil
	case word == "" && len(broken) == 1:
		target = broken[0].Target
		if f, ok = findFault(broken[0].Name); !ok {
			return c.faultList(cl), nil
		}
	case word == "":
		return c.faultList(cl), nil
	case !ok: // /répare node-2
		f, target = faults()[0], c.args
	}
	from := cl.Trace().Last()
	if err := cl.Mend(f.sim, target); errors.Is(err, sim.ErrWhole) || errors.Is(err, sim.ErrNoTarget) {
		r := c.mistake("fault.whole", with{"Target": shorten(target)})
		for _, b := range broken {
			r = r.with(c.mendButton(b))
		}
		return r, nil
	} else if err != nil {
		return Reply{}, err
	}
	c.remember(cl, from)
	return Reply{
		Blocks: []Block{Text{c.say(f.mended, with{"Target": target})}},
		Buttons: []Button{
			{Label: c.say("time.on", with{"Span": c.span(30 * time.Second)}), Line: c.forward(30 * time.Second), Style: Primary},
			{Label: c.say("button.cluster"), Line: c.typed("cluster")},
		},
	}, nil
}

func completeFault(c *call, words []string) []string {
	if len(words) == 1 {
		out := []string{(name{"liste", "list"}).in(c.words)}
		for _, f := range faults() {
			out = append(out, f.name.in(c.words))
		}
		return out
	}
	f, ok := findFault(words[0])
	if cl := c.peek(); ok && cl != nil && len(words) == 2 {
		return cl.Targets(f.sim)
	}
	return nil
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
	return out
}

// listsFaults says that /panne only tells what is broken.
func listsFaults(args string) bool { return args == "" || (name{"liste", "list"}).is(args) }
