package discordtest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// message is a message of the bot as the server keeps it. What is in it is replaced,
// never changed, so that a copy stays as it was.
type message struct {
	Message
	kind       int // resources/message#message-object-message-types
	embeds     []any
	components []any
	posted     bool // by the bot itself, into the channel
	nonce      string
	watchers   []*Exchange
}

// findWebhook finds the exchange by the token in the path.
func (s *Server) findWebhook(c *call) *failure {
	e := s.exchanges[c.http.PathValue("token")]
	switch {
	case c.http.PathValue("app") != s.cfg.ApplicationID:
		return unknownWebhook()
	case e == nil || s.now().Sub(e.created) > s.cfg.TokenLife:
		return invalidToken()
	case e.first == nil:
		return unknownWebhook()
	}
	c.exchange = e
	return s.channels.open(e.place.Channel)
}

func (s *Server) findOriginal(c *call) *failure {
	if f := s.findWebhook(c); f != nil {
		return f
	}
	if c.message = c.exchange.original; c.message == nil || c.message.Deleted {
		return unknownMessage()
	}
	return nil
}

func (s *Server) findFollowUp(c *call) *failure {
	if f := s.findWebhook(c); f != nil {
		return f
	}
	id := c.http.PathValue("message")
	for _, m := range append(slices.Clone(c.exchange.followUps), c.exchange.original) {
		if m != nil && m.ID == id && !m.Deleted {
			c.message = m
			return nil
		}
	}
	return unknownMessage()
}

func checkEdit(how sending) func(*Server, *call) {
	return func(_ *Server, c *call) { c.report.message(nil, c.body, how, c.message, c.files) }
}

func checkPost(_ *Server, c *call) { c.report.message(nil, c.body, byChannel, nil, c.files) }

func checkFollowUp(_ *Server, c *call) {
	old := c.exchange.original
	if old == nil || !old.Loading() {
		old = nil
	}
	c.report.message(nil, c.body, byFollowUp, old, c.files)
}

func (s *Server) getMessage(c *call) (int, any, *failure) {
	return http.StatusOK, s.messageJSON(c.message), nil
}

func (s *Server) deleteMessage(c *call) (int, any, *failure) {
	c.message.Deleted = true
	s.note(c.message, Deleted, c.route.pattern)
	return http.StatusNoContent, nil, nil
}

func (s *Server) editMessage(c *call) (int, any, *failure) {
	if f := s.change(c.message, c.body, c.files); f != nil {
		return 0, nil, f
	}
	s.note(c.message, Edited, c.route.pattern)
	return http.StatusOK, s.messageJSON(c.message), nil
}

// nonceServes is how long an enforced nonce makes no second message: a few minutes, says Discord.
const nonceServes = 3 * time.Minute

// post sends a message into a channel. Where one with the same nonce was sent there a short while
// ago, and the nonce is enforced, it is that one (resources/message#create-message).
func (s *Server) post(c *call) (int, any, *failure) {
	m := &message{posted: true}
	m.ChannelID = c.http.PathValue("channel")
	if enforced, _ := c.body["enforce_nonce"].(bool); enforced {
		m.nonce = fmt.Sprint(c.body["nonce"])
		for _, old := range s.messages {
			if old.nonce == m.nonce && old.ChannelID == m.ChannelID && s.now().Sub(old.Sent) < nonceServes {
				return http.StatusOK, s.messageJSON(old), nil
			}
		}
	}
	if f := s.fill(m, c.body, c.files); f != nil {
		return 0, nil, f
	}
	s.messages[m.ID] = m
	for _, e := range s.exchanges {
		if e.ID == m.nonce {
			m.watchers = append(m.watchers, e)
		}
	}
	s.note(m, Elsewhere, c.route.pattern)
	return http.StatusOK, s.messageJSON(m), nil
}

// followUp sends a message after the first response; but right after a deferral it
// edits the loading message, whose flag 64 stays as the deferral set it
// (interactions/receiving-and-responding#followup-messages).
func (s *Server) followUp(c *call) (int, any, *failure) {
	e := c.exchange
	if m := e.original; m != nil && m.Loading() && !m.Deleted {
		if f := s.change(m, c.body, c.files); f != nil {
			return 0, nil, f
		}
		s.note(m, Edited, c.route.pattern)
		return http.StatusOK, s.messageJSON(m), nil
	}
	m := &message{watchers: []*Exchange{e}}
	m.ChannelID, m.GuildID = e.place.Channel, e.place.Guild
	if f := s.fill(m, c.body, c.files); f != nil {
		return 0, nil, f
	}
	s.messages[m.ID] = m
	e.followUps = append(e.followUps, m)
	s.note(m, FollowedUp, c.route.pattern)
	return http.StatusOK, s.messageJSON(m), nil
}

// note tells the exchanges that have to do with a message what became of it.
func (s *Server) note(m *message, what Change, route string) {
	for _, e := range m.watchers {
		e.updates = append(e.updates, Update{Change: what, Route: route, At: s.now(), Message: m.Message})
		e.tell()
	}
}

// fill makes a new message of a body.
func (s *Server) fill(m *message, body map[string]any, files map[int]upload) *failure {
	m.ID, m.Sent = s.snowflake(), s.now()
	m.Flags = num(body["flags"]) & (FlagSuppressEmbeds | FlagEphemeral | FlagSuppressNotifications | FlagComponentsV2)
	return s.put(m, body, files)
}

// change edits a message: what the body does not name stays (resources/message#edit-message).
func (s *Server) change(m *message, body map[string]any, files map[int]upload) *failure {
	old := *m
	m.Flags &^= FlagLoading
	if flags, given := intOf(body["flags"]); given {
		m.Flags = m.Flags&^FlagSuppressEmbeds | flags&(FlagSuppressEmbeds|FlagComponentsV2)
	}
	m.Edited = s.now()
	if f := s.put(m, body, files); f != nil {
		*m = old
		return f
	}
	return nil
}

// put lays a body's fields over a message.
func (s *Server) put(m *message, body map[string]any, files map[int]upload) *failure {
	if v, given := body["content"]; given {
		m.Content = textOf(v)
	}
	var err error
	if v, given := body["embeds"]; given {
		m.embeds = listOf(v)
		if m.Embeds, err = decode[[]Embed](m.embeds); err != nil {
			return fail(http.StatusBadRequest, 50035, "Invalid Form Body")
		}
	}
	if v, given := body["components"]; given {
		m.components = numbered(listOf(v))
		if m.Components, err = decode[[]Component](m.components); err != nil {
			return fail(http.StatusBadRequest, 50035, "Invalid Form Body")
		}
	}
	s.attach(m, body, files)
	if m.Content == "" && len(m.Embeds) == 0 && len(m.Components) == 0 && len(m.Attachments) == 0 && body["poll"] == nil {
		return emptyMessage()
	}
	return nil
}

// numbered gives each component an id, as Discord does where there is none.
func numbered(all []any) []any {
	all, _ = decode[[]any](all) // a copy of what was decoded from JSON cannot fail
	taken := map[float64]bool{}
	eachComponent(all, func(c map[string]any) {
		if id, ok := c["id"].(float64); ok {
			taken[id] = true
		}
	})
	next := 1.0
	eachComponent(all, func(c map[string]any) {
		if id, _ := c["id"].(float64); id == 0 {
			for taken[next] {
				next++
			}
			c["id"], taken[next] = next, true
		}
	})
	return all
}

// attach gives the message the files that the body lists and those uploaded.
func (s *Server) attach(m *message, body map[string]any, files map[int]upload) {
	given, listed := body["attachments"].([]any)
	var next []Attachment
	left := maps.Clone(files)
	if !listed {
		next = slices.Clone(m.Attachments)
	}
	for _, v := range given {
		o := objectOf(v)
		if n, ok := fileNumber(textOf(o["id"]), left); ok {
			a := s.keep("attachments", m.ChannelID, File{cmp.Or(textOf(o["filename"]), left[n].Name), left[n].Type, left[n].Data})
			a.Description = textOf(o["description"])
			next = append(next, a)
			delete(left, n)
		} else if a, ok := findAttachment(m.Attachments, textOf(o["id"])); ok {
			if d, given := o["description"]; given {
				a.Description = textOf(d)
			}
			next = append(next, a)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(left)) {
		next = append(next, s.keep("attachments", m.ChannelID, File(left[n])))
	}
	m.Attachments = next
}

// keep serves a file from now on.
func (s *Server) keep(root, channel string, f File) Attachment {
	a := Attachment{ID: s.snowflake(), Filename: f.Name, Type: f.Type, Data: f.Data}
	path := fmt.Sprintf("/%s/%s/%s/%s", root, channel, a.ID, url.PathEscape(f.Name))
	a.URL = s.url + path
	s.files[path] = a
	return a
}

func pathOf(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.EscapedPath()
	}
	return ""
}

func (s *Server) attachment(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	a, ok := s.files[req.URL.EscapedPath()]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, req)
		return
	}
	w.Header().Set("Content-Type", cmp.Or(a.Type, "application/octet-stream"))
	_, _ = w.Write(a.Data) // the client is gone: its loss
}

// fileNumber reads an attachment's id as the number of an uploaded file.
func fileNumber(id string, files map[int]upload) (int, bool) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0, false
	}
	_, ok := files[n]
	return n, ok
}

func findAttachment(all []Attachment, id string) (Attachment, bool) {
	i := slices.IndexFunc(all, func(a Attachment) bool { return a.ID == id })
	if i < 0 {
		return Attachment{}, false
	}
	return all[i], true
}

// messageJSON is a message as the API gives it (resources/message#message-object).
func (s *Server) messageJSON(m *message) map[string]any {
	files := []any{}
	for _, a := range m.Attachments {
		files = append(files, attachmentJSON(a, m.Ephemeral()))
	}
	out := map[string]any{
		"id": m.ID, "channel_id": m.ChannelID, "author": s.bot(), "content": m.Content, "type": m.kind,
		"timestamp": m.Sent.UTC().Format(time.RFC3339Nano), "edited_timestamp": nil, "tts": false, "pinned": false,
		"mention_everyone": false, "mentions": []any{}, "mention_roles": []any{}, "attachments": files,
		"embeds": orNone(m.embeds), "components": orNone(m.components), "flags": m.Flags, "application_id": s.cfg.ApplicationID,
	}
	if !m.Edited.IsZero() {
		out["edited_timestamp"] = m.Edited.UTC().Format(time.RFC3339Nano)
	}
	if !m.posted {
		out["webhook_id"] = s.cfg.ApplicationID
	}
	return out
}

func orNone(all []any) []any {
	if all == nil {
		return []any{}
	}
	return all
}

func attachmentJSON(a Attachment, ephemeral bool) map[string]any {
	out := map[string]any{"id": a.ID, "filename": a.Filename, "size": len(a.Data), "url": a.URL, "proxy_url": a.URL}
	if a.Type != "" {
		out["content_type"] = a.Type
	}
	if a.Description != "" {
		out["description"] = a.Description
	}
	if ephemeral {
		out["ephemeral"] = true
	}
	return out
}

// Plant puts a message of the bot that was sent before the test began, with an
// older version's components for instance, and gives it with its ID and a channel
// where it has none. Content and components are not checked; files are not served.
func (s *Server) Plant(m Message) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.ID, m.ChannelID = cmp.Or(m.ID, s.snowflake()), cmp.Or(m.ChannelID, defaultChannel)
	if m.Sent.IsZero() {
		m.Sent = s.now()
	}
	embeds, _ := decode[[]any](m.Embeds) // plain structs decode
	parts, _ := decode[[]any](m.Components)
	s.messages[m.ID] = &message{Message: m, embeds: embeds, components: bare(parts)}
	return m
}

// bare leaves out what a component does not have.
func bare(all []any) []any {
	eachComponent(all, func(c map[string]any) {
		maps.DeleteFunc(c, func(_ string, v any) bool { return blank(v) || v == false || v == 0.0 })
	})
	return all
}

// Find gives a message of the bot as it stands, by its ID.
func (s *Server) Find(id string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.messages[id]; m != nil {
		return m.Message, true
	}
	return Message{}, false
}

// Sent are the messages that the bot posted into a channel by itself, oldest first.
func (s *Server) Sent(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Message
	for _, m := range s.messages {
		if m.posted && m.ChannelID == channel {
			all = append(all, m.Message)
		}
	}
	slices.SortFunc(all, func(a, b Message) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), strings.Compare(a.ID, b.ID))
	})
	return all
}

// DeleteMessage is a person deleting a message of the bot, or dismissing an ephemeral one.
func (s *Server) DeleteMessage(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.messages[id]; m != nil {
		m.Deleted = true
		s.note(m, Deleted, "a person")
	}
}
