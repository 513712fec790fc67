package slacktest

import (
	"fmt"
	"strings"
	"testing"
)

func button(id string) fields {
	return fields{"type": "button", "text": plainly("Suite"), "action_id": id}
}

func add(f fields, name string, v any) fields {
	c := fields{}
	for k, w := range f {
		c[k] = w
	}
	c[name] = v
	return c
}

func actions(elements ...any) fields { return fields{"type": "actions", "elements": elements} }

func opt(i int) any { return fields{"text": plainly("o"), "value": fmt.Sprint(i)} }

func rich(parts ...any) fields { return fields{"type": "rich_text", "elements": parts} }

func line(runs ...any) fields {
	return fields{"type": "rich_text_section", "elements": append([]any{}, runs...)}
}

func cell(int) any { return fields{"type": "raw_text", "text": "x"} }

func table(rows, columns int) fields {
	return fields{"type": "table", "rows": times(rows, func(int) any { return times(columns, cell) })}
}

func sel(n int) fields {
	return fields{"type": "static_select", "action_id": "s", "placeholder": plainly("…"), "options": times(n, opt)}
}

func input(e fields) fields { return fields{"type": "input", "label": plainly("L"), "element": e} }

func typed(name string, v any) fields {
	return input(fields{"type": "plain_text_input", "action_id": "t", name: v})
}

// limits pairs what is just allowed with what is just not.
var limits = []struct {
	name    string
	surface string // message if empty
	good    any
	bad     any
	says    string
}{
	{"section", "", section(é(3000)), section(é(3001)), "less than 3001"},
	{"section empty", "", section("x"), section(""), "more than 0"},
	{"section nothing", "", section("x"), fields{"type": "section"}, "text or fields"},
	{"fields", "", fields{"type": "section", "fields": times(10, func(int) any { return mrkdwn("x") })},
		fields{"type": "section", "fields": times(11, func(int) any { return mrkdwn("x") })}, "no more than 10"},
	{"field", "", fields{"type": "section", "fields": []any{mrkdwn(é(2000))}}, fields{"type": "section", "fields": []any{mrkdwn(é(2001))}}, "less than 2001"},
	{"header", "", fields{"type": "header", "text": plainly(é(150))}, fields{"type": "header", "text": plainly(é(151))}, "less than 151"},
	{"header plain", "", fields{"type": "header", "text": plainly("x")}, fields{"type": "header", "text": mrkdwn("x")}, "must be one of plain_text"},
	{"actions", "", actions(times(25, func(i int) any { return button(fmt.Sprint(i)) })...),
		actions(times(26, func(i int) any { return button(fmt.Sprint(i)) })...), "no more than 25"},
	{"context", "", fields{"type": "context", "elements": times(10, func(int) any { return mrkdwn("x") })},
		fields{"type": "context", "elements": times(11, func(int) any { return mrkdwn("x") })}, "no more than 10"},
	{"button text", "", actions(add(button("a"), "text", plainly(é(75)))), actions(add(button("a"), "text", plainly(é(76)))), "less than 76"},
	{"button value", "", actions(add(button("a"), "value", é(2000))), actions(add(button("a"), "value", é(2001))), "less than 2001"},
	{"button url", "", actions(add(button("a"), "url", é(3000))), actions(add(button("a"), "url", é(3001))), "less than 3001"},
	{"button style", "", actions(add(button("a"), "style", "danger")), actions(add(button("a"), "style", "default")), "primary, danger"},
	{"action id", "", actions(button(é(255))), actions(button(é(256))), "less than 256"},
	{"action ids", "", actions(button("a"), button("b")), actions(button("a"), button("a")), "already exists"},
	{"block id", "", add(section("x"), "block_id", é(255)), add(section("x"), "block_id", é(256)), "less than 256"},
	{"options", "", actions(sel(100)), actions(sel(101)), "no more than 100"},
	{"option text", "", actions(add(sel(0), "options", []any{fields{"text": plainly(é(75)), "value": "v"}})),
		actions(add(sel(0), "options", []any{fields{"text": plainly(é(76)), "value": "v"}})), "less than 76"},
	{"option value", "", actions(add(sel(0), "options", []any{fields{"text": plainly("x"), "value": é(150)}})),
		actions(add(sel(0), "options", []any{fields{"text": plainly("x"), "value": é(151)}})), "less than 151"},
	{"initial option", "", actions(add(sel(2), "initial_option", opt(1))), actions(add(sel(2), "initial_option", opt(2))), "not among"},
	{"placeholder", "", actions(add(sel(1), "placeholder", plainly(é(150)))), actions(add(sel(1), "placeholder", plainly(é(151)))), "less than 151"},
	{"radio", "", actions(fields{"type": "radio_buttons", "options": times(10, opt)}), actions(fields{"type": "radio_buttons", "options": times(11, opt)}), "no more than 10"},
	{"checkboxes", "", actions(fields{"type": "checkboxes", "options": times(10, opt)}), actions(fields{"type": "checkboxes", "options": times(11, opt)}), "no more than 10"},
	{"overflow", "", actions(fields{"type": "overflow", "options": times(5, opt)}), actions(fields{"type": "overflow", "options": times(6, opt)}), "no more than 5"},
	{"alt text", "", fields{"type": "image", "image_url": "https://x/y.png", "alt_text": é(2000)}, fields{"type": "image", "image_url": "https://x/y.png", "alt_text": é(2001)}, "less than 2001"},
	{"alt text is due", "", fields{"type": "image", "image_url": "https://x/y.png", "alt_text": "a"}, fields{"type": "image", "image_url": "https://x/y.png"}, "missing required field: alt_text"},
	{"image title", "", fields{"type": "image", "image_url": "u", "alt_text": "a", "title": plainly(é(2000))}, fields{"type": "image", "image_url": "u", "alt_text": "a", "title": plainly(é(2001))}, "less than 2001"},
	{"image source", "", fields{"type": "image", "image_url": "u", "alt_text": "a"}, fields{"type": "image", "alt_text": "a"}, "one of image_url"},
	{"image file", "", fields{"type": "image", "image_url": "u", "alt_text": "a"}, fields{"type": "image", "alt_text": "a", "slack_file": fields{"id": "F0"}}, "invalid slack file"},
	{"markdown", "", fields{"type": "markdown", "text": é(12000)}, fields{"type": "markdown", "text": é(12001)}, "less than 12001"},
	{"rows", "", table(100, 1), table(101, 1), "no more than 100"},
	{"columns", "", table(1, 20), table(1, 21), "no more than 20"},
	{"cell", "", table(1, 1), fields{"type": "table", "rows": []any{[]any{fields{"type": "raw_text", "text": ""}}}}, "more than 0"},
	{"cells", "", fields{"type": "table", "rows": []any{[]any{fields{"type": "raw_text", "text": é(10000)}}}},
		fields{"type": "table", "rows": []any{[]any{fields{"type": "raw_text", "text": é(5001)}, fields{"type": "raw_text", "text": é(5000)}}}}, "over all cells"},
	{"rich text", "", rich(line(fields{"type": "text", "text": "x", "style": fields{"bold": true}})), rich(line(fields{"type": "text", "text": "x", "style": fields{"bald": true}})), "unknown field"},
	{"rich text run", "", rich(line(fields{"type": "link", "url": "https://x"})), rich(line(fields{"type": "strong", "text": "x"})), "unsupported type: strong"},
	{"rich text part", "", rich(line()), rich(fields{"type": "text", "text": "x"}), "unsupported type: text"},
	{"rich text list", "", rich(fields{"type": "rich_text_list", "style": "bullet", "indent": 0, "border": 0, "offset": 0, "elements": []any{line()}}),
		rich(fields{"type": "rich_text_list", "style": "disc", "elements": []any{line()}}), "bullet, ordered"},
	{"preformatted", "", rich(fields{"type": "rich_text_preformatted", "elements": []any{fields{"type": "text", "text": "x"}}}),
		rich(fields{"type": "rich_text_preformatted", "elements": []any{fields{"type": "emoji", "name": "x"}}}), "unsupported type: emoji"},
	{"emoji flag", "", fields{"type": "header", "text": add(plainly("x"), "emoji", true)}, section("x")["text"].(fields), "unsupported type"},
	{"mrkdwn has no emoji flag", "", section("x"), fields{"type": "section", "text": add(mrkdwn("x"), "emoji", true)}, "unknown field"},
	{"unknown field", "", section("x"), add(section("x"), "colour", "red"), "unknown field"},
	{"unknown block", "", section("x"), fields{"type": "chapter"}, "unsupported type: chapter"},
	{"unknown element", "", actions(button("a")), actions(fields{"type": "lever", "action_id": "a"}), "unsupported type: lever"},
	{"element in its place", "", actions(button("a")), fields{"type": "context", "elements": []any{button("a")}}, "must be one of plain_text"},
	{"confirm", "", actions(add(button("a"), "confirm", fields{"title": plainly(é(100)), "text": mrkdwn(é(300)), "confirm": plainly(é(30)), "deny": plainly("n")})),
		actions(add(button("a"), "confirm", fields{"title": plainly(é(101)), "text": mrkdwn("x"), "confirm": plainly("y"), "deny": plainly("n")})), "less than 101"},
	{"label", "modal", add(typed("multiline", true), "label", plainly(é(2000))), add(typed("multiline", true), "label", plainly(é(2001))), "less than 2001"},
	{"max_length", "modal", typed("max_length", 3000), typed("max_length", 3001), "from 1 to 3000"},
	{"initial value", "modal", typed("initial_value", é(3000)), typed("initial_value", é(3001)), "less than 3001"},
	{"max_files", "modal", input(fields{"type": "file_input", "action_id": "f", "max_files": 10}), input(fields{"type": "file_input", "action_id": "f", "max_files": 11}), "from 1 to 10"},
	{"file_input", "home", typed("multiline", true), input(fields{"type": "file_input", "action_id": "f"}), "unsupported type: file_input"},
	{"markdown in a modal", "modal", section("x"), fields{"type": "markdown", "text": "x"}, "unsupported type: markdown"},
	{"table in a home tab", "home", section("x"), table(1, 1), "unsupported type: table"},
	{"focus", "modal", typed("focus_on_load", true), typed("focus_on_load", "yes"), "must be a boolean"},
}

func TestLimitsOfBlocks(t *testing.T) {
	s := open(t, Config{})
	for _, l := range limits {
		if a := publish(t, s, l.surface, l.good); a["ok"] != true {
			t.Errorf("%s: what is allowed is refused: %v", l.name, a)
		}
		before := len(s.Faults())
		a := publish(t, s, l.surface, l.bad)
		notes := fmt.Sprint(dict(a["response_metadata"])["messages"])
		if a["ok"] == true || !strings.Contains(notes, l.says) || !strings.Contains(notes, "json-pointer:/") {
			t.Errorf("%s: got %v, want a refusal that says %q", l.name, a, l.says)
		}
		if len(s.Faults()) != before+1 {
			t.Errorf("%s: the breach is not recorded", l.name)
		}
	}
}

// publish shows one block on a surface.
func publish(t *testing.T, s *Server, surface string, block any) fields {
	t.Helper()
	switch surface {
	case "modal":
		x, _, _, err := s.Encode(Shortcut{CallbackID: "x", User: "U1"})
		if err != nil {
			t.Fatal(err)
		}
		defer x.End()
		return call(t, s, "views.open", fields{"trigger_id": x.TriggerID, "view": fields{
			"type": "modal", "title": plainly("t"), "submit": plainly("ok"), "blocks": []any{block},
		}})
	case "home":
		return call(t, s, "views.publish", fields{"user_id": "U1", "view": fields{"type": "home", "blocks": []any{block}}})
	}
	return call(t, s, "chat.postMessage", fields{"channel": "C1", "text": "x", "blocks": []any{block}})
}

func TestLimitsOfMessages(t *testing.T) {
	s := open(t, Config{})
	msg := func(text any, blocks ...any) fields {
		return fields{"channel": "C1", "text": text, "blocks": blocks}
	}
	many := func(n int) []any { return times(n, func(int) any { return section("x") }) }
	long := func(n int) []any { return times(n, func(int) any { return section(é(3000)) }) }
	for _, c := range []struct {
		name, method string
		args         fields
		want         string
	}{
		{"50 blocks", "chat.postMessage", msg("x", many(50)...), ""},
		{"51 blocks", "chat.postMessage", msg("x", many(51)...), "invalid_blocks"},
		{"13,200 characters", "chat.postMessage", msg("x", append(long(4), section(é(1200)))...), ""},
		{"13,201 characters", "chat.postMessage", msg("x", append(long(4), section(é(1201)))...), "msg_blocks_too_long"},
		{"block IDs", "chat.postMessage", msg("x", add(section("x"), "block_id", "b"), add(section("x"), "block_id", "b")), "invalid_blocks"},
		{"two tables", "chat.postMessage", msg("x", table(1, 1), table(1, 1)), "invalid_blocks"},
		{"markdown together", "chat.postMessage", msg("x", fields{"type": "markdown", "text": é(6001)}, fields{"type": "markdown", "text": é(6000)}), "invalid_blocks"},
		{"a text", "chat.postMessage", msg(é(40000)), ""},
		{"a long text", "chat.postMessage", msg(é(40001)), "msg_too_long"},
		{"nothing", "chat.postMessage", fields{"channel": "C1"}, "no_text"},
		{"no blocks but a word", "chat.postMessage", fields{"channel": "C1", "blocks": "x"}, "invalid_blocks_format"},
		{"a text in JSON", "chat.postMessage", msg(7), "invalid_arguments"},
		{"no channel", "chat.postMessage", fields{"text": "x"}, "invalid_arguments"},
		{"unknown channel", "chat.postMessage", fields{"channel": "C9", "text": "x"}, "channel_not_found"},
		{"a channel without the bot", "chat.postMessage", fields{"channel": "C3", "text": "x"}, "not_in_channel"},
		{"a thread that is none", "chat.postMessage", fields{"channel": "C1", "text": "x", "thread_ts": "1.2"}, "thread_not_found"},
		{"an update that is long", "chat.update", fields{"channel": "C1", "ts": str(call(t, s, "chat.postMessage", msg("x"))["ts"]), "text": é(4001)}, "msg_too_long"},
		{"an update of nothing", "chat.update", fields{"channel": "C1", "ts": "1.2", "text": "x"}, "message_not_found"},
		{"a method that is none", "chat.postPicture", fields{}, "unknown_method"},
	} {
		t.Run(c.name, func(t *testing.T) { says(t, s, c.method, c.args, c.want) })
	}
	before := len(s.Faults())
	says(t, s, "chat.postMessage", fields{"channel": "C1", "blocks": many(1)}, "")
	if len(s.Faults()) != before+1 {
		t.Error("a message without a fallback text is no fault")
	}
	says(t, s, "chat.postMessage", fields{"channel": "C1", "text": "x", "colour": "red"}, "")
	faulty(t, s, "unknown argument colour")
}

func TestLimitsOfViews(t *testing.T) {
	s := open(t, Config{})
	modal := func(name string, v any) fields {
		return add(fields{"type": "modal", "title": plainly("t"), "submit": plainly("ok"), "blocks": []any{section("x")}}, name, v)
	}
	many := func(n int) []any { return times(n, func(int) any { return section("x") }) }
	for _, c := range []struct {
		name string
		good fields
		bad  fields
	}{
		{"blocks", modal("blocks", many(100)), modal("blocks", many(101))},
		{"title", modal("title", plainly(é(24))), modal("title", plainly(é(25)))},
		{"submit", modal("submit", plainly(é(24))), modal("submit", plainly(é(25)))},
		{"close", modal("close", plainly(é(24))), modal("close", plainly(é(25)))},
		{"private_metadata", modal("private_metadata", é(3000)), modal("private_metadata", é(3001))},
		{"callback_id", modal("callback_id", é(255)), modal("callback_id", é(256))},
		{"type", modal("type", "modal"), modal("type", "home")},
		{"field", modal("notify_on_close", true), modal("notify", true)},
		{"submit is due", modal("blocks", []any{typed("multiline", true)}), fields{"type": "modal", "title": plainly("t"), "blocks": []any{typed("multiline", true)}}},
	} {
		for i, view := range []fields{c.good, c.bad} {
			x, _, _, err := s.Encode(Shortcut{CallbackID: "x", User: "U1"})
			if err != nil {
				t.Fatal(err)
			}
			a := call(t, s, "views.open", fields{"trigger_id": x.TriggerID, "view": view})
			if (a["ok"] == true) != (i == 0) {
				t.Errorf("%s: %v", c.name, a)
			}
		}
	}
	if n := len(s.Faults()); n != 9 {
		t.Errorf("%d faults of 9", n)
	}
}

func TestPings(t *testing.T) {
	s := open(t, Config{})
	for _, text := range []string{"<!channel>", "hé <!here|here>", "<@U1>", "<!subteam^S1>"} {
		says(t, s, "chat.postMessage", fields{"channel": "C1", "text": "x", "blocks": []any{section(text)}}, "")
		says(t, s, "chat.postMessage", fields{"channel": "C1", "text": text}, "")
	}
	says(t, s, "chat.postMessage", fields{"channel": "C1", "text": "x", "blocks": []any{rich(line(fields{"type": "broadcast", "range": "here"}))}}, "")
	says(t, s, "chat.postMessage", fields{"channel": "C1", "text": "@channel", "link_names": true}, "")
	if n := len(s.Pings()); n != 10 {
		t.Errorf("%d pings of 10: %q", n, s.Pings())
	}
	says(t, s, "chat.postMessage", fields{"channel": "C1", "text": "&lt;!channel&gt; @here <https://x|<@>", "blocks": []any{
		fields{"type": "header", "text": plainly("<!channel>")},
	}}, "")
	if n := len(s.Pings()); n != 10 {
		t.Errorf("harmless texts are pings: %q", s.Pings()[10:])
	}
	sound(t, s)
}
