package controller

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// jobRound is one look at one Job (pkg/controller/job/job_controller.go, syncJob).
type jobRound struct {
	*jobs
	key    string
	job    *batchv1.Job // a copy
	pods   []*corev1.Pod
	active []*corev1.Pod
	now    time.Time

	ready, terminating int32
	uncounted          map[types.UID]bool // noted in the status, not yet in the counters
	succeeded, failed  int32
	done, was          indexes // of an Indexed Job: those that have succeeded, now and before
	lost               *indexes
	kept               map[int]*corev1.Pod // the failed pod that each index's next one replaces
	backedOff          jobBackoff
	end                *batchv1.JobCondition // why it ends; nil: it goes on
}

// do goes through the ends that a Job can come to in their order, or has it go on.
func (r *jobRound) do() error {
	r.look()
	r.decide()
	active := int32(len(r.active))
	changed, err := false, error(nil)
	if r.end != nil {
		deleted, deleteErr := r.endActive()
		if deleted != active {
			r.end = nil // not before all its pods are on their way out
		}
		active, err = active-deleted, deleteErr
	} else {
		managed := r.job.DeletionTimestamp == nil
		if managed {
			active, err = r.manage()
		}
		switch {
		case r.complete(active):
			r.end = r.condition(batchv1.JobSuccessCriteriaMet, batchv1.JobReasonCompletionsReached, "Reached expected number of succeeded pods")
		case managed:
			changed = r.suspension()
		}
	}
	s := &r.job.Status
	changed = changed || active != s.Active || !ptr.Equal(&r.ready, s.Ready) || !ptr.Equal(&r.terminating, s.Terminating)
	s.Active, s.Ready, s.Terminating = active, &r.ready, &r.terminating
	if trackErr := r.track(changed); trackErr != nil {
		return trackErr
	}
	return err
}

// look counts what is there.
func (r *jobRound) look() {
	s := &r.job.Status
	if s.UncountedTerminatedPods == nil {
		s.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{}
	}
	r.uncounted = map[types.UID]bool{}
	for _, list := range [][]types.UID{s.UncountedTerminatedPods.Succeeded, s.UncountedTerminatedPods.Failed} {
		for _, uid := range list {
			r.uncounted[uid] = true
		}
	}
	var succeeded, failed []*corev1.Pod
	ignored := 0
	for _, pod := range r.pods {
		switch {
		case podActive(pod):
			r.active = append(r.active, pod)
			if podReady(pod) {
				r.ready++
			}
		case podTerminating(pod):
			r.terminating++
		}
		if !r.counts(pod) || r.uncounted[pod.UID] {
			continue
		}
		if pod.Status.Phase == corev1.PodSucceeded {
			succeeded = append(succeeded, pod)
		}
		if r.podFailed(pod) {
			failed = append(failed, pod)
			if !r.policy(pod).counts {
				ignored++
			}
		}
	}
	r.succeeded = s.Succeeded + int32(len(succeeded)+len(s.UncountedTerminatedPods.Succeeded))
	r.failed = s.Failed + int32(len(failed)-ignored+len(s.UncountedTerminatedPods.Failed))
	if s.StartTime == nil && !suspended(r.job) {
		s.StartTime = new(r.jobs.now())
	}
	r.backedOff = r.backoff[r.job.UID].after(succeeded, failed)
}

// counts says whether a pod has not been counted, and will be.
func (r *jobRound) counts(pod *corev1.Pod) bool {
	if !tracked(pod) {
		return false
	}
	return !jobIndexed(r.job) || r.validIndex(pod)
}

func (r *jobRound) validIndex(pod *corev1.Pod) bool {
	i := completionIndex(pod)
	return i >= 0 && i < int(*r.job.Spec.Completions)
}

// podFailed: a pod that is being deleted has failed too, unless its replacement waits for its end.
func (r *jobRound) podFailed(pod *corev1.Pod) bool {
	switch {
	case pod.Status.Phase == corev1.PodFailed:
		return true
	case r.replacesFailedOnly():
		return false
	}
	return pod.DeletionTimestamp != nil && pod.Status.Phase != corev1.PodSucceeded
}

func (r *jobRound) replacesFailedOnly() bool {
	return ptr.Deref(r.job.Spec.PodReplacementPolicy, batchv1.TerminatingOrFailed) == batchv1.Failed
}

// decide finds whether the Job is at an end that does not depend on what is created or deleted now.
func (r *jobRound) decide() {
	job := r.job
	if met := jobCondition(job, batchv1.JobSuccessCriteriaMet); met != nil && met.Status == corev1.ConditionTrue {
		r.end = met.DeepCopy()
	} else if target := jobCondition(job, batchv1.JobFailureTarget); target != nil && target.Status == corev1.ConditionTrue {
		r.end = r.condition(batchv1.JobFailed, target.Reason, target.Message)
	} else if why := r.failedByPolicy(); why != "" {
		r.end = r.condition(batchv1.JobFailureTarget, batchv1.JobReasonPodFailurePolicy, why)
	}
	if r.end == nil {
		r.limits()
	}
	if jobIndexed(job) {
		r.countIndexes()
	}
}

// limits are backoffLimit and activeDeadlineSeconds.
func (r *jobRound) limits() {
	job := r.job
	if r.failed > *job.Spec.BackoffLimit || r.restartedTooOften() {
		r.fail(batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit")
		return
	}
	if job.Spec.ActiveDeadlineSeconds == nil || suspended(job) || job.Status.StartTime == nil {
		return
	}
	left := job.Status.StartTime.Add(time.Duration(*job.Spec.ActiveDeadlineSeconds) * time.Second).Sub(r.now)
	if left <= 0 {
		r.fail(batchv1.JobReasonDeadlineExceeded, "Job was active longer than specified deadline")
		return
	}
	r.Queue.Add(r.key, left)
}

func (r *jobRound) fail(reason, message string) {
	r.end = r.condition(batchv1.JobFailureTarget, reason, message)
}

// restartedTooOften counts the restarts of containers, where failed ones are restarted in their pods.
func (r *jobRound) restartedTooOften() bool {
	if r.job.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyOnFailure {
		return false
	}
	n := int32(0)
	for _, pod := range r.pods {
		if pod.Status.Phase != corev1.PodRunning && pod.Status.Phase != corev1.PodPending {
			continue
		}
		for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
			for i := range list {
				n += list[i].RestartCount
			}
		}
	}
	return n >= max(1, *r.job.Spec.BackoffLimit)
}

// countIndexes finds which indexes have succeeded or failed, and whether that is the end.
func (r *jobRound) countIndexes() {
	job := r.job
	completions := int(*job.Spec.Completions)
	r.was = parseIndexes(job.Status.CompletedIndexes, completions)
	r.done = r.was
	for _, pod := range r.pods {
		if r.counts(pod) && pod.Status.Phase == corev1.PodSucceeded {
			r.done = r.done.with(completionIndex(pod))
		}
	}
	r.succeeded = int32(r.done.total())
	if job.Spec.BackoffLimitPerIndex != nil {
		lost := parseIndexes(ptr.Deref(job.Status.FailedIndexes, ""), completions)
		for _, pod := range r.pods {
			if r.counts(pod) && r.indexFailed(pod) {
				lost = lost.with(completionIndex(pod))
			}
		}
		r.lost = &lost
		switch n := lost.total(); {
		case r.end != nil:
		case job.Spec.MaxFailedIndexes != nil && n > int(*job.Spec.MaxFailedIndexes):
			r.fail(batchv1.JobReasonMaxFailedIndexesExceeded, "Job has exceeded the specified maximal number of failed indexes")
		case n > 0 && n+r.done.total() >= completions:
			r.fail(batchv1.JobReasonFailedIndexes, "Job has failed indexes")
		}
		r.keepFailed()
	}
	if r.end == nil {
		if why := r.successPolicy(); why != "" {
			r.end = r.condition(batchv1.JobSuccessCriteriaMet, batchv1.JobReasonSuccessPolicy, why)
		}
	}
}

// complete says whether enough pods have succeeded. Without a number of completions, one success is enough, and the
// pods that still run are waited for.
func (r *jobRound) complete(active int32) bool {
	if r.job.Spec.Completions == nil {
		return r.succeeded > 0 && active == 0
	}
	return r.succeeded >= *r.job.Spec.Completions && active == 0
}

// suspension keeps the condition Suspended, and says whether it changed.
func (r *jobRound) suspension() bool {
	job := r.job
	if suspended(job) {
		if !r.set(batchv1.JobSuspended, corev1.ConditionTrue, "JobSuspended", "Job suspended") {
			return false
		}
		r.Client.Emit(job, corev1.EventTypeNormal, "Suspended", "Job suspended")
		job.Status.StartTime = nil
		return true
	}
	if !r.set(batchv1.JobSuspended, corev1.ConditionFalse, "JobResumed", "Job resumed") {
		return false
	}
	r.Client.Emit(job, corev1.EventTypeNormal, "Resumed", "Job resumed")
	job.Status.StartTime = new(r.jobs.now()) // the deadline counts from here
	return true
}

func (r *jobRound) condition(t batchv1.JobConditionType, reason, message string) *batchv1.JobCondition {
	now := r.jobs.now()
	return &batchv1.JobCondition{Type: t, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastProbeTime: now, LastTransitionTime: now}
}

// set changes a condition, or adds one that is true; it says whether anything is another.
func (r *jobRound) set(t batchv1.JobConditionType, status corev1.ConditionStatus, reason, message string) bool {
	fresh := r.condition(t, reason, message)
	fresh.Status = status
	c := jobCondition(r.job, t)
	switch {
	case c == nil && status == corev1.ConditionFalse:
		return false
	case c == nil:
		r.job.Status.Conditions = append(r.job.Status.Conditions, *fresh)
	case c.Status == status && c.Reason == reason && c.Message == message:
		return false
	default:
		*c = *fresh
	}
	return true
}
