package slacktest

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Limits of response URLs.
//
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
const (
	hookLasts = 30 * time.Minute
	mostUses  = 5
)

// hook is a response URL.
type hook struct {
	at      time.Time
	uses    int
	by      *Exchange
	source  *message // on which an element was used; nil for a command or a shortcut
	channel string
	user    string
}

// hookFields are what a response may hold.
var hookFields = []string{
	"text", "blocks", "attachments", "response_type", "replace_original", "delete_original", "thread_ts",
	"mrkdwn", "parse", "link_names", "unfurl_links", "unfurl_media", "metadata", "reply_broadcast",
}

// newHook makes a response URL. The lock is held.
func (s *Server) newHook(kind string, x *Exchange, source *message) string {
	secret := fmt.Sprintf("%s/%s/%d/%08x", kind, s.cfg.Team, s.next(), s.next()*2654435761%(1<<32))
	s.hooks[secret] = &hook{at: s.now(), by: x, source: source, channel: x.Channel, user: x.User}
	s.age(secret)
	return s.base() + "/respond/" + secret
}

// age makes a trigger ID or a response URL known by its age, and forgets those that have
// expired long ago. The lock is held.
func (s *Server) age(key string) {
	s.aging = append(s.aging, key)
	for len(s.aging) > 0 {
		key := s.aging[0]
		t, h := s.triggers[key], s.hooks[key]
		if t != nil && s.now().Sub(t.at) < 2*hookLasts || h != nil && s.now().Sub(h.at) < 2*hookLasts {
			return
		}
		delete(s.triggers, key)
		delete(s.hooks, key)
		s.aging = s.aging[1:]
	}
}

// serveHook answers a response URL. What is refused has a status of 4xx.
func (s *Server) serveHook(w http.ResponseWriter, r *http.Request, secret string) {
	t := s.arrive(r, "response_url")
	if t.before(w) {
		s.called("response_url", t.name())
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if err != nil {
		return
	}
	s.mu.Lock()
	a := s.respond(r, secret, body)
	s.note("response_url", a)
	s.mu.Unlock()
	status := http.StatusOK
	switch a.err {
	case "":
		t.write(w, status, "text/html", []byte("ok"))
		return
	case "used_url", "expired_url", "no_service", "channel_not_found":
		status = http.StatusNotFound
	default:
		status = http.StatusBadRequest
	}
	t.write(w, status, "application/json; charset=utf-8", encode(map[string]any{"ok": false, "error": a.err}))
}

func (s *Server) respond(r *http.Request, secret string, body []byte) answer {
	h := s.hooks[secret]
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var fields map[string]any
	switch {
	case h == nil:
		return wrong("no_service")
	case s.now().Sub(h.at) > hookLasts:
		return fails("expired_url")
	case h.uses >= mostUses:
		return wrong("used_url")
	case r.Method != http.MethodPost || kind != "application/json":
		return wrong("invalid_payload", "a response URL takes a POST of JSON")
	case json.Unmarshal(body, &fields) != nil || fields == nil:
		return wrong("invalid_payload", "not a JSON object")
	case s.channels[h.channel] == nil:
		return fails("channel_not_found")
	}
	for _, name := range []string{"replace_original", "delete_original"} {
		if v, has := fields[name]; has {
			if _, is := v.(bool); !is {
				s.fault("response_url: %s must be a boolean", name)
			}
		}
	}
	if a := s.reply("response_url", h, fields); a.err != "" {
		return a
	}
	h.uses++
	return answer{}
}

// reply does what a response URL, or the acknowledgement of a command, asks for. The lock is held.
//
// The response URL of a command has no original: replace_original posts another message
// there, as people found (https://github.com/slackapi/bolt-js/issues/2287,
// https://github.com/slackapi/bolt-python/issues/1268).
func (s *Server) reply(via string, h *hook, fields map[string]any) answer {
	for name := range fields {
		if !slices.Contains(hookFields, name) {
			s.fault("%s: unknown field %s", via, name)
		}
	}
	r := request{args: fields}
	kind := r.str("response_type")
	if kind != "" && kind != "ephemeral" && kind != "in_channel" {
		return wrong("invalid_payload", "response_type "+kind)
	}
	replace, remove := r.flag("replace_original"), r.flag("delete_original")
	if h.source == nil && (replace || remove) {
		s.fault("%s: there is no original to replace or to delete", via)
		replace, remove = false, false
	}
	if h.source != nil && fields["replace_original"] == nil && !remove {
		s.fault("%s: replace_original is not said", via)
		replace = true
	}
	if remove {
		if h.source.Deleted {
			return fails("message_not_found")
		}
		h.source.edit(s.now(), via)
		h.source.Deleted = true
		s.tell(h.by, via, Deleted, h.source, nil)
		return answer{}
	}
	t, a := s.content(via, fields, mostText)
	if a.err != "" {
		return a
	}
	if replace {
		if h.source.Deleted {
			return fails("message_not_found")
		}
		h.source.edit(s.now(), via)
		h.source.put(t)
		s.tell(h.by, via, Updated, h.source, nil)
		return answer{}
	}
	m := &message{Message: Message{Channel: h.channel, User: s.cfg.Bot, Thread: r.str("thread_ts")}}
	if kind != "in_channel" {
		m.For = h.user
	}
	m.put(t)
	s.add(m)
	s.tell(h.by, via, Posted, m, nil)
	return answer{}
}

// acknowledged does what an acknowledgement brings along. The lock is held.
func (s *Server) acknowledged(x *Exchange, payload []byte, bare bool) {
	text := strings.TrimSpace(string(payload))
	if x.kind == "view_submission" && (text == "" || text == "{}") {
		s.answerView(x, nil)
		return
	}
	if text == "" {
		return
	}
	var fields map[string]any
	if bare && x.kind == "command" {
		fields = map[string]any{"text": text}
	} else if json.Unmarshal(payload, &fields) != nil || fields == nil {
		s.fault("ack of %s: not a JSON object", x.kind)
		return
	}
	switch x.kind {
	case "command":
		h := &hook{by: x, channel: x.Channel, user: x.User}
		if a := s.reply("ack", h, fields); a.err != "" {
			s.fault("ack of command: %s %v", a.err, a.notes)
		}
	case "view_submission":
		s.answerView(x, fields)
	case "block_suggestion":
		c := s.checker("message")
		c.object("", fields, shape{"options": list(0, 100, option(false)), "option_groups": list(0, 100, object(shape{
			"label*": plain(mostOption), "options*": list(0, 100, option(false)),
		}))})
		if (fields["options"] == nil) == (fields["option_groups"] == nil) {
			c.bad("", "must have one of options and option_groups")
		}
		if len(c.problems) > 0 {
			s.fault("ack of block_suggestion: %v", c.problems)
		}
	default:
		if len(fields) > 0 {
			s.fault("ack of %s: it takes no payload", x.kind)
		}
	}
}
