package sim

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"

	"timonier/sim/apiserver"
)

// Kubernetes' own limits.
const (
	largestNodes = 5000
	largestPods  = 150_000
)

// largest is what is saved of a cluster of 5,000 nodes with 30 running pods on each. Only the first pod has come to run by
// itself; the others are written beside it, as they would be.
func largest(tb testing.TB, cfg Config) disk {
	tb.Helper()
	cfg.Nodes = nodes(largestNodes)
	c := newCluster(tb, cfg)
	create(tb, c, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "pod-000000"}, Spec: corev1.PodSpec{
		NodeName: "node-1", Containers: deployment("web", 1, "10m").Spec.Template.Spec.Containers}})
	running := func() bool {
		p, ok := apiserver.Get[*corev1.Pod](c.Client(), "default", "pod-000000")
		return ok && p.Status.Phase == corev1.PodRunning
	}
	if !c.Until(10*time.Minute, running) {
		tb.Fatal("the pod does not run")
	}
	const prefix = "/registry/pods/default/pod-"
	first, ok := c.store.Get(prefix + "000000")
	if !ok {
		tb.Fatal("the pod is not in the store")
	}
	codec := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	pod := &corev1.Pod{}
	if _, _, err := codec.Decode(first.Value, nil, pod); err != nil {
		tb.Fatal(err)
	}
	for i := 1; i < largestPods; i++ {
		node := i%largestNodes + 1
		pod.Name, pod.UID, pod.Spec.NodeName = fmt.Sprintf("pod-%06d", i), types.UID(fmt.Sprintf("uid-%06d", i)), fmt.Sprintf("node-%d", node)
		pod.Status.PodIP = fmt.Sprintf("10.%d.%d.%d", 128+(node>>8), node&0xff, 2+i/largestNodes)
		pod.Status.PodIPs[0].IP = pod.Status.PodIP
		var value bytes.Buffer
		if err := codec.Encode(pod, &value); err != nil {
			tb.Fatal(err)
		}
		if _, err := c.store.Put(fmt.Sprintf("%s%06d", prefix, i), value.Bytes(), 0); err != nil {
			tb.Fatal(err)
		}
	}
	saved := disk{}
	saved.save(tb, c)
	return saved
}

// BenchmarkLargestCluster loads 5,000 nodes and 150,000 pods, and places one pod more, for which it reports the time: from its
// creation until it is bound, with the API server and all controllers. Bar: 100 ms.
func BenchmarkLargestCluster(b *testing.B) {
	cfg := Config{Images: images(b), Tasks: 1 << 30,
		Limits: apiserver.Limits{Nodes: largestNodes, Pods: largestPods + 1000, Objects: 2 * largestPods, Bytes: 2 << 30}}
	saved := largest(b, cfg)
	var loading, placing time.Duration
	var loads int
	var size uint64
	for b.Loop() {
		before, began := heap(), cpuTime()
		c, err := Load(saved.records(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		loading += cpuTime() - began
		if loads++; loads == 1 {
			size = heap() - before
		}
		if err := c.AdvanceTo(c.Now().Add(time.Second)); err != nil {
			b.Fatal(err)
		}
		began = cpuTime()
		create(b, c, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "one-more"}, Spec: corev1.PodSpec{
			Containers: deployment("web", 1, "10m").Spec.Template.Spec.Containers}})
		bound := func() bool {
			p, ok := apiserver.Get[*corev1.Pod](c.Client(), "default", "one-more")
			return ok && p.Spec.NodeName != ""
		}
		if !c.Until(time.Minute, bound) {
			b.Fatal("it is not placed")
		}
		placing += cpuTime() - began
	}
	b.ReportMetric(loading.Seconds()/float64(loads), "load-cpu-s")
	b.ReportMetric(float64(placing.Microseconds())/1000/float64(loads), "one-more-cpu-ms")
	b.ReportMetric(float64(size)/largestPods, "B/pod")
}
