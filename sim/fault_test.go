package sim

import (
	"errors"
	"maps"
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
