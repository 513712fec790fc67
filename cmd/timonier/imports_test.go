package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The house's rule of who may import whom. A package that is not here may import nothing of ours.
var mayImport = map[string][]string{
	"timonier/sim/etcd":       {},
	"timonier/sim/trace":      {},
	"timonier/sim/agenda":     {},
	"timonier/sim/apiserver":  {"sim/etcd", "sim/trace"},
	"timonier/sim/scheduler":  {"sim/apiserver", "sim/trace", "sim/agenda"},
	"timonier/sim/controller": {"sim/apiserver", "sim/trace", "sim/agenda"},
	"timonier/sim/kubelet":    {"sim/apiserver", "sim/trace", "sim/agenda"},
	"timonier/sim":            {"sim/etcd", "sim/trace", "sim/agenda", "sim/apiserver", "sim/scheduler", "sim/controller", "sim/kubelet"},
	"timonier/sim/kubectl":    {"sim", "sim/apiserver", "sim/etcd", "sim/trace"},
	"timonier/locales":        {},
	"timonier/content":        {"locales", "sim", "sim/kubectl", "sim/trace", "sim/kubelet", "sim/scheduler"},
	"timonier/bot":            {"content", "locales", "sim", "sim/kubectl", "sim/trace", "sim/apiserver", "sim/scheduler", "sim/kubelet"},
	"timonier/bot/store":      {"bot"},
	"timonier/bot/terminal":   {"bot", "locales"},
	"timonier/cmd/timonier":   {"bot", "bot/store", "bot/terminal", "content", "locales", "sim", "sim/kubectl"},
}

// elsewhere are libraries that only one package knows, and those that none may.
var onlyIn = map[string]string{
	"go.etcd.io/bbolt":     "timonier/bot/store",
	"k8s.io/kubernetes":    "",
	"k8s.io/apiserver":     "",
	"k8s.io/kubectl":       "timonier/sim/kubectl",
	"charm.land/bubbletea": "timonier/bot/terminal",
}

func TestImportsPointOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "timonier/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		pkg, imports := words[0], words[1:]
		allowed, known := mayImport[pkg]
		if !known {
			t.Errorf("%s is not in the table of the house", pkg)
		}
		for _, i := range imports {
			if ours, ok := strings.CutPrefix(i, "timonier/"); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s must not import %s", pkg, i)
			}
			for library, home := range onlyIn {
				if strings.HasPrefix(i, library+"/") || i == library {
					if pkg != home {
						t.Errorf("%s must not import %s", pkg, i)
					}
				}
			}
		}
	}
}
