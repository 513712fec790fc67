package discordtest

import (
	"encoding/json"
	"strings"
	"time"
)

// Flags of a message (resources/message#message-object-message-flags).
const (
	FlagSuppressEmbeds        = 1 << 2
	FlagEphemeral             = 1 << 6
	FlagLoading               = 1 << 7
	FlagSuppressNotifications = 1 << 12
	FlagComponentsV2          = 1 << 15
)

// Message is one message of the bot as it stood at one moment.
type Message struct {
	ID          string
	ChannelID   string
	GuildID     string // empty in a direct conversation
	Content     string
	Flags       int
	Embeds      []Embed
	Components  []Component
	Attachments []Attachment
	Sent        time.Time
	Edited      time.Time // zero: never
	Deleted     bool
}

// Ephemeral says that one person alone sees it.
func (m Message) Ephemeral() bool { return m.Flags&FlagEphemeral != 0 }

// Loading says that it is a deferral's "… is thinking".
func (m Message) Loading() bool { return m.Flags&FlagLoading != 0 }

// Embed is a box in a message.
type Embed struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	URL         string `json:"url"`
	Color       int    `json:"color"`
	Fields      []struct {
		Name   string `json:"name"`
		Value  string `json:"value"`
		Inline bool   `json:"inline"`
	} `json:"fields"`
	Footer struct {
		Text string `json:"text"`
	} `json:"footer"`
	Author struct {
		Name string `json:"name"`
	} `json:"author"`
	Image struct {
		URL string `json:"url"`
	} `json:"image"`
}

// Component is any component; the fields that its Type lacks are zero. Types:
// components/reference#component-object-component-types.
type Component struct {
	Type        int            `json:"type"`
	ID          int            `json:"id"`
	CustomID    string         `json:"custom_id"`
	Label       string         `json:"label"`
	Style       int            `json:"style"`
	URL         string         `json:"url"`
	Disabled    bool           `json:"disabled"`
	Emoji       *Emoji         `json:"emoji"`
	Content     string         `json:"content"` // text display
	Placeholder string         `json:"placeholder"`
	Options     []SelectOption `json:"options"`
	MinValues   *int           `json:"min_values"`
	MaxValues   *int           `json:"max_values"`
	MinLength   *int           `json:"min_length"`
	MaxLength   *int           `json:"max_length"`
	Required    *bool          `json:"required"` // nil: true
	Value       string         `json:"value"`
	Description string         `json:"description"` // alt text; a label's
	AccentColor int            `json:"accent_color"`
	Spoiler     bool           `json:"spoiler"`
	Components  []Component    `json:"components"`
	Accessory   *Component     `json:"accessory"` // section
	Component   *Component     `json:"component"` // label
	Items       []Media        `json:"items"`     // media gallery
	Media       *MediaItem     `json:"media"`     // thumbnail
	File        *MediaItem     `json:"file"`
}

// Media is one picture of a gallery.
type Media struct {
	Media       MediaItem `json:"media"`
	Description string    `json:"description"`
}

// MediaItem names a file: attachment://name, or an address.
type MediaItem struct {
	URL string `json:"url"`
}

// SelectOption is one line of a select menu.
type SelectOption struct {
	Label       string `json:"label"`
	Value       string `json:"value"`
	Description string `json:"description"`
	Emoji       *Emoji `json:"emoji"`
	Default     bool   `json:"default"`
}

// Emoji is a Unicode one, in Name, or a server's.
type Emoji struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Types of components.
const (
	TypeRow        = 1
	TypeButton     = 2
	TypeSelect     = 3
	TypeTextInput  = 4
	TypeSection    = 9
	TypeText       = 10
	TypeThumbnail  = 11
	TypeGallery    = 12
	TypeFile       = 13
	TypeSeparator  = 14
	TypeContainer  = 17
	TypeLabel      = 18
	TypeFileUpload = 19
)

// File is something to upload.
type File struct {
	Name string
	Type string // MIME
	Data []byte
}

// Attachment is a file of a message, or of an option or form.
type Attachment struct {
	ID          string
	Filename    string
	Description string // alt text
	Type        string // MIME
	URL         string // where the server serves Data
	Data        []byte
}

// Modal is a form that the bot opened.
type Modal struct {
	CustomID   string
	Title      string
	Components []Component

	from *Exchange
}

// Choice is one suggestion of an autocomplete.
type Choice struct {
	Name              string            `json:"name"`
	NameLocalizations map[string]string `json:"name_localizations"`
	Value             any               `json:"value"` // string or json.Number
}

// Walk visits every component, depth first: rows and containers before what is in them.
func (m Message) Walk(visit func(Component)) { walk(m.Components, visit) }

func walk(all []Component, visit func(Component)) {
	for _, c := range all {
		visit(c)
		walk(c.Components, visit)
		for _, inner := range []*Component{c.Accessory, c.Component} {
			if inner != nil {
				walk([]Component{*inner}, visit)
			}
		}
	}
}

// Buttons are the message's buttons, links too, in order.
func (m Message) Buttons() []Component {
	var found []Component
	m.Walk(func(c Component) {
		if c.Type == TypeButton {
			found = append(found, c)
		}
	})
	return found
}

// Button finds the first button with this label.
func (m Message) Button(label string) (Component, bool) {
	for _, b := range m.Buttons() {
		if b.Label == label {
			return b, true
		}
	}
	return Component{}, false
}

// Text is all that there is to read, one piece a line: the content, the embeds'
// titles, descriptions, fields and footers, the text displays.
func (m Message) Text() string {
	var lines []string
	add := func(all ...string) {
		for _, s := range all {
			if s != "" {
				lines = append(lines, s)
			}
		}
	}
	add(m.Content)
	for _, e := range m.Embeds {
		add(e.Author.Name, e.Title, e.Description)
		for _, f := range e.Fields {
			add(f.Name, f.Value)
		}
		add(e.Footer.Text)
	}
	m.Walk(func(c Component) {
		if c.Type == TypeText {
			add(c.Content)
		}
	})
	return strings.Join(lines, "\n")
}

// decode reads a checked JSON value into its Go form.
func decode[T any](v any) (T, error) {
	var out T
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	return out, err
}
