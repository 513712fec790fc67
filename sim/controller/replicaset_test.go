package controller

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
)

func TestSlowStart(t *testing.T) {
	for _, c := range []struct{ count, failAt, calls int }{{0, 0, 0}, {1, 0, 1}, {10, 0, 10}, {500, 0, 500}, {10, 1, 1}, {10, 2, 3}, {10, 5, 7}, {10, 10, 10}} {
		calls := 0
		err := slowStart(c.count, func() error {
			if calls++; calls == c.failAt {
				return errors.New("no")
			}
			return nil
		})
		if calls != c.calls || (err != nil) != (c.failAt > 0) {
			t.Errorf("%d pods, the %dth fails: %d calls, %v; want %d", c.count, c.failAt, calls, err, c.calls)
		}
	}
}

// replicaSet is one without a Deployment.
func replicaSet(name string, replicas int32) *appsv1.ReplicaSet {
	labels := map[string]string{"app": name}
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: appsv1.ReplicaSetSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx"}}}}}}
}

func TestReplicaSetStatus(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(replicaSet("web", 3))
	status := func() string {
		rs, _ := apiserver.Get[*appsv1.ReplicaSet](w.Client, "default", "web")
		s := rs.Status
		return fmt.Sprintf("%d pods, %d labelled, %d ready, %d available, %d terminating, seen %d", s.Replicas,
			s.FullyLabeledReplicas, s.ReadyReplicas, s.AvailableReplicas, *s.TerminatingReplicas, s.ObservedGeneration)
	}
	w.run(500 * time.Millisecond)
	w.expect("created", status(), "3 pods, 3 labelled, 0 ready, 0 available, 0 terminating, seen 1")
	w.run(5 * time.Second)
	w.expect("running", status(), "3 pods, 3 labelled, 3 ready, 3 available, 0 terminating, seen 1")
	edit(w, "web", func(rs *appsv1.ReplicaSet) { *rs.Spec.Replicas = 1 })
	w.run(500 * time.Millisecond)
	w.expect("scaled", status(), "1 pods, 1 labelled, 1 ready, 1 available, 2 terminating, seen 2")
	w.run(5 * time.Second)
	w.expect("at rest", status(), "1 pods, 1 labelled, 1 ready, 1 available, 0 terminating, seen 2")
	if got := w.eventsOf("SuccessfulCreate"); len(got) != 3 || !strings.HasPrefix(got[0], "Created pod: web-") {
		t.Error(got)
	}
	if got := w.eventsOf("SuccessfulDelete"); len(got) != 2 || !strings.HasPrefix(got[0], "Deleted pod: web-") {
		t.Error(got)
	}
}

// The count that runs along with the pods' changes is always what counting anew would give.
func TestRunningCount(t *testing.T) {
	w := newWorld(t, "node-1", "node-2")
	w.create(deployment("web", "nginx", 5))
	c := w.components[replicaSetController].(*replicaSets)
	compared := 0
	check := func(d time.Duration) {
		for range 50 {
			w.run(d / 50)
			for rs := range apiserver.List[*appsv1.ReplicaSet](w.Client, "default") {
				n := c.running[rs.UID]
				if n == nil {
					continue
				}
				kept := n.replicaCount
				c.keepCount(rs)
				if again := c.running[rs.UID]; again == nil || kept != again.replicaCount {
					t.Fatalf("%s: %+v, counted anew %+v", w.at(w.agenda.Now()), kept, again)
				}
				compared++
			}
		}
	}
	check(3 * time.Second)
	setImage(w, "web", "nginx:2")
	check(5 * time.Second)
	scale(w, "web", 9)
	check(3 * time.Second)
	w.silence("node-2")
	check(6 * time.Minute)
	pods := slices.Collect(apiserver.List[*corev1.Pod](w.Client, "default"))
	edit(w, pods[0].Name, func(p *corev1.Pod) { p.Labels["app"] = "debug" })
	edit(w, pods[1].Name, func(p *corev1.Pod) { p.Labels["more"] = "yes" })
	w.remove(pods[2], metav1.DeletePropagationBackground)
	check(3 * time.Second)
	scale(w, "web", 1)
	check(3 * time.Second)
	if compared < 200 {
		t.Errorf("only %d comparisons", compared)
	}
}

// Those go first that never ran: rig/transcripts/ctrl-replicaset-scale-down-order.txt.
func TestScaleDownOrder(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(replicaSet("web", 2))
	w.run(5 * time.Second)
	edit(w, "node-1", func(n *corev1.Node) { n.Spec.Unschedulable = true })
	w.run(time.Second)
	edit(w, "web", func(rs *appsv1.ReplicaSet) { *rs.Spec.Replicas = 4 })
	w.run(5 * time.Second)
	for _, size := range []int32{3, 2} {
		edit(w, "web", func(rs *appsv1.ReplicaSet) { *rs.Spec.Replicas = size })
		w.run(5 * time.Second)
		placed := 0
		pods := slices.Collect(apiserver.List[*corev1.Pod](w.Client, "default"))
		for _, p := range pods {
			if p.Spec.NodeName != "" {
				placed++
			}
		}
		if len(pods) != int(size) || placed != 2 {
			t.Errorf("at %d: %d pods, %d placed", size, len(pods), placed)
		}
	}
}

// A pod that may not be created is an event and a condition, of the Deployment too; and it is tried again.
func TestPodsThatMayNotBeCreated(t *testing.T) {
	w := newWorld(t, "node-1")
	d := deployment("web", "nginx", 2)
	d.Spec.Template.Spec.ServiceAccountName = "robot"
	w.create(d)
	w.run(time.Minute)
	hash := strings.Fields(w.sets())[0]
	const no = `pods "%s-" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found`
	refused := fmt.Sprintf(no, hash)
	d, _ = apiserver.Get[*appsv1.Deployment](w.Client, "default", "web")
	w.expect("conditions", conditionsOf(d), `Progressing True NewReplicaSetCreated Created new replica set "`+hash+`"
Available False MinimumReplicasUnavailable Deployment does not have minimum availability.
ReplicaFailure True FailedCreate `+refused)
	if got := w.eventsOf("FailedCreate"); len(got) != 1 || got[0] != "Error creating: "+refused {
		t.Error(got)
	}
	w.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "robot"}})
	w.run(2 * time.Minute)
	d, _ = apiserver.Get[*appsv1.Deployment](w.Client, "default", "web")
	w.expect("conditions", conditionsOf(d), `Available True MinimumReplicasAvailable Deployment has minimum availability.
Progressing True NewReplicaSetAvailable ReplicaSet "`+hash+`" has successfully progressed.`)
}

// A pod that is deleted is replaced at once, not when it is gone.
func TestReplacementIsImmediate(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(replicaSet("web", 1))
	w.run(5 * time.Second)
	for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
		w.remove(pod, metav1.DeletePropagationBackground)
	}
	w.run(10 * time.Millisecond)
	if n := apiserver.Count[*corev1.Pod](w.Client); n != 2 {
		t.Errorf("%d pods, want the old one and the new", n)
	}
}

// The same commands lead to the same objects, also where the cluster is saved and loaded in between.
func TestDeterminism(t *testing.T) {
	play := func(reload bool) string {
		w := newWorld(t, "node-1", "node-2", "node-3")
		step := func(d time.Duration) {
			for range 10 {
				w.run(d / 10)
				if reload {
					w.reload()
				}
			}
		}
		w.apply(servicesManifest)
		w.apply(namedPort)
		step(20 * time.Second)
		setImage(w, "web", "nginx:2")
		scale(w, "web", 7)
		step(time.Second)
		w.silence("node-2")
		step(7 * time.Minute)
		d, _ := apiserver.Get[*appsv1.Deployment](w.Client, "default", "web")
		w.remove(d, metav1.DeletePropagationForeground)
		step(500 * time.Millisecond)
		if err := w.Delete(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-2"}}, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		step(2 * time.Minute)
		var all []string
		for _, r := range w.server.Resources() {
			for _, o := range w.All(r, "") {
				all = append(all, fmt.Sprintf("%s %s/%s %s %s", r.Resource, o.GetNamespace(), o.GetName(), o.GetUID(), o.GetResourceVersion()))
			}
		}
		w.expect("left", w.left(), "0 deployments, 0 replicasets, 0 pods")
		return strings.Join(all, "\n")
	}
	want := play(false)
	if play(false) != want {
		t.Error("two runs differ")
	}
	if got := play(true); got != want {
		t.Errorf("a run with saves and loads differs:\n%s\nwant:\n%s", got, want)
	}
}

// A controller that is made anew, and looks at everything again, finds nothing to change in a cluster at rest.
func TestResyncAtRestWritesNothing(t *testing.T) {
	w := newWorld(t, "node-1", "node-2")
	w.apply(servicesManifest)
	w.apply(namedPort)
	w.run(time.Hour)
	if n := w.agenda.Len(); n != 0 {
		t.Errorf("%d tasks are left in a cluster at rest: %v", n, w.agenda.Tasks())
	}
	before := w.server.Revision()
	for _, c := range All() {
		w.components[c.Name].Resync()
	}
	w.run(time.Hour)
	if after := w.server.Revision(); after != before {
		t.Errorf("%d writes", after-before)
	}
}

// A Deployment of 1,000 replicas on 50 nodes, from its creation to all of them running: the controllers and the
// API server, without scheduler.
func BenchmarkThousandReplicas(b *testing.B) {
	var nodes []string
	for i := range 50 {
		nodes = append(nodes, fmt.Sprintf("node-%02d", i))
	}
	for _, c := range []struct {
		name  string
		apart time.Duration
	}{{"AtOnce", 0}, {"OneByOne", time.Millisecond}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				w := newWorld(b, nodes...)
				w.kubelets.apart = c.apart
				b.StartTimer()
				w.create(deployment("web", "nginx", 1000))
				w.run(time.Minute)
				b.StopTimer()
				if d, _ := apiserver.Get[*appsv1.Deployment](w.Client, "default", "web"); d.Status.ReadyReplicas != 1000 {
					b.Fatalf("%d ready", d.Status.ReadyReplicas)
				}
				b.StartTimer()
			}
		})
	}
}
