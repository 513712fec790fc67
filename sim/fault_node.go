package sim

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
	"timonier/sim/kubelet"
)

// The faults of a node; a target is a node's name.
const (
	// NodeSilent: the node is cut off. It runs on, but no one can tell from outside: 50 s without a heartbeat, and it
	// counts as lost; 300 s more, and its pods are replaced. Back, it still has the same containers.
	NodeSilent = "node-silent"
	// NodeOff: the machine has lost its power. From outside it looks the same, but its containers are gone: when it is
	// back, those of its pods that were not replaced start anew (restart count, new address).
	NodeOff = "node-off"
	// NodeSlow: disk and processor are overloaded. What a kubelet does with containers (pull, start) takes ten times
	// as long, and heartbeats come every 40 s: late, but within the 50 s. The node stays Ready.
	NodeSlow = "node-slow"
	// NodeDiskFull: something that is not a pod fills the disk. The kubelet says so (DiskPressure), removes images that
	// nobody uses, evicts pod after pod, and takes no new ones; the node is tainted. Mended, it is five minutes until
	// the node takes pods again.
	NodeDiskFull = "node-disk-full"
	// KubeletDown: the kubelet of a node does not run. Containers go on, but nobody restarts those that end, and no
	// one reports: from outside it looks as if the node were lost. Back, it finds the same containers.
	KubeletDown = "kubelet-down"
)

func nodeFaults() []faultKind {
	row := func(name string, trouble kubelet.Trouble) faultKind {
		return faultKind{name, (*Cluster).nodeNames, func(c *Cluster, node string, broken bool) error {
			if k := c.kubelets[node]; k != nil {
				return k.Trouble(trouble, broken)
			}
			return nil
		}}
	}
	return []faultKind{
		row(NodeSilent, kubelet.Cut), row(NodeOff, kubelet.Off), row(NodeSlow, kubelet.Slow),
		row(NodeDiskFull, kubelet.DiskFull), row(KubeletDown, kubelet.Down),
	}
}

func (c *Cluster) nodeNames() []string {
	var names []string
	for n := range apiserver.List[*corev1.Node](c.Client(), "") {
		names = append(names, n.Name)
	}
	return names
}

// forgetNodeFaults drops the faults of a node that is gone.
func (c *Cluster) forgetNodeFaults(node string) {
	kinds := nodeFaults()
	c.faults = slices.DeleteFunc(c.faults, func(f Fault) bool {
		return f.Target == node && slices.ContainsFunc(kinds, func(k faultKind) bool { return k.name == f.Name })
	})
}

// beats says whether a kubelet's heartbeats arrive.
func (c *Cluster) beats(k *kubelet.Kubelet) bool { return !k.Silent() && !c.server.Down() }
