package content

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestFaultsOfYAMLArePlain: the mistakes of whoever writes YAML for the first time are told with
// the very line, and with what to do; never in words of the parser or of the program's own types.
func TestFaultsOfYAMLArePlain(t *testing.T) {
	whole := strings.Split(`id: "2.1-x"
lesson: "2.1"
form: worked
title: {fr: "Un titre", en: "A title"}
scene:
  fr: "Une scène sur
    deux lignes."
  en: "A scene"
start:
  - "/kubectl get pods"
steps:
  - task: {fr: "À faire", en: "To do"}
    show: "/kubectl get nodes"
    hints:
      - {fr: "un", en: "one"}
      - {fr: "deux", en: "two"}
      - {fr: "trois", en: "three"}
    checks:
      - object: deployment/x
        fields: {spec.replicas: "3"}
        missing: {fr: "Il manque", en: "It lacks"}
    solution: ["/kubectl get nodes"]
    why: {fr: "Parce que", en: "Because"}
members: 3
done: {fr: "Fini", en: "Done"}`, "\n")
	for _, tt := range []struct {
		line     int
		new      string
		faults   string
		nextLine bool // told on the line after, where it shows
	}{
		{4, `title: {fr: "Un titre, en: "A title"}`, "a comma, a quotation mark or the closing } is missing", false},
		{4, `title: {fr: "Un titre", en: "A title"`, "a comma, a quotation mark or the closing } is missing", false},
		{5, `scene: Voici: une scène`, `put a text that has a colon between quotation marks`, false},
		{8, `  en: "A scene`, "or a quotation mark or a colon is missing", false},
		{14, "\thints:", "a tab at the beginning of the line", false},
		{18, `   checks:`, "this line is not indented like those that it goes with", false},
		{18, `      checks:`, "this line is not indented like those that it goes with", false},
		{13, `    show: @node`, "a text that begins like this goes between quotation marks", false},
		{13, `    show: *`, "a text that begins with * or & goes between quotation marks", false},
		{13, `    show: "\kubectl"`, `a \ is doubled`, false},
		{19, `      - objet: deployment/x`, "the key objet is not known here", false},
		{24, `members: trois`, "a number is expected: trois", false},
		{25, `done: "Fini"`, `a text is written in both languages: {fr: "…", en: "…"}, not Fini alone`, false},
		{9, `start: "/kubectl get pods"`, "", true},
		{22, `    solution: "/kubectl get nodes"`, "a list is expected: [/kubect...]", false},
		{25, `done: "Fini`, "a quotation mark is opened here and not closed", false},
		{24, `form: alone`, "the key form is there twice", false},
	} {
		lines := slices.Clone(whole)
		lines[tt.line-1] = tt.new
		l := &loader{files: fstest.MapFS{"x.yaml": {Data: []byte(strings.Join(lines, "\n"))}}, broken: map[string]bool{}}
		var f exerciseFile
		if l.yaml("x.yaml", &f) || !l.broken["x.yaml"] {
			t.Errorf("%q is read", tt.new)
			continue
		}
		line := tt.line
		if tt.nextLine {
			line++
		}
		if want := fmt.Sprintf("x.yaml:%d: ", line); len(l.problems) != 1 || !strings.HasPrefix(l.problems[0].String(), want) || !strings.Contains(l.problems[0].Text, tt.faults) {
			t.Errorf("%q: want %s%s, got %v", tt.new, want, tt.faults, l.problems)
		}
	}
	var f exerciseFile
	l := &loader{files: fstest.MapFS{"x.yaml": {Data: []byte(strings.Join(whole, "\n"))}}, broken: map[string]bool{}}
	if !l.yaml("x.yaml", &f) {
		t.Errorf("the whole: %v", l.problems)
	}
}

// TestOneMistakeIsToldOnce: what hangs on a file that cannot be read is not called wrong as well.
func TestOneMistakeIsToldOnce(t *testing.T) {
	const fr, en = "lessons/03-api-server/3.1-roles.fr.md", "lessons/03-api-server/3.1-roles.en.md"
	for _, tt := range []struct{ name, file, old, new, fault string }{
		{"the contents", "course.yaml", `requires: ["2.1"]`, `requires: "2.1"`, "a list is expected"},
		{"the glossary", "glossary.yaml", "terms:\n", "terms:\n\t\n  x\n", "a tab"},
		{"a lens", "lenses/formation.yaml", "{{actor .Actor}}", "{{acteur .Actor}}", `function "acteur" not defined`},
		{"a lesson's language", en, "", "", "lesson 3.1 is missing in this language"},
		{"a lesson in another encoding", fr, "", "\xe9", "is not text in UTF-8: save it again"},
		{"a lesson's first lines", fr, "---\n", "", "begins without front matter"},
	} {
		var text *string
		if tt.old != "" {
			data, _ := fs.ReadFile(Files(), tt.file)
			text = ptr(strings.Replace(string(data), tt.old, tt.new, 1))
		} else if tt.new != "" {
			text = &tt.new
		}
		problems := Check(course(t, map[string]*string{tt.file: text}))
		if len(problems) != 1 || problems[0].File != tt.file || !strings.Contains(problems[0].Text, tt.fault) {
			t.Errorf("%s: want one fault, %s: %q; got %d: %.500v", tt.name, tt.file, tt.fault, len(problems), problems)
		}
	}
}
