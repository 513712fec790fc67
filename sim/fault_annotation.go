package sim

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
)

// FaultAnnotation breaks a node through the API, for programs that know nothing but Kubernetes: silent, off, slow,
// disk-full or kubelet-down, or several with commas. Removed, it is mended. What it does not know does nothing. It is
// not the node that reads it, but whoever has the hammer: it works on a silent node too.
const FaultAnnotation = "timonier/fault"

// annotatedFaults are the words of FaultAnnotation.
func annotatedFaults() map[string]string {
	return map[string]string{
		"silent": NodeSilent, "off": NodeOff, "slow": NodeSlow, "disk-full": NodeDiskFull, "kubelet-down": KubeletDown,
	}
}

// annotator breaks and mends what annotations say. Its keys are names of nodes.
type annotator struct {
	*Cluster
	queue *agenda.Queue
}

func (c *Cluster) addAnnotator() {
	c.add(&slot{name: faultActor, make: func() component { return annotator{c, c.agenda.Queue(faultActor)} }}, []string{"nodes"})
}

func (a annotator) Observe(e apiserver.Event) {
	node, ok := e.New.(*corev1.Node)
	if !ok || e.Type == watch.Deleted {
		return
	}
	before := ""
	if e.Old != nil {
		before = e.Old.(*corev1.Node).Annotations[FaultAnnotation]
	}
	if node.Annotations[FaultAnnotation] != before {
		a.queue.Add(node.Name, 0)
	}
}

// Resync has nothing to look for: what was asked for is among the faults, or in the agenda.
func (a annotator) Resync() {}

func (a annotator) Sync(name string) error {
	node, ok := apiserver.Get[*corev1.Node](a.Client(), "", name)
	if !ok {
		return nil
	}
	var wanted []string
	for _, word := range strings.Split(node.Annotations[FaultAnnotation], ",") {
		wanted = append(wanted, annotatedFaults()[strings.TrimSpace(word)])
	}
	for _, kind := range nodeFaults() {
		want := slices.Contains(wanted, kind.name)
		at := slices.IndexFunc(a.faults, func(f Fault) bool { return f.Name == kind.name && f.Target == name })
		switch {
		case want && at < 0:
			if err := a.change(kind, name, true); err != nil {
				return err
			}
			a.faults[len(a.faults)-1].Annotated = true
		case !want && at >= 0 && a.faults[at].Annotated:
			if err := a.change(kind, name, false); err != nil {
				return err
			}
		}
	}
	return nil
}
