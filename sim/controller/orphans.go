package controller

import (
	"iter"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
)

// orphans are the names of the pods that nobody controls, by namespace. A controller that adopts pods keeps them
// at hand: it need not look at every pod of a namespace for the few.
type orphans map[string]map[string]bool

func findOrphans(c *apiserver.Client) orphans {
	o := orphans{}
	for pod := range apiserver.List[*corev1.Pod](c, "") {
		o.note(pod, false)
	}
	return o
}

func (o orphans) note(pod *corev1.Pod, deleted bool) {
	in := o[pod.Namespace]
	if deleted || metav1.GetControllerOfNoCopy(pod) != nil {
		if delete(in, pod.Name); in != nil && len(in) == 0 {
			delete(o, pod.Namespace)
		}
		return
	}
	if in == nil {
		in = map[string]bool{}
		o[pod.Namespace] = in
	}
	in[pod.Name] = true
}

// in yields the orphans of a namespace, in the order of their names.
func (o orphans) in(c *apiserver.Client, namespace string) iter.Seq[*corev1.Pod] {
	names := slices.Sorted(maps.Keys(o[namespace]))
	return func(yield func(*corev1.Pod) bool) {
		for _, name := range names {
			if pod, ok := apiserver.Get[*corev1.Pod](c, namespace, name); ok && !yield(pod) {
				return
			}
		}
	}
}
