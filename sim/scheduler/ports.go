package scheduler

import (
	"cmp"
	"slices"

	v1 "k8s.io/api/core/v1"
)

// NodePorts (Kubernetes 1.37 pkg/scheduler/framework/plugins/nodeports): a host
// port, with its protocol and address, is taken by one pod at a time.

const anyIP = "0.0.0.0"

func preFilterPorts(c *cycle) (bool, refusal) { return len(c.pod.ports) > 0, refusal{} }

func filterPorts(c *cycle, n *nodeInfo) refusal {
	if n.ports == 0 {
		return refusal{}
	}
	for _, p := range n.pods {
		if portsClash(c.pod.ports, p.ports) {
			return refusal{code: Resolvable, reason: "node(s) didn't have free ports for the requested pod ports"}
		}
	}
	return refusal{}
}

func portsClash(want, taken []v1.ContainerPort) bool {
	for i := range want {
		for j := range taken {
			if portClash(&want[i], &taken[j]) {
				return true
			}
		}
	}
	return false
}

// portClash says that two ports cannot be on one node: 0.0.0.0 is every address.
func portClash(a, b *v1.ContainerPort) bool {
	return a.HostPort == b.HostPort && a.Protocol == b.Protocol &&
		(a.HostIP == b.HostIP || a.HostIP == anyIP || b.HostIP == anyIP)
}

func portsInTheWay(c *cycle, n *nodeInfo, v *NodeVerdict) {
	for i := range c.pod.ports {
		want := &c.pod.ports[i]
		for _, p := range n.pods {
			if portsClash(c.pod.ports[i:i+1], p.ports) {
				v.Ports = append(v.Ports, Port{string(want.Protocol), want.HostIP, want.HostPort, p.ref()})
			}
		}
	}
	slices.SortFunc(v.Ports, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.HostPort, b.HostPort), cmp.Compare(a.Protocol, b.Protocol),
			cmp.Compare(a.HostIP, b.HostIP), cmp.Compare(a.Holder.String(), b.Holder.String()))
	})
}
