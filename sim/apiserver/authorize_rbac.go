package apiserver

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"
)

// attributes are what a request wants to do, as the authoriser sees it. path is of what is no resource.
type attributes struct {
	verb, group, resource, namespace, name string // resource with its subresource: pods/log
	path                                   string
}

// allows is the authorisation stage's decision: the powers of a cluster's own components come first, then those that
// roles grant (plugin/pkg/auth/authorizer/rbac). why names the binding, as the real one does.
func (s *Server) allows(u User, a attributes) (yes bool, why string) {
	if a.path == "" && allowed(u, a.verb, a.group, a.resource) || slices.Contains(u.Groups, "system:masters") {
		return true, ""
	}
	if a.path == "" && slices.Contains(u.Groups, Onlookers) {
		return false, "" // whoever may change the cluster can write roles, and so would give others what they may not
	}
	for _, g := range s.grants(u, a.namespace) {
		if slices.ContainsFunc(g.rules, func(r rbacv1.PolicyRule) bool { return covers(r, a) }) {
			return true, "RBAC: allowed by " + g.why
		}
	}
	return false, ""
}

// grant is what one binding gives to a user.
type grant struct {
	rules []rbacv1.PolicyRule
	why   string
}

// grants are all that bindings give to a user in a namespace: those of the whole cluster first.
func (s *Server) grants(u User, namespace string) (all []grant) {
	add := func(kind string, b Object, ref rbacv1.RoleRef, subjects []rbacv1.Subject) {
		for _, x := range subjects {
			if !isSubject(u, x, b.GetNamespace()) {
				continue
			}
			name := b.GetName()
			if b.GetNamespace() != "" {
				name += "/" + b.GetNamespace()
			}
			all = append(all, grant{s.rulesOf(ref, b.GetNamespace()), fmt.Sprintf("%s %q of %s %q to %s %q", kind, name, ref.Kind, ref.Name, x.Kind, subjectName(x))})
			return
		}
	}
	for _, o := range s.caches[s.kindNamed("ClusterRoleBinding")].in("") {
		b := o.(*rbacv1.ClusterRoleBinding)
		add("ClusterRoleBinding", b, b.RoleRef, b.Subjects)
	}
	if namespace != "" {
		for _, o := range s.caches[s.kindNamed("RoleBinding")].in(namespace) {
			b := o.(*rbacv1.RoleBinding)
			add("RoleBinding", b, b.RoleRef, b.Subjects)
		}
	}
	return all
}

func subjectName(x rbacv1.Subject) string {
	if x.Kind == rbacv1.ServiceAccountKind {
		return x.Name + "/" + x.Namespace
	}
	return x.Name
}

func isSubject(u User, x rbacv1.Subject, namespace string) bool {
	switch x.Kind {
	case rbacv1.UserKind:
		return x.Name == u.Name
	case rbacv1.GroupKind:
		return slices.Contains(u.Groups, x.Name)
	case rbacv1.ServiceAccountKind:
		if x.Namespace != "" {
			namespace = x.Namespace
		}
		return namespace != "" && u.Name == "system:serviceaccount:"+namespace+":"+x.Name
	}
	return false
}

func (s *Server) rulesOf(ref rbacv1.RoleRef, namespace string) []rbacv1.PolicyRule {
	if ref.Kind == "Role" {
		if o, ok := s.caches[s.kindNamed("Role")].get(namespace, ref.Name); ok {
			return o.(*rbacv1.Role).Rules
		}
		return nil
	}
	if o, ok := s.caches[s.kindNamed("ClusterRole")].get("", ref.Name); ok {
		return o.(*rbacv1.ClusterRole).Rules
	}
	return nil
}

// covers says whether a rule allows a request (pkg/apis/rbac/v1/evaluation_helpers.go).
func covers(r rbacv1.PolicyRule, a attributes) bool {
	if !matches(r.Verbs, a.verb) {
		return false
	}
	if a.path != "" {
		return slices.ContainsFunc(r.NonResourceURLs, func(url string) bool {
			prefix, wild := strings.CutSuffix(url, "*")
			return url == a.path || wild && strings.HasPrefix(a.path, prefix)
		})
	}
	_, sub, isSub := strings.Cut(a.resource, "/")
	return matches(r.APIGroups, a.group) && (matches(r.Resources, a.resource) || isSub && slices.Contains(r.Resources, "*/"+sub)) &&
		(len(r.ResourceNames) == 0 || slices.Contains(r.ResourceNames, a.name))
}

// DefaultClusterRoles are the roles for people that every cluster has, as far as the kinds served here go (the real
// bootstrappolicy). The roles of components are not among them: their powers are a table of their own.
//
// They are new, but what they point to is one and the same for all clusters, and not to be changed: it is large.
func DefaultClusterRoles() []*rbacv1.ClusterRole {
	var roles []*rbacv1.ClusterRole
	for _, r := range clusterRoles() {
		own := *r
		roles = append(roles, &own)
	}
	return roles
}

var clusterRoles = sync.OnceValue(makeClusterRoles)

func makeClusterRoles() []*rbacv1.ClusterRole {
	read, write := []string{"get", "list", "watch"}, []string{"create", "delete", "deletecollection", "patch", "update"}
	rule := func(verbs []string, group string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{Verbs: verbs, APIGroups: []string{group}, Resources: resources}
	}
	core := []string{"configmaps", "endpoints", "events", "persistentvolumeclaims", "pods", "services", "serviceaccounts"}
	both := func(verbs []string) []rbacv1.PolicyRule {
		return []rbacv1.PolicyRule{
			rule(verbs, "apps", "daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets", "statefulsets/scale"),
			rule(verbs, "autoscaling", "horizontalpodautoscalers"), rule(verbs, "batch", "cronjobs", "jobs"),
			rule(verbs, "networking.k8s.io", "ingresses", "networkpolicies"), rule(verbs, "policy", "poddisruptionbudgets"),
		}
	}
	view := append([]rbacv1.PolicyRule{rule(read, "", append(core, "limitranges", "namespaces", "pods/log", "pods/status", "resourcequotas")...)}, both(read)...)
	edit := append([]rbacv1.PolicyRule{rule(read, "", "secrets"), rule(write, "", append(core[:0:0], "configmaps", "events", "persistentvolumeclaims",
		"pods", "pods/eviction", "secrets", "services", "serviceaccounts")...)}, append(view, both(write)...)...)
	admin := append([]rbacv1.PolicyRule{rule(append(read[:3:3], write...), rbacv1.GroupName, "rolebindings", "roles")}, edit...)
	named := func(name string, rules ...rbacv1.PolicyRule) *rbacv1.ClusterRole {
		r := &rbacv1.ClusterRole{Rules: rules}
		r.Name, r.Labels = name, map[string]string{"kubernetes.io/bootstrapping": "rbac-defaults"}
		return r
	}
	all := []string{"*"}
	return []*rbacv1.ClusterRole{
		named("cluster-admin", rbacv1.PolicyRule{Verbs: all, APIGroups: all, Resources: all}, rbacv1.PolicyRule{Verbs: all, NonResourceURLs: all}),
		named("admin", admin...), named("edit", edit...), named("view", view...),
	}
}
