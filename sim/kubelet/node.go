package kubelet

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
)

const (
	// Version is that of the Kubernetes simulated.
	Version = "v1.37.2"
	// HeartbeatPeriod is how often a kubelet renews its lease: a quarter of LeaseDuration.
	HeartbeatPeriod = 10 * time.Second
	// LeaseDuration is nodeLeaseDurationSeconds.
	LeaseDuration = 40 * time.Second
)

// NodeSpec is a machine to make a node of. What is zero has a default.
type NodeSpec struct {
	Name   string
	Index  int               // 1, 2 … in the cluster: its addresses follow from it; at most 20,000
	CPU    resource.Quantity // 4
	Memory resource.Quantity // 8Gi
	Pods   int64             // 110
	Labels map[string]string
	Taints []v1.Taint
}

// NodeObject is a node as its kubelet registers it at a moment, healthy, with the
// address range that the controller manager would give it.
func NodeObject(spec NodeSpec, now time.Time) *v1.Node {
	orDefault := func(q resource.Quantity, other string) resource.Quantity {
		if q.IsZero() {
			return resource.MustParse(other)
		}
		return q
	}
	if spec.Pods == 0 {
		spec.Pods = 110
	}
	has := v1.ResourceList{
		v1.ResourceCPU:              orDefault(spec.CPU, "4"),
		v1.ResourceMemory:           orDefault(spec.Memory, "8Gi"),
		v1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
		v1.ResourcePods:             *resource.NewQuantity(spec.Pods, resource.DecimalSI),
		"hugepages-1Gi":             resource.MustParse("0"),
		"hugepages-2Mi":             resource.MustParse("0"),
	}
	node := &v1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: spec.Name,
			Labels: map[string]string{
				"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
				v1.LabelArchStable: "amd64", v1.LabelOSStable: "linux", v1.LabelHostname: spec.Name,
			},
			Annotations: map[string]string{"node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true"},
		},
		Spec: v1.NodeSpec{Taints: slices.Clone(spec.Taints)},
		Status: v1.NodeStatus{
			Capacity: has, Allocatable: has.DeepCopy(),
			Addresses: []v1.NodeAddress{
				{Type: v1.NodeInternalIP, Address: fmt.Sprintf("172.18.%d.%d", (spec.Index+1)>>8, (spec.Index+1)&0xff)},
				{Type: v1.NodeHostName, Address: spec.Name},
			},
			DaemonEndpoints: v1.NodeDaemonEndpoints{KubeletEndpoint: v1.DaemonEndpoint{Port: 10250}},
			NodeInfo: v1.NodeSystemInfo{
				MachineID: fingerprint("machine", spec.Name)[:32], SystemUUID: uuid("system", spec.Name), BootID: bootID(spec.Name, 0),
				KernelVersion: "6.12.48+deb13-amd64", OSImage: "Debian GNU/Linux 13 (trixie)", ContainerRuntimeVersion: "containerd://2.2.0",
				KubeletVersion: Version, OperatingSystem: "linux", Architecture: "amd64",
			},
			RuntimeHandlers: []v1.NodeRuntimeHandler{
				{Features: &v1.NodeRuntimeHandlerFeatures{RecursiveReadOnlyMounts: ptr.To(true), UserNamespaces: ptr.To(true)}},
				{Name: "runc", Features: &v1.NodeRuntimeHandlerFeatures{RecursiveReadOnlyMounts: ptr.To(true), UserNamespaces: ptr.To(true)}},
			},
			Features: &v1.NodeFeatures{SupplementalGroupsPolicy: ptr.To(true)},
		},
	}
	if spec.Index > 0 {
		node.Spec.PodCIDR = podCIDR(spec.Index)
		node.Spec.PodCIDRs = []string{node.Spec.PodCIDR}
	}
	for k, v := range spec.Labels {
		node.Labels[k] = v
	}
	healthy(node, now, false)
	return node
}

// bootID is the kernel's, after so many restarts.
func bootID(node string, boots int) string {
	if boots == 0 {
		return uuid("boot", node)
	}
	return uuid("boot", node, fmt.Sprint(boots))
}

// podCIDR is the range of a node's pods: out of 10.244.0.0/16, the usual one, as far as that goes, then out of 10.129.0.0 and on.
func podCIDR(index int) string {
	if index <= 0xff {
		return fmt.Sprintf("10.244.%d.0/24", index)
	}
	return fmt.Sprintf("10.%d.%d.0/24", 128+(index>>8), index&0xff)
}

func uuid(parts ...string) string {
	h := fingerprint(parts...)
	return strings.Join([]string{h[:8], h[8:12], "4" + h[13:16], "a" + h[17:20], h[20:32]}, "-")
}

// healthy sets the conditions of a node that is well, but for its disk, and says whether it was Ready
// before (pkg/kubelet/nodestatus/setters.go).
func healthy(node *v1.Node, now time.Time, diskPressure bool) (was bool) {
	well := []v1.NodeCondition{
		{Type: v1.NodeMemoryPressure, Status: v1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
		{Type: v1.NodeDiskPressure, Status: v1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "kubelet has no disk pressure"},
		{Type: v1.NodePIDPressure, Status: v1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"},
		{Type: v1.NodeReady, Status: v1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
	}
	if diskPressure {
		well[1].Status, well[1].Reason, well[1].Message = v1.ConditionTrue, "KubeletHasDiskPressure", "kubelet has disk pressure"
	}
	for _, c := range well {
		c.LastHeartbeatTime, c.LastTransitionTime = stamp(now), stamp(now)
		i := slices.IndexFunc(node.Status.Conditions, func(o v1.NodeCondition) bool { return o.Type == c.Type })
		if i < 0 {
			node.Status.Conditions = append(node.Status.Conditions, c)
			continue
		}
		if old := node.Status.Conditions[i]; old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
			was = was || c.Type == v1.NodeReady
		}
		node.Status.Conditions[i] = c
	}
	return was
}

// LeaseObject is a node's lease, renewed at a moment.
func LeaseObject(node *v1.Node, renewed time.Time) *coordinationv1.Lease {
	at := metav1.NewMicroTime(renewed.Truncate(time.Microsecond))
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1.NamespaceNodeLease, Name: node.Name,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}}},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: ptr.To(node.Name), LeaseDurationSeconds: ptr.To(int32(LeaseDuration / time.Second)), RenewTime: &at},
	}
}

// Heartbeat is when the kubelet last renewed its lease, as seen at a moment: every
// ten seconds, each node at seconds of its own; before a silence, for good.
func (k *Kubelet) Heartbeat(now time.Time) time.Time {
	if k.Silent() {
		return k.state.Beat
	}
	period := HeartbeatPeriod
	if k.env.Hollow {
		period = hollowHeartbeat
	}
	h := fnv.New32a()
	h.Write([]byte(k.env.Node))
	phase := time.Duration(h.Sum32()%10_000) * time.Millisecond % period
	beat := now.Add(-phase).Truncate(period).Add(phase)
	if k.state.Slow {
		beat = k.state.Slowed.Add(now.Sub(k.state.Slowed).Truncate(slowHeartbeat))
	}
	for _, least := range []time.Time{k.state.Since, k.state.Beat} {
		if beat.Before(least) {
			beat = least
		}
	}
	return beat
}

// renew writes the lease.
func (k *Kubelet) renew(at time.Time) error {
	node, ok := k.node()
	if !ok {
		return nil
	}
	lease, there := apiserver.Live[*coordinationv1.Lease](k.env.Client, v1.NamespaceNodeLease, k.env.Node)
	fresh := LeaseObject(node, at)
	if !there {
		_, err := k.env.Client.Create(fresh)
		return err
	}
	next := lease.DeepCopy()
	next.Spec.RenewTime = fresh.Spec.RenewTime
	_, err := k.env.Client.Update(next)
	return err
}

func (k *Kubelet) node() (*v1.Node, bool) {
	return apiserver.Get[*v1.Node](k.env.Client, "", k.env.Node)
}

// podRange is what the addresses of the node's pods begin with.
func (k *Kubelet) podRange() string {
	if node, ok := k.node(); ok {
		if i := strings.LastIndexByte(node.Spec.PodCIDR, '.'); i > 0 {
			return node.Spec.PodCIDR[:i+1]
		}
	}
	h := fnv.New32a()
	h.Write([]byte(k.env.Node))
	return fmt.Sprintf("10.244.%d.", h.Sum32()%254)
}

// syncNode posts the node's status where it is not what the kubelet knows.
func (k *Kubelet) syncNode() error {
	node, ok := k.node()
	if !ok {
		return nil
	}
	now := k.env.Queue.Now()
	if lease, ok := apiserver.Live[*coordinationv1.Lease](k.env.Client, v1.NamespaceNodeLease, k.env.Node); !ok || stale(lease, k.state.Since) {
		if err := k.own(func() error { return k.renew(now) }); err != nil {
			return fmt.Errorf("renew lease of %s: %w", k.env.Node, err)
		}
	}
	next := node.DeepCopy()
	was := healthy(next, now, !k.state.Pressed.IsZero())
	images, boot := k.images(), bootID(k.env.Node, k.state.Boots)
	rebooted := k.state.Boots > 0 && node.Status.NodeInfo.BootID != boot
	if was && !rebooted && sameImages(images, node.Status.Images) && k.said(node) {
		return k.tellCordon(node)
	}
	next.Status.Images = images
	if rebooted {
		next.Status.NodeInfo.BootID = boot
	}
	err := k.own(func() error {
		_, err := k.env.Client.UpdateStatus(next)
		return err
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("post status of node %s: %w", k.env.Node, err)
	}
	if rebooted {
		k.env.Client.Emit(node, v1.EventTypeWarning, "Rebooted", fmt.Sprintf("Node %s has been rebooted, boot id: %s", node.Name, boot))
	}
	k.tellPressure(node)
	if !was {
		k.tellNode(node, "NodeReady")
	}
	return k.tellCordon(node)
}

// stale says of a lease that the kubelet's return has not renewed it yet.
func stale(lease *coordinationv1.Lease, since time.Time) bool {
	return !since.IsZero() && (lease.Spec.RenewTime == nil || lease.Spec.RenewTime.Time.Before(since.Truncate(time.Microsecond)))
}

// said says whether all conditions of a node already are what they should be.
func (k *Kubelet) said(node *v1.Node) bool {
	well := &v1.Node{}
	healthy(well, time.Time{}, !k.state.Pressed.IsZero())
	for _, c := range well.Status.Conditions {
		if !slices.ContainsFunc(node.Status.Conditions, func(o v1.NodeCondition) bool { return o.Type == c.Type && o.Status == c.Status }) {
			return false
		}
	}
	return true
}

func (k *Kubelet) tellNode(node *v1.Node, what string) {
	if k.env.Hollow {
		return
	}
	k.env.Client.Emit(node, v1.EventTypeNormal, what, fmt.Sprintf("Node %s status is now: %s", node.Name, what))
}

// tellPressure emits the event of a disk that has become full, or is no longer; node is as it was before.
func (k *Kubelet) tellPressure(node *v1.Node) {
	was := false
	for _, c := range node.Status.Conditions {
		was = was || c.Type == v1.NodeDiskPressure && c.Status == v1.ConditionTrue
	}
	switch is := !k.state.Pressed.IsZero(); {
	case is && !was:
		k.tellNode(node, "NodeHasDiskPressure")
	case was && !is:
		k.tellNode(node, "NodeHasNoDiskPressure")
	}
}

// tellCordon emits the event of a node that was cordoned, or no longer is.
func (k *Kubelet) tellCordon(node *v1.Node) error {
	if node.Spec.Unschedulable == k.state.Cordoned {
		return nil
	}
	k.state.Cordoned = node.Spec.Unschedulable
	if k.state.Cordoned {
		k.tellNode(node, "NodeNotSchedulable")
	} else {
		k.tellNode(node, "NodeSchedulable")
	}
	return nil
}

// images are those on the node, as its status lists them: the largest first.
func (k *Kubelet) images() []v1.ContainerImage {
	var all []v1.ContainerImage
	for _, ref := range k.state.Images {
		f, err := k.find(ref)
		if err != nil {
			continue // it was in a list that has changed since
		}
		names := []string{f.digest}
		if f.ref != f.digest {
			names = append(names, f.ref)
		}
		all = append(all, v1.ContainerImage{Names: names, SizeBytes: f.Size.Value()})
	}
	slices.SortStableFunc(all, func(a, b v1.ContainerImage) int { return int(b.SizeBytes - a.SizeBytes) })
	return all[:min(len(all), imagesKept)]
}

func sameImages(a, b []v1.ContainerImage) bool {
	return slices.EqualFunc(a, b, func(x, y v1.ContainerImage) bool {
		return x.SizeBytes == y.SizeBytes && slices.Equal(x.Names, y.Names)
	})
}
