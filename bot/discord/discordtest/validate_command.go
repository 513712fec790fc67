package discordtest

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The limits of interactions/application-commands.
const (
	mostSlash       = 100 // of a scope
	mostOther       = 15  // user commands, and message commands, each
	mostCreations   = 200 // a day and scope
	mostCommandText = 8000

	commandSlash   = 1
	commandMessage = 3

	optionSub        = 1
	optionGroup      = 2
	optionString     = 3
	optionInteger    = 4
	optionChannel    = 7
	optionNumber     = 10
	optionAttachment = 11
)

// commandName is #application-command-object-application-command-naming.
var commandName = regexp.MustCompile(`^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]{1,32}$`)

func slashName(v any) string {
	name := textOf(v)
	switch {
	case !commandName.MatchString(name):
		return `String value did not match validation regex ^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$`
	case strings.ToLower(name) != name:
		return "Command name is invalid: it must be lower case"
	}
	return ""
}

func bitset(v any) string {
	for _, r := range textOf(v) {
		if r < '0' || r > '9' {
			return "Must be a bitset of permissions, in digits"
		}
	}
	return ""
}

var commandFields = object{
	"id":                         {kind: snowflake},
	"type":                       {kind: integer, min: commandSlash, max: commandMessage, null: true},
	"name":                       {min: 1, max: 32, need: true},
	"name_localizations":         {kind: localised, min: 1, max: 32, null: true},
	"description":                {max: 100, null: true},
	"description_localizations":  {kind: localised, min: 1, max: 100, null: true},
	"options":                    {kind: list, max: 25, null: true, of: &rule{kind: obj, object: optionFields}},
	"default_member_permissions": {min: 1, max: 20, null: true, check: bitset},
	"dm_permission":              optional,
	"default_permission":         optional,
	"nsfw":                       optional,
	"contexts":                   {kind: list, min: 1, null: true, of: &rule{kind: integer, enum: []int{0, 1, 2}}},
	"integration_types":          {kind: list, min: 1, null: true, of: &rule{kind: integer, enum: []int{0, 1}}},
}

var optionFields = object{
	"type":                      {kind: integer, min: optionSub, max: optionAttachment, need: true},
	"name":                      {min: 1, max: 32, need: true, check: slashName},
	"name_localizations":        {kind: localised, min: 1, max: 32, null: true, check: slashName},
	"description":               {min: 1, max: 100, need: true},
	"description_localizations": {kind: localised, min: 1, max: 100, null: true},
	"required":                  optional,
	"choices":                   {kind: list, max: 25, null: true, of: &rule{kind: obj, object: choiceFields}},
	"options":                   {kind: list, max: 25, null: true}, // see option
	"channel_types":             {kind: list, null: true, of: &rule{kind: integer}},
	"min_value":                 {kind: number, null: true},
	"max_value":                 {kind: number, null: true},
	"min_length":                {kind: integer, max: 6000, null: true},
	"max_length":                {kind: integer, min: 1, max: 6000, null: true},
	"autocomplete":              optional,
}

var choiceFields = object{
	"name":               {min: 1, max: 100, need: true},
	"name_localizations": {kind: localised, min: 1, max: 100, null: true},
	"value":              {kind: anything, need: true},
}

// command holds one command against every rule. global says that it is for every server.
func (r *report) command(path []string, c map[string]any, global bool) {
	r.object(path, c, commandFields)
	t := cmp.Or(num(c["type"]), commandSlash)
	if t == commandSlash {
		if wrong := slashName(c["name"]); wrong != "" && textOf(c["name"]) != "" {
			r.add(at(path, "name"), "APPLICATION_COMMAND_INVALID_NAME", "%s", wrong)
		}
		for locale, v := range objectOf(c["name_localizations"]) {
			if wrong := slashName(v); wrong != "" {
				r.add(at(path, "name_localizations", locale), "APPLICATION_COMMAND_INVALID_NAME", "%s", wrong)
			}
		}
		if blank(c["description"]) {
			r.add(at(path, "description"), codeRequired, "This field is required")
		}
	} else if !blank(c["description"]) || !blank(c["options"]) || c["description_localizations"] != nil {
		r.add(at(path, "description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION", "Context menu commands have neither description nor options")
	}
	for _, field := range []string{"contexts", "integration_types", "dm_permission"} {
		if _, given := c[field]; given && !global {
			r.add(at(path, field), "APPLICATION_COMMAND_GUILD_ONLY", "Only global commands have %s", field)
		}
	}
	r.options(at(path, "options"), listOf(c["options"]), 0)
	if n := commandText(c); n > mostCommandText {
		r.add(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (%d characters, %d at most)", n, mostCommandText)
	}
}

// options holds the options of a command (depth 0), group or subcommand.
func (r *report) options(path []string, all []any, depth int) {
	r.unique(path, all)
	nested, late := 0, false
	for i, v := range all {
		o := objectOf(v)
		if o == nil {
			continue
		}
		here := at(path, i)
		t := num(o["type"])
		if t == optionSub || t == optionGroup {
			nested++
		}
		if required := o["required"] == true; required && late {
			r.add(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed before non-required options")
		} else if !required {
			late = true
		}
		r.option(here, o, t, depth)
	}
	if nested > 0 && nested < len(all) {
		r.add(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-commands and sub-command groups cannot be mixed with other options")
	}
}

// option holds what the fields of one option ask of each other.
func (r *report) option(path []string, o map[string]any, t, depth int) {
	inside := listOf(o["options"])
	for i, v := range inside {
		r.value(at(path, "options", i), v, rule{kind: obj, object: optionFields})
	}
	only := func(field string, types ...int) {
		if blank(o[field]) || o[field] == false {
			return
		}
		for _, allowed := range types {
			if t == allowed {
				return
			}
		}
		r.add(at(path, field), "APPLICATION_COMMAND_OPTION_FIELD_INVALID", "An option of type %d has no %s", t, field)
	}
	only("options", optionSub, optionGroup)
	only("choices", optionString, optionInteger, optionNumber)
	only("autocomplete", optionString, optionInteger, optionNumber)
	only("min_value", optionInteger, optionNumber)
	only("max_value", optionInteger, optionNumber)
	only("min_length", optionString)
	only("max_length", optionString)
	only("channel_types", optionChannel)
	if t > optionGroup {
		only("required", t)
	} else {
		only("required")
	}
	if o["autocomplete"] == true && !blank(o["choices"]) {
		r.add(at(path, "choices"), "APPLICATION_COMMAND_OPTION_AUTOCOMPLETE_CHOICES", "Autocomplete and choices cannot both be set")
	}
	switch {
	case t == optionGroup && depth > 0, t == optionSub && depth > 1:
		r.add(at(path, "type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command options are nested too deep")
	case t == optionGroup:
		for i, v := range inside {
			if num(objectOf(v)["type"]) != optionSub {
				r.add(at(path, "options", i, "type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "A group holds sub-commands only")
			}
		}
		if len(inside) == 0 {
			r.add(at(path, "options"), codeRequired, "This field is required")
		}
		r.options(at(path, "options"), inside, 1)
	case t == optionSub:
		for i, v := range inside {
			if inner := num(objectOf(v)["type"]); inner <= optionGroup {
				r.add(at(path, "options", i, "type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "A sub-command holds options only")
			}
		}
		r.options(at(path, "options"), inside, 2)
	}
	r.choices(at(path, "choices"), listOf(o["choices"]), t)
}

// choices holds suggestions or fixed choices to the kind of their option.
func (r *report) choices(path []string, all []any, t int) {
	r.unique(path, all)
	for i, v := range all {
		value := objectOf(v)["value"]
		if value == nil {
			continue
		}
		here := at(path, i, "value")
		switch t {
		case optionString:
			r.value(here, value, rule{min: 0, max: 100})
		case optionInteger:
			if n, ok := value.(json.Number); !ok || strings.ContainsAny(n.String(), ".eE") {
				r.add(here, codeType, "Value %s is not int.", show(value))
			}
		default:
			r.value(here, value, rule{kind: number})
		}
	}
}

// unique asks that no two of the list have one name, in any language.
func (r *report) unique(path []string, all []any) {
	seen := map[string]bool{}
	for i, v := range all {
		o := objectOf(v)
		own := textOf(o["name"])
		local := objectOf(o["name_localizations"])
		for _, locale := range append([]string{""}, localeCodes...) {
			name := own
			if s, ok := local[locale].(string); ok {
				name = s
			}
			key := locale + "\x00" + name
			if name != "" && seen[key] {
				r.add(at(path, i, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Names must be unique: %s (%s)", show(name), cmp.Or(locale, "default"))
				break
			}
			seen[key] = true
		}
	}
}

// commandText counts a command's characters: names, descriptions and values of it, its
// options and choices; of each field the longest of its languages.
func commandText(v map[string]any) int {
	longest := func(field string) int {
		n := utf8.RuneCountInString(textOf(v[field]))
		for _, s := range objectOf(v[field+"_localizations"]) {
			n = max(n, utf8.RuneCountInString(textOf(s)))
		}
		return n
	}
	total := longest("name") + longest("description") + utf8.RuneCountInString(textOf(v["value"]))
	for _, field := range []string{"options", "choices"} {
		for _, inner := range listOf(v[field]) {
			total += commandText(objectOf(inner))
		}
	}
	return total
}
