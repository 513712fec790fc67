package terminal

import (
	"bufio"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"timonier/bot"
)

// FuzzReply: whatever a learner's text is, wherever in a reply it comes back, it commands no terminal, turns no text
// around, and stays within the width.
func FuzzReply(f *testing.F) {
	for _, s := range []string{"a\x1b[2J", "\x1b]0;x\x07", "\u009b31m", "&#27;[2J", "`\x1b[1m`", "[a](http://x/\x1b]8;;y)", "\u202eabc", "| a | b |", "- a\n  - b", "漢字 a", "\x00\x7f", "<script>", "a\tb", strings.Repeat("x", 300), "\u200b\u2066", "**a", "```\nb"} {
		f.Add(s, uint8(40))
	}
	f.Fuzz(func(t *testing.T, s string, width uint8) {
		columns := 20 + int(width)
		r := bot.Reply{
			Blocks: []bot.Block{bot.Title{Text: s}, bot.Text{Markdown: s}, bot.Code{Text: s}, bot.Quote{Markdown: s}, bot.Meter{Label: s, Total: 2}, bot.Picture{Alt: s, Text: s},
				bot.Table{Columns: []string{s, "b"}, Rows: [][]string{{s, s}}}},
			Buttons: []bot.Button{{Label: s, Line: "/aide"}}, Files: []bot.File{{Name: s}}, Menu: &bot.Menu{Label: s, Choices: []bot.MenuChoice{{Value: "A", Label: s}}},
		}
		words := func(id string) string { return id }
		plain := printer{width: columns, styles: plainStyles(), words: words}.reply(r)
		if i := strings.IndexFunc(plain, commands); i >= 0 || !utf8.ValidString(plain) {
			t.Errorf("%q comes back as %q", s, plain)
		}
		// Of what styles add, no more than colours and links is left of what the same text has without them.
		styled := printer{width: columns, styles: colourStyles(), words: words}.reply(r)
		if i := strings.IndexFunc(ansi.Strip(styled), commands); i >= 0 {
			t.Errorf("%q comes back, in colours, as %q", s, styled)
		}
	})
}

// commands says of a character that a terminal may take it for a command, or turn the text around for it.
func commands(r rune) bool {
	return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// FuzzScript: whatever comes through a pipe ends, and is read as lines and texts that lose nothing but what bounds cut.
func FuzzScript(f *testing.F) {
	for _, s := range []string{"/aide\n", "/kubectl apply -f -\na: b\n.\n/aide", "# x\n\n\n/x\r\n", "\x00", "/", "//\n/é", strings.Repeat("a", 5000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := bufio.NewReader(strings.NewReader(s))
		size := 0
		for n := 0; ; n++ {
			line, more, err := nextCommand(r)
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			if strings.Contains(line, "\n") || strings.TrimSpace(line) == "" || n > len(s) {
				t.Fatalf("line %d: %q", n, line)
			}
			text, err := readText(r)
			if err != nil {
				t.Fatal(err)
			}
			size += len(line) + len(text)
			chosen(line, bot.Reply{Buttons: []bot.Button{{Label: "1", Line: "/aide"}}, Prompt: &bot.Prompt{Line: "/x", Short: true}})
			quits(line)
		}
		if size > len(s)+2 {
			t.Errorf("%d bytes are read of %d", size, len(s))
		}
	})
}
