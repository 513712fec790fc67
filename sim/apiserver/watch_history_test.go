package apiserver

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// change is one event of a watch.
type change struct {
	kind, name, version string
}

func (w *watching) changes() (all []change) {
	w.t.Helper()
	for frame := w.Next(); frame != nil; frame = w.Next() {
		var e struct {
			Type   string
			Object metav1.PartialObjectMetadata
		}
		if err := json.Unmarshal(frame, &e); err != nil {
			w.t.Fatalf("%v: %s", err, frame)
		}
		all = append(all, change{e.Type, e.Object.Name, e.Object.ResourceVersion})
	}
	return all
}

// history writes at random, and keeps what a watch of ConfigMaps has to deliver.
type history struct {
	*world
	rng    *rand.Rand
	alive  map[string]bool
	wanted []change
}

// write makes one change, to a ConfigMap or to something that no watch of ConfigMaps is about.
func (h *history) write(t *testing.T) {
	t.Helper()
	name := fmt.Sprintf("cm-%d", h.rng.IntN(5))
	before := h.store.Rev()
	kind, method, body := "", "", ""
	switch n := h.rng.IntN(10); {
	case n == 0: // a change beside
		h.call("POST "+pods, `{"metadata":{"generateName":"p-"},"spec":{"containers":[{"name":"c","image":"i"}]}}`)
		return
	case !h.alive[name]:
		kind, method, body = "ADDED", "POST "+configMaps, fmt.Sprintf(`{"metadata":{"name":%q}}`, name)
	case n < 3:
		kind, method = "DELETED", "DELETE "+configMaps+"/"+name
	default:
		kind, method, body = "MODIFIED", "PATCH "+configMaps+"/"+name, fmt.Sprintf(`{"data":{"n":"%d"}}`, h.rng.Int())
	}
	if a := h.call(method, mergePatchFor(method), body); a.code >= 300 {
		t.Fatalf("%s: %d %s", method, a.code, a.body)
	}
	if now := h.store.Rev(); now != before+1 {
		t.Fatalf("%s moved the store from revision %d to %d", method, before, now)
	}
	h.alive[name] = kind != "DELETED"
	h.wanted = append(h.wanted, change{kind, name, fmt.Sprint(before + 1)})
}

func mergePatchFor(method string) string {
	if strings.HasPrefix(method, "PATCH") {
		return mergePatch
	}
	return ""
}

// A watch delivers every revision exactly once and in order, whenever it began, however seldom it is read, and wherever
// it is taken up again after it broke.
func TestWatchDeliversEveryRevisionOnce(t *testing.T) {
	type reader struct {
		*watching
		from int // of what is wanted
		got  []change
	}
	for seed := range uint64(20) {
		h := &history{world: newWorld(t, Limits{}), rng: rand.New(rand.NewPCG(seed, 3)), alive: map[string]bool{}}
		var readers []*reader
		for range 300 {
			h.write(t)
			if h.rng.IntN(12) == 0 {
				target := fmt.Sprintf("%s?watch=true&resourceVersion=%d", configMaps, h.store.Rev())
				readers = append(readers, &reader{watching: h.watch(t, target), from: len(h.wanted)})
			}
			for _, r := range readers {
				if h.rng.IntN(9) > 0 {
					continue
				}
				r.got = append(r.got, r.changes()...)
				if len(r.got) > 0 && h.rng.IntN(4) == 0 { // the connection breaks
					r.watching = h.watch(t, configMaps+"?watch=true&resourceVersion="+r.got[len(r.got)-1].version)
				}
			}
		}
		if len(readers) == 0 {
			t.Fatal("nobody watched")
		}
		for i, r := range readers {
			if got := append(r.got, r.changes()...); !slices.Equal(got, h.wanted[r.from:]) {
				t.Fatalf("seed %d, watch %d\ngot  %v\nwant %v", seed, i, got, h.wanted[r.from:])
			}
		}
	}
}

// A watch that is not read costs nothing but its place: what it has not taken stays in the store alone, until that is
// compacted. Then the watch ends with 410, and whoever reads it has to list again.
func TestSlowWatchGets410(t *testing.T) {
	h := &history{world: newWorld(t, Limits{}), rng: rand.New(rand.NewPCG(1, 3)), alive: map[string]bool{}}
	slow := h.watch(t, configMaps+"?watch=true&resourceVersion="+fmt.Sprint(h.store.Rev()))
	quick := h.watch(t, configMaps+"?watch=true&resourceVersion="+fmt.Sprint(h.store.Rev()))
	var taken []change
	for range 2000 {
		h.write(t)
		taken = append(taken, quick.changes()...)
	}
	if first := slow.Next(); len(first) == 0 {
		t.Fatal("nothing to read")
	}
	if n := len(slow.queue); n > 100 {
		t.Errorf("a watch of which one frame was read holds %d", n)
	}
	for range 1 + len(slow.queue) { // what it has taken already
		slow.Next()
	}
	if err := h.store.Compact(h.store.Rev()); err != nil {
		t.Fatal(err)
	}
	rest := slow.next()
	if i := strings.Index(rest, "ERROR 410 too old resource version"); i < 0 || !slow.Done() {
		t.Errorf("after a compaction it goes on: %.300s", rest)
	} else if n := strings.Count(rest[:i], ", "); n > 100 {
		t.Errorf("%d frames came before the 410", n)
	}
	if slow.Next() != nil {
		t.Error("it speaks after its end")
	}
	taken = append(taken, quick.changes()...)
	if !slices.Equal(taken, h.wanted) || quick.Done() {
		t.Error("the quick one has missed something")
	}
}
