package quiz

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"timonier/content"
)

// Answer is what was answered, in the item's own numbering, whatever the letters were.
type Answer struct {
	// Picks are numbers from 0: the options chosen, ascending; of an order the steps, first to
	// last; of a match the right given to each left, in the order of the lefts (extras count on
	// after the pairs). Those of an order or a match may be the first few only.
	Picks  []int    `json:"p,omitempty"`
	Number *float64 `json:"n,omitempty"`
	Text   string   `json:"t,omitempty"` // a blank: as typed, without the blanks around
}

// Unread is the error of what cannot be read as an answer. It is the learner's mistake: the
// tutor words it by its code.
type Unread struct {
	Code    UnreadCode
	Word    string // what is wrong with the answer: the letter, the number, the text; ≤ 40 characters
	Letters string // those that can be typed; empty where a number or a word is asked for
	Most    int    // TooMany: letters at most; TooLong: characters at most
}

// UnreadCode says what is wrong.
type UnreadCode string

// The codes.
const (
	Empty      UnreadCode = "empty"   // nothing was typed
	NotChoice  UnreadCode = "choice"  // Word is neither a letter of the question nor the text of a choice
	Twice      UnreadCode = "twice"   // the letter Word is there twice
	TooMany    UnreadCode = "many"    // more letters than Most
	NotNumber  UnreadCode = "number"  // Word is not a number
	OtherUnit  UnreadCode = "unit"    // Word follows the number, and is not the unit asked for
	TooLong    UnreadCode = "long"    // more than Most characters
	Ambiguous  UnreadCode = "unclear" // Word fits several choices
	longestRaw            = 400       // characters of an answer as typed
	longestTyp            = 100       // of a word that fills a blank
)

// Error says what happened, for a log.
func (u *Unread) Error() string { return fmt.Sprintf("read answer: %s: %q", u.Code, u.Word) }

// Read reads what somebody typed to the question, in the language that it was shown in; both
// languages' words are understood. The error is an *Unread.
//
// Letters may be small or capital, with or without blanks, commas or full stops between them;
// the text of a choice will do for its letter. Where an order or a match is given in part, the
// answer holds that part (Missing says how much is to come); a last place that only one choice
// is left for is filled in.
func (q Question) Read(typed string, l content.Lang) (Answer, error) {
	typed = strings.TrimSpace(strings.ToValidUTF8(typed, ""))
	switch {
	case typed == "":
		return Answer{}, &Unread{Code: Empty, Letters: q.Letters()}
	case utf8.RuneCountInString(typed) > longestRaw:
		return Answer{}, &Unread{Code: TooLong, Word: short(typed), Most: longestRaw, Letters: q.Letters()}
	}
	switch q.Item.Kind {
	case content.Number:
		return readNumber(q.Item, typed)
	case content.Fill:
		if utf8.RuneCountInString(typed) > longestTyp {
			return Answer{}, &Unread{Code: TooLong, Word: short(typed), Most: longestTyp}
		}
		return Answer{Text: typed}, nil
	}
	return q.readLetters(typed)
}

// readLetters reads "AC", "a, c", or the text of a choice.
func (q Question) readLetters(typed string) (Answer, error) {
	if own, ok := q.byText(typed); ok {
		return q.complete([]int{own})
	}
	var picks []int
	for _, r := range typed {
		if unicode.IsSpace(r) || strings.ContainsRune(",.;/|+>→-()", r) {
			continue
		}
		place := int(unicode.ToUpper(r) - 'A')
		if place < 0 || place >= len(q.places) {
			return Answer{}, &Unread{Code: NotChoice, Word: short(typed), Letters: q.Letters()}
		}
		own := q.places[place]
		if slices.Contains(picks, own) {
			return Answer{}, &Unread{Code: Twice, Word: string(rune(letter(place))), Letters: q.Letters()}
		}
		picks = append(picks, own)
	}
	if len(picks) == 0 {
		return Answer{}, &Unread{Code: Empty, Letters: q.Letters()}
	}
	return q.complete(picks)
}

// byText finds the one choice whose text was typed, in either language.
func (q Question) byText(typed string) (own int, ok bool) {
	folded := fold(typed)
	for i := range q.places {
		if t := choice(q.Item, i); folded == fold(t.FR) || folded == fold(t.EN) {
			return i, true
		}
	}
	return 0, false
}

// complete checks how many were picked.
func (q Question) complete(picks []int) (Answer, error) {
	most := 1
	switch q.Item.Kind {
	case content.Several:
		most = len(q.places)
		slices.Sort(picks)
	case content.Order:
		most = len(q.Item.Steps)
	case content.Match:
		most = len(q.Item.Pairs)
	}
	if len(picks) > most {
		return Answer{}, &Unread{Code: TooMany, Most: most, Letters: q.Letters()}
	}
	a := Answer{Picks: picks}
	if rest := q.Rest(a); q.Missing(a) == 1 && len(rest) == 1 {
		a.Picks = append(a.Picks, q.places[rest[0]-'A'])
	}
	return a, nil
}

// readNumber reads a number as people type it.
func readNumber(item *content.Item, typed string) (Answer, error) {
	s := strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "\u2009", "", ",", ".", "−", "-").Replace(typed)
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return Answer{}, &Unread{Code: NotNumber, Word: short(typed)}
	}
	return Answer{Number: &n}, nil
}

// FormatNumber is a number as it is written in a language: 3,5 in French, 3.5 in English.
func FormatNumber(n float64, l content.Lang) string {
	s := strconv.FormatFloat(n, 'f', -1, 64)
	if l == content.FR {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

// short is a text of which a message can quote the start.
func short(s string) string {
	r := []rune(s)
	if len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}
