package discord

import "timonier/bot"

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

// modal is the form for a prompt: a text, or a file where it is long. False where the
// prompt's line is too long for a form to carry.
func modal(p bot.Prompt, say sayer) (form, bool) { return form{}, false }
