package kubelet

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// The eviction manager (pkg/kubelet/eviction), of one signal: nodefs.available. Every ten seconds it looks at the disk.
// While too little is free it says so (DiskPressure), removes images that no container uses, and evicts one pod, the
// one that it ranks first. The condition stays for five minutes after the last such look. What fills the disk here is
// no pod, and takes what becomes free at once: evicting never helps, as where a log of the node's own has gone wild.
const (
	diskKey          = "disk"
	monitorDisk      = 10 * time.Second // evictionMonitoringPeriod
	pressurePeriod   = 5 * time.Minute  // evictionPressureTransitionPeriod
	evictionGrace    = 1                // seconds; immediateEvictionGracePeriodSeconds, of a hard threshold
	evicted          = "Evicted"
	leastContainer   = 24 << 10 // what a container's writable layer takes at least, in bytes
	blockSize        = 4 << 10
	criticalPriority = 2 * 1000 * 1000 * 1000 // scheduling.SystemCriticalPriority
)

// diskThreshold is nodefs.available<10%, and diskFree what is left of a full disk.
func diskThreshold(node *v1.Node) *resource.Quantity {
	return resource.NewQuantity(node.Status.Capacity.StorageEphemeral().Value()/10, resource.BinarySI)
}

func diskFree(node *v1.Node) *resource.Quantity {
	return resource.NewQuantity(node.Status.Capacity.StorageEphemeral().Value()/20, resource.BinarySI)
}

// untilLook is how long until the next look at the disk; each node has moments of its own.
func (k *Kubelet) untilLook(at time.Time) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(k.env.Node))
	phase := time.Duration(h.Sum32()%10_000) * time.Millisecond
	next := at.Add(-phase).Truncate(monitorDisk).Add(phase)
	if next.Before(at) {
		next = next.Add(monitorDisk)
	}
	return next.Sub(k.env.Queue.Now())
}

// watchDisk plans the next look where there is something to see.
func (k *Kubelet) watchDisk() {
	k.env.Queue.Cancel(diskKey)
	switch now := k.env.Queue.Now(); {
	case k.state.DiskFull:
		k.env.Queue.Add(diskKey, k.untilLook(now))
	case !k.state.Pressed.IsZero():
		k.env.Queue.Add(diskKey, k.untilLook(k.state.Pressed.Add(pressurePeriod)))
	}
}

// diskChanged is called when the disk fills, or is emptied: the last look at a full one was just before.
func (k *Kubelet) diskChanged() {
	if !k.state.DiskFull && !k.state.Pressed.IsZero() {
		k.state.Pressed = k.env.Queue.Now()
	}
	k.watchDisk()
}

// syncDisk is one look at the disk.
func (k *Kubelet) syncDisk() error {
	node, ok := k.node()
	if !ok {
		return nil
	}
	about, now := trace.Ref{Kind: "Node", Name: node.Name, UID: node.UID}, k.env.Queue.Now()
	switch {
	case k.state.DiskFull:
		if k.state.Pressed.IsZero() {
			k.step(trace.Pressed, about, trace.Pressure{Resource: string(v1.ResourceEphemeralStorage)})
			k.env.Queue.Add(nodeKey, 0)
		}
		k.state.Pressed = now
		k.reclaim(node)
	case k.state.Pressed.IsZero():
	case now.Sub(k.state.Pressed) >= pressurePeriod:
		k.step(trace.Relieved, about, trace.Pressure{Resource: string(v1.ResourceEphemeralStorage), For: now.Sub(k.state.Pressed)})
		k.state.Pressed = time.Time{}
		k.env.Queue.Add(nodeKey, 0)
	default:
		k.watchDisk()
	}
	return nil
}

// reclaim makes room: images first, then a pod. It looks again as long as there is a pod to evict.
func (k *Kubelet) reclaim(node *v1.Node) {
	if k.removeImages() {
		k.env.Queue.Add(nodeKey, 0)
	}
	ranked := k.rank()
	if len(ranked) == 0 {
		return
	}
	if !k.state.Silent {
		k.env.Client.Emit(node, v1.EventTypeWarning, "EvictionThresholdMet", "Attempting to reclaim ephemeral-storage")
	}
	k.evict(ranked[0], node)
	k.env.Queue.Add(diskKey, monitorDisk)
}

// removeImages removes the images that no container of the node's pods uses, and says whether there were any.
func (k *Kubelet) removeImages() bool {
	used := map[string]bool{}
	for _, pod := range k.pods() {
		if terminal(pod.Status.Phase) {
			continue
		}
		for _, list := range [][]v1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
			for i := range list {
				f, _ := k.find(list[i].Image)
				used[f.ref] = true
			}
		}
	}
	before := len(k.state.Images)
	k.state.Images = slices.DeleteFunc(k.state.Images, func(ref string) bool { return !used[ref] })
	return len(k.state.Images) < before
}

// pods are those of the node that the kubelet knows of.
func (k *Kubelet) pods() (pods []*v1.Pod) {
	for pod := range apiserver.PodsOn(k.env.Client, k.env.Node) {
		if own, ok := k.pod(keyOf(pod)); ok {
			pods = append(pods, own)
		}
	}
	return pods
}

// candidate is a pod that may be evicted, with what it takes of the disk, in bytes.
type candidate struct {
	pod        *v1.Pod
	used       int64
	containers map[string]int64
	over       int64 // more than it asked for
}

// rank puts the pods that run and may be evicted in the order in which they go: those that use more than they asked
// for, then the least important, then those that use the most more (rankDiskPressureFunc).
func (k *Kubelet) rank() []candidate {
	var all []candidate
	if k.env.Hollow {
		return nil
	}
	for _, pod := range k.pods() {
		life := k.state.Pods[keyOf(pod)]
		if terminal(pod.Status.Phase) || pod.Status.StartTime == nil || critical(pod) || life != nil && life.Ends != nil {
			continue
		}
		c := candidate{pod: pod, containers: map[string]int64{}}
		requested := int64(0)
		for i := range pod.Spec.Containers {
			spec := &pod.Spec.Containers[i]
			used := k.diskUse(pod, spec)
			c.containers[spec.Name] = used
			c.used += used
			requested += spec.Resources.Requests.StorageEphemeral().Value()
		}
		c.over = c.used - requested
		all = append(all, c)
	}
	exceeds := func(c candidate) int {
		if c.over > 0 {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(exceeds(a), exceeds(b)),
			cmp.Compare(ptr.Deref(a.pod.Spec.Priority, 0), ptr.Deref(b.pod.Spec.Priority, 0)), cmp.Compare(b.over, a.over))
	})
	return all
}

// critical says of a pod that it is never evicted for a lack of something (pkg/kubelet/types, IsCriticalPod).
func critical(pod *v1.Pod) bool { return ptr.Deref(pod.Spec.Priority, 0) >= criticalPriority }

// diskUse is what a container takes of the disk: its writable layer and its log.
func (k *Kubelet) diskUse(pod *v1.Pod, spec *v1.Container) int64 {
	i := slices.IndexFunc(pod.Status.ContainerStatuses, func(s v1.ContainerStatus) bool { return s.Name == spec.Name })
	if i < 0 || pod.Status.ContainerStatuses[i].State.Running == nil {
		return leastContainer
	}
	ran, log := k.env.Queue.Now().Sub(pod.Status.ContainerStatuses[i].State.Running.StartedAt.Time), int64(0)
	for _, l := range k.runOf(pod, spec, false, ran).lines {
		switch n := int64(len(l.Text)) + int64(len(stampLayout)); {
		case l.At.Duration > ran:
		case l.Every.Duration > 0:
			log += n * (1 + int64((ran-l.At.Duration)/l.Every.Duration))
		default:
			log += n
		}
	}
	return leastContainer + (log+blockSize-1)/blockSize*blockSize
}

// evict ends a pod for good.
func (k *Kubelet) evict(c candidate, node *v1.Node) {
	message := evictionMessage(c, node)
	key := keyOf(c.pod)
	before := k.env.Trace.Cause()
	defer k.env.Trace.Because(before)
	k.step(trace.Evicted, podRef(c.pod), trace.Pressure{Resource: string(v1.ResourceEphemeralStorage)})
	if !k.state.Silent {
		k.env.Client.Emit(c.pod, v1.EventTypeWarning, evicted, message)
	}
	life := k.state.Pods[key]
	if life == nil || life.UID != c.pod.UID {
		life = adopt(c.pod, &c.pod.Status)
		k.state.Pods[key] = life
	}
	life.Ends = &ending{Reason: evicted, Message: message, Grace: evictionGrace}
	k.env.Queue.Add(key, 0)
}

// evictionMessage says why a pod is evicted, and which of its containers use more than they asked for.
func evictionMessage(c candidate, node *v1.Node) string {
	var b strings.Builder
	what := v1.ResourceEphemeralStorage
	fmt.Fprintf(&b, "The node was low on resource: %s. Threshold quantity: %v, available: %v. ", what, diskThreshold(node), diskFree(node))
	for i := range c.pod.Spec.Containers {
		spec := &c.pod.Spec.Containers[i]
		used, request := resource.NewQuantity(c.containers[spec.Name], resource.BinarySI), spec.Resources.Requests.StorageEphemeral()
		if used.Cmp(*request) > 0 {
			fmt.Fprintf(&b, "Container %s was using %s, request is %s, has larger consumption of %v. ", spec.Name, used, request, what)
		}
	}
	return b.String()
}

// pressed is why a node under pressure turns a pod down; "": it does not.
func (k *Kubelet) pressed(pod *v1.Pod) string {
	if k.state.Pressed.IsZero() || critical(pod) {
		return ""
	}
	return fmt.Sprintf("The node had condition: %v. ", []v1.NodeConditionType{v1.NodeDiskPressure})
}
