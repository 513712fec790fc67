package controller

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
)

// roll is one step of a rolling update: grow the present ReplicaSet as far as the surge allows, or else
// shrink the old ones as far as availability allows (pkg/controller/deployment/rolling.go).
func (r *rollout) roll() error {
	fresh, old, err := r.split(true)
	if err != nil {
		return err
	}
	grown, err := r.grow(fresh, old)
	if err != nil {
		return err
	}
	if !grown {
		shrunk, err := r.shrink(fresh, old)
		if err != nil {
			return err
		}
		if !shrunk && complete(r.d, &r.d.Status) {
			if err := r.cleanUp(old); err != nil {
				return err
			}
		}
	}
	fresh, old = r.latest(fresh), r.latestOf(old)
	return r.saveProgress(fresh, old)
}

// latest is the present state of a ReplicaSet that this sync may have written.
func (r *rollout) latest(rs *appsv1.ReplicaSet) *appsv1.ReplicaSet {
	if rs == nil {
		return nil
	}
	i := slices.IndexFunc(r.sets, func(s *appsv1.ReplicaSet) bool { return s.UID == rs.UID })
	if i < 0 {
		return rs
	}
	return r.sets[i]
}

func (r *rollout) latestOf(sets []*appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	now := make([]*appsv1.ReplicaSet, len(sets))
	for i, rs := range sets {
		now[i] = r.latest(rs)
	}
	return now
}

func (r *rollout) grow(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) (bool, error) {
	size := *r.d.Spec.Replicas
	if *fresh.Spec.Replicas < size {
		size = newReplicas(r.d, with(old, fresh), fresh)
	}
	grown, _, err := r.scaleTo(fresh, size, false)
	return grown, err
}

// shrink takes from the old ReplicaSets what may go: all − minAvailable − unavailable of the present one.
// Pods that are not available go first, so that they do not block the rollout.
func (r *rollout) shrink(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) (bool, error) {
	old = active(old)
	if len(old) == 0 {
		return false, nil
	}
	minAvailable := *r.d.Spec.Replicas - maxUnavailable(r.d)
	unavailable := *fresh.Spec.Replicas - fresh.Status.AvailableReplicas
	budget := wanted(with(old, fresh)) - minAvailable - unavailable
	if budget <= 0 {
		return false, nil
	}
	slices.SortStableFunc(old, olderFirst)
	cleaned, err := r.shrinkUnhealthy(old, budget)
	if err != nil {
		return false, err
	}
	old = r.latestOf(old)
	room := counted(with(old, fresh), availableOf) - minAvailable
	for _, rs := range old {
		if room <= 0 {
			break
		}
		step := min(*rs.Spec.Replicas, room)
		if step == 0 {
			continue
		}
		if _, _, err := r.scaleTo(rs, *rs.Spec.Replicas-step, false); err != nil {
			return false, err
		}
		room -= step
		cleaned = true
	}
	return cleaned, nil
}

func (r *rollout) shrinkUnhealthy(old []*appsv1.ReplicaSet, budget int32) (any bool, _ error) {
	for _, rs := range old {
		step := min(budget, *rs.Spec.Replicas-rs.Status.AvailableReplicas)
		if step <= 0 {
			continue
		}
		if _, _, err := r.scaleTo(rs, *rs.Spec.Replicas-step, false); err != nil {
			return any, err
		}
		budget -= step
		any = true
	}
	return any, nil
}

// recreate stops all old pods before it starts any new one (pkg/controller/deployment/recreate.go).
func (r *rollout) recreate() error {
	fresh, old, err := r.split(false)
	if err != nil {
		return err
	}
	scaled := false
	for _, rs := range active(old) {
		down, _, err := r.scaleTo(rs, 0, false)
		if err != nil {
			return err
		}
		scaled = scaled || down
	}
	old = r.latestOf(old)
	if scaled || r.oldPodsRunning(old) {
		return r.saveProgress(fresh, old)
	}
	if fresh == nil {
		if fresh, old, err = r.split(true); err != nil {
			return err
		}
	}
	if _, fresh, err = r.scaleTo(fresh, *r.d.Spec.Replicas, false); err != nil {
		return err
	}
	if complete(r.d, &r.d.Status) {
		if err := r.cleanUp(old); err != nil {
			return err
		}
	}
	return r.saveProgress(fresh, old)
}

func (r *rollout) oldPodsRunning(old []*appsv1.ReplicaSet) bool {
	if counted(old, replicasOf) > 0 {
		return true
	}
	for _, rs := range old {
		for pod := range apiserver.Owned[*corev1.Pod](r.Client, rs.UID) {
			if !podTerminal(pod) {
				return true
			}
		}
	}
	return false
}
