package apiserver

import (
	"errors"
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validation of HorizontalPodAutoscalers (Kubernetes 1.37 pkg/apis/autoscaling/validation).

const (
	longestPolicyPeriod  = 1800 // seconds
	longestStabilization = 3600
)

func validateAutoscaler(a *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	f := findings{}
	f.autoscaler(&a.Spec, nil)
	return f.errs
}

func validateAutoscalerUpdate(a, old *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	f := findings{}
	f.autoscaler(&a.Spec, &old.Spec)
	return f.errs
}

func validateAutoscalerStatus(a, _ *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	at, f := field.NewPath("status"), findings{}
	f.counts(at, []count{{"currentReplicas", int64(a.Status.CurrentReplicas)}, {"desiredReplicas", int64(a.Status.DesiredReplicas)}}, nil)
	return f.errs
}

func (f *findings) autoscaler(spec, old *autoscalingv2.HorizontalPodAutoscalerSpec) {
	at := field.NewPath("spec")
	least := spec.MinReplicas
	if least != nil && *least < 0 {
		f.invalid(at.Child("minReplicas"), *least, "must be greater than or equal to 0")
	}
	switch {
	case spec.MaxReplicas == 0:
		f.required(at.Child("maxReplicas"), "must be set and greater than 0")
	case spec.MaxReplicas < 0:
		f.invalid(at.Child("maxReplicas"), spec.MaxReplicas, "must be greater than or equal to 1")
	}
	if least != nil && spec.MaxReplicas < *least {
		f.invalid(at.Child("maxReplicas"), spec.MaxReplicas, "must be greater than or equal to `minReplicas`")
	}
	ref := spec.ScaleTargetRef
	same := old != nil && old.ScaleTargetRef.APIVersion == ref.APIVersion && old.ScaleTargetRef.Kind == ref.Kind
	f.crossVersionRef(at.Child("scaleTargetRef"), ref, same, ref.Kind == "ReplicationController")

	lax := false // an object metric that was wrong already may stay so
	if old != nil {
		for _, m := range old.Metrics {
			lax = lax || m.Type == autoscalingv2.ObjectMetricSourceType && m.Object != nil && groupOf(m.Object.DescribedObject, true) != nil
		}
	}
	f.metrics(at.Child("metrics"), spec, lax)
	if b := spec.Behavior; b != nil {
		f.scalingRules(at.Child("behavior", "scaleUp"), b.ScaleUp)
		f.scalingRules(at.Child("behavior", "scaleDown"), b.ScaleDown)
	}
}

func groupOf(ref autoscalingv2.CrossVersionObjectReference, coreToo bool) error {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err == nil && !coreToo && gv.Group == "" {
		err = errors.New("apiVersion must specify API group")
	}
	return err
}

func (f *findings) crossVersionRef(at *field.Path, ref autoscalingv2.CrossVersionObjectReference, anyVersion, coreToo bool) {
	f.pathSegment(at.Child("kind"), ref.Kind, "")
	f.pathSegment(at.Child("name"), ref.Name, "")
	if err := groupOf(ref, coreToo); err != nil && !anyVersion {
		f.invalid(at.Child("apiVersion"), ref.APIVersion, err.Error())
	}
}

func (f *findings) pathSegment(at *field.Path, value, missing string) {
	if value == "" {
		f.required(at, missing)
		return
	}
	f.invalidFor(at, value, content.IsPathSegmentName(value))
}

func (f *findings) metrics(at *field.Path, spec *autoscalingv2.HorizontalPodAutoscalerSpec, lax bool) {
	toZero := false
	for i := range spec.Metrics {
		m := &spec.Metrics[i]
		f.metric(at.Index(i), m, lax)
		toZero = toZero || m.Type == autoscalingv2.ObjectMetricSourceType || m.Type == autoscalingv2.ExternalMetricSourceType
	}
	if n := spec.MinReplicas; n != nil && *n == 0 && !toZero {
		f.forbidden(at, "must specify at least one Object or External metric to support scaling to zero replicas")
	}
}

func (f *findings) metric(at *field.Path, m *autoscalingv2.MetricSpec, lax bool) {
	types := []autoscalingv2.MetricSourceType{autoscalingv2.ContainerResourceMetricSourceType, autoscalingv2.ExternalMetricSourceType,
		autoscalingv2.ObjectMetricSourceType, autoscalingv2.PodsMetricSourceType, autoscalingv2.ResourceMetricSourceType}
	if m.Type == "" {
		f.required(at.Child("type"), "must specify a metric source type")
	}
	among(f, at.Child("type"), m.Type, types...)
	sources := []struct {
		kind  autoscalingv2.MetricSourceType
		name  string
		given bool
		check func(*field.Path)
	}{
		{autoscalingv2.ObjectMetricSourceType, "object", m.Object != nil, func(at *field.Path) { f.objectSource(at, m.Object, lax) }},
		{autoscalingv2.ExternalMetricSourceType, "external", m.External != nil, func(at *field.Path) { f.externalSource(at, m.External) }},
		{autoscalingv2.PodsMetricSourceType, "pods", m.Pods != nil, func(at *field.Path) { f.podsSource(at, m.Pods) }},
		{autoscalingv2.ResourceMetricSourceType, "resource", m.Resource != nil, func(at *field.Path) { f.resourceSource(at, m.Resource) }},
		{autoscalingv2.ContainerResourceMetricSourceType, "containerResource", m.ContainerResource != nil, func(at *field.Path) { f.containerSource(at, m.ContainerResource) }},
	}
	given := 0
	for _, s := range sources {
		if s.given {
			if given++; given == 1 {
				s.check(at.Child(s.name))
			}
		}
	}
	known := false
	for _, s := range sources {
		if s.kind != m.Type {
			continue
		}
		known = true
		if !s.given {
			f.required(at.Child(s.name), "must populate information for the given metric source")
		}
	}
	if !known {
		among(f, at.Child("type"), m.Type, types...)
	}
	if given == 1 {
		return
	}
	for _, s := range sources {
		if s.given && s.kind != m.Type {
			f.forbidden(at.Child(s.name), "must populate the given metric source only")
		}
	}
}

func (f *findings) objectSource(at *field.Path, s *autoscalingv2.ObjectMetricSource, lax bool) {
	f.crossVersionRef(at.Child("describedObject"), s.DescribedObject, lax, true)
	f.pathSegment(at.Child("metric", "name"), s.Metric.Name, "must specify a metric name")
	f.metricTarget(at.Child("target"), s.Target)
	if s.Target.Value == nil && s.Target.AverageValue == nil {
		f.required(at.Child("target", "averageValue"), "must set either a target value or averageValue")
	}
}

func (f *findings) externalSource(at *field.Path, s *autoscalingv2.ExternalMetricSource) {
	f.pathSegment(at.Child("metric", "name"), s.Metric.Name, "must specify a metric name")
	at, t := at.Child("target"), s.Target
	f.metricTarget(at, t)
	switch {
	case t.Value == nil && t.AverageValue == nil:
		f.required(at.Child("averageValue"), "must set either a target value for metric or a per-pod target")
	case t.Value != nil && t.AverageValue != nil:
		f.forbidden(at.Child("value"), "may not set both a target value for metric and a per-pod target")
	}
}

func (f *findings) podsSource(at *field.Path, s *autoscalingv2.PodsMetricSource) {
	f.pathSegment(at.Child("metric", "name"), s.Metric.Name, "must specify a metric name")
	f.metricTarget(at.Child("target"), s.Target)
	if s.Target.AverageValue == nil {
		f.required(at.Child("target", "averageValue"), "must specify a positive target averageValue")
	}
}

func (f *findings) containerSource(at *field.Path, s *autoscalingv2.ContainerResourceMetricSource) {
	if s.Name != "" {
		f.containerResourceName(at.Child("name"), s.Name)
	} else {
		f.required(at.Child("name"), "must specify a resource name")
	}
	if s.Container == "" {
		f.required(at.Child("container"), "must specify a container")
	} else {
		f.label(at.Child("container"), s.Container)
	}
	f.resourceTarget(at.Child("target"), s.Target)
}

func (f *findings) resourceSource(at *field.Path, s *autoscalingv2.ResourceMetricSource) {
	if s.Name == "" {
		f.required(at.Child("name"), "must specify a resource name")
	}
	f.resourceTarget(at.Child("target"), s.Target)
}

func (f *findings) resourceTarget(at *field.Path, t autoscalingv2.MetricTarget) {
	f.metricTarget(at, t)
	switch {
	case t.AverageUtilization == nil && t.AverageValue == nil:
		f.required(at.Child("averageUtilization"), "must set either a target raw value or a target utilization")
	case t.AverageUtilization != nil && t.AverageValue != nil:
		f.forbidden(at.Child("averageValue"), "may not set both a target raw value and a target utilization")
	}
}

func (f *findings) metricTarget(at *field.Path, t autoscalingv2.MetricTarget) {
	if t.Type == "" {
		f.required(at.Child("type"), "must specify a metric target type")
	}
	switch t.Type {
	case autoscalingv2.UtilizationMetricType, autoscalingv2.ValueMetricType, autoscalingv2.AverageValueMetricType:
	default:
		f.invalid(at.Child("type"), t.Type, "must be either Utilization, Value, or AverageValue")
	}
	if t.Value != nil && t.Value.Sign() != 1 {
		f.invalid(at.Child("value"), t.Value, "must be positive")
	}
	if t.AverageValue != nil && t.AverageValue.Sign() != 1 {
		f.invalid(at.Child("averageValue"), t.AverageValue, "must be positive")
	}
	if t.AverageUtilization != nil && *t.AverageUtilization < 1 {
		f.invalid(at.Child("averageUtilization"), t.AverageUtilization, "must be greater than 0")
	}
}

func (f *findings) scalingRules(at *field.Path, r *autoscalingv2.HPAScalingRules) {
	if r == nil {
		return
	}
	if w := r.StabilizationWindowSeconds; w != nil {
		if *w < 0 {
			f.invalid(at.Child("stabilizationWindowSeconds"), w, "must be greater than or equal to zero")
		}
		if *w > longestStabilization {
			f.invalid(at.Child("stabilizationWindowSeconds"), w, fmt.Sprintf("must be less than or equal to %v", longestStabilization))
		}
	}
	optionalAmong(f, at.Child("selectPolicy"), r.SelectPolicy,
		autoscalingv2.DisabledPolicySelect, autoscalingv2.MaxChangePolicySelect, autoscalingv2.MinChangePolicySelect)
	if len(r.Policies) == 0 {
		f.required(at.Child("policies"), "must specify at least one Policy")
	}
	for i, p := range r.Policies {
		at := at.Child("policies").Index(i)
		among(f, at.Child("type"), p.Type, autoscalingv2.PercentScalingPolicy, autoscalingv2.PodsScalingPolicy)
		if p.Value <= 0 {
			f.invalid(at.Child("value"), p.Value, "must be greater than zero")
		}
		if p.PeriodSeconds <= 0 {
			f.invalid(at.Child("periodSeconds"), p.PeriodSeconds, "must be greater than zero")
		}
		if p.PeriodSeconds > longestPolicyPeriod {
			f.invalid(at.Child("periodSeconds"), p.PeriodSeconds, fmt.Sprintf("must be less than or equal to %v", longestPolicyPeriod))
		}
	}
	if r.Tolerance != nil {
		f.nonNegativeQuantity(at.Child("tolerance"), *r.Tolerance)
	}
}
