package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	policyv1 "k8s.io/api/policy/v1"

	"timonier/sim/apiserver"
)

// aJob makes the Job j of the spec given as YAML.
func aJob(t testing.TB, spec string) *batchv1.Job {
	t.Helper()
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "j"}}
	if err := yaml.UnmarshalStrict([]byte(spec), &j.Spec); err != nil {
		t.Fatal(err)
	}
	return j
}

// told is what a Job's status says: its counts, then its conditions that are true, in their order.
func told(c *Cluster) string {
	j, ok := apiserver.Get[*batchv1.Job](c.Client(), "default", "j")
	if !ok {
		return "gone"
	}
	s := j.Status
	text := fmt.Sprintf("%d active, %d succeeded, %d failed", s.Active, s.Succeeded, s.Failed)
	if s.CompletedIndexes != "" {
		text += ", done " + s.CompletedIndexes
	}
	if s.FailedIndexes != nil {
		text += ", lost " + *s.FailedIndexes
	}
	for _, cond := range s.Conditions {
		if cond.Status == corev1.ConditionTrue {
			text += fmt.Sprintf(", %s %s", cond.Type, cond.Reason)
		}
	}
	return text
}

// seen are the states that a Job goes through, each with when it came.
func seen(t testing.TB, c *Cluster, until time.Duration) string {
	t.Helper()
	start, end, last := c.Now(), c.Now().Add(until), ""
	var out []string
	for {
		if now := told(c); now != last {
			last = now
			out = append(out, fmt.Sprintf("%v %s", c.Now().Sub(start).Truncate(time.Second), now))
		}
		next, ok := c.Next()
		if !ok || next.After(end) {
			return strings.Join(out, "\n")
		}
		if err := c.AdvanceTo(next); err != nil {
			t.Fatal(err)
		}
	}
}

func TestJobs(t *testing.T) {
	const sleep, fail, outcomes = `template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sleep, 3s]}]}}`,
		`template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: ["false"]}]}}`,
		`template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sh, -c, "exit 42"]}]}}`
	for name, c := range map[string]struct {
		spec  string
		until time.Duration
		last  string   // the state at the end
		also  []string // states on the way
	}{
		"one": {sleep, time.Minute, "0 active, 1 succeeded, 0 failed, SuccessCriteriaMet CompletionsReached, Complete CompletionsReached", []string{"1 active, 0 succeeded, 0 failed"}},
		"three, two at a time": {"completions: 3\nparallelism: 2\n" + sleep, time.Minute, "0 active, 3 succeeded, 0 failed, SuccessCriteriaMet CompletionsReached, Complete CompletionsReached",
			[]string{"2 active, 0 succeeded, 0 failed", "1 active, 2 succeeded, 0 failed"}},
		"a work queue": {"parallelism: 3\n" + sleep, time.Minute, "0 active, 3 succeeded, 0 failed, SuccessCriteriaMet CompletionsReached, Complete CompletionsReached", []string{"3 active, 0 succeeded, 0 failed"}},
		"indexed": {"completions: 4\nparallelism: 2\ncompletionMode: Indexed\n" + sleep, time.Minute,
			"0 active, 4 succeeded, 0 failed, done 0-3, SuccessCriteriaMet CompletionsReached, Complete CompletionsReached", []string{"2 active, 2 succeeded, 0 failed, done 0,1"}},
		"it gives up": {"backoffLimit: 2\n" + fail, 5 * time.Minute, "0 active, 0 succeeded, 3 failed, FailureTarget BackoffLimitExceeded, Failed BackoffLimitExceeded",
			[]string{"0 active, 0 succeeded, 1 failed", "0 active, 0 succeeded, 2 failed"}},
		"in its own pod": {"backoffLimit: 2\ntemplate: {spec: {restartPolicy: OnFailure, containers: [{name: c, image: busybox, command: [\"false\"]}]}}", 5 * time.Minute,
			"0 active, 0 succeeded, 1 failed, FailureTarget BackoffLimitExceeded, Failed BackoffLimitExceeded", nil},
		"out of time": {"activeDeadlineSeconds: 20\ntemplate: {spec: {restartPolicy: Never, terminationGracePeriodSeconds: 1, containers: [{name: c, image: busybox, command: [sleep, 1h]}]}}", 5 * time.Minute,
			"0 active, 0 succeeded, 1 failed, FailureTarget DeadlineExceeded, Failed DeadlineExceeded", nil},
		"an exit code that fails it": {"podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]}\n" + outcomes, 5 * time.Minute,
			"0 active, 0 succeeded, 1 failed, FailureTarget PodFailurePolicy, Failed PodFailurePolicy", nil},
		"an exit code that does not count": {"backoffLimit: 0\npodFailurePolicy: {rules: [{action: Ignore, onExitCodes: {operator: In, values: [42]}}]}\n" + outcomes, 25 * time.Second,
			"0 active, 0 succeeded, 0 failed", nil},
		"one success is enough": {"completions: 3\nparallelism: 1\ncompletionMode: Indexed\nsuccessPolicy: {rules: [{succeededIndexes: \"0\"}]}\n" + sleep, time.Minute,
			"0 active, 1 succeeded, 0 failed, done 0, SuccessCriteriaMet SuccessPolicy, Complete SuccessPolicy", nil},
		"each index has its own limit": {"completions: 2\nparallelism: 2\ncompletionMode: Indexed\nbackoffLimitPerIndex: 1\n" +
			`template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: ["false"]}]}}`, 5 * time.Minute,
			"0 active, 0 succeeded, 4 failed, lost 0,1, FailureTarget FailedIndexes, Failed FailedIndexes", nil},
		"nobody waits for it":   {"ttlSecondsAfterFinished: 30\n" + sleep, 5 * time.Minute, "gone", nil},
		"suspended":             {"suspend: true\n" + sleep, time.Minute, "0 active, 0 succeeded, 0 failed, Suspended JobSuspended", nil},
		"managed by another":    {"managedBy: example.com/queue\n" + sleep, time.Minute, "0 active, 0 succeeded, 0 failed", nil},
		"nothing to be done":    {"completions: 0\n" + sleep, time.Minute, "0 active, 0 succeeded, 0 failed, SuccessCriteriaMet CompletionsReached, Complete CompletionsReached", nil},
		"a server never ends":   {"template: {spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}}", time.Hour, "1 active, 0 succeeded, 0 failed", nil},
		"a job nobody knows of": {"template: {spec: {restartPolicy: Never, containers: [{name: c, image: example.com/batch}]}}", time.Minute, "0 active, 1 succeeded, 0 failed, SuccessCriteriaMet CompletionsReached, Complete CompletionsReached", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCluster(t, Config{})
			create(t, w, aJob(t, c.spec))
			all := strings.Split(seen(t, w, c.until), "\n")
			var states []string
			for _, line := range all {
				_, state, _ := strings.Cut(line, " ")
				states = append(states, state)
			}
			if states[len(states)-1] != c.last {
				t.Errorf("it ends otherwise than %q:\n%s", c.last, strings.Join(all, "\n"))
			}
			for _, want := range c.also {
				if !slices.Contains(states, want) {
					t.Errorf("it was never %q:\n%s", want, strings.Join(all, "\n"))
				}
			}
			for pod := range apiserver.List[*corev1.Pod](w.Client(), "default") {
				over := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
				if held := slices.Contains(pod.Finalizers, batchv1.JobTrackingFinalizer); held == over {
					t.Errorf("pod %s is %s and has the finalizers %v", pod.Name, pod.Status.Phase, pod.Finalizers)
				}
			}
		})
	}
}

// A Job waits longer after each failure: 10 s, 20 s, 40 s.
func TestJobsWaitAfterFailures(t *testing.T) {
	c := newCluster(t, Config{})
	create(t, c, aJob(t, `template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, imagePullPolicy: IfNotPresent, command: ["false"]}]}}`))
	made := map[string]time.Time{}
	c.Server().Observe(func(e apiserver.Event) {
		if pod, ok := e.New.(*corev1.Pod); ok && e.Old == nil {
			made[pod.Name] = c.Now()
		}
	})
	if err := c.AdvanceTo(c.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	times := slices.SortedFunc(maps.Values(made), time.Time.Compare)
	if len(times) != 7 { // backoffLimit 6
		t.Fatalf("%d pods", len(times))
	}
	for i := 1; i < len(times); i++ {
		wait, apart := 10*time.Second<<(i-1), times[i].Sub(times[i-1])
		if apart < wait || apart > wait+2*time.Second { // the run itself takes a moment, and moments are whole seconds
			t.Errorf("pod %d came %v after the one before, not %v", i+1, apart, wait)
		}
	}
}

func TestASuspendedJobGoesOn(t *testing.T) {
	c := newCluster(t, Config{})
	create(t, c, aJob(t, `template: {spec: {restartPolicy: Never, terminationGracePeriodSeconds: 1, containers: [{name: c, image: busybox, command: [sleep, 20s]}]}}`))
	suspend := func(to bool) {
		j, _ := apiserver.Get[*batchv1.Job](c.Client(), "default", "j")
		j = j.DeepCopy()
		j.Spec.Suspend = &to
		update(t, c, j)
	}
	for _, step := range []struct {
		suspend bool
		after   time.Duration
		want    string
	}{
		{false, 10 * time.Second, "1 active, 0 succeeded, 0 failed"},
		{true, 10 * time.Second, "0 active, 0 succeeded, 0 failed, Suspended JobSuspended"},
		{false, time.Minute, "0 active, 1 succeeded, 0 failed, SuccessCriteriaMet CompletionsReached, Complete CompletionsReached"},
	} {
		suspend(step.suspend)
		pass(t, c, step.after)
		if got := told(c); got != step.want {
			t.Errorf("%v later: %s, want %s", step.after, got, step.want)
		}
	}
}

// What a Job's pods, an autoscaler and a budget are in the midst of goes on after a save and a load, to the same bytes.
func TestBatchSurvivesALoad(t *testing.T) {
	story := func(reload bool) string {
		c := newCluster(t, Config{Seed: 7})
		d := deployment("web", 1, "200m")
		d.Annotations = map[string]string{LoadAnnotation: "900m"}
		create(t, c, d)
		create(t, c, aJob(t, `{backoffLimit: 3, template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: ["false"]}]}}}`))
		create(t, c, &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "tick"}, Spec: batchv1.CronJobSpec{
			Schedule: "* * * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: aJob(t, `template: {spec: {restartPolicy: Never, containers: [{name: c, image: timonier/job}]}}`).Spec}}})
		create(t, c, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: new(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}})
		create(t, c, &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, MaxReplicas: 9,
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: &autoscalingv2.HPAScalingRules{
				Policies: []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: 60}}}}}})
		disk := disk{}
		for range 12 {
			pass(t, c, 17*time.Second)
			if reload {
				disk.save(t, c)
				c = disk.load(t)
			}
		}
		disk.save(t, c)
		var out strings.Builder
		for _, k := range slices.Sorted(maps.Keys(disk)) {
			fmt.Fprintf(&out, "%s %x\n", k, disk[k])
		}
		if told(c) == "gone" || ready(c, "web") < 3 {
			t.Fatalf("nothing happened: %s, %d ready", told(c), ready(c, "web"))
		}
		return out.String()
	}
	if a, b := story(false), story(true); a != b {
		t.Error("a save and a load changes what comes after")
	}
}

// An autoscaler whose target's load stays the same writes nothing.
func TestAQuietAutoscalerWritesNothing(t *testing.T) {
	c := newCluster(t, Config{})
	d := deployment("web", 2, "200m")
	d.Annotations = map[string]string{LoadAnnotation: "300m"}
	create(t, c, d)
	create(t, c, &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, MaxReplicas: 9}})
	pass(t, c, 10*time.Minute)
	before := c.Server().Revision()
	pass(t, c, 2*time.Hour) // events end meanwhile, of themselves
	wrote := 0
	c.Server().Observe(func(apiserver.Event) { wrote++ })
	pass(t, c, 6*time.Hour)
	if wrote > 0 || ready(c, "web") != 2 {
		t.Errorf("%d writes in six hours (revision %d, then %d), %d ready", wrote, before, c.Server().Revision(), ready(c, "web"))
	}
}

// Load that is taken off a Deployment is off its pods too, although its ReplicaSet keeps a copy; and while it rolls, the
// old pods and the new ones share it.
func TestLoadComesAndGoes(t *testing.T) {
	c := newCluster(t, Config{})
	create(t, c, deployment("web", 2, "200m"))
	change := func(f func(*appsv1.Deployment)) {
		t.Helper()
		d, ok := apiserver.Get[*appsv1.Deployment](c.Client(), "default", "web")
		if !ok {
			t.Fatal("no deployment")
		}
		d = d.DeepCopy()
		f(d)
		if _, err := c.Client().Update(d); err != nil {
			t.Fatal(err)
		}
		pass(t, c, 2*time.Minute)
	}
	used := func() (milli int64) {
		var pods []*corev1.Pod
		for pod := range apiserver.List[*corev1.Pod](c.Client(), "default") {
			pods = append(pods, pod)
		}
		for _, containers := range (meter{c}).Pods(pods) {
			for _, u := range containers {
				milli += u.CPU
			}
		}
		return milli
	}
	pass(t, c, 2*time.Minute)
	idle := used()
	change(func(d *appsv1.Deployment) { metav1.SetMetaDataAnnotation(&d.ObjectMeta, LoadAnnotation, "1000m") })
	loaded := used()
	change(func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "timonier/nothing:here" })
	rolling := used()
	change(func(d *appsv1.Deployment) { delete(d.Annotations, LoadAnnotation) })
	if after := used(); loaded != 1000 || rolling != 1000 || after >= 100 || idle >= 100 {
		t.Errorf("%dm without a load, %dm with one, %dm in mid-rollout, %dm once it is gone", idle, loaded, rolling, after)
	}
}
