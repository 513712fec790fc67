package slacktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// checker finds what Slack refuses in blocks, a view or a message. Its problems read as
// Slack's response_metadata.messages do.
type checker struct {
	rules    *rules
	surface  string                      // message, modal or home
	picture  func(id, url string) string // what is wrong with a slack_file; empty: nothing
	problems []string
	pings    []string
	blockIDs map[string]bool
	actions  map[string]bool // action IDs of one block
	letters  int             // over all blocks
	markdown int             // over the markdown blocks
	tables   int
	focus    int // elements with focus_on_load
}

// check looks at one value; at is its JSON pointer.
type check func(c *checker, at string, v any)

// shape is the fields of an object. A name that ends in * is required; a field that is not
// in the shape is refused.
type shape map[string]check

func (c *checker) bad(at, format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf("[ERROR] %s [json-pointer:%s]", fmt.Sprintf(format, args...), at))
}

// object checks the fields of v, and says whether it is an object at all.
func (c *checker) object(at string, v any, fields shape) (map[string]any, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		c.bad(at, "must be an object")
		return nil, false
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field, required := strings.CutSuffix(name, "*")
		value, has := m[field]
		switch {
		case has && value != nil:
			fields[name](c, at+"/"+field, value)
		case required:
			c.bad(at, "missing required field: %s", field)
		case has:
			c.bad(at+"/"+field, "must not be null")
		}
	}
	for _, field := range slices.Sorted(maps.Keys(m)) {
		if fields[field] == nil && fields[field+"*"] == nil {
			c.bad(at+"/"+field, "unknown field")
		}
	}
	return m, true
}

func object(fields shape) check {
	return func(c *checker, at string, v any) { c.object(at, v, fields) }
}

// characters is a string of so many of them.
func characters(least, most int) check {
	return func(c *checker, at string, v any) {
		s, ok := v.(string)
		n := utf8.RuneCountInString(s)
		switch {
		case !ok:
			c.bad(at, "must be a string")
		case n < least:
			c.bad(at, "must be more than %d characters", least-1)
		case n > most:
			c.bad(at, "must be less than %d characters", most+1)
		case !utf8.ValidString(s):
			c.bad(at, "must be valid UTF-8")
		}
	}
}

// prose is characters that count towards the message's 13,200.
func prose(least, most int) check {
	return func(c *checker, at string, v any) {
		characters(least, most)(c, at, v)
		c.letters += utf8.RuneCountInString(str(v))
	}
}

func oneOf(values ...string) check {
	return func(c *checker, at string, v any) {
		if s, ok := v.(string); !ok || !slices.Contains(values, s) {
			c.bad(at, "must be one of %s", strings.Join(values, ", "))
		}
	}
}

func boolean(c *checker, at string, v any) {
	if _, ok := v.(bool); !ok {
		c.bad(at, "must be a boolean")
	}
}

func integer(least, most int) check {
	return func(c *checker, at string, v any) {
		if n, ok := v.(float64); !ok || n != float64(int(n)) || int(n) < least || int(n) > most {
			c.bad(at, "must be an integer from %d to %d", least, most)
		}
	}
}

func list(least, most int, each check) check {
	return func(c *checker, at string, v any) {
		items, ok := v.([]any)
		switch {
		case !ok:
			c.bad(at, "must be an array")
			return
		case len(items) < least:
			c.bad(at, "no less than %d items allowed", least)
		case len(items) > most:
			c.bad(at, "no more than %d items allowed", most)
		}
		for i, item := range items {
			each(c, fmt.Sprintf("%s/%d", at, i), item)
		}
	}
}

// both are checked.
func both(a, b check) check {
	return func(c *checker, at string, v any) { a(c, at, v); b(c, at, v) }
}

// pinging finds what notifies people in mrkdwn.
//
// https://docs.slack.dev/messaging/formatting-message-text
var pinging = regexp.MustCompile(`<!(channel|here|everyone|group|subteam\^[^>|]*)(\|[^>]*)?>|<@[UW][A-Z0-9]+(\|[^>]*)?>`)

func (c *checker) ping(text string) { c.pings = append(c.pings, pingsIn(text)...) }

// pingsIn is the text if it notifies people.
func pingsIn(text string) []string {
	if strings.Contains(text, "<") && pinging.MatchString(text) { // the regexp is slow
		return []string{text}
	}
	return nil
}

// text is a text object, of either type.
//
// https://docs.slack.dev/reference/block-kit/composition-objects/text-object
func text(most int) check {
	return func(c *checker, at string, v any) {
		fields := shape{"type*": oneOf("plain_text", "mrkdwn"), "text*": prose(1, most)}
		if str(dict(v)["type"]) == "mrkdwn" {
			fields["verbatim"] = boolean
			c.ping(inner(v))
		} else {
			fields["emoji"] = boolean
		}
		c.object(at, v, fields)
	}
}

// plain is a text object of type plain_text.
func plain(most int) check {
	return func(c *checker, at string, v any) {
		c.object(at, v, shape{"type*": oneOf("plain_text"), "text*": prose(1, most), "emoji": boolean})
	}
}

// named is an ID of an action that no other element of the block may have.
func named(c *checker, at string, v any) {
	characters(1, mostID)(c, at, v)
	if c.actions[str(v)] {
		c.bad(at, "action_id %q already exists in the block", str(v))
	}
	c.actions[str(v)] = true
}

func focused(c *checker, at string, v any) {
	boolean(c, at, v)
	if v == true {
		if c.focus++; c.focus > 1 {
			c.bad(at, "only one element may have focus_on_load")
		}
	}
}

// block checks one block of a list of them.
func (c *checker) block(at string, v any) {
	kind := str(dict(v)["type"])
	rule, known := c.rules.blocks[kind]
	if !known || !strings.Contains(rule.surfaces, c.surface) {
		c.bad(at+"/type", "unsupported type: %s in a %s", kind, c.surface)
		return
	}
	c.actions = map[string]bool{}
	m, ok := c.object(at, v, rule.fields)
	if !ok {
		return
	}
	if id := str(m["block_id"]); id != "" {
		if c.blockIDs[id] {
			c.bad(at+"/block_id", "block_id %q already exists", id)
		}
		c.blockIDs[id] = true
	}
	if rule.whole != nil {
		rule.whole(c, at, m)
	}
}

// element checks an element of a block of the kind given.
func element(in string) check {
	return func(c *checker, at string, v any) {
		kind := str(dict(v)["type"])
		rule, known := c.rules.elements[kind]
		if !known || !slices.Contains(strings.Fields(rule.in), in) {
			c.bad(at+"/type", "unsupported type: %s in %s", kind, in)
			return
		}
		if m, ok := c.object(at, v, rule.fields); ok && rule.whole != nil {
			rule.whole(c, at, m)
		}
	}
}

// blocks checks a whole list.
func (c *checker) blocks(at string, v any, least, most int) {
	c.blockIDs = map[string]bool{}
	list(least, most, (*checker).block)(c, at, v)
	if c.markdown > mostMarkdown {
		c.bad(at, "markdown blocks must be less than %d characters together", mostMarkdown+1)
	}
	if c.tables > 1 {
		c.bad(at, "only_one_table_allowed")
	}
}

// checker is a new one. The lock is held while it works: it looks at files.
func (s *Server) checker(surface string) *checker {
	return &checker{rules: s.rules, surface: surface, picture: s.picture}
}

// identify gives blocks and elements the IDs that the bot left out, as Slack does. The lock
// is held.
func (s *Server) identify(blocks []any) {
	for _, b := range blocks {
		block := dict(b)
		if block["block_id"] == nil {
			block["block_id"] = fmt.Sprintf("b%d", s.next())
		}
		for _, e := range elementsOf(block) {
			if e := dict(e); e != nil && e["action_id"] == nil && str(e["type"]) != "image" {
				e["action_id"] = fmt.Sprintf("a%d", s.next())
			}
		}
	}
}

// encode is a value that came from JSON, as JSON.
func encode(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // it came from JSON
	}
	return data
}
