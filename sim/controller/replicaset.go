package controller

import (
	"fmt"
	"slices"
	"time"

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

const (
	replicaSetController = "replicaset-controller"
	burstReplicas        = 500 // pods created or deleted in one sync, at most
)

// replicaSets keeps as many pods as each ReplicaSet wants (pkg/controller/replicaset). It needs no
// expectations: it reads what it has just written.
type replicaSets struct {
	Env
	orphans orphans
	running map[types.UID]*running // of ReplicaSets whose pods are all alike
}

func newReplicaSets(env Env) Component {
	return &replicaSets{Env: env, orphans: findOrphans(env.Client), running: map[types.UID]*running{}}
}

func (c *replicaSets) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *appsv1.ReplicaSet:
		if e.Type == watch.Deleted {
			delete(c.running, o.UID)
		}
		c.Queue.Add(keyOf(o), delayOf(e))
	case *corev1.Pod:
		var old *corev1.Pod
		if e.Old != nil {
			old = e.Old.(*corev1.Pod)
		}
		c.orphans.note(o, e.Type == watch.Deleted)
		c.countPod(e.Type, old, o)
		c.observePod(e.Type, old, o)
	}
}

// delayOf is how soon a change of an object is looked at that its own controller writes the status of.
func delayOf(e apiserver.Event) time.Duration {
	if e.Type != watch.Modified || e.New.GetGeneration() != e.Old.GetGeneration() ||
		(e.New.GetDeletionTimestamp() == nil) != (e.Old.GetDeletionTimestamp() == nil) ||
		!equality.Semantic.DeepEqual(e.New.GetLabels(), e.Old.GetLabels()) {
		return apiserver.WatchLatency
	}
	return echo
}

func (c *replicaSets) observePod(event watch.EventType, old, pod *corev1.Pod) {
	ref := metav1.GetControllerOfNoCopy(pod)
	if event == watch.Modified {
		if was := metav1.GetControllerOfNoCopy(old); was != nil && (ref == nil || ref.UID != was.UID) {
			c.wake(pod.Namespace, was, apiserver.WatchLatency)
		} else if !replicaChanged(old, pod) {
			return
		}
	}
	if ref == nil {
		if event != watch.Deleted {
			for rs := range apiserver.List[*appsv1.ReplicaSet](c.Client, pod.Namespace) {
				if s, err := selectorOf(rs.Spec.Selector); err == nil && s.Matches(labels.Set(pod.Labels)) {
					c.soon(keyOf(rs))
				}
			}
		}
		return
	}
	after := apiserver.WatchLatency
	if event == watch.Modified && (old.DeletionTimestamp == nil) == (pod.DeletionTimestamp == nil) {
		after = batch
	}
	if rs := c.wake(pod.Namespace, ref, after); rs != nil && old != nil && rs.Spec.MinReadySeconds > 0 && !podReady(old) && podReady(pod) {
		c.Queue.Add(keyOf(rs), time.Duration(rs.Spec.MinReadySeconds)*time.Second)
	}
}

// replicaChanged says whether a pod's change can move what a ReplicaSet counts or claims.
func replicaChanged(old, pod *corev1.Pod) bool {
	return podReady(old) != podReady(pod) || old.Status.Phase != pod.Status.Phase && podTerminal(pod) != podTerminal(old) ||
		(old.DeletionTimestamp == nil) != (pod.DeletionTimestamp == nil) ||
		!equality.Semantic.DeepEqual(old.Labels, pod.Labels) ||
		len(old.OwnerReferences) != len(pod.OwnerReferences)
}

// wake adds the ReplicaSet that a reference names, and returns it.
func (c *replicaSets) wake(namespace string, ref *metav1.OwnerReference, after time.Duration) *appsv1.ReplicaSet {
	if ref.Kind != "ReplicaSet" {
		return nil
	}
	rs, ok := apiserver.Get[*appsv1.ReplicaSet](c.Client, namespace, ref.Name)
	if !ok || rs.UID != ref.UID {
		return nil
	}
	c.Queue.Add(keyOf(rs), after)
	return rs
}

func (c *replicaSets) Resync() {
	c.orphans, c.running = findOrphans(c.Client), map[types.UID]*running{}
	for rs := range apiserver.List[*appsv1.ReplicaSet](c.Client, "") {
		c.soon(keyOf(rs))
	}
}

func (c *replicaSets) Sync(key string) error {
	rs, ok := apiserver.Get[*appsv1.ReplicaSet](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok {
		return nil
	}
	if n, ok := c.settled(rs); ok {
		return c.saveStatus(rs, replicaSetStatus(rs, n, nil, c.now()))
	}
	selector, err := selectorOf(rs.Spec.Selector)
	if err != nil {
		return nil
	}
	active, terminating, err := c.claimed(rs, selector)
	if err != nil {
		return err
	}
	n := countReplicas(rs, active, terminating, c.Queue.Now())
	var manageErr error
	if rs.DeletionTimestamp == nil {
		manageErr = c.manage(rs, active)
	}
	c.keepCount(rs)
	if err := c.saveStatus(rs, replicaSetStatus(rs, n, manageErr, c.now())); err != nil {
		return err
	}
	if manageErr != nil {
		return manageErr
	}
	if rs.Spec.MinReadySeconds > 0 && n.ready != n.available {
		c.Queue.Add(key, nextAvailable(active, rs.Spec.MinReadySeconds, c.Queue.Now()))
	}
	return nil
}

func first(a, _ string) string  { return a }
func second(_, b string) string { return b }

// selectorOf is a selector that matches nothing where it is empty, as controllers take it.
func selectorOf(s *metav1.LabelSelector) (labels.Selector, error) {
	if s != nil && len(s.MatchExpressions) == 0 && len(s.MatchLabels) > 0 {
		return labels.SelectorFromValidatedSet(s.MatchLabels), nil
	}
	return metav1.LabelSelectorAsSelector(s)
}

// claimed are the ReplicaSet's active pods, with those it adopts now and without those it releases, and
// its pods that are terminating.
func (c *replicaSets) claimed(rs *appsv1.ReplicaSet, selector labels.Selector) (active, terminating []*corev1.Pod, err error) {
	claim := claimer{Env: c.Env, actor: replicaSetController, kind: "ReplicaSet", owner: rs, object: "Pod",
		ref: *metav1.NewControllerRef(rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
	matches := matcher(rs.Spec.Selector, selector)
	consider := func(pod *corev1.Pod, owned bool) {
		switch fits := matches(pod.Labels); {
		case !podActive(pod):
			if owned && fits && podTerminating(pod) {
				terminating = append(terminating, pod)
			}
		case owned && fits:
			active = append(active, pod)
		default:
			mine, claimErr := claim.claim(pod, fits)
			if claimErr != nil {
				err = claimErr
			}
			if mine {
				active = append(active, pod)
			}
		}
	}
	for pod := range apiserver.Owned[*corev1.Pod](c.Client, rs.UID) {
		consider(pod, true)
	}
	for pod := range c.orphans.in(c.Client, rs.Namespace) {
		consider(pod, false)
	}
	return active, terminating, err
}

// matcher is the selector as a function: a quick one where it has labels only.
func matcher(s *metav1.LabelSelector, selector labels.Selector) func(map[string]string) bool {
	if s == nil || len(s.MatchExpressions) > 0 || len(s.MatchLabels) == 0 {
		return func(l map[string]string) bool { return selector.Matches(labels.Set(l)) }
	}
	return hasLabels(s.MatchLabels)
}

// hasLabels says of labels whether they hold all those wanted.
func hasLabels(wanted map[string]string) func(map[string]string) bool {
	type label struct{ key, value string }
	var all []label
	for k, v := range wanted {
		all = append(all, label{k, v})
	}
	return func(l map[string]string) bool {
		for _, w := range all {
			if v, ok := l[w.key]; !ok || v != w.value {
				return false
			}
		}
		return true
	}
}

// manage creates the pods that are missing, or deletes those that are too many.
func (c *replicaSets) manage(rs *appsv1.ReplicaSet, active []*corev1.Pod) error {
	want := int(*rs.Spec.Replicas)
	count := min(max(want-len(active), len(active)-want), burstReplicas)
	if count == 0 {
		return nil
	}
	d := trace.Decision{What: CreatePods, Desired: int64(want), Actual: int64(len(active)), Count: int64(count)}
	if want < len(active) {
		d.What = DeletePods
		return c.decided(replicaSetController, refTo("ReplicaSet", rs), d, func() error { return c.deletePods(rs, active, count) })
	}
	return c.decided(replicaSetController, refTo("ReplicaSet", rs), d, func() error {
		return slowStart(count, func() error { return c.createPod(rs) })
	})
}

// slowStart calls f count times in batches of 1, 2, 4 …; after a batch with a failure it stops, and returns
// the first: what fails for one pod would fail for all (pkg/controller/replicaset, slowStartBatch).
func slowStart(count int, f func() error) error {
	for size := min(count, 1); size > 0; size = min(2*size, count) {
		var failed error
		for range size {
			if err := f(); err != nil && failed == nil {
				failed = err
			}
		}
		if failed != nil {
			return failed
		}
		count -= size
	}
	return nil
}

func (c *replicaSets) createPod(rs *appsv1.ReplicaSet) error {
	return c.createFrom(&rs.Spec.Template, rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
}

func (c *replicaSets) deletePods(rs *appsv1.ReplicaSet, active []*corev1.Pod, count int) error {
	if count < len(active) {
		rank(active, c.related(rs), c.Queue.Now())
	}
	var failed error
	for _, pod := range active[:count] {
		if err := c.deleteFor(pod, rs); err != nil && failed == nil {
			failed = fmt.Errorf("unable to delete pods: %w", err)
		}
	}
	return failed
}

// related are the pods of all ReplicaSets of the same owner: of a whole Deployment.
func (c *replicaSets) related(rs *appsv1.ReplicaSet) (pods []*corev1.Pod) {
	owner := metav1.GetControllerOfNoCopy(rs)
	if owner == nil {
		return nil
	}
	for sibling := range apiserver.Owned[*appsv1.ReplicaSet](c.Client, owner.UID) {
		pods = slices.AppendSeq(pods, apiserver.Owned[*corev1.Pod](c.Client, sibling.UID))
	}
	return pods
}

// nextAvailable is how long until a ready pod becomes available.
func nextAvailable(pods []*corev1.Pod, minReadySeconds int32, now time.Time) time.Duration {
	wait := time.Duration(minReadySeconds) * time.Second
	after := wait
	for _, pod := range pods {
		if podReady(pod) && !podAvailable(pod, minReadySeconds, now) {
			after = min(after, readySince(pod).Add(wait).Sub(now))
		}
	}
	return max(0, after)
}

func countReplicas(rs *appsv1.ReplicaSet, active, terminating []*corev1.Pod, now time.Time) replicaCount {
	n := replicaCount{active: int32(len(active)), terminating: int32(len(terminating))}
	labelled := hasLabels(rs.Spec.Template.Labels)
	for _, pod := range active {
		if labelled(pod.Labels) {
			n.labelled++
		}
		if podReady(pod) {
			n.ready++
			if podAvailable(pod, rs.Spec.MinReadySeconds, now) {
				n.available++
			}
		}
	}
	return n
}

func replicaSetStatus(rs *appsv1.ReplicaSet, n replicaCount, failed error, now metav1.Time) appsv1.ReplicaSetStatus {
	status := *rs.Status.DeepCopy()
	status.Replicas, status.FullyLabeledReplicas, status.ReadyReplicas, status.AvailableReplicas = n.active, n.labelled, n.ready, n.available
	status.TerminatingReplicas = &n.terminating
	i := slices.IndexFunc(status.Conditions, func(c appsv1.ReplicaSetCondition) bool { return c.Type == appsv1.ReplicaSetReplicaFailure })
	switch {
	case failed != nil && i < 0:
		reason := "FailedCreate"
		if n.active > *rs.Spec.Replicas {
			reason = "FailedDelete"
		}
		status.Conditions = append(status.Conditions, appsv1.ReplicaSetCondition{
			Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: reason, Message: failed.Error(),
			LastTransitionTime: now,
		})
	case failed == nil && i >= 0:
		status.Conditions = slices.Delete(status.Conditions, i, i+1)
	}
	return status
}

func (c *replicaSets) saveStatus(rs *appsv1.ReplicaSet, status appsv1.ReplicaSetStatus) error {
	status.ObservedGeneration = rs.Generation
	if equality.Semantic.DeepEqual(rs.Status, status) {
		return nil
	}
	fresh := *rs // shallow: only the status is set, and that is new
	fresh.Status = status
	_, err := c.Client.UpdateStatus(&fresh)
	return err
}
