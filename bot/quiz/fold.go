package quiz

import (
	"slices"
	"strings"
	"unicode"

	"timonier/content"
)

// articles are forgiven before a word, in both languages; an elided one is cut off by itself.
var articles = []string{"le", "la", "les", "l", "un", "une", "des", "du", "the", "a", "an"}

// fold is a text without what is forgiven: case, accents, punctuation, blanks, and the articles
// before it. Where nothing would be left of it, as of `*`, it is the text in small letters.
func fold(s string) string {
	words := strings.FieldsFunc(plain(s), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) || r == '`' || r == '´' })
	for len(words) > 1 && slices.Contains(articles, words[0]) {
		words = words[1:]
	}
	if len(words) == 0 {
		return strings.ToLower(strings.TrimSpace(s))
	}
	return strings.Join(words, "")
}

// plain is a text in small letters without accents. The letters are those of French and its
// neighbours: what a keyboard here can type.
func plain(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if r >= '！' && r <= '～' { // full width, as a keyboard of East Asia types letters and digits
			r -= '！' - '!'
		}
		r = unicode.ToLower(r)
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r): // an accent by itself; a soft hyphen, a joiner
		case r < unicode.MaxASCII:
			b.WriteRune(r)
		default:
			b.WriteString(unaccented(r))
		}
	}
	return b.String()
}

// accents are the accented letters, by the plain ones that they stand for.
var accents = []struct{ plain, letters string }{
	{"a", "àáâãäåā"}, {"c", "çćč"}, {"e", "èéêëēę"}, {"i", "ìíîïīı"}, {"n", "ñń"}, {"o", "òóôõöøō"},
	{"u", "ùúûüū"}, {"y", "ýÿ"}, {"oe", "œ"}, {"ae", "æ"}, {"ss", "ß"}, {"s", "š"}, {"z", "ž"},
}

func unaccented(r rune) string {
	for _, a := range accents {
		if strings.ContainsRune(a.letters, r) {
			return a.plain
		}
	}
	return string(r)
}

// truths are the words that answer a kind TrueFalse, folded: its options 0 and 1.
var truths = [][]string{{"vrai", "v", "true", "t", "oui", "o", "yes", "y"}, {"faux", "f", "false", "non", "no", "n"}}

// spelled says that a text is one of the spellings, in either language.
func spelled(text string, s content.Spellings) bool {
	typed := fold(text)
	same := func(w string) bool { return typed != "" && fold(w) == typed }
	return slices.ContainsFunc(s.FR, same) || slices.ContainsFunc(s.EN, same)
}
