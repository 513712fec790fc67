package controller

import (
	"fmt"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/sim/trace"
)

// fill sees to each place in turn. In an ordered set the next one waits until this one's pod is Running and Ready,
// for as long as minReadySeconds says.
func (s *setSync) fill() (bool, error) {
	missing, there := 0, 0
	for _, pod := range s.replicas {
		if podMade(pod) {
			there++
		} else {
			missing++
		}
	}
	if missing > 1 && !s.ordered() {
		var done bool
		err := s.decide(trace.Decision{What: CreatePods, Desired: int64(s.wanted()), Actual: int64(there), Count: int64(missing)},
			func() (err error) {
				done, err = s.each(s.replicas, func(pod *corev1.Pod) (bool, error) { return s.tend(pod, s.create) })
				return err
			})
		return done, err
	}
	return s.each(s.replicas, func(pod *corev1.Pod) (bool, error) {
		return s.tend(pod, func(pod *corev1.Pod) error {
			_, ordinal := ordinalOf(pod)
			d := trace.Decision{What: CreateOrdinal, Desired: int64(s.wanted()), Actual: int64(there), Count: 1,
				Target: refTo("Pod", pod), Note: strconv.Itoa(ordinal)}
			return s.decide(d, func() error { return s.create(pod) })
		})
	})
}

func (s *setSync) decide(d trace.Decision, do func() error) error {
	return s.decided(statefulSetController, refTo("StatefulSet", s.set), d, do)
}

// tend sees to one place (stateful_set_control.go, processReplica). It says whether the others have to wait.
func (s *setSync) tend(pod *corev1.Pod, create func(*corev1.Pod) error) (bool, error) {
	if podTerminal(pod) { // whatever its exit code; the next sync makes another, once it is gone
		if pod.DeletionTimestamp != nil {
			return true, nil
		}
		return true, s.remove(pod, ReplacePod, string(pod.Status.Phase))
	}
	if !podMade(pod) {
		if s.claimIsStale(pod) {
			return true, nil
		}
		if err := create(pod); err != nil || s.ordered() {
			return true, err
		}
	}
	if pod.Status.Phase == corev1.PodPending {
		if err := s.makeClaims(pod); err != nil {
			return true, err
		}
	}
	if s.ordered() && (pod.DeletionTimestamp != nil || !podRunningReady(pod) || !podAvailable(pod, s.set.Spec.MinReadySeconds, s.now)) {
		return true, nil
	}
	if identified(s.set, pod) && hasClaimVolumes(s.set, pod) && s.claimsFollowPolicy(s.updateSet, pod) {
		return false, nil
	}
	err := s.repair(pod.DeepCopy())
	return err != nil, err
}

// create makes the pod of a place, its claims first.
func (s *setSync) create(pod *corev1.Pod) error {
	err := s.createClaims(pod)
	if err != nil {
		s.tell("create", pod, err)
		return err
	}
	made, err := s.Client.Create(pod)
	if apierrors.IsAlreadyExists(err) { // someone else's, or not seen yet: nobody is told
		return err
	}
	if err == nil {
		pod = made.(*corev1.Pod)
	}
	if policyErr := s.followPolicy(s.set, pod); policyErr != nil {
		s.tell("update", pod, policyErr)
		return policyErr
	}
	s.tell("create", pod, err)
	return err
}

// repair gives a pod back what makes it the one of its number.
func (s *setSync) repair(pod *corev1.Pod) error {
	err := func() error {
		_, ordinal := ordinalOf(pod)
		identify(pod, ordinal)
		if !hasClaimVolumes(s.updateSet, pod) {
			pod.Spec.Volumes = claimVolumes(s.updateSet, ordinal, pod.Spec.Volumes)
			if err := s.createClaims(pod); err != nil {
				return err
			}
		}
		if err := s.followPolicy(s.updateSet, pod); err != nil {
			return err
		}
		return s.decide(trace.Decision{What: RepairPod, Count: 1, Target: refTo("Pod", pod)}, func() error {
			_, err := s.Client.Update(pod)
			return err
		})
	}()
	s.tell("update", pod, err)
	return err
}

// tell emits the event of something done to a pod: create, update or delete.
func (s *setSync) tell(verb string, pod *corev1.Pod, err error) {
	titles := map[string]string{"create": "Create", "update": "Update", "delete": "Delete"}
	if err == nil {
		s.Client.Emit(s.set, corev1.EventTypeNormal, "Successful"+titles[verb],
			fmt.Sprintf("%s Pod %s in StatefulSet %s successful", titles[verb], pod.Name, s.set.Name))
		return
	}
	s.Client.Emit(s.set, corev1.EventTypeWarning, "Failed"+titles[verb],
		fmt.Sprintf("%s Pod %s in StatefulSet %s failed error: %s", titles[verb], pod.Name, s.set.Name, err))
}

// remove deletes a pod; why is a decision, note what its sentence needs.
func (s *setSync) remove(pod *corev1.Pod, why, note string) error {
	return s.decide(trace.Decision{What: why, Desired: int64(s.wanted()), Actual: int64(s.status.Replicas), Count: 1,
		Target: refTo("Pod", pod), Note: note}, func() error {
		err := s.Client.Delete(pod, metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			err = nil
		}
		s.tell("delete", pod, err)
		return err
	})
}

// shrink ends the pods that are too many, from the highest ordinal. In an ordered set one at a time, and none while
// another is not available, but that one itself (processCondemned).
func (s *setSync) shrink() (bool, error) {
	var firstUnavailable *corev1.Pod
	for i := len(s.condemned) - 1; i >= 0; i-- {
		if firstUnavailable == nil && s.unavailable(s.condemned[i]) {
			firstUnavailable = s.condemned[i]
		}
	}
	for i := len(s.replicas) - 1; i >= 0; i-- {
		if s.unavailable(s.replicas[i]) {
			firstUnavailable = s.replicas[i]
		}
	}
	return s.each(s.condemned, func(pod *corev1.Pod) (bool, error) {
		if pod.DeletionTimestamp != nil {
			return true, nil
		}
		ready := podRunningReady(pod) && podAvailable(pod, s.set.Spec.MinReadySeconds, s.now)
		if !ready && s.ordered() && pod != firstUnavailable {
			return true, nil
		}
		_, ordinal := ordinalOf(pod)
		return true, s.remove(pod, DeleteOrdinal, strconv.Itoa(ordinal))
	})
}

// roll replaces pods of an old revision, from the highest ordinal down to the partition, as long as no more than
// maxUnavailable are missing (updateStatefulSetAfterInvariantEstablished).
func (s *setSync) roll() error {
	if s.set.Spec.UpdateStrategy.Type != appsv1.RollingUpdateStatefulSetStrategyType {
		return nil
	}
	partition, budget := 0, 1
	if r := s.set.Spec.UpdateStrategy.RollingUpdate; r != nil {
		if r.Partition != nil {
			partition = int(*r.Partition)
		}
		n, err := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(r.MaxUnavailable, intstr.FromInt32(1)), s.wanted(), false)
		if err != nil {
			return err
		}
		budget = max(1, n)
	}
	budget -= s.wanted() - len(s.replicas) // those whose turn to be made has not come
	for _, pod := range s.replicas {
		if s.unavailable(pod) {
			budget--
		}
	}
	if s.ordered() {
		return s.replace(partition, budget, func(pod *corev1.Pod) bool { return pod.DeletionTimestamp == nil })
	}
	// Old pods that serve nobody cost nothing; then as many of the others as may be missing.
	err := s.replace(partition, len(s.replicas), func(pod *corev1.Pod) bool {
		return pod.DeletionTimestamp == nil && s.unavailable(pod)
	})
	if err != nil {
		return err
	}
	return s.replace(partition, budget, func(pod *corev1.Pod) bool { return !s.unavailable(pod) })
}

// replace deletes at most count old pods that may go.
func (s *setSync) replace(partition, count int, mayGo func(*corev1.Pod) bool) error {
	for _, pod := range slices.Backward(s.replicas) {
		if _, ordinal := ordinalOf(pod); ordinal-firstOrdinal(s.set) < partition || count <= 0 {
			return nil
		}
		if revisionOfPod(pod) == s.update.Name || !mayGo(pod) {
			continue
		}
		if err := s.remove(pod, UpdatePod, s.update.Name); err != nil {
			return err
		}
		s.status.CurrentReplicas--
		count--
	}
	return nil
}
