package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"timonier/sim/trace"
)

const (
	mostJobPods     = 500 // created or deleted in one round
	firstJobBackoff = 10 * time.Second
	mostJobBackoff  = 10 * time.Minute
)

// jobBackoff is what a Job's next pods wait for: failures since the last success, and the last of them.
type jobBackoff struct {
	Failures int32     `json:"failures,omitempty"`
	Last     time.Time `json:"last,omitzero"`
}

// after is the backoff once pods have ended (pkg/controller/job/backoff_utils.go).
func (b jobBackoff) after(succeeded, failed []*corev1.Pod) jobBackoff {
	if len(succeeded) == 0 && len(failed) == 0 {
		return b
	}
	var success time.Time
	for _, pod := range succeeded {
		if at := endedAt(pod); at.After(success) {
			success = at
		}
	}
	if len(succeeded) > 0 {
		b = jobBackoff{}
	}
	for _, pod := range failed {
		at := endedAt(pod)
		if len(succeeded) > 0 && !at.After(success) {
			continue
		}
		b.Failures++
		if at.After(b.Last) {
			b.Last = at
		}
	}
	return b
}

// left is how much of the wait is left: 10 s after one failure, doubled with each, ten minutes at most.
func (b jobBackoff) left(now time.Time) time.Duration {
	if b.Failures == 0 {
		return 0
	}
	wait := firstJobBackoff
	for i := int32(1); i < b.Failures && wait < mostJobBackoff; i++ {
		wait *= 2
	}
	return max(0, min(wait, mostJobBackoff)-now.Sub(b.Last))
}

// endedAt is when a pod ended: with the last of its containers, else when it was no longer ready, else when it was
// asked to go, else when it was made.
func endedAt(pod *corev1.Pod) time.Time {
	if at, ok := containersEnded(pod); ok {
		return at
	}
	if c := podCondition(&pod.Status, corev1.PodReady); c != nil && c.Status == corev1.ConditionFalse && !c.LastTransitionTime.IsZero() {
		return c.LastTransitionTime.Time
	}
	if pod.DeletionTimestamp != nil {
		return pod.DeletionTimestamp.Add(-time.Duration(ptr.Deref(pod.DeletionGracePeriodSeconds, 0)) * time.Second)
	}
	return pod.CreationTimestamp.Time
}

func containersEnded(pod *corev1.Pod) (last time.Time, ok bool) {
	stays := func(name string) bool { // a sidecar ends after the others
		return slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool {
			return c.Name == name && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		})
	}
	all := slices.Clone(pod.Status.ContainerStatuses)
	for _, s := range pod.Status.InitContainerStatuses {
		if stays(s.Name) {
			all = append(all, s)
		}
	}
	for _, s := range all {
		if s.State.Terminated == nil || s.State.Terminated.FinishedAt.IsZero() {
			return last, false
		}
		if at := s.State.Terminated.FinishedAt.Time; at.After(last) {
			last = at
		}
	}
	return last, len(all) > 0
}

// manage creates the pods that are missing, or deletes those that are too many; it returns how many are active then.
func (r *jobRound) manage() (active int32, err error) {
	active = int32(len(r.active))
	if suspended(r.job) {
		return r.deletePods(r.removable(len(r.active)), 0)
	}
	want := r.wanted()
	if rm := r.removable(int(max(0, active-want))); len(rm) > 0 {
		return r.deletePods(rm[:min(len(rm), mostJobPods)], want)
	}
	missing := want - active
	if r.replacesFailedOnly() {
		missing -= r.terminating
	}
	if missing <= 0 {
		return active, nil
	}
	indexes, wait := r.creatable(int(min(missing, mostJobPods)))
	if wait > 0 {
		r.Queue.Add(r.key, wait)
		return active, nil
	}
	if len(indexes) == 0 {
		return active, nil
	}
	d := trace.Decision{What: CreatePods, Desired: int64(want), Actual: int64(active), Count: int64(len(indexes))}
	err = r.decided(jobController, refTo("Job", r.job), d, func() error {
		return slowStart(len(indexes), func() error {
			i := indexes[0]
			indexes = indexes[1:]
			made, err := r.create(i)
			if made {
				active++
			}
			return err
		})
	})
	return active, err
}

// wanted is how many pods are to be active: as many as may be in parallel, and no more than are left to complete.
func (r *jobRound) wanted() int32 {
	spec := &r.job.Spec
	switch {
	case spec.Completions != nil:
		return max(0, min(*spec.Completions-r.succeeded, *spec.Parallelism))
	case r.succeeded > 0:
		return int32(len(r.active))
	}
	return *spec.Parallelism
}

// creatable are the indexes of the pods to create now, −1 for those without; or how long to wait until one can be.
func (r *jobRound) creatable(n int) (which []int, wait time.Duration) {
	perIndex := r.job.Spec.BackoffLimitPerIndex != nil
	if !perIndex {
		if wait = r.backedOff.left(r.now); wait > 0 {
			return nil, wait
		}
	}
	if !jobIndexed(r.job) {
		return slices.Repeat([]int{-1}, n), 0
	}
	pending := r.pendingIndexes(n)
	if !perIndex {
		return pending, 0
	}
	for _, i := range pending {
		left := time.Duration(0)
		if last := r.kept[i]; last != nil {
			left = jobBackoff{Failures: absoluteFailures(last) + 1, Last: endedAt(last)}.left(r.now)
		}
		switch {
		case left == 0:
			which = append(which, i)
		case wait == 0 || left < wait:
			wait = left
		}
	}
	if len(which) > 0 {
		wait = 0
	}
	return which, wait
}

// create makes one pod from the template, of an index or −1; made says whether there is one more.
func (r *jobRound) create(index int) (made bool, err error) {
	job, template := r.job, r.job.Spec.Template.DeepCopy()
	prefix := podPrefix(job.Name)
	if !slices.Contains(template.Finalizers, batchv1.JobTrackingFinalizer) {
		template.Finalizers = append(template.Finalizers, batchv1.JobTrackingFinalizer)
	}
	if index >= 0 {
		prefix = r.indexTemplate(template, index)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: job.Namespace, GenerateName: prefix,
			Labels: template.Labels, Annotations: template.Annotations, Finalizers: template.Finalizers,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: template.Spec,
	}
	stored, err := r.Client.Create(pod)
	switch {
	case err == nil:
		r.Client.Emit(job, corev1.EventTypeNormal, "SuccessfulCreate", "Created pod: "+stored.GetName())
		return true, nil
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return true, nil // the Job goes too: as the real one counts it
	}
	r.Client.Emit(job, corev1.EventTypeWarning, "FailedCreate", fmt.Sprintf("Error creating: %v", err))
	return false, err
}

// indexTemplate gives a pod its index in every way in which it can be asked for; it returns the prefix of its name.
func (r *jobRound) indexTemplate(template *corev1.PodTemplateSpec, index int) (prefix string) {
	text := strconv.Itoa(index)
	if template.Annotations == nil {
		template.Annotations = map[string]string{}
	}
	template.Annotations[batchv1.JobCompletionIndexAnnotation] = text
	template.Labels[batchv1.JobCompletionIndexAnnotation] = text
	template.Spec.Hostname = r.job.Name + "-" + text
	for _, list := range [][]corev1.Container{template.Spec.InitContainers, template.Spec.Containers} {
		for i := range list {
			addIndexVariable(&list[i])
		}
	}
	if r.job.Spec.BackoffLimitPerIndex != nil {
		r.inheritFailures(template, r.kept[index])
	}
	const longest = 58 // of a name before its random end (registry/names, MaxGeneratedNameLength)
	prefix = "-" + text + "-"
	return r.job.Name[:min(len(r.job.Name), longest-len(prefix))] + prefix
}

func addIndexVariable(c *corev1.Container) {
	const name = "JOB_COMPLETION_INDEX"
	if slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name }) {
		return
	}
	c.Env = append(c.Env, corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{FieldPath: fmt.Sprintf("metadata.labels['%s']", batchv1.JobCompletionIndexAnnotation)}}})
}

// removable are the active pods to delete: of an Indexed Job those whose index is none or another's, and as many more
// as asked, those first that have got least far.
func (r *jobRound) removable(atLeast int) []*corev1.Pod {
	rm, left := []*corev1.Pod(nil), slices.Clone(r.active)
	if jobIndexed(r.job) {
		rm, left = r.misplaced(left)
	}
	if n := atLeast - len(rm); n > 0 {
		leastFarFirst(left)
		rm = append(rm, left[:min(n, len(left))]...)
	}
	return rm
}

// leastFarFirst is the order of pkg/controller/controller_utils.go, ActivePods.
func leastFarFirst(pods []*corev1.Pod) {
	no := func(b bool) int { return map[bool]int{true: 1}[b] }
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int {
		if c := cmp.Or(no(a.Spec.NodeName != "")-no(b.Spec.NodeName != ""), phaseRank(a)-phaseRank(b), no(podReady(a))-no(podReady(b))); c != 0 {
			return c
		}
		if podReady(a) {
			if c := readySince(b).Compare(readySince(a)); c != 0 {
				return c
			}
		}
		x, y := restarts(a), restarts(b)
		return cmp.Or(cmp.Compare(y[0], x[0]), cmp.Compare(y[1], x[1]), b.CreationTimestamp.Compare(a.CreationTimestamp.Time))
	})
}

// deletePods deletes active pods that are too many, without counting them; it returns how many are active then.
func (r *jobRound) deletePods(pods []*corev1.Pod, want int32) (active int32, err error) {
	active = int32(len(r.active))
	if len(pods) == 0 {
		return active, nil
	}
	d := trace.Decision{What: DeletePods, Desired: int64(want), Actual: int64(active), Count: int64(len(pods))}
	err = r.decided(jobController, refTo("Job", r.job), d, func() (failed error) {
		for _, pod := range pods {
			if err := r.untrack(pod); err != nil {
				failed = err
				continue
			}
			if err := r.deletePod(pod); err != nil {
				failed = err
				continue
			}
			active--
			r.terminating++
			if podReady(pod) {
				r.ready--
			}
		}
		return failed
	})
	return active, err
}

// endActive deletes the active pods of a Job that ends; they keep their finalizers until they are counted.
func (r *jobRound) endActive() (deleted int32, failed error) {
	for _, pod := range r.active {
		if err := r.deletePod(pod); err != nil {
			failed = err
			continue
		}
		deleted++
		if podReady(pod) {
			r.ready--
		}
	}
	r.terminating += deleted
	return deleted, failed
}

func (r *jobRound) deletePod(pod *corev1.Pod) error {
	err := r.Client.Delete(pod, metav1.DeleteOptions{})
	switch {
	case err == nil:
		r.Client.Emit(r.job, corev1.EventTypeNormal, "SuccessfulDelete", "Deleted pod: "+pod.Name)
	case !apierrors.IsNotFound(err):
		r.Client.Emit(r.job, corev1.EventTypeWarning, "FailedDelete", fmt.Sprintf("Error deleting: %v", err))
		return fmt.Errorf("unable to delete pods: %w", err)
	}
	return nil
}
