package bot

import (
	"cmp"
	"slices"
	"strings"

	"timonier/content"
)

// glossaryCommand is /glossaire TERME: what a word means, and its image in each analogy.
func glossaryCommand(c *call) (Reply, error) {
	if c.args == "" {
		return c.glossaryList("glossary.list"), nil
	}
	t, ok := c.findTerm(c.args)
	if !ok {
		return c.noTerm(), nil
	}
	r := Reply{Blocks: []Block{Title{c.in(t.Name)}}}
	if names := c.otherNames(t); names != "" {
		r.Blocks = append(r.Blocks, Text{"*" + names + "*"})
	}
	r.Blocks = append(r.Blocks, Text{c.in(t.Definition)})
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
	return r.with(Button{Label: c.say("glossary.all"), Line: c.typed("glossary")}), nil
}

// otherNames are the term's name in the other language, where it is another, and what
// else it is called in this one.
func (c *call) otherNames(t *content.Term) string {
	other := t.Name.EN
	if c.lang == "en" {
		other = t.Name.FR
	}
	var out []string
	if fold(other) != fold(c.in(t.Name)) {
		out = append(out, c.say("glossary.translated", with{"Name": other}))
	}
	var also []string
	for n := range strings.SplitSeq(c.in(t.Also), ",") {
		if n = strings.TrimSpace(n); n != "" && fold(n) != fold(other) && fold(n) != fold(c.in(t.Name)) {
			also = append(also, n)
		}
	}
	if len(also) > 0 {
		out = append(out, c.say("glossary.also", with{"Names": strings.Join(also, ", ")}))
	}
	return strings.Join(out, "; ")
}

// findTerm finds a term by its ID or any of its names.
func (c *call) findTerm(word string) (*content.Term, bool) {
	for _, t := range c.content.Terms {
		if slices.ContainsFunc(termNames(t), func(n string) bool { return fold(n) == fold(word) }) {
			return t, true
		}
	}
	return nil, false
}

// termNames are all that a term is called, in either language.
func termNames(t *content.Term) []string {
	var out []string
	for _, n := range append([]string{t.Name.FR, t.Name.EN, t.ID}, strings.Split(t.Also.FR+","+t.Also.EN, ",")...) {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// noTerm offers the terms that a word was probably meant for, or the whole list.
func (c *call) noTerm() Reply {
	names := map[string]Button{}
	for _, t := range c.content.Terms {
		for _, n := range termNames(t) {
			names[n] = Button{Label: c.in(t.Name), Line: c.typed("glossary", c.in(t.Name))}
		}
	}
	near := nearestOf(c.args, names)
	if len(near) == 0 {
		r := c.glossaryList("glossary.unknown")
		r.Failed = true
		return r
	}
	r := c.mistake("glossary.nearest", with{"Word": shorten(c.args)})
	r.Buttons = near
	return r.with(Button{Label: c.say("glossary.all"), Line: c.typed("glossary")})
}

// nearestOf are the buttons whose names are closest to a word, the closest first, three at the most.
func nearestOf(word string, names map[string]Button) []Button {
	const most = 3
	word = fold(strings.TrimSpace(word))
	type near struct {
		name string
		far  int
	}
	bound := max(1, min(3, (len([]rune(word))+1)/3))
	var all []near
	for n := range names {
		d := distance(word, fold(n))
		if len([]rune(word)) > most && strings.Contains(fold(n), word) {
			d = 1
		}
		if d <= bound {
			all = append(all, near{n, d})
		}
	}
	slices.SortFunc(all, func(a, b near) int { return cmp.Or(cmp.Compare(a.far, b.far), strings.Compare(a.name, b.name)) })
	var out []Button
	for _, n := range all {
		if b := names[n.name]; len(out) < most && !slices.ContainsFunc(out, func(o Button) bool { return o.Line == b.Line }) {
			out = append(out, b)
		}
	}
	return out
}

func (c *call) glossaryList(id string) Reply {
	var names []string
	for _, t := range c.content.Terms {
		names = append(names, c.in(t.Name))
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(fold(a), fold(b)) })
	return Reply{Blocks: []Block{Text{c.say(id, with{"Word": shorten(c.args)}) + "\n\n" + strings.Join(names, " · ")}}}
}

// completeGlossary gives whole names, which may be several words: those of the language first, then
// all else that a term is called.
func completeGlossary(c *call, words []string) []string {
	before := strings.Join(words[:len(words)-1], " ")
	var out, others []string
	for _, t := range c.content.Terms {
		for _, n := range termNames(t) {
			rest, ok := n, true
			if before != "" {
				rest, ok = cutFolded(n, before+" ")
			}
			switch {
			case !ok || n == t.ID && n != t.Name.FR && n != t.Name.EN || slices.Contains(out, rest) || slices.Contains(others, rest):
			case n == c.in(t.Name):
				out = append(out, rest)
			default:
				others = append(others, rest)
			}
		}
	}
	return append(out, others...)
}

// cutFolded cuts off what a text begins with, accents and capitals aside.
func cutFolded(text, begun string) (rest string, ok bool) {
	runes, n := []rune(text), len([]rune(begun))
	if len(runes) < n || fold(string(runes[:n])) != fold(begun) {
		return "", false
	}
	return string(runes[n:]), true
}
