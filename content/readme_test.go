package content

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"timonier/locales"
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
	for _, p := range Check(course(t, map[string]*string{
		"lessons/03-api-server/3.1-roles.fr.md": &blocks[0][1],
		"lessons/03-api-server/3.1-roles.en.md": &blocks[1][1],
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
