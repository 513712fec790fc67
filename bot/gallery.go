package bot

import (
	"container/list"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"timonier/bot/picture"
)

// gallery keeps the pictures that were made last, so that a diagram that a whole class looks at is
// made once. Its zero value is empty.
type gallery struct {
	mu     sync.Mutex
	bytes  int
	order  list.List // of exhibits, the one shown last first
	byLook map[[sha256.Size]byte]*list.Element
}

type exhibit struct {
	look [sha256.Size]byte
	png  []byte
}

// galleryBytes is how much a gallery keeps: some three hundred pictures.
const galleryBytes = 8 << 20

// png is a drawing's picture.
func (g *gallery) png(c *picture.Canvas) ([]byte, error) {
	look, err := c.Key()
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	e := g.byLook[look]
	if e != nil {
		g.order.MoveToFront(e)
	}
	g.mu.Unlock()
	if e != nil {
		return e.Value.(exhibit).png, nil
	}
	png, err := c.PNG() // twice where two ask at once: better than that one waits
	if err != nil {
		return nil, err
	}
	g.keep(exhibit{look, png})
	return png, nil
}

func (g *gallery) keep(x exhibit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byLook == nil {
		g.byLook = map[[sha256.Size]byte]*list.Element{}
	}
	if g.byLook[x.look] != nil || len(x.png) > galleryBytes {
		return
	}
	g.byLook[x.look] = g.order.PushFront(x)
	for g.bytes += len(x.png); g.bytes > galleryBytes; {
		last := g.order.Remove(g.order.Back()).(exhibit)
		delete(g.byLook, last.look)
		g.bytes -= len(last.png)
	}
}

// pictured is emit for a platform that shows pictures: they are made as late as that, so that
// nobody pays for them where they are not seen, and a reply is kept without them.
func (t *Tutor) pictured(r Request, emit func(Reply)) func(Reply) {
	if r.Pictures == "" {
		return emit
	}
	return func(reply Reply) {
		for i, b := range reply.Blocks {
			p, ok := b.(Picture)
			if !ok || p.PNG != nil {
				continue
			}
			png, err := t.pixels(p)
			if err != nil { // its words are shown in its place
				t.cfg.Logger.Error("picture not made", "name", p.Name, "error", err)
			}
			if png == nil {
				continue
			}
			p.PNG = png
			reply.Blocks = slices.Clone(reply.Blocks)
			reply.Blocks[i] = p
		}
		emit(reply)
	}
}

// sketch makes a reply's pictures while its turn lasts, for that is work that others have to have their turn beside; when it is shown,
// they are in the gallery.
func (t *Tutor) sketch(r Request, reply Reply) {
	if r.Pictures == "" {
		return
	}
	for _, b := range reply.Blocks {
		if p, ok := b.(Picture); ok && p.PNG == nil && p.Drawn != nil {
			_, _ = t.paint(p.Drawn) // what is wrong with it is told when it is shown
		}
	}
}

// pixels are those of a picture; nil: it has none, or has left the course since.
func (t *Tutor) pixels(p Picture) ([]byte, error) {
	if p.Drawn != nil {
		return t.paint(p.Drawn)
	}
	if shown, ok := t.taught.Load().Picture(p.Course); ok {
		return shown.PNG, nil
	}
	return nil, nil
}

// paint makes a picture; what goes wrong in it goes no further.
func (t *Tutor) paint(c *picture.Canvas) (png []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p)
		}
	}()
	if png, err = t.gallery.png(c); err != nil {
		return nil, fmt.Errorf("paint: %w", err)
	}
	return png, nil
}

// The themes, as they are kept and as Request.Pictures names them.
const (
	ThemeLight = "light"
	ThemeDark  = "dark"
)

// theme is the one in which pictures are drawn here: the person's, the channel's, the tenant's choice,
// or the platform's own.
func (c *call) theme() picture.Theme {
	for _, chosen := range []string{c.learner.settings.Theme, c.channel.settings.Theme, c.parent.Theme, c.house.settings.Theme, c.request.Pictures} {
		switch chosen {
		case ThemeLight:
			return picture.Light
		case ThemeDark:
			return picture.Dark
		}
	}
	return picture.Light
}

// themes are the words for the themes, as they are typed and as they are kept.
func themes() []struct {
	name name
	kept string
} {
	return []struct {
		name name
		kept string
	}{{name{"clair", "light"}, ThemeLight}, {name{"sombre", "dark"}, ThemeDark}}
}

// themeNamed is the theme that a word names; empty: none.
func themeNamed(word string) string {
	for _, t := range themes() {
		if t.name.is(word) {
			return t.kept
		}
	}
	return ""
}

// forTheme is the word that makes a setting the pictures' theme.
var forTheme = name{"thème", "theme"}

// canvas draws where pictures are shown; nil elsewhere.
func (c *call) canvas(draw func(picture.Theme) *picture.Canvas) *picture.Canvas {
	if c.request.Pictures == "" {
		return nil
	}
	return draw(c.theme())
}

// themeChoice says which theme holds, and offers the other.
func (c *call) themeChoice() (row []string, other Button) {
	now, id, to := "settings.light", "settings.todark", themes()[1].name
	if c.theme() == picture.Dark {
		now, id, to = "settings.dark", "settings.tolight", themes()[0].name
	}
	return []string{c.say("settings.theme"), c.say(now)}, Button{Label: c.say(id), Line: c.typed("settings", forTheme.in(c.words), to.in(c.words))}
}
