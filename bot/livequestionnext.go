package bot

import (
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"timonier/sim"
	"timonier/sim/trace"
)

// What happens between a wish and a pod is four writes, each because of the one before. The
// question is who acts next after one of them.

// The stages: what has been written.
const (
	wishedDeployment = 1 + iota // by a person
	wishedSet                   // by the Deployment controller
	madePod                     // by the ReplicaSet controller
	boundPod                    // by the scheduler
)

// Who may act next, as a trace's actors are called; "" is nobody.
const (
	deploymentController = "deployment-controller"
	replicaSetController = "replicaset-controller"
	schedulerActor       = "kube-scheduler"
	kubeletActor         = "kubelet"
	nobodyActs           = ""
)

// actedWithin is how long somebody has to act.
const actedWithin = 30 * time.Second

// next asks which component acts next, once one of the writes has been made that lead to a pod.
func (a *asking) next() (*livePosed, error) {
	ds := a.deployments()
	if len(ds) == 0 {
		return nil, nil
	}
	d := ds[0]
	cl, err := a.fork()
	if err != nil {
		return nil, err
	}
	last := cl.Trace().Last()
	if oneMore(cl, d, 1) != nil {
		return nil, nil
	}
	if err := a.run(cl, actedWithin); err != nil {
		return nil, err
	}
	steps := since(cl, last)
	stages := stagesOf(steps, d)
	if len(stages) == 0 {
		return nil, nil
	}
	stage := 1 + a.dice.IntN(len(stages))
	actors, step := actsAfter(steps, stages[stage-1])
	if len(actors) > 1 {
		return nil, nil
	}
	right := nobodyActs
	if len(actors) == 1 {
		right = actors[0]
	}
	if right != nobodyActs && right != []string{deploymentController, replicaSetController, schedulerActor, kubeletActor}[stage-1] || right == nobodyActs && a.runs(stage) {
		return nil, nil // something else came first: there would be more to say
	}
	p := a.nextPosed(d, stage, right, step, cl)
	if p != nil {
		p.object, p.count, p.after = d.Namespace+"/"+d.Name, stage, actedWithin
	}
	return p, nil
}

// runs says that who is to act after a stage does run.
func (a *asking) runs(stage int) bool {
	switch stage {
	case wishedDeployment, wishedSet:
		return anotherRuns(a.cl, fault{sim: sim.ControllerManagerDown}, "")
	case madePod:
		return a.schedules()
	}
	return true
}

// stagesOf are the writes that lead to one pod more, in their order, as far as it came.
func stagesOf(steps []trace.Step, d *appsv1.Deployment) (stages []trace.Step) {
	wrote := func(actor, kind, verb, sub string) (trace.Step, bool) {
		i := slices.IndexFunc(steps, func(s trace.Step) bool {
			commit, ok := s.Detail.(trace.Commit)
			return ok && s.Kind == trace.Committed && s.Actor == actor && s.Object.Kind == kind && commit.Verb == verb && commit.Subresource == sub &&
				s.Object.Namespace == d.Namespace && (s.Object.Name == d.Name || strings.HasPrefix(s.Object.Name, d.Name+"-")) &&
				(len(stages) == 0 || comesOf(steps, s, stages[len(stages)-1].ID))
		})
		if i < 0 {
			return trace.Step{}, false
		}
		return steps[i], true
	}
	for _, w := range []struct{ actor, kind, verb, sub string }{
		{"kubectl", "Deployment", "update", ""}, {deploymentController, "ReplicaSet", "update", ""},
		{replicaSetController, "Pod", "create", ""}, {schedulerActor, "Pod", "update", "binding"},
	} {
		s, ok := wrote(w.actor, w.kind, w.verb, w.sub)
		if !ok {
			break
		}
		stages = append(stages, s)
	}
	return stages
}

// comesOf says that a step is because of another, however far.
func comesOf(steps []trace.Step, s trace.Step, cause uint64) bool {
	for s.Cause != 0 && s.Cause != cause {
		i := slices.IndexFunc(steps, func(other trace.Step) bool { return other.ID == s.Cause })
		if i < 0 {
			return false
		}
		s = steps[i]
	}
	return s.Cause == cause
}

// actsAfter are those who do something because of a write, and the first step of it; that they note in a
// status what they see is not counted.
func actsAfter(steps []trace.Step, write trace.Step) (actors []string, first *trace.Step) {
	work := []trace.Kind{trace.Decided, trace.Scheduled, trace.Unplaced, trace.Preempted, trace.Pulling, trace.Started, trace.Killing}
	byID := map[uint64]trace.Step{}
	for _, s := range steps {
		byID[s.ID] = s
	}
	for _, s := range steps {
		if !slices.Contains(work, s.Kind) {
			continue
		}
		cause := byID[s.Cause]
		for cause.ID != 0 && cause.Kind != trace.Committed {
			cause = byID[cause.Cause]
		}
		if cause.ID != write.ID {
			continue
		}
		actor, _, _ := strings.Cut(s.Actor, "/")
		if first == nil {
			first = &s
		}
		if !slices.Contains(actors, actor) {
			actors = append(actors, actor)
		}
	}
	return actors, first
}

func (a *asking) nextPosed(d *appsv1.Deployment, stage int, right string, step *trace.Step, cl *sim.Cluster) *livePosed {
	node := ""
	for _, p := range podsOf(cl, d) {
		if stage == boundPod && step != nil && p.Name == step.Object.Name {
			node = p.Spec.NodeName
		}
	}
	data := with{"Name": podName(d), "Node": node}
	happened := map[int]string{wishedDeployment: "live.next.wished", wishedSet: "live.next.set", madePod: "live.next.made", boundPod: "live.next.bound"}[stage]
	why := a.in(func(c *call) string {
		if step == nil {
			return c.say("live.next.asleep")
		}
		told := c.lens().Tell(c.course(), *step)
		return clipped(c.say("live.next.why")+"\n\n"+told, mostWhy)
	})
	options := []liveOption{
		{answer: deploymentController, text: a.say("live.next.deployment"), why: a.say("live.next.notdeployment")},
		{answer: replicaSetController, text: a.say("live.next.replicaset"), why: a.say("live.next.notreplicaset"), is: a.placesPods(stage)},
		{answer: schedulerActor, text: a.say("live.next.scheduler"), why: a.say("live.next.notscheduler"), is: a.schedulerDoes(stage)},
		{answer: kubeletActor, text: a.say("live.next.kubelet"), why: a.say("live.next.notkubelet"), is: a.is("kubelet-decides")},
	}
	if right == nobodyActs {
		options = append(options, liveOption{answer: nobodyActs, text: a.say("live.next.nobody")})
		i := slices.IndexFunc(options, func(o liveOption) bool {
			return o.answer == []string{deploymentController, replicaSetController, schedulerActor, kubeletActor}[stage-1]
		})
		options[i].why = a.say("live.next.asleep")
	} else if stage != madePod { // where it sleeps is a question of its own
		options = append(options, liveOption{answer: nobodyActs, text: a.say("live.next.nobody"), why: a.say("live.next.notnobody")})
	}
	return poseLive(a.in(func(c *call) string { return c.say(happened, data) + " " + c.say("live.next.ask") }), why, a.say("live.next.hint"), right, options)
}

// placesPods is the belief that makes one name the ReplicaSet controller after it has acted.
func (a *asking) placesPods(stage int) string {
	if stage == madePod {
		return a.is("controller-places-pods")
	}
	return ""
}

// schedulerDoes is the belief that makes one name the scheduler where it has nothing to do.
func (a *asking) schedulerDoes(stage int) string {
	if stage == boundPod {
		return a.is("scheduler-starts-pods")
	}
	return a.is("scheduler-creates-pods")
}
