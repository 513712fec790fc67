package discord

import (
	"cmp"

	"timonier/bot"
)

// form is the data of a callback that opens a form.
type form struct {
	CustomID   string      `json:"custom_id"` // bot.Token of the prompt's line
	Title      string      `json:"title"`
	Components []component `json:"components"`
}

// The fields of a form, by custom ID.
const (
	fieldText = "text" // a text of 4,000 characters at the most
	fieldFile = "file" // instead of it, a file
)

// The styles of a field: of one line, of several.
const (
	lineStyle = 1
	textStyle = 2
)

// modal is the form for a prompt: a line, or a text, or a file where that is long. False where the
// prompt's line is too long for a form to carry.
func modal(p bot.Prompt, say sayer) (form, bool) {
	token, ok := bot.Token(p.Line)
	if !ok {
		return form{}, false
	}
	optional, none, one := false, 0, 1
	text := component{
		Type: typeLabel, Label: shortened(p.Label, mostFormLabel),
		Component: &component{Type: typeTextField, CustomID: fieldText, Style: textStyle, MaxLength: mostFormText, Required: &optional},
	}
	if begun := clean(p.Text); length(begun) <= mostFormText {
		text.Component.Value = begun
	}
	if text.Label == "" {
		text.Label = shortened(say("discord.text", nil), mostFormLabel)
	}
	if length(p.Label) > mostFormLabel {
		text.Description = shortened(p.Label, mostFormHelp)
	}
	title := cmp.Or(shortened(p.Title, mostFormTitle), text.Label)
	if p.Short {
		text.Component.Style, text.Component.Required = lineStyle, nil
		text.Component.Value = shortened(text.Component.Value, mostFormText)
		return form{CustomID: token, Title: title, Components: []component{text}}, true
	}
	file := component{
		Type: typeLabel, Label: shortened(say("discord.upload", nil), mostFormLabel),
		Description: shortened(say("discord.uploadhelp", nil), mostFormHelp),
		Component:   &component{Type: typeFileUpload, CustomID: fieldFile, MinValues: &none, MaxValues: &one, Required: &optional},
	}
	return form{CustomID: token, Title: title, Components: []component{text, file}}, true
}
