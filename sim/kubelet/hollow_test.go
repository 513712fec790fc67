package kubelet

import (
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
)

func hollowWorld(t *testing.T) *world {
	w := newWorld(t, 1)
	for _, k := range w.kubelets {
		k.env.Hollow = true
	}
	return w
}

// What a real node cannot run runs on a hollow one, and is gone as soon as it is deleted.
func TestHollowPodsRunAtOnce(t *testing.T) {
	w := hollowWorld(t)
	for name, spec := range map[string]string{
		"no-image":  "{containers: [{name: c, image: nowhere.invalid/x}]}",
		"no-volume": "{containers: [{name: c, image: nginx}], volumes: [{name: v, configMap: {name: none}}]}",
		"no-probe":  "{containers: [{name: c, image: nginx, readinessProbe: {exec: {command: ['false']}}}], initContainers: [{name: i, image: nginx}]}",
		"grace":     "{terminationGracePeriodSeconds: 3000, containers: [{name: c, image: nginx, command: [sh, -c, 'trap : TERM; sleep inf']}]}",
		"gates":     "{readinessGates: [{conditionType: example.com/ready}], containers: [{name: c, image: nginx}]}",
	} {
		w.pod(name, spec)
		w.to(w.agenda.Now().Sub(w.start) + 100*time.Millisecond)
		p := w.get(name)
		ready := condition(p.Status.Conditions, v1.PodReady)
		if p.Status.Phase != v1.PodRunning || ready == nil || ready.Status != v1.ConditionTrue || p.Status.PodIP == "" {
			t.Errorf("%s: %s %v", name, p.Status.Phase, p.Status.Conditions)
		}
		w.reload()
		w.delete(name, nil)
		w.to(w.agenda.Now().Sub(w.start) + 100*time.Millisecond)
		if _, there := apiserver.Get[*v1.Pod](w.admin, "default", name); there {
			t.Errorf("%s is still there", name)
		}
	}
	if w.events > 0 {
		t.Errorf("%d events", w.events)
	}
}

func TestHollowJobsEnd(t *testing.T) {
	for _, c := range []struct {
		run, outcome string
		job          bool
		after        time.Duration
		want         v1.PodPhase
	}{
		{"", "", true, 900 * time.Millisecond, v1.PodRunning},
		{"", "", true, 1100 * time.Millisecond, v1.PodSucceeded},
		{"", "fail", true, 1100 * time.Millisecond, v1.PodFailed},
		{"1m", "", true, 50 * time.Second, v1.PodRunning},
		{"1m", "", true, 61 * time.Second, v1.PodSucceeded},
		{"1m", "fail", true, 61 * time.Second, v1.PodFailed},
		{"1m", "", false, 62 * time.Second, v1.PodSucceeded}, // with containers of its own
		{"", "", false, time.Hour, v1.PodRunning},
	} {
		w := hollowWorld(t)
		w.annotated("p", "{name: c, image: nginx}", map[string]string{RunAnnotation: c.run, OutcomeAnnotation: c.outcome}, c.job)
		w.to(100 * time.Millisecond)
		w.reload()
		w.to(c.after)
		if got := w.get("p").Status.Phase; got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
