package kubelet

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// Env is what a Kubelet works with. All are needed but Rand and Images.
type Env struct {
	Node   string
	Client *apiserver.Client // as system:node:NODE
	Queue  *agenda.Queue     // of kubelet/NODE
	Trace  *trace.Recorder
	Rand   *rand.Rand // varies the time of pulls; nil: they take what their image says
	Images Images
	// Hollow says that there is no runtime under it: see hollow.go.
	Hollow bool
	// RegistryDown, where set, says of a registry's host that it does not answer.
	RegistryDown func(host string) bool
	// Flaws, where set, says what is wrong with an image.
	Flaws func(image string) Flaws
}

// Kubelet is one node's. Use New.
type Kubelet struct {
	env     Env
	actor   string
	state   state
	writing bool // what the watch brings now is the kubelet's own doing
	answers map[string]answer
}

// nodeKey is the key of the work on the node itself; those of pods have a slash.
const nodeKey = "node"

// New is a kubelet that has just been installed. It does nothing before it observes
// something, or until Resync.
func New(env Env) *Kubelet {
	return &Kubelet{env: env, actor: "kubelet/" + env.Node, state: state{Pods: map[string]*podLife{}}}
}

// Observe is the kubelet's watch: on its pods, on its node, and on what its pods mount.
func (k *Kubelet) Observe(e apiserver.Event) {
	if k.writing || k.Silent() {
		return
	}
	switch o := e.New.(type) {
	case *v1.Pod:
		if o.Spec.NodeName == k.env.Node {
			k.env.Queue.Add(keyOf(o), apiserver.WatchLatency)
		}
	case *v1.Node:
		old, ok := e.Old.(*v1.Node)
		if ok && o.Name == k.env.Node && e.Type == watch.Modified && old.Spec.Unschedulable != o.Spec.Unschedulable {
			k.env.Queue.Add(nodeKey, apiserver.WatchLatency)
		}
	case *v1.ConfigMap, *v1.Secret, *v1.PersistentVolumeClaim:
		if len(k.state.Pods) == 0 || e.Type == watch.Deleted {
			return
		}
		for pod := range apiserver.PodsOn(k.env.Client, k.env.Node) {
			if life := k.state.Pods[keyOf(pod)]; life != nil && life.lacks() && pod.Namespace == e.New.GetNamespace() {
				k.env.Queue.Add(keyOf(pod), apiserver.WatchLatency)
			}
		}
	}
}

// Resync looks at everything again, as after a restart.
func (k *Kubelet) Resync() {
	if k.Silent() {
		return
	}
	k.env.Queue.Add(nodeKey, 0)
	k.watchDisk()
	for pod := range apiserver.PodsOn(k.env.Client, k.env.Node) {
		k.env.Queue.Add(keyOf(pod), 0)
	}
	for key := range k.state.Pods { // those that went while nobody looked
		if _, ok := k.pod(key); !ok {
			delete(k.state.Pods, key)
		}
	}
}

// Sync does what is due for a pod, or for the node. An error means that something
// could not be written: the key is to be tried again.
func (k *Kubelet) Sync(key string) error {
	if k.Silent() && key == nodeKey {
		return k.Pay()
	}
	if k.idle() {
		return nil
	}
	before := k.env.Trace.Cause()
	defer k.env.Trace.Because(before)
	switch key {
	case nodeKey:
		return k.syncNode()
	case diskKey:
		return k.syncDisk()
	}
	pod, ok := k.pod(key)
	if !ok {
		delete(k.state.Pods, key)
		return nil
	}
	sync := func() error { return k.open(key, pod).do() }
	if k.hollowly(pod) {
		sync = func() error { return k.syncHollow(key, pod) }
	}
	if err := sync(); err != nil {
		return fmt.Errorf("sync pod %s: %w", key, err)
	}
	return nil
}

// pod finds a pod of this node by its key.
func (k *Kubelet) pod(key string) (*v1.Pod, bool) {
	if k.state.Silent {
		pod, ok := k.state.Seen[key]
		return pod, ok
	}
	namespace, name, _ := strings.Cut(key, "/")
	pod, ok := apiserver.Get[*v1.Pod](k.env.Client, namespace, name)
	return pod, ok && pod.Spec.NodeName == k.env.Node
}

func keyOf(o apiserver.Object) string { return o.GetNamespace() + "/" + o.GetName() }

// own does a write, of which the watch need not tell.
func (k *Kubelet) own(write func() error) error {
	k.writing = true
	defer func() { k.writing = false }()
	return write()
}

// step records what the kubelet does; what follows in this sync is due to it.
func (k *Kubelet) step(kind trace.Kind, about trace.Ref, detail any) {
	id := k.env.Trace.Add(trace.Step{At: k.env.Queue.Now(), Actor: k.actor, Kind: kind, Object: about, Detail: detail})
	k.env.Trace.Because(id)
}

func podRef(pod *v1.Pod) trace.Ref {
	return trace.Ref{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}
}

// describe is how the kubelet writes a pod in its messages (pkg/kubelet/util/format).
func describe(name, namespace string, uid types.UID) string {
	return fmt.Sprintf("%s_%s(%s)", name, namespace, uid)
}

// jittered varies a duration by up to a tenth, in whole milliseconds.
func (k *Kubelet) jittered(d time.Duration) time.Duration {
	if k.env.Rand == nil {
		return d
	}
	return (d + time.Duration((k.env.Rand.Float64()-0.5)*0.2*float64(d))).Truncate(time.Millisecond)
}
