package apiserver

//lint:file-ignore SA1019 what is deprecated in the API is still served by it

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// shownInCell is how many addresses or ports a cell names before "+ N more...".
const shownInCell = 3

func serviceColumns() []metav1.TableColumnDefinition {
	doc := v1.ServiceSpec{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		column("Type", "string", doc["type"]),
		column("Cluster-IP", "string", doc["clusterIP"]),
		column("External-IP", "string", doc["externalIPs"]),
		column("Port(s)", "string", doc["ports"]),
		ageColumn(),
		wide(column("Selector", "string", doc["selector"])),
	}
}

func serviceCells(s *v1.Service, now time.Time) []any {
	clusterIP := none
	if len(s.Spec.ClusterIPs) > 0 {
		clusterIP = s.Spec.ClusterIPs[0]
	}
	return []any{
		s.Name,
		string(s.Spec.Type),
		clusterIP,
		serviceExternalIP(s),
		servicePorts(s.Spec.Ports),
		age(s.CreationTimestamp, now),
		labels.FormatLabels(s.Spec.Selector),
	}
}

func serviceExternalIP(s *v1.Service) string {
	external := strings.Join(s.Spec.ExternalIPs, ",")
	switch s.Spec.Type {
	case v1.ServiceTypeClusterIP, v1.ServiceTypeNodePort:
		return cmp.Or(external, none)
	case v1.ServiceTypeLoadBalancer:
		return cmp.Or(joinNonEmpty(loadBalancerAddresses(s.Status.LoadBalancer), external), "<pending>")
	case v1.ServiceTypeExternalName:
		return s.Spec.ExternalName
	}
	return "<unknown>"
}

func loadBalancerAddresses(status v1.LoadBalancerStatus) string {
	var addresses []string
	for _, ingress := range status.Ingress {
		if a := cmp.Or(ingress.IP, ingress.Hostname); a != "" {
			addresses = append(addresses, a)
		}
	}
	slices.Sort(addresses)
	return strings.Join(slices.Compact(addresses), ",")
}

func joinNonEmpty(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ",")
}

// servicePorts is 80/TCP, or 80:30080/TCP with a node port.
func servicePorts(ports []v1.ServicePort) string {
	shown := make([]string, len(ports))
	for i, p := range ports {
		if p.NodePort > 0 {
			shown[i] = fmt.Sprintf("%d:%d/%s", p.Port, p.NodePort, p.Protocol)
		} else {
			shown[i] = fmt.Sprintf("%d/%s", p.Port, p.Protocol)
		}
	}
	return cmp.Or(strings.Join(shown, ","), none)
}

func endpointsColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		nameColumn(),
		column("Endpoints", "string", v1.Endpoints{}.SwaggerDoc()["subsets"]),
		ageColumn(),
	}
}

func endpointsCells(e *v1.Endpoints, now time.Time) []any {
	shown := none
	if len(e.Subsets) > 0 {
		var all []string
		for _, subset := range e.Subsets {
			all = append(all, subsetAddresses(subset)...)
		}
		shown = firstOf(all)
	}
	return []any{e.Name, shown, age(e.CreationTimestamp, now)}
}

// subsetAddresses are the ready addresses, once for each port; alone where a
// headless service has no port.
func subsetAddresses(subset v1.EndpointSubset) []string {
	var all []string
	for _, port := range subset.Ports {
		for _, a := range subset.Addresses {
			all = append(all, net.JoinHostPort(a.IP, strconv.Itoa(int(port.Port))))
		}
	}
	if len(subset.Ports) == 0 {
		for _, a := range subset.Addresses {
			all = append(all, a.IP)
		}
	}
	return all
}

// firstOf joins the first few and says how many more there are.
func firstOf(all []string) string {
	if len(all) <= shownInCell {
		return strings.Join(all, ",")
	}
	return fmt.Sprintf("%s + %d more...", strings.Join(all[:shownInCell], ","), len(all)-shownInCell)
}

func endpointSliceColumns() []metav1.TableColumnDefinition {
	doc := discoveryv1.EndpointSlice{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		column("AddressType", "string", doc["addressType"]),
		column("Ports", "string", doc["ports"]),
		column("Endpoints", "string", doc["endpoints"]),
		ageColumn(),
	}
}

func endpointSliceCells(e *discoveryv1.EndpointSlice, now time.Time) []any {
	var ports, addresses []string
	for _, p := range e.Ports {
		switch {
		case p.Port != nil:
			ports = append(ports, strconv.Itoa(int(*p.Port)))
		case p.Name != nil:
			ports = append(ports, *p.Name)
		default:
			ports = append(ports, "*")
		}
	}
	for _, endpoint := range e.Endpoints {
		addresses = append(addresses, endpoint.Addresses...)
	}
	return []any{
		e.Name,
		string(e.AddressType),
		cmp.Or(firstOf(ports), "<unset>"),
		cmp.Or(firstOf(addresses), "<unset>"),
		age(e.CreationTimestamp, now),
	}
}
