package apiserver

import (
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// TestValidateTranscript: the errors of Kubernetes 1.37.2 for what a learner may
// write. testdata/validate_pods.txt holds manifests, each with the real server's answer.
func TestValidateTranscript(t *testing.T) {
	text, err := os.ReadFile("testdata/validate_pods.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range readCases(t, string(text)) {
		t.Run(c.title, func(t *testing.T) {
			if got := c.answers(t); !slices.Equal(got, c.want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

type validationCase struct {
	title, manifest string
	want            []string
}

// readCases reads blocks of a title (== …), a manifest, ---- and one error a line.
func readCases(t *testing.T, text string) (cases []validationCase) {
	t.Helper()
	for _, block := range strings.Split(text, "== ")[1:] {
		head, answer, ok := strings.Cut(block, "----\n")
		title, manifest, _ := strings.Cut(head, "\n")
		if !ok {
			t.Fatalf("%q has no answer", title)
		}
		c := validationCase{title: title, manifest: manifest}
		for line := range strings.Lines(answer) {
			if line = strings.TrimSuffix(line, "\n"); line != "" {
				c.want = append(c.want, line)
			}
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	return cases
}

// workloadRow is the row of a kind, of those of this file.
func workloadRow(t testing.TB, kind string) Resource {
	t.Helper()
	for _, r := range []Resource{podResource(), replicaSetResource(), deploymentResource()} {
		if r.Kind == kind {
			return r
		}
	}
	t.Fatalf("no kind %q", kind)
	return Resource{}
}

// objectFrom reads a manifest, into the default namespace.
func objectFrom(t testing.TB, manifest string) (Resource, Object) {
	t.Helper()
	var of struct {
		Kind string `json:"kind"`
	}
	if err := yaml.Unmarshal([]byte(manifest), &of); err != nil {
		t.Fatal(err)
	}
	r := workloadRow(t, of.Kind)
	o := r.New()
	if err := yaml.UnmarshalStrict([]byte(manifest), o); err != nil {
		t.Fatal(err)
	}
	o.SetNamespace("default")
	return r, o
}

// created is what becomes of a manifest before it is validated.
func created(t testing.TB, manifest string) (Resource, Object) {
	t.Helper()
	r, o := objectFrom(t, manifest)
	r.Default(o)
	r.PrepareForCreate(o)
	return r, o
}

func (c validationCase) answers(t *testing.T) []string {
	t.Helper()
	r, o := created(t, c.manifest)
	return errorLines(r.Validate(o))
}

func errorLines(errs field.ErrorList) (lines []string) {
	for _, e := range errs {
		lines = append(lines, e.Error())
	}
	return lines
}
