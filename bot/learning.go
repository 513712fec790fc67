package bot

import (
	"context"
	"slices"
	"strings"

	"timonier/content"
)

// progress is how far a person has come.
type progress struct {
	Read  string `json:"read,omitempty"`  // IDs of the lessons read to their last page; blanks between
	Asked int    `json:"asked,omitempty"` // questions answered
	Right int    `json:"right,omitempty"` // of them, answered right
}

// hasRead marks a lesson as read.
func (p *progress) hasRead(lesson string) {
	if all := strings.Fields(p.Read); !slices.Contains(all, lesson) {
		p.Read = strings.Join(append(all, lesson), " ")
	}
}

// progressCommand is /progrès: how far the person has come.
func progressCommand(c *call) (Reply, error) {
	p := c.learner.progress
	written, read := 0, 0
	known := strings.Fields(p.Read)
	for l := range c.content.Lessons() {
		if !l.Written() {
			continue
		}
		written++
		if slices.Contains(known, l.ID) {
			read++
		}
	}
	r := Reply{Blocks: []Block{
		Title{c.say("learning.title")},
		Meter{Label: c.say("learning.read", with{"Count": read, "Total": written}), Done: read, Total: max(1, written)},
	}}
	if p.Asked > 0 {
		r.Blocks = append(r.Blocks, Meter{Label: c.say("learning.right", with{"Count": p.Right, "Total": p.Asked}), Done: p.Right, Total: p.Asked})
	} else {
		r.Blocks = append(r.Blocks, Text{c.say("learning.noquiz", with{"Quiz": c.typed("quiz")})})
	}
	if l, ok := c.content.Lesson(c.learner.bookmark.Lesson); ok {
		r.Blocks = append(r.Blocks, Text{c.say("welcome.back", with{"Lesson": l.ID, "Title": c.in(l.Title)})})
		r = r.with(c.resume(l))
	} else {
		r = r.with(Button{Label: c.say("button.course"), Line: c.typed("course"), Style: Primary})
	}
	return r.with(Button{Label: c.say("button.help"), Line: c.slash(c.help())}), nil
}

// Home is what a person sees who opens the tutor's own page: how far they have come. The
// Line of the request does not count. Nothing is changed, and it never fails: without a
// store it greets.
func (t *Tutor) Home(ctx context.Context, r Request) Reply {
	if r.Fill != nil {
		r.Fill(ctx, &r)
	}
	c, err := t.newCall(ctx, &lane{place: r.Place()}, r, nil)
	if err != nil {
		t.cfg.Logger.ErrorContext(ctx, "home without the store", "error", err)
		return t.Welcome(ctx, r)
	}
	reply, err := progressCommand(c)
	if err != nil {
		return t.Welcome(ctx, r)
	}
	reply.Blocks = append(reply.Blocks, Divider{}, Text{c.say("welcome.text", with{"Help": c.slash(c.help()), "Course": c.typed("course")})})
	reply.Private, reply.Final = true, true
	return reply
}

// glossaryCommand is /glossaire TERME: what a word means, and its image in each analogy.
func glossaryCommand(c *call) (Reply, error) {
	if c.args == "" {
		return c.glossaryList("glossary.list"), nil
	}
	t, ok := c.findTerm(c.args)
	if !ok {
		r := c.glossaryList("glossary.unknown")
		r.Failed = true
		return r, nil
	}
	title := c.in(t.Name)
	if other := c.otherName(t); other != "" {
		title += " · " + other
	}
	r := Reply{Blocks: []Block{Title{title}, Text{c.in(t.Definition)}}}
	for _, a := range c.content.Analogies {
		row, ok := a.Row(t.ID)
		if !ok {
			continue
		}
		text := c.say("glossary.image", with{"Analogy": c.in(a.Title), "Image": c.in(row.Image)})
		if breaks := c.in(row.Breaks); breaks != "" {
			text += "\n\n⚠️ *" + c.say("analogy.breaks") + ".* " + breaks
		}
		r.Blocks = append(r.Blocks, Quote{c.links(text)})
	}
	if l, ok := c.content.Lesson(t.Lesson); ok && l.Written() {
		r = r.with(Button{Label: l.ID + " " + c.in(l.Title), Line: c.typed("course", l.ID), Style: Primary})
	}
	if line := c.in(t.Try.Text); line != "" {
		r = r.with(Button{Label: strings.TrimPrefix(line, "/"), Line: line})
	}
	return r, nil
}

// otherName is the term's name in the other language, where it is another.
func (c *call) otherName(t *content.Term) string {
	other := t.Name.EN
	if c.lang == "en" {
		other = t.Name.FR
	}
	if fold(other) == fold(c.in(t.Name)) {
		return ""
	}
	return other
}

// findTerm finds a term by its ID or any of its names.
func (c *call) findTerm(word string) (*content.Term, bool) {
	for _, t := range c.content.Terms {
		names := append([]string{t.ID, t.Name.FR, t.Name.EN}, strings.Split(t.Also.FR+","+t.Also.EN, ",")...)
		for _, n := range names {
			if n = strings.TrimSpace(n); n != "" && fold(n) == fold(word) {
				return t, true
			}
		}
	}
	return nil, false
}

func (c *call) glossaryList(id string) Reply {
	var names []string
	for _, t := range c.content.Terms {
		names = append(names, c.in(t.Name))
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(fold(a), fold(b)) })
	return Reply{Blocks: []Block{Text{c.say(id, with{"Word": shorten(c.args)}) + "\n\n" + strings.Join(names, " · ")}}}
}

// completeGlossary gives whole names, which may be several words.
func completeGlossary(c *call, words []string) []string {
	before := strings.Join(words[:len(words)-1], " ")
	var out []string
	for _, t := range c.content.Terms {
		n := c.in(t.Name)
		if before == "" {
			out = append(out, n)
		} else if rest, ok := cutFolded(n, before+" "); ok {
			out = append(out, rest)
		}
	}
	return out
}

// cutFolded cuts off what a text begins with, accents and capitals aside.
func cutFolded(text, begun string) (rest string, ok bool) {
	runes, n := []rune(text), len([]rune(begun))
	if len(runes) < n || fold(string(runes[:n])) != fold(begun) {
		return "", false
	}
	return string(runes[n:]), true
}
