package apiserver

import (
	"maps"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
)

// The labels that a Job's pods had before those with a prefix, and still have (pkg/apis/batch/types.go).
const (
	legacyControllerUIDLabel = "controller-uid"
	legacyJobNameLabel       = "job-name"
)

// jobResource is the row of Jobs. Its strategy is that of Kubernetes 1.37
// pkg/registry/batch/job/strategy.go.
func jobResource() Resource {
	return Resource{
		GroupVersionResource: batchv1.SchemeGroupVersion.WithResource("jobs"),
		Kind:                 "Job",
		Singular:             "job",
		Categories:           []string{"all"},
		Namespaced:           true,
		KeyPrefix:            "/registry/jobs",

		New:     func() Object { return &batchv1.Job{} },
		NewList: func() runtime.Object { return &batchv1.JobList{} },

		Subresources: []string{"status"},

		Default:          act(defaultJob),
		PrepareForCreate: act(prepareJob),
		PrepareForUpdate: actFrom(func(job, old *batchv1.Job) {
			job.Status = old.Status
			job.Spec.Scheduling = nil
			dropAlphaPodFields(&job.Spec.Template.Spec, job.Spec.Template.Annotations)
			if !equality.Semantic.DeepEqual(job.Spec, old.Spec) {
				job.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate: actFrom(func(job, old *batchv1.Job) { job.Spec = old.Spec }),

		Validate:       check(validateJob),
		ValidateUpdate: checkFrom(validateJobUpdate),
		ValidateStatus: checkFrom(validateJobStatus),

		Columns: jobColumns(),
		Cells:   cells(jobCells),
		Fields: selectable(func(job *batchv1.Job) fields.Set {
			return fields.Set{"status.successful": strconv.Itoa(int(job.Status.Succeeded))}
		}),
		Unconditional: true,
	}
}

func prepareJob(job *batchv1.Job) {
	if job.Spec.ManualSelector == nil || !*job.Spec.ManualSelector {
		generateSelector(job)
	}
	if len(job.Labels) == 0 { // what defaulting does each time that the real server reads a Job
		job.Labels = maps.Clone(job.Spec.Template.Labels)
	}
	job.Status = batchv1.JobStatus{}
	job.Generation = 1
	job.Spec.Scheduling = nil // an alpha field
	dropAlphaPodFields(&job.Spec.Template.Spec, job.Spec.Template.Annotations)
}

// generateSelector has a Job select its own pods alone: by its UID. Labels of the sender stay; where they are
// others, validation says so.
func generateSelector(job *batchv1.Job) {
	template := &job.Spec.Template
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	for _, l := range jobLabels(job) {
		if _, ok := template.Labels[l.key]; !ok {
			template.Labels[l.key] = l.value
		}
	}
	if job.Spec.Selector == nil {
		job.Spec.Selector = &metav1.LabelSelector{}
	}
	if job.Spec.Selector.MatchLabels == nil {
		job.Spec.Selector.MatchLabels = map[string]string{}
	}
	if _, ok := job.Spec.Selector.MatchLabels[batchv1.ControllerUidLabel]; !ok {
		job.Spec.Selector.MatchLabels[batchv1.ControllerUidLabel] = string(job.UID)
	}
}

type label struct{ key, value string }

// jobLabels are those of a Job's pods, in the order in which validation looks for them.
func jobLabels(job *batchv1.Job) []label {
	return []label{
		{legacyControllerUIDLabel, string(job.UID)}, {legacyJobNameLabel, job.Name},
		{batchv1.ControllerUidLabel, string(job.UID)}, {batchv1.JobNameLabel, job.Name},
	}
}

// cronJobResource is the row of CronJobs. Its strategy is that of Kubernetes 1.37
// pkg/registry/batch/cronjob/strategy.go.
func cronJobResource() Resource {
	return Resource{
		GroupVersionResource: batchv1.SchemeGroupVersion.WithResource("cronjobs"),
		Kind:                 "CronJob",
		Singular:             "cronjob",
		ShortNames:           []string{"cj"},
		Categories:           []string{"all"},
		Namespaced:           true,
		KeyPrefix:            "/registry/cronjobs",

		New:     func() Object { return &batchv1.CronJob{} },
		NewList: func() runtime.Object { return &batchv1.CronJobList{} },

		Subresources: []string{"status"},

		Default: act(defaultCronJob),
		PrepareForCreate: act(func(cj *batchv1.CronJob) {
			cj.Status = batchv1.CronJobStatus{}
			cj.Generation = 1
			dropAlphaJobFields(&cj.Spec.JobTemplate.Spec)
		}),
		PrepareForUpdate: actFrom(func(cj, old *batchv1.CronJob) {
			cj.Status = old.Status
			dropAlphaJobFields(&cj.Spec.JobTemplate.Spec)
			if !equality.Semantic.DeepEqual(cj.Spec, old.Spec) {
				cj.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate: actFrom(func(cj, old *batchv1.CronJob) { cj.Spec = old.Spec }),

		Validate:       check(validateCronJob),
		ValidateUpdate: checkFrom(validateCronJobUpdate),

		Columns:       cronJobColumns(),
		Cells:         cells(cronJobCells),
		Unconditional: true,
	}
}

func dropAlphaJobFields(spec *batchv1.JobSpec) {
	spec.Scheduling = nil
	dropAlphaPodFields(&spec.Template.Spec, spec.Template.Annotations)
}
