package exchange

import (
	"fmt"
	"strings"
	"unicode"

	"timonier/content"
)

// Problem is something that is wrong with a file, or with a question of it.
type Problem struct {
	Line   int    // of the file, from 1; 0 where there is none
	Name   string // of the question: its ID, or its title in the file; may be empty
	Code   Code
	Word   string            // what of the file it is about, shortened: a type, a text, an ID
	Number int               // a limit, or how many there are
	Fault  content.ItemFault // of Unfit
}

// String is for a log and for tests; people are told in their own words.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", p.Line)
	for _, part := range []string{p.Name, string(p.Code), p.Word} {
		if part != "" {
			b.WriteString(" " + part)
		}
	}
	if p.Number != 0 {
		fmt.Fprintf(&b, " %d", p.Number)
	}
	if p.Code == Unfit {
		b.WriteString(": " + p.Fault.Error())
	}
	return b.String()
}

// Code is what is wrong.
type Code string

// Of a whole file.
const (
	TooBig    Code = "toobig"    // more than Number bytes
	TooMany   Code = "toomany"   // more than Number questions: the rest was not read
	Archive   Code = "archive"   // it is a .zip or .gz: to be unpacked first
	Encoding  Code = "encoding"  // neither UTF-8 nor another encoding that it names
	Empty     Code = "empty"     // there is no question in it
	NotFormat Code = "notformat" // it is not in the format at all
	Entities  Code = "entities"  // it declares entities or a document type
	NoColumn  Code = "nocolumn"  // its first line does not name the column Word
)

// Of a question that was refused.
const (
	Malformed    Code = "malformed"    // it breaks the format's rules
	UnknownKind  Code = "unknownkind"  // a type that there is nothing for here: Word
	NoRight      Code = "noright"      // none of its answers is right
	SeveralRight Code = "severalright" // several are, where one may be
	Many         Code = "many"         // more than Number answers
	TooLong      Code = "toolong"      // a text of it is longer than Number bytes of HTML, or has too many elements
	BadNumber    Code = "badnumber"    // Word is not a number
	BadTrap      Code = "badtrap"      // Word names no steps or pairs of it
	Script       Code = "script"       // it holds a program: Word
	Twice        Code = "twice"        // its ID is that of another in the file
	Unfit        Code = "unfit"        // the course's rules refuse it: Fault
)

// Of a question that was taken: what is lost or changed.
const (
	ImageLost        Code = "imagelost"        // Word: what it showed, or its address
	LinkLost         Code = "linklost"         // Word: where it led
	HandlerLost      Code = "handlerlost"      // a program in an attribute: Word
	TableFlat        Code = "tableflat"        // a table is lines of text
	PartialCredit    Code = "partialcredit"    // Word was worth something, and is now wrong
	CatchAll         Code = "catchall"         // what was said to any other answer
	Wildcard         Code = "wildcard"         // Word has a *, which stands for nothing here
	FeedbackLost     Code = "feedbacklost"     // an explanation that has no place here
	UnknownLesson    Code = "unknownlesson"    // Word is none of the course
	UnknownObjective Code = "unknownobjective" // likewise
	UnknownBelief    Code = "unknownbelief"    // likewise, a misconception
	PredictionIsOne  Code = "predictionisone"  // it was proved by a run, and is now a question of one right answer
	Guessed          Code = "guessed"          // of the first that was taken: the file names no encoding and was read as Windows-1252
	OrderIsMatching  Code = "orderismatching"  // on export: written as a matching
)

// Of a question that was not written.
const (
	NotInLanguage Code = "notinlanguage" // it has no text in the language Word
	Arrow         Code = "arrow"         // a left contains ->: Word
)

// shorten is a text of the file as it is told of: in one line, and not long.
func shorten(s string) string {
	const most = 40
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)), " ")
	if r := []rune(s); len(r) > most {
		return strings.TrimSpace(string(r[:most-1])) + "…"
	}
	return s
}
