package slack

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"timonier/bot"
)

// hard are words that a renderer may break: they must be read as they are.
var hard = []string{
	"<!channel>", "<@U123>", "<#C1|x>", "@here", "<!subteam^S1>", "&amp;", "a&b<c>d", "*pas_gras*", "_x_", "~y~", "`accent", "```", "``",
	"10\u00a0%", "«\u00a0oui\u00a0»", "1\u202f000", "👩‍👩‍👧‍👦", "🏳️‍🌈", "e\u0301te\u0301", "שלום\u200f", "مرحبا", "a\u200bb", "<http://x.io|y>", "http://x.io/?a=b&c",
	"[x](y)", "#1", "1.", "-", ">", "\\", "|", ":smile:", "日本語", "node-1", "pods",
}

// writer makes replies at random, and keeps what it put in them.
type writer struct {
	*rand.Rand
	words []string // raw; each must be found again
	n     int
	cell  bool // in a table, whose cells keep U+00A0 as their only other blank
}

// word is a new one: no other has the same number.
func (w *writer) word() string {
	w.n++
	s := hard[w.IntN(len(hard))] + fmt.Sprintf("w%dx", w.n)
	if w.cell {
		s = strings.ReplaceAll(s, "\u202f", "\u00a0")
	}
	if w.IntN(400) == 0 {
		s += strings.Repeat("long", 1000) + "👩‍👩‍👧‍👦"
	}
	w.words = append(w.words, s)
	return s
}

// markdown escapes a word, so that Markdown reads it as it is.
func markdown(word string) string { return punctuation.ReplaceAllString(word, `\$0`) }

var punctuation = regexp.MustCompile("[!-/:-@\\[-`{-~]")

// prose is inline Markdown of a few words.
func (w *writer) prose(most int) string {
	var parts []string
	for range 1 + w.IntN(most) {
		word := markdown(w.word())
		switch w.IntN(8) {
		case 0:
			word = "**" + word + "**"
		case 1:
			word = "*x" + word + "x*"
		case 2:
			word = "[" + word + "](https://x.io/?a=1&b=" + fmt.Sprint(w.n) + ")"
		case 3:
			word = "[" + word + "](javascript:x)"
		}
		parts = append(parts, word)
	}
	return strings.Join(parts, " ")
}

// lines are raw.
func (w *writer) lines(most int) string {
	var b strings.Builder
	for range w.IntN(most) {
		b.WriteString(strings.Repeat(" ", w.IntN(4)) + w.word() + " " + w.word() + strings.Repeat("\n", 1+w.IntN(2)))
	}
	return b.String()
}

func (w *writer) text() string {
	var b strings.Builder
	for range 1 + w.IntN(4) {
		switch w.IntN(4) {
		case 0:
			mark := []string{"- ", "1. "}[w.IntN(2)]
			for i := range 1 + w.IntN(12) {
				b.WriteString(strings.Repeat("   ", min(i, w.IntN(4))) + mark + "x" + w.prose(20) + "\n")
			}
			b.WriteString("\n")
		case 1:
			b.WriteString("> x" + w.prose(10) + "\n\n")
		default:
			b.WriteString("x" + w.prose(30) + "\n\n")
		}
	}
	return b.String()
}

func (w *writer) block() bot.Block {
	switch w.IntN(10) {
	case 7:
		return bot.Until{Label: w.word(), At: time.Unix(1+w.Int64N(1<<32), 0)}
	case 0:
		return bot.Title{Text: w.lines(6)}
	case 1:
		return bot.Code{Text: w.lines(40)}
	case 2:
		t := bot.Table{Columns: make([]string, 1+w.IntN(6))}
		for i := range t.Columns {
			t.Columns[i] = fmt.Sprint("C", i)
		}
		w.cell = true
		defer func() { w.cell = false }()
		for range 1 + w.IntN(20) {
			var row []string
			for range t.Columns {
				row = append(row, "x"+w.prose(2))
			}
			t.Rows = append(t.Rows, row)
		}
		return t
	case 3:
		return bot.Quote{Markdown: w.text()}
	case 4:
		return bot.Meter{Label: w.word(), Done: w.IntN(9) - 2, Total: w.IntN(5) - 1}
	case 5:
		p := bot.Picture{Name: fmt.Sprint("p", w.n, ".png"), Alt: w.word()}
		if w.IntN(2) == 0 {
			p.PNG = []byte("png")
		}
		return p
	case 6:
		return bot.Divider{}
	default:
		return bot.Text{Markdown: w.text()}
	}
}

func (w *writer) reply() bot.Reply {
	var r bot.Reply
	for range w.IntN(1 + []int{3, 3, 6, 6, 6, 25}[w.IntN(6)]) {
		r.Blocks = append(r.Blocks, w.block())
	}
	for range w.IntN([]int{1, 5, 60}[w.IntN(3)] + 1) {
		label := w.word()
		if w.IntN(8) == 0 {
			label += strings.Repeat(" étiquette", 10)
		}
		line := "/kubectl " + w.word()
		r.Buttons = append(r.Buttons, bot.Button{Label: label, Line: line, Style: bot.Style(w.IntN(4))})
	}
	if w.IntN(3) == 0 {
		r.Menu = &bot.Menu{Label: w.word(), Line: "/quiz " + w.word(), Min: w.IntN(4) - 1, Max: w.IntN(4)}
		for i := range 1 + w.IntN(w.IntN(120)+1) {
			label := w.word()
			if w.IntN(8) == 0 {
				label += strings.Repeat(" choix", 20) + w.word()
			}
			r.Menu.Choices = append(r.Menu.Choices, bot.MenuChoice{Value: fmt.Sprint("v", i), Label: label})
		}
	}
	return r
}

// bare is text as it is compared: without what only parts it, and without what keeps a mention apart.
func bare(s string) string { return parting.Replace(s) }

var parting = strings.NewReplacer(" ", "", "\n", "", "\t", "", "\u2060", "")

func TestAnyReplyFitsAndLosesNothing(t *testing.T) {
	say := french(t)
	cases, overflowed := 2000, 0
	if testing.Short() {
		cases = 200
	}
	for seed := range cases {
		w := &writer{Rand: rand.New(rand.NewPCG(3, uint64(seed)))}
		r := w.reply()
		m, uploads := render(r, say)
		check(t, m)
		ids := make([]string, len(uploads))
		for i := range ids {
			ids[i] = fmt.Sprint("F", i)
		}
		shown := m.withPictures(ids)
		check(t, shown)
		checkView(t, home(r, say))

		read := bare(strings.Join(texts(decoded(t, message{Blocks: m.Blocks})["blocks"]), ""))
		read += bare(strings.Join(texts(decoded(t, message{Blocks: shown.Blocks})["blocks"]), ""))
		file := ""
		if n := len(uploads); n > 0 && uploads[n-1].Type == "text/markdown" {
			overflowed++
			file = bare(string(uploads[n-1].Data))
			if !strings.Contains(read, bare("la réponse entière est dans le fichier "+uploads[n-1].Name)) {
				t.Errorf("seed %d: the message does not name its file", seed)
			}
		}
		for _, word := range w.words {
			written := bare(markdown(word)) // in the file
			if !strings.Contains(read, bare(word)) && !strings.Contains(file, bare(word)) &&
				!strings.Contains(file, written) && !strings.Contains(file, strings.ReplaceAll(written, "|", `\|`)) {
				t.Errorf("seed %d: %q is lost", seed, word)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if overflowed < cases/20 || overflowed > cases*19/20 {
		t.Errorf("%d of %d replies were too long: the test tries too little", overflowed, cases)
	}
}

func TestOneLetterTooMany(t *testing.T) {
	say := french(t)
	for _, base := range []int{mostHeader, mostText, mostInAll} {
		for n := max(1, base-200); n <= base+2; n++ {
			for _, letter := range []string{"x", "&", "é"} {
				s := strings.Repeat(letter, n)
				m, _ := render(bot.Reply{Blocks: []bot.Block{bot.Title{Text: s}, bot.Code{Text: s}}, Buttons: []bot.Button{{Label: s, Line: "/x"}}}, say)
				if check(t, m); t.Failed() {
					t.Fatalf("%d times %q", n, letter)
				}
			}
			if base == mostInAll && n%20 != 0 {
				n += 19
			}
		}
	}
}

func TestManyButtons(t *testing.T) {
	var r bot.Reply
	for i := range 200 {
		r.Buttons = append(r.Buttons, bot.Button{Label: fmt.Sprint("Bouton ", i), Line: fmt.Sprintf("/n%03d", i)})
	}
	m, uploads := render(r, french(t))
	check(t, m)
	read := strings.Join(texts(decoded(t, m)["blocks"]), "\n")
	for _, u := range uploads {
		read += string(u.Data)
	}
	for _, b := range r.Buttons {
		if !strings.Contains(read, b.Line) {
			t.Errorf("%s is lost", b.Line)
		}
	}
	if len(m.Blocks) < 2 {
		t.Errorf("only %d blocks", len(m.Blocks))
	}
}
