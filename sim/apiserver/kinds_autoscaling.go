package apiserver

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
)

// horizontalPodAutoscalerResource is the row of HorizontalPodAutoscalers. Its strategy is that of
// Kubernetes 1.37 pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go.
func horizontalPodAutoscalerResource() Resource {
	type hpa = autoscalingv2.HorizontalPodAutoscaler
	return Resource{
		GroupVersionResource: autoscalingv2.SchemeGroupVersion.WithResource("horizontalpodautoscalers"),
		Kind:                 "HorizontalPodAutoscaler",
		Singular:             "horizontalpodautoscaler",
		ShortNames:           []string{"hpa"},
		Categories:           []string{"all"},
		Namespaced:           true,
		KeyPrefix:            "/registry/horizontalpodautoscalers",

		New:     func() Object { return &hpa{} },
		NewList: func() runtime.Object { return &autoscalingv2.HorizontalPodAutoscalerList{} },

		Subresources: []string{"status"},

		Default: act(defaultAutoscaler),
		PrepareForCreate: act(func(a *hpa) {
			a.Status = autoscalingv2.HorizontalPodAutoscalerStatus{}
			a.Generation = 1
		}),
		PrepareForUpdate: actFrom(func(a, old *hpa) {
			a.Status = old.Status
			if !equality.Semantic.DeepEqual(a.Spec, old.Spec) {
				a.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate: actFrom(func(a, old *hpa) { a.Spec = old.Spec }),

		Validate:       check(validateAutoscaler),
		ValidateUpdate: checkFrom(validateAutoscalerUpdate),
		ValidateStatus: checkFrom(validateAutoscalerStatus),

		Columns:       autoscalerColumns(),
		Cells:         cells(autoscalerCells),
		Unconditional: true,
	}
}

// defaultCPUUtilization is what an autoscaler aims at that names no metric, in percent of the request.
const defaultCPUUtilization = 80

// defaultAutoscaler is Kubernetes 1.37 pkg/apis/autoscaling/v2/defaults.go.
func defaultAutoscaler(a *autoscalingv2.HorizontalPodAutoscaler) {
	spec := &a.Spec
	orElsePtr(&spec.MinReplicas, 1)
	if len(spec.Metrics) == 0 {
		spec.Metrics = []autoscalingv2.MetricSpec{{
			Type: autoscalingv2.ResourceMetricSourceType,
			Resource: &autoscalingv2.ResourceMetricSource{Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{
				Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(defaultCPUUtilization))}},
		}}
	}
	if b := spec.Behavior; b != nil {
		b.ScaleUp, b.ScaleDown = ScaleUpRules(b.ScaleUp), ScaleDownRules(b.ScaleDown)
	}
}

// ScaleUpRules are the rules given, with what they leave out as it is by default: at most four pods more or
// twice as many in 15 seconds, whichever is more, at once.
func ScaleUpRules(given *autoscalingv2.HPAScalingRules) *autoscalingv2.HPAScalingRules {
	return scalingRules(given, new(int32(0)),
		autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: 4, PeriodSeconds: 15},
		autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PercentScalingPolicy, Value: 100, PeriodSeconds: 15})
}

// ScaleDownRules are the rules given, with what they leave out as it is by default: all pods in 15 seconds,
// after a stabilisation that is the controller's to say.
func ScaleDownRules(given *autoscalingv2.HPAScalingRules) *autoscalingv2.HPAScalingRules {
	return scalingRules(given, nil, autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PercentScalingPolicy, Value: 100, PeriodSeconds: 15})
}

func scalingRules(given *autoscalingv2.HPAScalingRules, window *int32, policies ...autoscalingv2.HPAScalingPolicy) *autoscalingv2.HPAScalingRules {
	if given == nil {
		given = &autoscalingv2.HPAScalingRules{}
	}
	rules := *given
	orElsePtr(&rules.SelectPolicy, autoscalingv2.MaxChangePolicySelect)
	if rules.StabilizationWindowSeconds == nil {
		rules.StabilizationWindowSeconds = window
	}
	if rules.Policies == nil {
		rules.Policies = policies
	}
	return &rules
}
