package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// BenchmarkAgenda10000: how long a start takes to read when 10,000 channels want to be woken tomorrow, and how
// much of each is in memory then (B-each).
func BenchmarkAgenda10000(b *testing.B) {
	const channels = 10_000
	store, now := newMemory(), time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	w := Write{Scope: agendaScope()}
	for i := range channels {
		e := entry{Scope: Scope{Platform: "discord", Tenant: fmt.Sprint("100000000000000", i%100), Channel: fmt.Sprint("2000000000000", i)}, At: now.Add(21 * time.Hour)}
		data, err := json.Marshal(e)
		if err != nil {
			b.Fatal(err)
		}
		w.Changes = append(w.Changes, Record{agendaKey(e.Scope), data})
	}
	if err := store.Commit(b.Context(), Commit{Writes: []Write{w}}); err != nil {
		b.Fatal(err)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var each float64
	for b.Loop() {
		b.StopTimer()
		tutor := New(Config{Store: store, Now: func() time.Time { return now }})
		before := heap()
		b.StartTimer()
		next, err := tutor.SpeakNow(context.Background(), "discord", nil)
		b.StopTimer()
		if err != nil || !next.Equal(now.Add(21*time.Hour)) {
			b.Fatal(next, err)
		}
		each = float64(heap()-before) / channels
		runtime.KeepAlive(tutor)
		b.StartTimer()
	}
	b.ReportMetric(each, "B-each")
}
