package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/sim/apiserver"
)

// deployment is what `kubectl create deployment NAME --image=IMAGE --replicas=N` sends.
func deployment(name, image string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "nginx", Image: image}}},
			},
		},
	}
}

// sets shows the ReplicaSets from the oldest: name, size, pods, ready, revision.
func (w *world) sets() string {
	all := slices.SortedFunc(apiserver.List[*appsv1.ReplicaSet](w.Client, "default"), olderFirst)
	var lines []string
	for _, rs := range all {
		lines = append(lines, fmt.Sprintf("%s %d %d %d rev %d", rs.Name, *rs.Spec.Replicas, rs.Status.Replicas, rs.Status.ReadyReplicas, revisionOf(rs)))
	}
	return strings.Join(lines, "\n")
}

func (w *world) expect(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// What the real cluster did: rig/transcripts/ctrl-deployment-rolling-update.txt, hashes included.
func TestRollingUpdateAndUndo(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(deployment("web", "nginx:1.27", 3))
	w.run(20 * time.Second)
	setImage(w, "web", "nginx:1.28")
	w.run(20 * time.Second)
	w.expect("after the update", w.sets(), "web-69c6f74b8b 0 0 0 rev 1\nweb-6f9bcdc979 3 3 3 rev 2")
	setImage(w, "web", "nginx:1.27")
	w.run(20 * time.Second)
	w.expect("after the undo", w.sets(), "web-69c6f74b8b 3 3 3 rev 3\nweb-6f9bcdc979 0 0 0 rev 2")
	w.expect("events", strings.Join(w.eventsOf("ScalingReplicaSet"), "\n"), `Scaled up replica set web-69c6f74b8b from 0 to 3
Scaled up replica set web-6f9bcdc979 from 0 to 1
Scaled down replica set web-69c6f74b8b from 3 to 2
Scaled up replica set web-6f9bcdc979 from 1 to 2
Scaled down replica set web-69c6f74b8b from 2 to 1
Scaled up replica set web-6f9bcdc979 from 2 to 3
Scaled down replica set web-69c6f74b8b from 1 to 0
Scaled up replica set web-69c6f74b8b from 0 to 1
Scaled down replica set web-6f9bcdc979 from 3 to 2
(combined from similar events): Scaled down replica set web-6f9bcdc979 from 1 to 0`)
	d, _ := apiserver.Get[*appsv1.Deployment](w.Client, "default", "web")
	w.expect("conditions", conditionsOf(d), `Available True MinimumReplicasAvailable Deployment has minimum availability.
Progressing True NewReplicaSetAvailable ReplicaSet "web-69c6f74b8b" has successfully progressed.`)
	if d.Annotations[revisionAnnotation] != "3" || d.Status.TerminatingReplicas == nil || *d.Status.TerminatingReplicas != 0 {
		t.Errorf("annotations %v, status %+v", d.Annotations, d.Status)
	}
	rs, _ := apiserver.Get[*appsv1.ReplicaSet](w.Client, "default", "web-69c6f74b8b")
	if got := rs.Annotations[revisionHistoryAnnotation]; got != "1" {
		t.Errorf("revision history %q", got)
	}
}

func conditionsOf(d *appsv1.Deployment) string {
	var lines []string
	for _, c := range d.Status.Conditions {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", c.Type, c.Status, c.Reason, c.Message))
	}
	return strings.Join(lines, "\n")
}

func TestHistoryLimit(t *testing.T) {
	w := newWorld(t, "node-1")
	d := deployment("web", "nginx:1", 1)
	limit := int32(1)
	d.Spec.RevisionHistoryLimit = &limit
	w.create(d)
	for _, image := range []string{"nginx:2", "nginx:3"} {
		w.run(20 * time.Second)
		setImage(w, "web", image)
	}
	w.run(20 * time.Second)
	w.expect("two revisions", w.sets(), "web-566bc6b4d8 0 0 0 rev 2\nweb-76cd6f6f8c 1 1 1 rev 3")
	setImage(w, "web", "nginx:2")
	w.run(20 * time.Second)
	w.expect("back to 2", w.sets(), "web-566bc6b4d8 1 1 1 rev 4\nweb-76cd6f6f8c 0 0 0 rev 3")
}

// rig/transcripts/ctrl-deployment-surge-unavailable.txt.
func TestProportionalScalingOfAStuckRollout(t *testing.T) {
	w := newWorld(t, "node-1")
	one, none := intstr.FromInt32(1), intstr.FromInt32(0)
	zero := deployment("zero-surge", "nginx", 3)
	zero.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxSurge: &none, MaxUnavailable: &one}
	w.create(zero)
	w.create(deployment("defaults", "nginx", 3))
	w.run(20 * time.Second)
	sizes := func(name string) string {
		d, _ := apiserver.Get[*appsv1.Deployment](w.Client, "default", name)
		all := slices.SortedFunc(apiserver.Owned[*appsv1.ReplicaSet](w.Client, d.UID), olderFirst)
		s := fmt.Sprintf("%d/%d up-to-date %d:", d.Status.AvailableReplicas, *d.Spec.Replicas, d.Status.UpdatedReplicas)
		for _, rs := range all {
			s += fmt.Sprintf(" %d", *rs.Spec.Replicas)
		}
		return s
	}
	for _, name := range []string{"zero-surge", "defaults"} {
		edit(w, name, func(d *appsv1.Deployment) { d.Spec.Template.Spec.NodeSelector = map[string]string{"no": "where"} })
	}
	w.run(20 * time.Second)
	w.expect("zero-surge", sizes("zero-surge"), "2/3 up-to-date 1: 2 1")
	w.expect("defaults", sizes("defaults"), "3/3 up-to-date 1: 3 1")
	scale(w, "zero-surge", 6)
	scale(w, "defaults", 6)
	w.run(20 * time.Second)
	w.expect("zero-surge", sizes("zero-surge"), "4/6 up-to-date 2: 4 2")
	w.expect("defaults", sizes("defaults"), "5/6 up-to-date 3: 5 3")
}

func TestFenceposts(t *testing.T) {
	for _, c := range []struct {
		replicas           int32
		surge, unavailable string
		wantSurge, wantOut int32
	}{
		{3, "25%", "25%", 1, 0},
		{4, "25%", "25%", 1, 1},
		{10, "25%", "25%", 3, 2},
		{1, "25%", "25%", 1, 0},
		{10, "0", "0%", 0, 1},
		{2, "0%", "1%", 0, 1},
		{10, "3", "2", 3, 2},
		{2, "5", "5", 5, 2},
		{0, "25%", "25%", 0, 0},
	} {
		d := deployment("web", "nginx", c.replicas)
		surge, out := intstr.Parse(c.surge), intstr.Parse(c.unavailable)
		d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &surge, MaxUnavailable: &out}}
		if s, u := maxSurge(d), maxUnavailable(d); s != c.wantSurge || u != c.wantOut {
			t.Errorf("%d replicas, %s, %s: surge %d, unavailable %d; want %d, %d", c.replicas, c.surge, c.unavailable, s, u, c.wantSurge, c.wantOut)
		}
	}
}

// At no moment of a rollout are there more pods than the surge allows, nor fewer ready than availability asks for.
func TestRolloutKeepsItsBounds(t *testing.T) {
	for _, c := range []struct {
		replicas           int32
		surge, unavailable string
	}{{1, "25%", "25%"}, {3, "25%", "25%"}, {4, "25%", "25%"}, {7, "0", "1"}, {10, "25%", "25%"}, {10, "3", "0"}, {10, "0", "50%"}, {6, "100%", "0"}} {
		w := newWorld(t, "node-1")
		w.kubelets.apart = 7 * time.Millisecond
		d := deployment("web", "nginx:1", c.replicas)
		surge, out := intstr.Parse(c.surge), intstr.Parse(c.unavailable)
		d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxSurge: &surge, MaxUnavailable: &out}
		d = w.create(d).(*appsv1.Deployment)
		w.run(20 * time.Second)
		most, least := int32(0), c.replicas
		setImage(w, "web", "nginx:2")
		for range 10_000 { // the two ReplicaSets follow in the same millisecond, one after the other
			w.run(time.Millisecond)
			active, ready := int32(0), int32(0)
			for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
				if podActive(pod) {
					active++
					if podReady(pod) {
						ready++
					}
				}
			}
			most, least = max(most, active), min(least, ready)
		}
		w.run(time.Minute)
		if got := w.sets(); !strings.HasSuffix(got, fmt.Sprintf(" %d %d %d rev 2", c.replicas, c.replicas, c.replicas)) {
			t.Errorf("%+v: the rollout has not ended:\n%s", c, got)
		}
		if most > c.replicas+maxSurge(d) || least < c.replicas-maxUnavailable(d) {
			t.Errorf("%+v: at most %d pods, at least %d ready; want %d, %d", c, most, least, c.replicas+maxSurge(d), c.replicas-maxUnavailable(d))
		}
	}
}

// A rollout that can not go on keeps the old pods; a rollback ends it at once.
func TestBrokenRollout(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(deployment("web", "nginx:1", 4))
	w.run(20 * time.Second)
	setImage(w, "web", "broken")
	w.run(time.Minute)
	if got := strings.Split(w.sets(), "\n"); !strings.HasSuffix(got[0], " 3 3 3 rev 1") || !strings.HasSuffix(got[1], " 2 2 0 rev 2") {
		t.Errorf("stuck:\n%s", strings.Join(got, "\n"))
	}
	setImage(w, "web", "nginx:1")
	w.run(20 * time.Second)
	if got := strings.Split(w.sets(), "\n"); !strings.HasSuffix(got[0], " 4 4 4 rev 3") || !strings.HasSuffix(got[1], " 0 0 0 rev 2") {
		t.Errorf("rolled back:\n%s", strings.Join(got, "\n"))
	}
}

// The cases of deployment_controller's own tests (pkg/controller/deployment/sync_test.go, TestScale).
func TestProportions(t *testing.T) {
	for _, c := range []struct {
		name      string
		was, want int32
		surge     int32
		sizes     []int32 // from the oldest
		result    []int32 // from the oldest
	}{
		{"up", 10, 12, 0, []int32{5, 5}, []int32{6, 6}},
		{"down", 10, 6, 0, []int32{5, 5}, []int32{3, 3}},
		{"up by 2 over 3", 10, 20, 0, []int32{3, 2, 5}, []int32{6, 4, 10}},
		{"leftovers go to the largest", 10, 5, 0, []int32{3, 3, 4}, []int32{2, 2, 1}},
		{"to zero", 10, 0, 0, []int32{5, 3, 2}, []int32{0, 0, 0}},
		{"with surge", 10, 20, 2, []int32{5, 3, 4}, []int32{9, 6, 7}},
	} {
		d := deployment("web", "nginx", c.want)
		surge, none := intstr.FromInt32(c.surge), intstr.FromInt32(1)
		d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &surge, MaxUnavailable: &none}}
		var sets []*appsv1.ReplicaSet
		for i, size := range c.sizes {
			sets = append(sets, &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("rs", i),
				CreationTimestamp: metav1.NewTime(time.Unix(int64(i), 0)),
				Annotations:       map[string]string{maxReplicasAnnotation: fmt.Sprint(c.was + c.surge)}},
				Spec: appsv1.ReplicaSetSpec{Replicas: &size}})
		}
		got := make([]int32, len(sets))
		for i, size := range proportions(d, sets) {
			got[sets[i].CreationTimestamp.Unix()] = size
		}
		if !slices.Equal(got, c.result) {
			t.Errorf("%s: %v, want %v", c.name, got, c.result)
		}
	}
}

func TestProgressDeadline(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(deployment("web", "broken", 2))
	progress := func() string {
		d, _ := apiserver.Get[*appsv1.Deployment](w.Client, "default", "web")
		return strings.SplitN(conditionsOf(d)+"\n", "\n", 3)[1]
	}
	w.run(10 * time.Minute)
	hash := strings.Fields(w.sets())[0]
	w.expect("before", progress(), `Progressing True ReplicaSetUpdated ReplicaSet "`+hash+`" is progressing.`)
	w.run(3 * time.Second)
	w.expect("after", progress(), `Progressing False ProgressDeadlineExceeded ReplicaSet "`+hash+`" has timed out progressing.`)
	if n := w.agenda.Len(); n > 0 {
		for _, task := range w.agenda.Tasks() {
			t.Logf("%s %s at %s", task.Component, task.Key, w.at(task.At))
		}
		w.run(time.Hour)
		if n := w.agenda.Len(); n > 0 {
			t.Errorf("%d tasks are left in a cluster at rest", n)
		}
	}
}

func TestPauseAndResume(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(deployment("web", "nginx:1", 2))
	w.run(20 * time.Second)
	edit(w, "web", func(d *appsv1.Deployment) { d.Spec.Paused = true })
	w.run(time.Second)
	setImage(w, "web", "nginx:2")
	scale(w, "web", 3)
	w.run(20 * time.Second)
	d, _ := apiserver.Get[*appsv1.Deployment](w.Client, "default", "web")
	if got := conditionsOf(d); !strings.Contains(got, "Progressing Unknown DeploymentPaused Deployment is paused") {
		t.Error(got)
	}
	if got := w.sets(); !strings.HasSuffix(got, " 3 3 3 rev 1") || strings.Contains(got, "\n") {
		t.Errorf("a paused Deployment follows only its size:\n%s", got)
	}
	edit(w, "web", func(d *appsv1.Deployment) { d.Spec.Paused = false })
	w.run(20 * time.Second)
	if got := w.sets(); !strings.HasSuffix(got, " 3 3 3 rev 2") {
		t.Errorf("resumed:\n%s", got)
	}
}

func TestRecreateStopsBeforeItStarts(t *testing.T) {
	w := newWorld(t, "node-1")
	d := deployment("web", "nginx", 2)
	d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
	w.create(d)
	w.run(20 * time.Second)
	setImage(w, "web", "redis")
	running := map[int]bool{}
	for range 4000 {
		w.run(time.Millisecond)
		images := map[string]bool{}
		for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
			images[pod.Spec.Containers[0].Image] = true
		}
		running[len(images)] = true
	}
	if running[2] || !running[0] {
		t.Errorf("old and new pods together: %v", running)
	}
	if got := w.sets(); !strings.HasSuffix(got, " 2 2 2 rev 2") {
		t.Error(got)
	}
}

func TestHashCollision(t *testing.T) {
	w := newWorld(t, "node-1")
	squatter := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web-69c6f74b8b"},
		Spec: appsv1.ReplicaSetSpec{Replicas: new(int32), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "x"}}}}}}
	w.create(squatter)
	w.create(deployment("web", "nginx:1.27", 1))
	w.run(20 * time.Second)
	d, _ := apiserver.Get[*appsv1.Deployment](w.Client, "default", "web")
	if d.Status.CollisionCount == nil || *d.Status.CollisionCount != 1 || d.Status.ReadyReplicas != 1 {
		t.Errorf("status %+v", d.Status)
	}
}
