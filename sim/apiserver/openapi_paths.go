package apiserver

import (
	"reflect"
	"slices"
	"strings"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// paths makes the paths of one document. The old /watch/ paths are left out:
// clients watch with a parameter.
type paths struct {
	group  schema.GroupVersion
	models *models
	all    map[string]*spec3.Path
}

// verb is one operation: its method, and how OpenAPI names it.
type verb struct {
	method, action, name, says string
	takes, gives               reflect.Type // of the body; nil: none
	params                     []*spec3.Parameter
}

func (d *paths) addResource(r *Resource) {
	object, list := reflect.TypeOf(r.New()).Elem(), reflect.TypeOf(r.NewList()).Elem()
	status := reflect.TypeOf(metav1.Status{})
	all := []verb{
		{"get", "list", "list", "list or watch objects of kind " + r.Kind, nil, list, listParameters()},
		{"post", "post", "create", "create " + article(r.Kind), object, object, writeParameters()},
		{"delete", "deletecollection", "deleteCollection", "delete collection of " + r.Kind, reflect.TypeOf(metav1.DeleteOptions{}), status, append(listParameters(), deleteParameters()...)},
	}
	one := []verb{
		{"get", "get", "read", "read the specified " + r.Kind, nil, object, nil},
		{"put", "put", "replace", "replace the specified " + r.Kind, object, object, writeParameters()},
		{"patch", "patch", "patch", "partially update the specified " + r.Kind, patchType, object, patchParameters()},
		{"delete", "delete", "delete", "delete " + article(r.Kind), reflect.TypeOf(metav1.DeleteOptions{}), status, deleteParameters()},
	}
	base := groupPath(d.group) + "/" + r.Resource
	if r.Namespaced {
		everywhere := all[:1:1]
		d.add(base, r, r.GroupVersionKind(), "ForAllNamespaces", everywhere)
		base = groupPath(d.group) + "/namespaces/{namespace}/" + r.Resource
	}
	d.add(base, r, r.GroupVersionKind(), "", all)
	d.add(base+"/{name}", r, r.GroupVersionKind(), "", one)
	for _, s := range r.Subresources {
		d.addSubresource(base+"/{name}/"+s, r, s, object)
	}
}

// addSubresource: most are the object in a part; some take or give a kind of their own.
func (d *paths) addSubresource(path string, r *Resource, name string, object reflect.Type) {
	kind, own := r.GroupVersionKind(), object
	verbs := []string{"get", "put", "patch"}
	switch name {
	case "scale":
		kind, own = autoscalingv1.SchemeGroupVersion.WithKind("Scale"), reflect.TypeOf(autoscalingv1.Scale{})
	case "binding":
		kind, own, verbs = corev1.SchemeGroupVersion.WithKind("Binding"), reflect.TypeOf(corev1.Binding{}), []string{"post"}
	case "eviction":
		kind, own, verbs = policyv1.SchemeGroupVersion.WithKind("Eviction"), reflect.TypeOf(policyv1.Eviction{}), []string{"post"}
	case "finalize":
		verbs = []string{"put"}
	case "log":
		d.add(path, r, kind, "Log", []verb{{"get", "get", "read", "read log of the specified " + r.Kind, nil, reflect.TypeOf(""), logParameters()}})
		return
	}
	of := name + " of the specified " + r.Kind
	every := []verb{
		{"get", "get", "read", "read " + of, nil, own, nil},
		{"put", "put", "replace", "replace " + of, own, own, writeParameters()},
		{"patch", "patch", "patch", "partially update " + of, patchType, own, patchParameters()},
		{"post", "post", "create", "create " + name + " of a " + r.Kind, own, own, writeParameters()},
	}
	every = slices.DeleteFunc(every, func(v verb) bool { return !slices.Contains(verbs, v.method) })
	d.add(path, r, kind, strings.ToUpper(name[:1])+name[1:], every)
}

func (d *paths) add(path string, r *Resource, kind schema.GroupVersionKind, suffix string, verbs []verb) {
	p := &spec3.Path{}
	for _, name := range []string{"name", "namespace"} {
		if strings.Contains(path, "{"+name+"}") {
			p.Parameters = append(p.Parameters, parameter("path", name, "string"))
		}
	}
	p.Parameters = append(p.Parameters, queries("pretty")...)
	for _, v := range verbs {
		d.operation(p, v, kind, v.name+d.operationGroup()+scopeWord(r, suffix)+r.Kind+suffix)
	}
	d.all[path] = p
}

// operationGroup is CoreV1, AppsV1, DiscoveryV1 …
func (d *paths) operationGroup() string {
	group, _, _ := strings.Cut(d.group.Group, ".")
	if group == "" {
		group = "core"
	}
	return strings.ToUpper(group[:1]) + group[1:] + strings.ToUpper(d.group.Version[:1]) + d.group.Version[1:]
}

func scopeWord(r *Resource, suffix string) string {
	if r.Namespaced && suffix != "ForAllNamespaces" {
		return "Namespaced"
	}
	return ""
}

func article(kind string) string {
	if strings.ContainsRune("AEIOU", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

// operation adds one verb to a path.
func (d *paths) operation(p *spec3.Path, v verb, kind schema.GroupVersionKind, id string) {
	group, _, _ := strings.Cut(d.group.Group, ".")
	if group == "" {
		group = "core"
	}
	op := &spec3.Operation{OperationProps: spec3.OperationProps{
		Tags:        []string{group + "_" + d.group.Version},
		Description: v.says,
		OperationId: id,
		Parameters:  v.params,
		Responses:   d.responses(v),
	}}
	if v.takes != nil {
		op.RequestBody = d.body(v)
	}
	op.AddExtension("x-kubernetes-action", v.action)
	op.AddExtension("x-kubernetes-group-version-kind", map[string]any{"group": kind.Group, "version": kind.Version, "kind": kind.Kind})
	switch v.method {
	case "get":
		p.Get = op
	case "put":
		p.Put = op
	case "post":
		p.Post = op
	case "patch":
		p.Patch = op
	case "delete":
		p.Delete = op
	}
}

// patchType is the body of a patch, whose form its content type tells.
var patchType = reflect.TypeOf(metav1.Patch{})

// patchContentTypes: kubectl looks among them before it sends a strategic merge patch.
func patchContentTypes() []string {
	return []string{
		"application/apply-patch+yaml",
		"application/json-patch+json",
		"application/merge-patch+json",
		"application/strategic-merge-patch+json",
	}
}

func (d *paths) media(t reflect.Type) *spec3.MediaType {
	s := d.models.typeOf(t)
	return &spec3.MediaType{MediaTypeProps: spec3.MediaTypeProps{Schema: &s}}
}

func (d *paths) body(v verb) *spec3.RequestBody {
	types := []string{"*/*"}
	if v.takes == patchType {
		types = patchContentTypes()
	}
	b := &spec3.RequestBody{RequestBodyProps: spec3.RequestBodyProps{Content: map[string]*spec3.MediaType{}, Required: v.method != "delete"}}
	for _, t := range types {
		b.Content[t] = d.media(v.takes)
	}
	return b
}

func (d *paths) responses(v verb) *spec3.Responses {
	answer := func(description string, content bool) *spec3.Response {
		r := &spec3.Response{ResponseProps: spec3.ResponseProps{Description: description}}
		switch {
		case !content:
		case v.gives.Kind() == reflect.String:
			r.Content = map[string]*spec3.MediaType{"text/plain": d.media(v.gives)}
		default:
			r.Content = map[string]*spec3.MediaType{"application/json": d.media(v.gives)}
		}
		return r
	}
	codes := map[int]*spec3.Response{200: answer("OK", true), 401: answer("Unauthorized", false)}
	switch v.action {
	case "post":
		codes[201], codes[202] = answer("Created", true), answer("Accepted", true)
	case "put", "patch":
		codes[201] = answer("Created", true)
	case "delete":
		codes[202] = answer("Accepted", true)
	}
	return &spec3.Responses{ResponsesProps: spec3.ResponsesProps{StatusCodeResponses: codes}}
}

func parameter(in, name, typ string) *spec3.Parameter {
	return &spec3.Parameter{ParameterProps: spec3.ParameterProps{Name: name, In: in, Required: in == "path",
		Schema: &spec.Schema{SchemaProps: spec.SchemaProps{Type: []string{typ}, UniqueItems: true}}}}
}

// queries makes query parameters, each given as name or name:type. They have no
// descriptions, unlike those of the real server: nobody reads them there, and
// kubectl parses the whole document at each apply.
func queries(names ...string) []*spec3.Parameter {
	made := make([]*spec3.Parameter, len(names))
	for i, n := range names {
		name, typ, typed := strings.Cut(n, ":")
		if !typed {
			typ = "string"
		}
		made[i] = parameter("query", name, typ)
	}
	return made
}

func writeParameters() []*spec3.Parameter {
	return queries("dryRun", "fieldManager", "fieldValidation")
}

func patchParameters() []*spec3.Parameter {
	return append(writeParameters(), queries("force:boolean")...)
}

func deleteParameters() []*spec3.Parameter {
	return queries("dryRun", "gracePeriodSeconds:integer", "orphanDependents:boolean", "propagationPolicy")
}

func listParameters() []*spec3.Parameter {
	return queries("allowWatchBookmarks:boolean", "continue", "fieldSelector", "labelSelector", "limit:integer",
		"resourceVersion", "resourceVersionMatch", "sendInitialEvents:boolean", "timeoutSeconds:integer", "watch:boolean")
}

func logParameters() []*spec3.Parameter {
	return queries("container", "follow:boolean", "limitBytes:integer", "previous:boolean",
		"sinceSeconds:integer", "tailLines:integer", "timestamps:boolean")
}
