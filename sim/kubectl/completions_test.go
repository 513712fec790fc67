package kubectl

import (
	"testing"

	"timonier/sim"
)

// Nothing of a line stays in the program's memory after it, whatever the command and however it ends.
func TestNothingStaysInCobra(t *testing.T) {
	c, err := sim.New(sim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	before := len(flagCompletionFunctions)
	for _, line := range [][]string{
		{"get", "pods"}, {"create", "deployment", "web", "--image=nginx"}, {"create", "nothing"}, {"get", "pods", "--no-such-flag"},
		{"delete", "deployment", "web"}, {"rollout", "status", "deploy/none"}, {"explain", "pod"}, {"no-such-command"},
	} {
		Run(t.Context(), c, line, "")
		if n := len(flagCompletionFunctions); n != before {
			t.Errorf("%v leaves %d functions", line, n-before)
		}
	}
}
