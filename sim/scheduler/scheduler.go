package scheduler

import (
	"math/rand/v2"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// Name is how the scheduler is called in the agenda and as an actor of the trace.
const Name = "kube-scheduler"

// cycleTime is how long one decision takes. The real scheduler places some thousand pods a second.
const cycleTime = time.Millisecond

// The keys of the scheduler's tasks.
const (
	taskCycle   = "cycle"   // try the next pod
	taskBackoff = "backoff" // some backoff is over
	taskFlush   = "flush"   // some pod has waited for too long
)

// Env is what a Scheduler works with.
type Env struct {
	Client *apiserver.Client
	Queue  *agenda.Queue
	Trace  *trace.Recorder // nil: it leaves no trace
	Rand   *rand.Rand      // draws among equally good nodes
}

// api is what the scheduler writes through.
type api interface {
	Bind(pod *v1.Pod, node string) error
	Update(o apiserver.Object) (apiserver.Object, error)
	UpdateStatus(o apiserver.Object) (apiserver.Object, error)
	Delete(o apiserver.Object, options metav1.DeleteOptions) error
	Emit(about apiserver.Object, eventType, reason, note string)
}

// Scheduler is the component: it watches pods and nodes, and places one pod each millisecond.
type Scheduler struct {
	// Detail says that the verdicts in the trace tell everything, node by node. Without it they
	// only say what came of it, and decisions cost less.
	Detail bool

	client *apiserver.Client
	api    api
	queue  *agenda.Queue
	trace  *trace.Recorder

	snapshot *Snapshot
	cycle    *cycle
	waiting  *waiting
	free     time.Time // when the next decision may begin
}

// New is a scheduler that knows of nothing yet: Resync or Load shows it the cluster, Observe what changes.
func New(env Env) *Scheduler {
	s := &Scheduler{client: env.Client, api: env.Client, queue: env.Queue, trace: env.Trace}
	s.forget()
	s.cycle.rand = env.Rand
	return s
}

// forget empties all caches.
func (s *Scheduler) forget() {
	before := s.cycle
	s.snapshot, s.waiting = NewSnapshot(), newWaiting()
	s.cycle = newCycle(s.snapshot)
	if before != nil {
		s.cycle.rand, s.cycle.start = before.rand, before.start
	}
}

// Sync does what is due: a decision about one pod, mostly. It never fails: what cannot be written now is
// tried again by the queues.
func (s *Scheduler) Sync(key string) error {
	now := s.queue.Now()
	switch key {
	case taskCycle:
		s.decideNext(now)
	case taskBackoff:
		s.waiting.release(now)
	case taskFlush:
		if next, more := s.waiting.flush(now); more {
			s.queue.Add(taskFlush, next.Sub(now))
		}
	}
	s.wake(0)
	return nil
}

// wake puts into the agenda what is to be done next, after the latency given and not before the scheduler is free.
func (s *Scheduler) wake(latency time.Duration) {
	now := s.queue.Now()
	if s.waiting.ready() {
		s.queue.Add(taskCycle, max(latency, s.free.Sub(now)))
	}
	if at, ok := s.waiting.nextRelease(); ok {
		s.queue.Add(taskBackoff, at.Sub(now))
	}
}

// decideNext tries the first pod of the queue.
func (s *Scheduler) decideNext(now time.Time) {
	if now.Before(s.free) {
		return // too soon: wake puts it off
	}
	e := s.waiting.pop(now)
	if e == nil {
		return
	}
	s.free = now.Add(cycleTime)
	defer s.because(e.cause)()
	if pod := e.pod(); pod.DeletionTimestamp != nil {
		s.waiting.drop(pod.UID)
		s.api.Emit(pod, v1.EventTypeWarning, "FailedScheduling", "skip schedule deleting pod: "+pod.Namespace+"/"+pod.Name)
		return
	}
	e.attempts++
	c := s.cycle
	c.begin(e.info, now)
	c.find()
	if chosen := c.choose(); chosen != nil {
		if !s.prepareVolumes(e, chosen.name, now) {
			return
		}
		s.bind(e, chosen, now)
	} else {
		s.leave(e, now)
	}
}

// because sets the step that what follows is due to, and returns what sets back the one before.
func (s *Scheduler) because(step uint64) (restore func()) {
	if s.trace == nil || step == 0 {
		return func() {}
	}
	before := s.trace.Because(step)
	return func() { s.trace.Because(before) }
}

// record leaves a decision in the trace; what is written next is because of it.
func (s *Scheduler) record(kind trace.Kind, pod *v1.Pod, v *Verdict, now time.Time) (restore func()) {
	if s.trace == nil {
		return func() {}
	}
	id := s.trace.Add(trace.Step{At: now, Actor: Name, Kind: kind, Detail: v,
		Object: trace.Ref{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}})
	return s.because(id)
}

// cause is the step that is being acted upon.
func (s *Scheduler) cause() uint64 {
	if s.trace == nil {
		return 0
	}
	return s.trace.Cause()
}

// Explain decides about a pod as things are now, with all details, and changes nothing.
// A pod that is placed is judged as if it were not: Node is where it is, Best
// where it would go. Of equally good nodes the first by name is chosen.
func (s *Scheduler) Explain(pod *v1.Pod) *Verdict {
	c := newCycle(s.snapshot)
	c.start = s.cycle.start
	now := s.queue.Now()
	if e := s.waiting.entries[pod.UID]; e != nil {
		v := c.decide(newPodInfo(pod), now)
		v.Attempts = e.attempts
		return v
	}
	if pod.Spec.NodeName == "" {
		return c.decide(newPodInfo(pod), now)
	}
	if at, ok := s.snapshot.placed[pod.UID]; ok {
		s.snapshot.unplace(pod.UID)
		defer s.snapshot.place(at.info, at.node.name)
	}
	open := pod.DeepCopy()
	open.Spec.NodeName, open.Status.NominatedNodeName = "", ""
	v := c.decide(newPodInfo(open), now)
	v.Outcome, v.Node = Bound, pod.Spec.NodeName
	return v
}
