package scheduler

import "k8s.io/apimachinery/pkg/types"

// Verdict is one scheduling decision kept whole: which nodes were refused and by
// what, how the others scored and with which figures, what came of it. It is
// plain data: equal decisions give equal JSON.
type Verdict struct {
	Pod     PodRef  `json:"pod"`
	Outcome Outcome `json:"outcome"`
	Node    string  `json:"node,omitempty"` // chosen; of a bound pod, where it is

	// PreFilter is set where the pod was refused before any node was looked at; Nodes
	// is empty then. Of a gated pod it is the refusal of SchedulingGates.
	PreFilter *Rejection `json:"prefilter,omitempty"`

	// Nodes are the nodes looked at, by name; without details (see Scheduler.Detail) none.
	Nodes []NodeVerdict `json:"nodes,omitempty"`
	Best  []string      `json:"best,omitempty"` // share the highest total, by name; one is drawn

	// Message is the text of the condition PodScheduled=False and of the event
	// FailedScheduling, as the real scheduler words it. Empty if scheduled.
	Message    string      `json:"message,omitempty"`
	Preemption *Preemption `json:"preemption,omitempty"` // nil: no room was made

	Evaluated int `json:"evaluated"` // nodes that went through the filters
	Feasible  int `json:"feasible"`  // of these, the nodes that passed
	Total     int `json:"total"`     // nodes of the cluster
	Attempts  int `json:"attempts,omitempty"`
}

// PodRef names a pod.
type PodRef struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	UID       types.UID `json:"uid,omitempty"`
}

// String is namespace/name.
func (p PodRef) String() string { return p.Namespace + "/" + p.Name }

// Outcome is what came of a decision.
type Outcome string

// The outcomes.
const (
	Scheduled     Outcome = "scheduled"
	Unschedulable Outcome = "unschedulable"
	Gated         Outcome = "gated" // it has scheduling gates: it is not tried
	Bound         Outcome = "bound" // spec.nodeName is set: the scheduler has no say
)

// Code is how final a refusal is.
type Code string

// The codes, as the real scheduler writes them.
const (
	Resolvable   Code = "Unschedulable"                // evicting pods from the node may help
	Unresolvable Code = "UnschedulableAndUnresolvable" // it cannot
)

// Rejection is a plugin's refusal.
type Rejection struct {
	Plugin  string   `json:"plugin"`
	Code    Code     `json:"code"`
	Reasons []string `json:"reasons"` // as in the events: "Insufficient cpu" …
}

// NodeVerdict is what was found about one node: refused (Plugin is set) or feasible.
type NodeVerdict struct {
	Name    string   `json:"name"`
	Plugin  string   `json:"plugin,omitempty"` // that refused it; "": feasible
	Code    Code     `json:"code,omitempty"`
	Reasons []string `json:"reasons,omitempty"`

	// Also are the filters after Plugin that refuse the node too. The real scheduler stops
	// at the first, so they are in no message; but the pod fits only once they agree.
	Also []Rejection `json:"also,omitempty"`

	// What stands in the way, of Plugin and of Also, so that the smallest change that
	// helps can be told.
	Shortages []Shortage `json:"shortages,omitempty"` // NodeResourcesFit
	Taints    []Taint    `json:"taints,omitempty"`    // TaintToleration, NodeUnschedulable: all that the pod does not tolerate
	Terms     []Term     `json:"terms,omitempty"`     // NodeAffinity: requirements that the node does not meet
	Ports     []Port     `json:"ports,omitempty"`     // NodePorts
	Spread    []Spread   `json:"spread,omitempty"`    // PodTopologySpread
	Affinity  []Affinity `json:"affinity,omitempty"`  // InterPodAffinity

	Scores []Score `json:"scores,omitempty"` // in the order of the plugins; a plugin that skipped is absent
	Total  int64   `json:"total,omitempty"`  // sum of Weighted
}

// Feasible says that all filters passed.
func (n *NodeVerdict) Feasible() bool { return n.Plugin == "" }

// Shortage is a resource a node has too little of. CPU is in millicores, memory
// and storage in bytes, pods and extended resources in pieces.
type Shortage struct {
	Resource    string `json:"resource"`
	Requested   int64  `json:"requested"` // by the pod
	Free        int64  `json:"free"`      // Allocatable less the requests of the pods there; may be negative
	Allocatable int64  `json:"allocatable"`
}

// Missing is how much more would have to be free.
func (s Shortage) Missing() int64 { return s.Requested - s.Free }

// Taint is a taint that the pod does not tolerate.
type Taint struct {
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Effect string `json:"effect"`
}

// Term is a requirement on a node's labels or fields that the node does not meet.
type Term struct {
	From     string   `json:"from"`            // nodeSelector, nodeAffinity, or nodeName
	Index    int      `json:"index,omitempty"` // of nodeAffinity: which of the nodeSelectorTerms; one met in full is enough
	Key      string   `json:"key"`             // of a label, or metadata.name
	Operator string   `json:"operator"`        // In, NotIn, Exists, DoesNotExist, Gt, Lt
	Values   []string `json:"values,omitempty"`
	Has      string   `json:"has,omitempty"` // the node's value
	Absent   bool     `json:"absent,omitempty"`
}

// Port is a host port that the pod wants and another pod has.
type Port struct {
	Protocol string `json:"protocol"`
	HostIP   string `json:"hostIP"`
	HostPort int32  `json:"hostPort"`
	Holder   PodRef `json:"holder"`
}

// Spread is a spread constraint (DoNotSchedule) that the node would break:
// Matching + Self − Min > MaxSkew, or the node lacks the topology key.
type Spread struct {
	TopologyKey string `json:"topologyKey"`
	Domain      string `json:"domain,omitempty"` // the node's value
	Absent      bool   `json:"absent,omitempty"` // the node lacks the key
	MaxSkew     int64  `json:"maxSkew"`
	Matching    int64  `json:"matching"` // pods in the domain that count
	Min         int64  `json:"min"`      // in the emptiest domain; 0 with fewer than MinDomains
	Self        int64  `json:"self"`     // 1 if the pod counts itself, else 0
	Domains     int64  `json:"domains"`
	MinDomains  int64  `json:"minDomains,omitempty"`
}

// Affinity is a required (anti-)affinity between pods that the node would break.
type Affinity struct {
	Kind        string  `json:"kind"` // affinity, anti-affinity, or existing-anti-affinity: that of a pod already there
	TopologyKey string  `json:"topologyKey"`
	Domain      string  `json:"domain,omitempty"` // the node's value
	Absent      bool    `json:"absent,omitempty"` // the node lacks the key
	Selector    string  `json:"selector,omitempty"`
	Pod         *PodRef `json:"pod,omitempty"` // one that is in the way; nil: none is there that would have to be
}

// Score is one plugin's say about a feasible node.
type Score struct {
	Plugin   string  `json:"plugin"`
	Raw      int64   `json:"raw"`      // before normalising
	Score    int64   `json:"score"`    // normalised, 0 to 100
	Weight   int64   `json:"weight"`   // of the plugin
	Weighted int64   `json:"weighted"` // Score × Weight
	Figures  Figures `json:"figures,omitempty"`
}

// Figure is one number that went into a formula. Of many feasible nodes only the twelve with the
// most points have them. Which there are, by plugin:
//
//	NodeResourcesFit                 of cpu, memory: capacity, pod, requested (with the pod), result (⌊(capacity − requested)·100/capacity⌋).
//	                                 Raw = ⌊mean of the results⌋
//	NodeResourcesBalancedAllocation  of cpu, memory: capacity, before, requested (with the pod), fraction-before, fraction (Ratio);
//	                                 then score-before, score-after. Raw = 50 + (50 + after − before)/2
//	TaintToleration                  of each untolerated PreferNoSchedule taint: taint 1; then count, max (over the nodes).
//	                                 Score = 100 − ⌊100·count/max⌋; 100 where max is 0
//	NodeAffinity                     of each preference met: preference (its weight); then sum, max. Score = ⌊100·sum/max⌋
//	PodTopologySpread                of each constraint's topology key: domains, factor (Ratio: ln(domains+2)), matching, max-skew, result (Ratio);
//	                                 then sum, min, max. Score = ⌊100·(max + min − sum)/max⌋; a node without the keys: ignored 1
//	InterPodAffinity                 of each topologyKey=value: points; then sum, min, max. Score = ⌊100·(sum − min)/(max − min)⌋
//	ImageLocality                    of each image that is there: size, nodes (that have it), all-nodes, result (⌊size·nodes/all⌋);
//	                                 then sum, min (23 MB), max (1000 MB × images), images. Raw = ⌊100·(clamped sum − min)/(max − min)⌋
type Figure struct {
	Name  string  `json:"name"`
	Of    string  `json:"of,omitempty"` // a resource, a taint, a topology key, an image …
	Value int64   `json:"value"`
	Ratio float64 `json:"ratio,omitempty"` // where the figure is not whole; Value is 0 then
}

// Preemption is the room the scheduler makes.
type Preemption struct {
	Candidate
	Candidates []Candidate `json:"candidates,omitempty"` // all nodes that could have been made free, by name
}

// Candidate is a node that fits once the victims are gone.
type Candidate struct {
	Node          string   `json:"node"`
	Victims       []PodRef `json:"victims"` // the most important first
	PDBViolations int      `json:"pdbViolations"`
}
