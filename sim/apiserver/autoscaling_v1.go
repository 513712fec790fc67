package apiserver

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// autoscaling/v1 is the older form of HorizontalPodAutoscalers, which many a manifest still has. What is stored is v2:
// a request in v1 becomes one in v2, and its answer is turned back (Kubernetes 1.37 pkg/apis/autoscaling/v1/conversion.go).
// What v1 has no field for stands in annotations, as JSON. There is no watch of this version.

const (
	metricsAnnotation    = "autoscaling.alpha.kubernetes.io/metrics"
	currentAnnotation    = "autoscaling.alpha.kubernetes.io/current-metrics"
	conditionsAnnotation = "autoscaling.alpha.kubernetes.io/conditions"
	behaviorAnnotation   = "autoscaling.alpha.kubernetes.io/behavior"
	autoscalersPath      = "horizontalpodautoscalers"
	autoscalingV1Path    = "/apis/autoscaling/v1/"
	autoscalingV2Path    = "/apis/autoscaling/v2/"
)

var autoscalingV1 = autoscalingv1.SchemeGroupVersion

// autoscalerV1Resource is the row of the older version, for discovery and for the documents alone.
func autoscalerV1Resource() Resource {
	r := horizontalPodAutoscalerResource()
	r.GroupVersionResource = autoscalingV1.WithResource(autoscalersPath)
	r.New = func() Object { return &autoscalingv1.HorizontalPodAutoscaler{} }
	r.NewList = func() runtime.Object { return &autoscalingv1.HorizontalPodAutoscalerList{} }
	return r
}

// isAutoscalingV1 says of a path that it names the older version.
func (at *apiPath) isAutoscalingV1() bool {
	return at.isResource && at.group == autoscalingV1.Group && at.version == autoscalingV1.Version && at.resource == autoscalersPath
}

// serveAutoscalingV1 answers a request in the older version.
func (x *exchange) serveAutoscalingV1() *answer {
	body, err := x.body()
	if err != nil {
		return x.refusal(err)
	}
	row := autoscalerV1Resource()
	x.resource = &row
	forward := x.http.Clone(x.http.Context())
	forward.URL.Path = strings.Replace(forward.URL.Path, autoscalingV1Path, autoscalingV2Path, 1)
	forward.Header.Del("Impersonate-User") // x.user is whom it is for already
	forward.Header.Del("Impersonate-Group")
	if accept := forward.Header.Get("Accept"); !strings.Contains(accept, "as=") {
		forward.Header.Set("Accept", "application/json")
	}
	switch x.http.Method {
	case http.MethodPost, http.MethodPut:
		err = x.forwardObject(forward, body)
	case http.MethodPatch:
		err = x.forwardPatch(forward, body)
	default:
		forward.Body = io.NopCloser(bytes.NewReader(body))
	}
	if err != nil {
		return x.refusal(err)
	}
	a := x.server.answer(x.user, forward)
	a.body = inV1(a.body)
	for _, text := range x.warnings {
		a.header.Add("Warning", `299 - "`+strings.ReplaceAll(text, `"`, `\"`)+`"`)
	}
	return a
}

// forwardObject turns the object in a body.
func (x *exchange) forwardObject(forward *http.Request, body []byte) error {
	o := &autoscalingv1.HorizontalPodAutoscaler{}
	if err := x.decode(body, x.resource.GroupVersionKind(), o, x.query.Get("fieldValidation")); err != nil {
		return err
	}
	return setBody(forward, toV2(o))
}

// forwardPatch makes of a patch of the older form a whole object of the new one.
func (x *exchange) forwardPatch(forward *http.Request, body []byte) error {
	x.http.Body = io.NopCloser(bytes.NewReader(body))
	p, err := x.readPatch()
	if err != nil {
		return err
	}
	if p.kind == types.ApplyYAMLPatchType {
		return apierrors.NewBadRequest("server-side apply of autoscaling/v1 is not served here: use autoscaling/v2")
	}
	stored, ok := Get[*autoscalingv2.HorizontalPodAutoscaler](x.server.Client(x.user), x.at.namespace, x.at.name)
	if !ok {
		return apierrors.NewNotFound(x.resource.GroupResource(), x.at.name)
	}
	before, after := toV1(stored), &autoscalingv1.HorizontalPodAutoscaler{}
	if err := x.patched(p, before, after); err != nil {
		return err
	}
	forward.Method = http.MethodPut
	return setBody(forward, toV2(after))
}

func setBody(r *http.Request, o runtime.Object) error {
	data, err := json.Marshal(o)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	r.Header.Set("Content-Type", "application/json")
	return nil
}

// inV1 turns an answer back: an autoscaler or a list of them; all else stays.
func inV1(body []byte) []byte {
	var head metav1.TypeMeta
	if json.Unmarshal(body, &head) != nil || head.APIVersion != autoscalingv2.SchemeGroupVersion.String() {
		return body
	}
	var turned any
	switch head.Kind {
	case "HorizontalPodAutoscaler":
		var o autoscalingv2.HorizontalPodAutoscaler
		if json.Unmarshal(body, &o) != nil {
			return body
		}
		turned = toV1(&o)
	case "HorizontalPodAutoscalerList":
		var list autoscalingv2.HorizontalPodAutoscalerList
		if json.Unmarshal(body, &list) != nil {
			return body
		}
		old := autoscalingv1.HorizontalPodAutoscalerList{TypeMeta: metav1.TypeMeta{Kind: head.Kind, APIVersion: autoscalingV1.String()},
			ListMeta: list.ListMeta, Items: []autoscalingv1.HorizontalPodAutoscaler{}}
		for i := range list.Items {
			o := toV1(&list.Items[i])
			o.TypeMeta = metav1.TypeMeta{}
			old.Items = append(old.Items, *o)
		}
		turned = old
	default:
		return body
	}
	data, err := json.Marshal(turned)
	if err != nil {
		return body
	}
	return append(data, '\n')
}

// percentOfCPU says of a metric that v1 has a field for it.
func percentOfCPU(m *autoscalingv2.MetricSpec) bool {
	return m.Type == autoscalingv2.ResourceMetricSourceType && m.Resource != nil && m.Resource.Name == corev1.ResourceCPU && m.Resource.Target.AverageUtilization != nil
}

func toV1(o *autoscalingv2.HorizontalPodAutoscaler) *autoscalingv1.HorizontalPodAutoscaler {
	old := &autoscalingv1.HorizontalPodAutoscaler{
		TypeMeta:   metav1.TypeMeta{Kind: o.Kind, APIVersion: autoscalingV1.String()},
		ObjectMeta: *o.ObjectMeta.DeepCopy(),
		Spec: autoscalingv1.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv1.CrossVersionObjectReference(o.Spec.ScaleTargetRef),
			MinReplicas: o.Spec.MinReplicas, MaxReplicas: o.Spec.MaxReplicas},
		Status: autoscalingv1.HorizontalPodAutoscalerStatus{ObservedGeneration: o.Status.ObservedGeneration, LastScaleTime: o.Status.LastScaleTime,
			CurrentReplicas: o.Status.CurrentReplicas, DesiredReplicas: o.Status.DesiredReplicas},
	}
	old.Kind = "HorizontalPodAutoscaler"
	var others []autoscalingv1.MetricSpec
	for i := range o.Spec.Metrics {
		if m := &o.Spec.Metrics[i]; percentOfCPU(m) {
			old.Spec.TargetCPUUtilizationPercentage = m.Resource.Target.AverageUtilization
		} else {
			others = append(others, metricToV1(m))
		}
	}
	var current []autoscalingv1.MetricStatus
	for _, m := range o.Status.CurrentMetrics {
		if m.Resource != nil && m.Resource.Name == corev1.ResourceCPU {
			old.Status.CurrentCPUUtilizationPercentage = m.Resource.Current.AverageUtilization
		}
		current = append(current, metricStatusToV1(&m))
	}
	note := func(key string, value any, there bool) {
		delete(old.Annotations, key)
		if data, err := json.Marshal(value); there && err == nil {
			if old.Annotations == nil {
				old.Annotations = map[string]string{}
			}
			old.Annotations[key] = string(data)
		}
	}
	note(metricsAnnotation, others, len(others) > 0)
	note(currentAnnotation, current, len(current) > 0)
	note(behaviorAnnotation, inServer{o.Spec.Behavior}, o.Spec.Behavior != nil) // as the real one, which writes its own type
	note(conditionsAnnotation, o.Status.Conditions, len(o.Status.Conditions) > 0)
	return old
}

// metricToV1 is a metric in the form that the annotation has. Targets have no type there.
func metricToV1(m *autoscalingv2.MetricSpec) autoscalingv1.MetricSpec {
	old := autoscalingv1.MetricSpec{Type: autoscalingv1.MetricSourceType(m.Type)}
	if r := m.Resource; r != nil {
		old.Resource = &autoscalingv1.ResourceMetricSource{Name: r.Name, TargetAverageUtilization: r.Target.AverageUtilization, TargetAverageValue: r.Target.AverageValue}
	}
	if r := m.ContainerResource; r != nil {
		old.ContainerResource = &autoscalingv1.ContainerResourceMetricSource{Name: r.Name, Container: r.Container,
			TargetAverageUtilization: r.Target.AverageUtilization, TargetAverageValue: r.Target.AverageValue}
	}
	if r := m.Pods; r != nil && r.Target.AverageValue != nil {
		old.Pods = &autoscalingv1.PodsMetricSource{MetricName: r.Metric.Name, Selector: r.Metric.Selector, TargetAverageValue: *r.Target.AverageValue}
	}
	if r := m.Object; r != nil {
		old.Object = &autoscalingv1.ObjectMetricSource{Target: autoscalingv1.CrossVersionObjectReference(r.DescribedObject), MetricName: r.Metric.Name,
			Selector: r.Metric.Selector, AverageValue: r.Target.AverageValue}
		if r.Target.Value != nil {
			old.Object.TargetValue = *r.Target.Value
		}
	}
	if r := m.External; r != nil {
		old.External = &autoscalingv1.ExternalMetricSource{MetricName: r.Metric.Name, MetricSelector: r.Metric.Selector,
			TargetValue: r.Target.Value, TargetAverageValue: r.Target.AverageValue}
	}
	return old
}

func metricStatusToV1(m *autoscalingv2.MetricStatus) autoscalingv1.MetricStatus {
	old := autoscalingv1.MetricStatus{Type: autoscalingv1.MetricSourceType(m.Type)}
	if r := m.Resource; r != nil {
		old.Resource = &autoscalingv1.ResourceMetricStatus{Name: r.Name, CurrentAverageUtilization: r.Current.AverageUtilization}
		if r.Current.AverageValue != nil {
			old.Resource.CurrentAverageValue = *r.Current.AverageValue
		}
	}
	if r := m.ContainerResource; r != nil {
		old.ContainerResource = &autoscalingv1.ContainerResourceMetricStatus{Name: r.Name, Container: r.Container, CurrentAverageUtilization: r.Current.AverageUtilization}
		if r.Current.AverageValue != nil {
			old.ContainerResource.CurrentAverageValue = *r.Current.AverageValue
		}
	}
	return old
}

func toV2(old *autoscalingv1.HorizontalPodAutoscaler) *autoscalingv2.HorizontalPodAutoscaler {
	o := &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta:   metav1.TypeMeta{Kind: "HorizontalPodAutoscaler", APIVersion: autoscalingv2.SchemeGroupVersion.String()},
		ObjectMeta: *old.ObjectMeta.DeepCopy(),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference(old.Spec.ScaleTargetRef),
			MinReplicas: old.Spec.MinReplicas, MaxReplicas: old.Spec.MaxReplicas},
		Status: autoscalingv2.HorizontalPodAutoscalerStatus{ObservedGeneration: old.Status.ObservedGeneration, LastScaleTime: old.Status.LastScaleTime,
			CurrentReplicas: old.Status.CurrentReplicas, DesiredReplicas: old.Status.DesiredReplicas},
	}
	read := func(key string, into any) bool {
		text, ok := o.Annotations[key]
		delete(o.Annotations, key)
		return ok && json.Unmarshal([]byte(text), into) == nil
	}
	var others []autoscalingv1.MetricSpec
	if read(metricsAnnotation, &others) {
		for i := range others {
			o.Spec.Metrics = append(o.Spec.Metrics, metricToV2(&others[i]))
		}
	}
	if percent := old.Spec.TargetCPUUtilizationPercentage; percent != nil {
		o.Spec.Metrics = append(o.Spec.Metrics, autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
			Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: percent}}})
	}
	var behavior autoscalingv2.HorizontalPodAutoscalerBehavior
	if read(behaviorAnnotation, &behavior) {
		o.Spec.Behavior = &behavior
	}
	read(currentAnnotation, &[]any{})
	var conditions []autoscalingv2.HorizontalPodAutoscalerCondition
	if read(conditionsAnnotation, &conditions) {
		o.Status.Conditions = conditions
	}
	return o
}

func metricToV2(old *autoscalingv1.MetricSpec) autoscalingv2.MetricSpec {
	m := autoscalingv2.MetricSpec{Type: autoscalingv2.MetricSourceType(old.Type)}
	target := func(percent *int32) autoscalingv2.MetricTargetType {
		if percent != nil {
			return autoscalingv2.UtilizationMetricType
		}
		return autoscalingv2.AverageValueMetricType
	}
	if r := old.Resource; r != nil {
		m.Resource = &autoscalingv2.ResourceMetricSource{Name: r.Name, Target: autoscalingv2.MetricTarget{
			Type: target(r.TargetAverageUtilization), AverageUtilization: r.TargetAverageUtilization, AverageValue: r.TargetAverageValue}}
	}
	if r := old.ContainerResource; r != nil {
		m.ContainerResource = &autoscalingv2.ContainerResourceMetricSource{Name: r.Name, Container: r.Container, Target: autoscalingv2.MetricTarget{
			Type: target(r.TargetAverageUtilization), AverageUtilization: r.TargetAverageUtilization, AverageValue: r.TargetAverageValue}}
	}
	if r := old.Pods; r != nil {
		m.Pods = &autoscalingv2.PodsMetricSource{Metric: autoscalingv2.MetricIdentifier{Name: r.MetricName, Selector: r.Selector},
			Target: autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: &r.TargetAverageValue}}
	}
	if r := old.Object; r != nil {
		m.Object = &autoscalingv2.ObjectMetricSource{DescribedObject: autoscalingv2.CrossVersionObjectReference(r.Target),
			Metric: autoscalingv2.MetricIdentifier{Name: r.MetricName, Selector: r.Selector},
			Target: autoscalingv2.MetricTarget{Type: autoscalingv2.ValueMetricType, Value: &r.TargetValue}}
		if r.AverageValue != nil {
			m.Object.Target = autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: r.AverageValue}
		}
	}
	if r := old.External; r != nil {
		m.External = &autoscalingv2.ExternalMetricSource{Metric: autoscalingv2.MetricIdentifier{Name: r.MetricName, Selector: r.MetricSelector},
			Target: autoscalingv2.MetricTarget{Type: autoscalingv2.ValueMetricType, Value: r.TargetValue, AverageValue: r.TargetAverageValue}}
		if r.TargetValue == nil {
			m.External.Target.Type = autoscalingv2.AverageValueMetricType
		}
	}
	return m
}
