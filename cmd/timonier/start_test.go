package main

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/store"
)

// BenchmarkStart is the time from starting the program to its first answer, with 1,000 channels
// in the file, each with a cluster of three nodes and ten pods. Bar: 300 ms to the first prompt,
// which comes before any answer. It writes ready-ms, the mean.
func BenchmarkStart(b *testing.B) {
	program, data := buildProgram(b), filepath.Join(b.TempDir(), "t.db")
	fill(b, data, 1000)
	b.ResetTimer()
	var ready time.Duration
	for b.Loop() {
		began := time.Now()
		p := start(b, program, data)
		p.ask("/aide", "/cours")
		ready += time.Since(began)
		b.StopTimer()
		p.end()
		b.StartTimer()
	}
	b.ReportMetric(float64(ready.Milliseconds())/float64(b.N), "ready-ms")
}

// fill puts the same cluster into many channels, as if each had made it.
func fill(b *testing.B, data string, channels int) {
	b.Helper()
	file, err := store.Open(b.Context(), data, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	tutor := bot.New(bot.Config{Store: file})
	first := bot.Request{Platform: "terminal", Tenant: "local", Channel: "terminal", Who: bot.Person{ID: "me"}, Direct: true}
	for i, line := range []string{"/kubectl create deployment web --image=nginx --replicas=10", "/temps avance 1m"} {
		first.ID, first.Line = fmt.Sprint(i), line
		if err := tutor.Handle(b.Context(), first, func(r bot.Reply) {
			if r.Failed {
				b.Fatalf("%s: %+v", line, r.Blocks)
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
	records, _, err := file.Read(b.Context(), first.Place().Scope(), "")
	if err != nil || len(records) == 0 {
		b.Fatalf("%d records: %v", len(records), err)
	}
	for i := range channels {
		scope := first.Place().Scope()
		scope.Channel = fmt.Sprintf("channel-%d", i)
		if err := file.Commit(b.Context(), bot.Commit{Writes: []bot.Write{{Scope: scope, Changes: records}}}); err != nil {
			b.Fatal(err)
		}
	}
	if err := tutor.Close(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
}
