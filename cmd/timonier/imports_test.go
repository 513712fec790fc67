package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport is the house's rule of who may import whom, of ours; those that are still to be
// built too. A package that is not here may import nothing, and may not be.
var mayImport = map[string][]string{
	"timonier/sim/etcd":       {},
	"timonier/sim/trace":      {},
	"timonier/sim/agenda":     {},
	"timonier/sim/apiserver":  {"sim/etcd", "sim/trace"},
	"timonier/sim/scheduler":  {"sim/apiserver", "sim/trace", "sim/agenda"},
	"timonier/sim/controller": {"sim/apiserver", "sim/trace", "sim/agenda"},
	"timonier/sim/kubelet":    {"sim/apiserver", "sim/trace", "sim/agenda"},
	"timonier/sim":            {"sim/etcd", "sim/trace", "sim/agenda", "sim/apiserver", "sim/scheduler", "sim/controller", "sim/kubelet"},
	"timonier/sim/kubectl":    {"sim", "sim/apiserver", "sim/etcd", "sim/trace"}, // a server of its own, to read the types from
	"timonier/sim/etcdctl":    {"sim", "sim/etcd", "sim/trace"},

	"timonier/locales":     {},
	"timonier/content":     {"locales", "sim", "sim/apiserver", "sim/kubectl", "sim/trace", "sim/kubelet", "sim/scheduler"},
	"timonier/bot/quiz":    {"content"},
	"timonier/bot/picture": {"content", "sim", "sim/trace"},
	"timonier/bot":         {"bot/quiz", "bot/quiz/exchange", "bot/picture", "content", "locales", "sim", "sim/kubectl", "sim/etcdctl", "sim/trace", "sim/apiserver", "sim/scheduler", "sim/kubelet"},

	"timonier/bot/quiz/exchange": {"content"},

	"timonier/bot/store":    {"bot"},
	"timonier/bot/terminal": {"bot"},
	"timonier/bot/discord":  {"bot"},
	"timonier/bot/slack":    {"bot"},
	"timonier/cmd/timonier": {"bot", "bot/quiz/exchange", "sim/scheduler", "bot/store", "bot/terminal", "bot/discord", "bot/slack", "bot/quiz", "bot/picture", "content", "locales", "sim", "sim/kubectl", "sim/apiserver", "sim/controller", "sim/kubelet"},

	// A class that plays all questions, for the front ends' tests.
	"timonier/bot/classroom": {"bot", "bot/quiz", "content"},

	// The platforms' local stand-ins: for tests, and for the program that rehearses with them.
	"timonier/bot/discord/discordtest": {},
	"timonier/bot/slack/slacktest":     {},
	"timonier/cmd/rehearse":            {"bot/discord/discordtest", "bot/slack/slacktest"},
}

// inTests is what tests may import besides: parts of the simulator are tested on its real store,
// and with images of their own; front ends against their platform's stand-in, and the real store.
var inTests = map[string][]string{
	"timonier/sim/scheduler":  {"sim/etcd"},
	"timonier/sim/controller": {"sim/etcd"},
	"timonier/sim/kubelet":    {"sim/etcd"},
	"timonier/sim/kubectl":    {"sim/kubelet", "sim/controller", "sim/etcdctl"},
	"timonier/sim/etcdctl":    {"sim/apiserver"},
	"timonier/bot/discord":    {"bot/discord/discordtest", "bot/store", "bot/classroom", "locales", "content"},
	"timonier/bot/slack":      {"bot/slack/slacktest", "bot/store", "bot/classroom", "locales", "content"},
	"timonier/cmd/timonier":   {"bot/discord/discordtest", "bot/slack/slacktest"},
}

// onlyIn are libraries that only one package knows, and those that none may.
var onlyIn = map[string]string{
	"go.etcd.io/bbolt":                          "timonier/bot/store",
	"go.etcd.io/raft":                           "", // tests compare with it
	"k8s.io/kubernetes":                         "",
	"k8s.io/apiserver":                          "",
	"k8s.io/kubectl":                            "timonier/sim/kubectl",
	"github.com/bwmarrin/discordgo":             "timonier/bot/discord",
	"github.com/slack-go/slack":                 "timonier/bot/slack",
	"github.com/open-spaced-repetition/go-fsrs": "timonier/bot/quiz",
	"github.com/prometheus/client_golang":       "timonier/bot",
	"charm.land/bubbletea":                      "timonier/bot/terminal",
	"charm.land/bubbles":                        "timonier/bot/terminal",
	"charm.land/lipgloss":                       "timonier/bot/terminal",
}

func TestImportsPointOneWay(t *testing.T) {
	const format = `{{.ImportPath}}|{{join .Imports " "}}|{{join .TestImports " "}} {{join .XTestImports " "}}`
	out, err := exec.Command("go", "list", "-f", format, "timonier/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		pkg := fields[0]
		allowed, known := mayImport[pkg]
		if !known {
			t.Errorf("%s is not in the table of the house", pkg)
		}
		for _, i := range strings.Fields(fields[1]) {
			checkOurs(t, pkg, i, allowed)
			checkLibrary(t, pkg, i)
		}
		for _, i := range strings.Fields(fields[2]) {
			checkOurs(t, pkg, i, append(slices.Clone(allowed), inTests[pkg]...))
		}
	}
}

func checkOurs(t *testing.T, pkg, imported string, allowed []string) {
	t.Helper()
	if ours, ok := strings.CutPrefix(imported, "timonier/"); ok && imported != pkg && !slices.Contains(allowed, ours) {
		t.Errorf("%s must not import %s", pkg, imported)
	}
}

func checkLibrary(t *testing.T, pkg, imported string) {
	t.Helper()
	for library, home := range onlyIn {
		if imported != library && !strings.HasPrefix(imported, library+"/") || pkg == home {
			continue
		}
		t.Errorf("%s must not import %s", pkg, imported)
	}
}

// TestTheTableHasNoCircle: who imports whom, as the table has it, comes to an end.
func TestTheTableHasNoCircle(t *testing.T) {
	const walking, walked = 1, 2
	state := map[string]int{}
	var walk func(pkg string)
	walk = func(pkg string) {
		if state[pkg] == walking {
			t.Fatalf("a circle through %s", pkg)
		}
		if state[pkg] == walked {
			return
		}
		state[pkg] = walking
		for _, next := range mayImport[pkg] {
			if _, known := mayImport["timonier/"+next]; !known {
				t.Errorf("%s may import %s, which is not in the table", pkg, next)
			}
			walk("timonier/" + next)
		}
		state[pkg] = walked
	}
	for pkg := range mayImport {
		walk(pkg)
	}
}
