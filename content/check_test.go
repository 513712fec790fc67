package content

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// spoilt is what is written in the course that tests spoil: enough for each kind of file, and soon read.
// TestTheCourseHolds reads all there is.
var spoilt = regexp.MustCompile(`^(lessons/0[23]-.*|exercises/02-.*|bank/[^/]*|stories/1-.*|(diagrams|analogies|lenses)/.*|pictures/.*|[^/]*)$`)

// course is the built-in course, short, with some files changed, added, or taken away (nil).
func course(t *testing.T, changes map[string]*string) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	err := fs.WalkDir(Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !spoilt.MatchString(name) {
			return err
		}
		data, err := fs.ReadFile(Files(), name)
		all[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range changes {
		if text == nil {
			delete(all, name)
		} else {
			all[name] = &fstest.MapFile{Data: []byte(*text)}
		}
	}
	return all
}

// TestTheProverFinds spoils the course in one place at a time: the prover names the
// file, the line where there is one, and what is wrong.
func TestTheProverFinds(t *testing.T) {
	const (
		fr   = "lessons/03-api-server/3.1-roles.fr.md"
		en   = "lessons/03-api-server/3.1-roles.en.md"
		head = "---\npoint: \"Un point.\"\nterms: [etcd]\n---\n"
	)
	short := map[string]*string{fr: ptr(head + "Un texte.\n"), en: ptr(head + "A text.\n")}
	for _, tt := range []struct {
		name    string
		file    string // where to change
		old     string // "": the whole file is new
		new     string
		problem string
	}{
		{"more messages", en, "", head + "A text.\n---\nMore.\n", en + ": 2 messages, 1 in French"},
		{"other command", en, "", head + "A text.\n\ntry: /kubectl get pods\n", en + ":5: message 1 offers other commands"},
		{"other parts", en, "", head + "A text.\n\n> A quote.\n", en + ":5: message 1 is made of other parts"},
		{"a title in one language", en, "", head + "## Title\nA text.\n", en + ":5: message 1 has a title in one language"},
		{"a missing language", en, "", "", en + ": lesson 3.1 is missing in this language"},
		{"too long", fr, "", head + strings.Repeat("Un texte. ", 100) + "\n", fr + ":5: a message has 999 characters"},
		{"a link to no lesson", fr, "", head + "Un [lien](lesson:3.9).\n", fr + ":5: a link leads nowhere: lesson:3.9"},
		{"a link to no term", fr, "", head + "Un [lien](term:zzz).\n", fr + ":5: a link leads nowhere: term:zzz"},
		{"a link without TLS", fr, "", head + "Un [lien](http://example.com).\n", fr + ":5: a link leads nowhere: http"},
		{"no such diagram", fr, "", head + "Un texte.\n\n```diagram zzz\n```\n", fr + ":5: there is no diagram zzz"},
		{"no such view", fr, "", head + "Un texte.\n\n```diagram placement formation\n```\n", fr + ":5: the diagram placement is not drawn in the words of formation"},
		{"a wide listing", fr, "", head + "Un texte.\n\n```text\n" + strings.Repeat("x", 45) + "\n```\n", fr + ":5: row 1 of a drawing or listing has 45 columns"},
		{"an open fence", fr, "", head + "Un texte.\n\n```text\nx\n", fr + ":7: a fenced block is not closed"},
		{"a try without slash", fr, "", head + "Un texte.\n\ntry: kubectl get pods\n", fr + ":7: try: is followed by a command"},
		{"an expect without try", fr, "", head + "Un texte.\n\nexpect: x\n", fr + ":7: expect: follows a try:"},
		{"a title inside", fr, "", head + "Un texte.\n# Titre\n", fr + ":6: a title is one line"},
		{"typography", fr, "", head + "Un texte.\n\nVraiment ?\n", fr + ":7: no space before ; ! ?"},
		{"a word taken from English", fr, "", head + "Un texte.\n\nLe cluster est prêt.\n", fr + ":7: say grappe (…Le cluster"},
		{"typography of the point", fr, "", "---\npoint: \"Vraiment ?\"\nterms: []\n---\nUn texte.\n", fr + ":2: no space before ; ! ?"},
		{"no point", fr, "", "---\nterms: []\n---\nUn texte.\n", fr + ":2: the front matter has no point"},
		{"no such term", fr, "", "---\npoint: \"Un point.\"\nterms: [zzz]\n---\nUn texte.\n", fr + ":3: the glossary has no term zzz"},
		{"no front matter", fr, "", "Un texte.\n", fr + ":1: begins without front matter"},
		{"a misspelt key", fr, "", "---\npont: \"Un point.\"\n---\nUn texte.\n", fr + ":2: the key pont is not known here"},
		{"a stray file", "lessons/03-api-server/3.4-plus.fr.md", "", head + "Un texte.\n", "lessons/03-api-server/3.4-plus.fr.md: the table of contents"},
		{"broken YAML", "course.yaml", "title:", "title: [", "course.yaml:"},
		{"a cycle", "course.yaml", `requires: ["2.1"]`, `requires: ["2.2"]`, "course.yaml:25: lesson 2.2 requires 2.2, which is not a lesson before it"},
		{"an untranslated title", "course.yaml", `, en: "Conclusion"`, "", "course.yaml:141: a text is missing in English"},
		{"an analogy of nothing", "analogies/1-formation.yaml", "concept: pod", "concept: pot", "the glossary has no term pot"},
		{"an analogy without a picture", "analogies/1-formation.yaml", "diagram: control-plane", "diagram: zzz", "analogies/1-formation.yaml: there is no diagram zzz"},
		{"a glossary that leads nowhere", "glossary.yaml", `lesson: "3.2"`, `lesson: "3.9"`, `leads to lesson "3.9"`},
		{"a lens with a gap", "lenses/formation.yaml", "  noticed:\n", "  zzz:\n", ": no sentence for noticed"},
		{"a lens with an unknown kind", "lenses/formation.yaml", "  noticed:\n", "  zzz:\n", ": zzz is not a kind of step"},
		{"a sentence that cannot be told", "lenses/technique.yaml", "({{.Code}})", "({{.Zzz}})", "can't evaluate field Zzz"},
		{"a template that does not parse", "lenses/technique.yaml", "{{actor .Actor}} surveillait", "{{zzz .Actor}} surveillait", `function "zzz" not defined`},
		{"a sentence that goes on", "lenses/technique.yaml", "({{.Code}})", "({{if true}}{{range 1000000000}}x{{end}}{{end}})", "a sentence has no {{range}}"},
		{"a fact that does not exist", "lenses/technique.yaml", "when: {what: evict}", "when: {wat: evict}", "when: wat is not a fact"},
		{"a lens untranslated", "lenses/technique.yaml", `en: "{{actor .Actor}} was watching: it sees the change ({{object .}})."`, "", "a text is missing in English (en)"},
		{"a wide diagram", "diagrams/control-plane.technique.fr.txt", "Vous", strings.Repeat("V", 40), "row 1 of a drawing or listing has 69 columns"},
		{"a diagram without its alt", "diagrams/control-plane.technique.fr.txt", "alt: >-", "x: >-", "diagrams/control-plane.technique.fr.txt:3: the key x is not known here"},
		{"a drawing untranslated", "diagrams/control-plane.yaml", `, en: "API server"`, "", "diagrams/control-plane.yaml:10: a text is missing"},
		{"a drawing without words", "diagrams/control-plane.yaml", `    api: {fr: "Serveur API", en: "API server"}`, "", "diagrams/control-plane.yaml: words: technique has none for api"},
		{"a drawing in other words", "diagrams/control-plane.yaml", "  formation:", "  formasion:", "diagrams/control-plane.yaml: words: formasion: the diagram"},
		{"a drawing's words unused", "diagrams/control-plane.yaml", "    etcd: etcd", "    etcd: etcd\n    zzz: etcd", "diagrams/control-plane.yaml:13: words: nothing drawn says zzz"},
		{"a drawing too large", "diagrams/control-plane.yaml", "box: [268, 104, 72, 56]", "box: [268, 104, 172, 56]", ": 440, 160 is outside the drawing of 360 by 412 points"},
		{"a part of no kind", "diagrams/control-plane.yaml", "{box: [268, 104, 72, 56], words", "{words", ": a part is a frame, a box, a text, an arrow, a line or a mark"},
		{"a part misspelt", "diagrams/control-plane.yaml", "{box: [268", "{bocks: [268", ": the key bocks is not known here"},
		{"half an arrow", "diagrams/control-plane.yaml", "[222, 132, 268, 132]", "[222, 132, 268]", ": an arrow or a line goes through two points or more"},
		{"no such tone", "diagrams/control-plane.yaml", "tone: good", "tone: pink", ": there is no tone pink"},
		{"a drawing of nothing", "diagrams/zzz.yaml", "", "height: 100\n", "diagrams/zzz.yaml: there is no such diagram made of characters"},
		{"a lesson that is none", "exercises/02-technique/2.1-ecart.yaml", `lesson: "2.1"`, `lesson: "2.9"`, `there is no lesson "2.9"`},
		{"no such form", "exercises/02-technique/2.1-ecart.yaml", `form: worked`, `form: easy`, `form: "easy" is none of`},
		{"an unknown kind of object", "exercises/02-technique/2.1-ecart.yaml", `object: deployment/boutique`, `object: deploiment/boutique`, `kubectl knows no kind "deploiment"`},
		{"an unknown kind of step", "exercises/02-technique/2.1-ecart.yaml", `happened: committed`, `happened: zzz`, `zzz is not a kind of step`},
		{"an unknown fact", "exercises/02-technique/2.1-ecart.yaml", `where: {actor: kubectl`, `where: {zzz: kubectl`, `where: zzz is not a fact`},
		{"a blank in a worked step", "exercises/02-technique/2.1-ecart.yaml", `deployment boutique --replicas=4"`, `deployment boutique --replicas=____"`, `a worked step gives its command in full`},
		{"images", "images.yaml", "repository: nginx\n", "", "images.yaml: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			changes := map[string]*string{}
			if strings.HasPrefix(tt.file, "lessons/") {
				for name, text := range short {
					changes[name] = text
				}
			}
			text := tt.new
			if tt.old != "" {
				data, _ := fs.ReadFile(Files(), tt.file)
				if !strings.Contains(string(data), tt.old) {
					t.Fatalf("%s no longer holds %q", tt.file, tt.old)
				}
				text = strings.Replace(string(data), tt.old, tt.new, 1)
			}
			changes[tt.file] = &text
			if tt.old == "" && tt.new == "" {
				changes[tt.file] = nil
			}
			var found []string
			for _, p := range Check(course(t, changes)) {
				found = append(found, p.String())
			}
			for _, p := range found {
				if strings.Contains(p, tt.problem) {
					return
				}
			}
			t.Errorf("%q is not among:\n%s", tt.problem, strings.Join(found, "\n"))
		})
	}
}

func ptr[T any](v T) *T { return &v }
