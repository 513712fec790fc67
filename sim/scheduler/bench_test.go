package scheduler

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// binder is an API that says yes and tells nobody, as in the measurement of the real scheduler.
type binder struct{ bound int }

func (b *binder) Bind(*v1.Pod, string) error                                  { b.bound++; return nil }
func (b *binder) Update(o apiserver.Object) (apiserver.Object, error)         { return o, nil }
func (b *binder) UpdateStatus(o apiserver.Object) (apiserver.Object, error)   { return o, nil }
func (b *binder) Delete(apiserver.Object, metav1.DeleteOptions) error         { return nil }
func (b *binder) Emit(about apiserver.Object, eventType, reason, note string) {}
func added(o apiserver.Object) apiserver.Event                                { return apiserver.Event{Type: watch.Added, New: o} }

func benchNode(i int) *v1.Node {
	name := fmt.Sprintf("node-%04d", i)
	room := v1.ResourceList{"cpu": resource.MustParse("64"), "memory": resource.MustParse("256Gi"), "pods": resource.MustParse("110")}
	return &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Labels: map[string]string{
		v1.LabelHostname: name, v1.LabelTopologyZone: fmt.Sprintf("zone-%d", i%3)}},
		Status: v1.NodeStatus{Capacity: room, Allocatable: room}}
}

func benchPod(i int) *v1.Pod {
	name := fmt.Sprintf("pod-%05d", i)
	cpu, mem := 50+int64(i)%97, 64+int64(i)%101
	return &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: types.UID(name), Labels: map[string]string{"app": "web"}},
		Spec: v1.PodSpec{SchedulerName: v1.DefaultSchedulerName, Containers: []v1.Container{{Name: "main", Image: "shop/web:1",
			Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
				"cpu": *resource.NewMilliQuantity(cpu, resource.DecimalSI), "memory": *resource.NewQuantity(mem<<20, resource.BinarySI)}}}}}}
}

// BenchmarkSchedule places 5,000 pods, as many a second as it reports, of the clock and of processor time: the queue, the
// decisions and the books, with an API that only says yes. The cases are those of the real scheduler's measurement
// (pods that all differ, nodes in three zones), and the same with a Service that selects
// the pods, which has them spread; with a trace; with one that keeps details where it can, of the last hundred pods; and with
// pods that come one at a time, so that the details of every decision are kept.
func BenchmarkSchedule(b *testing.B) {
	for _, nodes := range []int{100, 1000, 5000} {
		for _, kind := range []string{"plain", "service", "trace", "detail", "each"} {
			b.Run(fmt.Sprintf("%d/%s", nodes, kind), func(b *testing.B) {
				const pods = 5000
				var used time.Duration
				for b.Loop() {
					b.StopTimer()
					s, a := benchScheduler(nodes, pods, kind)
					runtime.GC()
					began := cpuTime()
					b.StartTimer()
					if kind == "each" { // one pod at a time: every decision is kept with its details
						for i := range pods {
							s.Observe(added(benchPod(i)))
							benchRun(s, a)
						}
					}
					benchRun(s, a)
					if got := s.api.(*binder).bound; got != pods {
						b.Fatalf("%d pods are placed, want %d", got, pods)
					}
					used += cpuTime() - began
				}
				b.ReportMetric(float64(b.N*pods)/max(used, 1).Seconds(), "pods/cpu-s")
				b.ReportMetric(float64(b.N*pods)/b.Elapsed().Seconds(), "pods/s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func benchRun(s *Scheduler, a *agenda.Agenda) {
	for {
		t, ok := a.Pop(a.Now().Add(time.Second))
		if !ok {
			return
		}
		s.Sync(t.Key)
	}
}

func benchScheduler(nodes, pods int, kind string) (*Scheduler, *agenda.Agenda) {
	a := agenda.New(noon)
	env := Env{Queue: a.Queue(Name), Rand: rand.New(rand.NewPCG(1, 2))}
	if kind == "trace" || kind == "detail" || kind == "each" {
		env.Trace = &trace.Recorder{}
	}
	s := New(env)
	s.api, s.Detail = &binder{}, kind == "detail" || kind == "each"
	for i := range nodes {
		s.Observe(added(benchNode(i)))
	}
	if kind == "service" {
		s.Observe(added(&v1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
			Spec: v1.ServiceSpec{Selector: map[string]string{"app": "web"}}}))
	}
	if kind != "each" {
		for i := range pods {
			s.Observe(added(benchPod(i)))
		}
	}
	return s, a
}

// BenchmarkThroughAPI places 1,000 pods on 50 nodes with a real API server behind it, trace on.
func BenchmarkThroughAPI(b *testing.B) {
	for _, detail := range []bool{false, true} {
		b.Run(fmt.Sprintf("detail=%v", detail), func(b *testing.B) {
			const nodes, pods = 50, 1000
			for b.Loop() {
				b.StopTimer()
				w := newWorld(b)
				w.sched.Detail = detail
				for i := range nodes {
					w.node(fmt.Sprintf("node-%02d", i), "64")
				}
				for i := range pods {
					w.pod(fmt.Sprintf("pod-%04d", i), "10m")
				}
				b.StartTimer()
				w.run(time.Minute)
				b.StopTimer()
				for p := range apiserver.List[*v1.Pod](w.admin(), "default") {
					if p.Spec.NodeName == "" {
						b.Fatalf("%s waits", p.Name)
					}
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(b.N*pods)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}
