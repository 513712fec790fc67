package controller

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	resourceQuotaController = "resourcequota-controller"
	// quotaResync is how long it takes until a charge for something that did not come to exist is seen
	// (--resource-quota-sync-period).
	quotaResync = 5 * time.Minute
)

// resourceQuotas counts again what the objects of a namespace cost: when a quota is new or changed, and when
// something has gone or ended (pkg/controller/resourcequota). What is new, admission has charged already.
type resourceQuotas struct{ Env }

func newResourceQuotas(env Env) Component { return &resourceQuotas{env} }

func (c *resourceQuotas) Observe(e apiserver.Event) {
	if q, ok := e.New.(*corev1.ResourceQuota); ok && e.Type != watch.Deleted {
		old, _ := e.Old.(*corev1.ResourceQuota)
		switch {
		case old == nil || !equality.Semantic.DeepEqual(old.Spec, q.Spec):
			c.soon(keyOf(q))
		case !equality.Semantic.DeepEqual(old.Status.Used, q.Status.Used): // charged: true until then
			c.Queue.Add(keyOf(q), quotaResync)
		}
	}
	if !frees(e) {
		return
	}
	for q := range apiserver.List[*corev1.ResourceQuota](c.Client, subject(e).GetNamespace()) {
		if apiserver.QuotaCounts(q, e.Resource) {
			c.soon(keyOf(q))
		}
	}
}

// frees says whether a change may make room in a quota.
func frees(e apiserver.Event) bool {
	if !e.Resource.Namespaced || e.Resource.TTL > 0 {
		return false
	}
	if e.Type == watch.Deleted {
		return true
	}
	if e.Old == nil {
		return false
	}
	switch o := e.New.(type) {
	case *corev1.Pod:
		return podTerminal(o) && !podTerminal(e.Old.(*corev1.Pod))
	case *corev1.Service:
		return o.Spec.Type != e.Old.(*corev1.Service).Spec.Type || len(o.Spec.Ports) < len(e.Old.(*corev1.Service).Spec.Ports)
	case *corev1.PersistentVolumeClaim:
		old := e.Old.(*corev1.PersistentVolumeClaim)
		return !equality.Semantic.DeepEqual(old.Spec, o.Spec) || !equality.Semantic.DeepEqual(old.Status.AllocatedResources, o.Status.AllocatedResources)
	}
	return false
}

func (c *resourceQuotas) Resync() {
	for q := range apiserver.List[*corev1.ResourceQuota](c.Client, "") {
		c.soon(keyOf(q))
	}
}

func (c *resourceQuotas) Sync(key string) error {
	namespace, name := splitKey(key)
	q, ok := apiserver.Get[*corev1.ResourceQuota](c.Client, namespace, name)
	if !ok {
		return nil
	}
	used := apiserver.QuotaUsage(c.Client, q)
	for name := range q.Spec.Hard { // of what nobody counts, the usage stays as it was
		if _, counted := used[name]; counted {
			continue
		}
		if before, ok := q.Status.Used[name]; ok {
			used[name] = before
		}
	}
	if equality.Semantic.DeepEqual(q.Status.Hard, q.Spec.Hard) && equality.Semantic.DeepEqual(q.Status.Used, used) {
		return nil
	}
	next := q.DeepCopy()
	next.Status = corev1.ResourceQuotaStatus{Hard: next.Spec.Hard, Used: used}
	return c.decided(resourceQuotaController, refTo("ResourceQuota", q), trace.Decision{What: CountQuota, Count: int64(len(used))}, func() error {
		_, err := c.Client.UpdateStatus(next)
		return gone(err)
	})
}
