package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
)

// whim breaks or mends something at random, or has a learner act, and lets time pass.
func whim(t *testing.T, c *Cluster, r *rand.Rand) string {
	t.Helper()
	did := ""
	switch kinds := faultKinds(); r.IntN(5) {
	case 0, 1:
		kind := kinds[r.IntN(len(kinds))]
		targets := kind.targets(c)
		if kind.name == EtcdFull || len(targets) == 0 { // whose alarm someone has to disarm
			break
		}
		target := targets[r.IntN(len(targets))]
		if err := c.Break(kind.name, target); err != nil && !errors.Is(err, ErrBroken) && !errors.Is(err, ErrNoTarget) {
			t.Fatalf("break %s %s: %v", kind.name, target, err)
		}
		did = "break " + kind.name + " " + target
	case 2:
		if broken := c.Faults(); len(broken) > 0 {
			f := broken[r.IntN(len(broken))]
			if err := c.Mend(f.Name, f.Target); err != nil {
				t.Fatalf("mend %s %s: %v", f.Name, f.Target, err)
			}
			did = "mend " + f.Name + " " + f.Target
		}
	case 3:
		if d, ok := apiserverGet(c, "web"); ok {
			next := d.DeepCopy()
			*next.Spec.Replicas = int32(1 + r.IntN(6))
			_, _ = c.Client().Update(next) // the API server may be down
			did = fmt.Sprintf("scale to %d", *next.Spec.Replicas)
		}
	case 4:
		all := podsOf(c, "web")
		if len(all) > 0 {
			pod := all[r.IntN(len(all))]
			_ = c.Client().Delete(pod, metav1.DeleteOptions{})
			did = "delete " + pod.Name
		}
	}
	by := time.Duration(1+r.IntN(1<<r.IntN(10))) * 613 * time.Millisecond
	pass(t, c, by)
	return fmt.Sprintf("%s; %s, then %v", c.Now().Format(time.TimeOnly), did, by)
}

// overfull is a node whose pods ask for more than it has; "": none is.
func overfull(c *Cluster) string {
	for n := range apiserver.List[*corev1.Node](c.Client(), "") {
		asked := int64(0)
		for p := range apiserver.PodsOn(c.Client(), n.Name) {
			if p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded {
				for _, x := range p.Spec.Containers {
					asked += x.Resources.Requests.Cpu().MilliValue()
				}
			}
		}
		if asked > n.Status.Allocatable.Cpu().MilliValue() {
			return n.Name
		}
	}
	return ""
}

// unwell is what is not as it should be in a cluster in which nothing is broken; "": nothing.
func unwell(c *Cluster) string {
	for n := range apiserver.List[*corev1.Node](c.Client(), "") {
		if nodeReady(c, n.Name) != corev1.ConditionTrue || len(n.Spec.Taints) > 0 {
			return fmt.Sprintf("%s: Ready %s, taints %v", n.Name, nodeReady(c, n.Name), n.Spec.Taints)
		}
	}
	for _, app := range []string{"web", "db"} {
		d, _ := apiserverGet(c, app)
		up := 0
		for _, p := range podsOf(c, app) {
			switch {
			case p.DeletionTimestamp != nil:
				return p.Name + " is still terminating"
			case p.Status.Phase == corev1.PodFailed: // evicted; it stays until someone looks
			case !isReady(p):
				return p.Name + " is not ready"
			default:
				up++
			}
		}
		if up != int(*d.Spec.Replicas) || d.Status.ReadyReplicas != *d.Spec.Replicas {
			return fmt.Sprintf("%s has %d pods, says %d, wants %d", app, up, d.Status.ReadyReplicas, *d.Spec.Replicas)
		}
		if app == "web" && endpoints(c, "") != up {
			return fmt.Sprintf("%d endpoints of %d pods", endpoints(c, ""), up)
		}
	}
	for _, p := range programs() {
		if !c.running(p) {
			return p + " does not run"
		}
	}
	return ""
}

// Whatever breaks, in whatever order, and is mended again: the workloads are whole in the end, no node was ever given
// more than it has, nothing moves any more, and a cluster that was saved and loaded on the way is the same to the byte.
func TestAnyHistoryOfFaultsEndsWell(t *testing.T) {
	lives := 12
	if testing.Short() {
		lives = 6
	}
	for seed := range uint64(lives) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			live(t, seed)
		})
	}
}

func live(t *testing.T, seed uint64) {
	var cs [2]*Cluster
	var whims [2]*rand.Rand
	for i := range cs {
		cs[i] = newCluster(t, Config{Seed: seed, Nodes: nodes(4), Members: int(1 + 2*(seed%3))})
		whims[i] = rand.New(rand.NewPCG(seed, 3))
		create(t, cs[i], deployment("web", 3, "1200m"))
		create(t, cs[i], deployment("db", 2, "500m"))
		create(t, cs[i], &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}}})
		pass(t, cs[i], time.Minute)
	}
	kept, when := disk{}, rand.New(rand.NewPCG(seed, 4))
	var told []string
	for range 30 {
		told = append(told, whim(t, cs[0], whims[0]))
		whim(t, cs[1], whims[1])
		if when.IntN(3) == 0 {
			kept.save(t, cs[1])
			cs[1] = kept.load(t)
		}
		if n := overfull(cs[0]); n != "" {
			t.Fatalf("%s has more pods than it can hold, after %q", n, told)
		}
	}
	for i, c := range cs {
		for _, kind := range faultKinds() {
			if err := c.Mend(kind.name, All); err != nil && !errors.Is(err, ErrWhole) {
				t.Fatal(err)
			}
		}
		if !c.Until(time.Hour, func() bool { return unwell(c) == "" }) {
			t.Fatalf("cluster %d: %s, after %q", i, unwell(c), told)
		}
		pass(t, c, 3*time.Hour) // until the last event is forgotten
		if why := unwell(c); why != "" {
			t.Fatalf("cluster %d was well, and then %s, after %q", i, why, told)
		}
	}
	before := cs[0].Server().Revision()
	pass(t, cs[0], 20*time.Minute)
	pass(t, cs[1], 20*time.Minute)
	if now := cs[0].Server().Revision(); now != before {
		t.Errorf("%d revisions were written while nothing happened: %v", now-before, slices.Collect(lastWrites(cs[0], before)))
	}
	whole := disk{}
	whole.save(t, cs[0])
	kept.save(t, cs[1])
	same(t, seed, whole, kept)
}

// lastWrites are the steps that wrote since a revision.
func lastWrites(c *Cluster, since int64) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, s := range c.Trace().Steps() {
			if s.Revision > since && !yield(fmt.Sprintf("%s %s %s/%s", s.Actor, s.Kind, s.Object.Kind, s.Object.Name)) {
				return
			}
		}
	}
}
