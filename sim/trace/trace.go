// Package trace records what a simulated control plane did and why: one typed
// Step for everything a component did, each with the earlier step that caused
// it. Explanations are made of it; it explains nothing itself, and it knows no
// language.
package trace

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Kind says what a component did. The set is closed: Kinds lists it, and every
// lens has a sentence for each.
type Kind string

// Asked begins what a person wanted: a command was typed. Detail is a Request with its Command.
const Asked Kind = "asked"

// The steps of a request through the API server, in the order of its pipeline.
const (
	Received      Kind = "received"      // a request came in; Detail is a Request
	Authenticated Kind = "authenticated" // Detail is an Identity
	Authorized    Kind = "authorized"    // or Refused
	Decoded       Kind = "decoded"       // decoded, and the API's defaults filled in; Detail is Defaults
	Mutated       Kind = "mutated"       // by mutating admission; Detail is an Admission
	Validated     Kind = "validated"
	Admitted      Kind = "admitted"  // by validating admission; Detail is an Admission
	Committed     Kind = "committed" // written to etcd: Revision is set; Detail is a Commit
	Refused       Kind = "refused"   // by any stage; Detail is a Refusal
)

// What the other components did.
const (
	Noticed   Kind = "noticed"   // a component saw a change by its watch
	Scheduled Kind = "scheduled" // the scheduler chose a node; Detail is a *scheduler.Verdict
	Unplaced  Kind = "unplaced"  // the scheduler found no node; Detail is a *scheduler.Verdict
	Preempted Kind = "preempted" // the scheduler makes room; Detail is a *scheduler.Verdict
	Decided   Kind = "decided"   // a controller compared desired with actual and decided; Detail is a Decision
	Pulling   Kind = "pulling"   // a kubelet pulls an image; Detail is a Container
	Pulled    Kind = "pulled"    // Detail is a Container
	Started   Kind = "started"   // a container runs; Detail is a Container
	Ready     Kind = "ready"     // a pod's readiness rose
	Unready   Kind = "unready"   // a pod's readiness fell; Detail is a Container where one is to blame
	Exited    Kind = "exited"    // a container ended; Detail is a Container
	Restarts  Kind = "restarts"  // a kubelet waits, then starts a container again; Detail is a Container
	Killing   Kind = "killing"   // a kubelet stops a container; Detail is a Container
	NodeLost  Kind = "node-lost" // the node controller no longer believes in a node; Detail is a NodeHealth
	NodeBack  Kind = "node-back" // and believes in it again; Detail is a NodeHealth
	Pressed   Kind = "pressure"  // a kubelet finds that its node runs out of something; Detail is a Pressure
	Relieved  Kind = "relieved"  // and that it no longer does; Detail is a Pressure
	Evicted   Kind = "evicted"   // a kubelet ends a pod to save its node; Detail is a Pressure
	Rebooted  Kind = "rebooted"  // a kubelet comes up with its machine: the containers of before are gone
	Elected   Kind = "elected"   // a replica becomes the active one of its program; Detail is an Election
	Fault     Kind = "fault"     // someone broke something on purpose; Detail is a FaultChange
	Healed    Kind = "healed"    // and mended it; Detail is a FaultChange
)

// What happens among etcd's members, and to its file. Detail is Members.
const (
	LeaderElected Kind = "leader-elected" // a member leads from now on
	LeaderLost    Kind = "leader-lost"    // a member leads no longer: it has no quorum, or a later term has begun
	QuorumLost    Kind = "quorum-lost"    // no members that hear each other are a majority
	QuorumBack    Kind = "quorum-back"    // and some are again
	CaughtUp      Kind = "caught-up"      // a member has what it had missed
	Compacted     Kind = "compacted"      // history was forgotten up to a revision
	NoSpace       Kind = "no-space"       // the file is at its quota: nothing more is put
	Disarmed      Kind = "disarmed"       // and that alarm was taken back
)

// Kinds is every kind of step, in the order of declaration.
func Kinds() []Kind {
	return []Kind{Asked, Received, Authenticated, Authorized, Decoded, Mutated, Validated, Admitted, Committed, Refused,
		Noticed, Scheduled, Unplaced, Preempted, Decided, Pulling, Pulled, Started, Ready, Unready, Exited, Restarts,
		Killing, NodeLost, NodeBack, Pressed, Relieved, Evicted, Rebooted, Elected, Fault, Healed,
		LeaderElected, LeaderLost, QuorumLost, QuorumBack, CaughtUp, Compacted, NoSpace, Disarmed}
}

// Ref names an object.
type Ref struct {
	Kind      string    `json:"kind"` // Pod, Deployment …
	Namespace string    `json:"namespace,omitempty"`
	Name      string    `json:"name"`
	UID       types.UID `json:"uid,omitempty"`
}

// Step is one thing one component did.
type Step struct {
	ID       uint64    `json:"id"`    // 1, 2, 3 … in a cluster's whole life
	At       time.Time `json:"at"`    // the cluster's own time
	Actor    string    `json:"actor"` // kubectl, kube-apiserver, kube-scheduler, deployment-controller, kubelet/node-1 …
	Kind     Kind      `json:"kind"`
	Object   Ref       `json:"object"`
	Revision int64     `json:"revision,omitempty"` // of the whole store, where the step wrote
	Cause    uint64    `json:"cause,omitempty"`    // the step because of which; 0: none, someone wanted it
	Detail   any       `json:"detail,omitempty"`   // the struct that the Kind's comment names, or nil
}

// Request is what came to the API server.
type Request struct {
	Verb        string `json:"verb"`              // get, list, create, update, patch, delete …
	Resource    string `json:"resource"`          // deployments.apps, pods/binding
	Command     string `json:"command,omitempty"` // of an Asked step: the line that was typed
	Subresource string `json:"subresource,omitempty"`
	DryRun      bool   `json:"dryRun,omitempty"`
}

// Identity is who asked.
type Identity struct {
	User   string   `json:"user"`
	Groups []string `json:"groups,omitempty"`
}

// Defaults are the fields that the API filled in because the sender left them out.
type Defaults struct {
	Fields []string `json:"fields,omitempty"` // paths, as spec.strategy.type
}

// Admission is what one admission plugin did.
type Admission struct {
	Plugin string   `json:"plugin"`
	Fields []string `json:"fields,omitempty"` // what it changed, as paths
}

// Commit is a write to etcd.
type Commit struct {
	Verb        string `json:"verb"` // create, update, terminate (a deletion that someone has to finish), delete
	Key         string `json:"key"`
	Subresource string `json:"subresource,omitempty"` // status, binding, scale …
}

// Refusal is why a stage said no.
type Refusal struct {
	Stage   Kind   `json:"stage"` // the stage that refused
	Reason  string `json:"reason"`
	Message string `json:"message"` // as the real API server words it
	Code    int32  `json:"code"`    // HTTP
}

// Decision is a controller's arithmetic: what it wanted, what it saw, what it did.
type Decision struct {
	What    string `json:"what"`    // create-pods, delete-pods, scale-up, scale-down, create-replicaset, evict, endpoints, collect …
	Desired int64  `json:"desired"` // replicas wanted, where that makes sense
	Actual  int64  `json:"actual"`
	Count   int64  `json:"count"` // how many it creates, deletes …
	Target  Ref    `json:"target,omitzero"`
	Note    string `json:"note,omitempty"` // a figure or a name the sentence needs, never prose
}

// Container is one container's life in a kubelet's hands.
type Container struct {
	Name     string        `json:"name"`
	Image    string        `json:"image,omitempty"`
	Took     time.Duration `json:"took,omitempty"` // of a pull, of a start
	Delay    time.Duration `json:"delay,omitempty"`
	ExitCode int32         `json:"exitCode,omitempty"`
	Reason   string        `json:"reason,omitempty"` // OOMKilled, Error, ErrImagePull …
	Restarts int32         `json:"restarts,omitempty"`
	Cached   bool          `json:"cached,omitempty"` // the image was on the node already
}

// NodeHealth is what the node controller believes.
type NodeHealth struct {
	LastHeartbeat time.Time     `json:"lastHeartbeat"`
	Grace         time.Duration `json:"grace"`
	Taints        []string      `json:"taints,omitempty"`
}

// Pressure is a resource that a node runs out of.
type Pressure struct {
	Resource string        `json:"resource"`     // ephemeral-storage, memory
	For      time.Duration `json:"for,omitzero"` // how long it has been enough again
}

// Election is a change of the active replica of a program that has several.
type Election struct {
	Holder      string `json:"holder"` // the host of the new one
	Before      string `json:"before"` // the host of the one before
	Transitions int32  `json:"transitions"`
}

// FaultChange is something broken, or mended, on purpose.
type FaultChange struct {
	Fault  string `json:"fault"`  // node-silent, …
	Target string `json:"target"` // node-2, …
}

// Members is what happened among etcd's members, or to its file.
type Members struct {
	Member   string `json:"member,omitempty"`
	Term     uint64 `json:"term,omitempty"`     // of raft
	Count    int64  `json:"count,omitempty"`    // revisions that a member had missed; of QuorumLost and QuorumBack, how many hear each other
	Needed   int    `json:"needed"`             // how many a majority is
	Snapshot bool   `json:"snapshot,omitempty"` // it caught up by a snapshot, not entry by entry
	Revision int64  `json:"revision,omitempty"` // of the store; of Compacted, the one reached
}
