package bot

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// alike is a store in which every channel has what the first one had; what is written to the others is
// dropped, so that it takes the same room however many there are.
type alike struct {
	*memory
	first Scope
}

func (a alike) Read(ctx context.Context, s Scope, prefix string) ([]Record, uint64, error) {
	if s.Channel != "" {
		s = a.first
	}
	return a.memory.Read(ctx, s, prefix)
}

func (a alike) Commit(context.Context, Commit) error { return nil }

func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// visitChannel asks something of a channel, and waits until it has been weighed.
func visitChannel(t testing.TB, tutor *Tutor, channel, line string) string {
	t.Helper()
	var last Reply
	err := tutor.Handle(t.Context(), Request{Platform: "test", Channel: channel, Who: Person{ID: "amina"}, Locale: "fr", Line: line}, func(r Reply) { last = r })
	if err != nil {
		t.Fatal(err)
	}
	return plainText(last)
}

// visited makes a tutor whose store holds one channel with a few pods, and every other like it.
func visited(t testing.TB, limits Limits) *Tutor {
	kept := newMemory()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	limits.Rates = Unlimited()
	cfg := Config{Store: kept, Limits: limits, Now: func() time.Time { return now }}
	first := New(cfg)
	visitChannel(t, first, "first", "/kubectl create deployment web --image=nginx --replicas=5")
	now = now.Add(time.Minute)
	visitChannel(t, first, "first", "/kubectl get pods")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Store = alike{kept, Scope{Platform: "test", Channel: "first"}}
	tutor := New(cfg)
	t.Cleanup(func() { tutor.Close() })
	return tutor
}

// settled waits until no channel is at work, and says what is in memory.
func settled(t testing.TB, tutor *Tutor) (channels int, weight, sum int64) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; runtime.Gosched() {
		tutor.mu.Lock()
		channels, weight, sum = len(tutor.lanes), tutor.weight, 0
		busy := tutor.idle.Len() != channels
		for _, ln := range tutor.lanes {
			sum += ln.weight
		}
		tutor.mu.Unlock()
		if !busy {
			return channels, weight, sum
		}
		if time.Now().After(end) {
			t.Fatal("a channel is still at work")
		}
	}
}

// walkChannels visits so many channels in turn, and says how the heap has grown between the first tenth and the end.
func walkChannels(t testing.TB, tutor *Tutor, channels int) (grown int64) {
	t.Helper()
	var before int64
	for i := range channels {
		if i == channels/10 {
			settled(t, tutor)
			before = heapNow()
		}
		if got := visitChannel(t, tutor, fmt.Sprint("c", i), "/kubectl get deployments"); !strings.Contains(got, "5/5") {
			t.Fatalf("channel %d: %s", i, got)
		}
	}
	settled(t, tutor)
	return heapNow() - before
}

// However many channels are visited in turn, those in memory stay under the bound, and the heap stays flat.
func TestMemoryIsBounded(t *testing.T) {
	const bound = 8 << 20
	tutor := visited(t, Limits{Memory: bound})
	start := heapNow()
	grown := walkChannels(t, tutor, 250)
	channels, weight, sum := settled(t, tutor)
	if weight > bound || weight != sum || weight < bound/2 || channels < 5 || channels > 100 {
		t.Errorf("%d channels of %d bytes, counted as %d, where %d are allowed", channels, sum, weight, bound)
	}
	if takes := heapNow() - start; takes > 3*bound || grown > bound {
		t.Errorf("%d bytes of heap, of which %d after the bound was reached", takes, grown)
	}
}

func BenchmarkTenThousandChannels(b *testing.B) {
	for b.Loop() {
		tutor := visited(b, Limits{Memory: 64 << 20})
		start := heapNow()
		grown := walkChannels(b, tutor, 10_000)
		channels, weight, _ := settled(b, tutor)
		b.ReportMetric(float64(heapNow()-start)/1e6, "heap-MB")
		b.ReportMetric(float64(grown)/1e6, "grown-MB")
		b.ReportMetric(float64(weight)/1e6, "counted-MB")
		b.ReportMetric(float64(channels), "channels")
	}
}

// A channel that has left memory comes back as it was, in the middle of what it was doing.
func TestChannelComesBackTheSame(t *testing.T) {
	small, large := newStage(t, "fr"), newStage(t, "fr")
	small.tutor.cfg.Limits.Memory = 1
	for i, line := range []string{
		"/kubectl create deployment web --image=nginx --replicas=4", "/kubectl get pods -o yaml", "/panne noeud node-2", "/temps avance 10m",
		"/kubectl get pods -o wide", "/pourquoi", "/kubectl scale deployment web --replicas=2", "/kubectl get events", "/grappe", "/pourquoi",
	} {
		a, b := plainText(small.ask(line)), plainText(large.ask(line))
		if a != b {
			t.Errorf("%d %s: out of memory meanwhile\n%s\nin it\n%s", i, line, a, b)
		}
		if channels, weight, _ := settled(t, small.tutor); channels != 0 || weight != 0 {
			t.Fatalf("%d channels, %d bytes are in memory", channels, weight)
		}
	}
}
