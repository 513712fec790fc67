package slack

import (
	"encoding/json"
	"fmt"
	"strings"

	"timonier/bot"
)

// formCallback is the callback ID of forms, and its version.
const formCallback = "form:1"

// What a form's inputs are named, both the block and the input in it.
const (
	formText = "text"
	formFile = "file"
)

// metadata is what a form carries, unseen.
type metadata struct {
	Line string          `json:"line"`
	Back json.RawMessage `json:"back,omitempty"`
}

// form is the modal that asks for a Prompt's line, or its text or a file of it. back is what the front
// end needs to find the conversation again, JSON; an error where it and the line are
// longer than a form can carry.
func form(p bot.Prompt, say sayer, back json.RawMessage) (view, error) {
	carried, err := json.Marshal(metadata{p.Line, back})
	if err != nil {
		return view{}, fmt.Errorf("encode form: %w", err)
	}
	if n := length(string(carried)); n > mostMetadata {
		return view{}, fmt.Errorf("encode form: metadata of %d characters, %d at most", n, mostMetadata)
	}
	short := func(text string, most int) *plainText { return plain(cut(inert(oneLine(text)), most)) }
	label := p.Label
	if oneLine(label) == "" {
		label = p.Title
	}
	v := view{
		Type: "modal", CallbackID: formCallback, PrivateMetadata: string(carried),
		Title:  short(p.Title, mostTitle),
		Submit: short(say("slack.form.send", nil), mostTitle),
		Close:  short(say("slack.form.cancel", nil), mostTitle),
		Blocks: []block{
			{
				Type: "input", BlockID: formText, Label: short(label, mostHint), Optional: true,
				Hint:    short(say("slack.form.hint", nil), mostHint),
				Element: textInput{Type: "plain_text_input", ActionID: formText, Multiline: !p.Short, MaxLength: mostInput, Initial: begun(p)},
			},
			{
				Type: "input", BlockID: formFile, Label: short(say("slack.form.file", nil), mostHint), Optional: true,
				Element: fileInput{Type: "file_input", ActionID: formFile, Filetypes: []string{"yaml", "yml", "json", "txt", "xml", "csv", "gift"}, MaxFiles: 1},
			},
		},
	}
	if p.Short {
		v.Blocks[0].Optional, v.Blocks[0].Hint = false, nil
		v.Blocks = v.Blocks[:1]
	}
	return v, nil
}

// begun is what stands in a form's text at first: all of it, or where there is no room, nothing.
func begun(p bot.Prompt) string {
	text := strings.ToValidUTF8(p.Text, "\ufffd")
	if p.Short {
		text = oneLine(text)
	}
	if length(text) > mostInput {
		return ""
	}
	return text
}

// filled is a form as it was sent.
type filled struct {
	Line  string          // the Prompt's
	Text  string          // as typed; may be empty
	Files []string        // IDs of what was attached
	Back  json.RawMessage // as given to form
}

// submitted reads the "view" of a view_submission, JSON; false where it is none of our forms, or another
// version of the program made it. What is typed in a form comes as it is: nothing in it is encoded.
func submitted(view json.RawMessage) (filled, bool) {
	var v struct {
		CallbackID      string `json:"callback_id"`
		PrivateMetadata string `json:"private_metadata"`
		State           struct {
			Values map[string]map[string]struct {
				Value string `json:"value"`
				Files []struct {
					ID string `json:"id"`
				} `json:"files"`
			} `json:"values"`
		} `json:"state"`
	}
	var m metadata
	if json.Unmarshal(view, &v) != nil || v.CallbackID != formCallback ||
		json.Unmarshal([]byte(v.PrivateMetadata), &m) != nil || m.Line == "" {
		return filled{}, false
	}
	f := filled{Line: m.Line, Back: m.Back, Text: v.State.Values[formText][formText].Value}
	for _, file := range v.State.Values[formFile][formFile].Files {
		f.Files = append(f.Files, file.ID)
	}
	return f, true
}

// home is the home tab that shows a reply. It has no files: pictures are said in words.
func home(r bot.Reply, say sayer) view {
	p := page{say: say}
	for _, b := range r.Blocks {
		p.block(b)
	}
	for i := range p.blocks {
		p.blocks[i].picture = 0
	}
	actions, rest := buttons(r)
	if r.Menu != nil { // what is chosen there would be known to nobody
		for _, c := range r.Menu.Choices {
			if line, ok := bot.Picked(r.Menu.Line, []string{c.Value}); ok {
				rest = append(rest, bot.Button{Label: nameOf(c), Line: line})
			}
		}
	}
	v := view{Type: "home", Blocks: join(p.blocks, p.toType(rest), actions)}
	if !fits(v.Blocks, mostHomeBlocks) {
		v.Blocks = shortened(p.blocks, join(sentence(say("slack.render.home", nil)), actions), mostHomeBlocks)
	}
	return v
}
