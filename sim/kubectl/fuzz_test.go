package kubectl

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timonier/sim"
)

// Whatever is typed, kubectl answers: it does not panic, says something when it fails, prints no more than it may, waits
// no longer than it may, and leaves a cluster that goes on. The seeds are what the scenarios ask.
func FuzzCommandLine(f *testing.F) {
	files, err := filepath.Glob("testdata/parity/scenarios/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal("no scenarios", err)
	}
	for i, file := range files {
		var s scenario
		readYAML(f, file, &s)
		for j, step := range s.Steps {
			if step.Run != "" && (i+j)%11 == 0 { // the rest are played anyway
				f.Add(strings.TrimPrefix(step.Run, "kubectl "), step.Stdin)
			}
		}
	}
	for _, line := range []string{"", "get", "get pods -o", "get pods -o jsonpath={", "get pods -o jsonpath={range", "get pods -o go-template={{", "get -o custom-columns=A:.a[",
		"--", "-", "-h", "get -f -", "apply -f - -f -", "delete all --all -A", "get pods --sort-by=.", "get pods --sort-by={.a[?(@.b)]}", "patch pod x -p [ --type json",
		"get pods -l (", "get pods --field-selector=,", "wait pod --all --for=jsonpath={.a}=b --timeout=-1s", "wait --for=delete", "create deployment - --image=-", "run x --image= --overrides={",
		"explain pods.", "explain .", "explain a.b --recursive", "logs -f x --tail=-2", "set image deployment/web =", "label node node-1 =", "taint node node-1 a=b:c-", "top pod --sum",
		"drain node-1 --timeout=1h", "rollout status deployment/none -w", "get pods -w --output-watch-events", "auth can-i", "auth whoami -o", "get a/b/c", "get ,", "expose pod x --port=a", "\x00 \xff",
		"get pods --chunk-size=-1", "get pods --show-labels -L , -o wide", "create -f - --dry-run=server --edit", "autoscale deployment web --max=-1", "annotate pod x a=b --all", "replace --force -f -"} {
		f.Add(line, "kind: Pod")
	}
	f.Fuzz(func(t *testing.T, line, stdin string) {
		if len(line) > 4<<10 || len(stdin) > 64<<10 {
			return // the platforms' own bounds are lower
		}
		c, err := sim.New(sim.Config{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		began := c.Now()
		r := Run(ctx, c, strings.Fields(line), stdin)
		if ctx.Err() != nil {
			t.Errorf("%q does not end", line)
		}
		if r.Code != 0 && r.Refused == nil && r.Stdout+r.Stderr == "" && !r.GaveUp {
			t.Errorf("%q fails with %d and says nothing", line, r.Code)
		}
		if n := len(r.Stdout) + len(r.Stderr); n > mostOutput+1<<10 {
			t.Errorf("%q prints %d bytes", line, n)
		}
		if waited := c.Now().Sub(began); waited > longestWait+time.Minute {
			t.Errorf("%q: %v went by", line, waited)
		}
		if err := c.AdvanceTo(c.Now().Add(time.Minute)); err != nil {
			t.Errorf("after %q: %v", line, err)
		}
	})
}
