package trace

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"slices"
	"sync"
)

// Codec turns steps into bytes and back. A step is looked at by few, and rarely long after it was made, while a channel
// keeps hundreds, some with a scheduler's whole verdict.
type Codec struct {
	Encode func(Step) ([]byte, error)
	Decode func(id uint64, data []byte) Step // of what Encode gave, or Load was given
}

// Encoded is a step as a Codec has it.
type Encoded struct {
	ID   uint64
	Data []byte
}

// packSize is how many steps are packed together: enough that what they have in common is said once, and few enough that
// one is soon found.
const packSize = 32

// pack are packSize steps that follow each other: of each its ID's distance from the first one's, its length and its
// data; deflated.
type pack struct {
	first, last uint64
	data        []byte
}

// packAll packs the steps there are, but the latest, who are too few.
func (r *Recorder) packAll() {
	if r.Codec.Encode == nil || len(r.steps) < packSize {
		return
	}
	steps := r.steps[max(0, len(r.steps)-r.limit()):]
	for len(steps) >= packSize && r.packSteps(steps[:packSize]) {
		steps = steps[packSize:]
	}
	r.steps = slices.Clone(steps) // an array of its own, so that the long one goes
	first := r.First()
	gone := 0
	for gone < len(r.packed) && r.packed[gone].last < first {
		gone++
	}
	r.packed = slices.Delete(r.packed, 0, gone)
}

func (r *Recorder) packSteps(steps []Step) bool {
	all := make([]Encoded, len(steps))
	for i, s := range steps {
		data, err := r.Codec.Encode(s)
		if err != nil {
			return false // it stays as it is
		}
		all[i] = Encoded{s.ID, data}
	}
	return r.add(all)
}

// writers are spared: one takes 1.2 MB, more than all that it will ever pack of a channel.
var writers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // a valid level: no error
	return w
}}

// add packs steps behind those that are packed.
func (r *Recorder) add(steps []Encoded) bool {
	w := writers.Get().(*flate.Writer)
	defer writers.Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	p := pack{first: steps[0].ID, last: steps[len(steps)-1].ID}
	var head []byte
	for _, s := range steps {
		head = binary.AppendUvarint(head[:0], s.ID-p.first)
		head = binary.AppendUvarint(head, uint64(len(s.Data)))
		_, _ = w.Write(head) // into memory
		_, _ = w.Write(s.Data)
	}
	if w.Close() != nil {
		return false
	}
	p.data = bytes.Clone(out.Bytes())
	r.packed = append(r.packed, p)
	return true
}

// unpacked are the steps of a pack.
func (r *Recorder) unpacked(p *pack) []Step {
	data, err := io.ReadAll(flate.NewReader(bytes.NewReader(p.data)))
	if err != nil { // never: add has written it
		return nil
	}
	steps := make([]Step, 0, packSize)
	for len(data) > 0 {
		after, n := binary.Uvarint(data)
		length, m := binary.Uvarint(data[n:])
		data = data[n+m:]
		steps = append(steps, r.Codec.Decode(p.first+after, data[:length]))
		data = data[length:]
	}
	return steps
}
