package apiserver

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/openapi"
	"k8s.io/kube-openapi/pkg/handler3"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
	explain "k8s.io/kubectl/pkg/explain/v2"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
)

var updateExplain = flag.Bool("update-explain", false, "rewrite what is explained in testdata/explain.txt")

// published is the documents as a client of client-go sees them.
type published struct{}

type publishedDocument string

func (published) Paths() (map[string]openapi.GroupVersion, error) {
	var index handler3.OpenAPIV3Discovery
	if err := json.Unmarshal(openAPIIndex(), &index); err != nil {
		return nil, err
	}
	paths := map[string]openapi.GroupVersion{}
	for path := range index.Paths {
		paths[path] = publishedDocument(path)
	}
	return paths, nil
}

func (d publishedDocument) ServerRelativeURL() string { return "/openapi/v3/" + string(d) }

func (d publishedDocument) Schema(string) ([]byte, error) {
	doc, _, ok := openAPIDocument(string(d))
	if !ok {
		return nil, fmt.Errorf("no document %s", d)
	}
	return doc, nil
}

// explained runs kubectl's own code on what `kubectl explain` would be given.
func explained(t *testing.T, command string) string {
	t.Helper()
	what, recursive := strings.CutSuffix(strings.TrimPrefix(command, "$ kubectl explain "), " --recursive")
	fields := strings.Split(what, ".")
	var out bytes.Buffer
	err := explain.PrintModelDescription(fields[1:], &out, published{}, resourceNamed(t, fields[0]), recursive, 0, "plaintext")
	if err != nil {
		return out.String() + err.Error() + "\n[exit 1]\n\n"
	}
	return out.String() + "[exit 0]\n\n"
}

func resourceNamed(t *testing.T, name string) schema.GroupVersionResource {
	t.Helper()
	for _, r := range kinds() {
		if r.Resource == name || r.Singular == name {
			return r.GroupVersionResource
		}
	}
	t.Fatalf("no resource %s", name)
	return schema.GroupVersionResource{}
}

// The first six of testdata/explain.txt are recorded from a real 1.37.2.
func TestExplainReadsAsTheRealOne(t *testing.T) {
	const file = "testdata/explain.txt"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var now strings.Builder
	for _, block := range strings.SplitAfter(string(b), "]\n\n") {
		if block == "" {
			continue
		}
		command, want, _ := strings.Cut(block, "\n")
		got := explained(t, command)
		fmt.Fprintf(&now, "%s\n%s", command, got)
		if got != want && !*updateExplain {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", command, got, want)
		}
	}
	if *updateExplain {
		if err := os.WriteFile(file, []byte(now.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func document(t *testing.T, path string) *spec3.OpenAPI {
	t.Helper()
	b, etag, ok := openAPIDocument(path)
	if !ok || etag == "" {
		t.Fatalf("no document %s", path)
	}
	var d spec3.OpenAPI
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// kubectl's own look-up of what the server's PATCH takes, before it validates or
// dries a run.
func TestKubectlFindsQueryParameters(t *testing.T) {
	for _, r := range kinds() {
		for _, param := range []resource.VerifiableQueryParam{resource.QueryParamFieldValidation, resource.VerifiableQueryParam("dryRun")} {
			verifier := resource.NewQueryParamVerifierV3(nil, published{}, param)
			if err := verifier.HasSupport(r.GroupVersionKind()); err != nil {
				t.Errorf("%s %s: %v", r.Kind, param, err)
			}
		}
		patch := document(t, strings.TrimPrefix(groupPath(r.GroupVersion()), "/")).Paths.Paths[pathOf(&r)+"/{name}"].Patch
		if patch.RequestBody.Content["application/strategic-merge-patch+json"] == nil {
			t.Errorf("%s takes no strategic merge patch", r.Kind)
		}
	}
}

func pathOf(r *Resource) string {
	if r.Namespaced {
		return groupPath(r.GroupVersion()) + "/namespaces/{namespace}/" + r.Resource
	}
	return groupPath(r.GroupVersion()) + "/" + r.Resource
}

func TestOpenAPIDocumentsAreWhole(t *testing.T) {
	paths, err := published{}.Paths()
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d documents, %v", len(paths), err)
	}
	for path := range paths {
		b, _, _ := openAPIDocument(path)
		d := document(t, path)
		for _, ref := range regexp.MustCompile(`"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(string(b), -1) {
			if d.Components.Schemas[ref[1]] == nil {
				t.Errorf("%s refers to %s, which is not there", path, ref[1])
			}
		}
		for name, s := range d.Components.Schemas {
			for field, f := range s.Properties {
				if len(f.Type) == 0 && f.Ref.String() == "" && len(f.AllOf) == 0 && len(f.OneOf) == 0 {
					t.Errorf("%s: %s %s has no type", path, name, field)
				}
			}
			for _, field := range s.Required {
				if _, ok := s.Properties[field]; !ok {
					t.Errorf("%s: %s requires %s, which it has not", path, name, field)
				}
			}
		}
	}
	if _, _, ok := openAPIDocument("apis/resource.k8s.io/v1"); ok {
		t.Error("a document of a group that is not served")
	}
	first, again := publishOpenAPI(), publishOpenAPI()
	for path := range first {
		if !bytes.Equal(first[path].body, again[path].body) {
			t.Errorf("%s is not the same twice", path)
		}
	}
}

// The merge rules are a table of ours; client-go carries the real ones.
func TestMergeRulesAgreeWithClientGo(t *testing.T) {
	converter := applyconfigurations.NewTypeConverter(scheme.Scheme)
	for _, r := range kinds() {
		o := r.New()
		o.GetObjectKind().SetGroupVersionKind(r.GroupVersionKind())
		typed, err := converter.ObjectToTyped(o)
		if err != nil {
			t.Fatal(err)
		}
		d := document(t, strings.TrimPrefix(groupPath(r.GroupVersion()), "/"))
		for _, def := range typed.Schema().Types {
			ours := d.Components.Schemas[def.Name]
			if ours == nil || def.Map == nil {
				continue
			}
			for _, f := range def.Map.Fields {
				if p, ok := ours.Properties[f.Name]; ok {
					compareMergeRule(t, def.Name+" "+f.Name, f.Type, p.Extensions)
				}
			}
			if got := ours.Extensions["x-kubernetes-map-type"] == "atomic"; got != (def.Map.ElementRelationship == smd.Atomic) {
				t.Errorf("%s: atomic %v", def.Name, got)
			}
		}
	}
}

func compareMergeRule(t *testing.T, field string, f smd.TypeRef, extensions spec.Extensions) {
	t.Helper()
	if f.Inlined.List == nil {
		return
	}
	kind, keys := "atomic", f.Inlined.List.Keys
	if f.Inlined.List.ElementRelationship == smd.Associative {
		kind = "set"
		if len(keys) > 0 {
			kind = "map"
		}
	}
	got, stated := extensions["x-kubernetes-list-type"]
	if !stated {
		got = "atomic"
	}
	var gotKeys []string
	if all, ok := extensions["x-kubernetes-list-map-keys"].([]any); ok {
		for _, k := range all {
			gotKeys = append(gotKeys, k.(string))
		}
	}
	if got != kind || !slices.Equal(gotKeys, keys) {
		t.Errorf("%s merges as %v %v, not %s %v", field, got, gotKeys, kind, keys)
	}
}

func TestOpenAPIOverHTTP(t *testing.T) {
	w := newWorld(t, Limits{})
	index := w.call("GET /openapi/v3")
	url := index.path(t, `{.paths.apis/apps/v1.serverRelativeURL}`)
	if !strings.HasPrefix(url, "/openapi/v3/apis/apps/v1?hash=") {
		t.Fatalf("%d: apps is at %q", index.code, url)
	}
	doc := w.call("GET " + url)
	want, _, _ := openAPIDocument("apis/apps/v1")
	if doc.code != 200 || doc.body != string(want) {
		t.Errorf("%d, %d bytes of %d", doc.code, len(doc.body), len(want))
	}
	if again := w.call("GET "+url, "If-None-Match: "+doc.header.Get("ETag")); again.code != 304 {
		t.Errorf("asked again: %d", again.code)
	}
	if other := w.call("GET /openapi/v3/apis/resource.k8s.io/v1"); other.code != 404 {
		t.Errorf("a group that is not served: %d", other.code)
	}
}
