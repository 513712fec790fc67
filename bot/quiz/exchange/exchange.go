// Package exchange takes questions out of files that other programs write, and writes such
// files: Moodle XML, GIFT and CSV. A file is in one language.
//
// An import goes question by question: it tells what was taken, what was refused and what was
// lost on the way, with the line and the reason. Reasons are codes with their data; the package
// holds no sentence for people, and knows neither a chat nor a store. It trusts no file: it
// reads a bounded amount, opens no archive, follows no entity and no address, and keeps no
// script.
//
// # What a question keeps
//
// Export, then import, gives the same question, in the one language of the file, whatever the
// format, but for what only the course's own files have: a Predict comes back as a One, since
// nothing is left to prove it by; and Own is set.
//
// What a format has no place for goes along in tags, which Moodle keeps:
//
//	lesson:2.1             the lesson that teaches it
//	difficulty:2           1 to 3
//	objective:architecture
//	kind:order             where the format's own type does not say so
//	is:2:etcd-decides      the misconception that the second answer shows
//	trap:1:3-1:ID          the first trap of an Order (step 3 before step 1) or of a Match (left 3 with right 1)
//
// # Moodle XML
//
// One and Predict are multichoice with a single answer, Several multichoice with several (each
// right one an equal share, each wrong one as much less), TrueFalse truefalse, Number numerical
// with its unit, Order ordering (of Moodle 4.4's own), Match matching (what belongs to no left
// has an empty question), Fill shortanswer. The traps of a Number and a Fill are answers of
// fraction 0. What is wrong with an answer is its feedback, Why is the general feedback, the
// traps' of an Order and a Match are the items of the list in the feedback for an incorrect
// answer. The ID is the idnumber; the category is the lesson. Texts are HTML; one that HTML
// would not give back is written as Markdown, which Moodle knows too.
//
// # GIFT
//
// As Moodle writes it, with [id:…] and [tag:…] in a comment. GIFT has no type for an Order: it
// is a matching of places and steps with the tag kind:order, and comes back as an Order. The
// hint, the unit and the explanations of the traps of an Order and a Match stand in a comment of
// ours, which Moodle passes over: // timonier: {"hint":"…","unit":"…","traps":["…"]}. A left
// that contains -> cannot be written, nor a Fill with one in its answers: GIFT cannot escape it. A
// text that names no format is HTML where it has elements, else Markdown.
//
// # CSV
//
// RFC 4180 in UTF-8, with or without a byte order mark, separated by commas, semicolons or tabs.
// The first line names the columns, in French or in English, in any order:
//
//	id, lesson, kind, difficulty, objective, question, hint, why
//	right      One: the number of the right option. Several: their numbers. TrueFalse: true or false.
//	           Number: the number. Fill: the words that will do, with | between
//	tolerance, unit   of a Number
//	option 1…  an option; a step, in the right order; a pair as "left => right", or "=> right" for one that belongs to no left;
//	           of a TrueFalse the first is true, and its text is left empty
//	trap 1…    a wrong answer: a number, words with | between, 3<1 (step 3 before step 1), 1=2 (left 1 with right 2)
//	is 1…      the misconception of the option or trap of the same number
//	why 1…     what is wrong with it
//
// Within a cell of several parts, \| and \=> are those characters themselves. A cell that a
// spreadsheet would take for a formula is written with an apostrophe before it, which is taken
// off again.
package exchange

import (
	"fmt"
	"io"
	"slices"

	"timonier/content"
)

// Format is a kind of file.
type Format string

// The formats.
const (
	Moodle Format = "moodle"
	GIFT   Format = "gift"
	CSV    Format = "csv"
)

// Formats are all formats.
func Formats() []Format { return []Format{Moodle, GIFT, CSV} }

// Known says whether there is such a format.
func (f Format) Known() bool { return slices.Contains(Formats(), f) }

// Extension is how the names of its files end.
func (f Format) Extension() string {
	return map[Format]string{Moodle: ".xml", GIFT: ".gift.txt", CSV: ".csv"}[f]
}

// Type is the MIME type of its files.
func (f Format) Type() string {
	return map[Format]string{Moodle: "application/xml", GIFT: "text/plain; charset=utf-8", CSV: "text/csv; charset=utf-8"}[f]
}

// Options are how a file is read or written.
type Options struct {
	Lang      content.Lang    // of the file
	Course    *content.Course // whose lessons, objectives and misconceptions and rules hold; nil: the built-in course
	Bytes     int64           // how long a file may be; 0: MostBytes
	Items     int             // how many questions are taken of one; 0: MostItems
	Separator rune            // of the CSV that is written; 0: a comma
}

// How much is read of a file, if Options do not say otherwise.
const (
	MostBytes = 64 << 20
	MostItems = 20_000
)

// Report is what became of a file's questions.
type Report struct {
	Taken   []Taken
	Refused []Problem // in the order of the file
	Fault   *Problem  // why nothing, or nothing more, could be read of it; nil: it was read to its end
}

// Taken is a question that was taken.
type Taken struct {
	Item  *content.Item
	Line  int       // where it begins
	Notes []Problem // what of it was lost or changed
}

// Items are the questions that were taken.
func (r *Report) Items() []*content.Item {
	items := make([]*content.Item, len(r.Taken))
	for n, t := range r.Taken {
		items[n] = t.Item
	}
	return items
}

// Import reads a file. The error says that it could not be read at all, as a broken disk; what is
// wrong with the file is in the Report.
func Import(r io.Reader, f Format, o Options) (*Report, error) {
	im := newImporter(o)
	text, fault, err := source(r, im.o.Bytes, f != Moodle)
	if err != nil {
		return nil, fmt.Errorf("read questions: %w", err)
	}
	guessed := fault != nil && fault.Code == Guessed
	if fault != nil && !guessed {
		im.report.Fault = fault
		return &im.report, nil
	}
	switch f {
	case Moodle:
		im.moodle(text)
	case GIFT:
		im.gift(text)
	case CSV:
		im.csv(text)
	default:
		return nil, fmt.Errorf("read questions: format %q is not known", f)
	}
	if r := &im.report; r.Fault == nil && len(r.Taken)+len(r.Refused) == 0 {
		r.Fault = &Problem{Code: Empty}
	}
	if taken := im.report.Taken; guessed && len(taken) > 0 {
		taken[0].Notes = append([]Problem{*fault}, taken[0].Notes...)
	}
	return &im.report, nil
}

// Export writes the questions, in the one language, in their order. The problems are of those
// that could not be written, or that lost something.
func Export(w io.Writer, f Format, items []*content.Item, o Options) ([]Problem, error) {
	ex := exporter{lang: o.Lang, separator: o.Separator}
	for _, i := range items {
		if !i.HasIn(o.Lang) {
			ex.problem(i, NotInLanguage, string(o.Lang))
			continue
		}
		ex.items = append(ex.items, i)
	}
	write := map[Format]func(){Moodle: ex.moodle, GIFT: ex.gift, CSV: ex.csv}[f]
	if write == nil {
		return nil, fmt.Errorf("write questions: format %q is not known", f)
	}
	write()
	if _, err := w.Write(ex.out.Bytes()); err != nil {
		return nil, fmt.Errorf("write questions: %w", err)
	}
	return ex.problems, nil
}
