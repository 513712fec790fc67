package controller

import (
	"cmp"
	"math"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// fenceposts are how many pods a rolling update may have above the replicas wanted, rounded up, and how
// many may be missing, rounded down; not both zero (deployment_util.go, ResolveFenceposts).
func fenceposts(d *appsv1.Deployment) (surge, unavailable int32) {
	if d.Spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType || d.Spec.Strategy.RollingUpdate == nil {
		return 0, 0
	}
	zero, update, replicas := intstr.FromInt32(0), d.Spec.Strategy.RollingUpdate, int(*d.Spec.Replicas)
	s, err := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(update.MaxSurge, zero), replicas, true)
	if err != nil {
		return 0, 0
	}
	u, err := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(update.MaxUnavailable, zero), replicas, false)
	if err != nil {
		return 0, 0
	}
	if s == 0 && u == 0 {
		u = 1
	}
	return int32(s), int32(u)
}

func maxSurge(d *appsv1.Deployment) int32 {
	surge, _ := fenceposts(d)
	return surge
}

func maxUnavailable(d *appsv1.Deployment) int32 {
	_, unavailable := fenceposts(d)
	return min(unavailable, *d.Spec.Replicas)
}

// newReplicas is the size that the present ReplicaSet may have now, given all.
func newReplicas(d *appsv1.Deployment, all []*appsv1.ReplicaSet, fresh *appsv1.ReplicaSet) int32 {
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return *d.Spec.Replicas
	}
	room := *d.Spec.Replicas + maxSurge(d) - wanted(all)
	if room <= 0 {
		return *fresh.Spec.Replicas
	}
	return *fresh.Spec.Replicas + min(room, *d.Spec.Replicas-*fresh.Spec.Replicas)
}

// wanted is the sum of the sizes of ReplicaSets.
func wanted(sets []*appsv1.ReplicaSet) (n int32) {
	for _, rs := range sets {
		n += *rs.Spec.Replicas
	}
	return n
}

// counted is a sum over the status of ReplicaSets.
func counted(sets []*appsv1.ReplicaSet, of func(*appsv1.ReplicaSetStatus) int32) (n int32) {
	for _, rs := range sets {
		if rs != nil {
			n += of(&rs.Status)
		}
	}
	return n
}

func replicasOf(s *appsv1.ReplicaSetStatus) int32  { return s.Replicas }
func readyOf(s *appsv1.ReplicaSetStatus) int32     { return s.ReadyReplicas }
func availableOf(s *appsv1.ReplicaSetStatus) int32 { return s.AvailableReplicas }

// scale follows a change of the number of replicas, or a pause. During a rollout the difference is spread
// over the ReplicaSets in proportion to their sizes, so that a bad template does not gain by it
// (pkg/controller/deployment/sync.go, scale).
func (r *rollout) scale(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) error {
	want := *r.d.Spec.Replicas
	if only := activeOrLatest(fresh, old); only != nil {
		_, _, err := r.scaleTo(only, want, false)
		return err
	}
	if saturated(r.d, fresh) {
		for _, rs := range active(old) {
			if _, _, err := r.scaleTo(rs, 0, false); err != nil {
				return err
			}
		}
		return nil
	}
	if r.d.Spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType {
		return nil
	}
	sets := active(with(old, fresh))
	for i, size := range proportions(r.d, sets) {
		if _, _, err := r.scaleTo(sets[i], size, true); err != nil {
			return err
		}
	}
	return nil
}

// activeOrLatest is the only ReplicaSet with pods; where there is none, the latest; nil where there are several.
func activeOrLatest(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) *appsv1.ReplicaSet {
	switch sets := active(with(old, fresh)); {
	case len(sets) == 1:
		return sets[0]
	case len(sets) > 1:
		return nil
	case fresh != nil:
		return fresh
	case len(old) > 0:
		return slices.MaxFunc(old, olderFirst)
	}
	return nil
}

// saturated says whether the present ReplicaSet has all the replicas, and all are available.
func saturated(d *appsv1.Deployment, rs *appsv1.ReplicaSet) bool {
	if rs == nil {
		return false
	}
	desired, ok := replicasAnnotation(rs, desiredReplicasAnnotation)
	return ok && *rs.Spec.Replicas == *d.Spec.Replicas && desired == *d.Spec.Replicas &&
		rs.Status.AvailableReplicas == *d.Spec.Replicas
}

// proportions sorts the ReplicaSets of a rollout from the largest, and returns the size of each after the
// Deployment's has changed. Of two of the same size the newer one grows first, the older one shrinks first.
func proportions(d *appsv1.Deployment, sets []*appsv1.ReplicaSet) []int32 {
	allowed := int32(0)
	if *d.Spec.Replicas > 0 {
		allowed = *d.Spec.Replicas + maxSurge(d)
	}
	toAdd := allowed - wanted(sets)
	slices.SortStableFunc(sets, func(a, b *appsv1.ReplicaSet) int {
		age := olderFirst(a, b)
		if toAdd > 0 {
			age = -age
		}
		if toAdd == 0 {
			return 0
		}
		return cmp.Or(cmp.Compare(*b.Spec.Replicas, *a.Spec.Replicas), age)
	})
	sizes, added := make([]int32, len(sets)), int32(0)
	for i, rs := range sets {
		share := proportion(d, rs, toAdd, added)
		sizes[i] = *rs.Spec.Replicas + share
		added += share
	}
	if toAdd != 0 && len(sizes) > 0 { // what rounding has left over, the largest takes
		sizes[0] = max(0, sizes[0]+toAdd-added)
	}
	return sizes
}

// proportion is how many of the replicas to add (or, negative, to remove) one ReplicaSet takes.
func proportion(d *appsv1.Deployment, rs *appsv1.ReplicaSet, toAdd, added int32) int32 {
	if *rs.Spec.Replicas == 0 || toAdd == 0 || toAdd == added {
		return 0
	}
	share := fraction(d, rs)
	if toAdd > 0 {
		return min(share, toAdd-added)
	}
	return max(share, toAdd-added)
}

// fraction is by how much a ReplicaSet would grow if it kept its part of the whole.
func fraction(d *appsv1.Deployment, rs *appsv1.ReplicaSet) int32 {
	size := *rs.Spec.Replicas
	if *d.Spec.Replicas == 0 {
		return -size
	}
	before, ok := replicasAnnotation(rs, maxReplicasAnnotation)
	if !ok || before == 0 {
		if before = d.Status.Replicas; before == 0 {
			return 0
		}
	}
	return int32(math.Round(float64(size*(*d.Spec.Replicas+maxSurge(d)))/float64(before))) - size
}
