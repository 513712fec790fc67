package apiserver

import (
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// The tables of `kubectl get jobs` and `kubectl get cronjobs`, as Kubernetes 1.37
// pkg/printers/internalversion prints them.

func jobColumns() []metav1.TableColumnDefinition {
	return append([]metav1.TableColumnDefinition{
		nameColumn(),
		column("Status", "string", "Status of the job."),
		column("Completions", "string", batchv1.JobStatus{}.SwaggerDoc()["succeeded"]),
		column("Duration", "string", "Time required to complete the job."),
		ageColumn(),
	}, templateColumns(batchv1.JobSpec{}.SwaggerDoc()["selector"])...)
}

func jobCells(job *batchv1.Job, now time.Time) []any {
	completions := fmt.Sprintf("%d/1", job.Status.Succeeded)
	if want := job.Spec.Completions; want != nil {
		completions = fmt.Sprintf("%d/%d", job.Status.Succeeded, *want)
	} else if p := job.Spec.Parallelism; p != nil && *p > 1 {
		completions += fmt.Sprintf(" of %d", *p)
	}
	took := ""
	if from := job.Status.StartTime; from != nil {
		to := now
		if job.Status.CompletionTime != nil {
			to = job.Status.CompletionTime.Time
		}
		took = duration.HumanDuration(to.Sub(from.Time))
	}
	names, images := containerCells(job.Spec.Template.Spec.Containers)
	return []any{job.Name, jobStatusCell(job), completions, took, age(job.CreationTimestamp, now),
		names, images, metav1.FormatLabelSelector(job.Spec.Selector)}
}

func jobStatusCell(job *batchv1.Job) string {
	for _, t := range []batchv1.JobConditionType{batchv1.JobComplete, batchv1.JobFailed, "", batchv1.JobSuspended,
		batchv1.JobFailureTarget, batchv1.JobSuccessCriteriaMet} {
		if t == "" && job.DeletionTimestamp != nil {
			return "Terminating"
		}
		if jobIs(job, t) {
			return string(t)
		}
	}
	return "Running"
}

// jobIs says whether a Job has a condition with status True.
func jobIs(job *batchv1.Job, t batchv1.JobConditionType) bool {
	for _, c := range job.Status.Conditions {
		if c.Type == t {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func cronJobColumns() []metav1.TableColumnDefinition {
	spec, status := batchv1.CronJobSpec{}.SwaggerDoc(), batchv1.CronJobStatus{}.SwaggerDoc()
	return append([]metav1.TableColumnDefinition{
		nameColumn(),
		column("Schedule", "string", spec["schedule"]),
		column("Timezone", "string", spec["timeZone"]),
		column("Suspend", "boolean", spec["suspend"]),
		column("Active", "integer", status["active"]),
		column("Last Schedule", "string", status["lastScheduleTime"]),
		ageColumn(),
	}, templateColumns(batchv1.JobSpec{}.SwaggerDoc()["selector"])...)
}

func cronJobCells(cj *batchv1.CronJob, now time.Time) []any {
	last, zone, suspend := "<none>", "<none>", "<unset>"
	if cj.Status.LastScheduleTime != nil {
		last = age(*cj.Status.LastScheduleTime, now)
	}
	if cj.Spec.TimeZone != nil {
		zone = *cj.Spec.TimeZone
	}
	if s := cj.Spec.Suspend; s != nil {
		suspend = map[bool]string{true: "True", false: "False"}[*s]
	}
	template := &cj.Spec.JobTemplate.Spec
	names, images := containerCells(template.Template.Spec.Containers)
	return []any{cj.Name, cj.Spec.Schedule, zone, suspend, int64(len(cj.Status.Active)), last, age(cj.CreationTimestamp, now),
		names, images, metav1.FormatLabelSelector(template.Selector)}
}
