package sim

import (
	"fmt"
	"runtime"
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

// The heap that one loaded channel's cluster holds: three nodes, ten pods; the catalogue of images, which all
// channels share, not counted. made: it has just come up. loaded: it was saved then, and read back. settled: half an
// hour later, when etcd has forgotten how it came up.
func BenchmarkLoadedCluster(b *testing.B) {
	images := images(b)
	up := func(b *testing.B, seed int) *Cluster {
		c, err := New(Config{Seed: uint64(seed), Images: images})
		if err != nil {
			b.Fatal(err)
		}
		create(b, c, deployment("web", 10, "100m"))
		if !c.Until(time.Minute, func() bool { return ready(c, "web") == 10 }) {
			b.Fatal("not all became ready")
		}
		return c
	}
	b.Run("made", func(b *testing.B) { benchmarkHeap(b, func(i int) *Cluster { return up(b, i) }) })
	b.Run("loaded", func(b *testing.B) {
		saved := disk{}
		saved.save(b, up(b, 0))
		benchmarkHeap(b, func(int) *Cluster {
			c, err := Load(saved.records(), Config{Images: images})
			if err != nil {
				b.Fatal(err)
			}
			return c
		})
	})
	b.Run("settled", func(b *testing.B) {
		benchmarkHeap(b, func(i int) *Cluster {
			c := up(b, i)
			if err := c.AdvanceTo(c.Now().Add(30 * time.Minute)); err != nil {
				b.Fatal(err)
			}
			disk{}.save(b, c)
			return c
		})
	})
}

// benchmarkHeap reports what one of twenty clusters takes.
func benchmarkHeap(b *testing.B, cluster func(i int) *Cluster) {
	var kept [20]*Cluster
	cluster(0) // what is made once in a process is not counted
	var total uint64
	for b.Loop() {
		before := heap()
		for i := range kept {
			kept[i] = cluster(i)
		}
		total += heap() - before
		runtime.KeepAlive(kept)
		clear(kept[:])
	}
	b.ReportMetric(float64(total)/float64(b.N*len(kept))/1000, "kB/cluster")
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
