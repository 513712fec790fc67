package exchange

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"timonier/content"
)

// roundTrip writes questions, reads them, and compares.
func roundTrip(t *testing.T, items []*content.Item, f Format, o Options) {
	t.Helper()
	var out bytes.Buffer
	problems, err := Export(&out, f, items, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if p.Code != PredictionIsOne && p.Code != OrderIsMatching {
			t.Errorf("%s", p)
		}
	}
	r, err := Import(bytes.NewReader(out.Bytes()), f, o)
	if err != nil || r.Fault != nil {
		t.Fatalf("%v %v", err, r.Fault)
	}
	for _, p := range r.Refused {
		t.Errorf("refused: %s", p)
	}
	got := map[string]Taken{}
	for _, taken := range r.Taken {
		got[taken.Item.ID] = taken
	}
	for _, i := range items {
		want, g := asRead(i, o.Lang), got[i.ID]
		if g.Item == nil {
			t.Errorf("%s is not there", i.ID)
			continue
		}
		if !reflect.DeepEqual(g.Item, want) {
			a, _ := json.MarshalIndent(g.Item, "", " ")
			b, _ := json.MarshalIndent(want, "", " ")
			t.Errorf("%s %s: got\n%s\nwant\n%s", f, o.Lang, a, b)
		}
		for _, n := range g.Notes {
			if n.Code != PredictionIsOne {
				t.Errorf("%s: %s", i.ID, n)
			}
		}
	}
	if len(r.Taken) != len(items) {
		t.Errorf("%d of %d", len(r.Taken), len(items))
	}
	// What was read is written as before.
	var again bytes.Buffer
	if _, err := Export(&again, f, r.Items(), o); err != nil {
		t.Fatal(err)
	}
	r2, err := Import(&again, f, o)
	if err != nil || !reflect.DeepEqual(r2.Items(), r.Items()) {
		t.Errorf("a second time it is not the same: %v", err)
	}
}

// Export, then import, is the identity: of questions made to be hard, and of the whole bank.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for _, f := range Formats() {
		for _, l := range content.Langs() {
			t.Run(string(f)+" "+string(l), func(t *testing.T) {
				roundTrip(t, samples(), f, Options{Lang: l})
				if f == CSV {
					roundTrip(t, samples(), f, Options{Lang: l, Separator: ';'})
				}
				if items := content.Default().Bank().Items; len(items) > 0 {
					roundTrip(t, items, f, Options{Lang: l})
				}
			})
		}
	}
}
