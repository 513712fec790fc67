package bot

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"timonier/sim"
	"timonier/sim/apiserver"
	"timonier/sim/kubelet"
)

// liveWorld is a cluster at random, and a call that asks about it.
type liveWorld struct {
	*rand.Rand
	t    testing.TB
	cl   *sim.Cluster
	call *call
	full map[string][]byte
}

func newLiveWorld(t testing.TB, tutor *Tutor, seed uint64) *liveWorld {
	w := &liveWorld{Rand: rand.New(rand.NewPCG(seed, 5)), t: t}
	course := tutor.taught.Load()
	var nodes []kubelet.NodeSpec
	for i := range 2 + w.IntN(5) {
		n := kubelet.NodeSpec{Name: fmt.Sprintf("node-%d", i+1), Index: i + 1, CPU: *resource.NewMilliQuantity(int64(1+w.IntN(8))*500, resource.DecimalSI),
			Memory: *resource.NewQuantity(int64(1+w.IntN(6))<<30, resource.BinarySI), Labels: map[string]string{"disk": []string{"ssd", "hdd"}[w.IntN(2)], corev1.LabelTopologyZone: fmt.Sprint("z", w.IntN(2))}}
		if w.IntN(5) == 0 {
			n.Taints = []corev1.Taint{{Key: "gpu", Value: "yes", Effect: []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule}[w.IntN(2)]}}
		}
		nodes = append(nodes, n)
	}
	cl, err := sim.New(sim.Config{Seed: seed, Nodes: nodes, Members: []int{1, 3, 3, 5}[w.IntN(4)], Images: course.Images})
	if err != nil {
		t.Fatal(err)
	}
	w.cl = cl
	w.populate()
	w.pass(time.Duration(w.IntN(90)) * time.Second)
	for range w.IntN(3) {
		w.breakSomething()
		w.pass(time.Duration(w.IntN(w.IntN(500)+1)) * time.Second)
	}
	records, err := recordsOf(cl)
	if err != nil {
		t.Fatal(err)
	}
	w.full = sim.Untraced(records)
	place := Place{Platform: "test", Channel: "live"}
	w.call = &call{words: tutor.words["fr"], ctx: context.Background(), tutor: tutor, content: course, now: cl.Now(), learner: &learner{shelf: &shelf{}}, used: true,
		channel: &channel{shelf: &shelf{scope: place.Scope()}, simulated: simulated{cluster: cl, fresh: true}}}
	if w.IntN(2) == 0 {
		w.call.channel.settings.Lens = course.Lenses[w.IntN(len(course.Lenses))].ID
	}
	return w
}

func recordsOf(cl *sim.Cluster) (map[string][]byte, error) {
	records := map[string][]byte{}
	changes, err := cl.Changes()
	for _, r := range changes {
		if r.Value != nil {
			records[r.Key] = r.Value
		}
	}
	return records, err
}

func (w *liveWorld) pass(by time.Duration) {
	if err := w.cl.AdvanceTo(w.cl.Now().Add(by)); err != nil {
		w.t.Fatal(err)
	}
}

// create makes an object, where the cluster takes it.
func (w *liveWorld) create(o apiserver.Object) { _, _ = w.cl.Client().Create(o) }

func (w *liveWorld) populate() {
	for i, v := range []int32{1000, 100000}[:w.IntN(3)] {
		w.create(&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: []string{"moyenne", "haute"}[i]}, Value: v})
	}
	images := []string{"nginx", "redis", "httpd"}
	for i := range w.IntN(5) {
		app := []string{"web", "db", "cache", "api", "file"}[i]
		n := int32(1 + w.IntN(7))
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: app, Namespace: "default"}, Spec: appsv1.DeploymentSpec{
			Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}}, Spec: corev1.PodSpec{
				Containers: []corev1.Container{{Name: "c", Image: images[w.IntN(len(images))], Resources: w.requests()}}}}}}
		if w.IntN(2) == 0 {
			some := []intstr.IntOrString{intstr.FromString("25%"), intstr.FromString("50%"), intstr.FromInt32(1), intstr.FromInt32(2), intstr.FromInt32(0)}
			down, up := some[w.IntN(5)], some[w.IntN(4)]
			d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &down, MaxSurge: &up}}
		}
		if w.IntN(4) == 0 {
			d.Spec.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"}
		}
		if w.IntN(4) == 0 {
			d.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}}
		}
		if w.IntN(4) == 0 {
			when := []corev1.UnsatisfiableConstraintAction{corev1.DoNotSchedule, corev1.ScheduleAnyway}[w.IntN(2)]
			d.Spec.Template.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: when, LabelSelector: d.Spec.Selector}}
		}
		if w.IntN(4) == 0 {
			d.Spec.Template.Spec.PriorityClassName = []string{"moyenne", "haute"}[w.IntN(2)]
		}
		w.create(d)
		if w.IntN(2) == 0 {
			b := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: app, Namespace: "default"}, Spec: policyv1.PodDisruptionBudgetSpec{Selector: d.Spec.Selector}}
			amount := []intstr.IntOrString{intstr.FromInt32(int32(w.IntN(3))), intstr.FromString("50%")}[w.IntN(2)]
			if w.IntN(2) == 0 {
				b.Spec.MinAvailable = &amount
			} else {
				b.Spec.MaxUnavailable = &amount
			}
			w.create(b)
		}
		if w.IntN(2) == 0 {
			w.pass(time.Duration(w.IntN(20)) * time.Second)
		}
	}
}

func (w *liveWorld) requests() corev1.ResourceRequirements {
	if w.IntN(6) == 0 {
		return corev1.ResourceRequirements{}
	}
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(int64(1+w.IntN(8))*100, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(int64(1+w.IntN(4))*64<<20, resource.BinarySI)}}
}

func (w *liveWorld) breakSomething() {
	kinds := []string{sim.NodeSilent, sim.NodeOff, sim.KubeletDown, sim.NodeSlow, sim.NodeDiskFull, sim.SchedulerDown, sim.ControllerManagerDown, sim.EtcdStopped, sim.EtcdPartitioned, sim.ImageCrash, sim.APIServerDown}
	kind := kinds[w.IntN(len(kinds)-w.IntN(2))]
	if targets := w.cl.Targets(kind); len(targets) > 0 {
		_ = w.cl.Break(kind, targets[w.IntN(len(targets))])
	}
	for n := range apiserver.List[*corev1.Node](w.cl.Client(), "") {
		if w.IntN(6) == 0 {
			n = n.DeepCopy()
			n.Spec.Unschedulable = !n.Spec.Unschedulable
			_, _ = w.cl.Client().Update(n)
			break
		}
	}
}

// another is a copy of the cluster.
func (w *liveWorld) another() *sim.Cluster {
	cl, err := w.call.openCluster(w.full)
	if err != nil {
		w.t.Fatal(err)
	}
	return cl
}
