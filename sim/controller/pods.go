package controller

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podCondition is a pod's condition of a type, or nil.
func podCondition(status *corev1.PodStatus, t corev1.PodConditionType) *corev1.PodCondition {
	for i := range status.Conditions {
		if status.Conditions[i].Type == t {
			return &status.Conditions[i]
		}
	}
	return nil
}

func podReady(pod *corev1.Pod) bool {
	c := podCondition(&pod.Status, corev1.PodReady)
	return c != nil && c.Status == corev1.ConditionTrue
}

// podAvailable says whether a pod has been ready for minReadySeconds (podutil.IsPodAvailable).
func podAvailable(pod *corev1.Pod, minReadySeconds int32, now time.Time) bool {
	c := podCondition(&pod.Status, corev1.PodReady)
	if c == nil || c.Status != corev1.ConditionTrue {
		return false
	}
	if minReadySeconds == 0 {
		return true
	}
	since := c.LastTransitionTime
	return !since.IsZero() && !since.Add(time.Duration(minReadySeconds)*time.Second).After(now)
}

func podTerminal(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// podActive says whether a pod counts as a replica: neither finished nor being deleted.
func podActive(pod *corev1.Pod) bool { return !podTerminal(pod) && pod.DeletionTimestamp == nil }

// podTerminating says whether a pod is being deleted and has not finished yet.
func podTerminating(pod *corev1.Pod) bool { return !podTerminal(pod) && pod.DeletionTimestamp != nil }

// setPodCondition sets a condition, and its moment where the status changes; it
// returns whether anything changed (podutil.UpdatePodCondition).
func setPodCondition(status *corev1.PodStatus, c corev1.PodCondition, now metav1.Time) bool {
	c.LastTransitionTime = now
	old := podCondition(status, c.Type)
	if old == nil {
		status.Conditions = append(status.Conditions, c)
		return true
	}
	if old.Status == c.Status {
		c.LastTransitionTime = old.LastTransitionTime
	}
	same := old.Status == c.Status && old.Reason == c.Reason && old.Message == c.Message &&
		old.LastProbeTime.Equal(&c.LastProbeTime) && old.LastTransitionTime.Equal(&c.LastTransitionTime)
	*old = c
	return !same
}
