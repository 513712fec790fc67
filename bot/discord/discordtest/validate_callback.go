package discordtest

import "slices"

// responses are the types that may answer each kind of interaction
// (interactions/receiving-and-responding#interaction-response-object-interaction-callback-type).
var responses = map[Kind][]int{
	SlashKind:          {RespondMessage, RespondDefer, RespondModal},
	MessageCommandKind: {RespondMessage, RespondDefer, RespondModal},
	AutocompleteKind:   {RespondChoices},
	ButtonKind:         {RespondMessage, RespondDefer, RespondDeferUpdate, RespondUpdate, RespondModal},
	SelectKind:         {RespondMessage, RespondDefer, RespondDeferUpdate, RespondUpdate, RespondModal},
	ModalKind:          {RespondMessage, RespondDefer, RespondDeferUpdate, RespondUpdate},
}

// callback holds a first response against every rule.
func (r *report) callback(e *Exchange, body map[string]any, files map[int]upload) {
	r.object(nil, body, object{"type": {kind: integer, need: true}, "data": {kind: anything, null: true}})
	t := num(body["type"])
	if !slices.Contains(responses[e.kind], t) || (t == RespondDeferUpdate || t == RespondUpdate) && e.target() == nil {
		r.add([]string{"type"}, codeChoice, "Value must be one of %v here.", responses[e.kind])
		return
	}
	path, data := []string{"data"}, objectOf(body["data"])
	if data == nil && t != RespondDefer && t != RespondDeferUpdate {
		r.add(path, codeRequired, "This field is required")
		return
	}
	switch t {
	case RespondMessage:
		r.message(path, data, byCallback, nil, files)
	case RespondUpdate:
		r.message(path, data, byCallbackEdit, e.target(), files)
	case RespondDefer:
		r.object(path, orEmpty(data), object{"flags": {kind: integer, null: true}})
		r.flags(path, data, sending{flags: FlagEphemeral})
	case RespondDeferUpdate:
		r.object(path, orEmpty(data), object{})
	case RespondChoices:
		r.object(path, data, object{"choices": {kind: list, max: 25, need: true, of: &rule{kind: obj, object: choiceFields}}})
		r.choices(at(path, "choices"), listOf(data["choices"]), e.focusedType())
	case RespondModal:
		r.modal(path, data)
	}
}

func orEmpty(data map[string]any) map[string]any {
	if data == nil {
		return map[string]any{}
	}
	return data
}

// modal holds a form against every rule (#interaction-response-object-modal).
func (r *report) modal(path []string, data map[string]any) {
	r.object(path, data, object{
		"custom_id":  customID,
		"title":      {min: 1, max: 45, need: true},
		"components": {kind: list, min: 1, max: mostModal, need: true, of: &rule{kind: component, enum: inModal}},
	})
	path = at(path, "components")
	all := listOf(data["components"])
	for i, v := range all {
		c := objectOf(v)
		switch num(c["type"]) {
		case TypeRow:
			for j, inner := range listOf(c["components"]) {
				if input := objectOf(inner); num(input["type"]) == TypeTextInput && blank(input["label"]) {
					r.add(at(path, i, "components", j, "label"), codeRequired, "This field is required")
				}
			}
		case TypeLabel:
			inner := objectOf(c["component"])
			if num(inner["type"]) == TypeTextInput && !blank(inner["label"]) {
				r.add(at(path, i, "component", "label"), "COMPONENT_LABEL_IN_LABEL", "Inside a Label the Label has the label")
			}
			if inner["disabled"] == true {
				r.add(at(path, i, "component", "disabled"), codeChoice, "A menu in a form cannot be disabled")
			}
		}
	}
	r.parts(path, all, []int{TypeTextInput})
	eachComponent(all, func(c map[string]any) {
		least, _ := intOf(c["min_length"])
		if most, ok := intOf(c["max_length"]); ok && least > most {
			r.add(path, codeRange, "min_length %d is more than max_length %d", least, most)
		}
	})
}
