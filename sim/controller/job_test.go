package controller

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestJobBackoff(t *testing.T) {
	for _, c := range []struct {
		failures int32
		ago      time.Duration
		want     time.Duration
	}{
		{0, 0, 0}, {1, 0, 10 * time.Second}, {1, 4 * time.Second, 6 * time.Second}, {1, time.Minute, 0},
		{2, 0, 20 * time.Second}, {3, 0, 40 * time.Second}, {6, 0, 320 * time.Second}, {7, 0, 10 * time.Minute},
		{1000, 9 * time.Minute, time.Minute},
	} {
		if got := (jobBackoff{c.failures, noon.Add(-c.ago)}).left(noon); got != c.want {
			t.Errorf("%d failures, the last %v ago: %v, want %v", c.failures, c.ago, got, c.want)
		}
	}
}

func TestJobBackoffAfterPods(t *testing.T) {
	ended := func(at int, code int32) *corev1.Pod {
		finished := metav1.NewTime(noon.Add(time.Duration(at) * time.Second))
		return &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, FinishedAt: finished}}}}}}
	}
	before := jobBackoff{2, noon}
	for name, c := range map[string]struct {
		ok, failed []int
		want       jobBackoff
	}{
		"nothing new":                 {nil, nil, before},
		"one more":                    {nil, []int{5}, jobBackoff{3, noon.Add(5 * time.Second)}},
		"two more, the later counts":  {nil, []int{9, 5}, jobBackoff{4, noon.Add(9 * time.Second)}},
		"a success":                   {[]int{5}, nil, jobBackoff{}},
		"a failure before a success":  {[]int{5}, []int{4}, jobBackoff{}},
		"a failure after a success":   {[]int{5}, []int{4, 7}, jobBackoff{1, noon.Add(7 * time.Second)}},
		"failures around two of them": {[]int{5, 8}, []int{7, 9, 10}, jobBackoff{2, noon.Add(10 * time.Second)}},
	} {
		var ok, failed []*corev1.Pod
		for _, at := range c.ok {
			ok = append(ok, ended(at, 0))
		}
		for _, at := range c.failed {
			failed = append(failed, ended(at, 1))
		}
		if got := before.after(ok, failed); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestIndexes(t *testing.T) {
	for _, c := range []struct {
		list        string
		completions int
		want        string
		total       int
	}{
		{"", 5, "", 0}, {"0", 5, "0", 1}, {"0,1", 5, "0,1", 2}, {"0-2", 5, "0-2", 3}, {"0,1,2", 5, "0-2", 3}, {"1,3-5,7", 10, "1,3-5,7", 5},
		{"1,3-5,7", 5, "1,3,4", 3}, {"x,2", 5, "2", 1}, {"3-x", 5, "", 0}, {"7", 5, "", 0},
	} {
		got := parseIndexes(c.list, c.completions)
		if got.String() != c.want || got.total() != c.total {
			t.Errorf("%q of %d: %s, %d in all", c.list, c.completions, got, got.total())
		}
	}
}

// Indexes put in in any order are what a set of them would be.
func TestIndexesAreASet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := 1 + r.IntN(40)
		set := make([]bool, n)
		var x indexes
		for range r.IntN(2 * n) {
			i := r.IntN(n)
			set[i], x = true, x.with(i)
		}
		count := 0
		for i, in := range set {
			if x.has(i) != in {
				t.Fatalf("%s has %d: %v", x, i, x.has(i))
			}
			if in {
				count++
			}
		}
		if x.total() != count || parseIndexes(x.String(), n).String() != x.String() {
			t.Fatalf("%s: %d, %d expected", x, x.total(), count)
		}
		for i := 1; i < len(x); i++ {
			if x[i].first <= x[i-1].last+1 {
				t.Fatalf("%s is not the shortest", x)
			}
		}
	}
}

func TestCommonIndexes(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "1", 0}, {"0-4", "2-9", 3}, {"0,2,4", "1,3,5", 0}, {"0-9", "0-9", 10}, {"1-3,7-9", "2,8", 2}} {
		if got := parseIndexes(c.a, 20).common(parseIndexes(c.b, 20)); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestPodFailurePolicy(t *testing.T) {
	job := &batchv1.Job{Spec: batchv1.JobSpec{PodFailurePolicy: &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
		{Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{ContainerName: new("main"), Operator: "In", Values: []int32{42}}},
		{Action: batchv1.PodFailurePolicyActionIgnore, OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: "DisruptionTarget", Status: "True"}}},
		{Action: batchv1.PodFailurePolicyActionFailIndex, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: "NotIn", Values: []int32{1, 42}}},
	}}}}
	r := &jobRound{job: job}
	for name, c := range map[string]struct {
		container string
		code      int32
		disrupted bool
		want      judgement
	}{
		"the code that fails the Job": {"main", 42, false, judgement{"FailJob", true, "Container main for pod default/p failed with exit code 42 matching FailJob rule at index 0"}},
		"of another container":        {"side", 42, false, judgement{counts: true}},
		"a disruption":                {"main", 137, true, judgement{action: "Ignore"}},
		"a code not in the list":      {"main", 7, false, judgement{action: "FailIndex", counts: true}},
		"no rule":                     {"main", 1, false, judgement{counts: true}},
	} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "p"}, Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
			{Name: "ok", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}},
			{Name: c.container, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: c.code}}}}}}
		if c.disrupted {
			pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}}
		}
		if got := r.policy(pod); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestPodsThatGotLeastFarGoFirst(t *testing.T) {
	pod := func(name, node string, phase corev1.PodPhase, ready bool, age int) *corev1.Pod {
		status := corev1.ConditionFalse
		if ready {
			status = corev1.ConditionTrue
		}
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(noon.Add(-time.Duration(age) * time.Second))},
			Spec:   corev1.PodSpec{NodeName: node},
			Status: corev1.PodStatus{Phase: phase, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status, LastTransitionTime: metav1.NewTime(noon)}}}}
	}
	pods := []*corev1.Pod{pod("old", "n", corev1.PodRunning, true, 60), pod("new", "n", corev1.PodRunning, true, 10), pod("unready", "n", corev1.PodRunning, false, 60),
		pod("pending", "n", corev1.PodPending, false, 60), pod("unplaced", "", corev1.PodPending, false, 60)}
	leastFarFirst(pods)
	var names []string
	for _, p := range pods {
		names = append(names, p.Name)
	}
	if got := strings.Join(names, " "); got != "unplaced pending unready new old" {
		t.Error(got)
	}
}

func TestCronTimes(t *testing.T) {
	at := func(text string) time.Time {
		d, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		schedule, zone string
		last           string // the last start, or the creation
		deadline       int64  // seconds; 0: none
		now            string
		latest         string // "": nothing is due
		many           bool
		wait           time.Duration
	}{
		{"*/5 * * * *", "", "2026-11-23T12:00:00Z", 0, "2026-11-23T12:03:00Z", "", false, 2*time.Minute + cronPadding},
		{"*/5 * * * *", "", "2026-11-23T12:00:00Z", 0, "2026-11-23T12:05:00Z", "2026-11-23T12:05:00Z", false, 5*time.Minute + cronPadding},
		{"*/5 * * * *", "", "2026-11-23T12:00:00Z", 0, "2026-11-23T12:31:00Z", "2026-11-23T12:30:00Z", false, 4*time.Minute + cronPadding},
		{"* * * * *", "", "2026-11-23T12:00:00Z", 0, "2026-11-23T13:40:00Z", "2026-11-23T13:40:00Z", false, time.Minute + cronPadding},
		{"* * * * *", "", "2026-11-23T12:00:00Z", 0, "2026-11-23T13:41:00Z", "2026-11-23T13:41:00Z", true, time.Minute + cronPadding},
		{"* * * * *", "", "2026-11-23T12:00:00Z", 200, "2026-11-23T15:00:00Z", "2026-11-23T15:00:00Z", false, time.Minute + cronPadding},
		{"0 9 * * 1-5", "", "2026-11-20T09:00:00Z", 0, "2026-11-23T08:00:00Z", "", false, time.Hour + cronPadding},
		{"0 9 * * *", "America/Toronto", "2026-11-22T15:00:00Z", 0, "2026-11-23T14:00:00Z", "2026-11-23T14:00:00Z", false, 24*time.Hour + cronPadding},
		{"30 2 * * *", "America/Toronto", "2026-03-07T08:00:00Z", 0, "2026-03-08T12:00:00Z", "", false, 18*time.Hour + 30*time.Minute + cronPadding}, // that night has no 2:30
		{"@every 90s", "", "2026-11-23T12:00:00Z", 0, "2026-11-23T12:10:00Z", "2026-11-23T12:09:00Z", false, 30*time.Second + cronPadding},
		{"0 0 1 1 *", "", "2026-11-23T12:00:00Z", 0, "2026-11-23T12:00:00Z", "", false, at("2027-01-01T00:00:00Z").Sub(noon) + cronPadding},
	} {
		cj := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(at(c.last))}, Spec: batchv1.CronJobSpec{Schedule: c.schedule}}
		if c.zone != "" {
			cj.Spec.TimeZone = &c.zone
		}
		if c.deadline > 0 {
			cj.Spec.StartingDeadlineSeconds = &c.deadline
		}
		schedule := parsed(t, cj)
		m, err := missedStarts(cj, at(c.now), schedule, true)
		latest := ""
		if !m.latest.IsZero() {
			latest = m.latest.UTC().Format(time.RFC3339)
		}
		if err != nil || latest != c.latest || m.many() != c.many {
			t.Errorf("%s since %s, at %s: %q, %d starts, %v; want %q", c.schedule, c.last, c.now, latest, m.starts, err, c.latest)
		}
		if got := untilNext(cj, at(c.now), schedule); got != c.wait {
			t.Errorf("%s since %s, at %s: next in %v, want %v", c.schedule, c.last, c.now, got, c.wait)
		}
	}
}

func TestAScheduleThatNeverComes(t *testing.T) {
	cj := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(noon)}, Spec: batchv1.CronJobSpec{Schedule: "59 23 31 2 *"}}
	if _, err := missedStarts(cj, noon, parsed(t, cj), true); fmt.Sprint(err) != "time difference between two schedules is less than 1 second" {
		t.Error(err)
	}
}

func TestNamesOfCronJobs(t *testing.T) {
	cj := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "nightly"}}
	if got := cronJobName(cj, noon); got != "nightly-29923920" || cronJobName(cj, noon.Add(59*time.Second)) != got {
		t.Error(got)
	}
}
