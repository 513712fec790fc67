package discord

import (
	"bytes"
	"context"
	"image"
	pngs "image/png"
	"path/filepath"
	"testing"

	"timonier/bot"
	"timonier/bot/store"
	"timonier/content"
)

// A picture that a lesson shows comes to Discord as it is, with its words.
func TestALessonsPicture(t *testing.T) {
	var photo bytes.Buffer
	if err := pngs.Encode(&photo, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
		t.Fatal(err)
	}
	course, err := content.Load(content.Files())
	if err != nil {
		t.Fatal(err)
	}
	course.Pictures = append(course.Pictures, &content.Picture{Name: "photo", PNG: photo.Bytes()})
	l, _ := course.Lesson("1.1")
	page := &l.Messages(content.FR)[0]
	page.Parts = append(page.Parts, content.Image{Picture: "photo", Alt: "Le tableau de la classe."})
	data, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	tutor := bot.New(bot.Config{Store: data, Content: course})
	defer tutor.Close()
	r := bot.Request{ID: "1", Platform: "discord", Tenant: "1", Channel: "2", Who: bot.Person{ID: "3"}, Locale: "fr", Line: "/cours 1.1", Pictures: bot.ThemeDark}
	err = tutor.Handle(context.Background(), r, func(r bot.Reply) {
		m, files := render(r, func(id string, data map[string]any) string { return speaker.Say("fr", id, data) })
		checkMessage(t, m, files)
		if len(files) != 1 || files[0].Name != "photo.png" || files[0].Description != "Le tableau de la classe." || !bytes.Equal(files[0].Data, photo.Bytes()) {
			t.Errorf("%+v", files)
		}
	})
	if err != nil {
		t.Error(err)
	}
}
