package slacktest

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// envelope is what is sent: its type in Socket Mode, and the payload.
type envelope struct {
	kind    string // slash_commands, interactive, events_api
	payload map[string]any
}

// prepare makes the exchange of an interaction.
func (s *Server) prepare(i Interaction) (*Exchange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrEnded
	}
	user, channel := s.whose(i)
	x := s.newExchange(user, channel)
	e, err := i.build(s, x)
	if err != nil {
		s.forget(x)
		return nil, fmt.Errorf("send %T: %w", i, err)
	}
	x.envelope = e
	x.EnvelopeID = fmt.Sprintf("%08x-0000-4000-8000-%012x", s.next(), s.next())
	s.known[x.EnvelopeID] = x
	return x, nil
}

// whose says who acts, and where.
func (s *Server) whose(i Interaction) (user, channel string) {
	switch i := i.(type) {
	case Command:
		return i.User, i.Channel
	case Action:
		return i.User, i.Channel
	case Suggest:
		return i.User, i.Channel
	case MessageShortcut:
		return i.User, i.Channel
	case Mention:
		return i.User, i.Channel
	case DirectMessage:
		return i.User, s.im(i.User).ID
	case HomeOpened:
		return i.User, s.im(i.User).ID
	case Shortcut:
		return i.User, ""
	case Submit:
		return i.User, ""
	case CloseView:
		return i.User, ""
	case Raw:
		return i.User, i.Channel
	}
	return "", ""
}

// newTrigger is a new trigger ID. The lock is held.
func (s *Server) newTrigger(x *Exchange) string {
	id := fmt.Sprintf("%d.%d.%08x", s.next(), s.now().Unix(), s.next())
	s.triggers[id] = &trigger{at: s.now(), by: x}
	s.age(id)
	x.TriggerID = id
	return id
}

// people is the user and the channel, if one is meant, of an interaction.
func (s *Server) people(user, channel string) (*User, *Channel, error) {
	u := s.users[user]
	if u == nil {
		return nil, nil, fmt.Errorf("there is no user %q", user)
	}
	c := s.channels[channel]
	if channel != "" && c == nil {
		return nil, nil, fmt.Errorf("there is no channel %q", channel)
	}
	return u, c, nil
}

func (s *Server) channelName(c *Channel) string {
	if c.IM {
		return "directmessage"
	}
	return c.Name
}

func (i Command) build(s *Server, x *Exchange) (envelope, error) {
	u, c, err := s.people(i.User, i.Channel)
	if err != nil {
		return envelope{}, err
	}
	if c == nil || !strings.HasPrefix(i.Name, "/") {
		return envelope{}, errors.New("a command has a channel, and a name like /kubectl")
	}
	x.kind = "command"
	x.ResponseURL = s.newHook("commands", x, nil)
	return envelope{"slash_commands", map[string]any{
		"token": "verification", "team_id": s.cfg.Team, "team_domain": "test", "channel_id": c.ID, "channel_name": s.channelName(c),
		"user_id": u.ID, "user_name": u.Name, "command": i.Name, "text": i.Text, "api_app_id": s.cfg.App,
		"is_enterprise_install": "false", "response_url": x.ResponseURL, "trigger_id": s.newTrigger(x),
	}}, nil
}

// interaction is what every payload of an interaction holds.
func (s *Server) interaction(x *Exchange, kind string, u *User, c *Channel) map[string]any {
	x.kind = kind
	p := map[string]any{
		"type": kind, "token": "verification", "api_app_id": s.cfg.App, "is_enterprise_install": false, "enterprise": nil,
		"team": map[string]any{"id": s.cfg.Team, "domain": "test"},
		"user": map[string]any{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": cmp.Or(u.Team, s.cfg.Team)},
	}
	if c != nil {
		p["channel"] = map[string]any{"id": c.ID, "name": s.channelName(c)}
	}
	return p
}

// surface is where an element is: a message, a modal or the home tab.
type surface struct {
	message *message
	view    *view
}

func (f surface) blocks() []any {
	switch {
	case f.message != nil:
		return f.message.blocks
	case f.view != nil:
		return f.view.blocks
	}
	return nil
}

func (s *Server) surface(user, channel, ts, viewID string) (surface, error) {
	switch {
	case ts != "":
		m := s.find(channel, ts)
		if m == nil || m.Deleted || m.For != "" && m.For != user {
			return surface{}, fmt.Errorf("%s sees no message %s in %s", user, ts, channel)
		}
		return surface{message: m}, nil
	case viewID != "":
		if v := s.views[viewID]; v != nil && v.User == user {
			return surface{view: v}, nil
		}
		return surface{}, fmt.Errorf("%s sees no view %s", user, viewID)
	}
	if v := s.homes[user]; v != nil {
		return surface{view: v}, nil
	}
	return surface{}, fmt.Errorf("%s has no home tab", user)
}

// place puts in the payload where the element is.
func (s *Server) place(p map[string]any, f surface, x *Exchange) {
	if v := f.view; v != nil {
		p["view"] = s.wireView(v)
		p["container"] = map[string]any{"type": "view", "view_id": v.ID}
		return
	}
	container := map[string]any{"type": "message", "channel_id": x.Channel, "is_ephemeral": false}
	if m := f.message; m != nil {
		container["message_ts"], container["is_ephemeral"] = m.TS, m.For != ""
		if m.For == "" {
			p["message"] = m.wire(s)
		}
	}
	p["container"] = container
}

func (i Action) build(s *Server, x *Exchange) (envelope, error) {
	u, c, err := s.people(i.User, i.Channel)
	if err != nil {
		return envelope{}, err
	}
	f, err := s.surface(i.User, i.Channel, i.Message, i.View)
	if err != nil && !i.Forged {
		return envelope{}, err
	}
	action := map[string]any{"type": "button", "action_id": i.ActionID, "block_id": i.BlockID, "value": i.Value}
	if !i.Forged {
		block, e := findElement(f.blocks(), i.ActionID, i.BlockID)
		if e == nil {
			return envelope{}, fmt.Errorf("there is no element %q", i.ActionID)
		}
		if action, err = use(e, i.Value, i.Values); err != nil {
			return envelope{}, err
		}
		action["action_id"], action["block_id"] = e["action_id"], block["block_id"]
		if f.message != nil && str(e["type"]) != "button" {
			f.message.hold(i.User, str(block["block_id"]), action)
		}
	}
	action["action_ts"] = s.stamp()
	p := s.interaction(x, "block_actions", u, c)
	p["actions"], p["trigger_id"] = []any{action}, s.newTrigger(x)
	s.place(p, f, x)
	p["state"] = map[string]any{"values": map[string]any{}}
	if f.message != nil {
		p["state"] = map[string]any{"values": f.message.state(i.User)}
	}
	if f.view == nil && c != nil {
		x.ResponseURL = s.newHook("actions", x, f.message)
		p["response_url"] = x.ResponseURL
	}
	return envelope{"interactive", p}, nil
}

// use is the action of an element when a value, or several, are chosen in it.
func use(e map[string]any, value string, values []string) (map[string]any, error) {
	kind := str(e["type"])
	a := map[string]any{"type": kind}
	switch kind {
	case "button":
		a["text"] = e["text"]
		if e["value"] != nil {
			a["value"] = e["value"]
		}
	case "static_select", "radio_buttons", "overflow":
		o := chosen(e, value)
		if o == nil {
			return nil, fmt.Errorf("there is no option %q", value)
		}
		a["selected_option"] = o
	case "external_select":
		a["selected_option"] = map[string]any{"text": map[string]any{"type": "plain_text", "text": value}, "value": value}
	case "checkboxes", "multi_static_select":
		options := []any{}
		for _, v := range values {
			o := chosen(e, v)
			if o == nil {
				return nil, fmt.Errorf("there is no option %q", v)
			}
			options = append(options, o)
		}
		a["selected_options"] = options
	case "plain_text_input", "email_text_input", "url_text_input", "number_input":
		a["value"] = value
	default:
		field, ok := map[string]string{
			"users_select": "selected_user", "channels_select": "selected_channel", "datepicker": "selected_date",
			"timepicker": "selected_time", "datetimepicker": "selected_date_time",
		}[kind]
		if !ok {
			return nil, fmt.Errorf("nobody can use an element of type %s", kind)
		}
		a[field] = value
	}
	return a, nil
}

func (i Suggest) build(s *Server, x *Exchange) (envelope, error) {
	u, c, err := s.people(i.User, i.Channel)
	if err != nil {
		return envelope{}, err
	}
	f, err := s.surface(i.User, i.Channel, i.Message, i.View)
	if err != nil {
		return envelope{}, err
	}
	block, e := findElement(f.blocks(), i.ActionID, i.BlockID)
	if str(e["type"]) != "external_select" {
		return envelope{}, fmt.Errorf("there is no external select %q", i.ActionID)
	}
	least, isSet := e["min_query_length"].(float64)
	if !isSet {
		least = 3
	}
	if utf8.RuneCountInString(i.Value) < int(least) {
		return envelope{}, fmt.Errorf("nothing is suggested before %v characters", least)
	}
	p := s.interaction(x, "block_suggestion", u, c)
	p["action_id"], p["block_id"], p["value"] = i.ActionID, block["block_id"], i.Value
	s.place(p, f, x)
	return envelope{"interactive", p}, nil
}

func (i MessageShortcut) build(s *Server, x *Exchange) (envelope, error) {
	u, c, err := s.people(i.User, i.Channel)
	if err != nil {
		return envelope{}, err
	}
	if c == nil {
		return envelope{}, errors.New("a message has a channel")
	}
	m := s.find(i.Channel, i.TS)
	if i.TS == "" {
		author := i.Author
		if author == "" {
			author = i.User
		}
		m, err = s.write(author, c.ID, i.Text, "", i.Files)
	} else if m == nil || m.Deleted || m.For != "" {
		err = fmt.Errorf("there is no message %s to use a shortcut on", i.TS)
	}
	if err != nil {
		return envelope{}, err
	}
	p := s.interaction(x, "message_action", u, c)
	x.ResponseURL = s.newHook("app", x, nil)
	p["callback_id"], p["message_ts"], p["message"] = i.CallbackID, m.TS, m.wire(s)
	p["trigger_id"], p["response_url"], p["action_ts"] = s.newTrigger(x), x.ResponseURL, s.stamp()
	return envelope{"interactive", p}, nil
}

func (i Shortcut) build(s *Server, x *Exchange) (envelope, error) {
	u, _, err := s.people(i.User, "")
	if err != nil {
		return envelope{}, err
	}
	p := s.interaction(x, "shortcut", u, nil)
	p["callback_id"], p["trigger_id"], p["action_ts"] = i.CallbackID, s.newTrigger(x), s.stamp()
	return envelope{"interactive", p}, nil
}

// write keeps a person's message. The lock is held.
func (s *Server) write(author, channel, text, thread string, files []string) (*message, error) {
	m := &message{Message: Message{Channel: channel, User: author, Text: text, Thread: thread}}
	for _, id := range files {
		f := s.files[id]
		if f == nil {
			return nil, fmt.Errorf("there is no file %q", id)
		}
		m.Files = append(m.Files, f.File)
	}
	s.add(m)
	return m, nil
}

// event is the outer payload of an event.
func (s *Server) event(x *Exchange, inner map[string]any) envelope {
	x.kind = str(inner["type"])
	return envelope{"events_api", map[string]any{
		"token": "verification", "team_id": s.cfg.Team, "api_app_id": s.cfg.App, "type": "event_callback", "event": inner,
		"event_id": fmt.Sprintf("Ev%08d", s.next()), "event_time": s.now().Unix(), "is_ext_shared_channel": false,
		"authorizations": []any{map[string]any{
			"enterprise_id": nil, "team_id": s.cfg.Team, "user_id": s.cfg.Bot, "is_bot": true, "is_enterprise_install": false,
		}},
	}}
}

func (i HomeOpened) build(s *Server, x *Exchange) (envelope, error) {
	if _, _, err := s.people(i.User, ""); err != nil {
		return envelope{}, err
	}
	tab := i.Tab
	if tab == "" {
		tab = "home"
	}
	e := map[string]any{"type": "app_home_opened", "user": i.User, "channel": x.Channel, "tab": tab, "event_ts": s.stamp()}
	if v := s.homes[i.User]; v != nil && tab == "home" {
		e["view"] = s.wireView(v)
	}
	return s.event(x, e), nil
}

func (i Mention) build(s *Server, x *Exchange) (envelope, error) {
	_, c, err := s.people(i.User, i.Channel)
	if err != nil {
		return envelope{}, err
	}
	if c == nil || !c.in() {
		return envelope{}, errors.New("a bot learns of a mention only where it is a member")
	}
	text := i.Text
	if bot := "<@" + s.cfg.Bot + ">"; !strings.Contains(text, bot) {
		text = bot + " " + text
	}
	m, err := s.write(i.User, i.Channel, text, i.Thread, i.Files)
	if err != nil {
		return envelope{}, err
	}
	return s.event(x, merge(m.wire(s), map[string]any{
		"type": "app_mention", "channel": i.Channel, "event_ts": m.TS, "team": s.cfg.Team,
	})), nil
}

func (i DirectMessage) build(s *Server, x *Exchange) (envelope, error) {
	if _, _, err := s.people(i.User, ""); err != nil {
		return envelope{}, err
	}
	m, err := s.write(i.User, x.Channel, i.Text, i.Thread, i.Files)
	if err != nil {
		return envelope{}, err
	}
	e := merge(m.wire(s), map[string]any{"channel": x.Channel, "channel_type": "im", "event_ts": m.TS, "team": s.cfg.Team})
	if len(i.Files) > 0 {
		e["subtype"] = "file_share"
	}
	return s.event(x, e), nil
}

func (i Raw) build(s *Server, x *Exchange) (envelope, error) {
	switch i.Type {
	case "slash_commands":
		x.kind = "command"
	case "interactive":
		x.kind = str(i.Payload["type"])
	case "events_api":
		x.kind = "event"
	default:
		return envelope{}, fmt.Errorf("there is no envelope of type %q", i.Type)
	}
	return envelope{i.Type, i.Payload}, nil
}
