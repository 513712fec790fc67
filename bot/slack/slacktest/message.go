package slacktest

import (
	"encoding/json"
	"time"
)

// Message is a message as people see it.
type Message struct {
	Channel  string
	TS       string
	User     string // who wrote it
	For      string // the one person who sees it; empty: everyone in the channel
	Thread   string // thread_ts
	Text     string
	Blocks   json.RawMessage // an array, or nil
	Attached json.RawMessage // attachments: an array, or nil
	Files    []File
	At       time.Time
	Deleted  bool
	History  []Edit // what it was before, the oldest first
}

// Edit is an earlier state of a message: until At, when Via changed it.
type Edit struct {
	At     time.Time
	Via    string
	Text   string
	Blocks json.RawMessage
}

// Button is one of a message's or a view's buttons.
type Button struct {
	Label, ActionID, BlockID, Value, Style, URL string
}

// Buttons are those in the blocks, in order.
func (m Message) Buttons() []Button { return buttons(m.Blocks) }

// Words is all that can be read in the blocks, line by line; the fallback text where there are none.
func (m Message) Words() string {
	if len(m.Blocks) == 0 {
		return m.Text
	}
	return words(m.Blocks)
}

// View is a modal or a home tab.
type View struct {
	ID, External, Hash, Root, Previous string
	Type, CallbackID, Metadata         string // type: modal or home
	User                               string
	Blocks                             json.RawMessage
	Raw                                json.RawMessage   // as the bot sent it
	Errors                             map[string]string // shown by block ID, after response_action errors
	Closed                             bool
	State                              map[string]map[string]any // values, as last sent
}

// Buttons are those in the blocks, in order.
func (v View) Buttons() []Button { return buttons(v.Blocks) }

// Words is all that can be read in the blocks, line by line.
func (v View) Words() string { return words(v.Blocks) }

// File is one that is kept by the server.
type File struct {
	ID, Name, Title, Type, Alt string // Type is MIME
	User                       string
	URL                        string // url_private: asks for the bearer token
	Data                       []byte
	Channels                   []string // it was shared to
	Processed                  bool     // an image block may show it
}
