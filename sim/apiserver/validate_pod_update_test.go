package apiserver

import (
	"slices"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
)

// runPod is the pod of `kubectl run p --image=nginx` as the admission plugins leave it.
const runPod = `
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {run: p}}
spec:
  containers:
  - name: p
    image: nginx
    volumeMounts: [{name: kube-api-access-abcde, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}]
  enableServiceLinks: true
  preemptionPolicy: PreemptLowerPriority
  priority: 0
  serviceAccountName: default
  tolerations:
  - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}
  - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 300}
  volumes:
  - name: kube-api-access-abcde
    projected:
      defaultMode: 420
      sources:
      - serviceAccountToken: {expirationSeconds: 3607, path: token}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]}
`

const immutable = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`," +
	"`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"

func TestPodUpdates(t *testing.T) {
	gated := func(p *v1.Pod) { p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "a/b"}, {Name: "c/d"}} }
	tests := []struct {
		name        string
		before, now func(*v1.Pod)
		want        string
	}{
		{name: "nothing", now: func(*v1.Pod) {}},
		{name: "the image", now: func(p *v1.Pod) { p.Spec.Containers[0].Image = "nginx:1.28" }},
		{name: "no image", now: func(p *v1.Pod) { p.Spec.Containers[0].Image = "" },
			want: "spec.containers[0].image: Required value\nspec.containers[0].image: Required value"},
		{name: "a toleration more", now: func(p *v1.Pod) {
			p.Spec.Tolerations = append(p.Spec.Tolerations, v1.Toleration{Key: "a", Operator: v1.TolerationOpExists})
		}},
		{name: "a longer toleration", now: func(p *v1.Pod) { p.Spec.Tolerations[0].TolerationSeconds = new(int64(5)) }},
		{name: "a toleration less", now: func(p *v1.Pod) { p.Spec.Tolerations = p.Spec.Tolerations[1:] },
			want: "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"},
		{name: "a deadline", now: func(p *v1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(60)) }},
		{name: "a later deadline", before: func(p *v1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(60)) },
			now:  func(p *v1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(61)) },
			want: "spec.activeDeadlineSeconds: Invalid value: 61: must be less than or equal to previous value"},
		{name: "the grace period that was negative", before: func(p *v1.Pod) { p.Spec.TerminationGracePeriodSeconds = new(int64(-1)) },
			now: func(p *v1.Pod) { p.Spec.TerminationGracePeriodSeconds = new(int64(1)) }},
		{name: "a gate less", before: gated, now: func(p *v1.Pod) { p.Spec.SchedulingGates = p.Spec.SchedulingGates[1:] }},
		{name: "a gate more", before: gated, now: func(p *v1.Pod) { p.Spec.SchedulingGates[0].Name = "e/f" },
			want: "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'e/f'"},
		{name: "a node selector while gated", before: gated, now: func(p *v1.Pod) { p.Spec.NodeSelector = map[string]string{"a": "b"} }},
		{name: "an extra container", now: func(p *v1.Pod) {
			p.Spec.Containers = append(p.Spec.Containers, *p.Spec.Containers[0].DeepCopy())
			p.Spec.Containers[1].Name = "extra"
		}, want: "spec.containers: Forbidden: pod updates may not add or remove containers"},
		// The real server's words, to the line numbers.
		{name: "requests", now: func(p *v1.Pod) { p.Spec.Containers[0].Resources.Requests = resourceList("cpu", "1") },
			want: immutable + `@@ -105,7 +105,9 @@
    "Env": null,
    "Resources": {
     "Limits": null,
-    "Requests": null,
+    "Requests": {
+     "cpu": "1"
+    },
     "Claims": null
    },
    "ResizePolicy": null,
`},
		{name: "the node", now: func(p *v1.Pod) { p.Spec.NodeName = "node-9" }, want: immutable + `@@ -146,7 +146,7 @@
  "ServiceAccountName": "default",
  "DeprecatedServiceAccount": "default",
  "AutomountServiceAccountToken": null,
- "NodeName": "",
+ "NodeName": "node-9",
  "HostNetwork": false,
  "HostPID": false,
  "HostIPC": false,
`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, o := created(t, runPod)
			old := o.(*v1.Pod)
			if test.before != nil {
				test.before(old)
			}
			pod := old.DeepCopy()
			test.now(pod)
			r.Default(pod)
			r.PrepareForUpdate(pod, old)
			got := strings.Join(errorLines(r.ValidateUpdate(pod, old)), "\n")
			if got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}

func TestPodStatusUpdates(t *testing.T) {
	ended := []v1.ContainerStatus{{Name: "p", State: v1.ContainerState{Terminated: &v1.ContainerStateTerminated{ExitCode: 1}}}}
	alive := []v1.ContainerStatus{{Name: "p", State: v1.ContainerState{Running: &v1.ContainerStateRunning{}}}}
	tests := []struct {
		name        string
		before, now func(*v1.Pod)
		want        []string
	}{
		{name: "running", now: func(p *v1.Pod) {
			p.Status.Phase, p.Status.PodIP, p.Status.PodIPs = v1.PodRunning, "10.0.0.7", []v1.PodIP{{IP: "10.0.0.7"}}
		}},
		{name: "another class", now: func(p *v1.Pod) { p.Status.QOSClass = v1.PodQOSGuaranteed },
			want: []string{`status.qosClass: Invalid value: "Guaranteed": field is immutable`}},
		{name: "an odd address", now: func(p *v1.Pod) { p.Status.PodIP, p.Status.PodIPs = "here", []v1.PodIP{{IP: "here"}} },
			want: []string{`status.podIPs[0]: Invalid value: "here": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`}},
		{name: "a container that starts again", before: func(p *v1.Pod) { p.Status.ContainerStatuses = ended },
			now: func(p *v1.Pod) { p.Status.ContainerStatuses = alive }},
		{name: "a container that may not", before: func(p *v1.Pod) {
			p.Spec.RestartPolicy, p.Status.ContainerStatuses = v1.RestartPolicyNever, ended
		}, now: func(p *v1.Pod) { p.Status.ContainerStatuses = alive },
			want: []string{`status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, o := created(t, runPod)
			old := o.(*v1.Pod)
			if test.before != nil {
				test.before(old)
			}
			pod := old.DeepCopy()
			test.now(pod)
			pod.Spec.NodeName = "not through the status" // which keeps the spec
			r.PrepareForStatusUpdate(pod, old)
			if got := errorLines(r.ValidateStatus(pod, old)); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
