package discord

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/store"
	"timonier/content"
)

// TestTheWholeCourseFits plays the course from start to end in both languages: every answer is a
// message of Discord's, whole. Nothing of the course is cut off into a file.
func TestTheWholeCourseFits(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole course is long")
	}
	validate := specification(t, "MessageCreateRequest")
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
			say := func(id string, data map[string]any) string { return speaker.Say(string(lang), id, data) }
			for i, stop := range bot.Walk(content.Default(), lang) {
				now = now.Add(10 * time.Second)
				r := bot.Request{ID: fmt.Sprint(i), Platform: "discord", Tenant: "1", Channel: "2", Who: bot.Person{ID: "3"},
					Locale: string(lang), Line: stop.Line, Direct: true, Alone: true, Pictures: bot.ThemeDark}
				err := tutor.Handle(context.Background(), r, func(r bot.Reply) {
					m, files := render(r, say)
					checkMessage(t, m, files)
					validate(t, m)
					for _, f := range files {
						if strings.HasPrefix(f.Type, "text/markdown") {
							t.Errorf("%s: the answer is too long for a message:\n%s", stop.Line, f.Data)
						}
					}
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
