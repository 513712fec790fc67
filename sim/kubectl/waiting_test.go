package kubectl

import (
	"context"
	"strings"
	"testing"
	"time"

	"timonier/sim"
)

// TestDescribePrintsMomentsAsTheyAre: to count ages by the cluster's clock, describe is sent other moments than are
// stored; what it prints is what is stored, moments that a learner wrote included.
func TestDescribePrintsMomentsAsTheyAre(t *testing.T) {
	c, err := sim.New(sim.Config{Start: time.Date(2031, 3, 2, 9, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	manifest := `
apiVersion: v1
kind: ConfigMap
metadata: {name: moments, annotations: {written: "2020-01-02T03:04:05Z"}}
data: {opens: "2020-01-02T03:04:05.5Z"}
`
	if r := Run(context.Background(), c, []string{"create", "-f", "-"}, manifest); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	for _, tt := range []struct{ line, want string }{
		{"describe configmap moments", "written: 2020-01-02T03:04:05Z"},
		{"describe configmap moments", "2020-01-02T03:04:05.5Z"},
		{"describe node node-1", "CreationTimestamp:  Sun, 02 Mar 2031 08:59:00 +0000"},
	} {
		if got := Run(context.Background(), c, strings.Fields(tt.line), "").Stdout; !strings.Contains(got, tt.want) {
			t.Errorf("%s: no %q in\n%s", tt.line, tt.want, got)
		}
	}
}

// TestDeleteWaitsForANamespace: its content goes first, then it; kubectl delete comes back when it is gone.
func TestDeleteWaitsForANamespace(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"create namespace team", "run p --image=nginx -n team", "delete namespace team"} {
		if r := Run(context.Background(), c, strings.Fields(line), ""); r.Code != 0 {
			t.Fatal(line, r.Stderr)
		} else if strings.HasPrefix(line, "delete") && r.Waited < time.Second {
			t.Errorf("%s waited %s", line, r.Waited)
		}
	}
	if r := Run(context.Background(), c, []string{"get", "namespace", "team"}, ""); r.Code != 1 {
		t.Errorf("the namespace is still there: %s", r.Stdout)
	}
}
