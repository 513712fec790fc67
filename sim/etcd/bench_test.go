package etcd

import (
	"fmt"
	"testing"
)

func keys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("/registry/pods/default/web-%05d", i*7919%n)
	}
	return keys
}

func BenchmarkPut10000(b *testing.B) {
	ks, value := keys(10_000), make([]byte, 1000)
	b.ReportAllocs()
	for b.Loop() {
		s := New()
		for _, k := range ks {
			s.Put(k, value, 0)
		}
	}
}

func BenchmarkUpdate10000(b *testing.B) {
	ks, value, s := keys(1000), make([]byte, 1000), New()
	b.ReportAllocs()
	for b.Loop() {
		for range 10 {
			for _, k := range ks {
				s.Put(k, value, 0)
			}
		}
		s.Compact(s.Rev())
		s.Saved()
	}
}

func BenchmarkRange100(b *testing.B) {
	s := New()
	for _, k := range keys(100) {
		s.Put(k, nil, 0)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Range("/registry/pods/", PrefixEnd("/registry/pods/"), RangeOptions{})
	}
}

func BenchmarkLoad10000(b *testing.B) {
	s, file := New(), map[string][]byte{}
	for _, k := range keys(10_000) {
		s.Put(k, make([]byte, 1000), 0)
	}
	save(s, file)
	b.ReportAllocs()
	for b.Loop() {
		load(b, file)
	}
}
