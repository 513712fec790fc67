package apiserver

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateMetadata is what every kind's metadata must be. The library walks labels and annotations as they come out of
// their maps: its errors about one field are put in order.
func (r *Resource) validateMetadata(o Object, path *field.Path) field.ErrorList {
	var f findings
	f.addInOrder(apivalidation.ValidateObjectMetaAccessor(o, r.Namespaced, r.validName, path))
	f.add(validateFinalizers(o.GetFinalizers(), path.Child("finalizers"))...)
	return f.errs
}

// sameMetadata says whether nothing differs that is validated at an update.
func sameMetadata(a, b Object) bool {
	sameTime := func(x, y *metav1.Time) bool { return x == y || x != nil && x.Equal(y) }
	return a.GetName() == b.GetName() && a.GetNamespace() == b.GetNamespace() && a.GetUID() == b.GetUID() &&
		a.GetGenerateName() == b.GetGenerateName() && a.GetGeneration() == b.GetGeneration() &&
		a.GetResourceVersion() == b.GetResourceVersion() &&
		a.GetCreationTimestamp().Time.Equal(b.GetCreationTimestamp().Time) && sameTime(a.GetDeletionTimestamp(), b.GetDeletionTimestamp()) &&
		equality.Semantic.DeepEqual(a.GetDeletionGracePeriodSeconds(), b.GetDeletionGracePeriodSeconds()) &&
		maps.Equal(a.GetLabels(), b.GetLabels()) && maps.Equal(a.GetAnnotations(), b.GetAnnotations()) &&
		slices.Equal(a.GetFinalizers(), b.GetFinalizers()) &&
		equality.Semantic.DeepEqual(a.GetOwnerReferences(), b.GetOwnerReferences()) &&
		len(a.GetManagedFields()) == 0 && len(b.GetManagedFields()) == 0
}

// validateFinalizers wants a domain in a finalizer's name, unless it is one of Kubernetes' own
// (Kubernetes 1.37 pkg/apis/core/validation, validateKubeFinalizerName).
func validateFinalizers(names []string, path *field.Path) (errs field.ErrorList) {
	standard := []string{string(corev1.FinalizerKubernetes), metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents}
	for i, name := range names {
		if !strings.Contains(name, "/") && !slices.Contains(standard, name) {
			errs = append(errs, field.Invalid(path.Index(i), name, "name is neither a standard finalizer name nor is it fully qualified"))
		}
	}
	return errs
}
