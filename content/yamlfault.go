package content

import (
	"bytes"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlWords are yaml's own words for a fault, and ours for whoever wrote the file and
// knows YAML by its examples alone. $1 is the first group. The first that matches is said.
var yamlWords = []struct {
	theirs *regexp.Regexp
	ours   string
}{
	{regexp.MustCompile(`^did not find expected ',' or '([]}])'`), `in what is between braces or brackets, a comma, a quotation mark or the closing $1 is missing`},
	{regexp.MustCompile(`^mapping values are not allowed`), `a colon where none can be: put a text that has a colon between quotation marks "…"; else this line is indented too far`},
	{regexp.MustCompile(`^found character that cannot start any token`), `a text that begins like this goes between quotation marks "…"`},
	{regexp.MustCompile(`^did not find expected alphabetic or numeric character`), `a text that begins with * or & goes between quotation marks "…"`},
	{regexp.MustCompile(`^did not find expected ('-' indicator|key|<document start>)`), `this line is not indented like those that it goes with above (count the blanks at its beginning), or a quotation mark or a colon is missing`},
	{regexp.MustCompile(`^could not find expected ':'`), `a key is followed by a colon and a blank: "key: text"; a text of several lines is indented`},
	{regexp.MustCompile(`^found unexpected (end of stream|document indicator)`), `a quotation mark is opened here and not closed`},
	{regexp.MustCompile(`^found unknown escape character`), `between "…" a \ is doubled: \\`},
	{regexp.MustCompile(`^(?:EOF|did not find expected node content)$`), `there is nothing, or something is left out, where a text is expected`},
	{regexp.MustCompile(`^mapping key "(.*)" already defined at line (\d+)`), `the key $1 is there twice`},
	{regexp.MustCompile(`^field (\S+) not found in type`), `the key $1 is not known here: it is misspelt, or not indented as it should be`},
	{regexp.MustCompile("^cannot unmarshal !!\\S+ `(.*)` into \\[\\]"), `a list is expected: [$1]`},
	{regexp.MustCompile("^cannot unmarshal !!\\S+ `(.*)` into time.Duration"), `a length of time is expected, as 10s, 5m or 1h: $1`},
	{regexp.MustCompile("^cannot unmarshal !!\\S+ `(.*)` into u?int"), `a number is expected: $1`},
	{regexp.MustCompile("^cannot unmarshal !!\\S+ `(.*)` into bool"), `true or false is expected: $1`},
	{regexp.MustCompile("^cannot unmarshal !!str `(.*)` into content.Text"), `a text is written in both languages: {fr: "…", en: "…"}, not $1 alone`},
	{regexp.MustCompile("^cannot unmarshal !!\\S+ `(.*)` into"), `something else is expected in place of $1: compare with the example in README.md`},
	{regexp.MustCompile(`^cannot unmarshal !!seq into`), `a single thing is expected, not a list`},
	{regexp.MustCompile(`^cannot unmarshal !!map into \[\]`), `a list is expected: each of its items begins with "- "`},
	{regexp.MustCompile(`^cannot unmarshal !!map into`), `a text is expected here: what has a colon goes between quotation marks "…"`},
}

// plainly says what a fault of YAML's is, and what to do about it.
func plainly(theirs string) string {
	for _, w := range yamlWords {
		if at := w.theirs.FindStringSubmatchIndex(theirs); at != nil {
			return string(w.theirs.ExpandString(nil, w.ours, theirs, at))
		}
	}
	return theirs
}

// mostSought is how long a file may be, in bytes, for the very line of a fault to be sought in it.
const mostSought = 256 << 10

// brokenLine is the line where YAML breaks: the first after all that can be read by itself.
// yaml tells where the block began that it was in, and is sometimes a line off.
func brokenLine(data []byte, told int) int {
	if len(data) > mostSought {
		return told
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	end := len(data)
	for n := len(lines) - 1; n >= 0; n-- {
		end -= len(lines[n])
		var any yaml.Node
		if yaml.Unmarshal(data[:end], &any) == nil {
			return n + 1
		}
	}
	return told
}

// syntaxFault is the line and the words for YAML that cannot be read at all.
func syntaxFault(data []byte, err error) (line int, text string) {
	told, text := lineOf(strings.TrimPrefix(err.Error(), "yaml: "))
	line = brokenLine(data, told)
	if lines := bytes.Split(data, []byte("\n")); line > 0 && line <= len(lines) {
		if start := bytes.TrimLeft(lines[line-1], " "); bytes.HasPrefix(start, []byte("\t")) {
			return line, "a tab at the beginning of the line: YAML takes blanks alone"
		}
	}
	return line, plainly(text)
}
