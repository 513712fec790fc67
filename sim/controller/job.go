package controller

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const (
	jobController = "job-controller"
	// jobBatch is how long what happens to a Job's pods waits for more of it (SyncJobBatchPeriod).
	jobBatch = time.Second
	// orphanKey begins the keys of pods that nobody counts and that still have the finalizer.
	orphanKey = "orphan/"
)

// jobs runs the pods of each Job until enough of them have succeeded, or too many have failed
// (pkg/controller/job). Each pod bears a finalizer until it is counted, once: its end is noted in the
// status (uncountedTerminatedPods), then the finalizer goes, then the counters rise.
//
// What it remembers is the backoff after failures: of pods that may be gone.
type jobs struct {
	Env
	backoff map[types.UID]jobBackoff
	orphans orphans
}

func newJobs(env Env) Component {
	c := &jobs{Env: env}
	env.Queue.Pace(time.Second, time.Minute) // job_controller.go: DefaultJobApiBackOff, MaxJobApiBackOff
	c.forget()
	return c
}

func (c *jobs) forget() {
	c.backoff, c.orphans = map[types.UID]jobBackoff{}, findOrphans(c.Client)
}

// Save keeps the backoffs.
func (c *jobs) Save() any { return c.backoff }

// Load puts them back.
func (c *jobs) Load(data json.RawMessage) error { return json.Unmarshal(data, &c.backoff) }

func (c *jobs) Observe(e apiserver.Event) {
	switch o := subject(e).(type) {
	case *batchv1.Job:
		c.observeJob(e, o)
	case *corev1.Pod:
		c.orphans.note(o, e.Type == watch.Deleted)
		c.observePod(e, o)
	}
}

func (c *jobs) observeJob(e apiserver.Event, job *batchv1.Job) {
	switch {
	case e.Type == watch.Modified && jobFinished(job):
		c.orphansOf(job)
	case e.Type == watch.Modified && e.Old.GetGeneration() == e.New.GetGeneration():
		c.Queue.Add(keyOf(job), jobBatch)
	default:
		c.soon(keyOf(job))
		if e.Type == watch.Deleted {
			c.orphansOf(job)
		}
	}
}

// orphansOf looks at the pods of a Job that is over, one way or the other: their finalizers are to go.
func (c *jobs) orphansOf(job *batchv1.Job) {
	for pod := range apiserver.Owned[*corev1.Pod](c.Client, job.UID) {
		if tracked(pod) {
			c.soon(orphanKey + keyOf(pod))
		}
	}
}

func (c *jobs) observePod(e apiserver.Event, pod *corev1.Pod) {
	ref := metav1.GetControllerOfNoCopy(pod)
	if e.Type == watch.Modified {
		if was := metav1.GetControllerOfNoCopy(e.Old); was != nil && (ref == nil || ref.UID != was.UID) {
			if job := c.named(pod.Namespace, was); job != nil {
				c.Queue.Add(keyOf(job), jobBatch)
			}
		}
	}
	if ref != nil {
		job := c.named(pod.Namespace, ref)
		switch {
		case ref.Kind != "Job":
		case (job == nil || jobFinished(job)) && e.Type != watch.Deleted && pod.DeletionTimestamp != nil && tracked(pod):
			c.soon(orphanKey + keyOf(pod))
		case job != nil:
			c.Queue.Add(keyOf(job), jobBatch)
		}
		return
	}
	if e.Type == watch.Deleted {
		return
	}
	if tracked(pod) {
		c.soon(orphanKey + keyOf(pod))
	}
	if e.Type == watch.Modified && equality.Semantic.DeepEqual(e.Old.GetLabels(), pod.Labels) && len(e.Old.GetOwnerReferences()) == len(pod.OwnerReferences) {
		return
	}
	for job := range apiserver.List[*batchv1.Job](c.Client, pod.Namespace) {
		if s, err := selectorOf(job.Spec.Selector); err == nil && s.Matches(labels.Set(pod.Labels)) {
			c.Queue.Add(keyOf(job), jobBatch)
		}
	}
}

// named is the Job that a reference names.
func (c *jobs) named(namespace string, ref *metav1.OwnerReference) *batchv1.Job {
	if ref.Kind != "Job" {
		return nil
	}
	job, ok := apiserver.Get[*batchv1.Job](c.Client, namespace, ref.Name)
	if !ok || job.UID != ref.UID {
		return nil
	}
	return job
}

func (c *jobs) Resync() {
	c.forget()
	for job := range apiserver.List[*batchv1.Job](c.Client, "") {
		c.soon(keyOf(job))
	}
	for pod := range apiserver.List[*corev1.Pod](c.Client, "") {
		if ref := metav1.GetControllerOfNoCopy(pod); tracked(pod) && (ref == nil || ref.Kind == "Job" && c.named(pod.Namespace, ref) == nil) {
			c.soon(orphanKey + keyOf(pod))
		}
	}
}

func tracked(pod *corev1.Pod) bool {
	return slices.Contains(pod.Finalizers, batchv1.JobTrackingFinalizer)
}

func jobCondition(job *batchv1.Job, t batchv1.JobConditionType) *batchv1.JobCondition {
	for i := range job.Status.Conditions {
		if job.Status.Conditions[i].Type == t {
			return &job.Status.Conditions[i]
		}
	}
	return nil
}

func jobIs(job *batchv1.Job, t batchv1.JobConditionType) bool {
	c := jobCondition(job, t)
	return c != nil && c.Status == corev1.ConditionTrue
}

func jobFinished(job *batchv1.Job) bool {
	return jobIs(job, batchv1.JobComplete) || jobIs(job, batchv1.JobFailed)
}

func suspended(job *batchv1.Job) bool { return ptr.Deref(job.Spec.Suspend, false) }

// elsewhere says whether another than this controller looks after a Job.
func elsewhere(job *batchv1.Job) bool {
	return job.Spec.ManagedBy != nil && *job.Spec.ManagedBy != batchv1.JobControllerName
}

func (c *jobs) Sync(key string) error {
	if len(key) > len(orphanKey) && key[:len(orphanKey)] == orphanKey {
		return c.syncOrphan(key[len(orphanKey):])
	}
	job, ok := apiserver.Get[*batchv1.Job](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok {
		c.dropBackoffs()
		return nil
	}
	if elsewhere(job) {
		return nil
	}
	if jobFinished(job) {
		delete(c.backoff, job.UID)
		return nil
	}
	pods, err := c.claimed(job)
	if err != nil {
		return err
	}
	r := &jobRound{jobs: c, key: key, job: job.DeepCopy(), pods: pods, now: c.Queue.Now()}
	return r.do()
}

// dropBackoffs forgets those of Jobs that are gone.
func (c *jobs) dropBackoffs() {
	known := map[types.UID]bool{}
	for job := range apiserver.List[*batchv1.Job](c.Client, "") {
		known[job.UID] = true
	}
	for uid := range c.backoff {
		if !known[uid] {
			delete(c.backoff, uid)
		}
	}
}

// syncOrphan takes the finalizer off a pod that no Job will count.
func (c *jobs) syncOrphan(key string) error {
	pod, ok := apiserver.Get[*corev1.Pod](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok || !tracked(pod) {
		return nil
	}
	if ref := metav1.GetControllerOfNoCopy(pod); ref != nil {
		if ref.Kind != "Job" || ref.APIVersion != batchv1.SchemeGroupVersion.String() {
			return nil
		}
		if job := c.named(pod.Namespace, ref); job != nil && (elsewhere(job) || !jobFinished(job)) {
			return nil
		}
	}
	return c.untrack(pod)
}

// untrack takes the finalizer off a pod: it is counted.
func (c *jobs) untrack(pod *corev1.Pod) error {
	present, ok := apiserver.Get[*corev1.Pod](c.Client, pod.Namespace, pod.Name)
	if !ok || present.UID != pod.UID || !tracked(present) {
		return nil
	}
	fresh := *present // shallow: only the list of finalizers is another
	fresh.Finalizers = slices.DeleteFunc(slices.Clone(present.Finalizers), func(f string) bool { return f == batchv1.JobTrackingFinalizer })
	_, err := c.Client.Update(&fresh)
	return gone(err)
}

// claimed are the Job's pods, with those it adopts now and without those it releases.
func (c *jobs) claimed(job *batchv1.Job) (pods []*corev1.Pod, err error) {
	selector, err := selectorOf(job.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("couldn't convert Job selector: %w", err)
	}
	claim := claimer{Env: c.Env, actor: jobController, kind: "Job", owner: job, object: "Pod", finalizer: batchv1.JobTrackingFinalizer,
		ref: *metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))}
	consider := func(pod *corev1.Pod) {
		mine, claimErr := claim.claim(pod, selector.Matches(labels.Set(pod.Labels)))
		if claimErr != nil {
			err = claimErr
		}
		if fresh, ok := apiserver.Get[*corev1.Pod](c.Client, pod.Namespace, pod.Name); ok && mine {
			pods = append(pods, fresh)
		}
	}
	for pod := range apiserver.Owned[*corev1.Pod](c.Client, job.UID) {
		consider(pod)
	}
	for pod := range c.orphans.in(c.Client, job.Namespace) {
		consider(pod)
	}
	return pods, err
}

// ended records how a Job ends.
func (c *jobs) ended(job *batchv1.Job, what string, do func() error) error {
	d := trace.Decision{What: what, Desired: int64(ptr.Deref(job.Spec.Completions, 1)), Actual: int64(job.Status.Succeeded), Count: int64(job.Status.Failed)}
	return c.decided(jobController, refTo("Job", job), d, do)
}
