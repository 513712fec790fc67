package quiz

import (
	"fmt"
	"slices"
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
	Empty     UnreadCode = "empty"   // nothing was typed
	NotChoice UnreadCode = "choice"  // Word is neither letters of the question nor the text of a choice
	Twice     UnreadCode = "twice"   // the letter (of a match perhaps the number) Word is there twice
	Gap       UnreadCode = "gap"     // of a match: the left with the number Word is passed over
	TooMany   UnreadCode = "many"    // more letters than Most
	NotNumber UnreadCode = "number"  // Word is not a number
	OtherUnit UnreadCode = "unit"    // Word follows the number, and is not the unit asked for
	TooLong   UnreadCode = "long"    // more than Most characters
	Ambiguous UnreadCode = "unclear" // Word fits several choices
)

// How many characters are read, of an answer and of a word that fills a blank.
const (
	longestAnswer = 400
	longestWord   = 100
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
	case utf8.RuneCountInString(typed) > longestAnswer:
		return Answer{}, &Unread{Code: TooLong, Word: short(typed), Most: longestAnswer, Letters: q.Letters()}
	}
	switch q.Item.Kind {
	case content.Number:
		return readNumber(q.Item, typed, l)
	case content.Fill:
		if utf8.RuneCountInString(typed) > longestWord {
			return Answer{}, &Unread{Code: TooLong, Word: short(typed), Most: longestWord}
		}
		return Answer{Text: typed}, nil
	}
	return q.readLetters(typed)
}

// between are the words that may stand between letters, as plain has them.
var between = []string{"et", "and", "puis", "then", "ou", "or"}

// readLetters reads "AC", "a, c", "1C 2A", or the text of a choice.
func (q Question) readLetters(typed string) (Answer, error) {
	if q.Item.Kind == content.TrueFalse {
		for own, words := range truths {
			if own < len(q.places) && slices.Contains(words, fold(typed)) {
				return Answer{Picks: []int{own}}, nil
			}
		}
	}
	a, unread := q.letters(typed)
	if unread == nil {
		return a, nil
	}
	switch found := q.byText(typed); len(found) {
	case 0:
		return Answer{}, unread
	case 1:
		if a, unread = q.complete(found); unread == nil {
			return a, nil
		}
		return Answer{}, unread
	}
	return Answer{}, &Unread{Code: Ambiguous, Word: short(typed), Letters: q.Letters()}
}

// letters reads an answer that is made of letters; of a match with the numbers of the lefts too.
func (q Question) letters(typed string) (Answer, *Unread) {
	words := strings.FieldsFunc(plain(typed), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	words = slices.DeleteFunc(words, func(w string) bool { return slices.Contains(between, w) })
	letters := strings.ToUpper(strings.Join(words, ""))
	if q.Item.Kind == content.Match && strings.ContainsFunc(letters, unicode.IsDigit) {
		var unread *Unread
		if letters, unread = q.numbered(letters); unread != nil {
			return Answer{}, unread
		}
	}
	var picks []int
	for _, r := range letters {
		place := int(r - 'A')
		if place < 0 || place >= len(q.places) {
			return Answer{}, &Unread{Code: NotChoice, Word: short(typed), Letters: q.Letters()}
		}
		own := q.places[place]
		if slices.Contains(picks, own) {
			return Answer{}, &Unread{Code: Twice, Word: string(r), Letters: q.Letters()}
		}
		picks = append(picks, own)
	}
	if len(picks) == 0 {
		return Answer{}, &Unread{Code: Empty, Letters: q.Letters()}
	}
	return q.complete(picks)
}

// numbered puts the letters of "2A1C" in the order of the lefts: "CA".
func (q Question) numbered(s string) (string, *Unread) {
	placed := make([]byte, len(q.Item.Pairs))
	for i := 0; i < len(s); i += 2 {
		left := int(s[i]) - '1'
		if left < 0 || left >= len(placed) || i+1 >= len(s) || s[i+1] < 'A' || s[i+1] > 'Z' {
			return "", &Unread{Code: NotChoice, Word: short(s), Letters: q.Letters()}
		}
		if placed[left] != 0 {
			return "", &Unread{Code: Twice, Word: s[i : i+1], Letters: q.Letters()}
		}
		placed[left] = s[i+1]
	}
	n := 0
	for n < len(placed) && placed[n] != 0 {
		n++
	}
	for i := n; i < len(placed); i++ {
		if placed[i] != 0 {
			return "", &Unread{Code: Gap, Word: string(rune('1' + n)), Letters: q.Letters()}
		}
	}
	return string(placed[:n]), nil
}

// byText finds the choices whose text was typed, in either language: that which is the same but
// for case where there is one, else those that are the same once folded.
func (q Question) byText(typed string) []int {
	var exact, alike []int
	folded := fold(typed)
	for i := range q.places {
		t := choice(q.Item, i)
		switch {
		case strings.EqualFold(typed, strings.TrimSpace(t.FR)), strings.EqualFold(typed, strings.TrimSpace(t.EN)):
			exact = append(exact, i)
		case folded == fold(t.FR), folded == fold(t.EN):
			alike = append(alike, i)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return alike
}

// complete checks how many were picked.
func (q Question) complete(picks []int) (Answer, *Unread) {
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

// short is a text of which a message can quote the start.
func short(s string) string {
	r := []rune(s)
	if len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}
