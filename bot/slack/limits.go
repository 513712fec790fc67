package slack

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"timonier/bot"
)

// Slack's limits, in characters or elements. It counts characters after escaping.
//
// Sources: https://docs.slack.dev/reference/block-kit/blocks and …/block-elements,
// https://docs.slack.dev/reference/methods/chat.postMessage, views.open, files.getUploadURLExternal.
const (
	mostBlocks     = 50
	mostHomeBlocks = 100
	mostText       = 3000 // of a text object; Slack names none for rich text, which keeps to it here
	mostHeader     = 150
	mostElements   = 25 // of an actions block
	mostLabel      = 75
	mostOption     = 75  // of an option's text
	mostInMenu     = 100 // options
	mostMenuValue  = 150 // of an option's value, a menu's placeholder
	mostAlt        = 2000
	mostUploadAlt  = 1000
	mostURL        = 3000
	mostIndent     = 8
	mostTitle      = 24 // of a form, and its buttons
	mostHint       = 2000
	mostMetadata   = 3000
	mostInput      = 3000 // of what is typed in a form
	mostFallback   = 3000 // Slack: 4,000, and fewer are better

	// mostInAll is over all blocks. Slack refuses about 13,200 characters
	// (msg_blocks_too_long) and does not say what it counts; texts of 11,341 characters in
	// rich text were refused (slackapi/bolt-js issues 2509 and 2867). So the blocks'
	// whole JSON is counted here.
	mostInAll = 12000
	// mostInButtons of it may be taken by buttons; others are shown to be typed.
	mostInButtons = 5000
)

// length is how many characters a text has for Slack: & is &amp;, < is &lt;.
func length(s string) int {
	return utf8.RuneCountInString(s) + 4*strings.Count(s, "&") + 3*(strings.Count(s, "<")+strings.Count(s, ">"))
}

// escape writes text for where Slack reads its markup: nothing in it is a mention or a link.
func escape(s string) string { return escapes.Replace(s) }

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// mention is how Slack's markup writes what notifies people or is filled in.
var mention = regexp.MustCompile(`(?i)<(!(?:channel|here|everyone|subteam|date)|[@#][a-z0-9])`)

// inert is text for where Slack reads no markup: rich and plain text. A mention's
// beginning is kept apart all the same, by a character that nobody sees, in case
// something on the way (an old client, a forwarded message) does read it.
func inert(s string) string {
	return mention.ReplaceAllString(strings.ToValidUTF8(s, "\ufffd"), "<\u2060$1")
}

// split cuts a text into parts of at most most characters for Slack, 5 or more, as bot.Split does.
func split(text string, most int) []string { return splitAt(text, most, most) }

// splitAt cuts at so many characters at first, and at fewer where they are longer for Slack.
func splitAt(text string, most, at int) []string {
	if length(text) <= most || at <= 1 {
		return []string{text}
	}
	var parts []string
	for _, part := range bot.Split(text, at) {
		parts = append(parts, splitAt(part, most, at/2)...)
	}
	return parts
}

// cut is the beginning of a text that is longer than most characters.
func cut(text string, most int) string {
	if length(text) <= most {
		return text
	}
	room := most - 1
	for n := room; n > 0; n /= 2 {
		if part := bot.Split(beginning(text, n+1), n)[0]; length(part) <= room {
			return strings.TrimRight(part, " \n") + "…"
		}
	}
	return "…"
}

// beginning is the first n characters.
func beginning(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// cost is what blocks take of mostInAll.
func cost(blocks ...block) int {
	total := 0
	for _, b := range blocks {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(b); err != nil {
			return mostInAll + 1 // strings and numbers alone: there is no such error
		}
		total += length(out.String())
	}
	return total
}

// oneLine is text where a line ends a heading or a label.
func oneLine(s string) string { return strings.Join(strings.FieldsFunc(s, lineOrTab), " ") }

func lineOrTab(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }
