package kubelet

import (
	"fmt"
	"strconv"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
)

// sandboxTakes is how long the runtime needs for a pod's sandbox and its network.
const sandboxTakes = 550 * time.Millisecond

// admit accepts a pod that is new to the node, or turns it down for good
// (pkg/kubelet/lifecycle/predicate.go). It says whether it accepted.
func (s *sync) admit() bool {
	s.dirty = true
	if reason, message := s.objection(); reason != "" {
		s.emit(v1.EventTypeWarning, reason, message)
		s.status.Phase, s.status.Reason, s.status.Message = v1.PodFailed, reason, "Pod was rejected: "+message
		return false
	}
	now := stamp(s.now)
	s.status.StartTime = &now
	if node, ok := s.k.node(); ok {
		for _, a := range node.Status.Addresses {
			if a.Type == v1.NodeInternalIP {
				s.status.HostIP, s.status.HostIPs = a.Address, []v1.HostIP{{IP: a.Address}}
			}
		}
	}
	return true
}

// objection is why the node cannot take the pod: the reason and message of the first.
func (s *sync) objection() (reason, message string) {
	if why := s.k.pressed(s.pod); why != "" {
		return evicted, why
	}
	node, ok := s.k.node()
	if !ok {
		return "", ""
	}
	want, have, pods := requests(s.pod), resources{}, int64(0)
	for other := range apiserver.PodsOn(s.k.env.Client, s.k.env.Node) {
		if other.UID == s.pod.UID || terminal(other.Status.Phase) || other.Status.StartTime == nil {
			continue
		}
		r := requests(other)
		have.cpu, have.memory, pods = have.cpu+r.cpu, have.memory+r.memory, pods+1
	}
	a := node.Status.Allocatable
	for _, r := range []struct {
		name                  v1.ResourceName
		want, used, available int64
	}{
		{v1.ResourcePods, 1, pods, a.Pods().Value()},
		{v1.ResourceCPU, want.cpu, have.cpu, a.Cpu().MilliValue()},
		{v1.ResourceMemory, want.memory, have.memory, a.Memory().Value()},
	} {
		if r.want > 0 && r.want > r.available-r.used {
			return "OutOf" + string(r.name), fmt.Sprintf("Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d", r.name, r.want, r.used, r.available)
		}
	}
	if len(s.pod.Spec.NodeSelector) > 0 || s.pod.Spec.Affinity != nil && s.pod.Spec.Affinity.NodeAffinity != nil {
		if ok, err := nodeaffinity.GetRequiredNodeAffinity(s.pod).Match(node); err != nil || !ok {
			return "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
		}
	}
	return "", ""
}

type resources struct{ cpu, memory int64 } // milli, bytes

// requests are what a pod reserves: its containers and sidecars together, or its
// largest init container where that is more.
func requests(pod *v1.Pod) (sum resources) {
	var most resources
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		r := resources{c.Resources.Requests.Cpu().MilliValue(), c.Resources.Requests.Memory().Value()}
		if ptr.Deref(c.RestartPolicy, "") == v1.ContainerRestartPolicyAlways {
			sum.cpu, sum.memory = sum.cpu+r.cpu, sum.memory+r.memory
			r = sum
		} else {
			r.cpu, r.memory = r.cpu+sum.cpu, r.memory+sum.memory
		}
		most.cpu, most.memory = max(most.cpu, r.cpu), max(most.memory, r.memory)
	}
	for i := range pod.Spec.Containers {
		q := pod.Spec.Containers[i].Resources.Requests
		if len(q) > 0 {
			sum.cpu, sum.memory = sum.cpu+q.Cpu().MilliValue(), sum.memory+q.Memory().Value()
		}
	}
	sum.cpu, sum.memory = max(sum.cpu, most.cpu), max(sum.memory, most.memory)
	if o := pod.Spec.Overhead; o != nil {
		sum.cpu, sum.memory = sum.cpu+o.Cpu().MilliValue(), sum.memory+o.Memory().Value()
	}
	return sum
}

// sandbox says whether the pod's sandbox is ready, and begins to make it.
func (s *sync) sandbox() bool {
	if s.life.IP == "" {
		s.life.Sandbox = s.now.Add(s.k.takes(sandboxTakes))
		s.life.IP = s.status.HostIP
		if !s.pod.Spec.HostNetwork || s.life.IP == "" {
			s.life.IP = s.k.address()
		}
	}
	return s.life.Sandbox.IsZero() || s.at(s.life.Sandbox)
}

// address gives out the next free one of the node's range, as the host-local
// network plugin does: onwards from the last, and round.
func (k *Kubelet) address() string {
	prefix := k.podRange()
	for range 253 {
		k.state.IP = max(2, (k.state.IP+1)%255)
		if ip := prefix + strconv.Itoa(k.state.IP); !k.taken(ip) {
			return ip
		}
	}
	return prefix + "254"
}

// taken says that a pod of the node has the address.
func (k *Kubelet) taken(ip string) bool {
	for _, l := range k.state.Pods {
		if l.IP == ip {
			return true
		}
	}
	for pod := range apiserver.PodsOn(k.env.Client, k.env.Node) {
		if pod.Status.PodIP == ip && !terminal(pod.Status.Phase) {
			return true
		}
	}
	return false
}
