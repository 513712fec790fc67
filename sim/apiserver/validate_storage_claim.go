package apiserver

import (
	"fmt"
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateClaim(c *v1.PersistentVolumeClaim) field.ErrorList {
	var f findings
	f.claimSpec(field.NewPath("spec"), &c.Spec)
	return f.errs
}

// dataSources are what a claim's volume begins with. The old field and the new one say the same.
func (f *findings) dataSources(at *field.Path, c *v1.PersistentVolumeClaimSpec) {
	source, ref := c.DataSource, c.DataSourceRef
	if source != nil {
		f.dataSource(at.Child("dataSource"), source.APIGroup, source.Kind, source.Name)
	}
	if ref != nil {
		at := at.Child("dataSourceRef")
		f.dataSource(at, ref.APIGroup, ref.Kind, ref.Name)
		if ref.Namespace != nil && *ref.Namespace != "" {
			f.label(at.Child("namespace"), *ref.Namespace)
		}
	}
	switch {
	case source == nil || ref == nil:
	case ref.Namespace != nil && *ref.Namespace != "":
		f.invalid(at, at.Child("dataSource"), "may not be specified when dataSourceRef.namespace is specified")
	case !equality.Semantic.DeepEqual(source.APIGroup, ref.APIGroup) || source.Kind != ref.Kind || source.Name != ref.Name:
		f.invalid(at, at.Child("dataSource"), "must match dataSourceRef")
	}
}

func (f *findings) dataSource(at *field.Path, group *string, kind, name string) {
	f.need(at, "name", name, "kind", kind)
	switch {
	case group != nil && *group != "":
		f.subdomain(at.Child("apiGroup"), *group)
	case kind != "PersistentVolumeClaim":
		f.invalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
	}
}

// validateClaimUpdate: of a claim's spec only the volume's name may be filled in, once, and the size and the class
// of attributes of a bound one may change.
func validateClaimUpdate(new, old *v1.PersistentVolumeClaim) field.ErrorList {
	f := findings{errs: validateClaim(new)}
	spec, was := new.Spec.DeepCopy(), old.Spec.DeepCopy()
	if was.VolumeName == "" {
		was.VolumeName = spec.VolumeName
	}
	f.claimClass(new, old, spec)
	at := field.NewPath("spec")
	if new.Status.Phase == v1.ClaimBound {
		if spec.Resources.Requests != nil {
			spec.Resources.Requests[v1.ResourceStorage] = old.Spec.Resources.Requests[v1.ResourceStorage]
		}
		spec.VolumeAttributesClassName = was.VolumeAttributesClassName
	}
	if !equality.Semantic.DeepEqual(spec, was) {
		f.forbidden(at, fmt.Sprintf("spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n%v",
			diff.Diff(inServer{*was}, inServer{*spec})))
	}
	size, before, has := new.Spec.Resources.Requests[v1.ResourceStorage], old.Spec.Resources.Requests[v1.ResourceStorage], old.Status.Capacity[v1.ResourceStorage]
	if size.Cmp(before) < 0 && size.Cmp(has) <= 0 {
		f.forbidden(at.Child("resources", "requests", "storage"), "field can not be less than status.capacity")
	}
	f.add(apivalidation.ValidateImmutableField(new.Spec.VolumeMode, old.Spec.VolumeMode, field.NewPath("volumeMode"))...)
	if old.Status.CurrentVolumeAttributesClassName != nil && !equality.Semantic.DeepEqual(new.Spec.VolumeAttributesClassName, old.Spec.VolumeAttributesClassName) {
		switch class, at := new.Spec.VolumeAttributesClassName, at.Child("volumeAttributesClassName"); {
		case class == nil:
			f.forbidden(at, "update to nil is forbidden when status.currentVolumeAttributesClassName is not nil")
		case *class == "":
			f.forbidden(at, "update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil")
		}
	}
	return f.errs
}

// claimClass lets a claim that has no class get one, by the field or, as in clusters of old, by an annotation. What
// may change is put back in spec.
func (f *findings) claimClass(new, old *v1.PersistentVolumeClaim, spec *v1.PersistentVolumeClaimSpec) {
	const key = v1.BetaStorageClassAnnotation
	was, had := old.Annotations[key]
	is, has := new.Annotations[key]
	from, to := old.Spec.StorageClassName, new.Spec.StorageClassName
	if had && from == nil && to != nil && *to == was && (!has || is == was) {
		spec.StorageClassName = nil
		return
	}
	f.add(apivalidation.ValidateImmutableField(is, was, field.NewPath("metadata", "annotations").Key(key))...)
	if to != nil && from == nil && (!had || *to == was) {
		spec.StorageClassName = nil
	}
}

func validateClaimStatus(new, _ *v1.PersistentVolumeClaim) field.ErrorList {
	f := findings{errs: needVersion(new)}
	if len(new.Spec.AccessModes) == 0 {
		f.required(field.NewPath("Spec", "accessModes"), "")
	}
	status := field.NewPath("status")
	for _, name := range slices.Sorted(maps.Keys(new.Status.Capacity)) {
		q := new.Status.Capacity[name]
		f.basicQuantity(status.Child("capacity").Key(string(name)), q.Value())
	}
	at := status.Child("allocatedResourceStatuses")
	for _, name := range slices.Sorted(maps.Keys(new.Status.AllocatedResourceStatuses)) {
		f.claimResourceKey(at, name)
		states := []v1.ClaimResourceStatus{v1.PersistentVolumeClaimControllerResizeInfeasible, v1.PersistentVolumeClaimControllerResizeInProgress,
			v1.PersistentVolumeClaimNodeResizeInfeasible, v1.PersistentVolumeClaimNodeResizeInProgress, v1.PersistentVolumeClaimNodeResizePending}
		if !slices.Contains(states, new.Status.AllocatedResourceStatuses[name]) {
			f.add(field.NotSupported(at, name, states))
		}
	}
	at = status.Child("allocatedResources")
	for _, name := range slices.Sorted(maps.Keys(new.Status.AllocatedResources)) {
		if q := new.Status.AllocatedResources[name]; f.claimResourceKey(at, name) {
			f.basicQuantity(at.Key(string(name)), q.Value())
		}
	}
	return f.errs
}
