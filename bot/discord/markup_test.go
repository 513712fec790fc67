package discord

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"timonier/bot"
)

func TestEscape(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"kube_system *et* `code` ~~non~~ ||secret||", "kube\\_system \\*et\\* \\`code\\` \\~\\~non\\~\\~ \\|\\|secret\\|\\|"},
		{"# titre", `\# titre`},
		{"  - élément", `  \- élément`},
		{"-# petit", `\-# petit`},
		{"12. douze", `12\. douze`},
		{"> cité", `\> cité`},
		{"a > b - c # d 1. e", "a > b - c # d 1. e"},
		{"@everyone @here @Ève", "@\u200beveryone @\u200bhere @Ève"},
		{"<@1> <@&1> <#1> </cmd:1> <t:1> <:e:1> <a:e:1> <id:home> <pod>", "<\u200b@1> <\u200b@&1> <\u200b#1> <\u200b/cmd:1> <\u200bt:1> <\u200b:e:1> <\u200ba:e:1> <\u200bid:home> <pod>"},
		{"[clic](https://x.ca)", `\[clic\](https://x.ca)`},
		{"voir https://x.ca/a_b.", "voir https://x.ca/a_b."},
		{"https://x.ca/a*b_c", `https:\//x.ca/a\*b\_c`},
		{"https://x.ca/@everyone", "https:\\//x.ca/@\u200beveryone"},
		{"(https://x.ca)*", `(https:\//x.ca)\*`},
		{`C:\dir`, `C:\\dir`},
		{"50\u00a0% « oui »", "50\u00a0% « oui »"},
	} {
		if got := escape(c.text, true, ""); got != c.want {
			t.Errorf("%q is written %q, want %q", c.text, got, c.want)
		}
	}
}

func TestCodeSpan(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"get pods", "`get pods`"},
		{"a`b", "``a`b``"},
		{"`a`", "`` `a` ``"},
		{"a``b", "``a`\u200b`b``"},
		{"```", "`` `\u200b`\u200b` ``"},
	} {
		if got := codeSpan(c.text); got != c.want {
			t.Errorf("%q is written %q, want %q", c.text, got, c.want)
		}
	}
}

func TestFence(t *testing.T) {
	for _, c := range []struct{ language, text, want string }{
		{"yaml", "a: 1\n", "```yaml\na: 1\n```"},
		{"", "x ``` y", "```\nx `\u200b`\u200b` y\n```"},
		{"un deux", "x", "```\nx\n```"},
		{"", "\n  x", "```\n\u200b\n  x\n```"},
		{"yaml", " \n", ""},
		{"", "cours\u00a0:\u00a0rien", "```\ncours\u00a0:\u00a0rien\n```"},
	} {
		if got := fence(c.language, c.text); got != c.want {
			t.Errorf("%q is written %q, want %q", c.text, got, c.want)
		}
	}
}

// samples are Markdown texts, and what they are to Discord.
var samples = []struct{ name, markdown, want string }{
	{"styles", "**gras** *italique* ***les deux*** `code`", "**gras** *italique* ***les deux*** `code`"},
	{"marks that touch", "**a***b*", "**a**\u200b*b*"},
	{"code in bold", "**le `pod` a*b**", "**le** **`pod`** **a\\*b**"},
	{"code with a star in bold", "**le `a*b`**", "**le** `a*b`"},
	{"link", "[le guide](https://x.ca/a(b)) et [ici](course.md)", "[le guide](https://x.ca/a%28b%29) et ici (course.md)"},
	{"link named by another", "[https://a.ca](https://b.ca)", "https://a.ca (https://b.ca)"},
	{"no script", "[x](javascript:alert)", "x (javascript:alert)"},
	{"nested list", "Avant\n\n1. un\n   - deux\n     - trois\n2. quatre\n\n   suite", "Avant\n1. un\n  - deux\n    - trois\n2. quatre\n  suite"},
	{"quote", "> a\n>\n> b\\\n> c", "> a\n> \n> b\n> c"},
	{"code in a quote", "> ```\n> x\n> ```", "> ```\n> x\n> ```"},
	{"line breaks", "un\\\n\\# deux", "un\n\\# deux"},
	{"HTML is text", "a <b>c</b> <@12>", "a <b>c<\u200b/b> <\u200b@12>"},
	{"mention by entities", "&lt;@12&gt; &#64;everyone", "<\u200b@12> @\u200beveryone"},
	{"spoiler", "||non||", `\|\|non\|\|`},
}

func TestMarkdownBecomesDiscords(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			if got := (part{passages: passagesOf(s.markdown, false)}).text(); got != s.want {
				t.Errorf("is\n%s\nwant\n%s", got, s.want)
			}
		})
	}
}

// FuzzMarkup reads what was written as Discord reads it, and finds each span's text again.
func FuzzMarkup(f *testing.F) {
	for _, s := range samples {
		f.Add(s.markdown)
	}
	for _, s := range []string{
		"a`", "``` ` ```", "*\u00a0*a*\u00a0*", "**a** **b**", "- - - x", "1) x", "\\<@1>", "https://x.ca/**b**", "**https://x.ca**b", "*a*`b`**c**",
		"> - ```\n>   a\n>   ```", "```\n```` \n```", "\u202eabc\u202c \u200b\u200d👩‍👩‍👧", "¯\\_(ツ)_/¯", "<https://a.ca>", "[a]b](https://x.ca)", "[**g**`c`](https://x.ca)",
		"[a](<https://x y>)", "# # a", "***a** b*", "a\\\n\\\n> b", "[ ](https://x.ca)", "![image](https://x.ca/a.png)", "0. zéro", "[\\](http://a)", "-\n\n  x", "**`a\\`**",
		"<@**1**>", "@*every*one", "*a https://x.ca/b_c*d", "`` a` ``", "-     code", "https://x.ca/](http://y)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		for _, p := range passagesOf(source, false) {
			checkPassage(t, p)
		}
	})
}

func checkPassage(t *testing.T, p passage) {
	t.Helper()
	text := p.markup()
	if p.moment != "" {
		var ok bool
		if text, ok = strings.CutSuffix(text, p.moment); !ok {
			t.Errorf("%q has no moment at its end", text)
		}
		text = strings.TrimRight(text, " ")
	}
	want := squeezed(clean(p.Text))
	links := false
	var each []string
	for _, s := range p.Spans {
		each = append(each, squeezed(clean(s.Text)))
		links = links || s.Link != ""
	}
	want += strings.Join(each, "")
	if p.Kind == bot.Rule {
		return
	}
	if text == "" {
		if want != "" {
			t.Errorf("nothing is written of %q", want)
		}
		return
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if p.Quoted && !strings.HasPrefix(line, "> ") {
			t.Errorf("line %q of a quotation", line)
		}
		if p.Quoted {
			lines[i] = strings.TrimPrefix(line, "> ")
		}
	}
	text = strings.Join(lines, "\n")
	if mark := strings.ReplaceAll(p.Mark, "•", "-"); p.Kind == bot.Prose && mark != "" {
		var ok bool
		if text, ok = strings.CutPrefix(strings.TrimLeft(text, " "), mark+" "); !ok {
			t.Errorf("%q is not marked %q", text, mark)
		}
	} else if p.Kind == bot.Heading {
		text = strings.TrimPrefix(text, "### ")
	} else if p.Kind == bot.Preformatted && p.Mark != "" {
		_, text, _ = strings.Cut(text, "\n")
	}
	seen, err := asRead(text)
	if err != nil {
		t.Errorf("%v in %q", err, text)
		return
	}
	if seen = squeezed(seen); !links && seen != want {
		t.Errorf("%q is read as %q, want %q", text, seen, want)
	}
	for _, s := range each {
		_, after, ok := strings.Cut(seen, s)
		if !ok {
			t.Errorf("%q is not read in %q", s, text)
		}
		seen = after
	}
}

// squeezed is text without blanks and what is not seen.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\u200b' {
			return -1
		}
		return r
	}, s)
}

var (
	blockStart  = regexp.MustCompile(`(?m)^[ \t]*(#{1,3}\s|-#\s|[-*+]\s|>{1,3}\s|\d+\.\s)`)
	urlRead     = regexp.MustCompile(`^https?://[^\s\pZ\x{feff}<]+`)
	urlTail     = regexp.MustCompile(`[<.,:;"')\]\s]+$`)
	linkRead    = regexp.MustCompile(`^\[((?:\\.|[^\[\]\\])*)\]\(([^\s()\\]*)\)`)
	mentionRead = regexp.MustCompile(`@everyone|@here|<@[!&]?\d+>|<#\d+>|</[^\n]+:\d+>|<t:-?\d+(:\w)?>|<a?:\w+:\d+>|<id:\w+>`)
	emphasis    = regexp.MustCompile(`^\*{1,3}`)
)

// asRead is what Discord shows of a text: a reader of its own, made of the rules of
// Discord's clients. What could be markup and is none of ours is an error.
func asRead(s string) (string, error) {
	var out, prose strings.Builder
	open := ""
	for s != "" {
		switch {
		case len(s) > 1 && s[0] == '\\' && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s[1]) >= 0:
			out.WriteByte(s[1])
			prose.WriteString("\x00")
			s = s[2:]
		case strings.HasPrefix(s, "```"):
			body, rest, ok := strings.Cut(s[3:], "```")
			_, body, ok2 := strings.Cut(body, "\n")
			if !ok || !ok2 || strings.TrimSpace(body) == "" {
				return "", fmt.Errorf("a block of code that is none")
			}
			out.WriteString(body)
			prose.WriteString("\n")
			s = rest
		case s[0] == '`':
			marks := s[:len(s)-len(strings.TrimLeft(s, "`"))]
			body, rest, ok := cutRun(s[len(marks):], marks)
			if !ok {
				return "", fmt.Errorf("code without an end")
			}
			out.WriteString(body)
			prose.WriteString("\x00")
			s = rest
		case urlRead.MatchString(s):
			url := urlRead.FindString(s)
			url = url[:len(url)-len(urlTail.FindString(url))]
			if strings.ContainsAny(url, "*`|\\") && !strings.HasSuffix(url, open) {
				return "", fmt.Errorf("address %s with marks in it", url)
			}
			if open != "" {
				url, _, _ = strings.Cut(url, "*")
			}
			out.WriteString(url)
			prose.WriteString(url)
			s = s[len(url):]
		case linkRead.MatchString(s):
			m := linkRead.FindStringSubmatch(s)
			if !strings.HasPrefix(m[2], "http://") && !strings.HasPrefix(m[2], "https://") {
				return "", fmt.Errorf("link to %s", m[2])
			}
			label, err := asRead(m[1])
			if err != nil {
				return "", err
			}
			out.WriteString(label)
			prose.WriteString("\x00")
			s = s[len(m[0]):]
		case s[0] == '*':
			marks := emphasis.FindString(s)
			switch {
			case open == "" && len(s) > len(marks) && !unicode.IsSpace(first(s[len(marks):])):
				open = marks
			case open == marks:
				open = ""
			default:
				return "", fmt.Errorf("emphasis that does not match")
			}
			prose.WriteString("\x00")
			s = s[len(marks):]
		case strings.IndexByte("_~|[", s[0]) >= 0:
			return "", fmt.Errorf("an unescaped %c", s[0])
		default:
			r := first(s)
			n := len(string(r))
			if r == unicode.ReplacementChar {
				n = len("\ufffd")
			}
			out.WriteString(s[:n])
			prose.WriteString(s[:n])
			s = s[n:]
		}
	}
	switch {
	case open != "":
		return "", fmt.Errorf("emphasis without an end")
	case mentionRead.MatchString(prose.String()):
		return "", fmt.Errorf("mention %s", mentionRead.FindString(prose.String()))
	case blockStart.MatchString(prose.String()):
		return "", fmt.Errorf("block %q", blockStart.FindString(prose.String()))
	}
	return out.String(), nil
}

func first(s string) rune {
	c, _ := utf8.DecodeRuneInString(s)
	return c
}

// cutRun cuts at a run of backquotes that is as long as marks.
func cutRun(s, marks string) (before, after string, ok bool) {
	for i := 0; i < len(s); {
		n := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if n == len(marks) {
			return s[:i], s[i+n:], i > 0
		}
		i += max(1, n)
	}
	return "", "", false
}
