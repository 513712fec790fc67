package kubelet

import (
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
)

func (w *world) diskPressure() v1.ConditionStatus {
	n, _ := apiserver.Get[*v1.Node](w.admin, "", "node-1")
	for _, c := range n.Status.Conditions {
		if c.Type == v1.NodeDiskPressure {
			return c.Status
		}
	}
	return ""
}

func TestAFullDisk(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("used", "{containers: [{name: c, image: redis}]}")
	w.pod("over", "{containers: [{name: c, image: nginx}]}")
	w.pod("modest", "{containers: [{name: c, image: nginx, resources: {requests: {ephemeral-storage: 1Gi}}}]}")
	w.to(time.Minute)
	w.delete("used", ptr.To[int64](0)) // its image stays, and nobody uses it
	w.to(2 * time.Minute)
	n, _ := apiserver.Get[*v1.Node](w.admin, "", "node-1")
	if len(n.Status.Images) != 2 {
		t.Fatalf("images %v", n.Status.Images)
	}
	w.diary = nil
	w.trouble(DiskFull, true)
	w.to(2*time.Minute + 15*time.Second)
	w.pod("late", "{containers: [{name: c, image: nginx}]}")
	w.to(time.Hour)
	w.reload()
	w.expect(`
		2m4.3s node-1 * EvictionThresholdMet: Attempting to reclaim ephemeral-storage
		2m4.3s over * Evicted: The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 5Gi. Container c was using 28Ki, request is 0, has larger consumption of ephemeral-storage. 
		2m4.3s node-1 * NodeHasDiskPressure: Node node-1 status is now: NodeHasDiskPressure
		2m4.3s over * Killing: Stopping container c
		2m4.5s over 0/1 Completed restarts=0 Ready=False
		2m14.3s node-1 * EvictionThresholdMet: Attempting to reclaim ephemeral-storage
		2m14.3s modest * Evicted: The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 5Gi. 
		2m14.3s modest * Killing: Stopping container c
		2m14.5s modest 0/1 Completed restarts=0 Ready=False
		2m15s late 0/1 Pending restarts=0 Ready=-
		2m15s late * Evicted: The node had condition: [DiskPressure]. 
		2m15s late 0/1 Evicted restarts=0 Ready=False`)
	if n, _ = apiserver.Get[*v1.Node](w.admin, "", "node-1"); len(n.Status.Images) != 0 {
		t.Errorf("images %v", n.Status.Images)
	}
	if p := w.get("over"); p.Status.Reason != "Evicted" || p.Status.Phase != v1.PodFailed || condition(p.Status.Conditions, v1.DisruptionTarget).Reason != "TerminationByKubelet" {
		t.Errorf("%+v", p.Status)
	}
	if p := w.get("late"); p.Status.Message != "Pod was rejected: The node had condition: [DiskPressure]. " {
		t.Errorf("%q", p.Status.Message)
	}
	w.diary = nil
	w.trouble(DiskFull, false)
	for _, step := range []struct {
		after time.Duration
		want  v1.ConditionStatus
	}{{time.Hour + 4*time.Minute + 59*time.Second, v1.ConditionTrue}, {time.Hour + 5*time.Minute + 10*time.Second, v1.ConditionFalse}} {
		w.to(step.after)
		w.reload()
		if got := w.diskPressure(); got != step.want {
			t.Errorf("after %v: DiskPressure %s, want %s", step.after, got, step.want)
		}
	}
	w.pod("last", "{containers: [{name: c, image: nginx}]}")
	w.to(2 * time.Hour)
	if got := w.get("last").Status.Phase; got != v1.PodRunning {
		t.Errorf("a pod of the healed node: %s", got)
	}
	if w.agenda.Len() != 0 {
		t.Errorf("left over: %v", w.agenda.Tasks())
	}
}

// Who goes first: more than asked for before within; then the least important; then the most over what was asked for.
// What is critical never goes.
func TestTheOrderOfEvictions(t *testing.T) {
	w := newWorld(t, 1)
	for name, value := range map[string]int32{"system-cluster-critical": 2000000000, "important": 100} {
		w.create(&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Value: value})
	}
	for _, p := range []struct {
		name, priority, spec string
	}{
		{"critical", "system-cluster-critical", "{containers: [{name: c, image: nginx}]}"},
		{"modest", "", "{containers: [{name: c, image: nginx, resources: {requests: {ephemeral-storage: 1Gi}}}]}"},
		{"important", "important", "{containers: [{name: c, image: nginx}]}"},
		{"small", "", "{containers: [{name: c, image: nginx}]}"},
		{"chatty", "", "{containers: [{name: c, image: busybox, command: [sh, -c, 'while true; do echo a line of some length; sleep 1; done']}]}"},
		{"two", "", "{containers: [{name: a, image: nginx}, {name: b, image: nginx}]}"},
	} {
		w.pod(p.name, "{priorityClassName: '"+p.priority+"', "+p.spec[1:])
	}
	w.to(2 * time.Hour)
	var got []string
	for _, c := range w.kubelets["kubelet/node-1"].rank() {
		got = append(got, c.pod.Name)
	}
	if want := "chatty two small important modest"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A disk that is emptied before anyone looks was never full, and troubles that overlap do not keep it from healing.
func TestADiskThatIsFullForAMoment(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", "{containers: [{name: c, image: nginx}]}")
	w.to(time.Minute)
	w.trouble(DiskFull, true)
	w.trouble(DiskFull, false)
	w.to(10 * time.Minute)
	if got := w.get("web").Status.Phase; got != v1.PodRunning || w.diskPressure() != v1.ConditionFalse {
		t.Errorf("%s, DiskPressure %s", got, w.diskPressure())
	}
	w.trouble(Down, true)
	w.trouble(DiskFull, true) // nobody sees it
	w.to(20 * time.Minute)
	if got := w.get("web").Status.Phase; got != v1.PodRunning {
		t.Errorf("%s without a kubelet", got)
	}
	w.trouble(Down, false)
	w.to(21 * time.Minute)
	if got := w.get("web").Status.Phase; got != v1.PodFailed || w.diskPressure() != v1.ConditionTrue {
		t.Errorf("with a kubelet: %s, DiskPressure %s", got, w.diskPressure())
	}
	w.trouble(Off, true)
	w.trouble(DiskFull, false)
	w.to(30 * time.Minute)
	w.trouble(Off, false)
	w.to(31 * time.Minute)
	if w.diskPressure() != v1.ConditionFalse {
		t.Error("DiskPressure stays")
	}
}
