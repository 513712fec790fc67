package controller

import (
	"fmt"
	"maps"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
)

// What the two controllers of endpoints share: which Services a pod's change concerns,
// and what of a pod an endpoint shows.

// servicesTouched yields the keys of the Services whose endpoints a pod's change may move
// (k8s.io/endpointslice/util, GetPodUpdateProjectionKey).
func servicesTouched(client *apiserver.Client, e apiserver.Event, pod *corev1.Pod, touch func(key string)) {
	var was labels.Set
	changed := true
	if e.Type == watch.Modified {
		old := e.Old.(*corev1.Pod)
		moved := !maps.Equal(old.Labels, pod.Labels) || old.Spec.Hostname != pod.Spec.Hostname || old.Spec.Subdomain != pod.Spec.Subdomain
		if changed = endpointChanged(old, pod); !changed && !moved {
			return
		}
		if moved {
			was = old.Labels
		}
	}
	for s := range apiserver.List[*corev1.Service](client, pod.Namespace) {
		if s.Spec.Selector == nil {
			continue
		}
		selector := labels.SelectorFromValidatedSet(s.Spec.Selector)
		now := selector.Matches(labels.Set(pod.Labels))
		before := was != nil && selector.Matches(was)
		if now && (changed || !before) || before && (changed || !now) {
			touch(keyOf(s))
		}
	}
}

// endpointChanged says whether a pod's change shows in its endpoints.
func endpointChanged(old, pod *corev1.Pod) bool {
	if (old.DeletionTimestamp == nil) != (pod.DeletionTimestamp == nil) || podReady(old) != podReady(pod) ||
		len(old.Status.PodIPs) != len(pod.Status.PodIPs) {
		return true
	}
	for i := range old.Status.PodIPs {
		if old.Status.PodIPs[i].IP != pod.Status.PodIPs[i].IP {
			return true
		}
	}
	return false
}

// hasEndpoints says whether a Service gets endpoints from its selector.
func hasEndpoints(s *corev1.Service) bool {
	return s.Spec.Type != corev1.ServiceTypeExternalName && s.Spec.Selector != nil
}

// backends are the pods that a Service selects and that have an address.
func backends(client *apiserver.Client, s *corev1.Service, includeTerminating bool) (pods []*corev1.Pod) {
	selector := labels.SelectorFromValidatedSet(s.Spec.Selector)
	for pod := range apiserver.List[*corev1.Pod](client, s.Namespace) {
		if !selector.Matches(labels.Set(pod.Labels)) || podTerminal(pod) || pod.Status.PodIP == "" && len(pod.Status.PodIPs) == 0 {
			continue
		}
		if pod.DeletionTimestamp == nil || includeTerminating {
			pods = append(pods, pod)
		}
	}
	return pods
}

// addresses are a pod's addresses of one family.
func addresses(pod *corev1.Pod, v6 bool) (found []string) {
	for _, ip := range pod.Status.PodIPs {
		if a, err := netip.ParseAddr(ip.IP); err == nil && a.Is6() == v6 {
			found = append(found, a.String())
		}
	}
	return found
}

// targetPort finds a Service's port in a pod: by number, or by the name of a container's port.
func targetPort(pod *corev1.Pod, port *corev1.ServicePort) (int32, error) {
	if port.TargetPort.Type == intstr.Int {
		return port.TargetPort.IntVal, nil
	}
	containers := pod.Spec.Containers
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			containers = append(containers[:len(containers):len(containers)], c)
		}
	}
	for _, c := range containers {
		for _, p := range c.Ports {
			if p.Name == port.TargetPort.StrVal && p.Protocol == port.Protocol {
				return p.ContainerPort, nil
			}
		}
	}
	return 0, fmt.Errorf("no suitable port for manifest: %s", pod.UID)
}

func headless(s *corev1.Service) bool {
	return s.Spec.ClusterIP == corev1.ClusterIPNone || s.Spec.ClusterIP == ""
}

// namedHost says whether a pod's hostname is published by the Service.
func namedHost(pod *corev1.Pod, s *corev1.Service) bool {
	return pod.Spec.Hostname != "" && pod.Spec.Subdomain == s.Name
}

// triggerTime is the earliest moment at which one of the pods given became, or ceased to be, ready: what a
// change of endpoints was triggered by. It is the Service's creation where there were no endpoints before.
func triggerTime(s *corev1.Service, isNew bool, changed []*corev1.Pod) (t time.Time) {
	if isNew {
		return s.CreationTimestamp.Time
	}
	for _, pod := range changed {
		if since := readySince(pod); !since.IsZero() && (t.IsZero() || since.Before(t)) {
			t = since
		}
	}
	return t
}

// stampTrigger writes the annotation of the trigger time, or drops it.
func stampTrigger(annotations map[string]string, t time.Time) map[string]string {
	annotations = maps.Clone(annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	if t.IsZero() {
		delete(annotations, corev1.EndpointsLastChangeTriggerTime)
	} else {
		annotations[corev1.EndpointsLastChangeTriggerTime] = t.UTC().Format(time.RFC3339Nano)
	}
	return annotations
}

// serviceLabels are a Service's labels as what is made of it carries them: with the mark of a headless one where it is.
func serviceLabels(s *corev1.Service) map[string]string {
	l := maps.Clone(s.Labels)
	if l == nil {
		l = map[string]string{}
	}
	delete(l, corev1.IsHeadlessService)
	if headless(s) {
		l[corev1.IsHeadlessService] = ""
	}
	return l
}
