package slack

import (
	"strings"
	"testing"
	"unicode/utf8"

	"timonier/bot"
)

func TestTyped(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "kubectl get pods": "kubectl get pods",
		"a &amp;&amp; b &lt;c&gt;": "a && b <c>",
		"&amp;lt;":                 "&lt;",
		"<http://nginx.example|nginx.example>:1.25":          "nginx.example:1.25",
		"image: <http://ghcr.io/a/b|ghcr.io/a/b>:v1":         "image: ghcr.io/a/b:v1",
		"<https://x.io/?a=1&amp;b=2>":                        "https://x.io/?a=1&b=2",
		"<https://x.io/?a=1&amp;b=2|x.io/?a=1&amp;b=2>":      "x.io/?a=1&b=2",
		"<mailto:ana@x.io|ana@x.io> <tel:+15145550100|5550>": "ana@x.io 5550",
		"<mailto:ana@x.io>":                                  "mailto:ana@x.io",
		"<@U1|ana> <@W2>":                                    "<@U1> <@W2>",
		"<#C1|classe> <#C2> <#C3|>":                          "#classe <#C2> <#C3>",
		"<!channel> <!here|here> <!everyone>":                "@channel @here @everyone",
		"<!subteam^S1|@profs> <!subteam^S2>":                 "<@&S1> <@&S2>",
		"<!date^1392734382^{date}|18 février>":               "18 février",
		"```\nkind: Pod # &lt;x&gt;\n```":                    "```\nkind: Pod # <x>\n```",
		"“smart” – 10\u00a0%":                                "“smart” – 10\u00a0%",
		"<none> < x <a|b>":                                   "<none> < x <a|b>",
		"<https://x.io|un\nmot>":                             "<https://x.io|un\nmot>",
		"&lt;!channel&gt; &lt;@U1&gt;":                       "<!channel> <@U1>",
	} {
		if got := typed(in); got != want {
			t.Errorf("%q:\n got %q\nwant %q", in, got, want)
		}
	}
}

func FuzzTyped(f *testing.F) {
	for _, s := range []string{"a & b < c > d &amp;", "<@U1|x>", "<http://x|y>", "&lt;&amp;lt;", "<!subteam^", "<#|>", "\xff<"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typed(s) // whatever it is
		if got := typed(escape(s)); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	})
}

func FuzzMarkup(f *testing.F) {
	say := french(f)
	for _, s := range []string{
		"**a** *b* `c` [d](https://e.io)", "- a\n  1. b\n\n     c\n- d", "> a\n> - b\n> ```\n> c", "<!channel> <@U1>", "0. a\n1. b", "1. ```\n   x\n   ```",
		"a\u00a0b\u200bc", "---", "# x", "<b>x</b>", "[x](http://<!here>)", strings.Repeat("- x\n", 500), strings.Repeat("**x**y", 900), "`" + strings.Repeat("&", 4000) + "`", "\xff", "\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := bot.Reply{Blocks: []bot.Block{bot.Text{Markdown: s}, bot.Quote{Markdown: s}, bot.Code{Text: s}, bot.Title{Text: s}}}
		m, uploads := render(r, say)
		check(t, m)
		for _, u := range uploads {
			if !utf8.Valid(u.Data) {
				t.Error("the file is not text")
			}
		}
		if len(uploads) > 0 {
			return
		}
		read := bare(strings.Join(texts(decoded(t, m)["blocks"]), ""))
		for _, p := range bot.Markdown(strings.ToValidUTF8(s, "\ufffd")) {
			for _, span := range p.Spans {
				if want := bare(span.Text); !strings.Contains(read, want) {
					t.Errorf("%q is not in %q", want, read)
				}
			}
			if want := bare(p.Text); !strings.Contains(read, want) {
				t.Errorf("%q is not in %q", want, read)
			}
		}
	})
}
