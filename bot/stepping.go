package bot

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"timonier/sim"
	"timonier/sim/trace"
)

// timeStep is the word of /temps pas.
var timeStep = name{"pas", "step"}

// Bounds of /temps pas.
const (
	mostSteps    = 20        // that are taken at once
	mostStepping = time.Hour // of the cluster's time, for one
)

// stepCommand is /temps pas: the clock goes on to the next event that is worth telling, and
// stands still there, so that the next command sees the cluster as it was told.
func (c *call) stepCommand(cl *sim.Cluster, arg string) (Reply, error) {
	count := 1
	if arg != "" {
		n, err := strconv.Atoi(arg)
		if err != nil || n < 1 || n > mostSteps {
			return c.mistake("step.badcount", with{"Word": shorten(arg), "Most": mostSteps}), nil
		}
		count = n
	}
	k := &c.channel.clock
	first := !k.Paused
	k.Paused = true
	began := cl.Now()
	var b strings.Builder
	if first && began.Sub(c.before.at) <= mostTyping { // what has happened while this was being typed
		began = c.before.at
		c.missed(&b, cl, began)
	}
	var told trace.Step
	ended := ""
	for range count {
		steps, why, err := c.step(cl)
		if err != nil {
			return Reply{}, err
		}
		for _, s := range steps {
			told = s
			fmt.Fprintf(&b, "- **%s**%s%s\n", c.after(s.At.Sub(began)), c.say("help.sep"), c.lens().Tell(c.course(), s))
		}
		if ended = why; ended != "" {
			break
		}
	}
	r := Reply{Blocks: []Block{Text{c.say("step.at", with{"Clock": c.moment(cl.Now())})}}, Failed: ended == "time.toomuch"}
	if b.Len() > 0 {
		r.Blocks = append(r.Blocks, Text{b.String()})
	}
	if ended != "" {
		r.Blocks = append(r.Blocks, Text{c.say(ended, with{"Span": c.span(mostStepping)})})
	}
	switch {
	case first && ended == "":
		r.Blocks = append(r.Blocks, Text{c.say("step.still")})
	case first:
		r.Blocks = append(r.Blocks, Text{c.say("time.paused", with{"Resume": c.typed("time", timeResume.in(c.words))})})
	}
	if ended != "step.calm" {
		r = r.with(Button{Label: c.say("step.next"), Line: c.stepLine(), Style: Primary})
	}
	return c.stepButtons(r, told), nil
}

// missed tells what the cluster did since it was last seen, in a few lines.
func (c *call) missed(b *strings.Builder, cl *sim.Cluster, began time.Time) {
	const most = 5
	var steps []trace.Step
	for _, s := range cl.Trace().From(c.before.step + 1) {
		if worth(s) {
			steps = append(steps, s)
		}
	}
	lines, said := c.sentences(c.lens(), condense(steps, atOnce))
	for i, line := range lines[:min(most, len(lines))] {
		fmt.Fprintf(b, "- **%s**%s%s\n", c.after(said[i].first.At.Sub(began)), c.say("help.sep"), line)
	}
	if len(lines) > most {
		b.WriteString("- " + c.say("tell.more", with{"Count": len(lines) - most}) + "\n")
	}
}

func (c *call) stepButtons(r Reply, told trace.Step) Reply {
	if told.Kind == trace.Scheduled || told.Kind == trace.Unplaced {
		r = r.with(Button{Label: c.say("why.place"), Line: c.typed("why", told.Object.Name)})
	}
	return r.with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster")}).
		with(Button{Label: c.say("time.resume"), Line: c.typed("time", timeResume.in(c.words))})
}

func (c *call) stepLine() string { return c.typed("time", timeStep.in(c.words)) }

// step lets the cluster work until something has happened that is worth telling: all of it
// that one component did at once. Where there is nothing, ended is the ID of why.
func (c *call) step(cl *sim.Cluster) (steps []trace.Step, ended string, err error) {
	seen, end := cl.Trace().Last(), cl.Now().Add(mostStepping)
	happened := func() bool {
		for ; seen < cl.Trace().Last(); seen++ {
			if s, ok := cl.Trace().Step(seen + 1); ok && worth(s) {
				steps = append(steps, s)
			}
		}
		return len(steps) > 0 || c.late()
	}
	for !happened() {
		at, ok := cl.NextWork()
		if !ok {
			return nil, "step.calm", nil
		}
		if at.After(end) {
			return nil, "step.far", nil
		}
		cl.Until(max(0, at.Sub(cl.Now())), happened)
	}
	if len(steps) == 0 {
		return nil, "time.toomuch", c.ctx.Err()
	}
	return steps, "", nil
}
