package slack

import (
	"encoding/json"
	"slices"
	"strings"

	"timonier/bot"
)

// What a menu's parts are named. The block's name has the menu's line in it: whoever has chosen
// something keeps it while the message is changed, and not in another question's menu.
const (
	menuBlock  = "menu:"
	menuChoose = "menu"
	menuSend   = "menu:send"
)

// menu is a menu as blocks, and what of it is to be read: choices too long for an option, or all
// of them where a message cannot carry the menu.
func (p *page) menu(m bot.Menu) (blocks, lines []block) {
	if len(m.Choices) == 0 {
		return nil, nil
	}
	blocks, ok := p.choosing(m)
	var c column
	if !ok {
		c.passage(bot.Passage{Spans: []bot.Span{{Text: m.Label, Bold: true}, {Text: "\n"}, {Text: m.Line + " …", Code: true}}})
	}
	for _, choice := range m.Choices {
		if name := nameOf(choice); !ok || length(name) > mostOption {
			c.passage(bot.Passage{Depth: 1, Mark: "•", Spans: []bot.Span{{Text: name}}})
		}
	}
	return blocks, c.all()
}

// choosing are the blocks in which several are chosen and sent, or one, which is sent at once;
// false where Slack takes no such thing.
func (p *page) choosing(m bot.Menu) ([]block, bool) {
	token, ok := bot.Token(m.Line)
	label := strings.Trim(inert(oneLine(m.Label)), " ")
	if !ok || len(m.Choices) > mostInMenu || strings.TrimSpace(m.Line) == "" || length(label) > mostText {
		return nil, false
	}
	if label == "" {
		label = p.say("slack.menu.choose", nil)
	}
	_, most := m.Bounds()
	e := menu{Type: "multi_static_select", ActionID: menuChoose, Most: most, Placeholder: plain(cut(p.say("slack.menu.choose", nil), mostMenuValue))}
	if most == 1 {
		e.Type, e.Most = "static_select", 0
	}
	var values []string
	for _, choice := range m.Choices {
		line, ok := bot.Picked(m.Line, []string{choice.Value})
		if !ok || slices.Contains(values, choice.Value) {
			return nil, false
		}
		values = append(values, choice.Value)
		value := choice.Value
		if most == 1 {
			if value, ok = bot.Token(line); !ok {
				return nil, false
			}
		}
		if length(value) > mostMenuValue {
			return nil, false
		}
		e.Options = append(e.Options, option{Text: *plain(cut(nameOf(choice), mostOption)), Value: value})
	}
	blocks := []block{{Type: "section", BlockID: menuBlock + m.Line, Text: plain(label), Accessory: e}}
	if most > 1 {
		send := button{Type: "button", Text: *plain(cut(p.say("slack.menu.send", nil), mostLabel)), ActionID: menuSend, Value: token, Style: "primary"}
		blocks = append(blocks, block{Type: "actions", Elements: []any{send}})
	}
	return blocks, cost(blocks...) <= mostInButtons
}

// nameOf is a choice in one line.
func nameOf(c bot.MenuChoice) string {
	label := strings.Trim(inert(oneLine(c.Label)), " ")
	if label == "" || label == c.Value {
		return c.Value
	}
	return c.Value + " · " + label
}

// chosenIn are the values that a person has chosen in the menu of a line, from the state of a
// message.
func chosenIn(state json.RawMessage, line string) (values []string) {
	var s struct {
		Values map[string]map[string]struct {
			Selected []struct {
				Value string `json:"value"`
			} `json:"selected_options"`
		} `json:"values"`
	}
	if json.Unmarshal(state, &s) != nil {
		return nil
	}
	for _, o := range s.Values[menuBlock+line][menuChoose].Selected {
		values = append(values, o.Value)
	}
	return values
}

// untilOf is a moment that is waited for, in each reader's own time zone.
//
// Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block (the date element)
func untilOf(u bot.Until) []block {
	date := rich{Type: "date", Timestamp: u.At.Unix(), Format: "{time_secs}", Fallback: u.When()}
	var c column
	label, line := strings.Trim(inert(oneLine(u.Label)), " "), []rich{date}
	switch {
	case length(label) > mostText/2:
		c.passage(bot.Passage{Spans: []bot.Span{{Text: label}}})
	case label != "":
		line = []rich{{Type: "text", Text: label + " "}, date}
	}
	c.end()
	c.add(rich{Type: "rich_text_section", Elements: line})
	return c.all()
}

// momentOf is the same in plain words.
func momentOf(u bot.Until) string {
	return strings.TrimLeft(oneLine(u.Label)+" "+u.When(), " ")
}
