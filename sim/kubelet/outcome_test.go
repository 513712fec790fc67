package kubelet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// annotated makes a pod of node-1 that never restarts, with annotations, and a Job as its controller where job says so.
func (w *world) annotated(name, container string, annotations map[string]string, job bool) {
	w.t.Helper()
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: annotations}}
	if err := yaml.UnmarshalStrict([]byte("{nodeName: node-1, restartPolicy: Never, containers: ["+container+"]}"), &p.Spec); err != nil {
		w.t.Fatal(err)
	}
	if job {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "j", UID: "1", Controller: new(true)}}
	}
	w.create(p)
}

func TestOutcomes(t *testing.T) {
	at := func(run, outcome string) map[string]string {
		return map[string]string{RunAnnotation: run, OutcomeAnnotation: outcome}
	}
	for name, c := range map[string]struct {
		container   string
		annotations map[string]string
		job         bool
		want        string // phase, exit code and reason, and how long it ran
	}{
		"a server runs on":              {"{name: c, image: nginx}", nil, false, "Running"},
		"run":                           {"{name: c, image: nginx}", at("5s", ""), false, "Succeeded 0 Completed 5s"},
		"run shorter than its command":  {"{name: c, image: busybox, command: [sleep, 1h]}", at("5s", ""), false, "Succeeded 0 Completed 5s"},
		"run longer than its command":   {"{name: c, image: busybox, command: [sleep, 1s]}", at("1m", ""), false, "Succeeded 0 Completed 1m0s"},
		"run over a failing command":    {"{name: c, image: busybox, command: [sh, -c, exit 4]}", at("2s", ""), false, "Succeeded 0 Completed 2s"},
		"run that cannot be read":       {"{name: c, image: busybox, command: [sleep, 3s]}", at("soon", ""), false, "Succeeded 0 Completed 3s"},
		"memory does not wait":          {"{name: c, image: timonier/leak, resources: {limits: {memory: 64Mi}}}", at("1h", ""), false, "Failed 137 OOMKilled 22s"},
		"fail":                          {"{name: c, image: nginx}", at("", "fail"), false, "Failed 1 Error 1s"},
		"fail when it would have ended": {"{name: c, image: busybox, command: [sleep, 7s]}", at("", "fail"), false, "Failed 1 Error 7s"},
		"fail after a run":              {"{name: c, image: nginx}", at("5s", "fail"), false, "Failed 1 Error 5s"},
		"oom after a run":               {"{name: c, image: nginx, resources: {limits: {memory: 64Mi}}}", at("3s", "oom"), false, "Failed 137 OOMKilled 3s"},
		"oom after a long run":          {"{name: c, image: nginx, resources: {limits: {memory: 64Mi}}}", at("5m", "oom"), false, "Failed 137 OOMKilled 5m0s"},
		"oom after a run, unlimited":    {"{name: c, image: nginx}", at("3s", "oom"), false, "Failed 137 OOMKilled 3s"},
		"crash after a short run":       {"{name: c, image: nginx}", at("1s", "crash"), false, "Failed 139 Error 1s"},
		"crash after a long run":        {"{name: c, image: nginx}", at("1m", "crash"), false, "Failed 139 Error 1m0s"},
		"an outcome nobody knows":       {"{name: c, image: busybox, command: [sleep, 3s]}", at("", "win"), false, "Succeeded 0 Completed 3s"},
		"no such program":               {"{name: c, image: busybox, command: [slep]}", at("5s", "fail"), false, "Failed 128 StartError 0s"},
		"a job's own time":              {"{name: c, image: timonier/job}", nil, true, "Succeeded 0 Completed 5s"},
		"a job of something unknown":    {"{name: c, image: example.com/work}", nil, true, "Succeeded 0 Completed 1s"},
		"no job, and unknown":           {"{name: c, image: example.com/work}", nil, false, "Running"},
		"a job's script, unknown":       {"{name: c, image: python, command: [python, work.py]}", nil, true, "Succeeded 0 Completed 1s"},
		"a job that fails":              {"{name: c, image: example.com/work}", at("", "fail"), true, "Failed 1 Error 1s"},
		"a server in a job":             {"{name: c, image: nginx}", nil, true, "Running"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			w.annotated("p", c.container, c.annotations, c.job)
			w.to(2 * time.Hour)
			p := w.get("p")
			got := string(p.Status.Phase)
			if e := p.Status.ContainerStatuses[0].State.Terminated; e != nil {
				ran := e.FinishedAt.Sub(e.StartedAt.Time)
				if e.StartedAt.Unix() == 0 {
					ran = 0
				}
				got += " " + strings.Join([]string{fmt.Sprint(e.ExitCode), e.Reason, ran.String()}, " ")
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if len(w.kubelets["kubelet/node-1"].state.Pods) != 0 || w.agenda.Len() != 0 {
				t.Errorf("left over: %v", w.agenda.Tasks())
			}
		})
	}
}

func TestAnnotatingARunningPodChangesItsFate(t *testing.T) {
	w := newWorld(t, 1)
	w.annotated("p", "{name: c, image: nginx}", nil, false)
	w.to(time.Minute)
	for _, step := range []struct {
		annotations map[string]string
		after       time.Duration
		want        v1.PodPhase
	}{
		{map[string]string{RunAnnotation: "1h"}, 30 * time.Minute, v1.PodRunning},
		{nil, 2 * time.Hour, v1.PodRunning},
		{map[string]string{OutcomeAnnotation: "fail"}, 2*time.Hour + time.Second, v1.PodFailed},
	} {
		p := w.get("p").DeepCopy()
		p.Annotations = step.annotations
		if _, err := w.admin.Update(p); err != nil {
			t.Fatal(err)
		}
		w.to(step.after)
		w.reload()
		if got := w.get("p").Status.Phase; got != step.want {
			t.Errorf("%v: %s, want %s", step.annotations, got, step.want)
		}
	}
}
