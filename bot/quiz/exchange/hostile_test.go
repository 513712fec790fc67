package exchange

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"timonier/content"
)

// A file costs no more than its length is worth, whatever is in it.
func TestNoFileTakesLong(t *testing.T) {
	for name, f := range map[string]struct {
		format         Format
		text           string
		taken, refused int
	}{
		"one question of many lines":   {GIFT, strings.Repeat("a\n", 1<<20), 0, 1},
		"many questions of one title":  {GIFT, strings.Repeat("::Titre::Quoi?{=a ~b}\n\n", 20_000), 20_000, 0},
		"many broken questions":        {Moodle, "<quiz>" + strings.Repeat("<question type='x'><a></question>\n", 5_000) + "</quiz>", 0, 5_000},
		"elements that are not closed": {Moodle, "<quiz><question type='x'>" + strings.Repeat("<a>", 300_000), 0, 1},
	} {
		began := time.Now()
		r, err := Import(strings.NewReader(f.text), f.format, Options{Lang: content.FR})
		if err != nil || len(r.Taken) != f.taken || len(r.Refused) != f.refused {
			t.Errorf("%s: %d taken, %d refused, %v", name, len(r.Taken), len(r.Refused), err)
		}
		if took := time.Since(began); took > 20*time.Second { // of a second or two, on a loaded machine
			t.Errorf("%s: %v", name, took)
		}
	}
}

// A broken question is one problem, and the next ones are read: the file's end is none.
func TestOneBrokenQuestionIsOneProblem(t *testing.T) {
	const good = "<question type=\"truefalse\"><name><text>t%d</text></name><questiontext><text>Vrai?</text></questiontext>" +
		"<answer fraction=\"100\"><text>true</text></answer><answer fraction=\"0\"><text>false</text></answer></question>\n"
	text := "<quiz>\n" + fmt.Sprintf(good, 1) + "<question type=\"shortanswer\"><name></question>\n" + fmt.Sprintf(good, 2) + "</quiz>\n"
	for _, text := range []string{text, strings.TrimSuffix(text, "</quiz>\n")} {
		r, err := Import(strings.NewReader(text), Moodle, Options{Lang: content.FR})
		if err != nil || len(r.Taken) != 2 || len(r.Refused) != 1 || r.Refused[0].Line != 3 || r.Taken[1].Line != 4 || r.Fault != nil {
			t.Errorf("%d taken, refused %v, %v %v", len(r.Taken), r.Refused, r.Fault, err)
		}
	}
}
