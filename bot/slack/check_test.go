package slack

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// A checker of what is sent to Slack, from its documentation and from nothing of the renderer:
// it reads the JSON.
//
// https://docs.slack.dev/reference/block-kit/blocks (and /block-elements, /composition-objects)
// https://docs.slack.dev/reference/views, https://docs.slack.dev/messaging/formatting-message-text

// pinging is what notifies people, or is filled in, where Slack reads its markup.
var pinging = regexp.MustCompile(`<(!channel|!here|!everyone|!subteam\^|@[UW]|#C)`)

type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// escapedLength counts characters as they are stored: & < > are written by name.
func escapedLength(s string) int {
	return utf8.RuneCountInString(stored.Replace(s))
}

var stored = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

type object = map[string]any

// decoded is what Slack reads.
func decoded(t testing.TB, v any) object {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// check fails the test for every rule that a message breaks.
func check(t testing.TB, m message) {
	t.Helper()
	o := decoded(t, m)
	var p problems
	p.fields("message", o, "text", "blocks", "unfurl_links", "unfurl_media")
	text, _ := o["text"].(string)
	if text == "" || utf8.RuneCountInString(text) > 3000 {
		p.add("fallback text of %d characters", utf8.RuneCountInString(text))
	}
	if strings.ContainsAny(text, "<>") || regexp.MustCompile(`&(?:$|[^alg])`).MatchString(text) {
		p.add("fallback text is not escaped: %q", text)
	}
	blocks, ok := o["blocks"].([]any)
	if !ok || len(blocks) > 50 {
		p.add("%d blocks", len(blocks))
	}
	if n := escapedLength(strings.Join(texts(blocks), "")); n > 12000 {
		p.add("%d characters over all blocks", n)
	}
	p.blocks(blocks, false)
	for _, problem := range p {
		t.Error(problem)
	}
}

// texts are all strings that are read, in order.
func texts(v any) []string {
	var all []string
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			all = append(all, texts(e)...)
		}
	case object:
		for _, key := range []string{"label", "text", "value", "hint", "alt_text", "elements", "element", "placeholder", "accessory", "options"} {
			if s, ok := v[key].(string); ok {
				all = append(all, s)
			} else {
				all = append(all, texts(v[key])...)
			}
		}
	}
	return all
}

func (p *problems) fields(at string, o object, allowed ...string) {
	for key := range o {
		if !slices.Contains(allowed, key) {
			p.add("%s: unknown field %s", at, key)
		}
	}
}

// carried is text that nobody reads.
func (p *problems) carried(at string, v any, most int) {
	s, ok := v.(string)
	if n := escapedLength(s); !ok || n == 0 || n > most {
		p.add("%s: %d characters of %d: %.40q", at, n, most, s)
	}
}

func (p *problems) text(at string, v any, most int) {
	p.carried(at, v, most)
	if s, _ := v.(string); pinging.MatchString(s) {
		p.add("%s: may notify: %q", at, s)
	}
}

func (p *problems) plain(at string, v any, most int) {
	o, _ := v.(object)
	p.fields(at, o, "type", "text")
	if o["type"] != "plain_text" {
		p.add("%s: type %v", at, o["type"])
	}
	p.text(at, o["text"], most)
}

func (p *problems) list(at string, v any, most int) []object {
	all, _ := v.([]any)
	if len(all) == 0 || len(all) > most {
		p.add("%s: %d elements of %d", at, len(all), most)
	}
	var out []object
	for _, e := range all {
		o, _ := e.(object)
		out = append(out, o)
	}
	return out
}

func (p *problems) blocks(blocks []any, modal bool) {
	actions, ids := map[any]bool{}, map[any]bool{}
	for i, v := range blocks {
		b, _ := v.(object)
		at := fmt.Sprintf("block %d, %v", i, b["type"])
		if id := b["block_id"]; id != nil {
			p.carried(at, id, 255)
			if ids[id] {
				p.add("%s: block_id twice", at)
			}
			ids[id] = true
		}
		switch b["type"] {
		case "divider":
			p.fields(at, b, "type")
		case "header":
			p.fields(at, b, "type", "text")
			p.plain(at, b["text"], 150)
		case "image":
			p.fields(at, b, "type", "slack_file", "alt_text")
			p.text(at, b["alt_text"], 2000)
			if file, _ := b["slack_file"].(object); file["id"] == "" || len(file) != 1 {
				p.add("%s: file %v", at, file)
			}
		case "actions":
			p.fields(at, b, "type", "elements")
			for _, e := range p.list(at, b["elements"], 25) {
				p.fields(at, e, "type", "text", "action_id", "value", "style")
				p.plain(at, e["text"], 75)
				p.carried(at, e["action_id"], 255)
				p.carried(at, e["value"], 2000)
				if e["type"] != "button" || e["style"] != nil && e["style"] != "primary" && e["style"] != "danger" || actions[e["action_id"]] {
					p.add("%s: button %v", at, e)
				}
				actions[e["action_id"]] = true
			}
		case "section":
			p.fields(at, b, "type", "block_id", "text", "accessory")
			p.plain(at, b["text"], 3000)
			accessory, _ := b["accessory"].(object)
			p.menu(at, accessory)
		case "rich_text":
			p.fields(at, b, "type", "elements")
			for _, e := range p.list(at, b["elements"], 1000) {
				p.rich(at, e, "rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
			}
			if n := escapedLength(strings.Join(texts(b), "")); n > 3000 {
				p.add("%s: %d characters", at, n)
			}
		case "input":
			if !modal {
				p.add("%s: in a message", at)
			}
			p.fields(at, b, "type", "block_id", "label", "hint", "element", "optional")
			p.plain(at, b["label"], 2000)
			p.input(at, b["element"])
			if b["hint"] != nil {
				p.plain(at, b["hint"], 2000)
			}
		default:
			p.add("%s: unknown type", at)
		}
	}
}

// rich checks a part of rich text, of one of the types that may stand there.
func (p *problems) rich(at string, e object, types ...string) {
	kind, _ := e["type"].(string)
	if !slices.Contains(types, kind) {
		p.add("%s: %q where %v may stand", at, kind, types)
	}
	switch kind {
	case "rich_text_list":
		p.fields(at, e, "type", "style", "indent", "offset", "border", "elements")
		if s := e["style"]; s != "bullet" && s != "ordered" {
			p.add("%s: list style %v", at, s)
		}
		if n, _ := e["indent"].(float64); n < 0 || n > 8 {
			p.add("%s: indent %v", at, n)
		}
		if n, _ := e["offset"].(float64); n < 0 {
			p.add("%s: offset %v", at, n)
		}
		for _, item := range p.list(at, e["elements"], 1000) {
			p.rich(at, item, "rich_text_section")
		}
	case "rich_text_preformatted", "rich_text_quote", "rich_text_section":
		if p.fields(at, e, "type", "elements", "border"); kind == "rich_text_section" && e["border"] != nil {
			p.add("%s: border of a section", at)
		}
		for _, run := range p.list(at, e["elements"], 1000) {
			p.rich(at, run, "text", "link", "date")
		}
	case "date":
		p.fields(at, e, "type", "timestamp", "format", "fallback")
		if n, _ := e["timestamp"].(float64); n < 1 || e["format"] != "{time_secs}" || e["fallback"] == nil {
			p.add("%s: date %v", at, e)
		}
	case "text", "link":
		p.text(at, e["text"], 3000)
		if kind == "link" {
			target, _ := e["url"].(string)
			if u, err := url.Parse(target); err != nil || u.Scheme != "http" && u.Scheme != "https" || len(target) > 3000 {
				p.add("%s: link to %q", at, target)
			}
		}
		p.fields(at, e, "type", "text", "url", "style")
		if style, ok := e["style"].(object); ok {
			p.fields(at, style, "bold", "italic", "code")
		}
	}
}

func (p *problems) menu(at string, e object) {
	p.fields(at, e, "type", "action_id", "placeholder", "options", "max_selected_items")
	p.carried(at, e["action_id"], 255)
	p.plain(at, e["placeholder"], 150)
	values, all := map[any]bool{}, p.list(at, e["options"], 100)
	for _, o := range all {
		p.fields(at, o, "type", "text", "value")
		p.plain(at, o["text"], 75)
		p.carried(at, o["value"], 150)
		if values[o["value"]] {
			p.add("%s: %v twice", at, o["value"])
		}
		values[o["value"]] = true
	}
	switch n, has := e["max_selected_items"].(float64); {
	case e["type"] == "static_select" && !has, e["type"] == "multi_static_select" && n >= 1 && int(n) <= len(all):
	default:
		p.add("%s: menu %v of %v", at, e["type"], n)
	}
}

func (p *problems) input(at string, v any) {
	e, _ := v.(object)
	p.carried(at, e["action_id"], 255)
	switch e["type"] {
	case "plain_text_input":
		p.fields(at, e, "type", "action_id", "multiline", "max_length", "initial_value")
		if e["initial_value"] != nil {
			p.carried(at, e["initial_value"], 3000)
		}
		if n, _ := e["max_length"].(float64); n < 1 || n > 3000 {
			p.add("%s: max_length %v", at, n)
		}
	case "file_input":
		p.fields(at, e, "type", "action_id", "filetypes", "max_files")
		if n, _ := e["max_files"].(float64); n < 1 || n > 10 {
			p.add("%s: max_files %v", at, n)
		}
	default:
		p.add("%s: input %v", at, e)
	}
}

// checkView is check for a modal or a home tab.
func checkView(t testing.TB, v view) {
	t.Helper()
	o := decoded(t, v)
	var p problems
	blocks, _ := o["blocks"].([]any)
	if len(blocks) > 100 {
		p.add("%d blocks", len(blocks))
	}
	modal := o["type"] == "modal"
	if modal {
		p.fields("modal", o, "type", "title", "submit", "close", "callback_id", "private_metadata", "blocks")
		for _, key := range []string{"title", "submit", "close"} {
			p.plain(key, o[key], 24)
		}
		p.carried("callback_id", o["callback_id"], 255)
		if s, _ := o["private_metadata"].(string); utf8.RuneCountInString(s) > 3000 {
			p.add("private_metadata of %d characters", len(s))
		}
	} else if p.fields("home", o, "type", "blocks"); o["type"] != "home" {
		p.add("view of type %v", o["type"])
	}
	p.blocks(blocks, modal)
	for _, problem := range p {
		t.Error(problem)
	}
}
