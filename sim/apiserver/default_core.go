package apiserver

//lint:file-ignore SA1019 what is deprecated in the API is still served by it

import (
	"maps"

	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What the API fills in, keeps and drops, as Kubernetes 1.37
// pkg/apis/{core,discovery,scheduling}/v1/defaults.go and the strategies of
// pkg/registry do. Services have default_core_service.go.

func defaultNamespace(n *v1.Namespace) {
	if n.Status.Phase == "" {
		n.Status.Phase = v1.NamespaceActive
	}
	// A namespace that waits for a generated name has none to show yet.
	if n.Name == "" {
		return
	}
	if n.Labels == nil {
		n.Labels = map[string]string{}
	}
	n.Labels[v1.LabelMetadataName] = n.Name
}

func prepareNamespace(n *v1.Namespace) {
	n.Status = v1.NamespaceStatus{Phase: v1.NamespaceActive}
	for _, f := range n.Spec.Finalizers {
		if f == v1.FinalizerKubernetes {
			return
		}
	}
	n.Spec.Finalizers = append(n.Spec.Finalizers, v1.FinalizerKubernetes)
}

// prepareNamespaceUpdate keeps the finalizers, which only the finalize
// subresource may change, and the status.
func prepareNamespaceUpdate(new, old *v1.Namespace) {
	new.Spec.Finalizers = old.Spec.Finalizers
	new.Status = old.Status
}

func defaultNode(n *v1.Node) {
	roundToMilli(n.Status.Capacity)
	roundToMilli(n.Status.Allocatable)
	if n.Status.Allocatable == nil && n.Status.Capacity != nil {
		n.Status.Allocatable = n.Status.Capacity.DeepCopy()
	}
}

func prepareNode(n *v1.Node) {
	n.Spec.ConfigSource = nil
	n.Status.Config = nil
}

func prepareNodeUpdate(new, old *v1.Node) {
	new.Status = old.Status
	if old.Spec.ConfigSource == nil {
		new.Spec.ConfigSource = nil
	}
}

func prepareNodeStatus(new, old *v1.Node) {
	new.Spec = old.Spec
	if old.Status.Config == nil {
		new.Status.Config = nil
	}
}

func defaultConfigMap(c *v1.ConfigMap) {
	if c.Data == nil {
		c.Data = map[string]string{}
	}
}

// defaultSecret also takes stringData in: it is a convenience for writing, and
// never read back.
func defaultSecret(s *v1.Secret) {
	if s.Type == "" {
		s.Type = v1.SecretTypeOpaque
	}
	if len(s.StringData) > 0 && s.Data == nil {
		s.Data = map[string][]byte{}
	}
	for key, value := range s.StringData {
		s.Data[key] = []byte(value)
	}
	s.StringData = nil
}

// keepSecretNames drops all but the names of the secrets a service account lists.
func keepSecretNames(s *v1.ServiceAccount) {
	for i, ref := range s.Secrets {
		s.Secrets[i] = v1.ObjectReference{Name: ref.Name}
	}
}

func defaultEndpoints(e *v1.Endpoints) {
	for i := range e.Subsets {
		for j := range e.Subsets[i].Ports {
			if port := &e.Subsets[i].Ports[j]; port.Protocol == "" {
				port.Protocol = v1.ProtocolTCP
			}
		}
	}
}

func defaultEndpointSlice(e *discoveryv1.EndpointSlice) {
	for i := range e.Ports {
		port := &e.Ports[i]
		if port.Name == nil {
			port.Name = new(string)
		}
		if port.Protocol == nil {
			tcp := v1.ProtocolTCP
			port.Protocol = &tcp
		}
	}
}

func prepareEndpointSlice(e *discoveryv1.EndpointSlice) {
	e.Generation = 1
	dropTopology(e)
}

// prepareEndpointSliceUpdate raises the generation when anything but other
// metadata than the labels changed.
func prepareEndpointSliceUpdate(new, old *discoveryv1.EndpointSlice) {
	if !apiequality.Semantic.DeepEqual(new.Endpoints, old.Endpoints) {
		dropTopology(new)
	}
	new.Generation = old.Generation
	if !sameEndpointSlice(new, old) || !maps.Equal(new.Labels, old.Labels) {
		new.Generation++
	}
}

func sameEndpointSlice(a, b *discoveryv1.EndpointSlice) bool {
	x, y := *a, *b
	x.ObjectMeta, y.ObjectMeta = metav1.ObjectMeta{}, metav1.ObjectMeta{}
	x.TypeMeta, y.TypeMeta = metav1.TypeMeta{}, metav1.TypeMeta{}
	return apiequality.Semantic.DeepEqual(x, y)
}

// dropTopology: a field of the beta API, read-only in v1.
func dropTopology(e *discoveryv1.EndpointSlice) {
	for i := range e.Endpoints {
		e.Endpoints[i].DeprecatedTopology = nil
	}
}

func defaultPriorityClass(p *schedulingv1.PriorityClass) {
	if p.PreemptionPolicy == nil {
		policy := v1.PreemptLowerPriority
		p.PreemptionPolicy = &policy
	}
}

// Coordinated leader election is behind a gate that is off by default: its two
// fields cannot be set.
func dropLeaseElection(l *coordinationv1.Lease) {
	l.Spec.Strategy, l.Spec.PreferredHolder = nil, nil
}

func keepLeaseElection(new, old *coordinationv1.Lease) {
	if old.Spec.Strategy == nil {
		new.Spec.Strategy = nil
	}
	if old.Spec.PreferredHolder == nil {
		new.Spec.PreferredHolder = nil
	}
}
