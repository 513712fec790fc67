package controller

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

func hasDeadline(d *appsv1.Deployment) bool {
	return d.Spec.ProgressDeadlineSeconds != nil && *d.Spec.ProgressDeadlineSeconds != maxInt32
}

func condition(status *appsv1.DeploymentStatus, t appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range status.Conditions {
		if status.Conditions[i].Type == t {
			return &status.Conditions[i]
		}
	}
	return nil
}

// setCondition sets a condition, unless one of the same status and reason stands already. A condition that
// is set moves to the end.
func (r *rollout) setCondition(status *appsv1.DeploymentStatus, t appsv1.DeploymentConditionType, s corev1.ConditionStatus, reason, message string) {
	now := r.now()
	c := appsv1.DeploymentCondition{Type: t, Status: s, Reason: reason, Message: message, LastUpdateTime: now, LastTransitionTime: now}
	addCondition(status, c)
}

func addCondition(status *appsv1.DeploymentStatus, c appsv1.DeploymentCondition) {
	if old := condition(status, c.Type); old != nil && old.Status == c.Status {
		if old.Reason == c.Reason {
			return
		}
		c.LastTransitionTime = old.LastTransitionTime
	}
	dropCondition(status, c.Type)
	status.Conditions = append(status.Conditions, c)
}

func dropCondition(status *appsv1.DeploymentStatus, t appsv1.DeploymentConditionType) {
	status.Conditions = slices.DeleteFunc(slices.Clone(status.Conditions), func(c appsv1.DeploymentCondition) bool { return c.Type == t })
}

// checkPaused notes a pause and its end, so that the time in between does not count against the deadline.
func (r *rollout) checkPaused() error {
	if !hasDeadline(r.d) {
		return nil
	}
	reason := ""
	if c := condition(&r.d.Status, appsv1.DeploymentProgressing); c != nil {
		reason = c.Reason
	}
	switch {
	case reason == "ProgressDeadlineExceeded" || r.d.Spec.Paused == (reason == "DeploymentPaused"):
		return nil
	case r.d.Spec.Paused:
		r.setCondition(&r.d.Status, appsv1.DeploymentProgressing, corev1.ConditionUnknown, "DeploymentPaused", "Deployment is paused")
	default:
		r.setCondition(&r.d.Status, appsv1.DeploymentProgressing, corev1.ConditionUnknown, "DeploymentResumed", "Deployment is resumed")
	}
	return r.saveStatus()
}

// status counts, and says whether enough replicas are available.
func (r *rollout) status(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) appsv1.DeploymentStatus {
	all := with(old, fresh)
	available := counted(all, availableOf)
	status := appsv1.DeploymentStatus{
		ObservedGeneration:  r.d.Generation,
		Replicas:            counted(all, replicasOf),
		UpdatedReplicas:     counted([]*appsv1.ReplicaSet{fresh}, replicasOf),
		ReadyReplicas:       counted(all, readyOf),
		AvailableReplicas:   available,
		UnavailableReplicas: max(0, wanted(all)-available),
		TerminatingReplicas: terminating(all),
		CollisionCount:      r.d.Status.CollisionCount,
		Conditions:          slices.Clone(r.d.Status.Conditions),
	}
	if available >= *r.d.Spec.Replicas-maxUnavailable(r.d) {
		r.setCondition(&status, appsv1.DeploymentAvailable, corev1.ConditionTrue, "MinimumReplicasAvailable", "Deployment has minimum availability.")
	} else {
		r.setCondition(&status, appsv1.DeploymentAvailable, corev1.ConditionFalse, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
	}
	return status
}

// terminating is the sum of the terminating pods, or nil where a ReplicaSet does not say.
func terminating(sets []*appsv1.ReplicaSet) *int32 {
	n := int32(0)
	for _, rs := range sets {
		switch {
		case rs.Status.TerminatingReplicas != nil:
			n += *rs.Status.TerminatingReplicas
		case rs.Status.ObservedGeneration != 0:
			return nil
		}
	}
	return &n
}

// complete says whether all replicas are of the present template and available, and no others are left.
func complete(d *appsv1.Deployment, s *appsv1.DeploymentStatus) bool {
	n := *d.Spec.Replicas
	return s.UpdatedReplicas == n && s.Replicas == n && s.AvailableReplicas == n && s.ObservedGeneration >= d.Generation
}

// progressing says whether a status is nearer to the end than the one before.
func progressing(before, now *appsv1.DeploymentStatus) bool {
	return now.UpdatedReplicas > before.UpdatedReplicas ||
		now.Replicas-now.UpdatedReplicas < before.Replicas-before.UpdatedReplicas ||
		now.ReadyReplicas > before.ReadyReplicas || now.AvailableReplicas > before.AvailableReplicas
}

// timedOut says whether the deadline for some progress has passed.
func (r *rollout) timedOut(status *appsv1.DeploymentStatus) bool {
	c := condition(status, appsv1.DeploymentProgressing)
	if c == nil || c.Reason == "NewReplicaSetAvailable" {
		return false
	}
	return c.Reason == "ProgressDeadlineExceeded" || c.LastUpdateTime.Add(r.deadline()).Before(r.Queue.Now())
}

func (r *rollout) deadline() time.Duration {
	return time.Duration(*r.d.Spec.ProgressDeadlineSeconds) * time.Second
}

// saveProgress stores the status of a rollout, with the condition that tells how it gets on
// (pkg/controller/deployment/progress.go, syncRolloutStatus).
func (r *rollout) saveProgress(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) error {
	status := r.status(fresh, old)
	current := condition(&r.d.Status, appsv1.DeploymentProgressing)
	done := status.Replicas == status.UpdatedReplicas && current != nil && current.Reason == "NewReplicaSetAvailable"
	switch {
	case !hasDeadline(r.d):
		dropCondition(&status, appsv1.DeploymentProgressing)
	case !done:
		r.setProgress(&status, current, fresh)
	}
	if failure := replicaFailure(fresh, old); failure != nil {
		addCondition(&status, *failure)
	} else {
		dropCondition(&status, appsv1.DeploymentReplicaFailure)
	}
	if len(status.Conditions) == 0 {
		status.Conditions = nil
	}
	if equality.Semantic.DeepEqual(r.d.Status, status) {
		r.checkAgain(&status)
		return nil
	}
	r.d.Status = status
	return r.saveStatus()
}

func (r *rollout) setProgress(status *appsv1.DeploymentStatus, current *appsv1.DeploymentCondition, fresh *appsv1.ReplicaSet) {
	what := fmt.Sprintf("Deployment %q", r.d.Name)
	if fresh != nil {
		what = fmt.Sprintf("ReplicaSet %q", fresh.Name)
	}
	switch {
	case complete(r.d, status):
		r.setCondition(status, appsv1.DeploymentProgressing, corev1.ConditionTrue, "NewReplicaSetAvailable", what+" has successfully progressed.")
	case progressing(&r.d.Status, status):
		c := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "ReplicaSetUpdated",
			Message: what + " is progressing.", LastUpdateTime: r.now(), LastTransitionTime: r.now()}
		if current != nil && current.Status == corev1.ConditionTrue {
			c.LastTransitionTime = current.LastTransitionTime
		}
		dropCondition(status, c.Type) // the moment of the latest progress counts, even with the same reason
		addCondition(status, c)
	case r.timedOut(status):
		r.setCondition(status, appsv1.DeploymentProgressing, corev1.ConditionFalse, "ProgressDeadlineExceeded", what+" has timed out progressing.")
	}
}

// replicaFailure is the first failure that a ReplicaSet reports, the present one's before the others'.
func replicaFailure(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) *appsv1.DeploymentCondition {
	sets := slices.Clone(old)
	if fresh != nil {
		sets = slices.Insert(sets, 0, fresh)
	}
	for _, rs := range sets {
		for _, c := range rs.Status.Conditions {
			if c.Type == appsv1.ReplicaSetReplicaFailure {
				return &appsv1.DeploymentCondition{Type: appsv1.DeploymentReplicaFailure, Status: c.Status, Reason: c.Reason,
					Message: c.Message, LastUpdateTime: c.LastTransitionTime, LastTransitionTime: c.LastTransitionTime}
			}
		}
	}
	return nil
}

// checkAgain sets the timer of the deadline, one second after it (requeueStuckDeployment). A rollout that was
// complete once has no deadline, even if pods are missing later.
func (r *rollout) checkAgain(status *appsv1.DeploymentStatus) {
	c := condition(&r.d.Status, appsv1.DeploymentProgressing)
	if !hasDeadline(r.d) || c == nil || complete(r.d, status) ||
		c.Reason == "ProgressDeadlineExceeded" || c.Reason == "NewReplicaSetAvailable" {
		return
	}
	after := c.LastUpdateTime.Add(r.deadline()).Sub(r.Queue.Now())
	r.Queue.Add(keyOf(r.d), max(0, after)+time.Second)
}
