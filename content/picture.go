package content

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"path"
	"strings"
)

// Picture is an image that lessons show: pictures/NAME.png.
type Picture struct {
	Name string
	PNG  []byte

	file string
}

// mostSide is how many pixels wide and high a picture may be: more than any phone shows.
const mostSide = 2000

// pictures reads pictures/NAME.png. What another kind of file there is for, nobody can know: it is a
// fault, but for those that systems leave, whose names begin with a dot.
func (l *loader) pictures() {
	for _, file := range l.glob("pictures/*") {
		name, ok := strings.CutSuffix(path.Base(file), ".png")
		if strings.HasPrefix(name, ".") {
			continue
		}
		if !ok || strings.ContainsAny(name, " \t") {
			l.fault(file, 0, "a picture is a file named NAME.png, without blanks")
			continue
		}
		data, err := readFile(l.files, file, mostPicture)
		if err != nil {
			l.fault(file, 0, "cannot be read: %v", err)
			data = nil
		}
		l.course.Pictures = append(l.course.Pictures, &Picture{Name: name, PNG: data, file: file})
	}
}

// picturesHold proves that every picture can be shown everywhere, and that a lesson shows it.
func (p *prover) picturesHold() {
	shown := map[string]bool{}
	for l := range p.course.Lessons() {
		for _, lang := range Langs() {
			for _, m := range l.Messages(lang) {
				for _, part := range m.Parts {
					if i, ok := part.(Image); ok {
						shown[i.Picture] = true
					}
				}
			}
		}
	}
	for _, pic := range p.course.Pictures {
		if pic.PNG == nil {
			continue // the loader has said why
		}
		if err := pic.holds(); err != nil {
			p.fault(pic.file, 0, "%v", err)
		}
		if !shown[pic.Name] {
			p.fault(pic.file, 0, "no lesson shows this picture")
		}
	}
}

// holds says why a picture cannot be shown. Its size is known before its pixels are read.
func (p *Picture) holds() error {
	head, format, err := image.DecodeConfig(bytes.NewReader(p.PNG))
	if err != nil || format != "png" {
		return fmt.Errorf("is not a PNG")
	}
	if head.Width > mostSide || head.Height > mostSide {
		return fmt.Errorf("has %d by %d pixels: %d by %d at most", head.Width, head.Height, mostSide, mostSide)
	}
	if _, err := png.Decode(bytes.NewReader(p.PNG)); err != nil {
		return fmt.Errorf("is a PNG that cannot be shown: %w", err)
	}
	return nil
}

// imageHolds proves that what a lesson shows is there, and is said in words for whoever does not see it.
func (p *prover) imageHolds(file string, i Image) {
	if _, ok := p.course.Picture(i.Picture); !ok {
		p.fault(file, i.line, "there is no picture pictures/%s.png", i.Picture)
	}
	if i.Alt == "" {
		p.fault(file, i.line, "a picture has an alt, in the block: the same said in words")
	}
}
