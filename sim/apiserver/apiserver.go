// Package apiserver is the simulated API server: the only door to etcd. A
// request passes the stages of the real one, in its order: authenticate,
// authorise, decode and default, mutating admission, validate, validating
// admission, commit, watch. It stores and announces, and that is all: it gives
// no orders. Components watch it and write through it.
//
// It speaks the Kubernetes REST API (Handler) to kubectl and its like, and typed
// objects (Client) to the components of its own cluster; both take the same
// stages. A Server is not safe for concurrent use: its cluster takes turns.
package apiserver

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/watch"
)

// Object is a typed Kubernetes object, always a pointer: *v1.Pod, *appsv1.Deployment …
// What a Server hands out is shared: read it, never change it, and DeepCopy
// before you do.
type Object interface {
	runtime.Object
	metav1.Object
}

// Resource is one kind the API serves: one row of the table in kinds.go. To add a
// kind is to add a row; the stages know no kind by name.
type Resource struct {
	schema.GroupVersionResource
	Kind       string
	Singular   string
	ShortNames []string
	Categories []string // "all" for what `kubectl get all` lists
	Namespaced bool
	KeyPrefix  string // in etcd, as the real one: /registry/pods, /registry/services/specs …

	New     func() Object
	NewList func() runtime.Object

	Subresources []string // of status, scale, binding, eviction, log, finalize …

	// Default fills in what the sender left out, as the API's own defaulting. Idempotent.
	Default func(Object)
	// PrepareForCreate drops what a sender may not set (status, a generation …). May be nil.
	PrepareForCreate func(Object)
	// PrepareForUpdate keeps from old what an update may not touch, and raises the generation. May be nil.
	PrepareForUpdate func(new, old Object)
	// PrepareForStatusUpdate keeps all but the status. Nil where there is no status subresource.
	PrepareForStatusUpdate func(new, old Object)
	// CopyForStatus is a copy of what a component sends to have its status written, with the spec of old: what
	// PrepareForStatusUpdate puts back need not be copied. May be nil.
	CopyForStatus func(sent, old Object) Object

	// Deprecated is what every answer about the resource warns of, if anything.
	Deprecated string

	// Validate is asked at creation; ValidateUpdate at an update; ValidateStatus at one of the status.
	// Metadata has been validated already. Errors carry the paths and words of the real API server.
	Validate       func(Object) field.ErrorList
	ValidateUpdate func(new, old Object) field.ErrorList
	ValidateStatus func(new, old Object) field.ErrorList
	// Warn says what is odd about what is valid; old is nil at creation. May be nil.
	Warn func(new, old Object) []string
	// ValidName checks metadata.name, as apimachinery's api/validation.NameIsDNSSubdomain. Nil: DNS subdomain.
	ValidName func(name string, prefix bool) []string

	// Columns and Cells are the table that `kubectl get` prints; len(Cells) == len(Columns).
	Columns []metav1.TableColumnDefinition
	Cells   func(o Object, now time.Time) []any
	// MarkRows adds to the rows of a list what only the whole list tells: which StorageClass is the default. May be nil.
	MarkRows func(all []Object, rows []metav1.TableRow)

	// Fields are what a field selector may name besides metadata.name and metadata.namespace. May be nil.
	Fields func(Object) fields.Set

	// TTL is how long an object lives after its last write; 0: for ever. Only events have one.
	TTL time.Duration
	// Unconditional says that an update without a resourceVersion is accepted.
	Unconditional bool
	// CreateOnUpdate says that a PUT to a name that is not there creates it.
	CreateOnUpdate bool
	// Grace is the grace period in seconds of a deletion, given what the request asked for (nil: nothing).
	// Nil: objects go at once. A pod that is placed waits for its kubelet.
	Grace func(o Object, asked *int64) int64
	// Terminate marks an object whose deletion begins, beyond its metadata: a namespace's phase. May be nil.
	Terminate func(Object)
	// Allocate gives an object what the server hands out: a Service's addresses and node ports. old is nil at
	// creation. May be nil.
	Allocate func(s *Server, new, old Object) field.ErrorList
}

// GroupVersionKind of the resource.
func (r *Resource) GroupVersionKind() schema.GroupVersionKind {
	return r.GroupVersion().WithKind(r.Kind)
}

// Event is a change that a watcher sees. Old is nil for what was added; New is
// the last state for what was deleted.
type Event struct {
	Type     watch.EventType // Added, Modified, Deleted
	Resource *Resource
	Old, New Object
	Revision int64
	Step     uint64 // the trace's Committed step
}

// User is who asks.
type User struct {
	Name   string
	Groups []string
	// Agent is how the trace and managedFields name the program: kubectl, kube-scheduler, kubelet/node-1 …
	Agent string
}
