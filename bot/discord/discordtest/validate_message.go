package discordtest

import (
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of resources/message#create-message and #embed-object-embed-limits,
// interactions/receiving-and-responding and resources/webhook#execute-webhook.
const (
	mostContent     = 2000
	mostEmbeds      = 10
	mostEmbedText   = 6000
	mostAttachments = 10
	mostFile        = 10 << 20 // reference#uploading-files
	mostRequest     = 25 << 20
)

var (
	uri       = rule{max: 2048, null: true, check: address("http://", "https://")}
	mediaURI  = rule{max: 2048, null: true, check: address("http://", "https://", "attachment://")}
	optional  = rule{kind: boolean, null: true}
	mediaOnly = object{"url": mediaURI}
)

var embedFields = object{
	"title":       {max: 256, null: true},
	"description": {max: 4096, null: true},
	"type":        {null: true},
	"url":         uri,
	"color":       {kind: integer, max: 0xFFFFFF, null: true},
	"timestamp":   {null: true, check: timestamp},
	"footer":      {kind: obj, null: true, object: object{"text": {min: 1, max: 2048, need: true}, "icon_url": mediaURI}},
	"image":       {kind: obj, null: true, object: mediaOnly},
	"thumbnail":   {kind: obj, null: true, object: mediaOnly},
	"author":      {kind: obj, null: true, object: object{"name": {min: 1, max: 256, need: true}, "url": uri, "icon_url": mediaURI}},
	"fields": {kind: list, max: 25, null: true, of: &rule{kind: obj, object: object{
		"name": {min: 1, max: 256, need: true}, "value": {min: 1, max: 1024, need: true}, "inline": optional}}},
}

var mentionFields = object{
	"parse":        {kind: list, null: true, of: &rule{}},
	"users":        {kind: list, max: 100, null: true, of: &rule{kind: snowflake}},
	"roles":        {kind: list, max: 100, null: true, of: &rule{kind: snowflake}},
	"replied_user": optional,
}

var attachmentFields = object{
	"id":          {kind: snowflake, need: true},
	"filename":    {min: 1, max: 1024, null: true},
	"title":       {max: 1024, null: true},
	"description": {max: 1024, null: true},
	"is_spoiler":  optional,
	// What a message that was read back has besides; it may be sent again.
	"size": {kind: integer}, "url": {}, "proxy_url": {}, "content_type": {null: true}, "width": {kind: integer, null: true}, "height": {kind: integer, null: true}, "ephemeral": optional,
}

// bodyFields is what every message has, plus what one way of sending it adds.
func bodyFields(more object) object {
	all := object{
		"content":          {max: mostContent, null: true},
		"embeds":           {kind: list, max: mostEmbeds, null: true, of: &rule{kind: obj, object: embedFields}},
		"allowed_mentions": {kind: obj, null: true, object: mentionFields},
		"components":       {kind: list, max: mostComponents, null: true, of: &rule{kind: component, enum: topLevel}},
		"attachments":      {kind: list, max: mostAttachments, null: true, of: &rule{kind: obj, object: attachmentFields}},
		"flags":            {kind: integer, null: true},
	}
	for name, r := range more {
		all[name] = r
	}
	return all
}

// sending is one way to send or change a message.
type sending struct {
	fields object
	flags  int  // that may be set
	edit   bool // of a message that is there
}

var (
	byCallback = sending{bodyFields(object{"tts": optional, "poll": {kind: obj, null: true}}),
		FlagSuppressEmbeds | FlagEphemeral | FlagSuppressNotifications | FlagComponentsV2, false}
	byCallbackEdit = sending{bodyFields(object{"tts": optional}), FlagSuppressEmbeds | FlagComponentsV2, true}
	byFollowUp     = sending{bodyFields(object{"tts": optional, "username": {}, "avatar_url": {}, "thread_name": {}, "poll": {kind: obj, null: true}}),
		FlagSuppressEmbeds | FlagEphemeral | FlagSuppressNotifications | FlagComponentsV2, false}
	byWebhookEdit = sending{bodyFields(object{"poll": {kind: obj, null: true}}), FlagSuppressEmbeds | FlagComponentsV2, true}
	byChannel     = sending{bodyFields(object{"tts": optional, "nonce": {kind: anything, null: true, check: nonce}, "enforce_nonce": optional,
		"message_reference": {kind: obj, null: true, object: object{"type": {kind: integer}, "message_id": {kind: snowflake},
			"channel_id": {kind: snowflake}, "guild_id": {kind: snowflake}, "fail_if_not_exists": optional}}}),
		FlagSuppressEmbeds | FlagSuppressNotifications | FlagComponentsV2, false}
	byChannelEdit = sending{bodyFields(nil), FlagSuppressEmbeds | FlagComponentsV2, true}
)

// nonce is a number, or a text of 25 characters at the most (resources/message#create-message).
func nonce(v any) string {
	if text, ok := v.(string); ok && utf8.RuneCountInString(text) > 25 {
		return "Must be 25 or fewer in length."
	}
	return ""
}

func address(schemes ...string) func(any) string {
	return func(v any) string {
		for _, s := range schemes {
			if rest, ok := strings.CutPrefix(textOf(v), s); ok && rest != "" {
				return ""
			}
		}
		if v == "" {
			return ""
		}
		return "Scheme must be one of " + strings.Join(schemes, ", ") + "."
	}
}

func timestamp(v any) string {
	if _, err := time.Parse(time.RFC3339, textOf(v)); err != nil {
		return "Could not parse it as ISO 8601."
	}
	return ""
}

// message holds a message's body against every rule. old is the message changed, or
// nil; files are the names of what is uploaded with it, by number.
func (r *report) message(path []string, body map[string]any, how sending, old *message, files map[int]upload) {
	r.object(path, body, how.fields)
	v2 := num(body["flags"])&FlagComponentsV2 != 0 || how.edit && old != nil && old.Flags&FlagComponentsV2 != 0
	r.flags(path, body, how)
	r.embedText(path, listOf(body["embeds"]))
	r.mentions(path, body)
	names := r.attachments(path, body, how, old, files)
	if v2 {
		r.secondVersion(path, body, old, names)
	} else {
		r.firstVersion(path, body)
	}
	r.references(path, body, names, v2)
}

func (r *report) flags(path []string, body map[string]any, how sending) {
	if flags := num(body["flags"]); flags&^how.flags != 0 {
		r.houseRule(at(path, "flags"), "flag %d has no effect here", flags&^how.flags)
	}
}

// embedText adds up title, description, field names and values, footer and author
// over all embeds.
func (r *report) embedText(path []string, embeds []any) {
	total := 0
	for i, v := range embeds {
		e := objectOf(v)
		texts := []any{e["title"], e["description"], objectOf(e["footer"])["text"], objectOf(e["author"])["name"]}
		for _, f := range listOf(e["fields"]) {
			texts = append(texts, objectOf(f)["name"], objectOf(f)["value"])
		}
		for _, t := range texts {
			total += utf8.RuneCountInString(textOf(t))
		}
		if len(e) == 0 {
			r.add(at(path, "embeds", i), codeRequired, "An embed says something.")
		}
	}
	if total > mostEmbedText {
		r.add(at(path, "embeds"), "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of %d", mostEmbedText)
	}
}

// mentions is a rule of our house: nothing that learners wrote pings anyone.
func (r *report) mentions(path []string, body map[string]any) {
	says := !blank(body["content"]) || !blank(body["embeds"])
	eachComponent(listOf(body["components"]), func(c map[string]any) { says = says || num(c["type"]) == TypeText })
	if !says {
		return
	}
	m := objectOf(body["allowed_mentions"])
	if parse, ok := m["parse"].([]any); !ok || len(parse) > 0 || !blank(m["users"]) || !blank(m["roles"]) {
		r.houseRule(at(path, "allowed_mentions"), `must be there with "parse":[] and nobody listed`)
	}
}

// attachments gives the names of the files that the message will have.
func (r *report) attachments(path []string, body map[string]any, how sending, old *message, files map[int]upload) map[string]bool {
	names, listed := map[string]bool{}, map[string]bool{}
	given, has := body["attachments"].([]any)
	var kept []Attachment
	if how.edit && old != nil {
		kept = old.Attachments
	}
	for i, v := range given {
		id := textOf(objectOf(v)["id"])
		n, uploaded := fileNumber(id, files)
		switch {
		case listed[id]:
			r.add(at(path, "attachments", i, "id"), codeUnique, "The set already contains this value")
		case uploaded:
			name := textOf(objectOf(v)["filename"])
			if name == "" {
				name = files[n].Name
			}
			names[name] = true
		default:
			a, ok := findAttachment(kept, id)
			if !ok {
				r.add(at(path, "attachments", i), "ATTACHMENT_NOT_FOUND", "No file was uploaded with this number and no attachment has this ID.")
			}
			names[a.Filename] = true
		}
		listed[id] = true
	}
	for n, f := range files {
		if has && !listed[itoa(n)] || !has && how.edit {
			r.houseRule(at(path, "attachments"), "files[%d] is uploaded but not listed", n)
		}
		if !has {
			names[f.Name] = true
		}
	}
	if !has {
		for _, a := range kept {
			names[a.Filename] = true
		}
	}
	if len(names) > mostAttachments {
		r.add(at(path, "attachments"), codeLength, "Must be %d or fewer in length.", mostAttachments)
	}
	return names
}

// references holds every attachment:// against the files, and in a message of the
// second version every file against the references (components/reference#file).
func (r *report) references(path []string, body map[string]any, names map[string]bool, v2 bool) {
	used := map[string]bool{}
	see := func(where []string, v any) {
		if name, ok := strings.CutPrefix(textOf(objectOf(v)["url"]), "attachment://"); ok {
			used[name] = true
			if !names[name] {
				r.add(where, "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", "The referenced attachment %q was not found", name)
			}
		}
	}
	for i, e := range listOf(body["embeds"]) {
		see(at(path, "embeds", i, "image"), objectOf(e)["image"])
		see(at(path, "embeds", i, "thumbnail"), objectOf(e)["thumbnail"])
	}
	eachComponent(listOf(body["components"]), func(c map[string]any) {
		see(at(path, "components"), c["media"])
		see(at(path, "components"), c["file"])
		for _, item := range listOf(c["items"]) {
			see(at(path, "components"), objectOf(item)["media"])
		}
	})
	if _, given := body["components"]; v2 && given {
		for name := range names {
			if !used[name] {
				r.add(at(path, "components"), "UNREFERENCED_ATTACHMENT", "The attachment %q is referenced by no component", name)
			}
		}
	}
}
