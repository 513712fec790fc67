package slack

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"timonier/bot"
	"timonier/bot/classroom"
	"timonier/bot/store"
	"timonier/content"
)

// Every question of the bank is shown whole: as it is put to all and to one, while its places are given,
// as it is noted, judged and revealed; with every button, and nothing left for a file.
func TestEveryQuestionFits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang  content.Lang
		theme string
	}{{content.FR, bot.ThemeLight}, {content.EN, bot.ThemeDark}} {
		t.Run(string(c.lang), func(t *testing.T) {
			t.Parallel()
			if testing.Short() && c.lang != content.FR {
				t.Skip("the first language is enough where time is short")
			}
			data, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer data.Close()
			tutor := bot.New(bot.Config{})
			defer tutor.Close()
			say := func(id string, data map[string]any) string { return tutor.Say(string(c.lang), id, data) }
			dialect := dialectOf(tutor.Commands())
			seen := map[classroom.Moment]int{}
			class := classroom.Class{Course: content.Default(), Store: data, Lang: c.lang, Theme: c.theme, See: func(s classroom.Shown) {
				seen[s.Moment]++
				s.Reply = dialect.reply(s.Reply)
				m, files := render(s.Reply, say)
				check(t, m)
				wholly(t, s, m, files)
				if t.Failed() {
					t.Fatalf("%s %s:\n%s", s.Item.ID, s.Moment, m.Text)
				}
			}}
			if err := class.Play(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, moment := range []classroom.Moment{classroom.Asked, classroom.Revealed, classroom.Reviewed, classroom.Judged} {
				if seen[moment] != len(content.Default().Bank().Items) {
					t.Errorf("%d of %d questions are %s", seen[moment], len(content.Default().Bank().Items), moment)
				}
			}
		})
	}
}

// wholly checks that a message has all of a reply that is of a question.
func wholly(t *testing.T, s classroom.Shown, m message, files []upload) {
	t.Helper()
	for _, f := range files {
		if !f.Picture {
			t.Errorf("%s goes along", f.Name)
		}
	}
	want := len(s.Reply.Buttons)
	if s.Reply.Prompt != nil {
		want++
	}
	if s.Reply.Menu != nil {
		want++
	}
	labels, got := map[string]bool{}, 0
	for _, b := range m.Blocks {
		for _, e := range b.Elements {
			if e, ok := e.(button); ok {
				labels[e.Text.Text] = true
				got++
			}
		}
	}
	if got != want {
		t.Errorf("%d buttons of %d", got, want)
	}
	for _, b := range s.Reply.Buttons {
		if !labels[b.Label] {
			t.Errorf("no button says %q", b.Label)
		}
	}
	data, err := json.Marshal(m.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []any
	if err := json.Unmarshal(data, &blocks); err != nil {
		t.Fatal(err)
	}
	text := letters(strings.Join(texts(blocks), ""))
	for _, what := range s.Texts() {
		if !strings.Contains(text, letters(what)) {
			t.Errorf("%q cannot be read", what)
		}
	}
}

var marks = regexp.MustCompile("[\\\\`*\\s\u2028]+|\u200b")

// letters is a text without marks and blanks.
func letters(s string) string { return marks.ReplaceAllString(s, "") }
