package slack

// message is what chat.postMessage, chat.update and a response URL are sent, beside whom it
// is for: JSON as Slack's. Its pictures are shown as words until withPictures says
// under which ID Slack has each.
type message struct {
	Text        string  `json:"text"` // the reply in plain words: notifications, screen readers
	Blocks      []block `json:"blocks"`
	UnfurlLinks bool    `json:"unfurl_links"`
	UnfurlMedia bool    `json:"unfurl_media"`
}

// upload is a file that belongs to a message.
type upload struct {
	Name, Type, Alt string // Type is MIME; Alt is a picture's, at most 1,000 characters
	Data            []byte
	Picture         bool // a block of the message shows it
}

// block is one of Slack's layout blocks: header, rich_text, divider, image, section, actions or input.
// The fields of the other types stay empty.
//
// Source: https://docs.slack.dev/reference/block-kit/blocks
type block struct {
	Type      string     `json:"type"`
	BlockID   string     `json:"block_id,omitempty"`
	Text      *plainText `json:"text,omitempty"`      // of a header, a section
	Elements  []any      `json:"elements,omitempty"`  // rich of rich_text, button of actions
	Accessory any        `json:"accessory,omitempty"` // of a section: menu
	SlackFile *slackFile `json:"slack_file,omitempty"`
	AltText   string     `json:"alt_text,omitempty"`
	Label     *plainText `json:"label,omitempty"` // of an input, as what follows
	Hint      *plainText `json:"hint,omitempty"`
	Optional  bool       `json:"optional,omitempty"`
	Element   any        `json:"element,omitempty"` // textInput or fileInput

	picture int    // 1 + the index of the upload that this block stands for
	alt     string // of the picture
}

// plainText is text in which nothing is markup.
type plainText struct {
	Type string `json:"type"` // plain_text
	Text string `json:"text"`
}

// slackFile is a file that Slack has.
type slackFile struct {
	ID string `json:"id"`
}

// rich is an element of rich_text: a section, list, quotation or preformatted text, or a text
// or link in one of these.
type rich struct {
	Type     string `json:"type"`
	Elements []rich `json:"elements,omitempty"`
	Style    any    `json:"style,omitempty"` // *textStyle; of a list: ordered, bullet
	Indent   int    `json:"indent,omitempty"`
	Offset   int    `json:"offset,omitempty"` // of an ordered list: what its first number is more than 1
	Border   int    `json:"border,omitempty"` // 1: within a quotation
	Text     string `json:"text,omitempty"`
	URL      string `json:"url,omitempty"`

	Timestamp int64  `json:"timestamp,omitempty"` // of a date, as what follows
	Format    string `json:"format,omitempty"`
	Fallback  string `json:"fallback,omitempty"`
}

// textStyle is how a text looks.
type textStyle struct {
	Bold   bool `json:"bold,omitempty"`
	Italic bool `json:"italic,omitempty"`
	Code   bool `json:"code,omitempty"`
}

// button carries a line, as bot.Token writes it.
type button struct {
	Type     string    `json:"type"` // button
	Text     plainText `json:"text"`
	ActionID string    `json:"action_id"`
	Value    string    `json:"value"`
	Style    string    `json:"style,omitempty"` // primary, danger
}

// menu is where options are chosen: one, which is sent at once, or several, of which Slack tells
// at every change; a button of the same message sends those.
type menu struct {
	Type        string     `json:"type"` // static_select, multi_static_select
	ActionID    string     `json:"action_id"`
	Placeholder *plainText `json:"placeholder,omitempty"`
	Options     []option   `json:"options"`
	Most        int        `json:"max_selected_items,omitempty"`
}

type option struct {
	Text  plainText `json:"text"`
	Value string    `json:"value"`
}

// textInput and fileInput are what a form asks for.
type textInput struct {
	Type      string `json:"type"` // plain_text_input
	ActionID  string `json:"action_id"`
	Multiline bool   `json:"multiline"`
	MaxLength int    `json:"max_length"`
	Initial   string `json:"initial_value,omitempty"`
}

type fileInput struct {
	Type      string   `json:"type"` // file_input
	ActionID  string   `json:"action_id"`
	Filetypes []string `json:"filetypes"`
	MaxFiles  int      `json:"max_files"`
}

// view is a modal or the home tab.
type view struct {
	Type            string     `json:"type"` // modal, home
	CallbackID      string     `json:"callback_id,omitempty"`
	Title           *plainText `json:"title,omitempty"`
	Submit          *plainText `json:"submit,omitempty"`
	Close           *plainText `json:"close,omitempty"`
	PrivateMetadata string     `json:"private_metadata,omitempty"`
	Blocks          []block    `json:"blocks"`
}

func plain(text string) *plainText { return &plainText{"plain_text", text} }

// withPictures is the message with its pictures: ids are parallel to the uploads that render
// returned with it, "" where Slack does not have the file (yet), whose block goes
// on saying in words what the picture shows.
func (m message) withPictures(ids []string) message {
	blocks := make([]block, len(m.Blocks))
	for i, b := range m.Blocks {
		if n := b.picture; n > 0 && n <= len(ids) && ids[n-1] != "" {
			b = block{Type: "image", SlackFile: &slackFile{ids[n-1]}, AltText: b.alt, picture: n, alt: b.alt}
		}
		blocks[i] = b
	}
	m.Blocks = blocks
	return m
}
