package apiserver

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// MetricsWindow is how often the metrics server looks at the nodes, and so how long its figures are of: 15 s
// (metrics-server's --metric-resolution).
const MetricsWindow = 15 * time.Second

// Usage is what a pod, or the rest of a node, uses of its node as its kubelet measures it.
type Usage struct {
	Container string // "": what is no pod's
	CPU       int64  // thousandths of a CPU
	Memory    int64  // bytes
}

// Metrics is the source of metrics.k8s.io: what the kubelets would say. They are asked when someone asks, and keep nothing.
type Metrics interface {
	// Pods measures pods. What cannot be measured, as it has just begun or its node is silent, has no figures.
	Pods(pods []*corev1.Pod) map[*corev1.Pod][]Usage
	// Node measures what a node uses beside its pods; false: it cannot be asked.
	Node(node *corev1.Node) (Usage, bool)
}

// metricsGroup is the group of the metrics server, which the API server only passes requests on to: the kinds are no
// rows of the table, nothing of them is stored.
var metricsGroup = metricsv1beta1.SchemeGroupVersion

// measuredAt is when the metrics server last looked.
func (s *Server) measuredAt() time.Time { return s.Now().UTC().Truncate(MetricsWindow) }

// PodMetrics are the figures of the pods of a namespace ("": of all) that a selector selects, in the order of their
// keys. An error is a refusal, or that there is no metrics server.
func PodMetrics(c *Client, namespace string, selector labels.Selector) ([]metricsv1beta1.PodMetrics, error) {
	if c.server.cfg.Metrics == nil {
		return nil, apierrors.NewGenericServerResponse(http.StatusNotFound, "get", metricsGroup.WithResource("pods").GroupResource(), "", "", 0, true)
	}
	if !allowed(c.user, "list", metricsGroup.Group, "pods") {
		return nil, apierrors.NewForbidden(metricsGroup.WithResource("pods").GroupResource(), "", fmt.Errorf(
			"User %q cannot list resource \"pods\" in API group %q in the namespace %q", c.user.Name, metricsGroup.Group, namespace))
	}
	return c.server.podMetrics(slices.Collect(List[*corev1.Pod](c, namespace)), selector), nil
}

func (s *Server) podMetrics(pods []*corev1.Pod, selector labels.Selector) (all []metricsv1beta1.PodMetrics) {
	pods = slices.DeleteFunc(pods, func(p *corev1.Pod) bool {
		return p.Spec.NodeName == "" || !selector.Matches(labels.Set(p.Labels))
	})
	measured := s.cfg.Metrics.Pods(pods)
	at := metav1.NewTime(s.measuredAt())
	for _, pod := range pods {
		m := metricsv1beta1.PodMetrics{
			ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, Labels: pod.Labels, CreationTimestamp: metav1.NewTime(s.Now().UTC().Truncate(time.Second))},
			Timestamp:  at, Window: metav1.Duration{Duration: MetricsWindow},
		}
		for _, u := range measured[pod] {
			m.Containers = append(m.Containers, metricsv1beta1.ContainerMetrics{Name: u.Container, Usage: u.list()})
		}
		if len(m.Containers) > 0 {
			all = append(all, m)
		}
	}
	return all
}

// list is a usage as the metrics server writes it: memory in whole kibibytes.
func (u Usage) list() corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(u.CPU, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(u.Memory&^1023, resource.BinarySI),
	}
}

func (s *Server) nodeMetrics(nodes []*corev1.Node) (all []metricsv1beta1.NodeMetrics) {
	at := metav1.NewTime(s.measuredAt())
	for _, node := range nodes {
		sum, ok := s.cfg.Metrics.Node(node)
		if !ok {
			continue
		}
		on := slices.Collect(typed[*corev1.Pod](values(s.pods.byNode[node.Name])))
		for _, usages := range s.cfg.Metrics.Pods(on) {
			for _, u := range usages {
				sum.CPU, sum.Memory = sum.CPU+u.CPU, sum.Memory+u.Memory
			}
		}
		all = append(all, metricsv1beta1.NodeMetrics{
			ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: node.Labels, CreationTimestamp: metav1.NewTime(s.Now().UTC().Truncate(time.Second))},
			Timestamp:  at, Window: metav1.Duration{Duration: MetricsWindow}, Usage: sum.list(),
		})
	}
	return all
}

// serveMetrics answers a request for metrics.k8s.io: get and list of pods and nodes, and nothing else.
func (x *exchange) serveMetrics() *answer {
	if x.user.Name == "" {
		return x.refusal(apierrors.NewUnauthorized("Unauthorized"))
	}
	pods := x.at.resource == "pods"
	if x.at.version != metricsGroup.Version || !pods && x.at.resource != "nodes" || x.at.subresource != "" || !pods && x.at.namespace != "" {
		return notFoundPage()
	}
	asked := metricsGroup.WithResource(x.at.resource).GroupResource()
	verb := x.verb()
	if verb != "get" && verb != "list" {
		return x.refusal(methodNotAllowed())
	}
	if !allowed(x.user, verb, metricsGroup.Group, x.at.resource) {
		return x.refusal(apierrors.NewForbidden(asked, x.at.name, fmt.Errorf("User %q cannot %s resource %q in API group %q",
			x.user.Name, verb, x.at.resource, metricsGroup.Group)))
	}
	selector, err := labels.Parse(x.query.Get("labelSelector"))
	if err != nil {
		return x.refusal(apierrors.NewBadRequest(err.Error()))
	}
	media, ok := negotiate(x.http.Header.Get("Accept"), nil)
	if !ok {
		return x.refusal(notAcceptable())
	}
	o, err := x.metricsObject(pods, selector, asked)
	if err != nil {
		return x.refusal(err)
	}
	return x.encode(http.StatusOK, o, media.info)
}

// metricsObject is the object or the list that a request for metrics asks for.
func (x *exchange) metricsObject(pods bool, selector labels.Selector, asked schema.GroupResource) (runtime.Object, error) {
	c := x.server.Client(x.user)
	typeMeta := func(kind string) metav1.TypeMeta {
		return metav1.TypeMeta{Kind: kind, APIVersion: metricsGroup.String()}
	}
	named := x.at.name != ""
	missing := apierrors.NewNotFound(asked, x.at.name)
	if pods {
		var found []*corev1.Pod
		if pod, ok := Get[*corev1.Pod](c, x.at.namespace, x.at.name); ok {
			found = append(found, pod)
		} else if !named {
			found = slices.Collect(List[*corev1.Pod](c, x.at.namespace))
		}
		items := x.server.podMetrics(found, selector)
		switch {
		case !named:
			return &metricsv1beta1.PodMetricsList{TypeMeta: typeMeta("PodMetricsList"), Items: append([]metricsv1beta1.PodMetrics{}, items...)}, nil
		case len(items) == 0:
			return nil, missing
		}
		items[0].TypeMeta = typeMeta("PodMetrics")
		return &items[0], nil
	}
	var found []*corev1.Node
	if node, ok := Get[*corev1.Node](c, "", x.at.name); ok {
		found = append(found, node)
	} else if !named {
		found = slices.Collect(List[*corev1.Node](c, ""))
	}
	found = slices.DeleteFunc(found, func(n *corev1.Node) bool { return !selector.Matches(labels.Set(n.Labels)) })
	items := x.server.nodeMetrics(found)
	switch {
	case !named:
		return &metricsv1beta1.NodeMetricsList{TypeMeta: typeMeta("NodeMetricsList"), Items: append([]metricsv1beta1.NodeMetrics{}, items...)}, nil
	case len(items) == 0:
		return nil, missing
	}
	items[0].TypeMeta = typeMeta("NodeMetrics")
	return &items[0], nil
}

// metricsResources are what discovery says of the group.
func metricsResources() *metav1.APIResourceList {
	list := &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: metricsGroup.String()}
	for _, r := range []metav1.APIResource{{Name: "nodes", Kind: "NodeMetrics"}, {Name: "pods", Kind: "PodMetrics", Namespaced: true}} {
		r.Verbs = metav1.Verbs{"get", "list"}
		list.APIResources = append(list.APIResources, r)
	}
	return list
}

func metricsDiscovery() (all []apidiscovery.APIResourceDiscovery) {
	for _, r := range metricsResources().APIResources {
		d := apidiscovery.APIResourceDiscovery{Resource: r.Name, Scope: apidiscovery.ScopeCluster, Verbs: r.Verbs,
			ResponseKind: &metav1.GroupVersionKind{Group: metricsGroup.Group, Version: metricsGroup.Version, Kind: r.Kind}}
		if r.Namespaced {
			d.Scope = apidiscovery.ScopeNamespace
		}
		all = append(all, d)
	}
	return all
}
