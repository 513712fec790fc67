package scheduler

import (
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// NodeAffinity (Kubernetes 1.37 pkg/scheduler/framework/plugins/nodeaffinity, and
// k8s.io/component-helpers/scheduling/corev1/nodeaffinity): nodeSelector, and the
// required and preferred terms about a node's labels and name.

// nodeTerm is a term that can be put to nodes: all its requirements hold, or it does not.
type nodeTerm struct {
	labels []labels.Requirement
	fields []v1.NodeSelectorRequirement // about metadata.name
	weight int64                        // of a preference
	index  int                          // in the pod's list
	broken bool                         // it cannot be read, and holds nowhere
}

func newNodeTerm(t *v1.NodeSelectorTerm, index int, weight int64) nodeTerm {
	term := nodeTerm{fields: t.MatchFields, index: index, weight: weight}
	for i := range t.MatchExpressions {
		e := &t.MatchExpressions[i]
		r, err := labels.NewRequirement(e.Key, selectionOf(e.Operator), e.Values)
		if err != nil {
			term.broken = true
			return term
		}
		term.labels = append(term.labels, *r)
	}
	for i := range t.MatchFields {
		f := &t.MatchFields[i]
		if len(f.Values) != 1 || f.Operator != v1.NodeSelectorOpIn && f.Operator != v1.NodeSelectorOpNotIn {
			term.broken = true
		}
	}
	if len(t.MatchExpressions) == 0 && len(t.MatchFields) == 0 {
		term.broken = true // an empty term selects no node
	}
	return term
}

func selectionOf(op v1.NodeSelectorOperator) selection.Operator {
	switch op {
	case v1.NodeSelectorOpIn:
		return selection.In
	case v1.NodeSelectorOpNotIn:
		return selection.NotIn
	case v1.NodeSelectorOpExists:
		return selection.Exists
	case v1.NodeSelectorOpDoesNotExist:
		return selection.DoesNotExist
	case v1.NodeSelectorOpGt:
		return selection.GreaterThan
	case v1.NodeSelectorOpLt:
		return selection.LessThan
	}
	return selection.Operator(op) // unknown: NewRequirement refuses it
}

func (t *nodeTerm) matches(node *v1.Node) bool {
	if t.broken {
		return false
	}
	for i := range t.labels {
		if !t.labels[i].Matches(labels.Set(node.Labels)) {
			return false
		}
	}
	for i := range t.fields {
		if !fieldMatches(&t.fields[i], node) {
			return false
		}
	}
	return true
}

func fieldMatches(f *v1.NodeSelectorRequirement, node *v1.Node) bool {
	value := ""
	if f.Key == metav1.ObjectNameField {
		value = node.Name
	}
	return (value == f.Values[0]) == (f.Operator == v1.NodeSelectorOpIn)
}

// nodeDemand is what a pod requires of nodes.
type nodeDemand struct {
	selector map[string]string // all of it
	terms    []nodeTerm        // and one of these
	required bool              // there are terms to meet
}

func nodeDemandOf(pod *v1.Pod) nodeDemand {
	d := nodeDemand{selector: pod.Spec.NodeSelector}
	if a := pod.Spec.Affinity; a != nil && a.NodeAffinity != nil {
		if r := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution; r != nil {
			d.required = true
			for i := range r.NodeSelectorTerms {
				d.terms = append(d.terms, newNodeTerm(&r.NodeSelectorTerms[i], i, 0))
			}
		}
	}
	return d
}

// none says that any node will do.
func (d *nodeDemand) none() bool { return len(d.selector) == 0 && !d.required }

func (d *nodeDemand) matches(node *v1.Node) bool {
	for key, want := range d.selector {
		if has, ok := node.Labels[key]; !ok || has != want {
			return false
		}
	}
	return !d.required || slices.ContainsFunc(d.terms, func(t nodeTerm) bool { return t.matches(node) })
}

// preFilterNodeAffinity refuses a pod whose terms contradict each other about the
// node's name, and pins one that names its nodes to them.
func preFilterNodeAffinity(c *cycle) (bool, refusal) {
	c.demand = nodeDemandOf(c.pod.pod)
	if c.demand.none() {
		return false, refusal{}
	}
	names, pinned := pinnedTo(c.demand.terms)
	if !pinned {
		return true, refusal{}
	}
	if len(names) == 0 {
		return true, refusal{code: Unresolvable, reason: "pod affinity terms conflict"}
	}
	c.pinned = names
	return true, refusal{}
}

// pinnedTo are the names of the nodes that the terms allow, sorted; false: some term leaves the name open.
func pinnedTo(terms []nodeTerm) ([]string, bool) {
	if len(terms) == 0 {
		return nil, false
	}
	var all []string
	for i := range terms {
		var names []string
		open := true
		for j := range terms[i].fields {
			f := &terms[i].fields[j]
			if f.Key != metav1.ObjectNameField || f.Operator != v1.NodeSelectorOpIn {
				continue
			}
			if open {
				names, open = slices.Clone(f.Values), false
			} else {
				names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(f.Values, name) })
			}
		}
		if open {
			return nil, false
		}
		all = append(all, names...)
	}
	slices.Sort(all)
	return slices.Compact(all), true
}

func filterNodeAffinity(c *cycle, n *nodeInfo) refusal {
	if c.demand.matches(n.node) {
		return refusal{}
	}
	return refusal{code: Unresolvable, reason: "node(s) didn't match Pod's node affinity/selector"}
}

// termsInTheWay lists the requirements that the node does not meet; of the
// terms, of which one would do, all are listed with their index.
func termsInTheWay(c *cycle, n *nodeInfo, v *NodeVerdict) {
	unmet := func(from string, index int, key, op string, values []string) {
		t := Term{From: from, Index: index, Key: key, Operator: op, Values: values}
		if key == metav1.ObjectNameField {
			t.Has = n.name
		} else if has, ok := n.label(key); ok {
			t.Has = has
		} else {
			t.Absent = true
		}
		v.Terms = append(v.Terms, t)
	}
	for _, key := range sortedKeys(c.demand.selector) {
		if has, ok := n.label(key); !ok || has != c.demand.selector[key] {
			unmet("nodeSelector", 0, key, string(v1.NodeSelectorOpIn), []string{c.demand.selector[key]})
		}
	}
	if !c.demand.required || slices.ContainsFunc(c.demand.terms, func(t nodeTerm) bool { return t.matches(n.node) }) {
		return
	}
	terms := c.pod.pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	for i := range terms {
		for _, e := range terms[i].MatchExpressions {
			r, err := labels.NewRequirement(e.Key, selectionOf(e.Operator), e.Values)
			if err != nil || !r.Matches(labels.Set(n.node.Labels)) {
				unmet("nodeAffinity", i, e.Key, string(e.Operator), e.Values)
			}
		}
		for _, f := range terms[i].MatchFields {
			if len(f.Values) != 1 || !fieldMatches(&f, n.node) {
				unmet("nodeAffinity", i, f.Key, string(f.Operator), f.Values)
			}
		}
	}
}

// preScoreNodeAffinity has something to say where the pod has preferences.
func preScoreNodeAffinity(c *cycle) bool {
	c.preferences = c.preferences[:0]
	a := c.pod.pod.Spec.Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution == nil {
		return false
	}
	list := a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	for i := range list {
		if list[i].Weight != 0 {
			c.preferences = append(c.preferences, newNodeTerm(&list[i].Preference, i, int64(list[i].Weight)))
		}
	}
	return true
}

// scoreNodeAffinity is the sum of the weights of the preferences that the node meets.
func scoreNodeAffinity(c *cycle, n *nodeInfo) int64 {
	var sum int64
	for i := range c.preferences {
		if c.preferences[i].matches(n.node) {
			sum += c.preferences[i].weight
		}
	}
	return sum
}

// normalizeNodeAffinity is ⌊100·sum/max⌋ (Kubernetes 1.37
// pkg/scheduler/framework/plugins/helper/normalize_score.go).
func normalizeNodeAffinity(_ *cycle, raw, to []int64) {
	most := largest(raw)
	for i, n := range raw {
		to[i] = 0
		if most > 0 {
			to[i] = maxScore * n / most
		}
	}
}

func figuresNodeAffinity(c *cycle, i int, raw []int64, f []Figure) []Figure {
	for j := range c.preferences {
		if t := &c.preferences[j]; t.matches(c.feasible[i].node) {
			f = append(f, Figure{Name: "preference", Of: t.String(), Value: t.weight})
		}
	}
	return append(f, Figure{Name: "sum", Value: raw[i]}, Figure{Name: "max", Value: largest(raw)})
}

// String is the term as a selector: "disk=ssd,cores>4".
func (t *nodeTerm) String() string {
	text := ""
	for i := range t.labels {
		text += "," + t.labels[i].String()
	}
	for i := range t.fields {
		op := "="
		if t.fields[i].Operator == v1.NodeSelectorOpNotIn {
			op = "!="
		}
		text += "," + t.fields[i].Key + op + t.fields[i].Values[0]
	}
	return text[min(1, len(text)):]
}
