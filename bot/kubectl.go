package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"timonier/sim"
	"timonier/sim/kubectl"
)

// settle is how far the cluster's time goes on after a change, so that the answer
// can say what the control plane made of it.
const settle = 250 * time.Millisecond

// kubectlVerbs are the words that a kubectl command begins with.
func kubectlVerbs() []string { return kubectl.Words("") }

// kubectlCommand is /kubectl: the real one, on the channel's cluster.
func kubectlCommand(c *call) (Reply, error) {
	args, text, err := kubectlWords(c.args, c.stdin)
	switch {
	case errors.Is(err, errQuote):
		return c.mistake("kubectl.quote"), nil
	case errors.Is(err, errShell):
		return c.mistake("kubectl.shell"), nil
	case len(args) == 0:
		return c.kubectlExamples(), nil
	case text == "" && readsInput(args):
		return c.askText(args), nil
	}
	cl, err := c.cluster()
	if err != nil {
		return Reply{}, err
	}
	from := cl.Trace().Last()
	do, still := kubectl.Run, c.channel.clock.Paused
	switch {
	case !c.may(changes):
		do = kubectl.Look
	case still:
		do = kubectl.RunStill
	}
	result := do(c.pacing(args), cl, args, text)
	switch {
	case result.Refused != nil:
		return c.refused(result.Refused), nil
	case result.Denied:
		return c.forbidden("/kubectl " + shorten(strings.Join(args, " "))), nil
	}
	r := c.output(result)
	r.Failed = result.Code != 0
	r = c.withRoom(r, cl, result)
	if !result.Wrote {
		c.looked = result.Waited == 0 // else it has let time go on, as /temps avance does
		if r.Failed {                 // the chain of causes tells which stage refused
			c.remember(cl, from)
			r = c.unanswered(r, cl)
		}
		return c.withRollout(r, cl, args), nil
	}
	late := false
	if !still {
		err := c.advance(cl, settle)
		if late = errors.Is(err, sim.ErrTooMuch); err != nil && !late {
			return Reply{}, err
		}
	}
	c.remember(cl, from)
	r = c.progress(r, cl, result.Objects)
	switch {
	case late:
		r.Blocks, r.Follow = append(r.Blocks, Text{c.say("time.toomuch")}), nil
	case still:
		r.Blocks = append(r.Blocks, Text{c.say("step.stopped", with{"Step": c.stepLine()})})
		r.Buttons = append([]Button{{Label: c.say("step.next"), Line: c.stepLine(), Style: Primary}}, r.Buttons...)
	}
	return r, nil
}

// pacing is the context for a kubectl command: one that shares its standard input with no other holds what
// others wait for, and has to come to an end in one go.
func (c *call) pacing(args []string) context.Context {
	if c.pass == nil || kubectl.ReadsInput(args) {
		return c.ctx
	}
	return pacing{c.ctx, c.pass}
}

// unanswered says why nobody answered kubectl, where that is since something is broken.
func (c *call) unanswered(r Reply, cl *sim.Cluster) Reply {
	var id string
	var kinds []string
	etcd := cl.Etcd()
	switch {
	case cl.Server().Down():
		id, kinds = "kubectl.down", []string{sim.APIServerDown}
	case !etcd.Quorum:
		id, kinds = "kubectl.noquorum", []string{sim.EtcdStopped, sim.EtcdPartitioned}
	case etcd.Full:
		id, kinds = "kubectl.full", []string{sim.EtcdFull}
	default:
		return r
	}
	r.Blocks = append(append(r.Blocks, Text{c.say(id)}), c.inLens(standing(cl, kinds...))...)
	for _, kind := range kinds {
		r = c.withMends(r, cl, fault{sim: kind})
	}
	return r
}

// kubectlWords are the words after kubectl, and the text that it reads, as they were meant.
func kubectlWords(line, text string) (args []string, stdin string, err error) {
	line, text = unheredoc(tidyCommand(line), text)
	if args, err = split(line); err != nil {
		return nil, "", err
	}
	if len(args) > 0 && (args[0] == "kubectl" || args[0] == "k") {
		args = args[1:]
	}
	if len(args) == 0 {
		return nil, "", nil
	}
	text = tidyText(text)
	return fromInput(args, text), text, nil
}

// kubectlManner asks for a form where a command lacks the text that it reads.
func kubectlManner(w words, line, text string, m *Manner) {
	if args, text, err := kubectlWords(line, text); err == nil && len(args) > 0 && text == "" && readsInput(args) {
		m.Prompt = w.askText(args).Prompt
	}
}

// remember is the last command, for /pourquoi.
func (c *call) remember(cl *sim.Cluster, from uint64) {
	c.channel.last = last{Line: firstLine(c.request.Line), From: from, To: cl.Trace().Last()}
}

// fromInput adds -f - where a text follows a command that needs one and names no other.
func fromInput(args []string, text string) []string {
	if text == "" && len(args) > 1 || !slices.Contains([]string{"apply", "create", "replace", "delete"}, args[0]) {
		return args
	}
	for _, a := range args[1:] {
		if !strings.HasPrefix(a, "-") || strings.HasPrefix(a, "-f") || strings.HasPrefix(a, "--filename") {
			return args
		}
	}
	if text == "" && args[0] != "apply" && args[0] != "create" {
		return args
	}
	return append(args, "-f", "-")
}

// readsInput says that the command takes its objects from standard input.
func readsInput(args []string) bool {
	for i, a := range args {
		if a == "-f-" || a == "-f=-" || a == "--filename=-" || (a == "-f" || a == "--filename") && i+1 < len(args) && args[i+1] == "-" {
			return true
		}
	}
	return false
}

// askText asks for the text that the command reads.
func (w words) askText(args []string) Reply {
	return Reply{
		Blocks: []Block{Text{w.say("kubectl.paste", with{"Command": "kubectl " + strings.Join(args, " ")})}},
		Prompt: &Prompt{Title: "kubectl " + args[0], Label: w.say("kubectl.yaml"), Line: "/kubectl " + strings.Join(args, " ")},
	}
}

func (c *call) kubectlExamples() Reply {
	r := Reply{Blocks: []Block{Text{c.say("kubectl.usage")}}}
	for _, line := range []string{"get nodes", "get pods -o wide", "explain pod.spec"} {
		r = r.with(Button{Label: "kubectl " + line, Line: "/kubectl " + line})
	}
	return r
}

// refused says what does not exist here, though kubectl has it elsewhere.
func (c *call) refused(r *kubectl.Refusal) Reply {
	ids := map[kubectl.Refused]string{
		kubectl.RefusedCommand: "kubectl.nocommand",
		kubectl.RefusedFlag:    "kubectl.noflag",
		kubectl.RefusedFile:    "kubectl.nofile",
		kubectl.RefusedOutput:  "kubectl.nooutput",
	}
	if c.request.Live {
		ids[kubectl.RefusedFile] = "kubectl.nofilechat"
	}
	id, ok := ids[r.What]
	if !ok {
		id = "kubectl.nocommand"
	}
	return c.mistake(id, with{"Word": shorten(r.Word)})
}

// output is what kubectl printed.
func (c *call) output(result kubectl.Result) Reply {
	var r Reply
	for _, text := range []string{result.Stdout, result.Stderr} {
		if text = strings.Trim(text, "\n"); text != "" {
			r = c.code(r, text)
		}
	}
	if len(r.Blocks) == 0 {
		r.Blocks = []Block{Text{c.say("kubectl.silent")}}
	}
	if result.Waited >= time.Second {
		r.Blocks = append(r.Blocks, Text{c.say("kubectl.waited", with{"Span": c.span(result.Waited)})})
	}
	if result.GaveUp {
		r.Blocks = append(r.Blocks, Text{c.say("kubectl.gaveup")})
	}
	return r
}
