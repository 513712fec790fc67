package quiz

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"timonier/content"
)

// largest is the largest number that is read: beyond it a float64 has no fractions left to compare.
const largest = 1e15

// about are the words that may stand before a number.
var about = []string{"environ", "about", "approx", "c'est", "it's", "="}

// inWords are the small numbers that people write out, as plain has them.
var inWords = map[string]float64{
	"zero": 0, "aucun": 0, "aucune": 0, "none": 0, "un": 1, "une": 1, "one": 1, "deux": 2, "two": 2, "trois": 3, "three": 3,
	"quatre": 4, "four": 4, "cinq": 5, "five": 5, "six": 6, "sept": 7, "seven": 7, "huit": 8, "eight": 8,
	"neuf": 9, "nine": 9, "dix": 10, "ten": 10, "onze": 11, "eleven": 11, "douze": 12, "twelve": 12,
}

// spans are the units of time, in seconds: what is typed in one is understood in another.
var spans = map[string]float64{
	"ms": 0.001, "milliseconde": 0.001, "millisecond": 0.001, "s": 1, "sec": 1, "seconde": 1, "second": 1,
	"min": 60, "mn": 60, "minute": 60, "h": 3600, "heure": 3600, "hour": 3600, "j": 86400, "jour": 86400, "d": 86400, "day": 86400,
}

// readNumber reads a number as people type it: 3,5 or 3.5, with any blanks among the digits,
// with the unit, in another unit of time, or as a word: "trois pods".
func readNumber(item *content.Item, typed string, l content.Lang) (Answer, error) {
	s := strings.TrimLeft(plain(typed), "≈~≃= \u00a0\u202f")
	for _, word := range about {
		s = strings.TrimSpace(strings.TrimPrefix(s, word))
	}
	n, rest, ok := leadingNumber(s, l)
	if !ok {
		return Answer{}, &Unread{Code: NotNumber, Word: short(typed)}
	}
	factor, ok := unitFactor(rest, item.Unit)
	if !ok {
		if strings.ContainsFunc(rest, unicode.IsDigit) {
			return Answer{}, &Unread{Code: NotNumber, Word: short(typed)}
		}
		return Answer{}, &Unread{Code: OtherUnit, Word: short(rest)}
	}
	if n *= factor; math.Abs(n) > largest {
		return Answer{}, &Unread{Code: NotNumber, Word: short(typed)}
	}
	return Answer{Number: &n}, nil
}

// leadingNumber takes the number that a text begins with, and what follows it.
func leadingNumber(s string, l content.Lang) (n float64, rest string, ok bool) {
	if word, after, _ := strings.Cut(s, " "); word != "" {
		if n, ok := inWords[strings.TrimRight(word, ".")]; ok {
			return n, strings.TrimSpace(after), true
		}
	}
	var b strings.Builder
	end := len(s)
scan:
	for i, r := range s {
		switch {
		case i == 0 && (r == '-' || r == '−' || r == '–'):
			b.WriteByte('-')
		case i == 0 && r == '+':
		case r >= '0' && r <= '9', r == '.', r == ',':
			b.WriteRune(r)
		case (unicode.IsSpace(r) || strings.ContainsRune("'’_", r)) && threeDigits(s[i+utf8.RuneLen(r):]): // between thousands
		default:
			end = i
			break scan
		}
	}
	n, err := strconv.ParseFloat(decimal(strings.TrimRight(b.String(), ".,"), l), 64)
	return n, strings.TrimSpace(s[end:]), err == nil
}

// threeDigits says that a text begins with three digits and no fourth.
func threeDigits(s string) bool {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n == 3
}

// decimal writes a number with a full stop, and nothing between its thousands. Of a comma and a
// full stop the last one stands before the decimals; a comma alone does, except where English
// writes thousands with it: 1,000.
func decimal(s string, l content.Lang) string {
	comma, stop := strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.')
	switch {
	case comma >= 0 && stop > comma, comma >= 0 && stop < 0 && l == content.EN && thousands(s):
		return strings.ReplaceAll(s, ",", "")
	case comma > stop && stop >= 0:
		s = strings.ReplaceAll(s, ".", "")
	}
	return strings.Replace(s, ",", ".", 1) // a second one makes it no number
}

// thousands says that every comma of a number is followed by three digits.
func thousands(s string) bool {
	groups := strings.Split(strings.TrimLeft(s, "-"), ",")
	for _, g := range groups[1:] {
		if len(g) != 3 {
			return false
		}
	}
	return len(groups[0]) >= 1 && len(groups[0]) <= 3 && groups[0] != "0"
}

// unitFactor is what a number with such a text after it is to be multiplied by; false where
// that is not the unit asked for. Where none is asked for, any words will do: 3 pods.
func unitFactor(rest string, unit content.Text) (float64, bool) {
	typed := singular(rest)
	if typed == "" {
		return 1, true
	}
	asked := []string{singular(unit.FR), singular(unit.EN)}
	for _, u := range asked {
		if from, ok := spans[typed]; ok && spans[u] > 0 {
			return from / spans[u], true
		}
	}
	if unit == (content.Text{}) {
		return 1, !strings.ContainsFunc(rest, unicode.IsDigit)
	}
	if slices.Contains(asked, typed) || slices.Contains(asked, "%") && (typed == "pourcent" || typed == "percent" || typed == "pct") {
		return 1, true
	}
	return 0, false
}

// singular is a unit as it is compared: folded, without the s of a plural.
func singular(s string) string {
	s = fold(s)
	if len(s) > 2 && s != "ms" {
		s = strings.TrimSuffix(s, "s")
	}
	return s
}

// FormatNumber is a number as it is written in a language: 3,5 in French, 3.5 in English.
func FormatNumber(n float64, l content.Lang) string {
	s := strconv.FormatFloat(n, 'f', -1, 64)
	if l == content.FR {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}
