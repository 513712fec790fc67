package scheduler

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// text is an answer as a line for each way, with what comes of it.
func (a *WhatIf) text() string {
	var b strings.Builder
	for _, w := range a.Ways {
		fmt.Fprintf(&b, "%v %s", w.Changes, w.Verdict.Outcome)
		if w.MakesRoom() {
			for _, p := range w.Verdict.Preemption.Victims {
				b.WriteString(" without " + p.String())
			}
		}
		b.WriteString("\n")
	}
	if a.Stuck != nil {
		fmt.Fprintf(&b, "stuck: %s %v\n", a.Stuck.Plugin, a.Stuck.Reasons)
	}
	return b.String()
}

// somePod is a pod named so, on a node or waiting ("").
func somePod(name, node, cpu string, change ...func(*v1.Pod)) *v1.Pod {
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name), Labels: map[string]string{"app": name}},
		Spec: v1.PodSpec{NodeName: node, Containers: []v1.Container{{Name: "c", Resources: v1.ResourceRequirements{Requests: quantities("cpu", cpu)}}}}}
	for _, f := range change {
		f(p)
	}
	return p
}

func near(selector string) func(*v1.Pod) {
	return func(p *v1.Pod) {
		p.Spec.Affinity = &v1.Affinity{PodAffinity: &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: podTerms(selector)}}
	}
}

func away(selector string) func(*v1.Pod) {
	return func(p *v1.Pod) {
		p.Spec.Affinity = &v1.Affinity{PodAntiAffinity: &v1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: podTerms(selector)}}
	}
}

func podTerms(app string) []v1.PodAffinityTerm {
	return []v1.PodAffinityTerm{{TopologyKey: v1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}}}
}

func prio(n int32) func(*v1.Pod) { return func(p *v1.Pod) { p.Spec.Priority = &n } }

func tainted(key, value string, effect v1.TaintEffect) func(*v1.Node) {
	return func(n *v1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, v1.Taint{Key: key, Value: value, Effect: effect})
	}
}

func cordoned(n *v1.Node) {
	n.Spec.Unschedulable = true
	tainted(v1.TaintNodeUnschedulable, "", v1.TaintEffectNoSchedule)(n)
}

// TestWhatIf asks how the pod new, of 500m, gets to node-2. There are node-1 and node-2, of 4 CPU and 8Gi each.
func TestWhatIf(t *testing.T) {
	daemon := func(p *v1.Pod) {
		yes := true
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "DaemonSet", Name: "d", Controller: &yes}}
	}
	for _, c := range []struct {
		name   string
		node   func(*v1.Node) // node-2
		pods   []*v1.Pod      // that are there
		pod    func(*v1.Pod)
		assume string
		want   string
	}{
		{name: "nothing has to change", pods: []*v1.Pod{somePod("a", "node-1", "1")}, want: "[] scheduled\n"},
		{name: "equally good", want: "[] scheduled\n"},
		{name: "cordoned", node: cordoned,
			want: "[uncordon node-2] scheduled\n[tolerate node.kubernetes.io/unschedulable:NoSchedule] scheduled\n"},
		{name: "tainted", node: tainted("gpu", "yes", v1.TaintEffectNoSchedule),
			want: "[tolerate gpu=yes:NoSchedule] scheduled\n[untaint node-2 gpu=yes:NoSchedule] scheduled\n"},
		{name: "not ready", node: tainted(v1.TaintNodeNotReady, "", v1.TaintEffectNoExecute),
			want: "[recover node-2 node.kubernetes.io/not-ready] scheduled\n[tolerate node.kubernetes.io/not-ready:NoExecute] scheduled\n"},
		{name: "a label is missing", pod: func(p *v1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} },
			want: "[label node-2 disk=ssd] scheduled\n[drop-selector disk] scheduled\n"},
		{name: "the pod asks for too much of what is free", pods: []*v1.Pod{somePod("a", "node-2", "2"), somePod("b", "node-2", "1800m")},
			pod:  func(p *v1.Pod) { p.Spec.NodeSelector = map[string]string{v1.LabelHostname: "node-2"} },
			want: "[request cpu 500->200] scheduled\n[free default/b node-2] scheduled\n"},
		{name: "the pod asks for more than there is", pod: func(p *v1.Pod) { p.Spec.Containers[0].Resources.Requests = quantities("memory", "9Gi") },
			want: "[request memory 9663676416->8589934592] scheduled\n"},
		{name: "the other node is better", pods: []*v1.Pod{somePod("a", "node-2", "2")},
			want: "[free default/a node-2] scheduled\n[select kubernetes.io/hostname=node-2] scheduled\n[cordon node-1] scheduled\n"},
		{name: "disliked", node: tainted("old", "", v1.TaintEffectPreferNoSchedule),
			want: "[tolerate old:PreferNoSchedule] scheduled\n[untaint node-2 old:PreferNoSchedule] scheduled\n[select kubernetes.io/hostname=node-2] scheduled\n"},
		{name: "gated", pod: func(p *v1.Pod) { p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "wait"}} }, want: "[ungate] scheduled\n"},
		{name: "it runs on the node already", pod: func(p *v1.Pod) { p.Spec.NodeName = "node-2" }, want: "[] scheduled\n"},
		{name: "it runs elsewhere, where it would go again", pods: []*v1.Pod{somePod("a", "node-2", "1")},
			pod:  func(p *v1.Pod) { p.Spec.NodeName = "node-1" },
			want: "[free default/a node-2] scheduled\n[select kubernetes.io/hostname=node-2] scheduled\n[cordon node-1] scheduled\n"},
		{name: "it makes room there", pods: []*v1.Pod{somePod("a", "node-1", "4", prio(5)), somePod("b", "node-2", "4", prio(1))}, pod: prio(9),
			want: "[] unschedulable without default/b\n"},
		{name: "its own affinity", pods: []*v1.Pod{somePod("db", "node-1", "1")}, pod: near("db"), want: "[drop-near kubernetes.io/hostname=app=db] scheduled\n"},
		{name: "its own anti-affinity", pods: []*v1.Pod{somePod("web", "node-2", "1")}, pod: away("web"),
			want: "[free default/web node-2] scheduled\n[drop-away kubernetes.io/hostname=app=web select kubernetes.io/hostname=node-2] scheduled\n" +
				"[drop-away kubernetes.io/hostname=app=web cordon node-1] scheduled\n"},
		{name: "another's anti-affinity", pods: []*v1.Pod{somePod("a", "node-2", "1", away("new"))}, want: "[free default/a node-2] scheduled\n"},
		{name: "a port is taken", pods: []*v1.Pod{somePod("a", "node-2", "10m", port(80)), somePod("b", "node-1", "10m", port(80))}, pod: port(80),
			want: "[free default/a node-2] scheduled\n[drop-port 0->80] scheduled\n"},
		{name: "a DaemonSet's pods come back", pods: []*v1.Pod{somePod("d", "node-2", "4", daemon)}, want: "stuck: NodeResourcesFit [Insufficient cpu]\n"},
		{name: "its name pins a DaemonSet's pod", pod: func(p *v1.Pod) {
			daemon(p)
			p.Spec.Affinity = &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{
				NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchFields: []v1.NodeSelectorRequirement{
					{Key: "metadata.name", Operator: v1.NodeSelectorOpIn, Values: []string{"node-1"}}}}}}}}
		}, want: "stuck: NodeAffinity [node(s) didn't satisfy plugin(s) [NodeAffinity]]\n"},
		{name: "two things", node: func(n *v1.Node) { cordoned(n); tainted("gpu", "", v1.TaintEffectNoSchedule)(n) },
			pod: func(p *v1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} },
			want: "[uncordon node-2 tolerate gpu:NoSchedule label node-2 disk=ssd] scheduled\n" +
				"[uncordon node-2 untaint node-2 gpu:NoSchedule label node-2 disk=ssd] scheduled\n" +
				"[tolerate node.kubernetes.io/unschedulable:NoSchedule tolerate gpu:NoSchedule label node-2 disk=ssd] scheduled\n"},
		{name: "an assumption that does it", pods: []*v1.Pod{somePod("a", "node-2", "3800m"), somePod("b", "node-1", "3900m")}, assume: "cpu=200m", want: "[] scheduled\n"},
		{name: "one that does half of it", node: cordoned, pods: []*v1.Pod{somePod("a", "node-2", "3800m")}, assume: "cpu=200m cordon=node-1",
			want: "[uncordon node-2] scheduled\n" + // the toleration would do for node-1 too
				"[tolerate node.kubernetes.io/unschedulable:NoSchedule free default/a node-2] scheduled\n" +
				"[tolerate node.kubernetes.io/unschedulable:NoSchedule select kubernetes.io/hostname=node-2] scheduled\n"},
		{name: "a higher priority", pods: []*v1.Pod{somePod("a", "node-1", "4", prio(5)), somePod("b", "node-2", "4", prio(1))}, assume: "priority=3",
			want: "[] unschedulable without default/b\n"},
		{name: "another pod gone", pods: []*v1.Pod{somePod("a", "node-2", "3"), somePod("b", "node-1", "1")}, assume: "without=a", want: "[] scheduled\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewSnapshot()
			for _, name := range []string{"node-1", "node-2"} {
				n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1.LabelHostname: name}}}
				n.Status.Allocatable = quantities("cpu", "4", "memory", "8Gi", "pods", "110")
				if c.node != nil && name == "node-2" {
					c.node(n)
				}
				s.Put(n)
			}
			pod := somePod("new", "", "500m")
			if c.pod != nil {
				c.pod(pod)
			}
			for _, p := range append(c.pods, pod) {
				s.Put(p)
			}
			q, err := ParseQuestion(pod, strings.Fields("node=node-2 "+c.assume))
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.WhatIf(pod, q, noon)
			if err != nil {
				t.Fatal(err)
			}
			if text := got.text(); text != c.want {
				t.Errorf("got\n%swant\n%s", text, c.want)
			}
		})
	}
}

func port(n int32) func(*v1.Pod) {
	return func(p *v1.Pod) {
		p.Spec.Containers[0].Ports = []v1.ContainerPort{{HostPort: n, ContainerPort: n, Protocol: v1.ProtocolTCP}}
	}
}

func TestParseQuestion(t *testing.T) {
	pod := somePod("web", "", "500m", prio(7))
	for text, want := range map[string]string{
		"node=n cpu=250m memory=1Gi":      "n [request cpu 500->250 request memory 0->1073741824]",
		"example.com/gpu=2 priority=-3":   " [request example.com/gpu 0->2 priority 7->-3]",
		"toleration=a=b:NoSchedule":       " [tolerate a=b:NoSchedule]",
		"toleration=a node=n untaint=a=b": "error",
		"node=n untaint=a=b:NoExecute":    "n [untaint n a=b:NoExecute]",
		"untaint=a:NoExecute":             "error",
		"selector=disk=ssd":               " [select disk=ssd]",
		"label=disk=ssd node=n":           "n [label n disk=ssd]",
		"label=disk- node=n":              "n [unlabel n disk]",
		"label=disk=ssd":                  "error",
		"cordon=a uncordon=b":             " [cordon a uncordon b]",
		"without=a without=b/c":           " [free default/a free b/c]",
		"cpu=much":                        "error", "cpu=-1": "error", "cpu": "error", "color=red": "error", "cpu=": "error",
		"priority=high": "error", "toleration=a:Never": "error", "": " []",
	} {
		q, err := ParseQuestion(pod, strings.Fields(text))
		got := fmt.Sprint(q.Node, " ", q.Assume)
		var bad *AssumptionError
		if errors.As(err, &bad) && errors.Is(err, ErrBadChange) {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", text, got, err, want)
		}
	}
}

func TestWhatIfErrors(t *testing.T) {
	s := NewSnapshot()
	pod := somePod("web", "", "1")
	for _, c := range []struct {
		q    Question
		want error
	}{
		{Question{}, ErrNoQuestion},
		{Question{Node: "gone"}, ErrNoNode},
		{Question{Assume: []Change{{Kind: Cordon, Node: "gone"}}}, ErrNoNode},
		{Question{Assume: []Change{{Kind: Free, Pod: &PodRef{Namespace: "default", Name: "gone"}}}}, ErrNoPod},
		{Question{Assume: []Change{{Kind: Free}}}, ErrBadChange},
		{Question{Assume: []Change{{Kind: "wish"}}}, ErrBadChange},
	} {
		if _, err := s.WhatIf(pod, c.q, noon); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, err, c.want)
		}
	}
}

// What a change is worth as a line of kubectl.
func TestCommands(t *testing.T) {
	for want, c := range map[string]Change{
		"kubectl uncordon n":                         {Kind: Uncordon, Node: "n"},
		"kubectl taint nodes n a=b:NoSchedule-":      {Kind: Untaint, Node: "n", Key: "a", Value: "b", Effect: "NoSchedule"},
		"kubectl taint nodes n a:NoSchedule-":        {Kind: Untaint, Node: "n", Key: "a", Effect: "NoSchedule"},
		"kubectl label nodes n disk=ssd --overwrite": {Kind: Label, Node: "n", Key: "disk", Value: "ssd"},
		"kubectl label nodes n disk-":                {Kind: Unlabel, Node: "n", Key: "disk"},
		"kubectl delete pod web -n default":          {Kind: Free, Node: "n", Pod: &PodRef{Namespace: "default", Name: "web"}},
		"":                                           {Kind: Tolerate, Key: "a"},
	} {
		if got := c.Command(); got != want {
			t.Errorf("%v: %s, want %s", c, got, want)
		}
	}
}

// Asking leaves no trace: the state, the steps and what the next decision draws are as if nothing had been asked.
func TestWhatIfLeavesNothing(t *testing.T) {
	run := func(ask bool) string {
		w := newWorld(t)
		for _, name := range []string{"node-1", "node-2", "node-3"} {
			w.node(name, "2")
		}
		w.pod("big", "3")
		w.pod("a", "1500m")
		w.run(2 * time.Second)
		if ask {
			for _, name := range []string{"big", "a"} {
				pod := w.get(name)
				for _, node := range []string{"node-1", "node-2", "node-3"} {
					if _, err := w.sched.WhatIf(pod, Question{Node: node}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		w.pod("b", "100m")
		w.pod("c", "100m")
		w.run(time.Minute)
		return w.state() + w.save() + jsonOf(t, w.trace.Steps())
	}
	if with, without := run(true), run(false); with != without {
		t.Errorf("after questions\n%s\nwithout\n%s", with, without)
	}
}
