package exchange

import (
	"encoding/csv"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"timonier/content"
)

// column is one of the table's, in each language.
type column struct{ key, fr, en string }

// columns are those that stand once, and those that stand once an answer, with its number.
var (
	columns = []column{
		{"id", "id", "id"}, {"lesson", "leçon", "lesson"}, {"kind", "type", "kind"}, {"difficulty", "difficulté", "difficulty"}, {"objective", "objectif", "objective"},
		{"ask", "question", "question"}, {"hint", "indice", "hint"}, {"why", "explication", "why"}, {"right", "réponse", "right"}, {"tolerance", "tolérance", "tolerance"}, {"unit", "unité", "unit"},
	}
	numbered = []column{{"option", "choix", "option"}, {"trap", "piège", "trap"}, {"is", "idée fausse", "is"}, {"whyof", "pourquoi", "why"}}
	kinds    = []column{
		{"one", "une", "one"}, {"several", "plusieurs", "several"}, {"truefalse", "vrai ou faux", "truefalse"}, {"number", "nombre", "number"},
		{"order", "ordre", "order"}, {"match", "paires", "match"}, {"blank", "trou", "blank"}, {"predict", "prévision", "predict"},
	}
)

func (c column) in(l content.Lang) string {
	if l == content.EN {
		return c.en
	}
	return c.fr
}

// plain is a word as it is compared: lower case, without accents.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '\u0300' && r <= '\u036f' {
			return -1
		}
		return r
	}, norm.NFD.String(strings.ToLower(s)))
	return strings.Join(strings.Fields(strings.NewReplacer("_", " ", "-", " ", "\u00a0", " ").Replace(s)), " ")
}

// keyed finds the key of a word in either language.
func keyed(table []column, word string) string {
	word = plain(word)
	for _, c := range table {
		if word == c.key || word == plain(c.fr) || word == plain(c.en) {
			return c.key
		}
	}
	return ""
}

// numberedName is the name of a column that stands once an answer: option 3, choix3.
var numberedName = regexp.MustCompile(`^(.*?)[ _]?([1-9][0-9]?)$`)

// columnOf is the key of a column's name, with its number.
func columnOf(name string) (key string, n int) {
	name = strings.TrimSpace(name)
	if m := numberedName.FindStringSubmatch(plain(name)); m != nil {
		n, _ = strconv.Atoi(m[2])
		return keyed(numbered, m[1]), n
	}
	return keyed(columns, name), 0
}

// row is one question's cells.
type row struct {
	once  map[string]string
	each  map[string]map[int]string
	count int // the highest number of an answer that has a cell
}

func (r row) of(key string, n int) string { return r.each[key][n] }

// separator is what stands between the cells: what the first line has most of, or what a line
// sep=; before it names, as a spreadsheet writes it.
func separator(text string) (sep rune, rest string, skipped int) {
	line, after, _ := strings.Cut(text, "\n")
	if s, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(line)), "sep="); ok {
		if s == "" {
			s = "\t"
		}
		if r := []rune(s); len(r) == 1 && strings.ContainsRune(",;\t|", r[0]) {
			return r[0], after, 1
		}
	}
	sep = ','
	for _, s := range ";\t" {
		if strings.Count(line, string(s)) > strings.Count(line, string(sep)) {
			sep = s
		}
	}
	return sep, text, 0
}

// csv reads a table, one question a row.
func (im *importer) csv(text string) {
	sep, text, skipped := separator(text)
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = sep, -1, true
	head, err := r.Read()
	if err != nil {
		im.report.Fault = &Problem{Code: NotFormat, Line: 1}
		if errors.Is(err, io.EOF) {
			im.report.Fault = &Problem{Code: Empty}
		}
		return
	}
	type place struct {
		key string
		n   int
	}
	places := make([]place, len(head))
	for n, name := range head {
		places[n].key, places[n].n = columnOf(harmful(name))
	}
	for _, c := range columns {
		if needed := c.key == "kind" || c.key == "ask"; needed && !slices.Contains(places, place{c.key, 0}) {
			im.report.Fault = &Problem{Code: NoColumn, Line: 1 + skipped, Word: c.in(im.o.Lang)}
			return
		}
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			im.refuse(broken.StartLine+skipped, "", Malformed, "\"")
			if im.full(broken.StartLine + skipped) {
				return
			}
			continue
		} else if err != nil {
			return // of a text in memory: it cannot be
		}
		line, _ := r.FieldPos(0)
		q := row{once: map[string]string{}, each: map[string]map[int]string{}}
		any := false
		for n, cell := range cells {
			if cell = strings.TrimSpace(harmful(cell)); cell == "" || n >= len(places) {
				continue
			}
			any = true
			p := places[n]
			if p.n == 0 {
				q.once[p.key] = cell
				continue
			}
			if q.each[p.key] == nil {
				q.each[p.key] = map[int]string{}
			}
			q.each[p.key][p.n] = cell
			if p.key != "" {
				q.count = max(q.count, p.n)
			}
		}
		if !any {
			continue
		}
		if im.full(line + skipped) {
			return
		}
		im.row(q, line+skipped)
	}
}

// formula is a cell's beginning that a spreadsheet takes for a formula, also after blanks and apostrophes.
var formula = regexp.MustCompile(`^[' \x{a0}]*[=+\-@\t\r\n＝＋－＠]`)

// Harmless is a cell that no spreadsheet runs, whoever wrote what is in it: with an apostrophe
// before what would begin a formula.
func Harmless(cell string) string {
	if formula.MatchString(cell) {
		return "'" + cell
	}
	return cell
}

// harmful takes off what Harmless has put on.
func harmful(cell string) string {
	if strings.HasPrefix(cell, "'") && formula.MatchString(cell) {
		return cell[1:]
	}
	return cell
}

func (im *importer) row(q row, line int) {
	d := im.draft(line, "")
	d.ID, d.Lesson, d.Objective = q.once["id"], q.once["lesson"], q.once["objective"]
	d.Difficulty, _ = strconv.Atoi(q.once["difficulty"])
	d.Ask, d.Hint, d.Why = d.long(q.once["ask"], inMarkdown), d.long(q.once["hint"], inMarkdown), d.long(q.once["why"], inMarkdown)
	kind := keyed(kinds, q.once["kind"])
	d.Kind = content.ItemKind(kind)
	switch d.Kind {
	case content.One, content.Several, content.Predict:
		d.rowOptions(q)
	case content.TrueFalse:
		d.rowTrueFalse(q)
	case content.Number:
		d.Number = d.cellNumber(q.once["right"])
		d.Tolerance = math.Abs(d.cellNumber(first(q.once["tolerance"], "0")))
		d.Unit = d.short(q.once["unit"], inPlain)
	case content.Fill:
		d.Accept = d.spell(cut(q.once["right"], "|"))
	case content.Order:
		for n := 1; n <= q.count; n++ {
			if s := q.of("option", n); s != "" {
				d.Steps = append(d.Steps, d.short(s, inPlain))
			}
		}
	case content.Match:
		d.rowPairs(q)
	default:
		im.refuse(line, first(d.ID, q.once["ask"]), UnknownKind, q.once["kind"])
		return
	}
	if d.Kind == content.Predict {
		d.Kind = content.One
		d.note(PredictionIsOne, "")
	}
	for n := 1; n <= q.count && !d.Kind.Chosen(); n++ {
		if t := q.of("trap", n); t != "" {
			d.rowTrap(t, q, n)
		} else if w := q.of("whyof", n); w != "" {
			d.note(FeedbackLost, w)
		}
	}
	if d.Kind == content.Fill {
		d.drawBlank()
	}
	im.take(d)
}

func (d *draft) cellNumber(cell string) float64 {
	f, ok := number(cell)
	if !ok {
		d.refuse(BadNumber, cell, 0)
	}
	return f
}

// rights are the numbers of the right options: 1, or 1 3.
func (d *draft) rights(cell string) map[int]bool {
	out := map[int]bool{}
	for _, w := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(" ,;+\u00a0", r) }) {
		n, err := strconv.Atoi(w)
		if err != nil {
			d.refuse(BadNumber, w, 0)
		}
		out[n] = true
	}
	return out
}

func (d *draft) rowOptions(q row) {
	rights, found := d.rights(q.once["right"]), 0
	for n := 1; n <= q.count; n++ {
		text := q.of("option", n)
		if text == "" {
			continue
		}
		if rights[n] {
			found++
		}
		d.Options = append(d.Options, content.Choice{Text: d.short(text, inPlain), Right: rights[n], Is: q.of("is", n), Why: d.long(q.of("whyof", n), inMarkdown)})
	}
	if found < len(rights) { // one is named that is not there
		d.refuse(NoRight, q.once["right"], 0)
	}
}

func (d *draft) rowTrueFalse(q row) {
	d.Options = trueFalse(d.lang)
	at := 0
	switch plain(q.once["right"]) {
	case "true", "vrai", "t", "v", "oui", "yes":
	case "false", "faux", "f", "non", "no":
		at = 1
	default:
		d.refuse(NoRight, q.once["right"], 0)
	}
	for n := range d.Options {
		o := &d.Options[n]
		o.Right, o.Why = n == at, d.long(q.of("whyof", n+1), inMarkdown)
		if !o.Right {
			o.Is = q.of("is", n+1)
		}
	}
}

func (d *draft) rowPairs(q row) {
	for n := 1; n <= q.count; n++ {
		cell := q.of("option", n)
		if cell == "" {
			continue
		}
		parts := cut(cell, "=>")
		if strings.HasPrefix(cell, "=>") {
			parts = append([]string{""}, parts...)
		}
		if len(parts) != 2 {
			d.refuse(Malformed, cell, 0)
			continue
		}
		right := d.short(parts[1], inPlain)
		if parts[0] == "" {
			d.Extra = append(d.Extra, right)
			continue
		}
		d.Pairs = append(d.Pairs, content.Pair{Left: d.short(parts[0], inPlain), Right: right})
	}
}

// places are a trap's in a cell: 3<1 of an Order, 1=2 of a Match.
var cellPlaces = regexp.MustCompile(`^\s*(\d{1,2})\s*[<=]\s*(\d{1,2})\s*$`)

func (d *draft) rowTrap(cell string, q row, n int) {
	t := content.Trap{Is: q.of("is", n), Why: d.long(q.of("whyof", n), inMarkdown)}
	switch d.Kind {
	case content.Number:
		f := d.cellNumber(cell)
		t.Number = &f
	case content.Fill:
		t.Answers = d.spell(cut(cell, "|"))
	default:
		m := cellPlaces.FindStringSubmatch(cell)
		if m == nil {
			d.refuse(BadTrap, cell, 0)
			return
		}
		a, _ := strconv.Atoi(m[1])
		b, _ := strconv.Atoi(m[2])
		if d.Kind == content.Order {
			t.Before = [2]int{a, b}
		} else {
			t.Pair = [2]int{a, b}
		}
	}
	d.Traps = append(d.Traps, t)
}

// cut takes a cell of several parts apart; a backslash before the mark makes it a part of the text.
func cut(cell, mark string) []string {
	var out []string
	var part strings.Builder
	end := func() {
		if s := strings.TrimSpace(part.String()); s != "" {
			out = append(out, s)
		}
		part.Reset()
	}
	for s := cell; s != ""; {
		switch {
		case strings.HasPrefix(s, `\`+mark):
			part.WriteString(mark)
			s = s[1+len(mark):]
		case strings.HasPrefix(s, mark):
			end()
			s = s[len(mark):]
		default:
			part.WriteByte(s[0])
			s = s[1:]
		}
	}
	end()
	return out
}
