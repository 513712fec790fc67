package apiserver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
)

func TestNetworkAndRoleKindsRefuse(t *testing.T) {
	for _, c := range []refusal{
		{"Role", "{metadata: {name: r}, rules: [{verbs: []}, {verbs: [get], nonResourceURLs: [/a]}]}",
			`[rules[0].verbs: Required value: verbs must contain at least one value, rules[0].apiGroups: Required value: resource rules must supply at least one api group, rules[0].resources: Required value: resource rules must supply at least one resource, rules[1].nonResourceURLs: Invalid value: ["/a"]: namespaced rules cannot apply to non-resource URLs]`},
		{"RoleBinding", "{metadata: {name: b}, roleRef: {kind: Pod, name: r}, subjects: [{kind: Robot, name: x}]}",
			`[roleRef.kind: Unsupported value: "Pod": supported values: "Role", "ClusterRole", subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"]`},
		{"NetworkPolicy", "{metadata: {name: p}, spec: {podSelector: {}, ingress: [{from: [{}, {ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}], ports: [{port: 0}]}]}}",
			"[spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, spec.ingress[0].from[0]: Required value: must specify a peer, spec.ingress[0].from[1].ipBlock.except[0]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`]"},
		{"Ingress", "{metadata: {name: i}, spec: {rules: [{host: 1.2.3.4, http: {paths: [{path: x, pathType: Prefix, backend: {service: {name: s}}}]}}]}}",
			`[spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address, spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path, spec.rules[0].http.paths[0].backend: Required value: port name or number is required]`},
		{"RuntimeClass", "{metadata: {name: c}}", "handler: Required value"},
	} {
		_, err := newWorld(t, Limits{}).admin().Create(manifest(t, c.kind, c.given))
		c.check(t, err)
	}
}

func TestRolesGrantWhatTheySay(t *testing.T) {
	w := newWorld(t, Limits{})
	for _, o := range []struct{ kind, given string }{
		{"Role", "{metadata: {name: reader}, rules: [{verbs: [get, list], apiGroups: [''], resources: [pods, pods/log]}]}"},
		{"ClusterRole", "{metadata: {name: scaler}, rules: [{verbs: ['*'], apiGroups: [apps], resources: ['*/scale', deployments], resourceNames: [web]}, {verbs: [get], nonResourceURLs: [/logs/*]}]}"},
		{"RoleBinding", "{metadata: {name: read}, roleRef: {kind: Role, name: reader}, subjects: [{kind: User, name: alice}, {kind: ServiceAccount, name: robot}]}"},
		{"ClusterRoleBinding", "{metadata: {name: scale}, roleRef: {kind: ClusterRole, name: scaler}, subjects: [{kind: Group, name: ops}]}"},
	} {
		w.create(t, manifest(t, o.kind, o.given))
	}
	alice, robot, ops := User{Name: "alice"}, User{Name: "system:serviceaccount:default:robot"}, User{Name: "bob", Groups: []string{"ops"}}
	for _, c := range []struct {
		user User
		a    attributes
		want bool
	}{
		{alice, attributes{verb: "list", resource: "pods", namespace: "default"}, true},
		{alice, attributes{verb: "get", resource: "pods/log", namespace: "default"}, true},
		{alice, attributes{verb: "delete", resource: "pods", namespace: "default"}, false},
		{alice, attributes{verb: "list", resource: "pods", namespace: "other"}, false},
		{alice, attributes{verb: "list", resource: "pods"}, false},
		{robot, attributes{verb: "get", resource: "pods", namespace: "default"}, true},
		{ops, attributes{verb: "patch", group: "apps", resource: "deployments/scale", namespace: "any", name: "web"}, true},
		{ops, attributes{verb: "patch", group: "apps", resource: "deployments", namespace: "any", name: "api"}, false},
		{ops, attributes{verb: "get", path: "/logs/x"}, true},
		{ops, attributes{verb: "get", path: "/metrics"}, false},
	} {
		if got, why := w.allows(c.user, c.a); got != c.want {
			t.Errorf("%s, %+v: %v %s", c.user.Name, c.a, got, why)
		}
	}
	_, err := w.Client(alice).Create(pod("p"))
	refusal{"Pod", "p", `User "alice" cannot create resource "pods" in API group "" in the namespace "default"`}.check(t, err)
}

// Whatever way a request comes in by, it is taken for that of whom it names, and of nobody whom its sender may not be.
func TestRequestsAreTakenForWhomTheyName(t *testing.T) {
	w := newWorld(t, Limits{})
	ways := map[string]func(User) http.Handler{"a caller in process": w.Handler, "a network": func(u User) http.Handler { return w.Serve(u, atOnce{}) }}
	for way, handler := range ways {
		for _, path := range []string{"/api/v1/namespaces/default/secrets", "/api/v1/namespaces/default/secrets?watch=1&timeoutSeconds=1"} {
			for _, u := range []User{{Name: "root", Groups: []string{"system:masters"}}, {Name: "alice"}} {
				req := httptest.NewRequest(http.MethodGet, path, nil)
				req.Header.Set("Impersonate-User", "bob")
				rec := httptest.NewRecorder()
				handler(u).ServeHTTP(rec, req)
				says := `User \"bob\" cannot`
				if u.Name == "alice" {
					says = `User \"alice\" cannot impersonate`
				}
				if rec.Code != http.StatusForbidden || !strings.Contains(rec.Body.String(), says) {
					t.Errorf("%s, %s, %s as bob: %d %s", way, u.Name, path, rec.Code, rec.Body)
				}
			}
		}
	}
}

// atOnce are the turns of whoever is alone.
type atOnce struct{}

func (atOnce) Do(f func())                { f() }
func (atOnce) Wait(context.Context) error { return context.Canceled }
func (atOnce) Now() time.Time             { return time.Time{} }

func TestRuntimeClassAddsOverheadAndPlace(t *testing.T) {
	w := newWorld(t, Limits{})
	w.create(t, manifest(t, "RuntimeClass", "{metadata: {name: vm}, handler: vm, overhead: {podFixed: {cpu: 100m}}, scheduling: {nodeSelector: {vm: 'yes'}, tolerations: [{key: vm, operator: Exists}]}}"))
	p := w.create(t, manifest(t, "Pod", "{metadata: {name: p}, spec: {runtimeClassName: vm, containers: [{name: c, image: x}]}}")).(*v1.Pod)
	if q := p.Spec.Overhead[v1.ResourceCPU]; q.String() != "100m" || p.Spec.NodeSelector["vm"] != "yes" || p.Spec.Tolerations[len(p.Spec.Tolerations)-1].Key != "vm" {
		t.Errorf("the pod is %+v", p.Spec)
	}
	for _, c := range []refusal{
		{"Pod", "{metadata: {name: a}, spec: {runtimeClassName: none, containers: [{name: c, image: x}]}}", `pod rejected: RuntimeClass "none" not found`},
		{"Pod", "{metadata: {name: b}, spec: {runtimeClassName: vm, nodeSelector: {vm: 'no'}, containers: [{name: c, image: x}]}}",
			"conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no"},
	} {
		_, err := w.admin().Create(manifest(t, c.kind, c.given))
		c.check(t, err)
	}
}

// A request in an older form is for somebody else as one in the newer is: whom it is for needs no right to ask for others.
func TestOlderAutoscalersForSomebodyElse(t *testing.T) {
	w := newWorld(t, Limits{})
	w.create(t, manifest(t, "ClusterRole", "{metadata: {name: looks}, rules: [{apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [list]}]}"))
	w.create(t, manifest(t, "ClusterRoleBinding", "{metadata: {name: looks}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: looks}, subjects: [{kind: User, name: ann, apiGroup: rbac.authorization.k8s.io}]}"))
	for name, code := range map[string]int{"ann": http.StatusOK, "bob": http.StatusForbidden} {
		req := httptest.NewRequest("GET", "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers", nil)
		req.Header.Set("Impersonate-User", name)
		rec := httptest.NewRecorder()
		w.Handler(User{Name: "root", Groups: []string{"system:masters"}}).ServeHTTP(rec, req)
		if rec.Code != code {
			t.Errorf("as %s: %d %s", name, rec.Code, rec.Body)
		}
	}
}
