package exchange

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// How much HTML one text may be, in bytes, and how deep its elements may stand in each other:
// far more than a question's text is, and little enough that a hostile one costs nothing.
const (
	mostHTML  = 16 << 10
	mostTags  = 500
	mostDepth = 60
)

// toHTML is Markdown as HTML.
func toHTML(markdown string) string {
	var b bytes.Buffer
	if goldmark.Convert([]byte(markdown), &b) != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}

// markup is how pieces of a text are written: as Markdown, or as marks that only serve to
// compare two texts.
type markup struct {
	strong, em, code string
	text             func(string) string
}

var (
	asMarkdown = markup{"**", "*", "`", func(s string) string { return s }}
	asEscaped  = markup{"**", "*", "`", escapeMarkdown}
	asShape    = markup{"\ue000", "\ue001", "\ue002", func(s string) string { return s }}
)

// special are the characters that mean something in Markdown.
var special = regexp.MustCompile("[\\\\`*_\\[\\]<>&~]")

// lineStart is what begins a list, a heading or a quotation.
var lineStart = regexp.MustCompile(`^(#{1,6}|[-+=]+|\d{1,9}[.)])(\s|$)`)

func escapeMarkdown(s string) string { return special.ReplaceAllString(s, `\$0`) }

// escapeStart keeps the beginning of a paragraph from being a mark.
func escapeStart(s string) string {
	m := lineStart.FindStringSubmatchIndex(s)
	switch {
	case m == nil:
		return s
	case s[0] >= '0' && s[0] <= '9':
		return s[:m[3]-1] + `\` + s[m[3]-1:]
	default:
		return `\` + s
	}
}

// fromHTML is HTML as Markdown, with what of it was lost. A Script is a reason to refuse the
// whole question. Characters are escaped only where they would be read as marks.
func fromHTML(source string) (string, []Problem) {
	if !strings.ContainsAny(source, "<&") && !special.MatchString(source) && !lineStart.MatchString(source) {
		return strings.Trim(strings.Join(fieldsOf(source), " "), " \u00a0"), nil
	}
	if tooMuch(source) {
		return "", []Problem{{Code: TooLong, Number: mostHTML}}
	}
	plain, notes := render(source, asMarkdown)
	escaped, _ := render(source, asEscaped)
	if plain == escaped {
		return plain, notes
	}
	want, _ := render(source, asShape)
	if got, _ := render(toHTML(plain), asShape); got == want {
		return plain, notes
	}
	return escaped, notes
}

// tooMuch says that an HTML text is not worth its reading.
func tooMuch(source string) bool {
	return len(source) > mostHTML || strings.Count(source, "<") > mostTags
}

// render writes an HTML text in a markup.
func render(source string, m markup) (string, []Problem) {
	nodes, err := html.ParseFragment(strings.NewReader(source), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return "", []Problem{{Code: Malformed, Word: shorten(source)}}
	}
	w := htmlWriter{markup: m}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	return strings.Join(w.blocks(root, 0), "\n\n"), w.notes
}

// htmlWriter walks HTML.
type htmlWriter struct {
	markup
	notes []Problem
}

func (w *htmlWriter) note(c Code, word string) {
	w.notes = append(w.notes, Problem{Code: c, Word: shorten(word)})
}

// hardBreak stands for <br> until a paragraph is whole: at its ends it means nothing.
const hardBreak = "\ue020"

// programs are elements whose being there is a reason to refuse a text.
var programs = map[string]bool{"script": true, "iframe": true, "object": true, "embed": true, "applet": true, "form": true, "svg": true, "math": true, "base": true, "meta": true, "link": true}

// blockElements begin a paragraph of their own.
var blockElements = map[atom.Atom]bool{
	atom.P: true, atom.Div: true, atom.Ul: true, atom.Ol: true, atom.Li: true, atom.Pre: true, atom.Blockquote: true, atom.H1: true, atom.H2: true, atom.H3: true,
	atom.H4: true, atom.H5: true, atom.H6: true, atom.Table: true, atom.Thead: true, atom.Tbody: true, atom.Tfoot: true, atom.Tr: true, atom.Hr: true, atom.Section: true,
	atom.Article: true, atom.Header: true, atom.Footer: true, atom.Dl: true, atom.Dt: true, atom.Dd: true, atom.Figure: true, atom.Figcaption: true, atom.Center: true,
}

// blocks are the paragraphs of what stands in a node.
func (w *htmlWriter) blocks(n *html.Node, depth int) []string {
	var out []string
	var run strings.Builder
	flush := func() {
		text := strings.Trim(run.String(), " \t\n\r\f\u00a0"+hardBreak)
		run.Reset()
		if text == "" {
			return
		}
		text = strings.ReplaceAll(text, hardBreak, "\\\n")
		if w.markup.strong == "**" {
			text = w.start(text)
		}
		out = append(out, text)
	}
	if depth > mostDepth {
		w.note(Malformed, n.Data)
		return nil
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && blockElements[c.DataAtom] {
			flush()
			w.attributes(c)
			out = append(out, w.block(c, depth+1)...)
			continue
		}
		run.WriteString(w.inline(c, depth+1))
	}
	flush()
	return out
}

// start escapes the start of each line of a paragraph where text is escaped.
func (w *htmlWriter) start(text string) string {
	if w.markup.text(`*`) == `*` {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = escapeStart(l)
	}
	return strings.Join(lines, "\n")
}

func (w *htmlWriter) block(n *html.Node, depth int) []string {
	switch n.DataAtom {
	case atom.Ul, atom.Ol:
		return w.list(n, depth)
	case atom.Pre:
		text := strings.Trim(textOf(n, depth), "\n")
		if text == "" {
			return nil
		}
		fence := "```"
		for strings.Contains(text, fence) {
			fence += "`"
		}
		return []string{w.mark(fence) + language(n) + "\n" + text + "\n" + fence}
	case atom.Blockquote:
		inner := strings.Join(w.blocks(n, depth), "\n\n")
		if inner == "" {
			return nil
		}
		return []string{w.mark("> ") + strings.ReplaceAll(inner, "\n", "\n> ")}
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return around([]string{strings.Join(w.blocks(n, depth), " ")}, w.strong)
	case atom.Table:
		w.note(TableFlat, "")
	case atom.Tr:
		var cells []string
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.ElementNode {
				w.attributes(c)
				cells = append(cells, strings.Join(w.blocks(c, depth), " "))
			}
		}
		return []string{strings.Join(cells, " | ")}
	case atom.Hr:
		return nil
	}
	return w.blocks(n, depth)
}

// indented is the beginning of a line that has something in it.
var indented = regexp.MustCompile(`\n([^\n])`)

// mark is a mark at the beginning of a line, told from the same characters of a text where two
// texts are compared.
func (w *htmlWriter) mark(s string) string {
	if w.strong == asShape.strong {
		return "\ue003" + s
	}
	return s
}

func (w *htmlWriter) list(n *html.Node, depth int) []string {
	var items []string
	number := 1
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode {
			continue
		}
		w.attributes(c)
		mark := "- "
		if n.DataAtom == atom.Ol {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		inner := w.blocks(c, depth)
		if len(inner) == 0 {
			continue
		}
		text := indented.ReplaceAllString(strings.Join(inner, "\n\n"), "\n"+strings.Repeat(" ", len(mark))+"$1")
		items = append(items, w.mark(mark)+text)
	}
	if len(items) == 0 {
		return nil
	}
	return []string{strings.Join(items, "\n")}
}

// inline is what stands in a line.
func (w *htmlWriter) inline(n *html.Node, depth int) string {
	switch {
	case depth > mostDepth:
		w.note(Malformed, n.Data)
		return ""
	case n.Type == html.TextNode:
		return w.text(collapse(n.Data))
	case n.Type != html.ElementNode:
		return "" // a comment
	}
	w.attributes(n)
	if programs[n.Data] {
		w.note(Script, n.Data)
		return ""
	}
	switch n.DataAtom {
	case atom.Br:
		return hardBreak
	case atom.Style, atom.Template, atom.Noscript:
		return ""
	case atom.Img, atom.Video, atom.Audio:
		w.note(ImageLost, first(attribute(n, "alt"), attribute(n, "src"), n.Data))
		return w.text(collapse(attribute(n, "alt")))
	case atom.Code, atom.Tt, atom.Kbd, atom.Samp:
		return codeSpan(collapse(textOf(n, depth)), w.code)
	case atom.Strong, atom.B:
		return wrap(w.children(n, depth), w.strong)
	case atom.Em, atom.I:
		return wrap(w.children(n, depth), w.em)
	case atom.A:
		return w.link(n, depth)
	}
	if n.DataAtom == 0 { // no element of HTML: somebody wrote <name> and meant it
		return w.text("<"+n.Data+">") + w.children(n, depth)
	}
	return w.children(n, depth)
}

func (w *htmlWriter) children(n *html.Node, depth int) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && blockElements[c.DataAtom] {
			w.attributes(c)
			b.WriteString(" " + strings.Join(w.blocks(c, depth+1), " ") + " ")
			continue
		}
		b.WriteString(w.inline(c, depth+1))
	}
	return b.String()
}

// link is a link to a page; one that leads elsewhere is its text.
func (w *htmlWriter) link(n *html.Node, depth int) string {
	text, to := strings.TrimSpace(w.children(n, depth)), strings.TrimSpace(attribute(n, "href"))
	if to == "" {
		return text
	}
	if lower := strings.ToLower(to); !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") || strings.ContainsAny(to, " \t\n<>()\\") {
		w.note(LinkLost, to)
		return text
	}
	if text == "" {
		return ""
	}
	return "[" + text + "](" + to + ")"
}

// attributes tells of programs in an element's attributes.
func (w *htmlWriter) attributes(n *html.Node) {
	for _, a := range n.Attr {
		if strings.HasPrefix(strings.ToLower(a.Key), "on") {
			w.note(HandlerLost, a.Key)
		}
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// language is that of a block of code: <pre><code class="language-yaml">.
func language(pre *html.Node) string {
	for c := pre.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == atom.Code {
			if l, ok := strings.CutPrefix(attribute(c, "class"), "language-"); ok && !strings.ContainsAny(l, " `\n") {
				return l
			}
		}
	}
	return ""
}

// textOf is all the text in a node, as it stands.
func textOf(n *html.Node, depth int) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if depth > mostDepth {
		return ""
	}
	if n.DataAtom == atom.Br {
		return "\n"
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c, depth+1))
	}
	return b.String()
}

// codeSpan is code in a line, between as many backticks as it takes.
func codeSpan(text, mark string) string {
	if text == "" {
		return ""
	}
	fence := mark
	for strings.Contains(text, fence) {
		fence += mark
	}
	if strings.HasPrefix(text, mark) || strings.HasSuffix(text, mark) {
		text = " " + text + " "
	}
	return fence + text + fence
}

// wrap sets marks around a text, inside of the blanks at its ends.
func wrap(text, mark string) string {
	body := strings.TrimSpace(text)
	if body == "" {
		return text
	}
	at := strings.Index(text, body)
	return text[:at] + mark + body + mark + text[at+len(body):]
}

func around(texts []string, mark string) []string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, wrap(t, mark))
		}
	}
	return out
}

// fieldsOf cuts at blanks that may be broken at; a no-break space is kept.
func fieldsOf(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\f' })
}

// collapse makes each run of blanks one, as HTML does.
func collapse(s string) string {
	inner := strings.Join(fieldsOf(s), " ")
	if s == "" || inner == "" {
		if s != "" {
			return " "
		}
		return ""
	}
	if strings.ContainsAny(s[:1], " \t\n\r\f") {
		inner = " " + inner
	}
	if strings.ContainsAny(s[len(s)-1:], " \t\n\r\f") {
		inner += " "
	}
	return inner
}

func first(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}
