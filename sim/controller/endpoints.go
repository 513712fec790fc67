//lint:file-ignore SA1019 Endpoints is deprecated, and what this is about

package controller

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/dump"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	endpointsController = "endpoint-controller"
	endpointsManagedBy  = "endpoints.kubernetes.io/managed-by"
	endpointsCapacity   = 1000 // addresses in one Endpoints
)

// endpoints keeps the old API of a Service's endpoints, one object a Service (pkg/controller/endpoint).
type endpoints struct{ Env }

func newEndpoints(env Env) Component { return &endpoints{env} }

func (c *endpoints) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *corev1.Service:
		c.soon(keyOf(o))
	case *corev1.Pod:
		servicesTouched(c.Client, e, o, func(key string) { c.Queue.Add(key, batch) })
	case *corev1.Endpoints:
		if e.Type == watch.Deleted {
			c.soon(keyOf(o))
		}
	}
}

func (c *endpoints) Resync() {
	for s := range apiserver.List[*corev1.Service](c.Client, "") {
		c.soon(keyOf(s))
	}
	for e := range apiserver.List[*corev1.Endpoints](c.Client, "") {
		c.soon(keyOf(e))
	}
}

func (c *endpoints) Sync(key string) error {
	namespace, name := splitKey(key)
	s, ok := apiserver.Get[*corev1.Service](c.Client, namespace, name)
	old, exists := apiserver.Get[*corev1.Endpoints](c.Client, namespace, name)
	if !ok {
		if exists {
			return gone(c.Client.Delete(old, metav1.DeleteOptions{}))
		}
		return nil
	}
	if !hasEndpoints(s) {
		return nil
	}
	pods := backends(c.Client, s, s.Spec.PublishNotReadyAddresses)
	subsets := subsetsOf(s, pods)
	if exists && equality.Semantic.DeepEqual(old.Subsets, subsets) && c.labelled(old, s) && !overCapacity(old) {
		return nil
	}
	fresh := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if exists {
		fresh = old.DeepCopy()
	}
	changed := pods
	if exists {
		changed = readinessMoved(old, pods)
	}
	fresh.Annotations = stampTrigger(fresh.Annotations, triggerTime(s, !exists, changed))
	fresh.Subsets = subsets
	delete(fresh.Annotations, corev1.EndpointsOverCapacity)
	if truncate(fresh) {
		fresh.Annotations[corev1.EndpointsOverCapacity] = "truncated"
	}
	fresh.Labels = endpointLabels(s)
	return c.save(s, fresh, exists)
}

func (c *endpoints) save(s *corev1.Service, fresh *corev1.Endpoints, exists bool) error {
	ready, other := 0, 0
	for _, sub := range fresh.Subsets {
		ready, other = ready+len(sub.Addresses), other+len(sub.NotReadyAddresses)
	}
	d := trace.Decision{What: Endpoints, Desired: int64(ready + other), Actual: int64(ready), Count: int64(ready), Target: refTo("Endpoints", fresh)}
	return c.decided(endpointsController, refTo("Service", s), d, func() (err error) {
		verb := "update"
		if exists {
			_, err = c.Client.Update(fresh)
		} else {
			verb = "create"
			_, err = c.Client.Create(fresh)
		}
		switch {
		case err == nil || !exists && apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
			return nil
		case exists:
			c.Client.Emit(fresh, corev1.EventTypeWarning, "FailedToUpdateEndpoint",
				fmt.Sprintf("Failed to %s endpoint %v/%v: %v", verb, s.Namespace, s.Name, err))
		default:
			c.Client.Emit(fresh, corev1.EventTypeWarning, "FailedToCreateEndpoint",
				fmt.Sprintf("Failed to %s endpoint for service %v/%v: %v", verb, s.Namespace, s.Name, err))
		}
		return err
	})
}

// endpointLabels are those of the Service, and the controller's mark.
func endpointLabels(s *corev1.Service) map[string]string {
	l := serviceLabels(s)
	l[endpointsManagedBy] = "endpoint-controller"
	return l
}

func (c *endpoints) labelled(e *corev1.Endpoints, s *corev1.Service) bool {
	has, want := maps.Clone(e.Labels), endpointLabels(s)
	delete(has, corev1.IsHeadlessService)
	delete(want, corev1.IsHeadlessService)
	return maps.Equal(has, want)
}

func overCapacity(e *corev1.Endpoints) bool {
	n := 0
	for _, sub := range e.Subsets {
		n += len(sub.Addresses) + len(sub.NotReadyAddresses)
	}
	_, marked := e.Annotations[corev1.EndpointsOverCapacity]
	return n > endpointsCapacity || marked
}

// readinessMoved are the pods that are new to the endpoints, or on the other side of readiness.
func readinessMoved(old *corev1.Endpoints, pods []*corev1.Pod) (moved []*corev1.Pod) {
	was := map[string]bool{} // address → ready
	for _, sub := range old.Subsets {
		for _, a := range sub.Addresses {
			was[a.IP] = true
		}
		for _, a := range sub.NotReadyAddresses {
			was[a.IP] = false
		}
	}
	for _, pod := range pods {
		if ready, known := was[pod.Status.PodIP]; !known || ready != podReady(pod) {
			moved = append(moved, pod)
		}
	}
	return moved
}

// subsetsOf groups the addresses by the ports they have, in the canonical order (api/v1/endpoints, RepackSubsets).
func subsetsOf(s *corev1.Service, pods []*corev1.Pod) []corev1.EndpointSubset {
	v6 := len(s.Spec.IPFamilies) > 0 && s.Spec.IPFamilies[0] == corev1.IPv6Protocol
	var subsets []corev1.EndpointSubset
	byPorts := map[string]int{}
	for _, pod := range pods {
		ips := addresses(pod, v6)
		if len(ips) == 0 {
			continue
		}
		ports, ok := endpointPorts(s, pod)
		if !ok {
			continue
		}
		key := fmt.Sprint(ports)
		i, known := byPorts[key]
		if !known {
			i = len(subsets)
			byPorts[key] = i
			subsets = append(subsets, corev1.EndpointSubset{Ports: ports})
		}
		a := corev1.EndpointAddress{
			IP: ips[0], NodeName: &pod.Spec.NodeName,
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		}
		if namedHost(pod, s) {
			a.Hostname = pod.Spec.Hostname
		}
		if s.Spec.PublishNotReadyAddresses || podReady(pod) {
			subsets[i].Addresses = append(subsets[i].Addresses, a)
		} else {
			subsets[i].NotReadyAddresses = append(subsets[i].NotReadyAddresses, a)
		}
	}
	for _, sub := range subsets {
		slices.SortFunc(sub.Addresses, byAddress)
		slices.SortFunc(sub.NotReadyAddresses, byAddress)
	}
	sortByHash(subsets)
	return subsets
}

// endpointPorts are the Service's ports that a pod has; ok is false where it has none of them.
func endpointPorts(s *corev1.Service, pod *corev1.Pod) (ports []corev1.EndpointPort, ok bool) {
	if len(s.Spec.Ports) == 0 {
		return nil, s.Spec.ClusterIP == corev1.ClusterIPNone
	}
	for i := range s.Spec.Ports {
		p := &s.Spec.Ports[i]
		if n, err := targetPort(pod, p); err == nil {
			ports = append(ports, corev1.EndpointPort{Name: p.Name, Port: n, Protocol: p.Protocol, AppProtocol: p.AppProtocol})
		}
	}
	sortByHash(ports)
	return ports, len(ports) > 0
}

func byAddress(a, b corev1.EndpointAddress) int {
	return cmp.Or(cmp.Compare(a.IP, b.IP), cmp.Compare(a.TargetRef.UID, b.TargetRef.UID))
}

// sortByHash puts items in the order in which the real controllers keep them: that of a hash of their dump.
func sortByHash[T any](items []T) {
	if len(items) < 2 {
		return
	}
	sum := func(v T) []byte {
		h := fnv.New128a()
		fmt.Fprint(h, dump.ForHash(v))
		return h.Sum(nil)
	}
	slices.SortStableFunc(items, func(a, b T) int { return bytes.Compare(sum(a), sum(b)) })
}

// truncate keeps at most endpointsCapacity addresses, the ready ones first, spread over the subsets.
func truncate(e *corev1.Endpoints) bool {
	ready, other := 0, 0
	for _, sub := range e.Subsets {
		ready, other = ready+len(sub.Addresses), other+len(sub.NotReadyAddresses)
	}
	if ready+other <= endpointsCapacity {
		return false
	}
	most, total := endpointsCapacity-ready, other
	if ready > endpointsCapacity {
		most, total = endpointsCapacity, ready
	}
	left := most
	for i := range e.Subsets {
		sub := &e.Subsets[i]
		list := &sub.NotReadyAddresses
		if ready > endpointsCapacity {
			list, sub.NotReadyAddresses = &sub.Addresses, nil
		}
		keep := min(len(*list), left, int(math.Ceil(float64(len(*list))/float64(total)*float64(most))))
		*list = (*list)[:keep]
		left -= keep
	}
	return true
}
