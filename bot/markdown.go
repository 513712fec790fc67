package bot

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/rivo/uniseg"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Passage is a paragraph, an item of a list, or another piece of a Markdown text, in the
// order in which it is read. A front end that knows how to write passages and spans in
// its platform's own markup needs to know nothing of Markdown.
type Passage struct {
	Kind     PassageKind
	Quoted   bool   // within a quotation
	Depth    int    // of lists around it: 1 in an item, 2 in an item of an item
	Mark     string // what stands before an item: • or 3.; empty for an item's further paragraphs
	Spans    []Span // of Prose
	Text     string // of Preformatted, without a newline at its end
	Language string // of Preformatted, where it is said; may be empty
}

// PassageKind is what a passage is.
type PassageKind int

// The kinds of passages.
const (
	Prose PassageKind = iota
	Heading
	Preformatted
	Rule
)

// Span is a run of text that looks the same throughout. Text is as it is read: nothing
// in it is markup. Line breaks are newlines.
type Span struct {
	Text               string
	Bold, Italic, Code bool
	Link               string // a target; empty: none
}

// Markdown takes a text apart.
func Markdown(source string) []Passage {
	m := marks{source: []byte(source)}
	m.blocks(goldmark.DefaultParser().Parse(text.NewReader(m.source)), Passage{})
	return m.passages
}

// Inline takes a text of one line apart, as a table's cell. What is no paragraph in
// Markdown (a lone dash, 3.) is text.
func Inline(source string) []Span {
	source = strings.Join(strings.FieldsFunc(source, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), " ")
	if p := Markdown(source); len(p) == 1 && p[0].Kind == Prose && p[0].Depth == 0 && !p[0].Quoted {
		return p[0].Spans
	}
	if source == "" {
		return nil
	}
	return []Span{{Text: source}}
}

// PlainText is what spans say, without how they look.
func PlainText(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// marks walks a parsed text.
type marks struct {
	source   []byte
	passages []Passage
}

// blocks adds the children of a node, each as like says.
func (m *marks) blocks(parent ast.Node, like Passage) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		p := like
		switch n := n.(type) {
		case *ast.List:
			m.items(n, like)
			continue
		case *ast.Blockquote:
			p.Quoted = true
			m.blocks(n, p)
			continue
		case *ast.FencedCodeBlock:
			p.Kind, p.Text = Preformatted, strings.TrimRight(m.lines(n), "\n")
			p.Language = string(n.Language(m.source))
		case *ast.CodeBlock:
			p.Kind, p.Text = Preformatted, strings.TrimRight(m.lines(n), "\n")
		case *ast.ThematicBreak:
			p.Kind = Rule
		case *ast.HTMLBlock: // nobody here reads HTML: it is what was typed
			p.Spans = []Span{{Text: strings.TrimRight(m.lines(n), "\n")}}
		case *ast.Heading:
			p.Kind = Heading
			m.spans(n, Span{}, &p.Spans)
		default:
			m.spans(n, Span{}, &p.Spans)
		}
		m.passages = append(m.passages, p)
		like.Mark = ""
	}
}

func (m *marks) items(list *ast.List, like Passage) {
	number := list.Start
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		p := like
		p.Depth++
		p.Mark = "•"
		if list.IsOrdered() {
			p.Mark = fmt.Sprintf("%d.", number)
			number++
		}
		m.blocks(item, p)
	}
}

func (m *marks) lines(n ast.Node) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		b.Write(line.Value(m.source))
	}
	return b.String()
}

// spans adds the inline children of a node, each as like says.
func (m *marks) spans(parent ast.Node, like Span, out *[]Span) {
	add := func(s Span, text string) {
		s.Text = text
		if n := len(*out); n > 0 {
			last := (*out)[n-1]
			if last.Text = ""; last == (Span{Bold: s.Bold, Italic: s.Italic, Code: s.Code, Link: s.Link}) {
				(*out)[n-1].Text += text
				return
			}
		}
		*out = append(*out, s)
	}
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		s := like
		switch n := n.(type) {
		case *ast.Text:
			add(s, said(n.Segment.Value(m.source)))
			if n.HardLineBreak() {
				add(s, "\n")
			} else if n.SoftLineBreak() {
				add(s, " ")
			}
		case *ast.String:
			add(s, string(n.Value))
		case *ast.CodeSpan:
			s.Code = true
			var b strings.Builder
			for t := n.FirstChild(); t != nil; t = t.NextSibling() {
				if t, ok := t.(*ast.Text); ok {
					b.WriteString(strings.ReplaceAll(string(t.Segment.Value(m.source)), "\n", " "))
				}
			}
			add(s, b.String())
		case *ast.Emphasis:
			if n.Level > 1 {
				s.Bold = true
			} else {
				s.Italic = true
			}
			m.spans(n, s, out)
		case *ast.Link:
			s.Link = string(n.Destination)
			m.spans(n, s, out)
		case *ast.AutoLink:
			s.Link = string(n.URL(m.source))
			add(s, string(n.Label(m.source)))
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				segment := n.Segments.At(i)
				add(s, string(segment.Value(m.source)))
			}
		default:
			m.spans(n, s, out)
		}
	}
}

// said is text as it is read: what was escaped, and characters by their names.
func said(text []byte) string {
	return string(util.UnescapePunctuations(util.ResolveEntityNames(util.ResolveNumericReferences(text))))
}

// Split cuts a text into parts of most characters at the most (of one at least), at ends of lines where
// there are any, else at blanks, else between two characters as a person sees them. The
// parts make the text again when they are joined: nothing is left out.
func Split(text string, most int) []string {
	var parts []string
	most = max(1, most)
	for runes := []rune(text); len(runes) > 0; {
		if len(runes) <= most {
			return append(parts, string(runes))
		}
		n := cut(runes[:most], runes[most])
		parts = append(parts, string(runes[:n]))
		runes = runes[n:]
	}
	return parts
}

// cut is where to cut runes, of which more follow.
func cut(runes []rune, following rune) int {
	for _, mark := range []rune{'\n', ' '} {
		for i := len(runes); i > len(runes)/2; i-- {
			if runes[i-1] == mark {
				return i
			}
		}
	}
	// The last character may go on in what follows: an accent, a family of emoji.
	rest, last, state := string(append(runes[:len(runes):len(runes)], following)), 0, -1
	for at := 0; rest != ""; {
		var c string
		c, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		n := len([]rune(c))
		if at += n; at > len(runes) {
			break
		}
		last = at
	}
	if last == 0 { // one character longer than the limit: there is no good place
		return len(runes)
	}
	return last
}

// phoneWidth is how many characters of fixed width fit on a phone's screen, beside what a chat puts around them.
const phoneWidth = 40

// ForPhone is a table as something that a phone can show: as text in columns where that is
// narrow enough, else a list of its rows with each cell under its column's name.
func (t Table) ForPhone() Block {
	if text := t.aligned(); text != "" {
		return Code{Text: text}
	}
	var b strings.Builder
	for _, row := range t.Rows {
		head, rest := "", []string{}
		for i, cell := range row {
			switch {
			case i == 0:
				head = "**" + strings.Trim(cell, "*") + "**"
				if len(t.Columns) > 0 && t.Columns[0] != "" {
					head = "*" + t.Columns[0] + "* " + head
				}
			case cell != "" && i < len(t.Columns) && t.Columns[i] != "":
				rest = append(rest, "*"+t.Columns[i]+"* "+cell)
			case cell != "":
				rest = append(rest, cell)
			}
		}
		b.WriteString("- " + head)
		if len(rest) > 0 {
			b.WriteString("\\\n  " + strings.Join(rest, " · "))
		}
		b.WriteString("\n")
	}
	return Text{Markdown: b.String()}
}

// aligned is the table in columns; empty where it is wider than a phone.
func (t Table) aligned() string {
	rows := make([][]string, 0, len(t.Rows)+1)
	rows = append(rows, t.Columns)
	for _, row := range t.Rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = PlainText(Inline(cell))
		}
		rows = append(rows, cells)
	}
	widths := make([]int, len(t.Columns))
	for _, row := range rows {
		for i := range min(len(row), len(widths)) {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
	}
	total := 2 * max(0, len(widths)-1)
	for _, w := range widths {
		total += w
	}
	if total > phoneWidth {
		return ""
	}
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i := range min(len(row), len(widths)) {
			line += row[i] + strings.Repeat(" ", widths[i]-ansi.StringWidth(row[i])+2)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}
