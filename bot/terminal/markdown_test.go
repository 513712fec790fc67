package terminal

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestMarkdown(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"paragraphs", "Un.\nDeux.\n\nTrois.", "Un. Deux.\n\nTrois."},
		{"hard break", "Un.  \nDeux.", "Un.\nDeux."},
		{"list", "- un\n- deux\n  encore", "• un\n• deux encore"},
		{"numbers", "9. neuf\n10. dix", "9. neuf\n10. dix"},
		{"a list in a list", "- un\n  - deux", "• un\n  • deux"},
		{"long item", "- " + strings.Repeat("mot ", 12), "• mot mot mot mot mot mot mot mot mot\n  mot mot mot"},
		{"marks", "**gras**, *italique*, `code`", "gras, italique, code"},
		{"marks across a break", "un **gras qui passe à la ligne suivante** ici", "un gras qui passe à la ligne suivante\nici"},
		{"link", "[etcd](https://etcd.io)", "etcd (https://etcd.io)"},
		{"bare link", "<https://etcd.io>", "https://etcd.io"},
		{"escapes", `5 \* 3 &lt; 16 &amp; \<none\>`, "5 * 3 < 16 & <none>"},
		{"no escapes in code", "`a\\*b &amp;`", `a\*b &amp;`},
		{"what is no tag", "la colonne <none> reste", "la colonne <none> reste"},
		{"quote", "> un\n>\n> deux", "│ un\n│ \n│ deux"},
		{"heading", "# Titre", "Titre"},
		{"fence", "```yaml\na:  1\n```", "a:  1"},
		{"no-break space", "50\u00a0%\u00a0: oui", "50\u00a0%\u00a0: oui"},
		{"nothing", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := ansi.Strip(printer{width: 38, styles: colourStyles()}.markdown(test.source, 38)); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// TestStylesEndWithTheirLine: a border beside bold text that is broken is not bold.
func TestStylesEndWithTheirLine(t *testing.T) {
	got := printer{width: 20, styles: colourStyles()}.quote("un **gras qui passe à la ligne** ici")
	for line := range strings.SplitSeq(got, "\n") {
		if strings.Count(line, "\x1b[1m") > strings.Count(line, "\x1b[m") {
			t.Errorf("%q", line)
		}
	}
}

func TestCellsThatAreNoMarkdown(t *testing.T) {
	p := printer{width: 80, styles: plainStyles()}
	for _, cell := range []string{"-", "1.", "# 3", "10.244.1.2", "<none>", "a | b", ""} {
		if got := p.inline(cell); got != cell {
			t.Errorf("%q became %q", cell, got)
		}
	}
}
