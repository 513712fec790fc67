package slack

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/store"
	"timonier/content"
)

// TestTheWholeCourseFits plays the course from start to end in both languages: every answer is a
// message of Slack's, whole, before its pictures are there and after. Nothing of the course is cut
// off into a file.
func TestTheWholeCourseFits(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole course is long")
	}
	speak := speaker(t)
	for _, lang := range content.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			data, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "walk.db"), store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer data.Close()
			now := time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC)
			tutor := bot.New(bot.Config{Store: data, Now: func() time.Time { return now }, Limits: bot.Limits{Output: 1800, Rates: bot.Unlimited()}})
			say := func(id string, data map[string]any) string { return speak(string(lang), id, data) }
			for i, stop := range bot.Walk(content.Default(), lang) {
				now = now.Add(10 * time.Second)
				r := bot.Request{ID: fmt.Sprint(i), Platform: "slack", Tenant: "T1", Channel: "D2", Who: bot.Person{ID: "U3"},
					Locale: string(lang), Line: stop.Line, Direct: true, Alone: true, Pictures: bot.ThemeLight}
				err := tutor.Handle(context.Background(), r, func(r bot.Reply) {
					m, files := render(r, say)
					check(t, m)
					ids := make([]string, len(files))
					for i, f := range files {
						ids[i] = fmt.Sprint("F", i)
						if f.Type == "text/markdown" {
							t.Errorf("%s: the answer is too long for a message:\n%s", stop.Line, f.Data)
						}
					}
					check(t, m.withPictures(ids))
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := tutor.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
