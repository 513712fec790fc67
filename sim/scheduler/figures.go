package scheduler

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// Figures are the figures of a score, packed: a trace keeps many verdicts, and nobody
// looks at most of them. Their JSON is that of a list of Figure. The zero value has none.
//
// Each is: the word of its name, the word of what it is of, the value as a varint, the ratio as a float64 where the
// name's byte has hasRatio. A word is its place in figureWords, or otherWord, its length as a uvarint, and itself.
type Figures string

const (
	otherWord = 0x7f
	hasRatio  = 0x80
)

// figureWords are the words that cost one byte, in the order in which they mostly follow each other. They are never
// saved: a new one may stand anywhere.
var figureWords = [...]string{
	"", "cpu", "memory",
	"capacity", "pod", "before", "requested", "fraction-before", "fraction", "result", "score-before", "score-after",
	"taint", "preference", "domains", "factor", "matching", "max-skew", "points", "size", "nodes", "all-nodes",
	"count", "sum", "min", "max", "images", "ignored", "kubernetes.io/hostname", "topology.kubernetes.io/zone",
}

// All are the figures, in their order.
func (f Figures) All() []Figure {
	var all []Figure
	for b := []byte(f); len(b) > 0; {
		var x Figure
		ratio := b[0]&hasRatio != 0
		b[0] &^= hasRatio
		x.Name, b = unpackWord(b)
		x.Of, b = unpackWord(b)
		n, size := binary.Varint(b)
		x.Value, b = n, b[size:]
		if ratio {
			x.Ratio = math.Float64frombits(binary.BigEndian.Uint64(b))
			b = b[8:]
		}
		all = append(all, x)
	}
	return all
}

func unpackWord(b []byte) (string, []byte) {
	if b[0] != otherWord {
		return figureWords[b[0]], b[1:]
	}
	n, size := binary.Uvarint(b[1:])
	b = b[1+size:]
	return string(b[:n]), b[n:]
}

// packFigures appends the packed figures.
func packFigures(b []byte, all []Figure) []byte {
	at := 0 // of the last name in figureWords
	for i := range all {
		f, from := &all[i], len(b)
		b, at = packWord(b, f.Name, at)
		if f.Ratio != 0 {
			b[from] |= hasRatio
		}
		b, _ = packWord(b, f.Of, 0)
		b = binary.AppendVarint(b, f.Value)
		if f.Ratio != 0 {
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(f.Ratio))
		}
	}
	return b
}

// packWord looks for the word from a place on, where it most likely is.
func packWord(b []byte, word string, from int) ([]byte, int) {
	for i := range figureWords {
		if at := (from + i) % len(figureWords); figureWords[at] == word {
			return append(b, byte(at)), at
		}
	}
	b = binary.AppendUvarint(append(b, otherWord), uint64(len(word)))
	return append(b, word...), from
}

// MarshalJSON is the list of the figures.
func (f Figures) MarshalJSON() ([]byte, error) { return json.Marshal(f.All()) }

// UnmarshalJSON reads such a list.
func (f *Figures) UnmarshalJSON(data []byte) error {
	var all []Figure
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("read figures: %w", err)
	}
	*f = Figures(packFigures(nil, all))
	return nil
}
