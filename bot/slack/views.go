package slack

import (
	"encoding/json"

	"timonier/bot"
)

// formCallback is the callback ID of forms, and its version.
const formCallback = "form:1"

// form is the modal that asks for a Prompt's text. back is what the front end needs to find the
// conversation again, JSON; an error where it and the line are longer than a form can carry.
func form(p bot.Prompt, say sayer, back json.RawMessage) (view, error) { return view{}, nil }

// filled is a form as it was sent.
type filled struct {
	Line  string          // the Prompt's
	Text  string          // as typed; may be empty
	Files []string        // IDs of what was attached
	Back  json.RawMessage // as given to form
}

// submitted reads the "view" of a view_submission, JSON; false where another version of the program made
// the form.
func submitted(view json.RawMessage) (filled, bool) { return filled{}, false }

// home is the home tab that shows a reply.
func home(r bot.Reply, say sayer) view { return view{} }
