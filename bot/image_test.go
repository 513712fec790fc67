package bot

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"testing"
	"testing/fstest"

	"timonier/content"
)

// withImage is the built-in course, whose lesson 1.1 shows a picture, and that picture.
func withImage(t *testing.T) (*content.Course, []byte) {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(content.Files(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(content.Files(), name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	noise := image.NewGray(image.Rect(0, 0, 800, 600)) // as large as it can be
	for i := range noise.Pix {
		noise.Pix[i] = uint8(rand.IntN(256))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, noise); err != nil {
		t.Fatal(err)
	}
	found, _ := fs.Glob(files, "lessons/01-*/1.1-*.md")
	for _, name := range found {
		files[name] = &fstest.MapFile{Data: []byte("---\npoint: \"Un point.\"\nterms: []\n---\nPage.\n\n```picture photo\nLe tableau de la classe, couvert de schémas.\n```\n")}
	}
	files["pictures/photo.png"] = &fstest.MapFile{Data: b.Bytes()}
	course, problems := content.Read(files)
	if len(found) != 2 || len(problems) > 0 {
		t.Fatal(found, problems)
	}
	return course, b.Bytes()
}

// A lesson's picture is shown where pictures are, said in words elsewhere, and kept by its name alone.
func TestALessonShowsAPicture(t *testing.T) {
	course, photo := withImage(t)
	store := newMemory()
	tutor := New(Config{Store: store, Content: course})
	const alt = "Le tableau de la classe, couvert de schémas."
	if p := pictureIn(t, tutor, in("general", "ana", "/cours 1.1")); p.PNG != nil || p.Alt != alt {
		t.Errorf("where none is shown: %d bytes, %q", len(p.PNG), p.Alt)
	}
	shown := in("general", "bob", "/cours 1.1")
	shown.Pictures, shown.ID = ThemeDark, "r1"
	if p := pictureIn(t, tutor, shown); !bytes.Equal(p.PNG, photo) || p.Name != "photo.png" || p.Alt != alt {
		t.Errorf("%d bytes, %q, %q", len(p.PNG), p.Name, p.Alt)
	}
	kept, found, err := store.Answered(context.Background(), shown.Place().Scope(), "r1")
	if err != nil || !found || len(kept) > 4<<10 {
		t.Errorf("kept: %v, %d bytes of a picture of %d; %v", found, len(kept), len(photo), err)
	}
	if p := pictureIn(t, New(Config{Store: store, Content: course}), shown); !bytes.Equal(p.PNG, photo) {
		t.Errorf("delivered again by another process: %d bytes", len(p.PNG))
	}
	tutor.Teach(content.Default())
	if p := pictureIn(t, tutor, shown); p.PNG != nil || p.Alt != alt {
		t.Errorf("it has left the course: %d bytes, %q", len(p.PNG), p.Alt)
	}
}
