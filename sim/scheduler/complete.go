package scheduler

import (
	"encoding/json"
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// maxPods is how many pods a node has room for if it does not say: the kubelet's own default.
const maxPods = 110

// complete fills in what people leave out and an API server would not, as far as it has a say: namespaces, identities,
// allocatable amounts, requests from limits, and a pod's priority from its class. Of a case that leaves out nothing it
// changes nothing.
func (k *Case) complete() error {
	classes, err := k.sortOut()
	if err != nil {
		return err
	}
	if k.Pod == nil {
		return ErrNoPodToPlace
	}
	for i, n := range k.Nodes {
		if n == nil || n.Name == "" {
			return fmt.Errorf("node %d has no name", i+1)
		}
		completeNode(n)
	}
	for i, p := range k.Pods {
		if p == nil {
			return fmt.Errorf("pod %d is empty", i+1)
		}
		completePod(p, fmt.Sprintf("pod-%d", i+1), classes)
	}
	completePod(k.Pod, "pod", classes)
	return nil
}

// sortOut puts nodes and pods that stand among the other objects where they belong, opens lists, and finds the priority classes.
func (k *Case) sortOut() ([]schedulingv1.PriorityClass, error) {
	var classes []schedulingv1.PriorityClass
	var others []json.RawMessage
	for queue := slices.Concat(k.Objects, k.Items); len(queue) > 0; {
		raw := queue[0]
		queue = queue[1:]
		var head struct {
			Kind  string            `json:"kind"`
			Items []json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(raw, &head); err != nil {
			return nil, fmt.Errorf("read object: %w", err)
		}
		var err error
		switch head.Kind {
		case "List":
			queue = append(head.Items, queue...)
		case "Node":
			n := &v1.Node{}
			err = json.Unmarshal(raw, n)
			k.Nodes = append(k.Nodes, n)
		case "Pod":
			p := &v1.Pod{}
			if err = json.Unmarshal(raw, p); p.Spec.NodeName != "" {
				k.Pods = append(k.Pods, p)
			} else if k.Pod == nil {
				k.Pod = p
			}
		case "PriorityClass":
			c := schedulingv1.PriorityClass{}
			err = json.Unmarshal(raw, &c)
			classes = append(classes, c)
		default:
			others = append(others, raw)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", head.Kind, err)
		}
	}
	k.Objects, k.Items = others, nil
	return classes, nil
}

func completeNode(n *v1.Node) {
	if n.Status.Allocatable == nil {
		n.Status.Allocatable = n.Status.Capacity.DeepCopy()
	}
	if n.Status.Allocatable == nil {
		n.Status.Allocatable = v1.ResourceList{}
	}
	if _, ok := n.Status.Allocatable[v1.ResourcePods]; ok {
		return
	}
	if room, ok := n.Status.Capacity[v1.ResourcePods]; ok {
		n.Status.Allocatable[v1.ResourcePods] = room
		return
	}
	n.Status.Allocatable[v1.ResourcePods] = *resource.NewQuantity(maxPods, resource.DecimalSI)
}

func completePod(p *v1.Pod, name string, classes []schedulingv1.PriorityClass) {
	if p.Name == "" {
		p.Name = name
	}
	if p.Namespace == "" {
		p.Namespace = metav1.NamespaceDefault
	}
	if p.UID == "" {
		p.UID = types.UID(p.Namespace + "/" + p.Name)
	}
	for _, list := range [][]v1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			r := &list[i].Resources
			for name, limit := range r.Limits {
				if _, ok := r.Requests[name]; !ok {
					if r.Requests == nil {
						r.Requests = v1.ResourceList{}
					}
					r.Requests[name] = limit
				}
			}
		}
	}
	if p.Spec.Priority == nil {
		classify(&p.Spec, classes)
	}
}

// classify is what admission does (Kubernetes 1.37 plugin/pkg/admission/priority).
func classify(spec *v1.PodSpec, classes []schedulingv1.PriorityClass) {
	classes = append([]schedulingv1.PriorityClass{
		{ObjectMeta: metav1.ObjectMeta{Name: "system-cluster-critical"}, Value: 2_000_000_000},
		{ObjectMeta: metav1.ObjectMeta{Name: "system-node-critical"}, Value: 2_000_001_000},
	}, classes...)
	for _, c := range classes {
		if spec.PriorityClassName != c.Name && (spec.PriorityClassName != "" || !c.GlobalDefault) {
			continue
		}
		value := c.Value
		spec.Priority = &value
		if spec.PreemptionPolicy == nil {
			spec.PreemptionPolicy = c.PreemptionPolicy
		}
		return
	}
}
