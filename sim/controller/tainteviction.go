package controller

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const taintEvictionController = "taint-eviction-controller"

// taintEviction deletes the pods that do not tolerate a NoExecute taint of their node, or no longer
// (pkg/controller/tainteviction).
//
// Its keys: node/NAME (the taints have changed), pod/NAMESPACE/NAME (placed, gone, or its tolerations have
// changed), evict/NAMESPACE/NAME (the time it tolerates is over).
type taintEviction struct{ Env }

func newTaintEviction(env Env) Component { return &taintEviction{env} }

func (c *taintEviction) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *corev1.Node:
		var old []corev1.Taint
		if e.Old != nil {
			old = noExecuteTaints(e.Old.(*corev1.Node))
		}
		if e.Type != watch.Deleted && !equality.Semantic.DeepEqual(old, noExecuteTaints(o)) {
			c.soon("node/" + o.Name)
		}
	case *corev1.Pod:
		if c.concerned(e, o) {
			c.soon("pod/" + keyOf(o))
		}
	}
}

func (c *taintEviction) concerned(e apiserver.Event, pod *corev1.Pod) bool {
	if e.Type == watch.Deleted {
		return c.Queue.Has("evict/" + keyOf(pod))
	}
	node, ok := apiserver.Get[*corev1.Node](c.Client, "", pod.Spec.NodeName)
	if !ok || len(noExecuteTaints(node)) == 0 {
		return false
	}
	if e.Type == watch.Added {
		return true
	}
	old := e.Old.(*corev1.Pod)
	return old.Spec.NodeName != pod.Spec.NodeName || !equality.Semantic.DeepEqual(old.Spec.Tolerations, pod.Spec.Tolerations)
}

func noExecuteTaints(node *corev1.Node) (taints []corev1.Taint) {
	for _, t := range node.Spec.Taints {
		if t.Effect == corev1.TaintEffectNoExecute {
			taints = append(taints, t)
		}
	}
	return taints
}

func (c *taintEviction) Resync() {
	for node := range apiserver.List[*corev1.Node](c.Client, "") {
		c.soon("node/" + node.Name)
	}
}

func (c *taintEviction) Sync(key string) error {
	what, rest, _ := strings.Cut(key, "/")
	if what == "node" {
		if node, ok := apiserver.Get[*corev1.Node](c.Client, "", rest); ok {
			taints := noExecuteTaints(node)
			for pod := range apiserver.PodsOn(c.Client, rest) {
				c.plan(pod, taints)
			}
		}
		return nil
	}
	namespace, name := splitKey(rest)
	pod, ok := apiserver.Get[*corev1.Pod](c.Client, namespace, name)
	switch {
	case !ok && what == "pod":
		c.cancel(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}})
	case !ok:
	case what == "evict":
		return c.evict(pod)
	default:
		if node, ok := apiserver.Get[*corev1.Node](c.Client, "", pod.Spec.NodeName); ok {
			if taints := noExecuteTaints(node); len(taints) > 0 {
				c.plan(pod, taints)
			}
		}
	}
	return nil
}

// plan sets, keeps or cancels a pod's eviction (processPodOnNode). One that is set already stays as it is.
func (c *taintEviction) plan(pod *corev1.Pod, taints []corev1.Taint) {
	after, tolerated := tolerates(pod.Spec.Tolerations, taints)
	key := "evict/" + keyOf(pod)
	switch {
	case len(taints) == 0, tolerated && after < 0:
		c.cancel(pod)
	case !tolerated:
		c.cancel(pod)
		c.Queue.Add(key, 0)
	default:
		c.Queue.Add(key, after)
	}
}

func (c *taintEviction) cancel(pod *corev1.Pod) {
	if key := "evict/" + keyOf(pod); c.Queue.Has(key) {
		c.Queue.Cancel(key)
		c.Client.Emit(pod, corev1.EventTypeNormal, "TaintManagerEviction", "Cancelling deletion of Pod "+keyOf(pod))
	}
}

// tolerates says whether all taints are tolerated, and for how long; −1: for ever.
func tolerates(tolerations []corev1.Toleration, taints []corev1.Taint) (_ time.Duration, all bool) {
	least := time.Duration(-1)
	for i := range taints {
		j := slices.IndexFunc(tolerations, func(t corev1.Toleration) bool {
			return t.ToleratesTaint(klog.Background(), &taints[i], true)
		})
		if j < 0 {
			return 0, false
		}
		if s := tolerations[j].TolerationSeconds; s != nil {
			if d := time.Duration(max(0, *s)) * time.Second; least < 0 || d < least {
				least = d
			}
		}
	}
	return least, true
}

func (c *taintEviction) evict(pod *corev1.Pod) error {
	d := trace.Decision{What: Evict, Count: 1, Target: trace.Ref{Kind: "Node", Name: pod.Spec.NodeName}}
	if node, ok := apiserver.Get[*corev1.Node](c.Client, "", pod.Spec.NodeName); ok {
		if taints := noExecuteTaints(node); len(taints) > 0 {
			d.Note = taintNames(taints)[0]
		}
	}
	return c.decided(taintEvictionController, refTo("Pod", pod), d, func() error {
		c.Client.Emit(pod, corev1.EventTypeNormal, "TaintManagerEviction", "Marking for deletion Pod "+keyOf(pod))
		marked := pod.DeepCopy()
		if setPodCondition(&marked.Status, corev1.PodCondition{
			Type: corev1.DisruptionTarget, ObservedGeneration: pod.Generation, Status: corev1.ConditionTrue,
			Reason: "DeletionByTaintManager", Message: "Taint manager: deleting due to NoExecute taint",
		}, c.now()) {
			if _, err := c.Client.UpdateStatus(marked); err != nil {
				return gone(err)
			}
		}
		return gone(c.Client.Delete(pod, metav1.DeleteOptions{}))
	})
}
