package kubectl

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	appsv1 "k8s.io/api/apps/v1"

	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/controller"
	"timonier/sim/kubelet"
)

// stage is a cluster on which a scenario is played.
type stage struct {
	*sim.Cluster
	t       *testing.T
	changed time.Time         // when an object that counts last did
	random  map[string]string // what stands for names and hashes made at random
	sets    map[types.UID]int // ReplicaSets that a Deployment has made so far
}

// peace is how long nothing changes in a cluster that has settled; patience, how long that is waited for.
const (
	peace    = 2 * time.Second
	patience = 5 * time.Minute
)

// counted are the resources whose changes keep a cluster from being settled, and that are told in a final state.
func counted() []string {
	return strings.Fields(`cronjobs jobs deployments statefulsets daemonsets replicasets replicationcontrollers
		controllerrevisions services endpointslices horizontalpodautoscalers poddisruptionbudgets resourcequotas limitranges
		configmaps secrets serviceaccounts persistentvolumeclaims roles rolebindings pods priorityclasses namespaces nodes`)
}

// replayScenario plays a scenario on a cluster of its own.
func replayScenario(t *testing.T, s *scenario) *recording {
	c, err := sim.New(sim.Config{Nodes: []kubelet.NodeSpec{}, Hollow: true, NodeMonitor: controller.NodeMonitor{Period: time.Second, Grace: 10 * time.Second}, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := &stage{Cluster: c, t: t, changed: c.Now(), random: map[string]string{}, sets: map[types.UID]int{}}
	c.Server().Observe(p.note)
	p.clear()
	p.addNodes(s.Nodes)
	got := &recording{Steps: make([]recordedStep, len(s.Steps))}
	type said struct{ out, err string }
	answers := make([]said, len(s.Steps))
	for i, step := range s.Steps {
		got.Steps[i].scenarioStep = step
		switch {
		case step.Run != "":
			args := commandLine(t, step.Run)
			r := Run(context.Background(), c, args, strings.ReplaceAll(step.Stdin, "rig/outcome", kubelet.OutcomeAnnotation))
			got.Steps[i].Exit = &r.Code
			answers[i] = said{r.Stdout, r.Stderr}
			if r.Refused != nil {
				answers[i].err += fmt.Sprintf("timonier: %v\n", r.Refused)
			}
		case step.Settle:
			p.settle()
		case step.StopNode != "":
			p.silence(step.StopNode)
		}
	}
	p.settle()
	for _, n := range s.Nodes {
		if s.Ties {
			p.random[n.Name] = "<node>"
		}
	}
	names := newNormaliser(p.random) // only now are all of them known
	for i, a := range answers {
		got.Steps[i].Stdout, got.Steps[i].Stderr = names.lines(a.out), names.lines(a.err)
	}
	got.Final = p.final(s, names)
	return got
}

// note is the watch: it remembers when something changed, and which names are random.
func (p *stage) note(e apiserver.Event) {
	if !slices.Contains(counted(), e.Resource.Resource) {
		return
	}
	p.changed = p.Now()
	o := e.New
	// A StatefulSet's pods have a generateName too, and a number in its place.
	if prefix := o.GetGenerateName(); prefix != "" && len(o.GetName()) == len(prefix)+5 {
		p.random[o.GetName()] = prefix + "<rand>"
	}
	owner := metav1.GetControllerOf(o)
	if owner == nil {
		return
	}
	hash := strings.TrimPrefix(o.GetName(), owner.Name+"-")
	switch o := o.(type) {
	case *appsv1.ReplicaSet:
		if p.random[hash] == "" {
			p.sets[owner.UID]++
			p.random[hash] = fmt.Sprintf("<hash%d>", p.sets[owner.UID])
		}
	case *appsv1.ControllerRevision:
		p.random[hash] = fmt.Sprintf("<rev%d>", o.Revision)
	}
}

// settle lets the cluster go on until nothing has changed for a while.
func (p *stage) settle() {
	began := p.Now()
	for end := began.Add(patience); p.Now().Before(end); {
		calm := p.changed.Add(peace)
		if least := began.Add(peace); calm.Before(least) {
			calm = least
		}
		if p.Now().After(calm) {
			return
		}
		to := calm.Add(time.Millisecond)
		if next, ok := p.Next(); ok && next.Before(to) {
			to = next
		}
		if err := p.AdvanceTo(to); err != nil {
			p.t.Fatal(err)
		}
	}
	p.t.Error("the cluster does not settle")
}

// clear removes what the real control plane, which has no endpoint reconciler, did not have.
func (p *stage) clear() {
	for _, resource := range []string{"endpointslices", "endpoints"} {
		for _, r := range p.Server().Resources() {
			if r.Resource != resource {
				continue
			}
			o := r.New()
			o.SetNamespace("default")
			o.SetName("kubernetes")
			if err := p.Client().Delete(o, metav1.DeleteOptions{}); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

// addNodes makes a scenario's nodes through the API, and waits until they are ready.
func (p *stage) addNodes(list []scenarioNode) {
	for i, n := range list {
		quantity := func(text, otherwise string) resource.Quantity {
			if text == "" {
				text = otherwise
			}
			return resource.MustParse(text)
		}
		has := corev1.ResourceList{
			corev1.ResourceCPU: quantity(n.CPU, "4"), corev1.ResourceMemory: quantity(n.Memory, "8Gi"), corev1.ResourcePods: quantity(n.Pods, "110"),
		}
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: map[string]string{
				corev1.LabelHostname: n.Name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64"}},
			Status: corev1.NodeStatus{
				Capacity: has, Allocatable: has,
				Addresses: []corev1.NodeAddress{
					{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("10.0.0.%d", i+1)},
					{Type: corev1.NodeHostName, Address: n.Name},
				},
				NodeInfo: corev1.NodeSystemInfo{KubeletVersion: kubelet.Version},
			},
		}
		for k, v := range n.Labels {
			node.Labels[k] = v
		}
		for _, text := range n.Taints {
			pair, effect, _ := strings.Cut(text, ":")
			key, value, _ := strings.Cut(pair, "=")
			node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)})
		}
		if _, err := p.Client().Create(node); err != nil {
			p.t.Fatal(err)
		}
	}
	if !p.Until(patience, func() bool { return p.ready(list) }) {
		p.t.Fatal("the nodes do not become ready")
	}
	p.settle()
}

func (p *stage) ready(list []scenarioNode) bool {
	for _, n := range list {
		node, _ := apiserver.Get[*corev1.Node](p.Client(), "", n.Name)
		own := func(t corev1.Taint) bool { return strings.HasPrefix(t.Key, "node.kubernetes.io/") }
		if !isReady(node) || slices.ContainsFunc(node.Spec.Taints, own) {
			return false
		}
	}
	return true
}

func isReady(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// silence stops a node's kubelet, and waits until the control plane has seen it.
func (p *stage) silence(name string) {
	if err := p.Break(sim.NodeSilent, name); err != nil {
		p.t.Fatal(err)
	}
	if !p.Until(patience, func() bool {
		node, _ := apiserver.Get[*corev1.Node](p.Client(), "", name)
		return !isReady(node)
	}) {
		p.t.Fatal("the node stays ready")
	}
}

// commandLine cuts a step's command at blanks outside quotes, single or double, of which one is as plain as the other.
func commandLine(t *testing.T, line string) (args []string) {
	rest, ok := strings.CutPrefix(line, "kubectl ")
	if !ok {
		t.Fatalf("not kubectl: %s", line)
	}
	word, open := []rune(nil), rune(0)
	begun := false
	for _, c := range rest + " " {
		switch {
		case c == open && open != 0:
			open = 0
		case open == 0 && (c == '\'' || c == '"'):
			open, begun = c, true
		case open == 0 && (c == ' ' || c == '\n'):
			if begun {
				args = append(args, string(word))
			}
			word, begun = nil, false
		default:
			word, begun = append(word, c), true
		}
	}
	if open != 0 {
		t.Fatalf("a quote is left open: %s", line)
	}
	return args
}
