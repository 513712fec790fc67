package sim

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"timonier/sim/apiserver"
)

// LoadAnnotation is how much CPU the world asks of a workload. On a pod it is what that pod uses: 250m. On what
// controls pods, directly or not (a ReplicaSet, its Deployment …), it is a total that its ready pods share equally, so
// that more replicas relieve each other. A pod's own counts first, then that of its controller, and so on up; but never
// that of a Deployment's ReplicaSet, which has copies of the Deployment's annotations, those included that it has lost.
const LoadAnnotation = "timonier/load"

// meter measures what pods use, for metrics.k8s.io. It computes when it is asked, and keeps nothing.
type meter struct{ *Cluster }

// Pods implements apiserver.Metrics.
func (m meter) Pods(pods []*corev1.Pod) map[*corev1.Pod][]apiserver.Usage {
	at := m.Now().UTC().Truncate(apiserver.MetricsWindow)
	shares := map[types.UID]int64{} // of what controls pods: the load of each of its ready ones; −1: none
	measured := map[*corev1.Pod][]apiserver.Usage{}
	for _, pod := range pods {
		k := m.kubelets[pod.Spec.NodeName]
		if k == nil {
			continue
		}
		if u := k.Usage(pod, m.load(pod, shares), at); len(u) > 0 {
			measured[pod] = u
		}
	}
	return measured
}

// Node implements apiserver.Metrics.
func (m meter) Node(node *corev1.Node) (apiserver.Usage, bool) {
	k := m.kubelets[node.Name]
	if k == nil {
		return apiserver.Usage{}, false
	}
	return k.NodeUsage(m.Now().UTC().Truncate(apiserver.MetricsWindow))
}

// load is what is asked of a pod, in thousandths of a CPU; −1: nothing in particular.
func (m meter) load(pod *corev1.Pod, shares map[types.UID]int64) int64 {
	if n, ok := loadOf(pod); ok {
		return n
	}
	if !sharesLoad(pod) {
		return -1
	}
	const deepest = 4 // controllers above a pod
	ref, namespace := metav1.GetControllerOfNoCopy(pod), pod.Namespace
	for range deepest {
		if ref == nil {
			return -1
		}
		if share, known := shares[ref.UID]; known && share >= 0 {
			return share
		}
		gv, err := schema.ParseGroupVersion(ref.APIVersion)
		if err != nil {
			return -1
		}
		owner, ok := m.Client().Lookup(gv.WithKind(ref.Kind).GroupKind(), namespace, ref.Name)
		if !ok || owner.GetUID() != ref.UID {
			return -1
		}
		shares[ref.UID] = -1
		above := metav1.GetControllerOfNoCopy(owner)
		if total, ok := loadOf(owner); ok && !copies(ref, above) {
			shares[ref.UID] = total / max(1, m.readyUnder(owner.GetUID(), deepest))
			return shares[ref.UID]
		}
		ref = above
	}
	return -1
}

// copies says whether an object's annotations are those of its controller
// (Kubernetes 1.37 pkg/controller/deployment/util/deployment_util.go, SetNewReplicaSetAnnotations).
func copies(of, controller *metav1.OwnerReference) bool {
	return of.Kind == "ReplicaSet" && controller != nil && controller.Kind == "Deployment"
}

// readyUnder counts the ready pods that an object controls, directly or not.
func (m meter) readyUnder(owner types.UID, depth int) (n int64) {
	for pod := range apiserver.Owned[*corev1.Pod](m.Client(), owner) {
		if sharesLoad(pod) {
			n++
		}
	}
	if depth > 1 {
		for _, o := range m.Client().Controlled(owner) {
			n += m.readyUnder(o.GetUID(), depth-1)
		}
	}
	return n
}

// sharesLoad says whether a pod gets its part of a load: a Service sends requests to ready pods only.
func sharesLoad(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// loadOf reads an object's annotation; false where there is none, or none that can be read.
func loadOf(o metav1.Object) (int64, bool) {
	text, ok := o.GetAnnotations()[LoadAnnotation]
	if !ok {
		return 0, false
	}
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 || q.Cmp(*resource.NewQuantity(1_000_000, resource.DecimalSI)) > 0 {
		return 0, false
	}
	return q.MilliValue(), true
}
