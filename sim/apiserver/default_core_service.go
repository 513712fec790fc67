package apiserver

import (
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// defaultService, as Kubernetes 1.37 pkg/apis/core/v1/defaults.go
// SetDefaults_Service. Addresses and node ports are not defaults: they are
// allocated (allocateService).
func defaultService(s *v1.Service) {
	spec := &s.Spec
	if spec.SessionAffinity == "" {
		spec.SessionAffinity = v1.ServiceAffinityNone
	}
	defaultAffinityConfig(spec)
	if spec.Type == "" {
		spec.Type = v1.ServiceTypeClusterIP
	}
	for i := range spec.Ports {
		p := &spec.Ports[i]
		if p.Protocol == "" {
			p.Protocol = v1.ProtocolTCP
		}
		if p.TargetPort == intstr.FromInt32(0) || p.TargetPort == intstr.FromString("") {
			p.TargetPort = intstr.FromInt32(p.Port)
		}
	}
	if externallyAccessible(s) && spec.ExternalTrafficPolicy == "" {
		spec.ExternalTrafficPolicy = v1.ServiceExternalTrafficPolicyCluster
	}
	if spec.InternalTrafficPolicy == nil && slices.Contains(
		[]v1.ServiceType{v1.ServiceTypeClusterIP, v1.ServiceTypeNodePort, v1.ServiceTypeLoadBalancer}, spec.Type) {
		policy := v1.ServiceInternalTrafficPolicyCluster
		spec.InternalTrafficPolicy = &policy
	}
	if spec.Type == v1.ServiceTypeLoadBalancer {
		defaultLoadBalancer(s)
	}
}

func defaultAffinityConfig(spec *v1.ServiceSpec) {
	switch spec.SessionAffinity {
	case v1.ServiceAffinityNone:
		spec.SessionAffinityConfig = nil
	case v1.ServiceAffinityClientIP:
		if c := spec.SessionAffinityConfig; c == nil || c.ClientIP == nil || c.ClientIP.TimeoutSeconds == nil {
			timeout := v1.DefaultClientIPServiceAffinitySeconds
			spec.SessionAffinityConfig = &v1.SessionAffinityConfig{ClientIP: &v1.ClientIPConfig{TimeoutSeconds: &timeout}}
		}
	}
}

func defaultLoadBalancer(s *v1.Service) {
	if s.Spec.AllocateLoadBalancerNodePorts == nil {
		yes := true
		s.Spec.AllocateLoadBalancerNodePorts = &yes
	}
	for i := range s.Status.LoadBalancer.Ingress {
		ingress := &s.Status.LoadBalancer.Ingress[i]
		if ingress.IP != "" && ingress.IPMode == nil {
			mode := v1.LoadBalancerIPModeVIP
			ingress.IPMode = &mode
		}
	}
}

// What the type of a service asks for.

func externallyAccessible(s *v1.Service) bool {
	return s.Spec.Type == v1.ServiceTypeLoadBalancer || s.Spec.Type == v1.ServiceTypeNodePort ||
		s.Spec.Type == v1.ServiceTypeClusterIP && len(s.Spec.ExternalIPs) > 0
}

func headless(s *v1.Service) bool {
	return len(s.Spec.ClusterIPs) == 1 && s.Spec.ClusterIPs[0] == v1.ClusterIPNone
}

func usesClusterIP(s *v1.Service) bool { return s.Spec.Type != v1.ServiceTypeExternalName }

func usesNodePorts(s *v1.Service) bool {
	return s.Spec.Type == v1.ServiceTypeNodePort || s.Spec.Type == v1.ServiceTypeLoadBalancer
}

func usesHealthCheck(s *v1.Service) bool {
	return s.Spec.Type == v1.ServiceTypeLoadBalancer && s.Spec.ExternalTrafficPolicy == v1.ServiceExternalTrafficPolicyLocal
}

// prepareServiceUpdate keeps the status, and clears what a change of type makes
// pointless, if the sender did not touch it: what they did touch is validation's
// to refuse. Kubernetes 1.37 pkg/registry/core/service/strategy.go dropTypeDependentFields.
func prepareServiceUpdate(new, old *v1.Service) {
	new.Status = old.Status
	if usesClusterIP(old) && !usesClusterIP(new) {
		dropClusterIPs(new, old)
	}
	if usesNodePorts(old) && !usesNodePorts(new) && noNewNodePorts(new, old) {
		for i := range new.Spec.Ports {
			new.Spec.Ports[i].NodePort = 0
		}
	}
	if usesHealthCheck(old) && !usesHealthCheck(new) && old.Spec.HealthCheckNodePort == new.Spec.HealthCheckNodePort {
		new.Spec.HealthCheckNodePort = 0
	}
	if old.Spec.Type == v1.ServiceTypeLoadBalancer && new.Spec.Type != v1.ServiceTypeLoadBalancer {
		if a, b := new.Spec.AllocateLoadBalancerNodePorts, old.Spec.AllocateLoadBalancerNodePorts; a != nil && b != nil && *a == *b {
			new.Spec.AllocateLoadBalancerNodePorts = nil
		}
		if ptr.Equal(new.Spec.LoadBalancerClass, old.Spec.LoadBalancerClass) {
			new.Spec.LoadBalancerClass = nil
		}
	}
	if externallyAccessible(old) && !externallyAccessible(new) && old.Spec.ExternalTrafficPolicy == new.Spec.ExternalTrafficPolicy {
		new.Spec.ExternalTrafficPolicy = ""
	}
	if !usesClusterIP(new) {
		new.Spec.InternalTrafficPolicy = nil // storage/storage.go defaultOnReadInternalTrafficPolicy
	}
	if new.Spec.Type != v1.ServiceTypeLoadBalancer {
		new.Status.LoadBalancer = v1.LoadBalancerStatus{}
	}
}

func dropClusterIPs(new, old *v1.Service) {
	if old.Spec.ClusterIP == new.Spec.ClusterIP && slices.Equal(old.Spec.ClusterIPs, new.Spec.ClusterIPs) {
		new.Spec.ClusterIP, new.Spec.ClusterIPs = "", nil
	}
	if slices.Equal(old.Spec.IPFamilies, new.Spec.IPFamilies) {
		new.Spec.IPFamilies = nil
	}
	if ptr.Equal(old.Spec.IPFamilyPolicy, new.Spec.IPFamilyPolicy) {
		new.Spec.IPFamilyPolicy = nil
	}
}

func noNewNodePorts(new, old *v1.Service) bool {
	for _, p := range new.Spec.Ports {
		if p.NodePort != 0 && !slices.Contains(nodePorts(old), p.NodePort) {
			return false
		}
	}
	return true
}

// nodePorts of a service's ports, in their order; the health check's is apart.
func nodePorts(s *v1.Service) []int32 {
	var ports []int32
	for _, p := range s.Spec.Ports {
		if p.NodePort != 0 {
			ports = append(ports, p.NodePort)
		}
	}
	return ports
}
