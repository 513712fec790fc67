package kubelet

import (
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"timonier/sim/trace"
)

// sync is one look at one pod: what is due is done, the status is written if it
// became another one, and the next look is put on the agenda.
type sync struct {
	k      *Kubelet
	key    string
	now    time.Time
	pod    *v1.Pod       // as the API has it; shared, not to be changed
	status v1.PodStatus  // as it is going to be
	said   *v1.PodStatus // as it was
	life   *podLife
	units  []*unit // init containers, then the others, in the order of the spec
	dirty  bool
	wake   time.Time // zero: nothing to wait for
}

// unit is one container of the pod under sync.
type unit struct {
	*container
	spec    *v1.Container
	status  *v1.ContainerStatus
	init    bool // an init container
	sidecar bool // one that stays
	plan    *run
}

func (k *Kubelet) open(key string, pod *v1.Pod) *sync {
	s := &sync{k: k, key: key, now: k.env.Queue.Now(), pod: pod, life: k.state.Pods[key]}
	if s.life != nil && s.life.UID != pod.UID { // of a pod of the same name that is gone
		s.life = nil
	}
	if s.life != nil && s.life.Unsaid != nil {
		s.status, s.dirty = *s.life.Unsaid.DeepCopy(), true
	} else {
		s.status = ownStatus(&pod.Status)
	}
	s.said = &pod.Status
	if s.life == nil {
		s.life = adopt(pod, &s.status)
		k.state.Pods[key] = s.life
	}
	return s
}

// ownStatus is a status that a sync may change, and to which it may append: but not what the pointers in it point to, which
// it shares with the pod. A pod is looked at some five times before it runs.
func ownStatus(st *v1.PodStatus) v1.PodStatus {
	own := *st
	own.Conditions = slices.Clip(st.Conditions)
	own.ContainerStatuses = slices.Clone(st.ContainerStatuses)
	own.InitContainerStatuses = slices.Clone(st.InitContainerStatuses)
	return own
}

// do is the whole of a sync.
func (s *sync) do() error {
	switch {
	case terminal(s.status.Phase) && !s.dirty:
		return s.bury()
	case s.status.StartTime == nil && s.pod.DeletionTimestamp == nil:
		if !s.admit() {
			return s.close()
		}
	}
	s.attach()
	s.lost()
	switch {
	case s.pod.DeletionTimestamp != nil || s.life.Ends != nil:
		if s.stop() {
			return s.end()
		}
	case s.overdue():
		return s.do() // it ends
	default:
		s.run()
	}
	return s.close()
}

// run goes on with all containers as far as they get now.
func (s *sync) run() {
	if !s.mounts() || !s.sandbox() {
		return
	}
	for again := true; again; {
		again = false
		for _, u := range s.units {
			for s.advance(u) {
				again = true
			}
		}
		again = s.stopSidecars() || again
	}
}

// attach puts spec, status and life of each container together. The statuses of
// containers are in the order of their names, those of init containers in that of the spec.
func (s *sync) attach() {
	creating := "ContainerCreating"
	if len(s.pod.Spec.InitContainers) > 0 {
		creating = "PodInitializing"
	}
	if len(s.status.ContainerStatuses) != len(s.pod.Spec.Containers) || len(s.status.InitContainerStatuses) != len(s.pod.Spec.InitContainers) {
		s.status.InitContainerStatuses = newStatuses(s.pod, s.pod.Spec.InitContainers, creating)
		s.status.ContainerStatuses = newStatuses(s.pod, s.pod.Spec.Containers, creating)
		slices.SortStableFunc(s.status.ContainerStatuses, func(a, b v1.ContainerStatus) int {
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
		s.dirty = true
	}
	s.units = make([]*unit, 0, len(s.pod.Spec.InitContainers)+len(s.pod.Spec.Containers))
	for i := range s.pod.Spec.InitContainers {
		c := &s.pod.Spec.InitContainers[i]
		s.units = append(s.units, &unit{spec: c, init: true, sidecar: c.RestartPolicy != nil && *c.RestartPolicy == v1.ContainerRestartPolicyAlways,
			status: statusOf(s.status.InitContainerStatuses, c.Name)})
	}
	for i := range s.pod.Spec.Containers {
		c := &s.pod.Spec.Containers[i]
		s.units = append(s.units, &unit{spec: c, status: statusOf(s.status.ContainerStatuses, c.Name)})
	}
	for _, u := range s.units {
		if s.life.All[u.spec.Name] == nil {
			s.life.All[u.spec.Name] = &container{}
		}
		u.container = s.life.All[u.spec.Name]
	}
}

func newStatuses(pod *v1.Pod, containers []v1.Container, reason string) []v1.ContainerStatus {
	var all []v1.ContainerStatus
	for i := range containers {
		c := &containers[i]
		st := v1.ContainerStatus{
			Name: c.Name, Image: c.Image, Started: ptr.To(false),
			State: v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: reason}},
		}
		for _, m := range c.VolumeMounts {
			vm := v1.VolumeMountStatus{Name: m.Name, MountPath: m.MountPath, ReadOnly: m.ReadOnly}
			if m.ReadOnly {
				vm.RecursiveReadOnly = ptr.To(v1.RecursiveReadOnlyDisabled)
			}
			st.VolumeMounts = append(st.VolumeMounts, vm)
		}
		all = append(all, st)
	}
	return all
}

func statusOf(all []v1.ContainerStatus, name string) *v1.ContainerStatus {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return &v1.ContainerStatus{Name: name} // a container that the status never had
}

// at says whether a moment has come, and makes sure that the pod is looked at when it does. Zero never comes.
func (s *sync) at(t time.Time) bool {
	if t.IsZero() {
		return false
	}
	if !t.After(s.now) {
		return true
	}
	if s.wake.IsZero() || t.Before(s.wake) {
		s.wake = t
	}
	return false
}

// close writes what changed and plans the next look.
func (s *sync) close() error {
	if err := s.write(); err != nil {
		s.schedule()
		return err
	}
	if s.life.Unsaid == nil && (terminal(s.status.Phase) && s.pod.DeletionTimestamp == nil || s.settled()) {
		delete(s.k.state.Pods, s.key)
		return nil
	}
	s.schedule()
	return nil
}

// schedule puts the next look at the pod on the agenda.
func (s *sync) schedule() {
	if !s.wake.IsZero() {
		s.k.env.Queue.Add(s.key, s.wake.Sub(s.now))
	}
}

// write brings the status up to date and stores it where it changed, as the last thing of a sync: it is the API
// server's then. One that cannot be written is kept: what happened to the containers has happened.
func (s *sync) write() error {
	s.conclude()
	if !s.dirty {
		return nil
	}
	if s.k.state.Silent {
		s.life.Unsaid = s.status.DeepCopy()
		return nil
	}
	err := s.k.own(func() error {
		stored, err := s.k.env.Client.GiveStatus(s.pod, &s.status)
		if err == nil {
			s.pod = stored.(*v1.Pod)
		}
		return err
	})
	if apierrors.IsNotFound(err) {
		delete(s.k.state.Pods, s.key)
		return nil
	}
	if err != nil {
		s.life.Unsaid = s.status.DeepCopy()
		return err
	}
	s.life.Unsaid, s.dirty = nil, false
	return nil
}

// bury removes a finished pod that is to be deleted, and forgets any other.
func (s *sync) bury() error {
	if s.k.state.Silent {
		return nil
	}
	delete(s.k.state.Pods, s.key)
	if s.pod.DeletionTimestamp == nil || ptr.Deref(s.pod.DeletionGracePeriodSeconds, 0) == 0 {
		return nil // still there at grace 0: a finalizer keeps it, and nobody here can help
	}
	err := s.k.own(func() error {
		return s.k.env.Client.Delete(s.pod, metav1.DeleteOptions{
			GracePeriodSeconds: ptr.To(int64(0)), Preconditions: metav1.NewUIDPreconditions(string(s.pod.UID))})
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (s *sync) emit(eventType, reason, note string) {
	if s.k.state.Silent {
		return // lost: the real one keeps an event for two minutes at the most
	}
	s.k.env.Client.Emit(s.pod, eventType, reason, note)
}

func (s *sync) step(kind trace.Kind, c trace.Container) { s.k.step(kind, podRef(s.pod), c) }

// stamp is a moment as the API keeps it: whole seconds.
func stamp(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }

func terminal(p v1.PodPhase) bool { return p == v1.PodSucceeded || p == v1.PodFailed }
