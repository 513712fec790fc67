package kubectl

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

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

// TestManifestsAreReadSideBySide: a command that reads its text and then waits keeps none from reading its own.
func TestManifestsAreReadSideBySide(t *testing.T) {
	if !namesOpen() {
		t.Skip("the system has no name for what is open: commands that read take turns")
	}
	if ReadsInput([]string{"apply", "-f", "-"}) {
		t.Error("it is said to read the process's own input")
	}
	var side sync.WaitGroup
	defer side.Wait()
	other, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	err = withStdin("", func(input) { // within which another command is at work
		r := Run(t.Context(), other, []string{"apply", "-f", "-"}, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
		if r.Stdout != "configmap/a created\n" {
			t.Errorf("%q %q", r.Stdout, r.Stderr)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		side.Go(func() {
			c, err := sim.New(sim.Config{})
			if err != nil {
				t.Error(err)
				return
			}
			for j := range 5 {
				name := fmt.Sprintf("m-%d-%d", i, j)
				r := Run(t.Context(), c, []string{"create", "-f", "-"}, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "+name+"}\n")
				if want := "configmap/" + name + " created\n"; r.Stdout != want {
					t.Errorf("%q %q, want %q", r.Stdout, r.Stderr, want)
				}
			}
		})
	}
}

// TestInputIsCalledSTDIN: what is said of the text, and how many objects it is taken for, is as of standard input.
func TestInputIsCalledSTDIN(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	const one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n"
	for _, tt := range []struct{ line, stdin, want string }{
		{"apply -f -", "a: [", "error: error parsing STDIN: error converting YAML to JSON: yaml: line 1: did not find expected node content\n"},
		{"create -f -", "apiVersion: v1\nkind: Nothing\nmetadata: {name: a}\n", `no matches for kind "Nothing" in version "v1"`},
		{"apply -f -", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nunknown: 1\n", `unknown field "unknown"`},
		{"create -f -", one, "configmap/one created"},
		{"create -f -", one, `Error from server (AlreadyExists): error when creating "STDIN": configmaps "one" already exists`},
		{"get -o name -f -", one, "configmap/one"},
		{"get -o yaml -f -", one, "kind: List"},
		{"apply -f - -f -", one, "standard input"},
	} {
		r := Run(context.Background(), c, strings.Fields(tt.line), tt.stdin)
		if got := r.Stdout + r.Stderr; !strings.Contains(got, tt.want) || strings.Contains(got, "/dev/") {
			t.Errorf("%s: %q, want %q", tt.line, got, tt.want)
		}
	}
}

// TestInputCanBeGiven: each command that takes -f can be given a text, or it would read the process's own.
func TestInputCanBeGiven(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_ = Run(context.Background(), c, []string{"version"}, "")
	r := &run{cluster: c, wire: &wire{}}
	r.getter = newGetter(&wire{cluster: c}, io.Discard)
	r.factory = cmdutil.NewFactory(r.getter)
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if f := cmd.Flags().Lookup("filename"); f != nil {
			if _, isList := f.Value.(pflag.SliceValue); !isList {
				t.Errorf("%s: -f is a %T", cmd.CommandPath(), f.Value)
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(r.root(nil))
}

// TestLongInputs: what kubectl's own code would take minutes for, with nothing to stop it, is refused in a moment.
func TestLongInputs(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	const many = 30_000
	containers := "[" + strings.TrimSuffix(strings.Repeat(`{"name":"c","image":"i"},`, many), ",") + "]"
	web := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: "
	for _, tt := range []struct {
		args  []string
		stdin string
		want  string
	}{
		{append([]string{"get", "pods"}, slices.Repeat([]string{"a"}, 60_000)...), "", "error: too many arguments: 60002, limit is 5000\n"},
		{[]string{"create", "quota", "q", "--hard=" + strings.Repeat("[a=1,", many)}, "", "error: too many arguments: 30001, limit is 5000\n"},
		{[]string{"run", "a", "--image=b", "-l" + strings.Repeat("a=1,", many)}, "", "error: too many arguments: 30001, limit is 5000\n"},
		{[]string{"apply", "-f", "-"}, web + containers, "error: a list has 30000 items, limit is 4000\n"},
		{[]string{"set", "image", "--local", "-f", "-", "*=b"}, web + "\n" + strings.Repeat("  - {name: a, image: b}\n", many), "error: a list has 30000 items, limit is 4000\n"},
		{[]string{"patch", "pod", "a", "-p", `{"spec":{"containers":` + containers + `}}`}, "", "error: a list has 30000 items, limit is 4000\n"},
		{[]string{"patch", "pod", "a", `-p{"spec":{"containers":` + containers + `}}`}, "", "error: a list has 30000 items, limit is 4000\n"},
		{[]string{"run", "a", "--image=b", `--overrides={"spec":{"containers":` + containers + `}}`}, "", "error: a list has 30000 items, limit is 4000\n"},
	} {
		r := Run(t.Context(), c, tt.args, tt.stdin)
		if r.Stdout+r.Stderr != tt.want || r.Code != 1 {
			t.Errorf("%.40q: %.200q %.200q", tt.args, r.Stdout, r.Stderr)
		}
	}
}
