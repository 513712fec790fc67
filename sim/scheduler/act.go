package scheduler

import (
	"fmt"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// bind places a pod on the node chosen: first in the scheduler's own books, so that
// the next decision reckons with it, then through the API.
func (s *Scheduler) bind(e *entry, n *nodeInfo, now time.Time) {
	pod := e.pod()
	if s.trace != nil {
		v := s.cycle.verdict(s.detailed())
		v.Outcome, v.Node, v.Attempts = Scheduled, n.name, e.attempts
		defer s.record(trace.Scheduled, pod, v, now)()
	}
	s.denominate(pod)
	s.snapshot.place(e.info, n.name)
	if err := s.api.Bind(pod, n.name); err != nil {
		s.snapshot.unplace(pod.UID)
		s.stir(&change{event: podGone, oldPod: pod})
		if s.waiting.entries[pod.UID] == e {
			s.report(e, 0, "SchedulerError", fmt.Sprintf("running Bind plugin %q: %v", "DefaultBinder", err), clearNomination(), now)
		}
		return
	}
	s.waiting.drop(pod.UID)
	s.api.Emit(pod, v1.EventTypeNormal, "Scheduled", fmt.Sprintf("Successfully assigned %v/%v to %v", pod.Namespace, pod.Name, n.name))
}

// detailed says whether a verdict is worth its details. With so many pods still to come the trace will have dropped it
// before anyone can read it: each leaves five steps or more, of the trace.Keep that are kept.
func (s *Scheduler) detailed() bool {
	return s.Detail && s.trace != nil && len(s.waiting.queues[active].list) < trace.Keep/5
}

// leave has a pod wait for which no node fits, and makes room for it where it may.
func (s *Scheduler) leave(e *entry, now time.Time) {
	c, pod := s.cycle, e.pod()
	v := c.verdict(s.detailed())
	v.Attempts = e.attempts
	room := c.unplaced(v)
	kind, nomination := trace.Unplaced, clearNomination()
	switch {
	case room != nil:
		kind, nomination = trace.Preempted, &room.node.name
	case c.outright != nil || c.ineligible:
		nomination = nil // stays as it is
	}
	defer s.record(kind, pod, v, now)()
	s.report(e, c.rejectors(), v1.PodReasonUnschedulable, v.Message, nomination, now)
	if room != nil {
		s.evict(e, room, now)
	}
}

func clearNomination() *string { return new(string) }

// report puts a pod back into the queue and says why: an event, and the pod's
// condition. The nomination is the node that room is made on for it, "" none; nil: as it was.
// (Kubernetes 1.37 pkg/scheduler/schedule_one.go, handleSchedulingFailure.)
func (s *Scheduler) report(e *entry, rejectors pluginSet, reason, message string, nomination *string, now time.Time) {
	pod := e.pod()
	s.waiting.failed(e, rejectors, now)
	if e.in == unplaced {
		s.queue.Add(taskFlush, longestUnplaced)
	}
	if nomination != nil {
		s.denominate(pod)
		s.nominate(e.info, *nomination)
	}
	s.api.Emit(pod, v1.EventTypeWarning, "FailedScheduling", eventNote(message))

	status := pod.DeepCopy()
	changed := setCondition(&status.Status, v1.PodCondition{Type: v1.PodScheduled, ObservedGeneration: pod.Generation,
		Status: v1.ConditionFalse, Reason: reason, Message: message}, now)
	if nomination != nil && status.Status.NominatedNodeName != *nomination {
		status.Status.NominatedNodeName, changed = *nomination, true
	}
	if changed {
		// A pod that has gone meanwhile needs no condition: that is all that can go wrong.
		_, _ = s.api.UpdateStatus(status)
	}
}

// setCondition sets a condition of a pod, and says whether that changed anything
// (Kubernetes 1.37 pkg/api/v1/pod/util.go, UpdatePodCondition).
func setCondition(status *v1.PodStatus, k v1.PodCondition, now time.Time) bool {
	k.LastTransitionTime = metav1.NewTime(now).Rfc3339Copy()
	i := slices.IndexFunc(status.Conditions, func(old v1.PodCondition) bool { return old.Type == k.Type })
	if i < 0 {
		status.Conditions = append(status.Conditions, k)
		return true
	}
	old := status.Conditions[i]
	if old.Status == k.Status {
		k.LastTransitionTime = old.LastTransitionTime
	}
	status.Conditions[i] = k
	return old.Status != k.Status || old.Reason != k.Reason || old.Message != k.Message ||
		!old.LastProbeTime.Equal(&k.LastProbeTime) || !old.LastTransitionTime.Equal(&k.LastTransitionTime)
}

// evict deletes the victims, and takes the place from less important pods that it was promised
// to (Kubernetes 1.37 pkg/scheduler/framework/preemption/executor.go).
func (s *Scheduler) evict(e *entry, room *victims, now time.Time) {
	preemptor, node := e.pod(), room.node.name
	for _, p := range slices.Clone(s.snapshot.nominated[node]) {
		if p.priority < e.info.priority && p.pod.Status.NominatedNodeName != "" {
			other := p.pod.DeepCopy()
			other.Status.NominatedNodeName = ""
			_, _ = s.api.UpdateStatus(other) // gone meanwhile: nothing to take back
		}
	}
	for _, p := range room.pods {
		if p.pod.DeletionTimestamp != nil {
			continue // it is on its way out already
		}
		victim := p.pod.DeepCopy()
		var o apiserver.Object = victim
		if setCondition(&victim.Status, v1.PodCondition{Type: v1.DisruptionTarget, ObservedGeneration: victim.Generation,
			Status: v1.ConditionTrue, Reason: v1.PodReasonPreemptionByScheduler,
			Message: preemptor.Spec.SchedulerName + ": preempting to accommodate a higher priority pod"}, now) {
			stored, err := s.api.UpdateStatus(victim)
			if err != nil {
				continue // it is gone; were it not, the pod would be tried again and find it
			}
			if stored != nil {
				o = stored
			}
		}
		if err := s.api.Delete(o, metav1.DeleteOptions{}); err != nil {
			continue
		}
		s.api.Emit(o, v1.EventTypeNormal, "Preempted", fmt.Sprintf("Preempted by pod %v on node %v", preemptor.UID, node))
	}
}

// nominate notes that room is made on a node for a pod; denominate that it is no longer.
func (s *Scheduler) nominate(info *podInfo, node string) {
	if node != "" {
		s.snapshot.nominated[node] = append(s.snapshot.nominated[node], info)
	}
}

func (s *Scheduler) denominate(pod *v1.Pod) { s.snapshot.denominate(pod.UID) }

func (s *Snapshot) denominate(uid types.UID) {
	for node, list := range s.nominated { // few: room is seldom made
		i := slices.IndexFunc(list, func(p *podInfo) bool { return p.pod.UID == uid })
		if i < 0 {
			continue
		}
		if list = slices.Delete(slices.Clone(list), i, i+1); len(list) == 0 {
			delete(s.nominated, node)
		} else {
			s.nominated[node] = list
		}
	}
}
