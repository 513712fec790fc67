package apiserver

import (
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validation of StatefulSets and ControllerRevisions (Kubernetes 1.37 pkg/apis/apps/validation).

func validateStatefulSet(s *appsv1.StatefulSet) field.ErrorList {
	f := findings{}
	f.statefulSetSpec(field.NewPath("spec"), &s.Spec, true)
	return f.errs
}

// validateStatefulSetUpdate: since 1.37 four fields are immutable, each with an error of its own, and all others
// may change. What was valid once is not asked of again where it may not change.
func validateStatefulSetUpdate(s, old *appsv1.StatefulSet) field.ErrorList {
	at := field.NewPath("spec")
	f := findings{}
	f.statefulSetSpec(at, &s.Spec, false)
	immutable := func(name string, new, old, shown any) {
		if errs := validation.ValidateImmutableField(new, old, at.Child(name)); len(errs) > 0 {
			f.add(field.Invalid(at.Child(name), shown, errs[0].Detail))
		}
	}
	immutable("selector", s.Spec.Selector, old.Spec.Selector, s.Spec.Selector)
	immutable("volumeClaimTemplates", s.Spec.VolumeClaimTemplates, old.Spec.VolumeClaimTemplates, inServer{claimTemplates(s)})
	immutable("serviceName", s.Spec.ServiceName, old.Spec.ServiceName, s.Spec.ServiceName)
	immutable("podManagementPolicy", s.Spec.PodManagementPolicy, old.Spec.PodManagementPolicy, s.Spec.PodManagementPolicy)
	return f.errs
}

// claimTemplates are a set's, as the server holds them: without their kind.
func claimTemplates(s *appsv1.StatefulSet) []v1.PersistentVolumeClaim {
	claims := slices.Clone(s.Spec.VolumeClaimTemplates)
	for i := range claims {
		claims[i].TypeMeta = metav1.TypeMeta{}
	}
	return claims
}

func (f *findings) statefulSetSpec(at *field.Path, spec *appsv1.StatefulSetSpec, created bool) {
	if p := spec.PodManagementPolicy; p == "" {
		f.required(at.Child("podManagementPolicy"), "")
	} else if p != appsv1.OrderedReadyPodManagement && p != appsv1.ParallelPodManagement {
		f.invalid(at.Child("podManagementPolicy"), p, fmt.Sprintf("must be '%s' or '%s'", appsv1.OrderedReadyPodManagement, appsv1.ParallelPodManagement))
	}
	f.statefulSetStrategy(at.Child("updateStrategy"), &spec.UpdateStrategy)
	if p := spec.PersistentVolumeClaimRetentionPolicy; p != nil {
		at := at.Child("persistentVolumeClaimRetentionPolicy")
		among(f, at.Child("whenDeleted"), p.WhenDeleted, appsv1.RetainPersistentVolumeClaimRetentionPolicyType, appsv1.DeletePersistentVolumeClaimRetentionPolicyType)
		among(f, at.Child("whenScaled"), p.WhenScaled, appsv1.RetainPersistentVolumeClaimRetentionPolicyType, appsv1.DeletePersistentVolumeClaimRetentionPolicyType)
	}
	for i := range spec.VolumeClaimTemplates {
		if created {
			f.claimSpec(at.Child("volumeClaimTemplates").Index(i).Child("spec"), &spec.VolumeClaimTemplates[i].Spec)
		}
	}
	f.nonNegative(at.Child("replicas"), int64(replicas(spec.Replicas)))
	f.nonNegative(at.Child("minReadySeconds"), int64(spec.MinReadySeconds))
	if spec.Ordinals != nil {
		f.nonNegative(at.Child("ordinals.start"), int64(spec.Ordinals.Start))
	}
	if created && spec.ServiceName != "" {
		f.label(at.Child("serviceName"), spec.ServiceName)
	}
	f.statefulSetTemplate(at, spec)
}

func (f *findings) statefulSetStrategy(at *field.Path, s *appsv1.StatefulSetUpdateStrategy) {
	switch s.Type {
	case "":
		f.required(at, "")
	case appsv1.OnDeleteStatefulSetStrategyType:
		if s.RollingUpdate != nil {
			f.invalid(at.Child("rollingUpdate"), inServer{shownStrategy(s).RollingUpdate},
				fmt.Sprintf("only allowed for updateStrategy '%s'", appsv1.RollingUpdateStatefulSetStrategyType))
		}
	case appsv1.RollingUpdateStatefulSetStrategyType:
		if r := s.RollingUpdate; r != nil {
			f.statefulSetRollingUpdate(at.Child("rollingUpdate"), r)
		}
	default:
		f.invalid(at, inServer{shownStrategy(s)}, fmt.Sprintf("must be '%s' or '%s'",
			appsv1.RollingUpdateStatefulSetStrategyType, appsv1.OnDeleteStatefulSetStrategyType))
	}
}

// shownStrategy is a strategy as the server has it: with a plain partition, no pointer.
func shownStrategy(s *appsv1.StatefulSetUpdateStrategy) *appsv1.StatefulSetUpdateStrategy {
	shown := s.DeepCopy()
	if shown.RollingUpdate != nil {
		orElsePtr(&shown.RollingUpdate.Partition, 0)
	}
	return shown
}

func (f *findings) statefulSetRollingUpdate(at *field.Path, r *appsv1.RollingUpdateStatefulSetStrategy) {
	if r.Partition != nil {
		f.nonNegative(at.Child("partition"), int64(*r.Partition))
	}
	if r.MaxUnavailable == nil {
		return
	}
	at = at.Child("maxUnavailable")
	f.countOrPercent(at, *r.MaxUnavailable)
	if figure(*r.MaxUnavailable) == 0 {
		f.invalid(at, *r.MaxUnavailable, "cannot be 0")
	}
	f.atMostAll(at, *r.MaxUnavailable)
}

// atMostAll: no more than 100 %.
func (f *findings) atMostAll(at *field.Path, v intstr.IntOrString) {
	if percent, ok := percentage(v); ok && percent > 100 {
		f.invalid(at, v, "must not be greater than 100%")
	}
}

// statefulSetTemplate: the selector picks the pods that the template makes, once the controller has put its
// claims among their volumes. It overwrites host name and subdomain, so that those may be anything.
func (f *findings) statefulSetTemplate(at *field.Path, spec *appsv1.StatefulSetSpec) {
	if s := spec.Selector; s == nil {
		f.required(at.Child("selector"), "")
	} else {
		f.labelSelector(at.Child("selector"), s)
		if len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
			f.invalid(at.Child("selector"), s, "empty selector is invalid for statefulset")
		}
	}
	template, inSpec := &spec.Template, at
	at = at.Child("template")
	if selector, err := metav1.LabelSelectorAsSelector(spec.Selector); err != nil {
		f.invalid(inSpec.Child("selector"), spec.Selector, "")
	} else {
		if !selector.Empty() && !selector.Matches(labels.Set(template.Labels)) {
			f.invalid(at.Child("metadata", "labels"), template.Labels, "`selector` does not match template `labels`")
		}
		whole := template.DeepCopy()
		whole.Spec.Hostname, whole.Spec.Subdomain = "", ""
		whole.Spec.Volumes = withClaims(whole.Spec.Volumes, spec.VolumeClaimTemplates)
		f.template(at, whole)
		// The real server asks these twice.
		f.labels(at.Child("labels"), template.Labels)
		f.addInOrder(validation.ValidateAnnotations(template.Annotations, at.Child("annotations")))
		f.annotations(at.Child("annotations"), template.Annotations, &template.Spec)
	}
	f.alwaysRestarts(at.Child("spec"), &template.Spec, "StatefulSet")
}

// withClaims are the volumes of a set's pod: one for each claim, in the place of those of the same name.
func withClaims(volumes []v1.Volume, claims []v1.PersistentVolumeClaim) []v1.Volume {
	var all []v1.Volume
	for _, c := range claims {
		if slices.ContainsFunc(all, func(v v1.Volume) bool { return v.Name == c.Name }) {
			continue
		}
		all = append(all, v1.Volume{Name: c.Name, VolumeSource: v1.VolumeSource{
			PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{ClaimName: c.Name}}})
	}
	for _, v := range volumes {
		if !slices.ContainsFunc(claims, func(c v1.PersistentVolumeClaim) bool { return c.Name == v.Name }) {
			all = append(all, v)
		}
	}
	return all
}

// alwaysRestarts: the pods of a set are to run for ever.
func (f *findings) alwaysRestarts(at *field.Path, spec *v1.PodSpec, kind string) {
	among(f, at.Child("restartPolicy"), spec.RestartPolicy, v1.RestartPolicyAlways)
	if spec.ActiveDeadlineSeconds != nil {
		f.forbidden(at.Child("activeDeadlineSeconds"), "activeDeadlineSeconds in "+kind+" is not Supported")
	}
}

func validateStatefulSetStatus(set, before *appsv1.StatefulSet) field.ErrorList {
	s, at := &set.Status, field.NewPath("status")
	f := findings{}
	f.counts(at, []count{
		{"replicas", int64(s.Replicas)}, {"readyReplicas", int64(s.ReadyReplicas)}, {"currentReplicas", int64(s.CurrentReplicas)},
		{"updatedReplicas", int64(s.UpdatedReplicas)}, {"availableReplicas", int64(s.AvailableReplicas)},
		{"observedGeneration", s.ObservedGeneration},
	}, nil)
	if s.CollisionCount != nil {
		f.nonNegative(at.Child("collisionCount"), int64(*s.CollisionCount))
	}
	for _, c := range []count{{"readyReplicas", int64(s.ReadyReplicas)}, {"currentReplicas", int64(s.CurrentReplicas)},
		{"updatedReplicas", int64(s.UpdatedReplicas)}, {"availableReplicas", int64(s.AvailableReplicas)}} {
		if c.n > int64(s.Replicas) {
			f.invalid(at.Child(c.name), int32(c.n), "cannot be greater than status.replicas")
		}
	}
	if s.AvailableReplicas > s.ReadyReplicas {
		f.invalid(at.Child("availableReplicas"), s.AvailableReplicas, "cannot be greater than status.readyReplicas")
	}
	f.notDecremented(at.Child("collisionCount"), s.CollisionCount, before.Status.CollisionCount)
	return f.errs
}

// notDecremented: a count of collisions only grows.
func (f *findings) notDecremented(at *field.Path, now, before *int32) {
	n := int32(0)
	if now != nil {
		n = *now
	}
	if before != nil && (now == nil || n < *before) {
		f.invalid(at, n, "cannot be decremented")
	}
}

func validateControllerRevision(r *appsv1.ControllerRevision) field.ErrorList {
	f, at := findings{}, field.NewPath("data")
	f.nonNegative(field.NewPath("revision"), r.Revision)
	var data any
	if r.Data.Raw == nil {
		f.required(at, "data is mandatory")
	} else if err := json.Unmarshal(r.Data.Raw, &data); err != nil {
		f.invalid(at, "<value omitted>", fmt.Sprintf("error parsing data: %v", err))
	} else if data == nil {
		f.required(at, "data is mandatory")
	} else if _, ok := data.(map[string]any); !ok {
		f.required(at, "data must be a valid JSON object")
	}
	return f.errs
}

func validateControllerRevisionUpdate(r, old *appsv1.ControllerRevision) field.ErrorList {
	f := findings{}
	f.nonNegative(field.NewPath("revision"), r.Revision)
	f.add(validation.ValidateImmutableField(r.Data, old.Data, field.NewPath("data"))...)
	return f.errs
}
