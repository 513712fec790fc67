package store

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"timonier/bot"
)

// FuzzFile: whatever a data file has become, opening it and verifying it end soon, with an error or with findings, and
// take no more memory than the file is worth. What is changed is some bytes at some place of a file that was whole; a
// first page gets a right checksum where the fuzzer asks for it, as a torn page of which that held would.
func FuzzFile(f *testing.F) {
	path := filled(f, 2)
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	page := os.Getpagesize()
	for at := 0; at < len(whole); at += page {
		f.Add(uint32(at), []byte{0xFF}, false)
		f.Add(uint32(at+headerSize), []byte{0, 1, 2, 3, 4, 5, 6, 7, 8}, true)
	}
	f.Add(uint32(headerSize+40), []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, true) // pages without end
	f.Add(uint32(page+headerSize+40), []byte{0, 0, 0, 0, 0, 0, 0x10, 0}, true)                 // 2^52 of them: their bytes are 0 to 64 bits
	f.Add(uint32(headerSize+16), []byte{0xFF, 0xFF, 0xFF, 0xFF}, true)                         // the root
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, at uint32, with []byte, seal bool) {
		data := append([]byte(nil), whole...)
		if n := int(at) % len(data); len(with) == 0 {
			data = data[:n] // cut short
		} else {
			copy(data[n:], with)
		}
		for _, first := range []int{0, page} {
			if m := first + headerSize; seal && len(data) >= m+metaSize {
				sum := fnv.New64a()
				sum.Write(data[m : m+metaSize-8])
				binary.NativeEndian.PutUint64(data[m+metaSize-8:], sum.Sum64())
			}
		}
		path := filepath.Join(dir, "t.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		findings := 0
		_, err := Verify(ctx, path, Options{Wait: time.Millisecond}, func(Finding) { findings++ })
		var known *Error
		if err != nil && !errors.As(err, &known) {
			t.Errorf("verify: %v", err)
		}
		if findings > 100+len(data)/8 {
			t.Errorf("%d findings", findings)
		}
		if s, err := Open(ctx, path, Options{Wait: time.Millisecond}); err == nil {
			for _, scope := range []bot.Scope{{}, {Platform: "slack", Tenant: "school-1"}, {Platform: "discord", Tenant: "school-1", Channel: "0"}} {
				_, _, _ = s.Read(ctx, scope, "")
			}
			_ = s.Close()
		} else if !errors.As(err, &known) {
			t.Errorf("open: %v", err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
