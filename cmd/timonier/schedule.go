package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"timonier/sim/scheduler"
)

// sampleCase is a case as people write it.
const sampleCase = `  id: one
  nodes:
  - metadata: {name: node-1}
    status: {allocatable: {cpu: 2, memory: 4Gi}}
  - metadata: {name: node-2}
    status: {allocatable: {cpu: 4, memory: 8Gi}}
  pods: []
  objects: []
  pod:
    metadata: {name: web}
    spec: {containers: [{name: web, resources: {requests: {cpu: 500m}}}]}`

// schedule is the subcommand: clusters and pods come in, where each pod would go comes out, and why. It needs no
// cluster and no tutor.
func schedule(ctx context.Context, in invocation) int {
	flags := &flag.FlagSet{}
	explain := flags.Bool("explain", false, "")
	question := flags.String("if", "", "")
	say, _, code, ok := in.parse(flags, func(say voice) string { return say.sentence("schedule.usage", map[string]any{"Sample": sampleCase}) })
	if !ok {
		return code
	}
	if flags.NArg() > 0 {
		return in.refuse(say.sentence("program.badword", map[string]any{"Word": flags.Arg(0)}))
	}
	wrong := 0
	o := scheduler.SolveOptions{Now: time.Now(), If: strings.Fields(*question), Bad: func(line int, err error) {
		wrong++
		text := oneLine(err)
		if errors.Is(err, scheduler.ErrNoPodToPlace) {
			text = say.word("schedule.nopod")
		}
		fmt.Fprintln(in.stderr, say.sentence("schedule.badline", map[string]any{"Line": line, "Error": text}))
	}}
	done := make(chan error, 1)
	go func() {
		if *explain {
			done <- scheduler.Cases(in.stdin, func(_ int, k *scheduler.Case) error { return explainCase(say, in.stdout, k, o) }, o.Bad)
		} else {
			done <- scheduler.SolveAll(in.stdin, in.stdout, o)
		}
	}()
	select {
	case err := <-done:
		if err != nil {
			return in.fail(say.sentence("schedule.failed", map[string]any{"Error": oneLine(err)}))
		}
		if wrong > 0 {
			return exitFailed
		}
		return exitOK
	case <-ctx.Done(): // who waits for the next line cannot be called off: it ends with the program
		return exitFailed
	}
}

// explainCase writes a decision for people to read.
func explainCase(say voice, out io.Writer, k *scheduler.Case, o scheduler.SolveOptions) error {
	s, err := k.Snapshot()
	if err != nil {
		return &scheduler.CaseError{Err: err}
	}
	v := s.Decide(k.Pod, o.Now)
	text := explainVerdict(say, v)
	if len(o.If) > 0 {
		w, err := k.WhatIf(o.If, o.Now)
		if err != nil {
			return &scheduler.CaseError{Err: err}
		}
		text = append(text, explainWays(say, w)...)
	}
	if k.ID != "" {
		text[0] = k.ID + " · " + text[0]
	}
	if _, err := fmt.Fprintln(out, strings.Join(text, "\n")+"\n"); err != nil {
		return fmt.Errorf("write answer %q: %w", k.ID, err)
	}
	return nil
}

func explainVerdict(say voice, v *scheduler.Verdict) []string {
	told := map[scheduler.Outcome]string{scheduler.Scheduled: "schedule.scheduled", scheduler.Unschedulable: "schedule.unschedulable",
		scheduler.Gated: "schedule.gated", scheduler.Bound: "schedule.bound"}
	lines := []string{say.sentence(told[v.Outcome], map[string]any{"Pod": v.Pod.String(), "Node": v.Node, "Message": v.Message})}
	if len(v.Best) > 1 {
		lines = append(lines, say.sentence("schedule.tied", map[string]any{"Nodes": strings.Join(v.Best, ", ")}))
	}
	for i := range v.Nodes {
		n := &v.Nodes[i]
		switch {
		case !n.Feasible():
			lines = append(lines, say.sentence("schedule.refused", map[string]any{"Node": n.Name, "Plugin": n.Plugin, "Reasons": strings.Join(n.Reasons, ", ")}))
		case len(n.Scores) == 0:
			lines = append(lines, say.sentence("schedule.only", map[string]any{"Node": n.Name}))
		default:
			var sum []string
			for _, x := range n.Scores {
				sum = append(sum, fmt.Sprintf("%s %d×%d", x.Plugin, x.Score, x.Weight))
			}
			lines = append(lines, say.sentence("schedule.scored", map[string]any{"Node": n.Name, "Total": n.Total, "Sum": strings.Join(sum, " + ")}))
		}
	}
	if p := v.Preemption; p != nil {
		lines = append(lines, say.sentence("schedule.room", map[string]any{"Node": p.Node, "Victims": podList(p.Victims)}))
	}
	return lines
}

func podList(pods []scheduler.PodRef) string {
	names := make([]string, len(pods))
	for i, p := range pods {
		names[i] = p.String()
	}
	return strings.Join(names, ", ")
}

// explainWays says what would have to change, as kubectl's lines where there are any.
func explainWays(say voice, w *scheduler.WhatIf) []string {
	lines := []string{""}
	if len(w.Assume) > 0 {
		lines = append(lines, say.word("schedule.assumed"))
		lines = append(lines, explainVerdict(say, w.Verdict)...)
	}
	for _, way := range w.Ways {
		data := map[string]any{"Node": w.Node, "Changes": changeList(way.Changes), "Victims": ""}
		if way.MakesRoom() {
			data["Victims"] = podList(way.Verdict.Preemption.Victims)
		}
		if len(way.Changes) == 0 {
			lines = append(lines, say.sentence("schedule.noneeded", data))
		} else {
			lines = append(lines, say.sentence("schedule.way", data))
		}
	}
	switch {
	case w.Stuck != nil:
		lines = append(lines, say.sentence("schedule.stuck", map[string]any{"Node": w.Node, "Plugin": w.Stuck.Plugin, "Reasons": strings.Join(w.Stuck.Reasons, ", ")}))
	case w.GaveUp:
		lines = append(lines, say.sentence("schedule.gaveup", map[string]any{"Node": w.Node}))
	}
	return lines
}

func changeList(changes []scheduler.Change) string {
	var list []string
	for _, c := range changes {
		text := c.Command()
		if text == "" {
			text = c.String()
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}
