package controller

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const deploymentController = "deployment-controller"

// deployments keeps one ReplicaSet for each version of a Deployment's template, and moves replicas from
// one to the next (pkg/controller/deployment).
type deployments struct{ Env }

func newDeployments(env Env) Component { return &deployments{env} }

func (c *deployments) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *appsv1.Deployment:
		c.Queue.Add(keyOf(o), delayOf(e))
	case *appsv1.ReplicaSet:
		c.observeReplicaSet(e, o)
	case *corev1.Pod: // Recreate waits for the last old pod
		if e.Type == watch.Deleted {
			if d := c.ofPod(o); d != nil && d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
				c.soon(keyOf(d))
			}
		}
	}
}

func (c *deployments) observeReplicaSet(e apiserver.Event, rs *appsv1.ReplicaSet) {
	ref := metav1.GetControllerOfNoCopy(rs)
	if e.Type == watch.Modified {
		if was := metav1.GetControllerOfNoCopy(e.Old); was != nil && (ref == nil || ref.UID != was.UID) {
			if d := c.resolve(rs.Namespace, was); d != nil {
				c.soon(keyOf(d))
			}
		}
	}
	if ref != nil {
		if d := c.resolve(rs.Namespace, ref); d != nil {
			after := apiserver.WatchLatency
			if e.Type == watch.Modified {
				if after = busy; rs.Generation == e.Old.GetGeneration() {
					after = batch
				}
			}
			c.Queue.Add(keyOf(d), after)
		}
		return
	}
	if e.Type == watch.Deleted {
		return
	}
	for d := range apiserver.List[*appsv1.Deployment](c.Client, rs.Namespace) { // an orphan: who adopts it?
		if s, err := selectorOf(d.Spec.Selector); err == nil && !s.Empty() && s.Matches(labels.Set(rs.Labels)) {
			c.soon(keyOf(d))
		}
	}
}

func (c *deployments) ofPod(pod *corev1.Pod) *appsv1.Deployment {
	ref := metav1.GetControllerOfNoCopy(pod)
	if ref == nil || ref.Kind != "ReplicaSet" {
		return nil
	}
	rs, ok := apiserver.Get[*appsv1.ReplicaSet](c.Client, pod.Namespace, ref.Name)
	if !ok || rs.UID != ref.UID {
		return nil
	}
	if ref = metav1.GetControllerOfNoCopy(rs); ref == nil {
		return nil
	}
	return c.resolve(rs.Namespace, ref)
}

func (c *deployments) resolve(namespace string, ref *metav1.OwnerReference) *appsv1.Deployment {
	if ref.Kind != "Deployment" {
		return nil
	}
	d, ok := apiserver.Get[*appsv1.Deployment](c.Client, namespace, ref.Name)
	if !ok || d.UID != ref.UID {
		return nil
	}
	return d
}

func (c *deployments) Resync() {
	for d := range apiserver.List[*appsv1.Deployment](c.Client, "") {
		c.soon(keyOf(d))
	}
}

// rollout is one sync of one Deployment. d is a copy that may be changed; sets are its ReplicaSets, from
// the oldest.
type rollout struct {
	*deployments
	d    *appsv1.Deployment
	sets []*appsv1.ReplicaSet
	// present is the one among them that has the Deployment's template, "" if none has; templates are compared once a
	// sync, as that takes as long as all else in it.
	present  types.UID
	compared bool
}

func (c *deployments) Sync(key string) error {
	found, ok := apiserver.Get[*appsv1.Deployment](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok {
		return nil
	}
	r := &rollout{deployments: c, d: found.DeepCopy()}
	if equality.Semantic.DeepEqual(r.d.Spec.Selector, &metav1.LabelSelector{}) {
		c.Client.Emit(r.d, corev1.EventTypeWarning, "SelectingAll",
			"This deployment is selecting all pods. A non-empty selector is required.")
		if r.d.Status.ObservedGeneration < r.d.Generation {
			r.d.Status.ObservedGeneration = r.d.Generation
			return r.saveStatus()
		}
		return nil
	}
	if err := r.claim(); err != nil {
		return err
	}
	if r.d.DeletionTimestamp != nil {
		return r.syncStatusOnly()
	}
	if err := r.checkPaused(); err != nil {
		return err
	}
	if r.d.Spec.Paused {
		return r.sync()
	}
	scaling, err := r.isScaling()
	switch {
	case err != nil:
		return err
	case scaling:
		return r.sync()
	case r.d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType:
		return r.recreate()
	case r.d.Spec.Strategy.Type == appsv1.RollingUpdateDeploymentStrategyType:
		return r.roll()
	}
	return fmt.Errorf("unexpected deployment strategy type: %s", r.d.Spec.Strategy.Type)
}

// claim finds the Deployment's ReplicaSets, adopting and releasing.
func (r *rollout) claim() error {
	selector, err := selectorOf(r.d.Spec.Selector)
	if err != nil {
		return fmt.Errorf("deployment %s/%s has invalid label selector: %w", r.d.Namespace, r.d.Name, err)
	}
	claim := claimer{Env: r.Env, actor: deploymentController, kind: "Deployment", owner: r.d, object: "ReplicaSet",
		ref: *metav1.NewControllerRef(r.d, appsv1.SchemeGroupVersion.WithKind("Deployment"))}
	for rs := range apiserver.List[*appsv1.ReplicaSet](r.Client, r.d.Namespace) {
		mine, claimErr := claim.claim(rs, selector.Matches(labels.Set(rs.Labels)))
		if claimErr != nil {
			err = claimErr
		}
		if mine {
			r.sets = append(r.sets, rs)
		}
	}
	slices.SortStableFunc(r.sets, olderFirst)
	return err
}

// saveStatus stores the status and the annotations, which the status endpoint of Deployments takes too.
func (r *rollout) saveStatus() error {
	stored, err := r.Client.UpdateStatus(r.d)
	if err == nil {
		r.d.ResourceVersion = stored.GetResourceVersion()
	}
	return err
}

// syncStatusOnly is for a Deployment that is being deleted.
func (r *rollout) syncStatusOnly() error {
	fresh, old, err := r.split(false)
	if err != nil {
		return err
	}
	return r.saveCounts(fresh, old)
}

// sync is for a change of the number of replicas, and for a paused Deployment.
func (r *rollout) sync() error {
	fresh, old, err := r.split(false)
	if err != nil {
		return err
	}
	if err := r.scale(fresh, old); err != nil {
		return err
	}
	if r.d.Spec.Paused {
		if err := r.cleanUp(old); err != nil {
			return err
		}
	}
	return r.saveCounts(fresh, old)
}

func (r *rollout) saveCounts(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) error {
	status := r.status(fresh, old)
	if equality.Semantic.DeepEqual(r.d.Status, status) {
		return nil
	}
	r.d.Status = status
	return r.saveStatus()
}

// isScaling says whether the number of replicas has changed since the active ReplicaSets last heard of it.
func (r *rollout) isScaling() (bool, error) {
	fresh, old, err := r.split(false)
	if err != nil {
		return false, err
	}
	for _, rs := range active(with(old, fresh)) {
		if desired, ok := replicasAnnotation(rs, desiredReplicasAnnotation); ok && desired != *r.d.Spec.Replicas {
			return true, nil
		}
	}
	return false, nil
}

// scaleTo sets a ReplicaSet's size and tells it the Deployment's; with force even where only the latter has changed.
func (r *rollout) scaleTo(rs *appsv1.ReplicaSet, size int32, force bool) (bool, *appsv1.ReplicaSet, error) {
	was := *rs.Spec.Replicas
	if was == size && !force {
		return false, rs, nil
	}
	changed := rs.DeepCopy()
	*changed.Spec.Replicas = size
	if !setReplicasAnnotations(changed, r.d) && was == size {
		return false, rs, nil
	}
	save := func() error {
		stored, err := r.Client.Update(changed)
		if err != nil {
			return err
		}
		rs = r.replace(stored.(*appsv1.ReplicaSet))
		return nil
	}
	if was == size {
		return false, rs, save()
	}
	what, direction := ScaleUp, "up"
	if size < was {
		what, direction = ScaleDown, "down"
	}
	err := r.decided(deploymentController, refTo("Deployment", r.d), trace.Decision{
		What: what, Desired: int64(size), Actual: int64(was), Count: int64(max(size-was, was-size)), Target: refTo("ReplicaSet", rs),
	}, func() error {
		if err := save(); err != nil {
			return err
		}
		r.Client.Emit(r.d, corev1.EventTypeNormal, "ScalingReplicaSet",
			fmt.Sprintf("Scaled %s replica set %s from %d to %d", direction, rs.Name, was, size))
		return nil
	})
	return err == nil, rs, err
}

// replace puts a new state of a ReplicaSet in the place of the one before.
func (r *rollout) replace(rs *appsv1.ReplicaSet) *appsv1.ReplicaSet {
	for i := range r.sets {
		if r.sets[i].UID == rs.UID {
			r.sets[i] = rs
		}
	}
	return rs
}

// cleanUp deletes the oldest of the old ReplicaSets, beyond the history's limit.
func (r *rollout) cleanUp(old []*appsv1.ReplicaSet) error {
	if r.d.Spec.RevisionHistoryLimit == nil || *r.d.Spec.RevisionHistoryLimit == maxInt32 {
		return nil
	}
	alive := slices.DeleteFunc(slices.Clone(old), func(rs *appsv1.ReplicaSet) bool { return rs.DeletionTimestamp != nil })
	excess := len(alive) - int(*r.d.Spec.RevisionHistoryLimit)
	if excess <= 0 {
		return nil
	}
	slices.SortStableFunc(alive, byRevision)
	for _, rs := range alive[:excess] {
		if rs.Status.Replicas != 0 || *rs.Spec.Replicas != 0 || rs.Generation > rs.Status.ObservedGeneration {
			continue
		}
		err := r.decided(deploymentController, refTo("Deployment", r.d), trace.Decision{
			What: DeleteReplicaSet, Desired: int64(*r.d.Spec.RevisionHistoryLimit), Actual: int64(len(alive)), Count: 1,
			Target: refTo("ReplicaSet", rs),
		}, func() error { return gone(r.Client.Delete(rs, metav1.DeleteOptions{})) })
		if err != nil {
			return err
		}
	}
	return nil
}
