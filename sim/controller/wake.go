package controller

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
)

// owners are the sets of one kind, as those who watch what they own look for them.
type owners[T apiserver.Object] struct {
	Env
	kind     string
	selector func(T) *metav1.LabelSelector
}

// named is the set that a reference to a controller names, if it is that one still.
func (o owners[T]) named(namespace string, ref *metav1.OwnerReference) (set T, ok bool) {
	if ref == nil || ref.Kind != o.kind {
		return set, false
	}
	if set, ok = apiserver.Get[T](o.Client, namespace, ref.Name); !ok || set.GetUID() != ref.UID {
		return set, false
	}
	return set, true
}

// wake adds the sets that a change of an object concerns: the one that controls it, the one that did, or, where
// nobody does, those that might adopt it.
func (o owners[T]) wake(e apiserver.Event, after time.Duration) {
	object := subject(e)
	ref := metav1.GetControllerOfNoCopy(object)
	if e.Type == watch.Modified {
		if was := metav1.GetControllerOfNoCopy(e.Old); was != nil && (ref == nil || ref.UID != was.UID) {
			if set, ok := o.named(object.GetNamespace(), was); ok {
				o.soon(keyOf(set))
			}
		}
	}
	if ref != nil {
		if set, ok := o.named(object.GetNamespace(), ref); ok {
			o.Queue.Add(keyOf(set), after)
		}
		return
	}
	if e.Type == watch.Deleted {
		return
	}
	for set := range apiserver.List[T](o.Client, object.GetNamespace()) {
		if s, err := selectorOf(o.selector(set)); err == nil && !s.Empty() && s.Matches(labels.Set(object.GetLabels())) {
			o.soon(keyOf(set))
		}
	}
}

// wakeForPod adds the sets that a change of a pod concerns, and again the one whose pod has just become ready, when
// it will have been so for long enough.
func (o owners[T]) wakeForPod(e apiserver.Event, minReadySeconds func(T) time.Duration) {
	pod, after := subject(e).(*corev1.Pod), apiserver.WatchLatency
	if e.Type == watch.Modified {
		old := e.Old.(*corev1.Pod)
		if !podMoved(old, pod) {
			return
		}
		if (old.DeletionTimestamp == nil) == (pod.DeletionTimestamp == nil) {
			after = batch
		}
		if set, ok := o.named(pod.Namespace, metav1.GetControllerOfNoCopy(pod)); ok && !podReady(old) && podReady(pod) && minReadySeconds(set) > 0 {
			defer o.Queue.Add(keyOf(set), minReadySeconds(set))
		}
	}
	o.wake(e, after)
}

// podMoved says whether a pod's change can move what the owner of numbered pods, or of one on each node, looks at.
func podMoved(old, pod *corev1.Pod) bool {
	return podReady(old) != podReady(pod) || old.Status.Phase != pod.Status.Phase || old.Spec.NodeName != pod.Spec.NodeName ||
		(old.DeletionTimestamp == nil) != (pod.DeletionTimestamp == nil) ||
		!equality.Semantic.DeepEqual(old.Labels, pod.Labels) ||
		!equality.Semantic.DeepEqual(old.OwnerReferences, pod.OwnerReferences)
}

// claimPods are the pods of a set that match, terminating ones too, after those are adopted that nobody has and
// those let go that no longer match.
func (o owners[T]) claimPods(actor string, set T, ref metav1.OwnerReference, unowned orphans, matches func(*corev1.Pod) bool) ([]*corev1.Pod, error) {
	claim := claimer{Env: o.Env, actor: actor, kind: o.kind, owner: set, object: "Pod", ref: ref}
	var pods []*corev1.Pod
	var failed error
	consider := func(pod *corev1.Pod) {
		mine, err := claim.claim(pod, matches(pod))
		if err != nil && failed == nil {
			failed = err
		}
		if now, ok := apiserver.Get[*corev1.Pod](o.Client, pod.Namespace, pod.Name); mine && ok { // adopting writes
			pods = append(pods, now)
		}
	}
	for pod := range apiserver.Owned[*corev1.Pod](o.Client, set.GetUID()) {
		consider(pod)
	}
	for pod := range unowned.in(o.Client, set.GetNamespace()) {
		consider(pod)
	}
	return pods, failed
}
