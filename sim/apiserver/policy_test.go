package apiserver

import (
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

func TestPolicyKindsRefuse(t *testing.T) {
	for _, c := range []refusal{
		{"LimitRange", "{metadata: {name: l}, spec: {limits: [{type: Container, min: {cpu: 2}, max: {cpu: 1}}]}}",
			`[spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1, spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1, spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1]`},
		{"LimitRange", "{metadata: {name: l}, spec: {limits: [{type: Pod, default: {cpu: 1}, maxLimitRequestRatio: {memory: 500m}}, {type: Pod}, {type: Fleet}]}}",
			"[spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod', spec.limits[0].maxLimitRequestRatio[memory]: Invalid value: \"500m\": ratio 500m is less than 1, spec.limits[1].type: Duplicate value: \"Pod\", spec.limits[2].type: Invalid value: \"Fleet\": must be a standard limit type or fully qualified]"},
		{"LimitRange", "{metadata: {name: l}, spec: {limits: [{type: PersistentVolumeClaim}, {type: Container, min: {cpu: 100m}, max: {cpu: 200m}, maxLimitRequestRatio: {cpu: 3}}]}}",
			`[spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided, spec.limits[1].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000]`},
		{"ResourceQuota", "{metadata: {name: q}, spec: {hard: {storage: 1Gi, pods: 1500m, things: 1, cpu: -1}}}",
			`[spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0, spec.hard[pods]: Invalid value: "1500m": must be an integer, spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota, spec.hard[things]: Invalid value: "things": must be a standard resource type or fully qualified, spec.hard[things]: Invalid value: "things": must be a standard resource for quota]`},
		{"ResourceQuota", "{metadata: {name: q}, spec: {hard: {requests.cpu: 1}, scopes: [BestEffort, NotBestEffort, Nice]}}",
			`[spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Nice"]: unsupported scope applied to resource, spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Nice"]: unsupported scope, spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Nice"]: conflicting scopes]`},
		{"ResourceQuota", "{metadata: {name: q}, spec: {hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: Terminating, operator: In, values: [a]}, {scopeName: PriorityClass, operator: NotIn}]}}}",
			"[spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity, spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector]"},
	} {
		_, err := newWorld(t, Limits{}).admin().Create(manifest(t, c.kind, c.given))
		c.check(t, err)
	}
}

func TestLimitRangerKeepsPodsAndClaimsWithinLimits(t *testing.T) {
	const limits = `{metadata: {name: l}, spec: {limits: [
		{type: Container, min: {memory: 64Mi}, max: {memory: 1Gi, cpu: 1}},
		{type: Pod, max: {cpu: 1500m}}, {type: PersistentVolumeClaim, min: {storage: 1Gi}, max: {storage: 4Gi}}]}}`
	for _, c := range []refusal{
		{"Pod", "{metadata: {name: p}, spec: {containers: [{name: a, image: x}]}}", ""},
		{"Pod", "{metadata: {name: p}, spec: {containers: [{name: a, image: x}, {name: b, image: x}]}}", "maximum cpu usage per Pod is 1500m, but limit is 2"},
		{"Pod", "{metadata: {name: p}, spec: {containers: [{name: a, image: x, resources: {limits: {memory: 2Gi, cpu: 100m}, requests: {memory: 1Mi}}}]}}",
			"[minimum memory usage per Container is 64Mi, but request is 1Mi, maximum memory usage per Container is 1Gi, but limit is 2Gi]"},
		{"PersistentVolumeClaim", "{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}",
			"minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi"},
		{"PersistentVolumeClaim", "{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}}",
			"maximum storage usage per PersistentVolumeClaim is 4Gi, but request is 5Gi"},
	} {
		w := newWorld(t, Limits{})
		w.create(t, manifest(t, "LimitRange", limits))
		o, err := w.admin().Create(manifest(t, c.kind, c.given))
		c.check(t, err)
		if pod, ok := o.(*v1.Pod); ok && err == nil {
			if got := pod.Annotations[limitRangerKey]; got != "LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a" {
				t.Errorf("the annotation says %q", got)
			}
		}
	}
}

// quotaWorld has a quota whose usage has been counted, as the controller would.
func quotaWorld(t *testing.T, spec string) (*world, func() *v1.ResourceQuota) {
	w := newWorld(t, Limits{})
	q := w.create(t, manifest(t, "ResourceQuota", "{metadata: {name: q}, spec: "+spec+"}")).DeepCopyObject().(*v1.ResourceQuota)
	q.Status = v1.ResourceQuotaStatus{Hard: q.Spec.Hard, Used: QuotaUsage(w.admin(), q)}
	if _, err := w.admin().UpdateStatus(q); err != nil {
		t.Fatal(err)
	}
	return w, func() *v1.ResourceQuota {
		q, _ := Get[*v1.ResourceQuota](w.admin(), "default", "q")
		return q
	}
}

func TestQuotasAreChargedAndKept(t *testing.T) {
	const limited = "resources: {requests: {cpu: 400m}, limits: {cpu: 1}}"
	pod := func(name, resources string) refusal {
		return refusal{kind: "Pod", given: "{metadata: {name: " + name + "}, spec: {containers: [{name: c, image: x, " + resources + "}]}}"}
	}
	with := func(c refusal, want string) refusal { c.want = want; return c }
	for _, c := range []struct {
		name, spec string
		asked      []refusal
	}{
		{"pods and cpu", "{hard: {pods: 2, requests.cpu: 1, count/configmaps: 1}}", []refusal{
			with(pod("a", "resources: {}"), "failed quota: q: must specify requests.cpu for: c"),
			with(pod("b", "resources: {requests: {cpu: 2}}"), "exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=0, limited: requests.cpu=1"),
			pod("c", limited), pod("d", limited),
			with(pod("e", limited), "exceeded quota: q, requested: pods=1,requests.cpu=400m, used: pods=2,requests.cpu=800m, limited: pods=2,requests.cpu=1"),
			{"ConfigMap", "{metadata: {name: a}}", ""},
			{"ConfigMap", "{metadata: {name: b}}", "exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1"},
		}},
		{"scopes", "{hard: {pods: 1}, scopes: [BestEffort]}", []refusal{
			pod("a", limited), pod("b", limited), pod("c", "resources: {}"),
			with(pod("d", "resources: {}"), "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"),
		}},
		{"services", "{hard: {services: 3, services.nodeports: 2, services.loadbalancers: 0}}", []refusal{
			{"Service", "{metadata: {name: a}, spec: {ports: [{port: 80}]}}", ""},
			{"Service", "{metadata: {name: b}, spec: {type: NodePort, ports: [{name: x, port: 80}, {name: y, port: 81}]}}", ""},
			{"Service", "{metadata: {name: c}, spec: {type: NodePort, ports: [{port: 80}]}}",
				"exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=2, limited: services.nodeports=2"},
			{"Service", "{metadata: {name: d}, spec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, ports: [{port: 80}]}}",
				"exceeded quota: q, requested: services.loadbalancers=1, used: services.loadbalancers=0, limited: services.loadbalancers=0"},
		}},
		{"claims", "{hard: {persistentvolumeclaims: 5, requests.storage: 10Gi, fast.storageclass.storage.k8s.io/requests.storage: 2Gi}}", []refusal{
			{"PersistentVolumeClaim", "{metadata: {name: a}, spec: {accessModes: [ReadWriteOnce], storageClassName: slow, resources: {requests: {storage: 7Gi}}}}", ""},
			{"PersistentVolumeClaim", "{metadata: {name: b}, spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 3Gi}}}}",
				"exceeded quota: q, requested: fast.storageclass.storage.k8s.io/requests.storage=3Gi, used: fast.storageclass.storage.k8s.io/requests.storage=0, limited: fast.storageclass.storage.k8s.io/requests.storage=2Gi"},
			{"PersistentVolumeClaim", "{metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], storageClassName: slow, resources: {requests: {storage: 4Gi}}}}",
				"exceeded quota: q, requested: requests.storage=4Gi, used: requests.storage=7Gi, limited: requests.storage=10Gi"},
		}},
	} {
		w, quota := quotaWorld(t, c.spec)
		for _, asked := range c.asked {
			_, err := w.admin().Create(manifest(t, asked.kind, asked.given))
			asked.check(t, err)
		}
		if q := quota(); !equality.Semantic.DeepEqual(q.Status.Used, QuotaUsage(w.admin(), q)) {
			t.Errorf("%s: charged %v, counted %v", c.name, q.Status.Used, QuotaUsage(w.admin(), q))
		}
	}
}

// A trial is checked and not charged; and before a quota has been counted, nobody knows.
func TestQuotasOfTrialsAndBeforeTheCount(t *testing.T) {
	w, quota := quotaWorld(t, "{hard: {pods: 1}}")
	r, err := w.requestFor(User{Name: "a", Groups: []string{"system:masters"}}, "create", pod("trial"))
	if err != nil {
		t.Fatal(err)
	}
	r.object, r.dryRun = pod("trial"), true
	if _, err := w.Server.create(r); err != nil {
		t.Fatal(err)
	}
	if used := quota().Status.Used[v1.ResourcePods]; !used.IsZero() {
		t.Errorf("a trial was charged: %v", used)
	}
	uncounted := quota().DeepCopy()
	uncounted.Status.Used = nil
	if _, err := w.admin().UpdateStatus(uncounted); err != nil {
		t.Fatal(err)
	}
	_, err = w.admin().Create(pod("p"))
	refusal{"Pod", "p", "status unknown for quota: q, resources: pods"}.check(t, err)
}
