package exchange

import (
	"testing"

	"timonier/content"
)

func both(fr, en string) content.Text { return content.Text{FR: fr, EN: en} }

func wrong(fr, en, is string) content.Choice {
	return content.Choice{Text: both(fr, en), Is: is, Why: both("On le croit : «\u00a0"+fr+"\u00a0», mais **non**.", "One thinks so: "+en+". It is *not*.")}
}

func f(n float64) *float64 { return &n }

// samples are questions of each kind, with what is hardest to write in each format.
func samples() []*content.Item {
	ask := both("Que fait `kube-scheduler`\u00a0? {a=b} ~ #1 : 50\u00a0% \\n", "What does `kube-scheduler` do? {a=b} ~ #1: 50% \\n")
	why := both("Il **choisit** un nœud; le *kubelet* fait le reste. Voir [la page](https://kubernetes.io/docs/).\n\n- un\n- deux", "It **chooses** a node; the *kubelet* does the rest. See [the page](https://kubernetes.io/docs/).\n\n- one\n- two")
	base := func(id string, k content.ItemKind) *content.Item {
		return &content.Item{ID: id, Lesson: "4.1", Kind: k, Difficulty: 2, Objective: "architecture", Ask: ask, Hint: both("Il n'y a qu'une `porte`.", "There is only one `door`."), Why: why}
	}
	one := base("4.1-one", content.One)
	one.Options = []content.Choice{
		wrong("%50 des <nœuds>, `a=b` & c", "%50 of the <2 nodes, `a=b` & c", "etcd-decides"),
		{Right: true, Text: both("= Il choisit -> un nœud", "= It chooses -> a node"), Why: both("Oui : lui seul.", "Yes: it alone.")},
		wrong("@il démarre ~ le pod #2 {x}", "@it starts ~ the pod #2 {x}", "scheduler-starts-pods"),
	}
	several := base("4.1-several", content.Several)
	several.Options = []content.Choice{{Right: true, Text: both("un `*`", "one `*`")}, {Right: true, Text: both("deux _a_ **b**", "two _a_ **b**")}, {Right: true, Text: both("trois", "three")}, wrong("-4", "-4", "etcd-decides"), wrong("`un `seul", "`one `alone", "")}
	tf := base("4.1-truefalse", content.TrueFalse)
	tf.Options = []content.Choice{{Text: both("Vrai", "True"), Is: "scheduler-starts-pods", Why: both("Non : c'est le kubelet.", "No: the kubelet does.")}, {Text: both("Faux", "False"), Right: true}}
	truth := base("4.1-true", content.TrueFalse)
	truth.Options = []content.Choice{{Text: both("Vrai", "True"), Right: true, Why: both("Eh oui.", "Indeed.")}, {Text: both("Faux", "False")}}
	number := base("4.1-number", content.Number)
	number.Number, number.Tolerance, number.Unit = -50.25, 0.5, both("secondes", "seconds")
	number.Traps = []content.Trap{{Number: f(40), Is: "node-loss-is-instant", Why: both("C'est l'ancien délai.", "That is the old delay.")}, {Number: f(0)}}
	order := base("4.1-order", content.Order)
	order.Steps = []content.Text{both("`kubectl` écrit = 1", "`kubectl` writes = 1"), both("le serveur valide", "the server validates"), both("le planificateur choisit", "the scheduler chooses")}
	order.Traps = []content.Trap{{Before: [2]int{3, 1}, Is: "etcd-decides", Why: both("Le planificateur **attend**.\n\n- a\n- b", "The scheduler **waits**.\n\n- a\n- b")}, {Before: [2]int{2, 1}, Why: both("Rien à valider encore.", "Nothing to validate yet.")}}
	match := base("4.1-match", content.Match)
	match.Pairs = []content.Pair{{Left: both("nœud | a", "node | a"), Right: both("cours => b", "course => b")}, {Left: both("pod", "pod"), Right: both("`professeur`", "`teacher`")}, {Left: both("=etcd", "=etcd"), Right: both("base", "base")}}
	match.Extra = []content.Text{both("étudiants", "students")}
	match.Traps = []content.Trap{{Pair: [2]int{1, 4}, Is: "etcd-decides", Why: both("Non.", "No.")}}
	fill := base("4.1-blank", content.Fill)
	fill.Ask = both("Le ____ choisit le nœud : `a_b`.", "The ____ chooses the node: `a_b`.")
	fill.Accept = content.Spellings{FR: []string{"planificateur", "scheduler|x"}, EN: []string{"scheduler"}}
	fill.Traps = []content.Trap{{Answers: content.Spellings{FR: []string{"contrôleur", "controller"}, EN: []string{"controller"}}, Is: "controller-places-pods", Why: both("Il demande, sans placer.", "It asks, and places nothing.")}, {Answers: content.Spellings{FR: []string{"etcd"}, EN: []string{"etcd"}}}}
	predict := base("4.1-predict", content.Predict)
	predict.Members = 3
	predict.Options = []content.Choice{{Right: true, Text: both("Rien", "Nothing")}, wrong("Tout", "Everything", "etcd-decides"), wrong("Un peu", "A little", "")}
	bare := &content.Item{ID: "q-nue", Kind: content.One, Ask: both("Quoi?", "What?"), Options: []content.Choice{{Text: both("a", "a"), Right: true}, {Text: both("b", "b")}}}
	return []*content.Item{one, several, tf, truth, number, order, match, fill, predict, bare}
}

// asRead is a question as a file in a language gives it back.
func asRead(i *content.Item, l content.Lang) *content.Item {
	t := func(t content.Text) content.Text { return one(l, t.In(l)) }
	s := func(s content.Spellings) content.Spellings {
		if l == content.EN {
			return content.Spellings{EN: s.EN}
		}
		return content.Spellings{FR: s.FR}
	}
	out := &content.Item{ID: i.ID, Lesson: i.Lesson, Kind: i.Kind, Difficulty: i.Difficulty, Objective: i.Objective, Ask: t(i.Ask), Hint: t(i.Hint), Why: t(i.Why), Own: true,
		Number: i.Number, Tolerance: i.Tolerance, Unit: t(i.Unit), Accept: s(i.Accept)}
	if out.Kind == content.Predict {
		out.Kind = content.One
	}
	for _, o := range i.Options {
		out.Options = append(out.Options, content.Choice{Text: t(o.Text), Right: o.Right, Is: o.Is, Why: t(o.Why)})
	}
	for _, x := range i.Steps {
		out.Steps = append(out.Steps, t(x))
	}
	for _, p := range i.Pairs {
		out.Pairs = append(out.Pairs, content.Pair{Left: t(p.Left), Right: t(p.Right)})
	}
	for _, x := range i.Extra {
		out.Extra = append(out.Extra, t(x))
	}
	for _, x := range i.Traps {
		x.Answers, x.Why = s(x.Answers), t(x.Why)
		out.Traps = append(out.Traps, x)
	}
	return out
}

// Before anything else: the samples are questions that the course would take.
func TestTheSamplesHold(t *testing.T) {
	for _, i := range samples() {
		own := *i
		own.Own = true
		for _, f := range content.Default().ItemFaults(&own) {
			t.Errorf("%s: %s", i.ID, f.Error())
		}
	}
}
