package discordtest

import (
	"net/http"
	"slices"
)

// findInteraction finds the exchange that a callback answers, if it still may be.
func (s *Server) findInteraction(c *call) *failure {
	e := s.exchanges[c.http.PathValue("token")]
	switch {
	case e == nil || e.ID != c.http.PathValue("id"):
		return unknownInteraction()
	case e.first != nil:
		return answeredAlready()
	case s.now().Sub(e.created) > s.cfg.Acknowledge:
		return unknownInteraction()
	}
	c.exchange = e
	return s.channels.open(e.place.Channel)
}

func checkCallback(_ *Server, c *call) { c.report.callback(c.exchange, c.body, c.files) }

// callback is the first response, given by the REST API.
func (s *Server) callback(c *call) (int, any, *failure) {
	if f := s.respond(c.exchange, c.body, c.files); f != nil {
		return 0, nil, f
	}
	if c.http.URL.Query().Get("with_response") != "true" {
		return http.StatusNoContent, nil, nil
	}
	e := c.exchange
	interaction := map[string]any{"id": e.ID, "type": interactionTypes[e.kind], "channel_id": e.place.Channel}
	answer := map[string]any{"interaction": interaction}
	if e.original != nil {
		interaction["response_message_id"] = e.original.ID
		interaction["response_message_loading"] = e.original.Loading()
		interaction["response_message_ephemeral"] = e.original.Ephemeral()
		answer["resource"] = map[string]any{"type": e.first.Type, "message": s.messageJSON(e.original)}
	}
	return http.StatusOK, answer, nil
}

// respond takes a checked first response, by whichever way it came.
func (s *Server) respond(e *Exchange, body map[string]any, files map[int]upload) *failure {
	r := Response{Type: num(body["type"]), Data: objectOf(body["data"]), At: s.now(), Latency: s.since(e)}
	r.Flags = num(r.Data["flags"])
	var f *failure
	switch r.Type {
	case RespondMessage, RespondDefer:
		f = s.begin(e, r, files)
	case RespondUpdate:
		if f = s.change(e.target(), r.Data, files); f == nil {
			s.note(e.target(), Edited, "POST /interactions/{id}/{token}/callback")
		}
		e.adopt(f)
	case RespondDeferUpdate:
		e.adopt(nil)
	case RespondChoices:
		choices, err := decode[[]Choice](r.Data["choices"])
		if err != nil {
			return fail(http.StatusBadRequest, 50035, "Invalid Form Body")
		}
		e.choices = choices
	case RespondModal:
		m := &Modal{CustomID: textOf(r.Data["custom_id"]), Title: textOf(r.Data["title"]), from: e}
		var err error
		if m.Components, err = decode[[]Component](numbered(listOf(r.Data["components"]))); err != nil {
			return fail(http.StatusBadRequest, 50035, "Invalid Form Body")
		}
		e.modal = m
	}
	if f != nil {
		return f
	}
	if e.original != nil {
		r.Message = e.original.Message
	}
	e.first = &r
	e.tell()
	return nil
}

// begin makes the original message, loading where the response defers it.
func (s *Server) begin(e *Exchange, r Response, files map[int]upload) *failure {
	m := &message{kind: 20, watchers: []*Exchange{e}}
	m.ChannelID, m.GuildID = e.place.Channel, e.place.Guild
	if r.Type == RespondDefer {
		m.ID, m.Sent = s.snowflake(), s.now()
		m.Flags = FlagLoading | r.Flags&FlagEphemeral
	} else if f := s.fill(m, r.Data, files); f != nil {
		return f
	}
	s.messages[m.ID] = m
	e.original = m
	return nil
}

// target is the message that a component is on, or that led to the form; nil if none.
func (e *Exchange) target() *message { return e.on }

// adopt makes the target the exchange's original message.
func (e *Exchange) adopt(f *failure) {
	if f != nil {
		return
	}
	e.original = e.on
	if !slices.Contains(e.on.watchers, e) {
		e.on.watchers = append(e.on.watchers, e)
	}
}

// focusedType is the type of the option that is being completed.
func (e *Exchange) focusedType() int {
	var find func(all []any) int
	find = func(all []any) int {
		for _, v := range all {
			o := objectOf(v)
			if o["focused"] == true {
				t, _ := o["type"].(int)
				return t
			}
			if t := find(listOf(o["options"])); t != 0 {
				return t
			}
		}
		return 0
	}
	if t := find(listOf(objectOf(e.payload["data"])["options"])); t != 0 {
		return t
	}
	return optionString
}
