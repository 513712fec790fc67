package kubectl

import (
	"context"
	"strings"
	"testing"

	"timonier/sim"
	"timonier/sim/apiserver"
)

func TestOutOfReach(t *testing.T) {
	for line, want := range map[string]string{
		"exec -it web -- sh":                 "command exec",
		"-n kube-system edit deploy/web":     "command edit",
		"get pods --kubeconfig=/etc/passwd":  "flag --kubeconfig",
		"get pods --server https://10.0.0.1": "flag --server",
		"get pods":                           "",
		"get pods exec":                      "",
		"delete pod edit":                    "",
		"run web --image=nginx -- cp a b":    "",
		"run web --image=nginx -- x --token": "",
		"get pods -n auth":                   "",
	} {
		got := ""
		if r := outOfReach(strings.Fields(line)); r != nil {
			got = string(r.What) + " " + r.Word
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// TestRefusedOnceParsed: what only a parsed command line shows. An editor would be started, the process's own input
// read, a file opened, and some outputs would never end.
func TestRefusedOnceParsed(t *testing.T) {
	t.Setenv("KUBE_EDITOR", "false")
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	many := strings.Repeat("'items',", 30) + "'items'"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"apply", "edit-last-applied", "node", "node-1"}, "command apply edit-last-applied"},
		{[]string{"__complete", "get", ""}, "command __complete"},
		{[]string{"apply", "-f", `"-"`}, "file -"},
		{[]string{"apply", "-f", "\"-\"\nx"}, "file -"},
		{[]string{"apply", "-f", "/dev/stdin"}, "file /dev/stdin"},
		{[]string{"get", "nodes", "-o", "go-template={{range 999999999999}}{{end}}"}, "output go-template"},
		{[]string{"get", "nodes", "-o", "template", "--template={{.kind}}"}, "output template"},
		{[]string{"get", "nodes", "--template={{range 999999999999}}{{end}}"}, "flag --template"},
		{[]string{"get", "nodes", "-o", "templatefile=x"}, "output templatefile"},
		{[]string{"get", "nodes", "-o", "custom-columns-file=x"}, "output custom-columns-file"},
		{[]string{"get", "nodes", "-o", "jsonpath={[" + many + "]}"}, "output jsonpath"},
		{[]string{"get", "nodes", "-o", "jsonpath={..a..a..a..a}"}, "output jsonpath"},
		{[]string{"get", "nodes", "-o", "jsonpath={range .items[*]}{.metadata.name},{end}"}, ""},
		{[]string{"get", "nodes", "-o", "custom-columns=" + strings.Repeat("N:.kind,", 30) + "N:.kind"}, ""},
		{[]string{"get", "nodes", "-o", "custom-columns=" + strings.Repeat("N:.kind,", 100) + "N:.kind"}, "output custom-columns"},
	} {
		got := ""
		r := Run(context.Background(), c, tt.args, "")
		if r.Refused != nil {
			got = string(r.Refused.What) + " " + r.Refused.Word
		}
		if got != tt.want || r.Code != 0 && r.Refused == nil {
			t.Errorf("%q: %q, want %q; code %d %s", tt.args, got, tt.want, r.Code, r.Stderr)
		}
	}
}

// TestWaitsEndWithTheContext: who gave the command a deadline is not kept beyond it.
func TestWaitsEndWithTheContext(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := Run(context.Background(), c, strings.Fields("create deployment web --image=nginx"), "")
	if r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, line := range []string{"rollout status deployment/web", "wait --for=condition=Available deployment/web --timeout=1h"} {
		if r := Run(ctx, c, strings.Fields(line), ""); r.Code == 0 && !r.GaveUp || r.Waited > 0 {
			t.Errorf("%s: code %d, gave up %t, waited %v", line, r.Code, r.GaveUp, r.Waited)
		}
	}
}

// TestPanicsInWatches: client-go reads a watch in a goroutine of its own; what breaks there is met by who runs the command.
func TestPanicsInWatches(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if r := Run(context.Background(), c, strings.Fields("create deployment web --image=nginx"), ""); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	c.Server().Observe(func(apiserver.Event) { panic("bug") })
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Run(context.Background(), c, strings.Fields("get pods -w"), "")
}
