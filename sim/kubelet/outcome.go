package kubelet

import (
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What a pod's annotations say of its runs, whatever its images would do by themselves. They hold for
// its containers proper: init containers and sidecars go their own way. Changed while a container
// runs, they change its fate from then on. What they do not know, or cannot read, they leave alone.
const (
	// RunAnnotation is how long a container runs until it ends, with 0 or as its outcome says, as a Go duration: 1s, 2m30s.
	RunAnnotation = "timonier/run"
	// OutcomeAnnotation is how a run goes, by its name in the table of outcomes.
	OutcomeAnnotation = "timonier/outcome"
)

// jobRun is how long a run takes of which nothing is known but that it ends: what a Job is given to do.
const jobRun = time.Second

// outcomes are the rows of OutcomeAnnotation: each changes a run that has been worked out. asked is the
// duration of RunAnnotation, where there is one.
func outcomes() map[string]func(r *run, asked *time.Duration) {
	return map[string]func(r *run, asked *time.Duration){
		"fail":  fails,
		"crash": crashes,
		"oom":   outgrows,
	}
}

// fails ends a run with 1: after the time asked, else when it would have ended, else after that of a job.
func fails(r *run, asked *time.Duration) {
	after := jobRun
	switch {
	case asked != nil:
		after = *asked
	case r.ends:
		after = r.after
	}
	r.end(after, 1)
}

// crashes and outgrows end a run as the flaws of these names do, but after the time asked.
func crashes(r *run, asked *time.Duration) {
	if asked != nil {
		r.end(*asked, crashCode)
	}
}

func outgrows(r *run, asked *time.Duration) {
	if asked != nil {
		r.end(*asked, killedCode)
		r.reason = "OOMKilled"
	}
}

// outcomeFlaws are the values of OutcomeAnnotation that are flaws. With a time asked a run goes wrong then, no sooner.
func outcomeFlaws(outcome string, asked *time.Duration) Flaws {
	return Flaws{Crash: outcome == "crash" && asked == nil, Leak: outcome == "oom" && asked == nil, Slow: outcome == "slow"}
}

// fate is what a pod's annotations, its being a Job's, and the flaws of an image make of a container's runs. Equal
// fates change nothing.
type fate struct {
	run, outcome string
	job          bool
	flaws        Flaws
}

// fate is a container's.
func (k *Kubelet) fate(pod *v1.Pod, spec *v1.Container, init bool) (f fate) {
	if !init {
		f = fateOf(pod)
	}
	if k.env.Flaws != nil {
		f.flaws = k.env.Flaws(spec.Image)
	}
	return f
}

func fateOf(pod *v1.Pod) fate {
	owner := metav1.GetControllerOfNoCopy(pod)
	return fate{run: pod.Annotations[RunAnnotation], outcome: pod.Annotations[OutcomeAnnotation], job: owner != nil && owner.Kind == "Job"}
}

// key is the fate in short, "" where it changes nothing in the course of a run.
func (f fate) key() string {
	if f.run == "" && f.outcome == "" {
		return f.flaws.key()
	}
	return f.run + " " + f.outcome + f.flaws.key()
}

// apply changes a run; struck is when it met its fate, counted from its start. One whose program cannot start stays as it is. A Job's pod whose program is only
// guessed to serve for ever works for a second and succeeds: nobody gives a Job a server, and of one
// that is known as such (nginx) the lesson is that the Job never completes.
func (f fate) apply(r *run, struck time.Duration) {
	if r.reason == "StartError" {
		return
	}
	if f.job && r.guessed && !r.ends {
		r.end(jobRun, 0)
	}
	var asked *time.Duration
	if d, err := time.ParseDuration(f.run); err == nil && d >= 0 && d <= maxRun {
		asked = &d
		if r.reason != "OOMKilled" || r.after > d { // the kernel does not wait
			r.end(d, 0)
		}
	}
	if change := outcomes()[f.outcome]; change != nil {
		change(r, asked)
	}
	f.flaws.and(outcomeFlaws(f.outcome, asked)).apply(r, struck)
}

// refate has a running container follow annotations that were changed, and flaws that came or went.
func (s *sync) refate(u *unit) {
	key := s.k.fate(s.pod, u.spec, u.init).key()
	if u.Fate == key {
		return
	}
	u.Fate, u.Struck, u.Until = key, s.now.Sub(u.Start), time.Time{}
	if plan := s.plan(u); plan.ends {
		u.Until = u.Start.Add(plan.after)
		if u.Until.Before(s.now) {
			u.Until = s.now
		}
	}
}
