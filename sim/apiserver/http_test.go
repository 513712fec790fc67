package apiserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/jsonpath"
)

var person = User{Name: "kubernetes-admin", Groups: []string{"system:masters"}}

// answered is a response with what it took to get it.
type answered struct {
	code   int
	header http.Header
	body   string
}

// call sends one request: "METHOD /path", then "Header: value"…, then the body.
func (w *world) call(line string, rest ...string) answered {
	method, target, _ := strings.Cut(line, " ")
	body := ""
	headers := http.Header{}
	for _, r := range rest {
		name, value, ok := strings.Cut(r, ": ")
		if ok && (name == "Accept" || name == "Content-Type" || name == "If-None-Match" || name == "User-Agent") {
			headers.Set(name, value)
			continue
		}
		if r != "" {
			body = r
		}
	}
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	req.Header = headers
	if headers.Get("User-Agent") == "" {
		headers.Set("User-Agent", "kubectl/v1.37.2 (linux/amd64)")
	}
	if body != "" && headers.Get("Content-Type") == "" {
		headers.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	w.Handler(person).ServeHTTP(rec, req)
	return answered{rec.Code, rec.Header(), rec.Body.String()}
}

// path reads a JSONPath of the body.
func (a answered) path(t testing.TB, path string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	p := jsonpath.New("").AllowMissingKeys(true)
	if err := p.Parse(path); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := p.Execute(&b, v); err != nil {
		t.Fatalf("%s: %v in %s", path, err, a.body)
	}
	return b.String()
}

func (a answered) message(t testing.TB) string { return a.path(t, "{.message}") }

const (
	configMaps  = "/api/v1/namespaces/default/configmaps"
	deployments = "/apis/apps/v1/namespaces/default/deployments"
	pods        = "/api/v1/namespaces/default/pods"
	jsonPatch   = "Content-Type: application/json-patch+json"
	mergePatch  = "Content-Type: application/merge-patch+json"
	strategic   = "Content-Type: application/strategic-merge-patch+json"
	apply       = "Content-Type: application/apply-patch+yaml"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}
`

const yamlBody = "Content-Type: application/yaml"

// TestRequests sends one request each to a cluster that holds the configmap cm {a: 1}, the pod p and the deployment web.
func TestRequests(t *testing.T) {
	for _, c := range []struct {
		name, line string
		rest       []string
		code       int
		path, want string // a JSONPath of the answer; "": the whole body
	}{
		{"get", "GET " + configMaps + "/cm", nil, 200, "{.kind} {.apiVersion} {.data.a}", "ConfigMap v1 1"},
		{"get none", "GET " + configMaps + "/no", nil, 404, "{.kind} {.reason} {.message} {.details.kind}", `Status NotFound configmaps "no" not found configmaps`},
		{"get as YAML", "GET " + configMaps + "/cm", []string{"Accept: application/yaml"}, 200, "", "apiVersion: v1\ndata:\n  a: \"1\"\n"},
		{"unknown resource", "GET /api/v1/namespaces/default/pots", nil, 404, "{.kind} {.reason} {.message}", "Status NotFound the server could not find the requested resource"},
		{"unknown group", "GET /apis/extensions/v1beta1/deployments", nil, 404, "", "404 page not found\n"},
		{"no namespace", "GET /api/v1/configmaps/cm", nil, 404, "{.kind} {.reason} {.message}", "Status NotFound the server could not find the requested resource"},
		{"namespaced node", "GET /api/v1/namespaces/default/nodes", nil, 404, "{.kind} {.reason} {.message}", "Status NotFound the server could not find the requested resource"},
		{"namespace", "GET /api/v1/namespaces/default", nil, 200, "{.kind} {.metadata.name}", "Namespace default"},
		{"list", "GET " + configMaps, nil, 200, "{.kind} {.items[*].metadata.name} {.items[0].kind}", "ConfigMapList cm "},
		{"empty list", "GET /api/v1/namespaces/none/configmaps", nil, 200, "{.items}", "[]"},
		{"wrong method", "POST " + configMaps + "/cm", nil, 405, "{.message}", "the server does not allow this method on the requested resource"},
		{"future", "GET " + configMaps + "/cm?resourceVersion=99999", nil, 504, "{.message}", "Timeout: Too large resource version: 99999, current: "},
		{"bad label selector", "GET " + configMaps + "?labelSelector=a%3D%3Db%3D", nil, 400, "{.message}", "found '=', expected: ',' or 'end of string'"},
		{"bad field selector", "GET " + pods + "?fieldSelector=spec.nothing%3Dx", nil, 400, "{.message}", "field label not supported: spec.nothing"},
		{"unknown field of a plain kind", "GET " + configMaps + "?fieldSelector=data%3Dx", nil, 400, "{.message}",
			`"data" is not a known field selector: only "metadata.name", "metadata.namespace"`},
		{"bad continue", "GET " + pods + "?continue=zzz", nil, 400, "{.message}", "continue key is not valid"},
		{"continue of another cluster", "GET " + pods + "?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6OTk5OTk5OSwic3RhcnQiOiJhIn0", nil, 504, "{.message}", "Timeout: Too large resource version: 9999999, current: "},
		{"match without version", "GET " + pods + "?resourceVersionMatch=Exact", nil, 422, "{.message}", "resourceVersionMatch is forbidden unless resourceVersion is provided"},
		{"not acceptable", "GET " + configMaps + "/cm", []string{"Accept: text/html"}, 406, "{.message}", "only the following media types are accepted: application/json"},
		{"unknown body format", "POST " + configMaps, []string{"Content-Type: text/csv", "a,b"}, 415, "{.message}", "the body of the request was in an unknown format - accepted media types include: application/json"},
		{"not JSON", "POST " + configMaps, []string{"hello"}, 400, "{.message}", `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error`},
		{"null bytes", "POST " + configMaps, []string{"\x00\x00"}, 400, "{.message}", "(0000)"},
		{"another kind", "POST " + pods, []string{`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"}}`}, 400, "{.message}",
			`ConfigMap in version "v1" cannot be handled as a Pod`},
		{"another group", "POST " + pods, []string{`{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"x"}}`}, 400, "{.message}",
			"the API version in the data (apps/v1) does not match the expected API version (v1)"},
		{"wrong type", "POST " + deployments, []string{yamlBody, strings.Replace(deployment, "replicas: 2", `replicas: "three"`, 1)}, 400, "{.message}",
			`Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`},
		{"bad quantity", "POST " + pods, []string{`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"q"},"spec":{"containers":[{"name":"c","image":"n","resources":{"requests":{"cpu":"lots"}}}]}}`}, 400, "{.message}",
			`Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`},
		{"unknown field, strict", "POST " + configMaps + "?fieldValidation=Strict", []string{`{"metadata":{"name":"x"},"spec":{"a":1}}`}, 400, "{.message}",
			`ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "spec"`},
		{"double field, strict", "POST " + configMaps + "?fieldValidation=Strict", []string{`{"metadata":{"name":"x"},"data":{"a":"1","a":"2"}}`}, 400, "{.message}",
			`strict decoding error: duplicate field "data.a"`},
		{"double key in YAML, strict", "POST " + configMaps + "?fieldValidation=Strict", []string{yamlBody, "metadata: {name: x}\ndata:\n  a: b\n  a: c\n"}, 400, "{.message}",
			`strict decoding error: yaml: unmarshal errors:`},
		{"bad directive", "POST " + configMaps + "?fieldValidation=Perhaps", []string{`{"metadata":{"name":"x"}}`}, 422, "{.message}",
			`CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Perhaps": supported values: "", "Ignore", "Strict", "Warn"`},
		{"invalid", "POST " + configMaps, []string{`{"metadata":{}}`}, 422, "{.message}", `ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required`},
		{"bad finalizer", "POST " + configMaps, []string{`{"metadata":{"name":"x","finalizers":["hold"]}}`}, 422, "{.message}",
			`ConfigMap "x" is invalid: metadata.finalizers[0]: Invalid value: "hold": name is neither a standard finalizer name nor is it fully qualified`},
		{"exists", "POST " + configMaps, []string{`{"metadata":{"name":"cm"}}`}, 409, "{.reason} {.message}", `AlreadyExists configmaps "cm" already exists`},
		{"other namespace", "POST " + configMaps, []string{`{"metadata":{"name":"x","namespace":"other"}}`}, 400, "{.message}",
			"the namespace of the provided object does not match the namespace sent on the request"},
		{"dry run", "POST " + configMaps + "?dryRun=All", []string{`{"metadata":{"name":"x"}}`}, 201, "{.metadata.name}", "x"},
		{"bad dry run", "POST " + configMaps + "?dryRun=Some", []string{`{"metadata":{"name":"x"}}`}, 422, "{.message}", `dryRun: Unsupported value: ["Some"]: supported values: "All"`},
		{"put", "PUT " + configMaps + "/cm", []string{`{"metadata":{"name":"cm"},"data":{"b":"2"}}`}, 200, "{.data}", `{"b":"2"}`},
		{"put, stale", "PUT " + configMaps + "/cm", []string{`{"metadata":{"name":"cm","resourceVersion":"1"}}`}, 409, "{.message}",
			`Operation cannot be fulfilled on configmaps "cm": the object has been modified; please apply your changes to the latest version and try again`},
		{"put, none", "PUT " + configMaps + "/no", []string{`{"metadata":{"name":"no"}}`}, 404, "{.message}", `configmaps "no" not found`},
		{"put, other name", "PUT " + configMaps + "/cm", []string{`{"metadata":{"name":"q"}}`}, 400, "{.message}", "the name of the object (q) does not match the name on the URL (cm)"},
		{"put, no name", "PUT " + configMaps + "/cm", []string{`{}`}, 400, "{.message}", "the name of the object (cm based on URL) was undeterminable: name must be provided"},
		{"merge patch", "PATCH " + configMaps + "/cm", []string{mergePatch, `{"data":{"a":null,"c":"3"}}`}, 200, "{.data}", `{"c":"3"}`},
		{"merge patch, stale", "PATCH " + configMaps + "/cm", []string{mergePatch, `{"metadata":{"resourceVersion":"1"}}`}, 409, "{.message}", "the object has been modified"},
		{"merge patch of a name", "PATCH " + pods + "/p", []string{mergePatch, `{"metadata":{"name":"q"}}`}, 400, "{.message}", "the name of the object (q) does not match the name on the URL (p)"},
		{"JSON patch", "PATCH " + configMaps + "/cm", []string{jsonPatch, `[{"op":"test","path":"/data/a","value":"1"},{"op":"add","path":"/data/c","value":"3"}]`}, 200, "{.data}", `{"a":"1","c":"3"}`},
		{"JSON patch that fails", "PATCH " + configMaps + "/cm", []string{jsonPatch, `[{"op":"remove","path":"/data/zz"}]`}, 422, "{.message}", "the server rejected our request due to an error in our request"},
		{"JSON patch that doubles", "PATCH " + configMaps + "/cm", []string{jsonPatch, "[" + strings.Repeat(`{"op":"copy","from":"/metadata","path":"/metadata/annotations"},`, 9999) + `{"op":"remove","path":"/metadata"}]`}, 422, "{.reason}", "Invalid"},
		{"lower-case method", "delete " + configMaps + "/cm", nil, 405, "{.message}", "the server does not allow this method"},
		{"method that is a verb", "deletecollection " + configMaps, nil, 405, "{.message}", "the server does not allow this method"},
		{"JSON patch, unknown op", "PATCH " + configMaps + "/cm", []string{jsonPatch, `[{"op":"fly","path":"/data/zz"}]`}, 422, "{.reason}", "Invalid"},
		{"strategic patch", "PATCH " + deployments + "/web", []string{strategic, `{"spec":{"template":{"spec":{"containers":[{"name":"d","image":"redis"}]}}}}`}, 200,
			"{.spec.template.spec.containers[*].name}", "d c"},
		{"strategic patch, delete", "PATCH " + deployments + "/web", []string{strategic, `{"spec":{"template":{"metadata":{"labels":{"x":"y"}},"spec":{"containers":[{"name":"d","image":"redis"},{"$patch":"delete","name":"c"}]}}}}`}, 200,
			"{.spec.template.spec.containers[*].name}", "d"},
		{"strategic patch, unknown field", "PATCH " + deployments + "/web?fieldValidation=Strict", []string{strategic, `{"spec":{"replica":2}}`}, 422, "{.message}",
			`is invalid: patch: Invalid value: "map[spec:map[replica:2]]": strict decoding error: unknown field "spec.replica"`},
		{"merge patch, wrong type", "PATCH " + deployments + "/web", []string{mergePatch, `{"spec":{"replicas":"x"}}`}, 422, "{.message}",
			"json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"},
		{"no patch type", "PATCH " + configMaps + "/cm", []string{`{}`}, 415, "{.message}", "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml"},
		{"no patch", "PATCH " + configMaps + "/cm", []string{mergePatch, `{`}, 400, "{.message}", "invalid JSON patch"},
		{"apply creates", "PATCH " + configMaps + "/new?fieldManager=me", []string{apply, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\ndata: {a: b}\n"}, 201,
			"{.data} {.metadata.managedFields[0].manager} {.metadata.managedFields[0].operation}", `{"a":"b"} me Apply`},
		{"apply needs a manager", "PATCH " + configMaps + "/new", []string{apply, "{}"}, 422, "{.message}", "fieldManager: Required value: is required for apply patch"},
		{"apply conflicts", "PATCH " + configMaps + "/cm?fieldManager=me", []string{apply, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {a: b}\n"}, 409,
			"{.message} {.details.causes[0].reason}", `Apply failed with 1 conflict: conflict with "kubectl" using v1: .data.a FieldManagerConflict`},
		{"apply by force", "PATCH " + configMaps + "/cm?fieldManager=me&force=true", []string{apply, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {a: b}\n"}, 200,
			"{.data.a} {.metadata.managedFields[*].manager}", "b me"},
		{"apply of another version", "PATCH " + deployments + "/web?fieldManager=me", []string{apply, "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: web}\n"}, 400, "{.message}",
			"invalid object type: apps/v1beta1, Kind=Deployment"},
		{"scale", "GET " + deployments + "/web/scale", nil, 200, "{.kind} {.apiVersion} {.spec.replicas} {.status.selector}", "Scale autoscaling/v1 2 app=web"},
		{"rescale", "PATCH " + deployments + "/web/scale", []string{mergePatch, `{"spec":{"replicas":5}}`}, 200, "{.kind} {.spec.replicas}", "Scale 5"},
		{"rescale below nothing", "PATCH " + deployments + "/web/scale", []string{mergePatch, `{"spec":{"replicas":-1}}`}, 422, "{.message}",
			`Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0`},
		{"status", "PATCH " + deployments + "/web/status", []string{mergePatch, `{"spec":{"replicas":9},"status":{"replicas":7}}`}, 200, "{.spec.replicas} {.status.replicas}", "2 7"},
		{"no such subresource", "GET " + configMaps + "/cm/status", nil, 404, "{.kind} {.reason} {.message}", "Status NotFound the server could not find the requested resource"},
		{"delete", "DELETE " + configMaps + "/cm", nil, 200, "{.kind} {.status} {.details.name} {.details.kind}", "Status Success cm configmaps"},
		{"delete, other UID", "DELETE " + configMaps + "/cm", []string{`{"preconditions":{"uid":"x"}}`}, 409, "{.message}", "Precondition failed: UID in precondition: x"},
		{"delete, dry", "DELETE " + configMaps + "/cm?dryRun=All", nil, 200, "{.status}", "Success"},
		{"delete a pod", "DELETE " + pods + "/p", []string{`{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}`}, 200, "{.kind} {.metadata.name}", "Pod p"},
		{"delete, bad options", "DELETE " + configMaps + "/cm", []string{`{"gracePeriodSeconds":"x"}`}, 400, "{.reason}", "BadRequest"},
		{"delete collection", "DELETE " + configMaps + "?labelSelector=x", nil, 200, "{.kind} {.items}", "ConfigMapList []"},
		{"eviction", "POST " + pods + "/p/eviction", []string{`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}}`}, 201, "{.status} {.code}", "Success 201"},
		{"binding", "POST " + pods + "/p/binding", []string{`{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"node-1"}}`}, 201, "{.status}", "Success"},
		{"log of an unplaced pod", "GET " + pods + "/p/log", nil, 200, "", ""},
		{"log of no container", "GET " + pods + "/p/log?container=x", nil, 400, "{.message}", "container x is not valid for pod p"},
		{"log of less than nothing", "GET " + pods + "/p/log?tailLines=-1&limitBytes=0&sinceSeconds=-5", nil, 422, "{.message}", `PodLogOptions "p" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0, sinceSeconds: Invalid value: -5: must be greater than 0]`},
		{"log since ever", "GET " + pods + "/p/log?sinceSeconds=9223372036854775807", nil, 200, "", ""},
		{"exec in what is not placed", "POST " + pods + "/p/exec?command=sh&container=c", nil, 400, "{.message}", "pod p does not have a host assigned"},
		{"exec in no container", "GET " + pods + "/p/exec?command=sh&container=x", nil, 400, "{.message}", "container x is not valid for pod p"},
		{"exec in no pod", "POST " + pods + "/no/exec?command=sh", nil, 404, "{.message}", `pods "no" not found`},
		{"exec", "POST " + pods + "/placed/exec?command=sh", nil, 501, "{.reason} {.message}", "NotImplemented the containers of this cluster are simulated: no process runs in them, and no command can; kubectl logs, describe pod and events tell what they do"},
		{"attach", "GET " + pods + "/placed/attach", nil, 501, "{.message}", "no process runs in them to attach to"},
		{"port-forward", "POST " + pods + "/placed/portforward", nil, 501, "{.message}", "nothing listens on their ports"},
		{"exec, another method", "DELETE " + pods + "/placed/exec", nil, 405, "{.message}", "the server does not allow this method"},
		{"version", "GET /version", nil, 200, "{.gitVersion}", "v1.37.2"},
		{"health", "GET /readyz", nil, 200, "", "ok"},
		{"OpenAPI index", "GET /openapi/v3", nil, 200, "{.paths}", "/openapi/v3/apis/apps/v1?hash="},
		{"OpenAPI of a group", "GET /openapi/v3/apis/apps/v1", nil, 200, "{.openapi}", "3.0.0"},
		{"OpenAPI of none", "GET /openapi/v3/apis/nothing/v1", nil, 404, "", "404 page not found\n"},
		{"nothing", "GET /nothing", nil, 404, "", "404 page not found\n"},
		{"groups", "GET /apis", nil, 200, "{.kind} {.groups[?(@.name=='apps')].preferredVersion.groupVersion}", "APIGroupList apps/v1"},
		{"versions", "GET /api", nil, 200, "{.versions}", `["v1"]`},
		{"resources", "GET /apis/apps/v1", nil, 200, "{.resources[?(@.name=='deployments/scale')].kind} {.resources[?(@.name=='deployments')].shortNames}", `Scale ["deploy"]`},
		{"aggregated", "GET /apis", []string{"Accept: " + aggregatedType}, 200, "{.kind} {.items[?(@.metadata.name=='apps')].versions[0].resources[?(@.resource=='deployments')].responseKind.kind}", "APIGroupDiscoveryList Deployment"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := furnished(t)
			a := w.call(c.line, c.rest...)
			if a.code != c.code {
				t.Fatalf("code %d, want %d: %s", a.code, c.code, a.body)
			}
			got := a.body
			if c.path != "" {
				got = a.path(t, c.path)
			}
			if !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("got  %s\nwant %s\nin %s", got, c.want, a.body)
			}
		})
	}
}

// furnished is a world with a little in it.
func furnished(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, Limits{})
	for _, c := range [][]string{
		{"POST " + configMaps, `{"metadata":{"name":"cm","labels":{"app":"web"}},"data":{"a":"1"}}`},
		{"POST " + deployments, yamlBody, deployment},
		{"POST " + pods, `{"metadata":{"name":"p","labels":{"app":"p"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}`},
		{"POST " + pods, `{"metadata":{"name":"placed"},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"nginx"}]}}`},
	} {
		if a := w.call(c[0], c[1:]...); a.code != 201 {
			t.Fatalf("%s: %d %s", c[0], a.code, a.body)
		}
	}
	w.now = w.now.Add(90 * time.Second)
	return w
}

// A client that knows another cluster's revisions is told so at once: to wait for them, as client-go does for a Retry-After, is in vain.
func TestNobodyWaitsForAnotherClustersRevision(t *testing.T) {
	w := furnished(t)
	for _, query := range []string{"?resourceVersion=99999", "?watch=1&resourceVersion=99999", "?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&resourceVersion=99999"} {
		a := w.call("GET " + configMaps + query)
		if a.code != 504 || a.header.Get("Retry-After") != "" || a.path(t, "{.details.causes[0].reason} {.details.retryAfterSeconds}") != "ResourceVersionTooLarge 1" {
			t.Errorf("%s: %d %v %s", query, a.code, a.header, a.body)
		}
	}
}

func TestWarnings(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.call("POST "+configMaps, `{"metadata":{"name":"x"},"spec":{"a":1},"data":{"a":"1","a":"2"}}`)
	if got, want := strings.Join(a.header.Values("Warning"), "|"), `299 - "unknown field \"spec\""|299 - "duplicate field \"data.a\""`; a.code != 201 || got != want {
		t.Errorf("%d, warnings %s, want %s", a.code, got, want)
	}
	a = w.call("POST "+configMaps+"?fieldValidation=Ignore", `{"metadata":{"name":"y"},"spec":{"a":1}}`)
	if a.code != 201 || len(a.header.Values("Warning")) > 0 {
		t.Errorf("%d, warnings %s though they are to be ignored", a.code, a.header.Values("Warning"))
	}
	a = w.call("POST "+configMaps, yamlBody, "metadata: {name: z}\ndata:\n  a: b\n  a: c\n")
	if got, want := strings.Join(a.header.Values("Warning"), "|"), `299 - "line 4: key \"a\" already set in map"`; a.code != 201 || got != want {
		t.Errorf("%d, warnings %s, want %s", a.code, got, want)
	}
}

// Many warnings are cut, each and altogether: they travel in the head of the answer.
func TestManyWarnings(t *testing.T) {
	w := newWorld(t, Limits{})
	for _, long := range []int{10, 1000} {
		var fields strings.Builder
		for i := range 90 {
			fmt.Fprintf(&fields, `,"%c%d%s":1`, 'a'+i%26, i, strings.Repeat("x", long))
		}
		told := w.call("POST "+configMaps+"?dryRun=All", `{"metadata":{"name":"x"}`+fields.String()+`}`).header["Warning"]
		size := len(strings.Join(told, ""))
		if few := len(told) < 90; few != (long > 100) || size > mostWarned+cutWarning+20*len(told) {
			t.Errorf("%d: %d warnings of %d bytes", long, len(told), size)
		}
	}
}

func TestTooLarge(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.call("POST "+configMaps, `{"metadata":{"name":"x"},"data":{"a":"`+strings.Repeat("x", MaxBodyBytes)+`"}}`)
	if a.code != 413 || !strings.Contains(a.body, "limit is 3145728") {
		t.Errorf("%d %.200s", a.code, a.body)
	}
}

// TestPanics: before anything is written a bug is an answer; after that the cluster is halfway, and its owner must know.
func TestPanics(t *testing.T) {
	w := furnished(t)
	w.Server.cfg.Live = func(Object) Object { panic("bug") }
	if got := w.call("GET " + configMaps); got.code != http.StatusInternalServerError {
		t.Errorf("reading: code %d", got.code)
	}
	w.Server.cfg.Live = nil
	w.Server.Observe(func(Event) { panic("bug") })
	defer func() {
		if recover() == nil {
			t.Error("a panic after a write was kept quiet")
		}
	}()
	w.call("POST /api/v1/namespaces", `{"metadata":{"name":"late"}}`)
}

func TestUnauthenticated(t *testing.T) {
	w := newWorld(t, Limits{})
	for _, target := range []string{"/api/v1/pods", "/version"} {
		rec := httptest.NewRecorder()
		w.Handler(User{}).ServeHTTP(rec, httptest.NewRequest("GET", target, nil))
		if rec.Code != 401 || !strings.Contains(rec.Body.String(), "Unauthorized") {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
		}
	}
	rec := httptest.NewRecorder()
	w.Handler(User{Name: "eve"}).ServeHTTP(rec, httptest.NewRequest("GET", "/api/v1/namespaces/default/pods", nil))
	if want := `pods is forbidden: User \"eve\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"`; rec.Code != 403 || !strings.Contains(rec.Body.String(), want) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestPaging(t *testing.T) {
	w := newWorld(t, Limits{})
	for i := range 5 {
		w.call("POST "+configMaps, fmt.Sprintf(`{"metadata":{"name":"c%d"}}`, i))
	}
	first := w.call("GET " + configMaps + "?limit=2")
	const names = "{.items[*].metadata.name} {.metadata.remainingItemCount}"
	if got := first.path(t, names); got != "c0 c1 3" {
		t.Fatalf("first page %s", got)
	}
	version := first.path(t, "{.metadata.resourceVersion}")
	w.call("DELETE " + configMaps + "/c2")
	w.call("POST "+configMaps, `{"metadata":{"name":"c9"}}`)
	next := "GET " + configMaps + "?limit=2&continue=" + first.path(t, "{.metadata.continue}")
	second := w.call(next)
	if got := second.path(t, names+" {.metadata.resourceVersion}"); got != "c2 c3 1 "+version {
		t.Errorf("second page %s, want it as it was at %s", got, version)
	}
	third := w.call("GET " + configMaps + "?limit=2&continue=" + second.path(t, "{.metadata.continue}"))
	if got := third.path(t, names+"{.metadata.continue}"); got != "c4 " {
		t.Errorf("third page %q", got)
	}
	if got := w.call("GET "+configMaps+"?resourceVersionMatch=Exact&resourceVersion="+version).path(t, "{.items[*].metadata.name}"); got != "c0 c1 c2 c3 c4" {
		t.Errorf("exactly at %s: %s", version, got)
	}
	w.store.Compact(w.store.Rev())
	expired := w.call(next)
	if expired.code != 410 || expired.path(t, "{.reason}") != "Expired" || !strings.HasPrefix(expired.message(t), "The provided continue parameter is too old") {
		t.Fatalf("%d %s", expired.code, expired.body)
	}
	again := w.call("GET " + configMaps + "?limit=2&continue=" + expired.path(t, "{.metadata.continue}"))
	if got := again.path(t, "{.items[*].metadata.name}"); got != "c3 c4" {
		t.Errorf("with the token of the refusal: %s", got)
	}
	old := w.call("GET " + configMaps + "?resourceVersionMatch=Exact&resourceVersion=" + version)
	if old.code != 410 || old.message(t) != "The resourceVersion for the provided list is too old." {
		t.Errorf("%d %s", old.code, old.body)
	}
}

func TestSelectors(t *testing.T) {
	w := newWorld(t, Limits{})
	for name, labels := range map[string]string{"a": `{"app":"db"}`, "b": `{"app":"web","tier":"front"}`, "c": `{"app":"web","tier":"back"}`} {
		w.create(t, pod(name))
		w.call("PATCH "+pods+"/"+name, mergePatch, `{"metadata":{"labels":`+labels+`}}`)
	}
	for query, want := range map[string]string{
		"labelSelector=app%3Dweb,tier!%3Dback":         "b",
		"labelSelector=app+in+(web,db),tier":           "b c",
		"labelSelector=!tier":                          "a",
		"fieldSelector=metadata.name!%3Db":             "a c",
		"fieldSelector=metadata.namespace%3Ddefault":   "a b c",
		"fieldSelector=spec.nodeName%3Dnode-1":         "",
		"fieldSelector=status.phase%3DPending&limit=9": "a b c",
	} {
		if got := w.call("GET "+pods+"?"+query).path(t, "{.items[*].metadata.name}"); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if a := w.call("DELETE " + pods + "?labelSelector=app%3Dweb"); a.code != 200 {
		t.Errorf("%d %s", a.code, a.body)
	}
	if got := w.call("GET "+pods).path(t, "{.items[*].metadata.name}"); got != "a" {
		t.Errorf("left: %s", got)
	}
}

const asTable = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

func TestTables(t *testing.T) {
	w := furnished(t)
	list := w.call("GET "+pods, asTable)
	if got := list.path(t, "{.kind} {.columnDefinitions[0:5].name} {.rows[0].cells[0:5]} {.rows[0].object.kind} {.rows[0].object.metadata.name}"); got !=
		`Table Name Ready Status Restarts Age p 0/1 Pending 0 90s PartialObjectMetadata p` {
		t.Error(got)
	}
	if got := w.call("GET "+configMaps+"/cm?includeObject=Object", asTable).path(t, "{.rows[0].cells} {.rows[0].object.data.a}"); got != `["cm",1,"90s"] 1` {
		t.Error(got)
	}
	if got := w.call("GET "+configMaps+"/cm?includeObject=None", asTable).path(t, "{.rows[0].object}"); got != "" && got != "null" {
		t.Error(got)
	}
	if a := w.call("GET "+configMaps+"/cm?includeObject=Half", asTable); a.code != 400 {
		t.Errorf("%d %s", a.code, a.body)
	}
	if a := w.call("GET "+configMaps+"/no", asTable); a.code != 404 || a.path(t, "{.kind}") != "Status" {
		t.Errorf("%d %s", a.code, a.body)
	}
	meta := w.call("GET "+configMaps, "Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")
	if got := meta.path(t, "{.kind} {.items[0].kind} {.items[0].metadata.name}{.items[0].data}"); got != "PartialObjectMetadataList PartialObjectMetadata cm" {
		t.Error(got)
	}
	if a := w.call("GET "+configMaps, "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"); a.code != 406 {
		t.Errorf("%d %s", a.code, a.body)
	}
}

// A bookmark shows as a table too: of an object that is nothing but a revision.
func TestTablesOfEmptyObjects(t *testing.T) {
	w := newWorld(t, Limits{})
	for _, r := range w.Resources() {
		target := "/apis/" + r.Group + "/" + r.Version + "/" + r.Resource
		if r.Group == "" {
			target = "/api/" + r.Version + "/" + r.Resource
		}
		a := w.call("GET "+target+"?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan", asTable)
		if a.code != 200 || !strings.Contains(a.body, `{"type":"BOOKMARK"`) || strings.Contains(a.body, `"ERROR"`) {
			t.Errorf("%s: %d %s", target, a.code, a.body)
		}
	}
}

func TestDiscoveryIsTagged(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.call("GET /apis", "Accept: "+aggregatedType)
	if got := a.header.Get("Content-Type"); got != aggregatedType {
		t.Error(got)
	}
	if b := w.call("GET /apis", "Accept: "+aggregatedType, "If-None-Match: "+a.header.Get("ETag")); b.code != 304 || b.body != "" {
		t.Errorf("%d %s", b.code, b.body)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	w := furnished(t)
	before := w.Revision()
	for _, c := range [][]string{
		{"POST " + configMaps + "?dryRun=All", `{"metadata":{"name":"x"}}`},
		{"PUT " + configMaps + "/cm?dryRun=All", `{"metadata":{"name":"cm"}}`},
		{"PATCH " + configMaps + "/cm?dryRun=All", mergePatch, `{"data":{"z":"z"}}`},
		{"PATCH " + configMaps + "/new?dryRun=All&fieldManager=m", apply, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\n"},
		{"PATCH " + deployments + "/web/scale?dryRun=All", mergePatch, `{"spec":{"replicas":7}}`},
		{"DELETE " + configMaps + "/cm?dryRun=All"},
		{"DELETE " + pods + "/p", `{"dryRun":["All"]}`},
		{"DELETE " + configMaps + "?dryRun=All"},
		{"POST " + pods + "/p/eviction?dryRun=All", `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}}`},
	} {
		if a := w.call(c[0], c[1:]...); a.code >= 300 {
			t.Errorf("%s: %d %s", c[0], a.code, a.body)
		}
		if w.Revision() != before {
			t.Fatalf("%s wrote", c[0])
		}
	}
}

func TestScaleIsAChangeOfTheSpec(t *testing.T) {
	w := furnished(t)
	w.call("PATCH "+deployments+"/web/scale?fieldManager=scaler", mergePatch, `{"spec":{"replicas":5}}`)
	a := w.call("GET " + deployments + "/web")
	if got := a.path(t, "{.metadata.generation} {.spec.replicas}"); got != "2 5" {
		t.Errorf("generation and replicas %s", got)
	}
	var o metav1.PartialObjectMetadata
	if err := json.Unmarshal([]byte(a.body), &o); err != nil {
		t.Fatal(err)
	}
	owner := ""
	for _, e := range o.ManagedFields {
		if strings.Contains(e.FieldsV1.GetRawString(), "f:replicas") {
			owner += e.Manager + "/" + e.Subresource + "@" + e.Time.Format("15:04:05")
		}
	}
	if owner != "scaler/scale@12:01:30" {
		t.Errorf("replicas belong to %q", owner)
	}
}

func BenchmarkListTable100(b *testing.B) {
	w := newWorld(b, Limits{})
	for i := range 100 {
		w.create(b, pod(fmt.Sprintf("web-%03d", i)))
	}
	h := w.Handler(person)
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequest("GET", pods, nil)
		req.Header.Set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if rec.Code != 200 {
			b.Fatal(rec.Body)
		}
	}
}
