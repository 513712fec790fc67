package kubectl

import (
	"strings"
	"testing"
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
