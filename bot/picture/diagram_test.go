package picture

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"timonier/content"
)

var update = flag.Bool("update", false, "rewrite the lists of what is drawn")

// TestDiagrams draws every diagram of the course, in each lens's words, in both languages and both
// themes: nothing overlaps, sticks out or is cut.
func TestDiagrams(t *testing.T) {
	var list strings.Builder
	for _, d := range content.Default().Diagrams {
		for _, lens := range slices.Sorted(maps.Keys(d.Views)) {
			for _, lang := range content.Langs() {
				for _, theme := range []Theme{Light, Dark} {
					c, ok := Diagram(d, lens, lang, theme)
					if !ok {
						t.Errorf("%s has no drawing", d.Name)
						continue
					}
					name := fmt.Sprintf("%s.%s.%s.%v", d.Name, lens, lang, theme)
					for _, f := range c.Faults() {
						t.Errorf("%s: %s", name, f)
					}
					shows(t, name, c)
					if theme == Light {
						fmt.Fprintf(&list, "# %s.%s.%s\n%s\n\n", d.Name, lens, lang, strings.Join(c.List(), "\n"))
					}
				}
			}
		}
	}
	golden(t, "diagrams.txt", list.String())
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == got {
		return
	}
	was, is := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range min(len(was), len(is)) {
		if was[i] != is[i] {
			t.Fatalf("%s:%d: drawn otherwise\n was %s\n now %s\n(-update, then read the difference and look at the pictures)", file, i+1, was[i], is[i])
		}
	}
	t.Fatalf("%s: %d lines, now %d", file, len(was), len(is))
}

// TestDiagramNames holds what a drawing's file may name against what is drawn.
func TestDiagramNames(t *testing.T) {
	for i, name := range content.Tones() {
		if toneNamed(name) != Tone(i) {
			t.Errorf("no tone is called %s", name)
		}
	}
	for _, name := range content.Signs() {
		if signNamed(name) == NoSign {
			t.Errorf("no sign is called %s", name)
		}
	}
	if len(content.Tones()) != int(tones) || len(content.Signs()) != int(signs)-1 {
		t.Errorf("%d tones of %d, %d signs of %d", len(content.Tones()), tones, len(content.Signs()), signs-1)
	}
}

// TestTheReadmesDrawing draws the example that teachers copy.
func TestTheReadmesDrawing(t *testing.T) {
	readme, err := os.ReadFile("../../content/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, ok := strings.Cut(string(readme), "```yaml\nheight:")
	example, _, closed := strings.Cut(example, "```")
	if !ok || !closed {
		t.Fatal("content/README.md shows no drawing")
	}
	files := fstest.MapFS{}
	err = fs.WalkDir(content.Files(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(content.Files(), name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files["diagrams/scheduler-funnel.yaml"] = &fstest.MapFile{Data: []byte("height:" + example)}
	course, err := content.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := course.Diagram("scheduler-funnel")
	c, ok := Diagram(d, content.Technique, content.FR, Light)
	if !ok || len(c.List()) < 8 {
		t.Fatal("nothing is drawn")
	}
	for _, f := range c.Faults() {
		t.Error(f)
	}
	shows(t, "readme", c)
}
