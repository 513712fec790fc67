package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// diary writes down, with the time since the last heartbeat, what happens to nodes and to the pods on them.
type diary struct {
	w     *world
	lines []string
}

func (w *world) diary() *diary {
	d := &diary{w: w}
	w.server.Observe(d.observe)
	return d
}

func (d *diary) note(format string, args ...any) {
	d.lines = append(d.lines, d.w.at(d.w.agenda.Now())+" "+fmt.Sprintf(format, args...))
}

func (d *diary) observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *corev1.Node:
		if e.Old == nil {
			return
		}
		old := e.Old.(*corev1.Node)
		if nodeReady(old) != nodeReady(o) {
			d.note("%s Ready=%s", o.Name, nodeReady(o))
		}
		if !slices.Equal(taintNames(old.Spec.Taints), taintNames(o.Spec.Taints)) {
			d.note("%s taints [%s]", o.Name, strings.Join(taintNames(o.Spec.Taints), " "))
		}
	case *corev1.Pod:
		if e.Type == watch.Deleted {
			d.note("pod on %s is gone", o.Spec.NodeName)
			return
		}
		if e.Old == nil {
			return
		}
		old := e.Old.(*corev1.Pod)
		if old.Spec.NodeName != o.Spec.NodeName {
			d.note("pod bound to %s", o.Spec.NodeName)
		}
		if podReady(old) && !podReady(o) {
			d.note("pod on %s not ready", o.Spec.NodeName)
		}
		if old.DeletionTimestamp == nil && o.DeletionTimestamp != nil {
			d.note("pod on %s terminating", o.Spec.NodeName)
		}
	}
}

func (d *diary) expect(want ...string) {
	d.w.t.Helper()
	d.w.expect("timeline", strings.Join(d.lines, "\n"), strings.Join(want, "\n"))
	d.lines = nil
}

// threePods is a cluster with a pod on each node.
func threePods(t *testing.T) *world {
	w := newWorld(t, "node-1", "node-2", "node-3")
	w.create(deployment("web", "nginx", 3))
	w.run(time.Minute)
	w.start = w.agenda.Now()
	return w
}

func TestLostNode(t *testing.T) {
	w := threePods(t)
	d := w.diary()
	w.silence("node-2")
	w.run(6 * time.Minute)
	d.expect(
		"50s node-2 Ready=Unknown",
		"50s pod on node-2 not ready",
		"50.001s node-2 taints [node.kubernetes.io/unreachable:NoSchedule]",
		"50.1s node-2 taints [node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute]",
		"350.101s pod on node-2 terminating",
		"350.103s pod bound to node-1",
	)
	node, _ := apiserver.Get[*corev1.Node](w.Client, "", "node-2")
	for _, c := range node.Status.Conditions {
		if c.Status != corev1.ConditionUnknown || c.Reason != "NodeStatusUnknown" || c.Message != "Kubelet stopped posting node status." {
			t.Errorf("condition %+v", c)
		}
	}
	w.expect("node event", strings.Join(w.eventsOf("NodeNotReady"), "\n"), "Node node-2 status is now: NodeNotReady\nNode is not ready")
	var pod *corev1.Pod
	for p := range apiserver.PodsOn(w.Client, "node-2") {
		pod = p
	}
	w.expect("pod event", strings.Join(w.eventsOf("TaintManagerEviction"), "\n"), "Marking for deletion Pod default/"+pod.Name)
	if c := podCondition(&pod.Status, corev1.DisruptionTarget); c == nil || c.Reason != "DeletionByTaintManager" {
		t.Errorf("disruption: %+v", c)
	}
	w.revive("node-2")
	w.run(10 * time.Second)
	d.expect(
		"360s node-2 Ready=True",
		"360.001s node-2 taints [node.kubernetes.io/unreachable:NoExecute]",
		"361s pod on node-2 is gone",
		"365s node-2 taints []",
	)
}

// A silence shorter than the grace period has no consequence; and the next one counts from its own heartbeat.
func TestShortSilence(t *testing.T) {
	w := threePods(t)
	d := w.diary()
	w.silence("node-2")
	w.run(45 * time.Second)
	w.revive("node-2")
	w.run(45 * time.Second)
	d.expect()
	w.silence("node-2")
	w.run(49 * time.Second)
	d.expect()
	w.run(time.Second)
	d.expect("140s node-2 Ready=Unknown", "140s pod on node-2 not ready") // the last heartbeat was at 90 s
}

func TestEvictionIsCancelledWhenTheNodeReturns(t *testing.T) {
	w := threePods(t)
	w.silence("node-2")
	w.run(2 * time.Minute)
	w.revive("node-2")
	w.run(10 * time.Minute)
	if n := len(slices.Collect(apiserver.List[*corev1.Pod](w.Client, "default"))); n != 3 {
		t.Errorf("%d pods", n)
	}
	if got := strings.Join(w.eventsOf("TaintManagerEviction"), "\n"); !strings.HasPrefix(got, "Cancelling deletion of Pod default/web-") {
		t.Error(got)
	}
	if n := w.agenda.Len(); n != 0 {
		t.Errorf("%d tasks are left in a cluster at rest: %v", n, w.agenda.Tasks())
	}
}

// On a one-node cluster nothing is ever evicted.
func TestOneNodeCluster(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(deployment("web", "nginx", 1))
	w.run(time.Minute)
	w.start = w.agenda.Now()
	d := w.diary()
	w.silence("node-1")
	w.run(time.Hour)
	d.expect(
		"50s node-1 Ready=Unknown",
		"50s pod on node-1 not ready",
		"50.001s node-1 taints [node.kubernetes.io/unreachable:NoSchedule]",
	)
	if n := w.agenda.Len(); n != 0 {
		t.Errorf("%d tasks are left: %v", n, w.agenda.Tasks())
	}
}

// When the last node is lost too, the evictions of the first stop.
func TestAllNodesLost(t *testing.T) {
	w := newWorld(t, "node-1", "node-2")
	w.create(deployment("web", "nginx", 2))
	w.run(time.Minute)
	w.start = w.agenda.Now()
	d := w.diary()
	w.silence("node-1")
	w.run(time.Minute)
	w.silence("node-2")
	w.run(time.Hour)
	d.expect(
		"50s node-1 Ready=Unknown",
		"50s pod on node-1 not ready",
		"50.001s node-1 taints [node.kubernetes.io/unreachable:NoSchedule]",
		"50.1s node-1 taints [node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute]",
		"110s node-2 Ready=Unknown",
		"110s node-1 taints [node.kubernetes.io/unreachable:NoSchedule]",
		"110s pod on node-2 not ready",
		"110.001s node-2 taints [node.kubernetes.io/unreachable:NoSchedule]",
	)
	w.revive("node-2") // now node-1 alone is lost: it is evicted after all
	w.run(6 * time.Minute)
	if len(d.lines) == 0 || !strings.Contains(strings.Join(d.lines, "\n"), "pod on node-1 terminating") {
		t.Errorf("after the return of node-2:\n%s", strings.Join(d.lines, "\n"))
	}
}

// Of the nodes of one zone one is tainted every ten seconds.
func TestEvictionRate(t *testing.T) {
	var names []string
	for i := range 9 {
		names = append(names, fmt.Sprintf("node-%d", i+1))
	}
	w := newWorld(t, names...)
	d := w.diary()
	for _, name := range names[:3] {
		w.silence(name)
	}
	w.run(2 * time.Minute)
	var tainted []string
	for _, line := range d.lines {
		if strings.Contains(line, "NoExecute") {
			tainted = append(tainted, strings.Join(strings.Fields(line)[:2], " "))
		}
	}
	w.expect("NoExecute", strings.Join(tainted, ", "), "50.1s node-1, 60.1s node-2, 70.1s node-3")
}

// With 55 % of the nodes and more than two of them lost, a small zone evicts nothing.
func TestZoneRates(t *testing.T) {
	for _, c := range []struct {
		ready, lost int
		rate        float64
	}{
		{3, 0, 0.1}, {1, 2, 0.1}, {2, 3, 0}, {4, 4, 0.1}, {0, 5, 0.1}, {20, 31, 0.01}, {20, 30, 0}, {9, 11, 0},
	} {
		if got := (zoneHealth{c.ready, c.lost}).rate(); got != c.rate {
			t.Errorf("%d ready, %d lost: %g, want %g", c.ready, c.lost, got, c.rate)
		}
	}
}

func TestCordon(t *testing.T) {
	w := newWorld(t, "node-1")
	d := w.diary()
	edit(w, "node-1", func(n *corev1.Node) { n.Spec.Unschedulable = true })
	w.run(time.Second)
	edit(w, "node-1", func(n *corev1.Node) { n.Spec.Unschedulable = false })
	w.run(time.Second)
	d.expect("0.001s node-1 taints [node.kubernetes.io/unschedulable:NoSchedule]", "1.001s node-1 taints []")
}

func TestNoExecuteTaintOfAPerson(t *testing.T) {
	w := threePods(t)
	d := w.diary()
	edit(w, "node-1", func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: "k", Value: "v", Effect: corev1.TaintEffectNoExecute})
	})
	w.run(time.Second / 2)
	d.expect(
		"0s node-1 taints [k:NoExecute]",
		"0.001s pod on node-1 terminating",
		"0.003s pod bound to node-2",
	)
}

func TestNodeThatNeverHadAKubelet(t *testing.T) {
	w := threePods(t)
	d := w.diary()
	w.create(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "paper"}})
	w.run(90 * time.Second)
	d.expect(
		"0.001s paper taints []", // admission's not-ready: without conditions, no condition asks for it
		"60s paper Ready=Unknown",
		"60.001s paper taints [node.kubernetes.io/unreachable:NoSchedule]",
		"60.1s paper taints [node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute]",
	)
	node, _ := apiserver.Get[*corev1.Node](w.Client, "", "paper")
	if c := node.Status.Conditions[0]; c.Reason != "NodeStatusNeverUpdated" || c.Message != "Kubelet never posted node status." {
		t.Errorf("%+v", c)
	}
}

func TestTheTraceTellsOfALostNode(t *testing.T) {
	w := threePods(t)
	w.silence("node-2")
	w.run(6 * time.Minute)
	var chain []string
	for _, s := range w.trace.Steps() {
		if d, ok := s.Detail.(trace.Decision); ok && d.What == "evict" {
			for _, c := range w.trace.Chain(s.ID) {
				chain = append(chain, fmt.Sprintf("%s %s %s", c.Actor, c.Kind, c.Object.Kind))
			}
		}
	}
	w.expect("because", strings.Join(chain, "\n"), `kubectl committed Lease
node-controller node-lost Node
node-controller decided Node
node-controller committed Node
taint-eviction-controller decided Pod`)
}

// rig/transcripts/node-deletion.txt: about fifty seconds.
func TestPodsOfADeletedNode(t *testing.T) {
	w := threePods(t)
	w.run(7 * time.Second)
	d := w.diary()
	if err := w.Delete(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-3"}}, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.run(2 * time.Minute)
	d.expect("60s pod on node-3 is gone", "60.002s pod bound to node-2")
}
