package apiserver

import (
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validation of ReplicaSets and Deployments (Kubernetes 1.37
// pkg/apis/apps/validation), and of the pod templates in them.

func validateReplicaSet(o Object) field.ErrorList {
	f := findings{}
	f.replicaSetSpec(field.NewPath("spec"), &o.(*appsv1.ReplicaSet).Spec)
	return f.errs
}

func validateReplicaSetUpdate(o, before Object) field.ErrorList {
	at := field.NewPath("spec")
	rs, old := o.(*appsv1.ReplicaSet), before.(*appsv1.ReplicaSet)
	f := findings{}
	f.replicaSetSpec(at, &rs.Spec)
	f.add(validation.ValidateImmutableField(rs.Spec.Selector, old.Spec.Selector, at.Child("selector"))...)
	return f.errs
}

func (f *findings) replicaSetSpec(at *field.Path, spec *appsv1.ReplicaSetSpec) {
	f.nonNegative(at.Child("replicas"), int64(replicas(spec.Replicas)))
	f.nonNegative(at.Child("minReadySeconds"), int64(spec.MinReadySeconds))
	f.selectorAndTemplate(at, spec.Selector, &spec.Template)
}

func validateReplicaSetStatus(o, _ Object) field.ErrorList {
	s, at := &o.(*appsv1.ReplicaSet).Status, field.NewPath("status")
	f := findings{}
	f.counts(at, []count{
		{"replicas", int64(s.Replicas)}, {"fullyLabeledReplicas", int64(s.FullyLabeledReplicas)},
		{"readyReplicas", int64(s.ReadyReplicas)}, {"availableReplicas", int64(s.AvailableReplicas)},
		{"observedGeneration", s.ObservedGeneration},
	}, s.TerminatingReplicas)
	f.atMostReplicas(at, s.Replicas, s.ReadyReplicas, s.AvailableReplicas, "fullyLabeledReplicas", s.FullyLabeledReplicas)
	return f.errs
}

func validateDeployment(o Object) field.ErrorList {
	f := findings{}
	f.deploymentSpec(field.NewPath("spec"), &o.(*appsv1.Deployment).Spec)
	return f.errs
}

func validateDeploymentUpdate(o, before Object) field.ErrorList {
	at := field.NewPath("spec")
	d, old := o.(*appsv1.Deployment), before.(*appsv1.Deployment)
	f := findings{}
	f.deploymentSpec(at, &d.Spec)
	f.add(validation.ValidateImmutableField(d.Spec.Selector, old.Spec.Selector, at.Child("selector"))...)
	return f.errs
}

func (f *findings) deploymentSpec(at *field.Path, spec *appsv1.DeploymentSpec) {
	f.nonNegative(at.Child("replicas"), int64(replicas(spec.Replicas)))
	f.selectorAndTemplate(at, spec.Selector, &spec.Template)
	f.strategy(at.Child("strategy"), &spec.Strategy)
	f.nonNegative(at.Child("minReadySeconds"), int64(spec.MinReadySeconds))
	if n := spec.RevisionHistoryLimit; n != nil {
		f.nonNegative(at.Child("revisionHistoryLimit"), int64(*n))
	}
	if n := spec.ProgressDeadlineSeconds; n != nil {
		f.nonNegative(at.Child("progressDeadlineSeconds"), int64(*n))
		if *n <= spec.MinReadySeconds {
			f.invalid(at.Child("progressDeadlineSeconds"), n, "must be greater than minReadySeconds")
		}
	}
}

func validateDeploymentStatus(o, before Object) field.ErrorList {
	s, old, at := &o.(*appsv1.Deployment).Status, &before.(*appsv1.Deployment).Status, field.NewPath("status")
	f := findings{}
	f.counts(at, []count{
		{"observedGeneration", s.ObservedGeneration}, {"replicas", int64(s.Replicas)},
		{"updatedReplicas", int64(s.UpdatedReplicas)}, {"readyReplicas", int64(s.ReadyReplicas)},
		{"availableReplicas", int64(s.AvailableReplicas)}, {"unavailableReplicas", int64(s.UnavailableReplicas)},
	}, s.TerminatingReplicas)
	var collisions, before32 int32
	if s.CollisionCount != nil {
		collisions = *s.CollisionCount
		f.nonNegative(at.Child("collisionCount"), int64(collisions))
	}
	if old.CollisionCount != nil {
		before32 = *old.CollisionCount
	}
	f.atMostReplicas(at, s.Replicas, s.ReadyReplicas, s.AvailableReplicas, "updatedReplicas", s.UpdatedReplicas)
	if old.CollisionCount != nil && (s.CollisionCount == nil || collisions < before32) {
		f.invalid(at.Child("collisionCount"), collisions, "cannot be decremented")
	}
	return f.errs
}

// count is a number of a status, which cannot be negative.
type count struct {
	name string
	n    int64
}

func (f *findings) counts(at *field.Path, counts []count, terminating *int32) {
	for _, c := range counts {
		f.nonNegative(at.Child(c.name), c.n)
	}
	if terminating != nil {
		f.nonNegative(at.Child("terminatingReplicas"), int64(*terminating))
	}
}

// atMostReplicas: what is ready, available or of the kind's own count is among the replicas.
func (f *findings) atMostReplicas(at *field.Path, all, ready, available int32, name string, n int32) {
	const tooMany = "cannot be greater than status.replicas"
	if n > all {
		f.invalid(at.Child(name), n, tooMany)
	}
	if ready > all {
		f.invalid(at.Child("readyReplicas"), ready, tooMany)
	}
	if available > all {
		f.invalid(at.Child("availableReplicas"), available, tooMany)
	}
	if available > ready {
		f.invalid(at.Child("availableReplicas"), available, "cannot be greater than readyReplicas")
	}
}

// selectorAndTemplate: the selector picks the pods that the template makes.
func (f *findings) selectorAndTemplate(at *field.Path, s *metav1.LabelSelector, template *v1.PodTemplateSpec) {
	if s == nil {
		f.required(at.Child("selector"), "")
	} else {
		f.labelSelector(at.Child("selector"), s)
		if len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
			f.invalid(at.Child("selector"), s, "empty selector is invalid for deployment") // of a ReplicaSet too
		}
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		f.invalid(at.Child("selector"), s, "invalid label selector")
		return
	}
	at = at.Child("template")
	if !selector.Empty() && !selector.Matches(labels.Set(template.Labels)) {
		f.invalid(at.Child("metadata", "labels"), template.Labels, "`selector` does not match template `labels`")
	}
	f.template(at, template)
	if template.Spec.RestartPolicy != v1.RestartPolicyAlways {
		among(f, at.Child("spec", "restartPolicy"), template.Spec.RestartPolicy, v1.RestartPolicyAlways)
	}
	if template.Spec.ActiveDeadlineSeconds != nil {
		f.forbidden(at.Child("spec", "activeDeadlineSeconds"), "activeDeadlineSeconds in ReplicaSet is not Supported")
	}
}

// template of pods. The real server calls its metadata's fields template.labels and template.annotations.
func (f *findings) template(at *field.Path, t *v1.PodTemplateSpec) {
	f.labels(at.Child("labels"), t.Labels)
	f.addInOrder(validation.ValidateAnnotations(t.Annotations, at.Child("annotations")))
	f.annotations(at.Child("annotations"), t.Annotations, &t.Spec)
	f.podSpec(at.Child("spec"), &t.Spec, nil)
	f.profilesAgree(at.Child("spec"), &t.Spec, t.Annotations)
	if len(t.Spec.EphemeralContainers) > 0 {
		f.forbidden(at.Child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template")
	}
}

func (f *findings) strategy(at *field.Path, s *appsv1.DeploymentStrategy) {
	switch s.Type {
	case appsv1.RecreateDeploymentStrategyType:
		if s.RollingUpdate != nil {
			f.forbidden(at.Child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'")
		}
	case appsv1.RollingUpdateDeploymentStrategyType:
		if s.RollingUpdate == nil {
			f.required(at.Child("rollingUpdate"), "this should be defaulted and never be nil")
			return
		}
		f.rollingUpdate(at.Child("rollingUpdate"), s.RollingUpdate)
	default:
		shown := s.DeepCopy()
		if shown.RollingUpdate != nil { // where the server has plain values, not pointers
			orElsePtr(&shown.RollingUpdate.MaxUnavailable, intstr.IntOrString{})
			orElsePtr(&shown.RollingUpdate.MaxSurge, intstr.IntOrString{})
		}
		f.add(field.NotSupported(at, inServer{shown}, []appsv1.DeploymentStrategyType{
			appsv1.RecreateDeploymentStrategyType, appsv1.RollingUpdateDeploymentStrategyType}))
	}
}

func (f *findings) rollingUpdate(at *field.Path, r *appsv1.RollingUpdateDeployment) {
	var unavailable, surge intstr.IntOrString
	if r.MaxUnavailable != nil {
		unavailable = *r.MaxUnavailable
	}
	if r.MaxSurge != nil {
		surge = *r.MaxSurge
	}
	f.countOrPercent(at.Child("maxUnavailable"), unavailable)
	f.countOrPercent(at.Child("maxSurge"), surge)
	if figure(unavailable) == 0 && figure(surge) == 0 {
		f.invalid(at.Child("maxUnavailable"), unavailable, "may not be 0 when `maxSurge` is 0")
	}
	if percent, ok := percentage(unavailable); ok && percent > 100 {
		f.invalid(at.Child("maxUnavailable"), unavailable, "must not be greater than 100%")
	}
}

func (f *findings) countOrPercent(at *field.Path, v intstr.IntOrString) {
	if v.Type == intstr.String {
		f.invalidFor(at, v, utilvalidation.IsValidPercent(v.StrVal))
		return
	}
	f.nonNegative(at, int64(v.IntVal))
}

func percentage(v intstr.IntOrString) (int, bool) {
	if v.Type != intstr.String || len(utilvalidation.IsValidPercent(v.StrVal)) > 0 {
		return 0, false
	}
	n, _ := strconv.Atoi(strings.TrimSuffix(v.StrVal, "%"))
	return n, true
}

// figure is the number of a count or of a percentage, 0 for neither.
func figure(v intstr.IntOrString) int {
	if n, ok := percentage(v); ok {
		return n
	}
	return v.IntValue()
}
