package apiserver

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // a machine without time zones knows them all the same: equal state, equal bytes

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// Validation of CronJobs (Kubernetes 1.37 pkg/apis/batch/validation).

// longestCronJob leaves room for the minute in the names of its Jobs: -29384761.
const longestCronJob = utilvalidation.DNS1035LabelMaxLength - 11

func validateCronJob(cj *batchv1.CronJob) field.ErrorList {
	f := findings{}
	f.cronJobSpec(&cj.Spec, nil)
	if len(cj.Name) > longestCronJob {
		f.invalid(field.NewPath("metadata", "name"), cj.Name, "must be no more than 52 characters")
	}
	return f.errs
}

func validateCronJobUpdate(cj, old *batchv1.CronJob) field.ErrorList {
	f := findings{}
	f.cronJobSpec(&cj.Spec, &old.Spec)
	return f.errs
}

func (f *findings) cronJobSpec(spec, old *batchv1.CronJobSpec) {
	at := field.NewPath("spec")
	if spec.Schedule == "" {
		f.required(at.Child("schedule"), "")
	} else {
		f.schedule(at.Child("schedule"), spec, old != nil && strings.Contains(old.Schedule, "TZ"))
	}
	if n := spec.StartingDeadlineSeconds; n != nil {
		f.nonNegative(at.Child("startingDeadlineSeconds"), *n)
	}
	if spec.TimeZone != nil && (old == nil || !ptr.Equal(old.TimeZone, spec.TimeZone)) {
		f.timeZone(at.Child("timeZone"), *spec.TimeZone)
	}
	requiredAmong(f, at.Child("concurrencyPolicy"), spec.ConcurrencyPolicy,
		batchv1.AllowConcurrent, batchv1.ForbidConcurrent, batchv1.ReplaceConcurrent)

	template := at.Child("jobTemplate", "spec")
	f.jobSpec(template, &spec.JobTemplate.Spec)
	if s := spec.JobTemplate.Spec.Selector; s != nil {
		f.invalid(template.Child("selector"), s, "`selector` will be auto-generated")
	}
	if m := spec.JobTemplate.Spec.ManualSelector; m != nil && *m {
		f.add(field.NotSupported(template.Child("manualSelector"), m, []string{"nil", "false"}))
	}
	if n := spec.SuccessfulJobsHistoryLimit; n != nil {
		f.nonNegative(at.Child("successfulJobsHistoryLimit"), int64(*n))
	}
	if n := spec.FailedJobsHistoryLimit; n != nil {
		f.nonNegative(at.Child("failedJobsHistoryLimit"), int64(*n))
	}
}

func (f *findings) schedule(at *field.Path, spec *batchv1.CronJobSpec, hadZone bool) {
	if _, err := ParseSchedule(spec.Schedule); err != nil {
		f.invalid(at, spec.Schedule, err.Error())
	}
	switch zoned := strings.Contains(spec.Schedule, "TZ"); {
	case zoned && hadZone && spec.TimeZone != nil:
		f.invalid(at, spec.Schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule")
	case zoned && !hadZone:
		f.invalid(at, spec.Schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
	}
}

// ParseSchedule reads a CronJob's schedule with the real one's own parser, which panics on some of what is not one.
func ParseSchedule(text string) (_ cron.Schedule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("invalid schedule format: %v", p)
		}
	}()
	return cron.ParseStandard(text)
}

var zonePart = regexp.MustCompile(`^[A-Za-z.\-_0-9+]{1,14}$`)

func (f *findings) timeZone(at *field.Path, zone string) {
	if zone == "" {
		f.invalid(at, zone, "timeZone must be nil or non-empty string")
		return
	}
	for part := range strings.SplitSeq(zone, "/") {
		if part == "." || part == ".." || strings.HasPrefix(part, "-") || !zonePart.MatchString(part) {
			f.invalid(at, zone, "unknown time zone "+zone)
			return
		}
	}
	if strings.EqualFold(zone, "Local") {
		f.invalid(at, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
	}
	if _, err := time.LoadLocation(zone); err != nil {
		f.invalid(at, zone, err.Error())
	}
}
