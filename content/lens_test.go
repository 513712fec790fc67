package content

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"timonier/sim/scheduler"
	"timonier/sim/trace"
)

// samples has steps of every kind, as the components record them.
func samples() []trace.Step {
	pod := trace.Ref{Kind: "Pod", Namespace: "default", Name: "web-7c5d9f8b6-k2x9p"}
	web := trace.Ref{Kind: "Deployment", Namespace: "default", Name: "web"}
	rs := trace.Ref{Kind: "ReplicaSet", Namespace: "default", Name: "web-7c5d9f8b6"}
	node := trace.Ref{Kind: "Node", Name: "node-2"}
	api, kubelet, controllers := "kube-apiserver", "kubelet/node-2", "replicaset-controller"
	box := func(c trace.Container) trace.Container {
		c.Name, c.Image = "nginx", "nginx:1.27"
		return c
	}
	return []trace.Step{
		{Actor: "kubectl", Kind: trace.Asked, Detail: trace.Request{Command: "/kubectl create deployment web --image=nginx"}},
		{Actor: api, Kind: trace.Received, Object: web, Detail: trace.Request{Verb: "create", Resource: "deployments.apps"}},
		{Actor: api, Kind: trace.Received, Object: web, Detail: trace.Request{Verb: "patch", Resource: "deployments.apps"}},
		{Actor: api, Kind: trace.Received, Object: pod, Detail: trace.Request{Verb: "delete", Resource: "pods"}},
		{Actor: api, Kind: trace.Received, Detail: trace.Request{Verb: "list", Resource: "pods"}},
		{Actor: api, Kind: trace.Received, Detail: trace.Request{Verb: "get", Resource: "pods"}},
		{Actor: api, Kind: trace.Received, Object: web, Detail: trace.Request{Verb: "create", DryRun: true}},
		{Actor: api, Kind: trace.Received, Object: pod, Detail: trace.Request{Verb: "create", Resource: "pods/binding", Subresource: "binding"}},
		{Actor: api, Kind: trace.Received, Object: pod, Detail: trace.Request{Verb: "create", Resource: "pods"}},
		{Actor: api, Kind: trace.Authenticated, Detail: trace.Identity{User: "kubernetes-admin"}},
		{Actor: api, Kind: trace.Authorized, Object: web},
		{Actor: api, Kind: trace.Decoded, Object: web, Detail: trace.Defaults{Fields: []string{"spec.strategy.type", "spec.revisionHistoryLimit", "spec.progressDeadlineSeconds", "spec.template.spec.dnsPolicy", "spec.template.spec.restartPolicy"}}},
		{Actor: api, Kind: trace.Decoded, Object: web, Detail: trace.Defaults{}},
		{Actor: api, Kind: trace.Mutated, Object: pod, Detail: trace.Admission{Plugin: "DefaultTolerationSeconds", Fields: []string{"spec.tolerations"}}},
		{Actor: api, Kind: trace.Mutated, Object: pod, Detail: trace.Admission{Plugin: "ServiceAccount", Fields: []string{"spec.serviceAccountName"}}},
		{Actor: api, Kind: trace.Mutated, Object: pod, Detail: trace.Admission{Plugin: "LimitRanger"}},
		{Actor: api, Kind: trace.Validated, Object: web},
		{Actor: api, Kind: trace.Admitted, Object: web, Detail: trace.Admission{Plugin: "ResourceQuota"}},
		{Actor: api, Kind: trace.Admitted, Object: web},
		{Actor: "kubectl", Kind: trace.Committed, Object: web, Revision: 412, Detail: trace.Commit{Verb: "create"}},
		{Actor: controllers, Kind: trace.Committed, Object: pod, Revision: 414, Detail: trace.Commit{Verb: "create"}},
		{Actor: "kube-scheduler", Kind: trace.Committed, Object: pod, Revision: 417, Detail: trace.Commit{Verb: "update", Subresource: "binding"}},
		{Actor: kubelet, Kind: trace.Committed, Object: pod, Revision: 420, Detail: trace.Commit{Verb: "update", Subresource: "status"}},
		{Actor: kubelet, Kind: trace.Committed, Object: pod, Revision: 430, Detail: trace.Commit{Verb: "terminate"}},
		{Actor: kubelet, Kind: trace.Committed, Object: pod, Revision: 430, Detail: trace.Commit{Verb: "delete"}},
		{Actor: "kubectl", Kind: trace.Committed, Object: web, Revision: 431, Detail: trace.Commit{Verb: "update"}},
		{Actor: api, Kind: trace.Refused, Object: web, Detail: trace.Refusal{Stage: trace.Validated, Reason: "Invalid", Message: `Deployment.apps "Web" is invalid`, Code: 422}},
		{Actor: api, Kind: trace.Refused, Object: web, Detail: trace.Refusal{Stage: trace.Authorized, Reason: "Forbidden", Message: "no", Code: 403}},
		{Actor: api, Kind: trace.Refused, Object: web, Detail: trace.Refusal{Stage: trace.Committed, Reason: "AlreadyExists", Message: "no", Code: 409}},
		{Actor: controllers, Kind: trace.Noticed, Object: rs},
		{Actor: "kube-scheduler", Kind: trace.Scheduled, Object: pod, Detail: &scheduler.Verdict{Node: "node-3", Feasible: 2, Evaluated: 3, Total: 3}},
		{Actor: "kube-scheduler", Kind: trace.Scheduled, Object: pod, Detail: &scheduler.Verdict{Node: "node-3", Feasible: 1, Evaluated: 3, Total: 3}},
		{Actor: "kube-scheduler", Kind: trace.Scheduled, Object: pod, Detail: &scheduler.Verdict{Node: "node-1", Feasible: 1, Evaluated: 1, Total: 1}},
		{Actor: "kube-scheduler", Kind: trace.Unplaced, Object: pod, Detail: &scheduler.Verdict{Message: "0/3 nodes are available: 3 Insufficient cpu.", Evaluated: 3, Total: 3}},
		{Actor: "kube-scheduler", Kind: trace.Preempted, Object: pod, Detail: &scheduler.Verdict{Preemption: &scheduler.Preemption{Candidate: scheduler.Candidate{Node: "node-1", Victims: []scheduler.PodRef{{Name: "low-1"}, {Name: "low-2"}}}}}},
		{Actor: "deployment-controller", Kind: trace.Decided, Object: web, Detail: trace.Decision{What: "create-replicaset", Desired: 3, Target: rs}},
		{Actor: controllers, Kind: trace.Decided, Object: rs, Detail: trace.Decision{What: "create-pods", Desired: 3, Actual: 0, Count: 3}},
		{Actor: controllers, Kind: trace.Decided, Object: rs, Detail: trace.Decision{What: "delete-pods", Desired: 1, Actual: 3, Count: 2}},
		{Actor: "deployment-controller", Kind: trace.Decided, Object: web, Detail: trace.Decision{What: "scale-down", Desired: 2, Actual: 3, Count: 1, Target: rs}},
		{Actor: "taint-eviction-controller", Kind: trace.Decided, Object: pod, Detail: trace.Decision{What: "evict", Count: 1, Target: node}},
		{Actor: "node-controller", Kind: trace.Decided, Object: node, Detail: trace.Decision{What: "taint", Target: node, Note: "node.kubernetes.io/unreachable:NoExecute"}},
		{Actor: "endpoint-slice-controller", Kind: trace.Decided, Object: trace.Ref{Kind: "Service", Name: "web"}, Detail: trace.Decision{What: "endpoints", Desired: 3, Actual: 2, Count: 1}},
		{Actor: "garbage-collector-controller", Kind: trace.Decided, Object: pod, Detail: trace.Decision{What: "collect", Count: 1, Target: rs}},
		{Actor: "job-controller", Kind: trace.Decided, Object: trace.Ref{Kind: "Job", Name: "lea"}, Detail: trace.Decision{What: "finish"}},
		{Actor: kubelet, Kind: trace.Pulling, Object: pod, Detail: box(trace.Container{Took: 4 * time.Second})},
		{Actor: kubelet, Kind: trace.Pulled, Object: pod, Detail: box(trace.Container{Took: 4 * time.Second})},
		{Actor: kubelet, Kind: trace.Pulled, Object: pod, Detail: box(trace.Container{Cached: true})},
		{Actor: kubelet, Kind: trace.Pulled, Object: pod, Detail: box(trace.Container{Reason: "ErrImagePull"})},
		{Actor: kubelet, Kind: trace.Restarts, Object: pod, Detail: box(trace.Container{Reason: "ImagePullBackOff", Delay: 20 * time.Second})},
		{Actor: kubelet, Kind: trace.Restarts, Object: pod, Detail: box(trace.Container{Reason: "Error", Restarts: 1})},
		{Actor: kubelet, Kind: trace.Started, Object: pod, Detail: box(trace.Container{})},
		{Actor: kubelet, Kind: trace.Ready, Object: pod},
		{Actor: kubelet, Kind: trace.Unready, Object: pod},
		{Actor: kubelet, Kind: trace.Exited, Object: pod, Detail: box(trace.Container{ExitCode: 137, Reason: "OOMKilled"})},
		{Actor: kubelet, Kind: trace.Exited, Object: pod, Detail: box(trace.Container{ExitCode: 1, Reason: "Error"})},
		{Actor: kubelet, Kind: trace.Exited, Object: pod, Detail: box(trace.Container{Reason: "Completed"})},
		{Actor: kubelet, Kind: trace.Restarts, Object: pod, Detail: box(trace.Container{Delay: 40 * time.Second, Reason: "CrashLoopBackOff", Restarts: 3})},
		{Actor: kubelet, Kind: trace.Killing, Object: pod, Detail: box(trace.Container{Delay: 30 * time.Second})},
		{Actor: "node-controller", Kind: trace.NodeLost, Object: node, Detail: trace.NodeHealth{Grace: 50 * time.Second}},
		{Actor: "node-controller", Kind: trace.NodeBack, Object: node, Detail: trace.NodeHealth{Grace: 50 * time.Second}},
		{Actor: "kube-scheduler", Kind: trace.Elected, Object: trace.Ref{Kind: "Lease", Name: "kube-scheduler"}, Detail: trace.Election{Holder: "control-plane-2", Before: "control-plane-1", Transitions: 1}},
		{Actor: kubelet, Kind: trace.Pressed, Object: node, Detail: trace.Pressure{Resource: "ephemeral-storage"}},
		{Actor: kubelet, Kind: trace.Relieved, Object: node, Detail: trace.Pressure{Resource: "ephemeral-storage", For: 5 * time.Minute}},
		{Actor: kubelet, Kind: trace.Evicted, Object: pod, Detail: trace.Pressure{Resource: "ephemeral-storage"}},
		{Actor: kubelet, Kind: trace.Rebooted, Object: node},
		{Actor: "fault", Kind: trace.Fault, Object: node, Detail: trace.FaultChange{Fault: "node-silent", Target: "node-2"}},
		{Actor: "fault", Kind: trace.Fault, Detail: trace.FaultChange{Fault: "scheduler-down", Target: "control-plane-1"}},
		{Actor: "fault", Kind: trace.Healed, Object: node, Detail: trace.FaultChange{Fault: "node-silent", Target: "node-2"}},
		{Actor: "etcd", Kind: trace.LeaderElected, Detail: trace.Members{Member: "etcd-2", Term: 3, Needed: 2}},
		{Actor: "etcd", Kind: trace.LeaderElected, Detail: trace.Members{Member: "etcd-1", Term: 3, Needed: 1}},
		{Actor: "etcd", Kind: trace.LeaderLost, Detail: trace.Members{Member: "etcd-1", Term: 2, Needed: 2}},
		{Actor: "etcd", Kind: trace.QuorumLost, Detail: trace.Members{Count: 1, Needed: 2}},
		{Actor: "etcd", Kind: trace.QuorumLost, Detail: trace.Members{Needed: 1}},
		{Actor: "etcd", Kind: trace.QuorumBack, Detail: trace.Members{Count: 2, Needed: 2}},
		{Actor: "etcd", Kind: trace.CaughtUp, Detail: trace.Members{Member: "etcd-3", Count: 12, Needed: 2}},
		{Actor: "etcd", Kind: trace.CaughtUp, Detail: trace.Members{Member: "etcd-3", Count: 20000, Needed: 2, Snapshot: true}},
		{Actor: "etcd", Kind: trace.Compacted, Detail: trace.Members{Revision: 412, Needed: 2}},
		{Actor: "etcd", Kind: trace.NoSpace, Detail: trace.Members{Needed: 2}},
		{Actor: "etcd", Kind: trace.Disarmed, Detail: trace.Members{Needed: 2}},
	}
}

// TestEveryStepIsTold: a step of every kind, in every lens and language, becomes
// a finished sentence that is not the fallback.
func TestEveryStepIsTold(t *testing.T) {
	told := map[trace.Kind]bool{}
	for _, s := range samples() {
		told[s.Kind] = true
		for _, lens := range Default().Lenses {
			for _, lang := range Langs() {
				text, err := lens.tell(lang, factsOf(s))
				if err != nil {
					t.Fatalf("%s %s: %v", lens.ID, lang, err)
				}
				t.Logf("%-9s %s %-10s %s", lens.ID, lang, s.Kind, text)
				for _, bad := range []string{"<no value>", "{{", "``", "  ", "«\u00a0»", "%!"} {
					if strings.Contains(text, bad) {
						t.Errorf("%s %s: %q holds %q", lens.ID, lang, text, bad)
					}
				}
				if !strings.HasSuffix(text, ".") {
					t.Errorf("%s %s: %q is not a finished sentence", lens.ID, lang, text)
				}
			}
		}
	}
	for _, k := range trace.Kinds() {
		if !told[k] {
			t.Errorf("no sample of kind %s", k)
		}
		if _, ok := Default().Term(concepts[k]); !ok {
			t.Errorf("the concept of %s, %q, is not in the glossary", k, concepts[k])
		}
	}
}

// TestReplacementsHaveOtherNames: a pod and the one that takes its place are two people.
func TestReplacementsHaveOtherNames(t *testing.T) {
	lens, _ := Default().Lens("formation")
	const pods = 1000
	names := map[string]bool{}
	for i := range pods {
		names[lens.Pod(FR, fmt.Sprintf("web-5fc9f4bf66-%05x", i*7919))] = true
	}
	if len(names) < pods*9/10 {
		t.Errorf("%d names for %d pods", len(names), pods)
	}
}
