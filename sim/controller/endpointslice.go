package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	endpointSliceController = "endpoint-slice-controller"
	sliceManager            = "endpointslice-controller.k8s.io"
	maxEndpointsPerSlice    = 100
	sliceSyncDelay          = time.Second // after somebody else has changed a slice
)

// endpointSlices keeps the EndpointSlices of each Service that has a selector (pkg/controller/endpointslice
// and k8s.io/endpointslice). The older topology-aware hints, by annotation, are not made.
type endpointSlices struct{ Env }

func newEndpointSlices(env Env) Component { return &endpointSlices{env} }

func (c *endpointSlices) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *corev1.Service:
		c.soon(keyOf(o))
	case *corev1.Pod:
		servicesTouched(c.Client, e, o, func(key string) { c.Queue.Add(key, batch) })
	case *discoveryv1.EndpointSlice:
		if o.Labels[discoveryv1.LabelManagedBy] == sliceManager || e.Type == watch.Modified && e.Old.GetLabels()[discoveryv1.LabelManagedBy] == sliceManager {
			c.observeSlice(e, o)
		}
	}
}

// observeSlice puts right what somebody else has done to a slice. After the controller's own writes the
// sync finds nothing to do.
func (c *endpointSlices) observeSlice(e apiserver.Event, o *discoveryv1.EndpointSlice) {
	names := []string{o.Labels[discoveryv1.LabelServiceName]}
	if e.Type == watch.Modified {
		names = append(names, e.Old.GetLabels()[discoveryv1.LabelServiceName])
	}
	for _, name := range names {
		if s, ok := apiserver.Get[*corev1.Service](c.Client, o.Namespace, name); ok {
			c.Queue.Add(keyOf(s), sliceSyncDelay)
		}
	}
}

func (c *endpointSlices) Resync() {
	for s := range apiserver.List[*corev1.Service](c.Client, "") {
		c.soon(keyOf(s))
	}
}

func (c *endpointSlices) Sync(key string) error {
	s, ok := apiserver.Get[*corev1.Service](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok || !hasEndpoints(s) {
		return nil
	}
	var slices []*discoveryv1.EndpointSlice
	for slice := range apiserver.Owned[*discoveryv1.EndpointSlice](c.Client, s.UID) {
		if slice.DeletionTimestamp == nil && slice.Labels[discoveryv1.LabelManagedBy] == sliceManager &&
			slice.Labels[discoveryv1.LabelServiceName] == s.Name {
			slices = append(slices, slice)
		}
	}
	plan := &slicePlan{service: s, pods: backends(c.Client, s, true), labels: sliceLabels(s), existing: len(slices) > 0}
	var missing error
	for _, family := range families(s) {
		if err := c.plan(plan, family, slices); err != nil {
			missing = err
		}
	}
	for _, slice := range slices {
		if !plan.planned(slice.AddressType) {
			plan.remove = append(plan.remove, slice)
		}
	}
	if err := c.carryOut(plan); err != nil {
		missing = err
	}
	if missing != nil {
		c.Client.Emit(s, corev1.EventTypeWarning, "FailedToUpdateEndpointSlices",
			fmt.Sprintf("Error updating Endpoint Slices for Service %s/%s: %v", s.Namespace, s.Name, missing))
	}
	return missing
}

func families(s *corev1.Service) (types []discoveryv1.AddressType) {
	for _, f := range s.Spec.IPFamilies {
		if f == corev1.IPv6Protocol {
			types = append(types, discoveryv1.AddressTypeIPv6)
		} else {
			types = append(types, discoveryv1.AddressTypeIPv4)
		}
	}
	if len(types) == 0 {
		types = append(types, discoveryv1.AddressTypeIPv4)
	}
	return types
}

func sliceLabels(s *corev1.Service) map[string]string {
	l := serviceLabels(s)
	l[discoveryv1.LabelServiceName], l[discoveryv1.LabelManagedBy] = s.Name, sliceManager
	return l
}

// endpointOf is what a slice shows of a pod.
func (c *endpointSlices) endpointOf(s *corev1.Service, pod *corev1.Pod, ips []string, node *corev1.Node) discoveryv1.Endpoint {
	serving, terminating := podReady(pod), pod.DeletionTimestamp != nil
	ready := s.Spec.PublishNotReadyAddresses || serving && !terminating
	e := discoveryv1.Endpoint{
		Addresses:  ips,
		Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating},
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
	}
	if pod.Spec.NodeName != "" {
		e.NodeName = &pod.Spec.NodeName
	}
	if node != nil && node.Labels[corev1.LabelTopologyZone] != "" {
		zone := node.Labels[corev1.LabelTopologyZone]
		e.Zone = &zone
	}
	if namedHost(pod, s) {
		e.Hostname = &pod.Spec.Hostname
	}
	if ready {
		e.Hints = hints(s, &e)
	}
	return e
}

// hints are for whom an endpoint is meant, where the Service prefers what is close
// (k8s.io/endpointslice/trafficdist).
func hints(s *corev1.Service, e *discoveryv1.Endpoint) *discoveryv1.EndpointHints {
	var h discoveryv1.EndpointHints
	switch deref(s.Spec.TrafficDistribution) {
	case corev1.ServiceTrafficDistributionPreferSameNode:
		if e.NodeName != nil {
			h.ForNodes = []discoveryv1.ForNode{{Name: *e.NodeName}}
		}
	case corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone:
	default:
		return nil
	}
	if e.Zone != nil {
		h.ForZones = []discoveryv1.ForZone{{Name: *e.Zone}}
	}
	if h.ForNodes == nil && h.ForZones == nil {
		return nil
	}
	return &h
}

// slicePorts are the Service's ports as a pod has them.
func slicePorts(s *corev1.Service, pod *corev1.Pod) []discoveryv1.EndpointPort {
	ports := []discoveryv1.EndpointPort{}
	for i := range s.Spec.Ports {
		p := &s.Spec.Ports[i]
		if n, err := targetPort(pod, p); err == nil {
			ports = append(ports, discoveryv1.EndpointPort{Name: &p.Name, Port: &n, Protocol: &p.Protocol, AppProtocol: p.AppProtocol})
		}
	}
	sortByHash(ports)
	return ports
}

// portsKey is the same for slices of the same ports.
func portsKey(ports []discoveryv1.EndpointPort) string {
	keys := make([]string, len(ports))
	for i, p := range ports {
		keys[i] = fmt.Sprintf("%s %d %s %s", deref(p.Name), deref(p.Port), deref(p.Protocol), deref(p.AppProtocol))
	}
	slices.Sort(keys)
	return strings.Join(keys, ",")
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// endpointKey is what makes an endpoint the same one, whatever its conditions.
func endpointKey(e *discoveryv1.Endpoint) string {
	name := ""
	if e.TargetRef != nil {
		name = e.TargetRef.Namespace + "/" + e.TargetRef.Name
	}
	return strings.Join(e.Addresses, ",") + " " + deref(e.Hostname) + " " + name
}

func sameEndpoint(a, b *discoveryv1.Endpoint) bool {
	return deref(a.NodeName) == deref(b.NodeName) && deref(a.Zone) == deref(b.Zone) &&
		equality.Semantic.DeepEqual(a.Conditions, b.Conditions) && equality.Semantic.DeepEqual(a.Hints, b.Hints) &&
		a.TargetRef != nil && b.TargetRef != nil && a.TargetRef.UID == b.TargetRef.UID
}

// carryOut writes what is planned. A slice to delete becomes the one to create where there are both.
func (c *endpointSlices) carryOut(p *slicePlan) error {
	for len(p.create) > 0 && len(p.remove) > 0 {
		i := slices.IndexFunc(p.remove, func(s *discoveryv1.EndpointSlice) bool { return s.AddressType == p.create[len(p.create)-1].AddressType })
		if i < 0 {
			break
		}
		fresh := p.create[len(p.create)-1]
		fresh.Name, fresh.GenerateName = p.remove[i].Name, ""
		fresh.ResourceVersion, fresh.UID = p.remove[i].ResourceVersion, p.remove[i].UID
		p.update, p.create, p.remove = append(p.update, fresh), p.create[:len(p.create)-1], slices.Delete(p.remove, i, i+1)
	}
	if len(p.create)+len(p.update)+len(p.remove) == 0 {
		return nil
	}
	ready := 0
	for _, pod := range p.pods {
		if podReady(pod) && pod.DeletionTimestamp == nil {
			ready++
		}
	}
	return c.decided(endpointSliceController, refTo("Service", p.service), trace.Decision{
		What: Endpoints, Desired: int64(len(p.pods)), Actual: int64(ready), Count: int64(len(p.create) + len(p.update) + len(p.remove)),
		Target: p.target(),
	}, func() error { return c.write(p) })
}

func (c *endpointSlices) write(p *slicePlan) error {
	at := triggerTime(p.service, !p.existing, p.changed)
	s := p.service
	if s.DeletionTimestamp == nil {
		for _, slice := range p.create {
			slice.Annotations = stampTrigger(slice.Annotations, at)
			if _, err := c.Client.Create(slice); err != nil {
				if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
					return nil
				}
				return fmt.Errorf("failed to create EndpointSlice for Service %s/%s: %w", s.Namespace, s.Name, err)
			}
		}
	}
	for _, slice := range p.update {
		slice.Annotations = stampTrigger(slice.Annotations, at)
		if _, err := c.Client.Update(slice); err != nil {
			return fmt.Errorf("failed to update %s EndpointSlice for Service %s/%s: %w", slice.Name, s.Namespace, s.Name, err)
		}
	}
	for _, slice := range p.remove {
		if err := gone(c.Client.Delete(slice, metav1.DeleteOptions{})); err != nil {
			return fmt.Errorf("failed to delete %s EndpointSlice for Service %s/%s: %w", slice.Name, s.Namespace, s.Name, err)
		}
	}
	return nil
}

func fullestFirst(a, b *discoveryv1.EndpointSlice) int {
	return cmp.Or(cmp.Compare(len(b.Endpoints), len(a.Endpoints)), cmp.Compare(a.Name, b.Name))
}
