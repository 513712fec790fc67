package slacktest

import (
	"fmt"
	"unicode/utf8"
)

// modal is the view that a person submits or closes. The lock is held.
func (s *Server) modal(user, id string) (*view, error) {
	open := s.stacks[user]
	if id == "" && len(open) > 0 {
		return open[len(open)-1], nil
	}
	if v := s.views[id]; v != nil && v.User == user {
		return v, nil
	}
	return nil, fmt.Errorf("%s sees no modal %s", user, id)
}

func (i Submit) build(s *Server, x *Exchange) (envelope, error) {
	u, _, err := s.people(i.User, "")
	if err != nil {
		return envelope{}, err
	}
	v, err := s.modal(i.User, i.View)
	if err != nil {
		return envelope{}, err
	}
	state := map[string]any{}
	given := map[string]bool{}
	for _, b := range v.blocks {
		block := dict(b)
		e := dict(block["element"])
		if str(block["type"]) != "input" {
			continue
		}
		id := str(e["action_id"])
		value, has := i.Values[id]
		given[id] = true
		if !has {
			value = initial(e)
		}
		held, err := s.holding(e, value)
		if err == nil && !i.Forged {
			err = allowed(block, e, value)
		}
		if err != nil {
			return envelope{}, fmt.Errorf("input %q: %w", id, err)
		}
		state[str(block["block_id"])] = map[string]any{id: held}
	}
	for id := range i.Values {
		if !given[id] {
			return envelope{}, fmt.Errorf("there is no input %q", id)
		}
	}
	v.filled = state
	x.view = v
	p := s.interaction(x, "view_submission", u, nil)
	shown := s.wireView(v)
	if i.Metadata != "" {
		shown["private_metadata"] = i.Metadata
	}
	p["view"], p["trigger_id"], p["response_urls"] = shown, s.newTrigger(x), []any{}
	return envelope{"interactive", p}, nil
}

// initial is what an input holds before anybody touches it.
func initial(e map[string]any) any {
	if o := e["initial_option"]; o != nil {
		return str(dict(o)["value"])
	}
	var values []string
	for _, o := range array(e["initial_options"]) {
		values = append(values, str(dict(o)["value"]))
	}
	if values != nil {
		return values
	}
	for _, name := range []string{"initial_value", "initial_user", "initial_channel", "initial_date", "initial_time"} {
		if v := str(e[name]); v != "" {
			return v
		}
	}
	return nil
}

// holding is the state of an input with a value. The lock is held.
func (s *Server) holding(e map[string]any, value any) (map[string]any, error) {
	kind := str(e["type"])
	text, _ := value.(string)
	many, _ := value.([]string)
	if kind == "file_input" {
		for _, id := range many {
			if s.files[id] == nil {
				return nil, fmt.Errorf("there is no file %q", id)
			}
		}
		return map[string]any{"type": kind, "files": s.wireFiles(many)}, nil
	}
	if value == nil {
		switch kind {
		case "checkboxes", "multi_static_select":
			return map[string]any{"type": kind, "selected_options": []any{}}, nil
		case "static_select", "external_select", "radio_buttons":
			return map[string]any{"type": kind, "selected_option": nil}, nil
		}
		return map[string]any{"type": kind, "value": nil}, nil
	}
	return use(e, text, many)
}

// allowed is the client's own check of an input.
func allowed(block, e map[string]any, value any) error {
	text, isText := value.(string)
	many, isMany := value.([]string)
	if block["optional"] != true && (value == nil || isText && text == "" || isMany && len(many) == 0) {
		return fmt.Errorf("is required")
	}
	n := utf8.RuneCountInString(text)
	if most, ok := e["max_length"].(float64); ok && n > int(most) {
		return fmt.Errorf("takes %v characters", most)
	}
	if str(e["type"]) == "plain_text_input" && n > mostInput {
		return fmt.Errorf("takes %d characters", mostInput)
	}
	if least, ok := e["min_length"].(float64); ok && value != nil && n < int(least) {
		return fmt.Errorf("asks for %v characters", least)
	}
	if most, ok := e["max_files"].(float64); ok && len(many) > int(most) {
		return fmt.Errorf("takes %v files", most)
	}
	return nil
}

func (i CloseView) build(s *Server, x *Exchange) (envelope, error) {
	u, _, err := s.people(i.User, "")
	if err != nil {
		return envelope{}, err
	}
	v, err := s.modal(i.User, i.View)
	if err != nil {
		return envelope{}, err
	}
	if v.source["notify_on_close"] != true {
		return envelope{}, fmt.Errorf("view %s does not ask for notify_on_close", v.ID)
	}
	if i.Cleared {
		s.closeViews(i.User)
	} else {
		s.closeView(v)
	}
	p := s.interaction(x, "view_closed", u, nil)
	p["view"], p["is_cleared"] = s.wireView(v), i.Cleared
	return envelope{"interactive", p}, nil
}
