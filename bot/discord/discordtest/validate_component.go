package discordtest

import (
	"slices"
	"unicode/utf8"
)

// The limits of components/reference.
const (
	mostComponents   = 40 // in all, nested ones too, with FlagComponentsV2
	mostRows         = 5
	mostDisplayed    = 4000 // characters over all text displays of a message
	mostModal        = 5
	buttonLink       = 5
	buttonPremium    = 6
	selectUser       = 5
	selectRole       = 6
	selectMentions   = 7
	selectChannel    = 8
	mostSelectValues = 25
)

var (
	topLevel  = []int{TypeRow, TypeSection, TypeText, TypeGallery, TypeFile, TypeSeparator, TypeContainer}
	inRow     = []int{TypeButton, TypeSelect, selectUser, selectRole, selectMentions, selectChannel}
	selects   = inRow[1:]
	inModal   = []int{TypeRow, TypeText, TypeLabel}
	inLabel   = []int{TypeSelect, TypeTextInput, selectUser, selectRole, selectMentions, selectChannel, TypeFileUpload}
	firstOnly = []int{TypeRow}
)

var (
	typeField  = rule{kind: integer, need: true}
	idField    = rule{kind: integer, max: 1<<31 - 1, null: true}
	customID   = rule{min: 1, max: 100, need: true}
	emojiField = rule{kind: obj, null: true, object: object{
		"id": {kind: snowflake, null: true}, "name": {max: 32, null: true}, "animated": optional}}
	mediaField = rule{kind: obj, need: true, object: object{"url": {min: 1, max: 2048, need: true, check: mediaURI.check}}}
	altText    = rule{min: 1, max: 1024, null: true}
)

// components are the fields of each type that the bot may use. Radio groups and
// checkboxes (21 to 23) are not among them.
var components = map[int]object{
	TypeRow: {"type": typeField, "id": idField,
		"components": {kind: list, min: 1, max: 5, need: true, of: &rule{kind: component, enum: append(slices.Clone(inRow), TypeTextInput)}}},
	TypeButton: {"type": typeField, "id": idField,
		"style":     {kind: integer, min: 1, max: 6, need: true},
		"label":     {max: 80, null: true},
		"emoji":     emojiField,
		"custom_id": {min: 1, max: 100, null: true},
		"sku_id":    {kind: snowflake, null: true},
		"url":       {max: 512, null: true, check: address("http://", "https://", "discord://")},
		"disabled":  optional},
	TypeSelect: menu(object{"options": {kind: list, min: 1, max: 25, need: true, of: &rule{kind: obj, object: object{
		"label":       {min: 1, max: 100, need: true},
		"value":       {min: 1, max: 100, need: true},
		"description": {max: 100, null: true},
		"emoji":       emojiField,
		"default":     optional}}}}),
	selectUser:     menu(defaults),
	selectRole:     menu(defaults),
	selectMentions: menu(defaults),
	selectChannel:  menu(object{"default_values": defaults["default_values"], "channel_types": {kind: list, null: true, of: &rule{kind: integer}}}),
	TypeTextInput: {"type": typeField, "id": idField, "custom_id": customID,
		"style":       {kind: integer, min: 1, max: 2, need: true},
		"label":       {min: 1, max: 45, null: true},
		"min_length":  {kind: integer, max: 4000, null: true},
		"max_length":  {kind: integer, min: 1, max: 4000, null: true},
		"required":    optional,
		"value":       {max: 4000, null: true},
		"placeholder": {max: 100, null: true}},
	TypeSection: {"type": typeField, "id": idField,
		"components": {kind: list, min: 1, max: 3, need: true, of: &rule{kind: component, enum: []int{TypeText}}},
		"accessory":  {kind: component, need: true, enum: []int{TypeButton, TypeThumbnail}}},
	TypeText: {"type": typeField, "id": idField, "content": {min: 1, max: mostDisplayed, need: true}},
	TypeThumbnail: {"type": typeField, "id": idField,
		"media": mediaField, "description": altText, "spoiler": optional},
	TypeGallery: {"type": typeField, "id": idField,
		"items": {kind: list, min: 1, max: 10, need: true, of: &rule{kind: obj, object: object{
			"media": mediaField, "description": altText, "spoiler": optional}}}},
	TypeFile: {"type": typeField, "id": idField, "spoiler": optional,
		"file": {kind: obj, need: true, object: object{"url": {min: 1, max: 2048, need: true, check: address("attachment://")}}}},
	TypeSeparator: {"type": typeField, "id": idField, "divider": optional, "spacing": {kind: integer, min: 1, max: 2, null: true}},
	TypeContainer: {"type": typeField, "id": idField,
		"components":   {kind: list, min: 1, max: mostComponents, need: true, of: &rule{kind: component, enum: topLevel[:6]}},
		"accent_color": {kind: integer, max: 0xFFFFFF, null: true},
		"spoiler":      optional},
	TypeLabel: {"type": typeField, "id": idField,
		"label":       {min: 1, max: 45, need: true},
		"description": {max: 100, null: true},
		"component":   {kind: component, need: true, enum: inLabel}},
	TypeFileUpload: {"type": typeField, "id": idField, "custom_id": customID,
		"min_values": {kind: integer, max: 10, null: true},
		"max_values": {kind: integer, min: 1, max: 10, null: true},
		"required":   optional},
}

var defaults = object{"default_values": {kind: list, max: mostSelectValues, null: true, of: &rule{kind: obj, object: object{
	"id": {kind: snowflake, need: true}, "type": {need: true}}}}}

// menu is what the selects share.
func menu(more object) object {
	all := object{"type": typeField, "id": idField, "custom_id": customID,
		"placeholder": {max: 150, null: true},
		"min_values":  {kind: integer, max: mostSelectValues, null: true},
		"max_values":  {kind: integer, min: 1, max: mostSelectValues, null: true},
		"disabled":    optional,
		"required":    optional}
	for name, r := range more {
		all[name] = r
	}
	return all
}

// eachComponent visits components depth first.
func eachComponent(all []any, visit func(map[string]any)) {
	for _, v := range all {
		c := objectOf(v)
		if c == nil {
			continue
		}
		visit(c)
		eachComponent(listOf(c["components"]), visit)
		for _, inner := range []string{"accessory", "component"} {
			if c[inner] != nil {
				eachComponent([]any{c[inner]}, visit)
			}
		}
	}
}

// firstVersion holds components to the rules without FlagComponentsV2: rows alone.
func (r *report) firstVersion(path []string, body map[string]any) {
	rows := listOf(body["components"])
	path = at(path, "components")
	if len(rows) > mostRows {
		r.add(path, codeLength, "Must be between 1 and %d in length.", mostRows)
	}
	for i, v := range rows {
		if t := num(objectOf(v)["type"]); t != TypeRow && t != 0 {
			r.add(at(path, i, "type"), codeChoice, "Value of field \"type\" must be one of %v.", firstOnly)
		}
	}
	r.parts(path, rows, inRow)
}

// secondVersion holds a message to the rules of FlagComponentsV2.
func (r *report) secondVersion(path []string, body map[string]any, old *message, names map[string]bool) {
	for _, field := range []string{"content", "embeds", "poll", "sticker_ids"} {
		if !blank(body[field]) {
			r.add(at(path, field), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "The %s field cannot be used when using MessageFlags.IS_COMPONENTS_V2", field)
		}
	}
	if old != nil && old.Flags&FlagComponentsV2 == 0 {
		if _, cleared := body["content"]; old.Content != "" && !cleared {
			r.add(at(path, "content"), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "The message has content: set it to null")
		}
		if _, cleared := body["embeds"]; len(old.Embeds) > 0 && !cleared {
			r.add(at(path, "embeds"), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "The message has embeds: set them to null")
		}
	}
	all, given := body["components"].([]any)
	path = at(path, "components")
	if given && len(all) == 0 && len(names) == 0 {
		r.add(path, codeRequired, "A message with IS_COMPONENTS_V2 has components")
	}
	count, chars := 0, 0
	eachComponent(all, func(c map[string]any) {
		count++
		if num(c["type"]) == TypeText {
			chars += utf8.RuneCountInString(textOf(c["content"]))
		}
	})
	if count > mostComponents {
		r.add(path, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "The maximum number of components is %d, nested ones included", mostComponents)
	}
	if chars > mostDisplayed {
		r.add(path, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", "Total characters of text cannot exceed %d", mostDisplayed)
	}
	r.parts(path, all, inRow)
}

// parts holds components to the rules between their fields, and their IDs to be unique.
func (r *report) parts(path []string, all []any, row []int) {
	customIDs, ids := map[string]bool{}, map[int]bool{}
	eachComponent(all, func(c map[string]any) {
		if id := textOf(c["custom_id"]); id != "" {
			if customIDs[id] {
				r.add(path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated: %s", show(id))
			}
			customIDs[id] = true
		}
		if id, ok := intOf(c["id"]); ok && id != 0 {
			if ids[id] {
				r.add(path, "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated: %d", id)
			}
			ids[id] = true
		}
		switch t := num(c["type"]); {
		case t == TypeRow:
			r.row(path, listOf(c["components"]), row)
		case t == TypeButton:
			r.button(path, c)
		case slices.Contains(selects, t), t == TypeFileUpload:
			r.values(path, c)
		}
	})
}

func (r *report) row(path []string, inside []any, allowed []int) {
	buttons := 0
	for _, v := range inside {
		t := num(objectOf(v)["type"])
		if t == TypeButton {
			buttons++
		}
		if !slices.Contains(allowed, t) {
			r.add(path, codeChoice, "A row here holds %v only, not %d", allowed, t)
		}
	}
	if buttons != len(inside) && len(inside) > 1 {
		r.add(path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width: a row holds up to 5 buttons or 1 menu")
	}
}

func (r *report) button(path []string, c map[string]any) {
	has := func(field string) bool { return !blank(c[field]) }
	link, premium := num(c["style"]) == buttonLink, num(c["style"]) == buttonPremium
	switch {
	case premium && (!has("sku_id") || has("label") || has("custom_id") || has("url")):
		r.add(path, codeRequired, "A premium button has a sku_id alone")
	case link && (!has("url") || has("custom_id")):
		r.add(path, codeRequired, "A link button has a url and no custom_id")
	case !link && !premium && (!has("custom_id") || has("url")):
		r.add(path, codeRequired, "A custom id and url cannot both be specified, and a button has one")
	case !premium && !has("label") && !has("emoji"):
		r.add(path, codeRequired, "A button must have either a label or emoji")
	}
}

func (r *report) values(path []string, c map[string]any) {
	least, most := 1, 1
	if n, ok := intOf(c["min_values"]); ok {
		least = n
	}
	if n, ok := intOf(c["max_values"]); ok {
		most = n
	}
	options, chosen, seen := listOf(c["options"]), 0, map[string]bool{}
	for _, v := range options {
		o := objectOf(v)
		if value := textOf(o["value"]); seen[value] {
			r.add(path, "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used: %s", show(value))
		} else {
			seen[value] = true
		}
		if o["default"] == true {
			chosen++
		}
	}
	if least > most || num(c["type"]) == TypeSelect && most > len(options) || chosen > most {
		r.add(path, codeLength, "min_values %d, max_values %d, %d options, %d by default do not fit", least, most, len(options), chosen)
	}
}
