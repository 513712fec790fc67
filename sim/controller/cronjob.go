package controller

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	cronJobController = "cronjob-controller"
	// cronPadding is how long after the minute a CronJob is looked at: clocks differ (nextScheduleDelta).
	cronPadding = 100 * time.Millisecond
)

// cronJobs makes a Job each time that a CronJob's schedule says so, and clears away old ones (pkg/controller/cronjob).
type cronJobs struct{ Env }

func newCronJobs(env Env) Component { return &cronJobs{env} }

func (c *cronJobs) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *batchv1.CronJob:
		if e.Type == watch.Modified {
			c.changed(e.Old.(*batchv1.CronJob), o)
			return
		}
		c.soon(keyOf(o))
	case *batchv1.Job:
		refs := []*metav1.OwnerReference{metav1.GetControllerOfNoCopy(o)}
		if e.Type == watch.Modified {
			refs = append(refs, metav1.GetControllerOfNoCopy(e.Old))
		}
		for _, ref := range refs {
			if ref == nil || ref.Kind != "CronJob" {
				continue
			}
			if cj, ok := apiserver.Get[*batchv1.CronJob](c.Client, o.Namespace, ref.Name); ok && cj.UID == ref.UID {
				c.soon(keyOf(cj))
			}
		}
	}
}

// changed plans the next look at a CronJob: at its time where the schedule is another, at once otherwise.
func (c *cronJobs) changed(old, cj *batchv1.CronJob) {
	if old.Spec.Schedule == cj.Spec.Schedule && ptr.Equal(old.Spec.TimeZone, cj.Spec.TimeZone) {
		c.soon(keyOf(cj))
		return
	}
	schedule, err := apiserver.ParseSchedule(zoned(cj))
	if err != nil {
		c.Client.Emit(cj, corev1.EventTypeWarning, "UnParseableCronJobSchedule", "unparseable schedule for cronjob: "+cj.Spec.Schedule)
		return
	}
	c.Queue.Add(keyOf(cj), untilNext(cj, c.Queue.Now(), schedule))
}

func (c *cronJobs) Resync() {
	for cj := range apiserver.List[*batchv1.CronJob](c.Client, "") {
		c.soon(keyOf(cj))
	}
}

// zoned is a schedule with its time zone, as the parser takes it.
func zoned(cj *batchv1.CronJob) string {
	if strings.Contains(cj.Spec.Schedule, "TZ") || cj.Spec.TimeZone == nil {
		return cj.Spec.Schedule
	}
	if _, err := time.LoadLocation(*cj.Spec.TimeZone); err != nil {
		return cj.Spec.Schedule
	}
	return "TZ=" + *cj.Spec.TimeZone + " " + cj.Spec.Schedule
}

func (c *cronJobs) Sync(key string) error {
	stored, ok := apiserver.Get[*batchv1.CronJob](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok {
		return nil
	}
	s := &cronSync{cronJobs: c, cj: stored.DeepCopy(), now: c.Queue.Now()}
	for job := range apiserver.Owned[*batchv1.Job](c.Client, stored.UID) {
		s.jobs = append(s.jobs, job)
	}
	s.tidy()
	again, err := s.do()
	if s.dirty {
		if _, err := c.Client.UpdateStatus(s.cj); err != nil {
			return err
		}
	}
	if again > 0 {
		c.Queue.Add(key, again)
	}
	return err
}

// cronSync is one look at one CronJob.
type cronSync struct {
	*cronJobs
	cj    *batchv1.CronJob // a copy
	jobs  []*batchv1.Job
	now   time.Time
	dirty bool // the status is to be written
}

func (s *cronSync) emit(eventType, reason, format string, args ...any) {
	s.Client.Emit(s.cj, eventType, reason, fmt.Sprintf(format, args...))
}

// do brings the status up to date and starts what is due; it returns in how long to look again, 0: never.
func (s *cronSync) do() (again time.Duration, err error) {
	s.review()
	cj := s.cj
	if cj.DeletionTimestamp != nil {
		return 0, nil
	}
	if zone := cj.Spec.TimeZone; zone != nil {
		if _, err := time.LoadLocation(*zone); err != nil {
			s.emit(corev1.EventTypeWarning, "UnknownTimeZone", "invalid timeZone: %q: %s", *zone, err)
			return 0, nil
		}
	}
	if ptr.Deref(cj.Spec.Suspend, false) {
		return 0, nil
	}
	if strings.Contains(cj.Spec.Schedule, "TZ") {
		s.emit(corev1.EventTypeWarning, "UnsupportedSchedule", "CRON_TZ or TZ used in schedule %q is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details", cj.Spec.Schedule)
	}
	schedule, err := apiserver.ParseSchedule(zoned(cj))
	if err != nil {
		s.emit(corev1.EventTypeWarning, "UnparseableSchedule", "unparseable schedule: %q : %s", cj.Spec.Schedule, err)
		return 0, nil
	}
	m, err := missedStarts(cj, s.now, schedule, true)
	if err != nil {
		s.emit(corev1.EventTypeWarning, "InvalidSchedule", "invalid schedule: %s : %s", cj.Spec.Schedule, err)
		return 0, nil
	}
	if !m.latest.IsZero() {
		if m.many() {
			s.emit(corev1.EventTypeWarning, "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew")
		}
		if err := s.start(m.latest); err != nil {
			return 0, err
		}
	}
	return untilNext(cj, s.now, schedule), nil
}

// review compares the list of active Jobs with what there is.
func (s *cronSync) review() {
	status := &s.cj.Status
	known := map[types.UID]bool{}
	for _, job := range s.jobs {
		known[job.UID] = true
		listed := s.isActive(job.UID)
		switch {
		case !listed && !jobFinished(job):
			s.emit(corev1.EventTypeWarning, "UnexpectedJob", "Saw a job that the controller did not create or forgot: %s", job.Name)
		case jobFinished(job):
			if listed {
				end := batchv1.JobFailed
				if jobIs(job, batchv1.JobComplete) {
					end = batchv1.JobComplete
				}
				s.drop(job.UID)
				s.emit(corev1.EventTypeNormal, "SawCompletedJob", "Saw completed job: %s, condition: %v", job.Name, end)
			}
			at := job.Status.CompletionTime
			if jobIs(job, batchv1.JobComplete) && at != nil && (status.LastSuccessfulTime == nil || at.After(status.LastSuccessfulTime.Time)) {
				status.LastSuccessfulTime, s.dirty = at, true
			}
		}
	}
	for _, ref := range slices.Clone(status.Active) {
		if !known[ref.UID] {
			if _, there := apiserver.Get[*batchv1.Job](s.Client, ref.Namespace, ref.Name); !there {
				s.emit(corev1.EventTypeNormal, "MissingJob", "Active job went missing: %v", ref.Name)
				s.drop(ref.UID)
			}
		}
	}
}

func (s *cronSync) isActive(uid types.UID) bool {
	return slices.ContainsFunc(s.cj.Status.Active, func(r corev1.ObjectReference) bool { return r.UID == uid })
}

func (s *cronSync) drop(uid types.UID) {
	s.cj.Status.Active = slices.DeleteFunc(s.cj.Status.Active, func(r corev1.ObjectReference) bool { return r.UID == uid })
	s.dirty = true
}

// start makes the Job of a moment of the schedule, unless it is too late, has been made, or another is in the way.
func (s *cronSync) start(at time.Time) error {
	cj := s.cj
	if limit := cj.Spec.StartingDeadlineSeconds; limit != nil && at.Add(time.Duration(*limit)*time.Second).Before(s.now) {
		s.emit(corev1.EventTypeWarning, "MissSchedule", "Missed scheduled time to start a job: %s", at.UTC().Format(time.RFC1123Z))
		return nil
	}
	name := cronJobName(cj, at)
	listed := slices.ContainsFunc(cj.Status.Active, func(r corev1.ObjectReference) bool { return r.Name == name })
	if last := cj.Status.LastScheduleTime; listed || last != nil && last.Time.Equal(at) {
		return nil
	}
	switch {
	case cj.Spec.ConcurrencyPolicy == batchv1.ForbidConcurrent && len(cj.Status.Active) > 0:
		s.emit(corev1.EventTypeNormal, "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid")
		return s.decided(cronJobController, refTo("CronJob", cj), s.decision(SkipJob, trace.Ref{}), func() error { return nil })
	case cj.Spec.ConcurrencyPolicy == batchv1.ReplaceConcurrent:
		if err := s.replace(); err != nil {
			return err
		}
	}
	return s.create(name, at)
}

func (s *cronSync) decision(what string, target trace.Ref) trace.Decision {
	return trace.Decision{What: what, Actual: int64(len(s.cj.Status.Active)), Count: 1, Target: target, Note: s.cj.Spec.Schedule}
}

// replace deletes the Jobs that still run.
func (s *cronSync) replace() error {
	for _, ref := range slices.Clone(s.cj.Status.Active) {
		job, ok := apiserver.Get[*batchv1.Job](s.Client, ref.Namespace, ref.Name)
		if !ok {
			err := apierrors.NewNotFound(batchv1.Resource("jobs"), ref.Name)
			s.emit(corev1.EventTypeWarning, "FailedGet", "Get job: %v", err)
			return err
		}
		if !s.delete(job, ReplaceJob) {
			return fmt.Errorf("could not replace job %s/%s", job.Namespace, job.Name)
		}
		s.dirty = true
	}
	return nil
}

// cronJobName is the name of a moment's Job: it ends in the minute, so that a moment has one Job at most.
func cronJobName(cj *batchv1.CronJob, at time.Time) string {
	return fmt.Sprintf("%s-%d", cj.Name, at.Unix()/60)
}

func (s *cronSync) create(name string, at time.Time) error {
	cj := s.cj
	zone, err := time.LoadLocation(ptr.Deref(cj.Spec.TimeZone, ""))
	if err != nil {
		return err
	}
	annotations := maps.Clone(cj.Spec.JobTemplate.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[batchv1.CronJobScheduledTimestampAnnotation] = at.In(zone).Format(time.RFC3339)
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: cj.Namespace, Name: name, Labels: cj.Spec.JobTemplate.Labels, Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cj, batchv1.SchemeGroupVersion.WithKind("CronJob"))}},
		Spec: *cj.Spec.JobTemplate.Spec.DeepCopy(),
	}
	var made apiserver.Object
	err = s.decided(cronJobController, refTo("CronJob", cj), s.decision(CreateJob, trace.Ref{Kind: "Job", Namespace: cj.Namespace, Name: name}), func() (err error) {
		made, err = s.Client.Create(job)
		return err
	})
	switch {
	case apierrors.IsAlreadyExists(err):
		there, ok := apiserver.Get[*batchv1.Job](s.Client, cj.Namespace, name)
		if !ok || !metav1.IsControlledBy(there, cj) || s.isActive(there.UID) {
			return nil
		}
		made = there
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return err
	case err != nil:
		s.emit(corev1.EventTypeWarning, "FailedCreate", "Error creating job: %v", err)
		return err
	default:
		s.emit(corev1.EventTypeNormal, "SuccessfulCreate", "Created job %v", name)
	}
	cj.Status.Active = append(cj.Status.Active, corev1.ObjectReference{Kind: "Job", APIVersion: batchv1.SchemeGroupVersion.String(),
		Namespace: made.GetNamespace(), Name: made.GetName(), UID: made.GetUID(), ResourceVersion: made.GetResourceVersion()})
	cj.Status.LastScheduleTime, s.dirty = &metav1.Time{Time: at}, true
	return nil
}

// tidy deletes the oldest of the Jobs that are over, beyond the limits of the history.
func (s *cronSync) tidy() {
	for end, limit := range [...]*int32{s.cj.Spec.SuccessfulJobsHistoryLimit, s.cj.Spec.FailedJobsHistoryLimit} {
		if limit == nil {
			continue
		}
		condition := [...]batchv1.JobConditionType{batchv1.JobComplete, batchv1.JobFailed}[end]
		over := slices.DeleteFunc(slices.Clone(s.jobs), func(job *batchv1.Job) bool { return !jobIs(job, condition) })
		slices.SortFunc(over, byStart)
		for _, job := range over[:max(0, len(over)-int(*limit))] {
			if s.delete(job, DeleteJob) {
				s.dirty = true
				s.jobs = slices.DeleteFunc(s.jobs, func(other *batchv1.Job) bool { return other.UID == job.UID })
			}
		}
	}
}

func byStart(a, b *batchv1.Job) int {
	x, y := a.Status.StartTime, b.Status.StartTime
	switch {
	case x == nil && y != nil:
		return 1
	case x != nil && y == nil:
		return -1
	case x.Equal(y):
		return cmp.Compare(a.Name, b.Name)
	}
	return x.Compare(y.Time)
}

func (s *cronSync) delete(job *batchv1.Job, why string) bool {
	err := s.decided(cronJobController, refTo("CronJob", s.cj), s.decision(why, refTo("Job", job)), func() error {
		return s.Client.Delete(job, metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)})
	})
	if err != nil {
		s.emit(corev1.EventTypeWarning, "FailedDelete", "Deleted job: %v", err)
		return false
	}
	s.drop(job.UID)
	s.emit(corev1.EventTypeNormal, "SuccessfulDelete", "Deleted job %v", job.Name)
	return true
}

// missed is how a CronJob stands at a moment.
type missed struct {
	since  time.Time // from when on starts count
	latest time.Time // the latest start that is due; zero: none
	starts int64     // how many are due, roughly
}

// many is when the controller complains (100 is more than a weekend of hourly Jobs).
func (m missed) many() bool { return m.starts > 100 }

// missedStarts finds the starts between the last one, or the CronJob's creation, and now. deadline leaves out those
// that startingDeadlineSeconds makes too late. An error is a schedule that never comes
// (pkg/controller/cronjob/utils.go, mostRecentScheduleTime).
func missedStarts(cj *batchv1.CronJob, now time.Time, schedule cron.Schedule, deadline bool) (missed, error) {
	m := missed{since: cj.CreationTimestamp.Time.UTC()}
	if cj.Status.LastScheduleTime != nil {
		m.since = cj.Status.LastScheduleTime.Time.UTC()
	}
	if limit := cj.Spec.StartingDeadlineSeconds; deadline && limit != nil {
		if from := now.Add(-time.Duration(*limit) * time.Second); from.After(m.since) {
			m.since = from
		}
	}
	one := schedule.Next(m.since)
	two := schedule.Next(one)
	switch {
	case now.Before(one):
		return m, nil
	case now.Before(two):
		m.latest = one
		return m, nil
	}
	apart := int64(two.Sub(one).Round(time.Second).Seconds())
	if apart < 1 {
		return m, errors.New("time difference between two schedules is less than 1 second")
	}
	// Schedules are uneven: the estimate goes back one interval, and the schedule itself goes on from there.
	m.starts = int64(now.Sub(one).Seconds())/apart + 1
	for t := schedule.Next(one.Add(time.Duration((m.starts-2)*apart) * time.Second)); !t.After(now); t = schedule.Next(t) {
		m.latest = t
	}
	return m, nil
}

// untilNext is how long to wait until the next start.
func untilNext(cj *batchv1.CronJob, now time.Time, schedule cron.Schedule) time.Duration {
	m, err := missedStarts(cj, now, schedule, false)
	from := m.latest
	switch {
	case err != nil || m.latest.IsZero() && m.starts > 0:
		from = now
	case m.latest.IsZero():
		from = m.since
	}
	return max(time.Millisecond, schedule.Next(from).Add(cronPadding).Sub(now))
}
