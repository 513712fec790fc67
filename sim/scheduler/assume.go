package scheduler

import (
	"fmt"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
)

// AssumptionError is the error of ParseQuestion: a word that says nothing it knows. It is an ErrBadChange.
type AssumptionError struct{ Word string }

func (e *AssumptionError) Error() string { return fmt.Sprintf("%q: %v", e.Word, ErrBadChange) }

// Unwrap is ErrBadChange.
func (e *AssumptionError) Unwrap() error { return ErrBadChange }

// assumption is a row of what may be assumed.
type assumption struct {
	name string
	read func(pod *v1.Pod, node, value string) (Change, bool)
}

// assumptions are what may stand before the first "=", beside node and the names of resources.
func assumptions() []assumption {
	return []assumption{
		{"priority", func(pod *v1.Pod, _, value string) (Change, bool) {
			to, err := strconv.ParseInt(value, 10, 32)
			return Change{Kind: Priority, From: int64(newPodInfo(pod).priority), To: to}, err == nil
		}},
		{"toleration", func(_ *v1.Pod, _, value string) (Change, bool) { return readTaint(Tolerate, "", value) }},
		{"untaint", func(_ *v1.Pod, node, value string) (Change, bool) {
			c, ok := readTaint(Untaint, node, value)
			return c, ok && node != "" && c.Effect != ""
		}},
		{"selector", func(_ *v1.Pod, _, value string) (Change, bool) {
			key, val, ok := strings.Cut(value, "=")
			return Change{Kind: Select, Key: key, Value: val}, ok && key != ""
		}},
		{"label", func(_ *v1.Pod, node, value string) (Change, bool) {
			if key, ok := strings.CutSuffix(value, "-"); ok {
				return Change{Kind: Unlabel, Node: node, Key: key}, key != "" && node != ""
			}
			key, val, ok := strings.Cut(value, "=")
			return Change{Kind: Label, Node: node, Key: key, Value: val}, ok && key != "" && node != ""
		}},
		{"uncordon", func(_ *v1.Pod, _, value string) (Change, bool) {
			return Change{Kind: Uncordon, Node: value}, value != ""
		}},
		{"cordon", func(_ *v1.Pod, _, value string) (Change, bool) { return Change{Kind: Cordon, Node: value}, value != "" }},
		{"without", func(pod *v1.Pod, _, value string) (Change, bool) {
			ref := PodRef{Namespace: pod.Namespace, Name: value}
			if namespace, name, ok := strings.Cut(value, "/"); ok {
				ref = PodRef{Namespace: namespace, Name: name}
			}
			return Change{Kind: Free, Pod: &ref}, ref.Name != ""
		}},
	}
}

// ParseQuestion reads what people write of what might be otherwise, word by word:
//
//	node=NAME                          the node that the pod is to go to
//	cpu=500m  memory=1Gi  RESOURCE=N   what the pod asks for in all
//	priority=N                         the pod's priority
//	toleration=KEY[=VALUE][:EFFECT]    a taint that the pod tolerates
//	selector=KEY=VALUE                 a line of its nodeSelector
//	label=KEY=VALUE  label=KEY-        a label that the node has, or has not
//	untaint=KEY[=VALUE]:EFFECT         a taint that the node has not
//	cordon=NODE  uncordon=NODE         a node that may not be used, or may
//	without=POD  without=NAMESPACE/POD a pod that is not there
//
// The pod, which may be waiting or running, says which namespace is meant and what it asks for now.
func ParseQuestion(pod *v1.Pod, words []string) (Question, error) {
	var q Question
	for _, word := range words {
		if name, ok := strings.CutPrefix(word, "node="); ok && name != "" {
			q.Node = name
		}
	}
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok || value == "" {
			return Question{}, &AssumptionError{word}
		}
		if name == "node" {
			continue
		}
		c, ok := readAssumption(pod, q.Node, name, value)
		if !ok {
			return Question{}, &AssumptionError{word}
		}
		q.Assume = append(q.Assume, c)
	}
	return q, nil
}

func readAssumption(pod *v1.Pod, node, name, value string) (Change, bool) {
	for _, a := range assumptions() {
		if a.name == name {
			return a.read(pod, node, value)
		}
	}
	kind := v1.ResourceName(name)
	if kind != v1.ResourceCPU && kind != v1.ResourceMemory && kind != v1.ResourceEphemeralStorage && !isScalar(kind) {
		return Change{}, false
	}
	q, err := resource.ParseQuantity(value)
	if err != nil || q.Sign() < 0 {
		return Change{}, false
	}
	now := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})[kind]
	return Change{Kind: Request, Key: name, From: amountIn(kind, now), To: amountIn(kind, q)}, true
}

// readTaint reads KEY[=VALUE][:EFFECT].
func readTaint(kind ChangeKind, node, text string) (Change, bool) {
	text, effect, _ := strings.Cut(text, ":")
	key, value, _ := strings.Cut(text, "=")
	switch v1.TaintEffect(effect) {
	case "", v1.TaintEffectNoSchedule, v1.TaintEffectPreferNoSchedule, v1.TaintEffectNoExecute:
		return Change{Kind: kind, Node: node, Key: key, Value: value, Effect: effect}, key != ""
	}
	return Change{}, false
}
