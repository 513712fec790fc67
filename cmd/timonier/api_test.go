package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// servedAPI is a cluster that the subcommand serves.
type servedAPI struct {
	t      *testing.T
	ctx    context.Context
	config *rest.Config
	stop   func() (code int)
}

func startAPI(t *testing.T, args ...string) *servedAPI {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	reader, writer := io.Pipe()
	ended := make(chan int, 1)
	var wrong syncBuffer
	go func() {
		code := run(ctx, append([]string{"api", "--listen", "127.0.0.1:0", "--lang", "en"}, args...), nil, strings.NewReader(""), writer, &wrong)
		writer.CloseWithError(fmt.Errorf("ended with %d: %s", code, wrong.String()))
		ended <- code
	}()
	printed := make([]byte, 1<<16)
	n, err := reader.Read(printed) // in one piece
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(printed[:n])
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	s := &servedAPI{t: t, ctx: ctx, config: config}
	s.stop = sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *servedAPI) eventually(what string, done func() (bool, error)) {
	s.t.Helper()
	for {
		ok, err := done()
		if err != nil {
			s.t.Fatalf("%s: %v", what, err)
		}
		if ok {
			return
		}
		select {
		case <-s.ctx.Done():
			s.t.Fatalf("never: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestAPIWantsItsToken(t *testing.T) {
	s := startAPI(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for _, header := range []string{"", "Bearer", "Bearer wrong", "Basic " + s.config.BearerToken, s.config.BearerToken} {
		for _, path := range []string{"/api/v1/pods", "/version", "/nowhere"} {
			req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.config.Host+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if header != "" {
				req.Header.Set("Authorization", header)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusUnauthorized || string(body) != unauthorized {
				t.Errorf("%q %s: %s %s %v", header, path, resp.Status, body, err)
			}
		}
	}
	anonymous := rest.AnonymousClientConfig(s.config)
	if _, err := kubernetes.NewForConfigOrDie(anonymous).CoreV1().Pods("").List(s.ctx, metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
		t.Errorf("without a token: %v", err)
	}
	if code := s.stop(); code != exitOK {
		t.Errorf("ended with %d", code)
	}
}

// Every kind that can be listed and watched has an informer that syncs, and one sees what the cluster does.
func TestAPIServesClientGo(t *testing.T) {
	s := startAPI(t, "--nodes", "2", "--speed", "20")
	client, err := kubernetes.NewForConfig(s.config)
	if err != nil {
		t.Fatal(err)
	}
	lists, err := client.Discovery().ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	factory := dynamicinformer.NewDynamicSharedInformerFactory(dynamic.NewForConfigOrDie(s.config), 0)
	var kinds []schema.GroupVersionResource
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.APIResources {
			if slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "watch") && !strings.Contains(r.Name, "/") {
				kinds = append(kinds, gv.WithResource(r.Name))
				factory.ForResource(gv.WithResource(r.Name)).Informer()
			}
		}
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer factory.Shutdown()
	defer cancel()
	factory.Start(ctx.Done())
	for kind, ok := range factory.WaitForCacheSync(ctx.Done()) {
		if !ok {
			t.Errorf("no informer of %v", kind)
		}
	}
	if len(kinds) < 10 {
		t.Errorf("only %v", kinds)
	}

	seen := make(chan any, 1000)
	pods := factory.ForResource(corev1.SchemeGroupVersion.WithResource("pods")).Informer()
	note := func(o any) { seen <- o }
	if _, err := pods.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: note, DeleteFunc: note}); err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"app": "web"}
	replicas := int32(5)
	web := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{
		Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx"}}}},
	}}
	if _, err := client.AppsV1().Deployments("default").Create(s.ctx, web, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.eventually("five pods are ready", func() (bool, error) {
		d, err := client.AppsV1().Deployments("default").Get(s.ctx, "web", metav1.GetOptions{})
		return err == nil && d.Status.ReadyReplicas == 5, err
	})
	if err := client.AppsV1().Deployments("default").Delete(s.ctx, "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 10 { // five come, five go
		select {
		case <-seen:
		case <-s.ctx.Done():
			t.Fatal("the informer has not seen all pods come and go")
		}
	}
	if code := s.stop(); code != exitOK {
		t.Errorf("ended with %d", code)
	}
}

// The cluster's clock follows the wall's times the speed, with nobody asking.
func TestAPIClockFollowsTheWall(t *testing.T) {
	s := startAPI(t, "--nodes", "1", "--speed", "1000")
	client := kubernetes.NewForConfigOrDie(s.config)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Annotations: map[string]string{"timonier/run": "40s"}},
		Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "c", Image: "nginx"}}}}
	if _, err := client.CoreV1().Pods("default").Create(s.ctx, pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	timeout := int64(60)
	began := time.Now()
	w, err := client.CoreV1().Pods("default").Watch(s.ctx, metav1.ListOptions{TimeoutSeconds: &timeout})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	var last corev1.PodPhase
	for e := range w.ResultChan() {
		if p, ok := e.Object.(*corev1.Pod); ok {
			if last = p.Status.Phase; last == corev1.PodSucceeded {
				break
			}
		}
	}
	if last != corev1.PodSucceeded {
		t.Errorf("%s after %v", last, time.Since(began))
	}
}

func TestAPIOptions(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"--nodes -1", "--nodes can't be “-1”"},
		{"--nodes many", "--nodes can't be “many”"},
		{"--nodes 5001", "--nodes can't be “5001”"},
		{"--speed 0", "--speed can't be “0”"},
		{"--speed NaN", "--speed can't be “NaN”"},
		{"--speed -3", "--speed can't be “-3”"},
		{"--listen nowhere", "--listen can't be “nowhere”"},
		{"--kubelets none", "--kubelets can't be “none”"},
		{"more", "“more”"},
	} {
		var out, errs strings.Builder
		code := run(t.Context(), append([]string{"api", "--lang", "en"}, strings.Fields(c.args)...), nil, strings.NewReader(""), &out, &errs)
		if code != exitUsage || !strings.Contains(errs.String(), c.says) || out.Len() > 0 {
			t.Errorf("%s: %d %q %q", c.args, code, errs.String(), out.String())
		}
	}
	var out strings.Builder
	if code := run(t.Context(), []string{"api", "--help", "--lang", "en"}, nil, strings.NewReader(""), &out, io.Discard); code != exitOK || !strings.Contains(out.String(), "--kubelets") {
		t.Errorf("help: %d %s", code, out.String())
	}
}
