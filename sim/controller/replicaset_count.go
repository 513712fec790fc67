package controller

import (
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
)

// replicaCount is what a ReplicaSet's status says of its pods.
type replicaCount struct{ active, labelled, ready, available, terminating int32 }

// running is a count that the changes of single pods keep up to date, so that a status of a thousand pods does
// not mean looking at a thousand pods. It stands only while all is simple: every pod fits the selector and the
// template's labels, and is available as soon as it is ready. What is not simple drops it, and the next sync
// counts anew.
type running struct {
	replicaCount
	generation int64
	fits       func(labels map[string]string) bool
}

// of is what one pod adds to a running count.
func (replicaCount) of(pod *corev1.Pod) (n replicaCount) {
	switch {
	case podActive(pod):
		n.active, n.labelled = 1, 1
		if podReady(pod) {
			n.ready, n.available = 1, 1
		}
	case podTerminating(pod):
		n.terminating = 1
	}
	return n
}

func (n *replicaCount) add(m replicaCount, sign int32) {
	n.active += sign * m.active
	n.labelled += sign * m.labelled
	n.ready += sign * m.ready
	n.available += sign * m.available
	n.terminating += sign * m.terminating
}

// countPod brings the running count of a pod's ReplicaSet up to date.
func (c *replicaSets) countPod(event watch.EventType, old, pod *corev1.Pod) {
	uid := controllerUID(pod)
	if event == watch.Modified && (controllerUID(old) != uid || !maps.Equal(old.Labels, pod.Labels)) {
		delete(c.running, controllerUID(old))
		delete(c.running, uid)
		return
	}
	n := c.running[uid]
	switch {
	case n == nil:
		return
	case event == watch.Added && !n.fits(pod.Labels):
		delete(c.running, uid)
		return
	case old != nil:
		n.add(n.of(old), -1)
	}
	if event != watch.Deleted {
		n.add(n.of(pod), +1)
	}
}

func controllerUID(pod *corev1.Pod) types.UID {
	if ref := metav1.GetControllerOfNoCopy(pod); ref != nil {
		return ref.UID
	}
	return ""
}

// settled is the running count of a ReplicaSet that needs nothing but its status, if there is one.
func (c *replicaSets) settled(rs *appsv1.ReplicaSet) (replicaCount, bool) {
	n := c.running[rs.UID]
	if n == nil || n.generation != rs.Generation || n.active != *rs.Spec.Replicas || rs.DeletionTimestamp != nil ||
		len(c.orphans[rs.Namespace]) > 0 || len(rs.Status.Conditions) > 0 {
		return replicaCount{}, false
	}
	return n.replicaCount, true
}

// keepCount counts a ReplicaSet's pods as they are after a sync, and lets the count run on where all is simple.
func (c *replicaSets) keepCount(rs *appsv1.ReplicaSet) {
	delete(c.running, rs.UID)
	wanted := rs.Spec.Selector
	if rs.Spec.MinReadySeconds > 0 || wanted == nil || len(wanted.MatchExpressions) > 0 {
		return
	}
	fitsSelector, fitsTemplate := hasLabels(wanted.MatchLabels), hasLabels(rs.Spec.Template.Labels)
	n := &running{generation: rs.Generation, fits: func(l map[string]string) bool { return fitsSelector(l) && fitsTemplate(l) }}
	for pod := range apiserver.Owned[*corev1.Pod](c.Client, rs.UID) {
		if !n.fits(pod.Labels) {
			return
		}
		n.add(n.of(pod), +1)
	}
	c.running[rs.UID] = n
}
