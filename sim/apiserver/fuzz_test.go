package apiserver

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// answersWell checks what is true of every answer: an object, and no panic. (500 alone is none: so the
// real server answers what a schema refuses.)
func answersWell(t *testing.T, a answered) {
	t.Helper()
	var o struct{ Kind, APIVersion string }
	if err := json.Unmarshal([]byte(a.body), &o); err != nil || o.Kind == "" {
		t.Errorf("%d without an object: %v %.300s", a.code, err, a.body)
	}
	if strings.Contains(a.body, "Internal error occurred: panic") {
		t.Errorf("%d %.300s", a.code, a.body)
	}
}

func (w *world) send(method, path string, query url.Values, contentType, body string) answered {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.URL.RawQuery = query.Encode()
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	rec := httptest.NewRecorder()
	w.Handler(person).ServeHTTP(rec, req)
	return answered{rec.Code, rec.Header(), rec.Body.String()}
}

// Whatever patch is sent, of any of the four types, it is applied or refused; refused, it leaves the object as it was,
// and applied, the object can be read.
func FuzzPatches(f *testing.F) {
	for _, seed := range []struct {
		kind uint8
		body string
	}{
		{0, `[{"op":"replace","path":"/metadata/labels/app","value":"x"},{"op":"test","path":"/kind","value":"ConfigMap"}]`},
		{0, `[{"op":"copy","from":"/metadata","path":"/metadata/annotations/a"},{"op":"remove","path":"/spec"}]`},
		{0, `[{"op":"move","from":"/a~0b~1c","path":"/spec/template/spec/containers/-1"}]`},
		{0, `{"op":"add"}`},
		{1, `{"data":{"a":null},"metadata":{"labels":null}}`},
		{1, `{"spec":{"replicas":"many","template":{"spec":{"containers":[]}}}}`},
		{1, `[]`}, {1, `null`}, {1, `{"metadata":null}`},
		{2, `{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"x"},{"$patch":"delete","name":"c"}]}}}}`},
		{2, `{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"z"}],"$retainKeys":["containers"]}}}}`},
		{2, `{"$patch":"replace","metadata":{"name":"web"}}`},
		{2, `{"metadata":{"finalizers":["a/b"],"$deleteFromPrimitiveList/finalizers":["a/b"]}}`},
		{3, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {a: 1}\n"},
		{3, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: c}, {name: c}]}}}\n"},
		{3, "- a\n- b"}, {3, "a: &a [*a]"}, {3, ""},
	} {
		f.Add(seed.kind, seed.body)
	}
	types := []string{"application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"}
	f.Fuzz(func(t *testing.T, kind uint8, body string) {
		for _, path := range []string{configMaps + "/cm", deployments + "/web", pods + "/p"} {
			w := furnished(t)
			before := w.call("GET " + path).body
			a := w.send("PATCH", path, url.Values{"fieldManager": {"fuzz"}}, types[kind%4], body)
			answersWell(t, a)
			after := w.call("GET " + path)
			if a.code >= 300 && after.body != before {
				t.Errorf("refused with %d, it has changed the object\n%s\n%s", a.code, before, after.body)
			}
			if a.code < 300 && after.code != http.StatusOK {
				t.Errorf("after the patch: %d %s", after.code, after.body)
			}
		}
	})
}

// Whatever selectors are sent, they are understood or refused, and what is found is a part of what there is.
func FuzzSelectors(f *testing.F) {
	for _, seed := range [][2]string{
		{"app=web", ""}, {"app in (web,db),!x", "metadata.name=cm"}, {"app notin ()", "metadata.name!=cm"}, {"a b c", "=,="}, {"app==web,app!=web", "status.phase=Running,spec.nodeName="},
		{"app>1", `metadata.name=\,\=`}, {"(", "spec.replicas=3"}, {strings.Repeat("a,", 300), strings.Repeat("metadata.name=a,", 300)}, {"é=ü", "metadata.name=é"}, {",", ","},
		{"in in (in)", "metadata.namespace=default"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, labels, fields string) {
		w := furnished(t)
		for _, path := range []string{pods, configMaps, deployments} {
			var all, some struct{ Items []json.RawMessage }
			if err := json.Unmarshal([]byte(w.call("GET "+path).body), &all); err != nil {
				t.Fatal(err)
			}
			query := url.Values{"labelSelector": {labels}, "fieldSelector": {fields}}
			a := w.send("GET", path, query, "", "")
			answersWell(t, a)
			if a.code >= 300 {
				continue
			}
			if err := json.Unmarshal([]byte(a.body), &some); err != nil || len(some.Items) > len(all.Items) {
				t.Errorf("%v, %d of %d", err, len(some.Items), len(all.Items))
			}
			if again := w.send("GET", path, query, "", ""); again.body != a.body {
				t.Errorf("asked twice it says\n%s\n%s", a.body, again.body)
			}
		}
	})
}

// Whatever manifest is sent, it is stored or refused; what is stored can be read, and stored again it is the same.
func FuzzManifests(f *testing.F) {
	for _, seed := range []string{
		deployment,
		"apiVersion: v1\nkind: Pod\nmetadata: {generateName: p-}\nspec: {containers: [{name: c, image: i, ports: [{containerPort: 70000}]}]}",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {y: y, n: no}\nbinaryData: {z: '!'}",
		`{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"port":80,"targetPort":"http"}],"selector":{"a":"b"}}}`,
		"apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {completions: -1, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nmetadata: {name: y}\nspec: {}",
		"kind: Pod", "a: [", "\x00", "--- \n---\n", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}",
	} {
		f.Add(seed)
	}
	paths := []string{pods, configMaps, deployments, "/api/v1/namespaces/default/services", "/api/v1/namespaces/default/secrets", "/apis/batch/v1/namespaces/default/jobs"}
	f.Fuzz(func(t *testing.T, manifest string) {
		w := newWorld(t, Limits{})
		for _, path := range paths {
			a := w.send("POST", path, nil, "application/yaml", manifest)
			answersWell(t, a)
			if a.code != http.StatusCreated {
				continue
			}
			var o struct{ Metadata struct{ Name string } }
			if err := json.Unmarshal([]byte(a.body), &o); err != nil {
				t.Fatal(err)
			}
			at := path + "/" + o.Metadata.Name
			if got := w.call("GET " + at); got.code != http.StatusOK {
				t.Errorf("stored, but %d %s", got.code, got.body)
			}
			revision := w.store.Rev()
			if put := w.send("PUT", at, nil, "application/json", a.body); put.code != http.StatusOK || w.store.Rev() != revision {
				t.Errorf("put back as it is: %d %.300s, revision %d after %d", put.code, put.body, w.store.Rev(), revision)
			}
		}
	})
}
