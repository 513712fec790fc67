package bot

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"time"

	"timonier/bot/quiz"
	"timonier/bot/quiz/exchange"
	"timonier/content"
)

// file is a table as a CSV file that a spreadsheet opens with a double click: UTF-8 with its
// mark, and between cells what the spreadsheet of the language expects.
func (c *call) file(told, name string, table [][]string) Reply {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if c.lang == "fr" {
		w.Comma = ';' // the comma is the decimals'
	}
	for _, row := range table {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = exchange.Harmless(cell)
		}
		w.Write(cells) //nolint:errcheck // a Buffer takes all; Flush has the rest
	}
	w.Flush()
	return Reply{Blocks: []Block{Text{told}}, Files: []File{{Name: name, Type: "text/csv", Data: b.Bytes()}}}
}

// answersTable is a row an answer, in the order of the sessions, the questions, the people.
func (c *call) answersTable(w classwork) [][]string {
	table := [][]string{{c.say("report.col.quiz"), c.say("report.col.mode"), c.say("report.col.time"), c.say("report.col.person"), c.say("report.col.name"),
		c.say("report.col.number"), c.say("report.col.item"), c.say("report.col.lesson"), c.say("report.col.objective"), c.say("report.col.difficulty"),
		c.say("report.col.question"), c.say("report.col.answer"), c.say("report.col.right"), c.say("report.col.credit"), c.say("report.col.seconds"),
		c.say("report.col.hint"), c.say("report.col.late"), c.say("report.col.changes"), c.say("report.col.belief")}}
	yes := func(b bool) string {
		if b {
			return wordYes.in(c.words)
		}
		return wordNo.in(c.words)
	}
	for _, s := range w.sessions {
		for _, r := range w.records {
			if r.Session != s.ID {
				continue
			}
			item, ok := c.itemsIn(w)(r.Item)
			if !ok {
				item = &content.Item{ID: r.Item}
			}
			var beliefs []string
			for _, id := range r.Is {
				if m, ok := c.content.Misconception(id); ok {
					id = c.in(m.Name)
				}
				beliefs = append(beliefs, id)
			}
			difficulty := ""
			if item.Difficulty > 0 {
				difficulty = strconv.Itoa(item.Difficulty)
			}
			table = append(table, []string{s.ID, c.modeWord(s.Rules.Mode).in(c.words), r.At.Time().In(c.zone()).Format(time.DateTime), r.Person, w.names[r.Person],
				strconv.Itoa(r.Question + 1), r.Item, item.Lesson, item.Objective, difficulty,
				strings.Join(strings.Fields(c.any(item.Ask)), " "), c.inWords(item, r.Answer), yes(r.Right), c.rounded(r.Credit), c.rounded(float64(r.Took) / 1000),
				yes(r.Hint), yes(r.Late), strconv.Itoa(r.Changes), strings.Join(beliefs, ", ")})
		}
	}
	return table
}

// rounded is a number of at most two decimals, in the language.
func (c *call) rounded(n float64) string {
	return quiz.FormatNumber(math.Round(n*100)/100, c.course())
}

// inWords is an answer without letters, which everybody may have seen in another order.
func (c *call) inWords(item *content.Item, a quiz.Answer) string {
	switch {
	case a.Number != nil:
		return quiz.FormatNumber(*a.Number, c.course())
	case a.Text != "":
		return a.Text
	}
	q := quiz.Put(item, 0)
	texts := q.Choices(c.course())
	own := make([]string, len(texts))
	for i, text := range texts {
		own[q.Own(i)] = text
	}
	lefts := q.Lefts(c.course())
	var out []string
	for i, p := range a.Picks {
		switch {
		case p < 0 || p >= len(own):
		case i < len(lefts):
			out = append(out, lefts[i]+" → "+own[p])
		default:
			out = append(out, own[p])
		}
	}
	if item.Kind == content.Order {
		return strings.Join(out, " → ")
	}
	return strings.Join(out, " | ")
}

// gradesTable is a row a person: what they answered in all, and the share of each quiz's
// questions that they earned.
func (c *call) gradesTable(w classwork) [][]string {
	rep := quiz.ReportOn(w.records, c.itemsIn(w))
	head := []string{c.say("report.col.person"), c.say("report.col.name"), c.say("report.col.quizzes"), c.say("report.col.answered"), c.say("report.col.rights"), c.say("report.col.grade")}
	credits := map[string]map[string]float64{} // by person, by session
	for _, r := range w.records {
		if credits[r.Person] == nil {
			credits[r.Person] = map[string]float64{}
		}
		credits[r.Person][r.Session] += r.Credit
	}
	for _, s := range w.sessions {
		head = append(head, c.modeWord(s.Rules.Mode).in(c.words)+" "+c.dateOf(s.Began.Time())+" "+s.ID)
	}
	table := [][]string{head}
	for _, l := range rep.Learners {
		row := []string{l.Person, w.names[l.Person], strconv.Itoa(len(credits[l.Person])), strconv.Itoa(l.Answered), strconv.Itoa(l.Right), c.rounded(l.Grade * 100)}
		for _, s := range w.sessions {
			cell := ""
			if credit, took := credits[l.Person][s.ID]; took {
				cell = c.rounded(100 * credit / float64(max(1, len(s.Items))))
			}
			row = append(row, cell)
		}
		table = append(table, row)
	}
	return table
}
