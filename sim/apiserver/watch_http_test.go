package apiserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// watching is an open watch whose frames a test reads as short lines.
type watching struct {
	*WatchStream
	t testing.TB
}

func (w *world) watch(t testing.TB, target string, accept ...string) *watching {
	t.Helper()
	req := httptest.NewRequest("GET", target, nil)
	for _, a := range accept {
		req.Header.Set("Accept", a)
	}
	if !IsWatch(req) {
		t.Fatalf("%s is no watch", target)
	}
	stream, head := w.OpenWatch(person, req)
	if stream == nil {
		t.Fatalf("%s: %d", target, head.StatusCode)
	}
	return &watching{stream, t}
}

// next reads all frames there are: "ADDED a MODIFIED a …".
func (w *watching) next() string {
	w.t.Helper()
	var lines []string
	for frame := w.Next(); frame != nil; frame = w.Next() {
		var e struct {
			Type   string
			Object struct {
				metav1.PartialObjectMetadata `json:",inline"`
				Code                         int
				Message                      string
				ColumnDefinitions            []metav1.TableColumnDefinition
				Rows                         []metav1.TableRow
			}
		}
		if err := json.Unmarshal(frame, &e); err != nil {
			w.t.Fatalf("%v: %s", err, frame)
		}
		line := e.Type + " " + e.Object.Name
		switch {
		case e.Type == "ERROR":
			line = fmt.Sprintf("ERROR %d %s", e.Object.Code, e.Object.Message)
		case e.Object.Kind == "Table":
			line = fmt.Sprintf("%s %d columns %v", e.Type, len(e.Object.ColumnDefinitions), e.Object.Rows[0].Cells[0])
		case e.Type == "BOOKMARK":
			line = "BOOKMARK " + e.Object.Kind + " " + e.Object.Annotations[metav1.InitialEventsAnnotationKey]
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, ", ")
}

func (w *watching) want(want string) {
	w.t.Helper()
	if got := w.next(); got != want {
		w.t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWatchSequence(t *testing.T) {
	w := newWorld(t, Limits{})
	w.call("POST "+configMaps, `{"metadata":{"name":"a"}}`)
	version := w.call("GET "+configMaps).path(t, "{.metadata.resourceVersion}")
	state := w.watch(t, configMaps+"?watch=true")
	since := w.watch(t, configMaps+"?watch=1&resourceVersion="+version)
	state.want("ADDED a")
	since.want("")

	w.call("POST "+configMaps, `{"metadata":{"name":"b"}}`)
	w.call("PATCH "+configMaps+"/a", mergePatch, `{"data":{"x":"y"}}`)
	w.call("POST "+pods, `{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}`)
	w.call("DELETE " + configMaps + "/b")
	for _, x := range []*watching{state, since} {
		x.want("ADDED b, MODIFIED a, DELETED b")
		x.want("")
	}
	w.watch(t, configMaps+"?watch=1&resourceVersion="+version).want("ADDED b, MODIFIED a, DELETED b")
	if state.Done() {
		t.Error("over before its time")
	}
}

func TestWatchThroughSelectors(t *testing.T) {
	w := newWorld(t, Limits{})
	web := w.watch(t, configMaps+"?watch=true&labelSelector=app%3Dweb")
	one := w.watch(t, configMaps+"?watch=true&fieldSelector=metadata.name%3Da")
	other := w.watch(t, "/api/v1/namespaces/other/configmaps?watch=true")
	all := w.watch(t, "/api/v1/configmaps?watch=true")
	w.call("POST "+configMaps, `{"metadata":{"name":"a"}}`)
	w.call("PATCH "+configMaps+"/a", mergePatch, `{"metadata":{"labels":{"app":"web"}}}`)
	w.call("PATCH "+configMaps+"/a", mergePatch, `{"data":{"x":"y"}}`)
	w.call("PATCH "+configMaps+"/a", mergePatch, `{"metadata":{"labels":{"app":"db"}}}`)
	w.call("POST "+configMaps, `{"metadata":{"name":"b"}}`)
	web.want("ADDED a, MODIFIED a, DELETED a")
	one.want("ADDED a, MODIFIED a, MODIFIED a, MODIFIED a")
	other.want("")
	all.want("ADDED a, MODIFIED a, MODIFIED a, MODIFIED a, ADDED b")
}

func TestWatchListAndBookmarks(t *testing.T) {
	w := newWorld(t, Limits{})
	w.call("POST "+configMaps, `{"metadata":{"name":"a"}}`)
	x := w.watch(t, configMaps+"?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=100")
	x.want("ADDED a, BOOKMARK ConfigMap true")
	w.now = w.now.Add(59 * time.Second)
	x.want("")
	w.now = w.now.Add(time.Second)
	x.want("BOOKMARK ConfigMap")
	x.want("")
	w.now = w.now.Add(40 * time.Second)
	x.want("")
	if !x.Done() {
		t.Error("goes on after its timeout")
	}
	if rec := w.call("GET " + configMaps + "?watch=true&sendInitialEvents=true"); rec.code != 422 {
		t.Errorf("sendInitialEvents without a match: %d %s", rec.code, rec.body)
	}
}

func TestWatchOfTheForgotten(t *testing.T) {
	w := newWorld(t, Limits{})
	w.call("POST "+configMaps, `{"metadata":{"name":"a"}}`)
	behind := w.watch(t, configMaps+"?watch=true&resourceVersion=2")
	w.call("POST "+configMaps, `{"metadata":{"name":"b"}}`)
	rev := w.store.Rev()
	w.store.Compact(rev)
	for _, x := range []*watching{behind, w.watch(t, configMaps+"?watch=true&resourceVersion=2")} {
		x.want(fmt.Sprintf("ERROR 410 too old resource version: 2 (%d)", rev))
		x.want("")
		if !x.Done() {
			t.Error("goes on after a failure")
		}
	}
	if a := w.call("GET " + configMaps + "?watch=true&resourceVersion=99999"); a.code != 504 {
		t.Errorf("from the future: %d %s", a.code, a.body)
	}
}

func TestWatchTables(t *testing.T) {
	w := newWorld(t, Limits{})
	w.call("POST "+configMaps, `{"metadata":{"name":"a"}}`)
	x := w.watch(t, configMaps+"?watch=true", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
	w.call("DELETE " + configMaps + "/a")
	x.want("ADDED 3 columns a, DELETED 0 columns a")
}

func TestHandlerAnswersAWatchWithWhatThereIs(t *testing.T) {
	w := newWorld(t, Limits{})
	w.call("POST "+configMaps, `{"metadata":{"name":"a"}}`)
	a := w.call("GET " + configMaps + "?watch=true")
	if a.code != 200 || strings.Count(a.body, "\n") != 1 || !strings.HasPrefix(a.body, `{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"`) {
		t.Errorf("%d %s", a.code, a.body)
	}
}

// turns lets a test do one thing at each wait.
type turns struct{ todo []func() }

func (t *turns) Do(f func()) { f() }

func (t *turns) Now() time.Time { return time.Now() }

func (t *turns) Wait(ctx context.Context) error {
	if len(t.todo) == 0 {
		return context.Canceled
	}
	f := t.todo[0]
	t.todo = t.todo[1:]
	f()
	return nil
}

func TestServeStreams(t *testing.T) {
	w := newWorld(t, Limits{})
	flushed := 0
	tt := &turns{todo: []func(){
		func() { w.call("POST "+configMaps, `{"metadata":{"name":"a"}}`) },
		func() {},
		func() { w.now = w.now.Add(time.Hour) },
	}}
	rec := &flushes{ResponseRecorder: httptest.NewRecorder(), count: &flushed}
	w.Serve(person, tt).ServeHTTP(rec, httptest.NewRequest("GET", configMaps+"?watch=true&timeoutSeconds=60", nil))
	if rec.Code != 200 || strings.Count(rec.Body.String(), "\n") != 1 || len(tt.todo) != 0 {
		t.Errorf("%d %s, %d left to do", rec.Code, rec.Body, len(tt.todo))
	}
	if flushed < 2 {
		t.Errorf("flushed %d times", flushed)
	}
	plain := httptest.NewRecorder()
	w.Serve(person, tt).ServeHTTP(plain, httptest.NewRequest("GET", configMaps+"/a", nil))
	if plain.Code != 200 {
		t.Errorf("%d %s", plain.Code, plain.Body)
	}
}

type flushes struct {
	*httptest.ResponseRecorder
	count *int
}

func (f *flushes) FlushError() error { *f.count++; return nil }

var _ http.ResponseWriter = (*flushes)(nil)

// What a live view adds is seen by reads and watches alike.
func TestLiveIsShown(t *testing.T) {
	w := newWorld(t, Limits{})
	w.cfg.Live = func(o Object) Object {
		c, ok := o.(*corev1.ConfigMap)
		if !ok {
			return o
		}
		c = c.DeepCopy()
		c.Data = map[string]string{"beat": w.now.Format("15:04:05")}
		return c
	}
	w.call("POST "+configMaps, `{"metadata":{"name":"a"}}`)
	for _, target := range []string{configMaps + "/a", configMaps, configMaps + "?watch=true"} {
		if a := w.call("GET " + target); !strings.Contains(a.body, "12:00:00") {
			t.Errorf("%s: %s", target, a.body)
		}
	}
}
