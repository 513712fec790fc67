package kubelet

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// world is an API server with kubelets, and no scheduler: pods name their node.
type world struct {
	t        testing.TB
	agenda   *agenda.Agenda
	trace    *trace.Recorder
	server   *apiserver.Server
	admin    *apiserver.Client
	kubelets map[string]*Kubelet
	start    time.Time
	diary    []string // what one sees with get pods -w, and the events
	writes   int      // of pods' status
	events   int
	wakes    int
}

func newWorld(t testing.TB, nodes int) *world {
	t.Helper()
	w := &world{t: t, trace: &trace.Recorder{}, start: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), kubelets: map[string]*Kubelet{}}
	w.agenda = agenda.New(w.start)
	w.agenda.Cause = w.trace.Cause
	server, err := apiserver.New(apiserver.Config{Store: etcd.New(), Trace: w.trace, Now: w.agenda.Now, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	w.server = server
	w.admin = server.Client(apiserver.User{Name: "kubernetes-admin", Groups: []string{"system:masters"}, Agent: "kubectl"})
	for _, ns := range []string{"default", v1.NamespaceNodeLease} {
		w.create(&v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	}
	w.create(&v1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}})
	images := listed(t)
	for i := 1; i <= nodes; i++ {
		name := fmt.Sprintf("node-%d", i)
		node := NodeObject(NodeSpec{Name: name, Index: i}, w.agenda.Now())
		w.create(node)
		k := New(Env{
			Node: name, Trace: w.trace, Queue: w.agenda.Queue("kubelet/" + name), Images: images,
			Client: server.Client(apiserver.User{Name: "system:node:" + name, Groups: []string{"system:nodes"}, Agent: "kubelet/" + name}),
		})
		w.kubelets["kubelet/"+name] = k
		server.Observe(k.Observe)
	}
	server.Observe(w.observe)
	return w
}

func (w *world) since() string {
	return w.agenda.Now().Sub(w.start).Truncate(100 * time.Millisecond).String()
}

func (w *world) observe(e apiserver.Event) {
	switch o := e.New.(type) {
	case *v1.Pod:
		if e.Type == watch.Deleted {
			w.diary = append(w.diary, fmt.Sprintf("%s %s gone", w.since(), o.Name))
			return
		}
		w.writes++
		cells := e.Resource.Cells(o, w.agenda.Now())
		ready := "-"
		if c := condition(o.Status.Conditions, v1.PodReady); c != nil {
			ready = string(c.Status)
		}
		restarts := fmt.Sprint(cells[3])
		restarts, _, _ = strings.Cut(restarts, " ")
		w.diary = append(w.diary, fmt.Sprintf("%s %s %v %v restarts=%s Ready=%s", w.since(), o.Name, cells[1], cells[2], restarts, ready))
	case *v1.Event:
		w.events++
		who := o.InvolvedObject.Name
		w.diary = append(w.diary, strings.TrimSuffix(fmt.Sprintf("%s %s * %s: %s", w.since(), who, o.Reason, o.Message), "."))
	}
}

func (w *world) create(o apiserver.Object) apiserver.Object {
	w.t.Helper()
	made, err := w.admin.Create(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// pod makes a pod of node-1 from the YAML of its spec.
func (w *world) pod(name, spec string) *v1.Pod {
	w.t.Helper()
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	if err := yaml.UnmarshalStrict([]byte(spec), &p.Spec); err != nil {
		w.t.Fatal(err)
	}
	if p.Spec.NodeName == "" {
		p.Spec.NodeName = "node-1"
	}
	return w.create(p).(*v1.Pod)
}

func (w *world) get(name string) *v1.Pod {
	w.t.Helper()
	p, ok := apiserver.Get[*v1.Pod](w.admin, "default", name)
	if !ok {
		w.t.Fatalf("no pod %s", name)
	}
	return p
}

// to goes on until so long after the start.
func (w *world) to(after time.Duration) {
	w.t.Helper()
	for {
		task, ok := w.agenda.Pop(w.start.Add(after))
		if !ok {
			return
		}
		w.wakes++
		before := w.trace.Because(task.Cause)
		k := w.kubelets[task.Component]
		if err := k.Sync(task.Key); err != nil {
			w.t.Fatalf("%s: %v", task.Component, err)
		}
		w.trace.Because(before)
		if w.wakes > 5_000_000 {
			w.t.Fatal("it never comes to rest")
		}
	}
}

// reload puts every kubelet's saved state into a new one, as a new process does.
func (w *world) reload() {
	w.t.Helper()
	for _, k := range w.kubelets {
		data, err := json.Marshal(k.Save())
		if err != nil {
			w.t.Fatal(err)
		}
		k.state = state{}
		if err := k.Load(data); err != nil {
			w.t.Fatal(err)
		}
		again, err := json.Marshal(k.Save())
		if err != nil {
			w.t.Fatal(err)
		}
		if string(again) != string(data) {
			w.t.Fatalf("saved twice:\n%s\n%s", data, again)
		}
	}
}

func (w *world) delete(name string, grace *int64) {
	w.t.Helper()
	if err := w.admin.Delete(w.get(name), metav1.DeleteOptions{GracePeriodSeconds: grace}); err != nil {
		w.t.Fatal(err)
	}
}

// expect compares the diary with what is wanted, one entry a line.
func (w *world) expect(want string) {
	w.t.Helper()
	var got []string
	for _, l := range w.diary {
		if uid := strings.Index(l, "_default("); uid >= 0 {
			end := strings.IndexByte(l[uid:], ')')
			l = l[:uid] + "_default(UID" + l[uid+end:]
		}
		got = append(got, l)
	}
	want = strings.TrimSpace(strings.ReplaceAll(want, "\t", ""))
	if g := strings.Join(got, "\n"); g != want {
		w.t.Errorf("got\n%s\nwant\n%s", g, want)
	}
	w.diary = nil
}
