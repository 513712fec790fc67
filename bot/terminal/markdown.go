package terminal

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown renders paragraphs, lists and inline marks at a width.
func (p printer) markdown(source string, width int) string {
	source = printable(source)
	doc := goldmark.DefaultParser().Parse(text.NewReader([]byte(source)))
	return strings.Join(p.blocks(doc, []byte(source), max(width, 1)), "\n\n")
}

// inline renders a text of one line, as a cell of a table.
func (p printer) inline(source string) string {
	source = oneLine(source)
	doc := goldmark.DefaultParser().Parse(text.NewReader([]byte(source)))
	if first := doc.FirstChild(); first != nil && first.NextSibling() == nil && first.Kind() == ast.KindParagraph {
		return p.spans(first, []byte(source))
	}
	return source // a lone dash, a number with a dot: not what Markdown takes it for
}

// blocks renders the children of a node, each on its own lines.
func (p printer) blocks(parent ast.Node, source []byte, width int) []string {
	var out []string
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.List:
			out = append(out, p.items(n, source, width))
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			out = append(out, p.preformatted(lines(n, source)))
		case *ast.Blockquote:
			inner := strings.Join(p.blocks(n, source, width-2), "\n\n")
			out = append(out, "│ "+strings.ReplaceAll(inner, "\n", "\n│ "))
		case *ast.ThematicBreak:
			out = append(out, strings.Repeat("─", min(width, 40)))
		case *ast.Heading:
			out = append(out, p.styles.bold.Render(wrap(p.spans(n, source), width)))
		case *ast.HTMLBlock:
			out = append(out, wrap(strings.TrimRight(lines(n, source), "\n"), width))
		default:
			out = append(out, wrap(p.spans(n, source), width))
		}
	}
	return out
}

func lines(n ast.Node, source []byte) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		b.Write(line.Value(source))
	}
	return b.String()
}

func (p printer) items(list *ast.List, source []byte, width int) string {
	var out []string
	number := list.Start
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "• "
		if list.IsOrdered() {
			mark = fmt.Sprintf("%d. ", number)
			number++
		}
		indent := strings.Repeat(" ", ansi.StringWidth(mark))
		body := strings.Join(p.blocks(item, source, width-len(indent)), "\n")
		out = append(out, mark+strings.ReplaceAll(body, "\n", "\n"+indent))
	}
	return strings.Join(out, "\n")
}

// spans renders the inline children of a node. Without styles, what is emphasised or code says so by its marks.
func (p printer) spans(parent ast.Node, source []byte) string {
	var b strings.Builder
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			b.WriteString(said(n.Segment.Value(source)))
			if n.HardLineBreak() {
				b.WriteByte('\n')
			} else if n.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.CodeSpan:
			b.WriteString(p.code(codeOf(n, source)))
		case *ast.Emphasis:
			b.WriteString(p.emphasis(n.Level, p.spans(n, source)))
		case *ast.Link:
			label, target := p.spans(n, source), string(n.Destination)
			b.WriteString(p.styles.link.Render(label))
			if label != target {
				b.WriteString(" (" + target + ")")
			}
		case *ast.AutoLink:
			b.WriteString(p.styles.link.Render(string(n.URL(source))))
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				segment := n.Segments.At(i)
				b.Write(segment.Value(source))
			}
		default:
			b.WriteString(p.spans(n, source))
		}
	}
	return b.String()
}

// said is text as it is read: what was escaped, and characters by their names. Those that
// would command a terminal may hide there too.
func said(text []byte) string {
	return printable(string(util.UnescapePunctuations(util.ResolveEntityNames(util.ResolveNumericReferences(text)))))
}

// codeOf is what stands between the marks of code, where nothing is escaped.
func codeOf(span *ast.CodeSpan, source []byte) string {
	var b strings.Builder
	for n := span.FirstChild(); n != nil; n = n.NextSibling() {
		if t, ok := n.(*ast.Text); ok {
			b.WriteString(strings.ReplaceAll(string(t.Segment.Value(source)), "\n", " "))
		}
	}
	return b.String()
}

func (p printer) code(text string) string {
	if p.styles.marks {
		return "`" + text + "`"
	}
	return p.styles.code.Render(text)
}

func (p printer) emphasis(level int, text string) string {
	switch {
	case p.styles.plain && level > 1:
		return "**" + text + "**"
	case p.styles.plain:
		return "*" + text + "*"
	case level > 1:
		return p.styles.bold.Render(text)
	}
	return p.styles.italic.Render(text)
}
