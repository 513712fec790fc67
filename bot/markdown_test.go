package bot

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/rivo/uniseg"
)

// spelled is a text's passages as one line each, to be compared.
func spelled(source string) string {
	var b strings.Builder
	for _, p := range Markdown(source) {
		if p.Quoted {
			b.WriteString("> ")
		}
		b.WriteString(strings.Repeat("  ", max(0, p.Depth-1)))
		if p.Mark != "" {
			b.WriteString(p.Mark + " ")
		}
		switch p.Kind {
		case Heading:
			b.WriteString("# ")
		case Rule:
			b.WriteString("***")
		case Preformatted:
			b.WriteString("{" + p.Text + "}")
		}
		for _, s := range p.Spans {
			look := ""
			for _, l := range []struct {
				on   bool
				mark string
			}{{s.Bold, "b"}, {s.Italic, "i"}, {s.Code, "c"}, {s.Link != "", "→" + s.Link}} {
				if l.on {
					look += l.mark
				}
			}
			if look == "" {
				b.WriteString(s.Text)
			} else {
				b.WriteString("[" + look + " " + s.Text + "]")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestMarkdown(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"Un *pod* n'est **jamais** déplacé.", "Un [i pod] n'est [b jamais] déplacé.\n"},
		{"***tout***", "[bi tout]\n"},
		{"`kubectl get` et `a*b*`", "[c kubectl get] et [c a*b*]\n"},
		{"deux\nlignes\\\net trois", "deux lignes\net trois\n"},
		{"- a\n- b\n  - c\n\n    encore\n- d", "• a\n• b\n  • c\n  encore\n• d\n"},
		{"3. trois\n4. quatre", "3. trois\n4. quatre\n"},
		{"> cité\n>\n> - item", "> cité\n> • item\n"},
		{"```yaml\na: 1\n```", "{a: 1}\n"},
		{"[le site](https://kubernetes.io) <https://etcd.io>", "[→https://kubernetes.io le site] [→https://etcd.io https://etcd.io]\n"},
		{`\*pas\* de l'italique &amp; &eacute;`, "*pas* de l'italique & é\n"},
		{"<@1> <b>gras</b>", "<@1> <b>gras</b>\n"},
		{"<div>\nx\n</div>", "<div>\nx\n</div>\n"},
		{"50\u00a0s «\u00a0vite\u00a0»", "50\u00a0s «\u00a0vite\u00a0»\n"},
		{"---", "***\n"},
		{"", ""},
	} {
		if got := spelled(c.source); got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.source, got, c.want)
		}
	}
}

func TestInline(t *testing.T) {
	for source, want := range map[string]string{"–": "–", "3.": "3.", "- ": "-", "`node-1` · le local 1": "node-1 · le local 1", "100m / 2": "100m / 2", "": "", "a  b\u00a0c\u202f!": "a b\u00a0c\u202f!"} {
		if got := PlainText(Inline(source)); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}

// Parts make the text again, none is too long, and no character that a person sees is cut
// unless it alone is longer than a part.
func TestSplitKeepsAll(t *testing.T) {
	pieces := []string{"a", "mot", " ", "\n", "é", "e\u0301", "👩‍👩‍👧‍👦", "🇨🇦", "\u00a0", "une ligne assez longue pour être coupée\n", "漢字", "\u200f"}
	dice := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var b strings.Builder
		for range dice.IntN(60) {
			b.WriteString(pieces[dice.IntN(len(pieces))])
		}
		text, most := b.String(), 12+dice.IntN(60)
		parts := Split(text, most)
		if strings.Join(parts, "") != text {
			t.Fatalf("%q at %d is not whole: %q", text, most, parts)
		}
		whole := map[int]bool{0: true} // where characters begin, in bytes
		at := 0
		for g := uniseg.NewGraphemes(text); g.Next(); {
			at += len(g.Str())
			whole[at] = true
		}
		at = 0
		for _, p := range parts {
			if n := len([]rune(p)); n > most || n == 0 {
				t.Fatalf("%q at %d: a part of %d", text, most, n)
			}
			if at += len(p); !whole[at] {
				t.Fatalf("%q at %d cuts a character: %q", text, most, parts)
			}
		}
	}
	if got := Split("", 10); got != nil {
		t.Errorf("nothing makes %q", got)
	}
	if got := Split(strings.Repeat("\u0301", 30), 10); len(got) != 3 {
		t.Errorf("one endless character makes %d parts", len(got))
	}
}

func TestTablesOnAPhone(t *testing.T) {
	narrow := Table{Columns: []string{"Nœud", "CPU"}, Rows: [][]string{{"`node-1`", "100m / 2"}, {"é", ""}}}
	if code, ok := narrow.ForPhone().(Code); !ok || code.Text != "Nœud    CPU\nnode-1  100m / 2\né" {
		t.Errorf("%#v", narrow.ForPhone())
	}
	wide := Table{Columns: []string{"Pod", "État", "Nœud"}, Rows: [][]string{{"`web-7c5d9f-abcde`", "ContainerCreating", "`node-1`"}, {"`b`", "", "–"}}}
	text, ok := wide.ForPhone().(Text)
	if !ok {
		t.Fatalf("%#v", wide.ForPhone())
	}
	want := "• [i Pod] [bc web-7c5d9f-abcde]\n[i État] ContainerCreating · [i Nœud] [c node-1]\n• [i Pod] [bc b]\n[i Nœud] –\n"
	if got := spelled(text.Markdown); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	for n := 1; n < 60; n++ {
		table := Table{Columns: []string{"a"}, Rows: [][]string{{strings.Repeat("x", n)}}}
		if code, ok := table.ForPhone().(Code); ok && ansi.StringWidth(strings.Split(code.Text, "\n")[1]) > phoneWidth {
			t.Errorf("%d columns are shown as they are", n)
		} else if ok != (n <= phoneWidth) {
			t.Errorf("%d columns: %v", n, fmt.Sprintf("%T", table.ForPhone()))
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"# a\n- b\n> c", "**x", "```\n", "<@1>", "a\x00b", "|\\|", "- - - a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		Markdown(source) // takes anything apart
		if s := Inline(source); len(s) == 0 && len(strings.Fields(source)) > 0 && strings.Trim(source, "\x00 \t\n\r") != "" && !strings.ContainsAny(source, "\\<>&[]`*_-#~=") {
			t.Errorf("%q says nothing", source)
		}
	})
}
