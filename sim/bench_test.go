package sim

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"timonier/sim/apiserver"
	"timonier/sim/kubelet"
)

func nodes(n int) []kubelet.NodeSpec {
	var specs []kubelet.NodeSpec
	for i := range n {
		specs = append(specs, kubelet.NodeSpec{Name: fmt.Sprintf("node-%d", i+1), Index: i + 1})
	}
	return specs
}

// A Deployment of 1,000 replicas on 50 nodes, from its creation to all Running and ready. Bar: 250 ms of processor time.
func BenchmarkThousandReplicas(b *testing.B) {
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		c := newCluster(b, Config{Nodes: nodes(50)})
		runtime.GC()
		before := cpuTime()
		b.StartTimer()
		create(b, c, deployment("web", 1000, "10m"))
		if !c.Until(10*time.Minute, func() bool { return ready(c, "web") == 1000 }) {
			b.Fatal("not all became ready")
		}
		used += cpuTime() - before
	}
	b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "cpu-ms/op")
}

// A day in which nobody does anything: 100 nodes, nothing to do but live.
func BenchmarkIdleDay(b *testing.B) {
	c := newCluster(b, Config{Nodes: nodes(100), Limits: apiserver.Limits{Nodes: 100}})
	for b.Loop() {
		if err := c.AdvanceTo(c.Now().Add(24 * time.Hour)); err != nil {
			b.Fatal(err)
		}
	}
}

// A day of 100 nodes with 1,000 running pods, that nobody disturbs. Bar: 1 s.
func BenchmarkDayOfAThousandPods(b *testing.B) {
	c := newCluster(b, Config{Nodes: nodes(100), Limits: apiserver.Limits{Nodes: 100}})
	create(b, c, deployment("web", 1000, "10m"))
	if !c.Until(10*time.Minute, func() bool { return ready(c, "web") == 1000 }) {
		b.Fatal("not all became ready")
	}
	var used time.Duration
	for b.Loop() {
		began := cpuTime()
		if err := c.AdvanceTo(c.Now().Add(24 * time.Hour)); err != nil {
			b.Fatal(err)
		}
		used += cpuTime() - began
	}
	b.ReportMetric(float64(used.Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// What a thousand pods that run take of the heap, with their events and all that is kept of how they came to be: just then, and
// two hours later, when that is forgotten.
func BenchmarkMemoryOfPods(b *testing.B) {
	const count = 1000
	var fresh, settled uint64
	var n uint64
	for b.Loop() {
		c := newCluster(b, Config{Nodes: nodes(50)})
		before := heap()
		create(b, c, deployment("web", count, "10m"))
		if !c.Until(10*time.Minute, func() bool { return ready(c, "web") == count }) {
			b.Fatal("not all became ready")
		}
		disk{}.save(b, c)
		fresh += heap() - before
		if err := c.AdvanceTo(c.Now().Add(2 * time.Hour)); err != nil {
			b.Fatal(err)
		}
		disk{}.save(b, c)
		settled += heap() - before
		n++
		runtime.KeepAlive(c)
	}
	b.ReportMetric(float64(fresh)/float64(n*count), "B/pod-fresh")
	b.ReportMetric(float64(settled)/float64(n*count), "B/pod-settled")
}

// loadedStates are the three states of a loaded channel's cluster of three nodes and ten pods. made: it has just come up,
// and was saved, as after every command. loaded: it was read back from what was saved. settled: half an hour later, when
// etcd has forgotten how it came up. The catalogue of images, which all channels share, is not counted.
func loadedStates(t testing.TB) map[string]func(seed int) *Cluster {
	images := images(t)
	made := func(seed int) *Cluster {
		c, err := New(Config{Seed: uint64(seed), Images: images})
		if err != nil {
			t.Fatal(err)
		}
		create(t, c, deployment("web", 10, "100m"))
		if !c.Until(time.Minute, func() bool { return ready(c, "web") == 10 }) {
			t.Fatal("not all became ready")
		}
		return c
	}
	saved := disk{}
	saved.save(t, made(0))
	return map[string]func(int) *Cluster{
		"made": func(seed int) *Cluster {
			c := made(seed)
			disk{}.save(t, c)
			return c
		},
		"loaded": func(int) *Cluster {
			c, err := Load(saved.records(), Config{Images: images})
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
		"settled": func(seed int) *Cluster {
			c := made(seed)
			if err := c.AdvanceTo(c.Now().Add(30 * time.Minute)); err != nil {
				t.Fatal(err)
			}
			disk{}.save(t, c)
			return c
		},
	}
}

// heapOf is what one of twenty clusters takes, in bytes.
func heapOf(cluster func(seed int) *Cluster) float64 {
	var kept [20]*Cluster
	cluster(0) // what is made once in a process is not counted
	before := heap()
	for i := range kept {
		kept[i] = cluster(i)
	}
	after := heap()
	runtime.KeepAlive(kept)
	return float64(int64(after-before)) / float64(len(kept))
}

func BenchmarkLoadedCluster(b *testing.B) {
	states := loadedStates(b)
	for _, name := range slices.Sorted(maps.Keys(states)) {
		b.Run(name, func(b *testing.B) {
			total := 0.0
			for b.Loop() {
				total += heapOf(states[name])
			}
			b.ReportMetric(total/float64(b.N)/1000, "kB/cluster")
		})
	}
}

// A loaded channel's cluster takes 300 kB at the most, however it came to be in memory.
func TestALoadedClusterIsSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("measured without the race detector")
	}
	for name, state := range loadedStates(t) {
		if n := heapOf(state) / 1000; n > 300 || n < 100 {
			t.Errorf("%s: %.0f kB", name, n)
		} else {
			t.Logf("%s: %.0f kB", name, n)
		}
	}
}

// How long a cluster takes to be read back.
func BenchmarkLoad(b *testing.B) {
	load := loadedStates(b)["loaded"]
	for b.Loop() {
		load(0)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A command's bookkeeping: what it takes to know what changed, for a cluster of ten pods.
func BenchmarkChanges(b *testing.B) {
	c := newCluster(b, Config{})
	create(b, c, deployment("web", 10, "100m"))
	c.Until(time.Minute, func() bool { return ready(c, "web") == 10 })
	c.Saved()
	for b.Loop() {
		if _, err := c.Changes(); err != nil {
			b.Fatal(err)
		}
	}
}
