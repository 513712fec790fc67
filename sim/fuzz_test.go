package sim

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"
)

// FuzzLoad: a cluster of which one record is damaged is an error that names it, or a cluster; never a panic, nor long.
func FuzzLoad(f *testing.F) {
	c, err := New(Config{Images: images(f), Seed: 1})
	if err != nil {
		f.Fatal(err)
	}
	create(f, c, deployment("a", 2, "100m"))
	if err := c.AdvanceTo(c.Now().Add(time.Minute)); err != nil {
		f.Fatal(err)
	}
	whole := disk{}
	whole.save(f, c)
	keys := slices.Sorted(maps.Keys(whole))
	for i, key := range keys {
		if i%(len(keys)/40+1) == 0 || key == stateKey {
			f.Add(uint16(i), uint16(len(whole[key])/2), []byte{'0'})
			f.Add(uint16(i), uint16(0), []byte("{}"))
		}
	}
	f.Fuzz(func(t *testing.T, which, at uint16, with []byte) {
		key := keys[int(which)%len(keys)]
		damaged := maps.Clone(whole)
		value := bytes.Clone(whole[key])
		if len(with) == 0 {
			delete(damaged, key)
		} else {
			n := int(at) % (len(value) + 1)
			damaged[key] = append(append(value[:n:n], with...), value[min(len(value), n+len(with)):]...)
		}
		began := time.Now()
		if c, err := Load(damaged.records(), Config{Images: images(t)}); err == nil {
			if _, err := c.Changes(); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
