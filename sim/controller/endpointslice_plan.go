package controller

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// slicePlan is what one sync is to do to a Service's slices (k8s.io/endpointslice, Reconciler).
type slicePlan struct {
	service                *corev1.Service
	pods                   []*corev1.Pod
	labels                 map[string]string
	existing               bool                         // there were slices before
	types                  []discoveryv1.AddressType    // planned for
	create, update, remove []*discoveryv1.EndpointSlice // copies, but for those to remove
	changed                []*corev1.Pod                // whose endpoints are new or have changed
}

func (p *slicePlan) planned(t discoveryv1.AddressType) bool { return slices.Contains(p.types, t) }

func (p *slicePlan) target() trace.Ref {
	for _, list := range [][]*discoveryv1.EndpointSlice{p.update, p.create, p.remove} {
		if len(list) > 0 {
			return refTo("EndpointSlice", list[0])
		}
	}
	return trace.Ref{}
}

// portGroup is the endpoints that have the same ports: they share slices.
type portGroup struct {
	key      string
	ports    []discoveryv1.EndpointPort
	wanted   []discoveryv1.Endpoint // in the order of the pods' names
	byKey    map[string]int         // endpointKey → index in wanted
	pods     []*corev1.Pod          // as wanted
	existing []*discoveryv1.EndpointSlice
}

// plan adds what one address family needs. A pod on a node that is not there is left out, and an error.
func (c *endpointSlices) plan(p *slicePlan, family discoveryv1.AddressType, all []*discoveryv1.EndpointSlice) (missing error) {
	p.types = append(p.types, family)
	groups, missing := c.groups(p, family)
	var unwanted []*discoveryv1.EndpointSlice
	existing := 0
	for _, slice := range all {
		if slice.AddressType != family {
			continue
		}
		existing++
		key := portsKey(slice.Ports)
		if i := slices.IndexFunc(groups, func(g *portGroup) bool { return g.key == key }); i >= 0 {
			groups[i].existing = append(groups[i].existing, slice)
		} else {
			unwanted = append(unwanted, slice)
		}
	}
	removed, created := len(p.remove), len(p.create)
	for _, g := range groups {
		p.planGroup(g, family)
	}
	p.remove = append(p.remove, unwanted...)
	if existing == len(p.remove)-removed && len(p.create) == created { // none would be left: keep an empty one
		if last := p.remove[removed:]; len(last) == 1 && len(last[0].Endpoints) == 0 && len(last[0].Ports) == 0 && maps.Equal(last[0].Labels, p.labels) {
			p.remove = p.remove[:removed]
		} else {
			p.create = append(p.create, p.empty(family, []discoveryv1.EndpointPort{}))
		}
	}
	return missing
}

// groups are the endpoints wanted, by the ports they have.
func (c *endpointSlices) groups(p *slicePlan, family discoveryv1.AddressType) (groups []*portGroup, missing error) {
	byKey := map[string]*portGroup{}
	for _, pod := range p.pods {
		ports := slicePorts(p.service, pod)
		key := portsKey(ports)
		g := byKey[key]
		if g == nil {
			g = &portGroup{key: key, ports: ports, byKey: map[string]int{}}
			byKey[key] = g
			groups = append(groups, g)
		}
		node, ok := apiserver.Get[*corev1.Node](c.Client, "", pod.Spec.NodeName)
		if !ok && !p.service.Spec.PublishNotReadyAddresses {
			missing = fmt.Errorf("skipping Pod %s for Service %s/%s: Node %s Not Found", pod.Name, p.service.Namespace, p.service.Name, pod.Spec.NodeName)
			continue
		}
		ips := addresses(pod, family == discoveryv1.AddressTypeIPv6)
		if len(ips) == 0 {
			continue
		}
		e := c.endpointOf(p.service, pod, ips, node)
		g.byKey[endpointKey(&e)] = len(g.wanted)
		g.wanted, g.pods = append(g.wanted, e), append(g.pods, pod)
	}
	return groups, missing
}

// planGroup brings the slices of one set of ports to the endpoints wanted, with as few writes as it can:
// first it updates in place, then it fills the slices that change anyway, then one that has room, then new ones.
func (p *slicePlan) planGroup(g *portGroup, family discoveryv1.AddressType) {
	placed := make([]bool, len(g.wanted))
	var touched, unchanged []*discoveryv1.EndpointSlice
	for _, slice := range g.existing {
		kept, changed := p.keep(g, slice, placed)
		switch {
		case changed && len(kept) == 0:
			p.remove = append(p.remove, slice)
		case changed || !maps.Equal(slice.Labels, p.labels):
			fresh := slice.DeepCopy()
			fresh.Endpoints, fresh.Labels = kept, p.labels
			touched = append(touched, fresh)
		default:
			unchanged = append(unchanged, slice)
		}
	}
	var left []discoveryv1.Endpoint
	for i, done := range placed {
		if !done {
			left = append(left, g.wanted[i])
			p.changed = append(p.changed, g.pods[i])
		}
	}
	slices.SortStableFunc(touched, fullestFirst)
	for _, slice := range touched {
		left = fill(slice, left)
	}
	for len(left) > 0 {
		if i := roomiest(unchanged, len(left)); i >= 0 && len(left) < maxEndpointsPerSlice {
			slice := unchanged[i].DeepCopy()
			left = fill(slice, left)
			unchanged = slices.Delete(unchanged, i, i+1)
			touched = append(touched, slice)
			continue
		}
		slice := p.empty(family, g.ports)
		left = fill(slice, left)
		p.create = append(p.create, slice)
	}
	p.update = append(p.update, touched...)
}

// keep is which endpoints of a slice are still wanted, in their present state, and whether that changes it.
func (p *slicePlan) keep(g *portGroup, slice *discoveryv1.EndpointSlice, placed []bool) (kept []discoveryv1.Endpoint, changed bool) {
	for i := range slice.Endpoints {
		old := &slice.Endpoints[i]
		j, ok := g.byKey[endpointKey(old)]
		if !ok || placed[j] {
			changed = true
			continue
		}
		placed[j] = true
		kept = append(kept, g.wanted[j])
		if !sameEndpoint(old, &g.wanted[j]) {
			changed = true
			if deref(old.Conditions.Serving) != deref(g.wanted[j].Conditions.Serving) {
				p.changed = append(p.changed, g.pods[j])
			}
		}
	}
	return kept, changed
}

// fill puts endpoints into a slice until it is full, and returns the rest.
func fill(slice *discoveryv1.EndpointSlice, left []discoveryv1.Endpoint) []discoveryv1.Endpoint {
	n := min(len(left), max(0, maxEndpointsPerSlice-len(slice.Endpoints)))
	slice.Endpoints = append(slice.Endpoints, left[:n]...)
	return left[n:]
}

// roomiest is the slice that n endpoints would bring closest to full; −1: they fit in none.
func roomiest(all []*discoveryv1.EndpointSlice, n int) int {
	best, least := -1, maxEndpointsPerSlice
	for i, slice := range all {
		if room := maxEndpointsPerSlice - n - len(slice.Endpoints); room >= 0 && room < least {
			best, least = i, room
		}
	}
	return best
}

func (p *slicePlan) empty(family discoveryv1.AddressType, ports []discoveryv1.EndpointPort) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       p.service.Namespace,
			GenerateName:    podPrefix(p.service.Name),
			Labels:          p.labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(p.service, corev1.SchemeGroupVersion.WithKind("Service"))},
		},
		AddressType: family,
		Ports:       ports,
		Endpoints:   []discoveryv1.Endpoint{},
	}
}
