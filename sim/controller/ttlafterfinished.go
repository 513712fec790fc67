package controller

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

const ttlAfterFinishedController = "ttl-after-finished-controller"

// ttlAfterFinished deletes Jobs when the time is over for which they are kept once they have ended
// (pkg/controller/ttlafterfinished).
type ttlAfterFinished struct{ Env }

func newTTLAfterFinished(env Env) Component { return &ttlAfterFinished{env} }

func (c *ttlAfterFinished) Observe(e apiserver.Event) {
	if job, ok := e.New.(*batchv1.Job); ok && e.Type != watch.Deleted && expires(job) {
		c.soon(keyOf(job))
	}
}

func (c *ttlAfterFinished) Resync() {
	for job := range apiserver.List[*batchv1.Job](c.Client, "") {
		if expires(job) {
			c.soon(keyOf(job))
		}
	}
}

func expires(job *batchv1.Job) bool {
	return job.DeletionTimestamp == nil && job.Spec.TTLSecondsAfterFinished != nil && jobFinished(job)
}

func (c *ttlAfterFinished) Sync(key string) error {
	job, ok := apiserver.Get[*batchv1.Job](c.Client, first(splitKey(key)), second(splitKey(key)))
	if !ok || !expires(job) {
		return nil
	}
	end := jobCondition(job, batchv1.JobComplete)
	if end == nil || !jobIs(job, batchv1.JobComplete) {
		end = jobCondition(job, batchv1.JobFailed)
	}
	kept := time.Duration(*job.Spec.TTLSecondsAfterFinished) * time.Second
	if left := end.LastTransitionTime.Add(kept).Sub(c.Queue.Now()); left > 0 {
		c.Queue.Add(key, left)
		return nil
	}
	d := trace.Decision{What: ExpireJob, Count: 1, Note: kept.String()}
	return c.decided(ttlAfterFinishedController, refTo("Job", job), d, func() error {
		return gone(c.Client.Delete(job, metav1.DeleteOptions{
			PropagationPolicy: ptr.To(metav1.DeletePropagationForeground), Preconditions: metav1.NewUIDPreconditions(string(job.UID))}))
	})
}
