package sim

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What a cluster is said to take is near what it takes, whatever is in it.
func TestFootprint(t *testing.T) {
	images := images(t)
	for _, tt := range []struct {
		name        string
		pods        int32
		maps, bytes int
		later       time.Duration // compacted meanwhile
	}{
		{"empty", 0, 0, 0, 0}, {"a lesson", 10, 0, 0, 0}, {"a lesson, later", 10, 0, 0, 30 * time.Minute},
		{"a hundred pods", 100, 0, 0, 0}, {"large objects", 0, 20, 100_000, 0}, {"small objects", 0, 500, 1000, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			saved := disk{}
			c := newCluster(t, Config{Images: images})
			if tt.pods > 0 {
				create(t, c, deployment("web", tt.pods, "1m"))
				if !c.Until(5*time.Minute, func() bool { return ready(c, "web") == tt.pods }) {
					t.Fatal("not all became ready")
				}
			}
			for i := range tt.maps {
				create(t, c, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("m", i), Namespace: "default"}, Data: map[string]string{"x": strings.Repeat("y", tt.bytes)}})
			}
			if err := c.AdvanceTo(c.Now().Add(tt.later)); err != nil {
				t.Fatal(err)
			}
			saved.save(t, c)
			var kept [5]*Cluster
			before := heap()
			for i := range kept {
				var err error
				if kept[i], err = Load(saved.records(), Config{Images: images}); err != nil {
					t.Fatal(err)
				}
			}
			takes, said := int64(heap()-before)/int64(len(kept)), kept[0].Footprint()
			runtime.KeepAlive(kept)
			if ratio := float64(said) / float64(takes); ratio < 0.6 || ratio > 1.8 {
				t.Errorf("%d bytes are said of %d: × %.2f", said, takes, ratio)
			}
		})
	}
}
