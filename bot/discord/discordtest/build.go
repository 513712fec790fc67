package discordtest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// What an Interaction that does not say has.
const (
	defaultChannel = "2000000000000000001"
	defaultPerson  = "3000000000000000001"
	defaultLocale  = "fr"
)

// build makes the interaction's payload; called with mu held.
func (s *Server) build(e *Exchange, i Interaction) error {
	e.place, i.Who = s.settle(i), settleWho(i.Who)
	data, err := s.data(e, i)
	if err != nil {
		return err
	}
	p := map[string]any{
		"id": e.ID, "application_id": s.cfg.ApplicationID, "type": interactionTypes[i.Kind], "token": e.Token, "version": 1,
		"data": data, "channel_id": e.place.Channel, "channel": channelJSON(e.place), "locale": cmp.Or(i.Locale, defaultLocale),
		"entitlements": []any{}, "app_permissions": s.appPermissions(e.place), "attachment_size_limit": mostFile,
		"authorizing_integration_owners": map[string]any{"0": cmp.Or(e.place.Guild, "0")},
	}
	if e.place.Foreign {
		p["authorizing_integration_owners"] = map[string]any{"1": i.Who.ID}
	}
	if e.place.Direct {
		p["context"], p["user"] = 1, userJSON(i.Who)
	} else {
		p["context"], p["guild_id"], p["guild_locale"] = 0, e.place.Guild, cmp.Or(i.GuildLocale, defaultLocale)
		p["guild"] = map[string]any{"id": e.place.Guild, "locale": cmp.Or(i.GuildLocale, defaultLocale), "features": []any{}}
		p["member"] = memberJSON(i.Who)
	}
	if e.on != nil {
		p["message"] = s.messageJSON(e.on)
	}
	e.payload = p
	return nil
}

// appPermissions are the bot's in a place: view, send, embed, attach, send in threads; none where it was forbidden.
func (s *Server) appPermissions(p Place) string {
	if s.channels.forbidden[p.Channel] {
		return "0"
	}
	return strconv.FormatUint(1<<10|1<<11|1<<14|1<<15|1<<38, 10)
}

// settle says where an interaction happens: a click where its message is, if nothing else is said.
func (s *Server) settle(i Interaction) Place {
	p := i.Where
	if p == (Place{}) && i.Modal.from != nil {
		return i.Modal.from.place
	}
	if m := s.messages[i.Target.ID]; p == (Place{}) && m != nil && (i.Kind == ButtonKind || i.Kind == SelectKind) {
		p.Channel, p.Guild = m.ChannelID, m.GuildID
		if len(m.watchers) > 0 {
			return m.watchers[0].place
		}
	}
	if p.Direct {
		p.Guild, p.Type = "", 1
		p.Channel = cmp.Or(p.Channel, directChannel(settleWho(i.Who).ID))
		return p
	}
	p.Guild, p.Channel = cmp.Or(p.Guild, guildID(0)), cmp.Or(p.Channel, defaultChannel)
	return p
}

func settleWho(w Person) Person {
	w.ID, w.Name = cmp.Or(w.ID, defaultPerson), cmp.Or(w.Name, "apprenti")
	w.Permissions = cmp.Or(w.Permissions, ordinary)
	return w
}

func userJSON(w Person) map[string]any {
	return map[string]any{"id": w.ID, "username": w.Name, "global_name": w.Name, "discriminator": "0", "avatar": nil, "bot": w.Bot, "public_flags": 0}
}

func memberJSON(w Person) map[string]any {
	nick := any(nil)
	if w.Nick != "" {
		nick = w.Nick
	}
	return map[string]any{"user": userJSON(w), "nick": nick, "avatar": nil, "roles": append([]string{}, w.Roles...),
		"joined_at": "2025-09-01T08:00:00.000000+00:00", "premium_since": nil, "deaf": false, "mute": false, "pending": false,
		"flags": 0, "communication_disabled_until": nil, "permissions": strconv.FormatUint(w.Permissions, 10)}
}

// channelJSON is the partial channel that comes with an interaction.
func channelJSON(p Place) map[string]any {
	c := map[string]any{"id": p.Channel, "type": p.Type, "flags": 0, "last_message_id": nil}
	if p.Direct {
		return c
	}
	c["name"], c["guild_id"], c["permissions"], c["position"], c["nsfw"] = "kubernetes", p.Guild, strconv.Itoa(ordinary), 0, false
	if p.Parent != "" {
		c["parent_id"] = p.Parent
	}
	if p.Owner != "" {
		c["owner_id"] = p.Owner
	}
	if p.Type == 11 || p.Type == 12 {
		c["thread_metadata"] = map[string]any{"archived": false, "auto_archive_duration": 1440, "locked": false,
			"archive_timestamp": "2025-09-01T08:00:00.000000+00:00"}
	}
	return c
}

// data is what is particular to the kind of interaction.
func (s *Server) data(e *Exchange, i Interaction) (map[string]any, error) {
	switch i.Kind {
	case SlashKind, AutocompleteKind:
		return s.slashData(e, i)
	case MessageCommandKind:
		id, _, err := s.registered(e.place.Guild, i.Command, commandMessage)
		if err != nil {
			return nil, err
		}
		return s.messageData(e, i, id), nil
	case ButtonKind, SelectKind:
		return s.componentData(e, i)
	}
	return s.modalData(e, i)
}

// registered finds a command's ID and description; where none at all is registered
// any name will do.
func (s *Server) registered(guild, name string, t int) (string, map[string]any, error) {
	any := 0
	for _, scope := range []string{guild, ""} {
		all := s.scope(scope).commands
		any += len(all)
		for _, c := range all {
			if c["name"] == name && typeOf(c) == t {
				return textOf(c["id"]), c, nil
			}
		}
	}
	if any > 0 {
		return "", nil, fmt.Errorf("no command %q of type %d is registered", name, t)
	}
	return s.snowflake(), nil, nil
}

func (s *Server) slashData(e *Exchange, i Interaction) (map[string]any, error) {
	id, c, err := s.registered(e.place.Guild, i.Command, commandSlash)
	if err != nil {
		return nil, err
	}
	if c != nil {
		if err := fits(i.Options, listOf(c["options"]), i.Kind == AutocompleteKind); err != nil {
			return nil, fmt.Errorf("command %s: %w", i.Command, err)
		}
	}
	attachments := map[string]any{}
	data := map[string]any{"id": id, "name": i.Command, "type": commandSlash}
	if len(i.Options) > 0 {
		data["options"] = s.optionsJSON(e, i.Options, attachments)
	}
	if len(attachments) > 0 {
		data["resolved"] = map[string]any{"attachments": attachments}
	}
	if !e.place.Direct && c != nil && c["guild_id"] != nil {
		data["guild_id"] = e.place.Guild
	}
	return data, nil
}

func (s *Server) optionsJSON(e *Exchange, options []Option, attachments map[string]any) []any {
	out := []any{}
	for _, o := range options {
		v := map[string]any{"name": o.Name, "type": o.Type}
		switch {
		case o.File != nil:
			a := s.keep("ephemeral-attachments", e.place.Channel, *o.File)
			attachments[a.ID] = attachmentJSON(a, true)
			v["value"] = a.ID
		case o.Type > optionGroup:
			v["value"] = o.Value
		default:
			v["options"] = s.optionsJSON(e, o.Options, attachments)
		}
		if o.Focused {
			v["focused"] = true
		}
		out = append(out, v)
	}
	return out
}

// fits holds options to what was registered, as Discord's client does.
func fits(given []Option, registered []any, typing bool) error {
	for _, o := range given {
		i := slices.IndexFunc(registered, func(v any) bool { return objectOf(v)["name"] == o.Name })
		if i < 0 {
			return fmt.Errorf("no option %q is registered", o.Name)
		}
		r := objectOf(registered[i])
		t := num(r["type"])
		switch {
		case t != o.Type && !o.Focused:
			return fmt.Errorf("option %q is of type %d, not %d", o.Name, t, o.Type)
		case o.Focused && r["autocomplete"] != true:
			return fmt.Errorf("option %q has no autocomplete", o.Name)
		}
		if err := choosable(o, listOf(r["choices"])); err != nil {
			return err
		}
		if t <= optionGroup {
			if err := fits(o.Options, listOf(r["options"]), typing); err != nil {
				return err
			}
		}
	}
	for _, v := range registered {
		r := objectOf(v)
		there := slices.ContainsFunc(given, func(o Option) bool { return o.Name == r["name"] })
		if r["required"] == true && !there && !typing {
			return fmt.Errorf("option %q is required", r["name"])
		}
	}
	if len(given) == 0 && len(registered) > 0 && num(objectOf(registered[0])["type"]) <= optionGroup {
		return errors.New("a sub-command is required")
	}
	return nil
}

func choosable(o Option, choices []any) error {
	for _, v := range choices {
		if fmt.Sprint(objectOf(v)["value"]) == fmt.Sprint(o.Value) {
			return nil
		}
	}
	if len(choices) > 0 {
		return fmt.Errorf("option %q has no choice %v", o.Name, o.Value)
	}
	return nil
}

// messageData resolves the message that a message command is used on.
func (s *Server) messageData(e *Exchange, i Interaction, id string) map[string]any {
	t := i.Target
	t.ID, t.ChannelID = cmp.Or(t.ID, s.snowflake()), e.place.Channel
	for n, a := range t.Attachments {
		if a.URL == "" {
			kept := s.keep("attachments", t.ChannelID, File{a.Filename, a.Type, a.Data})
			t.Attachments = slices.Clone(t.Attachments)
			t.Attachments[n] = kept
		}
	}
	resolved := s.messageJSON(&message{Message: t, posted: true})
	if _, ours := s.messages[t.ID]; !ours {
		resolved["author"] = userJSON(settleWho(Person{ID: "3000000000000000002", Name: "camarade"}))
		delete(resolved, "application_id")
	}
	return map[string]any{"id": id, "name": i.Command, "type": commandMessage, "target_id": t.ID,
		"resolved": map[string]any{"messages": map[string]any{t.ID: resolved}}}
}

// componentData is a click or a choice, on a message that has the component.
func (s *Server) componentData(e *Exchange, i Interaction) (map[string]any, error) {
	m := s.messages[i.Target.ID]
	if m == nil || m.Deleted {
		return nil, errors.New("the message of the component is not there")
	}
	var found *Component
	for _, state := range []Message{m.Message, i.Target} { // pressed a moment before an edit, too
		state.Walk(func(c Component) {
			if found == nil && c.CustomID == i.CustomID && c.CustomID != "" {
				found = &c
			}
		})
	}
	switch {
	case found == nil:
		return nil, fmt.Errorf("the message has no component %q", i.CustomID)
	case found.Disabled:
		return nil, fmt.Errorf("component %q is disabled", i.CustomID)
	case (found.Type == TypeButton) != (i.Kind == ButtonKind):
		return nil, fmt.Errorf("component %q is of type %d", i.CustomID, found.Type)
	}
	e.on = m
	data := map[string]any{"custom_id": i.CustomID, "component_type": found.Type, "id": found.ID}
	if i.Kind == ButtonKind {
		return data, nil
	}
	least, most := 1, 1
	if found.MinValues != nil {
		least = *found.MinValues
	}
	if found.MaxValues != nil {
		most = *found.MaxValues
	}
	if len(i.Values) < least || len(i.Values) > most {
		return nil, fmt.Errorf("menu %q takes %d to %d values, not %d", i.CustomID, least, most, len(i.Values))
	}
	for _, v := range i.Values {
		if found.Type == TypeSelect && !slices.ContainsFunc(found.Options, func(o SelectOption) bool { return o.Value == v }) {
			return nil, fmt.Errorf("menu %q has no option %q", i.CustomID, v)
		}
	}
	data["values"] = append([]string{}, i.Values...)
	return data, nil
}

// modalData is a form filled in, in the shape in which it was opened.
func (s *Server) modalData(e *Exchange, i Interaction) (map[string]any, error) {
	if i.Modal.from != nil {
		e.on = i.Modal.from.on
	}
	left, attachments := maps.Clone(i.Fields), map[string]any{}
	rows := []any{}
	for _, c := range i.Modal.Components {
		row := map[string]any{"type": c.Type, "id": c.ID}
		inside := c.Components
		if c.Component != nil {
			inside = []Component{*c.Component}
		}
		filled := []any{}
		for _, input := range inside {
			v, err := s.fieldJSON(e, input, i, attachments)
			if err != nil {
				return nil, err
			}
			delete(left, input.CustomID)
			filled = append(filled, v)
		}
		if c.Type == TypeLabel && len(filled) == 1 {
			row["component"] = filled[0]
		} else if c.Type == TypeRow {
			row["components"] = filled
		}
		rows = append(rows, row)
	}
	for name := range left {
		return nil, fmt.Errorf("the form has no field %q", name)
	}
	data := map[string]any{"custom_id": i.Modal.CustomID, "components": rows}
	if len(attachments) > 0 {
		data["resolved"] = map[string]any{"attachments": attachments}
	}
	return data, nil
}

// fieldJSON is one field of a form, filled in and held to its bounds.
func (s *Server) fieldJSON(e *Exchange, c Component, i Interaction, attachments map[string]any) (map[string]any, error) {
	out := map[string]any{"type": c.Type, "id": c.ID, "custom_id": c.CustomID}
	required := c.Required == nil || *c.Required
	text, given := i.Fields[c.CustomID]
	switch c.Type {
	case TypeTextInput:
		if !given {
			text = c.Value
		}
		n := utf8.RuneCountInString(text)
		if required && n == 0 || c.MinLength != nil && n > 0 && n < *c.MinLength || n > 4000 || c.MaxLength != nil && n > *c.MaxLength {
			return nil, fmt.Errorf("field %q does not take %d characters", c.CustomID, n)
		}
		out["value"] = text
	case TypeFileUpload:
		ids := []string{}
		for _, f := range i.Files[c.CustomID] {
			a := s.keep("ephemeral-attachments", e.place.Channel, f)
			attachments[a.ID] = attachmentJSON(a, true)
			ids = append(ids, a.ID)
		}
		most := 1
		if c.MaxValues != nil {
			most = *c.MaxValues
		}
		if required && len(ids) == 0 || len(ids) > most {
			return nil, fmt.Errorf("field %q does not take %d files", c.CustomID, len(ids))
		}
		out["values"] = ids
	default:
		out["values"] = []string{}
		if given {
			out["values"] = []string{text}
		}
	}
	return out, nil
}
