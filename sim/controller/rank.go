package controller

import (
	"math"
	"sort"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ranking orders pods by how gladly they are deleted when there are too many
// (pkg/controller/controller_utils.go, ActivePodsWithRanks).
type ranking struct {
	pods   []*corev1.Pod
	onNode map[string]int // related active pods, by node
	now    time.Time
}

// rank sorts pods, those to delete first. related are the pods of all ReplicaSets of the same owner.
func rank(pods, related []*corev1.Pod, now time.Time) {
	r := ranking{pods: pods, onNode: map[string]int{}, now: now}
	for _, p := range related {
		if podActive(p) {
			r.onNode[p.Spec.NodeName]++
		}
	}
	sort.Stable(r)
}

func (r ranking) Len() int           { return len(r.pods) }
func (r ranking) Swap(i, j int)      { r.pods[i], r.pods[j] = r.pods[j], r.pods[i] }
func (r ranking) Less(i, j int) bool { return r.before(r.pods[i], r.pods[j]) }

// The eight rules, in their order; the first that tells two pods apart decides.
func (r ranking) before(a, b *corev1.Pod) bool {
	if (a.Spec.NodeName == "") != (b.Spec.NodeName == "") { // 1. not placed < placed
		return a.Spec.NodeName == ""
	}
	if x, y := phaseRank(a), phaseRank(b); x != y { // 2. pending < unknown < running
		return x < y
	}
	if x, y := podReady(a), podReady(b); x != y { // 3. not ready < ready
		return !x
	}
	if x, y := deletionCost(a), deletionCost(b); x != y { // 4. lower cost < higher cost
		return x < y
	}
	if x, y := r.onNode[a.Spec.NodeName], r.onNode[b.Spec.NodeName]; x != y { // 5. doubled up < alone on its node
		return x > y
	}
	if podReady(a) { // 6. ready for a shorter time < for a longer one
		if first, told := r.younger(a, b, readySince(a), readySince(b)); told {
			return first
		}
	}
	if x, y := restarts(a), restarts(b); x != y { // 7. more restarts < fewer
		return x[0] > y[0] || x[0] == y[0] && x[1] > y[1]
	}
	// 8. created later < earlier
	first, _ := r.younger(a, b, a.CreationTimestamp.Time, b.CreationTimestamp.Time)
	return first
}

// younger compares two moments by the logarithm of their age, so that pods of about
// the same age are told apart by their UID, which is random; told is false where the moments are equal.
func (r ranking) younger(a, b *corev1.Pod, x, y time.Time) (first, told bool) {
	if x.Equal(y) {
		return false, false
	}
	if x.IsZero() || y.IsZero() {
		return x.IsZero(), true
	}
	if i, j := logAge(r.now, x), logAge(r.now, y); i != j {
		return i < j, true
	}
	return a.UID < b.UID, true
}

// logAge is the whole binary logarithm of an age in nanoseconds; −1 for none.
func logAge(now, t time.Time) int64 {
	age := now.Sub(t)
	if age <= 0 {
		return -1
	}
	return int64(math.Log2(float64(age)))
}

func phaseRank(pod *corev1.Pod) int {
	switch pod.Status.Phase {
	case corev1.PodUnknown:
		return 1
	case corev1.PodRunning:
		return 2
	}
	return 0
}

// deletionCost is the annotation controller.kubernetes.io/pod-deletion-cost; 0 where it is none or not a number.
func deletionCost(pod *corev1.Pod) int64 {
	v := pod.Annotations[corev1.PodDeletionCost]
	if v == "" || v[0] == '+' || v[0] == '0' && v != "0" {
		return 0
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil {
		return 0
	}
	return n
}

func readySince(pod *corev1.Pod) time.Time {
	if c := podCondition(&pod.Status, corev1.PodReady); c != nil {
		return c.LastTransitionTime.Time
	}
	return time.Time{}
}

// restarts are the most restarts of a pod's containers, and of its sidecars.
func restarts(pod *corev1.Pod) (n [2]int32) {
	for _, c := range pod.Status.ContainerStatuses {
		n[0] = max(n[0], c.RestartCount)
	}
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
			continue
		}
		for _, s := range pod.Status.InitContainerStatuses {
			if s.Name == c.Name {
				n[1] = max(n[1], s.RestartCount)
			}
		}
	}
	return n
}
