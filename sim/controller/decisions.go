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
	CreateOrdinal        = "create-ordinal"        // a StatefulSet lacks the pod of a number; Note is the number
	DeleteOrdinal        = "delete-ordinal"        // a StatefulSet has one too many; Note is the number
	UpdatePod            = "update-pod"            // a pod of an old template goes, to be made anew; Note is the new revision
	ReplacePod           = "replace-pod"           // a pod that has ended goes, to be made anew; Note is its phase
	RepairPod            = "repair-pod"            // a numbered pod gets back what makes it the one of its number
	CreateRevision       = "create-revision"       // a template is kept as a ControllerRevision; Note is its number
	ReuseRevision        = "reuse-revision"        // an old template is the present one again; Note is its new number
	DeleteRevision       = "delete-revision"       // a ControllerRevision beyond the history's limit goes
	CreateClaim          = "create-claim"          // a numbered pod needs a volume; Note is the pod
	OwnClaim             = "own-claim"             // a claim changes owner, as the retention policy has it; Note is the pod
	CreateOnNodes        = "create-on-nodes"       // nodes lack a DaemonSet's pod; Desired: nodes that are to have one
	DeleteOnNodes        = "delete-on-nodes"       // nodes have a DaemonSet's pod that they are not to have
	SurgeOnNodes         = "surge-on-nodes"        // a new pod is to run beside the old one until it is ready
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
	CompleteJob          = "complete-job"          // a Job has its successes; Desired, Actual: completions, Count: failures
	FailJob              = "fail-job"              // a Job is given up; the same figures
	CreateJob            = "create-job"            // a CronJob's time has come; Note is the schedule, Actual: Jobs still active
	SkipJob              = "skip-job"              // its time has come, and a Job still runs that it is not to disturb
	ReplaceJob           = "replace-job"           // its time has come, and a Job that still runs makes room
	DeleteJob            = "delete-job"            // a CronJob's history is too long
	Budget               = "budget"                // a PodDisruptionBudget is reckoned: Desired, Actual: healthy pods, Count: how many may go
	ExpireJob            = "expire-job"            // a Job has been over for long enough; Note is for how long it is kept
)

// What the controllers of quotas and volumes may decide.
const (
	CountQuota      = "count-quota"      // what a namespace uses is counted again
	BindVolume      = "bind-volume"      // a claim gets a volume; Target is the volume
	AskForVolume    = "ask-for-volume"   // a claim waits for its class's provisioner; Note is the provisioner
	ProvisionVolume = "provision-volume" // a provisioner makes a volume for a claim; Target is the volume
	ReleaseVolume   = "release-volume"   // a volume's claim is gone; Note is the reclaim policy
	DeleteVolume    = "delete-volume"    // a provisioner deletes a volume that nobody claims any more
)

// Decisions is every decision a controller may take, in the order of declaration.
func Decisions() []string {
	return []string{
		CreatePods, DeletePods, Adopt, Release,
		CreateReplicaSet, ScaleUp, ScaleDown, DeleteReplicaSet,
		CreateOrdinal, DeleteOrdinal, UpdatePod, ReplacePod, RepairPod, CreateRevision, ReuseRevision, DeleteRevision,
		CreateClaim, OwnClaim, CreateOnNodes, DeleteOnNodes, SurgeOnNodes, Endpoints,
		Taint, Evict, CollectPods, Collect, RemoveOwners, Orphan, Finalize,
		EmptyNamespace, CreateServiceAccount, PublishRootCA,
		CompleteJob, FailJob, CreateJob, SkipJob, ReplaceJob, DeleteJob, ExpireJob, Budget,
		CountQuota, BindVolume, AskForVolume, ProvisionVolume, ReleaseVolume, DeleteVolume,
	}
}
