package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
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

// BenchmarkReady is the time from starting the program until it says that it is ready: serving a local
// Discord and a local Slack, with so many channels in the file, each with a cluster of three nodes and ten
// pods, and as many people. Bar: 500 ms with 10,000. It writes ready-ms, the mean, fastest-ms, and cpu-ms,
// what all of the process took up to its end; and, of the program at rest, resident-MB, file-MB and heap-KB: what is left of the heap after a collection.
func BenchmarkReady(b *testing.B) {
	for _, channels := range []int{0, 1000, 10_000} {
		b.Run(fmt.Sprint("channels=", channels), func(b *testing.B) {
			r := rehearsed(b)
			fill(b, r.data, channels)
			var sum, fastest time.Duration
			var resident float64
			var worked time.Duration
			b.ResetTimer()
			for b.Loop() {
				began := time.Now()
				r.launch()
				for !answersReady(r.listen) {
					if time.Since(began) > time.Minute {
						b.Fatalf("not ready\n%s", r.log)
					}
				}
				took := time.Since(began)
				sum += took
				if fastest == 0 || took < fastest {
					fastest = took
				}
				b.StopTimer()
				resident = r.figure("process_resident_memory_bytes")
				program := r.cmd
				r.stop()
				worked += program.ProcessState.UserTime() + program.ProcessState.SystemTime()
				b.StartTimer()
			}
			info, err := os.Stat(r.data)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(sum.Milliseconds())/float64(b.N), "ready-ms")
			b.ReportMetric(float64(fastest.Milliseconds()), "fastest-ms")
			b.ReportMetric(float64(worked.Milliseconds())/float64(b.N), "cpu-ms")
			b.ReportMetric(resident/1e6, "resident-MB")
			b.ReportMetric(float64(info.Size())/1e6, "file-MB")
			b.ReportMetric(float64(heapAtRest(b, r.data))/1e3, "heap-KB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func answersReady(address string) bool {
	resp, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		time.Sleep(time.Millisecond) // it does not listen yet
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusOK
}

// heapAtRest is how many bytes a tutor on a file keeps while nobody uses it.
func heapAtRest(b *testing.B, data string) int64 {
	b.Helper()
	heap := func() int64 {
		var m runtime.MemStats
		for range 3 {
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	file, err := store.Open(b.Context(), data, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	tutor := bot.New(bot.Config{Store: file})
	if _, err := tutor.SpeakNow(b.Context(), "discord", nil); err != nil { // as a front end begins
		b.Fatal(err)
	}
	after := heap()
	if err := errors.Join(tutor.Close(), file.Close()); err != nil {
		b.Fatal(err)
	}
	runtime.KeepAlive(tutor)
	return after - before
}

// fill puts the same cluster into many channels of a hundred servers, and the same places in the course to as
// many people, as if each had made it; and into the terminal's.
func fill(b *testing.B, data string, channels int) {
	b.Helper()
	file, err := store.Open(b.Context(), data, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	tutor := bot.New(bot.Config{Store: file})
	first := bot.Request{Platform: "terminal", Tenant: "local", Channel: "terminal", Who: bot.Person{ID: "me"}, Direct: true}
	ask := func(r bot.Request, line string) {
		r.ID, r.Line = line, line
		if err := tutor.Handle(b.Context(), r, func(r bot.Reply) {
			if r.Failed {
				b.Fatalf("%s: %+v", line, r.Blocks)
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
	if channels > 0 {
		for _, line := range []string{"/kubectl create deployment web --image=nginx --replicas=10", "/temps avance 1m", "/cours 1.1", "/réglages langue fr"} {
			ask(first, line)
		}
	}
	read := func(s bot.Scope) []bot.Record {
		records, _, err := file.Read(b.Context(), s, "")
		if err != nil || len(records) == 0 && channels > 0 {
			b.Fatalf("%d records: %v", len(records), err)
		}
		return records
	}
	cluster, person := read(first.Place().Scope()), read(bot.Scope{Platform: first.Platform, Tenant: first.Tenant, Person: first.Who.ID})
	var some bot.Commit
	for i := range channels {
		server := bot.Scope{Platform: "discord", Tenant: fmt.Sprint("server-", i%100)}
		there, who := server, server
		there.Channel, who.Person = fmt.Sprint("channel-", i), fmt.Sprint("person-", i)
		some.Writes = append(some.Writes, bot.Write{Scope: there, Changes: cluster}, bot.Write{Scope: who, Changes: person})
		if len(some.Writes) == 100 || i == channels-1 {
			if err := file.Commit(b.Context(), some); err != nil {
				b.Fatal(err)
			}
			some.Writes = nil
		}
	}
	if channels > 0 { // they are whole
		there := bot.Request{Platform: "discord", Tenant: "server-7", Channel: "channel-107", Who: bot.Person{ID: "person-107"}}
		ask(there, "/kubectl rollout status deployment/web")
	}
	if err := errors.Join(tutor.Close(), file.Close()); err != nil {
		b.Fatal(err)
	}
}
