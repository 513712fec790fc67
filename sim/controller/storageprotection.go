package controller

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	claimProtectionController  = "pvc-protection-controller"
	volumeProtectionController = "pv-protection-controller"
)

// claimProtection keeps a claim that is being deleted until no pod uses it any more (pkg/controller/volume/
// pvcprotection). A pod that has no node yet does not count: no kubelet starts it with such a claim.
type claimProtection struct{ Env }

func newClaimProtection(env Env) Component { return &claimProtection{env} }

func (c *claimProtection) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *corev1.PersistentVolumeClaim:
		if o.DeletionTimestamp != nil && e.Type != watch.Deleted {
			c.soon(keyOf(o))
		}
	case *corev1.Pod:
		if e.Type != watch.Deleted {
			return
		}
		for claim := range apiserver.List[*corev1.PersistentVolumeClaim](c.Client, o.Namespace) {
			if claim.DeletionTimestamp != nil && usesClaim(o, claim.Name) {
				c.soon(keyOf(claim))
			}
		}
	}
}

func (c *claimProtection) Resync() {
	for claim := range apiserver.List[*corev1.PersistentVolumeClaim](c.Client, "") {
		if claim.DeletionTimestamp != nil {
			c.soon(keyOf(claim))
		}
	}
}

func (c *claimProtection) Sync(key string) error {
	namespace, name := splitKey(key)
	claim, ok := apiserver.Get[*corev1.PersistentVolumeClaim](c.Client, namespace, name)
	if !ok || claim.DeletionTimestamp == nil || !slices.Contains(claim.Finalizers, apiserver.ClaimProtection) {
		return nil
	}
	for pod := range apiserver.List[*corev1.Pod](c.Client, namespace) {
		if pod.Spec.NodeName != "" && usesClaim(pod, name) {
			return nil
		}
	}
	return c.decided(claimProtectionController, refTo("PersistentVolumeClaim", claim), trace.Decision{What: Finalize, Note: apiserver.ClaimProtection},
		func() error { return c.dropFinalizer(claim, apiserver.ClaimProtection) })
}

// volumeProtection keeps a volume that is being deleted until no claim is bound to it (pkg/controller/volume/pvprotection).
type volumeProtection struct{ Env }

func newVolumeProtection(env Env) Component { return &volumeProtection{env} }

func (c *volumeProtection) Observe(e apiserver.Event) {
	if v, ok := e.New.(*corev1.PersistentVolume); ok && v.DeletionTimestamp != nil && e.Type != watch.Deleted {
		c.soon(v.Name)
	}
}

func (c *volumeProtection) Resync() {
	for v := range apiserver.List[*corev1.PersistentVolume](c.Client, "") {
		if v.DeletionTimestamp != nil {
			c.soon(v.Name)
		}
	}
}

func (c *volumeProtection) Sync(key string) error {
	v, ok := apiserver.Get[*corev1.PersistentVolume](c.Client, "", key)
	if !ok || v.DeletionTimestamp == nil || v.Status.Phase == corev1.VolumeBound || !slices.Contains(v.Finalizers, apiserver.VolumeProtection) {
		return nil
	}
	return c.decided(volumeProtectionController, refTo("PersistentVolume", v), trace.Decision{What: Finalize, Note: apiserver.VolumeProtection},
		func() error { return c.dropFinalizer(v, apiserver.VolumeProtection) })
}
