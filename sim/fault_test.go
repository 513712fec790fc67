package sim

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
)

// whole says whether nothing is wrong: three replicas are ready, and no pod is on its way.
func whole(c *Cluster) bool {
	n := 0
	for pod := range apiserver.List[*corev1.Pod](c.Client(), "default") {
		if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning && pod.Status.Phase != corev1.PodFailed {
			return false
		}
		n++
	}
	return n >= 3 && ready(c, "web") == 3
}

// Each fault, at each of its targets, for a quarter of an hour: the cluster lives through it, also when it is saved and
// loaded in the middle, and is whole again some time after.
func TestEveryFaultBreaksAndMends(t *testing.T) {
	up := newCluster(t, Config{})
	create(t, up, deployment("web", 3, "500m"))
	if !up.Until(time.Minute, func() bool { return whole(up) }) {
		t.Fatalf("%q", pods(up))
	}
	start := disk{}
	start.save(t, up)
	for _, kind := range faultKinds() {
		for _, target := range append(kind.targets(up), All) {
			t.Run(kind.name+" "+target, func(t *testing.T) {
				c, kept := start.load(t), maps.Clone(start)
				if err := c.Break(kind.name, target); err != nil {
					t.Fatal(err)
				}
				if err := c.Break(kind.name, target); target != Active && !errors.Is(err, ErrBroken) {
					t.Errorf("broken again: %v", err)
				}
				broken := c.Faults()
				for range 3 {
					if err := c.AdvanceTo(c.Now().Add(5 * time.Minute)); err != nil {
						t.Fatal(err)
					}
					kept.save(t, c)
					c = kept.load(t)
				}
				if len(broken) == 0 || len(c.Faults()) < len(broken) {
					t.Errorf("broken %v, after loading %v", broken, c.Faults())
				}
				if err := c.Mend(kind.name, All); err != nil {
					t.Fatal(err)
				}
				if err := c.Mend(kind.name, target); !errors.Is(err, ErrWhole) {
					t.Errorf("mended again: %v", err)
				}
				if !c.Until(20*time.Minute, func() bool { return whole(c) }) {
					t.Errorf("not whole again: %q", pods(c))
				}
			})
		}
	}
}

func TestBreakRefusesWhatItDoesNotKnow(t *testing.T) {
	c := newCluster(t, Config{})
	for _, x := range []struct {
		fault, target string
		want          error
	}{
		{"nonsense", "node-1", ErrNoFault},
		{NodeSilent, "node-9", ErrNoTarget},
		{NodeSilent, "", ErrNoTarget},
		{APIServerDown, "node-1", ErrNoTarget},
		{SchedulerDown, "node-1", ErrNoTarget},
		{ImageCrash, "nginx", ErrNoTarget}, // no pod uses it
		{NodeSilent, Active, ErrNoTarget},
	} {
		if err := c.Break(x.fault, x.target); !errors.Is(err, x.want) {
			t.Errorf("%s %s: %v, want %v", x.fault, x.target, err, x.want)
		}
	}
	if err := c.Mend(NodeSilent, "node-1"); !errors.Is(err, ErrWhole) {
		t.Errorf("mending what is whole: %v", err)
	}
	if len(c.Faults()) != 0 {
		t.Errorf("%v", c.Faults())
	}
}

// annotate sets or, with "", removes an annotation of a node, as kubectl annotate does.
func annotate(t testing.TB, c *Cluster, node, value string) {
	t.Helper()
	n, ok := apiserver.Get[*corev1.Node](c.Client(), "", node)
	if !ok {
		t.Fatalf("no node %s", node)
	}
	next := n.DeepCopy()
	if next.Annotations[FaultAnnotation] = value; value == "" {
		delete(next.Annotations, FaultAnnotation)
	}
	update(t, c, next)
	if err := c.AdvanceTo(c.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
}

func TestANodeIsBrokenByItsAnnotation(t *testing.T) {
	c := newCluster(t, Config{})
	names := func() (all []string) {
		for _, f := range c.Faults() {
			all = append(all, f.Name+" "+f.Target)
		}
		return all
	}
	for _, step := range []struct {
		do   func() error
		set  string
		want []string
	}{
		{nil, "silent", []string{NodeSilent + " node-2"}},
		{nil, "nonsense", nil},
		{nil, "slow, disk-full", []string{NodeSlow + " node-2", NodeDiskFull + " node-2"}},
		{nil, "kubelet-down", []string{KubeletDown + " node-2"}},
		{nil, "off", []string{NodeOff + " node-2"}},
		{nil, "", nil},
		// What was broken otherwise is no business of an annotation's.
		{func() error { return c.Break(NodeSilent, "node-2") }, "silent", []string{NodeSilent + " node-2"}},
		{nil, "", []string{NodeSilent + " node-2"}},
		{func() error { return c.Mend(NodeSilent, "node-2") }, "silent", []string{NodeSilent + " node-2"}},
		{func() error { return c.Mend(NodeSilent, "node-2") }, "", nil},
	} {
		if step.do != nil {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
		}
		annotate(t, c, "node-2", step.set)
		if got := names(); !slices.Equal(got, step.want) {
			t.Errorf("annotated %q: %q, want %q", step.set, got, step.want)
		}
	}
}

func TestAnAnnotatedNodeIsLostAndComesBack(t *testing.T) {
	c, d := newCluster(t, Config{}), disk{}
	annotate(t, c, "node-2", "silent")
	if err := c.AdvanceTo(c.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	d.save(t, c)
	c = d.load(t)
	if got := nodeReady(c, "node-2"); got != corev1.ConditionUnknown {
		t.Errorf("silent for a minute: Ready is %s", got)
	}
	annotate(t, c, "node-2", "")
	if err := c.AdvanceTo(c.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := nodeReady(c, "node-2"); got != corev1.ConditionTrue {
		t.Errorf("a minute after: Ready is %s", got)
	}
}

func nodeReady(c *Cluster, node string) corev1.ConditionStatus {
	n, _ := apiserver.Get[*corev1.Node](c.Client(), "", node)
	for _, cond := range n.Status.Conditions {
		if cond.Type == corev1.NodeReady {
			return cond.Status
		}
	}
	return ""
}

// The provisioner of volumes is no part of the controller manager: a claim that is bound to it already gets its volume.
func TestTheProvisionerIsApart(t *testing.T) {
	for _, s := range newCluster(t, Config{}).components {
		if s.apart && s.program != "" {
			t.Errorf("%s stops with %s", s.name, s.program)
		}
	}
	c := newCluster(t, Config{})
	fail(t, c, ControllerManagerDown, All)
	var going []string
	for name, s := range c.components {
		if s.apart && !s.stopped {
			going = append(going, name)
		}
	}
	if len(going) == 0 {
		t.Error("nothing goes on without the controller manager")
	}
	fail(t, c, APIServerDown, All)
	pass(t, c, time.Minute)
	mend(t, c, APIServerDown, All)
	if c.components[going[0]].stopped {
		t.Errorf("%s does not come back", going[0])
	}
}
