package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"timonier/bot"
)

var people = bot.Table{
	Columns: []string{"Pod", "Nœud"},
	Rows:    [][]string{{"`web-1`", "**node-1**"}, {"`web-2`", "-"}},
}

func TestBlocks(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 20, 0, time.UTC)
	tests := []struct {
		name   string
		block  bot.Block
		plain  string
		colour string // as it reads without its styles; "": as plain
	}{
		{"title", bot.Title{Text: "Le cours"}, "Le cours\n────────", "Le cours"},
		{"text", bot.Text{Markdown: "Un **pod** et `kubectl get`."}, "Un **pod** et `kubectl get`.", "Un pod et kubectl get."},
		{"code", bot.Code{Text: "a:  1\n\tb\n"}, "a:  1\n        b", ""},
		{"table", people, "┌─────────┬────────────┐\n│ Pod     │ Nœud       │\n├─────────┼────────────┤\n│ `web-1` │ **node-1** │\n│ `web-2` │ -          │\n└─────────┴────────────┘",
			"┌───────┬────────┐\n│ Pod   │ Nœud   │\n├───────┼────────┤\n│ web-1 │ node-1 │\n│ web-2 │ -      │\n└───────┴────────┘"},
		{"quote", bot.Quote{Markdown: "Un mot.\n\nUn autre."}, "│ Un mot.\n│\n│ Un autre.", ""},
		{"meter", bot.Meter{Label: "1 sur 2", Done: 1, Total: 2}, "▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░ 1 sur 2", ""},
		{"meter past its end", bot.Meter{Label: "x", Done: 5, Total: 2}, strings.Repeat("▓", 20) + " x", ""},
		{"meter of nothing", bot.Meter{Label: "x", Done: -1}, strings.Repeat("░", 20) + " x", ""},
		{"drawing", bot.Picture{Alt: "un pod", Text: "┌─┐\n└─┘"}, "┌─┐\n└─┘", ""},
		{"picture without a drawing", bot.Picture{Alt: "un pod"}, "[un pod]", ""},
		{"moment", bot.Until{Label: "Fin\u00a0:", At: at, Clock: "à 9\u00a0h", In: "dans 20\u00a0s"}, "Fin\u00a0: à 9\u00a0h (dans 20\u00a0s)", ""},
		{"moment without a label", bot.Until{At: at, Clock: "demain à 9\u00a0h", In: "dans 24\u00a0h"}, "demain à 9\u00a0h (dans 24\u00a0h)", ""},
		{"moment that is past", bot.Until{At: at, Clock: "at 09:00"}, "at 09:00", ""},
		{"moment in no words", bot.Until{At: at}, "2026-03-02 09:00:20 UTC", ""},
		{"divider", bot.Divider{}, strings.Repeat("─", 40), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reply := bot.Reply{Blocks: []bot.Block{test.block}}
			if got := (printer{width: 80, styles: plainStyles()}).reply(reply); got != test.plain {
				t.Errorf("plain:\n%s\nwant:\n%s", got, test.plain)
			}
			if test.colour == "" {
				test.colour = test.plain
			}
			if got := ansi.Strip(printer{width: 80, styles: colourStyles()}.reply(reply)); got != test.colour {
				t.Errorf("colour:\n%s\nwant:\n%s", got, test.colour)
			}
		})
	}
}

func TestStyles(t *testing.T) {
	reply := bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: "**a** `b`"}}, Buttons: []bot.Button{{Label: "C"}}}
	colour := printer{width: 80, styles: colourStyles()}.reply(reply)
	if !strings.Contains(colour, "\x1b[36mb") || !strings.Contains(colour, "\x1b[1ma") || !strings.Contains(colour, "\x1b[32m[1\u00a0C]") && !strings.Contains(colour, "\x1b[32m[1 C]") {
		t.Errorf("colour: %q", colour)
	}
	if mono := (printer{width: 80, styles: monochromeStyles()}).reply(reply); strings.Contains(mono, "\x1b[3") || !strings.Contains(mono, "`b`") {
		t.Errorf("without colours: %q", mono)
	}
	if plain := (printer{width: 80, styles: plainStyles()}).reply(reply); strings.Contains(plain, "\x1b") {
		t.Errorf("plain: %q", plain)
	}
}

func TestReplyInOrder(t *testing.T) {
	reply := bot.Reply{
		Blocks:  []bot.Block{bot.Title{Text: "T"}, bot.Text{Markdown: ""}, bot.Code{Text: "c"}},
		Files:   []bot.File{{Name: "f.txt", Data: []byte("abc")}},
		Buttons: []bot.Button{{Label: "Le cours"}, {Label: "Aide"}},
	}
	got := printer{width: 80, styles: plainStyles()}.reply(reply)
	if want := "T\n─\n\nc\n\n[f.txt]\n\n[1 Le cours] [2 Aide]"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestWordsStayWhole: flags, names and figures with their units are not broken.
func TestWordsStayWhole(t *testing.T) {
	text := "Tapez `kubectl create deployment web --image=nginx --replicas=3` et regardez `web-844649dd5c-5x8z6` : 50\u00a0% de 10\u202f000\u00a0m."
	for width := 22; width < 90; width++ {
		for _, styles := range []styles{plainStyles(), monochromeStyles(), colourStyles()} {
			got := ansi.Strip(printer{width: width, styles: styles}.reply(bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: text}}}))
			for _, word := range []string{"--image=nginx", "--replicas=3", "web-844649dd5c-5x8z6", "50\u00a0%", "10\u202f000\u00a0m"} {
				if !strings.Contains(got, word) {
					t.Fatalf("width %d breaks %q:\n%s", width, word, got)
				}
			}
		}
	}
}

func TestNarrowTables(t *testing.T) {
	wide := bot.Table{
		Columns: []string{"Nœud", "Filtre", "Note", "Raison"},
		Rows:    [][]string{{"node-1", "`NodeResourcesFit`", "12", "Il manque 300\u00a0m de CPU, et c'est dit en long"}, {"node-2", "", "", ""}},
	}
	got := ansi.Strip(printer{width: 40, styles: colourStyles()}.reply(bot.Reply{Blocks: []bot.Block{wide}}))
	want := "• node-1\n    Filtre · NodeResourcesFit\n    Note · 12\n    Raison · Il manque 300\u00a0m de CPU, et\n    c'est dit en long\n• node-2"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	odd := bot.Table{Columns: []string{"A", "B"}, Rows: [][]string{{"1"}, {"1", "2", "3"}, nil}}
	if got := (printer{width: 40, styles: plainStyles()}).reply(bot.Reply{Blocks: []bot.Block{odd}}); !strings.Contains(got, "│ 1 │ 2 │") {
		t.Errorf("rows of other lengths than the head:\n%s", got)
	}
}

func TestFoldedTable(t *testing.T) {
	const table = `NAME                   READY   STATUS    RESTARTS   AGE   IP           NODE     NOMINATED NODE
web-5876c898d9-7vxq7   1/1     Running   0          2s    10.244.1.2   node-3   <none>
web-5876c898d9-9jpcx   1/1     Running   0          2s    <none>       node-2   <none>

NAME   AGE
x      1s`
	const want = `NAME                   READY   STATUS    RESTARTS   AGE   IP           NODE
    NOMINATED NODE
web-5876c898d9-7vxq7   1/1     Running   0          2s    10.244.1.2   node-3
    <none>
web-5876c898d9-9jpcx   1/1     Running   0          2s    <none>       node-2
    <none>

NAME   AGE
x      1s`
	if got := (printer{width: 80, styles: colourStyles()}).preformatted(table); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := (printer{width: 80, styles: plainStyles()}).preformatted(table); got != table {
		t.Errorf("a script's table was changed:\n%s", got)
	}
	const describe = "Name:         web-1\nAnnotations:  one: a-long-value another-long-value third\n"
	if got := (printer{width: 40, styles: colourStyles()}).preformatted(describe); got != "Name:         web-1\nAnnotations:  one: a-long-value\n  another-long-value third" {
		t.Errorf("got\n%s", got)
	}
}

// TestNothingLost: whatever the width, nothing is wider, and every character is there.
func TestNothingLost(t *testing.T) {
	reply := bot.Reply{
		Blocks: []bot.Block{
			bot.Title{Text: "Un titre assez long pour deux lignes"},
			bot.Text{Markdown: "- un `kubectl create deployment`\n- **deux**\n\n1. trois\n2. quatre\n\n> cité"},
			bot.Code{Text: "NAME     STATUS   ROLES\nnode-1   Ready    <none>\n\n  une-très-longue-ligne-sans-blanc-aucun et la suite 漢字漢字"},
			people, bot.Quote{Markdown: "Une citation, avec *italique* et 漢字漢字漢字."},
			bot.Meter{Label: "1 sur 2", Done: 1, Total: 2},
			bot.Code{Text: "┌────────────────────────────────────────────┐"},
		},
		Buttons: []bot.Button{{Label: "Le cours"}, {Label: "kubectl get nodes"}},
	}
	all := letters(ansi.Strip(printer{width: 400, styles: colourStyles()}.reply(reply)))
	for width := 2; width <= 120; width++ {
		got := ansi.Strip(printer{width: width, styles: colourStyles()}.reply(reply))
		for line := range strings.SplitSeq(got, "\n") {
			if ansi.StringWidth(line) > width {
				t.Fatalf("width %d: %q", width, line)
			}
		}
		if width >= 4*narrowest && letters(got) != all { // a narrow table is told in another order
			t.Fatalf("width %d loses something:\n%s", width, got)
		}
		for _, word := range []string{"漢", "suite"} {
			if width >= 20 && !strings.Contains(got, word) {
				t.Fatalf("width %d loses %s:\n%s", width, word, got)
			}
		}
	}
}

// letters are those of a text, without blanks, borders and bullets.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \n\u00a0│─┌┐└┘├┤┬┴┼•", r) {
			return -1
		}
		return r
	}, text)
}

// TestHarmless: what learners typed comes back in answers, and commands no terminal.
func TestHarmless(t *testing.T) {
	evil := "a\x1b[2J\x1b]0;x\x07b\u009b31m\x00c\u202ed\r"
	escaped := evil + "&#27;[2J &#x9b; &NewLine;"
	reply := bot.Reply{
		Blocks: []bot.Block{
			bot.Title{Text: evil}, bot.Text{Markdown: escaped + " `" + evil + "` [" + evil + "](http://x/" + evil + ")"}, bot.Code{Text: evil},
			bot.Table{Columns: []string{evil}, Rows: [][]string{{escaped}}}, bot.Quote{Markdown: escaped},
			bot.Meter{Label: evil}, bot.Picture{Alt: evil}, bot.Picture{Alt: evil, Text: evil},
		},
		Buttons: []bot.Button{{Label: evil}},
		Files:   []bot.File{{Name: evil}},
	}
	got := printer{width: 80, styles: plainStyles()}.reply(reply)
	if i := strings.IndexFunc(got, func(r rune) bool {
		return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e'
	}); i >= 0 {
		t.Errorf("%q in %q", got[i:min(len(got), i+8)], got)
	}
	colour := printer{width: 80, styles: colourStyles()}.reply(reply)
	for _, command := range []string{"\x1b[2J", "\x1b]", "\u009b", "\x07", "\x00", "\r"} {
		if strings.Contains(colour, command) {
			t.Errorf("%q survives in %q", command, colour)
		}
	}
}

func TestMenuAndPrompt(t *testing.T) {
	say := func(id string) string { return "<" + id + ">" }
	p := printer{width: 80, styles: plainStyles(), words: say}
	menu := bot.Menu{Label: "Lesquelles?", Line: "/quiz réponse 7-3", Choices: []bot.MenuChoice{{Value: "A", Label: "etcd"}, {Value: "B", Label: "un\nkubelet"}, {Value: "C", Label: "le reste"}}}
	for _, test := range []struct {
		reply bot.Reply
		want  string
	}{
		{bot.Reply{Menu: &menu, Buttons: []bot.Button{{Label: "Indice"}}}, "Lesquelles?\n  A etcd\n  B un kubelet\n  C le reste\n<terminal.menu> A C\n\n[1 Indice]"},
		{bot.Reply{Prompt: &bot.Prompt{Label: "Le mot", Short: true, Button: "Répondre"}, Buttons: []bot.Button{{Label: "Indice"}}}, "Le mot · <terminal.line>\n\n[1 Indice]"},
		{bot.Reply{Prompt: &bot.Prompt{Button: "Écrire", Text: "a: 1\n"}, Buttons: []bot.Button{{Label: "Indice"}}}, "a: 1\n\n[1 Indice] [2 Écrire]"},
		{bot.Reply{Prompt: &bot.Prompt{Label: "x"}}, ""},
	} {
		if got := p.reply(test.reply); got != test.want {
			t.Errorf("got\n%s\nwant\n%s", got, test.want)
		}
	}
	menu.Max = 1
	if got := p.reply(bot.Reply{Menu: &menu}); !strings.HasSuffix(got, "<terminal.menu> A") {
		t.Errorf("one of a menu: %s", got)
	}
}

func TestWhatIsTypedForWhatIsOffered(t *testing.T) {
	buttons := []bot.Button{{Label: "Indice", Line: "/quiz indice"}}
	menu := bot.Reply{Buttons: buttons, Menu: &bot.Menu{Line: "/quiz réponse 7", Choices: []bot.MenuChoice{{Value: "A"}, {Value: "B"}}}}
	line := bot.Reply{Buttons: buttons, Prompt: &bot.Prompt{Line: "/quiz réponse 7", Short: true}}
	long := bot.Reply{Buttons: buttons, Prompt: &bot.Prompt{Line: "/banque ajoute", Button: "Écrire"}}
	for _, test := range []struct {
		offered     bot.Reply
		typed, want string
		opens       bool
	}{
		{menu, "ab", "/quiz réponse 7 A B", false}, {menu, "indice", "/quiz indice", false}, {menu, "c", "c", false}, {menu, "/aide", "/aide", false},
		{line, " planificateur ", "/quiz réponse 7\nplanificateur", false}, {line, "1", "/quiz indice", false}, {line, "/aide", "/aide", false}, {line, "", "", false},
		{long, "2", "", true}, {long, "écrire", "", true}, {long, "1", "/quiz indice", false}, {long, "texte", "texte", false},
	} {
		if got, opens := chosen(test.typed, test.offered); got != test.want || (opens != nil) != test.opens {
			t.Errorf("%q: %q, %v", test.typed, got, opens)
		}
	}
}
