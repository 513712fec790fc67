package bot

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"timonier/sim/scheduler"
)

// Taints that Kubernetes itself puts on nodes.
const (
	taintCordoned    = "node.kubernetes.io/unschedulable"
	taintUnreachable = "node.kubernetes.io/unreachable"
	taintNotReady    = "node.kubernetes.io/not-ready"
)

// obstacles are what stood in a pod's way on a node, in words.
func (c *call) obstacles(n scheduler.NodeVerdict) []string {
	var out []string
	for _, s := range n.Shortages {
		out = append(out, c.say("obstacle.short", with{"Resource": s.Resource, "Requested": amount(s.Resource, s.Requested),
			"Free": amount(s.Resource, max(s.Free, 0)), "Allocatable": amount(s.Resource, s.Allocatable)}))
	}
	for _, t := range n.Taints {
		switch t.Key {
		case taintCordoned:
			out = append(out, c.say("obstacle.cordoned"))
		case taintUnreachable, taintNotReady:
			out = append(out, c.say("obstacle.silent", with{"Taint": taintText(t)}))
		default:
			out = append(out, c.say("obstacle.taint", with{"Taint": taintText(t)}))
		}
	}
	for _, t := range n.Terms {
		id := "obstacle.term"
		if t.Absent {
			id = "obstacle.noterm"
		}
		out = append(out, c.say(id, with{"From": t.From, "Wanted": termText(t), "Key": t.Key, "Has": t.Has}))
	}
	for _, p := range n.Ports {
		out = append(out, c.say("obstacle.port", with{"Port": fmt.Sprint(p.HostPort), "Pod": p.Holder.Name}))
	}
	for _, s := range n.Spread {
		if s.Absent {
			out = append(out, c.say("obstacle.nokey", with{"Key": s.TopologyKey}))
			continue
		}
		out = append(out, c.say("obstacle.spread", with{"Key": s.TopologyKey, "Domain": s.Domain,
			"Sum": fmt.Sprintf("%d + %d − %d = %d", s.Matching, s.Self, s.Min, s.Matching+s.Self-s.Min), "Skew": s.MaxSkew}))
	}
	for _, a := range n.Affinity {
		out = append(out, c.affinity(a))
	}
	return out
}

func (c *call) affinity(a scheduler.Affinity) string {
	pod := ""
	if a.Pod != nil {
		pod = a.Pod.Name
	}
	switch {
	case a.Absent:
		return c.say("obstacle.nokey", with{"Key": a.TopologyKey})
	case a.Kind == "affinity":
		return c.say("obstacle.lonely", with{"Selector": a.Selector, "Key": a.TopologyKey})
	case a.Kind == "existing-anti-affinity":
		return c.say("obstacle.unwanted", with{"Pod": pod, "Key": a.TopologyKey})
	}
	return c.say("obstacle.crowded", with{"Pod": pod, "Selector": a.Selector, "Key": a.TopologyKey})
}

// taintText is a taint as kubectl writes it: key=value:Effect.
func taintText(t scheduler.Taint) string {
	text := t.Key
	if t.Value != "" {
		text += "=" + t.Value
	}
	if t.Effect != "" { // of a toleration, every effect
		text += ":" + t.Effect
	}
	return text
}

// termText is a requirement as one would write it.
func termText(t scheduler.Term) string {
	values := strings.Join(t.Values, ", ")
	switch {
	case t.Operator == "In" && len(t.Values) == 1:
		return t.Key + "=" + values
	case t.Operator == "NotIn" && len(t.Values) == 1:
		return t.Key + "!=" + values
	case len(t.Values) == 0:
		return t.Operator + " " + t.Key
	}
	return t.Key + " " + t.Operator + " (" + values + ")"
}

// remedies are what would let a pod in, node by node: each obstacle's smallest change.
func (c *call) remedies(v *scheduler.Verdict) string {
	return c.byNode(v, func(n scheduler.NodeVerdict) string {
		var out []string
		for _, s := range n.Shortages {
			out = append(out, c.remedyShort(s))
		}
		for _, t := range n.Taints {
			out = append(out, c.remedyTaint(n.Name, t))
		}
		for _, t := range n.Terms {
			out = append(out, c.remedyTerm(n.Name, t))
		}
		for _, p := range n.Ports {
			out = append(out, c.say("remedy.port", with{"Port": fmt.Sprint(p.HostPort), "Pod": p.Holder.Name}))
		}
		for _, s := range n.Spread {
			out = append(out, c.say("remedy.spread", with{"Key": s.TopologyKey, "Skew": s.MaxSkew}))
		}
		for _, a := range n.Affinity {
			out = append(out, c.say("remedy.affinity", with{"Key": a.TopologyKey}))
		}
		return strings.Join(out, c.say("remedy.and"))
	})
}

func (c *call) remedyShort(s scheduler.Shortage) string {
	data := with{"Resource": s.Resource, "Missing": amount(s.Resource, s.Missing()), "Free": amount(s.Resource, max(s.Free, 0)),
		"Allocatable": amount(s.Resource, s.Allocatable)}
	switch {
	case s.Requested > s.Allocatable:
		return c.say("remedy.toobig", data)
	case s.Free <= 0:
		return c.say("remedy.free", data)
	}
	return c.say("remedy.short", data)
}

func (c *call) remedyTaint(node string, t scheduler.Taint) string {
	switch t.Key {
	case taintCordoned:
		return c.say("remedy.cordoned", with{"Node": node})
	case taintUnreachable, taintNotReady:
		return c.say("remedy.silent")
	}
	return c.say("remedy.taint", with{"Taint": taintText(t), "Remove": node + " " + t.Key + ":" + t.Effect + "-"})
}

// remedyTerm gives the node the label that is wanted, but not a name that is its own.
func (c *call) remedyTerm(node string, t scheduler.Term) string {
	if t.Operator == "In" && len(t.Values) > 0 && t.Key != "metadata.name" && t.Key != corev1.LabelHostname {
		command := "kubectl label nodes " + node + " " + t.Key + "=" + t.Values[0]
		if !t.Absent {
			command += " --overwrite"
		}
		return c.say("remedy.label", with{"Command": command})
	}
	return c.say("remedy.term", with{"From": t.From, "Key": t.Key})
}
