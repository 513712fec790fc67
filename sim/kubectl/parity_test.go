package kubectl

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// testdata/parity holds what an unmodified Kubernetes 1.37.2 answered: scenarios (what is asked, in which cluster) and
// recordings (the answers, normalised). They are replayed here in process, and each step's answer and the state in
// which a scenario leaves the cluster have to be the same. What is not is listed, with its reason, in differences.yaml.
//
// The real control plane had KWOK for kubelets, so that a recording says nothing of what a kubelet does; here the
// nodes are hollow (kubelet.Env).
//
// The same scenarios can be put to timonier api by the real kubectl, with the rig's recorder; -recordings compares what
// it recorded, and differences-kubectl.yaml lists what differs then.

// parityBar is the share of the steps that have to be equal.
const parityBar = 0.97

var (
	forgetGone = flag.Bool("update-differences", false, "drop from differences.yaml what no longer differs")
	parityDir  = flag.String("parity", "testdata/parity", "the directory of scenarios and recordings")
	otherParty = flag.String("recordings", "", "compare the recordings in this directory, of another server, instead of replaying")
)

// A scenario is what is asked, and how the cluster is before.
type scenario struct {
	Name           string         `json:"name"`
	Nodes          []scenarioNode `json:"nodes"`
	Ties           bool           `json:"ties"`
	UnstableEvents string         `json:"unstableEvents"`
	Steps          []scenarioStep `json:"steps"`
}

type scenarioNode struct {
	Name   string            `json:"name"`
	CPU    string            `json:"cpu"`
	Memory string            `json:"memory"`
	Pods   string            `json:"pods"`
	Labels map[string]string `json:"labels"`
	Taints []string          `json:"taints"` // key=value:Effect
}

// scenarioStep is a command, a wait for peace, or a node that falls silent.
type scenarioStep struct {
	Run      string `json:"run"`
	Stdin    string `json:"stdin"`
	Settle   bool   `json:"settle"`
	StopNode string `json:"stopNode"`
	Unstable string `json:"unstable"` // why its answer is not to be compared
}

// recording is what was answered.
type recording struct {
	Steps []recordedStep `json:"steps"`
	Final map[string]any `json:"final"`
}

type recordedStep struct {
	scenarioStep
	recordedAnswer
}

type recordedAnswer struct {
	Exit   *int     `json:"exit"`
	Stdout []string `json:"stdout"`
	Stderr []string `json:"stderr"`
}

// difference is an entry of differences.yaml: a step by its number from 1, or final and its part.
type difference struct {
	Scenario string `json:"scenario"`
	Step     string `json:"step"`
	Reason   string `json:"reason"`
	detail   string
}

func (d difference) key() string { return d.Scenario + " " + d.Step }

func TestParity(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(*parityDir, "scenarios/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	var found []difference
	equal, total := 0, 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			var s scenario
			readYAML(t, file, &s)
			want := readRecording(t, filepath.Join(*parityDir, "recordings", name+".json"))
			var got *recording
			if *otherParty == "" {
				got = replayScenario(t, &s)
			} else {
				got = readRecording(t, filepath.Join(*otherParty, name+".json"))
			}
			differ, steps := compare(&s, want, got)
			found = append(found, differ...)
			wrong := 0
			for _, d := range differ {
				if !strings.HasPrefix(d.Step, "final") {
					wrong++
				}
				t.Logf("%s, step %s\n%s", d.Scenario, d.Step, d.detail)
			}
			equal, total = equal+steps-wrong, total+steps
			t.Logf("%s: %d of %d steps equal", name, steps-wrong, steps)
		})
	}
	if total == 0 {
		return
	}
	share := float64(equal) / float64(total)
	t.Logf("%d of %d steps equal: %.1f %%", equal, total, 100*share)
	if share < parityBar {
		t.Errorf("%.1f %% of the steps are equal; at least %.0f %% have to be", 100*share, 100*parityBar)
	}
	list := filepath.Join(*parityDir, "differences.yaml")
	if *otherParty != "" {
		list = filepath.Join(*parityDir, "differences-kubectl.yaml")
	}
	listed(t, list, found)
}

// listed checks that what differs is what is listed.
func listed(t *testing.T, file string, found []difference) {
	var list []difference
	readYAML(t, file, &list)
	seen := map[string]bool{}
	for _, d := range found {
		seen[d.key()] = true
		if !slices.ContainsFunc(list, func(l difference) bool { return l.key() == d.key() }) {
			t.Errorf("%s, step %s differs and is not listed:\n%s", d.Scenario, d.Step, d.detail)
		}
	}
	kept := list[:0:0]
	for _, l := range list {
		switch {
		case strings.TrimSpace(l.Reason) == "":
			t.Errorf("%s, step %s is listed without a reason", l.Scenario, l.Step)
		case !seen[l.key()] && !*forgetGone && *otherParty == "": // another server plays in real time: some differ by chance
			t.Errorf("%s, step %s no longer differs: take it off the list (-update-differences does)", l.Scenario, l.Step)
		}
		if seen[l.key()] {
			kept = append(kept, l)
		}
	}
	if *forgetGone && len(kept) < len(list) {
		if err := os.WriteFile(file, listOf(kept), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func listOf(all []difference) []byte {
	var b bytes.Buffer
	for _, d := range all {
		fmt.Fprintf(&b, "- {scenario: %s, step: %q, reason: %q}\n", d.Scenario, d.Step, d.Reason)
	}
	return b.Bytes()
}

// compare says what differs, and how many steps were compared.
func compare(s *scenario, want, got *recording) (differ []difference, steps int) {
	for i, w := range want.Steps {
		if w.Run == "" || w.Unstable != "" {
			continue
		}
		steps++
		g := got.Steps[i]
		detail := ""
		if *w.Exit != *g.Exit {
			detail += fmt.Sprintf("exit: want %d, got %d\n", *w.Exit, *g.Exit)
		}
		detail += diff("stdout", canonical(w.Stdout), canonical(g.Stdout))
		detail += diff("stderr", canonical(w.Stderr), canonical(g.Stderr))
		if detail != "" {
			differ = append(differ, difference{Scenario: s.Name, Step: fmt.Sprint(i + 1), detail: "$ " + w.Run + "\n" + detail})
		}
	}
	for _, part := range finalParts {
		detail := diff(part, entries(want.Final[part]), entries(got.Final[part]))
		if detail == "" || part == "events" && s.UnstableEvents != "" {
			continue
		}
		differ = append(differ, difference{Scenario: s.Name, Step: "final " + part, detail: detail})
	}
	return differ, steps
}

// finalParts are what a final state is made of.
var finalParts = []string{"nodes", "pods", "spread", "workloads", "endpoints", "objects", "events"}

// entries are the elements of a part of a final state, a line each, sorted.
func entries(part any) (lines []string) {
	switch part := part.(type) {
	case []any:
		for _, e := range part {
			lines = append(lines, oneLine(e))
		}
	case map[string]any:
		for k, e := range part {
			lines = append(lines, k+": "+oneLine(e))
		}
	}
	slices.Sort(lines)
	return lines
}

func oneLine(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// diff shows what lines are only wanted (-) or only there (+), with what both have between them.
func diff(what string, want, got []string) string {
	if slices.Equal(want, got) {
		return ""
	}
	n, m := len(want), len(got)
	common := make([][]int, n+1) // the length of the longest common rest
	for i := range common {
		common[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if want[i] == got[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n", what)
	for i, j := 0, 0; i < n || j < m; {
		switch {
		case i < n && j < m && want[i] == got[j]:
			fmt.Fprintf(&b, "    %s\n", want[i])
			i, j = i+1, j+1
		case j == m || i < n && common[i+1][j] >= common[i][j+1]:
			fmt.Fprintf(&b, "  - %s\n", want[i])
			i++
		default:
			fmt.Fprintf(&b, "  + %s\n", got[j])
			j++
		}
	}
	return b.String()
}

func readYAML(t testing.TB, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func readRecording(t *testing.T, file string) *recording {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return &r
}
