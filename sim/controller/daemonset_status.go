package controller

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// saveStatus counts the nodes: those that are to have a pod, and of these those that have one, and how it is; and
// those that have one and are not to (updateDaemonSetStatus). Of several pods on a node the oldest counts.
func (s *daemonSync) saveStatus() error {
	on, err := s.onNodes(false)
	if err != nil {
		return err
	}
	status := appsv1.DaemonSetStatus{ObservedGeneration: s.set.Generation,
		CollisionCount: s.set.Status.CollisionCount, Conditions: s.set.Status.Conditions}
	for _, node := range s.nodes {
		run, _ := s.rule.on(node)
		pods := on[node.Name]
		switch {
		case !run && len(pods) > 0:
			status.NumberMisscheduled++
		case run:
			status.DesiredNumberScheduled++
		}
		if !run || len(pods) == 0 {
			continue
		}
		status.CurrentNumberScheduled++
		pod := slices.MinFunc(pods, oldestFirst)
		if podReady(pod) {
			status.NumberReady++
			if s.available(pod) {
				status.NumberAvailable++
			}
		}
		if s.updated(pod) {
			status.UpdatedNumberScheduled++
		}
	}
	status.NumberUnavailable = status.DesiredNumberScheduled - status.NumberAvailable
	if !equality.Semantic.DeepEqual(s.set.Status, status) {
		fresh := *s.set // shallow: only the status is set, and that is new
		fresh.Status = status
		if _, err := s.Client.UpdateStatus(&fresh); err != nil {
			return err
		}
	}
	if s.set.Spec.MinReadySeconds > 0 && status.NumberReady != status.NumberAvailable {
		s.Queue.Add(keyOf(s.set), time.Duration(s.set.Spec.MinReadySeconds)*time.Second)
	}
	return nil
}
