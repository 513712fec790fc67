package sim

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"timonier/sim/apiserver"
)

// disk is what a store would hold of a cluster.
type disk map[string][]byte

func (d disk) save(t testing.TB, c *Cluster) {
	t.Helper()
	records, err := c.Changes()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Value == nil {
			delete(d, r.Key)
		} else {
			d[r.Key] = r.Value
		}
	}
	c.Saved()
}

func (d disk) records() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, k := range slices.Sorted(maps.Keys(d)) {
			if !yield(k, d[k]) {
				return
			}
		}
	}
}

func (d disk) load(t testing.TB) *Cluster {
	t.Helper()
	c, err := Load(d.records(), Config{Images: images(t)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// act does one thing that a learner might, by the generator's whim.
func act(t testing.TB, c *Cluster, r *rand.Rand, i int) {
	t.Helper()
	app := fmt.Sprintf("app-%d", r.IntN(3))
	d, there := apiserverGet(c, app)
	switch kind := r.IntN(8); {
	case !there:
		create(t, c, deployment(app, int32(1+r.IntN(5)), fmt.Sprintf("%dm", 100*(1+r.IntN(20)))))
	case kind == 0:
		if err := c.Client().Delete(d, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	case kind <= 2:
		next := d.DeepCopy()
		*next.Spec.Replicas = int32(r.IntN(6))
		update(t, c, next)
	case kind <= 4:
		next := d.DeepCopy()
		next.Spec.Template.Spec.Containers[0].Image = []string{"nginx:1.28", "nginx:1.29", "nginx:nope", "busybox:1.36", "redis:7"}[r.IntN(5)]
		update(t, c, next)
	case kind == 5:
		node := fmt.Sprintf("node-%d", 1+r.IntN(3))
		if err := c.Break(NodeSilent, node); errors.Is(err, ErrBroken) {
			err = c.Mend(NodeSilent, node)
			if err != nil {
				t.Fatal(err)
			}
		} else if err != nil {
			t.Fatal(err)
		}
	}
	by := time.Duration(r.IntN(1<<r.IntN(10))) * 997 * time.Millisecond
	if err := c.AdvanceTo(c.Now().Add(by)); err != nil {
		t.Fatal(err)
	}
}

// Two clusters live the same life; one of them is saved, dropped and loaded at any moment. Both end in the same
// bytes: objects, revisions, clock, agenda, generator and trace.
func TestTheSameLifeGivesTheSameBytes(t *testing.T) {
	lives := 12
	if testing.Short() {
		lives = 3
	}
	for seed := range uint64(lives) {
		a, b := newCluster(t, Config{Seed: seed}), newCluster(t, Config{Seed: seed})
		whims, when := [2]*rand.Rand{rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 1))}, rand.New(rand.NewPCG(seed, 2))
		diskA, diskB := disk{}, disk{}
		for i := range 40 {
			act(t, a, whims[0], i)
			act(t, b, whims[1], i)
			if when.IntN(3) == 0 {
				diskB.save(t, b)
				b = diskB.load(t)
			}
		}
		diskA.save(t, a)
		diskB.save(t, b)
		same(t, seed, diskA, diskB)
	}
}

func same(t *testing.T, seed uint64, a, b disk) {
	t.Helper()
	for _, k := range slices.Sorted(maps.Keys(a)) {
		if !bytes.Equal(a[k], b[k]) {
			t.Fatalf("seed %d, %s:\n%s\nafter loading:\n%s", seed, k, clip(a[k]), clip(b[k]))
		}
	}
	if len(a) != len(b) {
		t.Errorf("seed %d: %d records, after loading %d", seed, len(a), len(b))
	}
}

func clip(b []byte) string { return string(b[:min(len(b), 6000)]) }

func TestLoadRefusesWhatItCannotRead(t *testing.T) {
	c := newCluster(t, Config{})
	create(t, c, deployment("web", 2, "100m"))
	c.Until(time.Minute, func() bool { return ready(c, "web") == 2 })
	whole := disk{}
	whole.save(t, c)
	anyWith := func(prefix string) string {
		for _, k := range slices.Sorted(maps.Keys(whole)) {
			if strings.HasPrefix(k, prefix) {
				return k
			}
		}
		t.Fatalf("no record %s", prefix)
		return ""
	}
	newer := map[string]any{}
	if err := json.Unmarshal(whole[stateKey], &newer); err != nil {
		t.Fatal(err)
	}
	newer["version"] = stateVersion + 1
	newerState, _ := json.Marshal(newer)
	for name, c := range map[string]struct {
		key   string
		value []byte
		is    error
	}{
		"newer state":   {stateKey, newerState, ErrNewer},
		"torn state":    {stateKey, whole[stateKey][:20], nil},
		"torn step":     {anyWith(tracePrefix), []byte(`{"id":`), nil},
		"torn revision": {anyWith(etcdPrefix), []byte("torn"), nil},
		"strange":       {"what/is/this", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			broken := maps.Clone(whole)
			broken[c.key] = c.value
			_, err := Load(broken.records(), Config{})
			if err == nil || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v", err)
			}
			if c.key != stateKey && err != nil && !strings.Contains(err.Error(), c.key) && !strings.Contains(err.Error(), "etcd") {
				t.Errorf("%v does not say which record", err)
			}
		})
	}
	none := maps.Clone(whole)
	delete(none, stateKey)
	if _, err := Load(none.records(), Config{}); err == nil {
		t.Error("a cluster without its state was loaded")
	}
}

// A cluster that an older program saved has none of what came later. It gets that once, and keeps all it had.
func TestAClusterOfAnOlderProgramCatchesUp(t *testing.T) {
	c := newCluster(t, Config{Images: images(t)})
	create(t, c, deployment("web", 2, "100m"))
	c.Until(time.Minute, func() bool { return ready(c, "web") == 2 })
	later := func() (all []apiserver.Object) {
		for _, r := range apiserver.DefaultClusterRoles() {
			all = append(all, r)
		}
		all = append(all, standardClass())
		for _, p := range programs() {
			all = append(all, leaseOf(p, "", 0, c.Now()))
		}
		return all
	}
	for _, o := range later() {
		if err := c.Client().Delete(o, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	c.components[electionName].Resync()
	c.agenda.Drop(electionName) // the holders do not write their leases anew
	d := disk{}
	d.save(t, c)
	state := map[string]any{}
	if err := json.Unmarshal(d[stateKey], &state); err != nil {
		t.Fatal(err)
	}
	state["version"] = 1
	d[stateKey], _ = json.Marshal(state)
	delete(d, etcdPrefix+hex.EncodeToString([]byte("raft")))

	fresh := d.load(t)
	if step, was := fresh.Trace().Last(), c.Trace().Last(); step != was {
		t.Errorf("the trace ends with step %d, and ended with %d", step, was)
	}
	if n := len(fresh.Etcd().Members); n != 3 {
		t.Errorf("etcd has %d members", n)
	}
	missing := func(c *Cluster) (n int) {
		for _, o := range later() {
			if _, err := c.server.Client(serverUser()).Create(o); err == nil {
				n++
			}
		}
		return n
	}
	d.save(t, fresh)
	again := d.load(t)
	for name, c := range map[string]*Cluster{"at once": fresh, "after it was saved": again} {
		if n := missing(c); n > 0 {
			t.Errorf("%s: %d of what newer clusters have are missing", name, n)
		}
		if ready(c, "web") != 2 || !c.running(schedulerName) {
			t.Errorf("%s: %d pods of 2, the scheduler runs: %v", name, ready(c, "web"), c.running(schedulerName))
		}
	}
}

// What is saved must not grow with what is over: steps that are no longer kept, revisions that were compacted.
func TestRecordsOfAQuietClusterDoNotGrow(t *testing.T) {
	c, d := newCluster(t, Config{}), disk{}
	create(t, c, deployment("web", 3, "100m"))
	sizes := []int{}
	for range 6 {
		for i := range 20 {
			dep, _ := apiserverGet(c, "web")
			next := dep.DeepCopy()
			*next.Spec.Replicas = int32(1 + i%3)
			update(t, c, next)
			if err := c.AdvanceTo(c.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			d.save(t, c)
		}
		if err := c.AdvanceTo(c.Now().Add(3 * time.Hour)); err != nil {
			t.Fatal(err)
		}
		d.save(t, c)
		sizes = append(sizes, len(d))
	}
	if sizes[5] > sizes[1]+10 {
		t.Errorf("records after each round: %v", sizes)
	}
	if n := apiserver.Count[*corev1.Event](c.Client()); n != 0 {
		t.Errorf("%d events are older than three hours", n)
	}
}
