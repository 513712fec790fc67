package controller

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// indexes are those of an Indexed Job that have succeeded, or failed, as intervals in order
// (pkg/controller/job/indexed_job_utils.go).
type indexes []interval

type interval struct{ first, last int }

// parseIndexes reads a list as a status has it: 1,3-5. What is beyond the completions is left out, as is what is none.
func parseIndexes(list string, completions int) (all indexes) {
	if list == "" {
		return nil
	}
	for part := range strings.SplitSeq(list, ",") {
		from, to, ranged := strings.Cut(part, "-")
		first, err := strconv.Atoi(from)
		if err != nil {
			continue
		}
		if first >= completions {
			break
		}
		last := first
		if ranged {
			if last, err = strconv.Atoi(to); err != nil {
				continue
			}
			last = min(last, completions-1)
		}
		if n := len(all); n > 0 && all[n-1].last == first-1 {
			all[n-1].last = last
		} else {
			all = append(all, interval{first, last})
		}
	}
	return all
}

// String is the shortest list: two in a row are written with a comma.
func (x indexes) String() string {
	var b strings.Builder
	for i, v := range x {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(v.first))
		switch {
		case v.last == v.first+1:
			b.WriteString("," + strconv.Itoa(v.last))
		case v.last > v.first:
			b.WriteString("-" + strconv.Itoa(v.last))
		}
	}
	return b.String()
}

func (x indexes) total() (n int) {
	for _, v := range x {
		n += v.last - v.first + 1
	}
	return n
}

// find is where the first interval is that does not end before i.
func (x indexes) find(i int) int {
	at, _ := slices.BinarySearchFunc(x, i, func(v interval, i int) int { return cmp.Compare(v.last, i) })
	return at
}

func (x indexes) has(i int) bool {
	at := x.find(i)
	return at < len(x) && x[at].first <= i
}

// with is x and one more.
func (x indexes) with(i int) indexes {
	if x.has(i) {
		return x
	}
	at := x.find(i)
	all := slices.Insert(slices.Clone(x), at, interval{i, i})
	if at+1 < len(all) && all[at+1].first == i+1 {
		all[at].last = all[at+1].last
		all = slices.Delete(all, at+1, at+2)
	}
	if at > 0 && all[at-1].last == i-1 {
		all[at-1].last = all[at].last
		all = slices.Delete(all, at, at+1)
	}
	return all
}

func jobIndexed(job *batchv1.Job) bool {
	return ptr.Deref(job.Spec.CompletionMode, batchv1.NonIndexedCompletion) == batchv1.IndexedCompletion
}

// completionIndex is a pod's, or −1.
func completionIndex(pod *corev1.Pod) int {
	i, err := strconv.Atoi(pod.Annotations[batchv1.JobCompletionIndexAnnotation])
	if err != nil || i < 0 {
		return -1
	}
	return i
}

// pendingIndexes are the first n that have neither succeeded nor failed and that no pod is at work on.
func (r *jobRound) pendingIndexes(n int) (pending []int) {
	busy := map[int]bool{}
	for _, pod := range r.pods {
		if podActive(pod) || r.replacesFailedOnly() && podTerminating(pod) {
			busy[completionIndex(pod)] = true
		}
	}
	for i := 0; i < int(*r.job.Spec.Completions) && len(pending) < n; i++ {
		if at := r.done.find(i); at < len(r.done) && r.done[at].first <= i {
			i = r.done[at].last
			continue
		}
		if !busy[i] && (r.lost == nil || !r.lost.has(i)) {
			pending = append(pending, i)
		}
	}
	return pending
}

// misplaced tells the pods apart that have no index, one too high, or one that another has too.
func (r *jobRound) misplaced(pods []*corev1.Pod) (rm, left []*corev1.Pod) {
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int { return completionIndex(a) - completionIndex(b) })
	for len(pods) > 0 {
		i, n := completionIndex(pods[0]), 1
		for n < len(pods) && completionIndex(pods[n]) == i {
			n++
		}
		same := pods[:n]
		pods = pods[n:]
		if i < 0 || i >= int(*r.job.Spec.Completions) {
			rm = append(rm, same...)
			continue
		}
		if n > 1 {
			leastFarFirst(same)
		}
		rm, left = append(rm, same[:n-1]...), append(left, same[n-1])
	}
	return rm, left
}

// indexFailed says whether a pod's failure is the end of its index.
func (r *jobRound) indexFailed(pod *corev1.Pod) bool {
	if !r.podFailed(pod) {
		return false
	}
	p := r.policy(pod)
	if p.action == batchv1.PodFailurePolicyActionFailIndex {
		return true
	}
	return p.counts && countOf(pod, batchv1.JobIndexFailureCountAnnotation) >= *r.job.Spec.BackoffLimitPerIndex
}

// keepFailed finds, for each index that nobody works on, the failed pod whose count of failures the next one takes over.
func (r *jobRound) keepFailed() {
	active := map[int]bool{}
	for _, pod := range r.active {
		active[completionIndex(pod)] = true
	}
	r.kept = map[int]*corev1.Pod{}
	for _, pod := range r.pods {
		i := completionIndex(pod)
		if !r.counts(pod) || !r.podFailed(pod) || r.done.has(i) || r.lost.has(i) || active[i] {
			continue
		}
		last := r.kept[i]
		if last == nil || absoluteFailures(last) <= absoluteFailures(pod) && !endedAt(pod).Before(endedAt(last)) {
			r.kept[i] = pod
		}
	}
}

func absoluteFailures(pod *corev1.Pod) int32 {
	return countOf(pod, batchv1.JobIndexFailureCountAnnotation) + countOf(pod, batchv1.JobIndexIgnoredFailureCountAnnotation)
}

// countOf reads a count in an annotation; 0 where there is none.
func countOf(pod *corev1.Pod, annotation string) int32 {
	n, err := strconv.ParseInt(pod.Annotations[annotation], 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int32(n)
}

// inheritFailures writes into a template how often its index has failed.
func (r *jobRound) inheritFailures(template *corev1.PodTemplateSpec, before *corev1.Pod) {
	var failed, ignored int32
	if before != nil {
		failed, ignored = countOf(before, batchv1.JobIndexFailureCountAnnotation), countOf(before, batchv1.JobIndexIgnoredFailureCountAnnotation)
		if r.policy(before).counts {
			failed++
		} else {
			ignored++
		}
	}
	template.Annotations[batchv1.JobIndexFailureCountAnnotation] = strconv.Itoa(int(failed))
	if ignored > 0 {
		template.Annotations[batchv1.JobIndexIgnoredFailureCountAnnotation] = strconv.Itoa(int(ignored))
	}
}
