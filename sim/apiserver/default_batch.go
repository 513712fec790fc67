package apiserver

import (
	"math"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// Defaulting of Jobs and CronJobs, as Kubernetes 1.37 pkg/apis/batch/v1/defaults.go does.

func defaultJob(job *batchv1.Job) {
	spec := &job.Spec
	if spec.Completions == nil && spec.Parallelism == nil {
		orElsePtr(&spec.Completions, 1)
	}
	orElsePtr(&spec.Parallelism, 1)
	limit := int32(6)
	if spec.BackoffLimitPerIndex != nil {
		limit = math.MaxInt32
	}
	orElsePtr(&spec.BackoffLimit, limit)
	orElsePtr(&spec.CompletionMode, batchv1.NonIndexedCompletion)
	orElsePtr(&spec.Suspend, false)
	replace := batchv1.TerminatingOrFailed
	if spec.PodFailurePolicy != nil {
		replace = batchv1.Failed
	}
	orElsePtr(&spec.PodReplacementPolicy, replace)
	orElsePtr(&spec.ManualSelector, false)
	defaultJobPods(spec)
}

// defaultJobPods is what the template of a CronJob gets too: the rest its Jobs get when they are made.
func defaultJobPods(spec *batchv1.JobSpec) {
	if p := spec.PodFailurePolicy; p != nil {
		for i := range p.Rules {
			for j := range p.Rules[i].OnPodConditions {
				orElse(&p.Rules[i].OnPodConditions[j].Status, corev1.ConditionTrue)
			}
		}
	}
	defaultPodSpec(&spec.Template.Spec)
}

func defaultCronJob(cj *batchv1.CronJob) {
	spec := &cj.Spec
	orElse(&spec.ConcurrencyPolicy, batchv1.AllowConcurrent)
	orElsePtr(&spec.Suspend, false)
	orElsePtr(&spec.SuccessfulJobsHistoryLimit, 3)
	orElsePtr(&spec.FailedJobsHistoryLimit, 1)
	defaultJobPods(&spec.JobTemplate.Spec)
}
