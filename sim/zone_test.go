package sim

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
	"timonier/sim/kubelet"
)

// zoned are nodes of zones a, b …, so many in each: a-1, a-2 …
func zoned(counts ...int) (specs []kubelet.NodeSpec) {
	for z, n := range counts {
		zone := string(rune('a' + z))
		for i := range n {
			specs = append(specs, kubelet.NodeSpec{Name: fmt.Sprintf("%s-%d", zone, i+1), Index: len(specs) + 1,
				Labels: map[string]string{corev1.LabelTopologyZone: zone}})
		}
	}
	return specs
}

// tainted counts the nodes that are tainted NoExecute, which is what has their pods evicted.
func tainted(c *Cluster) (n int) {
	for node := range apiserver.List[*corev1.Node](c.Client(), "") {
		for _, t := range node.Spec.Taints {
			if t.Key == corev1.TaintNodeUnreachable && t.Effect == corev1.TaintEffectNoExecute {
				n++
			}
		}
	}
	return n
}

// How fast lost nodes are given up depends on how many of their zone are lost: SIMULATOR's figures, and
// pkg/controller/nodelifecycle, handleDisruption. lost and back are counts in each zone; want is how many nodes are
// tainted NoExecute some time after all were found to be lost.
func TestZones(t *testing.T) {
	for name, x := range map[string]struct {
		nodes, lost, back []int
		want              map[time.Duration]int // after the nodes are lost; where some come back, after that
	}{
		"one node":                           {[]int{3}, []int{1}, nil, map[time.Duration]int{5 * time.Second: 1, time.Minute: 1}},
		"one in ten seconds":                 {[]int{9}, []int{4}, nil, map[time.Duration]int{5 * time.Second: 1, 15 * time.Second: 2, 25 * time.Second: 3, time.Minute: 4}},
		"two of two zones at once":           {[]int{3, 3}, []int{1, 1}, nil, map[time.Duration]int{5 * time.Second: 2}},
		"two of three are no reason to stop": {[]int{3}, []int{2}, nil, map[time.Duration]int{time.Minute: 2}},
		"three of five are":                  {[]int{5}, []int{3}, nil, map[time.Duration]int{time.Minute: 0, time.Hour: 0}},
		"three of six are not":               {[]int{6}, []int{3}, nil, map[time.Duration]int{time.Minute: 3}},
		"and it goes on when one is back":    {[]int{5}, []int{3}, []int{1}, map[time.Duration]int{time.Minute: 2}},
		"a zone that is lost whole":          {[]int{3, 3}, []int{3, 0}, nil, map[time.Duration]int{time.Minute: 3}},
		"one partly, the other well":         {[]int{5, 5}, []int{3, 1}, nil, map[time.Duration]int{time.Minute: 1}},
		"everything":                         {[]int{3, 3}, []int{3, 3}, nil, map[time.Duration]int{time.Minute: 0, time.Hour: 0}},
		"everything, and one is back":        {[]int{3, 3}, []int{3, 3}, []int{0, 1}, map[time.Duration]int{time.Minute: 5}},
		"a large zone, one in a hundred":     {[]int{60}, []int{40}, nil, map[time.Duration]int{5 * time.Second: 1, 90 * time.Second: 1, 110 * time.Second: 2, 310 * time.Second: 4}},
		"fifty nodes are not a large zone":   {[]int{50}, []int{40}, nil, map[time.Duration]int{time.Hour: 0}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, Config{Nodes: zoned(x.nodes...), Hollow: true, Limits: apiserver.Limits{Nodes: 100}})
			each := func(counts []int, do func(fault, target string) error) {
				for z, n := range counts {
					for i := range n {
						if err := do(NodeSilent, fmt.Sprintf("%c-%d", 'a'+z, i+1)); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			// In an outage, so that all are found to be lost in one look: heartbeats come at moments of their own.
			fail(t, c, APIServerDown, All)
			pass(t, c, time.Minute)
			each(x.lost, c.Break)
			mend(t, c, APIServerDown, All)
			all := 0
			for _, n := range x.lost {
				all += n
			}
			if !c.Until(70*time.Second, func() bool {
				n := 0
				for node := range apiserver.List[*corev1.Node](c.Client(), "") {
					if nodeReady(c, node.Name) == corev1.ConditionUnknown {
						n++
					}
				}
				return n == all
			}) {
				t.Fatal("not all are lost")
			}
			if x.back != nil {
				pass(t, c, time.Minute)
				each(x.back, c.Mend)
			}
			began := c.Now()
			for _, after := range []time.Duration{5 * time.Second, 15 * time.Second, 25 * time.Second, time.Minute, 90 * time.Second, 110 * time.Second, 310 * time.Second, time.Hour} {
				want, ok := x.want[after]
				if !ok {
					continue
				}
				pass(t, c, began.Add(after).Sub(c.Now()))
				if got := tainted(c); got != want {
					t.Errorf("after %v %d nodes are given up, want %d", after, got, want)
				}
			}
		})
	}
}

// Someone who knows that a machine is off says so with a taint: its pods are removed for good at once, and a
// StatefulSet's is replaced, which otherwise waits for the node for ever (KEP 2268).
func TestOutOfService(t *testing.T) {
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"}, Spec: appsv1.StatefulSetSpec{
		Replicas: new(int32), ServiceName: "db", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "db"}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "redis:7"}}}}}}
	*set.Spec.Replicas = 1
	for _, knows := range []bool{false, true} {
		c := newCluster(t, Config{})
		create(t, c, set.DeepCopy())
		if !c.Until(time.Minute, func() bool { return running(c, "db-0") }) {
			t.Fatal("db-0 does not run")
		}
		before, _ := podNamed(c, "db-0")
		fail(t, c, NodeOff, before.Spec.NodeName)
		pass(t, c, 10*time.Minute)
		p, _ := podNamed(c, "db-0")
		if p.UID != before.UID || p.DeletionTimestamp == nil {
			t.Fatalf("after ten minutes it is replaced, or not even given up: %v", p.DeletionTimestamp)
		}
		if knows {
			n, _ := apiserver.Get[*corev1.Node](c.Client(), "", before.Spec.NodeName)
			n = n.DeepCopy()
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeOutOfService, Value: "nodeshutdown", Effect: corev1.TaintEffectNoExecute})
			update(t, c, n)
		}
		pass(t, c, time.Minute)
		p, ok := podNamed(c, "db-0")
		if replaced := ok && p.UID != before.UID && running(c, "db-0"); replaced != knows {
			t.Errorf("the taint is there: %v; replaced: %v", knows, replaced)
		}
	}
}
