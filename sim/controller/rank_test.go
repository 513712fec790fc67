package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

var rankNow = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// ranked makes a pod: a running, ready one that is ten hours old, on a node of its own, unless changed.
func ranked(name string, change func(*corev1.Pod)) *corev1.Pod {
	old := metav1.NewTime(rankNow.Add(-10 * time.Hour))
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), CreationTimestamp: old},
		Spec:       corev1.PodSpec{NodeName: "node-" + name},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
			{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: old}}},
	}
	if change != nil {
		change(p)
	}
	return p
}

// Each rule tells its pod from one that is like it but for that rule.
func TestRankingRules(t *testing.T) {
	recently := metav1.NewTime(rankNow.Add(-time.Minute))
	notReady := func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }
	for _, c := range []struct {
		rule  string
		first func(*corev1.Pod)
		other func(*corev1.Pod)
	}{
		{"1 not placed", func(p *corev1.Pod) { p.Spec.NodeName = "" }, nil},
		{"2 pending", func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }, nil},
		{"2 unknown", func(p *corev1.Pod) { p.Status.Phase = corev1.PodUnknown }, nil},
		{"3 not ready", notReady, nil},
		{"4 cheaper", func(p *corev1.Pod) { p.Annotations = map[string]string{corev1.PodDeletionCost: "-1"} }, nil},
		{"4 a cost that is no number is 0", nil, func(p *corev1.Pod) { p.Annotations = map[string]string{corev1.PodDeletionCost: "+5"} }},
		{"6 ready for a shorter time", func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime = recently }, nil},
		{"7 restarted", func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: 1}} }, nil},
		{"8 younger", func(p *corev1.Pod) { p.CreationTimestamp = recently }, nil},
		{"8 younger, neither ready", func(p *corev1.Pod) { notReady(p); p.CreationTimestamp = recently }, notReady},
	} {
		a, b := ranked("a", c.first), ranked("b", c.other)
		pods := []*corev1.Pod{b, a}
		if strings.Contains(c.rule, "no number") {
			pods = []*corev1.Pod{a, b} // equal: their order stays
		}
		rank(pods, nil, rankNow)
		if pods[0] != a {
			t.Errorf("rule %s: %s goes first", c.rule, pods[0].Name)
		}
	}
}

// 5: of two pods the one goes that shares its node with more pods of the Deployment.
func TestRankingSpreads(t *testing.T) {
	alone := ranked("a", nil)
	shared := ranked("b", nil)
	other := ranked("c", func(p *corev1.Pod) { p.Spec.NodeName = "node-b" })
	pods := []*corev1.Pod{alone, shared}
	rank(pods, []*corev1.Pod{alone, shared, other}, rankNow)
	if pods[0] != shared {
		t.Error("the pod that is alone on its node goes first")
	}
}

// Ages of the same power of two are the same age: then the UID tells, so that the choice is random.
func TestRankingByLogarithmOfAge(t *testing.T) {
	var got []string
	for _, c := range [][2]time.Duration{{100 * time.Minute, 99 * time.Minute}, {100 * time.Minute, 10 * time.Minute}} {
		a := ranked("a", func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(rankNow.Add(-c[0])) })
		b := ranked("b", func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(rankNow.Add(-c[1])) })
		pods := []*corev1.Pod{a, b}
		rank(pods, nil, rankNow)
		got = append(got, fmt.Sprintf("%v/%v: %s", c[0], c[1], pods[0].Name))
	}
	if s := strings.Join(got, "; "); s != "1h40m0s/1h39m0s: a; 1h40m0s/10m0s: b" {
		t.Error(s)
	}
}
