package kubelet

import (
	"fmt"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"timonier/sim/trace"
)

// said is how long after a failure the status says that the kubelet is backing
// off: at the pod's next sync, which the relist of the runtime brings about.
const said = time.Second

// advance takes a container one stage further, if it is time; it says whether it did.
func (s *sync) advance(u *unit) bool {
	if s.changed(u) {
		return s.change(u)
	}
	switch u.Stage {
	case fresh:
		if !s.turn(u) {
			return false
		}
		s.begin(u)
	case pulling:
		if !s.at(u.Until) {
			return false
		}
		s.pulled(u)
	case pullFailed:
		if !s.at(u.Until) {
			return false
		}
		s.backOffPull(u)
	case pullWait, waiting:
		if !s.at(u.Until) {
			return false
		}
		s.again(u)
	case lacking:
		// Looked at again when time or a change of what it lacks says so; either way it may be there now.
		if s.at(u.Lacks.Next); !s.found(u) {
			return false
		}
		s.create(u)
	case creating:
		if !s.at(u.Until) {
			return false
		}
		s.started(u)
	case running:
		return s.live(u)
	case stopping:
		if !s.at(u.Until) {
			return false
		}
		s.ended(u, u.Until, u.Code, u.Reason)
	case exited:
		return s.afterExit(u)
	case crashed:
		if !s.at(u.Until) {
			return false
		}
		s.backOff(u)
	default:
		return false
	}
	return true
}

// turn says whether a container may start for the first time: init containers one
// after the other, the rest once these are through, each when those before it had their try.
func (s *sync) turn(u *unit) bool {
	for _, other := range s.units {
		switch {
		case other == u:
			return true
		case other.init && !other.sidecar && (other.Stage != done || other.failed()),
			other.init && other.sidecar && !ptr.Deref(other.status.Started, false),
			!other.init && slices.Contains([]stage{fresh, pulling, creating}, other.Stage):
			return false
		}
	}
	return false
}

func (u *unit) failed() bool {
	return u.status.State.Terminated != nil && u.status.State.Terminated.ExitCode != 0
}

// changed says whether the image in the spec is another than the one that was last dealt with.
func (s *sync) changed(u *unit) bool {
	if u.status.Image == u.spec.Image || u.Stage == fresh || u.Stage == stopping || u.Stage == done {
		return false
	}
	f, _ := s.k.find(u.spec.Image)
	return f.ref != u.status.Image
}

// change goes over to the new image: a running container is killed and started again.
func (s *sync) change(u *unit) bool {
	u.Starts, u.Pulls = backoff{}, backoff{}
	if u.Stage == running {
		s.kill(u, fmt.Sprintf("Container %s definition changed, will be restarted", u.spec.Name), s.grace())
		return true
	}
	u.status.Image, s.dirty = u.spec.Image, true
	s.begin(u)
	return true
}

// live is a running container: it ends by itself, or a probe changes its mind.
func (s *sync) live(u *unit) bool {
	s.refate(u)
	if u.Until.IsZero() && u.Startup == nil && u.Liveness == nil && u.Readiness == nil {
		return false
	}
	if s.at(u.Until) {
		plan := s.plan(u)
		s.ended(u, u.Until, plan.code, plan.reason)
		return true
	}
	return s.probe(u)
}

// plan is what the present run does.
func (s *sync) plan(u *unit) *run {
	if u.plan == nil {
		u.plan = s.k.runOf(s.pod, u.spec, u.init, u.Struck)
	}
	return u.plan
}

// runOf works out a run of a pod's container, which its image, its spec and the pod's fate decide.
func (k *Kubelet) runOf(pod *v1.Pod, spec *v1.Container, init bool, struck time.Duration) *run {
	f, err := k.find(spec.Image)
	if err != nil {
		m := Unlisted()
		f.Image = &m
	}
	r := planRun(f.Image, spec, k.memory())
	k.fate(pod, spec, init).apply(&r, struck)
	return &r
}

// create makes the container of an image that is there.
func (s *sync) create(u *unit) {
	if !s.found(u) {
		return
	}
	f, _ := s.k.find(u.spec.Image)
	u.Stage, u.Until, u.Lacks = creating, s.now.Add(s.k.takes(f.Start.Duration)), retry{}
}

// started is a container that runs, or one that the runtime cannot start.
func (s *sync) started(u *unit) {
	f, _ := s.k.find(u.spec.Image)
	st, plan := u.status, s.plan(u)
	s.dirty = true
	if st.State.Terminated != nil {
		st.LastTerminationState = st.State
	}
	if st.LastTerminationState.Terminated != nil {
		st.RestartCount++
	}
	st.Image, st.ImageID = f.ref, f.digest
	st.ContainerID = "containerd://" + fingerprint("container", string(s.pod.UID), u.spec.Name, fmt.Sprint(st.RestartCount))
	resources := u.spec.Resources // what it points to is shared with the spec: neither changes
	st.AllocatedResources, st.Resources = resources.Requests, &resources
	st.User = &v1.ContainerUser{Linux: &v1.LinuxContainerUser{SupplementalGroups: []int64{0}}}
	s.emit(v1.EventTypeNormal, "Created", "Container created")
	if plan.detail != "" {
		s.cannotStart(u)
		return
	}
	s.emit(v1.EventTypeNormal, "Started", "Container started")
	took := s.k.takes(f.Start.Duration)
	s.step(trace.Started, trace.Container{Name: u.spec.Name, Image: u.spec.Image, Took: took, Restarts: st.RestartCount})
	st.State = v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: stamp(s.now)}}
	u.Stage, u.Start, u.Until, u.Struck = running, s.now, time.Time{}, 0
	u.Fate = s.k.fate(s.pod, u.spec, u.init).key()
	if plan.ends {
		u.Until = s.now.Add(plan.after)
	}
	s.watch(u)
}

// cannotStart is what is left of a container whose program is not there.
func (s *sync) cannotStart(u *unit) {
	plan := s.plan(u)
	s.emit(v1.EventTypeWarning, "Failed", "Error: "+plan.detail)
	u.Start = s.now
	s.step(trace.Exited, trace.Container{Name: u.spec.Name, Image: u.spec.Image, ExitCode: plan.code, Reason: plan.reason, Restarts: u.status.RestartCount})
	terminated := v1.ContainerState{Terminated: &v1.ContainerStateTerminated{
		ExitCode: plan.code, Reason: plan.reason, Message: plan.detail, ContainerID: u.status.ContainerID,
		StartedAt: metav1.Unix(0, 0), FinishedAt: stamp(s.now)}}
	u.Stage, u.Until = exited, s.now
	if !s.restarts(u, plan.code) {
		u.status.State = terminated
		return
	}
	u.status.LastTerminationState = terminated
	u.status.State = v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: "RunContainerError", Message: plan.detail}}
}

// ended is a container whose process is gone.
func (s *sync) ended(u *unit, at time.Time, code int32, reason string) {
	st := u.status
	started := stamp(u.Start)
	if st.State.Running != nil {
		started = st.State.Running.StartedAt
	}
	st.State = v1.ContainerState{Terminated: &v1.ContainerStateTerminated{
		ExitCode: code, Reason: reason, StartedAt: started, FinishedAt: stamp(at), ContainerID: st.ContainerID}}
	st.Started, st.Ready = ptr.To(false), u.init && !u.sidecar && code == 0
	s.dirty = true
	s.step(trace.Exited, trace.Container{Name: u.spec.Name, Image: u.spec.Image, Took: at.Sub(u.Start).Truncate(time.Millisecond),
		ExitCode: code, Reason: reason, Restarts: st.RestartCount})
	u.Stage, u.Until, u.Struck, u.plan = exited, at, 0, nil
	u.Startup, u.Liveness, u.Readiness = nil, nil, nil
}

// afterExit decides whether an ended container is started again, and when
// (pkg/kubelet/kuberuntime/kuberuntime_manager.go, doBackOff): at once after a first
// failure, then after waits that grow.
func (s *sync) afterExit(u *unit) bool {
	st := u.status.State.Terminated
	if st == nil {
		st = u.status.LastTerminationState.Terminated
	}
	if st == nil || !s.restarts(u, st.ExitCode) {
		u.Stage, u.Until = done, time.Time{}
		return true
	}
	if u.Until.IsZero() {
		u.Until = st.FinishedAt.Time
	}
	wait := u.Starts.wait(u.Until)
	if s.now.Sub(u.Until) < wait {
		u.Asked = u.Until // the exit, from which the wait counts
		u.Stage, u.Until = crashed, u.Until.Add(said)
		return true
	}
	s.step(trace.Restarts, trace.Container{Name: u.spec.Name, Image: u.spec.Image, Reason: st.Reason, Restarts: u.status.RestartCount + 1})
	s.restart(u, u.Until)
	return true
}

// backOff says that the container waits to be started again.
func (s *sync) backOff(u *unit) {
	wait, st := u.Starts.Wait, u.status
	who := describe(s.pod.Name, s.pod.Namespace, s.pod.UID)
	s.emit(v1.EventTypeWarning, "BackOff", fmt.Sprintf("Back-off restarting failed container %s in pod %s", u.spec.Name, who))
	s.step(trace.Restarts, trace.Container{Name: u.spec.Name, Image: u.spec.Image, Delay: wait, Reason: "CrashLoopBackOff", Restarts: st.RestartCount + 1})
	if st.State.Terminated != nil {
		st.LastTerminationState = st.State
	}
	st.State = v1.ContainerState{Waiting: &v1.ContainerStateWaiting{
		Reason: "CrashLoopBackOff", Message: fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", wait, u.spec.Name, who)}}
	s.dirty = true
	u.Stage, u.Until = waiting, u.Asked.Add(wait)
}

// again tries to start a container whose wait is over.
func (s *sync) again(u *unit) {
	if u.Stage == waiting {
		s.restart(u, u.Asked)
		return
	}
	s.begin(u)
}

func (s *sync) restart(u *unit, exit time.Time) {
	u.Starts.next(exit, s.now)
	s.begin(u)
}

// restarts says whether a container that ended with that code is to run again
// (pkg/api/v1/pod, ContainerShouldRestart).
func (s *sync) restarts(u *unit, code int32) bool {
	if s.pod.DeletionTimestamp != nil || s.life.Ends != nil || u.sidecar && s.finished() {
		return false
	}
	policy := s.pod.Spec.RestartPolicy
	if u.init && !u.sidecar && policy == v1.RestartPolicyAlways {
		policy = v1.RestartPolicyOnFailure // an init container that succeeded is through
	}
	if own := u.spec.RestartPolicy; own != nil {
		for _, rule := range u.spec.RestartPolicyRules {
			if rule.ExitCodes != nil && slices.Contains(rule.ExitCodes.Values, code) == (rule.ExitCodes.Operator == v1.ContainerRestartRuleOnExitCodesOpIn) {
				return true
			}
		}
		policy = v1.RestartPolicy(*own)
	}
	return policy == v1.RestartPolicyAlways || policy == "" || policy == v1.RestartPolicyOnFailure && code != 0
}

// memory is what the node has for pods, in bytes.
func (k *Kubelet) memory() int64 {
	if node, ok := k.node(); ok {
		return node.Status.Allocatable.Memory().Value()
	}
	return resource.NewQuantity(4<<30, resource.BinarySI).Value()
}
