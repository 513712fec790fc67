package apiserver

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The rows of network policies and ingresses, with what the API refuses of them (Kubernetes 1.37
// pkg/apis/networking). They are stored and no more: there is no network here that would obey them.

func networkPolicyResource() Resource {
	return Resource{
		GroupVersionResource: networkingv1.SchemeGroupVersion.WithResource("networkpolicies"),
		Kind:                 "NetworkPolicy",
		Singular:             "networkpolicy",
		ShortNames:           []string{"netpol"},
		Namespaced:           true,
		KeyPrefix:            "/registry/networkpolicies",
		New:                  func() Object { return &networkingv1.NetworkPolicy{} },
		NewList:              func() runtime.Object { return &networkingv1.NetworkPolicyList{} },

		Default:          act(defaultNetworkPolicy),
		PrepareForCreate: act(func(p *networkingv1.NetworkPolicy) { p.Generation = 1 }),
		PrepareForUpdate: actFrom(func(p, old *networkingv1.NetworkPolicy) {
			if !equality.Semantic.DeepEqual(p.Spec, old.Spec) {
				p.Generation = old.Generation + 1
			}
		}),
		Validate:       check(validateNetworkPolicy),
		ValidateUpdate: checkFrom(func(p, _ *networkingv1.NetworkPolicy) field.ErrorList { return validateNetworkPolicy(p) }),

		Columns: []metav1.TableColumnDefinition{
			nameColumn(), column("Pod-Selector", "string", networkingv1.NetworkPolicySpec{}.SwaggerDoc()["podSelector"]), ageColumn(),
		},
		Cells: cells(func(p *networkingv1.NetworkPolicy, now time.Time) []any {
			return []any{p.Name, metav1.FormatLabelSelector(&p.Spec.PodSelector), age(p.CreationTimestamp, now)}
		}),
		Unconditional: true,
	}
}

func ingressResource() Resource {
	return Resource{
		GroupVersionResource: networkingv1.SchemeGroupVersion.WithResource("ingresses"),
		Kind:                 "Ingress",
		Singular:             "ingress",
		ShortNames:           []string{"ing"},
		Namespaced:           true,
		KeyPrefix:            "/registry/ingress",
		New:                  func() Object { return &networkingv1.Ingress{} },
		NewList:              func() runtime.Object { return &networkingv1.IngressList{} },
		Subresources:         []string{"status"},

		Default: func(Object) {},
		PrepareForCreate: act(func(i *networkingv1.Ingress) {
			i.Status, i.Generation = networkingv1.IngressStatus{}, 1
		}),
		PrepareForUpdate: actFrom(func(i, old *networkingv1.Ingress) {
			i.Status = old.Status
			if !equality.Semantic.DeepEqual(i.Spec, old.Spec) {
				i.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate: actFrom(func(i, old *networkingv1.Ingress) { i.Spec = old.Spec }),
		Validate:               check(validateIngressObject),
		ValidateUpdate:         checkFrom(func(i, _ *networkingv1.Ingress) field.ErrorList { return validateIngressSpec(&i.Spec) }),

		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			column("Class", "string", "The name of the IngressClass resource that should be used for additional configuration"),
			column("Hosts", "string", "Hosts that incoming requests are matched against before the ingress rule"),
			column("Address", "string", "Address is a list containing ingress points for the load-balancer"),
			column("Ports", "string", "Ports of TLS configurations that open"),
			ageColumn(),
		},
		Cells:         cells(ingressCells),
		Unconditional: true,
	}
}

func ingressClassResource() Resource {
	return Resource{
		GroupVersionResource: networkingv1.SchemeGroupVersion.WithResource("ingressclasses"),
		Kind:                 "IngressClass",
		Singular:             "ingressclass",
		KeyPrefix:            "/registry/ingressclasses",
		New:                  func() Object { return &networkingv1.IngressClass{} },
		NewList:              func() runtime.Object { return &networkingv1.IngressClassList{} },

		Default: act(func(c *networkingv1.IngressClass) {
			if p := c.Spec.Parameters; p != nil {
				orElsePtr(&p.Scope, networkingv1.IngressClassParametersReferenceScopeCluster)
			}
		}),
		PrepareForCreate: act(func(c *networkingv1.IngressClass) { c.Generation = 1 }),
		PrepareForUpdate: actFrom(func(c, old *networkingv1.IngressClass) {
			if !equality.Semantic.DeepEqual(c.Spec, old.Spec) {
				c.Generation = old.Generation + 1
			}
		}),
		Validate: check(validateIngressClass),
		ValidateUpdate: checkFrom(func(c, old *networkingv1.IngressClass) field.ErrorList {
			return apivalidation.ValidateImmutableField(c.Spec.Controller, old.Spec.Controller, field.NewPath("spec", "controller"))
		}),

		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			column("Controller", "string", "Controller that is responsible for handling this class"),
			column("Parameters", "string", "A reference to a resource with additional parameters"),
			ageColumn(),
		},
		Cells:         cells(ingressClassCells),
		Unconditional: true,
	}
}

func defaultNetworkPolicy(p *networkingv1.NetworkPolicy) {
	s := &p.Spec
	if len(s.PolicyTypes) == 0 {
		s.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		if len(s.Egress) > 0 {
			s.PolicyTypes = append(s.PolicyTypes, networkingv1.PolicyTypeEgress)
		}
	}
	tcp := func(ports []networkingv1.NetworkPolicyPort) {
		for i := range ports {
			orElsePtr(&ports[i].Protocol, v1.ProtocolTCP)
		}
	}
	for i := range s.Ingress {
		tcp(s.Ingress[i].Ports)
	}
	for i := range s.Egress {
		tcp(s.Egress[i].Ports)
	}
}

func validateNetworkPolicy(p *networkingv1.NetworkPolicy) field.ErrorList {
	var f findings
	at := field.NewPath("spec")
	f.labelSelector(at.Child("podSelector"), &p.Spec.PodSelector)
	for i, r := range p.Spec.Ingress {
		f.policyRule(at.Child("ingress").Index(i), r.Ports, "from", r.From)
	}
	for i, r := range p.Spec.Egress {
		f.policyRule(at.Child("egress").Index(i), r.Ports, "to", r.To)
	}
	types := at.Child("policyTypes")
	if len(p.Spec.PolicyTypes) > 2 {
		f.invalid(types, p.Spec.PolicyTypes, "may not specify more than two policyTypes")
		return f.errs
	}
	for i, t := range p.Spec.PolicyTypes {
		among(&f, types.Index(i), t, networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)
	}
	return f.errs
}

func (f *findings) policyRule(at *field.Path, ports []networkingv1.NetworkPolicyPort, side string, peers []networkingv1.NetworkPolicyPeer) {
	for i := range ports {
		f.policyPort(at.Child("ports").Index(i), &ports[i])
	}
	for i := range peers {
		peer, at := &peers[i], at.Child(side).Index(i)
		n := 0
		if peer.PodSelector != nil {
			n++
			f.labelSelector(at.Child("podSelector"), peer.PodSelector)
		}
		if peer.NamespaceSelector != nil {
			n++
			f.labelSelector(at.Child("namespaceSelector"), peer.NamespaceSelector)
		}
		if peer.IPBlock != nil {
			n++
			f.ipBlock(at.Child("ipBlock"), peer.IPBlock)
		}
		if n == 0 {
			f.required(at, "must specify a peer")
		} else if n > 1 && peer.IPBlock != nil {
			f.forbidden(at, "may not specify both ipBlock and another peer")
		}
	}
}

func (f *findings) policyPort(at *field.Path, p *networkingv1.NetworkPolicyPort) {
	optionalAmong(f, at.Child("protocol"), p.Protocol, v1.ProtocolTCP, v1.ProtocolUDP, v1.ProtocolSCTP)
	end := at.Child("endPort")
	switch {
	case p.Port == nil:
		if p.EndPort != nil {
			f.invalid(end, *p.EndPort, "may not be specified when `port` is not specified")
		}
	case p.Port.Type == intstr.Int:
		f.invalidFor(at.Child("port"), p.Port.IntVal, validation.IsValidPortNum(int(p.Port.IntVal)))
		if p.EndPort != nil {
			if *p.EndPort < p.Port.IntVal {
				f.invalid(end, *p.EndPort, "must be greater than or equal to `port`")
			}
			f.invalidFor(end, *p.EndPort, validation.IsValidPortNum(int(*p.EndPort)))
		}
	default:
		if p.EndPort != nil {
			f.invalid(end, *p.EndPort, "may not be specified when `port` is non-numeric")
		}
		f.invalidFor(at.Child("port"), p.Port.StrVal, validation.IsValidPortName(p.Port.StrVal))
	}
}

func (f *findings) ipBlock(at *field.Path, b *networkingv1.IPBlock) {
	if b.CIDR == "" {
		f.required(at.Child("cidr"), "")
		return
	}
	f.add(validation.IsValidCIDRForLegacyField(at.Child("cidr"), b.CIDR, true, nil)...)
	whole, err := netip.ParsePrefix(b.CIDR)
	if err != nil {
		return
	}
	for i, text := range b.Except {
		at := at.Child("except").Index(i)
		f.add(validation.IsValidCIDRForLegacyField(at, text, true, nil)...)
		if part, err := netip.ParsePrefix(text); err == nil && (!whole.Contains(part.Addr()) || whole.Bits() >= part.Bits()) {
			f.invalid(at, text, "must be a strict subset of `cidr`")
		}
	}
}

func validateIngressObject(i *networkingv1.Ingress) field.ErrorList {
	f := findings{errs: validateIngressSpec(&i.Spec)}
	const key = "kubernetes.io/ingress.class"
	if old, ok := i.Annotations[key]; ok && i.Spec.IngressClassName != nil && old != *i.Spec.IngressClassName {
		f.invalid(field.NewPath("annotations").Child(key), old, "must match `ingressClassName` when both are specified")
	}
	return f.errs
}

func validateIngressSpec(s *networkingv1.IngressSpec) field.ErrorList {
	var f findings
	at := field.NewPath("spec")
	if len(s.Rules) == 0 && s.DefaultBackend == nil {
		f.invalid(at, s.Rules, "either `defaultBackend` or `rules` must be specified")
	}
	if s.DefaultBackend != nil {
		f.ingressBackend(at.Child("defaultBackend"), s.DefaultBackend)
	}
	for i := range s.Rules {
		r, at := &s.Rules[i], at.Child("rules").Index(i)
		if r.Host != "" {
			if _, err := netip.ParseAddr(r.Host); err == nil {
				f.invalid(at.Child("host"), r.Host, "must be a DNS name, not an IP address")
			}
			f.ingressHost(at.Child("host"), r.Host)
		}
		if r.HTTP == nil {
			continue
		}
		paths := at.Child("http", "paths")
		if len(r.HTTP.Paths) == 0 {
			f.required(paths, "")
		}
		for j := range r.HTTP.Paths {
			f.ingressPath(paths.Index(j), &r.HTTP.Paths[j])
		}
	}
	for i, t := range s.TLS {
		at := at.Child("tls").Index(i)
		for j, host := range t.Hosts {
			f.ingressHost(at.Child("hosts").Index(j), host)
		}
		if t.SecretName != "" {
			f.subdomain(at.Child("secretName"), t.SecretName)
		}
	}
	if s.IngressClassName != nil {
		f.subdomain(at.Child("ingressClassName"), *s.IngressClassName)
	}
	return f.errs
}

func (f *findings) ingressHost(at *field.Path, host string) {
	if strings.Contains(host, "*") {
		f.invalidFor(at, host, validation.IsWildcardDNS1123Subdomain(host))
		return
	}
	f.subdomain(at, host)
}

func (f *findings) ingressPath(at *field.Path, p *networkingv1.HTTPIngressPath) {
	if p.PathType == nil {
		f.required(at.Child("pathType"), "pathType must be specified")
		return
	}
	path := at.Child("path")
	absolute := strings.HasPrefix(p.Path, "/")
	switch *p.PathType {
	case networkingv1.PathTypeExact, networkingv1.PathTypePrefix:
		if !absolute {
			f.invalid(path, p.Path, "must be an absolute path")
		}
		if p.Path == "" {
			break
		}
		for _, part := range []string{"//", "/./", "/../", "%2f", "%2F"} {
			if strings.Contains(p.Path, part) {
				f.invalid(path, p.Path, fmt.Sprintf("must not contain '%s'", part))
			}
		}
		for _, end := range []string{"/..", "/."} {
			if strings.HasSuffix(p.Path, end) {
				f.invalid(path, p.Path, fmt.Sprintf("cannot end with '%s'", end))
			}
		}
	case networkingv1.PathTypeImplementationSpecific:
		if p.Path != "" && !absolute {
			f.invalid(path, p.Path, "must be an absolute path")
		}
	default:
		among(f, at.Child("pathType"), *p.PathType, networkingv1.PathTypeExact, networkingv1.PathTypeImplementationSpecific, networkingv1.PathTypePrefix)
	}
	f.ingressBackend(at.Child("backend"), &p.Backend)
}

func (f *findings) ingressBackend(at *field.Path, b *networkingv1.IngressBackend) {
	switch {
	case b.Resource != nil && b.Service != nil:
		f.invalid(at, "", "cannot set both resource and service backends")
	case b.Resource != nil:
		f.need(at.Child("resource"), "kind", b.Resource.Kind, "name", b.Resource.Name)
	case b.Service != nil:
		s, at := b.Service, at
		if name := at.Child("service", "name"); s.Name == "" {
			f.required(name, "")
		} else {
			f.label(name, s.Name)
		}
		switch named, numbered := s.Port.Name != "", s.Port.Number != 0; {
		case named && numbered:
			f.invalid(at, "", "cannot set both port name & port number")
		case named:
			f.invalidFor(at.Child("service", "port", "name"), s.Port.Name, validation.IsValidPortName(s.Port.Name))
		case numbered:
			f.invalidFor(at.Child("service", "port", "number"), s.Port.Number, validation.IsValidPortNum(int(s.Port.Number)))
		default:
			f.required(at, "port name or number is required")
		}
	default:
		f.invalid(at, "", "resource or service backend is required")
	}
}

func validateIngressClass(c *networkingv1.IngressClass) field.ErrorList {
	const longest = 250
	var f findings
	at := field.NewPath("spec")
	if len(c.Spec.Controller) > longest {
		f.add(field.TooLong(at.Child("controller"), "", longest))
	}
	f.add(validation.IsDomainPrefixedPath(at.Child("controller"), c.Spec.Controller)...)
	if p := c.Spec.Parameters; p != nil {
		f.need(at.Child("parameters"), "kind", p.Kind, "name", p.Name)
	}
	return f.errs
}

func ingressCells(i *networkingv1.Ingress, now time.Time) []any {
	class := none
	if i.Spec.IngressClassName != nil {
		class = *i.Spec.IngressClassName
	}
	var hosts, addresses []string
	for _, r := range i.Spec.Rules {
		if len(hosts) < shownInCell && r.Host != "" {
			hosts = append(hosts, r.Host)
		} else if len(hosts) == shownInCell {
			hosts[shownInCell-1] += fmt.Sprintf(" + %d more...", len(i.Spec.Rules)-shownInCell)
			break
		}
	}
	if len(hosts) == 0 {
		hosts = []string{"*"}
	}
	for _, a := range i.Status.LoadBalancer.Ingress {
		if a.IP != "" {
			addresses = append(addresses, a.IP)
		} else if a.Hostname != "" {
			addresses = append(addresses, a.Hostname)
		}
	}
	slices.Sort(addresses)
	ports := "80"
	if len(i.Spec.TLS) > 0 {
		ports = "80, 443"
	}
	return []any{i.Name, class, strings.Join(hosts, ","), strings.Join(slices.Compact(addresses), ","), ports, age(i.CreationTimestamp, now)}
}

func ingressClassCells(c *networkingv1.IngressClass, now time.Time) []any {
	name, parameters := c.Name, none
	if c.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true" {
		name += " (default)"
	}
	if p := c.Spec.Parameters; p != nil {
		parameters = p.Kind
		if p.APIGroup != nil {
			parameters += "." + *p.APIGroup
		}
		parameters += "/" + p.Name
	}
	return []any{name, c.Spec.Controller, parameters, age(c.CreationTimestamp, now)}
}
