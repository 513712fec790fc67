package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// numbered shows the pods of the default namespace: name, image, and how they are.
func (w *world) numbered() string {
	var lines []string
	for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
		state := string(pod.Status.Phase)
		if podReady(pod) {
			state = "ready"
		}
		if pod.DeletionTimestamp != nil {
			state = "terminating"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", pod.Name, pod.Spec.Containers[0].Image, state))
	}
	return strings.Join(lines, "\n")
}

func TestOrderedSetStartsOneByOne(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(statefulSet("db", 3))
	w.run(500 * time.Millisecond)
	w.expect("first", w.numbered(), "db-0 redis:7 Pending")
	w.run(time.Second)
	w.expect("second", w.numbered(), "db-0 redis:7 ready\ndb-1 redis:7 Pending")
	w.run(10 * time.Second)
	w.expect("all", w.numbered(), "db-0 redis:7 ready\ndb-1 redis:7 ready\ndb-2 redis:7 ready")
	s, _ := apiserver.Get[*appsv1.StatefulSet](w.Client, "default", "db")
	t.Logf("%+v", s.Status)
}
