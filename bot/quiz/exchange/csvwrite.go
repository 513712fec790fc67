package exchange

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"timonier/content"
)

// csv writes a table, its columns named in the file's language. It begins with a byte order
// mark, without which a spreadsheet takes UTF-8 for something else.
func (ex *exporter) csv() {
	ex.out.WriteString("\ufeff")
	w := csv.NewWriter(&ex.out)
	w.Comma = cmp.Or(ex.separator, ',')
	w.UseCRLF = true
	answers := 5
	for _, i := range ex.items {
		answers = max(answers, len(i.Options), len(i.Steps), len(i.Pairs)+len(i.Extra), len(i.Traps))
	}
	var head []string
	for _, c := range columns {
		head = append(head, c.in(ex.lang))
	}
	for n := 1; n <= answers; n++ {
		for _, c := range numbered {
			head = append(head, fmt.Sprintf("%s %d", c.in(ex.lang), n))
		}
	}
	_ = w.Write(head) // into memory: it cannot fail
	for _, i := range ex.items {
		if i.Kind == content.Predict {
			ex.problem(i, PredictionIsOne, "")
		}
		cells := ex.cells(i, answers)
		for n := range cells {
			cells[n] = Harmless(cells[n])
		}
		_ = w.Write(cells)
	}
	w.Flush()
}

// cells are a question's, in the order of the columns.
func (ex *exporter) cells(i *content.Item, answers int) []string {
	difficulty, tolerance := "", ""
	if i.Difficulty > 0 {
		difficulty = strconv.Itoa(i.Difficulty)
	}
	if i.Tolerance != 0 {
		tolerance = decimal(i.Tolerance)
	}
	kind := keyedIn(kinds, string(i.Kind), ex.lang)
	cells := []string{i.ID, i.Lesson, kind, difficulty, i.Objective, ex.in(i.Ask), ex.in(i.Hint), ex.in(i.Why), ex.cellRight(i), tolerance, ex.in(i.Unit)}
	options := ex.cellOptions(i)
	for n := range answers {
		var option, trap, is, why string
		if n < len(options) {
			option = options[n]
		}
		if n < len(i.Options) {
			is, why = i.Options[n].Is, ex.in(i.Options[n].Why)
		}
		if n < len(i.Traps) {
			t := i.Traps[n]
			trap, is, why = ex.cellTrap(i.Kind, t), t.Is, ex.in(t.Why)
		}
		cells = append(cells, option, trap, is, why)
	}
	return cells
}

func keyedIn(table []column, key string, l content.Lang) string {
	for _, c := range table {
		if c.key == key {
			return c.in(l)
		}
	}
	return key
}

func (ex *exporter) cellRight(i *content.Item) string {
	switch i.Kind {
	case content.Number:
		return decimal(i.Number)
	case content.Fill:
		return joined(i.Accept.In(ex.lang), "|")
	case content.TrueFalse:
		right := i.Options[0].Right
		if ex.lang == content.EN {
			return strconv.FormatBool(right)
		}
		return map[bool]string{true: "vrai", false: "faux"}[right]
	}
	var rights []string
	for n, o := range i.Options {
		if o.Right {
			rights = append(rights, strconv.Itoa(n+1))
		}
	}
	return strings.Join(rights, " ")
}

func (ex *exporter) cellOptions(i *content.Item) []string {
	var out []string
	for _, o := range i.Options {
		if i.Kind != content.TrueFalse {
			out = append(out, ex.in(o.Text))
		}
	}
	for _, s := range i.Steps {
		out = append(out, ex.in(s))
	}
	for _, p := range i.Pairs {
		out = append(out, joined([]string{ex.in(p.Left), ex.in(p.Right)}, " => "))
	}
	for _, e := range i.Extra {
		out = append(out, "=> "+joined([]string{ex.in(e)}, " => "))
	}
	return out
}

func (ex *exporter) cellTrap(k content.ItemKind, t content.Trap) string {
	switch k {
	case content.Number:
		return decimal(*t.Number)
	case content.Fill:
		return joined(t.Answers.In(ex.lang), "|")
	case content.Order:
		return fmt.Sprintf("%d<%d", t.Before[0], t.Before[1])
	}
	return fmt.Sprintf("%d=%d", t.Pair[0], t.Pair[1])
}

// joined are the parts of a cell, with the mark between them.
func joined(parts []string, mark string) string {
	bare := strings.TrimSpace(mark)
	escaped := make([]string, len(parts))
	for n, p := range parts {
		escaped[n] = strings.ReplaceAll(p, bare, `\`+bare)
	}
	return strings.Join(escaped, mark)
}
