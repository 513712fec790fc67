package scheduler

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Case is a scheduling problem as a file holds it, one a line: a cluster and a pod to place in it.
type Case struct {
	ID      string            `json:"id"`
	Areas   []string          `json:"areas,omitempty"` // what it is about; of no consequence
	Nodes   []*v1.Node        `json:"nodes"`
	Pods    []*v1.Pod         `json:"pods"`              // all with spec.nodeName
	Objects []json.RawMessage `json:"objects,omitempty"` // with apiVersion and kind
	Items   []json.RawMessage `json:"items,omitempty"`   // more of these: what "kubectl get -o json" writes is a case too
	Pod     *v1.Pod           `json:"pod"`               // nil: the first pod among the objects that has no node
}

// Answer is a decision as a file holds it. It says what a Verdict says, without the figures.
type Answer struct {
	ID         string                            `json:"id"`
	Outcome    Outcome                           `json:"outcome"`
	Feasible   []string                          `json:"feasible"`
	Rejected   map[string]Rejection              `json:"rejected"`
	Prefilter  *Rejection                        `json:"prefilter"`
	Scores     map[string]map[string]AnswerScore `json:"scores"` // by node and plugin
	Totals     map[string]int64                  `json:"totals"`
	Best       []string                          `json:"best"`
	Message    string                            `json:"message"`
	Preemption *AnswerPreemption                 `json:"preemption"`
	WhatIf     *WhatIf                           `json:"whatIf,omitempty"` // where SolveOptions ask for it
}

// AnswerScore is a node's score by a plugin.
type AnswerScore struct {
	Score    int64 `json:"score"`
	Weighted int64 `json:"weighted"`
}

// AnswerPreemption is the room made, and where else it could have been.
type AnswerPreemption struct {
	Node          string                     `json:"node"`
	Victims       []string                   `json:"victims"`
	PDBViolations int                        `json:"pdbViolations"`
	Candidates    map[string]AnswerCandidate `json:"candidates"`
}

// AnswerCandidate is a node on which room could be made.
type AnswerCandidate struct {
	Victims       []string `json:"victims"`
	PDBViolations int      `json:"pdbViolations"`
}

// Solve decides a case. The time given counts as the start of pods that have none.
func (k *Case) Solve(now time.Time) (*Answer, error) {
	s, err := k.Snapshot()
	if err != nil {
		return nil, err
	}
	return newAnswer(k.ID, s.Decide(k.Pod, now)), nil
}

// Snapshot is the cluster of a case.
func (k *Case) Snapshot() (*Snapshot, error) {
	s := NewSnapshot()
	for _, n := range k.Nodes {
		s.Put(n)
	}
	for _, p := range k.Pods {
		s.Put(p)
	}
	for _, raw := range k.Objects {
		o, err := decodeObject(raw)
		if err != nil {
			return nil, err
		}
		if o != nil {
			s.Put(o)
		}
	}
	return s, nil
}

// SolveOptions say how cases are solved.
type SolveOptions struct {
	Now time.Time // counts as the start of pods that have none
	If  []string  // asks of each case's pod what ParseQuestion reads from this; nil: nothing
	// Bad is told of what cannot be solved, with the number of the line on which it begins. Nil: that ends the work.
	Bad func(line int, err error)
}

// SolveAll reads cases (see Cases) and writes their answers, one JSON object a line, each as soon as it is known. What
// cannot be solved has no answer. The error is of reading or writing, or what Bad would have been told.
func SolveAll(cases io.Reader, answers io.Writer, o SolveOptions) error {
	out := json.NewEncoder(answers)
	out.SetEscapeHTML(false)
	return Cases(cases, func(_ int, k *Case) error {
		a, err := k.Solve(o.Now)
		if err == nil && len(o.If) > 0 {
			a.WhatIf, err = k.WhatIf(o.If, o.Now)
		}
		if err != nil {
			return &CaseError{err}
		}
		if err := out.Encode(a); err != nil {
			return fmt.Errorf("write answer %q: %w", k.ID, err)
		}
		return nil
	}, o.Bad)
}

// WhatIf answers what is asked about the case's pod; see ParseQuestion.
func (k *Case) WhatIf(words []string, now time.Time) (*WhatIf, error) {
	s, err := k.Snapshot()
	if err != nil {
		return nil, err
	}
	q, err := ParseQuestion(k.Pod, words)
	if err != nil {
		return nil, err
	}
	return s.WhatIf(k.Pod, q, now)
}

// decodeObject reads an object of the kinds that a Snapshot knows; nil for others.
func decodeObject(raw json.RawMessage) (runtime.Object, error) {
	var kind struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	var o runtime.Object
	switch kind.Kind {
	case "Namespace":
		o = &v1.Namespace{}
	case "Service":
		o = &v1.Service{}
	case "ReplicationController":
		o = &v1.ReplicationController{}
	case "ReplicaSet":
		o = &appsv1.ReplicaSet{}
	case "StatefulSet":
		o = &appsv1.StatefulSet{}
	case "PodDisruptionBudget":
		o = &policyv1.PodDisruptionBudget{}
	default:
		return nil, nil
	}
	if err := json.Unmarshal(raw, o); err != nil {
		return nil, fmt.Errorf("read %s: %w", kind.Kind, err)
	}
	return o, nil
}

func newAnswer(id string, v *Verdict) *Answer {
	a := &Answer{ID: id, Outcome: v.Outcome, Feasible: []string{}, Rejected: map[string]Rejection{}, Prefilter: v.PreFilter,
		Scores: map[string]map[string]AnswerScore{}, Totals: map[string]int64{}, Best: []string{}, Message: v.Message}
	for i := range v.Nodes {
		n := &v.Nodes[i]
		if !n.Feasible() {
			a.Rejected[n.Name] = Rejection{n.Plugin, n.Code, n.Reasons}
			continue
		}
		a.Feasible = append(a.Feasible, n.Name)
		if len(n.Scores) == 0 {
			continue
		}
		a.Totals[n.Name] = n.Total
		a.Scores[n.Name] = map[string]AnswerScore{}
		for _, s := range n.Scores {
			a.Scores[n.Name][s.Plugin] = AnswerScore{s.Score, s.Weighted}
		}
	}
	a.Best = append(a.Best, v.Best...)
	if p := v.Preemption; p != nil {
		a.Preemption = &AnswerPreemption{Node: p.Node, Victims: texts(p.Victims), PDBViolations: p.PDBViolations,
			Candidates: map[string]AnswerCandidate{}}
		for _, k := range p.Candidates {
			a.Preemption.Candidates[k.Node] = AnswerCandidate{texts(k.Victims), k.PDBViolations}
		}
	}
	return a
}

func texts(pods []PodRef) []string {
	list := make([]string, len(pods))
	for i, p := range pods {
		list[i] = p.String()
	}
	return list
}
