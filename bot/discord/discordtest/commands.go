package discordtest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// scope is the commands of one server, or the global ones.
type scope struct {
	commands []map[string]any
	created  []time.Time // in the last day
}

func (s *Server) scope(guild string) *scope {
	sc := s.commands[guild]
	if sc == nil {
		sc = &scope{}
		s.commands[guild] = sc
	}
	return sc
}

// Commands are the commands registered for a guild, or global ones for "", as GET
// gives them with their localisations.
func (s *Server) Commands(guild string) []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []json.RawMessage
	for _, c := range s.scope(guild).commands {
		all = append(all, mustJSON(c))
	}
	return all
}

func (s *Server) findScope(c *call) *failure {
	if c.http.PathValue("app") != s.cfg.ApplicationID {
		return fail(http.StatusForbidden, 20012, "You are not authorized to perform this action on this application")
	}
	return nil
}

func (s *Server) findCommand(c *call) *failure {
	if f := s.findScope(c); f != nil {
		return f
	}
	if s.named(c) == nil {
		return unknownCommand()
	}
	return nil
}

// named is the command in the path.
func (s *Server) named(c *call) map[string]any {
	all := s.scope(c.http.PathValue("guild")).commands
	if i := slices.IndexFunc(all, func(o map[string]any) bool { return o["id"] == c.http.PathValue("command") }); i >= 0 {
		return all[i]
	}
	return nil
}

func checkCommand(s *Server, c *call) {
	c.report.command(nil, c.body, c.http.PathValue("guild") == "")
	s.checkNames(c, c.body)
}

// checkNames asks that a command's names are its own in every language.
func (s *Server) checkNames(c *call, body map[string]any) {
	all := []any{}
	for _, o := range s.scope(c.http.PathValue("guild")).commands {
		same := o["name"] == body["name"] || o["id"] == c.http.PathValue("command")
		if typeOf(o) == cmp.Or(num(body["type"]), commandSlash) && !same {
			all = append(all, o)
		}
	}
	c.report.unique(nil, append(all, body))
}

// checkCommandChange holds a change to what the whole command would be.
func checkCommandChange(s *Server, c *call) {
	whole := changed(s.named(c), c.body)
	c.report.command(nil, whole, c.http.PathValue("guild") == "")
	s.checkNames(c, whole)
}

// changed lays a change over what a person can say of a command.
func changed(old, body map[string]any) map[string]any {
	whole := map[string]any{}
	for name := range commandFields {
		if v, given := old[name]; given && name != "id" && v != nil {
			whole[name] = v
		}
	}
	whole["type"] = json.Number(itoa(typeOf(old)))
	maps.Copy(whole, body)
	return whole
}

func checkCommands(_ *Server, c *call) {
	byType := map[int][]any{}
	for i, v := range c.list {
		o := objectOf(v)
		if o == nil {
			c.report.add([]string{itoa(i)}, codeType, "Only dictionaries may be used in a dictionary type.")
			continue
		}
		c.report.command([]string{itoa(i)}, o, c.http.PathValue("guild") == "")
		t := cmp.Or(num(o["type"]), commandSlash)
		byType[t] = append(byType[t], v)
	}
	if c.list == nil {
		c.report.add(nil, codeType, "Only iterables may be used in a list.")
	}
	for t, all := range byType {
		c.report.unique(nil, all)
		if len(all) > mostOf(t) {
			c.report.add(nil, codeLength, "Must be %d or fewer in length.", mostOf(t))
		}
	}
}

func mostOf(t int) int {
	if t == commandSlash {
		return mostSlash
	}
	return mostOther
}

func (s *Server) listCommands(c *call) (int, any, *failure) {
	all := []any{}
	for _, o := range s.scope(c.http.PathValue("guild")).commands {
		if c.http.URL.Query().Get("with_localizations") != "true" {
			o = withoutLocalisations(o)
		}
		all = append(all, o)
	}
	return http.StatusOK, all, nil
}

// withoutLocalisations is a command, option or choice as GET gives it unless asked for more.
func withoutLocalisations(o map[string]any) map[string]any {
	o = maps.Clone(o)
	delete(o, "name_localizations")
	delete(o, "description_localizations")
	for _, field := range []string{"options", "choices"} {
		var inner []any
		for _, v := range listOf(o[field]) {
			inner = append(inner, withoutLocalisations(objectOf(v)))
		}
		if inner != nil {
			o[field] = inner
		}
	}
	return o
}

func (s *Server) getCommand(c *call) (int, any, *failure) { return http.StatusOK, s.named(c), nil }

// createCommand makes a command, or replaces the one of its name and type.
func (s *Server) createCommand(c *call) (int, any, *failure) {
	guild := c.http.PathValue("guild")
	sc := s.scope(guild)
	old := sc.find(c.body)
	t := cmp.Or(num(c.body["type"]), commandSlash)
	if old < 0 {
		same := 0
		for _, o := range sc.commands {
			same += boolInt(typeOf(o) == t)
		}
		if same >= mostOf(t) {
			return 0, nil, fail(http.StatusBadRequest, 30032, "Maximum number of application commands reached ("+itoa(mostOf(t))+").")
		}
		if f := s.count(sc, 1); f != nil {
			return 0, nil, f
		}
		made := s.made(c.body, guild, nil)
		sc.commands = append(sc.commands, made)
		return http.StatusCreated, made, nil
	}
	sc.commands[old] = s.made(c.body, guild, sc.commands[old])
	return http.StatusOK, sc.commands[old], nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// typeOf is a kept command's type.
func typeOf(o map[string]any) int { t, _ := o["type"].(int); return t }

// find is where the command of a body's name and type is, or -1.
func (sc *scope) find(body map[string]any) int {
	return slices.IndexFunc(sc.commands, func(o map[string]any) bool {
		return o["name"] == body["name"] && typeOf(o) == cmp.Or(num(body["type"]), commandSlash)
	})
}

// count counts creations against the day's.
func (s *Server) count(sc *scope, n int) *failure {
	day := s.now().Add(-24 * time.Hour)
	sc.created = slices.DeleteFunc(sc.created, day.After)
	if len(sc.created)+n > mostCreations {
		return fail(http.StatusBadRequest, 30034, "Max number of daily application command creates has been reached (200).")
	}
	for range n {
		sc.created = append(sc.created, s.now())
	}
	return nil
}

func (s *Server) replaceCommands(c *call) (int, any, *failure) {
	guild := c.http.PathValue("guild")
	sc := s.scope(guild)
	fresh := 0
	for _, v := range c.list {
		fresh += boolInt(sc.find(objectOf(v)) < 0)
	}
	if f := s.count(sc, fresh); f != nil {
		return 0, nil, f
	}
	next := []map[string]any{}
	for _, v := range c.list {
		var old map[string]any
		if i := sc.find(objectOf(v)); i >= 0 {
			old = sc.commands[i]
		}
		next = append(next, s.made(objectOf(v), guild, old))
	}
	sc.commands = next
	return http.StatusOK, next, nil
}

func (s *Server) changeCommand(c *call) (int, any, *failure) {
	guild := c.http.PathValue("guild")
	sc := s.scope(guild)
	i := slices.IndexFunc(sc.commands, func(o map[string]any) bool { return o["id"] == c.http.PathValue("command") })
	sc.commands[i] = s.made(changed(sc.commands[i], c.body), guild, sc.commands[i])
	return http.StatusOK, sc.commands[i], nil
}

func (s *Server) deleteCommand(c *call) (int, any, *failure) {
	sc := s.scope(c.http.PathValue("guild"))
	sc.commands = slices.DeleteFunc(sc.commands, func(o map[string]any) bool { return o["id"] == c.http.PathValue("command") })
	return http.StatusNoContent, nil, nil
}

// made is a command as Discord keeps it: every field there, at its default where the
// body says nothing (#application-command-object); of an option that is not required
// the field required is left out.
func (s *Server) made(body map[string]any, guild string, old map[string]any) map[string]any {
	o := map[string]any{
		"id": s.snowflake(), "application_id": s.cfg.ApplicationID, "version": s.snowflake(),
		"type": cmp.Or(num(body["type"]), commandSlash), "name": body["name"], "name_localizations": body["name_localizations"],
		"description": textOf(body["description"]), "description_localizations": body["description_localizations"],
		"default_member_permissions": body["default_member_permissions"], "nsfw": body["nsfw"] == true,
	}
	if old != nil {
		o["id"] = old["id"]
	}
	if options := listOf(body["options"]); len(options) > 0 {
		o["options"] = tidy(options)
	}
	if guild != "" {
		o["guild_id"] = guild
		return o
	}
	o["dm_permission"] = body["dm_permission"] != false
	o["contexts"] = body["contexts"]
	o["integration_types"] = body["integration_types"]
	if body["integration_types"] == nil {
		o["integration_types"] = []any{json.Number("0")}
	}
	return o
}

func tidy(options []any) []any {
	out := []any{}
	for _, v := range options {
		o := maps.Clone(objectOf(v))
		maps.DeleteFunc(o, func(_ string, v any) bool { return v == nil || v == false || isEmptyList(v) })
		if inner := listOf(o["options"]); inner != nil {
			o["options"] = tidy(inner)
		}
		out = append(out, o)
	}
	return out
}
