package bot

import (
	"cmp"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/bot/picture"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// drawRollout is /schéma déploiement NOM: its rolling update, in progress or the last one.
func drawRollout(c *call, cl *sim.Cluster, word string) (Reply, error) {
	d, found := findDeployment(cl, word)
	if d == nil {
		return c.whichDeployment(word, found), nil
	}
	u := updateOf(cl, d)
	if u == nil {
		r := c.mistake("draw.noupdate", with{"Deployment": d.Name})
		line := "/kubectl set image deployment/" + d.Name + " " + d.Spec.Template.Spec.Containers[0].Name + "=" + c.otherImage(d.Spec.Template.Spec.Containers[0].Image)
		if d.Namespace != corev1.NamespaceDefault {
			line += " -n " + d.Namespace
		}
		if len(line) <= buttonLine {
			r = r.with(Button{Label: "kubectl set image …", Line: line, Style: Primary})
		}
		return r, nil
	}
	drawn := c.rolloutDrawing(d, u)
	r := Reply{Blocks: []Block{c.drawn("rollout", drawn, c.rolloutAlt(d, u, drawn))}}
	if !u.done {
		r = r.with(Button{Label: c.say("time.on", with{"Span": c.span(healing)}), Line: c.forward(healing), Style: Primary}).
			with(c.drawButton(c.say("draw.again"), findName("rollout").in(c.words), deploymentName(d)))
	}
	line := "/kubectl rollout history deployment/" + d.Name
	return r.with(Button{Label: "kubectl rollout history", Line: line}), nil
}

// withUpdate offers to draw the rolling update that a change has begun; a while longer than it takes, as an answer
// that is followed until then keeps its buttons.
func (c *call) withUpdate(r Reply, cl *sim.Cluster, written []trace.Ref) Reply {
	const lately = 3 * time.Minute
	for _, ref := range written {
		d, ok := apiserver.Get[*appsv1.Deployment](cl.Client(), ref.Namespace, ref.Name)
		if !ok || ref.Kind != "Deployment" {
			continue
		}
		if u := updateOf(cl, d); u != nil && (!u.done || cl.Now().Sub(u.began) < lately) {
			return c.withDrawing(r, c.say("draw.rolloutbutton"), "rollout", deploymentName(d))
		}
	}
	return r
}

// withRollout offers to draw the update that kubectl rollout looks at: status, history.
func (c *call) withRollout(r Reply, cl *sim.Cluster, args []string) Reply {
	if r.Failed || len(args) < 3 || args[0] != "rollout" {
		return r
	}
	for _, word := range args[2:] {
		if strings.HasPrefix(word, "-") {
			continue
		}
		if d, _ := findDeployment(cl, word); d != nil && updateOf(cl, d) != nil {
			return c.withDrawing(r, c.say("draw.rolloutbutton"), "rollout", deploymentName(d))
		}
	}
	return r
}

// otherImage is one to update to: of another version that the registries hold.
func (c *call) otherImage(image string) string {
	repository, _, _ := strings.Cut(image, ":")
	for _, tag := range []string{"1.29", "1.28", "3.20", "2"} {
		if other := repository + ":" + tag; other != image {
			return other
		}
	}
	return repository
}

func deploymentName(d *appsv1.Deployment) string {
	if d.Namespace == corev1.NamespaceDefault {
		return d.Name
	}
	return d.Namespace + "/" + d.Name
}

func deploymentNames(_ *call, cl *sim.Cluster) (out []string) {
	for d := range apiserver.List[*appsv1.Deployment](cl.Client(), "") {
		out = append(out, deploymentName(d))
	}
	return out
}

// findDeployment is the one that a word names; without a word the one that was updated last. Else all there are.
func findDeployment(cl *sim.Cluster, word string) (*appsv1.Deployment, []*appsv1.Deployment) {
	for _, kind := range []string{"deployment/", "deployments/", "deploy/", "deployment.apps/"} {
		word = strings.TrimPrefix(word, kind)
	}
	all := slices.Collect(apiserver.List[*appsv1.Deployment](cl.Client(), ""))
	var begins []*appsv1.Deployment
	for _, d := range all {
		if word != "" && (d.Name == word || deploymentName(d) == word) {
			return d, nil
		}
		if word != "" && strings.HasPrefix(d.Name, strings.ToLower(word)) {
			begins = append(begins, d)
		}
	}
	switch {
	case len(begins) == 1:
		return begins[0], nil
	case len(all) == 1 && word == "":
		return all[0], nil
	case word == "":
		var last *appsv1.Deployment
		var when time.Time
		for _, d := range all {
			if u := updateOf(cl, d); u != nil && u.began.After(when) {
				last, when = d, u.began
			}
		}
		return last, all
	}
	return nil, all
}

func (c *call) whichDeployment(word string, all []*appsv1.Deployment) Reply {
	if len(all) == 0 {
		return c.mistake("draw.nodeployments").with(createButton())
	}
	r := c.mistake("draw.whichdeployment", with{"Word": shorten(word)})
	if word == "" {
		r = c.mistake("draw.whichone")
	}
	for _, d := range all[:min(5, len(all))] {
		r = r.with(c.drawButton(deploymentName(d), findName("rollout").in(c.words), deploymentName(d)))
	}
	return r
}

// rolling is a rolling update as the trace has it.
type rolling struct {
	fresh           *appsv1.ReplicaSet
	before          string // image of the old one
	began           time.Time
	now             time.Time
	samples         []picture.Sample
	wanted          int
	surge, missing  int // maxSurge and maxUnavailable, as pods
	done, forgotten bool
	least           int // ready pods at the worst moment
}

// updateOf is a Deployment's update: its newest ReplicaSet took, or takes, the place of others. Nil: it never had one.
func updateOf(cl *sim.Cluster, d *appsv1.Deployment) *rolling {
	var fresh *appsv1.ReplicaSet
	var old []*appsv1.ReplicaSet
	for rs := range apiserver.Owned[*appsv1.ReplicaSet](cl.Client(), d.UID) {
		if sameTemplate(d, rs) {
			fresh = rs
		} else {
			old = append(old, rs)
		}
	}
	if fresh == nil || len(old) == 0 {
		return nil
	}
	slices.SortFunc(old, func(a, b *appsv1.ReplicaSet) int { return b.CreationTimestamp.Compare(a.CreationTimestamp.Time) })
	u := &rolling{fresh: fresh, before: old[0].Spec.Template.Spec.Containers[0].Image, began: fresh.CreationTimestamp.Time, now: cl.Now(), wanted: replicas(d.Spec.Replicas)}
	u.surge, u.missing = bounds(d)
	steps := cl.Trace().Steps()
	first := beginning(steps, d, fresh)
	if u.forgotten = first < 0; !u.forgotten {
		steps = steps[first:]
	}
	if len(steps) > 0 { // of one whose beginning is forgotten, what followed is still told
		u.began = steps[0].At
	}
	u.count(cl, fresh, old, cl.Trace().Steps(), max(0, first))
	return u
}

// beginning is the step with which a Deployment's last update began, -1 where the trace has forgotten it: its controller
// made the new ReplicaSet, or let one of before grow again from nothing; or it took the pods of the one that was the
// newest, as when an update that is stuck is undone, or all are to go before others come.
func beginning(steps []trace.Step, d *appsv1.Deployment, fresh *appsv1.ReplicaSet) int {
	first, newest := -1, ""
	emptied := false // it began with the end of the others
	for i, s := range steps {
		what, ok := s.Detail.(trace.Decision)
		if !ok || s.Kind != trace.Decided || s.Object.UID != d.UID {
			continue
		}
		switch grows := what.What == "create-replicaset" || what.What == "scale-up" && what.Actual == 0; {
		case grows && what.Target.Name != fresh.Name:
			newest, emptied = what.Target.Name, false
		case grows && emptied && d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType:
			emptied = false
		case grows && (newest != fresh.Name || emptied):
			first, newest, emptied = i, fresh.Name, false
		case what.What == "scale-down" && what.Desired == 0 && what.Target.Name == newest && newest != fresh.Name:
			first, newest, emptied = i, fresh.Name, true
		}
	}
	return first
}

// bounds are maxSurge and maxUnavailable, as pods.
func bounds(d *appsv1.Deployment) (surge, missing int) {
	wanted := replicas(d.Spec.Replicas)
	r := d.Spec.Strategy.RollingUpdate
	if r == nil {
		return 0, wanted
	}
	surge, _ = intstr.GetScaledValueFromIntOrPercent(cmp.Or(r.MaxSurge, &intstr.IntOrString{}), wanted, true)
	missing, _ = intstr.GetScaledValueFromIntOrPercent(cmp.Or(r.MaxUnavailable, &intstr.IntOrString{}), wanted, false)
	if surge == 0 && missing == 0 {
		missing = 1
	}
	return surge, min(missing, wanted)
}

// tracked is a pod as the steps of an update tell of it.
type tracked struct{ isNew, ready bool }

// count goes back from the pods that are there now to how many there were at each step of the update, which begins with
// the one numbered first.
func (u *rolling) count(cl *sim.Cluster, fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet, steps []trace.Step, first int) {
	isOf := func(r trace.Ref, sets ...*appsv1.ReplicaSet) bool {
		return r.Kind == "Pod" && slices.ContainsFunc(sets, func(rs *appsv1.ReplicaSet) bool {
			return rs.Namespace == r.Namespace && strings.HasPrefix(r.Name, rs.Name+"-")
		})
	}
	pods := map[string]*tracked{} // those that are neither over nor leaving, as they are at the step that is looked at
	for _, rs := range append([]*appsv1.ReplicaSet{fresh}, old...) {
		for p := range apiserver.Owned[*corev1.Pod](cl.Client(), rs.UID) {
			if p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded {
				pods[p.Name] = &tracked{isNew: rs == fresh, ready: isReady(p)}
			}
		}
	}
	tally := func(at time.Time) picture.Sample {
		s := picture.Sample{At: max(0, at.Sub(u.began))}
		for _, p := range pods {
			s.Pods++
			switch {
			case !p.ready:
			case p.isNew:
				s.New++
			default:
				s.Old++
			}
		}
		return s
	}
	samples := []picture.Sample{tally(u.now)}
	for i := len(steps) - 1; i >= first; i-- {
		s := steps[i]
		if !isOf(s.Object, append([]*appsv1.ReplicaSet{fresh}, old...)...) {
			continue
		}
		after := tally(s.At)
		isNew := isOf(s.Object, fresh)
		ready, leaving := before(steps[:i], s.Object.Name, !isNew)
		undo(pods, s, tracked{isNew: isNew, ready: ready}, leaving)
		if before := tally(s.At); before.Old != after.Old || before.New != after.New || before.Pods != after.Pods {
			samples = append(samples, after)
		}
	}
	if len(steps) > first {
		samples = append(samples, tally(u.began))
	}
	slices.Reverse(samples)
	u.samples = atMoments(samples)
	over := func(s picture.Sample) bool { return s.Old == 0 && s.New >= u.wanted && s.Pods <= u.wanted }
	if i := slices.IndexFunc(u.samples, over); i >= 0 { // what came later is another story
		u.done, u.samples = true, u.samples[:i+1]
	}
	u.least = u.samples[0].Old + u.samples[0].New
	for _, s := range u.samples {
		u.least = min(u.least, s.Old+s.New)
	}
}

// undo takes back what a step did to the pods. Of a pod that is gone, was says how it had been; one that was leaving
// did not count any more.
func undo(pods map[string]*tracked, s trace.Step, was tracked, leaving bool) {
	p := pods[s.Object.Name]
	commit, _ := s.Detail.(trace.Commit)
	switch {
	case s.Kind == trace.Committed && commit.Verb == "create":
		delete(pods, s.Object.Name)
	case leaving: // what becomes of its containers does not matter
	case s.Kind == trace.Committed && commit.Verb == "delete" && strings.HasPrefix(s.Actor, "kubelet/"): // it had been leaving
	case s.Kind == trace.Committed && (commit.Verb == "terminate" || commit.Verb == "delete"):
		pods[s.Object.Name] = &was
	case p == nil:
	case s.Kind == trace.Ready:
		p.ready = false
	case s.Kind == trace.Unready, isMarkedUnready(s):
		p.ready = true
	}
}

// isMarkedUnready says that the node controller takes a pod of a lost node for not ready.
func isMarkedUnready(s trace.Step) bool {
	commit, _ := s.Detail.(trace.Commit)
	return s.Kind == trace.Committed && s.Actor == "node-controller" && commit.Subresource == "status"
}

// before says whether a pod was ready when the steps ended, and whether it was leaving; one that they do not tell of
// was ready if it was there before them.
func before(steps []trace.Step, pod string, wasThere bool) (ready, leaving bool) {
	ready = wasThere
	for _, s := range steps {
		if s.Object.Kind != "Pod" || s.Object.Name != pod {
			continue
		}
		commit, _ := s.Detail.(trace.Commit)
		switch {
		case s.Kind == trace.Committed && commit.Verb == "terminate":
			leaving = true
		case s.Kind == trace.Ready:
			ready = true
		case s.Kind == trace.Unready, isMarkedUnready(s), s.Kind == trace.Committed && commit.Verb == "create":
			ready = false
		}
	}
	return ready, leaving
}

// atMoments keeps of the samples of one moment the last, of which there may be several within some milliseconds.
func atMoments(samples []picture.Sample) (out []picture.Sample) {
	for _, s := range samples {
		if n := len(out); n > 1 && s.At-out[n-1].At < 20*time.Millisecond {
			s.At = out[n-1].At
			out[n-1] = s
			continue
		}
		out = append(out, s)
	}
	return out
}

func (c *call) rolloutDrawing(d *appsv1.Deployment, u *rolling) picture.Rollout {
	length := u.samples[len(u.samples)-1].At
	if u.done && len(u.samples) > 1 { // the end is to be seen
		length += max(time.Second, length/10)
	}
	out := picture.Rollout{Title: c.say("draw.rollouttitle", with{"Deployment": d.Name}), Length: length, Samples: u.samples,
		Wanted: u.wanted, Least: u.wanted - u.missing, Most: u.wanted + u.surge,
		Old: c.say("draw.old", with{"Image": u.before}), New: c.say("draw.new", with{"Image": u.fresh.Spec.Template.Spec.Containers[0].Image}),
		LeastIs: c.say("draw.leastis", with{"Count": u.wanted - u.missing, "Missing": u.missing}),
		MostIs:  c.say("draw.mostis", with{"Count": u.wanted + u.surge, "Surge": u.surge}), Pods: c.say("draw.inall"), Figures: c.say("draw.figures"), Say: c.tenths}
	switch {
	case u.forgotten:
		out.Note = c.say("draw.forgotten")
	case !u.done:
		out.Note = c.say("draw.goingon", with{"Count": u.samples[len(u.samples)-1].New, "Total": u.wanted})
	}
	return out
}

func (c *call) rolloutAlt(d *appsv1.Deployment, u *rolling, p picture.Rollout) string {
	last := u.samples[len(u.samples)-1]
	text := []string{p.Title + ".", c.say("draw.rolloutalt", with{"Before": u.before, "After": u.fresh.Spec.Template.Spec.Containers[0].Image,
		"Old": last.Old, "New": last.New, "Pods": last.Pods, "Total": u.wanted}), p.LeastIs + ".", p.MostIs + "."}
	if !u.forgotten {
		text = append(text, c.say("draw.rolloutleast", with{"Count": u.least, "Span": c.tenths(u.samples[len(u.samples)-1].At)}))
	}
	if p.Note != "" {
		text = append(text, p.Note)
	}
	return strings.Join(text, " ")
}
