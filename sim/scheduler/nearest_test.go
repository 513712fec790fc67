package scheduler

import "testing"

func TestNearest(t *testing.T) {
	short := func(missing int64) []Shortage { return []Shortage{{"cpu", 1000 + missing, 1000, 4000}} }
	v := &Verdict{Nodes: []NodeVerdict{
		{Name: "a", Plugin: "TaintToleration", Taints: []Taint{{Key: "k"}, {Key: "l"}}},
		{Name: "b", Plugin: "NodeResourcesFit", Shortages: short(500)},
		{Name: "c", Plugin: "NodeResourcesFit", Shortages: short(200)},
		{Name: "d", Plugin: "NodeAffinity", Terms: []Term{{From: "nodeSelector"}, {From: "nodeAffinity", Index: 0}, {From: "nodeAffinity", Index: 0}, {From: "nodeAffinity", Index: 1}}},
		{Name: "e"},
	}}
	if got := v.Nearest(); got == nil || got.Name != "c" {
		t.Errorf("nearest is %+v", got)
	}
	for i, want := range []int{2, 1, 1, 2, 0} {
		if got := v.Nodes[i].Changes(); got != want {
			t.Errorf("%s: %d changes, want %d", v.Nodes[i].Name, got, want)
		}
	}
	if (&Verdict{Nodes: []NodeVerdict{{Name: "e"}}}).Nearest() != nil {
		t.Error("a node that fits is said to be refused")
	}
}

func TestNodesToFind(t *testing.T) {
	for nodes, want := range map[int]int{0: 0, 1: 1, 99: 99, 100: 100, 150: 100, 250: 120, 1000: 420, 5000: 500, 6000: 300} {
		if got := nodesToFind(nodes); got != want {
			t.Errorf("of %d nodes %d are enough, want %d", nodes, got, want)
		}
	}
}
