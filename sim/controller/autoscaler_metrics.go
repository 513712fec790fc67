package controller

import (
	"errors"
	"fmt"
	"math"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"

	"timonier/sim/apiserver"
)

const (
	// tolerance is how far usage may be off its target before anything is done.
	tolerance = 0.1
	// cpuInitialization is for how long the CPU of a pod that was not ready counts for nothing: programs that start are busy.
	cpuInitialization = 5 * time.Minute
	// initialReadiness is for how long a pod may have been unready and still never have been ready.
	initialReadiness = 30 * time.Second
)

// proposal is what one metric asks for.
type proposal struct {
	replicas int32
	name     string
	status   autoscalingv2.MetricStatus
}

// failedMetric is one that cannot be told.
type failedMetric struct {
	err             error // as the event of the whole says it
	reason, message string
}

// propose is what a metric asks for (computeReplicasForMetric). There is a metrics server, and neither custom nor
// external metrics.
func (s *autoscaleSync) propose(spec *autoscalingv2.MetricSpec) (proposal, *failedMetric) {
	fail := func(reason, what string, err error) (proposal, *failedMetric) {
		s.emit(corev1.EventTypeWarning, reason, "%s", err.Error())
		return proposal{}, &failedMetric{fmt.Errorf("%s: %w", what, err), reason, fmt.Sprintf("the HPA was unable to compute the replica count: %v", err)}
	}
	none := errors.New("unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered")
	switch spec.Type {
	case autoscalingv2.ResourceMetricSourceType:
		m := spec.Resource
		p, current, err := s.resource(m.Name, m.Target, "")
		if err != nil {
			return fail("FailedGetResourceMetric", fmt.Sprintf("failed to get %s resource metric value", m.Name), err)
		}
		p.status = autoscalingv2.MetricStatus{Type: spec.Type, Resource: &autoscalingv2.ResourceMetricStatus{Name: m.Name, Current: current}}
		return p, nil
	case autoscalingv2.ContainerResourceMetricSourceType:
		m := spec.ContainerResource
		p, current, err := s.resource(m.Name, m.Target, m.Container)
		if err != nil {
			return fail("FailedGetContainerResourceMetric", fmt.Sprintf("failed to get %s container metric value", m.Container), err)
		}
		p.status = autoscalingv2.MetricStatus{Type: spec.Type,
			ContainerResource: &autoscalingv2.ContainerResourceMetricStatus{Name: m.Name, Container: m.Container, Current: current}}
		return p, nil
	case autoscalingv2.PodsMetricSourceType:
		return fail("FailedGetPodsMetric", "failed to get pods metric value", fmt.Errorf("unable to get metric %s: %w", spec.Pods.Metric.Name, none))
	case autoscalingv2.ObjectMetricSourceType:
		m, o := spec.Object.Metric.Name, spec.Object.DescribedObject
		return fail("FailedGetObjectMetric", "failed to get object metric value", fmt.Errorf("unable to get metric %s on %s %s/%s: %w", m, o.Kind, s.Namespace, o.Name, none))
	case autoscalingv2.ExternalMetricSourceType:
		m := spec.External.Metric
		missing := fmt.Errorf("unable to fetch metrics from external metrics API: the server could not find the requested resource (get %s.external.metrics.k8s.io)", m.Name)
		return fail("FailedGetExternalMetric", fmt.Sprintf("failed to get %s external metric value", m.Name),
			fmt.Errorf("unable to get external metric %s/%s/%+v: %w", s.Namespace, m.Name, m.Selector, missing))
	}
	return fail("InvalidMetricSourceType", "unknown", fmt.Errorf("unknown metric source type %q", string(spec.Type)))
}

// resource is a metric of CPU or memory, of whole pods or of one container of each.
func (s *autoscaleSync) resource(name corev1.ResourceName, target autoscalingv2.MetricTarget, container string) (proposal, autoscalingv2.MetricValueStatus, error) {
	r, err := s.readings(name, container)
	if err == nil && len(r.pods) == 0 {
		err = errors.New("no pods returned by selector while calculating replica count")
	}
	if target.AverageValue != nil {
		var n int32
		var usage int64
		if err == nil {
			goal := target.AverageValue.MilliValue()
			r.requests, r.full = nil, goal
			n, _, usage, err = r.replicas(s.scale.Spec.Replicas, goal, s.tolerances())
		}
		if err != nil {
			return proposal{}, autoscalingv2.MetricValueStatus{}, fmt.Errorf("failed to get %s usage: %w", name, err)
		}
		return proposal{replicas: n, name: name.String() + " resource"}, autoscalingv2.MetricValueStatus{AverageValue: amountOf(name, usage)}, nil
	}
	if target.AverageUtilization == nil {
		return proposal{}, autoscalingv2.MetricValueStatus{}, errors.New("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set")
	}
	var n, percent int32
	var usage int64
	if err == nil {
		r.group()
		if len(r.usage) == 0 {
			err = errors.New("did not receive metrics for targeted pods (pods might be unready)")
		} else if r.requests, err = requestsOf(r.pods, container, name); err == nil {
			goal := int64(*target.AverageUtilization)
			r.full = max(100, goal)
			n, percent, usage, err = r.replicas(s.scale.Spec.Replicas, goal, s.tolerances())
		}
	}
	if err != nil {
		return proposal{}, autoscalingv2.MetricValueStatus{}, fmt.Errorf("failed to get %s utilization: %w", name, err)
	}
	label := " resource utilization (percentage of request)"
	if container != "" {
		label = " container resource utilization (percentage of request)"
	}
	return proposal{replicas: n, name: name.String() + label}, autoscalingv2.MetricValueStatus{AverageUtilization: &percent, AverageValue: amountOf(name, usage)}, nil
}

func amountOf(name corev1.ResourceName, milli int64) *resource.Quantity {
	if name == corev1.ResourceMemory {
		return resource.NewMilliQuantity(milli, resource.BinarySI)
	}
	return resource.NewMilliQuantity(milli, resource.DecimalSI)
}

// tolerances are how far usage may be below and above its target, as shares of it.
type tolerances struct{ down, up float64 }

func (t tolerances) hold(ratio float64) bool { return 1-t.down <= ratio && ratio <= 1+t.up }

func (s *autoscaleSync) tolerances() tolerances {
	t := tolerances{tolerance, tolerance}
	if b := s.Spec.Behavior; b != nil {
		if b.ScaleDown != nil && b.ScaleDown.Tolerance != nil {
			t.down = b.ScaleDown.Tolerance.AsApproximateFloat64()
		}
		if b.ScaleUp != nil && b.ScaleUp.Tolerance != nil {
			t.up = b.ScaleUp.Tolerance.AsApproximateFloat64()
		}
	}
	return t
}

// readings are the figures of a target's pods, in thousandths (pkg/controller/podautoscaler/replica_calculator.go).
type readings struct {
	name     corev1.ResourceName
	now      time.Time
	pods     []*corev1.Pod
	usage    map[string]int64
	at       time.Time // of all figures
	requests map[string]int64
	full     int64 // what a pod without figures is taken to use when there are to be fewer: percent of its request, or the amount itself

	grouped          bool
	ready            int
	unready, missing []string
}

// readings asks the metrics server.
func (s *autoscaleSync) readings(name corev1.ResourceName, container string) (*readings, error) {
	all, err := apiserver.PodMetrics(s.Client, s.Namespace, s.selector)
	if err == nil && len(all) == 0 {
		err = errors.New("no metrics returned from resource metrics API")
	} else if err != nil {
		err = fmt.Errorf("unable to fetch metrics from resource metrics API: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("unable to get metrics for resource %s: %w", name, err)
	}
	r := &readings{name: name, now: s.now, usage: map[string]int64{}, at: all[0].Timestamp.Time}
	for _, m := range all {
		for _, c := range m.Containers {
			if container == "" || c.Name == container {
				q := c.Usage[name]
				r.usage[m.Name] += q.MilliValue()
			}
		}
	}
	for pod := range apiserver.List[*corev1.Pod](s.Client, s.Namespace) {
		if s.selector.Matches(labels.Set(pod.Labels)) {
			r.pods = append(r.pods, pod)
		}
	}
	return r, nil
}

// group tells apart the pods whose figures count, those that are not ready, and those without figures.
func (r *readings) group() {
	if r.grouped {
		return
	}
	r.grouped = true
	for _, pod := range r.pods {
		_, known := r.usage[pod.Name]
		switch {
		case pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed:
			delete(r.usage, pod.Name)
		case pod.Status.Phase == corev1.PodPending || known && r.name == corev1.ResourceCPU && r.warming(pod):
			r.unready = append(r.unready, pod.Name)
			delete(r.usage, pod.Name)
		case !known:
			r.missing = append(r.missing, pod.Name)
		default:
			r.ready++
		}
	}
}

// warming says of a pod that its CPU does not count: it has just begun, or has never been ready.
func (r *readings) warming(pod *corev1.Pod) bool {
	c, start := podCondition(&pod.Status, corev1.PodReady), pod.Status.StartTime
	if c == nil || start == nil {
		return true
	}
	if start.Add(cpuInitialization).After(r.now) {
		return c.Status == corev1.ConditionFalse || r.at.Before(c.LastTransitionTime.Add(apiserver.MetricsWindow))
	}
	return c.Status == corev1.ConditionFalse && start.Add(initialReadiness).After(c.LastTransitionTime.Time)
}

// replicas is the arithmetic: ⌈ready · ratio⌉, unless the ratio is close to 1. Where pods are unready or without
// figures they are taken to use nothing, or all, whichever changes less; and if the ratio then points the other way
// nothing is done. percent is of the requests, usage the mean.
func (r *readings) replicas(current int32, goal int64, within tolerances) (n, percent int32, usage int64, err error) {
	r.group()
	if len(r.usage) == 0 {
		return 0, 0, 0, errors.New("did not receive metrics for targeted pods (pods might be unready)")
	}
	ratio, percent, usage, err := r.ratio(goal)
	if err != nil {
		return 0, 0, 0, err
	}
	growing := len(r.unready) > 0 && ratio > 1
	if !growing && len(r.missing) == 0 {
		if within.hold(ratio) {
			return current, percent, usage, nil
		}
		return int32(math.Ceil(ratio * float64(r.ready))), percent, usage, nil
	}
	for _, name := range r.missing {
		switch {
		case ratio < 1 && r.requests != nil:
			r.usage[name] = r.requests[name] * r.full / 100
		case ratio < 1:
			r.usage[name] = r.full
		case ratio > 1:
			r.usage[name] = 0
		}
	}
	if growing {
		for _, name := range r.unready {
			r.usage[name] = 0
		}
	}
	again, _, _, err := r.ratio(goal)
	if err != nil {
		return 0, percent, usage, err
	}
	if within.hold(again) || ratio < 1 && again > 1 || ratio > 1 && again < 1 {
		return current, percent, usage, nil
	}
	n = int32(math.Ceil(again * float64(len(r.usage))))
	if again < 1 && n > current || again > 1 && n < current {
		n = current
	}
	return n, percent, usage, nil
}

// ratio is usage by the goal: percent of the requests by percent, or the mean by an amount.
func (r *readings) ratio(goal int64) (ratio float64, percent int32, mean int64, err error) {
	var sum, requests, n int64
	for name, used := range r.usage { // sums: order does not show
		request, ok := r.requests[name]
		if r.requests != nil && !ok {
			continue
		}
		sum, requests, n = sum+used, requests+request, n+1
	}
	if r.requests == nil {
		mean = sum / int64(len(r.usage))
		return float64(mean) / float64(goal), 0, mean, nil
	}
	if requests == 0 {
		return 0, 0, 0, errors.New("no metrics returned matched known pods")
	}
	percent = int32(sum * 100 / requests)
	return float64(percent) / float64(goal), percent, sum / n, nil
}

// requestsOf are what pods ask for: as a whole where they say so, else the sum of their containers, sidecars included.
func requestsOf(pods []*corev1.Pod, container string, name corev1.ResourceName) (map[string]int64, error) {
	all := make(map[string]int64, len(pods))
	for _, pod := range pods {
		if whole := pod.Spec.Resources; container == "" && whole != nil && len(whole.Requests) > 0 {
			q, ok := whole.Requests[name]
			if !ok {
				return nil, fmt.Errorf("missing pod-level request for %s in Pod %s", name, pod.Name)
			}
			all[pod.Name] = q.MilliValue()
			continue
		}
		sum, found := int64(0), container == ""
		for _, c := range runningContainers(pod) {
			if container != "" && c.Name != container {
				continue
			}
			q, ok := c.Resources.Requests[name]
			if !ok {
				return nil, fmt.Errorf("missing request for %s in container %s of Pod %s", name, c.Name, pod.Name)
			}
			sum, found = sum+q.MilliValue(), true
		}
		if !found {
			return nil, fmt.Errorf("container %s not found in Pod %s", container, pod.Name)
		}
		all[pod.Name] = sum
	}
	return all, nil
}

func runningContainers(pod *corev1.Pod) []corev1.Container {
	all := append([]corev1.Container{}, pod.Spec.Containers...)
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			all = append(all, c)
		}
	}
	return all
}
