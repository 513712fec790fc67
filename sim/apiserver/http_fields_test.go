package apiserver

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// owners writes an object's managedFields a line for each entry: manager operation[/subresource] time fields.
func (w *world) owners(t testing.TB, target string) string {
	t.Helper()
	var o metav1.PartialObjectMetadata
	if err := json.Unmarshal([]byte(w.call("GET "+target).body), &o); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range o.ManagedFields {
		operation := string(e.Operation)
		if e.Subresource != "" {
			operation += "/" + e.Subresource
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", e.Manager, operation, e.Time.UTC().Format("04:05"), e.FieldsV1.GetRawString()))
	}
	return strings.Join(lines, "\n")
}

// TestOwnership follows one configmap through the hands of several managers. Each step comes ten seconds after the last.
func TestOwnership(t *testing.T) {
	applied := func(data string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: " + data
	}
	w := newWorld(t, Limits{})
	for _, c := range []struct {
		name string
		line string
		rest []string
		code int
		want string
	}{
		{"created", "POST " + configMaps, []string{`{"metadata":{"name":"cm","labels":{"app":"web"}},"data":{"a":"1"}}`}, 201,
			`kubectl Update 00:10 {"f:data":{".":{},"f:a":{}},"f:metadata":{"f:labels":{".":{},"f:app":{}}}}`},
		{"another field by another", "PATCH " + configMaps + "/cm?fieldManager=two", []string{mergePatch, `{"data":{"b":"2"}}`}, 200,
			`kubectl Update 00:10 {"f:data":{".":{},"f:a":{}},"f:metadata":{"f:labels":{".":{},"f:app":{}}}}
two Update 00:20 {"f:data":{"f:b":{}}}`},
		{"nothing changes, nobody owns more", "PATCH " + configMaps + "/cm?fieldManager=three", []string{mergePatch, `{"data":{"b":"2"}}`}, 200,
			`kubectl Update 00:10 {"f:data":{".":{},"f:a":{}},"f:metadata":{"f:labels":{".":{},"f:app":{}}}}
two Update 00:20 {"f:data":{"f:b":{}}}`},
		{"taken by writing", "PATCH " + configMaps + "/cm?fieldManager=two", []string{mergePatch, `{"data":{"a":"3"}}`}, 200,
			`kubectl Update 00:10 {"f:data":{},"f:metadata":{"f:labels":{".":{},"f:app":{}}}}
two Update 00:40 {"f:data":{"f:a":{},"f:b":{}}}`},
		{"applied against", "PATCH " + configMaps + "/cm?fieldManager=gitops", []string{apply, applied(`{b: "9", c: "9"}`)}, 409,
			`kubectl Update 00:10 {"f:data":{},"f:metadata":{"f:labels":{".":{},"f:app":{}}}}
two Update 00:40 {"f:data":{"f:a":{},"f:b":{}}}`},
		{"applied by force", "PATCH " + configMaps + "/cm?fieldManager=gitops&force=true", []string{apply, applied(`{b: "9", c: "9"}`)}, 200,
			`gitops Apply 01:00 {"f:data":{"f:b":{},"f:c":{}}}
kubectl Update 00:10 {"f:data":{},"f:metadata":{"f:labels":{".":{},"f:app":{}}}}
two Update 00:40 {"f:data":{"f:a":{}}}`},
		{"applied again, unchanged", "PATCH " + configMaps + "/cm?fieldManager=gitops", []string{apply, applied(`{b: "9", c: "9"}`)}, 200,
			`gitops Apply 01:00 {"f:data":{"f:b":{},"f:c":{}}}
kubectl Update 00:10 {"f:data":{},"f:metadata":{"f:labels":{".":{},"f:app":{}}}}
two Update 00:40 {"f:data":{"f:a":{}}}`},
		{"what is no longer applied goes", "PATCH " + configMaps + "/cm?fieldManager=gitops", []string{apply, applied(`{c: "9"}`)}, 200,
			`gitops Apply 01:20 {"f:data":{"f:c":{}}}
kubectl Update 00:10 {"f:data":{},"f:metadata":{"f:labels":{".":{},"f:app":{}}}}
two Update 00:40 {"f:data":{"f:a":{}}}`},
		{"applied by managedFields", "PATCH " + configMaps + "/cm?fieldManager=gitops", []string{apply, applied("{}\nx: y")}, 500,
			`gitops Apply 01:20 {"f:data":{"f:c":{}}}
kubectl Update 00:10 {"f:data":{},"f:metadata":{"f:labels":{".":{},"f:app":{}}}}
two Update 00:40 {"f:data":{"f:a":{}}}`},
	} {
		w.now = w.now.Add(10 * time.Second)
		if a := w.call(c.line, c.rest...); a.code != c.code {
			t.Fatalf("%s: %d %s", c.name, a.code, a.body)
		}
		if got := w.owners(t, configMaps+"/cm"); got != c.want {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	if got := w.call("GET "+configMaps+"/cm").path(t, "{.data}"); got != `{"a":"3","c":"9"}` {
		t.Errorf("data %s", got)
	}
}

// What kubectl run owns: what it sent and what defaulting added, not what admission did.
func TestOwnershipOfAPod(t *testing.T) {
	w := newWorld(t, Limits{})
	w.call("POST "+pods+"?fieldManager=kubectl-run", `{"metadata":{"name":"p","labels":{"run":"p"}},"spec":{"containers":[{"name":"p","image":"nginx"}]}}`)
	want := `kubectl-run Update 00:00 {"f:metadata":{"f:labels":{".":{},"f:run":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"p\"}":` +
		`{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:resources":{},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},` +
		`"f:dnsPolicy":{},"f:enableServiceLinks":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}`
	if got := w.owners(t, pods+"/p"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if n := len(w.call("GET "+pods+"/p").path(t, "{.spec.tolerations}")); n < 10 {
		t.Error("admission added no tolerations: the test proves nothing")
	}
}

func TestWritersThatChangeNothingWriteNothing(t *testing.T) {
	w := furnished(t)
	for _, c := range [][]string{
		{"PATCH " + deployments + "/web", strategic, `{"spec":{"replicas":2}}`},
		{"PATCH " + deployments + "/web", jsonPatch, `[]`},
		{"PATCH " + deployments + "/web/scale", mergePatch, `{"spec":{"replicas":2}}`},
		{"PUT " + configMaps + "/cm", `{"metadata":{"name":"cm","labels":{"app":"web"}},"data":{"a":"1"}}`},
	} {
		before := w.Revision()
		if a := w.call(c[0], c[1:]...); a.code != 200 {
			t.Errorf("%v: %d %s", c, a.code, a.body)
		}
		if w.Revision() != before {
			t.Errorf("%v wrote", c)
		}
	}
}

// The same requests give the same bytes, whatever the machine's clock says.
func TestAnswersAreDeterministic(t *testing.T) {
	var runs [2]string
	for i := range runs {
		w := furnished(t)
		for _, c := range [][]string{
			{"PATCH " + configMaps + "/cm?fieldManager=me&force=true", apply, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {a: b}\n"},
			{"PATCH " + deployments + "/web/scale", mergePatch, `{"spec":{"replicas":5}}`},
			{"GET " + deployments},
			{"GET " + configMaps},
			{"GET " + pods, asTable},
			{"GET /apis/apps/v1"},
			{"GET " + pods + "?watch=true"},
		} {
			runs[i] += w.call(c[0], c[1:]...).body
		}
	}
	if runs[0] != runs[1] {
		t.Errorf("runs differ:\n%s\n%s", runs[0], runs[1])
	}
	if year := fmt.Sprint(time.Now().Year()); strings.Contains(runs[0], `"time":"`+year) && year != "2026" {
		t.Error("the machine's time shows")
	}
}

// Whatever is sent, there is an answer of the server's, never a panic.
func FuzzRequests(f *testing.F) {
	for _, seed := range []struct{ method, target, contentType, body string }{
		{"POST", pods, "application/json", `{"metadata":{"name":"x"}}`},
		{"PATCH", configMaps + "/cm", "application/json-patch+json", `[{"op":"add","path":"/data/x","value":1}]`},
		{"PATCH", deployments + "/web", "application/strategic-merge-patch+json", `{"spec":{"template":{"spec":{"containers":[{"$patch":"delete","name":"c"}]}}}}`},
		{"PATCH", configMaps + "/cm?fieldManager=x", "application/apply-patch+yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\n"},
		{"PUT", deployments + "/web/scale", "application/yaml", "spec: {replicas: 3}"},
		{"DELETE", pods + "/p?gracePeriodSeconds=-1", "", ""},
		{"GET", pods + "?limit=1&continue=e30", "", ""},
		{"GET", pods + "?watch=true&resourceVersion=-1", "", ""},
		{"POST", pods + "/p/eviction", "application/vnd.kubernetes.protobuf", "k8s\x00\x01"},
	} {
		f.Add(seed.method, seed.target, seed.contentType, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, target, contentType, body string) {
		w := furnished(t)
		req := httptest.NewRequest("GET", "/", strings.NewReader(body))
		req.Method = method
		path, query, _ := strings.Cut(target, "?")
		req.URL.Path, req.URL.RawQuery = path, query
		req.Header.Set("Content-Type", contentType)
		rec := httptest.NewRecorder()
		w.Handler(person).ServeHTTP(rec, req)
		if strings.Contains(rec.Body.String(), "panic") && !strings.Contains(target+body+method+contentType, "panic") {
			t.Errorf("%s %s: %s", method, target, rec.Body)
		}
	})
}

func BenchmarkCreateAndDeleteDeployment(b *testing.B) {
	w := newWorld(b, Limits{})
	body, err := json.Marshal(&corev1.ConfigMap{})
	if err != nil || len(body) == 0 {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if a := w.call("POST "+deployments, yamlBody, deployment); a.code != 201 {
			b.Fatal(a.body)
		}
		w.call("DELETE " + deployments + "/web")
	}
}

func BenchmarkServerSideApply(b *testing.B) {
	w := newWorld(b, Limits{})
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		body := strings.Replace(deployment, "replicas: 2", fmt.Sprintf("replicas: %d", n%9), 1)
		if a := w.call("PATCH "+deployments+"/web?fieldManager=me", apply, body); a.code > 201 {
			b.Fatal(a.body)
		}
	}
}

// What an applied object is refused for does not hang on the order of Go's maps.
func TestRefusedApplyIsAlwaysTheSame(t *testing.T) {
	const applied = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm","namespace":"default"},"data":{"b":3,"a":[1],"c":{"d":1}},"more":1,"another":2}`
	var first string
	for range 40 {
		w := newWorld(t, Limits{})
		got := w.call("PATCH "+configMaps+"/cm?fieldManager=m&force=true", "Content-Type: application/apply-patch+yaml", applied).message(t)
		if first == "" {
			first = got
		}
		if got != first {
			t.Fatalf("once\n%s\nthen\n%s", first, got)
		}
	}
	const want = "failed to create typed patch object (default/cm; /v1, Kind=ConfigMap): .another: field not declared in schema"
	if first != want {
		t.Errorf("got  %s\nwant %s", first, want)
	}
}
