package locales

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Problem is a place where a French text breaks Québec's typography.
type Problem struct {
	Line int    // from 1
	Rule string // what should be, in a few words
	Near string // the words around it; a no-break space shows as ␣
}

func (p Problem) String() string { return fmt.Sprintf("line %d: %s: …%s…", p.Line, p.Rule, p.Near) }

// nbsp is the no-break space, U+00A0.
const nbsp = "\u00a0"

// rule is one thing that must not be found in prose.
type rule struct {
	says string
	bad  *regexp.Regexp
}

// A blank in these is any kind of space: ordinary, no-break, narrow.
const (
	blank = `[ \x{a0}\x{202f}\x{2009}]`
	wrong = `[ \x{202f}\x{2009}]` // a blank that is not the no-break space
)

// french are the rules of the Office québécois de la langue française that a
// program can see, and the house's own on wording. Compiled once.
var french = sync.OnceValue(func() []rule {
	re := regexp.MustCompile
	return []rule{
		{"no space before ; ! ?", re(blank + `[;!?]`)},
		{"a no-break space before :", re(`(?:` + wrong + `|[\pL\pN)»*_…'’}]):(?:[\s*_]|$)`)},
		{"a no-break space before %", re(`(?:` + wrong + `|[\pN}])%`)},
		{"a no-break space before $", re(`[\pN}]` + wrong + `?\$`)},
		{"a no-break space after «", re(`«(?:[^\x{a0}]|$)`)},
		{"a no-break space before »", re(`(?:[^\x{a0}]|^)»`)},
		{"guillemets « » instead of other quotation marks", re(`["“”„]`)},
		{"no interpunct: reword, or write both forms", re(`\pL[·•‧]\pL`)},
		{"no endings in brackets: reword, or write both forms", re(`\pL\((?:e|es|ne|ve|trice|euse)\)`)},
		{"accented capital", re(`\b(?:E(?:tat|tape|tiquet|chec|cri[tvr]|vit|vict|lément|quip|v[eéè]nement|tud|gal|col|cart|cran|chell|chang|l[eè]ve|limin|nonc|num[eé]r|tabli|tein|tend|tant|valu|mett|pingl|dit)\pL*|Ca\b)`)},
		{"accented capital", re(`(?:^|[.!?…] )A (?:\pL)`)},
		{"... is one character: …", re(`\.\.\.`)},
	}
})

// What is not French: code, links' addresses, template actions.
var (
	fenced  = regexp.MustCompile("(?s)```.*?(?:```|$)")
	inline  = regexp.MustCompile("`[^`\n]*`")
	address = regexp.MustCompile(`\]\([^)\n]*\)|<?https?://[^\s)>]*>?`)
	action  = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

// CheckFrench finds where a text, Markdown or plain, breaks Québec's typography:
// no space before ; ! ?, a no-break space before : % $ and inside « », accented
// capitals, no interpunct. Code, addresses and template actions are not looked at.
func CheckFrench(text string) []Problem {
	var problems []Problem
	rules := french()
	for n, line := range strings.Split(prose(text), "\n") {
		for _, r := range rules {
			for _, at := range r.bad.FindAllStringIndex(line, -1) {
				problems = append(problems, Problem{Line: n + 1, Rule: r.says, Near: around(line, at[0], at[1])})
			}
		}
	}
	return problems
}

// CheckFrenchTitle finds words in a title that begin with a capital for no other
// reason than being in a title: French titles are in sentence case. Names that
// keep their capital are given; words with a capital or a digit inside, as
// kinds and acronyms have, need not be.
func CheckFrenchTitle(title string, names ...string) []Problem {
	known := map[string]bool{}
	for _, n := range names {
		for w := range strings.FieldsSeq(n) {
			known[w] = true
		}
	}
	var problems []Problem
	first := true
	for w := range strings.FieldsFuncSeq(inline.ReplaceAllString(title, ""), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' }) {
		r, size := utf8.DecodeRuneInString(w)
		inTitleCase := unicode.IsUpper(r) && len(w) > size && strings.ToLower(w[size:]) == w[size:] && !strings.ContainsAny(w, "0123456789")
		if !first && inTitleCase && !known[w] {
			problems = append(problems, Problem{Line: 1, Rule: "titles are in sentence case", Near: w})
		}
		first = false
	}
	return append(problems, CheckFrench(title)...)
}

// around is what a reader needs to find the place.
func around(line string, from, to int) string {
	const width = 20
	from, to = max(0, from-width), min(len(line), to+width)
	for from > 0 && !utf8.RuneStart(line[from]) {
		from--
	}
	for to < len(line) && !utf8.RuneStart(line[to]) {
		to++
	}
	return strings.ReplaceAll(line[from:to], nbsp, "␣")
}
