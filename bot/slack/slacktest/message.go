package slacktest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// Message is a message as people see it.
type Message struct {
	Channel  string
	TS       string
	User     string // who wrote it
	For      string // the one person who sees it; empty: everyone in the channel
	Thread   string // thread_ts
	Text     string
	Blocks   json.RawMessage // an array, or nil
	Attached json.RawMessage // attachments: an array, or nil
	Files    []File
	At       time.Time
	Deleted  bool
	History  []Edit // what it was before, the oldest first
}

// Edit is an earlier state of a message: until At, when Via changed it.
type Edit struct {
	At     time.Time
	Via    string
	Text   string
	Blocks json.RawMessage
}

// Button is one of a message's or a view's buttons.
type Button struct {
	Label, ActionID, BlockID, Value, Style, URL string
}

// Buttons are those in the blocks, in order.
func (m Message) Buttons() []Button { return buttons(m.Blocks) }

// Words is all that can be read in the blocks, line by line; the fallback text where there
// are none.
func (m Message) Words() string {
	if len(m.Blocks) == 0 {
		return m.Text
	}
	return words(m.Blocks)
}

// View is a modal or a home tab.
type View struct {
	ID, External, Hash, Root, Previous string
	Type, CallbackID, Metadata         string // type: modal or home
	User                               string
	Blocks                             json.RawMessage
	Raw                                json.RawMessage   // as the bot sent it
	Errors                             map[string]string // shown by block ID, after response_action errors
	Closed                             bool
}

// Buttons are those in the blocks, in order.
func (v View) Buttons() []Button { return buttons(v.Blocks) }

// Words is all that can be read in the blocks, line by line.
func (v View) Words() string { return words(v.Blocks) }

// message is a Message that is kept, with its blocks parsed.
type message struct {
	Message
	blocks []any
	chosen map[string]map[string]any // what each user's menus hold, by user, then by block and action ID
}

// hold keeps what a user has chosen in a menu of the message: their client goes on showing it.
func (m *message) hold(user, block string, action map[string]any) {
	if m.chosen == nil {
		m.chosen = map[string]map[string]any{}
	}
	if m.chosen[user] == nil {
		m.chosen[user] = map[string]any{}
	}
	held := maps.Clone(action)
	delete(held, "action_id")
	delete(held, "block_id")
	m.chosen[user][block+"\x00"+str(action["action_id"])] = held
}

// state is what the menus of the message hold for a user, as an action's payload has it: those
// where nothing was chosen too.
//
// https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
func (m *message) state(user string) map[string]any {
	values := map[string]any{}
	for _, b := range m.blocks {
		block := dict(b)
		for _, e := range elementsOf(block) {
			e, id := dict(e), str(block["block_id"])
			var held any
			switch kind := str(e["type"]); kind {
			case "multi_static_select", "checkboxes":
				held = map[string]any{"type": kind, "selected_options": []any{}}
			case "static_select", "radio_buttons":
				held = map[string]any{"type": kind, "selected_option": nil}
			default:
				continue
			}
			if chosen, ok := m.chosen[user][id+"\x00"+str(e["action_id"])]; ok {
				held = chosen
			}
			if values[id] == nil {
				values[id] = map[string]any{}
			}
			dict(values[id])[str(e["action_id"])] = held
		}
	}
	return values
}

func (m *message) snapshot() Message {
	c := m.Message
	c.History, c.Files = slices.Clone(m.History), slices.Clone(m.Files)
	return c
}

// edit keeps what the message was before it is changed.
func (m *message) edit(at time.Time, via string) {
	m.History = append(m.History, Edit{At: at, Via: via, Text: m.Text, Blocks: m.Blocks})
}

// wire is the message as the bot receives it.
func (m *message) wire(s *Server) map[string]any {
	w := map[string]any{"type": "message", "ts": m.TS, "text": m.Text, "user": m.User}
	if m.For != "" {
		return map[string]any{"ts": m.TS, "is_ephemeral": true} // all that an ephemeral one tells
	}
	if m.User == s.cfg.Bot {
		w["bot_id"], w["app_id"] = "B0BOT", s.cfg.App
	}
	if m.Thread != "" {
		w["thread_ts"] = m.Thread
	}
	if m.blocks != nil {
		w["blocks"] = m.blocks
	}
	if m.Attached != nil {
		w["attachments"] = m.Attached
	}
	if len(m.Files) > 0 {
		var ids []string
		for _, f := range m.Files {
			ids = append(ids, f.ID)
		}
		w["files"] = s.wireFiles(ids)
	}
	return w
}

// find is a message by its place. The lock is held.
func (s *Server) find(channel, ts string) *message {
	for _, m := range slices.Backward(s.messages) {
		if m.Channel == channel && m.TS == ts {
			return m
		}
	}
	return nil
}

// add keeps a message, and as many as Keep says. The lock is held.
func (s *Server) add(m *message) {
	m.TS, m.At = s.stamp(), s.now()
	s.messages = append(s.messages, m)
	if k := s.cfg.Keep; k > 0 && len(s.messages) > 2*k {
		s.messages = slices.Clone(s.messages[len(s.messages)-k:])
	}
}

// Messages are all of a channel's, ephemeral and deleted ones too, oldest first; of every
// channel where it is empty.
func (s *Server) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Message
	for _, m := range s.messages {
		if channel == "" || m.Channel == channel {
			all = append(all, m.snapshot())
		}
	}
	return all
}

// DeleteMessage deletes a message, as a person with the right to does.
func (s *Server) DeleteMessage(channel, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.find(channel, ts); m != nil {
		m.Deleted = true
	}
}

// The functions below read blocks as they were parsed from JSON.

func array(v any) []any { a, _ := v.([]any); return a }

func dict(v any) map[string]any { m, _ := v.(map[string]any); return m }

func str(v any) string { s, _ := v.(string); return s }

// inner is the text of a text object.
func inner(v any) string { return str(dict(v)["text"]) }

// elementsOf are the interactive elements of a block.
func elementsOf(block map[string]any) []any {
	switch str(block["type"]) {
	case "actions":
		return array(block["elements"])
	case "section":
		return []any{block["accessory"]}
	case "input":
		return []any{block["element"]}
	}
	return nil
}

// findElement is the first element with the action ID, in the block if one is given.
func findElement(blocks []any, actionID, blockID string) (block, element map[string]any) {
	for _, b := range blocks {
		block := dict(b)
		if blockID != "" && str(block["block_id"]) != blockID {
			continue
		}
		for _, e := range elementsOf(block) {
			if element := dict(e); element != nil && str(element["action_id"]) == actionID {
				return block, element
			}
		}
	}
	return nil, nil
}

func buttons(raw json.RawMessage) []Button {
	var blocks []any
	if json.Unmarshal(raw, &blocks) != nil {
		return nil
	}
	var all []Button
	for _, b := range blocks {
		for _, e := range elementsOf(dict(b)) {
			if e := dict(e); str(e["type"]) == "button" {
				all = append(all, Button{
					Label: inner(e["text"]), ActionID: str(e["action_id"]), BlockID: str(dict(b)["block_id"]),
					Value: str(e["value"]), Style: str(e["style"]), URL: str(e["url"]),
				})
			}
		}
	}
	return all
}

// words are the strings named text, alt_text and url-less labels, in the order of the blocks.
func words(raw json.RawMessage) string {
	var blocks []any
	if json.Unmarshal(raw, &blocks) != nil {
		return ""
	}
	var lines []string
	for _, b := range blocks {
		if line := read(b); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// readable are the fields that people read, in the order in which they see them.
var readable = []string{"label", "title", "text", "fields", "elements", "rows", "options", "placeholder", "accessory", "element", "alt_text", "hint"}

// read is what can be read in a piece of blocks. Runs of rich text make one line.
func read(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		sep := "\n"
		if len(v) > 0 && inlineTypes[str(dict(v[0])["type"])] {
			sep = ""
		}
		var parts []string
		for _, e := range v {
			if part := read(e); part != "" {
				parts = append(parts, part)
			}
		}
		return strings.Join(parts, sep)
	case map[string]any:
		var parts []string
		for _, field := range readable {
			if part := read(v[field]); part != "" {
				parts = append(parts, part)
			}
		}
		if str(v["type"]) == "emoji" {
			parts = append(parts, ":"+str(v["name"])+":")
		}
		if str(v["type"]) == "link" && v["text"] == nil {
			parts = append(parts, str(v["url"]))
		}
		return strings.Join(parts, "\n")
	}
	return ""
}

// inlineTypes are the elements of rich text that run on in a line.
var inlineTypes = map[string]bool{"text": true, "link": true, "emoji": true, "user": true, "channel": true, "date": true, "broadcast": true}

// merge adds the fields of b to a.
func merge(a, b map[string]any) map[string]any {
	maps.Copy(a, b)
	return a
}
