package apiserver

import (
	"slices"
	"strings"
	"sync"
)

// rule lets its subjects do verbs on resources ("*": all), as an RBAC PolicyRule does.
type rule struct {
	verbs, groups, resources []string
}

var (
	anything = []string{"*"}
	reading  = []string{"get", "list", "watch"}
	events   = rule{[]string{"create", "patch", "update"}, []string{"", "events.k8s.io"}, []string{"events"}}
)

// Onlookers is the group of the people who may look at all of a cluster, and change nothing, whatever its roles say.
const Onlookers = "timonier:onlookers"

// policy is what the identities of a cluster's own components may do, as the real bootstrap roles grant it
// (plugin/pkg/auth/authorizer/rbac/bootstrappolicy), for the kinds served here. Subjects are users or groups.
func policy() map[string][]rule {
	core, apps := []string{""}, []string{"apps"}
	account := func(name string) string { return "system:serviceaccount:kube-system:" + name }
	return map[string][]rule{
		"system:masters": {{anything, anything, anything}},
		Onlookers:        {{reading, anything, anything}},
		"system:kube-scheduler": {
			events,
			{[]string{"create"}, core, []string{"pods/binding", "bindings"}},
			{[]string{"update", "patch"}, core, []string{"pods/status"}},
			{[]string{"delete"}, core, []string{"pods"}},
			{[]string{"create", "update"}, []string{"coordination.k8s.io"}, []string{"leases"}},
			{[]string{"update", "patch"}, core, []string{"persistentvolumeclaims", "persistentvolumes"}},
			{reading, anything, anything},
		},
		"system:nodes": {
			events,
			{[]string{"create", "update", "patch"}, core, []string{"nodes", "nodes/status"}},
			{[]string{"update", "patch"}, core, []string{"pods/status"}},
			{[]string{"delete"}, core, []string{"pods"}},
			{[]string{"create"}, core, []string{"pods", "pods/eviction", "serviceaccounts/token"}},
			{[]string{"create", "update", "patch", "delete"}, []string{"coordination.k8s.io"}, []string{"leases"}},
			{reading, anything, anything},
		},
		account("deployment-controller"): {
			events,
			{anything, apps, []string{"deployments", "deployments/status", "deployments/finalizers", "replicasets"}},
			{[]string{"update"}, core, []string{"pods"}},
		},
		account("replicaset-controller"): {
			events,
			{anything, apps, []string{"replicasets", "replicasets/status", "replicasets/finalizers"}},
			{[]string{"create", "delete", "patch", "update"}, core, []string{"pods"}},
		},
		account("statefulset-controller"): {
			events,
			{[]string{"update"}, apps, []string{"statefulsets/status", "statefulsets/finalizers"}},
			{anything, apps, []string{"controllerrevisions"}},
			{[]string{"create", "delete", "patch", "update"}, core, []string{"pods"}},
			{[]string{"create", "update", "delete"}, core, []string{"persistentvolumeclaims"}},
		},
		account("daemon-set-controller"): {
			events,
			{[]string{"update"}, apps, []string{"daemonsets/status", "daemonsets/finalizers"}},
			{anything, apps, []string{"controllerrevisions"}},
			{[]string{"create", "delete", "patch", "update"}, core, []string{"pods"}},
		},
		account("job-controller"): {
			events,
			{[]string{"get", "list", "watch", "update", "patch"}, []string{"batch"}, []string{"jobs", "jobs/status", "jobs/finalizers"}},
			{[]string{"create", "delete", "patch", "update"}, core, []string{"pods"}},
		},
		account("cronjob-controller"): {
			events,
			{anything, []string{"batch"}, []string{"jobs", "cronjobs", "cronjobs/status", "cronjobs/finalizers"}},
			{[]string{"delete"}, core, []string{"pods"}},
		},
		account("horizontal-pod-autoscaler"): {
			events,
			{[]string{"update", "patch"}, []string{"autoscaling"}, []string{"horizontalpodautoscalers/status"}},
			{[]string{"get", "update"}, anything, []string{"deployments/scale", "replicasets/scale", "statefulsets/scale"}},
			{[]string{"get", "list"}, []string{"metrics.k8s.io"}, anything},
		},
		account("disruption-controller"): {
			events,
			{[]string{"update", "patch"}, []string{"policy"}, []string{"poddisruptionbudgets/status"}},
			{[]string{"update", "patch"}, core, []string{"pods/status"}},
		},
		account("endpointslice-controller"): {
			events,
			{anything, []string{"discovery.k8s.io"}, []string{"endpointslices"}},
		},
		account("endpoint-controller"): {
			events,
			{anything, core, []string{"endpoints"}},
		},
		account("ttl-controller"): {
			events,
			{[]string{"update", "patch"}, core, []string{"nodes"}},
		},
		account("node-controller"): {
			events,
			{[]string{"update", "patch", "delete"}, core, []string{"nodes", "nodes/status"}},
			{[]string{"update", "patch"}, core, []string{"pods/status"}},
			{[]string{"delete"}, core, []string{"pods"}},
		},
		account("pod-garbage-collector"): {
			events,
			{[]string{"delete"}, core, []string{"pods"}},
			{[]string{"update", "patch"}, core, []string{"pods/status"}},
		},
		account("generic-garbage-collector"):     {events, {[]string{"delete", "update", "patch"}, anything, anything}},
		account("namespace-controller"):          {events, {[]string{"update", "delete", "deletecollection"}, anything, anything}},
		account("service-account-controller"):    {events, {[]string{"create"}, core, []string{"serviceaccounts"}}},
		account("root-ca-cert-publisher"):        {events, {[]string{"create", "update"}, core, []string{"configmaps"}}},
		account("ttl-after-finished-controller"): {events, {[]string{"delete"}, []string{"batch"}, []string{"jobs"}}},
		account("persistent-volume-binder"): {
			events,
			{anything, core, []string{"persistentvolumes", "persistentvolumes/status"}},
			{[]string{"update"}, core, []string{"persistentvolumeclaims", "persistentvolumeclaims/status"}},
		},
		account("disk-provisioner"):          {events, {anything, core, []string{"persistentvolumes"}}},
		account("pvc-protection-controller"): {events, {[]string{"update"}, core, []string{"persistentvolumeclaims"}}},
		account("pv-protection-controller"):  {events, {[]string{"update"}, core, []string{"persistentvolumes"}}},
		account("resourcequota-controller"):  {events, {[]string{"update"}, core, []string{"resourcequotas/status"}}},
		account("service-controller"):        {events},
		"system:serviceaccounts:kube-system": {{reading, anything, anything}},
		"system:kube-controller-manager":     {events, {reading, anything, anything}, {anything, []string{"coordination.k8s.io"}, []string{"leases"}}},
	}
}

// bootstrap is the policy, made once: every server reads it, none changes it.
var bootstrap = sync.OnceValue(policy)

// allowed is the authorisation stage's decision.
func allowed(u User, verb, group, resource string) bool {
	permits := func(subject string) bool {
		return slices.ContainsFunc(bootstrap()[subject], func(r rule) bool {
			return matches(r.verbs, verb) && matches(r.groups, group) && matches(r.resources, resource)
		})
	}
	if permits(u.Name) || slices.ContainsFunc(u.Groups, permits) {
		return true
	}
	return strings.HasPrefix(u.Name, "system:serviceaccount:kube-system:") && permits("system:serviceaccounts:kube-system")
}

func matches(list []string, word string) bool {
	return slices.Contains(list, "*") || slices.Contains(list, word)
}
