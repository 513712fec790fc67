package exchange

import (
	"html"
	"strings"

	xhtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Short texts (options, steps, pairs, words) are plain words with `code`; nothing else in them
// is a mark.

// shortToHTML is a short text as HTML.
func shortToHTML(s string) string {
	parts := strings.Split(s, "`")
	var b strings.Builder
	for n, part := range parts {
		switch {
		case n%2 == 0:
			b.WriteString(html.EscapeString(part))
		case n == len(parts)-1 || part == "": // no backtick after it
			b.WriteString("`" + html.EscapeString(part))
			if part == "" && n < len(parts)-1 {
				b.WriteString("`")
			}
		default:
			b.WriteString("<code>" + html.EscapeString(part) + "</code>")
		}
	}
	return "<p>" + b.String() + "</p>"
}

// shortFromHTML is HTML as a short text, with what of it was lost. How it looked is not told of:
// an option's words are what counts.
func shortFromHTML(source string) (string, []Problem) {
	if !strings.ContainsAny(source, "<&") {
		return strings.Trim(strings.Join(fieldsOf(source), " "), " \u00a0"), nil
	}
	if tooMuch(source) {
		return "", []Problem{{Code: TooLong, Number: mostHTML}}
	}
	nodes, err := xhtml.ParseFragment(strings.NewReader(source), &xhtml.Node{Type: xhtml.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return "", []Problem{{Code: Malformed, Word: shorten(source)}}
	}
	w := htmlWriter{markup: markup{"", "", "`", func(s string) string { return s }}}
	var b strings.Builder
	for _, n := range nodes {
		w.short(&b, n, 0)
	}
	return strings.Trim(strings.Join(fieldsOf(b.String()), " "), " \u00a0"), w.notes
}

func (w *htmlWriter) short(b *strings.Builder, n *xhtml.Node, depth int) {
	switch {
	case depth > mostDepth:
		w.note(Malformed, n.Data)
		return
	case n.Type == xhtml.TextNode:
		b.WriteString(n.Data)
		return
	case n.Type != xhtml.ElementNode:
		return
	}
	w.attributes(n)
	if programs[n.Data] {
		w.note(Script, n.Data)
		return
	}
	switch n.DataAtom {
	case atom.Style, atom.Template, atom.Noscript:
		return
	case atom.Img, atom.Video, atom.Audio:
		w.note(ImageLost, first(attribute(n, "alt"), attribute(n, "src"), n.Data))
		b.WriteString(attribute(n, "alt"))
		return
	case atom.Code, atom.Tt, atom.Kbd, atom.Samp:
		b.WriteString(codeSpan(collapse(textOf(n, depth)), "`"))
		return
	}
	if n.DataAtom == 0 {
		b.WriteString("<" + n.Data + ">")
	}
	blank := blockElements[n.DataAtom] || n.DataAtom == atom.Br
	if blank {
		b.WriteString(" ")
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.short(b, c, depth+1)
	}
	if blank {
		b.WriteString(" ")
	}
}
