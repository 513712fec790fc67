package exchange

import "strings"

// lines tells in which line of a text a place is. Places are asked for in their order.
type lines struct {
	text      string
	from, at0 int // what is asked is counted from here; counted so far
	line      int
}

// newLines counts from a place in the text.
func newLines(text string, from int) *lines {
	return &lines{text: text, from: from, at0: from, line: 1 + strings.Count(text[:from], "\n")}
}

// at is the line of the place that stands so many bytes after from.
func (l *lines) at(offset int64) int {
	to := min(l.from+int(offset), len(l.text))
	if to < l.at0 {
		return 1 + strings.Count(l.text[:to], "\n")
	}
	l.line += strings.Count(l.text[l.at0:to], "\n")
	l.at0 = to
	return l.line
}
