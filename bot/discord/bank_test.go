package discord

import (
	"regexp"
	"strings"
	"testing"

	"timonier/bot"
	"timonier/bot/classroom"
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
			validate := specification(t, "MessageCreateRequest")
			say := func(id string, data map[string]any) string { return speaker.Say(string(c.lang), id, data) }
			seen := map[classroom.Moment]int{}
			class := classroom.Class{Course: content.Default(), Store: newMemory(), Lang: c.lang, Theme: c.theme, See: func(s classroom.Shown) {
				seen[s.Moment]++
				m, files := render(s.Reply, say)
				text := checkMessage(t, m, files)
				validate(t, m)
				wholly(t, s, m, files, text)
				if t.Failed() {
					t.Fatalf("%s %s:\n%s", s.Item.ID, s.Moment, text)
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
func wholly(t *testing.T, s classroom.Shown, m message, files []upload, text string) {
	t.Helper()
	for _, f := range files {
		if f.Type != "image/png" {
			t.Errorf("%s goes along", f.Name)
		}
	}
	want, got := len(s.Reply.Buttons), 0
	if s.Reply.Prompt != nil {
		want++
	}
	labels := map[string]bool{}
	for _, row := range m.Components {
		for _, b := range row.Components {
			if b.Type == typeButton {
				labels[b.Label] = true
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
	text = bare(text)
	for _, what := range s.Texts() {
		if !strings.Contains(text, bare(what)) {
			t.Errorf("%q cannot be read", what)
		}
	}
}

var marks = regexp.MustCompile("[\\\\`*_\\s\u2028]+|\u200b")

// bare is a text without marks and blanks.
func bare(s string) string { return marks.ReplaceAllString(s, "") }
