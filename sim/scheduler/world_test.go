package scheduler

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// world is a cluster of an API server and a scheduler, and nothing else: its nodes
// are objects, its pods stay Pending where they are put, and go when the test says so.
type world struct {
	t       testing.TB
	server  *apiserver.Server
	agenda  *agenda.Agenda
	trace   *trace.Recorder
	sched   *Scheduler
	rand    *rand.PCG
	watched *Scheduler // that the server tells of changes
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, agenda: agenda.New(noon), trace: &trace.Recorder{}, rand: rand.NewPCG(1, 2)}
	w.agenda.Cause = w.trace.Cause
	server, err := apiserver.New(apiserver.Config{Store: etcd.New(), Trace: w.trace, Now: w.agenda.Now, Rand: rand.New(rand.NewPCG(3, 4))})
	if err != nil {
		t.Fatal(err)
	}
	w.server = server
	w.sched = w.newScheduler()
	w.watched = w.sched
	server.Observe(func(e apiserver.Event) { w.watched.Observe(e) })
	w.create(&v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
	w.create(&v1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}})
	return w
}

func (w *world) newScheduler() *Scheduler {
	s := New(Env{Client: w.server.Client(apiserver.User{Name: "system:kube-scheduler", Agent: Name}),
		Queue: w.agenda.Queue(Name), Trace: w.trace, Rand: rand.New(w.rand)})
	s.Detail = true
	return s
}

func (w *world) admin() *apiserver.Client {
	return w.server.Client(apiserver.User{Name: "kubernetes-admin", Groups: []string{"system:masters"}, Agent: "kubectl"})
}

func (w *world) create(o apiserver.Object) apiserver.Object {
	w.t.Helper()
	made, err := w.admin().Create(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// run lets the time given pass.
func (w *world) run(d time.Duration) {
	until := w.agenda.Now().Add(d)
	for {
		task, ok := w.agenda.Pop(until)
		if !ok {
			return
		}
		before := w.trace.Because(task.Cause)
		w.watched.Sync(task.Key)
		w.trace.Because(before)
	}
}

func (w *world) node(name string, cpu string, change ...func(*v1.Node)) {
	w.t.Helper()
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1.LabelHostname: name}}}
	n.Status.Capacity = quantities("cpu", cpu, "memory", "8Gi", "pods", "110")
	n.Status.Allocatable = n.Status.Capacity
	for _, f := range change {
		f(n)
	}
	w.create(n)
	// Admission has tainted it as not ready, and the node controller, which would take that back, is not here.
	w.changeNode(name, func(made *v1.Node) { made.Spec.Taints = n.Spec.Taints })
}

func (w *world) changeNode(name string, change func(*v1.Node)) {
	w.t.Helper()
	n, ok := apiserver.Get[*v1.Node](w.admin(), "", name)
	if !ok {
		w.t.Fatalf("no node %s", name)
	}
	n = n.DeepCopy()
	change(n)
	if _, err := w.admin().Update(n); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) pod(name, cpu string, change ...func(*v1.Pod)) *v1.Pod {
	w.t.Helper()
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": name}},
		Spec: v1.PodSpec{Containers: []v1.Container{{Name: "c", Image: "nginx",
			Resources: v1.ResourceRequirements{Requests: quantities("cpu", cpu)}}}}}
	for _, f := range change {
		f(p)
	}
	return w.create(p).(*v1.Pod)
}

func (w *world) get(name string) *v1.Pod {
	w.t.Helper()
	p, ok := apiserver.Get[*v1.Pod](w.admin(), "default", name)
	if !ok {
		w.t.Fatalf("no pod %s", name)
	}
	return p
}

// kill removes a pod at once, as when its kubelet has ended it.
func (w *world) kill(name string) {
	w.t.Helper()
	now := int64(0)
	if err := w.admin().Delete(w.get(name), metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		w.t.Fatal(err)
	}
}

// state is where the pods are, one a line.
func (w *world) state() string {
	var b strings.Builder
	for p := range apiserver.List[*v1.Pod](w.admin(), "default") {
		fmt.Fprintf(&b, "%s:", p.Name)
		switch {
		case p.Spec.NodeName != "":
			b.WriteString(" on " + p.Spec.NodeName)
		default:
			b.WriteString(" waits")
		}
		if p.Status.NominatedNodeName != "" {
			b.WriteString(", nominated to " + p.Status.NominatedNodeName)
		}
		if p.DeletionTimestamp != nil {
			b.WriteString(", is being deleted")
		}
		for _, k := range p.Status.Conditions {
			if k.Status == v1.ConditionFalse && k.Reason != "" || k.Type == v1.DisruptionTarget {
				fmt.Fprintf(&b, " [%s=%s %s: %s]", k.Type, k.Status, k.Reason, k.Message)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// events are the events there are, sorted.
func (w *world) events() string {
	var list []string
	for e := range apiserver.List[*v1.Event](w.admin(), "default") {
		list = append(list, fmt.Sprintf("%s %s x%d %s %s: %s\n", e.Type, e.Source.Component, e.Count, e.InvolvedObject.Name, e.Reason, e.Message))
	}
	slices.Sort(list)
	return strings.Join(list, "")
}

func (w *world) expect(what, got, want string) {
	w.t.Helper()
	if got != strings.TrimPrefix(want, "\n") {
		w.t.Errorf("%s\n got\n%s\n want\n%s", what, got, strings.TrimPrefix(want, "\n"))
	}
}

// save is everything that is kept of the scheduler.
func (w *world) save() string {
	data, err := json.Marshal(w.watched.Save())
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

func (w *world) class(name string, value int32) {
	w.create(&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Value: value})
}

func classed(name string) func(*v1.Pod) {
	return func(p *v1.Pod) { p.Spec.PriorityClassName = name }
}
