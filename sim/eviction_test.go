package sim

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/sim/apiserver"
)

// evict asks for a pod's eviction, and returns the code and the body of the answer.
func evict(c *Cluster, pod string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/namespaces/default/pods/"+pod+"/eviction",
		strings.NewReader(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"`+pod+`"}}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	c.Server().Handler(Admin()).ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(body)
}

func TestEvictionAsksTheBudget(t *testing.T) {
	c := newCluster(t, Config{})
	create(t, c, deployment("web", 3, "100m"))
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: policyv1.PodDisruptionBudgetSpec{
		MinAvailable: new(intstr.FromInt32(2)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}}
	create(t, c, budget)
	pass(t, c, 30*time.Second)
	pods := podsOf(c, "web")
	if len(pods) != 3 || ready(c, "web") != 3 {
		t.Fatalf("%d pods, %d ready", len(pods), ready(c, "web"))
	}
	if code, body := evict(c, pods[0].Name); code != 201 || !strings.Contains(body, `"status":"Success"`) {
		t.Fatalf("the first: %d %s", code, body)
	}
	first, _ := podNamed(c, pods[0].Name)
	marked := false
	for _, cond := range first.Status.Conditions {
		marked = marked || cond.Type == corev1.DisruptionTarget && cond.Status == corev1.ConditionTrue && cond.Reason == "EvictionByEvictionAPI" && cond.Message == "Eviction API: evicting"
	}
	if first.DeletionTimestamp == nil || !marked {
		t.Errorf("the evicted pod: deletion %v, conditions %v", first.DeletionTimestamp, first.Status.Conditions)
	}
	b, _ := apiserver.Get[*policyv1.PodDisruptionBudget](c.Client(), "default", "web")
	if _, listed := b.Status.DisruptedPods[first.Name]; !listed || b.Status.DisruptionsAllowed != 0 {
		t.Errorf("the budget right after: %+v", b.Status)
	}
	// At once, before the controller has seen anything: the budget is spent.
	code, body := evict(c, pods[1].Name)
	for _, want := range []string{`"reason":"TooManyRequests"`, "Cannot evict pod as it would violate the pod's disruption budget.", `"reason":"DisruptionBudget"`} {
		if code != 429 || !strings.Contains(body, want) {
			t.Errorf("the second: %d %s", code, body)
		}
	}
	pass(t, c, 100*time.Millisecond)
	if code, body = evict(c, pods[1].Name); code != 429 || !strings.Contains(body, "The disruption budget web needs 2 healthy pods and has 2 currently") {
		t.Errorf("once it is reckoned: %d %s", code, body)
	}
	pass(t, c, 30*time.Second)
	b, _ = apiserver.Get[*policyv1.PodDisruptionBudget](c.Client(), "default", "web")
	if code, body = evict(c, pods[1].Name); code != 201 {
		t.Errorf("with a replacement: %d %s; %+v", code, body, b.Status)
	}
	if len(b.Status.DisruptedPods) != 0 {
		t.Errorf("an eviction that is through is still listed: %v", b.Status.DisruptedPods)
	}
}

// Pods that are not ready do not count towards a budget: whether they may go is the budget's policy.
func TestEvictionOfSickPods(t *testing.T) {
	for name, c := range map[string]struct {
		policy *policyv1.UnhealthyPodEvictionPolicyType
		least  int32
		want   int
	}{
		"the rest is healthy enough":      {nil, 1, 201},
		"the rest is not":                 {nil, 2, 429},
		"the rest is not, which is as is": {new(policyv1.IfHealthyBudget), 2, 429},
		"always":                          {new(policyv1.AlwaysAllow), 2, 201},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCluster(t, Config{})
			well := bare("well", "node-1", "nginx")
			sick := bare("sick", "node-1", "nginx")
			sick.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(81)}}}
			for _, pod := range []*corev1.Pod{well, sick} {
				pod.Labels = map[string]string{"app": "web"}
				create(t, w, pod)
			}
			create(t, w, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: policyv1.PodDisruptionBudgetSpec{
				MinAvailable: new(intstr.FromInt32(c.least)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, UnhealthyPodEvictionPolicy: c.policy}})
			pass(t, w, 30*time.Second)
			if code, body := evict(w, "sick"); code != c.want {
				t.Errorf("%d %s", code, body)
			}
		})
	}
}
