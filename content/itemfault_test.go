package content

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// sound is an item of each kind with which nothing is wrong.
func sound(kind ItemKind) *Item {
	text := func(s string) Text { return Text{FR: s + " (fr)", EN: s + " (en)"} }
	i := &Item{ID: "2.1-x", Lesson: "2.1", Kind: kind, Difficulty: 1, Objective: "concepts", Ask: text("Ask"), Why: text("Why")}
	wrong := func(s string) Choice { return Choice{Text: text(s), Is: "etcd-decides", Why: text("No")} }
	trap := Trap{Is: "etcd-decides", Why: text("No")}
	switch kind {
	case One, Predict:
		i.Options = []Choice{{Text: text("A"), Right: true}, wrong("B"), wrong("C")}
	case Several:
		i.Options = []Choice{{Text: text("A"), Right: true}, {Text: text("B"), Right: true}, wrong("C")}
	case TrueFalse:
		i.Options = trueAndFalse(false, "etcd-decides", text("No"))
	case Number:
		other := 40.0
		trap.Number = &other
		i.Number, i.Tolerance, i.Traps = 50, 1, []Trap{trap}
	case Order:
		trap.Before = [2]int{3, 1}
		i.Steps, i.Traps = []Text{text("A"), text("B"), text("C")}, []Trap{trap}
	case Match:
		trap.Pair = [2]int{1, 4}
		i.Pairs, i.Extra, i.Traps = []Pair{{text("A"), text("1")}, {text("B"), text("2")}, {text("C"), text("3")}}, []Text{text("4")}, []Trap{trap}
	case Fill:
		i.Ask = Text{FR: "Le ____ place.", EN: "The ____ places."}
		trap.Answers = Spellings{FR: []string{"kubelet"}, EN: []string{"kubelet"}}
		i.Accept, i.Traps = Spellings{FR: []string{"planificateur"}, EN: []string{"scheduler"}}, []Trap{trap}
	}
	return i
}

func TestSoundItems(t *testing.T) {
	for _, kind := range ItemKinds() {
		if faults := Default().ItemFaults(sound(kind)); len(faults) > 0 {
			t.Errorf("%s: %v", kind, faults)
		}
		own := sound(kind) // in one language, and without all that a teacher need not give
		own.Own, own.Lesson, own.Objective, own.Difficulty, own.Why, own.Ask.EN = true, "", "", 0, Text{}, ""
		for n := range own.Options {
			own.Options[n].Is, own.Options[n].Why, own.Options[n].Text.EN = "", Text{}, ""
		}
		for n := range own.Steps {
			own.Steps[n].EN = ""
		}
		own.Traps = nil
		if faults := Default().ItemFaults(own); len(faults) > 0 {
			t.Errorf("own %s: %v", kind, faults)
		}
	}
}

func TestItemFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   ItemKind
		change func(*Item)
		want   string // CODE AT
	}{
		{"an ID with blanks", One, func(i *Item) { i.ID = "2.1 x" }, "id "},
		{"an endless ID", One, func(i *Item) { i.ID = strings.Repeat("x", 41) }, "id "},
		{"no such kind", "essay", func(*Item) {}, "kind "},
		{"no such lesson", One, func(i *Item) { i.Lesson = "2.9" }, "lesson "},
		{"no such objective", One, func(i *Item) { i.Objective = "x" }, "objective "},
		{"too difficult", One, func(i *Item) { i.Difficulty = 4 }, "difficulty "},
		{"nothing asked", One, func(i *Item) { i.Ask = Text{} }, "empty ask"},
		{"nothing asked by a teacher", One, func(i *Item) { i.Own, i.Ask = true, Text{} }, "empty ask"},
		{"asked in one language", One, func(i *Item) { i.Ask.EN = "" }, "empty ask"},
		{"a hint in one language", One, func(i *Item) { i.Hint.FR = "Indice" }, "empty hint"},
		{"a teacher's option in the other language", One, func(i *Item) { i.Own, i.Ask.EN, i.Options[0].Text.FR = true, "", "" }, "empty option 1"},
		{"not explained", One, func(i *Item) { i.Why = Text{} }, "unexplained why"},
		{"too long", One, func(i *Item) { i.Ask.FR = strings.Repeat("é", 401) }, "long ask"},
		{"too long for a teacher", One, func(i *Item) { i.Own, i.Ask.FR = true, strings.Repeat("é", 1001) }, "long ask"},
		{"a script", One, func(i *Item) { i.Ask.FR = "<script>alert(1)</script>" }, "markup ask"},
		{"an attribute", One, func(i *Item) { i.Why.EN = `<img onerror=x>` }, "markup why"},
		{"a control character", One, func(i *Item) { i.Options[1].Text.EN = "a\x07" }, "markup option 2"},
		{"one option", One, func(i *Item) { i.Options = i.Options[:1] }, "count options"},
		{"six options", One, func(i *Item) {
			for n := range 3 {
				o := i.Options[1]
				o.Text = Text{fmt.Sprint(n), fmt.Sprint(n)}
				i.Options = append(i.Options, o)
			}
		}, "count options"},
		{"no right answer", One, func(i *Item) { i.Options[0].Right, i.Options[0].Is, i.Options[0].Why = false, "etcd-decides", i.Why }, "noright "},
		{"two right answers", One, func(i *Item) { i.Options[1].Right = true }, "manyright "},
		{"all are right", Several, func(i *Item) { i.Options[2].Right = true }, "allright "},
		{"equal options", One, func(i *Item) { i.Options[1].Text.FR = "a  (FR)" }, "twice option 2"},
		{"no misconception", One, func(i *Item) { i.Options[1].Is = "" }, "unnamed option 2"},
		{"no such misconception", One, func(i *Item) { i.Own, i.Options[1].Is = true, "zzz" }, "unnamed option 2"},
		{"a wrong answer not explained", One, func(i *Item) { i.Options[1].Why = Text{} }, "unexplained option 2 why"},
		{"three ways of true", TrueFalse, func(i *Item) { i.Options = append(i.Options, i.Options[0]) }, "count options"},
		{"steps of no order", One, func(i *Item) { i.Steps = []Text{{"a", "a"}} }, "foreign steps"},
		{"a tolerance of no number", One, func(i *Item) { i.Tolerance = 1 }, "foreign tolerance"},
		{"no number", Number, func(i *Item) { i.Number = math.NaN() }, "number number"},
		{"a negative tolerance", Number, func(i *Item) { i.Tolerance = -1 }, "number tolerance"},
		{"no tolerance at all", Number, func(i *Item) { i.Tolerance = math.NaN() }, "number tolerance"},
		{"a trap that is right", Number, func(i *Item) { *i.Traps[0].Number = 51 }, "trap trap 1"},
		{"no trap", Number, func(i *Item) { i.Traps = nil }, "notrap "},
		{"two steps", Order, func(i *Item) { i.Steps = i.Steps[:2] }, "count steps"},
		{"two steps the same", Order, func(i *Item) { i.Steps[2] = i.Steps[0] }, "twice step 3"},
		{"a trap in the right order", Order, func(i *Item) { i.Traps[0].Before = [2]int{1, 3} }, "trap trap 1"},
		{"a trap past the end", Order, func(i *Item) { i.Traps[0].Before = [2]int{4, 1} }, "trap trap 1"},
		{"two rights the same", Match, func(i *Item) { i.Extra[0] = i.Pairs[0].Right }, "twice right 4"},
		{"two lefts the same", Match, func(i *Item) { i.Pairs[1].Left = i.Pairs[0].Left }, "twice left 2"},
		{"a trap that is a pair", Match, func(i *Item) { i.Traps[0].Pair = [2]int{2, 2} }, "trap trap 1"},
		{"no blank", Fill, func(i *Item) { i.Ask.EN = "The scheduler." }, "noblank "},
		{"nothing accepted", Fill, func(i *Item) { i.Accept.FR, i.Accept.EN = nil, nil }, "noright "},
		{"a trap that is accepted", Fill, func(i *Item) { i.Traps[0].Answers.EN = []string{"Scheduler"} }, "trap trap 1"},
		{"a start of no prediction", One, func(i *Item) { i.Run = []Line{{Text{"/grappe", "/cluster"}}} }, "foreign start"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := sound(tt.kind)
			tt.change(i)
			var found []string
			for _, f := range Default().ItemFaults(i) {
				found = append(found, string(f.Code)+" "+f.At)
				if told := f.Error(); strings.TrimSpace(told) == "" || strings.Contains(told, "{") {
					t.Errorf("%s is told as %q", f.Code, told)
				}
			}
			if !slices.Contains(found, tt.want) {
				t.Errorf("%q is not among %q", tt.want, found)
			}
			if len(found) > 2 {
				t.Errorf("one mistake makes %d faults: %q", len(found), found)
			}
		})
	}
}
