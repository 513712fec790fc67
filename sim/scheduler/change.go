package scheduler

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
)

// ChangeKind is what a Change does.
type ChangeKind string

// The kinds of change, the least first: of sets with equally many changes the one with the lesser kinds
// counts as smaller.
const (
	Ungate       ChangeKind = "ungate"        // the pod's scheduling gates go
	Uncordon     ChangeKind = "uncordon"      // Node may be used again
	Recover      ChangeKind = "recover"       // Node is well again, and loses the taints Key that say it is not
	Tolerate     ChangeKind = "tolerate"      // the pod tolerates the taint Key=Value:Effect
	Untaint      ChangeKind = "untaint"       // Node loses that taint
	Label        ChangeKind = "label"         // Node gets the label Key=Value
	Unlabel      ChangeKind = "unlabel"       // Node loses the label Key
	Request      ChangeKind = "request"       // the pod asks for To of the resource Key, in all its containers, instead of From
	Free         ChangeKind = "free"          // Pod goes from Node
	Image        ChangeKind = "image"         // Node has the image Key
	Skew         ChangeKind = "skew"          // the pod's spread over Key may be uneven by To instead of From
	DropSelector ChangeKind = "drop-selector" // the pod's nodeSelector says nothing of Key
	DropTerms    ChangeKind = "drop-terms"    // the pod's required node affinity goes
	DropNear     ChangeKind = "drop-near"     // the pod's required affinity to pods Value over Key goes
	DropAway     ChangeKind = "drop-away"     // the pod's required anti-affinity to pods Value over Key goes
	DropSpread   ChangeKind = "drop-spread"   // the pod's spread over Key may be as uneven as it will
	DropPort     ChangeKind = "drop-port"     // the pod does without the host port To
	Select       ChangeKind = "select"        // the pod's nodeSelector asks for Key=Value
	Cordon       ChangeKind = "cordon"        // Node, another, may not be used
	Priority     ChangeKind = "priority"      // the pod's priority is To instead of From; only ever assumed
)

// changeKinds are all kinds, the least first.
func changeKinds() []ChangeKind {
	return []ChangeKind{Ungate, Uncordon, Recover, Tolerate, Untaint, Label, Unlabel, Request, Free, Image, Skew,
		DropSelector, DropTerms, DropNear, DropAway, DropSpread, DropPort, Select, Cordon, Priority}
}

// Change is one thing that could be otherwise than it is: with the pod, with a node, or with another pod.
// Amounts are as in Shortage: millicores, bytes, pieces.
type Change struct {
	Kind   ChangeKind `json:"kind"`
	Node   string     `json:"node,omitempty"` // that changes; "": the pod itself does
	Pod    *PodRef    `json:"pod,omitempty"`  // Free: who goes
	Key    string     `json:"key,omitempty"`  // of a label, taint, resource or topology; an image
	Value  string     `json:"value,omitempty"`
	Effect string     `json:"effect,omitempty"` // of a taint
	From   int64      `json:"from,omitempty"`
	To     int64      `json:"to,omitempty"`
}

// String is the change in a form that is the same for equal changes: "label node-1 disk=ssd".
func (c Change) String() string {
	words := []string{string(c.Kind)}
	if c.Pod != nil {
		words = append(words, c.Pod.String())
	}
	if c.Node != "" {
		words = append(words, c.Node)
	}
	text := c.Key
	if c.Value != "" {
		text += "=" + c.Value
	}
	if c.Effect != "" {
		text += ":" + c.Effect
	}
	if text != "" {
		words = append(words, text)
	}
	if c.From != 0 || c.To != 0 {
		words = append(words, fmt.Sprintf("%d->%d", c.From, c.To))
	}
	return strings.Join(words, " ")
}

// Command is the kubectl line that makes the change in a cluster. "": there is none, as it is the pod's manifest
// that changes, or the node that mends.
func (c Change) Command() string {
	switch c.Kind {
	case Uncordon, Cordon:
		return fmt.Sprintf("kubectl %s %s", c.Kind, c.Node)
	case Untaint:
		return fmt.Sprintf("kubectl taint nodes %s %s:%s-", c.Node, strings.TrimSuffix(c.Key+"="+c.Value, "="), c.Effect)
	case Label:
		return fmt.Sprintf("kubectl label nodes %s %s=%s --overwrite", c.Node, c.Key, c.Value)
	case Unlabel:
		return fmt.Sprintf("kubectl label nodes %s %s-", c.Node, c.Key)
	case Free:
		return fmt.Sprintf("kubectl delete pod %s -n %s", c.Pod.Name, c.Pod.Namespace)
	}
	return ""
}

// Errors of what is asked.
var (
	ErrNoNode     = errors.New("no such node")
	ErrNoPod      = errors.New("no such pod on a node")
	ErrBadChange  = errors.New("no such change")
	ErrNoQuestion = errors.New("neither a node nor an assumption is given")
)

// edit is a cluster while it is being changed: a copy of the pod, copies of the nodes that change, who goes.
type edit struct {
	s     *Snapshot
	pod   *v1.Pod
	nodes map[string]*v1.Node
	freed []placement
}

func newEdit(s *Snapshot, pod *v1.Pod) *edit {
	return &edit{s: s, pod: pod.DeepCopy(), nodes: map[string]*v1.Node{}}
}

// node is the copy of a node that may be changed.
func (e *edit) node(name string) (*v1.Node, error) {
	if n := e.nodes[name]; n != nil {
		return n, nil
	}
	n := e.s.node(name)
	if n == nil {
		return nil, fmt.Errorf("node %q: %w", name, ErrNoNode)
	}
	e.nodes[name] = n.node.DeepCopy()
	return e.nodes[name], nil
}

// apply makes one change.
func (e *edit) apply(c Change) error {
	if c.Kind == Free {
		return e.free(c)
	}
	if c.Node == "" {
		return e.changePod(c)
	}
	n, err := e.node(c.Node)
	if err != nil {
		return err
	}
	switch c.Kind {
	case Uncordon:
		n.Spec.Unschedulable = false
		n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, func(t v1.Taint) bool { return t.Key == v1.TaintNodeUnschedulable })
	case Cordon:
		n.Spec.Unschedulable = true
	case Recover:
		n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, func(t v1.Taint) bool { return t.Key == c.Key })
	case Untaint:
		n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, func(t v1.Taint) bool {
			return t.Key == c.Key && t.Value == c.Value && string(t.Effect) == c.Effect
		})
	case Label:
		if n.Labels == nil {
			n.Labels = map[string]string{}
		}
		n.Labels[c.Key] = c.Value
	case Unlabel:
		delete(n.Labels, c.Key)
	case Image:
		n.Status.Images = append(n.Status.Images, v1.ContainerImage{Names: []string{c.Key}, SizeBytes: c.To})
	default:
		return fmt.Errorf("%s of a node: %w", c.Kind, ErrBadChange)
	}
	return nil
}

func (e *edit) free(c Change) error {
	if c.Pod == nil {
		return fmt.Errorf("%s without a pod: %w", c.Kind, ErrBadChange)
	}
	at, ok := e.s.placed[c.Pod.UID]
	for _, other := range e.s.placed { // any order: the name is that of one
		if p := other.info.pod; !ok && p.Namespace == c.Pod.Namespace && p.Name == c.Pod.Name {
			at, ok = other, true
		}
	}
	if !ok {
		return fmt.Errorf("pod %v: %w", c.Pod, ErrNoPod)
	}
	if !slices.Contains(e.freed, at) { // it goes once, however often that is said
		e.freed = append(e.freed, at)
	}
	return nil
}

func (e *edit) changePod(c Change) error {
	spec := &e.pod.Spec
	switch c.Kind {
	case Ungate:
		spec.SchedulingGates = nil
	case Tolerate:
		t := v1.Toleration{Key: c.Key, Operator: v1.TolerationOpEqual, Value: c.Value, Effect: v1.TaintEffect(c.Effect)}
		if c.Value == "" {
			t.Operator = v1.TolerationOpExists
		}
		spec.Tolerations = append(spec.Tolerations, t)
	case Request:
		setRequest(e.pod, v1.ResourceName(c.Key), c.To)
	case Priority:
		to := int32(c.To)
		spec.Priority = &to
	case Select:
		if spec.NodeSelector == nil {
			spec.NodeSelector = map[string]string{}
		}
		spec.NodeSelector[c.Key] = c.Value
	case DropSelector:
		delete(spec.NodeSelector, c.Key)
	case DropTerms:
		if a := spec.Affinity; a != nil && a.NodeAffinity != nil {
			a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = nil
		}
	case DropNear, DropAway:
		dropPodTerms(spec.Affinity, c)
	case Skew, DropSpread:
		loosen(spec.TopologySpreadConstraints, c)
	case DropPort:
		dropPort(spec.InitContainers, c.To)
		dropPort(spec.Containers, c.To)
	default:
		return fmt.Errorf("%s of a pod: %w", c.Kind, ErrBadChange)
	}
	return nil
}

func dropPodTerms(a *v1.Affinity, c Change) {
	gone := func(t v1.PodAffinityTerm) bool {
		return t.TopologyKey == c.Key && selectorOf(t.LabelSelector).String() == c.Value
	}
	switch {
	case a == nil:
	case c.Kind == DropNear && a.PodAffinity != nil:
		list := &a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution
		*list = slices.DeleteFunc(*list, gone)
	case c.Kind == DropAway && a.PodAntiAffinity != nil:
		list := &a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
		*list = slices.DeleteFunc(*list, gone)
	}
}

func loosen(list []v1.TopologySpreadConstraint, c Change) {
	for i := range list {
		k := &list[i]
		if k.TopologyKey != c.Key || k.WhenUnsatisfiable != v1.DoNotSchedule {
			continue
		}
		if c.Kind == DropSpread {
			k.WhenUnsatisfiable = v1.ScheduleAnyway
		} else if int64(k.MaxSkew) == c.From {
			k.MaxSkew = int32(c.To)
		}
	}
}

func dropPort(list []v1.Container, port int64) {
	for i := range list {
		for j := range list[i].Ports {
			if int64(list[i].Ports[j].HostPort) == port {
				list[i].Ports[j].HostPort = 0
			}
		}
	}
}

// setRequest has the pod ask for an amount of a resource, its overhead included: each container's share stays what it
// was. What rounding leaves over goes to the first container.
func setRequest(pod *v1.Pod, name v1.ResourceName, to int64) {
	amount := func() int64 {
		q := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})[name]
		return amountIn(name, q)
	}
	overhead := amountIn(name, pod.Spec.Overhead[name])
	was, is := amount()-overhead, max(0, to-overhead)
	scale := func(list *v1.ResourceList) {
		if q, ok := (*list)[name]; ok && was > 0 {
			(*list)[name] = quantityIn(name, int64(float64(amountIn(name, q))*float64(is)/float64(was)))
		}
	}
	for _, containers := range [][]v1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			scale(&containers[i].Resources.Requests)
		}
	}
	if r := pod.Spec.Resources; r != nil {
		if _, ok := r.Requests[name]; ok {
			r.Requests[name] = quantityIn(name, is)
			return
		}
	}
	if rest := is + overhead - amount(); rest > 0 && len(pod.Spec.Containers) > 0 {
		list := &pod.Spec.Containers[0].Resources.Requests
		if *list == nil {
			*list = v1.ResourceList{}
		}
		(*list)[name] = quantityIn(name, amountIn(name, (*list)[name])+rest)
	}
}

// amountIn is a quantity in the unit the scheduler reckons in.
func amountIn(name v1.ResourceName, q resource.Quantity) int64 {
	if name == v1.ResourceCPU {
		return q.MilliValue()
	}
	return q.Value()
}

func quantityIn(name v1.ResourceName, amount int64) resource.Quantity {
	switch name {
	case v1.ResourceCPU:
		return *resource.NewMilliQuantity(amount, resource.DecimalSI)
	case v1.ResourceMemory, v1.ResourceEphemeralStorage:
		return *resource.NewQuantity(amount, resource.BinarySI)
	}
	return *resource.NewQuantity(amount, resource.DecimalSI)
}
