package picture

import (
	"strings"
	"unicode/utf8"
)

// columns is how wide a drawing made of characters is at most, so that a phone does not fold it.
const columns = 44

func width(s string) int { return utf8.RuneCountInString(s) }

// cut is a text of n columns at most.
func cut(s string, n int) string {
	if width(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	return strings.TrimRight(string([]rune(s)[:n-1]), " ") + "…"
}

// cutMiddle is a name of n columns at most: how it begins, and its last letters, which tell it from others.
func cutMiddle(s string, n int) string {
	const tail = 6
	if width(s) <= n || n < 2*tail {
		return cut(s, n)
	}
	r := []rune(s)
	return string(r[:n-tail-1]) + "…" + string(r[len(r)-tail:])
}

// pad is a text of n columns.
func pad(s string, n int) string { return cut(s, n) + strings.Repeat(" ", max(0, n-width(s))) }

// ends is a line of n columns with a text at either end; the left one gives way.
func ends(left, right string, n int) string {
	if right == "" {
		return cut(left, n)
	}
	return pad(left, n-width(right)-1) + " " + right
}

// folded breaks a text into lines of n columns at most, between words; a word that is too long is broken.
func folded(s string, n int) (lines []string) {
	line := ""
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == '\n' }) {
		for r := []rune(word); len(r) > n && n > 0; r = []rune(word) {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			at := n
			for i := n; i > n/2; i-- { // after a mark in it, where there is one
				if strings.ContainsRune("-/.,=", r[i-1]) {
					at = i
					break
				}
			}
			lines, word = append(lines, string(r[:at])), string(r[at:])
		}
		switch {
		case line == "":
			line = word
		case width(line)+1+width(word) <= n:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// page is a drawing made of characters, line by line.
type page struct{ b strings.Builder }

func (p *page) line(s string) { p.b.WriteString(strings.TrimRight(cut(s, columns), " ") + "\n") }

// text is a paragraph, hung on what its first line begins with.
func (p *page) text(first, s string) {
	for i, line := range folded(s, columns-width(first)) {
		if i > 0 {
			first = strings.Repeat(" ", width(first))
		}
		p.line(first + line)
	}
}

func (p *page) gap() {
	if p.b.Len() > 0 && !strings.HasSuffix(p.b.String(), "\n\n") {
		p.b.WriteByte('\n')
	}
}

func (p *page) String() string { return strings.TrimRight(p.b.String(), "\n") }

// gauge is a bar of n columns of which a part is full; a little that is full shows.
func gauge(part float64, n int) string {
	full := min(n, max(0, int(part*float64(n)+0.5)))
	if part > 0 && full == 0 {
		full = min(1, n)
	}
	return strings.Repeat("█", full) + strings.Repeat("░", n-full)
}

// cell is a tone as a part of a bar made of characters, letter a tone before a name.
func (t Tone) cell() rune     { return []rune("▒█▒█▓░·")[t] }
func (t Tone) letter() string { return []string{"·", "●", "○", "●", "◌", "✗", "·"}[t] }
