package controller

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/sim/apiserver"
)

func daemonSet(name string, change ...func(*appsv1.DaemonSet)) *appsv1.DaemonSet {
	labels := map[string]string{"app": name}
	d := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "agent:1"}}}}}}
	for _, f := range change {
		f(d)
	}
	return d
}

func rollDaemons(surge, unavailable string) func(*appsv1.DaemonSet) {
	return func(d *appsv1.DaemonSet) {
		s, u := intstr.Parse(surge), intstr.Parse(unavailable)
		d.Spec.UpdateStrategy.Type = appsv1.RollingUpdateDaemonSetStrategyType
		d.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{MaxSurge: &s, MaxUnavailable: &u}
	}
}

func daemonImage(name string) func(*appsv1.DaemonSet) {
	return func(d *appsv1.DaemonSet) { d.Spec.Template.Spec.Containers[0].Image = name }
}

// daemons shows the pods by node: image and how they are, and then the status.
func (w *world) daemons() string {
	var lines []string
	for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
		node, _ := nodeOf(pod)
		state := string(pod.Status.Phase)
		if podReady(pod) {
			state = "ready"
		}
		if pod.DeletionTimestamp != nil {
			state = "ending"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", strings.TrimPrefix(node, "node-"), strings.TrimPrefix(pod.Spec.Containers[0].Image, "agent:"), state))
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

func (w *world) daemonStatus() string {
	d, _ := apiserver.Get[*appsv1.DaemonSet](w.Client, "default", "agent")
	s := d.Status
	return fmt.Sprintf("%d wanted, %d there, %d ready, %d available, %d updated, %d unavailable, %d misplaced", s.DesiredNumberScheduled,
		s.CurrentNumberScheduled, s.NumberReady, s.NumberAvailable, s.UpdatedNumberScheduled, s.NumberUnavailable, s.NumberMisscheduled)
}

func TestDaemonSetSessions(t *testing.T) {
	type step struct {
		do   func(*world)
		wait time.Duration
		want string
	}
	change := func(f func(*appsv1.DaemonSet)) func(*world) { return func(w *world) { edit(w, "agent", f) } }
	taint := func(node string, taints ...corev1.Taint) func(*world) {
		return func(w *world) { edit(w, node, func(n *corev1.Node) { n.Spec.Taints = taints }) }
	}
	rest := func(*world) {}
	const soon, long = 500 * time.Millisecond, time.Minute
	all1, all2 := "1 1 ready, 2 1 ready, 3 1 ready", "1 2 ready, 2 2 ready, 3 2 ready"
	for _, c := range []struct {
		name  string
		set   *appsv1.DaemonSet
		steps []step
		last  string // the status
	}{
		{"one on each node, new ones too", daemonSet("agent"), []step{
			{rest, soon, "1 1 Pending, 2 1 Pending, 3 1 Pending"},
			{rest, long, all1},
			{func(w *world) { w.addNode("node-4") }, long, all1 + ", 4 1 ready"},
		}, "4 wanted, 4 there, 4 ready, 4 available, 4 updated, 0 unavailable, 0 misplaced"},
		{"one at a time", daemonSet("agent"), []step{
			{rest, long, all1},
			{change(daemonImage("agent:2")), soon, "1 1 ending, 2 1 ready, 3 1 ready"},
			{rest, 2 * time.Second, "1 2 ready, 2 1 ending, 3 1 ready"},
			{rest, long, all2},
		}, "3 wanted, 3 there, 3 ready, 3 available, 3 updated, 0 unavailable, 0 misplaced"},
		{"half at a time", daemonSet("agent", rollDaemons("0", "50%")), []step{
			{rest, long, all1},
			{change(daemonImage("agent:2")), soon, "1 1 ending, 2 1 ending, 3 1 ready"},
			{rest, long, all2},
		}, "3 wanted, 3 there, 3 ready, 3 available, 3 updated, 0 unavailable, 0 misplaced"},
		{"an update that does not start stops", daemonSet("agent"), []step{
			{rest, long, all1},
			{change(daemonImage("broken")), long, "1 broken Running, 2 1 ready, 3 1 ready"},
			{change(daemonImage("agent:1")), long, all1},
		}, "3 wanted, 3 there, 3 ready, 3 available, 3 updated, 0 unavailable, 0 misplaced"},
		{"two on a node in between", daemonSet("agent", rollDaemons("1", "0")), []step{
			{rest, long, all1},
			{change(daemonImage("agent:2")), soon, "1 1 ready, 1 2 Pending, 2 1 ready, 3 1 ready"},
			{rest, 800 * time.Millisecond, "1 1 ending, 1 2 ready, 2 1 ready, 2 2 Pending, 3 1 ready"},
			{rest, long, all2},
		}, "3 wanted, 3 there, 3 ready, 3 available, 3 updated, 0 unavailable, 0 misplaced"},
		{"when someone deletes them", daemonSet("agent", func(d *appsv1.DaemonSet) { d.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType }), []step{
			{rest, long, all1},
			{change(daemonImage("agent:2")), long, all1},
		}, "3 wanted, 3 there, 3 ready, 3 available, 0 updated, 0 unavailable, 0 misplaced"},
		{"a taint keeps new ones out, and what is there stays", daemonSet("agent"), []step{
			{rest, long, all1},
			{taint("node-1", corev1.Taint{Key: "k", Effect: corev1.TaintEffectNoSchedule}), long, all1},
			{change(daemonImage("agent:2")), long, "2 2 ready, 3 2 ready"},
			{taint("node-1"), long, all2},
		}, "3 wanted, 3 there, 3 ready, 3 available, 3 updated, 0 unavailable, 0 misplaced"},
		{"a taint that drives out", daemonSet("agent"), []step{
			{rest, long, all1},
			{taint("node-1", corev1.Taint{Key: "k", Effect: corev1.TaintEffectNoExecute}), long, "2 1 ready, 3 1 ready"},
		}, "2 wanted, 2 there, 2 ready, 2 available, 2 updated, 0 unavailable, 0 misplaced"},
		{"a node that no longer fits", daemonSet("agent", func(d *appsv1.DaemonSet) { d.Spec.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"} }), []step{
			{func(w *world) {
				edit(w, "node-2", func(n *corev1.Node) { n.Labels = map[string]string{"disk": "ssd"} })
			}, long, "2 1 ready"},
			{func(w *world) { edit(w, "node-2", func(n *corev1.Node) { n.Labels = nil }) }, long, ""},
		}, "0 wanted, 0 there, 0 ready, 0 available, 0 updated, 0 unavailable, 0 misplaced"},
		{"a cordoned node too", daemonSet("agent"), []step{
			{func(w *world) {
				edit(w, "node-1", func(n *corev1.Node) {
					n.Spec.Unschedulable = true
					n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}}
				})
			}, long, all1},
		}, "3 wanted, 3 there, 3 ready, 3 available, 3 updated, 0 unavailable, 0 misplaced"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "node-1", "node-2", "node-3")
			w.create(c.set)
			for i, s := range c.steps {
				s.do(w)
				w.run(s.wait)
				w.expect(fmt.Sprint("step ", i+1), w.daemons(), s.want)
			}
			w.expect("status", w.daemonStatus(), c.last)
		})
	}
}

// A lost node keeps its pod: it tolerates what is wrong, and none is made elsewhere for it.
func TestDaemonsStayOnLostNode(t *testing.T) {
	w := newWorld(t, "node-1", "node-2")
	w.create(daemonSet("agent"))
	w.run(time.Minute)
	w.silence("node-1")
	w.run(30 * time.Minute)
	w.expect("lost", w.daemons(), "1 1 Running, 2 1 ready")
	w.expect("status", w.daemonStatus(), "1 wanted, 1 there, 1 ready, 1 available, 1 updated, 0 unavailable, 1 misplaced")
	w.revive("node-1")
	w.run(time.Minute)
	w.expect("status", w.daemonStatus(), "2 wanted, 2 there, 1 ready, 1 available, 2 updated, 1 unavailable, 0 misplaced")
}

// A pod that fails is made again, each time after twice as long; the delay outlives a save.
func TestFailedDaemonsWait(t *testing.T) {
	w := newWorld(t, "node-1")
	w.create(daemonSet("agent"))
	w.run(time.Minute)
	name := func() string {
		for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
			return pod.Name
		}
		return ""
	}
	var waits []string
	for range 5 {
		before := name()
		pod, _ := apiserver.Get[*corev1.Pod](w.Client, "default", before)
		pod = pod.DeepCopy()
		pod.Status.Phase = corev1.PodFailed
		if _, err := w.UpdateStatus(pod); err != nil {
			t.Fatal(err)
		}
		began := w.agenda.Now()
		saved, err := json.Marshal(w.components[daemonSetController].(*daemonSets).Save())
		if err != nil {
			t.Fatal(err)
		}
		w.reload()
		if err := w.components[daemonSetController].(*daemonSets).Load(saved); err != nil {
			t.Fatal(err)
		}
		for name() == before || name() == "" {
			w.run(100 * time.Millisecond)
		}
		waits = append(waits, w.agenda.Now().Sub(began).Round(time.Second).String())
		for !strings.HasSuffix(w.daemons(), "ready") {
			w.run(10 * time.Millisecond)
		}
	}
	// The first goes at once, and the second finds its delay of a second over.
	if got := strings.Join(waits, " "); got != "0s 0s 2s 4s 8s" {
		t.Errorf("made again after %s", got)
	}
	if got := w.eventsOf("FailedDaemonPod"); len(got) != 5 || !strings.HasSuffix(got[0], " on node node-1, will try to kill it") {
		t.Errorf("events %q", got)
	}
}

func TestDaemonTolerations(t *testing.T) {
	seconds := int64(5)
	spec := &corev1.PodSpec{HostNetwork: true, Tolerations: []corev1.Toleration{
		{Key: "mine", Operator: corev1.TolerationOpExists},
		{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds},
	}}
	var got []string
	for _, x := range daemonTolerations(spec) {
		got = append(got, fmt.Sprintf("%s:%s %t", strings.TrimPrefix(x.Key, "node.kubernetes.io/"), x.Effect, x.TolerationSeconds != nil))
	}
	want := "mine: false, not-ready:NoExecute false, unreachable:NoExecute false, disk-pressure:NoSchedule false, " +
		"memory-pressure:NoSchedule false, pid-pressure:NoSchedule false, unschedulable:NoSchedule false, network-unavailable:NoSchedule false"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if spec.Tolerations[1].TolerationSeconds == nil {
		t.Error("the template has been changed")
	}
}

func TestDaemonSetHistory(t *testing.T) {
	w := newWorld(t, "node-1")
	limit := int32(1)
	w.create(daemonSet("agent", func(d *appsv1.DaemonSet) { d.Spec.RevisionHistoryLimit = &limit }))
	history := func() string {
		var names []string
		for _, rev := range slices.SortedFunc(apiserver.List[*appsv1.ControllerRevision](w.Client, "default"), revisionOrder) {
			names = append(names, fmt.Sprintf("%d %s", rev.Revision, string(rev.Data.Raw[strings.Index(string(rev.Data.Raw), "agent:"):][6])))
		}
		return strings.Join(names, ", ")
	}
	for i, c := range []struct{ image, want string }{{"agent:1", "1 1"}, {"agent:2", "1 1, 2 2"}, {"agent:3", "2 2, 3 3"}, {"agent:2", "3 3, 4 2"}} {
		if i > 0 {
			edit(w, "agent", daemonImage(c.image))
		}
		w.run(time.Minute)
		w.expect(c.image, history(), c.want)
	}
	d, _ := apiserver.Get[*appsv1.DaemonSet](w.Client, "default", "agent")
	if d.Annotations[appsv1.DeprecatedTemplateGeneration] != "4" || d.Generation != 4 {
		t.Errorf("generation %d, %v", d.Generation, d.Annotations)
	}
}
