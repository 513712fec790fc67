package controller

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// count counts pods into the status. Those to be made do not count, and those that are terminating only in all.
func (s *setSync) count(lists ...[]*corev1.Pod) {
	st := &s.status
	st.Replicas, st.ReadyReplicas, st.AvailableReplicas, st.CurrentReplicas, st.UpdatedReplicas = 0, 0, 0, 0, 0
	for _, pods := range lists {
		for _, pod := range pods {
			if !podMade(pod) {
				continue
			}
			st.Replicas++
			if podRunningReady(pod) {
				st.ReadyReplicas++
				if podAvailable(pod, s.set.Spec.MinReadySeconds, s.now) {
					st.AvailableReplicas++
				}
			}
			if pod.DeletionTimestamp != nil {
				continue
			}
			if revisionOfPod(pod) == s.current.Name {
				st.CurrentReplicas++
			}
			if revisionOfPod(pod) == s.update.Name {
				st.UpdatedReplicas++
			}
		}
	}
}

// saveStatus stores the status. An update is complete once all pods are ready and of the new revision: it is the
// current one from then on.
func (s *setSync) saveStatus() error {
	st, want := &s.status, *s.set.Spec.Replicas
	if st.UpdatedReplicas == want && st.ReadyReplicas == want && st.Replicas == want {
		st.CurrentReplicas, st.CurrentRevision = st.UpdatedReplicas, st.UpdateRevision
	}
	if equality.Semantic.DeepEqual(s.set.Status, *st) {
		return nil
	}
	fresh := *s.set // shallow: only the status is set, and that is new
	fresh.Status = *st
	_, err := s.Client.UpdateStatus(&fresh)
	return err
}
