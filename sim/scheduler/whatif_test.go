package scheduler

import (
	"encoding/json"
	"slices"
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
