package agenda

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func drain(a *Agenda, until time.Time) (done []string) {
	for {
		t, ok := a.Pop(until)
		if !ok {
			return done
		}
		done = append(done, fmt.Sprintf("%s %s %v", t.Component, t.Key, a.Now().Sub(start)))
	}
}

func TestTasksComeInOrderAndOnce(t *testing.T) {
	a := New(start)
	q, other := a.Queue("q"), a.Queue("other")
	q.Add("b", 2*time.Second)
	q.Add("a", time.Second)
	other.Add("a", time.Second)      // after q's: it was asked for later
	q.Add("b", 3*time.Second)        // later than it is due: nothing changes
	q.Add("c", 10*time.Second)       // and earlier: moved
	q.Add("c", 500*time.Millisecond) //
	q.Add("d", -time.Second)         // overdue is now
	q.Add("gone", time.Second)
	q.Cancel("gone")
	got := drain(a, start.Add(2*time.Second))
	want := []string{"q d 0s", "q c 500ms", "q a 1s", "other a 1s", "q b 2s"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if !a.Now().Equal(start.Add(2 * time.Second)) {
		t.Errorf("the clock stands at %v", a.Now())
	}
	if a.Pop(start); !a.Now().Equal(start.Add(2 * time.Second)) {
		t.Error("the clock went back")
	}
}

func TestRetriesBackOff(t *testing.T) {
	a := New(start)
	q := a.Queue("q")
	var delays []time.Duration
	for range 20 {
		before := a.Now()
		q.Retry("k")
		task, _ := a.Pop(start.Add(1000 * time.Hour))
		delays = append(delays, task.At.Sub(before))
	}
	for i, want := range map[int]time.Duration{0: 5 * time.Millisecond, 1: 10 * time.Millisecond, 10: 5120 * time.Millisecond, 19: 1000 * time.Second} {
		if delays[i] != want {
			t.Errorf("failure %d waits %v, want %v", i+1, delays[i], want)
		}
	}
	q.Forget("k")
	q.Retry("k")
	if at, _ := a.Next(); at.Sub(a.Now()) != 5*time.Millisecond {
		t.Errorf("after a success it waits %v", at.Sub(a.Now()))
	}
	a.Drop("q")
	own := a.Queue("own")
	own.Pace(time.Second, 5*time.Second)
	for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second} {
		before := a.Now()
		own.Retry("k")
		a.Pop(start.Add(2000 * time.Hour))
		if got := a.Now().Sub(before); got != want {
			t.Errorf("at its own pace it waits %v, want %v", got, want)
		}
	}
}

func TestDropForgetsOneComponent(t *testing.T) {
	a := New(start)
	a.Queue("kubelet/node-1").Add("x", 0)
	a.Queue("kubelet/node-10").Add("y", 0)
	a.Drop("kubelet/node-1")
	if got := drain(a, start); !slices.Equal(got, []string{"kubelet/node-10 y 0s"}) {
		t.Errorf("left: %q", got)
	}
	a.Queue("kubelet/node-1").Retry("x")
	a.Drop("kubelet/node-1")
	if s := a.Save(); len(s.Failures)+len(s.Tasks) > 0 {
		t.Errorf("left: %+v", s)
	}
}

func TestCauseIsThatOfTheEarliestWish(t *testing.T) {
	a := New(start)
	cause := uint64(7)
	a.Cause = func() uint64 { return cause }
	q := a.Queue("q")
	q.Add("k", time.Second)
	cause = 8
	q.Add("k", 2*time.Second)
	if got := a.Tasks()[0].Cause; got != 7 {
		t.Errorf("cause %d, want that of the wish that holds", got)
	}
	q.Add("k", 0)
	if got := a.Tasks()[0].Cause; got != 8 {
		t.Errorf("cause %d, want that of the wish that moved it", got)
	}
}

// Whatever was added, a copy made through JSON goes on alike, byte for byte.
func TestSaveAndLoadAtAnyPoint(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		a := New(start)
		twin := New(start)
		for i := range 200 {
			for _, x := range []*Agenda{a, twin} {
				q := x.Queue(fmt.Sprint("c", i%3))
				switch key := fmt.Sprint("k", i*7%11); i % 5 {
				case 0:
					q.Retry(key)
				case 1:
					q.Cancel(key)
				default:
					q.Add(key, time.Duration(i*i%97)*time.Second)
				}
			}
			if until := start.Add(time.Duration(i) * time.Second); r.IntN(4) == 0 {
				if got, want := drain(twin, until), drain(a, until); !slices.Equal(got, want) {
					t.Fatalf("seed %d, step %d: %q, want %q", seed, i, got, want)
				}
			}
			if r.IntN(10) == 0 {
				data, err := json.Marshal(twin.Save())
				if err != nil {
					t.Fatal(err)
				}
				var s State
				if err := json.Unmarshal(data, &s); err != nil {
					t.Fatal(err)
				}
				twin = New(time.Time{})
				twin.Load(s)
				again, _ := json.Marshal(twin.Save())
				if string(again) != string(data) {
					t.Fatalf("saved %s\nloaded %s", data, again)
				}
			}
		}
	}
}
