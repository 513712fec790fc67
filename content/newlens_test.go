package content

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"timonier/sim/trace"
)

// hospital is the third lens, as a teacher would add it: one file.
func hospital(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("testdata/hopital.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const hospitalFile = "lenses/hopital.yaml"

// TestALensIsAFile: a third lens is taught as soon as its file is there, and tells every kind of step.
func TestALensIsAFile(t *testing.T) {
	text := hospital(t)
	files := course(t, map[string]*string{hospitalFile: &text})
	for _, p := range Check(files) {
		t.Error(p)
	}
	c, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	lens, ok := c.Lens("hopital")
	if !ok {
		t.Fatal("it is not one of the course's lenses")
	}
	for _, s := range samples() {
		for _, lang := range Langs() {
			if told, err := lens.tell(lang, factsOf(s)); err != nil || !strings.HasSuffix(told, ".") && !strings.HasSuffix(told, "?") {
				t.Errorf("%s %s: %q, %v", lang, s.Kind, told, err)
			}
		}
	}
}

// TestTheProverNamesWhatALensLacks takes kinds of steps, words of its news and a language out of the third lens: the prover names what is missing, with the file and the line.
func TestTheProverNamesWhatALensLacks(t *testing.T) {
	whole := hospital(t)
	line := func(text, key string) int {
		return 1 + slices.IndexFunc(strings.Split(text, "\n"), func(row string) bool { return strings.HasPrefix(row, key) })
	}
	without := func(key string) string {
		return regexp.MustCompile(`(?m)^  `+key+`:\n(?:    .*\n)+`).ReplaceAllString(whole, "")
	}
	lacks := func(text, want string) {
		t.Helper()
		if text == whole {
			t.Fatalf("nothing was taken out for %q", want)
		}
		problems := fmt.Sprint(Check(course(t, map[string]*string{hospitalFile: &text})))
		if !strings.Contains(problems, want) {
			t.Errorf("want %q in: %s", want, problems)
		}
	}
	none := whole
	for _, kind := range trace.Kinds() {
		none = regexp.MustCompile(`(?m)^  `+string(kind)+`:\n(?:    .*\n)+`).ReplaceAllString(none, "")
	}
	none = strings.Replace(none, "sentences:\n", "sentences: {}\n", 1)
	all := fmt.Sprint(Check(course(t, map[string]*string{hospitalFile: &none})))
	for _, kind := range trace.Kinds() {
		if want := fmt.Sprintf("%s:%d: no sentence for %s", hospitalFile, line(none, "sentences:"), kind); !strings.Contains(all, want) {
			t.Errorf("want %q in: %s", want, all)
		}
	}
	for _, kind := range []trace.Kind{trace.Asked, trace.Disarmed} {
		text := without(string(kind))
		lacks(text, fmt.Sprintf("%s:%d: no sentence for %s", hospitalFile, line(text, "sentences:"), kind))
	}
	text := without("stuck")
	lacks(text, fmt.Sprintf("%s:%d: news: no words for stuck", hospitalFile, line(text, "news:")))
	last := strings.Replace(whole, "    - fr: \"{{object .}} prend sa garde", "    - when: {kind: Pod}\n      fr: \"{{object .}} prend sa garde", 1)
	lacks(last, fmt.Sprintf("%s:%d: no sentence for started that holds in every case", hospitalFile, line(last, "  started:")+1))
	lacks(strings.Replace(whole, "      en: \"Copy `{{.Member}}` of the board catches up.\"\n", "", 1),
		fmt.Sprintf("%s:%d: a text is missing in English (en)", hospitalFile, line(whole, "  caught-up:")+1))
}

// TestTheReadmeShowsTheHospital: what README.md quotes of the third lens stands in its file, line for line.
func TestTheReadmeShowsTheHospital(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	whole, quoted := hospital(t), 0
	_, example, _ := strings.Cut(string(data), "l'hôpital\n")
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(example, 2) {
		for line := range strings.Lines(block[1]) {
			quoted++
			if !strings.Contains(whole, line) {
				t.Errorf("testdata/hopital.yaml has no line %s", line)
			}
		}
	}
	if quoted < 20 {
		t.Errorf("%d lines of it", quoted)
	}
}
