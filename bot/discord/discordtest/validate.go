package discordtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what a JSON value must be.
type kind int

const (
	str kind = iota
	integer
	number
	boolean
	snowflake
	list
	obj
	component // of one of the types in enum
	localised // a text by locale
	anything
)

// rule is what is asked of one value. min and max bound the characters of a text
// (runes), the items of a list, or an integer; max zero is no bound.
type rule struct {
	kind     kind
	min, max int
	need     bool // must be there
	null     bool // may be null
	enum     []int
	of       *rule            // items of a list
	object   object           // fields of an object
	check    func(any) string // what is wrong besides, empty if nothing is
}

// object is the fields that an object may have.
type object map[string]rule

// report gathers what is wrong with one request.
type report struct {
	breaches []breach
	house    []string // what Discord lets pass and we do not
}

type breach struct {
	path          []string
	code, message string
}

// Codes of errors, as Discord writes them (reference#error-messages).
const (
	codeRequired = "BASE_TYPE_REQUIRED"
	codeLong     = "BASE_TYPE_MAX_LENGTH"
	codeLength   = "BASE_TYPE_BAD_LENGTH"
	codeChoice   = "BASE_TYPE_CHOICES"
	codeType     = "BASE_TYPE_BAD_TYPE"
	codeRange    = "NUMBER_TYPE_MAX"
	codeFormat   = "STRING_TYPE_REGEX"
	codeUnique   = "SET_TYPE_ALREADY_CONTAINS_VALUE"
)

func (r *report) add(path []string, code, format string, args ...any) {
	r.breaches = append(r.breaches, breach{path, code, fmt.Sprintf(format, args...)})
}

func (r *report) houseRule(path []string, format string, args ...any) {
	r.house = append(r.house, strings.Join(path, ".")+": "+fmt.Sprintf(format, args...))
}

// tree is the breaches as Discord nests them: {"embeds":{"0":{"title":{"_errors":[…]}}}}.
func (r *report) tree() map[string]any {
	root := map[string]any{}
	for _, b := range r.breaches {
		node := root
		for _, p := range b.path {
			next, ok := node[p].(map[string]any)
			if !ok {
				next = map[string]any{}
				node[p] = next
			}
			node = next
		}
		all, _ := node["_errors"].([]any)
		node["_errors"] = append(all, map[string]any{"code": b.code, "message": b.message})
	}
	return root
}

func (r *report) lines() []string {
	var all []string
	for _, b := range r.breaches {
		all = append(all, strings.Join(b.path, ".")+": "+b.message)
	}
	return append(all, r.house...)
}

func at(path []string, more ...any) []string {
	path = slices.Clip(path)
	for _, m := range more {
		path = append(path, fmt.Sprint(m))
	}
	return path
}

// value holds v against its rule.
func (r *report) value(path []string, v any, want rule) {
	if v == nil {
		if !want.null {
			r.add(path, codeRequired, "This field is required")
		}
		return
	}
	before := len(r.breaches)
	switch want.kind {
	case str:
		r.text(path, v, want)
	case integer, number:
		r.number(path, v, want)
	case boolean:
		if _, ok := v.(bool); !ok {
			r.add(path, codeType, "Must be either true or false.")
		}
	case snowflake:
		if s, ok := v.(string); !ok || !snowflakes.MatchString(s) {
			r.add(path, codeType, "Value %s is not snowflake.", show(v))
		}
	case list:
		r.list(path, v, want)
	case obj:
		r.object(path, v, want.object)
	case component:
		r.component(path, v, want.enum)
	case localised:
		r.localised(path, v, want)
		return // the check is of each text
	}
	if want.check != nil && len(r.breaches) == before {
		if wrong := want.check(v); wrong != "" {
			r.add(path, codeFormat, "%s", wrong)
		}
	}
}

var snowflakes = regexp.MustCompile(`^(0|[1-9][0-9]{0,19})$`)

func show(v any) string {
	text := []rune(string(mustJSON(v)))
	if len(text) > 60 {
		text = append(text[:60:60], '…')
	}
	return string(text)
}

func (r *report) text(path []string, v any, want rule) {
	s, ok := v.(string)
	switch n := utf8.RuneCountInString(s); {
	case !ok:
		r.add(path, codeType, "Could not interpret %s as string.", show(v))
	case n < want.min && n == 0:
		r.add(path, codeRequired, "This field is required")
	case n < want.min || want.max > 0 && n > want.max && want.min > 0:
		r.add(path, codeLength, "Must be between %d and %d in length.", want.min, want.max)
	case want.max > 0 && n > want.max:
		r.add(path, codeLong, "Must be %d or fewer in length.", want.max)
	}
}

func (r *report) number(path []string, v any, want rule) {
	num, ok := v.(json.Number)
	if !ok {
		r.add(path, codeType, "Value %s is not a number.", show(v))
		return
	}
	if want.kind == number {
		return
	}
	n, err := num.Int64()
	switch {
	case err != nil:
		r.add(path, codeType, "Value %s is not int.", show(v))
	case want.enum != nil && !slices.Contains(want.enum, int(n)):
		r.add(path, codeChoice, "Value must be one of %v.", want.enum)
	case int(n) < want.min || want.max > 0 && int(n) > want.max:
		r.add(path, codeRange, "Must be between %d and %d.", want.min, want.max)
	}
}

func (r *report) list(path []string, v any, want rule) {
	all, ok := v.([]any)
	if !ok {
		r.add(path, codeType, "Only iterables may be used in a list.")
		return
	}
	if len(all) < want.min || want.max > 0 && len(all) > want.max {
		r.add(path, codeLength, "Must be between %d and %d in length.", want.min, want.max)
	}
	if want.of != nil {
		for i, item := range all {
			r.value(at(path, i), item, *want.of)
		}
	}
}

func (r *report) object(path []string, v any, fields object) {
	o, ok := v.(map[string]any)
	if !ok {
		r.add(path, codeType, "Only dictionaries may be used in a dictionary type.")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if want, known := fields[name]; known {
			r.value(at(path, name), o[name], want)
		} else {
			r.houseRule(at(path, name), "Discord knows no such field here")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, given := o[name]; fields[name].need && !given {
			r.add(at(path, name), codeRequired, "This field is required")
		}
	}
}

func (r *report) component(path []string, v any, allowed []int) {
	o, ok := v.(map[string]any)
	if !ok {
		r.add(path, codeType, "Only dictionaries may be used in a dictionary type.")
		return
	}
	t, ok := intOf(o["type"])
	fields, known := components[t]
	if !ok || !known || !slices.Contains(allowed, t) {
		r.add(at(path, "type"), codeChoice, "Value of field \"type\" must be one of %v.", allowed)
		return
	}
	r.object(path, v, fields)
}

// localeCodes are Discord's (reference#locales).
var localeCodes = strings.Fields("id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk hi th zh-CN ja zh-TW ko")

func (r *report) localised(path []string, v any, want rule) {
	o, ok := v.(map[string]any)
	if !ok {
		r.add(path, codeType, "Only dictionaries may be used in a dictionary type.")
		return
	}
	text := rule{min: want.min, max: want.max, check: want.check, need: true}
	for _, locale := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(localeCodes, locale) {
			r.add(at(path, locale), codeChoice, "%q is not a locale of Discord.", locale)
			continue
		}
		r.value(at(path, locale), o[locale], text)
	}
}

// intOf, textOf, listOf and objectOf read a value whose kind the rules have checked,
// or not yet: they give the zero value for another kind.
func intOf(v any) (int, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.Atoi(n.String())
	return i, err == nil
}

func num(v any) int { n, _ := intOf(v); return n }

func textOf(v any) string { s, _ := v.(string); return s }

func listOf(v any) []any { l, _ := v.([]any); return l }

func objectOf(v any) map[string]any { o, _ := v.(map[string]any); return o }

// blank says that a field is absent or says nothing: null, "", [].
func blank(v any) bool {
	return v == nil || v == "" || v != nil && isEmptyList(v)
}

func isEmptyList(v any) bool { l, ok := v.([]any); return ok && len(l) == 0 }
