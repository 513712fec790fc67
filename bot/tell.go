package bot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"timonier/content"
	"timonier/sim"
	"timonier/sim/scheduler"
	"timonier/sim/trace"
)

// descendants are the steps that come from one, and itself, in order.
func descendants(steps []trace.Step, root uint64) []trace.Step {
	known := map[uint64]bool{root: true}
	var out []trace.Step
	for _, s := range steps {
		if s.ID == root || known[s.Cause] && s.Cause != 0 {
			known[s.ID] = true
			out = append(out, s)
		}
	}
	return out
}

// worth says whether a step is told where a story has room for few. The stages of
// a request are one: its write says it all. What a component writes is told by its
// decision.
func worth(s trace.Step) bool {
	switch s.Kind {
	case trace.Committed:
		return s.Actor == "kubectl"
	case trace.Decided:
		d, ok := s.Detail.(trace.Decision)
		return !ok || d.What != "adopt" && d.What != "remove-owners" && d.What != "finalize"
	case trace.Refused: // an Event that nobody could write is no news
		return s.Object.Kind != "Event"
	case trace.Asked, trace.Scheduled, trace.Unplaced, trace.Preempted, trace.Pulled, trace.Started,
		trace.Ready, trace.Unready, trace.Exited, trace.Restarts, trace.Killing,
		trace.NodeLost, trace.NodeBack, trace.Elected, trace.Pressed, trace.Relieved, trace.Evicted, trace.Rebooted,
		trace.LeaderElected, trace.LeaderLost, trace.QuorumLost, trace.QuorumBack, trace.CaughtUp, trace.NoSpace, trace.Disarmed,
		trace.Fault, trace.Healed:
		return true
	}
	return false
}

// told is a group of steps that are the same but for their object.
type told struct {
	first  trace.Step
	others []trace.Step
}

// Spans within which steps are told as one.
const (
	atOnce = time.Second      // steps of several objects, in a story with times: a group has that of its first
	again  = 20 * time.Second // the same step of the same object; steps of several, in a story without times
)

// condense puts steps that are alike together, where the first of them stood: three pods placed at once are told
// once. What happens again to the same object later than a while is told again; a container's end and its start
// anew, each time.
func condense(steps []trace.Step, within time.Duration) []told {
	var groups []*told
	open := map[string]*told{}
	last := map[string]time.Time{} // when a step of an object was last told
	for _, s := range steps {
		key := likeness(s)
		g, mine := open[key], fmt.Sprint(key, " ", s.Object.Namespace, "/", s.Object.Name, " ", s.Object.UID)
		since, repeated := last[mine]
		if repeated && s.Kind != trace.Exited && s.Kind != trace.Restarts && s.At.Sub(since) < again {
			continue
		}
		last[mine] = s.At
		if g != nil && s.At.Sub(g.first.At) < within {
			if g.first.Object != s.Object && !slices.ContainsFunc(g.others, func(o trace.Step) bool { return o.Object == s.Object }) {
				g.others = append(g.others, s)
			}
			continue
		}
		g = &told{first: s}
		groups = append(groups, g)
		open[key] = g
	}
	out := make([]told, len(groups))
	for i, g := range groups {
		out[i] = *g
	}
	return out
}

// likeness is equal for steps that one sentence can tell.
func likeness(s trace.Step) string {
	actor, _, _ := strings.Cut(s.Actor, "/")
	key := fmt.Sprint(s.Kind, " ", actor, " ", s.Object.Kind, " ", family(s.Object), " ")
	switch d := s.Detail.(type) {
	case trace.Decision:
		owner := s.Object.Name
		if s.Object.Kind == "Pod" || d.What == "collect" {
			owner = ""
		}
		if s.Object.Kind == "StatefulSet" { // its pods come one by one, each with its number
			owner += d.Note + d.Target.Name
		}
		return fmt.Sprint(key, d.What, owner)
	case trace.Container:
		return fmt.Sprint(key, d.Name, " ", d.Image, " ", d.Reason, " ", d.ExitCode, " ", d.Restarts, " ", d.Delay)
	case trace.Commit:
		return fmt.Sprint(key, d.Verb, d.Subresource)
	case trace.Refusal:
		if s.Actor == "kubectl" {
			return fmt.Sprint(key, s.ID)
		}
		return fmt.Sprint(key, d.Code)
	}
	return key
}

// family is what the pods of one owner have in common: their names begin with the owner's, and end with a part that
// is each pod's own. A pod with a number is one by itself, for those come one after the other. Pods that nobody made are
// of one family.
func family(o trace.Ref) string {
	i := strings.LastIndexByte(o.Name, '-')
	if o.Kind != "Pod" || i <= 0 {
		return ""
	}
	const random = 5 // letters and digits that a generated name ends with
	if _, err := strconv.Atoi(o.Name[i+1:]); err == nil && len(o.Name)-i-1 < random {
		return o.Namespace + "/" + o.Name
	}
	return o.Namespace + "/" + o.Name[:i]
}

// sentence tells a group through a lens.
func (c *call) sentence(l *content.Lens, g told) string {
	text := l.Tell(c.course(), g.first)
	if len(g.others) == 0 {
		return text
	}
	const named = 3
	if g.first.Object.Kind == "Pod" && len(g.others) <= named {
		var names []string
		for _, s := range g.others {
			name := l.Pod(c.course(), s.Object.Name)
			if v, ok := s.Detail.(*scheduler.Verdict); ok && v.Node != "" {
				name += " → " + l.Node(c.course(), v.Node)
			}
			names = append(names, name)
		}
		return text + " " + c.say("tell.alike", with{"Names": c.list(names)})
	}
	return text + " " + c.say("tell.others", with{"Count": len(g.others)})
}

// sentences tells groups, and leaves out one that would say again what the one before
// it said: a lens may have one word for two components.
func (c *call) sentences(l *content.Lens, groups []told) (lines []string, said []told) {
	for _, g := range groups {
		line := c.sentence(l, g)
		if len(lines) > 0 && lines[len(lines)-1] == line {
			continue
		}
		lines, said = append(lines, line), append(said, g)
	}
	return lines, said
}

// inLens tells steps in the words of the learner's lens, before sentences that say the same plainly; nothing
// where the lens is the plain one.
func (c *call) inLens(steps []trace.Step) []Block {
	if c.lens().ID == content.Technique {
		return nil
	}
	const most = 4
	groups := condense(slices.DeleteFunc(slices.Clone(steps), func(s trace.Step) bool { return !worth(s) }), atOnce)
	lines, _ := c.sentences(c.lens(), groups)
	if len(lines) == 0 {
		return nil
	}
	return []Block{Quote{strings.Join(lines[:min(most, len(lines))], "\n\n")}}
}

// after are the steps after one.
func after(cl *sim.Cluster, from uint64) []trace.Step { return cl.Trace().From(from + 1) }

// standing are the steps by which what is broken in some ways broke, as far as the trace remembers.
func standing(cl *sim.Cluster, kinds ...string) []trace.Step {
	broken := map[trace.FaultChange]bool{}
	for _, f := range cl.Faults() {
		if slices.Contains(kinds, f.Name) {
			broken[trace.FaultChange{Fault: f.Name, Target: f.Target}] = true
		}
	}
	var out []trace.Step
	for _, s := range slices.Backward(cl.Trace().Steps()) {
		if d, ok := s.Detail.(trace.FaultChange); ok && s.Kind == trace.Fault && broken[d] {
			delete(broken, d)
			out = append(out, s)
		}
	}
	slices.Reverse(out)
	return out
}

// list joins names: a, b et c.
func (c *call) list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return c.say("tell.and", with{"First": strings.Join(names[:len(names)-1], ", "), "Last": names[len(names)-1]})
}

// meanwhile tells what happened since a moment, in a few lines.
func (c *call) meanwhile(cl *sim.Cluster, began time.Time, from uint64) []Block {
	var steps []trace.Step
	for _, s := range cl.Trace().From(from + 1) {
		if worth(s) && s.Kind != trace.Pulled && s.Kind != trace.Started {
			steps = append(steps, s)
		}
	}
	groups := condense(steps, atOnce)
	if len(groups) == 0 {
		return []Block{Text{c.say("tell.calm")}}
	}
	const most = 10
	var b strings.Builder
	lines, said := c.sentences(c.lens(), groups)
	for i, line := range lines {
		if i == most {
			b.WriteString("- " + c.say("tell.more", with{"Count": len(lines) - most}) + "\n")
			break
		}
		fmt.Fprintf(&b, "- **%s**%s%s\n", c.after(said[i].first.At.Sub(began)), c.say("help.sep"), line)
	}
	return []Block{Text{b.String()}}
}
