package bot

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"timonier/content"
	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/trace"
)

// tally is how far the pods have come that a command asked for.
type tally struct {
	wanted, placed, ready int
	old                   int // ready pods of a Deployment's older ReplicaSets
	jobs                  jobTally
	pods                  []*corev1.Pod
	waiting               *corev1.Pod // the first that has no node
	stuck                 *corev1.Pod // the first whose container will not run, and why
	why                   string
	busy                  content.News // what the others are doing
}

// jobTally is how far Jobs have come.
type jobTally struct {
	wanted, succeeded, active, failed int
	ended                             bool // all of them: nothing more will come
}

// progress says in a sentence what the change led to so far, and what is waited for. The
// reply is one to follow while there is something to wait for.
func (c *call) progress(r Reply, cl *sim.Cluster, written []trace.Ref) Reply {
	t := tallyOf(cl, written)
	leaving := leaving(cl)
	if going := t.wanted > t.ready || t.jobs.wanted > 0 && !t.jobs.ended || t.wanted+t.jobs.wanted == 0 && leaving > 0; going && !c.channel.clock.Paused {
		r.Follow = &Follow{Objects: written, Blocks: len(r.Blocks)}
	} else {
		r.Follow = nil
	}
	if j := t.jobs; j.wanted > 0 {
		r.Blocks = append(r.Blocks, Text{c.news(content.NewsJob, content.Facts{Count: int64(j.active)}) + c.failures(j)},
			Meter{Label: c.news(content.NewsJobDone, content.Facts{Actual: int64(j.succeeded), Desired: int64(j.wanted)}), Done: j.succeeded, Total: j.wanted})
	}
	switch {
	case t.jobs.wanted > 0 && t.wanted == 0:
	case t.wanted > 0 && t.ready >= t.wanted:
		r.Blocks = append(r.Blocks, Text{c.news(content.NewsDone, content.Facts{Desired: int64(t.wanted)})})
	case t.wanted > 0:
		text := c.state(t)
		if t.old > 0 {
			text += " " + c.news(content.NewsOlder, content.Facts{Count: int64(t.old)})
		}
		r.Blocks = append(r.Blocks, Text{text},
			Meter{Label: c.news(content.NewsReady, content.Facts{Actual: int64(t.ready), Desired: int64(t.wanted)}), Done: t.ready, Total: t.wanted})
	case leaving > 0:
		r.Blocks = append(r.Blocks, Text{c.news(content.NewsLeaving, content.Facts{Count: int64(leaving)})})
	}
	why := Button{Label: c.say("button.why"), Line: c.typed("why")}
	if t.waiting != nil {
		why.Line = c.typed("why", podName(t.waiting))
	}
	return c.withUpdate(r.with(why).with(Button{Label: c.say("button.cluster"), Line: c.typed("cluster")}), cl, written)
}

// failures says how many pods of Jobs have failed, if any.
func (c *call) failures(j jobTally) string {
	if j.failed == 0 {
		return ""
	}
	return " " + c.news(content.NewsJobFailed, content.Facts{Count: int64(j.failed)})
}

// news is how far things have come, in the words of the learner's lens.
func (c *call) news(n content.News, f content.Facts) string { return c.lens().News(c.course(), n, f) }

// state is the sentence: what is placed, what is in the way, what is being done.
func (c *call) state(t tally) string {
	text := c.news(content.NewsPlaced, content.Facts{Desired: int64(t.wanted), Actual: int64(t.placed)})
	switch {
	case t.waiting != nil:
		return text + " " + c.news(content.NewsWaiting, content.Facts{Count: int64(t.wanted - t.placed), Name: t.waiting.Name})
	case t.stuck != nil:
		return text + " " + c.news(content.NewsStuck, content.Facts{Name: t.stuck.Name, Reason: t.why})
	case t.busy == "":
		return text
	}
	return text + " " + c.news(t.busy, content.Facts{})
}

// tallyOf counts the pods of what was written.
func tallyOf(cl *sim.Cluster, refs []trace.Ref) tally {
	var t tally
	client := cl.Client()
	for _, ref := range refs {
		switch ref.Kind {
		case "Deployment":
			if d, ok := apiserver.Get[*appsv1.Deployment](client, ref.Namespace, ref.Name); ok && d.DeletionTimestamp == nil {
				t.wanted += replicas(d.Spec.Replicas)
				for rs := range apiserver.Owned[*appsv1.ReplicaSet](client, d.UID) {
					if sameTemplate(d, rs) {
						t.count(cl, rs.UID)
					} else {
						t.old += readyOf(cl, rs.UID)
					}
				}
			}
		case "ReplicaSet":
			if rs, ok := apiserver.Get[*appsv1.ReplicaSet](client, ref.Namespace, ref.Name); ok && rs.DeletionTimestamp == nil {
				t.wanted += replicas(rs.Spec.Replicas)
				t.count(cl, rs.UID)
			}
		case "StatefulSet":
			if s, ok := apiserver.Get[*appsv1.StatefulSet](client, ref.Namespace, ref.Name); ok && s.DeletionTimestamp == nil {
				t.wanted += replicas(s.Spec.Replicas)
				t.count(cl, s.UID)
			}
		case "DaemonSet":
			if d, ok := apiserver.Get[*appsv1.DaemonSet](client, ref.Namespace, ref.Name); ok && d.DeletionTimestamp == nil {
				before := len(t.pods)
				t.count(cl, d.UID)
				t.wanted += max(int(d.Status.DesiredNumberScheduled), len(t.pods)-before)
			}
		case "Job":
			if j, ok := apiserver.Get[*batchv1.Job](client, ref.Namespace, ref.Name); ok && j.DeletionTimestamp == nil {
				t.jobs.add(j)
			}
		case "Pod":
			if p, ok := apiserver.Get[*corev1.Pod](client, ref.Namespace, ref.Name); ok && p.DeletionTimestamp == nil {
				t.wanted++
				t.add(cl, p)
			}
		}
	}
	return t
}

// add counts a Job.
func (t *jobTally) add(j *batchv1.Job) {
	ended := slices.ContainsFunc(j.Status.Conditions, func(c batchv1.JobCondition) bool {
		return (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue
	})
	wanted := replicas(j.Spec.Completions)
	if j.Spec.Completions == nil { // as many as it takes: one success ends it
		wanted = replicas(j.Spec.Parallelism)
	}
	t.ended = ended && (t.ended || t.wanted == 0)
	t.wanted += wanted
	t.succeeded += int(j.Status.Succeeded)
	t.active += int(j.Status.Active)
	t.failed += int(j.Status.Failed)
}

// readyOf counts the pods of an owner that serve.
func readyOf(cl *sim.Cluster, owner types.UID) (n int) {
	for p := range apiserver.Owned[*corev1.Pod](cl.Client(), owner) {
		if p.DeletionTimestamp == nil && isReady(p) {
			n++
		}
	}
	return n
}

func replicas(n *int32) int {
	if n == nil {
		return 1
	}
	return int(*n)
}

// sameTemplate says that a ReplicaSet is the Deployment's newest: its images are those asked for.
func sameTemplate(d *appsv1.Deployment, rs *appsv1.ReplicaSet) bool {
	const revision = "deployment.kubernetes.io/revision"
	return d.Annotations[revision] == "" || d.Annotations[revision] == rs.Annotations[revision]
}

func (t *tally) count(cl *sim.Cluster, owner types.UID) {
	for p := range apiserver.Owned[*corev1.Pod](cl.Client(), owner) {
		if p.DeletionTimestamp == nil {
			t.add(cl, p)
		}
	}
}

func (t *tally) add(cl *sim.Cluster, p *corev1.Pod) {
	t.pods = append(t.pods, p)
	if p.Spec.NodeName == "" {
		if t.waiting == nil {
			t.waiting = p
		}
		return
	}
	t.placed++
	if isReady(p) {
		t.ready++
		return
	}
	if reason := troubled(p); reason != "" && t.stuck == nil {
		t.stuck, t.why = p, reason
	}
	if t.busy == "" {
		t.busy = doing(p)
	}
}

// doing is what a placed pod is busy with.
func doing(p *corev1.Pod) content.News {
	for _, s := range p.Status.ContainerStatuses {
		if s.State.Running != nil && !s.Ready {
			return content.NewsProbing
		}
	}
	return content.NewsPulling
}

// troubled is why a container does not run, where it should.
func troubled(p *corev1.Pod) string {
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if w := s.State.Waiting; w != nil && w.Reason != "" && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
			return w.Reason
		}
	}
	return ""
}

// leaving is how many pods are on their way out.
func leaving(cl *sim.Cluster) int {
	n := 0
	for p := range apiserver.List[*corev1.Pod](cl.Client(), "") {
		if p.DeletionTimestamp != nil {
			n++
		}
	}
	return n
}

// podName is a pod as it is typed: with its namespace where that is not the default.
func podName(p metav1.Object) string {
	if p.GetNamespace() == metav1.NamespaceDefault {
		return p.GetName()
	}
	return p.GetNamespace() + "/" + p.GetName()
}
