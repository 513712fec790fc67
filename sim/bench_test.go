package sim

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"timonier/sim/kubelet"
)

func nodes(n int) []kubelet.NodeSpec {
	var specs []kubelet.NodeSpec
	for i := range n {
		specs = append(specs, kubelet.NodeSpec{Name: fmt.Sprintf("node-%d", i+1), Index: i + 1})
	}
	return specs
}

// A Deployment of 1,000 replicas on 50 nodes, from its creation to all Running and ready.
func BenchmarkThousandReplicas(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		c := newCluster(b, Config{Nodes: nodes(50)})
		b.StartTimer()
		create(b, c, deployment("web", 1000, "10m"))
		if !c.Until(10*time.Minute, func() bool { return ready(c, "web") == 1000 }) {
			b.Fatal("not all became ready")
		}
	}
}

// A day in which nobody does anything: 100 nodes, nothing to do but live.
func BenchmarkIdleDay(b *testing.B) {
	c := newCluster(b, Config{Nodes: nodes(50)})
	for b.Loop() {
		if err := c.AdvanceTo(c.Now().Add(24 * time.Hour)); err != nil {
			b.Fatal(err)
		}
	}
}

// The heap that one loaded channel's cluster holds: three nodes, ten pods.
func BenchmarkLoadedCluster(b *testing.B) {
	const n = 20
	var kept [n]*Cluster
	var total uint64
	for b.Loop() {
		before := heap()
		for i := range kept {
			kept[i] = newCluster(b, Config{Seed: uint64(i)})
			create(b, kept[i], deployment("web", 10, "100m"))
			kept[i].Until(time.Minute, func() bool { return ready(kept[i], "web") == 10 })
		}
		total += heap() - before
		runtime.KeepAlive(kept)
		kept = [n]*Cluster{}
	}
	b.ReportMetric(float64(total)/float64(b.N)/n/1024, "KiB/cluster")
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
