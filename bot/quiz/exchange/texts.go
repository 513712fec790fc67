package exchange

import (
	"regexp"
	"strings"

	"timonier/content"
)

// textFormat is how a text of a file is marked up.
type textFormat string

const (
	inHTML     textFormat = "html"
	inMarkdown textFormat = "markdown"
	inPlain    textFormat = "plain_text"
	inMoodle   textFormat = "moodle_auto_format" // HTML in which a newline is one
)

// one is a text in the one language of a file.
func one(l content.Lang, s string) content.Text {
	if s == "" {
		return content.Text{}
	}
	if l == content.EN {
		return content.Text{EN: s}
	}
	return content.Text{FR: s}
}

// long is a text of a file as Markdown. Problems are the item's: a loss, or a reason to refuse it.
func (d *draft) long(s string, f textFormat) content.Text {
	var notes []Problem
	switch f {
	case inMarkdown:
		s, notes = plainly(strings.TrimSpace(s))
	case inPlain:
		lines := strings.Split(strings.TrimSpace(s), "\n")
		for i, l := range lines {
			lines[i] = escapeStart(escapeMarkdown(strings.TrimSpace(l)))
		}
		s = strings.Join(lines, "\n")
	case inMoodle:
		s, notes = fromHTML(strings.ReplaceAll(strings.TrimSpace(s), "\n", "<br>"))
	default:
		s, notes = fromHTML(s)
	}
	d.found(notes)
	return one(d.lang, s)
}

// short is a text of a file as plain words with code.
func (d *draft) short(s string, f textFormat) content.Text {
	var notes []Problem
	switch f {
	case inMarkdown, inPlain:
		s, notes = plainly(strings.Join(fieldsOf(s), " "))
	default:
		s, notes = shortFromHTML(s)
	}
	d.found(notes)
	return one(d.lang, s)
}

// picture is a picture in Markdown.
var picture = regexp.MustCompile(`!\[([^\]]*)\]\(([^)]*)\)`)

// plainly is Markdown without its pictures. Programs in it are a reason to refuse it: front ends
// show them as text, and never run them; that they are there says what the file was meant to do.
func plainly(s string) (string, []Problem) {
	var notes []Problem
	lower := strings.ToLower(s)
	for _, p := range []string{"<script", "<iframe", "<object", "<embed", "](javascript:", "](data:", "](vbscript:"} {
		if at := strings.Index(lower, p); at >= 0 && (at == 0 || s[at-1] != '`') {
			notes = append(notes, Problem{Code: Script, Word: strings.Trim(p, "<](:")})
		}
	}
	s = picture.ReplaceAllStringFunc(s, func(p string) string {
		m := picture.FindStringSubmatch(p)
		notes = append(notes, Problem{Code: ImageLost, Word: shorten(first(m[1], m[2]))})
		return m[1]
	})
	return s, notes
}

// htmlOf is a text for a file: as HTML where that gives the same back, else as Markdown.
func htmlOf(markdown string) (string, textFormat) {
	h := toHTML(markdown)
	if back, notes := fromHTML(h); back == markdown && len(notes) == 0 {
		return h, inHTML
	}
	return markdown, inMarkdown
}

// shortHTMLOf is a short text for a file: as HTML where that gives the same back, else as it is.
func shortHTMLOf(s string) (string, textFormat) {
	h := shortToHTML(s)
	if back, notes := shortFromHTML(h); back == s && len(notes) == 0 {
		return h, inHTML
	}
	return s, inPlain
}
