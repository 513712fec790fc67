package sim

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
	"timonier/sim/kubelet"
)

func images(t testing.TB) kubelet.Images {
	t.Helper()
	data, err := os.ReadFile("../content/images.yaml")
	if err != nil {
		t.Fatal(err)
	}
	images, err := kubelet.ParseImages(data)
	if err != nil {
		t.Fatal(err)
	}
	return images
}

func newCluster(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	cfg.Images = images(t)
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func deployment(name string, replicas int32, cpu string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx:1.29",
					Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse("64Mi")}}}}},
			},
		},
	}
}

func create(t testing.TB, c *Cluster, o apiserver.Object) {
	t.Helper()
	if _, err := c.Client().Create(o); err != nil {
		t.Fatal(err)
	}
}

func ready(c *Cluster, app string) (n int32) {
	d, _ := apiserver.Get[*appsv1.Deployment](c.Client(), "default", app)
	return d.Status.ReadyReplicas
}

// pods are a table of the default namespace: name's hash and suffix left out, as they are random.
func pods(c *Cluster) []string {
	var rows []string
	for p := range apiserver.List[*corev1.Pod](c.Client(), "default") {
		ready := "-"
		for _, cond := range p.Status.Conditions {
			if cond.Type == corev1.PodReady {
				ready = string(cond.Status)
			}
		}
		dying := ""
		if p.DeletionTimestamp != nil {
			dying = " Terminating"
		}
		rows = append(rows, fmt.Sprintf("%s %s ready=%s%s", p.Spec.NodeName, p.Status.Phase, ready, dying))
	}
	slices.Sort(rows)
	return rows
}

func TestADeploymentComesUp(t *testing.T) {
	c := newCluster(t, Config{})
	create(t, c, deployment("web", 3, "500m"))
	began := c.Now()
	if !c.Until(time.Minute, func() bool { return ready(c, "web") == 3 }) {
		t.Fatalf("after a minute: %q", pods(c))
	}
	if took := c.Now().Sub(began); took < time.Second || took > 30*time.Second {
		t.Errorf("three nginx took %v", took)
	}
	if got := pods(c); !slices.Equal(got, []string{"node-1 Running ready=True", "node-2 Running ready=True", "node-3 Running ready=True"}) {
		t.Errorf("%q", got)
	}
}

// What a real cluster does when a node falls silent (SIMULATOR's figures): nothing for 50 s; then its pods are not
// ready; 300 s later they are deleted and replaced, and stay Terminating until the kubelet is back.
func TestASilentNode(t *testing.T) {
	c := newCluster(t, Config{})
	create(t, c, deployment("web", 3, "500m"))
	c.Until(time.Minute, func() bool { return ready(c, "web") == 3 })
	if err := c.Break(NodeSilent, "node-2"); err != nil {
		t.Fatal(err)
	}
	broken := c.Now()
	at := func(after time.Duration, want ...string) {
		t.Helper()
		if err := c.AdvanceTo(broken.Add(after)); err != nil {
			t.Fatal(err)
		}
		got := pods(c)
		for i, p := range got { // which of the two that are left takes the replacement is a draw
			if p != want[min(i, len(want)-1)] && strings.HasPrefix(p, "node-1 ") && len(got) == len(want) {
				got[i] = strings.Replace(p, "node-1", "node-3", 1)
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("after %v:\n%s\nwant\n%s", after, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	up := func(n int) string { return fmt.Sprintf("node-%d Running ready=True", n) }
	at(39*time.Second, up(1), up(2), up(3))
	at(60*time.Second, up(1), "node-2 Running ready=False", up(3))
	at(330*time.Second, up(1), "node-2 Running ready=False", up(3))
	at(6*time.Minute+30*time.Second, up(1), "node-2 Running ready=False Terminating", up(3), up(3))
	at(time.Hour, up(1), "node-2 Running ready=False Terminating", up(3), up(3))
	if err := c.Mend(NodeSilent, "node-2"); err != nil {
		t.Fatal(err)
	}
	at(time.Hour+time.Minute, up(1), up(3), up(3))
	node, _ := apiserver.Get[*corev1.Node](c.Client(), "", "node-2")
	if len(node.Spec.Taints) != 0 {
		t.Errorf("node-2 kept its taints: %v", node.Spec.Taints)
	}
}

func apiserverGet(c *Cluster, name string) (*appsv1.Deployment, bool) {
	return apiserver.Get[*appsv1.Deployment](c.Client(), "default", name)
}

func update(t testing.TB, c *Cluster, o apiserver.Object) {
	t.Helper()
	if _, err := c.Client().Update(o); err != nil {
		t.Fatal(err)
	}
}

// TestWhatAPodWaitsForComesLate: a pod that has waited for a ConfigMap long enough to be tried no more by the
// clock starts when the ConfigMap is made.
func TestWhatAPodWaitsForComesLate(t *testing.T) {
	c := newCluster(t, Config{})
	d := deployment("web", 2, "100m")
	d.Spec.Template.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{
		{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "late"}}}}
	create(t, c, d)
	advance := func(by time.Duration) {
		if err := c.AdvanceTo(c.Now().Add(by)); err != nil {
			t.Fatal(err)
		}
	}
	advance(time.Hour)
	if n := ready(c, "web"); n != 0 {
		t.Fatalf("%d are ready without what they need", n)
	}
	create(t, c, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "late"}})
	advance(15 * time.Second)
	if n := ready(c, "web"); n != 2 {
		t.Errorf("%d of 2 are ready", n)
	}
}
