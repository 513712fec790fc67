package content

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"timonier/locales"
	"timonier/sim/trace"
)

// TestTheReadmeTeachesWhatWorks takes the lesson that README.md shows, in both
// languages, and proves it in the place of another.
func TestTheReadmeTeachesWhatWorks(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)````markdown\n(---\n.*?)````").FindAllStringSubmatch(string(data), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d complete lessons, want one in each language", len(blocks))
	}
	exercise := regexp.MustCompile("(?s)````yaml\n(id: .*?)````").FindStringSubmatch(string(data))
	if len(exercise) != 2 {
		t.Fatal("no complete exercise")
	}
	bank := regexp.MustCompile("(?s)````yaml\n(lesson: .*?)````").FindStringSubmatch(string(data))
	if len(bank) != 2 {
		t.Fatal("no complete file of questions")
	}
	for _, p := range Check(course(t, map[string]*string{
		"bank/03-api-server/3.1.yaml":           &bank[1],
		"lessons/03-api-server/3.1-roles.fr.md": &blocks[0][1],
		"lessons/03-api-server/3.1-roles.en.md": &blocks[1][1],
		"exercises/02-technique/2.1-ecart.yaml": &exercise[1],
	})) {
		t.Error(p)
	}
	prose := regexp.MustCompile("(?s)````.*?````").ReplaceAllString(string(data), "")
	bare := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(prose, "")
	for _, p := range locales.CheckFrench(strings.ReplaceAll(bare, "``", "`")) {
		t.Errorf("README.md: %s", p)
	}
	for name := range conditions {
		if !strings.Contains(prose, "`"+name+"`") {
			t.Errorf("README.md does not name the fact %s", name)
		}
	}
	for name := range (&telling{}).functions() {
		if !strings.Contains(prose, "{{"+name+" ") && !strings.Contains(prose, "("+name+" ") && name != "nodes" {
			t.Errorf("README.md does not name the function %s", name)
		}
	}
}

// TestTheReadmeTellsAllChecks holds the tables of an exercise's checks against what there is, and the
// patterns against what they are said to fit.
func TestTheReadmeTellsAllChecks(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## Un exercice\n")
	tables, _, _ := strings.Cut(section, "Voici un exemple complet")
	for f := range reflect.TypeFor[Condition]().Fields() {
		key := f.Tag.Get("yaml")
		row := regexp.MustCompile("(?m)^\\| `(" + key + ": [^`]*)` \\|").FindStringSubmatch(tables)
		switch {
		case key == "" || key == "missing":
		case row == nil:
			t.Errorf("no row for %s", key)
		default: // and the example can be read
			d := yaml.NewDecoder(strings.NewReader(row[1]))
			d.KnownFields(true)
			if err := d.Decode(new(Condition)); err != nil {
				t.Errorf("%s: %v", row[1], err)
			}
		}
	}
	for _, kind := range trace.Kinds() {
		if !strings.Contains(tables, "`"+string(kind)+"`") {
			t.Errorf("the kind %s is not named", kind)
		}
	}
	values := func(cell string) []string {
		if strings.HasPrefix(cell, "rien") {
			return nil
		}
		return []string{strings.Trim(cell, "`")}
	}
	rows := regexp.MustCompile("(?m)^\\| `\"(.*)\"` \\| (.*) \\| (.*) \\|$").FindAllStringSubmatch(tables, -1)
	for _, row := range rows {
		pattern := strings.ReplaceAll(row[1], `\|`, "|")
		if !fits(pattern, values(row[2])) || fits(pattern, values(row[3])) {
			t.Errorf("%q: fits %s: %v; fits %s: %v", pattern, row[2], fits(pattern, values(row[2])), row[3], fits(pattern, values(row[3])))
		}
	}
	if len(rows) < 12 {
		t.Errorf("%d patterns", len(rows))
	}
}

// TestTheReadmeTellsAStoryThatHolds takes the story that README.md shows, and proves it.
func TestTheReadmeTellsAStoryThatHolds(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)````yaml\n(number: 3\n.*?)````").FindSubmatch(data)
	if block == nil {
		t.Fatal("no complete story")
	}
	text := string(block[1])
	files := course(t, map[string]*string{"stories/3-guichet.yaml": &text})
	for _, p := range Check(files) {
		t.Error(p)
	}
	c, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := c.Story(3)
	if !ok {
		t.Fatal("no story 3")
	}
	for _, p := range proveStory(s) {
		t.Error(p)
	}
}

// TestTheReadmeQuotesWhatTheProverSays: what README.md explains of the faults are the prover's own words.
func TestTheReadmeQuotesWhatTheProverSays(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(data), "| elle dit | c'est que |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	quoted := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1)
	if len(quoted) < 20 {
		t.Fatalf("%d faults are explained", len(quoted))
	}
	var source strings.Builder
	for _, pattern := range []string{"*.go", "../locales/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if code, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, "_test.go") {
				source.Write(code)
			}
		}
	}
	for _, q := range quoted {
		words := strings.ReplaceAll(strings.TrimSuffix(q[1], " English"), "…", "%d")
		if !strings.Contains(source.String(), words) {
			t.Errorf("nothing says %q", q[1])
		}
	}
}
