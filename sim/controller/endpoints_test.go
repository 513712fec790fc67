//lint:file-ignore SA1019 Endpoints is deprecated, and what this is about

package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
)

const servicesManifest = `apiVersion: v1
kind: Service
metadata: {name: web, labels: {team: blue}}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: named}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: web}}
---
apiVersion: v1
kind: Service
metadata: {name: none}
spec: {ports: [{port: 80}]}
`

const namedPort = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx, ports: [{name: named, containerPort: 8080}]}]}}
`

// slicesOf shows a Service's slices: ports, then each address with its conditions.
func (w *world) slicesOf(service string) string {
	var lines []string
	for s := range apiserver.List[*discoveryv1.EndpointSlice](w.Client, "default") {
		if s.Labels[discoveryv1.LabelServiceName] != service {
			continue
		}
		line := string(s.AddressType)
		for _, p := range s.Ports {
			line += fmt.Sprintf(" %s:%d", *p.Name, *p.Port)
		}
		inOrder := slices.SortedFunc(slices.Values(s.Endpoints), func(a, b discoveryv1.Endpoint) int {
			return strings.Compare(a.Addresses[0], b.Addresses[0])
		})
		for _, e := range inOrder {
			line += " " + e.Addresses[0]
			for _, c := range []struct {
				on   *bool
				name string
			}{{e.Conditions.Ready, "ready"}, {e.Conditions.Serving, "serving"}, {e.Conditions.Terminating, "terminating"}} {
				if *c.on {
					line += "," + c.name
				}
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// endpointsOf shows a Service's Endpoints.
func (w *world) endpointsOf(service string) string {
	e, ok := apiserver.Get[*corev1.Endpoints](w.Client, "default", service)
	if !ok {
		return "none"
	}
	var parts []string
	for _, s := range e.Subsets {
		for _, p := range s.Ports {
			parts = append(parts, fmt.Sprintf("%s:%d", p.Name, p.Port))
		}
		for _, a := range s.Addresses {
			parts = append(parts, a.IP)
		}
		for _, a := range s.NotReadyAddresses {
			parts = append(parts, "("+a.IP+")")
		}
	}
	return strings.Join(parts, " ")
}

// rig/transcripts/ctrl-service-endpoints.txt, and what becomes of the pods of a lost node.
func TestEndpointsFollowThePods(t *testing.T) {
	w := newWorld(t, "node-1", "node-2", "node-3")
	w.apply(servicesManifest)
	w.run(20 * time.Second)
	w.expect("web, no pods", w.slicesOf("web"), "IPv4")
	w.expect("headless, no pods", w.slicesOf("headless"), "IPv4")
	w.expect("none", w.slicesOf("none")+w.endpointsOf("none"), "none")
	w.apply(namedPort)
	w.run(20 * time.Second)
	w.expect("web", w.slicesOf("web"), "IPv4 http:8080 10.244.0.2,ready,serving 10.244.0.3,ready,serving 10.244.0.4,ready,serving")
	w.expect("headless", w.slicesOf("headless"), "IPv4 10.244.0.2,ready,serving 10.244.0.3,ready,serving 10.244.0.4,ready,serving")
	w.expect("endpoints", w.endpointsOf("web"), "http:8080 10.244.0.2 10.244.0.3 10.244.0.4")
	w.silence("node-2")
	w.run(time.Minute)
	lost := ""
	for pod := range apiserver.PodsOn(w.Client, "node-2") {
		lost = pod.Status.PodIP
	}
	web := "IPv4 http:8080 10.244.0.2,ready,serving 10.244.0.3,ready,serving 10.244.0.4,ready,serving"
	w.expect("a node is lost", w.slicesOf("web"), strings.Replace(web, lost+",ready,serving", lost, 1))
	if got := w.endpointsOf("web"); !strings.HasSuffix(got, " ("+lost+")") {
		t.Errorf("endpoints of a lost node: %s", got)
	}
	for _, name := range []string{"web", "headless"} {
		s, _ := apiserver.Get[*corev1.Service](w.Client, "default", name)
		w.remove(s, metav1.DeletePropagationBackground)
	}
	w.run(20 * time.Second)
	w.expect("no services", w.slicesOf("web")+w.slicesOf("headless")+w.endpointsOf("web"), "none")
}

func TestTerminatingPodsServeButAreNotReady(t *testing.T) {
	w := newWorld(t, "node-1")
	w.apply(servicesManifest)
	w.apply(namedPort)
	w.run(20 * time.Second)
	scale(w, "web", 2)
	w.run(100 * time.Millisecond)
	if got := w.slicesOf("web"); strings.Count(got, ",ready,serving") != 2 || strings.Count(got, ",serving,terminating") != 1 {
		t.Error(got)
	}
	if got := w.endpointsOf("web"); len(strings.Fields(got)) != 3 {
		t.Error(got)
	}
	w.run(5 * time.Second)
	if got := w.slicesOf("web"); strings.Count(got, ",ready,serving") != 2 || strings.Contains(got, "terminating") {
		t.Error(got)
	}
}

func TestSlicesAreFullAndLabelled(t *testing.T) {
	w := newWorld(t, "node-1")
	w.apply(servicesManifest)
	w.apply(namedPort)
	scale(w, "web", 250)
	w.run(time.Minute)
	sizes := func() (n []int) {
		for s := range apiserver.List[*discoveryv1.EndpointSlice](w.Client, "default") {
			if s.Labels[discoveryv1.LabelServiceName] == "web" {
				n = append(n, len(s.Endpoints))
			}
		}
		slices.Sort(n)
		return n
	}
	total := 0
	for _, n := range sizes() {
		total += n
		if n > maxEndpointsPerSlice {
			t.Errorf("a slice of %d", n)
		}
	}
	if total != 250 || len(sizes()) != 3 {
		t.Errorf("slices of %v", sizes())
	}
	for s := range apiserver.List[*discoveryv1.EndpointSlice](w.Client, "default") {
		if s.Labels[discoveryv1.LabelServiceName] == "web" && (s.Labels["team"] != "blue" || s.Labels[discoveryv1.LabelManagedBy] != sliceManager) {
			t.Errorf("labels %v", s.Labels)
		}
		if s.Labels[discoveryv1.LabelServiceName] == "headless" {
			if _, ok := s.Labels[corev1.IsHeadlessService]; !ok {
				t.Errorf("labels %v", s.Labels)
			}
		}
	}
	scale(w, "web", 0)
	w.run(time.Minute)
	w.expect("scaled to zero", w.slicesOf("web"), "IPv4")
}

// A slice that somebody deletes comes back.
func TestSliceComesBack(t *testing.T) {
	w := newWorld(t, "node-1")
	w.apply(servicesManifest)
	w.apply(namedPort)
	w.run(20 * time.Second)
	before := w.slicesOf("web")
	for s := range apiserver.List[*discoveryv1.EndpointSlice](w.Client, "default") {
		w.remove(s, metav1.DeletePropagationBackground)
	}
	e, _ := apiserver.Get[*corev1.Endpoints](w.Client, "default", "web")
	w.remove(e, metav1.DeletePropagationBackground)
	w.run(20 * time.Second)
	w.expect("slices", w.slicesOf("web"), before)
	w.expect("endpoints", w.endpointsOf("web"), "http:8080 10.244.0.2 10.244.0.3 10.244.0.4")
}

func TestTriggerTime(t *testing.T) {
	w := newWorld(t, "node-1")
	w.apply(servicesManifest)
	w.run(20 * time.Second)
	stamp := func() string {
		for s := range apiserver.List[*discoveryv1.EndpointSlice](w.Client, "default") {
			if s.Labels[discoveryv1.LabelServiceName] == "web" {
				return s.Annotations[corev1.EndpointsLastChangeTriggerTime]
			}
		}
		return ""
	}
	w.expect("at the creation", stamp(), w.start.Format(time.RFC3339))
	w.apply(namedPort)
	w.run(20 * time.Second)
	w.expect("when the pods became ready", stamp(), w.start.Add(21*time.Second).Format(time.RFC3339))
}

func TestMinReadySeconds(t *testing.T) {
	w := newWorld(t, "node-1")
	d := deployment("web", "nginx", 2)
	d.Spec.MinReadySeconds = 30
	w.create(d)
	available := func() int32 {
		d, _ := apiserver.Get[*appsv1.Deployment](w.Client, "default", "web")
		return d.Status.AvailableReplicas
	}
	w.run(30 * time.Second)
	if n := available(); n != 0 {
		t.Errorf("%d available after 30 s", n)
	}
	w.run(2 * time.Second)
	if n := available(); n != 2 {
		t.Errorf("%d available after 32 s", n)
	}
}

func TestTrafficDistribution(t *testing.T) {
	w := newWorld(t, "node-1")
	edit(w, "node-1", func(n *corev1.Node) { n.Labels = map[string]string{corev1.LabelTopologyZone: "a"} })
	w.apply(servicesManifest)
	w.apply(namedPort)
	w.run(20 * time.Second)
	for _, c := range []struct{ prefer, want string }{
		{corev1.ServiceTrafficDistributionPreferSameZone, "zones [{a}] nodes []"},
		{corev1.ServiceTrafficDistributionPreferSameNode, "zones [{a}] nodes [{node-1}]"},
		{"", "none"},
	} {
		edit(w, "web", func(s *corev1.Service) {
			if s.Spec.TrafficDistribution = &c.prefer; c.prefer == "" {
				s.Spec.TrafficDistribution = nil
			}
		})
		w.run(time.Second)
		for s := range apiserver.List[*discoveryv1.EndpointSlice](w.Client, "default") {
			if s.Labels[discoveryv1.LabelServiceName] != "web" {
				continue
			}
			for _, e := range s.Endpoints {
				got := "none"
				if e.Hints != nil {
					got = fmt.Sprintf("zones %v nodes %v", e.Hints.ForZones, e.Hints.ForNodes)
				}
				w.expect(c.prefer, got, c.want)
			}
		}
	}
}
