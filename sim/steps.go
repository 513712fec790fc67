package sim

import (
	"encoding/json"
	"reflect"

	"timonier/sim/scheduler"
	"timonier/sim/trace"
)

// stepCodec is how steps are saved, and kept where they are safe: as JSON. A step whose detail is not of the shape that it
// should have, as of another version's, has none.
func stepCodec() trace.Codec {
	details := details()
	return trace.Codec{
		Encode: func(s trace.Step) ([]byte, error) { return json.Marshal(s) },
		Decode: func(id uint64, data []byte) trace.Step {
			s, _ := readStep(data, details)
			s.ID = id
			return s
		},
	}
}

// details say which struct a step's Detail is, by its kind.
func details() map[trace.Kind]func() any {
	return map[trace.Kind]func() any{
		trace.Asked:         detail[trace.Request],
		trace.Received:      detail[trace.Request],
		trace.Authenticated: detail[trace.Identity],
		trace.Decoded:       detail[trace.Defaults],
		trace.Mutated:       detail[trace.Admission],
		trace.Admitted:      detail[trace.Admission],
		trace.Committed:     detail[trace.Commit],
		trace.Refused:       detail[trace.Refusal],
		trace.Scheduled:     detail[scheduler.Verdict],
		trace.Unplaced:      detail[scheduler.Verdict],
		trace.Preempted:     detail[scheduler.Verdict],
		trace.Decided:       detail[trace.Decision],
		trace.Pulling:       detail[trace.Container],
		trace.Pulled:        detail[trace.Container],
		trace.Started:       detail[trace.Container],
		trace.Unready:       detail[trace.Container],
		trace.Exited:        detail[trace.Container],
		trace.Restarts:      detail[trace.Container],
		trace.Killing:       detail[trace.Container],
		trace.NodeLost:      detail[trace.NodeHealth],
		trace.NodeBack:      detail[trace.NodeHealth],
		trace.Pressed:       detail[trace.Pressure],
		trace.Relieved:      detail[trace.Pressure],
		trace.Evicted:       detail[trace.Pressure],
		trace.Elected:       detail[trace.Election],
		trace.Fault:         detail[trace.FaultChange],
		trace.Healed:        detail[trace.FaultChange],
		trace.LeaderElected: detail[trace.Members],
		trace.LeaderLost:    detail[trace.Members],
		trace.QuorumLost:    detail[trace.Members],
		trace.QuorumBack:    detail[trace.Members],
		trace.CaughtUp:      detail[trace.Members],
		trace.Compacted:     detail[trace.Members],
		trace.NoSpace:       detail[trace.Members],
		trace.Disarmed:      detail[trace.Members],
	}
}

func detail[T any]() any { return new(T) }

// readStep gives a step its Detail back as the type that it had: a verdict by pointer, all others by value.
func readStep(value []byte, details map[trace.Kind]func() any) (trace.Step, error) {
	var raw struct {
		trace.Step
		Detail json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(value, &raw); err != nil {
		return trace.Step{}, err
	}
	s := raw.Step
	s.Detail = nil
	fresh, known := details[s.Kind]
	if !known || len(raw.Detail) == 0 || string(raw.Detail) == "null" {
		return s, nil
	}
	d := fresh()
	if err := json.Unmarshal(raw.Detail, d); err != nil {
		return s, err
	}
	if v, ok := d.(*scheduler.Verdict); ok {
		s.Detail = v
	} else {
		s.Detail = reflect.ValueOf(d).Elem().Interface()
	}
	return s, nil
}
