package apiserver

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validation of DaemonSets (Kubernetes 1.37 pkg/apis/apps/validation).

func validateDaemonSet(d *appsv1.DaemonSet) field.ErrorList {
	f := findings{}
	f.daemonSetSpec(field.NewPath("spec"), &d.Spec)
	return f.errs
}

func validateDaemonSetUpdate(d, old *appsv1.DaemonSet) field.ErrorList {
	at := field.NewPath("spec")
	f := findings{}
	f.add(validation.ValidateImmutableField(d.Spec.Selector, old.Spec.Selector, at.Child("selector"))...)
	f.daemonSetSpec(at, &d.Spec)
	return f.errs
}

func (f *findings) daemonSetSpec(at *field.Path, spec *appsv1.DaemonSetSpec) {
	s, template := spec.Selector, at.Child("template")
	if s != nil {
		f.labelSelector(at.Child("selector"), s)
	}
	if selector, err := metav1.LabelSelectorAsSelector(s); err == nil && !selector.Matches(labels.Set(spec.Template.Labels)) {
		f.invalid(template.Child("metadata", "labels"), spec.Template.Labels, "`selector` does not match template `labels`")
	}
	if s != nil && len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
		f.invalid(at.Child("selector"), s, "empty selector is invalid for daemonset")
	}
	f.template(template, &spec.Template)
	f.alwaysRestarts(template.Child("spec"), &spec.Template.Spec, "DaemonSet")
	f.nonNegative(at.Child("minReadySeconds"), int64(spec.MinReadySeconds))
	f.daemonSetStrategy(at.Child("updateStrategy"), &spec.UpdateStrategy)
	if n := spec.RevisionHistoryLimit; n != nil {
		f.nonNegative(at.Child("revisionHistoryLimit"), int64(*n))
	}
}

func (f *findings) daemonSetStrategy(at *field.Path, s *appsv1.DaemonSetUpdateStrategy) {
	switch s.Type {
	case appsv1.OnDeleteDaemonSetStrategyType:
	case appsv1.RollingUpdateDaemonSetStrategyType:
		if s.RollingUpdate == nil {
			f.required(at.Child("rollingUpdate"), "")
			return
		}
		f.daemonSetRollingUpdate(at.Child("rollingUpdate"), s.RollingUpdate)
	default:
		shown := s.DeepCopy()
		if shown.RollingUpdate != nil { // where the server has plain values, not pointers
			orElsePtr(&shown.RollingUpdate.MaxUnavailable, intstr.IntOrString{})
			orElsePtr(&shown.RollingUpdate.MaxSurge, intstr.IntOrString{})
		}
		f.add(field.NotSupported(at, inServer{shown}, []appsv1.DaemonSetUpdateStrategyType{
			appsv1.RollingUpdateDaemonSetStrategyType, appsv1.OnDeleteDaemonSetStrategyType}))
	}
}

// daemonSetRollingUpdate: either pods may be missing or nodes may have two, not both and not neither.
func (f *findings) daemonSetRollingUpdate(at *field.Path, r *appsv1.RollingUpdateDaemonSet) {
	unavailable, surge := intstr.ValueOrDefault(r.MaxUnavailable, intstr.IntOrString{}), intstr.ValueOrDefault(r.MaxSurge, intstr.IntOrString{})
	f.countOrPercent(at.Child("maxUnavailable"), *unavailable)
	f.countOrPercent(at.Child("maxSurge"), *surge)
	f.atMostAll(at.Child("maxUnavailable"), *unavailable)
	f.atMostAll(at.Child("maxSurge"), *surge)
	switch missing, twice := figure(*unavailable) != 0, figure(*surge) != 0; {
	case missing && twice:
		f.invalid(at.Child("maxSurge"), *surge, "may not be set when maxUnavailable is non-zero")
	case !missing && !twice:
		f.required(at.Child("maxUnavailable"), "cannot be 0 when maxSurge is 0")
	}
}

func validateDaemonSetStatus(d, old *appsv1.DaemonSet) field.ErrorList {
	s, at := &d.Status, field.NewPath("status")
	f := findings{}
	f.counts(at, []count{
		{"currentNumberScheduled", int64(s.CurrentNumberScheduled)}, {"numberMisscheduled", int64(s.NumberMisscheduled)},
		{"desiredNumberScheduled", int64(s.DesiredNumberScheduled)}, {"numberReady", int64(s.NumberReady)},
		{"observedGeneration", s.ObservedGeneration}, {"updatedNumberScheduled", int64(s.UpdatedNumberScheduled)},
		{"numberAvailable", int64(s.NumberAvailable)}, {"numberUnavailable", int64(s.NumberUnavailable)},
	}, nil)
	if s.CollisionCount != nil {
		f.nonNegative(at.Child("collisionCount"), int64(*s.CollisionCount))
	}
	f.notDecremented(at.Child("collisionCount"), s.CollisionCount, old.Status.CollisionCount)
	return f.errs
}
