package kubelet

import (
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"timonier/sim/trace"
)

// conclude draws the pod's phase and conditions from its containers
// (pkg/kubelet/kubelet_pods.go, generateAPIPodStatus).
func (s *sync) conclude() {
	ends := s.pod.DeletionTimestamp != nil || s.life.Ends != nil
	if ends && !s.dirty || s.units == nil && s.status.Phase != v1.PodFailed {
		return // a pod that is being stopped says so by its deletionTimestamp; nothing else is new
	}
	if s.dirty && s.status.PodIP == "" && s.life.IP != "" && s.units != nil && !s.life.Sandbox.After(s.now) {
		s.status.PodIP, s.status.PodIPs = s.life.IP, []v1.PodIP{{IP: s.life.IP}}
	}
	if !terminal(s.status.Phase) {
		phase := s.phase(ends)
		if phase != s.status.Phase {
			s.status.Phase, s.dirty = phase, true
		}
	}
	if s.status.ObservedGeneration != s.pod.Generation {
		s.status.ObservedGeneration, s.dirty = s.pod.Generation, true
	}
	s.conditions()
}

// phase follows from the containers (pkg/kubelet/kubelet_pods.go, getPhase).
func (s *sync) phase(ends bool) v1.PodPhase {
	var pendingInit, waits, runs, stopped, stays, succeeded int
	for _, u := range s.units {
		st := u.status
		last := st.State.Terminated
		if st.State.Waiting != nil {
			last = st.LastTerminationState.Terminated
		}
		switch {
		case u.init && !u.sidecar && last != nil && last.ExitCode != 0 && st.State.Running == nil:
			if !s.restarts(u, last.ExitCode) && !ends {
				return v1.PodFailed
			}
		case u.init && !u.sidecar:
			if st.State.Terminated == nil {
				pendingInit++
			}
		case u.sidecar && st.State.Running != nil:
			if !ptr.Deref(st.Started, false) && !s.begun() {
				pendingInit++
			}
			runs++
		case u.sidecar && last == nil:
			if !s.begun() {
				pendingInit++
			}
			waits++
		case u.sidecar:
		case st.State.Running != nil:
			runs++
		case last != nil:
			stopped++
			if last.ExitCode == 0 {
				succeeded++
			}
			if !s.restarts(u, last.ExitCode) {
				stays++
			}
		default:
			waits++
		}
	}
	switch {
	case pendingInit > 0 || waits > 0:
		return v1.PodPending
	case runs > 0:
		return v1.PodRunning
	case stopped == 0:
		return v1.PodPending
	case !ends && stays < stopped:
		return v1.PodRunning
	case succeeded == stopped:
		return v1.PodSucceeded
	}
	return v1.PodFailed
}

// begun says whether a regular container ever ran.
func (s *sync) begun() bool {
	return slices.ContainsFunc(s.units, func(u *unit) bool {
		return !u.init && (u.status.State.Waiting == nil || u.status.LastTerminationState.Terminated != nil)
	})
}

// conditions are the five that the kubelet owns, in its order, after those it does not
// (pkg/kubelet/status/generate.go).
func (s *sync) conditions() {
	owned := append(make([]v1.PodCondition, 0, 5), s.sandboxed(), s.initialized())
	containers := s.containersReady()
	ready := containers
	ready.Type = v1.PodReady
	if ready.Status == v1.ConditionTrue {
		if missing := s.gates(); missing != "" {
			ready.Status, ready.Reason, ready.Message = v1.ConditionFalse, "ReadinessGatesNotReady", missing
		}
	}
	owned = append(owned, ready, containers, v1.PodCondition{Type: v1.PodScheduled, Status: v1.ConditionTrue})
	kept := 0 // of others
	for i := range s.status.Conditions {
		if condition(owned, s.status.Conditions[i].Type) == nil {
			kept++
		}
	}
	changed := len(s.status.Conditions) != kept+len(owned)
	for i := range owned {
		c := &owned[i]
		c.ObservedGeneration = s.pod.Generation
		old := condition(s.status.Conditions, c.Type)
		if old != nil && old.Status == c.Status {
			c.LastTransitionTime, c.LastProbeTime = old.LastTransitionTime, old.LastProbeTime
		} else {
			c.LastTransitionTime = stamp(s.now)
		}
		if old == nil || *old != *c {
			changed = true
		}
	}
	if !changed {
		return
	}
	all := make([]v1.PodCondition, 0, kept+len(owned))
	for _, c := range s.status.Conditions {
		if condition(owned, c.Type) == nil {
			all = append(all, c)
		}
	}
	all = append(all, owned...)
	s.tellReady(&all[kept+2])
	s.status.Conditions, s.dirty = all, true
}

func condition(all []v1.PodCondition, t v1.PodConditionType) *v1.PodCondition {
	for i := range all {
		if all[i].Type == t {
			return &all[i]
		}
	}
	return nil
}

// tellReady records that readiness rose or fell.
func (s *sync) tellReady(now *v1.PodCondition) {
	old := condition(s.said.Conditions, v1.PodReady)
	was := old != nil && old.Status == v1.ConditionTrue
	switch is := now.Status == v1.ConditionTrue; {
	case is && !was:
		s.k.step(trace.Ready, podRef(s.pod), nil)
	case was && !is:
		var blame any
		for _, u := range s.units {
			if !u.status.Ready && (!u.init || u.sidecar) {
				blame = trace.Container{Name: u.spec.Name, Image: u.spec.Image, Reason: now.Reason, Restarts: u.status.RestartCount}
				break
			}
		}
		s.k.step(trace.Unready, podRef(s.pod), blame)
	}
}

func (s *sync) sandboxed() v1.PodCondition {
	c := v1.PodCondition{Type: v1.PodReadyToStartContainers, Status: v1.ConditionTrue}
	switch {
	case s.status.PodIP == "":
		c.Status, c.Reason, c.Message = v1.ConditionFalse, "PodSandboxNotReady", "no pod sandbox exists"
	case terminal(s.status.Phase):
		c.Status, c.Reason, c.Message = v1.ConditionFalse, "PodSandboxNotReady", "pod sandbox is not ready"
	}
	return c
}

func (s *sync) initialized() v1.PodCondition {
	c := v1.PodCondition{Type: v1.PodInitialized, Status: v1.ConditionTrue}
	var incomplete []string
	for _, u := range s.units {
		if u.init && (u.sidecar && !ptr.Deref(u.status.Started, false) || !u.sidecar && !u.status.Ready) {
			incomplete = append(incomplete, u.spec.Name)
		}
	}
	switch old := condition(s.status.Conditions, v1.PodInitialized); {
	case s.status.Phase == v1.PodSucceeded:
		c.Reason = "PodCompleted"
	case s.begun() || len(incomplete) == 0 || old != nil && old.Status == v1.ConditionTrue:
	default:
		c.Status, c.Reason = v1.ConditionFalse, "ContainersNotInitialized"
		c.Message = fmt.Sprintf("containers with incomplete status: %s", incomplete)
	}
	return c
}

func (s *sync) containersReady() v1.PodCondition {
	c := v1.PodCondition{Type: v1.ContainersReady, Status: v1.ConditionFalse}
	var unready []string
	for _, u := range s.units {
		if (!u.init || u.sidecar) && !u.status.Ready {
			unready = append(unready, u.spec.Name)
		}
	}
	switch {
	case s.status.Phase == v1.PodSucceeded:
		c.Reason = "PodCompleted"
	case s.status.Phase == v1.PodFailed:
		c.Reason = "PodFailed"
	case len(unready) > 0:
		c.Reason, c.Message = "ContainersNotReady", fmt.Sprintf("containers with unready status: %s", unready)
	default:
		c.Status = v1.ConditionTrue
	}
	return c
}

// gates are the readiness gates that are not met, as a message.
func (s *sync) gates() string {
	var missing []string
	for _, g := range s.pod.Spec.ReadinessGates {
		c := condition(s.status.Conditions, g.ConditionType)
		if c == nil {
			missing = append(missing, fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", string(g.ConditionType)))
		} else if c.Status != v1.ConditionTrue {
			missing = append(missing, fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but %v", string(g.ConditionType), c.Status))
		}
	}
	return strings.Join(missing, ", ")
}
