package scheduler

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// sheet are the figures of one score, by name and what they are of.
type sheet struct {
	score Score
	by    map[string]Figure
	of    []string // in order, without repeats
}

func newSheet(s Score) sheet {
	sh := sheet{score: s, by: map[string]Figure{}}
	for _, f := range s.Figures.All() {
		if f.Of != "" && (len(sh.of) == 0 || sh.of[len(sh.of)-1] != f.Of) {
			sh.of = append(sh.of, f.Of)
		}
		sh.by[f.Name+" "+f.Of] = f
	}
	return sh
}

func (s sheet) n(name, of string) int64 { return s.by[name+" "+of].Value }

// formulas put the figures into the formula that Figure's comment gives, and say what raw score or score comes of it.
var formulas = map[string]func(s sheet) (got, want int64){
	"NodeResourcesFit": func(s sheet) (int64, int64) {
		var sum int64
		for _, r := range s.of {
			free := s.n("capacity", r) - s.n("requested", r)
			if want := max(0, free) * 100 / s.n("capacity", r); want != s.n("result", r) || s.n("pod", r) > s.n("requested", r) {
				return -1, s.n("result", r)
			}
			sum += s.n("result", r)
		}
		return sum / int64(len(s.of)), s.score.Raw
	},
	"NodeResourcesBalancedAllocation": func(s sheet) (int64, int64) {
		after := s.by["fraction cpu"].Ratio - s.by["fraction memory"].Ratio
		if int64(100*(1-math.Abs(after/2))) != s.n("score-after", "") {
			return -1, s.n("score-after", "")
		}
		return 50 + (50+s.n("score-after", "")-s.n("score-before", ""))/2, s.score.Raw
	},
	"TaintToleration": func(s sheet) (int64, int64) {
		if most := s.n("max", ""); most > 0 {
			return 100 - 100*s.n("count", "")/most, s.score.Score
		}
		return 100, s.score.Score
	},
	"NodeAffinity": func(s sheet) (int64, int64) {
		if most := s.n("max", ""); most > 0 {
			return 100 * s.n("sum", "") / most, s.score.Score
		}
		return 0, s.score.Score
	},
	"PodTopologySpread": func(s sheet) (int64, int64) {
		if _, ignored := s.by["ignored "]; ignored {
			return 0, s.score.Score
		}
		var sum float64
		for _, key := range s.of {
			sum += float64(s.n("matching", key))*math.Log(float64(s.n("domains", key)+2)) + float64(s.n("max-skew", key)-1)
		}
		if int64(math.Round(sum)) != s.n("sum", "") {
			return -1, s.n("sum", "")
		}
		if s.n("max", "") == 0 {
			return 100, s.score.Score
		}
		return 100 * (s.n("max", "") + s.n("min", "") - s.n("sum", "")) / s.n("max", ""), s.score.Score
	},
	"InterPodAffinity": func(s sheet) (int64, int64) {
		var sum int64
		for _, d := range s.of {
			sum += s.n("points", d)
		}
		if sum != s.n("sum", "") {
			return -1, s.n("sum", "")
		}
		if s.n("max", "") == s.n("min", "") {
			return 0, s.score.Score
		}
		return int64(100 * (float64(sum-s.n("min", "")) / float64(s.n("max", "")-s.n("min", "")))), s.score.Score
	},
	"ImageLocality": func(s sheet) (int64, int64) {
		sum := max(s.n("min", ""), min(s.n("max", ""), s.n("sum", "")))
		return 100 * (sum - s.n("min", "")) / (s.n("max", "") - s.n("min", "")), s.score.Raw
	},
}

// TestFigures puts the figures of every golden case into the formulas: they must give the scores.
func TestFigures(t *testing.T) {
	cases, _ := golden(t)
	checked := map[string]int{}
	for _, k := range cases {
		v := k.snapshot(t).Decide(k.Pod, noon)
		for _, n := range v.Nodes {
			total := int64(0)
			for _, s := range n.Scores {
				total += s.Weighted
				if s.Weighted != s.Score*s.Weight || len(s.Figures) == 0 && len(v.Nodes) <= figuresFor {
					t.Errorf("%s %s: %+v", k.ID, n.Name, s)
				}
				if len(s.Figures) == 0 {
					continue
				}
				checked[s.Plugin]++
				if got, want := formulas[s.Plugin](newSheet(s)); got != want {
					t.Errorf("%s %s %s: the figures give %d, want %d: %+v", k.ID, n.Name, s.Plugin, got, want, s)
				}
			}
			if total != n.Total {
				t.Errorf("%s %s: total %d, want %d", k.ID, n.Name, n.Total, total)
			}
		}
	}
	for plugin := range formulas {
		if checked[plugin] < 100 {
			t.Errorf("%s: only %d scores have been checked", plugin, checked[plugin])
		}
	}
}

// TestObstacles checks that each refusal comes with what stands in the way.
func TestObstacles(t *testing.T) {
	cases, _ := golden(t)
	for _, k := range cases {
		for _, n := range k.snapshot(t).Decide(k.Pod, noon).Nodes {
			plugins := map[string]bool{n.Plugin: true}
			for _, also := range n.Also {
				plugins[also.Plugin] = true
			}
			for plugin, there := range map[string]bool{
				"NodeResourcesFit": len(n.Shortages) > 0, "NodeAffinity": len(n.Terms) > 0, "NodePorts": len(n.Ports) > 0,
				"PodTopologySpread": len(n.Spread) > 0, "InterPodAffinity": len(n.Affinity) > 0,
				"TaintToleration": len(n.Taints) > 0,
			} {
				if plugin == "TaintToleration" && plugins["NodeUnschedulable"] {
					continue
				}
				if plugins[plugin] != there {
					t.Errorf("%s %s: %v refuse, but of %s there is said: %v", k.ID, n.Name, plugins, plugin, there)
				}
			}
			for _, s := range n.Shortages {
				if s.Missing() <= 0 || s.Free > s.Allocatable {
					t.Errorf("%s %s: %+v", k.ID, n.Name, s)
				}
			}
			for _, s := range n.Spread {
				if !s.Absent && s.Matching+s.Self-s.Min <= s.MaxSkew {
					t.Errorf("%s %s: %+v", k.ID, n.Name, s)
				}
			}
		}
	}
}

// TestWorkedExample is the check of a 500m / 1Gi pod on empty nodes of 2, 4 and 8 CPU with 8Gi each.
func TestWorkedExample(t *testing.T) {
	s := NewSnapshot()
	for i, cpu := range []string{"2", "4", "8"} {
		n := benchNode(i)
		n.Status.Allocatable = quantities("cpu", cpu, "memory", "8Gi", "pods", "110")
		s.Put(n)
	}
	pod := benchPod(0)
	pod.Spec.Containers[0].Resources.Requests = quantities("cpu", "500m", "memory", "1Gi")
	v := s.Decide(pod, noon)
	got := ""
	for _, n := range v.Nodes {
		for _, s := range n.Scores {
			got += fmt.Sprintf("%s %d ", s.Plugin, s.Score)
		}
		got += fmt.Sprintln(n.Total)
	}
	want := `TaintToleration 100 NodeResourcesFit 81 NodeResourcesBalancedAllocation 71 ImageLocality 0 452
TaintToleration 100 NodeResourcesFit 87 NodeResourcesBalancedAllocation 75 ImageLocality 0 462
TaintToleration 100 NodeResourcesFit 90 NodeResourcesBalancedAllocation 73 ImageLocality 0 463
`
	if got != want || v.Node != "node-0002" {
		t.Errorf("chosen %s, got\n%swant\n%s", v.Node, got, want)
	}
}

// Packed figures come back as they were, and are saved as the list they stand for.
func TestFiguresArePacked(t *testing.T) {
	all := []Figure{
		{Name: "capacity", Of: "cpu", Value: 4000}, {Name: "sum", Value: -7}, {Name: "fraction", Of: "memory", Ratio: 0.125},
		{Name: "points", Of: "example.com/rack=b", Value: 1 << 40}, {Name: "never heard of", Value: 1}, {Name: "max"},
	}
	packed := Figures(packFigures(nil, all))
	if got := packed.All(); !slices.Equal(got, all) {
		t.Errorf("got  %v\nwant %v", got, all)
	}
	score := Score{Plugin: "NodeResourcesFit", Figures: packed}
	data, err := json.Marshal(score)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), `"figures":[{"name":"capacity","of":"cpu","value":4000},{"name":"sum","value":-7},`) {
		t.Errorf("%s", data)
	}
	var back Score
	if err := json.Unmarshal(data, &back); err != nil || back != score {
		t.Errorf("%v %v", err, back)
	}
	if none, _ := json.Marshal(Score{}); strings.Contains(string(none), "figures") {
		t.Errorf("%s", none)
	}
}
