package exchange

import "strings"

// lines tells in which line of a text a place is. Places are asked for in their order.
type lines struct {
	text      string
	from, at0 int // what is asked is counted from here; counted so far
	line      int
}

func newLines(text string) *lines { return &lines{text: text, line: 1} }

// begin has what is asked counted from a place in the text, which is not before the last one.
func (l *lines) begin(from int) {
	l.from = from
	l.at(0)
}

// at is the line of the place that stands so many bytes after where it is counted from.
func (l *lines) at(offset int64) int {
	to := min(l.from+int(offset), len(l.text))
	if to < l.at0 {
		return 1 + strings.Count(l.text[:to], "\n")
	}
	l.line += strings.Count(l.text[l.at0:to], "\n")
	l.at0 = to
	return l.line
}
