package apiserver

import (
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// TestDefaultsTranscript: what Kubernetes 1.37.2 makes of manifests at creation,
// before the plugins of admission. testdata/default_pods.txt holds each with the real server's answer.
func TestDefaultsTranscript(t *testing.T) {
	text, err := os.ReadFile("testdata/default_pods.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range readCases(t, string(text)) {
		t.Run(c.title, func(t *testing.T) {
			want := strings.Join(c.want, "\n") + "\n"
			if got := c.stored(t); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// stored is the object of a manifest as it would be written, in YAML.
func (c validationCase) stored(t *testing.T) string {
	t.Helper()
	r, o := objectFrom(t, c.manifest)
	o.SetCreationTimestamp(metav1.NewTime(monday))
	r.Default(o)
	r.Default(o) // twice is once
	r.PrepareForCreate(o)
	o.SetCreationTimestamp(metav1.Time{})
	if errs := r.Validate(o); len(errs) > 0 {
		t.Error(errs.ToAggregate())
	}
	b, err := yaml.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
