package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Cluster is a cluster as it is now: what each node has promised, and how each pod is.
type Cluster struct {
	Title string
	Note  string // when: the cluster's own time; may be empty
	Nodes []Node
	Apart []Pod // without a node
	Words ClusterWords
}

// ClusterWords are what is said in the drawing besides names.
type ClusterWords struct {
	CPU, Memory string
	Apart       string // no node yet
	Empty       string // no pod
	More        func(nodes int) string
}

// Node is a node and what is on it.
type Node struct {
	Name        string // as the person's lens calls it
	State       string // as kubectl prints it
	Tone        Tone
	CPU, Memory Share
	Pods        []Pod
}

// Share is what is promised of what there is.
type Share struct {
	Part float64 // from 0 to 1
	Text string  // 300m / 4
}

// Pod is a pod: drawn by name where there are few, else as a square.
type Pod struct {
	Name  string
	State string // as kubectl prints it: Running, CrashLoopBackOff
	Tone  Tone
}

// How many there may be for each to be drawn by its name, and how many nodes are drawn.
const (
	namedPods = 24
	namedHere = 8
	mostNodes = 24
)

// named says that there are few enough pods for their names.
func (c Cluster) named() bool {
	total := len(c.Apart)
	for _, n := range c.Nodes {
		if total += len(n.Pods); len(n.Pods) > namedHere {
			return false
		}
	}
	return total <= namedPods && len(c.Apart) <= namedHere
}

// shown are the nodes that are drawn, those that are not well first if not all are, and how many are left out.
func (c Cluster) shown() (nodes []Node, left int) {
	if len(c.Nodes) <= mostNodes {
		return c.Nodes, 0
	}
	nodes = slices.SortedStableFunc(slices.Values(c.Nodes), func(a, b Node) int { return cmp.Compare(b.Tone, a.Tone) })
	return nodes[:mostNodes], len(nodes) - mostNodes
}

// tally is how many pods there are of a state.
type tally struct {
	state string
	tone  Tone
	count int
}

// tallies counts pods by state, the well first, then the most numerous.
func tallies(pods []Pod) []tally {
	var out []tally
	for _, p := range pods {
		i := slices.IndexFunc(out, func(t tally) bool { return t.state == p.State && t.tone == p.Tone })
		if i < 0 {
			i, out = len(out), append(out, tally{p.State, p.Tone, 0})
		}
		out[i].count++
	}
	slices.SortStableFunc(out, func(a, b tally) int {
		return cmp.Or(cmp.Compare(a.tone, b.tone), cmp.Compare(b.count, a.count), cmp.Compare(a.state, b.state))
	})
	return out
}

// Text is the cluster made of characters.
func (c Cluster) Text() string {
	var p page
	p.text("", c.Title)
	if c.Note != "" {
		p.text("", c.Note)
	}
	named := c.named()
	nodes, left := c.shown()
	for _, n := range nodes {
		p.gap()
		p.line(ends(n.Tone.letter()+" "+n.Name, n.State, columns))
		wide := max(width(c.Words.CPU), width(c.Words.Memory))
		for _, s := range []struct {
			label string
			share Share
		}{{c.Words.CPU, n.CPU}, {c.Words.Memory, n.Memory}} {
			p.line("  " + pad(s.label, wide) + " " + gauge(s.share.Part, 12) + " " + s.share.Text)
		}
		c.podLines(&p, n.Pods, named)
	}
	if left > 0 {
		p.gap()
		p.text("", c.Words.More(left))
	}
	if len(c.Apart) > 0 {
		p.gap()
		p.line(Waiting.letter() + " " + c.Words.Apart)
		c.podLines(&p, c.Apart, named)
	}
	return p.String()
}

func (c Cluster) podLines(p *page, pods []Pod, named bool) {
	if len(pods) == 0 {
		p.line("  " + c.Words.Empty)
	}
	if named {
		for _, pod := range pods {
			p.line("  " + podLine(pod, columns-2))
		}
		return
	}
	for _, t := range tallies(pods) {
		p.line(fmt.Sprintf("  %s %d %s", strings.Repeat(t.tone.letter(), min(t.count, 20)), t.count, t.state))
	}
}

// podLine is a pod's name and its state; the name gives way, but for how it ends.
func podLine(p Pod, n int) string {
	room := max(14, n-width(p.State)-3)
	return ends(p.Tone.letter()+" "+cutMiddle(p.Name, room), p.State, n)
}
