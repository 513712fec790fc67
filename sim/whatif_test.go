package sim

import (
	"errors"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
	"timonier/sim/scheduler"
)

// A question about a pod that runs is answered as if it were to be placed now, and leaves the cluster as it was, to the byte.
func TestWhatIfOfARunningPod(t *testing.T) {
	c := newCluster(t, Config{Images: images(t)})
	create(t, c, deployment("web", 4, "500m"))
	if !c.Until(time.Minute, func() bool { return ready(c, "web") == 4 }) {
		t.Fatal("not all became ready")
	}
	before := disk{}
	before.save(t, c)
	asked := 0
	for pod := range apiserver.List[*corev1.Pod](c.Client(), "default") {
		for _, node := range []string{"node-1", "node-2", "node-3"} {
			answer, err := c.WhatIf(pod, scheduler.Question{Node: node})
			if err != nil {
				t.Fatal(err)
			}
			asked++
			if answer.On != pod.Spec.NodeName || len(answer.Ways) == 0 {
				t.Errorf("%s on %s to %s: on %s, %d ways", pod.Name, pod.Spec.NodeName, node, answer.On, len(answer.Ways))
			}
		}
		if _, err := c.WhatIf(pod, scheduler.Question{Node: "node-9"}); !errors.Is(err, scheduler.ErrNoNode) {
			t.Errorf("a node that is not there: %v", err)
		}
	}
	if asked != 12 {
		t.Errorf("%d questions, want 12", asked)
	}
	after := maps.Clone(before)
	after.save(t, c)
	same(t, 0, before, after)
}

// A scheduler that is down sees nothing of what changes: questions are answered by what is, not by what it last saw.
func TestWhatIfWithoutAScheduler(t *testing.T) {
	c := newCluster(t, Config{Images: images(t)})
	if err := c.Break(SchedulerDown, All); err != nil {
		t.Fatal(err)
	}
	create(t, c, deployment("web", 1, "500m"))
	c.Until(time.Minute, func() bool { return false })
	node, _ := apiserver.Get[*corev1.Node](c.Client(), "", "node-2")
	next := node.DeepCopy()
	next.Spec.Unschedulable = true
	update(t, c, next)
	for pod := range apiserver.List[*corev1.Pod](c.Client(), "default") {
		answer, err := c.WhatIf(pod, scheduler.Question{Node: "node-2"})
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Ways) == 0 || len(answer.Ways[0].Changes) == 0 {
			t.Errorf("nothing has to change for %s to go to a node that is cordoned: %+v", pod.Name, answer.Ways)
		}
		return
	}
	t.Error("no pod")
}
