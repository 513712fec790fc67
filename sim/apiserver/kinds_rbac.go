package apiserver

import (
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/api/validation/path"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The rows of roles and their bindings, with what the API refuses of them (Kubernetes 1.37 pkg/apis/rbac). A cluster
// role's aggregation rule is stored, and no controller fills in its rules. That nobody grants more than they have is
// not looked into: whoever may write roles may write any.

func roleResource() Resource {
	r := rbacResource("roles", "Role", true)
	r.New, r.NewList = func() Object { return &rbacv1.Role{} }, func() runtime.Object { return &rbacv1.RoleList{} }
	r.Validate = check(func(o *rbacv1.Role) field.ErrorList { return policyRules(o.Rules, true) })
	r.ValidateUpdate = checkFrom(func(o, _ *rbacv1.Role) field.ErrorList { return policyRules(o.Rules, true) })
	r.Columns, r.Cells = roleColumns(), cells(func(o *rbacv1.Role, _ time.Time) []any { return roleCells(o) })
	return r
}

func clusterRoleResource() Resource {
	r := rbacResource("clusterroles", "ClusterRole", false)
	r.New, r.NewList = func() Object { return &rbacv1.ClusterRole{} }, func() runtime.Object { return &rbacv1.ClusterRoleList{} }
	r.Validate = check(validateClusterRole)
	r.ValidateUpdate = checkFrom(func(o, _ *rbacv1.ClusterRole) field.ErrorList { return validateClusterRole(o) })
	r.Columns, r.Cells = roleColumns(), cells(func(o *rbacv1.ClusterRole, _ time.Time) []any { return roleCells(o) })
	return r
}

func roleBindingResource() Resource {
	r := rbacResource("rolebindings", "RoleBinding", true)
	r.New, r.NewList = func() Object { return &rbacv1.RoleBinding{} }, func() runtime.Object { return &rbacv1.RoleBindingList{} }
	r.Default = act(func(b *rbacv1.RoleBinding) { defaultBinding(&b.RoleRef, b.Subjects) })
	r.Validate = check(func(b *rbacv1.RoleBinding) field.ErrorList { return validateRoleBinding(b.RoleRef, b.Subjects, true) })
	r.ValidateUpdate = checkFrom(func(b, old *rbacv1.RoleBinding) field.ErrorList {
		return append(validateRoleBinding(b.RoleRef, b.Subjects, true), apivalidation.ValidateImmutableField(b.RoleRef, old.RoleRef, field.NewPath("roleRef"))...)
	})
	r.Columns = bindingColumns("roleBinding", rbacv1.RoleBinding{}.SwaggerDoc()["roleRef"])
	r.Cells = cells(func(b *rbacv1.RoleBinding, now time.Time) []any { return bindingCells(b, b.RoleRef, b.Subjects, now) })
	return r
}

func clusterRoleBindingResource() Resource {
	r := rbacResource("clusterrolebindings", "ClusterRoleBinding", false)
	r.New, r.NewList = func() Object { return &rbacv1.ClusterRoleBinding{} }, func() runtime.Object { return &rbacv1.ClusterRoleBindingList{} }
	r.Default = act(func(b *rbacv1.ClusterRoleBinding) { defaultBinding(&b.RoleRef, b.Subjects) })
	r.Validate = check(func(b *rbacv1.ClusterRoleBinding) field.ErrorList {
		return validateRoleBinding(b.RoleRef, b.Subjects, false)
	})
	r.ValidateUpdate = checkFrom(func(b, old *rbacv1.ClusterRoleBinding) field.ErrorList {
		return append(validateRoleBinding(b.RoleRef, b.Subjects, false), apivalidation.ValidateImmutableField(b.RoleRef, old.RoleRef, field.NewPath("roleRef"))...)
	})
	r.Columns = bindingColumns("clusterRoleBinding", rbacv1.ClusterRoleBinding{}.SwaggerDoc()["roleRef"])
	r.Cells = cells(func(b *rbacv1.ClusterRoleBinding, now time.Time) []any {
		return bindingCells(b, b.RoleRef, b.Subjects, now)
	})
	return r
}

// rbacResource is what the four rows have in common.
func rbacResource(plural, kind string, namespaced bool) Resource {
	return Resource{
		GroupVersionResource: rbacv1.SchemeGroupVersion.WithResource(plural),
		Kind:                 kind,
		Singular:             strings.ToLower(kind),
		Namespaced:           namespaced,
		KeyPrefix:            "/registry/" + plural,
		Default:              func(Object) {},
		//lint:ignore SA1019 the real server calls it still
		ValidName:      path.ValidatePathSegmentName,
		Unconditional:  true,
		CreateOnUpdate: true,
	}
}

func defaultBinding(ref *rbacv1.RoleRef, subjects []rbacv1.Subject) {
	orElse(&ref.APIGroup, rbacv1.GroupName)
	for i := range subjects {
		if k := subjects[i].Kind; k == rbacv1.UserKind || k == rbacv1.GroupKind {
			orElse(&subjects[i].APIGroup, rbacv1.GroupName)
		}
	}
}

func policyRules(rules []rbacv1.PolicyRule, namespaced bool) field.ErrorList {
	var f findings
	for i, r := range rules {
		at := field.NewPath("rules").Index(i)
		if len(r.Verbs) == 0 {
			f.required(at.Child("verbs"), "verbs must contain at least one value")
		}
		if len(r.NonResourceURLs) > 0 {
			at := at.Child("nonResourceURLs")
			if namespaced {
				f.invalid(at, r.NonResourceURLs, "namespaced rules cannot apply to non-resource URLs")
			}
			if len(r.APIGroups) > 0 || len(r.Resources) > 0 || len(r.ResourceNames) > 0 {
				f.invalid(at, r.NonResourceURLs, "rules cannot apply to both regular resources and non-resource URLs")
			}
			continue
		}
		if len(r.APIGroups) == 0 {
			f.required(at.Child("apiGroups"), "resource rules must supply at least one api group")
		}
		if len(r.Resources) == 0 {
			f.required(at.Child("resources"), "resource rules must supply at least one resource")
		}
	}
	return f.errs
}

func validateClusterRole(r *rbacv1.ClusterRole) field.ErrorList {
	f := findings{errs: policyRules(r.Rules, false)}
	if a := r.AggregationRule; a != nil {
		at := field.NewPath("aggregationRule", "clusterRoleSelectors")
		if len(a.ClusterRoleSelectors) == 0 {
			f.required(at, "at least one clusterRoleSelector required if aggregationRule is non-nil")
		}
		for i := range a.ClusterRoleSelectors {
			f.labelSelector(at.Index(i), &a.ClusterRoleSelectors[i])
		}
	}
	return f.errs
}

func validateRoleBinding(ref rbacv1.RoleRef, subjects []rbacv1.Subject, namespaced bool) field.ErrorList {
	var f findings
	at := field.NewPath("roleRef")
	among(&f, at.Child("apiGroup"), ref.APIGroup, rbacv1.GroupName)
	if namespaced {
		among(&f, at.Child("kind"), ref.Kind, "Role", "ClusterRole")
	} else {
		among(&f, at.Child("kind"), ref.Kind, "ClusterRole")
	}
	if ref.Name == "" {
		f.required(at.Child("name"), "")
	} else {
		//lint:ignore SA1019 the real server calls it still
		f.invalidFor(at.Child("name"), ref.Name, path.ValidatePathSegmentName(ref.Name, false))
	}
	for i, s := range subjects {
		at := field.NewPath("subjects").Index(i)
		f.need(at, "name", s.Name)
		switch s.Kind {
		case rbacv1.ServiceAccountKind:
			if s.Name != "" {
				f.subdomain(at.Child("name"), s.Name)
			}
			if s.APIGroup != "" {
				f.add(field.NotSupported(at.Child("apiGroup"), s.APIGroup, []string{""}))
			}
			if !namespaced {
				f.need(at, "namespace", s.Namespace)
			}
		case rbacv1.UserKind, rbacv1.GroupKind:
			among(&f, at.Child("apiGroup"), s.APIGroup, rbacv1.GroupName)
		default:
			f.add(field.NotSupported(at.Child("kind"), s.Kind, []string{rbacv1.ServiceAccountKind, rbacv1.UserKind, rbacv1.GroupKind}))
		}
	}
	return f.errs
}

// roleColumns are those of kinds that the real server has no table of its own for.
func roleColumns() []metav1.TableColumnDefinition { return defaultColumns() }

func roleCells(o Object) []any { return defaultCells(o, time.Time{}) }

func bindingColumns(name, role string) []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		nameColumn(),
		column("Role", "string", role),
		ageColumn(),
		wide(column("Users", "string", "Users in the "+name)),
		wide(column("Groups", "string", "Groups in the "+name)),
		wide(column("ServiceAccounts", "string", "ServiceAccounts in the "+name)),
	}
}

func bindingCells(o Object, ref rbacv1.RoleRef, subjects []rbacv1.Subject, now time.Time) []any {
	var users, groups, accounts []string
	for _, s := range subjects {
		switch s.Kind {
		case rbacv1.ServiceAccountKind:
			accounts = append(accounts, s.Namespace+"/"+s.Name)
		case rbacv1.UserKind:
			users = append(users, s.Name)
		case rbacv1.GroupKind:
			groups = append(groups, s.Name)
		}
	}
	return []any{o.GetName(), ref.Kind + "/" + ref.Name, age(o.GetCreationTimestamp(), now),
		strings.Join(users, ", "), strings.Join(groups, ", "), strings.Join(accounts, ", ")}
}
