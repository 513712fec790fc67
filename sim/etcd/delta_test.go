package etcd

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func FuzzDifference(f *testing.F) {
	spec := strings.Repeat("image nginx, port 80, ", 20)
	f.Add([]byte(nil), []byte(nil))
	f.Add([]byte(spec), []byte(spec))
	f.Add([]byte(spec), []byte("ready, "+spec+"running"))
	f.Add([]byte(spec+spec), []byte(spec[:100]+"other"+spec[50:]))
	f.Add(bytes.Repeat([]byte("a"), 100), bytes.Repeat([]byte("a"), 1000))
	f.Fuzz(func(t *testing.T, base, value []byte) {
		d := difference(base, value)
		v := version{KV: KV{Value: d}, base: &version{KV: KV{Value: base}}}
		if got := v.value(); !bytes.Equal(got, value) || v.length() != len(value) {
			t.Fatalf("%q over %q is %q of length %d", d, base, got, v.length())
		}
	})
}

// History that is safe is kept as differences: a pod that is written ten times does not take ten times its size.
func TestHistoryIsKeptAsDifferences(t *testing.T) {
	s := New()
	var want [30]string
	for i := range want {
		want[i] = fmt.Sprintf("pod web, condition %d, %s", i, strings.Repeat(fmt.Sprintf("volume, %d, ", i/20), 200))
		if _, err := s.Put("pod", []byte(want[i]), 0); err != nil {
			t.Fatal(err)
		}
	}
	held := func() (n int) {
		for _, v := range s.log {
			n += len(v.Value)
		}
		return n
	}
	before := held()
	s.Saved()
	if after := held(); after > before/4 {
		t.Errorf("%d bytes of %d are held", after, before)
	}
	for i, text := range want {
		got, err := s.Range("pod", "", RangeOptions{Rev: int64(i + 2)})
		if err != nil || len(got.KVs) != 1 || string(got.KVs[0].Value) != text {
			t.Fatalf("at %d: %v, %v", i+2, got, err)
		}
	}
	w, err := s.Watch("pod", "", 2)
	if err != nil {
		t.Fatal(err)
	}
	events, err := w.Next(0)
	if err != nil || len(events) != len(want) {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for i, e := range events {
		if string(e.KV.Value) != want[i] || i > 0 && string(e.Prev.Value) != want[i-1] {
			t.Fatalf("event %d: %s", i, e.KV.Value)
		}
	}
}
