package terminal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Characters of private use stand for those at which ansi.Wrap would break a line
// and must not: a --flag and a pod's name stay whole, and so do a figure and its unit.
var (
	kept  = strings.NewReplacer("-", "\ue02d", "\u202f", "\ue02f", "\t", " ")
	given = strings.NewReplacer("\ue02d", "-", "\ue02f", "\u202f")
)

// wrap breaks text at its blanks so that no line is wider than width, in cells. Only
// a word that is wider by itself is cut. Styles go on behind each break.
func wrap(text string, width int) string {
	return given.Replace(lipgloss.Wrap(kept.Replace(text), max(1, width), ""))
}

// hanging wraps text behind a mark; the lines that follow the first stand under it.
func hanging(mark, text string, width int) string {
	indent := strings.Repeat(" ", ansi.StringWidth(mark))
	return mark + strings.ReplaceAll(wrap(text, width-len(indent)), "\n", "\n"+indent)
}

// fit cuts what is still wider than the width: nothing may leave the screen at its right.
func fit(text string, width int) string {
	for line := range strings.SplitSeq(text, "\n") {
		if ansi.StringWidth(line) > width {
			return ansi.Hardwrap(text, max(1, width), true)
		}
	}
	return text
}

// folded makes preformatted text fit a width, its columns kept where there are any. What
// fits is left as it is.
func folded(text string, width int) string {
	groups := strings.Split(text, "\n\n")
	for i, group := range groups {
		if lines := strings.Split(group, "\n"); widest(lines) > width {
			groups[i] = strings.Join(foldGroup(lines, width), "\n")
		}
	}
	return strings.Join(groups, "\n\n")
}

func widest(lines []string) int {
	most := 0
	for _, line := range lines {
		most = max(most, ansi.StringWidth(line))
	}
	return most
}

// foldGroup folds lines that belong together: a table at its columns, a drawing nowhere
// in particular, other lines at their blanks.
func foldGroup(lines []string, width int) []string {
	var out []string
	if isTable(lines) {
		for _, line := range foldTable(lines, width) {
			out = append(out, foldLine(line, width)...)
		}
		return out
	}
	for _, line := range lines {
		if strings.ContainsFunc(line, drawn) {
			out = append(out, line) // reply cuts it
			continue
		}
		out = append(out, foldLine(line, width)...)
	}
	return out
}

// drawn says that a character is one of those that diagrams are made of.
func drawn(r rune) bool { return r >= 0x2500 && r < 0x2600 || r >= 0x2190 && r < 0x2200 }

// foldLine folds one line at its blanks; what follows stands two cells deeper.
func foldLine(line string, width int) []string {
	if ansi.StringWidth(line) <= width {
		return []string{line}
	}
	body := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(body)]
	if len(indent) > width/2 {
		indent = indent[:width/2]
	}
	parts := strings.Split(wrap(body, width-len(indent)-2), "\n")
	for i := range parts {
		if parts[i] = indent + parts[i]; i > 0 {
			parts[i] = "  " + parts[i]
		}
	}
	return parts
}

// isTable tells kubectl's tables: a head in capitals, of columns two blanks apart.
func isTable(lines []string) bool {
	head := lines[0]
	return strings.Contains(strings.TrimSpace(head), "  ") && head == strings.ToUpper(head) &&
		strings.ContainsFunc(head, unicode.IsLetter)
}

// foldTable breaks every line of a table at the same columns, so that what stands
// under each other still does. The second and further parts are indented.
func foldTable(lines []string, width int) []string {
	const indent = "    "
	starts := columns(lines)
	var cuts []int // where parts begin
	begin, room := 0, width
	for i, at := range starts {
		end := 1 << 30
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		if at > begin && span(lines, begin, end) > room {
			cuts = append(cuts, at)
			begin, room = at, width-len(indent)
		}
	}
	var out []string
	for _, line := range lines {
		from := 0
		for i, cut := range append(cuts, 1<<30) {
			if part := strings.TrimRight(slice(line, from, cut), " "); i == 0 {
				out = append(out, part)
			} else if part != "" {
				out = append(out, indent+part)
			}
			from = cut
		}
	}
	return out
}

// columns are where the columns of a table begin, in characters: wherever its head has
// a word behind two blanks, and no line has anything in those.
func columns(lines []string) []int {
	starts := []int{0}
	head := []rune(lines[0])
	for at := 2; at < len(head); at++ {
		if head[at] == ' ' || head[at-1] != ' ' || head[at-2] != ' ' {
			continue
		}
		clear := true
		for _, line := range lines[1:] {
			clear = clear && strings.TrimSpace(slice(line, at-2, at)) == ""
		}
		if clear {
			starts = append(starts, at)
		}
	}
	return starts
}

// span is how wide the widest of the lines is between two columns.
func span(lines []string, from, to int) int {
	most := 0
	for _, line := range lines {
		most = max(most, ansi.StringWidth(strings.TrimRight(slice(line, from, to), " ")))
	}
	return most
}

// slice is the part of a line between two counts of characters.
func slice(line string, from, to int) string {
	runes := []rune(line)
	from, to = min(from, len(runes)), min(to, len(runes))
	return string(runes[from:to])
}

// untabbed sets tabs as a terminal does, at every eighth cell.
func untabbed(text string) string {
	if !strings.Contains(text, "\t") {
		return text
	}
	var b strings.Builder
	at := 0
	for _, r := range text {
		switch r {
		case '\t':
			blanks := 8 - at%8
			b.WriteString(strings.Repeat(" ", blanks))
			at += blanks
			continue
		case '\n':
			at = 0
		default:
			at += ansi.StringWidth(string(r))
		}
		b.WriteRune(r)
	}
	return b.String()
}

// printable takes out what would command a terminal: learners' text comes back in answers.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == utf8.RuneError,
			r >= 0xe000 && r < 0xf900,                              // of private use: nobody knows how it looks or how wide it is
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // turns the direction of what follows
			return '\uFFFD'
		}
		return r
	}, text)
}

// oneLine is a text that has to stay on one line.
func oneLine(text string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(printable(text))
}
