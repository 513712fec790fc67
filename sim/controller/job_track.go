package controller

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// mostUncounted is how many pods one round counts, at most: their UIDs stand in the status meanwhile.
const mostUncounted = 500

// track counts the pods that are over, each exactly once: it notes them in the status, then takes off their
// finalizers, then raises the counters; and it ends the Job when nothing is left to count
// (trackJobStatusAndRemoveFinalizers).
func (r *jobRound) track(flush bool) error {
	indexed := jobIndexed(r.job)
	if indexed {
		slices.SortStableFunc(r.pods, func(a, b *corev1.Pod) int { return completionIndex(a) - completionIndex(b) })
	}
	held := map[types.UID]bool{}
	for _, pod := range r.pods {
		if tracked(pod) {
			held[pod.UID] = true
		}
	}
	flush = r.tally(held) || flush
	over, noted, full := r.note()
	flush = flush || noted
	if indexed {
		flush = r.noteIndexes() || flush
	}
	flush = r.announce() || flush
	if flush {
		if err := r.saveStatus(); err != nil {
			return fmt.Errorf("tracking status: adding uncounted pods to status: %w", err)
		}
	}
	if r.backedOff != (jobBackoff{}) {
		r.backoff[r.job.UID] = r.backedOff
	} else {
		delete(r.backoff, r.job.UID)
	}
	var failed error
	for _, pod := range over {
		if err := r.untrack(pod); err != nil {
			failed = err
			continue
		}
		delete(held, pod.UID)
	}
	flush = r.tally(held)
	finished := failed == nil && !full && r.finish()
	if flush || finished {
		if err := r.saveEnd(finished); err != nil {
			return fmt.Errorf("tracking status: removing uncounted pods from status: %w", err)
		}
	}
	return failed
}

// tally raises the counters by the noted pods that have lost their finalizer.
func (r *jobRound) tally(held map[types.UID]bool) bool {
	s := &r.job.Status
	changed := false
	for _, c := range []struct {
		list *[]types.UID
		n    *int32
	}{{&s.UncountedTerminatedPods.Succeeded, &s.Succeeded}, {&s.UncountedTerminatedPods.Failed, &s.Failed}} {
		var left []types.UID
		for _, uid := range *c.list {
			if held[uid] {
				left = append(left, uid)
			}
		}
		if n := len(*c.list) - len(left); n > 0 {
			*c.n += int32(n)
			*c.list, changed = left, true
		}
	}
	return changed
}

// note lists the pods that are over in the status. It returns those whose finalizers can go, whether the status
// changed, and whether there are more than one round counts.
func (r *jobRound) note() (over []*corev1.Pod, changed, full bool) {
	u := r.job.Status.UncountedTerminatedPods
	listed := 0
	for _, pod := range r.pods {
		if !tracked(pod) || !r.releasable(pod) {
			continue
		}
		over = append(over, pod)
		failed := slices.Contains(u.Failed, pod.UID)
		switch {
		case pod.Status.Phase == corev1.PodSucceeded && !failed:
			if jobIndexed(r.job) { // the index is enough to count it once
				if i := completionIndex(pod); r.validIndex(pod) && !r.was.has(i) {
					r.done, changed = r.done.with(i), true
					listed++
				}
			} else if !slices.Contains(u.Succeeded, pod.UID) {
				u.Succeeded, changed = append(u.Succeeded, pod.UID), true
			}
		case r.podFailed(pod) || r.end != nil && r.end.Type != batchv1.JobSuccessCriteriaMet:
			// When the Job is over, what still runs has failed.
			if !failed && (!jobIndexed(r.job) || r.validIndex(pod)) && r.policy(pod).counts {
				u.Failed, changed = append(u.Failed, pod.UID), true
			}
		}
		if listed+len(u.Succeeded)+len(u.Failed) >= mostUncounted {
			return over, changed, true
		}
	}
	return over, changed, false
}

// releasable says whether a pod's finalizer can go. A failed pod stays until its replacement has taken over its count
// of failures, where each index has its own.
func (r *jobRound) releasable(pod *corev1.Pod) bool {
	if r.job.DeletionTimestamp != nil || r.end != nil || pod.Status.Phase == corev1.PodSucceeded {
		return true
	}
	if !r.podFailed(pod) {
		return false
	}
	kept := r.kept[completionIndex(pod)]
	return kept == nil || kept.UID != pod.UID
}

func (r *jobRound) noteIndexes() (changed bool) {
	s := &r.job.Status
	completed := r.done.String()
	changed = completed != s.CompletedIndexes
	s.Succeeded, s.CompletedIndexes = int32(r.done.total()), completed
	var failed *string
	if r.lost != nil {
		failed = new(r.lost.String())
	}
	if !ptr.Equal(s.FailedIndexes, failed) {
		s.FailedIndexes, changed = failed, true
	}
	return changed
}

// announce writes why the Job ends before its pods are let go, and makes of it the condition that comes last.
func (r *jobRound) announce() (changed bool) {
	switch {
	case r.end == nil:
	case r.end.Type == batchv1.JobFailureTarget:
		r.job.Status.Conditions = append(r.job.Status.Conditions, *r.end)
		r.end = r.condition(batchv1.JobFailed, r.end.Reason, r.end.Message)
		return true
	case r.end.Type == batchv1.JobSuccessCriteriaMet:
		if changed = !jobIs(r.job, batchv1.JobSuccessCriteriaMet); changed {
			r.job.Status.Conditions = append(r.job.Status.Conditions, *r.end)
		}
		r.end = r.condition(batchv1.JobComplete, r.end.Reason, r.end.Message)
	}
	return changed
}

// finish marks the Job complete or failed, once no pod is left to count or to wait for.
func (r *jobRound) finish() bool {
	u := r.job.Status.UncountedTerminatedPods
	if r.end == nil || len(u.Succeeded)+len(u.Failed) > 0 || r.terminating > 0 {
		return false
	}
	r.set(r.end.Type, r.end.Status, r.end.Reason, r.end.Message)
	if r.end.Type == batchv1.JobComplete {
		r.job.Status.CompletionTime = &r.end.LastTransitionTime
	}
	return true
}

func (r *jobRound) saveEnd(finished bool) error {
	switch {
	case !finished:
		return r.saveStatus()
	case r.end.Type == batchv1.JobComplete:
		if err := r.ended(r.job, CompleteJob, r.saveStatus); err != nil {
			return err
		}
		if n := r.job.Spec.Completions; n != nil && r.job.Status.Succeeded > *n {
			r.Client.Emit(r.job, corev1.EventTypeWarning, "TooManySucceededPods", "Too many succeeded pods running after completion count reached")
		}
		r.Client.Emit(r.job, corev1.EventTypeNormal, "Completed", "Job completed")
		return nil
	}
	if err := r.ended(r.job, FailJob, r.saveStatus); err != nil {
		return err
	}
	r.Client.Emit(r.job, corev1.EventTypeWarning, r.end.Reason, r.end.Message)
	return nil
}

func (r *jobRound) saveStatus() error {
	stored, err := r.Client.UpdateStatus(r.job)
	if err == nil {
		r.job = stored.(*batchv1.Job).DeepCopy()
		if r.job.Status.UncountedTerminatedPods == nil {
			r.job.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{}
		}
	}
	return err
}
