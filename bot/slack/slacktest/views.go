package slacktest

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// Limits of modals.
//
// https://docs.slack.dev/surfaces/modals: a stack holds three
// https://docs.slack.dev/interactivity/handling-user-interaction: a trigger ID lasts 3 s
const (
	mostViews    = 3
	triggerLasts = 3 * time.Second
)

// view is a View that is kept, with its blocks parsed.
type view struct {
	View
	blocks []any
	source map[string]any // as the bot sent it
	filled map[string]any // state.values
}

// trigger is the right to open one modal.
type trigger struct {
	at   time.Time
	used bool
	by   *Exchange
}

// modalFields and homeFields are what a view may hold.
//
// https://docs.slack.dev/reference/views/modal-views
// https://docs.slack.dev/reference/views/home-tab-views
func modalFields() shape {
	return with(homeFields(), shape{
		"type*": oneOf("modal"), "title*": plain(mostTitle), "submit": plain(mostTitle), "close": plain(mostTitle),
		"clear_on_close": boolean, "notify_on_close": boolean, "submit_disabled": boolean,
	})
}

func homeFields() shape {
	return shape{
		"type*": oneOf("home"), "private_metadata": characters(0, mostMetadata), "callback_id": characters(0, mostID),
		"external_id": characters(0, mostID),
		"blocks*": func(c *checker, at string, v any) {
			c.blocks(at, v, 0, mostViewBlocks)
		},
	}
}

// checkView is the answer to a view that Slack refuses. The lock is held.
func (s *Server) checkView(kind string, v any) answer {
	c := s.checker(kind)
	fields := s.rules.modal
	if kind == "home" {
		fields = s.rules.home
	}
	m, isObject := c.object("/view", v, fields)
	if isObject && kind == "modal" && m["submit"] == nil {
		for _, b := range array(m["blocks"]) {
			if str(dict(b)["type"]) == "input" {
				c.bad("/view", "missing required field: submit")
				break
			}
		}
	}
	s.pings = append(s.pings, c.pings...)
	if len(c.problems) > 0 {
		a := wrong("invalid_arguments", c.problems...)
		a.breach = !c.onlyPending()
		return a
	}
	return answer{}
}

// fill makes v show what the bot sent. The lock is held.
func (s *Server) fill(v *view, source map[string]any) {
	blocks := array(source["blocks"])
	s.identify(blocks)
	v.source, v.blocks, v.filled = source, blocks, map[string]any{}
	v.Type, v.CallbackID, v.Metadata, v.External = str(source["type"]), str(source["callback_id"]), str(source["private_metadata"]), str(source["external_id"])
	v.Blocks, v.Raw, v.Errors = encode(blocks), encode(source), nil
	v.Hash = fmt.Sprintf("%d.%08x", s.now().Unix(), s.next())
}

// wireView is a view as the bot receives it.
func (s *Server) wireView(v *view) map[string]any {
	w := map[string]any{
		"title": nil, "submit": nil, "close": nil, "clear_on_close": false, "notify_on_close": false,
		"private_metadata": "", "callback_id": "", "external_id": "",
	}
	for name, value := range v.source {
		w[name] = value
	}
	return merge(w, map[string]any{
		"id": v.ID, "team_id": s.cfg.Team, "app_id": s.cfg.App, "bot_id": "B0BOT", "hash": v.Hash, "root_view_id": v.Root,
		"previous_view_id": v.Previous, "blocks": v.blocks, "state": map[string]any{"values": v.filled}, "app_installed_team_id": s.cfg.Team,
	})
}

// redeem uses up a trigger ID.
func (s *Server) redeem(id string) (*trigger, answer) {
	t := s.triggers[id]
	switch {
	case t == nil:
		return nil, wrong("invalid_trigger_id")
	case t.used:
		return nil, wrong("exchanged_trigger_id")
	case s.now().Sub(t.at) > triggerLasts:
		return nil, fails("expired_trigger_id")
	}
	return t, answer{}
}

func (s *Server) openView(r request) answer { return s.showView(r, false) }

func (s *Server) pushView(r request) answer { return s.showView(r, true) }

func (s *Server) showView(r request, push bool) answer {
	t, a := s.redeem(r.str("trigger_id"))
	if t == nil {
		return a
	}
	if a := s.checkView("modal", r.args["view"]); a.err != "" {
		return a
	}
	user := t.by.User
	switch {
	case push && len(s.stacks[user]) == 0:
		return fails("not_found")
	case push && len(s.stacks[user]) >= mostViews:
		return wrong("push_limit_reached")
	case s.external(str(dict(r.args["view"])["external_id"])) != nil:
		return wrong("duplicate_external_id")
	}
	t.used = true
	if !push {
		s.closeViews(user)
	}
	v := s.stack(user, dict(r.args["view"]))
	s.tell(t.by, r.method, Opened, nil, v)
	return ok(map[string]any{"view": s.wireView(v)})
}

// stack puts a new modal on top of a user's. The lock is held.
func (s *Server) stack(user string, source map[string]any) *view {
	v := &view{View: View{ID: fmt.Sprintf("V%d", s.next()), User: user}}
	v.Root = v.ID
	if open := s.stacks[user]; len(open) > 0 {
		v.Root, v.Previous = open[0].ID, open[len(open)-1].ID
	}
	s.fill(v, source)
	s.views[v.ID] = v
	s.stacks[user] = append(s.stacks[user], v)
	return v
}

// closeViews closes all of a user's modals. The lock is held.
func (s *Server) closeViews(user string) {
	for _, v := range s.stacks[user] {
		v.Closed = true
		delete(s.views, v.ID)
	}
	delete(s.stacks, user)
}

// closeView closes one modal. The lock is held.
func (s *Server) closeView(v *view) {
	v.Closed = true
	delete(s.views, v.ID)
	s.stacks[v.User] = slices.DeleteFunc(s.stacks[v.User], func(o *view) bool { return o == v })
}

func (s *Server) external(id string) *view {
	for _, v := range s.views {
		if id != "" && v.External == id {
			return v
		}
	}
	return nil
}

func (s *Server) updateView(r request) answer {
	v := s.views[r.str("view_id")]
	if v == nil {
		v = s.external(r.str("external_id"))
	}
	switch {
	case r.str("view_id") == "" && r.str("external_id") == "":
		return wrong("invalid_arguments", "[ERROR] missing view_id or external_id")
	case v == nil:
		return fails("not_found")
	case r.str("hash") != "" && r.str("hash") != v.Hash:
		return fails("hash_conflict")
	}
	if a := s.checkView("modal", r.args["view"]); a.err != "" {
		return a
	}
	s.fill(v, dict(r.args["view"]))
	s.tell(nil, r.method, Refreshed, nil, v)
	return ok(map[string]any{"view": s.wireView(v)})
}

func (s *Server) publishView(r request) answer {
	user := r.str("user_id")
	if s.users[user] == nil {
		return fails("user_not_found")
	}
	v := s.homes[user]
	if hash := r.str("hash"); hash != "" && (v == nil || hash != v.Hash) {
		return fails("hash_conflict")
	}
	if a := s.checkView("home", r.args["view"]); a.err != "" {
		return a
	}
	if v == nil {
		v = &view{View: View{ID: fmt.Sprintf("V%d", s.next()), User: user}}
		v.Root = v.ID
		s.homes[user] = v
	}
	s.fill(v, dict(r.args["view"]))
	s.tell(nil, r.method, Published, nil, v)
	return ok(map[string]any{"view": s.wireView(v)})
}

// Home is the person's home tab as it was published last.
func (s *Server) Home(user string) (View, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.homes[user]; v != nil {
		return v.View, true
	}
	return View{}, false
}

// Views are the person's open modals, the topmost last.
func (s *Server) Views(user string) []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []View
	for _, v := range s.stacks[user] {
		all = append(all, v.View)
	}
	return all
}

// answerView does what the acknowledgement of a submission asks for. The lock is held.
//
// https://docs.slack.dev/surfaces/modals#response_actions
func (s *Server) answerView(x *Exchange, payload map[string]any) {
	v := x.view
	show := func(do func(source map[string]any)) {
		if a := s.checkView("modal", payload["view"]); a.err != "" {
			s.fault("ack of view_submission: %s %v", a.err, a.notes)
			return
		}
		do(dict(payload["view"]))
	}
	switch action := str(payload["response_action"]); action {
	case "":
		s.closeView(v)
		s.tell(x, "ack", Closed, nil, v)
	case "clear":
		s.closeViews(v.User)
		s.tell(x, "ack", Closed, nil, v)
	case "errors":
		v.Errors = map[string]string{}
		for block, text := range dict(payload["errors"]) {
			if !slices.ContainsFunc(v.blocks, func(b any) bool {
				return str(dict(b)["type"]) == "input" && str(dict(b)["block_id"]) == block
			}) {
				s.fault("ack of view_submission: errors name %q, which is no input block", block)
			}
			if n := utf8.RuneCountInString(str(text)); n == 0 || n > mostLabel {
				s.fault("ack of view_submission: an error of %d characters", n)
			}
			v.Errors[block] = str(text)
		}
		if len(v.Errors) == 0 {
			s.fault("ack of view_submission: errors without any")
		}
		s.tell(x, "ack", Errors, nil, v)
	case "update":
		show(func(source map[string]any) { s.fill(v, source); s.tell(x, "ack", Refreshed, nil, v) })
	case "push":
		show(func(source map[string]any) { s.tell(x, "ack", Opened, nil, s.stack(v.User, source)) })
	default:
		s.fault("ack of view_submission: unknown response_action %q", action)
	}
}
