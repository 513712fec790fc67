package slacktest

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of a message, in characters.
//
// https://docs.slack.dev/reference/methods/chat.postMessage
// https://docs.slack.dev/reference/methods/chat.update: 4,000
// https://github.com/slackapi/bolt-js/issues/2509: about 13,200 over all blocks
const (
	mostText        = 40000
	mostUpdateText  = 4000
	mostBlocksText  = 13200
	mostAttachments = 100
)

// content is what a message says, checked and with IDs.
type content struct {
	text     string
	blocks   []any // nil: none given
	attached []any
}

// content checks the text, blocks and attachments among the fields of a message. The lock is
// held.
func (s *Server) content(via string, fields map[string]any, most int) (content, answer) {
	var t content
	if v := fields["text"]; v != nil {
		text, isText := v.(string)
		if !isText {
			return t, wrong("invalid_arguments", "[ERROR] text must be a string")
		}
		t.text = text
	}
	c := s.checker("message")
	c.ping(t.text)
	linked := request{args: fields}
	if linked.flag("link_names") || linked.str("parse") == "full" {
		for _, all := range []string{"@channel", "@here", "@everyone"} {
			if strings.Contains(t.text, all) {
				c.pings = append(c.pings, t.text)
			}
		}
	}
	if v := fields["blocks"]; v != nil && v != "" {
		if t.blocks = array(v); t.blocks == nil {
			return t, wrong("invalid_blocks_format")
		}
		c.blocks("/blocks", v, 0, mostMessageBlocks)
	}
	if v := fields["attachments"]; v != nil && v != "" {
		if t.attached = array(v); t.attached == nil {
			return t, wrong("invalid_attachments")
		}
		c.attachments(t.attached)
	}
	s.pings = append(s.pings, c.pings...)
	switch {
	case len(c.problems) > 0:
		a := wrong("invalid_blocks", c.problems...)
		a.breach = !c.onlyPending()
		return t, a
	case c.letters > mostBlocksText:
		return t, wrong("msg_blocks_too_long", fmt.Sprintf("%d characters", c.letters))
	case utf8.RuneCountInString(t.text) > most:
		return t, wrong("msg_too_long")
	case t.text == "" && len(t.blocks) == 0 && len(t.attached) == 0:
		return t, wrong("no_text")
	case t.text == "" && len(t.blocks) > 0:
		s.fault("%s: no fallback text beside the blocks", via)
	}
	s.identify(t.blocks)
	return t, answer{}
}

// onlyPending says that nothing is wrong but that a file is not processed yet, which no bot can
// know beforehand.
func (c *checker) onlyPending() bool {
	for _, p := range c.problems {
		if !strings.Contains(p, notProcessed) {
			return false
		}
	}
	return true
}

// attachments are checked for what notifies, and for their blocks.
func (c *checker) attachments(all []any) {
	if len(all) > mostAttachments {
		c.bad("/attachments", "no more than %d items allowed", mostAttachments)
	}
	for i, a := range all {
		m := dict(a)
		for _, field := range []string{"text", "pretext", "fallback"} {
			c.ping(str(m[field]))
		}
		if b := m["blocks"]; b != nil {
			c.blocks(fmt.Sprintf("/attachments/%d/blocks", i), b, 0, mostMessageBlocks)
		}
	}
}

// put makes a message say t. The lock is held.
func (m *message) put(t content) {
	m.Text, m.blocks, m.Blocks, m.Attached = t.text, t.blocks, nil, nil
	if len(t.blocks) > 0 {
		m.Blocks = encode(t.blocks)
	}
	if len(t.attached) > 0 {
		m.Attached = encode(t.attached)
	}
}

// thread is what is wrong with a thread_ts.
func (s *Server) thread(channel, ts string) answer {
	if ts != "" && s.find(channel, ts) == nil {
		return wrong("thread_not_found")
	}
	return answer{}
}

func (s *Server) postMessage(r request) answer {
	c, a := s.writable(r.str("channel"))
	if c == nil {
		return a
	}
	if a := s.thread(c.ID, r.str("thread_ts")); a.err != "" {
		return a
	}
	t, a := s.content(r.method, r.args, mostText)
	if a.err != "" {
		return a
	}
	m := &message{Message: Message{Channel: c.ID, User: s.cfg.Bot, Thread: r.str("thread_ts")}}
	m.put(t)
	s.add(m)
	s.tell(nil, r.method, Posted, m, nil)
	return ok(map[string]any{"channel": c.ID, "ts": m.TS, "message": m.wire(s)})
}

func (s *Server) postEphemeral(r request) answer {
	c, a := s.writable(r.str("channel"))
	if c == nil {
		return a
	}
	if user := r.str("user"); s.users[user] == nil || !c.has(user) {
		return fails("user_not_in_channel")
	}
	t, a := s.content(r.method, r.args, mostText)
	if a.err != "" {
		return a
	}
	m := &message{Message: Message{Channel: c.ID, User: s.cfg.Bot, For: r.str("user"), Thread: r.str("thread_ts")}}
	m.put(t)
	s.add(m)
	s.tell(nil, r.method, Posted, m, nil)
	return ok(map[string]any{"message_ts": m.TS})
}

// own is the bot's message that a call names; refused is the error where it may not be changed.
func (s *Server) own(r request, refused string) (*message, answer) {
	if s.channels[r.str("channel")] == nil {
		return nil, fails("channel_not_found")
	}
	m := s.find(r.str("channel"), r.str("ts"))
	switch {
	case m == nil || m.Deleted:
		return nil, fails("message_not_found")
	case m.For != "" || m.User != s.cfg.Bot:
		return nil, wrong(refused)
	}
	return m, answer{}
}

// updateMessage keeps the blocks where neither text nor blocks are given; a text alone takes
// their place.
//
// https://docs.slack.dev/reference/methods/chat.update
func (s *Server) updateMessage(r request) answer {
	m, a := s.own(r, "cant_update_message")
	if m == nil {
		return a
	}
	t, a := s.content(r.method, r.args, mostUpdateText)
	if a.err != "" {
		return a
	}
	if t.attached == nil && m.Attached != nil && r.args["attachments"] == nil {
		_ = json.Unmarshal(m.Attached, &t.attached) // it was an array
	}
	if ids := array(r.args["file_ids"]); r.args["file_ids"] != nil {
		files, missing := s.filesOf(ids)
		if missing != "" {
			return wrong("file_not_found", missing)
		}
		m.Files = files
	}
	m.edit(s.now(), r.method)
	m.put(t)
	s.tell(nil, r.method, Updated, m, nil)
	return ok(map[string]any{"channel": m.Channel, "ts": m.TS, "text": m.Text, "message": m.wire(s)})
}

func (s *Server) removeMessage(r request) answer {
	m, a := s.own(r, "cant_delete_message")
	if m == nil {
		return a
	}
	m.edit(s.now(), r.method)
	m.Deleted = true
	s.tell(nil, r.method, Deleted, m, nil)
	return ok(map[string]any{"channel": m.Channel, "ts": m.TS})
}
