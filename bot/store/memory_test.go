package store

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// The heap that one loaded channel takes in all, its lane, its records and its cluster: of 3 nodes and 10 pods after a few
// commands; the same an hour later; and after a whole day of a class. Idle: what is left of it when it has left memory.
func BenchmarkLoadedChannel(b *testing.B) {
	few := func(c *class, channel string) {
		for _, line := range []string{"/kubectl create deployment web --image=nginx --replicas=10", "/kubectl rollout status deployment/web",
			"/kubectl get pods", "/pourquoi"} {
			c.ask(c.request(channel, "prof", line))
			c.now = c.now.Add(10 * time.Second)
		}
	}
	b.Run("new", func(b *testing.B) { benchmarkChannels(b, 20, few) })
	b.Run("settled", func(b *testing.B) {
		benchmarkChannels(b, 20, func(c *class, channel string) {
			few(c, channel)
			c.now = c.now.Add(time.Hour)
			c.ask(c.request(channel, "prof", "/kubectl get pods"))
		})
	})
	b.Run("read", func(b *testing.B) {
		c := newClass(b)
		c.store.db.NoSync = true
		for i := range 20 {
			few(c, fmt.Sprint("c", i))
		}
		benchmarkMore(b, c, 20, func(c *class, channel string) { c.ask(c.request(channel, "prof", "/kubectl get pods")) })
	})
	b.Run("busy", func(b *testing.B) {
		benchmarkChannels(b, 3, func(c *class, channel string) { c.day(channel, rand.New(rand.NewPCG(3, 3)), 0) })
	})
}

func benchmarkChannels(b *testing.B, n int, use func(*class, string)) {
	c := newClass(b)
	c.store.db.NoSync = true // it is not the disk that is measured
	benchmarkMore(b, c, n, use)
}

// benchmarkMore reports what a channel takes, and what is left of each when its tutor is gone.
func benchmarkMore(b *testing.B, c *class, n int, use func(*class, string)) {
	var total, left int64
	for b.Loop() {
		c.begin()
		use(c, "first") // what is made once in a process is not counted
		before := heap()
		for i := range n {
			use(c, fmt.Sprint("c", i))
		}
		total += heap() - before
		if err := c.tutor.Close(); err != nil {
			b.Fatal(err)
		}
		runtime.KeepAlive(c)
		c.begin()
		use(c, "first")
		left += heap() - before
	}
	b.ReportMetric(float64(total)/float64(b.N*n)/1000, "kB/channel")
	b.ReportMetric(float64(left)/float64(b.N*n)/1000, "kB/idle")
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
