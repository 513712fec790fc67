package bot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
	"testing"

	"timonier/bot/picture"
)

// pictureIn is the first picture of an answer.
func pictureIn(t *testing.T, tutor *Tutor, r Request) Picture {
	t.Helper()
	var last Reply
	if err := tutor.Handle(context.Background(), r, func(r Reply) { last = r }); err != nil {
		t.Fatal(err)
	}
	for _, b := range last.Blocks {
		if p, ok := b.(Picture); ok {
			return p
		}
	}
	t.Fatalf("no picture: %s", plainText(last))
	return Picture{}
}

// ground is the colour of a picture's corner.
func ground(t *testing.T, data []byte) color.Color {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img.At(1, 1)
}

// Pictures are made where they are shown, and kept as what they are made of.
func TestPicturesAreMadeWhereTheyAreShown(t *testing.T) {
	store := newMemory()
	tutor := New(Config{Store: store, Limits: Limits{Rates: Unlimited()}})
	line := "/schéma control-plane"
	if p := pictureIn(t, tutor, in("general", "ana", line)); p.PNG != nil || p.Drawn != nil || p.Text == "" || p.Alt == "" {
		t.Errorf("where none is shown: %d bytes, %v", len(p.PNG), p.Drawn)
	}
	opens := in("general", "prof", "/cours déverrouille 2.2")
	opens.Teacher = true
	answerTo(t, tutor, opens)
	shown := in("general", "ana", "/cours 2.2")
	shown.Pictures, shown.ID = ThemeDark, "r1"
	p := pictureIn(t, tutor, shown)
	if len(p.PNG) < 5000 || p.Text == "" || p.Alt == "" {
		t.Fatalf("%d bytes", len(p.PNG))
	}
	kept, found, err := store.Answered(context.Background(), shown.Place().Scope(), "r1")
	if err != nil || !found {
		t.Fatalf("not kept: %v", err)
	}
	if len(kept) > 12<<10 {
		t.Errorf("the reply is kept in %d bytes", len(kept))
	}
	var reply Reply
	if err := json.Unmarshal(kept, &reply); err != nil {
		t.Fatal(err)
	}
	for _, b := range reply.Blocks {
		if p, ok := b.(Picture); ok && p.PNG != nil {
			t.Error("the reply is kept with its picture")
		}
	}
	after := New(Config{Store: store}) // another process
	if again := pictureIn(t, after, shown); !bytes.Equal(again.PNG, p.PNG) {
		t.Errorf("delivered again: %d bytes, first %d", len(again.PNG), len(p.PNG))
	}
}

// The person's choice of a theme comes before the channel's, the channel's before the platform's.
func TestThemes(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	light, dark := color.RGBA{0xff, 0xff, 0xff, 0xff}, color.RGBA{0x1e, 0x1f, 0x24, 0xff}
	seen := func(person, platform string) color.Color {
		r := in("general", person, "/schéma reconciliation")
		r.Pictures = platform
		return color.RGBAModel.Convert(ground(t, pictureIn(t, tutor, r).PNG))
	}
	say := func(person, line string, teacher bool) {
		r := in("general", person, line)
		r.Pictures, r.Teacher = ThemeLight, teacher
		answerTo(t, tutor, r)
	}
	check := func(what string, got, want color.Color) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, wanted %v", what, got, want)
		}
	}
	check("light by itself", seen("ana", ThemeLight), light)
	check("dark by itself", seen("ana", ThemeDark), dark)
	say("bob", "/réglages salon thème sombre", false)
	check("a learner chooses nothing for all", seen("ana", ThemeLight), light)
	say("prof", "/réglages salon thème sombre", true)
	check("the channel's", seen("ana", ThemeLight), dark)
	say("ana", "/réglages thème clair", false)
	check("her own", seen("ana", ThemeDark), light)
	check("not another's", seen("bob", ThemeLight), dark)
	say("ana", "/réglages thème mauve", false)
	check("no such theme", seen("ana", ThemeDark), light)
}

func TestGalleryIsBounded(t *testing.T) {
	var g gallery
	for i := range byte(40) {
		g.keep(exhibit{sha256.Sum256([]byte{i}), make([]byte, galleryBytes/16)})
		g.keep(exhibit{sha256.Sum256([]byte{i}), make([]byte, galleryBytes/16)})
	}
	g.keep(exhibit{sha256.Sum256(nil), make([]byte, galleryBytes+1)})
	if g.bytes != galleryBytes || g.order.Len() != 16 || len(g.byLook) != 16 || g.byLook[sha256.Sum256([]byte{39})] == nil {
		t.Errorf("%d bytes, %d and %d pictures", g.bytes, g.order.Len(), len(g.byLook))
	}
}

// A picture that cannot be made leaves its words, and the process alive.
func TestPictureThatCannotBeMade(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
	var got Reply
	tutor.pictured(Request{Pictures: ThemeLight}, func(r Reply) { got = r })(Reply{Blocks: []Block{Picture{Alt: "des mots", Drawn: picture.New(-1, 1e9, picture.Light)}}})
	if p, ok := got.Blocks[0].(Picture); !ok || p.PNG != nil || p.Alt != "des mots" {
		t.Errorf("%.300s", fmt.Sprintf("%+v", got))
	}
}
