package apiserver

import (
	"maps"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

func resourceList(name v1.ResourceName, quantity string) v1.ResourceList {
	return v1.ResourceList{name: resource.MustParse(quantity)}
}

func TestQOS(t *testing.T) {
	for containers, want := range map[string]v1.PodQOSClass{
		`[{name: a, image: b}]`:                                                                               v1.PodQOSBestEffort,
		`[{name: a, image: b, resources: {requests: {cpu: 1}}}]`:                                              v1.PodQOSBurstable,
		`[{name: a, image: b, resources: {limits: {cpu: 1}}}]`:                                                v1.PodQOSBurstable,
		`[{name: a, image: b, resources: {limits: {cpu: 1, memory: 1Gi}}}]`:                                   v1.PodQOSGuaranteed,
		`[{name: a, image: b, resources: {limits: {cpu: 1, memory: 1Gi}}}, {name: c, image: d}]`:              v1.PodQOSBurstable,
		`[{name: a, image: b, resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}}]`:            v1.PodQOSBurstable,
		`[{name: a, image: b, resources: {limits: {nvidia.com/gpu: 1}, requests: {ephemeral-storage: 1Gi}}}]`: v1.PodQOSBestEffort,
	} {
		_, o := created(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: "+containers+"}")
		if got := o.(*v1.Pod).Status.QOSClass; got != want {
			t.Errorf("%s: %s, want %s", containers, got, want)
		}
	}
}

func TestPodGrace(t *testing.T) {
	tests := []struct {
		name  string
		node  string
		phase v1.PodPhase
		spec  int64
		asked *int64
		want  int64
	}{
		{"its own", "n", v1.PodRunning, 30, nil, 30},
		{"asked", "n", v1.PodRunning, 30, new(int64(5)), 5},
		{"at once", "n", v1.PodRunning, 30, new(int64(0)), 0},
		{"negative", "n", v1.PodRunning, 30, new(int64(-1)), 1},
		{"without a node", "", v1.PodPending, 30, new(int64(5)), 0},
		{"failed", "n", v1.PodFailed, 30, nil, 0},
		{"succeeded", "n", v1.PodSucceeded, 30, new(int64(9)), 0},
	}
	for _, test := range tests {
		pod := &v1.Pod{Spec: v1.PodSpec{NodeName: test.node, TerminationGracePeriodSeconds: &test.spec}, Status: v1.PodStatus{Phase: test.phase}}
		if got := podResource().Grace(pod, test.asked); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestBinding(t *testing.T) {
	to := func(node string) *v1.Binding {
		return &v1.Binding{Target: v1.ObjectReference{Kind: "Node", Name: node}}
	}
	tests := []struct {
		name  string
		pod   func(*v1.Pod)
		bind  *v1.Binding
		wrong string
	}{
		{name: "a pod that waits", bind: to("node-1")},
		{name: "one that is placed", pod: func(p *v1.Pod) { p.Spec.NodeName = "node-1" }, bind: to("node-2"),
			wrong: `Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "node-1"`},
		{name: "one that is gated", pod: func(p *v1.Pod) { p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "a"}} }, bind: to("node-1"),
			wrong: `Operation cannot be fulfilled on pods/binding "p": pod p has non-empty .spec.schedulingGates`},
		{name: "one that is going", pod: func(p *v1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: monday} }, bind: to("node-1"),
			wrong: `Operation cannot be fulfilled on pods/binding "p": pod p is being deleted, cannot be assigned to a host`},
		{name: "another of the name", bind: &v1.Binding{ObjectMeta: metav1.ObjectMeta{UID: "b"}, Target: v1.ObjectReference{Name: "n"}},
			wrong: `Operation cannot be fulfilled on pods "p": StorageError: invalid object, Code: 4, Key: /registry/pods/default/p, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: b, UID in object meta: a`},
		{name: "to nowhere", bind: &v1.Binding{}, wrong: `target.name: Required value`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, o := created(t, runPod)
			pod := o.(*v1.Pod)
			pod.UID = "a"
			pod.Status.NominatedNodeName = "node-3"
			pod.Status.Conditions = []v1.PodCondition{{Type: v1.PodScheduled, Status: v1.ConditionFalse, Reason: "Unschedulable"}}
			if test.pod != nil {
				test.pod(pod)
			}
			before := pod.DeepCopy()
			err := applyBinding(pod, test.bind, monday)
			if test.wrong != "" {
				if err == nil || err.Error() != test.wrong {
					t.Errorf("error %v, want %s", err, test.wrong)
				}
				if test.name != "to nowhere" && !apierrors.IsConflict(err) {
					t.Error("not a conflict")
				}
				if pod.Spec.NodeName != before.Spec.NodeName {
					t.Error("refused, and bound")
				}
				return
			}
			c := pod.Status.Conditions[0]
			if err != nil || pod.Spec.NodeName != "node-1" || pod.Status.NominatedNodeName != "" || pod.Generation != before.Generation ||
				c.Status != v1.ConditionTrue || c.Reason != "" || !c.LastTransitionTime.Time.Equal(monday) {
				t.Errorf("%v: %+v", err, pod)
			}
		})
	}
}

func TestPodFields(t *testing.T) {
	_, o := created(t, runPod)
	pod := o.(*v1.Pod)
	pod.Spec.NodeName, pod.Status.PodIPs = "node-1", []v1.PodIP{{IP: "10.0.0.7"}}
	want := fields.Set{
		"spec.nodeName": "node-1", "spec.restartPolicy": "Always", "spec.schedulerName": "default-scheduler",
		"spec.serviceAccountName": "default", "spec.hostNetwork": "false",
		"status.phase": "Pending", "status.podIP": "10.0.0.7", "status.nominatedNodeName": "",
	}
	if got := podResource().Fields(pod); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestGenerations: a change of what is asked for counts, one of labels or status does not.
func TestGenerations(t *testing.T) {
	const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, generation: 9}\n" +
		"spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}}\n" +
		"status: {replicas: 3}"
	r, o := created(t, deployment)
	d := o.(*appsv1.Deployment)
	if d.Generation != 1 || d.Status.Replicas != 0 {
		t.Errorf("created with generation %d, status %+v", d.Generation, d.Status)
	}
	for _, test := range []struct {
		name   string
		change func(*appsv1.Deployment)
		want   int64
	}{
		{"labels", func(d *appsv1.Deployment) { d.Labels = map[string]string{"a": "b"} }, 1},
		{"status", func(d *appsv1.Deployment) { d.Status.Replicas = 7 }, 1},
		{"replicas", func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(2)) }, 2},
		{"annotations", func(d *appsv1.Deployment) { d.Annotations = map[string]string{"a": "b"} }, 2},
	} {
		changed := d.DeepCopy()
		test.change(changed)
		r.PrepareForUpdate(changed, d)
		if changed.Generation != test.want || changed.Status.Replicas != 0 {
			t.Errorf("%s: generation %d, want %d; status %+v", test.name, changed.Generation, test.want, changed.Status)
		}
	}
	changed := d.DeepCopy()
	changed.Spec.Replicas, changed.Labels, changed.Status.Replicas = new(int32(2)), map[string]string{"a": "b"}, 3
	r.PrepareForStatusUpdate(changed, d)
	if *changed.Spec.Replicas != 1 || changed.Labels != nil || changed.Status.Replicas != 3 {
		t.Errorf("a status update made of it %+v", changed)
	}
}
