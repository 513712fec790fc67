package discord

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"timonier/bot"
)

// Discord's Markdown has its own rules, which its clients apply with regular expressions:
// every punctuation mark can be escaped; `` ` `` and ``` `` ``` open code in a line, three
// of them always a block; # - * 1. > and -# mean something at a line's beginning only.

// passage is one of the tutor's passages, as it is written here.
type passage struct {
	bot.Passage
	language string // of Preformatted
	moment   string // Discord's own mark for a moment, after the spans
}

// unseen is a zero-width space: it keeps marks apart that would mean something together.
const unseen = "\u200b"

// deepest is as far as Discord indents lists.
const deepest = 8

// markup writes a passage; empty where there is nothing to see in it.
func (p passage) markup() string {
	body := p.body()
	if strings.TrimSpace(body) == "" {
		return ""
	}
	if p.Quoted {
		body = "> " + strings.ReplaceAll(body, "\n", "\n> ")
	}
	return body
}

func (p passage) body() string {
	mark, indent := p.mark()
	switch p.Kind {
	case bot.Heading:
		title := strings.TrimSpace(strings.ReplaceAll(inline(p.Spans, ""), "\n", " "))
		if title == "" {
			return ""
		}
		return "### " + title
	case bot.Preformatted:
		code := fence(p.language, p.Text)
		if p.Mark != "" && code != "" { // a block stands at the line's beginning, whatever is around it
			code = escape(p.Mark, true, "") + "\n" + code
		}
		return code
	case bot.Rule:
		return strings.Repeat("─", 20)
	}
	text := inline(p.Spans, indent)
	if p.moment != "" {
		text = strings.TrimLeft(text+" "+p.moment, " ")
	}
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return mark + text
}

// untilOf is a moment that is waited for: the reader's client says how far off it is, and
// counts down by itself.
//
// Source: https://docs.discord.com/developers/reference#message-formatting-timestamp-styles
func untilOf(u bot.Until) passage {
	p := prose(bot.Prose, bot.Span{Text: strings.TrimSpace(u.Label)}).passages[0]
	p.moment = fmt.Sprintf("<t:%d:R>", u.At.Unix())
	return p
}

// mark is what stands before a passage's first line, and what before the others.
func (p passage) mark() (first, others string) {
	if p.Depth == 0 {
		return "", ""
	}
	outer := strings.Repeat("  ", min(p.Depth, deepest)-1)
	switch p.Mark {
	case "":
		return outer + "  ", outer + "  "
	case "•":
		return outer + "- ", outer + "  "
	}
	return outer + p.Mark + " ", outer + strings.Repeat(" ", len(p.Mark)+1)
}

// between is what stands between two passages of one text.
func between(a, b passage) string {
	switch {
	case a.Kind == bot.Heading || a.Kind == bot.Preformatted || b.Kind == bot.Preformatted || b.Depth > 0:
		return "\n"
	case a.Quoted && b.Quoted:
		return "\n> \n"
	}
	return "\n\n"
}

// inline writes spans; indent stands before each line but the first.
func inline(spans []bot.Span, indent string) string {
	var w spanWriter
	for i, line := range lines(spans) {
		if i > 0 {
			w.b.WriteString("\n" + indent)
		}
		w.begun, w.marked = false, false
		line = tidy(line)
		for j, s := range line {
			next := ""
			if j+1 < len(line) {
				next = line[j+1].Text
			}
			w.span(s, next)
		}
	}
	return w.b.String()
}

// lines are spans cut at the ends of lines, so that no mark spans two.
func lines(spans []bot.Span) [][]bot.Span {
	all := [][]bot.Span{nil}
	for _, s := range spans {
		if s.Code {
			s.Text = strings.ReplaceAll(s.Text, "\n", " ")
		}
		for i, text := range strings.Split(clean(s.Text), "\n") {
			if i > 0 {
				all = append(all, nil)
			}
			if s.Text = text; text != "" {
				all[len(all)-1] = append(all[len(all)-1], s)
			}
		}
	}
	return all
}

// tidy joins spans that look the same. Blanks have no look of their own, and no span
// begins or ends with one: Discord takes no mark that has a blank inside.
func tidy(spans []bot.Span) []bot.Span {
	var out []bot.Span
	add := func(s bot.Span, text string) {
		if text == "" {
			return
		}
		s.Text = ""
		if n := len(out); n > 0 {
			last := out[n-1]
			if last.Text = ""; last == s {
				out[n-1].Text += text
				return
			}
		}
		s.Text = text
		out = append(out, s)
	}
	for _, s := range spans {
		if s.Code {
			if strings.TrimSpace(s.Text) == "" {
				s.Code = false
			} else if strings.ContainsAny(s.Text, `*\`) { // it would end the mark around it
				s.Bold, s.Italic = false, false
			}
		}
		if s.Code || s == (bot.Span{Text: s.Text}) {
			add(s, s.Text)
			continue
		}
		head := len(s.Text) - len(strings.TrimLeftFunc(s.Text, unicode.IsSpace))
		tail := max(head, len(strings.TrimRightFunc(s.Text, unicode.IsSpace)))
		add(bot.Span{}, s.Text[:head])
		add(s, s.Text[head:tail])
		add(bot.Span{}, s.Text[tail:])
	}
	return out
}

// spanWriter writes the spans of a line.
type spanWriter struct {
	b      strings.Builder
	begun  bool // something other than blanks stands in the line
	marked bool // the last character ends a mark
}

func (w *spanWriter) span(s bot.Span, next string) {
	stars := ""
	if s.Italic {
		stars = "*"
	}
	if s.Bold {
		stars += "**"
	}
	text := w.text(s, next)
	if w.marked && (stars != "" || s.Code) {
		w.b.WriteString(unseen)
	}
	w.b.WriteString(stars + text + stars)
	w.begun = w.begun || strings.TrimSpace(s.Text) != ""
	w.marked = stars != "" || s.Code
}

// text is a span's own text, or the link it is.
func (w *spanWriter) text(s bot.Span, next string) string {
	start := !w.begun && !s.Bold && !s.Italic
	address, ok := webTarget(s.Link)
	switch {
	case ok && s.Text != s.Link && !strings.Contains(s.Text, "://") && !strings.ContainsAny(s.Text, "[]"):
		label := escape(s.Text, false, "")
		if s.Code {
			label = codeSpan(s.Text)
		}
		return "[" + label + "](" + address + ")"
	case s.Link != "" && s.Text != s.Link && s.Link != "mailto:"+s.Text:
		if s.Code {
			return codeSpan(s.Text) + escape(" ("+clean(s.Link)+")", false, next)
		}
		return escape(s.Text+" ("+clean(s.Link)+")", start, next)
	case s.Code:
		return codeSpan(s.Text)
	}
	return escape(s.Text, start, next)
}

// webAddress is an address that needs no escaping: nothing in it is markup to Discord,
// which makes a link of it.
var webAddress = regexp.MustCompile(`^https?://[A-Za-z0-9\-._~:/?#!$&'+,;=%]*`)

// webTarget is a link's address as it stands between parentheses; false where it is none of the Web.
func webTarget(link string) (string, bool) {
	if !strings.HasPrefix(link, "http://") && !strings.HasPrefix(link, "https://") {
		return "", false
	}
	var b strings.Builder
	for _, c := range []byte(link) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("()<>[]{}`*\\|\"^@", c) >= 0 {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// What a learner's text must not become.
var (
	everyone   = regexp.MustCompile(`^@(?i:everyone|here)`)
	mention    = regexp.MustCompile(`^<(?:[@#/:]|[A-Za-z]+:)`) // <@1> <#1> </cmd:1> <:emoji:1> <t:1> <id:home> <https:
	listNumber = regexp.MustCompile(`^[0-9]+\.`)
)

// escape writes text so that it is read as it was typed. start says that a line begins
// with it; next is what follows it in the line.
func escape(text string, start bool, next string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		rest := text[i:]
		if address := webAddress.FindString(rest); address != "" {
			if joins := word(rest[len(address):] + next); strings.ContainsAny(joins, "\\*_~`|[]@") || len(rest) == len(address) && joins != "" {
				// Discord would take what follows for a part of the address, with its escapes.
				i += strings.Index(address, "//") + 1
				b.WriteString(address[:strings.Index(address, "//")] + `\/`)
			} else {
				b.WriteString(address)
				i += len(address)
			}
			start = false
			continue
		}
		c, size := utf8.DecodeRuneInString(rest)
		switch {
		case strings.ContainsRune("\\*_~`|[]", c), start && strings.ContainsRune("#-+>", c):
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '@' && everyone.MatchString(rest), c == '<' && mention.MatchString(rest):
			b.WriteRune(c)
			b.WriteString(unseen)
		case start && listNumber.MatchString(rest):
			number := listNumber.FindString(rest)
			b.WriteString(number[:len(number)-1] + `\.`)
			size = len(number)
		default:
			b.WriteRune(c)
		}
		start = start && unicode.IsSpace(c)
		i += size
	}
	return b.String()
}

// word is a text up to the first blank.
func word(text string) string {
	if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) && r != '\u0085' || r == '<' }); i >= 0 {
		return text[:i]
	}
	return text
}

var (
	twoOrMore   = regexp.MustCompile("``+")
	threeOrMore = regexp.MustCompile("```+")
)

// apart puts something that is not seen between backquotes.
func apart(run string) string { return strings.Join(strings.Split(run, ""), unseen) }

// codeSpan is code within a line. Three backquotes would open a block: two are all there can be.
func codeSpan(text string) string {
	if !strings.Contains(text, "`") {
		return "`" + text + "`"
	}
	text = twoOrMore.ReplaceAllStringFunc(text, apart)
	if strings.HasPrefix(text, "`") {
		text = " " + text
	}
	if strings.HasSuffix(text, "`") {
		text += " "
	}
	return "``" + text + "``"
}

// fence is a block of code; empty where there is nothing in it, of which Discord makes no block.
func fence(language, text string) string {
	text = strings.TrimRight(clean(text), "\n")
	if strings.TrimSpace(text) == "" {
		return ""
	}
	if text[0] == '\n' { // Discord leaves empty lines out at the beginning
		text = unseen + text
	}
	if !plainLanguage.MatchString(language) {
		language = ""
	}
	return "```" + language + "\n" + threeOrMore.ReplaceAllStringFunc(text, apart) + "\n```"
}

var plainLanguage = regexp.MustCompile(`^[a-z0-9]+$`)

// clean is text as any platform takes it: valid, with newlines alone at the ends of
// lines, and no control characters.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (r < ' ' || r == 0x7f) {
			return '\ufffd'
		}
		return r
	}, text)
}
