package apiserver

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// The finalizers that keep a claim while a pod uses it, and a volume while a claim is bound to it
// (pkg/volume/util/finalizer.go).
const (
	ClaimProtection  = "kubernetes.io/pvc-protection"
	VolumeProtection = "kubernetes.io/pv-protection"
)

const (
	defaultClassKey     = "storageclass.kubernetes.io/is-default-class"
	betaDefaultClassKey = "storageclass.beta.kubernetes.io/is-default-class"
)

// defaultStorageClassName gives a new claim that names no class the default one, if there is one. A claim of the
// class "" wants none (plugin/pkg/admission/storage/storageclass/setdefault).
func defaultStorageClassName(s *Server, r *request, o, old Object) error {
	claim, ok := o.(*corev1.PersistentVolumeClaim)
	if !ok || old != nil || r.subresource != "" || claim.Spec.StorageClassName != nil {
		return nil
	}
	if _, ok := claim.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return nil
	}
	if class := defaultStorageClassOf(s.caches[s.kindNamed("StorageClass")].in("")); class != nil {
		name := class.Name
		claim.Spec.StorageClassName = &name
	}
	return nil
}

// DefaultStorageClass is the class of claims that name none; nil: there is none.
func DefaultStorageClass(c *Client) *storagev1.StorageClass {
	return defaultStorageClassOf(cacheOf[*storagev1.StorageClass](c).in(""))
}

// defaultStorageClassOf is the newest of the classes marked as the default (pkg/volume/util/storageclass.go).
func defaultStorageClassOf(classes []Object) (found *storagev1.StorageClass) {
	for _, o := range classes {
		class, ok := o.(*storagev1.StorageClass)
		if !ok || class.Annotations[defaultClassKey] != "true" && class.Annotations[betaDefaultClassKey] != "true" {
			continue
		}
		if found == nil || cmp.Or(class.CreationTimestamp.Compare(found.CreationTimestamp.Time), cmp.Compare(found.Name, class.Name)) > 0 {
			found = class
		}
	}
	return found
}

// protectStorage has new claims and volumes stay while they are in use
// (plugin/pkg/admission/storage/storageobjectinuseprotection).
func protectStorage(_ *Server, r *request, o, old Object) error {
	if old != nil || r.subresource != "" {
		return nil
	}
	finalizer := ""
	switch o.(type) {
	case *corev1.PersistentVolumeClaim:
		finalizer = ClaimProtection
	case *corev1.PersistentVolume:
		finalizer = VolumeProtection
	default:
		return nil
	}
	if !slices.Contains(o.GetFinalizers(), finalizer) {
		o.SetFinalizers(append(o.GetFinalizers(), finalizer))
	}
	return nil
}

// VolumeReaches says whether a node can use a volume: whether it is where the volume's node affinity wants it.
func VolumeReaches(v *corev1.PersistentVolume, node *corev1.Node) bool {
	if v.Spec.NodeAffinity == nil || v.Spec.NodeAffinity.Required == nil {
		return true
	}
	fits, err := nodeaffinity.NewNodeSelector(v.Spec.NodeAffinity.Required)
	return err == nil && fits.Match(node)
}
