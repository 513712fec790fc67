package apiserver

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// review is a question about rights that is put by creating it, answered, and never stored.
type review struct {
	kind   schema.GroupVersionKind
	new    func() Object
	answer func(s *Server, u User, o Object)
}

// reviewAt is the question that a path is for; nil: none.
func reviewAt(at apiPath) *review {
	authorization, authentication := authorizationv1.SchemeGroupVersion, authenticationv1.SchemeGroupVersion
	if at.name != "" || at.version != "v1" {
		return nil
	}
	switch at.group + "/" + at.resource {
	case "authorization.k8s.io/selfsubjectaccessreviews":
		return &review{authorization.WithKind("SelfSubjectAccessReview"), func() Object { return &authorizationv1.SelfSubjectAccessReview{} },
			func(s *Server, u User, o Object) {
				r := o.(*authorizationv1.SelfSubjectAccessReview)
				r.Status = s.mayDo(u, r.Spec.ResourceAttributes, r.Spec.NonResourceAttributes)
			}}
	case "authorization.k8s.io/subjectaccessreviews":
		return &review{authorization.WithKind("SubjectAccessReview"), func() Object { return &authorizationv1.SubjectAccessReview{} },
			func(s *Server, _ User, o Object) {
				r := o.(*authorizationv1.SubjectAccessReview)
				r.Status = s.mayDo(User{Name: r.Spec.User, Groups: r.Spec.Groups}, r.Spec.ResourceAttributes, r.Spec.NonResourceAttributes)
			}}
	case "authorization.k8s.io/localsubjectaccessreviews":
		return &review{authorization.WithKind("LocalSubjectAccessReview"), func() Object { return &authorizationv1.LocalSubjectAccessReview{} },
			func(s *Server, _ User, o Object) {
				r := o.(*authorizationv1.LocalSubjectAccessReview)
				r.Status = s.mayDo(User{Name: r.Spec.User, Groups: r.Spec.Groups}, r.Spec.ResourceAttributes, r.Spec.NonResourceAttributes)
			}}
	case "authorization.k8s.io/selfsubjectrulesreviews":
		return &review{authorization.WithKind("SelfSubjectRulesReview"), func() Object { return &authorizationv1.SelfSubjectRulesReview{} },
			func(s *Server, u User, o Object) {
				r := o.(*authorizationv1.SelfSubjectRulesReview)
				r.Status = s.rulesFor(u, r.Spec.Namespace)
			}}
	case "authentication.k8s.io/selfsubjectreviews":
		return &review{authentication.WithKind("SelfSubjectReview"), func() Object { return &authenticationv1.SelfSubjectReview{} },
			func(_ *Server, u User, o Object) {
				o.(*authenticationv1.SelfSubjectReview).Status.UserInfo = authenticationv1.UserInfo{Username: u.Name, Groups: u.Groups}
			}}
	}
	return nil
}

// serveReview answers a question. One about oneself is open to everybody who is known; one about others is not.
func (x *exchange) serveReview(q *review) *answer {
	if x.http.Method != http.MethodPost {
		return x.refusal(methodNotAllowed())
	}
	if x.user.Name == "" {
		return x.refusal(apierrors.NewUnauthorized("Unauthorized"))
	}
	if !strings.HasPrefix(q.kind.Kind, "Self") {
		a := attributes{verb: "create", group: q.kind.Group, resource: x.at.resource, namespace: x.at.namespace}
		if yes, _ := x.server.allows(x.user, a); !yes {
			return x.refusal(denied(schema.GroupResource{Group: a.group, Resource: a.resource}, "", x.user, a))
		}
	}
	body, err := x.body()
	if err != nil {
		return x.refusal(err)
	}
	o := q.new()
	if err := x.decode(body, q.kind, o, "Ignore"); err != nil {
		return x.refusal(err)
	}
	q.answer(x.server, x.user, o)
	o.GetObjectKind().SetGroupVersionKind(q.kind)
	media, ok := negotiate(x.http.Header.Get("Accept"), nil)
	if !ok {
		return x.refusal(notAcceptable())
	}
	return x.encode(http.StatusCreated, o, media.info)
}

func (s *Server) mayDo(u User, r *authorizationv1.ResourceAttributes, n *authorizationv1.NonResourceAttributes) authorizationv1.SubjectAccessReviewStatus {
	var a attributes
	switch {
	case r != nil:
		a = attributes{verb: r.Verb, group: r.Group, resource: r.Resource, namespace: r.Namespace, name: r.Name}
		if r.Subresource != "" {
			a.resource += "/" + r.Subresource
		}
	case n != nil:
		a = attributes{verb: n.Verb, path: n.Path}
	}
	yes, why := s.allows(u, a)
	return authorizationv1.SubjectAccessReviewStatus{Allowed: yes, Reason: why}
}

// rulesFor are all that somebody may do in a namespace: what bindings give, and what everybody may who is known.
func (s *Server) rulesFor(u User, namespace string) (status authorizationv1.SubjectRulesReviewStatus) {
	add := func(r rbacv1.PolicyRule) {
		if len(r.NonResourceURLs) > 0 {
			status.NonResourceRules = append(status.NonResourceRules, authorizationv1.NonResourceRule{Verbs: r.Verbs, NonResourceURLs: r.NonResourceURLs})
			return
		}
		status.ResourceRules = append(status.ResourceRules, authorizationv1.ResourceRule{Verbs: r.Verbs, APIGroups: r.APIGroups, Resources: r.Resources, ResourceNames: r.ResourceNames})
	}
	if slices.Contains(u.Groups, "system:masters") {
		add(rbacv1.PolicyRule{Verbs: anything, APIGroups: anything, Resources: anything})
		add(rbacv1.PolicyRule{Verbs: anything, NonResourceURLs: anything})
	}
	for _, g := range s.grants(u, namespace) {
		for _, r := range g.rules {
			add(r)
		}
	}
	add(rbacv1.PolicyRule{Verbs: []string{"create"}, APIGroups: []string{"authorization.k8s.io"}, Resources: []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews"}})
	add(rbacv1.PolicyRule{Verbs: []string{"create"}, APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"selfsubjectreviews"}})
	add(rbacv1.PolicyRule{Verbs: []string{"get"}, NonResourceURLs: []string{"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"}})
	return status
}

// impersonated is who a request is to be taken for: kubectl --as. Only who may impersonate may ask for it.
func (s *Server) impersonated(u User, h http.Header) (User, error) {
	name, groups := h.Get("Impersonate-User"), h.Values("Impersonate-Group")
	if name == "" {
		if len(groups) > 0 {
			return u, apierrors.NewInternalError(fmt.Errorf("requested %v without impersonating a user", groups))
		}
		return u, nil
	}
	ask := func(resource, namespace, name string) error {
		a := attributes{verb: "impersonate", resource: resource, namespace: namespace, name: name}
		if yes, _ := s.allows(u, a); !yes {
			return denied(schema.GroupResource{Resource: resource}, name, u, a)
		}
		return nil
	}
	as := User{Name: name, Groups: slices.Clone(groups), Agent: u.Agent}
	if rest, ok := strings.CutPrefix(name, "system:serviceaccount:"); ok {
		namespace, account, _ := strings.Cut(rest, ":")
		if err := ask("serviceaccounts", namespace, account); err != nil {
			return u, err
		}
		if len(groups) == 0 {
			as.Groups = []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace}
		}
	} else if err := ask("users", "", name); err != nil {
		return u, err
	}
	for _, g := range groups {
		if err := ask("groups", "", g); err != nil {
			return u, err
		}
	}
	if !slices.Contains(as.Groups, "system:authenticated") {
		as.Groups = append(as.Groups, "system:authenticated")
	}
	return as, nil
}

// denied words a refusal as the RBAC authoriser does.
func denied(of schema.GroupResource, name string, u User, a attributes) error {
	where := "at the cluster scope"
	if a.namespace != "" {
		where = fmt.Sprintf("in the namespace %q", a.namespace)
	}
	return apierrors.NewForbidden(of, name, fmt.Errorf("User %q cannot %s resource %q in API group %q %s", u.Name, a.verb, a.resource, a.group, where))
}
