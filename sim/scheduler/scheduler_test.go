package scheduler

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

func TestPlaces(t *testing.T) {
	w := newWorld(t)
	w.node("node-1", "1")
	w.node("node-2", "4")
	pod := w.pod("web", "500m")
	w.run(time.Second)
	w.expect("pods", w.state(), "web: on node-2\n")
	w.expect("events", w.events(), "Normal default-scheduler x1 web Scheduled: Successfully assigned default/web to node-2\n")

	var decision trace.Step
	for _, s := range w.trace.Steps() {
		if s.Kind == trace.Scheduled {
			decision = s
		}
	}
	v, ok := decision.Detail.(*Verdict)
	if !ok || v.Node != "node-2" || len(v.Nodes) != 2 || v.Pod.UID != pod.UID || v.Attempts != 1 || v.Total != 2 {
		t.Fatalf("the decision's detail is %+v", decision.Detail)
	}
	var chain []string
	for _, s := range w.trace.Chain(w.lastCommit("web")) {
		chain = append(chain, s.Actor+" "+string(s.Kind))
	}
	if got := strings.Join(chain, ", "); !strings.HasSuffix(got, "kubectl committed, kube-scheduler scheduled, kube-scheduler committed") {
		t.Errorf("the binding's causes are %s", got)
	}
}

// lastCommit is the step of the last write to a pod.
func (w *world) lastCommit(name string) uint64 {
	var last uint64
	for _, s := range w.trace.Steps() {
		if s.Kind == trace.Committed && s.Object.Kind == "Pod" && s.Object.Name == name {
			last = s.ID
		}
	}
	return last
}

// One decision takes a millisecond, and what the scheduler has just decided counts for the next.
func TestOnePodACycle(t *testing.T) {
	w := newWorld(t)
	w.node("node-1", "1")
	w.class("high", 100)
	w.pod("a", "600m")
	w.pod("b", "600m")
	w.pod("c", "600m", classed("high"))
	w.run(time.Millisecond) // the watch's latency, and the first decision
	w.expect("after the first cycle", w.state(), "a: waits\nb: waits\nc: on node-1\n")
	w.run(time.Millisecond)
	const full = " [PodScheduled=False Unschedulable: 0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.]\n"
	w.expect("after the second", w.state(), "a: waits"+full+"b: waits\nc: on node-1\n")
	w.run(time.Millisecond)
	w.expect("after the third", w.state(), "a: waits"+full+"b: waits"+full+"c: on node-1\n")
}

func TestWaitsAndIsTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*world)
		pod    func(*v1.Pod)
		helps  func(*world) // makes it fit
	}{
		{"a node comes", func(w *world) {}, nil, func(w *world) { w.node("node-9", "4") }},
		{"a pod leaves", func(w *world) { w.node("node-1", "1"); w.pod("other", "700m"); w.run(time.Second) }, nil, func(w *world) { w.kill("other") }},
		{"a pod finishes", func(w *world) { w.node("node-1", "1"); w.pod("other", "700m"); w.run(time.Second) }, nil, func(w *world) {
			p := w.get("other").DeepCopy()
			p.Status.Phase = v1.PodSucceeded
			if _, err := w.admin().UpdateStatus(p); err != nil {
				w.t.Fatal(err)
			}
		}},
		{"a node is uncordoned", func(w *world) { w.node("node-1", "1", func(n *v1.Node) { n.Spec.Unschedulable = true }) }, nil,
			func(w *world) { w.changeNode("node-1", func(n *v1.Node) { n.Spec.Unschedulable = false }) }},
		{"a taint goes", func(w *world) {
			w.node("node-1", "1", func(n *v1.Node) { n.Spec.Taints = []v1.Taint{{Key: "k", Effect: v1.TaintEffectNoSchedule}} })
		}, nil, func(w *world) { w.changeNode("node-1", func(n *v1.Node) { n.Spec.Taints = nil }) }},
		{"a label comes", func(w *world) { w.node("node-1", "1") }, func(p *v1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} },
			func(w *world) { w.changeNode("node-1", func(n *v1.Node) { n.Labels["disk"] = "ssd" }) }},
		{"a host port is free", func(w *world) {
			w.node("node-1", "1")
			w.pod("other", "1m", func(p *v1.Pod) { p.Spec.Containers[0].Ports = []v1.ContainerPort{{ContainerPort: 80, HostPort: 80}} })
			w.run(time.Second)
		}, func(p *v1.Pod) { p.Spec.Containers[0].Ports = []v1.ContainerPort{{ContainerPort: 80, HostPort: 80}} }, func(w *world) { w.kill("other") }},
		{"the pod it wants to be with comes", func(w *world) { w.node("node-1", "2") }, func(p *v1.Pod) {
			p.Spec.Affinity = &v1.Affinity{PodAffinity: &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []v1.PodAffinityTerm{
				{TopologyKey: v1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "friend"}}}}}}
		}, func(w *world) { w.pod("friend", "1m") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.before(w)
			change := c.pod
			if change == nil {
				change = func(*v1.Pod) {}
			}
			w.pod("web", "500m", change)
			w.run(time.Minute)
			if p := w.get("web"); p.Spec.NodeName != "" {
				t.Fatalf("it is on %s already", p.Spec.NodeName)
			}
			attempts := w.sched.waiting.entries[w.get("web").UID].attempts
			// What does not help does not have it tried either.
			w.create(&v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "idle"}})
			for n := range apiserver.List[*v1.Node](w.admin(), "") {
				w.changeNode(n.Name, func(n *v1.Node) { n.Annotations = map[string]string{"idle": "true"} })
			}
			w.run(time.Minute)
			if now := w.sched.waiting.entries[w.get("web").UID].attempts; now != attempts && attempts > 0 && c.name != "a node comes" {
				t.Errorf("it was tried %d times, then %d times though nothing had changed that could help", attempts, now)
			}
			c.helps(w)
			w.run(20 * time.Second)
			if p := w.get("web"); p.Spec.NodeName == "" {
				t.Errorf("it still waits:\n%s", w.state())
			}
		})
	}
}

// Without any event a pod is tried again after five minutes; without any node with growing pauses.
func TestTriedAgainInTime(t *testing.T) {
	w := newWorld(t)
	w.node("node-1", "1")
	p := w.pod("web", "2")
	w.run(299 * time.Second)
	e := w.sched.waiting.entries[p.UID]
	if e.attempts != 1 {
		t.Errorf("tried %d times in the first five minutes, want once", e.attempts)
	}
	w.run(2 * time.Second)
	if e.attempts != 2 {
		t.Errorf("tried %d times after five minutes, want twice", e.attempts)
	}
	// Between the two the pod's status has changed, and so the second is an event of its own; the third repeats it.
	told := "Warning default-scheduler x1 web FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.\n"
	w.expect("events", w.events(), told+told)
	w.run(5 * time.Minute)
	w.expect("events", w.events(), told+strings.Replace(told, "x1", "x2", 1))

	w = newWorld(t)
	p = w.pod("web", "1")
	w.run(time.Second)
	w.expect("without nodes", w.state(), "web: waits [PodScheduled=False Unschedulable: no nodes available to schedule pods]\n")
	w.run(time.Minute)
	if n := w.sched.waiting.entries[p.UID].attempts; n < 6 || n > 12 {
		t.Errorf("tried %d times in a minute without nodes", n)
	}
}

func TestGates(t *testing.T) {
	w := newWorld(t)
	w.node("node-1", "1")
	w.pod("web", "500m", func(p *v1.Pod) { p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "example.com/quota"}} })
	w.run(10 * time.Minute)
	if w.events() != "" || w.get("web").Spec.NodeName != "" {
		t.Errorf("a gated pod has been tried:\n%s%s", w.state(), w.events())
	}
	p := w.get("web").DeepCopy()
	p.Spec.SchedulingGates = nil
	if _, err := w.admin().Update(p); err != nil {
		t.Fatal(err)
	}
	w.run(time.Second)
	w.expect("pods", w.state(), "web: on node-1\n")
}

func TestPreemption(t *testing.T) {
	w := newWorld(t)
	w.node("node-1", "2")
	w.node("node-2", "2")
	w.class("high", 1000)
	w.class("middle", 500)
	at := func(node string) func(*v1.Pod) {
		return func(p *v1.Pod) { p.Spec.NodeSelector = map[string]string{v1.LabelHostname: node} }
	}
	w.pod("low", "1500m", at("node-1"))
	w.pod("middle", "1500m", at("node-2"), classed("middle"))
	w.run(time.Second)
	high := w.pod("high", "1500m", classed("high"))
	w.run(time.Second)
	w.expect("pods", w.state(), `
high: waits, nominated to node-1 [PodScheduled=False Unschedulable: 0/2 nodes are available: 2 Insufficient cpu. preemption: found a potential placement for pod on node node-1, preempting 1 victims]
low: on node-1, is being deleted [DisruptionTarget=True PreemptionByScheduler: default-scheduler: preempting to accommodate a higher priority pod]
middle: on node-2
`)
	v := w.verdict(trace.Preempted)
	if v.Preemption == nil || v.Preemption.Node != "node-1" || len(v.Preemption.Candidates) != 2 || v.Preemption.Victims[0].Name != "low" {
		t.Errorf("the trace says %+v", v.Preemption)
	}

	// Another that is less important does not get the place, though it would fit once low is gone.
	w.pod("rival", "1500m", classed("middle"))
	w.run(time.Second)
	if got := w.get("rival").Spec.NodeName; got != "" {
		t.Errorf("rival is on %s", got)
	}
	w.kill("low")
	w.run(time.Second)
	if p := w.get("high"); p.Spec.NodeName != "node-1" || p.Status.NominatedNodeName != "" {
		t.Errorf("once the victim is gone:\n%s", w.state())
	}
	want := "Normal default-scheduler x1 low Preempted: Preempted by pod " + string(high.UID) + " on node node-1\n"
	if got := w.events(); !strings.Contains(got, want) {
		t.Errorf("events\n%s want among them\n%s", got, want)
	}
}

// verdict is the detail of the last step of a kind.
func (w *world) verdict(kind trace.Kind) *Verdict {
	w.t.Helper()
	for i := len(w.trace.Steps()) - 1; i >= 0; i-- {
		if s := w.trace.Steps()[i]; s.Kind == kind {
			return s.Detail.(*Verdict)
		}
	}
	w.t.Fatalf("the trace has no step %s", kind)
	return nil
}

func TestExplainChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.node("node-1", "1")
	w.node("node-2", "2")
	w.pod("web", "800m")
	w.pod("big", "3")
	w.run(time.Second)
	before, steps := w.save(), w.trace.Last()
	placed := w.sched.Explain(w.get("web"))
	if placed.Outcome != Bound || placed.Node != "node-2" || len(placed.Nodes) != 2 || placed.Best[0] != "node-2" || len(placed.Nodes[0].Scores) == 0 {
		t.Errorf("of a placed pod: %+v", placed)
	}
	waits := w.sched.Explain(w.get("big"))
	if waits.Outcome != Unschedulable || waits.Attempts != 1 || waits.Message != w.get("big").Status.Conditions[0].Message {
		t.Errorf("of a waiting pod: %+v", waits)
	}
	if s := waits.Nodes[1].Shortages; len(s) != 1 || s[0] != (Shortage{"cpu", 3000, 1200, 2000}) || s[0].Missing() != 1800 {
		t.Errorf("what it lacks: %+v", s)
	}
	if w.save() != before || w.trace.Last() != steps {
		t.Error("an explanation has changed the scheduler")
	}
	again := w.sched.Explain(w.get("web"))
	if a, b := text(t, placed), text(t, again); a != b {
		t.Errorf("asked again it says\n%s\nthen\n%s", a, b)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A scheduler that is saved and loaded goes on as the one that was not.
func TestSaveAndLoad(t *testing.T) {
	story := func(reload bool) string {
		w := newWorld(t)
		w.node("node-1", "2")
		w.node("node-2", "2")
		w.class("high", 1000)
		step := func(d time.Duration) {
			w.run(d)
			if reload {
				state, tasks := w.save(), w.agenda.Save()
				w.agenda.Load(tasks)
				s := w.newScheduler()
				if err := s.Load(json.RawMessage(state)); err != nil {
					t.Fatal(err)
				}
				w.watched = s
				w.agenda.Load(tasks)
				if again := w.save(); again != state {
					t.Errorf("saved\n%s\nloaded\n%s", state, again)
				}
			}
		}
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			w.pod(name, "700m")
			step(700 * time.Microsecond)
		}
		w.pod("g", "1500m", classed("high"))
		step(time.Millisecond)
		step(400 * time.Second)
		w.kill("a")
		step(time.Second)
		w.node("node-3", "4")
		step(time.Minute)
		return w.state() + w.events() + text(t, w.trace.Steps())
	}
	if plain, reloaded := story(false), story(true); plain != reloaded {
		t.Errorf("saved and loaded all the time it ends with\n%s\nwithout that with\n%s", reloaded, plain)
	}
}

// After a restart everything that waits is tried at once.
func TestResync(t *testing.T) {
	w := newWorld(t)
	w.node("node-1", "1")
	w.pod("web", "600m")
	w.run(time.Second)
	w.agenda.Drop(Name)
	silent := w.newScheduler()
	silent.queue = agenda.New(noon).Queue("nobody")
	w.watched = silent // the scheduler is down
	w.pod("late", "300m")
	w.run(time.Hour)
	w.expect("while it is down", w.state(), "late: waits\nweb: on node-1\n")
	w.watched = w.newScheduler()
	w.watched.Resync()
	w.run(time.Second)
	w.expect("once it is back", w.state(), "late: on node-1\nweb: on node-1\n")
}

// A budget that allows no disruption has the scheduler make room elsewhere; once it allows one, here.
func TestPreemptionSparesBudgets(t *testing.T) {
	for _, c := range []struct {
		allowed int32
		want    string
	}{{0, "node-2"}, {1, "node-1"}} {
		t.Run(c.want, func(t *testing.T) {
			w := newWorld(t)
			w.class("high", 100)
			w.class("middle", 10)
			w.node("node-1", "1")
			w.pod("a", "900m")
			w.run(time.Second)
			w.node("node-2", "1")
			w.pod("b", "900m", classed("middle")) // more important: it goes only for the budget's sake
			w.run(time.Second)
			made := w.create(&policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "spare-a"},
				Spec: policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "a"}}}})
			budget := made.(*policyv1.PodDisruptionBudget).DeepCopy()
			budget.Status.DisruptionsAllowed = c.allowed
			if _, err := w.admin().UpdateStatus(budget); err != nil {
				t.Fatal(err)
			}
			pod := w.pod("important", "900m", classed("high"))
			w.run(time.Second)
			v := w.sched.Explain(pod)
			if got := w.get("important").Status.NominatedNodeName; got != c.want {
				t.Errorf("room is made on %q, want %s: %s", got, c.want, v.Message)
			}
		})
	}
}
