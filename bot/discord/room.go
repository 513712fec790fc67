package discord

import (
	"strings"

	"timonier/bot"
)

// room is what a message still has place for.
type room struct {
	text       int // characters
	components int
}

// left is the room beside a message's buttons, files and notices.
func left(rows []component, files, notices []string) room {
	r := room{mostText, mostComponents - len(files) - len(notices)}
	for _, row := range rows {
		r.components -= 1 + len(row.Components)
		for _, b := range row.Components {
			r.text -= length(b.Label) + length(b.Placeholder)
			for _, o := range b.Options {
				r.text -= length(o.Label) + length(o.Description)
			}
		}
	}
	for _, n := range notices {
		r.text -= length(n)
	}
	return r
}

// fill puts parts into a room, as far apart as it allows: each by itself, else neighbouring
// texts in one, else one text and one gallery. False where the text is too long.
func fill(parts []part, r room) ([]component, bool) {
	var body []component
	for _, arrange := range []func([]part) []part{apiece, neighbours, together} {
		body = nil
		text := 0
		for _, p := range arrange(parts) {
			if s := p.text(); s != "" {
				body = append(body, component{Type: typeText, Content: s})
				text += length(s)
			}
			if p.divider {
				body = append(body, component{Type: typeSeparator})
			}
			if len(p.pictures) > 0 {
				body = append(body, component{Type: typeGallery, Items: p.pictures})
			}
		}
		if text > r.text {
			return nil, false
		}
		if len(body) <= r.components {
			return body, true
		}
	}
	return body, false
}

// text writes a part's passages.
func (p part) text() string {
	var b strings.Builder
	var before passage
	for _, next := range p.passages {
		s := next.markup()
		if s == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(between(before, next))
		}
		b.WriteString(s)
		before = next
	}
	return b.String()
}

func apiece(parts []part) []part { return parts }

// neighbours joins texts that follow each other.
func neighbours(parts []part) []part {
	var out []part
	for _, p := range parts {
		if n := len(out); n > 0 && !p.divider && !out[n-1].divider && len(out[n-1].pictures) == 0 {
			joined := append(out[n-1].passages[:len(out[n-1].passages):len(out[n-1].passages)], p.passages...)
			out[n-1] = part{passages: joined, pictures: p.pictures}
			continue
		}
		out = append(out, p)
	}
	return out
}

// together makes one part of all, with lines drawn for dividers.
func together(parts []part) []part {
	var all part
	for _, p := range parts {
		if p.divider {
			all.passages = append(all.passages, passage{Passage: bot.Passage{Kind: bot.Rule}})
		}
		all.passages = append(all.passages, p.passages...)
		all.pictures = append(all.pictures, p.pictures...)
	}
	return []part{all}
}

// What a passage may cost beside its own text, and a divider, in the closest arrangement.
const (
	betweenCost = 4
	dividerCost = 20 + 2*betweenCost
)

// leastShown is how much of a passage is worth showing, in characters.
const leastShown = 60

// cut is the beginning of the parts, of most characters at the most, and all pictures.
func cut(parts []part, most int) []part {
	var out []part
	full := false
	for _, p := range parts {
		switch {
		case full:
			p.divider, p.passages = false, nil
		case p.divider:
			most -= dividerCost
			full = most < 0
			p.divider = !full
		default:
			p.passages, most, full = fitting(p.passages, most)
		}
		if p.divider || len(p.passages)+len(p.pictures) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// fitting are the first passages that fit, the last of them perhaps cut short; what is
// left; and whether some did not fit.
func fitting(all []passage, most int) (some []passage, rest int, full bool) {
	for i, p := range all {
		cost := length(p.markup()) + betweenCost
		if cost <= most {
			most -= cost
			continue
		}
		some = all[:i:i]
		if short, ok := p.shorten(most - betweenCost); ok {
			some = append(some, short)
		}
		return some, 0, true
	}
	return all, most, false
}

// shorten is the beginning of a passage, so that its markup has most characters at the
// most; false where that is too little to be worth it.
func (p passage) shorten(most int) (passage, bool) {
	for n := most; n >= leastShown; n -= max(1, n/8) {
		short := p
		if p.Kind == bot.Preformatted {
			short.Text = strings.TrimRight(beginning(p.Text, n), "\n") + "\n…"
		} else {
			short.Spans = append(firstOf(p.Spans, n-length(p.moment)), bot.Span{Text: " …"})
		}
		if length(short.markup()) <= most {
			return short, true
		}
	}
	return p, false
}

// firstOf are the first characters of spans.
func firstOf(spans []bot.Span, most int) []bot.Span {
	var out []bot.Span
	for _, s := range spans {
		n := length(s.Text)
		if n > most {
			s.Text = beginning(s.Text, most)
			return append(out, s)
		}
		out = append(out, s)
		most -= n
	}
	return out
}
