package scheduler

import (
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// podInfo is a pod with all that the plugins would otherwise work out again and again.
type podInfo struct {
	pod      *v1.Pod
	priority int32
	demand   demand
	ports    []v1.ContainerPort // host ports

	hasAffinity  bool // any term about other pods, required or preferred
	affinity     []podTerm
	antiAffinity []podTerm
	prefers      []podTerm // weight > 0: wants to be near; < 0: wants to be away
}

// podTerm is one term of an affinity between pods.
type podTerm struct {
	key        string // topologyKey
	namespaces []string
	nsSelector labels.Selector // of namespaces, by their labels
	selector   labels.Selector
	weight     int64
}

func newPodInfo(pod *v1.Pod) *podInfo {
	p := &podInfo{pod: pod, demand: demandOf(pod), ports: hostPorts(pod)}
	if pod.Spec.Priority != nil {
		p.priority = *pod.Spec.Priority
	}
	a := pod.Spec.Affinity
	if a == nil {
		return p
	}
	p.hasAffinity = a.PodAffinity != nil || a.PodAntiAffinity != nil
	if near := a.PodAffinity; near != nil {
		for i := range near.RequiredDuringSchedulingIgnoredDuringExecution {
			p.affinity = append(p.affinity, newPodTerm(pod, &near.RequiredDuringSchedulingIgnoredDuringExecution[i], 0))
		}
		for i := range near.PreferredDuringSchedulingIgnoredDuringExecution {
			t := &near.PreferredDuringSchedulingIgnoredDuringExecution[i]
			p.prefers = append(p.prefers, newPodTerm(pod, &t.PodAffinityTerm, int64(t.Weight)))
		}
	}
	if away := a.PodAntiAffinity; away != nil {
		for i := range away.RequiredDuringSchedulingIgnoredDuringExecution {
			p.antiAffinity = append(p.antiAffinity, newPodTerm(pod, &away.RequiredDuringSchedulingIgnoredDuringExecution[i], 0))
		}
		for i := range away.PreferredDuringSchedulingIgnoredDuringExecution {
			t := &away.PreferredDuringSchedulingIgnoredDuringExecution[i]
			p.prefers = append(p.prefers, newPodTerm(pod, &t.PodAffinityTerm, -int64(t.Weight)))
		}
	}
	return p
}

// newPodTerm reads a term of the pod given. Its own namespace counts unless the term names others.
func newPodTerm(pod *v1.Pod, t *v1.PodAffinityTerm, weight int64) podTerm {
	namespaces := t.Namespaces
	if len(namespaces) == 0 && t.NamespaceSelector == nil {
		namespaces = []string{pod.Namespace}
	}
	return podTerm{t.TopologyKey, namespaces, selectorOf(t.NamespaceSelector), selectorOf(t.LabelSelector), weight}
}

// selectorOf reads a label selector: nil selects nothing, an empty one everything.
// One that cannot be read selects nothing; the API server lets none in.
func selectorOf(s *metav1.LabelSelector) labels.Selector {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return labels.Nothing()
	}
	return selector
}

// matches says that the term is about the pod, whose namespace has the labels given.
func (t *podTerm) matches(pod *v1.Pod, nsLabels labels.Set) bool {
	return (slices.Contains(t.namespaces, pod.Namespace) || t.nsSelector.Matches(nsLabels)) &&
		t.selector.Matches(labels.Set(pod.Labels))
}

// hostPorts are the ports a pod takes on its node; those of init containers count
// only where they run on beside the others (Kubernetes 1.37 pkg/scheduler/util/utils.go, GetHostPorts).
func hostPorts(pod *v1.Pod) []v1.ContainerPort {
	var ports []v1.ContainerPort
	take := func(c *v1.Container) {
		for _, p := range c.Ports {
			if p.HostPort > 0 {
				if p.HostIP == "" {
					p.HostIP = anyIP
				}
				if p.Protocol == "" {
					p.Protocol = v1.ProtocolTCP
				}
				ports = append(ports, p)
			}
		}
	}
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; c.RestartPolicy != nil && *c.RestartPolicy == v1.ContainerRestartPolicyAlways {
			take(c)
		}
	}
	for i := range pod.Spec.Containers {
		take(&pod.Spec.Containers[i])
	}
	return ports
}

func (p *podInfo) ref() PodRef { return refOf(p.pod) }

func refOf(pod *v1.Pod) PodRef { return PodRef{pod.Namespace, pod.Name, pod.UID} }

// started is when the pod's kubelet took it up; one that has not started counts as starting now.
func (p *podInfo) started(now time.Time) time.Time {
	if p.pod.Status.StartTime != nil {
		return p.pod.Status.StartTime.Time
	}
	return now
}

// finished says that a pod takes up nothing any more: the scheduler does not see it.
func finished(pod *v1.Pod) bool {
	return pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed
}
