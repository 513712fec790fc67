package scheduler

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// TestWhatIfProperties asks of golden cases how their pod would come to nodes, and holds each answer to what it promises: each
// way leads there, none can do without one of its changes, none is told twice, and nothing is left behind.
func TestWhatIfProperties(t *testing.T) {
	cases, _ := golden(t)
	counts := map[string]int{}
	for at, k := range cases {
		if at%10 != 0 && !testing.Verbose() {
			continue
		}
		s := k.snapshot(t)
		before := jsonOf(t, s.Decide(k.Pod, noon))
		for i, n := range k.Nodes {
			if i >= 3 {
				break
			}
			answer, err := s.WhatIf(k.Pod, Question{Node: n.Name}, noon)
			if err != nil {
				t.Fatalf("%s %s: %v", k.ID, n.Name, err)
			}
			checkAnswer(t, k, s, answer)
			switch {
			case len(answer.Ways) == 0 && answer.GaveUp:
				counts["given up"]++
			case len(answer.Ways) == 0:
				counts["nothing helps"]++
			case answer.Ways[0].MakesRoom():
				counts["preempts"]++
			default:
				counts[[]string{"goes there", "one change", "two changes", "three changes", "more"}[min(4, len(answer.Ways[0].Changes))]]++
			}
			if again, _ := s.WhatIf(k.Pod, Question{Node: n.Name}, noon); jsonOf(t, again) != jsonOf(t, answer) {
				t.Errorf("%s %s: the second answer differs", k.ID, n.Name)
			}
		}
		if after := jsonOf(t, s.Decide(k.Pod, noon)); after != before {
			t.Errorf("%s: asking has changed the decision\n%s\nwas\n%s", k.ID, after, before)
		}
	}
	t.Log(counts)
}

func checkAnswer(t *testing.T, k *Case, s *Snapshot, answer *WhatIf) {
	t.Helper()
	if len(answer.Ways) == 0 {
		if answer.Stuck == nil && !answer.GaveUp {
			t.Errorf("%s %s: no way, and no reason", k.ID, answer.Node)
		}
		if answer.Stuck != nil && testing.Verbose() {
			t.Logf("%s %v %s stuck: %s", k.ID, k.Areas, answer.Node, jsonOf(t, answer.Stuck))
		}
		if answer.GaveUp {
			t.Logf("%s %v %s gave up", k.ID, k.Areas, answer.Node)
		}
	}
	for i, way := range answer.Ways {
		lead := func(changes []Change) bool {
			v, err := s.WhatIf(k.Pod, Question{Assume: append(changes, Change{Kind: Priority, To: int64(newPodInfo(k.Pod).priority)})}, noon)
			if err != nil {
				t.Fatal(err)
			}
			return v.Verdict.leadsTo(answer.Node)
		}
		if !lead(way.Changes) {
			t.Errorf("%s: %v does not lead to %s", k.ID, way.Changes, answer.Node)
		}
		for j := range way.Changes {
			if fewer := slices.Delete(slices.Clone(way.Changes), j, j+1); lead(fewer) {
				t.Errorf("%s: %v could do without %v", k.ID, way.Changes, way.Changes[j])
			}
		}
		if i > 0 && len(way.Changes) < len(answer.Ways[0].Changes) {
			t.Errorf("%s: %v is smaller than the first, %v", k.ID, way.Changes, answer.Ways[0].Changes)
		}
		for _, other := range answer.Ways[:i] {
			if containsAll(way.Changes, other.Changes) {
				t.Errorf("%s: %v says no more than %v", k.ID, way.Changes, other.Changes)
			}
		}
	}
}

func jsonOf(t testing.TB, x any) string {
	t.Helper()
	data, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// damaged is a piece of JSON of which some is missing, or is something else.
func damaged(r *rand.Rand, x any) any {
	switch x := x.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(x)) {
			if r.IntN(250) == 0 {
				delete(x, key)
			} else {
				x[key] = damaged(r, x[key])
			}
		}
	case []any:
		for i := range x {
			x[i] = damaged(r, x[i])
		}
		if len(x) > 0 && r.IntN(30) == 0 {
			return append(x, x[r.IntN(len(x))])
		}
	case string:
		if r.IntN(250) == 0 {
			return []string{"", "x", "-1", "1", "DoNotSchedule", "Gt", "Exists", "NoExecute", "kubernetes.io/hostname"}[r.IntN(9)]
		}
	case float64:
		if r.IntN(30) == 0 {
			return []float64{0, -1, 1, 1 << 31}[r.IntN(4)]
		}
	}
	return x
}

// Whatever case can be read is answered, though no API server would have let in what is in it.
func TestWhatIfOfDamagedCases(t *testing.T) {
	r, read, answered := rand.New(rand.NewPCG(3, 4)), 0, 0
	all := lines(t, "cases.jsonl.gz")
	for range damagedCases {
		var x any
		if err := json.Unmarshal(all[r.IntN(len(all))], &x); err != nil {
			t.Fatal(err)
		}
		text := jsonOf(t, damaged(r, x))
		read++
		_ = Cases(strings.NewReader(text), func(_ int, k *Case) error {
			answered++
			defer func() {
				if failure := recover(); failure != nil {
					t.Fatalf("%s\n%v\n%s", text, failure, debug.Stack())
				}
			}()
			for _, n := range k.Nodes[:min(2, len(k.Nodes))] {
				_, _ = k.WhatIf([]string{"node=" + n.Name, "cpu=1"}, noon)
			}
			return nil
		}, func(int, error) {})
	}
	if answered*3 < read {
		t.Errorf("only %d of %d could be read", answered, read)
	}
}

const damagedCases = 300

// A pod that is said to be gone twice is gone once, and comes back once.
func TestWhatIfWithoutAPodTwice(t *testing.T) {
	const text = `{"nodes":[{"metadata":{"name":"n"},"status":{"allocatable":{"cpu":"2"}}}],
		"pods":[{"metadata":{"name":"a","namespace":"default"},"spec":{"nodeName":"n","containers":[{"resources":{"requests":{"cpu":"1500m"}}}]}}],
		"pod":{"metadata":{"name":"p","namespace":"default"},"spec":{"containers":[{"resources":{"requests":{"cpu":"3"}}}]}}}`
	ask := func(words string) string {
		var w *WhatIf
		err := Cases(strings.NewReader(text), func(_ int, k *Case) (err error) {
			w, err = k.WhatIf(strings.Fields(words), noon)
			return err
		}, func(_ int, err error) { t.Error(err) })
		if err != nil || w == nil {
			t.Fatal(w, err)
		}
		w.Assume = nil
		return jsonOf(t, w)
	}
	if once, twice := ask("node=n without=a"), ask("node=n without=a without=a"); once != twice {
		t.Errorf("said twice:\n%s\nsaid once:\n%s", twice, once)
	}
}
