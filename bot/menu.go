package bot

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds are how many of a menu's choices are to be chosen, at least and at most: 1 to all of
// them where it does not say.
func (m Menu) Bounds() (least, most int) {
	most = len(m.Choices)
	if m.Max > 0 {
		most = min(m.Max, most)
	}
	return min(max(1, m.Min), most), most
}

// Typed is the line that a text stands for which says only values of the menu, in either case:
// A C, a,c or, where every value is one letter, AC. False where it is something else. How many
// they are is the command's to judge.
func (m Menu) Typed(text string) (line string, ok bool) {
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' })
	var values []string
	for _, word := range words {
		found := m.values(word)
		if len(found) == 0 {
			return "", false
		}
		for _, v := range found {
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	return Picked(m.Line, values)
}

// values are those that a word names: one, or one for each of its letters; none where it names
// anything else.
func (m Menu) values(word string) (values []string) {
	value := func(word string) bool {
		i := slices.IndexFunc(m.Choices, func(c MenuChoice) bool { return fold(c.Value) == fold(word) })
		if i >= 0 {
			values = append(values, m.Choices[i].Value)
		}
		return i >= 0
	}
	if value(word) {
		return values
	}
	for _, c := range m.Choices {
		if utf8.RuneCountInString(c.Value) != 1 {
			return nil
		}
	}
	for _, letter := range word {
		if !value(string(letter)) {
			return nil
		}
	}
	return values
}

// Picked is the line of a menu whose values were chosen, as a platform gives them; false where
// there is none, or one is no word.
func Picked(line string, values []string) (string, bool) {
	for _, v := range values {
		if v == "" || !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
			return "", false
		}
		line += " " + v
	}
	return line, len(values) > 0
}
