package terminal

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/x/ansi"

	"timonier/bot"
)

// styles are how the parts of a reply look.
type styles struct {
	title, bold, italic, code, link, quote, faint, button, meter lipgloss.Style

	plain bool // no raised type: all of Markdown's marks stay, and long lines of code
	marks bool // no colours: code stays between its marks
}

// plainStyles are for a script: text alone.
func plainStyles() styles { return styles{plain: true, marks: true} }

// colourStyles are for a person; the colours are those of the terminal's own theme.
func colourStyles() styles {
	s := monochromeStyles()
	s.code = s.code.Foreground(lipgloss.Cyan)
	s.quote = s.quote.Foreground(lipgloss.Yellow)
	s.button = s.button.Foreground(lipgloss.Green)
	s.meter = s.meter.Foreground(lipgloss.Green)
	s.marks = false
	return s
}

// monochromeStyles are for a person who wants no colours.
func monochromeStyles() styles {
	s := lipgloss.NewStyle()
	return styles{
		title: s.Bold(true).Underline(true), bold: s.Bold(true), italic: s.Italic(true), link: s.Underline(true),
		faint: s.Faint(true), marks: true,
	}
}

// printer renders replies as text of a width.
type printer struct {
	width  int // cells of a line
	styles styles
	words  func(id string) string // says a sentence of the tutor's; nil: none is said
}

// measure is how wide prose is at most: longer lines are hard to read.
const measure = 100

func (p printer) prose() int { return min(p.width, measure) }

// reply is the whole reply, without a line end at its end. No line is wider than the
// printer's width, but for those of code in a script.
func (p printer) reply(r bot.Reply) string {
	var parts []string
	for _, b := range r.Blocks {
		if text := p.block(b); text != "" {
			parts = append(parts, text)
		}
	}
	for _, f := range r.Files {
		parts = append(parts, p.styles.faint.Render("["+oneLine(f.Name)+"]"))
	}
	if r.Menu != nil && len(r.Menu.Choices) > 0 {
		parts = append(parts, p.menu(*r.Menu))
	}
	buttons := r.Buttons
	if r.Prompt != nil && !asks(r) {
		switch {
		case !r.Prompt.Short:
			buttons = append(buttons[:len(buttons):len(buttons)], bot.Button{Label: r.Prompt.Button})
		case p.words != nil:
			parts = append(parts, wrap(p.styles.faint.Render(strings.TrimLeft(oneLine(r.Prompt.Label)+" · "+p.words("terminal.line"), " ·")), p.prose()))
		}
	}
	if r.Prompt != nil && !r.Prompt.Short && r.Prompt.Text != "" {
		parts = append(parts, p.preformatted(r.Prompt.Text))
	}
	if len(buttons) > 0 {
		parts = append(parts, p.buttons(buttons))
	}
	text := strings.Join(parts, "\n\n")
	if p.styles.plain {
		return text
	}
	return fit(text, p.width)
}

// block renders one block.
func (p printer) block(b bot.Block) string {
	switch b := b.(type) {
	case bot.Title:
		return p.title(oneLine(b.Text))
	case bot.Text:
		return p.markdown(b.Markdown, p.prose())
	case bot.Code:
		return p.preformatted(b.Text)
	case bot.Table:
		return p.table(b)
	case bot.Quote:
		return p.quote(b.Markdown)
	case bot.Meter:
		return p.meter(b)
	case bot.Picture:
		drawing := printable(b.Text)
		if drawing != "" && (b.Alt == "" || widest(strings.Split(drawing, "\n")) <= p.width) {
			return p.preformatted(drawing)
		}
		return wrap(p.styles.faint.Render("["+oneLine(b.Alt)+"]"), p.prose())
	case bot.Until:
		return wrap(until(b), p.prose())
	case bot.Divider:
		return p.styles.faint.Render(strings.Repeat("─", min(p.width, 40)))
	}
	return ""
}

func (p printer) title(text string) string {
	text = wrap(text, p.prose())
	if p.styles.plain {
		return text + "\n" + strings.Repeat("─", widest(strings.Split(text, "\n")))
	}
	return p.styles.title.Render(text)
}

// preformatted keeps columns and blanks. A terminal would break longer lines anywhere, so it
// is done here; a script's are left whole for whatever reads them.
func (p printer) preformatted(text string) string {
	text = untabbed(printable(strings.TrimRight(text, "\n")))
	if p.styles.plain {
		return text
	}
	return folded(text, p.width)
}

func (p printer) quote(markdown string) string {
	const bar = "│ "
	var lines []string
	for line := range strings.SplitSeq(p.markdown(markdown, p.prose()-ansi.StringWidth(bar)), "\n") {
		if line == "" {
			lines = append(lines, p.styles.quote.Render("│"))
			continue
		}
		lines = append(lines, p.styles.quote.Render(bar)+line)
	}
	return strings.Join(lines, "\n")
}

func (p printer) meter(m bot.Meter) string {
	const cells = 20
	full := 0
	if m.Total > 0 {
		full = min(cells, max(0, m.Done*cells/m.Total))
	}
	bar := p.styles.meter.Render(strings.Repeat("▓", full) + strings.Repeat("░", cells-full))
	return wrap(bar+" "+oneLine(m.Label), p.prose())
}

// until is a moment, and how far off it is: nothing counts down in a terminal.
func until(u bot.Until) string {
	text := oneLine(u.Label) + " " + oneLine(u.When())
	if u.In != "" {
		text += " (" + oneLine(u.In) + ")"
	}
	return strings.TrimLeft(text, " ")
}

// menu lists choices by what is typed for them, and says how.
func (p printer) menu(m bot.Menu) string {
	var lines []string
	if label := oneLine(m.Label); label != "" {
		lines = append(lines, wrap(label, p.prose()))
	}
	var example []string
	_, most := m.Bounds()
	for i, c := range m.Choices {
		lines = append(lines, hanging("  "+p.styles.button.Render(oneLine(c.Value))+" ", oneLine(c.Label), p.prose()))
		if i == 0 || most > 1 && i == min(2, len(m.Choices)-1) {
			example = append(example, c.Value)
		}
	}
	if p.words != nil {
		lines = append(lines, wrap(p.styles.faint.Render(p.words("terminal.menu")+" "+strings.Join(example, " ")), p.prose()))
	}
	return strings.Join(lines, "\n")
}

// buttons are numbered: a number, or a button's label, is a line that does the same.
func (p printer) buttons(buttons []bot.Button) string {
	labels := make([]string, len(buttons))
	for i, b := range buttons {
		labels[i] = p.styles.button.Render(strings.ReplaceAll(fmt.Sprintf("[%d %s]", i+1, oneLine(b.Label)), " ", "\u00a0"))
	}
	return strings.ReplaceAll(wrap(strings.Join(labels, " "), p.prose()), "\u00a0", " ")
}

// narrowest is how many cells a column of a table needs to be read in.
const narrowest = 20

// table draws a table. One that is too wide for the terminal is told row by row.
func (p printer) table(t bot.Table) string {
	head := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		head[i] = kept.Replace(oneLine(c))
	}
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = make([]string, len(head))
		for j := range min(len(row), len(head)) {
			rows[i][j] = kept.Replace(p.inline(row[j]))
		}
	}
	widths := columnWidths(head, rows)
	if tableWidth(widths) > p.width {
		if len(head) > 3 || p.width < narrowest*len(head) {
			return given.Replace(p.list(head, rows))
		}
		p.squeeze(widths, head, rows)
	}
	return given.Replace(table.New().Headers(head...).Rows(rows...).Border(lipgloss.NormalBorder()).BorderStyle(p.styles.faint).
		StyleFunc(func(row, _ int) lipgloss.Style {
			s := lipgloss.NewStyle().Padding(0, 1)
			if row == table.HeaderRow {
				s = s.Inherit(p.styles.bold)
			}
			return s
		}).Render())
}

// columnWidths are how wide the columns are in which no cell is broken.
func columnWidths(head []string, rows [][]string) []int {
	widths := make([]int, len(head))
	for i := range head {
		widths[i] = ansi.StringWidth(head[i])
		for _, row := range rows {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
	}
	return widths
}

// tableWidth is how wide a table is: each column with a border and two blanks.
func tableWidth(widths []int) int {
	total := 1
	for _, w := range widths {
		total += w + 3
	}
	return total
}

// squeeze takes from the widest column until the table fits, and breaks the cells. (Lipgloss
// can do that by itself, but loses ends of cells at some widths.)
func (p printer) squeeze(widths []int, head []string, rows [][]string) {
	for tableWidth(widths) > p.width {
		widths[slices.Index(widths, slices.Max(widths))]--
	}
	for _, cells := range append([][]string{head}, rows...) {
		for i := range cells {
			cells[i] = wrap(cells[i], widths[i])
		}
	}
}

// list is a table as a list: for each row its first cell, then the others by their column.
func (p printer) list(head []string, rows [][]string) string {
	var lines []string
	for _, row := range rows {
		lines = append(lines, hanging("• ", row[0], p.prose()))
		for i, cell := range row[1:] {
			if cell == "" {
				continue
			}
			lines = append(lines, hanging("    ", p.styles.faint.Render(head[i+1])+" · "+cell, p.prose()))
		}
	}
	return strings.Join(lines, "\n")
}
