package etcd

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// A value that a later one of its key has superseded is mostly what that one is: a pod's status is written five times
// while it comes up, and its spec, two kilobytes of it, never changes. Once such a version is safe it keeps how it
// differs from the later one instead: a tenth, as a rule.

const (
	// wholeEvery is how many versions of a key lie between two that stay whole, so that no value takes long to put
	// together again, however often its key is written.
	wholeEvery = 8
	// leastDiffed is the length from which on a value is worth the trouble.
	leastDiffed = 64
)

// pack has those versions keep a difference that a later version of their key, among those given, supersedes.
func pack(later []*version) {
	for _, v := range later {
		if old := v.prev; old != nil && !v.deleted && !v.gone {
			old.differFrom(v)
		}
	}
}

// differFrom keeps of v how it differs from a later version of its key.
func (v *version) differFrom(later *version) {
	if v.deleted || v.base != nil || v.Version%wholeEvery == 0 || len(v.Value) < leastDiffed {
		return
	}
	if d := difference(later.value(), v.Value); len(d) < len(v.Value)*3/4 {
		v.Value, v.base = d, later
	}
}

// value is the value of a version, whole.
func (v *version) value() []byte {
	if v.base == nil {
		return v.Value
	}
	return assemble(v.base.value(), v.Value)
}

// kv is a version as those outside see it.
func (v *version) kv() KV {
	kv := v.KV
	kv.Value = v.value()
	return kv
}

// length is that of the value.
func (v *version) length() int {
	if v.base == nil {
		return len(v.Value)
	}
	n := 0
	for d := v.Value; len(d) > 0; {
		var p part
		p, d = nextPart(d)
		n += p.length
	}
	return n
}

// part is a piece of a value: length bytes of the base from an offset on, or fresh ones.
type part struct {
	length, offset int
	fresh          []byte // nil: copied
}

// nextPart reads a part of a difference: its length, doubled, plus one where it is copied; then its offset in the base,
// or its bytes.
func nextPart(d []byte) (p part, rest []byte) {
	n, size := binary.Uvarint(d)
	d = d[size:]
	p.length = int(n >> 1)
	if n&1 == 1 {
		offset, size := binary.Uvarint(d)
		p.offset = int(offset)
		return p, d[size:]
	}
	p.fresh = d[:p.length]
	return p, d[p.length:]
}

// assemble is the value that differs from a base by d.
func assemble(base, d []byte) []byte {
	var parts [32]part
	all, n := parts[:0], 0
	for len(d) > 0 {
		var p part
		p, d = nextPart(d)
		all, n = append(all, p), n+p.length
	}
	value := make([]byte, 0, n)
	for _, p := range all {
		if p.fresh == nil {
			p.fresh = base[p.offset : p.offset+p.length]
		}
		value = append(value, p.fresh...)
	}
	return value
}

// block is the length of what difference looks for in the base.
const block = 8

// difference says how a value differs from a base. It looks for the value's blocks of eight bytes among those of the
// base that begin at a multiple of eight, and goes on from there to both sides, as LZ77 does.
func difference(base, value []byte) []byte {
	const bitsOfTable = 10
	var table [1 << bitsOfTable]int32 // place in the base, plus one
	slot := func(b []byte) uint64 {
		return binary.LittleEndian.Uint64(b) * 0x9e3779b97f4a7c15 >> (64 - bitsOfTable)
	}
	for i := 0; i+block <= len(base); i += block {
		table[slot(base[i:])] = int32(i + 1)
	}
	d := make([]byte, 0, len(value)/4)
	told := 0 // so much of the value is in d
	for i := 0; i+block <= len(value); {
		at := int(table[slot(value[i:])]) - 1
		if at < 0 || !bytes.Equal(base[at:at+block], value[i:i+block]) {
			i++
			continue
		}
		n := block + same(base[at+block:], value[i+block:])
		for i > told && at > 0 && base[at-1] == value[i-1] {
			i, at, n = i-1, at-1, n+1
		}
		d = appendFresh(d, value[told:i])
		d = binary.AppendUvarint(d, uint64(n)<<1|1)
		d = binary.AppendUvarint(d, uint64(at))
		i += n
		told = i
	}
	return bytes.Clone(appendFresh(d, value[told:]))
}

func appendFresh(d, fresh []byte) []byte {
	if len(fresh) == 0 {
		return d
	}
	return append(binary.AppendUvarint(d, uint64(len(fresh))<<1), fresh...)
}

// same is how many bytes two texts begin with in common.
func same(a, b []byte) (n int) {
	for len(a) >= 8 && len(b) >= 8 {
		if x := binary.LittleEndian.Uint64(a) ^ binary.LittleEndian.Uint64(b); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
		a, b, n = a[8:], b[8:], n+8
	}
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		n++
	}
	return n
}
