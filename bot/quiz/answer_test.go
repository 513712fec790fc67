package quiz

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"timonier/content"
)

func same(s string) content.Text { return content.Text{FR: s, EN: s} }

func ptr(n float64) *float64 { return &n }

// itemsOfAllKinds are one of each kind.
func itemsOfAllKinds() []*content.Item {
	choices := func(right ...int) []content.Choice {
		texts := []content.Text{{FR: "Le planificateur", EN: "The scheduler"}, {FR: "etcd", EN: "etcd"}, {FR: "Le kubelet", EN: "The kubelet"}, {FR: "`replicas: 3`", EN: "`replicas: 3`"}}
		var out []content.Choice
		for i, t := range texts {
			c := content.Choice{Text: t, Right: slices.Contains(right, i)}
			if !c.Right {
				c.Is, c.Why = "m-"+string(rune('0'+i)), same("why")
			}
			out = append(out, c)
		}
		return out
	}
	return []*content.Item{
		{ID: "one", Kind: content.One, Options: choices(0)},
		{ID: "several", Kind: content.Several, Options: choices(0, 2)},
		{ID: "truefalse", Kind: content.TrueFalse, Options: []content.Choice{{Text: content.Text{FR: "Vrai", EN: "True"}}, {Text: content.Text{FR: "Faux", EN: "False"}, Right: true}}},
		{ID: "number", Kind: content.Number, Number: 50, Unit: content.Text{FR: "secondes", EN: "seconds"}, Traps: []content.Trap{{Number: ptr(40), Is: "before-1-29", Why: same("why")}}},
		{ID: "order", Kind: content.Order, Steps: []content.Text{same("un"), same("deux"), same("trois"), same("quatre")}, Traps: []content.Trap{{Before: [2]int{3, 1}, Is: "kubelet-first"}}},
		{ID: "match", Kind: content.Match, Pairs: []content.Pair{{Left: same("etcd"), Right: same("registre")}, {Left: same("pod"), Right: same("professeur")}, {Left: same("node"), Right: same("cours")}},
			Extra: []content.Text{same("élève")}, Traps: []content.Trap{{Pair: [2]int{2, 4}, Is: "pods-apply"}, {Pair: [2]int{1, 2}, Is: "etcd-runs"}}},
		{ID: "blank", Kind: content.Fill, Accept: content.Spellings{FR: []string{"planificateur"}, EN: []string{"scheduler", "kube-scheduler"}},
			Traps: []content.Trap{{Answers: content.Spellings{FR: []string{"contrôleur"}, EN: []string{"controller"}}, Is: "controllers-place"}}},
		{ID: "predict", Kind: content.Predict, Options: choices(1)},
	}
}

func itemOf(t testing.TB, id string) *content.Item {
	for _, i := range itemsOfAllKinds() {
		if i.ID == id {
			return i
		}
	}
	t.Fatalf("no item %s", id)
	return nil
}

// straight is a question whose letters are in the item's order.
func straight(i *content.Item) Question {
	q := Put(i, 0)
	slices.Sort(q.places)
	return q
}

func TestWhatIsTypedIsRead(t *testing.T) {
	for _, tt := range []struct {
		item, typed string
		lang        content.Lang
		want        Answer
	}{
		{"one", "A", content.FR, Answer{Picks: []int{0}}},
		{"one", " b) ", content.FR, Answer{Picks: []int{1}}},
		{"one", "le Planificateur.", content.FR, Answer{Picks: []int{0}}},
		{"one", "scheduler", content.FR, Answer{Picks: []int{0}}},
		{"one", "replicas: 3", content.EN, Answer{Picks: []int{3}}},
		{"one", "etcd", content.EN, Answer{Picks: []int{1}}},
		{"several", "CA", content.FR, Answer{Picks: []int{0, 2}}},
		{"several", "a, c", content.FR, Answer{Picks: []int{0, 2}}},
		{"several", "c et A", content.FR, Answer{Picks: []int{0, 2}}},
		{"several", "A C", content.EN, Answer{Picks: []int{0, 2}}},
		{"truefalse", "Vrai", content.EN, Answer{Picks: []int{0}}},
		{"truefalse", "f", content.FR, Answer{Picks: []int{1}}},
		{"truefalse", "no", content.FR, Answer{Picks: []int{1}}},
		{"truefalse", "B", content.FR, Answer{Picks: []int{1}}},
		{"number", "50", content.FR, Answer{Number: ptr(50)}},
		{"number", "≈ 50 s", content.FR, Answer{Number: ptr(50)}},
		{"number", "50 Secondes", content.EN, Answer{Number: ptr(50)}},
		{"number", "3,5", content.FR, Answer{Number: ptr(3.5)}},
		{"number", "3,5", content.EN, Answer{Number: ptr(3.5)}},
		{"number", "1,000", content.EN, Answer{Number: ptr(1000)}},
		{"number", "1,000", content.FR, Answer{Number: ptr(1)}},
		{"number", "1\u202f000,5 s", content.FR, Answer{Number: ptr(1000.5)}},
		{"number", "1,234.5", content.EN, Answer{Number: ptr(1234.5)}},
		{"number", "−2", content.FR, Answer{Number: ptr(-2)}},
		{"number", "5 min", content.FR, Answer{Number: ptr(300)}},
		{"number", "cinq minutes", content.FR, Answer{Number: ptr(300)}},
		{"number", "about 50.", content.EN, Answer{Number: ptr(50)}},
		{"order", "dcba", content.FR, Answer{Picks: []int{3, 2, 1, 0}}},
		{"order", "D → C", content.FR, Answer{Picks: []int{3, 2}}},
		{"order", "D, puis C, puis A", content.FR, Answer{Picks: []int{3, 2, 0, 1}}},
		{"match", "CA", content.FR, Answer{Picks: []int{2, 0}}},
		{"match", "1C 2A 3D", content.FR, Answer{Picks: []int{2, 0, 3}}},
		{"match", "3=D, 1=C, 2=A", content.FR, Answer{Picks: []int{2, 0, 3}}},
		{"blank", "  le planificateur ", content.FR, Answer{Text: "le planificateur"}},
		{"predict", "d", content.FR, Answer{Picks: []int{3}}},
		{"one", "Ｂ", content.FR, Answer{Picks: []int{1}}},
		{"several", "Ａ，Ｃ", content.FR, Answer{Picks: []int{0, 2}}},
		{"number", "５０．５", content.EN, Answer{Number: ptr(50.5)}},
		{"number", "−５０", content.FR, Answer{Number: ptr(-50)}},
	} {
		got, err := straight(itemOf(t, tt.item)).Read(tt.typed, tt.lang)
		if err != nil || !equal(got, tt.want) {
			t.Errorf("%s %q: %+v %v, want %+v", tt.item, tt.typed, got, err, tt.want)
		}
	}
}

func TestWhatCannotBeReadSaysWhy(t *testing.T) {
	for _, tt := range []struct {
		item, typed string
		want        Unread
	}{
		{"one", "  ", Unread{Code: Empty, Letters: "ABCD"}},
		{"one", "?!", Unread{Code: Empty, Letters: "ABCD"}},
		{"one", "E", Unread{Code: NotChoice, Word: "E", Letters: "ABCD"}},
		{"one", "controller", Unread{Code: NotChoice, Word: "controller", Letters: "ABCD"}},
		{"one", "AB", Unread{Code: TooMany, Most: 1, Letters: "ABCD"}},
		{"one", "A ou B", Unread{Code: TooMany, Most: 1, Letters: "ABCD"}},
		{"several", "ACA", Unread{Code: Twice, Word: "A", Letters: "ABCD"}},
		{"truefalse", "peut-être", Unread{Code: NotChoice, Word: "peut-être", Letters: "AB"}},
		{"number", "beaucoup", Unread{Code: NotNumber, Word: "beaucoup"}},
		{"number", "3 ou 4", Unread{Code: NotNumber, Word: "3 ou 4"}},
		{"number", "3 4", Unread{Code: NotNumber, Word: "3 4"}},
		{"number", "5-6", Unread{Code: NotNumber, Word: "5-6"}},
		{"number", "a5", Unread{Code: NotNumber, Word: "a5"}},
		{"number", "NaN", Unread{Code: NotNumber, Word: "NaN"}},
		{"number", "inf", Unread{Code: NotNumber, Word: "inf"}},
		{"number", "1e400", Unread{Code: NotNumber, Word: "1e400"}},
		{"number", "9999999999999999 s", Unread{Code: NotNumber, Word: "9999999999999999 s"}},
		{"number", "50 pods", Unread{Code: OtherUnit, Word: "pods"}},
		{"order", "ABCDA", Unread{Code: Twice, Word: "A", Letters: "ABCD"}},
		{"match", "1C 3A", Unread{Code: Gap, Word: "2", Letters: "ABCD"}},
		{"match", "1C 1A", Unread{Code: Twice, Word: "1", Letters: "ABCD"}},
		{"match", "ABCD", Unread{Code: TooMany, Most: 3, Letters: "ABCD"}},
		{"blank", strings.Repeat("é", 101), Unread{Code: TooLong, Word: strings.Repeat("é", 39) + "…", Most: 100}},
		{"one", strings.Repeat("a", 401), Unread{Code: TooLong, Word: strings.Repeat("a", 39) + "…", Most: 400, Letters: "ABCD"}},
	} {
		_, err := straight(itemOf(t, tt.item)).Read(tt.typed, content.FR)
		var got *Unread
		if !errors.As(err, &got) {
			t.Errorf("%s %q: read, or another error: %v", tt.item, tt.typed, err)
			continue
		}
		if *got != tt.want {
			t.Errorf("%s %q: %+v, want %+v", tt.item, tt.typed, *got, tt.want)
		}
	}
}

func TestTextThatFitsTwoChoicesIsUnclear(t *testing.T) {
	i := &content.Item{ID: "x", Kind: content.One, Options: []content.Choice{{Text: same("+1"), Right: true}, {Text: same("1-1")}, {Text: same("11")}}}
	if _, err := straight(i).Read("1.1", content.FR); err.(*Unread).Code != Ambiguous {
		t.Errorf("error %v", err)
	}
	if a, err := straight(i).Read("11", content.FR); err != nil || !slices.Equal(a.Picks, []int{2}) {
		t.Errorf("the text as it stands: %v %v", a, err)
	}
}

func TestAWordIsForgivenWhatDoesNotMatter(t *testing.T) {
	i := itemOf(t, "blank")
	for word, right := range map[string]bool{
		"planificateur": true, "PLANIFICATEUR": true, "Le planificateur": true, "« planificateur »": true, "the scheduler": true,
		"kube scheduler": true, "Kube-Scheduler.": true, "`scheduler`": true, "l’planificateur": true, "planificatéur": true, "plan\u00adificateur": true,
		"planif": false, "": false, "contrôleur": false, "planificateur contrôleur": false, "scheduler2": false,
	} {
		if v := Grade(i, Answer{Text: word}); v.Right != right {
			t.Errorf("%q: right %v", word, v.Right)
		}
	}
	if v := Grade(i, Answer{Text: "Un controleur"}); !slices.Equal(v.Is, []string{"controllers-place"}) {
		t.Errorf("an answer without its accent shows %v", v.Is)
	}
	if fold("*") == "" || fold("==") == fold("!=") {
		t.Errorf("operators are not told apart: %q %q", fold("=="), fold("!="))
	}
	if fold("e\u0301te\u0301") != fold("été") || fold("cœur") != "coeur" {
		t.Error("accents are not forgiven as they may be typed")
	}
}

func TestGrades(t *testing.T) {
	for _, tt := range []struct {
		item   string
		answer Answer
		right  bool
		credit float64
		is     string
	}{
		{"one", Answer{Picks: []int{0}}, true, 1, ""},
		{"one", Answer{Picks: []int{2}}, false, 0, "m-2"},
		{"one", Answer{}, false, 0, ""},
		{"one", Answer{Picks: []int{9, -1}}, false, 0, ""},
		{"several", Answer{Picks: []int{0, 2}}, true, 1, ""},
		{"several", Answer{Picks: []int{0}}, false, 0.5, ""},
		{"several", Answer{Picks: []int{0, 1, 2}}, false, 0.5, "m-1"},
		{"several", Answer{Picks: []int{1, 3}}, false, 0, "m-1 m-3"},
		{"truefalse", Answer{Picks: []int{1}}, true, 1, ""},
		{"number", Answer{Number: ptr(50)}, true, 1, ""},
		{"number", Answer{Number: ptr(40)}, false, 0, "before-1-29"},
		{"number", Answer{Number: ptr(50.001)}, false, 0, ""},
		{"number", Answer{}, false, 0, ""},
		{"order", Answer{Picks: []int{0, 1, 2, 3}}, true, 1, ""},
		{"order", Answer{Picks: []int{2, 1, 0, 3}}, false, 0.5, "kubelet-first"},
		{"order", Answer{Picks: []int{0, 1}}, false, 0.5, ""},
		{"order", Answer{Picks: []int{2}}, false, 0, "kubelet-first"},
		{"match", Answer{Picks: []int{0, 1, 2}}, true, 1, ""},
		{"match", Answer{Picks: []int{1, 3, 2}}, false, 1.0 / 3, "pods-apply etcd-runs"},
		{"predict", Answer{Picks: []int{1}}, true, 1, ""},
	} {
		v := Grade(itemOf(t, tt.item), tt.answer)
		if v.Right != tt.right || math.Abs(v.Credit-tt.credit) > 1e-9 || strings.Join(v.Is, " ") != tt.is {
			t.Errorf("%s %+v: %+v", tt.item, tt.answer, v)
		}
	}
	wide := &content.Item{Kind: content.Number, Number: 0.3, Tolerance: 0.1}
	for n, right := range map[float64]bool{0.2: true, 0.4: true, 0.41: false} {
		if v := Grade(wide, Answer{Number: &n}); v.Right != right {
			t.Errorf("%v within 0.3 ± 0.1: %v", n, v.Right)
		}
	}
}

func TestAQuestionIsPutInAnOrderOfTheSeed(t *testing.T) {
	for _, i := range itemsOfAllKinds() {
		orders := map[string]bool{}
		for seed := range uint64(200) {
			q := Put(i, seed)
			if again := Put(i, seed); !slices.Equal(q.places, again.places) {
				t.Fatalf("%s: two orders of seed %d", i.ID, seed)
			}
			orders[strings.Join(q.Choices(content.FR), "|")] = true
			if i.Kind == content.Order && slices.IsSorted(q.places) {
				t.Errorf("%s: seed %d puts the steps in their right order", i.ID, seed)
			}
			if a, err := q.Read(q.Spell(q.Right(), content.FR), content.FR); err != nil || !Grade(i, a).Right {
				t.Errorf("%s: the right answer %q is read as %+v %v", i.ID, q.Spell(q.Right(), content.FR), a, err)
			}
		}
		if n := len(orders); (n == 1) != (len(Put(i, 1).places) < 3) {
			t.Errorf("%s: %d orders of 200", i.ID, n)
		}
	}
}

// TestAnAnswerIsGivenLetterByLetter: every way to the right order by buttons gets there.
func TestAnAnswerIsGivenLetterByLetter(t *testing.T) {
	for _, id := range []string{"order", "match"} {
		q := Put(itemOf(t, id), 3)
		want, typed := q.Right(), ""
		for n := 0; ; n++ {
			a, _ := q.Read(typed, content.FR)
			if q.Missing(a) == 0 {
				if !equal(a, want) {
					t.Errorf("%s: %+v", id, a)
				}
				break
			}
			next := q.Letter(want.Picks[len(a.Picks)])
			if !strings.Contains(q.Rest(a), next) || n > 6 {
				t.Fatalf("%s: %q cannot follow %q", id, next, typed)
			}
			typed = q.Spell(a, content.FR) + next
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"A", "ac", "1C 2A", "3,5 s", "−1 000,5 min", "le planificateur", "vrai", "\xff\xfe", "A\u0301", "١٢", "1,000.5", "é", "dix", "A → C"} {
		f.Add(s, uint64(1), true)
	}
	items := itemsOfAllKinds()
	f.Fuzz(func(t *testing.T, typed string, seed uint64, french bool) {
		l := content.EN
		if french {
			l = content.FR
		}
		for _, i := range items {
			q := Put(i, seed)
			a, err := q.Read(typed, l)
			if err != nil {
				if u := (*Unread)(nil); !errors.As(err, &u) || len([]rune(u.Word)) > 40 {
					t.Errorf("%s %q: error %v", i.ID, typed, err)
				}
				continue
			}
			if v := Grade(i, a); v.Credit < 0 || v.Credit > 1 || v.Right != (v.Credit == 1) {
				t.Errorf("%s %q: %+v", i.ID, typed, v)
			}
			again, err := q.Read(q.Spell(a, l), l)
			if err != nil || !equal(a, again) {
				t.Errorf("%s %q is read as %+v, spelled %q, read again %+v %v", i.ID, typed, a, q.Spell(a, l), again, err)
			}
		}
	})
}

// The same word is the same however a keyboard or a system writes it.
func TestWordsFromAnyKeyboard(t *testing.T) {
	item := &content.Item{ID: "blank", Kind: content.Fill, Accept: content.Spellings{FR: []string{"éviction"}}}
	for _, typed := range []string{"éviction", "e\u0301viction", "ÉVICTION", "E\u0301VİCTİON", "évıctıon", "ｅviction", "L’éviction", "é\u00advic\u200btion", "eviction."} {
		a, err := Put(item, 1).Read(typed, content.FR)
		if v := Grade(item, a); err != nil || !v.Right {
			t.Errorf("%q: %+v %v", typed, v, err)
		}
	}
	for _, typed := range []string{"évictions", "éviction éviction", "\u200b", "´", "*", "ev"} {
		a, err := Put(item, 1).Read(typed, content.FR)
		if v := Grade(item, a); err == nil && v.Right {
			t.Errorf("%q is right", typed)
		}
	}
}
