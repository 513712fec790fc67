package discordtest

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// many repeats a JSON text n times, with %d its number from 0, joined by commas.
func many(n int, format string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = strings.ReplaceAll(format, "%d", fmt.Sprint(i))
	}
	return strings.Join(all, ",")
}

func long(n int) string { return strings.Repeat("é", n) }

// row is a breach, or with no fault a body that stands at the limit.
type row struct {
	name, body, fault string
}

func btn(id string) string {
	return `{"type":2,"style":1,"label":"a","custom_id":"` + id + `"}`
}

func rows(inside string) string { return `"components":[{"type":1,"components":[` + inside + `]}]` }

func v2(parts string) string { return `"flags":32768,` + quiet + `,"components":[` + parts + `]` }

var messageRows = []row{
	{"content at the limit", `"content":"` + long(2000) + `",` + quiet, ""},
	{"content too long", `"content":"` + long(2001) + `",` + quiet, "content: Must be 2000 or fewer"},
	{"content of another type", `"content":5,` + quiet, "content: Could not interpret"},
	{"unknown field", `"content":"a",` + quiet + `,"color":1`, "color: Discord knows no such field"},
	{"no allowed_mentions", `"content":"a"`, "allowed_mentions"},
	{"allowed_mentions that parse", `"content":"a","allowed_mentions":{"parse":["users"]}`, "allowed_mentions"},
	{"allowed_mentions with a list", `"content":"a","allowed_mentions":{"parse":[],"users":["1"]}`, "allowed_mentions"},
	{"flag without effect", `"content":"a",` + quiet + `,"flags":128`, "flags: flag 128"},
	{"ten embeds", `"embeds":[` + many(10, `{"title":"a"}`) + `],` + quiet, ""},
	{"eleven embeds", `"embeds":[` + many(11, `{"title":"a"}`) + `],` + quiet, "embeds: Must be between 0 and 10|embeds: Must be 10"},
	{"embed title", `"embeds":[{"title":"` + long(257) + `"}],` + quiet, "embeds.0.title"},
	{"embed description", `"embeds":[{"description":"` + long(4097) + `"}],` + quiet, "embeds.0.description"},
	{"embed fields", `"embeds":[{"fields":[` + many(26, `{"name":"n","value":"v"}`) + `]}],` + quiet, "embeds.0.fields"},
	{"embed field name", `"embeds":[{"fields":[{"name":"` + long(257) + `","value":"v"}]}],` + quiet, "fields.0.name"},
	{"embed field value", `"embeds":[{"fields":[{"name":"n","value":"` + long(1025) + `"}]}],` + quiet, "fields.0.value"},
	{"embed field without value", `"embeds":[{"fields":[{"name":"n"}]}],` + quiet, "fields.0.value: This field is required"},
	{"embed footer", `"embeds":[{"footer":{"text":"` + long(2049) + `"}}],` + quiet, "footer.text"},
	{"embed author", `"embeds":[{"author":{"name":"` + long(257) + `"}}],` + quiet, "author.name"},
	{"embed colour", `"embeds":[{"title":"a","color":16777216}],` + quiet, "embeds.0.color"},
	{"embed time", `"embeds":[{"title":"a","timestamp":"hier"}],` + quiet, "embeds.0.timestamp"},
	{"embed address", `"embeds":[{"title":"a","url":"ftp://x"}],` + quiet, "embeds.0.url"},
	{"embed of no file", `"embeds":[{"title":"a","image":{"url":"attachment://no.png"}}],` + quiet, "was not found"},
	{"6,000 over all embeds", `"embeds":[` + many(2, `{"description":"`+long(3000)+`"}`) + `],` + quiet, ""},
	{"6,001 over all embeds", `"embeds":[` + many(2, `{"description":"`+long(3000)+`"}`) + `,{"title":"a"}],` + quiet, "Embed size exceeds"},

	{"five rows of five", `"content":"a",` + quiet + `,"components":[` + many(5, `{"type":1,"components":[`+btn("%d-0")+`,`+btn("%d-1")+`,`+btn("%d-2")+`,`+btn("%d-3")+`,`+btn("%d-4")+`]}`) + `]`, ""},
	{"six rows", `"components":[` + many(6, `{"type":1,"components":[`+btn("%d")+`]}`) + `]`, "components: Must be between 1 and 5"},
	{"six buttons", rows(many(6, btn("%d"))), "components.0.components"},
	{"empty row", rows(""), "components.0.components"},
	{"menu beside a button", rows(btn("a") + `,{"type":5,"custom_id":"b"}`), "maximum width"},
	{"same custom_id", rows(btn("a") + "," + btn("a")), "custom id cannot be duplicated"},
	{"custom_id too long", rows(btn(long(101))), "custom_id"},
	{"no custom_id", rows(`{"type":2,"style":1,"label":"a"}`), "a button has one"},
	{"label at the limit", rows(`{"type":2,"style":1,"custom_id":"a","label":"` + long(80) + `"}`), ""},
	{"label too long", rows(`{"type":2,"style":1,"custom_id":"a","label":"` + long(81) + `"}`), "label: Must be 80"},
	{"no label", rows(`{"type":2,"style":1,"custom_id":"a"}`), "either a label or emoji"},
	{"button style", rows(`{"type":2,"style":7,"custom_id":"a","label":"a"}`), "style"},
	{"link with custom_id", rows(`{"type":2,"style":5,"custom_id":"a","label":"a","url":"https://a"}`), "A link button"},
	{"premium with label", rows(`{"type":2,"style":6,"sku_id":"1","label":"a"}`), "premium"},
	{"component unknown", rows(`{"type":99}`), `"type" must be one of`},
	{"text input in a message", rows(`{"type":4,"custom_id":"a","style":1,"label":"a"}`), "holds"},
	{"bare button", `"components":[` + btn("a") + `]`, `"type" must be one of`},
	{"unknown field of a button", rows(`{"type":2,"style":1,"label":"a","custom_id":"a","size":3}`), "size: Discord knows"},
	{"26 options", rows(`{"type":3,"custom_id":"a","options":[` + many(26, `{"label":"%d","value":"%d"}`) + `]}`), "options: Must be between"},
	{"no options", rows(`{"type":3,"custom_id":"a","options":[]}`), "options: Must be between"},
	{"option label", rows(`{"type":3,"custom_id":"a","options":[{"label":"` + long(101) + `","value":"a"}]}`), "options.0.label"},
	{"option description", rows(`{"type":3,"custom_id":"a","options":[{"label":"a","value":"a","description":"` + long(101) + `"}]}`), "options.0.description"},
	{"option value twice", rows(`{"type":3,"custom_id":"a","options":[{"label":"a","value":"a"},{"label":"b","value":"a"}]}`), "already used"},
	{"placeholder", rows(`{"type":5,"custom_id":"a","placeholder":"` + long(151) + `"}`), "placeholder"},
	{"more than there are options", rows(`{"type":3,"custom_id":"a","max_values":2,"options":[{"label":"a","value":"a"}]}`), "do not fit"},

	{"v2 of 40", v2(many(40, `{"type":10,"content":"a"}`)), ""},
	{"v2 of 41, nested", v2(many(20, `{"type":17,"components":[{"type":10,"content":"a"}]}`) + `,{"type":14}`), "maximum number of components is 40"},
	{"v2 with content", v2(`{"type":10,"content":"a"}`) + `,"content":"b"`, "content field cannot be used"},
	{"v2 with embeds", v2(`{"type":10,"content":"a"}`) + `,"embeds":[{"title":"b"}]`, "embeds field cannot be used"},
	{"v2 without its flag", `"components":[{"type":10,"content":"a"}],` + quiet, `"type" must be one of`},
	{"4,000 characters of text", v2(many(2, `{"type":10,"content":"`+long(2000)+`"}`)), ""},
	{"4,001 characters of text", v2(many(2, `{"type":10,"content":"`+long(2000)+`"}`) + `,{"type":10,"content":"a"}`), "cannot exceed 4000"},
	{"text without content", v2(`{"type":10,"content":""}`), "content: This field is required"},
	{"section without accessory", v2(`{"type":9,"components":[{"type":10,"content":"a"}]}`), "accessory: This field is required"},
	{"container in a container", v2(`{"type":17,"components":[{"type":17,"components":[{"type":14}]}]}`), `"type" must be one of`},
	{"gallery of eleven", v2(`{"type":12,"items":[` + many(11, `{"media":{"url":"https://a"}}`) + `]}`), "items: Must be between"},
	{"file that is not there", v2(`{"type":13,"file":{"url":"attachment://a"}}`), "was not found"},
	{"file by address", v2(`{"type":13,"file":{"url":"https://a"}}`), "Scheme must be"},
	{"same id", v2(many(2, `{"type":14,"id":3}`)), "Component id cannot be duplicated"},
	{"attachment without a file", `"attachments":[{"id":"0"}]`, "No file was uploaded"},
	{"attachment id as a number", `"attachments":[{"id":0}]`, "is not snowflake"},
}

// refused asserts that a breach is told, and refused where Discord refuses.
func refused(t *testing.T, r *rig, a reply, want string) {
	t.Helper()
	faults := strings.Join(r.Faults(), "\n")
	if want == "" {
		if a.status >= 300 || faults != "" {
			t.Errorf("refused: %d %s %s", a.status, a.raw, faults)
		}
		return
	}
	found := false
	for _, w := range strings.Split(want, "|") {
		found = found || strings.Contains(faults, w)
	}
	if !found {
		t.Errorf("faults %q, want %q", faults, want)
	}
	if a.status != 400 || a.code() != 50035 || a.body["errors"] == nil {
		t.Errorf("answered %d %s", a.status, a.raw)
	}
	if !strings.Contains(a.raw, "_errors") {
		t.Errorf("no tree: %s", a.raw)
	}
}

func TestMessageLimits(t *testing.T) {
	for _, row := range messageRows {
		t.Run(row.name, func(t *testing.T) {
			r := start(t, Config{Strict: true})
			e := r.pressed(Slash("x"))
			refused(t, r, r.call("POST", callbackPath(e), `{"type":4,"data":{`+row.body+`}}`), row.fault)
		})
		if row.name == "flag without effect" {
			continue
		}
		t.Run(row.name+", posted", func(t *testing.T) {
			r := start(t, Config{Strict: true})
			refused(t, r, r.call("POST", "/channels/1/messages", `{`+row.body+`}`), row.fault)
		})
	}
}

func TestHouseRulesAreToldOnlyUnlessStrict(t *testing.T) {
	r := start(t, Config{})
	if a := r.call("POST", "/channels/1/messages", `{"content":"a","colour":1}`); a.status != 200 || len(r.Faults()) != 2 {
		t.Error(a.raw, r.Faults())
	}
}

func TestSecondVersionOverTime(t *testing.T) {
	r := start(t, Config{})
	e := r.pressed(Slash("x"))
	r.answer(e, say("contenu"), 204)
	path := r.hook(e, "/messages/@original")
	text := `{"type":10,"content":"a"}`
	if a := r.call("PATCH", path, `{`+v2(text)+`}`); a.code() != 50035 || !strings.Contains(a.raw, "set it to null") {
		t.Error(a.raw)
	}
	if a := r.call("PATCH", path, `{"content":null,`+v2(text)+`}`); a.status != 200 {
		t.Error(a.raw)
	}
	if a := r.call("PATCH", path, `{"content":"retour",`+quiet+`}`); a.code() != 50035 {
		t.Error("the flag is not irreversible", a.raw)
	}
	file := File{"a.txt", "text/plain", []byte("x")}
	if a := r.upload("PATCH", path, `{`+v2(text)+`,"attachments":[{"id":"0"}]}`, file); a.code() != 50035 || !strings.Contains(a.raw, "referenced by no component") {
		t.Error(a.raw)
	}
	if a := r.upload("PATCH", path, `{`+v2(text+`,{"type":13,"file":{"url":"attachment://a.txt"}}`)+`,"attachments":[{"id":"0"}]}`, file); a.status != 429 && a.status != 200 {
		t.Error(a.raw)
	}
}

func label(inside string) string {
	return `{"type":18,"label":"Manifeste","component":` + inside + `}`
}

func TestModalLimits(t *testing.T) {
	input := `{"type":4,"custom_id":"a%d","style":2}`
	modal := func(title, parts string) string {
		return `"custom_id":"m","title":"` + title + `","components":[` + parts + `]`
	}
	for _, row := range []row{
		{"five labels", modal(long(45), many(5, label(input))), ""},
		{"old form", modal("t", `{"type":1,"components":[{"type":4,"custom_id":"a","style":2,"label":"l","max_length":4000}]}`), ""},
		{"file", modal("t", label(`{"type":19,"custom_id":"f","max_values":10}`)), ""},
		{"six labels", modal("t", many(6, label(input))), "components: Must be between 1 and 5"},
		{"none", modal("t", ""), "components: Must be between 1 and 5"},
		{"title", modal(long(46), label(input)), "title"},
		{"length", modal("t", label(`{"type":4,"custom_id":"a","style":2,"max_length":4001}`)), "max_length"},
		{"value", modal("t", label(`{"type":4,"custom_id":"a","style":2,"value":"`+long(4001)+`"}`)), "value"},
		{"bounds", modal("t", label(`{"type":4,"custom_id":"a","style":2,"min_length":9,"max_length":8}`)), "min_length 9"},
		{"label", modal("t", `{"type":18,"label":"`+long(46)+`","component":`+input+`}`), "label"},
		{"label inside a label", modal("t", label(`{"type":4,"custom_id":"a","style":2,"label":"l"}`)), "the Label has the label"},
		{"old form without label", modal("t", `{"type":1,"components":[{"type":4,"custom_id":"a","style":2}]}`), "label: This field is required"},
		{"button", modal("t", `{"type":1,"components":[`+btn("a")+`]}`), "holds"},
		{"same custom_id", modal("t", many(2, label(`{"type":4,"custom_id":"a","style":2}`))), "duplicated"},
		{"eleven files", modal("t", label(`{"type":19,"custom_id":"f","max_values":11}`)), "max_values"},
		{"field of a message", modal("t", label(input)) + `,"tts":false`, "tts: Discord knows"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := start(t, Config{Strict: true})
			e := r.pressed(Slash("x"))
			refused(t, r, r.call("POST", callbackPath(e), `{"type":9,"data":{`+row.body+`}}`), row.fault)
		})
	}
}

func TestAutocompleteLimits(t *testing.T) {
	for _, row := range []row{
		{"25", many(25, `{"name":"n%d","value":"v"}`), ""},
		{"26", many(26, `{"name":"n%d","value":"v"}`), "choices: Must be"},
		{"name", `{"name":"` + long(101) + `","value":"v"}`, "choices.0.name"},
		{"value", `{"name":"n","value":"` + long(101) + `"}`, "choices.0.value"},
		{"kind", `{"name":"n","value":5}`, "choices.0.value"},
		{"locale", `{"name":"n","value":"v","name_localizations":{"fr-CA":"n"}}`, "not a locale"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := start(t, Config{Strict: true})
			e := r.pressed(Complete("x", Focused("mot", "p")))
			refused(t, r, r.call("POST", callbackPath(e), `{"type":8,"data":{"choices":[`+row.body+`]}}`), row.fault)
		})
	}
	r := start(t, Config{})
	refused(t, r, r.call("POST", callbackPath(r.pressed(Complete("x", Focused("mot", "p")))), say("x")), "type: Value must be one of [8]")
}

func TestResponsesFitTheInteraction(t *testing.T) {
	r := start(t, Config{})
	for _, body := range []string{`{"type":7,"data":{}}`, `{"type":6}`, `{"type":8,"data":{"choices":[]}}`, `{"type":1}`, `{"type":4}`} {
		if a := r.call("POST", callbackPath(r.pressed(Slash("x"))), body); a.code() != 50035 {
			t.Errorf("%s: %s", body, a.raw)
		}
	}
	e := r.pressed(Slash("x"))
	if a := r.call("POST", callbackPath(e), `{"type":4,"data":{"content":""}}`); a.code() != 50006 {
		t.Error(a.raw)
	}
	if a := r.call("POST", callbackPath(e), `{"type":`); a.code() != 50109 {
		t.Error(a.raw)
	}
}

func opt(more string) string {
	return `"options":[{"type":3,"name":"o","description":"d"` + more + `}]`
}

func TestCommandLimits(t *testing.T) {
	sub := `{"type":1,"name":"s%d","description":"d"}`
	for _, row := range []row{
		{"name at the limit", `"name":"` + long(32) + `","description":"d"`, ""},
		{"name too long", `"name":"` + long(33) + `","description":"d"`, "name"},
		{"upper case", `"name":"Été","description":"d"`, "lower case"},
		{"blank in the name", `"name":"a b","description":"d"`, "validation regex"},
		{"upper case in a locale", `"name":"a","description":"d","name_localizations":{"fr":"A"}`, "name_localizations.fr"},
		{"no such locale", `"name":"a","description":"d","name_localizations":{"fr-CA":"a"}`, "not a locale"},
		{"no description", `"name":"a"`, "description"},
		{"description", `"name":"a","description":"` + long(101) + `"`, "description: Must be 100"},
		{"description in a locale", `"name":"a","description":"d","description_localizations":{"en-US":"` + long(101) + `"}`, "description_localizations.en-US"},
		{"message command", `"type":3,"name":"Appliquer ce YAML"`, ""},
		{"message command that is described", `"type":3,"name":"Appliquer","description":"d"`, "neither description"},
		{"25 options", `"name":"a","description":"d","options":[` + many(25, `{"type":3,"name":"o%d","description":"d"}`) + `]`, ""},
		{"26 options", `"name":"a","description":"d","options":[` + many(26, `{"type":3,"name":"o%d","description":"d"}`) + `]`, "options: Must be"},
		{"25 choices", `"name":"a","description":"d",` + opt(`,"choices":[`+many(25, `{"name":"c%d","value":"%d"}`)+`]`), ""},
		{"26 choices", `"name":"a","description":"d",` + opt(`,"choices":[`+many(26, `{"name":"c%d","value":"%d"}`)+`]`), "choices: Must be"},
		{"choice of another kind", `"name":"a","description":"d",` + opt(`,"choices":[{"name":"c","value":3}]`), "choices.0.value"},
		{"choice name", `"name":"a","description":"d",` + opt(`,"choices":[{"name":"`+long(101)+`","value":"3"}]`), "choices.0.name"},
		{"choices and autocomplete", `"name":"a","description":"d",` + opt(`,"autocomplete":true,"choices":[{"name":"c","value":"3"}]`), "cannot both"},
		{"length of a text", `"name":"a","description":"d",` + opt(`,"max_length":6001`), "max_length"},
		{"least of a text", `"name":"a","description":"d",` + opt(`,"min_value":1`), "has no min_value"},
		{"option name", `"name":"a","description":"d","options":[{"type":3,"name":"O","description":"d"}]`, "lower case"},
		{"required last", `"name":"a","description":"d","options":[{"type":3,"name":"o","description":"d"},{"type":3,"name":"p","description":"d","required":true}]`, "Required options must"},
		{"same names", `"name":"a","description":"d","options":[` + many(2, `{"type":3,"name":"o","description":"d"}`) + `]`, "must be unique"},
		{"same names in a locale", `"name":"a","description":"d","options":[` + many(2, `{"type":3,"name":"o%d","description":"d","name_localizations":{"fr":"o"}}`) + `]`, "must be unique"},
		{"group, subcommand, option", `"name":"a","description":"d","options":[{"type":2,"name":"g","description":"d","options":[{"type":1,"name":"s","description":"d",` + opt("") + `}]}]`, ""},
		{"group in a group", `"name":"a","description":"d","options":[{"type":2,"name":"g","description":"d","options":[{"type":2,"name":"h","description":"d","options":[` + sub + `]}]}]`, "nested too deep|sub-commands only"},
		{"subcommand in a subcommand", `"name":"a","description":"d","options":[{"type":1,"name":"g","description":"d","options":[{"type":1,"name":"h","description":"d"}]}]`, "holds options only"},
		{"mixed", `"name":"a","description":"d","options":[{"type":1,"name":"s","description":"d"},{"type":3,"name":"o","description":"d"}]`, "cannot be mixed"},
		{"4,300 characters", `"name":"a","description":"d",` + opt(`,"choices":[`+many(25, `{"name":"%d`+long(90)+`","value":"%d`+long(80)+`"}`)+`]`), ""},
		{"8,000 characters, by a translation", `"name":"a","description":"d","options":[` + many(25, `{"type":3,"name":"o%d","description":"d","description_localizations":{"fr":"`+long(100)+`"},"choices":[`+many(3, `{"name":"x%d`+long(80)+`","value":"v"}`)+`]}`) + `]`, "maximum size"},
		{"permissions", `"name":"a","description":"d","default_member_permissions":"x"`, "bitset"},
		{"permissions as a number", `"name":"a","description":"d","default_member_permissions":8`, "default_member_permissions"},
		{"contexts", `"name":"a","description":"d","contexts":[0,3]`, "contexts.1"},
		{"unknown field", `"name":"a","description":"d","emoji":"x"`, "emoji: Discord knows"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := start(t, Config{Strict: true})
			refused(t, r, r.call("PUT", "/applications/"+r.ApplicationID()+"/commands", `[{`+row.body+`}]`), row.fault)
		})
	}
}

func TestCommandScopes(t *testing.T) {
	r := start(t, Config{Unlimited: true})
	global, guild := "/applications/"+r.ApplicationID()+"/commands", "/applications/"+r.ApplicationID()+"/guilds/9/commands"
	one := func(format string, n int) string {
		return many(n, `{"name":"`+format+`","description":"d","name_localizations":{"fr":"`+format+`"}}`)
	}
	if a := r.call("PUT", global, `[`+one("c%d", 100)+`]`); a.status != 200 || len(r.Commands("")) != 100 {
		t.Fatal(a.raw)
	}
	if a := r.call("POST", global, one("more", 1)); a.code() != 30032 {
		t.Error(a.raw)
	}
	if a := r.call("POST", global, `{"name":"c5","description":"changed"}`); a.status != 200 {
		t.Error(a.raw)
	}
	a := r.call("POST", guild, `{"name":"g","description":"d","options":[{"type":3,"name":"o","description":"d","required":false}]}`)
	if a.status != 201 || strings.Contains(a.raw, "required") || a.body["guild_id"] != "9" {
		t.Fatal(a.raw)
	}
	path := guild + "/" + textOf(a.body["id"])
	if a := r.call("PATCH", path, `{"description":"autre"}`); a.status != 200 || a.body["description"] != "autre" || a.body["options"] == nil {
		t.Error(a.raw)
	}
	r.calm()
	if a := r.call("POST", guild, `{"name":"h","description":"d","name_localizations":{"fr":"g"}}`); a.code() != 50035 {
		t.Error("a name taken in French", a.raw)
	}
	if a := r.call("POST", guild, `{"name":"h","description":"d","contexts":[0]}`); a.code() != 50035 {
		t.Error("contexts in a guild", a.raw)
	}
	if a := r.call("DELETE", path, ""); a.status != 204 {
		t.Error(a.raw)
	}
	if a := r.call("GET", path, ""); a.code() != 10063 {
		t.Error(a.raw)
	}
	var bare, whole []map[string]any
	for query, list := range map[string]*[]map[string]any{"": &bare, "?with_localizations=true": &whole} {
		if err := json.Unmarshal([]byte(r.call("GET", global+query, "").raw), list); err != nil {
			t.Fatal(err)
		}
	}
	if _, there := bare[0]["name_localizations"]; there || whole[0]["name_localizations"] == nil {
		t.Error(bare[0], whole[0])
	}
	if a := r.call("PUT", global, `[`+one("d%d", 100)+`]`); a.status != 200 {
		t.Error(a.raw)
	}
	if a := r.call("PUT", global, `[`+one("e%d", 1)+`]`); a.code() != 30034 {
		t.Error("201 creations in a day", a.raw)
	}
	if n := r.Calls("PUT /applications/{app}/commands"); n != 3 {
		t.Error(n)
	}
}

// TestSpecification holds the package's own tables, and what they let pass, to
// Discord's description, which is not part of the project.
func TestSpecification(t *testing.T) {
	path := os.Getenv("TIMONIER_DISCORD_SPEC")
	if path == "" {
		t.Skip("TIMONIER_DISCORD_SPEC does not name Discord's OpenAPI file")
	}
	r := start(t, Config{Spec: path, Unlimited: true, Strict: true})
	for _, row := range messageRows {
		if row.fault == "" {
			if a := r.call("POST", callbackPath(r.pressed(Slash("x"))), `{"type":4,"data":{`+row.body+`}}`); a.status != 204 {
				t.Errorf("%s: %s", row.name, a.raw)
			}
			if a := r.call("POST", "/channels/1/messages", `{`+row.body+`}`); a.status != 200 {
				t.Errorf("%s: %s", row.name, a.raw)
			}
		}
	}
	if a := r.call("PUT", "/applications/"+r.ApplicationID()+"/commands", `[{"name":"a","description":"d","default_member_permissions":"8"}]`); a.status != 200 {
		t.Error(a.raw)
	}
	for _, route := range routes() {
		if _, err := r.spec.schema(route.pattern); err != nil {
			t.Errorf("%s: %v", route.pattern, err)
		}
	}
	r.calm()
	for route, body := range map[string]string{
		"POST /channels/1/messages":   `{"sticker_ids":["x"]}`,
		"POST /users/@me/channels":    `{"recipient_id":"1","nicks":5}`,
		"POST /channels/2/messages":   `{"embeds":[{"title":"a","provider":4}],` + quiet + `}`,
		"POST /channels/3/messages":   `{"components":[{"type":1,"components":[{"type":2,"style":1,"label":"a","custom_id":"a","id":-1}]}]}`,
		"POST /webhooks/no/such/path": ``,
	} {
		method, path, _ := strings.Cut(route, " ")
		if a := r.call(method, path, body); a.status < 400 {
			t.Errorf("%s: %s", route, a.raw)
		} else if body != "" && !strings.Contains(a.raw, "specification") {
			t.Errorf("%s: the specification says nothing: %s", route, a.raw)
		}
	}
	if _, err := Start(Config{Spec: path + ".missing"}); err == nil {
		t.Error("a file that is not there")
	}
}
