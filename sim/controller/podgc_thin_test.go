package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
)

func TestTheOldestOfTheFinishedPodsGo(t *testing.T) {
	w := newWorld(t, "n1")
	for i, status := range []corev1.PodStatus{{Phase: corev1.PodSucceeded}, {Phase: corev1.PodFailed}, {Phase: corev1.PodFailed, Reason: "Evicted"}, {Phase: corev1.PodSucceeded}} {
		pod := w.create(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("p", i)},
			Spec: corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "c", Image: "nginx"}}}}).DeepCopyObject().(*corev1.Pod)
		pod.Status = status
		if _, err := w.UpdateStatus(pod); err != nil {
			t.Fatal(err)
		}
		w.run(time.Second)
	}
	gc := w.components[podGCController].(*podGC)
	for _, c := range []struct {
		most int
		want string
	}{{4, "p0 p1 p2 p3"}, {3, "p0 p1 p3"}, {1, "p3"}, {0, ""}} {
		if err := gc.thin(c.most); err != nil {
			t.Fatal(err)
		}
		var left []string
		for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
			left = append(left, pod.Name)
		}
		if got := strings.Join(left, " "); got != c.want {
			t.Errorf("at most %d: %q, want %q", c.most, got, c.want)
		}
	}
}
