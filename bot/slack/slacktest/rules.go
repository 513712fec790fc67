package slacktest

import (
	"reflect"
	"unicode/utf8"
)

// Limits of Block Kit, in characters or items.
//
// https://docs.slack.dev/reference/block-kit/blocks
// https://docs.slack.dev/reference/block-kit/block-elements
// https://docs.slack.dev/reference/block-kit/composition-objects
const (
	mostID            = 255 // block_id, action_id, callback_id
	mostMessageBlocks = 50
	mostViewBlocks    = 100
	mostSection       = 3000
	mostField         = 2000
	mostHeader        = 150
	mostButton        = 75
	mostValue         = 2000 // of a button
	mostURL           = 3000
	mostAlt           = 2000
	mostMarkdown      = 12000 // over all markdown blocks
	mostLabel         = 2000  // of an input, and its hint
	mostInput         = 3000
	mostOption        = 75
	mostOptionValue   = 150
	mostPlaceholder   = 150
	mostTableRows     = 100
	mostTableColumns  = 20
	mostTableText     = 10000 // over all cells
	mostTitle         = 24    // of a view, and of its buttons
	mostMetadata      = 3000
)

// everywhere is all surfaces.
const everywhere = "message modal home"

// blockRule is what a block may hold, and where it may stand.
type blockRule struct {
	surfaces string
	fields   shape
	whole    func(c *checker, at string, block map[string]any) // what no field alone shows
}

// elementRule is what an element may hold, and the blocks it may stand in: accessory of a
// section, actions, input, context.
type elementRule struct {
	in     string
	fields shape
	whole  func(c *checker, at string, element map[string]any)
}

// rules are the tables. They are made at Start: some of them refer to each other.
type rules struct {
	blocks   map[string]blockRule
	elements map[string]elementRule
	rich     map[string]shape // parts of rich text
	inline   map[string]shape // runs in those parts
	modal    shape
	home     shape
}

func newRules() *rules {
	return &rules{blocks: blockRules(), elements: elementRules(), rich: richRules(), inline: inlineRules(), modal: modalFields(), home: homeFields()}
}

// with adds what every block, or every element, has to what one has of its own.
func with(common, fields shape) shape {
	for name, check := range common {
		if fields[name] == nil {
			fields[name] = check
		}
	}
	return fields
}

func anything(*checker, string, any) {}

func blockRules() map[string]blockRule {
	block := func(fields shape) shape {
		return with(shape{"type*": anything, "block_id": characters(1, mostID)}, fields)
	}
	return map[string]blockRule{
		"section": {everywhere, block(shape{
			"text": text(mostSection), "fields": list(1, 10, text(mostField)),
			"accessory": element("accessory"), "expand": boolean,
		}), func(c *checker, at string, b map[string]any) {
			if b["text"] == nil && b["fields"] == nil {
				c.bad(at, "missing required field: text or fields")
			}
		}},
		"header":  {everywhere, block(shape{"text*": plain(mostHeader)}), nil},
		"divider": {everywhere, block(shape{}), nil},
		"image":   {everywhere, block(with(imageFields(), shape{"title": plain(2000)})), oneSource},
		"context": {everywhere, block(shape{"elements*": list(1, 10, contextElement)}), nil},
		"actions": {everywhere, block(shape{"elements*": list(1, 25, element("actions"))}), nil},
		"input": {everywhere, block(shape{
			"label*": plain(mostLabel), "element*": element("input"), "hint": plain(mostLabel),
			"optional": boolean, "dispatch_action": boolean,
		}), nil},
		"rich_text": {everywhere, block(shape{"elements*": list(1, 1000, richPart)}), nil},
		"markdown":  {"message", block(shape{"text*": both(prose(1, mostMarkdown), markdownText)}), nil},
		"table": {"message", block(shape{
			"rows*": list(1, mostTableRows, list(1, mostTableColumns, tableCell)),
			"column_settings": list(0, mostTableColumns, object(shape{
				"align": oneOf("left", "center", "right"), "is_wrapped": boolean,
			})),
		}), func(c *checker, at string, b map[string]any) {
			c.tables++
			if n := lettersIn(b["rows"]); n > mostTableText {
				c.bad(at+"/rows", "must be less than %d characters over all cells", mostTableText+1)
			}
		}},
	}
}

func markdownText(c *checker, _ string, v any) {
	c.markdown += utf8.RuneCountInString(str(v))
	c.ping(str(v))
}

func contextElement(c *checker, at string, v any) {
	if str(dict(v)["type"]) == "image" {
		element("context")(c, at, v)
		return
	}
	text(mostSection)(c, at, v)
}

// tableCell is raw_text or rich_text: raw_number is documented, and has been refused.
func tableCell(c *checker, at string, v any) {
	if str(dict(v)["type"]) == "rich_text" {
		c.object(at, v, shape{"type*": anything, "elements*": list(1, 1000, richPart)})
		return
	}
	c.object(at, v, shape{"type*": oneOf("raw_text", "rich_text"), "text*": prose(1, mostTableText)})
}

// lettersIn counts the characters of all strings named text.
func lettersIn(v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n += lettersIn(e)
		}
	case map[string]any:
		for name, e := range v {
			if s, ok := e.(string); ok && name == "text" {
				n += utf8.RuneCountInString(s)
			} else {
				n += lettersIn(e)
			}
		}
	}
	return n
}

func imageFields() shape {
	return shape{
		"type*": anything, "alt_text*": prose(1, mostAlt), "image_url": characters(1, mostURL),
		"slack_file": func(c *checker, at string, v any) {
			m, ok := c.object(at, v, shape{"id": characters(1, mostID), "url": characters(1, mostURL)})
			if !ok {
				return
			}
			if problem := c.picture(str(m["id"]), str(m["url"])); problem != "" {
				c.bad(at, "%s", problem)
			}
		},
	}
}

// oneSource: an image has either a URL or a file.
func oneSource(c *checker, at string, m map[string]any) {
	if (m["image_url"] == nil) == (m["slack_file"] == nil) {
		c.bad(at, "must have one of image_url and slack_file")
	}
}

func elementRules() map[string]elementRule {
	act := func(fields shape) shape {
		return with(shape{"type*": anything, "action_id": named}, fields)
	}
	asked := func(fields shape) shape { // elements that take a choice
		return act(with(shape{"confirm": confirmation(), "focus_on_load": focused}, fields))
	}
	menu := func(fields shape) shape { return asked(with(shape{"placeholder": plain(mostPlaceholder)}, fields)) }
	const choice, multi, typed = "accessory actions input", "accessory input", "input"
	static := shape{"options": list(1, 100, option(false)), "option_groups": list(1, 100, object(shape{
		"label*": plain(mostOption), "options*": list(1, 100, option(false)),
	}))}
	return map[string]elementRule{
		"button": {"accessory actions", act(shape{
			"text*": plain(mostButton), "url": characters(1, mostURL), "value": characters(1, mostValue),
			"style": oneOf("primary", "danger"), "confirm": confirmation(), "accessibility_label": characters(1, 75),
		}), nil},
		"image":           {"accessory context", imageFields(), oneSource},
		"static_select":   {choice, menu(with(static, shape{"initial_option": option(false)})), oneMenu},
		"external_select": {choice, menu(shape{"initial_option": option(false), "min_query_length": integer(0, 100)}), nil},
		"users_select":    {choice, menu(shape{"initial_user": characters(1, mostID)}), nil},
		"channels_select": {choice, menu(shape{"initial_channel": characters(1, mostID), "response_url_enabled": boolean}), nil},
		"multi_static_select": {multi, menu(with(static, shape{
			"initial_options": list(1, 100, option(false)), "max_selected_items": integer(1, 100),
		})), oneMenu},
		"overflow":       {"accessory actions", act(shape{"options*": list(1, 5, option(true)), "confirm": confirmation()}), nil},
		"radio_buttons":  {choice, asked(shape{"options*": list(1, 10, choiceOption), "initial_option": choiceOption}), oneMenu},
		"checkboxes":     {choice, asked(shape{"options*": list(1, 10, choiceOption), "initial_options": list(1, 10, choiceOption)}), oneMenu},
		"datepicker":     {choice, menu(shape{"initial_date": characters(10, 10)}), nil},
		"timepicker":     {choice, menu(shape{"initial_time": characters(5, 5), "timezone": characters(1, mostID)}), nil},
		"datetimepicker": {"actions input", asked(shape{"initial_date_time": integer(1e9, 9999999999)}), nil},
		"plain_text_input": {typed, act(shape{
			"initial_value": characters(0, mostInput), "multiline": boolean,
			"min_length": integer(0, mostInput), "max_length": integer(1, mostInput),
			"dispatch_action_config": anything, "focus_on_load": focused, "placeholder": plain(mostPlaceholder),
		}), typedLength},
		"email_text_input": {typed, act(shape{"initial_value": characters(1, mostInput), "focus_on_load": focused, "placeholder": plain(mostPlaceholder)}), nil},
		"url_text_input":   {typed, act(shape{"initial_value": characters(1, mostInput), "focus_on_load": focused, "placeholder": plain(mostPlaceholder)}), nil},
		"number_input": {typed, act(shape{
			"is_decimal_allowed*": boolean, "initial_value": characters(1, mostID), "min_value": characters(1, mostID),
			"max_value": characters(1, mostID), "focus_on_load": focused, "placeholder": plain(mostPlaceholder),
		}), nil},
		"file_input": {typed, act(shape{"filetypes": list(1, 100, characters(1, 20)), "max_files": integer(1, 10)}),
			func(c *checker, at string, _ map[string]any) {
				if c.surface != "modal" {
					c.bad(at+"/type", "unsupported type: file_input in a %s", c.surface)
				}
			}},
	}
}

// option is one of a menu; in an overflow menu it may have a URL.
func option(overflow bool) check {
	return func(c *checker, at string, v any) {
		fields := shape{"text*": plain(mostOption), "value*": characters(1, mostOptionValue), "description": plain(mostOption)}
		if overflow {
			fields["url"] = characters(1, mostURL)
		}
		c.object(at, v, fields)
	}
}

// choiceOption is one of radio buttons or checkboxes, which may have mrkdwn.
func choiceOption(c *checker, at string, v any) {
	c.object(at, v, shape{"text*": text(mostOption), "value*": characters(1, mostOptionValue), "description": text(mostOption)})
}

// oneMenu: either options or groups of them, and initial ones that are among them.
func oneMenu(c *checker, at string, e map[string]any) {
	if (e["options"] == nil) == (e["option_groups"] == nil) {
		c.bad(at, "must have one of options and option_groups")
	}
	initial := array(e["initial_options"])
	if e["initial_option"] != nil {
		initial = append(initial, e["initial_option"])
	}
	for _, o := range initial {
		if chosen(e, str(dict(o)["value"])) == nil || !reflect.DeepEqual(chosen(e, str(dict(o)["value"])), o) {
			c.bad(at, "initial option is not among the options")
		}
	}
}

// chosen is the option of an element with the value, or nil.
func chosen(element map[string]any, value string) any {
	all := array(element["options"])
	for _, g := range array(element["option_groups"]) {
		all = append(all, array(dict(g)["options"])...)
	}
	for _, o := range all {
		if str(dict(o)["value"]) == value {
			return o
		}
	}
	return nil
}

func typedLength(c *checker, at string, e map[string]any) {
	least, _ := e["min_length"].(float64)
	most, ok := e["max_length"].(float64)
	if ok && least > most {
		c.bad(at+"/min_length", "must not be more than max_length")
	}
	if n := utf8.RuneCountInString(str(e["initial_value"])); ok && n > int(most) {
		c.bad(at+"/initial_value", "must be less than %d characters", int(most)+1)
	}
}

// confirmation is the dialog before a choice.
//
// https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
func confirmation() check {
	return object(shape{
		"title*": plain(100), "text*": text(300), "confirm*": plain(30), "deny*": plain(30), "style": oneOf("primary", "danger"),
	})
}
