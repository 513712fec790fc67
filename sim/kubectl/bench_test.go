package kubectl

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"timonier/sim"
	"timonier/sim/kubelet"
)

// `kubectl get pods` of a hundred pods: kubectl itself, the API server, the table.
func BenchmarkGetPods(b *testing.B) {
	data, err := os.ReadFile("../../content/images.yaml")
	if err != nil {
		b.Fatal(err)
	}
	images, err := kubelet.ParseImages(data)
	if err != nil {
		b.Fatal(err)
	}
	c, err := sim.New(sim.Config{Images: images})
	if err != nil {
		b.Fatal(err)
	}
	if r := Run(b.Context(), c, strings.Fields("create deployment web --image=nginx:1.29 --replicas=100"), ""); r.Code != 0 {
		b.Fatal(r.Stderr)
	}
	if err := c.AdvanceTo(c.Now().Add(time.Minute)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if r := Run(context.Background(), c, []string{"get", "pods"}, ""); strings.Count(r.Stdout, " 1/1 ") != 100 {
			b.Fatal(r.Stdout, r.Stderr)
		}
	}
}
