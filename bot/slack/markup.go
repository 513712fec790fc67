package slack

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"timonier/bot"
)

// Text, code and quotations are written as rich_text, not as mrkdwn: Slack's markup has no
// escape for its own * _ ~ `, so that text would need invisible characters beside them, which
// people would then copy with a command. Rich text keeps every character, nests lists, and can
// notify nobody unless an element of it says so. Source:
// https://docs.slack.dev/reference/block-kit/blocks/rich-text-block

// column writes passages below each other, as rich_text blocks and dividers.
type column struct {
	blocks   []block
	elements []rich // of the block under way
	size     int    // of these
	number   int    // of the last item, where it was numbered
}

// element sizes: what the JSON around a text takes, at most.
const overhead = 60

func size(elements ...rich) int {
	total := 0
	for _, e := range elements {
		total += overhead + length(e.Text) + length(e.URL) + size(e.Elements...)
	}
	return total
}

// markdown writes a text; quoted: as a quotation.
func (c *column) markdown(source string, quoted bool) {
	for _, p := range bot.Markdown(strings.ToValidUTF8(source, "\ufffd")) {
		p.Quoted = p.Quoted || quoted
		c.passage(p)
	}
}

func (c *column) passage(p bot.Passage) {
	switch {
	case p.Kind == bot.Preformatted:
		if numbered(p.Mark) > 0 {
			c.prose(bot.Passage{Quoted: p.Quoted, Depth: p.Depth}, []rich{{Type: "text", Text: p.Mark}}, true)
		}
		c.preformatted(p.Text, p.Quoted)
		return
	case p.Kind == bot.Rule && !p.Quoted && p.Depth == 0:
		c.end()
		c.blocks = append(c.blocks, block{Type: "divider"})
		return
	case p.Kind == bot.Rule:
		p.Spans = []bot.Span{{Text: "———"}}
	case p.Kind == bot.Heading:
		for i := range p.Spans {
			p.Spans[i].Bold = true
		}
	}
	if p.Mark != "" && p.Mark != "•" && numbered(p.Mark) == 0 { // Slack's lists count from 1 up
		p.Spans = append([]bot.Span{{Text: p.Mark + " "}}, p.Spans...)
		p.Mark = ""
	}
	for i, part := range parts(p.Spans) {
		switch first := i == 0; {
		case first && p.Mark != "":
			c.item(p, part)
		case p.Depth > 0 && c.goesOn(part):
		default:
			c.prose(p, part, first)
		}
	}
}

// preformatted writes text whose columns and blanks count.
func (c *column) preformatted(text string, quoted bool) {
	text = inert(strings.Trim(text, "\n"))
	if strings.TrimSpace(text) == "" {
		return
	}
	for _, part := range split(text, mostText-2*overhead) {
		if part = strings.TrimSuffix(part, "\n"); part != "" {
			c.add(rich{Type: "rich_text_preformatted", Border: border(quoted), Elements: []rich{{Type: "text", Text: part}}})
		}
	}
}

// prose writes a paragraph, or what is left of a long one, below the paragraph before it.
func (c *column) prose(p bot.Passage, part []rich, first bool) {
	kind, gap := "rich_text_section", ""
	if p.Quoted {
		kind = "rich_text_quote"
	}
	last := len(c.elements) - 1
	if last >= 0 && first {
		switch c.elements[last].Type {
		case kind:
			gap = "\n\n"
		case "rich_text_list":
			gap = "\n"
		}
	}
	joins := last >= 0 && c.elements[last].Type == kind
	if gap != "" {
		part = append([]rich{{Type: "text", Text: gap}}, part...)
	}
	if joins && c.size+size(part...) <= mostText {
		c.elements[last].Elements = append(c.elements[last].Elements, part...)
		c.size += size(part...)
		return
	}
	e := rich{Type: kind, Elements: part}
	if gap != "" && c.size+size(e) > mostText { // it begins a block of its own
		e.Elements = part[1:]
	}
	c.add(e)
}

// item writes an item of a list, in the list that is under way where it belongs there.
func (c *column) item(p bot.Passage, part []rich) {
	list := rich{Type: "rich_text_list", Style: "bullet", Indent: min(p.Depth-1, mostIndent), Border: border(p.Quoted)}
	number := numbered(p.Mark)
	if number > 0 {
		list.Style, list.Offset = "ordered", number-1
	}
	section := rich{Type: "rich_text_section", Elements: part}
	if last := len(c.elements) - 1; last >= 0 {
		at := &c.elements[last]
		if at.Type == list.Type && at.Style == list.Style && at.Indent == list.Indent && at.Border == list.Border &&
			(number == 0 || number == c.number+1) && c.size+size(section) <= mostText {
			at.Elements = append(at.Elements, section)
			c.size += size(section)
			c.number = number
			return
		}
	}
	list.Elements = []rich{section}
	c.add(list)
	c.number = number
}

// goesOn adds to the last item of the list under way; false where there is none, or no room.
func (c *column) goesOn(part []rich) bool {
	last := len(c.elements) - 1
	if last < 0 || c.elements[last].Type != "rich_text_list" {
		return false
	}
	part = append([]rich{{Type: "text", Text: "\n"}}, part...)
	if c.size+size(part...) > mostText {
		return false
	}
	items := c.elements[last].Elements
	item := &items[len(items)-1]
	item.Elements = append(item.Elements, part...)
	c.size += size(part...)
	return true
}

func (c *column) add(e rich) {
	if c.size+size(e) > mostText {
		c.end()
	}
	c.elements = append(c.elements, e)
	c.size += size(e)
}

// end completes the block under way.
func (c *column) end() {
	if len(c.elements) > 0 {
		b := block{Type: "rich_text"}
		for _, e := range c.elements {
			b.Elements = append(b.Elements, e)
		}
		c.blocks = append(c.blocks, b)
	}
	c.elements, c.size = nil, 0
}

// all is everything written.
func (c *column) all() []block {
	c.end()
	return c.blocks
}

// parts are spans as elements of rich text, in parts that are each small enough for a block.
func parts(spans []bot.Span) [][]rich {
	const room = mostText - 4*overhead
	var all [][]rich
	var part []rich
	for _, s := range spans {
		for _, e := range inline(s, room) {
			if size(part...)+size(e) > room && len(part) > 0 {
				all, part = append(all, part), nil
			}
			part = append(part, e)
		}
	}
	if len(part) > 0 {
		all = append(all, part)
	}
	return all
}

// inline is a span as a text or a link; a long one as several.
func inline(s bot.Span, room int) []rich {
	var style any
	if s.Bold || s.Italic || s.Code {
		style = &textStyle{Bold: s.Bold, Italic: s.Italic, Code: s.Code}
	}
	text, link := inert(s.Text), linkable(s.Link)
	if s.Link != "" && link == "" && s.Link != s.Text {
		text += inert(" (" + s.Link + ")")
	}
	var out []rich
	for _, part := range split(text, room-overhead-length(link)) {
		switch {
		case part == "":
		case link != "":
			out = append(out, rich{Type: "link", URL: link, Text: part, Style: style})
		default:
			out = append(out, rich{Type: "text", Text: part, Style: style})
		}
	}
	return out
}

// linkable is the target of a link if it is a page on the web, else nothing.
func linkable(target string) string {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
		length(target) > mostURL/3 || mention.MatchString(target) || strings.ContainsAny(target, " |<>\n") {
		return ""
	}
	return target
}

// numbered is the number of an item's mark; 0 for a bullet, or one that Slack cannot count to.
func numbered(mark string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(mark, "."))
	if err != nil || n < 1 || n > 10000 {
		return 0
	}
	return n
}

func border(quoted bool) int {
	if quoted {
		return 1
	}
	return 0
}

// encoded is what Slack puts in angle brackets: mentions, and links that it has made.
var encoded = regexp.MustCompile(`<([@#!]|(?:https?|ftp|mailto|tel|slack):)([^<>|\n]*)(?:\|([^<>\n]*))?>`)

// typed is what a person typed, from how Slack sends it: links are the text again, & < >
// themselves. A person stays <@U1>, and a group of people is <@&S1>, as the tutor knows them.
//
// Source: https://docs.slack.dev/messaging/formatting-message-text
func typed(text string) string {
	var b strings.Builder
	end := 0
	for _, m := range encoded.FindAllStringSubmatchIndex(text, -1) {
		label, named := "", m[6] >= 0
		if named {
			label = decodes.Replace(text[m[6]:m[7]])
		}
		b.WriteString(decodes.Replace(text[end:m[0]]))
		b.WriteString(decode(text[m[2]:m[3]], decodes.Replace(text[m[4]:m[5]]), label, named))
		end = m[1]
	}
	b.WriteString(decodes.Replace(text[end:]))
	return b.String()
}

var decodes = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// decode is what was typed for one of Slack's brackets: its first characters, what
// follows them, and what is shown for it.
func decode(kind, rest, label string, named bool) string {
	group, isGroup := strings.CutPrefix(rest, "subteam^")
	switch {
	case kind == "@":
		return "<@" + rest + ">"
	case kind == "!" && isGroup:
		return "<@&" + group + ">"
	case kind == "#" && named && label != "":
		return "#" + strings.TrimPrefix(label, "#")
	case kind == "#":
		return "<#" + rest + ">"
	case kind == "!" && strings.HasPrefix(rest, "date^") && named:
		return label
	case kind == "!":
		return "@" + rest
	case named && label != "":
		return label
	}
	return kind + rest
}
