package kubelet

import (
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
)

// Whatever a learner writes as a script costs little to work out.
func TestHostileScripts(t *testing.T) {
	images := listed(t)
	f, err := images.find("busybox")
	if err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string]string{
		"a variable that doubles":   "A=xx; for i in $(seq 1 900); do A=$A$A; done; echo $A",
		"loops in loops":            strings.Repeat("for i in $(seq 1 1000); do ", 8) + "echo x; " + strings.Repeat("done; ", 8),
		"empty loops in loops":      strings.Repeat("for i in $(seq 1 1000); do ", 8) + strings.Repeat("done; ", 8),
		"a loop that does nothing":  "while true; do :; done",
		"a deep nest":               strings.Repeat("if true; then ", 5000) + strings.Repeat("fi; ", 5000),
		"a long chain":              strings.Repeat("exec ", 6000) + "true",
		"a very long sleep":         "sleep 1e300; sleep 99999999999d",
		"a range past all integers": "for i in $(seq -9223372036854775808 9223372036854775807); do sleep 1; done",
		"a script without end":      strings.Repeat("sleep 1; ", 1_000_000),
		"quotes left open":          `echo "a 'b`,
		"redirections to nothing":   "> > > < ; & && | ||",
		"sleep of what is no time":  "sleep nan; sleep -5; sleep 5x; exit 9",
	} {
		began := time.Now()
		spec := v1.Container{Name: "c", Image: "busybox", Command: []string{"sh", "-c", script}}
		r := planRun(f.Image, &spec, 1<<30)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: %v", name, took)
		}
		if r.after < 0 || r.after > maxRun {
			t.Errorf("%s: it ends after %v", name, r.after)
		}
		if name == "sleep of what is no time" && (!r.ends || r.code != 9 || r.after != 0) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func FuzzScript(f *testing.F) {
	for _, s := range []string{"sleep 5; exit 1", "while true; do date; sleep 1; done", "for i in {1..3}; do echo \"$i\"; done", "if [ -f /tmp/x ]; then cat /tmp/x; else touch /tmp/x; fi", "a='b c' && echo ${a} | tee > /tmp/x 2>&1 || exit $?"} {
		f.Add(s)
	}
	busybox, err := listed(f).find("busybox")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, script string) {
		spec := v1.Container{Name: "c", Image: "busybox", Command: []string{"sh", "-c", script}}
		a, b := planRun(busybox.Image, &spec, 1<<30), planRun(busybox.Image, &spec, 1<<30)
		if a.ends != b.ends || a.after != b.after || a.code != b.code || len(a.lines) != len(b.lines) {
			t.Errorf("%q: %+v, then %+v", script, a, b)
		}
		if a.after < 0 || a.after > maxRun {
			t.Errorf("%q ends after %v", script, a.after)
		}
	})
}

// Thresholds that take days cost no more wakes than others.
func TestPatientProbes(t *testing.T) {
	w := newWorld(t, 1)
	w.pod("web", `{containers: [{name: c, image: "nginx:1.29", startupProbe: {tcpSocket: {port: 1}, failureThreshold: 100000, periodSeconds: 1}}]}`)
	w.to(27 * time.Hour)
	if w.wakes > 20 {
		t.Errorf("%d wakes", w.wakes)
	}
	w.to(28 * time.Hour)
	if n := w.get("web").Status.ContainerStatuses[0].RestartCount; n != 1 {
		t.Errorf("%d restarts after the threshold", n)
	}
}
