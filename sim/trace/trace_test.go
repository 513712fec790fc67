package trace

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

func TestRecorderKeepsTheLatest(t *testing.T) {
	r := &Recorder{Limit: 5}
	for i := 1; i <= 40; i++ {
		if id := r.Add(Step{Actor: strconv.Itoa(i)}); id != uint64(i) {
			t.Fatalf("step %d has ID %d", i, id)
		}
		steps := r.Steps()
		if len(steps) != min(i, 5) || steps[len(steps)-1].Actor != strconv.Itoa(i) || steps[0].ID != uint64(max(1, i-4)) {
			t.Fatalf("after %d: %v", i, steps)
		}
		if s, ok := r.Step(uint64(i)); !ok || s.Actor != strconv.Itoa(i) {
			t.Fatalf("step %d: %v %v", i, s, ok)
		}
		if _, ok := r.Step(uint64(i - 5)); ok {
			t.Fatalf("step %d is still there after %d", i-5, i)
		}
	}
	if _, ok := r.Step(41); ok {
		t.Error("a step that was never taken")
	}
}

func TestChainsFollowCauses(t *testing.T) {
	r := &Recorder{}
	asked := r.Add(Step{Kind: Asked})
	if before := r.Because(asked); before != 0 {
		t.Errorf("cause before: %d", before)
	}
	first := r.Add(Step{Kind: Committed})
	r.Add(Step{Kind: Committed})
	third := r.Add(Step{Kind: Started, Cause: first})
	var kinds []Kind
	for _, s := range r.Chain(third) {
		kinds = append(kinds, s.Kind)
	}
	if !slices.Equal(kinds, []Kind{Asked, Committed, Started}) {
		t.Errorf("chain: %v", kinds)
	}
}

func TestUnsavedAndLoad(t *testing.T) {
	r := &Recorder{Limit: 4}
	for range 3 {
		r.Add(Step{})
	}
	r.Saved()
	r.Add(Step{Actor: "x"})
	if u := r.Unsaved(); len(u) != 1 || u[0].Actor != "x" {
		t.Errorf("unsaved: %v", u)
	}
	for range 10 {
		r.Add(Step{})
	}
	if u := r.Unsaved(); len(u) != 4 {
		t.Errorf("of what is not kept nothing can be saved: %v", u)
	}
	loaded := &Recorder{Limit: 4}
	loaded.Load(r.Steps(), r.Last())
	if len(loaded.Unsaved()) != 0 || loaded.Last() != 14 || loaded.Add(Step{}) != 15 || len(loaded.Steps()) != 4 {
		t.Errorf("loaded: %+v", loaded)
	}
}

// What is packed is there as it was, under the same IDs, whatever is asked for.
func TestPackedStepsAreTheSame(t *testing.T) {
	codec := Codec{
		Encode: func(s Step) ([]byte, error) { return json.Marshal(s) },
		Decode: func(id uint64, data []byte) (s Step) {
			if err := json.Unmarshal(data, &s); err != nil || s.ID != id {
				t.Errorf("step %d: %v, %v", id, s, err)
			}
			return s
		},
	}
	whole, packed := &Recorder{Limit: 100}, &Recorder{Limit: 100, Codec: codec}
	var encoded []Encoded
	for i := range 400 {
		s := Step{Actor: strconv.Itoa(i), Kind: Committed, Cause: uint64(i/3*2 + i%2)}
		whole.Add(s)
		id := packed.Add(s)
		data, _ := json.Marshal(packed.From(id)[0])
		encoded = append(encoded, Encoded{id, data})
		if i%7 == 0 {
			whole.Saved()
			packed.Saved()
			if len(packed.steps) >= packSize {
				t.Fatalf("%d steps lie about unpacked", len(packed.steps))
			}
		}
		loaded := &Recorder{Limit: 100, Codec: codec}
		loaded.LoadEncoded(encoded, id)
		from := uint64(max(0, i-i%110))
		for _, r := range []*Recorder{packed, loaded} {
			if r.First() != whole.First() || !slices.Equal(r.Steps(), whole.Steps()) || !slices.Equal(r.From(from), whole.From(from)) ||
				!slices.Equal(r.Chain(id), whole.Chain(id)) {
				t.Fatalf("after %d: from %d, %v\nwant %v", i, r.First(), r.Steps(), whole.Steps())
			}
		}
		if !slices.Equal(packed.Unsaved(), whole.Unsaved()) {
			t.Fatalf("after %d unsaved: %v\nwant %v", i, packed.Unsaved(), whole.Unsaved())
		}
	}
}

// Kinds is what every lens is checked against: a kind that it forgets would never be told.
func TestKindsListsEveryKind(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "trace.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []Kind
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Kind" {
				value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared = append(declared, Kind(value))
			}
		}
		return true
	})
	if !slices.Equal(declared, Kinds()) {
		t.Errorf("declared %v\nlisted   %v", declared, Kinds())
	}
}
