// Package controller is the controllers of the simulated kube-controller-manager,
// one file each: ReplicaSet, Deployment, EndpointSlice, Endpoints, node lifecycle,
// taint eviction, garbage collection, namespaces … Each does what the one of
// Kubernetes 1.37 does (pkg/controller/…), with its events and conditions word for
// word: it compares what is wanted with what is there, in the API server's objects,
// and writes the difference back through the API server.
//
// It will not keep time (agenda does), nor state of its own that cannot be found
// again in the objects or the agenda: a controller that is dropped and made anew
// goes on where the other was. Nor does it talk to nodes: kubelets watch.
package controller

import (
	"math/rand/v2"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/agenda"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// Controller is one row of the table: what a controller is called, and how to make it.
type Controller struct {
	Name      string   // as its events and the trace call it; the Agent of its identity
	User      string   // whom the API server sees
	Resources []string // the plural names of what it watches; "*": everything
	New       func(Env) Component
	Apart     bool // no part of the controller manager: a program of its own, that goes on without it
}

// Env is what a controller works with.
type Env struct {
	Client *apiserver.Client // under the controller's own identity
	Queue  *agenda.Queue     // the controller's own
	Trace  *trace.Recorder
	Rand   *rand.Rand
	Nodes  NodeMonitor
}

// Component is a running controller.
type Component interface {
	// Observe sees a change of a watched resource, as it is committed. It only adds keys to the queue.
	Observe(apiserver.Event)
	// Sync works on one due key. An error has the cluster try the key again, later and later.
	Sync(key string) error
	// Resync looks at everything again, as after a restart.
	Resync()
}

const serviceAccount = "system:serviceaccount:kube-system:"

// All is the controllers, in the order in which they see a change.
func All() []Controller {
	return []Controller{
		{Name: deploymentController, User: serviceAccount + "deployment-controller",
			Resources: []string{"deployments", "replicasets", "pods"}, New: newDeployments},
		{Name: replicaSetController, User: serviceAccount + "replicaset-controller",
			Resources: []string{"replicasets", "pods"}, New: newReplicaSets},
		{Name: statefulSetController, User: serviceAccount + "statefulset-controller",
			Resources: []string{"statefulsets", "pods"}, New: newStatefulSets},
		{Name: daemonSetController, User: serviceAccount + "daemon-set-controller",
			Resources: []string{"daemonsets", "controllerrevisions", "pods", "nodes"}, New: newDaemonSets},
		{Name: jobController, User: serviceAccount + "job-controller",
			Resources: []string{"jobs", "pods"}, New: newJobs},
		{Name: cronJobController, User: serviceAccount + "cronjob-controller",
			Resources: []string{"cronjobs", "jobs"}, New: newCronJobs},
		{Name: ttlAfterFinishedController, User: serviceAccount + "ttl-after-finished-controller",
			Resources: []string{"jobs"}, New: newTTLAfterFinished},
		{Name: disruptionController, User: serviceAccount + "disruption-controller",
			Resources: []string{"poddisruptionbudgets", "pods"}, New: newDisruption},
		{Name: autoscalerController, User: serviceAccount + "horizontal-pod-autoscaler",
			Resources: []string{"horizontalpodautoscalers"}, New: newAutoscalers},
		{Name: endpointsController, User: serviceAccount + "endpoint-controller",
			Resources: []string{"services", "pods", "endpoints"}, New: newEndpoints},
		{Name: endpointSliceController, User: serviceAccount + "endpointslice-controller",
			Resources: []string{"services", "pods", "nodes", "endpointslices"}, New: newEndpointSlices},
		{Name: nodeLifecycleController, User: serviceAccount + "node-controller",
			Resources: []string{"nodes", "leases", "pods"}, New: newNodeLifecycle},
		{Name: ttlController, User: serviceAccount + "ttl-controller",
			Resources: []string{"nodes"}, New: newNodeTTL},
		{Name: taintEvictionController, User: serviceAccount + "node-controller",
			Resources: []string{"nodes", "pods"}, New: newTaintEviction},
		{Name: podGCController, User: serviceAccount + "pod-garbage-collector",
			Resources: []string{"nodes", "pods"}, New: newPodGC},
		{Name: namespaceController, User: serviceAccount + "namespace-controller",
			Resources: []string{"namespaces"}, New: newNamespaces},
		{Name: serviceAccountController, User: serviceAccount + "service-account-controller",
			Resources: []string{"namespaces", "serviceaccounts"}, New: newServiceAccounts},
		{Name: rootCAController, User: serviceAccount + "root-ca-cert-publisher",
			Resources: []string{"namespaces", "configmaps"}, New: newRootCA},
		{Name: persistentVolumeController, User: serviceAccount + "persistent-volume-binder",
			Resources: []string{"persistentvolumeclaims", "persistentvolumes", "storageclasses"}, New: newPersistentVolumes},
		{Name: provisionerName, User: serviceAccount + "disk-provisioner",
			Resources: []string{"persistentvolumeclaims", "persistentvolumes"}, New: newProvisioner, Apart: true},
		{Name: claimProtectionController, User: serviceAccount + "pvc-protection-controller",
			Resources: []string{"persistentvolumeclaims", "pods"}, New: newClaimProtection},
		{Name: volumeProtectionController, User: serviceAccount + "pv-protection-controller",
			Resources: []string{"persistentvolumes"}, New: newVolumeProtection},
		{Name: resourceQuotaController, User: serviceAccount + "resourcequota-controller",
			Resources: []string{"*"}, New: newResourceQuotas},
		{Name: garbageCollector, User: serviceAccount + "generic-garbage-collector",
			Resources: []string{"*"}, New: newGarbageCollector},
	}
}

const (
	// batch is how long a change that only moves a count waits for others of its kind. The real
	// kube-controller-manager writes 20 times a second when it has much to do (--kube-api-qps), and its
	// work queue folds all that happens to a key in between into one sync; a simulated sync takes no time,
	// so that the folding is done before.
	batch = 50 * time.Millisecond
	// busy is how long a controller is still at work on the sync that changed what another controller acts on: the
	// other goes first.
	busy = 5 * apiserver.WatchLatency
	// echo is how long a controller waits to look at its own write of a status, which mostly asks for nothing.
	echo = 2 * batch
)

// decided records a decision about an object; what do writes is due to it.
func (e Env) decided(actor string, about trace.Ref, d trace.Decision, do func() error) error {
	return e.step(trace.Step{Actor: actor, Kind: trace.Decided, Object: about, Detail: d}, do)
}

// step records s as happening now; what do writes is due to it.
func (e Env) step(s trace.Step, do func() error) error {
	s.At = e.Queue.Now()
	before := e.Trace.Because(e.Trace.Add(s))
	defer e.Trace.Because(before)
	return do()
}

// now is the cluster's time as objects carry it: whole seconds.
func (e Env) now() metav1.Time { return metav1.NewTime(e.Queue.Now().Truncate(time.Second)) }

// soon adds a key that a change has just been seen of.
func (e Env) soon(key string) { e.Queue.Add(key, apiserver.WatchLatency) }

func refTo(kind string, o metav1.Object) trace.Ref {
	return trace.Ref{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName(), UID: o.GetUID()}
}

func keyOf(o metav1.Object) string { return o.GetNamespace() + "/" + o.GetName() }

func splitKey(key string) (namespace, name string) {
	namespace, name, _ = strings.Cut(key, "/")
	return namespace, name
}

// subject is the object that an event is about: the present one, or the last state of one that is gone.
func subject(e apiserver.Event) apiserver.Object {
	if e.New != nil {
		return e.New
	}
	return e.Old
}
