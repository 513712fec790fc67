package bot

import (
	"fmt"
	"slices"
	"strings"

	"timonier/bot/picture"
	"timonier/sim"
	"timonier/sim/trace"
)

// drawRequest is /schéma demande: the path of the last command's first write, and who took notice.
func drawRequest(c *call, cl *sim.Cluster, _ string) (Reply, error) {
	last := c.channel.last
	all := cl.Trace().From(last.From + 1)
	i := slices.IndexFunc(all, func(s trace.Step) bool { return s.Kind == trace.Asked })
	if last.Line == "" || i < 0 || all[i].ID > last.To {
		return c.mistake("draw.norequest").with(createButton()), nil
	}
	steps := descendants(all[i:], all[i].ID)
	id, ok := written(steps)
	if !ok {
		return c.mistake("draw.nowrite").with(createButton()), nil
	}
	d := c.pathDrawing(cl.Trace().Chain(id), steps, last.Line)
	r := Reply{Blocks: []Block{c.drawn("request", d, c.pathAlt(d))}}
	return r.with(Button{Label: c.say("why.stages"), Line: c.typed("why", stages.in(c.words)), Style: Primary}).
		with(Button{Label: c.say("button.why"), Line: c.typed("why")}), nil
}

// stageWords are the names of the stages of a request.
func stageWords() map[trace.Kind]string {
	return map[trace.Kind]string{
		trace.Received: "draw.received", trace.Authenticated: "draw.authenticated", trace.Authorized: "draw.authorized",
		trace.Decoded: "draw.decoded", trace.Mutated: "draw.mutated", trace.Validated: "draw.validated",
		trace.Admitted: "draw.admitted", trace.Committed: "draw.committed", trace.Refused: "draw.refused",
	}
}

// refusalWords say at which stage a request was refused.
func refusalWords() map[trace.Kind]string {
	return map[trace.Kind]string{
		trace.Authenticated: "draw.unauthenticated", trace.Authorized: "draw.unauthorized", trace.Decoded: "draw.undecoded",
		trace.Mutated: "draw.unadmitted", trace.Validated: "draw.invalid", trace.Admitted: "draw.unadmitted", trace.Committed: "draw.uncommitted",
	}
}

func (c *call) pathDrawing(chain, steps []trace.Step, line string) picture.Path {
	d := picture.Path{Title: c.say("draw.requesttitle"), Line: strings.TrimPrefix(line, "/")}
	var end trace.Step
	for _, s := range chain {
		id, ok := stageWords()[s.Kind]
		if !ok {
			continue
		}
		hop := picture.Hop{Who: c.say("draw.server"), What: c.say(id), Tone: picture.Good, Detail: c.stageDetail(s)}
		switch s.Kind {
		case trace.Committed:
			hop.Who, hop.Tone, hop.Mark = "etcd", picture.Accent, c.say("draw.revision", with{"Revision": s.Revision})
		case trace.Refused:
			hop.Tone = picture.Bad
			if r, ok := s.Detail.(trace.Refusal); ok && refusalWords()[r.Stage] != "" {
				hop.What = c.say(refusalWords()[r.Stage])
			}
		}
		d.Hops = append(d.Hops, hop)
		end = s
	}
	if end.Kind == trace.Refused {
		d.Note = c.say("draw.stopshere")
		return d
	}
	if noticed := c.reactions(steps, end.ID); len(noticed) > 0 { // they hear of it from the API server, not from etcd
		d.Hops = append(d.Hops, picture.Hop{Who: c.say("draw.server"), What: c.say("draw.announced"), Tone: picture.Good})
		d.Hops = append(d.Hops, noticed...)
	}
	if len(chain) > 0 && chain[0].Kind != trace.Asked {
		d.Note = c.say("draw.begunearlier")
	}
	return d
}

// stageDetail is the figure or the name that a stage is about; empty: none.
func (c *call) stageDetail(s trace.Step) string {
	const most = 2
	fields := func(all []string) string {
		if len(all) == 0 {
			return ""
		}
		if len(all) > most+1 {
			return c.say("draw.fields", with{"Names": strings.Join(all[:most], ", "), "Count": len(all) - most})
		}
		return c.list(all)
	}
	switch d := s.Detail.(type) {
	case trace.Request:
		text := d.Verb + " " + d.Resource
		if d.DryRun {
			text += " (dry run)"
		}
		return text
	case trace.Identity:
		return d.User
	case trace.Defaults:
		return fields(d.Fields)
	case trace.Admission:
		return strings.Trim(d.Plugin+" · "+fields(d.Fields), " ·")
	case trace.Commit:
		return d.Key
	case trace.Refusal:
		return fmt.Sprintf("%d %s", d.Code, d.Reason)
	}
	return ""
}

// reactions are the components that acted as the write was seen, the first act of each, in order.
func (c *call) reactions(steps []trace.Step, from uint64) (out []picture.Hop) {
	const most = 5
	known := map[string]bool{}
	for _, s := range descendants(steps, from) {
		actor, _, _ := strings.Cut(s.Actor, "/")
		if s.ID == from || known[actor] || len(out) == most || actor == "kubectl" || actor == "kube-apiserver" || actor == "etcd" {
			continue
		}
		if s.Kind != trace.Decided && s.Kind != trace.Scheduled && s.Kind != trace.Unplaced && s.Kind != trace.Committed && s.Kind != trace.Pulling && s.Kind != trace.Killing {
			continue
		}
		known[actor] = true
		hop := picture.Hop{Who: c.say("draw.noticing"), What: actor, Tone: picture.Second, Detail: bare(c.lens().Tell(c.course(), s))}
		out = append(out, hop)
	}
	return out
}

func (c *call) pathAlt(d picture.Path) string {
	text := []string{d.Title + ".", d.Line + "."}
	who := ""
	for i, h := range d.Hops {
		said := h.What
		if h.Detail != "" {
			said += " (" + strings.TrimSuffix(h.Detail, ".") + ")"
		}
		if h.Mark != "" {
			said += ", " + h.Mark
		}
		if h.Who != who {
			who = h.Who
			text = append(text, c.say("draw.whoalt", with{"Who": who}))
		}
		text = append(text, fmt.Sprintf("%d. %s.", i+1, said))
	}
	if d.Note != "" {
		text = append(text, d.Note)
	}
	return strings.Join(text, " ")
}
