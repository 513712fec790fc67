package apiserver

import (
	"fmt"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The table of `kubectl get hpa`, as Kubernetes 1.37 pkg/printers/internalversion prints it.

func autoscalerColumns() []metav1.TableColumnDefinition {
	spec, status := autoscalingv2.HorizontalPodAutoscalerSpec{}.SwaggerDoc(), autoscalingv2.HorizontalPodAutoscalerStatus{}.SwaggerDoc()
	return []metav1.TableColumnDefinition{
		nameColumn(),
		column("Reference", "string", spec["scaleTargetRef"]),
		column("Targets", "string", spec["metrics"]),
		column("MinPods", "string", spec["minReplicas"]),
		column("MaxPods", "string", spec["maxReplicas"]),
		column("Replicas", "string", status["currentReplicas"]),
		ageColumn(),
	}
}

func autoscalerCells(a *autoscalingv2.HorizontalPodAutoscaler, now time.Time) []any {
	least := "<unset>"
	if n := a.Spec.MinReplicas; n != nil {
		least = fmt.Sprint(*n)
	}
	target := a.Spec.ScaleTargetRef
	return []any{a.Name, target.Kind + "/" + target.Name, metricsCell(a.Spec.Metrics, a.Status.CurrentMetrics), least,
		int64(a.Spec.MaxReplicas), int64(a.Status.CurrentReplicas), age(a.CreationTimestamp, now)}
}

const unknown = "<unknown>"

// metricsCell is the first two metrics, each with what it is and what it is to be.
func metricsCell(specs []autoscalingv2.MetricSpec, statuses []autoscalingv2.MetricStatus) string {
	if len(specs) == 0 {
		return "<none>"
	}
	var list []string
	for i := range specs {
		var status autoscalingv2.MetricStatus
		if i < len(statuses) {
			status = statuses[i]
		}
		list = append(list, metricCell(&specs[i], &status))
	}
	const most = 2
	text := strings.Join(list[:min(most, len(list))], ", ")
	if len(list) > most {
		text += fmt.Sprintf(" + %d more...", len(list)-most)
	}
	return text
}

func metricCell(spec *autoscalingv2.MetricSpec, status *autoscalingv2.MetricStatus) string {
	switch {
	case spec.Type == autoscalingv2.ExternalMetricSourceType && spec.External != nil:
		return valueCell(spec.External.Target, currentOf(status.External != nil, func() autoscalingv2.MetricValueStatus { return status.External.Current }))
	case spec.Type == autoscalingv2.ObjectMetricSourceType && spec.Object != nil:
		return valueCell(spec.Object.Target, currentOf(status.Object != nil, func() autoscalingv2.MetricValueStatus { return status.Object.Current }))
	case spec.Type == autoscalingv2.PodsMetricSourceType && spec.Pods != nil:
		current := currentOf(status.Pods != nil, func() autoscalingv2.MetricValueStatus { return status.Pods.Current })
		return amount(current, func(c *autoscalingv2.MetricValueStatus) *resource.Quantity { return c.AverageValue }) + "/" + quantityText(spec.Pods.Target.AverageValue)
	case spec.Type == autoscalingv2.ResourceMetricSourceType && spec.Resource != nil:
		current := currentOf(status.Resource != nil, func() autoscalingv2.MetricValueStatus { return status.Resource.Current })
		return spec.Resource.Name.String() + ": " + resourceCell(spec.Resource.Target, current)
	case spec.Type == autoscalingv2.ContainerResourceMetricSourceType && spec.ContainerResource != nil:
		current := currentOf(status.ContainerResource != nil, func() autoscalingv2.MetricValueStatus { return status.ContainerResource.Current })
		return spec.ContainerResource.Name.String() + ": " + resourceCell(spec.ContainerResource.Target, current)
	}
	return "<unknown type>"
}

func currentOf(known bool, get func() autoscalingv2.MetricValueStatus) *autoscalingv2.MetricValueStatus {
	if !known {
		return nil
	}
	return new(get())
}

func amount(current *autoscalingv2.MetricValueStatus, of func(*autoscalingv2.MetricValueStatus) *resource.Quantity) string {
	if current == nil || of(current) == nil {
		return unknown
	}
	return of(current).String()
}

func quantityText(q *resource.Quantity) string {
	if q == nil {
		return "<nil>"
	}
	return q.String()
}

func valueCell(target autoscalingv2.MetricTarget, current *autoscalingv2.MetricValueStatus) string {
	if target.AverageValue != nil {
		return amount(current, func(c *autoscalingv2.MetricValueStatus) *resource.Quantity { return c.AverageValue }) + "/" + target.AverageValue.String() + " (avg)"
	}
	return amount(current, func(c *autoscalingv2.MetricValueStatus) *resource.Quantity { return c.Value }) + "/" + quantityText(target.Value)
}

func resourceCell(target autoscalingv2.MetricTarget, current *autoscalingv2.MetricValueStatus) string {
	if target.AverageValue != nil {
		return amount(current, func(c *autoscalingv2.MetricValueStatus) *resource.Quantity { return c.AverageValue }) + "/" + target.AverageValue.String()
	}
	is, want := unknown, "<auto>"
	if current != nil && current.AverageUtilization != nil {
		is = fmt.Sprintf("%d%%", *current.AverageUtilization)
	}
	if target.AverageUtilization != nil {
		want = fmt.Sprintf("%d%%", *target.AverageUtilization)
	}
	return is + "/" + want
}
