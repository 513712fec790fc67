package slack

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"timonier/bot"
)

// sayer says one of the tutor's sentences in the person's language.
type sayer func(id string, data map[string]any) string

// render is a reply as a message within every limit, and the files that go with it, in
// the order of the reply. What does not fit in the message is in the last of the files, which
// holds all of it, and the message says so.
func render(r bot.Reply, say sayer) (message, []upload) {
	p := page{say: say}
	for _, b := range r.Blocks {
		p.block(b)
	}
	for _, f := range r.Files {
		p.uploads = append(p.uploads, upload{Name: f.Name, Type: f.Type, Data: f.Data})
	}
	actions, rest := buttons(r)
	list := p.toType(rest)
	if r.Menu != nil {
		choosing, lines := p.menu(*r.Menu)
		list, actions = join(lines, list), join(choosing, actions)
	}
	m := message{Text: fallback(r)}
	if all := join(p.blocks, list, actions); fits(all, mostBlocks) {
		m.Blocks = all
		return m, p.uploads
	}
	name := say("slack.render.file", nil)
	p.uploads = append(p.uploads, upload{Name: name, Type: "text/markdown", Data: []byte(whole(r))})
	m.Blocks = shortened(p.blocks, join(sentence(say("slack.render.more", map[string]any{"File": name})), actions), mostBlocks)
	return m, p.uploads
}

// fits says that blocks are within the limits of a message.
func fits(blocks []block, most int) bool { return len(blocks) <= most && cost(blocks...) <= mostInAll }

func join(all ...[]block) []block {
	out := []block{}
	for _, blocks := range all {
		out = append(out, blocks...)
	}
	return out
}

// shortened is as many of the blocks as there is room for before a tail.
func shortened(blocks, tail []block, most int) []block {
	n, left := 0, mostInAll-cost(tail...)
	for n < len(blocks) && n+len(tail) < most {
		if left -= cost(blocks[n]); left < 0 {
			break
		}
		n++
	}
	for n > 0 && (blocks[n-1].Type == "header" || blocks[n-1].Type == "divider") {
		n-- // of what does not follow
	}
	return join(blocks[:n], tail)
}

// sentence is one of the tutor's as blocks.
func sentence(markdown string) []block {
	var c column
	c.markdown(markdown, false)
	return c.all()
}

// page is a reply under way.
type page struct {
	say     sayer
	blocks  []block
	uploads []upload
}

func (p *page) block(b bot.Block) {
	var c column
	switch b := b.(type) {
	case bot.Title:
		text := strings.Trim(inert(oneLine(b.Text)), " ")
		if strings.TrimSpace(text) == "" {
			return
		}
		if length(text) <= mostHeader {
			p.blocks = append(p.blocks, block{Type: "header", Text: plain(text)})
			return
		}
		c.passage(bot.Passage{Kind: bot.Heading, Spans: []bot.Span{{Text: text}}})
	case bot.Text:
		c.markdown(b.Markdown, false)
	case bot.Quote:
		c.markdown(b.Markdown, true)
	case bot.Code:
		c.preformatted(b.Text, false)
	case bot.Table:
		p.block(b.ForPhone())
	case bot.Meter:
		c.passage(bot.Passage{Spans: []bot.Span{{Text: meter(b)}}})
	case bot.Picture:
		p.picture(b)
	case bot.Until:
		p.blocks = append(p.blocks, untilOf(b)...)
	case bot.Divider:
		p.blocks = append(p.blocks, block{Type: "divider"})
	}
	p.blocks = append(p.blocks, c.all()...)
}

// meter is a bar that fits beside its label on a phone.
func meter(m bot.Meter) string {
	const cells = 10
	full := 0
	if m.Total > 0 {
		full = min(cells, max(0, m.Done*cells/m.Total))
	}
	return strings.TrimRight(strings.Repeat("▓", full)+strings.Repeat("░", cells-full)+" "+oneLine(m.Label), " ")
}

// widestDrawing is how many characters a drawing may be wide that is shown instead of a picture.
const widestDrawing = 60

// picture stands for an upload where there is one; without, it is drawn or said.
func (p *page) picture(b bot.Picture) {
	var c column
	alt := strings.Trim(inert(b.Alt), " \n")
	if drawing := strings.Trim(b.Text, "\n"); drawing != "" && (alt == "" || ansi.StringWidth(widestLine(drawing)) <= widestDrawing) {
		c.preformatted(drawing, false)
	} else {
		if alt == "" {
			alt = b.Name
		}
		c.passage(bot.Passage{Spans: []bot.Span{{Text: alt, Italic: true}}})
	}
	words := c.all()
	if len(b.PNG) == 0 {
		p.blocks = append(p.blocks, words...)
		return
	}
	if alt == "" {
		alt = b.Name
	}
	p.uploads = append(p.uploads, upload{Name: b.Name, Type: "image/png", Alt: cut(alt, mostUploadAlt), Data: b.PNG, Picture: true})
	if len(words) != 1 || length(alt) > mostAlt { // more than the picture's own words can say
		p.blocks = append(p.blocks, words...)
		words = sentence("*" + b.Name + "*")
	}
	if len(words) != 1 {
		return
	}
	words[0].picture, words[0].alt = len(p.uploads), cut(alt, mostAlt)
	p.blocks = append(p.blocks, words[0])
}

func widestLine(text string) string {
	widest := ""
	for line := range strings.SplitSeq(text, "\n") {
		if ansi.StringWidth(line) > ansi.StringWidth(widest) {
			widest = line
		}
	}
	return widest
}

// buttons are a reply's as actions blocks, each line once, and those that Slack's buttons cannot carry.
// What a form is for can be pressed too.
func buttons(r bot.Reply) (actions []block, rest []bot.Button) {
	all := r.Buttons
	if r.Prompt != nil {
		all = append(all[:len(all):len(all)], bot.Button{Label: cmp.Or(r.Prompt.Button, r.Prompt.Title), Line: r.Prompt.Line, Style: bot.Primary})
	}
	seen, left := map[string]bool{}, mostInButtons
	for i, b := range all {
		if seen[b.Line] {
			continue
		}
		seen[b.Line] = true
		token, ok := bot.Token(b.Line)
		label := strings.Trim(inert(oneLine(b.Label)), " ")
		if label == "" {
			label = inert(oneLine(b.Line))
		}
		e := button{Type: "button", Text: *plain(cut(label, mostLabel)), ActionID: fmt.Sprintf("line:%d", i), Value: token, Style: style(b.Style)}
		if left -= cost(block{Type: "actions", Elements: []any{e}}); !ok || left < 0 {
			rest = append(rest, b)
			continue
		}
		if length(label) > mostLabel {
			rest = append(rest, b)
		}
		if n := len(actions); n == 0 || len(actions[n-1].Elements) == mostElements {
			actions = append(actions, block{Type: "actions"})
		}
		last := &actions[len(actions)-1]
		last.Elements = append(last.Elements, e)
	}
	return actions, rest
}

func style(s bot.Style) string {
	switch s {
	case bot.Primary:
		return "primary"
	case bot.Danger:
		return "danger"
	}
	return ""
}

// toType lists lines that are to be typed.
func (p *page) toType(list []bot.Button) []block {
	if len(list) == 0 {
		return nil
	}
	var c column
	c.markdown(p.say("slack.render.type", nil), false)
	for _, b := range list {
		var spans []bot.Span
		if label := oneLine(b.Label); label != "" {
			spans = append(spans, bot.Span{Text: label + " "})
		}
		c.passage(bot.Passage{Depth: 1, Mark: "•", Spans: append(spans, bot.Span{Text: b.Line, Code: true})})
	}
	return c.all()
}
