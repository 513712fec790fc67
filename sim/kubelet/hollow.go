package kubelet

import (
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// A hollow kubelet, as kubemark calls it, has no container runtime under it and only says that all goes well: a pod
// that is bound to its node runs and is ready at once, whatever its images, mounts and probes are, and one that is
// deleted is gone at once. It tells no event. A control plane is tried out on such nodes: KWOK's "fast" stages
// (kustomize/stage/pod/fast) do the same. Only a Job's pods end by themselves. A pod whose annotations give it another
// fate has containers as on any node, of images that are there already.

// hollowHeartbeat is how often a hollow kubelet renews its lease: it must be heard of where little patience is had with
// nodes.
const hollowHeartbeat = 2 * time.Second

// hollowly says whether a pod is played on a hollow node without its containers.
func (k *Kubelet) hollowly(pod *v1.Pod) bool {
	f := fateOf(pod)
	return k.env.Hollow && (f.key() == "" || f.job && (f.outcome == "" || f.outcome == "fail"))
}

// syncHollow is the whole life of a pod on a hollow node.
func (k *Kubelet) syncHollow(key string, pod *v1.Pod) error {
	s := &sync{k: k, key: key, now: k.env.Queue.Now(), pod: pod, status: *pod.Status.DeepCopy(), said: &pod.Status}
	s.life = k.state.Pods[key]
	if s.life != nil && s.life.UID != pod.UID {
		s.life = nil
	}
	switch {
	case pod.DeletionTimestamp != nil:
		return s.bury()
	case pod.Status.Phase == v1.PodPending:
		s.allWell()
	case pod.Status.Phase == v1.PodRunning && s.life != nil && !s.life.Sandbox.Add(s.runs()).After(s.now):
		s.allOver()
	}
	if err := s.writeHollow(); err != nil {
		return err
	}
	if s.status.Phase != v1.PodRunning || s.runs() == 0 {
		delete(k.state.Pods, key)
		return nil
	}
	if s.life == nil {
		s.life = &podLife{UID: pod.UID, Sandbox: s.now, All: map[string]*container{}}
		k.state.Pods[key] = s.life
	}
	k.env.Queue.Add(key, s.life.Sandbox.Add(s.runs()).Sub(s.now))
	return nil
}

// runs is how long the pod runs; 0: for ever.
func (s *sync) runs() time.Duration {
	f := fateOf(s.pod)
	if !f.job {
		return 0
	}
	if d, err := time.ParseDuration(f.run); err == nil && d > 0 && d <= maxRun {
		return d
	}
	return jobRun
}

// allWell is the status of a pod all of whose containers run.
func (s *sync) allWell() {
	s.dirty = true
	now := stamp(s.now)
	st := &s.status
	st.Phase, st.StartTime = v1.PodRunning, &now
	for _, t := range []v1.PodConditionType{v1.PodInitialized, v1.PodReady, v1.ContainersReady} {
		s.setHollow(t, v1.ConditionTrue, "")
	}
	for _, g := range s.pod.Spec.ReadinessGates {
		s.setHollow(g.ConditionType, v1.ConditionTrue, "")
	}
	up := v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: now}}
	through := v1.ContainerState{Terminated: &v1.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}}
	st.ContainerStatuses, st.InitContainerStatuses = nil, nil
	for _, c := range s.pod.Spec.Containers {
		st.ContainerStatuses = append(st.ContainerStatuses, v1.ContainerStatus{Name: c.Name, Image: c.Image, Ready: true, State: up})
	}
	for _, c := range s.pod.Spec.InitContainers {
		init := v1.ContainerStatus{Name: c.Name, Image: c.Image, Ready: true, State: through}
		if ptr.Deref(c.RestartPolicy, "") == v1.ContainerRestartPolicyAlways {
			init.State, init.Started = up, ptr.To(true)
		}
		st.InitContainerStatuses = append(st.InitContainerStatuses, init)
	}
	if node, ok := s.k.node(); ok {
		for _, a := range node.Status.Addresses {
			if a.Type == v1.NodeInternalIP {
				st.HostIP, st.HostIPs = a.Address, []v1.HostIP{{IP: a.Address}}
				break
			}
		}
	}
	if st.PodIP = st.HostIP; !s.pod.Spec.HostNetwork || st.PodIP == "" {
		st.PodIP = s.k.address()
	}
	st.PodIPs = []v1.PodIP{{IP: st.PodIP}}
}

// allOver is the status of a pod all of whose containers have ended.
func (s *sync) allOver() {
	s.dirty = true
	now := stamp(s.now)
	phase, why, code, reason := v1.PodSucceeded, "PodCompleted", int32(0), "Completed"
	if fateOf(s.pod).outcome == "fail" {
		phase, why, code, reason = v1.PodFailed, "PodFailed", 1, "Error"
	}
	s.status.Phase = phase
	for i := range s.status.Conditions {
		switch t := s.status.Conditions[i].Type; t {
		case v1.PodReady, v1.ContainersReady:
			s.setHollow(t, v1.ConditionFalse, why)
		}
	}
	for i := range s.status.ContainerStatuses {
		c := &s.status.ContainerStatuses[i]
		c.Ready, c.Started = false, ptr.To(false)
		c.State = v1.ContainerState{Terminated: &v1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: now, FinishedAt: now}}
	}
}

func (s *sync) setHollow(t v1.PodConditionType, status v1.ConditionStatus, reason string) {
	c := v1.PodCondition{Type: t, Status: status, Reason: reason, LastTransitionTime: stamp(s.now)}
	i := slices.IndexFunc(s.status.Conditions, func(o v1.PodCondition) bool { return o.Type == t })
	if i < 0 {
		s.status.Conditions = append(s.status.Conditions, c)
		return
	}
	s.status.Conditions[i] = c
}

// writeHollow stores a status that changed. What cannot be written is worked out again at the next try.
func (s *sync) writeHollow() error {
	if !s.dirty {
		return nil
	}
	p := *s.pod
	p.Status = s.status
	return s.k.own(func() error {
		_, err := s.k.env.Client.UpdateStatus(&p)
		return err
	})
}
