package scheduler

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"timonier/sim/apiserver"
)

// Observe is the scheduler's watch (Kubernetes 1.37 pkg/scheduler/eventhandlers.go). It keeps the books, and
// moves waiting pods that a change may help; it decides nothing.
func (s *Scheduler) Observe(e apiserver.Event) {
	switch o := e.New.(type) {
	case *v1.Node:
		old, _ := e.Old.(*v1.Node)
		s.observeNode(e.Type, old, o)
	case *v1.Pod:
		old, _ := e.Old.(*v1.Pod)
		if e.Type == watch.Deleted {
			s.observePod(o, nil)
		} else {
			s.observePod(old, o)
		}
	default:
		if e.Type == watch.Deleted {
			s.snapshot.Remove(o)
		} else {
			s.snapshot.Put(o)
		}
		if !ofStorage(o) {
			return
		}
		s.stir(&change{event: storageChanged})
	}
	s.wake(apiserver.WatchLatency)
}

func (s *Scheduler) observeNode(kind watch.EventType, old, node *v1.Node) {
	switch kind {
	case watch.Added:
		s.snapshot.Put(node)
		s.stir(&change{event: nodeAdded, node: node})
	case watch.Modified:
		s.snapshot.Put(node)
		for _, event := range nodeEvents(old, node) {
			s.stir(&change{event: event, oldNode: old, node: node})
		}
	case watch.Deleted:
		s.stir(&change{event: nodeDeleted, oldNode: node})
		s.snapshot.Remove(node)
	}
}

// observePod follows a pod from old to pod; nil: it was not there, or is no longer.
// Finished pods are as good as gone.
func (s *Scheduler) observePod(old, pod *v1.Pod) {
	if old != nil && finished(old) {
		old = nil
	}
	if pod != nil && finished(pod) {
		if old == nil {
			return
		}
		pod = nil
	}
	switch {
	case pod == nil && old == nil:
	case pod == nil && old.Spec.NodeName != "":
		s.snapshot.unplace(old.UID)
		s.waiting.drop(old.UID)
		s.stir(&change{event: podGone, oldPod: old})
	case pod == nil:
		s.dropWaiting(old)
	case pod.Spec.NodeName != "":
		s.observePlaced(old, pod)
	case !ours(pod):
	case old == nil || s.waiting.entries[pod.UID] == nil:
		s.enqueue(pod)
	default:
		s.updateWaiting(old, pod)
	}
}

// ours says that this scheduler is the one to place the pod.
func ours(pod *v1.Pod) bool {
	return pod.Spec.SchedulerName == "" || pod.Spec.SchedulerName == v1.DefaultSchedulerName
}

func (s *Scheduler) observePlaced(old, pod *v1.Pod) {
	s.snapshot.Put(pod)
	if old == nil || old.Spec.NodeName == "" {
		s.waiting.drop(pod.UID)
		s.denominate(pod)
		s.stir(&change{event: podPlaced, pod: pod})
		return
	}
	if s.waiting.idle == 0 {
		return
	}
	for _, event := range podEvents(old, pod) {
		s.stir(&change{event: event, oldPod: old, pod: pod})
	}
}

func (s *Scheduler) enqueue(pod *v1.Pod) {
	e := s.waiting.add(newPodInfo(pod), s.queue.Now(), s.cause())
	s.nominate(e.info, pod.Status.NominatedNodeName)
}

// updateWaiting follows a change of a pod that waits.
func (s *Scheduler) updateWaiting(old, pod *v1.Pod) {
	e := s.waiting.entries[pod.UID]
	info := newPodInfo(pod)
	s.renominate(e.info, info)
	e.info = info
	if e.in == unplaced {
		for _, event := range ownEvents(old, pod) {
			if s.cycle.worthTrying(e, &change{event: event, oldPod: old, pod: pod}) {
				e.cause = s.cause()
				s.waiting.again(e, s.queue.Now())
				break
			}
		}
	}
	if was := old.Status.NominatedNodeName; was != "" && was != pod.Status.NominatedNodeName {
		s.stirLesser(old, info.priority)
	}
}

// renominate follows a pod's nomination. One that is noted, but not in the pod yet, stays.
func (s *Scheduler) renominate(old, info *podInfo) {
	node := info.pod.Status.NominatedNodeName
	if node == "" && old.pod.Status.NominatedNodeName == "" {
		node = s.snapshot.nominatedTo(old.pod)
	}
	s.denominate(old.pod)
	s.nominate(info, node)
}

// nominatedTo is the node on which room is made for a pod; "": none.
func (s *Snapshot) nominatedTo(pod *v1.Pod) string {
	for node, list := range s.nominated {
		for _, p := range list {
			if p.pod.UID == pod.UID {
				return node
			}
		}
	}
	return ""
}

// dropWaiting forgets a pod that was deleted before it was placed.
func (s *Scheduler) dropWaiting(pod *v1.Pod) {
	s.denominate(pod)
	s.waiting.drop(pod.UID)
	s.snapshot.unplace(pod.UID)
	if pod.Status.NominatedNodeName != "" {
		s.stirLesser(pod, newPodInfo(pod).priority)
	}
}

// stir has the waiting pods tried again that a change may help.
func (s *Scheduler) stir(ch *change) { s.stirIf(ch, func(*entry) bool { return true }) }

// stirLesser is for a pod that gives up a place it never took: only pods that are no more important had reckoned with it.
func (s *Scheduler) stirLesser(pod *v1.Pod, priority int32) {
	s.stirIf(&change{event: podGone, oldPod: pod}, func(e *entry) bool { return e.info.priority <= priority })
}

func (s *Scheduler) stirIf(ch *change, is func(*entry) bool) {
	if s.waiting.idle == 0 {
		return
	}
	now, cause := s.queue.Now(), s.cause()
	for _, e := range s.waiting.entries { // in any order: where each ends up depends on it alone
		if e.in == unplaced && is(e) && s.cycle.worthTrying(e, ch) {
			e.cause = cause
			s.waiting.again(e, now)
		}
	}
}
