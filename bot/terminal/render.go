package terminal

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/x/ansi"

	"timonier/bot"
)

// styles are how the parts of a reply look. The zero Style changes nothing.
type styles struct {
	title, bold, italic, code, link, quote, faint, button, meter lipgloss.Style
	plain                                                        bool // no colours, no raised type: marks instead
}

func plainStyles() styles { return styles{plain: true} }

func colourStyles() styles {
	s := lipgloss.NewStyle()
	return styles{
		title:  s.Bold(true).Underline(true),
		bold:   s.Bold(true),
		italic: s.Italic(true),
		code:   s.Foreground(lipgloss.Cyan),
		link:   s.Underline(true),
		quote:  s.Foreground(lipgloss.Yellow),
		faint:  s.Faint(true),
		button: s.Foreground(lipgloss.Green),
		meter:  s.Foreground(lipgloss.Green),
	}
}

// printer renders replies as text of a width.
type printer struct {
	width  int
	styles styles
}

// reply is the whole reply, without a line end at its end.
func (p printer) reply(r bot.Reply) string {
	var parts []string
	for _, b := range r.Blocks {
		if text := p.block(b); text != "" {
			parts = append(parts, text)
		}
	}
	for _, f := range r.Files {
		parts = append(parts, p.styles.faint.Render(fmt.Sprintf("[%s, %d o]", f.Name, len(f.Data))))
	}
	if len(r.Buttons) > 0 {
		parts = append(parts, p.buttons(r.Buttons))
	}
	return strings.Join(parts, "\n\n")
}

// block renders one block.
func (p printer) block(b bot.Block) string {
	switch b := b.(type) {
	case bot.Title:
		return p.title(b.Text)
	case bot.Text:
		return p.markdown(b.Markdown, p.width)
	case bot.Code:
		return p.preformatted(b.Text)
	case bot.Table:
		return p.table(b)
	case bot.Quote:
		return p.quote(b.Markdown)
	case bot.Meter:
		return p.meter(b)
	case bot.Picture:
		if b.Text != "" {
			return p.preformatted(b.Text)
		}
		return p.styles.faint.Render("[" + b.Alt + "]")
	case bot.Divider:
		return p.styles.faint.Render(strings.Repeat("─", min(p.width, 40)))
	}
	return ""
}

func (p printer) title(text string) string {
	if p.styles.plain {
		return text + "\n" + strings.Repeat("─", min(p.width, ansi.StringWidth(text)))
	}
	return p.styles.title.Render(text)
}

// preformatted keeps columns and blanks; a person's terminal would break longer lines anywhere, so it is done here.
func (p printer) preformatted(text string) string {
	text = printable(strings.TrimRight(text, "\n"))
	if p.styles.plain {
		return text
	}
	return ansi.Hardwrap(text, p.width, true)
}

func (p printer) quote(markdown string) string {
	const bar = "│ "
	var lines []string
	for _, line := range strings.Split(p.markdown(markdown, p.width-len(bar)), "\n") {
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
	return p.styles.meter.Render(strings.Repeat("▓", full)+strings.Repeat("░", cells-full)) + " " + m.Label
}

// buttons are numbered: a number, or a button's label, is a line that the tutor understands.
func (p printer) buttons(buttons []bot.Button) string {
	var labels []string
	for i, b := range buttons {
		labels = append(labels, p.styles.button.Render(strings.ReplaceAll(fmt.Sprintf("[%d %s]", i+1, b.Label), " ", "\u00a0")))
	}
	text := ansi.Wrap(strings.Join(labels, " "), p.width, "")
	return strings.ReplaceAll(text, "\u00a0", " ")
}

// table draws a table. One that is too wide for the terminal is told row by row.
func (p printer) table(t bot.Table) string {
	rows := make([][]string, len(t.Rows))
	widest := make([]int, len(t.Columns))
	measure := func(row []string) {
		for i, cell := range row {
			widest[i] = max(widest[i], ansi.StringWidth(cell))
		}
	}
	measure(t.Columns)
	for i, row := range t.Rows {
		for _, cell := range row {
			rows[i] = append(rows[i], p.inline(cell))
		}
		measure(rows[i])
	}
	const gap = 3 // a border and two blanks
	total := 1
	for _, w := range widest {
		total += w + gap
	}
	tbl := table.New().Headers(t.Columns...).Rows(rows...).Border(lipgloss.NormalBorder()).
		StyleFunc(func(row, _ int) lipgloss.Style {
			s := lipgloss.NewStyle().Padding(0, 1)
			if row == table.HeaderRow {
				s = s.Inherit(p.styles.bold)
			}
			return s
		})
	if total > p.width {
		if len(t.Columns) > 3 {
			return p.list(t.Columns, rows)
		}
		tbl = tbl.Width(p.width)
	}
	return tbl.Render()
}

// list is a table as a list: for each row its first cell, then the others by their column.
func (p printer) list(columns []string, rows [][]string) string {
	var lines []string
	for _, row := range rows {
		lines = append(lines, "• "+row[0])
		for i, cell := range row[1:] {
			lines = append(lines, ansi.Wrap("    "+columns[i+1]+": "+cell, p.width, ""))
		}
	}
	return strings.Join(lines, "\n")
}

// printable takes out what would command a terminal: learners' text comes back in answers.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == utf8.RuneError:
			return '\uFFFD'
		}
		return r
	}, text)
}
