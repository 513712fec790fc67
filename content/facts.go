package content

import (
	"strconv"
	"strings"
	"time"

	"timonier/sim/scheduler"
	"timonier/sim/trace"
)

// Facts are one step of a trace as a lens's sentence sees it: flat, so that a
// template needs no knowledge of Go. What does not concern the step's kind is empty.
type Facts struct {
	Actor     string // kubectl, kube-apiserver, kube-scheduler, deployment-controller, kubelet/node-1 …
	Step      trace.Kind
	Kind      string // of the object: Pod, Deployment …
	Name      string // of the object
	Namespace string
	Revision  int64

	Verb        string   // of a request, of a write to etcd: create, update, patch, delete …
	Resource    string   // of a request: deployments.apps …
	Subresource string   // status, binding, scale …
	Command     string   // that was typed
	DryRun      bool     // nothing is to be kept
	User        string   // who asked
	Key         string   // in etcd
	Plugin      string   // of admission
	Fields      []string // that were filled in or changed, as paths
	Stage       string   // that refused
	Reason      string   // of a refusal; of a container's end: OOMKilled …
	Message     string   // as Kubernetes words it
	Code        int64    // HTTP

	Node    string // that was chosen; where a kubelet works; that is lost
	Fit     int    // nodes that could take the pod
	Unfit   int    // nodes that could not
	Total   int    // nodes that were looked at
	Victims []string

	What         string // a controller's decision: create-pods …
	Desired      int64
	Actual       int64
	Count        int64
	Target       string // the name of what a decision is about
	TargetKind   string
	Note         string
	Container    string
	Image        string
	Took         time.Duration
	Delay        time.Duration
	Exit         int64
	Restarts     int64
	Cached       bool // the image was there already
	Grace        time.Duration
	Taints       []string
	Fault        string // node-silent …
	FaultSubject string // node-2 …
	Holder       string // of a lease: the host of the new active replica
	Before       string // and of the one before
	Member       string // of etcd
	Term         int64  // of raft
	Needed       int    // members that are a majority
	Snapshot     bool   // a member caught up by one
}

// factsOf flattens a step.
func factsOf(s trace.Step) Facts {
	f := Facts{Actor: s.Actor, Step: s.Kind, Kind: s.Object.Kind, Name: s.Object.Name, Namespace: s.Object.Namespace, Revision: s.Revision}
	if _, node, ok := strings.Cut(s.Actor, "/"); ok {
		f.Node = node // kubelet/node-1
	}
	switch d := s.Detail.(type) {
	case *scheduler.Verdict:
		f.verdict(d)
	case trace.Request:
		f.Verb, f.Resource, f.Subresource, f.Command, f.DryRun = d.Verb, d.Resource, d.Subresource, d.Command, d.DryRun
	case trace.Identity:
		f.User = d.User
	case trace.Defaults:
		f.Fields = d.Fields
	case trace.Admission:
		f.Plugin, f.Fields = d.Plugin, d.Fields
	case trace.Commit:
		f.Verb, f.Key, f.Subresource = d.Verb, d.Key, d.Subresource
	case trace.Refusal:
		f.Stage, f.Reason, f.Message, f.Code = string(d.Stage), d.Reason, d.Message, int64(d.Code)
	case trace.Decision:
		f.What, f.Desired, f.Actual, f.Count, f.Note = d.What, d.Desired, d.Actual, d.Count, d.Note
		f.Target, f.TargetKind = d.Target.Name, d.Target.Kind
	case trace.Container:
		f.Container, f.Image, f.Took, f.Delay, f.Reason = d.Name, d.Image, d.Took, d.Delay, d.Reason
		f.Exit, f.Restarts, f.Cached = int64(d.ExitCode), int64(d.Restarts), d.Cached
	case trace.NodeHealth:
		f.Node, f.Grace, f.Taints = s.Object.Name, d.Grace, d.Taints
	case trace.Pressure:
		f.Resource, f.Grace = d.Resource, d.For
	case trace.Election:
		f.Holder, f.Before = d.Holder, d.Before
	case trace.FaultChange:
		f.Fault, f.FaultSubject = d.Fault, d.Target
	case trace.Members:
		f.Member, f.Term, f.Count, f.Needed, f.Snapshot, f.Revision = d.Member, int64(d.Term), d.Count, d.Needed, d.Snapshot, d.Revision
	}
	return f
}

func (f *Facts) verdict(v *scheduler.Verdict) {
	if v == nil {
		return
	}
	f.Node, f.Message, f.Fit, f.Unfit, f.Total = v.Node, v.Message, v.Feasible, v.Evaluated-v.Feasible, v.Evaluated
	if p := v.Preemption; p != nil {
		f.Node = p.Node
		for _, victim := range p.Victims {
			f.Victims = append(f.Victims, victim.Name)
		}
	}
}

// field is a fact by the name that a sentence's `when` gives it; false if there is no such name.
func (f Facts) field(name string) (string, bool) {
	get, ok := conditions[name]
	if !ok {
		return "", false
	}
	return get(f), true
}

// conditions are the facts that a sentence may depend on.
var conditions = map[string]func(Facts) string{
	"actor":       func(f Facts) string { return f.Actor },
	"name":        func(f Facts) string { return f.Name },
	"kind":        func(f Facts) string { return f.Kind },
	"verb":        func(f Facts) string { return f.Verb },
	"resource":    func(f Facts) string { return f.Resource },
	"subresource": func(f Facts) string { return f.Subresource },
	"dryRun":      func(f Facts) string { return strconv.FormatBool(f.DryRun) },
	"user":        func(f Facts) string { return f.User },
	"plugin":      func(f Facts) string { return f.Plugin },
	"stage":       func(f Facts) string { return f.Stage },
	"reason":      func(f Facts) string { return f.Reason },
	"code":        func(f Facts) string { return strconv.FormatInt(f.Code, 10) },
	"command":     func(f Facts) string { return f.Command },
	"fields":      func(f Facts) string { return strings.Join(f.Fields, ",") },
	"what":        func(f Facts) string { return f.What },
	"count":       func(f Facts) string { return strconv.FormatInt(f.Count, 10) },
	"fit":         func(f Facts) string { return strconv.Itoa(f.Fit) },
	"total":       func(f Facts) string { return strconv.Itoa(f.Total) },
	"exit":        func(f Facts) string { return strconv.FormatInt(f.Exit, 10) },
	"image":       func(f Facts) string { return f.Image },
	"container":   func(f Facts) string { return f.Container },
	"cached":      func(f Facts) string { return strconv.FormatBool(f.Cached) },
	"fault":       func(f Facts) string { return f.Fault },
	"needed":      func(f Facts) string { return strconv.Itoa(f.Needed) },
	"snapshot":    func(f Facts) string { return strconv.FormatBool(f.Snapshot) },
}

// fullFacts have everything filled in: what a sentence may meet at most.
func fullFacts(kind trace.Kind) Facts {
	return Facts{
		Actor: "kubelet/node-1", Step: kind, Kind: "Pod", Name: "web-7c5d9f8b6-k2x9p", Namespace: "default", Revision: 412,
		Verb: "create", Resource: "pods", Subresource: "status", Command: "kubectl create", User: "system:kube-scheduler",
		Key: "/registry/pods/default/web-7c5d9f8b6-k2x9p", Plugin: "Priority",
		Fields: []string{"spec.priority", "spec.preemptionPolicy", "spec.dnsPolicy", "spec.restartPolicy", "spec.schedulerName"},
		Stage:  string(trace.Validated), Reason: "Invalid", Message: "0/3 nodes are available", Code: 422,
		Node: "node-1", Fit: 2, Unfit: 1, Total: 3, Victims: []string{"db-0", "db-1"},
		What: "create-pods", Desired: 3, Actual: 1, Count: 2, Target: "web", TargetKind: "Deployment", Note: "1",
		Container: "nginx", Image: "nginx:1.27", Took: 4 * time.Second, Delay: 10 * time.Second, Exit: 1, Restarts: 2,
		Grace: 50 * time.Second, Taints: []string{"node.kubernetes.io/unreachable"}, Fault: "node-silent", FaultSubject: "node-2",
		Holder: "control-plane-2", Before: "control-plane-1",
		Member: "etcd-1", Term: 3, Needed: 2, Snapshot: true,
	}
}
