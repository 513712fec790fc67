package slacktest

import "slices"

// richRules are the parts of a rich_text block.
//
// https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
func richRules() map[string]shape {
	border := integer(0, 1)
	return map[string]shape{
		"rich_text_section":      {"type*": anything, "elements*": list(0, 1000, run)},
		"rich_text_quote":        {"type*": anything, "elements*": list(0, 1000, run), "border": border},
		"rich_text_preformatted": {"type*": anything, "elements*": list(0, 1000, rawRun), "border": border, "language": characters(1, mostID)},
		"rich_text_list": {
			"type*": anything, "style*": oneOf("bullet", "ordered"), "indent": integer(0, 8), "border": border,
			"offset": integer(0, 10000), "elements*": list(1, 1000, func(c *checker, at string, v any) {
				if str(dict(v)["type"]) != "rich_text_section" {
					c.bad(at+"/type", "must be rich_text_section")
					return
				}
				richPart(c, at, v)
			}),
		},
	}
}

// inlineRules are what runs on in a line.
func inlineRules() map[string]shape {
	style := object(shape{"bold": boolean, "italic": boolean, "strike": boolean, "code": boolean, "underline": boolean})
	id := characters(1, mostID)
	return map[string]shape{
		"text":      {"type*": anything, "text*": prose(1, 40000), "style": style},
		"link":      {"type*": anything, "url*": characters(1, mostURL), "text": prose(1, 40000), "unsafe": boolean, "style": style},
		"emoji":     {"type*": anything, "name*": id, "unicode": id, "skin_tone": integer(1, 6), "style": style},
		"user":      {"type*": anything, "user_id*": id, "style": style},
		"usergroup": {"type*": anything, "usergroup_id*": id, "style": style},
		"channel":   {"type*": anything, "channel_id*": id, "style": style},
		"broadcast": {"type*": anything, "range*": oneOf("here", "channel", "everyone"), "style": style},
		"color":     {"type*": anything, "value*": characters(7, 7), "style": style},
		"date": {
			"type*": anything, "timestamp*": integer(0, 1<<40), "format*": characters(1, mostID),
			"url": characters(1, mostURL), "fallback": characters(1, mostURL), "style": style,
		},
	}
}

func richPart(c *checker, at string, v any) {
	kind := str(dict(v)["type"])
	fields, ok := c.rules.rich[kind]
	if !ok {
		c.bad(at+"/type", "unsupported type: %s in rich_text", kind)
		return
	}
	c.object(at, v, fields)
}

func run(c *checker, at string, v any) {
	kind := str(dict(v)["type"])
	fields, ok := c.rules.inline[kind]
	if !ok {
		c.bad(at+"/type", "unsupported type: %s in a line of rich_text", kind)
		return
	}
	if slices.Contains([]string{"user", "usergroup", "broadcast"}, kind) {
		c.pings = append(c.pings, string(encode(v)))
	}
	c.object(at, v, fields)
}

// rawRun is what preformatted text may hold.
func rawRun(c *checker, at string, v any) {
	if kind := str(dict(v)["type"]); kind != "text" && kind != "link" {
		c.bad(at+"/type", "unsupported type: %s in rich_text_preformatted", kind)
		return
	}
	run(c, at, v)
}
