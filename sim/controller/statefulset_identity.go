package controller

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// ordinalOf takes a pod's name apart: that of its set, and its number; −1 where it has none. Leading zeros count
// for nothing, as in the real one.
func ordinalOf(pod *corev1.Pod) (set string, ordinal int) {
	i := strings.LastIndexByte(pod.Name, '-')
	if i < 0 || i == len(pod.Name)-1 || strings.Trim(pod.Name[i+1:], "0123456789") != "" {
		return "", -1
	}
	n, err := strconv.ParseInt(pod.Name[i+1:], 10, 32)
	if err != nil {
		return pod.Name[:i], -1
	}
	return pod.Name[:i], int(n)
}

func isMember(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	parent, _ := ordinalOf(pod)
	return parent == set.Name
}

// firstOrdinal is the number of the first pod.
func firstOrdinal(set *appsv1.StatefulSet) int {
	if set.Spec.Ordinals != nil {
		return int(set.Spec.Ordinals.Start)
	}
	return 0
}

// wantsOrdinal says whether the pod of a number is among those wanted.
func wantsOrdinal(set *appsv1.StatefulSet, ordinal int) bool {
	start := firstOrdinal(set)
	return ordinal >= start && ordinal < start+int(*set.Spec.Replicas)
}

// podOf is the pod of a number, of the set's template: with the host name, the labels and the volumes that are its own.
func podOf(set *appsv1.StatefulSet, ordinal int, revision string) *corev1.Pod {
	pod := podFrom(&set.Spec.Template, set, statefulSetKind())
	pod.GenerateName, pod.Name = podPrefix(set.Name), fmt.Sprintf("%s-%d", set.Name, ordinal)
	pod.Labels = maps.Clone(pod.Labels)
	identify(pod, ordinal)
	pod.Labels[appsv1.StatefulSetRevisionLabel] = revision
	pod.Spec.Hostname, pod.Spec.Subdomain = pod.Name, set.Spec.ServiceName
	pod.Spec.Volumes = claimVolumes(set, ordinal, pod.Spec.Volumes)
	return pod
}

// identify gives a pod the labels of its number.
func identify(pod *corev1.Pod, ordinal int) {
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	pod.Labels[appsv1.StatefulSetPodNameLabel] = pod.Name
	pod.Labels[appsv1.PodIndexLabel] = strconv.Itoa(ordinal)
}

// identified says whether a pod is what its name says.
func identified(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	parent, ordinal := ordinalOf(pod)
	return ordinal >= 0 && parent == set.Name && pod.Name == fmt.Sprintf("%s-%d", set.Name, ordinal) &&
		pod.Labels[appsv1.StatefulSetPodNameLabel] == pod.Name
}

// burstPlaces is how many free places of a set without an order are filled at once. The real controller tries all,
// and has the memory for as many pods as anyone may ask for.
const burstPlaces = 500

// arrange sorts the set's pods: those in their places, with those to be made in the first places that are free, and
// those that are too many. A place below the partition gets a pod of the revision that was.
func (s *setSync) arrange() {
	start, free := firstOrdinal(s.set), burstPlaces
	if s.ordered() {
		free = 1 // the next has to wait for it
	}
	placed := map[int]*corev1.Pod{}
	for _, pod := range s.pods {
		_, ordinal := ordinalOf(pod)
		switch {
		case wantsOrdinal(s.set, ordinal):
			placed[ordinal] = pod
		case ordinal >= 0:
			s.condemned = append(s.condemned, pod)
		}
	}
	slices.SortStableFunc(s.condemned, func(a, b *corev1.Pod) int {
		_, x := ordinalOf(a)
		_, y := ordinalOf(b)
		return y - x
	})
	taken := slices.Sorted(maps.Keys(placed))
	for i := start; i < start+s.wanted(); i++ {
		switch {
		case len(taken) > 0 && taken[0] == i:
			s.replicas, taken = append(s.replicas, placed[i]), taken[1:]
		case free > 0:
			free--
			s.replicas = append(s.replicas, s.made(i))
		case len(taken) > 0:
			i = taken[0] - 1
		default:
			return
		}
	}
}

// wanted is how many pods there are to be.
func (s *setSync) wanted() int { return int(*s.set.Spec.Replicas) }

// made is the pod to be made in a place.
func (s *setSync) made(ordinal int) *corev1.Pod {
	if ordinal-firstOrdinal(s.set) < s.ofCurrentRevision() {
		return podOf(s.currentSet, ordinal, s.current.Name)
	}
	return podOf(s.updateSet, ordinal, s.update.Name)
}

// ofCurrentRevision is how many pods, from the first, are made of the revision that was, not of the one that is.
func (s *setSync) ofCurrentRevision() int {
	strategy := s.currentSet.Spec.UpdateStrategy
	switch {
	case strategy.RollingUpdate != nil && strategy.RollingUpdate.Partition != nil:
		return int(*strategy.RollingUpdate.Partition)
	case strategy.RollingUpdate == nil && strategy.Type == appsv1.RollingUpdateStatefulSetStrategyType:
		return int(s.currentSet.Status.CurrentReplicas)
	}
	return 0
}

func podMade(pod *corev1.Pod) bool { return pod.Status.Phase != "" }

func podRunningReady(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodRunning && podReady(pod)
}

// unavailable says whether a pod is not there for its users, or soon will not be.
func (s *setSync) unavailable(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp != nil || !podAvailable(pod, s.set.Spec.MinReadySeconds, s.now)
}
