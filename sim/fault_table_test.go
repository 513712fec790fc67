package sim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
)

// The columns of the table: what is broken, 20 s before anything is tried. All node faults are node-2's.
var tableColumns = []struct{ name, fault, target string }{
	{"nothing", "", ""},
	{"node silent", NodeSilent, "node-2"},
	{"node off", NodeOff, "node-2"},
	{"node slow", NodeSlow, "node-2"},
	{"disk full", NodeDiskFull, "node-2"},
	{"kubelet down", KubeletDown, "node-2"},
	{"API server down", APIServerDown, All},
	{"schedulers down", SchedulerDown, All},
	{"active scheduler down", SchedulerDown, Active},
	{"controller managers down", ControllerManagerDown, All},
	{"active controller manager down", ControllerManagerDown, Active},
	{"registry down", RegistryDown, "docker.io"},
	{"image crashes", ImageCrash, "nginx"},
	{"image leaks", ImageLeak, "nginx"},
	{"image slow", ImageSlow, "nginx"},
}

// tableRow is what may go on or not: a try, on a cluster of its own. want has a letter for each column, y or n.
type tableRow struct {
	name  string
	want  string
	works func(t *testing.T, c *Cluster, mend func()) bool
}

// What goes on and what stops, in the words of the Kubernetes documentation and of pkg/controller, pkg/kubelet: the
// control plane can be gone for hours without a running pod noticing; a program that is missing leaves undone what is
// its alone.
var tableRows = []tableRow{
	{"kubectl get", "yyyyyynyyyyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		return ask(c, "GET", "/api/v1/namespaces/default/pods", "") == http.StatusOK
	}},
	{"kubectl apply", "yyyyyynyyyyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		return ask(c, "POST", "/api/v1/namespaces/default/configmaps", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new"}}`) == http.StatusCreated
	}},
	{"a new Deployment is accepted", "yyyyyynyyyyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		_, err := c.Client().Create(deployment("new", 2, "10m"))
		return err == nil
	}},
	{"its pods are created", "yyyyyynyynyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		_, _ = c.Client().Create(deployment("new", 2, "10m"))
		return c.Until(10*time.Second, func() bool { return len(podsOf(c, "new")) == 2 })
	}},
	{"a deleted pod is replaced", "yyyyyynyynyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		old := podsOf(c, "web")
		_ = c.Client().Delete(old[0], *metav1.NewDeleteOptions(0))
		return c.Until(10*time.Second, func() bool {
			for _, p := range podsOf(c, "web") {
				if p.UID != old[0].UID && p.UID != old[1].UID && p.UID != old[2].UID {
					return true
				}
			}
			return false
		})
	}},
	{"a pod is scheduled", "yyyyyynnyyyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		_, _ = c.Client().Create(bare("new", "", "nginx:1.29"))
		return c.Until(10*time.Second, func() bool { p, ok := podNamed(c, "new"); return ok && p.Spec.NodeName != "" })
	}},
	{"a pod of node-2 is started", "ynnynnnyyyyynyy", func(t *testing.T, c *Cluster, _ func()) bool {
		_, _ = c.Client().Create(bare("new", "node-2", "nginx:1.29"))
		return c.Until(time.Minute, func() bool { return running(c, "new") }) && !c.Until(20*time.Second, func() bool { return !running(c, "new") })
	}},
	{"an image is pulled", "ynnynnnyyyynyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		_, _ = c.Client().Create(bare("new", "node-2", "redis:7"))
		return c.Until(2*time.Minute, func() bool { return running(c, "new") })
	}},
	{"a new pod is ready within 30 s", "ynnynnnyyyyynyn", func(t *testing.T, c *Cluster, _ func()) bool {
		pod := bare("new", "node-2", "nginx:1.29")
		pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
			HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(80)}}}
		_, _ = c.Client().Create(pod)
		return c.Until(30*time.Second, func() bool { p, ok := podNamed(c, "new"); return ok && isReady(p) }) &&
			!c.Until(20*time.Second, func() bool { p, _ := podNamed(c, "new"); return !isReady(p) })
	}},
	{"endpoints follow a pod that goes", "yyyyyynyynyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		for _, p := range podsOf(c, "web") {
			if p.Spec.NodeName == "node-1" {
				_ = c.Client().Delete(p, metav1.DeleteOptions{})
			}
		}
		return c.Until(10*time.Second, func() bool { return endpoints(c, "node-1") == 0 })
	}},
	{"the endpoint of node-2's pod stays ready", "ynnynnyyyyyynyy", func(t *testing.T, c *Cluster, _ func()) bool {
		return !c.Until(70*time.Second, func() bool { return endpoints(c, "node-2") == 0 })
	}},
	{"another lost node is noticed", "yyyyyynyynyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		if err := c.Break(NodeSilent, "node-3"); err != nil {
			t.Fatal(err)
		}
		return c.Until(70*time.Second, func() bool { return nodeReady(c, "node-3") == corev1.ConditionUnknown })
	}},
	{"and its pods are evicted", "yyyyyynyynyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		if err := c.Break(NodeSilent, "node-3"); err != nil {
			t.Fatal(err)
		}
		return c.Until(8*time.Minute, func() bool {
			for _, p := range podsOf(c, "web") {
				if p.Spec.NodeName == "node-3" && p.DeletionTimestamp != nil {
					return true
				}
			}
			return false
		})
	}},
	{"logs of node-2's pod", "ynnyynnyyyyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		for _, p := range podsOf(c, "web") {
			if p.Spec.NodeName == "node-2" {
				return ask(c, "GET", "/api/v1/namespaces/default/pods/"+p.Name+"/log", "") == http.StatusOK
			}
		}
		return false
	}},
	{"node-2 stays Ready", "ynnyynyyyyyyyyy", func(t *testing.T, c *Cluster, mend func()) bool {
		pass(t, c, 2*time.Minute)
		return nodeReady(c, "node-2") == corev1.ConditionTrue
	}},
	{"node-2's lease is renewed", "ynnyynnyyyyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		pass(t, c, time.Minute)
		l, _ := apiserver.Live[*coordinationv1.Lease](c.Client(), corev1.NamespaceNodeLease, "node-2")
		return c.Now().Sub(l.Spec.RenewTime.Time) <= 40*time.Second
	}},
	{"the scheduler's lease is renewed", "yyyyyynnyyyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		return c.Now().Sub(leaseNow(t, c, schedulerName).Spec.RenewTime.Time) <= retryPeriod
	}},
	{"the controller manager's lease is renewed", "yyyyyynyynyyyyy", func(t *testing.T, c *Cluster, _ func()) bool {
		return c.Now().Sub(leaseNow(t, c, controllerManagerName).Spec.RenewTime.Time) <= retryPeriod
	}},
	{"crashed containers of node-2 start again", "yynynnyyyyyyyyy", func(t *testing.T, c *Cluster, mend func()) bool {
		before, _ := podNamed(c, "restless")
		pass(t, c, 3*time.Minute)
		mend()
		pass(t, c, 2*time.Second)
		after, ok := podNamed(c, "restless")
		return ok && after.Status.ContainerStatuses[0].RestartCount >= before.Status.ContainerStatuses[0].RestartCount+2
	}},
	{"the same containers run on", "yynynyyyyyyynyy", func(t *testing.T, c *Cluster, mend func()) bool {
		before := map[string]string{}
		for _, p := range podsOf(c, "web") {
			before[p.Name] = p.Status.ContainerStatuses[0].ContainerID
		}
		pass(t, c, 2*time.Minute)
		mend()
		pass(t, c, 30*time.Second)
		now := podsOf(c, "web")
		for _, p := range now {
			if s := p.Status.ContainerStatuses; len(s) == 0 || s[0].State.Running == nil || s[0].ContainerID != before[p.Name] {
				return false
			}
		}
		return len(now) == 3
	}},
}

func TestWhatGoesOnAndWhatStops(t *testing.T) {
	up := newCluster(t, Config{})
	create(t, up, deployment("web", 3, "100m"))
	restless := bare("restless", "node-2", "busybox:1.36")
	restless.Spec.Containers[0].Command = []string{"sh", "-c", "sleep 20; exit 1"}
	create(t, up, restless)
	create(t, up, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: corev1.ServiceSpec{
		Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}}})
	if !up.Until(time.Minute, func() bool { return ready(up, "web") == 3 && endpoints(up, "") == 3 }) {
		t.Fatalf("%q", pods(up))
	}
	start := disk{}
	start.save(t, up)
	for _, row := range tableRows {
		got := ""
		for _, col := range tableColumns {
			c := start.load(t)
			if col.fault != "" {
				fail(t, c, col.fault, col.target)
			}
			pass(t, c, 20*time.Second)
			works := row.works(t, c, func() {
				if col.fault != "" {
					mend(t, c, col.fault, All)
				}
			})
			if works {
				got += "y"
			} else {
				got += "n"
			}
		}
		if got != row.want {
			for i, col := range tableColumns {
				if got[i] != row.want[i] {
					t.Errorf("%s, with %s: got %c, want %c", row.name, col.name, got[i], row.want[i])
				}
			}
		}
	}
}

// ask sends a request as kubectl would, and returns the status; 0: nobody answers.
func ask(c *Cluster, method, path, body string) (code int) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	c.Server().Handler(Admin()).ServeHTTP(rec, req)
	return rec.Code
}

func bare(name, node, image string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "c", Image: image}}}}
}

func podNamed(c *Cluster, name string) (*corev1.Pod, bool) {
	return apiserver.Get[*corev1.Pod](c.Client(), "default", name)
}

func podsOf(c *Cluster, app string) (found []*corev1.Pod) {
	for p := range apiserver.List[*corev1.Pod](c.Client(), "default") {
		if p.Labels["app"] == app {
			found = append(found, p)
		}
	}
	return found
}

func running(c *Cluster, name string) bool {
	p, ok := podNamed(c, name)
	return ok && len(p.Status.ContainerStatuses) > 0 && p.Status.ContainerStatuses[0].State.Running != nil
}

func isReady(p *corev1.Pod) bool {
	for _, cond := range p.Status.Conditions {
		if cond.Type == corev1.PodReady {
			return cond.Status == corev1.ConditionTrue
		}
	}
	return false
}

// endpoints counts the ready endpoints of web on a node, or on all.
func endpoints(c *Cluster, node string) (n int) {
	for s := range apiserver.List[*discoveryv1.EndpointSlice](c.Client(), "default") {
		if s.Labels[discoveryv1.LabelServiceName] != "web" {
			continue
		}
		for _, e := range s.Endpoints {
			if ptr.Deref(e.Conditions.Ready, true) && (node == "" || ptr.Deref(e.NodeName, "") == node) {
				n++
			}
		}
	}
	return n
}
