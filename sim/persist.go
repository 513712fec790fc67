package sim

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"timonier/sim/agenda"
	"timonier/sim/etcd"
	"timonier/sim/trace"
)

// Record is one entry of what survives of a cluster. A nil Value means: delete the key.
//
//	etcd/…   the store's own records (etcd.Record), the key in hexadecimal
//	trace/…  a step, by its ID in 16 hexadecimal digits, as JSON
//	state    clock, agenda, generator, faults, what components remember, as JSON
type Record struct {
	Key   string
	Value []byte
}

const (
	etcdPrefix  = "etcd/"
	tracePrefix = "trace/"
	stateKey    = "state"
)

// state is all that is neither in the store nor in the trace.
type state struct {
	Version    int                        `json:"version"`
	Agenda     agenda.State               `json:"agenda"`
	Random     []byte                     `json:"random"` // rand.PCG's own form
	LastStep   uint64                     `json:"lastStep"`
	CompactTo  int64                      `json:"compactTo"`
	Leaseless  bool                       `json:"leaseless,omitempty"`
	Faults     []Fault                    `json:"faults,omitempty"`
	Components map[string]json.RawMessage `json:"components,omitempty"` // encoding/json sorts the keys
}

// stateVersion is raised when an older program could not read a state.
//
//	1  one etcd without members; no leases of programs, roles or storage classes
//	2  etcd has members
const stateVersion = 2

// ErrNewer says that a cluster was saved by a newer program.
var ErrNewer = fmt.Errorf("cluster was saved by a newer version")

// savedMarks are what Saved was told of.
type savedMarks struct {
	firstStep uint64 // the oldest step that is saved; 0: none
	lastStep  uint64
}

// saver is a component that remembers what no object says.
type saver interface {
	Save() any // JSON; equal states give equal JSON
	Load(json.RawMessage) error
}

// Changes are the records that differ from what Saved was last told of, each key
// once, in no order that matters. Written together they make the cluster whole again.
func (c *Cluster) Changes() ([]Record, error) {
	var records []Record
	for _, r := range c.store.Changes() {
		records = append(records, Record{etcdPrefix + hex.EncodeToString(r.Key), r.Value})
	}
	for _, s := range c.trace.Unsaved() {
		value, err := json.Marshal(s)
		if err != nil {
			return nil, fmt.Errorf("encode step %d: %w", s.ID, err)
		}
		records = append(records, Record{stepKey(s.ID), value})
	}
	for id := c.saved.firstStep; id != 0 && id < c.trace.First() && id <= c.saved.lastStep; id++ {
		records = append(records, Record{Key: stepKey(id)})
	}
	value, err := c.saveState()
	if err != nil {
		return nil, err
	}
	return append(records, Record{stateKey, value}), nil
}

func stepKey(id uint64) string { return fmt.Sprintf("%s%016x", tracePrefix, id) }

func (c *Cluster) saveState() ([]byte, error) {
	random, err := c.source.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("save generator: %w", err)
	}
	s := state{Version: stateVersion, Agenda: c.agenda.Save(), Random: random, LastStep: c.trace.Last(), CompactTo: c.compactTo, Leaseless: c.leaseless, Faults: c.faults}
	for name, x := range c.components {
		saver, ok := x.component.(saver)
		if !ok || x.stopped { // what a stopped program had in its memory is gone
			continue
		}
		value, err := json.Marshal(saver.Save())
		if err != nil {
			return nil, fmt.Errorf("save %s: %w", name, err)
		}
		if string(value) == "null" || string(value) == "{}" {
			continue
		}
		if s.Components == nil {
			s.Components = map[string]json.RawMessage{}
		}
		s.Components[name] = value
	}
	return json.Marshal(s)
}

// Saved says that the records of the last Changes are safe.
func (c *Cluster) Saved() {
	c.store.Saved()
	c.traceSaved()
}

func (c *Cluster) traceSaved() {
	c.trace.Saved()
	if first, last := c.trace.First(), c.trace.Last(); first <= last {
		c.saved = savedMarks{first, last}
	}
}

// Untraced are the records of a cluster, by key, without those of its trace: what they are of goes on as
// the cluster does, but remembers nothing of what happened.
func Untraced(records map[string][]byte) map[string][]byte {
	out := make(map[string][]byte, len(records))
	for key, value := range records {
		if !strings.HasPrefix(key, tracePrefix) {
			out[key] = value
		}
	}
	return out
}

// Load makes the cluster that the records are of. Of cfg only what is not part of a cluster's state counts:
// Images, Hollow, NodeMonitor, Limits, Tasks. A record that is damaged is an error that names it; ErrNewer is one too.
func Load(records iter.Seq2[string, []byte], cfg Config) (*Cluster, error) {
	c := &Cluster{cfg: cfg.withDefaults(), source: &rand.PCG{}}
	var st *state
	var steps []trace.Encoded
	var stored []etcd.Record
	for key, value := range records {
		var err error
		switch {
		case key == stateKey:
			st, err = readState(value)
		case strings.HasPrefix(key, tracePrefix):
			var s struct {
				ID uint64 `json:"id"`
			}
			err = json.Unmarshal(value, &s)
			steps = append(steps, trace.Encoded{ID: s.ID, Data: value})
		case strings.HasPrefix(key, etcdPrefix):
			var k []byte
			k, err = hex.DecodeString(strings.TrimPrefix(key, etcdPrefix))
			stored = append(stored, etcd.Record{Key: k, Value: value})
		default:
			err = fmt.Errorf("unknown record")
		}
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", key, err)
		}
	}
	if st == nil {
		return nil, fmt.Errorf("load %s: record is missing", stateKey)
	}
	return c, c.restore(st, steps, stored)
}

func (c *Cluster) restore(st *state, steps []trace.Encoded, stored []etcd.Record) (err error) {
	c.store, err = etcd.Load(func(yield func([]byte, []byte) bool) {
		for _, r := range stored {
			if !yield(r.Key, r.Value) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("load etcd: %w", err)
	}
	if err := c.source.UnmarshalBinary(st.Random); err != nil {
		return fmt.Errorf("load generator: %w", err)
	}
	c.agenda = agenda.New(st.Agenda.Now)
	c.faults, c.compactTo, c.leaseless = st.Faults, st.CompactTo, st.Leaseless
	if c.store.Members() == nil { // saved before etcd had any
		c.store.Form(c.cfg.Members, c.cfg.Seed)
	}
	if err := c.assemble(st.Components, &st.Agenda); err != nil {
		return err
	}
	c.store.Saved()
	if st.Version < stateVersion {
		c.upgrade()
	}
	// Last, as components may have added tasks while they looked around.
	c.agenda.Load(st.Agenda)
	slices.SortFunc(steps, func(a, b trace.Encoded) int { return int(int64(a.ID) - int64(b.ID)) })
	c.trace.LoadEncoded(steps, st.LastStep)
	c.traceSaved()
	return nil
}

func readState(value []byte) (*state, error) {
	var s state
	if err := json.Unmarshal(value, &s); err != nil {
		return nil, err
	}
	if s.Version > stateVersion {
		return nil, ErrNewer
	}
	return &s, nil
}

// loadComponents has every component look around, then remember what no object says.
func (c *Cluster) loadComponents(states map[string]json.RawMessage) error {
	for _, name := range slices.Sorted(maps.Keys(c.components)) {
		x := c.components[name]
		if x.stopped {
			continue
		}
		x.Resync()
		if saver, ok := x.component.(saver); ok && states[name] != nil {
			if err := saver.Load(states[name]); err != nil {
				return fmt.Errorf("load %s: %w", name, err)
			}
		}
	}
	return nil
}
