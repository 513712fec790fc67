package bot

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
)

// What people paste has been through word processors, web pages and chats. This
// file gives it back the characters that a keyboard would have typed, and cuts a
// command line into words as a shell does.

// tidyNewlines makes every end of line one newline, and drops a byte order mark.
func tidyNewlines(s string) string {
	return strings.NewReplacer("\ufeff", "", "\r\n", "\n", "\r", "\n", "\u2028", "\n").Replace(s)
}

// tidyBlanks makes every blank an ordinary space, and drops what has no width.
func tidyBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r): // zero width, soft hyphens, changes of direction
			return -1
		case r == '\t' || unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, s)
}

// dashes are those that programs put in the place of -- (or -) before an option.
var (
	dashes = regexp.MustCompile(`(^|\s)[–—]+-*(\pL)`)
	single = regexp.MustCompile(`(^|\s)[\x{2010}\x{2011}\x{2212}](\pL)`)
)

// tidyCommand is a command line as a keyboard would have typed it. A long dash
// before one letter is an option's single one: –n is -n, –replicas is --replicas.
func tidyCommand(line string) string {
	line = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«\u00a0", `"`, "\u00a0»", `"`, "« ", `"`, " »", `"`,
		"«", `"`, "»", `"`, "‘", "'", "’", "'", "\u2010-", "--", "…", "...").Replace(line)
	line = tidyBlanks(line)
	line = dashes.ReplaceAllStringFunc(line, func(s string) string {
		blank := s[:len(s)-len(strings.TrimLeft(s, " "))]
		letter := strings.TrimLeft(s, " –—-")
		return blank + "--" + letter
	})
	line = single.ReplaceAllString(line, "$1-$2")
	return oneLetter.ReplaceAllString(line, "$1-$2$3")
}

// oneLetter is --n, which only a dash that a program has lengthened makes.
var oneLetter = regexp.MustCompile(`(^|\s)--(\pL)(\s|$)`)

// quoted is a YAML value between smart quotes, which YAML takes for letters.
var quoted = regexp.MustCompile(`^(\s*(?:- +)*(?:[\w./-]+:\s+)?)[“„«]\s*([^“”„«»"]*?)\s*[”»]\s*$`)

// tidyText is a text meant as standard input: its indentation in ordinary spaces,
// its quotes those of YAML, and without the fence of a chat's code block or the
// frame of a shell's here-document. What stands inside values is left alone.
func tidyText(text string) string {
	lines := strings.Split(tidyNewlines(text), "\n")
	lines = unwrap(lines)
	for i, line := range lines {
		body := strings.TrimLeft(line, " \u00a0\u2007\u202f\u3000\u200b")
		indent := strings.ReplaceAll(line[:len(line)-len(body)], "\u200b", "")
		line = strings.Repeat(" ", len([]rune(indent))) + strings.ReplaceAll(body, ":\u00a0", ": ")
		lines[i] = quoted.ReplaceAllString(line, `$1"$2"`)
	}
	text = strings.Join(lines, "\n")
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return strings.TrimRight(text, "\n") + "\n"
}

// unwrap takes off the fence of a code block.
func unwrap(lines []string) []string {
	from, to := 0, len(lines)
	for from < to && strings.TrimSpace(lines[from]) == "" {
		from++
	}
	for to > from && strings.TrimSpace(lines[to-1]) == "" {
		to--
	}
	if to-from >= 2 && strings.HasPrefix(strings.TrimSpace(lines[from]), "```") && strings.TrimSpace(lines[to-1]) == "```" {
		return lines[from+1 : to-1]
	}
	return lines
}

// heredoc is the end of a command that takes its input from the lines that follow.
var heredoc = regexp.MustCompile(`\s*<<-?\s*['"]?(\w+)['"]?\s*$`)

// unheredoc takes a shell's here-document apart: apply -f - <<EOF, a text, EOF.
func unheredoc(line, text string) (string, string) {
	m := heredoc.FindStringSubmatch(line)
	if m == nil {
		return line, text
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.TrimSpace(l) == m[1] {
			lines = lines[:i]
			break
		}
	}
	return strings.TrimSuffix(line, m[0]), strings.Join(lines, "\n")
}

// Mistakes in a command line.
var (
	errQuote = errors.New("a quotation mark is not closed")
	errShell = errors.New("there is no shell here")
)

// split cuts a line into words: blanks separate, quotes and backslashes keep
// together, as in a POSIX shell without expansions. What only a shell could do
// (pipes, redirections, several commands) is errShell.
func split(line string) ([]string, error) {
	var out []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quote == '\'' && r != '\'', quote == '"' && r != '"' && r != '\\':
			word.WriteRune(r)
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote != 0 && r == quote:
			quote = 0
		case r == '\\' && i+1 < len(runes):
			i++
			if quote == '"' && !strings.ContainsRune("\"\\$`", runes[i]) {
				word.WriteRune('\\')
			}
			word.WriteRune(runes[i])
			inWord = true
		case quote == 0 && (r == ' ' || r == '\n'):
			if inWord {
				out = append(out, word.String())
				word.Reset()
			}
			inWord = false
		case quote == 0 && shellOnly(runes, i, inWord):
			return nil, errShell
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errQuote
	}
	if inWord {
		out = append(out, word.String())
	}
	return out, nil
}

// shellOnly says that a character outside quotes asks a shell for something. In
// the middle of a word it may be a jsonpath or a selector.
func shellOnly(runes []rune, i int, inWord bool) bool {
	r := runes[i]
	alone := i+1 == len(runes) || runes[i+1] == ' ' || runes[i+1] == r
	switch r {
	case '|', ';', '&':
		return alone || !inWord
	case '>', '<':
		return !inWord
	case '$':
		return i+1 < len(runes) && runes[i+1] == '('
	}
	return false
}
