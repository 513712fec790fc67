package apiserver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestPodCells: READY, STATUS and RESTARTS of the states a pod goes through, as
// kubectl 1.37 shows them.
func TestPodCells(t *testing.T) {
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(monday.Add(-d)) }
	running := v1.ContainerState{Running: &v1.ContainerStateRunning{}}
	waiting := func(reason string) v1.ContainerState {
		return v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: reason}}
	}
	ended := func(code int32, reason string) v1.ContainerState {
		return v1.ContainerState{Terminated: &v1.ContainerStateTerminated{ExitCode: code, Reason: reason, FinishedAt: ago(12 * time.Second)}}
	}
	status := func(name string, ready bool, restarts int32, state v1.ContainerState) v1.ContainerStatus {
		s := v1.ContainerStatus{Name: name, Ready: ready, Started: &ready, RestartCount: restarts, State: state}
		if restarts > 0 {
			s.LastTerminationState = ended(1, "Error")
		}
		return s
	}
	both := func(first, second v1.ContainerStatus) func(*v1.Pod) {
		return func(p *v1.Pod) {
			p.Status.Phase = v1.PodRunning
			p.Status.ContainerStatuses = []v1.ContainerStatus{first, second}
		}
	}
	inits := func(first, sidecar v1.ContainerStatus) func(*v1.Pod) {
		return func(p *v1.Pod) {
			p.Spec.InitContainers = []v1.Container{{Name: "first"}, {Name: "sidecar", RestartPolicy: new(v1.ContainerRestartPolicyAlways)}}
			p.Status.InitContainerStatuses = []v1.ContainerStatus{first, sidecar}
		}
	}
	tests := []struct {
		name string
		pod  func(*v1.Pod)
		want string
	}{
		{"just made", func(p *v1.Pod) {}, "0/2 Pending 0"},
		{"gated", func(p *v1.Pod) {
			p.Status.Conditions = []v1.PodCondition{{Type: v1.PodScheduled, Status: v1.ConditionFalse, Reason: "SchedulingGated"}}
		}, "0/2 SchedulingGated 0"},
		{"pulling", both(status("a", false, 0, waiting("ContainerCreating")), status("b", false, 0, waiting("ContainerCreating"))), "0/2 ContainerCreating 0"},
		{"running", both(status("a", true, 0, running), status("b", true, 0, running)), "2/2 Running 0"},
		{"not ready", both(status("a", false, 0, running), status("b", true, 0, running)), "1/2 Running 0"},
		{"crashing", both(status("a", false, 3, waiting("CrashLoopBackOff")), status("b", true, 0, running)), "1/2 CrashLoopBackOff 3 (12s ago)"},
		{"no such image", both(status("a", false, 0, waiting("ImagePullBackOff")), status("b", true, 0, running)), "1/2 ImagePullBackOff 0"},
		{"out of memory", both(status("a", false, 0, ended(137, "OOMKilled")), status("b", true, 0, running)), "1/2 OOMKilled 0"},
		{"killed without a reason", both(status("a", false, 0, ended(2, "")), status("b", true, 0, running)), "1/2 ExitCode:2 0"},
		{"done", both(status("a", false, 0, ended(0, "Completed")), status("b", false, 0, ended(0, "Completed"))), "0/2 Completed 0"},
		{"half done, the rest not ready", both(status("a", false, 0, ended(0, "Completed")), status("b", true, 0, running)), "1/2 NotReady 0"},
		{"half done", func(p *v1.Pod) {
			both(status("a", false, 0, ended(0, "Completed")), status("b", true, 0, running))(p)
			p.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: v1.ConditionTrue}}
		}, "1/2 Running 0"},
		{"evicted", func(p *v1.Pod) { p.Status.Phase, p.Status.Reason = v1.PodFailed, "Evicted" }, "0/2 Evicted 0"},
		{"first init container", inits(status("first", false, 0, running), status("sidecar", false, 0, waiting("PodInitializing"))), "0/3 Init:0/2 0"},
		{"init container fails", inits(status("first", false, 0, ended(1, "Error")), status("sidecar", false, 0, waiting(""))), "0/3 Init:Error 0"},
		{"init container crashes", inits(status("first", false, 2, waiting("CrashLoopBackOff")), status("sidecar", false, 0, waiting(""))), "0/3 Init:CrashLoopBackOff 2 (12s ago)"},
		{"sidecar starts", inits(status("first", false, 0, ended(0, "Completed")), status("sidecar", false, 0, running)), "0/3 Init:1/2 0"},
		{"sidecar and all", func(p *v1.Pod) {
			both(status("a", true, 0, running), status("b", true, 0, running))(p)
			inits(status("first", false, 5, ended(0, "Completed")), status("sidecar", true, 1, running))(p)
		}, "3/3 Running 1 (12s ago)"},
		{"going", func(p *v1.Pod) {
			both(status("a", true, 0, running), status("b", true, 0, running))(p)
			p.DeletionTimestamp = &metav1.Time{Time: monday}
		}, "2/2 Terminating 0"},
		{"gone with its node", func(p *v1.Pod) {
			both(status("a", true, 0, running), status("b", true, 0, running))(p)
			p.DeletionTimestamp, p.Status.Reason = &metav1.Time{Time: monday}, "NodeLost"
		}, "2/2 Unknown 0"},
		{"finished and going", func(p *v1.Pod) {
			p.Status.Phase, p.DeletionTimestamp = v1.PodSucceeded, &metav1.Time{Time: monday}
		}, "0/2 Succeeded 0"},
	}
	for _, test := range tests {
		pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", CreationTimestamp: ago(90 * time.Second)}}
		pod.Spec.Containers = []v1.Container{{Name: "a"}, {Name: "b"}}
		pod.Status.Phase = v1.PodPending
		test.pod(pod)
		want := "p " + test.want + " 90s <none> <none> <none> <none>"
		if got := printed(podResource(), pod); got != want {
			t.Errorf("%s: %s, want %s", test.name, got, want)
		}
	}
}

func printed(r Resource, o Object) string {
	return strings.TrimSuffix(fmt.Sprintln(r.Cells(o, monday)...), "\n")
}

func TestWideCells(t *testing.T) {
	pod := podFrom(t, richPod)
	pod.CreationTimestamp = metav1.NewTime(monday.Add(-5*time.Minute - 30*time.Second))
	pod.Spec.NodeName, pod.Status.NominatedNodeName = "node-1", "node-2"
	pod.Status.Phase, pod.Status.PodIPs = v1.PodPending, []v1.PodIP{{IP: "10.0.0.7"}}
	pod.Status.Conditions = []v1.PodCondition{{Type: "example.com/ready", Status: v1.ConditionTrue}}
	if got, want := printed(podResource(), pod), "rich 0/3 Pending 0 5m30s 10.0.0.7 node-1 node-2 1/1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}

	d, rs := templated(pod)
	for _, o := range []Object{d, rs} {
		o.SetCreationTimestamp(metav1.NewTime(monday.Add(-3 * time.Hour)))
	}
	d.Spec.Replicas, rs.Spec.Replicas = new(int32(3)), new(int32(3))
	d.Status = appsv1.DeploymentStatus{Replicas: 4, UpdatedReplicas: 1, ReadyReplicas: 3, AvailableReplicas: 2}
	rs.Status = appsv1.ReplicaSetStatus{Replicas: 2, ReadyReplicas: 1}
	if got, want := printed(deploymentResource(), d), "web 3/3 1 2 3h web,batch nginx,job:1.0 app=web"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := printed(replicaSetResource(), rs), "web 3 2 1 3h web,batch nginx,job:1.0 app=web"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestColumnPriorities: what `kubectl get` shows, and what only -o wide does.
func TestColumnPriorities(t *testing.T) {
	for _, test := range []struct {
		r            Resource
		always, wide string
	}{
		{podResource(), "Name Ready Status Restarts Age", "IP,Node,Nominated Node,Readiness Gates"},
		{replicaSetResource(), "Name Desired Current Ready Age", "Containers,Images,Selector"},
		{deploymentResource(), "Name Ready Up-to-date Available Age", "Containers,Images,Selector"},
	} {
		var always, wide []string
		for _, c := range test.r.Columns {
			if c.Priority == 0 {
				always = append(always, c.Name)
			} else {
				wide = append(wide, c.Name)
			}
			if c.Description == "" {
				t.Errorf("%s: column %s is not described", test.r.Kind, c.Name)
			}
		}
		if strings.Join(always, " ") != test.always || strings.Join(wide, ",") != test.wide {
			t.Errorf("%s: %q and %q", test.r.Kind, always, wide)
		}
	}
}
