package exchange

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"timonier/content"
)

// importer takes the questions of one file.
type importer struct {
	o      Options
	report Report
	ids    map[string]bool
	next   map[string]int // the number of the next question of an ID that several would have
}

func newImporter(o Options) *importer {
	if o.Bytes == 0 {
		o.Bytes = MostBytes
	}
	if o.Items == 0 {
		o.Items = MostItems
	}
	if o.Course == nil {
		o.Course = content.Default()
	}
	return &importer{o: o, ids: map[string]bool{}, next: map[string]int{}}
}

// draft is a question while it is read.
type draft struct {
	content.Item
	line     int
	name     string // its title in the file
	lang     content.Lang
	notes    []Problem
	refusals []Problem
	is       map[int]string // misconceptions, by the number of the answer, from 1
}

func (im *importer) draft(line int, name string) *draft {
	d := &draft{line: line, name: name, lang: im.o.Lang, is: map[int]string{}}
	d.Own = true
	return d
}

// refuse says why the question cannot be taken. It is read on: the first reason is told.
func (d *draft) refuse(c Code, word string, number int) {
	d.refusals = append(d.refusals, Problem{Code: c, Word: shorten(word), Number: number})
}

// note says what of it is lost.
func (d *draft) note(c Code, word string) {
	d.notes = append(d.notes, Problem{Code: c, Word: shorten(word)})
}

// found sorts what was found in a text into what is lost and what is a reason to refuse it.
func (d *draft) found(problems []Problem) {
	for _, p := range problems {
		switch p.Code {
		case Script, Malformed, TooLong:
			d.refusals = append(d.refusals, p)
		default:
			d.notes = append(d.notes, p)
		}
	}
}

// full says that no more of the file is read, and why.
func (im *importer) full(line int) bool {
	if len(im.report.Taken)+len(im.report.Refused) < im.o.Items {
		return false
	}
	im.report.Fault = &Problem{Line: line, Code: TooMany, Number: im.o.Items}
	return true
}

// refuse is a part of the file that no question could be made of.
func (im *importer) refuse(line int, name string, c Code, word string) {
	im.report.Refused = append(im.report.Refused, Problem{Line: line, Name: shorten(name), Code: c, Word: shorten(word)})
}

// take checks the question and takes it, or refuses it.
func (im *importer) take(d *draft) {
	im.look(d)
	im.misconceptions(d)
	if len(d.refusals) == 0 {
		im.identify(d)
	}
	if len(d.refusals) == 0 {
		im.check(d)
	}
	name := shorten(first(d.ID, d.name, d.Ask.Any(d.lang)))
	if len(d.refusals) > 0 {
		p := d.refusals[0]
		p.Line, p.Name = d.line, name
		im.report.Refused = append(im.report.Refused, p)
		return
	}
	for n := range d.notes {
		d.notes[n].Line, d.notes[n].Name = d.line, name
	}
	im.report.Taken = append(im.report.Taken, Taken{Item: &d.Item, Line: d.line, Notes: d.notes})
}

// look finds what the course does not know.
func (im *importer) look(d *draft) {
	c := im.o.Course
	if d.Difficulty < 1 || d.Difficulty > 3 {
		d.Difficulty = 0
	}
	if _, ok := c.Lesson(d.Lesson); !ok && d.Lesson != "" {
		d.note(UnknownLesson, d.Lesson)
		d.Lesson = ""
	}
	if _, ok := c.Objective(d.Objective); !ok && d.Objective != "" {
		d.note(UnknownObjective, d.Objective)
		d.Objective = ""
	}
}

// misconceptions puts those named for the answers where they belong.
func (im *importer) misconceptions(d *draft) {
	known := func(id string) string {
		if id == "" {
			return id
		}
		if _, ok := im.o.Course.Misconception(id); !ok {
			d.note(UnknownBelief, id)
			return ""
		}
		return id
	}
	for n := range d.Options {
		if o := &d.Options[n]; !o.Right {
			o.Is = known(first(o.Is, d.is[n+1]))
		}
	}
	for n := range d.Traps {
		d.Traps[n].Is = known(d.Traps[n].Is)
	}
}

// identify gives the question its ID, the file's only one of it. One made of its title is
// the same whenever the file is read.
func (im *importer) identify(d *draft) {
	if d.ID != "" && d.ID == slugOf(d.ID) {
		if im.ids[d.ID] {
			d.refuse(Twice, d.ID, 0)
			return
		}
		im.ids[d.ID] = true
		return
	}
	base := slugOf(first(d.ID, d.name, d.Ask.Any(d.lang)))
	if len(base) < 3 {
		h := fnv.New32a()
		h.Write([]byte(d.Ask.Any(d.lang)))
		base = fmt.Sprintf("q-%08x", h.Sum32())
	}
	d.ID = base
	for im.ids[d.ID] {
		n := max(2, im.next[base])
		im.next[base] = n + 1
		tail := "-" + strconv.Itoa(n)
		d.ID = strings.TrimRight(base[:min(len(base), mostID-len(tail))], "-.") + tail
	}
	im.ids[d.ID] = true
}

// mostID is how long an ID may be.
const mostID = 40

// slugOf is a text as an ID: of a-z, 0-9, . and - alone, and not long.
func slugOf(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(ligatures.Replace(strings.ToLower(s))) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		default:
			b.WriteByte('-')
		}
		if b.Len() > 4*mostID {
			break
		}
	}
	id := strings.Trim(dashes.ReplaceAllString(b.String(), "-"), "-.")
	return strings.TrimRight(id[:min(len(id), mostID)], "-.")
}

// ligatures are letters that are two.
var ligatures = strings.NewReplacer("œ", "oe", "æ", "ae")

var dashes = regexp.MustCompile(`-{2,}`)

// number reads a number, written with a point or a comma.
func number(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\u00a0', '\u202f':
			return -1
		case ',':
			return '.'
		case '−':
			return '-'
		}
		return r
	}, s)
	if !plainNumber.MatchString(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

var plainNumber = regexp.MustCompile(`^[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,2})?$`)

// decimal writes a number as it is read.
func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
