package apiserver

//lint:file-ignore SA1019 what is deprecated in the API is still served by it

import (
	"fmt"
	"net"
	"slices"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
	"k8s.io/utils/ptr"
)

// Bounds of an EndpointSlice, as Kubernetes 1.37 pkg/apis/discovery/validation
// has them.
const (
	maxSlicePorts     = 20000
	maxSliceEndpoints = 1000
	maxSliceAddresses = 100
	maxSliceHints     = 8
)

// oneOfProtocols: TCP, UDP, SCTP.
func oneOfProtocols(p v1.Protocol, path *field.Path) field.ErrorList {
	return oneOf(p, path, v1.ProtocolSCTP, v1.ProtocolTCP, v1.ProtocolUDP)
}

// invalidFor makes an error of each message.
func invalidFor(path *field.Path, value any, messages []string) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range messages {
		errs = append(errs, field.Invalid(path, value, msg))
	}
	return errs
}

func validateEndpoints(e *v1.Endpoints) field.ErrorList {
	var errs field.ErrorList
	for i := range e.Subsets {
		errs = append(errs, validateEndpointSubset(&e.Subsets[i], field.NewPath("subsets").Index(i))...)
	}
	return errs
}

func validateEndpointsUpdate(new, old *v1.Endpoints) field.ErrorList {
	if apiequality.Semantic.DeepEqual(new.Subsets, old.Subsets) {
		return nil
	}
	return validateEndpoints(new)
}

func validateEndpointSubset(s *v1.EndpointSubset, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.Addresses) == 0 && len(s.NotReadyAddresses) == 0 {
		errs = append(errs, field.Required(path, "must specify `addresses` or `notReadyAddresses`"))
	}
	for i := range s.Addresses {
		errs = append(errs, validateEndpointAddress(&s.Addresses[i], path.Child("addresses").Index(i))...)
	}
	for i := range s.NotReadyAddresses {
		errs = append(errs, validateEndpointAddress(&s.NotReadyAddresses[i], path.Child("notReadyAddresses").Index(i))...)
	}
	for i := range s.Ports {
		errs = append(errs, validateEndpointPort(&s.Ports[i], len(s.Ports) > 1, path.Child("ports").Index(i))...)
	}
	return errs
}

func validateEndpointAddress(a *v1.EndpointAddress, path *field.Path) field.ErrorList {
	errs := validation.IsValidIPForLegacyField(path.Child("ip"), a.IP, true, nil)
	if a.Hostname != "" {
		errs = append(errs, invalidFor(path.Child("hostname"), a.Hostname, validation.IsDNS1123Label(a.Hostname))...)
	}
	if a.NodeName != nil {
		errs = append(errs, invalidFor(path.Child("nodeName"), *a.NodeName, apivalidation.NameIsDNSSubdomain(*a.NodeName, false))...)
	}
	return append(errs, validateEndpointIP(a.IP, path.Child("ip"))...)
}

// validateEndpointIP refuses addresses that no pod of another node could reach.
func validateEndpointIP(address string, path *field.Path) field.ErrorList {
	ip := netutils.ParseIPSloppy(address)
	if ip == nil {
		return field.ErrorList{field.Invalid(path, address, "must be a valid IP address")}
	}
	refused := []struct {
		is  func(net.IP) bool
		why string
	}{
		{net.IP.IsUnspecified, fmt.Sprintf("may not be unspecified (%v)", address)},
		{net.IP.IsLoopback, "may not be in the loopback range (127.0.0.0/8, ::1/128)"},
		{net.IP.IsLinkLocalUnicast, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"},
		{net.IP.IsLinkLocalMulticast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"},
	}
	var errs field.ErrorList
	for _, r := range refused {
		if r.is(ip) {
			errs = append(errs, field.Invalid(path, address, r.why))
		}
	}
	return errs
}

func validateEndpointPort(p *v1.EndpointPort, named bool, path *field.Path) field.ErrorList {
	errs := validatePortName(p.Name, named, path.Child("name"))
	errs = append(errs, invalidFor(path.Child("port"), p.Port, validation.IsValidPortNum(int(p.Port)))...)
	errs = append(errs, oneOfProtocols(p.Protocol, path.Child("protocol"))...)
	return append(errs, validateAppProtocol(p.AppProtocol, path)...)
}

// validatePortName: a port needs a name where there are several.
func validatePortName(name string, named bool, path *field.Path) field.ErrorList {
	switch {
	case name != "":
		return invalidFor(path, name, validation.IsDNS1123Label(name))
	case named:
		return field.ErrorList{field.Required(path, "")}
	}
	return nil
}

func validateAppProtocol(p *string, path *field.Path) field.ErrorList {
	if p == nil {
		return nil
	}
	return invalidFor(path.Child("appProtocol"), *p, validation.IsQualifiedName(*p))
}

func validateEndpointSlice(e *discoveryv1.EndpointSlice) field.ErrorList {
	errs := validateSlicePorts(e.Ports)
	errs = append(errs, validateSliceEndpoints(e)...)
	return append(errs, oneOf(e.AddressType, field.NewPath("addressType"),
		discoveryv1.AddressTypeFQDN, discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6)...)
}

func validateEndpointSliceUpdate(new, old *discoveryv1.EndpointSlice) field.ErrorList {
	errs := validateSlicePorts(new.Ports)
	if !apiequality.Semantic.DeepEqual(new.Endpoints, old.Endpoints) {
		errs = append(errs, validateSliceEndpoints(new)...)
	}
	return append(errs, apivalidation.ValidateImmutableField(new.AddressType, old.AddressType, field.NewPath("addressType"))...)
}

func validateSlicePorts(ports []discoveryv1.EndpointPort) field.ErrorList {
	path := field.NewPath("ports")
	if len(ports) > maxSlicePorts {
		return field.ErrorList{field.TooMany(path, len(ports), maxSlicePorts)}
	}
	var errs field.ErrorList
	seen := map[string]bool{}
	for i, p := range ports {
		at := path.Index(i)
		// Both have a default: they are missing only in what did not come by the stages.
		name, protocol := ptr.Deref(p.Name, ""), ptr.Deref(p.Protocol, "")
		if name != "" {
			errs = append(errs, invalidFor(at.Child("name"), name, validation.IsDNS1123Label(name))...)
		}
		if seen[name] {
			errs = append(errs, field.Duplicate(at.Child("name"), name))
		}
		seen[name] = true
		errs = append(errs, oneOfProtocols(protocol, at.Child("protocol"))...)
		errs = append(errs, validateAppProtocol(p.AppProtocol, at)...)
	}
	return errs
}

func validateSliceEndpoints(e *discoveryv1.EndpointSlice) field.ErrorList {
	path := field.NewPath("endpoints")
	if len(e.Endpoints) > maxSliceEndpoints {
		return field.ErrorList{field.TooMany(path, len(e.Endpoints), maxSliceEndpoints)}
	}
	var errs field.ErrorList
	for i := range e.Endpoints {
		errs = append(errs, validateSliceEndpoint(&e.Endpoints[i], e.AddressType, path.Index(i))...)
	}
	return errs
}

func validateSliceEndpoint(e *discoveryv1.Endpoint, family discoveryv1.AddressType, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	addresses := path.Child("addresses")
	switch n := len(e.Addresses); {
	case n == 0:
		errs = append(errs, field.Required(addresses, ""))
	case n > maxSliceAddresses:
		errs = append(errs, field.TooMany(addresses, n, maxSliceAddresses))
	}
	for i, a := range e.Addresses {
		errs = append(errs, validateSliceAddress(a, family, addresses, i)...)
	}
	if e.NodeName != nil {
		errs = append(errs, invalidFor(path.Child("nodeName"), *e.NodeName, apivalidation.NameIsDNSSubdomain(*e.NodeName, false))...)
	}
	if e.Hostname != nil {
		errs = append(errs, invalidFor(path.Child("hostname"), *e.Hostname, validation.IsDNS1123Label(*e.Hostname))...)
	}
	if e.Hints != nil {
		errs = append(errs, validateSliceHints(e.Hints, path.Child("hints"))...)
	}
	return errs
}

func validateSliceAddress(a string, family discoveryv1.AddressType, path *field.Path, i int) field.ErrorList {
	at := path.Index(i)
	var errs field.ErrorList
	switch family {
	case discoveryv1.AddressTypeIPv4:
		if errs = validation.IsValidIPForLegacyField(at, a, true, nil); len(errs) > 0 {
			return errs
		}
		if !netutils.IsIPv4String(a) {
			errs = append(errs, field.Invalid(path, a, "must be an IPv4 address"))
		}
		return append(errs, validateEndpointIP(a, at)...)
	case discoveryv1.AddressTypeIPv6:
		if errs = validation.IsValidIP(at, a); len(errs) > 0 {
			return errs
		}
		if !netutils.IsIPv6String(a) {
			errs = append(errs, field.Invalid(path, a, "must be an IPv6 address"))
		}
		return append(errs, validateEndpointIP(a, at)...)
	case discoveryv1.AddressTypeFQDN:
		return validation.IsFullyQualifiedDomainName(at, a)
	}
	return nil
}

func validateSliceHints(h *discoveryv1.EndpointHints, path *field.Path) field.ErrorList {
	zones := make([]string, len(h.ForZones))
	for i, z := range h.ForZones {
		zones[i] = z.Name
	}
	nodes := make([]string, len(h.ForNodes))
	for i, n := range h.ForNodes {
		nodes[i] = n.Name
	}
	isNode := func(name string) []string { return apivalidation.NameIsDNSSubdomain(name, false) }
	errs := validateHintNames(zones, path.Child("forZones"), validation.IsValidLabelValue)
	return append(errs, validateHintNames(nodes, path.Child("forNodes"), isNode)...)
}

func validateHintNames(names []string, path *field.Path, valid func(string) []string) field.ErrorList {
	if len(names) > maxSliceHints {
		return field.ErrorList{field.TooMany(path, len(names), maxSliceHints)}
	}
	var errs field.ErrorList
	for i, name := range names {
		at := path.Index(i).Child("name")
		if slices.Contains(names[:i], name) {
			errs = append(errs, field.Duplicate(at, name))
		}
		errs = append(errs, invalidFor(at, name, valid(name))...)
	}
	return errs
}
