package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/sim/apiserver"
)

func parsed(t *testing.T, cj *batchv1.CronJob) cron.Schedule {
	t.Helper()
	s, err := apiserver.ParseSchedule(zoned(cj))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The pods of a case: a number is what one uses, in thousandths; ? has no figures, ! is not ready, x is being deleted.
func TestReplicasByUsage(t *testing.T) {
	for _, c := range []struct {
		pods    string
		goal    int64 // percent of 100m, or with amount thousandths
		amount  bool
		current int32
		want    int32
		percent int32
	}{
		{"50 50", 50, false, 2, 2, 50},
		{"100 100", 50, false, 2, 4, 100},
		{"54 55", 50, false, 2, 2, 54},       // within a tenth
		{"56 56", 50, false, 2, 3, 56},       // beyond it
		{"45 45", 50, false, 2, 2, 45},       // the bound itself
		{"44 44", 50, false, 2, 2, 44},       // ⌈2·0.88⌉
		{"20 20 20 20", 50, false, 4, 2, 20}, // ⌈4·0.4⌉
		{"300", 50, false, 1, 6, 300},
		{"100 100 ?", 50, false, 3, 4, 100},    // the missing one uses nothing: ⌈3·1.32⌉
		{"60 ?", 50, false, 2, 2, 60},          // with nothing it would be 30 %: the other way
		{"10 10 ?", 50, false, 3, 3, 10},       // with all it would be 40 %: ⌈3·0.8⌉
		{"10 10 10 10 ?", 50, false, 5, 3, 10}, // 28 %: ⌈5·0.56⌉
		{"100 100 !", 50, false, 3, 4, 100},    // an unready one uses nothing
		{"20 20 !", 50, false, 3, 1, 20},       // and counts for nothing when there are to be fewer: ⌈2·0.4⌉
		{"100 100 x", 50, false, 3, 4, 100},
		{"500 700", 300, true, 2, 4, 0},
		{"300 310", 300, true, 2, 2, 0},
		{"900 ?", 300, true, 2, 3, 0}, // 450 on average
	} {
		r := &readings{name: corev1.ResourceCPU, now: noon, at: noon, usage: map[string]int64{}, full: 100}
		if !c.amount {
			r.requests = map[string]int64{}
		} else {
			r.full = c.goal
		}
		for i, f := range strings.Fields(c.pods) {
			name := fmt.Sprint("p", i)
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.PodStatus{Phase: corev1.PodRunning,
				StartTime:  &metav1.Time{Time: noon.Add(-time.Hour)},
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(noon.Add(-time.Hour))}}}}
			switch f {
			case "?":
			case "!":
				pod.Status.Phase, r.usage[name] = corev1.PodPending, 100
			case "x":
				pod.DeletionTimestamp, r.usage[name] = &metav1.Time{Time: noon}, 100
			default:
				var n int64
				fmt.Sscan(f, &n)
				r.usage[name] = n
			}
			if r.requests != nil {
				r.requests[name] = 100
			}
			r.pods = append(r.pods, pod)
		}
		n, percent, _, err := r.replicas(c.current, c.goal, tolerances{tolerance, tolerance})
		if err != nil || n != c.want || percent != c.percent {
			t.Errorf("%s, goal %d: %d replicas at %d %%, %v; want %d at %d %%", c.pods, c.goal, n, percent, err, c.want, c.percent)
		}
	}
}

func TestPodsThatWarmUp(t *testing.T) {
	for name, c := range map[string]struct {
		started, turned time.Duration // ago
		ready           corev1.ConditionStatus
		want            bool
	}{
		"ready for long":                   {time.Hour, time.Hour, "True", false},
		"ready, but since the last look":   {time.Minute, 5 * time.Second, "True", true},
		"ready for more than a window":     {time.Minute, 20 * time.Second, "True", false},
		"not ready yet":                    {time.Minute, time.Minute, "False", true},
		"unready later, was ready":         {time.Hour, time.Minute, "False", false},
		"never ready, though long started": {time.Hour, time.Hour - 10*time.Second, "False", true},
	} {
		pod := &corev1.Pod{Status: corev1.PodStatus{StartTime: &metav1.Time{Time: noon.Add(-c.started)},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: c.ready, LastTransitionTime: metav1.NewTime(noon.Add(-c.turned))}}}}
		if got := (&readings{now: noon, at: noon}).warming(pod); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		current, desired, least, most, want int32
		reason                              string
	}{
		{2, 3, 1, 10, 3, "DesiredWithinRange"}, {1, 10, 1, 10, 4, "ScaleUpLimit"}, {3, 10, 1, 10, 6, "ScaleUpLimit"},
		{8, 20, 1, 10, 10, "TooManyReplicas"}, {5, 1, 2, 10, 2, "TooFewReplicas"}, {0, 3, 1, 3, 3, "DesiredWithinRange"},
	} {
		if b := bounded(c.current, c.desired, c.least, c.most); b.replicas != c.want || b.reason != c.reason {
			t.Errorf("from %d to %d: %+v, want %d %s", c.current, c.desired, b, c.want, c.reason)
		}
	}
}

func TestScalingPolicies(t *testing.T) {
	pods := func(value, seconds int32) autoscalingv2.HPAScalingPolicy {
		return autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: value, PeriodSeconds: seconds}
	}
	percent := func(value, seconds int32) autoscalingv2.HPAScalingPolicy {
		return autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PercentScalingPolicy, Value: value, PeriodSeconds: seconds}
	}
	m := &autoscalerMemory{Ups: []change{{2, noon.Add(-10 * time.Second)}, {5, noon.Add(-10 * time.Minute)}}, Downs: []change{{1, noon.Add(-30 * time.Second)}}}
	for name, c := range map[string]struct {
		current  int32
		chosen   autoscalingv2.ScalingPolicySelect
		policies []autoscalingv2.HPAScalingPolicy
		up, down int32
	}{
		"the most of two":          {10, "Max", []autoscalingv2.HPAScalingPolicy{pods(4, 15), percent(100, 15)}, 16, 0},
		"the least of two":         {10, "Min", []autoscalingv2.HPAScalingPolicy{pods(4, 15), percent(100, 15)}, 12, 4},
		"what has been used up":    {10, "Max", []autoscalingv2.HPAScalingPolicy{pods(3, 60)}, 12, 6},
		"rounded so that it moves": {1, "Max", []autoscalingv2.HPAScalingPolicy{percent(10, 5)}, 2, 0},
		"none":                     {10, "Disabled", []autoscalingv2.HPAScalingPolicy{pods(4, 15)}, 10, 10},
	} {
		rules := &autoscalingv2.HPAScalingRules{SelectPolicy: &c.chosen, Policies: c.policies}
		if up, down := m.upTo(c.current, rules, noon), m.downTo(c.current, rules, noon); up != c.up || down != c.down {
			t.Errorf("%s: up to %d, down to %d; want %d, %d", name, up, down, c.up, c.down)
		}
	}
}

func TestStabilisation(t *testing.T) {
	s := &autoscaleSync{autoscalers: &autoscalers{memory: map[types.UID]*autoscalerMemory{}}, hpa: &hpa{}, now: noon}
	for _, c := range []struct {
		history          []advice
		current, desired int32
		up, down         int32
		want             int32
	}{
		{nil, 5, 2, 0, 300, 2},
		{[]advice{{5, noon.Add(-time.Minute)}}, 5, 2, 0, 300, 5},
		{[]advice{{5, noon.Add(-6 * time.Minute)}}, 5, 2, 0, 300, 2},
		{[]advice{{4, noon.Add(-time.Minute)}}, 5, 2, 0, 300, 4},
		{[]advice{{5, noon.Add(-time.Minute)}}, 5, 9, 0, 300, 9},
		{[]advice{{5, noon.Add(-time.Minute)}}, 5, 9, 120, 300, 5},
		{[]advice{{7, noon.Add(-time.Minute)}}, 5, 9, 120, 300, 7},
	} {
		s.memory[""] = &autoscalerMemory{Advice: c.history}
		if got := s.stabilized(c.current, c.desired, c.up, c.down); got != c.want {
			t.Errorf("%v, from %d to %d in %d s and %d s: %d, want %d", c.history, c.current, c.desired, c.up, c.down, got, c.want)
		}
	}
}

func TestBudgets(t *testing.T) {
	number, percent := intstr.FromInt32, intstr.FromString
	for name, c := range map[string]struct {
		least, most *intstr.IntOrString
		replicas    int32 // of the ReplicaSet; the pods there are: as many
		ready       int
		want        string // desired, healthy, expected, allowed
	}{
		"a number":                    {least: new(number(2)), replicas: 3, ready: 3, want: "2 3 3 1"},
		"too few ready":               {least: new(number(2)), replicas: 3, ready: 1, want: "2 1 3 0"},
		"a percentage, rounded up":    {least: new(percent("50%")), replicas: 3, ready: 3, want: "2 3 3 1"},
		"how many may be missing":     {most: new(number(1)), replicas: 3, ready: 3, want: "2 3 3 1"},
		"a percentage of them":        {most: new(percent("30%")), replicas: 4, ready: 4, want: "2 4 4 2"},
		"more than there are":         {most: new(number(9)), replicas: 3, ready: 3, want: "0 3 3 3"},
		"more wanted than there are":  {least: new(number(5)), replicas: 3, ready: 3, want: "5 3 3 0"},
		"nothing said":                {replicas: 3, ready: 3, want: "0 3 0 0"},
		"no pods":                     {least: new(number(0)), want: "0 0 0 0"},
		"all of them, by percentage":  {least: new(percent("100%")), replicas: 3, ready: 3, want: "3 3 3 0"},
		"none of them, by percentage": {least: new(percent("0%")), replicas: 3, ready: 2, want: "0 2 3 2"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "n1", "n2")
			w.apply(fmt.Sprintf(`apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web}
spec: {replicas: %d, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}}`, c.replicas))
			b := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "b"}, Spec: policyv1.PodDisruptionBudgetSpec{
				MinAvailable: c.least, MaxUnavailable: c.most, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}}
			w.run(10 * time.Second)
			broken := int(c.replicas) - c.ready
			for pod := range apiserver.List[*corev1.Pod](w.Client, "default") {
				if broken--; broken < 0 {
					break
				}
				sick := pod.DeepCopy()
				setPodCondition(&sick.Status, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse}, metav1.NewTime(w.agenda.Now()))
				if _, err := w.UpdateStatus(sick); err != nil {
					t.Fatal(err)
				}
			}
			w.create(b)
			w.run(10 * time.Second)
			got, _ := apiserver.Get[*policyv1.PodDisruptionBudget](w.Client, "default", "b")
			s := got.Status
			if text := fmt.Sprint(s.DesiredHealthy, s.CurrentHealthy, s.ExpectedPods, s.DisruptionsAllowed); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
			if before := w.store.Rev(); true {
				if w.run(time.Hour); w.store.Rev() != before && c.replicas > 0 {
					t.Errorf("it goes on writing: revision %d, then %d", before, w.store.Rev())
				}
			}
		})
	}
}
