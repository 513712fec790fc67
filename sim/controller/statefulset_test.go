package controller

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
)

func statefulSet(name string, replicas int32, change ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	labels := map[string]string{"app": name}
	s := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: appsv1.StatefulSetSpec{Replicas: &replicas, ServiceName: name, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "redis:7"}}}}}}
	for _, f := range change {
		f(s)
	}
	return s
}

func parallel(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }

func rolling(partition int32, maxUnavailable string) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		most := intstr.Parse(maxUnavailable)
		s.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType,
			RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: &partition, MaxUnavailable: &most}}
	}
}

func image(name string) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.Containers[0].Image = name }
}

func resize(replicas int32) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) { s.Spec.Replicas = &replicas }
}

// numbered shows the pods of the default namespace: name, image, and how they are.
func (w *world) numbered() string {
	var lines []string
	for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
		state := string(pod.Status.Phase)
		if podReady(pod) {
			state = "ready"
		}
		if pod.DeletionTimestamp != nil {
			state = "ending"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", strings.TrimPrefix(pod.Name, "db-"), strings.TrimPrefix(pod.Spec.Containers[0].Image, "redis:"), state))
	}
	return strings.Join(lines, ", ")
}

// A session of one set: what is done, after how long it is looked at, and what is there then.
func TestStatefulSetSessions(t *testing.T) {
	type step struct {
		do   func(*world)
		wait time.Duration
		want string
	}
	change := func(f func(*appsv1.StatefulSet)) func(*world) {
		return func(w *world) { edit(w, "db", f) }
	}
	remove := func(pod string) func(*world) {
		return func(w *world) {
			p, _ := apiserver.Get[*corev1.Pod](w.Client, "default", pod)
			if err := w.Delete(p, metav1.DeleteOptions{}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	phase := func(pod string, to corev1.PodPhase) func(*world) {
		return func(w *world) {
			p, _ := apiserver.Get[*corev1.Pod](w.Client, "default", pod)
			p = p.DeepCopy()
			p.Status.Phase = to
			if _, err := w.UpdateStatus(p); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	rest := func(*world) {}
	const soon, long = 500 * time.Millisecond, time.Minute
	for _, c := range []struct {
		name  string
		set   *appsv1.StatefulSet
		steps []step
	}{
		{"one after the other", statefulSet("db", 3), []step{
			{rest, soon, "0 7 Pending"},
			{rest, time.Second, "0 7 ready, 1 7 Pending"},
			{rest, long, "0 7 ready, 1 7 ready, 2 7 ready"},
			{change(resize(1)), soon, "0 7 ready, 1 7 ready, 2 7 ending"},
			{rest, time.Second, "0 7 ready, 1 7 ending"},
			{rest, long, "0 7 ready"}}},
		{"all at once", statefulSet("db", 3, parallel), []step{
			{rest, soon, "0 7 Pending, 1 7 Pending, 2 7 Pending"},
			{rest, long, "0 7 ready, 1 7 ready, 2 7 ready"},
			{change(resize(1)), soon, "0 7 ready, 1 7 ending, 2 7 ending"}}},
		{"available is more than ready", statefulSet("db", 2, func(s *appsv1.StatefulSet) { s.Spec.MinReadySeconds = 10 }), []step{
			{rest, 8 * time.Second, "0 7 ready"},
			{rest, 4 * time.Second, "0 7 ready, 1 7 Pending"}}},
		{"numbers from three", statefulSet("db", 2, func(s *appsv1.StatefulSet) { s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: 3} }), []step{
			{rest, long, "3 7 ready, 4 7 ready"},
			{change(func(s *appsv1.StatefulSet) { s.Spec.Ordinals.Start = 4 }), long, "4 7 ready, 5 7 ready"}}},
		{"an update from the last", statefulSet("db", 3), []step{
			{rest, long, "0 7 ready, 1 7 ready, 2 7 ready"},
			{change(image("redis:8")), soon, "0 7 ready, 1 7 ready, 2 7 ending"},
			{rest, 2 * time.Second, "0 7 ready, 1 7 ending, 2 8 ready"},
			{rest, long, "0 8 ready, 1 8 ready, 2 8 ready"}}},
		{"no further than the partition", statefulSet("db", 3, rolling(2, "1")), []step{
			{rest, long, "0 7 ready, 1 7 ready, 2 7 ready"},
			{change(image("redis:8")), long, "0 7 ready, 1 7 ready, 2 8 ready"},
			{remove("db-0"), long, "0 7 ready, 1 7 ready, 2 8 ready"},
			{remove("db-2"), long, "0 7 ready, 1 7 ready, 2 8 ready"},
			{change(resize(4)), long, "0 7 ready, 1 7 ready, 2 8 ready, 3 8 ready"},
			{change(rolling(0, "1")), long, "0 8 ready, 1 8 ready, 2 8 ready, 3 8 ready"}}},
		{"two at a time", statefulSet("db", 4, parallel, rolling(0, "50%")), []step{
			{rest, long, "0 7 ready, 1 7 ready, 2 7 ready, 3 7 ready"},
			{change(image("redis:8")), soon, "0 7 ready, 1 7 ready, 2 7 ending, 3 7 ending"},
			{rest, long, "0 8 ready, 1 8 ready, 2 8 ready, 3 8 ready"}}},
		{"when someone deletes them", statefulSet("db", 2, func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType }), []step{
			{rest, long, "0 7 ready, 1 7 ready"},
			{change(image("redis:8")), long, "0 7 ready, 1 7 ready"},
			{remove("db-0"), long, "0 8 ready, 1 7 ready"}}},
		{"an update that does not start holds the rest back", statefulSet("db", 3), []step{
			{rest, long, "0 7 ready, 1 7 ready, 2 7 ready"},
			{change(image("broken")), long, "0 7 ready, 1 7 ready, 2 broken Running"},
			{change(image("redis:7")), long, "0 7 ready, 1 7 ready, 2 broken Running"}, // until someone deletes it
			{remove("db-2"), long, "0 7 ready, 1 7 ready, 2 7 ready"}}},
		{"broken ones go at once where all may", statefulSet("db", 3, parallel), []step{
			{rest, long, "0 7 ready, 1 7 ready, 2 7 ready"},
			{change(image("broken")), long, "0 7 ready, 1 7 ready, 2 broken Running"},
			{change(image("redis:7")), long, "0 7 ready, 1 7 ready, 2 7 ready"}}},
		{"a pod that ends is made again", statefulSet("db", 2), []step{
			{rest, long, "0 7 ready, 1 7 ready"},
			{phase("db-0", corev1.PodFailed), 3 * time.Second, "0 7 ready, 1 7 ready"},
			{phase("db-1", corev1.PodSucceeded), 3 * time.Second, "0 7 ready, 1 7 ready"}}},
		{"none goes while a lower one is not ready", statefulSet("db", 3), []step{
			{rest, long, "0 7 ready, 1 7 ready, 2 7 ready"},
			{func(w *world) { change(rolling(3, "1"))(w); change(image("broken"))(w); remove("db-0")(w) }, long, "0 7 ready, 1 7 ready, 2 7 ready"},
			{func(w *world) { change(rolling(0, "1"))(w) }, long, "0 7 ready, 1 7 ready, 2 broken Running"},
			{func(w *world) { remove("db-0")(w) }, soon, "0 7 ending, 1 7 ready, 2 broken Running"},
			{rest, long, "0 broken Running, 1 7 ready, 2 broken Running"},
			{change(resize(1)), long, "0 broken Running, 1 7 ready, 2 broken Running"}}},
		{"what is there is adopted, what no longer matches let go", statefulSet("db", 2, parallel), []step{
			{rest, long, "0 7 ready, 1 7 ready"},
			{func(w *world) { edit(w, "db-1", func(p *corev1.Pod) { p.Labels["app"] = "other" }) }, long, "0 7 ready, 1 7 ready"},
			{func(w *world) { edit(w, "db-1", func(p *corev1.Pod) { p.Labels["app"] = "db" }) }, long, "0 7 ready, 1 7 ready"},
			{remove("db-1"), long, "0 7 ready, 1 7 ready"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "node-1")
			w.create(c.set)
			for i, s := range c.steps {
				s.do(w)
				w.run(s.wait)
				w.expect(fmt.Sprint("step ", i+1), w.numbered(), s.want)
			}
		})
	}
}

func TestStatefulSetStatusAndHistory(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(statefulSet("db", 2, func(s *appsv1.StatefulSet) { s.Spec.RevisionHistoryLimit = new(int32) }))
	w.run(time.Minute)
	status := func() string {
		s, _ := apiserver.Get[*appsv1.StatefulSet](w.Client, "default", "db")
		st := s.Status
		return fmt.Sprintf("%d pods, %d ready, %d available, %d current, %d updated, seen %d, same %t", st.Replicas, st.ReadyReplicas,
			st.AvailableReplicas, st.CurrentReplicas, st.UpdatedReplicas, st.ObservedGeneration, st.CurrentRevision == st.UpdateRevision)
	}
	history := func() (names []string) {
		all := slices.SortedFunc(apiserver.List[*appsv1.ControllerRevision](w.Client, "default"), revisionOrder)
		for _, rev := range all {
			names = append(names, fmt.Sprintf("%s is %d", rev.Name, rev.Revision))
		}
		return names
	}
	// The names are those that a real 1.37.2 gives.
	w.expect("made", status(), "2 pods, 2 ready, 2 available, 2 current, 2 updated, seen 1, same true")
	w.expect("history", strings.Join(history(), ", "), "db-846dc8fb5d is 1")
	edit(w, "db", image("redis:8"))
	w.run(500 * time.Millisecond)
	w.expect("on the way", status(), "2 pods, 2 ready, 2 available, 1 current, 0 updated, seen 2, same false")
	w.expect("history", strings.Join(history(), ", "), "db-846dc8fb5d is 1, db-76778c8559 is 2")
	edit(w, "db", image("redis:7"))
	w.run(time.Minute)
	w.expect("back", status(), "2 pods, 2 ready, 2 available, 2 current, 2 updated, seen 3, same true")
	w.expect("history", strings.Join(history(), ", "), "db-846dc8fb5d is 3")
	if got := w.eventsOf("SuccessfulDelete"); !slices.Equal(got, []string{"Delete Pod db-1 in StatefulSet db successful"}) {
		t.Errorf("events %q", got)
	}
}

// Two templates of one hash: the second revision gets another name, and the count of collisions says so.
func TestRevisionCollision(t *testing.T) {
	w := newWorld(t, "node-1")
	squatter := &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db-846dc8fb5d"}, Revision: 1}
	squatter.Data.Raw = []byte(`{"other":true}`)
	w.create(squatter)
	w.create(statefulSet("db", 1))
	w.run(time.Minute)
	s, _ := apiserver.Get[*appsv1.StatefulSet](w.Client, "default", "db")
	if s.Status.CollisionCount == nil || *s.Status.CollisionCount != 1 || s.Status.ReadyReplicas != 1 || s.Status.UpdateRevision == squatter.Name {
		t.Errorf("status %+v", s.Status)
	}
}

// The pod of a lost node is not replaced until its kubelet says that it has ended: two of one number must never be.
func TestPodOfLostNodeIsNotReplaced(t *testing.T) {
	w := newWorld(t, "node-1", "node-2")
	w.create(statefulSet("db", 2))
	w.run(time.Minute)
	w.expect("at work", w.numbered(), "0 7 ready, 1 7 ready")
	w.silence("node-1")
	w.run(10 * time.Minute)
	w.expect("lost", w.numbered(), "0 7 ending, 1 7 ready")
	w.revive("node-1")
	w.run(time.Minute)
	w.expect("back", w.numbered(), "0 7 ready, 1 7 ready")
}

func TestOrdinals(t *testing.T) {
	for _, c := range []struct {
		pod, set string
		ordinal  int
	}{{"db-0", "db", 0}, {"db-12", "db", 12}, {"my-db-3", "my-db", 3}, {"db-", "", -1}, {"db", "", -1}, {"db-x1", "", -1},
		{"db-007", "db", 7}, {"db-99999999999", "db", -1}, {"-1", "", 1}} {
		set, ordinal := ordinalOf(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: c.pod}})
		if set != c.set || ordinal != c.ordinal {
			t.Errorf("%s: %q, %d", c.pod, set, ordinal)
		}
	}
}

// Whatever is done to a set: there are never two pods of one number, an ordered set makes none while a lower one is not
// ready, and in the end all is as wanted.
func TestStatefulSetProperties(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(t, "node-1", "node-2")
		set := statefulSet("db", 3)
		ordered := seed%2 == 0
		if !ordered {
			parallel(set)
		}
		w.create(set)
		inOrder := func(e apiserver.Event) {
			pod, ok := e.New.(*corev1.Pod)
			if !ok || e.Type != watch.Added || !ordered {
				return
			}
			_, made := ordinalOf(pod)
			s, _ := apiserver.Get[*appsv1.StatefulSet](w.Client, "default", "db")
			for lower := range apiserver.List[*corev1.Pod](w.Client, "default") {
				if _, n := ordinalOf(lower); n < made && wantsOrdinal(s, n) && (!podReady(lower) || lower.DeletionTimestamp != nil) {
					t.Errorf("seed %d: %s is made while %s is not ready", seed, pod.Name, lower.Name)
				}
			}
		}
		w.server.Observe(inOrder)
		images := []string{"redis:7", "redis:8", "broken"}
		for range 25 {
			switch rng.IntN(6) {
			case 0:
				edit(w, "db", resize(int32(rng.IntN(6))))
			case 1, 2:
				edit(w, "db", image(images[rng.IntN(3)]))
			case 3:
				edit(w, "db", rolling(int32(rng.IntN(4)), []string{"1", "2", "50%"}[rng.IntN(3)]))
			case 4:
				if pods := slices.Collect(apiserver.List[*corev1.Pod](w.Client, "default")); len(pods) > 0 {
					if err := w.Delete(pods[rng.IntN(len(pods))], metav1.DeleteOptions{}); err != nil {
						t.Fatal(err)
					}
				}
			case 5:
				w.reload()
				w.server.Observe(inOrder)
			}
			w.run(time.Duration(rng.IntN(4000)) * time.Millisecond)
			numbers := map[int]bool{}
			for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
				_, n := ordinalOf(pod)
				if numbers[n] {
					t.Fatalf("seed %d: two pods have the number %d", seed, n)
				}
				numbers[n] = true
			}
		}
		edit(w, "db", image("redis:9"))
		edit(w, "db", rolling(0, "1"))
		for range 12 { // a broken pod is there until someone deletes it
			w.run(time.Minute)
			for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
				if pod.Spec.Containers[0].Image == "broken" && pod.DeletionTimestamp == nil {
					if err := w.Delete(pod, metav1.DeleteOptions{}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		s, _ := apiserver.Get[*appsv1.StatefulSet](w.Client, "default", "db")
		var want []string
		for n := range *s.Spec.Replicas {
			want = append(want, fmt.Sprintf("%d 9 ready", n))
		}
		w.expect(fmt.Sprint("seed ", seed), w.numbered(), strings.Join(want, ", "))
		if st := s.Status; st.ReadyReplicas != *s.Spec.Replicas || st.CurrentRevision != st.UpdateRevision || st.ObservedGeneration != s.Generation {
			t.Errorf("seed %d: status %+v", seed, st)
		}
	}
}
