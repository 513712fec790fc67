package apiserver

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	clientcache "k8s.io/client-go/tools/cache"
)

// wire is an HTTP transport that calls a handler.
type wire struct{ http.Handler }

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec.Result(), nil
}

func (w *world) config(contentType string) *rest.Config {
	return &rest.Config{Host: "http://cluster", Transport: wire{w.Handler(person)}, QPS: -1, UserAgent: "tester/1.0",
		ContentConfig: rest.ContentConfig{ContentType: contentType}}
}

func TestTypedClient(t *testing.T) {
	for _, contentType := range []string{"application/json", "application/vnd.kubernetes.protobuf"} {
		t.Run(contentType, func(t *testing.T) {
			w := newWorld(t, Limits{})
			client, ctx := kubernetes.NewForConfigOrDie(w.config(contentType)), context.Background()
			configMaps := client.CoreV1().ConfigMaps("default")
			made, err := configMaps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Data: map[string]string{"k": "v"}}, metav1.CreateOptions{})
			if err != nil || made.UID == "" || made.ManagedFields[0].Manager != "tester" {
				t.Fatalf("%+v %v", made, err)
			}
			stale := made.DeepCopy()
			made.Data["k"] = "w"
			if made, err = configMaps.Update(ctx, made, metav1.UpdateOptions{}); err != nil || made.Data["k"] != "w" {
				t.Fatalf("%+v %v", made, err)
			}
			if _, err := configMaps.Update(ctx, stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
				t.Errorf("stale: %v", err)
			}
			if _, err := configMaps.Get(ctx, "no", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("none: %v", err)
			}
			list, err := configMaps.List(ctx, metav1.ListOptions{LabelSelector: "!x"})
			if err != nil || len(list.Items) != 1 || list.Items[0].Data["k"] != "w" {
				t.Errorf("%+v %v", list, err)
			}
			applied, err := configMaps.Apply(ctx, applycorev1.ConfigMap("a", "default").WithData(map[string]string{"x": "y"}), metav1.ApplyOptions{FieldManager: "applier"})
			if err != nil || applied.Data["x"] != "y" || applied.Data["k"] != "w" {
				t.Errorf("%+v %v", applied, err)
			}
			patched, err := configMaps.Patch(ctx, "a", types.StrategicMergePatchType, []byte(`{"data":{"k":null}}`), metav1.PatchOptions{})
			if err != nil || len(patched.Data) != 1 {
				t.Errorf("%+v %v", patched, err)
			}
			if err := configMaps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
				t.Error(err)
			}
			if err := configMaps.Delete(ctx, "a", metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("deleted twice: %v", err)
			}
		})
	}
}

func TestTypedClientSubresources(t *testing.T) {
	w := furnished(t)
	client, ctx := kubernetes.NewForConfigOrDie(w.config("")), context.Background()
	deployments := client.AppsV1().Deployments("default")
	scale, err := deployments.GetScale(ctx, "web", metav1.GetOptions{})
	if err != nil || scale.Spec.Replicas != 2 {
		t.Fatalf("%+v %v", scale, err)
	}
	scale.Spec.Replicas = 4
	if scale, err = deployments.UpdateScale(ctx, "web", scale, metav1.UpdateOptions{}); err != nil || scale.Spec.Replicas != 4 {
		t.Fatalf("%+v %v", scale, err)
	}
	web, err := deployments.Get(ctx, "web", metav1.GetOptions{})
	if err != nil || *web.Spec.Replicas != 4 {
		t.Fatalf("%+v %v", web, err)
	}
	web.Status.Replicas, web.Spec.Replicas = 3, nil
	if web, err = deployments.UpdateStatus(ctx, web, metav1.UpdateOptions{}); err != nil || web.Status.Replicas != 3 || *web.Spec.Replicas != 4 {
		t.Errorf("%+v %v", web, err)
	}
	err = client.CoreV1().Pods("default").Bind(ctx, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Target: corev1.ObjectReference{Kind: "Node", Name: "node-1"}}, metav1.CreateOptions{})
	if err != nil {
		t.Error(err)
	}
	if p, err := client.CoreV1().Pods("default").Get(ctx, "p", metav1.GetOptions{}); err != nil || p.Spec.NodeName != "node-1" {
		t.Errorf("%+v %v", p, err)
	}
	w.cfg.Logs = func(namespace, pod string, o LogOptions) (string, error) {
		return namespace + "/" + pod + "/" + o.Container, nil
	}
	tail := int64(3)
	log, err := client.CoreV1().Pods("default").GetLogs("p", &corev1.PodLogOptions{TailLines: &tail}).DoRaw(ctx)
	if err != nil || string(log) != "default/p/c" {
		t.Errorf("%s %v", log, err)
	}
}

func TestDynamicMetadataAndDiscoveryClients(t *testing.T) {
	w := furnished(t)
	ctx := context.Background()
	gvr := appsv1.SchemeGroupVersion.WithResource("deployments")
	o, err := dynamic.NewForConfigOrDie(w.config("")).Resource(gvr).Namespace("default").Get(ctx, "web", metav1.GetOptions{})
	if n, _, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); err != nil || n != 2 {
		t.Errorf("%+v %v", o, err)
	}
	list, err := metadata.NewForConfigOrDie(w.config("")).Resource(gvr).List(ctx, metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 || list.Items[0].Name != "web" {
		t.Errorf("%+v %v", list, err)
	}
	client := discovery.NewDiscoveryClientForConfigOrDie(w.config(""))
	if v, err := client.ServerVersion(); err != nil || v.GitVersion != Version {
		t.Errorf("%v %v", v, err)
	}
	aggregated := resourceNames(t, client)
	client.UseLegacyDiscovery = true
	if legacy := resourceNames(t, client); !slices.Equal(legacy, aggregated) || !slices.Contains(legacy, "apps/v1 deployments/scale Scale autoscaling/v1 get,patch,update") {
		t.Errorf("discovery in parts says %v\nand at once %v", legacy, aggregated)
	}
}

// resourceNames is all that discovery tells, a line for each resource.
func resourceNames(t *testing.T, client discovery.DiscoveryInterface) (names []string) {
	t.Helper()
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lists {
		for _, r := range l.APIResources {
			// The aggregated form says the group of every kind, the old one that of strangers only.
			gv := schema.GroupVersion{Group: r.Group, Version: r.Version}
			if r.Version == "" || gv.String() == l.GroupVersion {
				gv = schema.GroupVersion{}
			}
			names = append(names, strings.Join([]string{l.GroupVersion, r.Name, r.Kind, gv.String(), strings.Join(r.Verbs, ",")}, " "))
		}
	}
	slices.Sort(names)
	return names
}

// mutexTurns is what a server over the network uses: a lock, and a bell.
type mutexTurns struct {
	mu   sync.Mutex
	bell chan struct{}
}

func (t *mutexTurns) Do(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
}

func (t *mutexTurns) Now() time.Time { return time.Now() }

func (t *mutexTurns) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.bell:
		return nil
	}
}

// An unmodified informer of client-go, over a socket: it lists, watches, and sees what changes.
func TestInformerOverLoopback(t *testing.T) {
	w := newWorld(t, Limits{})
	tt := &mutexTurns{bell: make(chan struct{}, 1)}
	server := httptest.NewServer(w.Serve(person, tt))
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := kubernetes.NewForConfigOrDie(&rest.Config{Host: server.URL, QPS: -1})
	if _, err := client.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 10)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace("default"))
	informer := factory.Core().V1().ConfigMaps().Informer()
	informer.AddEventHandler(clientcache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { seen <- "added " + o.(*corev1.ConfigMap).Name },
		UpdateFunc: func(_, o any) { seen <- "updated " + o.(*corev1.ConfigMap).Name },
		DeleteFunc: func(o any) { seen <- "deleted " + o.(*corev1.ConfigMap).Name },
	})
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	defer cancel()
	want := func(line string) {
		t.Helper()
		select {
		case got := <-seen:
			if got != line {
				t.Fatalf("saw %s, want %s", got, line)
			}
		case <-ctx.Done():
			t.Fatalf("never saw %s", line)
		}
	}
	want("added a")
	for _, c := range []struct{ line, contentType, body, want string }{
		{"POST " + configMaps, "", `{"metadata":{"name":"b"}}`, "added b"},
		{"PATCH " + configMaps + "/b", mergePatch, `{"data":{"x":"y"}}`, "updated b"},
		{"DELETE " + configMaps + "/a", "", "", "deleted a"},
	} {
		tt.Do(func() {
			if a := w.call(c.line, c.contentType, c.body); a.code >= 300 {
				t.Errorf("%s: %d %s", c.line, a.code, a.body)
			}
		})
		tt.bell <- struct{}{}
		want(c.want)
	}
}
