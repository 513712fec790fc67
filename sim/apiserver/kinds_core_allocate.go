package apiserver

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// What a service draws from: --service-cluster-ip-range and
// --service-node-port-range. The cluster has one family, IPv4. The low part of
// each range is for those who ask for a number by name; the server itself hands
// out the rest first (KEP-3070, KEP-3668).
const (
	serviceNetwork    = "10.96.0.0/16"
	serviceAddresses  = 1 << 16
	firstDrawnAddress = 256 // min(max(16, 65536/16), 256)

	firstNodePort  = 30000
	lastNodePort   = 32767
	firstDrawnPort = firstNodePort + (lastNodePort-firstNodePort+1)/32
)

// taken is what other services hold.
type taken struct {
	addresses map[string]bool
	ports     map[int32]bool
}

func takenBy(services iter.Seq[*v1.Service], except *v1.Service) taken {
	t := taken{map[string]bool{}, map[int32]bool{}}
	for s := range services {
		if s.Namespace == except.Namespace && s.Name == except.Name {
			continue
		}
		for _, ip := range s.Spec.ClusterIPs {
			t.addresses[ip] = true
		}
		for _, p := range nodePorts(s) {
			t.ports[p] = true
		}
		if p := s.Spec.HealthCheckNodePort; p != 0 {
			t.ports[p] = true
		}
	}
	return t
}

// allocateService gives a service its address and node ports: those it asks for,
// if nobody has them, or others at random. old is nil at creation; services are
// all that exist, itself included or not. intn is a number in [0, n).
//
// It comes before validation, as in Kubernetes 1.37 pkg/registry/core/service/storage.
func allocateService(new, old *v1.Service, services iter.Seq[*v1.Service], intn func(n int) int) field.ErrorList {
	if old != nil {
		keepAllocated(new, old)
	}
	alignClusterIPs(new, old)
	if errs := initFamilies(new, old); len(errs) > 0 {
		return errs
	}
	t := takenBy(services, new)
	if errs := allocateAddress(new, old, t, intn); len(errs) > 0 {
		return errs
	}
	if usesNodePorts(new) {
		if errs := allocateNodePorts(new, old, t, intn); len(errs) > 0 {
			return errs
		}
	}
	if usesHealthCheck(new) && (old == nil || !usesHealthCheck(old)) {
		return allocateHealthCheck(new, t, intn)
	}
	return nil
}

// keepAllocated lets a manifest without addresses be applied again.
func keepAllocated(new, old *v1.Service) {
	if usesClusterIP(old) && usesClusterIP(new) {
		if new.Spec.ClusterIP == "" {
			new.Spec.ClusterIP = old.Spec.ClusterIP
		}
		if len(new.Spec.ClusterIPs) == 0 {
			new.Spec.ClusterIPs = slices.Clone(old.Spec.ClusterIPs)
		}
	}
	if drawsNodePorts(old) && drawsNodePorts(new) {
		keepNodePorts(new, old)
	}
	if usesHealthCheck(old) && usesHealthCheck(new) && new.Spec.HealthCheckNodePort == 0 {
		new.Spec.HealthCheckNodePort = old.Spec.HealthCheckNodePort
	}
}

// keepNodePorts finds a port's number again by its name.
func keepNodePorts(new, old *v1.Service) {
	named := map[string]int32{}
	for _, p := range old.Spec.Ports {
		named[p.Name] = p.NodePort
	}
	asked := nodePorts(new)
	for i := range new.Spec.Ports {
		p := &new.Spec.Ports[i]
		if was := named[p.Name]; p.NodePort == 0 && !slices.Contains(asked, was) {
			p.NodePort = was
		}
	}
}

// drawsNodePorts: a load balancer may do without.
func drawsNodePorts(s *v1.Service) bool {
	allocate := s.Spec.AllocateLoadBalancerNodePorts
	return usesNodePorts(s) && (s.Spec.Type == v1.ServiceTypeNodePort || allocate == nil || *allocate)
}

// alignClusterIPs makes clusterIPs follow clusterIP for senders that know only
// the one.
func alignClusterIPs(new, old *v1.Service) {
	spec := &new.Spec
	if old == nil {
		if spec.ClusterIP != "" && len(spec.ClusterIPs) == 0 {
			spec.ClusterIPs = []string{spec.ClusterIP}
		}
		return
	}
	if len(spec.ClusterIPs) == 0 && spec.ClusterIP == old.Spec.ClusterIP {
		spec.ClusterIPs = slices.Clone(old.Spec.ClusterIPs)
	}
	if spec.ClusterIP == old.Spec.ClusterIP || !slices.Equal(spec.ClusterIPs, old.Spec.ClusterIPs) {
		return
	}
	spec.ClusterIPs = nil
	if spec.ClusterIP != "" {
		spec.ClusterIPs = []string{spec.ClusterIP}
	}
}

// initFamilies settles ipFamilyPolicy and ipFamilies.
func initFamilies(new, old *v1.Service) field.ErrorList {
	spec := &new.Spec
	if spec.Type == v1.ServiceTypeExternalName {
		return nil
	}
	noSelector := spec.ClusterIP == v1.ClusterIPNone && len(spec.Selector) == 0
	if spec.IPFamilyPolicy == nil {
		policy := v1.IPFamilyPolicySingleStack
		switch {
		case old != nil && old.Spec.IPFamilyPolicy != nil:
			policy = *old.Spec.IPFamilyPolicy
		case noSelector:
			// Nobody knows the families of the endpoints that will be added by hand.
			policy = v1.IPFamilyPolicyRequireDualStack
		}
		spec.IPFamilyPolicy = &policy
	}
	if errs := validateClusterIPs(new, old); len(errs) > 0 {
		return errs
	}
	if errs := familiesFit(new); len(errs) > 0 {
		return errs
	}
	if len(spec.IPFamilies) == 0 {
		spec.IPFamilies = []v1.IPFamily{v1.IPv4Protocol}
	}
	if noSelector && len(spec.IPFamilies) == 1 && !singleStack(new) {
		other := v1.IPv6Protocol
		if spec.IPFamilies[0] == v1.IPv6Protocol {
			other = v1.IPv4Protocol
		}
		spec.IPFamilies = append(spec.IPFamilies, other)
	}
	return nil
}

// familiesFit refuses what a cluster of one family cannot give.
func familiesFit(s *v1.Service) field.ErrorList {
	var errs field.ErrorList
	policy := field.NewPath("spec", "ipFamilyPolicy")
	if singleStack(s) {
		const must = "must be 'RequireDualStack' or 'PreferDualStack' when multiple %s are specified"
		if len(s.Spec.ClusterIPs) == 2 {
			errs = append(errs, field.Invalid(policy, s.Spec.IPFamilyPolicy, fmt.Sprintf(must, "cluster IPs")))
		}
		if len(s.Spec.IPFamilies) == 2 {
			errs = append(errs, field.Invalid(policy, s.Spec.IPFamilyPolicy, fmt.Sprintf(must, "IP families")))
		}
	}
	for i, ip := range s.Spec.ClusterIPs {
		if i >= len(s.Spec.IPFamilies) && netutils.IsIPv6String(ip) {
			errs = append(errs, field.Invalid(field.NewPath("spec", "clusterIPs").Index(i), s.Spec.ClusterIPs,
				fmt.Sprintf("%s is not configured on this cluster", v1.IPv6Protocol)))
		}
	}
	if len(errs) > 0 || s.Spec.ClusterIP == v1.ClusterIPNone && len(s.Spec.Selector) == 0 {
		return errs
	}
	if *s.Spec.IPFamilyPolicy == v1.IPFamilyPolicyRequireDualStack {
		errs = append(errs, field.Invalid(policy, s.Spec.IPFamilyPolicy, "this cluster is not configured for dual-stack services"))
	}
	for i, family := range s.Spec.IPFamilies {
		if family != v1.IPv4Protocol {
			errs = append(errs, field.Invalid(field.NewPath("spec", "ipFamilies").Index(i), family, "not configured on this cluster"))
		}
	}
	return errs
}

func allocateAddress(new, old *v1.Service, t taken, intn func(int) int) field.ErrorList {
	if !usesClusterIP(new) || headless(new) || old != nil && usesClusterIP(old) {
		return nil
	}
	spec := &new.Spec
	path := field.NewPath("spec", "clusterIPs")
	if len(spec.ClusterIPs) > 0 {
		if why := addressRefused(spec.ClusterIPs[0], t); why != "" {
			return field.ErrorList{field.Invalid(path, spec.ClusterIPs, fmt.Sprintf("failed to allocate IP %v: %v", spec.ClusterIPs[0], why))}
		}
		return nil
	}
	ip, ok := drawAddress(t, intn)
	if !ok {
		return field.ErrorList{field.InternalError(path, fmt.Errorf("failed to allocate a serviceIP for Service %q: range is full", new.Name))}
	}
	spec.ClusterIP, spec.ClusterIPs = ip, []string{ip}
	return nil
}

func addressRefused(ip string, t taken) string {
	network := netip.MustParsePrefix(serviceNetwork)
	address, err := netip.ParseAddr(ip)
	if err != nil || !network.Contains(address) {
		return "the provided network does not match the current range"
	}
	if address == network.Addr() || address == addressAt(serviceAddresses-1) {
		return fmt.Sprintf("the provided IP (%v) is not in the valid range. The range of valid IPs is %s", ip, serviceNetwork)
	}
	if t.addresses[ip] {
		return "provided IP is already allocated"
	}
	return ""
}

// addressAt is the nth address of the service network.
func addressAt(n int) netip.Addr {
	b := netip.MustParsePrefix(serviceNetwork).Addr().As4()
	b[2], b[3] = byte(n>>8), byte(n)
	return netip.AddrFrom4(b)
}

func drawAddress(t taken, intn func(int) int) (string, bool) {
	n, ok := draw(1, firstDrawnAddress, serviceAddresses-2, intn, func(n int) bool { return t.addresses[addressAt(n).String()] })
	return addressAt(n).String(), ok
}

func drawPort(t taken, intn func(int) int) (int32, bool) {
	n, ok := draw(firstNodePort, firstDrawnPort, lastNodePort, intn, func(n int) bool { return t.ports[int32(n)] })
	return int32(n), ok
}

// draw is a free number from lower to last; when none is left, one from first to
// lower. From a random place on, the first that is free.
func draw(first, lower, last int, intn func(int) int, used func(int) bool) (int, bool) {
	for _, span := range [][2]int{{lower, last}, {first, lower - 1}} {
		size := span[1] - span[0] + 1
		start := intn(size)
		for i := range size {
			if n := span[0] + (start+i)%size; !used(n) {
				return n, true
			}
		}
	}
	return 0, false
}

func allocateNodePorts(new, old *v1.Service, t taken, intn func(int) int) field.ErrorList {
	// Two protocols on one port share its node port, in a service that is new.
	asked, granted := map[int32]int32{}, map[int32]int32{}
	for _, p := range new.Spec.Ports {
		if old == nil && p.NodePort != 0 && asked[p.Port] == 0 {
			asked[p.Port] = p.NodePort
		}
	}
	for i := range new.Spec.Ports {
		p, path := &new.Spec.Ports[i], field.NewPath("spec", "ports").Index(i).Child("nodePort")
		if p.NodePort == 0 && !drawsNodePorts(new) {
			continue
		}
		want := cmp.Or(p.NodePort, granted[p.Port], asked[p.Port])
		if want == 0 {
			n, ok := drawPort(t, intn)
			if !ok {
				return field.ErrorList{field.InternalError(path, errors.New("failed to allocate a nodePort: range is full"))}
			}
			want = n
		} else if why := portRefused(want, t); why != "" && granted[p.Port] != want && !holds(old, want) {
			return field.ErrorList{field.Invalid(path, want, why)}
		}
		p.NodePort, t.ports[want] = want, true
		if old == nil {
			granted[p.Port] = cmp.Or(granted[p.Port], want)
		}
	}
	return nil
}

func holds(s *v1.Service, port int32) bool { return s != nil && slices.Contains(nodePorts(s), port) }

func portRefused(port int32, t taken) string {
	switch {
	case port < firstNodePort || port > lastNodePort:
		return fmt.Sprintf("provided port is not in the valid range. The range of valid ports is %d-%d", firstNodePort, lastNodePort)
	case t.ports[port]:
		return "provided port is already allocated"
	}
	return ""
}

func allocateHealthCheck(s *v1.Service, t taken, intn func(int) int) field.ErrorList {
	path := field.NewPath("spec", "healthCheckNodePort")
	for _, p := range nodePorts(s) {
		t.ports[p] = true
	}
	if port := s.Spec.HealthCheckNodePort; port != 0 {
		if why := portRefused(port, t); why != "" {
			return field.ErrorList{field.InternalError(path, fmt.Errorf("failed to allocate requested HealthCheck NodePort %v: %v", port, why))}
		}
		return nil
	}
	port, ok := drawPort(t, intn)
	if !ok {
		return field.ErrorList{field.InternalError(path, fmt.Errorf("failed to allocate a HealthCheck NodePort %v: range is full", 0))}
	}
	s.Spec.HealthCheckNodePort = port
	return nil
}
