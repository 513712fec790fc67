package content

import (
	"bytes"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"strings"
	"testing"
)

// pngOf is a picture of a size, in bytes.
func pngOf(t *testing.T, w, h int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// pictured is the course with a lesson that shows a picture in each language, and that picture.
func pictured(alt, name, data string) map[string]*string {
	lesson := func(text string) *string {
		return ptr("---\npoint: \"Un point.\"\nterms: [etcd]\n---\n" + text + "\n\n```picture plan\n" + alt + "\n```\n")
	}
	return map[string]*string{
		"lessons/03-api-server/3.1-roles.fr.md": lesson("Un texte."),
		"lessons/03-api-server/3.1-roles.en.md": lesson("A text."),
		"pictures/" + name:                      &data,
	}
}

func TestALessonShowsAPicture(t *testing.T) {
	data := pngOf(t, 40, 30)
	files := course(t, pictured("Un plan,\ndeux salles.", "plan.png", data))
	files["pictures/.DS_Store"] = files["pictures/.gitkeep"]
	c, problems := Read(files)
	if c == nil {
		t.Fatal(problems)
	}
	l, _ := c.Lesson("3.1")
	if i, ok := l.Messages(EN)[0].Parts[1].(Image); !ok || i.Picture != "plan" || i.Alt != "Un plan, deux salles." {
		t.Errorf("%#v", l.Messages(EN)[0].Parts)
	}
	if p, ok := c.Picture("plan"); !ok || string(p.PNG) != data {
		t.Error("the picture is not the file")
	}
}

// TestTheProverFindsInPictures spoils a lesson with a picture in one place at a time.
func TestTheProverFindsInPictures(t *testing.T) {
	small := pngOf(t, 40, 30)
	var other bytes.Buffer
	if err := gif.Encode(&other, image.NewGray(image.Rect(0, 0, 4, 4)), nil); err != nil {
		t.Fatal(err)
	}
	const fr = "lessons/03-api-server/3.1-roles.fr.md"
	for _, tt := range []struct{ name, alt, file, data, problem string }{
		{"missing", "Un plan.", "plans.png", small, fr + ":7: there is no picture pictures/plan.png"},
		{"without alt", "", "plan.png", small, fr + ":7: a picture has an alt"},
		{"not a PNG", "Un plan.", "plan.png", other.String(), "pictures/plan.png: is not a PNG"},
		{"nothing", "Un plan.", "plan.png", "", "pictures/plan.png: is not a PNG"},
		{"cut off", "Un plan.", "plan.png", small[:len(small)-20], "pictures/plan.png: is a PNG that cannot be shown"},
		{"too wide", "Un plan.", "plan.png", pngOf(t, 2001, 10), "pictures/plan.png: has 2001 by 10 pixels: 2000 by 2000 at most"},
		{"too high", "Un plan.", "plan.png", pngOf(t, 10, 2001), "pictures/plan.png: has 10 by 2001 pixels"},
		{"too large", "Un plan.", "plan.png", small + strings.Repeat("x", 1<<20), "pictures/plan.png: cannot be read: has more than 1 MiB"},
		{"of another kind", "Un plan.", "plan.jpg", small, "pictures/plan.jpg: a picture is a file named NAME.png"},
		{"shown by no lesson", "Un plan.", "plans.png", small, "pictures/plans.png: no lesson shows this picture"},
		{"the typography of the alt", "Un plan !", "plan.png", small, fr + ":8: no space before ; ! ?"},
		{"an endless alt", strings.Repeat("Un plan. ", 110), "plan.png", small, fr + ":5: a message has 998 characters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if found := fmt.Sprint(Check(course(t, pictured(tt.alt, tt.file, tt.data)))); !strings.Contains(found, tt.problem) {
				t.Errorf("%q is not in %s", tt.problem, found)
			}
		})
	}
}
