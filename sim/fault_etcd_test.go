package sim

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"timonier/sim/apiserver"
	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// kindsSince are the kinds of the members' steps since one, in order.
func kindsSince(c *Cluster, from uint64) (kinds []trace.Kind) {
	for _, s := range c.trace.Steps() {
		if _, ok := s.Detail.(trace.Members); ok && s.ID > from && s.Kind != trace.Compacted {
			kinds = append(kinds, s.Kind)
		}
	}
	return kinds
}

// What goes on and what stops with each fault of etcd, and what its trace says: row by row. A Deployment is scaled up
// in the middle; the pods that ran before run on, whatever is broken.
func TestWhatGoesOnWithoutEtcd(t *testing.T) {
	for _, row := range []struct {
		name    string
		members int
		faults  [][2]string
		writes  bool // after a while
		told    []trace.Kind
		mended  []trace.Kind
	}{
		{"a follower stopped", 3, [][2]string{{EtcdStopped, "etcd-3"}}, true, nil, []trace.Kind{trace.CaughtUp}},
		{"the leader stopped", 3, [][2]string{{EtcdStopped, "etcd-1"}}, true, []trace.Kind{trace.LeaderElected}, []trace.Kind{trace.CaughtUp}},
		{"two of three stopped", 3, [][2]string{{EtcdStopped, "etcd-2"}, {EtcdStopped, "etcd-3"}}, false,
			[]trace.Kind{trace.QuorumLost, trace.LeaderLost}, []trace.Kind{trace.QuorumBack, trace.LeaderElected}},
		{"the only member stopped", 1, [][2]string{{EtcdStopped, "etcd-1"}}, false, []trace.Kind{trace.QuorumLost}, []trace.Kind{trace.QuorumBack, trace.LeaderElected}},
		{"a follower cut off", 3, [][2]string{{EtcdPartitioned, "etcd-2"}}, true, nil, []trace.Kind{trace.CaughtUp}},
		{"the leader cut off", 3, [][2]string{{EtcdPartitioned, "etcd-1"}}, true, nil, nil},
		{"two of five cut off", 5, [][2]string{{EtcdPartitioned, "etcd-1,etcd-2"}}, true, nil, nil},
		{"each of three alone", 3, [][2]string{{EtcdPartitioned, "etcd-1"}, {EtcdPartitioned, "etcd-2"}}, false, nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCluster(t, Config{Members: row.members})
			create(t, c, deployment("web", 2, "100m"))
			if !c.Until(time.Minute, func() bool { return ready(c, "web") == 2 }) {
				t.Fatal("it does not come up")
			}
			running := pods(c)
			from := c.trace.Last()
			for _, f := range row.faults {
				if err := c.Break(f[0], f[1]); err != nil {
					t.Fatal(err)
				}
			}
			advance(t, c, 10*time.Minute)
			if c.store.Quorate() != row.writes || (c.Etcd().Leader != "") != row.writes {
				t.Errorf("%+v", c.Etcd())
			}
			if got := kindsSince(c, from); row.told != nil && !slices.Equal(got, row.told) {
				t.Errorf("told %v", got)
			}
			if !slices.Equal(pods(c), running) {
				t.Errorf("what ran does not run on: %q, then %q", running, pods(c))
			}
			d, _ := apiserverGet(c, "web")
			more := d.DeepCopy()
			*more.Spec.Replicas = 3
			if _, err := c.Client().Update(more); (err == nil) != row.writes {
				t.Errorf("write: %v", err)
			}
			kept := disk{}
			kept.save(t, c)
			c = kept.load(t)
			from = c.trace.Last()
			for _, f := range row.faults {
				if err := c.Mend(f[0], f[1]); err != nil {
					t.Fatal(err)
				}
			}
			advance(t, c, 30*time.Second)
			if got := kindsSince(c, from); row.mended != nil && !slices.Equal(got, row.mended) {
				t.Errorf("mended, told %v", got)
			}
			if !row.writes {
				d, _ := apiserverGet(c, "web")
				more := d.DeepCopy()
				*more.Spec.Replicas = 3
				update(t, c, more)
			}
			if !c.Until(2*time.Minute, func() bool { return ready(c, "web") == 3 }) {
				t.Errorf("it does not go on: %q", pods(c))
			}
			for _, m := range c.Etcd().Members {
				if m.Behind != 0 || m.Partitioned || m.Role != string(etcd.Leader) && m.Role != string(etcd.Follower) {
					t.Errorf("%+v", m)
				}
			}
		})
	}
}

func advance(t testing.TB, c *Cluster, d time.Duration) {
	t.Helper()
	if err := c.AdvanceTo(c.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
}

// While there is no leader for a moment, components try again, and lose nothing.
func TestComponentsSurviveElections(t *testing.T) {
	c := newCluster(t, Config{})
	create(t, c, deployment("web", 20, "100m"))
	for i := range 12 {
		leader := c.Etcd().Leader
		if leader == "" {
			t.Fatalf("nobody leads: %+v", c.Etcd())
		}
		if err := c.Break(EtcdStopped, leader); err != nil {
			t.Fatal(err)
		}
		advance(t, c, time.Duration(1900+100*i)*time.Millisecond)
		if err := c.Mend(EtcdStopped, leader); err != nil {
			t.Fatal(err)
		}
		advance(t, c, 2*time.Second)
	}
	if !c.Until(5*time.Minute, func() bool { return ready(c, "web") == 20 && len(pods(c)) == 20 }) {
		t.Errorf("%d ready of %d", ready(c, "web"), len(pods(c)))
	}
}

// What is written past the API server it sees by its watch, and everybody who watches it.
func TestWhatIsWrittenPastTheAPIServerIsSeen(t *testing.T) {
	c := newCluster(t, Config{})
	create(t, c, deployment("web", 2, "100m"))
	c.Until(time.Minute, func() bool { return ready(c, "web") == 2 })
	was := pods(c)
	key := ""
	for p := range apiserver.List[*corev1.Pod](c.Client(), "default") {
		key = "/registry/pods/default/" + p.Name
	}
	from := c.trace.Last()
	c.AtEtcd(func(s *etcd.Store) {
		if _, deleted, err := s.Delete(key, ""); err != nil || len(deleted) != 1 {
			t.Fatalf("%d deleted, %v", len(deleted), err)
		}
	})
	if n := len(pods(c)); n != 1 {
		t.Errorf("the API server still has %d pods", n)
	}
	if s, ok := c.trace.Step(from + 1); !ok || s.Kind != trace.Committed || s.Actor != "etcd" {
		t.Errorf("%+v", s)
	}
	if !c.Until(time.Minute, func() bool { return ready(c, "web") == 2 }) || slices.Equal(pods(c), was) {
		t.Errorf("it was not replaced: %q", pods(c))
	}
}

// An idle cluster costs nothing for having members.
func TestMembersHaveNothingToDoWhileAllIsWell(t *testing.T) {
	c := newCluster(t, Config{Members: 5})
	create(t, c, deployment("web", 2, "100m"))
	advance(t, c, time.Hour)
	for _, task := range c.agenda.Tasks() {
		if task.Component == membersComponent {
			t.Errorf("%+v", task)
		}
	}
}

// A request that was given up may come true: the API server learns of it.
func TestWhatWasGivenUpComesTrueInTheAPIServer(t *testing.T) {
	c := newCluster(t, Config{})
	for _, name := range []string{"etcd-2", "etcd-3"} {
		if err := c.Break(EtcdStopped, name); err != nil {
			t.Fatal(err)
		}
	}
	d := deployment("late", 1, "100m")
	if _, err := c.Client().Create(d); err == nil {
		t.Fatal("created without a quorum")
	}
	if _, ok := apiserverGet(c, "late"); ok {
		t.Error("it is there already")
	}
	advance(t, c, time.Minute)
	kept := disk{}
	kept.save(t, c)
	c = kept.load(t)
	if err := c.Mend(EtcdStopped, "etcd-2"); err != nil {
		t.Fatal(err)
	}
	there := func() bool { _, ok := apiserverGet(c, "late"); return ok }
	if !c.Until(2*time.Minute, func() bool { return there() && ready(c, "late") == 1 }) {
		t.Errorf("it did not come true: %q", pods(c))
	}
}

func TestEtcdHasOneThreeOrFiveMembers(t *testing.T) {
	for n := range 8 {
		_, err := New(Config{Members: n})
		if ok := n == 0 || n == 1 || n == 3 || n == 5; (err == nil) != ok {
			t.Errorf("%d: %v", n, err)
		}
	}
}

// Without a quorum the API server still tells what it has at hand, to whom that is enough.
func TestWhatIsAtHandIsReadWithoutAQuorum(t *testing.T) {
	c := newCluster(t, Config{})
	for _, name := range []string{"etcd-1", "etcd-3"} {
		if err := c.Break(EtcdStopped, name); err != nil {
			t.Fatal(err)
		}
	}
	advance(t, c, 5*time.Second)
	for query, want := range map[string]int{"?resourceVersion=0": http.StatusOK, "": http.StatusGatewayTimeout} {
		got := httptest.NewRecorder()
		c.Server().Handler(Admin()).ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/api/v1/nodes"+query, nil))
		if got.Code != want {
			t.Errorf("%q: %d, not %d: %s", query, got.Code, want, got.Body)
		}
	}
}

// The same faults of members at the same moments give the same bytes, whether the cluster is saved and loaded between
// any two of them or not.
func TestFaultsOfEtcdGiveTheSameBytes(t *testing.T) {
	for seed := range uint64(6) {
		once, often := newCluster(t, Config{Seed: seed, Members: []int{3, 5}[seed%2]}), newCluster(t, Config{Seed: seed, Members: []int{3, 5}[seed%2]})
		kept := disk{}
		script := func(c *Cluster, r *rand.Rand, i int) {
			fault := []string{EtcdStopped, EtcdPartitioned, EtcdFull}[r.IntN(3)]
			targets := c.Targets(fault)
			target := targets[r.IntN(len(targets))]
			if err := c.Break(fault, target); err != nil {
				_ = c.Mend(fault, target) // it is broken already
			}
			_, _ = c.Client().Create(deployment(fmt.Sprint("app-", i), int32(r.IntN(3)), "10m")) // whether it comes through is a part of it
			advance(t, c, time.Duration(r.IntN(1<<r.IntN(16)))*time.Millisecond)
		}
		a, b := rand.New(rand.NewPCG(seed, 3)), rand.New(rand.NewPCG(seed, 3))
		for i := range 25 {
			script(once, a, i)
			script(often, b, i)
			kept.save(t, often)
			often = kept.load(t)
		}
		whole := disk{}
		whole.save(t, once)
		kept.save(t, often)
		same(t, seed, whole, kept)
	}
}
