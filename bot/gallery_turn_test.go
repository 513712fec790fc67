package bot

import (
	"context"
	"testing"
	"time"
)

// gatekeeper is a store that asks how many pictures there are when something is committed.
type gatekeeper struct {
	Store
	pictures func() int
	had      int
}

func (g *gatekeeper) Commit(ctx context.Context, c Commit) error {
	g.had = g.pictures()
	return g.Store.Commit(ctx, c)
}

// A picture is made in the turn that draws it, beside which others have theirs: it is there once that is committed.
func TestPicturesAreMadeInTurn(t *testing.T) {
	s := newStage(t, "fr")
	store := &gatekeeper{Store: s.store}
	s.tutor = New(Config{Store: store, Now: func() time.Time { return s.now }})
	store.pictures = func() int {
		s.tutor.gallery.mu.Lock()
		defer s.tutor.gallery.mu.Unlock()
		return len(s.tutor.gallery.byLook)
	}
	for n, shows := range []string{"", ThemeLight} {
		r := s.request("/schéma grappe")
		r.Pictures = shows
		if reply := s.send(r); reply.Failed || store.had != n {
			t.Errorf("shown %q: %d pictures when it was committed: %s", shows, store.had, plainText(reply))
		}
	}
}
