package apiserver

import (
	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
)

// What the API fills in, keeps and drops of claims, volumes and their classes, as Kubernetes 1.37
// pkg/apis/{core,storage}/v1/defaults.go, pkg/api/persistentvolumeclaim and the strategies do.

func defaultClaim(c *v1.PersistentVolumeClaim) {
	orElse(&c.Status.Phase, v1.ClaimPending)
	defaultClaimSpec(&c.Spec)
	roundToMilli(c.Status.Capacity)
	roundToMilli(c.Status.AllocatedResources)
}

func defaultClaimSpec(s *v1.PersistentVolumeClaimSpec) {
	orElsePtr(&s.VolumeMode, v1.PersistentVolumeFilesystem)
	roundToMilli(s.Resources.Limits)
	roundToMilli(s.Resources.Requests)
}

func prepareClaim(c *v1.PersistentVolumeClaim) {
	c.Status = v1.PersistentVolumeClaimStatus{Phase: v1.ClaimPending}
	settleDataSource(&c.Spec, nil)
}

func prepareClaimUpdate(new, old *v1.PersistentVolumeClaim) {
	new.Status = old.Status
	settleDataSource(&new.Spec, &old.Spec)
}

// prepareClaimStatus keeps the spec, and drops the health of volumes, which is behind a gate that is off.
func prepareClaimStatus(new, old *v1.PersistentVolumeClaim) {
	new.Spec = old.Spec
	if old.Status.HealthStatus == nil {
		new.Status.HealthStatus = nil
	}
}

// settleDataSource: a claim's data comes from a claim or a snapshot, told in the old field or the new one, which
// say the same in the end (KEP-1495). Sources in other namespaces are behind a gate that is off.
func settleDataSource(s, old *v1.PersistentVolumeClaimSpec) {
	if ref := s.DataSourceRef; ref != nil && ref.Namespace != nil && *ref.Namespace != "" && (old == nil || old.DataSourceRef == nil) {
		s.DataSourceRef = nil
	}
	had := old != nil && (old.DataSource != nil || old.DataSourceRef != nil)
	if !had && s.DataSourceRef == nil && !claimOrSnapshot(s.DataSource) {
		s.DataSource = nil
	}
	source, ref := s.DataSource, s.DataSourceRef
	switch {
	case source != nil && ref == nil:
		s.DataSourceRef = &v1.TypedObjectReference{APIGroup: clonePtr(source.APIGroup), Kind: source.Kind, Name: source.Name}
	case source == nil && ref != nil && (ref.Namespace == nil || *ref.Namespace == ""):
		s.DataSource = &v1.TypedLocalObjectReference{APIGroup: clonePtr(ref.APIGroup), Kind: ref.Kind, Name: ref.Name}
	}
}

func claimOrSnapshot(ref *v1.TypedLocalObjectReference) bool {
	if ref == nil {
		return false
	}
	group := ""
	if ref.APIGroup != nil {
		group = *ref.APIGroup
	}
	return ref.Kind == "PersistentVolumeClaim" && group == "" || ref.Kind == "VolumeSnapshot" && group == "snapshot.storage.k8s.io"
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func defaultVolumeObject(v *v1.PersistentVolume) {
	orElse(&v.Status.Phase, v1.VolumePending)
	orElse(&v.Spec.PersistentVolumeReclaimPolicy, v1.PersistentVolumeReclaimRetain)
	orElsePtr(&v.Spec.VolumeMode, v1.PersistentVolumeFilesystem)
	roundToMilli(v.Spec.Capacity)
	if h := v.Spec.HostPath; h != nil {
		orElsePtr(&h.Type, v1.HostPathUnset)
	}
}

// prepareVolumeStatus keeps the moment of the last change of phase while the phase stays.
func prepareVolumeStatus(new, old *v1.PersistentVolume) {
	new.Spec = old.Spec
	if new.Status.Phase == old.Status.Phase && new.Status.LastPhaseTransitionTime == nil {
		new.Status.LastPhaseTransitionTime = old.Status.LastPhaseTransitionTime
	}
}

func defaultStorageClass(s *storagev1.StorageClass) {
	orElsePtr(&s.ReclaimPolicy, v1.PersistentVolumeReclaimDelete)
	orElsePtr(&s.VolumeBindingMode, storagev1.VolumeBindingImmediate)
}
