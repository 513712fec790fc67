package main

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timonier/content"
)

// smallCourse is the built-in course, in a directory, with few lessons written, so that it is soon proved.
func smallCourse(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, content.Files()); err != nil {
		t.Fatal(err)
	}
	for _, glob := range []string{"lessons/*", "exercises/*", "stories/*"} {
		found, _ := filepath.Glob(filepath.Join(dir, glob))
		for _, path := range found {
			if strings.Contains(path, "02-technique") {
				continue
			}
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil {
			err = os.Chmod(path, 0o700)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	questions, _ := filepath.Glob(filepath.Join(dir, "bank/*/*.yaml"))
	for _, path := range questions {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "bank/02-technique"), 0o700); err != nil {
		t.Fatal(err)
	}
	overwrite(t, dir, "bank/02-technique/2.1.yaml", foretold)
	change(t, dir, "glossary.yaml", "    try:", "    #try:", -1)
	change(t, dir, "glossary.yaml", "    expect:", "    #expect:", -1)
	return dir
}

// foretold is a file of questions, with one that the simulator answers.
const foretold = `lesson: "2.1"
items:
  - id: "2.1-pods"
    kind: predict
    difficulty: 1
    objective: self-healing
    ask: {fr: "Un pod est supprimé. Et une minute plus tard?", en: "A pod is deleted. And one minute later?"}
    why: {fr: "Le contrôleur en recrée un.", en: "The controller makes another."}
    start: ["/kubectl create deployment web --image=nginx --replicas=2", {fr: "/temps avance 1m", en: "/time forward 1m"}]
    run: ["/kubectl delete pods -l app=web", {fr: "/temps avance 1m", en: "/time forward 1m"}]
    options:
      - {right: true, text: {fr: "Deux pods", en: "Two pods"}, checks: [{objects: pods, count: "2"}]}
      - {text: {fr: "Un pod", en: "One pod"}, is: pod-is-repaired, why: {fr: "Non.", en: "No."}, checks: [{objects: pods, count: "1"}]}
      - {text: {fr: "Aucun", en: "None"}, is: pod-is-repaired, why: {fr: "Non.", en: "No."}, checks: [{objects: pods, count: "0"}]}
`

// change replaces text in a file.
func change(t *testing.T, dir, file, old, new string, times int) {
	t.Helper()
	path := filepath.Join(dir, file)
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), old) {
		t.Fatalf("%s does not hold %q: %v", file, old, err)
	}
	overwrite(t, dir, file, strings.Replace(string(data), old, new, times))
}

// story puts the first story of the built-in course into a directory, spoilt.
func story(t *testing.T, dir, old, new string) {
	t.Helper()
	const file = "stories/1-jean.yaml"
	data, err := fs.ReadFile(content.Files(), file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "stories"), 0o700); err != nil {
		t.Fatal(err)
	}
	overwrite(t, dir, file, string(data))
	change(t, dir, file, old, new, 1)
}

func overwrite(t *testing.T, dir, file, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheck(t *testing.T) {
	const fr, exercise, questions = "lessons/02-technique/2.1-fonctions.fr.md", "exercises/02-technique/2.1-ecart.yaml", "bank/02-technique/2.1.yaml"
	dir := smallCourse(t)
	if got := program(t, nil, "", "check", dir, "--lang", "en"); got.code != 0 || !strings.Contains(got.out, "2 lessons, 3 exercises, 1 questions") || got.errors != "" {
		t.Fatalf("got %+v", got)
	}
	for n, tt := range []struct {
		name  string
		spoil func(dir string)
		fault string // with the directory before it
	}{
		{"broken YAML", func(dir string) { overwrite(t, dir, "course.yaml", "title: [\n") }, "course.yaml:"},
		{"a missing language", func(dir string) { os.Remove(filepath.Join(dir, "lessons/02-technique/2.1-fonctions.en.md")) }, "2.1-fonctions.en.md: lesson 2.1 is missing in this language"},
		{"a dangling link", func(dir string) { change(t, dir, fr, "(lesson:2.2)", "(lesson:2.9)", 1) }, "a link leads nowhere: lesson:2.9"},
		{"a cycle", func(dir string) { change(t, dir, "course.yaml", `requires: ["2.1"]`, `requires: ["2.2"]`, 1) }, "lesson 2.2 requires 2.2"},
		{"a command that answers something else", func(dir string) {
			change(t, dir, fr, "expect: node-1", "expect: node-9", 1)
			change(t, dir, strings.Replace(fr, ".fr.", ".en.", 1), "expect: node-1", "expect: node-9", 1)
		},
			fr + ":12: /kubectl get nodes does not answer \"node-9\""},
		{"a solution that does not solve", func(dir string) {
			change(t, dir, exercise, "      - \"/kubectl scale deployment boutique --replicas=4\"", "      - \"/kubectl scale deployment boutique --replicas=3\"", 1)
		},
			"step 1: its solution does not reach it: deployment/boutique"},
		{"a start that solves", func(dir string) {
			change(t, dir, exercise, "--image=nginx --replicas=2", "--image=nginx --replicas=4", 1)
		},
			exercise + ":12: step 1 is reached from the start"},
		{"a prediction that does not come true", func(dir string) { change(t, dir, questions, `count: "2"`, `count: "3"`, 1) },
			questions + ": 2.1-pods: option 1 is said to be right, and does not come true: pods"},
		{"another prediction that comes true", func(dir string) { change(t, dir, questions, `count: "1"`, `count: ">=1"`, 1) },
			questions + ": 2.1-pods: option 2 is said to be wrong, and comes true"},
		{"a prediction that cannot begin", func(dir string) { change(t, dir, questions, "--replicas=2", "--replicas=x", 1) },
			questions + ": 2.1-pods: the start: /kubectl create deployment web"},
		{"an unknown misconception", func(dir string) { change(t, dir, questions, "is: pod-is-repaired", "is: zzz", 1) },
			questions + `:3: 2.1-pods: option 2 names no misconception that there is: "zzz"`},
		{"a question with nothing right", func(dir string) {
			change(t, dir, questions, "right: true, ", "is: pod-is-repaired, why: {fr: a, en: b}, ", 1)
		},
			questions + ":3: 2.1-pods: no answer is right"},
		{"a question of another lesson", func(dir string) { change(t, dir, questions, `lesson: "2.1"`, `lesson: "2.2"`, 1) },
			questions + ":3: the questions of lesson 2.2 belong in bank/02-technique/2.2.yaml"},
		{"words that do not fit a drawing", func(dir string) {
			change(t, dir, "diagrams/control-plane.yaml", `api: {fr: "Serveur API"`, `api: {fr: "`+strings.Repeat("Serveur API de la grappe entière ", 9)+`"`, 1)
		}, "diagrams/control-plane.yaml: drawn for technique, fr: "},
		{"boxes that overlap", func(dir string) {
			change(t, dir, "diagrams/control-plane.yaml", "box: [268, 104, 72, 56]", "box: [200, 104, 140, 56]", 1)
		}, "diagrams/control-plane.yaml: drawn for formation, en: the box "},
		{"a story in which nothing holds", func(dir string) { story(t, dir, `app=boutique, count: "1"}`, `app=boutique, count: "7"}`) },
			"stories/1-jean.yaml:124: beat 2, run one: no option holds"},
		{"a story in which two options hold", func(dir string) { story(t, dir, `closed: "0"`, `closed: ">0"`) },
			"beat 2, run one: the options that hold are B, C"},
		{"a picture that is none", func(dir string) { os.WriteFile(filepath.Join(dir, "pictures/x.png"), []byte("x"), 0o600) }, "pictures/x.png: is not a PNG"},
		{"a binary file", func(dir string) { overwrite(t, dir, fr, "\x89PNG\x00\xff") }, "is not text in UTF-8"},
		{"a huge file", func(dir string) { overwrite(t, dir, fr, strings.Repeat("x", 2<<20)) }, "has more than 1 MiB"},
		{"a directory in place of a file", func(dir string) { os.Remove(filepath.Join(dir, fr)); os.Mkdir(filepath.Join(dir, fr), 0o700) }, "is not a file"},
		{"a symlink out of the directory", func(dir string) {
			outside := filepath.Join(t.TempDir(), "x.md")
			data, _ := os.ReadFile(filepath.Join(dir, fr))
			os.WriteFile(outside, data, 0o600)
			os.Remove(filepath.Join(dir, fr))
			os.Symlink(outside, filepath.Join(dir, fr))
		}, "escapes from parent"},
		{"an empty directory", func(dir string) { os.RemoveAll(dir); os.Mkdir(dir, 0o700) }, "course.yaml: cannot be read"},
		{"no directory", func(dir string) { os.RemoveAll(dir) }, ": no such file or directory"},
		{"a file in place of the directory", func(dir string) { os.RemoveAll(dir); os.WriteFile(dir, nil, 0o600) }, "not a directory"},
	} {
		if testing.Short() && n%5 != 0 {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			spoilt := filepath.Join(t.TempDir(), "course")
			if err := os.CopyFS(spoilt, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			tt.spoil(spoilt)
			got := program(t, nil, "", "check", "--lang", "en", spoilt)
			if got.code != 1 || !strings.Contains(got.out, tt.fault) || !strings.HasPrefix(got.out, spoilt) || !strings.Contains(got.errors, "Faults: ") {
				t.Errorf("%q is not in %+v", tt.fault, got)
			}
		})
	}
}

func TestCheckBadUsage(t *testing.T) {
	for _, args := range [][]string{{"check", "a", "b"}, {"check", "--zzz"}, {"check", "--lang", "de"}} {
		if got := program(t, nil, "", args...); got.code != 2 || got.out != "" || strings.Count(got.errors, "\n") != 1 {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if got := program(t, nil, "", "check", "--help"); got.code != 0 || !strings.Contains(got.out, "timonier check") {
		t.Errorf("help: %+v", got)
	}
}

func TestContentAtTheStart(t *testing.T) {
	dir, data := smallCourse(t), filepath.Join(t.TempDir(), "t.db")
	change(t, dir, "course.yaml", "Le plan de contrôle de Kubernetes", "Le cours de Léa", 1)
	if got := program(t, nil, "/cours\n", "--data", data, "--content", dir); got.code != 0 || !strings.Contains(got.out, "Le cours de Léa") {
		t.Errorf("got %+v", got)
	}
	overwrite(t, dir, "course.yaml", "title: [\n")
	if got := program(t, nil, "/cours\n", "--data", data, "--content", dir); got.code != 1 || got.out != "" ||
		!strings.Contains(got.errors, "course.yaml:") || !strings.Contains(got.errors, "--content") {
		t.Errorf("broken: %+v", got)
	}
}

// class is what a courseWatch teaches, for a test to look at.
type class struct {
	taught  []*content.Course
	refused [][]content.Problem
	doubted [][]content.Problem
}

func (c *class) Teach(course *content.Course)    { c.taught = append(c.taught, course) }
func (c *class) Refuse(faults []content.Problem) { c.refused = append(c.refused, faults) }
func (c *class) Doubt(faults []content.Problem)  { c.doubted = append(c.doubted, faults) }

// A course that can be read is taught from the start; what only running it shows is told when it is known.
func TestTheCourseOfTheStartIsProvedBeside(t *testing.T) {
	dir := smallCourse(t)
	for _, spoilt := range []bool{false, true} {
		if spoilt {
			change(t, dir, "exercises/02-technique/2.1-ecart.yaml", "--image=nginx --replicas=2", "--image=nginx --replicas=4", 1)
		}
		course, w, err := openCourse(dir)
		if err != nil || course == nil {
			t.Fatal(err)
		}
		var c class
		var log strings.Builder
		w.tutor, w.logger = &c, slog.New(slog.NewTextHandler(&log, nil))
		ctx, cancel := context.WithCancel(t.Context())
		ticks, ended := make(chan time.Time), make(chan struct{})
		go func() { w.run(ctx, ticks); close(ended) }()
		ticks <- time.Time{} // taken once the course has been run
		cancel()
		<-ended
		if want := map[bool]string{false: "the course that is taught holds", true: "step 1 is reached from the start"}[spoilt]; !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log: %s", want, log.String())
		}
		if len(c.taught)+len(c.refused) > 0 || (len(c.doubted) == 1) != spoilt {
			t.Errorf("spoilt %v: %+v", spoilt, c)
		}
	}
}

func TestTheCourseIsReadAgainWhenItChanges(t *testing.T) {
	dir := smallCourse(t)
	_, w, err := openCourse(dir)
	if err != nil {
		t.Fatal(err)
	}
	var c class
	var log strings.Builder
	w.tutor, w.logger = &c, slog.New(slog.NewTextHandler(&log, nil))
	looks := func(n int) {
		for range n {
			w.look(t.Context())
		}
	}
	want := func(when string, taught, refused int) {
		t.Helper()
		if len(c.taught) != taught || len(c.refused) != refused {
			t.Errorf("%s: taught %d times, refused %d times; want %d, %d\n%s", when, len(c.taught), len(c.refused), taught, refused, log.String())
		}
	}
	looks(3)
	want("nothing has changed", 0, 0)
	overwrite(t, dir, "course.yaml", "title: [\n")
	looks(1)
	want("it may still be changing", 0, 0)
	looks(4)
	want("it is broken, and said so once", 0, 1)
	if len(c.refused) > 0 && !strings.Contains(c.refused[0][0].String(), filepath.Join(dir, "course.yaml")) || !strings.Contains(log.String(), "the course has faults") {
		t.Errorf("%v\n%s", c.refused, log.String())
	}
	data, _ := fs.ReadFile(content.Files(), "course.yaml")
	overwrite(t, dir, "course.yaml", strings.Replace(string(data), "Le plan de contrôle de Kubernetes", "Le cours de Léa", 1))
	looks(5)
	want("it is mended", 1, 1)
	if len(c.taught) > 0 && c.taught[0].Title.FR != "Le cours de Léa" {
		t.Errorf("taught: %s", c.taught[0].Title.FR)
	}
	change(t, dir, "exercises/02-technique/2.1-ecart.yaml", "--image=nginx --replicas=2", "--image=nginx --replicas=4", 1)
	looks(5)
	want("it can be read, and does not prove", 1, 2)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	looks(6)
	want("it is gone, and said so once", 1, 3)
}

func TestAProofThatPanicsIsAFault(t *testing.T) {
	faults := proved(content.Proof{Name: "lesson 2.1 (fr)", Run: func() []content.Problem { panic("no cluster") }})
	if len(faults) != 1 || faults[0].String() != "lesson 2.1 (fr): panic: no cluster" {
		t.Errorf("%v", faults)
	}
}
