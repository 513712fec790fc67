package controller

// What a controller may decide: the What of a trace.Decision.
const (
	CreatePods           = "create-pods"           // a ReplicaSet has too few
	DeletePods           = "delete-pods"           // a ReplicaSet has too many
	Adopt                = "adopt"                 // an object of no owner becomes a controller's
	Release              = "release"               // an object that no longer matches is let go
	CreateReplicaSet     = "create-replicaset"     // a Deployment has a new template; Note is the revision
	ScaleUp              = "scale-up"              // a ReplicaSet grows
	ScaleDown            = "scale-down"            // a ReplicaSet shrinks
	DeleteReplicaSet     = "delete-replicaset"     // a revision beyond the history's limit goes
	Endpoints            = "endpoints"             // a Service's endpoints change; Desired: pods, Actual: ready ones
	Taint                = "taint"                 // a lost node is tainted NoExecute; Note is the taint
	Evict                = "evict"                 // a pod no longer tolerates its node; Note is the taint
	CollectPods          = "collect-pods"          // a node is gone, and so its pods
	Collect              = "collect"               // an object has no owner left; Note is the propagation policy
	RemoveOwners         = "remove-owners"         // some of an object's owners are gone
	Orphan               = "orphan"                // an object's dependents are to stay
	Finalize             = "finalize"              // nothing holds an object back any more; Note is the finalizer
	EmptyNamespace       = "empty-namespace"       // a namespace is being deleted: its content goes first
	CreateServiceAccount = "create-serviceaccount" // a namespace has no account "default"
	PublishRootCA        = "publish-root-ca"       // a namespace has no kube-root-ca.crt
)

// Decisions is every decision a controller may take, in the order of declaration.
func Decisions() []string {
	return []string{
		CreatePods, DeletePods, Adopt, Release,
		CreateReplicaSet, ScaleUp, ScaleDown, DeleteReplicaSet, Endpoints,
		Taint, Evict, CollectPods, Collect, RemoveOwners, Orphan, Finalize,
		EmptyNamespace, CreateServiceAccount, PublishRootCA,
	}
}
