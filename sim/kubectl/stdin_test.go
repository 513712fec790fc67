package kubectl

import (
	"context"
	"os"
	"strings"
	"testing"

	"timonier/sim"
)

// TestManifestsComeFromTheCommand: what follows the line is what -f - reads, however long, and nothing of the process's own input.
func TestManifestsComeFromTheCommand(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	was := os.Stdin
	config := func(name, value string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {a: \"" + value + "\"}\n"
	}
	for _, tt := range []struct{ line, stdin, want string }{
		{"apply -f -", config("one", "1"), "configmap/one created"},
		{"apply -f -", config("one", "2"), "configmap/one configured"},
		{"create -f-", config("two", "1"), "configmap/two created"},
		{"create --filename=-", config("three", strings.Repeat("x", 200<<10)), "configmap/three created"},
		{"apply -f -", config("four", "1") + "---\n" + config("five", "1"), "configmap/four created\nconfigmap/five created"},
		{"delete -f -", config("four", "1"), `configmap "four" deleted`},
		{"apply -f -", "", "error: no objects passed to apply"},
		{"gte pods", "", "error: unknown command \"gte\" for \"kubectl\"\n\nDid you mean this?\n\tget\n"},
		{"get pods -o zzz-", strings.Repeat("x", 200<<10), "error: "}, // it reads nothing
	} {
		r := Run(context.Background(), c, strings.Fields(tt.line), tt.stdin)
		if got := r.Stdout + r.Stderr; !strings.Contains(got, tt.want) {
			t.Errorf("%s: %.300q, want %q", tt.line, got, tt.want)
		}
	}
	if os.Stdin != was {
		t.Error("os.Stdin is not what it was")
	}
}
