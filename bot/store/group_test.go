package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"timonier/bot"
)

// crew is so many channels of ten servers, each of which commits what a command changes (a dozen records of
// a cluster, and the reply), waits until it is kept, and commits again.
type crew struct {
	store    *Store
	versions []uint64
	value    []byte
}

func newCrew(t testing.TB, channels int) *crew {
	s, _ := temp(t)
	return &crew{store: s, versions: make([]uint64, channels), value: bytes.Repeat([]byte("r"), 400)}
}

// commit is the next one of a channel.
func (c *crew) commit(channel int) error {
	scope := bot.Scope{Platform: "slack", Tenant: fmt.Sprint("school-", channel%10), Channel: fmt.Sprint(channel)}
	base := c.versions[channel]
	w := bot.Write{Scope: scope, Base: base}
	for i := range uint64(12) { // the clock and the like, and the revisions of the last while
		key := fmt.Sprintf("cluster/0/%02d", i)
		if i > 3 {
			key = fmt.Sprintf("cluster/0/rev/%03d", (base*8+i)%200)
		}
		w.Changes = append(w.Changes, bot.Record{Key: key, Value: c.value})
	}
	a := bot.Answer{Scope: scope, Request: fmt.Sprint(channel, "-", base), At: start, Reply: c.value}
	c.versions[channel]++
	return c.store.Commit(ctx, bot.Commit{Writes: []bot.Write{w}, Answers: []bot.Answer{a}})
}

// work has all channels commit until there have been n.
func (c *crew) work(t testing.TB, n int) (took []time.Duration) {
	var left atomic.Int64
	left.Store(int64(n))
	var mu sync.Mutex
	var all sync.WaitGroup
	for channel := range c.versions {
		all.Go(func() {
			var mine []time.Duration
			for left.Add(-1) >= 0 {
				began := time.Now()
				if err := c.commit(channel); err != nil {
					t.Error(err)
					return
				}
				mine = append(mine, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
		})
	}
	all.Wait()
	slices.Sort(took)
	return took
}

// syncs is how often a second a page is kept by the disk alone, as bbolt writes it.
func syncs(t testing.TB, long time.Duration) float64 {
	f, err := os.Create(filepath.Join(t.TempDir(), "sync"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	n, began := 0, time.Now()
	for ; n == 0 || time.Since(began) < long; n++ {
		page[0] = byte(n)
		if _, err := f.WriteAt(page, int64(n%64)*4096); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	return float64(n) / time.Since(began).Seconds()
}

// BenchmarkGroupCommit: commits a second of channels that wait for nothing but the disk, how many of them a
// transaction holds, and what share that is of what the disk alone allows in the same run: fsyncs a second
// ÷ 2 (bbolt's pages, then its meta page) × channels.
func BenchmarkGroupCommit(b *testing.B) {
	for _, channels := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprint("channels=", channels), func(b *testing.B) {
			c := newCrew(b, channels)
			c.work(b, 2*channels)
			rate, before := syncs(b, 200*time.Millisecond), c.store.Transactions()
			runtime.GC()
			b.ResetTimer()
			took := c.work(b, b.N)
			b.StopTimer()
			rate = (rate + syncs(b, 200*time.Millisecond)) / 2
			commits := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(commits, "commits/s")
			b.ReportMetric(float64(b.N)/float64(c.store.Transactions()-before), "together")
			b.ReportMetric(rate, "fsyncs/s")
			b.ReportMetric(commits/(rate/2*float64(channels)), "of-limit")
			b.ReportMetric(float64(took[len(took)/2])/1e6, "ms-p50")
			b.ReportMetric(float64(took[len(took)*99/100])/1e6, "ms-p99")
		})
	}
}
