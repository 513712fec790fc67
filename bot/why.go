package bot

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"timonier/content"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// through is the word before a lens: /pourquoi en formation.
var through = name{"en", "in"}

// details is the word for all figures: /pourquoi POD calcul.
var details = name{"calcul", "math"}

// stages is the word for the stages of a request: /pourquoi requête.
var stages = name{"requête", "request"}

// whyCommand is /pourquoi: the chain of causes of the last command; /pourquoi POD:
// why the pod is where it is, or nowhere.
func whyCommand(c *call) (Reply, error) {
	cl, err := c.cluster()
	if err != nil {
		return Reply{}, err
	}
	words := strings.Fields(tidyCommand(c.args))
	lens := c.lens()
	if n := len(words); n >= 2 && through.is(words[n-2]) {
		l, ok := c.findLens(words[n-1])
		if !ok {
			return c.mistake("why.nolens", with{"Word": shorten(words[n-1])}), nil
		}
		lens, words = l, words[:n-2]
	}
	if len(words) == 0 {
		return c.chain(cl, lens), nil
	}
	if stages.is(words[0]) {
		return c.stages(cl, lens), nil
	}
	all := len(words) > 1 && details.is(words[1])
	question, asks := cutQuestion(words[1:])
	if _, ok := apiserver.Get[*corev1.Node](cl.Client(), "", words[len(words)-1]); ok && len(words) == 2 && !asks {
		question, asks = words[1:], true // /pourquoi POD node-2
	}
	pods := c.findPods(cl, words[0])
	switch len(pods) {
	case 0:
		if v, step := verdictOn(cl, named(words[0])); v != nil { // it is gone; the decision is remembered
			return c.whyPod(cl, words[0], nil, v, step, lens, all), nil
		}
		return c.noPod(cl, words[0]), nil
	case 1:
		if asks {
			return c.whatIf(cl, pods[0], question, lens)
		}
		v, step := verdictOn(cl, func(r trace.Ref) bool { return r.UID == pods[0].UID })
		return c.whyPod(cl, podName(pods[0]), pods[0], v, step, lens, all), nil
	}
	r := Reply{Blocks: []Block{Text{c.say("why.which", with{"Word": shorten(words[0])})}}}
	for _, p := range pods[:min(5, len(pods))] {
		line := c.typed("why", podName(p))
		if asks {
			line = c.typed("why", podName(p), whether.in(c.words), strings.Join(question, " "))
		}
		r = r.with(Button{Label: podName(p), Line: line})
	}
	return r, nil
}

// findPods are the pods that a word may mean: by name, or by how the name begins.
func (c *call) findPods(cl *sim.Cluster, word string) []*corev1.Pod {
	word = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(word, "pod/"), "pods/"), "po/")
	namespace, name, found := strings.Cut(word, "/")
	if !found {
		namespace, name = "", word
	}
	var begins []*corev1.Pod
	for p := range apiserver.List[*corev1.Pod](cl.Client(), namespace) {
		if p.Name == name {
			return []*corev1.Pod{p}
		}
		if strings.HasPrefix(p.Name, name) {
			begins = append(begins, p)
		}
	}
	return begins
}

// isNamespace says that what stands before a slash is a namespace, or a word for pods.
func isNamespace(cl *sim.Cluster, word string) bool {
	for n := range apiserver.List[*corev1.Namespace](cl.Client(), "") {
		if n.Name == word {
			return true
		}
	}
	return slices.Contains([]string{"po", "pod", "pods"}, word)
}

func (c *call) noPod(cl *sim.Cluster, word string) Reply {
	id := "why.nopod"
	if kind, _, found := strings.Cut(word, "/"); found && !isNamespace(cl, kind) { // deploy/web
		id = "why.notapod"
	}
	r := c.mistake(id, with{"Word": shorten(word)})
	for p := range apiserver.List[*corev1.Pod](cl.Client(), "") {
		if len(r.Buttons) == 5 {
			break
		}
		r = r.with(Button{Label: podName(p), Line: c.typed("why", podName(p))})
	}
	return r
}

// chain tells the last command from what was typed to the containers that run.
func (c *call) chain(cl *sim.Cluster, lens *content.Lens) Reply {
	last := c.channel.last
	if last.Line == "" {
		return c.mistake("why.nothing").with(Button{Label: "kubectl create deployment …", Line: "/kubectl create deployment web --image=nginx --replicas=3"})
	}
	all := cl.Trace().From(last.From + 1)
	i := slices.IndexFunc(all, func(s trace.Step) bool {
		return s.Kind == trace.Asked || s.Kind == trace.Fault || s.Kind == trace.Healed
	})
	var steps []trace.Step
	partial := len(all) > 0 && all[0].ID > last.From+1
	switch {
	case partial: // its beginning has left the trace: what is left is told after what was asked
		asked := trace.Step{Kind: trace.Asked, Actor: "kubectl", Detail: trace.Request{Command: strings.TrimPrefix(last.Line, "/")}}
		steps = append([]trace.Step{asked}, all...)
	case i >= 0:
		steps = descendants(all[i:], all[i].ID)
	}
	groups := condense(slices.DeleteFunc(slices.Clone(steps), func(s trace.Step) bool {
		own := last.Outside > 0 && s.Kind == trace.Committed && s.Actor == steps[0].Actor // from outside comes any program
		return !worth(s) && !own || gone(steps, s)
	}), again)
	r := Reply{Blocks: []Block{Title{c.say("why.title")}}}
	if last.Outside > 0 {
		r.Blocks = append(r.Blocks, Text{c.fromOutside(last.Outside)})
	}
	r.Blocks = append(r.Blocks, Text{c.numbered(lens, groups) + "\n" + c.moral(steps)})
	if row, ok := c.breaks(lens, steps); ok {
		r.Blocks = append(r.Blocks, Quote{"⚠️ *" + c.say("why.breaks", with{"Text": c.links(row)}) + "*"})
	}
	if partial {
		r.Blocks = append(r.Blocks, Text{c.say("why.forgotten")})
	} else if len(steps) == 1 && steps[0].Kind == trace.Asked {
		r.Blocks = append(r.Blocks, Text{c.say("why.unsent")})
	}
	for _, s := range steps {
		if s.Kind == trace.Scheduled || s.Kind == trace.Unplaced {
			r = r.with(Button{Label: c.say("why.place"), Line: c.typed("why", s.Object.Name), Style: Primary})
			break
		}
	}
	if _, ok := written(steps); ok {
		r = r.with(Button{Label: c.say("why.stages"), Line: c.typed("why", stages.in(c.words))})
	}
	return c.otherLens(r.with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster")}), lens, c.typed("why"))
}

// gone says that a step is the answer to a look whether something was there still, as kubectl drain takes one, and it
// was not: no refusal to tell, where there is something else.
func gone(steps []trace.Step, s trace.Step) bool {
	d, ok := s.Detail.(trace.Refusal)
	if !ok || d.Code != http.StatusNotFound || !slices.ContainsFunc(steps, func(o trace.Step) bool { return o.Kind == trace.Decided || o.Kind == trace.Committed }) {
		return false
	}
	for i := len(steps) - 1; i >= 0; i-- { // up to the request
		if steps[i].ID != s.Cause {
			continue
		}
		if r, ok := steps[i].Detail.(trace.Request); ok && steps[i].Kind == trace.Received {
			return r.Verb == "get"
		}
		s = steps[i]
	}
	return false
}

// written is the first step by which the API server took or refused a person's request.
func written(steps []trace.Step) (uint64, bool) {
	i := slices.IndexFunc(steps, func(s trace.Step) bool {
		return s.Kind == trace.Committed && (s.Actor == "kubectl" || s.Actor == steps[0].Actor) || s.Kind == trace.Refused
	})
	if i < 0 {
		return 0, false
	}
	return steps[i].ID, true
}

// stages tells the last command's first write stage by stage, as it went through the API server.
func (c *call) stages(cl *sim.Cluster, lens *content.Lens) Reply {
	all := cl.Trace().From(c.channel.last.From + 1)
	i := slices.IndexFunc(all, func(s trace.Step) bool { return s.Kind == trace.Asked })
	if c.channel.last.Line == "" || i < 0 {
		return c.chain(cl, lens)
	}
	id, ok := written(descendants(all[i:], all[i].ID))
	if !ok {
		return c.chain(cl, lens)
	}
	var groups []told
	for _, s := range cl.Trace().Chain(id) {
		groups = append(groups, told{first: s})
	}
	r := Reply{Blocks: []Block{Title{c.say("why.stagestitle")}, Text{c.numbered(lens, groups)}}}
	r = r.with(Button{Label: c.say("button.why"), Line: c.typed("why")})
	return c.otherLens(r, lens, c.typed("why", stages.in(c.words)))
}

// numbered are the groups as a list, the first and the last where there are many.
func (c *call) numbered(lens *content.Lens, groups []told) string {
	const most = 14
	var b strings.Builder
	lines, _ := c.sentences(lens, groups)
	for i, line := range lines {
		if i == most {
			fmt.Fprintf(&b, "%d. %s\n", i+1, c.say("tell.more", with{"Count": len(lines) - most}))
			break
		}
		fmt.Fprintf(&b, "%d. %s\n", i+1, line)
	}
	if len(lines) == 0 {
		b.WriteString(c.say("why.nochange") + "\n")
	}
	return b.String()
}

// moral is what the chain shows, if others than the one who asked did something.
func (c *call) moral(steps []trace.Step) string {
	for _, s := range steps {
		if s.Kind == trace.Decided || s.Kind == trace.Scheduled || s.Kind == trace.Unplaced {
			return "*" + c.say("why.moral") + "*"
		}
	}
	return ""
}

// breaks is where the analogy breaks for one of the concepts in the chain: the most telling is the last.
func (c *call) breaks(lens *content.Lens, steps []trace.Step) (string, bool) {
	rows := c.content.Breaks(lens, steps)
	if len(rows) == 0 {
		return "", false
	}
	i := slices.IndexFunc(rows, func(r content.Row) bool { return r.Concept == "pod" })
	return c.in(rows[max(i, 0)].Breaks), true
}

// otherLens offers the same in other words: the plain ones, or each analogy's.
func (c *call) otherLens(r Reply, lens *content.Lens, line string) Reply {
	for _, l := range c.content.Lenses {
		if l == lens || lens.ID != content.Technique && l.ID != content.Technique {
			continue
		}
		label := c.in(l.Title)
		switch {
		case l.ID == content.Technique:
			label = c.say("why.technical")
		case l.Analogy > 0:
			label = c.say("why.analogy", with{"Number": l.Analogy})
		}
		r = r.with(Button{Label: label, Line: line + " " + through.in(c.words) + " " + l.ID})
	}
	return r
}

func completeWhy(c *call, words []string) []string {
	cl := c.peek()
	if cl == nil {
		return nil
	}
	if len(words) > 1 {
		return completeWhatIf(c, cl, words)
	}
	var out []string
	for p := range apiserver.List[*corev1.Pod](cl.Client(), "") {
		out = append(out, podName(p))
	}
	return out
}
