package kubelet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
)

func TestNodeObject(t *testing.T) {
	w := newWorld(t, 3)
	node, _ := apiserver.Get[*v1.Node](w.admin, "", "node-3")
	if node.Spec.PodCIDR != "10.244.3.0/24" || node.Status.Addresses[0].Address != "172.18.0.4" || node.Labels[v1.LabelHostname] != "node-3" || node.Status.NodeInfo.KubeletVersion != "v1.37.2" {
		t.Errorf("%+v", node)
	}
	if c := node.Status.Conditions[3]; c.Type != v1.NodeReady || c.Status != v1.ConditionTrue || c.Message != "kubelet is posting ready status" {
		t.Errorf("%+v", c)
	}
	small := NodeObject(NodeSpec{Name: "s", CPU: resource.MustParse("2"), Memory: resource.MustParse("2Gi"), Pods: 10, Labels: map[string]string{"disk": "ssd"}}, w.start)
	if small.Status.Allocatable.Cpu().Value() != 2 || small.Status.Capacity.Pods().Value() != 10 || small.Labels["disk"] != "ssd" {
		t.Errorf("%+v", small.Status.Allocatable)
	}
}

func TestHeartbeat(t *testing.T) {
	w := newWorld(t, 2)
	a, b := w.kubelets["kubelet/node-1"], w.kubelets["kubelet/node-2"]
	now := w.start.Add(61 * time.Second)
	if beat := a.Heartbeat(now); beat.After(now) || now.Sub(beat) >= HeartbeatPeriod || !a.Heartbeat(beat).Equal(beat) || !a.Heartbeat(now.Add(10*time.Second)).Equal(beat.Add(10*time.Second)) {
		t.Errorf("%v at %v", beat, now)
	}
	if a.Heartbeat(now).Equal(b.Heartbeat(now)) {
		t.Error("both at once")
	}
}

func TestSilenceAndReturn(t *testing.T) {
	w := newWorld(t, 1)
	k := w.kubelets["kubelet/node-1"]
	w.pod("stays", `{containers: [{name: c, image: "nginx:1.29"}]}`)
	w.pod("ends", `{containers: [{name: c, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "sleep 90; exit 1"]}]}`)
	w.pod("goes", `{containers: [{name: c, image: "nginx:1.29"}]}`)
	w.to(time.Minute)
	if err := k.Trouble(Down, true); err != nil {
		t.Fatal(err)
	}
	lease, ok := apiserver.Get[*coordinationv1.Lease](w.admin, v1.NamespaceNodeLease, "node-1")
	if silentFrom := w.start.Add(time.Minute); !ok || lease.Spec.RenewTime.After(silentFrom) || silentFrom.Sub(lease.Spec.RenewTime.Time) >= HeartbeatPeriod || *lease.Spec.LeaseDurationSeconds != 40 {
		t.Fatalf("lease %+v", lease)
	}
	w.diary = nil
	w.pod("new", `{containers: [{name: c, image: "nginx:1.29"}]}`)
	w.delete("goes", nil)
	w.to(10 * time.Minute)
	w.expect(`
		1m0s new 0/1 Pending restarts=0 Ready=-
		1m0s goes 1/1 Terminating restarts=0 Ready=True`)
	if beat := k.Heartbeat(w.agenda.Now()); !beat.Equal(lease.Spec.RenewTime.Time) {
		t.Errorf("a heartbeat of the silent at %v", beat)
	}
	if _, err := k.Logs(w.get("stays"), apiserver.LogOptions{Container: "c"}); !apierrors.IsInternalError(err) {
		t.Errorf("logs of the silent: %v", err)
	}

	// What the node controller does meanwhile.
	node, _ := apiserver.Get[*v1.Node](w.admin, "", "node-1")
	node = node.DeepCopy()
	for i := range node.Status.Conditions {
		node.Status.Conditions[i].Status, node.Status.Conditions[i].Reason = v1.ConditionUnknown, "NodeStatusUnknown"
	}
	if _, err := w.admin.UpdateStatus(node); err != nil {
		t.Fatal(err)
	}
	p := w.get("stays").DeepCopy()
	condition(p.Status.Conditions, v1.PodReady).Status = v1.ConditionFalse
	if _, err := w.admin.UpdateStatus(p); err != nil {
		t.Fatal(err)
	}

	w.diary = nil
	w.reload()
	if err := k.Trouble(Down, false); err != nil {
		t.Fatal(err)
	}
	w.to(20 * time.Minute)
	var got []string
	for _, l := range w.diary {
		if !strings.Contains(l, "* Pull") && !strings.Contains(l, "* Created") && !strings.Contains(l, "* Started") {
			got = append(got, l)
		}
	}
	w.diary = got[:12]
	w.expect(`
		10m0s node-1 * NodeReady: Node node-1 status is now: NodeReady
		10m0s ends 0/1 Error restarts=0 Ready=False
		10m0s goes * Killing: Stopping container c
		10m0s new 0/1 ContainerCreating restarts=0 Ready=False
		10m0s stays 1/1 Running restarts=0 Ready=True
		10m0.1s goes 0/1 Completed restarts=0 Ready=False
		10m0.1s goes gone
		10m0.2s ends 1/1 Running restarts=1 Ready=True
		10m0.9s new 1/1 Running restarts=0 Ready=True
		11m30.2s ends 0/1 Error restarts=1 Ready=False
		11m31.2s ends * BackOff: Back-off restarting failed container c in pod ends_default(UID)
		11m31.2s ends 0/1 CrashLoopBackOff restarts=1 Ready=False`)
	node, _ = apiserver.Get[*v1.Node](w.admin, "", "node-1")
	for _, c := range node.Status.Conditions {
		if c.Status == v1.ConditionUnknown {
			t.Errorf("still %+v", c)
		}
	}
	lease, _ = apiserver.Get[*coordinationv1.Lease](w.admin, v1.NamespaceNodeLease, "node-1")
	if at := lease.Spec.RenewTime.Sub(w.start); at != 10*time.Minute {
		t.Errorf("lease renewed at %v", at)
	}
	// It had ended while nobody looked, and its status tells when.
	if at := w.get("ends").Status.ContainerStatuses[0].LastTerminationState.Terminated; at == nil {
		t.Error("no last state")
	}
}

func TestCordonIsTold(t *testing.T) {
	w := newWorld(t, 1)
	for _, cordon := range []bool{true, false} {
		node, _ := apiserver.Get[*v1.Node](w.admin, "", "node-1")
		node = node.DeepCopy()
		node.Spec.Unschedulable = cordon
		if _, err := w.admin.Update(node); err != nil {
			t.Fatal(err)
		}
		w.to(w.agenda.Now().Sub(w.start) + time.Minute)
	}
	w.expect(`
		0s node-1 * NodeNotSchedulable: Node node-1 status is now: NodeNotSchedulable
		1m0s node-1 * NodeSchedulable: Node node-1 status is now: NodeSchedulable`)
}

// fleet starts pods on many nodes, and returns the world when all run.
func fleet(t testing.TB, nodes, pods int) *world {
	w := newWorld(t, nodes)
	for i := range pods {
		w.pod(fmt.Sprintf("web-%04d", i), fmt.Sprintf(`{nodeName: node-%d, containers: [{name: c, image: "nginx:1.29", readinessProbe: {httpGet: {port: 80}}}]}`, i%nodes+1))
	}
	w.diary, w.writes, w.events = nil, 0, 0
	w.to(5 * time.Minute)
	return w
}

func TestThousandPodsCostLittle(t *testing.T) {
	w := fleet(t, 50, 1000)
	running := 0
	for p := range apiserver.List[*v1.Pod](w.admin, "default") {
		if p.Status.Phase == v1.PodRunning && condition(p.Status.Conditions, v1.PodReady).Status == v1.ConditionTrue {
			running++
		}
	}
	if running != 1000 || w.writes > 3000 || w.events > 4000 {
		t.Errorf("%d run, %d status writes, %d events", running, w.writes, w.events)
	}
	if n := w.agenda.Len(); n != 0 {
		t.Errorf("%d tasks due", n)
	}
	w.wakes = 0
	w.to(24 * time.Hour)
	if w.wakes != 0 {
		t.Errorf("an idle day: %d wakes", w.wakes)
	}
}

func TestDeterminism(t *testing.T) {
	run := func() []string {
		w := newWorld(t, 2)
		for _, k := range w.kubelets {
			k.env.Rand = rand.New(rand.NewPCG(7, 7))
		}
		for i := range 12 {
			w.pod(fmt.Sprintf("p%d", i), fmt.Sprintf(`{nodeName: node-%d, containers: [{name: a, image: timonier/crash}, {name: b, image: "nginx:1.%d"}]}`, i%2+1, 20+i%3))
		}
		w.to(20 * time.Minute)
		return w.diary
	}
	if a, b := run(), run(); !slices.Equal(a, b) {
		t.Error("two runs differ")
	}
}

func TestLogs(t *testing.T) {
	w := newWorld(t, 1)
	k := w.kubelets["kubelet/node-1"]
	w.pod("web", `{containers: [{name: c, image: timonier/web}]}`)
	w.pod("crash", `{containers: [{name: c, image: timonier/crash}]}`)
	w.pod("none", `{containers: [{name: c, image: ngnix}]}`)
	w.pod("sh", `{containers: [{name: c, image: busybox, command: [sh, -c, "echo hello from $HOSTNAME; for i in 1 2; do echo $i; sleep 1; done; while true; do date; sleep 20; done"]}]}`)
	w.to(45 * time.Second)
	logs := func(pod string, o apiserver.LogOptions) string {
		o.Container = "c"
		text, err := k.Logs(w.get(pod), o)
		if err != nil {
			return err.Error()
		}
		return text
	}
	for name, c := range map[string]struct{ got, want string }{
		"once, and again and again": {logs("web", apiserver.LogOptions{}), "09:00:02 web starting, pod web on node-1\n09:00:03 listening on 10.244.1.2:8080\n09:00:12 GET / 200\n09:00:22 GET / 200\n09:00:32 GET / 200\n09:00:42 GET / 200\n"},
		"the last ones":             {logs("web", apiserver.LogOptions{Tail: ptr.To(int64(1)), Timestamps: true}), "2026-03-02T09:00:42.000000000Z 09:00:42 GET / 200\n"},
		"the latest":                {logs("web", apiserver.LogOptions{Since: ptr.To(15 * time.Second)}), "09:00:32 GET / 200\n09:00:42 GET / 200\n"},
		"a few bytes":               {logs("web", apiserver.LogOptions{LimitBytes: ptr.To(int64(8))}), "09:00:02"},
		"of a crash":                {logs("crash", apiserver.LogOptions{Previous: true}), "09:00:19 starting\n09:00:20 fatal: no configuration found at /etc/app/config.yaml\n"},
		"of what never ran":         {logs("none", apiserver.LogOptions{}), `container "c" in pod "none" is waiting to start: trying and failing to pull image`},
		"of no run before":          {logs("web", apiserver.LogOptions{Previous: true}), `previous terminated container "c" in pod "web" not found`},
		"of a script":               {logs("sh", apiserver.LogOptions{}), "hello from sh\n1\n2\nMon Mar  2 09:00:07 UTC 2026\nMon Mar  2 09:00:27 UTC 2026\n"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, c.got, c.want)
		}
	}
}

func BenchmarkThousandPods(b *testing.B) {
	for range b.N {
		fleet(b, 50, 1000)
	}
}
