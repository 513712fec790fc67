package apiserver

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// validateJobStatus keeps whoever manages a Job from contradicting himself. What was wrong before, and does not
// change, passes (Kubernetes 1.37 pkg/registry/batch/job, getStatusValidationOptions; pkg/apis/batch/validation).
func validateJobStatus(job, old *batchv1.Job) field.ErrorList {
	f := findings{}
	f.jobStatusCounts(&job.Status)
	f.jobStatusConditions(job, old)
	f.jobStatusIndexes(job, old)
	f.jobStatusUpdate(job, old)
	return f.errs
}

func (f *findings) jobStatusCounts(s *batchv1.JobStatus) {
	at := field.NewPath("status")
	f.counts(at, []count{{"active", int64(s.Active)}, {"succeeded", int64(s.Succeeded)}, {"failed", int64(s.Failed)},
		{"ready", int64(ptr.Deref(s.Ready, 0))}, {"terminating", int64(ptr.Deref(s.Terminating, 0))}}, nil)
	if s.UncountedTerminatedPods == nil {
		return
	}
	seen := map[types.UID]bool{}
	at = at.Child("uncountedTerminatedPods")
	for i, list := range [][]types.UID{s.UncountedTerminatedPods.Succeeded, s.UncountedTerminatedPods.Failed} {
		at := at.Child([]string{"succeeded", "failed"}[i])
		for j, uid := range list {
			switch {
			case uid == "":
				f.invalid(at.Index(j), uid, "must not be empty")
			case seen[uid]:
				f.duplicate(at.Index(j), uid)
			}
			seen[uid] = true
		}
	}
}

func jobOver(job *batchv1.Job) bool {
	return jobIs(job, batchv1.JobComplete) || jobIs(job, batchv1.JobFailed)
}

func (f *findings) jobStatusConditions(job, old *batchv1.Job) {
	at := field.NewPath("status")
	s, was := &job.Status, &old.Status
	is := func(t batchv1.JobConditionType) bool { return jobIs(job, t) }
	moved := func(types ...batchv1.JobConditionType) bool {
		for _, t := range types {
			if jobIs(job, t) != jobIs(old, t) {
				return true
			}
		}
		return false
	}
	overMoved := jobOver(job) != jobOver(old)
	started, completed := !ptr.Equal(s.StartTime, was.StartTime), !ptr.Equal(s.CompletionTime, was.CompletionTime)
	complete, failed, target, met := is(batchv1.JobComplete), is(batchv1.JobFailed), is(batchv1.JobFailureTarget), is(batchv1.JobSuccessCriteriaMet)
	uncounted := s.UncountedTerminatedPods
	conditions := at.Child("conditions")
	none := field.OmitValueType{}
	for _, rule := range []struct {
		broken bool
		at     *field.Path
		value  any
		detail string
	}{
		{moved(batchv1.JobComplete, batchv1.JobFailed) && complete && failed, conditions, none, "cannot set Complete=True and Failed=true conditions"},
		{moved(batchv1.JobComplete, batchv1.JobFailureTarget) && complete && target, conditions, none, "cannot set Complete=True and FailureTarget=true conditions"},
		{(moved(batchv1.JobComplete) || completed) && s.CompletionTime != nil && !complete, at.Child("completionTime"), s.CompletionTime,
			"cannot set completionTime when there is no Complete=True condition"},
		{(started || completed) && s.StartTime != nil && s.CompletionTime != nil && s.CompletionTime.Before(s.StartTime), at.Child("completionTime"), s.CompletionTime,
			"must be equal to or after `startTime`"},
		{moved(batchv1.JobFailed) && failed && !target, conditions, none, "cannot set Failed=True condition without the FailureTarget=true condition"},
		{moved(batchv1.JobComplete, batchv1.JobSuccessCriteriaMet) && complete && !met, conditions, none,
			"cannot set Complete=True condition without the SuccessCriteriaMet=true condition"},
		{(overMoved || s.Active != was.Active) && s.Active > 0 && jobOver(job), at.Child("active"), s.Active, "active>0 is invalid for finished job"},
		{overMoved && jobOver(job) && uncounted != nil && len(uncounted.Failed)+len(uncounted.Succeeded) > 0,
			at.Child("uncountedTerminatedPods"), inServer{uncounted}, "must be empty for finished job"},
		{(overMoved || !ptr.Equal(s.Terminating, was.Terminating)) && ptr.Deref(s.Terminating, 0) > 0 && jobOver(job), at.Child("terminating"), s.Terminating,
			"terminating>0 is invalid for finished job"},
		{(!ptr.Equal(s.Ready, was.Ready) || s.Active != was.Active) && ptr.Deref(s.Ready, 0) > s.Active, at.Child("ready"), s.Ready, "cannot set more ready pods than active"},
		{met && failed, conditions, none, "cannot set SuccessCriteriaMet=True and Failed=true conditions"},
		{met && target, conditions, none, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"},
		{job.Spec.SuccessPolicy != nil && !met && complete, conditions, none, "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"},
	} {
		if rule.broken {
			f.invalid(rule.at, rule.value, rule.detail)
		}
	}
	if (moved(batchv1.JobComplete) || completed) && s.CompletionTime == nil && complete {
		f.required(at.Child("completionTime"), "completionTime is required for Complete jobs")
	}
	spared := ptr.Deref(job.Spec.Suspend, false) && ptr.Equal(job.Spec.Completions, new(int32(0)))
	if (overMoved || started) && !spared && s.StartTime == nil && jobOver(job) {
		f.required(at.Child("startTime"), "startTime is required for finished job")
	}
}

func (f *findings) jobStatusIndexes(job, old *batchv1.Job) {
	at := field.NewPath("status")
	s, was := &job.Status, &old.Status
	completedMoved, failedMoved := s.CompletedIndexes != was.CompletedIndexes, !ptr.Equal(s.FailedIndexes, was.FailedIndexes)
	if n := job.Spec.Completions; n != nil && completedMoved {
		if _, err := countIndexes(s.CompletedIndexes, *n); err != nil {
			f.invalid(at.Child("completedIndexes"), s.CompletedIndexes, "error parsing completedIndexes: "+err.Error())
		}
	}
	if n := job.Spec.Completions; n != nil && failedMoved && s.FailedIndexes != nil && job.Spec.BackoffLimitPerIndex != nil {
		if _, err := countIndexes(*s.FailedIndexes, *n); err != nil {
			f.invalid(at.Child("failedIndexes"), s.FailedIndexes, "error parsing failedIndexes: "+err.Error())
		}
	}
	if completedMoved && s.CompletedIndexes != "" && !indexed(&job.Spec) {
		f.invalid(at.Child("completedIndexes"), s.CompletedIndexes, "cannot set non-empty completedIndexes when non-indexed completion mode")
	}
	if failedMoved && job.Spec.BackoffLimitPerIndex == nil && s.FailedIndexes != nil {
		f.invalid(at.Child("failedIndexes"), *s.FailedIndexes, "cannot set non-null failedIndexes when backoffLimitPerIndex is null")
	}
	if n := job.Spec.Completions; n != nil && s.FailedIndexes != nil && (completedMoved || failedMoved) {
		if err := overlap(s.CompletedIndexes, *s.FailedIndexes, *n); err != nil {
			f.invalid(at.Child("failedIndexes"), *s.FailedIndexes, err.Error())
		}
	}
}

func (f *findings) jobStatusUpdate(job, old *batchv1.Job) {
	at := field.NewPath("status")
	s, was := &job.Status, &old.Status
	none := field.OmitValueType{}
	for _, t := range []batchv1.JobConditionType{batchv1.JobFailed, batchv1.JobComplete, batchv1.JobFailureTarget} {
		if jobIs(old, t) && !jobIs(job, t) {
			f.invalid(at.Child("conditions"), none, fmt.Sprintf("cannot disable the terminal %s=True condition", t))
		}
	}
	if s.Failed < was.Failed {
		f.invalid(at.Child("failed"), s.Failed, "cannot decrease the failed counter")
	}
	scalable := indexed(&job.Spec) && ptr.Equal(job.Spec.Completions, job.Spec.Parallelism)
	if !scalable && s.Succeeded < was.Succeeded {
		f.invalid(at.Child("succeeded"), s.Succeeded, "cannot decrease the succeeded counter")
	}
	if s.CompletionTime != nil && was.CompletionTime != nil && !s.CompletionTime.Equal(was.CompletionTime) {
		f.invalid(at.Child("completionTime"), s.CompletionTime, "field is immutable")
	}
	resumed := jobIs(old, batchv1.JobSuspended) && !jobIs(job, batchv1.JobSuspended)
	if was.StartTime != nil && !s.StartTime.Equal(was.StartTime) && !ptr.Deref(job.Spec.Suspend, false) && !resumed {
		f.invalid(at.Child("startTime"), s.StartTime, "field is immutable for unsuspended job once set")
	}
	met, wasMet := jobIs(job, batchv1.JobSuccessCriteriaMet), jobIs(old, batchv1.JobSuccessCriteriaMet)
	if wasMet && !met {
		f.invalid(at.Child("conditions"), none, "cannot disable the SuccessCriteriaMet=True condition")
	}
	if jobIs(old, batchv1.JobComplete) && !wasMet && met {
		f.invalid(at.Child("conditions"), none, "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions")
	}
}
