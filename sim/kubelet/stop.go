package kubelet

import (
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"timonier/sim/trace"
)

// leastGrace is what a container gets at least between SIGTERM and SIGKILL
// (pkg/kubelet/kuberuntime, minimumGracePeriodInSeconds).
const leastGrace = 2 * time.Second

// stop ends all containers, sidecars last and in reverse; it says whether all have ended.
func (s *sync) stop() bool {
	stopped := true
	for _, u := range s.units {
		if !u.sidecar && !s.halt(u) {
			stopped = false
		}
	}
	for _, u := range slices.Backward(s.units) {
		if stopped && u.sidecar {
			stopped = s.halt(u)
		}
	}
	return stopped
}

// halt takes a container to its end, and says whether it is there.
func (s *sync) halt(u *unit) bool {
	if u.Stage == running && s.at(u.Until) {
		s.live(u)
	}
	if u.Stage == running {
		s.kill(u, "", s.grace())
	}
	if u.Stage == stopping {
		s.hasten(u)
		if !s.at(u.Until) {
			return false
		}
		s.ended(u, u.Until, u.Code, u.Reason)
	}
	u.Stage, u.Until = done, time.Time{}
	return true
}

// grace is how long a container has after SIGTERM.
func (s *sync) grace() time.Duration {
	seconds := ptr.Deref(s.pod.Spec.TerminationGracePeriodSeconds, v1.DefaultTerminationGracePeriodSeconds)
	if e := s.life.Ends; e != nil && e.Grace > 0 {
		seconds = min(seconds, e.Grace)
	}
	if s.pod.DeletionTimestamp != nil {
		seconds = ptr.Deref(s.pod.DeletionGracePeriodSeconds, seconds)
	}
	return time.Duration(min(seconds, int64(maxRun/time.Second))) * time.Second
}

// kill sends SIGTERM, after the preStop hook, and SIGKILL when the grace period is over.
func (s *sync) kill(u *unit, message string, grace time.Duration) {
	if message == "" {
		message = "Stopping container " + u.spec.Name
	}
	s.emit(v1.EventTypeNormal, "Killing", message)
	grace = max(grace, leastGrace)
	plan := s.plan(u)
	hook := preStop(u.spec, plan)
	takes := hook + plan.stop.After.Duration
	u.Code = plan.stop.Code
	if plan.stop.Ignores || takes > grace {
		takes, u.Code = grace, 137
	}
	u.Reason = reasonOf(u.Code)
	s.step(trace.Killing, trace.Container{Name: u.spec.Name, Image: u.spec.Image, Took: takes, ExitCode: u.Code, Delay: grace})
	u.Stage, u.Asked, u.Until = stopping, s.now, s.now.Add(takes)
}

func reasonOf(code int32) string {
	if code == 0 {
		return "Completed"
	}
	return "Error"
}

// hasten applies a grace period that was made shorter, or one that begins while the container is being stopped.
func (s *sync) hasten(u *unit) {
	if s.pod.DeletionTimestamp == nil {
		return
	}
	latest := u.Asked.Add(max(s.grace(), leastGrace))
	if u.Until.After(latest) {
		u.Until, u.Code, u.Reason = latest, 137, "Error"
	}
}

// preStop is how long a preStop hook takes, as far as one can tell: sleep, and commands of a shell.
func preStop(c *v1.Container, plan *run) time.Duration {
	if c.Lifecycle == nil || c.Lifecycle.PreStop == nil {
		return 0
	}
	switch h := c.Lifecycle.PreStop; {
	case h.Sleep != nil:
		return time.Duration(h.Sleep.Seconds) * time.Second
	case h.Exec != nil && len(h.Exec.Command) > 0:
		sh := &shell{image: plan.image, vars: plan.vars, files: map[string][]span{}}
		sh.command(h.Exec.Command, "", false)
		return sh.at
	}
	return 0
}

// finished says whether no container but sidecars will run any more.
func (s *sync) finished() bool {
	for _, u := range s.units {
		if !u.init && u.Stage != done {
			return false
		}
	}
	return true
}

// stopSidecars stops them once the pod's work is over. It says whether anything changed.
func (s *sync) stopSidecars() bool {
	if !s.finished() {
		return false
	}
	for _, u := range slices.Backward(s.units) {
		if !u.sidecar || u.Stage == done {
			continue
		}
		before := u.Stage
		return s.halt(u) || u.Stage != before
	}
	return false
}

// overdue ends a pod past its activeDeadlineSeconds (pkg/kubelet/active_deadline.go).
func (s *sync) overdue() bool {
	limit := s.pod.Spec.ActiveDeadlineSeconds
	if limit == nil || s.status.StartTime == nil || s.life.Ends != nil || terminal(s.status.Phase) {
		return false
	}
	if !s.at(s.status.StartTime.Add(time.Duration(*limit) * time.Second)) {
		return false
	}
	const message = "Pod was active on the node longer than the specified deadline"
	s.life.Ends = &ending{Reason: "DeadlineExceeded", Message: message}
	s.emit(v1.EventTypeNormal, "DeadlineExceeded", message)
	return true
}

// disrupted says that the pod did not end by itself.
func (s *sync) disrupted(message string) {
	s.status.Conditions = append(slices.DeleteFunc(slices.Clone(s.status.Conditions), func(c v1.PodCondition) bool { return c.Type == v1.DisruptionTarget }),
		v1.PodCondition{Type: v1.DisruptionTarget, Status: v1.ConditionTrue, Reason: v1.PodReasonTerminationByKubelet, Message: message,
			ObservedGeneration: s.pod.Generation, LastTransitionTime: stamp(s.now)})
}

// end is a pod without a running container, which the kubelet has ended: its last
// status, and then, if it is deleted, its removal.
func (s *sync) end() error {
	if e := s.life.Ends; e != nil {
		s.status.Phase, s.status.Reason, s.status.Message, s.dirty = v1.PodFailed, e.Reason, e.Message, true
		if e.Reason == evicted {
			s.disrupted(e.Message)
		}
	}
	if err := s.write(); err != nil {
		return err
	}
	switch {
	case s.life.Unsaid != nil:
		return nil
	case s.pod.DeletionTimestamp != nil:
		return s.bury()
	}
	delete(s.k.state.Pods, s.key)
	return nil
}
