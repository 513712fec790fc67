package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	resourcehelper "k8s.io/component-helpers/resource"
	"k8s.io/utils/ptr"

	"timonier/sim/apiserver"
)

// A life is a random script of what people do to a cluster, over all kinds that make pods or have a say in where they go.
type life struct {
	t testing.TB
	r *rand.Rand
	n int
	// calm leaves out what never comes to rest by itself.
	calm bool
}

func newLife(t testing.TB, seed uint64) *life {
	return &life{t: t, r: rand.New(rand.NewPCG(seed, 1))}
}

// step does one thing, and lets some time pass. What the API server refuses is a part of life.
func (l *life) step(c *Cluster) {
	l.n++
	acts := []func(*Cluster){l.make, l.make, l.make, l.remove, l.scale, l.reimage, l.node, l.node, l.evict}
	acts[l.r.IntN(len(acts))](c)
	by := time.Duration(l.r.IntN(1<<l.r.IntN(10))) * 997 * time.Millisecond
	if err := c.AdvanceTo(c.Now().Add(by)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) template() corev1.PodTemplateSpec {
	images := []string{"nginx:1.29", "redis:7"}
	if !l.calm {
		images = append(images, "nginx:nope", "busybox:1.36")
	}
	app := map[string]string{"app": fmt.Sprintf("app-%d", l.r.IntN(3))}
	spec := corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: images[l.r.IntN(len(images))],
		Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			"cpu": *resource.NewMilliQuantity(int64(100*(1+l.r.IntN(12))), resource.DecimalSI), "memory": *resource.NewQuantity(int64(1+l.r.IntN(6))<<28, resource.BinarySI)}}}}}
	if l.r.IntN(4) == 0 {
		spec.PriorityClassName = "high"
	}
	if l.r.IntN(4) == 0 {
		spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: corev1.LabelHostname,
			WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: &metav1.LabelSelector{MatchLabels: app}}}
	}
	if l.r.IntN(4) == 0 {
		spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
			{TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: app}}}}}
	}
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: app}, Spec: spec}
}

// make creates something.
func (l *life) make(c *Cluster) {
	meta := metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("thing-%d", l.n)}
	t := l.template()
	selector := &metav1.LabelSelector{MatchLabels: t.Labels}
	replicas := ptr.To(int32(1 + l.r.IntN(4)))
	once := t.DeepCopy()
	once.Spec.RestartPolicy = corev1.RestartPolicyNever
	objects := []apiserver.Object{
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: meta.Namespace, Name: meta.Name, Labels: t.Labels}, Spec: t.Spec},
		&appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Replicas: replicas, Selector: selector, Template: t}},
		&appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Replicas: replicas, Selector: selector, Template: t}},
		&appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Replicas: replicas, Selector: selector, Template: t, ServiceName: meta.Name}},
		&appsv1.DaemonSet{ObjectMeta: meta, Spec: appsv1.DaemonSetSpec{Selector: selector, Template: t}},
		&corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: t.Labels, Ports: []corev1.ServicePort{{Port: 80}}}},
		&policyv1.PodDisruptionBudget{ObjectMeta: meta, Spec: policyv1.PodDisruptionBudgetSpec{MinAvailable: ptr.To(intstr.FromInt32(1)), Selector: selector}},
		&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "high"}, Value: 1000},
	}
	if !l.calm {
		objects = append(objects,
			&batchv1.Job{ObjectMeta: meta, Spec: batchv1.JobSpec{Completions: replicas, Template: *once}},
			&batchv1.CronJob{ObjectMeta: meta, Spec: batchv1.CronJobSpec{Schedule: "*/2 * * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: *once}}}})
	}
	o := objects[l.r.IntN(len(objects))]
	if _, ok := c.Server().ResourceOf(o); ok {
		_, _ = c.Client().Create(o)
	}
}

// owners are what people have made that makes pods, by name.
func owners(c *Cluster) []apiserver.Object {
	var all []apiserver.Object
	for o := range apiserver.List[*appsv1.Deployment](c.Client(), "default") {
		all = append(all, o)
	}
	for o := range apiserver.List[*appsv1.StatefulSet](c.Client(), "default") {
		all = append(all, o)
	}
	for o := range apiserver.List[*appsv1.DaemonSet](c.Client(), "default") {
		all = append(all, o)
	}
	for o := range apiserver.List[*batchv1.Job](c.Client(), "default") {
		all = append(all, o)
	}
	for o := range apiserver.List[*policyv1.PodDisruptionBudget](c.Client(), "default") {
		all = append(all, o)
	}
	for o := range apiserver.List[*corev1.Pod](c.Client(), "default") {
		all = append(all, o)
	}
	return all
}

func (l *life) any(c *Cluster) (apiserver.Object, bool) {
	all := owners(c)
	if len(all) == 0 {
		return nil, false
	}
	return all[l.r.IntN(len(all))], true
}

func (l *life) remove(c *Cluster) {
	policy := []metav1.DeletionPropagation{metav1.DeletePropagationBackground, metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan}[l.r.IntN(3)]
	if o, ok := l.any(c); ok {
		_ = c.Client().Delete(o, metav1.DeleteOptions{PropagationPolicy: &policy})
	}
}

func (l *life) scale(c *Cluster) {
	to := ptr.To(int32(l.r.IntN(6)))
	o, ok := l.any(c)
	if !ok {
		return
	}
	switch o := o.DeepCopyObject().(type) {
	case *appsv1.Deployment:
		o.Spec.Replicas = to
		_, _ = c.Client().Update(o)
	case *appsv1.StatefulSet:
		o.Spec.Replicas = to
		_, _ = c.Client().Update(o)
	}
}

func (l *life) reimage(c *Cluster) {
	t := l.template()
	o, ok := l.any(c)
	if !ok {
		return
	}
	switch o := o.DeepCopyObject().(type) {
	case *appsv1.Deployment:
		o.Spec.Template.Spec.Containers = t.Spec.Containers
		_, _ = c.Client().Update(o)
	case *appsv1.StatefulSet:
		o.Spec.Template.Spec.Containers = t.Spec.Containers
		_, _ = c.Client().Update(o)
	case *appsv1.DaemonSet:
		o.Spec.Template.Spec.Containers = t.Spec.Containers
		_, _ = c.Client().Update(o)
	}
}

// node cordons, taints, labels or breaks a node, or undoes it.
func (l *life) node(c *Cluster) {
	name := fmt.Sprintf("node-%d", 1+l.r.IntN(3))
	n, ok := apiserver.Get[*corev1.Node](c.Client(), "", name)
	if !ok {
		return
	}
	n = n.DeepCopy()
	switch l.r.IntN(4) {
	case 0:
		n.Spec.Unschedulable = !n.Spec.Unschedulable
	case 1:
		if i := slices.IndexFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == "mine" }); i >= 0 {
			n.Spec.Taints = slices.Delete(n.Spec.Taints, i, i+1)
		} else {
			effect := []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute, corev1.TaintEffectPreferNoSchedule}[l.r.IntN(3)]
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: "mine", Effect: effect})
		}
	case 2:
		n.Labels[corev1.LabelTopologyZone] = fmt.Sprintf("zone-%d", l.r.IntN(2))
	case 3:
		if err := c.Break(NodeSilent, name); errors.Is(err, ErrBroken) {
			_ = c.Mend(NodeSilent, name)
		}
		return
	}
	_, _ = c.Client().Update(n)
}

func (l *life) evict(c *Cluster) {
	for o := range apiserver.List[*corev1.Pod](c.Client(), "default") {
		if l.r.IntN(3) == 0 {
			_ = c.Client().Delete(o, metav1.DeleteOptions{})
			return
		}
	}
}

// overcommitted says which nodes have been given more than they have: pods of which the scheduler knew, or should have.
func overcommitted(c *Cluster) string {
	var found []string
	for n := range apiserver.List[*corev1.Node](c.Client(), "") {
		sums, pods := corev1.ResourceList{}, int64(0)
		for p := range apiserver.List[*corev1.Pod](c.Client(), "") {
			if p.Spec.NodeName != n.Name || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
				continue
			}
			pods++
			for name, q := range resourcehelper.PodRequests(p, resourcehelper.PodResourcesOptions{}) {
				sum := sums[name]
				sum.Add(q)
				sums[name] = sum
			}
		}
		for _, name := range slices.Sorted(maps.Keys(sums)) {
			if sum, has := sums[name], n.Status.Allocatable[name]; sum.Cmp(has) > 0 {
				found = append(found, fmt.Sprintf("%s: %s of %s %s", n.Name, &sum, &has, name))
			}
		}
		if has := n.Status.Allocatable.Pods().Value(); pods > has {
			found = append(found, fmt.Sprintf("%s: %d of %d pods", n.Name, pods, has))
		}
	}
	return strings.Join(found, "; ")
}

// Two clusters live the same life over all kinds; one of them is saved, dropped and loaded at any moment. Both end in the
// same bytes, and at no moment has a node been given more than it has.
func TestALifeOverAllKinds(t *testing.T) {
	lives := uint64(8)
	if testing.Short() {
		lives = 2
	}
	for seed := range lives {
		a, b := newCluster(t, Config{Seed: seed, Images: images(t)}), newCluster(t, Config{Seed: seed, Images: images(t)})
		one, other, when := newLife(t, seed), newLife(t, seed), rand.New(rand.NewPCG(seed, 2))
		diskA, diskB := disk{}, disk{}
		for i := range 60 {
			one.step(a)
			other.step(b)
			if when.IntN(3) == 0 {
				diskB.save(t, b)
				b = diskB.load(t)
			}
			if found := overcommitted(a); found != "" {
				t.Fatalf("seed %d, step %d: %s", seed, i, found)
			}
		}
		diskA.save(t, a)
		diskB.save(t, b)
		same(t, seed, diskA, diskB)
	}
}

// lived is a digest of all bytes of a cluster after a life.
func lived(t testing.TB, seed uint64) string {
	c := newCluster(t, Config{Seed: seed, Images: images(t)})
	l := newLife(t, seed)
	for range 60 {
		l.step(c)
	}
	d := disk{}
	d.save(t, c)
	sum := sha256.New()
	for _, k := range slices.Sorted(maps.Keys(d)) {
		fmt.Fprintf(sum, "%s %x\n", k, d[k])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// TestAcrossProcesses lives the same life here and in another process, which has other addresses and other hashes of maps.
func TestAcrossProcesses(t *testing.T) {
	const marker, variable = "digest: ", "TIMONIER_TEST_LIFE"
	if os.Getenv(variable) != "" {
		fmt.Println(marker + lived(t, 77))
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestAcrossProcesses$")
	child.Env = append(os.Environ(), variable+"=1")
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, rest, ok := bytes.Cut(out, []byte(marker))
	theirs, _, _ := strings.Cut(string(rest), "\n")
	if ours := lived(t, 77); !ok || theirs != ours {
		t.Errorf("here %s, there %s", ours, theirs)
	}
}

// revisions are the revisions of all objects but events.
func revisions(c *Cluster) map[string]string {
	all := map[string]string{}
	for _, r := range c.Server().Resources() {
		if r.TTL > 0 {
			continue
		}
		for _, o := range c.Client().All(r, "") {
			all[r.Resource+"/"+o.GetNamespace()+"/"+o.GetName()] = o.GetResourceVersion()
		}
	}
	return all
}

// A cluster that is left alone comes to rest, and a rest is a rest: time that passes then changes nothing.
func TestSettlingTwiceMovesNothing(t *testing.T) {
	for seed := range uint64(4) {
		c := newCluster(t, Config{Seed: seed, Images: images(t)})
		l := newLife(t, seed)
		l.calm = true
		for range 40 {
			l.step(c)
		}
		for range 4 { // evictions of silent nodes' pods take their time
			if err := c.AdvanceTo(c.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		before := revisions(c)
		if err := c.AdvanceTo(c.Now().Add(3 * time.Hour)); err != nil {
			t.Fatal(err)
		}
		after := revisions(c)
		for _, k := range slices.Sorted(maps.Keys(after)) {
			if before[k] != after[k] {
				t.Errorf("seed %d: %s moved from %s to %s", seed, k, before[k], after[k])
			}
		}
		if len(before) != len(after) {
			t.Errorf("seed %d: %d objects, then %d", seed, len(before), len(after))
		}
	}
}
