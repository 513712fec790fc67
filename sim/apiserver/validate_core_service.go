package apiserver

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
	"k8s.io/utils/ptr"
)

// validateService, as Kubernetes 1.37 pkg/apis/core/validation validateService.
func validateService(s *v1.Service) field.ErrorList { return validateServiceFrom(s, nil) }

func validateServiceUpdate(new, old *v1.Service) field.ErrorList {
	errs := validateClusterIPChange(new, old)
	errs = append(errs, validateFamilyChange(new, old)...)
	spec := field.NewPath("spec")
	if old.Spec.Type == v1.ServiceTypeLoadBalancer && new.Spec.Type == v1.ServiceTypeLoadBalancer &&
		!ptr.Equal(old.Spec.LoadBalancerClass, new.Spec.LoadBalancerClass) {
		errs = append(errs, field.Invalid(spec.Child("loadBalancerClass"), new.Spec.LoadBalancerClass, "may not change once set"))
	}
	errs = append(errs, validateLoadBalancerClass(new)...)
	if usesHealthCheck(old) && usesHealthCheck(new) && old.Spec.HealthCheckNodePort != new.Spec.HealthCheckNodePort {
		errs = append(errs, field.Forbidden(spec.Child("healthCheckNodePort"), "field is immutable"))
	}
	return append(errs, validateServiceFrom(new, old)...)
}

func validateServiceFrom(s, old *v1.Service) field.ErrorList {
	spec := field.NewPath("spec")
	errs := validateServiceType(s)
	errs = append(errs, validateServicePorts(s)...)
	for _, key := range slices.Sorted(maps.Keys(s.Spec.Selector)) {
		one := map[string]string{key: s.Spec.Selector[key]}
		errs = append(errs, metav1validation.ValidateLabels(one, spec.Child("selector"))...)
	}
	errs = append(errs, validateSessionAffinity(s)...)
	errs = append(errs, validateClusterIPs(s, old)...)
	errs = append(errs, validateExternalIPs(s, old)...)
	errs = append(errs, oneOf(s.Spec.Type, spec.Child("type"),
		v1.ServiceTypeClusterIP, v1.ServiceTypeExternalName, v1.ServiceTypeLoadBalancer, v1.ServiceTypeNodePort)...)
	errs = append(errs, validateNodePorts(s)...)
	errs = append(errs, validateLoadBalancer(s, old)...)
	errs = append(errs, validateLoadBalancerClass(s)...)
	return append(errs, validateTrafficPolicies(s)...)
}

// validateServiceType is what each type asks for or forbids.
func validateServiceType(s *v1.Service) field.ErrorList {
	var errs field.ErrorList
	spec := field.NewPath("spec")
	if len(s.Spec.Ports) == 0 && !headless(s) && s.Spec.Type != v1.ServiceTypeExternalName {
		errs = append(errs, field.Required(spec.Child("ports"), ""))
	}
	switch s.Spec.Type {
	case v1.ServiceTypeLoadBalancer, v1.ServiceTypeNodePort:
		if headless(s) {
			errs = append(errs, field.Invalid(spec.Child("clusterIPs").Index(0), s.Spec.ClusterIPs[0],
				fmt.Sprintf("may not be set to 'None' for %s services", s.Spec.Type)))
		}
	case v1.ServiceTypeExternalName:
		errs = append(errs, validateExternalName(s)...)
	}
	return errs
}

func validateExternalName(s *v1.Service) field.ErrorList {
	var errs field.ErrorList
	spec := field.NewPath("spec")
	const never = "may not be set for ExternalName services"
	if len(s.Spec.ClusterIPs) > 0 {
		errs = append(errs, field.Forbidden(spec.Child("clusterIPs"), never))
	}
	if len(s.Spec.IPFamilies) > 0 {
		errs = append(errs, field.Forbidden(spec.Child("ipFamilies"), never))
	}
	if s.Spec.IPFamilyPolicy != nil {
		errs = append(errs, field.Forbidden(spec.Child("ipFamilyPolicy"), never))
	}
	// A trailing dot marks the name as fully qualified.
	name := strings.TrimSuffix(s.Spec.ExternalName, ".")
	if name == "" {
		return append(errs, field.Required(spec.Child("externalName"), ""))
	}
	return append(errs, invalidFor(spec.Child("externalName"), name, validation.IsDNS1123Subdomain(name))...)
}

func validateServicePorts(s *v1.Service) field.ErrorList {
	var errs field.ErrorList
	names := map[string]bool{}
	for i := range s.Spec.Ports {
		p, path := &s.Spec.Ports[i], field.NewPath("spec", "ports").Index(i)
		errs = append(errs, validatePortName(p.Name, len(s.Spec.Ports) > 1, path.Child("name"))...)
		if p.Name != "" && names[p.Name] {
			errs = append(errs, field.Duplicate(path.Child("name"), p.Name))
		}
		names[p.Name] = true
		errs = append(errs, invalidFor(path.Child("port"), p.Port, validation.IsValidPortNum(int(p.Port)))...)
		errs = append(errs, oneOfProtocols(p.Protocol, path.Child("protocol"))...)
		errs = append(errs, validateTargetPort(p.TargetPort, path.Child("targetPort"))...)
		errs = append(errs, validateAppProtocol(p.AppProtocol, path)...)
	}
	return errs
}

func validateTargetPort(p intstr.IntOrString, path *field.Path) field.ErrorList {
	if p.Type == intstr.String {
		return invalidFor(path, p.StrVal, validation.IsValidPortName(p.StrVal))
	}
	return invalidFor(path, p.IntValue(), validation.IsValidPortNum(p.IntValue()))
}

func validateSessionAffinity(s *v1.Service) field.ErrorList {
	spec := field.NewPath("spec")
	path := spec.Child("sessionAffinityConfig")
	errs := oneOf(s.Spec.SessionAffinity, spec.Child("sessionAffinity"), v1.ServiceAffinityClientIP, v1.ServiceAffinityNone)
	switch s.Spec.SessionAffinity {
	case v1.ServiceAffinityNone:
		if s.Spec.SessionAffinityConfig != nil {
			errs = append(errs, field.Forbidden(path, fmt.Sprintf("must not be set when session affinity is %s", v1.ServiceAffinityNone)))
		}
	case v1.ServiceAffinityClientIP:
		errs = append(errs, validateClientIP(s.Spec.SessionAffinityConfig, path)...)
	}
	return errs
}

func validateClientIP(c *v1.SessionAffinityConfig, path *field.Path) field.ErrorList {
	// Longest stickiness of a client to a pod, in seconds: a day.
	const longest = 86400
	when := fmt.Sprintf("when session affinity type is %s", v1.ServiceAffinityClientIP)
	switch {
	case c == nil:
		return field.ErrorList{field.Required(path, when)}
	case c.ClientIP == nil:
		return field.ErrorList{field.Required(path.Child("clientIP"), when)}
	}
	path = path.Child("clientIP", "timeoutSeconds")
	switch t := c.ClientIP.TimeoutSeconds; {
	case t == nil:
		return field.ErrorList{field.Required(path, when)}
	case *t <= 0 || *t > longest:
		return field.ErrorList{field.Invalid(path, t, fmt.Sprintf("must be greater than 0 and less than %d", longest))}
	}
	return nil
}

func validateExternalIPs(s, old *v1.Service) field.ErrorList {
	var errs field.ErrorList
	var before []string
	if old != nil {
		before = old.Spec.ExternalIPs
	}
	for i, ip := range s.Spec.ExternalIPs {
		path := field.NewPath("spec", "externalIPs").Index(i)
		if bad := validation.IsValidIPForLegacyField(path, ip, true, before); len(bad) > 0 {
			errs = append(errs, bad...)
			continue
		}
		errs = append(errs, validateEndpointIP(ip, path)...)
	}
	return errs
}

// portShown is a service port as the messages of the real server show it: with
// the field names of its internal type.
type portShown struct {
	Name        string
	Protocol    v1.Protocol
	AppProtocol *string
	Port        int32
	TargetPort  intstr.IntOrString
	NodePort    int32
}

// validateNodePorts: none for a ClusterIP service, and no port or node port
// twice for a protocol.
func validateNodePorts(s *v1.Service) field.ErrorList {
	var forbidden, nodes, twice field.ErrorList
	type key struct {
		protocol v1.Protocol
		port     int32
	}
	seenNode, seen := map[key]bool{}, map[key]bool{}
	for i, p := range s.Spec.Ports {
		path := field.NewPath("spec", "ports").Index(i)
		if p.NodePort != 0 {
			if s.Spec.Type == v1.ServiceTypeClusterIP {
				forbidden = append(forbidden, field.Forbidden(path.Child("nodePort"), "may not be used when `type` is 'ClusterIP'"))
			}
			k := key{p.Protocol, p.NodePort}
			if seenNode[k] {
				nodes = append(nodes, field.Duplicate(path.Child("nodePort"), p.NodePort))
			}
			seenNode[k] = true
		}
		k := key{p.Protocol, p.Port}
		if seen[k] {
			twice = append(twice, field.Duplicate(path, portShown{Protocol: p.Protocol, Port: p.Port}))
		}
		seen[k] = true
	}
	return slices.Concat(forbidden, nodes, twice)
}

func validateLoadBalancer(s, old *v1.Service) field.ErrorList {
	var errs field.ErrorList
	isLB := s.Spec.Type == v1.ServiceTypeLoadBalancer
	const only = "may only be used when `type` is 'LoadBalancer'"
	if ranges := s.Spec.LoadBalancerSourceRanges; len(ranges) > 0 {
		path := field.NewPath("spec", "LoadBalancerSourceRanges")
		if !isLB {
			errs = append(errs, field.Forbidden(path, only))
		}
		var before []string
		if old != nil {
			for _, r := range old.Spec.LoadBalancerSourceRanges {
				before = append(before, strings.TrimSpace(r))
			}
		}
		for i, r := range ranges {
			errs = append(errs, validation.IsValidCIDRForLegacyField(path.Index(i), strings.TrimSpace(r), true, before)...)
		}
	}
	allocate := s.Spec.AllocateLoadBalancerNodePorts
	if allocate != nil && !isLB {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "allocateLoadBalancerNodePorts"), only))
	}
	if allocate == nil && isLB {
		errs = append(errs, field.Required(field.NewPath("allocateLoadBalancerNodePorts"), ""))
	}
	return errs
}

func validateLoadBalancerClass(s *v1.Service) field.ErrorList {
	class, path := s.Spec.LoadBalancerClass, field.NewPath("spec", "loadBalancerClass")
	switch {
	case class == nil:
		return nil
	case s.Spec.Type != v1.ServiceTypeLoadBalancer:
		return field.ErrorList{field.Forbidden(path, "may only be used when `type` is 'LoadBalancer'")}
	}
	return invalidFor(path, *class, validation.IsQualifiedName(*class))
}

func validateTrafficPolicies(s *v1.Service) field.ErrorList {
	var errs field.ErrorList
	spec := field.NewPath("spec")
	external := spec.Child("externalTrafficPolicy")
	if externallyAccessible(s) {
		errs = append(errs, oneOf(s.Spec.ExternalTrafficPolicy, external,
			v1.ServiceExternalTrafficPolicyCluster, v1.ServiceExternalTrafficPolicyLocal)...)
	} else if s.Spec.ExternalTrafficPolicy != "" {
		errs = append(errs, field.Invalid(external, s.Spec.ExternalTrafficPolicy, "may only be set for externally-accessible services"))
	}
	errs = append(errs, validateHealthCheckPort(s)...)
	if p := s.Spec.InternalTrafficPolicy; p != nil {
		errs = append(errs, oneOf(*p, spec.Child("internalTrafficPolicy"),
			v1.ServiceInternalTrafficPolicyCluster, v1.ServiceInternalTrafficPolicyLocal)...)
	} else if s.Spec.Type == v1.ServiceTypeClusterIP || usesNodePorts(s) {
		errs = append(errs, field.Required(spec.Child("internalTrafficPolicy"), ""))
	}
	if d := s.Spec.TrafficDistribution; d != nil {
		known := []string{v1.ServiceTrafficDistributionPreferClose, v1.ServiceTrafficDistributionPreferSameZone, v1.ServiceTrafficDistributionPreferSameNode}
		if !slices.Contains(known, *d) {
			errs = append(errs, field.NotSupported(spec.Child("trafficDistribution"), *d, known))
		}
	}
	return errs
}

func validateHealthCheckPort(s *v1.Service) field.ErrorList {
	port, path := s.Spec.HealthCheckNodePort, field.NewPath("spec", "healthCheckNodePort")
	switch {
	case !usesHealthCheck(s) && port != 0:
		return field.ErrorList{field.Invalid(path, port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")}
	case usesHealthCheck(s) && port == 0:
		return field.ErrorList{field.Required(path, "")}
	case usesHealthCheck(s):
		return invalidFor(path, port, validation.IsValidPortNum(int(port)))
	}
	return nil
}

func validateServiceStatus(new, old *v1.Service) field.ErrorList {
	path := field.NewPath("status", "loadBalancer", "ingress")
	if new.Spec.Type != v1.ServiceTypeLoadBalancer {
		if len(new.Status.LoadBalancer.Ingress) > 0 {
			return field.ErrorList{field.Forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")}
		}
		return nil
	}
	var errs field.ErrorList
	var before []string
	for _, i := range old.Status.LoadBalancer.Ingress {
		before = append(before, i.IP)
	}
	for i := range new.Status.LoadBalancer.Ingress {
		errs = append(errs, validateIngress(&new.Status.LoadBalancer.Ingress[i], before, path.Index(i))...)
	}
	return errs
}

func validateIngress(i *v1.LoadBalancerIngress, before []string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if i.IP != "" {
		errs = validation.IsValidIPForLegacyField(path.Child("ip"), i.IP, true, before)
	}
	mode := path.Child("ipMode")
	switch {
	case i.IPMode == nil && i.IP != "":
		errs = append(errs, field.Required(mode, "must be specified when `ip` is set"))
	case i.IPMode != nil && i.IP == "":
		errs = append(errs, field.Forbidden(mode, "may not be specified when `ip` is not set"))
	case i.IPMode != nil:
		errs = append(errs, oneOf(*i.IPMode, mode, v1.LoadBalancerIPModeProxy, v1.LoadBalancerIPModeVIP)...)
	}
	if i.Hostname != "" {
		errs = append(errs, invalidFor(path.Child("hostname"), i.Hostname, validation.IsDNS1123Subdomain(i.Hostname))...)
		if netutils.ParseIPSloppy(i.Hostname) != nil {
			errs = append(errs, field.Invalid(path.Child("hostname"), i.Hostname, "must be a DNS name, not an IP address"))
		}
	}
	return errs
}
